//! seccomp: system calls that no check of a repository needs and that lead out of a sandbox, or around its filters.

// Their numbers have 32 bits on some processors.
#![allow(clippy::useless_conversion)]

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::sandbox::Level;
use crate::sandbox::policy::Policy;

/// Refused as not permitted, unless the command makes namespaces of its own: what it mounts there is seen there alone, and the mounts it
/// is in are locked to it.
const NESTING: &[libc::c_long] = &[
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_pivot_root,
    libc::SYS_umount2,
    libc::SYS_unshare,
];

/// Refused as not permitted.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_process_vm_writev,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
];

/// Refused as if the kernel did not know them, so that programs do without: io_uring makes sockets past any filter, and what
/// `clone3` is asked for cannot be seen.
const UNKNOWN: &[libc::c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup];

/// Requests that put words into a terminal: `TIOCSTI`, `TIOCLINUX`.
const TYPING: [u64; 2] = [0x5412, 0x541C];

/// Families of sockets that may be had where there is a network: local, IPv4, IPv6, and the kernel's news of interfaces.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// `clone` with any of these makes namespaces.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// On x86-64, the same calls once more by another number.
const X32: i64 = 0x4000_0000;

fn machine() -> Option<TargetArch> {
    std::env::consts::ARCH.try_into().ok()
}

/// Whether there is no filter for this processor.
pub(super) fn is_unknown_machine() -> bool {
    machine().is_none()
}

/// Installs the filters for good.
pub(super) fn install(policy: &Policy) -> Result<(), String> {
    let Some(machine) = machine() else { return Ok(()) };
    let sets = [(refused(policy)?, libc::EPERM), (no_family(policy)?, libc::EAFNOSUPPORT), (unknown(), libc::ENOSYS)];
    for (rules, code) in sets {
        let code = u32::try_from(code).map_err(|error| error.to_string())?;
        let filter = SeccompFilter::new(with_x32(rules), SeccompAction::Allow, SeccompAction::Errno(code), machine);
        let program: Result<BpfProgram, _> = filter.and_then(TryInto::try_into);
        let program = program.map_err(|error| format!("seccomp: {error}"))?;
        apply_filter(&program).map_err(|error| format!("seccomp: {error}"))?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn unknown() -> Rules {
    UNKNOWN.iter().map(|call| (i64::from(*call), Vec::new())).collect()
}

fn refused(policy: &Policy) -> Result<Rules, String> {
    let nesting = if policy.nests { &[] } else { NESTING };
    let mut rules: Rules = REFUSED.iter().chain(nesting).map(|call| (i64::from(*call), Vec::new())).collect();
    let typing = TYPING.iter().map(|request| rule(&[(1, Is::Eq, *request)])).collect::<Result<_, _>>()?;
    rules.insert(i64::from(libc::SYS_ioctl), typing);
    if policy.nests {
        return Ok(rules);
    }
    let namespaces = NAMESPACES.iter().map(|flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule(&[(0, Is::MaskedEq(flag), flag)])
    });
    rules.insert(i64::from(libc::SYS_clone), namespaces.collect::<Result<_, _>>()?);
    Ok(rules)
}

/// Sockets: none at all without a network of its own, else those of [`FAMILIES`]. Pairs stay, which lead nowhere; those for datagrams
/// can be sent from to anywhere, so they go with the sockets.
fn no_family(policy: &Policy) -> Result<Rules, String> {
    let mut rules = Rules::new();
    if policy.level == Level::Namespaces || policy.purpose.has_network() {
        let other: Vec<(u8, Is, u64)> =
            FAMILIES.iter().map(|family| (0, Is::Ne, u64::from(family.cast_unsigned()))).collect();
        rules.insert(i64::from(libc::SYS_socket), vec![rule(&other)?]);
        return Ok(rules);
    }
    rules.insert(i64::from(libc::SYS_socket), Vec::new());
    let kind = u64::from(libc::SOCK_DGRAM.cast_unsigned());
    rules.insert(i64::from(libc::SYS_socketpair), vec![rule(&[(1, Is::MaskedEq(0xf), kind)])?]);
    Ok(rules)
}

fn rule(conditions: &[(u8, Is, u64)]) -> Result<SeccompRule, String> {
    let conditions =
        conditions.iter().map(|(argument, is, value)| Condition::new(*argument, Length::Dword, is.clone(), *value));
    let conditions: Result<Vec<Condition>, _> = conditions.collect();
    conditions.and_then(SeccompRule::new).map_err(|error| format!("seccomp: {error}"))
}

fn with_x32(rules: Rules) -> Rules {
    if cfg!(target_arch = "x86_64") {
        let again: Rules = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
        rules.into_iter().chain(again).collect()
    } else {
        rules
    }
}
