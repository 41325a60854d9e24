//! Tables: rows as text, cells with their pipes unescaped.

use super::{Blocks, starts_item};

/// The cells of a table row: split at every `|` without a backslash before it, `\|` read as `|`.
pub(crate) fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut().expect("starts with one cell");
        match character {
            '\\' if characters.peek() == Some(&'|') => {
                cell.push('|');
                characters.next();
            }
            '|' => cells.push(String::new()),
            _ => cell.push(character),
        }
    }
    if cells.len() > 1 && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The cells of a row below a header of `columns` cells. A row with more was written with a bare `|` inside a code span.
fn row_cells(line: &str, columns: usize) -> Vec<String> {
    let plain = cells(line);
    if plain.len() <= columns {
        return plain;
    }
    let mut guarded = String::with_capacity(line.len());
    let mut at = 0;
    for span in super::code_spans(line) {
        guarded.push_str(&line[at..span.range.start]);
        // An escaped pipe stays escaped.
        guarded.push_str(&line[span.range.clone()].replace("\\|", "|").replace('|', "\\|"));
        at = span.range.end;
    }
    guarded.push_str(&line[at..]);
    let guarded = cells(&guarded);
    if guarded.len() <= columns { guarded } else { plain }
}

/// `text` as the content of a table cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('\n', " ").trim().replace('|', "\\|")
}

/// Whether `line` separates a table's header from its rows.
pub(crate) fn is_delimiter_row(line: &str) -> bool {
    let line = line.trim();
    line.contains('-') && line.contains('|') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// A table: its header and rows, with the index of each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Index of the header's line.
    pub first: usize,
    /// Index of the last row.
    pub last: usize,
    /// Header cells.
    pub header: Vec<String>,
    /// Rows: line index and cells.
    pub rows: Vec<(usize, Vec<String>)>,
}

/// The tables outside fences. Rows may be parted by one blank line: agents do that.
pub(crate) fn tables(blocks: &Blocks<'_>) -> Vec<Table> {
    let mut found = Vec::new();
    let mut index = 0;
    while index + 1 < blocks.lines.len() {
        let header = blocks.lines[index];
        if blocks.is_code(index) || !header.contains('|') || !is_delimiter_row(blocks.lines[index + 1]) {
            index += 1;
            continue;
        }
        let mut table = Table { first: index, last: index + 1, header: cells(header), rows: Vec::new() };
        let mut next = index + 2;
        while next < blocks.lines.len() {
            let line = blocks.lines[next];
            let after_blank = line.trim().is_empty()
                && blocks.lines.get(next + 1).is_some_and(|line| line.trim_start().starts_with('|'))
                && !blocks.lines.get(next + 2).is_some_and(|line| is_delimiter_row(line));
            if line.trim_start().starts_with('|') || (line.contains('|') && !starts_item(line)) {
                table.rows.push((next, row_cells(line, table.header.len())));
                table.last = next;
            } else if !after_blank {
                break;
            }
            next += 1;
        }
        index = table.last + 1;
        found.push(table);
    }
    found
}
