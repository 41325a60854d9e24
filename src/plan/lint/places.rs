//! Places: scope paths exist or are created, excerpts stand where they are quoted from.

use globset::{GlobBuilder, GlobMatcher};

use super::{Problems, line_of, shorten};
use crate::plan::drift::{Drift, drift, locate};
use crate::plan::parse::names::Known;
use crate::plan::{Plan, ScopeEntry};
use crate::tree::Tree;

/// Checks scope and excerpts.
pub(super) fn check(plan: &Plan, tree: &dyn Tree, problems: &mut Problems) {
    let line = line_of(plan, Known::Scope);
    let paths: Vec<&ScopeEntry> = plan.scope.in_scope.iter().filter(|entry| entry.path.is_some()).collect();
    if paths.is_empty() {
        let hint = "list the files that may change under **In scope**";
        problems.push("no-scope", line, "the scope names no path", hint);
    }
    let files: Vec<String> =
        tree.entries().map(|entries| entries.into_iter().map(|entry| entry.path).collect()).unwrap_or_default();
    for entry in paths {
        let path = entry.path.as_deref().unwrap_or_default();
        if let Some(message) = forbidden(path) {
            problems.push(
                "scope-path-forbidden",
                line,
                message,
                "name a path inside the repository, relative to its root",
            );
            continue;
        }
        check_exists(path, entry.create, plan, tree, &files, problems);
    }
    check_excerpts(plan, tree, problems);
}

/// Why `path` may not be in a scope, if so.
pub(crate) fn forbidden(path: &str) -> Option<String> {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if path.starts_with(['/', '\\', '~']) || drive {
        return Some(format!("scope: {path}: an absolute path"));
    }
    let segments = || path.split(['/', '\\']);
    if segments().any(|segment| segment == "..") {
        return Some(format!("scope: {path}: leaves the repository"));
    }
    segments().any(|segment| segment.eq_ignore_ascii_case(".git")).then(|| format!("scope: {path}: belongs to git"))
}

fn check_exists(path: &str, create: bool, plan: &Plan, tree: &dyn Tree, files: &[String], problems: &mut Problems) {
    let line = line_of(plan, Known::Scope);
    let trimmed = path.trim_end_matches('/');
    // The index may still have to be written.
    if trimmed.ends_with("plans/README.md") {
        return;
    }
    if let Some(glob) = glob(trimmed) {
        if !create && !files.iter().any(|file| glob.is_match(file)) {
            problems.push("scope-path-missing", line, format!("scope: {path} matches no file"), "correct the pattern");
        }
        return;
    }
    let exists = tree.is_file(trimmed) || tree.is_folder(trimmed);
    if create && tree.is_file(trimmed) {
        let hint = "leave out `(create)`, or choose another name";
        problems.push("scope-path-exists", line, format!("scope: {path} is to be created and exists"), hint);
    } else if !create && !exists && locate(trimmed, tree).is_none() {
        let name = format!("/{}", trimmed.rsplit('/').next().unwrap_or(trimmed));
        let similar = files.iter().find(|file| format!("/{file}").ends_with(&name));
        let hint = match similar {
            Some(file) => format!("did you mean {file}?"),
            None => "write `(create)` behind a file that the plan makes".to_owned(),
        };
        problems.push("scope-path-missing", line, format!("scope: {path} does not exist"), hint);
    }
}

/// `path` as a pattern, when it is one.
pub(crate) fn glob(path: &str) -> Option<GlobMatcher> {
    // Brackets are part of file names in some frameworks: `[id].ts`.
    let is_pattern = path.contains(['*', '?']) || (path.contains('{') && path.contains(','));
    if !is_pattern {
        return None;
    }
    let escaped = path.replace('[', "\\[").replace(']', "\\]");
    GlobBuilder::new(&escaped)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

/// Whether `entry` allows a change of `file`.
pub(crate) fn covers(entry: &ScopeEntry, file: &str) -> bool {
    let Some(path) = entry.path.as_deref().map(|path| path.trim_start_matches("./").trim_end_matches('/')) else {
        return false;
    };
    path == file
        || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        || glob(path).is_some_and(|glob| glob.is_match(file))
        || (!path.contains('/') && file.rsplit('/').next() == Some(path))
}

fn check_excerpts(plan: &Plan, tree: &dyn Tree, problems: &mut Problems) {
    for excerpt in &plan.excerpts {
        let created = |file: &str| plan.scope.in_scope.iter().any(|entry| entry.create && covers(entry, file));
        match drift(excerpt, tree) {
            Drift::Untouched | Drift::Moved { .. } | Drift::Unlocatable => {}
            Drift::Missing { file } if created(&file) => {}
            Drift::Missing { file } => {
                let message = format!("an excerpt is quoted from {file}, which does not exist");
                problems.push("excerpt-file-missing", excerpt.line, message, "name the file it stands in now");
            }
            Drift::Changed { file, found, of, missing } => {
                let message = format!("{file}: {found} of {of} quoted lines are there; not `{}`", shorten(&missing));
                problems.push(
                    "excerpt-changed",
                    excerpt.line,
                    message,
                    "quote the file as it is, `…` for what is left out",
                );
            }
        }
    }
}
