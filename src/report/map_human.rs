//! The repo map for people: what a newcomer would look up before the first change, on one screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layout::{Page, columns, columns_to_path, count, cut, grouped, pad, paint, style, width};
use super::map_document::MapDocument;
use super::map_entries::EntryRow;
use super::map_lines::{CallRow, FileRow, SymbolRow};
use super::sanitize;
use crate::repo_map::SkipReason;
use crate::repo_map::recon::{Document, DocumentKind, Package};

/// Columns of the words before a list in running text.
const LABEL: usize = 14;
/// Hotspots shown.
const HOTSPOTS: usize = 10;
/// From this width on, central definitions and hotspots stand side by side.
const WIDE: usize = 180;

/// The overview: one screen.
pub fn overview(document: &MapDocument, page: &Page) -> String {
    let mut text = headline(document);
    list(&mut text, "Built on", document.frameworks.clone(), 1, page);
    list(&mut text, "Packages", packages(document), 3, page);
    list(&mut text, "Entry points", document.entry_points.clone(), 2, page);
    list(&mut text, "Commands", commands(document), 3, page);
    list(&mut text, "Documents", documents(document), 1, page);
    list(&mut text, "Left out", left_out(document), 5, page);
    text.push('\n');
    if page.width >= WIDE {
        let half = page.width / 2 - 2;
        let page = Page { width: half, links: page.links.clone() };
        text.push_str(&beside(&central(document, &page), &hotspots(document, &page), half));
    } else {
        text.push_str(&central(document, page));
        text.push_str(&hotspots(document, page));
    }
    text
}

fn headline(document: &MapDocument) -> String {
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
    let languages: Vec<String> = document
        .languages
        .iter()
        .map(|language| format!("{} {}", language.language, count(language.lines as usize, "line")))
        .collect();
    let _ = writeln!(text, "{}: {}", count(totals.source_files, "source file"), or_none(&languages.join(", ")));
    let known = totals.calls_resolved + totals.calls_external;
    let _ = writeln!(
        text,
        "{}, {}: {} here, {} outside, {} open ({} %)",
        count(totals.symbols, "definition"),
        count(totals.calls, "call"),
        grouped(totals.calls_resolved),
        grouped(totals.calls_external),
        grouped(totals.calls_unresolved + totals.calls_guessed),
        100 - (known * 100).checked_div(totals.calls).unwrap_or(100),
    );
    text
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
        .map(|(reason, number)| format!("{} {}", grouped(*number), skip_word(*reason)))
        .collect();
    if !document.partly_read.is_empty() {
        // First: these are the ones where facts are missing without a word.
        items.insert(0, format!("{} read in part: unknown syntax", grouped(document.partly_read.len())));
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
    let rows: Vec<Vec<String>> = document
        .central
        .iter()
        .map(|symbol| {
            let place = format!("{}:{}", sanitize::line(&symbol.file), symbol.line);
            let name = cut(&sanitize::line(&symbol.name), page.width * 2 / 5);
            let number = |number: u32| if number == 0 { "-".to_owned() } else { grouped(number as usize) };
            vec![format!("{:>5} {:>5}", number(symbol.callers), number(symbol.caller_files)), name, place]
        })
        .collect();
    table("Most central: calls, other files that use it", rows, page)
}

fn hotspots(document: &MapDocument, page: &Page) -> String {
    let rows: Vec<Vec<String>> = document
        .hotspots
        .iter()
        .take(HOTSPOTS)
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
