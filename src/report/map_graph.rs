//! `improve map --format dot|mermaid`: which folders use which, as a graph a person can read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::layout::count;
use super::sanitize;
use crate::repo_map::{CallId, FileId, FileRole, ImportTarget, RepoMap};

/// Boxes and arrows at most: more cannot be read.
const NODES: usize = 30;
const EDGES: usize = 60;

/// Folders and how often each uses another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleGraph {
    /// Folders with their source files, sorted by path; the root is `.`.
    pub nodes: BTreeMap<String, usize>,
    /// Calls and imports from one to another, the strongest first.
    pub edges: Vec<(String, String, u32)>,
    /// Folders and arrows that were left out.
    pub left_out: (usize, usize),
}

impl ModuleGraph {
    /// The graph of the files that `keep` keeps, at the finest grain of folders that can still be read. Tests are left out.
    pub fn new(map: &RepoMap, keep: &dyn Fn(&str) -> bool) -> ModuleGraph {
        let files: Vec<FileId> = map
            .files_with_ids()
            .filter(|(_, file)| file.role != FileRole::Test && keep(&file.path))
            .map(|(id, _)| id)
            .collect();
        let depth = grain(map, &files);
        let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
        let group: BTreeMap<FileId, &str> =
            files.iter().map(|&file| (file, upto(folder(&map.file(file).path), depth))).collect();
        for folder in group.values() {
            *nodes.entry(folder).or_default() += 1;
        }
        let mut weights: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for (user, used) in uses(map, &files) {
            if let (Some(from), Some(to)) = (group.get(&user), group.get(&used))
                && from != to
            {
                *weights.entry((from, to)).or_default() += 1;
            }
        }
        limited(&nodes, &weights)
    }

    /// The graph in Graphviz's language.
    pub fn dot(&self) -> String {
        let mut text = "digraph modules {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        for (folder, files) in &self.nodes {
            let _ = writeln!(
                text,
                "  {} [label={}];",
                quoted(folder),
                quoted(&format!("{folder}\n{}", count(*files, "file")))
            );
        }
        for (from, to, weight) in &self.edges {
            let _ = writeln!(text, "  {} -> {} [label=\"{weight}\"];", quoted(from), quoted(to));
        }
        if let Some(said) = self.said() {
            let _ = writeln!(text, "  label={};", quoted(&said));
        }
        text.push_str("}\n");
        text
    }

    /// The graph for a Markdown fence.
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        let number: BTreeMap<&str, usize> =
            self.nodes.keys().enumerate().map(|(at, folder)| (folder.as_str(), at)).collect();
        for (folder, files) in &self.nodes {
            let label = sanitize::line(folder).replace('"', "#quot;");
            let _ = writeln!(text, "  n{}[\"{label}<br/>{}\"]", number[folder.as_str()], count(*files, "file"));
        }
        for (from, to, weight) in &self.edges {
            let _ = writeln!(text, "  n{} -->|{weight}| n{}", number[from.as_str()], number[to.as_str()]);
        }
        if let Some(said) = self.said() {
            let _ = writeln!(text, "  %% {said}");
        }
        text
    }

    fn said(&self) -> Option<String> {
        let (folders, edges) = self.left_out;
        let said = [(folders, "folder"), (edges, "weaker arrow")];
        let said: Vec<String> =
            said.iter().filter(|(number, _)| *number > 0).map(|(number, word)| count(*number, word)).collect();
        (!said.is_empty()).then(|| format!("left out: {}", said.join(", ")))
    }
}

/// The strongest edges between the folders that take part most.
fn limited(nodes: &BTreeMap<&str, usize>, weights: &BTreeMap<(&str, &str), u32>) -> ModuleGraph {
    let mut strength: BTreeMap<&str, u32> = nodes.keys().map(|&folder| (folder, 0)).collect();
    for (&(from, to), &weight) in weights {
        *strength.entry(from).or_default() += weight;
        *strength.entry(to).or_default() += weight;
    }
    let mut folders: Vec<&str> = nodes.keys().copied().collect();
    folders.sort_by_key(|folder| (std::cmp::Reverse(strength[folder]), *folder));
    let kept: BTreeSet<&str> = folders.iter().take(NODES).copied().collect();
    let mut edges: Vec<(String, String, u32)> = weights
        .iter()
        .filter(|((from, to), _)| kept.contains(from) && kept.contains(to))
        .map(|(&(from, to), &weight)| (named(from), named(to), weight))
        .collect();
    edges.sort_by(|one, other| other.2.cmp(&one.2).then_with(|| one.cmp(other)));
    edges.truncate(EDGES);
    ModuleGraph {
        left_out: (nodes.len() - kept.len(), weights.len() - edges.len()),
        nodes: kept.iter().map(|&folder| (named(folder), nodes[folder])).collect(),
        edges,
    }
}

/// The deepest level of folders that gives no more boxes than can be read.
fn grain(map: &RepoMap, files: &[FileId]) -> usize {
    let folders: BTreeSet<&str> = files.iter().map(|&file| folder(&map.file(file).path)).collect();
    let deepest = folders.iter().map(|folder| folder.split('/').count()).max().unwrap_or(1);
    let boxes = |depth: usize| folders.iter().map(|folder| upto(folder, depth)).collect::<BTreeSet<_>>().len();
    (1..=deepest).rev().find(|&depth| boxes(depth) <= NODES).unwrap_or(1)
}

/// Every call and import from one file to another.
fn uses(map: &RepoMap, files: &[FileId]) -> Vec<(FileId, FileId)> {
    let mut uses = Vec::new();
    for &file in files {
        let calls = (0..map.file(file).facts.calls.len() as u32).map(|index| CallId { file, index });
        uses.extend(calls.flat_map(|call| map.resolved(call)).map(|found| (file, found.symbol.file)));
        uses.extend(map.import_targets[file as usize].iter().filter_map(|target| match target {
            ImportTarget::File(target) => Some((file, *target)),
            ImportTarget::External(_) | ImportTarget::Unresolved => None,
        }));
    }
    uses
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The first `depth` parts of a folder.
fn upto(folder: &str, depth: usize) -> &str {
    folder.match_indices('/').nth(depth - 1).map_or(folder, |(end, _)| &folder[..end])
}

fn named(folder: &str) -> String {
    if folder.is_empty() { ".".to_owned() } else { folder.to_owned() }
}

/// A string of Graphviz's language.
fn quoted(text: &str) -> String {
    let lines: Vec<String> =
        text.lines().map(|line| sanitize::line(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;

    fn graph() -> ModuleGraph {
        let mut map = sample::map();
        map.files[1].path = "src/store/b.ts".into();
        map.files.sort_by(|one, other| one.path.cmp(&other.path));
        // In order of path `src/c.ts` now comes before the store; the sample's calls follow the file ids.
        map.files.swap(1, 2);
        ModuleGraph::new(&map, &|_| true)
    }

    #[test]
    fn folders_are_joined_by_what_uses_what() {
        insta::assert_snapshot!(graph().dot());
        insta::assert_snapshot!(graph().mermaid());
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted("a\"b\\c\nd\u{1b}"), "\"a\\\"b\\\\c\\nd\"");
    }
}
