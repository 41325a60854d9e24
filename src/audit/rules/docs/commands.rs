//! Commands of documents, taken apart: which task, script or path of the repository they name.

use crate::audit::text::join_path;

/// What a command line names, one entry each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// `npm run NAME` and the like, in a folder.
    Script {
        /// The script.
        name: String,
        /// The folder it is run in, `None` when `cd` went where nobody can follow.
        folder: Option<String>,
        /// The package of a workspace it is run in (`--filter NAME`).
        elsewhere: bool,
    },
    /// `make NAME`.
    Make(String),
    /// `just NAME`.
    Just(String),
    /// `cargo … -p NAME`.
    Crate(String),
    /// `cargo run --bin NAME`, `docker compose up NAME`.
    Target(TargetKind, String),
    /// `./scripts/setup.sh`, `bash scripts/setup.sh`, `node tools/gen.js`: a path from the root.
    Path(String),
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    /// `cargo … --bin NAME`.
    Binary,
    /// `cargo … --example NAME`.
    Example,
    /// `cargo … --features NAME`.
    Feature,
    /// `docker compose … NAME`.
    Service,
}

impl TargetKind {
    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            TargetKind::Binary => "binary",
            TargetKind::Example => "example",
            TargetKind::Feature => "feature",
            TargetKind::Service => "service",
        }
    }
}

/// Where the commands of a fence run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder, `None` when it cannot be known any more.
    pub folder: Option<String>,
}

/// Interpreters whose first operand is a script of the repository.
const INTERPRETERS: [&str; 9] = ["bash", "sh", "zsh", "node", "python", "python3", "deno", "tsx", "ts-node"];

/// Takes a command line apart, following `cd`.
pub fn read(line: &str, place: &mut Place) -> Vec<Named> {
    let mut found = Vec::new();
    for part in split(line) {
        let Some(words) = shell_words::split(&part).ok() else { continue };
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            // `FOO=1 npm test`, `sudo make install`.
            .skip_while(|word| is_assignment(word) || matches!(*word, "sudo" | "time" | "env"))
            .take_while(|word| !word.starts_with('#'))
            .collect();
        let Some((program, arguments)) = words.split_first() else { continue };
        match (program, arguments) {
            (&"cargo", arguments) => found.extend(of_cargo(arguments)),
            (&"docker-compose", arguments) | (&"docker", ["compose", arguments @ ..]) => {
                found.extend(of_compose(arguments))
            }
            (program, arguments) => found.extend(named(program, arguments, place)),
        }
    }
    found
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && word.chars().all(|c| c.is_alphanumeric() || "-_:./@".contains(c))
}

/// Verbs of Cargo that work on the crates around them.
const CARGO_VERBS: [&str; 12] =
    ["build", "run", "test", "check", "clippy", "bench", "nextest", "doc", "b", "r", "t", "c"];

/// `cargo run -p NAME --bin NAME --features A,B`.
fn of_cargo(arguments: &[&str]) -> Vec<Named> {
    let own: Vec<&str> = arguments.iter().copied().take_while(|word| *word != "--").collect();
    let verb = own.iter().find(|word| !word.starts_with('+') && !word.starts_with('-'));
    if !verb.is_some_and(|verb| CARGO_VERBS.contains(verb))
        || own.iter().any(|word| word.starts_with("--manifest-path"))
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, word) in own.iter().enumerate() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, own.get(at + 1).copied()),
        };
        let Some(value) = value.filter(|value| !value.starts_with('-')) else { continue };
        let one = || is_plain(value).then(|| value.to_owned());
        match flag {
            "-p" | "--package" => found.extend(one().map(Named::Crate)),
            "--bin" => found.extend(one().map(|name| Named::Target(TargetKind::Binary, name))),
            "--example" => found.extend(one().map(|name| Named::Target(TargetKind::Example, name))),
            "-F" | "--features" => {
                // `crate/feature` is of another crate.
                let names = value.split([',', ' ']).filter(|name| is_plain(name) && !name.contains(['/', ':']));
                found.extend(names.map(|name| Named::Target(TargetKind::Feature, name.to_owned())));
            }
            _ => {}
        }
    }
    found
}

/// Flags behind a verb of `docker compose` that take no value.
const COMPOSE_SWITCHES: [&str; 14] = [
    "-d",
    "--detach",
    "--build",
    "--rm",
    "-T",
    "-it",
    "-ti",
    "-i",
    "--no-deps",
    "--force-recreate",
    "--wait",
    "--remove-orphans",
    "--no-cache",
    "--follow",
];

/// `docker compose up -d NAME NAME`, `docker compose run NAME …`. A flag that is not known may take the next word: then nothing is
/// said.
fn of_compose(arguments: &[&str]) -> Vec<Named> {
    let mut rest = arguments.iter().copied();
    let verb = loop {
        match rest.next() {
            Some("-f" | "--file" | "--profile" | "--env-file") => {
                rest.next();
            }
            Some(word) if word.starts_with('-') && word.contains('=') => {}
            Some(word) if !word.starts_with('-') => break word,
            // `-p` gives the project another name, `--project-directory` another place.
            Some(_) | None => return Vec::new(),
        }
    };
    let takes_one = matches!(verb, "run" | "exec");
    if !takes_one && !matches!(verb, "up" | "start" | "stop" | "restart" | "logs" | "build" | "pull") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for word in rest {
        let is_switch = COMPOSE_SWITCHES.contains(&word) || (verb == "logs" && word == "-f");
        match word {
            _ if is_switch => {}
            word if is_plain(word) && !word.contains(['/', '.', ':', '@']) => {
                found.push(Named::Target(TargetKind::Service, word.to_owned()));
                if takes_one {
                    break;
                }
            }
            _ => return Vec::new(),
        }
    }
    found
}

/// Parts of a command line that are commands of their own.
fn split(line: &str) -> Vec<String> {
    line.replace("&&", "\u{1}")
        .replace("||", "\u{1}")
        .split(['\u{1}', ';', '|'])
        .map(|part| part.trim().trim_end_matches('&').trim().to_owned())
        .collect()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn named(program: &str, arguments: &[&str], place: &mut Place) -> Option<Named> {
    match program {
        "cd" | "pushd" => {
            let target = arguments.first().copied().unwrap_or("~");
            place.folder = match &place.folder {
                Some(folder) if is_plain(target) && !target.starts_with('/') => join_path(folder, target),
                _ => None,
            };
            None
        }
        "npm" | "pnpm" | "yarn" | "bun" => script(arguments, place),
        "make" => {
            let is_elsewhere = arguments.iter().any(|word| word.starts_with("-C") || word.starts_with("-f"));
            let target = arguments.iter().find(|word| is_plain(word) && !is_assignment(word))?;
            (!is_elsewhere).then(|| Named::Make((*target).to_owned()))
        }
        "just" => {
            let first = arguments.first()?;
            (is_plain(first) && !first.contains(['/', ':', '.'])).then(|| Named::Just((*first).to_owned()))
        }
        _ => {
            let path = if program.starts_with("./") {
                program
            } else if INTERPRETERS.contains(&program) {
                arguments.first().copied().filter(|path| path.contains('/') && path.contains('.'))?
            } else {
                return None;
            };
            let folder = place.folder.as_deref()?;
            (is_plain(path) && !path.starts_with('/') && !path.contains(".."))
                .then(|| join_path(folder, path))
                .flatten()
                .map(Named::Path)
        }
    }
}

/// `npm run NAME`, `pnpm --filter app run NAME`, `yarn workspace app run NAME`, `npm test`.
fn script(arguments: &[&str], place: &Place) -> Option<Named> {
    let own: Vec<&str> = arguments.iter().copied().take_while(|word| *word != "--").collect();
    let selects = |word: &&str| {
        ["-F", "-w", "-C", "-r", "-ws"].contains(word)
            || ["--filter", "--workspace", "--prefix", "--dir", "--cwd", "--recursive", "--if-present"]
                .iter()
                .any(|flag| word.starts_with(flag))
            || *word == "workspace"
            || *word == "workspaces"
    };
    let elsewhere = own.iter().any(selects);
    let at = own.iter().position(|word| matches!(*word, "run" | "run-script"));
    let name = match at {
        // `yarn workspace api dev run`: behind the package stands a script, and behind that what it is given.
        Some(at) if own.first() == Some(&"workspace") && at > 2 && !own[2].starts_with('-') => own[2],
        Some(at) => {
            // `pnpm run --filter web build`: the package is no script.
            const WITH_VALUE: &[&str] = &["--filter", "-F", "--workspace", "-w", "--prefix", "-C", "--dir", "--cwd"];
            let is_value = |place: usize| WITH_VALUE.contains(&own[place - 1]);
            let place = (at + 1..own.len()).find(|place| !own[*place].starts_with('-') && !is_value(*place))?;
            own[place]
        }
        // Only `test` is a script by convention with every manager; `start` may be built in.
        None if own.first() == Some(&"test") => "test",
        None => return None,
    };
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "-_:./".contains(c));
    let is_file =
        name.contains('/') || name.rsplit_once('.').is_some_and(|(_, end)| ["ts", "js", "mjs", "tsx"].contains(&end));
    (is_name && !is_file).then(|| Named::Script { name: name.to_owned(), folder: place.folder.clone(), elsewhere })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<Named> {
        read(line, &mut Place { folder: Some(String::new()) })
    }

    fn script(name: &str, folder: &str, elsewhere: bool) -> Named {
        Named::Script { name: name.to_owned(), folder: Some(folder.to_owned()), elsewhere }
    }

    #[test]
    fn scripts_are_read_from_every_manager() {
        assert_eq!(names("npm run build -- --watch"), [script("build", "", false)]);
        assert_eq!(names("pnpm --filter web run dev"), [script("dev", "", true)]);
        assert_eq!(names("pnpm run --filter web build"), [script("build", "", true)]);
        assert_eq!(names("cd apps/web && CI=1 yarn run test:unit"), [script("test:unit", "apps/web", false)]);
        assert_eq!(names("npm install && npm test # all"), [script("test", "", false)]);
        assert_eq!(names("bun run src/index.ts"), []);
        assert_eq!(names("yarn dev"), [], "may be a program of a dependency");
    }

    #[test]
    fn tasks_crates_and_paths_are_read() {
        assert_eq!(names("make -j4 build"), [Named::Make("build".to_owned())]);
        assert_eq!(names("make -C sub build"), []);
        assert_eq!(names("cargo run -p xtask -- -p other"), [Named::Crate("xtask".to_owned())]);
        assert_eq!(names("cargo install -p x"), []);
        let target = |kind, name: &str| Named::Target(kind, name.to_owned());
        assert_eq!(
            names("cargo run --bin a --features b,c/d -- --example e"),
            [target(TargetKind::Binary, "a"), target(TargetKind::Feature, "b")]
        );
        assert_eq!(names("docker compose -f dev.yml up -d db"), [target(TargetKind::Service, "db")]);
        assert_eq!(names("docker-compose run --rm web npm test"), [target(TargetKind::Service, "web")]);
        assert_eq!(names("docker compose up --scale web=3 db"), []);
        assert_eq!(names("docker compose -p other up db"), []);
        assert_eq!(names("bash scripts/up.sh | tee log"), [Named::Path("scripts/up.sh".to_owned())]);
        assert_eq!(names("cd $HOME; ./configure"), []);
    }

    #[test]
    fn no_text_makes_it_panic() {
        for line in ["", "'", "cd", "npm run", "cargo -p", "make -C", "yarn workspace", "|||", "&& cd .. && ./x"] {
            names(line);
        }
    }
}
