//! Annotations of a GitHub workflow run, and JUnit XML: what CI systems show beside the code and beside the tests.

use std::fmt::Write as _;

use super::audit_document::AuditDocument;
use super::sanitize;
use crate::finding::{Finding, Level, State};

/// Annotations of one kind that GitHub shows for a step: more are dropped without a word
/// (<https://docs.github.com/en/actions/reference/limits>). Those that matter most come first.
const SHOWN: usize = 10;

/// Workflow commands: `::error file=…,line=…::…`. What was there before a branch is not annotated.
pub fn github(document: &AuditDocument) -> String {
    let mut text = String::new();
    let new: Vec<&Finding> =
        document.findings.iter().filter(|finding| finding.state != Some(State::PreExisting)).collect();
    for (level, command) in [(Level::High, "error"), (Level::Medium, "warning"), (Level::Low, "notice")] {
        for finding in new.iter().filter(|finding| finding.level() == level).take(SHOWN) {
            let place = finding.location();
            let _ = writeln!(
                text,
                "::{command} file={},line={},endLine={},title={}::{}",
                property(&place.file),
                place.start_line,
                place.end_line,
                property(&format!("{}: {}", finding.rule, finding.title)),
                data(&finding.message)
            );
        }
    }
    text
}

/// The value of a property: beside what [`data`] escapes, what ends a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text of a workflow command (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).
fn data(text: &str) -> String {
    sanitize::block(text).trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// JUnit XML, a test case a finding: those at or above no threshold fail all the same, since whoever asks for it wants to see them.
pub fn junit(document: &AuditDocument) -> String {
    let findings = &document.findings;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let old = findings.iter().filter(|finding| finding.state == Some(State::PreExisting)).count();
    let failures = findings.len() - old;
    let _ = writeln!(text, "<testsuites name=\"improve\" tests=\"{}\" failures=\"{failures}\">", findings.len());
    let _ = writeln!(
        text,
        "  <testsuite name=\"improve\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{old}\">",
        findings.len()
    );
    for finding in findings {
        let place = finding.location();
        let name = format!("{} {}:{}", finding.rule, place.file, place.start_line);
        let _ = writeln!(
            text,
            "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\">",
            xml(&name),
            xml(&finding.rule),
            xml(&place.file),
            place.start_line
        );
        if finding.state == Some(State::PreExisting) {
            text.push_str("      <skipped message=\"it was there before\"/>\n");
        } else {
            let _ = writeln!(
                text,
                "      <failure message=\"{}\" type=\"{}\">{}</failure>",
                xml(&finding.title),
                xml(finding.category.label()),
                xml(&finding.message)
            );
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Text in XML: what it forbids is dropped, what it means something by is escaped.
fn xml(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in sanitize::block(text).trim_end().chars() {
        match character {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '"' => clean.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            _ => clean.push(character),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_finding_quotes_cannot_end_a_command_or_an_element() {
        assert_eq!(property("a,b::c\n100%"), "a%2Cb%3A%3Ac%0A100%25");
        assert_eq!(data("::set-output name=x::y\r\n::error::z"), "::set-output name=x::y%0A::error::z");
        assert_eq!(xml("a < b && \"c\"\u{1b}]"), "a &lt; b &amp;&amp; &quot;c&quot;]");
    }
}
