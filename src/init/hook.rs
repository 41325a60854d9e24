//! The hook that looks at what a push brings, beside whatever keeps the hooks of a repository already.

use std::io;
use std::path::{Path, PathBuf};

mod lefthook;
mod lines;
mod pre_commit;
mod script;

use super::undo::Undo;
use super::{ByHand, Change, Setup};
use crate::git::Hooks;

/// What looks at a push, on one line: nobody's push fails because the program is not installed.
const LINE: &str = "if command -v improve >/dev/null 2>&1; then improve branch --hook; else echo improve is not on PATH so nothing was looked at; fi";
/// By this a hook of ours is known again.
const OURS: &str = "improve branch --hook";
/// What runs before a push.
const PRE_PUSH: &str = "pre-push";
/// Where lefthook looks, in its order.
const LEFTHOOK: [&str; 6] = [
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    ".config/lefthook.yml",
    ".config/lefthook.yaml",
];
/// Where else it looks: in languages that are not edited here.
const LEFTHOOK_OTHERWISE: [&str; 6] = [
    "lefthook.toml",
    "lefthook.json",
    ".lefthook.toml",
    ".lefthook.json",
    ".config/lefthook.toml",
    ".config/lefthook.json",
];
const PRE_COMMIT: &str = ".pre-commit-config.yaml";

/// What keeps the hooks of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Scripts in the folder that git looks in.
    Git(Script),
    /// Scripts in husky's folder.
    Husky(Script),
    /// lefthook, by its file.
    Lefthook(File),
    /// pre-commit, by its file.
    PreCommit(File),
    /// A file or folder that is none of this repository's, or that cannot be edited.
    Closed {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// A hook that is a program, or that could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file.
    pub path: PathBuf,
    /// What it holds; `None` when there is none.
    pub text: Option<String>,
}

/// A file of settings that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// Its program runs before pushes already.
    pub runs_before_pushes: bool,
}

/// Finds what keeps the hooks of the repository at `root`: whatever runs them now, else whatever is set up to.
pub fn keeper(root: &Path, hooks: &Hooks) -> io::Result<Keeper> {
    let husky = root.join(".husky");
    if hooks.folder.starts_with(&husky) {
        return script(husky.join(PRE_PUSH), Keeper::Husky);
    }
    let path = hooks.folder.join(PRE_PUSH);
    let installed = read(&path)?.unwrap_or_default();
    let by = |word: &str| installed.contains(word);
    for name in LEFTHOOK {
        if let Some(text) = read(&root.join(name))? {
            return Ok(file(root.join(name), text, by("lefthook"), Keeper::Lefthook));
        }
    }
    if let Some(name) = LEFTHOOK_OTHERWISE.into_iter().find(|name| root.join(name).exists()) {
        return Ok(Keeper::Closed { path: root.join(name), why: "it is not YAML".to_owned() });
    }
    if let Some(text) = read(&root.join(PRE_COMMIT))? {
        return Ok(file(root.join(PRE_COMMIT), text, by("pre-commit"), Keeper::PreCommit));
    }
    // Not yet in force: husky sets it up when packages are installed.
    if husky.is_dir() {
        return script(husky.join(PRE_PUSH), Keeper::Husky);
    }
    if hooks.shared {
        let why = "`core.hooksPath` is set for every repository of yours, so a hook there would run in all of them";
        return Ok(Keeper::Closed { path, why: why.to_owned() });
    }
    script(path, Keeper::Git)
}

fn script(path: PathBuf, keeper: fn(Script) -> Keeper) -> io::Result<Keeper> {
    if path.is_symlink() {
        return Ok(Keeper::Closed { path, why: "it is a link to a file elsewhere".to_owned() });
    }
    let text = read(&path)?;
    Ok(keeper(Script { path, text }))
}

fn file(path: PathBuf, text: String, runs_before_pushes: bool, keeper: fn(File) -> Keeper) -> Keeper {
    match path.is_symlink() {
        true => Keeper::Closed { path, why: "it is a link to a file elsewhere".to_owned() },
        false => keeper(File { path, text, runs_before_pushes }),
    }
}

/// The text of a file; `None` when there is none. One that is not text has no words we know.
fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// What it takes to look at pushes there.
pub fn setup(keeper: Keeper) -> Setup {
    match keeper {
        Keeper::Git(found) => script::setup(found, script::Head::Shebang),
        Keeper::Husky(found) => script::setup(found, script::Head::None),
        Keeper::Lefthook(file) => {
            let then = (!file.runs_before_pushes).then(|| "`lefthook install` puts it in force".to_owned());
            edited(file, lefthook::added, lefthook::SNIPPET, then)
        }
        Keeper::PreCommit(file) => {
            let then = "`pre-commit install --hook-type pre-push` puts it in force, once in each clone".to_owned();
            let then = (!file.runs_before_pushes).then_some(then);
            edited(file, pre_commit::added, pre_commit::SNIPPET, then)
        }
        Keeper::Closed { path, why } => Setup::ByHand(ByHand { path, why, lines: format!("{LINE}\n") }),
    }
}

fn edited(file: File, added: fn(&str) -> Option<String>, snippet: &str, then: Option<String>) -> Setup {
    let File { path, text, runs_before_pushes: _ } = file;
    if text.contains(OURS) {
        return Setup::There(path);
    }
    match added(&text) {
        Some(after) => Setup::Write(Change { path, before: Some(text), after, executable: false, then }),
        None => Setup::ByHand(ByHand {
            path,
            why: "it is not laid out so that lines can be added without a doubt".to_owned(),
            lines: snippet.replace("{line}", LINE),
        }),
    }
}

/// Whether lines of ours are there.
pub fn is_there(keeper: &Keeper) -> bool {
    match keeper {
        Keeper::Git(script) | Keeper::Husky(script) => script.text.as_ref().is_some_and(|text| text.contains(OURS)),
        Keeper::Lefthook(file) | Keeper::PreCommit(file) => file.text.contains(OURS),
        Keeper::Closed { .. } => false,
    }
}

/// What it takes to have no lines of ours there.
pub fn removed(keeper: Keeper) -> Undo {
    match keeper {
        Keeper::Git(found) => script::removed(found, script::Head::Shebang),
        Keeper::Husky(found) => script::removed(found, script::Head::None),
        Keeper::Lefthook(file) => cut_from(file, lefthook::removed),
        Keeper::PreCommit(file) => cut_from(file, pre_commit::removed),
        Keeper::Closed { path, why } => Undo::Left { path, why },
    }
}

fn cut_from(file: File, removed: fn(&str) -> Option<String>) -> Undo {
    let File { path, text, runs_before_pushes: _ } = file;
    if !text.contains(OURS) {
        return Undo::NotThere(path);
    }
    match removed(&text) {
        Some(after) if after.trim().is_empty() => Undo::Remove(path),
        Some(after) => Undo::Edit(Change { path, before: Some(text), after, executable: false, then: None }),
        None => Undo::Left { path, why: "our lines were changed there: take them out yourself".to_owned() },
    }
}

#[cfg(test)]
mod tests;
