//! What documents claim about the repository: links to its files and commands to type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A link of a document to something without a scheme: a file or folder of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentLink {
    /// The target as written, fragment and query included.
    pub target: String,
    /// The line it stands on; for a reference, the line where it is used.
    pub line: u32,
    /// An image.
    pub image: bool,
}

/// A command a document tells its reader to type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentCommand {
    /// The command line, prompt and comment left out, continuation lines joined.
    pub text: String,
    /// Its first line.
    pub line: u32,
    /// Number of the fence within the document, so that `cd` can be followed; `None` in running text.
    pub fence: Option<u32>,
}
