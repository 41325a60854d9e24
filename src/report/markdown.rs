//! Findings as Markdown: for a file, an issue or a pull request.

use std::fmt::Write as _;

use super::audit_document::AuditDocument;
use super::human::level_word;
use super::layout::count;
use super::sanitize;

/// The findings of an audit as one table, and what was left out as a list.
pub fn audit(document: &AuditDocument, limit: usize) -> String {
    let mut text = String::from("# Findings\n\n");
    let commit =
        document.repository.commit.as_deref().map_or("no commit".to_owned(), |commit| format!("commit `{commit}`"));
    let dirty = if document.repository.dirty { ", with uncommitted changes" } else { "" };
    let _ = writeln!(text, "{} at {commit}{dirty}.\n", count(document.findings.len(), "finding"));
    if !document.findings.is_empty() {
        text.push_str(
            "| # | Level | Effort | Category | Finding | Where | Rule | ID |\n|---|---|---|---|---|---|---|---|\n",
        );
    }
    for (number, finding) in (1..).zip(document.findings.iter().take(limit)) {
        let location = finding.location();
        let _ = writeln!(
            text,
            "| {number} | {} | {} | {} | {} | {}:{} | {} | {} |",
            level_word(finding.level()),
            finding.effort.label(),
            finding.category.label(),
            sanitize::markdown(&finding.title),
            sanitize::markdown(&location.file),
            location.start_line,
            finding.rule,
            super::human::short(&finding.fingerprint),
        );
    }
    let more = document.findings.len().saturating_sub(limit);
    if more > 0 {
        let _ = writeln!(text, "\nand {more} more.");
    }
    if !document.not_audited.is_empty() {
        text.push_str("\n## Not audited\n\n");
        for left_out in &document.not_audited {
            let _ = writeln!(text, "- {}: {}", sanitize::markdown(&left_out.what), sanitize::markdown(&left_out.why));
        }
    }
    if !document.rejected.is_empty() {
        text.push_str("\n## Rejected earlier\n\n");
        for rejected in &document.rejected {
            let _ = writeln!(
                text,
                "- {}: {}",
                sanitize::markdown(&rejected.finding.title),
                sanitize::markdown(&rejected.reason)
            );
        }
    }
    text
}
