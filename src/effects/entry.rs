//! Entry points: where the world calls into the program, and which functions are reached from there.
//!
//! What a fault costs depends on who runs the code: a query in a loop behind `GET /orders` is waited for, one in a script is not.
//! Frameworks are recognised by what they make visible in the code: calls that register a handler, decorators and attributes, and
//! where a file stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::Serialize;

use crate::effects::Effect;
use crate::effects::deferral::is_deferred_within;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::RegionIndex;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SymbolId};

mod attributes;
mod files;
mod jobs;
mod procedures;
mod routers;
mod rust_routers;
pub mod start;

/// Calls from an entry point that are followed. Our choice: what lies deeper belongs to every route alike.
const MAX_DISTANCE: u32 = 10;

/// A place where the world calls in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who calls.
    pub kind: EntryKind,
    /// `POST /orders`, `mutation order.create`, `job send-mail`.
    pub label: String,
    /// The HTTP method in capitals, where there is one.
    pub method: Option<String>,
    /// The path, where there is one.
    pub path: Option<String>,
    /// What runs.
    pub handler: Handler,
    /// The call that registers it, where there is one.
    pub registration: Option<CallId>,
    /// The library that calls it.
    pub framework: &'static str,
}

/// Who calls an entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// An HTTP request.
    Route,
    /// A remote procedure call: tRPC, a server action, a command of a desktop shell.
    Procedure,
    /// A GraphQL field.
    Resolver,
    /// A page rendered on the server.
    Page,
    /// A worker that takes jobs or messages.
    Job,
    /// A clock.
    Schedule,
    /// A person at a terminal.
    Command,
}

impl EntryKind {
    /// Whether somebody waits for the answer.
    pub fn is_request(self) -> bool {
        match self {
            EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver | EntryKind::Page => true,
            EntryKind::Job | EntryKind::Schedule | EntryKind::Command => false,
        }
    }
}

/// The code an entry point runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Handler {
    /// A function with a name.
    Function(SymbolId),
    /// A function written in place.
    Callback(FileId, RegionIndex),
}

impl Handler {
    /// The file it stands in.
    pub fn file(self) -> FileId {
        match self {
            Handler::Function(symbol) => symbol.file,
            Handler::Callback(file, _) => file,
        }
    }

    /// Its first line.
    pub fn line(self, map: &RepoMap) -> u32 {
        match self {
            Handler::Function(symbol) => map.symbol(symbol).name_line,
            Handler::Callback(file, region) => map.file(file).facts.regions[region as usize].lines.start,
        }
    }

    /// Calls made by the handler itself, callbacks inside it included.
    pub fn calls(self, map: &RepoMap) -> Vec<CallId> {
        match self {
            Handler::Function(symbol) => map.calls_in(symbol).collect(),
            Handler::Callback(file, region) => {
                let facts = &map.file(file).facts;
                let body = facts.regions[region as usize].span;
                (0..)
                    .zip(&facts.calls)
                    .filter(|(_, call)| body.contains(call.span))
                    .map(|(index, _)| CallId { file, index })
                    .collect()
            }
        }
    }
}

/// How a function is reached.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// From where.
    pub entry: &'a Entry,
    /// Calls between the handler and the function; 0 in the handler itself.
    pub distance: u32,
}

/// The entry points of a repository, and what is reached from them.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// Every entry point, in order of file and place.
    pub list: Vec<Entry>,
    /// Handlers written in place, by file: the entry and its region.
    in_place: BTreeMap<FileId, Vec<(RegionIndex, usize)>>,
    /// Nearest entry point of a function, requests before all others, and the calls in between.
    reached: BTreeMap<SymbolId, (usize, u32)>,
    /// Functions that run only while a server starts.
    at_start: BTreeSet<SymbolId>,
}

/// Finds the entry points of `map`.
pub fn entries(map: &RepoMap) -> Entries {
    let mut list = Vec::new();
    for (file, source) in map.files_with_ids() {
        if matches!(source.role, FileRole::Test | FileRole::Example | FileRole::Generated) {
            continue;
        }
        if source.language.is_ecmascript() {
            routers::find(map, file, &mut list);
            procedures::find(map, file, &mut list);
            files::find(map, file, &mut list);
        } else {
            rust_routers::find(map, file, &mut list);
        }
        jobs::find(map, file, &mut list);
        attributes::find(map, file, &mut list);
    }
    list.sort_by(|a, b| (a.handler, a.kind, &a.label).cmp(&(b.handler, b.kind, &b.label)));
    list.dedup_by(|a, b| a.handler == b.handler && a.label == b.label);
    let mut found = Entries { list, ..Entries::default() };
    for (index, entry) in found.list.iter().enumerate() {
        if let Handler::Callback(file, region) = entry.handler {
            found.in_place.entry(file).or_default().push((region, index));
        }
    }
    found.spread(map, true);
    found.spread(map, false);
    found.at_start = start::only_at_start(map);
    found
}

impl Entries {
    /// How the function around `call`, or the handler it stands in, is reached.
    pub fn of_call(&self, map: &RepoMap, call: CallId) -> Option<Reach<'_>> {
        let facts = &map.file(call.file).facts;
        if let Some(in_place) = self.in_place.get(&call.file) {
            let around = facts.enclosing_regions(facts.call(call.index).region);
            let found = around
                .filter_map(|(region, _)| in_place.iter().find(|(handler, _)| *handler == region))
                .map(|(_, index)| Reach { entry: &self.list[*index], distance: 0 })
                .next();
            if found.is_some() {
                return found;
            }
        }
        self.of_symbol(map.caller_of(call)?)
    }

    /// How a function is reached.
    pub fn of_symbol(&self, symbol: SymbolId) -> Option<Reach<'_>> {
        let (index, distance) = *self.reached.get(&symbol)?;
        Some(Reach { entry: &self.list[index], distance })
    }

    /// Whether the function around `call` runs only while a server starts: no request, job or clock leads to it.
    pub fn is_only_at_start(&self, map: &RepoMap, call: CallId) -> bool {
        map.caller_of(call).is_some_and(|function| self.at_start.contains(&function))
            && self.of_call(map, call).is_none_or(|reach| reach.entry.kind == EntryKind::Command)
    }

    /// How the code on a line is reached.
    pub fn of_line(&self, map: &RepoMap, file: FileId, line: u32) -> Option<Reach<'_>> {
        let facts = &map.file(file).facts;
        let in_place = self.in_place.get(&file).into_iter().flatten();
        let around = in_place.filter(|(region, _)| facts.regions[*region as usize].lines.contains(line));
        let innermost = around.min_by_key(|(region, _)| facts.regions[*region as usize].lines.count());
        if let Some((_, index)) = innermost {
            return Some(Reach { entry: &self.list[*index], distance: 0 });
        }
        let functions = (0..).zip(&facts.symbols).filter(|(_, symbol)| symbol.kind.is_callable());
        let around = functions.filter(|(_, symbol)| symbol.lines.contains(line));
        let mut around: Vec<_> = around.map(|(index, symbol)| (symbol.lines.count(), index)).collect();
        around.sort_unstable();
        around.into_iter().find_map(|(_, index)| self.of_symbol(SymbolId { file, index }))
    }

    /// Follows calls from the entry points that are requests, or from the others, breadth first.
    fn spread(&mut self, map: &RepoMap, requests: bool) {
        let mut next: VecDeque<(SymbolId, usize, u32)> = VecDeque::new();
        for (index, entry) in self.list.iter().enumerate().filter(|(_, entry)| entry.kind.is_request() == requests) {
            match entry.handler {
                Handler::Function(symbol) => next.push_back((symbol, index, 0)),
                Handler::Callback(_, region) => {
                    let calls = entry.handler.calls(map).into_iter();
                    let called = calls.flat_map(|call| callees(map, call, Some(region)));
                    next.extend(called.map(|symbol| (symbol, index, 1)));
                }
            }
        }
        // Handlers come before what they call, so that distances only grow.
        // Of several at one distance the one that reads is the example: it runs most often.
        let changes = |index: usize| self.list[index].method.as_deref().is_some_and(|method| method != "GET");
        next.make_contiguous().sort_by_key(|(symbol, index, distance)| (*distance, changes(*index), *index, *symbol));
        while let Some((symbol, index, distance)) = next.pop_front() {
            if self.reached.contains_key(&symbol) || map.is_test(symbol.file, Some(symbol.index)) {
                continue;
            }
            self.reached.insert(symbol, (index, distance));
            if distance == MAX_DISTANCE {
                continue;
            }
            let called = map.calls_in(symbol).flat_map(|call| callees(map, call, None));
            next.extend(called.map(|callee| (callee, index, distance + 1)));
        }
    }
}

/// Functions that run when the code around `call` does, which is the region `within` or a whole function: what is called, and
/// what is handed over.
fn callees(map: &RepoMap, call: CallId, within: Option<RegionIndex>) -> Vec<SymbolId> {
    // What a function registers or puts off is not run by it.
    if is_deferred_within(map, call, Effect::Http, within) {
        return Vec::new();
    }
    let resolved = map.resolved(call).map(|resolved| resolved.symbol);
    resolved.chain(map.handed(call).iter().map(|handed| handed.function)).collect()
}

/// The handlers among the arguments of `call` from `first` on: functions written in place, functions known by name, and either
/// of them wrapped in calls.
fn handlers(map: &RepoMap, call: CallId, first: usize) -> Vec<Handler> {
    let mut found = Vec::new();
    collect(map, call, first, 3, &mut found);
    found
}

fn collect(map: &RepoMap, call: CallId, first: usize, depth: u32, found: &mut Vec<Handler>) {
    let site = map.call(call);
    for (place, argument) in site.arguments.iter().enumerate().skip(first) {
        let named = map.handed(call).iter().filter(|handed| usize::from(handed.argument) == place);
        found.extend(named.map(|handed| Handler::Function(handed.function)));
        argument.walk(&mut |expr| match expr {
            Expr::Function { symbol: Some(index), .. } => {
                found.push(Handler::Function(SymbolId { file: call.file, index: *index }));
            }
            Expr::Function { region: Some(region), .. } => found.push(Handler::Callback(call.file, *region)),
            Expr::Call(inner) if depth > 0 => {
                collect(map, CallId { file: call.file, index: *inner }, 0, depth - 1, found);
            }
            _ => {}
        });
    }
}

#[cfg(test)]
mod tests;
