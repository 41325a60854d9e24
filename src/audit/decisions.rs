//! Decisions on record: a comment beside the place, or an architecture decision record that names its file, says that it is meant
//! to be so. That lowers what a finding is worth and is said; it never hides one about security.

use std::collections::BTreeMap;

use crate::finding::{Category, Finding};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::CommentKind;
use crate::repo_map::recon::DocumentKind;
use crate::tree::Tree;

/// Decision records read, and bytes of each. Our choice: no repository known to us has more.
const MAX_RECORDS: usize = 500;
const MAX_BYTES: usize = 128 << 10;
/// Lines above a place in which a comment speaks of it.
const NEAR: u32 = 2;

/// What is on record.
#[derive(Debug, Default)]
pub struct Decisions {
    /// By source file: the record that names it.
    records: BTreeMap<String, String>,
}

impl Decisions {
    /// Reads the decision records of the tree.
    pub fn collect(map: &RepoMap, tree: &dyn Tree) -> Decisions {
        let mut records = BTreeMap::new();
        let documents = map.recon.documents.iter().filter(|document| document.kind == DocumentKind::Decision);
        for document in documents.take(MAX_RECORDS) {
            let Ok(bytes) = tree.read(&document.path) else { continue };
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]);
            if is_withdrawn(&text) {
                continue;
            }
            for path in paths_named(&text) {
                // A name without a folder says too little.
                if path.contains('/') && map.file_by_path(path).is_some() {
                    records.entry(path.to_owned()).or_insert_with(|| document.path.clone());
                }
            }
        }
        Decisions { records }
    }

    /// Says which decision speaks of the place, and lets it count.
    pub fn weigh(&self, finding: &mut Finding, map: &RepoMap) {
        let Some(said) = said_beside(finding, map).or_else(|| self.on_record(finding)) else { return };
        finding.message.push_str(&format!(" {said}"));
        // What is lowered could fall below what is shown.
        if finding.category != Category::Security {
            finding.impact = finding.impact.saturating_sub(1).max(1);
        }
    }

    fn on_record(&self, finding: &Finding) -> Option<String> {
        let record = self.records.get(&finding.location().file)?;
        Some(format!("A decision record names this file: read `{record}` first."))
    }
}

/// A comment at the place or just above it that says it is meant to be so.
fn said_beside(finding: &Finding, map: &RepoMap) -> Option<String> {
    let place = finding.location();
    let (_, file) = map.file_by_path(&place.file)?;
    let near = place.start_line.saturating_sub(NEAR)..=place.end_line.min(place.start_line + NEAR);
    let comment = file.facts.comments.iter().find(|comment| {
        comment.kind == CommentKind::Justification
            && (near.contains(&comment.line) || near.contains(&comment.applies_to))
            && says_on_purpose(&comment.text)
    })?;
    Some(format!("The comment at line {} says that it is meant to be so.", comment.line))
}

/// Words for "this is meant to be so". `intentional` alone is enough: nobody writes it of what happened by accident.
fn says_on_purpose(comment: &str) -> bool {
    let text = comment.to_ascii_lowercase();
    ["by design", "on purpose", "intentional", "deliberate"].iter().any(|words| text.contains(words))
        && !["unintentional", "not intentional", "not by design", "not deliberate", "not on purpose"]
            .iter()
            .any(|words| text.contains(words))
}

/// A record that says it no longer holds: its status line says superseded, deprecated or rejected.
pub(crate) fn is_withdrawn(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.to_ascii_lowercase().contains("status"));
    let status: Vec<String> =
        lines.by_ref().filter(|line| !line.is_empty()).take(2).map(str::to_ascii_lowercase).collect();
    status.iter().any(|line| ["superseded", "deprecated", "rejected"].iter().any(|word| line.contains(word)))
}

/// What stands between backticks, or in the brackets of a link, and may be a path.
fn paths_named(text: &str) -> impl Iterator<Item = &str> {
    text.split(['`', '(', ')', ' ', '\n', '\t', '"', '\'', '<', '>', ','])
        .map(|word| word.trim_start_matches("./").trim_end_matches(['.', ':', ';']))
        .filter(|word| word.contains('.') && word.len() < 300)
        // `src/a.ts:12`.
        .map(|word| word.split_once(':').map_or(word, |(path, _)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_that_mean_it_are_told_from_those_that_do_not() {
        for text in ["by design: one row each", "Intentionally sequential", "This is deliberate", "on purpose, see #1"]
        {
            assert!(says_on_purpose(text), "{text}");
        }
        for text in ["unintentional, fix", "this is not by design", "SAFETY: checked above"] {
            assert!(!says_on_purpose(text), "{text}");
        }
    }

    #[test]
    fn a_withdrawn_record_does_not_count() {
        assert!(is_withdrawn("# 7. One query a row\n\n## Status\n\nSuperseded by 9\n"));
        assert!(is_withdrawn("Status: rejected\n"));
        assert!(!is_withdrawn(
            "# 7. One query a row\n\n## Status\n\nAccepted\n\n## Context\n\nThe old API is deprecated.\n"
        ));
    }

    #[test]
    fn paths_are_found_in_code_links_and_words() {
        let text = "We keep `src/a.ts:12` and [b](./src/b.ts), also src/c.rs. Not e.g. this.";
        let found: Vec<&str> = paths_named(text).filter(|path| path.contains('/')).collect();
        assert_eq!(found, ["src/a.ts", "src/b.ts", "src/c.rs"]);
    }
}
