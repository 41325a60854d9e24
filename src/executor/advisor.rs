//! Asking the planner: one question about a step, answered in a few sentences. Better than a guess, and much cheaper than a new plan.

use super::Task;
use crate::model::GUARD;
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::roles::Bound;
use crate::model::session::{Question, Session};
use crate::model::{ModelError, Role};
use crate::plan::markdown::fence_for;
use crate::report::map_outline::CHARACTERS_PER_TOKEN;
use crate::secrets::mask;

/// Tokens of the answer, thinking included.
const MAX_OUTPUT: u64 = 4_000;
/// Tokens of the answer that are passed on.
const PASSED_ON: usize = 700;

/// Answers what an executor asks about a step.
pub trait Advisor: Sync {
    /// The answer.
    fn answer(&self, task: &Task<'_>, question: &str) -> Result<String, ModelError>;
}

/// The planner, asked over a session.
pub struct PlannerAdvisor<'a> {
    /// Asks, and keeps the books.
    pub session: &'a Session<'a>,
    /// The planner.
    pub bound: &'a Bound,
}

impl Advisor for PlannerAdvisor<'_> {
    fn answer(&self, task: &Task<'_>, question: &str) -> Result<String, ModelError> {
        let instructions = include_str!("../../templates/executor/advice.md");
        let system = format!("{}\n\n{}", instructions.trim(), GUARD.trim());
        let mut conversation = Conversation::new(Opening { system, tools: Vec::new(), output: None });
        let fence = fence_for(task.plan_text);
        let plan = format!("The plan:\n\n{fence}markdown\n{}\n{fence}", task.plan_text.trim_end());
        let asked = format!("The question is about step {}, \"{}\":\n\n{question}", task.index + 1, task.step().title);
        conversation.tell([Part::Shared(plan), Part::Text(asked)]);
        let reply = self.session.ask(&Question {
            role: Role::Planner,
            bound: self.bound,
            conversation: &conversation,
            max_output: MAX_OUTPUT,
            purpose: "advice",
            plan: Some(task.plan_path),
        })?;
        let answer: String = reply.text.trim().chars().take(PASSED_ON * CHARACTERS_PER_TOKEN).collect();
        Ok(mask(&answer))
    }
}
