//! Whole statements: a copy that begins or ends inside of one cannot be taken out, so that every copy is cut down to the statements it
//! holds from beginning to end.

use std::collections::BTreeMap;

use crate::audit::clones::compare::aligned;
use crate::audit::clones::{Clone2, Stretch};
use crate::audit::rules::debt::clone_family::{Body, code, file_lines};
use crate::edit::statements::{self, List};
use crate::repo_map::facts::Lines;
use crate::repo_map::{FileId, RepoMap};
use crate::tree::Tree;

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
        let mut lists = BTreeMap::new();
        for stretch in clones.iter().flat_map(|clone| [clone.left, clone.right]) {
            let file = bodies[stretch.sequence].file;
            lists.entry(file).or_insert_with(|| {
                let path = &map.file(file).path;
                tree.text(path).and_then(|text| statements::lists(path, &text)).unwrap_or_default()
            });
        }
        Whole { map, lists }
    }

    /// The most statements that a stretch holds as a whole.
    fn widest(&self, bodies: &[Body], stretch: Stretch) -> Option<Run> {
        let body = &bodies[stretch.sequence];
        let lists = self.lists.get(&body.file)?;
        let own = code(bodies, stretch);
        let (first, last) = (own.first()?.line, own.last()?.line);
        let in_file = &self.map.file(body.file).facts.code_lines;
        let held = |list: &List| {
            let mut run: Option<Run> = None;
            for &(start, end) in list {
                let place = |line: u32| body.lines.partition_point(|code| code.line < line);
                let (from, to) = (place(start), place(end + 1));
                let all = in_file.partition_point(|code| code.line <= end)
                    - in_file.partition_point(|code| code.line < start);
                let is_held = stretch.start <= from && from < to && to <= stretch.end && all == to - from;
                match &mut run {
                    Some(run) if is_held => {
                        run.stretch.end = to;
                        run.lines.end = end;
                    }
                    None if is_held => {
                        let stretch = Stretch { sequence: stretch.sequence, start: from, end: to };
                        run = Some(Run { stretch, lines: Lines { start, end } });
                    }
                    Some(_) | None => {}
                }
            }
            run
        };
        // Lists elsewhere in the file hold nothing of it.
        let near = lists.iter().filter(|list| {
            list.first().is_some_and(|unit| unit.0 <= last) && list.last().is_some_and(|unit| unit.1 >= first)
        });
        near.filter_map(held).max_by_key(|run| (run.stretch.len(), std::cmp::Reverse(run.lines.start)))
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

    /// A clone without the parts of statements at its ends; `None` when no whole statement is left.
    pub fn cut(&self, bodies: &[Body], clone: &Clone2) -> Option<Clone2> {
        let (mut left, mut right) = (clone.left, clone.right);
        if !self.knows(bodies, left) || !self.knows(bodies, right) {
            return Some(clone.clone());
        }
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
        let (own, other) = (code(bodies, left), code(bodies, right));
        let pairs = aligned(own, other);
        let exact = pairs.iter().filter(|(a, b)| own[*a].exact == other[*b].exact).count();
        Some(Clone2 { left, right, exact, same_shape: pairs.len(), ..clone.clone() })
    }
}
