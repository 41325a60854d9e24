//! Asking for trust: the commands of a repository run only once its user agreed to them.

use improve::report::layout::{paint, style};
use improve::report::sanitize;
use improve::trust::{Approved, Trust, state_folder};
use improve::worktree::Place;
use inquire::{Confirm, InquireError};

use super::console::Console;
use super::failure::Failure;

/// The approval for `commands`: remembered, given by `--trust`, or asked for once on a terminal.
pub fn approve(place: &Place, commands: &[String], given: bool, console: &Console) -> Result<Approved, Failure> {
    let mut trust = Trust::read(&state_folder())?;
    let new = match trust.check(&place.id(), commands) {
        Ok(approved) => return Ok(approved),
        Err(new) => new,
    };
    if given || ask(&new, console)? {
        return Ok(trust.remember(&place.id(), commands)?);
    }
    let mut failure =
        Failure::usage("these commands of the repository would run with your rights, and nobody agreed to that yet");
    failure.places = new;
    Err(failure.hint("read them; then run the same again with --trust"))
}

/// Shows the commands and asks. No terminal, no consent.
fn ask(commands: &[String], console: &Console) -> Result<bool, Failure> {
    if !console.interactive {
        return Ok(false);
    }
    let mut text = "The plan runs these commands of the repository, with your rights:\n".to_owned();
    for command in commands {
        text.push_str(&format!("  {}\n", paint(style::COMMAND, &sanitize::line(command))));
    }
    console.ask(text.trim_end());
    confirm("Run them, now and whenever a plan of this repository asks for them?")
}

/// A yes or no question, no by default.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    match Confirm::new(question).with_default(false).prompt() {
        Ok(answer) => Ok(answer),
        Err(InquireError::OperationCanceled) => Ok(false),
        Err(InquireError::OperationInterrupted) => Err(Failure::interrupted()),
        Err(error) => Err(Failure::usage(format!("the question cannot be asked: {error}"))),
    }
}
