//! The audit: (RepoMap, Effects) → findings, ranked, with what was suppressed or rejected kept apart.

use std::collections::BTreeSet;
use std::sync::Arc;

pub mod baseline;
mod calibration;
pub mod clones;
pub mod decisions;
mod deprecated;
pub mod draft;
pub mod engine;
pub mod finding_draft;
pub mod locks;
mod not_audited;
pub mod owners;
pub mod pages;
mod path_filter;
pub mod place;
pub mod programs;
pub mod ranking;
pub mod reach;
pub mod rule;
pub mod rules;
pub mod sarif_in;
pub mod shard;
pub mod suppression;
pub mod text;
pub mod texts;
mod uncalled;
pub mod variables;

pub use engine::run;

use crate::advisories::Advisories;
use crate::audit::baseline::Baseline;
use crate::audit::sarif_in::Imports;
use crate::audit::shard::Shard;
use crate::finding::{Category, Finding};

/// What to look for, and where.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// Categories to keep; empty keeps all.
    pub focus: Vec<Category>,
    /// Rules to run, by id; empty runs all.
    pub only_rules: Vec<String>,
    /// Rules to leave out, by id.
    pub without_rules: Vec<String>,
    /// Files, folders or globs to report on; empty reports on everything.
    pub paths: Vec<String>,
    /// Globs to leave out.
    pub exclude: Vec<String>,
    /// Fingerprints the user has rejected.
    pub rejected: BTreeSet<String>,
    /// Findings that were known before.
    pub baseline: Baseline,
    /// How much doubt to let through.
    pub depth: Depth,
    /// What is known to be wrong with released versions of packages; `None` when there is no database.
    pub advisories: Option<Arc<Advisories>>,
    /// What other tools found, to be weighed with the rest; `None` when nobody named any.
    pub imports: Option<Arc<Imports>>,
    /// The part of the repository to report on; `None` for all of it.
    pub shard: Option<Shard>,
}

/// How much doubt to let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Depth {
    /// HIGH confidence alone.
    Quick,
    /// Everything but findings of LOW confidence whose impact is below 4.
    #[default]
    Standard,
    /// Everything.
    Deep,
}

/// What an audit found.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Best first.
    pub findings: Vec<Finding>,
    /// Silenced by a comment in the code that gives a reason.
    pub suppressed: Vec<Suppressed>,
    /// Rejected by the user, known by fingerprint.
    pub rejected: Vec<Finding>,
    /// Known before, by the baseline.
    pub known: Vec<Finding>,
    /// What nobody looked at, and why.
    pub not_audited: Vec<NotAudited>,
    /// Rules that ended in a panic: their findings are missing.
    pub failed_rules: Vec<String>,
    /// What the user should mend: a suppression without a reason, for a rule that does not exist, or of nothing.
    pub warnings: Vec<String>,
}

/// A finding silenced in the code.
#[derive(Debug, Clone, PartialEq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The reason its comment gives.
    pub reason: String,
}

/// Something the audit did not look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct NotAudited {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// An audit that could not start.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// No rule has this id.
    #[error("no rule is called `{id}`")]
    UnknownRule {
        /// The id as given.
        id: String,
        /// The closest id there is.
        nearest: String,
    },
    /// A glob that cannot be read.
    #[error("`{glob}` is not a glob: {reason}")]
    BadGlob {
        /// The glob as given.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl AuditError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            AuditError::UnknownRule { nearest, .. } => {
                format!("did you mean `{nearest}`? `improve rules` lists them all")
            }
            AuditError::BadGlob { .. } => "write it as in .gitignore: `src/**/*.ts`".to_owned(),
        }
    }
}
