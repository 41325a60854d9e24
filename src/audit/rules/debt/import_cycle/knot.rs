//! Graphs of imports: knots of files that reach each other, and the shortest cycle in one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::loading::eager_edge;
use crate::repo_map::{FileId, ImportTarget, RepoMap};

/// Run-time imports: file → imported file → lines of the import statements.
pub type Graph = BTreeMap<FileId, BTreeMap<FileId, u32>>;

/// An edge of a cycle: importing file, imported file, line.
pub type Edge = (FileId, FileId, u32);

/// Strongly connected components of more than one file, each sorted (Tarjan's algorithm, without recursion).
pub fn components(graph: &Graph) -> Vec<Vec<FileId>> {
    #[derive(Clone, Copy)]
    struct Mark {
        index: usize,
        low: usize,
        on_stack: bool,
    }
    let mut marks: BTreeMap<FileId, Mark> = BTreeMap::new();
    let mut stack: Vec<FileId> = Vec::new();
    let mut found = Vec::new();
    for &root in graph.keys() {
        if marks.contains_key(&root) {
            continue;
        }
        let mut work: Vec<(FileId, Vec<FileId>)> = Vec::new();
        let mut enter = Some(root);
        loop {
            if let Some(file) = enter.take() {
                let index = marks.len();
                marks.insert(file, Mark { index, low: index, on_stack: true });
                stack.push(file);
                work.push((file, graph.get(&file).map(|to| to.keys().rev().copied().collect()).unwrap_or_default()));
            }
            let Some((file, next)) = work.last_mut() else { break };
            let file = *file;
            if let Some(to) = next.pop() {
                match marks.get(&to).copied() {
                    None => enter = Some(to),
                    Some(mark) if mark.on_stack => {
                        let own = marks.get_mut(&file).expect("a file on the work list is marked");
                        own.low = own.low.min(mark.index);
                    }
                    Some(_) => {}
                }
                continue;
            }
            work.pop();
            let own = marks[&file];
            if let Some((parent, _)) = work.last() {
                let parent = marks.get_mut(parent).expect("a file on the work list is marked");
                parent.low = parent.low.min(own.low);
            }
            if own.low == own.index {
                let start = stack.iter().rposition(|&other| other == file).expect("a marked root is on the stack");
                let mut component = stack.split_off(start);
                for member in &component {
                    marks.get_mut(member).expect("members are marked").on_stack = false;
                }
                if component.len() > 1 {
                    component.sort_unstable();
                    found.push(component);
                }
            }
        }
    }
    found.sort();
    found
}

/// The shortest cycle within a component; of equal ones the first that can fail at load time, then the first by path.
pub fn shortest_cycle(map: &RepoMap, graph: &Graph, component: &[FileId]) -> Option<Vec<Edge>> {
    let members: BTreeSet<FileId> = component.iter().copied().collect();
    let mut best: Option<(usize, bool, Vec<Edge>)> = None;
    // The search is quadratic in the component: of a huge knot, some files are enough to show it.
    for &start in component.iter().take(400) {
        let limit = best.as_ref().map_or(usize::MAX, |(len, ..)| *len);
        let Some(cycle) = cycle_from(graph, &members, start, limit) else { continue };
        let key = (cycle.len(), eager_edge(map, graph, &cycle).is_none());
        if best.as_ref().is_none_or(|(len, harmless, _)| key < (*len, *harmless)) {
            best = Some((key.0, key.1, cycle));
        }
    }
    best.map(|(_, _, cycle)| cycle)
}

/// Breadth first from `start` back to it.
fn cycle_from(graph: &Graph, members: &BTreeSet<FileId>, start: FileId, limit: usize) -> Option<Vec<Edge>> {
    let mut parent: BTreeMap<FileId, (FileId, u32)> = BTreeMap::new();
    let mut queue = VecDeque::from([(start, 0_usize)]);
    while let Some((file, depth)) = queue.pop_front() {
        if depth >= limit {
            return None;
        }
        for (&to, &line) in graph.get(&file).into_iter().flatten() {
            if to == start {
                let mut edges = vec![(file, start, line)];
                let mut at = file;
                while at != start {
                    let (from, line) = parent[&at];
                    edges.push((from, at, line));
                    at = from;
                }
                edges.reverse();
                return Some(edges);
            }
            if members.contains(&to) && !parent.contains_key(&to) {
                parent.insert(to, (file, line));
                queue.push_back((to, depth + 1));
            }
        }
    }
    None
}

/// Whether removing one import of few names leaves its file outside of every cycle of the knot.
pub fn has_short_cut(map: &RepoMap, graph: &Graph, component: &[FileId], cycle: &[Edge]) -> bool {
    const FEW: usize = 2;
    cycle.iter().any(|&(from, to, _)| {
        let facts = &map.file(from).facts;
        let names = facts
            .imports
            .iter()
            .zip(&map.import_targets[from as usize])
            .filter(|(import, target)| **target == ImportTarget::File(to) && !import.type_only)
            .count();
        let mut cut: Graph = component
            .iter()
            .filter_map(|file| Some((*file, graph.get(file)?.clone())))
            .map(|(file, mut imports)| {
                imports.retain(|to, _| component.binary_search(to).is_ok());
                (file, imports)
            })
            .collect();
        cut.entry(from).or_default().remove(&to);
        let left: usize = components(&cut).iter().map(Vec::len).sum();
        names <= FEW && left < component.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(FileId, FileId)]) -> Graph {
        let mut graph = Graph::new();
        for &(from, to) in edges {
            graph.entry(from).or_default().insert(to, 1);
        }
        graph
    }

    #[test]
    fn components_hold_what_reaches_itself() {
        let graph = graph(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (5, 0)]);
        assert_eq!(components(&graph), [vec![0, 1, 2], vec![3, 4]]);
    }

    #[test]
    fn the_way_back_is_the_shortest() {
        let graph = graph(&[(0, 1), (1, 2), (2, 0), (1, 0)]);
        let members = [0, 1, 2].into();
        assert_eq!(cycle_from(&graph, &members, 0, usize::MAX), Some(vec![(0, 1, 1), (1, 0, 1)]));
        assert_eq!(cycle_from(&graph, &members, 2, 2), None, "longer than the limit");
    }
}
