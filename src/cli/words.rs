//! The words after `improve` and `improve audit`: FOCUS words and paths.

use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use improve::finding::Category;
use improve::nearest::nearest;
use improve::os;

use super::failure::Failure;

/// What the words ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Categories; empty for all.
    pub focus: Vec<Category>,
    /// Files, folders and globs, relative to the repository; empty for everything.
    pub paths: Vec<String>,
}

/// Reads the words. A FOCUS word wins over a path of the same name, which can be written `./docs`.
pub fn read(words: &[String], root: &Path, commands: &[String]) -> Result<Words, Failure> {
    let mut read = Words::default();
    for word in words {
        if let Some(category) = Category::parse(word) {
            read.focus.push(category);
        } else if let Some(path) = path(word, root) {
            read.paths.push(path);
        } else {
            return Err(unknown(word, commands));
        }
    }
    Ok(read)
}

/// `word` as a path of the repository: one that exists, seen from the current folder or from the root, or a glob.
pub fn path(word: &str, root: &Path) -> Option<String> {
    if word.contains(['*', '?', '{', '[']) {
        return Some(word.trim_start_matches("./").to_owned());
    }
    let here = std::env::current_dir().unwrap_or_else(|_| root.to_owned());
    let found = [here.join(word), root.join(word)].into_iter().find_map(|path| os::canonical(&path).ok())?;
    let inside = found.strip_prefix(root).ok()?.to_str()?;
    Some(if inside.is_empty() { ".".to_owned() } else { inside.replace('\\', "/") })
}

fn unknown(word: &str, commands: &[String]) -> Failure {
    let focus = Category::ALL.map(Category::focus);
    let known = focus.iter().copied().chain(commands.iter().map(String::as_str));
    let failure = Failure::usage(format!("`{word}` is neither a command, a FOCUS word nor a path of the repository"));
    if commands.iter().any(|command| command == word) {
        return failure.hint(format!("the command comes first: improve {word}"));
    }
    match nearest(word, known) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint(format!("FOCUS words: {}; `improve --help` lists the commands", focus.join(", "))),
    }
}

/// Which paths the words keep.
pub struct Filter(Option<GlobSet>);

impl Filter {
    /// A filter for files, folders and globs; an empty list keeps everything.
    pub fn new(paths: &[String]) -> Result<Filter, Failure> {
        if paths.is_empty() || paths.iter().any(|path| path == ".") {
            return Ok(Filter(None));
        }
        let mut set = GlobSetBuilder::new();
        for path in paths {
            let is_glob = path.contains(['*', '?', '{', '[']);
            let literal = if is_glob { path.clone() } else { globset::escape(path) };
            for form in [literal.clone(), format!("{literal}/**")] {
                set.add(Glob::new(&form).map_err(|error| bad_glob(path, &error))?);
            }
        }
        Ok(Filter(Some(set.build().map_err(|error| bad_glob(&paths.join(" "), &error))?)))
    }

    /// Whether `path` is among them.
    pub fn keeps(&self, path: &str) -> bool {
        self.0.as_ref().is_none_or(|set| set.is_match(path))
    }
}

fn bad_glob(glob: &str, error: &globset::Error) -> Failure {
    Failure::usage(format!("`{glob}` is not a glob: {}", error.kind())).hint("write it as in .gitignore: `src/**/*.ts`")
}
