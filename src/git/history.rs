//! What git knows about each file: how often it changed of late, when last, and by how many people.
//!
//! Trees are compared here by hand, skipping equal ids. libgit2's own tree diff expands unchanged folders and is 5 to 40
//! times slower; line counts, which cost more still, are not needed for a count of touches.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use git2::{ObjectType, Oid, Tree};

use super::{CommitId, GitError, Repository};
use crate::progress::Progress;
use crate::repo_map::FileHistory;

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Commits compared at most.
    pub commits: usize,
    /// Seconds before the newest commit.
    pub age: i64,
}

impl Default for HistoryLimits {
    /// 2,000 commits and two years: our choice, under a second on a repository of 700,000 lines.
    fn default() -> Self {
        Self { commits: 2_000, age: 730 * DAY }
    }
}

const DAY: i64 = 24 * 60 * 60;
/// Churn predicts defects (Nagappan & Ball, ICSE 2005); 90 days is our choice.
const CHURN_WINDOW: i64 = 90 * DAY;

#[derive(Default)]
struct Touched {
    churn: u32,
    last_change: i64,
    authors: BTreeSet<u32>,
}

impl Repository {
    /// What the history before `commit` says of each file, by path. Merges are walked through but not counted: what they bring
    /// is counted where it was made. A rename begins a new file.
    pub fn history(
        &self,
        commit: &CommitId,
        limits: HistoryLimits,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<String, FileHistory>, GitError> {
        // Corrupt objects are `git fsck`'s business; hashing each again costs a third of the walk.
        git2::opts::strict_hash_verification(false);
        let failed = |error: git2::Error| self.failed(&error);
        let newest = self.find_commit(commit)?.time().seconds();
        let mut walk = self.inner.revwalk().map_err(failed)?;
        walk.set_sorting(git2::Sort::TIME).map_err(failed)?;
        walk.push(self.oid(commit)?).map_err(failed)?;

        progress.phase("history", None);
        let mut files: HashMap<Vec<u8>, Touched> = HashMap::new();
        let mut authors: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut compared = 0;
        for id in walk {
            if progress.cancelled() {
                return Err(GitError::Cancelled);
            }
            // A shallow clone ends in commits whose parents are absent: what was read until then stands.
            let Ok(commit) = id.and_then(|id| self.inner.find_commit(id)) else { break };
            let time = commit.time().seconds();
            if newest - time > limits.age || compared >= limits.commits {
                break;
            }
            if commit.parent_count() > 1 {
                continue;
            }
            let before = match commit.parent_id(0) {
                Ok(parent) => match self.inner.find_commit(parent).and_then(|parent| parent.tree()) {
                    Ok(tree) => Some(tree),
                    Err(_) => continue,
                },
                // The first commit of a shallow clone seems to add every file; it says nothing about them.
                Err(_) if self.inner.is_shallow() => continue,
                Err(_) => None,
            };
            compared += 1;
            let next = authors.len() as u32;
            let author = *authors.entry(commit.author().email_bytes().to_ascii_lowercase()).or_insert(next);
            let Ok(after) = commit.tree() else { break };
            let outcome = self.touched(before.as_ref(), &after, &mut Vec::new(), &mut |path| {
                let file = match files.get_mut(path) {
                    Some(file) => file,
                    None => files.entry(path.to_vec()).or_default(),
                };
                file.churn += u32::from(newest - time <= CHURN_WINDOW);
                file.last_change = file.last_change.max(time);
                file.authors.insert(author);
            });
            match outcome {
                // A clone without trees holds only the newest ones.
                Err(error) if error.code() == git2::ErrorCode::NotFound => break,
                outcome => outcome.map_err(failed)?,
            }
            progress.tick(1);
        }
        Ok(files
            .into_iter()
            .filter_map(|(path, touched)| {
                let history = FileHistory {
                    churn_90d: touched.churn,
                    last_change: Some(touched.last_change),
                    authors: touched.authors.len() as u32,
                };
                Some((String::from_utf8(path).ok()?, history))
            })
            .collect())
    }

    /// Calls `visit` with each file of `after` that `before` does not have in the same form.
    fn touched(
        &self,
        before: Option<&Tree<'_>>,
        after: &Tree<'_>,
        path: &mut Vec<u8>,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), git2::Error> {
        let mut old = before.into_iter().flat_map(Tree::iter).peekable();
        for new in after.iter() {
            // Both lists are in git's order; what stands before `new` was deleted.
            while old.next_if(|old| git_order(old, &new) == Ordering::Less).is_some() {}
            let old = old.next_if(|old| git_order(old, &new) == Ordering::Equal);
            if old.as_ref().is_some_and(|old| old.id() == new.id() && old.filemode() == new.filemode()) {
                continue;
            }
            let length = path.len();
            path.extend_from_slice(new.name_bytes());
            match new.kind() {
                Some(ObjectType::Blob) => visit(path),
                Some(ObjectType::Tree) => {
                    path.push(b'/');
                    let old = old.filter(|old| old.kind() == Some(ObjectType::Tree)).map(|old| old.id());
                    let old = old.map(|id: Oid| self.inner.find_tree(id)).transpose()?;
                    self.touched(old.as_ref(), &self.inner.find_tree(new.id())?, path, visit)?;
                }
                _ => {}
            }
            path.truncate(length);
        }
        Ok(())
    }
}

/// The order of entries in a git tree: by bytes, a folder as if its name ended in `/`.
fn git_order(left: &git2::TreeEntry<'_>, right: &git2::TreeEntry<'_>) -> Ordering {
    let key = |entry: &git2::TreeEntry<'_>| (entry.kind() == Some(ObjectType::Tree)).then_some(b'/');
    let (left_end, right_end) = (key(left), key(right));
    left.name_bytes().iter().copied().chain(left_end).cmp(right.name_bytes().iter().copied().chain(right_end))
}
