//! Folders of usual size: the large ones opened, as far as a list has room.

use std::collections::BTreeMap;

/// A folder with more of the files than this, in hundredths, is opened.
const OPENED: usize = 20;

/// At most `most` folders that hold `paths`, in order of path. A folder that was opened stays for what is not in those below it.
pub(super) fn opened<'m>(paths: &[&'m str], most: usize) -> Vec<&'m str> {
    let mut folders = below("", paths);
    trim(&mut folders, most);
    let mut done: Vec<&str> = Vec::new();
    loop {
        let largest = folders.iter().filter(|(folder, _)| !done.contains(*folder));
        let Some((&largest, &count)) = largest.max_by_key(|(folder, count)| (**count, std::cmp::Reverse(**folder)))
        else {
            break;
        };
        done.push(largest);
        let mut inner = below(largest, paths);
        let few = folders.len() < most / 3;
        let room = most + 1 - folders.len().min(most + 1);
        if inner.is_empty() || room == 0 || count * 100 < paths.len() * OPENED && !few {
            continue;
        }
        trim(&mut inner, room);
        let rest = count - inner.values().sum::<usize>();
        // Its own files, and folders there was no room for.
        if rest == 0 {
            folders.remove(largest);
        } else {
            folders.insert(largest, rest);
            inner.remove(
                inner
                    .iter()
                    .min_by_key(|(_, count)| **count)
                    .map(|(folder, _)| *folder)
                    .filter(|_| folders.len() + inner.len() > most)
                    .unwrap_or_default(),
            );
        }
        folders.extend(inner);
    }
    folders.into_keys().collect()
}

/// The one of `folders` that a path stands in most closely.
pub(super) fn of<'f>(path: &str, folders: &[&'f str]) -> Option<&'f str> {
    let inside = |folder: &&&str| path.strip_prefix(**folder).is_some_and(|rest| rest.starts_with('/'));
    folders.iter().filter(inside).max_by_key(|folder| folder.len()).copied()
}

/// The largest so many.
fn trim(folders: &mut BTreeMap<&str, usize>, most: usize) {
    let mut by_size: Vec<(usize, &str)> = folders.iter().map(|(folder, count)| (*count, *folder)).collect();
    by_size.sort_by_key(|&(count, folder)| (std::cmp::Reverse(count), folder));
    for (_, folder) in by_size.into_iter().skip(most) {
        folders.remove(folder);
    }
}

/// Folders right below `folder`, with the files in and below each.
fn below<'m>(folder: &str, paths: &[&'m str]) -> BTreeMap<&'m str, usize> {
    let start = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let mut found = BTreeMap::new();
    for path in paths {
        let inside = folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        if let Some(end) = path.get(start..).and_then(|rest| rest.find('/')).filter(|_| inside) {
            *found.entry(&path[..start + end]).or_default() += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_folder_is_opened_and_stays_for_its_own_files() {
        let paths = ["lib/a.js", "lib/core/b.js", "lib/core/c.js", "lib/show/d.js", "test/e.js"];
        let folders = opened(&paths, 9);
        assert_eq!(folders, ["lib", "lib/core", "lib/show", "test"]);
        assert_eq!(of("lib/core/b.js", &folders), Some("lib/core"));
        assert_eq!(of("lib/a.js", &folders), Some("lib"));
        assert_eq!(of("a.js", &folders), None);
        assert!(opened(&paths, 2).len() <= 2);
    }
}
