//! Advisories from disk: a folder in the layout of RustSec's advisory-db, a folder of OSV files, or one OSV file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Advisories;

/// Folders below a database that are gone through. Our choice: `crates/NAME/ID.md`, `advisories/github-reviewed/2024/01/ID/ID.json`.
const MAX_DEPTH: usize = 7;
/// Files of a database that are read; the npm part of OSV has some 20,000 without those about malware.
const MAX_FILES: usize = 400_000;
/// Bytes of one file.
const MAX_BYTES: u64 = 64 << 20;

/// A database that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoriesError {
    /// The path cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing in it is an advisory.
    #[error("{}: no advisory in it", path.display())]
    Empty {
        /// The path.
        path: PathBuf,
    },
}

impl crate::hint::Hint for AdvisoriesError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            AdvisoriesError::Unreadable { .. } => "name a folder or a file that exists".to_owned(),
            AdvisoriesError::Empty { .. } => {
                "a clone of github.com/rustsec/advisory-db, or a folder of OSV JSON files, is a database".to_owned()
            }
        })
    }
}

/// The advisories at `path`.
pub fn read(path: &Path) -> Result<Advisories, AdvisoriesError> {
    let unreadable = |source| AdvisoriesError::Unreadable { path: path.to_owned(), source };
    let mut files = BTreeSet::new();
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        // The other folders of RustSec's database are about Rust itself and its own texts.
        let crates = path.join("crates");
        list(if crates.is_dir() { &crates } else { path }, 0, &mut files).map_err(unreadable)?;
    } else {
        files.insert(path.to_owned());
    }
    let parts: Vec<Advisories> = files
        .into_par_iter()
        .fold(Advisories::default, |mut advisories, file| {
            let small = std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
            if let Some(text) = small.then(|| std::fs::read_to_string(&file).ok()).flatten() {
                advisories.add(&file.to_string_lossy(), &text);
            }
            advisories
        })
        .collect();
    let mut advisories = Advisories::default();
    parts.into_iter().for_each(|part| advisories.extend(part));
    if advisories.is_empty() {
        return Err(AdvisoriesError::Empty { path: path.to_owned() });
    }
    Ok(advisories)
}

fn list(folder: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() && depth < MAX_DEPTH && !entry.file_name().to_string_lossy().starts_with('.') {
            list(&path, depth + 1, files)?;
        } else if kind.is_file()
            && path.extension().is_some_and(|end| end == "md" || end == "json" || end == "toml")
            && files.len() < MAX_FILES
        {
            files.insert(path);
        }
    }
    Ok(())
}

/// Databases that cargo-audit and cargo-deny keep in Cargo's folder.
pub fn found_in(cargo_home: &Path) -> Vec<PathBuf> {
    let mut found = vec![cargo_home.join("advisory-db")];
    let mut more: Vec<PathBuf> = std::fs::read_dir(cargo_home.join("advisory-dbs"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    more.sort();
    found.extend(more);
    found.retain(|path| path.join("crates").is_dir());
    // They are copies of one another.
    found.truncate(1);
    found
}
