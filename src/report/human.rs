//! Findings for people: a table grouped by priority, what was left out, and the next command to type.

use std::fmt::Write as _;

use super::audit_document::{AuditDocument, KeptApart, Repository};
use super::layout::{Page, columns, count, cut, cut_front, grouped, indented, pad, paint, style, width, wrap};
use super::sanitize;
use crate::audit::NotAudited;
use crate::finding::{Category, Evidence, Finding, Level, Priority};
use crate::model::NanoDollars;

/// Columns from which a finding takes one line instead of two.
const WIDE: usize = 120;
/// Digits of a fingerprint that tables show: enough to be told apart, short enough to type.
pub const SHORT_FINGERPRINT: usize = 8;
/// Columns running text is set in at most.
const READABLE: usize = 100;
/// Entries of "not audited" before the rest is counted.
const NOT_AUDITED_SHOWN: usize = 6;
/// Rejected findings before the rest is counted.
const REJECTED_SHOWN: usize = 6;

/// What the table shows beside the findings themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Findings shown before the rest is counted.
    pub limit: usize,
    /// Each finding with its message and call path.
    pub verbose: bool,
    /// Source files mapped.
    pub files: usize,
    /// Lines in them.
    pub lines: usize,
    /// Say what a model would add: none was asked, and nobody said that none shall be.
    pub offers_model: bool,
    /// Commands worth typing next, with what they do.
    pub next: Vec<(String, String)>,
}

/// The findings of an audit.
pub fn audit(document: &AuditDocument, options: &AuditPage, page: &Page) -> String {
    let mut text = headline(&document.repository, options, page);
    text.push_str(&indented(&totals(document, options), 0, page.width));
    let shown: Vec<&Finding> = document.findings.iter().take(options.limit).collect();
    text.push_str(&audit_rows(&shown, options.verbose, page));
    let more = document.findings.len() - shown.len();
    if more > 0 {
        let _ = writeln!(
            text,
            "{}{}",
            if options.verbose { "" } else { "\n" },
            paint(style::FAINT, &format!("{} more: --all shows them", grouped(more)))
        );
    }
    text.push_str(&vetting(document, page));
    text.push_str(&set_apart(document, page));
    text.push_str(&left_out(document, page));
    if options.offers_model {
        let line = "A model would judge these and look for more: `improve doctor` says how.";
        let _ = writeln!(text, "\n{}", paint(style::FAINT, line));
    }
    text.push_str(&next_commands(&options.next, page));
    text
}

/// Findings under the headings of their priorities; directions stand apart, since nothing is wrong there. Each keeps the number
/// that `--select` knows it by.
pub(super) fn audit_rows(findings: &[&Finding], verbose: bool, page: &Page) -> String {
    let widths = Widths::of(findings, page);
    let numbered = || (1..).zip(findings.iter().copied());
    let is_direction = |finding: &Finding| finding.category == Category::Direction;
    let mut text = String::new();
    let mut priority = None;
    for (number, finding) in numbered().filter(|(_, finding)| !is_direction(finding)) {
        if priority != Some(finding.priority()) {
            priority = Some(finding.priority());
            let _ = writeln!(text, "\n{}", group_heading(finding.priority()));
        }
        text.push_str(&entry(number, finding, verbose, &widths, page));
    }
    let directions: Vec<String> = numbered()
        .filter(|(_, finding)| is_direction(finding))
        .map(|(number, finding)| entry(number, finding, verbose, &widths, page))
        .collect();
    if !directions.is_empty() {
        let remark = "where the code could go: ideas, no faults";
        let heading = format!("{}  {}", paint(style::STRONG, "Directions"), paint(style::FAINT, remark));
        let _ = write!(text, "\n{heading}\n{}", directions.concat());
    }
    text
}

fn entry(number: usize, finding: &Finding, verbose: bool, widths: &Widths, page: &Page) -> String {
    let row = row(number, finding, widths, page);
    if verbose { format!("{row}{}", details(finding, page)) } else { row }
}

/// What a model said of the findings, and what that cost.
fn vetting(document: &AuditDocument, page: &Page) -> String {
    let Some(vetting) = &document.vetting else { return String::new() };
    let counts = [
        (vetting.confirmed, "confirmed"),
        (vetting.downgraded, "downgraded"),
        (vetting.wrong, "wrong"),
        (vetting.by_design, "by design"),
        (vetting.duplicate, "duplicate"),
        (vetting.open, "not judged"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let cost = &document.cost;
    let unpriced = format!("{} without a known price", count(cost.unpriced_calls as usize, "call"));
    let paid = match (cost.nano_usd, cost.unpriced_calls) {
        (priced, 0) => NanoDollars(priced).to_string(),
        (0, _) => unpriced,
        (priced, _) => format!("{} and {unpriced}", NanoDollars(priced)),
    };
    let line = format!("Vetted by {} for {paid}: {}\n", sanitize::line(&vetting.model), said.join(", "));
    let mut text = format!("\n{}", indented(&line, 0, page.width));
    // One reason for many is told once.
    let mut whys: Vec<&str> = vetting.open_because.iter().map(|open| open.why.as_str()).collect();
    whys.sort_unstable();
    whys.dedup();
    for why in whys.iter().take(3) {
        text.push_str(&indented(&format!("not judged: {}\n", sanitize::line(why)), 2, page.width));
    }
    text
}

fn headline(repository: &Repository, options: &AuditPage, page: &Page) -> String {
    let root = sanitize::line(&repository.root);
    let name = root.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/");
    let commit = match &repository.commit {
        Some(commit) => format!("commit {}", commit.get(..9).unwrap_or(commit)),
        None => "no commit".to_owned(),
    };
    let dirty = if repository.dirty { ", with uncommitted changes" } else { "" };
    let name = cut(name, page.width / 3);
    let size = format!("{}, {}", count(options.files, "source file"), count(options.lines, "line"));
    let rest = format!(" · {commit}{dirty}");
    // Two lines where one is too narrow.
    let gap = if width(&name) + width(&rest) + 3 + width(&size) <= page.width { " · " } else { "\n" };
    format!("{}{rest}{gap}{size}\n", paint(style::STRONG, &name))
}

fn totals(document: &AuditDocument, options: &AuditPage) -> String {
    if options.files == 0 && document.findings.is_empty() {
        return "Nothing to read: improve reads TypeScript, JavaScript and Rust.\n".to_owned();
    }
    if document.findings.is_empty() {
        return "Nothing found worth changing.\n".to_owned();
    }
    let levels = [(Level::High, "high"), (Level::Medium, "medium"), (Level::Low, "low")]
        .into_iter()
        .map(|(level, word)| (document.findings.iter().filter(|finding| finding.level() == level).count(), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"));
    let categories = Category::ALL
        .into_iter()
        .map(|category| (document.findings.iter().filter(|finding| finding.category == category).count(), category))
        .filter(|(number, _)| *number > 0)
        .map(|(number, category)| format!("{} {number}", category.label()));
    format!(
        "{}: {} ({})\n",
        count(document.findings.len(), "finding"),
        levels.collect::<Vec<_>>().join(", "),
        categories.collect::<Vec<_>>().join(", ")
    )
}

fn group_heading(priority: Priority) -> String {
    let remark = match priority {
        Priority::P1 => "most gain for the effort: leverage 3 and up",
        Priority::P2 => "worth planning: leverage from 1.5",
        Priority::P3 => "when you are there anyway",
    };
    format!("{}  {}", paint(style::STRONG, priority.label()), paint(style::FAINT, remark))
}

/// Columns before a title: number, level, effort, category.
const LEAD: usize = 4 + 2 + 6 + 2 + 1 + 2 + 9 + 2;

/// A title in fewer columns says nothing: then a finding takes two lines on a wide page, too.
const READABLE_TITLE: usize = 24;

/// Columns of a wide page, the same in every row.
struct Widths {
    title: usize,
    place: usize,
}

impl Widths {
    /// What the longest place and the longest tail leave to titles.
    fn of(findings: &[&Finding], page: &Page) -> Widths {
        let room = page.width.saturating_sub(LEAD);
        let longest = |of: &dyn Fn(&Finding) -> usize| findings.iter().map(|finding| of(finding)).max().unwrap_or(0);
        let place = longest(&|finding| width(&place(finding.location()))).min(room / 3).min(56);
        Widths { title: room.saturating_sub(place + longest(&|finding| width(&tail(finding))) + 4), place }
    }
}

/// What stands behind the place on a wide page.
fn tail(finding: &Finding) -> String {
    let mark = if finding.mechanical { " · exact edit" } else { "" };
    format!("{} · {}{mark}", finding.rule, short(&finding.fingerprint))
}

/// One finding in one line on a wide page, in two on a narrow one.
fn row(number: usize, finding: &Finding, widths: &Widths, page: &Page) -> String {
    let level = level_word(finding.level());
    let lead = format!(
        "{number:>4}  {}  {}  {}  ",
        paint(level_style(finding.level()), &pad(level, 6)),
        finding.effort.label(),
        paint(style::FAINT, &pad(finding.category.label(), 9)),
    );
    let title = sanitize::line(&finding.title);
    let id = short(&finding.fingerprint);
    let mark = if finding.mechanical { " · exact edit" } else { "" };
    if page.width >= WIDE && widths.title >= READABLE_TITLE {
        let Widths { title: title_width, place: place_width } = *widths;
        let tail = tail(finding);
        let place_text = cut_front(&place(finding.location()), place_width);
        let line = format!(
            "{lead}{}  {}{}  {}",
            pad(&cut(&title, title_width), title_width),
            link(page, &place_text, finding.location()),
            " ".repeat(place_width.saturating_sub(width(&place_text))),
            paint(style::FAINT, &tail)
        );
        return format!("{line}\n");
    }
    let room = page.width.saturating_sub(LEAD).max(20);
    let tail = format!(" · {id}{mark}");
    let rule_width = width(&finding.rule) + 3;
    // A place that would have to be cut to make room for the rule says more than the rule.
    let (rule, rule_width) = if width(&place(finding.location())) + rule_width + width(&tail) <= room {
        (format!(" · {}", finding.rule), rule_width)
    } else {
        (String::new(), 0)
    };
    let place_text = cut_front(&place(finding.location()), room.saturating_sub(rule_width + width(&tail)));
    format!(
        "{lead}{}\n{}{}{}\n",
        cut(&title, room),
        " ".repeat(LEAD),
        link(page, &place_text, finding.location()),
        paint(style::FAINT, &format!("{rule}{tail}"))
    )
}

fn details(finding: &Finding, page: &Page) -> String {
    let mut text = indented(&sanitize::line(&finding.message), 6, page.width.min(READABLE));
    // A path of one hop is the place itself.
    if finding.call_path.len() > 1 {
        text.push_str(&call_path(finding, 6, page));
    }
    text.push('\n');
    text
}

/// The call path, one hop a line, from the place that is wrong to where it bites.
pub(crate) fn call_path(finding: &Finding, indent: usize, page: &Page) -> String {
    let rows: Vec<Vec<String>> = finding
        .call_path
        .iter()
        .enumerate()
        .map(|(index, hop)| {
            let arrow = if index == 0 { "from" } else { "  →" };
            let place = sanitize::line(&format!("{}:{}", hop.file, hop.line)).into_owned();
            vec![arrow.to_owned(), place, sanitize::line(&hop.symbol).into_owned()]
        })
        .collect();
    columns(&rows, page.width, indent)
}

/// What a model or somebody earlier rejected, and why, in a line each.
fn set_apart(document: &AuditDocument, page: &Page) -> String {
    if document.rejected.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", paint(style::STRONG, "Rejected"));
    for KeptApart { finding, reason } in document.rejected.iter().take(REJECTED_SHOWN) {
        // Who judged stands above.
        let by = document.vetting.as_ref().map(|vetting| format!("{}: ", vetting.model));
        let reason = by.and_then(|by| reason.strip_prefix(by.as_str())).unwrap_or(reason);
        let reason = if reason.is_empty() { "rejected earlier" } else { reason };
        let reason = sanitize::line(reason);
        let place = place(finding.location());
        let room = page.width.min(WIDE).saturating_sub(2);
        let title = cut(&sanitize::line(&finding.title), (room / 2).saturating_sub(3));
        let rest = cut(&reason, room.saturating_sub(width(&title) + 3));
        let shown = format!("{title} — {rest}");
        let place = if width(&shown) + 2 + width(&place) <= page.width - 2 {
            format!("  {}", paint(style::FAINT, &link(page, &place, finding.location())))
        } else {
            String::new()
        };
        let _ = writeln!(text, "  {shown}{place}");
    }
    let more = document.rejected.len().saturating_sub(REJECTED_SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more: --format json lists them under `rejected`");
    }
    text
}

fn left_out(document: &AuditDocument, page: &Page) -> String {
    let mut text = String::new();
    if !document.not_audited.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Not audited"));
        for NotAudited { what, why } in document.not_audited.iter().take(NOT_AUDITED_SHOWN) {
            let lines = wrap(&sanitize::line(&format!("{what}: {why}")), page.width.min(READABLE) - 4);
            text.push_str(&format!("  {}\n", lines.join("\n    ")));
        }
        let more = document.not_audited.len().saturating_sub(NOT_AUDITED_SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more: --format json lists them");
        }
    }
    let kept_apart =
        [(document.suppressed.len(), "suppressed by a comment"), (document.known.len(), "known by the baseline")];
    let remarks: Vec<String> = kept_apart
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, remark)| format!("{} {remark}", count(number, "finding")))
        .collect();
    if !remarks.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::FAINT, &remarks.join(" · ")));
    }
    text
}

/// The commands worth typing next, aligned.
pub fn next_commands(next: &[(String, String)], page: &Page) -> String {
    if next.is_empty() {
        return String::new();
    }
    let command_width = next.iter().map(|(command, _)| width(command)).max().unwrap_or(0);
    let mut text = format!("\n{}\n", paint(style::STRONG, "Next"));
    for (command, purpose) in next {
        let command_text = paint(style::COMMAND, &pad(command, command_width));
        if command_width + 4 + width(purpose) <= page.width {
            let _ = writeln!(text, "  {command_text}  {purpose}");
        } else {
            let _ = writeln!(text, "  {}\n      {}", paint(style::COMMAND, command), cut(purpose, page.width - 6));
        }
    }
    text
}

/// One finding in one line of at most `columns`, for the picker.
pub fn pick_line(finding: &Finding, columns: usize) -> String {
    let lead = format!(
        "{}  {}  {}  ",
        pad(level_word(finding.level()), 6),
        finding.effort.label(),
        pad(finding.category.label(), 9)
    );
    let room = columns.saturating_sub(width(&lead)).max(16);
    let sanitized = sanitize::line(&finding.title);
    let place_text = cut_front(&place(finding.location()), room.saturating_sub(width(&sanitized) + 2).max(22));
    let title = cut(&sanitized, room.saturating_sub(width(&place_text) + 2));
    format!("{lead}{title}  {place_text}")
}

/// `file:line` of a piece of evidence.
pub(crate) fn place(evidence: &Evidence) -> String {
    sanitize::line(&format!("{}:{}", evidence.file, evidence.start_line)).into_owned()
}

/// `text` as a link to the evidence.
pub(crate) fn link(page: &Page, text: &str, evidence: &Evidence) -> String {
    page.link(text, &evidence.file, evidence.start_line)
}

/// The first digits of a fingerprint.
pub fn short(fingerprint: &str) -> &str {
    fingerprint.get(..SHORT_FINGERPRINT).unwrap_or(fingerprint)
}

pub(crate) fn level_word(level: Level) -> &'static str {
    match level {
        Level::High => "high",
        Level::Medium => "medium",
        Level::Low => "low",
    }
}

pub(crate) fn level_style(level: Level) -> anstyle::Style {
    match level {
        Level::High => style::BAD,
        Level::Medium => style::WARN,
        Level::Low => style::PLAIN,
    }
}
