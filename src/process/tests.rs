//! Children: time limits, capped output, environment, groups that end whole.

use super::*;

fn shell(script: &str, timeout: Duration) -> Invocation {
    Invocation {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        folder: std::env::temp_dir(),
        environment: Environment::inherited(),
        timeout,
        record: None,
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn output_and_exit_code_are_kept_apart_by_stream() {
    let finished = run(&shell("echo out; echo err >&2; exit 3", LONG), &Cancel::new()).expect("sh runs");
    assert_eq!(
        (finished.end, finished.stdout.head.as_str(), finished.stderr.head.as_str()),
        (End::Exited(3), "out\n", "err\n")
    );
}

#[test]
fn a_program_that_does_not_exist_is_an_error_with_a_hint() {
    let invocation = Invocation { program: "no-such-program-here".into(), ..shell("", LONG) };
    let error = run(&invocation, &Cancel::new()).expect_err("there is no such program");
    assert_eq!(error.hint().as_deref(), Some("install `no-such-program-here` or put it on the PATH"));
}

#[test]
fn a_hanging_child_and_its_own_children_are_ended_at_the_timeout() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mark = folder.path().join("mark");
    let script = format!("(trap '' TERM; sleep 3; echo late > '{}') & sleep 30", mark.display());
    let finished = run(&shell(&script, Duration::from_millis(300)), &Cancel::new()).expect("sh runs");
    assert_eq!(finished.end, End::TimedOut);
    assert!(finished.duration < Duration::from_secs(3), "{:?}", finished.duration);
    thread::sleep(Duration::from_secs(3));
    assert!(!mark.exists(), "a child of the child survived");
}

#[test]
fn a_background_process_that_keeps_the_pipe_open_does_not_keep_us_waiting() {
    let finished = run(&shell("sleep 30 & echo done", LONG), &Cancel::new()).expect("sh runs");
    assert_eq!((finished.end, finished.stdout.head.as_str()), (End::Exited(0), "done\n"));
    assert!(finished.duration < Duration::from_secs(5), "{:?}", finished.duration);
}

#[test]
fn a_process_that_left_the_group_with_the_pipe_does_not_keep_us_waiting() {
    let finished = run(&shell("setsid sleep 8 & echo done", LONG), &Cancel::new()).expect("sh runs");
    assert_eq!((finished.end, finished.stdout.head.as_str()), (End::Exited(0), "done\n"));
    assert!(finished.duration < Duration::from_secs(5), "{:?}", finished.duration);
}

#[test]
fn cancelling_ends_a_child_at_once() {
    let cancel = Cancel::new();
    let raised = cancel.clone();
    let raiser = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        raised.cancel();
    });
    let finished = run(&shell("sleep 30", LONG), &cancel).expect("sh runs");
    raiser.join().expect("the thread only sleeps");
    assert_eq!(finished.end, End::Cancelled);
    assert!(finished.duration < Duration::from_secs(3), "{:?}", finished.duration);
}

#[test]
fn a_child_killed_by_a_signal_says_which() {
    let finished = run(&shell("kill -9 $$", LONG), &Cancel::new()).expect("sh runs");
    assert_eq!(finished.end, End::Signalled(9));
}

#[test]
fn a_flood_of_output_is_drained_and_not_kept() {
    let finished = run(&shell("yes | head -c 300000000; echo end", LONG), &Cancel::new()).expect("sh runs");
    assert_eq!(finished.end, End::Exited(0));
    assert!(finished.stdout.tail.ends_with("y\nend\n"));
    assert!(finished.stdout.head.len() + finished.stdout.tail.len() < 5 << 20);
}

#[test]
fn the_child_sees_only_the_environment_it_is_given() {
    let environment =
        Environment::allowed_of([("PATH".into(), std::env::var_os("PATH").unwrap_or_default())]).with("EXTRA", "1");
    let invocation = Invocation {
        environment,
        ..shell("env | cut -d= -f1 | grep -v '^PWD$\\|^SHLVL$\\|^_$\\|^OLDPWD$' | sort", LONG)
    };
    let finished = run(&invocation, &Cancel::new()).expect("sh runs");
    assert_eq!(finished.stdout.head, "EXTRA\nPATH\n");
}

#[test]
fn a_recorded_child_can_be_ended_by_somebody_else_and_only_that_child() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("running");
    let recorded = file.clone();
    let ender = thread::spawn(move || {
        while !recorded.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(100));
        end_recorded(&recorded);
    });
    let invocation = Invocation { record: Some(file.clone()), ..shell("sleep 30", LONG) };
    let finished = run(&invocation, &Cancel::new()).expect("sh runs");
    ender.join().expect("the thread ends the child");
    assert_eq!((finished.end, file.exists()), (End::Signalled(9), false));
    // The id of a living process with another start time is not the one that was recorded.
    std::fs::write(&file, format!("{} 1", std::process::id())).expect("the folder is ours");
    end_recorded(&file);
    assert!(!file.exists());
}
