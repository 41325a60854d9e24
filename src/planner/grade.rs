//! Grades as models give them: one scale for how sure they are and for what a change may break, one for what it takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::finding::{Confidence, Effort, Risk};

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

/// What a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Size {
    S,
    M,
    L,
}

impl From<Size> for Effort {
    fn from(size: Size) -> Effort {
        match size {
            Size::S => Effort::S,
            Size::M => Effort::M,
            Size::L => Effort::L,
        }
    }
}
