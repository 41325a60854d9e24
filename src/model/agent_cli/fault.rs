//! What can go wrong with an agent CLI, each with what to do about it.

use std::time::Duration;

/// An agent that gave no usable answer. What it said is masked and cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentFault {
    /// There is no such program.
    #[error("`{program}` is not on the PATH")]
    NotInstalled {
        /// The program.
        program: String,
        /// How to install it.
        install: Option<String>,
    },
    /// It did not start, or could not be waited for.
    #[error("could not be run: {0}")]
    NotRun(String),
    /// It has no key, or one that is not accepted.
    #[error("it is not logged in, or its key is not accepted{}", after(said))]
    NotLoggedIn {
        /// What it said.
        said: String,
        /// How to log in.
        log_in: Option<String>,
    },
    /// It gave up with a reason.
    #[error("it gave up{}{}", status.map(|status| format!(" (HTTP {status})")).unwrap_or_default(), after(said))]
    GaveUp {
        /// The reason.
        said: String,
        /// The status of the server behind it.
        status: Option<u16>,
    },
    /// It ended as programs end that failed.
    #[error("it ended with {how}{}", after(said))]
    Failed {
        /// `exit code 1`, `signal 9`.
        how: String,
        /// The end of what it said.
        said: String,
    },
    /// It ended well and said nothing that its form knows.
    #[error("it printed nothing that could be read{}", after(said))]
    Garbage {
        /// The end of what it said.
        said: String,
    },
    /// It ended well before it was done.
    #[error("it ended without saying that it was done")]
    Unfinished,
    /// It was done and had no answer.
    #[error("it said nothing")]
    Empty,
    /// It took too long.
    #[error("it was not done after {} and was ended", minutes(*.0))]
    TimedOut(Duration),
    /// Nothing came of it for too long.
    #[error("nothing came from it for {} and it was ended{}", minutes(*time), after(said))]
    Idle {
        /// How long.
        time: Duration,
        /// What it said last, if that was a complaint.
        said: String,
    },
    /// It printed without end.
    #[error("it printed more than {0} MB and was ended")]
    Flooded(usize),
    /// The folder it was to work in could not be made.
    #[error("the copy of the repository it reads could not be made: {0}")]
    NoFolder(String),
    /// It could not be kept from the rest of the machine, so it was not run.
    #[error("{why}")]
    NotConfined {
        /// What failed.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl AgentFault {
    /// Wrong from the start, for every question.
    pub fn is_setup(&self) -> bool {
        match self {
            AgentFault::NotInstalled { .. }
            | AgentFault::NotRun(_)
            | AgentFault::NotConfined { .. }
            | AgentFault::NotLoggedIn { .. } => true,
            AgentFault::GaveUp { .. }
            | AgentFault::Failed { .. }
            | AgentFault::Garbage { .. }
            | AgentFault::Unfinished
            | AgentFault::Empty
            | AgentFault::TimedOut(_)
            | AgentFault::Idle { .. }
            | AgentFault::Flooded(_)
            | AgentFault::NoFolder(_)
            | AgentFault::Cancelled => false,
        }
    }

    /// A model may have worked for it, and be billed.
    pub fn may_be_billed(&self) -> bool {
        !self.is_setup() && !matches!(self, AgentFault::NoFolder(_))
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            AgentFault::NotInstalled { install, .. } => match install {
                Some(install) => format!("`{install}`, or bind another model"),
                None => "install it, or bind another model".to_owned(),
            },
            AgentFault::NotLoggedIn { log_in, .. } => {
                log_in.clone().unwrap_or_else(|| "log in to it, or bind another model".to_owned())
            }
            AgentFault::NotRun(_) | AgentFault::Failed { .. } | AgentFault::Garbage { .. } => {
                "`improve doctor` shows its version beside the one that was tried; run it by hand to see more"
                    .to_owned()
            }
            AgentFault::GaveUp { .. } | AgentFault::Unfinished | AgentFault::Empty | AgentFault::Idle { .. } => {
                "run the same command again: what was answered is kept and costs nothing twice".to_owned()
            }
            AgentFault::TimedOut(_) => "narrow the run to PATHS, or bind a faster model".to_owned(),
            AgentFault::Flooded(_) => "bind another model to this role".to_owned(),
            AgentFault::NoFolder(_) => "free some space or make the cache folder writable".to_owned(),
            AgentFault::NotConfined { hint, .. } => return hint.clone(),
            AgentFault::Cancelled => return None,
        };
        Some(hint)
    }

    /// One word for the ledger.
    pub fn label(&self) -> &'static str {
        match self {
            AgentFault::NotInstalled { .. }
            | AgentFault::NotRun(_)
            | AgentFault::NotConfined { .. }
            | AgentFault::NoFolder(_) => "not_run",
            AgentFault::NotLoggedIn { .. } => "unauthorized",
            AgentFault::GaveUp { .. } => "gave_up",
            AgentFault::Failed { .. } => "failed",
            AgentFault::Garbage { .. } => "unusable",
            AgentFault::Unfinished => "cut",
            AgentFault::Empty => "empty",
            AgentFault::TimedOut(_) | AgentFault::Idle { .. } => "timed_out",
            AgentFault::Flooded(_) => "flooded",
            AgentFault::Cancelled => "cancelled",
        }
    }
}

fn after(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 120 => format!("{} minutes", seconds / 60),
        0 => format!("{} ms", time.as_millis()),
        seconds => format!("{seconds} s"),
    }
}
