//! Project facts as lines: languages, packages, commands, entry points, hotspots.

use std::collections::BTreeSet;

use crate::effects::Effects;
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, DependencyKind, Package};
use crate::report::layout::{count, grouped};
use crate::report::sanitize;
use crate::report::{map_document, map_entries};

/// Packages named.
const MAX_PACKAGES: usize = 40;
/// Dependencies named of each.
const MAX_DEPENDENCIES: usize = 15;

/// Purposes in the order a newcomer needs them.
const PURPOSES: [CommandPurpose; 6] = [
    CommandPurpose::Install,
    CommandPurpose::Build,
    CommandPurpose::Typecheck,
    CommandPurpose::Test,
    CommandPurpose::Lint,
    CommandPurpose::Format,
];

/// Languages, frameworks, packages, and where the project is checked and deployed.
pub(super) fn project(map: &RepoMap) -> String {
    let recon = &map.recon;
    let languages: Vec<String> = map_document::languages(map)
        .into_iter()
        .map(|one| format!("{} ({}, {} lines)", one.language, count(one.files, "file"), grouped(one.lines as usize)))
        .collect();
    let totals = map_document::totals(map);
    let mut lines = Vec::new();
    let mut say = |what: &str, values: &[String]| {
        if !values.is_empty() {
            lines.push(format!("{what}: {}", sanitize::line(&values.join(", "))));
        }
    };
    say("languages", &languages);
    say("frameworks", &recon.frameworks);
    say("continuous integration", &recon.ci_files);
    say("deployment", &recon.deployment);
    if totals.calls > 0 {
        say(
            "calls",
            &[format!("{} of {} have an unknown target", grouped(totals.calls_unresolved), grouped(totals.calls))],
        );
    }
    lines.extend(recon.packages.iter().take(MAX_PACKAGES).map(package));
    if recon.packages.len() > MAX_PACKAGES {
        lines.push(format!("and {} more packages", recon.packages.len() - MAX_PACKAGES));
    }
    lines.join("\n")
}

/// `package @shop/api in apps/api (pnpm): express, zod`.
fn package(package: &Package) -> String {
    let folder = if package.folder.is_empty() { "the root" } else { &package.folder };
    let kind = if package.workspace_root { ", workspace" } else { "" };
    let needed: Vec<&str> = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let more = needed.len().saturating_sub(MAX_DEPENDENCIES);
    let mut listed = needed.into_iter().take(MAX_DEPENDENCIES).collect::<Vec<_>>().join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    let depends = if listed.is_empty() { String::new() } else { format!(": depends on {listed}") };
    let text = format!("package {} in {folder} ({}{kind}){depends}", package.name, package.manager.program());
    sanitize::line(&text).into_owned()
}

/// The project's commands: those of the root by purpose, then those of each other package, unless they are the same but for its name.
pub(super) fn commands(map: &RepoMap) -> String {
    let mut known = BTreeSet::new();
    let mut lines = Vec::new();
    let (roots, members): (Vec<&Package>, Vec<&Package>) =
        map.recon.packages.iter().partition(|package| package.folder.is_empty());
    for packages in [roots, members] {
        for purpose in PURPOSES {
            for package in &packages {
                for command in package.commands.iter().filter(|command| command.purpose == purpose) {
                    let (text, source) = match named_package(&command.command, &package.name) {
                        Some(text) => (text, "each package's manifest"),
                        None => (command.command.clone(), command.source.as_str()),
                    };
                    let folder = if command.folder.is_empty() { "the root" } else { &command.folder };
                    if known.insert((purpose, text.clone(), folder)) {
                        let line = format!("{}: {text}  (in {folder}; from {source})", purpose.label());
                        lines.push(sanitize::line(&line).into_owned());
                    }
                }
            }
        }
    }
    lines.join("\n")
}

/// `cargo test -p <package>` for a command that names its package so.
fn named_package(command: &str, package: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let at = words
        .windows(2)
        .position(|pair| matches!(pair[0], "-p" | "--package" | "--filter" | "-w") && pair[1] == package)?;
    let mut words = words;
    words[at + 1] = "<package>";
    Some(words.join(" "))
}

/// Files that start something or that users import, then what the world calls: routes, procedures, jobs, commands.
pub(super) fn entry_points(map: &RepoMap, effects: &Effects) -> String {
    let files: BTreeSet<&str> =
        map.recon.packages.iter().flat_map(|package| &package.entry_points).map(String::as_str).collect();
    let called = map_entries::entries(map, effects, &|_| true).map(|entry| {
        let handler = entry.handler.map_or_else(String::new, |handler| format!(" {handler}"));
        format!("{}:{handler} ({}:{})", entry.label, entry.file, entry.line)
    });
    let lines = files.into_iter().map(str::to_owned).chain(called);
    lines.map(|line| sanitize::line(&line).into_owned()).collect::<Vec<_>>().join("\n")
}

/// Files where a change is likely and costly.
pub(super) fn hotspots(map: &RepoMap) -> String {
    let rows = map_document::hotspots(map).into_iter().map(|spot| {
        format!(
            "{}: {} in 90 days, {} lines, complexity {}, used by {}",
            sanitize::line(&spot.path),
            count(spot.churn_90d as usize, "commit"),
            grouped(spot.lines as usize),
            grouped(spot.complexity as usize),
            count(spot.fan_in as usize, "file"),
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}
