//! `command-injection`: values pasted into a shell's command line, or read as options of a program.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Trust};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::CommandPurpose;

const DANGERS: &[Danger] = &[Danger::Shell, Danger::Option];

/// A value pasted into a command line that a shell reads.
pub struct CommandInjection;

static DOC: RuleDoc = RuleDoc {
    id: "command-injection",
    category: Category::Security,
    what: "a shell command line built by pasting values into its text",
    why: "a value with `;` or `$(…)` in it runs commands of its own on the server",
    quiet_when: "the program is started without a shell and with a list of arguments, every value is a literal or a number, or the \
                 code does not ship",
    example: "exec(`convert ${req.body.file} out.png`);",
};

impl Rule for CommandInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Shell), Table::Danger(Danger::Option)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        tainted::groups(map, effects, DANGERS).iter().map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, DANGERS, finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let name = tainted::callee(map, flow);
        let rust = map.file(flow.sink.file).language == LanguageName::Rust;
        let (first, last) = tainted::lines(map, &group);
        if flow.danger == Danger::Option {
            return Some(option_plan(finding, &path, &function, &name, first));
        }
        let shape = if rust {
            "`Command::new(\"program\").arg(value)`, one `arg` a word, without `sh -c`"
        } else {
            "`execFile('program', ['--flag', '--', value])` or `spawn` without `shell`, one array element a word"
        };
        let goal = place::unique_line(context.tree, &path, first, last, &|line| {
            line.contains("${") || line.contains("format!") || line.contains('+') || line.contains("-c")
        })
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Start the program in `{function}` without a shell"),
            why: finding.message.clone(),
            context: vec![format!(
                "`{name}` hands its text to a shell, which splits words and expands `$`, `;`, `|` and backticks."
            )],
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Replace the command line of `{name}` by a list of arguments"),
                instruction: format!(
                    "In `{path}`, `{function}`, lines {first} to {last}: start the program itself with {shape}. Put `--` before a value that may \
                     start with a dash. Pipes, redirections and globs of the old command line move into code (streams, files, a \
                     directory listing). Keep the environment, the working directory, the time limit and what is done with the output."
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the command in `{function}`") }],
            out_of_scope: vec![("what the program does".to_owned(), "only how it is started changes".to_owned())],
            tests: vec![
                format!("`{function}` with an ordinary value starts the same program with the same arguments"),
                "a value that holds `; touch pwned` arrives as one argument and creates no file".to_owned(),
            ],
            edge_cases: vec![
                "a value that starts with `-` must not be read as an option".to_owned(),
                "quotes that the old command line needed must not be part of the argument now".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "the value is a whole command line on purpose (a task runner, a hook the user configured)".to_owned(),
                "the command needs shell features that have no plain counterpart".to_owned(),
            ],
            maintenance: vec![
                "Programs are started with lists of arguments here; a shell needs a reason in a comment.".to_owned(),
            ],
            risk: None,
        })
    }
}

fn finding(map: &RepoMap, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    let draft = tainted::draft(&DOC, map, group, "command").effort(Effort::S).risk(Risk::Low);
    if flow.danger == Danger::Option {
        return draft
            .title(format!("`{function}` gives {} to a program that may read it as an option", tainted::whose(flow)))
            .message(format!(
                "`{function}` gives {} to `{name}` without `--` before it: a value that starts with a dash is an option, and some \
                 options run commands.{}",
                tainted::value(flow),
                tainted::leak(flow)
            ))
            .impact(4)
            .confidence(Confidence::Med)
            .build();
    }
    let impact = match flow.trust {
        Trust::Client => 5,
        Trust::Stored => 4,
        Trust::Page | Trust::Parameter | Trust::Unknown | Trust::Constant => 3,
    };
    draft
        .title(format!("`{function}` pastes {} into a shell command", tainted::whose(flow)))
        .message(format!(
            "`{function}` builds the command line for `{name}` from {}; a shell reads it, so the value can hold commands of its own.{}",
            tainted::value(flow),
            tainted::leak(flow)
        ))
        .impact(impact)
        .build()
}

/// The plan for a value that may be read as an option.
fn option_plan(finding: &Finding, path: &str, function: &str, name: &str, line: u32) -> PlanDraft {
    PlanDraft {
        title: format!("Keep the value of `{function}` from being read as an option"),
        why: finding.message.clone(),
        context: Vec::new(),
        excerpts: Vec::new(),
        steps: vec![StepDraft {
            title: format!("End the options of `{name}` before the value"),
            instruction: format!(
                "In `{path}`, `{function}`, line {line}: put `--` as an argument of its own before the first value that is not fixed in \
                 the code. Where the program knows no `--`, refuse values that start with `-` in the way this file refuses bad input. The \
                 order of the other arguments stays."
            ),
            edits: Vec::new(),
            gates: vec![
                GateDraft::Project(CommandPurpose::Typecheck),
                GateDraft::Project(CommandPurpose::Test),
                GateDraft::TextPresent { text: "--".to_owned(), file: path.to_owned() },
            ],
        }],
        in_scope: vec![ScopeDraft { path: path.to_owned(), remark: format!("the arguments in `{function}`") }],
        out_of_scope: vec![("what the program does".to_owned(), "only how its arguments are read changes".to_owned())],
        tests: vec![
            format!("`{function}` with an ordinary value starts the same program with the same words"),
            "a value such as `--upload-pack=touch pwned` is refused or taken literally".to_owned(),
        ],
        edge_cases: vec![
            "some programs read options after `--` of a subcommand: check the manual of this one".to_owned(),
        ],
        prerequisites: Vec::new(),
        goals: vec![GateDraft::Project(CommandPurpose::Test)],
        stop_conditions: vec!["the value is meant to hold options, chosen by somebody who may".to_owned()],
        maintenance: Vec::new(),
        risk: None,
    }
}
