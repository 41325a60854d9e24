//! `.gitattributes`: what a repository itself says is written by a tool or taken from elsewhere.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::repo_map::name::file_name;
use crate::tree::{EntryKind, Tree, TreeEntry};

/// The `.gitattributes` of a tree that say so of some files, those nearest the root first.
pub struct Attributes {
    files: Vec<(String, Gitignore)>,
}

/// Bytes of one such file that are read. Our choice: the longest that were seen have a tenth.
const MAX_BYTES: u64 = 200_000;

impl Attributes {
    /// Reads them; one that cannot be read says nothing.
    pub fn read(entries: &[TreeEntry], tree: &dyn Tree) -> Attributes {
        let own = entries.iter().filter(|entry| {
            entry.kind == EntryKind::File && entry.bytes <= MAX_BYTES && file_name(&entry.path) == ".gitattributes"
        });
        let mut files: Vec<(String, Gitignore)> = own
            .filter_map(|entry| {
                let folder = entry.path.strip_suffix(".gitattributes")?.to_owned();
                Some((folder, patterns(&tree.attributes(&entry.path)?)?))
            })
            .collect();
        files.sort_by_key(|(folder, _)| folder.len());
        Attributes { files }
    }

    /// Whether the file at `path` is marked `linguist-generated` or `linguist-vendored`; the nearest word counts.
    pub fn is_foreign(&self, path: &str) -> bool {
        self.files.iter().rev().find_map(|(folder, patterns)| {
            let found = patterns.matched(path.strip_prefix(folder.as_str())?, false);
            (!found.is_none()).then_some(found.is_ignore())
        }) == Some(true)
    }
}

/// The patterns of one file, those that take the mark away with a `!`; `None` where it marks nothing.
fn patterns(text: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    let mut marks = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(pattern) = words.next() else { continue };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, "true"));
            let (name, value) = name.strip_prefix(['-', '!']).map_or((name, value), |name| (name, "false"));
            if !matches!(name, "linguist-generated" | "linguist-vendored") {
                continue;
            }
            let sign = if value == "true" { "" } else { "!" };
            marks |= builder.add_line(None, &format!("{sign}{pattern}")).is_ok();
        }
    }
    marks.then(|| builder.build().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lint::tests::MemoryTree;

    fn attributes(files: &[(&str, &str)]) -> Attributes {
        let tree = MemoryTree::of(files);
        Attributes::read(&tree.entries().expect("a tree in memory"), &tree)
    }

    #[test]
    fn what_is_marked_is_foreign_and_the_nearest_word_counts() {
        let found = attributes(&[
            (
                ".gitattributes",
                "# sdk\nsdk/**  linguist-generated=true\n*.gen.ts text -diff linguist-generated\nlib/* linguist-vendored\n",
            ),
            ("sdk/own/.gitattributes", "hand.ts linguist-generated=false\n*.lock -linguist-generated\n"),
        ]);
        for path in ["sdk/a/client.ts", "src/routes.gen.ts", "lib/jquery.js", "sdk/own/other.ts"] {
            assert!(found.is_foreign(path), "{path}");
        }
        for path in ["src/a.ts", "lib/deep/a.ts", "sdk/own/hand.ts", "sdkx/a.ts"] {
            assert!(!found.is_foreign(path), "{path}");
        }
    }

    #[test]
    fn other_attributes_and_broken_patterns_say_nothing() {
        let found = attributes(&[(".gitattributes", "* text=auto\n[z linguist-generated\n*.ts diff=js\n\n  \n")]);
        assert!(!found.is_foreign("a.ts"));
    }
}
