//! Job objects. Nothing leaves its job; but there is no asking a program without a window to end.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};

use process_wrap::std::{ChildWrapper, CommandWrap, CreationFlags, JobObject};
use windows::Win32::System::Threading::CREATE_NEW_PROCESS_GROUP;

/// A child in a job of its own.
pub(in crate::process) struct Group(Box<dyn ChildWrapper>);

impl Group {
    /// Starts it. The console's ctrl-C reaches us alone, and what the child starts can be ended with it.
    pub fn start(command: Command) -> io::Result<Group> {
        let mut wrapped = CommandWrap::from(command);
        wrapped.wrap(CreationFlags(CREATE_NEW_PROCESS_GROUP)).wrap(JobObject);
        wrapped.spawn().map(Group)
    }

    /// The child's id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Where the child reads, once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.0.stdin().take()
    }

    /// What the child prints, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout().take()
    }

    /// What it says beside that, once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.0.stderr().take()
    }

    /// Whether the child has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.0.inner_mut().try_wait(), Ok(None))
    }

    /// Ends it: nobody would hear the question.
    pub fn ask_to_end(&mut self) {
        self.end();
    }

    /// Ends whatever is left of the job: background processes would otherwise hold the pipes open and outlive us.
    pub fn end(&mut self) {
        let _ = self.0.start_kill();
    }

    /// Waits for the child. The others are gone or about to be, which is not waited for.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.inner_mut().wait()
    }
}

/// Nothing is recorded where the system does not say when a process started.
pub(in crate::process) fn end_recorded_group(_: u32) {}

/// There are no signals: every child has an exit code.
pub(in crate::process) fn signal_of(_: ExitStatus) -> i32 {
    0
}
