//! `improve plan`: a plan for something the user asks for.

use std::path::PathBuf;

use clap::Args;
use improve::backlog::Backlog;
use improve::finding::Category;
use improve::model::cost::Cost;
use improve::planner::request::{OpenQuestion, Understanding, Understood, understand};
use improve::planner::specify::{DIRECTION, Subject};
use improve::report::plans::plan_name;
use improve::report::request::{Decision, RequestDocument, RequestOutcome, SCHEMA_VERSION, request};
use improve::report::{json, sanitize};
use inquire::{InquireError, Select, Text};

use super::Context;
use super::apply::RunningArgs;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::filing::{Filed, file};
use super::issues::{IssueArgs, publish};
use super::models::ModelArgs;
use super::output::{Format, Kind, OutputArgs};
use super::planning::Manner;
use super::plans::context_for;
use super::writing::{Asked, Writer, Written};

/// Characters of a request, at most: more is a document, which belongs into the repository.
const LONGEST: usize = 20_000;
/// The answer that asks for the user's own.
const OWN: &str = "something else …";

/// Write a plan for what you want, in your words
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What you want, in a sentence or two
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Ask and write nothing: show what the first question would cost
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    issues: IssueArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Finds out what is meant, asks what is left, writes the plan.
pub fn run(args: PlanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let PlanArgs { text, dry_run, models, running, issues, output } = args;
    let outputs = output.outputs("improve plan", &[Format::Human, Format::Json])?;
    let text = text.join(" ").trim().to_owned();
    if text.is_empty() {
        return Err(Failure::usage("the request is empty").hint("say in a sentence what you want"));
    }
    if text.chars().count() > LONGEST {
        return Err(Failure::usage(format!("the request is longer than {LONGEST} characters"))
            .hint("commit it as a document and ask for what it says: `improve plan \"do what docs/x.md says\"`"));
    }
    let console = &context.console;
    let workspace = context.globals.workspace(models.flags(running.flags()), console)?;
    let survey = read(&workspace, context)?;
    let mut writer = Writer::new(&models, running.trust, &survey, &workspace, &Cost::default(), context)?
        .in_manner(Manner { dry_run, batch: false });
    let backlog = Backlog::open(&workspace.root)?;
    if !writer.agree(1)? {
        return Ok(ExitCode::Done);
    }
    let understood = match writer.ask("reading", |desk| understand(&text, desk))? {
        Asked::Answer(understood) => understood,
        Asked::Failed { .. } => return Ok(ExitCode::Incomplete),
        Asked::Nobody if dry_run => return Ok(ExitCode::Done),
        Asked::Nobody => {
            return Err(Failure::usage("what you want takes a model to plan, and none is bound").hint(
                "set the key of a provider, or a local one in improve.toml; `improve doctor` shows what is missing",
            ));
        }
    };
    let mut document = RequestDocument {
        schema_version: SCHEMA_VERSION,
        request: text,
        outcome: RequestOutcome::Written,
        path: None,
        title: String::new(),
        answer: String::new(),
        settled: Vec::new(),
        decisions: Vec::new(),
        problems: Vec::new(),
        cost: Cost::default(),
    };
    let mut code = ExitCode::Done;
    match understood {
        Understood::JustDoIt(answer) => {
            document = RequestDocument { outcome: RequestOutcome::JustDoIt, answer, ..document };
        }
        Understood::ThereAlready(answer) => {
            document = RequestDocument { outcome: RequestOutcome::ThereAlready, answer, ..document };
        }
        Understood::Plan(understanding) => {
            let Understanding { finding, settled, questions } = *understanding;
            if let Some(path) = backlog.plan_of_finding(&finding.fingerprint) {
                document.outcome = RequestOutcome::AlreadyPlanned;
                document.title = backlog.read_plan(&path).map_or_else(|_| finding.title.clone(), |plan| plan.title);
                document.path = Some(path.to_string_lossy().into_owned());
            } else {
                document.decisions =
                    questions.iter().map(|open| decide(open, context)).collect::<Result<Vec<_>, _>>()?;
                let decided: Vec<String> =
                    settled.iter().cloned().chain(document.decisions.iter().map(Decision::words)).collect();
                document.settled = settled;
                // What cannot be written is not paid for.
                drop(backlog.lock()?);
                let plan_context = context_for(&backlog, &survey)?;
                let remarks = if finding.category == Category::Direction { DIRECTION } else { "" };
                match writer.write(&Subject { finding: &finding, remarks, decided: &decided }, &plan_context)? {
                    Written::Plan(plan, problems) => {
                        document.title.clone_from(&plan.title);
                        document.path = Some(match file(&backlog, *plan)? {
                            Filed::Written(path) => {
                                document.problems = problems;
                                path
                            }
                            Filed::There(path) => {
                                document.outcome = RequestOutcome::AlreadyPlanned;
                                path
                            }
                        });
                    }
                    Written::NotWorthIt(why) => {
                        document.outcome = RequestOutcome::NotWorthIt;
                        document.answer = why;
                    }
                    Written::Failed | Written::Nothing => code = ExitCode::Incomplete,
                }
            }
        }
    }
    if code == ExitCode::Incomplete {
        return Ok(code);
    }
    document.cost = writer.cost(Cost::default());
    let page = console.page(&workspace.root.to_string_lossy());
    let next = next(&document);
    outputs.write(console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&document),
        Kind::Text => request(&document, &next, &page),
    })?;
    let plans: Vec<PathBuf> = document.path.iter().map(PathBuf::from).collect();
    publish(issues, &workspace.root, &plans, context)
}

/// The user's answer, or the recommended one where nobody can be asked.
fn decide(open: &OpenQuestion, context: &Context) -> Result<Decision, Failure> {
    let OpenQuestion { question, why, options, recommended } = open;
    let decision = |answer: &str, by_user| Decision { question: question.clone(), answer: answer.to_owned(), by_user };
    if !context.console.interactive {
        return Ok(decision(&options[*recommended], false));
    }
    let shown: Vec<String> =
        options.iter().map(|option| sanitize::line(option).into_owned()).chain([OWN.to_owned()]).collect();
    let question = sanitize::line(question).into_owned();
    let why = format!("{} · enter takes what is recommended, esc leaves it to the planner", sanitize::line(why));
    let answer = Select::new(&question, shown).with_starting_cursor(*recommended).with_help_message(&why).raw_prompt();
    let answer = match answer {
        Ok(answer) if answer.index < options.len() => return Ok(decision(&options[answer.index], true)),
        Ok(_) => Text::new("Your answer:").prompt(),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) if !answer.trim().is_empty() => Ok(decision(answer.trim(), true)),
        Ok(_) | Err(InquireError::OperationCanceled) => Ok(decision(&options[*recommended], false)),
        Err(InquireError::OperationInterrupted) => Err(Failure::interrupted()),
        Err(error) => Err(Failure::usage(format!("the question cannot be asked: {error}"))
            .hint("add --no-input to take what is recommended")),
    }
}

fn next(document: &RequestDocument) -> Vec<(String, String)> {
    let Some(path) = &document.path else { return Vec::new() };
    let number = plan_name(path);
    vec![
        (format!("improve show {number}"), "read it".to_owned()),
        (format!("improve apply {number}"), "carry it out on a branch of its own".to_owned()),
    ]
}
