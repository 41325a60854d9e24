//! What an audit has to say: the JSON contract of `improve audit`, and the value every other format is written from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::{Audit, NotAudited};
use crate::finding::Finding;

/// Version of the JSON contract. It grows when a reader of the old one could go wrong; additions leave it alone.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
    /// What models cost.
    pub cost: Cost,
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
            cost: Cost::default(),
        }
    }
}

/// What was audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Repository {
    /// Absolute path of its root.
    pub root: String,
    /// The commit checked out; null outside a git repository and before the first commit.
    pub commit: Option<String>,
    /// The working tree differs from the commit.
    pub dirty: bool,
}

/// A finding that is kept apart, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct KeptApart {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why somebody rejected it, or the reason its comment gives.
    pub reason: String,
}

/// What models cost: nothing as long as none is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cost {
    /// Calls made.
    pub model_calls: u64,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// Money, in billionths of a dollar.
    pub nano_usd: u64,
}
