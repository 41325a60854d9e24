//! What was read of each file, kept from run to run outside the working tree.
//!
//! A file whose identity the system calls unchanged is not opened; one that merely looks changed, or was renamed, is known by a hash of
//! its content. What calls resolve to is no part of it: a new export in one file changes calls in another that nobody touched, so
//! linking starts from all facts and keeps its own account of what it looked at ([`super::links_cache`]).
//!
//! **Invariant:** a run with a cache gives what a run without one gives. What another build wrote, what is damaged and what was cut
//! off is not used; a file written just before it was read is hashed again the next time.
//!
//! The file is one header, one table and one packed block a source file. It is replaced by a rename, so a reader sees one whole version
//! and two writers need no lock: the last one wins, and either version is right. What a run finds changed goes into a small file
//! beside it, of the same form, until that is too much ([`changes`]).

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::classify;
use crate::kept;
use crate::repo_map::SkipReason;
use crate::repo_map::facts::FileFacts;
use crate::repo_map::name::table;
use crate::tree::{Identity, TreeEntry};
use changes::Changes;

mod changes;

/// The kind of file and the build that wrote it: the build script makes a name of everything that decides facts.
const HEAD: &[u8] = concat!("improve-facts-1\n", env!("IMPROVE_FACTS_FINGERPRINT")).as_bytes();
/// What was modified later than this before it was read may be modified once more without looking so: two seconds is the coarsest
/// clock of a file system in use (FAT).
const RACY_NS: i64 = 2_000_000_000;

/// Where facts are kept.
#[derive(Debug, Clone)]
pub struct CachePlace {
    /// The file.
    pub file: PathBuf,
    /// The time at which the run began, in nanoseconds since 1970.
    pub now_ns: i64,
}

/// What became of a file that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// No language reads it.
    Other,
    /// It was left out for what stands in it.
    Skipped(SkipReason),
    /// It was read.
    Source {
        /// Lines.
        lines: u32,
        /// What stands in it.
        facts: Box<FileFacts>,
    },
}

/// A file as the cache knows it after this run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remembered {
    row: Row,
    block: Block,
}

impl Remembered {
    /// The file.
    pub fn path(&self) -> &str {
        &self.row.path
    }

    /// The hash of what stands in it.
    pub fn content(&self) -> u128 {
        self.row.content
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// As in the present cache file.
    Kept,
    New(Vec<u8>),
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    path: String,
    bytes: u64,
    identity: KeptIdentity,
    content: u128,
    /// Without the facts of a source file, which are the block.
    outcome: KeptOutcome,
    /// First byte of the block, counted from the end of the table.
    start: u64,
    length: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum KeptIdentity {
    Unknown,
    Stat { modified_ns: i64, changed_ns: i64, inode: u64 },
    Blob([u8; 20]),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum KeptOutcome {
    Other,
    Skipped(SkipReason),
    Source,
}

/// The facts of earlier runs.
#[derive(Default)]
pub(super) struct FactsCache {
    place: Option<CachePlace>,
    /// Sorted by path.
    rows: Vec<Row>,
    /// Places of rows by content, made when the first file looks changed.
    by_content: OnceLock<HashMap<u128, Vec<usize>>>,
    blocks: Vec<u8>,
    /// What `rows` say otherwise than the file itself.
    changes: Changes,
}

impl FactsCache {
    /// What `place` holds: nothing when it is absent, damaged or from another build.
    pub fn load(place: Option<CachePlace>) -> Self {
        let mut cache = Self { place, ..Self::default() };
        let Some(place) = &cache.place else { return cache };
        let Some((sum, rows, blocks)) = read(&place.file) else { return cache };
        cache.blocks = blocks;
        (cache.changes, cache.rows) = Changes::load(&place.file, sum, rows);
        cache
    }

    /// Whether anything is to be kept.
    pub fn is_on(&self) -> bool {
        self.place.is_some()
    }

    /// What is known of `entry` without opening it.
    pub fn of_entry(&self, entry: &TreeEntry) -> Option<(Outcome, Remembered)> {
        let row = self.row(&entry.path)?;
        let same = row.bytes == entry.bytes
            && entry.identity != Identity::Unknown
            && row.identity == KeptIdentity::from(entry.identity);
        if !same {
            return None;
        }
        Some((self.outcome(row)?, Remembered { row: row.clone(), block: Block::Kept }))
    }

    /// What is known of a file with this content.
    pub fn of_content(&self, entry: &TreeEntry, content: u128) -> Option<(Outcome, Remembered)> {
        let by_content = self.by_content.get_or_init(|| {
            let mut by_content: HashMap<u128, Vec<usize>> = HashMap::new();
            for (index, row) in self.rows.iter().enumerate() {
                by_content.entry(row.content).or_default().push(index);
            }
            by_content
        });
        // The same bytes mean something else in another language.
        let extension = classify::extension(&entry.path);
        let same = by_content.get(&content)?.iter().map(|&index| &self.rows[index]);
        let row = same.into_iter().find(|row| classify::extension(&row.path) == extension)?;
        let outcome = self.outcome(row)?;
        let row = Row { path: entry.path.clone(), bytes: entry.bytes, identity: self.identity(entry), ..row.clone() };
        Some((outcome, Remembered { row, block: Block::Kept }))
    }

    /// `outcome` of reading `entry`, to be kept.
    pub fn remember(&self, entry: &TreeEntry, content: u128, outcome: &Outcome) -> Option<Remembered> {
        let (outcome, block) = match outcome {
            Outcome::Other => (KeptOutcome::Other, Vec::new()),
            Outcome::Skipped(reason) => (KeptOutcome::Skipped(*reason), Vec::new()),
            Outcome::Source { lines, facts } => (KeptOutcome::Source, pack(*lines, facts)?),
        };
        let row = Row {
            path: entry.path.clone(),
            bytes: entry.bytes,
            identity: self.identity(entry),
            content,
            outcome,
            start: 0,
            length: u32::try_from(block.len()).ok()?,
        };
        Some(Remembered { row, block: Block::New(block) })
    }

    /// What is kept of `entry`, which this run was not asked to read.
    pub fn keep(&self, entry: &TreeEntry) -> Option<Remembered> {
        let row = self.row(&entry.path)?;
        Some(Remembered { row: row.clone(), block: Block::Kept })
    }

    /// Writes what this run knows, if that is not what the file holds already. A cache that cannot be written is no error: the next
    /// run reads the sources again.
    pub fn save(&self, remembered: Vec<Remembered>) -> std::io::Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let same = remembered.len() == self.rows.len()
            && remembered.iter().zip(&self.rows).all(|(new, old)| new.block == Block::Kept && new.row == *old);
        if same {
            return Ok(());
        }
        if let Some(written) = self.changes.save(&place.file, self, &remembered) {
            return written;
        }
        let mut rows = Vec::with_capacity(remembered.len());
        let mut blocks: Vec<Cow<'_, [u8]>> = Vec::with_capacity(remembered.len());
        let mut start = 0;
        for Remembered { mut row, block } in remembered {
            let block: Cow<'_, [u8]> = match block {
                Block::New(block) => block.into(),
                Block::Kept => self.block(&row).unwrap_or_default().into(),
            };
            row.start = start;
            start += block.len() as u64;
            rows.push(row);
            blocks.push(block);
        }
        let table = postcard::to_stdvec(&rows).map_err(std::io::Error::other)?;
        let length = (table.len() as u64).to_le_bytes();
        // Written from where they are: all of them in one piece would be as much memory again, while linking needs the most.
        let parts: Vec<&[u8]> = [&length, table.as_slice()].into_iter().chain(blocks.iter().map(Cow::as_ref)).collect();
        kept::put(&place.file, HEAD, &parts)?;
        Changes::forget(&place.file);
        Ok(())
    }

    fn row(&self, path: &str) -> Option<&Row> {
        let index = self.rows.binary_search_by(|row| row.path.as_str().cmp(path)).ok()?;
        Some(&self.rows[index])
    }

    fn outcome(&self, row: &Row) -> Option<Outcome> {
        match row.outcome {
            KeptOutcome::Other => Some(Outcome::Other),
            KeptOutcome::Skipped(reason) => Some(Outcome::Skipped(reason)),
            KeptOutcome::Source => {
                let plain = lz4_flex::decompress_size_prepended(self.block(row)?).ok()?;
                let (lines, facts) = table::unpack(&plain).ok()?;
                Some(Outcome::Source { lines, facts })
            }
        }
    }

    fn block(&self, row: &Row) -> Option<&[u8]> {
        let start = usize::try_from(row.start).ok()?;
        // Blocks of changes are numbered on from those of the file.
        let (blocks, start) = match start.checked_sub(self.blocks.len()) {
            Some(start) => (self.changes.blocks(), start),
            None => (self.blocks.as_slice(), start),
        };
        blocks.get(start..start.checked_add(row.length as usize)?)
    }

    /// The identity by which `entry` may be known at the next run; unknown when it was modified too shortly before it was read.
    fn identity(&self, entry: &TreeEntry) -> KeptIdentity {
        match entry.identity {
            Identity::Stat { modified_ns, changed_ns, .. } => {
                let now = self.place.as_ref().map_or(0, |place| place.now_ns);
                let settled = now.saturating_sub(modified_ns.max(changed_ns)) > RACY_NS;
                if settled { entry.identity.into() } else { KeptIdentity::Unknown }
            }
            Identity::Blob(_) | Identity::Unknown => entry.identity.into(),
        }
    }
}

impl From<Identity> for KeptIdentity {
    fn from(identity: Identity) -> Self {
        match identity {
            Identity::Unknown => KeptIdentity::Unknown,
            Identity::Stat { modified_ns, changed_ns, inode } => KeptIdentity::Stat { modified_ns, changed_ns, inode },
            Identity::Blob(id) => KeptIdentity::Blob(id),
        }
    }
}

/// One block: facts, packed.
fn pack(lines: u32, facts: &FileFacts) -> Option<Vec<u8>> {
    thread_local! {
        // Large buffers that come and go cost more than what is done in them.
        static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    PLAIN.with_borrow_mut(|plain| {
        plain.clear();
        table::pack(&(lines, facts), plain).ok()?;
        let mut block = lz4_flex::compress_prepend_size(plain.as_slice());
        block.shrink_to_fit();
        Some(block)
    })
}

/// The hash by which content is known again.
pub(super) fn content_hash(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// Sum, table and blocks of the file at `place`, if it was written whole by this build.
fn read(place: &Path) -> Option<(u64, Vec<Row>, Vec<u8>)> {
    let (sum, mut bytes) = kept::get_with_sum(place, HEAD)?;
    let (table, start) = table_of(&bytes)?;
    let rows: Vec<Row> = postcard::from_bytes(table).ok()?;
    bytes.drain(..start);
    Some((sum, rows, bytes))
}

/// The table at the front of `bytes`, and where the blocks begin.
fn table_of(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let table = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((table, bytes.len() - rest.len() + table.len()))
}

#[cfg(test)]
mod tests;
