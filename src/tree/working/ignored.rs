//! What a working directory leaves out: `.ignore` and `.gitignore` files, `info/exclude`, the user's own list.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::os;

/// The ignore files of a folder and of those around it.
pub(super) struct Rules {
    outer: Option<Arc<Rules>>,
    place: Place,
    /// `.ignore`: holds for tracked files too, and before anything git says.
    dot: Option<Gitignore>,
    git: Option<Gitignore>,
    /// A repository begins here: git asks no folder further out.
    is_top: bool,
}

/// Where a folder of rules is, seen from the root of the tree.
enum Place {
    /// Inside it, or the root itself: so many bytes of a path lead there.
    Within(usize),
    /// Around it: this leads from there to the root.
    Around(String),
}

/// Everything that holds in the whole tree.
pub(super) struct Outermost {
    /// Rules of the folders around the root.
    pub around: Option<Arc<Rules>>,
    /// Lists that git asks when no `.gitignore` has an opinion, the stronger first.
    excludes: Vec<(Place, Gitignore)>,
}

impl Outermost {
    /// For the tree at `root`, with `excludes` as lists of its repository. A repository's root is the top; elsewhere the
    /// ignore files of enclosing folders count as git counts them.
    pub fn new(root: &Path, excludes: &[PathBuf]) -> Self {
        let mut lists: Vec<(Place, Gitignore)> = Vec::new();
        let mut around = None;
        if !root.join(".git").exists()
            && let Ok(root) = os::canonical(root)
        {
            for folder in root.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
                let Some(way) = root.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
                let is_top = folder.join(".git").exists();
                if is_top {
                    lists.clear();
                    let list = read(&folder.join(".git/info/exclude"));
                    lists.extend(list.map(|list| (Place::Around(way.to_owned()), list)));
                }
                let (dot, git) = (read(&folder.join(".ignore")), read(&folder.join(".gitignore")));
                if is_top || dot.is_some() || git.is_some() {
                    let place = Place::Around(way.to_owned());
                    around = Some(Arc::new(Rules { outer: around, place, dot, git, is_top }));
                }
            }
        }
        lists.extend(excludes.iter().filter_map(|path| Some((Place::Within(0), read(path)?))));
        Self { around, excludes: lists }
    }

    /// Whether git ignores `path` itself, by `rules` or by a list.
    pub fn git_ignores(&self, rules: Option<&Arc<Rules>>, path: &str, is_folder: bool) -> bool {
        let mut next = rules;
        while let Some(rules) = next {
            if let Some(decided) = rules.git.as_ref().and_then(|git| rules.place.ask(git, path, is_folder)) {
                return decided;
            }
            next = rules.outer.as_ref().filter(|_| !rules.is_top);
        }
        self.excludes.iter().find_map(|(place, list)| place.ask(list, path, is_folder)).unwrap_or(false)
    }
}

impl Rules {
    /// The rules inside `folder`, whose path in the tree is `path`; `outer` where it has no ignore file of its own.
    pub fn inside(folder: &Path, path: &str, outer: Option<&Arc<Rules>>, has: Has) -> Option<Arc<Rules>> {
        let dot = has.dot_ignore.then(|| read(&folder.join(".ignore"))).flatten();
        let git = has.git_ignore.then(|| read(&folder.join(".gitignore"))).flatten();
        if dot.is_none() && git.is_none() {
            return outer.cloned();
        }
        let skip = if path.is_empty() { 0 } else { path.len() + 1 };
        Some(Arc::new(Rules { outer: outer.cloned(), place: Place::Within(skip), dot, git, is_top: false }))
    }

    /// What the nearest `.ignore` with an opinion says of `path` itself: left out, or taken back.
    pub fn dot_ignores(rules: Option<&Arc<Rules>>, path: &str, is_folder: bool) -> Option<bool> {
        let mut next = rules;
        while let Some(rules) = next {
            if let Some(decided) = rules.dot.as_ref().and_then(|dot| rules.place.ask(dot, path, is_folder)) {
                return Some(decided);
            }
            next = rules.outer.as_ref();
        }
        None
    }

    /// Whether any `.ignore` holds here.
    pub fn has_dot_ignore(rules: Option<&Arc<Rules>>) -> bool {
        rules.is_some_and(|rules| rules.dot.is_some() || Rules::has_dot_ignore(rules.outer.as_ref()))
    }
}

/// Which ignore files a folder holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Has {
    pub dot_ignore: bool,
    pub git_ignore: bool,
}

impl Place {
    fn ask(&self, rules: &Gitignore, path: &str, is_folder: bool) -> Option<bool> {
        let path = match self {
            Place::Within(skip) => Cow::Borrowed(path.get(*skip..)?),
            Place::Around(way) => Cow::Owned(format!("{way}/{path}")),
        };
        match rules.matched(Path::new(&*path), is_folder) {
            Match::Ignore(_) => Some(true),
            Match::Whitelist(_) => Some(false),
            Match::None => None,
        }
    }
}

/// The patterns in a file, if it is one.
fn read(path: &Path) -> Option<Gitignore> {
    // Reading a pipe might never end.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut builder = GitignoreBuilder::new("");
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A line that is no pattern excludes nothing, as in git.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}
