//! Text of `.github/workflows/*.yml` → [`Workflow`], with the lines that rules point at.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use crate::repo_map::recon::workflow::{Permissions, Workflow, WorkflowJob, WorkflowScript, WorkflowStep};

/// Reads a workflow; `None` when the text is no YAML mapping with jobs.
pub fn read(path: &str, text: &str) -> Option<Workflow> {
    let documents = MarkedYaml::load_from_str(text).ok()?;
    let root = documents.first()?;
    let lines: Vec<&str> = text.lines().collect();
    let jobs = entries(get(root, "jobs")?).map(|(id, line, job)| read_job(id, line, job, &lines)).collect();
    // YAML 1.1 readers take `on` for true; this one follows 1.2 and keeps the word.
    let mut triggers = get(root, "on").map(triggers).unwrap_or_default();
    triggers.sort();
    triggers.dedup();
    Some(Workflow { path: path.to_owned(), triggers, permissions: permissions(root), jobs })
}

fn read_job(id: String, line: u32, job: &MarkedYaml<'_>, lines: &[&str]) -> WorkflowJob {
    let steps = get(job, "steps").and_then(|steps| steps.data.as_sequence());
    WorkflowJob {
        id,
        line,
        condition: get(job, "if").and_then(word),
        uses: get(job, "uses").and_then(word),
        inherits_secrets: get(job, "secrets").and_then(word).as_deref() == Some("inherit"),
        permissions: permissions(job),
        runs_on: get(job, "runs-on").map(words).unwrap_or_default().join(" "),
        steps: steps.into_iter().flatten().map(|step| read_step(step, lines)).collect(),
    }
}

fn read_step(step: &MarkedYaml<'_>, lines: &[&str]) -> WorkflowStep {
    WorkflowStep {
        line: step.span.start.line() as u32,
        condition: get(step, "if").and_then(word),
        uses: get(step, "uses").and_then(word),
        with: get(step, "with")
            .map(|with| entries(with).filter_map(|(name, _, value)| Some((name, word(value)?))).collect())
            .unwrap_or_default(),
        run: entries(step)
            .find(|(name, ..)| name == "run")
            .and_then(|(_, line, value)| script("run", line, value, lines)),
        inline: get(step, "uses")
            .and_then(word)
            .filter(|uses| uses.starts_with("actions/github-script@"))
            .and_then(|_| entries(get(step, "with")?).find(|(name, ..)| name == "script"))
            .and_then(|(_, line, value)| script("script", line, value, lines)),
        shell: get(step, "shell").and_then(word),
        working_directory: get(step, "working-directory").and_then(word),
        has_env: get(step, "env").is_some(),
    }
}

fn script(name: &str, line: u32, value: &MarkedYaml<'_>, lines: &[&str]) -> Option<WorkflowScript> {
    let key = lines.get(line.checked_sub(1)? as usize)?;
    let style = key.split_once(name).map_or("", |(_, rest)| rest).trim_start_matches([':', '"', '\'', ' ']);
    Some(WorkflowScript { line, text: word(value)?, literal: style.starts_with('|') })
}

/// `permissions: write-all`, `permissions: { contents: write }`.
fn permissions(node: &MarkedYaml<'_>) -> Permissions {
    let Some(permissions) = get(node, "permissions") else { return Permissions::Unsaid };
    match word(permissions).as_deref() {
        Some("write-all") => Permissions::WriteAll,
        Some(_) => Permissions::Read,
        None if entries(permissions).any(|(_, _, value)| word(value).as_deref() == Some("write")) => Permissions::Write,
        None => Permissions::Read,
    }
}

/// `on: push`, `on: [push, pull_request]`, `on: { push: … }`.
fn triggers(node: &MarkedYaml<'_>) -> Vec<String> {
    if node.data.as_mapping().is_some() { entries(node).map(|(name, ..)| name).collect() } else { words(node) }
}

fn get<'a, 'input>(node: &'a MarkedYaml<'input>, key: &str) -> Option<&'a MarkedYaml<'input>> {
    node.data.as_mapping_get(key)
}

/// Keys of a mapping with the line of each.
fn entries<'a, 'input>(node: &'a MarkedYaml<'input>) -> impl Iterator<Item = (String, u32, &'a MarkedYaml<'input>)> {
    node.data
        .as_mapping()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((word(key)?, key.span.start.line() as u32, value)))
}

/// A scalar as text.
fn word(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::Boolean(value)) => Some(value.to_string()),
        YamlData::Representation(text, ..) => Some(text.to_string()),
        _ => None,
    }
}

/// A scalar or a sequence of them.
fn words(node: &MarkedYaml<'_>) -> Vec<String> {
    match node.data.as_sequence() {
        Some(items) => items.iter().filter_map(word).collect(),
        None => word(node).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_steps_and_lines_are_read() {
        let text = "name: CI\non:\n  push:\n  pull_request:\npermissions: write-all\njobs:\n  test:\n    runs-on: [self-hosted, linux]\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: main\n      - name: Test\n        env:\n          A: 1\n        run: |\n          cargo test\n          cargo doc\n";
        let expected = Workflow {
            path: ".github/workflows/ci.yml".to_owned(),
            triggers: vec!["pull_request".to_owned(), "push".to_owned()],
            permissions: Permissions::WriteAll,
            jobs: vec![WorkflowJob {
                id: "test".to_owned(),
                line: 7,
                runs_on: "self-hosted linux".to_owned(),
                steps: vec![
                    WorkflowStep {
                        line: 10,
                        uses: Some("actions/checkout@v4".to_owned()),
                        with: vec![("ref".to_owned(), "main".to_owned())],
                        ..WorkflowStep::default()
                    },
                    WorkflowStep {
                        line: 13,
                        run: Some(WorkflowScript {
                            line: 16,
                            text: "cargo test\ncargo doc\n".to_owned(),
                            literal: true,
                        }),
                        has_env: true,
                        ..WorkflowStep::default()
                    },
                ],
                ..WorkflowJob::default()
            }],
        };
        assert_eq!(read(".github/workflows/ci.yml", text), Some(expected));
    }

    #[test]
    fn text_that_is_no_workflow_gives_nothing() {
        for text in ["", "a: [", "jobs", "- a\n- b\n", "\u{0}\u{1}", "jobs: &a [*a]"] {
            assert!(read("x.yml", text).is_none_or(|workflow| workflow.jobs.is_empty()), "{text:?}");
        }
    }
}
