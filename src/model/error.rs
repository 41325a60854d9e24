//! What can go wrong between a question and its answer, each with what to do about it.

use std::time::Duration;

use super::agent_cli::AgentFault;
use super::batch::BatchFault;
use super::money::NanoDollars;
use crate::hint::Hint;
use crate::http::TransportFault;

/// A question that got no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No key is set.
    #[error("{provider}: no API key")]
    NoKey {
        /// The provider.
        provider: String,
        /// Variables that may hold it.
        variables: Vec<String>,
    },
    /// The server said no, and would say so again.
    #[error("{model}: {refusal}")]
    Refused {
        /// `provider/model`.
        model: String,
        /// What it said.
        refusal: Refusal,
    },
    /// The server said no as often as the policy asks.
    #[error("{model}: {refusal}, {attempts} times")]
    Exhausted {
        /// `provider/model`.
        model: String,
        /// What it said last.
        refusal: Refusal,
        /// Calls made.
        attempts: u32,
    },
    /// The server could not be spoken to.
    #[error("{model}: {fault}")]
    Unreachable {
        /// `provider/model`.
        model: String,
        /// What went wrong on the wire.
        fault: TransportFault,
    },
    /// A batch gave no answer.
    #[error("{model}: {fault}")]
    Batch {
        /// `provider/model`.
        model: String,
        /// Why.
        fault: BatchFault,
    },
    /// The answer cannot be used.
    #[error("{model}: {fault}")]
    Unusable {
        /// `provider/model`.
        model: String,
        /// What is wrong with it.
        fault: ReplyFault,
    },
    /// An agent gave no answer.
    #[error("{model}: {fault}")]
    Agent {
        /// The agent, with its model where one was named.
        model: String,
        /// What went wrong.
        fault: AgentFault,
    },
    /// The next call might cost more than is left.
    #[error("the budget of {limit} is used up: {spent} spent, and the next call may cost {needed}")]
    OverBudget {
        /// What may be spent.
        limit: NanoDollars,
        /// What was.
        spent: NanoDollars,
        /// What the next call may cost.
        needed: NanoDollars,
    },
    /// A budget was asked for, and what the model costs is not known.
    #[error("{model}: its price is not known, so no budget can be kept")]
    Unpriced {
        /// `provider/model`.
        model: String,
    },
    /// A record could not be written: a call that cannot be recorded is not made.
    #[error("{what}: {why}")]
    Record {
        /// The file.
        what: String,
        /// What the operating system said.
        why: String,
    },
    /// The request was shown and not sent, as asked.
    #[error("nothing was sent")]
    DryRun,
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

/// A server's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of no.
    pub kind: RefusalKind,
    /// The HTTP status, 0 inside a stream that began well.
    pub status: u16,
    /// What the server says, shortened.
    pub message: String,
    /// The server's id of the request.
    pub request_id: Option<String>,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the server says that another try may help.
    pub should_retry: Option<bool>,
}

/// A kind of no, by status and code, never by the words of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request is malformed, or asks what the model does not do.
    BadRequest,
    /// The key is wrong.
    Unauthorized,
    /// The account has no money, or may spend no more of it.
    Billing,
    /// The key is right and not allowed this.
    Forbidden,
    /// There is no such model or address.
    NotFound,
    /// The request is too large, or its prompt too long for the model.
    TooLarge,
    /// Too many requests or tokens at once.
    RateLimit,
    /// The server has a problem, or too much to do.
    Server,
    /// Anything else.
    Other,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            RefusalKind::BadRequest => "the request was not accepted",
            RefusalKind::Unauthorized => "the API key was not accepted",
            RefusalKind::Billing => "the account has no credit left, or reached its limit",
            RefusalKind::Forbidden => "the API key may not do this",
            RefusalKind::NotFound => "no such model or address",
            RefusalKind::TooLarge => "the request is too large for the model",
            RefusalKind::RateLimit => "too many requests",
            RefusalKind::Server => "the server has a problem",
            RefusalKind::Other => "the server said no",
        };
        formatter.write_str(kind)?;
        if self.status != 0 {
            write!(formatter, " (HTTP {}", self.status)?;
            if let Some(id) = &self.request_id {
                write!(formatter, ", request {id}")?;
            }
            formatter.write_str(")")?;
        }
        match self.message.as_str() {
            "" => Ok(()),
            message => write!(formatter, ": {message}"),
        }
    }
}

/// What is wrong with an answer that came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    /// Not the JSON that the wire promises.
    #[error("the server's answer is not what its protocol promises: {0}")]
    Malformed(String),
    /// A stream ended without its closing event.
    #[error("the answer was cut in mid-stream")]
    Cut,
    /// The server reported an error after it had begun to answer.
    #[error("{0}")]
    MidStream(Refusal),
    /// Neither text nor a call.
    #[error("the model said nothing")]
    Empty,
    /// The model would not.
    #[error("the model refused{}", .0.as_ref().map(|category| format!(" ({category})")).unwrap_or_default())]
    Refused(Option<String>),
    /// The answer was cut at its limit.
    #[error("the answer reached its limit of {0} tokens and was cut")]
    Length(u64),
    /// Prompt and answer do not fit the model together.
    #[error("prompt and answer do not fit the model's context")]
    ContextFull,
    /// The answer does not have the form asked for.
    #[error("the answer does not have the form asked for: {0}")]
    Form(String),
    /// The model went on calling tools beyond what it was allowed.
    #[error("the model called tools {0} times without an answer")]
    Endless(u32),
}

impl ReplyFault {
    /// The same question may get a good answer.
    pub fn passes(&self) -> bool {
        match self {
            ReplyFault::Malformed(_) | ReplyFault::Cut | ReplyFault::MidStream(_) | ReplyFault::Empty => true,
            ReplyFault::Refused(_)
            | ReplyFault::Length(_)
            | ReplyFault::ContextFull
            | ReplyFault::Form(_)
            | ReplyFault::Endless(_) => false,
        }
    }
}

impl ModelError {
    /// Every further question would meet it too.
    pub fn stops_all(&self) -> bool {
        self.is_setup()
            || matches!(self, ModelError::Cancelled | ModelError::OverBudget { .. } | ModelError::Record { .. })
    }

    /// Wrong from the start: asking again without changing something is pointless for every question, not for this one alone.
    pub fn is_setup(&self) -> bool {
        match self {
            ModelError::NoKey { .. } | ModelError::Unpriced { .. } => true,
            ModelError::Agent { fault, .. } => fault.is_setup(),
            ModelError::Batch { fault, .. } => *fault == BatchFault::NoEndpoint,
            ModelError::Refused { refusal, .. } => match refusal.kind {
                RefusalKind::Unauthorized | RefusalKind::Billing | RefusalKind::Forbidden | RefusalKind::NotFound => {
                    true
                }
                RefusalKind::BadRequest
                | RefusalKind::TooLarge
                | RefusalKind::RateLimit
                | RefusalKind::Server
                | RefusalKind::Other => false,
            },
            ModelError::Unreachable { fault, .. } => match fault {
                TransportFault::BadAddress { .. } | TransportFault::Connect { .. } | TransportFault::Tls { .. } => true,
                TransportFault::FirstByte(_)
                | TransportFault::Idle(_)
                | TransportFault::Cut
                | TransportFault::TooLarge(_)
                | TransportFault::Other(_)
                | TransportFault::Cancelled => false,
            },
            ModelError::Exhausted { .. }
            | ModelError::Unusable { .. }
            | ModelError::OverBudget { .. }
            | ModelError::Record { .. }
            | ModelError::DryRun
            | ModelError::Cancelled => false,
        }
    }

    /// The prompt was too long: a smaller one may do.
    pub fn is_too_long(&self) -> bool {
        match self {
            ModelError::Refused { refusal, .. } => refusal.kind == RefusalKind::TooLarge,
            ModelError::Unusable { fault, .. } => *fault == ReplyFault::ContextFull,
            ModelError::NoKey { .. }
            | ModelError::Exhausted { .. }
            | ModelError::Unreachable { .. }
            | ModelError::Agent { .. }
            | ModelError::Batch { .. }
            | ModelError::OverBudget { .. }
            | ModelError::Unpriced { .. }
            | ModelError::Record { .. }
            | ModelError::DryRun
            | ModelError::Cancelled => false,
        }
    }
}

impl Hint for ModelError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            ModelError::NoKey { variables, .. } => match variables.as_slice() {
                [] => return None,
                variables => format!(
                    "set {}, or bind another model; `improve doctor` shows what is bound",
                    variables.join(" or ")
                ),
            },
            ModelError::Refused { refusal, .. } | ModelError::Exhausted { refusal, .. } => match refusal.kind {
                RefusalKind::BadRequest => {
                    "`improve doctor` shows what is bound; a compatible server may need its own [providers] entry"
                        .to_owned()
                }
                RefusalKind::Unauthorized => {
                    "check the key; `improve doctor` shows which variable it came from".to_owned()
                }
                RefusalKind::Billing => "add credit or raise the limit at the vendor, or bind another model".to_owned(),
                RefusalKind::Forbidden => {
                    "ask the account's owner for access to this model, or bind another".to_owned()
                }
                RefusalKind::NotFound => {
                    "check the model's id; `improve doctor` asks the server which it has".to_owned()
                }
                RefusalKind::TooLarge => {
                    "narrow the run to PATHS, use --effort quick, or bind a model with a larger context".to_owned()
                }
                RefusalKind::RateLimit => {
                    "wait a minute and run the same command: what was answered is kept and costs nothing twice"
                        .to_owned()
                }
                RefusalKind::Server | RefusalKind::Other => {
                    "run the same command later: what was answered is kept and costs nothing twice".to_owned()
                }
            },
            ModelError::Unreachable { fault, .. } => match fault {
                TransportFault::BadAddress { .. } => "check the base URL of the provider".to_owned(),
                TransportFault::Connect { .. } => {
                    "check that the server runs and that the network or proxy lets you through".to_owned()
                }
                TransportFault::Tls { .. } => {
                    "check the clock of this machine and the certificates of the proxy in between".to_owned()
                }
                TransportFault::FirstByte(_)
                | TransportFault::Idle(_)
                | TransportFault::Cut
                | TransportFault::TooLarge(_)
                | TransportFault::Other(_) => {
                    "run the same command again: what was answered is kept and costs nothing twice".to_owned()
                }
                TransportFault::Cancelled => return None,
            },
            ModelError::Unusable { fault, .. } => match fault {
                ReplyFault::Refused(_) => {
                    "bind another model to this role; some decline questions about security".to_owned()
                }
                ReplyFault::Length(_) | ReplyFault::ContextFull => {
                    "narrow the run to PATHS, or bind a model with a larger limit".to_owned()
                }
                ReplyFault::Form(_) | ReplyFault::Endless(_) | ReplyFault::Empty => {
                    "bind a stronger model to this role".to_owned()
                }
                ReplyFault::Malformed(_) | ReplyFault::Cut | ReplyFault::MidStream(_) => {
                    "run the same command again: what was answered is kept and costs nothing twice".to_owned()
                }
            },
            ModelError::Agent { fault, .. } => return fault.hint(),
            ModelError::Batch { fault, .. } => fault.hint(),
            ModelError::OverBudget { .. } => {
                "raise --max-usd; what was answered is kept and costs nothing twice".to_owned()
            }
            ModelError::Unpriced { .. } => {
                "add a [prices.\"provider/model\"] table to your improve.toml, or leave out --max-usd".to_owned()
            }
            ModelError::Record { .. } => {
                "free some space or make the folder writable: a call that cannot be recorded is not made".to_owned()
            }
            ModelError::DryRun | ModelError::Cancelled => return None,
        };
        Some(hint)
    }
}
