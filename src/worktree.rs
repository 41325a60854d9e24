//! Worktrees of ours: where plans are carried out, so that the user's own tree, index and HEAD are never touched.
//!
//! git is driven through libgit2, not through its command line: libgit2 runs no hooks, no fsmonitor and no external filters
//! whatever the configuration says, so nothing that a repository brings along is executed by the host. The price is in [`limits`]:
//! files kept by Git LFS are pointers in a worktree, submodules come from the user's checkout of them; that is said in the receipt.
//!
//! Written in the user's `.git`: branches `improve/*`, the worktrees' own metadata, objects, and the folder `improve/`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{
    ErrorCode, FileMode, Oid, Repository, RepositoryOpenFlags, ResetType, Signature, WorktreeAddOptions,
    WorktreePruneOptions,
};

use crate::os;

mod aside;
pub mod bring;
pub mod caches;
pub mod change;
mod error;
mod files;
mod ground;
pub mod lease;
pub mod leftover;
mod limits;
pub mod place;
mod turn;

pub use caches::{Cache, caches, clean_caches};
pub use change::{Change, Content};
pub use error::WorktreeError;
pub use leftover::{Leftover, clean, leftovers};
pub use place::Place;

pub(crate) use error::{git, io_at};
pub(crate) use files::remove_tree;
use turn::Turn;

/// A worktree of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    folder: PathBuf,
    /// The bytes of its `.git` file as we wrote it.
    pointer: Vec<u8>,
    /// See [`Worktree::set_aside`].
    aside: Vec<String>,
}

impl Worktree {
    /// A new worktree at `commit`, on a new branch or detached. What an interrupted run left under this name is removed first.
    pub fn create(place: &Place, name: &str, commit: &str, branch: Option<&str>) -> Result<Worktree, WorktreeError> {
        Worktree::remove_folder(place, name)?;
        let _turn = Turn::take(place)?;
        Worktree::forget(place, name)?;
        let folder = place.folder_of(name);
        fs::create_dir_all(place.worktrees()).map_err(io_at(place.worktrees()))?;
        let repository = place.repository()?;
        let target = repository.find_commit(oid(commit)?).map_err(git("read the base commit"))?;
        let branch_name = branch.map_or_else(|| format!("improve/{name}"), str::to_owned);
        let created = repository.branch(&branch_name, &target, branch.is_none()).map_err(git("create the branch"))?;
        let mut options = WorktreeAddOptions::new();
        options.reference(Some(created.get()));
        // libgit2 makes the folder of all worktrees where it is not there, and fails when another run has just made it.
        let shared = place.common().join("worktrees");
        fs::create_dir_all(&shared).map_err(io_at(&shared))?;
        let added = repository.worktree(&place::git_name(name), &folder, Some(&options));
        if added.as_ref().is_err_and(|error| error.code() == ErrorCode::NotFound) && limits::is_partial(&repository) {
            Worktree::remove_folder(place, name)?;
            Worktree::forget(place, name)?;
            let mut branch = created;
            branch.delete().map_err(git("delete the branch"))?;
            return Err(WorktreeError::Partial { folder: place.root().to_owned() });
        }
        let worktree = added.map_err(git("create the worktree")).and_then(|_| Worktree::at(place, name));
        if branch.is_none() {
            // libgit2 cannot create a detached worktree, so the branch is let go of again.
            let detached = worktree.as_ref().ok().map(|worktree| {
                worktree.repository()?.set_head_detached(target.id()).map_err(git("detach the worktree"))
            });
            let mut branch = created;
            let deleted = branch.delete().map_err(git("delete the temporary branch"));
            detached.transpose()?;
            deleted?;
        }
        worktree
    }

    /// A worktree that exists, from an earlier run.
    pub fn at(place: &Place, name: &str) -> Result<Worktree, WorktreeError> {
        let folder = place.folder_of(name);
        // What git keeps about the worktree, not what stands in it, says what its `.git` file must hold.
        let metadata = place.common().join("worktrees").join(place::git_name(name));
        let pointer = format!("gitdir: {}\n", metadata.display()).into_bytes();
        let worktree = Worktree { folder, pointer, aside: Vec::new() };
        worktree.check_pointer()?;
        Ok(worktree)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its repository, opened only while its `.git` file is the one we wrote: a changed one would send git elsewhere.
    pub(crate) fn repository(&self) -> Result<Repository, WorktreeError> {
        self.check_pointer()?;
        let flags = RepositoryOpenFlags::NO_SEARCH;
        let repository = Repository::open_ext(&self.folder, flags, std::iter::empty::<&OsStr>())
            .map_err(git("open the worktree"))?;
        for path in &self.aside {
            // Rules of this handle alone: nothing is written into the repository.
            repository.add_ignore_rule(&aside::ignore_rule(path)).map_err(git("set aside what was installed"))?;
        }
        Ok(repository)
    }

    fn check_pointer(&self) -> Result<(), WorktreeError> {
        let file = self.folder.join(".git");
        let is_file = fs::symlink_metadata(&file).map_err(io_at(&file))?.is_file();
        let same = is_file && {
            let bytes = fs::read(&file).map_err(io_at(&file))?;
            bytes.trim_ascii_end() == self.pointer.trim_ascii_end()
                || same_folder(bytes.trim_ascii_end(), self.pointer.trim_ascii_end())
        };
        if same { Ok(()) } else { Err(WorktreeError::PointerChanged { folder: self.folder.clone() }) }
    }

    /// The commit it stands on.
    pub fn head(&self) -> Result<String, WorktreeError> {
        let repository = self.repository()?;
        let head = repository.head().and_then(|head| head.peel_to_commit()).map_err(git("read the worktree's HEAD"))?;
        Ok(head.id().to_string())
    }

    /// Everything that differs from `commit`: committed, uncommitted and new files; ignored ones apart.
    pub fn changes_since(&self, commit: &str) -> Result<Vec<Change>, WorktreeError> {
        change::in_folder(&self.repository()?, &self.folder, commit)
    }

    /// Commits `paths` as they stand in the worktree.
    pub fn commit(&self, paths: &[String], message: &str) -> Result<String, WorktreeError> {
        let repository = self.repository()?;
        let what = git("commit");
        let mut index = repository.index().map_err(&what)?;
        for path in paths {
            if fs::symlink_metadata(self.folder.join(path)).is_ok() {
                index.add_path(Path::new(path)).map_err(&what)?;
            } else {
                index.remove_path(Path::new(path)).map_err(&what)?;
            }
        }
        index.write().map_err(&what)?;
        let tree = index.write_tree().and_then(|id| repository.find_tree(id)).map_err(&what)?;
        let parent = repository.head().and_then(|head| head.peel_to_commit()).map_err(&what)?;
        let author = identity(&repository)?;
        let id = repository.commit(None, &author, &author, message, &tree, &[&parent]).map_err(&what)?;
        self.check_written(id)?;
        let summary = message.lines().next().unwrap_or_default();
        let head = repository.head().and_then(|mut head| head.set_target(id, &format!("commit: {summary}")));
        head.map_err(&what)?;
        Ok(id.to_string())
    }

    /// Whether a commit is on disk with what is new in it, before anything points to it: on a full disk libgit2 (1.9) gives the id of an
    /// object that it could not write, and no error.
    fn check_written(&self, id: Oid) -> Result<(), WorktreeError> {
        // A handle that has not seen the objects before reads them from disk.
        let repository = self.repository()?;
        let is_written = || -> Result<bool, git2::Error> {
            let commit = repository.find_commit(id)?;
            let diff = repository.diff_tree_to_tree(Some(&commit.parent(0)?.tree()?), Some(&commit.tree()?), None)?;
            let odb = repository.odb()?;
            let mut new = diff.deltas().map(|delta| delta.new_file()).filter(|file| file.mode() != FileMode::Commit);
            Ok(new.all(|file| file.id().is_zero() || odb.read_header(file.id()).is_ok()))
        };
        match is_written() {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => {
                let path = repository.commondir().join("objects");
                Err(WorktreeError::Io { path, source: io::ErrorKind::StorageFull.into() })
            }
        }
    }

    /// Makes the worktree, and the branch it is on, what `commit` is; new files that are not ignored are removed.
    pub fn reset_to(&self, commit: &str) -> Result<(), WorktreeError> {
        // libgit2 writes through links, symbolic and hard ones: what was put in the place of a file would lead it out of here.
        for change in self.changes_since(commit)? {
            self.clear_away(&change.path)?;
        }
        let repository = self.reset(commit, ResetType::Hard)?;
        // libgit2's reset leaves new files, whatever its options say.
        let mut checkout = CheckoutBuilder::new();
        checkout.force().remove_untracked(true);
        repository.checkout_head(Some(&mut checkout)).map_err(git("reset the worktree"))
    }

    /// Takes back whatever somebody did with git here: HEAD is on `branch` again and `branch` at `commit`, while every file stays as it
    /// is. A branch that was switched to in between is not moved.
    pub fn bring_back_to(&self, branch: &str, commit: &str) -> Result<(), WorktreeError> {
        {
            let repository = self.repository()?;
            let name = format!("refs/heads/{branch}");
            let target = oid(commit)?;
            if repository.refname_to_id(&name).ok() != Some(target) {
                repository
                    .reference(&name, target, true, "improve: taken back")
                    .map_err(git("move the branch back"))?;
            }
            let head = repository.find_reference("HEAD").map_err(git("read the worktree's HEAD"))?;
            if head.symbolic_target_bytes() != Some(name.as_bytes()) {
                repository.set_head(&name).map_err(git("put HEAD back on the branch"))?;
            }
        }
        self.reset(commit, ResetType::Mixed).map(|_| ())
    }

    fn reset(&self, commit: &str, kind: ResetType) -> Result<Repository, WorktreeError> {
        let repository = self.repository()?;
        let target = repository.find_object(oid(commit)?, None).map_err(git("read a commit"))?;
        repository.reset(&target, kind, None).map_err(git("reset the worktree"))?;
        drop(target);
        Ok(repository)
    }

    /// Removes the lock files that a killed run left in what git keeps about a worktree and branch of ours. Only for who holds the
    /// lease: nobody else works there then.
    pub(crate) fn remove_stale_locks(place: &Place, name: &str, branch: &str) {
        let metadata = place.common().join("worktrees").join(place::git_name(name));
        let references =
            ["refs/heads", "logs/refs/heads"].map(|folder| place.common().join(folder).join(format!("{branch}.lock")));
        let own = ["index.lock", "HEAD.lock", "logs/HEAD.lock"].map(|file| metadata.join(file));
        for lock in own.into_iter().chain(references) {
            // Most are not there.
            let _ = fs::remove_file(lock);
        }
    }

    /// Removes the worktree and what git knows about it; its branch stays.
    pub fn remove(place: &Place, name: &str) -> Result<(), WorktreeError> {
        // What was installed there may take long to remove: others need not wait for that.
        Worktree::remove_folder(place, name)?;
        let _turn = Turn::take(place)?;
        Worktree::forget(place, name)
    }

    fn remove_folder(place: &Place, name: &str) -> Result<(), WorktreeError> {
        let folder = place.folder_of(name);
        if fs::symlink_metadata(&folder).is_ok() { remove_tree(&folder) } else { Ok(()) }
    }

    /// Removes what git knows of it.
    fn forget(place: &Place, name: &str) -> Result<(), WorktreeError> {
        let repository = place.repository()?;
        if let Ok(worktree) = repository.find_worktree(&place::git_name(name)) {
            let mut options = WorktreePruneOptions::new();
            worktree.prune(Some(options.valid(true).locked(true))).map_err(git("prune the worktree"))?;
        }
        // An interrupted creation may have left metadata that git itself does not take for a worktree.
        let metadata = place.common().join("worktrees").join(place::git_name(name));
        if metadata.is_dir() {
            remove_tree(&metadata)?;
        }
        Ok(())
    }
}

/// Two `gitdir:` lines that name the same folder, written in different ways.
fn same_folder(a: &[u8], b: &[u8]) -> bool {
    let folder = |bytes: &[u8]| {
        let line = std::str::from_utf8(bytes).ok()?.strip_prefix("gitdir: ")?.to_owned();
        os::canonical(Path::new(&line)).ok()
    };
    folder(a).is_some_and(|a| folder(b) == Some(a))
}

/// The user's configured identity, else a neutral one.
fn identity(repository: &Repository) -> Result<Signature<'static>, WorktreeError> {
    repository.signature().or_else(|_| Signature::now("improve", "improve@localhost")).map_err(git("make a signature"))
}

pub(crate) fn oid(commit: &str) -> Result<Oid, WorktreeError> {
    Oid::from_str(commit).map_err(|_| WorktreeError::NoSuchCommit { name: commit.to_owned() })
}

#[cfg(test)]
mod tests;
