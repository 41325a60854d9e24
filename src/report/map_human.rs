//! The repo map for people: what a newcomer would look up before the first change, on one screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layout::{Page, columns, columns_to_path, count, cut, grouped, pad, paint, style, width};
use super::map_document::{CentralSymbol, MapDocument};
use super::map_entries::EntryRow;
use super::map_lines::{CallRow, FileRow, SymbolRow};
use super::sanitize;
use crate::repo_map::recon::{Document, DocumentKind, Package};
use crate::repo_map::{FileRole, SkipReason};

/// Columns of the words before a list in running text.
const LABEL: usize = 14;
/// From this width on, central definitions and hotspots stand side by side.
const WIDE: usize = 180;
/// From this width on, central definitions stand in two columns.
const PAIRED: usize = 120;
/// Rows of a screen that says nothing of its size, and the fewest that the overview is cut down to.
const SCREEN: usize = 40;
/// Rows of a screen that the shell needs for its next question.
const PROMPT: usize = 1;
/// Hotspots shown where there is room, and on the smallest screen.
const HOTSPOTS: usize = 10;
const FEW_HOTSPOTS: usize = 4;

/// Most rows of each list, and whether an empty one stands before the definitions.
struct Lengths {
    packages: usize,
    entry_points: usize,
    commands: usize,
    left_out: usize,
    gap: bool,
}

/// Where there is room, and where there is not.
const LENGTHS: [Lengths; 2] = [
    Lengths { packages: 3, entry_points: 2, commands: 3, left_out: 4, gap: true },
    Lengths { packages: 2, entry_points: 2, commands: 3, left_out: 1, gap: false },
];

/// The overview: one screen.
pub fn overview(document: &MapDocument, page: &Page) -> String {
    let room = page.height.unwrap_or(SCREEN).max(SCREEN) - PROMPT;
    let rows = |text: &str| text.lines().count();
    let mut text = String::new();
    for lengths in &LENGTHS {
        text = facts(document, lengths, page);
        if page.width >= WIDE {
            let half = page.width / 2 - 2;
            let page = Page { width: half, ..page.clone() };
            text.push_str(&beside(&central(document, &page), &hotspots(document, HOTSPOTS, &page), half));
        } else {
            text.push_str(&central(document, page));
            let spots = room.saturating_sub(rows(&text) + 1).clamp(FEW_HOTSPOTS, HOTSPOTS);
            text.push_str(&hotspots(document, spots, page));
        }
        if rows(&text) <= room {
            break;
        }
    }
    text
}

/// What is known of the project.
fn facts(document: &MapDocument, lengths: &Lengths, page: &Page) -> String {
    let mut text = headline(document, page);
    list(&mut text, "Built on", document.frameworks.clone(), 1, page);
    list(&mut text, "Packages", packages(document), lengths.packages, page);
    list(&mut text, "Entry points", document.entry_points.clone(), lengths.entry_points, page);
    list(&mut text, "Commands", commands(document), lengths.commands, page);
    list(&mut text, "Documents", documents(document), 1, page);
    list(&mut text, "Left out", left_out(document), lengths.left_out, page);
    if lengths.gap {
        text.push('\n');
    }
    text
}

fn headline(document: &MapDocument, page: &Page) -> String {
    let mut text = String::new();
    let MapDocument { totals, repository, .. } = document;
    let root = sanitize::line(&repository.root);
    let name = root.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/");
    let commit = repository
        .commit
        .as_deref()
        .map_or("no commit".to_owned(), |commit| format!("commit {}", commit.get(..9).unwrap_or(commit)));
    let dirty = if repository.dirty { ", with uncommitted changes" } else { "" };
    let _ = writeln!(text, "{} · {commit}{dirty}", paint(style::STRONG, name));
    let files = count(totals.source_files, "source file");
    let languages = |lines: &dyn Fn(usize) -> String| {
        let each = document.languages.iter().map(|own| format!("{} {}", own.language, lines(own.lines as usize)));
        format!("{files}: {}", or_none(&each.collect::<Vec<_>>().join(", ")))
    };
    let forms = [languages(&|lines| count(lines, "line")), languages(&grouped)];
    let _ = writeln!(text, "{}", fitting(forms, page));
    let known = totals.calls_resolved + totals.calls_external;
    let share = 100 - (known * 100).checked_div(totals.calls).unwrap_or(100);
    let [symbols, calls] = [count(totals.symbols, "definition"), count(totals.calls, "call")];
    let [here, outside, open] =
        [totals.calls_resolved, totals.calls_external, totals.calls_unresolved + totals.calls_guessed].map(grouped);
    let forms = [
        format!("{symbols}, {calls}: {here} here, {outside} outside, {open} open ({share} %)"),
        format!("{symbols}, {calls}: {here} here, {outside} outside, {share} % open"),
    ];
    let _ = writeln!(text, "{}", fitting(forms, page));
    text
}

/// The first form that fits the page; the last one cut when none does.
fn fitting(forms: [String; 2], page: &Page) -> String {
    let [long, short] = forms;
    if width(&long) <= page.width { long } else { cut(&short, page.width) }
}

/// Packages and what each needs of the others, the most needed ones first.
fn packages(document: &MapDocument) -> Vec<String> {
    let needed = |name: &str| document.package_dependencies.iter().filter(|edge| edge.to == name).count();
    // The root of a workspace without a name of its own is no package.
    let mut packages: Vec<&Package> = document.packages.iter().filter(|package| package.name != ".").collect();
    packages.sort_by_key(|package| std::cmp::Reverse(needed(&package.name)));
    let items = packages.iter().map(|package| {
        let needs: Vec<&str> = document
            .package_dependencies
            .iter()
            .filter(|edge| edge.from == package.name)
            .map(|edge| edge.to.as_str())
            .collect();
        let name = package.name.as_str();
        if needs.is_empty() { name.to_owned() } else { format!("{name} → {}", needs.join(" ")) }
    });
    items.collect()
}

/// Commands of the root, else of the first package that has any.
fn commands(document: &MapDocument) -> Vec<String> {
    let package = document.packages.iter().find(|package| !package.commands.is_empty());
    let commands = package.map_or(&[] as &[_], |package| package.commands.as_slice());
    commands.iter().map(|command| format!("{}: {}", command.purpose.label().to_lowercase(), command.command)).collect()
}

/// Those that bind a change, the ones at the top of the tree first.
fn documents(document: &MapDocument) -> Vec<String> {
    let mut documents: Vec<&Document> = document
        .documents
        .iter()
        .filter(|document| !matches!(document.kind, DocumentKind::Changelog | DocumentKind::Docs))
        .collect();
    documents.sort_by_key(|document| (document.path.matches('/').count(), &document.path));
    documents.into_iter().map(|document| document.path.clone()).collect()
}

/// Notes on configuration that fit a screen.
const NOTES_SHOWN: usize = 3;

fn left_out(document: &MapDocument) -> Vec<String> {
    let mut items: Vec<String> = document
        .skipped
        .iter()
        .map(|(reason, number)| format!("{} {}", grouped(*number), short_skip_word(*reason)))
        .collect();
    if document.totals.generated_files > 0 {
        items.push(format!("{} generated sources, calls followed", grouped(document.totals.generated_files)));
    }
    if !document.partly_read.is_empty() {
        // First: these are the ones where facts are missing without a word.
        items.insert(0, format!("{} read in part", grouped(document.partly_read.len())));
    }
    items.extend(document.notes.iter().take(NOTES_SHOWN).map(|note| format!("{}: {}", note.what, note.why)));
    if let Some(more) = document.notes.len().checked_sub(NOTES_SHOWN).filter(|more| *more > 0) {
        items.push(format!("{more} more notes on configuration, in `--format json`"));
    }
    items
}

/// `Label   one · two · three`, on at most `most` lines; what does not fit is counted.
fn list(text: &mut String, label: &str, items: Vec<String>, most: usize, page: &Page) {
    if items.is_empty() {
        return;
    }
    let room = page.width.saturating_sub(LABEL).max(20);
    let mut lines = vec![String::new()];
    for (place, item) in items.iter().enumerate() {
        let rest = format!(" and {} more", items.len() - place);
        let item = cut(&sanitize::line(item), room.saturating_sub(width(&rest)).max(10));
        let last = lines.last().map_or(0, |line| width(line));
        let is_last_item = place + 1 == items.len();
        let tail = if is_last_item || lines.len() < most { 0 } else { width(&rest) };
        if last > 0 && last + 3 + width(&item) + tail > room {
            if lines.len() == most {
                lines.last_mut().expect("there is a first line").push_str(&rest);
                break;
            }
            lines.push(item);
        } else {
            let line = lines.last_mut().expect("there is a first line");
            if last > 0 {
                line.push_str(" · ");
            }
            line.push_str(&item);
        }
    }
    for (place, line) in lines.iter().enumerate() {
        let label = if place == 0 { pad(label, LABEL) } else { " ".repeat(LABEL) };
        let _ = writeln!(text, "{}{line}", paint(style::STRONG, &label));
    }
}

fn central(document: &MapDocument, page: &Page) -> String {
    let title = "Most central: calls, other files that use it";
    if page.width < PAIRED || page.width >= WIDE || document.central.len() < 2 {
        return table(title, central_rows(&document.central, page), page);
    }
    let half = page.width / 2 - 1;
    let narrow = Page { width: half, ..page.clone() };
    let (left, right) = document.central.split_at(document.central.len().div_ceil(2));
    let column = |part| columns_to_path(&central_rows(part, &narrow), narrow.width, 0);
    format!("{}\n{}", paint(style::STRONG, title), beside(&column(left), &column(right), half - 2))
}

fn central_rows(symbols: &[CentralSymbol], page: &Page) -> Vec<Vec<String>> {
    let number = |number: u32| if number == 0 { "-".to_owned() } else { grouped(number as usize) };
    symbols
        .iter()
        .map(|symbol| {
            let place = format!("{}:{}", sanitize::line(&symbol.file), symbol.line);
            let name = cut(&sanitize::line(&symbol.name), page.width * 2 / 5);
            vec![format!("{:>5} {:>5}", number(symbol.callers), number(symbol.caller_files)), name, place]
        })
        .collect()
}

fn hotspots(document: &MapDocument, most: usize, page: &Page) -> String {
    let rows: Vec<Vec<String>> = document
        .hotspots
        .iter()
        .take(most)
        .map(|spot| {
            let numbers = format!("{:>5} × {:>6} × {:<4}", spot.churn_90d, grouped(spot.lines as usize), spot.fan_in);
            vec![numbers, sanitize::line(&spot.path).into_owned()]
        })
        .collect();
    table("Hotspots: commits in 90 days × lines × files that use it", rows, page)
}

/// A title and rows that end in a path.
fn table(title: &str, rows: Vec<Vec<String>>, page: &Page) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("{}\n{}", paint(style::STRONG, title), columns_to_path(&rows, page.width, 0))
}

/// Two blocks side by side, the left one `columns` wide.
fn beside(left: &str, right: &str, columns: usize) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let mut text = String::new();
    for row in 0..left.len().max(right.len()) {
        let (one, other) = (left.get(row).unwrap_or(&""), right.get(row).unwrap_or(&""));
        let shown = width(&anstream::adapter::strip_str(one).to_string());
        let _ = writeln!(
            text,
            "{one}{}{other}",
            if other.is_empty() { String::new() } else { " ".repeat((columns + 4).saturating_sub(shown)) }
        );
    }
    text
}

/// Why a file was left out, in words.
pub fn skip_word(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Vendored => "vendored: copied from elsewhere",
        SkipReason::Generated => "generated by a tool",
        SkipReason::Minified => "minified",
        SkipReason::Binary => "binary",
        SkipReason::TooLarge => "over the size limit",
        SkipReason::NotUtf8 => "not UTF-8",
        SkipReason::Symlink => "symbolic links, not followed",
        SkipReason::Unreadable => "unreadable",
        SkipReason::TooSlow => "given up: parsing took too long",
    }
}

/// The same in a word or two.
fn short_skip_word(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Vendored => "vendored",
        SkipReason::Generated => "generated",
        SkipReason::Minified => "minified",
        SkipReason::Binary => "binary",
        SkipReason::TooLarge => "too large",
        SkipReason::NotUtf8 => "not UTF-8",
        SkipReason::Symlink => "symbolic links",
        SkipReason::Unreadable => "unreadable",
        SkipReason::TooSlow => "given up",
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none in a language improve reads (TypeScript, JavaScript, Rust)" } else { text }
}

/// Calls, one a line under the file they stand in.
pub fn calls(rows: impl Iterator<Item = CallRow>) -> String {
    by_file(rows.map(|row| {
        let callee = match (&row.callee_file, &row.callee_name, row.callee_line) {
            (Some(file), Some(name), Some(line)) => {
                format!("{name}  {file}:{line}  {}", row.how.map_or("", crate::repo_map::How::label))
            }
            _ => format!("{}  ?", row.call_name),
        };
        (row.caller_file, format!("{:>5}  {} → {callee}", row.call_line, row.caller_name))
    }))
}

/// Definitions, one a line under their file.
pub fn symbols(rows: impl Iterator<Item = SymbolRow>) -> String {
    by_file(rows.map(|row| (row.file, format!("{:>5}  {}", row.line, row.signature))))
}

/// Entry points by file.
pub fn entries(rows: impl Iterator<Item = EntryRow>) -> String {
    by_file(rows.map(|row| {
        let handler = row.handler.map(|handler| format!("  {handler}")).unwrap_or_default();
        (row.file, format!("{:>5}  {}{handler}  ({})", row.line, row.label, row.framework))
    }))
}

/// Files, one a line.
pub fn files(rows: &[FileRow], page: &Page) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let lines = row.lines.map(|lines| grouped(lines as usize)).unwrap_or_default();
            let path = sanitize::line(&row.path);
            let remark = match row.skipped {
                Some(reason) => format!("  ({})", skip_word(reason)),
                None if row.role == Some(FileRole::Generated) => "  (written by a tool)".to_owned(),
                None if row.partly_read => "  (read in part: syntax the parser does not know)".to_owned(),
                None => String::new(),
            };
            let path = format!("{path}{remark}");
            vec![format!("{lines:>8}"), row.language.clone().unwrap_or_default(), path]
        })
        .collect();
    columns(&rows, page.width, 0)
}

fn by_file(rows: impl Iterator<Item = (String, String)>) -> String {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, row) in rows {
        groups.entry(file).or_default().push(row);
    }
    let mut text = String::new();
    for (file, rows) in groups {
        let _ = writeln!(text, "{}", paint(style::STRONG, &sanitize::line(&file)));
        for row in rows {
            let _ = writeln!(text, "{}", sanitize::line(&row));
        }
    }
    text
}
