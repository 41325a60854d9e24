//! Receipts on disk: written whole or not at all, never overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::receipt::Receipt;

/// A receipt that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is not a receipt.
    #[error("{}: not a receipt: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Writes a receipt into `folder` and gives it back with its file's name.
pub fn write(folder: &Path, slug: &str, receipt: Receipt) -> Result<Receipt, RecordError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordError::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(io(folder))?;
    let time: String = receipt.started_at.chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let names = (0..)
        .map(|number| if number == 0 { format!("{slug}-{time}.json") } else { format!("{slug}-{time}-{number}.json") });
    let path = names.map(|name| folder.join(name)).find(|path| !path.exists()).expect("some number is free");
    let receipt = Receipt { file: Some(path.display().to_string()), ..receipt };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io(folder))?;
    serde_json::to_writer_pretty(&mut file, &receipt).map_err(|error| io(&path)(error.into()))?;
    file.as_file().sync_data().map_err(io(&path))?;
    file.persist_noclobber(&path).map_err(|error| io(&path)(error.error))?;
    Ok(receipt)
}

/// Every receipt in `folder` about the plan `slug`, oldest first.
pub fn read_all(folder: &Path, slug: &str) -> Result<Vec<Receipt>, RecordError> {
    let mut receipts = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_of(&name, slug) {
            continue;
        }
        receipts.push(read_one(&path)?);
    }
    receipts.sort_by(|a, b| (&a.started_at, &a.file).cmp(&(&b.started_at, &b.file)));
    Ok(receipts)
}

/// The newest receipts in `folder`, about whatever plan, at most so many; what cannot be read is left out.
pub fn newest(folder: &Path, at_most: usize) -> Vec<Receipt> {
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    files.iter().rev().take(at_most).filter_map(|(_, path)| read_one(path).ok()).collect()
}

/// The receipt in a file.
pub fn read_one(path: &Path) -> Result<Receipt, RecordError> {
    let bytes = fs::read(path).map_err(|source| RecordError::Io { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| RecordError::Unreadable { path: path.to_owned(), source })
}

/// Receipts in `folder` whose name is `name`, else those whose name begins with it; sorted.
pub fn find_by_name(folder: &Path, name: &str) -> Vec<PathBuf> {
    let name = name.strip_suffix(".json").unwrap_or(name);
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| !name.is_empty() && stem(path).starts_with(name))
        .collect();
    found.sort();
    match found.iter().position(|path| stem(path) == name) {
        Some(exact) => vec![found.swap_remove(exact)],
        None => found,
    }
}

/// Whether a file is called as [`write`] calls the receipts of `slug`; `001-a` is not the plan of `001-a-b-20260102T030405.json`.
fn is_of(name: &str, slug: &str) -> bool {
    let rest = name.strip_prefix(slug).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".json"));
    rest.is_some_and(|time| {
        let (date, clock) = time.split_once('T').unwrap_or((time, ""));
        let is_date = date.len() == 8 && date.chars().all(|c| c.is_ascii_digit());
        is_date && !clock.is_empty() && clock.chars().all(|c| c.is_ascii_digit() || c == '-')
    })
}
