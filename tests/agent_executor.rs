//! `improve apply` with an agent CLI as its executor: a script in its place that edits, or does what it must not.

mod common;
#[path = "common/greeter.rs"]
mod greeter;
#[path = "common/ordinary_user.rs"]
mod ordinary_user;
#[path = "common/skipped.rs"]
mod skipped;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use common::{git, write};
use ordinary_user::{improve, run_as_ordinary_user};
use skipped::skipped;

/// Does what the step says.
const EDIT: &str = "sed -i 's/return name/return `Hello, ${name}`/' src/greet.js";

/// A repository with a plan, and a machine with agents.
struct Place {
    repository: tempfile::TempDir,
    machine: tempfile::TempDir,
    /// The sandbox that is asked for.
    sandbox: Option<&'static str>,
}

impl Place {
    fn new() -> Place {
        let files = [
            ("src/other.js", "export const other = 1;\n"),
            ("CLAUDE.md", "Agents obey this.\n"),
            ("check.sh", "grep -q 'Hello, ' src/greet.js || { echo 'expected Hello'; exit 1; }\n"),
        ];
        let repository = greeter::repository("`sh check.sh` → exit 0", &files);
        Place { repository, machine: tempfile::tempdir().expect("a temporary folder"), sandbox: None }
    }

    /// Where nothing keeps an agent from what it must not do: what the host notices and takes back.
    fn without_sandbox() -> Place {
        Place { sandbox: Some("none"), ..Place::new() }
    }

    /// Installs Claude Code: `script` does what it does, and then it says that it is done. Each run leaves its arguments and its prompt in
    /// `seen.N`; `$n` counts from 0.
    fn agent(self, script: &str) -> Place {
        let result = json!({
            "type": "result", "subtype": "success", "is_error": false, "result": "Done.", "total_cost_usd": 0.25,
            "usage": {"input_tokens": 100, "output_tokens": 10},
        });
        self.program("claude", &format!("{script}\nprintf '%s\\n' '{result}'"))
    }

    fn program(self, name: &str, script: &str) -> Place {
        let file = self.machine.path().join(name);
        let head = format!(
            "#!/bin/sh\nmachine='{}'\nn=$(ls \"$machine\" | grep -c '^seen')\nseen=\"$machine/seen.$n\"\n\
             {{ echo \"$@\"; pwd; env; cat; }} > \"$seen\"\n",
            self.machine.path().display()
        );
        std::fs::write(&file, format!("{head}{script}\n")).expect("the folder is ours");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
        self
    }

    fn command(&self, executor: &str) -> Command {
        let mut command = Command::new(improve());
        command.args(["apply", "1", "--trust", "--format", "json", "--executor", executor]);
        command.args(self.sandbox.iter().flat_map(|level| ["--sandbox", level]));
        command.current_dir(self.repository.path()).stdin(Stdio::null());
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.machine.path().display()))
            .env("HOME", self.repository.path().join(".git/home"))
            // What it leaves behind is its own, so the sandbox lets it.
            .env("CLAUDE_CONFIG_DIR", self.machine.path())
            .env("CODEX_HOME", self.machine.path())
            .env("AWS_SECRET_ACCESS_KEY", "for-nobody")
            .env("COLUMNS", "100");
        command
    }

    fn apply(&self, executor: &str) -> (Value, Option<i32>) {
        let output = self.command(executor).output().expect("the program starts");
        (receipt(&output), output.status.code())
    }

    fn seen(&self) -> Vec<String> {
        (0..).map_while(|n| std::fs::read_to_string(self.machine.path().join(format!("seen.{n}"))).ok()).collect()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.machine.path().join(file)).unwrap_or_default()
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.repository.path()).env("HOME", "/nowhere");
        let output = command.output().expect("git is there");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn ledger(&self) -> Vec<Value> {
        let text =
            std::fs::read_to_string(self.repository.path().join(".git/improve/ledger.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of the ledger is JSON")).collect()
    }

    fn is_untouched(&self) -> bool {
        let read = |file: &str| std::fs::read_to_string(self.repository.path().join(file)).expect("it is there");
        read("src/greet.js") == greeter::GREET && self.git(&["log", "--format=%s", "main"]) == "first"
    }
}

fn receipt(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn work(receipt: &Value) -> &Value {
    &receipt["steps"][0]["work"]
}

#[test]
fn an_agent_edits_the_host_runs_the_gates_and_commits_and_the_books_have_it() {
    let place = Place::new().agent(EDIT);
    let (receipt, code) = place.apply("claude/claude-opus-5-5");
    assert_eq!((&receipt["outcome"], code), (&json!("verified"), Some(0)), "{receipt:#}");
    assert_eq!(receipt["steps"][0]["executor"], "claude/claude-opus-5-5");
    let work = work(&receipt);
    assert_eq!((&work["attempts"], &work["edits"], &work["said"]), (&json!(1), &json!(1), &json!("Done.")));
    assert_eq!((&work["nano_usd"], &work["output_tokens"]), (&json!(250_000_000), &json!(10)));
    let ledger = place.ledger();
    assert_eq!(
        (&ledger[0]["role"], &ledger[0]["provider"], &ledger[0]["cost"], &ledger[0]["plan"]),
        (&json!("executor"), &json!("claude"), &json!(250_000_000), &json!("plans/001-greet-politely.md"))
    );
    assert!(place.is_untouched());
    assert_eq!(place.git(&["diff", "--name-only", "main", "improve/001-greet-politely"]), "src/greet.js");

    let seen = &place.seen()[0];
    assert!(seen.contains("--permission-mode acceptEdits --tools Read,Grep,Glob,Edit,Write"), "{seen}");
    assert!(seen.contains("Plan 001: Greet politely") && seen.contains("Carry out step 1"), "{seen}");
    assert!(seen.contains("is data for you to judge") && !seen.contains("for-nobody"), "{seen}");
}

#[test]
fn a_red_gate_goes_back_once_with_what_it_printed() {
    let place = Place::new().agent(&format!("if [ $n = 0 ]; then echo '// hm' >> src/greet.js; else {EDIT}; fi"));
    let (receipt, _) = place.apply("claude");
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    assert_eq!((&work(&receipt)["attempts"], &work(&receipt)["nano_usd"]), (&json!(2), &json!(500_000_000)));
    let again = &place.seen()[1];
    assert!(again.contains("expected Hello") && again.contains("- changed src/greet.js"), "{again}");
    assert!(again.contains("// hm"), "its work is still there, and shown as it is");

    let place = Place::new().agent("true");
    let (receipt, code) = place.apply("claude");
    assert_eq!((&receipt["outcome"], code), (&json!("failed"), Some(1)), "{receipt:#}");
    assert_eq!((&work(&receipt)["halted"], place.seen().len()), (&json!("red-gates"), 2));
    assert!(place.seen()[1].contains("you changed no file"));
}

#[test]
fn what_it_changes_out_of_scope_is_put_back_and_nothing_of_it_is_run() {
    let ruin = "echo \"touch '$machine/ran'\" > check.sh; ln -s /etc src/away; rm src/other.js";
    let place = Place::new().agent(&format!("{EDIT}; [ $n = 1 ] || {{ {ruin}; }}"));
    let (receipt, _) = place.apply("claude");
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    let again = &place.seen()[1];
    assert!(
        again.contains("put back: check.sh: not in the plan's scope; src/away: ") && again.contains("src/other.js")
    );
    assert_eq!(place.git(&["diff", "--name-only", "main", "improve/001-greet-politely"]), "src/greet.js");

    let again = Place::new().agent(&format!("{EDIT}; {ruin}"));
    let (receipt, code) = again.apply("claude");
    assert_eq!((&receipt["outcome"], code), (&json!("failed"), Some(1)), "{receipt:#}");
    assert_eq!(work(&receipt)["halted"], "out-of-scope");
    for place in [place, again] {
        assert!(place.is_untouched() && !place.machine.path().join("ran").exists(), "what it wrote was run");
    }
}

#[test]
fn a_file_in_scope_that_becomes_a_link_out_of_the_worktree_is_put_back() {
    let script = "echo 'Hello, ' > \"$machine/target\"; rm src/greet.js; ln -s \"$machine/target\" src/greet.js";
    let place = Place::new().agent(script);
    let (receipt, _) = place.apply("claude");
    assert_eq!((&receipt["outcome"], &work(&receipt)["halted"]), (&json!("failed"), &json!("out-of-scope")));
    assert!(place.seen()[1].contains("a link that leads outside the repository"), "{receipt:#}");
    assert_eq!(place.read("target"), "Hello, \n", "and not written through");
}

#[test]
fn commits_and_branches_it_made_are_taken_back() {
    let as_itself = "-c user.name=agent -c user.email=agent@localhost";
    for script in [
        format!("{EDIT}; git add -A; git {as_itself} commit -qm mine"),
        format!("git checkout -q -b elsewhere; {EDIT}; git {as_itself} commit -qam mine"),
        format!(
            "git checkout -q --detach; {EDIT}; git {as_itself} commit -qam mine; git branch -D improve/001-greet-politely"
        ),
    ] {
        let place = Place::without_sandbox().agent(&script);
        let (receipt, _) = place.apply("claude");
        assert_eq!(receipt["outcome"], "verified", "{script}: {receipt:#}");
        let subjects = place.git(&["log", "--format=%s", "improve/001-greet-politely"]);
        assert_eq!(subjects, "improve: Say hello in `greet`\nfirst", "{script}");
        assert!(place.is_untouched(), "{script}");
    }
}

#[test]
fn a_rewritten_git_pointer_stops_everything() {
    let script = format!("{EDIT}; git init -q \"$machine/bait\"; echo \"gitdir: $machine/bait/.git\" > .git");
    let place = Place::without_sandbox().agent(&script);
    let output = place.command("claude").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`.git` file was changed, so git is not run there"), "{said}");
    assert!(place.is_untouched());
    assert!(std::fs::read_dir(place.machine.path().join("bait/.git/objects")).is_ok_and(|it| it.count() <= 2));
}

#[test]
fn what_counts_is_what_it_did_whatever_it_says_and_however_it_ends() {
    for script in ["echo 'no JSON at all'; exit 0", "exit 7", "kill -9 $$"] {
        let place = Place::new().program("claude", &format!("{EDIT}; {script}"));
        let (receipt, _) = place.apply("claude");
        assert_eq!(receipt["outcome"], "verified", "{script}: {receipt:#}");
        let place = Place::new().program("claude", script);
        let (receipt, code) = place.apply("claude");
        assert_eq!((&receipt["outcome"], code), (&json!("blocked"), Some(4)), "{script}: {receipt:#}");
        assert_eq!((&work(&receipt)["halted"], place.seen().len()), (&json!("unanswered"), 1), "{script}");
    }
    let place = Place::new().agent("echo '{\"type\": \"hm\"}'; head -c 100000 /dev/urandom; echo");
    assert_eq!(work(&place.apply("claude").0)["halted"], "red-gates");
}

#[test]
fn a_stop_condition_is_an_outcome_of_its_own() {
    let place = Place::without_sandbox().program("mine", "echo 'I looked.'; echo 'STOP: `greet` is not there'");
    let (receipt, code) = place.apply("mine {plan}");
    assert_eq!((&receipt["outcome"], code), (&json!("blocked"), Some(4)), "{receipt:#}");
    assert_eq!((&work(&receipt)["halted"], place.seen().len()), (&json!("stopped"), 1));
    assert!(receipt.to_string().contains("`greet` is not there"));
}

#[test]
fn what_it_leaves_behind_is_ended_before_the_gates_run() {
    let behind = "(trap '' TERM HUP; sleep 2; echo late > src/other.js; touch \"$machine/late\") > /dev/null 2>&1 &";
    let place = Place::new().agent(&format!("{EDIT}\n{behind}"));
    let (receipt, _) = place.apply("claude");
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(!place.machine.path().join("late").exists(), "a child of the agent survived");
}

#[test]
fn ctrl_c_ends_it_with_all_it_started_and_takes_back_what_it_did_with_git() {
    let place = Place::without_sandbox().agent(
        "git checkout -q -b elsewhere; (trap '' TERM INT; sleep 4; touch \"$machine/late\") & \
         touch \"$machine/started\"; sleep 60",
    );
    let mut child =
        place.command("claude").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    wait_for(&place.machine.path().join("started"));
    let began = Instant::now();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("ids are small")).expect("not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is our child");
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(place.git(&["worktree", "list"]).contains("[improve/001-greet-politely]"), "HEAD is where it was");
    std::thread::sleep(Duration::from_millis(4_500));
    assert!(!place.machine.path().join("late").exists(), "a child of the agent survived");
    assert!(place.is_untouched());

    let place = place.agent(EDIT);
    let (receipt, _) = place.apply("claude");
    assert_eq!(receipt["outcome"], "verified", "the next run goes on: {receipt:#}");
}

fn wait_for(file: &Path) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !file.exists() {
        assert!(Instant::now() < patience, "the agent was to be started");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn any_command_carries_out_steps_when_it_is_told_what_and_where() {
    let script = format!("cp \"$2\" \"$machine/plan\"; echo \"$2\" > \"$machine/name\"; cd \"$4\"; {EDIT}; echo ok");
    let place = Place::without_sandbox().program("mine", &script);
    let (receipt, _) = place.apply("mine --plan {plan} '--in' {worktree}");
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    assert_eq!((&receipt["steps"][0]["executor"], &work(&receipt)["said"]), (&json!("mine"), &json!("ok")));
    assert_eq!(work(&receipt)["nano_usd"], Value::Null, "nobody knows what it costs");
    assert!(place.read("plan").contains("Plan 001: Greet politely"), "{}", place.read("plan"));
    assert!(!Path::new(place.read("name").trim()).exists(), "the file with the plan is gone");

    let no_place = place.command("mine --plan").output().expect("the program starts");
    let said = String::from_utf8_lossy(&no_place.stderr).into_owned();
    assert!(no_place.status.code() == Some(2) && said.contains("{plan} or {worktree}"), "{said}");
}

#[test]
fn a_repository_names_no_command_and_an_agent_of_the_users_own_says_how_it_works() {
    let place = Place::without_sandbox().program("mine", EDIT);
    write(place.repository.path(), "improve.toml", "[models]\nexecutor = \"mine {plan}\"\n");
    let mut command = place.command("none");
    let refused = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("`models.executor` is for the user's own file"), "{said}");
    std::fs::remove_file(place.repository.path().join("improve.toml")).expect("it was written above");

    let own = place.repository.path().join(".git/home/.config/improve");
    let agent = |further: &str| {
        let text = format!("[agents.own]\nprogram = \"mine\"\nformat = \"text\"\n{further}");
        write(&own, "improve.toml", &text);
        write(&own, "config.toml", &text);
    };
    agent("arguments = [\"--read\"]\n");
    let output = place.command("own").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("[agents.own.execute]"), "{said}");
    agent("arguments = [\"--read\"]\nexecute.arguments = [\"--edit\", \"{worktree}\"]\n");
    let (receipt, _) = place.apply("own");
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    assert!(place.seen()[0].starts_with("--edit /"), "{}", place.seen()[0]);
}

#[test]
fn a_repository_that_configures_an_agent_is_not_given_to_it() {
    let place = Place::new().program("gemini", EDIT);
    write(place.repository.path(), ".gemini/settings.json", "{ \"hooks\": {} }\n");
    git(place.repository.path(), &["add", "-f", "."]);
    git(place.repository.path(), &["commit", "-q", "-m", "first", "--amend"]);
    let (receipt, _) = place.apply("gemini");
    assert_eq!((&receipt["outcome"], place.seen().len()), (&json!("blocked"), 0), "{receipt:#}");
    assert!(receipt.to_string().contains("`.gemini` of the repository"));
}

/// Levels that this machine offers.
fn levels() -> Vec<&'static str> {
    let offers = |level: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(improve());
        command.args(["doctor", "--format", "json"]).current_dir(folder.path()).env("IMPROVE_SANDBOX", level);
        let output = command.env("HOME", folder.path()).output().expect("the program starts");
        let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
        let is_there = document["sandbox"]["level"] == level && document["sandbox"]["problem"].is_null();
        if !is_there {
            skipped(format!("no sandbox `{level}`: {}", document["sandbox"]));
        }
        is_there
    };
    ["namespaces", "landlock"].into_iter().filter(|level| offers(level)).collect()
}

/// A home folder with logins of the user's, of the agent, and of another agent.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    for secret in [".ssh/id_ed25519", ".codex/auth.json", ".config/gh/hosts.yml", ".netrc", "Documents/letter"] {
        write(home.path(), secret, "TOPSECRET\n");
    }
    write(home.path(), ".claude/.credentials.json", "its-login\n");
    write(home.path(), ".claude/settings.json", "{}\n");
    write(home.path(), ".claude.json", "{ \"counted\": 1 }\n");
    write(home.path(), "dotfiles/CLAUDE.md", "Be kind.\n");
    write(home.path(), ".claude/shared/helper.md", "Help.\n");
    write(home.path(), ".claude/parts/deep/skill.md", "Do.\n");
    let links = [
        ("../dotfiles/CLAUDE.md", ".claude/CLAUDE.md"),
        ("shared", ".claude/agents"),
        ("pieces/deep", ".claude/skills"),
        ("parts", ".claude/pieces"),
    ];
    for (leads_to, link) in links {
        std::os::unix::fs::symlink(leads_to, home.path().join(link)).expect("the folder is ours");
    }
    write(home.path(), ".cargo/registry/there", "");
    home
}

#[test]
fn in_the_sandbox_an_agent_has_its_own_home_and_the_network_and_nothing_else() {
    for level in levels() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("an address of this machine");
        server.set_nonblocking(true).expect("it can wait or not");
        let port = server.local_addr().expect("it listens").port();
        let home = home();
        let place = Place { sandbox: Some(level), ..Place::new() };
        let git = place.repository.path().join(".git");
        let tries = format!(
            "cd \"$HOME\"; cat .ssh/id_ed25519 .codex/auth.json .config/gh/hosts.yml .netrc Documents/letter
             cat '{home}/.ssh/id_ed25519' /proc/$PPID/environ; grep -r TOPSECRET . '{home}'
             echo evil > '{home}/.bashrc'; echo evil > .cargo/registry/evil; echo evil > '{machine}/../improve-evil'
             echo evil >> '{git}/config'; echo evil > '{git}/hooks/pre-commit'; echo evil > '{repository}/src/evil.js'
             cat .claude/.credentials.json .claude.json && echo renewed > .claude/.credentials.json
             cp .claude.json .claude.new && mv .claude.new .claude.json && echo replaced
             echo evil > .claude/settings.json
             echo evil > .claude/settings.local.json; mkdir .claude/hooks && echo evil > .claude/hooks/run
             rm .claude/CLAUDE.md && echo evil > .claude/CLAUDE.md; rm -f .claude/agents; echo evil > .claude/shared/helper.md
             mv .claude/parts .claude/away; mv .claude/parts/deep .claude/parts/away; mkdir -p .claude/parts/deep
             echo evil > .claude/parts/deep/skill.md; rm .claude/pieces; mkdir -p .claude/pieces/deep
             echo evil > .claude/pieces/deep/skill.md
             unshare --user true && echo nested
             timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' && echo reached",
            home = home.path().display(),
            machine = place.machine.path().display(),
            git = git.display(),
            repository = place.repository.path().display(),
        );
        let pointer = "echo 'gitdir: /x' > .git; rm -f .git";
        let script = format!(
            "{EDIT}\n( {tries} ) > tried 2>&1; mv tried \"$HOME/.claude/tried\"\n{}\n\
             (setsid sh -c 'trap \"\" TERM HUP; sleep 2; echo late > \"$HOME/.claude/late\"' > /dev/null 2>&1 &)",
            // Without a file system of its own this is noticed, and not kept from.
            if level == "namespaces" { pointer } else { "" },
        );
        let place = place.agent(&script);
        let mut command = place.command("claude");
        command.env_remove("CLAUDE_CONFIG_DIR").env("HOME", home.path());
        let receipt = receipt(&command.output().expect("the program starts"));
        let read = |file: &str| std::fs::read_to_string(home.path().join(file)).unwrap_or_default();
        let tried = read(".claude/tried");
        assert_eq!(receipt["outcome"], "verified", "{level}: {receipt:#} {tried}");
        assert_eq!(receipt["sandbox"]["level"], level);
        assert!(!tried.contains("TOPSECRET") && !tried.contains("for-nobody"), "{level}: {tried}");
        assert!(tried.contains("its-login") && tried.contains("counted"), "{level}: {tried}");
        assert!(tried.contains("reached") && server.accept().is_ok(), "{level}: {tried}");
        assert!(!tried.contains("nested"), "{level}: {tried}");
        assert_eq!(
            (read(".claude/.credentials.json").as_str(), read(".bashrc").as_str()),
            ("renewed\n", ""),
            "{level}"
        );
        assert_eq!(read(".claude.json"), "{ \"counted\": 1 }\n", "{level}: a copy was written, if anything");
        let leads_to = |link: &str| std::fs::read_link(home.path().join(link)).ok();
        assert_eq!(
            (leads_to(".claude/CLAUDE.md"), leads_to(".claude/agents"), read(".claude/CLAUDE.md").as_str()),
            (Some("../dotfiles/CLAUDE.md".into()), Some("shared".into()), "Be kind.\n"),
            "{level}: what it obeys next time"
        );
        let planted = [".claude/settings.local.json", ".claude/hooks"].map(|name| home.path().join(name).exists());
        assert_eq!(planted, [false, false], "{level}: what it runs next time");
        assert_eq!(work(&receipt)["sandbox"], level);
        if level == "namespaces" {
            assert_eq!(read(".claude/settings.json"), "{}\n", "{level}: what it runs next time");
            assert_eq!(read(".claude/shared/helper.md"), "Help.\n", "{level}: where a link of its settings leads");
            assert_eq!(read(".claude/skills/skill.md"), "Do.\n", "{level}: what such a link leads through");
            assert!(tried.contains("replaced"), "{level}: {tried}");
        }
        assert!(!home.path().join(".cargo/registry/evil").exists(), "{level}");
        assert!(!place.machine.path().join("../improve-evil").exists(), "{level}");
        let config = std::fs::read_to_string(git.join("config")).expect("it is there");
        assert!(!config.contains("evil") && !git.join("hooks/pre-commit").exists() && place.is_untouched(), "{level}");
        assert!(!place.repository.path().join("src/evil.js").exists(), "{level}");
        std::thread::sleep(Duration::from_millis(2_500));
        assert!(!home.path().join(".claude/late").exists(), "{level}: a child of the agent survived");
    }
}

#[test]
fn in_the_sandbox_a_plan_is_seen_and_an_agent_may_confine_what_it_runs() {
    for level in levels() {
        let place = Place { sandbox: Some(level), ..Place::new() };
        let place = place.program("any", &format!("grep -q 'Plan 001: Greet politely' \"$2\" && {EDIT}"));
        let (receipt, _) = place.apply("any --plan {plan}");
        assert_eq!(receipt["outcome"], "verified", "{level}: {receipt:#}");

        let place = Place { sandbox: Some(level), ..Place::new() };
        let bwrap = "unshare --user --map-root-user --mount --net sh -c 'mount -t tmpfs none /tmp && cat /proc/net/dev' > \"$machine/nested\" 2>&1";
        let place = place.program("codex", &format!("{bwrap}; {EDIT}"));
        let (receipt, _) = place.apply("codex/gpt-6.1-sol");
        if level != "namespaces" {
            // What it needs cannot be had in there, and less was not agreed to.
            assert_eq!((&receipt["outcome"], place.seen().len()), (&json!("blocked"), 0), "{level}: {receipt:#}");
            assert!(receipt.to_string().contains("the agent has a sandbox of its own"), "{level}: {receipt:#}");
            continue;
        }
        assert_eq!(receipt["outcome"], "verified", "{level}: {receipt:#}");
        let nested = place.read("nested");
        assert!(nested.contains("lo:") && !nested.contains("eth"), "{level}: {nested}");
    }
}

#[test]
fn what_holds_in_the_sandbox_holds_for_an_ordinary_user_too() {
    run_as_ordinary_user("in_the_sandbox");
}
