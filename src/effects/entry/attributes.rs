//! Entry points marked by decorators, attributes and types: NestJS, type-graphql, Actix Web, Rocket, Poem, Tauri, tonic.

use super::{Entry, EntryKind, Handler};
use crate::repo_map::facts::Symbol;
use crate::repo_map::{FileId, RepoMap, SymbolId};

/// Decorators of methods in TypeScript. Routes need a class that is a controller.
const NEST: &[(&str, EntryKind)] = &[
    ("Get", EntryKind::Route),
    ("Post", EntryKind::Route),
    ("Put", EntryKind::Route),
    ("Patch", EntryKind::Route),
    ("Delete", EntryKind::Route),
    ("Head", EntryKind::Route),
    ("Options", EntryKind::Route),
    ("All", EntryKind::Route),
    ("Sse", EntryKind::Route),
    ("Query", EntryKind::Resolver),
    ("Mutation", EntryKind::Resolver),
    ("Subscription", EntryKind::Resolver),
    ("ResolveField", EntryKind::Resolver),
    ("FieldResolver", EntryKind::Resolver),
    ("Cron", EntryKind::Schedule),
    ("Interval", EntryKind::Schedule),
    ("Process", EntryKind::Job),
    ("MessagePattern", EntryKind::Job),
    ("EventPattern", EntryKind::Job),
    ("OnEvent", EntryKind::Job),
    ("OnQueueEvent", EntryKind::Job),
    ("SubscribeMessage", EntryKind::Job),
];

/// Attributes of functions in Rust.
const RUST: &[(&str, EntryKind, &str)] = &[
    ("get", EntryKind::Route, "GET"),
    ("post", EntryKind::Route, "POST"),
    ("put", EntryKind::Route, "PUT"),
    ("patch", EntryKind::Route, "PATCH"),
    ("delete", EntryKind::Route, "DELETE"),
    ("head", EntryKind::Route, "HEAD"),
    ("options", EntryKind::Route, "OPTIONS"),
    ("tauri::command", EntryKind::Procedure, "command"),
    ("command", EntryKind::Procedure, "command"),
];

/// Adds what attributes in `file` mark.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let source = map.file(file);
    let facts = &source.facts;
    for (index, symbol) in (0..).zip(&facts.symbols) {
        if !symbol.kind.is_callable() {
            continue;
        }
        let handler = Handler::Function(SymbolId { file, index });
        if !source.language.is_ecmascript() && is_rpc(symbol) && crate::audit::place::depends_on(map, file, "tonic") {
            let service = symbol.of_trait.as_deref().unwrap_or_default();
            let label = format!("rpc {service}.{}", symbol.name);
            list.push(Entry {
                kind: EntryKind::Procedure,
                label,
                method: None,
                path: None,
                handler,
                registration: None,
                framework: "tonic",
            });
            continue;
        }
        for attribute in &symbol.attributes {
            let (name, arguments) = attribute.split_once('(').unwrap_or((attribute, ""));
            let (name, first) = (name.trim(), first_text(arguments));
            let found = if source.language.is_ecmascript() {
                let class = symbol.container.map(|class| &facts.symbols[class as usize]);
                nest(name, first, symbol, class)
            } else {
                rust(map, file, name, first, symbol)
            };
            let Some((kind, method, path, label, framework)) = found else { continue };
            list.push(Entry { kind, label, method, path, handler, registration: None, framework });
        }
    }
}

/// A method of a gRPC service: `async fn say(&self, request: Request<Hello>) -> Result<Response<Reply>, Status>`.
fn is_rpc(symbol: &Symbol) -> bool {
    let takes_request = symbol
        .parameters
        .iter()
        .any(|parameter| parameter.declared_type.as_deref().is_some_and(|declared| declared.contains("Request<")));
    symbol.of_trait.is_some()
        && symbol.is_async
        && takes_request
        && symbol.return_type.as_deref().is_some_and(|given| given.contains("Response<") && given.contains("Status"))
}

type Found = (EntryKind, Option<String>, Option<String>, String, &'static str);

fn nest(name: &str, first: Option<&str>, symbol: &Symbol, class: Option<&Symbol>) -> Option<Found> {
    let (_, kind) = NEST.iter().find(|(known, _)| *known == name)?;
    let class = class?;
    let marked = |wanted: &str| class.attributes.iter().find(|own| own.split('(').next() == Some(wanted));
    match kind {
        EntryKind::Route => {
            let prefix = marked("Controller").or_else(|| marked("RestController"))?;
            let prefix = prefix.split_once('(').and_then(|(_, arguments)| first_text(arguments)).unwrap_or_default();
            let path = format!("/{}", [prefix, first.unwrap_or_default()].map(|part| part.trim_matches('/')).join("/"));
            let path = path.replace("//", "/");
            let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
            let method = name.to_uppercase();
            Some((*kind, Some(method.clone()), Some(path.clone()), format!("{method} {path}"), "NestJS"))
        }
        EntryKind::Resolver => {
            marked("Resolver")?;
            let word = if name.ends_with("Field") || name == "FieldResolver" {
                "field".to_owned()
            } else {
                name.to_lowercase()
            };
            Some((*kind, None, None, format!("{word} {}", symbol.name), "GraphQL"))
        }
        EntryKind::Schedule => Some((*kind, None, None, format!("schedule {}", symbol.name), "NestJS")),
        _ => Some((*kind, None, None, format!("job {}", first.unwrap_or(&symbol.name)), "NestJS")),
    }
}

fn rust(map: &RepoMap, file: FileId, name: &str, first: Option<&str>, symbol: &Symbol) -> Option<Found> {
    let plain =
        ["actix_web::", "rocket::", "web::"].iter().find_map(|crate_| name.strip_prefix(crate_)).unwrap_or(name);
    let (_, kind, word) = RUST.iter().find(|(known, _, _)| *known == plain)?;
    let depends = |crate_: &str| crate::audit::place::depends_on(map, file, crate_);
    match kind {
        EntryKind::Route => {
            let path = first.filter(|path| path.starts_with('/') || path.is_empty())?;
            let framework = [("actix-web", "Actix Web"), ("rocket", "Rocket"), ("utoipa", "axum"), ("poem", "Poem")];
            let framework = framework.iter().find(|(crate_, _)| depends(crate_))?.1;
            Some((*kind, Some((*word).to_owned()), Some(path.to_owned()), format!("{word} {path}"), framework))
        }
        _ => depends("tauri").then(|| (*kind, None, None, format!("{word} {}", symbol.name), "Tauri")),
    }
}

/// The first string literal of an argument list.
fn first_text(arguments: &str) -> Option<&str> {
    let start = arguments.find(['"', '\'', '`'])?;
    let quote = arguments[start..].chars().next()?;
    let rest = &arguments[start + 1..];
    Some(&rest[..rest.find(quote)?])
}
