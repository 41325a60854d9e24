//! A runner of GitHub's, as far as the action needs one: it does the steps of `action.yml` in order, with the files a runner hands to
//! them, and writes down the steps that belong to other actions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

use crate::expression::{holds, rendered};

/// A job that uses the action.
pub struct Job {
    /// Holds the runner's own folders.
    pub folder: tempfile::TempDir,
    /// The checkout.
    pub workspace: PathBuf,
    /// What the workflow gives.
    pub inputs: BTreeMap<String, String>,
    /// Variables of the runner and the job.
    pub variables: BTreeMap<String, String>,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Done {
    /// What it printed, in both streams.
    pub log: String,
    /// Steps that failed.
    pub errors: String,
    /// Outputs of the action.
    pub outputs: BTreeMap<String, String>,
    /// The summary.
    pub summary: String,
    /// Steps of other actions: their name, and what they are given.
    pub others: Vec<(String, BTreeMap<String, String>)>,
    /// A step failed.
    pub failed: bool,
}

/// The machine's tools, which its jobs share: a program of a hundred megabytes is not copied for each.
fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("action-tools");
        // What an earlier run of the tests built is of another state of the program.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        folder
    })
}

fn text(node: &Yaml<'_>) -> String {
    match node {
        Yaml::Value(saphyr::Scalar::String(text)) => text.to_string(),
        Yaml::Value(saphyr::Scalar::Boolean(flag)) => flag.to_string(),
        Yaml::Value(saphyr::Scalar::Integer(number)) => number.to_string(),
        other => panic!("neither text nor number: {other:?}"),
    }
}

fn entries(node: Option<&Yaml<'_>>) -> Vec<(String, String)> {
    let Some(mapping) = node.and_then(Yaml::as_mapping) else { return Vec::new() };
    mapping.iter().map(|(key, value)| (text(key), text(value))).collect()
}

impl Job {
    /// A job started by `event` in `workspace`, with a token for the API at `api`.
    pub fn new(workspace: &Path, name: &str, event: &Value, api: &str) -> Job {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["temp", "bin", "home"] {
            std::fs::create_dir(folder.path().join(name)).expect("the folder is ours");
        }
        std::fs::write(folder.path().join("event.json"), event.to_string()).expect("the folder is ours");
        // Building the program in a test would take minutes: this cargo has it already, and takes no other order.
        let cargo = "#!/bin/sh\n[ \"$*\" = 'build --release --locked --bin improve' ] || exit 9\n\
            mkdir -p \"$CARGO_TARGET_DIR/release\" && ln -s \"$PROGRAM_OF_THE_TEST\" \"$CARGO_TARGET_DIR/release/improve\"\n";
        let script = folder.path().join("bin/cargo");
        std::fs::write(&script, cargo).expect("the folder is ours");
        #[cfg(unix)]
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
        let search = std::env::var("PATH").expect("a path");
        let mut variables = BTreeMap::new();
        for (key, value) in [
            ("PATH", format!("{}:{search}", path("bin"))),
            ("HOME", path("home")),
            ("PROGRAM_OF_THE_TEST", env!("CARGO_BIN_EXE_improve").to_owned()),
            ("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR").to_owned()),
            ("GITHUB_WORKSPACE", workspace.display().to_string()),
            ("GITHUB_EVENT_NAME", name.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_STEP_SUMMARY", path("summary.md")),
            ("GITHUB_ENV", path("env")),
            ("GITHUB_REPOSITORY", "me/shop".to_owned()),
            ("GITHUB_API_URL", api.to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_ACTOR", "octocat".to_owned()),
            ("GITHUB_TRIGGERING_ACTOR", "octocat".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_TOOL_CACHE", tools().display().to_string()),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", "X64".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ] {
            variables.insert(key.to_owned(), value);
        }
        Job { folder, workspace: workspace.to_owned(), inputs: BTreeMap::new(), variables }
    }

    /// With an input.
    pub fn with(mut self, name: &str, value: &str) -> Job {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a variable of the job.
    pub fn variable(mut self, name: &str, value: &str) -> Job {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Does every step.
    pub fn run(&self) -> Done {
        let file =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).expect("it is there");
        let documents = Yaml::load_from_str(&file).expect("it is YAML");
        let action = &documents[0];
        let mut inputs = BTreeMap::new();
        for (name, input) in action["inputs"].as_mapping().expect("there are inputs").iter() {
            let default = text(&input["default"]).replace("${{ github.token }}", "hush-hush");
            inputs.insert(text(name), default);
        }
        for (name, value) in &self.inputs {
            assert!(inputs.insert(name.clone(), value.clone()).is_some(), "no such input: {name}");
        }
        let mut done = Done::default();
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &inputs {
            known.insert(format!("inputs.{name}"), value.clone());
        }
        let summary = self.folder.path().join("summary.md");
        // A runner makes the file before the step.
        std::fs::write(&summary, "").expect("the folder is ours");
        for step in action["runs"]["steps"].as_sequence().expect("there are steps") {
            let worth = |name: &str| known.get(name).cloned().unwrap_or_default();
            let id = step.as_mapping_get("id").map(text);
            let wanted = step.as_mapping_get("if").map(text).is_none_or(|condition| holds(&condition, &worth));
            if done.failed || !wanted {
                continue;
            }
            let mut outcome = "success";
            if let Some(other) = step.as_mapping_get("uses") {
                let given = entries(step.as_mapping_get("with"));
                let given = given.into_iter().map(|(name, value)| (name, rendered(&value, &worth))).collect();
                done.others.push((text(other).split_once('@').expect("a revision is named").0.to_owned(), given));
            } else {
                let environment: Vec<(String, String)> = entries(step.as_mapping_get("env"))
                    .into_iter()
                    .map(|(name, value)| (name, rendered(&value, &worth)))
                    .collect();
                let script = text(&step["run"]);
                assert!(!script.contains("${{"), "nothing is put into a script: {script}");
                let (code, outputs) = self.step(&script, &environment, &mut done);
                for (name, value) in outputs {
                    let id = id.as_deref().expect("a step with outputs has an id");
                    known.insert(format!("steps.{id}.outputs.{name}"), value);
                }
                if code != 0 {
                    done.errors.push_str(&format!("{script} ended with {code}\n"));
                    outcome = "failure";
                    done.failed = true;
                }
            }
            if let Some(id) = id {
                known.insert(format!("steps.{id}.outcome"), outcome.to_owned());
            }
        }
        let worth = |name: &str| known.get(name).cloned().unwrap_or_default();
        for (name, output) in action["outputs"].as_mapping().expect("there are outputs").iter() {
            done.outputs.insert(text(name), rendered(&text(&output["value"]), &worth));
        }
        done.summary = std::fs::read_to_string(&summary).expect("a summary is text");
        done
    }

    /// Runs a script with the variables of a step; its exit code and outputs.
    pub fn step(
        &self,
        script: &str,
        environment: &[(String, String)],
        done: &mut Done,
    ) -> (i32, BTreeMap<String, String>) {
        let file = self.folder.path().join("outputs");
        std::fs::write(&file, "").expect("the folder is ours");
        let output = Command::new("bash")
            // A runner looks for commands in both streams.
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
            .current_dir(&self.workspace)
            .env_clear()
            .envs(&self.variables)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("GITHUB_OUTPUT", &file)
            .stdin(Stdio::null())
            .output()
            .expect("bash is there");
        done.log.push_str(&String::from_utf8_lossy(&output.stdout));
        let written = std::fs::read_to_string(&file).expect("outputs are text");
        (output.status.code().unwrap_or(-1), outputs(&written))
    }
}

impl Done {
    /// What it printed where the runner looks for commands, line by line.
    pub fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut found = Vec::new();
        for line in self.log.lines() {
            let line = line.trim_start();
            match &stopped {
                Some(token) if line == format!("::{token}::") => stopped = None,
                Some(_) => {}
                None => match line.strip_prefix("::stop-commands::") {
                    Some(token) => stopped = Some(token.to_owned()),
                    None if line.starts_with("::") || line.contains("##[") => found.push(line),
                    None => {}
                },
            }
        }
        assert_eq!(stopped, None, "commands are looked for again");
        found
    }
}

/// `name<<end … end`, as a runner reads it.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, end) = line.split_once("<<").unwrap_or_else(|| panic!("no output begins with: {line}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}
