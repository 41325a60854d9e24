//! Roles and the models they are bound to: flag, variable, settings, else what one present key suggests.

use super::agent_cli::{AgentCli, Reports};
use super::catalogue::{self, Entry, Price};
use super::provider::{Located, Provider};
use super::{Reasoning, Role};
use crate::hint::Hint;
use crate::model::batch::BatchName;
use crate::nearest::nearest;

/// A model, bound to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How it is asked.
    pub via: Via,
    /// Its id there; empty where an agent is left to choose.
    pub model: String,
    /// Its row in the table, when it has one.
    pub entry: Option<Entry>,
    /// Its price by the user's settings, which know better than the table.
    pub own_price: Option<Price>,
    /// How hard it is to think.
    pub reasoning: Option<Reasoning>,
    /// Why it is this one.
    pub because: Because,
}

/// How a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Its server, over a wire.
    Server(Located),
    /// An agent CLI, which has a login and tools of its own.
    Agent(Box<AgentCli>),
}

/// Why a role is bound to its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Somebody said so: where.
    Said(String),
    /// The key in this variable is there, and nobody said anything.
    Key(String),
}

impl std::fmt::Display for Because {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Because::Said(origin) => formatter.write_str(origin),
            Because::Key(variable) => write!(formatter, "{variable} is set"),
        }
    }
}

/// A binding that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// Not `provider/model`.
    #[error("{origin}: `{text}` names no model")]
    NotAModel {
        /// Where it stands.
        origin: String,
        /// What stands there.
        text: String,
    },
    /// A provider nobody knows.
    #[error("{origin}: unknown provider `{name}`")]
    UnknownProvider {
        /// Where it stands.
        origin: String,
        /// The name.
        name: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
}

impl Hint for BindingError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            BindingError::NotAModel { .. } => {
                "write provider/model, such as anthropic/claude-opus-5-5 or ollama/qwen3-coder, or an agent CLI, such as claude; \
                 an executor can be any command that names {plan} or {worktree}"
                    .to_owned()
            }
            BindingError::UnknownProvider { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            BindingError::UnknownProvider { nearest: None, .. } => {
                let known: Vec<&str> = Provider::built_in().iter().map(|provider| provider.name.as_str()).collect();
                let agents: Vec<&str> = AgentCli::built_in().iter().map(|agent| agent.name.as_str()).collect();
                format!(
                    "known: {}, and the agents {}; further ones go into [providers.<name>] or [agents.<name>] of your own \
                     improve.toml",
                    known.join(", "),
                    agents.join(", ")
                )
            }
        })
    }
}

impl Bound {
    /// `provider/model`, `agent/model`, or an agent alone.
    pub fn name(&self) -> String {
        match self.model.as_str() {
            "" => self.vendor().to_owned(),
            model => format!("{}/{model}", self.vendor()),
        }
    }

    /// Its server, unless it is an agent CLI.
    pub fn server(&self) -> Option<&Located> {
        match &self.via {
            Via::Server(located) => Some(located),
            Via::Agent(_) => None,
        }
    }

    /// The batch endpoint it can be asked over.
    pub fn batch(&self) -> Option<BatchName> {
        self.server()?.provider.batch
    }

    /// The provider, or the agent.
    pub fn vendor(&self) -> &str {
        match &self.via {
            Via::Server(located) => &located.provider.name,
            Via::Agent(agent) => &agent.name,
        }
    }

    /// It runs on the user's machine and costs no money.
    pub fn is_local(&self) -> bool {
        match &self.via {
            Via::Server(located) => located.provider.local,
            Via::Agent(_) => false,
        }
    }

    /// The agent, where it is one.
    pub fn agent(&self) -> Option<&AgentCli> {
        match &self.via {
            Via::Server(_) => None,
            Via::Agent(agent) => Some(agent),
        }
    }

    /// What it costs is known, before a call or at least after it: a budget can be kept.
    pub fn is_counted(&self) -> bool {
        let told = self.agent().is_some_and(|agent| match agent.reports {
            Reports::Dollars | Reports::TokensAndModel => true,
            Reports::Tokens => false,
        });
        told || self.price().is_some()
    }

    /// What it costs, when that is known.
    pub fn price(&self) -> Option<&Price> {
        self.own_price.as_ref().or_else(|| self.entry.as_ref().map(|entry| &entry.price))
    }

    /// It can be told how hard to think: neither its server nor, where it is known, the model itself refuses that.
    pub fn takes_reasoning(&self) -> bool {
        let told = match &self.via {
            Via::Server(located) => located.provider.reasoning,
            Via::Agent(agent) => agent.takes_reasoning(),
        };
        told && self.entry.as_ref().is_none_or(|entry| entry.reasoning)
    }

    /// Tokens of a prompt, at most, when that is known.
    pub fn context(&self) -> Option<u64> {
        self.entry.as_ref().map(|entry| entry.context)
    }
}

/// Everything a binding is made from.
pub struct Bindings<'a> {
    /// `provider/model` by role, with the place it was said.
    pub said: &'a dyn Fn(Role) -> Option<(String, String)>,
    /// How hard a role is to think.
    pub reasoning: &'a dyn Fn(Role) -> Option<Reasoning>,
    /// Providers of the user, beside the built-in ones; one of the same name replaces it.
    pub providers: &'a [Provider],
    /// Agents of the user, beside the built-in ones; one of the same name replaces it.
    pub agents: &'a [AgentCli],
    /// Prices of the user, by `provider/model`.
    pub price: &'a dyn Fn(&str) -> Option<Price>,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Bindings<'_> {
    /// The model of a role; `None` where nobody said one and no key suggests one. Who wants no planner wants no other model either,
    /// unless that one is named: a key that happens to be set is not spent.
    pub fn of(&self, role: Role) -> Result<Option<Bound>, BindingError> {
        match (self.said)(role) {
            Some((text, _)) if text == "none" => Ok(None),
            Some((text, origin)) => self.named(role, &text, origin).map(Some),
            None if (self.said)(Role::Planner).is_some_and(|(text, _)| text == "none") => Ok(None),
            None => Ok(self.by_key(role)),
        }
    }

    fn named(&self, role: Role, text: &str, origin: String) -> Result<Bound, BindingError> {
        // Steps can be carried out by any program that is told where.
        if role == Role::Executor
            && let Some(agent) = AgentCli::of_command(text)
        {
            return Ok(self.by_agent(role, &agent, "", Because::Said(origin)));
        }
        let (name, model) = text.split_once('/').unwrap_or((text, ""));
        let (name, model) = (name.trim(), model.trim());
        // A provider of the user's own that has the name of an agent is meant where it has a model.
        let own = !model.is_empty() && self.providers.iter().any(|provider| provider.name == name);
        // A model that begins with a dash would be read as a flag.
        if let Some(agent) = self.agents().find(|agent| agent.name == name)
            && !own
            && !model.starts_with('-')
        {
            return Ok(self.by_agent(role, agent, model, Because::Said(origin)));
        }
        if model.is_empty() || model.starts_with('-') {
            return Err(BindingError::NotAModel { origin, text: text.to_owned() });
        }
        let Some(provider) = self.provider(name) else {
            let known = self.providers.iter().chain(Provider::built_in()).map(|provider| provider.name.as_str());
            let known = known.chain(self.agents().map(|agent| agent.name.as_str()));
            let nearest = nearest(name, known).map(str::to_owned);
            return Err(BindingError::UnknownProvider { origin, name: name.to_owned(), nearest });
        };
        Ok(self.bound(role, provider, model, Because::Said(origin)))
    }

    /// The first provider in the table whose key is there and that has a default for the role.
    fn by_key(&self, role: Role) -> Option<Bound> {
        let set = |name: &&String| (self.variable)(name).is_some_and(|value| !value.trim().is_empty());
        Provider::built_in().iter().find_map(|built_in| {
            let model = catalogue::default_model(&built_in.name, role)?;
            let variable = built_in.key_variables.iter().find(set)?;
            let provider = self.provider(&built_in.name)?;
            Some(self.bound(role, provider, model, Because::Key(variable.clone())))
        })
    }

    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().chain(Provider::built_in()).find(|provider| provider.name == name)
    }

    fn agents(&self) -> impl Iterator<Item = &AgentCli> {
        self.agents.iter().chain(AgentCli::built_in())
    }

    fn bound(&self, role: Role, provider: &Provider, model: &str, because: Because) -> Bound {
        let entry = catalogue::entry(&provider.name, model).cloned();
        self.priced(role, Via::Server(provider.located(self.variable)), model, entry, because)
    }

    /// An agent's model is the one its vendor sells: `claude/claude-opus-5-5`, `opencode/openai/gpt-6.1-sol`.
    fn by_agent(&self, role: Role, agent: &AgentCli, model: &str, because: Because) -> Bound {
        let entry = match (&agent.prices, model.split_once('/')) {
            (Some(provider), _) => catalogue::entry(provider, model),
            (None, Some((provider, id))) => catalogue::entry(provider, id),
            (None, None) => None,
        };
        self.priced(role, Via::Agent(Box::new(agent.clone())), model, entry.cloned(), because)
    }

    fn priced(&self, role: Role, via: Via, model: &str, entry: Option<Entry>, because: Because) -> Bound {
        let bound =
            Bound { via, model: model.to_owned(), entry, own_price: None, reasoning: (self.reasoning)(role), because };
        Bound { own_price: (self.price)(&bound.name()), ..bound }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(said: Option<&str>, keys: &[&str]) -> Result<Option<(String, Because)>, BindingError> {
        let said = said.map(|text| (text.to_owned(), "--planner".to_owned()));
        let bindings = Bindings {
            said: &|role| said.clone().filter(|_| role == Role::Planner),
            reasoning: &|_| None,
            providers: &[],
            agents: &[],
            price: &|_| None,
            variable: &|name| keys.contains(&name).then(|| "key".to_owned()),
        };
        Ok(bindings.of(Role::Planner)?.map(|bound| (bound.name(), bound.because)))
    }

    #[test]
    fn one_key_is_enough() {
        let openai = ("openai/gpt-6.1-sol".to_owned(), Because::Key("OPENAI_API_KEY".to_owned()));
        assert_eq!(bind(None, &["OPENAI_API_KEY"]), Ok(Some(openai)));
        assert_eq!(bind(None, &["DEEPSEEK_API_KEY"]), Ok(None), "which of its models is not ours to guess");
        assert_eq!(bind(None, &[]), Ok(None));
        assert_eq!(bind(Some("none"), &["OPENAI_API_KEY"]), Ok(None));
    }

    #[test]
    fn who_wants_no_planner_has_no_key_spent_by_others() {
        let bind = |executor: Option<&str>| {
            let said = |role| match role {
                Role::Planner => Some(("none".to_owned(), "IMPROVE_PLANNER".to_owned())),
                Role::Executor => executor.map(|text| (text.to_owned(), "--executor".to_owned())),
                Role::Verifier => None,
            };
            let bindings = Bindings {
                said: &said,
                reasoning: &|_| None,
                providers: &[],
                agents: &[],
                price: &|_| None,
                variable: &|_| Some("key".to_owned()),
            };
            [Role::Executor, Role::Verifier].map(|role| bindings.of(role).expect("it can be bound").map(|it| it.name()))
        };
        assert_eq!(bind(None), [None, None]);
        assert_eq!(bind(Some("openai/gpt-6-luna")), [Some("openai/gpt-6-luna".to_owned()), None]);
    }

    #[test]
    fn what_was_said_goes_before_any_key() {
        let said = ("openrouter/anthropic/claude-opus-5-5".to_owned(), Because::Said("--planner".to_owned()));
        assert_eq!(bind(Some("openrouter/anthropic/claude-opus-5-5"), &["ANTHROPIC_API_KEY"]), Ok(Some(said)));
    }

    #[test]
    fn an_agent_is_named_alone_or_with_a_model() {
        let names = |text: &str| bind(Some(text), &[]).map(|bound| bound.map(|(name, _)| name));
        assert_eq!(names("claude"), Ok(Some("claude".to_owned())));
        assert_eq!(names("claude/opus"), Ok(Some("claude/opus".to_owned())));
        assert_eq!(names("opencode/openai/gpt-6.1-sol"), Ok(Some("opencode/openai/gpt-6.1-sol".to_owned())));
        assert!(matches!(names("claude/--dangerously-skip-permissions"), Err(BindingError::NotAModel { .. })));
        assert_eq!(bind(Some("cluade/opus"), &[]).unwrap_err().hint().as_deref(), Some("did you mean `claude`?"));
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let error = bind(Some("antropic/claude-opus-5-5"), &[]).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `anthropic`?"));
        assert!(matches!(bind(Some("gpt-6.1-sol"), &[]), Err(BindingError::NotAModel { .. })));
    }
}
