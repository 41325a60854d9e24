//! Measuring how well this program works: one model alone, a plan and who carries it out, a plan with exact edits.

pub mod ground;
pub mod statistics;
pub mod task;
pub mod tools;
