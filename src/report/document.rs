//! What a report on a repository says: the audit, the files it bears on, plans, money, and how the counts went from run to run.
//!
//! The JSON contract of `improve report`, and the value its page and its Markdown are written from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_document::AuditDocument;
use super::money::Money;
use crate::finding::{Category, Effort, Finding, Level, Priority};
use crate::repo_map::{FileRole, RepoMap};
use crate::runs::Run;

/// Files listed as hotspots.
const HOTSPOTS: usize = 20;

/// A report on a repository.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReportDocument {
    /// The audit.
    #[serde(flatten)]
    pub audit: AuditDocument,
    /// The day the commit was authored, as `2026-11-20`; null where there is no commit.
    pub committed: Option<String>,
    /// Source files written by hand.
    pub source_files: usize,
    /// Lines in them.
    pub lines: u64,
    /// Files where findings and changes meet, the hottest first.
    pub hotspots: Vec<FileHeat>,
    /// Plans, in order of their files.
    pub plans: Vec<PlanNode>,
    /// What models took, and what is expected.
    pub money: Money,
    /// One run a commit, the oldest commit first; runs that looked for something else or otherwise are left out.
    pub trend: Vec<Run>,
    /// Every source file written by hand, by path.
    #[serde(skip)]
    pub files: Vec<FileHeat>,
}

/// A file, and how much its findings hurt whoever changes it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FileHeat {
    /// Its path.
    pub path: String,
    /// Lines.
    pub lines: u32,
    /// Commits that touched it in 90 days.
    pub churn_90d: u32,
    /// Findings whose first line stands in it.
    pub findings: usize,
    /// Findings, a high one counted as four and a medium one as two, × churn, each as a share of the repository's largest on a logarithmic
    /// scale, a file that nobody changes counted as half: from 0 to 1.
    pub heat: f64,
}

/// A plan, and what has to be done before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanNode {
    /// Its path.
    pub path: String,
    /// The number its name starts with.
    pub number: Option<u32>,
    /// Its title.
    pub title: String,
    /// The word of the index: TODO, IN PROGRESS, DONE, BLOCKED, REJECTED; null when the index does not name it.
    pub status: Option<String>,
    /// What stands behind the word.
    pub note: String,
    /// How its last run ended.
    pub last_outcome: Option<String>,
    /// When to carry it out.
    pub priority: Option<Priority>,
    /// What it takes.
    pub effort: Option<Effort>,
    /// Every step carries exact edits.
    pub mechanical: bool,
    /// Paths of the plans that have to be done first.
    pub depends_on: Vec<String>,
    /// Minutes, tokens, money, as the plan says it: a guess of who wrote it.
    pub estimate: Option<String>,
    /// The finding it is for.
    pub finding: Option<String>,
}

impl PlanNode {
    /// Whether it waits to be carried out.
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_deref(), Some("DONE" | "REJECTED"))
    }
}

impl ReportDocument {
    /// What an audit says by itself: no files, no plans, no money, no runs.
    pub fn bare(audit: AuditDocument) -> ReportDocument {
        ReportDocument {
            audit,
            committed: None,
            source_files: 0,
            lines: 0,
            hotspots: Vec::new(),
            plans: Vec::new(),
            money: Money::default(),
            trend: Vec::new(),
            files: Vec::new(),
        }
    }

    /// With the files of `map`.
    pub fn with_files(mut self, map: &RepoMap) -> ReportDocument {
        self.files = files(map, &self.audit.findings);
        self.source_files = self.files.len();
        self.lines = self.files.iter().map(|file| u64::from(file.lines)).sum();
        let mut hot: Vec<FileHeat> = self.files.iter().filter(|file| file.heat > 0.0).cloned().collect();
        hot.sort_by(|one, other| other.heat.total_cmp(&one.heat).then_with(|| one.path.cmp(&other.path)));
        hot.truncate(HOTSPOTS);
        self.hotspots = hot;
        self
    }

    /// Findings of a level.
    pub fn of_level(&self, level: Level) -> usize {
        self.audit.findings.iter().filter(|finding| finding.level() == level).count()
    }

    /// Findings by category, and by level in it; categories without any are left out.
    pub fn categories(&self) -> BTreeMap<Category, BTreeMap<Level, usize>> {
        let mut categories: BTreeMap<Category, BTreeMap<Level, usize>> = BTreeMap::new();
        for finding in &self.audit.findings {
            *categories.entry(finding.category).or_default().entry(finding.level()).or_insert(0) += 1;
        }
        categories
    }

    /// The name of the repository: its folder's.
    pub fn name(&self) -> &str {
        self.audit.repository.root.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("repository")
    }
}

/// Source files written by hand, by path, with their heat.
fn files(map: &RepoMap, findings: &[Finding]) -> Vec<FileHeat> {
    let mut found: BTreeMap<&str, (usize, u32)> = BTreeMap::new();
    for finding in findings {
        let entry = found.entry(finding.location().file.as_str()).or_default();
        entry.0 += 1;
        entry.1 += match finding.level() {
            Level::High => 4,
            Level::Medium => 2,
            Level::Low => 1,
        };
    }
    let written = || map.files.iter().filter(|file| file.role != FileRole::Generated);
    let weight = |path: &str| found.get(path).map_or(0, |(_, weight)| *weight);
    // Logarithms: one giant must not make everything else look cold.
    let share = |value: u32, largest: u32| match largest {
        0 => 0.0,
        largest => f64::from(value).ln_1p() / f64::from(largest).ln_1p(),
    };
    let most_churn = written().map(|file| file.history.churn_90d).max().unwrap_or(0);
    let most_weight = written().map(|file| weight(&file.path)).max().unwrap_or(0);
    written()
        .map(|file| {
            let churn = file.history.churn_90d;
            let heat = share(weight(&file.path), most_weight) * (1.0 + share(churn, most_churn)) / 2.0;
            FileHeat {
                path: file.path.clone(),
                lines: file.lines,
                churn_90d: churn,
                findings: found.get(file.path.as_str()).map_or(0, |(number, _)| *number),
                // Three digits: further ones would be noise, and different on other machines.
                heat: (heat * 1000.0).round() / 1000.0,
            }
        })
        .collect()
}
