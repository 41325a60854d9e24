//! Exit codes: what a script can tell from a run.

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Findings at or above `--fail-on`, plan problems, or a plan not verified.
    Findings = 1,
    /// Usage, configuration or credentials wrong at the start.
    Usage = 2,
    /// Something could not be finished; what was done is kept and said.
    Incomplete = 3,
    /// A plan is blocked, drifted or handed over to a person.
    Blocked = 4,
    /// Interrupted.
    Interrupted = 130,
}

/// The table `--help` ends with.
pub const HELP: &str = "\
Exit codes:
  0    done
  1    findings at or above --fail-on, plan problems, or a plan not verified
  2    usage, configuration or credentials wrong at the start
  3    incomplete; what was done is kept and said
  4    plan blocked, drifted or handed over to a person
  130  interrupted";

impl ExitCode {
    /// Every code.
    pub const ALL: [ExitCode; 6] = [
        ExitCode::Done,
        ExitCode::Findings,
        ExitCode::Usage,
        ExitCode::Incomplete,
        ExitCode::Blocked,
        ExitCode::Interrupted,
    ];

    /// The code the library documents as a number.
    pub fn of(number: u8) -> ExitCode {
        ExitCode::ALL.into_iter().find(|code| *code as u8 == number).unwrap_or(ExitCode::Incomplete)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        std::process::ExitCode::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_code() {
        for code in ExitCode::ALL {
            let word = (code as u8).to_string();
            assert!(
                HELP.lines().any(|line| line.split_whitespace().next() == Some(&word)),
                "{word} is not in the table"
            );
        }
    }
}
