//! Revising plans that failed: the planner reads the work as far as it came, and writes what is to be done instead.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use improve::apply::course::{PlanFailure, Replanner, Revision};
use improve::backlog::Backlog;
use improve::effects::effects;
use improve::map::{self, MapOptions};
use improve::model::budget::Budget;
use improve::model::cost::Cost;
use improve::model::roles::Bound;
use improve::plan::Plan;
use improve::planner::asking::Desk;
use improve::planner::built_in::PlanContext;
use improve::planner::pack::{PACK_TOKENS, pack};
use improve::planner::specify::{Specified, Specifier, Subject};
use improve::planner::tighten;
use improve::repo_map::RepoMap;
use improve::repo_map::history::History;
use improve::tree::WorkingTree;

use super::super::Context;
use super::super::globals::Workspace;
use super::super::models::{Line, agents, reading_copy_of};
use super::super::progress::Bar;

/// Has the planner revise plans.
pub struct Reviser<'a> {
    pub line: &'a Line,
    /// The planner.
    pub bound: &'a Bound,
    /// Who reads plans cold.
    pub reader: Option<&'a Bound>,
    /// What may be spent.
    pub budget: &'a Budget,
    /// What revising took so far.
    pub cost: Mutex<Cost>,
    pub map: &'a RepoMap,
    pub tree: &'a WorkingTree,
    /// What every prompt says of the repository, once it was needed.
    pub pack: &'a OnceLock<String>,
    pub plan_context: PlanContext,
    pub workspace: &'a Workspace,
    pub backlog: &'a Backlog,
    pub context: &'a Context,
}

impl Reviser<'_> {
    /// What revising took so far.
    pub fn cost(&self) -> Cost {
        self.cost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The reviser of one plan.
pub struct OfPlan<'a> {
    pub reviser: &'a Reviser<'a>,
    /// The plan's path, relative to the repository.
    pub path: &'a str,
}

impl Replanner for OfPlan<'_> {
    fn revise(&self, failure: &PlanFailure<'_>) -> Result<Revision, String> {
        let Reviser { line, bound, reader, budget, map, tree, workspace, context, .. } = self.reviser;
        let words = |error: &dyn std::fmt::Display| error.to_string();
        // The same beginning as every other question of this repository has: the vendor may still have it.
        let pack = self.reviser.pack.get_or_init(|| pack(map, &effects(map), *tree, PACK_TOKENS));
        let tree = WorkingTree::new(failure.folder);
        let options = MapOptions { exclude: workspace.settings.exclude.value.clone(), ..MapOptions::default() };
        let quiet = Bar::hidden(context.cancel.clone());
        let mut now = map::build(&tree, &options, &History::default(), None, &quiet).map_err(|error| words(&error))?;
        workspace.settings.override_commands(&mut now.recon);
        let copy = reading_copy_of(&now, &tree, workspace);
        let agents = agents(&copy, workspace);
        let session = line.session(&agents, workspace, budget, false, context);
        let desk = Desk { session: &session, bound, map: &now, tree: &tree, pack };
        let finding = tighten::finding_of(failure.plan);
        let remarks = tighten::failed(failure.plan_text, failure.done, failure.report);
        let subject = Subject { finding: &finding, remarks: &remarks, decided: &[] };
        let plan_context = tighten::context_of(failure.plan, self.reviser.plan_context.clone());
        line.voice.phase("revising the plan", 1);
        let written =
            Specifier { desk: &desk, context: &plan_context, reader: *reader, measure: &mut |_| None }.write(&subject);
        let mut cost = self.reviser.cost.lock().unwrap_or_else(PoisonError::into_inner);
        *cost = std::mem::take(&mut *cost) + Cost::from(session.summary());
        drop(cost);
        match written.map_err(|error| words(&error))? {
            Specified::Plan(plan, _) => Ok(Revision::Plan(plan)),
            Specified::NotWorthIt(why) => Ok(Revision::GiveUp(why)),
        }
    }

    fn keep(&self, plan: &Plan) -> Result<(), String> {
        let backlog = self.reviser.backlog;
        if !self.path.starts_with(&format!("{}/", backlog.folder())) {
            return Err(format!("it is not in {}/", backlog.folder()));
        }
        let lock = backlog.lock().map_err(|error| error.to_string())?;
        backlog.rewrite_plan(&lock, Path::new(self.path), plan).map_err(|error| error.to_string())
    }
}
