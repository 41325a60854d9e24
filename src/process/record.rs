//! The id of a running child on disk: what is needed to end it after a kill of this process, which ends none of its children.

use std::fs;
use std::path::{Path, PathBuf};

use super::group::end_recorded_group;

/// A record that lasts as long as its child runs.
pub(super) struct Record(PathBuf);

impl Record {
    /// Records a child. One that cannot be recorded still runs.
    pub(super) fn write(file: &Path, pid: u32) -> Record {
        if let Some(start_time) = start_time(pid) {
            let _ = fs::write(file, format!("{pid} {start_time}"));
        }
        Record(file.to_owned())
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Ends the process group that `file` records, if it is still the one recorded, and removes the record.
pub fn end_recorded(file: &Path) {
    let Ok(text) = fs::read_to_string(file) else { return };
    let mut numbers = text.split(' ').map(str::parse::<u64>);
    if let (Some(Ok(pid)), Some(Ok(recorded))) = (numbers.next(), numbers.next())
        && let Ok(pid) = u32::try_from(pid)
        && start_time(pid) == Some(recorded)
    {
        end_recorded_group(pid);
    }
    let _ = fs::remove_file(file);
}

/// When a process started, in clock ticks since boot, where the system says so. Process ids are used again; a pair of id and start
/// time is not.
pub fn start_time(pid: u32) -> Option<u64> {
    // Field 22 of the line; the second holds a name in parentheses that may hold anything.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}
