//! Limits on what a command uses up, by `setrlimit`. The disk as a whole is watched by the supervisor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::sandbox::Level;
use crate::sandbox::policy::Policy;

pub(super) fn set(policy: &Policy) -> Result<(), String> {
    // A core is written where the kernel's settings say, which may be anywhere.
    at_most(Resource::Core, 0)?;
    at_most(Resource::Fsize, policy.limits.file_bytes)?;
    // Counted for each user, and for each namespace apart: outside of one, what the user runs already has to fit in.
    let others = if policy.level == Level::Namespaces { 0 } else { processes_of_the_user() };
    at_most(Resource::Nproc, policy.limits.processes.saturating_add(others))
}

fn at_most(resource: Resource, limit: u64) -> Result<(), String> {
    let now = getrlimit(resource);
    let limit = now.maximum.map_or(limit, |maximum| maximum.min(limit));
    let limits = Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(resource, limits).map_err(|error| format!("limit of {resource:?}: {error}"))
}

/// Threads count as processes do.
fn processes_of_the_user() -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::getuid().as_raw();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_user = entries.filter(|entry| entry.metadata().is_ok_and(|metadata| metadata.uid() == own));
    of_user.map(|entry| std::fs::read_dir(entry.path().join("task")).map_or(0, |tasks| tasks.count() as u64)).sum()
}
