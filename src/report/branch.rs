//! What a branch brings, for people.

use std::fmt::Write as _;

use super::audit_document::AuditDocument;
use super::human::{audit_rows, next_commands, short};
use super::layout::{Page, columns, count, cut, paint, style};
use super::sanitize;
use crate::finding::{Finding, State};

/// Findings that were there before, shown before the rest is counted.
const OLD_SHOWN: usize = 5;

/// A branch that was looked at.
pub struct Branch<'a> {
    /// Its name; `None` where HEAD is detached.
    pub name: Option<String>,
    /// What was found, with what it was compared with.
    pub document: &'a AuditDocument,
    /// Each finding with its message and call path.
    pub verbose: bool,
}

/// The page: three lines where all is well.
pub fn page(branch: &Branch<'_>, page: &Page) -> String {
    let Branch { name, document, verbose } = branch;
    let mut text = String::new();
    if let Some(comparison) = &document.comparison {
        let name = name.as_deref().map_or("detached HEAD".into(), sanitize::line);
        let with = sanitize::line(&comparison.with);
        let commits = count(comparison.ahead, "commit");
        let uncommitted = if comparison.uncommitted { " and what is not committed" } else { "" };
        let line = format!(
            " · {commits} since {with}{uncommitted} · {} changed, {} around them",
            count(comparison.changed, "file"),
            comparison.around
        );
        let _ = writeln!(text, "{}{}", paint(style::STRONG, &cut(&name, page.width / 2)), line);
    }
    let (new, old): (Vec<&Finding>, Vec<&Finding>) =
        document.findings.iter().partition(|finding| finding.state == Some(State::Introduced));
    if new.is_empty() {
        let _ = writeln!(text, "{}", paint(style::GOOD, "It brings no new finding."));
    } else {
        let _ = writeln!(text, "It brings {}:", paint(style::BAD, &count(new.len(), "finding")));
        text.push_str(&audit_rows(&new, *verbose, page));
    }
    if !old.is_empty() {
        let (were, there) = if old.len() == 1 { ("was", "it is") } else { ("were", "they are") };
        let _ = writeln!(
            text,
            "{}{} {were} there before, in files it changed; {there} not counted",
            if new.is_empty() { "" } else { "\n" },
            count(old.len(), "finding")
        );
        let row = |finding: &&Finding| {
            let place = finding.location();
            vec![
                short(&finding.fingerprint).to_owned(),
                format!("{}:{}", sanitize::line(&place.file), place.start_line),
                sanitize::line(&finding.title).into_owned(),
            ]
        };
        if !new.is_empty() || *verbose {
            let rows: Vec<Vec<String>> = old.iter().take(OLD_SHOWN).map(row).collect();
            text.push_str(&columns(&rows, page.width, 2));
        }
    }
    let mut next = Vec::new();
    if let Some(first) = new.first() {
        let id = short(&first.fingerprint);
        next.push((format!("improve show {id}"), "read the first in full".to_owned()));
        next.push((format!("improve reject {id} --reason \"…\""), "never see it again".to_owned()));
    }
    text.push_str(&next_commands(&next, page));
    text
}
