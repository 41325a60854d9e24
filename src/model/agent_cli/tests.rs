//! Agents: what their lines mean, and what becomes of those that fail, hang, flood or leave something behind. The agents are scripts.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::cancel::Cancel;
use crate::model::usage::Usage;
use crate::sandbox::{Level, OnDemand, Wanted};

/// One line a form: its fixture, what it comes to.
const RECORDED: [(&str, &str); 4] = [
    ("claude", include_str!("../../../fixtures/agent_cli/claude.jsonl")),
    ("codex", include_str!("../../../fixtures/agent_cli/codex.jsonl")),
    ("gemini", include_str!("../../../fixtures/agent_cli/gemini.jsonl")),
    ("opencode", include_str!("../../../fixtures/agent_cli/opencode.jsonl")),
];

fn agent(name: &str) -> &'static AgentCli {
    AgentCli::built_in().iter().find(|agent| agent.name == name).expect("the agent is in the table")
}

/// A folder with programs, and a folder they work in.
struct Machine {
    folder: tempfile::TempDir,
    limits: Limits,
}

impl run::Quarters for Machine {
    fn folder(&self) -> Result<PathBuf, String> {
        Ok(self.folder.path().to_owned())
    }

    fn aside(&self) -> Result<PathBuf, String> {
        Ok(self.folder.path().to_owned())
    }

    fn state(&self) -> String {
        "the files as they are".to_owned()
    }
}

impl Machine {
    fn new() -> Machine {
        let limits = Limits {
            total: std::time::Duration::from_secs(20),
            idle: std::time::Duration::from_secs(10),
            output: 1 << 20,
        };
        Machine { folder: tempfile::tempdir().expect("a temporary folder"), limits }
    }

    fn with(self, program: &str, script: &str) -> Machine {
        let file = self.folder.path().join(program);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the folder is writable");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
        self
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, name: &str, prompt: &str) -> Outcome {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        let variables = [
            ("PATH", path.as_str()),
            ("HOME", "/nowhere"),
            ("ANTHROPIC_API_KEY", "for-claude"),
            ("CODEX_API_KEY", "for-codex"),
            ("AWS_SECRET_ACCESS_KEY", "for-nobody"),
        ];
        let installed = Installed {
            quarters: self,
            repository: Path::new("/nowhere"),
            variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            limits: self.limits.clone(),
            sandbox: OnDemand::new(PathBuf::new(), Wanted { exactly: Some(Level::None), ..Wanted::default() }),
            git: None,
        };
        let schema = json!({"type": "object"});
        let arguments = agent(name).command_line(Some("some-model"), None, None, Some(&schema));
        let task = Task { agent: agent(name), arguments: &arguments, prompt, schema: Some(&schema), worktree: None };
        installed.run(&task, &mut |_, _| {}, &Cancel::new())
    }
}

/// A script that prints the lines of a fixture.
fn printing(lines: &str) -> String {
    format!("cat > /dev/null\ncat <<'LINES'\n{lines}LINES")
}

#[test]
fn every_form_comes_to_the_same_answer_with_its_tokens_and_dollars() {
    for (name, lines) in RECORDED {
        let outcome = Machine::new().with(name, &printing(lines)).run(name, "?");
        assert_eq!(outcome.answer.as_deref(), Ok("{\"line\": 7}"), "{name}");
        let account = outcome.account;
        let (usage, cost, model) = match name {
            "claude" => (
                Usage { fresh: 10, write_5m: 6_008, write_1h: 600, cache_read: 6_489, output: 42 },
                Some(9_118_900),
                Some("claude-opus-5-5"),
            ),
            "codex" => {
                (Usage { fresh: 503, write_5m: 4_000, cache_read: 9_000, output: 68, ..Usage::default() }, None, None)
            }
            "gemini" => {
                (Usage { fresh: 600, cache_read: 400, output: 107, ..Usage::default() }, None, Some("gemini-3.8-flash"))
            }
            _ => (Usage { write_5m: 8_016, cache_read: 7_911, output: 27, ..Usage::default() }, Some(10_936_100), None),
        };
        assert_eq!(account.usage, Some(usage), "{name}");
        assert_eq!(account.cost, cost.map(NanoDollars), "{name}");
        assert_eq!((account.model.as_deref(), account.tools), (model, 1), "{name}");
        assert!(account.id.is_some(), "{name}");
        let priced_by = account.parts[0].0.as_deref();
        assert_eq!(priced_by, (name == "gemini").then_some("gemini-3.8-flash"), "{name}");
    }
}

#[test]
fn tools_are_heard_with_what_they_look_at() {
    for (name, lines) in RECORDED {
        let events = lines.lines().filter_map(|line| agent(name).format.events(line)).flatten();
        let used: Vec<String> = events
            .filter_map(|event| match event {
                AgentEvent::ToolUse { name, about } => Some(format!("{name} {about}")),
                _ => None,
            })
            .collect();
        let expected = match name {
            "claude" => "Read /copy/src/a.ts",
            "codex" => "command_execution sed -n 1,20p src/a.ts",
            "gemini" => "read_file src/a.ts",
            _ => "read /copy/src/a.ts",
        };
        assert_eq!(used, [expected], "{name}");
    }
}

#[test]
fn the_command_line_names_model_effort_cap_and_schema_where_the_agent_takes_them() {
    let (cap, schema) = (NanoDollars(1_250_000_000), json!({"type": "object"}));
    let line =
        |name: &str| agent(name).command_line(Some("m"), Some(Reasoning::High), Some(cap), Some(&schema)).join(" ");
    let claude = line("claude");
    let expected = "--model m --effort high --max-budget-usd 1.25 --json-schema {\"type\":\"object\"}";
    assert!(claude.ends_with(expected), "{claude}");
    let codex = line("codex");
    assert!(codex.ends_with("--model m -c model_reasoning_effort=\"high\" --output-schema {schema-file} -"), "{codex}");
    assert!(codex.contains("--sandbox read-only"), "{codex}");
    assert!(line("gemini").ends_with("--model m --prompt "), "{}", line("gemini"));
    let bare = agent("codex").command_line(None, None, None, None).join(" ");
    assert!(!bare.contains("--model") && bare.ends_with("never -"), "{bare}");
}

#[test]
fn a_schema_that_is_named_by_its_file_is_there_while_the_agent_runs() {
    let script = "while [ $# -gt 0 ]; do [ \"$1\" = --output-schema ] && { echo \"$2\" > named; cat \"$2\" > read; }; shift; done";
    let machine = Machine::new().with("codex", script);
    machine.run("codex", "is it?");
    let read = |name: &str| std::fs::read_to_string(machine.file(name)).expect("the script wrote it");
    assert_eq!(read("read"), "{\"type\":\"object\"}");
    let named = PathBuf::from(read("named").trim());
    assert!(named.starts_with(machine.folder.path()) && !named.exists(), "{named:?}");
}

#[test]
fn an_agent_gets_the_prompt_and_its_own_keys_alone() {
    let script = "cat > prompt; env > environment; pwd > folder; echo \"$@\" > arguments";
    let machine = Machine::new().with("claude", script);
    machine.run("claude", "is it?");
    let read = |name: &str| std::fs::read_to_string(machine.file(name)).expect("the script wrote it");
    assert_eq!(read("prompt"), "is it?");
    let environment = read("environment");
    assert!(environment.contains("ANTHROPIC_API_KEY=for-claude") && environment.contains("DISABLE_AUTOUPDATER=1"));
    assert!(!environment.contains("for-codex") && !environment.contains("for-nobody"), "{environment}");
    assert!(!read("arguments").contains("for-claude"));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let not_logged_in = printing(include_str!("../../../fixtures/agent_cli/claude-not-logged-in.jsonl"));
    let cases: [(&str, String, &str, &str); 9] = [
        ("codex", String::new(), "it printed nothing that could be read", "`improve doctor`"),
        ("claude", format!("{not_logged_in}\nexit 1"), "it is not logged in, or its key is not accepted: Not logged in", "run `claude`"),
        ("gemini", "echo 'Please set an Auth method' >&2; exit 41".to_owned(), "it is not logged in, or its key is not accepted: Please", "run `gemini`"),
        ("codex", "echo '{\"type\":\"turn.failed\",\"error\":{\"message\":\"unexpected status 401 Unauthorized: no\"}}'; exit 1".to_owned(), "it is not logged in", "run `codex login`"),
        ("codex", "echo '{\"type\":\"turn.failed\",\"error\":{\"message\":\"unexpected status 500: no\"}}'; exit 1".to_owned(), "it gave up (HTTP 500): unexpected status 500: no", "run the same command"),
        ("claude", "echo 'error: unknown option --safe-mode' >&2; exit 1".to_owned(), "it ended with exit code 1: error: unknown option --safe-mode", "`improve doctor`"),
        ("codex", "echo '{\"type\":\"turn.started\"}'".to_owned(), "it ended without saying that it was done", "run the same"),
        ("codex", "echo '{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1}}'".to_owned(), "it said nothing", "run the same"),
        ("claude", "kill -9 $$".to_owned(), "it ended with signal 9", "`improve doctor`"),
    ];
    for (name, script, message, hint) in cases {
        let fault = Machine::new().with(name, &script).run(name, "?").answer.expect_err("the script fails");
        assert!(fault.to_string().starts_with(message), "{fault}");
        assert!(fault.hint().expect("there is something to do").contains(hint), "{fault}");
    }
    let fault = Machine::new().run("opencode", "?").answer.expect_err("it is not there");
    assert_eq!(fault.to_string(), "`opencode` is not on the PATH");
    assert_eq!(fault.hint().as_deref(), Some("`npm install -g opencode-ai`, or bind another model"));
    assert!(fault.is_setup());
}

#[test]
fn an_agent_whose_key_is_refused_is_not_left_to_try_for_minutes() {
    let retry =
        "{\"type\":\"system\",\"subtype\":\"api_retry\",\"error_status\":401,\"error\":\"authentication_failed\"}";
    let script = format!("while :; do echo '{retry}'; sleep 0.05; done");
    let began = Instant::now();
    let fault = Machine::new().with("claude", &script).run("claude", "?").answer.expect_err("the key is refused");
    assert!(matches!(fault, AgentFault::NotLoggedIn { .. }), "{fault}");
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn an_agent_that_hangs_or_only_complains_is_ended() {
    let complain = "while :; do echo '{\"type\":\"error\",\"message\":\"Reconnecting...\"}'; sleep 0.05; done";
    for (script, message) in [
        ("sleep 30", "nothing came from it for 500 ms and it was ended"),
        (complain, "nothing came from it for 500 ms and it was ended: Reconnecting..."),
    ] {
        let mut machine = Machine::new().with("codex", script);
        machine.limits.idle = std::time::Duration::from_millis(500);
        let fault = machine.run("codex", "?").answer.expect_err("it hangs");
        assert_eq!(fault.to_string(), message);
    }
    let mut machine = Machine::new().with("codex", "while :; do echo '{\"type\":\"turn.started\"}'; sleep 0.05; done");
    machine.limits.total = std::time::Duration::from_millis(600);
    assert!(matches!(machine.run("codex", "?").answer, Err(AgentFault::TimedOut(_))));
}

#[test]
fn an_agent_that_prints_without_end_is_ended() {
    let fault = Machine::new().with("codex", "yes").run("codex", "?").answer.expect_err("it floods");
    assert_eq!(fault, AgentFault::Flooded(1));
}

#[test]
fn what_an_agent_leaves_running_is_ended_with_it() {
    let (_, lines) = RECORDED[1];
    let script = format!("(trap '' TERM HUP; sleep 2; echo late > mark) &\n{}", printing(lines));
    let machine = Machine::new().with("codex", &script);
    let began = Instant::now();
    assert!(machine.run("codex", "?").answer.is_ok());
    assert!(began.elapsed().as_millis() < 1_900);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert!(!machine.file("mark").exists(), "a child of the agent survived");
}

#[test]
fn credentials_in_what_an_agent_says_are_masked() {
    let key = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let answer =
        format!("{{\"type\":\"item.completed\",\"item\":{{\"type\":\"agent_message\",\"text\":\"it is {key}\"}}}}");
    let done = "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1}}";
    let outcome = Machine::new().with("codex", &printing(&format!("{answer}\n{done}\n"))).run("codex", "?");
    assert_eq!(outcome.answer.as_deref(), Ok("it is [secret:github-token]"));
    let fault = Machine::new().with("codex", &format!("echo 'bad key {key}' >&2; exit 1")).run("codex", "?").answer;
    assert_eq!(fault.expect_err("it failed").to_string(), "it ended with exit code 1: bad key [secret:github-token]");
}

#[test]
fn versions_are_read_however_they_are_printed() {
    for (said, expected) in
        [("2.1.197 (Claude Code)", "2.1.197"), ("codex-cli 0.171.0", "0.171.0"), ("0.61.0", "0.61.0")]
    {
        let machine = Machine::new().with("claude", &format!("echo '{said}'"));
        let variables = [("PATH".into(), "/usr/bin:/bin".into())];
        let found = run::version(agent("claude"), &machine.file("claude"), &variables, &Cancel::new());
        assert_eq!(found.as_deref(), Ok(expected));
    }
}

#[test]
fn what_configures_agents_is_known_wherever_it_lies() {
    for path in
        ["CLAUDE.md", "packages/a/AGENTS.md", ".claude/settings.json", "x/.codex/config.toml", "opencode.json", ".env"]
    {
        assert!(is_configuration(path), "{path}");
    }
    for path in ["src/claude.ts", "docs/agents.rs", ".env.example", "README.md"] {
        assert!(!is_configuration(path), "{path}");
    }
}
