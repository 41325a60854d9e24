//! A plan's log: a line for everything that happens, with its time, for who looks at a long run from elsewhere (`tail -f`), or looks
//! back at it. It is written beside the journal and read by nobody here.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use improve::observer::{Event, Observer, Phase};
use improve::report::sanitize;
use improve::secrets::mask;
use improve::worktree::Place;

/// Hears what happens, writes it down and passes it on.
pub struct Logged<'a> {
    listener: &'a dyn Observer,
    /// `None` where nothing is written down, or cannot be: a log is no reason to stop.
    file: Mutex<Option<File>>,
}

impl<'a> Logged<'a> {
    /// Logs beside the journal of the plan `slug` when `is_on`.
    pub fn new(listener: &'a dyn Observer, is_on: bool, place: &Place, slug: &str) -> Logged<'a> {
        let path = place.log_of(slug);
        let open = |path: PathBuf| {
            std::fs::create_dir_all(path.parent()?).ok()?;
            OpenOptions::new().create(true).append(true).open(path).ok()
        };
        Logged { listener, file: Mutex::new(if is_on { open(path) } else { None }) }
    }

    fn write(&self, text: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut() {
            let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
            let line = format!("{time} {}\n", mask(&sanitize::line(text)));
            // A full disk ends the log, not the work.
            if open.write_all(line.as_bytes()).is_err() {
                *file = None;
            }
        }
    }
}

impl Observer for Logged<'_> {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Phase(phase) => self.write(match phase {
                Phase::Check => "check",
                Phase::Prepare => "prepare",
                Phase::Baseline => "baseline",
                Phase::Steps => "steps",
                Phase::Verify => "verify",
            }),
            Event::GateStarted { of, command } => self.write(&format!("{of}: runs `{command}`")),
            Event::GateFinished { of, result } => {
                let word = if result.green { "green" } else { "red" };
                self.write(&format!("{of}: {word}: {}", result.why));
            }
            Event::StepStarted { step, steps, title } => self.write(&format!("step {step} of {steps}: {title}")),
            Event::StepGreen { step, commit } => {
                self.write(&format!("step {step}: done, {}", commit.map_or("no change", |commit| commit)));
            }
            Event::Journalled(entry) => self.write(&format!("journal: {entry}")),
            Event::Note(text) => self.write(text),
        }
        self.listener.event(event);
    }
}
