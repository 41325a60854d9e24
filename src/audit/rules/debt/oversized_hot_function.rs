//! `oversized-hot-function`: a function too large to change safely, changed all the time.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::hotspot::{
    TestReach, is_component, is_handed_over, production_functions, runs_the_program_in_tests,
};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, Lines, Region, RegionKind, Symbol};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{RepoMap, SymbolId};

/// A large, branchy function in a file that changes often.
pub struct OversizedHotFunction;

static DOC: RuleDoc = RuleDoc {
    id: "oversized-hot-function",
    category: Category::TechDebt,
    what: "a function of at least 120 lines and 25 branches in a file that is changed all the time",
    why: "size, branching and change together predict defects better than any of them alone; every change has to be understood \
          against the whole function",
    quiet_when: "the file was changed fewer than six times in 90 days, the function is large but has few branches, it is a table of \
                 cases (one `match` or `switch` with short arms), a `From` or `TryFrom`, mostly one large object or a list of short checks, or a component whose size is markup",
    example: "async function checkout(cart) { /* 340 lines, 61 branches, 14 changes in 90 days */ }",
};

/// Lines from which a function is large. Our choice: three screens.
const MIN_LINES: u32 = 120;
/// Cyclomatic complexity from which a function is hard to test. Twice what most linters warn at by default.
const MIN_COMPLEXITY: u32 = 25;
/// Changes in 90 days from which a file is hot. Our choice: every second week.
const MIN_CHURN: u32 = 6;
/// Lines from which a callback counts as a function of its own. Our choice.
const HANDLER_LINES: u32 = 10;
/// Findings reported: a team splits one such function at a time.
const MAX_FINDINGS: usize = 3;

/// Whether a function is large and branchy, and its file hot.
pub fn is_oversized_and_hot(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    symbol.lines.count() >= MIN_LINES
        && symbol.complexity >= MIN_COMPLEXITY
        // A table of cases, a line or two each, is long and easy.
        && symbol.lines.count() >= symbol.complexity * 2
        && map.file(id.file).history.churn_90d >= MIN_CHURN
        && !is_component(map, id)
        && !is_conversion(symbol)
        && !is_table(map, id, symbol)
        && !is_mapping(map, id, symbol)
        && !is_list_of_guards(map, id)
        && own_size(map, id).is_some_and(|(lines, branches)| lines >= MIN_LINES && branches >= MIN_COMPLEXITY)
        && is_logic(map, id, symbol)
}

/// `From` and `TryFrom`: one value said in another type, field by field or case by case.
fn is_conversion(symbol: &Symbol) -> bool {
    symbol.of_trait.is_some_and(|name| {
        let name = name.split('<').next().unwrap_or_default();
        matches!(name.rsplit("::").next().unwrap_or_default().trim(), "From" | "TryFrom")
    })
}

/// Of a hundred lines, how many the arms of one `match` must take for the function to be nothing else. Our choice.
const TABLE_PERCENT: u32 = 85;
/// Lines of an arm, the middle one of all, up to which it is read at a glance. Our choice.
const ARM_LINES: u32 = 15;
/// Fewer arms are no table. Our choice.
const MIN_ARMS: usize = 8;

/// One `match` or `switch` with short arms, and little around it. What stands within an arm belongs to it.
fn is_table(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    let facts = &map.file(id.file).facts;
    let mut arms: Vec<Lines> = facts
        .regions
        .iter()
        .filter(|region| region.symbol == Some(id.index) && region.parent.is_none() && region.is_case)
        .map(|region| region.lines)
        .collect();
    arms.sort();
    // Arms follow each other at once; a comment may stand between.
    let follows = |one: &Lines, next: &Lines| next.start <= one.end + 3;
    arms.chunk_by(follows).any(|arms| {
        let taken = Lines { start: arms[0].start, end: arms[arms.len() - 1].end }.count();
        let mut lengths: Vec<u32> = arms.iter().map(|arm| arm.count()).collect();
        lengths.sort_unstable();
        arms.len() >= MIN_ARMS
            && taken * 100 >= symbol.lines.count() * TABLE_PERCENT
            && lengths[lengths.len() / 2] <= ARM_LINES
    })
}

/// Lines of a guard, its braces among them. Our choice.
const GUARD_LINES: u32 = 4;
/// Of a hundred branches, how many must be guards for the function to be a list of them. Our choice.
const GUARD_PERCENT: usize = 70;

/// One short check below the other (`if (!name) { throw … }`), none within another: each is read by itself.
fn is_list_of_guards(map: &RepoMap, id: SymbolId) -> bool {
    let facts = &map.file(id.file).facts;
    let own = facts.regions.iter().filter(|region| region.symbol == Some(id.index));
    let branches: Vec<&Region> = own.filter(|region| matches!(region.kind, RegionKind::Branch)).collect();
    let leaves = |region: &Region| {
        facts.returns.iter().any(|given| region.lines.contains(given.line))
            || facts.calls.iter().any(|call| {
                region.span.contains(call.span) && call.kind == CallKind::New && call.name.ends_with("Error")
            })
    };
    let is_guard = |region: &&&Region| region.parent.is_none() && region.lines.count() <= GUARD_LINES && leaves(region);
    let guards = branches.iter().filter(is_guard);
    !branches.is_empty() && guards.count() * 100 >= branches.len() * GUARD_PERCENT
}

/// Properties of an object from which it is a table of its own. Our choice.
const MIN_PROPERTIES: usize = 25;

/// Mostly one object, each property worked out for itself: `port: raw.port ?? 80` is a branch, and read at a glance.
fn is_mapping(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    let facts = &map.file(id.file).facts;
    let bound = facts.bindings.iter().filter(|own| own.owner == Some(id.index)).filter_map(|own| own.value.as_ref());
    let given = facts.returns.iter().filter(|own| own.symbol == Some(id.index)).map(|own| &own.value);
    bound.chain(given).any(|value| {
        let Expr::Object(entries) = value.peeled() else { return false };
        entries.len() >= MIN_PROPERTIES && entries.len() * 4 >= symbol.lines.count() as usize
    })
}

/// Lines and branches of a function without the functions defined inside it, named or large: a factory, an object of
/// callbacks, or a list of handlers, is not large.
fn own_size(map: &RepoMap, id: SymbolId) -> Option<(u32, u32)> {
    let facts = &map.file(id.file).facts;
    let own = facts.symbols.get(id.index as usize)?;
    let named = facts
        .symbols
        .iter()
        .filter(|symbol| symbol.kind.is_callable() && own.span.contains(symbol.span) && own.span != symbol.span)
        .map(|symbol| symbol.lines);
    let handlers = facts
        .regions
        .iter()
        .filter(|region| region.symbol == Some(id.index) && matches!(region.kind, RegionKind::Callback { .. }))
        .map(|region| region.lines)
        .filter(|lines| lines.count() >= HANDLER_LINES);
    let mut inner: Vec<Lines> = named.chain(handlers).collect();
    inner.sort_by_key(|lines| (lines.start, std::cmp::Reverse(lines.end)));
    let mut outer: Vec<Lines> = Vec::new();
    for lines in inner {
        if outer.last().is_none_or(|last| lines.start > last.end) {
            outer.push(lines);
        }
    }
    let taken: u32 = outer.iter().map(|lines| lines.count()).sum();
    // Branches are counted for a function as a whole: what the regions inside hold is taken off in proportion.
    let branches = |lines: &[Lines]| {
        facts
            .regions
            .iter()
            .filter(|region| matches!(region.kind, RegionKind::Branch | RegionKind::Loop(_)))
            .filter(|region| lines.iter().any(|own| own.contains(region.lines.start)))
            .count() as u32
    };
    let (all, inside) = (branches(&[own.lines]), branches(&outer));
    let complexity = own.complexity - (own.complexity * inside).checked_div(all).unwrap_or_default();
    Some((own.lines.count().saturating_sub(taken), complexity))
}

/// Whether enough happens in a function for its length: a style sheet in a template is long and does nothing.
fn is_logic(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    map.calls_in(id).count() as u32 * 20 >= symbol.lines.count()
}

impl Rule for OversizedHotFunction {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut found: Vec<(SymbolId, &Symbol)> =
            production_functions(map).filter(|(id, symbol)| is_oversized_and_hot(map, *id, symbol)).collect();
        found.sort_by_key(|(id, symbol)| {
            let churn = u64::from(map.file(id.file).history.churn_90d);
            (std::cmp::Reverse(u64::from(symbol.lines.count()) * u64::from(symbol.complexity) * churn), *id)
        });
        if found.is_empty() {
            return Vec::new();
        }
        let reach = TestReach::new(map);
        found.into_iter().take(MAX_FINDINGS).map(|(id, symbol)| finding(map, &reach, id, symbol)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

fn finding(map: &RepoMap, reach: &TestReach<'_>, id: SymbolId, symbol: &Symbol) -> Finding {
    let file = map.file(id.file);
    let untested = reach.is_telling(file.language)
        && !reach.reaches(id)
        && !is_handed_over(map, id)
        && !runs_the_program_in_tests(map, &file.path);
    let tests = if untested { " No test calls it, directly or through other functions." } else { "" };
    FindingDraft::at_symbol(&DOC, map, id, 1, "function")
        .title(format!("`{}` has {} lines and {} branches, in a file that changes often", symbol.qualified, symbol.lines.count(), symbol.complexity))
        .message(format!(
            "`{}` has {} lines and {} branches; its file was changed {} times in the 90 days before the newest commit.{tests} \
             A change of it has to be understood against all of its branches.",
            symbol.qualified,
            symbol.lines.count(),
            symbol.complexity,
            file.history.churn_90d
        ))
        .impact(if untested { 3 } else { 2 })
        .effort(if symbol.lines.count() > 300 { Effort::L } else { Effort::M })
        .risk(if untested { Risk::High } else { Risk::Med })
        .confidence(Confidence::Med)
        .build()
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let place = finding.location();
    let (file, source) = map.file_by_path(&place.file)?;
    let (id, symbol) = map.symbols().find(|(id, symbol)| {
        id.file == file && symbol.qualified == finding.symbol && symbol.name_line == place.start_line
    })?;
    let callers: Vec<String> = map
        .callers(id)
        .iter()
        .take(5)
        .map(|call| format!("`{}:{}`", map.file(call.file).path, map.call(*call).line))
        .collect();
    // The longest branches and loops directly in the function are its natural seams.
    let mut seams: Vec<_> = source
        .facts
        .regions
        .iter()
        .filter(|region| region.symbol == Some(id.index) && (15..symbol.lines.count()).contains(&region.lines.count()))
        .collect();
    seams.sort_by_key(|region| (std::cmp::Reverse(region.lines.count()), region.lines.start));
    let mut chosen: Vec<crate::repo_map::facts::Lines> = Vec::new();
    for region in seams {
        let nested = chosen.iter().any(|own| own.contains(region.lines.start) || region.lines.contains(own.start));
        if !nested && region.lines.count() * 2 <= symbol.lines.count() && chosen.len() < 4 {
            chosen.push(region.lines);
        }
    }
    chosen.sort();
    let path = &source.path;
    let name = &symbol.qualified;
    let both = || vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    let mut steps = vec![StepDraft {
        title: format!("Pin down what `{name}` does with tests"),
        instruction: format!(
            "Write at least three tests of `{name}` that pass on the code as it is: the common case, an early exit, and one \
             error, each of which no test holds yet. Where it needs a database or the network, pass in a stand-in the way the existing tests of this package do."
        ),
        edits: Vec::new(),
        gates: vec![GateDraft::NewTests(3)],
    }];
    for lines in &chosen {
        steps.push(StepDraft {
            title: format!("Extract lines {}–{} of `{name}`", lines.start, lines.end),
            instruction: format!(
                "In `{path}`, move the block that starts on line {} (numbers as of the commit this plan was written at) into a \
                 function of its own beside `{name}`, named for what it does. What it reads becomes parameters, what later \
                 code uses becomes its result. Change nothing inside.",
                lines.start
            ),
            edits: Vec::new(),
            gates: both(),
        });
    }
    if chosen.is_empty() {
        steps.push(StepDraft {
            title: format!("Extract the phases of `{name}`"),
            instruction: format!(
                "In `{path}`, `{name}` runs from line {} to {}. Split it where the variables that are alive are fewest \
                 (typically after reading input, after deciding, after writing), one private function for each phase, in the \
                 same order. Change nothing inside a phase.",
                symbol.lines.start, symbol.lines.end
            ),
            edits: Vec::new(),
            gates: both(),
        });
    }
    let mut why = finding.message.clone();
    why.push_str(" Smaller functions can be tested one by one, and a change touches one of them.");
    Some(PlanDraft {
        title: format!("Split `{name}` into functions that can be tested alone"),
        why,
        context: if callers.is_empty() { Vec::new() } else { vec![format!("Called from {}.", callers.join(", "))] },
        excerpts: vec![ExcerptDraft {
            file: path.clone(),
            start_line: symbol.lines.start,
            end_line: symbol.lines.end.min(symbol.lines.start + 39),
            role: format!("the head of `{name}` (it ends on line {})", symbol.lines.end),
        }],
        steps,
        in_scope: vec![ScopeDraft {
            path: path.clone(),
            remark: format!("`{name}` and new private functions beside it"),
        }],
        out_of_scope: vec![
            (format!("the signature of `{name}`"), "its callers stay as they are".to_owned()),
            (
                "its behaviour".to_owned(),
                "a fault found on the way is written down, not mended: this plan must be provably neutral".to_owned(),
            ),
        ],
        tests: vec![format!("`{name}`: the common case, an early exit, an error")],
        stop_conditions: vec![
            format!(
                "no test gets to `{name}` without changing its signature, neither by a call nor by running the program"
            ),
            "an extracted block would need more than seven parameters: choose another seam".to_owned(),
        ],
        maintenance: vec![format!(
            "New branches go into the extracted functions; `{name}` should read as a table of contents."
        )],
        ..PlanDraft::default()
    })
}
