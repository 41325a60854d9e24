//! What green gates gave, remembered for as long as they stand on the same ground: the same files in the same worktree, with the same
//! environment and sandbox. A step that only checks, a run that was killed between a gate and its journal entry, and criteria that
//! share a command with a step then do not run it again.
//!
//! **Why that is sound.** A command sees more than the files git knows: what it ignores, such as what a build left. So there is one
//! ground at a time: as soon as a command runs on other files everything is forgotten, before it starts, and what is ignored is always
//! of the files that are there. A worktree made anew is another ground, though it holds the same files, so the replay in a second clean
//! worktree is always run. A command that changes files is not remembered: others may need what it does. Nor is what is red, which may
//! be due to something outside that the user has mended. What only git cannot see, such as line endings that it converts, is left to
//! the replay.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::summary::TestCounts;
use super::{GateLimits, GateResult, Outcome};
use crate::plan::Gate;

/// Bytes of an outcome that is worth its memory. Our choice: what checks print when all is well.
const MAX_OUTCOME: usize = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub struct Memory {
    /// Where it outlives this process; `None` where it does not.
    file: Option<PathBuf>,
    ground: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    ground: String,
    /// What this process ran; it can be judged by any gate.
    outcomes: BTreeMap<String, Outcome>,
    /// What an earlier process ran and found green.
    results: Vec<GateResult>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Ground(String),
    Green(Box<GateResult>),
}

impl Memory {
    /// The memory of an earlier process, which goes on in `file`.
    pub fn at(file: PathBuf) -> Memory {
        let mut remembered = Remembered::default();
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            match serde_json::from_str(line) {
                Ok(Line::Ground(ground)) => remembered = Remembered { ground, ..Remembered::default() },
                Ok(Line::Green(result)) => remembered.results.push(*result),
                // Cut off by a kill: it is run again.
                Err(_) => break,
            }
        }
        Memory { file: Some(file), ground: Mutex::new(remembered) }
    }

    /// What a gate gave on `ground`, when it was green.
    pub(super) fn recall(
        &self,
        ground: &str,
        gate: &Gate,
        limits: GateLimits,
        base_tests: Option<TestCounts>,
    ) -> Option<GateResult> {
        let remembered = self.lock();
        if remembered.ground != ground {
            return None;
        }
        let same = |result: &&GateResult| result.command == gate.command && result.expectation == gate.expectation;
        let own = remembered.outcomes.get(&gate.command).map(|outcome| outcome.against(gate, limits, base_tests));
        let result = own.or_else(|| remembered.results.iter().find(same).cloned())?;
        result.green.then_some(GateResult { remembered: true, ..result })
    }

    /// To be called before a command is run on `ground`: what was found on another is forgotten.
    pub(super) fn stand_on(&self, ground: &str) {
        let mut remembered = self.lock();
        if remembered.ground != ground {
            *remembered = Remembered { ground: ground.to_owned(), ..Remembered::default() };
            self.write(&Line::Ground(ground.to_owned()), Writing::Anew);
        }
    }

    /// Remembers what a command gave on the ground that was named last.
    pub(super) fn keep(&self, outcome: &Outcome, result: &GateResult) {
        let bytes = [&outcome.stdout, &outcome.stderr].map(|stream| stream.head.len() + stream.tail.len());
        if bytes.iter().sum::<usize>() <= MAX_OUTCOME {
            self.lock().outcomes.insert(result.command.clone(), outcome.clone());
        }
        // Whether tests are new depends on what ran on the base.
        if result.green && !result.expectation.counts_new_tests() {
            self.write(&Line::Green(Box::new(result.clone())), Writing::Behind);
        }
    }

    /// Forgets everything: somebody works in the worktree who may leave there what git ignores.
    pub fn forget(&self) {
        *self.lock() = Remembered::default();
        if let Some(file) = &self.file {
            // It may never have been written.
            let _ = fs::remove_file(file);
        }
    }

    /// What cannot be written is run again, no more.
    fn write(&self, line: &Line, writing: Writing) {
        let Some(file) = &self.file else { return };
        let mut text = serde_json::to_string(line).expect("a line of plain fields is JSON");
        text.push('\n');
        if append(file, text.as_bytes(), writing).is_err() {
            let _ = fs::remove_file(file);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.ground.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Anew,
    Behind,
}

fn append(file: &Path, bytes: &[u8], writing: Writing) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let is_new = writing == Writing::Anew;
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).append(!is_new).truncate(is_new).open(file);
    file?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::expectation::Expectation;
    use crate::process::{Captured, End};
    use std::time::Duration;

    fn gate(command: &str) -> Gate {
        Gate { command: command.to_owned(), expectation: Expectation::Exit(0), expected: String::new(), line: 1 }
    }

    fn outcome(code: i32) -> Outcome {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        Outcome { end: End::Exited(code), stdout, stderr, tests: None, duration: Duration::ZERO, blame: None }
    }

    fn keep(memory: &Memory, ground: &str, command: &str, code: i32) {
        memory.stand_on(ground);
        memory.keep(&outcome(code), &outcome(code).against(&gate(command), GateLimits::default(), None));
    }

    fn knows(memory: &Memory, ground: &str, command: &str) -> bool {
        memory.recall(ground, &gate(command), GateLimits::default(), None).is_some()
    }

    #[test]
    fn green_is_remembered_until_a_command_runs_on_other_ground() {
        let memory = Memory::default();
        keep(&memory, "a", "good", 0);
        keep(&memory, "a", "bad", 1);
        assert_eq!(
            (knows(&memory, "a", "good"), knows(&memory, "a", "bad"), knows(&memory, "b", "good")),
            (true, false, false)
        );
        keep(&memory, "b", "other", 0);
        assert!(!knows(&memory, "a", "good"), "what is ignored is of `b` by now");
        memory.forget();
        assert!(!knows(&memory, "b", "other"));
    }

    #[test]
    fn another_process_remembers_up_to_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("gates/001.jsonl");
        let memory = Memory::at(file.clone());
        keep(&memory, "a", "old", 0);
        keep(&memory, "b", "good", 0);
        keep(&memory, "b", "cut", 0);
        let text = fs::read_to_string(&file).expect("it was written");
        fs::write(&file, &text[..text.len() - 9]).expect("the folder is ours");
        let memory = Memory::at(file.clone());
        assert_eq!(
            (knows(&memory, "b", "good"), knows(&memory, "b", "cut"), knows(&memory, "a", "old")),
            (true, false, false)
        );
        memory.stand_on("c");
        assert!(!knows(&Memory::at(file), "b", "good"));
    }
}
