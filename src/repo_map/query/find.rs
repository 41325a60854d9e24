//! From what a person types to the definition meant: `load`, `Orders.load`, `src/orders.ts:34`, `src/orders.ts#load`.

use std::collections::BTreeMap;

use crate::nearest::nearest;
use crate::repo_map::facts::SymbolKind;
use crate::repo_map::{FileId, RepoMap, SymbolId};

/// A definition as a reader counts them: overloads are one, a class is one with its constructor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Definition {
    /// The one to show.
    pub id: SymbolId,
    /// Everything a call of it may lead to, `id` included, sorted.
    pub ids: Vec<SymbolId>,
}

/// Why a name is not one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// No definition is called so; the nearest name, if one is near.
    Unknown(Option<String>),
    /// Several are.
    Ambiguous(Vec<Definition>),
}

/// The one definition that `text` names.
pub fn find(map: &RepoMap, text: &str) -> Result<Definition, Miss> {
    let mut found = candidates(map, text);
    match found.len() {
        0 => Err(Miss::Unknown(suggestion(map, text))),
        1 => Ok(found.remove(0)),
        _ => Err(Miss::Ambiguous(found)),
    }
}

/// Every definition that `text` may name, in order of position.
pub fn candidates(map: &RepoMap, text: &str) -> Vec<Definition> {
    if let Some((path, name)) = text.split_once('#') {
        let files = files(map, path);
        return together(map, named(map, name).into_iter().filter(|id| files.contains(&id.file)));
    }
    if let Some((path, line)) = text.rsplit_once(':')
        && let Ok(line) = line.parse::<u32>()
    {
        return together(map, files(map, path).into_iter().filter_map(|file| at_line(map, file, line)));
    }
    let mut found = named(map, text);
    if found.is_empty() {
        found = named_in_module(map, text);
    }
    together(map, found)
}

/// Definitions whose qualified name is `name` or ends in it.
fn named(map: &RepoMap, name: &str) -> Vec<SymbolId> {
    let wanted = segments(name);
    let Some(last) = wanted.last() else { return Vec::new() };
    let matching: Vec<(SymbolId, bool)> = map
        .symbols()
        .filter(|(_, symbol)| symbol.name == *last)
        .filter_map(|(id, symbol)| {
            let own = segments(&symbol.qualified);
            own.ends_with(&wanted).then_some((id, own.len() == wanted.len()))
        })
        .collect();
    // Whoever writes a qualified name in full means that one; a bare name may mean any.
    let whole = wanted.len() > 1 && matching.iter().any(|(_, whole)| *whole);
    matching.into_iter().filter(|(_, is_whole)| *is_whole || !whole).map(|(id, _)| id).collect()
}

/// `orders::store::load`: the first parts name a package, a folder or a file.
fn named_in_module(map: &RepoMap, text: &str) -> Vec<SymbolId> {
    let parts = segments(text);
    for cut in 1..parts.len() {
        let (modules, name) = parts.split_at(cut);
        let within = |id: &SymbolId| {
            let path = map.file(id.file).path.replace('-', "_");
            let stems: Vec<&str> = path.split('/').map(|part| part.split('.').next().unwrap_or(part)).collect();
            modules.iter().all(|module| matches!(*module, "crate" | "self" | "super") || stems.contains(module))
        };
        let found: Vec<SymbolId> = named(map, &name.join(".")).into_iter().filter(within).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Parts of a qualified name, in the way of either language.
fn segments(name: &str) -> Vec<&str> {
    name.split(['.', ':', '#']).filter(|part| !part.is_empty()).collect()
}

/// Files that `path` names: in full, or by its end at a folder.
fn files(map: &RepoMap, path: &str) -> Vec<FileId> {
    let path = path.trim_start_matches("./");
    if let Some((file, _)) = map.file_by_path(path) {
        return vec![file];
    }
    let ends = |whole: &str| whole.strip_suffix(path).is_some_and(|before| before.ends_with('/'));
    map.files_with_ids().filter(|(_, file)| ends(&file.path)).map(|(id, _)| id).collect()
}

/// The definition named on `line`, else the innermost one around it.
fn at_line(map: &RepoMap, file: FileId, line: u32) -> Option<SymbolId> {
    let around = (0..).zip(&map.file(file).facts.symbols).filter(|(_, symbol)| symbol.lines.contains(line));
    let (index, _) = around.min_by_key(|(_, symbol)| (symbol.name_line != line, symbol.lines.count()))?;
    Some(SymbolId { file, index })
}

/// Joins overloads, and classes with their constructors.
fn together(map: &RepoMap, ids: impl IntoIterator<Item = SymbolId>) -> Vec<Definition> {
    let mut groups: BTreeMap<(FileId, &str, Option<&str>), Vec<SymbolId>> = BTreeMap::new();
    for id in ids {
        let symbol = map.symbol(id);
        groups.entry((id.file, symbol.qualified.as_str(), symbol.of_trait.as_deref())).or_default().push(id);
    }
    let mut definitions: Vec<Definition> = groups
        .into_values()
        .map(|mut ids| {
            let id = ids.iter().copied().find(|&id| map.symbol(id).has_body).unwrap_or(ids[0]);
            if map.symbol(id).kind == SymbolKind::Class {
                ids.extend(constructors(map, id));
            }
            ids.sort_unstable();
            ids.dedup();
            Definition { id, ids }
        })
        .collect();
    definitions.sort();
    // A constructor that its class already stands for is no second candidate.
    let joined: Vec<SymbolId> =
        definitions.iter().flat_map(|one| one.ids.iter().copied().filter(|&id| id != one.id)).collect();
    definitions.retain(|one| !joined.contains(&one.id));
    definitions
}

fn constructors(map: &RepoMap, class: SymbolId) -> impl Iterator<Item = SymbolId> {
    (0..)
        .zip(&map.file(class.file).facts.symbols)
        .filter(move |(_, symbol)| symbol.kind == SymbolKind::Constructor && symbol.container == Some(class.index))
        .map(move |(index, _)| SymbolId { file: class.file, index })
}

fn suggestion(map: &RepoMap, text: &str) -> Option<String> {
    let name = text.rsplit_once('#').map_or(text, |(_, name)| name);
    if let Some((path, line)) = text.rsplit_once(':')
        && line.parse::<u32>().is_ok()
    {
        let near = nearest(path, map.files.iter().map(|file| file.path.as_str()))?;
        return Some(format!("{near}:{line}"));
    }
    let qualified = nearest(name, map.symbols().map(|(_, symbol)| symbol.qualified.as_str()));
    qualified.or_else(|| nearest(name, map.symbols().map(|(_, symbol)| symbol.name.as_str()))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;

    fn name(text: &str) -> String {
        let map = sample::map();
        find(&map, text).map_or_else(|miss| format!("{miss:?}"), |found| map.symbol(found.id).qualified.to_string())
    }

    #[test]
    fn a_definition_is_found_by_each_way_of_naming_it() {
        for text in
            ["Store.load", "Store::load", "load", "src/b.ts#load", "b.ts#Store.load", "src/b.ts:12", "b::Store::load"]
        {
            assert_eq!(name(text), "Store.load", "{text}");
        }
        assert_eq!(name("src/b.ts:11"), "Store");
    }

    #[test]
    fn what_nobody_defined_is_unknown_and_a_slip_gets_a_suggestion() {
        assert_eq!(name("src/c.ts#load"), "Unknown(Some(\"load\"))");
        assert_eq!(name("entirely.different"), "Unknown(None)");
        assert_eq!(name("lonly"), "Unknown(Some(\"lonely\"))");
    }
}
