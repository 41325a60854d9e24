//! Bars on stderr, on a terminal alone, and only for what takes longer than a second.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use improve::cancel::Cancel;
use improve::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;

/// What is quicker than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that shows itself once the work has taken a second.
pub struct Bar {
    bar: ProgressBar,
    cancel: Cancel,
    /// Dropped at the end of the work: that wakes the thread that would show the bar.
    done: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Bar {
    /// A bar for the work that begins now.
    pub fn new(console: &Console, cancel: Cancel) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style(None));
        let done = console.progress.then(|| {
            let (sender, receiver) = channel::<()>();
            let shown = bar.clone();
            let thread = std::thread::spawn(move || {
                if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    shown.set_draw_target(ProgressDrawTarget::stderr());
                    shown.enable_steady_tick(Duration::from_millis(100));
                }
            });
            (sender, thread)
        });
        Bar { bar, cancel, done }
    }

    /// A bar that is never shown.
    pub fn hidden(cancel: Cancel) -> Bar {
        Bar { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()), cancel, done: None }
    }

    /// Says what is going on now.
    pub fn message(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// Takes the bar away while `work` uses the terminal.
    pub fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }
}

/// How work looks that takes so many steps; `None` where nobody knows.
fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{spinner} {msg} {bar:24} {human_pos}/{human_len} {elapsed}",
        None => "{spinner} {msg} {elapsed}",
    };
    ProgressStyle::with_template(template).expect("both templates are constant and valid")
}

impl Progress for Bar {
    fn phase(&self, name: &str, total: Option<u64>) {
        self.bar.set_message(name.to_owned());
        self.bar.set_style(style(total));
        self.bar.set_position(0);
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
    }

    fn tick(&self, count: u64) {
        self.bar.inc(count);
    }

    fn cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.done.take() {
            drop(sender);
            // A thread that panicked showed no bar; there is nothing to add to what it said.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
