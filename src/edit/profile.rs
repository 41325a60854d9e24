//! Profiles: which syntax a model is asked for, as data, and which one next when it cannot write it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::surface::Surface;

/// Messages in a row that may fail in one syntax before the next is asked for: 2, as tools that measured it do.
const MAX_FAILURES: usize = 2;

/// Lines of a file up to which a whole file may be asked for: 400. Longer ones cost more to write than a failed edit.
pub const MAX_WHOLE_LINES: usize = 400;

/// The syntaxes for a family of models, best first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The family.
    pub name: String,
    /// Words of a model's name that make it one of the family; none for every other model.
    words: Vec<String>,
    /// The syntaxes, best first; at least one.
    surfaces: Vec<Surface>,
    /// What speaks for the order.
    pub why: String,
}

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        profile: Vec<Profile>,
    }
    let file: File = toml::from_str(include_str!("profiles.toml")).expect("a test reads the file");
    file.profile
});

impl Profile {
    /// The profile of a model, named with its provider or without.
    pub fn for_model(model: &str) -> Profile {
        let model = model.to_ascii_lowercase();
        // A gateway's provider says nothing of who made the model.
        let name = model.rsplit('/').next().unwrap_or(&model);
        let is_of =
            |profile: &&Profile| profile.words.is_empty() || profile.words.iter().any(|word| holds_word(name, word));
        PROFILES.iter().find(is_of).expect("the last profile takes every model").clone()
    }

    /// The syntax to begin with.
    pub fn first(&self) -> Surface {
        self.surfaces[0]
    }

    /// Every syntax, best first.
    pub fn surfaces(&self) -> &[Surface] {
        &self.surfaces
    }

    /// The syntax to ask for after `failures` messages in a row that were written in `surface` could not be applied: the same up
    /// to two, then the next. The last one stays, and so does one that the profile does not have.
    pub fn step_down(&self, surface: Surface, failures: usize) -> Surface {
        if failures < MAX_FAILURES {
            return surface;
        }
        let at = self.surfaces.iter().position(|it| *it == surface);
        at.and_then(|at| self.surfaces.get(at + 1)).copied().unwrap_or(surface)
    }
}

/// Whether `name` holds `word` at the start of a part of it: `o3` is in `o3-mini` and not in `foo3`.
fn holds_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_profile_and_only_the_last_takes_all() {
        let (last, others) = PROFILES.split_last().expect("profiles");
        assert!(last.words.is_empty() && others.iter().all(|profile| !profile.words.is_empty()));
        assert!(PROFILES.iter().all(|profile| !profile.surfaces.is_empty() && !profile.why.is_empty()));
    }

    #[test]
    fn a_model_is_told_by_its_name_whoever_serves_it() {
        let name = |model: &str| Profile::for_model(model).name;
        assert_eq!(name("anthropic/claude-haiku-5-5"), "claude");
        assert_eq!(name("openrouter/anthropic/claude-sonnet-5-5"), "claude");
        assert_eq!(name("openai/gpt-6-luna"), "gpt");
        assert_eq!(name("openai/o3-mini"), "gpt");
        assert_eq!(name("groq/openai/gpt-oss-120b"), "gpt-oss");
        assert_eq!(name("ollama/Qwen2.5-Coder:32b"), "qwen-coder");
        assert_eq!(name("local/llama-foo3"), "other");
        assert_eq!(name(""), "other");
    }

    #[test]
    fn two_failures_in_a_row_lead_to_the_next_syntax_and_the_last_one_stays() {
        let profile = Profile::for_model("claude");
        assert_eq!(profile.first(), Surface::OldNew);
        assert_eq!(profile.step_down(Surface::OldNew, 1), Surface::OldNew);
        assert_eq!(profile.step_down(Surface::OldNew, 2), Surface::SearchReplace);
        assert_eq!(profile.step_down(Surface::SearchReplace, 2), Surface::WholeFile);
        assert_eq!(profile.step_down(Surface::WholeFile, 9), Surface::WholeFile);
        assert_eq!(profile.step_down(Surface::ApplyPatch, 9), Surface::ApplyPatch);
    }
}
