//! Why a level cannot be had, and what its user could do about it.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::path::Path;

/// A reason, and a remedy where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Explained {
    pub(super) why: String,
    pub(super) hint: Option<String>,
}

/// Why namespaces failed with `fault`.
#[cfg(target_os = "linux")]
pub(super) fn namespaces(fault: &str) -> Explained {
    let is = |file: &str, value: &str| fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    let (why, hint) = if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        (
            "AppArmor keeps unprivileged programs from user namespaces (as Ubuntu does since 23.10)",
            "allow them with `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or give `improve` an AppArmor profile with `userns,`",
        )
    } else if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        (
            "the kernel keeps unprivileged programs from user namespaces",
            "allow them with `sudo sysctl -w kernel.unprivileged_userns_clone=1`",
        )
    } else if is("/proc/sys/user/max_user_namespaces", "0") {
        ("no user namespace may be made here", "allow them with `sudo sysctl -w user.max_user_namespaces=15000`")
    } else if in_container() {
        (
            "the container this runs in keeps its programs from namespaces",
            "start the container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or run outside of it",
        )
    } else {
        return Explained { why: format!("namespaces: {fault}"), hint: None };
    };
    Explained { why: format!("namespaces: {why} ({fault})"), hint: Some(hint.to_owned()) }
}

/// Why Landlock failed with `fault`.
#[cfg(target_os = "linux")]
pub(super) fn landlock(fault: &str) -> Explained {
    let hint = super::linux::landlock_interface().is_none().then_some(
        "Landlock needs Linux 5.13 or later, built with it, and `landlock` among the kernel's `lsm=` when that is set at boot",
    );
    Explained { why: format!("landlock: {fault}"), hint: hint.map(str::to_owned) }
}

#[cfg(target_os = "linux")]
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}
