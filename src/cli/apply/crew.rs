//! Who works on plans: the executor, who answers its questions, and what they may cost.

use clap::Args;
use improve::executor::advisor::{Advisor, PlannerAdvisor};
use improve::executor::limits::Limits;
use improve::executor::{ExactEdits, Executor, ModelExecutor, estimate};
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{NanoDollars, Role};
use improve::plan::Plan;
use improve::planner::reading_copy::ReadingCopy;
use improve::settings::{Flags, Settings};
use improve::survey::Survey;

use super::super::Context;
use super::super::failure::Failure;
use super::super::globals::Workspace;
use super::super::models::{Line, ModelArgs, agents, agreed};
use super::super::planning::count;

/// Which models work on plans.
#[derive(Debug, Clone, Default, Args)]
pub struct CrewArgs {
    /// Who carries out steps that do not say exactly what changes: provider/model, or `none`
    /// [default: by the key that is set]
    #[arg(long, value_name = "MODEL", help_heading = "Models")]
    executor: Option<String>,
    #[command(flatten)]
    models: ModelArgs,
}

impl CrewArgs {
    /// The flags as settings.
    pub fn flags(&self, flags: Flags) -> Flags {
        self.models.flags(Flags { executor: self.executor.clone(), ..flags })
    }
}

/// The models that are bound, one for a role.
#[derive(Debug, Clone, Default)]
pub struct Crew {
    executor: Option<Bound>,
    planner: Option<Bound>,
}

impl Crew {
    /// Who is bound.
    pub fn bound(args: &CrewArgs, settings: &Settings) -> Result<Crew, Failure> {
        let executor = args.models.bound(Role::Executor, settings)?;
        if let Some(agent) = executor.as_ref().and_then(Bound::agent) {
            return Err(Failure::usage(format!("--executor {}: agent CLIs do not carry out steps yet", agent.name))
                .hint("name a model as provider/model, or let the agent carry out the plan by itself and run `improve verify`"));
        }
        Ok(Crew { executor, planner: args.models.bound(Role::Planner, settings)? })
    }

    /// Says what the steps of these plans that need a model will cost, and asks where that is much. After a no nobody is asked.
    pub fn agree(self, plans: &[&Plan], workspace: &Workspace, context: &Context) -> Result<Crew, Failure> {
        let Some(executor) = &self.executor else { return Ok(self) };
        let steps: usize = plans.iter().map(|plan| improve::apply::steps_for_a_model(plan)).sum();
        if steps == 0 {
            return Ok(Crew::default());
        }
        let what = count(steps, "step to carry out", "steps to carry out");
        let cost = estimate(steps, executor);
        let agreed = agreed(executor, &what, cost, &workspace.settings, &context.console)?;
        Ok(if agreed { self } else { Crew::default() })
    }

    /// Whether a model may be asked.
    pub fn asks(&self) -> bool {
        self.executor.is_some()
    }

    /// Runs `work` with the executor.
    pub fn at_work<T>(
        &self,
        line: Option<&Line>,
        survey: &Survey,
        workspace: &Workspace,
        context: &Context,
        work: impl FnOnce(&dyn Executor) -> T,
    ) -> T {
        let (Some(bound), Some(line)) = (&self.executor, line) else { return work(&ExactEdits) };
        let copy = ReadingCopy::new(&survey.map, &survey.tree);
        let agents = agents(&copy, workspace);
        let bounds: Vec<&Bound> = [Some(bound), self.planner.as_ref()].into_iter().flatten().collect();
        let session: Session<'_> = line.session(&bounds, &agents, workspace, NanoDollars::ZERO, false, context);
        let advisor = self.planner.as_ref().map(|bound| PlannerAdvisor { session: &session, bound });
        let advisor = advisor.as_ref().map(|advisor| advisor as &dyn Advisor);
        work(&ModelExecutor { session: &session, bound, map: &survey.map, advisor, limits: Limits::default() })
    }
}
