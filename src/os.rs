//! What systems do differently with files, under one name each. With the [`sandbox`](crate::sandbox) and the groups of
//! [`process`](crate::process), nearly the only place that knows which system this is.

use std::fs::File;
use std::path::Path;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// What a system keeps of a file beside its length. Times are seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// When its content was written last.
    pub modified: (i64, i64),
    /// When anything of it was changed last; on Windows when it was made, which is what git keeps there.
    pub changed: (i64, i64),
    /// Its number; 0 where there is none to be had, as git has it.
    pub inode: u64,
}

/// Whether an open file is still the one at `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let Ok(open) = file.try_clone().and_then(same_file::Handle::from_file) else { return false };
    same_file::Handle::from_path(path).is_ok_and(|there| there == open)
}
