//! The file system under the backlog: whose a folder is, what is in it, locking and writing.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{BacklogError, INDEX, MAX_DEPTH, PlanFile};
use crate::os;
use crate::plan::index;
use crate::plan::parse::parse;

/// Whose a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Absent or empty.
    Nobody,
    /// It holds plans of this format.
    Plans,
    /// It holds something else.
    SomethingElse,
}

/// Judged by content: an index of ours or a numbered plan makes it ours.
pub(super) fn owner(folder: &Path) -> Owner {
    match fs::symlink_metadata(folder) {
        Err(_) => return Owner::Nobody,
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Owner::SomethingElse,
    }
    let index = fs::read_to_string(folder.join(INDEX)).unwrap_or_default();
    if index == index::EMPTY || !index::rows(&index).is_empty() || !index::rejections(&index).is_empty() {
        return Owner::Plans;
    }
    let mut plans = Vec::new();
    collect(folder, "", MAX_DEPTH, &mut plans);
    let is_plan = |plan: &PlanFile| {
        let path = folder.join(plan.path.trim_start_matches('/'));
        plan.number.is_some() && fs::read_to_string(path).is_ok_and(|text| parse(&text).is_ok())
    };
    if plans.iter().any(is_plan) {
        return Owner::Plans;
    }
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if empty { Owner::Nobody } else { Owner::SomethingElse }
}

pub(super) fn collect(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<PlanFile>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (Ok(kind), Some(name)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned)) else {
            continue;
        };
        let path = format!("{prefix}/{name}");
        if kind.is_dir() && depth > 0 {
            collect(&entry.path(), &path, depth - 1, found);
        } else if kind.is_file()
            && let Some(stem) = name.strip_suffix(".md")
            && !stem.eq_ignore_ascii_case("readme")
        {
            let number = index::number_of_file(&name);
            let slug = match number {
                Some(_) => stem.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_']),
                None => stem,
            };
            found.push(PlanFile { path, number, slug: slug.to_owned() });
        }
    }
}

pub(super) fn refuse_link(path: &Path) -> Result<(), BacklogError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_symlink() => Err(BacklogError::Symlink { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// What becomes of a file that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and writing fails.
    Keep,
    /// It is replaced.
    Replace,
}

/// Writes beside `path`, then renames: a reader sees the old text or the new one.
pub(super) fn write_atomically(path: &Path, text: &str, existing: Existing) -> Result<(), BacklogError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    refuse_link(path)?;
    let write = || -> io::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".improve-").suffix(".tmp");
        // Plans are meant to be read and committed.
        os::make_readable(&mut builder);
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|error| BacklogError::io(folder, error))?;
    let persisted = match existing {
        Existing::Replace => file.persist(path),
        Existing::Keep => file.persist_noclobber(path),
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(BacklogError::Exists { path: path.to_owned() })
        }
        Err(error) => Err(BacklogError::io(path, error.error)),
    }
}
