//! Clients made at every call and never closed.

use crate::audit::rules::bug::resource_leak::body::{Body, runs_often};
use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::effects::{Effects, chain};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, HeritageKind, Import, ImportItem, Usage};
use crate::repo_map::{CallId, CallTarget, ImportTarget, RepoMap, SymbolId};

/// Constructors and factories that open connections of their own: package, names, what is made.
const CLIENTS: &[(&str, &[&str], &str)] = &[
    ("@prisma/client", &["PrismaClient"], PRISMA),
    ("ioredis", &["default", "Redis", "Cluster", "ioredis"], "Redis connection"),
    ("redis", &["createClient", "createCluster"], "Redis connection"),
    ("pg", &["Pool", "Client", "default.Pool", "default.Client"], "database connection"),
    ("mongodb", &["MongoClient"], "database client with a pool of its own"),
    ("mysql2", &["createPool", "createConnection"], "database connection"),
    ("mysql2/promise", &["createPool", "createConnection"], "database connection"),
    ("sequelize", &["Sequelize", "default"], "database client with a pool of its own"),
    ("typeorm", &["DataSource"], "database client with a pool of its own"),
    ("knex", &["default", "knex", "Knex"], "database client with a pool of its own"),
    ("postgres", &["default", "postgres"], "database client with a pool of its own"),
    ("bullmq", &["Queue", "Worker", "QueueEvents", "FlowProducer"], "queue with a Redis connection of its own"),
    ("bull", &["default"], "queue with Redis connections of its own"),
    ("@elastic/elasticsearch", &["Client"], "search client"),
    ("@clickhouse/client", &["createClient"], "database client"),
    ("cassandra-driver", &["Client"], "database client"),
    ("neo4j-driver", &["driver", "default.driver"], "database driver"),
];

/// Methods after which the client holds nothing any more.
pub fn closes(name: &str) -> bool {
    matches!(
        name,
        "$disconnect"
            | "disconnect"
            | "quit"
            | "end"
            | "close"
            | "destroy"
            | "release"
            | "shutdown"
            | "terminate"
            | "stop"
            | "onModuleDestroy"
            | "dispose"
            | "obliterate"
            | "unref"
    )
}

/// Methods of a client that give the client.
const GIVE_ITSELF: &[&str] = &["connect", "duplicate", "on", "once", "$extends", "$on", "initialize", "withOptions"];

/// Whether the function around `call` returns what the chain it starts gives.
fn is_given_back(map: &RepoMap, call: CallId) -> bool {
    let end = map.call(chain::end(map, call));
    end.usage == Usage::Returned && GIVE_ITSELF.contains(&end.name.as_str())
}

/// Clients that one call makes and nobody closes.
pub fn leaks(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    if !matches!(site.kind, CallKind::New | CallKind::Call) || !source.language.is_ecmascript() {
        return None;
    }
    let what = client(map, call)?;
    if what.starts_with("queue") && is_given_a_connection(site) {
        return None;
    }
    let body = Body::of_call(facts, call.index)?;
    let leak = |confidence, detail: String| Leak {
        call,
        symbol: site.caller,
        line: site.line,
        quote: site.name.to_string(),
        kind: Kind::Client,
        title: format!("a new `{}` at every call{detail}", site.name),
        message: format!(
            "Every call makes a {what} (`{}`) that nobody closes: connections pile up until the server refuses more.",
            site.name
        ),
        impact: 4,
        confidence,
        others: Vec::new(),
    };
    if is_per_request_setup(map, call, body) {
        return Some(leak(Confidence::High, ", made for each request".to_owned()));
    }
    let name = match &site.usage {
        // `return createClient(url).connect()`: whoever asked for it has it.
        Usage::Receiver(next) if GIVE_ITSELF.contains(&facts.call(*next).name.as_str()) && is_given_back(map, call) => {
            return None;
        }
        // `new PrismaClient().user.findMany()`: nobody can close it.
        Usage::Receiver(_) if runs_often(map, effects, call, body) => {
            return Some(leak(Confidence::High, String::new()));
        }
        Usage::Bound(name) if !name.is_empty() => name.as_str(),
        _ => return None,
    };
    if body.methods_of(facts, name, &closes).next().is_some()
        || body.lets_out(map, call.file, name)
        || !runs_often(map, effects, call, body)
    {
        return None;
    }
    Some(leak(Confidence::High, String::new()))
}

/// `new Queue(name, { connection: redis })`: it shares a client that is there; of an object that is spelt out it makes its own.
fn is_given_a_connection(site: &CallSite) -> bool {
    site.arguments.iter().any(|argument| match argument.peeled() {
        Expr::Object(entries) => entries
            .iter()
            .any(|(key, value)| key == "connection" && matches!(value.peeled(), Expr::Name(_) | Expr::Member(..))),
        _ => false,
    })
}

/// What a call makes, if it opens connections.
fn client(map: &RepoMap, call: CallId) -> Option<&'static str> {
    let known = |package: &str, path: &str| {
        CLIENTS.iter().find(|(own, names, _)| *own == package && names.contains(&path)).map(|(_, _, what)| *what)
    };
    match map.target(call) {
        CallTarget::External(external) => {
            let path = external.path.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(".");
            let path = if path.is_empty() { "default" } else { &path };
            // `knex("orders")` asks with a client that goes by the package's name.
            if map.call(call).kind == CallKind::Call && !is_imported(map, call) {
                return None;
            }
            known(&external.package, path).or_else(|| generated(map, call))
        }
        CallTarget::Symbols(_) if map.call(call).kind == CallKind::New => {
            map.resolved(call).find_map(|resolved| inherited(map, resolved.symbol, &known))
        }
        CallTarget::Symbols(_) => None,
        CallTarget::Unresolved => generated(map, call),
    }
}

/// Whether what is called comes from a package by an import of this file.
fn is_imported(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let root = map.call(call).callee.root_name();
    facts
        .imports
        .iter()
        .zip(&map.import_targets[call.file as usize])
        .any(|(import, target)| Some(import.local.as_str()) == root && matches!(target, ImportTarget::External(_)))
}

fn generated(map: &RepoMap, call: CallId) -> Option<&'static str> {
    let site = map.call(call);
    let imports = &map.file(call.file).facts.imports;
    imports.iter().any(|import| import.local == site.name && is_generated(import)).then_some(PRISMA)
}

/// What a Prisma client is.
const PRISMA: &str = "database client with a pool of its own";

/// Prisma's client may be generated into a folder of the repository, which is then not under version control.
fn is_generated(import: &Import) -> bool {
    import.item == ImportItem::Named("PrismaClient".into()) && import.source.to_lowercase().contains("prisma")
}

/// A class of this repository that is one of the clients: `class PrismaService extends PrismaClient`.
fn inherited(
    map: &RepoMap,
    class: SymbolId,
    known: &dyn Fn(&str, &str) -> Option<&'static str>,
) -> Option<&'static str> {
    let facts = &map.file(class.file).facts;
    let symbol = map.symbol(class);
    let name = symbol.member_of.unwrap_or(symbol.name);
    let base =
        facts.heritage.iter().find(|heritage| heritage.of == name && heritage.kind == HeritageKind::Extends)?.base;
    let (import, target) =
        facts.imports.iter().zip(&map.import_targets[class.file as usize]).find(|(import, _)| import.local == base)?;
    let of_package = match target {
        ImportTarget::External(package) => known(package, &base),
        ImportTarget::File(_) | ImportTarget::Unresolved => None,
    };
    of_package.or_else(|| is_generated(import).then_some(PRISMA))
}

/// Functions a framework runs for each request to make what the request needs.
fn is_per_request_setup(map: &RepoMap, call: CallId, body: Body) -> bool {
    let source = map.file(call.file);
    let facts = &source.facts;
    let Some(host) = body.host(facts) else { return false };
    // Nuxt runs server plugins once for each page it renders.
    host.name == "defineNuxtPlugin"
        && !source.path.contains(".client.")
        && !facts.calls.iter().any(|site| matches!(site.callee.peeled(), Expr::Member(_, method) if closes(method)))
}
