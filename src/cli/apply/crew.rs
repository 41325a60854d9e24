//! Who works on plans: the executor, who answers its questions, and what they may cost.

use std::sync::OnceLock;

use clap::Args;
use improve::backlog::Backlog;
use improve::executor::advisor::{Advisor, PlannerAdvisor};
use improve::executor::limits::Limits;
use improve::executor::{AgentExecutor, ExactEdits, Executor, ModelExecutor, estimate};
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{NanoDollars, Role};
use improve::plan::Plan;
use improve::planner::built_in::PlanContext;
use improve::settings::{Flags, Settings};
use improve::survey::Survey;
use improve::verifier::opinion::{self, ModelReviewer, Reviewer};

use super::super::Context;
use super::super::failure::Failure;
use super::super::globals::Workspace;
use super::super::models::{Line, ModelArgs, agents, agreed, reading_copy};
use super::super::planning::count;
use super::revising::Reviser;

/// Which models work on plans.
#[derive(Debug, Clone, Default, Args)]
pub struct CrewArgs {
    /// Who carries out steps that do not say exactly what changes: provider/model, an agent CLI
    /// (claude, codex, gemini, opencode; claude/MODEL), "any command {plan} {worktree}", or `none`
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
    verifier: Option<Bound>,
}

/// Those who work on plans, ready to.
pub struct AtWork<'a> {
    /// Carries out steps.
    pub executor: &'a dyn Executor,
    /// Reads finished work.
    pub reviewer: Option<&'a dyn Reviewer>,
    /// Revises plans that failed.
    pub reviser: Option<&'a Reviser<'a>>,
}

/// Where they work.
pub struct Workplace<'a> {
    /// What was read.
    pub survey: &'a Survey,
    /// What was set.
    pub workspace: &'a Workspace,
    /// Plans.
    pub backlog: &'a Backlog,
    /// Where a revised plan is dated.
    pub plan_context: PlanContext,
    /// The terminal.
    pub context: &'a Context,
}

impl Crew {
    /// Who is bound.
    pub fn bound(args: &CrewArgs, settings: &Settings) -> Result<Crew, Failure> {
        let executor = args.models.bound(Role::Executor, settings)?;
        if let Some(agent) = executor.as_ref().and_then(Bound::agent)
            && agent.to_execute().is_none()
        {
            let name = &agent.name;
            return Err(Failure::usage(format!("executor {name}: nothing says how it is run to change files")).hint(
                format!("say so under [agents.{name}.execute] of your own improve.toml, or name another executor"),
            ));
        }
        let (planner, verifier) =
            (args.models.bound(Role::Planner, settings)?, args.models.bound(Role::Verifier, settings)?);
        Ok(Crew { executor, planner, verifier })
    }

    /// Says what these plans will cost, and asks where that is much. After a no nobody is asked.
    pub fn agree(self, plans: &[&Plan], place: &Workplace<'_>) -> Result<Crew, Failure> {
        let steps: usize = plans.iter().map(|plan| improve::apply::steps_for_a_model(plan)).sum();
        let executor = self.executor.as_ref().filter(|_| steps > 0);
        let (Some(main), parts) = (
            executor.or(self.verifier.as_ref()),
            [
                executor.map(|bound| estimate(steps, bound)),
                self.verifier.as_ref().map(|bound| opinion::estimate(plans.len(), bound)),
            ],
        ) else {
            return Ok(self);
        };
        let cost = parts.into_iter().flatten().try_fold(NanoDollars::ZERO, |sum, part| Some(sum + part?));
        let what = match executor {
            Some(_) => count(steps, "step to carry out", "steps to carry out"),
            None => count(plans.len(), "plan to verify", "plans to verify"),
        };
        let agreed = agreed(main, &what, cost, &place.workspace.settings, &place.context.console)?;
        Ok(if agreed { self } else { Crew::default() })
    }

    /// Only who reads finished work.
    pub fn verifier(models: &ModelArgs, settings: &Settings) -> Result<Crew, Failure> {
        Ok(Crew { verifier: models.bound(Role::Verifier, settings)?, ..Crew::default() })
    }

    /// The way to the models, where one may be asked.
    pub fn line(&self, context: &Context) -> Result<Option<Line>, Failure> {
        let asks = self.executor.is_some() || self.verifier.is_some();
        asks.then(|| Line::open(&context.console, context.cancel.clone(), false)).transpose()
    }

    /// Runs `work` with all of them.
    pub fn at_work<T>(&self, line: Option<&Line>, place: &Workplace<'_>, work: impl FnOnce(&AtWork<'_>) -> T) -> T {
        let Some(line) = line else {
            return work(&AtWork { executor: &ExactEdits, reviewer: None, reviser: None });
        };
        let Workplace { survey, workspace, backlog, context, .. } = place;
        let copy = reading_copy(survey, workspace);
        let agents = agents(&copy, workspace);
        let roles = [self.executor.as_ref(), self.planner.as_ref(), self.verifier.as_ref()];
        let bounds: Vec<&Bound> = roles.into_iter().flatten().collect();
        let session: Session<'_> = line.session(&bounds, &agents, workspace, NanoDollars::ZERO, false, context);
        let advisor = self.planner.as_ref().map(|bound| PlannerAdvisor { session: &session, bound });
        let reviewer = self.verifier.as_ref().map(|bound| ModelReviewer { session: &session, bound });
        let reader = self.verifier.as_ref();
        let reviser = self.planner.as_ref().map(|bound| Reviser {
            line,
            bound,
            reader,
            session: &session,
            map: &survey.map,
            tree: &survey.tree,
            pack: OnceLock::new(),
            plan_context: place.plan_context.clone(),
            workspace,
            backlog,
            context,
        });
        let model = self.executor.as_ref().map(|bound| ModelExecutor {
            session: &session,
            bound,
            map: &survey.map,
            advisor: advisor.as_ref().map(|advisor| advisor as &dyn Advisor),
            limits: Limits::default(),
        });
        let agent = self.executor.as_ref().and_then(|bound| AgentExecutor::new(&session, bound, &survey.map));
        let executor: &dyn Executor = match (&agent, &model) {
            (Some(agent), _) => agent,
            (None, Some(model)) => model,
            (None, None) => &ExactEdits,
        };
        work(&AtWork {
            executor,
            reviewer: reviewer.as_ref().map(|reviewer| reviewer as &dyn Reviewer),
            reviser: reviser.as_ref(),
        })
    }
}
