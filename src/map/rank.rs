//! Which definitions matter most: PageRank over the call graph.
//!
//! A definition is important when important code calls it. Tests are left out on both ends, since everything is called
//! from a test. Guesses are left out as everywhere.

use std::collections::BTreeMap;

use crate::repo_map::{FileRole, How, RepoMap, SymbolId};

/// Share of importance that follows calls; the rest starts anew. The value of the original paper.
const DAMPING: f64 = 0.85;
/// Rounds; the order of real call graphs is stable long before.
const ROUNDS: usize = 30;
/// How much more likely importance starts in a file of interest than elsewhere.
const INTEREST: f64 = 50.0;
/// Importance a public definition starts with, against 1 for a private one: somebody outside may call it.
const EXPORTED: f64 = 2.0;

/// Definitions in order of importance, the most important first; ties in order of position.
///
/// `interest` tells the files that matter now: what they call is ranked higher.
pub fn rank(map: &RepoMap, interest: &dyn Fn(&str) -> bool) -> Vec<SymbolId> {
    let nodes: Vec<SymbolId> = map
        .symbols()
        .filter(|(id, symbol)| {
            let production = matches!(map.file(id.file).role, FileRole::Production | FileRole::Migration);
            production && !symbol.test && !symbol.signature.is_empty()
        })
        .map(|(id, _)| id)
        .collect();
    let position: BTreeMap<SymbolId, usize> = nodes.iter().enumerate().map(|(index, &id)| (id, index)).collect();
    let links = links(map, &nodes, &position);
    let start = start(map, &nodes, interest);
    let mut scores = start.clone();
    for _ in 0..ROUNDS {
        scores = round(&links, &start, &scores);
    }
    // A type is at least as important as the most important thing called on it.
    let mut totals = scores.clone();
    for (index, &id) in nodes.iter().enumerate() {
        let container = map.symbol(id).container.map(|index| SymbolId { file: id.file, index });
        if let Some(&owner) = container.and_then(|container| position.get(&container))
            && map.symbol(nodes[owner]).kind.is_type()
        {
            totals[owner] = totals[owner].max(scores[owner] + scores[index]);
        }
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by(|&one, &two| totals[two].total_cmp(&totals[one]).then(nodes[one].cmp(&nodes[two])));
    order.into_iter().map(|index| nodes[index]).collect()
}

/// For each definition, what it calls and the share of its importance that goes there.
fn links(map: &RepoMap, nodes: &[SymbolId], position: &BTreeMap<SymbolId, usize>) -> Vec<Vec<(usize, f64)>> {
    nodes
        .iter()
        .map(|&id| {
            let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
            for resolved in map.calls_in(id).flat_map(|call| map.resolved(call)) {
                if let Some(&callee) = position.get(&resolved.symbol)
                    && resolved.symbol != id
                {
                    *weights.entry(callee).or_default() += How::confidence(resolved.how);
                }
            }
            let sum: f64 = weights.values().sum();
            weights.into_iter().map(|(callee, weight)| (callee, weight / sum)).collect()
        })
        .collect()
}

fn start(map: &RepoMap, nodes: &[SymbolId], interest: &dyn Fn(&str) -> bool) -> Vec<f64> {
    let weights: Vec<f64> = nodes
        .iter()
        .map(|&id| {
            let public = if map.symbol(id).exported { EXPORTED } else { 1.0 };
            if interest(&map.file(id.file).path) { public * INTEREST } else { public }
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn round(links: &[Vec<(usize, f64)>], start: &[f64], scores: &[f64]) -> Vec<f64> {
    let mut kept = 0.0;
    let mut next = vec![0.0; scores.len()];
    for (index, targets) in links.iter().enumerate() {
        if targets.is_empty() {
            kept += scores[index];
        }
        for &(callee, share) in targets {
            next[callee] += scores[index] * share;
        }
    }
    next.iter().zip(start).map(|(score, start)| DAMPING * (score + kept * start) + (1.0 - DAMPING) * start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;

    fn names(interest: &dyn Fn(&str) -> bool) -> Vec<String> {
        let map = sample::map();
        rank(&map, interest).into_iter().map(|id| map.symbol(id).qualified.clone()).collect()
    }

    #[test]
    fn what_is_called_most_comes_first_and_tests_do_not_count() {
        assert_eq!(names(&|_| false), ["Store", "Store.load", "start", "helper", "lonely"]);
    }

    #[test]
    fn files_of_interest_come_before_what_they_do_not_call() {
        assert_eq!(names(&|path| path == "src/c.ts")[0], "lonely");
    }

    #[test]
    fn an_empty_map_ranks_nothing() {
        assert_eq!(rank(&RepoMap::default(), &|_| false), []);
    }
}
