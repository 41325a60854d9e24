//! `workflow-script-injection`: text anybody can write is pasted into a script that runs with the repository's token.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::FileText;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::workflow::{Workflow, WorkflowJob, WorkflowScript, WorkflowStep};

/// An expression of a workflow that becomes part of a script.
pub struct WorkflowScriptInjection;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-script-injection",
    category: Category::Security,
    what: "`${{ … }}` with a title, a body, a branch name or other text of the event inside a `run:` script or `github-script`",
    why: "the text is pasted into the script before the shell reads it: whoever opens an issue or a pull request runs commands \
          with the workflow's token and secrets",
    quiet_when: "the text comes through `env:`, is a number or a commit id, no event that starts the workflow or its callers brings it along, or its author already has write access",
    example: "- run: echo \"New issue: ${{ github.event.issue.title }}\"",
};

/// Text of an event that its author chooses freely.
const FREE_TEXT: [&str; 21] = [
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.comment.body",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.discussion.title",
    "github.event.discussion.body",
    "github.event.head_commit.message",
    "github.event.head_commit.author.email",
    "github.event.head_commit.author.name",
    "github.event.commits",
    "github.event.pages",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.display_title",
    "github.head_ref",
];

/// An expression in a script.
struct Hole<'a> {
    workflow: &'a Workflow,
    job: &'a WorkflowJob,
    step: &'a WorkflowStep,
    script: &'a WorkflowScript,
    /// `${{ … }}` as written.
    written: &'a str,
    /// The context inside.
    context: &'static str,
    line: u32,
}

impl Rule for WorkflowScriptInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let finding =
            |workflow| groups(workflow, &map.recon.workflows).iter().map(|group| finding(group)).collect::<Vec<_>>();
        map.recon.workflows.iter().flat_map(finding).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == place.file)?;
        let found = groups(workflow, &context.map.recon.workflows);
        let is_told = |hole: &Hole<'_>| hole.line == place.start_line && place.quote.contains(hole.written);
        let group = found.iter().find(|group| is_told(&group[0]))?;
        let hole = &group[0];
        let name = variable(hole.context);
        let text = FileText::read(context.tree, &workflow.path)?;
        let edits = edits(&text, group, &name).unwrap_or_default();
        let value = format!("{name}: {}", hole.written);
        let goal = GateDraft::TextPresent { text: value.clone(), file: workflow.path.clone() };
        let mut gates = vec![goal.clone()];
        for hole in group {
            if let Some(line) = text.line(hole.line).filter(|line| text.text.matches(line.trim()).count() == 1) {
                gates.push(GateDraft::TextGone { text: line.trim().to_owned(), file: workflow.path.clone() });
            }
        }
        let lines: Vec<String> = group.iter().map(|hole| hole.line.to_string()).collect();
        let lines = match lines.as_slice() {
            [one] => format!("line {one}"),
            several => format!("lines {}", several.join(", ")),
        };
        Some(PlanDraft {
            title: format!("Hand `{}` to the script of `{}` as a variable", hole.context, workflow.path),
            why: format!(
                "{} A variable of the environment reaches the shell as data: whatever it holds, it is not parsed as a command.",
                finding.message
            ),
            steps: vec![StepDraft {
                title: format!("Pass `{}` through `env`", hole.context),
                instruction: format!(
                    "In `{}`, job `{}`: give the step on line {} an entry `{value}` under `env:` and write `\"${name}\"` (in \
                     PowerShell `$env:{name}`, in `github-script` `process.env.{name}`) where the script holds the expression \
                     on {lines}.",
                    workflow.path, hole.job.id, hole.step.line
                ),
                edits,
                gates,
            }],
            in_scope: vec![ScopeDraft {
                path: workflow.path.clone(),
                remark: format!("the step on line {}", hole.step.line),
            }],
            out_of_scope: vec![
                ("what the script does".to_owned(), "only how the text gets into it changes".to_owned()),
                ("`${{ }}` under `with:` and `if:`".to_owned(), "no shell reads those".to_owned()),
            ],
            edge_cases: vec![
                "inside single quotes the shell does not expand variables: use double quotes there".to_owned(),
            ],
            goals: vec![goal],
            stop_conditions: vec![
                format!(
                    "the script feeds the value to `eval`, `bash -c` or a template again: `{name}` alone does not help there"
                ),
                format!("line {} of `{}` no longer holds `{}`", hole.line, workflow.path, hole.written),
            ],
            ..PlanDraft::default()
        })
    }
}

/// The places of each expression in each step: one variable serves all of them.
fn groups<'a>(workflow: &'a Workflow, all: &'a [Workflow]) -> Vec<Vec<Hole<'a>>> {
    let mut groups: Vec<Vec<Hole<'_>>> = Vec::new();
    for hole in holes(workflow, all) {
        let is_its =
            |group: &&mut Vec<Hole<'_>>| std::ptr::eq(group[0].step, hole.step) && group[0].written == hole.written;
        match groups.iter_mut().find(is_its) {
            Some(group) => group.push(hole),
            None => groups.push(vec![hole]),
        }
    }
    groups
}

fn holes<'a>(workflow: &'a Workflow, all: &'a [Workflow]) -> Vec<Hole<'a>> {
    let mut found = Vec::new();
    for job in &workflow.jobs {
        for step in &job.steps {
            let scripts = step.run.iter().chain(&step.inline);
            for (script, index, line) in scripts
                .flat_map(|script| script.text.lines().enumerate().map(move |(index, line)| (script, index, line)))
            {
                for written in expressions(line) {
                    let inside = written.trim_start_matches("${{").trim_end_matches("}}").trim();
                    if let Some(context) = free_text(inside) {
                        found.push(Hole {
                            workflow,
                            job,
                            step,
                            script,
                            written,
                            context,
                            line: script.file_line(index),
                        });
                    }
                }
            }
        }
    }
    let events = events(workflow, all);
    found.retain(|hole| events.as_ref().is_none_or(|events| is_set(hole, events)));
    // Commits of a push come from people with write access.
    found.retain(|hole| {
        !(hole.context.contains("commit")
            && workflow.triggers.iter().all(|trigger| trigger == "push" || trigger == "workflow_dispatch"))
    });
    found
}

/// The events that start a workflow, or one that calls it; `None` where callers in other repositories may decide.
fn events<'a>(workflow: &'a Workflow, all: &'a [Workflow]) -> Option<Vec<&'a str>> {
    let own = workflow.triggers.iter().map(String::as_str);
    if workflow.triggers.is_empty() || workflow.triggers == ["workflow_call"] {
        return None;
    }
    let calls = |other: &&Workflow| {
        let used = other.jobs.iter().filter_map(|job| job.uses.as_deref());
        used.into_iter().any(|uses| uses.trim_start_matches("./") == workflow.path)
    };
    // A workflow that is called and calls on is looked at no further.
    let callers = all.iter().filter(calls).flat_map(|other| other.triggers.iter().map(String::as_str));
    Some(own.chain(callers).collect())
}

/// Whether an event brings the text along: on any other the expression is empty.
fn is_set(hole: &Hole<'_>, events: &[&str]) -> bool {
    const EVENTS: &[(&str, &[&str])] = &[
        ("github.head_ref", &["pull_request"]),
        ("github.event.pull_request", &["pull_request"]),
        ("github.event.issue", &["issue"]),
        ("github.event.review_comment", &["pull_request_review"]),
        ("github.event.review", &["pull_request_review"]),
        ("github.event.comment", &["issue_comment", "commit_comment", "discussion_comment", "pull_request_review"]),
        ("github.event.discussion", &["discussion"]),
        ("github.event.workflow_run", &["workflow_run"]),
        ("github.event.pages", &["gollum"]),
    ];
    let known = EVENTS.iter().find(|(context, _)| hole.context.starts_with(context));
    known.is_none_or(|(_, bringing)| events.iter().any(|event| bringing.iter().any(|own| event.starts_with(own))))
}

/// `${{ … }}` on a line.
fn expressions(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("${{").filter_map(|(start, _)| {
        let end = line[start..].find("}}")? + start + 2;
        line.get(start..end)
    })
}

/// The free text an expression gives, if it does: compared or measured, it gives something else.
fn free_text(expression: &str) -> Option<&'static str> {
    let is_value = !["==", "!=", "contains(", "startsWith(", "endsWith(", "hashFiles("]
        .iter()
        .any(|mark| expression.contains(mark));
    if !is_value {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '-';
    FREE_TEXT.into_iter().find(|context| {
        expression.match_indices(context).any(|(at, _)| {
            let rest = &expression[at + context.len()..];
            let ends = !rest.starts_with(is_part) || context.ends_with("commits") || context.ends_with("pages");
            !expression[..at].ends_with(is_part) && ends
        })
    })
}

/// `github.event.issue.title` → `ISSUE_TITLE`.
fn variable(context: &str) -> String {
    let name = context.trim_start_matches("github.event.").trim_start_matches("github.");
    name.replace(['.', '-'], "_").to_ascii_uppercase()
}

fn finding(group: &[Hole<'_>]) -> Finding {
    let hole = &group[0];
    let anybody = hole.workflow.triggers.iter().any(|trigger| {
        ["issues", "issue_comment", "pull_request_target", "discussion", "discussion_comment", "workflow_run", "fork"]
            .contains(&trigger.as_str())
    });
    let opens = ["issue", "comment", "discussion", "pages"].iter().find(|word| hole.context.contains(*word));
    let opens = match opens {
        Some(&"issue") => "open an issue",
        Some(&"pages") => "edit the wiki",
        Some(_) => "comment",
        None => "open a pull request",
    };
    let who = if anybody {
        format!(
            "Anybody who can {opens} chooses that text, and the job runs with the repository's own token and the secrets it names"
        )
    } else {
        "Whoever opens a pull request chooses that text; from a fork the job has a read-only token and no secrets, from a \
         branch of the repository it has both"
            .to_owned()
    };
    let draft = FindingDraft::at_lines(&DOC, &hole.workflow.path, hole.line, hole.line, "expression")
        .expecting(hole.written)
        .title(format!("`{}` is pasted into a script of the job `{}`", hole.context, hole.job.id))
        .message(if is_javascript(hole) {
            format!(
                "`{}` becomes part of the JavaScript of the job `{}` before it is parsed. {who}: a quote in it ends the string, \
                 and what follows runs as code.",
                hole.written, hole.job.id
            )
        } else {
            format!(
                "`{}` becomes part of the shell script of the job `{}` before the shell reads it. {who}: `$(command)` in it runs.",
                hole.written, hole.job.id
            )
        })
        .impact(if anybody { 5 } else { 3 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High);
    let others = group[1..].iter().filter(|other| other.line != hole.line);
    others
        .fold(draft, |draft, other| draft.and_lines(&hole.workflow.path, other.line, other.line, "expression"))
        .build()
}

/// Whether the script is the input of `github-script`.
fn is_javascript(hole: &Hole<'_>) -> bool {
    hole.step.inline.as_ref().is_some_and(|inline| std::ptr::eq(inline, hole.script))
}

/// Exact edits, where the script is for a POSIX shell and the value stands outside of single quotes.
fn edits(text: &FileText, group: &[Hole<'_>], name: &str) -> Option<Vec<EditDraft>> {
    let hole = &group[0];
    let path = &hole.workflow.path;
    let shell = hole.step.shell.as_deref().unwrap_or("bash");
    let is_posix = matches!(shell, "bash" | "sh")
        && !hole.job.runs_on.to_ascii_lowercase().contains("windows")
        && !hole.job.runs_on.contains("${{");
    let here_document = hole.script.text.contains("<<");
    if is_javascript(hole) || !is_posix || here_document || hole.step.has_env {
        return None;
    }
    let key_line = text.line(hole.script.line)?;
    let indent = &key_line[..key_line.len() - key_line.trim_start().len()];
    let entry = format!("{name}: {}", hole.written);
    let line_start = text.line_span(hole.script.line)?.start;
    let env = if let Some(rest) = key_line.trim_start().strip_prefix("- run:") {
        // `- run:` opens the step: `env` takes its place at the front.
        let span = Span { start: line_start, end: line_start + (key_line.len() - rest.len()) as u32 };
        EditDraft::Replace {
            file: path.clone(),
            span,
            text: format!("{indent}- env:\n{indent}    {entry}\n{indent}  run:"),
        }
    } else if key_line.trim_start().starts_with("run:") {
        let span = Span { start: line_start, end: line_start };
        EditDraft::Replace { file: path.clone(), span, text: format!("{indent}env:\n{indent}  {entry}\n") }
    } else {
        return None;
    };
    let values = group.iter().map(|hole| in_script(text, hole, name)).collect::<Option<Vec<_>>>()?;
    Some(std::iter::once(env).chain(values).collect())
}

/// The variable where the script holds the expression.
fn in_script(text: &FileText, hole: &Hole<'_>, name: &str) -> Option<EditDraft> {
    let line = text.line(hole.line)?;
    if line.contains('\'') || line.matches(hole.written).count() != 1 {
        return None;
    }
    // Quoted by the script already, or not: braces keep the name apart from what follows.
    let before = &line[..line.find(hole.written)?];
    let quoted = before.matches('"').count() % 2 == 1;
    let value = if quoted { format!("${{{name}}}") } else { format!("\"${{{name}}}\"") };
    Some(EditDraft::Replace {
        file: hole.workflow.path.clone(),
        span: text.part_span(hole.line, hole.written)?,
        text: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_is_told_from_ids_and_comparisons() {
        assert_eq!(free_text("github.event.issue.title"), Some("github.event.issue.title"));
        assert_eq!(free_text("github.head_ref || github.run_id"), Some("github.head_ref"));
        assert_eq!(free_text("github.event.commits[0].message"), Some("github.event.commits"));
        assert_eq!(free_text("github.event.pull_request.number"), None);
        assert_eq!(free_text("github.event.pull_request.head.sha"), None);
        assert_eq!(free_text("contains(github.event.issue.title, 'x')"), None);
        assert_eq!(free_text("env.github.head_ref"), None);
    }

    #[test]
    fn variables_are_named_after_their_context() {
        assert_eq!(variable("github.event.pull_request.head.ref"), "PULL_REQUEST_HEAD_REF");
        assert_eq!(variable("github.head_ref"), "HEAD_REF");
    }
}
