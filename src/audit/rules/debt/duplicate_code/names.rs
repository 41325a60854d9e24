//! Names that are equal in two files and mean something else in each: what looks equal there is a difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::clones::Stretch;
use crate::audit::clones::compare::{aligned, compare};
use crate::audit::rules::debt::clone_family::{Body, Family, code};
use crate::repo_map::facts::{CodeLine, FileFacts, ImportItem, LanguageName, Symbol, SymbolKind};
use crate::repo_map::{FileId, RepoMap};
use crate::tree::Tree;

/// Lines of the pair that is told, equal to the word, that name something each file has a definition of its own for.
pub fn of_their_own(map: &RepoMap, tree: &dyn Tree, bodies: &[Body], family: &Family) -> usize {
    let (left, right) = (family.copies[family.pair.0], family.copies[family.pair.1]);
    let files = [left, right].map(|copy| bodies[copy.sequence].file);
    if files[0] == files[1] {
        return 0;
    }
    let names = defined_twice(map, files);
    let globs = files.map(|file| has_glob_of_its_own(map, file));
    let own_variants = globs == [true, true];
    if names.is_empty() && !own_variants {
        return 0;
    }
    let Some(text) = tree.text(&map.file(files[0]).path) else { return 0 };
    let known = if own_variants { known_names(&map.file(files[0]).facts) } else { BTreeSet::new() };
    let is_own = |word: Word<'_>| {
        names.contains(word.text) && !is_home(map, bodies, [left, right], word.text)
            || own_variants && word.text.starts_with(char::is_uppercase) && word.is_bare && !known.contains(word.text)
    };
    let lines: Vec<&str> = text.lines().collect();
    let (own, other) = (code(bodies, left), code(bodies, right));
    aligned(own, other)
        .into_iter()
        .filter(|(a, b)| own[*a].exact == other[*b].exact)
        .filter(|(a, _)| lines.get(own[*a].line as usize - 1).is_some_and(|line| words(line).any(is_own)))
        .count()
}

/// Functions, classes and enums at the top level of both files that are no copies of each other. A constant of each file is a parameter at most.
fn defined_twice(map: &RepoMap, files: [FileId; 2]) -> BTreeSet<&str> {
    let [own, other] = files.map(|file| &map.file(file).facts);
    let is_definition = |symbol: &&Symbol| {
        symbol.container.is_none()
            && symbol.member_of.is_none()
            && matches!(
                symbol.kind,
                SymbolKind::Function | SymbolKind::Class | SymbolKind::Struct | SymbolKind::Enum | SymbolKind::Trait
            )
    };
    let there: BTreeMap<&str, &Symbol> =
        other.symbols.iter().filter(is_definition).map(|symbol| (symbol.name.as_str(), symbol)).collect();
    let differs = |symbol: &&Symbol| {
        there.get(symbol.name.as_str()).is_some_and(|twin| {
            let (here, there) = (lines_of(own, symbol), lines_of(other, twin));
            compare(here, there).equal * 2 < here.len().max(there.len())
        })
    };
    own.symbols.iter().filter(is_definition).filter(differs).map(|symbol| symbol.name.as_str()).collect()
}

fn lines_of<'m>(facts: &'m FileFacts, symbol: &Symbol) -> &'m [CodeLine] {
    let start = facts.code_lines.partition_point(|line| line.line < symbol.lines.start);
    let end = facts.code_lines.partition_point(|line| line.line <= symbol.lines.end);
    &facts.code_lines[start..end]
}

/// The copies' own functions: that they differ is what is told.
fn is_home(map: &RepoMap, bodies: &[Body], copies: [Stretch; 2], name: &str) -> bool {
    copies.iter().any(|copy| {
        let body = &bodies[copy.sequence];
        body.symbol.is_some_and(|index| map.file(body.file).facts.symbols[index as usize].name == name)
    })
}

/// `use self::ArgData::*`: the variants of an enum that the module itself defines.
fn has_glob_of_its_own(map: &RepoMap, file: FileId) -> bool {
    let file = map.file(file);
    file.language == LanguageName::Rust
        && file.facts.imports.iter().any(|import| {
            let own = import.source.strip_prefix("self::");
            import.item == ImportItem::Glob && own.is_some_and(|rest| rest.starts_with(char::is_uppercase))
        })
}

/// Capitalised names of a Rust file that are no variants of a glob: the prelude's, imported and defined ones.
fn known_names(facts: &FileFacts) -> BTreeSet<&str> {
    const PRELUDE: &[&str] =
        &["Some", "None", "Ok", "Err", "Self", "Vec", "String", "Box", "Option", "Result", "Default"];
    let imported = facts.imports.iter().map(|import| import.local.as_str());
    let defined = facts.symbols.iter().map(|symbol| symbol.name.as_str());
    let generic = facts.generics.iter().map(|bound| bound.name.as_str());
    PRELUDE.iter().copied().chain(imported).chain(defined).chain(generic).collect()
}

/// A name on a line of code.
#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    /// Neither the member of something nor the head or tail of a path.
    is_bare: bool,
}

/// The names on a line that are no members of something; those in strings and comments too.
fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let code = line.split("//").next().unwrap_or_default();
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + code[rest..].find(is_name)?;
        let end = code[start..].find(|c| !is_name(c)).map_or(code.len(), |length| start + length);
        rest = end;
        let (before, after) = (&code[..start], &code[end..]);
        let is_member = before.ends_with('.') && !before.ends_with("..");
        let is_bare = !before.ends_with("::") && !after.starts_with("::");
        Some((!is_member, Word { text: &code[start..end], is_bare }))
    })
    .filter(|(is_free, _)| *is_free)
    .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn members_and_comments_are_no_words_of_a_line() {
        let found: Vec<(&str, bool)> =
            words("Some(TooHard(_)) => Own::from(a.b, ..c) // d").map(|word| (word.text, word.is_bare)).collect();
        let expected =
            [("Some", true), ("TooHard", true), ("_", true), ("Own", false), ("from", false), ("a", true), ("c", true)];
        assert_eq!(found, expected);
    }
}
