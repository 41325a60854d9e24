//! Lists that a schema keeps short: `ids: z.array(z.string()).max(4)`.

use crate::effects::tables::names_package;
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts};

/// Elements up to which a list is short, asked for one by one or not. Our choice: a short page.
const MAX_ELEMENTS: f64 = 20.0;

/// Libraries whose schemas say how long a list may get.
const LIBRARIES: &[&str] = &["zod", "yup", "joi", "@hapi/joi", "@hono/zod-openapi", "fastest-validator", "superstruct"];

/// Whether every schema of the repository that has a list of the name of `over` keeps it short.
pub fn keeps_short(map: &RepoMap, over: &Expr) -> bool {
    let Some(name) = over.last_name() else { return false };
    let mut is_listed = false;
    let writes_schemas =
        |facts: &FileFacts| facts.imports.iter().any(|import| names_package(LIBRARIES, &import.source));
    for facts in map.files.iter().map(|file| &file.facts).filter(|facts| writes_schemas(facts)) {
        let entries = facts.calls.iter().flat_map(|site| &site.arguments).filter_map(|argument| match argument {
            Expr::Object(entries) => Some(entries),
            _ => None,
        });
        for (_, value) in entries.flatten().filter(|(key, _)| key == name) {
            match limit(facts, value) {
                Some(Some(limit)) if limit <= MAX_ELEMENTS => is_listed = true,
                Some(_) => return false,
                None => {}
            }
        }
    }
    is_listed
}

/// `z.array(item).min(1).max(4)`: `None` where it is no schema of a list, else what limits it, if anything.
fn limit(facts: &FileFacts, value: &Expr) -> Option<Option<f64>> {
    let links: Vec<&CallSite> = links(facts, value).collect();
    links.iter().any(|link| link.name == "array").then(|| {
        let caps = links.iter().filter(|link| matches!(link.name.as_str(), "max" | "length"));
        caps.filter_map(|link| number(facts, link.arguments.first()?)).reduce(f64::min)
    })
}

/// The calls of a chain, the last first.
fn links<'a>(facts: &'a FileFacts, value: &'a Expr) -> impl Iterator<Item = &'a CallSite> {
    let called = |value: &Expr| match value.peeled() {
        Expr::Call(index) => Some(*index),
        _ => None,
    };
    // A receiver stands before its call, so this ends.
    let next = move |index: &CallIndex| match facts.call(*index).callee.peeled() {
        Expr::Member(receiver, _) => called(receiver).filter(|inner| inner != index),
        _ => None,
    };
    std::iter::successors(called(value), next).map(|index| facts.call(index))
}

/// A number written out, or a constant of the file that is one.
fn number(facts: &FileFacts, value: &Expr) -> Option<f64> {
    match value.peeled() {
        Expr::Number(text) => text.replace('_', "").parse().ok(),
        Expr::Name(name) => {
            facts.bindings.iter().find(|own| own.name == *name && own.owner.is_none()).and_then(|own| {
                match own.value.as_ref()?.peeled() {
                    Expr::Number(text) => text.replace('_', "").parse().ok(),
                    _ => None,
                }
            })
        }
        _ => None,
    }
}
