//! The last rung: a search text that names one definition and quotes it almost right.
//!
//! Only what the edit keeps may differ from the file. The edit is merged as versions are: what it changes has to stand in the file
//! line by line, with the lines next to it, and lines that differ keep what the file has. So nothing the writer did not know of is
//! overwritten, and nothing outside the definition is touched.

use std::ops::Range;

use tree_sitter::{Node, TreeCursor};

use super::indent::{Shift, indent_of};
use super::matching::Line;
use super::rewrite::{Change, common, differences};
use super::syntax;

/// Similarity from which a window counts, and by how much it has to lead: LESSONS of tools that repair edits; ours to choose.
const MIN_SIMILARITY: f64 = 0.9;
const MIN_LEAD: f64 = 0.1;
/// Longer search texts and files are not compared: 200 and 20 000 lines. Our choice, as the next three: a fraction of a second.
const MAX_SEARCH: usize = 200;
const MAX_FILE: usize = 20_000;
/// Windows elsewhere that are compared in full. With more of them that might be as like, no lead is clear.
const MAX_RIVALS: usize = 40;
/// Lines by which a window may start earlier or later, or be longer or shorter.
const MAX_SLACK: usize = 4;
/// Characters that differ in one place; with more, the two have nothing in common.
const MAX_DIFFERING: usize = 1000;

/// The changes that a block makes in the one definition its search text names, and the index of the first line it stands on.
pub(crate) fn merged(
    path: &str,
    text: &str,
    file: &[Line<'_>],
    search: &[&str],
    replace: &[&str],
) -> Option<(Vec<Change>, usize)> {
    if search.len() < 2 || search.len() > MAX_SEARCH || file.len() > MAX_FILE {
        return None;
    }
    let (item, offset) = named(&items(path, text)?, file, search)?;
    let (have, want) = (indent_of(file[item.header].text), indent_of(search[offset]));
    let shift = if have == want {
        Shift::None
    } else if let Some(added) = have.strip_suffix(want) {
        Shift::Added(added.to_owned())
    } else {
        Shift::Removed(want.strip_suffix(have)?.to_owned())
    };
    let (moved, replace) = (shift.apply(search)?, shift.apply(replace)?);
    let wanted: Vec<&str> = moved.iter().map(|line| line.trim_end()).collect();
    let lines: Vec<&str> = file.iter().map(|line| line.text.trim_end()).collect();
    let window = window(&lines, &item, offset, &wanted)?;
    let start = window.start;
    Some((merge(&lines[window.clone()], &wanted, &replace, start)?, start))
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// The words that define it, such as `fn apply`: what a search text has to quote to name it.
    words: String,
    /// Index of the line with its name.
    header: usize,
    /// Its lines, with comments and attributes above.
    lines: Range<usize>,
}

/// Every definition of a file.
fn items(path: &str, text: &str) -> Option<Vec<Item>> {
    let tree = syntax::tree(path, text)?;
    let mut found = Vec::new();
    let mut cursor = tree.walk();
    collect(&mut cursor, text, &mut found);
    let lines: Vec<&str> = text.split('\n').collect();
    for item in &mut found {
        let above = lines[..item.lines.start].iter().rev().map(|line| line.trim_start());
        let belongs = |line: &&str| ["//", "/*", "*", "#[", "@"].iter().any(|start| line.starts_with(start));
        item.lines.start -= above.take_while(belongs).count();
    }
    Some(found)
}

fn collect(cursor: &mut TreeCursor<'_>, text: &str, found: &mut Vec<Item>) {
    let mut depth = 0_usize;
    loop {
        found.extend(item(cursor.node(), text));
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if depth == 0 || !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}

fn item(node: Node<'_>, text: &str) -> Option<Item> {
    let name = match node.kind() {
        "function_item"
        | "function_signature_item"
        | "struct_item"
        | "enum_item"
        | "union_item"
        | "trait_item"
        | "mod_item"
        | "const_item"
        | "static_item"
        | "type_item"
        | "macro_definition"
        | "function_declaration"
        | "generator_function_declaration"
        | "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "type_alias_declaration"
        | "enum_declaration"
        | "method_definition"
        | "variable_declarator"
        | "function_signature"
        | "method_signature"
        | "public_field_definition" => node.child_by_field_name("name")?,
        "impl_item" => node.child_by_field_name("type")?,
        _ => return None,
    };
    let header = name.start_position().row;
    let line_start = text[..name.start_byte()].rfind('\n').map_or(0, |at| at + 1);
    // From the word before the name to the sign behind it: `fn apply(`, `class Cart {`, `total =`.
    let before = text[line_start..name.start_byte()].trim_end();
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let behind =
        text[name.end_byte()..].chars().next().filter(|sign| matches!(sign, '(' | '<' | ':')).map_or(0, char::len_utf8);
    let words = text[line_start + from..name.end_byte() + behind].trim().to_owned();
    // `const f = …` and `export …` begin before the node that has the name.
    let mut outer = node;
    while let Some(parent) = outer.parent().filter(|it| matches!(it.kind(), "lexical_declaration" | "export_statement"))
    {
        outer = parent;
    }
    Some(Item { words, header, lines: outer.start_position().row..outer.end_position().row + 1 })
}

/// The one definition that `search` names, and the index of the line that does.
fn named(items: &[Item], file: &[Line<'_>], search: &[&str]) -> Option<(Item, usize)> {
    let naming = |item: &Item| search.iter().position(|line| holds(line, &item.words));
    let named: Vec<(&Item, usize)> = items.iter().filter_map(|item| Some((item, naming(item)?))).collect();
    let is_inside =
        |item: &Item| named.iter().any(|(other, _)| contains(&other.lines, &item.lines) && other.lines != item.lines);
    let mut outermost = named.iter().filter(|(item, _)| !is_inside(item));
    let (item, offset) = outermost.next()?;
    if outermost.next().is_some() || item.lines.end > file.len() {
        return None;
    }
    Some(((*item).clone(), *offset))
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a line holds `words` with no word cut.
fn holds(line: &str, words: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let cuts = |at: usize| {
        is_word(line[..at].chars().next_back())
            || is_word(words.chars().next_back()) && is_word(line[at + words.len()..].chars().next())
    };
    line.match_indices(words).any(|(at, _)| !cuts(at))
}

/// The window of the definition that is like `wanted`, when none elsewhere comes near.
fn window(lines: &[&str], item: &Item, offset: usize, wanted: &[&str]) -> Option<Range<usize>> {
    let (score, window) = own_window(lines, item, offset, wanted)?;
    let limit = score - MIN_LEAD;
    let want = Letters::of(wanted);
    let mut have = Letters::of(&lines[..wanted.len().min(lines.len())]);
    let mut rivals = 0;
    for start in 0..=lines.len().checked_sub(wanted.len())? {
        let rival = start..start + wanted.len();
        if start > 0 {
            have.remove(lines[start - 1]);
            have.add(lines[rival.end - 1]);
        }
        let overlaps = rival.start < window.end && window.start < rival.end;
        if overlaps || have.bound(&want) <= limit {
            continue;
        }
        rivals += 1;
        if rivals > MAX_RIVALS || similarity(&lines[rival], wanted) > limit {
            return None;
        }
    }
    Some(window)
}

/// The window around the definition's name that is like `wanted`. Where lines are missing or more than quoted, it starts or ends some
/// lines off; the merge is the same for every window that holds what changes.
fn own_window(lines: &[&str], item: &Item, offset: usize, wanted: &[&str]) -> Option<(f64, Range<usize>)> {
    let slack = (wanted.len() / 10).min(MAX_SLACK) as isize;
    let mut best: Option<(f64, Range<usize>)> = None;
    // Small differences first, so that of equals the one without any is taken.
    let mut shifts: Vec<(isize, isize)> =
        (-slack..=slack).flat_map(|start| (-slack..=slack).map(move |longer| (start, longer))).collect();
    shifts.sort_by_key(|(start, longer)| (start.abs() + longer.abs(), *start, *longer));
    for (start, longer) in shifts {
        let window = item
            .header
            .checked_add_signed(start)
            .and_then(|at| at.checked_sub(offset))
            .and_then(|start| Some(start..start + wanted.len().checked_add_signed(longer)?));
        let Some(window) = window.filter(|it| contains(&item.lines, it) && it.contains(&item.header)) else { continue };
        let score = similarity(&lines[window.clone()], wanted);
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            best = Some((score, window));
        }
    }
    best.filter(|(score, _)| *score >= MIN_SIMILARITY)
}

/// How often each byte stands in some lines: what two texts can have in common at most.
struct Letters {
    counts: [u32; 256],
    total: u32,
}

impl Letters {
    fn of(lines: &[&str]) -> Self {
        let mut letters = Self { counts: [0; 256], total: 0 };
        lines.iter().for_each(|line| letters.add(line));
        letters
    }

    fn add(&mut self, line: &str) {
        for byte in line.trim().bytes() {
            self.counts[usize::from(byte)] += 1;
            self.total += 1;
        }
    }

    fn remove(&mut self, line: &str) {
        for byte in line.trim().bytes() {
            self.counts[usize::from(byte)] -= 1;
            self.total -= 1;
        }
    }

    fn bound(&self, other: &Self) -> f64 {
        let shared: u32 = self.counts.iter().zip(&other.counts).map(|(one, two)| one.min(two)).sum();
        2.0 * f64::from(shared) / f64::from((self.total + other.total).max(1))
    }
}

/// Twice the characters in common, by line and then within lines that differ, over all characters: 0 to 1.
fn similarity(one: &[&str], two: &[&str]) -> f64 {
    let (one, two): (Vec<&str>, Vec<&str>) =
        (one.iter().map(|line| line.trim()).collect(), two.iter().map(|line| line.trim()).collect());
    let size = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let total = size(&one) + size(&two);
    if total == 0 {
        return 0.0;
    }
    let mut differing = 0.0;
    for (old, new) in differences(&one, &two) {
        let (old, new) = (one[old].join("\n"), two[new].join("\n"));
        let both = (old.len() + new.len()) as f64;
        let is_long = old.len() > MAX_DIFFERING || new.len() > MAX_DIFFERING;
        let ratio = if is_long { 0.0 } else { f64::from(similar::TextDiff::from_chars(&old, &new).ratio()) };
        differing += both * (1.0 - ratio);
    }
    1.0 - differing / total as f64
}

/// The changes from `base` to `replace`, in lines of the file, when each stands on lines that `window` and `base` share.
fn merge(window: &[&str], base: &[&str], replace: &[String], start: usize) -> Option<Vec<Change>> {
    let mut place: Vec<Option<usize>> = vec![None; base.len()];
    for (in_base, in_window) in common(base, window) {
        place[in_base] = Some(in_window);
    }
    let trimmed: Vec<&str> = replace.iter().map(|line| line.trim_end()).collect();
    let mut changes = Vec::new();
    for (old, new) in differences(base, &trimmed) {
        // The lines that go, and one on either side, stand in the file next to each other.
        let around = old.start.saturating_sub(1)..(old.end + 1).min(base.len());
        let first = place[around.start]?;
        if !around.clone().all(|index| place[index] == Some(first + index - around.start)) {
            return None;
        }
        let from = start + first + (old.start - around.start);
        changes.push(Change { lines: from..from + old.len(), new: replace[new].to_vec() });
    }
    (!changes.is_empty()).then_some(changes)
}
