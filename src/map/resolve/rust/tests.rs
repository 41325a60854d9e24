//! Each case is a handful of files in memory: what every call in one of them resolves to.

mod bad_input;
mod crates;
mod forms;
mod macros;
mod names;
mod receivers;
mod traits;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::map::language::rust::RUST;
use crate::map::resolve::{LinkInput, Links, link};
use crate::map::syntax::SyntaxParser;
use crate::progress::NoProgress;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::name::joined;
use crate::repo_map::{CallTarget, FileHistory, FileRole, SourceFile};

/// A repository of Rust files and manifests, linked.
struct Repository {
    files: Vec<SourceFile>,
    links: Links,
}

impl Repository {
    fn new(entries: &[(&str, &str)]) -> Self {
        let mut files = Vec::new();
        let mut config = BTreeMap::new();
        let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
        for (path, text) in entries {
            if !path.ends_with(".rs") {
                config.insert((*path).to_owned(), (*text).to_owned());
                continue;
            }
            files.push(SourceFile {
                path: (*path).to_owned(),
                language: LanguageName::Rust,
                role: FileRole::Production,
                lines: text.lines().count() as u32,
                bytes: text.len() as u64,
                history: FileHistory::default(),
                facts: RUST.read("rs", text, &mut parser).expect("no cancellation is set"),
            });
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let links = link(&LinkInput { files: &files, config: &config });
        Self { files, links }
    }

    /// What the calls of `path` resolve to, macros of the standard library left out:
    /// `name -> file qualified how`, `name -> crate path`, `name -> ?`.
    fn calls(&self, path: &str) -> Vec<String> {
        let (file, source) =
            self.files.iter().enumerate().find(|(_, file)| file.path == path).expect("a file of the case");
        let calls = source.facts.calls.iter().zip(&self.links.targets[file]);
        calls
            .filter(|(call, _)| !matches!(call.name.as_str(), "Some" | "Ok" | "println"))
            .map(|(call, target)| match target {
                CallTarget::Symbols(found) => {
                    let found = found.iter().map(|found| {
                        let file = &self.files[found.symbol.file as usize];
                        let symbol = &file.facts.symbols[found.symbol.index as usize];
                        format!("{} {} {}", file.path, symbol.qualified, found.how.label())
                    });
                    format!("{} -> {}", call.name, found.collect::<Vec<_>>().join(", "))
                }
                CallTarget::External(external) => {
                    format!("{} -> {}: {}", call.name, external.package, joined(&external.path, "::"))
                }
                CallTarget::Unresolved => format!("{} -> ?", call.name),
            })
            .collect()
    }
}

const MANIFEST: (&str, &str) =
    ("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nsqlx = \"1\"\nregex = \"1\"\nreqwest = \"1\"\n");

#[track_caller]
fn check(entries: &[(&str, &str)], path: &str, expected: &[&str]) {
    let mut all = vec![MANIFEST];
    all.extend(entries);
    assert_eq!(Repository::new(&all).calls(path), expected);
}
