//! Configuration: the files that decide how imports resolve or how the project is run, and their text.

use std::collections::{BTreeMap, BTreeSet};

use super::resolve::ecmascript::{extended_by, join, parse_jsonc, split_package};
use super::{classify, recon};
use crate::tree::{EntryKind, Tree, TreeEntry};

/// Text of every such file, by path: those known by their names, and what they extend under whatever name.
pub(super) fn read(entries: &[TreeEntry], tree: &dyn Tree) -> BTreeMap<String, String> {
    let readable: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::File && entry.bytes <= recon::MAX_CONFIG_BYTES)
        .filter(|entry| entry.path.ends_with(".json") || recon::is_config(&entry.path))
        .filter(|entry| classify::skip_by_path(&entry.path).is_none())
        .map(|entry| entry.path.as_str())
        .collect();
    let mut config = BTreeMap::new();
    let mut pending: BTreeSet<&str> = readable.iter().copied().filter(|path| recon::is_config(path)).collect();
    while let Some(path) = pending.pop_first() {
        let Some(text) = tree.text(path) else { continue };
        let wanted = extended(path, &text);
        config.insert(path.to_owned(), text);
        if !wanted.is_empty() {
            let is_wanted = |path: &&str| wanted.iter().any(|wanted| wanted.means(path)) && !config.contains_key(*path);
            pending.extend(readable.iter().copied().filter(is_wanted));
        }
    }
    config
}

/// A file that a configuration extends.
enum Extended {
    /// By its path, with or without `.json`.
    Path(String),
    /// The path within a package, wherever that stands.
    Within(String),
}

impl Extended {
    fn means(&self, path: &str) -> bool {
        let plain = path.strip_suffix(".json").unwrap_or(path);
        match self {
            Extended::Path(wanted) => path == wanted || plain == wanted,
            Extended::Within(wanted) => [path, plain]
                .iter()
                .any(|path| path.strip_suffix(wanted.as_str()).is_some_and(|before| before.ends_with('/'))),
        }
    }
}

/// What the configuration at `path` extends beyond files that are read for their names.
fn extended(path: &str, text: &str) -> Vec<Extended> {
    if !path.ends_with(".json") || !text.contains("\"extends\"") {
        return Vec::new();
    }
    let Some(json) = parse_jsonc(text) else { return Vec::new() };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    extended_by(&json)
        .into_iter()
        .filter_map(|base| {
            if base.starts_with('.') {
                return Some(Extended::Path(join(folder, base)));
            }
            let (_, rest) = split_package(base)?;
            (!rest.is_empty()).then(|| Extended::Within(rest.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::WorkingTree;

    #[test]
    fn what_a_config_extends_is_read_whatever_its_name() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        for (path, text) in [
            ("tsconfig.json", "{ \"extends\": [\"./config/strict\", \"@acme/config/web/react.json\"] }"),
            ("config/strict.json", "{ // and so on\n \"extends\": \"./round.json\" }"),
            ("config/round.json", "{ \"extends\": \"../tsconfig.json\" }"),
            ("config/other.json", "{}"),
            ("packages/shared/web/react.json", "{}"),
            ("data/react.json", "{}"),
            ("web/package.json", "{ \"extends\": 3 }"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        }
        let tree = WorkingTree::new(folder.path());
        let config = read(&tree.entries().expect("readable"), &tree);
        let paths: Vec<&String> = config.keys().collect();
        assert_eq!(
            paths,
            [
                "config/round.json",
                "config/strict.json",
                "packages/shared/web/react.json",
                "tsconfig.json",
                "web/package.json"
            ]
        );
    }
}
