//! `callers`: who calls a definition, and who may.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ReadTool, ReadTools, parsed};
use crate::model::schema::strict;
use crate::repo_map::query;
use crate::repo_map::{CallId, How};
use crate::report::sanitize;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "callers",
    description: include_str!("../../../templates/planner/tools/callers.md"),
    input: strict::<Input>,
    run,
};

/// Calls shown that lead there.
pub(super) const MAX_CALLS: usize = 60;
/// Calls shown of each kind that may.
const MAX_DOUBTFUL: usize = 15;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// A name (`load`), a qualified name (`Orders.load`), `path:line` or `path#name`.
    symbol: String,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { symbol } = parsed(input)?;
    let definition = tools.definition(&symbol)?;
    let map = tools.map;
    let steps = query::callers(map, &definition.ids, 1);
    let handed = query::handed_calls(map, &definition.ids);
    let guessed = query::guessed_calls(map, &definition.ids);
    let open = query::open_calls(map, &map.symbol(definition.id).name);
    let mut page = format!("{}\n", tools.place_of(definition.id));
    if steps.is_empty() {
        page.push_str("no known call leads here\n");
    }
    for step in steps.iter().take(MAX_CALLS) {
        page.push_str(&row(tools, step.call, step.how));
    }
    page.push_str(&more(steps.len(), MAX_CALLS));
    for (calls, what) in [
        (&handed, "given by name, to be called later"),
        (&guessed, "may lead here: the name alone fits"),
        (&open, "calls of this name whose target is not known"),
    ] {
        if calls.is_empty() {
            continue;
        }
        page.push_str(&format!("{what} ({}):\n", calls.len()));
        for &call in calls.iter().take(MAX_DOUBTFUL) {
            page.push_str(&row(tools, call, None));
        }
        page.push_str(&more(calls.len(), MAX_DOUBTFUL));
    }
    if open.is_empty() && guessed.is_empty() {
        page.push_str("no call of this name is left with an unknown target\n");
    }
    Ok(page)
}

/// `src/a.ts:4 in start (typed): await store.load()`.
fn row(tools: &mut ReadTools<'_>, call: CallId, how: Option<How>) -> String {
    let map = tools.map;
    let path = map.file(call.file).path.as_str();
    let line = map.call(call).line;
    let caller = map.caller_of(call).map_or("the top level", |id| map.symbol(id).qualified.as_str());
    let how = how.map_or(String::new(), |how| format!(" ({})", how.label()));
    let test = if map.is_test(call.file, map.call(call).caller) { " [test]" } else { "" };
    let text = tools.line_of(path, line);
    format!("  {}:{line} in {}{how}{test}: {text}\n", sanitize::line(path), sanitize::line(caller))
}

pub(super) fn more(all: usize, shown: usize) -> String {
    if all > shown { format!("  ({} more)\n", all - shown) } else { String::new() }
}
