//! The time, and waiting.

use std::time::{Duration, Instant, SystemTime};

use crate::cancel::Cancel;

/// The time, and waiting: a test has its own.
pub trait Clock: Sync {
    /// Now.
    fn now(&self) -> SystemTime;
    /// Waits, or returns at once when `cancel` is raised.
    fn wait(&self, duration: Duration, cancel: &Cancel);
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&self, duration: Duration, cancel: &Cancel) {
        let until = Instant::now() + duration;
        while !cancel.is_cancelled() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
