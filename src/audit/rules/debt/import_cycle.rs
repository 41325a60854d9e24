//! `import-cycle`: TypeScript and JavaScript modules that import each other at run time.
//!
//! [`knot`] finds the cycles in the graph of imports, [`loading`] those that can fail while a module loads, [`plan`] where to cut one.

mod knot;
mod loading;
mod plan;

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Hop, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, ImportItem, RegionIndex, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallTarget, FileId, FileRole, ImportTarget, RepoMap, SourceFile, SymbolId};
use knot::{Edge, Graph, components, has_short_cut, shortest_cycle};
use loading::{eager_edge, is_read_at_load};

/// Modules that import each other.
pub struct ImportCycle;

static DOC: RuleDoc = RuleDoc {
    id: "import-cycle",
    category: Category::TechDebt,
    what: "modules that import each other when the program starts",
    why: "one of them runs before what it imports is there: the order of unrelated imports decides whether a value is \
          undefined, and none of the modules can be tested or moved alone",
    quiet_when: "an edge of the cycle is a type-only import, an import of types alone, a dynamic `import()`, or put off by Nest's `forwardRef`; nothing is used \
                 at load time, or only what a barrel has taken before, and no small cut opens the cycle, or a function of each file calls one of the other; only functions read what the files give each other, what is read as one loads is imported by its reader alone, which others import, or one of the files could be read in part only (told with low \
                 confidence); the files are tests, or tables of an ORM that name each other \
                 in relations; the language is Rust, where modules of a crate may refer to each other freely",
    example: "// a.ts: import { b } from './b'; export const a = b + 1;\n// b.ts: import { a } from './a'; export const b = 2;",
};

/// Cycles reported: the ones with a fault at load time first, then the shortest.
const MAX_FINDINGS: usize = 8;

impl Rule for ImportCycle {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let graph = graph(map);
        let mut found: Vec<(bool, usize, Finding)> = Vec::new();
        for component in components(&graph) {
            let Some(cycle) = shortest_cycle(map, &graph, &component) else { continue };
            let eager = eager_edge(map, &graph, &cycle);
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
        plan::recipe(finding, context)
    }
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
                && (import.local.is_empty() || file.facts.references.binary_search(&import.local).is_ok())
                && !is_deferred(&file.facts, import.local);
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

/// `forwardRef(() => OrderModule)`: read when everything is loaded, by Nest.
fn is_deferred(facts: &FileFacts, name: Name) -> bool {
    let given = |region: RegionIndex| {
        facts.returns.iter().any(|given| given.region == Some(region) && given.value == Expr::Name(name))
    };
    facts.calls.iter().filter(|site| site.name == "forwardRef").any(|site| {
        matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Function { region: Some(region), .. }) if given(*region))
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

/// Whether a file holds tables or entities of an ORM, by its path.
fn holds_schema(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| matches!(part, "schema" | "schemas" | "entities" | "entity"))
        || [".entity.", ".schema.", ".model."].iter().any(|mark| name.contains(mark))
        || matches!(name, "schema.ts" | "schema.js")
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
            None if is_read_at_load(map, graph, cycle) => Confidence::Med,
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
