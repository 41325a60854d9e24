//! A conversation as the one prompt an agent gets: it has no instructions of ours, no schema and no memory of the last question.

use serde_json::Value;

use crate::model::conversation::{Conversation, Part, Turn};
use crate::model::protocol::schema_in_words;
use crate::plan::markdown::fence_for;

/// The prompt. What is the same for several questions stands first. Where the agent tells the model of the schema, it does not.
pub fn prompt(conversation: &Conversation, tells_schema: bool) -> String {
    let opening = conversation.opening();
    let mut parts = vec![opening.system.trim().to_owned()];
    parts.push(include_str!("../../../templates/model/agent.md").trim().to_owned());
    for turn in conversation.turns() {
        match turn {
            Turn::Told(told) => parts.extend(told.iter().map(words)),
            Turn::Answered(raw) => {
                let text = raw.get("text").and_then(Value::as_str).unwrap_or_default().trim();
                let fence = fence_for(text);
                parts.push(format!("You were asked this before and answered:\n\n{fence}\n{text}\n{fence}"));
            }
        }
    }
    if let Some(output) = opening.output.as_ref().filter(|_| !tells_schema) {
        parts.push(schema_in_words(&output.schema));
    }
    parts.retain(|part| !part.is_empty());
    let mut prompt = parts.join("\n\n");
    prompt.push('\n');
    prompt
}

fn words(part: &Part) -> String {
    match part {
        Part::Text(text) | Part::Shared(text) => text.trim().to_owned(),
        // Our tools are not offered, so nothing of theirs is told; should it ever be, it is not lost.
        Part::ToolResult { content, .. } => content.trim().to_owned(),
    }
}
