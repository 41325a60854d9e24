//! Families: pairs of copies brought together, so that one piece of code is one finding however often it stands.

use std::cmp::Reverse;
use std::ops::Range;

use crate::audit::clones::compare::{Comparison, compare};
use crate::audit::clones::{Clone2, Stretch};
use crate::audit::rules::debt::clone_whole::Whole;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, CodeLine, Lines, RegionKind, Span, SymbolIndex, Usage};
use crate::repo_map::{FileId, RepoMap};

/// Lines up to which the rest of functions belongs to the copy: where it stops is where it gets interesting.
const MAX_REST: usize = 4;
/// The same, when half of the rest is alike: an added line near either end breaks the windows there.
const MAX_ALIKE_REST: usize = 8;

/// One function, or one handler written in place at the top level: clones do not run across functions.
pub struct Body {
    /// Its file.
    pub file: FileId,
    /// The named function.
    pub symbol: Option<SymbolIndex>,
    /// Its code lines.
    pub lines: Vec<CodeLine>,
}

/// Copies of one piece of code.
pub struct Family {
    /// Copies, in order.
    pub copies: Vec<Stretch>,
    /// Code lines that every copy holds.
    pub shared: usize,
    /// The two copies whose differences are told, as places in `copies`, and what they are.
    pub pair: (usize, usize),
    /// Where they part.
    pub differences: Differences,
    /// Some copies differ.
    pub differ: bool,
    /// Further stretches of the same two files that are copies too: left, right, equal lines.
    pub further: Vec<(Stretch, Stretch, usize)>,
    /// Functions of the same shape with other names.
    pub alike: usize,
}

/// Where two copies part. Lines of the files.
#[derive(Default)]
pub struct Differences {
    /// Lines that one copy alone holds: the copy (false: the first), and its lines. Those that do something come first.
    pub alone: Vec<(bool, Lines)>,
    /// How many of these hold a statement or a condition, rather than a parameter or a property.
    pub steps: usize,
    /// How many of the steps act on something outside, by a call that the other copy's function nowhere makes: forgotten, perhaps.
    pub acts: usize,
    /// Lines both hold otherwise: another call, another statement.
    pub otherwise: Vec<(Lines, Lines)>,
    /// Lines that differ in a name or value.
    pub renamed: Vec<(u32, u32)>,
}

impl Differences {
    /// Places where more than a name or value differs.
    pub fn logic(&self) -> usize {
        self.alone.len() + self.otherwise.len()
    }
}

/// The lines of a stretch.
pub fn code(bodies: &[Body], stretch: Stretch) -> &[CodeLine] {
    &bodies[stretch.sequence].lines[stretch.start..stretch.end]
}

/// The lines of the file a stretch covers.
pub fn file_lines(bodies: &[Body], stretch: Stretch) -> Lines {
    let code = code(bodies, stretch);
    Lines { start: code[0].line, end: code[code.len() - 1].line }
}

/// What two stretches do not share.
pub fn differences(map: &RepoMap, bodies: &[Body], left: Stretch, right: Stretch) -> (Comparison, Differences) {
    let (own, other) = (code(bodies, left), code(bodies, right));
    let comparison = compare(own, other);
    let mut found = Differences::default();
    let lines = |code: &[CodeLine], range: &Range<usize>| Lines {
        start: code[range.start].line,
        end: code[range.end - 1].line,
    };
    let ends = |stretch: Stretch| stretch.end == bodies[stretch.sequence].lines.len();
    let starts = left.start == 0 && right.start == 0;
    for (a, b) in &comparison.apart {
        // Code around a copy is no part of it.
        let at_start = a.start == 0 && b.start == 0 && !starts;
        let at_end = a.end == own.len() && b.end == other.len() && !(ends(left) && ends(right));
        if at_start || at_end {
            continue;
        }
        match (a.is_empty(), b.is_empty()) {
            // Lines that the other copy has in another place were moved.
            (false, true) if are_held(&own[a.clone()], &bodies[right.sequence].lines) => {}
            (true, false) if are_held(&other[b.clone()], &bodies[left.sequence].lines) => {}
            (false, true) => found.alone.push((false, lines(own, a))),
            (true, false) => found.alone.push((true, lines(other, b))),
            _ => found.otherwise.push((lines(own, a), lines(other, b))),
        }
    }
    for &(a, b) in &comparison.renamed {
        let (a, b) = (own[a].line, other[b].line);
        let one = |line: u32| Lines { start: line, end: line };
        // Another function that is called is another thing that is done.
        if callees(map, bodies[left.sequence].file, a) == callees(map, bodies[right.sequence].file, b) {
            found.renamed.push((a, b));
        } else {
            found.otherwise.push((one(a), one(b)));
        }
    }
    found.otherwise.sort();
    let is_step = |(in_right, lines): &(bool, Lines)| {
        let stretch = if *in_right { right } else { left };
        does_something(map, &bodies[stretch.sequence], *lines)
    };
    found.alone.sort_by_key(|alone| (!is_step(alone), *alone));
    found.steps = found.alone.iter().filter(|alone| is_step(alone)).count();
    let is_act = |(in_right, lines): &(bool, Lines)| {
        let (own, other) = if *in_right { (right, left) } else { (left, right) };
        acts_alone(map, &bodies[own.sequence], *lines, &bodies[other.sequence])
    };
    found.acts = found.alone.iter().filter(|alone| is_step(alone) && is_act(alone)).count();
    (comparison, found)
}

/// Whether a function has each of some lines too, wherever.
fn are_held(lines: &[CodeLine], body: &[CodeLine]) -> bool {
    lines.iter().all(|line| body.iter().any(|own| own.exact == line.exact || own.bag == line.bag))
}

/// Whether a statement with a call, a choice, a loop or an assignment begins on some lines of a function's body: what is handed over
/// (a parameter, a property) and a further case of a `match` are no steps.
fn does_something(map: &RepoMap, body: &Body, lines: Lines) -> bool {
    let facts = &map.file(body.file).facts;
    let begins_before = |index: u32, call: &CallSite| {
        facts.calls.iter().any(|other| other.statement == call.statement && other.line < lines.start)
            || facts.bindings.iter().any(|binding| binding.statement == call.statement && binding.line < lines.start)
            || facts.returns.iter().any(|returned| {
                let mut holds = false;
                returned.value.walk(&mut |inner| holds |= matches!(inner, Expr::Call(own) if *own == index));
                holds && returned.line < lines.start
            })
    };
    let cases = || facts.regions.iter().filter(|region| lines.contains(region.lines.start) && region.is_case);
    let in_case = |span: Span| cases().any(|region| region.span.contains(span));
    (0..).zip(&facts.calls).any(|(index, call)| {
        lines.contains(call.line) && call.kind != CallKind::Jsx && !begins_before(index, call) && !in_case(call.span)
    }) || facts.regions.iter().any(|region| {
        lines.contains(region.lines.start)
            && matches!(region.kind, RegionKind::Branch | RegionKind::Loop(_) | RegionKind::Try)
            && !region.is_case
            && !in_case(region.span)
    }) || facts.assignments.iter().any(|assignment| lines.contains(assignment.line) && !in_case(assignment.span))
}

/// Whether some lines call something for what it does (a statement without a binding, an awaited check) that the other function calls
/// nowhere. What is only logged or counted changes nothing.
fn acts_alone(map: &RepoMap, body: &Body, lines: Lines, other: &Body) -> bool {
    const TOLD: &[&str] = &[
        "console",
        "logger",
        "log",
        "tracing",
        "metrics",
        "telemetry",
        "analytics",
        "posthog",
        "sentry",
        "span",
        "debug",
        "warn",
        "info",
        "error",
        "trace",
        "event",
    ];
    let (own, facts) = (&map.file(body.file).facts, &map.file(other.file).facts);
    let is_told = |call: &CallSite| {
        let root = call.callee.root_name().unwrap_or_default().to_ascii_lowercase();
        TOLD.contains(&root.as_str()) || TOLD.contains(&call.name.as_str()) || call.kind == CallKind::Macro
    };
    let range = match (other.lines.first(), other.lines.last()) {
        (Some(first), Some(last)) => Lines { start: first.line, end: last.line },
        _ => return false,
    };
    own.calls.iter().any(|call| {
        let is_effect = matches!(call.usage, Usage::Discarded) || call.awaited && matches!(call.usage, Usage::Tested);
        lines.contains(call.line)
            && is_effect
            && !is_told(call)
            && !facts.calls.iter().any(|there| range.contains(there.line) && there.name == call.name)
    })
}

/// Names of the functions called on a line. The function a line defines is no call.
pub fn callees(map: &RepoMap, file: FileId, line: u32) -> Vec<&str> {
    let calls = map.file(file).facts.calls.iter();
    let mut names: Vec<&str> =
        calls.filter(|call| call.line == line && call.kind != CallKind::Jsx).map(|call| call.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Brings pairs together. `all` holds what was found before the choice of what is a copy: it tells what looks alike.
pub fn families(
    map: &RepoMap,
    bodies: &[Body],
    mut clones: Vec<Clone2>,
    all: &[Clone2],
    whole: &Whole<'_>,
) -> Vec<Family> {
    clones.sort_by_key(|clone| (Reverse(clone.exact), clone.left, clone.right));
    let mut groups: Vec<Vec<Clone2>> = Vec::new();
    for clone in clones {
        let is_same = |a: Stretch, b: Stretch| a.overlap(b) * 2 >= a.len().min(b.len());
        let touches = |group: &Vec<Clone2>| {
            group
                .iter()
                .any(|own| [own.left, own.right].iter().any(|&a| is_same(a, clone.left) || is_same(a, clone.right)))
        };
        let (mut joined, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(touches);
        groups = rest;
        // The pair that shares most stays in front.
        joined.sort_by_key(|group| (Reverse(group[0].exact), group[0].left, group[0].right));
        let mut group: Vec<Clone2> = joined.into_iter().flatten().collect();
        group.push(clone);
        groups.push(group);
    }
    let mut found: Vec<Family> = groups.iter().map(|group| family(map, bodies, group, all, whole)).collect();
    found.sort_by_key(|family| (Reverse(family.shared * (family.copies.len() - 1)), family.copies[0]));
    // Two files that share several stretches are one thing to mend.
    let mut merged: Vec<Family> = Vec::new();
    for family in found {
        let files = |family: &Family| {
            let mut files: Vec<FileId> = family.copies.iter().map(|copy| bodies[copy.sequence].file).collect();
            files.dedup();
            files
        };
        match merged.iter_mut().find(|own| files(own) == files(&family)) {
            Some(own) => own.further.push((family.copies[0], family.copies[1], family.shared)),
            None => merged.push(family),
        }
    }
    merged
}

/// Two families as one, where their copies are near-copies of each other: one function serves them all.
pub fn joined(map: &RepoMap, bodies: &[Body], one: &Family, other: &Family, all: &[Clone2]) -> Option<Family> {
    /// Of a hundred lines of the longest copy, how many must stand in all of them. Our choice: as for any pair of copies.
    const MIN_SHARED_PERCENT: usize = 70;
    let mut copies = [&one.copies[..], &other.copies[..]].concat();
    copies.sort();
    let longest = copies.iter().map(|copy| copy.len()).max()?;
    let shared = compare(code(bodies, one.copies[0]), code(bodies, other.copies[0])).equal;
    // Stretches that overlap are no two copies.
    let are_apart = copies.windows(2).all(|pair| pair[0].overlap(pair[1]) == 0);
    if !are_apart || shared * 100 < longest * MIN_SHARED_PERCENT {
        return None;
    }
    let mut joined = of_copies(map, bodies, copies, all);
    joined.further = [&one.further[..], &other.further[..]].concat();
    (joined.shared * 100 >= longest * MIN_SHARED_PERCENT).then_some(joined)
}

fn family(map: &RepoMap, bodies: &[Body], group: &[Clone2], all: &[Clone2], whole: &Whole<'_>) -> Family {
    let main = &group[0];
    let mut copies: Vec<Stretch> = vec![main.left, main.right];
    // A copy of half the size is a copy of something else.
    let large: Vec<&Clone2> = group.iter().filter(|clone| clone.exact * 10 >= main.exact * 6).collect();
    loop {
        let known = |side: Stretch, copies: &[Stretch]| copies.iter().any(|own| own.overlap(side) > 0);
        let next = large.iter().find_map(|clone| match (known(clone.left, &copies), known(clone.right, &copies)) {
            (true, false) => Some(clone.right),
            (false, true) => Some(clone.left),
            _ => None,
        });
        let Some(next) = next else { break };
        copies.push(next);
    }
    copies.sort();
    of_copies(map, bodies, extended(bodies, &copies, whole), all)
}

/// What some copies share, and where the two part that part most.
fn of_copies(map: &RepoMap, bodies: &[Body], copies: Vec<Stretch>, all: &[Clone2]) -> Family {
    let mut shared = usize::MAX;
    let mut differ = false;
    let mut told: Option<(usize, (usize, usize), Differences)> = None;
    for at in 1..copies.len() {
        let (comparison, found) = differences(map, bodies, copies[0], copies[at]);
        shared = shared.min(comparison.equal);
        differ |= found.logic() + found.renamed.len() > 0;
        let rank = found.steps * 1000
            + found.alone.len() * 100
            + found.otherwise.len() * 10
            + usize::from(!found.renamed.is_empty());
        if told.as_ref().is_none_or(|(best, ..)| rank > *best) {
            told = Some((rank, (0, at), found));
        }
    }
    let (_, pair, differences) = told.expect("a family has at least two copies");
    let alike = alike(&copies, all);
    Family { copies, shared, pair, differences, differ, further: Vec::new(), alike }
}

/// The copies with what little is left of every function before and after them, as far as they stay whole statements.
fn extended(bodies: &[Body], copies: &[Stretch], whole: &Whole<'_>) -> Vec<Stretch> {
    if copies.windows(2).any(|pair| pair[0].sequence == pair[1].sequence) {
        return copies.to_vec();
    }
    let len = |copy: &Stretch| bodies[copy.sequence].lines.len();
    // One copy may reach the end already, with the lines that the rest of another is like.
    let belongs = |rest: &dyn Fn(&Stretch) -> usize, edge: &dyn Fn(&Stretch) -> Range<usize>| {
        let lines = |copy: &Stretch| &bodies[copy.sequence].lines[edge(copy)];
        copies.iter().all(|copy| {
            let equal = || compare(lines(&copies[0]), lines(copy)).equal;
            rest(copy) <= MAX_REST || rest(copy) <= MAX_ALIKE_REST && equal() * 2 >= MAX_ALIKE_REST
        })
    };
    let at_end = belongs(&|copy| len(copy) - copy.end, &|copy| len(copy).saturating_sub(MAX_ALIKE_REST)..len(copy));
    let at_start = belongs(&|copy| copy.start, &|copy| 0..len(copy).min(MAX_ALIKE_REST));
    let with = |start: bool, end: bool| -> Vec<Stretch> {
        let extend = |copy: &Stretch| Stretch {
            start: if start { 0 } else { copy.start },
            end: if end { len(copy) } else { copy.end },
            ..*copy
        };
        copies.iter().map(extend).collect()
    };
    [(at_start, at_end), (false, at_end), (at_start, false)]
        .into_iter()
        .map(|(start, end)| with(start, end))
        .find(|copies| copies.iter().all(|copy| whole.is_whole(bodies, *copy)))
        .unwrap_or_else(|| copies.to_vec())
}

/// Functions that have the shape of a copy, and other names.
fn alike(copies: &[Stretch], all: &[Clone2]) -> usize {
    let is_copy = |side: Stretch| copies.iter().any(|copy| copy.overlap(side) * 10 >= copy.len() * 7);
    let mut found: Vec<usize> = all
        .iter()
        .filter(|clone| clone.same_shape * 10 >= clone.left.len().max(clone.right.len()) * 8)
        .filter_map(|clone| match (is_copy(clone.left), is_copy(clone.right)) {
            (true, false) => Some(clone.right.sequence),
            (false, true) => Some(clone.left.sequence),
            _ => None,
        })
        .filter(|sequence| copies.iter().all(|copy| copy.sequence != *sequence))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.len()
}
