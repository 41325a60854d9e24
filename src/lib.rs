//! `improve` turns what is wrong with a codebase into plans which cheap executors can carry out safely.
//!
//! The pipeline, in order: [`map`] → [`effects`] → [`audit`] → [`planner`] → [`apply`] → [`verifier`]. The planner may ask a [`model`],
//! over [`http`], our only door to the network, or an agent CLI, which is a child like any other; so may an [`executor`] and the verifier.
//! What comes before the planner never does. Verified work goes to a [`forge`] where that is asked for: git's own command line pushes it.
//!
//! Beside it: [`branch`] tells what a branch brings, [`onboard`] what to read first, [`report`] says all of it to people and programs, [`runs`] keeps what
//! audits counted, [`init`] sets up a repository, [`reconcile`] holds plans against what became of the repository, [`mod@bench`] measures the whole. Which
//! system this is, only [`os`], [`process`], [`sandbox`] and [`tree`] ask.
//!
//! **Invariant:** [`finding`], [`repo_map`], [`effects`], [`audit`], [`onboard`], [`edit`] and [`plan`] never touch the disk, run a process
//! or call a model; what they need of files comes through [`tree::Tree`], what is known of released packages through [`advisories`].
#![warn(missing_docs, clippy::print_stdout, clippy::print_stderr)] // Only the binary prints.
// A module's page says how it works inside; its private parts have names.
#![allow(rustdoc::private_intra_doc_links)]

pub mod advisories;
pub mod apply;
pub mod audit;
pub mod backlog;
pub mod bench;
pub mod branch;
pub mod cancel;
pub mod edit;
pub mod effects;
pub mod executor;
pub mod finding;
pub mod forge;
pub mod gate;
pub mod git;
pub mod hint;
pub mod http;
pub mod init;
mod kept;
pub mod map;
pub mod merge;
pub mod model;
pub mod nearest;
pub mod observer;
pub mod onboard;
pub mod os;
pub mod plan;
pub mod planner;
pub mod process;
pub mod progress;
pub mod receipt;
pub mod reconcile;
pub mod repo_map;
pub mod report;
pub mod runs;
pub mod sandbox;
pub mod secrets;
pub mod settings;
pub mod survey;
pub mod temporary;
pub mod tree;
pub mod trust;
pub mod verifier;
pub mod worktree;
