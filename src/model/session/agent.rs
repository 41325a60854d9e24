//! Questions to an agent CLI: what one is told, what is set aside for it, what its answer is worth.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::judging::{Bill, Judged};
use super::preparing::{Prepared, Way};
use super::{Question, Session};
use crate::model::agent_cli::{Account, AgentCli, AgentEvent, AgentFault, Task, prompt::prompt};
use crate::model::catalogue::{self, Service};
use crate::model::error::ModelError;
use crate::model::money::NanoDollars;
use crate::model::replies::Key;
use crate::model::reply::{Reply, Stop};
use crate::model::roles::Bound;
use crate::model::usage::Usage;
use crate::sandbox::Level;

/// Work for an agent.
pub(super) struct Work<'a> {
    pub(super) agent: &'a AgentCli,
    pub(super) prompt: String,
    /// The folder it is to change; without one it answers.
    worktree: Option<&'a Path>,
    /// Tools it used.
    tools: AtomicU64,
    /// How far it was confined.
    sandbox: OnceLock<Level>,
}

/// Work for an agent that changes files.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// The agent as it is run for that: see [`AgentCli::to_execute`].
    pub agent: &'a AgentCli,
    /// What it is to do.
    pub prompt: &'a str,
    /// Where.
    pub worktree: &'a Path,
}

/// What came of an errand, beside what became of the files.
#[derive(Debug)]
pub struct Ran {
    /// What it said at the end.
    pub said: Result<String, ModelError>,
    /// Tools it used.
    pub tools: u64,
    /// How far it was confined; `None` where it was not run.
    pub sandbox: Option<Level>,
    /// It is done, and nobody knows what it cost: what was set aside for it is booked.
    pub uncounted: bool,
}

/// What is set aside for a question where no price helps to guess: about what a question to a dear model comes to.
const ASIDE: NanoDollars = NanoDollars(1_000_000_000);
/// Tokens that an agent adds to a prompt of ours: its instructions and its tools. Measured with the releases in the table: 5 000 to
/// 29 000.
const OWN_PROMPT: u64 = 20_000;
/// Tokens that it reads on the way, and its rounds; our guess, on the high side.
const READ: u64 = 30_000;
const ROUNDS: u64 = 15;

impl<'a> Prepared<'a> {
    /// A question to `agent`. `state` names what it can read: the same words about other files are another question.
    pub(super) fn for_agent(question: &'a Question<'a>, agent: &'a AgentCli, state: &str) -> Prepared<'a> {
        let prompt = prompt(question.conversation, agent.tells_schema);
        // What it may spend is no part of the question: a kept answer holds for any budget.
        let arguments = arguments(question, agent, None);
        let body = json!({ "program": agent.program, "arguments": arguments, "prompt": prompt });
        let key = Key::of(&format!("agent:{}:{state}", agent.name), &body);
        let size = prompt.len() as u64;
        Prepared {
            key,
            body,
            size,
            max_output: question.max_output,
            prompt: size.div_ceil(3) + OWN_PROMPT,
            way: Way::Agent(Work { agent, prompt, worktree: None, tools: AtomicU64::new(0), sandbox: OnceLock::new() }),
            question,
        }
    }
}

fn arguments(question: &Question<'_>, agent: &AgentCli, cap: Option<NanoDollars>) -> Vec<String> {
    let bound = question.bound;
    let model = Some(bound.model.as_str()).filter(|model| !model.is_empty());
    agent.command_line(model, bound.reasoning.filter(|_| bound.takes_reasoning()), cap, schema(question))
}

fn schema<'a>(question: &Question<'a>) -> Option<&'a Value> {
    question.conversation.opening().output.as_ref().map(|output| &output.schema)
}

/// What a question to an agent may cost about: it makes as many calls as it likes, so nobody can say it exactly.
pub(super) fn about(bound: &Bound, prompt: u64, max_output: u64) -> Option<NanoDollars> {
    let Some(price) = bound.price() else {
        return bound.is_counted().then_some(ASIDE);
    };
    let usage = Usage {
        write_5m: prompt.saturating_add(READ),
        cache_read: prompt.saturating_add(READ / 2).saturating_mul(ROUNDS),
        output: max_output,
        ..Usage::default()
    };
    Some(price.cost(&usage, Service::Standard))
}

impl Session<'_> {
    /// Has the agent of `question` change files. Nothing of it is kept: the same words on other files are other work.
    pub fn run_errand(&self, question: &Question<'_>, errand: &Errand<'_>) -> Ran {
        let Errand { agent, prompt, worktree } = *errand;
        let arguments = arguments(question, agent, None);
        let body = json!({ "program": agent.program, "arguments": arguments, "prompt": prompt });
        let size = prompt.len() as u64;
        let prepared = Prepared {
            key: Key::of("errand", &body),
            body,
            size,
            max_output: question.max_output,
            prompt: size.div_ceil(3) + OWN_PROMPT,
            way: Way::Agent(Work {
                agent,
                prompt: prompt.to_owned(),
                worktree: Some(worktree),
                tools: AtomicU64::new(0),
                sandbox: OnceLock::new(),
            }),
            question,
        };
        let said = self.at_most(&prepared).and_then(|at_most| {
            let event = super::Event::Ready { question, body: &prepared.body, prompt: prepared.prompt, at_most };
            self.listener.event(&event);
            self.try_until_answered(&prepared, at_most)
        });
        let (tools, sandbox) = match &prepared.way {
            Way::Agent(work) => (work.tools.load(Ordering::Relaxed), work.sandbox.get().copied()),
            Way::Server(_) => (0, None),
        };
        let uncounted = said.as_ref().is_ok_and(|(reply, _)| reply.cost.is_none());
        Ran { said: said.map(|(reply, _)| reply.text), tools, sandbox, uncounted }
    }

    /// Runs the agent once. It tries again by itself where that may help.
    pub(super) fn run_agent(&self, prepared: &Prepared<'_>, work: &Work<'_>, aside: Option<NanoDollars>) -> Judged {
        let question = prepared.question;
        let cap = aside.filter(|_| self.budget.limit().is_some());
        let arguments = arguments(question, work.agent, cap);
        let schema = schema(question);
        let Work { agent, prompt, worktree, tools, sandbox } = work;
        let task = Task { agent, arguments: &arguments, prompt, schema, worktree: *worktree };
        let mut heard = |_: &AgentEvent, account: &Account| {
            tools.store(account.tools, Ordering::Relaxed);
            let characters = account.characters();
            self.listener.event(&super::Event::Heard { purpose: question.purpose, characters });
        };
        let outcome = self.agents.run(&task, &mut heard, &self.cancel);
        let account = outcome.account;
        if let Some(level) = account.sandbox {
            let _ = sandbox.set(level);
        }
        let cost = account.cost.or_else(|| counted(question.bound, work.agent, &account));
        match outcome.answer {
            Ok(text) => {
                let reply = Reply {
                    raw: json!({ "text": text }),
                    text,
                    calls: Vec::new(),
                    stop: Stop::End,
                    usage: account.usage,
                    cost,
                    model: account.model,
                    id: account.id,
                };
                let body = kept(&reply);
                Judged::Answered { reply: Box::new(reply), body, request_id: None }
            }
            Err(fault) => {
                let bill = Bill { billed: fault.may_be_billed(), usage: account.usage, cost };
                let error = match fault {
                    AgentFault::Cancelled => ModelError::Cancelled,
                    fault => ModelError::Agent { model: question.bound.name(), fault },
                };
                Judged::Failed { error, passes: false, asked: None, request_id: account.id, bill }
            }
        }
    }
}

/// What an agent's tokens cost by the table, where it names no sum. `None` where a part of them has no price.
fn counted(bound: &Bound, agent: &AgentCli, account: &Account) -> Option<NanoDollars> {
    let price = |model: &Option<String>| {
        let named = model.as_deref().or(account.model.as_deref());
        let named = named.and_then(|id| catalogue::entry(agent.prices.as_deref()?, id)).map(|entry| &entry.price);
        bound.own_price.as_ref().or(named).or_else(|| bound.price())
    };
    let cost = |(model, usage): &(Option<String>, Usage)| Some(price(model)?.cost(usage, Service::Standard));
    if account.parts.is_empty() { None } else { account.parts.iter().map(cost).sum() }
}

/// An answer as it is kept.
fn kept(reply: &Reply) -> Value {
    json!({ "text": reply.text, "usage": reply.usage, "cost": reply.cost, "model": reply.model, "id": reply.id })
}

/// Reads a kept answer.
pub(super) fn read_kept(body: &Value) -> Option<Reply> {
    let field = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
    let text: String = serde_json::from_value(field("text")).ok()?;
    Some(Reply {
        raw: json!({ "text": text }),
        text,
        calls: Vec::new(),
        stop: Stop::End,
        usage: serde_json::from_value(field("usage")).ok()?,
        cost: serde_json::from_value(field("cost")).ok()?,
        model: serde_json::from_value(field("model")).ok()?,
        id: serde_json::from_value(field("id")).ok()?,
    })
}
