//! What says that a definition mattered: later commits that name it from elsewhere, later commits that touch its file, documents
//! that name it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use improve::git::GitTree;
use improve::repo_map::{FileId, FileRole, RepoMap, SymbolId};
use improve::tree::Tree;

/// Definitions and files that mattered, one set a commit or document.
pub struct Evidence {
    used: Vec<BTreeSet<SymbolId>>,
    worked: Vec<BTreeSet<FileId>>,
    named: Vec<BTreeSet<SymbolId>>,
}

impl Evidence {
    /// What the commits after `base` and the documents at `base` say of the definitions that can be shown.
    pub fn new(folder: &Path, base: &str, map: &RepoMap, shown: &[SymbolId], tree: &GitTree) -> Evidence {
        let by_name = telling(map, shown);
        let mut evidence = Evidence { used: Vec::new(), worked: Vec::new(), named: Vec::new() };
        for commit in commits(folder, base) {
            let (mut used, mut worked) = (BTreeSet::new(), BTreeSet::new());
            for (path, added) in commit {
                let file = map.file_by_path(&path).map(|(file, _)| file);
                if let Some(file) = file
                    && ships(map, file)
                {
                    worked.insert(file);
                }
                let of_tests = file.map_or_else(|| looks_like_test(&path), |file| !ships(map, file));
                if !of_tests {
                    let names = added.iter().flat_map(|line| identifiers(line));
                    used.extend(names.filter_map(|name| by_name.get(name)).filter(|id| Some(id.file) != file));
                }
            }
            evidence.used.extend((!used.is_empty()).then_some(used));
            evidence.worked.extend((!worked.is_empty()).then_some(worked));
        }
        for entry in tree.entries().expect("the files can be listed") {
            let path = entry.path.to_ascii_lowercase();
            let is_document = (path.ends_with(".md") || path.ends_with(".mdx")) && !path.contains("change");
            if !is_document {
                continue;
            }
            let Ok(bytes) = tree.read(&entry.path) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            let named: BTreeSet<SymbolId> = identifiers(&text).filter_map(|name| by_name.get(name)).copied().collect();
            evidence.named.extend((!named.is_empty()).then_some(named));
        }
        evidence
    }

    /// Cases of each kind.
    pub fn cases(&self) -> [usize; 3] {
        [self.used.len(), self.worked.len(), self.named.len()]
    }

    /// The share of each kind that is among `shown`, mean over cases.
    pub fn shares(&self, shown: &[SymbolId]) -> [f64; 3] {
        let definitions: HashSet<SymbolId> = shown.iter().copied().collect();
        let files: HashSet<FileId> = shown.iter().map(|id| id.file).collect();
        [
            mean(&self.used, |id| definitions.contains(id)),
            mean(&self.worked, |file| files.contains(file)),
            mean(&self.named, |id| definitions.contains(id)),
        ]
    }
}

fn mean<T>(cases: &[BTreeSet<T>], is_shown: impl Fn(&T) -> bool) -> f64 {
    let share = |case: &BTreeSet<T>| case.iter().filter(|item| is_shown(item)).count() as f64 / case.len() as f64;
    cases.iter().map(share).fold(0.0, |sum, share| sum + share) / cases.len().max(1) as f64
}

/// Definitions whose name says which one is meant: one definition has it, and it is more than a plain word.
fn telling<'a>(map: &'a RepoMap, shown: &[SymbolId]) -> HashMap<&'a str, SymbolId> {
    let mut homes: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, symbol) in map.symbols() {
        *homes.entry(symbol.name.as_str()).or_default() += 1;
    }
    let is_word = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
    let named = shown.iter().map(|&id| (map.symbol(id).name.as_str(), id));
    named.filter(|(name, _)| homes[name] == 1 && name.len() > 3 && !is_word(name)).collect()
}

fn ships(map: &RepoMap, file: FileId) -> bool {
    matches!(map.file(file).role, FileRole::Production | FileRole::Migration)
}

fn looks_like_test(path: &str) -> bool {
    ["test", "spec", "bench", "example", "fixture", "mock"].iter().any(|word| path.contains(word))
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_' || character == '$'))
        .filter(|word| !word.is_empty())
}

/// The commit that so many came after, in first parents.
pub fn base(folder: &Path, commits: usize) -> String {
    let listed = git(folder, &["rev-list", "--first-parent", "-n", &(commits + 1).to_string(), "HEAD"]);
    listed.lines().last().expect("a commit").to_owned()
}

/// Files of each commit after `base`, with the lines added to them.
fn commits(folder: &Path, base: &str) -> Vec<BTreeMap<String, Vec<String>>> {
    let range = format!("{base}..HEAD");
    let flags = ["log", "--first-parent", "-m", "--no-renames", "--no-ext-diff", "-U0", "--format=%x01", &range];
    let log = git(folder, &flags);
    let mut commits = Vec::new();
    for block in log.split('\u{1}').skip(1) {
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut path = String::new();
        for line in block.lines() {
            // A deleted file is named by its old path.
            if let Some(old) = line.strip_prefix("--- a/") {
                old.clone_into(&mut path);
                files.entry(path.clone()).or_default();
            } else if let Some(new) = line.strip_prefix("+++ b/") {
                new.clone_into(&mut path);
                files.entry(path.clone()).or_default();
            } else if let Some(added) = line.strip_prefix('+').filter(|_| !line.starts_with("+++ ")) {
                files.entry(path.clone()).or_default().push(added.to_owned());
            }
        }
        files.retain(|path, _| is_source(path));
        commits.push(files);
    }
    commits
}

fn is_source(path: &str) -> bool {
    let endings = ["rs", "js", "jsx", "ts", "tsx", "cjs", "cts", "mjs", "mts"];
    path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().expect("git runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
