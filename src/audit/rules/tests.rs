//! Rules about behaviour that nothing checks.

pub mod no_test_command;
pub mod skipped_test;
pub mod untested_hot_code;
