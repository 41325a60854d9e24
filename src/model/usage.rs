//! Usage: the tokens of a call, in the classes that are priced apart.

use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens of a call. Vendors count a prompt's cached part in or out; here the classes never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub fresh: u64,
    /// Prompt tokens written to a cache of minutes: 5 at Anthropic, 30 at OpenAI.
    pub write_5m: u64,
    /// Prompt tokens written to a cache of an hour.
    pub write_1h: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Tokens of the answer, thinking included.
    pub output: u64,
}

impl Usage {
    /// The whole prompt.
    pub fn prompt(&self) -> u64 {
        [self.fresh, self.write_5m, self.write_1h, self.cache_read].into_iter().fold(0, u64::saturating_add)
    }
}

impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        Usage {
            fresh: self.fresh.saturating_add(other.fresh),
            write_5m: self.write_5m.saturating_add(other.write_5m),
            write_1h: self.write_1h.saturating_add(other.write_1h),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            output: self.output.saturating_add(other.output),
        }
    }
}
