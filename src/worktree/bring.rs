//! Bringing along what git does not track: files named by `.worktreeinclude`, submodules, prepared dependencies.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use ignore::WalkBuilder;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::files::make_parent;
use super::limits::{self, Checkout};
use super::{Place, Worktree, WorktreeError, git, io_at};
use crate::os;

/// Folders that package managers fill and that are expensive to fill again.
const DEPENDENCIES: &[&str] = &["node_modules", "target"];

/// How deep prepared folders are looked for: the packages of a monorepo stand two or three folders down.
const DEPTH: usize = 5;

/// Copies the ignored files of the user's tree that `.worktreeinclude` names. A file called `.env…` comes only when it is named
/// without wildcards. Returns what was copied, sorted.
pub fn included(place: &Place, worktree: &Worktree) -> Result<Vec<String>, WorktreeError> {
    let Some(text) = worktree.text(".worktreeinclude") else { return Ok(Vec::new()) };
    let include = patterns(place.root(), &text);
    let repository = place.repository()?;
    let mut copied = Vec::new();
    let root = place.root().to_owned();
    let mut walk = WalkBuilder::new(&root);
    let walk = walk.standard_filters(false).follow_links(false).filter_entry(|entry| {
        // What installs itself is not copied by pattern.
        entry.file_name() != ".git" && !DEPENDENCIES.iter().any(|name| entry.file_name() == *name)
    });
    for entry in walk.build().flatten() {
        let Ok(relative) = entry.path().strip_prefix(&root) else { continue };
        let Some(path) = relative.to_str().filter(|path| !path.is_empty()) else { continue };
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if !is_file || !include.matched_path_or_any_parents(relative, false).is_ignore() {
            continue;
        }
        if is_environment_file(path) && !is_named(&text, path) {
            continue;
        }
        if repository.is_path_ignored(relative).map_err(git("read the ignore rules"))? && worktree.text(path).is_none()
        {
            let target = worktree.folder().join(relative);
            worktree.refuse_linked_parent(path)?;
            make_parent(&target)?;
            fs::copy(entry.path(), &target).map_err(io_at(&target))?;
            copied.push(path.to_owned());
        }
    }
    copied.sort();
    Ok(copied)
}

fn patterns(root: &Path, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    for line in text.lines() {
        // A line that is no pattern includes nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

fn is_environment_file(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name == ".env" || name.starts_with(".env."))
}

/// Whether a line of `.worktreeinclude` names the file itself.
fn is_named(text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    text.lines().map(|line| line.trim().trim_start_matches('/')).any(|line| line == path || line == name)
}

/// Brings the submodules that the user has checked out, without their `.git`: copied, with what was built in them, where they are what the
/// commit records, else as it records them. Returns each with how it came, or why it did not.
pub fn submodules(place: &Place, worktree: &Worktree) -> Result<Vec<(String, Checkout)>, WorktreeError> {
    let repository = place.repository()?;
    let commit = worktree.head()?;
    let mut brought = Vec::new();
    for submodule in repository.submodules().map_err(git("list the submodules"))? {
        let Some(path) = submodule.path().to_str() else { continue };
        if worktree.refuse_linked_parent(path).is_err() {
            continue;
        }
        let (source, target) = (place.root().join(path), worktree.folder().join(path));
        let checkout = limits::checkout_of(&repository, &submodule, &commit);
        match checkout {
            Checkout::Missing => {}
            Checkout::AsRecorded | Checkout::Unknown => copy_tree(&source, &target, &copy_file)?,
            Checkout::Otherwise(recorded) => {
                let what = git("check out a submodule");
                let inner = submodule.open().map_err(&what)?;
                let tree = inner.find_commit(recorded).and_then(|commit| commit.tree()).map_err(&what)?;
                // The user's own checkout and its index stay as they are.
                let mut checkout = CheckoutBuilder::new();
                checkout.force().update_index(false).target_dir(&target);
                inner.checkout_tree(tree.as_object(), Some(&mut checkout)).map_err(&what)?;
            }
        }
        brought.push((path.to_owned(), checkout));
    }
    Ok(brought)
}

/// Brings the dependency folders that are prepared in one worktree to another: cloned where the file system can, else hard links,
/// else copies. Returns what was brought, sorted.
pub fn dependencies(from: &Worktree, to: &Worktree) -> Result<Vec<String>, WorktreeError> {
    let mut found = Vec::new();
    find(from.folder(), Path::new(""), 0, &mut found);
    found.sort();
    let can_clone = Cell::new(true);
    for relative in &found {
        let target = to.folder().join(relative);
        if fs::symlink_metadata(&target).is_err() {
            copy_tree(&from.folder().join(relative), &target, &|source, target| link_file(source, target, &can_clone))?;
        }
    }
    Ok(found.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

/// Brings what was set aside in one worktree to another, and sets it aside there.
pub fn aside(from: &Worktree, to: &mut Worktree) -> Result<(), WorktreeError> {
    let can_clone = Cell::new(true);
    for path in from.aside() {
        let name = path.trim_end_matches('/');
        let (source, target) = (from.folder().join(name), to.folder().join(name));
        to.refuse_linked_parent(name)?;
        let Ok(kind) = fs::symlink_metadata(&source).map(|metadata| metadata.file_type()) else { continue };
        if fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        make_parent(&target)?;
        if kind.is_dir() {
            copy_tree(&source, &target, &|source, target| link_file(source, target, &can_clone))?;
        } else if kind.is_file() {
            // A lockfile is written in place by its tool, so it is not shared.
            copy_file(&source, &target).map_err(io_at(&target))?;
        }
    }
    to.set_aside(from.aside());
    Ok(())
}

fn find(folder: &Path, relative: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || entry.file_name() == ".git" {
            continue;
        }
        let path = relative.join(entry.file_name());
        let is_dependencies = DEPENDENCIES.iter().any(|name| entry.file_name() == *name);
        // Many things are called `target`; cargo marks its own.
        if is_dependencies && (entry.file_name() != "target" || entry.path().join("CACHEDIR.TAG").exists()) {
            found.push(path);
        } else if depth < DEPTH {
            find(&entry.path(), &path, depth + 1, found);
        }
    }
}

fn copy_tree(from: &Path, to: &Path, copy: &dyn Fn(&Path, &Path) -> io::Result<()>) -> Result<(), WorktreeError> {
    fs::create_dir_all(to).map_err(io_at(to))?;
    for entry in fs::read_dir(from).map_err(io_at(from))?.flatten() {
        if entry.file_name() == ".git" {
            continue;
        }
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            copy_tree(&source, &target, copy)?;
        } else if kind.is_symlink() {
            let leads_to = fs::read_link(&source).map_err(io_at(&source))?;
            os::symlink(&leads_to, &target).map_err(io_at(&target))?;
        } else if kind.is_file() {
            copy(&source, &target).map_err(io_at(&target))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(|_| ())
}

/// `can_clone` is lowered at the first failure: most file systems cannot, and there are many files.
fn link_file(from: &Path, to: &Path, can_clone: &Cell<bool>) -> io::Result<()> {
    if can_clone.get() {
        if os::clone_file(from, to).is_ok() {
            return Ok(());
        }
        can_clone.set(false);
    }
    fs::hard_link(from, to).or_else(|_| copy_file(from, to))
}
