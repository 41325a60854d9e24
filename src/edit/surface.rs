//! Surface syntaxes: the forms in which a model may write edits, each read into the one list of operations.
//!
//! Reading is strict where a guess could put text somewhere wrong, and lenient where only the wrapping differs: fences, prose
//! around blocks and other names of the same argument are seen through. What cannot be read is refused with what to send instead.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::FileEdit;
use super::explain::EditFailure;

mod apply_patch;
mod arguments;
pub(super) mod elision;
pub(super) mod fence;
mod old_new;
mod paths;
mod search_replace;
mod whole_file;

/// A form in which edits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// A text and what stands there afterwards.
    OldNew,
    /// Blocks with `<<<<<<< SEARCH`, `=======` and `>>>>>>> REPLACE`.
    SearchReplace,
    /// One patch from `*** Begin Patch` to `*** End Patch`.
    ApplyPatch,
    /// Everything the file holds afterwards.
    WholeFile,
}

impl fmt::Display for Surface {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Surface::OldNew => "old-new",
            Surface::SearchReplace => "search-replace",
            Surface::ApplyPatch => "apply-patch",
            Surface::WholeFile => "whole-file",
        })
    }
}

impl Surface {
    /// Every surface.
    pub const ALL: [Surface; 4] = [Surface::OldNew, Surface::SearchReplace, Surface::ApplyPatch, Surface::WholeFile];

    /// The JSON schema of the arguments of a tool named `edit`, in the dialect that every strict mode takes.
    pub fn parameters(self) -> Value {
        const FILE: &str = "The file's path, relative to the repository";
        match self {
            Surface::OldNew => closed(&[
                ("file", FILE),
                ("old", "The text that stands there now: whole lines, exactly as they are; empty for a new file"),
                ("new", "The text that stands there afterwards; empty to remove the lines"),
            ]),
            Surface::SearchReplace => {
                closed(&[("text", "One or more SEARCH/REPLACE blocks, each below the path of its file")])
            }
            Surface::ApplyPatch => closed(&[("text", "The patch, from `*** Begin Patch` to `*** End Patch`")]),
            Surface::WholeFile => closed(&[("file", FILE), ("text", "Everything the file holds afterwards")]),
        }
    }

    /// What a prompt says of the syntax, with an example.
    pub fn instructions(self) -> &'static str {
        match self {
            Surface::OldNew => include_str!("../../templates/edit/old-new.md"),
            Surface::SearchReplace => include_str!("../../templates/edit/search-replace.md"),
            Surface::ApplyPatch => include_str!("../../templates/edit/apply-patch.md"),
            Surface::WholeFile => include_str!("../../templates/edit/whole-file.md"),
        }
    }

    /// The edits that the arguments of a call of `edit` hold, or every reason why they cannot be read.
    pub fn read(self, arguments: &Value) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
        match self {
            Surface::OldNew => old_new::read(arguments),
            Surface::WholeFile => whole_file::read(arguments),
            Surface::SearchReplace | Surface::ApplyPatch => self.read_text(&arguments::text(arguments)?),
        }
    }

    /// The edits that free text holds, or every reason why it cannot be read.
    pub fn read_text(self, text: &str) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
        match self {
            Surface::OldNew => old_new::read_text(text),
            Surface::SearchReplace => search_replace::read(text),
            Surface::ApplyPatch => apply_patch::read(text),
            Surface::WholeFile => whole_file::read_text(text),
        }
    }
}

/// An object of required strings.
fn closed(fields: &[(&str, &str)]) -> Value {
    let properties: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, description)| ((*name).to_owned(), json!({ "type": "string", "description": description })))
        .collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

#[cfg(test)]
mod tests;
