//! Tests once more as an ordinary user, where they are run as root: root passes some of them for reasons of its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::skipped::skipped;

/// Overrides where our program is, for a user who cannot read the build folder.
const PROGRAM: &str = "IMPROVE_TEST_PROGRAM";

/// Our program.
pub fn improve() -> PathBuf {
    std::env::var_os(PROGRAM).map_or_else(|| env!("CARGO_BIN_EXE_improve").into(), PathBuf::from)
}

pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = tempfile::tempfile().expect("a temporary file");
    own.metadata().expect("it is open").uid() == 0
}

/// Runs those tests of this file once more whose names have `filter` in them, all for an empty one. Nothing, where this is an ordinary user.
pub fn run_as_ordinary_user(filter: &str) {
    if !is_root() {
        return;
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        skipped("no setpriv to become another user with");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let own = std::env::current_exe().expect("a running test has a program");
    for (from, name) in [(own, "tests"), (improve(), "improve")] {
        std::fs::copy(from, folder.path().join(name)).expect("the folder is ours");
    }
    let home = folder.path().join("tmp");
    std::fs::create_dir(&home).expect("the folder is ours");
    let chown = Command::new("chown").args(["-R", "65534:65534"]).arg(folder.path()).status();
    assert!(chown.is_ok_and(|status| status.success()), "root may do that");
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
        .arg(folder.path().join("tests"))
        .args(["--nocapture", "--test-threads=2", filter])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env(PROGRAM, folder.path().join("improve"))
        .envs(std::env::var_os("IMPROVE_TEST_NO_SKIP").map(|it| ("IMPROVE_TEST_NO_SKIP", it)))
        .output()
        .expect("setpriv runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let _ = std::io::stdout().write_all(text.as_bytes());
    assert!(output.status.success() && !text.contains("running 0 tests"), "{text}");
}
