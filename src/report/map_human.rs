//! The repo map for people: what a newcomer would look up before the first change, on one screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layout::{Page, columns, count, cut, grouped, paint, style};
use super::map_document::MapDocument;
use super::map_lines::{CallRow, FileRow, SymbolRow};
use super::sanitize;
use crate::repo_map::SkipReason;
use crate::repo_map::recon::{Document, DocumentKind};

/// Rows shown in each list before the rest is counted.
const SHOWN: usize = 8;

/// The overview.
pub fn overview(document: &MapDocument, page: &Page) -> String {
    let mut text = String::new();
    let totals = &document.totals;
    let repository = &document.repository;
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
        "{}, {}: {} to this repository, {} outside, {} open ({} % known)",
        count(totals.symbols, "definition"),
        count(totals.calls, "call"),
        grouped(totals.calls_resolved),
        grouped(totals.calls_external),
        grouped(totals.calls_unresolved + totals.calls_guessed),
        (known * 100).checked_div(totals.calls).unwrap_or(100),
    );
    if !document.frameworks.is_empty() {
        let frameworks: Vec<_> = document.frameworks.iter().map(|name| sanitize::line(name)).collect();
        let _ = writeln!(text, "{}", cut(&format!("Built on {}", frameworks.join(", ")), page.width));
    }
    section(&mut text, "Packages", packages(document), page);
    section(&mut text, "Commands", commands(document), page);
    section(&mut text, "Hotspots (commits in 90 days × complexity)", hotspots(document), page);
    section(&mut text, "Documents of intent", documents(document), page);
    section(&mut text, "Left out", left_out(document), page);
    text
}

fn packages(document: &MapDocument) -> Vec<Vec<String>> {
    let rows = document.packages.iter().map(|package| {
        let folder = if package.folder.is_empty() { "." } else { package.folder.as_str() };
        let kind = if package.workspace_root { "workspace root" } else { "" };
        vec![
            sanitize::line(&package.name).into_owned(),
            sanitize::line(folder).into_owned(),
            package.manager.program().to_owned(),
            kind.to_owned(),
        ]
    });
    rows.collect()
}

/// Commands of the root, else of the first package that has any.
fn commands(document: &MapDocument) -> Vec<Vec<String>> {
    let package = document.packages.iter().find(|package| !package.commands.is_empty());
    let commands = package.map_or(&[] as &[_], |package| package.commands.as_slice());
    let rows = commands.iter().map(|command| {
        vec![
            command.purpose.label().to_owned(),
            sanitize::line(&command.command).into_owned(),
            format!("from {}", sanitize::line(&command.source)),
        ]
    });
    rows.collect()
}

fn hotspots(document: &MapDocument) -> Vec<Vec<String>> {
    let rows = document.hotspots.iter().map(|hotspot| {
        vec![
            format!("{:>4} × {:<4}", hotspot.churn_90d, hotspot.complexity),
            format!("{:>6} lines", hotspot.lines),
            sanitize::line(&hotspot.path).into_owned(),
        ]
    });
    rows.collect()
}

/// Those that bind a change, the ones at the top of the tree first.
fn documents(document: &MapDocument) -> Vec<Vec<String>> {
    let mut documents: Vec<&Document> = document
        .documents
        .iter()
        .filter(|document| !matches!(document.kind, DocumentKind::Changelog | DocumentKind::Docs))
        .collect();
    documents.sort_by_key(|document| (document.path.matches('/').count(), &document.path));
    let title = |document: &Document| sanitize::line(document.title.as_deref().unwrap_or("")).into_owned();
    documents.into_iter().map(|document| vec![sanitize::line(&document.path).into_owned(), title(document)]).collect()
}

fn left_out(document: &MapDocument) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = document
        .skipped
        .iter()
        .map(|(reason, number)| vec![count(*number, "file"), skip_word(*reason).to_owned()])
        .collect();
    if !document.partly_read.is_empty() {
        rows.push(vec![
            count(document.partly_read.len(), "file"),
            "read in part: syntax the parser does not know".into(),
        ]);
    }
    rows
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

fn section(text: &mut String, title: &str, rows: Vec<Vec<String>>, page: &Page) {
    if rows.is_empty() {
        return;
    }
    let shown = &rows[..rows.len().min(SHOWN)];
    let _ = write!(text, "\n{}\n{}", paint(style::STRONG, title), columns(shown, page.width, 2));
    let more = rows.len() - shown.len();
    if more > 0 {
        let _ = writeln!(text, "  {}", paint(style::FAINT, &format!("and {more} more")));
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

/// Files, one a line.
pub fn files(rows: &[FileRow], page: &Page) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let lines = row.lines.map(|lines| grouped(lines as usize)).unwrap_or_default();
            let path = sanitize::line(&row.path);
            let path =
                row.skipped.map_or_else(|| path.to_string(), |reason| format!("{path}  ({})", skip_word(reason)));
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
