//! Files that are there for tests alone because their module is: `#[cfg(test)] mod helpers;`, `#[cfg(feature = "testing")] pub mod soak;`.

use std::collections::BTreeSet;

use crate::map::classify::is_below;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::name::{Name, file_name};
use crate::repo_map::{FileRole, SourceFile};

/// Gives them, and what lies below them, the role of tests. A module that another declaration takes in unconditionally keeps its role.
pub fn mark(files: &mut [SourceFile]) {
    let (mut gated, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for file in files.iter().filter(|file| file.language == LanguageName::Rust) {
        for declaration in &file.facts.modules {
            let stems = if declaration.test { &mut gated } else { &mut taken };
            stems.insert(stem(file, &declaration.within, &declaration.name, declaration.path.as_ref()));
        }
    }
    let stems: BTreeSet<&str> = gated.difference(&taken).map(String::as_str).collect();
    for file in files {
        let own = file.path.strip_suffix(".rs").unwrap_or_default();
        if file.role == FileRole::Production && (stems.contains(own) || is_below(&file.path, &stems)) {
            file.role = FileRole::Test;
        }
    }
}

/// Where the module lies: its file without `.rs`, which is also the folder of what is below it.
fn stem(file: &SourceFile, within: &[Name], name: &Name, path: Option<&Name>) -> String {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if let Some(path) = path {
        let path = path.strip_suffix(".rs").unwrap_or(path);
        return joined(folder, path.strip_suffix("/mod").unwrap_or(path));
    }
    let own = file_name(&file.path);
    let base = match own.strip_suffix(".rs").unwrap_or(own) {
        "mod" | "lib" | "main" => folder.to_owned(),
        stem => joined(folder, stem),
    };
    within.iter().chain([name]).fold(base, |base, part| joined(&base, part))
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{MapOptions, build};
    use crate::progress::NoProgress;
    use crate::repo_map::history::History;
    use crate::tree::WorkingTree;

    #[test]
    fn modules_for_tests_are_tests_and_so_is_what_lies_below_them() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        };
        write("Cargo.toml", "[package]\nname = \"p\"\n");
        write(
            "src/lib.rs",
            "#[cfg(feature = \"testing\")]\npub mod soak;\n#[cfg(test)]\nmod checks;\nmod stock;\n#[cfg(test)]\nmod both;\n#[cfg(not(test))]\nmod both;\n",
        );
        for path in ["src/soak/mod.rs", "src/soak/deep/more.rs", "src/checks.rs", "src/stock/inner.rs", "src/both.rs"] {
            write(path, "pub fn f() {}\n");
        }
        write("src/stock.rs", "mod inner;\n#[cfg(any(test, feature = \"test-utils\"))]\npub mod samples;\n");
        write("src/stock/samples.rs", "pub fn f() {}\n");
        let map =
            build(&WorkingTree::new(folder.path()), &MapOptions::default(), &History::default(), None, &NoProgress)
                .expect("readable");
        let tests: Vec<&str> =
            map.files.iter().filter(|file| file.role == FileRole::Test).map(|file| file.path.as_str()).collect();
        assert_eq!(tests, ["src/checks.rs", "src/soak/deep/more.rs", "src/soak/mod.rs", "src/stock/samples.rs"]);
    }
}
