//! What a command may name besides scripts and tasks: targets and features of crates, and services of compose files.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode, Yaml};

use crate::audit::rules::docs::commands::TargetKind;
use crate::audit::text::folder_of;
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{Package, PackageManager};
use crate::tree::Tree;

/// Names of targets, of the whole repository: which crate or file a command speaks of is not certain.
#[derive(Debug, Default)]
pub struct Targets {
    binaries: BTreeSet<String>,
    examples: BTreeSet<String>,
    features: BTreeSet<String>,
    services: BTreeSet<String>,
    /// Compose files take in others, or one could not be read.
    services_are_open: bool,
    /// The manifest of a crate could not be read.
    crates_are_open: bool,
}

impl Targets {
    /// What manifests, folders and compose files say.
    pub fn read(map: &RepoMap, tree: &dyn Tree) -> Targets {
        let mut targets = Targets::default();
        for package in map.recon.packages.iter().filter(|package| package.manager == PackageManager::Cargo) {
            targets.add_crate(map, tree, package);
        }
        for path in map.other_files.iter().filter(|path| is_compose(path)) {
            targets.add_compose(&tree.text(path).unwrap_or_default());
        }
        targets
    }

    fn add_crate(&mut self, map: &RepoMap, tree: &dyn Tree, package: &Package) {
        let manifest = tree.text(&package.manifest).and_then(|text| text.parse::<toml::Table>().ok());
        let Some(manifest) = manifest else {
            self.crates_are_open = true;
            return;
        };
        let names = |key: &str| -> Vec<String> {
            let entries = manifest.get(key).and_then(toml::Value::as_array);
            entries.into_iter().flatten().filter_map(|entry| entry.get("name")?.as_str().map(str::to_owned)).collect()
        };
        self.binaries.extend(names("bin"));
        self.examples.extend(names("example"));
        self.binaries.insert(package.name.clone());
        for path in map.files.iter().filter_map(|file| package.inside(&file.path)) {
            let target = |folder: &str| path.strip_prefix(folder)?.split(['/', '.']).next().map(str::to_owned);
            self.binaries.extend(target("src/bin/"));
            self.examples.extend(target("examples/"));
        }
        let features = manifest.get("features").and_then(toml::Value::as_table);
        self.features.extend(features.into_iter().flat_map(|table| table.keys().cloned()));
        // An optional dependency is a feature of its name, and one behind `dep:` costs nothing to let pass.
        self.features.extend(package.dependencies.iter().map(|dependency| dependency.name.clone()));
        self.features.insert("default".to_owned());
    }

    fn add_compose(&mut self, text: &str) {
        let documents = Yaml::load_from_str(text).unwrap_or_default();
        let Some(root) = documents.first() else {
            self.services_are_open = true;
            return;
        };
        self.services_are_open |= root.as_mapping_get("include").is_some() || text.contains("{{");
        let services = root.as_mapping_get("services").and_then(Yaml::as_mapping);
        self.services.extend(services.into_iter().flatten().filter_map(|(name, _)| Some(name.as_str()?.to_owned())));
    }

    /// The names there are of a kind; `None` when there are none, or more than can be read.
    pub fn of(&self, kind: TargetKind) -> Option<&BTreeSet<String>> {
        let (names, is_open) = match kind {
            TargetKind::Binary => (&self.binaries, self.crates_are_open),
            TargetKind::Example => (&self.examples, self.crates_are_open),
            TargetKind::Feature => (&self.features, self.crates_are_open),
            TargetKind::Service => (&self.services, self.services_are_open),
        };
        (!is_open && !names.is_empty()).then_some(names)
    }
}

/// `compose.yaml`, `docker-compose.dev.yml`.
fn is_compose(path: &str) -> bool {
    let name = path.strip_prefix(folder_of(path)).unwrap_or(path).trim_start_matches('/');
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml && (name.starts_with("compose") || name.starts_with("docker-compose") || name.contains(".compose."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_compose_files_are_read() {
        let mut targets = Targets::default();
        targets.add_compose("services:\n  db:\n    image: postgres\n  web: {}\n");
        let names = BTreeSet::from(["db".to_owned(), "web".to_owned()]);
        assert_eq!(targets.of(TargetKind::Service), Some(&names));
        targets.add_compose("include: [other.yml]\n");
        assert_eq!(targets.of(TargetKind::Service), None);
        assert!(is_compose("docker/docker-compose.dev.yml"));
        assert!(!is_compose("docs/composer.json"));
    }
}
