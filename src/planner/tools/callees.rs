//! `callees`: what a definition calls.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::callers::{MAX_CALLS, more};
use super::{ReadTool, ReadTools, parsed};
use crate::model::schema::strict;
use crate::repo_map::name::Name;
use crate::repo_map::query::{self, Step};
use crate::repo_map::{CallTarget, How};
use crate::report::sanitize;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "callees",
    description: include_str!("../../../templates/planner/tools/callees.md"),
    input: strict::<Input>,
    run,
};

/// Calls shown whose target is not known.
const MAX_OPEN: usize = 30;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// A name (`load`), a qualified name (`Orders.load`), `path:line` or `path#name`.
    symbol: String,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { symbol } = parsed(input)?;
    let definition = tools.definition(&symbol)?;
    let map = tools.map;
    let steps = query::callees(map, &definition.ids, 1);
    let is_open = |step: &&Step| step.callee.is_none() && !matches!(map.target(step.call), CallTarget::External(_));
    let (open, known): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(is_open);
    let mut page = format!("{}\n", tools.place_of(definition.id));
    if steps.is_empty() {
        page.push_str("it calls nothing\n");
    }
    for step in known.iter().take(MAX_CALLS) {
        let target = target(tools, step);
        page.push_str(&row(tools, step, &target));
    }
    page.push_str(&more(known.len(), MAX_CALLS));
    if !open.is_empty() {
        page.push_str(&format!("target not known ({}):\n", open.len()));
        for step in open.iter().take(MAX_OPEN) {
            let target = target(tools, step);
            page.push_str(&row(tools, step, &target));
        }
        page.push_str(&more(open.len(), MAX_OPEN));
    }
    Ok(page)
}

/// `line 4 load → src/b.ts:12 Store.load (typed): await store.load()`.
fn row(tools: &mut ReadTools<'_>, step: &Step, target: &str) -> String {
    let map = tools.map;
    let call = map.call(step.call);
    let (name, line) = (sanitize::line(&call.name), call.line);
    let name = if name.is_empty() { "an expression".into() } else { name };
    let text = tools.line_of(&map.file(step.call.file).path, line);
    format!("  line {line} {name}{target}: {text}\n")
}

fn target(tools: &ReadTools<'_>, step: &Step) -> String {
    if let Some(callee) = step.callee {
        let how = step.how.map_or("", How::label);
        return format!(" → {} ({how})", tools.place_of(callee));
    }
    match tools.map.target(step.call) {
        CallTarget::External(external) => {
            let parts = std::iter::once(external.package.as_str()).chain(external.path.iter().map(Name::as_str));
            format!(" → outside: {}", sanitize::line(&parts.collect::<Vec<_>>().join(".")))
        }
        // By name alone: worth naming, not worth relying on.
        CallTarget::Symbols(guesses) => {
            guesses.first().map_or(String::new(), |guess| format!(" → perhaps {}", tools.place_of(guess.symbol)))
        }
        CallTarget::Unresolved => String::new(),
    }
}
