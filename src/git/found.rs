//! Making a repository: for work on files that have none yet.

use std::path::Path;

use git2::{IndexAddOption, RepositoryInitOptions, Signature, Time};

use super::{CommitId, GitError};

/// The moment of the commit: the same files give the same commit, whenever it is made. 2026-01-01.
const WHEN: i64 = 1_767_225_600;

/// Makes `folder` a repository with everything in it in one commit on `main`. Configuration of the machine has no say in it.
pub fn found(folder: &Path, author: &str, message: &str) -> Result<CommitId, GitError> {
    let failed = |error: git2::Error| GitError::Failed { path: folder.to_owned(), message: error.message().to_owned() };
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main").external_template(false).no_reinit(true);
    let repository = git2::Repository::init_opts(folder, &options).map_err(failed)?;
    let email = "improve@localhost";
    let mut config = repository.config().map_err(failed)?;
    for (key, value) in [("user.name", author), ("user.email", email), ("core.autocrlf", "false")] {
        config.set_str(key, value).map_err(failed)?;
    }
    let mut index = repository.index().map_err(failed)?;
    index.add_all(["*"], IndexAddOption::FORCE, None).map_err(failed)?;
    index.write().map_err(failed)?;
    let tree = index.write_tree().and_then(|id| repository.find_tree(id)).map_err(failed)?;
    let who = Signature::new(author, email, &Time::new(WHEN, 0)).map_err(failed)?;
    let id = repository.commit(Some("HEAD"), &who, &who, message, &tree, &[]).map_err(failed)?;
    Ok(CommitId(id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Repository;

    #[test]
    fn the_same_files_give_the_same_commit_and_a_clean_tree() {
        let commit = || {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("src")).unwrap();
            std::fs::write(folder.path().join("src/a.js"), "1\n").unwrap();
            std::fs::write(folder.path().join(".gitignore"), "/target\n").unwrap();
            let commit = found(folder.path(), "bench", "first").unwrap();
            let repository = Repository::discover(folder.path()).unwrap();
            assert_eq!((repository.head().unwrap().as_ref(), repository.is_dirty().unwrap()), (Some(&commit), false));
            assert_eq!(repository.branch().as_deref(), Some("main"));
            commit
        };
        assert_eq!(commit(), commit());
    }
}
