//! The ground of a trial: the task's repository in a folder of its own, thrown away afterwards.
//!
//! The hidden tests are not in it. They are laid over a checkout of the finished work, and nobody but a command reads them there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cancel::Cancel;
use crate::gate::memory::Memory;
use crate::gate::runner::{RunError, Runner};
use crate::gate::{GateLimits, GateResult};
use crate::git::{GitError, found};
use crate::map::{self, MapError, MapOptions};
use crate::observer::Observer;
use crate::plan::Gate;
use crate::planner::built_in::PlanContext;
use crate::progress::NoProgress;
use crate::repo_map::RepoMap;
use crate::repo_map::history::History;
use crate::sandbox::Sandbox;
use crate::settings::{self, Flags, Layer, Settings, SettingsError, SettingsFile};
use crate::temporary::{self, Abandoned, Folder};
use crate::tree::WorkingTree;
use crate::trust::Approved;
use crate::worktree::{Place, Worktree, WorktreeError};

use super::arms;
use super::task::{Files, Task};

/// How names of their folders begin.
const PREFIX: &str = "improve-bench-";
/// Worktree in which hidden tests are run.
const HIDDEN: &str = "hidden-tests";

/// A trial that cannot be held: nobody's fault who is measured.
#[derive(Debug, thiserror::Error)]
pub enum GroundError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A path of the task leads out of its folder.
    #[error("{path}: leads out of the task")]
    Outside {
        /// The path.
        path: String,
    },
    /// git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A worktree could not be made.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// The repository could not be read.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Its settings could not be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A command could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// How commands are run on it.
#[derive(Clone, Copy)]
pub struct Running<'a> {
    /// How far they are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// What each may take.
    pub limits: GateLimits,
    /// Hears of them.
    pub observer: &'a dyn Observer,
    /// Stops them.
    pub cancel: &'a Cancel,
}

/// A repository of a task.
pub struct Ground {
    folder: Folder,
    place: Place,
    commit: String,
}

/// The repository, read.
pub struct Reading {
    /// Its files.
    pub tree: WorkingTree,
    /// What the mapper knows.
    pub map: RepoMap,
}

/// Grounds that killed runs left in the temporary folder, sorted by path.
pub fn abandoned() -> Vec<Abandoned> {
    temporary::abandoned(PREFIX)
}

impl Ground {
    /// The repository of a task, in its one commit.
    pub fn lay(task: &Task) -> Result<Ground, GroundError> {
        Ground::of_files(&task.id, &[&task.repository])
    }

    /// A repository of these files, later ones over earlier ones.
    pub fn of_files(name: &str, layers: &[&Files]) -> Result<Ground, GroundError> {
        let folder = Folder::new(PREFIX).map_err(at(&std::env::temp_dir()))?;
        let root = folder.path().join(name);
        for files in layers {
            write(&root, files)?;
        }
        let commit = found(&root, "improve bench", "The repository as it is")?.as_str().to_owned();
        let place = Place::of(&root, &folder.path().join("cache"))?;
        Ok(Ground { folder, place, commit })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.place.root()
    }

    /// Our cache for it alone: nothing is known from another trial.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Where git and worktrees are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its commit.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Reads it, as every command would: with the settings that stand in it.
    pub fn read(&self) -> Result<Reading, GroundError> {
        let tree = WorkingTree::new(self.root());
        let file = settings::read_file(&self.root().join(settings::FILE_NAME), Layer::Repository)?;
        let files: Vec<SettingsFile> = file.into_iter().collect();
        let settings = Settings::layered(&files, &|_| None, Flags::default())?;
        let options = MapOptions { exclude: settings.exclude.value.clone(), ..MapOptions::default() };
        let commit = Some(self.commit.clone());
        let mut map = map::build(&tree, &options, &History::default(), commit, &NoProgress)?;
        settings.override_commands(&mut map.recon);
        settings.declare_flows(&mut map.recon);
        Ok(Reading { tree, map })
    }

    /// Runs gates on a commit with `files` laid over it.
    pub fn judge(
        &self,
        commit: &str,
        files: &Files,
        gates: &[Gate],
        running: Running<'_>,
    ) -> Result<Vec<GateResult>, GroundError> {
        let worktree = Worktree::create(&self.place, HIDDEN, commit, None)?;
        let judged = self.judge_in(&worktree, files, gates, running);
        Worktree::remove(&self.place, HIDDEN)?;
        judged
    }

    fn judge_in(
        &self,
        worktree: &Worktree,
        files: &Files,
        gates: &[Gate],
        running: Running<'_>,
    ) -> Result<Vec<GateResult>, GroundError> {
        // Through the worktree, which follows no link that somebody put in the place of a test.
        let files = files.iter().map(|(path, text)| (path.clone(), Some(text.clone()))).collect();
        worktree.write(&files)?;
        let commands: Vec<String> = gates.iter().map(|gate| gate.command.clone()).collect();
        let Running { sandbox, limits, observer, cancel } = running;
        let runner = Runner {
            approved: &Approved::by_user(&commands),
            limits,
            sandbox,
            git: self.place.common(),
            record: Some(self.place.running_of(HIDDEN)),
            output: None,
            observer,
            cancel,
            memory: Memory::default(),
        };
        let gates: Vec<_> = gates.iter().map(|gate| ("hidden tests".to_owned(), gate)).collect();
        Ok(runner.run_all(&gates, worktree, &|_| None)?)
    }
}

fn write(root: &Path, files: &Files) -> Result<(), GroundError> {
    for (path, text) in files {
        if crate::edit::path::fault(path).is_some() {
            return Err(GroundError::Outside { path: path.clone() });
        }
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(at(folder))?;
        fs::write(&file, text).map_err(at(&file))?;
    }
    Ok(())
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> GroundError + '_ {
    move |source| GroundError::Io { path: path.to_owned(), source }
}

/// What of a task is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The repository as it is.
    Defect,
    /// With the right fix.
    Reference,
    /// With a fix that only looks right.
    LooksRight,
}

/// What is wrong with a task, in words: its hidden tests have to fail on the defect and on the fix that only looks right, and to pass
/// on the reference; of its visible gates one has to be red on the defect, and all green on
/// either fix; the recipe of the rule it names has to be exact. Empty for a sound task.
pub fn faults(task: &Task, running: Running<'_>) -> Result<Vec<String>, GroundError> {
    let hidden: Vec<Gate> = task.hidden_gate().into_iter().collect();
    let mut faults = Vec::new();
    for state in [State::Defect, State::Reference, State::LooksRight] {
        let (name, fix) = match state {
            State::Defect => ("the repository as it is", None),
            State::Reference => ("reference/", Some(&task.reference)),
            State::LooksRight => ("wrong/", Some(&task.wrong)),
        };
        if fix.is_some_and(Files::is_empty) {
            continue;
        }
        let layers: Vec<&Files> = std::iter::once(&task.repository).chain(fix).collect();
        let ground = Ground::of_files(&task.id, &layers)?;
        let seen = ground.judge(ground.commit(), &Files::new(), &task.gates(), running)?;
        let unseen = ground.judge(ground.commit(), &task.hidden, &hidden, running)?;
        let red = |results: &[GateResult]| {
            results.iter().find(|result| !result.green).map(|result| format!("`{}`: {}", result.command, result.why))
        };
        match (state, red(&seen)) {
            (State::Defect, None) => {
                faults.push(format!("{name}: every visible gate is green, so none of them shows a change"))
            }
            (State::Reference | State::LooksRight, Some(why)) => {
                faults.push(format!("{name}: a visible gate is red: {why}"))
            }
            (State::Defect, Some(_)) | (State::Reference | State::LooksRight, None) => {}
        }
        if state == State::Defect
            && let Some(rule) = &task.manifest.rule
            && arms::recipe(task, &ground.read()?, &PlanContext::default()).is_none()
        {
            faults.push(format!("the rule {rule}: its recipe does not say exactly what changes here"));
        }
        match (state, red(&unseen)) {
            (State::Reference, Some(why)) => faults.push(format!("{name}: the hidden tests fail: {why}")),
            (State::Defect | State::LooksRight, None) => faults.push(format!("{name}: the hidden tests pass")),
            (State::Reference, None) | (State::Defect | State::LooksRight, Some(_)) => {}
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::task::built_in;
    use crate::bench::tools::Tools;
    use crate::observer::Silent;

    /// Those that this machine has the programs for; the others say so, and with `IMPROVE_TEST_NO_SKIP` fail.
    #[test]
    #[allow(clippy::print_stderr)] // What a test leaves out it says.
    fn hidden_tests_fail_on_the_defect_and_pass_on_the_reference() {
        let (sandbox, cancel) = (Sandbox::none("a test"), Cancel::new());
        let running = Running { sandbox: &sandbox, limits: GateLimits::default(), observer: &Silent, cancel: &cancel };
        let mut tools = Tools::default();
        let mut tasks = built_in().unwrap();
        tasks.retain(|task| {
            let missing = tools.missing(task, Path::new("."), running);
            if let Some(why) = &missing {
                assert!(std::env::var_os("IMPROVE_TEST_NO_SKIP").is_none(), "{}: {why}", task.id);
                eprintln!("skipped {}: {why}", task.id);
            }
            missing.is_none()
        });
        // Each compiles or starts a runtime some times, and mostly waits.
        let told = std::thread::scope(|scope| {
            let threads: Vec<_> = tasks
                .iter()
                .map(|task| scope.spawn(move || (task.id.as_str(), faults(task, running).unwrap())))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|(_, faults)| !faults.is_empty())
                .collect::<Vec<_>>()
        });
        assert_eq!(told, []);
        assert!(tasks.iter().any(|task| task.repository.contains_key("Cargo.toml")), "cargo runs this test");
    }

    #[test]
    fn a_task_cannot_write_outside_its_folder() {
        let files = Files::from([("../x".to_owned(), String::new())]);
        assert!(matches!(Ground::of_files("t", &[&files]), Err(GroundError::Outside { .. })));
    }
}
