//! Landlock: which files the command may write and, where it has no file system of its own, which it may read.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, Scope, path_beneath_rules,
};

use crate::sandbox::Level;
use crate::sandbox::policy::Policy;

/// The newest interface whose rights are known here; older kernels keep what they know of.
const KNOWN: ABI = ABI::V6;

/// Folders of devices: written to, nothing made in them.
const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"];

/// The Landlock interface of this kernel, as far as it matters here; `None` where there is none.
pub(in crate::sandbox) fn interface() -> Option<ABI> {
    let hard = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let knows = |access: AccessFs| hard().handle_access(access).is_ok();
    let news = [
        (ABI::V1, knows(AccessFs::ReadFile)),
        (ABI::V2, knows(AccessFs::Refer)),
        (ABI::V3, knows(AccessFs::Truncate)),
        (ABI::V5, knows(AccessFs::IoctlDev)),
        (ABI::V6, hard().scope(Scope::Signal).is_ok()),
    ];
    news.into_iter().take_while(|(_, known)| *known).map(|(abi, _)| abi).last()
}

pub(super) fn restrict(policy: &Policy) -> Result<(), String> {
    let has_own_files = policy.level == Level::Namespaces;
    if has_own_files && interface().is_none() {
        // Mounts do it; that Landlock is missing is in the receipt.
        return Ok(());
    }
    if policy.nests {
        return scoped().map_err(|error| format!("landlock: {error}"));
    }
    let handled = if has_own_files { AccessFs::from_write(KNOWN) } else { AccessFs::from_all(KNOWN) };
    restricted(policy, handled, has_own_files).map_err(|error| format!("landlock: {error}"))
}

/// Who is kept from files by Landlock may mount nothing, not even in namespaces of its own: there the mounts alone do it, and Landlock
/// keeps from signals and from sockets without a file.
fn scoped() -> Result<(), landlock::RulesetError> {
    if interface() < Some(ABI::V6) {
        return Ok(());
    }
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .scope(Scope::Signal | Scope::AbstractUnixSocket)
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map(|_| ())
}

fn restricted(policy: &Policy, handled: BitFlags<AccessFs>, has_own_files: bool) -> Result<(), String> {
    let told = |error: landlock::RulesetError| error.to_string();
    let devices = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev | AccessFs::ReadDir;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled)
        .and_then(|ruleset| ruleset.scope(Scope::Signal | Scope::AbstractUnixSocket))
        .and_then(Ruleset::create)
        .map_err(told)?;
    let mut writable = policy.writable.clone();
    if has_own_files {
        writable.extend(policy.home.clone());
        writable.extend(["/tmp", "/dev"].map(PathBuf::from));
    } else {
        let readable = readable(policy);
        ruleset = ruleset.add_rules(path_beneath_rules(readable, AccessFs::from_read(KNOWN))).map_err(told)?;
        ruleset = ruleset.add_rules(path_beneath_rules(DEVICES, devices & handled)).map_err(told)?;
        ruleset = ruleset.add_rules(path_beneath_rules(["/dev/fd", "/dev/shm"], AccessFs::ReadDir)).map_err(told)?;
    }
    let status = ruleset
        .add_rules(path_beneath_rules(writable, handled))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(told)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has none, or it is switched off".to_owned()),
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
    }
}

/// What may be read. A rule covers all that is below its path, so a path with something hidden below it is taken apart.
fn readable(policy: &Policy) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/proc")];
    for path in &policy.readable {
        without_hidden(path, &policy.hidden, &mut found);
    }
    found
}

fn without_hidden(path: &Path, hidden: &[PathBuf], found: &mut Vec<PathBuf>) {
    if hidden.iter().any(|hidden| path.starts_with(hidden)) {
        return;
    }
    if !hidden.iter().any(|hidden| hidden.starts_with(path)) {
        found.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let child = entry.path();
        // A link counts as what it leads to.
        let leads_to = child.canonicalize().unwrap_or_else(|_| child.clone());
        if hidden.iter().all(|hidden| !leads_to.starts_with(hidden)) {
            without_hidden(&child, hidden, found);
        }
    }
}
