//! Where a program is: on the `PATH`, in an absolute folder, and not inside the repository it is to read.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The program `name`. A repository that brings one of that name along is not asked: `node_modules/.bin` is often on the `PATH`.
pub fn program(name: &str, path: &OsStr, repository: Option<&Path>) -> Option<PathBuf> {
    let repository = repository.and_then(|root| root.canonicalize().ok());
    let foreign = |file: &PathBuf| match (&repository, file.parent().map(Path::canonicalize)) {
        (Some(root), Some(Ok(folder))) => !folder.starts_with(root),
        _ => true,
    };
    let candidates: Vec<PathBuf> = match Path::new(name) {
        given if given.is_absolute() => vec![given.to_owned()],
        _ if name.contains('/') => Vec::new(),
        _ => {
            std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).collect()
        }
    };
    candidates.into_iter().find(|file| is_program(file) && foreign(file))
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_repository_itself_is_passed_over() {
        let repository = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let inside = repository.path().join("node_modules/.bin");
        std::fs::create_dir_all(&inside).unwrap();
        for folder in [inside.as_path(), elsewhere.path()] {
            std::fs::write(folder.join("claude"), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(folder.join("claude"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(elsewhere.path().join("codex"), "no program").unwrap();
        let path = std::env::join_paths([Path::new("."), &inside, elsewhere.path()]).unwrap();
        let found = |name: &str| program(name, &path, Some(repository.path()));
        assert_eq!(found("claude"), Some(elsewhere.path().join("claude")));
        assert_eq!(found("codex"), None, "not executable");
        assert_eq!(found("./claude"), None, "a relative path means something else in every folder");
        assert_eq!(program("claude", &path, None), Some(inside.join("claude")));
    }
}
