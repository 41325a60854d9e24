//! One request, command or call through the code, step by step: the one that shows most of how the parts work together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::Serialize;

use super::reading::in_words;
use super::{Ground, Place, doc_comment};
use crate::effects::Effect;
use crate::effects::entry::{Entry, EntryKind, Handler};
use crate::map::rank::entry_files;
use crate::repo_map::facts::{ExportTarget, Import};
use crate::repo_map::{CallId, FileId, FileRole, How, RepoMap, SymbolId};

/// Calls on the way, at most: a longer way is no introduction.
const LONGEST: usize = 8;
/// Functions looked at from one start.
const LOOKED_AT: usize = 2_000;
/// Characters of a line of code that are shown.
const CODE: usize = 110;
/// Checks named on the way.
const CHECKS: usize = 4;
/// Definitions of a library from which a way may start.
const PUBLIC: usize = 60;

/// One way through the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Walk {
    /// What kind of way it is.
    pub kind: WalkKind,
    /// What starts it: `POST /orders`, `main of src/main.rs`, the name of a public function.
    pub label: String,
    /// The library that calls it; null for a call of the public API.
    pub framework: Option<String>,
    /// The line that registers it, with its text.
    pub registered: Option<Shown>,
    /// Where the handler starts.
    pub handler: Place,
    /// Its name; null for a function written in place.
    pub handler_name: Option<String>,
    /// What the handler asks before it goes on, in order of lines.
    pub checks: Vec<Check>,
    /// The calls, in order.
    pub steps: Vec<Step>,
}

/// What kind of way a [`Walk`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WalkKind {
    /// Somebody waits for the answer.
    Request,
    /// A worker or a clock starts it.
    Job,
    /// A person at a terminal starts it.
    Command,
    /// A user of the library calls it.
    Call,
}

/// A line of code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// Where it stands.
    pub place: Place,
    /// Its text, credentials masked.
    pub code: String,
}

/// A call that asks who is calling, or whether values are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// The call.
    pub at: Shown,
    /// What it does, in words.
    pub does: String,
}

/// A call on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// The call.
    pub at: Shown,
    /// The function called; null at the end, where the repository is left.
    pub calls: Option<String>,
    /// Where that is defined.
    pub defined: Option<Place>,
    /// What the function called says of itself.
    pub says: Option<String>,
    /// At the end: what the call does to the world outside, in words.
    pub does: Option<String>,
}

impl Walk {
    pub(super) fn files(&self) -> Vec<&str> {
        let steps = self.steps.iter().flat_map(|step| std::iter::once(&step.at.place).chain(&step.defined));
        let own = std::iter::once(&self.handler).chain(self.registered.as_ref().map(|shown| &shown.place));
        own.chain(steps).map(|place| place.path.as_str()).collect()
    }
}

/// A way that was found.
struct Way {
    calls: Vec<(CallId, Option<SymbolId>)>,
    effect: Option<Effect>,
    score: i64,
}

pub(super) fn walk(ground: &Ground<'_>) -> Option<Walk> {
    from_entry(ground).or_else(|| from_api(ground))
}

/// The best way from an entry point to something outside.
fn from_entry(ground: &Ground<'_>) -> Option<Walk> {
    let (map, effects) = (ground.sources.map, ground.sources.effects);
    let functions = effects.entries.list.iter().filter_map(|entry| match entry.handler {
        Handler::Function(symbol) => Some(symbol),
        Handler::Callback(..) => None,
    });
    let handlers: BTreeSet<SymbolId> = functions.collect();
    let entries = effects.entries.list.iter().filter(|entry| {
        let file = entry.handler.file();
        ground.is_production(file) && ground.keeps(file)
    });
    let found = entries.filter_map(|entry| {
        // Who calls is asked everywhere: the way to what this entry point is for shows more.
        let asked: Vec<CallId> = checking(ground, entry).into_iter().map(|(_, call, _)| call).collect();
        let calls: Vec<CallId> = entry.handler.calls(map).into_iter().filter(|call| !asked.contains(call)).collect();
        let way = best(ground, calls, entry.handler.file(), true)?;
        let through = way.calls.iter().filter_map(|(_, symbol)| *symbol).any(|symbol| handlers.contains(&symbol));
        Some((way.score + bonus(ground, entry) - i64::from(through) * 15, entry, way))
    });
    // Of equal ones the first, in order of file and place.
    let (_, entry, way) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let kind = match entry.kind {
        EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver | EntryKind::Page => WalkKind::Request,
        EntryKind::Job | EntryKind::Schedule => WalkKind::Job,
        EntryKind::Command => WalkKind::Command,
    };
    let handler_name = match entry.handler {
        Handler::Function(symbol) => Some(map.symbol(symbol).qualified.to_string()),
        Handler::Callback(..) => None,
    };
    let handler = Place { path: map.file(entry.handler.file()).path.clone(), line: entry.handler.line(map) };
    let registered = entry.registration.map(|call| shown(ground, call)).filter(|shown| shown.place != handler);
    Some(Walk {
        kind,
        label: entry.label.strip_prefix("main of ").map_or_else(|| entry.label.clone(), |_| "main".to_owned()),
        framework: Some(entry.framework.to_owned()),
        registered,
        handler,
        handler_name,
        checks: checks(ground, entry),
        steps: steps(ground, &way),
    })
}

/// The best way from a public function of a library.
fn from_api(ground: &Ground<'_>) -> Option<Walk> {
    from_files(ground, &public(ground.sources.map, true))
        .or_else(|| from_files(ground, &public(ground.sources.map, false)))
}

/// The best way from a public function of `public`.
fn from_files(ground: &Ground<'_>, public: &BTreeSet<FileId>) -> Option<Walk> {
    let map = ground.sources.map;
    let is_start = |id: &SymbolId| {
        let symbol = map.symbol(*id);
        let is_public = public.contains(&id.file) && symbol.exported;
        symbol.kind.is_callable()
            && symbol.has_body
            && is_public
            && ground.is_production(id.file)
            && ground.keeps(id.file)
    };
    let starts = ground.ranking.symbols.iter().copied().filter(is_start).take(PUBLIC);
    let found = starts.enumerate().filter_map(|(place, start)| {
        let way = best(ground, map.calls_in(start).collect(), start.file, false)?;
        // What is first among the public ones is what people call.
        Some((way.score - (place / 4) as i64, start, way))
    });
    let (_, start, way) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let symbol = map.symbol(start);
    Some(Walk {
        kind: WalkKind::Call,
        label: symbol.qualified.to_string(),
        framework: None,
        registered: None,
        handler: Place { path: map.file(start.file).path.clone(), line: symbol.name_line },
        handler_name: Some(symbol.qualified.to_string()),
        checks: Vec::new(),
        steps: steps(ground, &way),
    })
}

/// Files whose definitions users of the packages can name: entry files, the `main` ones being those nearest to the top, what they pass
/// on, and what classes there build on.
fn public(map: &RepoMap, main: bool) -> BTreeSet<FileId> {
    let entries: Vec<&str> = entry_files(map).into_iter().collect();
    let depth = |path: &str| path.matches('/').count();
    let least = entries.iter().map(|path| depth(path)).min().unwrap_or(0);
    let wanted = entries.into_iter().filter(|path| !main || depth(path) == least);
    let mut files: BTreeSet<FileId> = wanted.filter_map(|path| Some(map.file_by_path(path)?.0)).collect();
    let mut open: Vec<FileId> = files.iter().copied().collect();
    while let Some(file) = open.pop() {
        let facts = &map.file(file).facts;
        let passed = map.reexport_targets.get(file as usize).into_iter().flatten().zip(&facts.exports);
        let passed =
            passed.filter(|(_, export)| matches!(export.target, ExportTarget::From { .. } | ExportTarget::Local(_)));
        let uses = map.import_targets.get(file as usize).into_iter().flatten().zip(&facts.imports);
        let builds_on = |name: &str| facts.heritage.iter().any(|heritage| heritage.base == name);
        let is_named =
            |name: &str| facts.exports.iter().any(|export| export.target == ExportTarget::Local(name.into()));
        let is_public = |import: &Import| import.reexported || builds_on(&import.local) || is_named(&import.local);
        let used = uses.filter(|(_, import)| is_public(import)).filter_map(|(target, _)| match target {
            crate::repo_map::ImportTarget::File(target) => Some(*target),
            crate::repo_map::ImportTarget::External(_) | crate::repo_map::ImportTarget::Unresolved => None,
        });
        for target in passed.filter_map(|(target, _)| *target).chain(used) {
            if files.insert(target) {
                open.push(target);
            }
        }
    }
    files
}

/// The best way that starts with one of `calls`.
fn best(ground: &Ground<'_>, calls: Vec<CallId>, from: FileId, outward: bool) -> Option<Way> {
    let map = ground.sources.map;
    let mut came_by: BTreeMap<SymbolId, (CallId, Option<SymbolId>, usize)> = BTreeMap::new();
    let mut queue: VecDeque<SymbolId> = VecDeque::new();
    let mut best: Option<Way> = None;
    let mut visit = |call: CallId,
                     within: Option<SymbolId>,
                     depth: usize,
                     queue: &mut VecDeque<SymbolId>,
                     came_by: &mut BTreeMap<_, _>| {
        let back = |came_by: &BTreeMap<SymbolId, (CallId, Option<SymbolId>, usize)>,
                    last: (CallId, Option<SymbolId>)| {
            let mut calls = vec![last];
            let mut here = within;
            while let Some(symbol) = here {
                let (call, before, _) = came_by[&symbol];
                calls.push((call, Some(symbol)));
                here = before;
            }
            calls.reverse();
            calls
        };
        let mut offer = |calls: Vec<(CallId, Option<SymbolId>)>, effect: Option<Effect>| {
            if let Some(score) = score(ground, from, &calls, effect)
                && best.as_ref().is_none_or(|best| score > best.score)
            {
                best = Some(Way { calls, effect, score });
            }
        };
        if outward {
            for direct in ground.sources.effects.direct(call) {
                offer(back(came_by, (call, None)), Some(direct.effect));
            }
        }
        let Some(symbol) = next(map, call) else { return };
        if depth >= LONGEST || came_by.len() >= LOOKED_AT || came_by.contains_key(&symbol) {
            return;
        }
        if !outward {
            offer(back(came_by, (call, Some(symbol))), None);
        }
        came_by.insert(symbol, (call, within, depth));
        queue.push_back(symbol);
    };
    for call in calls {
        visit(call, None, 1, &mut queue, &mut came_by);
    }
    while let Some(symbol) = queue.pop_front() {
        let depth = came_by[&symbol].2;
        for call in map.calls_in(symbol).collect::<Vec<_>>() {
            visit(call, Some(symbol), depth + 1, &mut queue, &mut came_by);
        }
    }
    best
}

/// The one function a call certainly leads to.
fn next(map: &RepoMap, call: CallId) -> Option<SymbolId> {
    let mut found = map.resolved(call);
    let first = found.next()?;
    let sure = found.next().is_none() && first.how != How::Guess;
    let symbol = map.symbol(first.symbol);
    let runs =
        symbol.kind.is_callable() && symbol.has_body && !map.is_test(first.symbol.file, Some(first.symbol.index));
    let ours = matches!(map.file(first.symbol.file).role, FileRole::Production);
    (sure && runs && ours).then_some(first.symbol)
}

/// How much a way shows: where it ends, how many files it crosses, that it is neither a step nor a journey.
fn score(
    ground: &Ground<'_>,
    from: FileId,
    calls: &[(CallId, Option<SymbolId>)],
    effect: Option<Effect>,
) -> Option<i64> {
    let end = match effect {
        Some(Effect::DbWrite) => 50,
        Some(Effect::DbRead | Effect::Http) => 40,
        Some(Effect::Queue | Effect::Redis) => 30,
        Some(Effect::Fs | Effect::Process) => 15,
        Some(Effect::Blocking | Effect::AuthCheck | Effect::Validation | Effect::Panics) => return None,
        None => 0,
    };
    let mut files: BTreeSet<FileId> = calls.iter().filter_map(|(_, symbol)| symbol.map(|symbol| symbol.file)).collect();
    files.insert(from);
    let (crossed, length) = (files.len() as i64, calls.len() as i64);
    if crossed < 2 || length < 2 {
        return None;
    }
    // What everything uses, a logger or a settings file, shows nothing of this way.
    let total = ground.sources.map.files.len() as i64;
    let last = calls.iter().rev().find_map(|(_, symbol)| *symbol)?;
    let common = i64::from(ground.fan_in(last.file)) * 100 / total.max(20);
    // The first call tells what the entry point is for, unless everybody makes it.
    let first = calls.iter().find_map(|(_, symbol)| *symbol).filter(|_| effect.is_some());
    let for_all = first.is_some_and(|first| i64::from(ground.ranking.reach.of(first).files) > (total / 20).max(8));
    let length_fits = match length {
        2 => 4,
        3 => 12,
        4..=6 => 18,
        _ => 10,
    };
    // Of a library nothing but its own functions can tell what matters.
    let central = |symbol: SymbolId| match ground.ranking.symbols.iter().take(200).position(|ranked| *ranked == symbol)
    {
        Some(0..40) => 6,
        Some(_) => 3,
        None => 0,
    };
    let importance: i64 = match effect {
        Some(_) => 0,
        None => calls.iter().filter_map(|(_, symbol)| *symbol).map(central).sum::<i64>().min(24),
    };
    Some(end + importance + crossed.min(3) * 8 + length_fits - common.min(30) - i64::from(for_all) * 25)
}

/// What speaks for an entry point: a request that changes something, and that is asked for leave.
fn bonus(ground: &Ground<'_>, entry: &Entry) -> i64 {
    let kind = match entry.kind {
        EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver => 12,
        EntryKind::Job | EntryKind::Schedule | EntryKind::Command => 4,
        EntryKind::Page => 0,
    };
    // Of several programs the one that most of the code belongs to.
    let package = ground.sources.map.recon.package_of(&ground.sources.map.file(entry.handler.file()).path);
    let needs = package.map_or(0, |package| {
        let own = |name: &str| ground.sources.map.recon.packages.iter().any(|other| other.name == name);
        package.dependencies.iter().filter(|dependency| own(&dependency.name)).count()
    });
    let kind = kind + if entry.kind == EntryKind::Command { needs.min(10) as i64 } else { 0 };
    let method = i64::from(matches!(entry.method.as_deref(), Some("POST" | "PUT" | "PATCH"))) * 4;
    kind + method + (checks(ground, entry).len().min(2) * 3) as i64
}

/// What a handler asks before it goes on.
fn checks(ground: &Ground<'_>, entry: &Entry) -> Vec<Check> {
    let found = checking(ground, entry);
    let all = found
        .into_iter()
        .filter_map(|(_, call, effect)| Some(Check { at: shown(ground, call), does: in_words(effect)?.to_owned() }));
    all.take(CHECKS).collect()
}

/// Calls of a handler that ask something, by line.
fn checking(ground: &Ground<'_>, entry: &Entry) -> Vec<(u32, CallId, Effect)> {
    let (map, effects) = (ground.sources.map, ground.sources.effects);
    let calls = entry.handler.calls(map).into_iter();
    let mut found: Vec<(u32, CallId, Effect)> = calls
        .flat_map(|call| [Effect::AuthCheck, Effect::Validation].map(|effect| (call, effect)))
        .filter(|(call, effect)| effects.own(*call, *effect).is_some() || next_has(map, ground, *call, *effect))
        .map(|(call, effect)| (map.call(call).line, call, effect))
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(line, _, effect)| (*line, *effect));
    found
}

/// Whether the function called does so itself.
fn next_has(map: &RepoMap, ground: &Ground<'_>, call: CallId, effect: Effect) -> bool {
    let cause = next(map, call).and_then(|symbol| ground.sources.effects.of_function(symbol, effect));
    cause.is_some_and(|cause| cause.distance <= 1) && !next(map, call).is_some_and(|symbol| is_handler(ground, symbol))
}

fn is_handler(ground: &Ground<'_>, symbol: SymbolId) -> bool {
    ground.sources.effects.entries.list.iter().any(|entry| entry.handler == Handler::Function(symbol))
}

fn steps(ground: &Ground<'_>, way: &Way) -> Vec<Step> {
    let map = ground.sources.map;
    let step = |&(call, symbol): &(CallId, Option<SymbolId>)| {
        let named = symbol.map(|id| map.symbol(id));
        let defined = symbol.map(|id| Place { path: map.file(id.file).path.clone(), line: map.symbol(id).name_line });
        let says = symbol.filter(|id| map.symbol(*id).documented).and_then(|id| {
            doc_comment::of_definition(&ground.sources.text(&map.file(id.file).path)?, map.symbol(id).lines.start)
        });
        let does = way.effect.filter(|_| symbol.is_none()).and_then(in_words).map(str::to_owned);
        Step { at: shown(ground, call), calls: named.map(|symbol| symbol.qualified.to_string()), defined, says, does }
    };
    way.calls.iter().map(step).collect()
}

/// The line a call stands on.
fn shown(ground: &Ground<'_>, call: CallId) -> Shown {
    let map = ground.sources.map;
    let (path, line) = (&map.file(call.file).path, map.call(call).line);
    let text = ground.sources.text(path).unwrap_or_default();
    let code = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default().trim();
    Shown { place: Place { path: path.clone(), line }, code: doc_comment::cut(code, CODE) }
}
