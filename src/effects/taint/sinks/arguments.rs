//! Arguments: which arguments of a call a sink's table speaks of, the command lines of shells and the words of programs among them.

use crate::effects::chain;
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::tables::Argument;
use crate::repo_map::CallId;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::FileFacts;

/// Programs that do what an option says: a value that starts with a dash is one.
const READS_OPTIONS: &[&str] = &[
    "git", "tar", "ssh", "scp", "sftp", "curl", "wget", "rsync", "find", "zip", "xargs", "man", "hg", "svn", "tcpdump",
];

/// Names of the shells that take a command line.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ash", "cmd", "cmd.exe", "powershell", "pwsh"];

impl<'a> Taint<'a> {
    /// The arguments a sink speaks of, each with a number that tells it from the others.
    pub(super) fn arguments(&self, call: CallId, argument: Argument) -> Vec<(usize, &'a Expr)> {
        let facts = &self.map.file(call.file).facts;
        let site = facts.call(call.index);
        let arguments = &site.arguments;
        let words = || match arguments.get(1).map(Expr::peeled) {
            Some(Expr::Array(items)) => items.as_slice(),
            _ => &[],
        };
        match argument {
            Argument::At(position) => {
                arguments.get(position).map(|argument| (position, argument)).into_iter().collect()
            }
            Argument::Text(position) => {
                let taken = arguments.get(position).filter(|argument| !self.is_structure(call, argument));
                taken.map(|argument| (position, argument)).into_iter().collect()
            }
            Argument::Without(position, key) => {
                let has_key = arguments.iter().any(|argument| {
                    matches!(argument.peeled(), Expr::Object(entries) if entries.iter().any(|(own, _)| own == key))
                });
                let taken = if has_key { None } else { arguments.get(position) };
                taken.map(|argument| (position, argument)).into_iter().collect()
            }
            Argument::Last => arguments.last().map(|argument| (arguments.len() - 1, argument)).into_iter().collect(),
            Argument::Every => arguments.iter().enumerate().collect(),
            Argument::Key(key) => match arguments.first().map(Expr::peeled) {
                Some(Expr::Object(entries)) => {
                    entries.iter().find(|(own, _)| own == key).map(|(_, value)| (0, value)).into_iter().collect()
                }
                Some(Expr::Name(name)) => {
                    // Options made above the call.
                    let made = match self.meaning(Spot::of_call(call.file, site), *name) {
                        Meaning::Variable(binding) => binding.value.as_ref().map(Expr::peeled),
                        _ => None,
                    };
                    match made {
                        Some(Expr::Object(entries)) => entries
                            .iter()
                            .find(|(own, _)| own == key)
                            .map(|(_, value)| (0, value))
                            .into_iter()
                            .collect(),
                        _ => vec![(0, &arguments[0])],
                    }
                }
                Some(_) => vec![(0, &arguments[0])],
                None => Vec::new(),
            },
            Argument::WithShell => {
                let on = arguments.iter().any(|argument| {
                    matches!(argument, Expr::Object(entries) if entries.iter().any(|(key, value)| key == "shell" && *value != Expr::Bool(false)))
                });
                if on { arguments.first().map(|argument| (0, argument)).into_iter().collect() } else { Vec::new() }
            }
            Argument::AfterShellFlag => {
                let items = words();
                items
                    .iter()
                    .position(is_command_flag)
                    .and_then(|at| items.get(at + 1))
                    .map(|line| (100, line))
                    .into_iter()
                    .collect()
            }
            Argument::Words => {
                let reads = matches!(arguments.first().map(Expr::peeled), Some(Expr::Text(program)) if READS_OPTIONS.contains(&program.as_str()));
                let items = words();
                let ends = items.iter().position(|item| matches!(item.peeled(), Expr::Text(text) if text == "--"));
                if !reads {
                    return Vec::new();
                }
                items.iter().enumerate().take(ends.unwrap_or(items.len())).map(|(at, item)| (200 + at, item)).collect()
            }
            Argument::ShellLine => shell_line(facts, call).map(|line| (300, line)).into_iter().collect(),
            Argument::ChainWords => chain_words(facts, call),
        }
    }
}

impl Taint<'_> {
    /// Whether a value is an object or a list, as it stands or by what its name was given.
    fn is_structure(&self, call: CallId, expr: &Expr) -> bool {
        let facts = &self.map.file(call.file).facts;
        let is_list = |index: u32| {
            let made = facts.call(index);
            let starts_as_list =
                || matches!(made.arguments.last().map(Expr::peeled), Some(Expr::Array(_) | Expr::Object(_)));
            matches!(made.name.as_str(), "map" | "filter" | "flatMap") || made.name == "reduce" && starts_as_list()
        };
        let is_one = |value: &Expr| match value.peeled() {
            Expr::Object(_) | Expr::Array(_) => true,
            Expr::Call(index) => is_list(*index),
            _ => false,
        };
        match expr.peeled() {
            Expr::Name(name) => match self.meaning(Spot::of_call(call.file, facts.call(call.index)), *name) {
                Meaning::Variable(binding) => binding.value.as_ref().is_some_and(is_one),
                _ => false,
            },
            other => is_one(other),
        }
    }
}

/// The argument after `-c` in `Command::new("sh").arg("-c").arg(line)`.
fn shell_line(facts: &FileFacts, call: CallId) -> Option<&Expr> {
    let site = facts.call(call.index);
    let links = chain::receivers(facts, call.index);
    let program = program(facts, &links)?;
    if !SHELLS.contains(&program.rsplit('/').next().unwrap_or(program)) {
        return None;
    }
    if site.name == "args" {
        let Some(Expr::Array(items)) = site.arguments.first().map(Expr::peeled) else { return None };
        return items.iter().position(is_command_flag).and_then(|at| items.get(at + 1));
    }
    let before = facts.call(*links.get(1)?);
    (before.name == "arg" && before.arguments.first().is_some_and(is_command_flag))
        .then(|| site.arguments.first())
        .flatten()
}

/// The words that a chain gives to a program which reads options, as long as no `--` came before.
fn chain_words(facts: &FileFacts, call: CallId) -> Vec<(usize, &Expr)> {
    let site = facts.call(call.index);
    let links = chain::receivers(facts, call.index);
    let Some(program) = program(facts, &links) else { return Vec::new() };
    let is_end = |expr: &Expr| matches!(expr.peeled(), Expr::Text(text) if text == "--");
    let ended = links.iter().skip(1).any(|link| {
        facts.call(*link).arguments.iter().any(|argument| match argument.peeled() {
            Expr::Array(items) => items.iter().any(is_end),
            other => is_end(other),
        })
    });
    if !READS_OPTIONS.contains(&program) || ended {
        return Vec::new();
    }
    match site.arguments.first().map(Expr::peeled) {
        Some(Expr::Array(items)) => {
            let end = items.iter().position(is_end).unwrap_or(items.len());
            items.iter().enumerate().take(end).map(|(at, item)| (400 + at, item)).collect()
        }
        Some(_) => vec![(400, &site.arguments[0])],
        None => Vec::new(),
    }
}

/// What `Command::new` at the start of a chain starts.
fn program<'a>(facts: &'a FileFacts, links: &[u32]) -> Option<&'a str> {
    let root = facts.call(*links.last()?);
    match (root.name.as_str(), root.arguments.first().map(Expr::peeled)) {
        ("new", Some(Expr::Text(program))) if links.len() > 1 => Some(program),
        _ => None,
    }
}

fn is_command_flag(expr: &Expr) -> bool {
    matches!(expr.peeled(), Expr::Text(text) if matches!(text.as_str(), "-c" | "/C" | "/c" | "-Command" | "-lc"))
}
