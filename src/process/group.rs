//! A child with everything it starts, ended as one: a process group on Unix, a job object on Windows.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Group, end_recorded_group, signal_of};
#[cfg(windows)]
pub(super) use windows::{Group, end_recorded_group, signal_of};
