//! Dependencies of a `Cargo.toml` that nothing needs.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{implied, is_word};
use crate::audit::rule::Ground;
use crate::audit::rules::deps::lockfile_of;
use crate::audit::text::FileText;
use crate::audit::texts::Needles;
use crate::repo_map::facts::{CallKind, LanguageName, SymbolKind};
use crate::repo_map::recon::{Dependency, DependencyKind, Package};
use crate::repo_map::{RepoMap, SourceFile};

/// Dependencies of a `Cargo.toml` whose crate no source file names.
pub fn unused_crates<'a>(ground: &Ground<'a>, package: &'a Package) -> Option<Vec<&'a Dependency>> {
    let map = ground.map;
    let own: Vec<&SourceFile> = map
        .files
        .iter()
        .filter(|file| file.language == LanguageName::Rust && package.inside(&file.path).is_some())
        .filter(|file| map.recon.package_in(&file.path, true).is_some_and(|other| other.folder == package.folder))
        .collect();
    if own.is_empty() || own.iter().any(|file| file.facts.partly_read) {
        return None;
    }
    let names: BTreeSet<&str> = own.iter().flat_map(|file| &file.facts.references).map(|name| name.as_str()).collect();
    let manifest = FileText::read(ground.tree, &package.manifest)?;
    let lock = lockfile_of(map, package).and_then(|path| ground.tree.text(&path));
    let candidates: Vec<&Dependency> = package
        .dependencies
        .iter()
        .filter(|own| {
            own.kind != DependencyKind::Optional
                && crate_names(own.listed_name()).iter().all(|name| !names.contains(name.as_str()))
                && !implied::is_crate_for_its_features(own.listed_name())
                && !derives_for(package, own.listed_name())
                && !is_configured(map, own.listed_name())
                && is_unexplained(&manifest, own)
                && !(switches_features(&manifest, own) && is_needed_elsewhere(lock.as_deref(), own))
        })
        .collect();
    if candidates.is_empty() {
        return Some(candidates);
    }
    let declared: BTreeSet<String> =
        package.dependencies.iter().map(|own| own.listed_name().replace('-', "_")).collect();
    // Word, index of the candidate, and whether it is only a part of the name.
    let words: Vec<(String, usize, bool)> = candidates
        .iter()
        .enumerate()
        .flat_map(|(index, own)| {
            let whole = crate_names(own.listed_name()).into_iter().map(move |name| (name, index, false));
            let parts = parts_of(own.listed_name()).into_iter().filter(|part| !declared.contains(part));
            whole.chain(parts.map(move |part| (part, index, true)).collect::<Vec<_>>())
        })
        .collect();
    let needles = Needles::new(words.iter().map(|(word, ..)| word.as_str()))?;
    let is_crate = |word: usize, before: &str, after: &str| {
        let (text, _, is_part) = &words[word];
        let is_root = || after.starts_with("::") && !before.ends_with("::");
        // So short a word is the name of many a thing.
        let is_used = || text.len() > 3 || before.ends_with("use ");
        is_word(before, after) && (!is_part || is_root() && is_used())
    };
    // In macros, attributes and what a build script writes; and in what macros of this repository write into the crate.
    let named: BTreeSet<usize> = own
        .iter()
        .copied()
        .chain(macro_files(map, package))
        .map(|file| file.path.as_str())
        .chain(templates(map, package))
        .chain(included(map, package))
        .collect::<Vec<_>>()
        .par_iter()
        .filter_map(|path| ground.tree.text(path))
        .flat_map_iter(|text| needles.found_in(&text, &is_crate))
        .map(|word| words[word].1)
        .collect();
    Some(candidates.into_iter().enumerate().filter(|(index, _)| !named.contains(index)).map(|(_, own)| own).collect())
}

/// Files of the crates of this repository that a crate lists and that write code, by macros or for macros: what they write is
/// compiled where it is used.
fn macro_files<'a>(map: &'a RepoMap, package: &'a Package) -> Vec<&'a SourceFile> {
    let listed_by = |package: &Package| -> Vec<&'a Package> {
        let others = map.recon.packages.iter();
        others
            .filter(|other| other.manager == package.manager && other.folder != package.folder)
            .filter(|other| package.dependencies.iter().any(|own| own.name == other.name))
            .collect()
    };
    // A crate hands on the macros of the crate beside it.
    let mut listed = listed_by(package);
    for other in listed.clone() {
        listed.extend(listed_by(other));
    }
    map.files
        .iter()
        .filter(|file| {
            file.language == LanguageName::Rust && listed.iter().any(|other| other.inside(&file.path).is_some())
        })
        .filter(|file| {
            file.facts.symbols.iter().any(|symbol| symbol.kind == SymbolKind::Macro && symbol.exported)
                || file.facts.calls.iter().any(|site| {
                    site.kind == CallKind::Macro
                        && matches!(site.name.as_str(), "quote" | "quote_spanned" | "parse_quote")
                })
        })
        .collect()
}

/// Whether derive macros that the package lists beside the crate write paths of it: `strum_macros` writes `::strum`.
fn derives_for(package: &Package, name: &str) -> bool {
    let name = name.replace('-', "_");
    package.dependencies.iter().any(|own| {
        let other = own.listed_name().replace('-', "_");
        let end = other.strip_prefix(&name).unwrap_or_default();
        matches!(end, "_macros" | "_macro" | "_derive" | "_derives" | "_codegen" | "_impl" | "_attributes")
    })
}

/// Whether a file holds settings of the crate: its build script or its program reads them.
fn is_configured(map: &RepoMap, name: &str) -> bool {
    map.other_files.iter().any(|path| {
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem =
            file.strip_suffix(".toml").or_else(|| file.strip_suffix(".yaml")).or_else(|| file.strip_suffix(".yml"));
        stem.is_some_and(|stem| stem.strip_prefix('.').unwrap_or(stem) == name)
    })
}

/// Templates that are compiled with the crate: what they name, it uses.
fn templates<'a>(map: &'a RepoMap, package: &'a Package) -> impl Iterator<Item = &'a str> {
    const ENGINES: &[&str] = &["askama", "rinja", "sailfish", "yarte", "ructe", "maud", "askama_web", "askama_axum"];
    const ENDS: &[&str] = &[
        ".html", ".htm", ".txt", ".md", ".xml", ".json", ".svg", ".j2", ".jinja", ".jinja2", ".askama", ".stpl",
        ".hbs", ".css", ".js",
    ];
    let compiles = package.dependencies.iter().any(|own| ENGINES.contains(&own.name.as_str()));
    let paths = map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str));
    paths.filter(move |path| compiles && package.inside(path).is_some() && ENDS.iter().any(|end| path.ends_with(end)))
}

/// `#![doc = include_str!("docs.md")]`: samples that are compiled with the crate.
fn included<'a>(map: &'a RepoMap, package: &'a Package) -> impl Iterator<Item = &'a str> {
    let pages = map.other_files.iter().map(String::as_str).filter(|path| path.ends_with(".md"));
    // Elsewhere a page speaks of crates without using them.
    pages.filter(move |path| package.inside(path).is_some_and(|inside| inside.starts_with("src/")))
}

/// Names under which the code may know a crate.
fn crate_names(name: &str) -> BTreeSet<String> {
    let plain = name.replace('-', "_");
    let short = plain.trim_start_matches("rust_").trim_end_matches("_rs").trim_end_matches("_rust").to_owned();
    let lower = plain.to_lowercase();
    BTreeSet::from([name.replace(['-', '_'], ""), short, plain, lower])
}

/// Parts of a crate's name that may be the whole name of its library: `bip39` of `tiny-bip39`.
fn parts_of(name: &str) -> BTreeSet<String> {
    const SHORT: usize = 3;
    let words: Vec<&str> = name.split(['-', '_']).collect();
    let runs = (0..words.len()).flat_map(|start| (start + 1..=words.len()).map(move |end| (start, end)));
    runs.map(|(start, end)| words[start..end].join("_")).filter(|run| run.len() >= SHORT).collect()
}

/// Whether nothing else in the manifest speaks of the dependency, and no comment beside it gives a reason.
fn is_unexplained(manifest: &FileText, dependency: &Dependency) -> bool {
    let name = dependency.listed_name();
    let line = manifest.line(dependency.line).unwrap_or_default();
    let above = dependency.line.checked_sub(1).and_then(|line| manifest.line(line)).unwrap_or_default();
    let mentions =
        |text: &str| text.match_indices(name).filter(|(at, _)| is_word(&text[..*at], &text[at + name.len()..])).count();
    // The same name in another section, or in the workspace's own list; `"name/feature"` in a list of features needs it.
    let is_entry = |text: &str| {
        let rest = text.trim_start().trim_start_matches('"').strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with(['=', '.']))
    };
    let other = (1..).map_while(|number| manifest.line(number)).enumerate().any(|(index, text)| {
        index as u32 + 1 != dependency.line
            && !text.trim_start().starts_with('#')
            && mentions(text) > 0
            && !is_entry(text)
            && !text.trim_start().starts_with("name")
            && !text.trim_start().starts_with("keywords")
    });
    !line.contains('#') && !above.trim_start().starts_with('#') && !other
}

/// Whether more than one package of the lock file depends on the crate; without one nobody knows.
fn is_needed_elsewhere(lock: Option<&str>, dependency: &Dependency) -> bool {
    let Some(lock) = lock else { return true };
    // `dependencies = [\n "serde",\n "serde 1.0.1",\n]`
    let (plain, versioned) = (format!("\"{}\"", dependency.name), format!("\"{} ", dependency.name));
    let entries = lock.lines().filter(|line| line.starts_with(' ')).map(str::trim_start);
    entries.filter(|line| line.starts_with(&plain) || line.starts_with(&versioned)).nth(1).is_some()
}

/// Whether the entry switches on features of a crate: those who use it get them, whoever names it.
fn switches_features(manifest: &FileText, dependency: &Dependency) -> bool {
    let lines = (dependency.line..).map_while(|line| manifest.line(line).map(|text| (line, text)));
    let is_head = |text: &str| text.trim_start().starts_with('[');
    let is_table = manifest.line(dependency.line).is_some_and(is_head);
    // A table of its own ends with the next; an entry ends where its braces do.
    let mut open = 0_i32;
    for (line, text) in lines.take(30) {
        if line > dependency.line && (is_table && is_head(text) || !is_table && open <= 0) {
            return false;
        }
        if text.split(['{', ',', ' ']).any(|part| part.trim_start().starts_with("features")) {
            return true;
        }
        open += text.matches(['{', '[']).count() as i32 - text.matches(['}', ']']).count() as i32;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_known_by_several_names() {
        let names = crate_names("rust-ini");
        assert!(["rust_ini", "ini", "rustini"].iter().all(|name| names.contains(*name)));
        assert!(crate_names("md-5").contains("md5"));
    }
}
