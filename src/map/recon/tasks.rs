//! Names that can be typed: targets of Makefiles, recipes of justfiles, aliases of Cargo, scripts of `package.json`.

use std::collections::BTreeSet;

use super::json_lines;
use crate::repo_map::recon::task::{Script, TaskFile, TaskRunner};

/// Which program reads the file at `path`, if it is one that names tasks.
pub fn runner_of(path: &str) -> Option<TaskRunner> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "Makefile" | "makefile" | "GNUmakefile" => Some(TaskRunner::Make),
        "justfile" | "Justfile" | ".justfile" => Some(TaskRunner::Just),
        "config.toml" | "config" if path.ends_with(&format!(".cargo/{name}")) => Some(TaskRunner::Cargo),
        _ => None,
    }
}

/// The tasks of a file.
pub fn read(path: &str, runner: TaskRunner, text: &str) -> TaskFile {
    let (tasks, open) = match runner {
        TaskRunner::Make => make_targets(text),
        TaskRunner::Just => just_recipes(text),
        TaskRunner::Cargo => (cargo_aliases(text), false),
    };
    TaskFile { path: path.to_owned(), runner, tasks: tasks.into_iter().collect(), open }
}

/// `a b: prerequisites`. Included files, patterns and computed names leave the list open.
fn make_targets(text: &str) -> (BTreeSet<String>, bool) {
    let mut targets = BTreeSet::new();
    let mut open = false;
    for line in text.lines() {
        let include = ["include ", "-include ", "sinclude "].iter().any(|word| line.starts_with(word));
        open |= include || line.contains("$(eval") || line.contains("$(foreach");
        if line.starts_with(['\t', ' ', '#']) {
            continue;
        }
        let Some((names, rest)) = line.split_once(':') else { continue };
        // `NAME := value` and `NAME = a:b` are variables.
        if rest.starts_with('=') || rest.starts_with(":=") || names.contains('=') {
            continue;
        }
        open |= names.contains(['%', '$']);
        targets.extend(names.split_whitespace().filter(|name| !name.contains(['%', '$'])).map(str::to_owned));
        if names.trim() == ".PHONY" {
            targets.extend(rest.split_whitespace().map(str::to_owned));
        }
    }
    (targets, open)
}

/// `@name parameters: dependencies` and `alias name := other`.
fn just_recipes(text: &str) -> (BTreeSet<String>, bool) {
    let mut recipes = BTreeSet::new();
    let mut open = false;
    for line in text.lines() {
        open |= ["import ", "import? ", "mod ", "mod? ", "!include", "set fallback"]
            .iter()
            .any(|word| line.starts_with(word));
        if line.starts_with([' ', '\t', '#', '[']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix("alias ") {
            recipes.extend(rest.split_whitespace().next().map(str::to_owned));
        } else if let Some((head, rest)) = line.split_once(':')
            && !rest.starts_with('=')
        {
            recipes.extend(head.trim_start_matches('@').split_whitespace().next().map(str::to_owned));
        }
    }
    (recipes, open)
}

fn cargo_aliases(text: &str) -> BTreeSet<String> {
    let Ok(config) = text.parse::<toml::Table>() else { return BTreeSet::new() };
    config
        .get("alias")
        .and_then(toml::Value::as_table)
        .map(|aliases| aliases.keys().cloned().collect())
        .unwrap_or_default()
}

/// The scripts of a `package.json`, each with the line its name stands on.
pub fn scripts(text: &str) -> Vec<Script> {
    let Ok(manifest) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let Some(scripts) = manifest.get("scripts").and_then(|scripts| scripts.as_object()) else { return Vec::new() };
    let lines = json_lines::key_lines(text);
    let mut found: Vec<Script> = scripts
        .iter()
        .filter_map(|(name, command)| {
            let line = *lines.get(&vec!["scripts".to_owned(), name.clone()])?;
            Some(Script { name: name.clone(), command: command.as_str()?.to_owned(), line })
        })
        .collect();
    found.sort_by(|a, b| (a.line, &a.name).cmp(&(b.line, &b.name)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(path: &str, text: &str) -> (Vec<String>, bool) {
        let file = read(path, runner_of(path).expect("the path is a task file's"), text);
        (file.tasks, file.open)
    }

    #[test]
    fn make_targets_are_told_from_variables_and_recipes() {
        let text = "CC := gcc\nURL = http://x\n.PHONY: all\nall build: main.o\n\tcc: no\n# note: this\n";
        let names = [".PHONY", "all", "build"].map(str::to_owned).to_vec();
        assert_eq!(tasks("Makefile", text), (names, false));
        assert!(tasks("Makefile", "%.o: %.c\n").1, "patterns leave the list open");
    }

    #[test]
    fn just_recipes_and_aliases_are_read() {
        let text = "x := '1'\nalias t := test\n@test filter='': build\n  cargo test\nbuild:\n  cargo build\n";
        assert_eq!(tasks("justfile", text), (["build", "t", "test"].map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn cargo_aliases_are_read() {
        assert_eq!(
            tasks(".cargo/config.toml", "[alias]\nxtask = \"run -p xtask --\"\n"),
            (vec!["xtask".to_owned()], false)
        );
        assert_eq!(runner_of("src/config.toml"), None);
    }

    #[test]
    fn scripts_come_with_their_lines() {
        let text = "{\n  \"name\": \"a\",\n  \"scripts\": {\n    \"test\": \"vitest\",\n    \"lint:fix\": \"eslint --fix\"\n  }\n}\n";
        let expected = vec![
            Script { name: "test".to_owned(), command: "vitest".to_owned(), line: 4 },
            Script { name: "lint:fix".to_owned(), command: "eslint --fix".to_owned(), line: 5 },
        ];
        assert_eq!(scripts(text), expected);
        assert_eq!(scripts("{"), Vec::new());
    }
}
