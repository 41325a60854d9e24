//! What an audit has to say: the JSON contract of `improve audit`, and the value every other format is written from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::shard::Shard;
use crate::audit::suppression::Suppressions;
use crate::audit::{Audit, AuditOptions, NotAudited};
use crate::branch::Comparison;
use crate::finding::Finding;
use crate::model::cost::Cost;
use crate::planner::vet::{Judgement, Outcome, Vetted};

/// Version of the JSON contract. It grows when a reader of the old one could go wrong; additions leave it alone.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// What was audited.
    pub repository: Repository,
    /// `built-in`, or the model that planned.
    pub planner: String,
    /// Findings, the one with the highest leverage first.
    pub findings: Vec<Finding>,
    /// Findings somebody rejected earlier, with the reason.
    pub rejected: Vec<KeptApart>,
    /// Findings that a comment in the source suppresses, with its reason.
    pub suppressed: Vec<KeptApart>,
    /// Findings that the baseline knows.
    pub known: Vec<Finding>,
    /// What was left out, and why.
    pub not_audited: Vec<NotAudited>,
    /// What a model said of the findings; null when none was asked.
    pub vetting: Option<Vetting>,
    /// What models cost.
    pub cost: Cost,
    /// What a branch was compared with: `improve branch` alone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// Which part of an audit this is: `improve audit --shard` alone writes parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl AuditDocument {
    /// The document of `audit`. `reasons` says by fingerprint why findings were rejected.
    pub fn new(repository: Repository, audit: Audit, reasons: &BTreeMap<String, String>) -> AuditDocument {
        let Audit { findings, suppressed, rejected, known, not_audited, failed_rules: _, warnings: _ } = audit;
        let reason = |finding: &Finding| reasons.get(&finding.fingerprint).cloned().unwrap_or_default();
        AuditDocument {
            schema_version: SCHEMA_VERSION,
            repository,
            planner: "built-in".to_owned(),
            findings,
            rejected: rejected.into_iter().map(|finding| KeptApart { reason: reason(&finding), finding }).collect(),
            suppressed: suppressed
                .into_iter()
                .map(|suppressed| KeptApart { finding: suppressed.finding, reason: suppressed.reason })
                .collect(),
            known,
            not_audited,
            vetting: None,
            cost: Cost::default(),
            comparison: None,
            shard: None,
        }
    }

    /// Takes findings that a model reports, as the rules' own are taken: what was silenced, rejected or is known stays apart.
    pub fn add(&mut self, findings: Vec<Finding>, options: &AuditOptions, silenced: &Suppressions) {
        let known = options.baseline.fingerprints();
        for finding in findings {
            if let Some(reason) = silenced.reason(&finding) {
                self.suppressed.push(KeptApart { reason: reason.to_owned(), finding });
            } else if options.rejected.contains(&finding.fingerprint) {
                self.rejected.push(KeptApart { reason: "rejected earlier".to_owned(), finding });
            } else if known.contains(finding.fingerprint.as_str()) {
                self.known.push(finding);
            } else if options.keeps(&finding.location().file) {
                self.findings.push(finding);
            }
        }
        self.findings.sort_by(|one, other| other.leverage.total_cmp(&one.leverage));
    }

    /// Takes what the model `by` said of the first findings: those it set apart move to `rejected`, with its reason.
    pub fn vet(&mut self, by: &str, vetted: Vec<Vetted>) {
        let mut counts = Vetting { model: by.to_owned(), ..Vetting::default() };
        let rest = self.findings.split_off(vetted.len().min(self.findings.len()));
        let mut kept = Vec::new();
        for Vetted { finding, outcome } in vetted {
            match outcome {
                Outcome::Open(why) | Outcome::Unanswered(why) => {
                    counts.open += 1;
                    counts.open_because.push(OpenFinding { fingerprint: finding.fingerprint.clone(), why });
                    kept.push(finding);
                }
                Outcome::Judged { judgement, reason } => {
                    let of = match judgement {
                        Judgement::Confirmed => &mut counts.confirmed,
                        Judgement::Downgraded => &mut counts.downgraded,
                        Judgement::ByDesign => &mut counts.by_design,
                        Judgement::Wrong => &mut counts.wrong,
                        Judgement::Duplicate => &mut counts.duplicate,
                    };
                    *of += 1;
                    match judgement {
                        Judgement::Confirmed | Judgement::Downgraded => kept.push(finding),
                        Judgement::ByDesign | Judgement::Wrong | Judgement::Duplicate => {
                            let reason = format!("{by}: {} — {reason}", judgement.label());
                            self.rejected.push(KeptApart { reason, finding });
                        }
                    }
                }
            }
        }
        kept.extend(rest);
        // Lowered findings sink; the order of equals stays.
        kept.sort_by(|one, other| other.leverage.total_cmp(&one.leverage));
        self.findings = kept;
        by.clone_into(&mut self.planner);
        self.vetting = Some(counts);
    }
}

/// What a model said of the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vetting {
    /// The model, `provider/model`.
    pub model: String,
    /// Findings that are so.
    pub confirmed: usize,
    /// Findings that are so and matter less than the rule said.
    pub downgraded: usize,
    /// Findings that are meant so; they stand in `rejected`.
    pub by_design: usize,
    /// Findings that are not so; they stand in `rejected`.
    pub wrong: usize,
    /// Findings that another one says too; they stand in `rejected`.
    pub duplicate: usize,
    /// Findings that were shown to it and not judged in a way that counts.
    pub open: usize,
    /// Why they were not.
    pub open_because: Vec<OpenFinding>,
}

impl Vetting {
    /// Findings that moved to `rejected`.
    pub fn set_apart(&self) -> usize {
        self.by_design + self.wrong + self.duplicate
    }
}

/// A finding that was not judged in a way that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenFinding {
    /// The finding.
    pub fingerprint: String,
    /// Why not.
    pub why: String,
}

/// What was audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repository {
    /// Absolute path of its root.
    pub root: String,
    /// The commit checked out; null outside a git repository and before the first commit.
    pub commit: Option<String>,
    /// The working tree differs from the commit.
    pub dirty: bool,
}

/// A finding that is kept apart, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptApart {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why somebody rejected it, or the reason its comment gives.
    pub reason: String,
}
