//! Whole statements: a copy that begins or ends inside of one cannot be taken out, so that every copy grows to the end of the statements
//! it is in, where little is left of them, or is cut down to those it holds from beginning to end.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::audit::clones::compare::aligned;
use crate::audit::clones::{Clone2, Stretch};
use crate::audit::rules::debt::clone_family::{Body, code, file_lines};
use crate::edit::statements::{self, List};
use crate::repo_map::facts::Lines;
use crate::repo_map::{FileId, RepoMap};
use crate::tree::Tree;

/// Lines of a statement that are little beside the copy in it. Our choice: what families take in of the rest of a function.
const MAX_REST: usize = 8;

/// The statements of the files that clones lie in.
pub struct Whole<'m> {
    map: &'m RepoMap,
    lists: BTreeMap<FileId, Vec<List>>,
}

/// Statements that follow each other: what of the body they are, and the lines they stand on, brackets included.
struct Run {
    stretch: Stretch,
    lines: Lines,
}

impl<'m> Whole<'m> {
    /// Reads the files of some clones.
    pub fn read(map: &'m RepoMap, tree: &dyn Tree, bodies: &[Body], clones: &[Clone2]) -> Whole<'m> {
        let stretches = clones.iter().flat_map(|clone| [clone.left, clone.right]);
        let files: BTreeSet<FileId> = stretches.map(|stretch| bodies[stretch.sequence].file).collect();
        let lists = |file: FileId| {
            let path = &map.file(file).path;
            (file, tree.text(path).and_then(|text| statements::lists(path, &text)).unwrap_or_default())
        };
        Whole { map, lists: files.into_par_iter().map(lists).collect() }
    }

    /// The most statements that a stretch holds as a whole.
    fn widest(&self, bodies: &[Body], stretch: Stretch) -> Option<Run> {
        let lists = self.lists.get(&bodies[stretch.sequence].file)?;
        let is_held = |own: Stretch| stretch.start <= own.start && own.end <= stretch.end;
        let held = lists.iter().filter_map(|list| self.run(bodies, stretch, list, &is_held));
        held.max_by_key(|run| (run.stretch.len(), std::cmp::Reverse(run.lines.start)))
    }

    /// The fewest statements that hold a stretch as a whole.
    fn narrowest(&self, bodies: &[Body], stretch: Stretch) -> Option<Run> {
        let lists = self.lists.get(&bodies[stretch.sequence].file)?;
        let touches = |own: Stretch| own.overlap(stretch) > 0;
        let holds = |run: &Run| run.stretch.start <= stretch.start && stretch.end <= run.stretch.end;
        let around = lists.iter().filter_map(|list| self.run(bodies, stretch, list, &touches));
        around.filter(holds).min_by_key(|run| (run.stretch.len(), run.lines.start))
    }

    /// Those statements of a list, within the body of a stretch, that are wanted.
    fn run(&self, bodies: &[Body], stretch: Stretch, list: &List, is_wanted: &dyn Fn(Stretch) -> bool) -> Option<Run> {
        let body = &bodies[stretch.sequence];
        let (first, last) = (body.lines.first()?.line, body.lines.last()?.line);
        // Lists elsewhere in the file hold nothing of it.
        if list.first()?.0 > last || list.last()?.1 < first {
            return None;
        }
        let in_file = &self.map.file(body.file).facts.code_lines;
        let mut run: Option<Run> = None;
        for &(start, end) in list {
            let place = |line: u32| body.lines.partition_point(|code| code.line < line);
            let own = Stretch { sequence: stretch.sequence, start: place(start), end: place(end + 1) };
            let all =
                in_file.partition_point(|code| code.line <= end) - in_file.partition_point(|code| code.line < start);
            if own.start >= own.end || all != own.len() || !is_wanted(own) {
                continue;
            }
            match &mut run {
                Some(run) => {
                    run.stretch.end = own.end;
                    run.lines.end = end;
                }
                None => run = Some(Run { stretch: own, lines: Lines { start, end } }),
            }
        }
        run
    }

    /// Whether a stretch is statements from beginning to end; of a file that cannot be parsed, nobody knows otherwise.
    pub fn is_whole(&self, bodies: &[Body], stretch: Stretch) -> bool {
        !self.knows(bodies, stretch) || self.widest(bodies, stretch).is_some_and(|run| run.stretch == stretch)
    }

    /// The lines of the file that a stretch covers, with the brackets that close its statements.
    pub fn lines(&self, bodies: &[Body], stretch: Stretch) -> Lines {
        match self.widest(bodies, stretch) {
            Some(run) if run.stretch == stretch => run.lines,
            Some(_) | None => file_lines(bodies, stretch),
        }
    }

    fn knows(&self, bodies: &[Body], stretch: Stretch) -> bool {
        self.lists.get(&bodies[stretch.sequence].file).is_some_and(|lists| !lists.is_empty())
    }

    /// A clone as whole statements, the likeliest first: cut down where that leaves most of it, else grown where little is left of the
    /// statements. What cannot be parsed stays.
    pub fn versions(&self, bodies: &[Body], clone: &Clone2) -> Vec<Clone2> {
        if !self.knows(bodies, clone.left) || !self.knows(bodies, clone.right) {
            return vec![clone.clone()];
        }
        let (cut, grown) = (self.cut(bodies, clone), self.grown(bodies, clone));
        let leaves_most = cut.as_ref().is_some_and(|cut| cut.exact * 5 >= clone.exact * 4);
        let is_little =
            |part: Stretch, all: Stretch| part.start - all.start <= MAX_REST && all.end - part.end <= MAX_REST;
        let adds_little = grown
            .as_ref()
            .is_some_and(|grown| is_little(clone.left, grown.left) && is_little(clone.right, grown.right));
        let versions = if adds_little && !leaves_most { [grown, cut] } else { [cut, grown] };
        versions.into_iter().flatten().collect()
    }

    /// A clone with the rest of the statements at its ends.
    fn grown(&self, bodies: &[Body], clone: &Clone2) -> Option<Clone2> {
        let left = self.narrowest(bodies, clone.left)?.stretch;
        let right = self.narrowest(bodies, clone.right)?.stretch;
        (left.overlap(right) == 0).then(|| measured(bodies, left, right))
    }

    /// A clone without the parts of statements at its ends; `None` when no whole statement is left.
    fn cut(&self, bodies: &[Body], clone: &Clone2) -> Option<Clone2> {
        let (mut left, mut right) = (clone.left, clone.right);
        loop {
            let (own, other) = (self.widest(bodies, left)?.stretch, self.widest(bodies, right)?.stretch);
            // What one side lost, the other loses too.
            let pairs: Vec<(usize, usize)> = aligned(code(bodies, left), code(bodies, right))
                .into_iter()
                .map(|(a, b)| (left.start + a, right.start + b))
                .filter(|(a, b)| (own.start..own.end).contains(a) && (other.start..other.end).contains(b))
                .collect();
            let ((first_a, first_b), (last_a, last_b)) = (*pairs.first()?, *pairs.last()?);
            let next = (
                Stretch { start: own.start.max(first_a), end: own.end.min(last_a + 1), ..own },
                Stretch { start: other.start.max(first_b), end: other.end.min(last_b + 1), ..other },
            );
            if next == (left, right) {
                break;
            }
            (left, right) = next;
        }
        Some(measured(bodies, left, right))
    }
}

fn measured(bodies: &[Body], left: Stretch, right: Stretch) -> Clone2 {
    let (own, other) = (code(bodies, left), code(bodies, right));
    let pairs = aligned(own, other);
    let exact = pairs.iter().filter(|(a, b)| own[*a].exact == other[*b].exact).count();
    Clone2 { left, right, exact, same_shape: pairs.len(), renamed: Vec::new(), gaps: Vec::new() }
}
