//! Conventions that the map can see: what most of the code does, each with a file to match.

use std::collections::BTreeMap;

use crate::repo_map::{FileRole, RepoMap, SourceFile};
use crate::report::sanitize;

/// Examples below which nothing is called a convention, and the share, in hundredths, that has to agree. Our choice.
const FEWEST: usize = 4;
const AGREE: usize = 70;
/// Folders of which a file to match is named, the largest first.
const MAX_FOLDERS: usize = 10;

/// What most of the code does in one way.
pub(crate) struct Habit<'m> {
    /// What the code can do in several ways.
    pub what: String,
    /// The way that most of it does it.
    pub value: &'static str,
    /// The files that do.
    pub files: Vec<&'m SourceFile>,
    /// Files that do it in some way.
    pub all: usize,
}

/// A line each: what, how many agree, and the exemplar.
pub(super) fn conventions(map: &RepoMap) -> String {
    let said = habits(map).into_iter().filter_map(|habit| {
        let exemplar = exemplar(habit.files.iter().copied())?;
        let (what, value, number, all) = (&habit.what, habit.value, habit.files.len(), habit.all);
        Some(format!("{what}: {value} ({number} of {all}), as {}", sanitize::line(&exemplar.path)))
    });
    let folders = folders(map).into_iter().filter_map(|(folder, files)| {
        let exemplar = exemplar(files.iter().copied())?;
        let folder = if folder.is_empty() { ".".into() } else { sanitize::line(folder) };
        Some(format!("new code in {folder}/: like {}", sanitize::line(&exemplar.path)))
    });
    said.chain(folders).collect::<Vec<_>>().join("\n")
}

/// What most of the code does.
pub(crate) fn habits(map: &RepoMap) -> Vec<Habit<'_>> {
    let written = written(map);
    let mut habits = Vec::new();
    let mut families: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    for file in &written {
        let family = if file.language.is_ecmascript() { "TypeScript and JavaScript" } else { "Rust" };
        families.entry(family).or_default().push(file);
    }
    for (family, files) in &families {
        let named = files.iter().filter_map(|file| Some((case_of(&file.path)?, *file)));
        habits.extend(majority(&format!("{family} file names"), named));
    }
    let tests = map.files.iter().filter_map(|file| Some((place_of_tests(map, file)?, file)));
    habits.extend(majority("tests stand", tests));
    if let Some(files) = families.get("TypeScript and JavaScript") {
        let exports = files.iter().filter_map(|file| Some((exports_of(file)?, *file)));
        habits.extend(majority("modules export", exports));
    }
    let documented = written.iter().filter_map(|file| Some((documents_of(file)?, *file)));
    habits.extend(majority("exported definitions", documented));
    habits
}

fn written(map: &RepoMap) -> Vec<&SourceFile> {
    map.files.iter().filter(|file| file.role == FileRole::Production).collect()
}

/// What most of `found` have in common, if enough do.
fn majority<'m>(what: &str, found: impl Iterator<Item = (&'static str, &'m SourceFile)>) -> Option<Habit<'m>> {
    let mut by_value: BTreeMap<&'static str, Vec<&SourceFile>> = BTreeMap::new();
    for (value, file) in found {
        by_value.entry(value).or_default().push(file);
    }
    let all: usize = by_value.values().map(Vec::len).sum();
    let (value, files) = by_value.into_iter().max_by_key(|(value, files)| (files.len(), std::cmp::Reverse(*value)))?;
    let enough = files.len() >= FEWEST && files.len() * 100 >= all * AGREE;
    enough.then(|| Habit { what: what.to_owned(), value, files, all })
}

/// The file that was changed most: people look at it, so it says how code is written now.
fn exemplar<'m>(files: impl Iterator<Item = &'m SourceFile>) -> Option<&'m SourceFile> {
    files
        .filter(|file| has_code(file))
        .max_by_key(|file| (file.history.churn_90d, file.facts.symbols.len(), std::cmp::Reverse(&file.path)))
}

/// Declarations of types alone show nothing to match.
pub(crate) fn has_code(file: &SourceFile) -> bool {
    !file.facts.calls.is_empty() || file.facts.symbols.iter().any(|symbol| symbol.kind.is_callable() && symbol.has_body)
}

/// How the words of a file's name are joined; `None` when it has one word.
fn case_of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let plain = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !plain {
        return None;
    }
    let upper = stem.chars().any(|c| c.is_ascii_uppercase());
    match (stem.contains('-'), stem.contains('_'), upper) {
        (true, false, false) => Some("kebab-case"),
        (false, true, false) => Some("snake_case"),
        (false, false, true) if stem.starts_with(|c: char| c.is_ascii_uppercase()) => Some("PascalCase"),
        (false, false, true) => Some("camelCase"),
        _ => None,
    }
}

/// Where a file with tests stands.
fn place_of_tests(map: &RepoMap, file: &SourceFile) -> Option<&'static str> {
    if file.role != FileRole::Test {
        return file.facts.symbols.iter().any(|symbol| symbol.test).then_some("in the file they test");
    }
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    if folder.split('/').any(|part| part == "__tests__") {
        return Some("in `__tests__` folders");
    }
    if folder.split('/').any(|part| matches!(part, "test" | "tests" | "spec" | "e2e")) {
        return Some("in a test folder of their own");
    }
    // `orders.test.ts` beside `orders.ts`.
    let stem = name.split('.').next().unwrap_or(name);
    let is_beside = map.files.iter().any(|other| {
        let (own_folder, own_name) = other.path.rsplit_once('/').unwrap_or(("", &other.path));
        other.role != FileRole::Test && own_folder == folder && own_name.split('.').next() == Some(stem)
    });
    is_beside.then_some("beside the file they test")
}

fn exports_of(file: &SourceFile) -> Option<&'static str> {
    let exported = || file.facts.symbols.iter().filter(|symbol| symbol.exported && symbol.container.is_none());
    exported().next()?;
    Some(if exported().any(|symbol| symbol.default_export) { "by default" } else { "by name" })
}

fn documents_of(file: &SourceFile) -> Option<&'static str> {
    let exported = file.facts.symbols.iter().filter(|symbol| symbol.exported && symbol.container.is_none());
    let (documented, bare): (Vec<_>, Vec<_>) = exported.partition(|symbol| symbol.documented);
    if documented.is_empty() && bare.is_empty() {
        return None;
    }
    Some(if documented.len() >= bare.len() { "have a doc comment" } else { "have no doc comment" })
}

/// The largest folders, each with its own files, of which one can be matched.
pub(crate) fn folders(map: &RepoMap) -> Vec<(&str, Vec<&SourceFile>)> {
    let mut by_folder: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    for file in written(map) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        by_folder.entry(folder).or_default().push(file);
    }
    let mut folders: Vec<(&str, Vec<&SourceFile>)> =
        by_folder.into_iter().filter(|(_, files)| files.len() >= FEWEST).collect();
    folders.sort_by_key(|(folder, files)| (std::cmp::Reverse(files.len()), *folder));
    folders.truncate(MAX_FOLDERS);
    folders
}
