//! Executors: who carries out a step. The built-in one performs exact edits; whatever it cannot do is handed over.

use std::collections::BTreeMap;

use crate::edit::apply::{Changes, Message, apply};
use crate::edit::explain::EditFailure;
use crate::plan::{Plan, Step};

/// A step to carry out, and what may be read and changed for it.
pub struct Task<'a> {
    /// The whole plan.
    pub plan: &'a Plan,
    /// The step.
    pub step: &'a Step,
    /// The text of a file as it is now; `None` when there is none.
    pub text: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a path may be changed.
    pub in_scope: &'a dyn Fn(&str) -> bool,
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// These changes are to be made.
    Out(Changes),
    /// The edits do not fit the files.
    Refused(Vec<EditFailure>),
    /// Somebody else has to do it.
    Over,
}

/// Carries out steps.
pub trait Executor: Sync {
    /// Its name in receipts.
    fn name(&self) -> String;

    /// Works out what a step changes. Writing it is the caller's part.
    fn carry_out(&self, task: &Task<'_>) -> Carried;
}

/// Performs the exact edits that a step carries; a step without any is handed over.
pub struct ExactEdits;

impl Executor for ExactEdits {
    fn name(&self) -> String {
        "exact edits".to_owned()
    }

    fn carry_out(&self, task: &Task<'_>) -> Carried {
        if task.step.edits.is_empty() {
            return Carried::Over;
        }
        let paths = task.step.edits.iter().flat_map(|edit| edit.paths());
        let texts = paths.map(|path| (path.to_owned(), (task.text)(path))).collect();
        let message =
            Message { texts: &texts, edits: &task.step.edits, in_scope: task.in_scope, preimages: &BTreeMap::new() };
        match apply(&message) {
            Ok(changes) => Carried::Out(changes),
            Err(failures) => Carried::Refused(failures),
        }
    }
}
