//! Snapshots as they are asked for, each made once.

use std::collections::BTreeMap;
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

use improve::audit::{AuditOptions, Depth};
use improve::effects;
use improve::git::{HistoryLimits, Repository};
use improve::map::{self, MapOptions};
use improve::progress::NoProgress;
use improve::repo_map::history::History;
use improve::tree::Tree as _;

use crate::clones::Clones;
use crate::rows::Rows;
use crate::snapshot::Snapshot;

/// Whose findings are scored.
pub enum Source {
    /// Ours.
    Audit {
        /// The rules to run, empty for all.
        rules: Vec<String>,
    },
    /// Another tool's.
    Peer(Rows),
}

impl Source {
    /// Its name in reports.
    pub fn tool(&self) -> &str {
        match self {
            Source::Audit { .. } => "improve",
            Source::Peer(rows) => &rows.tool,
        }
    }

    /// Whether rules go by another tool's names.
    pub fn is_peer(&self) -> bool {
        matches!(self, Source::Peer(_))
    }
}

/// Snapshots of the repositories of a folder.
pub struct Snapshots<'a> {
    clones: Clones,
    source: &'a Source,
    made: BTreeMap<(String, String), Rc<Snapshot>>,
}

impl<'a> Snapshots<'a> {
    /// None yet.
    pub fn new(clones: Clones, source: &'a Source) -> Self {
        Self { clones, source, made: BTreeMap::new() }
    }

    /// The snapshot of `repo` at `commit`.
    pub fn at(&mut self, repo: &str, commit: &str) -> Result<Rc<Snapshot>, Box<dyn Error>> {
        let key = (repo.to_owned(), commit.to_owned());
        if let Some(snapshot) = self.made.get(&key) {
            return Ok(Rc::clone(snapshot));
        }
        let start = Instant::now();
        let repository = self.clones.open(repo)?;
        let snapshot = match self.source {
            Source::Audit { rules } => audit(&repository, commit, rules)?,
            Source::Peer(rows) => peer(repo, &repository, commit, rows)?,
        };
        let found = snapshot.found.iter().filter(|found| found.is_shown).count();
        eprintln!("{repo} {commit:.10}: {found} findings, {:.1} s", start.elapsed().as_secs_f64());
        let snapshot = Rc::new(snapshot);
        self.made.insert(key, Rc::clone(&snapshot));
        Ok(snapshot)
    }
}

/// What `improve audit` would find in a checkout of the commit, and what it would hide.
fn audit(repository: &Repository, commit: &str, rules: &[String]) -> Result<Snapshot, Box<dyn Error>> {
    let commit = repository.resolve(commit)?;
    let tree = repository.tree_of(&commit)?;
    let listed = tree.entries()?;
    let touches = repository.history(&commit, HistoryLimits::default(), None, &NoProgress)?;
    let history = touches.history(listed.iter().map(|entry| entry.path.as_str()));
    let map = map::build(&tree, &MapOptions::default(), &history, Some(commit.to_string()), &NoProgress)?;
    let effects = effects::effects(&map);
    let options = AuditOptions { only_rules: rules.to_vec(), depth: Depth::Deep, ..AuditOptions::default() };
    let audit = improve::audit::run(&map, &effects, &tree, &options)?;
    Ok(Snapshot::of_audit(tree, &map, &audit))
}

/// What the file says another tool found. The map is only asked for lines and tests.
fn peer(repo: &str, repository: &Repository, commit: &str, rows: &Rows) -> Result<Snapshot, Box<dyn Error>> {
    let run = rows.at(repo, commit);
    let commit = repository.resolve(commit)?;
    let tree = repository.tree_of(&commit)?;
    let map = map::build(&tree, &MapOptions::default(), &History::default(), None, &NoProgress)?;
    let mut snapshot = Snapshot::of_rows(tree, &map, &run.rows, run.files.as_ref());
    snapshot.failure.clone_from(&run.failure);
    Ok(snapshot)
}
