//! Files of a worktree: read, written and removed, never through a link and never outside of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Change, Content, Worktree, WorktreeError, io_at};
use crate::edit::path;
use crate::{os, temporary};

impl Worktree {
    /// The text of a file, when it is a regular file inside the worktree and UTF-8.
    pub fn text(&self, path: &str) -> Option<String> {
        self.refuse_unsafe(path).ok()?;
        String::from_utf8(fs::read(self.folder.join(path)).ok()?).ok()
    }

    /// Writes texts (`None` removes). The one door through which edits reach files: links and paths that leave the worktree are
    /// refused, all of them before the first is written.
    pub fn write(&self, files: &BTreeMap<String, Option<String>>) -> Result<(), WorktreeError> {
        for path in files.keys() {
            self.refuse_unsafe(path)?;
        }
        for (path, text) in files {
            let file = self.folder.join(path);
            match text {
                Some(text) => write_file(&file, text.as_bytes())?,
                None => self.remove_file(&file)?,
            }
        }
        Ok(())
    }

    /// Brings changes made elsewhere: bytes, links and modes, as they are.
    pub fn take_over(&self, changes: &[Change]) -> Result<(), WorktreeError> {
        for change in changes {
            let file = self.folder.join(&change.path);
            self.refuse_linked_parent(&change.path)?;
            if fs::symlink_metadata(&file).is_ok() {
                self.remove_file(&file)?;
            }
            match &change.new {
                None => {}
                Some(Content::File { bytes, executable }) => {
                    write_file(&file, bytes)?;
                    os::set_executable(&file, *executable).map_err(io_at(&file))?;
                }
                Some(Content::Link { target }) => {
                    make_parent(&file)?;
                    os::symlink(target, &file).map_err(io_at(&file))?;
                }
                Some(Content::Other) => {
                    let reason = "a nested repository cannot be brought over".to_owned();
                    return Err(WorktreeError::RefusedPath { path: change.path.clone(), reason });
                }
            }
        }
        Ok(())
    }

    fn remove_file(&self, file: &Path) -> Result<(), WorktreeError> {
        fs::remove_file(file).map_err(io_at(file))?;
        // git knows no empty folders.
        let parents = file.ancestors().skip(1).take_while(|parent| *parent != self.folder);
        for parent in parents {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn refuse_unsafe(&self, path: &str) -> Result<(), WorktreeError> {
        self.refuse_linked_parent(path)?;
        match fs::symlink_metadata(self.folder.join(path)) {
            Ok(metadata) if !metadata.is_file() => {
                Err(WorktreeError::RefusedPath { path: path.to_owned(), reason: "it is not a regular file".to_owned() })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) fn refuse_linked_parent(&self, path: &str) -> Result<(), WorktreeError> {
        let refused = |reason: String| WorktreeError::RefusedPath { path: path.to_owned(), reason };
        if let Some(fault) = path::fault(path) {
            return Err(refused(fault.to_owned()));
        }
        let mut parent = self.folder.clone();
        let segments: Vec<&str> = path.split('/').collect();
        for segment in &segments[..segments.len() - 1] {
            parent.push(segment);
            match fs::symlink_metadata(&parent) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(refused(format!("`{segment}` in it is not a folder"))),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Removes what stands at a path: a file, or a link, also one in the place of a folder above it.
    pub(super) fn clear_away(&self, path: &str) -> Result<(), WorktreeError> {
        let mut file = self.folder.clone();
        for part in Path::new(path).components() {
            file.push(part);
            let Ok(metadata) = fs::symlink_metadata(&file) else { return Ok(()) };
            if !metadata.is_dir() {
                return fs::remove_file(&file).map_err(io_at(&file));
            }
        }
        Ok(())
    }
}

pub(super) fn make_parent(file: &Path) -> Result<(), WorktreeError> {
    match file.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(io_at(parent)),
        None => Ok(()),
    }
}

pub(super) fn write_file(file: &Path, bytes: &[u8]) -> Result<(), WorktreeError> {
    make_parent(file)?;
    // A second name of the file, outside of here perhaps, keeps what it has.
    let linked = fs::symlink_metadata(file).ok().filter(|metadata| metadata.is_file() && os::has_other_names(metadata));
    if linked.is_some() {
        fs::remove_file(file).map_err(io_at(file))?;
    }
    fs::write(file, bytes).map_err(io_at(file))?;
    match linked {
        Some(metadata) => fs::set_permissions(file, metadata.permissions()).map_err(io_at(file)),
        None => Ok(()),
    }
}

/// Removes a folder of ours, with what tools made read-only in it.
pub(crate) fn remove_tree(folder: &Path) -> Result<(), WorktreeError> {
    temporary::remove_tree(folder).map_err(io_at(folder))
}
