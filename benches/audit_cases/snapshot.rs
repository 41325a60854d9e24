//! A snapshot: what a tool finds in a repository at one commit, and how much code it finds it in.

use std::collections::{BTreeMap, BTreeSet};

use improve::audit::Depth;
use improve::audit::rules::perf::n_plus_one::SAME;
use improve::audit::{Audit, ranking};
use improve::finding::Finding;
use improve::git::GitTree;
use improve::repo_map::facts::Lines;
use improve::repo_map::{FileRole, RepoMap, SkipReason};

use crate::rows::Row;

/// What was found at a commit.
pub struct Snapshot {
    /// Its files.
    pub tree: GitTree,
    /// Source files that were read.
    pub files: BTreeMap<String, SourceLines>,
    /// Files that were not, and why.
    pub left_out: BTreeMap<String, SkipReason>,
    /// Shown and hidden findings.
    pub found: Vec<Found>,
    /// Why the tool has nothing to say here, when it did not run.
    pub failure: Option<String>,
}

/// How many lines a file has, and which of them are tests.
pub struct SourceLines {
    count: u32,
    is_test: bool,
    tests: Vec<Lines>,
}

/// A finding.
#[derive(Debug)]
pub struct Found {
    /// Its rule.
    pub rule: String,
    /// Ours has one.
    pub fingerprint: Option<String>,
    /// Every place it names, the one to open first at the front.
    pub places: Vec<Place>,
    /// Its place in the audit's order, from 1; `None` for tools without an order and for what is not shown.
    pub rank: Option<usize>,
    /// What a user sees without asking for more.
    pub is_shown: bool,
    /// It stands in test code.
    pub in_test: bool,
}

/// A place a finding names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The first line.
    pub line: u32,
    /// What is wrong stands here (one of several places, when one finding is about several), as against a place that only helps to
    /// understand it, such as the loop around a query.
    pub is_subject: bool,
}

impl Snapshot {
    /// What our audit finds.
    pub fn of_audit(tree: GitTree, map: &RepoMap, audit: &Audit) -> Self {
        let mut snapshot = Self::of_map(tree, map);
        let mut rank = 0;
        for finding in &audit.findings {
            let is_shown = ranking::is_shown(finding, Depth::Standard);
            rank += usize::from(is_shown);
            let in_test = snapshot.in_test(&finding.location().file, finding.location().start_line);
            snapshot.found.push(Found {
                rule: finding.rule.clone(),
                fingerprint: Some(finding.fingerprint.clone()),
                places: places(finding),
                rank: is_shown.then_some(rank),
                is_shown,
                in_test,
            });
        }
        snapshot
    }

    /// What another tool found. Only the files it was given count as read; `None` for all.
    pub fn of_rows(tree: GitTree, map: &RepoMap, rows: &[Row], given: Option<&BTreeSet<String>>) -> Self {
        let mut snapshot = Self::of_map(tree, map);
        if let Some(given) = given {
            snapshot.files.retain(|path, _| given.contains(path));
        }
        // A tool may report files that we take for generated, and reports some places twice.
        let mut seen = BTreeSet::new();
        for Row { path, line, rule } in rows {
            if !seen.insert((path, line, rule)) {
                continue;
            }
            snapshot.found.push(Found {
                rule: rule.clone(),
                fingerprint: None,
                places: vec![Place { path: path.clone(), line: *line, is_subject: true }],
                rank: None,
                is_shown: true,
                in_test: snapshot.in_test(path, *line),
            });
        }
        snapshot
    }

    fn of_map(tree: GitTree, map: &RepoMap) -> Self {
        let lines_of = |file: &improve::repo_map::SourceFile| SourceLines {
            count: file.lines,
            // Generated code is not audited: like tests, its lines are not what findings are spread over.
            is_test: matches!(file.role, FileRole::Test | FileRole::Generated),
            tests: file.facts.symbols.iter().filter(|symbol| symbol.test).map(|symbol| symbol.lines).collect(),
        };
        Self {
            tree,
            files: map.files.iter().map(|file| (file.path.clone(), lines_of(file))).collect(),
            left_out: map.skipped.iter().map(|file| (file.path.clone(), file.reason)).collect(),
            found: Vec::new(),
            failure: None,
        }
    }

    /// Whether a line is test code.
    fn in_test(&self, path: &str, line: u32) -> bool {
        self.files.get(path).is_some_and(|file| file.is_test || file.tests.iter().any(|lines| lines.contains(line)))
    }

    /// Lines of source that are no tests.
    pub fn production_lines(&self) -> u64 {
        self.files.values().map(SourceLines::production).sum()
    }
}

impl SourceLines {
    fn production(&self) -> u64 {
        if self.is_test {
            return 0;
        }
        // Tests stand in test modules: a line may be in several.
        let mut tests = self.tests.clone();
        tests.sort_by_key(|lines| lines.start);
        let mut left = u64::from(self.count);
        let mut counted = 0;
        for lines in tests {
            let start = lines.start.max(counted + 1);
            if start <= lines.end {
                left = left.saturating_sub(u64::from(lines.end - start + 1));
                counted = lines.end;
            }
        }
        left
    }
}

fn places(finding: &Finding) -> Vec<Place> {
    let subject = &finding.location().role;
    let is_subject = |role: &str| role == subject || role == SAME;
    let place = |evidence: &improve::finding::Evidence| Place {
        path: evidence.file.clone(),
        line: evidence.start_line,
        is_subject: is_subject(&evidence.role),
    };
    finding.evidence.iter().map(place).collect()
}
