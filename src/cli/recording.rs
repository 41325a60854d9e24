//! Recording what an audit counted, so that reports can show how it went from run to run.

use improve::audit::AuditOptions;
use improve::finding::sha256_hex;
use improve::report::audit_document::AuditDocument;
use improve::runs::{Run, Runs};
use improve::survey::Survey;

use super::Context;
use super::globals::Workspace;
use super::models::places;

/// Digits of what says which runs are comparable: enough to tell the ways apart that one repository is audited in.
const DIGITS: usize = 8;

/// What an audit counted.
pub fn run_of(document: &AuditDocument, survey: &Survey, workspace: &Workspace, options: &AuditOptions) -> Run {
    let (levels, categories) = Run::counted(&document.findings);
    Run {
        // To the millisecond: it orders commits of the same second.
        time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        commit: survey.map.commit.clone(),
        committed: committed(survey),
        dirty: survey.dirty,
        levels,
        categories,
        known: document.known.len(),
        lines: survey.map.files.iter().map(|file| u64::from(file.lines)).sum(),
        planner: document.planner.clone(),
        settings: settings(workspace, options),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Unix time at which the commit that was read was authored.
pub fn committed(survey: &Survey) -> Option<i64> {
    let git = survey.git.as_ref()?;
    let head = git.head().ok()??;
    (survey.map.commit.as_deref() == Some(head.as_str())).then(|| git.author_time(&head).ok())?
}

/// What was looked for, and how. Runs that differ in it count different things.
fn settings(workspace: &Workspace, options: &AuditOptions) -> String {
    let AuditOptions {
        focus,
        only_rules,
        without_rules,
        paths,
        exclude,
        // Who rejects a finding has dealt with it: that belongs to the trend.
        rejected: _,
        baseline,
        depth,
        advisories,
        imports,
        shard,
    } = options;
    let has = [!baseline.is_empty(), advisories.is_some(), imports.is_some(), shard.is_some()];
    let told = format!(
        "{focus:?} {only_rules:?} {without_rules:?} {paths:?} {exclude:?} {depth:?} {has:?} {:?}",
        workspace.settings.declared
    );
    let mut digits = sha256_hex(&told);
    digits.truncate(DIGITS);
    digits
}

/// Adds a run to the record. That it cannot be kept is no reason to end an audit otherwise than without a record.
pub fn record(run: &Run, workspace: &Workspace, context: &Context) {
    let runs = runs(workspace);
    if let Err(error) = runs.record(run)
        && workspace.verbose
    {
        context.console.note(&format!("{}: {error}; this run will be missing from trends", runs.path().display()));
    }
}

/// The record of a repository, beside its ledger.
pub fn runs(workspace: &Workspace) -> Runs {
    let (ledger, _) = places(workspace);
    Runs::within(ledger.path().parent().unwrap_or(&workspace.root))
}
