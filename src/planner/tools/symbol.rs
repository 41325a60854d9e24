//! `symbol`: definitions of a name.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ReadTool, ReadTools, cut, parsed};
use crate::model::schema::strict;
use crate::repo_map::query::{self, Definition};
use crate::report::layout::count;
use crate::report::sanitize;
use crate::secrets;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "symbol",
    description: include_str!("../../../templates/planner/tools/symbol.md"),
    input: strict::<Input>,
    run,
};

/// Definitions shown of one name.
const MAX_DEFINITIONS: usize = 20;
/// Lines of a doc comment.
const MAX_DOC: usize = 15;
/// Characters of one of them.
const MAX_DOC_LINE: usize = 300;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// A name (`load`), a qualified name (`Orders.load`), `path:line` or `path#name`.
    name: String,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { name } = parsed(input)?;
    let definitions = tools.definitions(&name)?;
    let pages: Vec<String> = definitions.iter().take(MAX_DEFINITIONS).map(|one| page(tools, one)).collect();
    let mut text = pages.join("\n");
    if definitions.len() > MAX_DEFINITIONS {
        text.push_str(&format!(
            "\n({} more of this name; name it with its type or file)\n",
            definitions.len() - MAX_DEFINITIONS
        ));
    }
    Ok(text)
}

fn page(tools: &mut ReadTools<'_>, definition: &Definition) -> String {
    let map = tools.map;
    let symbol = map.symbol(definition.id);
    let file = map.file(definition.id.file);
    let kind = serde_json::to_value(symbol.kind).ok();
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("definition").replace('_', " ");
    let mut facts = vec![kind];
    if symbol.exported {
        facts.push("exported".to_owned());
    }
    if map.is_test(definition.id.file, Some(definition.id.index)) {
        facts.push("test code".to_owned());
    }
    let mut text = format!(
        "{} ({}), {} lines {} to {}\n",
        sanitize::line(&symbol.qualified),
        facts.join(", "),
        sanitize::line(&file.path),
        symbol.lines.start,
        symbol.lines.end,
    );
    if symbol.documented {
        text.push_str(&doc(tools, &file.path, symbol.lines.start));
    }
    let signature = secrets::mask(&symbol.signature);
    text.push_str(&format!("  {}\n", sanitize::line(&signature)));
    let parts: Vec<String> = definition
        .ids
        .iter()
        .filter(|&&id| id != definition.id)
        .map(|&id| format!("line {}", map.symbol(id).name_line))
        .collect();
    if !parts.is_empty() {
        text.push_str(&format!("  also at {}\n", parts.join(", ")));
    }
    let mut calls: Vec<_> = definition.ids.iter().flat_map(|&id| map.callers(id)).collect();
    calls.sort_unstable();
    calls.dedup();
    let open = query::open_calls(map, &symbol.name).len();
    let handed = query::handed_calls(map, &definition.ids).len();
    let tests = query::tests_reaching(map, &definition.ids).len();
    text.push_str(&format!(
        "  called {} · given by name to {} · {} of this name with an unknown target · {} reach it\n",
        if calls.len() == 1 { "once".to_owned() } else { format!("{} times", calls.len()) },
        count(handed, "call"),
        count(open, "call"),
        count(tests, "test"),
    ));
    text
}

/// The doc comment above `start`, where attributes and decorators may stand between.
fn doc(tools: &mut ReadTools<'_>, path: &str, start: u32) -> String {
    let Ok(text) = tools.text(path) else { return String::new() };
    let lines: Vec<&str> = text.lines().take((start as usize).saturating_sub(1)).collect();
    let mut end = lines.len();
    while end > 0 && lines[end - 1].trim_start().starts_with(['#', '@']) {
        end -= 1;
    }
    let mut first = end;
    let mut in_block = false;
    while first > 0 {
        let line = lines[first - 1].trim();
        in_block |= line.ends_with("*/");
        let belongs = in_block || line.starts_with("//");
        if !belongs {
            break;
        }
        in_block &= !line.starts_with("/*");
        first -= 1;
    }
    let shown = &lines[first..end.min(first + MAX_DOC)];
    if shown.is_empty() {
        return String::new();
    }
    let mut doc: String =
        shown.iter().map(|line| format!("  {}\n", sanitize::line(&cut(line.trim(), MAX_DOC_LINE)))).collect();
    if first + shown.len() < end {
        doc.push_str("  …\n");
    }
    doc
}
