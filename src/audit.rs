//! The audit: (RepoMap, Effects) → findings, ranked, with what was suppressed or rejected kept apart.

pub mod draft;
pub mod rule;
