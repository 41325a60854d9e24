//! Who works on plans: the executor, who answers its questions, and what they may cost.

use std::sync::{Mutex, OnceLock};

use clap::Args;
use improve::backlog::Backlog;
use improve::executor::advisor::{Advisor, PlannerAdvisor};
use improve::executor::{ExactEdits, Executor, chosen, estimate};
use improve::model::budget::Budget;
use improve::model::cost::Cost;
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{NanoDollars, Role};
use improve::plan::Plan;
use improve::planner::built_in::PlanContext;
use improve::repo_map::RepoMap;
use improve::settings::{Flags, Settings};
use improve::tree::WorkingTree;
use improve::verifier::opinion::{self, ModelReviewer, Reviewer};

use super::super::Context;
use super::super::failure::Failure;
use super::super::globals::Workspace;
use super::super::models::{Line, ModelArgs, agents, agreed, budget, reading_copy_of};
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

    /// No model is to be asked.
    pub fn is_offline(&self) -> bool {
        self.models.is_offline()
    }

    /// The model of a role, unless none is to be asked.
    pub fn bound(&self, role: Role, settings: &Settings) -> Result<Option<Bound>, Failure> {
        let bound = self.models.bound(role, settings)?;
        match role {
            Role::Executor => bound.map(able_to_execute).transpose(),
            Role::Planner | Role::Verifier => Ok(bound),
        }
    }
}

/// An executor that can be told to change files, or how to say so.
pub fn able_to_execute(executor: Bound) -> Result<Bound, Failure> {
    match executor.agent() {
        Some(agent) if agent.to_execute().is_none() => {
            let name = &agent.name;
            Err(Failure::usage(format!("executor {name}: nothing says how it is run to change files")).hint(format!(
                "say so under [agents.{name}.execute] of your own improve.toml, or name another executor"
            )))
        }
        Some(_) | None => Ok(executor),
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
    /// What they took so far.
    pub cost: &'a dyn Fn() -> Cost,
}

/// Where they work.
pub struct Workplace<'a> {
    /// What was read.
    pub map: &'a RepoMap,
    /// Its files.
    pub tree: &'a WorkingTree,
    /// What was set.
    pub workspace: &'a Workspace,
    /// Plans.
    pub backlog: &'a Backlog,
    /// Where a revised plan is dated.
    pub plan_context: PlanContext,
    /// What every prompt of a planner says of the repository, once it was needed.
    pub pack: OnceLock<String>,
    /// The terminal.
    pub context: &'a Context,
}

impl Crew {
    /// Who is bound.
    pub fn bound(args: &CrewArgs, settings: &Settings) -> Result<Crew, Failure> {
        Ok(Crew {
            executor: args.bound(Role::Executor, settings)?,
            planner: args.bound(Role::Planner, settings)?,
            verifier: args.bound(Role::Verifier, settings)?,
        })
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

    /// What all of them may spend together.
    pub fn budget(&self, workspace: &Workspace) -> Budget {
        budget(&self.bounds(), workspace, NanoDollars::ZERO)
    }

    fn bounds(&self) -> Vec<&Bound> {
        [&self.executor, &self.planner, &self.verifier].into_iter().flatten().collect()
    }

    /// Runs `work` with all of them: one plan's work, whose cost is counted apart.
    pub fn at_work<T>(
        &self,
        line: Option<&Line>,
        budget: &Budget,
        place: &Workplace<'_>,
        work: impl FnOnce(&AtWork<'_>) -> T,
    ) -> T {
        let Some(line) = line else {
            return work(&AtWork { executor: &ExactEdits, reviewer: None, reviser: None, cost: &Cost::default });
        };
        let Workplace { map, tree, workspace, backlog, context, .. } = place;
        let copy = reading_copy_of(map, *tree, workspace);
        let agents = agents(&copy, workspace);
        let session: Session<'_> = line.session(&agents, workspace, budget, false, context);
        let advisor = self.planner.as_ref().map(|bound| PlannerAdvisor { session: &session, bound });
        let reviewer = self.verifier.as_ref().map(|bound| ModelReviewer { session: &session, bound });
        let reader = self.verifier.as_ref();
        let reviser = self.planner.as_ref().map(|bound| Reviser {
            line,
            bound,
            reader,
            budget,
            cost: Mutex::default(),
            map,
            tree,
            pack: &place.pack,
            plan_context: place.plan_context.clone(),
            workspace,
            backlog,
            context,
        });
        let worker = self.executor.as_ref().map(|bound| (&session, bound));
        let executor = chosen(worker, map, advisor.as_ref().map(|advisor| advisor as &dyn Advisor));
        work(&AtWork {
            executor: executor.as_ref(),
            reviewer: reviewer.as_ref().map(|reviewer| reviewer as &dyn Reviewer),
            reviser: reviser.as_ref(),
            cost: &|| Cost::from(session.summary()) + reviser.as_ref().map(Reviser::cost).unwrap_or_default(),
        })
    }
}
