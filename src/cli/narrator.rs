//! What long work on a plan says while it goes on: a bar on a terminal, a plain line a phase elsewhere.

use improve::observer::{Event, Observer, Phase};
use improve::report::sanitize;

use super::console::Console;
use super::progress::Bar;

/// Tells what is going on.
pub struct Narrator<'a> {
    console: &'a Console,
    bar: &'a Bar,
    /// Whose work it is, where several are at work.
    name: Option<String>,
}

impl<'a> Narrator<'a> {
    /// A narrator that draws with `bar`; what it says of one of several begins with its `name`.
    pub fn new(console: &'a Console, bar: &'a Bar, name: Option<String>) -> Narrator<'a> {
        Narrator { console, bar, name }
    }

    /// Takes the bar away while somebody is asked.
    pub fn pause<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.bar.suspend(ask)
    }

    fn named(&self, text: &str) -> String {
        match &self.name {
            Some(name) => format!("{name}: {text}"),
            None => text.to_owned(),
        }
    }

    fn say(&self, text: &str) {
        let text = &self.named(text);
        if self.console.progress {
            self.bar.message(&sanitize::line(text));
        } else {
            self.console.note(&sanitize::line(text));
        }
    }
}

impl Observer for Narrator<'_> {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Phase(phase) => self.say(match phase {
                Phase::Check => "checking the plan against the repository",
                Phase::Prepare => "preparing a worktree",
                Phase::Baseline => "running the gates on the untouched base",
                Phase::Steps => "carrying out the steps",
                Phase::Verify => "verifying in a second clean worktree",
            }),
            Event::StepStarted { step, steps, title } => self.say(&format!("step {step} of {steps}: {title}")),
            // Commands come and go: worth a bar's line, not a log's.
            Event::GateStarted { of, command } if self.console.progress => {
                self.bar.message(&sanitize::line(&self.named(&format!("{of}: {command}"))));
            }
            Event::Note(text) => self.bar.suspend(|| self.console.note(&sanitize::line(&self.named(text)))),
            Event::GateStarted { .. } | Event::GateFinished { .. } | Event::StepGreen { .. } | Event::Journalled(_) => {
            }
        }
    }
}
