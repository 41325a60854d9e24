//! `duplicate-code`: the same code in several places, copies that drifted apart first.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::clones::{self, Clone2, Sequence, Stretch};
use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::facts::{CallKind, CodeLine, Lines, RegionKind, SymbolIndex};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileId, FileRole, RepoMap};

/// Code that stands in several places.
pub struct DuplicateCode;

static DOC: RuleDoc = RuleDoc {
    id: "duplicate-code",
    category: Category::TechDebt,
    what: "at least ten lines of logic that stand in several places, word for word or with few lines changed",
    why: "a fix in one copy is forgotten in the others; copies that already differ are where that has begun",
    quiet_when: "the lines are imports, types, tables, markup or settings rather than logic, the code is generated, a test, \
                 an example, a script or a migration, or it is the same idiom in more than two dozen places",
    example: "// orders.ts and invoices.ts both hold these 14 lines, one of them without the rounding\n\
              const net = lines.reduce((sum, line) => sum + line.price * line.count, 0);",
};

/// Code lines of the smallest clone. Our choice.
const MIN_LINES: usize = 10;
/// Leaf tokens of the smallest clone: ten lines of one call each are less.
const MIN_TOKENS: u32 = 90;
/// Of a hundred lines of a clone, how many must be equal up to white space: below that it is a pattern, not a copy.
const MIN_EXACT_PERCENT: usize = 70;
/// Findings reported: the ones that cost most. Volume hides what matters.
const MAX_FINDINGS: usize = 8;

/// One function, or one handler written in place at the top level: clones do not run across functions.
struct Body {
    file: FileId,
    /// The named function.
    symbol: Option<SymbolIndex>,
    lines: Vec<CodeLine>,
}

/// Copies of one piece of code.
struct Family {
    /// Copies: the function they stand in and their lines, in order.
    copies: Vec<(usize, Lines)>,
    /// Code lines that are equal in the largest pair.
    exact: usize,
    /// Code lines that are equal in all pairs.
    total: usize,
    /// Lines of the largest pair that differ in names or values.
    renamed: usize,
    /// Places of the largest pair where one side has lines the other has not: body and line of either side.
    gaps: Vec<[(usize, u32); 2]>,
}

impl Rule for DuplicateCode {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let bodies: Vec<Body> = map
            .files_with_ids()
            .filter(|(_, file)| file.role == FileRole::Production)
            .flat_map(|(id, _)| bodies(map, id))
            .collect();
        let sequences: Vec<Sequence<'_>> = bodies.iter().map(|body| Sequence { lines: &body.lines }).collect();
        let clones = clones::find(&sequences, MIN_LINES).into_iter().filter(|clone| is_copy(map, &bodies, clone));
        let mut families = families(&bodies, clones.collect());
        // Drifted copies first, then by how much is repeated.
        families.sort_by_key(|family| {
            let repeated = family.total.max(family.exact * (family.copies.len() - 1));
            let drifted = if family.gaps.is_empty() { 2 } else { 3 };
            (std::cmp::Reverse(repeated * drifted), family.copies[0])
        });
        families.iter().take(MAX_FINDINGS).map(|family| finding(map, &bodies, family)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// The outermost functions of a file that are no tests. Types, tables and settings around them repeat by nature.
fn bodies(map: &RepoMap, file: FileId) -> Vec<Body> {
    let facts = &map.file(file).facts;
    let mut ranges: Vec<(Lines, Option<SymbolIndex>)> = (0..)
        .zip(&facts.symbols)
        .filter(|(_, symbol)| symbol.kind.is_callable() && symbol.has_body)
        .map(|(index, symbol)| (symbol.lines, Some(index)))
        .collect();
    // Handlers written in place (`router.get("/", async () => …)`) are functions without a name.
    ranges.extend(
        facts
            .regions
            .iter()
            .filter(|region| region.symbol.is_none() && matches!(region.kind, RegionKind::Callback { .. }))
            .map(|region| (region.lines, None)),
    );
    ranges.sort_by_key(|(lines, symbol)| (lines.start, std::cmp::Reverse(lines.end), symbol.is_none()));
    let tests: Vec<Lines> = facts.symbols.iter().filter(|symbol| symbol.test).map(|symbol| symbol.lines).collect();
    let mut found: Vec<Body> = Vec::new();
    let mut end = 0;
    for (lines, symbol) in ranges {
        if lines.start <= end {
            continue;
        }
        end = lines.end;
        if tests.iter().any(|test| test.contains(lines.start)) {
            continue;
        }
        let code = facts.code_lines.iter().filter(|code| lines.contains(code.line)).copied().collect();
        found.push(Body { file, symbol, lines: code });
    }
    found
}

/// Whether a clone is logic that was copied, rather than a pattern that repeats.
fn is_copy(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let code = &bodies[clone.left.sequence].lines[clone.left.start..clone.left.end];
    let tokens: u32 = code.iter().map(|line| u32::from(line.tokens)).sum();
    let shapes: BTreeSet<u64> = code.iter().map(|line| line.shape).collect();
    clone.exact * 100 >= clone.left.len().max(clone.right.len()) * MIN_EXACT_PERCENT
        && clone.exact >= MIN_LINES
        && tokens >= MIN_TOKENS
        // Rows of a table share few shapes.
        && shapes.len() * 10 >= code.len() * 6
        && [clone.left, clone.right].iter().all(|stretch| has_logic(map, bodies, *stretch))
}

/// At least three calls, not mostly markup, and a choice, a loop or a callback.
fn has_logic(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> bool {
    let range = file_lines(bodies, stretch);
    let facts = &map.file(bodies[stretch.sequence].file).facts;
    let calls = facts.calls.iter().filter(|call| range.contains(call.line) && call.kind != CallKind::Jsx).count();
    let markup = facts.calls.iter().filter(|call| range.contains(call.line) && call.kind == CallKind::Jsx).count();
    let branches = facts.regions.iter().filter(|region| range.contains(region.lines.start)).count();
    calls >= 3 && branches >= 1 && markup * 2 <= calls
}

fn file_lines(bodies: &[Body], stretch: Stretch) -> Lines {
    let code = &bodies[stretch.sequence].lines;
    Lines { start: code[stretch.start].line, end: code[stretch.end - 1].line }
}

/// Clones that share copies, and clones between the same files, are one family.
fn families(bodies: &[Body], mut clones: Vec<Clone2>) -> Vec<Family> {
    clones.sort_by_key(|clone| (std::cmp::Reverse(clone.exact), clone.left, clone.right));
    let mut groups: Vec<Vec<Clone2>> = Vec::new();
    for clone in clones {
        let pair = |clone: &Clone2| (bodies[clone.left.sequence].file, bodies[clone.right.sequence].file);
        let is_same = |a: Stretch, b: Stretch| a.overlap(b) * 2 >= a.len().min(b.len());
        let belongs = |group: &Vec<Clone2>| {
            group.iter().any(|own| {
                pair(own) == pair(&clone)
                    || [own.left, own.right].iter().any(|&a| is_same(a, clone.left) || is_same(a, clone.right))
            })
        };
        match groups.iter_mut().find(|group| belongs(group)) {
            Some(group) => group.push(clone),
            None => groups.push(vec![clone]),
        }
    }
    groups.into_iter().map(|group| family(bodies, &group)).collect()
}

fn family(bodies: &[Body], group: &[Clone2]) -> Family {
    let main = &group[0];
    let mut copies: Vec<Stretch> = vec![main.left, main.right];
    let mut total = 0;
    for clone in group {
        total += clone.exact;
        // A copy of half the size is a copy of something else.
        let is_whole = clone.exact * 10 >= main.exact * 6;
        let sides = [clone.left, clone.right];
        if is_whole && sides.iter().any(|side| copies.iter().any(|own| own.overlap(*side) > 0)) {
            for side in sides {
                if copies.iter().all(|own| own.overlap(side) == 0) {
                    copies.push(side);
                }
            }
        }
    }
    let line = |sequence: usize, at: usize| (sequence, bodies[sequence].lines.get(at).map_or(0, |code| code.line));
    let gaps = main
        .gaps
        .iter()
        .map(|&(left, right)| [line(main.left.sequence, left), line(main.right.sequence, right)])
        .filter(|sides| sides.iter().all(|(_, line)| *line > 0))
        .collect();
    let mut copies: Vec<(usize, Lines)> =
        copies.into_iter().map(|stretch| (stretch.sequence, file_lines(bodies, stretch))).collect();
    copies.sort();
    Family { copies, exact: main.exact, total, renamed: main.renamed.len(), gaps }
}

fn finding(map: &RepoMap, bodies: &[Body], family: &Family) -> Finding {
    let (first, range) = family.copies[0];
    let first = &bodies[first];
    let path = &map.file(first.file).path;
    let mut by_file: BTreeMap<&str, usize> = BTreeMap::new();
    for (body, _) in &family.copies {
        *by_file.entry(&map.file(bodies[*body].file).path).or_default() += 1;
    }
    let places: Vec<String> = by_file
        .iter()
        .map(|(path, count)| if *count > 1 { format!("{count} times in `{path}`") } else { format!("in `{path}`") })
        .collect();
    let drifted = !family.gaps.is_empty();
    let mut differences = Vec::new();
    if drifted {
        differences.push(format!(
            "in {} one has lines that the other has not or has otherwise",
            count_of(family.gaps.len(), "place")
        ));
    }
    if family.renamed > 0 {
        let differ = if family.renamed == 1 { "differs" } else { "differ" };
        differences.push(format!("{} {differ} in a name or value", count_of(family.renamed, "line")));
    }
    let differences = if differences.is_empty() {
        " They are equal to the word.".to_owned()
    } else {
        format!(" Between the first two, {}.", differences.join("; "))
    };
    let more = family.total.saturating_sub(family.exact);
    let more = if more >= MIN_LINES && family.copies.len() == 2 {
        format!(" Further {more} lines of these files are copies too.")
    } else {
        String::new()
    };
    let name = body_name(map, first);
    let one_file = by_file.len() == 1;
    let mut draft = FindingDraft::at_lines(&DOC, path, range.start, range.end, "copy")
        .within(map, first.file, first.symbol)
        .title(format!(
            "{} of {name} stand in {} places{}",
            count_of(family.exact, "line"),
            family.copies.len(),
            if drifted { ", no longer alike" } else { "" }
        ))
        .message(format!("The same {} stand {}.{differences}{more}", count_of(family.exact, "line"), listed(&places)))
        .impact(if drifted && family.total >= 30 || family.total >= 80 { 3 } else { 2 })
        .effort(if one_file && family.copies.len() <= 3 { Effort::S } else { Effort::M })
        .confidence(if family.exact >= 20 { Confidence::High } else { Confidence::Med })
        .risk(if drifted { Risk::Med } else { Risk::Low });
    for (body, range) in family.copies.iter().skip(1).take(5) {
        draft = draft.and_lines(&map.file(bodies[*body].file).path, range.start, range.end, "copy");
    }
    for (body, line) in family.gaps.iter().take(3).flatten() {
        draft = draft.and_lines(&map.file(bodies[*body].file).path, *line, *line, "differs");
    }
    draft.build()
}

/// `a`, `b` and `c`; of many, the first ones.
fn listed(places: &[String]) -> String {
    const SHOWN: usize = 4;
    match places {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if places.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more files", places[..SHOWN - 1].join(", "), places.len() - SHOWN + 1),
    }
}

fn body_name(map: &RepoMap, body: &Body) -> String {
    match body.symbol {
        Some(index) => format!("`{}`", map.file(body.file).facts.symbols[index as usize].qualified),
        None => format!("`{}`", map.file(body.file).path.rsplit('/').next().unwrap_or_default()),
    }
}

/// The outermost function around some lines, or the file's name.
fn place_name(map: &RepoMap, file: FileId, range: Lines) -> String {
    map.file(file)
        .facts
        .symbols
        .iter()
        .filter(|symbol| symbol.kind.is_callable() && symbol.lines.contains(range.start))
        .max_by_key(|symbol| symbol.lines.count())
        .map_or_else(
            || map.file(file).path.rsplit('/').next().unwrap_or_default().to_owned(),
            |symbol| symbol.qualified.clone(),
        )
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let copies: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "copy").collect();
    let differs: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "differs").collect();
    let home = copies.first()?;
    let name = |evidence: &Evidence| {
        let (file, _) = map.file_by_path(&evidence.file)?;
        Some(place_name(map, file, Lines { start: evidence.start_line, end: evidence.end_line }))
    };
    let home_name = name(home)?;
    let others = &copies[1..];
    let list = |places: &[&Evidence]| {
        places
            .iter()
            .map(|place| format!("`{}` lines {}–{}", place.file, place.start_line, place.end_line))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let project = |purpose| GateDraft::Project(purpose);
    let mut steps = Vec::new();
    if !differs.is_empty() {
        let pairs: Vec<String> = differs
            .chunks(2)
            .map(|pair| {
                pair.iter()
                    .map(|side| format!("`{}:{}`", side.file, side.start_line))
                    .collect::<Vec<_>>()
                    .join(" against ")
            })
            .collect();
        steps.push(StepDraft {
            title: "Decide for every difference whether it is meant".to_owned(),
            instruction: format!(
                "Compare the copies line by line ({}). `git log -L` on each side shows which one changed last and why. A \
                 difference that follows from the place (another table, another message) becomes a parameter of the shared \
                 function. One that is a fix only one copy got is taken over for all. Write the decision for each into the \
                 commit message; change no code yet.",
                pairs.join("; ")
            ),
            edits: Vec::new(),
            gates: vec![project(CommandPurpose::Typecheck)],
        });
    }
    steps.push(StepDraft {
        title: format!("Extract the shared lines of `{home_name}` into a function"),
        instruction: format!(
            "In `{}`, move lines {}–{} into one function of that file, named for what the lines do. Its parameters are the \
             variables these lines read from outside and every difference between the copies that was found to be meant; it \
             returns what the code after them uses. Call it where the lines stood. Export it as far as the other copies need. Where a range begins or ends inside of \
             a statement, take the whole statement, or leave it out, in every copy alike.",
            home.file, home.start_line, home.end_line
        ),
        edits: Vec::new(),
        gates: vec![project(CommandPurpose::Typecheck), project(CommandPurpose::Test)],
    });
    let mut goals = Vec::new();
    for other in others {
        let gone = place::unique_line(context.tree, &other.file, other.start_line, other.end_line, &|line| {
            line.contains('(') && line.len() >= 20
        });
        let gate = gone.map(|text| GateDraft::TextGone { text, file: other.file.clone() });
        if other.file != home.file {
            goals.extend(gate.clone());
        }
        let mut gates = vec![project(CommandPurpose::Typecheck), project(CommandPurpose::Test)];
        gates.extend(gate);
        steps.push(StepDraft {
            title: format!("Call the shared function from `{}`", name(other).unwrap_or_else(|| other.file.clone())),
            instruction: format!(
                "In `{}`, replace lines {}–{} by a call of the function from the step before, and remove imports that \
                 nothing uses any more.",
                other.file, other.start_line, other.end_line
            ),
            edits: Vec::new(),
            gates,
        });
    }
    let excerpt = |place: &&Evidence| ExcerptDraft {
        file: place.file.clone(),
        start_line: place.start_line,
        end_line: place.end_line.min(place.start_line + 59),
        role: "one of the copies".to_owned(),
    };
    let mut in_scope: Vec<ScopeDraft> = Vec::new();
    for place in &copies {
        if in_scope.iter().all(|own| own.path != place.file) {
            in_scope.push(ScopeDraft { path: place.file.clone(), remark: "holds a copy".to_owned() });
        }
    }
    Some(PlanDraft {
        title: format!("Keep one copy of the logic in `{home_name}`"),
        why: format!(
            "{} Whoever mends this code must know of every copy; nothing tells them. With one function there is one place to \
             change and to test.",
            finding.message
        ),
        context: vec![format!("The copies: {}.", list(&copies))],
        excerpts: copies.iter().map(excerpt).collect(),
        steps,
        in_scope,
        out_of_scope: vec![(
            "code around the copies, even where it looks alike".to_owned(),
            "only the lines above were compared".to_owned(),
        )],
        edge_cases: vec![
            "`return`, `break`, `continue`, `?` and `await` inside the lines mean something else inside a function of their own"
                .to_owned(),
            "variables the lines assign and later code reads must be returned".to_owned(),
        ],
        goals,
        stop_conditions: vec![
            format!("a copy no longer holds these lines: {}", list(others)),
            "the shared function would need more than six parameters or a flag that switches half of its body: the copies are \
             two things that look alike"
                .to_owned(),
            "importing the function would make two packages depend on each other that do not today".to_owned(),
        ],
        maintenance: vec!["Put the next change of this logic into the shared function, with a test beside it.".to_owned()],
        ..PlanDraft::default()
    })
}
