//! One finding in full: `improve show`. The code with what is wrong in it marked, the calls that lead there, the rule, the fix.

use std::fmt::Write as _;

use super::excerpt::{Excerpt, Mark, excerpt};
use super::human::{level_style, level_word, next_commands};
use super::layout::{Page, columns, cut, indented, paint, style};
use super::sanitize;
use crate::audit::rule::RuleDoc;
use crate::edit::{Block, EditOperation, FileEdit};
use crate::finding::{Evidence, Finding, Hop};
use crate::plan::Plan;

/// Columns running text is set in at most.
const READABLE: usize = 100;
/// Lines of code shown around the lines that are wrong.
const AROUND: u32 = 2;
/// Lines of the exact edits before the rest is left to the plan.
const SKETCH_LINES: usize = 24;

/// A finding and what is known beside it.
pub struct FindingPage<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// What its rule says of itself; `None` for what a model or another tool found.
    pub rule: Option<&'a RuleDoc>,
    /// The plan that its recipe would make.
    pub sketch: Option<&'a Plan>,
    /// Text of a file with credentials masked; `None` where it cannot be read.
    pub source: &'a dyn Fn(&str) -> Option<String>,
    /// Commands worth typing next.
    pub next: Vec<(String, String)>,
}

/// Everything known about one finding.
pub fn finding(known: &FindingPage<'_>, page: &Page) -> String {
    let FindingPage { finding, rule, sketch, source, next } = known;
    let readable = page.width.min(READABLE);
    let mut text = heading(finding);
    let _ = writeln!(text, "\n{}", indented(&sanitize::line(&finding.message), 0, readable).trim_end());
    text.push_str(&evidence(finding, source, page));
    text.push_str(&path(&finding.call_path, source, page));
    if let Some(doc) = rule {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, &format!("The rule {}", doc.id)));
        for (lead, body) in [("finds", doc.what), ("because", doc.why)] {
            let body = format!("{lead} {}", body.trim_end_matches('.'));
            text.push_str(&indented(&body, 2, readable));
        }
    }
    text.push_str(&fix(finding, *sketch, page));
    text.push_str(&next_commands(next, page));
    text
}

fn heading(finding: &Finding) -> String {
    let title = paint(style::STRONG, &sanitize::line(&finding.title));
    let level = paint(level_style(finding.level()), level_word(finding.level()));
    let facts = [
        finding.category.label().to_owned(),
        sanitize::line(&finding.rule).into_owned(),
        format!("impact {} of 5", finding.impact),
        format!("confidence {}", finding.confidence.label()),
    ];
    let rank = [
        format!("{}, leverage {:.2}", finding.priority().label(), finding.leverage),
        format!("effort {}", finding.effort.label()),
        format!("risk {}", finding.risk.label()),
        format!("fingerprint {}", finding.fingerprint),
    ];
    format!("{title}\n{level} · {}\n{}\n", facts.join(" · "), paint(style::FAINT, &rank.join(" · ")))
}

/// Each place of the finding in its code; those that stand together are shown together.
fn evidence(finding: &Finding, source: &dyn Fn(&str) -> Option<String>, page: &Page) -> String {
    let mut groups: Vec<Vec<&Evidence>> = Vec::new();
    for evidence in &finding.evidence {
        let near = groups.iter_mut().find(|group| group.iter().any(|other| is_near(other, evidence)));
        match near {
            Some(group) => group.push(evidence),
            None => groups.push(vec![evidence]),
        }
    }
    let mut text = String::new();
    for group in groups {
        let now = source(&group[0].file);
        // What was quoted is what was found; the file gives the lines around it.
        let (lines, first) = match &now {
            Some(now) => (now.as_str(), 1),
            None => (group[0].quote.as_str(), group[0].start_line),
        };
        let marks = group
            .iter()
            .map(|evidence| Mark { lines: evidence.start_line..=evidence.end_line, role: &evidence.role })
            .collect();
        let shown = Excerpt { file: &group[0].file, lines, first, marks, around: AROUND };
        let _ = write!(text, "\n{}", excerpt(&shown, page));
    }
    text
}

/// Whether the lines around two places touch.
fn is_near(one: &Evidence, other: &Evidence) -> bool {
    let (first, last) = if one.start_line <= other.start_line { (one, other) } else { (other, one) };
    first.file == last.file && last.start_line.saturating_sub(first.end_line) <= 2 * AROUND + 1
}

/// The calls that lead from the place to where it bites, a step each, with the line that makes it.
fn path(hops: &[Hop], source: &dyn Fn(&str) -> Option<String>, page: &Page) -> String {
    // A path of one hop is the place itself.
    if hops.len() < 2 {
        return String::new();
    }
    let mut text = format!("\n{}\n", paint(style::STRONG, "How it gets there"));
    let mut file = "";
    for (index, hop) in hops.iter().enumerate() {
        let last = index + 1 == hops.len();
        let (mark, rail) = match (index, last) {
            (0, _) => ("●", "│"),
            (_, false) => ("├▶", "│"),
            (_, true) => ("└▶", " "),
        };
        let place = sanitize::line(&format!("{}:{}", hop.file, hop.line)).into_owned();
        let elsewhere = if index > 0 && hop.file != file { " (another file)" } else { "" };
        file = &hop.file;
        let symbol = cut(&sanitize::line(&hop.symbol), page.width / 2);
        let _ = writeln!(
            text,
            "  {} {}  {}{}",
            super::layout::pad(mark, 2),
            paint(style::STRONG, &symbol),
            page.link(&place, &hop.file, hop.line),
            paint(style::FAINT, elsewhere)
        );
        let line = source(&hop.file).and_then(|text| text.lines().nth(hop.line as usize - 1).map(str::to_owned));
        if let Some(line) = line.filter(|_| hop.line > 0) {
            let line = cut(sanitize::block(line.trim()).trim_end(), page.width.saturating_sub(14));
            let _ = writeln!(text, "  {rail}   {} {line}", paint(style::FAINT, &format!("{:>5} │", hop.line)));
        }
    }
    text
}

/// What is to be done about it, in the steps of the plan it would become.
fn fix(finding: &Finding, sketch: Option<&Plan>, page: &Page) -> String {
    let mut text = format!("\n{}", paint(style::STRONG, "The fix"));
    let Some(plan) = sketch else {
        text.push_str("\n  No built-in recipe: a model, an agent or you.\n");
        return text;
    };
    let how = if finding.mechanical { "exact edits, no model needed" } else { "needs somebody to carry it out" };
    let _ = writeln!(text, "  {}", paint(style::FAINT, how));
    for (number, step) in (1..).zip(&plan.steps) {
        let lead = format!("{number}. {}", sanitize::line(&step.title));
        text.push_str(&indented(&lead, 2, page.width.min(READABLE)));
    }
    let lines: Vec<String> =
        plan.steps.iter().flat_map(|step| &step.edits).flat_map(|edit| changed(edit, page)).collect();
    if !lines.is_empty() {
        text.push('\n');
    }
    for line in lines.iter().take(SKETCH_LINES) {
        let _ = writeln!(text, "  {line}");
    }
    let more = lines.len().saturating_sub(SKETCH_LINES);
    if more > 0 {
        let _ = writeln!(text, "  {}", paint(style::FAINT, &format!("and {more} lines more, in the plan")));
    }
    // What is expected first: a command may be longer than the page.
    let gates: Vec<Vec<String>> = plan
        .done_criteria
        .iter()
        .flat_map(|criterion| &criterion.gates)
        .map(|gate| vec![sanitize::line(&gate.expected).into_owned(), format!("$ {}", sanitize::line(&gate.command))])
        .collect();
    if !gates.is_empty() {
        let _ = write!(text, "\n  {}\n{}", paint(style::FAINT, "done when"), columns(&gates, page.width, 2));
    }
    text
}

/// An exact edit as a diff.
fn changed(edit: &FileEdit, page: &Page) -> Vec<String> {
    let file = sanitize::line(&edit.file).into_owned();
    let room = page.width.saturating_sub(4);
    match &edit.operation {
        EditOperation::Replace(blocks) => std::iter::once(paint(style::FAINT, &file))
            .chain(blocks.iter().flat_map(|block| lines(block, room)))
            .collect(),
        EditOperation::Create(created) => {
            let lines = sanitize::block(created);
            let lines = lines.lines().map(|line| paint(style::GOOD, &cut(&format!("+ {line}"), room)));
            std::iter::once(paint(style::FAINT, &format!("{file}, new"))).chain(lines).collect()
        }
        EditOperation::Delete => vec![paint(style::BAD, &format!("{file} is deleted"))],
        EditOperation::Rename { to, .. } => {
            vec![paint(style::FAINT, &format!("{file} becomes {}", sanitize::line(to)))]
        }
        // Plans do not carry these.
        EditOperation::Substitute { .. }
        | EditOperation::Hunks(_)
        | EditOperation::Insert(_)
        | EditOperation::Whole(_) => {
            vec![file]
        }
    }
}

fn lines(block: &Block, room: usize) -> Vec<String> {
    let (before, after) = (sanitize::block(&block.search), sanitize::block(&block.replace));
    let diff = similar::TextDiff::from_lines(&before, &after);
    let line = |change: similar::Change<&str>| {
        let (sign, look) = match change.tag() {
            similar::ChangeTag::Equal => (' ', style::PLAIN),
            similar::ChangeTag::Delete => ('-', style::BAD),
            similar::ChangeTag::Insert => ('+', style::GOOD),
        };
        paint(look, &cut(&format!("{sign} {}", change.value().trim_end()), room))
    };
    diff.iter_all_changes().map(line).collect()
}
