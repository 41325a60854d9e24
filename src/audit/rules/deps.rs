//! Rules about dependencies.

pub mod duplicate_dependency;
pub mod git_dependency_without_rev;
pub mod missing_lockfile;
pub mod wildcard_dependency;

use crate::repo_map::RepoMap;
use crate::repo_map::recon::{Package, PackageManager};

/// Lock files of a package manager.
pub fn lockfiles(manager: PackageManager) -> &'static [&'static str] {
    match manager {
        PackageManager::Cargo => &["Cargo.lock"],
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => &[
            "package-lock.json",
            "npm-shrinkwrap.json",
            "pnpm-lock.yaml",
            "yarn.lock",
            "bun.lock",
            "bun.lockb",
            "deno.lock",
        ],
    }
}

/// The lock file that holds a package's dependencies: in its folder or in one around it.
pub fn lockfile_of(map: &RepoMap, package: &Package) -> Option<String> {
    let mut folder = Some(package.folder.as_str());
    while let Some(here) = folder {
        for name in lockfiles(package.manager) {
            let path = if here.is_empty() { (*name).to_owned() } else { format!("{here}/{name}") };
            if map.has_path(&path) {
                return Some(path);
            }
        }
        folder = if here.is_empty() { None } else { Some(here.rsplit_once('/').map_or("", |(parent, _)| parent)) };
    }
    None
}

/// The command that changes the requirement of `name` in a package, manifest and lock file together.
pub fn require_command(manager: PackageManager, name: &str, dev: bool) -> String {
    let flag = |flag: &str| if dev { format!(" {flag}") } else { String::new() };
    match manager {
        PackageManager::Cargo => format!("cargo update -p {name}"),
        PackageManager::Npm => format!("npm install{} '{name}@^VERSION'", flag("--save-dev")),
        PackageManager::Pnpm => format!("pnpm add{} '{name}@^VERSION'", flag("--save-dev")),
        PackageManager::Yarn => format!("yarn add{} '{name}@^VERSION'", flag("--dev")),
        PackageManager::Bun => format!("bun add{} '{name}@^VERSION'", flag("--dev")),
    }
}
