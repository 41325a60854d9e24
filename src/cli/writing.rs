//! A planner at work for a command: whom it asks, what that takes, what is said when it fails.

use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{ModelError, NanoDollars, Role};
use improve::plan::Plan;
use improve::planner::asking::Desk;
use improve::planner::built_in::PlanContext;
use improve::planner::pack::pack;
use improve::planner::reading_copy::ReadingCopy;
use improve::planner::specify::{Remaining, Specified, Specifier, Subject, estimate};
use improve::report::audit_document::Cost;
use improve::report::map_outline::CHARACTERS_PER_TOKEN;
use improve::survey::Survey;

use super::Context;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{Line, ModelArgs, Voice, agents, agreed};
use super::planning::{PACK_TOKENS, count};
use super::trying::Tryout;

/// Has a planner write plans, where one is bound.
pub struct Writer<'a> {
    bound: Option<Bound>,
    reader: Option<Bound>,
    workspace: &'a Workspace,
    survey: &'a Survey,
    /// What an agent reads.
    copy: ReadingCopy<'a>,
    /// What the run has spent.
    spent: NanoDollars,
    /// What the writer has taken.
    cost: Cost,
    /// What every prompt says of the repository, once it was needed.
    pack: Option<String>,
    /// Lent to the planner while it writes.
    tryout: Option<Tryout<'a>>,
    /// Requests are shown and not sent.
    dry_run: bool,
    context: &'a Context,
}

/// What a model made of a subject.
pub enum Written {
    /// A plan, and what is still to say of it.
    Plan(Box<Plan>, Vec<String>),
    /// Nothing: it says that the subject is not worth a plan.
    NotWorthIt(String),
    /// Nothing: the question failed, and that was said.
    Failed,
    /// Nothing: no model is bound.
    Nothing,
}

impl<'a> Writer<'a> {
    /// `trusts` is `--trust`; `cost` is what the run took before.
    pub fn new(
        models: &ModelArgs,
        trusts: bool,
        survey: &'a Survey,
        workspace: &'a Workspace,
        cost: &Cost,
        context: &'a Context,
    ) -> Result<Writer<'a>, Failure> {
        let bound = models.bound(Role::Planner, &workspace.settings)?;
        // Who says `--planner none` wants no model at all.
        let reader = if bound.is_some() { models.bound(Role::Verifier, &workspace.settings)? } else { None };
        Ok(Writer {
            bound,
            reader,
            workspace,
            survey,
            copy: ReadingCopy::new(&survey.map, &survey.tree),
            spent: NanoDollars(cost.nano_usd),
            cost: Cost::default(),
            pack: None,
            tryout: Some(Tryout::new(survey, workspace, trusts, context)),
            dry_run: false,
            context,
        })
    }

    /// The same; with `dry_run` it shows requests and sends none.
    pub fn dry(self, dry_run: bool) -> Writer<'a> {
        Writer { dry_run, ..self }
    }

    /// The planner.
    pub fn bound(&self) -> Option<&Bound> {
        self.bound.as_ref()
    }

    /// Says what writing so many plans will cost, and asks where that is much; after a no nobody is asked. `false` is a no.
    pub fn agree(&mut self, plans: usize) -> Result<bool, Failure> {
        if plans == 0 {
            return Ok(true);
        }
        let what = count(plans, "plan to write", "plans to write");
        self.agree_to(&what, |pack_tokens, bound| estimate(plans, pack_tokens, bound))
    }

    /// The same for something else, by its estimate.
    pub fn agree_to(
        &mut self,
        what: &str,
        estimate: impl Fn(u64, &Bound) -> Option<NanoDollars>,
    ) -> Result<bool, Failure> {
        let Some(bound) = self.bound.clone().filter(|_| !self.dry_run) else { return Ok(true) };
        let pack_tokens = (self.pack().len() / CHARACTERS_PER_TOKEN) as u64;
        let estimate = estimate(pack_tokens, &bound);
        let agreed = agreed(&bound, what, estimate, &self.workspace.settings, &self.context.console)?;
        if !agreed {
            self.bound = None;
        }
        Ok(agreed)
    }

    /// Has a plan written.
    pub fn write(&mut self, subject: &Subject<'_>, plan_context: &PlanContext) -> Result<Written, Failure> {
        let reader = self.reader.clone();
        let mut tryout = self.tryout.take();
        let specified = self.ask_aloud("writing a plan", |desk, voice| {
            let mut measure = |plan: &Plan| tryout.as_mut()?.measure(plan, voice);
            Specifier { desk, context: plan_context, reader: reader.as_ref(), measure: &mut measure }.write(subject)
        });
        self.tryout = tryout;
        Ok(match specified? {
            Asked::Answer(Specified::Plan(plan, Remaining { mut faults, unread })) => {
                faults.extend(unread.map(|why| format!("not read cold by another model: {why}")));
                Written::Plan(plan, faults)
            }
            Asked::Answer(Specified::NotWorthIt(why)) => Written::NotWorthIt(why),
            Asked::Failed { .. } => Written::Failed,
            Asked::Nobody => Written::Nothing,
        })
    }

    /// Asks the planner something. What goes wrong is said here.
    pub fn ask<T>(
        &mut self,
        phase: &'static str,
        question: impl FnOnce(&Desk<'_>) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        self.ask_aloud(phase, |desk, _| question(desk))
    }

    /// The same for what has more to say on the way.
    fn ask_aloud<T>(
        &mut self,
        phase: &'static str,
        question: impl FnOnce(&Desk<'_>, &Voice) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        let Some(bound) = self.bound.clone() else { return Ok(Asked::Nobody) };
        let pack = self.pack().to_owned();
        let (map, tree) = (&self.survey.map, &self.survey.tree);
        let asked = self.over(phase, &bound, |session, voice| {
            question(&Desk { session, bound: &bound, map, tree, pack: &pack }, voice)
        })?;
        if matches!(asked, Asked::Failed { again: false }) {
            self.bound = None;
        }
        Ok(asked)
    }

    /// Asks who reads plans cold; the answer comes with its name.
    pub fn read<T>(
        &mut self,
        phase: &'static str,
        question: impl FnOnce(&Session<'_>, &Bound) -> Result<T, ModelError>,
    ) -> Result<Asked<(String, T)>, Failure> {
        let Some(reader) = self.reader.clone() else { return Ok(Asked::Nobody) };
        self.over(phase, &reader, |session, _| Ok((reader.name(), question(session, &reader)?)))
    }

    fn over<T>(
        &mut self,
        phase: &'static str,
        bound: &Bound,
        question: impl FnOnce(&Session<'_>, &Voice) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        // Its bar goes with it: between two questions the terminal belongs to the user.
        let line = Line::open(&self.context.console, self.context.cancel.clone(), self.dry_run)?;
        let agents = agents(&self.copy, self.workspace);
        let session = line.session(&[bound], &agents, self.workspace, self.spent, self.dry_run, self.context);
        line.voice.phase(phase, 1);
        let answer = question(&session, &line.voice);
        let cost = Cost::from(session.summary());
        self.spent = self.spent + NanoDollars(cost.nano_usd);
        self.cost = std::mem::take(&mut self.cost) + cost;
        drop(session);
        drop(line);
        match answer {
            Ok(answer) => Ok(Asked::Answer(answer)),
            Err(ModelError::DryRun) => Ok(Asked::Nobody),
            Err(ModelError::Cancelled) => Err(Failure::interrupted()),
            Err(error) => {
                // The next question would meet a wrong key or a spent budget again.
                let again = !error.stops_all();
                self.context.console.fail(&Failure::from(error));
                Ok(Asked::Failed { again })
            }
        }
    }

    fn pack(&mut self) -> &str {
        self.pack.get_or_insert_with(|| pack(&self.survey.map, self.survey.effects(), &self.survey.tree, PACK_TOKENS))
    }

    /// What the run has taken, `before` included.
    pub fn cost(&self, before: Cost) -> Cost {
        before + self.cost.clone()
    }
}

/// What came of a question.
pub enum Asked<T> {
    /// An answer.
    Answer(T),
    /// Nothing: it failed, and that was said.
    Failed {
        /// The next question may go better.
        again: bool,
    },
    /// Nothing: no model is bound, or none is to be asked.
    Nobody,
}
