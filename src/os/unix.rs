//! Linux, macOS and their kin.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Stat;

/// The variable that names the user's folder.
pub const HOME: &str = "HOME";

/// What the name of a program may end with.
pub(crate) const PROGRAM_ENDINGS: &[&str] = &[""];

/// What the system keeps of a file.
pub fn stat(metadata: &Metadata) -> Stat {
    Stat {
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

/// A path with every link in it followed.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// A path as git keeps it.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// How git would keep a path.
pub(crate) fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    path.as_os_str().as_bytes().into()
}

/// Whether its owner may execute a file; `None` where files do not say.
pub(crate) fn is_executable(metadata: &Metadata) -> Option<bool> {
    Some(metadata.mode() & 0o100 != 0)
}

/// Whether anybody may execute it.
pub(crate) fn is_program(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o111 != 0
}

/// Lets a file of a worktree be executed, or not.
pub(crate) fn set_executable(file: &Path, executable: bool) -> io::Result<()> {
    fs::set_permissions(file, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}

/// Gives a new file the rights of the one it replaces, or else those of files that are meant to be read by others.
pub fn set_rights(file: &File, replaced: Option<&Metadata>, executable: bool) -> io::Result<()> {
    let mode = match replaced {
        Some(there) => there.permissions().mode() | if executable { 0o111 } else { 0 },
        None if executable => 0o755,
        None => 0o644,
    };
    file.set_permissions(Permissions::from_mode(mode))
}

/// Lets a temporary folder be seen by its owner alone.
pub(crate) fn make_private(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(Permissions::from_mode(0o700));
}

/// Lets a temporary file be read by others: they are private by default.
pub(crate) fn make_readable(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(Permissions::from_mode(0o644));
}

/// Lets a folder that a tool made read-only be emptied.
pub(crate) fn make_writable(folder: &Path, metadata: &Metadata) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(metadata.mode() | 0o700));
}

/// A copy that shares its blocks until one of the two is written. Build tools compare times, so they are kept.
#[cfg(target_os = "linux")]
pub(crate) fn clone_file(from: &Path, to: &Path) -> io::Result<()> {
    let source = File::open(from)?;
    let metadata = source.metadata()?;
    let target = File::create_new(to)?;
    if let Err(error) = rustix::fs::ioctl_ficlone(&target, &source) {
        drop(target);
        fs::remove_file(to)?;
        return Err(error.into());
    }
    target.set_permissions(metadata.permissions())?;
    target.set_modified(metadata.modified()?)
}

/// There is none without more work.
#[cfg(not(target_os = "linux"))]
pub(crate) fn clone_file(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a link.
pub(crate) fn symlink(leads_to: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(leads_to, link)
}

/// Whether a file may have other names, outside of here perhaps.
pub(crate) fn has_other_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}

/// Whether something in the system's temporary folder, where everybody may write, is this user's.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::getuid().as_raw()
}

/// What is locked to hold a folder: the folder itself, so that no file is left.
pub(crate) fn hold_of(folder: &Path) -> PathBuf {
    folder.to_owned()
}

/// Opens what is locked to hold a folder.
pub(crate) fn open_hold(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// What is locked to hold a file that others read meanwhile: the file itself.
pub(crate) fn lock_of(file: &Path) -> PathBuf {
    file.to_owned()
}
