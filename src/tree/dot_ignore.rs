//! `.ignore` files: what tools that read a repository are asked to leave out, tracked or not.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Every `.ignore` file of a tree.
pub(crate) struct DotIgnore {
    /// Folder (`""` for the root) and its patterns, the deepest first.
    matchers: Vec<(String, Gitignore)>,
}

impl DotIgnore {
    /// From all paths of a tree and a way to read one.
    pub(crate) fn new<'a>(paths: impl Iterator<Item = &'a str>, read: impl Fn(&str) -> Option<String>) -> Self {
        let mut matchers: Vec<(String, Gitignore)> = paths
            .filter(|path| *path == ".ignore" || path.ends_with("/.ignore"))
            .filter_map(|path| {
                let folder = path.strip_suffix(".ignore")?.trim_end_matches('/').to_owned();
                let mut builder = GitignoreBuilder::new("");
                for line in read(path)?.lines() {
                    // A line that is no pattern excludes nothing, as in git.
                    let _ = builder.add_line(None, line);
                }
                Some((folder, builder.build().ok()?))
            })
            .collect();
        matchers.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Self { matchers }
    }

    /// Whether `path` is to be left out: it, or a folder around it, which nothing inside can take back.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if self.matchers.is_empty() {
            return false;
        }
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.any(|folder| self.decides(folder, true)) || self.decides(path, false)
    }

    /// What the nearest file with an opinion says of `path` itself.
    fn decides(&self, path: &str, is_folder: bool) -> bool {
        for (folder, matcher) in &self.matchers {
            let Some(inside) = below(folder, path) else { continue };
            match matcher.matched(Path::new(inside), is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

/// The rest of `path` below `folder`.
fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deeper_file_overrules_the_one_above() {
        let read = |path: &str| match path {
            ".ignore" => Some("data/\n*.log\n".to_owned()),
            "app/.ignore" | "data/.ignore" => Some("!keep.log\n".to_owned()),
            _ => None,
        };
        let ignored = DotIgnore::new([".ignore", "app/.ignore", "data/.ignore"].into_iter(), read);
        assert!(ignored.matches("data/keep.log"), "its folder is left out");
        assert!(ignored.matches("data/big.csv"));
        assert!(ignored.matches("app/other.log"));
        assert!(!ignored.matches("app/keep.log"));
        assert!(!ignored.matches("app/main.rs"));
    }
}
