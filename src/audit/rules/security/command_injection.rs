//! `command-injection`: values pasted into a shell's command line.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::checks::{Check, check_before};
use crate::audit::rules::security::origin::{Origin, origin_behind, worst_name};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, LanguageName, SymbolIndex};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap};

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

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.calls()
            .filter_map(|(call, _)| {
                let Pasted { origin, name: value } = pasted(map, call)?;
                let name = place::callee_text(map, call);
                let function = place::function_name(map, call);
                let (whose, impact, confidence) = match origin {
                    Origin::Request => ("a value from the request", 5, Confidence::High),
                    Origin::Parameter => ("a parameter", 4, Confidence::Med),
                    Origin::Unknown | Origin::Safe => ("a value", 3, Confidence::Low),
                };
                let which = value.map_or_else(|| whose.to_owned(), |value| format!("`{value}` ({whose})"));
                Some(
                    FindingDraft::at_call(&DOC, map, call, "command")
                        .title(format!("`{function}` pastes {whose} into a shell command"))
                        .message(format!(
                            "`{function}` builds the command line for `{name}` from {which}; a shell reads it, so the value can \
                             hold commands of its own."
                        ))
                        .impact(impact)
                        .effort(Effort::S)
                        .risk(Risk::Low)
                        .confidence(confidence)
                        .build(),
                )
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call = place::calls_at(map, finding.location()).find(|call| pasted(map, *call).is_some())?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let site = map.call(call);
        let name = place::callee_text(map, call);
        let rust = map.file(call.file).language == LanguageName::Rust;
        let shape = if rust {
            "`Command::new(\"program\").arg(value)`, one `arg` a word, without `sh -c`"
        } else {
            "`execFile('program', ['--flag', '--', value])` or `spawn` without `shell`, one array element a word"
        };
        let goal = place::unique_line(context.tree, &path, site.line, site.end_line, &|line| {
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
                    "In `{path}`, `{function}`, lines {} to {}: start the program itself with {shape}. Put `--` before a value that may \
                     start with a dash. Pipes, redirections and globs of the old command line move into code (streams, files, a \
                     directory listing). Keep the environment, the working directory, the time limit and what is done with the output.",
                    site.line, site.end_line
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

/// A value pasted into a command line.
struct Pasted {
    origin: Origin,
    name: Option<String>,
}

/// The most dangerous value pasted into a command line, if a shell reads one here.
fn pasted(map: &RepoMap, call: CallId) -> Option<Pasted> {
    let source = map.file(call.file);
    let site = map.call(call);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let facts = &source.facts;
    let line = if source.language == LanguageName::Rust { rust_line(facts, call)? } else { js_line(map, call)? };
    let check = |name: &str| check_before(map, call, name);
    let origin = worst_piece(facts, site.caller, &check, line)?;
    (origin != Origin::Safe).then(|| Pasted { origin, name: worst_name(facts, site.caller, &check, line) })
}

/// `exec(line)`, `execSync(line)`, `spawn(line, { shell: true })` of `child_process` or execa; `exec` over SSH, where the
/// login shell of the other side reads the line.
fn js_line(map: &RepoMap, call: CallId) -> Option<&Expr> {
    let site = map.call(call);
    let CallTarget::External(external) = map.target(call) else { return None };
    if !matches!(external.package.as_str(), "child_process" | "execa" | "shelljs" | "node-pty" | "ssh2") {
        return None;
    }
    let takes_line = matches!(site.name.as_str(), "exec" | "execSync" | "execaCommand" | "execaCommandSync");
    let with_shell = || {
        site.arguments.iter().any(|argument| {
            matches!(argument, Expr::Object(entries) if entries.iter().any(|(key, value)| key == "shell" && *value != Expr::Bool(false)))
        })
    };
    // `spawn(shell, ["-c", line])`
    if matches!(site.name.as_str(), "spawn" | "spawnSync" | "execFile" | "execFileSync" | "execa") {
        let words = site.arguments.get(1).map(Expr::peeled);
        if let Some(Expr::Array(items)) = words
            && let Some(at) = items.iter().position(is_command_flag)
        {
            return items.get(at + 1);
        }
    }
    (takes_line || (matches!(site.name.as_str(), "spawn" | "spawnSync" | "execa") && with_shell()))
        .then(|| site.arguments.first())
        .flatten()
}

/// The argument after `-c` in `Command::new("sh").arg("-c").arg(line)`.
fn rust_line(facts: &FileFacts, call: CallId) -> Option<&Expr> {
    let site = facts.call(call.index);
    if site.name != "arg" && site.name != "args" {
        return None;
    }
    let links = chain::receivers(facts, call.index);
    let is_shell = links.iter().any(|link| {
        let link = facts.call(*link);
        link.name == "new"
            && matches!(link.arguments.first().map(Expr::peeled), Some(Expr::Text(program))
                if matches!(program.rsplit('/').next(), Some("sh" | "bash" | "zsh" | "cmd" | "powershell" | "cmd.exe")))
    });
    if !is_shell {
        return None;
    }
    if site.name == "args" {
        let Some(Expr::Array(items)) = site.arguments.first().map(Expr::peeled) else { return None };
        return items.iter().position(is_command_flag).and_then(|at| items.get(at + 1));
    }
    let before = facts.call(*links.get(1)?);
    (before.name == "arg" && before.arguments.first().is_some_and(is_command_flag))
        .then(|| site.arguments.first())
        .flatten()
}

fn is_command_flag(expr: &Expr) -> bool {
    matches!(expr.peeled(), Expr::Text(text) if matches!(text.as_str(), "-c" | "/C" | "/c" | "-Command"))
}

/// The worst hole of a command line with pasted parts; `None` for a plain value, which may be meant as a whole command.
fn worst_piece(
    facts: &FileFacts,
    owner: Option<SymbolIndex>,
    check: &dyn Fn(&str) -> Check,
    line: &Expr,
) -> Option<Origin> {
    let resolved = place::resolve(facts, owner, line);
    let built = match resolved {
        Expr::Template(_) => true,
        Expr::Binary(operator, ..) => operator == "+",
        Expr::Either(values) => values.iter().any(|value| matches!(value.peeled(), Expr::Template(_))),
        Expr::Call(index) => {
            let site = facts.call(*index);
            (site.kind == CallKind::Macro && site.name == "format") || site.name == "join"
        }
        _ => false,
    };
    let origin = origin_behind(facts, owner, check, resolved);
    (built || origin == Origin::Request).then_some(origin)
}
