//! What matters in the whole repository: centrality, public API, entry points, churn and fan-out, joined by rank.

use std::collections::HashSet;

use super::fuse::{Order, by_score, fuse};
use super::graph::{Graph, ships};
use crate::repo_map::facts::{Symbol, SymbolKind};
use crate::repo_map::{RepoMap, SymbolId};

/// Share of importance that follows uses; the rest starts anew. The value of the original PageRank paper.
const DAMPING: f64 = 0.85;
/// How much of it a use within one file carries: a chain of private helpers is how a file is written, not what others need.
const WITHIN_FILE: f64 = 0.3;
/// Rounds; the order of real call graphs is stable long before.
const ROUNDS: usize = 20;
/// See [`fuse()`]. Less than the usual 60, which is for orders that agree: these mean different things, and each is right at its top.
const SOFTNESS: f64 = 20.0;

/// What each order counts for. The defaults, like [`SOFTNESS`], were chosen on later commits and documents of ten repositories
/// and measured on seven others (`benches/overview`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// PageRank over uses.
    pub centrality: f64,
    /// Public definitions, by the files that use them.
    pub public: f64,
    /// Where somebody outside comes in.
    pub entry: f64,
    /// How many different definitions it calls.
    pub fan_out: f64,
    /// Files that change all the time, by their most central definition.
    pub churn: f64,
}

impl Weights {
    /// Without churn, for where files that change all the time have a place of their own.
    pub fn timeless() -> Weights {
        Weights { churn: 0.0, ..Weights::default() }
    }
}

impl Default for Weights {
    fn default() -> Weights {
        Weights { centrality: 1.0, public: 2.0, entry: 0.5, fan_out: 0.25, churn: 2.0 }
    }
}

/// Definitions that ship and have a signature, the most important first.
pub fn order(map: &RepoMap, graph: &Graph, weights: &Weights) -> Vec<SymbolId> {
    let shown = shown(map, graph);
    let mut scores = centrality(map, graph);
    lift_types(map, graph, &mut scores);
    let central: Vec<usize> = by_score(&scores).into_iter().filter(|&number| shown[number]).collect();
    let mut place = vec![usize::MAX; graph.count()];
    for (index, &number) in central.iter().enumerate() {
        place[number] = index;
    }
    // The other orders break their ties by centrality.
    let by = |key: &dyn Fn(usize) -> u32| {
        let mut items: Vec<usize> = central.iter().copied().filter(|&number| key(number) > 0).collect();
        items.sort_by_key(|&number| (std::cmp::Reverse(key(number)), place[number]));
        items
    };
    let symbol = |number: usize| graph.numbers().symbol(number);
    let public = by(&|number| match symbol(number) {
        Some(id) if map.symbol(id).exported => graph.uses(number).files,
        _ => 0,
    });
    let entries = entry_files(map);
    let entry = central.iter().copied().filter(|&number| symbol(number).is_some_and(|id| is_entry(map, &entries, id)));
    let orders = [
        Order { items: entry.collect(), weight: weights.entry },
        Order { items: public, weight: weights.public },
        Order { items: by(&|number| graph.uses(number).callees), weight: weights.fan_out },
        Order { items: churned(map, graph, &central), weight: weights.churn },
        Order { items: central, weight: weights.centrality },
    ];
    fuse(&orders, SOFTNESS, graph.count()).into_iter().filter_map(symbol).collect()
}

fn shown(map: &RepoMap, graph: &Graph) -> Vec<bool> {
    let mut shown = Vec::with_capacity(graph.count());
    for file in &map.files {
        let ships = ships(file.role);
        // A class stands for its constructor.
        let is_shown = |symbol: &Symbol| {
            ships && !symbol.test && !symbol.signature.is_empty() && symbol.kind != SymbolKind::Constructor
        };
        shown.extend(file.facts.symbols.iter().map(is_shown));
        shown.push(false);
    }
    shown
}

/// PageRank over uses. A definition that half the repository uses says little about each of its users, and its own place
/// should not swallow theirs: what flows to it is scaled by how rare its users are, and the remainder starts anew.
fn centrality(map: &RepoMap, graph: &Graph) -> Vec<f64> {
    let count = graph.count();
    let files = map.files.iter().filter(|file| ships(file.role)).count() as f64;
    let rarity: Vec<f64> = (0..count)
        .map(|number| (1.0 + files / f64::from(graph.uses(number).files.max(1))).ln() / (1.0 + files.max(1.0)).ln())
        .collect();
    let mut prior = prior(map, graph);
    let sum: f64 = prior.iter().sum();
    if sum == 0.0 {
        return prior;
    }
    prior.iter_mut().for_each(|weight| *weight /= sum);
    let total: Vec<f64> = (0..count).map(|from| graph.edges(from).iter().map(|edge| edge.weight).sum()).collect();
    let mut scores = prior.clone();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; count];
        let mut passed = 0.0;
        for from in 0..count {
            for edge in graph.edges(from) {
                let inside = if graph.share_a_file(from, edge.to) { WITHIN_FILE } else { 1.0 };
                let share = scores[from] * edge.weight / total[from] * rarity[edge.to] * inside;
                next[edge.to] += share;
                passed += share;
            }
        }
        let kept = 1.0 - DAMPING * passed;
        for (number, score) in next.iter_mut().enumerate() {
            *score = DAMPING * *score + kept * prior[number];
        }
        scores = next;
    }
    scores
}

/// Where importance starts: everywhere in code that ships.
fn prior(map: &RepoMap, graph: &Graph) -> Vec<f64> {
    let mut prior = Vec::with_capacity(graph.count());
    for file in &map.files {
        let weight = if ships(file.role) { 1.0 } else { 0.0 };
        prior.extend(file.facts.symbols.iter().map(|symbol| if symbol.test { 0.0 } else { weight }));
        prior.push(weight);
    }
    prior
}

/// A type is at least as important as the most important thing called on it.
fn lift_types(map: &RepoMap, graph: &Graph, scores: &mut [f64]) {
    for (id, symbol) in map.symbols() {
        let Some(container) = symbol.container.map(|index| SymbolId { file: id.file, index }) else { continue };
        if map.symbol(container).kind.is_type() {
            let (owner, member) = (graph.numbers().of(container), graph.numbers().of(id));
            // A hair less, so that of the two the one that is called comes first.
            scores[owner] = scores[owner].max(scores[member] * 0.999);
        }
    }
}

/// Files that start something or that users import.
pub fn entry_files(map: &RepoMap) -> HashSet<&str> {
    map.recon.packages.iter().flat_map(|package| package.entry_points.iter().map(String::as_str)).collect()
}

/// Whether `id` is where somebody outside comes in: `main`, or a public definition of a file that users import.
pub fn is_entry(map: &RepoMap, entries: &HashSet<&str>, id: SymbolId) -> bool {
    let symbol = map.symbol(id);
    entries.contains(map.file(id.file).path.as_str())
        && symbol.container.is_none()
        && symbol.member_of.is_none()
        && (symbol.name == "main" || symbol.exported)
}

/// The most central definition of each file that changes, those that change most first: churn is a fact about the file, not about
/// each of its definitions.
fn churned(map: &RepoMap, graph: &Graph, central: &[usize]) -> Vec<usize> {
    let mut taken = vec![false; map.files.len()];
    let mut items: Vec<(u32, usize)> = Vec::new();
    for (place, &number) in central.iter().enumerate() {
        let Some(id) = graph.numbers().symbol(number) else { continue };
        let churn = map.file(id.file).history.churn_90d;
        if churn > 0 && !std::mem::replace(&mut taken[id.file as usize], true) {
            items.push((churn, place));
        }
    }
    items.sort_by_key(|&(churn, place)| (std::cmp::Reverse(churn), place));
    items.into_iter().map(|(_, place)| central[place]).collect()
}
