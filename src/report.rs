//! Reports: values → text, for people and for programs. Pure; the binary prints what they return.
//!
//! Text that came from a repository, a plan or a command passes through [`sanitize`] on its way into a human report.

pub mod annotations;
pub mod audit_document;
pub mod bench;
pub mod branch;
pub mod clean;
pub mod comment;
pub mod config;
pub mod doctor;
pub mod document;
pub mod document_markdown;
pub mod excerpt;
pub mod finding_page;
pub mod human;
pub mod issue;
pub mod json;
pub mod layout;
pub mod map_document;
pub mod map_entries;
pub mod map_graph;
pub mod map_human;
pub mod map_lines;
pub mod map_outline;
pub mod map_query;
pub mod map_query_human;
pub mod markdown;
pub mod money;
pub mod onboard;
pub mod page;
pub mod plan_page;
pub mod plans;
pub mod pull_request;
pub mod receipt;
pub mod recon_line;
pub mod reconcile;
pub mod request;
pub mod review;
pub mod rules;
pub mod sanitize;
pub mod sarif;
pub mod schema;
pub mod status;

#[cfg(test)]
mod tests;
