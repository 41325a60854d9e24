//! Where things are: the repository, its common git folder, our cache and our state.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode, Repository, RepositoryOpenFlags, Status, StatusOptions};
use sha2::{Digest, Sha256};

use super::turn::Turn;
use super::{WorktreeError, git, limits};
use crate::os;

/// The bit of an index entry that says its file is left out of the checkout (gitformat-index, "skip-worktree flag").
const SKIP_WORKTREE: u16 = 1 << 14;

/// A repository and the folders of ours that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    root: PathBuf,
    common: PathBuf,
    worktrees: PathBuf,
}

/// The user's cache folder for this program: `IMPROVE_CACHE_DIR`, else `improve` in the XDG cache folder.
pub fn cache_folder() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("IMPROVE_CACHE_DIR")
        .or_else(|| from("XDG_CACHE_HOME").map(|folder| folder.join("improve")))
        .or_else(|| from(os::HOME).map(|home| home.join(".cache/improve")))
        .unwrap_or_else(|| std::env::temp_dir().join("improve"))
}

/// A stable name for a repository: its folder's name and a hash of where its git folder is.
pub fn repository_id(common: &Path) -> String {
    let digest = Sha256::digest(common.as_os_str().as_encoded_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let folder = if common.file_name() == Some(OsStr::new(".git")) { common.parent() } else { Some(common) };
    let name = folder.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).take(40).collect();
    format!("{name}-{hash}")
}

/// The name by which git knows the worktree `name` of ours.
pub(super) fn git_name(name: &str) -> String {
    format!("improve-{name}")
}

impl Place {
    /// The repository that `folder` is in, with our cache in `cache`.
    pub fn of(folder: &Path, cache: &Path) -> Result<Place, WorktreeError> {
        let (place, repository) = Place::found(folder, cache)?;
        if let Err(source) = repository.index() {
            return Err(match limits::is_set(&repository, "index.sparse") {
                true => WorktreeError::SparseIndex { folder: place.root },
                false => git("read the index")(source),
            });
        }
        Ok(place)
    }

    /// The same for who keeps records alone and makes no worktree: the index, which may be large, is not read.
    pub fn of_records(folder: &Path, cache: &Path) -> Result<Place, WorktreeError> {
        Ok(Place::found(folder, cache)?.0)
    }

    fn found(folder: &Path, cache: &Path) -> Result<(Place, Repository), WorktreeError> {
        let not_found = || WorktreeError::NotARepository { folder: folder.to_owned() };
        let unsupported = |source| WorktreeError::Unsupported { folder: folder.to_owned(), source };
        let repository = Repository::discover(folder).map_err(|error| match (error.code(), error.class()) {
            (ErrorCode::NotFound, _) => not_found(),
            (ErrorCode::Owner, _) => git("open the repository")(error),
            // So it says that it does not know the format or an extension.
            (_, ErrorClass::Repository) => unsupported(error),
            (_, _) => git("open the repository")(error),
        })?;
        let root = repository.workdir().ok_or_else(|| WorktreeError::Bare { folder: folder.to_owned() })?;
        let root = os::canonical(root).map_err(super::io_at(root))?;
        let common = os::canonical(repository.commondir()).map_err(super::io_at(repository.commondir()))?;
        let cache = std::path::absolute(cache).map_err(super::io_at(cache))?;
        let inside = existing_part(&cache).starts_with(&root) && !existing_part(&cache).starts_with(&common);
        if inside && repository.is_path_ignored(&cache).ok() != Some(true) {
            return Err(WorktreeError::CacheInside { folder: cache });
        }
        let worktrees = cache.join(repository_id(&common)).join("worktrees");
        Ok((Place { root, common, worktrees }, repository))
    }

    /// The user's working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The git folder that all worktrees share.
    pub fn common(&self) -> &Path {
        &self.common
    }

    /// Our folder for this repository in the user's cache.
    pub fn cache(&self) -> &Path {
        self.worktrees.parent().unwrap_or(&self.worktrees)
    }

    /// Where our worktrees are.
    pub fn worktrees(&self) -> &Path {
        &self.worktrees
    }

    /// Our folder in the common git folder: journals, receipts and leases.
    pub fn state(&self) -> PathBuf {
        self.common.join("improve")
    }

    /// The journal of a plan.
    pub fn journal_of(&self, slug: &str) -> PathBuf {
        self.state().join("journal").join(format!("{slug}.jsonl"))
    }

    /// The log of a plan.
    pub fn log_of(&self, slug: &str) -> PathBuf {
        self.state().join("log").join(format!("{slug}.log"))
    }

    /// What is remembered of a plan's gates.
    pub fn gates_of(&self, slug: &str) -> PathBuf {
        self.state().join("gates").join(format!("{slug}.jsonl"))
    }

    /// What the gate prints that runs for a plan, or ran when its run was cut off.
    pub fn output_of(&self, slug: &str) -> PathBuf {
        self.state().join("gates").join(format!("{slug}.txt"))
    }

    /// Where the next run puts what one that was cut off had left there.
    pub fn cut_off_of(&self, slug: &str) -> PathBuf {
        self.state().join("gates").join(format!("{slug}.cut-off.txt"))
    }

    /// Where the id of the command that runs for a plan is kept.
    pub fn running_of(&self, slug: &str) -> PathBuf {
        self.state().join("worktrees").join(format!("{slug}.running"))
    }

    /// The folder of receipts.
    pub fn receipts(&self) -> PathBuf {
        self.state().join("receipts")
    }

    /// The repository's id: see [`repository_id`].
    pub fn id(&self) -> String {
        repository_id(&self.common)
    }

    /// The folder of the worktree `name`.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.worktrees.join(name)
    }

    pub(crate) fn repository(&self) -> Result<Repository, WorktreeError> {
        let flags = RepositoryOpenFlags::NO_SEARCH;
        Repository::open_ext(&self.root, flags, std::iter::empty::<&OsStr>()).map_err(git("open the repository"))
    }

    /// The commit that `name` means; HEAD's for `None`.
    pub fn commit_of(&self, name: Option<&str>) -> Result<String, WorktreeError> {
        let repository = self.repository()?;
        let Some(name) = name else {
            let head = repository.head().and_then(|head| head.peel_to_commit());
            let head = head.map_err(|_| WorktreeError::NoCommit { folder: self.root.clone() })?;
            return Ok(head.id().to_string());
        };
        let missing = |_| WorktreeError::NoSuchCommit { name: name.to_owned() };
        let object = repository.revparse_single(name).map_err(missing)?;
        Ok(object.peel_to_commit().map_err(missing)?.id().to_string())
    }

    /// The commit where two lines of history part.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, WorktreeError> {
        let base = self.repository()?.merge_base(super::oid(one)?, super::oid(other)?);
        Ok(base.map_err(git("find where the work begins"))?.to_string())
    }

    /// Whether the branch exists.
    pub fn has_branch(&self, branch: &str) -> Result<bool, WorktreeError> {
        Ok(self.repository()?.find_branch(branch, git2::BranchType::Local).is_ok())
    }

    /// Deletes a branch of ours, if it is there.
    pub fn delete_branch(&self, branch: &str) -> Result<(), WorktreeError> {
        if !branch.starts_with("improve/") {
            let reason = "only branches under `improve/` are ours to delete".to_owned();
            return Err(WorktreeError::RefusedPath { path: branch.to_owned(), reason });
        }
        let _turn = Turn::take(self)?;
        let repository = self.repository()?;
        match repository.find_branch(branch, git2::BranchType::Local) {
            Ok(mut found) => found.delete().map_err(git("delete the branch")),
            Err(_) => Ok(()),
        }
    }

    /// Files of the user's tree with uncommitted changes, sorted.
    pub fn dirty_files(&self) -> Result<Vec<String>, WorktreeError> {
        let repository = self.repository()?;
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true);
        let statuses = repository.statuses(Some(&mut options)).map_err(git("read the status"))?;
        let index = repository.index().map_err(git("read the index"))?;
        // Files that a sparse checkout leaves out are not missing.
        let is_left_out = |path: &[u8]| {
            let entry = index.get_path(&os::path_of(path), 0);
            entry.is_some_and(|entry| entry.flags_extended & SKIP_WORKTREE != 0)
        };
        let mut files: Vec<String> = statuses
            .iter()
            .filter(|entry| !(entry.status() == Status::WT_DELETED && is_left_out(entry.path_bytes())))
            .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
            .collect();
        files.sort();
        Ok(files)
    }

    /// Whether git ignores a path that is not in the commit, so that a file made there could not be committed.
    pub fn is_ignored(&self, commit: &str, path: &str) -> Result<bool, WorktreeError> {
        let repository = self.repository()?;
        let ignored = repository.is_path_ignored(path).map_err(git("read the ignore rules"))?;
        Ok(ignored && self.text_at(commit, path)?.is_none())
    }

    /// The text of a file at a commit; `None` when there is none, or when it is not UTF-8.
    pub fn text_at(&self, commit: &str, path: &str) -> Result<Option<String>, WorktreeError> {
        let repository = self.repository()?;
        let tree = repository
            .find_commit(super::oid(commit)?)
            .and_then(|commit| commit.tree())
            .map_err(git("read a commit"))?;
        let Ok(entry) = tree.get_path(Path::new(path)) else { return Ok(None) };
        let Ok(blob) = repository.find_blob(entry.id()) else { return Ok(None) };
        Ok(String::from_utf8(blob.content().to_vec()).ok())
    }

    /// What differs between two commits, as `git diff` writes it.
    pub fn patch(&self, base: &str, tip: &str) -> Result<String, WorktreeError> {
        let repository = self.repository()?;
        let what = git("compare two commits");
        let tree =
            |commit: &str| repository.find_commit(super::oid(commit)?).and_then(|commit| commit.tree()).map_err(&what);
        let diff = repository.diff_tree_to_tree(Some(&tree(base)?), Some(&tree(tip)?), None).map_err(&what)?;
        let mut text = Vec::new();
        diff.print(git2::DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                text.push(line.origin() as u8);
            }
            text.extend_from_slice(line.content());
            true
        })
        .map_err(&what)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The longest part of `path` that exists, with links resolved.
fn existing_part(path: &Path) -> PathBuf {
    path.ancestors().find_map(|part| os::canonical(part).ok()).unwrap_or_else(|| path.to_owned())
}
