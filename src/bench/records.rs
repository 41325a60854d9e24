//! Records: every finished trial, one line of JSON each, written when it is finished. A run that was stopped goes on from them, and
//! what was paid for is not paid for again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::trial::{Trial, TrialKey};

/// The records in a file.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    trials: Vec<Trial>,
    unreadable: usize,
    /// The last line has no end: a kill cut it.
    cut: bool,
}

impl Records {
    /// Reads a file; one that is not there has none.
    pub fn read(path: &Path) -> io::Result<Records> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let cut = text.last().is_some_and(|&last| last != b'\n');
        let mut records = Records { path: path.to_owned(), trials: Vec::new(), unreadable: 0, cut };
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(trial) => records.trials.push(trial),
                // Cut by a kill, or of another version.
                Err(_) => records.unreadable += 1,
            }
        }
        Ok(records)
    }

    /// The last trial of this kind.
    pub fn get(&self, key: &TrialKey) -> Option<&Trial> {
        self.trials.iter().rev().find(|trial| trial.key == *key)
    }

    /// Lines that cannot be read.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a trial, on disk first.
    pub fn add(&mut self, trial: Trial) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut line = serde_json::to_string(&trial).map_err(io::Error::other)?;
        line.push('\n');
        if self.cut {
            line.insert(0, '\n');
        }
        // Should the disk be full in the middle of it, the next one begins on a line of its own.
        self.cut = true;
        OpenOptions::new().append(true).create(true).open(&self.path)?.write_all(line.as_bytes())?;
        self.cut = false;
        self.trials.push(trial);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::summary::tests::trial;
    use crate::bench::trial::Arm;

    #[test]
    fn the_last_trial_of_a_kind_counts_and_a_cut_line_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench/trials.jsonl");
        let mut records = Records::read(&path).unwrap();
        records.add(trial("a", Arm::Plan, 1, [false, false])).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"schema_version\":1,\"ta")).unwrap();
        let mut records = Records::read(&path).unwrap();
        assert_eq!(records.unreadable(), 1);
        let again = trial("a", Arm::Plan, 1, [true, true]);
        records.add(again.clone()).unwrap();
        let records = Records::read(&path).unwrap();
        assert_eq!(records.get(&again.key), Some(&again));
        let other = TrialKey { repetition: 2, ..again.key };
        assert_eq!(records.get(&other), None);
    }
}
