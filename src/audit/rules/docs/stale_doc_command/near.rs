//! Names that exist and are like a missing one.

use super::name_of;
use crate::audit::rules::docs::commands::Named;
use crate::audit::rules::docs::targets::Targets;
use crate::audit::text::folder_of;
use crate::repo_map::RepoMap;
use crate::repo_map::recon::task::TaskRunner;

/// The one name that is surely meant: a file of that name that was moved, or a name that has a letter or two otherwise, or all words
/// and one more. What shares words alone misleads.
pub fn meant(map: &RepoMap, targets: &Targets, named: &Named) -> Option<String> {
    let found = nearest(map, targets, named);
    let wanted = name_of(named);
    let is_file = matches!(named, Named::Path(_));
    let is_moved = |name: &&String| is_file && name.rsplit('/').next() == Some(wanted);
    let is_near = |name: &&String| {
        let name = if is_file { name.rsplit('/').next().unwrap_or(name) } else { name };
        is_respelt(wanted, name) || has_one_word_more(wanted, name) || has_one_word_more(name, wanted)
    };
    let mut near = found.iter().filter(|name| is_moved(name) || is_near(name));
    near.next().filter(|_| near.next().is_none()).cloned()
}

/// A letter or two apart, of names that have more than those; or the same words in another order.
fn is_respelt(one: &str, other: &str) -> bool {
    let sorted = |name: &str| {
        let mut words = words(name);
        words.sort_unstable();
        words
    };
    let longest = one.chars().count().max(other.chars().count());
    sorted(one) == sorted(other) || strsim::damerau_levenshtein(one, other) <= (longest / 5).min(2)
}

/// `tauri:build` and `tauri:build:dev`. One word alone is in many names.
fn has_one_word_more(few: &str, many: &str) -> bool {
    let (few, many) = (words(few), words(many));
    few.len() >= 2 && many.len() == few.len() + 1 && few.iter().all(|word| many.contains(word))
}

fn words(name: &str) -> Vec<String> {
    let stem = name.rsplit('/').next().unwrap_or(name);
    stem.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_ascii_lowercase).collect()
}

/// Existing names that share a word with the missing one, the closest first.
pub fn nearest(map: &RepoMap, targets: &Targets, named: &Named) -> Vec<String> {
    let recon = &map.recon;
    let tasks = |runner| {
        recon
            .task_files
            .iter()
            .filter(move |file| file.runner == runner)
            .flat_map(|file| file.tasks.iter().cloned())
            .collect()
    };
    let known: Vec<String> = match named {
        Named::Script { .. } => {
            recon.packages.iter().flat_map(|package| &package.scripts).map(|own| own.name.clone()).collect()
        }
        Named::Make(_) => tasks(TaskRunner::Make),
        Named::Just(_) => tasks(TaskRunner::Just),
        Named::Crate(_) => recon.packages.iter().map(|package| package.name.clone()).collect(),
        Named::Target(kind, _) => targets.of(*kind).into_iter().flatten().cloned().collect(),
        Named::Path(path) => {
            let folder = format!("{}/", folder_of(path));
            let sources = map.files.iter().map(|file| &file.path);
            sources.chain(&map.other_files).filter(|other| other.starts_with(&folder)).cloned().collect()
        }
    };
    // A file of that very name, moved elsewhere, is what is meant.
    if let Named::Path(path) = named {
        let name = path.rsplit('/').next().unwrap_or(path);
        let moved = map.files.iter().map(|file| &file.path).chain(&map.other_files);
        let moved: Vec<String> =
            moved.filter(|other| other.rsplit('/').next() == Some(name)).take(4).cloned().collect();
        if !moved.is_empty() {
            return moved;
        }
    }
    let wanted = words(name_of(named));
    let mut scored: Vec<(usize, String)> = known
        .into_iter()
        .map(|name| (words(&name).iter().filter(|word| wanted.contains(word)).count(), name))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.len().cmp(&b.1.len())).then_with(|| a.1.cmp(&b.1)));
    scored.dedup();
    scored.into_iter().take(4).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_words_alone_are_not_near() {
        let is_near = |one: &str, other: &str| {
            is_respelt(one, other) || has_one_word_more(one, other) || has_one_word_more(other, one)
        };
        for (one, other) in [("test:units", "test:unit"), ("tauri:build", "tauri:build:dev"), ("dev:web", "web:dev")] {
            assert!(is_near(one, other), "{one} {other}");
        }
        for (one, other) in [("docker:build:webapp", "dev:docker:build"), ("build", "build:docs"), ("lint", "link")] {
            assert!(!is_near(one, other), "{one} {other}");
        }
    }
}
