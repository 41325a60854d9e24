//! A planner at work for a command: whom it asks, what that takes, what is said when it fails.

use std::sync::{Mutex, MutexGuard, PoisonError};

use improve::model::cost::Cost;
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{ModelError, NanoDollars, Role};
use improve::plan::Plan;
use improve::planner::asking::Desk;
use improve::planner::built_in::PlanContext;
use improve::planner::pack::{PACK_TOKENS, pack};
use improve::planner::reading_copy::ReadingCopy;
use improve::planner::specify::{Remaining, Specified, Specifier, Subject, estimate};
use improve::report::map_outline::CHARACTERS_PER_TOKEN;
use improve::survey::Survey;

use super::Context;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{Foreseen, Line, ModelArgs, Voice, agents, agreed, batcher, budget, foretell, reading_copy};
use super::planning::{Manner, count};
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
    manner: Manner,
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

impl Written {
    fn of(specified: Specified) -> Written {
        match specified {
            Specified::Plan(plan, Remaining { mut faults, unread }) => {
                faults.extend(unread.map(|why| format!("not read cold by another model: {why}")));
                Written::Plan(plan, faults)
            }
            Specified::NotWorthIt(why) => Written::NotWorthIt(why),
        }
    }
}

/// What a thread left behind when it panicked is whole: it is lent and given back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            copy: reading_copy(survey, workspace),
            spent: NanoDollars(cost.nano_usd),
            cost: Cost::default(),
            pack: None,
            tryout: Some(Tryout::new(survey, workspace, trusts, context)),
            manner: Manner { dry_run: false, batch: false },
            context,
        })
    }

    /// The same, asking in another manner.
    pub fn in_manner(self, manner: Manner) -> Writer<'a> {
        Writer { manner, ..self }
    }

    /// Plans are written all at once, and nothing is known of the first before the last is done.
    pub fn goes_by_batch(&self) -> bool {
        self.manner.batch
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
        let Some((bound, estimate)) = self.estimated(estimate) else { return Ok(true) };
        let (settings, console) = (&self.workspace.settings, &self.context.console);
        if self.manner.dry_run {
            foretell(&bound, what, estimate, Foreseen::FirstRound, settings, console);
            return Ok(true);
        }
        let agreed = agreed(&bound, what, estimate, settings, console)?;
        if !agreed {
            self.bound = None;
        }
        Ok(agreed)
    }

    /// Says in a dry run what writing so many plans would take.
    pub fn foretell(&mut self, plans: usize) {
        let estimated = self.estimated(|pack_tokens, bound| estimate(plans, pack_tokens, bound));
        if let Some((bound, estimate)) = estimated.filter(|_| plans > 0) {
            let what = count(plans, "plan to write", "plans to write");
            foretell(&bound, &what, estimate, Foreseen::Nothing, &self.workspace.settings, &self.context.console);
        }
    }

    /// The planner, and what something costs there.
    fn estimated(
        &mut self,
        estimate: impl Fn(u64, &Bound) -> Option<NanoDollars>,
    ) -> Option<(Bound, Option<NanoDollars>)> {
        let bound = self.bound.clone()?;
        let pack_tokens = (self.pack().len() / CHARACTERS_PER_TOKEN) as u64;
        let estimate = estimate(pack_tokens, &bound).map(|whole| self.manner.price(whole));
        Some((bound, estimate))
    }

    /// Has a plan written.
    pub fn write(&mut self, subject: &Subject<'_>, plan_context: &PlanContext) -> Result<Written, Failure> {
        let specified = self.specify("writing a plan", 1, plan_context, |specifier, _| specifier.write(subject))?;
        Ok(match specified {
            Asked::Answer(specified) => Written::of(specified),
            Asked::Failed { .. } => Written::Failed,
            Asked::Nobody => Written::Nothing,
        })
    }

    /// Has plans written whose questions go together; the result has one entry for each subject, in order.
    pub fn write_all(&mut self, subjects: &[Subject<'_>], plan_context: &PlanContext) -> Result<Vec<Written>, Failure> {
        let specified = self.specify("writing plans", subjects.len(), plan_context, |specifier, voice| {
            specifier.write_all(subjects, &|| voice.tick(1))
        })?;
        let several = |one: fn() -> Written| subjects.iter().map(|_| one()).collect();
        let all = match specified {
            Asked::Answer(all) => all,
            Asked::Failed { .. } => return Ok(several(|| Written::Failed)),
            Asked::Nobody => return Ok(several(|| Written::Nothing)),
        };
        let mut said: Vec<ModelError> = Vec::new();
        let mut written = |specified: Result<Specified, ModelError>| match specified {
            Ok(specified) => Written::of(specified),
            Err(error) => {
                if !said.contains(&error) {
                    self.context.console.fail(&Failure::from(error.clone()));
                    said.push(error);
                }
                Written::Failed
            }
        };
        if all.iter().any(|specified| matches!(specified, Err(ModelError::Cancelled))) {
            return Err(Failure::interrupted());
        }
        Ok(all.into_iter().map(&mut written).collect())
    }

    fn specify<T>(
        &mut self,
        phase: &'static str,
        plans: usize,
        plan_context: &PlanContext,
        work: impl FnOnce(&Specifier<'_>, &Voice) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        let reader = self.reader.clone();
        // One worktree to try commands in: plans that are written at once take turns.
        let tryout = Mutex::new(self.tryout.take());
        let answer = self.ask_aloud(phase, plans, |desk, voice| {
            let measure = |plan: &Plan| lock(&tryout).as_mut()?.measure(plan, voice);
            let specifier = Specifier { desk, context: plan_context, reader: reader.as_ref(), measure: &measure };
            work(&specifier, voice)
        });
        self.tryout = tryout.into_inner().unwrap_or_else(PoisonError::into_inner);
        answer
    }

    /// Asks the planner something. What goes wrong is said here.
    pub fn ask<T>(
        &mut self,
        phase: &'static str,
        question: impl FnOnce(&Desk<'_>) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        self.ask_aloud(phase, 1, |desk, _| question(desk))
    }

    /// The same for what has more to say on the way.
    fn ask_aloud<T>(
        &mut self,
        phase: &'static str,
        questions: usize,
        question: impl FnOnce(&Desk<'_>, &Voice) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        let Some(bound) = self.bound.clone() else { return Ok(Asked::Nobody) };
        let pack = self.pack().to_owned();
        let (map, tree) = (&self.survey.map, &self.survey.tree);
        let asked = self.over(phase, questions, &bound, |session, voice| {
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
        self.over(phase, 1, &reader, |session, _| Ok((reader.name(), question(session, &reader)?)))
    }

    fn over<T>(
        &mut self,
        phase: &'static str,
        questions: usize,
        bound: &Bound,
        question: impl FnOnce(&Session<'_>, &Voice) -> Result<T, ModelError>,
    ) -> Result<Asked<T>, Failure> {
        // Its bar goes with it: between two questions the terminal belongs to the user.
        let Manner { dry_run, batch } = self.manner;
        let line = Line::open(&self.context.console, self.context.cancel.clone(), dry_run)?;
        let agents = agents(&self.copy, self.workspace);
        let budget = budget(&[bound], self.workspace, self.spent);
        let session = Session {
            batcher: batch.then(|| batcher(self.workspace)).flatten(),
            ..line.session(&agents, self.workspace, &budget, dry_run, self.context)
        };
        line.voice.phase(phase, questions);
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
