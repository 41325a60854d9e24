//! Exact edits: byte spans become SEARCH/REPLACE blocks of whole lines that are unique in the file.

use std::collections::{BTreeMap, BTreeSet};

use super::{fill, gates};
use crate::audit::draft::{EditDraft, PlanDraft};
use crate::edit::{Block, EditOperation, FileEdit};
use crate::plan::Gate;
use crate::plan::expectation::{Count, Expectation};
use crate::plan::lint::edits::{Files, apply, whole_line_matches};
use crate::plan::markdown::{code_span, fence_for};
use crate::tree::Tree;

/// Goals taken from the edits of one step.
const MAX_GOALS: usize = 2;

/// The edits of every step of a draft.
pub(super) struct ExactSteps {
    steps: Vec<StepEdits>,
}

struct StepEdits {
    /// `None` when at least one edit cannot be written exactly.
    exact: Option<Vec<FileEdit>>,
    /// The edits in words.
    described: Vec<String>,
    goals: Vec<Gate>,
}

impl ExactSteps {
    /// Converts the edits of all steps, in order, each against the files as the steps before it leave them.
    pub(super) fn of(draft: &PlanDraft, tree: &dyn Tree) -> ExactSteps {
        let mut files = Files::new();
        let mut steps = Vec::new();
        for step in &draft.steps {
            if step.edits.is_empty() {
                steps.push(StepEdits { exact: None, described: Vec::new(), goals: Vec::new() });
                continue;
            }
            let described = step.edits.iter().filter_map(|edit| describe(edit, tree)).collect();
            let before = files.clone();
            let exact = convert(&step.edits, tree)
                .filter(|edits| edits.iter().all(|edit| apply(edit, tree, &mut files).is_ok()));
            if exact.is_none() {
                files = before.clone();
            }
            let goals = exact.as_deref().map_or_else(Vec::new, |edits| goals(edits, &before, &files, tree));
            steps.push(StepEdits { exact, described, goals });
        }
        ExactSteps { steps }
    }

    /// The edits of a step that can be carried out as they stand.
    pub(super) fn of_step(&self, step: usize) -> Option<&[FileEdit]> {
        self.steps.get(step)?.exact.as_deref()
    }

    /// The edits of a step in words, for one that cannot.
    pub(super) fn described(&self, step: usize) -> &[String] {
        self.steps.get(step).map_or(&[], |step| &step.described)
    }

    /// What is false now and true after the step.
    pub(super) fn goals(&self, step: usize) -> &[Gate] {
        self.steps.get(step).map_or(&[], |step| &step.goals)
    }

    /// Every file that a draft's edits name, sorted.
    pub(super) fn files(&self, draft: &PlanDraft) -> Vec<String> {
        let files: BTreeSet<&str> = draft.steps.iter().flat_map(|step| &step.edits).map(file_of).collect();
        files.into_iter().map(str::to_owned).collect()
    }
}

fn file_of(edit: &EditDraft) -> &str {
    match edit {
        EditDraft::Replace { file, .. } | EditDraft::Create { file, .. } | EditDraft::Delete { file } => file,
    }
}

fn convert(drafts: &[EditDraft], tree: &dyn Tree) -> Option<Vec<FileEdit>> {
    let mut replacements: BTreeMap<&str, Vec<Replacement>> = BTreeMap::new();
    let mut edits = Vec::new();
    for draft in drafts {
        match draft {
            EditDraft::Replace { file, span, text } => {
                let replacement =
                    Replacement { start: span.start as usize, end: span.end as usize, text: text.clone() };
                replacements.entry(file).or_default().push(replacement);
            }
            EditDraft::Create { file, text } => {
                if crate::secrets::mask(text) != *text || text.contains('\r') {
                    return None;
                }
                edits.push(FileEdit { file: file.clone(), operation: EditOperation::Create(text.clone()) });
            }
            EditDraft::Delete { file } => edits.push(FileEdit { file: file.clone(), operation: EditOperation::Delete }),
        }
    }
    for (file, replacements) in replacements {
        let blocks = blocks(&tree.text(file)?, replacements)?;
        edits.push(FileEdit { file: file.to_owned(), operation: EditOperation::Replace(blocks) });
    }
    edits.sort_by(|left, right| left.file.cmp(&right.file));
    Some(edits)
}

#[derive(Debug, Clone)]
struct Replacement {
    start: usize,
    end: usize,
    text: String,
}

/// Lines `first..last` of the file and the replacements within.
struct Group {
    first: usize,
    last: usize,
    replacements: Vec<Replacement>,
}

/// Whole-line blocks for the replacements of one file; `None` when they overlap or cannot be told apart.
fn blocks(text: &str, replacements: Vec<Replacement>) -> Option<Vec<Block>> {
    // Blocks are written with `\n`: a file with both line ends would come out with one of them.
    let breaks = text.matches('\n').count();
    let windows = text.matches("\r\n").count();
    if (windows != 0 && windows != breaks) || text.matches('\r').count() != windows {
        return None;
    }
    let mut replacements = replacements;
    replacements.sort_by_key(|replacement| (replacement.start, replacement.end));
    let valid = |replacement: &Replacement| {
        replacement.start <= replacement.end
            && text.is_char_boundary(replacement.start)
            && replacement.end <= text.len()
            && text.is_char_boundary(replacement.end)
    };
    let overlap = replacements.windows(2).any(|pair| pair[1].start < pair[0].end);
    if overlap || !replacements.iter().all(valid) || text.is_empty() {
        return None;
    }
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .filter(|at| *at < text.len())
        .collect();
    let line_of = |byte: usize| starts.partition_point(|start| *start <= byte).saturating_sub(1);
    let mut groups: Vec<Group> = Vec::new();
    for replacement in replacements {
        let first = line_of(replacement.start);
        let last = line_of(replacement.end.saturating_sub(1).max(replacement.start)) + 1;
        groups.push(Group { first, last, replacements: vec![replacement] });
    }
    loop {
        groups = merge(groups);
        let mut grown = false;
        for group in &mut groups {
            if !is_sound(text, &starts, group) {
                let (first, last) = (group.first, group.last);
                group.last = (last + 1).min(starts.len());
                // Below first: the line above belongs more often to something else.
                if group.last == last || (last - first) % 2 == 0 {
                    group.first = first.saturating_sub(1);
                }
                if (group.first, group.last) == (first, last) {
                    return None;
                }
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let block = |group: &Group| {
        let (search, replace) = texts(text, &starts, group);
        let (search, replace) = (strip(&search), strip(&replace));
        let clean = crate::secrets::mask(&search) == search && crate::secrets::mask(&replace) == replace;
        clean.then_some(Block { search, replace })
    };
    groups.iter().map(block).collect()
}

/// Groups that share or touch lines are one.
fn merge(groups: Vec<Group>) -> Vec<Group> {
    let mut merged: Vec<Group> = Vec::new();
    for group in groups {
        match merged.last_mut() {
            Some(previous) if group.first <= previous.last => {
                previous.last = previous.last.max(group.last);
                previous.first = previous.first.min(group.first);
                previous.replacements.extend(group.replacements);
            }
            _ => merged.push(group),
        }
    }
    merged
}

/// The lines of a group now and afterwards, line breaks included.
fn texts(text: &str, starts: &[usize], group: &Group) -> (String, String) {
    let from = starts[group.first];
    let to = starts.get(group.last).copied().unwrap_or(text.len());
    let mut replaced = String::new();
    let mut at = from;
    for replacement in &group.replacements {
        replaced.push_str(&text[at..replacement.start.max(at)]);
        replaced.push_str(&replacement.text);
        at = replacement.end.max(at);
    }
    replaced.push_str(text.get(at..to).unwrap_or_default());
    (text[from..to].to_owned(), replaced)
}

/// Without the last line break and with `\n` alone.
fn strip(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.strip_suffix('\n').map_or(text.clone(), str::to_owned)
}

/// Whether a group can be written as a block: something to search for, found once, and the lines after it left whole.
fn is_sound(text: &str, starts: &[usize], group: &Group) -> bool {
    let (search, replace) = texts(text, starts, group);
    let reaches_end = group.last >= starts.len();
    let keeps_break = replace.is_empty() || replace.ends_with('\n') || reaches_end;
    let (search, replace) = (strip(&search), strip(&replace));
    // One empty line in place of text would read as "remove the lines".
    let removes_all = replace.is_empty() && !group_is_removal(text, starts, group);
    let has_text = search.lines().any(|line| !line.trim().is_empty());
    keeps_break && !removes_all && has_text && whole_line_matches(&text.replace("\r\n", "\n"), &search).len() == 1
}

fn group_is_removal(text: &str, starts: &[usize], group: &Group) -> bool {
    texts(text, starts, group).1.is_empty()
}

/// What an edit does, for a hand.
fn describe(edit: &EditDraft, tree: &dyn Tree) -> Option<String> {
    let fenced = |text: &str, file: &str| {
        let text = crate::secrets::mask(text.trim_matches('\n'));
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        (!text.trim().is_empty()).then(|| {
            let fence = fence_for(&text);
            format!("{fence}{extension}\n{text}\n{fence}")
        })
    };
    let (place, removed, added) = match edit {
        EditDraft::Create { file, text } => (code_span(file), None, fenced(text, file)),
        EditDraft::Delete { file } => (code_span(file), None, None),
        EditDraft::Replace { file, span, text } => {
            let source = tree.text(file)?;
            let removed = source.get(span.start as usize..span.end as usize)?;
            let line = source.get(..span.start as usize)?.matches('\n').count() + 1;
            (format!("{}, line {line}", code_span(file)), fenced(removed, file), fenced(text, file))
        }
    };
    Some(fill("edit_by_hand.md", serde_json::json!({ "place": place, "removed": removed, "added": added })))
}

/// Gates that are red before the edits and green after them: a text that goes, a text that comes, a file made or removed.
fn goals(edits: &[FileEdit], before: &Files, after: &Files, tree: &dyn Tree) -> Vec<Gate> {
    let mut found = Vec::new();
    for edit in edits {
        let quoted = shell_words::quote(&edit.file).into_owned();
        match &edit.operation {
            EditOperation::Create(_) => found.push(gates::gate(format!("test -f {quoted}"), Expectation::Exit(0))),
            EditOperation::Delete => found.push(gates::gate(format!("test ! -e {quoted}"), Expectation::Exit(0))),
            EditOperation::Replace(_)
            | EditOperation::Substitute { .. }
            | EditOperation::Hunks(_)
            | EditOperation::Insert(_)
            | EditOperation::Whole(_)
            | EditOperation::Rename { .. } => {
                let old = before.get(&edit.file).cloned().unwrap_or_else(|| tree.text(&edit.file)).unwrap_or_default();
                let new = after.get(&edit.file).cloned().flatten().unwrap_or_default();
                let gone =
                    telling_line(&old, &new).and_then(|line| gates::text_gate(line, &edit.file, Expectation::NoOutput));
                let come = || {
                    let line = telling_line(&new, &old)?;
                    gates::text_gate(line, &edit.file, Expectation::Lines(Count::AtLeast(1)))
                };
                found.extend(gone.or_else(come));
            }
        }
    }
    found.truncate(MAX_GOALS);
    found
}

/// The longest line of `here` that is nowhere in `there`, not even as part of a line.
fn telling_line<'a>(here: &'a str, there: &str) -> Option<&'a str> {
    let letters = |line: &str| line.chars().filter(|character| character.is_alphanumeric()).count();
    here.lines()
        .map(str::trim)
        .filter(|line| letters(line) >= 4 && line.len() <= 160 && !there.contains(*line))
        .max_by_key(|line| (letters(line), std::cmp::Reverse(line.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, find: &str, put: &str) -> Option<Vec<Block>> {
        let start = text.rfind(find).expect("the text holds it");
        blocks(text, vec![Replacement { start, end: start + find.len(), text: put.to_owned() }])
    }

    fn block(search: &str, replace: &str) -> Option<Vec<Block>> {
        Some(vec![Block { search: search.to_owned(), replace: replace.to_owned() }])
    }

    #[test]
    fn a_span_becomes_whole_lines_that_are_unique() {
        assert_eq!(one("a\n  b = 1;\nc\n", "1", "2"), block("  b = 1;", "  b = 2;"));
        assert_eq!(one("x\na\ny\na\n", "a", "b"), block("y\na", "y\nb"), "grown until there is one match");
        assert_eq!(one("a\nb\nc\n", "b\n", ""), block("b", ""), "whole lines are removed");
        assert_eq!(one("a\nb\nc\n", "b\n", "B "), block("b\nc", "B c"), "the next line is part of what changes");
        assert_eq!(one("a\r\nb\r\nc\r\n", "b", "d"), block("b", "d"));
        assert_eq!(one("a\r\nb\nc\n", "b", "d"), None, "mixed line ends");
        assert_eq!(one("a\na\n", "a", "b"), block("a\na", "a\nb"));
        assert_eq!(one("a", "a", "b"), block("a", "b"));
        assert_eq!(blocks("", vec![Replacement { start: 0, end: 0, text: "x".to_owned() }]), None);
    }

    #[test]
    fn neighbouring_edits_are_one_block_and_overlapping_ones_none() {
        let edit = |start, end, text: &str| Replacement { start, end, text: text.to_owned() };
        assert_eq!(blocks("a\nb\nc\n", vec![edit(2, 3, "B"), edit(0, 1, "A")]), block("a\nb", "A\nB"));
        assert_eq!(blocks("abc\n", vec![edit(0, 2, "x"), edit(1, 3, "y")]), None);
        assert_eq!(blocks("a\n", vec![edit(0, 9, "x")]), None);
        assert_eq!(blocks("ä\n", vec![edit(1, 2, "x")]), None);
    }

    #[test]
    fn an_insertion_takes_the_line_it_stands_before() {
        assert_eq!(
            blocks("a\nb\n", vec![Replacement { start: 2, end: 2, text: "new\n".to_owned() }]),
            block("b", "new\nb")
        );
        assert_eq!(
            blocks("a\nb\n", vec![Replacement { start: 4, end: 4, text: "new\n".to_owned() }]),
            block("b", "b\nnew")
        );
    }
}
