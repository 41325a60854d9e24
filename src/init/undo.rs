//! Taking back what `improve init` set up: our lines out of files, our files away, and nothing that somebody wrote since.

use std::path::PathBuf;

use super::{ACTION, Change, NewFile};

/// What taking something back comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Our lines go, the rest stays.
    Edit(Change),
    /// The file holds nothing but what we wrote.
    Remove(PathBuf),
    /// Nothing of ours is there.
    NotThere(PathBuf),
    /// It cannot be told what is ours.
    Left {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What it takes to be rid of a file that holds `text`, which was written where the default branch is `branch`.
pub fn file(path: PathBuf, text: Option<String>, file: NewFile, branch: &str) -> Undo {
    match text {
        None => Undo::NotThere(path),
        Some(text) if is_as_written(&text, &file.text(branch)) => Undo::Remove(path),
        Some(_) => Undo::Left { path, why: "it was changed since it was written: remove it yourself".to_owned() },
    }
}

/// Whether the text is the one we write; where the action is published is for the user to fill in.
fn is_as_written(text: &str, written: &str) -> bool {
    let same = |(one, other): (&str, &str)| {
        one == other
            || other.split_once(ACTION).is_some_and(|(before, after)| {
                one.len() >= before.len() + after.len() && one.starts_with(before) && one.ends_with(after)
            })
    };
    text.lines().count() == written.lines().count() && text.lines().zip(written.lines()).all(same)
}
