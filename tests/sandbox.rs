//! The sandbox: what works in it, and ways out of it that must all fail, at every level that this machine offers and, where this is run as
//! root, as an ordinary user once more. A level that is missing is said, not failed.
#![expect(clippy::print_stdout, reason = "what a machine does not offer is said")]

#[path = "common/ordinary_user.rs"]
mod ordinary_user;
#[path = "common/skipped.rs"]
mod skipped;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use improve::cancel::Cancel;
use improve::process::{self, End, Environment, Finished, Invocation};
use improve::sandbox::policy::{Ground, Limits, Purpose};
use improve::sandbox::{Level, Sandbox, SandboxError, Wanted, choose};
use ordinary_user::{improve, is_root, run_as_ordinary_user};
use skipped::skipped;

/// Every level that this machine offers; what is missing is said.
fn levels() -> Vec<Sandbox> {
    let mut offered = Vec::new();
    // What another system has is nothing that this machine lacks.
    let known = if cfg!(target_os = "macos") { &[Level::Seatbelt][..] } else { &[Level::Namespaces, Level::Landlock] };
    for level in known.iter().copied() {
        match choose(&improve(), Wanted { minimum: Level::None, exactly: Some(level) }) {
            Ok(sandbox) => offered.push(sandbox),
            Err(error) => skipped(error),
        }
    }
    offered
}

/// A worktree with what lies around it: the repository, files of the user's, a home folder with credentials, a process of the user's.
struct Arena {
    folder: tempfile::TempDir,
    victim: Child,
}

impl Arena {
    fn new() -> Arena {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in [
            "work",
            "outside/folder",
            "home/.ssh",
            "home/.aws",
            "home/.config/gh",
            "home/.cargo/registry",
            "home/.docker",
        ] {
            fs::create_dir_all(folder.path().join(name)).expect("the folder is ours");
        }
        let git = |arguments: &[&str], at: &str| {
            let mut command = Command::new("git");
            command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
            command.current_dir(folder.path().join(at)).env("HOME", folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
            let output = command.output().expect("git runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        fs::create_dir(folder.path().join("repository")).expect("the folder is ours");
        git(&["init", "-q"], "repository");
        fs::write(folder.path().join("repository/hello.txt"), "needle\n").expect("the folder is ours");
        git(&["add", "."], "repository");
        git(&["commit", "-qm", "one"], "repository");
        git(&["worktree", "add", "-q", "--detach", "../work"], "repository");
        let secrets = [
            "home/.ssh/id_ed25519",
            "home/.aws/credentials",
            "home/.config/gh/hosts.yml",
            "home/.netrc",
            "home/.docker/config.json",
            "home/.cargo/credentials.toml",
            "home/.git-credentials",
        ];
        for file in secrets {
            fs::write(folder.path().join(file), "TOPSECRET\n").expect("the folder is ours");
        }
        let npmrc = "//registry.npmjs.org/:_authToken=TOPSECRET\n";
        fs::write(folder.path().join("home/.npmrc"), npmrc).expect("the folder is ours");
        fs::write(folder.path().join("outside/precious"), "precious\n").expect("the folder is ours");
        let mut victim = Command::new("sleep");
        victim.arg("300").env("VICTIM", "TOPSECRET").stdout(Stdio::null());
        Arena { victim: victim.spawn().expect("sleep runs"), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there").join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn invocation(&self, script: &str) -> Invocation {
        let environment = Environment::inherited()
            .with("HOME", self.path("home"))
            .with("CARGO_HOME", self.path("home/.cargo"))
            .with("OUT", self.path("outside"))
            .with("GIT", self.path("repository/.git"))
            .with("VICTIM_ID", self.victim.id().to_string());
        Invocation {
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            folder: self.path("work"),
            environment,
            timeout: Duration::from_secs(60),
            record: None,
        }
    }

    fn try_for(
        &self,
        sandbox: &Sandbox,
        purpose: Purpose,
        script: &str,
    ) -> (Finished, Result<Option<String>, SandboxError>) {
        let (work, git) = (self.path("work"), self.path("repository/.git"));
        let ground = Ground { folder: &work, git: Some(&git), purpose };
        let confined = sandbox.confine(self.invocation(script), &ground).expect("it was tried");
        let finished = process::run(&confined.invocation, &Cancel::new()).expect("the helper runs");
        let said = confined.check();
        (finished, said)
    }

    fn run(&self, sandbox: &Sandbox, script: &str) -> Finished {
        let (finished, said) = self.try_for(sandbox, Purpose::Check, script);
        assert!(said.is_ok(), "{}: {said:?}", sandbox.level());
        finished
    }

    /// Everything around the worktree is as it was.
    fn is_untouched(&mut self) -> Result<(), String> {
        let mut outside: Vec<String> = fs::read_dir(self.path("outside"))
            .expect("it is there")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        outside.sort();
        let expected = ["folder", "precious"];
        let checks = [
            (outside == expected, format!("outside the worktree: {outside:?}")),
            (self.text("outside/precious") == "precious\n", "a file outside was written".to_owned()),
            (self.path("work").is_dir(), "the worktree was moved".to_owned()),
            (!self.path("repository/.git/hooks/pre-commit").exists(), "a hook was written".to_owned()),
            (!self.text("repository/.git/config").contains("evil"), "git's settings were written".to_owned()),
            (!self.path("home/.cargo/registry/evil").exists(), "a cache was written".to_owned()),
            (!Path::new("/dev/shm/improve-evil").exists(), "shared memory was written".to_owned()),
            (self.victim.try_wait().is_ok_and(|ended| ended.is_none()), "a process outside was ended".to_owned()),
        ];
        checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

fn output(finished: &Finished) -> String {
    format!("{}{}", finished.stdout.head, finished.stderr.head)
}

#[test]
fn ordinary_work_is_done_at_every_level() {
    for sandbox in levels() {
        let level = sandbox.level();
        let arena = Arena::new();
        let cases: &[(&str, End, &str)] = &[
            ("echo out; exit 3", End::Exited(3), "out\n"),
            ("kill -9 $$", End::Signalled(9), ""),
            ("kill -TERM $$", End::Signalled(15), ""),
            ("echo x > file && mkdir -p a/b && mv file a/b && ln a/b/file two && cat two", End::Exited(0), "x\n"),
            ("echo x > $TMPDIR/file && cat $TMPDIR/file", End::Exited(0), "x\n"),
            ("git grep -l needle && git log --format=%s", End::Exited(0), "hello.txt\none\n"),
            ("echo x > /dev/null && head -c 3 /dev/zero | wc -c | tr -d ' '", End::Exited(0), "3\n"),
            ("cat .git | cut -c1-7", End::Exited(0), "gitdir:\n"),
        ];
        for (script, end, printed) in cases {
            let finished = arena.run(&sandbox, script);
            assert_eq!(
                (finished.end, finished.stdout.head.as_str()),
                (*end, *printed),
                "{level}: {script}: {}",
                output(&finished)
            );
        }
        let missing = arena.run(&sandbox, "no-such-program");
        assert_eq!(missing.end, End::Exited(127), "{level}");
    }
}

#[test]
fn a_command_with_files_of_its_own_does_not_meet_the_folder_they_are_kept_in() {
    for sandbox in levels().into_iter().filter(|sandbox| sandbox.level() == Level::Namespaces) {
        let arena = Arena::new();
        // A run of ours inside would take it for one that a killed run left, and remove it: the command's temporary folder with it.
        let finished = arena.run(&sandbox, "touch $TMPDIR/mine && find /tmp -name 'improve-sandboxed-*'");
        assert_eq!((finished.end, finished.stdout.head.as_str()), (End::Exited(0), ""), "{}", output(&finished));
    }
}

#[test]
fn a_server_on_localhost_is_reached_where_there_is_a_network_of_its_own() {
    if !Path::new("/usr/bin/node").exists() {
        println!("skipped: no /usr/bin/node");
        return;
    }
    for sandbox in levels().iter().filter(|sandbox| sandbox.level() == Level::Namespaces) {
        let script = "node -e '
            const http = require(\"http\");
            const server = http.createServer((_, reply) => reply.end(\"hello\")).listen(0, \"127.0.0.1\", () => {
                http.get({ port: server.address().port, host: \"localhost\" }, reply => { reply.pipe(process.stdout); server.close(); });
            });'";
        let finished = Arena::new().run(sandbox, script);
        assert_eq!((finished.end, finished.stdout.head.as_str()), (End::Exited(0), "hello"), "{}", output(&finished));
    }
}

#[test]
fn toolchains_in_the_home_folder_work() {
    /// What says that a tool is here, the files of a project of it, and its check.
    type Tool<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let tools: &[Tool<'_>] = &[
        (
            "cargo --version",
            &[
                ("Cargo.toml", "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
                ("src/lib.rs", "#[test]\nfn holds() { assert_eq!(1 + 1, 2); }\n"),
            ],
            "cargo test",
        ),
        (
            "node --version",
            &[("a.test.mjs", "import test from 'node:test'; test('holds', () => {});\n")],
            "node --test",
        ),
        ("npm --version", &[("package.json", "{\"scripts\":{\"test\":\"node -e 0\"}}\n")], "npm test"),
    ];
    for sandbox in levels() {
        for (probe, files, script) in tools {
            let arena = Arena::new();
            for (name, text) in *files {
                let file = arena.path("work").join(name);
                fs::create_dir_all(file.parent().expect("in the worktree")).expect("the folder is ours");
                fs::write(file, text).expect("the folder is ours");
            }
            let there = Command::new("sh").args(["-c", probe]).current_dir(arena.path("work")).output();
            if !there.is_ok_and(|output| output.status.success()) {
                println!("skipped: `{probe}` does not run here");
                continue;
            }
            let (work, git) = (arena.path("work"), arena.path("repository/.git"));
            let timeout = Duration::from_secs(240);
            let invocation = Invocation { environment: Environment::inherited(), timeout, ..arena.invocation(script) };
            let ground = Ground { folder: &work, git: Some(&git), purpose: Purpose::Check };
            let confined = sandbox.confine(invocation, &ground).expect("it was tried");
            let finished = process::run(&confined.invocation, &Cancel::new()).expect("the helper runs");
            assert_eq!(finished.end, End::Exited(0), "{} {script}: {}", sandbox.level(), output(&finished));
        }
    }
}

#[test]
fn a_program_that_cannot_be_started_is_no_fault_of_the_sandbox_and_said() {
    for sandbox in levels() {
        let arena = Arena::new();
        let (work, git) = (arena.path("work"), arena.path("repository/.git"));
        let invocation = Invocation { program: "no-such-program".into(), ..arena.invocation("") };
        let ground = Ground { folder: &work, git: Some(&git), purpose: Purpose::Check };
        let confined = sandbox.confine(invocation, &ground).expect("it was tried");
        process::run(&confined.invocation, &Cancel::new()).expect("the helper runs");
        let error = confined.check().expect_err("nothing was run");
        assert!(error.to_string().contains("no-such-program: could not be started"), "{error}");
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_started() {
    for sandbox in levels() {
        let arena = Arena::new();
        let (work, git) = (arena.path("work"), arena.path("repository/.git"));
        let script = "trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 2; echo late > late' &) ; sleep 40";
        let invocation = Invocation { timeout: Duration::from_millis(700), ..arena.invocation(script) };
        let ground = Ground { folder: &work, git: Some(&git), purpose: Purpose::Check };
        let confined = sandbox.confine(invocation, &ground).expect("it was tried");
        let finished = process::run(&confined.invocation, &Cancel::new()).expect("the helper runs");
        assert_eq!(finished.end, End::TimedOut);
        assert!(finished.duration < Duration::from_secs(4), "{}: {:?}", sandbox.level(), finished.duration);
        std::thread::sleep(Duration::from_secs(3));
        assert!(!arena.path("work/late").exists(), "{}: something outlived the command", sandbox.level());
    }
}

/// Ways out: a name, and a script that takes one.
const WRITES: &[(&str, &str)] = &[
    ("an absolute path", "echo evil > \"$OUT/mark\""),
    ("a path with ..", "echo evil > ../outside/mark"),
    ("a symbolic link to a folder", "ln -s \"$OUT\" link; echo evil > link/mark"),
    ("a symbolic link to a file", "ln -s \"$OUT/precious\" to; echo evil > to"),
    ("a hard link", "ln \"$OUT/precious\" hard; echo evil > hard; ln ../outside/precious hard2 && echo evil > hard2"),
    ("a link out", "echo evil > own; ln own \"$OUT/mark\""),
    ("/proc/self/cwd", "echo evil > /proc/self/cwd/../outside/mark"),
    (
        "/proc/self/root",
        "echo evil > /proc/self/root/$OUT/mark; echo evil > /proc/$PPID/root/$OUT/mark; echo evil > /proc/1/root/$OUT/mark",
    ),
    ("/proc/PPID/cwd", "echo evil > /proc/$PPID/cwd/../outside/mark"),
    ("a folder moved out", "mkdir d; echo evil > d/f; mv d \"$OUT/mark\""),
    ("a folder moved in", "mv \"$OUT/folder\" here; mv ../outside here"),
    ("the worktree renamed", "mv ../work ../moved; mv \"$PWD\" \"$OUT/mark\""),
    ("cutting a file off", ": > \"$OUT/precious\"; truncate -s 0 \"$OUT/precious\""),
    ("removing a file", "rm -rf \"$OUT\""),
    ("a hook of the repository", "mkdir -p \"$GIT/hooks\"; echo evil > \"$GIT/hooks/pre-commit\""),
    (
        "the settings of the repository",
        "git config evil.evil evil; echo '[evil]' >> \"$GIT/config\"; mv \"$GIT/config\" \"$GIT/config2\"",
    ),
    ("a cache that other projects use", "echo evil > ~/.cargo/registry/evil"),
    ("shared memory", "echo evil > /dev/shm/improve-evil"),
    ("a signal to a process outside", "kill -9 $VICTIM_ID; kill -TERM $VICTIM_ID"),
    ("a namespace of its own", "unshare -r sh -c 'mount --bind / /mnt; echo evil > \"$OUT/mark\"'"),
];

#[test]
fn every_write_outside_the_worktree_fails() {
    for sandbox in levels() {
        let mut failed = Vec::new();
        for (name, script) in WRITES {
            let mut arena = Arena::new();
            arena.run(&sandbox, script);
            if let Err(what) = arena.is_untouched() {
                failed.push(format!("{name}: {what}"));
            }
        }
        assert!(failed.is_empty(), "{}: {failed:#?}", sandbox.level());
        println!("{}: {} ways to write outside fail", sandbox.level(), WRITES.len());
    }
}

#[test]
fn the_pointer_to_the_repository_is_not_written() {
    for sandbox in levels() {
        if sandbox.level() == Level::Landlock {
            println!("skipped: Landlock cannot except a file of a folder; the pointer is checked before git is used");
            continue;
        }
        let arena = Arena::new();
        let before = arena.text("work/.git");
        arena.run(&sandbox, "echo gitdir: /x > .git; rm -f .git; mv .git moved; ln -sf /x .git");
        assert_eq!(arena.text("work/.git"), before, "{}", sandbox.level());
    }
}

#[test]
fn modes_and_times_outside_are_not_changed() {
    use std::os::unix::fs::PermissionsExt as _;
    for sandbox in levels().iter().filter(|sandbox| sandbox.level() == Level::Namespaces) {
        let arena = Arena::new();
        let mode = || fs::metadata(arena.path("outside/precious")).expect("it is there").permissions().mode();
        let before = mode();
        arena.run(
            sandbox,
            "chmod 777 \"$OUT/precious\"; chmod 777 \"$GIT\" /etc/passwd; touch -d 2001-01-01 \"$GIT/HEAD\"",
        );
        assert_eq!(mode(), before);
        let touched =
            fs::metadata(arena.path("repository/.git/HEAD")).and_then(|head| head.modified()).expect("it is there");
        assert!(touched.elapsed().is_ok_and(|age| age < Duration::from_secs(3600)));
    }
}

#[test]
fn credentials_and_other_peoples_files_are_not_read() {
    let script = "cat ~/.ssh/id_ed25519 ~/.aws/credentials ~/.config/gh/hosts.yml ~/.netrc ~/.docker/config.json \
        ~/.cargo/credentials.toml ~/.git-credentials ~/.npmrc; cat ~/.cargo/../.ssh/*; ln -s ~/.ssh here; cat here/*; \
        cat /proc/self/root/$HOME/.ssh/*; grep -r TOPSECRET ~ 2>/dev/null; ln ~/.ssh/id_ed25519 hard && cat hard";
    for sandbox in levels() {
        for purpose in [Purpose::Check, Purpose::Prepare] {
            let (finished, said) = Arena::new().try_for(&sandbox, purpose, script);
            assert!(said.is_ok(), "{said:?}");
            assert!(!output(&finished).contains("TOPSECRET"), "{} {purpose:?}: {}", sandbox.level(), output(&finished));
        }
    }
}

#[test]
fn the_environment_of_other_processes_is_not_read() {
    for sandbox in levels() {
        let script = "cat /proc/$PPID/environ /proc/$VICTIM_ID/environ /proc/[0-9]*/environ | tr '\\0' '\\n'";
        let finished = Arena::new().run(&sandbox, script);
        let text = output(&finished);
        assert!(!text.contains("VICTIM=TOPSECRET") && !text.contains("CARGO_PKG_NAME"), "{}: {text}", sandbox.level());
    }
}

#[test]
fn the_settings_of_the_kernel_are_not_open() {
    for sandbox in levels() {
        let finished = Arena::new().run(
            &sandbox,
            "(: >> /proc/sys/kernel/core_pattern) && echo open; (: >> /proc/sysrq-trigger) && echo open",
        );
        assert!(!finished.stdout.head.contains("open"), "{}: {}", sandbox.level(), output(&finished));
    }
}

#[test]
fn listeners_outside_are_not_reached() {
    let bash = ["/bin/bash", "/usr/bin/bash"].iter().any(|path| Path::new(path).exists());
    if !bash {
        println!("skipped: no bash to connect with");
        return;
    }
    // Nothing is sent: it only says which address would be used.
    let own = UdpSocket::bind("0.0.0.0:0")
        .and_then(|socket| socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()));
    let address =
        own.ok().map(|address| address.ip()).filter(|address| !address.is_loopback() && !address.is_unspecified());
    let mut hosts = vec!["127.0.0.1".to_owned()];
    match address {
        Some(address) => hosts.push(address.to_string()),
        None => println!("skipped: this machine has no address but loopback"),
    }
    for sandbox in levels() {
        for host in &hosts {
            let listener = TcpListener::bind((host.as_str(), 0)).expect("an address of this machine");
            listener.set_nonblocking(true).expect("it can wait or not");
            let port = listener.local_addr().expect("it listens").port();
            let script = format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{host}/{port} && echo reached'");
            let finished = Arena::new().run(&sandbox, &script);
            let reached = finished.stdout.head.contains("reached") || listener.accept().is_ok();
            assert!(!reached, "{} {host}: {}", sandbox.level(), output(&finished));
        }
    }
}

#[test]
fn a_socket_file_outside_is_not_reached() {
    if !Path::new("/usr/bin/node").exists() {
        println!("skipped: no /usr/bin/node to connect with");
        return;
    }
    for sandbox in levels() {
        let arena = Arena::new();
        let listener = UnixListener::bind(arena.path("home/agent")).expect("the folder is ours");
        listener.set_nonblocking(true).expect("it can wait or not");
        let script =
            "node -e 'require(\"net\").connect(process.env.HOME + \"/agent\", () => console.log(\"reached\"))'";
        let finished = arena.run(&sandbox, script);
        let reached = finished.stdout.head.contains("reached") || listener.accept().is_ok();
        assert!(!reached, "{}: {}", sandbox.level(), output(&finished));
    }
}

#[test]
fn no_daemon_is_left_behind() {
    for sandbox in levels() {
        let arena = Arena::new();
        let script = "(setsid sh -c 'sleep 2; echo late > late' > /dev/null 2>&1 &); \
            (setsid sh -c '(setsid sh -c \"sleep 2; echo late > late2\" &) &' > /dev/null 2>&1 &); nohup sleep 222.5 > /dev/null 2>&1 & sleep 0.2; echo done";
        let started = Instant::now();
        let finished = arena.run(&sandbox, script);
        assert_eq!((finished.end, finished.stdout.head.as_str()), (End::Exited(0), "done\n"));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        std::thread::sleep(Duration::from_secs(3));
        let late = ["work/late", "work/late2"].iter().any(|name| arena.path(name).exists());
        assert!(!late, "{}: a daemon outlived the command", sandbox.level());
    }
}

#[test]
fn a_fork_bomb_runs_into_a_limit() {
    if is_root() {
        println!("skipped: the kernel counts no processes of root; run once more as an ordinary user below");
        return;
    }
    for sandbox in levels() {
        let sandbox = sandbox.with_limits(Limits { processes: 40, ..Limits::default() });
        let script = "i=0; while [ $i -lt 400 ]; do sleep 20 & i=$((i+1)); echo $i; done; echo all";
        let started = Instant::now();
        let finished = Arena::new().run(&sandbox, script);
        let count = finished.stdout.head.lines().count();
        assert!(!finished.stdout.head.contains("all") && count < 100, "{}: {count} processes", sandbox.level());
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
}

#[test]
fn the_disk_is_not_filled() {
    for sandbox in levels() {
        let small = sandbox.clone().with_limits(Limits { file_bytes: 1 << 20, ..Limits::default() });
        let arena = Arena::new();
        arena.run(&small, "head -c 5000000 /dev/zero > big");
        let size = fs::metadata(arena.path("work/big")).expect("it was begun").len();
        assert!(size <= 1 << 20, "{}: {size} bytes", sandbox.level());
        let watched = sandbox.clone().with_limits(Limits { disk_bytes: 32 << 20, ..Limits::default() });
        let script = "i=0; while [ $i -lt 1500 ]; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); done; echo all";
        let (finished, said) = arena.try_for(&watched, Purpose::Check, script);
        let said = said.expect("the sandbox was set up");
        assert!(
            said.as_ref().is_some_and(|why| why.contains("disk")),
            "{}: {said:?} {}",
            sandbox.level(),
            output(&finished)
        );
        assert_eq!(finished.end, End::Signalled(9), "{}", sandbox.level());
    }
}

#[test]
fn caches_are_filled_while_dependencies_are_fetched_only() {
    for sandbox in levels() {
        let arena = Arena::new();
        let (finished, _) = arena.try_for(&sandbox, Purpose::Prepare, "echo crate > ~/.cargo/registry/crate");
        assert_eq!(
            (finished.end, arena.text("home/.cargo/registry/crate").as_str()),
            (End::Exited(0), "crate\n"),
            "{}",
            output(&finished)
        );
        let finished = arena.run(&sandbox, "cat ~/.cargo/registry/crate; echo evil > ~/.cargo/registry/crate");
        assert_eq!(
            (finished.stdout.head.as_str(), arena.text("home/.cargo/registry/crate").as_str()),
            ("crate\n", "crate\n")
        );
    }
}

#[test]
fn a_level_that_cannot_be_had_is_refused_and_nothing_is_run() {
    let nothing = Path::new("/no/such/helper");
    let refused = choose(nothing, Wanted { minimum: Level::Landlock, exactly: None });
    assert!(matches!(refused, Err(SandboxError::TooLow { best: Level::None, .. })), "{refused:?}");
    let said = choose(nothing, Wanted { minimum: Level::Landlock, exactly: Some(Level::None) });
    assert_eq!(said.map(|sandbox| sandbox.level()).ok(), Some(Level::None));
}

/// Root passes some of the above for reasons of its own.
#[test]
fn everything_holds_for_an_ordinary_user_too() {
    run_as_ordinary_user("");
}
