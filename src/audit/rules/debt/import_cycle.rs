//! `import-cycle`: TypeScript and JavaScript modules that import each other at run time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Hop, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Import, ImportItem, SymbolKind};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallTarget, FileId, FileRole, ImportTarget, RepoMap, SourceFile, SymbolId};

/// Modules that import each other.
pub struct ImportCycle;

static DOC: RuleDoc = RuleDoc {
    id: "import-cycle",
    category: Category::TechDebt,
    what: "modules that import each other when the program starts",
    why: "one of them runs before what it imports is there: the order of unrelated imports decides whether a value is \
          undefined, and none of the modules can be tested or moved alone",
    quiet_when: "an edge of the cycle is a type-only import, an import of types alone, or a dynamic `import()`; nothing is used \
                 at load time, or only what a barrel has taken before, and no small cut opens the cycle, or a function of each file calls one of the other; only functions read what the files give each other (told with low \
                 confidence); the files are tests, or tables of an ORM that name each other \
                 in relations; the language is Rust, where modules of a crate may refer to each other freely",
    example: "// a.ts: import { b } from './b'; export const a = b + 1;\n// b.ts: import { a } from './a'; export const b = 2;",
};

/// Cycles reported: the ones with a fault at load time first, then the shortest.
const MAX_FINDINGS: usize = 8;

/// Run-time imports: file → imported file → lines of the import statements.
type Graph = BTreeMap<FileId, BTreeMap<FileId, u32>>;

impl Rule for ImportCycle {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let graph = graph(map);
        let mut found: Vec<(bool, usize, Finding)> = Vec::new();
        for component in components(&graph) {
            let Some(cycle) = shortest_cycle(map, &graph, &component) else { continue };
            let eager = eager_edge(map, &cycle);
            // Tables and entities name each other in relations, which are functions for that very reason.
            if eager.is_none() && cycle.iter().all(|(from, ..)| holds_schema(&map.file(*from).path)) {
                continue;
            }
            // A row renders its children, and they are rows: the cycle is what the data looks like.
            if eager.is_none() && cycle.len() == 2 && calls_itself(map, cycle[0].0, cycle[1].0) {
                continue;
            }
            // Modules that were split from one another on purpose: nothing fails, and no small cut opens the knot.
            if eager.is_none() && !has_short_cut(map, &graph, &component, &cycle) {
                continue;
            }
            found.push((eager.is_none(), cycle.len(), finding(map, &graph, &component, &cycle, eager)));
        }
        found.sort_by(|a, b| (a.0, a.1, &a.2.location().file).cmp(&(b.0, b.1, &b.2.location().file)));
        found.into_iter().take(MAX_FINDINGS).map(|(.., finding)| finding).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// Whether a function of one file calls one of the other, which calls it back.
fn calls_itself(map: &RepoMap, one: FileId, other: FileId) -> bool {
    let called = |from: SymbolId, file: FileId| {
        map.calls_in(from)
            .flat_map(|call| match map.target(call) {
                CallTarget::Symbols(found) => found.as_slice(),
                CallTarget::Unresolved | CallTarget::External(_) => &[],
            })
            .map(|found| found.symbol)
            .filter(move |symbol| symbol.file == file)
    };
    (0..).zip(&map.file(one).facts.symbols).any(|(index, _)| {
        let function = SymbolId { file: one, index };
        called(function, other).any(|symbol| called(symbol, one).any(|back| back == function))
    })
}

/// Whether removing one import of few names leaves its file outside of every cycle of the knot.
fn has_short_cut(map: &RepoMap, graph: &Graph, component: &[FileId], cycle: &[Edge]) -> bool {
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

fn graph(map: &RepoMap) -> Graph {
    let mut graph = Graph::new();
    for (id, file) in map.files_with_ids() {
        if !file.language.is_ecmascript() || file.role != FileRole::Production || file.path.ends_with(".d.ts") {
            continue;
        }
        for (import, target) in file.facts.imports.iter().zip(&map.import_targets[id as usize]) {
            let ImportTarget::File(to) = *target else { continue };
            let imported = map.file(to);
            let is_runtime = !import.type_only
                && import.item != ImportItem::Dynamic
                && import.within.is_empty()
                && imported.role == FileRole::Production
                && !is_type(map, to, &import.item)
                // An import of which nothing is used as a value is dropped by every compiler.
                && (import.local.is_empty() || file.facts.references.binary_search(&import.local).is_ok());
            if is_runtime && to != id && !(defers(file) && defers(imported)) {
                graph.entry(id).or_default().entry(to).or_insert(import.line);
            }
        }
    }
    graph
}

/// Whether a file puts off what it needs of others by Nest's `forwardRef`: where both ends do, the cycle is known and broken.
fn defers(file: &SourceFile) -> bool {
    file.facts.imports.iter().any(|import| {
        import.source == "@nestjs/common" && matches!(&import.item, ImportItem::Named(name) if *name == "forwardRef")
    })
}

/// Whether an import names a type of the file, so that nothing of it is left at run time.
fn is_type(map: &RepoMap, file: FileId, item: &ImportItem) -> bool {
    let ImportItem::Named(name) = item else { return false };
    let mut named = map
        .file(file)
        .facts
        .symbols
        .iter()
        .filter(|symbol| symbol.name == *name && symbol.container.is_none())
        .peekable();
    named.peek().is_some() && named.all(|symbol| matches!(symbol.kind, SymbolKind::Interface | SymbolKind::TypeAlias))
}

/// Whether a file holds tables or entities of an ORM, by its path.
fn holds_schema(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| matches!(part, "schema" | "schemas" | "entities" | "entity"))
        || [".entity.", ".schema.", ".model."].iter().any(|mark| name.contains(mark))
        || matches!(name, "schema.ts" | "schema.js")
}

/// Strongly connected components of more than one file, each sorted (Tarjan's algorithm, without recursion).
fn components(graph: &Graph) -> Vec<Vec<FileId>> {
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

/// An edge of a cycle: importing file, imported file, line.
type Edge = (FileId, FileId, u32);

/// The shortest cycle within a component; of equal ones the first that can fail at load time, then the first by path.
fn shortest_cycle(map: &RepoMap, graph: &Graph, component: &[FileId]) -> Option<Vec<Edge>> {
    let members: BTreeSet<FileId> = component.iter().copied().collect();
    let mut best: Option<(usize, bool, Vec<Edge>)> = None;
    // The search is quadratic in the component: of a huge knot, some files are enough to show it.
    for &start in component.iter().take(400) {
        let limit = best.as_ref().map_or(usize::MAX, |(len, ..)| *len);
        let Some(cycle) = cycle_from(graph, &members, start, limit) else { continue };
        let key = (cycle.len(), eager_edge(map, &cycle).is_none());
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

/// An edge whose imported value is used while the module loads: by a call at the top level or as a base class.
fn eager_edge(map: &RepoMap, cycle: &[Edge]) -> Option<(Edge, String, u32)> {
    for &edge in cycle {
        let (from, to, _) = edge;
        let facts = &map.file(from).facts;
        let locals = facts
            .imports
            .iter()
            .zip(&map.import_targets[from as usize])
            .filter(|(import, target)| {
                **target == ImportTarget::File(to) && !import.type_only && !import.local.is_empty()
            })
            .filter(|(import, _)| comes_too_late(map, import, to, from))
            .map(|(import, _)| import.local.as_str());
        for local in locals {
            let base = facts.heritage.iter().find(|heritage| heritage.base == local);
            let is_class =
                |name: &str| facts.symbols.iter().any(|symbol| symbol.name == name && symbol.kind == SymbolKind::Class);
            if let Some(heritage) = base.filter(|heritage| is_class(&heritage.of)) {
                return Some((edge, local.to_owned(), heritage.line));
            }
            let call = facts.calls.iter().find(|call| {
                call.caller.is_none()
                    && call.callee.root_name() == Some(local)
                    // Inside a callback it runs later, if the callback does.
                    && facts.enclosing_regions(call.region).all(|(_, region)| !matches!(region.kind, crate::repo_map::facts::RegionKind::Callback { .. }))
            });
            if let Some(call) = call {
                return Some((edge, local.to_owned(), call.line));
            }
        }
    }
    None
}

/// Whether `to`, when it is imported first, does not hold the name yet while it waits for `from`: it defines the name itself, or takes
/// it from a file that it imports after `from`. What a barrel has taken before is there.
fn comes_too_late(map: &RepoMap, import: &Import, to: FileId, from: FileId) -> bool {
    let ImportItem::Named(name) = &import.item else { return true };
    let defines =
        |file: FileId| map.file(file).facts.symbols.iter().any(|own| own.name == *name && own.container.is_none());
    if defines(to) {
        return true;
    }
    let imports = || map.file(to).facts.imports.iter().zip(&map.import_targets[to as usize]);
    let line_of = |wanted: &dyn Fn(FileId) -> bool| {
        let found = imports().filter(|(_, target)| matches!(target, ImportTarget::File(file) if wanted(*file)));
        found.map(|(import, _)| import.line).min()
    };
    match (line_of(&|file| defines(file)), line_of(&|file| file == from)) {
        (Some(own), Some(other)) => own > other,
        // Where the name comes from is not known.
        _ => false,
    }
}

/// Whether something at the top level of a file, a static field or the type a decorated class is given reads a name that another file
/// of the cycle exports.
fn is_read_at_load(map: &RepoMap, cycle: &[Edge]) -> bool {
    cycle.iter().any(|&(from, to, _)| {
        let facts = &map.file(from).facts;
        let imports = facts.imports.iter().zip(&map.import_targets[from as usize]);
        let mut locals = imports
            .filter(|(import, target)| {
                **target == ImportTarget::File(to) && !import.type_only && !import.local.is_empty()
            })
            .filter(|(import, _)| comes_too_late(map, import, to, from))
            .map(|(import, _)| import.local.as_str());
        locals.any(|local| {
            let in_value = |expr: &Expr| expr.mentions(local);
            let held = facts
                .bindings
                .iter()
                .filter(|binding| binding.owner.is_none() || binding.member_of.is_some())
                .any(|binding| binding.region.is_none() && binding.value.as_ref().is_some_and(in_value));
            let called = || {
                facts
                    .calls
                    .iter()
                    .filter(|call| call.caller.is_none() && call.region.is_none())
                    .any(|call| call.callee.root_name() == Some(local) || call.arguments.iter().any(in_value))
            };
            let is_decorated =
                || facts.symbols.iter().any(|symbol| symbol.kind == SymbolKind::Class && !symbol.attributes.is_empty());
            let given = || {
                facts
                    .symbols
                    .iter()
                    .filter(|symbol| symbol.kind == SymbolKind::Constructor)
                    .any(|symbol| symbol.parameters.iter().any(|own| own.declared_type.as_deref() == Some(local)))
            };
            let extended = facts.heritage.iter().any(|heritage| heritage.base == local);
            held || extended || called() || is_decorated() && given()
        })
    })
}

fn finding(
    map: &RepoMap,
    graph: &Graph,
    component: &[FileId],
    cycle: &[Edge],
    eager: Option<(Edge, String, u32)>,
) -> Finding {
    let path = |file: FileId| map.file(file).path.clone();
    let (from, to, line) = eager.as_ref().map_or(cycle[0], |(edge, ..)| *edge);
    let rest = component.len() - cycle.len();
    let knot = if rest > 0 {
        let edges: usize = component
            .iter()
            .filter_map(|file| graph.get(file))
            .flat_map(|imports| imports.keys())
            .filter(|imported| component.binary_search(imported).is_ok())
            .count();
        format!(
            " This is the shortest cycle of a knot of {} files and {edges} imports in which each reaches each.",
            component.len()
        )
    } else {
        String::new()
    };
    let danger = match &eager {
        Some((_, name, line)) => format!(
            " `{}` uses `{name}` on line {line} while it loads: started from the other side of the cycle, it is not there yet.",
            path(from)
        ),
        None => " A name that one of them uses while it loads is not there yet when the other one was imported first."
            .to_owned(),
    };
    let names: Vec<String> = cycle.iter().map(|(from, ..)| format!("`{}`", path(*from))).collect();
    let mut draft = FindingDraft::at_lines(&DOC, path(from), line, line, "import")
        .title(format!("{} import each other in a cycle", count_of(cycle.len(), "module")))
        .message(format!("{} import each other when the program starts.{danger}{knot}", chain(&names)))
        .impact(match (&eager, rest) {
            (Some(_), _) => 3,
            (None, 0) => 2,
            (None, _) => 1,
        })
        .effort(if cycle.len() <= 3 && rest == 0 { Effort::S } else { Effort::M })
        .risk(Risk::Low)
        .confidence(match &eager {
            Some(_) => Confidence::High,
            None if is_read_at_load(map, cycle) => Confidence::Med,
            // Only functions read what the files give each other, and those run when all is there.
            None => Confidence::Low,
        })
        .path(
            cycle
                .iter()
                .map(|(from, to, line)| Hop {
                    file: path(*from),
                    line: *line,
                    symbol: format!("import of {}", path(*to)),
                })
                .collect(),
        );
    if let Some((_, _, line)) = eager {
        draft = draft.and_lines(path(from), line, line, "used while loading");
    }
    for (other, target, line) in cycle.iter().filter(|edge| (edge.0, edge.1) != (from, to)).take(6) {
        debug_assert!(other != target);
        draft = draft.and_lines(path(*other), *line, *line, "import");
    }
    draft.build()
}

/// `a` and `b`; of more than two, the order in which they import.
fn chain(names: &[String]) -> String {
    match names {
        [one, other] => format!("{one} and {other}"),
        _ => names.join(" → "),
    }
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let edges: Vec<(&Hop, &str)> = finding
        .call_path
        .iter()
        .map(|hop| (hop, hop.symbol.strip_prefix("import of ").unwrap_or(&hop.symbol)))
        .collect();
    // The import that takes least is the easiest to turn round.
    let taken = |hop: &Hop, target: &str| -> Vec<String> {
        let (Some((id, file)), Some((to, _))) = (map.file_by_path(&hop.file), map.file_by_path(target)) else {
            return Vec::new();
        };
        file.facts
            .imports
            .iter()
            .zip(&map.import_targets[id as usize])
            .filter(|(import, own)| **own == ImportTarget::File(to) && !import.type_only)
            .map(|(import, _)| match &import.item {
                ImportItem::Named(name) => name.to_string(),
                _ => import.local.to_string(),
            })
            .collect()
    };
    let (cut, target) =
        *edges.iter().min_by_key(|(hop, target)| (taken(hop, target).len().max(1), hop.file.clone()))?;
    let names = taken(cut, target);
    let names =
        if names.is_empty() { "what is imported there".to_owned() } else { format!("`{}`", names.join("`, `")) };
    let line = crate::audit::text::FileText::read(context.tree, &cut.file)?.line(cut.line)?.trim().to_owned();
    let gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    let mut last = gates.clone();
    let goal = (line.len() >= 12).then(|| GateDraft::TextGone { text: line.clone(), file: cut.file.clone() });
    last.extend(goal.clone());
    let others: Vec<String> =
        edges.iter().map(|(hop, target)| format!("`{}` imports `{target}` (line {})", hop.file, hop.line)).collect();
    Some(PlanDraft {
        title: format!("Break the import cycle between `{}` and `{target}`", cut.file),
        why: finding.message.clone(),
        context: vec![
            format!("The cycle: {}.", others.join("; ")),
            format!(
                "The cheapest place to cut is line {} of `{}`: it takes {names} from `{target}`.",
                cut.line, cut.file
            ),
        ],
        excerpts: edges
            .iter()
            .map(|(hop, target)| ExcerptDraft {
                file: hop.file.clone(),
                start_line: hop.line,
                end_line: hop.line,
                role: format!("the import of `{target}`"),
            })
            .collect(),
        steps: vec![
            StepDraft {
                title: format!("Move {names} to a module that imports neither side"),
                instruction: format!(
                    "Create a file in the folder of `{target}`, named for {names}, and move the definition{} there together \
                     with whatever private code {} needs. The new file must import no file of the cycle. Re-export from \
                     `{target}` what other files import from it, so that they stay as they are. If the definition needs \
                     something of `{}`, pass that in as a parameter instead.",
                    if names.contains(',') { "s" } else { "" },
                    if names.contains(',') { "they" } else { "it" },
                    cut.file,
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            },
            StepDraft {
                title: format!("Import {names} from the new module in `{}`", cut.file),
                instruction: format!(
                    "In `{}`, replace line {} (`{line}`) by an import of the new file. If only types are taken, `import type` \
                     from `{target}` is enough, and the first step is not needed.",
                    cut.file, cut.line
                ),
                edits: Vec::new(),
                gates: last,
            },
        ],
        in_scope: vec![
            ScopeDraft { path: cut.file.clone(), remark: format!("the import on line {}", cut.line) },
            ScopeDraft { path: target.to_owned(), remark: format!("gives up {names}, re-exports it") },
        ],
        out_of_scope: vec![(
            "other imports between these files".to_owned(),
            "cutting one edge opens the cycle; more is a redesign".to_owned(),
        )],
        edge_cases: vec!["module-level state that moves must exist once: move it, never copy it".to_owned()],
        goals: goal.into_iter().collect(),
        stop_conditions: vec![
            format!(
                "{names} and the rest of `{target}` use each other, so that the new file would import `{target}` again"
            ),
            format!("line {} of `{}` no longer imports from `{target}`", cut.line, cut.file),
        ],
        maintenance: vec!["The linter rule `import/no-cycle` keeps new cycles out.".to_owned()],
        ..PlanDraft::default()
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
