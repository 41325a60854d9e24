//! Settings of an agent on which nothing can be mounted, since they are not there, or are links: what they were is written down before the
//! agent runs, and made so again when it has ended. Whoever plants one there plants what would run outside of the sandbox next time.
//! What is new is set aside under a name that no agent reads, and not removed: its user may have made it meanwhile.
//!
//! **Invariant:** what an agent planted is in the list of its run for as long as it is there: the list is written before the agent starts,
//! and removed after all was put back, by whoever finds it after a kill. So another agent that starts meanwhile takes what a list says for
//! how things were, and not what it sees.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::os::symlink;
use crate::temporary;

/// What such paths were: what a link led to, or nothing at all. Paths at which there is something of its own are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Before(BTreeMap<PathBuf, Option<PathBuf>>);

/// What the name of something that was set aside ends with, a number behind it.
const ASIDE: &str = ".set-aside-by-improve-";

/// Where it is written, in the private folder of the command: the command does not see it.
const NAME: &str = "before.json";

impl Before {
    /// Looks at `paths`. `privates` gives the private folders of all commands that run, or were killed.
    pub(super) fn look(
        paths: impl Iterator<Item = PathBuf>,
        privates: &dyn Fn() -> Vec<PathBuf>,
    ) -> io::Result<Before> {
        let mut others = Before::default();
        let mut hear =
            || privates().iter().filter_map(|private| read(private).ok()?).for_each(|it| others.0.extend(it.0));
        // Before and after: of a run that ends while we look, and of one that begins.
        hear();
        let seen: Vec<(PathBuf, Option<Option<PathBuf>>)> =
            paths.map(|path| Ok((path.clone(), seen(&path)?))).collect::<io::Result<_>>()?;
        hear();
        let was = |(path, seen): (PathBuf, Option<Option<PathBuf>>)| {
            let was = others.0.get(&path).cloned().or(seen)?;
            Some((path, was))
        };
        Ok(Before(seen.into_iter().filter_map(was).collect()))
    }

    /// What stood at a path: `None` for something of its own, else where the link led, if it was one.
    pub(super) fn of(&self, path: &Path) -> Option<Option<&Path>> {
        self.0.get(path).map(Option::as_deref)
    }

    /// Writes it down in `private`: who finds the folder after a kill puts it back.
    pub(super) fn write_down(&self, private: &Path) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        temporary::replace(&private.join(NAME), &serde_json::to_vec(self)?)
    }

    /// Sets aside what is new and puts back links that were changed. Doing it twice is no harm.
    pub(super) fn put_back(&self) -> io::Result<()> {
        let mut failed = Ok(());
        for (path, leads_to) in &self.0 {
            let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            if let Err(error) = put_back(path, leads_to.as_deref()) {
                failed = Err(at(error));
            }
        }
        failed
    }
}

/// What stands at a path: see [`Before::of`].
fn seen(path: &Path) -> io::Result<Option<Option<PathBuf>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(Some(Some(fs::read_link(path)?))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(None)),
        // A file in the place of a folder above it: then nothing can be put there.
        Err(_) => Ok(None),
    }
}

/// Every path that `path` leads through, links in it followed, whether they are there or not: none of them is below a link.
pub(super) fn way(path: &Path) -> Vec<PathBuf> {
    /// As many links as the kernel follows.
    const LINKS: usize = 40;
    let parts = |path: &Path| path.components().rev().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    let (mut at, mut left, mut links, mut passed) = (PathBuf::new(), parts(path), 0, Vec::new());
    while let Some(part) = left.pop() {
        match part.to_str() {
            Some(".") => continue,
            Some("..") => {
                at.pop();
                continue;
            }
            Some(_) | None => {}
        }
        // The root among them begins anew.
        at.push(part);
        passed.push(at.clone());
        if let Some(leads_to) = fs::read_link(&at).ok().filter(|_| links < LINKS) {
            links += 1;
            at.pop();
            left.extend(parts(&leads_to));
        }
    }
    passed
}

fn read(private: &Path) -> io::Result<Option<Before>> {
    match fs::read(private.join(NAME)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts back what the command of a killed run changed, whose private folder this was.
pub(super) fn after_a_kill(private: &Path) -> io::Result<()> {
    read(private)?.map_or(Ok(()), |before| before.put_back())
}

fn put_back(path: &Path, leads_to: Option<&Path>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() && fs::read_link(path).ok().as_deref() == leads_to => return Ok(()),
        Ok(_) => set_aside(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match leads_to {
        Some(leads_to) if path.parent().is_some_and(Path::is_dir) => symlink(leads_to, path),
        Some(_) | None => Ok(()),
    }
}

/// Renames what stands at a path; what holds nothing, or what was set aside before just as it is, goes.
fn set_aside(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() && fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1.. {
        let other = path.with_file_name(format!("{name}{ASIDE}{number}"));
        match fs::symlink_metadata(&other) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::rename(path, &other),
            Err(error) => return Err(error),
            Ok(there) if there.is_file() && metadata.is_file() && fs::read(&other)? == fs::read(path)? => {
                return fs::remove_file(path);
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_goes_and_what_was_a_link_is_one_again_also_after_a_kill() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let private = at("private");
        fs::create_dir(&private).expect("the folder is ours");
        fs::write(at("kept.json"), "{}").expect("the folder is ours");
        std::os::unix::fs::symlink("kept.json", at("link")).expect("the folder is ours");
        std::os::unix::fs::symlink("kept.json", at("removed")).expect("the folder is ours");
        let settings = ["kept.json", "link", "removed", "hooks", "new.json", "never"].map(at);
        let privates = || vec![private.clone()];
        let before = Before::look(settings.into_iter(), &privates).expect("it is ours");
        before.write_down(&private).expect("it is ours");
        let plant = || {
            fs::remove_file(at("link")).and_then(|()| fs::write(at("link"), "evil")).expect("the folder is ours");
            fs::remove_file(at("removed")).expect("the folder is ours");
            fs::create_dir(at("hooks")).and_then(|()| fs::write(at("hooks/run"), "evil")).expect("the folder is ours");
            std::os::unix::fs::symlink("/x/evil", at("new.json")).expect("the folder is ours");
        };
        let names = || {
            let mut names: Vec<String> = fs::read_dir(folder.path())
                .expect("it is there")
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            names.retain(|name| !name.contains(ASIDE));
            names.sort();
            names
        };
        let is_as_before = || {
            let links = ["link", "removed"].map(|link| fs::read_link(at(link)).expect("it is a link again"));
            names() == ["kept.json", "link", "private", "removed"]
                && links == ["kept.json", "kept.json"].map(PathBuf::from)
        };
        plant();
        before.put_back().expect("it is ours");
        assert!(is_as_before(), "{:?}", names());
        plant();
        // An agent that starts meanwhile does not take what was planted for the user's.
        let planted = ["new.json", "link", "hooks"].map(at);
        let meanwhile = Before::look(planted.clone().into_iter(), &privates).expect("it is ours");
        assert_eq!(planted.map(|it| before.of(&it) == meanwhile.of(&it)), [true; 3]);
        assert_eq!(Before::look([at("link")].into_iter(), &Vec::new).expect("it is ours").of(&at("link")), None);
        after_a_kill(&private).expect("it is ours");
        assert!(is_as_before(), "{:?}", names());
        before.put_back().expect("there is nothing to do");
        // Nothing is lost, and the same is not kept twice: it may have been the user's.
        let aside = |name: &str, number: u32| at(&format!("{name}{ASIDE}{number}"));
        assert_eq!(fs::read_to_string(aside("link", 1)).expect("kept"), "evil");
        assert_eq!(fs::read_to_string(aside("hooks", 2).join("run")).expect("kept"), "evil");
        assert!(fs::symlink_metadata(aside("link", 2)).is_err());
    }

    #[test]
    fn a_way_goes_through_every_link_and_what_lies_behind_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it is there");
        let at = |name: &str| root.join(name);
        fs::create_dir(at("real")).expect("the folder is ours");
        std::os::unix::fs::symlink("shared/helper.md", at("CLAUDE.md")).expect("the folder is ours");
        std::os::unix::fs::symlink(at("x/../real"), at("shared")).expect("the folder is ours");
        std::os::unix::fs::symlink("../gone", at("real/helper.md")).expect("the folder is ours");
        std::os::unix::fs::symlink("round", at("round")).expect("the folder is ours");
        let mut below: Vec<PathBuf> =
            way(&at("CLAUDE.md")).into_iter().filter(|it| *it != root && it.starts_with(&root)).collect();
        below.dedup();
        assert_eq!(below, ["CLAUDE.md", "shared", "x", "real", "real/helper.md", "gone"].map(at));
        assert_eq!(way(&at("round")).last(), Some(&at("round")));
    }
}
