//! Flags every command takes, and what they lead to: the repository, its settings.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use improve::git::{CommitId, GitError, GitTree, Repository};
use improve::os;
use improve::settings::{self, Flags, Layer, Settings, SettingsFile};
use improve::tree::{Tree as _, TreeError};

use super::console::Console;
use super::failure::Failure;

/// Flags every command takes.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// The repository; by default the one around the current folder
    #[arg(long, value_name = "DIR", global = true, help_heading = "Global options")]
    pub repo: Option<PathBuf>,
    /// Print nothing but the document and errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Say more
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = "Global options")]
    pub verbose: bool,
    /// Colour: auto, always, never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        global = true,
        help_heading = "Global options",
        hide_short_help = true
    )]
    pub color: Color,
    /// Threads, and plans at a time in `apply`; 0 is one a processor [env: IMPROVE_JOBS]
    #[arg(long, value_name = "N", global = true, help_heading = "Global options")]
    pub jobs: Option<usize>,
    /// Never ask; take the answer a script would get
    #[arg(long, global = true, help_heading = "Global options", hide_short_help = true)]
    pub no_input: bool,
    /// Read improve.toml, the baseline and rejections from this commit: a change must not choose what it is judged by
    #[arg(long, value_name = "REF", global = true, help_heading = "Global options", hide_short_help = true)]
    pub settings_from: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a command works on.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Root of the repository, absolute.
    pub root: PathBuf,
    /// What is set.
    pub settings: Settings,
    /// `--verbose`.
    pub verbose: bool,
    /// `--settings-from`: the commit that says what is judged by what; `None` where the files here do.
    pub judged_by: Option<CommitId>,
}

impl Workspace {
    /// The files that say what is judged by what, where they are not those here.
    pub fn judged_by(&self) -> Result<Option<GitTree>, Failure> {
        let Some(commit) = &self.judged_by else { return Ok(None) };
        Ok(Some(Repository::discover(&self.root)?.tree_of(commit)?))
    }
}

impl GlobalArgs {
    /// Finds the repository and reads the settings. `flags` are those of the command, as settings.
    pub fn workspace(&self, flags: Flags, console: &Console) -> Result<Workspace, Failure> {
        let GlobalArgs { repo, quiet: _, verbose, color: _, jobs, no_input: _, settings_from } = self;
        let root = match repo {
            Some(folder) => named_root(folder, console)?,
            None => {
                let here =
                    std::env::current_dir().map_err(|error| Failure::usage(format!("current folder: {error}")))?;
                enclosing_repository(&here).unwrap_or(here)
            }
        };
        let judged_by = settings_from.as_deref().map(|revision| commit_of(&root, revision)).transpose()?;
        let of_user = user_file().map(|path| settings::read_file(&path, Layer::User)).transpose()?.flatten();
        let of_repository = match &judged_by {
            Some(commit) => file_at(&root, commit)?,
            None => settings::read_file(&root.join(settings::FILE_NAME), Layer::Repository)?,
        };
        let files: Vec<SettingsFile> = of_user.into_iter().chain(of_repository).collect();
        let flags = Flags { jobs: *jobs, ..flags };
        let settings = Settings::layered(&files, &|name| std::env::var(name).ok(), flags)?;
        let threads = settings.jobs.value;
        // Fails only when the pool is already there, which the first command of a process cannot meet.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        Ok(Workspace { root, settings, verbose: *verbose, judged_by })
    }
}

/// The commit `--settings-from` names.
fn commit_of(root: &Path, revision: &str) -> Result<CommitId, Failure> {
    Repository::discover(root)?.resolve(revision).map_err(|error| match error {
        GitError::NoSuchCommit { .. } => {
            Failure::usage(format!("--settings-from {revision}: no such branch, tag or commit"))
                .hint("in CI, fetch it first: `fetch-depth: 0` for actions/checkout")
        }
        other => other.into(),
    })
}

/// The settings file as it stands in a commit.
fn file_at(root: &Path, commit: &CommitId) -> Result<Option<SettingsFile>, Failure> {
    let path = PathBuf::from(format!("{}:{}", commit.as_str(), settings::FILE_NAME));
    let unreadable = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    match Repository::discover(root)?.tree_of(commit)?.read(settings::FILE_NAME) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| unreadable("not UTF-8".to_owned()))?;
            Ok(Some(SettingsFile { path, text, layer: Layer::Repository }))
        }
        Err(TreeError::Missing { .. }) => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// `--repo DIR` means DIR itself, so that a folder inside a repository can be looked at alone.
fn named_root(folder: &Path, console: &Console) -> Result<PathBuf, Failure> {
    let named = |error: std::io::Error| {
        Failure::usage(format!("{}: {error}", folder.display())).hint("--repo takes the folder of the repository")
    };
    let root = os::canonical(folder).map_err(named)?;
    if !root.is_dir() {
        return Err(Failure::usage(format!("{}: not a folder", folder.display()))
            .hint("--repo takes the folder of the repository"));
    }
    if let Some(around) = enclosing_repository(&root)
        && around != root
    {
        console.note(&format!(
            "note: {} lies inside the repository {}; it is read as a folder of its own, without history",
            root.display(),
            around.display()
        ));
    }
    Ok(root)
}

/// The nearest folder around `folder`, itself included, that holds a `.git`.
fn enclosing_repository(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).map(Path::to_owned)
}

/// `$XDG_CONFIG_HOME/improve/improve.toml`, else `~/.config/improve/improve.toml`.
pub fn user_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder(os::HOME).map(|home| home.join(".config")))?;
    Some(config.join("improve").join(settings::FILE_NAME))
}
