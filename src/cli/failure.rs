//! What a command ends with when it cannot go on: what, where, what to do, and the exit code.

use improve::hint::Hint;

use super::exit_code::ExitCode;

/// Why a command stopped.
///
/// Any library error with a [`Hint`] becomes one by `?`, so that no hint is lost on the way to `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: ExitCode,
    /// What is wrong; `None` ends the program without a word.
    pub message: Option<String>,
    /// Lines that say where, or list candidates.
    pub places: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// Usage or configuration is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: ExitCode::Usage, message: Some(message.into()), places: Vec::new(), hint: None }
    }

    /// The program ends without a word.
    pub fn silent(code: ExitCode) -> Failure {
        Failure { code, message: None, places: Vec::new(), hint: None }
    }

    /// The user asked to stop.
    pub fn interrupted() -> Failure {
        Failure { message: Some("interrupted".into()), ..Failure::silent(ExitCode::Interrupted) }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The same at a place.
    pub fn at(mut self, place: impl Into<String>) -> Failure {
        self.places.push(place.into());
        self
    }

    /// The same with another exit code.
    pub fn code(mut self, code: ExitCode) -> Failure {
        self.code = code;
        self
    }
}

impl<E: std::error::Error + Hint> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { hint: error.hint(), ..Failure::usage(error.to_string()) }
    }
}
