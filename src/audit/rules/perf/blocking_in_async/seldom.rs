//! Blocking work that nobody waits behind: another operating system's, at the start, a small file of settings.

use crate::audit::place;
use crate::effects::{Cause, Effect, Effects};
use crate::repo_map::facts::Symbol;
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// On the way stands a function that is compiled for other systems alone, and its twin for the rest does not block.
pub fn is_of_another_system(map: &RepoMap, effects: &Effects, causes: &[Cause]) -> bool {
    causes.iter().filter_map(|cause| cause.through).any(|function| {
        let symbol = map.symbol(function);
        let facts = &map.file(function.file).facts;
        let is_twin = |(index, other): (u32, &Symbol)| {
            index != function.index
                && other.name == symbol.name
                && other.member_of == symbol.member_of
                && other.attributes.iter().any(|attribute| attribute.starts_with("cfg("))
                && effects.of_function(SymbolId { file: function.file, index }, Effect::Blocking).is_none()
        };
        symbol.attributes.iter().any(|attribute| is_for_others(attribute)) && (0..).zip(&facts.symbols).any(is_twin)
    })
}

/// `cfg(windows)`, `cfg(not(unix))`, `cfg(target_os = "macos")`: servers run on something else.
fn is_for_others(attribute: &str) -> bool {
    let text: String = attribute.chars().filter(|letter| !letter.is_whitespace()).collect();
    let names = |system: &str| text.contains(system) && !text.contains(&format!("not({system}"));
    text.starts_with("cfg(")
        && (names("windows")
            || names("target_os=\"windows\"")
            || names("target_os=\"macos\"")
            || text.contains("not(unix)")
            || text.contains("not(target_os=\"linux\""))
}

/// Words of a type or function that is about settings.
const SETTINGS: &[&str] = &["config", "configuration", "settings", "preferences", "manifest"];

/// `ShardConfig::load(path)`, `load_settings()`: one small file that somebody wrote, read outside a loop, and not by the handler of a
/// request itself.
pub fn loads_settings(map: &RepoMap, effects: &Effects, call: CallId, causes: &[Cause]) -> bool {
    const LOADS: &[&str] = &["load", "read", "open", "new", "from", "get", "parse", "try"];
    let is_load = |function: SymbolId| {
        let symbol = map.symbol(function);
        let words = place::words(&symbol.name);
        let about = symbol.member_of.map(|owner| place::words(&owner)).unwrap_or_default();
        words.first().is_some_and(|verb| LOADS.contains(&verb.as_str()))
            && about.iter().chain(&words).any(|word| SETTINGS.contains(&word.as_str()))
    };
    let asked =
        effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind.is_request() && reach.distance == 0);
    !asked
        && causes.iter().all(|cause| place::iterations(map, cause.call).is_empty())
        && causes.first().and_then(|cause| cause.through).is_some_and(is_load)
}

/// Made when the program starts (`runtime.block_on(make())` in a function that is not async), and made again only after it failed.
pub fn is_made_at_start(map: &RepoMap, call: CallId) -> bool {
    const AGAIN: &[&str] = &["recreate", "reconnect", "reopen", "restart", "retry", "reinit", "reinitialize"];
    let Some(function) = map.caller_of(call) else { return false };
    let mut starts = false;
    let callers: Vec<CallId> =
        map.callers(function).iter().copied().filter(|caller| !place::in_test(map, *caller)).collect();
    let seldom = callers.iter().all(|caller| {
        let Some(outer) = map.caller_of(*caller) else { return false };
        let symbol = map.symbol(outer);
        let is_start = !place::in_async_code(map, *caller)
            && !symbol.is_async
            && map.calls_in(outer).any(|other| map.call(other).name == "block_on");
        starts |= is_start;
        is_start || place::words(&symbol.name).iter().any(|word| AGAIN.contains(&word.as_str()))
    });
    seldom && starts && place::iterations(map, call).is_empty()
}
