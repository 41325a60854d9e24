//! The journal of a plan: one JSON object a line, each on disk before the next thing is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::observer::{Event, Observer};
use crate::plan::Step;
use crate::receipt::{BaselineEntry, Outcome, Prepared, StepReceipt};

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// A run began from the base.
    Started {
        /// SHA-256 of the plan's text.
        plan_sha256: String,
        /// The plan's path.
        plan: String,
        /// The base commit.
        base: String,
        /// How many steps the plan has.
        steps: usize,
    },
    /// The worktree is prepared.
    Prepared {
        /// With what.
        prepared: Prepared,
    },
    /// Every gate was run on the base.
    Baseline {
        /// What they gave.
        entries: Vec<BaselineEntry>,
    },
    /// A step is done, its gates are green and its commit is made.
    StepGreen {
        /// The step.
        step: Box<StepReceipt>,
    },
    /// A step waits for somebody else.
    HandedOver {
        /// 0-based.
        index: usize,
    },
    /// A step that waited was taken up.
    TakenUp {
        /// 0-based.
        index: usize,
    },
    /// A step that mends was added behind the last.
    Mending {
        /// The step.
        step: Box<Step>,
    },
    /// A revised plan took the place of the one that failed.
    Revised {
        /// Its text.
        plan: String,
    },
    /// The run came to its end.
    Finished {
        /// How.
        outcome: Outcome,
        /// Commits on the branch.
        green: usize,
    },
}

impl Entry {
    fn name(&self) -> &'static str {
        match self {
            Entry::Started { .. } => "started",
            Entry::Prepared { .. } => "prepared",
            Entry::Baseline { .. } => "baseline",
            Entry::StepGreen { .. } => "step-green",
            Entry::HandedOver { .. } => "handed-over",
            Entry::TakenUp { .. } => "taken-up",
            Entry::Mending { .. } => "mending",
            Entry::Revised { .. } => "revised",
            Entry::Finished { .. } => "finished",
        }
    }
}

/// A journal that could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A line of it is not ours.
    #[error("{}:{line}: not an entry of a journal: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl JournalError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            JournalError::Unreadable { .. } => Some("discard the earlier run with `improve clean PLAN`".to_owned()),
            JournalError::Io { .. } => None,
        }
    }
}

/// A journal that is open for appending.
pub struct Journal<'o> {
    path: PathBuf,
    file: Option<File>,
    observer: &'o dyn Observer,
    entries: usize,
}

impl<'o> Journal<'o> {
    /// Opens the journal at `path` and reads what it holds. A last line that was cut off by a kill is dropped: what it was to say
    /// had not been promised yet. The file is made at the first entry.
    pub fn open(path: &Path, observer: &'o dyn Observer) -> Result<(Journal<'o>, Vec<Entry>), JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let bytes = contents(path)?;
        let whole = whole(&bytes);
        if whole < bytes.len() {
            let file = OpenOptions::new().write(true).open(path).map_err(io)?;
            file.set_len(whole as u64).and_then(|()| file.sync_data()).map_err(io)?;
        }
        let entries = entries(path, &bytes[..whole])?;
        Ok((Journal { path: path.to_owned(), file: None, observer, entries: entries.len() }, entries))
    }

    /// What the journal at `path` holds, for those who only look: nothing is mended, since somebody may be writing.
    pub fn read(path: &Path) -> Result<Vec<Entry>, JournalError> {
        let bytes = contents(path)?;
        entries(path, &bytes[..whole(&bytes)])
    }

    /// Whether nothing was ever done.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Appends an entry; it is on disk when this returns.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let mut line = serde_json::to_string(entry).expect("an entry of plain fields is JSON");
        line.push('\n');
        let path = self.path.clone();
        let io = |source| JournalError::Io { path: path.clone(), source };
        let file = self.file().map_err(io)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(io)?;
        self.entries += 1;
        self.observer.event(&Event::Journalled(entry.name()));
        Ok(())
    }

    /// Journals of earlier runs that were begun from nothing.
    pub fn beginnings(&self) -> usize {
        (1..).take_while(|number| self.numbered(*number).exists()).count()
    }

    fn numbered(&self, number: usize) -> PathBuf {
        self.path.with_extension(format!("{number}.jsonl"))
    }

    /// Begins a new journal; the old one stays beside it under a number.
    pub fn begin_again(&mut self) -> Result<(), JournalError> {
        self.file = None;
        self.entries = 0;
        if !self.path.exists() {
            return Ok(());
        }
        let free = (1..).map(|number| self.numbered(number)).find(|path| !path.exists());
        let free = free.expect("some number is free");
        fs::rename(&self.path, free).map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        Ok(self.file.as_mut().expect("it was just opened"))
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, JournalError> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(JournalError::Io { path: path.to_owned(), source }),
    }
}

/// Bytes up to the end of the last whole line.
fn whole(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn entries(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>, JournalError> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate();
    lines
        .map(|(index, line)| {
            let unreadable = |source| JournalError::Unreadable { path: path.to_owned(), line: index + 1, source };
            serde_json::from_slice(line).map_err(unreadable)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::Silent;

    #[test]
    fn a_line_cut_off_by_a_kill_is_dropped_and_the_next_entry_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal/a.jsonl");
        let (mut journal, entries) = Journal::open(&path, &Silent).expect("nothing is a journal");
        assert_eq!(entries, []);
        journal.append(&Entry::HandedOver { index: 1 }).expect("the folder is ours");
        let mut file = OpenOptions::new().append(true).open(&path).expect("it was written");
        file.write_all(br#"{"entry":"handed-ov"#).expect("the file is ours");
        let (mut journal, entries) = Journal::open(&path, &Silent).expect("a cut line is no fault");
        assert_eq!(entries, [Entry::HandedOver { index: 1 }]);
        journal.append(&Entry::TakenUp { index: 1 }).expect("the folder is ours");
        let (_, entries) = Journal::open(&path, &Silent).expect("every line is whole");
        assert_eq!(entries, [Entry::HandedOver { index: 1 }, Entry::TakenUp { index: 1 }]);
    }

    #[test]
    fn a_line_that_is_not_ours_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.jsonl");
        fs::write(&path, "{\"entry\":\"handed-over\",\"index\":0}\nnonsense\n").expect("the folder is ours");
        assert!(matches!(Journal::open(&path, &Silent), Err(JournalError::Unreadable { line: 2, .. })));
    }
}
