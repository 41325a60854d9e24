//! An agent CLI as executor: it edits the files of the worktree with tools of its own, and the host runs the gates when it has ended.
//!
//! What it says counts for nothing, its exit code included: an agent that fails or hangs after it did the step has done the step. What it
//! did with git or outside the scope is taken back before anything is run.

use std::path::Path;

use super::{Bench, BenchError, Carried, Done, ExactEdits, Executor, Stock, Task, book, brief, said};
use crate::gate::runner::RunError;
use crate::model::GUARD;
use crate::model::agent_cli::{AgentCli, AgentFault};
use crate::model::conversation::{Conversation, Opening};
use crate::model::roles::Bound;
use crate::model::session::{Errand, Question, Session};
use crate::model::{ModelError, Role};
use crate::plan::Step;
use crate::receipt::{Halted, WorkReceipt};
use crate::repo_map::RepoMap;
use crate::report::map_outline::CHARACTERS_PER_TOKEN;
use crate::secrets::mask;

/// Times an agent is run for a step: what it does not get right in two it seldom gets right later.
const ATTEMPTS: u32 = 2;
/// Tokens of its prompt, about; it can read the rest.
const PROMPT: usize = 15_000;
/// Tokens it may write for a step, for the estimate of what that costs; our guess, on the high side.
const OUTPUT: u64 = 40_000;
/// Characters kept of what it said at the end.
const LAST_WORDS: usize = 600;
/// Lines at the end of what it said among which a STOP is looked for: programs that print for people print much before.
const STOP_WITHIN: usize = 20;

/// Has an agent CLI carry out steps that do not say exactly what changes.
pub struct AgentExecutor<'a> {
    session: &'a Session<'a>,
    bound: &'a Bound,
    /// As it is run for this.
    agent: AgentCli,
    map: &'a RepoMap,
}

impl<'a> AgentExecutor<'a> {
    /// The executor; `None` where `bound` is no agent, or one that cannot be told to change files. `map` is the repository as the plan's
    /// author saw it.
    pub fn new(session: &'a Session<'a>, bound: &'a Bound, map: &'a RepoMap) -> Option<AgentExecutor<'a>> {
        let agent = bound.agent()?.to_execute()?;
        Some(AgentExecutor { session, bound, agent, map })
    }
}

impl Executor for AgentExecutor<'_> {
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
        let mut receipt = WorkReceipt { model: self.bound.name(), ..WorkReceipt::default() };
        let before = self.session.summary();
        let mut uncounted = false;
        let worked = self.work(task, bench, &mut receipt, &mut uncounted);
        let after = self.session.summary();
        book(&mut receipt, &before, &after);
        if uncounted {
            receipt.nano_usd = None;
        }
        match worked? {
            None => Ok(Carried::Out(Done { placed: Vec::new(), work: Some(Box::new(receipt)) })),
            Some((halted, why)) => {
                receipt.halted = Some(halted);
                Ok(Carried::Halted { halted, why: mask(&why), placed: Vec::new(), work: Box::new(receipt) })
            }
        }
    }
}

/// Why the work ends before the step is done.
type Halt = (Halted, String);

impl AgentExecutor<'_> {
    fn work(
        &self,
        task: &Task<'_>,
        bench: &mut dyn Bench,
        receipt: &mut WorkReceipt,
        uncounted: &mut bool,
    ) -> Result<Option<Halt>, BenchError> {
        let Some(folder) = bench.folder().map(Path::to_owned) else {
            return Ok(Some((Halted::Unanswered, "there is no folder that an agent could work in".to_owned())));
        };
        let mut notes: Vec<String> = Vec::new();
        loop {
            if let Some(name) = self.configured_by(&folder) {
                let agent = &self.agent.name;
                let why = format!(
                    "`{name}` of the repository could say what {agent} runs or whom it asks, and {agent} cannot be told to \
                     leave it aside; bind another executor"
                );
                return Ok(Some((Halted::Unanswered, why)));
            }
            let prompt = self.prompt(task, bench, &notes);
            receipt.attempts += 1;
            receipt.rounds += 1;
            let ran = self.run(task, &prompt, &folder);
            *uncounted |= ran.uncounted;
            receipt.sandbox = ran.sandbox.map(|level| level.word().to_owned()).or(receipt.sandbox.take());
            receipt.calls += u32::try_from(ran.tools).unwrap_or(u32::MAX);
            // Whatever became of it: git is looked after first, since everything else asks git.
            let stock = bench.take_stock()?;
            receipt.edits = u32::try_from(stock.changed.len()).unwrap_or(u32::MAX);
            let fault = match ran.said {
                Ok(text) => {
                    receipt.said = mask(&said::cut(text.trim(), LAST_WORDS));
                    if let Some(why) = stop(&text) {
                        return Ok(Some((Halted::Stopped, said::cut(why, LAST_WORDS))));
                    }
                    None
                }
                Err(ModelError::Cancelled) => return Err(BenchError::Run(RunError::Interrupted)),
                Err(error @ (ModelError::OverBudget { .. } | ModelError::Unpriced { .. })) => {
                    return Ok(Some((Halted::OutOfMoney, error.to_string())));
                }
                Err(error) => Some(error),
            };
            let (halted, why, told) = match self.judge(&stock, fault.as_ref(), bench)? {
                Judged::Done => return Ok(None),
                Judged::Over(halt) => return Ok(Some(halt)),
                Judged::Red { halted, why, told } => (halted, why, told),
            };
            if receipt.attempts >= ATTEMPTS {
                return Ok(Some((halted, why)));
            }
            notes.extend(stock.changed.iter().map(|file| format!("- changed {file}")));
            notes.push(format!("- handed it in, and it is not done: {told}"));
        }
    }

    fn judge(&self, stock: &Stock, fault: Option<&ModelError>, bench: &mut dyn Bench) -> Result<Judged, BenchError> {
        if stock.is_stuck || !stock.outside.is_empty() {
            // Nothing is run: what left the scope may be what would run.
            let why = format!("it changed what is not the step's to change: {}", stock.outside.join("; "));
            if stock.is_stuck {
                return Ok(Judged::Over((Halted::OutOfScope, why)));
            }
            let told = format!("you changed what you may not, and it was put back: {}", stock.outside.join("; "));
            return Ok(Judged::Red { halted: Halted::OutOfScope, why, told });
        }
        let late = fault.is_some_and(is_late);
        if let Some(fault) = fault
            && stock.changed.is_empty()
        {
            let halted = if late { Halted::OutOfTime } else { Halted::Unanswered };
            return Ok(Judged::Over((halted, fault.to_string())));
        }
        let checked = bench.run_gates()?;
        let Some(red) = checked.red else { return Ok(Judged::Done) };
        let why = match fault {
            Some(fault) => format!("{red}; {fault}"),
            None => red.clone(),
        };
        if late {
            return Ok(Judged::Over((Halted::OutOfTime, why)));
        }
        let nothing = if stock.changed.is_empty() { "you changed no file; " } else { "" };
        let told = format!("{nothing}{red}\n\n{}", said::gates(&checked.results));
        Ok(Judged::Red { halted: Halted::RedGates, why, told })
    }

    fn prompt(&self, task: &Task<'_>, bench: &dyn Bench, notes: &[String]) -> String {
        let instructions = include_str!("../../templates/executor/agent.md").trim();
        let shared = brief::shared(task);
        let tokens = PROMPT.saturating_sub(shared.len() / CHARACTERS_PER_TOKEN);
        let step = brief::of_step(task, self.map, bench, notes, tokens);
        // Files are masked in it already; what a plan quotes of gates need not be.
        mask(&format!("{instructions}\n\n{}\n\n{shared}\n\n{step}\n", GUARD.trim()))
    }

    fn run(&self, task: &Task<'_>, prompt: &str, folder: &Path) -> crate::model::session::Ran {
        let opening = Opening { system: String::new(), tools: Vec::new(), output: None };
        let question = Question {
            role: Role::Executor,
            bound: self.bound,
            conversation: &Conversation::new(opening),
            max_output: OUTPUT,
            purpose: "step",
            plan: Some(task.plan_path),
        };
        self.session.run_errand(&question, &Errand { agent: &self.agent, prompt, worktree: folder })
    }

    /// What stands in the worktree by which the repository would configure the agent.
    fn configured_by(&self, folder: &Path) -> Option<&str> {
        let names = self.agent.execute.as_ref().map(|execute| execute.configured_by.as_slice()).unwrap_or_default();
        names.iter().map(String::as_str).find(|name| folder.join(name).symlink_metadata().is_ok())
    }
}

/// What a run came to.
enum Judged {
    Done,
    Over(Halt),
    /// It may be run once more, with `told`.
    Red {
        halted: Halted,
        why: String,
        told: String,
    },
}

/// It was ended because nothing more was to be expected of it, and would do the same again.
fn is_late(error: &ModelError) -> bool {
    let ModelError::Agent { fault, .. } = error else { return false };
    matches!(fault, AgentFault::TimedOut(_) | AgentFault::Idle { .. } | AgentFault::Flooded(_))
}

/// Why it says that the step cannot be carried out, where it does.
fn stop(text: &str) -> Option<&str> {
    let lines = text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    lines
        .take(STOP_WITHIN)
        .find_map(|line| line.trim_matches('*').strip_prefix("STOP:"))
        .map(|why| why.trim_matches(['*', ' ']))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::cancel::Cancel;
    use crate::edit::apply::Changes;
    use crate::executor::Checked;
    use crate::model::agent_cli::{Account, AgentEvent, Agents, Outcome, Task as Run};
    use crate::model::roles::{Because, Via};
    use crate::model::tests::Desk;

    /// An agent that ends in these ways, one after the other.
    struct Ending(Mutex<Vec<AgentFault>>);

    impl Agents for Ending {
        fn run(&self, _: &Run<'_>, _: &mut dyn FnMut(&AgentEvent, &Account), _: &Cancel) -> Outcome {
            Outcome::failed(self.0.lock().expect("no thread panics").remove(0))
        }

        fn state(&self) -> String {
            String::new()
        }
    }

    /// A bench whose agent changed so many files.
    struct Changed {
        folder: PathBuf,
        files: usize,
        green: bool,
        runs: Cell<usize>,
    }

    impl Bench for Changed {
        fn text(&self, _: &str) -> Option<String> {
            None
        }

        fn in_scope(&self, _: &str) -> bool {
            true
        }

        fn write(&mut self, _: &Changes) -> Result<(), BenchError> {
            Ok(())
        }

        fn run_gates(&mut self) -> Result<Checked, BenchError> {
            self.runs.set(self.runs.get() + 1);
            Ok(Checked { results: Vec::new(), red: (!self.green).then(|| "`npm test`: exit 1".to_owned()) })
        }

        fn folder(&self) -> Option<&Path> {
            Some(&self.folder)
        }

        fn take_stock(&mut self) -> Result<Stock, BenchError> {
            Ok(Stock { changed: vec!["a.ts".to_owned(); self.files], ..Stock::default() })
        }
    }

    /// What becomes of a step whose agent ends so: why it halted, how often its gates were run.
    fn ended(faults: Vec<AgentFault>, files: usize, green: bool) -> (Option<Halted>, usize) {
        let agents = Ending(Mutex::new(faults));
        let desk = Desk::new(vec![]);
        let session = Session { agents: &agents, ..desk.session() };
        let agent = AgentCli::of_command("mine {plan}").expect("it names the plan");
        let bound = Bound {
            via: Via::Agent(Box::new(agent)),
            model: String::new(),
            entry: None,
            own_price: None,
            reasoning: None,
            because: Because::Said("test".to_owned()),
        };
        let map = RepoMap::default();
        let executor = AgentExecutor::new(&session, &bound, &map).expect("it carries out steps");
        let text = "# Plan 001: Greet\n\n## Steps\n\n### Step 1: Greet\n\nGreet.\n\n**Verify**: `npm test` → exit 0\n";
        let plan = crate::plan::parse::parse(text).unwrap_or_else(|faults| panic!("{faults:?}"));
        let task = Task {
            plan: &plan,
            plan_text: text,
            plan_path: "plans/001.md",
            index: 0,
            earlier: &[],
            red: &[],
            beginnings: 0,
        };
        let mut bench = Changed { folder: std::env::temp_dir(), files, green, runs: Cell::new(0) };
        let carried = executor.carry_out(&task, &mut bench).expect("the bench is whole");
        let halted = match carried {
            Carried::Halted { halted, .. } => Some(halted),
            Carried::Out(_) | Carried::Refused(_) | Carried::Over => None,
        };
        (halted, bench.runs.get())
    }

    #[test]
    fn an_agent_that_hangs_is_not_run_again_and_what_it_did_until_then_is_judged() {
        let hangs = || vec![AgentFault::Idle { time: Duration::from_secs(600), said: String::new() }];
        assert_eq!(ended(hangs(), 0, false), (Some(Halted::OutOfTime), 0));
        assert_eq!(ended(hangs(), 1, false), (Some(Halted::OutOfTime), 1));
        assert_eq!(ended(hangs(), 1, true), (None, 1));
        assert_eq!(ended(vec![AgentFault::TimedOut(Duration::from_secs(2400))], 0, true), (Some(Halted::OutOfTime), 0));
    }

    #[test]
    fn an_agent_that_fails_without_a_change_is_not_run_again_and_one_that_changed_something_is() {
        let fails = || AgentFault::Failed { how: "exit code 1".to_owned(), said: String::new() };
        assert_eq!(ended(vec![fails()], 0, false), (Some(Halted::Unanswered), 0));
        assert_eq!(ended(vec![fails(), fails()], 1, false), (Some(Halted::RedGates), 2));
        let absent = AgentFault::NotInstalled { program: "mine".to_owned(), install: None };
        assert_eq!(ended(vec![absent], 0, true), (Some(Halted::Unanswered), 0));
    }

    #[test]
    fn a_stop_is_looked_for_at_the_end() {
        assert_eq!(stop("I looked.\n\n**STOP:** there is no `greet`"), Some("there is no `greet`"));
        assert_eq!(stop("STOP: no"), Some("no"));
        assert_eq!(stop("I did not STOP: it went well"), None);
    }
}
