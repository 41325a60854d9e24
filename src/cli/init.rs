//! `improve init`: what a repository gets so that this program is used without thinking of it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use clap::Args;
use improve::git::Repository;
use improve::init::hook::{self, keeper};
use improve::init::undo::{self, Undo};
use improve::init::{ByHand, Change, NewFile, Setup};
use improve::os;
use improve::report::layout::{paint, style};
use improve::report::sanitize;
use improve::settings::Flags;
use inquire::{InquireError, MultiSelect};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;

/// Set up a repository: a hook before pushes, settings, a skill for agents. What is there is kept
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Look at what a branch brings before it is pushed, beside the hooks there are: git's own, husky, lefthook, pre-commit
    #[arg(long)]
    hook: bool,
    /// Write improve.toml, every key at its default
    #[arg(long)]
    config: bool,
    /// Write a workflow of GitHub Actions: what pull requests bring, and what the default branch holds
    #[arg(long)]
    workflow: bool,
    /// With --workflow: have the default branch looked at by N machines at once
    #[arg(long, value_name = "N", requires = "workflow", value_parser = clap::value_parser!(u16).range(2..=256))]
    shards: Option<u16>,
    /// Write a skill that tells agents how to use this program
    #[arg(long)]
    skill: bool,
    /// Take back what was set up, all of it or what is named: our lines out of files, and files that are as we wrote them
    #[arg(long)]
    undo: bool,
    /// Write nothing: show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Something on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Hook,
    File(NewFile),
}

const OFFERS: [Offer; 4] =
    [Offer::Hook, Offer::File(NewFile::Settings), Offer::File(NewFile::Workflow(None)), Offer::File(NewFile::Skill)];
/// What names them.
const FLAGS: &str = "--hook, --config, --workflow, --skill";

impl fmt::Display for Offer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Offer::Hook => "a hook that looks at what a branch brings before it is pushed",
            Offer::File(NewFile::Settings) => "improve.toml, with every key at its default",
            Offer::File(NewFile::Workflow(_)) => "a workflow that looks at pull requests on GitHub",
            Offer::File(NewFile::Skill) => "a skill that tells agents how to use this program",
        })
    }
}

/// Sets up what was named or ticked.
pub fn run(args: InitArgs, context: &Context) -> Result<ExitCode, Failure> {
    let InitArgs { hook, config, workflow, shards, skill, undo, dry_run } = args;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let git = Repository::discover(&workspace.root)?;
    let root = git.root();
    let named = OFFERS.into_iter().zip([hook, config, workflow, skill]).filter(|(_, named)| *named);
    let mut wanted: Vec<Offer> = named.map(|(offer, _)| offer).collect();
    if let Some(number) = shards {
        wanted.push(Offer::File(NewFile::Workflow(Some(usize::from(number)))));
    }
    let branch = git.default_branch().unwrap_or_else(|| "main".to_owned());
    if undo {
        let everything = || OFFERS.into_iter().chain(shards_of(root)).collect();
        let all = wanted.is_empty();
        let wanted = if all { everything() } else { wanted };
        return take_back(wanted, all, &git, &branch, dry_run, context);
    }
    if wanted.is_empty() {
        if !context.console.interactive {
            return Err(Failure::usage("nothing says what to set up").hint(format!("name it: {FLAGS}")));
        }
        wanted = ask()?;
    }
    let mut text = String::new();
    let mut code = ExitCode::Done;
    for offer in wanted {
        let setup = match offer {
            Offer::Hook => hook::setup(keeper(root, &git.hooks()?).map_err(|error| Failure::usage(error.to_string()))?),
            Offer::File(file) => new_file(root, file, &branch),
        };
        match setup {
            Setup::There(path) => {
                let _ = writeln!(text, "kept {}: it is there already", shown(&path, root));
            }
            Setup::Write(change) => {
                if dry_run {
                    text.push_str(&difference(&change, root));
                } else {
                    write(&change, root)?;
                    let word = if change.before.is_some() { "added to" } else { "wrote" };
                    let _ = writeln!(text, "{} {}", paint(style::GOOD, word), shown(&change.path, root));
                }
                if let Some(then) = &change.then {
                    let _ = writeln!(text, "  {then}");
                }
            }
            Setup::ByHand(ByHand { path, why, lines }) => {
                code = ExitCode::Blocked;
                let _ = writeln!(text, "{} {}: {why}. Add there:\n", paint(style::WARN, "left"), shown(&path, root));
                lines.lines().for_each(|line| {
                    let _ = writeln!(text, "    {line}");
                });
                text.push('\n');
            }
        }
    }
    context.console.print(&text)?;
    Ok(code)
}

/// The workflow of several machines, where there is one: for as many as it names.
fn shards_of(root: &Path) -> Option<Offer> {
    let file = |number| NewFile::Workflow(Some(number));
    let text = fs::read_to_string(root.join(file(0).path(&|_| false))).ok()?;
    let (_, rest) = text.split_once("[1/")?;
    let number = rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()?;
    Some(Offer::File(file(number)))
}

/// Takes back what was set up; where that is `all` there is, what is not there goes without a word.
fn take_back(
    wanted: Vec<Offer>,
    all: bool,
    git: &Repository,
    branch: &str,
    dry_run: bool,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let root = git.root();
    let mut text = String::new();
    let mut code = ExitCode::Done;
    for offer in wanted {
        let undo = match offer {
            Offer::Hook => {
                hook::removed(keeper(root, &git.hooks()?).map_err(|error| Failure::usage(error.to_string()))?)
            }
            Offer::File(file) => {
                let path = root.join(file.path(&|folder| root.join(folder).is_dir()));
                let there = fs::read_to_string(&path).ok();
                undo::file(path, there, file, branch)
            }
        };
        match undo {
            Undo::NotThere(_) if all => {}
            Undo::NotThere(path) => {
                let _ = writeln!(text, "nothing of ours in {}", shown(&path, root));
            }
            Undo::Edit(change) if dry_run => text.push_str(&difference(&change, root)),
            Undo::Edit(change) => {
                write(&change, root)?;
                let _ = writeln!(text, "{} {}", paint(style::GOOD, "took our lines out of"), shown(&change.path, root));
            }
            Undo::Remove(path) if dry_run => {
                let _ = writeln!(text, "would remove {}", shown(&path, root));
            }
            Undo::Remove(path) => {
                fs::remove_file(&path).map_err(|error| {
                    Failure::usage(format!("{}: {error}", shown(&path, root))).code(ExitCode::Incomplete)
                })?;
                let _ = writeln!(text, "{} {}", paint(style::GOOD, "removed"), shown(&path, root));
            }
            Undo::Left { path, why } => {
                code = ExitCode::Blocked;
                let _ = writeln!(text, "{} {}: {why}", paint(style::WARN, "left"), shown(&path, root));
            }
        }
    }
    if text.is_empty() {
        text.push_str("Nothing that `improve init` sets up is here.\n");
    }
    context.console.print(&text)?;
    Ok(code)
}

fn ask() -> Result<Vec<Offer>, Failure> {
    let answer = MultiSelect::new("What shall be set up?", OFFERS.to_vec())
        .with_default(&[0])
        .with_help_message("↑↓ move · space tick · → all · ← none · enter go on · esc none")
        .with_formatter(&|wanted| format!("{} of {}", wanted.len(), OFFERS.len()))
        .prompt();
    match answer {
        Ok(wanted) => Ok(wanted),
        Err(InquireError::OperationCanceled) => Ok(Vec::new()),
        Err(InquireError::OperationInterrupted) => Err(Failure::interrupted()),
        Err(error) => {
            Err(Failure::usage(format!("the list cannot be shown: {error}"))
                .hint(format!("name what to set up: {FLAGS}")))
        }
    }
}

fn new_file(root: &Path, file: NewFile, branch: &str) -> Setup {
    let path = root.join(file.path(&|folder| root.join(folder).is_dir()));
    // A link that leads nowhere is there, too.
    if fs::symlink_metadata(&path).is_ok() {
        return Setup::There(path);
    }
    Setup::Write(Change { path, before: None, after: file.text(branch), executable: false, then: file.then() })
}

/// A path below the root as the user would type it there.
fn shown(path: &Path, root: &Path) -> String {
    sanitize::line(&path.strip_prefix(root).unwrap_or(path).to_string_lossy()).into_owned()
}

fn difference(change: &Change, root: &Path) -> String {
    let Change { path, before, after, executable: _, then: _ } = change;
    let name = shown(path, root);
    let before = before.as_deref().unwrap_or_default();
    let diff = similar::TextDiff::from_lines(before, after);
    sanitize::block(&diff.unified_diff().context_radius(2).header(&name, &name).to_string())
}

/// Writes the file whole or not at all, with the rights it had.
fn write(change: &Change, root: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, error: io::Error| {
        Failure::usage(format!("{}: {error}", shown(path, root)))
            .hint("nothing was changed there")
            .code(ExitCode::Incomplete)
    };
    let Change { path, before, after, executable, then: _ } = change;
    let folder = path.parent().unwrap_or(root);
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(root);
    if !within(there, root).map_err(|error| failed(there, error))? {
        return Err(Failure::usage(format!("{}: a link leads out of the repository", shown(folder, root)))
            .hint("write the file yourself; --dry-run shows it"));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let replaced = fs::metadata(path).ok();
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(after.as_bytes())?;
        os::set_rights(file.as_file(), replaced.as_ref(), *executable)?;
        file.as_file().sync_all()?;
        match before {
            Some(_) => file.persist(path).map_err(|error| error.error),
            None => file.persist_noclobber(path).map_err(|error| error.error),
        }
    });
    written.map(|_| ()).map_err(|error| failed(path, error))
}

/// Whether a folder lies in the repository or in what git keeps of it, with every link followed.
fn within(folder: &Path, root: &Path) -> io::Result<bool> {
    let folder = os::canonical(folder)?;
    let git: Option<PathBuf> = Repository::discover(root).ok().map(|git| git.common_dir().to_owned());
    let homes = [Some(root.to_owned()), git].into_iter().flatten();
    Ok(homes.filter_map(|home| os::canonical(&home).ok()).any(|home| folder.starts_with(home)))
}
