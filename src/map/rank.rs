//! Which definitions and files matter most: in the whole repository, and around a place of interest.
//!
//! No single measure is importance: what is called most is a helper that makes an id, what calls most is a script. Each
//! measure gives an order of its own, and orders are joined by rank ([`fuse`]), since their scores have no common unit.
//! Everything is counted in fixed rounds over sorted ids: the same map gives the same order on every machine.

use crate::repo_map::{FileId, RepoMap, SymbolId};

mod fuse;
mod graph;
mod importance;
mod nearness;
mod words;

pub use graph::{Reach, Use};
pub use importance::{Weights, entry_files, is_entry};
pub use nearness::Near;

/// What somebody is about to work on. Empty: the whole repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// Files.
    pub files: Vec<FileId>,
    /// Definitions.
    pub symbols: Vec<SymbolId>,
}

impl Focus {
    /// Whether nothing in particular is of interest.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.symbols.is_empty()
    }

    /// The files, those of the definitions included, sorted.
    pub fn all_files(&self) -> Vec<FileId> {
        let mut files: Vec<FileId> =
            self.files.iter().copied().chain(self.symbols.iter().map(|symbol| symbol.file)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// The order of importance.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// Definitions, the most important first. Tests are left out, and so is what has no signature.
    pub symbols: Vec<SymbolId>,
    /// How far each definition reaches: who calls and imports it.
    pub reach: Reach,
    /// With a focus: the files nearest to it, best first, and why. The files of the focus are not among them.
    pub near: Vec<Near>,
}

/// Ranks the definitions of `map`, for `focus` if there is one.
pub fn rank(map: &RepoMap, focus: &Focus) -> Ranking {
    let mut ranking = weighed(map, &Weights::default());
    if !focus.is_empty() {
        ranking.near = nearness::near(map, focus);
        ranking.symbols = nearness::symbols(map, focus, &ranking.near, &ranking.symbols);
    }
    ranking
}

/// Ranks the definitions of the whole `map` by these weights.
pub fn weighed(map: &RepoMap, weights: &Weights) -> Ranking {
    let graph = graph::Graph::new(map);
    Ranking { symbols: importance::order(map, &graph, weights), reach: graph.reach, near: Vec::new() }
}

/// The files nearest to `focus`, best first: what somebody who changes it will probably have to read or change too.
pub fn near(map: &RepoMap, focus: &Focus) -> Vec<Near> {
    nearness::near(map, focus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::history::{CoChange, CoChangePair};
    use crate::repo_map::sample;

    fn named(ranking: Ranking) -> Vec<String> {
        let map = sample::map();
        ranking.symbols.into_iter().map(|id| map.symbol(id).qualified.to_string()).collect()
    }

    fn file(path: &str) -> FileId {
        sample::map().file_by_path(path).expect("the sample has it").0
    }

    #[test]
    fn what_is_used_comes_before_what_is_not_and_tests_do_not_count() {
        let ranking = weighed(&sample::map(), &Weights::timeless());
        assert_eq!(named(ranking), ["start", "helper", "Store.load", "Store", "lonely"]);
    }

    #[test]
    fn one_definition_of_each_file_that_changes_comes_forward() {
        let ranking = rank(&sample::map(), &Focus::default());
        assert_eq!(named(ranking), ["start", "Store.load", "lonely", "helper", "Store"]);
    }

    #[test]
    fn files_of_interest_come_before_what_they_do_not_call() {
        let focus = Focus { files: vec![file("src/c.ts")], ..Focus::default() };
        assert_eq!(named(rank(&sample::map(), &focus))[0], "lonely");
    }

    #[test]
    fn a_file_that_changes_with_the_focus_is_near_and_says_so() {
        let mut map = sample::map();
        let (one, other) = (file("src/c.ts"), file("test/a.test.ts"));
        map.co_change = CoChange { pairs: vec![CoChangePair { one, other, together: 4, strength: 1.0 }] };
        let near = near(&map, &Focus { files: vec![one], ..Focus::default() });
        let found = near.iter().find(|near| near.file == other).expect("it is near");
        assert_eq!(found.together, 4);
    }

    #[test]
    fn an_empty_map_ranks_nothing() {
        assert_eq!(rank(&RepoMap::default(), &Focus::default()).symbols, []);
    }
}
