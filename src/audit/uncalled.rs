//! Functions that nothing calls: what they cost is never paid.

use crate::audit::place;
use crate::repo_map::facts::Symbol;
use crate::repo_map::recon::PackageManager;
use crate::repo_map::{CallId, FileRole, RepoMap, SymbolId};

/// Whether the repository builds a program, so that all callers are in sight.
pub fn builds_program(map: &RepoMap) -> bool {
    map.recon.packages.iter().filter(|package| package.manager == PackageManager::Cargo).any(|package| {
        let folder = if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) };
        map.has_path(&format!("{folder}src/main.rs"))
    })
}

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
