//! Rules about what contributors meet before the code.

pub mod ci_unfrozen_install;
pub mod ci_without_tests;
