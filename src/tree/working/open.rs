//! A file opened on the condition that no link leads to it, so that the path need not be resolved to know where it ends.

use std::fs::File;
use std::io::Read;
use std::path::Path;

#[cfg(unix)]
use rustix::fs::{CWD, Mode, OFlags, openat};

/// Never waits for a pipe's other end, and takes no terminal.
#[cfg(unix)]
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// The bytes of the file at `path` below `root`, in which there are no links either. `None` where a link is on the way, or
/// anything else is in it: then the slow way finds out what.
pub(super) fn read_without_links(root: &Path, path: &str) -> Option<Vec<u8>> {
    let file = open(root, path)?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() {
        return None;
    }
    // One byte of room more, so that the end is seen without growing.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.checked_add(1)?);
    // Without the limit the standard library would ask for the size once more.
    file.take(u64::MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// In one call, where the system has one for it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn open(root: &Path, path: &str) -> Option<File> {
    use rustix::fs::{ResolveFlags, openat2};
    use rustix::io::Errno;

    match openat2(CWD, root.join(path), FLAGS, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(file) => Some(file.into()),
        // Old systems do not know the call, and some sandboxes refuse it.
        Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => open_by_steps(root, path),
        Err(_) => None,
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn open(root: &Path, path: &str) -> Option<File> {
    open_by_steps(root, path)
}

/// A handle alone does not say there whether a link was on the way.
#[cfg(not(unix))]
fn open(_: &Path, _: &str) -> Option<File> {
    None
}

/// One folder after another, each opened only if it is no link.
#[cfg(unix)]
fn open_by_steps(root: &Path, path: &str) -> Option<File> {
    let (folders, name) = path.rsplit_once('/').map_or((None, path), |(folders, name)| (Some(folders), name));
    let folder = FLAGS | OFlags::DIRECTORY;
    let mut at = openat(CWD, root, folder, Mode::empty()).ok()?;
    for name in folders.into_iter().flat_map(|folders| folders.split('/')) {
        at = openat(at, name, folder | OFlags::NOFOLLOW, Mode::empty()).ok()?;
    }
    Some(openat(at, name, FLAGS | OFlags::NOFOLLOW, Mode::empty()).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_opening_refuse_links_wherever_they_stand() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let root = folder.path().canonicalize().expect("it exists");
        std::fs::create_dir_all(root.join("a/b")).expect("the folder can be made");
        std::fs::write(root.join("a/b/c"), "text").expect("the file can be written");
        std::os::unix::fs::symlink("b", root.join("a/link")).expect("links can be made");
        std::os::unix::fs::symlink("c", root.join("a/b/link")).expect("links can be made");
        for open in [open, open_by_steps] {
            let text = |path| open(&root, path).and_then(|file| std::io::read_to_string(file).ok());
            assert_eq!(text("a/b/c").as_deref(), Some("text"));
            for path in ["a/link/c", "a/b/link", "a/b/none", "none/c", "a/b/c/d"] {
                assert!(open(&root, path).is_none(), "{path}");
            }
        }
        assert_eq!(read_without_links(&root, "a/b/c").as_deref(), Some(b"text".as_slice()));
        assert_eq!(read_without_links(&root, "a/b"), None);
    }
}
