//! The rows of `improve map --entries`: where the world calls in.

use schemars::JsonSchema;
use serde::Serialize;

use crate::effects::Effects;
use crate::effects::entry::{EntryKind, Handler};
use crate::repo_map::RepoMap;

/// One entry point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryRow {
    /// File the handler stands in.
    pub file: String,
    /// First line of the handler.
    pub line: u32,
    /// Who calls.
    pub kind: EntryKind,
    /// `POST /orders`, `mutation order.create`, `job send-mail`.
    pub label: String,
    /// HTTP method in capitals; null where there is none.
    pub method: Option<String>,
    /// Path as it is registered, without the prefix of a router around it; null where there is none.
    pub path: Option<String>,
    /// Qualified name of the handler; null for a function written in place.
    pub handler: Option<String>,
    /// The library that calls it.
    pub framework: String,
}

/// Every entry point in the files that `keep` accepts, in order of file and place.
pub fn entries<'a>(
    map: &'a RepoMap,
    effects: &'a Effects,
    keep: &'a dyn Fn(&str) -> bool,
) -> impl Iterator<Item = EntryRow> + 'a {
    let rows = effects.entries.list.iter().map(|entry| EntryRow {
        file: map.file(entry.handler.file()).path.clone(),
        line: entry.handler.line(map),
        kind: entry.kind,
        label: entry.label.clone(),
        method: entry.method.clone(),
        path: entry.path.clone(),
        handler: match entry.handler {
            Handler::Function(symbol) => Some(map.symbol(symbol).qualified.to_string()),
            Handler::Callback(..) => None,
        },
        framework: entry.framework.to_owned(),
    });
    rows.filter(|row| keep(&row.file))
}
