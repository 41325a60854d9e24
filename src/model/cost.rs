//! What models took, as documents say it. Plain data.

use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::Summary;

/// What models cost: nothing as long as none is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Calls made.
    pub model_calls: u64,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// Money, in billionths of a dollar, for calls whose price is known.
    pub nano_usd: u64,
    /// Calls whose price is not known.
    pub unpriced_calls: u64,
    /// Questions answered from replies that an earlier run paid for.
    pub kept_replies: u64,
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            model_calls: self.model_calls + other.model_calls,
            input_tokens: self.input_tokens + other.input_tokens,
            output_tokens: self.output_tokens + other.output_tokens,
            nano_usd: self.nano_usd.saturating_add(other.nano_usd),
            unpriced_calls: self.unpriced_calls + other.unpriced_calls,
            kept_replies: self.kept_replies + other.kept_replies,
        }
    }
}

impl From<Summary> for Cost {
    fn from(summary: Summary) -> Cost {
        Cost {
            model_calls: summary.calls,
            input_tokens: summary.usage.prompt(),
            output_tokens: summary.usage.output,
            nano_usd: summary.spent.known.0,
            unpriced_calls: summary.spent.unpriced_calls,
            kept_replies: summary.kept,
        }
    }
}
