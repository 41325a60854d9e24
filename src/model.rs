//! Models: who is asked, over which wire and for what price.
//!
//! A [`Conversation`] only grows. A [`protocol`] turns it into the body of a request and an answer into a [`Reply`]; both are
//! pure. [`session::Session`] is the one way to ask: it masks credentials, looks the reply up among those it has, reserves the
//! money, sends, retries by a policy that is data, and writes the call into the ledger.
//!
//! Who the roles are bound to is [`roles`]' matter; what models cost and can do is a table, [`catalogue`].

pub mod agent_cli;
pub mod batch;
pub mod budget;
pub mod catalogue;
pub mod conversation;
pub mod cost;
pub mod error;
pub(crate) mod estimate;
pub mod ledger;
pub mod money;
pub mod probe;
pub mod protocol;
pub mod provider;
pub mod replies;
pub mod reply;
pub mod retry;
pub mod roles;
pub mod schema;
pub mod session;
pub mod structured;
pub mod usage;

#[cfg(test)]
pub(crate) mod tests;

pub use conversation::Conversation;
pub use error::ModelError;
pub use money::NanoDollars;
pub use reply::Reply;
pub use usage::Usage;

/// What every prompt says of text from the repository.
pub const GUARD: &str = include_str!("../templates/planner/guard.md");

/// Version of the prompts in the folders of `templates` that models are told from: the ledger says with which of them an answer was got.
pub fn prompts_version() -> u32 {
    include_str!("../templates/VERSION").trim().parse().expect("a test reads it")
}

/// What a model is used for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Judges findings and writes plans: the best model there is.
    Planner,
    /// Carries out steps: the cheapest that can.
    Executor,
    /// Checks the work against the plan: between the two.
    Verifier,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Planner, Role::Executor, Role::Verifier];

    /// Its name, as settings write it.
    pub fn label(self) -> &'static str {
        match self {
            Role::Planner => "planner",
            Role::Executor => "executor",
            Role::Verifier => "verifier",
        }
    }
}

/// How hard a model thinks before it answers. Each wire has its own field for it; left out, the model's default holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reasoning {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// All there is.
    Max,
}

impl Reasoning {
    /// Its name on every wire.
    pub fn label(self) -> &'static str {
        match self {
            Reasoning::Low => "low",
            Reasoning::Medium => "medium",
            Reasoning::High => "high",
            Reasoning::Xhigh => "xhigh",
            Reasoning::Max => "max",
        }
    }
}
