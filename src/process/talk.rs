//! A child that is given its input and whose lines are heard while it runs.
//!
//! Beyond what [`super::run`] does it notices a child that has gone silent, one that floods us, and a listener that has heard
//! enough. Nothing of its process group is left in any case.

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Captured, DRAIN, Drain, End, Invocation, POLL, ProcessError, end_of, record, start};
use crate::cancel::Cancel;

/// Lines that wait to be heard: a child that prints faster than we listen is held up, not stored.
const WAITING: usize = 64;

/// What a child is told, and how much of it is borne.
#[derive(Debug, Clone, Copy)]
pub struct Talk<'a> {
    /// Its standard input.
    pub input: &'a [u8],
    /// How long nothing that the listener counts as a sign of life may come.
    pub idle: Duration,
    /// Bytes of output, at most.
    pub most: usize,
}

/// What a listener makes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The child gets on.
    Life,
    /// It says something and gets on with nothing: retries, warnings.
    Noise,
}

/// How a talk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TalkEnd {
    /// The child ended, or was ended for its time or for the user.
    Child(End),
    /// It was silent for too long and was ended.
    Idle,
    /// It said too much and was ended.
    Flooded,
    /// The listener had heard enough and it was ended.
    Enough,
}

/// A talk that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talked {
    /// How.
    pub end: TalkEnd,
    /// What it printed on stderr.
    pub stderr: Captured,
    /// How long it took.
    pub duration: Duration,
}

/// Runs a program, gives it its input, and has `listener` hear every line of its output.
pub fn talk(
    invocation: &Invocation,
    talk: &Talk<'_>,
    listener: &mut dyn FnMut(&str) -> ControlFlow<(), Heard>,
    cancel: &Cancel,
) -> Result<Talked, ProcessError> {
    let program = invocation.program.to_string_lossy().into_owned();
    let started = Instant::now();
    let mut group =
        start(invocation, Stdio::piped()).map_err(|source| ProcessError::Start { program: program.clone(), source })?;
    let _record = invocation.record.as_deref().map(|file| record::Record::write(file, group.id()));
    if let Some(mut stdin) = group.stdin() {
        let input = talk.input.to_vec();
        // A child that does not read to the end is no fault of ours to report: what it says will tell.
        thread::spawn(move || stdin.write_all(&input));
    }
    let stderr = Drain::start(group.stderr());
    let lines = group.stdout().map(|stdout| lines_of(stdout, talk.most));
    let mut ear = Ear { listener, said_last: Instant::now() };
    let mut end = None;
    let deadline = started + invocation.timeout;
    let cut = loop {
        // Looked at before listening: what was printed before the end is in the pipe by then.
        let over = group.has_ended();
        match lines.as_ref().map_or(Next::Closed, |lines| ear.next(lines)) {
            Next::Heard => {}
            Next::Stop(end) => break Some(end),
            Next::Nothing | Next::Closed if over => break None,
            Next::Nothing => {}
            Next::Closed => thread::sleep(POLL),
        }
        if cancel.is_cancelled() {
            break Some(TalkEnd::Child(End::Cancelled));
        }
        if Instant::now() >= deadline {
            break Some(TalkEnd::Child(End::TimedOut));
        }
        if ear.said_last.elapsed() >= talk.idle {
            break Some(TalkEnd::Idle);
        }
    };
    match cut {
        Some(cut) => {
            group.ask_to_end();
            end = Some(cut);
        }
        // Processes left behind may hold the pipe: they are ended before the rest of it is heard.
        None => {
            group.end();
            let patience = Instant::now() + DRAIN;
            while let Some(lines) = &lines
                && Instant::now() < patience
            {
                match ear.next(lines) {
                    Next::Heard | Next::Nothing => {}
                    Next::Closed => break,
                    Next::Stop(cut) => {
                        end = Some(cut);
                        break;
                    }
                }
            }
        }
    }
    group.end();
    // Left to itself, a thread that still reads must not be held up by lines nobody will hear.
    drop(lines);
    let status = group.wait().map_err(|source| ProcessError::Wait { program, source })?;
    let end = end.unwrap_or_else(|| TalkEnd::Child(end_of(status)));
    Ok(Talked { end, stderr: stderr.finish(Instant::now() + DRAIN), duration: started.elapsed() })
}

/// A line, or the news that there are too many bytes.
type Line = Result<String, TooMuch>;

struct TooMuch;

enum Next {
    Heard,
    Nothing,
    Closed,
    Stop(TalkEnd),
}

struct Ear<'a> {
    listener: &'a mut dyn FnMut(&str) -> ControlFlow<(), Heard>,
    said_last: Instant,
}

impl Ear<'_> {
    fn next(&mut self, lines: &Receiver<Line>) -> Next {
        match lines.recv_timeout(POLL) {
            Ok(Ok(line)) => match (self.listener)(&line) {
                ControlFlow::Break(()) => Next::Stop(TalkEnd::Enough),
                ControlFlow::Continue(Heard::Life) => {
                    self.said_last = Instant::now();
                    Next::Heard
                }
                ControlFlow::Continue(Heard::Noise) => Next::Heard,
            },
            Ok(Err(TooMuch)) => Next::Stop(TalkEnd::Flooded),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }
}

/// Reads a pipe in a thread of its own, up to `most` bytes.
fn lines_of(pipe: impl Read + Send + 'static, most: usize) -> Receiver<Line> {
    let (send, receive) = sync_channel(WAITING);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut left = most as u64;
        loop {
            let mut line = Vec::new();
            // One byte beyond what is left tells a flood from an end.
            let Ok(read) = pipe.by_ref().take(left + 1).read_until(b'\n', &mut line) else { return };
            if read == 0 {
                return;
            }
            let Some(rest) = left.checked_sub(read as u64) else {
                let _ = send.send(Err(TooMuch));
                return;
            };
            left = rest;
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if send.send(Ok(line)).is_err() {
                return;
            }
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Environment;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Invocation {
        Invocation {
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            folder: std::env::temp_dir(),
            environment: Environment::inherited(),
            timeout: LONG,
            record: None,
        }
    }

    fn hear(invocation: &Invocation, bounds: &Talk<'_>) -> (TalkEnd, Vec<String>, Duration) {
        let mut lines = Vec::new();
        let mut listener = |line: &str| {
            lines.push(line.to_owned());
            match line {
                "enough" => ControlFlow::Break(()),
                "noise" => ControlFlow::Continue(Heard::Noise),
                _ => ControlFlow::Continue(Heard::Life),
            }
        };
        let talked = talk(invocation, bounds, &mut listener, &Cancel::new()).expect("sh runs");
        (talked.end, lines, talked.duration)
    }

    const PATIENT: Talk<'_> = Talk { input: b"", idle: LONG, most: 1 << 20 };

    #[test]
    fn a_child_gets_its_input_and_every_line_is_heard() {
        let input = "line\n".repeat(100_000);
        let told = Talk { input: input.as_bytes(), ..PATIENT };
        let (end, lines, _) = hear(&shell("wc -l | tr -d ' '; printf last; exit 3"), &told);
        assert_eq!((end, lines), (TalkEnd::Child(End::Exited(3)), vec!["100000".to_owned(), "last".to_owned()]));
    }

    #[test]
    fn a_child_that_does_not_read_its_input_ends_as_it_likes() {
        let input = vec![b'x'; 4 << 20];
        let (end, lines, _) = hear(&shell("echo no"), &Talk { input: &input, ..PATIENT });
        assert_eq!((end, lines), (TalkEnd::Child(End::Exited(0)), vec!["no".to_owned()]));
    }

    #[test]
    fn silence_and_noise_are_both_no_sign_of_life() {
        let idle = Talk { idle: Duration::from_millis(400), ..PATIENT };
        let (end, _, duration) = hear(&shell("sleep 30"), &idle);
        assert!(end == TalkEnd::Idle && duration < Duration::from_secs(3), "{end:?} {duration:?}");
        let (end, _, _) = hear(&shell("while :; do echo noise; sleep 0.1; done"), &idle);
        assert_eq!(end, TalkEnd::Idle);
        let (end, lines, _) = hear(&shell("for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done"), &idle);
        assert_eq!((end, lines.len()), (TalkEnd::Child(End::Exited(0)), 6));
    }

    #[test]
    fn a_flood_is_ended_whether_it_has_lines_or_not() {
        for script in ["yes", "cat /dev/zero"] {
            let (end, _, duration) = hear(&shell(script), &PATIENT);
            assert!(end == TalkEnd::Flooded && duration < Duration::from_secs(10), "{end:?} {duration:?}");
        }
    }

    #[test]
    fn a_listener_that_has_heard_enough_ends_the_child() {
        let (end, _, duration) = hear(&shell("echo enough; sleep 30"), &PATIENT);
        assert!(end == TalkEnd::Enough && duration < Duration::from_secs(3), "{end:?} {duration:?}");
    }

    #[test]
    fn what_a_child_leaves_behind_is_ended_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mark = folder.path().join("mark");
        let script = format!("(trap '' TERM HUP; sleep 2; echo late > '{}') & echo done", mark.display());
        let (end, lines, duration) = hear(&shell(&script), &PATIENT);
        assert_eq!((end, lines), (TalkEnd::Child(End::Exited(0)), vec!["done".to_owned()]));
        assert!(duration < Duration::from_secs(2), "{duration:?}");
        thread::sleep(Duration::from_millis(2_500));
        assert!(!mark.exists(), "a child of the child survived");
    }

    #[test]
    fn time_runs_out_and_a_user_who_gives_up_is_heeded() {
        let (end, _, _) = hear(&Invocation { timeout: Duration::from_millis(300), ..shell("sleep 30") }, &PATIENT);
        assert_eq!(end, TalkEnd::Child(End::TimedOut));
        let cancel = Cancel::new();
        cancel.cancel();
        let mut deaf = |_: &str| ControlFlow::Continue(Heard::Life);
        let talked = talk(&shell("sleep 30"), &PATIENT, &mut deaf, &cancel).expect("sh runs");
        assert_eq!(talked.end, TalkEnd::Child(End::Cancelled));
    }
}
