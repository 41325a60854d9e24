//! The index of plans, `plans/README.md`, as text: rows, statuses and rejected findings, every other byte kept.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::markdown::{Blocks, Table, cell, plain, tables};

/// A new, empty index.
pub const EMPTY: &str = include_str!("../../templates/index.md");

const REJECTED_HEADING: &str = "## Findings considered and rejected";

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStatus {
    /// Not begun.
    Todo,
    /// Begun; the note says by whom or how far.
    InProgress(String),
    /// Carried out; the note says where: branch, commit.
    Done(String),
    /// Stopped, with the reason.
    Blocked(String),
    /// Not worth doing, with the reason.
    Rejected(String),
    /// Something else, as written: `SUPERSEDED`, `ON HOLD`.
    Other(String),
}

impl PlanStatus {
    /// Reads a status cell, with whatever stands around the word.
    pub fn parse(cell: &str) -> PlanStatus {
        let text = plain(cell);
        let start = text.find(char::is_alphanumeric).unwrap_or(text.len());
        let text = text[start..].trim();
        let upper = text.to_uppercase();
        let note = |word: &str| {
            let rest = text.get(word.len()..).unwrap_or_default().trim();
            let rest = rest.trim_start_matches(['—', '–', '-', ':', ',', ';', '.', ' ']);
            let inner = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
            inner.filter(|inner| !inner.contains('(')).unwrap_or(rest).trim().to_owned()
        };
        type Make = fn(String) -> PlanStatus;
        let known: [(&str, Make); 9] = [
            ("IN PROGRESS", PlanStatus::InProgress),
            ("IN-PROGRESS", PlanStatus::InProgress),
            ("DONE", PlanStatus::Done),
            ("SHIPPED", PlanStatus::Done),
            ("COMPLETED", PlanStatus::Done),
            ("BLOCKED", PlanStatus::Blocked),
            ("REJECTED", PlanStatus::Rejected),
            ("TODO", |_| PlanStatus::Todo),
            ("PLANNED", |_| PlanStatus::Todo),
        ];
        let whole_word = |word: &str| !upper[word.len()..].starts_with(char::is_alphanumeric);
        match known.iter().find(|(word, _)| upper.starts_with(word) && whole_word(word)) {
            Some((word, make)) => make(note(word)),
            None => PlanStatus::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for PlanStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, note) = match self {
            PlanStatus::Todo => ("TODO", ""),
            PlanStatus::InProgress(note) => ("IN PROGRESS", note.as_str()),
            PlanStatus::Done(note) => ("DONE", note.as_str()),
            PlanStatus::Blocked(reason) => ("BLOCKED", reason.as_str()),
            PlanStatus::Rejected(reason) => ("REJECTED", reason.as_str()),
            PlanStatus::Other(text) => (text.as_str(), ""),
        };
        if note.is_empty() { formatter.write_str(word) } else { write!(formatter, "{word} — {note}") }
    }
}

/// A row of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line, 1-based.
    pub line: u32,
    /// The first number of the plan cell.
    pub number: Option<u32>,
    /// The last number of the plan cell, when it is a range.
    pub last_number: Option<u32>,
    /// The file a link in the row points to, as written.
    pub file: Option<String>,
    /// The title.
    pub title: String,
    /// Dependencies, as written.
    pub depends_on: String,
    /// The status.
    pub status: PlanStatus,
}

/// What a row says about a plan of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The plan's number.
    pub number: Option<u32>,
    /// Its file, relative to the index.
    pub file: String,
    /// Its title.
    pub title: String,
    /// `P1`, `P2`, `P3`.
    pub priority: String,
    /// `S`, `M`, `L`.
    pub effort: String,
    /// Numbers or files; empty for none.
    pub depends_on: Vec<String>,
    /// Its status.
    pub status: PlanStatus,
}

/// A finding that was considered and rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The finding's fingerprint, when `improve` wrote the entry.
    pub fingerprint: Option<String>,
    /// The entry as written, without the fingerprint.
    pub text: String,
    /// Line, 1-based.
    pub line: u32,
}

static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(\s*<?([^)>\s]+)>?\s*\)").expect("a constant pattern"));
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\D{0,8}?(\d{1,5})(?:\s*(?:[–—-]|\.\.|to)\s*(\d{1,5})\b)?").expect("a constant pattern")
});
static FINGERPRINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<!--\s*improve:finding=([0-9A-Za-z:_-]+)\s*-->").expect("a constant pattern"));

/// What the columns of a status table hold.
struct Columns {
    plan: usize,
    title: Option<usize>,
    depends_on: Option<usize>,
    status: usize,
}

fn columns(table: &Table) -> Option<Columns> {
    let names: Vec<String> = table.header.iter().map(|cell| plain(cell).to_lowercase()).collect();
    let find = |words: &[&str]| names.iter().position(|name| words.contains(&name.as_str()));
    let holds = |words: &[&str]| names.iter().position(|name| words.iter().any(|word| name.contains(word)));
    let status = find(&["status", "state", "статус", "状态"]).or_else(|| holds(&["status"]))?;
    let plan = find(&["plan", "#", "no", "no.", "number", "id", "nr", "№", "план", "计划", "plans"])
        .or_else(|| holds(&["plan"]));
    let title = find(&["title", "what", "name", "summary", "описание", "название", "标题", "description"]);
    let plan = plan.or(title).unwrap_or(0);
    (plan != status)
        .then_some(Columns { plan, title, depends_on: holds(&["depends", "after", "зависит"]), status })
}

/// The rows of every status table.
pub fn rows(text: &str) -> Vec<Row> {
    let blocks = Blocks::of(text);
    let mut found = Vec::new();
    for table in tables(&blocks) {
        let Some(columns) = columns(&table) else { continue };
        for (index, cells) in &table.rows {
            let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map(String::as_str).unwrap_or_default();
            let plan = cell(Some(columns.plan));
            if plan.is_empty() && cell(columns.title).is_empty() {
                continue;
            }
            let link = cells.iter().find_map(|cell| LINK.captures(cell)).map(|link| link[1].to_owned());
            let shown = plain(plan);
            let numbers = NUMBERS.captures(&shown);
            let from_file = link.as_deref().and_then(number_of_file);
            let number = numbers.as_ref().and_then(|found| found[1].parse().ok()).or(from_file);
            let last_number =
                numbers.as_ref().and_then(|found| found.get(2)).and_then(|last| last.as_str().parse().ok());
            let title = match columns.title {
                Some(at) => plain(cell(Some(at))),
                None => shown.trim_start_matches(|c: char| c.is_ascii_digit() || " :—–-".contains(c)).to_owned(),
            };
            found.push(Row {
                line: *index as u32 + 1,
                number,
                last_number,
                file: link,
                title,
                depends_on: plain(cell(columns.depends_on)),
                status: PlanStatus::parse(cell(Some(columns.status))),
            });
        }
    }
    found
}

/// The number at the start of a file's name.
pub fn number_of_file(path: &str) -> Option<u32> {
    let name = path.rsplit('/').next()?;
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = name.split_at(digits);
    // A date is no number: `2026-06-01-x.md`.
    let is_date =
        digits == 4 && rest.as_bytes().get(3) == Some(&b'-') && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if is_date || !(rest.starts_with(['-', '_', '.']) || rest.is_empty()) {
        return None;
    }
    number.parse().ok()
}

/// `text` with the status of the plan at `file` (relative to the index) set; `None` when no row speaks of it.
pub fn set_status(text: &str, file: &str, status: &PlanStatus) -> Option<String> {
    let row = find_row(text, file)?;
    let blocks = Blocks::of(text);
    let table =
        tables(&blocks).into_iter().find(|table| table.rows.iter().any(|(index, _)| *index as u32 + 1 == row.line))?;
    let column = columns(&table)?.status;
    let start = line_start(text, row.line);
    let line = text[start..].lines().next().unwrap_or_default();
    let ranges = cell_ranges(line);
    let mut changed = text.to_owned();
    match ranges.get(column) {
        Some(range) => changed.replace_range(start + range.start..start + range.end, &cell(&status.to_string())),
        // A row that ends early.
        None => {
            let missing = column - ranges.len();
            let end = start + line.trim_end().trim_end_matches('|').trim_end().len();
            let filler = " | —".repeat(missing);
            changed.replace_range(
                end..start + line.trim_end().len(),
                &format!("{filler} | {} |", cell(&status.to_string())),
            );
        }
    }
    Some(changed)
}

/// `text` with the issue of the plan at `file` named behind its title; `None` when no row links to it or it is named already.
pub fn set_issue(text: &str, file: &str, url: &str) -> Option<String> {
    let row = find_row(text, file)?;
    // Without a link of its own the row would be taken for that of the issue.
    row.file.as_ref()?;
    let blocks = Blocks::of(text);
    let table =
        tables(&blocks).into_iter().find(|table| table.rows.iter().any(|(index, _)| *index as u32 + 1 == row.line))?;
    let columns = columns(&table)?;
    let start = line_start(text, row.line);
    let line = text[start..].lines().next().unwrap_or_default();
    let title = cell_ranges(line).into_iter().nth(columns.title.unwrap_or(columns.plan))?;
    if line.contains(url) {
        return None;
    }
    let number = url.rsplit('/').next().unwrap_or_default();
    let mut changed = text.to_owned();
    changed.insert_str(start + title.end, &format!(" ([#{number}]({url}))"));
    Some(changed)
}

/// The row of a plan: by its link, else by its number where no link contradicts, the last table first.
pub fn find_row(text: &str, file: &str) -> Option<Row> {
    let rows = rows(text);
    let same_file = |row: &&Row| {
        row.file
            .as_deref()
            .is_some_and(|link| link.trim_start_matches("./") == file || link.ends_with(&format!("/{file}")))
    };
    if let Some(row) = rows.iter().find(same_file) {
        return Some(row.clone());
    }
    let number = number_of_file(file)?;
    rows.into_iter().rev().find(|row| row.file.is_none() && row.number == Some(number) && row.last_number.is_none())
}

/// `text` with a row for the plan: its status is set when there is one, else a row is added to the last status table.
pub fn upsert(text: &str, row: &NewRow) -> String {
    if let Some(changed) = set_status(text, &row.file, &row.status) {
        return changed;
    }
    let blocks = Blocks::of(text);
    let Some(table) = tables(&blocks).into_iter().rev().find(|table| columns(table).is_some()) else {
        let table = EMPTY.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let table = table.collect::<Vec<_>>().join("\n");
        let gap = if text.is_empty() || text.ends_with("\n\n") {
            ""
        } else if text.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        return upsert(&format!("{text}{gap}{table}\n"), row);
    };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let written = write_row(&table, row);
    let after = line_start(text, table.last as u32 + 2).min(text.len());
    let gap = if after == text.len() && !text.ends_with('\n') { line_end } else { "" };
    format!("{}{gap}{written}{line_end}{}", &text[..after], &text[after..])
}

fn write_row(table: &Table, row: &NewRow) -> String {
    let columns = columns(table);
    let number = row.number.map_or_else(|| "—".to_owned(), |number| format!("{number:03}"));
    let depends_on = if row.depends_on.is_empty() { "—".to_owned() } else { row.depends_on.join(", ") };
    let cells = table.header.iter().enumerate().map(|(index, name)| {
        let name = plain(name).to_lowercase();
        let value = match &columns {
            Some(columns) if columns.status == index => row.status.to_string(),
            Some(columns) if columns.plan == index && columns.title == Some(index) => {
                format!("[{}]({})", row.title, row.file)
            }
            Some(columns) if columns.plan == index => format!("[{number}]({})", row.file),
            Some(columns) if columns.title == Some(index) => row.title.clone(),
            Some(columns) if columns.depends_on == Some(index) => depends_on.clone(),
            _ if name.contains("priority") => row.priority.clone(),
            _ if name.contains("effort") => row.effort.clone(),
            _ => "—".to_owned(),
        };
        cell(&value)
    });
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// The text of each cell of a row, blanks around it left out.
fn cell_ranges(line: &str) -> Vec<Range<usize>> {
    let body_start = line.len() - line.trim_start().len();
    let mut start = body_start + usize::from(line[body_start..].starts_with('|'));
    let first = start;
    let mut bounds = Vec::new();
    let mut escaped = false;
    for (at, character) in line.char_indices().filter(|(at, _)| *at >= first) {
        if character == '|' && !escaped {
            bounds.push(start..at);
            start = at + 1;
        }
        escaped = character == '\\';
    }
    if !line[start..].trim().is_empty() {
        bounds.push(start..line.len());
    }
    let trim = |range: Range<usize>| {
        let text = &line[range.clone()];
        if text.trim().is_empty() {
            let middle = range.start + usize::from(text.len() > 1);
            return middle..middle;
        }
        let start = range.start + (text.len() - text.trim_start().len());
        start..start + text.trim().len()
    };
    bounds.into_iter().map(trim).collect()
}

/// The first byte of a 1-based line; the length of the text for a line behind the last.
fn line_start(text: &str, line: u32) -> usize {
    let mut starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    starts.nth(line as usize - 1).unwrap_or(text.len())
}

/// The section of rejected findings: its heading's line index and the index of the next heading's line.
fn rejected_section(blocks: &Blocks<'_>) -> Option<(usize, usize)> {
    let is_it = |text: &str| {
        let lower = text.to_lowercase();
        lower.contains("rejected") && (lower.contains("considered") || lower.contains("finding"))
    };
    let at = blocks.headings.iter().position(|heading| heading.level >= 2 && is_it(&heading.text))?;
    let level = blocks.headings[at].level;
    let end = blocks.headings[at + 1..]
        .iter()
        .find(|heading| heading.level <= level)
        .map_or(blocks.lines.len(), |next| next.line);
    Some((blocks.headings[at].line, end))
}

/// The rejected findings: entries of that section, and fingerprints wherever they stand.
pub fn rejections(text: &str) -> Vec<Rejection> {
    let blocks = Blocks::of(text);
    let section = rejected_section(&blocks);
    let mut found = Vec::new();
    for item in &blocks.items {
        let fingerprint = FINGERPRINT.captures(&item.text).map(|found| found[1].to_owned());
        let inside = section.is_some_and(|(start, end)| (start..end).contains(&item.first));
        if inside || fingerprint.is_some() {
            let text = FINGERPRINT.replace_all(&item.text, "");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            found.push(Rejection { fingerprint, text, line: item.first as u32 + 1 });
        }
    }
    found
}

/// Why findings were rejected, by fingerprint.
pub fn reasons(text: &str) -> BTreeMap<String, String> {
    let reason = |rejection: Rejection| {
        // An entry reads `title: reason`.
        let reason = rejection.text.split_once(": ").map_or(rejection.text.as_str(), |(_, reason)| reason);
        Some((rejection.fingerprint?, reason.to_owned()))
    };
    rejections(text).into_iter().filter_map(reason).collect()
}

/// `text` with a rejected finding added, once.
pub fn add_rejection(text: &str, fingerprint: &str, title: &str, reason: &str) -> String {
    if rejections(text).iter().any(|rejection| rejection.fingerprint.as_deref() == Some(fingerprint)) {
        return text.to_owned();
    }
    let flat = |text: &str| {
        let text = text.replace("<!--", " ").replace("-->", " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let entry = format!("- {}: {} <!-- improve:finding={fingerprint} -->", flat(title), flat(reason));
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let blocks = Blocks::of(text);
    let Some((start, end)) = rejected_section(&blocks) else {
        let gap = if text.is_empty() || text.ends_with('\n') { line_end.to_owned() } else { line_end.repeat(2) };
        return format!("{text}{gap}{REJECTED_HEADING}{line_end}{line_end}{entry}{line_end}");
    };
    let last = (start..end).rev().find(|index| !blocks.lines[*index].trim().is_empty()).unwrap_or(start);
    let after = line_start(text, last as u32 + 2);
    let before = &text[..after];
    let newline = if before.ends_with('\n') { "" } else { line_end };
    let gap = if last == start { line_end } else { "" };
    // The blank line below the heading is there already in a new index.
    let rest = text[after..].strip_prefix(if last == start { line_end } else { "" }).unwrap_or(&text[after..]);
    format!("{before}{newline}{gap}{entry}{line_end}{rest}")
}

#[cfg(test)]
mod tests;
