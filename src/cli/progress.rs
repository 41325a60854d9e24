//! Bars on stderr, on a terminal alone, and only for what takes longer than a second.

use std::sync::Once;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use improve::cancel::Cancel;
use improve::model::NanoDollars;
use improve::progress::{Listed, Progress};
use improve::report::layout::Page;
use improve::report::recon_line::recon_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::{Console, terminal_width};

/// What is quicker than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that shows itself once the work has taken a second.
pub struct Bar {
    bar: ProgressBar,
    cancel: Cancel,
    /// Says what the repository is as soon as its files are listed.
    announces: Option<Announcement>,
    /// Dropped at the end of the work: that wakes the thread that would show the bar.
    done: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What an announcement needs.
struct Announcement {
    name: String,
    console: Console,
    once: Once,
}

impl Bar {
    /// The same bar, which says on a terminal what the repository called `name` is before it is read.
    pub fn announcing(mut self, name: &str, console: &Console) -> Bar {
        self.announces = console.progress.then(|| Announcement {
            name: name.to_owned(),
            console: console.clone(),
            once: Once::new(),
        });
        self
    }

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
        Bar { bar, cancel, announces: None, done }
    }

    /// A bar that is never shown.
    pub fn hidden(cancel: Cancel) -> Bar {
        Bar {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            cancel,
            announces: None,
            done: None,
        }
    }

    /// Says what is going on now.
    pub fn message(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// Says what models took so far, behind everything else.
    pub fn spent(&self, tokens: u64, cost: NanoDollars) {
        self.bar.set_prefix(format!("· {} tokens · {cost}", short(tokens)));
    }

    /// Takes the bar away while `work` uses the terminal.
    pub fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }
}

/// How work looks that takes so many steps; `None` where nobody knows.
fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{spinner} {msg} {bar:24} {human_pos}/{human_len} {elapsed} {prefix}",
        None => "{spinner} {msg} {elapsed} {prefix}",
    };
    ProgressStyle::with_template(template).expect("both templates are constant and valid")
}

/// `950`, `41k`, `1.2M`.
fn short(tokens: u64) -> String {
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => format!("{}k", tokens / 1_000),
        _ => format!("{}.{}M", tokens / 1_000_000, tokens % 1_000_000 / 100_000),
    }
}

impl Progress for Bar {
    fn listed(&self, listed: &Listed<'_>) {
        if let Some(Announcement { name, console, once }) = &self.announces {
            once.call_once(|| {
                let line = recon_line(listed, name, &Page::plain(terminal_width()));
                self.bar.suspend(|| console.note(&line));
            });
        }
    }

    fn waits_for_listing(&self) -> bool {
        self.announces.is_some()
    }

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
