//! Providers: where a model is served and what its server wants, as data. A quirk of a server is a field here, never an `if` on
//! its name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::batch::BatchName;
use super::protocol::ProtocolName;

/// A server of models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provider {
    /// The word before the `/` in `provider/model`.
    pub name: String,
    /// The wire it speaks.
    pub protocol: ProtocolName,
    /// Where it is, without the path of a call.
    pub base_url: String,
    /// Variable that says it is elsewhere.
    #[serde(default)]
    pub base_url_variable: Option<String>,
    /// Variables that may hold the key, the first one set wins.
    #[serde(default)]
    pub key_variables: Vec<String>,
    /// It answers without a key too.
    #[serde(default)]
    pub key_optional: bool,
    /// How it wants the key.
    #[serde(default)]
    pub auth: Auth,
    /// Headers beside those of the wire.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The batch endpoint it has beside its wire, for questions that may wait at half the price.
    #[serde(default)]
    pub batch: Option<BatchName>,
    /// What it makes of a schema.
    #[serde(default)]
    pub schemas: Schemas,
    /// Tools may be marked `strict`.
    #[serde(default)]
    pub strict_tools: bool,
    /// Field that bounds the answer, for Chat Completions.
    #[serde(default)]
    pub output_limit: OutputLimit,
    /// Role of the instructions, for Chat Completions.
    #[serde(default)]
    pub system_role: SystemRole,
    /// A stream says what it took only when asked to.
    #[serde(default = "yes")]
    pub stream_usage: bool,
    /// It groups requests that share a prefix by a key.
    #[serde(default)]
    pub prompt_cache_key: bool,
    /// It can be told how hard to think.
    #[serde(default)]
    pub reasoning: bool,
    /// It runs on the user's machine: its tokens cost no money.
    #[serde(default)]
    pub local: bool,
}

fn yes() -> bool {
    true
}

/// How a server wants the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer`.
    #[default]
    Bearer,
    /// `x-api-key`.
    ApiKey,
}

/// What a server makes of the schema of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schemas {
    /// Holds the answer to it.
    Strict,
    /// Holds the answer to be some JSON object: the schema goes into the prompt.
    Object,
    /// Nothing, or it fails on one: the schema goes into the prompt.
    #[default]
    Prompt,
}

/// Field that bounds the length of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputLimit {
    /// The older one, which nearly every server reads.
    #[default]
    MaxTokens,
    /// The one OpenAI's reasoning models insist on.
    MaxCompletionTokens,
}

/// Role of the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemRole {
    /// The older one.
    #[default]
    System,
    /// OpenAI's, since its o-series.
    Developer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    provider: Vec<Provider>,
}

static BUILT_IN: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    let table: Table = toml::from_str(include_str!("providers.toml")).expect("the table is tested");
    table.provider
});

impl Provider {
    /// The providers this program knows.
    pub fn built_in() -> &'static [Provider] {
        &BUILT_IN
    }

    /// The provider with its place and key taken from the environment.
    pub fn located(&self, variable: &dyn Fn(&str) -> Option<String>) -> Located {
        let set = |name: &String| variable(name).filter(|value| !value.trim().is_empty());
        let base_url = self.base_url_variable.as_ref().and_then(set).unwrap_or_else(|| self.base_url.clone());
        let key = self.key_variables.iter().find_map(set).map(|key| Key(key.trim().to_owned()));
        Located { base_url: base_url.trim_end_matches('/').to_owned(), provider: self.clone(), key }
    }
}

/// A provider, its place and the key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The provider.
    pub provider: Provider,
    /// Where it is, without a slash at the end.
    pub base_url: String,
    /// The key, when there is one.
    pub key: Option<Key>,
}

impl Located {
    /// The provider has what it needs to be asked.
    pub fn is_ready(&self) -> bool {
        self.key.is_some() || self.provider.key_optional
    }
}

/// An API key. It never prints, not even in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// A key.
    pub fn new(text: impl Into<String>) -> Key {
        Key(text.into())
    }

    /// The key itself, for the header it goes into.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_providers_have_names_of_their_own() {
        let mut names: Vec<&str> = Provider::built_in().iter().map(|provider| provider.name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_key_comes_from_the_first_variable_that_is_set_and_never_prints() {
        let anthropic = Provider::built_in().iter().find(|provider| provider.name == "anthropic").unwrap();
        let variables = |name: &str| match name {
            "ANTHROPIC_API_KEY" => Some(" ".to_owned()),
            "ANTHROPIC_AUTH_TOKEN" => Some("hush\n".to_owned()),
            "ANTHROPIC_BASE_URL" => Some("http://127.0.0.1:9/".to_owned()),
            _ => None,
        };
        let located = anthropic.located(&variables);
        assert_eq!(located.key.as_ref().map(Key::reveal), Some("hush"));
        assert_eq!(located.base_url, "http://127.0.0.1:9");
        assert!(!format!("{located:?}").contains("hush"));
    }
}
