//! `oversized-hot-function`: a function too large to change safely, changed all the time.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::hotspot::{
    TestReach, is_component, is_handed_over, production_functions, runs_the_program_in_tests,
};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, Lines, Region, RegionIndex, RegionKind, Symbol, SymbolIndex};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{RepoMap, SymbolId};

/// A large, branchy function in a file that changes often.
pub struct OversizedHotFunction;

static DOC: RuleDoc = RuleDoc {
    id: "oversized-hot-function",
    category: Category::TechDebt,
    what: "a function of at least 120 lines and 25 branches that is changed all the time",
    why: "size, branching and change together predict defects better than any of them alone; every change has to be understood \
          against the whole function",
    quiet_when: "its file was changed fewer than six times in 90 days or its own lines fewer than four, it is large but has few branches, or large by its \
                 comments, it is one `match` or `switch` of which no arm is large, a `From`, `TryFrom` or `Debug`, mostly one large object or a list of short checks, or a component whose size is markup (what is shown on a condition is no branch)",
    example: "async function checkout(cart) { /* 340 lines, 61 branches, 14 changes in 90 days */ }",
};

/// Lines from which a function is large. Our choice: three screens.
const MIN_LINES: u32 = 120;
/// The same without comments, blank lines and lone brackets, which take a quarter of most functions. Our choice.
const MIN_CODE_LINES: u32 = 90;
/// Cyclomatic complexity from which a function is hard to test. Twice what most linters warn at by default.
const MIN_COMPLEXITY: u32 = 25;
/// Changes in 90 days from which a file is hot. Our choice: every second week.
const MIN_CHURN: u32 = 6;
/// The same of the function's own lines: more than once a month. Below that, of the functions read by hand in hot files, few were
/// worth a split. Our choice.
const MIN_OWN_CHURN: u32 = 4;
/// Functions in hot files whose own lines are looked up, the most pressing first: each takes every version of its file. Our choice.
const CANDIDATES: usize = 12;
/// Lines from which a callback counts as a function of its own. Our choice.
const HANDLER_LINES: u32 = 10;
/// Findings reported: a team splits one such function at a time.
const MAX_FINDINGS: usize = 3;

/// Commits in 90 days that changed the function's own lines.
fn own_churn(ground: &Ground<'_>, id: SymbolId, symbol: &Symbol) -> Option<u32> {
    let path = &ground.map.file(id.file).path;
    ground.map.line_history.as_ref()?.commits(path, &ground.tree.text(path)?, symbol.lines)
}

/// Whether a function is large and branchy, and its file hot.
fn is_oversized_and_hot(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    symbol.lines.count() >= MIN_LINES
        && symbol.complexity >= MIN_COMPLEXITY
        // A table of cases, a line or two each, is long and easy.
        && symbol.lines.count() >= symbol.complexity * 2
        && map.file(id.file).history.churn_90d >= MIN_CHURN
        && !is_component(map, id)
        && !is_conversion(symbol)
        && !is_mapping(map, id, symbol)
        && !is_list_of_guards(map, id)
        && size_to_read(map, id).is_some_and(|(lines, branches)| lines >= MIN_CODE_LINES && branches >= MIN_COMPLEXITY)
        && is_logic(map, id, symbol)
}

/// `From`, `TryFrom`, `Debug`, `Serialize`: one value said in another way, field by field or case by case.
fn is_conversion(symbol: &Symbol) -> bool {
    symbol.of_trait.is_some_and(|name| {
        let name = name.split('<').next().unwrap_or_default();
        matches!(name.rsplit("::").next().unwrap_or_default().trim(), "From" | "TryFrom" | "Debug" | "Serialize")
    })
}

/// Of a hundred lines of code, how many the arms of one `match` must take for the function to be a dispatch. Our choice.
const DISPATCH_PERCENT: u32 = 75;
/// Fewer arms are a decision, not a dispatch. Our choice.
const MIN_ARMS: usize = 4;

/// A body that is one `match` or `switch` is read an arm at a time: leaves out all arms but the largest, and within that one the same.
/// Gives the lines of code that are left of `around`, and adds what is left out.
fn leave_out_arms(
    facts: &FileFacts,
    function: SymbolIndex,
    parent: Option<RegionIndex>,
    around: Lines,
    left_out: &mut Vec<Lines>,
) -> u32 {
    let mut arms: Vec<(Lines, RegionIndex)> = (0..)
        .zip(&facts.regions)
        .filter(|(_, region)| region.is_case && region.symbol == Some(function))
        // A loop over events around the `match` is no other thing to read.
        .filter(|(_, region)| {
            let around = facts.enclosing_regions(region.parent);
            let mut around = around.skip_while(|(index, region)| {
                Some(*index) != parent && matches!(region.kind, RegionKind::Loop(_) | RegionKind::Try)
            });
            around.next().map(|(index, _)| index) == parent
        })
        .map(|(index, region)| (region.lines, index))
        .collect();
    arms.sort();
    let whole = lines_of_code(facts, around);
    // Arms of one `match` follow each other at once; comments may stand between.
    let follows = |(one, _): &(Lines, _), (next, _): &(Lines, _)| {
        one.end + 1 >= next.start || lines_of_code(facts, Lines { start: one.end + 1, end: next.start - 1 }) == 0
    };
    let dispatch = arms.chunk_by(follows).find(|arms| {
        let taken = Lines { start: arms[0].0.start, end: arms[arms.len() - 1].0.end };
        arms.len() >= MIN_ARMS && lines_of_code(facts, taken) * 100 >= whole * DISPATCH_PERCENT
    });
    let Some(arms) = dispatch else { return whole };
    let mut measured: Vec<(u32, Lines, Vec<Lines>)> = arms
        .iter()
        .map(|(lines, region)| {
            let mut inner = Vec::new();
            (leave_out_arms(facts, function, Some(*region), *lines, &mut inner), *lines, inner)
        })
        .collect();
    let all: u32 = measured.iter().map(|(_, lines, _)| lines_of_code(facts, *lines)).sum();
    let largest = (0..measured.len()).max_by_key(|index| measured[*index].0).unwrap_or_default();
    let (left, _, inner) = measured.swap_remove(largest);
    left_out.extend(inner);
    left_out.extend(measured.iter().map(|(_, lines, _)| *lines));
    whole.saturating_sub(all) + left
}

/// Lines with more than a comment or a bracket on them.
fn lines_of_code(facts: &FileFacts, lines: Lines) -> u32 {
    let before = |line: u32| facts.code_lines.partition_point(|code| code.line < line);
    before(lines.end + 1).saturating_sub(before(lines.start)) as u32
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

/// Lines of code and branches that have to be read together. The functions defined inside, named or large, are read by themselves
/// (a factory, an object of callbacks, or a list of handlers, is not large), and so are the arms of a dispatch.
fn size_to_read(map: &RepoMap, id: SymbolId) -> Option<(u32, u32)> {
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
    let mut arms = Vec::new();
    leave_out_arms(facts, id.index, None, own.lines, &mut arms);
    let mut inner: Vec<Lines> = named.chain(handlers).chain(arms).collect();
    inner.sort_by_key(|lines| (lines.start, std::cmp::Reverse(lines.end)));
    let mut outer: Vec<Lines> = Vec::new();
    for lines in inner {
        if outer.last().is_none_or(|last| lines.start > last.end) {
            outer.push(lines);
        }
    }
    let taken: u32 = outer.iter().map(|lines| lines_of_code(facts, *lines)).sum();
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
    Some((lines_of_code(facts, own.lines).saturating_sub(taken), complexity))
}

/// Whether enough happens in a function for its length: a style sheet in a template is long and does nothing.
fn is_logic(map: &RepoMap, id: SymbolId, symbol: &Symbol) -> bool {
    map.calls_in(id).count() as u32 * 20 >= symbol.lines.count()
}

impl Rule for OversizedHotFunction {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
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
        let hot = found
            .into_iter()
            .take(CANDIDATES)
            .filter_map(|(id, symbol)| Some((id, symbol, own_churn(ground, id, symbol)?)));
        let hot = hot.filter(|(.., churn)| *churn >= MIN_OWN_CHURN);
        hot.take(MAX_FINDINGS).map(|(id, symbol, churn)| finding(map, &reach, id, symbol, churn)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

fn finding(map: &RepoMap, reach: &TestReach<'_>, id: SymbolId, symbol: &Symbol, churn: u32) -> Finding {
    let file = map.file(id.file);
    let untested = reach.is_telling(file.language)
        && !reach.reaches(id)
        // Who makes the object may get to it by an event.
        && symbol.member_of.is_none_or(|class| !reach.names(class))
        && !is_handed_over(map, id)
        && !runs_the_program_in_tests(map, &file.path);
    let tests = if untested { " No test calls it, directly or through other functions." } else { "" };
    FindingDraft::at_symbol(&DOC, map, id, 1, "function")
        .title(format!("`{}` has {} lines and {} branches, and changes often", symbol.qualified, symbol.lines.count(), symbol.complexity))
        .message(format!(
            "`{}` has {} lines and {} branches; {churn} of the {} commits that touched its file in the 90 days before the newest \
             changed it.{tests} \
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
