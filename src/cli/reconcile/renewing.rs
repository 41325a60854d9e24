//! Planning anew what does not fit any more: by the recipe of its finding, else by a planner model.

use std::path::Path;

use improve::audit::engine::recipe;
use improve::audit::rule::RecipeContext;
use improve::backlog::Backlog;
use improve::finding::Finding;
use improve::plan::{Plan, Status, render};
use improve::planner::built_in::specify;
use improve::planner::specify::Subject;
use improve::planner::tighten;
use improve::survey::Survey;

use super::super::failure::Failure;
use super::super::plans::context_for;
use super::super::writing::{Writer, Written};

/// Writes plans anew, where they stand.
pub struct Renewer<'a> {
    pub writer: Writer<'a>,
    pub survey: &'a Survey,
    pub backlog: &'a Backlog,
}

/// What became of a plan.
pub enum Renewal {
    /// It is written anew, by this one.
    Written(String),
    /// A planner says that it is not worth it.
    NotWorthIt(String),
    /// Nobody can.
    Nobody,
    /// What would be written is what is there.
    Same,
}

impl Renewer<'_> {
    /// Who would plan it anew.
    pub fn by(&self, finding: Option<&Finding>) -> Option<String> {
        if finding.is_some_and(|finding| finding.mechanical) {
            return Some("its recipe".to_owned());
        }
        let by_recipe =
            || finding.and_then(|finding| recipe(finding, &self.recipes())).map(|_| "its recipe".to_owned());
        self.writer.bound().map(|bound| bound.name()).or_else(by_recipe)
    }

    fn recipes(&self) -> RecipeContext<'_> {
        RecipeContext { map: &self.survey.map, effects: self.survey.effects(), tree: &self.survey.tree }
    }

    /// Plans it anew. Exact edits need no judgement, so a recipe that has them comes first; else a model knows more than a recipe.
    pub fn renew(
        &mut self,
        old: &Plan,
        text: &str,
        path: &str,
        finding: Option<&Finding>,
        why: &str,
    ) -> Result<Renewal, Failure> {
        let plan_context = tighten::context_of(old, context_for(self.backlog, self.survey)?);
        let by_recipe = |renewer: &Self| {
            let finding = finding?;
            let draft = recipe(finding, &renewer.recipes())?;
            Some(specify(finding, &draft, &renewer.survey.map, &renewer.survey.tree, &plan_context))
        };
        if finding.is_some_and(|finding| finding.mechanical)
            && let Some(new) = by_recipe(self)
        {
            return self.keep(old, new, path, finding, "its recipe");
        }
        if let Some(by) = self.writer.bound().map(|bound| bound.name())
            && self.writer.agree(1)?
        {
            let about = tighten::finding_of(old);
            let remarks = tighten::remarks(text, &[format!("it does not fit the repository any more: {why}")]);
            let subject = Subject { finding: finding.unwrap_or(&about), remarks: &remarks, decided: &[] };
            match self.writer.write(&subject, &plan_context)? {
                Written::Plan(new, _) => return self.keep(old, *new, path, finding, &by),
                Written::NotWorthIt(said) => return Ok(Renewal::NotWorthIt(said)),
                Written::Failed | Written::Nothing => {}
            }
        }
        match by_recipe(self) {
            Some(new) => self.keep(old, new, path, finding, "its recipe"),
            None => Ok(Renewal::Nobody),
        }
    }

    fn keep(&self, old: &Plan, new: Plan, path: &str, finding: Option<&Finding>, by: &str) -> Result<Renewal, Failure> {
        let mut new = tighten::succeed(old, new);
        if let Some(finding) = finding {
            new.status.finding = Some(finding.fingerprint.clone());
            new.status.raw = render::status_lines(&new.status);
        }
        // The day and the commit alone make no other plan of it.
        let content = |plan: &Plan| render::render(&Plan { status: Status::default(), ..plan.clone() });
        if content(&new) == content(old) {
            return Ok(Renewal::Same);
        }
        let lock = self.backlog.lock()?;
        self.backlog.rewrite_plan(&lock, Path::new(path), &new)?;
        Ok(Renewal::Written(by.to_owned()))
    }
}
