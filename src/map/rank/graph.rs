//! The graph that importance flows through: definitions and the top level of files, joined by calls and imports.
//!
//! Only code that ships takes part: everything is called from a test. Guesses are left out as everywhere.

use std::collections::HashMap;

use crate::repo_map::facts::ImportItem;
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap, SymbolId};

/// Confidence of an import by name that leads to a definition: it uses it, but does not say how often.
const IMPORT: f64 = 0.5;

/// Numbers for definitions and for the top level of each file.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// Number of the first definition of each file; its top level comes after its last definition.
    first: Vec<usize>,
}

impl Numbers {
    fn new(map: &RepoMap) -> Numbers {
        let mut first = Vec::with_capacity(map.files.len() + 1);
        let mut next = 0;
        for file in &map.files {
            first.push(next);
            next += file.facts.symbols.len() + 1;
        }
        first.push(next);
        Numbers { first }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.first.last().copied().unwrap_or(0)
    }

    /// The number of a definition.
    pub fn of(&self, symbol: SymbolId) -> usize {
        self.first[symbol.file as usize] + symbol.index as usize
    }

    fn top_level(&self, file: FileId) -> usize {
        self.first[file as usize + 1] - 1
    }

    /// The definition with this number; `None` for the top level of a file.
    pub fn symbol(&self, number: usize) -> Option<SymbolId> {
        let file = self.first.partition_point(|&first| first <= number) - 1;
        let index = number - self.first[file];
        (number + 1 < self.first[file + 1]).then_some(SymbolId { file: file as FileId, index: index as u32 })
    }
}

/// Who uses a definition, in code that ships.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// Calls.
    pub calls: u32,
    /// Other files that call it or import it by name.
    pub files: u32,
    /// Different definitions of the repository that it calls.
    pub callees: u32,
}

/// Who uses each definition.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    numbers: Numbers,
    uses: Vec<Use>,
}

impl Reach {
    /// Of all definitions, without ranking them.
    pub fn new(map: &RepoMap) -> Reach {
        Graph::new(map).reach
    }

    /// Who uses `symbol`.
    pub fn of(&self, symbol: SymbolId) -> Use {
        self.uses[self.numbers.of(symbol)]
    }
}

/// One edge, from the user to the used.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The used one.
    pub to: usize,
    /// Confidence × square root of the number of calls.
    pub weight: f64,
}

/// Definitions and what they use.
pub struct Graph {
    /// The edges of each number, those of number `n` at `starts[n]..starts[n + 1]`, sorted by target.
    edges: Vec<Edge>,
    starts: Vec<usize>,
    /// The file of each number.
    homes: Vec<FileId>,
    /// Who uses each definition.
    pub reach: Reach,
}

/// Whether a file takes part.
pub fn ships(role: FileRole) -> bool {
    matches!(role, FileRole::Production | FileRole::Migration)
}

impl Graph {
    /// The graph of `map`.
    pub fn new(map: &RepoMap) -> Graph {
        let numbers = Numbers::new(map);
        let takes_part = taking_part(map, &numbers);
        let mut uses = vec![Use::default(); numbers.count()];
        let mut pairs = pairs(map, &numbers, &takes_part, &mut uses);
        pairs.sort_unstable_by_key(|&(from, to, ..)| (from, to));
        let mut edges: Vec<Edge> = Vec::with_capacity(pairs.len());
        let mut starts = Vec::with_capacity(numbers.count() + 1);
        let mut rest = pairs.as_slice();
        for from in 0..numbers.count() {
            starts.push(edges.len());
            while let Some(&(first, to, ..)) = rest.first()
                && first == from
            {
                let run = rest.iter().take_while(|&&(from, next, _)| from == first && next == to).count();
                let confidence = rest[..run].iter().map(|&(.., confidence)| confidence).fold(0.0, f64::max);
                edges.push(Edge { to, weight: confidence * (run as f64).sqrt() });
                rest = &rest[run..];
            }
            uses[from].callees = (edges.len() - starts[from]) as u32;
        }
        starts.push(edges.len());
        let homes = homes(&numbers);
        count_files(&homes, &edges, &starts, &mut uses);
        Graph { edges, starts, homes, reach: Reach { numbers, uses } }
    }

    /// Number of nodes.
    pub fn count(&self) -> usize {
        self.reach.numbers.count()
    }

    /// Numbers of definitions.
    pub fn numbers(&self) -> &Numbers {
        &self.reach.numbers
    }

    /// Who uses the definition with this number.
    pub fn uses(&self, number: usize) -> Use {
        self.reach.uses[number]
    }

    /// Whether both stand in one file.
    pub fn share_a_file(&self, one: usize, other: usize) -> bool {
        self.homes[one] == self.homes[other]
    }

    /// What it uses.
    pub fn edges(&self, number: usize) -> &[Edge] {
        &self.edges[self.starts[number]..self.starts[number + 1]]
    }
}

fn taking_part(map: &RepoMap, numbers: &Numbers) -> Vec<bool> {
    let mut takes_part = Vec::with_capacity(numbers.count());
    for file in &map.files {
        let ships = ships(file.role);
        takes_part.extend(file.facts.symbols.iter().map(|symbol| ships && !symbol.test));
        takes_part.push(ships);
    }
    takes_part
}

/// Every use: from, to, confidence.
fn pairs(map: &RepoMap, numbers: &Numbers, takes_part: &[bool], uses: &mut [Use]) -> Vec<(usize, usize, f64)> {
    let mut pairs = Vec::new();
    for (id, call) in map.calls() {
        let from =
            call.caller.map_or(numbers.top_level(id.file), |index| numbers.of(SymbolId { file: id.file, index }));
        if !takes_part[from] {
            continue;
        }
        for resolved in map.resolved(id) {
            let to = numbers.of(resolved.symbol);
            if takes_part[to] && to != from {
                uses[to].calls += 1;
                pairs.push((from, to, resolved.how.confidence()));
            }
        }
    }
    let by_name = exported(map);
    for (file, source) in map.files_with_ids().filter(|(_, source)| ships(source.role)) {
        for (import, target) in source.facts.imports.iter().zip(&map.import_targets[file as usize]) {
            let (ImportItem::Named(name), ImportTarget::File(target)) = (&import.item, target) else { continue };
            if let Some(&symbol) = by_name.get(&(*target, name.as_str()))
                && takes_part[numbers.of(symbol)]
                && *target != file
            {
                pairs.push((numbers.top_level(file), numbers.of(symbol), IMPORT));
            }
        }
    }
    pairs
}

/// Definitions that an import can name.
fn exported(map: &RepoMap) -> HashMap<(FileId, &str), SymbolId> {
    let mut by_name = HashMap::new();
    for (id, symbol) in map.symbols() {
        if symbol.exported && symbol.member_of.is_none() && ships(map.file(id.file).role) {
            by_name.entry((id.file, symbol.name.as_str())).or_insert(id);
        }
    }
    by_name
}

/// The file of each number.
fn homes(numbers: &Numbers) -> Vec<FileId> {
    let mut homes = vec![0; numbers.count()];
    for (file, ends) in (0..).zip(numbers.first.windows(2)) {
        homes[ends[0]..ends[1]].fill(file);
    }
    homes
}

/// Counts, for each definition, the other files that use it.
fn count_files(homes: &[FileId], edges: &[Edge], starts: &[usize], uses: &mut [Use]) {
    // Edges come in order of the using file: a file is counted when it differs from the last one that was.
    let mut last = vec![FileId::MAX; homes.len()];
    for (from, &home) in homes.iter().enumerate() {
        for edge in &edges[starts[from]..starts[from + 1]] {
            if home != homes[edge.to] && last[edge.to] != home {
                last[edge.to] = home;
                uses[edge.to].files += 1;
            }
        }
    }
}
