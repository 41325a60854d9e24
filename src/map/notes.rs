//! What of a project's configuration could not be followed: said, because what depends on it is then missing without a trace.

use std::collections::BTreeMap;

use super::classify;
use super::resolve::ecmascript::parse_jsonc;
use crate::repo_map::recon::{PackageManager, Recon};
use crate::repo_map::{FileRole, Note};

/// Notes on `config`, texts by path, and on the packages it describes, in order.
pub(super) fn notes(config: &BTreeMap<String, String>, recon: &Recon) -> Vec<Note> {
    // What stands in tests may be broken on purpose.
    let shipped = |path: &str| classify::role(path) == FileRole::Production;
    let mut notes: Vec<Note> =
        config.iter().filter(|(path, _)| shipped(path)).flat_map(|(path, text)| of_file(path, text, config)).collect();
    notes.extend(namesakes(recon, &shipped));
    notes
}

fn of_file(path: &str, text: &str, config: &BTreeMap<String, String>) -> Vec<Note> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == "Cargo.toml" {
        return match text.parse::<toml::Table>() {
            Ok(manifest) => absent_members(path, folder, &manifest, config),
            Err(error) => {
                let why = format!("no readable TOML ({}): its package and its members are not known", error.message());
                vec![Note { what: path.to_owned(), why }]
            }
        };
    }
    let is_json = name == "package.json"
        || ((name.starts_with("tsconfig") || name.starts_with("jsconfig")) && name.ends_with(".json"));
    if is_json && parse_jsonc(text).is_none() {
        let why = "no readable JSON, comments allowed: what it says of packages and paths is not followed".to_owned();
        return vec![Note { what: path.to_owned(), why }];
    }
    Vec::new()
}

fn absent_members(path: &str, folder: &str, manifest: &toml::Table, config: &BTreeMap<String, String>) -> Vec<Note> {
    let members = manifest.get("workspace").and_then(|workspace| workspace.get("members")?.as_array());
    let named = members.into_iter().flatten().filter_map(|member| member.as_str());
    named
        .filter(|member| !member.contains(['*', '?', '[']))
        .filter(|member| {
            let inside = member.trim_start_matches("./").trim_end_matches('/');
            let parts = [folder, inside, "Cargo.toml"];
            let manifest: Vec<&str> = parts.into_iter().filter(|part| !matches!(*part, "" | ".")).collect();
            // What leads out of the folder is not ours to look for.
            !inside.contains("..") && !config.contains_key(&manifest.join("/"))
        })
        .map(|member| Note {
            what: format!("{path}: workspace member `{member}`"),
            why: "it has no Cargo.toml: the workspace is read without it".to_owned(),
        })
        .collect()
}

/// Packages of one ecosystem that share a name.
fn namesakes(recon: &Recon, shipped: &dyn Fn(&str) -> bool) -> Vec<Note> {
    let mut manifests: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for package in recon.packages.iter().filter(|package| shipped(&package.manifest)) {
        let is_cargo = package.manager == PackageManager::Cargo;
        manifests.entry((is_cargo, package.name.as_str())).or_default().push(&package.manifest);
    }
    let shared = manifests.into_iter().filter(|(_, manifests)| manifests.len() > 1);
    shared
        .map(|((_, name), manifests)| Note {
            what: manifests.join(", "),
            why: format!("all called `{name}`: imports of that name go to one of them"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::recon::Package;

    fn said(config: &[(&str, &str)]) -> Vec<String> {
        let config = config.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        notes(&config, &Recon::default()).into_iter().map(|note| note.what).collect()
    }

    #[test]
    fn configuration_that_cannot_be_read_is_said() {
        let config = [
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\", \"gone\", \"./here/\"]\n"),
            ("here/Cargo.toml", "[package]\nname = \"here\"\n"),
            ("odd/Cargo.toml", "[package\n"),
            ("package.json", "{ \"name\": \"a\" }"),
            ("tsconfig.json", "{ // a comment and a last comma are fine\n \"files\": [], }"),
            ("web/tsconfig.json", "{ \"compilerOptions\": "),
            ("tests/fixtures/tsconfig.json", "{ on purpose"),
        ];
        assert_eq!(said(&config), ["Cargo.toml: workspace member `gone`", "odd/Cargo.toml", "web/tsconfig.json"]);
    }

    #[test]
    fn packages_that_share_a_name_are_said() {
        let package = |folder: &str, manager: PackageManager, manifest: &str| Package {
            name: "same".to_owned(),
            folder: folder.to_owned(),
            manifest: format!("{folder}/{manifest}"),
            manager,
            workspace_root: false,
            member_of: None,
            dependencies: Vec::new(),
            commands: Vec::new(),
            entry_points: Vec::new(),
            scripts: Vec::new(),
            publishable: false,
        };
        let packages = vec![
            package("a", PackageManager::Npm, "package.json"),
            package("b", PackageManager::Npm, "package.json"),
            package("c", PackageManager::Cargo, "Cargo.toml"),
        ];
        let found = notes(&BTreeMap::new(), &Recon { packages, ..Recon::default() });
        let what: Vec<&str> = found.iter().map(|note| note.what.as_str()).collect();
        assert_eq!(what, ["a/package.json, b/package.json"]);
    }
}
