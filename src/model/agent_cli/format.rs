//! What agent CLIs print: one JSON object a line, each CLI in a form of its own, turned into the events that are the same for all.
//!
//! Pure, and lenient: a kind of line that is not known says nothing, since every release of a CLI has new ones.

use serde::Deserialize;
use serde_json::Value;

use super::event::AgentEvent;

mod claude;
mod codex;
mod gemini;
mod opencode;

/// The forms there are, as the table names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// `claude -p --output-format stream-json --verbose`.
    Claude,
    /// `codex exec --json`.
    Codex,
    /// `gemini --output-format stream-json`.
    Gemini,
    /// `opencode run --format json`.
    Opencode,
    /// Lines for people: all of them are its answer, and its exit code says whether it is done.
    Text,
}

impl FormatName {
    /// The events of a line; `None` for a line that is no JSON object: warnings and banners end up among the lines.
    pub fn events(self, line: &str) -> Option<Vec<AgentEvent>> {
        if self == FormatName::Text {
            return Some(vec![AgentEvent::Text(format!("{line}\n"))]);
        }
        let value: Value = serde_json::from_str(line.trim()).ok().filter(Value::is_object)?;
        Some(match self {
            FormatName::Claude => claude::events(&value),
            FormatName::Codex => codex::events(&value),
            FormatName::Gemini => gemini::events(&value),
            FormatName::Opencode => opencode::events(&value),
            FormatName::Text => Vec::new(),
        })
    }
}

fn text(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path).and_then(Value::as_str).map(str::to_owned)
}

fn count(value: &Value, path: &[&str]) -> u64 {
    at(value, path).and_then(Value::as_u64).unwrap_or(0)
}

fn status(value: &Value, path: &[&str]) -> Option<u16> {
    at(value, path).and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok())
}

/// Dollars as the number a CLI prints, to the nano-dollar.
fn dollars(value: &Value, path: &[&str]) -> Option<crate::model::NanoDollars> {
    let number = at(value, path).and_then(Value::as_f64).filter(|number| (0.0..1e9).contains(number))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Below 1e18 by the line above.
    Some(crate::model::NanoDollars::of_dollars(number))
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, field| value.get(field))
}

/// The first of the fields by which tools are told what to look at.
fn about(input: Option<&Value>) -> String {
    let fields = ["file_path", "filePath", "path", "absolute_path", "pattern", "query", "command", "url"];
    let found = input.and_then(|input| fields.iter().find_map(|field| input.get(field).and_then(Value::as_str)));
    found.unwrap_or_default().to_owned()
}
