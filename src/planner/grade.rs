//! A grade as models give it: one scale for how sure they are and for what a change may break.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::finding::{Confidence, Risk};

/// A grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Grade {
    Low,
    Med,
    High,
}

impl From<Grade> for Confidence {
    fn from(grade: Grade) -> Confidence {
        match grade {
            Grade::Low => Confidence::Low,
            Grade::Med => Confidence::Med,
            Grade::High => Confidence::High,
        }
    }
}

impl From<Grade> for Risk {
    fn from(grade: Grade) -> Risk {
        match grade {
            Grade::Low => Risk::Low,
            Grade::Med => Risk::Med,
            Grade::High => Risk::High,
        }
    }
}
