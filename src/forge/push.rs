//! Pushing a branch of ours, and finding the branch it belongs upon.
//!
//! Here git's own command line is used: who may push, and by what key, is set up in it. It runs no hooks of the repository.

use std::ffi::OsString;
use std::time::Duration;

use git2::{BranchType, Repository};

use super::ForgeError;
use super::remote::shown;
use crate::cancel::Cancel;
use crate::process::{End, Environment, Invocation, run};
use crate::worktree::Place;

/// How long a push may take. Our choice: a branch of a few commits is there in seconds, and a credential helper may ask somebody.
const PATIENCE: Duration = Duration::from_secs(180);
/// Lines of what git said that are shown.
const SAID: usize = 3;

/// A remote of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name: `origin`.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// The remote that the user's branch follows, else `origin`, else the only one.
pub fn remote(place: &Place) -> Result<Remote, ForgeError> {
    let repository = open(place)?;
    let followed = upstream(&repository).map(|(remote, _)| remote);
    let all = repository.remotes().map_err(|_| ForgeError::NoRemote)?;
    let mut names = all.iter().flatten().flatten();
    let only = if all.len() == 1 { names.next() } else { None };
    let named = [followed.as_deref(), Some("origin"), only];
    let mut found = named.into_iter().flatten().filter_map(|name| repository.find_remote(name).ok());
    let remote = found.next().ok_or(ForgeError::NoRemote)?;
    let (Ok(Some(name)), Ok(url)) = (remote.name(), remote.url()) else { return Err(ForgeError::NoRemote) };
    Ok(Remote { name: name.to_owned(), url: url.to_owned() })
}

/// The branch at the remote that a pull request from `base` on is to be merged into: the default branch where it holds that commit,
/// else the one the user's branch follows.
pub fn target(place: &Place, remote: &Remote, default: &str, base: &str) -> Result<String, ForgeError> {
    let repository = open(place)?;
    let followed = upstream(&repository).filter(|(name, _)| *name == remote.name).map(|(_, branch)| branch);
    let holds = |branch: &str| {
        let tip = repository.find_branch(&format!("{}/{branch}", remote.name), BranchType::Remote).ok()?;
        let tip = tip.get().peel_to_commit().ok()?.id();
        let base = git2::Oid::from_str(base).ok()?;
        Some(tip == base || repository.graph_descendant_of(tip, base).ok()?)
    };
    let mut candidates = std::iter::once(default).chain(followed.as_deref());
    candidates.find(|branch| holds(branch) == Some(true)).map(str::to_owned).ok_or_else(|| ForgeError::BaseNotPushed {
        commit: base.get(..9).unwrap_or(base).to_owned(),
        remote: remote.name.clone(),
    })
}

/// Pushes a branch of ours. One that is there with other commits is not overwritten.
pub fn push(place: &Place, remote: &Remote, branch: &str, cancel: &Cancel) -> Result<(), ForgeError> {
    let failed = |said: String| ForgeError::Push { branch: branch.to_owned(), remote: shown(&remote.url), said };
    let reference = format!("refs/heads/{branch}:refs/heads/{branch}");
    let arguments = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "push",
        "--quiet",
        "--",
        &remote.name,
        &reference,
    ];
    let invocation = Invocation {
        program: OsString::from("git"),
        arguments: arguments.map(OsString::from).into(),
        folder: place.root().to_owned(),
        environment: Environment::of_user().with("GIT_TERMINAL_PROMPT", "0"),
        timeout: PATIENCE,
        record: None,
    };
    let finished = run(&invocation, cancel).map_err(|error| failed(error.to_string()))?;
    match finished.end {
        End::Exited(0) => Ok(()),
        End::TimedOut => Err(failed(format!("no end after {} s", PATIENCE.as_secs()))),
        End::Cancelled => Err(failed("interrupted".to_owned())),
        End::Exited(_) | End::Signalled(_) => {
            let lines: Vec<&str> = finished.stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let lines = lines[..lines.len().min(SAID)].join("; ");
            Err(failed(crate::secrets::mask(&shown_all(&lines, &remote.url))))
        }
    }
}

/// What git said, without the password that its address may hold.
fn shown_all(said: &str, url: &str) -> String {
    said.replace(url, &shown(url))
}

/// The remote and the branch there that the user's branch follows.
fn upstream(repository: &Repository) -> Option<(String, String)> {
    let head = repository.head().ok()?;
    let name = head.name().ok()?;
    let remote = repository.branch_upstream_remote(name).ok()?;
    let merge = repository.branch_upstream_merge(name).ok()?;
    let branch = merge.as_str().ok()?.strip_prefix("refs/heads/")?.to_owned();
    Some((remote.as_str().ok()?.to_owned(), branch))
}

fn open(place: &Place) -> Result<Repository, ForgeError> {
    place.repository().map_err(|_| ForgeError::NoRemote)
}
