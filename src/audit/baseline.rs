//! Baseline: the findings a team knows of and has left for later, in a file that is committed, so that they neither hide new ones
//! nor fail a run. Known by fingerprint: they survive edits around them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// Where the file stands unless something else is said, relative to the root.
pub const FILE: &str = "improve-baseline.json";

/// Version of the file.
const SCHEMA_VERSION: u32 = 1;

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// A finding that is known. All but the fingerprint is for whoever reads the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    file: String,
    rule: String,
    title: String,
    fingerprint: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    schema_version: u32,
    findings: Vec<Entry>,
}

/// A text that is no baseline.
#[derive(Debug, thiserror::Error)]
#[error("{path} is no baseline: {reason}")]
pub struct NotABaseline {
    /// The file it stands in.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

impl NotABaseline {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "`improve audit --write-baseline` writes it anew; `--no-baseline` does without it"
    }
}

impl Baseline {
    /// The baseline of `findings`.
    pub fn of(findings: &[Finding]) -> Baseline {
        let entry = |finding: &Finding| Entry {
            file: finding.location().file.clone(),
            rule: finding.rule.clone(),
            title: finding.title.clone(),
            fingerprint: finding.fingerprint.clone(),
        };
        let mut entries: Vec<Entry> = findings.iter().map(entry).collect();
        // By place, so that a change of one finding is a change of one line.
        entries.sort();
        Baseline { entries }
    }

    /// Reads the text of the file at `path`.
    pub fn parse(path: &str, text: &str) -> Result<Baseline, NotABaseline> {
        let wrong = |reason: String| NotABaseline { path: path.to_owned(), reason };
        let Document { schema_version, findings } =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if schema_version != SCHEMA_VERSION {
            return Err(wrong(format!(
                "its `schema_version` is {schema_version}, this program knows {SCHEMA_VERSION}"
            )));
        }
        Ok(Baseline { entries: findings })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let document = Document { schema_version: SCHEMA_VERSION, findings: self.entries.clone() };
        let mut text = serde_json::to_string_pretty(&document).expect("words and numbers can be written");
        text.push('\n');
        text
    }

    /// Findings it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The fingerprints it knows.
    pub fn fingerprints(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|entry| entry.fingerprint.as_str()).collect()
    }

    /// Entries that match nothing any more, among the rules that `ran` and the files that `keeps` accepts.
    pub fn unused(&self, findings: &[Finding], ran: &BTreeSet<&str>, keeps: &dyn Fn(&str) -> bool) -> usize {
        let found: BTreeSet<&str> = findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        self.entries
            .iter()
            .filter(|entry| ran.contains(entry.rule.as_str()) && keeps(&entry.file))
            .filter(|entry| !found.contains(entry.fingerprint.as_str()))
            .count()
    }
}
