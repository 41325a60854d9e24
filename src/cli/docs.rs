//! `improve docs`: the audit of documentation alone, and a plan for each finding that was chosen.
//!
//! `docs` is a FOCUS word of bare `improve`, too: both readings do the same, so other FOCUS words may stand beside it.

use std::ffi::OsString;

use clap::Args;

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::plans::{self, PlansArgs};

/// The command, and the FOCUS word it stands for.
pub const NAME: &str = "docs";

/// What `improve docs` looks for.
const TEACHES: &str = "\
Without a model it looks for:
  commands, scripts, make targets, flags and variables that are gone, or that no page names
  links and paths that lead nowhere
  samples that do not parse or import what the package does not export
  versions that the manifest contradicts
With a planner also for claims that the code contradicts and pages that explain nothing.
`improve rules` lists the rules; `improve rules ID` says when one is quiet. Changelogs, decisions,
migration guides, archives and translations are not held against the code of today.";

/// Hold documentation against the code: what is wrong, missing or dead in it, and a plan for each finding chosen
#[derive(Debug, Args)]
#[command(after_help = TEACHES, mut_arg("words", |words| words.value_name("PATH").help(
    "Documents, folders or globs to look at; further FOCUS words look at more than documentation [default: all documents]")))]
pub struct DocsArgs {
    #[command(flatten)]
    plans: PlansArgs,
}

/// Does what bare `improve docs` would do.
pub fn run(args: DocsArgs, context: &Context) -> Result<ExitCode, Failure> {
    let DocsArgs { plans } = args;
    plans::run(plans.with_word(NAME), context)
}

/// The same words with the command before the FOCUS words and flags that stood before it: `improve security docs`. `parses` says
/// whether words are a whole command line.
pub fn first(words: &[OsString], parses: &dyn Fn(&[OsString]) -> bool) -> Option<Vec<OsString>> {
    let at = (1..words.len()).find(|at| words[*at] == NAME && parses(&words[..*at]))?;
    let mut moved = words.to_vec();
    let command = moved.remove(at);
    moved.insert(1, command);
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_told_from_the_value_of_a_flag() {
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        let parses = |words: &[OsString]| words.last().is_none_or(|word| word != "--exclude");
        let moved = first(&words("improve --exclude docs security docs x"), &parses);
        assert_eq!(moved, Some(words("improve docs --exclude docs security x")));
        assert_eq!(first(&words("improve security"), &parses), None);
    }
}
