//! What an agent's events come to: its answer, what it took, and what went wrong.

use super::AgentCli;
use super::event::AgentEvent;
use super::fault::AgentFault;
use super::format::FormatName;
use crate::model::money::NanoDollars;
use crate::model::usage::Usage;
use crate::process::{Captured, End, Heard, TalkEnd};
use crate::report::sanitize;
use crate::sandbox::Level;
use crate::secrets::mask_to_send as mask;

/// Refusals of its key in a row after which an agent is not left to try for minutes more: one or two may be a login that is being
/// renewed.
const REFUSALS: u32 = 3;
/// Bytes of a message that are kept, its last ones.
const KEPT: usize = 4 << 20;
/// Characters of what an agent says of a failure.
const SAID: usize = 400;

/// What an agent told so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// The model that answers, by its word.
    pub model: Option<String>,
    /// Its name for the session.
    pub id: Option<String>,
    /// Tokens; `None` where it does not say.
    pub usage: Option<Usage>,
    /// Dollars; `None` where it does not say.
    pub cost: Option<NanoDollars>,
    /// Tokens by part of the work, with the model that took them where that is said.
    pub parts: Vec<(Option<String>, Usage)>,
    /// Tools it used.
    pub tools: u64,
    /// How far it was confined, once that is settled.
    pub sandbox: Option<Level>,
    /// The last message.
    text: String,
    finished: bool,
    understood: bool,
    refusals: u32,
    complaint: Option<Complaint>,
}

#[derive(Debug, Clone, PartialEq)]
struct Complaint {
    message: String,
    status: Option<u16>,
    last: bool,
}

/// What came of running an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What it told.
    pub account: Account,
    /// Its answer, credentials masked.
    pub answer: Result<String, AgentFault>,
}

impl Outcome {
    /// Nothing was told.
    pub fn failed(fault: AgentFault) -> Outcome {
        Outcome { account: Account::default(), answer: Err(fault) }
    }
}

impl Account {
    /// Takes the events of a line that was understood.
    pub fn take_line(&mut self, events: &[AgentEvent]) -> Heard {
        self.understood = true;
        // Kinds of lines that are not known are work all the same.
        let mut life = if events.is_empty() { Heard::Life } else { Heard::Noise };
        for event in events {
            if self.take(event) == Heard::Life {
                life = Heard::Life;
            }
        }
        life
    }

    fn take(&mut self, event: &AgentEvent) -> Heard {
        match event {
            AgentEvent::Started { model, id } => {
                self.model = model.clone().or_else(|| self.model.take());
                self.id = id.clone().or_else(|| self.id.take());
                // A session begins before the key is tried.
                return Heard::Life;
            }
            AgentEvent::Step => self.text.clear(),
            AgentEvent::Text(text) => {
                self.text.push_str(text);
                if self.text.len() > KEPT {
                    let from = (self.text.len() - KEPT / 2..).find(|at| self.text.is_char_boundary(*at));
                    self.text = self.text.split_off(from.unwrap_or_default());
                }
            }
            AgentEvent::ToolUse { .. } => {
                self.tools += 1;
                self.text.clear();
            }
            AgentEvent::Usage { model, usage, cost } => {
                self.parts.push((model.clone(), *usage));
                self.usage = Some(self.usage.unwrap_or_default() + *usage);
                if let Some(cost) = cost {
                    self.cost = Some(self.cost.unwrap_or_default() + *cost);
                }
                return Heard::Life;
            }
            AgentEvent::Result { text } => {
                if let Some(text) = text {
                    text.clone_into(&mut self.text);
                }
                self.finished = true;
            }
            AgentEvent::Error { message, status, last } => {
                self.refusals = if matches!(status, Some(401 | 403)) { self.refusals + 1 } else { 0 };
                // The last words of one failure may leave out what its first ones named.
                let named = self.complaint.as_ref().and_then(|complaint| complaint.status);
                self.complaint = Some(Complaint { message: message.clone(), status: status.or(named), last: *last });
                return Heard::Noise;
            }
        }
        // It got on: what it complained of has passed.
        self.complaint = None;
        self.refusals = 0;
        Heard::Life
    }

    /// Its key was refused so often that nothing will come of it.
    pub fn is_refused(&self) -> bool {
        self.refusals >= REFUSALS
    }

    /// Characters of its message so far.
    pub fn characters(&self) -> usize {
        self.text.len()
    }

    /// What it came to.
    pub(super) fn close(self, agent: &AgentCli, end: TalkEnd, stderr: &Captured, limits: &super::Limits) -> Outcome {
        let answer = self.judge(agent, end, stderr, limits);
        Outcome { account: self, answer }
    }

    fn judge(
        &self,
        agent: &AgentCli,
        end: TalkEnd,
        stderr: &Captured,
        limits: &super::Limits,
    ) -> Result<String, AgentFault> {
        let said = || match &self.complaint {
            Some(complaint) => shortened(&complaint.message),
            None => end_of(stderr),
        };
        let complained = || self.complaint.as_ref().map(|complaint| shortened(&complaint.message)).unwrap_or_default();
        let unauthorized = |said| AgentFault::NotLoggedIn { said, log_in: agent.log_in.clone() };
        let code = match end {
            TalkEnd::Enough => return Err(unauthorized(said())),
            TalkEnd::Flooded => return Err(AgentFault::Flooded(limits.output >> 20)),
            TalkEnd::Idle => return Err(AgentFault::Idle { time: limits.idle, said: complained() }),
            TalkEnd::Child(End::Cancelled) => return Err(AgentFault::Cancelled),
            TalkEnd::Child(End::TimedOut) => return Err(AgentFault::TimedOut(limits.total)),
            TalkEnd::Child(End::Signalled(signal)) => {
                return Err(AgentFault::Failed { how: format!("signal {signal}"), said: said() });
            }
            TalkEnd::Child(End::Exited(code)) => code,
        };
        if agent.unauthorized_exits.contains(&code) {
            return Err(unauthorized(said()));
        }
        match &self.complaint {
            Some(Complaint { status: Some(401 | 403), .. }) if !self.finished => return Err(unauthorized(said())),
            Some(Complaint { status, last: true, .. }) => {
                return Err(AgentFault::GaveUp { said: said(), status: *status });
            }
            Some(_) | None => {}
        }
        match code {
            // It has no way to say more.
            0 if agent.format == FormatName::Text => Ok(mask(self.text.trim())),
            0 if !self.understood => Err(AgentFault::Garbage { said: end_of(stderr) }),
            0 if !self.finished => Err(AgentFault::Unfinished),
            0 if self.text.trim().is_empty() => Err(AgentFault::Empty),
            0 => Ok(mask(&self.text)),
            code => Err(AgentFault::Failed { how: format!("exit code {code}"), said: said() }),
        }
    }
}

fn shortened(text: &str) -> String {
    let text = sanitize::line(text.trim()).into_owned();
    let text = mask(&text);
    match text.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The last lines of what it printed for people, without the traces of where in its code it failed.
fn end_of(stderr: &Captured) -> String {
    let telling = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("at ");
    let lines: Vec<&str> = stderr.lines().filter(telling).collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    shortened(&last.join(" / "))
}
