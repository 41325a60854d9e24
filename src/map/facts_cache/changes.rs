//! What changed since the facts of all files were written, in a file of its own: an edit need not write megabytes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Block, FactsCache, Remembered, Row, table_of};
use crate::kept;

/// The kind of file and the build that wrote it.
const HEAD: &[u8] = concat!("improve-facts-changes-1\n", env!("IMPROVE_FACTS_FINGERPRINT")).as_bytes();
/// Of so many files one may have changed before everything is written anew. Our choice: what stands twice stays below a tenth.
const ONE_OF: usize = 16;
/// So many may have changed in any case.
const AT_LEAST: usize = 8;

/// Differences between what is known and the file of all facts.
#[derive(Default)]
pub(super) struct Changes {
    /// The sum of the file they belong to; `None` when there is none.
    of: Option<u64>,
    /// Paths whose rows are not those of the file, in order.
    paths: Vec<String>,
    /// Paths of the file that are no more.
    removed: Vec<String>,
    blocks: Vec<u8>,
}

/// The table, as it is written.
#[derive(Serialize, Deserialize)]
struct Table {
    of: u64,
    /// In order of path; blocks are counted on from those of the file.
    rows: Vec<Row>,
    removed: Vec<String>,
}

impl Changes {
    /// The changes beside `file`, whose sum is `of`, and `rows` with them.
    pub fn load(file: &Path, of: u64, rows: Vec<Row>) -> (Self, Vec<Row>) {
        let mut changes = Self { of: Some(of), ..Self::default() };
        let Some((table, blocks)) = read(&place(file)).filter(|(table, _)| table.of == of) else {
            return (changes, rows);
        };
        changes.paths = table.rows.iter().map(|row| row.path.clone()).collect();
        let mut merged = Vec::with_capacity(rows.len() + table.rows.len());
        let mut changed = table.rows.into_iter().peekable();
        for row in rows {
            while let Some(before) = changed.next_if(|changed| changed.path < row.path) {
                merged.push(before);
            }
            if let Some(instead) = changed.next_if(|changed| changed.path == row.path) {
                merged.push(instead);
            } else if table.removed.binary_search(&row.path).is_err() {
                merged.push(row);
            }
        }
        merged.extend(changed);
        changes.removed = table.removed;
        changes.blocks = blocks;
        (changes, merged)
    }

    /// Blocks of what changed.
    pub fn blocks(&self) -> &[u8] {
        &self.blocks
    }

    /// Writes what of `remembered` is not as in `file`; `None` when that is too much, or there is nothing to differ from.
    pub fn save(&self, file: &Path, cache: &FactsCache, remembered: &[Remembered]) -> Option<std::io::Result<()>> {
        let of = self.of?;
        let (mut new, mut removed) = (Vec::new(), self.removed.clone());
        let mut rows = cache.rows.iter().peekable();
        // Both are in order of path.
        for known in remembered {
            while let Some(gone) = rows.next_if(|row| row.path < known.row.path) {
                removed.push(gone.path.clone());
            }
            let before = rows.next_if(|row| row.path == known.row.path);
            let is_same = known.block == Block::Kept && before == Some(&known.row);
            if !is_same || self.paths.binary_search(&known.row.path).is_ok() {
                new.push(known);
            }
        }
        removed.extend(rows.map(|gone| gone.path.clone()));
        removed.sort_unstable();
        removed.dedup();
        if new.len() + removed.len() > (cache.rows.len() / ONE_OF).max(AT_LEAST) {
            return None;
        }
        let first = cache.blocks.len() as u64;
        let mut blocks = Vec::new();
        let rows = new.into_iter().map(|known| {
            let mut row = known.row.clone();
            let block = match &known.block {
                Block::New(block) => block.as_slice(),
                // A block of the file itself stays where it is.
                Block::Kept if row.start < first => return row,
                Block::Kept => cache.block(&row).unwrap_or_default(),
            };
            row.start = first + blocks.len() as u64;
            blocks.extend_from_slice(block);
            row
        });
        let table = Table { of, rows: rows.collect(), removed };
        Some(
            postcard::to_stdvec(&table).map_err(std::io::Error::other).and_then(|table| {
                kept::put(&place(file), HEAD, &[&(table.len() as u64).to_le_bytes(), &table, &blocks])
            }),
        )
    }

    /// Removes the changes beside `file`, which was written anew. Left behind they would belong to nothing.
    pub fn forget(file: &Path) {
        let _ = std::fs::remove_file(place(file));
    }
}

fn place(file: &Path) -> PathBuf {
    file.with_extension("changes")
}

fn read(file: &Path) -> Option<(Table, Vec<u8>)> {
    let mut bytes = kept::get(file, HEAD)?;
    let (table, start) = table_of(&bytes)?;
    let table = postcard::from_bytes(table).ok()?;
    bytes.drain(..start);
    Some((table, bytes))
}
