//! Batches that were submitted and whose answers were not fetched yet: a file each, in the folder of a repository's state.
//!
//! A file says which questions a batch holds by what names them in the cache of replies, so that a later run that asks the same
//! waits for the batch instead of submitting them again. No word of a question is in it, and no key.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::model::Role;
use crate::model::replies::Key;

/// Name of the folder in the folder of a repository's state.
pub const FOLDER: &str = "batches";
/// Vendors keep results for 29 days (Anthropic) and 30 (OpenAI): after that a batch can only be submitted anew.
const KEPT: Duration = Duration::from_secs(29 * 24 * 60 * 60);

/// A batch that was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The vendor's id of it.
    pub id: String,
    /// When it was submitted, RFC 3339.
    pub submitted: String,
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Its questions.
    pub questions: Vec<Asked>,
}

/// A question of a batch: what the ledger will say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What names it among the replies, and among the results.
    pub key: Key,
    /// What the model was asked as.
    pub role: Role,
    /// What it was asked for.
    pub purpose: String,
    /// The plan it is about.
    pub plan: Option<String>,
    /// Bytes of the request.
    pub bytes: u64,
}

impl Record {
    /// When it was submitted.
    pub fn submitted(&self) -> SystemTime {
        self.submitted.parse::<jiff::Timestamp>().map_or(SystemTime::UNIX_EPOCH, SystemTime::from)
    }
}

/// The records of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    folder: PathBuf,
}

/// Held by the run that looks after a batch; given back when dropped.
pub struct Hold(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl Records {
    /// Those in [`FOLDER`] of `state`.
    pub fn within(state: &Path) -> Records {
        Records { folder: state.join(FOLDER) }
    }

    /// The batches that are open at `now`, by id. Older ones are gone at the vendor, and forgotten here.
    pub fn open(&self, now: SystemTime) -> Vec<Record> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let files = entries.flatten().map(|entry| entry.path());
        let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        let mut records: Vec<Record> = files
            .filter_map(|file| {
                let record: Record = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
                // Its own name, not one that leads elsewhere.
                (self.file(&record.id) == file).then_some(record)
            })
            .collect();
        records.sort_by(|one, other| one.id.cmp(&other.id));
        let (open, stale): (Vec<Record>, Vec<Record>) = records
            .into_iter()
            // A clock that went back says nothing about age.
            .partition(|record| now.duration_since(record.submitted()).map_or(true, |age| age < KEPT));
        stale.iter().for_each(|record| self.close(&record.id));
        open
    }

    /// A record can be written: asked before money is spent on what it would say.
    pub fn check(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        tempfile::NamedTempFile::new_in(&self.folder).map(drop)
    }

    /// Writes a record, whole or not at all.
    pub fn write(&self, record: &Record) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(&self.folder)?;
        temporary.write_all(&serde_json::to_vec_pretty(record).expect("a record is JSON"))?;
        temporary.as_file().sync_all()?;
        temporary.persist(self.file(&record.id))?;
        Ok(())
    }

    /// Its answers are fetched, or will never be.
    pub fn close(&self, id: &str) {
        // What cannot be removed is looked at again some day, and its answers are found among the replies first.
        let _ = std::fs::remove_file(self.file(id));
        let _ = std::fs::remove_file(self.lock_file(id));
    }

    /// The batch is recorded.
    pub fn has(&self, id: &str) -> bool {
        self.file(id).is_file()
    }

    /// Takes a batch, unless another run has it: two runs that fetched the same answers would write them into the ledger twice.
    pub fn hold(&self, id: &str) -> Option<Hold> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let file = File::options().create(true).append(true).open(self.lock_file(id)).ok()?;
        match file.try_lock() {
            Ok(()) => Some(Hold(file)),
            Err(std::fs::TryLockError::WouldBlock) => None,
            // A disk without locks: one run at a time is what people do anyway.
            Err(std::fs::TryLockError::Error(_)) => Some(Hold(file)),
        }
    }

    /// The file of a batch.
    pub fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn lock_file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.lock"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, submitted: &str) -> Record {
        Record {
            id: id.to_owned(),
            submitted: submitted.to_owned(),
            provider: "anthropic".to_owned(),
            model: "m".to_owned(),
            questions: Vec::new(),
        }
    }

    #[test]
    fn a_batch_is_open_until_it_is_closed_or_the_vendor_forgot_it() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::within(folder.path());
        let now = SystemTime::from("2026-11-21T10:00:00Z".parse::<jiff::Timestamp>().unwrap());
        assert_eq!(records.open(now), []);
        let (new, old) = (record("new", "2026-11-20T10:00:00Z"), record("old", "2026-10-20T10:00:00Z"));
        records.write(&new).unwrap();
        records.write(&old).unwrap();
        std::fs::write(records.file("other"), serde_json::to_vec(&record("../x", &new.submitted)).unwrap()).unwrap();
        std::fs::write(records.file("cut"), "{\"id\": \"cu").unwrap();
        assert_eq!(records.open(now), [new]);
        assert!(!records.has("old"));
        records.close("new");
        assert_eq!(records.open(now), []);
    }

    #[test]
    fn one_run_at_a_time_looks_after_a_batch() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::within(folder.path());
        let held = records.hold("b").unwrap();
        assert!(records.hold("b").is_none());
        drop(held);
        assert!(records.hold("b").is_some());
    }
}
