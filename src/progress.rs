//! Progress: how long stages say how far they are, and how they are told to stop.

use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::Recon;

/// What is known of a repository once its files are listed and its manifests are read.
#[derive(Debug, Clone)]
pub struct Listed<'a> {
    /// Languages we read and how many files have their extensions, the most first.
    pub languages: Vec<(LanguageName, usize)>,
    /// What its manifests say.
    pub recon: &'a Recon,
}

/// Listens to a stage. The library never prints; the binary draws a bar.
pub trait Progress: Sync {
    /// A new phase begins; `total` is the number of ticks to come, where known.
    fn phase(&self, name: &str, total: Option<u64>);

    /// `count` more units of the current phase are done.
    fn tick(&self, count: u64);

    /// The files are listed; they are read next. Said a second time where it was said while the history was being read.
    fn listed(&self, _listed: &Listed<'_>) {}

    /// Whether anybody waits for [`Progress::listed`]: saying it before the history is read takes a look of its own.
    fn waits_for_listing(&self) -> bool {
        false
    }

    /// Whether the user asked to stop. Asked often: it must be cheap.
    fn cancelled(&self) -> bool;
}

/// Says nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn phase(&self, _name: &str, _total: Option<u64>) {}

    fn tick(&self, _count: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
