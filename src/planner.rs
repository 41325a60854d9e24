//! The planner: turns findings into plans.
//!
//! [`built_in`] does it from recipes, without a model.

pub mod built_in;
