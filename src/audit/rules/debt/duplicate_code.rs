//! `duplicate-code`: the same code in several places, copies that drifted apart first.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::clones::{self, Clone2, Sequence, Stretch};
use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::clone_family::{Body, Family, code, differences, families, file_lines};
use crate::audit::rules::debt::unused_file::is_of_kit;
use crate::audit::text::{count_of, folder_of};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::facts::{
    CallKind, CallSite, CommentKind, LanguageName, Lines, Region, RegionKind, StatementRef, SymbolIndex, Usage,
};
use crate::repo_map::recon::{CommandPurpose, Package};
use crate::repo_map::{FileId, FileRole, RepoMap};

/// Code that stands in several places.
pub struct DuplicateCode;

static DOC: RuleDoc = RuleDoc {
    id: "duplicate-code",
    category: Category::TechDebt,
    what: "at least ten lines of logic that stand in several places, word for word or with few lines changed",
    why: "a fix in one copy is forgotten in the others; copies that already differ are where that has begun",
    quiet_when: "the lines are imports, types, tables, markup or settings rather than logic, the code is generated, bundled from \
                 other files, packed beside a `Chart.yaml`, of a copied kit (shadcn's `components/ui`), adapted from an address that a \
                 comment names, one long chain of a builder, a test, an example, a script or a migration, compiled from the file beside it, it runs from one \
                 branch into the next, it differs in a query that is checked against the tables, or it is the same idiom in \
                 more than two dozen places",
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

/// Lines two copies must share when there are only these two and they do not do the same: below that they may be two things
/// that look alike. Our choice.
const MIN_PARTED: usize = 20;
/// The same, when they differ in names and values alone.
const MIN_RENAMED: usize = 15;

impl Rule for DuplicateCode {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let bodies: Vec<Body> = map
            .files_with_ids()
            .filter(|(_, file)| file.role == FileRole::Production && !is_from_elsewhere(map, &file.path))
            .flat_map(|(id, _)| bodies(map, id))
            .filter(|body| !follows_upstream(map, body))
            .collect();
        let sequences: Vec<Sequence<'_>> = bodies.iter().map(|body| Sequence { lines: &body.lines }).collect();
        let all = clones::find(&sequences, MIN_LINES);
        let bundles = bundles(map, &bodies, &all);
        let is_own_code = |clone: &&Clone2| {
            [clone.left, clone.right].iter().all(|side| {
                let file = bodies[side.sequence].file;
                !bundles.contains(&file) && !is_packed(map, &map.file(file).path)
            })
        };
        let clones: Vec<Clone2> =
            all.iter().filter(is_own_code).filter(|clone| is_copy(map, &bodies, clone)).cloned().collect();
        let mut families = families(map, &bodies, clones, &all);
        families.retain(|family| {
            let least = match (family.copies.len(), family.differences.logic()) {
                (2, 1..) => MIN_PARTED,
                (2, 0) if family.differ => MIN_RENAMED,
                _ => MIN_LINES,
            };
            family.shared >= least
        });
        // Copies that drifted first, then by how much is repeated.
        families.sort_by_key(|family| {
            let drifted = if family.differences.acts == 0 { 2 } else { 3 };
            (std::cmp::Reverse(repeated(family) * drifted), family.copies[0])
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

/// Files that hold all there is in two or more others, and import none of them: a bundler put them together.
fn bundles(map: &RepoMap, bodies: &[Body], clones: &[Clone2]) -> BTreeSet<FileId> {
    let whole = |side: Stretch| side.len() * 10 >= bodies[side.sequence].lines.len() * 9;
    // Which functions of a file stand as a whole in another.
    let mut held: BTreeMap<(FileId, FileId), BTreeSet<usize>> = BTreeMap::new();
    for clone in clones.iter().filter(|clone| clone.exact * 10 >= clone.left.len().max(clone.right.len()) * 8) {
        let (left, right) = (bodies[clone.left.sequence].file, bodies[clone.right.sequence].file);
        for (own, side, other) in [(left, clone.left, right), (right, clone.right, left)] {
            if own != other && whole(side) {
                held.entry((other, own)).or_default().insert(side.sequence);
            }
        }
    }
    let long = |file: FileId| bodies.iter().filter(|body| body.file == file && body.lines.len() >= MIN_LINES).count();
    let mut modules: BTreeMap<FileId, usize> = BTreeMap::new();
    for ((holder, module), functions) in &held {
        if functions.len() >= long(*module) && long(*holder) > long(*module) {
            *modules.entry(*holder).or_default() += 1;
        }
    }
    let imports_ours = |file: FileId| map.file(file).facts.imports.iter().any(|import| import.source.starts_with('.'));
    let is_script = |file: FileId| map.file(file).language == LanguageName::JavaScript;
    modules
        .into_iter()
        .filter(|(file, count)| *count >= 2 && is_script(*file) && !imports_ours(*file))
        .map(|(file, _)| file)
        .collect()
}

/// Put out by a tool, as the folder says, or of a kit that is copied in whole.
fn is_from_elsewhere(map: &RepoMap, path: &str) -> bool {
    let by_tool = || folder_of(path).split('/').any(|part| matches!(part, "generated" | "gen" | "__generated__"));
    let of_kit = || map.recon.package_in(path, false).is_some_and(|package| is_of_kit(map, &package.folder, path));
    // `util.js` beside `util.ts`: what the compiler made of it.
    let compiled = || {
        let stem = [".js", ".mjs", ".cjs", ".jsx"].iter().find_map(|end| path.strip_suffix(end));
        stem.is_some_and(|stem| [".ts", ".mts", ".cts", ".tsx"].iter().any(|end| map.has_path(&format!("{stem}{end}"))))
    };
    by_tool() || of_kit() || compiled()
}

/// Whether a comment above a function, or above the type's functions it is one of, names the address it was adapted from: who follows
/// another's code keeps its shape.
fn follows_upstream(map: &RepoMap, body: &Body) -> bool {
    /// Lines of a head: what is said there is said of the whole file.
    const HEAD: u32 = 15;
    /// From the head of an `impl` or a class to its first function.
    const NEAR: u32 = 3;
    let facts = &map.file(body.file).facts;
    let Some(first) = body.lines.first() else { return false };
    let own = body.symbol.map(|index| &facts.symbols[index as usize]);
    facts.comments.iter().filter(|comment| comment.kind == CommentKind::Origin).any(|comment| {
        let said = comment.applies_to;
        let next = facts.symbols.iter().filter(|symbol| symbol.kind.is_callable() && symbol.lines.start >= said);
        let next = next.min_by_key(|symbol| symbol.lines.start).filter(|next| next.lines.start <= said + NEAR);
        let of_same_type = || {
            next.zip(own).is_some_and(|(next, own)| {
                next.lines.start > said && next.member_of.is_some() && next.member_of == own.member_of
            })
        };
        let is_above = said <= first.line && first.line <= said + NEAR;
        comment.line <= HEAD && comment.line < first.line && next.is_none()
            || is_above
            || of_same_type()
            || own.is_some_and(|own| own.lines.contains(said))
    })
}

/// Whether a file runs tests, whatever its name is: `describe(…)`, `it(…)` at its top level.
fn runs_tests(map: &RepoMap, file: FileId) -> bool {
    let is_case = |call: &&CallSite| {
        call.caller.is_none()
            && matches!(call.callee.root_name(), Some("describe" | "it" | "test"))
            && call.arguments.len() > 1
    };
    map.file(file).facts.calls.iter().filter(is_case).count() >= 2
}

/// Below a folder that is packed and shipped alone, as a Helm chart is: it can use nothing from outside.
fn is_packed(map: &RepoMap, path: &str) -> bool {
    let mut folder = folder_of(path);
    while !folder.is_empty() {
        if map.has_path(&format!("{folder}/Chart.yaml")) {
            return true;
        }
        folder = folder_of(folder);
    }
    false
}

/// Packages that nothing joins: neither depends on the other, and no package of the repository is used by both.
fn are_apart(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let package = |copy: &Stretch| map.recon.package_of(&map.file(bodies[copy.sequence].file).path);
    let packages: Vec<&Package> = family.copies.iter().filter_map(package).collect();
    let local = |package: &Package| -> BTreeSet<String> {
        let own = map.recon.packages.iter().map(|own| own.name.as_str());
        let names: BTreeSet<&str> = own.filter(|name| !name.is_empty()).collect();
        let used = package.dependencies.iter().map(|own| own.listed_name());
        used.filter(|name| names.contains(name)).chain([package.name.as_str()]).map(str::to_owned).collect()
    };
    packages.iter().enumerate().any(|(at, one)| {
        packages[at + 1..].iter().any(|other| one.folder != other.folder && local(one).is_disjoint(&local(other)))
    })
}

/// The same method of one trait for several types, as of drivers for several databases: what differs are the types around it.
fn are_backends(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let method = |copy: &Stretch| {
        let body = &bodies[copy.sequence];
        let symbol = &map.file(body.file).facts.symbols[body.symbol? as usize];
        Some((symbol.name, symbol.of_trait?))
    };
    let first = family.copies.first().and_then(method);
    first.is_some() && family.copies.iter().all(|copy| method(copy) == first)
}

/// Lines that need not be there.
fn repeated(family: &Family) -> usize {
    family.shared * (family.copies.len() - 1) + family.further.iter().map(|(.., equal)| equal).sum::<usize>()
}

/// Whether a clone is logic that was copied, rather than a pattern that repeats.
fn is_copy(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let own = code(bodies, clone.left);
    let tokens: u32 = own.iter().map(|line| u32::from(line.tokens)).sum();
    let shapes: BTreeSet<u32> = own.iter().map(|line| line.shape).collect();
    clone.exact * 100 >= clone.left.len().max(clone.right.len()) * MIN_EXACT_PERCENT
        && clone.exact >= MIN_LINES
        && tokens >= MIN_TOKENS
        // Rows of a table share few shapes.
        && shapes.len() * 10 >= own.len() * 6
        && [clone.left, clone.right].iter().all(|stretch| has_logic(map, bodies, *stretch))
        && ![clone.left, clone.right].iter().any(|stretch| is_cut_at_both_ends(map, bodies, *stretch))
        && can_be_shared(map, bodies, clone)
}

/// From within one branch into the next: neither holds the copy, and no function can.
fn is_cut_at_both_ends(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> bool {
    let range = file_lines(bodies, stretch);
    let branches = || {
        let regions = map.file(bodies[stretch.sequence].file).facts.regions.iter();
        regions.filter(|region| matches!(region.kind, RegionKind::Branch))
    };
    let left = |region: &Region| {
        region.lines.start < range.start && range.contains(region.lines.end) && region.lines.end < range.end
    };
    let entered = |region: &Region| {
        region.lines.start > range.start && range.contains(region.lines.start) && region.lines.end > range.end
    };
    branches()
        .filter(|region| left(region))
        .any(|one| branches().any(|other| other.parent == one.parent && entered(other)))
}

/// Whether one function could do what both sides do.
fn can_be_shared(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let (comparison, differences) = differences(map, bodies, clone.left, clone.right);
    let file = bodies[clone.left.sequence].file;
    // The compiler checks such a query against the tables: no parameter can stand for the name of one.
    let is_fixed = |line: u32| {
        let queries = map.file(file).facts.calls.iter().filter(|call| is_checked_query(call));
        queries.into_iter().any(|call| (call.line..=call.end_line).contains(&line))
    };
    let own = code(bodies, clone.left);
    // A tenth of the lines that do something else: the same frame around two things.
    differences.logic() * 8 <= clone.left.len().max(clone.right.len())
        && !comparison.renamed.iter().any(|(at, _)| is_fixed(own[*at].line))
}

/// `sqlx::query!("…")`, `query_as!(Row, "…")`.
fn is_checked_query(call: &CallSite) -> bool {
    call.kind == CallKind::Macro && call.name.starts_with("query")
}

/// At least three calls and a choice, a loop or a callback, on enough lines that are neither markup nor set-up.
fn has_logic(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> bool {
    let range = file_lines(bodies, stretch);
    let facts = &map.file(bodies[stretch.sequence].file).facts;
    let inside: Vec<&CallSite> = facts.calls.iter().filter(|call| range.contains(call.line)).collect();
    let (markup, calls): (Vec<&CallSite>, Vec<&CallSite>) =
        inside.into_iter().partition(|call| call.kind == CallKind::Jsx);
    // `const [open, setOpen] = useState(false)`: every component begins with these.
    let set_up = |call: &CallSite| {
        let is_hook = call.name.strip_prefix("use").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        is_hook && matches!(call.usage, Usage::Bound(_)) && call.end_line <= call.line + 1
    };
    let light = |line: u32| {
        let covers = |call: &&CallSite| (call.line..=call.end_line).contains(&line);
        markup.iter().any(covers) || calls.iter().any(|call| covers(call) && set_up(call))
    };
    let logic = code(bodies, stretch).iter().filter(|line| !light(line.line)).count();
    if is_one_chain(&calls, code(bodies, stretch).len()) {
        return false;
    }
    let branches = facts.regions.iter().filter(|region| range.contains(region.lines.start)).count();
    calls.len() >= 3 && branches >= 1 && markup.len() * 2 <= calls.len() && logic >= MIN_LINES
}

/// Whether most lines are links of one statement's chain, as of a typed builder: a value that is spelt out, no logic.
fn is_one_chain(calls: &[&CallSite], lines: usize) -> bool {
    let mut chains: BTreeMap<StatementRef, BTreeSet<u32>> = BTreeMap::new();
    for call in calls.iter().filter(|call| matches!(call.usage, Usage::Receiver(_))) {
        chains.entry(call.statement).or_default().insert(call.line);
    }
    chains.values().any(|links| links.len() * 10 >= lines * 6)
}

fn finding(map: &RepoMap, bodies: &[Body], family: &Family) -> Finding {
    let path = |copy: Stretch| map.file(bodies[copy.sequence].file).path.as_str();
    let home = family.copies[0];
    let body = &bodies[home.sequence];
    let range = file_lines(bodies, home);
    let mut by_file: BTreeMap<&str, usize> = BTreeMap::new();
    for copy in &family.copies {
        *by_file.entry(path(*copy)).or_default() += 1;
    }
    let places: Vec<String> = by_file
        .iter()
        .map(|(path, count)| if *count > 1 { format!("{count} times in `{path}`") } else { format!("in `{path}`") })
        .collect();
    let found = &family.differences;
    let drifted = found.acts > 0;
    let tested = family.copies.iter().any(|copy| runs_tests(map, bodies[copy.sequence].file));
    let longest = family.copies.iter().map(|copy| copy.len()).max().unwrap_or_default();
    let what = if family.shared == longest {
        format!("The same {} of code are repeated {}.", count_of(longest, "line"), listed(&places))
    } else {
        format!("{} of {longest} lines of code are repeated {}.", family.shared, listed(&places))
    };
    let further: Vec<String> = family
        .further
        .iter()
        .take(2)
        .map(|(left, right, _)| format!("{} in {}", place_of(map, bodies, *left), place_of(map, bodies, *right)))
        .collect();
    let more = match family.further.len() {
        0 => String::new(),
        1 | 2 => format!(" Repeated too: {}.", joined(&further)),
        count => format!(" Repeated too: {} and {} more.", further.join(", "), count_of(count - 2, "piece")),
    };
    let alike = if family.alike > 0 {
        format!(" {} the same shape with other names.", functions_have(family.alike))
    } else {
        String::new()
    };
    let mut draft = FindingDraft::at_lines(&DOC, path(home), range.start, range.end, "copy")
        .within(map, body.file, body.symbol)
        .title(format!(
            "{} of {} are repeated in {} places{}",
            count_of(family.shared, "line"),
            body_name(map, body),
            family.copies.len(),
            match (drifted, found.steps > 0) {
                (true, _) => ", one with a step that another lacks",
                (false, true) => ", not all of them alike",
                (false, false) => "",
            }
        ))
        .message(format!("{what}{}{more}{alike}", told(map, bodies, family)))
        .impact(match repeated(family) {
            // A test says what it needs, and says it again.
            _ if tested => 1,
            ..20 => 1,
            30.. if drifted => 3,
            80.. => 3,
            _ => 2,
        })
        .effort(effort(map, bodies, family))
        .confidence(
            if family.shared >= 20 && !tested && !are_apart(map, bodies, family) && !are_backends(map, bodies, family) {
                Confidence::High
            } else {
                Confidence::Med
            },
        )
        .risk(if found.logic() > 0 { Risk::Med } else { Risk::Low });
    for copy in family.copies.iter().skip(1).take(7) {
        let range = file_lines(bodies, *copy);
        draft = draft.and_lines(path(*copy), range.start, range.end, "copy");
    }
    let (left, right) = (path(family.copies[family.pair.0]), path(family.copies[family.pair.1]));
    for (in_right, lines) in found.alone.iter().take(3) {
        draft = draft.and_lines(if *in_right { right } else { left }, lines.start, lines.end, "only here");
    }
    for (own, other) in found.otherwise.iter().take(3) {
        draft =
            draft.and_lines(left, own.start, own.end, "differs").and_lines(right, other.start, other.end, "differs");
    }
    draft.build()
}

/// `` lines 3–20 of `a.ts` ``.
fn place_of(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> String {
    let lines = file_lines(bodies, stretch);
    format!("lines {}–{} of `{}`", lines.start, lines.end, map.file(bodies[stretch.sequence].file).path)
}

fn functions_have(count: usize) -> String {
    if count == 1 { "One more function has".to_owned() } else { format!("{count} more functions have") }
}

/// What the copies do not share, with the lines.
fn told(map: &RepoMap, bodies: &[Body], family: &Family) -> String {
    const SHOWN: usize = 3;
    let found = &family.differences;
    if !family.differ {
        // What stands around is compared too, so fewer equal lines than lines means that a copy ends elsewhere.
        return if family.copies.iter().all(|copy| copy.len() == family.shared) {
            " They are equal to the word.".to_owned()
        } else {
            String::new()
        };
    }
    let (first, second) = (family.copies[family.pair.0], family.copies[family.pair.1]);
    let path = |copy: Stretch| map.file(bodies[copy.sequence].file).path.as_str();
    let file = |copy: Stretch| path(copy).rsplit('/').next().unwrap_or_default();
    let one_file = path(first) == path(second);
    // The paths stand in the sentence before: here the names do, where they tell the files apart.
    let name = |copy: Stretch| match (one_file, file(first) == file(second)) {
        (true, _) => String::new(),
        (false, false) => format!(" of `{}`", file(copy)),
        (false, true) => format!(" of `{}`", path(copy)),
    };
    let lines = |lines: Lines| {
        if lines.start == lines.end {
            format!("line {}", lines.start)
        } else {
            format!("lines {}–{}", lines.start, lines.end)
        }
    };
    let mut parts = Vec::new();
    // Those that do something come first.
    let (steps, handed) = found.alone.split_at(found.steps);
    let places = |alone: &[(bool, Lines)]| {
        let places: Vec<String> = alone
            .iter()
            .take(SHOWN)
            .map(|(in_right, own)| format!("{}{}", lines(*own), name(if *in_right { second } else { first })))
            .collect();
        let more = alone.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {} more", count_of(more, "place")) } else { String::new() };
        format!("{}{more}", joined(&places))
    };
    if !steps.is_empty() {
        parts.push(format!("only one copy has {}", places(steps)));
    }
    if !handed.is_empty() {
        parts.push(format!("a parameter, a property or a case differs in {}", places(handed)));
    }
    if let Some((own, other)) = found.otherwise.first() {
        let more = found.otherwise.len() - 1;
        let more = if more > 0 { format!(" and {} more", count_of(more, "place")) } else { String::new() };
        parts.push(format!(
            "they differ in {}{} against {}{}{more}",
            lines(*own),
            name(first),
            lines(*other),
            name(second)
        ));
    }
    if !found.renamed.is_empty() {
        let differ = if found.renamed.len() == 1 { "differs" } else { "differ" };
        parts.push(format!("{} {differ} in a name or value alone", count_of(found.renamed.len(), "line")));
    }
    if parts.is_empty() {
        return String::new();
    }
    if family.copies.len() == 2 {
        format!(" Between the two, {}.", parts.join("; "))
    } else {
        let place = |copy: Stretch| {
            let start = file_lines(bodies, copy).start;
            if one_file { format!("line {start}") } else { format!("`{}:{start}`", path(copy)) }
        };
        format!(" Between the copies at {} and {}, {}.", place(first), place(second), parts.join("; "))
    }
}

/// Whole functions of one package that are equal go by deleting all but one; queries checked at build time, and packages that
/// do not know each other, take more.
fn effort(map: &RepoMap, bodies: &[Body], family: &Family) -> Effort {
    let package = |copy: &Stretch| {
        let path = &map.file(bodies[copy.sequence].file).path;
        map.recon.package_of(path).map(|package| package.folder.as_str())
    };
    let home = package(&family.copies[0]);
    let one_package = family.copies.iter().all(|copy| package(copy) == home);
    let checked_query = |copy: &Stretch| {
        let range = file_lines(bodies, *copy);
        let calls = &map.file(bodies[copy.sequence].file).facts.calls;
        calls.iter().any(|call| is_checked_query(call) && range.contains(call.line))
    };
    let whole = family.copies.iter().all(|copy| copy.len() == bodies[copy.sequence].lines.len());
    let one_file =
        family.copies.iter().all(|copy| bodies[copy.sequence].file == bodies[family.copies[0].sequence].file);
    let easy = whole && family.differences.logic() == 0 || one_file && family.copies.len() <= 3;
    if one_package && easy && !family.copies.iter().any(checked_query) { Effort::S } else { Effort::M }
}

/// `a`, `b` and `c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.join(", "),
    }
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
            |symbol| symbol.qualified.to_string(),
        )
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let copies: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "copy").collect();
    let differs: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "differs").collect();
    let alone: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "only here").collect();
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
    if !differs.is_empty() || !alone.is_empty() {
        let mut pairs: Vec<String> =
            alone.iter().map(|side| format!("`{}:{}` stands in one copy alone", side.file, side.start_line)).collect();
        let against = differs.chunks(2).map(|pair| {
            pair.iter().map(|side| format!("`{}:{}`", side.file, side.start_line)).collect::<Vec<_>>().join(" against ")
        });
        pairs.extend(against);
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
             returns what the code after them uses. Call it where the lines stood. Export it as far as the other \
             copies need. Where a range begins or ends inside of \
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
            title: match name(other) {
                // Several copies of one function are told apart by where they are.
                Some(name) if other.file == home.file => {
                    format!("Call the shared function from `{name}`, line {}", other.start_line)
                }
                Some(name) => format!("Call the shared function from `{name}`"),
                None => format!("Call the shared function from `{}`", other.file),
            },
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
