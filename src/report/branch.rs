//! What a branch brings, for people.

use std::fmt::Write as _;
use std::time::Duration;

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

/// A push that waits for what is said of its branch.
#[derive(Debug, Clone)]
pub struct Push<'a> {
    /// Findings that stop it.
    pub stopping: Vec<&'a Finding>,
    /// How long it waited.
    pub took: Duration,
    /// The variable that leaves the hook out.
    pub leaves_out: &'static str,
}

/// What whoever pushes sees: three lines where all is well, else what stops the push.
pub fn hook_page(branch: &Branch<'_>, push: &Push<'_>, page: &Page) -> String {
    let Push { stopping, took, leaves_out } = push;
    let (new, old) = branch.parted();
    let anyway = format!("{leaves_out}=1 git push");
    let mut text = format!("improve: {}\n", branch.head(page));
    let others = match new.len() - stopping.len() {
        0 => String::new(),
        others => format!(
            "; {} that stop{} nothing: improve branch",
            count(others, "new finding"),
            if others == 1 { "s" } else { "" }
        ),
    };
    let Some(first) = stopping.first() else {
        let well = if new.is_empty() { "it brings no new finding" } else { "it brings nothing that stops it" };
        let were = if old.is_empty() { String::new() } else { format!("; {} were there before", old.len()) };
        let _ = writeln!(text, "improve: {}{others}{were}", paint(style::GOOD, well));
        let seconds = took.as_secs_f64();
        let by = branch.document.vetting.as_ref().map(|vetting| format!(" and {}", sanitize::line(&vetting.model)));
        let by = by.unwrap_or_default();
        let _ = writeln!(text, "improve: looked for {seconds:.1} s, with built-in rules{by}; `{anyway}` leaves it out");
        return text;
    };
    text.push_str(&audit_rows(stopping, branch.verbose, page));
    let verdict = if stopping.len() == 1 { "this stops the push" } else { "these stop the push" };
    let _ = writeln!(text, "\nimprove: {}{others}", paint(style::BAD, verdict));
    let id = short(&first.fingerprint);
    let next = [
        (format!("improve show {id}"), "read the first in full".to_owned()),
        (format!("improve reject {id} --reason \"…\""), "never see it again".to_owned()),
        (anyway, "push all the same".to_owned()),
    ];
    text.push_str(&next_commands(&next, page));
    text
}

impl Branch<'_> {
    /// What came with it, and what was there.
    fn parted(&self) -> (Vec<&Finding>, Vec<&Finding>) {
        self.document.findings.iter().partition(|finding| finding.state == Some(State::Introduced))
    }

    /// Which branch it is, and how far it goes.
    fn head(&self, page: &Page) -> String {
        let Branch { name, document, verbose: _ } = self;
        let name = name.as_deref().map_or("detached HEAD".into(), sanitize::line);
        let name = paint(style::STRONG, &cut(&name, page.width / 2));
        let Some(comparison) = &document.comparison else { return name };
        let with = sanitize::line(&comparison.with);
        let commits = count(comparison.ahead, "commit");
        let uncommitted = if comparison.uncommitted { " and what is not committed" } else { "" };
        format!(
            "{name} · {commits} since {with}{uncommitted} · {} changed, {} around them",
            count(comparison.changed, "file"),
            comparison.around
        )
    }
}

/// The page: three lines where all is well.
pub fn page(branch: &Branch<'_>, page: &Page) -> String {
    let Branch { name: _, document, verbose } = branch;
    let mut text = String::new();
    if document.comparison.is_some() {
        let _ = writeln!(text, "{}", branch.head(page));
    }
    let (new, old) = branch.parted();
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
