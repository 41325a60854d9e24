//! Retries: which faults pass by themselves and how long to wait for that, as data.

use std::time::Duration;

/// When a call is made again, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Calls in all.
    pub attempts: u32,
    /// Statuses that pass by themselves.
    pub statuses: &'static [u16],
    /// The first wait; each further one is twice as long.
    pub first_wait: Duration,
    /// The longest wait of our own choosing.
    pub longest_wait: Duration,
    /// Percent of a wait that chance may take off, so that many callers do not come back at once.
    pub jitter_percent: u32,
    /// The longest wait that a server may ask for; beyond it the call fails with what the server said.
    pub longest_asked: Duration,
    /// All calls and waits together.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    /// Statuses, waits and jitter are those of the vendors' SDKs (anthropic 2.11.0, openai 3.52.0); more attempts than their
    /// two, since a plan that is nearly written is worth waiting for.
    fn default() -> RetryPolicy {
        RetryPolicy {
            attempts: 5,
            statuses: &[408, 409, 429, 500, 502, 503, 504, 520, 522, 524, 529],
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(16),
            jitter_percent: 25,
            longest_asked: Duration::from_secs(120),
            deadline: Duration::from_secs(30 * 60),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before attempt `attempt + 1`, `chance` in 0..=99 being the luck of the draw.
    pub fn wait(&self, attempt: u32, asked: Option<Duration>, chance: u32) -> Duration {
        if let Some(asked) = asked {
            return asked;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let wait = doubled.min(self.longest_wait);
        wait - wait * (self.jitter_percent * chance.min(99)) / 10_000
    }

    /// Whether a server's answer is worth another call. `advice` is its `x-should-retry`.
    pub fn passes(&self, status: u16, advice: Option<bool>) -> bool {
        advice.unwrap_or_else(|| self.statuses.contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_lose_at_most_a_quarter() {
        let policy = RetryPolicy::default();
        let waits: Vec<u128> = (1..=7).map(|attempt| policy.wait(attempt, None, 0).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
        let lucky = policy.wait(1, None, 99);
        assert!(lucky >= Duration::from_millis(375) && lucky < Duration::from_millis(380), "{lucky:?}");
    }

    #[test]
    fn what_the_server_asks_for_is_what_it_gets() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(3, Some(Duration::from_secs(7)), 50), Duration::from_secs(7));
        assert!(!policy.passes(429, Some(false)));
        assert!(policy.passes(400, Some(true)));
        assert!(policy.passes(529, None) && !policy.passes(401, None));
    }
}
