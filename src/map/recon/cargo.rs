//! `Cargo.toml`: packages, workspaces, dependencies, and Cargo's own commands, as continuous integration runs them where it does.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ci::CiCommand;
use super::{Ground, command, enclosing, folder_name, join, package, resolve};
use crate::map::members::{Members, below};
use crate::repo_map::recon::{
    CommandPurpose, Dependency, DependencyKind, GitReference, GitSource, Package, PackageManager, ProjectCommand,
};

/// A parsed manifest and where it stands.
struct Manifest<'a> {
    folder: &'a str,
    path: &'a str,
    text: &'a str,
    table: DeTable<'a>,
}

/// Packages of every `Cargo.toml`.
pub(super) fn packages(ground: &Ground<'_>, workflows: &[CiCommand]) -> Vec<Package> {
    let manifests: Vec<Manifest<'_>> = ground
        .manifests("Cargo.toml")
        .into_iter()
        .filter_map(|(folder, path, text)| {
            let table = DeTable::parse(text).ok()?.into_inner();
            let is_manifest = get(&table, "package").is_some() || get(&table, "workspace").is_some();
            is_manifest.then_some(Manifest { folder, path, text, table })
        })
        .collect();
    let local: BTreeSet<String> = manifests.iter().flat_map(path_dependencies).collect();
    let workspaces: Vec<Workspace<'_>> = manifests.iter().filter_map(workspace).collect();
    let roots: Vec<Option<&Manifest<'_>>> =
        manifests.iter().map(|manifest| root_of(manifest, &workspaces, &local)).collect();
    let with_members: BTreeSet<&str> = roots.iter().flatten().map(|root| root.folder).collect();
    manifests
        .iter()
        .zip(&roots)
        .map(|(manifest, root)| {
            let extent = if with_members.contains(manifest.folder) { Extent::Workspace } else { Extent::Package };
            read(ground, manifest, *root, extent, workflows)
        })
        .collect()
}

fn read(
    ground: &Ground<'_>,
    manifest: &Manifest<'_>,
    root: Option<&Manifest<'_>>,
    extent: Extent,
    workflows: &[CiCommand],
) -> Package {
    let folder = manifest.folder;
    let name = get(&manifest.table, "package").and_then(|package| text(package.get("name")?.get_ref()));
    let mut package =
        package(name.map_or_else(|| folder_name(folder), str::to_owned), folder, manifest.path, PackageManager::Cargo);
    package.workspace_root = get(&manifest.table, "workspace").is_some();
    package.member_of = root.map(|root| root.folder.to_owned());
    package.dependencies = dependencies(manifest, root);
    package.entry_points = entry_points(ground, manifest);
    package.commands = match root {
        Some(root) => member_commands(&package, root.folder, workflows),
        None => own_commands(ground, &package, extent, workflows),
    };
    package
}

/// A manifest that declares a workspace, its patterns compiled.
struct Workspace<'m> {
    root: &'m Manifest<'m>,
    members: Members,
    exclude: Vec<String>,
}

fn workspace<'m>(manifest: &'m Manifest<'m>) -> Option<Workspace<'m>> {
    let table = get(&manifest.table, "workspace")?;
    let list = |key: &str| strings(table.get(key).map(Spanned::get_ref));
    let exclude = list("exclude").map(|folder| folder.trim_start_matches("./").trim_end_matches('/').to_owned());
    Some(Workspace { root: manifest, members: Members::new(list("members")), exclude: exclude.collect() })
}

/// The workspace around a package that has it as a member: named, or depended on by path.
fn root_of<'m>(
    manifest: &Manifest<'_>,
    workspaces: &[Workspace<'m>],
    local: &BTreeSet<String>,
) -> Option<&'m Manifest<'m>> {
    if get(&manifest.table, "workspace").is_some() {
        return None;
    }
    enclosing(manifest.folder).skip(1).find_map(|above| {
        let workspace = workspaces.iter().find(|workspace| workspace.root.folder == above)?;
        let inside = below(above, manifest.folder)?;
        let is_member = workspace.members.contains(inside) || local.contains(manifest.folder);
        // What stands below an excluded folder is out too.
        let is_out = workspace.exclude.iter().any(|folder| inside == folder || below(folder, inside).is_some());
        (is_member && !is_out).then_some(workspace.root)
    })
}

const SECTIONS: [(&str, DependencyKind); 3] = [
    ("dependencies", DependencyKind::Normal),
    ("dev-dependencies", DependencyKind::Dev),
    ("build-dependencies", DependencyKind::Build),
];

/// Every dependency table with its kind, those for one platform included.
fn dependency_tables<'m>(manifest: &'m Manifest<'m>) -> Vec<(&'m DeTable<'m>, DependencyKind)> {
    let platforms = get(&manifest.table, "target").and_then(DeValue::as_table);
    let platforms =
        platforms.into_iter().flat_map(|table| table.values()).filter_map(|value| value.get_ref().as_table());
    std::iter::once(&manifest.table)
        .chain(platforms)
        .flat_map(|table| SECTIONS.map(|(section, kind)| (get(table, section).and_then(DeValue::as_table), kind)))
        .filter_map(|(table, kind)| Some((table?, kind)))
        .collect()
}

/// Direct dependencies in the order of the manifest; what they inherit from the workspace is filled in.
fn dependencies(manifest: &Manifest<'_>, root: Option<&Manifest<'_>>) -> Vec<Dependency> {
    let starts: Vec<usize> = manifest.text.match_indices('\n').map(|(at, _)| at).collect();
    let shared = get(&root.unwrap_or(manifest).table, "workspace").and_then(|workspace| workspace.get("dependencies"));
    let mut found = Vec::new();
    for (table, kind) in dependency_tables(manifest) {
        for (key, value) in table.iter() {
            let own = value.get_ref();
            let name = key.get_ref().as_ref();
            let inherited =
                if flag(own, "workspace") { shared.and_then(|shared| shared.get_ref().get(name)) } else { None };
            let said = inherited.map_or(own, Spanned::get_ref);
            let home = if inherited.is_some() { root.unwrap_or(manifest) } else { manifest };
            let place = inherited.map_or(key.span().start, |value| value.span().start);
            let field = |field: &str| said.get(field).and_then(|value| text(value.get_ref()));
            let requirement = text(said).or_else(|| field("version")).map_or_else(
                || match (field("path"), field("git")) {
                    (Some(path), _) => format!("path {path}"),
                    (None, Some(git)) => format!("git {git}"),
                    // What it inherits stands in a manifest that is not here.
                    (None, None) if flag(own, "workspace") && inherited.is_none() => "workspace".to_owned(),
                    (None, None) => "*".to_owned(),
                },
                str::to_owned,
            );
            let renamed = field("package");
            found.push(Dependency {
                name: renamed.unwrap_or(name).to_owned(),
                alias: renamed.map(|_| name.to_owned()),
                requirement,
                kind: if flag(own, "optional") { DependencyKind::Optional } else { kind },
                line: starts.partition_point(|&start| start < key.span().start) as u32 + 1,
                git: field("git").map(|url| GitSource {
                    url: url.to_owned(),
                    reference: reference(&field),
                    manifest: home.path.to_owned(),
                    line: home.text[..place].matches('\n').count() as u32 + 1,
                }),
            });
        }
    }
    found.sort_by(|left, right| (left.line, &left.name).cmp(&(right.line, &right.name)));
    found
}

/// What a git dependency is held at.
fn reference<'a>(field: &dyn Fn(&str) -> Option<&'a str>) -> Option<GitReference> {
    let said = |key: &str| field(key).map(str::to_owned);
    said("rev")
        .map(GitReference::Rev)
        .or_else(|| said("tag").map(GitReference::Tag))
        .or_else(|| said("branch").map(GitReference::Branch))
}

/// Folders that the manifest depends on by path.
fn path_dependencies(manifest: &Manifest<'_>) -> Vec<String> {
    let shared = get(&manifest.table, "workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(|value| value.get_ref().as_table());
    dependency_tables(manifest)
        .into_iter()
        .map(|(table, _)| table)
        .chain(shared)
        .flat_map(|table| table.values())
        .filter_map(|value| resolve(manifest.folder, text(value.get_ref().get("path")?.get_ref())?))
        .collect()
}

/// What the commands at a manifest cover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Package,
    Workspace,
}

/// Commands of a member: run at the workspace's root, for this package alone.
fn member_commands(package: &Package, root: &str, workflows: &[CiCommand]) -> Vec<ProjectCommand> {
    let only = format!("-p {}", package.name);
    // What continuous integration denies is denied here too: without it clippy's warnings pass.
    let denied = from_ci(CommandPurpose::Lint, root, Extent::Workspace, workflows)
        .and_then(|ci| ci.command.split_once(" -- "))
        .map_or_else(String::new, |(_, lints)| format!(" -- {lints}"));
    [
        (CommandPurpose::Build, format!("cargo build {only}")),
        (CommandPurpose::Typecheck, format!("cargo check {only} --all-targets")),
        (CommandPurpose::Test, format!("cargo test {only}")),
        (CommandPurpose::Lint, format!("cargo clippy {only} --all-targets{denied}")),
        (CommandPurpose::Format, format!("cargo fmt {only} --check")),
    ]
    .into_iter()
    .map(|(purpose, line)| command(purpose, line, root, package.manifest.as_str()))
    .collect()
}

/// Commands of a workspace or of a package on its own: as continuous integration runs them, else as Cargo has them.
fn own_commands(
    ground: &Ground<'_>,
    package: &Package,
    extent: Extent,
    workflows: &[CiCommand],
) -> Vec<ProjectCommand> {
    let folder = package.folder.as_str();
    let (fetch, source) = if ground.has(folder, "Cargo.lock") {
        ("cargo fetch --locked", join(folder, "Cargo.lock"))
    } else {
        ("cargo fetch", package.manifest.clone())
    };
    let (all, all_formatted) = match extent {
        Extent::Workspace => (" --workspace", " --all"),
        Extent::Package => ("", ""),
    };
    let defaults = [
        (CommandPurpose::Build, format!("cargo build{all}")),
        (CommandPurpose::Typecheck, format!("cargo check{all} --all-targets")),
        (CommandPurpose::Test, format!("cargo test{all}")),
        (CommandPurpose::Lint, format!("cargo clippy{all} --all-targets")),
        (CommandPurpose::Format, format!("cargo fmt{all_formatted} --check")),
    ];
    let fetch = command(CommandPurpose::Install, fetch, folder, source);
    let checks = defaults.into_iter().map(|(purpose, line)| match from_ci(purpose, folder, extent, workflows) {
        Some(ci) => command(purpose, ci.command.as_str(), folder, ci.source.as_str()),
        None => command(purpose, line, folder, package.manifest.as_str()),
    });
    std::iter::once(fetch).chain(checks).collect()
}

/// The line with which a workflow serves `purpose` for all that `extent` covers; the first of several.
fn from_ci<'c>(
    purpose: CommandPurpose,
    folder: &str,
    extent: Extent,
    workflows: &'c [CiCommand],
) -> Option<&'c CiCommand> {
    workflows.iter().find(|ci| ci.folder == folder && ci_purpose(&ci.command, extent) == Some(purpose))
}

/// Flags that leave out some of the code, or ask for another toolchain, target or a slow optimised build.
const PARTIAL: &[&str] = &[
    "-p",
    "--package",
    "--target",
    "--manifest-path",
    "--no-default-features",
    "--features",
    "-F",
    "--no-run",
    "--doc",
    "--example",
    "--examples",
    "--test",
    "--bin",
    "--bins",
    "--lib",
    "--bench",
    "--benches",
    "--fix",
    "--exclude",
    "--profile",
    "--ignored",
    "--target-dir",
    "--tests",
    "--release",
    "-r",
];

/// What a workflow's `cargo` line is for, if it checks all of the code on the default toolchain and target.
fn ci_purpose(line: &str, extent: Extent) -> Option<CommandPurpose> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["cargo", subcommand, arguments @ ..] = words.as_slice() else { return None };
    let cargo_arguments = || arguments.iter().take_while(|argument| **argument != "--");
    let name = |argument: &str| argument.split('=').next().unwrap_or_default().to_owned();
    if cargo_arguments().any(|argument| PARTIAL.contains(&name(argument).as_str()) || argument.starts_with("-Z")) {
        return None;
    }
    // `cargo test some_name` runs some of the tests, and `-- --ignored` others.
    let selects = cargo_arguments().any(|argument| !argument.starts_with('-'))
        || (*subcommand == "test" && arguments.contains(&"--"));
    let covers = extent == Extent::Package || arguments.iter().any(|flag| matches!(*flag, "--workspace" | "--all"));
    match *subcommand {
        "build" if !selects && covers => Some(CommandPurpose::Build),
        "check" if !selects && covers => Some(CommandPurpose::Typecheck),
        "test" if !selects && covers => Some(CommandPurpose::Test),
        // Their reach is the project's own choice.
        "clippy" if !selects => Some(CommandPurpose::Lint),
        "fmt" if !selects && arguments.contains(&"--check") => Some(CommandPurpose::Format),
        _ => None,
    }
}

/// Targets that start something or that others import.
fn entry_points(ground: &Ground<'_>, manifest: &Manifest<'_>) -> Vec<String> {
    let mut found: Vec<String> = ["src/main.rs", "src/lib.rs"].iter().map(|path| join(manifest.folder, path)).collect();
    let targets = get(&manifest.table, "bin").and_then(DeValue::as_array).into_iter().flatten().map(Spanned::get_ref);
    found.extend(
        targets
            .chain(get(&manifest.table, "lib"))
            .filter_map(|target| resolve(manifest.folder, text(target.get("path")?.get_ref())?)),
    );
    let bins = join(manifest.folder, "src/bin/");
    found.extend(ground.files.range(bins.as_str()..).take_while(|path| path.starts_with(&bins)).filter_map(|path| {
        let inside = path.strip_prefix(&bins)?;
        let is_bin = inside.ends_with(".rs") && (!inside.contains('/') || inside.split('/').skip(1).eq(["main.rs"]));
        is_bin.then(|| (*path).to_owned())
    }));
    found.retain(|path| ground.files.contains(path.as_str()));
    found.sort();
    found.dedup();
    found
}

fn get<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t DeValue<'i>> {
    table.iter().find(|(own, _)| own.get_ref().as_ref() == key).map(|(_, value)| value.get_ref())
}

fn text<'t>(value: &'t DeValue<'_>) -> Option<&'t str> {
    value.as_str()
}

fn flag(value: &DeValue<'_>, key: &str) -> bool {
    value.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or(false)
}

fn strings<'t>(value: Option<&'t DeValue<'_>>) -> impl Iterator<Item = &'t str> {
    value.and_then(DeValue::as_array).into_iter().flatten().filter_map(|item| item.get_ref().as_str())
}
