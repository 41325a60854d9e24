//! What this is: the README's own words, languages and size, packages, and where things stand.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Ground, Place, doc_comment, folders, readme};
use crate::effects::entry::EntryKind;
use crate::effects::{DirectEffect, Effect};
use crate::repo_map::facts::CallKind;
use crate::repo_map::recon::{DocumentKind, Package};
use crate::repo_map::{CallId, FileId, FileRole, SourceFile};
use crate::report::map_document::{LanguageTotal, PackageDependency, languages, package_dependencies};

/// Packages listed, the most needed first.
const PACKAGES: usize = 24;
/// Folders listed.
const FOLDERS: usize = 14;

/// What this is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct About {
    /// The project's name.
    pub name: String,
    /// Its README's first paragraph, or what its manifest says of it; null when neither says anything.
    pub summary: Option<Summary>,
    /// Languages that are read, the one with most lines first.
    pub languages: Vec<LanguageTotal>,
    /// Frameworks and libraries that decide how code is written here.
    pub frameworks: Vec<String>,
    /// Packages, where there are several, the ones that most others need first.
    pub packages: Vec<PackageOf>,
    /// Packages that are not listed.
    pub more_packages: usize,
    /// Where things stand.
    pub folders: Vec<Folder>,
}

/// What a project says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Where it stands.
    pub place: Place,
    /// Its words, markup taken off.
    pub text: String,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageOf {
    /// Its name.
    pub name: String,
    /// Its folder; empty for the root.
    pub folder: String,
    /// What its manifest says it is.
    pub description: Option<String>,
    /// Packages of this repository that it depends on, sorted, without those that others of them bring along.
    pub needs: Vec<String>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Folder {
    /// Its path.
    pub path: String,
    /// Folders below it are listed apart.
    pub rest: bool,
    /// Source files in it and below, those in folders listed apart not counted.
    pub files: usize,
    /// Their lines.
    pub lines: u64,
    /// What most of it is.
    pub role: FileRole,
    /// What it says of itself: the comment at the head of its module, or its README.
    pub says: Option<String>,
    /// What many of its files hold, in words: `routes`, `components`.
    pub holds: Vec<String>,
}

impl About {
    pub(super) fn files(&self) -> Vec<&str> {
        self.summary.iter().map(|summary| summary.place.path.as_str()).collect()
    }
}

pub(super) fn about(ground: &Ground<'_>) -> About {
    let map = ground.sources.map;
    let recon = &map.recon;
    let root = recon.packages.iter().find(|package| package.folder.is_empty() && package.name != ".");
    let name = root.map_or(ground.sources.folder, |package| package.name.as_str()).to_owned();
    let (packages, more_packages) = packages(ground);
    About {
        name,
        summary: summary(ground, root),
        languages: spoken(languages(map)),
        frameworks: recon.frameworks.clone(),
        packages,
        more_packages,
        folders: places(ground),
    }
}

/// Languages of at least a hundredth of the lines: a stray file says nothing.
fn spoken(languages: Vec<LanguageTotal>) -> Vec<LanguageTotal> {
    let all: u64 = languages.iter().map(|own| own.lines).sum();
    languages.into_iter().filter(|own| own.lines * 100 >= all).collect()
}

fn summary(ground: &Ground<'_>, root: Option<&Package>) -> Option<Summary> {
    let documents = ground.sources.map.recon.documents.iter();
    let mut readmes: Vec<&str> = documents
        .filter(|document| {
            document.kind == DocumentKind::Readme && !document.path.trim_start_matches(".github/").contains('/')
        })
        .map(|document| document.path.as_str())
        .collect();
    // `README.md` before `README.zh.md`.
    readmes.sort_by_key(|path| (path.len(), *path));
    let of_readme = readmes.into_iter().find_map(|path| {
        let paragraph = readme::first_paragraph(&ground.sources.text(path)?)?;
        Some(Summary { place: Place { path: path.to_owned(), line: paragraph.line }, text: paragraph.text })
    });
    of_readme.or_else(|| {
        let root = root?;
        let text = ground.sources.text(&root.manifest)?;
        let line =
            text.lines().position(|line| line.trim_start().trim_start_matches('"').starts_with("description"))?;
        let place = Place { path: root.manifest.clone(), line: line as u32 + 1 };
        Some(Summary { place, text: description(ground, root)? })
    })
}

/// What the manifest of a package says it is.
fn description(ground: &Ground<'_>, package: &Package) -> Option<String> {
    let text = ground.sources.text(&package.manifest)?;
    let said = if package.manifest.ends_with(".json") {
        serde_json::from_str::<Value>(&text).ok()?.get("description")?.as_str()?.to_owned()
    } else {
        let table: toml::Table = text.parse().ok()?;
        table.get("package")?.get("description")?.as_str()?.to_owned()
    };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    (!said.is_empty()).then(|| doc_comment::cut(&said, 160))
}

fn packages(ground: &Ground<'_>) -> (Vec<PackageOf>, usize) {
    let packages: Vec<&Package> =
        ground.sources.map.recon.packages.iter().filter(|package| package.name != ".").collect();
    if packages.len() < 2 {
        return (Vec::new(), 0);
    }
    let edges = package_dependencies(&ground.sources.map.recon.packages);
    let needed = |name: &str| edges.iter().filter(|edge| edge.to == name).count();
    // Examples and fixtures are packages, too, and nobody reads them first.
    let ships = |package: &Package| {
        ground.sources.map.files_with_ids().any(|(id, file)| {
            package.inside(&file.path).is_some() && file.role == FileRole::Production && ground.keeps(id)
        })
    };
    let mut shown: Vec<&Package> = packages.into_iter().filter(|package| ships(package)).collect();
    if shown.len() < 2 {
        return (Vec::new(), 0);
    }
    shown.sort_by_key(|package| (std::cmp::Reverse(needed(&package.name)), package.folder.as_str()));
    let more = shown.len().saturating_sub(PACKAGES);
    shown.truncate(PACKAGES);
    let listed = shown.into_iter().map(|package| PackageOf {
        name: package.name.clone(),
        folder: package.folder.clone(),
        description: description(ground, package),
        needs: edges
            .iter()
            .filter(|edge| edge.from == package.name)
            .map(|edge| edge.to.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    });
    let mut listed: Vec<PackageOf> = listed.collect();
    // Helpers of tests are needed by all, and say nothing of how the parts hang together.
    let names: BTreeSet<String> = listed.iter().map(|package| package.name.clone()).collect();
    for package in &mut listed {
        package.needs.retain(|name| more > 0 || names.contains(name));
        package.needs = without_those_of_others(&package.needs, &edges);
    }
    (listed, more)
}

/// Packages that none of the others depends on, through however many: they say how the parts lie on each other. Of two that depend on each
/// other both stay.
fn without_those_of_others(needs: &[String], edges: &[PackageDependency]) -> Vec<String> {
    let below = |name: &str| {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(from) = open.pop() {
            for edge in edges.iter().filter(|edge| edge.from == from) {
                if found.insert(edge.to.as_str()) {
                    open.push(edge.to.clone());
                }
            }
        }
        found
    };
    let all: Vec<BTreeSet<&str>> = needs.iter().map(|name| below(name)).collect();
    let is_brought = |at: usize| {
        (0..needs.len()).any(|other| {
            other != at && all[other].contains(needs[at].as_str()) && !all[at].contains(needs[other].as_str())
        })
    };
    (0..needs.len()).filter(|at| !is_brought(*at)).map(|at| needs[at].clone()).collect()
}

/// Folders with code, the large ones opened, in order of path.
fn places(ground: &Ground<'_>) -> Vec<Folder> {
    let files: Vec<&SourceFile> = ground
        .sources
        .map
        .files_with_ids()
        .filter(|(id, file)| file.role != FileRole::Generated && ground.keeps(*id))
        .map(|(_, file)| file)
        .collect();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let opened = folders::opened(&paths, FOLDERS);
    let packages = &ground.sources.map.recon.packages;
    // Where packages are listed, their folders are.
    let is_listed = |folder: &str| {
        let holds = |package: &&Package| package.folder == folder || package.folder.starts_with(&format!("{folder}/"));
        packages.len() > 2 && packages.iter().any(|package| holds(&package))
    };
    let of_folder = |folder: &&str| -> Folder {
        let own: Vec<&&SourceFile> =
            files.iter().filter(|file| folders::of(&file.path, &opened) == Some(*folder)).collect();
        let mut roles: BTreeMap<FileRole, usize> = BTreeMap::new();
        for file in &own {
            *roles.entry(file.role).or_default() += 1;
        }
        let role = roles.into_iter().max_by_key(|(role, count)| (*count, std::cmp::Reverse(*role)));
        Folder {
            path: (*folder).to_owned(),
            rest: opened.iter().any(|other| other.starts_with(&format!("{folder}/"))),
            files: own.len(),
            lines: own.iter().map(|file| u64::from(file.lines)).sum(),
            role: role.map_or(FileRole::Production, |(role, _)| role),
            says: says(ground, folder),
            holds: holds(ground, &own),
        }
    };
    opened.iter().filter(|folder| !is_listed(folder)).map(of_folder).collect()
}

/// What at least a third of some files hold, as the map can tell.
fn holds(ground: &Ground<'_>, files: &[&&SourceFile]) -> Vec<String> {
    let (map, effects) = (ground.sources.map, ground.sources.effects);
    let ids: BTreeSet<FileId> = files.iter().filter_map(|file| Some(map.file_by_path(&file.path)?.0)).collect();
    let kinds = [
        ("routes", EntryKind::Route),
        ("procedures", EntryKind::Procedure),
        ("resolvers", EntryKind::Resolver),
        ("pages", EntryKind::Page),
        ("jobs", EntryKind::Job),
        ("schedules", EntryKind::Schedule),
    ];
    let mut found: Vec<(&str, BTreeSet<FileId>)> = kinds
        .into_iter()
        .map(|(word, kind)| {
            let entries = effects.entries.list.iter().filter(|entry| entry.kind == kind);
            (word, entries.map(|entry| entry.handler.file()).filter(|file| ids.contains(file)).collect())
        })
        .collect();
    let draws = |id: &FileId| map.file(*id).facts.calls.iter().any(|call| call.kind == CallKind::Jsx);
    found.push(("components", ids.iter().copied().filter(draws).collect()));
    let asks = |call: &CallId, direct: &[DirectEffect]| {
        let is_db = |effect: Effect| matches!(effect, Effect::DbRead | Effect::DbWrite);
        ids.contains(&call.file) && direct.iter().any(|direct| is_db(direct.effect))
    };
    let queries = effects.direct.iter().filter(|(call, direct)| asks(call, direct)).map(|(call, _)| call.file);
    found.push(("database queries", queries.collect()));
    let many = |own: &BTreeSet<FileId>| own.len() >= 2 && own.len() * 3 >= ids.len();
    found.into_iter().filter(|(_, own)| many(own)).map(|(word, _)| word.to_owned()).collect()
}

/// What a folder says of itself.
fn says(ground: &Ground<'_>, folder: &str) -> Option<String> {
    let map = ground.sources.map;
    let modules = [
        format!("{folder}.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/src/lib.rs"),
        format!("{folder}/src/main.rs"),
        format!("{folder}/index.ts"),
        format!("{folder}/index.tsx"),
        format!("{folder}/index.js"),
        format!("{folder}/src/index.ts"),
    ];
    let of_module = modules
        .iter()
        .filter_map(|path| map.file_by_path(path))
        .find_map(|(_, file)| doc_comment::of_file(&ground.sources.text(&file.path)?, file.language));
    let package = || {
        let package = map.recon.packages.iter().find(|package| package.folder == folder)?;
        description(ground, package)
    };
    let of_readme = || readme::first_sentence(&ground.sources.text(&format!("{folder}/README.md"))?);
    of_module.or_else(package).or_else(of_readme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_another_brings_along_is_not_named() {
        let edge = |from: &str, to: &str| PackageDependency { from: from.to_owned(), to: to.to_owned() };
        let edges = [
            edge("api", "db"),
            edge("api", "types"),
            edge("api", "one"),
            edge("api", "two"),
            edge("db", "schema"),
            edge("schema", "types"),
            edge("one", "two"),
            edge("two", "one"),
        ];
        let needs = ["db", "one", "two", "types"].map(str::to_owned);
        assert_eq!(
            without_those_of_others(&needs, &edges),
            ["db", "one", "two"],
            "types comes with db, the circle stays"
        );
        assert_eq!(without_those_of_others(&[], &edges), Vec::<String>::new());
    }
}
