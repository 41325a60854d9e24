//! The planner: turns findings into plans.
//!
//! [`built_in`] does it from recipes, without a model. With one, [`lens`] looks for what no rule can see and [`vet`] judges every
//! finding by reading the code. Every question goes over one [`asking::Desk`]: it begins with the same [`pack`] of facts, holds the
//! [`GUARD`](crate::model::GUARD), and lets the model read more with [`tools`]; what the model says counts only with [`quotes`] that stand in the files.
//! An agent CLI reads with tools of its own, in a [`reading_copy`].
//!
//! [`specify`] has a plan written: held against the lint and against what its goals give where it starts, then read by a model that
//! knows nothing else ([`cold_read`]). What stands for a finding may be a user's words, once [`request`] has found out what they mean here,
//! or a plan that exists ([`tighten`]).

pub mod asking;
pub mod built_in;
pub mod cold_read;
mod grade;
pub mod lens;
pub mod onboard;
pub mod pack;
pub mod quotes;
pub mod reading_copy;
pub mod request;
pub mod specify;
pub mod tighten;
pub mod tools;
pub mod vet;
