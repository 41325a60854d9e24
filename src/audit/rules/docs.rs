//! Rules about documentation that misleads.

pub mod commands;
pub mod dead_doc_link;
pub mod dead_doc_path;
mod faults;
mod mentions;
pub mod stale_doc_command;
