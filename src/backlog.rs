//! The backlog: plans and their index on disk, changed by one process at a time.
//!
//! What the index says is [`crate::plan::index`]'s matter; here files are found, named and written.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::os;
use crate::plan::index::{self, NewRow, PlanStatus};
use crate::plan::issue::with_issue;
use crate::plan::parse::parse;
use crate::plan::{Plan, render};
use crate::tree::Tree;

mod disk;
mod resolve;

use disk::{Existing, Owner, collect, owner, refuse_link, write_atomically};

/// Folder of the plans, and the one used when the first belongs to something else.
const FOLDERS: [&str; 2] = ["plans", "advisor-plans"];
const INDEX: &str = "README.md";
/// How deep plans may be filed below their folder: `plans/program/done/001-x.md`.
const MAX_DEPTH: usize = 4;
/// How long a second process waits for the first.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// What went wrong with the backlog.
#[derive(Debug, thiserror::Error)]
pub enum BacklogError {
    /// The folder is a link.
    #[error("{}: a symbolic link, where plans would be written outside the repository", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Both folders belong to something else.
    #[error("plans/ and advisor-plans/ both hold something other than plans")]
    NoFolder,
    /// Writing is not allowed.
    #[error("{}: cannot be written to", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// Another process is at work.
    #[error("{}: another process is changing the plans", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A plan of this name is there.
    #[error("{}: exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// No plan answers to the argument.
    #[error("no plan is called `{argument}`")]
    NotFound {
        /// The argument as given.
        argument: String,
        /// Plans there are, at most ten.
        known: Vec<String>,
    },
    /// Several plans answer to the argument.
    #[error("`{argument}` may be {}", candidates.join(", "))]
    Ambiguous {
        /// The argument as given.
        argument: String,
        /// Paths of the plans, sorted.
        candidates: Vec<String>,
    },
    /// The plan cannot be read.
    #[error("{}: {reason}", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl BacklogError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            BacklogError::Symlink { .. } => "replace the link by a folder".to_owned(),
            BacklogError::NoFolder => "move one of them, or remove what is in it".to_owned(),
            BacklogError::ReadOnly { .. } => "make the folder writable, or work on a copy of the repository".to_owned(),
            BacklogError::Busy { .. } => "wait until it is done, then run the command again".to_owned(),
            BacklogError::Exists { .. } => "run the command again: it takes the next number".to_owned(),
            BacklogError::NotFound { known, .. } if known.is_empty() => {
                "there are no plans yet; `improve` writes some".to_owned()
            }
            BacklogError::NotFound { known, .. } => format!("plans there are: {}", known.join(", ")),
            BacklogError::Ambiguous { .. } => "give the path of one of them".to_owned(),
            BacklogError::NotAPlan { .. } => "check the file with `improve review`".to_owned(),
            BacklogError::Io { .. } => "check the path and its permissions".to_owned(),
        }
    }

    fn io(path: &Path, source: io::Error) -> BacklogError {
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                BacklogError::ReadOnly { path: path.to_owned() }
            }
            _ => BacklogError::Io { path: path.to_owned(), source },
        }
    }
}

/// Plans of a repository.
#[derive(Debug, Clone)]
pub struct Backlog {
    root: PathBuf,
    folder: &'static str,
    displaced: bool,
}

/// Proof that this process alone changes the backlog. Given back when dropped.
#[derive(Debug)]
pub struct BacklogLock(#[allow(dead_code)] File);

/// A plan on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanFile {
    /// Path relative to the repository, `/`-separated.
    pub path: String,
    /// The number its name starts with.
    pub number: Option<u32>,
    /// The name without number and extension.
    pub slug: String,
}

impl Backlog {
    /// The backlog of the repository at `root`. Nothing is written.
    ///
    /// `plans/` unless it holds something other than plans of this format, or plans are in `advisor-plans/` already.
    pub fn open(root: &Path) -> Result<Backlog, BacklogError> {
        let [first, second] = FOLDERS.map(|folder| owner(&root.join(folder)));
        let (folder, displaced) = match (first, second) {
            (Owner::Plans, _) | (Owner::Nobody, Owner::Nobody | Owner::SomethingElse) => (FOLDERS[0], false),
            (Owner::Nobody, Owner::Plans) => (FOLDERS[1], false),
            (Owner::SomethingElse, Owner::Plans | Owner::Nobody) => (FOLDERS[1], true),
            (Owner::SomethingElse, Owner::SomethingElse) => return Err(BacklogError::NoFolder),
        };
        Ok(Backlog { root: root.to_owned(), folder, displaced })
    }

    /// The folder of the plans, relative to the repository: `plans` or `advisor-plans`.
    pub fn folder(&self) -> &'static str {
        self.folder
    }

    /// Whether `plans/` belongs to something else, which the user should be told.
    pub fn is_displaced(&self) -> bool {
        self.displaced
    }

    /// The index, relative to the repository.
    pub fn index_path(&self) -> String {
        format!("{}/{INDEX}", self.folder)
    }

    /// Text of the index; an empty index when there is none yet.
    pub fn index_text(&self) -> Result<String, BacklogError> {
        let path = self.root.join(self.index_path());
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(index::EMPTY.to_owned()),
            Err(error) => Err(BacklogError::io(&path, error)),
        }
    }

    /// Every plan file, sorted by path. Links are not followed.
    pub fn plans(&self) -> Vec<PlanFile> {
        let mut found = Vec::new();
        collect(&self.root.join(self.folder), self.folder, MAX_DEPTH, &mut found);
        found.sort();
        found
    }

    /// Reads the plan at `path`, relative to the repository or absolute.
    pub fn read_plan(&self, path: &Path) -> Result<Plan, BacklogError> {
        let text = self.plan_text(path)?;
        let path = self.root.join(path);
        parse(&text).map_err(|reason| BacklogError::NotAPlan { path, reason: reason.to_string() })
    }

    /// The text of the plan at `path`, relative to the repository or absolute.
    pub fn plan_text(&self, path: &Path) -> Result<String, BacklogError> {
        let path = self.root.join(path);
        let bytes = fs::read(&path).map_err(|error| BacklogError::io(&path, error))?;
        String::from_utf8(bytes).map_err(|_| BacklogError::NotAPlan { path, reason: "not UTF-8".to_owned() })
    }

    /// The file a PLAN argument means: a path, a number (`1`, `001`, `plans/001.md`), a slug or a prefix that only one plan has.
    /// Relative to the repository unless the path leads out of it.
    pub fn resolve(&self, argument: &str) -> Result<PathBuf, BacklogError> {
        resolve::resolve(&self.root, self.folder, &self.plans(), argument)
    }

    /// One more than every number that was ever used, in file names or in the index.
    pub fn next_number(&self) -> Result<u32, BacklogError> {
        let rows = index::rows(&self.index_text()?);
        let in_index = rows
            .iter()
            .flat_map(|row| [row.number, row.last_number, row.file.as_deref().and_then(index::number_of_file)]);
        let used = self.plans().into_iter().map(|plan| plan.number).chain(in_index).flatten().max();
        Ok(used.unwrap_or(0).saturating_add(1))
    }

    /// The plan made for a finding, relative to the repository.
    pub fn plan_of_finding(&self, fingerprint: &str) -> Option<PathBuf> {
        let of_finding = |plan: &PlanFile| {
            let text = fs::read_to_string(self.root.join(&plan.path)).ok()?;
            // Most plans are ruled out without being parsed.
            let names_it =
                text.contains(fingerprint) && parse(&text).ok()?.status.finding.as_deref() == Some(fingerprint);
            names_it.then(|| PathBuf::from(&plan.path))
        };
        self.plans().iter().find_map(of_finding)
    }

    /// The status the index gives a plan.
    pub fn status(&self, path: &Path) -> Result<Option<PlanStatus>, BacklogError> {
        let text = self.index_text()?;
        Ok(index::find_row(&text, &self.name_in_index(path)).map(|row| row.status))
    }

    /// Fingerprints of rejected findings: entries of the index, and findings of plans that were rejected.
    pub fn rejected_fingerprints(&self) -> Result<Vec<String>, BacklogError> {
        let text = self.index_text()?;
        let mut found: Vec<String> =
            index::rejections(&text).into_iter().filter_map(|rejection| rejection.fingerprint).collect();
        for plan in self.plans() {
            let rejected = index::find_row(&text, &self.name_in_index(Path::new(&plan.path)))
                .is_some_and(|row| matches!(row.status, PlanStatus::Rejected(_)));
            if rejected && let Ok(plan) = self.read_plan(Path::new(&plan.path)) {
                found.extend(plan.status.finding);
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Takes the lock that every change needs; makes the folder when there is none.
    pub fn lock(&self) -> Result<BacklogLock, BacklogError> {
        let path = self.root.join(self.folder);
        refuse_link(&path)?;
        fs::create_dir_all(&path).map_err(|error| BacklogError::io(&path, error))?;
        let file = os::open_hold(&path).map_err(|error| BacklogError::io(&path, error))?;
        for _ in 0..LOCK_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(BacklogLock(file)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(BacklogError::io(&path, error)),
            }
        }
        Err(BacklogError::Busy { path })
    }

    /// Writes a new plan and its row; the path is relative to the repository. A file of that name is never replaced.
    pub fn write_plan(&self, _lock: &BacklogLock, plan: &Plan) -> Result<PathBuf, BacklogError> {
        let number = plan.number.map_or(String::new(), |number| format!("{number:03}-"));
        let name = format!("{number}{}.md", slug(&plan.title));
        let path = self.root.join(self.folder).join(&name);
        refuse_link(&self.root.join(self.folder))?;
        write_atomically(&path, &render::render(plan), Existing::Keep)?;
        let text = index::upsert(&self.index_text()?, &row_of(plan, name.clone(), PlanStatus::Todo));
        self.write_index(&text)?;
        Ok(PathBuf::from(self.folder).join(name))
    }

    /// Writes a plan anew where it stands. Its row stays as it is.
    pub fn rewrite_plan(&self, lock: &BacklogLock, path: &Path, plan: &Plan) -> Result<(), BacklogError> {
        self.rewrite_text(lock, path, &render::render(plan))
    }

    /// Writes the text of a plan where it stands.
    pub fn rewrite_text(&self, _lock: &BacklogLock, path: &Path, text: &str) -> Result<(), BacklogError> {
        let path = self.root.join(path);
        refuse_link(&path)?;
        write_atomically(&path, text, Existing::Replace)
    }

    /// Notes the issue of a plan in its text and in the index, where they have a place for it.
    pub fn note_issue(&self, lock: &BacklogLock, path: &Path, url: &str) -> Result<(), BacklogError> {
        if let Some(noted) = with_issue(&self.plan_text(path)?, url) {
            self.rewrite_text(lock, path, &noted)?;
        }
        match index::set_issue(&self.index_text()?, &self.name_in_index(path), url) {
            Some(changed) => self.write_index(&changed),
            None => Ok(()),
        }
    }

    /// Sets the status of a plan in the index; adds its row when it has none.
    pub fn set_status(&self, _lock: &BacklogLock, path: &Path, status: &PlanStatus) -> Result<(), BacklogError> {
        let text = self.index_text()?;
        let name = self.name_in_index(path);
        let changed = match index::set_status(&text, &name, status) {
            Some(changed) => changed,
            None => index::upsert(&text, &row_of(&self.read_plan(path)?, name, status.clone())),
        };
        self.write_index(&changed)
    }

    /// Remembers that a finding is not worth a plan.
    pub fn reject_finding(
        &self,
        _lock: &BacklogLock,
        fingerprint: &str,
        title: &str,
        reason: &str,
    ) -> Result<(), BacklogError> {
        let text = index::add_rejection(&self.index_text()?, fingerprint, title, reason);
        self.write_index(&text)
    }

    /// Rejects a plan, and the finding it was made for.
    pub fn reject_plan(&self, lock: &BacklogLock, path: &Path, reason: &str) -> Result<(), BacklogError> {
        let plan = self.read_plan(path)?;
        let one_line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        self.set_status(lock, path, &PlanStatus::Rejected(one_line))?;
        match &plan.status.finding {
            Some(fingerprint) => self.reject_finding(lock, fingerprint, &plan.title, reason),
            None => Ok(()),
        }
    }

    fn write_index(&self, text: &str) -> Result<(), BacklogError> {
        refuse_link(&self.root.join(self.folder))?;
        write_atomically(&self.root.join(self.index_path()), text, Existing::Replace)
    }

    /// The path of a plan as a link in the index names it.
    fn name_in_index(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let relative = relative.strip_prefix(self.folder).unwrap_or(relative);
        relative.to_string_lossy().replace('\\', "/")
    }
}

/// Rejected findings of a tree that is not on disk, by fingerprint, with the reason where the index gives one: its entries, and the
/// findings of plans that it links to and calls rejected.
pub fn rejected_in(tree: &dyn Tree) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        let Some(text) = tree.text(&format!("{folder}/{INDEX}")) else { continue };
        for row in index::rows(&text) {
            let PlanStatus::Rejected(reason) = row.status else { continue };
            let file = row.file.unwrap_or_default();
            let plan = tree.text(&format!("{folder}/{}", file.trim_start_matches("./"))).map(|text| parse(&text));
            if let Some(fingerprint) = plan.and_then(|plan| plan.ok()?.status.finding) {
                found.insert(fingerprint, reason);
            }
        }
        found.extend(index::reasons(&text));
    }
    found
}

fn row_of(plan: &Plan, file: String, status: PlanStatus) -> NewRow {
    NewRow {
        number: plan.number,
        file,
        title: plan.title.clone(),
        priority: plan.status.priority.map_or_else(|| "—".to_owned(), |priority| priority.label().to_owned()),
        effort: plan.status.effort.map_or_else(|| "—".to_owned(), |effort| effort.label().to_owned()),
        depends_on: plan.status.depends_on.clone(),
        status,
    }
}

/// The file name a title gives: lower case, words joined by `-`, at most 60 bytes, cut at a word.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in title.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !slug.is_empty() && slug.len() + word.len() >= 60 {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().take(60).map(|character| character.to_ascii_lowercase()));
    }
    if slug.is_empty() { "plan".to_owned() } else { slug }
}

#[cfg(test)]
mod tests;
