//! Rules about structure that slows every change.

pub mod clone_family;
pub mod duplicate_code;
pub mod hotspot;
pub mod import_cycle;
pub mod oversized_hot_function;
pub mod unused_export;
pub mod unused_file;
