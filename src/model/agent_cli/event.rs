//! What an agent tells while it works, the same for every CLI.

use crate::model::money::NanoDollars;
use crate::model::usage::Usage;

/// Something an agent told.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// It began.
    Started {
        /// The model that answers, by its word.
        model: Option<String>,
        /// Its name for the session.
        id: Option<String>,
    },
    /// A message begins: what it said before is not its answer.
    Step,
    /// A piece of what it says.
    Text(String),
    /// It uses a tool of its own.
    ToolUse {
        /// The tool.
        name: String,
        /// With what, in a word: a path, a command; empty where it is not said.
        about: String,
    },
    /// What a part of the work took, to be added up.
    Usage {
        /// The model that took it, where that is said.
        model: Option<String>,
        /// Tokens.
        usage: Usage,
        /// Dollars, where it counts them.
        cost: Option<NanoDollars>,
    },
    /// It is done.
    Result {
        /// Its answer, where it is said apart from the texts.
        text: Option<String>,
    },
    /// Something went wrong.
    Error {
        /// What, in its words.
        message: String,
        /// The status of the server behind it, where one is named.
        status: Option<u16>,
        /// It gives up; otherwise it goes on.
        last: bool,
    },
}
