//! `improve apply`: carry out plans, each in a worktree and on a branch of its own.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use clap::Args;
use improve::apply::{AfterWork, ApplyOptions, Earlier};
use improve::backlog::Backlog;
use improve::gate::GateLimits;
use improve::plan::Plan;
use improve::plan::index::PlanStatus;
use improve::receipt::{Outcome, Receipt};
use improve::repo_map::RepoMap;
use improve::repo_map::recon::{CommandPurpose, ProjectCommand};
use improve::report::layout::Page;
use improve::report::{json, receipt as report};
use improve::sandbox::Sandbox;
use improve::settings::apply::ApplySettings;
use improve::settings::{Flags, Origin, Settings};
use improve::trust::{Approved, commands_of};
use improve::verifier::prepare::install_command;
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::audit::read;
use super::console::Console;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, Kind, OutputArgs, Outputs};
use super::plan_argument::PlanFile;
use super::plans::context_for;
use super::progress::Bar;
use super::sandbox::sandbox;
use super::trust::approve;

pub mod crew;
mod log;
mod policy;
mod publish;
mod revising;
mod several;
mod work;

use crew::{Crew, CrewArgs, Workplace};
use publish::Publisher;
use several::{Chosen, choose, foundation};
use work::{Order, Work};

/// Carry out plans: exact edits are made here, other steps by a model where one is bound, or handed over; nothing is merged
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Plans: paths, numbers, slugs or the beginnings of them
    #[arg(required_unless_present = "all", value_name = "PLAN")]
    plans: Vec<String>,
    /// Carry out every plan that waits, each after those it depends on
    #[arg(long, conflicts_with = "plans")]
    all: bool,
    /// Take up the step that was handed over: what is in the worktree is its work
    #[arg(long = "continue", conflicts_with = "fresh")]
    take_up: bool,
    /// Discard an earlier run of the same plan, and begin again
    #[arg(long)]
    fresh: bool,
    /// Keep the worktree when the work is done
    #[arg(long)]
    keep_worktree: bool,
    /// Start from this commit, branch or tag instead of HEAD
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Of several plans, carry out each on the branch of the one before, so that they can be merged one after the other
    #[arg(long)]
    stack: bool,
    /// Push the branch of each verified plan, and open a pull request for it
    #[arg(long, conflicts_with = "dry_run")]
    pr: bool,
    /// Publish plans about security too, where everybody can read the repository
    #[arg(long, requires = "pr")]
    allow_public_security: bool,
    /// Only check whether the plan fits; change and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Agree to every checkpoint of the plan
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    crew: CrewArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// How commands of the repository are run.
#[derive(Debug, Clone, Args)]
pub struct RunningArgs {
    /// Agree to the commands of the plan and of the repository, now and later
    #[arg(long)]
    pub trust: bool,
    /// End a command after this long, as in 90s, 10m, 1h [default: 20m]
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    gate_timeout: Option<String>,
    /// Run commands in this sandbox, this time: namespaces, landlock, seatbelt, none [default: the best there is]
    #[arg(long, value_name = "LEVEL", hide_short_help = true)]
    sandbox: Option<String>,
}

impl RunningArgs {
    /// The flags as settings.
    pub fn flags(&self) -> Flags {
        Flags { gate_timeout: self.gate_timeout.clone(), sandbox: self.sandbox.clone(), ..Flags::default() }
    }
}

/// How many plans are carried out at a time: as many as `--jobs` says, where it does. Threads that were set once for reading files say
/// nothing of how many test suites a machine can bear.
fn at_a_time(settings: &Settings) -> usize {
    match (&settings.jobs.origin, settings.jobs.value) {
        (Origin::Flag(_), 0) => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        (Origin::Flag(_), jobs) => jobs,
        _ => 1,
    }
}

/// What gates may take.
pub fn limits(settings: &Settings) -> GateLimits {
    let limits = GateLimits::default();
    GateLimits { timeout: settings.gate_timeout.value.unwrap_or(limits.timeout), ..limits }
}

/// Carries out each plan after those it depends on and prints the receipts. The worst exit code wins.
pub fn run(args: ApplyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let outputs = args.output.outputs("improve apply", &[Format::Human, Format::Json, Format::Jsonl])?;
    let workspace = context.globals.workspace(args.crew.flags(args.running.flags()), &context.console)?;
    let crew = Crew::bound(&args.crew, &workspace.settings)?;
    let console = &context.console;
    let backlog = Backlog::open(&workspace.root)?;
    if backlog.is_displaced() && args.all {
        console.note(&format!("note: plans/ belongs to something else; plans are in {}/", backlog.folder()));
    }
    let chosen = choose(&args.plans, args.all, &workspace.root, &backlog, console)?;
    let place = Place::of(&workspace.root, &cache_folder())?;
    // Told before anything is read: without a commit there is nothing to start from.
    place.commit_of(args.base.as_deref())?;
    if chosen.is_empty() {
        console.note("no plan waits to be carried out");
        return Ok(ExitCode::Done);
    }
    let survey = read(&workspace, context)?;
    let policy = &workspace.settings.apply;
    let chosen = under_policy(chosen, &args, policy, &survey.map, context)?;
    if chosen.is_empty() {
        console.note("no plan is left to be carried out");
        return Ok(ExitCode::Done);
    }
    if policy.show_estimated_time.value && !args.dry_run {
        policy::say_estimated_time(&chosen, &place, console);
    }
    let sandbox = if args.dry_run { Sandbox::none("nothing is run") } else { sandbox(&workspace.settings, console)? };
    let approved = agreed(&chosen, &args, &survey.map, &place, console)?;
    let publisher = publisher(&chosen, &args, &place, context)?;
    let plans: Vec<&Plan> = chosen.iter().map(|one| &one.plan).collect();
    let workplace = Workplace {
        map: &survey.map,
        tree: &survey.tree,
        workspace: &workspace,
        backlog: &backlog,
        plan_context: context_for(&backlog, &survey)?,
        pack: OnceLock::new(),
        context,
    };
    let crew = if args.dry_run { crew } else { crew.agree(&plans, &workplace)? };
    let line = if args.dry_run { None } else { crew.line(context)? };
    let own = line.is_none().then(|| Bar::new(console, context.cancel.clone()));
    let bar = line.as_ref().map(|line| &line.voice.bar).or(own.as_ref()).expect("one of them draws");
    let budget = crew.budget(&workspace);
    let work = Work {
        workplace: &workplace,
        crew: &crew,
        line: line.as_ref(),
        budget: &budget,
        bar,
        place: &place,
        base: args.base.as_deref(),
        approved: &approved,
        sandbox: &sandbox,
        yes: args.yes,
        policy,
        options: options(&args, &workspace.settings),
        order: order(&args, &workspace.settings, &backlog, &place, console)?,
        publisher: publisher.as_ref(),
        is_unpublished: AtomicBool::new(false),
    };
    let carried = work.carry_out_all(&chosen);
    drop(own);
    drop(line);
    let (receipts, failed) = carried?;
    let page = console.page(&workspace.root.to_string_lossy());
    print(&receipts, chosen.len(), args.dry_run, &outputs, console, &page)?;
    let code = |receipt: &Receipt| {
        if args.dry_run { dry_code(receipt.outcome) } else { ExitCode::of(receipt.exit_code()) }
    };
    let worst = receipts.iter().map(|(_, receipt)| code(receipt)).chain(failed).max();
    Ok(worst.unwrap_or(ExitCode::Done))
}

/// The plans with the checks that the settings add, those alone that somebody approves of where the settings want that.
fn under_policy(
    chosen: Vec<Chosen>,
    args: &ApplyArgs,
    policy: &ApplySettings,
    map: &RepoMap,
    context: &Context,
) -> Result<Vec<Chosen>, Failure> {
    let chosen: Vec<Chosen> = chosen
        .into_iter()
        .map(|mut one| {
            policy::extend(&mut one.plan, policy, |purpose, path| {
                map.recon.command_for(purpose, path).map(ProjectCommand::at_root)
            });
            one
        })
        .collect();
    if policy.require_approval.value && !args.yes && !args.dry_run {
        policy::approved(chosen, policy, context)
    } else {
        Ok(chosen)
    }
}

/// What the flags say of each plan.
fn options(args: &ApplyArgs, settings: &Settings) -> ApplyOptions {
    let earlier = match (args.take_up, args.fresh) {
        (true, _) => Earlier::Continue,
        (false, true) => Earlier::Discard,
        (false, false) => Earlier::Resume,
    };
    ApplyOptions {
        limits: limits(settings),
        earlier,
        worktree: if args.keep_worktree { AfterWork::Keep } else { AfterWork::Remove },
        dry_run: args.dry_run,
    }
}

/// The commands of all plans, agreed to at once.
fn agreed(
    chosen: &[Chosen],
    args: &ApplyArgs,
    map: &RepoMap,
    place: &Place,
    console: &Console,
) -> Result<Approved, Failure> {
    let commands: BTreeSet<String> =
        chosen.iter().flat_map(|one| commands_of(&one.plan, install(&one.plan, map).as_deref())).collect();
    let commands: Vec<String> = commands.into_iter().collect();
    if args.dry_run { Ok(Approved::by_user(&commands)) } else { approve(place, &commands, args.running.trust, console) }
}

/// Who opens pull requests, where they are wanted. What may not be published is told before anything is carried out.
fn publisher<'a>(
    chosen: &[Chosen],
    args: &ApplyArgs,
    place: &'a Place,
    context: &'a Context,
) -> Result<Option<Publisher<'a>>, Failure> {
    if !args.pr {
        return Ok(None);
    }
    let publisher = Publisher::new(place, args.allow_public_security, context)?;
    for one in chosen {
        publisher.check(&one.plan)?;
    }
    Ok(Some(publisher))
}

/// One on the branch of the other, or apart, as many at a time as the flags say.
fn order(
    args: &ApplyArgs,
    settings: &Settings,
    backlog: &Backlog,
    place: &Place,
    console: &Console,
) -> Result<Order, Failure> {
    Ok(if args.stack {
        Order::Stacked(if args.base.is_none() { foundation(backlog, place, console)? } else { None })
    } else {
        Order::Apart(at_a_time(settings))
    })
}

/// Prints the receipts of `count` chosen plans. A reader that went away does not turn a plan that failed into one that did not.
fn print(
    receipts: &[(&PlanFile, Receipt)],
    count: usize,
    dry_run: bool,
    outputs: &Outputs,
    console: &Console,
    page: &Page,
) -> Result<(), Failure> {
    let written = outputs.write(console, &|format, _| match (format.kind(), receipts) {
        (Kind::Text, receipts) => {
            let shown =
                receipts.iter().map(|(file, receipt)| report::receipt(receipt, &next(file, receipt, dry_run), page));
            let shown = shown.collect::<Vec<_>>().join("\n");
            let all: Vec<&Receipt> = receipts.iter().map(|(_, receipt)| receipt).collect();
            if all.len() > 1 { format!("{shown}\n{}", report::several(&all, page)) } else { shown }
        }
        (Kind::Document, [(_, one)]) if count == 1 => json::document(one),
        (Kind::Document, several) => json::document(&several.iter().map(|(_, receipt)| receipt).collect::<Vec<_>>()),
        (Kind::Lines, receipts) => json::lines(receipts.iter().map(|(_, receipt)| receipt)),
    });
    match written {
        Err(failure) if failure.message.is_none() => Ok(()),
        other => other,
    }
}

/// How the repository fetches its dependencies, when the plan does not say.
pub fn install(plan: &Plan, map: &RepoMap) -> Option<String> {
    let touched = plan.scope.in_scope.iter().find_map(|entry| entry.path.as_deref()).unwrap_or("");
    let found = map.recon.command_for(CommandPurpose::Install, touched);
    install_command(plan, found.map(ProjectCommand::at_root).as_deref())
}

/// A plan that was only checked is not verified, and that is no failure.
fn dry_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Verified | Outcome::PartlyVerified | Outcome::Unverified => ExitCode::Done,
        Outcome::Failed => ExitCode::Findings,
        Outcome::Blocked | Outcome::HandedOver => ExitCode::Blocked,
    }
}

/// The status an outcome gives a plan.
fn status_of(receipt: &Receipt) -> PlanStatus {
    let reason = receipt.reasons.first().cloned().unwrap_or_default();
    let branch = receipt.branch.as_deref().unwrap_or("no branch");
    match receipt.outcome {
        Outcome::Verified => {
            let commit = receipt.commits.last().map_or("", |commit| commit.id.get(..9).unwrap_or(&commit.id));
            let page = receipt.pull_request.as_deref().map(|page| format!(", {page}")).unwrap_or_default();
            PlanStatus::Done(format!("branch {branch}, commit {commit}, not merged{page}"))
        }
        Outcome::PartlyVerified | Outcome::Unverified => {
            PlanStatus::InProgress(format!("{}, branch {branch}", receipt.outcome.words()))
        }
        Outcome::HandedOver => PlanStatus::InProgress(format!("handed over, branch {branch}")),
        Outcome::Blocked | Outcome::Failed => PlanStatus::Blocked(reason),
    }
}

/// What to type now.
fn next(file: &PlanFile, receipt: &Receipt, dry_run: bool) -> Vec<(String, String)> {
    let plan = &file.slug;
    if dry_run {
        return match receipt.outcome {
            Outcome::Blocked => vec![],
            _ => vec![(format!("improve apply {plan}"), "carry it out".to_owned())],
        };
    }
    let discard = (format!("improve clean {plan}"), "throw the work away".to_owned());
    let branch = receipt.branch.as_deref().unwrap_or("HEAD");
    let look = (
        format!("git diff {} {branch}", receipt.base.get(..9).unwrap_or(&receipt.base)),
        "look at the work".to_owned(),
    );
    match receipt.outcome {
        Outcome::Verified | Outcome::PartlyVerified | Outcome::Unverified => {
            vec![look, (format!("git merge {branch}"), "take it".to_owned()), discard]
        }
        Outcome::HandedOver => vec![
            (format!("improve apply {plan} --continue"), "when the step is done in the worktree".to_owned()),
            discard,
        ],
        Outcome::Failed => vec![look, (format!("improve apply {plan} --fresh"), "begin again".to_owned()), discard],
        Outcome::Blocked => vec![(format!("improve review {plan}"), "see whether the plan still fits".to_owned())],
    }
}
