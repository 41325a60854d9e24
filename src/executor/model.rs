//! A model as executor: it reads, edits and runs gates through tools, within limits, until the step's gates are green or it is
//! clear that it will not get there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::advisor::Advisor;
use super::limits::{Limits, Reached, Watch, fingerprint};
use super::{Bench, BenchError, Carried, Checked, Done, ExactEdits, Executor, Task, book, brief, said, tools};
use crate::edit::apply::{Message, Placement, apply};
use crate::edit::explain::EditFailure;
use crate::edit::profile::{MAX_WHOLE_LINES, Profile};
use crate::edit::surface::Surface;
use crate::edit::{EditOperation, FileEdit};
use crate::gate::runner::RunError;
use crate::model::GUARD;
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::error::ReplyFault;
use crate::model::reply::{Reply, Stop, ToolCall, ToolInput};
use crate::model::roles::Bound;
use crate::model::session::{Question, Session};
use crate::model::structured::parsed;
use crate::model::{ModelError, Role};
use crate::plan::Step;
use crate::receipt::{Halted, QuestionReceipt, WorkReceipt};
use crate::repo_map::RepoMap;
use crate::report::map_outline::CHARACTERS_PER_TOKEN;
use crate::secrets::mask;

/// Tokens of one answer, thinking included: a whole file of moderate length fits.
const MAX_OUTPUT: u64 = 16_000;
/// Share of the context that the brief may take, in percent; the rest is for the work.
const BRIEF: usize = 60;
/// Characters kept of what the model said at the end.
const LAST_WORDS: usize = 600;
/// Characters of a question to the planner.
const QUESTION: usize = 2_000;

/// Has a model carry out steps that do not say exactly what changes.
pub struct ModelExecutor<'a> {
    /// Asks, and keeps the books.
    pub session: &'a Session<'a>,
    /// The model.
    pub bound: &'a Bound,
    /// The repository as the plan's author saw it: for signatures of neighbours.
    pub map: &'a RepoMap,
    /// Who answers questions about the plan.
    pub advisor: Option<&'a dyn Advisor>,
    /// What a step may take.
    pub limits: Limits,
}

impl Executor for ModelExecutor<'_> {
    fn name(&self, step: &Step) -> String {
        if step.edits.is_empty() { self.bound.name() } else { ExactEdits.name(step) }
    }

    fn can_mend(&self) -> bool {
        true
    }

    fn carry_out(&self, task: &Task<'_>, bench: &mut dyn Bench) -> Result<Carried, BenchError> {
        if !task.step().edits.is_empty() {
            return ExactEdits.carry_out(task, bench);
        }
        Work::new(self, task, bench).run()
    }
}

/// Why the work on a step ends before it is done.
enum End {
    Halted(Halted, String),
    Broken(BenchError),
}

impl From<Reached> for End {
    fn from((halted, why): Reached) -> End {
        End::Halted(halted, why)
    }
}

impl From<BenchError> for End {
    fn from(error: BenchError) -> End {
        End::Broken(error)
    }
}

/// The work on one step.
struct Work<'w, 'e> {
    executor: &'w ModelExecutor<'e>,
    task: &'w Task<'w>,
    bench: &'w mut dyn Bench,
    watch: Watch,
    profile: Profile,
    /// The syntax in use, and replies in a row whose edits in it were refused.
    surface: Surface,
    misses: usize,
    receipt: WorkReceipt,
    placed: Vec<Placement>,
    /// Files that were changed, as they were at first.
    originals: BTreeMap<String, Option<String>>,
    /// What was done, for a conversation that begins in the middle of it.
    notes: Vec<String>,
    gate_runs: u32,
    renewals: u32,
    /// It was said once that nothing was changed.
    reminded: bool,
    /// Edits of the reply that is read were refused.
    missed: bool,
}

impl<'w, 'e> Work<'w, 'e> {
    fn new(executor: &'w ModelExecutor<'e>, task: &'w Task<'w>, bench: &'w mut dyn Bench) -> Work<'w, 'e> {
        let profile = Profile::for_model(&executor.bound.model);
        Work {
            executor,
            task,
            bench,
            watch: Watch::new(executor.limits, executor.session.clock.now()),
            surface: profile.first(),
            profile,
            misses: 0,
            receipt: WorkReceipt { model: executor.bound.name(), ..WorkReceipt::default() },
            placed: Vec::new(),
            originals: BTreeMap::new(),
            notes: Vec::new(),
            gate_runs: 0,
            renewals: 0,
            reminded: false,
            missed: false,
        }
    }

    fn run(mut self) -> Result<Carried, BenchError> {
        let before = self.executor.session.summary();
        let worked = self.work();
        let after = self.executor.session.summary();
        book(&mut self.receipt, &before, &after);
        self.receipt.rounds = self.watch.rounds();
        self.receipt.syntax = self.surface.to_string();
        match worked {
            Ok(()) => Ok(Carried::Out(Done { placed: self.placed, work: Some(Box::new(self.receipt)) })),
            Err(End::Broken(error)) => Err(error),
            Err(End::Halted(halted, why)) => {
                self.receipt.halted = Some(halted);
                let (placed, work) = (self.placed, Box::new(self.receipt));
                Ok(Carried::Halted { halted, why: mask(&why), placed, work })
            }
        }
    }

    fn work(&mut self) -> Result<(), End> {
        let mut conversation = self.begin();
        loop {
            self.watch.round(self.executor.session.clock.now())?;
            let reply = match self.ask(&conversation)? {
                Some(reply) => reply,
                None => {
                    conversation = self.renew()?;
                    continue;
                }
            };
            match &reply.stop {
                Stop::Length => {
                    // A call that was cut must not be answered, so the reply is not kept.
                    self.watch.usable(false)?;
                    let told =
                        format!("Your answer was cut off at {MAX_OUTPUT} tokens. Make smaller edits, one at a time.");
                    conversation.add(Part::Text(told));
                    continue;
                }
                Stop::Refused(category) => {
                    let category = category.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
                    return Err(End::Halted(Halted::Refused, format!("the model would not{category}")));
                }
                Stop::Paused => {
                    conversation.keep(&reply);
                    continue;
                }
                Stop::End | Stop::ToolCalls | Stop::ContextFull | Stop::Other(_) => {}
            }
            conversation.keep(&reply);
            let before = self.surface;
            let answers = if reply.calls.is_empty() { self.without_calls(&reply)? } else { self.calls(&reply.calls)? };
            let Some(answers) = answers else { return Ok(()) };
            if std::mem::take(&mut self.missed) {
                self.misses += 1;
            }
            let next = next_surface(&self.profile, self.surface, self.misses, self.longest());
            if next != self.surface {
                self.surface = next;
                self.misses = 0;
            }
            let full = self.is_full(&reply, &answers);
            conversation.tell(answers);
            if before != self.surface {
                // Tools never change within a conversation.
                conversation = self.begin();
            } else if full {
                conversation = self.renew()?;
            }
        }
    }

    /// A conversation about the step as it is now.
    fn begin(&self) -> Conversation {
        let limits = &self.executor.limits;
        let surface = self.surface;
        let instructions = include_str!("../../templates/executor/step.md");
        let syntax = "Change files with `edit`, in the syntax it describes; `create` and `delete` are for whole files.";
        let system = format!("{}\n\n{}", instructions.trim().replace("@syntax", syntax), GUARD.trim());
        let tools = tools::tools(surface, limits, self.executor.advisor.is_some());
        let mut conversation = Conversation::new(Opening { system, tools, output: None });
        let shared = brief::shared(self.task);
        let tokens = (limits.context * BRIEF / 100).saturating_sub(shared.len() / CHARACTERS_PER_TOKEN);
        let step = brief::of_step(self.task, self.executor.map, self.bench, &self.notes, tokens);
        conversation.tell([Part::Shared(shared), Part::Text(step)]);
        conversation
    }

    /// The same where a conversation has grown too long.
    fn renew(&mut self) -> Result<Conversation, End> {
        self.renewals += 1;
        if self.renewals > self.executor.limits.renewals {
            let tokens = self.executor.limits.context;
            return Err(End::Halted(Halted::OutOfContext, format!("the step does not fit {tokens} tokens of context")));
        }
        Ok(self.begin())
    }

    /// Whether the next question would be longer than a conversation may be.
    fn is_full(&self, reply: &Reply, answers: &[Part]) -> bool {
        let Some(usage) = &reply.usage else { return false };
        let told: usize = answers.iter().map(length).sum();
        usage.prompt() + usage.output + (told / CHARACTERS_PER_TOKEN) as u64 > self.executor.limits.context as u64
    }

    /// A reply; `None` where the conversation does not fit the model.
    fn ask(&self, conversation: &Conversation) -> Result<Option<Reply>, End> {
        let asked = self.executor.session.ask(&Question {
            role: Role::Executor,
            bound: self.executor.bound,
            conversation,
            max_output: MAX_OUTPUT,
            purpose: "step",
            plan: Some(self.task.plan_path),
        });
        match asked {
            Ok(reply) => Ok(Some(reply)),
            Err(ModelError::Cancelled) => Err(End::Broken(BenchError::Run(RunError::Interrupted))),
            Err(ModelError::Unusable { fault: ReplyFault::ContextFull, .. }) => Ok(None),
            Err(error @ (ModelError::OverBudget { .. } | ModelError::Unpriced { .. })) => {
                Err(End::Halted(Halted::OutOfMoney, error.to_string()))
            }
            Err(error) => Err(End::Halted(Halted::Unanswered, error.to_string())),
        }
    }

    /// What is told after a reply that calls no tool: it hands the step in, or writes its edits as text. `None` is done.
    fn without_calls(&mut self, reply: &Reply) -> Result<Option<Vec<Part>>, End> {
        if let Some(surface) = written_as(&reply.text) {
            let answer = match surface.read_text(&reply.text) {
                Ok(edits) => self.edit(&edits)?,
                Err(failures) => self.refuse(&failures)?,
            };
            let (Ok(answer) | Err(answer)) = answer;
            return Ok(Some(vec![Part::Text(answer)]));
        }
        self.receipt.said = mask(&said::cut(reply.text.trim(), LAST_WORDS));
        if self.is_unchanged() && !self.reminded {
            self.reminded = true;
            self.watch.usable(false)?;
            let told = "You changed no file. Carry out the step now. If it is done already, say so; if it cannot be done, call `stop`.";
            return Ok(Some(vec![Part::Text(told.to_owned())]));
        }
        self.watch.usable(true)?;
        self.receipt.attempts += 1;
        let checked = self.gates()?;
        let Some(why) = checked.red else { return Ok(None) };
        let limit = self.executor.limits.attempts;
        if self.receipt.attempts >= limit {
            return Err(End::Halted(Halted::RedGates, why));
        }
        let told =
            format!("The step is not done: {why}\n\n{}\nYou may hand it in once more.", said::gates(&checked.results));
        Ok(Some(vec![Part::Text(told)]))
    }

    /// What is told after a reply that calls tools.
    fn calls(&mut self, calls: &[ToolCall]) -> Result<Option<Vec<Part>>, End> {
        let mut answers = Vec::new();
        let mut usable = false;
        for call in calls {
            self.receipt.calls += 1;
            let answer = match &call.input {
                ToolInput::Unreadable(_) => Err("the input is no JSON object".to_owned()),
                ToolInput::Json(input) => {
                    self.watch.call(&call.name, input, self.files())?;
                    let answer = self.call(&call.name, input)?;
                    usable |= answer.is_ok();
                    answer
                }
            };
            let failed = answer.is_err();
            let (Ok(content) | Err(content)) = answer;
            answers.push(Part::ToolResult { id: call.id.clone(), name: call.name.clone(), content, failed });
        }
        self.watch.usable(usable)?;
        Ok(Some(answers))
    }

    /// What one call gives, or why it gives nothing.
    fn call(&mut self, name: &str, input: &Value) -> Result<Result<String, String>, End> {
        match name {
            tools::READ => Ok(self.read(input)),
            tools::EDIT => match written_in(input).unwrap_or(self.surface).read(input) {
                Ok(edits) => self.edit(&edits),
                Err(failures) => self.refuse(&failures),
            },
            tools::CREATE => self.with(input, |work, tools::Create { file, text }| {
                work.edit(&[FileEdit { file, operation: EditOperation::Create(text) }])
            }),
            tools::DELETE => self.with(input, |work, tools::Delete { file }| {
                work.edit(&[FileEdit { file, operation: EditOperation::Delete }])
            }),
            tools::RUN_GATE => self.run_gate(),
            tools::ASK_PLANNER => self.with(input, |work, tools::AskPlanner { question }| work.ask_planner(&question)),
            tools::STOP => self.with(input, |_, tools::Stop { reason }| {
                Err(End::Halted(Halted::Stopped, said::cut(reason.trim(), LAST_WORDS)))
            }),
            _ => Ok(Err(format!("there is no tool `{name}`"))),
        }
    }

    fn with<T: DeserializeOwned + schemars::JsonSchema>(
        &mut self,
        input: &Value,
        then: impl FnOnce(&mut Self, T) -> Result<Result<String, String>, End>,
    ) -> Result<Result<String, String>, End> {
        match parsed(input) {
            Ok(input) => then(self, input),
            Err(why) => Ok(Err(why)),
        }
    }

    fn read(&self, input: &Value) -> Result<String, String> {
        let input: tools::Read = parsed(input)?;
        match self.bench.text(&input.file) {
            Some(text) => tools::lines(&input, &text),
            None => Err(format!("there is no text file `{}`", input.file)),
        }
    }

    fn edit(&mut self, edits: &[FileEdit]) -> Result<Result<String, String>, End> {
        let paths = edits.iter().flat_map(|edit| edit.paths());
        let texts: BTreeMap<String, Option<String>> =
            paths.map(|path| (path.to_owned(), self.bench.text(path))).collect();
        let applied = {
            let in_scope = |path: &str| self.bench.in_scope(path);
            apply(&Message { texts: &texts, edits, in_scope: &in_scope, preimages: &BTreeMap::new() })
        };
        let changes = match applied {
            Ok(changes) => changes,
            Err(failures) => return self.refuse(&failures),
        };
        self.bench.write(&changes)?;
        self.misses = 0;
        self.receipt.edits += 1;
        for file in changes.files.keys() {
            self.originals.entry(file.clone()).or_insert_with(|| texts.get(file).cloned().flatten());
            self.notes.push(format!("- changed {file}"));
        }
        self.notes.dedup();
        let told = said::placed(&changes);
        self.placed.extend(changes.placed);
        let files = self.files();
        self.watch.edited(files)?;
        Ok(Ok(told))
    }

    fn refuse(&mut self, failures: &[EditFailure]) -> Result<Result<String, String>, End> {
        self.receipt.refused += u32::try_from(failures.len()).unwrap_or(u32::MAX);
        self.missed = true;
        Ok(Err(said::refused(failures)))
    }

    fn run_gate(&mut self) -> Result<Result<String, String>, End> {
        if self.gate_runs >= self.executor.limits.gate_runs {
            return Ok(Err("no more runs: hand the step in by answering without a call".to_owned()));
        }
        self.gate_runs += 1;
        let checked = self.gates()?;
        let word = if checked.red.is_some() { "" } else { "\nThe step is done: hand it in." };
        Ok(Ok(format!("{}{word}", said::gates(&checked.results))))
    }

    fn gates(&mut self) -> Result<Checked, End> {
        let checked = self.bench.run_gates()?;
        let took: u64 = checked.results.iter().map(|result| result.duration_ms).sum();
        let red = checked.red.is_some();
        if let Some(why) = &checked.red {
            self.notes.push(format!("- ran the gates: {why}"));
        }
        self.watch.gates(Duration::from_millis(took), red.then_some(&checked.results))?;
        Ok(checked)
    }

    fn ask_planner(&mut self, question: &str) -> Result<Result<String, String>, End> {
        let Some(advisor) = self.executor.advisor else { return Ok(Err("there is no planner to ask".to_owned())) };
        let asked = self.task.earlier.iter().filter_map(|step| step.work.as_ref()).map(|work| work.questions.len());
        let limit = self.executor.limits.questions as usize;
        if asked.sum::<usize>() + self.receipt.questions.len() >= limit {
            return Ok(Err(format!("the plan's {limit} questions are asked: decide by the plan, or call `stop`")));
        }
        let question = mask(&said::cut(question.trim(), QUESTION));
        match advisor.answer(self.task, &question) {
            Ok(answer) => {
                self.notes.push(format!("- asked the planner: {question}\n  it answered: {answer}"));
                self.receipt.questions.push(QuestionReceipt { question, answer: answer.clone() });
                Ok(Ok(answer))
            }
            Err(ModelError::Cancelled) => Err(End::Broken(BenchError::Run(RunError::Interrupted))),
            Err(error) => Ok(Err(format!("the planner cannot be asked: {error}"))),
        }
    }

    /// Lines of the longest file that the plan may change.
    fn longest(&self) -> usize {
        let paths = self.task.plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref());
        paths.filter_map(|path| self.bench.text(path)).map(|text| text.lines().count()).max().unwrap_or(0)
    }

    fn is_unchanged(&self) -> bool {
        self.files() == 0
    }

    /// The files as they are now, as a number; 0 is how they were at first.
    fn files(&self) -> u64 {
        let differing: Vec<(&String, Option<String>)> = self
            .originals
            .iter()
            .map(|(file, original)| (file, original, self.bench.text(file)))
            .filter(|(_, original, now)| *original != now)
            .map(|(file, _, now)| (file, now))
            .collect();
        if differing.is_empty() { 0 } else { fingerprint(&differing) }
    }
}

/// The syntax to go on in after so many misses: a long file is not asked for as a whole.
fn next_surface(profile: &Profile, surface: Surface, misses: usize, longest: usize) -> Surface {
    match profile.step_down(surface, misses) {
        Surface::WholeFile if longest > MAX_WHOLE_LINES => surface,
        next => next,
    }
}

/// The syntax of the arguments of `edit`, where they show it: some models use the one they know best, whatever they were told.
fn written_in(input: &Value) -> Option<Surface> {
    let text = input.get("text").and_then(Value::as_str);
    match (input.get("old"), input.get("file"), text) {
        (Some(_), _, _) => Some(Surface::OldNew),
        (None, None, Some(text)) => written_as(text),
        (None, Some(_), Some(text)) => Some(written_as(text).unwrap_or(Surface::WholeFile)),
        (None, _, None) => None,
    }
}

/// The syntax of edits that stand in a reply: some models write them as text rather than calling a tool.
fn written_as(text: &str) -> Option<Surface> {
    if text.contains("<<<<<<< SEARCH") {
        Some(Surface::SearchReplace)
    } else if text.contains("*** Begin Patch") {
        Some(Surface::ApplyPatch)
    } else {
        None
    }
}

fn length(part: &Part) -> usize {
    match part {
        Part::Text(text) | Part::Shared(text) => text.len(),
        Part::ToolResult { content, .. } => content.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_not_asked_for_as_a_whole() {
        let profile = Profile::for_model("anthropic/claude-haiku-5-5");
        let next = |surface, longest| next_surface(&profile, surface, 2, longest);
        assert_eq!(next(Surface::OldNew, 5_000), Surface::SearchReplace);
        assert_eq!(next(Surface::SearchReplace, MAX_WHOLE_LINES), Surface::WholeFile);
        assert_eq!(next(Surface::SearchReplace, MAX_WHOLE_LINES + 1), Surface::SearchReplace);
    }
}
