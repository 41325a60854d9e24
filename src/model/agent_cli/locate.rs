//! Where a program is: on the `PATH`, in an absolute folder, and not inside the repository it is to read.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::os;

/// The program `name`. A repository that brings one of that name along is not asked: `node_modules/.bin` is often on the `PATH`.
pub fn program(name: &str, path: &OsStr, repository: Option<&Path>) -> Option<PathBuf> {
    let repository = repository.and_then(|root| os::canonical(root).ok());
    let foreign = |file: &PathBuf| match (&repository, file.parent().map(os::canonical)) {
        (Some(root), Some(Ok(folder))) => !folder.starts_with(root),
        _ => true,
    };
    let candidates: Vec<PathBuf> = match Path::new(name) {
        given if given.is_absolute() => vec![given.to_owned()],
        given if !matches!(given.components().collect::<Vec<_>>()[..], [Component::Normal(_)]) => Vec::new(),
        _ => {
            let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
            let named =
                |folder: PathBuf| os::PROGRAM_ENDINGS.iter().map(move |ending| folder.join(format!("{name}{ending}")));
            folders.flat_map(named).collect()
        }
    };
    let is_program = |file: &PathBuf| std::fs::metadata(file).is_ok_and(|metadata| os::is_program(&metadata));
    candidates.into_iter().find(|file| is_program(file) && foreign(file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
