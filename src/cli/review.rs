//! `improve review`: what would stop an executor who has nothing but the plan.

use std::path::Path;

use clap::Args;
use improve::backlog::Backlog;
use improve::model::cost::Cost;
use improve::plan::lint::lint;
use improve::plan::parse::parse;
use improve::plan::render;
use improve::planner::cold_read::cold_read;
use improve::planner::specify::Subject;
use improve::planner::tighten;
use improve::report::json;
use improve::report::review::{Review, reviews};
use improve::survey::Survey;
use similar::TextDiff;

use super::Context;
use super::apply::RunningArgs;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::models::ModelArgs;
use super::output::{Format, Kind, OutputArgs};
use super::plan_argument::{self, PlanFile};
use super::plans::context_for;
use super::writing::{Asked, Writer, Written};

/// Lines of context in a diff.
const CONTEXT: usize = 2;

/// Check plans: mechanically, and by a model that knows nothing but the plan
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Plans: paths, numbers, slugs or the beginnings of them
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<String>,
    /// Have the planner write plans with problems anew, where they stand; shows what it changed
    #[arg(long, conflicts_with = "offline")]
    tighten: bool,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the problems of each plan.
pub fn run(args: ReviewArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ReviewArgs { plans, tighten, models, running, output } = args;
    let outputs = output.outputs("improve review", &[Format::Human, Format::Json, Format::Jsonl])?;
    let console = &context.console;
    let workspace = context.globals.workspace(models.flags(running.flags()), console)?;
    let files = plans.iter().map(|plan| plan_argument::read(plan, &workspace.root)).collect::<Result<Vec<_>, _>>()?;
    let survey = read(&workspace, context)?;
    let writer = Writer::new(&models, running.trust, &survey, &workspace, &Cost::default(), context)?;
    if tighten && writer.bound().is_none() {
        return Err(Failure::usage("--tighten takes a planner, and none is bound")
            .hint("`improve doctor` shows what is missing"));
    }
    let mut reviewer = Reviewer { survey: &survey, writer, reads: true, failed: false, context };
    let mut found = Vec::new();
    for file in &files {
        found.push(reviewer.review(file, tighten)?);
    }
    let failed = reviewer.failed;
    let page = console.page(&workspace.root.to_string_lossy());
    outputs.write(console, &|format, _| match (format.kind(), found.as_slice()) {
        (Kind::Text, found) => reviews(found, &page),
        (Kind::Document, [one]) => json::document(one),
        (Kind::Document, several) => json::document(&several),
        (Kind::Lines, found) => json::lines(found),
    })?;
    Ok(match found.iter().all(|review| review.problems.is_empty()) {
        false => ExitCode::Findings,
        true if failed => ExitCode::Incomplete,
        true => ExitCode::Done,
    })
}

/// Reviews one plan after the other.
struct Reviewer<'a> {
    survey: &'a Survey,
    writer: Writer<'a>,
    /// A model reads plans cold.
    reads: bool,
    /// A question to a model failed, and that was said.
    failed: bool,
    context: &'a Context,
}

impl Reviewer<'_> {
    fn review(&mut self, file: &PlanFile, tighten: bool) -> Result<Review, Failure> {
        let review = self.look_at(&file.path, &file.text)?;
        if !tighten || review.problems.is_empty() {
            return Ok(review);
        }
        let Some(anew) = self.anew(file, &review)? else { return Ok(review) };
        let better = self.look_at(&file.path, &anew)?;
        if better.problems.len() > review.problems.len() {
            let note = format!("{}: what the planner made of it has more problems; it stays as it is", file.path);
            self.context.console.note(&note);
            return Ok(review);
        }
        let backlog = Backlog::open(&self.survey.root)?;
        let lock = backlog.lock()?;
        let plan = parse(&anew).expect("it was read above");
        backlog.rewrite_plan(&lock, Path::new(&file.path), &plan)?;
        let diff = TextDiff::from_lines(&file.text, &anew);
        self.context
            .console
            .note(&diff.unified_diff().context_radius(CONTEXT).header(&file.path, &file.path).to_string());
        Ok(Review { tightened: true, ..better })
    }

    /// The lint, and what a model cannot tell from the plan.
    fn look_at(&mut self, path: &str, text: &str) -> Result<Review, Failure> {
        let plan = match parse(text) {
            Ok(plan) => plan,
            Err(error) => return Ok(Review::not_a_plan(path, &error)),
        };
        let review = Review::new(path, &plan, lint(&plan, &self.survey.tree, &self.survey.map.recon));
        if !self.reads {
            return Ok(review);
        }
        let text = improve::secrets::mask(text);
        match self.writer.read("reading the plan", |session, reader| cold_read(&text, session, reader, Some(path)))? {
            Asked::Answer((by, doubts)) => Ok(review.read_by(by, doubts)),
            Asked::Failed { .. } => {
                self.failed = true;
                self.reads = false;
                Ok(review)
            }
            Asked::Nobody => Ok(review),
        }
    }

    /// The text of the plan without its problems, by the planner.
    fn anew(&mut self, file: &PlanFile, review: &Review) -> Result<Option<String>, Failure> {
        let Ok(old) = parse(&file.text) else { return Ok(None) };
        if !self.writer.agree(1)? {
            return Ok(None);
        }
        let problems: Vec<String> =
            review.problems.iter().map(|problem| format!("line {}: {}", problem.line, problem.message)).collect();
        let finding = tighten::finding_of(&old);
        let remarks = tighten::remarks(&file.text, &problems);
        let backlog = Backlog::open(&self.survey.root)?;
        let plan_context = tighten::context_of(&old, context_for(&backlog, self.survey)?);
        let subject = Subject { finding: &finding, remarks: &remarks, decided: &[] };
        match self.writer.write(&subject, &plan_context)? {
            Written::Plan(plan, _) => Ok(Some(render::render(&tighten::succeed(&old, *plan)))),
            Written::NotWorthIt(why) => {
                let note = format!("{}: the planner says that it is not worth a plan: {why}", file.path);
                self.context.console.note(&improve::report::sanitize::line(&note));
                Ok(None)
            }
            Written::Failed | Written::Nothing => {
                self.failed = true;
                Ok(None)
            }
        }
    }
}
