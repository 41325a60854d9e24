//! `improve audit`: the findings alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use improve::advisories::{Advisories, load};
use improve::audit::baseline::{self, Baseline};
use improve::audit::shard::Shard;
use improve::audit::{Audit, AuditOptions, Depth};
use improve::backlog::{Backlog, BacklogError, rejected_in};
use improve::finding::{Finding, Level};
use improve::model::Role;
use improve::os;
use improve::plan::index;
use improve::progress::Progress as _;
use improve::report::audit_document::AuditDocument;
use improve::report::document::ReportDocument;
use improve::report::human::AuditPage;
use improve::report::page::page as page_of;
use improve::report::sarif::sarif;
use improve::report::{annotations, human, json, markdown};
use improve::runs::Run;
use improve::settings::{AuditEffort, Flags, Settings};
use improve::survey::{Survey, survey};
use improve::temporary::replace;
use improve::tree::{Tree as _, TreeError};

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{ModelArgs, check_batch};
use super::output::{Format, OutputArgs};
use super::planning::{Asking, Extent, Manner, consult};
use super::progress::Bar;
use super::recording::{record, run_of};
use super::report::reported;
use super::sarif_in::SarifInArgs;
use super::words::{self, Words};
use super::{Context, command_names};

/// Findings a table shows unless told otherwise: what fits on two screens.
pub const SHOWN: usize = 20;
/// Formats findings are written in.
pub const FORMATS: [Format; 8] = [
    Format::Human,
    Format::Json,
    Format::Jsonl,
    Format::Markdown,
    Format::Sarif,
    Format::Github,
    Format::Junit,
    Format::Html,
];

/// What to look at.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// What to look for (security, perf, bugs, tests, debt, deps, dx, docs, direction), and files, folders or globs to look
    /// at
    #[arg(value_name = "FOCUS|PATH")]
    words: Vec<String>,
    /// Leave out what matches; repeatable
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Look for known vulnerabilities in this database: a clone of RustSec's advisory-db, or OSV JSON files; repeatable
    /// [default: what cargo-audit or cargo-deny keep]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    advisories: Vec<String>,
    #[command(flatten)]
    sarif_in: SarifInArgs,
    /// quick: what is certain; standard: what is likely too; deep: everything [default: standard]
    #[arg(long, value_name = "EFFORT")]
    effort: Option<String>,
    /// Exit with 1 when a finding is at or above this level: never, low, medium, high [default: never]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
    /// Findings that are known and neither shown nor failed on [default: improve-baseline.json, where there is one]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    baseline: Option<PathBuf>,
    /// Show what the baseline knows, too
    #[arg(long, conflicts_with = "baseline", hide_short_help = true)]
    no_baseline: bool,
    /// Write no plan and send nothing: show what would be written, and what models would be asked for what price
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub models: ModelArgs,
    /// Ask questions together, round by round, over the vendor's batch endpoint: half the price, answers within hours. The
    /// same command goes on with a batch that an interrupted run left
    #[arg(long, conflicts_with = "offline", help_heading = "Models", hide_short_help = true)]
    pub batch: bool,
}

impl ScopeArgs {
    /// The same with one FOCUS word or path more.
    pub fn with_word(mut self, word: &str) -> ScopeArgs {
        self.words.push(word.to_owned());
        self
    }
}

/// Find what is worth changing, without writing plans
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Show at most N findings; every format but the table has them all unless this is given
    #[arg(long, value_name = "N", conflicts_with = "all")]
    top: Option<usize>,
    /// Show every finding
    #[arg(long)]
    all: bool,
    /// Report on one of N parts of about the same size, for several machines; `improve merge` puts their documents together
    #[arg(long, value_name = "I/N", value_parser = shard_of, conflicts_with = "top", hide_short_help = true)]
    shard: Option<Shard>,
    /// Write what is found to the baseline, so that later runs are silent about it
    #[arg(long, conflicts_with_all = ["no_baseline", "batch", "top", "all", "shard", "format", "output"], hide_short_help = true)]
    write_baseline: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// An audit, ready to be shown.
pub struct Audited {
    /// What was set.
    pub workspace: Workspace,
    /// What was read.
    pub survey: Survey,
    /// What was found.
    pub document: AuditDocument,
    /// How much of it is there.
    pub extent: Extent,
    /// What was counted.
    pub run: Run,
}

/// Prints the findings.
pub fn run(args: AuditArgs, context: &Context) -> Result<ExitCode, Failure> {
    let AuditArgs { scope, top, all, shard, write_baseline, output } = args;
    if write_baseline {
        return self::write_baseline(scope, context);
    }
    let outputs = output.outputs("improve audit", &FORMATS)?;
    let Audited { workspace, survey, document, extent, run } = audit(&scope, shard, Flags::default(), context)?;
    let code = exit_code(&document.findings, workspace.settings.fail_on.value, extent);
    let limit = if all { usize::MAX } else { top.unwrap_or(SHOWN) };
    let mut document = document;
    let options = AuditPage {
        offers_model: outputs.is_human() && scope.models.is_open(&workspace.settings, &context.console),
        ..page_options(&survey, limit, workspace.verbose, next_commands(&document))
    };
    let table = human::audit(&document, &options, &context.console.page(&document.repository.root));
    if let Some(top) = top {
        document.findings.truncate(top);
    }
    let report = match outputs.wants(Format::Html) {
        true => Some(reported(ReportDocument::bare(document.clone()), &survey, &workspace, Some(&run))?),
        false => None,
    };
    outputs.write(&context.console, &|format, _| match (format, &report) {
        (Format::Html, Some(report)) => page_of(report),
        (other, _) => findings_as(other, &document, &table),
    })?;
    Ok(code)
}

fn shard_of(text: &str) -> Result<Shard, String> {
    text.parse().map_err(|()| "write which part of how many, at most 256, as in `2/4`".to_owned())
}

/// Reads the repository and runs the rules, for one part of it or the whole.
pub fn audit(scope: &ScopeArgs, shard: Option<Shard>, flags: Flags, context: &Context) -> Result<Audited, Failure> {
    let ScopeArgs {
        words,
        exclude,
        advisories,
        sarif_in,
        effort,
        fail_on,
        baseline,
        no_baseline,
        dry_run,
        batch,
        models,
    } = scope.clone();
    let flags = Flags {
        exclude: (!exclude.is_empty()).then_some(exclude),
        advisories: (!advisories.is_empty()).then_some(advisories),
        effort,
        fail_on,
        ..flags
    };
    let mut workspace = context.globals.workspace(models.flags(flags), &context.console)?;
    if batch {
        check_batch(&models, Role::Planner, &workspace.settings)?;
    }
    let Words { focus, paths } = words::read(&words, &workspace.root, &command_names())?;
    // What is narrowed for once says nothing of the whole.
    let whole = focus.is_empty() && paths.is_empty() && shard.is_none();
    if !paths.is_empty() {
        workspace.settings.include.value = paths;
    }
    let baseline = if no_baseline { Baseline::default() } else { known(&workspace, baseline)? };
    // What cannot be read is said before the repository is.
    let imports = sarif_in.read(&workspace.root)?;
    let name = workspace.root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy());
    let survey = read_under(
        Bar::new(&context.console, context.cancel.clone()).announcing(&name, &context.console),
        &workspace,
        context,
    )?;
    let settings = &workspace.settings;
    let rejections = rejections(&workspace)?;
    let options = AuditOptions {
        focus,
        rejected: rejections.keys().cloned().collect(),
        baseline,
        without_rules: settings.rules_off(),
        paths: settings.include.value.clone(),
        exclude: settings.exclude.value.clone(),
        depth: depth_of(settings),
        advisories: read_advisories(&workspace)?,
        imports,
        shard,
        ..AuditOptions::default()
    };
    let bar = Bar::new(&context.console, context.cancel.clone());
    bar.phase("looking for findings", None);
    let audit: Audit = improve::audit::run(&survey.map, survey.effects(), &survey.tree, &options)?;
    drop(bar);
    for warning in &audit.warnings {
        context.console.warn(warning);
    }
    let incomplete = !audit.failed_rules.is_empty();
    let mut document = AuditDocument::new(survey.repository(), audit, &rejections);
    document.shard = shard;
    let asking = Asking { models: &models, manner: Manner { dry_run, batch }, looks: true };
    let consulted = consult(asking, &options, &mut document, &survey, &workspace, context)?;
    let extent = if incomplete { consulted.max(Extent::Partly) } else { consulted };
    let run = run_of(&document, &survey, &workspace, &options);
    if whole && extent == Extent::Whole {
        record(&run, &workspace, context);
    }
    Ok(Audited { workspace, survey, document, extent, run })
}

/// Findings in any format; `page` is what people see.
pub fn findings_as(format: Format, document: &AuditDocument, page: &str) -> String {
    match format {
        Format::Human => page.to_owned(),
        Format::Json => json::document(document),
        Format::Jsonl => json::lines(&document.findings),
        Format::Sarif => sarif(document),
        Format::Github => annotations::github(document),
        Format::Junit => annotations::junit(document),
        Format::Html => page_of(&ReportDocument::bare(document.clone())),
        Format::Markdown | Format::Dot | Format::Mermaid => markdown::audit(document, usize::MAX),
    }
}

/// How much doubt is let through.
pub fn depth_of(settings: &Settings) -> Depth {
    match settings.effort.value {
        AuditEffort::Quick => Depth::Quick,
        AuditEffort::Standard => Depth::Standard,
        AuditEffort::Deep => Depth::Deep,
    }
}

/// What is known, where nobody names a file of it.
pub fn baseline_of(workspace: &Workspace) -> Result<Baseline, Failure> {
    known(workspace, None)
}

/// What is known: in the file that was named, or in the usual one where there is one.
fn known(workspace: &Workspace, named: Option<PathBuf>) -> Result<Baseline, Failure> {
    let usual = workspace.root.join(baseline::FILE);
    match (named, workspace.judged_by()?) {
        (Some(file), _) => read_baseline(&file),
        (None, Some(tree)) => match tree.read(baseline::FILE) {
            Ok(bytes) => Ok(Baseline::parse(baseline::FILE, &String::from_utf8_lossy(&bytes))?),
            Err(TreeError::Missing { .. }) => Ok(Baseline::default()),
            Err(error) => Err(Failure::usage(error.to_string())),
        },
        (None, None) if usual.exists() => read_baseline(&usual),
        (None, None) => Ok(Baseline::default()),
    }
}

fn read_baseline(file: &Path) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| of_baseline(file, &error))?;
    Ok(Baseline::parse(&file.display().to_string(), &text)?)
}

fn of_baseline(file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", file.display()))
        .hint("check that the file is there and yours to read and write")
}

/// Writes what the whole repository holds to the baseline.
fn write_baseline(scope: ScopeArgs, context: &Context) -> Result<ExitCode, Failure> {
    if !scope.words.is_empty() || !scope.exclude.is_empty() {
        return Err(Failure::usage("a baseline is of the whole repository")
            .hint("leave out focus, paths and --exclude: what they leave out would be new to every later run"));
    }
    let named = scope.baseline.clone();
    // What is known is what the rules find: a model's word would make it differ from run to run.
    let scope = ScopeArgs { baseline: None, no_baseline: true, models: ModelArgs::none(), ..scope };
    let Audited { workspace, document, extent, .. } = audit(&scope, None, Flags::default(), context)?;
    let file = named.unwrap_or_else(|| workspace.root.join(baseline::FILE));
    let baseline = Baseline::of(&document.findings);
    replace(&file, baseline.text().as_bytes()).map_err(|error| of_baseline(&file, &error))?;
    context.console.print(&format!(
        "{}: {} {}\nCommit it; from now on `improve` speaks of what is new.\n",
        file.display(),
        baseline.len(),
        if baseline.len() == 1 { "finding" } else { "findings" },
    ))?;
    Ok(exit_code(&[], None, extent))
}

/// The databases that are named, else the one another tool keeps.
pub fn read_advisories(workspace: &Workspace) -> Result<Option<Arc<Advisories>>, Failure> {
    let mut advisories = Advisories::default();
    for path in &workspace.settings.advisories.value {
        advisories.extend(load::read(&workspace.root.join(path))?);
    }
    if workspace.settings.advisories.value.is_empty() {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os(os::HOME)?).join(".cargo")));
        for path in home.map(|home| load::found_in(&home)).unwrap_or_default() {
            // Nobody named it: that it cannot be read is no fault of this run.
            advisories.extend(load::read(&path).unwrap_or_default());
        }
    }
    Ok((!advisories.is_empty()).then(|| Arc::new(advisories)))
}

/// Rejected findings by fingerprint, with what the index says of them.
pub fn rejections(workspace: &Workspace) -> Result<BTreeMap<String, String>, Failure> {
    if let Some(tree) = workspace.judged_by()? {
        return Ok(rejected_in(&tree));
    }
    let backlog = match Backlog::open(&workspace.root) {
        Ok(backlog) => backlog,
        // No folder for plans is no reason not to look for findings.
        Err(BacklogError::NoFolder) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut reasons: BTreeMap<String, String> =
        backlog.rejected_fingerprints()?.into_iter().map(|fingerprint| (fingerprint, String::new())).collect();
    reasons.extend(index::reasons(&backlog.index_text()?));
    Ok(reasons)
}

/// Reads the repository under a progress bar.
pub fn read(workspace: &Workspace, context: &Context) -> Result<Survey, Failure> {
    read_under(Bar::new(&context.console, context.cancel.clone()), workspace, context)
}

fn read_under(bar: Bar, workspace: &Workspace, context: &Context) -> Result<Survey, Failure> {
    let survey = survey(&workspace.root, &workspace.settings, &bar);
    drop(bar);
    if context.cancel.is_cancelled() {
        return Err(Failure::interrupted());
    }
    let survey = survey?;
    for warning in &survey.warnings {
        context.console.warn(warning);
    }
    Ok(survey)
}

/// What a table of findings shows beside them.
pub fn page_options(survey: &Survey, limit: usize, verbose: bool, next: Vec<(String, String)>) -> AuditPage {
    AuditPage {
        limit,
        verbose,
        files: survey.map.files.len(),
        lines: survey.map.files.iter().map(|file| file.lines as usize).sum(),
        offers_model: false,
        next,
    }
}

/// 2 when a model could not be asked, 1 when a finding is at or above `fail_on`, else 3 when something could not be looked for.
pub fn exit_code(findings: &[Finding], fail_on: Option<Level>, extent: Extent) -> ExitCode {
    match extent {
        Extent::Misconfigured => ExitCode::Usage,
        Extent::Partly | Extent::Whole if reaches(findings, fail_on) => ExitCode::Findings,
        Extent::Partly => ExitCode::Incomplete,
        Extent::Whole => ExitCode::Done,
    }
}

/// Whether a finding is at or above `fail_on`.
pub fn reaches(findings: &[Finding], fail_on: Option<Level>) -> bool {
    fail_on.is_some_and(|level| findings.iter().any(|finding| finding.level() >= level))
}

fn next_commands(document: &AuditDocument) -> Vec<(String, String)> {
    let Some(first) = document.findings.first() else { return Vec::new() };
    let id = human::short(&first.fingerprint);
    vec![
        ("improve --top 5".to_owned(), "write plans for the first five".to_owned()),
        (format!("improve show {id}"), "read the first finding in full".to_owned()),
        (format!("improve reject {id} --reason \"…\""), "never see it again".to_owned()),
    ]
}
