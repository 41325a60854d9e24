//! `improve branch --hook`: what a push waits for. It asks nothing, takes no longer than it may, and stops a push for findings alone.

use std::io::{self, IsTerminal, Read};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use improve::git::{CommitId, Repository};
use improve::report::branch::{Branch, Push, hook_page};
use improve::report::sanitize;
use improve::settings::Flags;

use super::{Against, Looked, look};
use crate::cli::Context;
use crate::cli::console::Console;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::models::ModelArgs;

/// Leaves the hook out.
const SKIP: &str = "IMPROVE_SKIP_HOOK";
/// What pre-commit says is pushed: it keeps what git tells hooks to itself.
const PRE_COMMIT_PUSHES: &str = "PRE_COMMIT_TO_REF";

/// Looks at what the branch brings; `models` are asked to judge it where they are given.
pub(super) fn run(
    base: Option<String>,
    flags: Flags,
    models: Option<&ModelArgs>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    if std::env::var_os(SKIP).is_some_and(|value| !value.is_empty() && value != "0") {
        context.console.note(&format!("improve: left out, for {SKIP} is set"));
        return Ok(ExitCode::Done);
    }
    // A push does not wait for answers.
    let mut console = context.console.clone();
    console.interactive = false;
    let context = &Context { globals: context.globals.clone(), console, cancel: context.cancel.clone() };
    match looked_at(base, flags, models, context) {
        Ok(code) => Ok(code),
        Err(failure) if failure.code == ExitCode::Interrupted => Err(failure),
        // Whatever else is wrong, it is not what is pushed.
        Err(Failure { code: _, message, places: _, hint }) => {
            let message = message.map(|message| format!(": {message}")).unwrap_or_default();
            let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            context.console.warn(&format!("improve looked at nothing{message}{hint}"));
            Ok(ExitCode::Done)
        }
    }
}

fn looked_at(
    base: Option<String>,
    flags: Flags,
    models: Option<&ModelArgs>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let console = &context.console;
    let workspace = context.globals.workspace(flags, console)?;
    // Ends with this function; what it watches over may hang in a read.
    let _watched = watch(workspace.settings.hook_timeout.value, console.clone());
    let git = Repository::discover(&workspace.root)?;
    let against = Against::find(&git, base)?;
    if !is_pushed(&against.head, &pushed()) {
        console.note("improve: what is pushed is not what is checked out, so nothing was looked at");
        return Ok(ExitCode::Done);
    }
    let Some(mut looked) = look(&git, &against, false, None, &workspace, context)? else {
        console.note(&format!("improve: nothing differs from {}", sanitize::line(&against.name)));
        return Ok(ExitCode::Done);
    };
    if let Some(models) = models {
        looked.vet(models, &workspace, context)?;
    }
    let stopping = looked.stopping(&workspace.settings);
    let Looked { document, incomplete: _, survey: _, aside: _ } = &looked;
    let layout = console.page(&document.repository.root);
    let branch = Branch { name: git.branch(), document, verbose: workspace.verbose };
    let push = Push { stopping, took: begun.elapsed(), leaves_out: SKIP };
    console.print(&hook_page(&branch, &push, &layout))?;
    Ok(if push.stopping.is_empty() { ExitCode::Done } else { ExitCode::Findings })
}

/// Ends the program when the time is up, as if all were well: whoever pushes shall not wait. Dropping what it gives ends the watch.
fn watch(time: Duration, console: Console) -> Sender<()> {
    let (ended, wait) = mpsc::channel();
    thread::spawn(move || {
        if wait.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            console.warn(&format!(
                "improve was not done within {} s, so nothing is said of this push (`improve map` once makes later runs fast; hook-timeout gives more time)",
                time.as_secs()
            ));
            process::exit(ExitCode::Done as i32);
        }
    });
    ended
}

/// The commits that git says it pushes; none where it does not say.
fn pushed() -> Vec<String> {
    if let Ok(commit) = std::env::var(PRE_COMMIT_PUSHES) {
        return vec![commit];
    }
    let mut text = String::new();
    if io::stdin().is_terminal() || io::stdin().read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    // <local ref> <local id> <remote ref> <remote id>
    text.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

/// Whether a push carries what is checked out; so it is taken to where nothing says what it carries.
fn is_pushed(head: &CommitId, pushed: &[String]) -> bool {
    pushed.is_empty() || pushed.iter().any(|id| id == head.as_str())
}
