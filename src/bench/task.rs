//! Tasks: a small repository with a defect planted in it, what is said of it, and the tests that nobody who works on it sees.
//!
//! ```text
//! <task>/task.toml      what is wrong in words, where, which commands are the visible gates
//! <task>/repository/    the files
//! <task>/hidden/        tests that are laid over the finished work, and decide whether it is right
//! <task>/reference/     files of a right fix, laid over the repository
//! <task>/wrong/         files of a fix that passes the visible gates and is wrong, where there is such a one
//! ```
//!
//! A name that ends in `.task` stands for the name before it: cargo packages no folder that holds a `Cargo.toml`, and git heeds every
//! `.gitignore`.

use std::collections::BTreeMap;
use std::path::Path;

use ignore::WalkBuilder;
use serde::Deserialize;

use crate::finding::{Category, sha256_hex};
use crate::hint::Hint;
use crate::plan::Gate;
use crate::plan::parse::parse;

/// Name of the file that says what a task is.
const MANIFEST: &str = "task.toml";

/// Files by their path, relative and `/`-separated.
pub type Files = BTreeMap<String, String>;

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Name of its folder.
    pub id: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The repository.
    pub repository: Files,
    /// The hidden tests.
    pub hidden: Files,
    /// A right fix.
    pub reference: Files,
    /// A fix that only looks right; empty where there is none.
    pub wrong: Files,
    /// SHA-256 of all of it, in hex: what was measured on other files was another task.
    pub sha256: String,
}

/// What a task says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Imperative: what will be true afterwards.
    pub title: String,
    /// The kind of defect, in the field's words.
    pub kind: String,
    /// The language, for people.
    pub language: String,
    /// The audit category.
    pub category: Category,
    /// What is wrong and what is wanted, as a user would say it.
    pub words: String,
    /// Where it is: `src/a.js:10-14`, the main place first.
    pub places: Vec<String>,
    /// The built-in rule whose recipe says exactly what changes, where there is one: the arm with exact edits asks no model then.
    #[serde(default)]
    pub rule: Option<String>,
    /// The visible gates, as plans write them: "`node --test` → all pass". At least one of them is red on the repository as it is.
    pub gates: Vec<String>,
    /// How the hidden tests are run, written in the same way.
    pub hidden: String,
    /// Programs it takes, with the oldest version that will do: `node 18`.
    pub needs: Vec<String>,
    /// Why the obvious fix is wrong, where it is.
    #[serde(default)]
    pub trap: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// Its path.
    pub file: String,
    /// First line.
    pub start: u32,
    /// Last line.
    pub end: u32,
}

/// A program that a task takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its name.
    pub program: String,
    /// The oldest version that will do, its numbers from the left.
    pub least: Vec<u64>,
}

impl std::fmt::Display for Need {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.least.iter().map(u64::to_string).collect();
        write!(formatter, "{} {}", self.program, numbers.join("."))
    }
}

/// Tasks that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The operating system refused, or a file is no text.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What it said.
        why: String,
    },
    /// The manifest is not what it should be.
    #[error("{task}/task.toml: {why}")]
    Manifest {
        /// The task.
        task: String,
        /// What is wrong.
        why: String,
    },
    /// Something that every task has is missing.
    #[error("{task}: no {what}")]
    Missing {
        /// The task.
        task: String,
        /// What.
        what: &'static str,
    },
    /// No task is there.
    #[error("{folder}: no task")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// No task of this name.
    #[error("no task is called `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest there is.
        nearest: Option<String>,
    },
}

impl Hint for TaskError {
    fn hint(&self) -> Option<String> {
        match self {
            TaskError::Unreadable { .. } | TaskError::Manifest { .. } => None,
            TaskError::Missing { .. } | TaskError::Empty { .. } => {
                Some("a task is a folder with task.toml, repository/, hidden/ and reference/".to_owned())
            }
            TaskError::Unknown { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            TaskError::Unknown { nearest: None, .. } => Some("`improve bench --list` lists them".to_owned()),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/bench_tasks.rs"));

/// The tasks that come with this program.
pub fn built_in() -> Result<Vec<Task>, TaskError> {
    let files = BUILT_IN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    read(files.collect(), "the built-in tasks")
}

/// The tasks in a folder, each in a folder of its own.
pub fn in_folder(folder: &Path) -> Result<Vec<Task>, TaskError> {
    let unreadable = |path: &Path, why: String| TaskError::Unreadable { path: path.display().to_string(), why };
    let mut files = Files::new();
    for entry in WalkBuilder::new(folder).standard_filters(false).follow_links(false).build() {
        let entry = entry.map_err(|error| unreadable(folder, error.to_string()))?;
        let Ok(relative) = entry.path().strip_prefix(folder) else { continue };
        let hidden_by_git = relative.components().any(|part| part.as_os_str() == ".git");
        if !entry.file_type().is_some_and(|kind| kind.is_file()) || hidden_by_git {
            continue;
        }
        let Some(path) = relative.to_str() else { continue };
        let text =
            std::fs::read_to_string(entry.path()).map_err(|error| unreadable(entry.path(), error.to_string()))?;
        files.insert(path.replace('\\', "/"), text);
    }
    read(files, &folder.display().to_string())
}

fn read(files: Files, folder: &str) -> Result<Vec<Task>, TaskError> {
    let mut tasks: BTreeMap<String, Files> = BTreeMap::new();
    for (path, text) in files {
        // Beside the folders of tasks there may be a word to the reader.
        if let Some((task, rest)) = path.split_once('/') {
            tasks.entry(task.to_owned()).or_default().insert(rest.to_owned(), text);
        }
    }
    tasks.retain(|_, files| files.contains_key(MANIFEST));
    if tasks.is_empty() {
        return Err(TaskError::Empty { folder: folder.to_owned() });
    }
    tasks.into_iter().map(|(id, files)| Task::of(id, files)).collect()
}

impl Task {
    fn of(id: String, files: Files) -> Result<Task, TaskError> {
        let wrong = |why: String| TaskError::Manifest { task: id.clone(), why };
        let manifest: Manifest = toml::from_str(&files[MANIFEST]).map_err(|error| wrong(error.to_string()))?;
        let part = |name: &str| -> Files {
            let within = files.iter().filter_map(|(path, text)| {
                let path = path.strip_prefix(name)?.strip_prefix('/')?;
                Some((path.strip_suffix(".task").unwrap_or(path).to_owned(), text.clone()))
            });
            within.collect()
        };
        let all: Vec<String> = files.iter().map(|(path, text)| format!("{path}\n{}\n{text}", text.len())).collect();
        let sha256 = sha256_hex(&all.join("\n"));
        let (repository, hidden) = (part("repository"), part("hidden"));
        let (reference, looks_right) = (part("reference"), part("wrong"));
        for (files, what) in [(&repository, "repository/"), (&hidden, "hidden/ tests"), (&reference, "reference/ fix")]
        {
            if files.is_empty() {
                return Err(TaskError::Missing { task: id, what });
            }
        }
        let task = Task { manifest, repository, hidden, reference, wrong: looks_right, sha256, id: id.clone() };
        for place in &task.manifest.places {
            let place =
                place_of(place).ok_or_else(|| wrong(format!("`{place}` is no place: write file:first-last")))?;
            let lines = task.repository.get(&place.file).map(|text| text.lines().count());
            if place.start == 0 || place.start > place.end || lines.is_none_or(|lines| place.end as usize > lines) {
                return Err(wrong(format!("{}:{}-{}: no such lines", place.file, place.start, place.end)));
            }
        }
        for need in &task.manifest.needs {
            need_of(need).ok_or_else(|| wrong(format!("`{need}` is no program with a version: write `node 18`")))?;
        }
        if task.manifest.places.is_empty() || task.gates().is_empty() || task.hidden_gate().is_none() {
            return Err(wrong("a task has a place, a gate, and a gate for its hidden tests".to_owned()));
        }
        Ok(task)
    }

    /// Where the defect is.
    pub fn places(&self) -> Vec<TaskPlace> {
        self.manifest.places.iter().filter_map(|place| place_of(place)).collect()
    }

    /// What it takes.
    pub fn needs(&self) -> Vec<Need> {
        self.manifest.needs.iter().filter_map(|need| need_of(need)).collect()
    }

    /// The visible gates.
    pub fn gates(&self) -> Vec<Gate> {
        gates_of(&self.manifest.gates)
    }

    /// The gate of the hidden tests.
    pub fn hidden_gate(&self) -> Option<Gate> {
        gates_of(std::slice::from_ref(&self.manifest.hidden)).into_iter().next()
    }
}

/// Gates as plans write them, read by what reads plans.
fn gates_of(written: &[String]) -> Vec<Gate> {
    let text = format!("# Plan 001: Gates\n\n## Steps\n\n### Step 1: Gates\n\n**Verify**: {}\n", written.join("; "));
    parse(&text).map(|plan| plan.steps.into_iter().flat_map(|step| step.gates).collect()).unwrap_or_default()
}

fn place_of(written: &str) -> Option<TaskPlace> {
    let (file, lines) = written.rsplit_once(':')?;
    let (start, end) = lines.split_once('-').unwrap_or((lines, lines));
    Some(TaskPlace { file: file.to_owned(), start: start.parse().ok()?, end: end.parse().ok()? })
}

fn need_of(written: &str) -> Option<Need> {
    let (program, version) = written.trim().split_once(' ')?;
    let least = version.trim().split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()?;
    Some(Need { program: program.to_owned(), least })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_built_in_tasks_are_those_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bench");
        let tasks = built_in().unwrap();
        assert_eq!(tasks, in_folder(&folder).unwrap());
        assert_eq!(tasks.len(), 12);
        let kinds: BTreeSet<&str> = tasks.iter().map(|task| task.manifest.kind.as_str()).collect();
        assert!(kinds.len() >= 8, "{kinds:?}");
        assert!(tasks.iter().filter(|task| task.manifest.rule.is_some()).count() >= 3);
        let traps = tasks.iter().filter(|task| !task.wrong.is_empty());
        assert!(traps.clone().count() * 2 > tasks.len(), "in most the obvious fix is wrong: the README says so");
        assert!(traps.clone().all(|task| task.manifest.trap.is_some()));
        assert!(tasks.iter().any(|task| task.repository.contains_key("Cargo.toml")));
    }

    #[test]
    fn no_task_shows_its_hidden_tests_to_who_works_on_it() {
        for task in built_in().unwrap() {
            for path in task.hidden.keys() {
                assert!(!task.repository.contains_key(path), "{}: {path}", task.id);
            }
        }
    }

    #[test]
    fn a_manifest_that_says_something_wrong_is_refused_with_the_reason() {
        let manifest = "title = 't'\nkind = 'k'\nlanguage = 'l'\ncategory = 'bug'\nwords = 'w'\nplaces = ['a.js:1-9']\n\
                        gates = ['`true` → exit 0']\nhidden = '`true` → exit 0'\nneeds = []\n";
        let files = |manifest: &str| -> Files {
            let files = [
                ("x/task.toml", manifest),
                ("x/repository/a.js", "1\n"),
                ("x/hidden/h", ""),
                ("x/reference/a.js", "2\n"),
            ];
            files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
        };
        let told = |manifest: &str| read(files(manifest), "here").map(|_| ()).unwrap_err().to_string();
        assert_eq!(told(manifest), "x/task.toml: a.js:1-9: no such lines");
        let right = manifest.replace("1-9", "1");
        assert!(read(files(&right), "here").is_ok());
        assert!(told(&right.replace("needs", "neds")).contains("unknown field `neds`"));
        assert!(told(&right.replace("needs = []", "needs = ['node']")).contains("`node` is no program with a version"));
        assert!(told(&right.replace("gates = ['`true` → exit 0']", "gates = ['run it']")).contains("a gate"));
        assert_eq!(read(Files::new(), "here").unwrap_err().to_string(), "here: no task");
    }
}
