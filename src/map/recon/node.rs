//! `package.json`: packages, their workspace, who manages them, what they depend on and how they are run.

use serde_json::{Map, Value};

use super::ci::CiCommand;
use super::json_lines::key_lines;
use super::{Ground, command, enclosing, fill, folder_name, join, make, package, resolve};
use crate::map::members::{Members, below, npm_patterns, pnpm_patterns};
use crate::repo_map::recon::{
    CommandPurpose, Dependency, DependencyKind, GitReference, GitSource, Package, PackageManager, ProjectCommand,
};

mod scripts;

/// A parsed manifest and where it stands.
struct Manifest<'a> {
    folder: &'a str,
    path: &'a str,
    text: &'a str,
    value: Map<String, Value>,
}

/// Packages of every `package.json`.
pub(super) fn packages(ground: &Ground<'_>, workflows: &[CiCommand]) -> Vec<Package> {
    let manifests: Vec<Manifest<'_>> = ground
        .manifests("package.json")
        .into_iter()
        .filter_map(|(folder, path, text)| {
            let value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
            Some(Manifest { folder, path, text, value })
        })
        .collect();
    let workspaces: Vec<(&str, Members)> =
        manifests.iter().filter_map(|manifest| Some((manifest.folder, members(ground, manifest)?))).collect();
    manifests.iter().map(|manifest| read(ground, manifest, &manifests, &workspaces, workflows)).collect()
}

fn read(
    ground: &Ground<'_>,
    manifest: &Manifest<'_>,
    manifests: &[Manifest<'_>],
    workspaces: &[(&str, Members)],
    workflows: &[CiCommand],
) -> Package {
    let folder = manifest.folder;
    let setup = setup(ground, folder, manifests);
    let name = manifest.value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let mut package =
        package(name.map_or_else(|| folder_name(folder), str::to_owned), folder, manifest.path, setup.manager);
    package.workspace_root = workspaces.iter().any(|(root, _)| *root == folder);
    package.member_of = enclosing(folder)
        .skip(1)
        .find(|root| {
            let members = workspaces.iter().find(|(own, _)| own == root).map(|(_, members)| members);
            members.is_some_and(|members| below(root, folder).is_some_and(|inside| members.contains(inside)))
        })
        .map(str::to_owned);
    package.dependencies = dependencies(manifest);
    package.entry_points = entry_points(ground, manifest);
    package.commands.extend(install(&setup, &package));
    if let Some(Value::Object(scripts)) = manifest.value.get("scripts") {
        package.commands.extend(scripts::commands(scripts, setup.manager, folder, manifest.path));
    }
    let at_root = package.member_of.is_none();
    for command in workflows.iter().filter(|command| at_root && command.folder == folder) {
        if let Some(command) = scripts::from_ci(command) {
            fill(&mut package.commands, command);
        }
    }
    for command in make::commands(ground, folder) {
        fill(&mut package.commands, command);
    }
    package
}

/// Patterns of the workspace that the manifest, or pnpm's file beside it, declares.
fn members(ground: &Ground<'_>, manifest: &Manifest<'_>) -> Option<Members> {
    let pnpm = ["pnpm-workspace.yaml", "pnpm-workspace.yml"]
        .iter()
        .find_map(|name| ground.config.get(&join(manifest.folder, name)))
        .map(|text| pnpm_patterns(text))
        // The file may hold settings alone.
        .filter(|patterns| !patterns.is_empty());
    if let Some(patterns) = pnpm {
        return Some(Members::new(patterns.iter().map(String::as_str)));
    }
    let workspaces =
        manifest.value.get("workspaces").filter(|value| value.is_array() || value["packages"].is_array())?;
    Some(Members::new(npm_patterns(workspaces)))
}

/// Who manages a package, and from where.
struct Setup {
    manager: PackageManager,
    /// Yarn 2 or later, whose flags differ.
    modern_yarn: bool,
    /// The lock file and its folder.
    lock: Option<(String, String)>,
}

const LOCKS: [(&str, PackageManager); 6] = [
    ("pnpm-lock.yaml", PackageManager::Pnpm),
    ("yarn.lock", PackageManager::Yarn),
    ("bun.lock", PackageManager::Bun),
    ("bun.lockb", PackageManager::Bun),
    ("package-lock.json", PackageManager::Npm),
    ("npm-shrinkwrap.json", PackageManager::Npm),
];

/// The nearest word on who manages `folder`: the `packageManager` field, else a lock file, of this or an enclosing folder.
fn setup(ground: &Ground<'_>, folder: &str, manifests: &[Manifest<'_>]) -> Setup {
    for here in enclosing(folder) {
        let manifest = manifests.iter().find(|manifest| manifest.folder == here);
        let field = manifest.and_then(|manifest| manifest.value.get("packageManager")?.as_str()).and_then(named);
        let lock = LOCKS
            .iter()
            .filter(|(_, manager)| field.is_none_or(|(named, _)| named == *manager))
            .find(|(name, _)| ground.has(here, name));
        let Some(manager) = field.map(|(manager, _)| manager).or(lock.map(|(_, manager)| *manager)) else { continue };
        let modern_yarn = field.is_some_and(|(_, modern)| modern) || ground.has(here, ".yarnrc.yml");
        return Setup { manager, modern_yarn, lock: lock.map(|(name, _)| (join(here, name), here.to_owned())) };
    }
    Setup { manager: PackageManager::Npm, modern_yarn: false, lock: None }
}

/// `pnpm@9.1.0+sha512…`: the manager, and whether it is Yarn 2 or later.
fn named(field: &str) -> Option<(PackageManager, bool)> {
    let (name, version) = field.split_once('@').unwrap_or((field, ""));
    let manager = match name {
        "npm" => PackageManager::Npm,
        "pnpm" => PackageManager::Pnpm,
        "yarn" => PackageManager::Yarn,
        "bun" => PackageManager::Bun,
        _ => return None,
    };
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(1);
    Some((manager, manager == PackageManager::Yarn && major >= 2))
}

/// How dependencies are fetched: said once, where the lock file is.
fn install(setup: &Setup, package: &Package) -> Option<ProjectCommand> {
    let folder = package.folder.as_str();
    let (line, source) = match (&setup.lock, setup.manager) {
        (Some((lock, at)), manager) if at == folder => {
            let line = match manager {
                PackageManager::Pnpm => "pnpm install --frozen-lockfile",
                PackageManager::Yarn if setup.modern_yarn => "yarn install --immutable",
                PackageManager::Yarn => "yarn install --frozen-lockfile",
                PackageManager::Bun => "bun install --frozen-lockfile",
                PackageManager::Npm | PackageManager::Cargo => "npm ci",
            };
            (line.to_owned(), lock.clone())
        }
        // Without a lock file the enclosing workspace still installs its members.
        (None, manager) if package.member_of.is_none() && !package.dependencies.is_empty() => {
            (format!("{} install", manager.program()), package.manifest.clone())
        }
        _ => return None,
    };
    Some(command(CommandPurpose::Install, line, folder, source))
}

const SECTIONS: [(&str, DependencyKind); 4] = [
    ("dependencies", DependencyKind::Normal),
    ("devDependencies", DependencyKind::Dev),
    ("peerDependencies", DependencyKind::Peer),
    ("optionalDependencies", DependencyKind::Optional),
];

/// Direct dependencies in the order of the manifest.
fn dependencies(manifest: &Manifest<'_>) -> Vec<Dependency> {
    let lines = key_lines(manifest.text);
    let mut found = Vec::new();
    for (section, kind) in SECTIONS {
        let Some(Value::Object(entries)) = manifest.value.get(section) else { continue };
        for (key, requirement) in entries {
            let Some(requirement) = requirement.as_str() else { continue };
            let line = lines.get(&vec![section.to_owned(), key.clone()]).copied().unwrap_or(1);
            // `"three-old": "npm:three@0.120"`: the registry knows it by the second name.
            let renamed = requirement.strip_prefix("npm:").and_then(|rest| {
                let at = rest.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(rest.len(), |(at, _)| at);
                Some(rest[..at].to_owned()).filter(|name| !name.is_empty())
            });
            let alias = renamed.is_some().then(|| key.clone());
            let name = renamed.unwrap_or_else(|| key.clone());
            let git = git_source(requirement, manifest.path, line);
            found.push(Dependency { name, alias, requirement: requirement.to_owned(), kind, line, git });
        }
    }
    found.sort_by(|left, right| (left.line, &left.name).cmp(&(right.line, &right.name)));
    found
}

/// `git+https://host/a.git#v1`, `github:user/name`, `user/name#commit`.
fn git_source(requirement: &str, manifest: &str, line: u32) -> Option<GitSource> {
    let (url, reference) = requirement.split_once('#').map_or((requirement, None), |(url, at)| (url, Some(at)));
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let is_git =
        ["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:"].iter().any(|start| url.starts_with(start))
            || (url.starts_with("https://") && url.ends_with(".git"))
            || url.split_once('/').is_some_and(|(user, name)| is_word(user) && is_word(name) && !user.starts_with('.'));
    let is_commit = |at: &str| at.len() >= 7 && at.chars().all(|c| c.is_ascii_hexdigit());
    // A name after `#` may be a tag or a branch: what looks like a version is a tag.
    let kind = |at: &str| match at {
        at if is_commit(at) => GitReference::Rev(at.to_owned()),
        at if at.starts_with("semver:") || at.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) => {
            GitReference::Tag(at.to_owned())
        }
        at => GitReference::Branch(at.to_owned()),
    };
    let reference = reference.filter(|at| !at.is_empty()).map(kind);
    is_git.then(|| GitSource { url: url.to_owned(), reference, manifest: manifest.to_owned(), line })
}

/// Files behind `main`, `module`, `bin` and `exports`, those that a build would write traced back to their source.
fn entry_points(ground: &Ground<'_>, manifest: &Manifest<'_>) -> Vec<String> {
    let mut named = Vec::new();
    for key in ["bin", "main", "module", "browser", "exports"] {
        if let Some(value) = manifest.value.get(key) {
            leaves(value, &mut named);
        }
    }
    let mut found: Vec<String> = named.iter().filter_map(|path| source_of(ground, manifest.folder, path)).collect();
    if found.is_empty() {
        let usual =
            ["src/index.ts", "src/index.tsx", "src/index.js", "src/main.ts", "src/main.tsx", "index.ts", "index.js"];
        found.extend(
            usual.iter().find(|path| ground.has(manifest.folder, path)).map(|path| join(manifest.folder, path)),
        );
    }
    found.sort();
    found.dedup();
    found
}

fn leaves<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(path) => found.push(path),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(entries) => entries.values().for_each(|item| leaves(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The tracked file for a path of the manifest: itself, or what `dist/…` is built from.
fn source_of(ground: &Ground<'_>, folder: &str, path: &str) -> Option<String> {
    let full = resolve(folder, path)?;
    if ground.files.contains(full.as_str()) {
        return Some(full);
    }
    let mut inside = path.trim_start_matches("./");
    while let Some((first, rest)) = inside.split_once('/') {
        if !matches!(first, "dist" | "build" | "lib" | "out" | "esm" | "cjs" | "es" | "types" | "src" | "bin") {
            break;
        }
        inside = rest;
    }
    let stem = [".d.ts", ".d.mts", ".d.cts", ".mjs", ".cjs", ".js", ".jsx"]
        .iter()
        .find_map(|end| inside.strip_suffix(end))
        .unwrap_or(inside);
    ["src/", "", "lib/", "bin/"]
        .iter()
        .flat_map(|base| ["ts", "tsx", "mts", "js", "mjs", "jsx"].map(|extension| format!("{base}{stem}.{extension}")))
        .map(|path| join(folder, &path))
        .find(|path| ground.files.contains(path.as_str()))
}
