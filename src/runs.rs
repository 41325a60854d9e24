//! Runs: what every complete audit of a repository counted, one line of JSON each, so that reports can show a trend.
//!
//! A record is a convenience. Where it cannot be kept (a read-only disk, another process that holds the lock for long), the audit
//! goes on without it. Lines that cannot be read (a kill in the middle of one, a later version of this program) are passed over.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Category, Finding, Level};
use crate::temporary::replace;

/// Name of the file in the folder of a repository's state.
pub const FILE_NAME: &str = "runs.jsonl";
/// Held while a line is added: the file itself may be replaced meanwhile.
const LOCK_NAME: &str = "runs.lock";
/// Lines that are kept: about a year of thirty commits a week, in under half a megabyte.
const MOST_LINES: usize = 1_500;
/// Lines left when there are more: what is cut off is cut off seldom.
const LINES_LEFT: usize = 1_000;
/// A file over this size is not ours, and is left alone.
const MOST_BYTES: u64 = 4 << 20;
/// How long a second process waits for the first: an audit must not be slowed.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// What one audit counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// When it ended, RFC 3339.
    pub time: String,
    /// The commit that was checked out; null outside a git repository and before the first commit.
    pub commit: Option<String>,
    /// When that commit was authored, Unix time in seconds.
    pub committed: Option<i64>,
    /// The working tree differed from the commit.
    pub dirty: bool,
    /// Findings by level.
    pub levels: BTreeMap<Level, usize>,
    /// Findings by category; those without any are left out.
    pub categories: BTreeMap<Category, usize>,
    /// Findings that the baseline knows, which are in none of the two.
    pub known: usize,
    /// Lines of source that were read.
    pub lines: u64,
    /// `built-in`, or the model that planned.
    pub planner: String,
    /// What was looked for and how, in short: runs are comparable where it is the same.
    pub settings: String,
    /// Version of this program: what it finds may change with it.
    pub version: String,
}

impl Run {
    /// Findings of every level.
    pub fn findings(&self) -> usize {
        self.levels.values().sum()
    }

    /// Findings of one level.
    pub fn of_level(&self, level: Level) -> usize {
        self.levels.get(&level).copied().unwrap_or(0)
    }

    /// Findings by level and by category.
    pub fn counted(findings: &[Finding]) -> (BTreeMap<Level, usize>, BTreeMap<Category, usize>) {
        let (mut levels, mut categories) = (BTreeMap::new(), BTreeMap::new());
        for finding in findings {
            *levels.entry(finding.level()).or_insert(0) += 1;
            *categories.entry(finding.category).or_insert(0) += 1;
        }
        (levels, categories)
    }

    /// Whether both look at the same thing in the same way.
    fn is_of(&self, other: &Run) -> bool {
        (&self.commit, self.dirty, &self.settings, &self.planner)
            == (&other.commit, other.dirty, &other.settings, &other.planner)
    }

    /// Whether the other says nothing that this one does not.
    fn says_the_same(&self, other: &Run) -> bool {
        self.is_of(other)
            && (&self.levels, &self.categories, self.known, self.lines)
                == (&other.levels, &other.categories, other.known, other.lines)
    }
}

/// The runs of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    folder: PathBuf,
}

impl Runs {
    /// The runs in the folder `state`.
    pub fn within(state: &Path) -> Runs {
        Runs { folder: state.to_owned() }
    }

    /// Their file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    /// Every run that can be read, the oldest line first. None where there is no file.
    pub fn read(&self) -> io::Result<Vec<Run>> {
        let path = self.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > MOST_BYTES => {
                return Err(io::Error::other(format!("over {} MB", MOST_BYTES >> 20)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        let text = fs::read(&path)?;
        Ok(text.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Adds a run, unless the last one of its commit and settings says the same. False where there was nothing to add.
    pub fn record(&self, run: &Run) -> io::Result<bool> {
        fs::create_dir_all(&self.folder)?;
        let _lock = self.lock()?;
        let mut runs = self.read()?;
        if runs.iter().rev().find(|other| other.is_of(run)).is_some_and(|last| last.says_the_same(run)) {
            return Ok(false);
        }
        if runs.len() >= MOST_LINES {
            let first = runs.len() + 1 - LINES_LEFT;
            let kept = runs.drain(first..).chain([run.clone()]);
            let text: String = kept.map(|run| line(&run)).collect();
            replace(&self.path(), text.as_bytes())?;
            return Ok(true);
        }
        let mut file = OpenOptions::new().append(true).read(true).create(true).open(self.path())?;
        // What a kill cut off must not take the next line with it.
        let cut = if ends_in_a_line(&mut file)? { "" } else { "\n" };
        file.write_all(format!("{cut}{}", line(run)).as_bytes())?;
        Ok(true)
    }

    fn lock(&self) -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join(LOCK_NAME))?;
        for _ in 0..LOCK_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another process is adding to it"))
    }
}

fn line(run: &Run) -> String {
    let mut text = serde_json::to_string(run).expect("a run is JSON");
    text.push('\n');
    text
}

fn ends_in_a_line(file: &mut File) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The runs that can be compared with `like`: one a commit, in order of the commits. The newest word on a commit counts, and what
/// was found on clean files counts before what was found on changed ones.
pub fn trend(runs: &[Run], like: &Run) -> Vec<Run> {
    let comparable = runs.iter().filter(|run| (&run.settings, &run.planner) == (&like.settings, &like.planner));
    let mut of_commit: BTreeMap<&Option<String>, &Run> = BTreeMap::new();
    for run in comparable {
        let before = of_commit.get(&run.commit);
        // Without a commit every run stands for itself, and nothing says which replaces which: the newest is what there is.
        if before.is_none_or(|before| before.dirty || !run.dirty) {
            of_commit.insert(&run.commit, run);
        }
    }
    let mut trend: Vec<Run> = of_commit.into_values().cloned().collect();
    trend.sort_by(|one, other| (one.committed, &one.time).cmp(&(other.committed, &other.time)));
    trend
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(commit: &str, high: usize) -> Run {
        Run {
            time: "2026-11-21T10:00:00Z".to_owned(),
            commit: Some(commit.to_owned()),
            committed: Some(i64::from(commit.as_bytes()[0])),
            dirty: false,
            levels: BTreeMap::from([(Level::High, high)]),
            categories: BTreeMap::from([(Category::Bug, high)]),
            known: 0,
            lines: 1_200,
            planner: "built-in".to_owned(),
            settings: "5e771265".to_owned(),
            version: "0.1.0".to_owned(),
        }
    }

    fn runs() -> (tempfile::TempDir, Runs) {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::within(&folder.path().join("state"));
        (folder, runs)
    }

    #[test]
    fn the_same_result_on_the_same_commit_is_told_once() {
        let (_folder, runs) = runs();
        assert_eq!(runs.read().unwrap(), vec![]);
        assert!(runs.record(&run("a", 3)).unwrap());
        assert!(!runs.record(&Run { time: "later".to_owned(), ..run("a", 3) }).unwrap());
        assert!(runs.record(&run("b", 2)).unwrap());
        assert!(!runs.record(&run("a", 3)).unwrap(), "an old commit looked at again");
        assert!(runs.record(&Run { settings: "other".to_owned(), ..run("a", 3) }).unwrap());
        assert!(runs.record(&run("a", 1)).unwrap(), "the same commit, and another result");
        assert_eq!(runs.read().unwrap().len(), 4);
    }

    #[test]
    fn torn_and_unknown_lines_are_passed_over() {
        let (_folder, runs) = runs();
        runs.record(&run("a", 3)).unwrap();
        let whole = fs::read_to_string(runs.path()).unwrap();
        fs::write(runs.path(), format!("{whole}{{\"later\": true}}\n\u{fffd}\n{}", &whole[..30])).unwrap();
        assert!(runs.record(&run("b", 2)).unwrap());
        assert_eq!(runs.read().unwrap(), vec![run("a", 3), run("b", 2)]);
    }

    #[test]
    fn the_file_is_bounded_and_keeps_the_newest() {
        let (_folder, runs) = runs();
        fs::create_dir_all(runs.path().parent().unwrap()).unwrap();
        let text: String = (0..MOST_LINES).map(|number| line(&run("a", number))).collect();
        fs::write(runs.path(), text).unwrap();
        assert!(runs.record(&run("z", 7)).unwrap());
        let left = runs.read().unwrap();
        assert_eq!(left.len(), LINES_LEFT);
        assert_eq!((left[0].findings(), left.last().unwrap()), (MOST_LINES + 1 - LINES_LEFT, &run("z", 7)));
    }

    #[test]
    fn runs_at_the_same_time_lose_no_line() {
        let (_folder, runs) = runs();
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let runs = &runs;
                scope.spawn(move || {
                    let commit = char::from(b'a' + writer).to_string();
                    for number in 0..20 {
                        // Who waits too long is told so.
                        while runs.record(&run(&commit, number)).is_err() {}
                    }
                });
            }
        });
        assert_eq!(runs.read().unwrap().len(), 80);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state"), "a file").unwrap();
        assert!(Runs::within(&folder.path().join("state")).record(&run("a", 1)).is_err());
    }

    #[test]
    fn a_trend_has_one_run_a_commit_and_only_what_is_comparable() {
        let dirty = Run { dirty: true, ..run("b", 9) };
        let other = Run { settings: "other".to_owned(), ..run("c", 5) };
        let lines = vec![run("c", 1), run("a", 3), run("b", 2), dirty, run("a", 4), other];
        assert_eq!(trend(&lines, &run("c", 1)), vec![run("a", 4), run("b", 2), run("c", 1)]);
    }
}
