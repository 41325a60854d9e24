//! Tree → RepoMap: walk, parse, link, and gather project facts and history.

pub mod language;
pub mod resolve;
