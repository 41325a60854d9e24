//! Which `package.json` script serves which purpose, and the exact line that runs it.
//!
//! Scripts that watch, that rewrite files or that only say something are no check and are passed over.

use serde_json::{Map, Value};

use crate::map::recon::ci::CiCommand;
use crate::map::recon::command;
use crate::repo_map::recon::{CommandPurpose, PackageManager, ProjectCommand};

/// Script names by purpose, the best first. What a script does is asked too: see [`serves`].
const NAMES: &[(CommandPurpose, &[&str])] = &[
    (CommandPurpose::Build, &["build", "build:prod", "build:production", "compile", "build:all"]),
    (
        CommandPurpose::Typecheck,
        &[
            "typecheck",
            "type-check",
            "type:check",
            "types:check",
            "check-types",
            "check:types",
            "check:type",
            "ts:check",
            "ts-check",
            "check:ts",
            "tsc",
            "tsc:check",
            "typecheck:ci",
            "lint:types",
            "test:types",
            "test:type",
            "types",
            "check",
        ],
    ),
    (
        CommandPurpose::Test,
        &[
            "test",
            "test:run",
            "test:ci",
            "test:unit",
            "unit",
            "unit-test",
            "test:once",
            "tests",
            "test:all",
            "vitest",
            "jest",
        ],
    ),
    (
        CommandPurpose::Lint,
        &[
            "lint",
            "lint:check",
            "lint:ci",
            "eslint",
            "lint:js",
            "lint:ts",
            "lint:eslint",
            "biome:check",
            "check:lint",
            "check",
        ],
    ),
    (
        CommandPurpose::Format,
        &[
            "format:check",
            "check:format",
            "check-format",
            "format-check",
            "fmt:check",
            "check:fmt",
            "prettier:check",
            "prettier-check",
            "check:prettier",
            "lint:format",
            "lint:prettier",
            "format:ci",
            "format",
            "fmt",
            "prettier",
        ],
    ),
];

/// Commands of a package's scripts.
pub(super) fn commands(
    scripts: &Map<String, Value>,
    manager: PackageManager,
    folder: &str,
    manifest: &str,
) -> Vec<ProjectCommand> {
    let body = |name: &str| scripts.get(name).and_then(Value::as_str);
    NAMES
        .iter()
        .filter_map(|(purpose, names)| {
            let serving = || {
                names
                    .iter()
                    .filter_map(|name| Some((*name, body(name)?)))
                    .filter(|(name, body)| serves(*purpose, name, body))
            };
            let source = |name: &str| format!("{manifest} scripts.{name}");
            if let Some((name, _)) = serving().find(|(_, body)| !watches(body)) {
                return Some(command(*purpose, run(manager, name), folder, source(name)));
            }
            let (name, line) = serving().find_map(|(name, body)| Some((name, run_once(manager, body)?)))?;
            Some(command(*purpose, line, folder, source(name)))
        })
        .collect()
}

/// The line that runs a script. Bun's own `bun test` is another program, so the script is always named with `run` there.
fn run(manager: PackageManager, script: &str) -> String {
    let program = manager.program();
    let script = shell_words::quote(script);
    match manager {
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn if script == "test" => {
            format!("{program} test")
        }
        PackageManager::Npm
        | PackageManager::Pnpm
        | PackageManager::Yarn
        | PackageManager::Bun
        | PackageManager::Cargo => {
            format!("{program} run {script}")
        }
    }
}

/// Whether a script of this name and body is a check for `purpose`.
fn serves(purpose: CommandPurpose, name: &str, body: &str) -> bool {
    if says_nothing(body) {
        return false;
    }
    let runs = |tools: &[&str]| tools.iter().any(|tool| has_word(body, tool));
    let types =
        ["tsc", "vue-tsc", "svelte-check", "tsgo", "astro", "typecheck", "type-check", "check-types", "check:types"];
    let linters = ["eslint", "biome", "oxlint", "lint", "xo", "standard", "next lint", "tslint", "deno lint"];
    match purpose {
        CommandPurpose::Test | CommandPurpose::Build | CommandPurpose::Install => true,
        CommandPurpose::Typecheck => match name {
            "tsc" | "types" | "check" | "test:types" | "test:type" => {
                runs(&types)
                    && (!has_word(body, "tsc") || body.contains("noEmit") || runs(&["-b", "--build", "vue-tsc"]))
            }
            _ => true,
        },
        CommandPurpose::Lint => !rewrites(body) && (name != "check" || runs(&linters)),
        CommandPurpose::Format => {
            let checks = runs(&["--check", "-c", "--list-different", "-l", "check", "biome format", "biome ci"]);
            let is_named_check = name.contains("check") || name.starts_with("lint") || name.ends_with(":ci");
            !rewrites(body) && (checks || is_named_check)
        }
    }
}

/// npm's own placeholder, and scripts that only print.
fn says_nothing(body: &str) -> bool {
    let body = body.trim();
    body.is_empty()
        || body.contains("no test specified")
        || (body.starts_with("echo ") && !body.contains("&&"))
        || body.starts_with("exit ")
        || body == "true"
        || body == ":"
}

fn rewrites(body: &str) -> bool {
    ["--fix", "--write", "--apply", "-w"].iter().any(|flag| has_word(body, flag))
}

fn watches(body: &str) -> bool {
    let flagged =
        ["--watch", "--watchAll", "--watch=true", "--watchAll=true", "watch", "nodemon", "--ui", "vitest dev"]
            .iter()
            .any(|word| has_word(body, word));
    flagged || (has_word(body, "tsc") && has_word(body, "-w")) || body.split("&&").any(is_bare_vitest)
}

/// `vitest` without `run` watches on a terminal.
fn is_bare_vitest(part: &str) -> bool {
    let mut words = part.split_whitespace().skip_while(|word| *word != "vitest");
    words.next().is_some()
        && words.all(|word| {
            !matches!(word, "run" | "--run" | "--watch=false" | "--no-watch" | "related" | "bench" | "list")
        })
}

/// A watching script made to run once, where it is one plain call of a runner that can.
fn run_once(manager: PackageManager, body: &str) -> Option<String> {
    if body.contains(['&', '|', ';', '$', '`', '>', '<']) {
        return None;
    }
    let words: Vec<&str> = body
        .split_whitespace()
        .filter(|word| !word.starts_with("--watch") && *word != "watch" && *word != "--ui")
        .collect();
    let (program, rest) = words.split_first()?;
    let once = match *program {
        "vitest" => [&["vitest", "run"], rest.strip_prefix(&["dev"]).unwrap_or(rest)].concat(),
        "jest" => words.clone(),
        _ => return None,
    };
    let prefix = match manager {
        PackageManager::Pnpm => "pnpm exec",
        PackageManager::Yarn => "yarn run",
        PackageManager::Bun => "bunx",
        PackageManager::Npm | PackageManager::Cargo => "npx",
    };
    Some(format!("{prefix} {}", once.join(" ")))
}

/// A check that a workflow runs without a script.
pub(super) fn from_ci(ci: &CiCommand) -> Option<ProjectCommand> {
    let line = ci.command.as_str();
    let bare =
        ["npx ", "bunx ", "pnpm exec ", "yarn run ", "yarn "].iter().find_map(|prefix| line.strip_prefix(prefix))?;
    let tool = bare.split_whitespace().next()?;
    let purpose = match tool {
        "tsc" if bare.contains("noEmit") || has_word(bare, "-b") => CommandPurpose::Typecheck,
        "vue-tsc" | "svelte-check" => CommandPurpose::Typecheck,
        "eslint" | "oxlint" | "biome" if !rewrites(bare) => CommandPurpose::Lint,
        "prettier" if !rewrites(bare) && serves(CommandPurpose::Format, "prettier", bare) => CommandPurpose::Format,
        "vitest" if !is_bare_vitest(bare) => CommandPurpose::Test,
        "jest" | "mocha" | "ava" => CommandPurpose::Test,
        _ => return None,
    };
    Some(command(purpose, line, &ci.folder, ci.source.as_str()))
}

/// Whether `word` stands in `body` as a whole word; `:` and `-` are part of one.
fn has_word(body: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, ':' | '-' | '_');
    body.match_indices(word).any(|(at, _)| {
        !body[..at].chars().next_back().is_some_and(is_part)
            && !body[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Purpose and command for each script chosen.
    fn chosen(manager: PackageManager, scripts: &[(&str, &str)]) -> Vec<(CommandPurpose, String)> {
        let scripts = scripts.iter().map(|(name, body)| ((*name).to_owned(), Value::from(*body))).collect();
        commands(&scripts, manager, "", "package.json")
            .into_iter()
            .map(|found| (found.purpose, found.command))
            .collect()
    }

    #[test]
    fn each_manager_is_called_its_own_way() {
        let scripts = [("test", "vitest run"), ("lint", "eslint .")];
        for (manager, test, lint) in [
            (PackageManager::Npm, "npm test", "npm run lint"),
            (PackageManager::Pnpm, "pnpm test", "pnpm run lint"),
            (PackageManager::Yarn, "yarn test", "yarn run lint"),
            (PackageManager::Bun, "bun run test", "bun run lint"),
        ] {
            let expected = [(CommandPurpose::Test, test.to_owned()), (CommandPurpose::Lint, lint.to_owned())];
            assert_eq!(chosen(manager, &scripts), expected);
        }
    }

    #[test]
    fn scripts_that_check_nothing_are_passed_over() {
        let nothing = [
            [("test", "echo \"Error: no test specified\" && exit 1")],
            [("lint", "eslint . --fix")],
            [("format", "prettier --write .")],
            [("lint", "echo 'nothing to lint'")],
            [("build", "tsc --watch")],
            [("check", "node scripts/check-links.js")],
        ];
        for scripts in nothing {
            assert_eq!(chosen(PackageManager::Npm, &scripts), [], "{scripts:?}");
        }
    }

    #[test]
    fn a_watching_test_gives_way_or_is_run_once() {
        let test = |scripts: &[(&str, &str)]| chosen(PackageManager::Pnpm, scripts).pop().map(|(_, command)| command);
        assert_eq!(test(&[("test", "vitest"), ("test:run", "vitest run")]).as_deref(), Some("pnpm run test:run"));
        assert_eq!(test(&[("test", "vitest --coverage")]).as_deref(), Some("pnpm exec vitest run --coverage"));
        assert_eq!(test(&[("test", "jest --watch")]).as_deref(), Some("pnpm exec jest"));
        assert_eq!(test(&[("test", "tsc --noEmit && vitest --run")]).as_deref(), Some("pnpm test"));
        assert_eq!(test(&[("test", "pnpm build && vitest")]), None);
    }

    #[test]
    fn variants_of_names_are_known_by_what_they_run() {
        let scripts = [
            ("check", "biome check ."),
            ("check:types", "tsc --noEmit"),
            ("test:unit", "jest"),
            ("format", "prettier --check ."),
            ("fmt", "prettier --write ."),
        ];
        let expected = [
            (CommandPurpose::Typecheck, "npm run check:types"),
            (CommandPurpose::Test, "npm run test:unit"),
            (CommandPurpose::Lint, "npm run check"),
            (CommandPurpose::Format, "npm run format"),
        ];
        assert_eq!(chosen(PackageManager::Npm, &scripts), expected.map(|(purpose, line)| (purpose, line.to_owned())));
    }
}
