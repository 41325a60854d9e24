//! Roles and the models they are bound to: flag, variable, settings, else what one present key suggests.

use super::catalogue::{self, Entry, Price};
use super::provider::{Located, Provider};
use super::{Reasoning, Role};
use crate::hint::Hint;
use crate::nearest::nearest;

/// A model, bound to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its server.
    pub located: Located,
    /// Its id there.
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
                "write provider/model, such as anthropic/claude-opus-5-5 or ollama/qwen3-coder".to_owned()
            }
            BindingError::UnknownProvider { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            BindingError::UnknownProvider { nearest: None, .. } => {
                let known: Vec<&str> = Provider::built_in().iter().map(|provider| provider.name.as_str()).collect();
                format!("known: {}; further ones go into [providers.<name>] of your own improve.toml", known.join(", "))
            }
        })
    }
}

impl Bound {
    /// `provider/model`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.located.provider.name, self.model)
    }

    /// What it costs, when that is known.
    pub fn price(&self) -> Option<&Price> {
        self.own_price.as_ref().or_else(|| self.entry.as_ref().map(|entry| &entry.price))
    }

    /// It can be told how hard to think: neither its server nor, where it is known, the model itself refuses that.
    pub fn takes_reasoning(&self) -> bool {
        self.located.provider.reasoning && self.entry.as_ref().is_none_or(|entry| entry.reasoning)
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
    /// Prices of the user, by `provider/model`.
    pub price: &'a dyn Fn(&str) -> Option<Price>,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Bindings<'_> {
    /// The model of a role; `None` where nobody said one and no key suggests one.
    pub fn of(&self, role: Role) -> Result<Option<Bound>, BindingError> {
        match (self.said)(role) {
            Some((text, _)) if text == "none" => Ok(None),
            Some((text, origin)) => self.named(role, &text, origin).map(Some),
            None => Ok(self.by_key(role)),
        }
    }

    fn named(&self, role: Role, text: &str, origin: String) -> Result<Bound, BindingError> {
        let Some((name, model)) = text.split_once('/').filter(|(_, model)| !model.trim().is_empty()) else {
            return Err(BindingError::NotAModel { origin, text: text.to_owned() });
        };
        let Some(provider) = self.provider(name) else {
            let known = self.providers.iter().chain(Provider::built_in()).map(|provider| provider.name.as_str());
            let nearest = nearest(name, known).map(str::to_owned);
            return Err(BindingError::UnknownProvider { origin, name: name.to_owned(), nearest });
        };
        Ok(self.bound(role, provider, model.trim(), Because::Said(origin)))
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

    fn bound(&self, role: Role, provider: &Provider, model: &str, because: Because) -> Bound {
        let bound = Bound {
            located: provider.located(self.variable),
            model: model.to_owned(),
            entry: catalogue::entry(&provider.name, model).cloned(),
            own_price: None,
            reasoning: (self.reasoning)(role),
            because,
        };
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
    fn what_was_said_goes_before_any_key() {
        let said = ("openrouter/anthropic/claude-opus-5-5".to_owned(), Because::Said("--planner".to_owned()));
        assert_eq!(bind(Some("openrouter/anthropic/claude-opus-5-5"), &["ANTHROPIC_API_KEY"]), Ok(Some(said)));
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let error = bind(Some("antropic/claude-opus-5-5"), &[]).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `anthropic`?"));
        assert!(matches!(bind(Some("gpt-6.1-sol"), &[]), Err(BindingError::NotAModel { .. })));
    }
}
