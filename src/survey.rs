//! The first half of the pipeline in one call: a folder → its repo map, with what git knows about it; effects when asked for.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::effects::{Effects, effects};
use crate::git::{self, Checkout, CommitId, GitError, GitTree, HistoryLimits, PastOfLines, Touches};
use crate::hint::Hint;
use crate::map::{self, CachePlace, MapError, MapOptions};
use crate::progress::Progress;
use crate::repo_map::RepoMap;
use crate::repo_map::history::{History, LineHistory, Log};
use crate::report::audit_document::Repository;
use crate::secrets::of_files;
use crate::settings::Settings;
use crate::tree::{Tree as _, WorkingTree};
use crate::worktree::place::{Place, cache_folder};

/// A folder, read.
pub struct Survey {
    /// Its absolute path.
    pub root: PathBuf,
    /// Its repository, when it is the top of one that git can read.
    pub git: Option<git::Repository>,
    /// Its files.
    pub tree: WorkingTree,
    /// What the mapper knows.
    pub map: RepoMap,
    /// What functions do, once somebody asked.
    effects: OnceLock<Effects>,
    /// The working tree differs from the commit.
    pub dirty: bool,
    /// What went wrong without being in the way.
    pub warnings: Vec<String>,
}

/// A folder that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The map could not be made.
    #[error(transparent)]
    Map(#[from] MapError),
    /// git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl Hint for SurveyError {
    fn hint(&self) -> Option<String> {
        match self {
            SurveyError::Map(error) => error.hint().map(str::to_owned),
            SurveyError::Git(error) => Hint::hint(error),
            SurveyError::Cancelled => None,
        }
    }
}

/// Reads the folder `root`. Without a readable git repository there is no history and no commit, and the rest still works.
pub fn survey(root: &Path, settings: &Settings, progress: &dyn Progress) -> Result<Survey, SurveyError> {
    let mut warnings = Vec::new();
    let mut known = GitFacts::default();
    let jobs = settings.jobs.value;
    let options = MapOptions {
        exclude: settings.exclude.value.clone(),
        jobs: (jobs > 0).then_some(jobs),
        cache: kept(root, "facts").map(|file| CachePlace { file, now_ns: now_ns() }),
        ..MapOptions::default()
    };
    if root.join(".git").exists() {
        match git_facts(root, &options, progress) {
            Ok(facts) => known = facts,
            Err(GitError::Cancelled) => return Err(SurveyError::Cancelled),
            Err(error) => warnings.push(match error.hint() {
                Some(hint) => format!("{error}; going on without git ({hint})"),
                None => format!("{error}; going on without git"),
            }),
        }
    }
    let GitFacts { git, tree, commit, history, dirty } = known;
    let tree = tree.unwrap_or_else(|| WorkingTree::new(root));
    let mut map = match map::build(&tree, &options, &history, commit, progress) {
        Err(MapError::Cancelled) => return Err(SurveyError::Cancelled),
        other => other?,
    };
    settings.override_commands(&mut map.recon);
    settings.declare_flows(&mut map.recon);
    if let (Some(git), Some(commit)) = (&git, &map.commit) {
        map.line_history = git.resolve(commit).ok().map(|commit| line_history(git, commit, kept(root, "history")));
    }
    Ok(Survey { root: root.to_owned(), git, tree, map, effects: OnceLock::new(), dirty, warnings })
}

/// What the mapper makes of a commit, without a checkout, with the history up to it. What is kept for the next time is kept under
/// `name`: one for each commit that is asked for again and again.
pub fn map_at(
    git: &git::Repository,
    commit: &CommitId,
    name: &str,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<(GitTree, RepoMap), SurveyError> {
    let tree = git.tree_of(commit)?;
    let map = map_of(&tree, git, commit, name, settings, progress)?;
    Ok((tree, map))
}

/// The same of a tree that is not all of the commit.
pub fn map_of(
    tree: &GitTree,
    git: &git::Repository,
    commit: &CommitId,
    name: &str,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<RepoMap, SurveyError> {
    let kept = |what: &str| kept(git.root(), &format!("{what}-{name}"));
    let touches = git.history(commit, HistoryLimits::default(), kept("history").as_deref(), progress)?;
    let entries = tree.entries().map_err(MapError::from)?;
    let history = touches.history(entries.iter().map(|entry| entry.path.as_str()));
    let options = MapOptions {
        exclude: settings.exclude.value.clone(),
        cache: kept("facts").map(|file| CachePlace { file, now_ns: now_ns() }),
        ..MapOptions::default()
    };
    let map = map::build(tree, &options, &history, Some(commit.to_string()), progress);
    let mut map = match map {
        Err(MapError::Cancelled) => return Err(SurveyError::Cancelled),
        other => other?,
    };
    settings.override_commands(&mut map.recon);
    settings.declare_flows(&mut map.recon);
    map.line_history = Some(line_history(git, commit.clone(), kept("history")));
    Ok(map)
}

fn line_history(git: &git::Repository, commit: CommitId, cache: Option<PathBuf>) -> Arc<dyn LineHistory> {
    Arc::new(PastOfLines::new(git.root().to_owned(), commit, cache))
}

#[derive(Default)]
struct GitFacts {
    git: Option<git::Repository>,
    tree: Option<WorkingTree>,
    commit: Option<String>,
    history: History,
    dirty: bool,
}

fn git_facts(root: &Path, options: &MapOptions, progress: &dyn Progress) -> Result<GitFacts, GitError> {
    let git = git::Repository::discover(root)?;
    let head = git.head()?;
    // The history needs the processor, the checkout the disk.
    let (touches, checkout) = std::thread::scope(|scope| {
        let touches = scope.spawn(|| touches(root, head.as_ref(), progress));
        let checkout = git.checkout(kept(root, "staged").as_deref());
        // Nobody should have to wait for a long history to be told what the repository is.
        if let Ok(Checkout { tree, .. }) = &checkout
            && progress.waits_for_listing()
            && !touches.is_finished()
        {
            // What is wrong with the tree or the options, the mapper says.
            let _ = map::announce(tree, options, progress);
        }
        (touches.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), checkout)
    });
    let (touches, Checkout { tree, dirty }) = (touches?, checkout?);
    let listed = tree.listing().map_or(&[][..], |listing| &listing.entries);
    let history = touches.history(listed.iter().map(|entry| entry.path.as_str()));
    // One handle that saw no object: the old one would hold on to every object and every part of a pack that the walk read,
    // 150 MB on 700,000 lines, for as long as the map is being made.
    drop(git);
    let git = git::Repository::discover(root)?;
    Ok(GitFacts { tree: Some(tree), commit: head.map(|commit| commit.to_string()), history, dirty, git: Some(git) })
}

fn touches(root: &Path, head: Option<&CommitId>, progress: &dyn Progress) -> Result<Touches, GitError> {
    let Some(head) = head else { return Ok(Touches::default()) };
    let limits = HistoryLimits::default();
    git::Repository::discover(root)?.history(head, limits, kept(root, "history").as_deref(), progress)
}

/// Nanoseconds since 1970.
fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A file of ours for this repository in the user's cache; `None` where that would be a file in the repository.
fn kept(root: &Path, name: &str) -> Option<PathBuf> {
    Some(Place::of_records(root, &cache_folder()).ok()?.cache().join(name))
}

impl Survey {
    /// What functions do, computed the first time: the map alone does not need it.
    pub fn effects(&self) -> &Effects {
        self.effects.get_or_init(|| effects(&self.map))
    }

    /// The text of a file for somebody to look at, credentials masked; `None` where there is none to show.
    pub fn text_to_show(&self, path: &str) -> Option<String> {
        of_files::read(&self.tree, path).ok()
    }

    /// The commits behind the history of the source files; none outside a repository.
    pub fn log(&self, progress: &dyn Progress) -> Result<Log, GitError> {
        let (Some(git), Some(commit)) = (&self.git, &self.map.commit) else { return Ok(Log::default()) };
        let commit = git.resolve(commit)?;
        let touches =
            git.history(&commit, HistoryLimits::default(), kept(&self.root, "history").as_deref(), progress)?;
        git.log(&touches, self.map.files.iter().map(|file| file.path.as_str()))
    }

    /// What reports say of the repository.
    pub fn repository(&self) -> Repository {
        Repository {
            root: self.root.to_string_lossy().into_owned(),
            commit: self.map.commit.clone(),
            dirty: self.dirty,
        }
    }
}
