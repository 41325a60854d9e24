//! One finding in full: `improve show`.

use std::fmt::Write as _;

use super::human::{call_path, level_style, level_word, link, place};
use super::layout::{Page, columns, cut, indented, paint, style};
use super::sanitize;
use crate::finding::Finding;

/// Lines of a quote that are shown; a rule that quotes more points at the file.
const QUOTE_LINES: usize = 12;

/// Everything known about one finding.
pub fn finding(finding: &Finding, page: &Page) -> String {
    let reading_width = page.width.min(100);
    let mut text = format!("{}\n", paint(style::STRONG, &sanitize::line(&finding.title)));
    let _ = writeln!(
        text,
        "{} · {} · {} · {} · leverage {:.2}",
        paint(level_style(finding.level()), level_word(finding.level())),
        finding.category.label(),
        sanitize::line(&finding.rule),
        finding.priority().label(),
        finding.leverage
    );
    let _ = writeln!(text, "\n{}", indented(&sanitize::line(&finding.message), 0, reading_width).trim_end());
    let facts = [
        ("Impact", format!("{} of 5", finding.impact)),
        ("Effort", finding.effort.label().to_owned()),
        ("Risk", finding.risk.label().to_owned()),
        ("Confidence", finding.confidence.label().to_owned()),
        ("Fix", if finding.mechanical { "exact edits, no model needed" } else { "needs judgement" }.to_owned()),
        ("Fingerprint", finding.fingerprint.clone()),
    ];
    let rows: Vec<Vec<String>> = facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let _ = write!(text, "\n{}", columns(&rows, page.width, 0));
    text.push_str(&format!("\n{}\n", paint(style::STRONG, "Evidence")));
    for evidence in &finding.evidence {
        let _ = writeln!(
            text,
            "  {}  {}",
            link(page, &place(evidence), evidence),
            paint(style::FAINT, &sanitize::line(&evidence.role))
        );
        let quote = sanitize::block(&evidence.quote);
        for (number, line) in (evidence.start_line..).zip(quote.lines().take(QUOTE_LINES)) {
            let _ = writeln!(
                text,
                "  {} {}",
                paint(style::FAINT, &format!("{number:>5} │")),
                cut(line, page.width.saturating_sub(10))
            );
        }
        let more = quote.lines().count().saturating_sub(QUOTE_LINES);
        if more > 0 {
            let _ = writeln!(text, "  {}", paint(style::FAINT, &format!("      │ {more} lines more")));
        }
    }
    if !finding.call_path.is_empty() {
        let _ = write!(text, "\n{}\n{}", paint(style::STRONG, "Call path"), call_path(finding, 2, page));
    }
    text
}
