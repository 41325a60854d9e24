//! Configuration that decides resolution: `package.json`, `tsconfig.json`, workspaces.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::map::members::{Members, below, npm_patterns, pnpm_patterns};

/// A `package.json`.
pub(super) struct Package {
    /// Its folder, `""` for the root.
    pub folder: String,
    pub manifest: Value,
    /// Named by a workspace pattern, or the root of the repository.
    pub in_workspace: bool,
}

/// `paths` and `baseUrl` as they apply to a folder.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct PathRules {
    /// Pattern and targets, targets relative to the repository.
    pub paths: Vec<(String, Vec<String>)>,
    /// Folder that bare specifiers are tried in.
    pub base: Option<String>,
}

/// All configuration of a repository.
pub(super) struct Project {
    /// By folder.
    packages: BTreeMap<String, Package>,
    /// Folders by package name.
    names: HashMap<String, Vec<String>>,
    /// By folder.
    rules: BTreeMap<String, PathRules>,
}

impl Project {
    pub fn read(config: &BTreeMap<String, String>) -> Project {
        let mut packages = BTreeMap::new();
        let mut workspaces: Vec<(&str, Members)> = Vec::new();
        for (path, text) in config {
            let (folder, name) = split(path);
            if name == "package.json" {
                let Some(manifest) = parse_jsonc(text) else { continue };
                workspaces.push((folder, Members::new(npm_patterns(&manifest["workspaces"]))));
                packages.insert(
                    folder.to_owned(),
                    Package { folder: folder.to_owned(), manifest, in_workspace: folder.is_empty() },
                );
            } else if matches!(name, "pnpm-workspace.yaml" | "pnpm-workspace.yml") {
                workspaces.push((folder, Members::new(pnpm_patterns(text).iter().map(String::as_str))));
            }
        }
        for package in packages.values_mut() {
            package.in_workspace |= workspaces
                .iter()
                .any(|(root, members)| below(root, &package.folder).is_some_and(|inside| members.contains(inside)));
        }
        let mut names: HashMap<String, Vec<String>> = HashMap::new();
        for package in packages.values() {
            if let Some(name) = package.manifest["name"].as_str() {
                names.entry(name.to_owned()).or_default().push(package.folder.clone());
            }
        }
        let mut project = Project { packages, names, rules: BTreeMap::new() };
        for path in config.keys() {
            let (folder, name) = split(path);
            if matches!(name, "tsconfig.json" | "jsconfig.json") {
                let mut rules = project.rules_of(config, path, folder, 0);
                if rules == PathRules::default() {
                    // A solution file: what applies is in the projects it refers to.
                    let references = config.get(path).and_then(|text| parse_jsonc(text));
                    let references = references.as_ref().and_then(|json| json["references"].as_array());
                    for reference in references.into_iter().flatten().filter_map(|entry| entry["path"].as_str()) {
                        let target = join(folder, reference);
                        let target = if config.contains_key(&target) { target } else { join(&target, "tsconfig.json") };
                        if split(&target).0 == folder {
                            rules = project.rules_of(config, &target, folder, 0);
                        }
                        if rules != PathRules::default() {
                            break;
                        }
                    }
                }
                project.rules.entry(folder.to_owned()).or_insert(rules);
            }
        }
        project
    }

    /// The rules of the configuration file at `path`, those it extends included, for a project in the folder `project`.
    fn rules_of(&self, config: &BTreeMap<String, String>, path: &str, project: &str, depth: usize) -> PathRules {
        let mut rules = PathRules::default();
        let Some(json) = config.get(path).and_then(|text| parse_jsonc(text)) else { return rules };
        let folder = split(path).0;
        if depth < 8 {
            for base in extended_by(&json) {
                // One that cannot be found says nothing; the rest still counts.
                if let Some(target) = self.extended(config, folder, base) {
                    let below = self.rules_of(config, &target, project, depth + 1);
                    if !below.paths.is_empty() {
                        rules.paths = below.paths;
                    }
                    rules.base = below.base.or(rules.base);
                }
            }
        }
        let options = &json["compilerOptions"];
        // Whoever extends means their own folder by it.
        let place = |base: &str, relative: &str| match relative.strip_prefix("${configDir}") {
            Some(rest) => join(project, rest.trim_start_matches('/')),
            None => join(base, relative),
        };
        if let Some(base) = options["baseUrl"].as_str() {
            rules.base = Some(place(folder, base));
        }
        if let Some(paths) = options["paths"].as_object() {
            let base = rules.base.clone().unwrap_or_else(|| folder.to_owned());
            rules.paths = paths
                .iter()
                .map(|(pattern, targets)| {
                    let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
                    (pattern.clone(), targets.map(|target| place(&base, target)).collect())
                })
                .collect();
        }
        rules
    }

    fn extended(&self, config: &BTreeMap<String, String>, folder: &str, base: &str) -> Option<String> {
        let stem = if base.starts_with('.') {
            join(folder, base)
        } else {
            let (name, rest) = split_package(base)?;
            let package = self.packages.get(self.names.get(name)?.first()?)?;
            let key = if rest.is_empty() { ".".to_owned() } else { format!("./{rest}") };
            let exported = package.manifest["exports"][key.as_str()].as_str();
            let own = package.manifest["tsconfig"].as_str().filter(|_| rest.is_empty());
            join(&package.folder, exported.or(own).unwrap_or(rest))
        };
        [stem.clone(), format!("{stem}.json"), join(&stem, "tsconfig.json")]
            .into_iter()
            .find(|candidate| config.contains_key(candidate))
    }

    /// The rules that apply to files in `folder`.
    pub fn rules_for(&self, folder: &str) -> Option<&PathRules> {
        ancestors(folder).find_map(|folder| self.rules.get(folder))
    }

    /// The package a file in `folder` belongs to.
    pub fn package_for(&self, folder: &str) -> Option<&Package> {
        ancestors(folder).find_map(|folder| self.packages.get(folder))
    }

    /// The package in exactly this folder.
    pub fn package_at(&self, folder: &str) -> Option<&Package> {
        self.packages.get(folder)
    }

    /// The package of this repository that a file in `folder` means by `name`.
    pub fn package_named(&self, name: &str, folder: &str) -> Option<&Package> {
        let folders = self.names.get(name)?;
        let own = self.package_for(folder);
        let linked = own.is_some_and(|own| {
            ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"].iter().any(|section| {
                own.manifest[*section][name].as_str().is_some_and(|version| {
                    ["workspace:", "file:", "link:", "portal:"].iter().any(|prefix| version.starts_with(prefix))
                })
            })
        });
        let mut candidates = folders.iter().filter_map(|folder| self.packages.get(folder));
        candidates.find(|package| package.in_workspace || linked || own.is_some_and(|own| own.folder == package.folder))
    }
}

/// What a configuration extends, as written; of several the last one counts most.
pub(in crate::map) fn extended_by(config: &Value) -> Vec<&str> {
    match &config["extends"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `folder` and everything above it, the root last.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(folder);
    std::iter::from_fn(move || {
        let current = next?;
        next = if current.is_empty() { None } else { Some(split(current).0) };
        Some(current)
    })
}

/// Folder and name of a path.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// `relative` as seen from `folder`, `.` and `..` worked out.
pub(in crate::map) fn join(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = if relative.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|part| !part.is_empty()).collect()
    };
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // Above the root is nowhere; a name no file has says so.
                if parts.pop().is_none() {
                    return "..".to_owned();
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Package name and the rest of a bare specifier.
pub(in crate::map) fn split_package(specifier: &str) -> Option<(&str, &str)> {
    let mut slashes = specifier.match_indices('/').map(|(at, _)| at);
    let end = if let Some(scoped) = specifier.strip_prefix('@') {
        let first = slashes.next()?;
        if first == 1 || scoped.len() == first {
            return None;
        }
        slashes.next()
    } else {
        slashes.next()
    };
    let name = &specifier[..end.unwrap_or(specifier.len())];
    let valid = name.starts_with(|letter: char| letter.is_alphanumeric() || letter == '@' || letter == '_');
    valid.then(|| (name, specifier.get(name.len() + 1..).unwrap_or_default()))
}

/// JSON with comments and trailing commas.
pub(in crate::map) fn parse_jsonc(text: &str) -> Option<Value> {
    let mut clean = String::with_capacity(text.len());
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut in_string = false;
    while let Some(letter) = letters.next() {
        if in_string {
            clean.push(letter);
            match letter {
                '\\' => clean.extend(letters.next()),
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (letter, letters.peek()) {
            ('/', Some('/')) => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            ('/', Some('*')) => {
                letters.next();
                let mut last = ' ';
                for next in letters.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            ('}' | ']', _) => {
                let kept = clean.trim_end().len();
                if clean[..kept].ends_with(',') {
                    clean.truncate(kept - 1);
                }
                clean.push(letter);
            }
            _ => {
                in_string = letter == '"';
                clean.push(letter);
            }
        }
    }
    serde_json::from_str(&clean).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_read_over() {
        let text = "{ // note\n \"a\": [1, 2,], /* b */ \"url\": \"http://x//y\",\n}";
        assert_eq!(parse_jsonc(text), Some(serde_json::json!({"a": [1, 2], "url": "http://x//y"})));
    }

    #[test]
    fn bare_specifiers_are_split_at_the_package() {
        assert_eq!(split_package("@scope/name/sub/path"), Some(("@scope/name", "sub/path")));
        assert_eq!(split_package("lodash/map"), Some(("lodash", "map")));
        assert_eq!(split_package("@/components"), None);
        assert_eq!(split_package("~/lib"), None);
    }

    #[test]
    fn paths_above_the_root_name_nothing() {
        assert_eq!(join("a/b", "../c"), "a/c");
        assert_eq!(join("a", "../../c"), "..");
    }
}
