//! Capabilities: one of them is carried to the stage that mounts, none to the command.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
    no_new_privs, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// Lets the next stage mount inside the namespaces, whoever it runs as.
pub(super) fn keep_mounting() -> Result<(), String> {
    let own = capabilities(None).map_err(|error| format!("capabilities: {error}"))?;
    let sets = CapabilitySets { inheritable: CapabilitySet::SYS_ADMIN, ..own };
    set_capabilities(None, sets).map_err(|error| format!("capabilities: {error}"))?;
    configure_capability_in_ambient_set(CapabilitySet::SYS_ADMIN, true).map_err(|error| format!("ambient set: {error}"))
}

/// Gives up every capability, and the way to any: not even a program with a set-user-id bit has more rights from here on.
pub(super) fn give_up() -> Result<(), String> {
    set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
    for capability in CapabilitySet::all().iter() {
        // Needs a right of its own, which an ordinary user has not; then there is nothing to be had from it either.
        let _ = remove_capability_from_bounding_set(capability);
    }
    clear_ambient_capability_set().map_err(|error| format!("ambient set: {error}"))?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).map_err(|error| format!("capabilities: {error}"))?;
    match no_new_privs() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err("no_new_privs did not last".to_owned()),
    }
}
