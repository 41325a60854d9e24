//! Rules about documentation that misleads.

pub mod broken_doc_sample;
pub mod commands;
pub mod dead_doc_link;
pub mod dead_doc_path;
mod faults;
mod manifest;
mod mentions;
mod notation;
mod samples;
pub mod stale_doc_command;
pub mod stale_doc_flag;
pub mod stale_doc_import;
pub mod stale_doc_subcommand;
pub mod stale_environment_variable;
pub mod stale_version_claim;
mod targets;
pub mod undocumented_environment_variable;
pub mod undocumented_flag;
