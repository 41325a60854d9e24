//! Folders in the system's temporary folder that a kill leaves behind: each is locked for as long as its process lives, so that [`abandoned`]
//! can tell which of them are nobody's. And two things that whoever writes files needs: [`replace`] and [`remove_tree`].

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::os;

/// A folder of this process, gone when it is dropped, with what was made read-only in it. The folder goes first, then the lock.
pub(crate) struct Folder {
    folder: TempDir,
    _hold: File,
}

impl Folder {
    /// A folder whose name begins with `prefix`, locked.
    pub(crate) fn new(prefix: &str) -> io::Result<Folder> {
        loop {
            // Nobody else on the machine may look.
            let mut builder = tempfile::Builder::new();
            os::make_private(builder.prefix(prefix));
            let folder = builder.tempdir()?;
            // Until it is locked, another run takes it for one that was left.
            let Ok(hold) = os::open_hold(folder.path()) else { continue };
            hold.lock()?;
            if os::is_at(&hold, &os::hold_of(folder.path())) && folder.path().is_dir() {
                return Ok(Folder { folder, _hold: hold });
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is named by `improve clean`.
        let _ = remove_tree(self.folder.path());
    }
}

/// Writes a file, and the folder it is in, as a whole: who reads it meanwhile, or finds it after a kill, sees the old one or the new one.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file)?;
    Ok(())
}

/// Removes a folder with what tools made read-only in it; one that is not there is no error.
pub(crate) fn remove_tree(folder: &Path) -> io::Result<()> {
    if fs::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    make_writable(folder);
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn make_writable(folder: &Path) {
    let Ok(metadata) = fs::symlink_metadata(folder) else { return };
    if !metadata.is_dir() {
        return;
    }
    os::make_writable(folder, &metadata);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        make_writable(&entry.path());
    }
}

/// A folder that no living process uses. It stays so while this value lives.
pub struct Abandoned {
    /// The folder.
    pub path: PathBuf,
    first: fn(&Path) -> io::Result<()>,
    _hold: File,
}

impl Abandoned {
    /// With what is to be done before it is removed; what that fails at is left, and so is the folder.
    pub(crate) fn after(self, first: fn(&Path) -> io::Result<()>) -> Abandoned {
        Abandoned { first, ..self }
    }

    /// Removes it.
    pub fn remove(self) -> io::Result<()> {
        (self.first)(&self.path)?;
        remove_tree(&self.path)
    }
}

/// Folders of ours whose names begin with `prefix`, whoever holds them, sorted by path.
pub(crate) fn ours(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(tempfile::env::temp_dir()).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    // Everybody may write there: a link, or a folder of somebody else's, is none of ours.
    let is_ours = |it: fs::Metadata| it.is_dir() && os::is_own(&it);
    let mut found: Vec<PathBuf> =
        named.map(|entry| entry.path()).filter(|path| fs::symlink_metadata(path).is_ok_and(is_ours)).collect();
    found.sort();
    found
}

/// Those that killed processes left.
pub(crate) fn abandoned(prefix: &str) -> Vec<Abandoned> {
    let held = |path: PathBuf| {
        let hold = os::open_hold(&path).ok()?;
        hold.try_lock().ok()?;
        Some(Abandoned { path, first: |_| Ok(()), _hold: hold })
    };
    ours(prefix).into_iter().filter_map(held).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_nobody_holds_is_abandoned_and_what_somebody_holds_is_not() {
        let prefix = format!("improve-test-{}-", std::process::id());
        let held = Folder::new(&prefix).expect("the temporary folder is there");
        let left = tempfile::Builder::new().prefix(&prefix).tempdir().expect("the temporary folder is there").keep();
        let found = abandoned(&prefix);
        assert_eq!(found.iter().map(|it| it.path.clone()).collect::<Vec<_>>(), [left.as_path()]);
        found.into_iter().for_each(|it| it.remove().expect("it is ours"));
        assert!(held.path().is_dir() && !left.exists());
    }

    #[test]
    fn what_a_tool_made_read_only_goes_too() {
        let prefix = format!("improve-read-only-{}-", std::process::id());
        let lock = |folder: &Path| {
            let below = folder.join("module");
            fs::create_dir(&below).and_then(|()| fs::write(below.join("file"), "")).expect("the folder is ours");
            fs::set_permissions(&below, fs::Permissions::from_mode(0o500)).expect("the folder is ours");
        };
        let held = Folder::new(&prefix).expect("the temporary folder is there");
        lock(held.path());
        let left = tempfile::Builder::new().prefix(&prefix).tempdir().expect("the temporary folder is there").keep();
        lock(&left);
        abandoned(&prefix).into_iter().for_each(|it| it.remove().expect("it is ours"));
        let path = held.path().to_owned();
        drop(held);
        assert!(!left.exists() && !path.exists());
    }
}
