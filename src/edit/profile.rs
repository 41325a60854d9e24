//! Profiles: in which syntax a model writes its edits best, and what it falls back to.

use super::explain::EditFailure;
use super::surface::Surface;

/// Refused messages in a row after which the next syntax is used. Our choice: once is a slip.
const MISSES: u32 = 2;

/// The syntaxes of one model, best first, and how far down it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    surfaces: &'static [Surface],
    at: usize,
    misses: u32,
}

impl Profile {
    /// The profile of a model, by its id.
    pub fn for_model(model: &str) -> Profile {
        let model = model.to_ascii_lowercase();
        let surfaces: &[Surface] = if model.contains("claude") {
            &[Surface::OldNew, Surface::SearchReplace, Surface::WholeFile]
        } else if model.contains("gpt") {
            &[Surface::ApplyPatch, Surface::SearchReplace, Surface::WholeFile]
        } else {
            &[Surface::SearchReplace, Surface::WholeFile]
        };
        Profile { surfaces, at: 0, misses: 0 }
    }

    /// The syntax to use now.
    pub fn surface(&self) -> Surface {
        self.surfaces[self.at]
    }

    /// A message was applied.
    pub fn fitted(&mut self) {
        self.misses = 0;
    }

    /// A message was refused.
    pub fn missed(&mut self, _failures: &[EditFailure]) {
        self.misses += 1;
        if self.misses >= MISSES && self.at + 1 < self.surfaces.len() {
            self.at += 1;
            self.misses = 0;
        }
    }
}
