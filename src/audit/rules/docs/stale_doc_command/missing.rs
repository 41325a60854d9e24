//! Whether what a command names is nowhere in the repository.

use super::map_has_folder;
use crate::audit::rules::docs::commands::Named;
use crate::audit::rules::docs::targets::Targets;
use crate::audit::text::{folder_of, join_path};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::PackageManager;
use crate::repo_map::recon::task::TaskRunner;

/// Whether nothing of this name is there for a reader of a page in the folder `page`, who works in `home`.
pub fn is_missing(map: &RepoMap, targets: &Targets, named: &Named, home: &str, page: &str) -> bool {
    match named {
        Named::Script { name, folder, .. } => {
            let scripts: Vec<&str> = map
                .recon
                .packages
                .iter()
                .flat_map(|package| &package.scripts)
                .map(|script| script.name.as_str())
                .collect();
            // Somewhere in the repository is enough: which folder the reader is in is not certain.
            let is_node = map.recon.packages.iter().any(|package| package.manager != PackageManager::Cargo);
            let in_package = folder
                .as_deref()
                .is_some_and(|folder| package_json_around(map, folder) || package_json_around(map, home));
            is_node && in_package && !scripts.contains(&name.as_str())
        }
        Named::Make(name) => is_missing_task(map, TaskRunner::Make, name),
        Named::Just(name) => is_missing_task(map, TaskRunner::Just, name),
        Named::Crate(name) => {
            let mut crates =
                map.recon.packages.iter().filter(|package| package.manager == PackageManager::Cargo).peekable();
            crates.peek().is_some()
                && crates
                    .all(|package| package.name != *name && package.dependencies.iter().all(|own| own.name != *name))
        }
        Named::Target(kind, name) => targets.of(*kind).is_some_and(|names| !names.contains(name)),
        Named::Path(path) => {
            let folder = folder_of(path);
            let is_script = path
                .rsplit_once('.')
                .is_some_and(|(_, end)| ["sh", "bash", "js", "mjs", "cjs", "ts", "py", "rb", "pl"].contains(&end));
            // A folder that is there but does not hold the script; build output has no folder in the tree.
            let is_here = !map.has_path(path) && !folder.is_empty() && map_has_folder(map, folder);
            is_script && is_here && !is_further_out(map, path, home, page)
        }
    }
}

/// Whether a path of `home` is one of a folder around the page: nobody says where its reader types.
fn is_further_out(map: &RepoMap, path: &str, home: &str, page: &str) -> bool {
    let written =
        if home.is_empty() { Some(path) } else { path.strip_prefix(home).and_then(|rest| rest.strip_prefix('/')) };
    let Some(written) = written else { return false };
    let mut folder = page;
    loop {
        if join_path(folder, written).is_some_and(|path| map.has_path(&path)) {
            return true;
        }
        if folder.is_empty() {
            return false;
        }
        folder = folder_of(folder);
    }
}

fn package_json_around(map: &RepoMap, folder: &str) -> bool {
    map.recon.packages.iter().any(|package| {
        package.manager != PackageManager::Cargo
            && (package.folder.is_empty()
                || package.folder == folder
                || folder.starts_with(&format!("{}/", package.folder)))
    })
}

fn is_missing_task(map: &RepoMap, runner: TaskRunner, name: &str) -> bool {
    let mut files = map.recon.task_files.iter().filter(|file| file.runner == runner).peekable();
    files.peek().is_some()
        && files.all(|file| !file.open && file.tasks.iter().all(|task| task != name))
        && !map.has_path(name)
}
