//! Module specifiers: which file of the repository, or which package outside it.

use rustc_hash::FxHashMap as HashMap;
use serde_json::Value;

use super::project::{Package, Project, join, split, split_package};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, ImportTarget, SourceFile};

const EXTENSIONS: &[&str] = &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "d.ts"];

/// Conditions of `exports`, those that name sources first.
const CONDITIONS: &[&str] =
    &["source", "development", "types", "import", "module", "default", "require", "node", "browser"];

/// Built-in modules of Node whose name has a second part.
const NODE_SUBPATHS: &[&str] = &[
    "assert/strict",
    "dns/promises",
    "fs/promises",
    "inspector/promises",
    "path/posix",
    "path/win32",
    "readline/promises",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "timers/promises",
    "util/types",
];

/// Resolves specifiers.
pub(super) struct Specifiers<'a> {
    files: HashMap<&'a str, FileId>,
    /// Files by path without extension: of several the one whose extension comes first.
    stems: HashMap<&'a str, FileId>,
    project: Project,
}

impl<'a> Specifiers<'a> {
    pub fn new(files: &'a [SourceFile], project: Project) -> Specifiers<'a> {
        let paths = || {
            let files = (0..).zip(files).filter(|(_, file)| file.language.is_ecmascript());
            files.map(|(id, file)| (file.path.as_str(), id))
        };
        let mut stems = HashMap::default();
        for extension in EXTENSIONS {
            for (path, id) in paths() {
                if let Some(stem) = path.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.')) {
                    stems.entry(stem).or_insert(id);
                }
            }
        }
        Specifiers { files: paths().collect(), stems, project }
    }

    /// What `specifier` means in the file at `from`.
    pub fn resolve(&self, specifier: &str, from: &str) -> ImportTarget {
        let folder = split(from).0;
        // `./icon.svg?raw`: what follows is for the bundler.
        let specifier = specifier.split('?').next().unwrap_or(specifier);
        if specifier.starts_with('.') || specifier.starts_with('/') {
            return self.probe(&join(folder, specifier)).map_or(ImportTarget::Unresolved, ImportTarget::File);
        }
        if specifier.starts_with('#')
            && let Some(package) = self.project.package_for(folder)
        {
            let targets = targets(&package.manifest["imports"], specifier);
            if let Some(file) = targets.iter().find_map(|targets| self.first_of(package, targets)) {
                return ImportTarget::File(file);
            }
            // `"#ansi": "chalk"`; what starts with `#` again would have no end.
            if let Some(bare) = targets.iter().flatten().find(|target| !target.starts_with(['.', '/', '#'])) {
                return self.resolve(bare, from);
            }
        }
        if let Some(file) = self.by_rules(specifier, folder).or_else(|| self.in_workspace(specifier, folder)) {
            return ImportTarget::File(file);
        }
        external(specifier).map_or(ImportTarget::Unresolved, ImportTarget::External)
    }

    fn by_rules(&self, specifier: &str, folder: &str) -> Option<FileId> {
        let rules = self.project.rules_for(folder)?;
        let mut matches: Vec<(usize, &str, &Vec<String>)> = rules
            .paths
            .iter()
            .filter_map(|(pattern, targets)| {
                let hole = hole_of(pattern, specifier)?;
                Some((pattern.split('*').next().unwrap_or(pattern).len(), hole, targets))
            })
            .collect();
        // The longest prefix wins; the order in the file decides nothing else.
        matches.sort_by_key(|(length, ..)| std::cmp::Reverse(*length));
        let candidates =
            matches.iter().flat_map(|(_, hole, targets)| targets.iter().map(|target| target.replacen('*', hole, 1)));
        candidates
            .chain(rules.base.iter().map(|base| join(base, specifier)))
            .find_map(|candidate| self.probe(&candidate))
    }

    fn in_workspace(&self, specifier: &str, folder: &str) -> Option<FileId> {
        let (name, rest) = split_package(specifier)?;
        let package = self.project.package_named(name, folder)?;
        self.package_entry(package, rest)
    }

    /// The source of a package's entry `rest` (empty for the main one).
    fn package_entry(&self, package: &Package, rest: &str) -> Option<FileId> {
        let key = if rest.is_empty() { ".".to_owned() } else { format!("./{rest}") };
        let exports = &package.manifest["exports"];
        let has_paths = exports.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('.')));
        let by_exports = if has_paths {
            let targets = targets(exports, &key);
            if targets.first().is_some_and(Vec::is_empty) {
                // `"./internal/*": null`: not for others.
                return None;
            }
            targets.iter().find_map(|targets| self.first_of(package, targets))
        } else if rest.is_empty() {
            self.first_of(package, &strings(exports))
        } else {
            None
        };
        if by_exports.is_some() {
            return by_exports;
        }
        if rest.is_empty() {
            let mains: Vec<String> = ["source", "types", "typings", "module", "main"]
                .iter()
                .filter_map(|field| package.manifest[*field].as_str().map(str::to_owned))
                .collect();
            if let Some(file) = self.first_of(package, &mains) {
                return Some(file);
            }
        }
        let tail = if rest.is_empty() { "index" } else { rest };
        ["src", ""].iter().find_map(|base| self.probe(&join(&join(&package.folder, base), tail)))
    }

    /// The first target that is a source file, what is built mapped to what it is built from.
    fn first_of(&self, package: &Package, targets: &[String]) -> Option<FileId> {
        for target in targets {
            let target = target.strip_prefix("./").unwrap_or(target);
            let built = ["dist/esm/", "dist/cjs/", "dist/types/", "dist/", "build/", "lib/", "out/", "esm/", "cjs/"];
            let sources = built.iter().filter_map(|folder| target.strip_prefix(folder));
            let sources = sources.flat_map(|rest| [format!("src/{rest}"), rest.to_owned()]);
            let candidates = std::iter::once(target.to_owned()).chain(sources);
            for candidate in candidates {
                if let Some(file) = self.probe(&join(&package.folder, &candidate)) {
                    return Some(file);
                }
            }
        }
        None
    }

    /// The file that `base` names, with or without its extension.
    fn probe(&self, base: &str) -> Option<FileId> {
        let base = base.trim_end_matches('/');
        if let Some(&file) = self.files.get(base) {
            return Some(file);
        }
        let stem =
            [".d.ts", ".d.mts", ".js", ".jsx", ".mjs", ".cjs"].iter().find_map(|ending| base.strip_suffix(ending));
        let index = if base.is_empty() { "index".to_owned() } else { format!("{base}/index") };
        let found =
            [Some(base), stem, Some(index.as_str())].into_iter().flatten().find_map(|stem| self.stems.get(stem));
        if let Some(&file) = found {
            return Some(file);
        }
        let package = self.project.package_at(base)?;
        // A package without sources of its own would ask for itself for ever.
        let main = ["source", "module", "main"].iter().find_map(|field| package.manifest[*field].as_str())?;
        let target = join(base, main);
        if target == base { None } else { self.files.get(target.as_str()).copied().or_else(|| self.probe(&target)) }
    }
}

/// What `key` stands for in an `exports` or `imports` map, entry by entry, the one that applies first. An entry without a target
/// says that there is none.
fn targets(map: &Value, key: &str) -> Vec<Vec<String>> {
    let Some(map) = map.as_object() else { return Vec::new() };
    if let Some(target) = map.get(key) {
        return vec![strings(target)];
    }
    let mut patterns: Vec<(&String, &str, &Value)> = map
        .iter()
        .filter(|(pattern, _)| pattern.contains('*'))
        .filter_map(|(pattern, target)| Some((pattern, hole_of(pattern, key)?, target)))
        .collect();
    patterns.sort_by_key(|(pattern, ..)| std::cmp::Reverse(pattern.find('*')));
    let filled = |hole: &str, target: &Value| strings(target).iter().map(|target| target.replace('*', hole)).collect();
    patterns.into_iter().map(|(_, hole, target)| filled(hole, target)).collect()
}

/// What `*` stands for, when `pattern` matches; the empty string for an exact match.
fn hole_of<'s>(pattern: &str, text: &'s str) -> Option<&'s str> {
    match pattern.split_once('*') {
        Some((before, after)) if text.len() >= before.len() + after.len() => {
            text.strip_prefix(before)?.strip_suffix(after)
        }
        Some(_) => None,
        None => (pattern == text).then_some(""),
    }
}

/// Every target in a conditional export, those that name sources first.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(target) => vec![target.clone()],
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::Object(map) => {
            let known = CONDITIONS.iter().filter_map(|condition| map.get(*condition));
            let others = map.iter().filter(|(key, _)| !CONDITIONS.contains(&key.as_str())).map(|(_, target)| target);
            known.chain(others).flat_map(strings).collect()
        }
        _ => Vec::new(),
    }
}

/// The package outside the repository that a bare specifier names.
fn external(specifier: &str) -> Option<Name> {
    if let Some(builtin) = specifier.strip_prefix("node:") {
        return Some(builtin.into());
    }
    if NODE_SUBPATHS.contains(&specifier) || specifier.contains("://") || specifier.starts_with("bun:") {
        return Some(specifier.into());
    }
    let bare = specifier.strip_prefix("npm:").or_else(|| specifier.strip_prefix("jsr:")).unwrap_or(specifier);
    let (name, _) = split_package(bare)?;
    // `npm:chalk@5`
    let end = name.char_indices().skip(1).find(|(_, letter)| *letter == '@').map_or(name.len(), |(at, _)| at);
    Some(name[..end].into())
}

/// The part of a specifier after the package name: `link` for `next/link`.
pub(super) fn subpath(specifier: &str) -> Option<&str> {
    if specifier.starts_with("node:") || NODE_SUBPATHS.contains(&specifier) || specifier.contains("://") {
        return None;
    }
    let rest = split_package(specifier)?.1;
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let stem = last.split('.').next().unwrap_or(last);
    (!stem.is_empty()).then_some(stem)
}
