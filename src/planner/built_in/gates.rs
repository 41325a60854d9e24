//! Gates: what the repository itself runs, and text that must be gone or there.

use crate::audit::draft::GateDraft;
use crate::plan::Gate;
use crate::plan::expectation::{Count, Expectation};
use crate::plan::lint;
use crate::repo_map::recon::{CommandPurpose, Recon};
use crate::tree::Tree;

/// Purposes in the order of a plan's table.
const PURPOSES: [CommandPurpose; 6] = [
    CommandPurpose::Install,
    CommandPurpose::Build,
    CommandPurpose::Typecheck,
    CommandPurpose::Test,
    CommandPurpose::Lint,
    CommandPurpose::Format,
];

/// The commands nearest to a file, as they run at the root of the repository.
pub(super) struct Commands {
    found: Vec<(CommandPurpose, String)>,
}

impl Commands {
    /// Looks them up. A command that our own lint would not accept is left out.
    pub(super) fn nearest(file: &str, recon: &Recon, tree: &dyn Tree) -> Commands {
        let command = |purpose| {
            let line = recon.command_for(purpose, file)?.at_root();
            let usable = !line.contains('\n') && lint::command_is_sound(&line, tree, recon);
            usable.then_some((purpose, line))
        };
        Commands { found: PURPOSES.into_iter().filter_map(command).collect() }
    }

    /// All of them, in the order of the table.
    pub(super) fn all(&self) -> impl Iterator<Item = (CommandPurpose, &str)> {
        self.found.iter().map(|(purpose, command)| (*purpose, command.as_str()))
    }

    /// The one for a purpose.
    pub(super) fn of(&self, purpose: CommandPurpose) -> Option<&str> {
        self.all().find(|(known, _)| *known == purpose).map(|(_, command)| command)
    }

    /// What must be green before and after: types, tests, lint.
    pub(super) fn guards(&self) -> Vec<Gate> {
        [CommandPurpose::Typecheck, CommandPurpose::Test, CommandPurpose::Lint]
            .into_iter()
            .filter_map(|purpose| Some(gate(self.of(purpose)?.to_owned(), expectation_of(purpose))))
            .collect()
    }

    /// The gate that a recipe asks for; `None` when the repository has no command for it.
    pub(super) fn gate(&self, draft: &GateDraft) -> Option<Gate> {
        match draft {
            GateDraft::Project(purpose) => Some(gate(self.of(*purpose)?.to_owned(), expectation_of(*purpose))),
            GateDraft::TextGone { text, file } => text_gate(text, file, Expectation::NoOutput),
            GateDraft::TextPresent { text, file } => text_gate(text, file, Expectation::Lines(Count::AtLeast(1))),
            GateDraft::Command { command, expectation } => Some(gate(command.clone(), expectation.clone())),
            GateDraft::NewTests(count) => {
                Some(gate(self.of(CommandPurpose::Test)?.to_owned(), Expectation::NewTests(*count)))
            }
        }
    }
}

/// What a command of this purpose must give.
pub(super) fn expectation_of(purpose: CommandPurpose) -> Expectation {
    match purpose {
        CommandPurpose::Test => Expectation::AllPass,
        CommandPurpose::Install
        | CommandPurpose::Build
        | CommandPurpose::Typecheck
        | CommandPurpose::Lint
        | CommandPurpose::Format => Expectation::Exit(0),
    }
}

/// `git grep` for a text in a file; it finds the first line of a longer text.
pub(super) fn text_gate(text: &str, file: &str, expectation: Expectation) -> Option<Gate> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    // A credential must not reach the plan through a pattern.
    if crate::secrets::mask(line) != line {
        return None;
    }
    Some(gate(format!("git grep -nF -e {} -- {}", shell_words::quote(line), shell_words::quote(file)), expectation))
}

/// The check of last resort: no conflict marks, no white space errors.
pub(super) fn well_formed() -> Gate {
    gate("git diff --check".to_owned(), Expectation::Exit(0))
}

/// A gate as it is written.
pub(super) fn gate(command: String, expectation: Expectation) -> Gate {
    Gate { command, expected: expectation.to_string(), expectation, line: 0 }
}
