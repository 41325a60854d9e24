//! Copies of repositories, and trees of a given size.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The source files of a tree, as the map sees them.
pub struct Mapped {
    paths: Vec<String>,
    /// Lines of all of them.
    pub lines: u64,
}

impl Mapped {
    /// The folder and the files, one a line.
    pub fn list(&self, root: &Path) -> String {
        let files = self.paths.iter().map(|path| root.join(path).to_string_lossy().into_owned());
        std::iter::once(root.to_string_lossy().into_owned()).chain(files).collect::<Vec<_>>().join("\n")
    }

    /// A file to be edited.
    pub fn middle(&self) -> &str {
        &self.paths[self.paths.len() / 2]
    }
}

/// Copies `from`, with or without its history.
pub fn copy(from: &Path, to: &Path, with_history: bool) {
    run(Command::new("cp").arg("-a").arg(from).arg(to));
    if with_history {
        // A copy is a file git has not seen; in a checkout that was used it has seen them all.
        run(Command::new("git").arg("-C").arg(to).args(["status", "--porcelain"]).stdout(std::process::Stdio::null()));
    } else {
        std::fs::remove_dir_all(to.join(".git")).expect("the copy is ours");
    }
}

fn run(command: &mut Command) {
    let status = command.status().expect("it can be started");
    assert!(status.success(), "{command:?}: {status}");
}

/// What `improve map --files` lists of `root`.
pub fn mapped_files(root: &Path, cache: &Path) -> Mapped {
    let output = Command::new(env!("CARGO_BIN_EXE_improve"))
        .args(["map", "--files", "--format", "jsonl", "--repo"])
        .arg(root)
        .env("IMPROVE_CACHE_DIR", cache)
        .output()
        .expect("the program was built");
    let mut mapped = Mapped { paths: Vec::new(), lines: 0 };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let file: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
        if file["skipped"].is_null() && !file["language"].is_null() {
            mapped.paths.push(file["path"].as_str().unwrap_or_default().to_owned());
            mapped.lines += file["lines"].as_u64().unwrap_or_default();
        }
    }
    assert!(!mapped.paths.is_empty(), "{}: no source files", root.display());
    mapped
}

/// Adds a function at the top of `file`, so that everything in it moves.
pub fn edit(file: &Path, run: usize) {
    let text = std::fs::read_to_string(file).expect("the copy is ours");
    let added = if file.extension().is_some_and(|extension| extension == "rs") {
        format!("pub fn added_{run}() {{}}\n")
    } else {
        format!("export function added{run}() {{}}\n")
    };
    std::fs::write(file, added + &text).expect("the copy is ours");
}

/// A tree of about `lines` lines, of whole files of `repositories` taken in turn, again and again in folders of their own.
pub fn of_size(repositories: &[PathBuf], to: &Path, lines: u64) -> Mapped {
    let cache = tempfile::tempdir().expect("the system has a temporary folder");
    let mut made = Mapped { paths: Vec::new(), lines: 0 };
    let sources: Vec<(&PathBuf, Mapped)> =
        repositories.iter().map(|root| (root, mapped_files(root, cache.path()))).collect();
    for round in 0.. {
        for (number, (root, mapped)) in sources.iter().enumerate() {
            for path in &mapped.paths {
                let text = std::fs::read_to_string(root.join(path)).unwrap_or_default();
                let place = format!("tree{round}-{number}/{path}");
                let file = to.join(&place);
                std::fs::create_dir_all(file.parent().expect("it stands in a folder")).expect("the folder is ours");
                std::fs::write(&file, &text).expect("the folder is ours");
                made.lines += text.lines().count() as u64;
                made.paths.push(place);
                if made.lines >= lines {
                    return made;
                }
            }
        }
    }
    made
}
