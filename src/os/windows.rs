//! Windows. Files do not say whether they may be executed, a folder cannot be locked, and whoever locks a file keeps others from reading it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::windows::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Stat;

/// The variable that names the user's folder.
pub const HOME: &str = "USERPROFILE";

/// What the name of a program may end with. Scripts of npm's are `.cmd`.
pub(crate) const PROGRAM_ENDINGS: &[&str] = &[".exe", ".cmd", ".bat", ""];

/// The file goes when the last handle of it does, also that of a process which was killed (`FILE_FLAG_DELETE_ON_CLOSE`).
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// What the system keeps of a file.
pub fn stat(metadata: &Metadata) -> Stat {
    Stat { modified: since_1970(metadata.modified()), changed: since_1970(metadata.created()), inode: 0 }
}

fn since_1970(time: io::Result<SystemTime>) -> (i64, i64) {
    let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

/// A path with every link in it followed, and without the prefix `\\?\`, which few programs understand.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// A path as git keeps it.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// How git would keep a path.
pub(crate) fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    path.to_string_lossy().replace('\\', "/").into_bytes().into()
}

/// Whether its owner may execute a file; `None` where files do not say.
pub(crate) fn is_executable(_: &Metadata) -> Option<bool> {
    None
}

/// Whether it can be one of [`PROGRAM_ENDINGS`].
pub(crate) fn is_program(metadata: &Metadata) -> bool {
    metadata.is_file()
}

/// Only git's index says it here.
pub(crate) fn set_executable(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

/// Rights come from the folder.
pub fn set_rights(_: &File, _: Option<&Metadata>, _: bool) -> io::Result<()> {
    Ok(())
}

/// The temporary folder is the user's own.
pub(crate) fn make_private(_: &mut tempfile::Builder<'_, '_>) {}

/// Rights come from the folder.
pub(crate) fn make_readable(_: &mut tempfile::Builder<'_, '_>) {}

/// Read-only folders can be emptied, read-only files cannot be removed.
pub(crate) fn make_writable(folder: &Path, _: &Metadata) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let mut permissions = metadata.permissions();
        if metadata.is_file() && permissions.readonly() {
            // The lint speaks of Unix, where this file is not compiled.
            #[allow(clippy::permissions_set_readonly_false)]
            permissions.set_readonly(false);
            let _ = fs::set_permissions(entry.path(), permissions);
        }
    }
}

/// There is none but on one file system that few have.
pub(crate) fn clone_file(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a link, for which the user needs developer mode or a right. It says whether it leads to a folder.
pub(crate) fn symlink(leads_to: &Path, link: &Path) -> io::Result<()> {
    let from = link.parent().unwrap_or(Path::new("."));
    let leads_to = PathBuf::from(leads_to.to_string_lossy().replace('/', "\\"));
    let is_folder = fs::symlink_metadata(from.join(&leads_to))
        .is_ok_and(|there| there.is_dir() || there.file_type().is_symlink_dir());
    match is_folder {
        true => std::os::windows::fs::symlink_dir(leads_to, link),
        false => std::os::windows::fs::symlink_file(leads_to, link),
    }
}

/// Finding out takes a handle; taking it for true costs a copy.
pub(crate) fn has_other_names(_: &Metadata) -> bool {
    true
}

/// The temporary folder is the user's own.
pub(crate) fn is_own(_: &Metadata) -> bool {
    true
}

/// What is locked to hold a folder: a file beside it.
pub(crate) fn hold_of(folder: &Path) -> PathBuf {
    with(folder, ".hold")
}

/// Opens what is locked to hold a folder.
pub(crate) fn open_hold(folder: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).custom_flags(DELETE_ON_CLOSE);
    // Deleting on close asks for the right to delete: GENERIC_READ, GENERIC_WRITE and DELETE.
    options.access_mode(0x8000_0000 | 0x4000_0000 | 0x0001_0000).open(hold_of(folder))
}

/// What is locked to hold a file that others read meanwhile: a file beside it.
pub(crate) fn lock_of(file: &Path) -> PathBuf {
    with(file, ".lock")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
