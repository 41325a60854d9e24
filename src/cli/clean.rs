//! `improve clean`: worktrees that are no longer needed, caches, and applied work that is not wanted.

use clap::Args;
use improve::apply::branch_of;
use improve::bench::ground;
use improve::planner::reading_copy;
use improve::report::clean::{CleanDocument, page};
use improve::report::json;
use improve::report::layout::count;
use improve::sandbox::policy;
use improve::settings::Flags;
use improve::worktree::leftover::disk_bytes;
use improve::worktree::place::cache_folder;
use improve::worktree::{Cache, Leftover, Place, caches, clean, clean_caches, leftovers};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, Kind, OutputArgs};
use super::plan_argument;
use super::trust::confirm;

/// Remove worktrees nothing works in and caches; with a PLAN, discard its worktree, branch and journal instead
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// The plan whose work is discarded: a path, a number, a slug or the beginning of one
    plan: Option<String>,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before discarding a branch
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Removes leftovers and prints what went.
pub fn run(args: CleanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let CleanArgs { plan, dry_run, yes, output } = args;
    let outputs = output.outputs("improve clean", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let place = Place::of(&workspace.root, &cache_folder())?;
    let found = leftovers(&place);
    let slug = plan.as_deref().map(|plan| slug_of(plan, &found, &place)).transpose()?;
    let concerned = |leftover: &&Leftover| match &slug {
        Some(slug) => leftover.slug == *slug,
        None => !leftover.in_use,
    };
    let removed: Vec<Leftover> = if dry_run {
        found.iter().filter(concerned).cloned().collect()
    } else {
        if let Some(slug) = &slug {
            let has_worktree = found.iter().any(|leftover| leftover.slug == *slug);
            agree_to_discard(slug, yes || !has_worktree && is_merged(slug, &place)?, context)?;
        }
        clean(&place, slug.as_deref(), slug.is_some())?
    };
    // A plan's work has nothing to do with what makes the next run faster.
    let kept: Vec<Cache> = match (&slug, dry_run) {
        (Some(_), _) => Vec::new(),
        (None, true) => caches(&place).into_iter().chain(copies(&place, dry_run)?).collect(),
        (None, false) => clean_caches(&place)?.into_iter().chain(copies(&place, dry_run)?).collect(),
    };
    let document = CleanDocument::new(&removed, &kept, slug.as_deref(), dry_run);
    outputs.write(&context.console, &|format, _| match format.kind() {
        Kind::Document => json::document(&document),
        Kind::Lines => json::line(&document),
        Kind::Text => page(&document),
    })?;
    Ok(ExitCode::Done)
}

/// Removes what killed runs left for agents to read, of their sandboxes and of benchmarks; with `dry_run`, only says what that is.
fn copies(place: &Place, dry_run: bool) -> Result<Vec<Cache>, Failure> {
    let mut found = Vec::new();
    let left = reading_copy::abandoned(&place.id()).into_iter().chain(policy::abandoned()).chain(ground::abandoned());
    for left in left {
        let path = left.path.clone();
        found.push(Cache { bytes: disk_bytes(&path), path: path.clone() });
        if !dry_run {
            left.remove().map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        }
    }
    Ok(found)
}

/// Whether HEAD has every commit of the branch: nothing is lost with it.
fn is_merged(slug: &str, place: &Place) -> Result<bool, Failure> {
    let branch = branch_of(slug);
    if !place.has_branch(&branch)? {
        return Ok(false);
    }
    let (head, tip) = (place.commit_of(None)?, place.commit_of(Some(&format!("refs/heads/{branch}")))?);
    Ok(place.merge_base(&head, &tip).is_ok_and(|base| base == tip))
}

fn agree_to_discard(slug: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !context.console.interactive {
        return Err(Failure::usage(format!("the branch improve/{slug} and its commits would be discarded"))
            .hint("add --yes to do that; `improve clean` alone keeps branches"));
    }
    if confirm(&format!("Discard the branch improve/{slug} and its commits?"))? {
        Ok(())
    } else {
        Err(Failure::silent(ExitCode::Done))
    }
}

/// The slug a PLAN argument means: of a worktree of ours, of a plan, or of a branch, which may be all that is left.
fn slug_of(plan: &str, found: &[Leftover], place: &Place) -> Result<String, Failure> {
    let name = plan.trim_end_matches(".md").rsplit('/').next().unwrap_or(plan);
    if let Some(exact) = found.iter().find(|leftover| leftover.slug == name) {
        return Ok(exact.slug.clone());
    }
    let number = |text: &str| text.split('-').next().and_then(|digits| digits.parse::<u32>().ok());
    let wanted = name.parse::<u32>().ok();
    let matching: Vec<&Leftover> = found
        .iter()
        .filter(|leftover| match wanted {
            Some(wanted) => number(&leftover.slug) == Some(wanted),
            None => {
                leftover.slug.starts_with(name)
                    || leftover.slug.split_once('-').is_some_and(|(_, slug)| slug.starts_with(name))
            }
        })
        .collect();
    match matching.as_slice() {
        [one] => Ok(one.slug.clone()),
        [] if place.has_branch(&branch_of(name))? => Ok(name.to_owned()),
        [] => Ok(plan_argument::read(plan, place.root())?.slug),
        several => {
            let mut failure =
                Failure::usage(format!("`{plan}` means {}", count(several.len(), "plan"))).hint("write more of it");
            failure.places = several.iter().map(|leftover| leftover.slug.clone()).collect();
            Err(failure)
        }
    }
}
