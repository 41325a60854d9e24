//! `duplicate-code`: the same code in several places, copies that drifted apart first.
//!
//! [`origin`] and [`backends`] know code that is repeated for a reason, [`dead`] copies that are to be deleted, [`logic`] what makes a
//! clone a copy, [`names`] and [`weight`] what a copy does not share after all, [`wording`] how the copies are told and [`plan`] how one
//! of them is left. What a copy holds of statements is cut to whole ones beside this file, in `clone_whole`.

mod backends;
mod dead;
mod logic;
mod names;
mod origin;
mod plan;
mod weight;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::clones::{self, Clone2, Sequence, Stretch};
use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::clone_family::{Body, Family, families, file_lines, joined};
use crate::audit::rules::debt::clone_whole::Whole;
use crate::audit::text::{count_of, folder_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{CallSite, Lines, RegionKind, SymbolIndex};
use crate::repo_map::recon::Package;
use crate::repo_map::{FileId, FileRole, RepoMap};
use backends::{are_backends, are_of_other_drivers};
use logic::{is_checked_query, is_copy, is_dense, is_little};
use origin::{
    are_versions, bundles, follows_upstream, is_from_elsewhere, is_one_kept_for_old_users, is_packed, is_step,
};
use wording::{body_name, functions_have, listed, listed_all, place_of, told};

/// Code that stands in several places.
pub struct DuplicateCode;

static DOC: RuleDoc = RuleDoc {
    id: "duplicate-code",
    category: Category::TechDebt,
    what: "at least a dozen lines of logic that stand in several places, word for word or with few lines changed",
    why: "a fix in one copy is forgotten in the others; copies that already differ are where that has begun",
    quiet_when: "the lines are imports, types, tables, markup or settings rather than logic, fewer than a dozen are left once statements that \
                 the copy cuts in half and entries of lists are set aside, the code is generated, bundled from \
                 other files, packed beside a `Chart.yaml`, of a copied kit (shadcn's `components/ui`), adapted from an address or a path that a \
                 comment names, one long chain of a builder, a test, an example, a script or a migration, compiled from the file beside it, it runs from one \
                 branch into the next, it differs in a query that is checked against the tables, what is shared hands values on \
                 (parameters, arguments, fields) rather than doing something, equal names are functions or enums that each file \
                 defines otherwise, one copy is a function that nothing calls or names, or that a comment calls deprecated, the copies are steps of a migration (`migrate_5_to_6`), an old and a new version of one file or type (`LegacyCart`), or the few lines that start programs of \
                 several packages, the copies are methods of one trait that \
                 each query another database, or it is the same idiom in more than two dozen places; two files that share fewer than 20 lines (30 across folders) and no more are told with low confidence",
    example: "// orders.ts and invoices.ts both hold these 14 lines, one of them without the rounding\n\
              const net = lines.reduce((sum, line) => sum + line.price * line.count, 0);",
};

/// Code lines of the smallest clone. Of what was told of ten and eleven lines and read against the code, two of eight were worth a
/// change; of twelve to fourteen, sixteen of nineteen.
const MIN_LINES: usize = 12;
/// Lines of the pieces that copies are put together from: between two lines that differ, fewer stand than in the whole. Our choice.
const MIN_RUN: usize = 10;
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

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let bodies: Vec<Body> = map
            .files_with_ids()
            .filter(|(_, file)| file.role == FileRole::Production && !is_from_elsewhere(map, &file.path))
            .flat_map(|(id, _)| bodies(map, id))
            .filter(|body| !follows_upstream(map, body) && !is_step(map, body))
            .collect();
        let sequences: Vec<Sequence<'_>> = bodies.iter().map(|body| Sequence { lines: &body.lines }).collect();
        let all = clones::find(&sequences, MIN_RUN);
        let bundles = bundles(map, &bodies, &all);
        let is_own_code = |clone: &&Clone2| {
            let files = [clone.left, clone.right].map(|side| bodies[side.sequence].file);
            let [left, right] = files.map(|file| map.file(file).path.as_str());
            !are_versions(left, right)
                && !is_one_kept_for_old_users(map, &bodies, clone)
                && files.iter().all(|file| !bundles.contains(file) && !is_packed(map, &map.file(*file).path))
        };
        let could_be_copy = |clone: &&Clone2| is_dense(&bodies, clone) && is_copy(map, &bodies, clone);
        let mut clones: Vec<Clone2> = all.iter().filter(is_own_code).filter(could_be_copy).cloned().collect();
        let whole = Whole::read(map, ground.tree, &bodies, &clones);
        let as_copy = |clone| whole.versions(&bodies, clone).into_iter().find(|own| is_copy(map, &bodies, own));
        clones = clones.iter().filter_map(as_copy).collect();
        let mut families = families(map, &bodies, clones, &all, &whole);
        families.retain(|family| is_enough(family, family.shared, family.differences.logic()));
        // Copies that drifted first, then by how much is repeated.
        families.sort_by_key(|family| {
            let drifted = if family.differences.acts == 0 { 2 } else { 3 };
            (std::cmp::Reverse(repeated(family) * drifted), family.copies[0])
        });
        // Each asks more than the one before, so that the last are asked of few.
        families.retain(|family| {
            !are_of_other_drivers(map, &bodies, family)
                && !weight::is_start(map, &bodies, family)
                && !weight::is_thin(map, &bodies, family)
        });
        let mut reported: Vec<Family> = Vec::new();
        for family in families {
            if reported.len() == MAX_FINDINGS {
                break;
            }
            if !is_one_thing(ground, &bodies, &family) || dead::is_dead(ground, &bodies, &family) {
                continue;
            }
            let near = (0..).zip(&reported).find_map(|(at, own)| Some((at, joined(map, &bodies, own, &family, &all)?)));
            match near {
                Some((at, joined)) => reported[at] = joined,
                // What the same files share besides moves with what they share first.
                None => match reported.iter_mut().find(|own| are_of_the_same_files(&bodies, own, &family)) {
                    Some(own) => own.further.push((family.copies[0], family.copies[1], family.shared)),
                    None => reported.push(family),
                },
            }
        }
        reported.iter().map(|family| finding(map, &bodies, &whole, family)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        plan::recipe(finding, context)
    }
}

/// Whether two families lie in the same files, of which there are several.
fn are_of_the_same_files(bodies: &[Body], one: &Family, other: &Family) -> bool {
    let files =
        |family: &Family| -> BTreeSet<FileId> { family.copies.iter().map(|copy| bodies[copy.sequence].file).collect() };
    let own = files(one);
    own.len() > 1 && own == files(other)
}

/// Whether copies that part in some places share enough lines.
fn is_enough(family: &Family, shared: usize, parted: usize) -> bool {
    let least = match (family.copies.len(), parted) {
        (2, 1..) => MIN_PARTED,
        (2, 0) if family.differ => MIN_RENAMED,
        _ => MIN_LINES,
    };
    shared >= least
}

/// Whether copies still do the same once names that are each file's own count as different.
fn is_one_thing(ground: &Ground<'_>, bodies: &[Body], family: &Family) -> bool {
    let own = names::of_their_own(ground.map, ground.tree, bodies, family);
    let parted = family.differences.logic() + own;
    let longest = family.copies.iter().map(|copy| copy.len()).max().unwrap_or_default();
    own == 0 || is_little(parted, longest) && is_enough(family, family.shared.saturating_sub(own), parted)
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

/// Lines that need not be there.
fn repeated(family: &Family) -> usize {
    family.shared * (family.copies.len() - 1) + family.further.iter().map(|(.., equal)| equal).sum::<usize>()
}

fn finding(map: &RepoMap, bodies: &[Body], whole: &Whole<'_>, family: &Family) -> Finding {
    let path = |copy: Stretch| map.file(bodies[copy.sequence].file).path.as_str();
    let home = family.copies[0];
    let body = &bodies[home.sequence];
    let range = whole.lines(bodies, home);
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
        .map(|(left, right, _)| {
            format!("{} in {}", place_of(map, bodies, whole, *left), place_of(map, bodies, whole, *right))
        })
        .collect();
    let more = match family.further.len() {
        0 => String::new(),
        1 | 2 => format!(" Repeated too: {}.", listed_all(&further)),
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
        .confidence(confidence(map, bodies, family, tested))
        .risk(if found.logic() > 0 { Risk::Med } else { Risk::Low });
    for copy in family.copies.iter().skip(1).take(7) {
        let range = whole.lines(bodies, *copy);
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

/// Two files that share lines may be meant to part, one may be about to go, or they share no more than the skeleton of their kind: of 34
/// that were read 12 were not worth a change. Within one file, and from the third copy on, 2 of 58 were not.
fn confidence(map: &RepoMap, bodies: &[Body], family: &Family, tested: bool) -> Confidence {
    let is_sure = family.shared >= 20
        && (is_in_one_file(bodies, family) || family.copies.len() >= 3)
        && !tested
        && !are_apart(map, bodies, family)
        && !are_backends(map, bodies, family);
    match () {
        () if is_sure => Confidence::High,
        () if is_short_pair(map, bodies, family) => Confidence::Low,
        () => Confidence::Med,
    }
}

/// A few lines in two files and nothing else: glue that each needs for itself as often as not. Of 24 such pairs in two folders that share
/// fewer than 30 lines 11 were worth a change, of 9 in one folder that share fewer than 20 five; of all others that were read, 265 of 291.
fn is_short_pair(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let [one, other] = family.copies.as_slice() else { return false };
    let path = |copy: &Stretch| map.file(bodies[copy.sequence].file).path.as_str();
    let least = if folder_of(path(one)) == folder_of(path(other)) { 20 } else { 30 };
    path(one) != path(other) && family.shared < least && family.further.is_empty()
}

fn is_in_one_file(bodies: &[Body], family: &Family) -> bool {
    let home = bodies[family.copies[0].sequence].file;
    family.copies.iter().all(|copy| bodies[copy.sequence].file == home)
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
    let easy = whole && family.differences.logic() == 0 || is_in_one_file(bodies, family) && family.copies.len() <= 3;
    if one_package && easy && !family.copies.iter().any(checked_query) { Effort::S } else { Effort::M }
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

/// Whether a file runs tests, whatever its name is: `describe(…)`, `it(…)` at its top level.
fn runs_tests(map: &RepoMap, file: FileId) -> bool {
    let is_case = |call: &&CallSite| {
        call.caller.is_none()
            && matches!(call.callee.root_name(), Some("describe" | "it" | "test"))
            && call.arguments.len() > 1
    };
    map.file(file).facts.calls.iter().filter(is_case).count() >= 2
}
