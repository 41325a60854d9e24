//! What models cost and how much they take: one table, with the date and the source of every row.
//!
//! A model that is not in it is *unpriced*: what it costs is not known, which is not nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Role;
use super::money::NanoDollars;
use super::usage::Usage;

/// A model in the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// The provider whose price this is.
    pub provider: String,
    /// The model's id there. Dated snapshots (`id-20261109`) count as the same model.
    pub id: String,
    /// What its tokens cost.
    pub price: Price,
    /// Tokens of a prompt, at most.
    pub context: u64,
    /// Tokens of an answer, at most.
    pub max_output: u64,
    /// It can be told how hard to think.
    #[serde(default)]
    pub reasoning: bool,
    /// Where the row comes from.
    pub source: String,
}

/// What a model's tokens cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Price {
    /// Nano-dollars a prompt token.
    #[serde(deserialize_with = "per_million")]
    pub input: u64,
    /// Nano-dollars a token of the answer.
    #[serde(deserialize_with = "per_million")]
    pub output: u64,
    /// Nano-dollars a token read from a cache.
    #[serde(deserialize_with = "per_million")]
    pub cache_read: u64,
    /// Nano-dollars a token written to a cache of minutes.
    #[serde(deserialize_with = "per_million")]
    pub write_5m: u64,
    /// Nano-dollars a token written to a cache of an hour.
    #[serde(deserialize_with = "per_million")]
    pub write_1h: u64,
    /// What a long prompt does to the price of the whole request.
    #[serde(default)]
    pub tier: Option<Tier>,
}

/// A dearer price for requests with a long prompt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tier {
    /// It holds above this many prompt tokens.
    pub above: u64,
    /// Percent of the price of every prompt token.
    pub input_percent: u64,
    /// Percent of the price of the answer.
    pub output_percent: u64,
}

/// How a request is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// At once.
    Standard,
    /// By the batch endpoint, for half the price.
    Batch,
}

impl Price {
    /// What a call with this usage costs, a started nano-dollar counted whole.
    pub fn cost(&self, usage: &Usage, service: Service) -> NanoDollars {
        let (input_percent, output_percent) = match &self.tier {
            Some(tier) if usage.prompt() > tier.above => (tier.input_percent, tier.output_percent),
            Some(_) | None => (100, 100),
        };
        let input = [
            (usage.fresh, self.input),
            (usage.write_5m, self.write_5m),
            (usage.write_1h, self.write_1h),
            (usage.cache_read, self.cache_read),
        ];
        let input: u128 = input.iter().map(|&(tokens, price)| u128::from(tokens) * u128::from(price)).sum();
        let output = u128::from(usage.output) * u128::from(self.output);
        let hundredths = input * u128::from(input_percent) + output * u128::from(output_percent);
        let parts = match service {
            Service::Standard => 100,
            Service::Batch => 200,
        };
        NanoDollars(u64::try_from(hundredths.div_ceil(parts)).unwrap_or(u64::MAX))
    }
}

/// Dollars for a million tokens, as vendors publish them, in nano-dollars a token.
fn per_million<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Amount {
        Text(String),
        Whole(u64),
    }
    let text = match Amount::deserialize(deserializer)? {
        Amount::Text(text) => text,
        Amount::Whole(dollars) => dollars.to_string(),
    };
    let dollars = NanoDollars::parse(&text).ok_or_else(|| serde::de::Error::custom("an amount in dollars"))?;
    match dollars.0 % 1_000_000 {
        0 => Ok(dollars.0 / 1_000_000),
        _ => Err(serde::de::Error::custom("at most three digits after the point")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    as_of: String,
    defaults: BTreeMap<String, BTreeMap<Role, String>>,
    model: Vec<Entry>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("models.toml")).expect("the table is tested"));

/// The day the table was last checked, `YYYY-MM-DD`.
pub fn as_of() -> &'static str {
    &TABLE.as_of
}

/// Every model in the table.
pub fn entries() -> &'static [Entry] {
    &TABLE.model
}

/// The model that a role is bound to when `provider`'s key is there and nothing else is said.
pub fn default_model(provider: &str, role: Role) -> Option<&'static str> {
    TABLE.defaults.get(provider)?.get(&role).map(String::as_str)
}

/// The row of a model. Gateways name a model `vendor/model`: that is another seller, whose price is not known here.
pub fn entry(provider: &str, id: &str) -> Option<&'static Entry> {
    let row = |id: &str| TABLE.model.iter().find(|entry| entry.provider == provider && entry.id == id);
    row(id).or_else(|| row(without_date(id)?))
}

/// `claude-haiku-5-5` of `claude-haiku-5-5-20261001`, `gpt-6-luna` of `gpt-6-luna-2026-10-26`.
fn without_date(id: &str) -> Option<&str> {
    let cut = id.len().checked_sub(9).filter(|&cut| id.is_char_boundary(cut));
    let compact = cut
        .map(|cut| id.split_at(cut))
        .filter(|(_, date)| date.starts_with('-') && date[1..].bytes().all(|byte| byte.is_ascii_digit()));
    if let Some((name, _)) = compact {
        return Some(name);
    }
    let cut = id.len().checked_sub(11).filter(|&cut| id.is_char_boundary(cut))?;
    let (name, date) = id.split_at(cut);
    let dashed = date.bytes().enumerate().all(|(at, byte)| match at {
        0 | 5 | 8 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    dashed.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_model_is_in_the_table() {
        for (provider, roles) in &TABLE.defaults {
            for role in Role::ALL {
                let id = roles.get(&role).unwrap_or_else(|| panic!("{provider} has no {}", role.label()));
                assert!(entry(provider, id).is_some(), "{provider}/{id}");
            }
        }
    }

    #[test]
    fn dated_snapshots_are_the_same_model() {
        let plain = entry("anthropic", "claude-haiku-5-5").unwrap();
        assert_eq!(entry("anthropic", "claude-haiku-5-5-20261001"), Some(plain));
        assert_eq!(entry("openai", "gpt-6-luna-2026-10-26").map(|it| it.id.as_str()), Some("gpt-6-luna"));
        assert_eq!(entry("openrouter", "claude-haiku-5-5"), None);
        assert_eq!(entry("anthropic", "claude"), None);
    }

    #[test]
    fn a_call_costs_what_the_vendor_would_bill() {
        let opus = &entry("anthropic", "claude-opus-5-5").unwrap().price;
        let usage = Usage { fresh: 1_000, write_5m: 2_000, write_1h: 3_000, cache_read: 4_000, output: 5_000 };
        // 1k x $4 + 2k x $5 + 3k x $8 + 4k x $0.20 + 5k x $20, each a million.
        assert_eq!(opus.cost(&usage, Service::Standard), NanoDollars(138_800_000));
        assert_eq!(opus.cost(&usage, Service::Batch), NanoDollars(69_400_000));
    }

    #[test]
    fn a_long_prompt_makes_the_whole_request_dearer() {
        let haiku = &entry("anthropic", "claude-haiku-5-5").unwrap().price;
        let short = Usage { fresh: 100_000, output: 1_000, ..Usage::default() };
        let long = Usage { fresh: 100_001, output: 1_000, ..Usage::default() };
        assert_eq!(haiku.cost(&short, Service::Standard), NanoDollars(10_500_000));
        assert_eq!(haiku.cost(&long, Service::Standard), NanoDollars(52_500_500));
    }

    #[test]
    fn odd_nano_dollars_are_rounded_up() {
        let luna = &entry("openai", "gpt-6-luna").unwrap().price;
        let usage = Usage { write_5m: 1, ..Usage::default() };
        assert_eq!(luna.cost(&usage, Service::Batch), NanoDollars(63), "125 / 2");
    }
}
