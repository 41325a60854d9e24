//! Sources: whether a read, a parameter or a result is what somebody outside chose, by the tables of libraries.

use crate::effects::chain;
use crate::effects::entry::Handler;
use crate::effects::tables::{Ecosystem, matches};
use crate::effects::taint::declared::describes;
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::tables::Source;
use crate::effects::taint::trace::{Found, is_id, parameter_text};
use crate::effects::taint::types::Kind;
use crate::effects::taint::{Danger, Trust};
use crate::finding::Hop;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts};
use crate::repo_map::name::{Name, words};
use crate::repo_map::{FileId, SymbolId};

impl<'a> Taint<'a> {
    /// Whether the result of a function of this name cannot do the harm.
    pub fn cleans(&self, file: FileId, name: &str, danger: Danger) -> bool {
        let plain: String = name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
        let rust = self.ecosystem(file) == Ecosystem::Cargo;
        self.cleaners
            .get(&(rust, plain.as_str()))
            .is_some_and(|of| of.iter().any(|dangers| dangers.is_empty() || dangers.contains(&danger)))
    }

    /// What `expr` is when it reads a source: `req.query.name`, `c.req.param('id')`.
    pub fn read(&self, spot: Spot, expr: &Expr, keys: &[Name], danger: Danger) -> Option<Found> {
        let facts = &self.map.file(spot.file).facts;
        let (chained, is_call) = match expr.peeled() {
            Expr::Call(index) => (&facts.call(*index).callee, true),
            // What calls gave on the way is asked call by call.
            other => {
                (if other.dotted().is_some() || matches!(other, Expr::Index(..)) { other } else { return None }, false)
            }
        };
        let names = chain::names(facts, chained)?;
        // A call gives a source when it is one; what a method makes of a source is another question.
        let shortest = if is_call { names.len() } else { 1 };
        let found = |trust: Trust| {
            let shown = expr.peeled().dotted().unwrap_or_else(|| names.join("."));
            let hop = Hop { file: self.map.file(spot.file).path.clone(), line: spot.line, symbol: shown.clone() };
            Found { source: shown, steps: vec![hop], ..Found::of(trust) }
        };
        if self
            .declared
            .sources
            .iter()
            .any(|source| (shortest..=names.len()).any(|end| describes(source, &names[..end])))
        {
            return Some(found(Trust::Client));
        }
        for source in self.known_sources(spot.file) {
            let (pattern, trust, asks_root) = match source {
                Source::Reads { pattern, trust } => (*pattern, *trust, true),
                Source::Gives { pattern, trust } => (*pattern, *trust, false),
                Source::Callback { .. }
                | Source::Handler { .. }
                | Source::Typed { .. }
                | Source::Decorated { .. }
                | Source::Attributed { .. } => continue,
            };
            let Some(end) = (shortest..=names.len()).find(|end| matches(pattern, &names[..*end])) else { continue };
            if asks_root && !self.is_handed_in(spot, chained, &names) {
                continue;
            }
            // The server's own address is no place an attacker chose; what is asked of its query is.
            let of_query = keys.iter().any(|key| matches!(key.as_str(), "searchParams" | "query"));
            let own = OWN_ADDRESS.contains(&names[end - 1]) && !of_query;
            if own && matches!(danger, Danger::Redirect | Danger::Url) {
                continue;
            }
            let parameter = names.get(end).copied().or(keys.first().map(Name::as_str));
            if names[end - 1] == "params"
                && parameter.is_some_and(|name| self.checked_parameters.contains(&Name::from(name)))
            {
                return Some(found(Trust::Unknown));
            }
            return Some(found(trust));
        }
        None
    }

    /// Whether a chain starts with something that a framework hands in: a parameter, or what is taken from one.
    fn is_handed_in(&self, spot: Spot, chained: &Expr, names: &[&str]) -> bool {
        let facts = &self.map.file(spot.file).facts;
        let Some(root) = root_of(facts, chained) else { return false };
        match root {
            Expr::This => matches!(names.get(1), Some(&("req" | "request" | "ctx" | "context"))),
            Expr::Name(name) => match self.index(spot.file).meaning(facts, name, spot.at) {
                Meaning::Callback { .. } => true,
                Meaning::Parameter { symbol, position, .. } => {
                    let declared = facts.symbols[symbol as usize].parameters[position]
                        .declared_type
                        .as_deref()
                        .unwrap_or_default();
                    !is_outgoing(declared) && self.may_be_request(spot.file, declared)
                }
                Meaning::Variable(binding) => {
                    matches!(name.as_str(), "req" | "request")
                        && matches!(binding.value.as_ref().map(Expr::peeled), Some(Expr::Name(_) | Expr::Member(..)))
                }
                Meaning::Item(..) | Meaning::Outside => false,
            },
            _ => false,
        }
    }

    /// Whether a written type may be that of a framework's request: not a type of the project that builds on no such.
    fn may_be_request(&self, file: FileId, declared: &str) -> bool {
        let head = declared.split(['<', '[', ' ']).next().unwrap_or_default();
        if self.package_of(file, head.split('.').next().unwrap_or(head)).is_some() {
            return true;
        }
        let Some(id) = self.types.find(file, head) else { return true };
        let source = self.map.file(id.file);
        let symbol = self.map.symbol(id);
        let builds_on =
            |base: &str| base.contains("Request") || base.contains("IncomingMessage") || base.contains("Context");
        source.facts.heritage.iter().any(|heritage| heritage.of == symbol.name && builds_on(&heritage.base))
            || symbol.return_type.is_some_and(|aliased| builds_on(&aliased))
    }

    /// What a parameter of a callback is to a framework: who decides it, what is taken of it, and the schema it passed.
    pub fn callback_source<'k>(
        &self,
        file: FileId,
        host: CallIndex,
        position: usize,
        name: Name,
        keys: &'k [Name],
    ) -> Option<(Trust, String, &'k [Name], Option<&'a Expr>)> {
        let facts = &self.map.file(file).facts;
        let site = facts.call(host);
        for source in self.known_sources(file) {
            let Source::Callback { call, event, receivers, parameter, key, schema, trust } = source else {
                continue;
            };
            let is_event = match site.arguments.first().map(Expr::peeled) {
                _ if event.is_empty() => true,
                Some(Expr::Text(name)) => *event == "*" || name == event,
                _ => false,
            };
            if !is_event || !call.split('|').any(|own| own == site.name) {
                continue;
            }
            let receiver = match site.callee.peeled() {
                Expr::Member(object, _) => object.last_name().unwrap_or_default(),
                _ => "",
            };
            if !receivers.is_empty() && !words(receiver).iter().any(|word| receivers.contains(&word.as_str())) {
                continue;
            }
            let rest = match keys.split_first() {
                Some((first, rest)) if first == key => rest,
                _ if key.is_empty() => keys,
                _ => continue,
            };
            if position != *parameter {
                continue;
            }
            let passed = chain::receivers(facts, host)
                .into_iter()
                .map(|link| facts.call(link))
                .find(|link| schema.contains(&link.name.as_str()))
                .and_then(|link| link.arguments.first());
            if !schema.is_empty() && passed.is_none() {
                continue;
            }
            let shown = if key.is_empty() { name.as_str() } else { key };
            return Some((*trust, shown.to_owned(), rest, passed));
        }
        None
    }

    /// What is taken of a parameter whose type is that of a request: `params.file` of `({ params }: Request) => …`.
    pub fn request_source(&self, file: FileId, name: Name, declared: &str, keys: &[Name]) -> Option<Found> {
        let first = keys.first()?;
        let head = declared.split(['<', '[', ' ']).next().unwrap_or_default();
        let of_query = keys.iter().any(|key| key == "searchParams");
        if !head.ends_with("Request")
            || (!of_query && OWN_ADDRESS.contains(&first.as_str()))
            || is_outgoing(declared)
            || !self.may_be_request(file, declared)
        {
            return None;
        }
        let names = ["req", first.as_str()];
        let trust = self.known_sources(file).find_map(|source| match source {
            Source::Reads { pattern, trust } if matches(pattern, &names) => Some(*trust),
            _ => None,
        })?;
        Some(Found { source: parameter_text(name, keys), ..Found::of(trust) })
    }

    /// What the arguments of a GraphQL field are: text as far as its schema, which is not read, does not say otherwise.
    pub fn resolver_source(&self, handler: Handler, position: usize, keys: &[Name], kind: Kind) -> Option<Found> {
        if position != 1 || !self.resolvers.contains(&handler) {
            return None;
        }
        let key = keys.last()?;
        let is_listed = ENUMERATED.iter().any(|word| key.to_ascii_lowercase().contains(word));
        let trust = if is_listed || is_id(key) || kind == Kind::Harmless { Trust::Unknown } else { Trust::Client };
        Some(Found { source: parameter_text("args".into(), keys), doubtful: true, ..Found::of(trust) })
    }

    /// What a parameter of a named function is to a framework.
    pub fn parameter_source(&self, id: SymbolId, position: usize, keys: &[Name], kind: Kind) -> Option<Found> {
        let source = self.map.file(id.file);
        let symbol = self.map.symbol(id);
        let parameter = &symbol.parameters[position];
        let declared = parameter.declared_type.as_deref().unwrap_or_default();
        let shown = parameter_text(parameter.name, keys);
        let found = |trust: Trust| Some(Found { source: shown.clone(), ..Found::of(trust) });
        if let Some(found) = self.resolver_source(Handler::Function(id), position, keys, kind) {
            return Some(found);
        }
        if let Some(found) = self.request_source(id.file, parameter.name, declared, keys) {
            return Some(found);
        }
        for own in self.known_sources(id.file) {
            match own {
                Source::Typed { name, trust } => {
                    let head = declared.trim_start_matches(['&', ' ']).split('<').next().unwrap_or_default();
                    let is_it = declared.contains('<') && head.rsplit("::").next() == Some(name);
                    if is_it && kind == Kind::Text {
                        return found(*trust);
                    }
                }
                Source::Decorated { name, trust } => {
                    let decorator = parameter.attributes.iter().find(|attribute| {
                        attribute.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('))
                    });
                    if let Some(decorator) = decorator {
                        // A pipe parses or refuses.
                        if decorator.contains("Pipe") || decorator.contains("Parse") {
                            return found(Trust::Unknown);
                        }
                        return match kind {
                            Kind::Text => Some(Found { doubtful: !keys.is_empty(), ..found(*trust)? }),
                            Kind::Harmless => found(Trust::Constant),
                            Kind::Other if declared.is_empty() => found(*trust),
                            Kind::Other => found(Trust::Unknown),
                        };
                    }
                }
                Source::Attributed { attribute, named, trust } => {
                    let attribute = symbol
                        .attributes
                        .iter()
                        .find(|own| own.strip_prefix("rocket::").unwrap_or(own).starts_with(attribute));
                    if let Some(attribute) = attribute
                        && kind == Kind::Text
                    {
                        let name = parameter.name;
                        if *named
                            && !(attribute.contains(&format!("<{name}>")) || attribute.contains(&format!("<{name}..>")))
                        {
                            continue;
                        }
                        // Rocket builds a `PathBuf` from segments and refuses `..`, hidden files and drive letters.
                        if *named && declared.contains("PathBuf") {
                            return found(Trust::Constant);
                        }
                        return found(*trust);
                    }
                }
                Source::Handler { functions, files, parameter: wanted, keys: known, trust } => {
                    let path = source.path.rsplit_once('.').map_or(source.path.as_str(), |(path, _)| path);
                    let is_file = files.is_empty() || files.iter().any(|end| path.ends_with(end));
                    let is_function = if functions.is_empty() {
                        symbol.default_export
                    } else {
                        symbol.exported && functions.contains(&symbol.name.as_str())
                    };
                    let key = keys.first();
                    if is_file
                        && is_function
                        && position == *wanted
                        && key.is_some_and(|key| known.contains(&key.as_str()))
                    {
                        return found(*trust);
                    }
                }
                Source::Reads { .. } | Source::Gives { .. } | Source::Callback { .. } => {}
            }
        }
        None
    }
}

/// What of a request holds the server's own address.
const OWN_ADDRESS: &[&str] = &["url", "originalUrl", "path", "headers", "header", "hostname", "pathname", "search"];

/// Words of arguments that GraphQL schemas declare as enumerations and numbers.
const ENUMERATED: &[&str] = &[
    "order",
    "sort",
    "direction",
    "field",
    "type",
    "status",
    "currency",
    "limit",
    "offset",
    "first",
    "last",
    "page",
    "period",
    "interval",
    "count",
    "date",
    "kind",
    "role",
];

/// The name or `this` a chain of members and calls starts with.
fn root_of<'e>(facts: &'e FileFacts, expr: &'e Expr) -> Option<&'e Expr> {
    let mut next = expr.peeled();
    loop {
        match next {
            Expr::Member(object, _) | Expr::Index(object, _) => next = object.peeled(),
            Expr::Call(index) => next = facts.call(*index).callee.peeled(),
            Expr::Name(_) | Expr::This => return Some(next),
            _ => return None,
        }
    }
}

/// Types of requests that go out: clients' options and interceptors.
fn is_outgoing(declared: &str) -> bool {
    ["Config", "Init", "Options", "AxiosRequest", "HttpRequest<", "ClientRequest", "KyRequest", "Params"]
        .iter()
        .any(|word| declared.contains(word))
}
