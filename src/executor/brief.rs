//! The brief of a step: the plan word for word, and what an executor needs of the repository beside it, within a number of tokens.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::said;
use super::{Bench, Task};
use crate::plan::markdown::fence_for;
use crate::repo_map::query::{callees, callers};
use crate::repo_map::{RepoMap, SymbolId};
use crate::report::map_outline::CHARACTERS_PER_TOKEN;
use crate::secrets::of_files::masked;

/// Files up to so many lines are shown whole.
const WHOLE: usize = 250;
/// Lines shown on either side of what the plan quotes.
const AROUND: u32 = 30;
/// Lines shown of a large file of which the plan quotes nothing.
const START: u32 = 80;
/// Signatures of neighbours.
const NEIGHBOURS: usize = 30;
/// Share of the brief that signatures may take.
const NEIGHBOURS_SHARE: usize = 6;

/// What every step of a plan begins with: the plan as it is.
pub(super) fn shared(task: &Task<'_>) -> String {
    let fence = fence_for(task.plan_text);
    format!("The plan:\n\n{fence}markdown\n{}\n{fence}", task.plan_text.trim_end())
}

/// What is said of one step: what is done, what is red, the files as they are now. `notes` is what was done in it already.
pub(super) fn of_step(task: &Task<'_>, map: &RepoMap, bench: &dyn Bench, notes: &[String], tokens: usize) -> String {
    let step = task.step();
    let mut brief = format!("Carry out step {}: {}", task.index + 1, step.title);
    if task.beginnings > 0 {
        brief.push_str(&format!(" (the plan is begun anew, for the {}. time)", task.beginnings + 1));
    }
    brief.push('\n');
    let done = task.earlier.iter().map(|step| format!("- step {}: {}", step.step, step.title));
    let done: Vec<String> = done.collect();
    if !done.is_empty() {
        brief.push_str(&format!("\nDone before, and committed:\n{}\n", done.join("\n")));
    }
    if let Some(text) = resolved(task) {
        brief.push_str(&format!("\nThe step with what earlier steps gave:\n\n{text}\n"));
    }
    if !notes.is_empty() {
        brief.push_str(&format!("\nDone in this step so far:\n{}\n", notes.join("\n")));
    } else if !task.red.is_empty() {
        let red: Vec<_> = task.red.iter().map(|result| (*result).clone()).collect();
        brief.push_str(&format!("\nThe step's gates before the plan began:\n{}", said::gates(&red)));
    }
    let room = (tokens * CHARACTERS_PER_TOKEN).saturating_sub(brief.len());
    let neighbours = neighbours(task, map, room / NEIGHBOURS_SHARE);
    let files = files(task, map, bench, room.saturating_sub(neighbours.len()));
    format!("{brief}{files}{neighbours}")
}

/// The step's text with `{{step_N.output}}` replaced by what the gates of that step printed; `None` where nothing is to replace.
fn resolved(task: &Task<'_>) -> Option<String> {
    let step = task.step();
    let inputs = step.fields.iter().map(|(key, value)| format!("**{key}**: {value}"));
    let text: Vec<String> = inputs.chain([step.instruction.clone()]).collect();
    let text = text.join("\n\n");
    let mut resolved = text.clone();
    for earlier in task.earlier {
        let printed: Vec<&str> = earlier.gates.iter().map(|gate| gate.stdout.trim_end()).collect();
        for mark in [format!("{{{{step_{}.output}}}}", earlier.step), format!("{{{{ step_{}.output }}}}", earlier.step)]
        {
            if resolved.contains(&mark) {
                let printed = printed.join("\n");
                let fence = fence_for(&printed);
                resolved = resolved.replace(&mark, &format!("\n{fence}\n{printed}\n{fence}\n"));
            }
        }
    }
    (resolved != text).then_some(resolved)
}

/// The files in scope as they are now: whole where they are short, around what the plan quotes otherwise.
fn files(task: &Task<'_>, map: &RepoMap, bench: &dyn Bench, room: usize) -> String {
    let mut said = String::from("\nThe files in scope as they are now:\n");
    let mut left = room;
    for file in scope(task, map) {
        let Some(text) = bench.text(&file) else {
            said.push_str(&format!("\n{file}: does not exist\n"));
            continue;
        };
        let text = masked(&file, &text);
        let lines: Vec<&str> = text.lines().collect();
        let regions = regions(task, map, &file, &lines);
        let mut shown = String::new();
        for region in &regions {
            let (first, last) = (*region.start() as usize, (*region.end() as usize).min(lines.len()));
            let part = lines[first.saturating_sub(1).min(last)..last].join("\n");
            let fence = fence_for(&part);
            let whole = first <= 1 && last == lines.len();
            let title = if whole {
                format!("{file}, whole:")
            } else {
                format!("{file}, lines {first} to {last} of {}:", lines.len())
            };
            shown.push_str(&format!("\n{title}\n{fence}\n{part}\n{fence}\n"));
        }
        if shown.len() > left {
            said.push_str(&format!("\n{file}: {} lines, not shown; `read` gives them\n", lines.len()));
            continue;
        }
        left -= shown.len();
        said.push_str(&shown);
    }
    said
}

/// Files that the step may change, those it names first.
fn scope(task: &Task<'_>, map: &RepoMap) -> Vec<String> {
    let step = task.step();
    let words = format!("{} {}", step.title, step.instruction);
    let mut files: Vec<String> = Vec::new();
    for entry in task.plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()) {
        let entry = entry.trim_end_matches('/');
        let is_pattern = entry.contains(['*', '?', '[']);
        let under = format!("{entry}/");
        if map.has_path(entry) || !is_pattern && !map.files_with_ids().any(|(_, file)| file.path.starts_with(&under)) {
            files.push(entry.to_owned());
        } else {
            // Of a folder, what the plan speaks of.
            let spoken = map.files_with_ids().map(|(_, file)| file.path.to_string());
            let spoken = spoken
                .filter(|path| (is_pattern || path.starts_with(&under)) && task.plan_text.contains(path.as_str()));
            files.extend(spoken);
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    files.sort_by_key(|file| !words.contains(file.as_str()));
    files
}

/// Lines of a file that the step is about.
fn regions(task: &Task<'_>, map: &RepoMap, file: &str, lines: &[&str]) -> Vec<RangeInclusive<u32>> {
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    if lines.len() <= WHOLE {
        return vec![1..=count];
    }
    let step = task.step();
    let mut found: Vec<RangeInclusive<u32>> = Vec::new();
    for excerpt in task.plan.excerpts.iter().filter(|excerpt| excerpt.file.as_deref() == Some(file)) {
        let quoted: Vec<&str> = excerpt.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let Some(first) = quoted.first() else { continue };
        let stands = |at: &usize| lines[*at].trim() == *first;
        let hint = excerpt.lines.map_or(0, |(start, _)| start as usize).saturating_sub(1);
        let Some(at) = (0..lines.len()).filter(stands).min_by_key(|at| at.abs_diff(hint)) else { continue };
        let start = u32::try_from(at).unwrap_or(0) + 1;
        let height = u32::try_from(excerpt.text.lines().count()).unwrap_or(1);
        found.push(start..=start + height.saturating_sub(1));
    }
    let words = format!("{} {}", step.title, step.instruction);
    if let Some((_, source)) = map.file_by_path(file) {
        for symbol in &source.facts.symbols {
            let name = format!("`{}", symbol.name);
            let named = words.match_indices(&name).any(|(at, _)| {
                words[at + name.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '_')
            });
            // The text may have moved since it was mapped: the definition is looked for near where it was.
            if named && let Some(line) = near(lines, &symbol.name, symbol.name_line) {
                found.push(line..=line + (symbol.lines.end - symbol.lines.start).min(AROUND * 3));
            }
        }
    }
    if found.is_empty() {
        return vec![1..=START.min(count)];
    }
    let around =
        |range: RangeInclusive<u32>| range.start().saturating_sub(AROUND).max(1)..=(range.end() + AROUND).min(count);
    let mut wide: Vec<RangeInclusive<u32>> = found.into_iter().map(around).collect();
    wide.sort_by_key(|range| *range.start());
    let mut joined: Vec<RangeInclusive<u32>> = Vec::new();
    for range in wide {
        match joined.last_mut() {
            Some(last) if *range.start() <= *last.end() + AROUND => {
                *last = *last.start()..=(*last.end()).max(*range.end());
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// The line nearest to `hint` that holds `name`.
fn near(lines: &[&str], name: &str, hint: u32) -> Option<u32> {
    let holds = (1u32..).zip(lines).filter(|(_, line)| line.contains(name));
    holds.map(|(number, _)| number).min_by_key(|number| number.abs_diff(hint))
}

/// Signatures of what the code that the plan quotes calls, and of what calls it, outside the files shown.
fn neighbours(task: &Task<'_>, map: &RepoMap, room: usize) -> String {
    let mut inside: Vec<SymbolId> = Vec::new();
    for excerpt in &task.plan.excerpts {
        let (Some(file), Some((first, last))) = (excerpt.file.as_deref(), excerpt.lines) else { continue };
        let Some((id, _)) = map.file_by_path(file) else { continue };
        let symbols = map.symbols().filter(|(symbol, _)| symbol.file == id);
        let touched = symbols.filter(|(_, symbol)| symbol.lines.start <= last && first <= symbol.lines.end);
        inside.extend(touched.map(|(symbol, _)| symbol));
    }
    inside.sort_unstable();
    inside.dedup();
    let shown: BTreeSet<&str> = task.plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()).collect();
    let called = callees(map, &inside, 1).into_iter().filter_map(|step| step.callee);
    let calling = callers(map, &inside, 1).into_iter().filter_map(|step| map.caller_of(step.call));
    let mut said = String::new();
    let mut seen: BTreeSet<SymbolId> = inside.iter().copied().collect();
    for id in called.chain(calling) {
        let (file, symbol) = (map.file(id.file), map.symbol(id));
        if shown.contains(&*file.path) || !seen.insert(id) || seen.len() > NEIGHBOURS + inside.len() {
            continue;
        }
        let line = format!("{}:{} {}\n", file.path, symbol.name_line, symbol.signature);
        if said.len() + line.len() > room {
            break;
        }
        said.push_str(&line);
    }
    if said.is_empty() {
        return said;
    }
    let fence = fence_for(&said);
    format!("\nWhat that code calls, and what calls it, in other files:\n{fence}\n{said}{fence}\n")
}
