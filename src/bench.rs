//! Measuring how well this program works: [`task`]s with a planted defect and hidden tests, carried out by arms. One model alone, a
//! plan and who carries it out, a plan with exact edits.
//!
//! A [`trial`] is one arm on one task, once: a [`crew`] works on a [`ground`] of its own, [`run`] holds it, [`records`] keep it. What trials say is
//! for [`summary`], by the [`statistics`] of few tasks.

mod arms;
pub mod crew;
pub mod ground;
pub mod records;
pub mod run;
pub mod statistics;
pub mod summary;
pub mod task;
pub mod tools;
pub mod trial;
