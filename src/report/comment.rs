//! What a branch brings, as the comment on its pull request: what came with it first and open, everything else folded.
//!
//! GitHub takes so many characters and no more, so a long comment ends between two findings and says how many are left out.
//! Nothing that is quoted calls anybody, links anywhere or closes what it stands in.

use std::fmt::Write as _;

use super::audit_document::{AuditDocument, KeptApart};
use super::human::{level_word, short};
use super::layout::count;
use super::plans::{Planned, PlannedRow, plan_name};
use super::sanitize;
use crate::finding::{Finding, State};

/// Characters of a comment, at most. GitHub takes 65,536; who posts it adds a mark and a line of its own.
pub const LIMIT: usize = 65_000;
/// Characters of the table of what is new: the rest is for its details.
const TABLE: usize = 20_000;
/// Characters for what is neither new nor a plan.
const OLD: usize = 8_000;
/// Lines of a quote.
const QUOTED: usize = 12;
/// Plans drawn: more cannot be told apart.
const DRAWN: usize = 40;

/// A plan and what has to be done before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its path.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Their paths.
    pub depends_on: Vec<String>,
}

/// The comment. `plans` are what was planned in the same run.
pub fn comment(document: &AuditDocument, rows: &[PlannedRow], nodes: &[Node]) -> String {
    let of_state = |state| document.findings.iter().filter(move |finding| finding.state == Some(state));
    let new: Vec<&Finding> = of_state(State::Introduced).collect();
    let old: Vec<&Finding> = of_state(State::PreExisting).collect();
    let is_new = |kept: &&KeptApart| kept.finding.state == Some(State::Introduced);
    let silenced: Vec<&KeptApart> = document.suppressed.iter().filter(is_new).collect();
    let mut text = head(document, new.len());
    let plans = plans(rows, nodes);
    let old = old_findings(&old) + &silenced_findings(&silenced) + &left_out(document);
    if !new.is_empty() {
        text.push_str("| Level | Finding | Where | Rule |\n|---|---|---|---|\n");
        let rows = fill(new.iter().map(|finding| row(finding)), TABLE);
        text.push_str(&rows.text);
        text.push_str(&more(rows.left_out, "finding", "not in this table"));
        text.push('\n');
        let room = LIMIT.saturating_sub(length(&text) + length(&plans) + length(&old) + 200);
        let details = fill(new.iter().map(|finding| detail(finding)), room);
        text.push_str(&details.text);
        text.push_str(&more(details.left_out, "finding", "without details: this comment is full"));
    }
    text.push_str(&plans);
    text.push_str(&old);
    text
}

/// The plans of a run, and what depends on what among them.
pub fn plans(rows: &[PlannedRow], nodes: &[Node]) -> String {
    planned(rows) + &drawn(nodes)
}

fn head(document: &AuditDocument, new: usize) -> String {
    let mut text = match new {
        0 => "### No new finding\n\n".to_owned(),
        new => format!("### {} new here\n\n", count(new, "finding")),
    };
    if let Some(comparison) = &document.comparison {
        let commits = count(comparison.ahead, "commit");
        let changed = count(comparison.changed, "file");
        let around = comparison.around;
        let _ = writeln!(
            text,
            "{commits} since {}: {changed} changed, {around} that call or import them. Judged by {}.\n",
            inline(&comparison.with),
            if document.planner == "built-in" { "built-in rules".to_owned() } else { inline(&document.planner) },
        );
    }
    text
}

fn row(finding: &Finding) -> String {
    let place = finding.location();
    format!(
        "| {} | {} | {}:{} | {} |\n",
        level_word(finding.level()),
        inline(&finding.title),
        inline(&place.file),
        place.start_line,
        inline(&finding.rule)
    )
}

pub(super) fn detail(finding: &Finding) -> String {
    let place = finding.location();
    let (file, line) = (inline(&place.file), place.start_line);
    let mut text = format!(
        "<details><summary>{}: {file}:{line}</summary>\n\n{}\n\n",
        html(&finding.title),
        inline(&finding.message)
    );
    text.push_str(&quoted(&place.quote));
    for evidence in finding.evidence.iter().skip(1) {
        let _ = writeln!(text, "- {}:{} {}", inline(&evidence.file), evidence.start_line, inline(&evidence.role));
    }
    if !finding.call_path.is_empty() {
        let hop = |hop: &crate::finding::Hop| format!("{} ({}:{})", inline(&hop.symbol), inline(&hop.file), hop.line);
        let hops: Vec<String> = finding.call_path.iter().map(hop).collect();
        let _ = writeln!(text, "- way: {}", hops.join(" → "));
    }
    let _ = writeln!(
        text,
        "- {} · effort {} · confidence {} · `{}`\n\n</details>\n",
        finding.category.label(),
        finding.effort.label(),
        format!("{:?}", finding.confidence).to_lowercase(),
        short(&finding.fingerprint)
    );
    text
}

/// A fence that its content cannot close.
fn quoted(quote: &str) -> String {
    let quote = sanitize::block(quote);
    let mut lines: Vec<&str> = quote.trim_end().lines().collect();
    if lines.is_empty() {
        return String::new();
    }
    let cut = lines.len() > QUOTED;
    lines.truncate(QUOTED);
    if cut {
        lines.push("…");
    }
    let longest = quote.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}\n\n", lines.join("\n"))
}

fn old_findings(old: &[&Finding]) -> String {
    folded(
        &format!("{} there before, in files that were changed", count(old.len(), "finding")),
        old.iter().map(|finding| {
            let place = finding.location();
            format!("- {}:{} {}\n", inline(&place.file), place.start_line, inline(&finding.title))
        }),
    )
}

/// What the branch itself switched off. A reader decides whether the reason is one.
fn silenced_findings(silenced: &[&KeptApart]) -> String {
    folded(
        &format!("{} that a comment in the branch silences", count(silenced.len(), "new finding")),
        silenced.iter().map(|kept| {
            let place = kept.finding.location();
            let (file, title) = (inline(&place.file), inline(&kept.finding.title));
            format!("- {file}:{} {title}: {}\n", place.start_line, inline(&kept.reason))
        }),
    )
}

fn left_out(document: &AuditDocument) -> String {
    let rows = document.not_audited.iter().map(|it| format!("- {}: {}\n", inline(&it.what), inline(&it.why)));
    folded("Not looked at", rows)
}

fn planned(rows: &[PlannedRow]) -> String {
    let line = |row: &PlannedRow| {
        let how = match row.outcome {
            Planned::Written if row.mechanical => "exact edits",
            Planned::Written => "for a model or a person",
            Planned::WouldBeWritten => "would be written",
            Planned::AlreadyPlanned => "was there",
            Planned::NoRecipe => "no plan without a model: it takes judgement",
            Planned::NotWorthIt => "not worth a plan, by the planner",
        };
        let name = row.path.as_deref().map_or_else(|| short(&row.fingerprint).to_owned(), inline);
        format!("- {name}: {} ({how})\n", inline(&row.title))
    };
    let written = rows.iter().filter(|row| row.path.is_some()).count();
    folded(&count(written, "plan"), rows.iter().map(line))
}

/// The plans by what depends on what, for GitHub to draw.
pub(super) fn drawn(nodes: &[Node]) -> String {
    if nodes.len() < 2 {
        return String::new();
    }
    let shown = &nodes[..nodes.len().min(DRAWN)];
    let mut text = String::from("```mermaid\ngraph LR\n");
    for (number, node) in shown.iter().enumerate() {
        let _ = writeln!(text, "  p{number}[\"{} {}\"]", label(plan_name(&node.path)), label(&node.title));
    }
    for (number, node) in shown.iter().enumerate() {
        let before = |path: &String| shown.iter().position(|other| other.path == *path);
        for before in node.depends_on.iter().filter_map(before).filter(|before| *before != number) {
            let _ = writeln!(text, "  p{before} --> p{number}");
        }
    }
    text.push_str("```\n\n");
    text.push_str(&more(nodes.len() - shown.len(), "plan", "not drawn"));
    text
}

/// As many of `pieces` as there is room for, whole.
pub(super) struct Filled {
    pub(super) text: String,
    pub(super) left_out: usize,
}

pub(super) fn fill(pieces: impl Iterator<Item = String>, room: usize) -> Filled {
    let mut filled = Filled { text: String::new(), left_out: 0 };
    let mut taken = 0;
    for piece in pieces {
        taken += length(&piece);
        // After the first that does not fit, none is taken: the order says what matters most.
        if filled.left_out > 0 || taken > room {
            filled.left_out += 1;
        } else {
            filled.text.push_str(&piece);
        }
    }
    filled
}

/// A list behind one line; nothing where there is nothing to list.
pub(super) fn folded(title: &str, lines: impl Iterator<Item = String>) -> String {
    let list = fill(lines, OLD);
    if list.text.is_empty() && list.left_out == 0 {
        return String::new();
    }
    let more = more(list.left_out, "line", "left out");
    format!("<details><summary>{title}</summary>\n\n{}{more}\n</details>\n\n", list.text)
}

pub(super) fn more(number: usize, what: &str, how: &str) -> String {
    if number == 0 { String::new() } else { format!("\n{} {how}.\n", count(number, &format!("more {what}"))) }
}

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Text of one line in Markdown: it calls nobody and links nowhere.
pub(super) fn inline(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in sanitize::markdown(&text.chars().take(1_000).collect::<String>()).chars() {
        match character {
            '`' | '~' | '$' => clean.extend(['\\', character]),
            '&' => clean.push_str("&amp;"),
            '>' => clean.push_str("&gt;"),
            _ => clean.push(character),
        }
        // Nobody is called, no issue is named, and an address is not made a link.
        if matches!(character, '@' | '#') || clean.ends_with("://") || clean.to_ascii_lowercase().ends_with("www.") {
            clean.push('\u{200b}');
        }
    }
    clean
}

/// Text of one line in HTML.
fn html(text: &str) -> String {
    sanitize::line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

/// Text of a node that mermaid takes as nothing but text.
pub(super) fn label(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || " .,:-_/()'+=".contains(character);
    let text: String = sanitize::line(text).chars().take(60).map(|it| if plain(it) { it } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str, title: &str, depends_on: &[&str]) -> Node {
        Node {
            path: path.to_owned(),
            title: title.to_owned(),
            depends_on: depends_on.iter().map(|path| (*path).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_quoted_calls_nobody_and_links_nowhere() {
        let text = inline("@octocat #12 [x](http://evil) <img> www.evil.com `code` a|b\n### c");
        for broken in ["@octocat", "#12", "[x]", "http://evil", "<img", "www.evil", " `code`", "a|b", "\n"] {
            assert!(!text.replace("\\<", "").contains(broken), "{broken} in {text}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        assert_eq!(quoted("a\n````\nb"), "`````\na\n````\nb\n`````\n\n");
        assert_eq!(quoted(""), "");
    }

    #[test]
    fn plans_are_drawn_by_what_they_depend_on() {
        let nodes = [
            node("plans/001-a.md", "Add \"tests\"]; click p0 x", &[]),
            node("plans/002-b.md", "Mend", &["plans/001-a.md"]),
        ];
        let expected =
            "```mermaid\ngraph LR\n  p0[\"001 Add tests click p0 x\"]\n  p1[\"002 Mend\"]\n  p0 --> p1\n```\n\n";
        assert_eq!(drawn(&nodes), expected);
        assert_eq!(drawn(&nodes[..1]), "");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let filled = fill((0..5).map(|_| "abcd".to_owned()), 10);
        assert_eq!((filled.text.as_str(), filled.left_out), ("abcdabcd", 3));
    }
}
