//! Settings about applying plans: what is run besides what a plan names, and when somebody is asked.

use super::file::Entry;
use super::{Layer, Origin, Setting, SettingsError};
use crate::nearest::nearest;
use crate::repo_map::recon::CommandPurpose;

/// Steps of a plan, at most: what the linter holds plans to as well.
const MAX_PLAN_STEPS: usize = 50;

/// The table `[apply]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplySettings {
    /// The repository's own tests are run on finished work, whatever a plan names.
    pub run_tests: Setting<bool>,
    /// So is its linter.
    pub run_lint: Setting<bool>,
    /// So is its type checker.
    pub run_typecheck: Setting<bool>,
    /// Somebody is asked before each plan.
    pub require_approval: Setting<bool>,
    /// Somebody is asked between the steps of a plan.
    pub checkpoint_between_steps: Setting<bool>,
    /// Of several plans, none is begun after one that was not verified.
    pub stop_on_error: Setting<bool>,
    /// A plan that fails may be revised by its planner.
    pub allow_plan_revision: Setting<bool>,
    /// Whoever is asked about a plan may leave it out and go on with the next.
    pub allow_skip: Setting<bool>,
    /// Before work begins, it is said how long it will take, by what earlier runs took.
    pub show_estimated_time: Setting<bool>,
    /// What happens is written to a log beside the journal.
    pub log_progress: Setting<bool>,
    /// Plans with more steps are not begun.
    pub max_plan_steps: Setting<usize>,
}

impl Default for ApplySettings {
    fn default() -> ApplySettings {
        let switch = |value| Setting { value, origin: Origin::Default };
        ApplySettings {
            run_tests: switch(false),
            run_lint: switch(false),
            run_typecheck: switch(false),
            require_approval: switch(false),
            checkpoint_between_steps: switch(false),
            stop_on_error: switch(false),
            allow_plan_revision: switch(true),
            allow_skip: switch(true),
            show_estimated_time: switch(true),
            log_progress: switch(true),
            max_plan_steps: Setting { value: MAX_PLAN_STEPS, origin: Origin::Default },
        }
    }
}

impl ApplySettings {
    /// Takes one line of `[apply]`.
    pub(super) fn set(&mut self, key: &str, entry: &Entry, layer: Layer) -> Result<(), SettingsError> {
        let name = key.replace('_', "-");
        if name == "max-plan-steps" {
            let text = entry.text()?;
            let value = text.value.parse().map_err(|_| entry.bad("a number of steps"))?;
            self.max_plan_steps = Setting { value, origin: text.origin };
            return Ok(());
        }
        let Some((_, switch)) = self.switches().into_iter().find(|(known, _)| *known == name) else {
            let known = self.switches().map(|(known, _)| known).into_iter().chain(["max-plan-steps"]);
            let nearest = nearest(&name, known).map(|word| format!("apply.{word}"));
            return Err(SettingsError::UnknownKey { origin: entry.origin.clone(), key: entry.key.join("."), nearest });
        };
        let asks = matches!(name.as_str(), "require-approval" | "checkpoint-between-steps");
        let value = entry.switch()?;
        // Who wants to be asked is asked: a repository does not take that back.
        if asks && layer == Layer::Repository && switch.value && !value.value {
            return Ok(());
        }
        *switch = value;
        Ok(())
    }

    fn switches(&mut self) -> [(&'static str, &mut Setting<bool>); 10] {
        [
            ("run-tests", &mut self.run_tests),
            ("run-lint", &mut self.run_lint),
            ("run-typecheck", &mut self.run_typecheck),
            ("require-approval", &mut self.require_approval),
            ("checkpoint-between-steps", &mut self.checkpoint_between_steps),
            ("stop-on-error", &mut self.stop_on_error),
            ("allow-plan-revision", &mut self.allow_plan_revision),
            ("allow-skip", &mut self.allow_skip),
            ("show-estimated-time", &mut self.show_estimated_time),
            ("log-progress", &mut self.log_progress),
        ]
    }

    /// Commands that are run on finished work, whatever a plan names.
    pub fn checks(&self) -> Vec<CommandPurpose> {
        let checks = [
            (&self.run_typecheck, CommandPurpose::Typecheck),
            (&self.run_lint, CommandPurpose::Lint),
            (&self.run_tests, CommandPurpose::Test),
        ];
        checks.into_iter().filter(|(setting, _)| setting.value).map(|(_, purpose)| purpose).collect()
    }
}
