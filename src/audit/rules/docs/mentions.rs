//! Whether code, configuration or scripts name a word that a document names: what they name may come to be when they run.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::audit::texts::{Needles, Texts};
use crate::repo_map::RepoMap;
use crate::repo_map::name::words;
use crate::tree::Tree;

/// Ways in which code may name what a command line gives to a program.
pub const FORMS: usize = 3;

/// Those of a flag or a subcommand, without dashes in front.
pub fn forms(name: &str, is_subcommand: bool) -> [String; FORMS] {
    let parts = words(name);
    // One plain word stands in any code; as a name it begins a text, or stands behind its dashes.
    if parts.len() == 1 {
        return if is_subcommand {
            ['"', '\'', '`'].map(|quote| format!("{quote}{name}"))
        } else {
            [format!("--{name}"), format!("\"{name}\""), format!("'{name}'")]
        };
    }
    let camel = parts.iter().enumerate().map(|(at, part)| match part.split_at_checked(1) {
        Some((head, tail)) if at > 0 => format!("{}{tail}", head.to_uppercase()),
        _ => part.clone(),
    });
    [name.to_owned(), parts.join("_"), camel.collect()]
}

/// The places in `words` of those that stand, as words of their own, in a source file or in a text that is no prose and that `counts`.
/// All of them, when some text could not be read: silence proves nothing then.
pub fn mentioned(
    map: &RepoMap,
    tree: &dyn Tree,
    texts: &Texts,
    words: &[String],
    counts: &(dyn Fn(&str) -> bool + Sync),
) -> BTreeSet<usize> {
    let all = || (0..words.len()).collect();
    if words.is_empty() || texts.incomplete {
        return all();
    }
    let Some(needles) = Needles::new(words.iter().map(String::as_str)) else { return all() };
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |_: usize, before: &str, after: &str| !before.ends_with(is_part) && !after.starts_with(is_part);
    let sources = map.files.par_iter().filter_map(|file| tree.text(&file.path));
    let in_sources = sources.map(|text| needles.found_in(&text, &alone)).reduce(BTreeSet::new, united);
    let others = texts.files.par_iter().filter(|(path, _)| counts(path));
    united(in_sources, others.map(|(_, text)| needles.found_in(text, &alone)).reduce(BTreeSet::new, united))
}

fn united(mut one: BTreeSet<usize>, other: BTreeSet<usize>) -> BTreeSet<usize> {
    one.extend(other);
    one
}
