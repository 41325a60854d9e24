//! What to read first: where the program starts, then what it uses, the central first, each understood from what was read before.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::role::Role;
use super::walk::Walk;
use super::{Ground, doc_comment, folder};
use crate::effects::Effect;
use crate::map::rank::entry_files;
use crate::repo_map::recon::Package;
use crate::repo_map::{FileId, FileRole, SymbolId};

/// Files in the list. Our choice: an afternoon of reading.
const MODULES: usize = 12;
/// Of them, files that start something.
const STARTS: usize = 3;
/// Of them, files of one folder.
const OF_ONE_FOLDER: usize = 3;
/// Of them, files of one folder and those below it, two levels deep.
const OF_ONE_AREA: usize = 6;
/// Lines below which a file that says nothing of itself is no reading.
const SHORTEST: u32 = 15;
/// Files below which short ones count, too.
const FEW: usize = 3;
/// Definitions named of a file.
const NAMED: usize = 4;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// Lines.
    pub lines: u32,
    /// The program or its users come in here.
    pub starts: bool,
    /// What the comment at its head says.
    pub says: Option<String>,
    /// Its main definitions, the most important first.
    pub defines: Vec<Defined>,
    /// Files whose definitions it passes on.
    pub passes_on: usize,
    /// What it does to the world outside by itself, in words.
    pub does: Vec<String>,
    /// Other files that use it.
    pub used_by: u32,
    /// Those of the files above it in the list that use it, by place from 1.
    pub follows: Vec<usize>,
}

/// A definition of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Defined {
    /// Its qualified name.
    pub name: String,
    /// The line of its name.
    pub line: u32,
    /// What its doc comment says first.
    pub says: Option<String>,
}

pub(super) fn reading(ground: &Ground<'_>, walk: Option<&Walk>) -> Vec<Module> {
    let ranked = ranked(ground);
    let starts = starts(ground, walk);
    let mut chosen: Vec<FileId> = starts.clone();
    // What the way through the code passes is read in any case.
    for path in walk.iter().flat_map(|walk| walk.files()) {
        let file = ground.sources.map.file_by_path(path).map(|(id, _)| id);
        if let Some(file) = file.filter(|file| !chosen.contains(file) && ground.keeps(*file)) {
            chosen.push(file);
        }
    }
    let mut in_folder: BTreeMap<&str, usize> = BTreeMap::new();
    for &file in &ranked {
        let source = ground.sources.map.file(file);
        let own = folder(&source.path);
        let area = own.match_indices('/').nth(1).map_or(own, |(end, _)| &own[..end]);
        let count = |name: &str| in_folder.get(name).copied().unwrap_or(0);
        let fits = count(own) < OF_ONE_FOLDER && (area == own || count(area) < OF_ONE_AREA);
        if chosen.len() < MODULES && !chosen.contains(&file) && fits && source.lines >= SHORTEST {
            *in_folder.entry(own).or_default() += 1;
            if area != own {
                *in_folder.entry(area).or_default() += 1;
            }
            chosen.push(file);
        }
    }
    // In a small repository short files are all there is.
    let short = ranked.into_iter().filter(|file| !chosen.contains(file)).collect::<Vec<_>>();
    chosen.extend(short.into_iter().take(FEW.saturating_sub(chosen.len())));
    let order = in_order(ground, &starts, chosen);
    let place: BTreeMap<FileId, usize> = order.iter().copied().zip(1..).collect();
    order.iter().map(|&file| module(ground, file, starts.contains(&file), &place)).collect()
}

/// Files of interest, the most important first.
fn ranked(ground: &Ground<'_>) -> Vec<FileId> {
    let map = ground.sources.map;
    let wanted = |file: FileId| {
        let source = map.file(file);
        let role = match ground.role {
            Some(Role::Tests) => {
                source.role == FileRole::Test && source.facts.symbols.iter().any(|symbol| symbol.exported)
            }
            Some(Role::Infrastructure) => matches!(source.role, FileRole::Script | FileRole::Production),
            Some(Role::Data) => matches!(source.role, FileRole::Production | FileRole::Migration),
            Some(Role::Backend | Role::Frontend) | None => source.role == FileRole::Production,
        };
        role && ground.keeps(file) && !source.facts.symbols.is_empty()
    };
    let mut seen = BTreeSet::new();
    let central = ground.ranking.symbols.iter().map(|id| id.file).filter(|&file| wanted(file) && seen.insert(file));
    let mut files: Vec<FileId> = central.collect();
    // Tests and scripts are in no ranking.
    let mut rest: Vec<FileId> =
        map.files_with_ids().map(|(id, _)| id).filter(|&id| wanted(id) && seen.insert(id)).collect();
    let named = |file: FileId| map.files.iter().filter(|other| imports(ground, other, file)).count();
    if files.len() < MODULES {
        rest.sort_by_cached_key(|&file| (std::cmp::Reverse(named(file)), map.file(file).path.clone()));
        files.extend(rest);
    }
    files
}

fn imports(ground: &Ground<'_>, user: &crate::repo_map::SourceFile, used: FileId) -> bool {
    let map = ground.sources.map;
    let Some((id, _)) = map.file_by_path(&user.path) else { return false };
    let targets = map.import_targets.get(id as usize).into_iter().flatten();
    targets.into_iter().any(|target| *target == crate::repo_map::ImportTarget::File(used))
}

/// Files that start something: those from which most of the code is reached, and where the walk begins.
fn starts(ground: &Ground<'_>, walk: Option<&Walk>) -> Vec<FileId> {
    let map = ground.sources.map;
    let begins = walk.and_then(|walk| map.file_by_path(&walk.handler.path)).map(|(id, _)| id);
    let uses = uses(ground);
    let mut entries: Vec<(usize, FileId)> = entry_files(map)
        .into_iter()
        .filter(|path| is_top(ground, path))
        .filter_map(|path| map.file_by_path(path))
        .filter(|(id, _)| ground.is_production(*id) && ground.keeps(*id))
        .map(|(id, _)| (reached(&uses, id).len(), id))
        .filter(|(reached, _)| *reached > 0)
        .collect();
    // Of those that lead to much of the code, the one nearest to the top: `src/index.ts` before `src/jsx/index.ts`.
    let most = entries.iter().map(|(reached, _)| *reached).max().unwrap_or(0);
    entries.retain(|(reached, _)| reached * 3 >= most);
    entries.sort_by_key(|&(reached, id)| (map.file(id).path.matches('/').count(), std::cmp::Reverse(reached), id));
    let mut starts: Vec<FileId> = Vec::new();
    for (_, id) in entries {
        let known = starts.iter().any(|&start| reached(&uses, start).contains(&id));
        if starts.len() + 1 < STARTS && !known {
            starts.push(id);
        }
    }
    if let Some(begins) = begins.filter(|file| ground.keeps(*file) && !starts.contains(file)) {
        starts.push(begins);
    }
    starts
}

/// For each file, the files it uses.
fn uses(ground: &Ground<'_>) -> Vec<BTreeSet<FileId>> {
    let mut uses = vec![BTreeSet::new(); ground.users.len()];
    for (used, users) in (0..).zip(&ground.users) {
        for &user in users {
            uses[user as usize].insert(used);
        }
    }
    uses
}

/// The files a file needs, through others.
fn reached(uses: &[BTreeSet<FileId>], from: FileId) -> BTreeSet<FileId> {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        open.extend(uses[file as usize].iter().copied().filter(|&used| seen.insert(used)));
    }
    seen.remove(&from);
    seen
}

/// Whether a file belongs to a package that no other one here depends on: a program, or the library itself.
fn is_top(ground: &Ground<'_>, path: &str) -> bool {
    let recon = &ground.sources.map.recon;
    let Some(own) = recon.package_of(path) else { return true };
    let needs = |package: &Package| package.dependencies.iter().any(|dependency| dependency.name == own.name);
    // A program is one whoever else uses its package.
    let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    if matches!(stem, "main" | "cli" | "server") {
        return true;
    }
    // A benchmark or an example that uses it makes it no part of something.
    let ships = |package: &Package| {
        let files = &ground.sources.map.files;
        files.iter().any(|file| {
            file.role == FileRole::Production
                && recon.package_of(&file.path).is_some_and(|of| of.folder == package.folder)
        })
    };
    !recon.packages.iter().any(|package| package.name != own.name && needs(package) && ships(package))
}

/// What starts something, then always the most important file that one of those before uses.
fn in_order(ground: &Ground<'_>, starts: &[FileId], chosen: Vec<FileId>) -> Vec<FileId> {
    let mut order: Vec<FileId> = starts.to_vec();
    let mut waiting: Vec<FileId> = chosen.into_iter().filter(|file| !starts.contains(file)).collect();
    while !waiting.is_empty() {
        let is_used = |file: FileId| order.iter().any(|above| ground.users[file as usize].contains(above));
        let next = waiting.iter().position(|&file| is_used(file)).unwrap_or(0);
        order.push(waiting.remove(next));
    }
    order
}

fn module(ground: &Ground<'_>, id: FileId, starts: bool, place: &BTreeMap<FileId, usize>) -> Module {
    let file = ground.sources.map.file(id);
    let text = ground.sources.text(&file.path).unwrap_or_default();
    let own = place[&id];
    let above = ground.users[id as usize].iter().filter_map(|user| place.get(user)).copied().filter(|&at| at < own);
    let mut follows: Vec<usize> = above.collect();
    follows.sort_unstable();
    Module {
        path: file.path.clone(),
        lines: file.lines,
        starts,
        says: doc_comment::of_file(&text, file.language),
        defines: defines(ground, id, &text),
        passes_on: passes_on(ground, id),
        does: does(ground, id),
        used_by: ground.fan_in(id),
        follows,
    }
}

fn passes_on(ground: &Ground<'_>, file: FileId) -> usize {
    let map = ground.sources.map;
    let exports = map.reexport_targets.get(file as usize).into_iter().flatten().filter_map(|target| *target);
    let imports = map.import_targets.get(file as usize).into_iter().flatten().zip(&map.file(file).facts.imports);
    let used = imports.filter(|(_, import)| import.reexported).filter_map(|(target, _)| match target {
        crate::repo_map::ImportTarget::File(target) => Some(*target),
        crate::repo_map::ImportTarget::External(_) | crate::repo_map::ImportTarget::Unresolved => None,
    });
    exports.chain(used).collect::<BTreeSet<FileId>>().len()
}

/// The main definitions of a file: by importance, else those that others can use.
fn defines(ground: &Ground<'_>, file: FileId, text: &str) -> Vec<Defined> {
    let map = ground.sources.map;
    let outermost = |id: &SymbolId| {
        let symbol = map.symbol(*id);
        let has_name = symbol.name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && !matches!(symbol.qualified.as_str(), "module.exports" | "default");
        symbol.container.is_none() && symbol.member_of.is_none() && !symbol.test && has_name
    };
    let central = ground.ranking.symbols.iter().copied().filter(|id| id.file == file).filter(outermost);
    let own = (0..map.file(file).facts.symbols.len() as u32).map(|index| SymbolId { file, index });
    let others = own.filter(outermost).filter(|id| map.symbol(*id).exported);
    let mut seen = BTreeSet::new();
    let mut all: Vec<SymbolId> =
        central.chain(others).filter(|id| seen.insert(map.symbol(*id).qualified.as_str())).collect();
    // What others can use says what a file is for; helpers say how.
    all.sort_by_key(|id| !map.symbol(*id).exported);
    let defined = all.into_iter().take(NAMED).map(|id| {
        let symbol = map.symbol(id);
        Defined {
            name: symbol.qualified.to_string(),
            line: symbol.name_line,
            says: symbol.documented.then(|| doc_comment::of_definition(text, symbol.lines.start)).flatten(),
        }
    });
    defined.collect()
}

/// What a file does by calls of its own.
fn does(ground: &Ground<'_>, file: FileId) -> Vec<String> {
    let calls = ground
        .sources
        .effects
        .direct
        .range(crate::repo_map::CallId { file, index: 0 }..=crate::repo_map::CallId { file, index: u32::MAX });
    let map = ground.sources.map;
    let effects: BTreeSet<Effect> = calls
        .filter(|(call, _)| !map.is_test(call.file, map.call(**call).caller))
        .flat_map(|(_, direct)| direct.iter().map(|direct| direct.effect))
        .collect();
    let mut words: Vec<String> = effects.into_iter().filter_map(in_words).map(str::to_owned).collect();
    words.dedup();
    words
}

/// What a function with this effect does; `None` for what says nothing about its purpose.
pub(super) fn in_words(effect: Effect) -> Option<&'static str> {
    match effect {
        Effect::DbRead => Some("reads the database"),
        Effect::DbWrite => Some("writes the database"),
        Effect::Http => Some("sends requests"),
        Effect::Redis => Some("talks to a cache server"),
        Effect::Queue => Some("puts work on a queue"),
        Effect::Fs => Some("reads or writes files"),
        Effect::Process => Some("starts processes"),
        Effect::AuthCheck => Some("asks who is calling"),
        Effect::Validation => Some("checks values"),
        Effect::Blocking | Effect::Panics => None,
    }
}
