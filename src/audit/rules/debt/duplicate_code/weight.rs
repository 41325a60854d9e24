//! What copies share that is worth a function: statements that do something, rather than the wiring around them.
//!
//! Parameters, arguments, fields, patterns and attributes hand values on. They stand in every caller of the shared function again, so that
//! a copy made of them gets no shorter.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::clones::Stretch;
use crate::audit::clones::compare::aligned;
use crate::audit::rules::debt::clone_family::{Body, Family, callees, code, file_lines};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    Binding, CallKind, CallSite, CodeLine, FileFacts, RegionIndex, RegionKind, Span, StatementRef, Usage,
};
use crate::repo_map::{FileId, RepoMap};

/// Acts that all copies share: with fewer, a call of the shared function takes as many lines as it saves. Our choice.
const MIN_ACTS: usize = 4;
/// The same for methods whose signatures a trait asks for and which run straight through: each takes apart its own request and hands it to
/// its own function.
const MIN_ACTS_OF_DELEGATES: usize = 8;

/// Whether what the copies share is little more than wiring.
pub fn is_thin(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let least =
        if family.copies.iter().all(|copy| is_delegate(map, bodies, *copy)) { MIN_ACTS_OF_DELEGATES } else { MIN_ACTS };
    family.copies[1..].iter().any(|copy| shared_acts(map, bodies, family.copies[0], *copy) < least)
}

/// Lines of what starts a program: below that they are settings, a server and what ends it. Our choice: as for copies that part.
const MIN_OF_PROGRAMS: usize = 20;

/// Whether the copies start programs of their own packages, each a file that exports nothing: their few lines say which parts there are.
pub fn is_start(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let files: BTreeSet<FileId> = family.copies.iter().map(|copy| bodies[copy.sequence].file).collect();
    let package = |file: &FileId| map.recon.package_of(&map.file(*file).path).map(|package| package.folder.as_str());
    let packages: BTreeSet<_> = files.iter().map(package).collect();
    let starts = |file: &FileId| {
        let source = map.file(*file);
        source.language.is_ecmascript() && source.facts.exports.is_empty()
    };
    family.shared < MIN_OF_PROGRAMS
        && packages.len() == files.len()
        && files.len() == family.copies.len()
        && files.iter().all(starts)
}

/// Whether a copy stands in a method of a trait and neither chooses nor repeats anything.
fn is_delegate(map: &RepoMap, bodies: &[Body], copy: Stretch) -> bool {
    let body = &bodies[copy.sequence];
    let facts = &map.file(body.file).facts;
    let of_trait = body.symbol.is_some_and(|index| facts.symbols[index as usize].of_trait.is_some());
    let range = file_lines(bodies, copy);
    of_trait
        && !facts.regions.iter().any(|region| {
            range.contains(region.lines.start) && matches!(region.kind, RegionKind::Branch | RegionKind::Loop(_))
        })
}

/// Lines with an act of their own that stand in two copies, names and values aside.
fn shared_acts(map: &RepoMap, bodies: &[Body], left: Stretch, right: Stretch) -> usize {
    let (own, other) = (code(bodies, left), code(bodies, right));
    let files = [left, right].map(|side| bodies[side.sequence].file);
    // Where another function is called, another thing is done.
    let is_shared = |own: &CodeLine, other: &CodeLine| {
        own.exact == other.exact || callees(map, files[0], own.line) == callees(map, files[1], other.line)
    };
    let pairs = aligned(own, other).into_iter().filter(|(a, b)| is_shared(&own[*a], &other[*b]));
    let lines: BTreeSet<u32> = pairs.map(|(a, _)| own[a].line).collect();
    acts(&map.file(files[0]).facts, &lines)
}

/// Acts among some lines: statements with a call, choices, loops, comparisons and assignments, at most one a line.
fn acts(facts: &FileFacts, lines: &BTreeSet<u32>) -> usize {
    let (Some(&first), Some(&last)) = (lines.first(), lines.last()) else { return 0 };
    let near = |line: u32| (first..=last).contains(&line);
    // A chain over several lines is one act; a callback in it is another, and so is what is worked out for a field.
    let mut statements: BTreeMap<(StatementRef, Option<RegionIndex>, Option<Span>), u32> = BTreeMap::new();
    for call in facts.calls.iter().filter(|call| near(call.line) && lines.contains(&call.line)) {
        let (end, is_long) = chain(facts, call);
        let part = match handed_on(facts, end) {
            true if is_long => Some(end.span),
            true => continue,
            false => None,
        };
        if call.kind != CallKind::Jsx && !is_wrapper(call) && !is_attribute(facts, call) {
            let line = statements.entry((call.statement, call.region, part)).or_insert(call.line);
            *line = call.line.min(*line);
        }
    }
    let regions = facts.regions.iter().filter(|region| {
        !region.is_case && matches!(region.kind, RegionKind::Branch | RegionKind::Loop(_) | RegionKind::Try)
    });
    let others = regions
        .map(|region| region.lines.start)
        .chain(facts.assignments.iter().map(|assignment| assignment.line))
        .chain(facts.bindings.iter().filter(|own| is_choice(own)).map(|own| own.line))
        .chain(facts.comparisons.iter().map(|comparison| comparison.line))
        .filter(|line| lines.contains(line));
    others.chain(statements.into_values()).collect::<BTreeSet<u32>>().len()
}

/// `const kind = given ? first : second`.
fn is_choice(binding: &Binding) -> bool {
    matches!(binding.value, Some(Expr::Either(_)))
}

/// The last link of the chain a call stands in, and whether the chain goes on below the call's line.
fn chain<'f>(facts: &'f FileFacts, call: &'f CallSite) -> (&'f CallSite, bool) {
    let mut end = call;
    while let Usage::Receiver(next) = end.usage {
        end = facts.call(next);
    }
    (end, end.line > call.line)
}

/// Whether a value is handed on where it is made: as an argument, or as a field.
fn handed_on(facts: &FileFacts, call: &CallSite) -> bool {
    match call.usage {
        Usage::Element => true,
        Usage::Argument(outer) => !is_wrapper(facts.call(outer)),
        Usage::Discarded
        | Usage::Ignored
        | Usage::Bound(_)
        | Usage::Assigned
        | Usage::Returned
        | Usage::Receiver(_)
        | Usage::Tested
        | Usage::Operand
        | Usage::Passed => false,
    }
}

/// `Ok(value)`, `Some(value)`: says of a value that it is there.
fn is_wrapper(call: &CallSite) -> bool {
    matches!(call.name.as_str(), "Ok" | "Some") && call.kind == CallKind::Call
}

/// In an attribute of markup, outside of a handler with a body of its own.
fn is_attribute(facts: &FileFacts, call: &CallSite) -> bool {
    let around = facts.calls.iter().filter(|outer| outer.kind == CallKind::Jsx && outer.span.contains(call.span));
    let in_body = |outer: &CallSite| {
        facts.enclosing_regions(call.region).any(|(_, region)| {
            outer.span.contains(region.span) && matches!(region.kind, RegionKind::Callback { block_body: true, .. })
        })
    };
    around.min_by_key(|outer| outer.span.end - outer.span.start).is_some_and(|outer| !in_body(outer))
}
