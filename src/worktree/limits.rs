//! What of a repository a worktree of ours does not have as the user's own has it, and what a plan therefore cannot change: submodules,
//! files kept by Git LFS, sparse checkouts, partial clones.

use std::path::{Path, PathBuf};

use git2::{
    AttrCheckFlags, AttrValue, ObjectType, Oid, Repository, Submodule, SubmoduleIgnore, SubmoduleStatus, TreeWalkMode,
    TreeWalkResult,
};

use super::{Place, WorktreeError, git, oid};

/// Files of Git LFS that are named.
const NAMED: usize = 3;

/// How a submodule of the user's checkout is to be brought along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkout {
    /// It is not there.
    Missing,
    /// It is at the commit that is recorded, and unchanged: with whatever was built in it.
    AsRecorded,
    /// It is at another commit or changed, and has the commit that is recorded.
    Otherwise(Oid),
    /// It does not have the commit that is recorded.
    Unknown,
}

/// How a submodule stands to what `commit` records of it.
pub(super) fn checkout_of(repository: &Repository, submodule: &Submodule<'_>, commit: &str) -> Checkout {
    let recorded = oid(commit).ok().and_then(|id| {
        let tree = repository.find_commit(id).ok()?.tree().ok()?;
        Some(tree.get_path(submodule.path()).ok().filter(|entry| entry.kind() == Some(ObjectType::Commit))?.id())
    });
    let (Some(recorded), Ok(inner)) = (recorded, submodule.open()) else { return Checkout::Missing };
    let is_there = submodule.workdir_id() == Some(recorded);
    let name = submodule.path().to_string_lossy();
    let changed = SubmoduleStatus::WD_WD_MODIFIED | SubmoduleStatus::WD_INDEX_MODIFIED | SubmoduleStatus::WD_UNTRACKED;
    let status = repository.submodule_status(&name, SubmoduleIgnore::None);
    let is_clean = status.is_ok_and(|status| !status.intersects(changed));
    match (is_there && is_clean, inner.find_commit(recorded).is_ok()) {
        (true, _) => Checkout::AsRecorded,
        (false, true) => Checkout::Otherwise(recorded),
        (false, false) => Checkout::Unknown,
    }
}

impl Place {
    /// What a worktree at `commit` does not have as a checkout by git itself would. `submodules` is what was brought of them.
    pub fn limits(&self, commit: &str, submodules: &[(String, Checkout)]) -> Result<Vec<String>, WorktreeError> {
        let repository = self.repository()?;
        let mut limits = Vec::new();
        for (path, checkout) in submodules {
            limits.push(match checkout {
                Checkout::AsRecorded => format!("submodule {path}: copied from your checkout, without its history"),
                Checkout::Otherwise(recorded) => format!(
                    "submodule {path}: at {}, as the commit records it; your checkout of it differs",
                    &recorded.to_string()[..9]
                ),
                Checkout::Unknown => format!(
                    "submodule {path}: copied from your checkout, which does not have the commit that is recorded; \
                     `git submodule update {path}` brings it"
                ),
                Checkout::Missing => format!(
                    "submodule {path}: not checked out, so its folder is empty; `git submodule update --init {path}` brings it"
                ),
            });
        }
        let kept = self.kept_by_lfs(&repository, commit)?;
        if !kept.is_empty() {
            let named = kept.iter().take(NAMED).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            let more = if kept.len() > NAMED { format!(" and {} more", kept.len() - NAMED) } else { String::new() };
            limits.push(format!(
                "files kept by Git LFS are pointers in the worktree, as external filters are not run; a gate that reads them \
                 fails: {named}{more}"
            ));
        }
        if is_set(&repository, "core.sparseCheckout") {
            limits.push("your checkout is sparse; the worktree has all files of the commit".to_owned());
        }
        Ok(limits)
    }

    /// Why a path of the repository cannot be changed by a plan; `None` when it can.
    pub fn foreign(&self, commit: &str, path: &str) -> Result<Option<String>, WorktreeError> {
        let repository = self.repository()?;
        let what = git("read a commit");
        let tree = repository.find_commit(oid(commit)?).and_then(|commit| commit.tree()).map_err(what)?;
        let is_submodule =
            |folder: &&Path| tree.get_path(folder).is_ok_and(|entry| entry.kind() == Some(ObjectType::Commit));
        let above = Path::new(path).ancestors().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(submodule) = above.into_iter().find(is_submodule) {
            return Ok(Some(format!("is in the submodule {}, which is a repository of its own", submodule.display())));
        }
        let kept = is_kept_by_lfs(&repository, Path::new(path));
        Ok(kept.then(|| {
            "is kept by Git LFS, whose filters are not run: what is written there would be committed as it is"
                .to_owned()
        }))
    }

    /// Files at `commit` that Git LFS keeps, in order of path. Attributes are read only where some file of them speaks of it.
    fn kept_by_lfs(&self, repository: &Repository, commit: &str) -> Result<Vec<PathBuf>, WorktreeError> {
        let what = git("read a commit");
        let tree = repository.find_commit(oid(commit)?).and_then(|commit| commit.tree()).map_err(&what)?;
        let (mut files, mut speaks) = (Vec::new(), false);
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let Ok(name) = entry.name() else { return TreeWalkResult::Ok };
            if entry.kind() == Some(ObjectType::Blob) {
                speaks |= name == ".gitattributes"
                    && repository.find_blob(entry.id()).is_ok_and(|blob| {
                        String::from_utf8_lossy(blob.content())
                            .lines()
                            .any(|line| line.contains("filter=lfs") && !line.trim_start().starts_with('#'))
                    });
                files.push(Path::new(folder).join(name));
            }
            TreeWalkResult::Ok
        })
        .map_err(&what)?;
        if !speaks {
            return Ok(Vec::new());
        }
        files.retain(|path| is_kept_by_lfs(repository, path));
        files.sort();
        Ok(files)
    }
}

fn is_kept_by_lfs(repository: &Repository, path: &Path) -> bool {
    let value = repository.get_attr(path, "filter", AttrCheckFlags::INDEX_THEN_FILE);
    value.is_ok_and(|value| AttrValue::from_string(value) == AttrValue::String("lfs"))
}

pub(super) fn is_set(repository: &Repository, name: &str) -> bool {
    repository.config().and_then(|config| config.get_bool(name)).unwrap_or(false)
}

/// Whether objects may be missing that a remote promised to give.
pub(super) fn is_partial(repository: &Repository) -> bool {
    let Ok(config) = repository.config() else { return false };
    let Ok(entries) = config.entries(Some("remote\\..*\\.promisor")) else { return false };
    let mut is_promised = false;
    // What cannot be read promises nothing.
    let _ = entries.for_each(|entry| is_promised |= entry.value().is_ok_and(|value| value != "false"));
    is_promised
}
