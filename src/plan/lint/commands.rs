//! Commands: the program is known, the script exists, the folder and the file are there.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Problems, line_of, places};
use crate::plan::Plan;
use crate::plan::parse::names::Known;
use crate::plan::parse::programs::{is_known_program, is_listed, program_name};
use crate::repo_map::recon::{PackageManager, Recon};
use crate::tree::Tree;

/// Subcommands of cargo and of its common extensions.
const CARGO: &str = "\
    add audit bench binstall bloat build b c check clean clippy criterion d deny doc dylint expand fetch fix \
    fmt fuzz generate-lockfile geiger hack init insta install leptos license llvm-cov locate-project lock login \
    machete metadata minimal-versions miri msrv mutants new nextest outdated package pgo pkgid publish r remove \
    rm run rustc rustdoc search semver-checks shear shuttle sort spellcheck sqlx t tarpaulin tauri test tree \
    udeps uninstall update vendor verify-project version vet watch workspaces xtask yank zigbuild ndk careful \
    rdme readme about lambda";

/// Subcommands that npm, pnpm, Yarn and Bun have themselves.
const MANAGER: &str = "\
    add audit bin build-script cache changeset ci config create dedupe deploy dlx env exec explain fetch i \
    import info init install licenses link list ll login ls node outdated pack patch pm prune publish rebuild \
    remove rm root setup store unlink up update upgrade version versions view why workspaces x query pkg doctor \
    approve-builds constraints catalog sbom docs repl";

/// What the shell does itself.
const SHELL: &str = "\
    cd test [ [[ export set true false echo exit source . if for while then do done fi else printf read unset \
    wait trap : { } ( ) diff dir type select-string get-content";

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<[A-Za-z][A-Za-z0-9 _/.|-]*>|\{\{|(?:^|\s)(?:\.\.\.|…)(?:\s|$)").expect("a constant pattern")
});

struct Context<'a> {
    tree: &'a dyn Tree,
    recon: &'a Recon,
    created: BTreeSet<&'a str>,
}

/// What is wrong with a command.
pub(super) struct Fault {
    code: &'static str,
    message: String,
    hint: String,
}

/// Checks the commands of the table, the gates and the criteria.
pub(super) fn check(plan: &Plan, tree: &dyn Tree, recon: &Recon, problems: &mut Problems) {
    let created =
        plan.scope.in_scope.iter().filter(|entry| entry.create).filter_map(|entry| entry.path.as_deref()).collect();
    let context = Context { tree, recon, created };
    let table_line = line_of(plan, Known::Commands);
    let table = plan.commands.iter().map(|row| (table_line, row.command.as_str(), false));
    let steps = plan.steps.iter().flat_map(|step| &step.gates).map(|gate| (gate.line, gate.command.as_str(), true));
    let criteria = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates);
    let criteria = criteria.map(|gate| (gate.line, gate.command.as_str(), true));
    let mut seen: BTreeSet<(String, &'static str)> = BTreeSet::new();
    for (line, command, runs) in table.chain(steps).chain(criteria) {
        if PLACEHOLDER.is_match(&outside_quotes(command)) {
            if runs {
                let message = format!("`{command}` still holds a placeholder");
                problems.push("command-placeholder", line, message, "write the command as it is to be run");
            }
            continue;
        }
        for fault in faults(command, &context) {
            // The same wrong script in ten gates is one problem.
            if seen.insert((fault.message.clone(), fault.code)) {
                problems.push(fault.code, line, fault.message, fault.hint);
            }
        }
    }
}

/// Whether nothing is wrong with `command`.
pub(super) fn is_sound(command: &str, tree: &dyn Tree, recon: &Recon) -> bool {
    let context = Context { tree, recon, created: BTreeSet::new() };
    !PLACEHOLDER.is_match(&outside_quotes(command)) && faults(command, &context).is_empty()
}

/// `command` with everything in quotes blanked out.
fn outside_quotes(command: &str) -> String {
    let mut quote = None;
    command
        .chars()
        .map(|character| match quote {
            Some(open) if character == open => {
                quote = None;
                ' '
            }
            Some(_) => ' ',
            None if matches!(character, '\'' | '"') => {
                quote = Some(character);
                ' '
            }
            None => character,
        })
        .collect()
}

/// The simple commands of a command line, cut at `&&`, `||`, `;` and `|` outside quotes.
fn simple_commands(command: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quote = None;
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        let last = found.last_mut().expect("starts with one command");
        match quote {
            Some(open) => {
                if character == open {
                    quote = None;
                }
                last.push(character);
                if character == '\\' && open == '"' {
                    last.extend(characters.next());
                }
            }
            None => match character {
                '\'' | '"' => {
                    quote = Some(character);
                    last.push(character);
                }
                '\\' => {
                    last.push(character);
                    last.extend(characters.next());
                }
                '&' | '|' | ';' => {
                    // `2>&1` is a redirection.
                    if character == '&' && (last.ends_with('>') || characters.peek() == Some(&'>')) {
                        last.push(character);
                    } else {
                        if characters.peek() == Some(&character) {
                            characters.next();
                        }
                        found.push(String::new());
                    }
                }
                _ => last.push(character),
            },
        }
    }
    found.retain(|part| !part.trim().is_empty());
    found
}

fn faults(command: &str, context: &Context<'_>) -> Vec<Fault> {
    let mut folder = String::new();
    let mut faults = Vec::new();
    for part in simple_commands(command) {
        let part = part.trim().trim_start_matches(['(', '{', '!', ' ']).trim_end_matches([')', ' ']);
        let Ok(words) = shell_words::split(part) else { continue };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let words = strip_wrappers(&words);
        let Some((program, arguments)) = words.split_first() else { continue };
        if matches!(*program, "cd" | "pushd") {
            let target = arguments.first().copied().unwrap_or("");
            if target.starts_with(['/', '~', '$']) || target == "-" {
                break; // Outside the repository or unknown: nothing below can be told.
            }
            folder = join(&folder, target);
            if !folder.is_empty()
                && !context.tree.is_folder(&folder)
                && !context.created.iter().any(|path| path.starts_with(&folder))
            {
                let message = format!("`{command}`: there is no folder {folder}");
                faults.push(Fault { code: "command-missing-folder", message, hint: "correct the folder".to_owned() });
                break;
            }
            continue;
        }
        faults.extend(fault(program, arguments, &folder, context));
    }
    faults
}

fn strip_wrappers<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let assigns = first
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let skip = match *first {
            "!" | "sudo" | "time" | "env" | "command" | "nohup" | "rtk" | "exec" => 1,
            "timeout" => 2,
            "mise" | "asdf" if matches!(rest.first(), Some(&"exec" | &"x")) => {
                words.iter().position(|word| *word == "--").map_or(2, |at| at + 1)
            }
            _ if assigns => 1,
            _ => return words,
        };
        words = words.get(skip..).unwrap_or_default();
    }
    words
}

fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn fault(program: &str, arguments: &[&str], folder: &str, context: &Context<'_>) -> Option<Fault> {
    let name = program_name(program);
    match name.as_str() {
        "npm" | "pnpm" | "yarn" | "bun" => script_fault(&name, arguments, folder, context),
        "cargo" => cargo_fault(arguments, context),
        "make" | "just" => target_fault(&name, arguments, folder, context),
        "bash" | "sh" | "zsh" | "node" | "python" | "python3" | "ruby" | "tsx" | "ts-node" | "deno" => {
            file_fault(&name, arguments, folder, context)
        }
        _ if is_listed(SHELL, &name) || is_known_program(program) => None,
        _ if program.contains('/') => {
            let path = join(folder, program);
            let built = ["target/", "node_modules/", "dist/", "build/", "bin/", ".venv/", "venv/", "out/"];
            let outside = program.starts_with(['/', '~', '$']);
            let known =
                outside || built.iter().any(|prefix| format!("{path}/").contains(prefix)) || exists(&path, context);
            (!known).then(|| Fault {
                code: "command-unknown-program",
                message: format!("`{program}` is not in the repository"),
                hint: "name a program that is there, or that the install command brings".to_owned(),
            })
        }
        _ => {
            let mut packages = context.recon.packages.iter();
            let brought = packages.any(|package| {
                package.name == name
                    || package.dependencies.iter().any(|dependency| dependency.name.rsplit('/').next() == Some(&name))
            });
            let in_commands = context.recon.packages.iter().flat_map(|package| &package.commands);
            let used =
                in_commands.into_iter().any(|command| command.command.split_whitespace().any(|word| word == name));
            (!brought && !used).then(|| Fault {
                code: "command-unknown-program",
                message: format!("`{program}` is no program this repository is known to use"),
                hint: "use a command from the project's own scripts or continuous integration".to_owned(),
            })
        }
    }
}

fn exists(path: &str, context: &Context<'_>) -> bool {
    context.tree.is_file(path)
        || context.created.contains(path)
        || places::glob(path).is_some()
        || context.tree.is_folder(path)
}

/// A script of a package manager: it must be in the nearest `package.json`.
fn script_fault(manager: &str, arguments: &[&str], folder: &str, context: &Context<'_>) -> Option<Fault> {
    let mut folder = folder.to_owned();
    let mut rest = arguments.iter().copied();
    let mut explicit = false;
    let script = loop {
        let word = rest.next()?;
        match word {
            "-C" | "--dir" | "--prefix" | "--cwd" => folder = join(&folder, rest.next()?),
            "-w" if manager == "pnpm" => folder.clear(),
            "--workspace-root" => folder.clear(),
            "-F" | "--filter" | "-w" | "--workspace" => folder = package_folder(rest.next()?, context)?,
            "-r" | "--recursive" | "--if-present" | "--workspaces" | "-ws" | "--parallel" => return None,
            "workspace" if manager == "yarn" => folder = package_folder(rest.next()?, context)?,
            "run" | "run-script" | "rum" | "--silent" | "-s" => explicit |= word.starts_with("ru"),
            _ if word.starts_with("--filter=") || word.starts_with("--workspace=") => {
                folder = package_folder(word.split_once('=')?.1, context)?;
            }
            _ if word.starts_with("--prefix=") || word.starts_with("--cwd=") || word.starts_with("--dir=") => {
                folder = join(&folder, word.split_once('=')?.1);
            }
            _ if word.starts_with('-') => {}
            _ => break word,
        }
    };
    let built_in = is_listed(MANAGER, script) || (manager == "bun" && matches!(script, "test" | "build" | "run"));
    if !explicit && (built_in || (manager == "bun" && script.contains(['.', '/']))) {
        return None;
    }
    let script_name = match (manager, script) {
        ("npm", "t" | "tst") | ("pnpm", "t") => "test",
        _ => script,
    };
    let manifest = join(&folder, "package.json");
    let Some(text) = context.tree.text(&manifest) else {
        return Some(Fault {
            code: "command-unknown-script",
            message: format!("`{manager} {script}`: there is no {manifest}"),
            hint: "run it in the folder of a package".to_owned(),
        });
    };
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    let scripts = json.get("scripts").and_then(serde_json::Value::as_object);
    if scripts.is_some_and(|scripts| scripts.contains_key(script_name)) {
        return None;
    }
    // `pnpm vitest` and `yarn tsc` run programs of dependencies; yarn and bun do so after `run` too.
    let runs_programs = (!explicit && manager != "npm") || matches!(manager, "yarn" | "bun");
    let brought = context.recon.packages.iter().flat_map(|package| &package.dependencies);
    let brought = brought.into_iter().any(|dependency| dependency.name.rsplit('/').next() == Some(script));
    if runs_programs && (brought || is_known_program(script)) {
        return None;
    }
    let mut known: Vec<&str> = scripts.map(|scripts| scripts.keys().map(String::as_str).collect()).unwrap_or_default();
    known.sort_unstable();
    known.truncate(12);
    let hint = if known.is_empty() {
        format!("{manifest} has no scripts")
    } else {
        format!("its scripts: {}", known.join(", "))
    };
    Some(Fault { code: "command-unknown-script", message: format!("{manifest} has no script `{script_name}`"), hint })
}

/// The folder a filter names; `None` when it may be several.
fn package_folder(filter: &str, context: &Context<'_>) -> Option<String> {
    let name = filter.trim_matches(['{', '}', '.']).trim_start_matches("./").trim_start_matches('/');
    let found = context.recon.packages.iter().find(|package| {
        package.name == filter
            || package.folder == name
            || (!name.is_empty() && package.folder.ends_with(&format!("/{name}")))
    });
    found.map(|package| package.folder.clone())
}

fn cargo_fault(arguments: &[&str], context: &Context<'_>) -> Option<Fault> {
    let subcommand = arguments.iter().find(|word| !word.starts_with(['-', '+']))?;
    let aliases = [".cargo/config.toml", ".cargo/config"].iter().filter_map(|path| context.tree.text(path));
    let is_alias = aliases.into_iter().any(|text| text.lines().any(|line| line.trim_start().starts_with(subcommand)));
    if !is_listed(CARGO, subcommand) && !is_alias {
        return Some(Fault {
            code: "command-unknown-subcommand",
            message: format!("`cargo {subcommand}` is no subcommand this repository is known to use"),
            hint: "name a subcommand of cargo, or an alias of `.cargo/config.toml`".to_owned(),
        });
    }
    let crates: Vec<&str> = context
        .recon
        .packages
        .iter()
        .filter(|package| package.manager == PackageManager::Cargo)
        .map(|package| package.name.as_str())
        .collect();
    if crates.is_empty() || matches!(*subcommand, "install" | "update" | "add" | "remove" | "tree" | "binstall") {
        return None;
    }
    let named = arguments.windows(2).find(|pair| matches!(pair[0], "-p" | "--package")).map(|pair| pair[1])?;
    let name = named.split('@').next().unwrap_or(named);
    (!crates.contains(&name) && !name.contains(['*', '/'])).then(|| Fault {
        code: "command-unknown-package",
        message: format!("no crate here is called `{name}`"),
        hint: format!("its crates: {}", crates.iter().take(12).copied().collect::<Vec<_>>().join(", ")),
    })
}

/// A target of a Makefile or justfile.
fn target_fault(program: &str, arguments: &[&str], folder: &str, context: &Context<'_>) -> Option<Fault> {
    let mut folder = folder.to_owned();
    let mut words = arguments.iter().copied();
    let target = loop {
        let word = words.next()?;
        match word {
            "-C" | "-d" | "--directory" | "--working-directory" => folder = join(&folder, words.next()?),
            "-f" | "--file" | "--justfile" => return None,
            _ if word.starts_with('-') || word.contains('=') => {}
            _ => break word,
        }
    };
    let names: &[&str] = if program == "make" {
        &["Makefile", "makefile", "GNUmakefile"]
    } else {
        &["justfile", "Justfile", ".justfile"]
    };
    let text = names.iter().find_map(|name| context.tree.text(&join(&folder, name)));
    let Some(text) = text else {
        return Some(Fault {
            code: "command-unknown-script",
            message: format!(
                "`{program} {target}`: there is no {} in {}",
                names[0],
                if folder.is_empty() { "the root" } else { &folder }
            ),
            hint: "run it where the file is".to_owned(),
        });
    };
    let includes =
        text.lines().any(|line| ["include ", "-include ", "import ", "mod "].iter().any(|word| line.starts_with(word)));
    let has_target = text.lines().any(|line| {
        let line = line.trim_start_matches('@');
        line.strip_prefix(target).is_some_and(|rest| rest.starts_with([':', ' ']) && rest.contains(':'))
            || (line.starts_with("alias ") && line.contains(target))
            || (line.starts_with(".PHONY") && line.split_whitespace().any(|word| word == target))
    });
    (!includes && !has_target && !text.contains('%')).then(|| Fault {
        code: "command-unknown-script",
        message: format!("{program} has no target `{target}`"),
        hint: format!("name a target of the {}", names[0]),
    })
}

/// A script given to an interpreter.
fn file_fault(program: &str, arguments: &[&str], folder: &str, context: &Context<'_>) -> Option<Fault> {
    let first = arguments.iter().find(|word| !word.starts_with('-'))?;
    let inline =
        arguments.iter().any(|word| matches!(*word, "-c" | "-e" | "-p" | "-m" | "--eval" | "--print" | "-pe" | "-lc"));
    let is_file = first.contains('/')
        || [".sh", ".js", ".mjs", ".cjs", ".ts", ".py", ".rb"].iter().any(|end| first.ends_with(end));
    let outside =
        first.starts_with(['/', '~', '$', '.']) && first.starts_with("..") || first.starts_with(['/', '~', '$']);
    let built = ["dist/", "build/", "node_modules/", "target/", "out/", "tmp/"].iter().any(|part| first.contains(part));
    let path = join(folder, first);
    (!inline && is_file && !outside && !built && !exists(&path, context)).then(|| Fault {
        code: "command-missing-file",
        message: format!("`{program} {first}`: there is no {path}"),
        hint: "correct the path, or mark the file with `(create)` in the scope".to_owned(),
    })
}
