//! Work that nobody waits for: queue workers, schedules, commands, and the program's own start.

use super::{Entry, EntryKind, Handler, handlers};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, SymbolKind};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// A call that registers work: the package, the name of the call, and what it registers. The package decides when the call
/// resolves to it, and else whether the project depends on it.
struct Registrar {
    packages: &'static [&'static str],
    names: &'static [&'static str],
    kind: EntryKind,
}

/// Who takes jobs, messages and the time. Names from the libraries' own documentation, November 2026.
const REGISTRARS: &[Registrar] = &[
    Registrar { packages: &["bullmq"], names: &["Worker"], kind: EntryKind::Job },
    Registrar { packages: &["bull", "bee-queue"], names: &["process"], kind: EntryKind::Job },
    Registrar { packages: &["pg-boss"], names: &["work"], kind: EntryKind::Job },
    Registrar { packages: &["agenda", "@hokify/agenda"], names: &["define"], kind: EntryKind::Job },
    Registrar { packages: &["inngest"], names: &["createFunction"], kind: EntryKind::Job },
    Registrar { packages: &["@trigger.dev/sdk"], names: &["task", "schemaTask", "defineJob"], kind: EntryKind::Job },
    Registrar { packages: &["graphile-worker"], names: &["run"], kind: EntryKind::Job },
    Registrar { packages: &["kafkajs", "amqplib"], names: &["consume"], kind: EntryKind::Job },
    Registrar {
        packages: &["node-cron", "node-schedule"],
        names: &["schedule", "scheduleJob"],
        kind: EntryKind::Schedule,
    },
    Registrar { packages: &["cron"], names: &["CronJob"], kind: EntryKind::Schedule },
    Registrar { packages: &["commander", "cac", "sade"], names: &["action"], kind: EntryKind::Command },
    Registrar { packages: &["tokio-cron-scheduler"], names: &["new_async"], kind: EntryKind::Schedule },
];

/// Adds workers, schedules and commands of `file`.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let source = map.file(file);
    for (index, site) in (0..).zip(&source.facts.calls) {
        if !matches!(site.kind, CallKind::Call | CallKind::New) {
            continue;
        }
        let call = CallId { file, index };
        let Some(registrar) = REGISTRARS.iter().find(|known| known.names.contains(&site.name.as_str())) else {
            continue;
        };
        let Some(package) = registrar.packages.iter().copied().find(|package| is_of(map, call, package)) else {
            continue;
        };
        let Some(&handler) = handlers(map, call, 0).last() else { continue };
        let word = match registrar.kind {
            EntryKind::Schedule => "schedule",
            EntryKind::Command => "command",
            _ => "job",
        };
        let name = match site.arguments.first().map(Expr::peeled) {
            Some(Expr::Text(text)) => text.to_string(),
            _ => super::routers::file_stem(&source.path).to_owned(),
        };
        list.push(Entry {
            kind: registrar.kind,
            label: format!("{word} {name}"),
            method: None,
            path: None,
            handler,
            registration: Some(call),
            framework: package,
        });
    }
    for (index, symbol) in (0..).zip(&source.facts.symbols) {
        if symbol.kind == SymbolKind::Function && symbol.qualified == "main" && !source.language.is_ecmascript() {
            list.push(Entry {
                kind: EntryKind::Command,
                label: format!("main of {}", source.path),
                method: None,
                path: None,
                handler: Handler::Function(SymbolId { file, index }),
                registration: None,
                framework: "Rust",
            });
        }
    }
}

/// Whether the call is one of `package`, as far as can be known.
fn is_of(map: &RepoMap, call: CallId, package: &str) -> bool {
    use crate::repo_map::CallTarget;
    match map.target(call) {
        CallTarget::External(external) => external.package == *package,
        CallTarget::Symbols(_) => false,
        CallTarget::Unresolved => crate::audit::place::depends_on(map, call.file, package),
    }
}
