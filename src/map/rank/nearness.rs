//! What matters around a focus: files by four orders (calls and imports, co-change, words, folders), then their definitions.
//!
//! Measured on histories (`benches/ranking.rs`): given one file of a commit, how many of the others are among the first 20.

use std::collections::{BTreeMap, HashMap};

use super::Focus;
use super::fuse::{Order, by_score, fuse};
use super::words;
use crate::repo_map::{CallId, FileId, FileRole, ImportTarget, RepoMap, SymbolId};

/// See [`fuse()`]: the top of each order is where the answer is.
const SOFTNESS: f64 = 5.0;
/// Weights of the orders.
const WALK: f64 = 1.0;
const CO_CHANGE: f64 = 1.0;
const WORDS: f64 = 2.0;
const FOLDER: f64 = 0.5;

/// Share of the walk that goes on; the rest starts anew at the focus. Low: what is near matters.
const DAMPING: f64 = 0.5;
/// Rounds of the walk.
const ROUNDS: usize = 15;
/// Weight of going from the used to its user, against 1 for the way of the call.
const BACKWARDS: f64 = 0.6;
/// Weight of one imported name against a call.
const IMPORT: f64 = 0.5;
/// Folders further apart than this are not neighbours: steps up and down.
const FOLDER_STEPS: usize = 3;
/// Places of an order that are worth a word when a reader asks why.
const WORTH_SAYING: usize = 10;

/// A file near the focus, and why it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The file.
    pub file: FileId,
    /// The focus calls or imports it.
    pub used: bool,
    /// It calls or imports the focus.
    pub uses: bool,
    /// Commits that changed both.
    pub together: u32,
    /// It is in the folder of a file of the focus.
    pub same_folder: bool,
    /// It is among the most alike in words.
    pub alike: bool,
}

/// The files nearest to the focus, best first.
pub fn near(map: &RepoMap, focus: &Focus) -> Vec<Near> {
    let wanted = focus.all_files();
    let count = map.files.len();
    let without = |items: Vec<usize>| -> Vec<usize> {
        items.into_iter().filter(|&item| wanted.binary_search(&(item as FileId)).is_err()).collect()
    };
    let graph = FileGraph::new(map);
    let together = together(map, &wanted);
    let alike = without(by_score(&words::likeness(map, &wanted)));
    let co_changed: Vec<f64> = together.iter().map(|&(_, score)| score).collect();
    let orders = [
        Order { items: without(by_score(&graph.walk(&graph.start(map, focus)))), weight: WALK },
        Order { items: without(by_score(&co_changed)), weight: CO_CHANGE },
        Order { items: alike.clone(), weight: WORDS },
        Order { items: without(by_score(&folders(map, &wanted))), weight: FOLDER },
    ];
    let alike: Vec<usize> = alike.into_iter().take(WORTH_SAYING).collect();
    let reached = Reached::new(map, focus);
    fuse(&orders, SOFTNESS, count)
        .into_iter()
        .filter(|&item| map.file(item as FileId).role != FileRole::Generated)
        .map(|item| {
            let file = item as FileId;
            Near {
                file,
                used: reached.used.binary_search(&file).is_ok(),
                uses: reached.users.binary_search(&file).is_ok(),
                together: together[item].0,
                same_folder: wanted.iter().any(|&near| folder(map, near) == folder(map, file)),
                alike: alike.contains(&item),
            }
        })
        .collect()
}

/// Definitions for a focus: first those of the focus and what they call and are called by, then file by file.
pub fn symbols(map: &RepoMap, focus: &Focus, near: &[Near], important: &[SymbolId]) -> Vec<SymbolId> {
    let mut by_file: HashMap<FileId, Vec<SymbolId>> = HashMap::new();
    for &id in important {
        by_file.entry(id.file).or_default().push(id);
    }
    let mut order: Vec<SymbolId> = focus.symbols.clone();
    for &file in &focus.files {
        // Tests in focus are wanted, though the ranking leaves tests out.
        let own = map.file(file).facts.symbols.iter().zip(0..).filter(|(symbol, _)| !symbol.signature.is_empty());
        order.extend(
            own.filter(|(symbol, _)| symbol.container.is_none() || symbol.member_of.is_some())
                .map(|(_, index)| SymbolId { file, index }),
        );
    }
    let direct = neighbours(map, focus);
    let mut place: HashMap<SymbolId, usize> = HashMap::new();
    place.extend(important.iter().enumerate().map(|(place, &id)| (id, place)));
    let mut called: Vec<SymbolId> = direct.into_keys().filter(|id| place.contains_key(id)).collect();
    called.sort_by_key(|id| place[id]);
    order.extend(called);
    // The best three of each near file, in turn, then what is left of them: breadth before depth.
    for part in [0..3, 3..usize::MAX] {
        for file in near.iter().map(|near| near.file).chain(focus.symbols.iter().map(|id| id.file)) {
            let own = by_file.get(&file).map_or(&[] as &[SymbolId], Vec::as_slice);
            order.extend(own.iter().skip(part.start).take(part.end - part.start));
        }
    }
    order.extend(important);
    let mut seen = std::collections::HashSet::new();
    order.retain(|&id| seen.insert(id));
    order
}

/// The call sites that stand in the focus.
fn calls_of(map: &RepoMap, focus: &Focus) -> Vec<CallId> {
    let of_symbols = focus.symbols.iter().flat_map(|&symbol| map.calls_in(symbol));
    let of_files = focus
        .files
        .iter()
        .flat_map(|&file| (0..map.file(file).facts.calls.len() as u32).map(move |index| CallId { file, index }));
    of_symbols.chain(of_files).collect()
}

/// The call sites that lead to the focus.
fn calls_to(map: &RepoMap, focus: &Focus) -> Vec<CallId> {
    let of_files = focus
        .files
        .iter()
        .flat_map(|&file| (0..map.file(file).facts.symbols.len() as u32).map(move |index| SymbolId { file, index }));
    focus.symbols.iter().copied().chain(of_files).flat_map(|symbol| map.callers(symbol).iter().copied()).collect()
}

/// Definitions one call away from the focus, and how often.
fn neighbours(map: &RepoMap, focus: &Focus) -> BTreeMap<SymbolId, u32> {
    let mut found: BTreeMap<SymbolId, u32> = BTreeMap::new();
    for resolved in calls_of(map, focus).into_iter().flat_map(|call| map.resolved(call)) {
        *found.entry(resolved.symbol).or_default() += 1;
    }
    for caller in calls_to(map, focus).into_iter().filter_map(|call| map.caller_of(call)) {
        *found.entry(caller).or_default() += 1;
    }
    found
}

/// Files one call or import away from the focus, sorted.
struct Reached {
    used: Vec<FileId>,
    users: Vec<FileId>,
}

impl Reached {
    fn new(map: &RepoMap, focus: &Focus) -> Reached {
        let called =
            calls_of(map, focus).into_iter().flat_map(|call| map.resolved(call)).map(|found| found.symbol.file);
        let mut used: Vec<FileId> = called.collect();
        let mut users: Vec<FileId> = calls_to(map, focus).into_iter().map(|call| call.file).collect();
        for (file, targets) in (0..).zip(&map.import_targets) {
            for target in targets {
                let ImportTarget::File(target) = target else { continue };
                if focus.files.contains(&file) {
                    used.push(*target);
                }
                if focus.files.contains(target) {
                    users.push(file);
                }
            }
        }
        for list in [&mut used, &mut users] {
            list.sort_unstable();
            list.dedup();
        }
        Reached { used, users }
    }
}

/// Files joined by calls and imports, in both directions.
struct FileGraph {
    edges: Vec<Vec<(usize, f64)>>,
    /// For each definition that is called: how rare its callers are, squared.
    rarity: HashMap<SymbolId, f64>,
}

impl FileGraph {
    fn new(map: &RepoMap) -> FileGraph {
        let files = map.files.len() as f64;
        let rare = |users: usize| {
            let share = (1.0 + files / users.max(1) as f64).ln() / (1.0 + files).ln();
            share * share
        };
        let mut graph = FileGraph { edges: vec![Vec::new(); map.files.len()], rarity: HashMap::new() };
        for (callee, callers) in map.callers.iter() {
            // Callers stand in order of file: runs of one file and one caller are one edge.
            let mut files: Vec<FileId> = callers.iter().map(|call| call.file).collect();
            files.dedup();
            let rarity = rare(files.len());
            graph.rarity.insert(callee, rarity);
            let mut counts: BTreeMap<(FileId, Option<u32>), (u32, f64)> = BTreeMap::new();
            for &call in callers.iter().filter(|call| call.file != callee.file) {
                let confidence = map.resolved(call).filter(|found| found.symbol == callee);
                let confidence = confidence.map(|found| found.how.confidence()).fold(0.0, f64::max);
                let entry = counts.entry((call.file, map.call(call).caller)).or_default();
                *entry = (entry.0 + 1, entry.1.max(confidence));
            }
            for ((file, _), (count, confidence)) in counts {
                graph.join(file, callee.file, confidence * f64::from(count).sqrt() * rarity);
            }
        }
        graph.add_imports(map, &rare);
        for edges in &mut graph.edges {
            merge(edges);
        }
        graph
    }

    fn add_imports(&mut self, map: &RepoMap, rare: &dyn Fn(usize) -> f64) {
        let mut names: BTreeMap<(FileId, FileId), u32> = BTreeMap::new();
        for (file, targets) in (0..).zip(&map.import_targets) {
            for target in targets {
                if let ImportTarget::File(target) = target
                    && *target != file
                {
                    *names.entry((*target, file)).or_default() += 1;
                }
            }
        }
        let mut importers: HashMap<FileId, usize> = HashMap::new();
        for (target, _) in names.keys() {
            *importers.entry(*target).or_default() += 1;
        }
        for ((target, file), count) in names {
            self.join(file, target, IMPORT * f64::from(count).sqrt() * rare(importers[&target]));
        }
    }

    fn join(&mut self, user: FileId, used: FileId, weight: f64) {
        self.edges[user as usize].push((used as usize, weight));
        self.edges[used as usize].push((user as usize, BACKWARDS * weight));
    }

    /// Where the walk starts: the files of the focus; for a definition, mostly the files its own calls join it to.
    fn start(&self, map: &RepoMap, focus: &Focus) -> Vec<f64> {
        let mut start = vec![0.0; self.edges.len()];
        for &file in &focus.files {
            start[file as usize] += 1.0;
        }
        for &symbol in &focus.symbols {
            start[symbol.file as usize] += 1.0;
            let rarity = |symbol: SymbolId| self.rarity.get(&symbol).copied().unwrap_or(1.0);
            let only = Focus { files: Vec::new(), symbols: vec![symbol] };
            for found in calls_of(map, &only).into_iter().flat_map(|call| map.resolved(call)) {
                start[found.symbol.file as usize] += rarity(found.symbol);
            }
            for call in map.callers(symbol) {
                start[call.file as usize] += BACKWARDS * rarity(symbol);
            }
        }
        let sum: f64 = start.iter().sum();
        start.iter_mut().for_each(|weight| *weight /= sum.max(f64::MIN_POSITIVE));
        start
    }

    fn walk(&self, start: &[f64]) -> Vec<f64> {
        let totals: Vec<f64> = self.edges.iter().map(|edges| edges.iter().map(|(_, weight)| weight).sum()).collect();
        let mut scores = start.to_vec();
        for _ in 0..ROUNDS {
            let mut next = vec![0.0; scores.len()];
            let mut passed = 0.0;
            for (from, edges) in self.edges.iter().enumerate().filter(|(from, _)| scores[*from] > 0.0) {
                for &(to, weight) in edges {
                    let share = scores[from] * weight / totals[from];
                    next[to] += share;
                    passed += share;
                }
            }
            let kept = 1.0 - DAMPING * passed;
            for (score, start) in next.iter_mut().zip(start) {
                *score = DAMPING * *score + kept * start;
            }
            scores = next;
        }
        scores
    }
}

/// One edge a target, sorted.
fn merge(edges: &mut Vec<(usize, f64)>) {
    edges.sort_by_key(|&(to, _)| to);
    edges.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// For each file, the commits that changed it and the focus, and how much that says: a file that changes with everything
/// says little.
fn together(map: &RepoMap, wanted: &[FileId]) -> Vec<(u32, f64)> {
    let mut found = vec![(0, 0.0); map.files.len()];
    for pair in &map.co_change.pairs {
        for (from, to) in [(pair.one, pair.other), (pair.other, pair.one)] {
            if wanted.binary_search(&from).is_ok() {
                let entry: &mut (u32, f64) = &mut found[to as usize];
                entry.0 += pair.together;
                entry.1 += (f64::from(pair.together) * pair.strength).sqrt();
            }
        }
    }
    found
}

/// Nearness by folders: 1 in the same one, less for each step up or down; among equals, what changes more.
fn folders(map: &RepoMap, wanted: &[FileId]) -> Vec<f64> {
    let churn = |file: FileId| f64::from(map.file(file).history.churn_90d);
    (0..map.files.len() as FileId)
        .map(|file| {
            let steps = wanted.iter().map(|&near| steps(folder(map, near), folder(map, file))).min();
            match steps {
                Some(steps) if steps <= FOLDER_STEPS => {
                    1.0 / (1.0 + steps as f64) + 1e-3 * churn(file) / (1.0 + churn(file))
                }
                Some(_) | None => 0.0,
            }
        })
        .collect()
}

fn folder(map: &RepoMap, file: FileId) -> &str {
    map.file(file).path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Steps up and down from one folder to another.
fn steps(one: &str, other: &str) -> usize {
    let parts = |folder: &str| folder.split('/').filter(|part| !part.is_empty()).count();
    let common =
        one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other && !one.is_empty()).count();
    parts(one) + parts(other) - 2 * common
}
