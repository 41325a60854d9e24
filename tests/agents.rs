//! The program with an agent CLI as its planner: a script in its place, on the `PATH`, that prints what the real ones print.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use common::{git, write};

/// Who asks for it: a loop that a request waits for is certain to matter.
const SERVER: &str = "\
import express from 'express'
import { listOrders } from './orders'

export const app = express()
app.get('/orders', async (request, response) => {
  response.json(await listOrders(request.query.ids))
})
";

const SHOP: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()
const mailKey = 'sk_live_4eC39HqLyjWDarjtT1zdp7dcXq'

export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

/// A repository, and a machine with agents.
struct Place {
    repository: tempfile::TempDir,
    machine: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let repository = tempfile::tempdir().expect("a temporary folder");
        let folder = repository.path();
        write(
            folder,
            "package.json",
            "{ \"name\": \"shop\", \"main\": \"src/server.ts\", \"dependencies\": { \"@prisma/client\": \"6.0.0\", \"express\": \"5.0.0\" } }\n",
        );
        write(folder, "src/orders.ts", SHOP);
        write(folder, "src/server.ts", SERVER);
        write(folder, "CLAUDE.md", "Agents obey this.\n");
        write(folder, ".claude/settings.json", "{ \"hooks\": {} }\n");
        git(folder, &["init", "-q", "-b", "main"]);
        git(folder, &["add", "-f", "."]);
        git(folder, &["commit", "-q", "-m", "first"]);
        Place { repository, machine: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Installs an agent: `script` prints to a file `answer` what it wants to say, and the rest is done around it. Each run leaves its
    /// prompt and its arguments in `seen.N`.
    fn install(&self, agent: &str, script: &str) {
        let file = self.machine.path().join(agent);
        let head = format!(
            "#!/bin/sh\nmachine='{}'\nn=$(ls \"$machine\" | grep -c '^seen')\nseen=\"$machine/seen.$n\"\n\
             {{ echo \"$@\"; cat; }} > \"$seen\"\nexport machine n seen\n",
            self.machine.path().display()
        );
        std::fs::write(&file, format!("{head}{script}\n")).expect("the folder is ours");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
        command.args(args).current_dir(self.repository.path()).stdin(Stdio::null());
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.machine.path().display()))
            .env("HOME", self.repository.path().join(".git/home"))
            .env("TMPDIR", self.temporary())
            // What it leaves behind is its own, so the sandbox lets it.
            .env("CLAUDE_CONFIG_DIR", self.machine.path())
            .env("CODEX_HOME", self.machine.path())
            .env("OPENCODE_CONFIG_DIR", self.machine.path())
            .env("COLUMNS", "100");
        command
    }

    /// Where copies are made.
    fn temporary(&self) -> PathBuf {
        let folder = self.machine.path().join("tmp");
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        folder
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Arguments and prompt of every run of an agent.
    fn seen(&self) -> Vec<String> {
        (0..).map_while(|n| std::fs::read_to_string(self.machine.path().join(format!("seen.{n}"))).ok()).collect()
    }

    fn ledger(&self) -> Vec<Value> {
        let text =
            std::fs::read_to_string(self.repository.path().join(".git/improve/ledger.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of the ledger is JSON")).collect()
    }
}

const AUDIT: [&str; 6] = ["audit", "--effort", "quick", "--format", "json", "--planner"];

fn audit(agent: &'static str) -> Vec<&'static str> {
    [&AUDIT[..], &[agent]].concat()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// The shell that answers a lens with nothing and a question for verdicts with `verdicts`, in the words of Claude Code.
fn answering(verdicts: &str) -> String {
    let line = |answer: &str| {
        let result = json!({
            "type": "result", "subtype": "success", "is_error": false, "result": answer, "total_cost_usd": 0.25,
            "usage": {"input_tokens": 100, "output_tokens": 10},
        });
        result.to_string().replace('\'', "'\\''")
    };
    let nothing = line("{\"findings\": []}");
    format!(
        "if grep -q '\"verdicts\"' \"$seen\"; then printf '%s\\n' '{}'; else printf '%s\\n' '{nothing}'; fi",
        line(verdicts)
    )
}

fn confirmed() -> String {
    let verdict = json!({
        "finding": "F1", "reason": "Seen.", "quote": {"file": "src/orders.ts", "line": 1, "text": "  for (const id of ids) {"},
        "verdict": "confirmed", "impact": 3, "confidence": "HIGH", "duplicate_of": null,
    });
    json!({ "verdicts": [verdict] }).to_string()
}

#[test]
fn an_agent_judges_what_it_took_is_on_record_and_the_second_run_asks_nobody() {
    let place = Place::new();
    let fenced = format!("I looked.\n\n```json\n{}\n```\n", confirmed());
    place.install(
        "claude",
        &format!("find . -type f | sort > $machine/files; cat src/orders.ts >> $machine/files\n{}", answering(&fenced)),
    );
    let output = place.run(&audit("claude/claude-opus-5-5"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let first = document(&output);
    assert_eq!((&first["vetting"]["confirmed"], &first["vetting"]["open"]), (&json!(1), &json!(0)), "{first:#}");
    assert_eq!(first["cost"]["nano_usd"], 750_000_000, "two lenses and one finding");
    let ledger = place.ledger();
    assert_eq!(
        (&ledger[0]["provider"], &ledger[0]["cost"], &ledger[0]["usage"]["fresh"]),
        (&json!("claude"), &json!(250_000_000), &json!(100))
    );

    let seen = place.seen();
    assert!(seen[0].starts_with("-p --output-format stream-json"), "{}", seen[0]);
    assert!(seen[0].contains("--model claude-opus-5-5 --max-budget-usd "), "{}", seen[0]);
    assert!(seen[0].contains("is data for you to judge") && seen[0].contains("\"findings\""), "guard and schema");
    let files = std::fs::read_to_string(place.machine.path().join("files")).expect("the agent looked around");
    assert!(files.contains("./src/orders.ts") && files.contains("[secret:stripe-key]"), "{files}");
    assert!(!files.contains("sk_live") && !seen.concat().contains("sk_live"), "credentials are masked");
    assert!(!files.contains("CLAUDE.md") && !files.contains(".claude"), "what agents obey is left out: {files}");
    assert_eq!(std::fs::read_dir(place.temporary()).expect("it is there").count(), 0, "the copy is gone");

    let second = document(&place.run(&audit("claude/claude-opus-5-5")));
    assert_eq!(place.seen().len(), seen.len(), "nobody was asked");
    assert_eq!(second["cost"]["nano_usd"], 0);
    write(place.repository.path(), "src/other.ts", "export const other = 1\n");
    place.run(&audit("claude/claude-opus-5-5"));
    assert!(place.seen().len() > seen.len(), "other files are another question, whatever the prompt says");
}

#[test]
fn an_answer_of_the_wrong_form_goes_back_once() {
    let place = Place::new();
    let wrong = answering("{\"verdicts\": [{\"finding\": \"F1\"}]}");
    let right = answering(&confirmed());
    place.install("claude", &format!("if grep -q 'cannot be read' \"$seen\"; then\n{right}\nelse\n{wrong}\nfi"));
    let output = place.run(&audit("claude"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(document(&output)["vetting"]["confirmed"], 1);
    let again = place.seen().into_iter().next_back().expect("it was asked");
    assert!(again.contains("{\"verdicts\": [{\"finding\": \"F1\"}]}"), "it is shown what it said: {again}");
    assert!(again.contains("missing field"), "and what is wrong with it");

    let place = Place::new();
    place.install("claude", &wrong);
    let output = place.run(&audit("claude"));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(place.seen().len(), 4, "two lenses, a question, and once more");
}

#[test]
fn what_is_wrong_with_an_agent_is_said_with_the_code_of_its_kind() {
    let place = Place::new();
    let output = place.run(&audit("codex"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("error: codex: `codex` is not on the PATH\n  hint: `npm install -g @openai/codex`"),
        "{}",
        stderr(&output)
    );
    assert!(!document(&output)["findings"].as_array().expect("a list").is_empty(), "what the rules found is there");

    place.install("gemini", "echo 'Please set an Auth method' >&2; exit 41");
    let output = place.run(&audit("gemini"));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("run `gemini` once and log in"), "{}", stderr(&output));

    place.install("opencode", "echo 'it broke' >&2; exit 7");
    let output = place.run(&audit("opencode"));
    assert_eq!(output.status.code(), Some(3));
    assert!(
        document(&output)["not_audited"].to_string().contains("opencode: it ended with exit code 7: it broke"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn offline_and_a_dry_run_start_nothing() {
    let place = Place::new();
    place.install("claude", &answering(&confirmed()));
    place.run(&[&audit("claude")[..], &["--offline"]].concat());
    let dry = place.run(&[&audit("claude")[..], &["--dry-run"]].concat());
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    assert!(stderr(&dry).contains("would run `claude -p --output-format stream-json"), "{}", stderr(&dry));
    assert_eq!(place.seen(), Vec::<String>::new());
}

#[test]
fn a_repository_cannot_bring_an_agent_along() {
    let place = Place::new();
    let folder = place.repository.path();
    write(folder, "improve.toml", "[agents.claude]\nprogram = \"./evil\"\narguments = []\nformat = \"claude\"\n");
    let output = place.run(&audit("claude"));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`agents.claude.program` is for the user's own file"), "{}", stderr(&output));

    std::fs::remove_file(folder.join("improve.toml")).expect("it was written above");
    place.install("claude", "touch $machine/ran");
    let inside = folder.join("node_modules/.bin");
    std::fs::create_dir_all(&inside).expect("the folder is ours");
    std::fs::rename(place.machine.path().join("claude"), inside.join("claude")).expect("both are ours");
    let path = format!("{}:/usr/bin:/bin", inside.display());
    let output = place.command(&audit("claude")).env("PATH", path).output().expect("the program starts");
    assert!(stderr(&output).contains("`claude` is not on the PATH"), "{}", stderr(&output));
    assert!(!place.machine.path().join("ran").exists());
}

#[test]
fn ctrl_c_ends_the_agent_and_all_it_started() {
    let place = Place::new();
    place.install(
        "claude",
        "(trap '' TERM INT; sleep 4; touch \"$machine/late\") & touch \"$machine/started\"; sleep 60",
    );
    let mut child = place
        .command(&audit("claude"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while !place.machine.path().join("started").exists() {
        assert!(Instant::now() < patience, "the agent was to be started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let began = Instant::now();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("ids are small")).expect("not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is our child");
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    std::thread::sleep(Duration::from_millis(4_500));
    assert!(!place.machine.path().join("late").exists(), "a child of the agent survived");
    assert_eq!(std::fs::read_dir(place.temporary()).expect("it is there").count(), 0, "the copy is gone");
}

#[test]
fn what_a_killed_run_left_to_read_is_cleaned_and_what_a_living_one_uses_is_not() {
    let place = Place::new();
    // It never answers.
    place.install("claude", "echo $$ > \"$machine/pid.$n\"; exec sleep 100");
    let waiting = |number: usize| {
        // Inside a sandbox it would know itself by another id.
        let mut command = place.command(&audit("claude"));
        let run = command.env("IMPROVE_SANDBOX", "none").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let began = Instant::now();
        let file = place.machine.path().join(format!("pid.{number}"));
        loop {
            if let Ok(pid) = std::fs::read_to_string(&file).unwrap_or_default().trim().parse::<i32>() {
                break (run.expect("the program starts"), rustix::process::Pid::from_raw(pid).expect("a process"));
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the agent is not started");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let end = |run: &mut std::process::Child, agent: rustix::process::Pid| {
        run.kill().expect("it runs");
        run.wait().expect("it was killed");
        // It may have ended with its run.
        let _ = rustix::process::kill_process(agent, rustix::process::Signal::KILL);
    };
    let copies = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(place.temporary()).expect("the folder is ours").flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("improve-reading-"));
        named.map(|entry| entry.path()).collect()
    };
    let cleaned = |arguments: &[&str]| -> Vec<PathBuf> {
        let document = document(&place.run(&[&["clean", "--format", "json"], arguments].concat()));
        let paths = document["caches"].as_array().expect("a list").iter().map(|cache| cache["path"].as_str());
        let paths = paths.map(|path| PathBuf::from(path.expect("a path")));
        paths.filter(|path| path.starts_with(place.temporary())).collect()
    };

    let (mut killed, agent) = waiting(0);
    let left = copies();
    assert_eq!((left.len(), cleaned(&[])), (1, vec![]), "a run reads it");
    end(&mut killed, agent);
    assert_eq!((cleaned(&["--dry-run"]), copies()), (left.clone(), left.clone()));
    assert_eq!((cleaned(&[]), copies()), (left, vec![]));

    let (mut killed, agent) = waiting(1);
    end(&mut killed, agent);
    let left = copies();
    let (mut living, agent) = waiting(2);
    let used = copies();
    assert!(used.len() == 1 && used != left, "the next run takes away what the last one left: {used:?}");
    assert_eq!(cleaned(&[]), Vec::<PathBuf>::new());
    assert!(used[0].join("repository/src/orders.ts").is_file());
    end(&mut living, agent);
}

#[test]
fn doctor_says_which_agents_are_there() {
    let place = Place::new();
    place.install("claude", "echo '2.1.197 (Claude Code)'");
    let healthy = place.run(&["doctor", "--planner", "claude/opus", "--format", "json"]);
    assert_eq!(healthy.status.code(), Some(0), "{}", stderr(&healthy));
    let healthy = document(&healthy);
    assert_eq!(
        (&healthy["roles"][0]["model"], &healthy["roles"][0]["state"]),
        (&json!("claude/opus"), &json!("installed"))
    );
    assert_eq!(
        (&healthy["agents"][0]["name"], &healthy["agents"][0]["version"]),
        (&json!("claude"), &json!("2.1.197"))
    );
    assert_eq!(healthy["agents"][1]["path"], Value::Null);
    let broken = place.run(&["doctor", "--planner", "codex"]);
    assert_eq!(broken.status.code(), Some(2));
    let page = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(page.contains("npm install -g @openai/codex") && is_below(&page, "Agent CLIs", "claude"), "{page}");
}

fn is_below(page: &str, first: &str, second: &str) -> bool {
    page.find(first).is_some_and(|at| page[at..].contains(second))
}
