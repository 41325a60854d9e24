//! Who made the commits of a walk, and what their subjects say: looked up when somebody asks, since few reports do.

use std::collections::BTreeMap;

use super::Repository;
use super::touches::Touches;
use crate::git::GitError;
use crate::repo_map::FileId;
use crate::repo_map::history::{Commit, Log};

impl Repository {
    /// The commits of `touches` that touched one of the files `present`, which are sorted. One address is one author, by the name it
    /// had last; `.mailmap` decides where there is one.
    pub fn log<'a>(&self, touches: &Touches, present: impl Iterator<Item = &'a str>) -> Result<Log, GitError> {
        let place = place(touches, present);
        let mailmap = self.inner.mailmap().ok();
        let mut names: BTreeMap<Vec<u8>, String> = BTreeMap::new();
        let mut log = Log { commits: Vec::new(), bounded: self.inner.is_shallow() };
        for touching in &touches.commits {
            let Some(change) = &touching.change else { continue };
            let mut files: Vec<FileId> =
                touches.touches[change.touches.clone()].iter().filter_map(|&path| place[path as usize]).collect();
            if files.is_empty() {
                continue;
            }
            files.sort_unstable();
            let commit = self.inner.find_commit(touching.id.into()).map_err(|error| self.failed(&error))?;
            let mapped = mailmap.as_ref().and_then(|mailmap| commit.author_with_mailmap(mailmap).ok());
            let author = mapped.unwrap_or_else(|| commit.author().to_owned());
            // Commits come newest first, so the first name of an address is its last.
            let name = names
                .entry(author.email_bytes().to_ascii_lowercase())
                .or_insert_with(|| String::from_utf8_lossy(author.name_bytes()).into_owned());
            let subject = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
            log.commits.push(Commit { time: touching.time, author: name.clone(), subject, files });
        }
        let known: std::collections::HashSet<_> = touches.commits.iter().map(|commit| commit.id).collect();
        log.bounded |= touches.commits.iter().flat_map(|commit| &commit.parents).any(|parent| !known.contains(parent));
        Ok(log)
    }
}

/// The file each touched path is now, if it is one of `present`.
fn place<'a>(touches: &Touches, present: impl Iterator<Item = &'a str>) -> Vec<Option<FileId>> {
    let mut place = vec![None; touches.paths.len()];
    let mut paths = touches.paths.iter().zip(&mut place).peekable();
    for (path, id) in present.zip(0..) {
        while paths.next_if(|(touched, _)| *touched < path.as_bytes()).is_some() {}
        if let Some((_, place)) = paths.next_if(|(touched, _)| *touched == path.as_bytes()) {
            *place = Some(id);
        }
    }
    place
}
