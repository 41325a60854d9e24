//! The program killed at random moments, and on a disk that is full: whatever happens, the user's own files are byte for byte what they
//! were, the index can be read, and the next run comes to the end that an undisturbed one comes to.
//!
//! `IMPROVE_TEST_KILLS` is how often it is killed (20 unless said), `IMPROVE_TEST_SEED` where the random moments begin. With
//! `IMPROVE_TEST_NO_SKIP` what the machine does not offer fails.
#![expect(clippy::print_stdout, reason = "what a machine does not offer is said, and how long it took")]

mod common;
#[path = "common/greeter.rs"]
mod greeter;
#[path = "common/models.rs"]
mod models;
#[path = "common/program.rs"]
mod program;
#[path = "common/skipped.rs"]
mod skipped;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use git2::Repository;
use improve::backlog::Backlog;
use serde_json::{Value, json};

use models::Server;
use program::program;
use skipped::skipped;

const APPLY: [&str; 5] = ["apply", "1", "--trust", "--format", "json"];
const BRANCH: &str = "improve/001-greet-politely";

/// A step with an exact edit before the step in words, and a check of the repository's own behind it.
fn plan() -> String {
    let exact = "### Step 1: Say what the file is\n\n```edit file=src/greet.js\n<<<<<<< SEARCH\nexport function greet(name) {\n\
                 =======\n// Greetings.\nexport function greet(name) {\n>>>>>>> REPLACE\n```\n\n\
                 **Verify**: `grep -c Greetings src/greet.js` → contains \"1\"\n\n### Step 2: Say hello";
    greeter::plan("`grep -c Hello src/greet.js` → contains \"1\"; `sh check.sh` → exit 0")
        .replace("### Step 1: Say hello", exact)
}

fn repository() -> tempfile::TempDir {
    let check = "mkdir -p build && cp src/greet.js build/ && ! grep -q Bye build/greet.js\n";
    let files = [("check.sh", check), (".gitignore", "build/\n"), ("plans/001-greet-politely.md", &plan())];
    greeter::repository("", &files)
}

/// Models that need no memory: what they say follows from what they are asked. The executor writes a comma too much, which the verifier
/// objects to and the executor mends.
fn server() -> Server {
    Server::start(|request| {
        let body = request.to_string();
        let is_first = request["messages"].as_array().is_some_and(|messages| messages.len() == 1);
        let edit = |old: &str, new: &str| {
            let input = json!({"file": "src/greet.js", "old": old, "new": new});
            json!([{"type": "tool_use", "id": "toolu_1", "name": "edit", "input": input}])
        };
        let says = |text: String| json!([{"type": "text", "text": text}]);
        let (clumsy, right) = ("  return `Hello, , ${name}`;", "  return `Hello, ${name}`;");
        let content = if !request["model"].as_str().unwrap_or_default().contains("haiku") {
            let objection = json!({"quote": clumsy.trim(), "problem": "A comma too much.", "severity": "revise"});
            let objections = if body.contains(&format!("+{clumsy}")) { json!([objection]) } else { json!([]) };
            says(json!({"objections": objections}).to_string())
        } else if !is_first {
            says("Done.".to_owned())
        } else if body.contains(clumsy) {
            edit(clumsy, right)
        } else {
            edit("  return name;", clumsy)
        };
        let reason = if content[0]["type"] == "text" { "end_turn" } else { "tool_use" };
        let usage = json!({"input_tokens": 1_000, "output_tokens": 100});
        (200, json!({"id": "msg", "model": "m", "content": content, "stop_reason": reason, "usage": usage}))
    })
}

/// Everything of the user's: files, links and modes of the tree but the index of plans, and what git keeps but for what is ours.
fn snapshot(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    const OURS: &[&str] = &[
        "plans/README.md",
        ".git/home",
        ".git/improve",
        ".git/objects",
        ".git/worktrees",
        ".git/refs/heads/improve",
        ".git/logs/refs/heads/improve",
    ];
    let mut files = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is ours").flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().expect("it is there"));
            let name = path.strip_prefix(root).expect("it is inside").display().to_string();
            if OURS.contains(&name.as_str()) {
                continue;
            }
            let bytes = if metadata.is_dir() {
                pending.push(path);
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).expect("it is a link").into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).expect("the file is ours")
            };
            files.insert(name, (metadata.mode(), bytes));
        }
    }
    files
}

/// What has to be the same in the end.
#[derive(Debug, PartialEq, Eq)]
struct End {
    tree: String,
    outcome: Value,
    status: String,
    steps: Vec<(Value, Value)>,
}

fn end(root: &Path) -> End {
    let repository = Repository::open(root).expect("it is a repository");
    let tree = repository.revparse_single(&format!("{BRANCH}^{{tree}}")).expect("the branch is there").id().to_string();
    let mut receipts: Vec<PathBuf> =
        fs::read_dir(root.join(".git/improve/receipts")).expect("receipts").flatten().map(|it| it.path()).collect();
    receipts.sort();
    let last = receipts.iter().rev().find(|path| path.extension().is_some_and(|extension| extension == "json"));
    let text = fs::read_to_string(last.expect("there is a receipt")).expect("it is there");
    let receipt: Value = serde_json::from_str(&text).expect("it is whole");
    let steps = receipt["steps"].as_array().into_iter().flatten();
    let steps = steps.map(|step| (step["title"].clone(), step["status"].clone())).collect();
    End { tree, outcome: receipt["outcome"].clone(), status: status(root), steps }
}

/// What the index says of the plan, without the commit.
fn status(root: &Path) -> String {
    let backlog = Backlog::open(root).expect("there are plans");
    let status = backlog.status(Path::new("plans/001-greet-politely.md")).expect("the index can be read");
    let status = status.map(|status| status.to_string()).unwrap_or_default();
    status.split(' ').next().unwrap_or_default().to_owned()
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An undisturbed run: how it ends, and how long it takes.
fn undisturbed() -> (End, Duration) {
    let (folder, server) = (repository(), server());
    let started = Instant::now();
    let output = program(folder.path(), &server, &APPLY).output().expect("the program starts");
    let took = started.elapsed();
    assert!(output.status.success(), "{}", said(&output));
    let end = end(folder.path());
    assert_eq!(end.outcome, "verified");
    assert_eq!(end.steps.len(), 3, "two steps, and one that mends: {end:?}");
    assert_eq!(server.asked().len(), 6, "an edit and a word for each of two steps, and two looks at the work");
    (end, took)
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Kills in one repository, before its plan is brought to its end.
const IN_ONE: u64 = 6;

#[test]
fn killed_at_random_moments_the_program_comes_to_the_same_end_and_the_users_files_stay() {
    // In memory where that can be had, as every write of a journal waits for its disk.
    match on_a_disk("1g", "child_on_a_quick_disk") {
        Ok(()) => {}
        Err(_) => kill_all(),
    }
}

/// Run by the test above in a mount namespace of its own: not a test by itself.
#[test]
fn child_on_a_quick_disk() {
    if let Some(disk) = std::env::var_os("IMPROVE_TEST_DISK") {
        tempfile::env::override_temp_dir(Path::new(&disk)).expect("nobody else chooses");
        kill_all();
    }
}

fn kill_all() {
    let (wanted, seed) = (number("IMPROVE_TEST_KILLS", 20), number("IMPROVE_TEST_SEED", 1));
    // The machine may have had much else to do.
    let ((expected, first), (_, second)) = (undisturbed(), undisturbed());
    // Several at once take longer than one alone, and the late moments are the ones that are hard to meet.
    let whole = 2 * first.min(second);
    let started = Instant::now();
    let met = Met::default();
    // They wait for their moment more than they work.
    let workers = 3 * std::thread::available_parallelism().map_or(2, |it| it.get()).min(8) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (expected, met) = (&expected, &met);
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_mul(1_000).wrapping_add(worker));
                while !met.is_enough(wanted as usize) {
                    kill_often(&mut random, whole, expected, met);
                }
            });
        }
    });
    let [killed, green, verified] = met.counts();
    println!(
        "killed {killed} times in {:.0} s, {green} after a green step, {verified} while the work was verified; undisturbed it takes {} ms",
        started.elapsed().as_secs_f64(),
        whole.as_millis() / 2
    );
    assert!(green >= 1 && verified >= 1, "no kill met what comes after the first step");
}

/// Where kills fell.
#[derive(Default)]
struct Met {
    killed: AtomicUsize,
    /// When a step was green.
    green: AtomicUsize,
    /// When all of them were.
    verified: AtomicUsize,
}

impl Met {
    /// At least `wanted` kills, and as many more as it takes until some fell late.
    fn is_enough(&self, wanted: usize) -> bool {
        let [killed, green, verified] = self.counts();
        killed >= wanted && (green.min(verified) >= 1 || killed >= 10 * wanted)
    }

    fn counts(&self) -> [usize; 3] {
        [&self.killed, &self.green, &self.verified].map(|it| it.load(Ordering::Relaxed))
    }

    /// By what the journal says last.
    fn take(&self, root: &Path) {
        let text = fs::read_to_string(root.join(".git/improve/journal/001-greet-politely.jsonl")).unwrap_or_default();
        let entries: Vec<String> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["entry"].as_str().map(str::to_owned))
            .collect();
        let count = |name: &str| entries.iter().filter(|entry| *entry == name).count();
        let (green, last) = (count("step-green"), entries.last().map_or("", String::as_str));
        self.killed.fetch_add(1, Ordering::Relaxed);
        self.green.fetch_add(usize::from(green >= 1 && last != "finished"), Ordering::Relaxed);
        self.verified.fetch_add(usize::from(green == 2 + count("mending") && last == "step-green"), Ordering::Relaxed);
    }
}

/// One repository: the program is killed there a few times and then left to itself.
fn kill_often(random: &mut Random, whole: Duration, expected: &End, met: &Met) {
    let (folder, server) = (repository(), server());
    let before = snapshot(folder.path());
    let mut moments = Vec::new();
    for _ in 0..IN_ONE {
        let moment = Duration::from_micros(random.below(whole.as_micros() as u64));
        moments.push(moment);
        let mut child = program(folder.path(), &server, &APPLY)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let moment = Instant::now() + moment;
        while Instant::now() < moment && child.try_wait().expect("it is our child").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("it is our child");
        let is_killed = child.wait().expect("it is our child").signal() == Some(9);
        assert!(snapshot(folder.path()) == before, "the user's files were changed, killed after {moments:?}");
        // It panics where the index cannot be read.
        status(folder.path());
        if !is_killed {
            break;
        }
        met.take(folder.path());
    }
    let output = program(folder.path(), &server, &APPLY).output().expect("the program starts");
    // It may have come to its end before.
    let is_there = output.status.code() == Some(2) && said(&output).contains("already");
    assert!(output.status.success() || is_there, "killed after {moments:?}: {}", said(&output));
    assert_eq!(end(folder.path()), *expected, "killed after {moments:?}: {}", said(&output));
    assert!(snapshot(folder.path()) == before, "the user's files were changed, killed after {moments:?}");
}

#[test]
fn a_run_that_was_killed_before_it_could_note_its_end_is_noted_by_the_next() {
    let (folder, server) = (repository(), server());
    let index = folder.path().join("plans/README.md");
    let run = || program(folder.path(), &server, &APPLY).output().expect("the program starts");
    let first = run();
    assert!(first.status.success(), "{}", said(&first));
    assert_eq!(status(folder.path()), "DONE");
    // As it was when the receipt had been written.
    fs::remove_file(&index).expect("it is there");
    assert_eq!(run().status.code(), Some(2), "the work is there");
    assert_eq!(status(folder.path()), "DONE");
}

/// Sizes of a file at which writing fails, in blocks of 512 bytes; the largest lets everything through.
const BLOCKS: [u64; 6] = [0, 1, 4, 16, 64, 512];

#[test]
fn a_program_that_cannot_write_files_beyond_a_size_says_so_and_goes_on_when_it_can() {
    let (expected, _) = undisturbed();
    let mut failed = 0;
    for blocks in BLOCKS {
        let (folder, server) = (repository(), server());
        let before = snapshot(folder.path());
        let inner = program(folder.path(), &server, &APPLY);
        let mut limited = Command::new("sh");
        // The signal would end it; ignored, writing fails as it does on a full disk.
        limited.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
        limited.arg(inner.get_program()).args(inner.get_args()).current_dir(folder.path()).stdin(Stdio::null());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        let output = limited.output().expect("sh starts");
        failed += usize::from(!output.status.success());
        assert!(output.status.code().is_some(), "{blocks} blocks: it ended by a signal: {}", said(&output));
        assert!(snapshot(folder.path()) == before, "{blocks} blocks: the user's files were changed");
        status(folder.path());
        go_on(folder.path(), &server, &expected, &format!("{blocks} blocks: {}", said(&output)));
    }
    assert!(failed >= 3, "the limit was felt {failed} times");
}

/// Whatever failed before is mended: the plan comes to its end.
fn go_on(root: &Path, server: &Server, expected: &End, why: &str) {
    let before = snapshot(root);
    let again = program(root, server, &APPLY).output().expect("the program starts");
    let is_there = again.status.code() == Some(2) && said(&again).contains("already");
    assert!(again.status.success() || is_there, "{why}\nand then {}", said(&again));
    assert_eq!(end(root), *expected, "{why}\nand then {}", said(&again));
    assert!(snapshot(root) == before, "{why}\nthe user's files were changed");
}

/// Bytes that are left on the disk.
const LEFT: [u64; 9] = [0, 16 << 10, 48 << 10, 80 << 10, 88 << 10, 96 << 10, 104 << 10, 160 << 10, 512 << 10];

/// Run by the test below in a mount namespace of its own: not a test by itself.
#[test]
fn child_on_a_small_disk() {
    let Some(disk) = std::env::var_os("IMPROVE_TEST_DISK").map(PathBuf::from) else { return };
    let (expected, _) = undisturbed();
    let mut failed = 0;
    for left in LEFT {
        let (made, server) = (repository(), server());
        let root = disk.join("repository");
        let copied = Command::new("cp").arg("-a").arg(made.path()).arg(&root).status().expect("cp is there");
        assert!(copied.success());
        let before = snapshot(&root);
        let ballast = disk.join("ballast");
        fill(&ballast, left);
        let output = program(&root, &server, &APPLY).output().expect("the program starts");
        failed += usize::from(!output.status.success());
        assert!(output.status.code().is_some(), "{left} bytes: it ended by a signal: {}", said(&output));
        assert!(snapshot(&root) == before, "{left} bytes: the user's files were changed");
        status(&root);
        fs::remove_file(&ballast).expect("it is ours");
        go_on(&root, &server, &expected, &format!("{left} bytes: {}", said(&output)));
        fs::remove_dir_all(&root).expect("it is ours");
    }
    assert!(failed >= 3, "the disk was full {failed} times");
    println!("a full disk was met {failed} times");
}

/// Fills the disk that `ballast` is on but for so many bytes.
fn fill(ballast: &Path, left: u64) {
    use std::io::Write;
    let mut file = fs::File::create(ballast).expect("the disk is ours");
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0; 1]).is_ok() {}
    let size = file.metadata().expect("it is open").len();
    file.set_len(size.saturating_sub(left)).expect("it becomes smaller");
}

#[test]
fn on_a_full_disk_the_program_says_so_and_goes_on_when_there_is_room() {
    if let Err(refused) = on_a_disk("6m", "child_on_a_small_disk") {
        skipped(format!("no small disk can be had: {refused}"));
    }
}

/// Runs a test of this file with a disk of its own in memory; or says why none can be had.
fn on_a_disk(size: &str, test: &str) -> Result<(), String> {
    let disk = tempfile::tempdir().expect("a temporary folder");
    let mount = format!("mount -t tmpfs -o size={size} improve-test \"$IMPROVE_TEST_DISK\"");
    let mut refused = String::new();
    // As root, and as anybody where users may make namespaces.
    for namespaces in ["-m", "-Urm"] {
        let command = |script: &str| {
            let mut command = Command::new("unshare");
            command.args([namespaces, "sh", "-c", script]).env("IMPROVE_TEST_DISK", disk.path());
            command
        };
        match command(&mount).output() {
            Ok(output) if output.status.success() => {
                let own = std::env::current_exe().expect("a test has an executable");
                let run = format!("{mount} && exec \"$0\" --exact {test} --nocapture");
                let child = command(&run).arg(own).output().expect("it was just started");
                let printed = String::from_utf8_lossy(&child.stdout);
                printed.lines().filter(|line| line.contains("times")).for_each(|line| println!("{line}"));
                assert!(child.status.success(), "{}", said(&child));
                return Ok(());
            }
            Ok(output) => refused.push_str(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => refused.push_str(&error.to_string()),
        }
    }
    Err(refused)
}
