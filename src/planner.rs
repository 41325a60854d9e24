//! The planner: turns findings into plans.
//!
//! [`built_in`] does it from recipes, without a model. With one, every prompt begins with the recon [`pack`] and holds the
//! [`GUARD`], and the model reads the code through [`tools`].

pub mod built_in;
mod masked;
pub mod pack;
pub mod tools;

/// What every prompt of the planner says of text from the repository.
pub const GUARD: &str = include_str!("../templates/planner/guard.md");
