//! From the path a model writes to a file of the map, or to the reason why not and the path it probably meant.

use super::said;
use crate::nearest::nearest;
use crate::repo_map::{RepoMap, SkipReason};
use crate::tree::check_path;

/// Characters of a path that is looked up at all.
const MAX_PATH: usize = 500;
/// Difference in length beyond which two paths are not compared: nobody meant that one.
const MAX_DIFFERENCE: usize = 12;

/// The readable file that `asked` names.
pub(super) fn file(map: &RepoMap, asked: &str) -> Result<String, String> {
    let path = inside(map, asked)?;
    if map.file_by_path(&path).is_some() || is_other(map, &path) {
        return Ok(path);
    }
    if let Some(skipped) = map.skipped.iter().find(|skipped| skipped.path == path) {
        return match refusal(skipped.reason) {
            Some(why) => Err(format!("{} {why}", said(&path))),
            None => Ok(path),
        };
    }
    if path.is_empty() || is_folder(map, &path) {
        return Err(format!("{} is a folder; `list` shows what stands in it", said(asked)));
    }
    Err(missing(map, asked, &path))
}

/// `asked` without what does not matter (`./`, doubled and trailing slashes); empty for the root.
pub(super) fn inside(map: &RepoMap, asked: &str) -> Result<String, String> {
    let asked = asked.trim();
    if asked.is_empty() {
        return Err(
            "the path is empty; paths are relative to the root of the repository, like `src/main.ts`".to_owned()
        );
    }
    if asked.chars().count() > MAX_PATH {
        return Err(format!("the path is longer than {MAX_PATH} characters"));
    }
    let parts: Vec<&str> = asked.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let has_drive = asked.as_bytes().get(1) == Some(&b':') && asked.as_bytes()[0].is_ascii_alphabetic();
    if asked.starts_with(['/', '~']) || has_drive {
        return Err(refused(map, asked, "is absolute; paths are relative to the root of the repository"));
    }
    if parts.contains(&"..") {
        return Err(refused(map, asked, "contains `..`; paths start at the root of the repository"));
    }
    let path = parts.join("/");
    if !path.is_empty() && check_path(&path).is_err() {
        return Err(refused(
            map,
            asked,
            "is no path inside the repository; paths are `/`-separated and not within `.git`",
        ));
    }
    Ok(path)
}

/// Whether files stand below `path`.
pub(super) fn is_folder(map: &RepoMap, path: &str) -> bool {
    all(map).any(|file| below(file, path).is_some())
}

/// What is left of `file` below the folder `path`, which is empty for the root.
pub(super) fn below<'f>(file: &'f str, path: &str) -> Option<&'f str> {
    if path.is_empty() { Some(file) } else { file.strip_prefix(path)?.strip_prefix('/') }
}

/// Says that there is no such file or folder.
pub(super) fn missing(map: &RepoMap, asked: &str, path: &str) -> String {
    let why = format!("there is no {} in the repository (ignored files are no part of it)", said(asked));
    with_nearest(map, path, why)
}

fn refused(map: &RepoMap, asked: &str, why: &str) -> String {
    let parts: Vec<&str> = asked.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".." | "~")).collect();
    with_nearest(map, &parts.join("/"), format!("{} {why}", said(asked)))
}

fn with_nearest(map: &RepoMap, path: &str, why: String) -> String {
    match nearest_path(map, path) {
        Some(nearest) => format!("{why}; the nearest file is {}", said(nearest)),
        None => format!("{why}; `list` shows what there is"),
    }
}

/// The file somebody probably meant: one that ends like it, else one of its name, else one written nearly like it.
fn nearest_path<'m>(map: &'m RepoMap, path: &str) -> Option<&'m str> {
    if path.is_empty() {
        return None;
    }
    let ends_at_folder = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|before| before.ends_with('/'));
    let by_end = all(map).filter(|file| ends_at_folder(file, path) || ends_at_folder(path, file));
    if let Some(found) = by_end.min_by_key(|file| (usize::MAX - common(file, path), file.len(), *file)) {
        return Some(found);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let by_name = all(map).filter(|file| file.rsplit('/').next() == Some(name));
    if let Some(found) = by_name.min_by_key(|file| (usize::MAX - common(file, path), file.len(), *file)) {
        return Some(found);
    }
    let length = path.chars().count();
    nearest(path, all(map).filter(|file| file.chars().count().abs_diff(length) <= MAX_DIFFERENCE))
}

/// Parts that two paths share, wherever they stand.
fn common(one: &str, other: &str) -> usize {
    one.split('/').filter(|part| other.split('/').any(|own| own == *part)).count()
}

fn is_other(map: &RepoMap, path: &str) -> bool {
    map.other_files.binary_search_by(|other| other.as_str().cmp(path)).is_ok()
}

/// Files that were not left out, source files first.
fn all(map: &RepoMap) -> impl Iterator<Item = &str> {
    map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str))
}

/// Why a file that was left out cannot be read; `None` when it can.
pub(super) fn refusal(reason: SkipReason) -> Option<&'static str> {
    match reason {
        SkipReason::Symlink => Some("is a symbolic link, which is not followed; read the file it points to"),
        SkipReason::Binary => Some("is not text"),
        SkipReason::NotUtf8 => Some("is not UTF-8"),
        SkipReason::Unreadable => Some("cannot be read"),
        SkipReason::TooLarge => Some("is larger than what is read (1 MB)"),
        SkipReason::Vendored | SkipReason::Generated | SkipReason::Minified | SkipReason::TooSlow => None,
    }
}
