//! Questions to the map: who calls this, what does it call, how does one get there, where is it used.
//!
//! Pure walks over the call graph. "No callers" is only as good as the calls that stayed open, so those are answers too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::facts::{ExportTarget, ImportItem, SymbolIndex};
use super::{CallId, CallTarget, FileId, How, ImportTarget, RepoMap, SymbolId};

mod find;

pub use find::{Definition, Miss, candidates, find};

/// One call on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Calls between the asked definition and here, from 1.
    pub depth: u32,
    /// Where it is called.
    pub call: CallId,
    /// What is called; `None` when it is no definition of the repository.
    pub callee: Option<SymbolId>,
    /// How that was found.
    pub how: Option<How>,
}

/// Calls that lead to `symbols`, and to their callers up to `depth`; each caller is followed once, at its least depth.
pub fn callers(map: &RepoMap, symbols: &[SymbolId], depth: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen: BTreeSet<SymbolId> = symbols.iter().copied().collect();
    let mut level: Vec<SymbolId> = symbols.to_vec();
    for depth in 1..=depth {
        let mut next = Vec::new();
        for &callee in &level {
            for &call in map.callers(callee) {
                let how = map.resolved(call).find(|found| found.symbol == callee).map(|found| found.how);
                steps.push(Step { depth, call, callee: Some(callee), how });
                if let Some(caller) = map.caller_of(call)
                    && seen.insert(caller)
                {
                    next.push(caller);
                }
            }
        }
        next.sort_unstable();
        level = next;
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Calls that stand in `symbols`, and in what they call up to `depth`; the ones that leave the repository and the ones that
/// stayed open have no callee.
pub fn callees(map: &RepoMap, symbols: &[SymbolId], depth: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen: BTreeSet<SymbolId> = symbols.iter().copied().collect();
    let mut level: Vec<SymbolId> = symbols.to_vec();
    for depth in 1..=depth {
        let mut next = Vec::new();
        for call in level.iter().flat_map(|&caller| map.calls_in(caller)) {
            let before = steps.len();
            for found in map.resolved(call) {
                steps.push(Step { depth, call, callee: Some(found.symbol), how: Some(found.how) });
                if seen.insert(found.symbol) {
                    next.push(found.symbol);
                }
            }
            if steps.len() == before {
                steps.push(Step { depth, call, callee: None, how: None });
            }
        }
        next.sort_unstable();
        level = next;
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// A shortest way along calls from one of `from` to one of `to`; empty when a definition is in both, `None` without a way.
pub fn path(map: &RepoMap, from: &[SymbolId], to: &[SymbolId]) -> Option<Vec<Step>> {
    let mut came_by: BTreeMap<SymbolId, Option<Step>> = from.iter().map(|&start| (start, None)).collect();
    let mut queue: VecDeque<SymbolId> = from.iter().copied().collect();
    while let Some(here) = queue.pop_front() {
        if to.contains(&here) {
            return Some(unwind(map, &came_by, here));
        }
        for call in map.calls_in(here) {
            for found in map.resolved(call) {
                let step = Step { depth: 0, call, callee: Some(found.symbol), how: Some(found.how) };
                came_by.entry(found.symbol).or_insert_with(|| {
                    queue.push_back(found.symbol);
                    Some(step)
                });
            }
        }
    }
    None
}

fn unwind(map: &RepoMap, came_by: &BTreeMap<SymbolId, Option<Step>>, end: SymbolId) -> Vec<Step> {
    let mut steps: Vec<Step> =
        std::iter::successors(came_by[&end], |step| came_by[&map.caller_of(step.call)?]).collect();
    steps.reverse();
    for (step, depth) in steps.iter_mut().zip(1..) {
        step.depth = depth;
    }
    steps
}

/// Tests from which `symbols` can be reached: a test function, or a test file whose top level gets there.
pub fn tests_reaching(map: &RepoMap, symbols: &[SymbolId]) -> Vec<(FileId, Option<SymbolIndex>)> {
    let mut tests = BTreeSet::new();
    let mut seen: BTreeSet<SymbolId> = symbols.iter().copied().collect();
    let mut queue: Vec<SymbolId> = symbols.to_vec();
    while let Some(here) = queue.pop() {
        for &call in map.callers(here) {
            let caller = map.call(call).caller;
            if map.is_test(call.file, caller) {
                tests.insert((call.file, caller));
            }
            if let Some(index) = caller
                && seen.insert(SymbolId { file: call.file, index })
            {
                queue.push(SymbolId { file: call.file, index });
            }
        }
    }
    tests.into_iter().collect()
}

/// Calls that are given one of `symbols` by name, to be called later.
pub fn handed_calls(map: &RepoMap, symbols: &[SymbolId]) -> Vec<CallId> {
    let handed = map.handed.iter().zip(0..).flat_map(|(list, file)| list.iter().map(move |one| (file, one)));
    let mut calls: Vec<CallId> = handed
        .filter(|(_, one)| symbols.contains(&one.function))
        .map(|(file, one)| CallId { file, index: one.call })
        .collect();
    calls.dedup();
    calls
}

/// Calls of this name whose target is not known: any of them may lead to a definition of the name.
pub fn open_calls(map: &RepoMap, name: &str) -> Vec<CallId> {
    map.calls()
        .filter(|(id, call)| call.name == name && matches!(map.target(*id), CallTarget::Unresolved))
        .map(|(id, _)| id)
        .collect()
}

/// Calls that lead to `symbols` by name alone.
pub fn guessed_calls(map: &RepoMap, symbols: &[SymbolId]) -> Vec<CallId> {
    let guessed = |id: CallId| match map.target(id) {
        CallTarget::Symbols(found) => {
            found.iter().any(|found| found.how == How::Guess && symbols.contains(&found.symbol))
        }
        CallTarget::External(_) | CallTarget::Unresolved => false,
    };
    map.calls().map(|(id, _)| id).filter(|&id| guessed(id)).collect()
}

/// An import of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportSite {
    /// The importing file.
    pub file: FileId,
    /// The line of the import.
    pub line: u32,
    /// It names another file, which passes the definition on.
    pub reexported: bool,
}

/// Imports that name one of `symbols`: from the defining file, or from one that re-exports the name when no other
/// definition of the repository is exported under it.
pub fn imports(map: &RepoMap, symbols: &[SymbolId]) -> Vec<ImportSite> {
    let mut sites = BTreeSet::new();
    for &id in symbols {
        let symbol = map.symbol(id);
        if symbol.member_of.is_some() {
            continue;
        }
        let name = symbol.name.as_str();
        let unique =
            map.symbols().filter(|(_, other)| other.exported && other.name == name).all(|(other, _)| other == id);
        for (file, source) in map.files_with_ids() {
            for (import, target) in source.facts.imports.iter().zip(&map.import_targets[file as usize]) {
                let ImportTarget::File(target) = *target else { continue };
                let named = match &import.item {
                    ImportItem::Named(named) => named == name,
                    ImportItem::Default => symbol.default_export,
                    ImportItem::Namespace | ImportItem::Glob | ImportItem::SideEffect | ImportItem::Dynamic => false,
                };
                if named && (target == id.file || unique && passes_on(map, target, name)) {
                    sites.insert(ImportSite { file, line: import.line, reexported: target != id.file });
                }
            }
        }
    }
    sites.into_iter().collect()
}

/// Whether `file` exports `name` without defining it.
fn passes_on(map: &RepoMap, file: FileId, name: &str) -> bool {
    let facts = &map.file(file).facts;
    facts.exports.iter().any(|export| match &export.target {
        ExportTarget::From { .. } => export.name == name || export.name == "*",
        ExportTarget::Local(_) => export.name == name,
        ExportTarget::Value(_) => false,
    }) || facts
        .imports
        .iter()
        .any(|import| import.reexported && (import.local == name || import.item == ImportItem::Glob))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;

    fn one(map: &RepoMap, name: &str) -> Vec<SymbolId> {
        find(map, name).expect("the sample has it").ids
    }

    /// The sample, with callers filled in.
    fn map() -> RepoMap {
        let mut map = sample::map();
        map.callers = crate::map::callers(&map.targets);
        map
    }

    #[test]
    fn callers_are_followed_to_the_depth_asked_for() {
        let map = map();
        let shown = |depth| {
            callers(&map, &one(&map, "Store.load"), depth)
                .into_iter()
                .map(|step| (step.depth, map.call(step.call).line, map.file(step.call.file).path.as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(1), [(1, 4, "src/a.ts"), (1, 21, "src/a.ts")]);
        assert_eq!(shown(2), [(1, 4, "src/a.ts"), (1, 21, "src/a.ts"), (2, 1, "src/a.ts"), (2, 3, "test/a.test.ts")]);
    }

    #[test]
    fn callees_include_what_leaves_the_repository_and_what_stayed_open() {
        let map = map();
        let steps = callees(&map, &one(&map, "helper"), 3);
        let named: Vec<_> =
            steps.iter().map(|step| (map.call(step.call).name.as_str(), step.callee.is_some())).collect();
        assert_eq!(named, [("load", true), ("mystery", false), ("guessed", false)]);
    }

    #[test]
    fn a_path_is_a_shortest_one_and_says_when_there_is_none() {
        let map = map();
        let way = path(&map, &one(&map, "check"), &one(&map, "Store.load")).expect("check calls start calls load");
        let lines: Vec<_> = way.iter().map(|step| (step.depth, map.call(step.call).line)).collect();
        assert_eq!(lines, [(1, 3), (2, 4)]);
        assert_eq!(path(&map, &one(&map, "lonely"), &one(&map, "start")), None);
        assert_eq!(path(&map, &one(&map, "start"), &one(&map, "start")), Some(vec![]));
    }

    #[test]
    fn tests_are_found_through_what_they_call() {
        let map = map();
        assert_eq!(tests_reaching(&map, &one(&map, "Store.load")), [(3, Some(0))]);
    }

    #[test]
    fn open_and_guessed_calls_are_told_apart() {
        let map = map();
        assert_eq!(open_calls(&map, "mystery").len(), 1);
        assert_eq!(guessed_calls(&map, &one(&map, "Store.load")).len(), 1);
    }
}
