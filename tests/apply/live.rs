//! What a gate printed that did not come to its end.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A gate that says something at the second step and then hangs, until `go` is there.
fn hanging(world: &World) -> (Gate, PathBuf) {
    let go = world.folder.path().join("go");
    // Quick on the base, where `GAMMA` is not there yet.
    let command = format!(
        "grep -q GAMMA src/app.txt || exit 1; test -f {} && exit 0; echo connecting; printf 'Password: ' >&2; sleep 60",
        go.display()
    );
    (gate(&command, Expectation::Exit(0)), go)
}

#[test]
fn a_run_that_was_killed_leaves_what_its_gate_had_printed_and_the_next_one_says_it() {
    let world = World::new();
    let (hangs, go) = hanging(&world);
    let mut child = Command::new(std::env::current_exe().expect("a test has an executable"))
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env("IMPROVE_TEST_WORLD", world.folder.path())
        .env("IMPROVE_TEST_POINT", "none")
        .env("IMPROVE_TEST_GATE", &hangs.command)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the test can be started again");
    let output = world.place().output_of("001-rename");
    let says_all = |text: &str| text.contains("--- stdout\nconnecting\n") && text.contains("--- stderr\nPassword:");
    let patience = Instant::now() + Duration::from_secs(30);
    while !says_all(&fs::read_to_string(&output).unwrap_or_default()) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().and_then(|()| child.wait()).expect("it is our child");
    fs::write(go, "").expect("the folder is ours");
    let receipt = world.apply(&orphaning_plan(&hangs.command)).expect("it goes on");
    assert_eq!(receipt.outcome, Outcome::Verified);
    let aside = output.with_extension("cut-off.txt");
    let end = format!("ran; it had printed: connecting / Password: (all of it: {})", aside.display());
    assert!(receipt.notes.iter().any(|note| note.ends_with(&end)), "{:?}", receipt.notes);
    assert!(says_all(&fs::read_to_string(&aside).expect("it is kept")) && !output.exists());
    worktree::clean(&world.place(), Some("001-rename"), true).expect("nobody uses it");
    assert!(!aside.exists());
}

#[test]
fn what_a_gate_printed_that_ran_out_of_time_is_in_the_receipt_and_in_no_file() {
    let world = World::new();
    let (hangs, _) = hanging(&world);
    let limits = GateLimits { timeout: Duration::from_secs(5), ..GateLimits::default() };
    let options = ApplyOptions { limits, ..ApplyOptions::default() };
    let output = world.place().output_of("001-rename");
    let ended = AtomicBool::new(false);
    let (receipt, was_there) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let says = || fs::read_to_string(&output).is_ok_and(|text| text.contains("connecting"));
            while !ended.load(Ordering::Relaxed) {
                if says() {
                    return true;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            false
        });
        let receipt = world.apply_with(&orphaning_plan(&hangs.command), options, &Silent, &Cancel::new());
        ended.store(true, Ordering::Relaxed);
        (receipt.expect("the plan fits"), watcher.join().expect("it only reads"))
    });
    assert!(receipt.steps[1].gates[0].timed_out, "{:?}", receipt.reasons);
    assert_eq!(receipt.steps[1].gates[0].stdout, "connecting\n");
    assert!(was_there && !output.exists(), "while it ran, and not after: {was_there}");
}
