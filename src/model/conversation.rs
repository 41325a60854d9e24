//! A conversation with a model: what it was told, what it said, and what its tools gave.
//!
//! It only grows. Vendors bind a model's thinking to everything before it, and their caches to a prefix that stays the same
//! byte for byte: whoever wants to drop something starts a new conversation.

use serde_json::Value;

use super::reply::Reply;
use super::schema::OutputSchema;
use crate::secrets::mask_to_send as mask;

/// What stands before the first turn and never changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Opening {
    /// The instructions.
    pub system: String,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    /// The form of the final answer.
    pub output: Option<OutputSchema>,
}

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// Schema of its input, in the strict dialect of [`super::schema`].
    pub input: Value,
}

/// One part of what the model is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// Text that later conversations begin with too: what stands up to here is worth caching.
    Shared(String),
    /// What a tool gave.
    ToolResult {
        /// The call's id.
        id: String,
        /// The tool.
        name: String,
        /// What it gave, or why it gave nothing.
        content: String,
        /// It gave nothing.
        failed: bool,
    },
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// What the model was told.
    Told(Vec<Part>),
    /// What it answered, as the wire gave it, thinking and unknown fields included.
    Answered(Value),
}

/// A conversation. Credentials in what is told are masked on the way in, so that no later stage has to.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    opening: Opening,
    turns: Vec<Turn>,
}

impl Conversation {
    /// A conversation in which nothing was said yet.
    pub fn new(opening: Opening) -> Conversation {
        Conversation { opening: Opening { system: mask(&opening.system), ..opening }, turns: Vec::new() }
    }

    /// Tells the model something.
    pub fn tell(&mut self, parts: impl IntoIterator<Item = Part>) {
        self.turns.push(Turn::Told(parts.into_iter().map(masked).collect()));
    }

    /// Adds to what the model is told next. Nothing that was sent changes by it.
    pub fn add(&mut self, part: Part) {
        match self.turns.last_mut() {
            Some(Turn::Told(parts)) => parts.push(masked(part)),
            Some(Turn::Answered(_)) | None => self.tell([part]),
        }
    }

    /// Keeps what the model answered.
    pub fn keep(&mut self, reply: &Reply) {
        self.turns.push(Turn::Answered(reply.raw.clone()));
    }

    /// What stands before the first turn.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The turns so far.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }
}

fn masked(part: Part) -> Part {
    match part {
        Part::Text(text) => Part::Text(mask(&text)),
        Part::Shared(text) => Part::Shared(mask(&text)),
        Part::ToolResult { id, name, content, failed } => {
            Part::ToolResult { id, name, content: mask(&content), failed }
        }
    }
}
