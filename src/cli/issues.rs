//! `--issues`: plans as issues of the forge.

use std::path::{Path, PathBuf};

use clap::Args;
use improve::backlog::Backlog;
use improve::forge::issues::{NewIssue, Published};
use improve::forge::push::remote;
use improve::plan::Plan;
use improve::report::issue::{body, labels, marker};
use improve::report::sanitize;
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::connection::Connection;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::trust::confirm;

/// Whether plans become issues.
#[derive(Debug, Clone, Copy, Args)]
pub struct IssueArgs {
    /// Publish the plans as issues on GitHub, too; one that is there for a plan is brought up to date
    #[arg(long, hide_short_help = true)]
    pub issues: bool,
    /// Publish plans about security although everybody can read the repository
    #[arg(long, hide_short_help = true)]
    pub allow_public_security: bool,
}

/// Publishes the plans at `paths`. What cannot be published leaves the others alone.
pub fn publish(args: IssueArgs, root: &Path, paths: &[PathBuf], context: &Context) -> Result<ExitCode, Failure> {
    let IssueArgs { issues, allow_public_security } = args;
    if !issues || paths.is_empty() {
        return Ok(ExitCode::Done);
    }
    let console = &context.console;
    let backlog = Backlog::open(root)?;
    let place = Place::of(root, &cache_folder())?;
    let connection = Connection::open(&remote(&place)?, root, allow_public_security, context)?;
    let mut code = ExitCode::Done;
    let mut plans: Vec<(&PathBuf, Plan)> = Vec::new();
    for path in paths {
        let plan = backlog.read_plan(path)?;
        match connection.check(&plan) {
            Ok(()) => plans.push((path, plan)),
            Err(error) => {
                console.fail(&Failure::from(error).at(path.to_string_lossy()));
                code = ExitCode::Incomplete;
            }
        }
    }
    if plans.is_empty() {
        return Ok(code);
    }
    if console.interactive {
        let titles: Vec<String> = plans.iter().map(|(_, plan)| format!("  {}", sanitize::line(&plan.title))).collect();
        console.ask(&format!("These become issues:\n{}", titles.join("\n")));
        if !confirm("Publish them?")? {
            return Ok(code);
        }
    }
    let forge = connection.forge();
    let mut board = forge.board()?;
    for (path, plan) in plans {
        let name = path.to_string_lossy();
        let new = NewIssue {
            marker: marker(&plan, &name),
            title: sanitize::line(&plan.title).trim().to_owned(),
            body: body(&plan, &name, &backlog.plan_text(path)?),
            labels: labels(plan.status.category),
        };
        let (issue, published) = forge.publish(&new, &mut board)?;
        let lock = backlog.lock()?;
        backlog.note_issue(&lock, path, &issue.url)?;
        let word = match published {
            Published::Opened => "opened",
            Published::Updated => "says now what the plan says",
            Published::There => "is there",
        };
        console.note(&format!("{name}: issue {word}: {}", sanitize::line(&issue.url)));
    }
    Ok(code)
}
