//! Blocking work that nobody waits behind: no caller in sight, another operating system's, at the start, a small file of settings.

use crate::audit::place;
use crate::effects::{Cause, Effect, Effects};
use crate::repo_map::facts::Symbol;
use crate::repo_map::{CallId, FileRole, RepoMap, SymbolId};

/// Callers followed upwards. Our choice.
const MAX_DEPTH: u32 = 4;

/// Whether nothing that ships calls a function, directly or through others, hands it on, registers it or reaches it through a trait.
/// For repositories that build a program: a library's users are not in sight.
pub fn is_uncalled(map: &RepoMap, function: SymbolId) -> bool {
    is_uncalled_from(map, function, 0)
}

fn is_uncalled_from(map: &RepoMap, function: SymbolId, depth: u32) -> bool {
    let symbol = map.symbol(function);
    let ships = |call: &&CallId| !place::in_test(map, **call);
    depth <= MAX_DEPTH
        && symbol.attributes.is_empty()
        && symbol.of_trait.is_none()
        && symbol.name != "main"
        && !is_named_elsewhere(map, symbol)
        && map.callers(function).iter().filter(ships).all(|call| {
            map.caller_of(*call).is_some_and(|caller| caller == function || is_uncalled_from(map, caller, depth + 1))
        })
}

/// A file names the function otherwise than to export it again, to call it, or to call or define another of the same name.
fn is_named_elsewhere(map: &RepoMap, symbol: &Symbol) -> bool {
    map.files_with_ids().any(|(file, source)| {
        let facts = &source.facts;
        if source.role == FileRole::Test || facts.references.binary_search(&symbol.name).is_err() {
            return false;
        }
        let calls: Vec<CallId> = (0..)
            .zip(&facts.calls)
            .filter(|(_, site)| site.name == symbol.name)
            .map(|(index, _)| CallId { file, index })
            .collect();
        let is_open = calls.iter().any(|call| map.resolved(*call).next().is_none());
        let imports: Vec<_> = facts.imports.iter().filter(|import| import.local == symbol.name).collect();
        let is_explained = !calls.is_empty() || !imports.is_empty() && imports.iter().all(|import| import.reexported);
        let is_value = || {
            let mut found = false;
            let values = facts.bindings.iter().filter_map(|binding| binding.value.as_ref());
            for value in values.chain(facts.calls.iter().flat_map(|call| &call.arguments)) {
                value.walk(&mut |inner| found |= inner.last_name() == Some(symbol.name.as_str()));
            }
            found
        };
        is_open || !is_explained || is_value()
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{MapOptions, build};
    use crate::plan::lint::tests::MemoryTree;
    use crate::progress::NoProgress;
    use crate::repo_map::history::History;

    #[test]
    fn what_nothing_calls_is_told_by_what_names_it() {
        let tree = MemoryTree::of(&[
            ("Cargo.toml", "[package]\nname = \"shop\"\n"),
            (
                "src/main.rs",
                "mod outbox;\npub use outbox::tell;\nfn main() { outbox::send(); register(outbox::flush); }\n\
                 fn register(job: fn()) { job(); }\n",
            ),
            (
                "src/outbox.rs",
                "pub fn send() { encode(); }\nfn encode() {}\npub fn flush() {}\n\
                 pub fn tell() { tell_with(1); }\nfn tell_with(count: u32) {}\n#[handler]\npub fn asked() {}\n",
            ),
        ]);
        let map = build(&tree, &MapOptions::default(), &History::default(), None, &NoProgress)
            .expect("the files can be mapped");
        let uncalled: Vec<&str> = map
            .symbols()
            .filter(|(id, symbol)| symbol.kind.is_callable() && is_uncalled(&map, *id))
            .map(|(_, symbol)| symbol.name.as_str())
            .collect();
        assert_eq!(uncalled, ["tell", "tell_with"]);
    }
}
