//! Groups of entry points that belong together, and the odd one in a group.

use std::collections::{BTreeMap, BTreeSet};

use super::{confidence, guards};
use crate::effects::Effects;
use crate::effects::entry::{Entry, EntryKind, Handler};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::SymbolIndex;
use crate::repo_map::{FileRole, ImportTarget, RepoMap};

/// An entry point without a guard, beside others that have one.
pub struct Odd<'a> {
    /// The entry point.
    pub entry: &'a Entry,
    /// What the group is, after "entry points": `of this router`.
    pub group: &'static str,
    /// Entry points in the group.
    pub of: usize,
    /// Guarded ones: file and line.
    pub guarded: Vec<(String, u32)>,
    /// Names of their guards, most frequent first.
    pub guards: Vec<String>,
    /// It changes something.
    pub writes: bool,
    /// How sure one can be.
    pub confidence: Confidence,
}

impl Odd<'_> {
    /// The file to open.
    pub fn file<'m>(&self, map: &'m RepoMap) -> &'m str {
        place(map, self.entry).0
    }

    /// The line to look at.
    pub fn line(&self, map: &RepoMap) -> u32 {
        place(map, self.entry).1
    }

    /// The function it stands in.
    pub fn function(&self) -> Option<SymbolIndex> {
        match self.entry.handler {
            Handler::Function(symbol) if self.entry.registration.is_none() => Some(symbol.index),
            Handler::Function(_) | Handler::Callback(..) => None,
        }
    }

    /// The guards of the siblings in words.
    pub fn guard_text(&self) -> String {
        let names: Vec<String> = self.guards.iter().take(3).map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "each looks at who is asking".to_owned() } else { names.join(", ") }
    }
}

/// Where an entry point is written: its registration, else its handler.
fn place<'m>(map: &'m RepoMap, entry: &Entry) -> (&'m str, u32) {
    match entry.registration {
        Some(call) => (&map.file(call.file).path, map.call(call).line),
        None => (&map.file(entry.handler.file()).path, entry.handler.line(map)),
    }
}

/// One entry point of a group.
struct Member<'a> {
    entry: &'a Entry,
    /// Guards written beside it.
    guards: Vec<String>,
    writes: bool,
}

/// Groups with fewer members say nothing about their habits.
const LEAST_GUARDED: usize = 3;

/// Routes that change something, in a router that is no longer about one thing everybody may do.
const LEAST_WRITES: usize = 3;

/// Every odd one.
pub fn odd_ones<'a>(map: &RepoMap, effects: &'a Effects) -> Vec<Odd<'a>> {
    let mounts = guarded_mounts(map);
    let mut groups: BTreeMap<(u8, String), Vec<Member<'a>>> = BTreeMap::new();
    let mut routers: BTreeMap<String, BTreeMap<String, Vec<Member<'a>>>> = BTreeMap::new();
    for entry in &effects.entries.list {
        let (path, _) = place(map, entry);
        let in_production = map.file_by_path(path).is_some_and(|(_, file)| file.role == FileRole::Production);
        if !entry.kind.is_request() || entry.kind == EntryKind::Page || !in_production || mounts.contains(path) {
            continue;
        }
        let Some((kind, key)) = group_of(map, entry) else { continue };
        let member = || Member { entry, guards: own_guards(map, effects, entry), writes: writes(entry) };
        if kind == ROUTER && !path.ends_with(".rs") {
            let folder = family(path);
            routers.entry(folder).or_default().entry(path.to_owned()).or_default().push(member());
        }
        groups.entry((kind, key)).or_default().push(member());
    }
    let mut found: Vec<Odd<'a>> =
        groups.iter().flat_map(|((kind, _), members)| odd_in(map, effects, *kind, members)).collect();
    for files in routers.values() {
        found.extend(odd_files(map, effects, files));
    }
    found.sort_by(|a, b| place(map, a.entry).cmp(&place(map, b.entry)));
    found.dedup_by(|a, b| place(map, a.entry) == place(map, b.entry));
    found
}

/// Routes registered in one file.
const ROUTER: u8 = 0;
/// Methods of one controller.
const CLASS: u8 = 1;
/// Procedures of one file.
const PROCEDURES: u8 = 2;

fn group_of(map: &RepoMap, entry: &Entry) -> Option<(u8, String)> {
    let (path, _) = place(map, entry);
    match (entry.kind, entry.registration, entry.handler) {
        (EntryKind::Route, Some(call), _) => {
            let receiver = match map.call(call).callee.peeled() {
                Expr::Member(object, _) => object.dotted().unwrap_or_default(),
                _ => String::new(),
            };
            Some((ROUTER, format!("{path} {receiver}")))
        }
        (EntryKind::Procedure, Some(_), _) => Some((PROCEDURES, path.to_owned())),
        (EntryKind::Route | EntryKind::Resolver, None, Handler::Function(symbol)) => {
            let class = map.symbol(symbol).member_of?;
            entry.framework.eq("NestJS").then(|| (CLASS, format!("{path} {class}")))
        }
        _ => None,
    }
}

/// The folder of routers that a file belongs to: `routes` for `routes/orders.ts` and for `routes/orders/index.ts`.
fn family(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_index = name.split('.').next() == Some("index");
    let folder = if is_index { folder.rsplit_once('/').map_or("", |(parent, _)| parent) } else { folder };
    folder.to_owned()
}

fn writes(entry: &Entry) -> bool {
    match &entry.method {
        Some(method) => !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS"),
        None => entry.label.starts_with("mutation") || entry.label.starts_with("action"),
    }
}

/// The guards that are written beside an entry point: middleware before it, decorators on it, the procedure it is made of.
fn own_guards(map: &RepoMap, effects: &Effects, entry: &Entry) -> Vec<String> {
    let mut found = guards::before(map, effects, entry);
    if !map.file(entry.handler.file()).language.is_ecmascript() {
        found.extend(guards::extractors(map, entry));
    } else if let (Handler::Function(symbol), None) = (entry.handler, entry.registration) {
        let attributes = map.symbol(symbol).attributes.iter();
        let names = attributes.map(|attribute| attribute.split('(').next().unwrap_or(attribute).trim());
        found.extend(names.filter(|name| guards::is_guard(name) || *name == "UseGuards").map(str::to_owned));
    }
    if entry.kind == EntryKind::Procedure
        && let Some(call) = entry.registration
    {
        let facts = &map.file(call.file).facts;
        let chain = crate::effects::chain::receivers(facts, call.index);
        let first = chain.last().copied().unwrap_or(call.index);
        if let Some(root) = facts.call(first).callee.peeled().dotted() {
            let name = root.split('.').find(|part| part.to_ascii_lowercase().contains("procedure")).unwrap_or_default();
            let words = crate::audit::place::words(name);
            let is_open = words.len() < 2
                || words.iter().any(|word| matches!(word.as_str(), "public" | "base" | "maybe" | "open"));
            if !is_open {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The odd one of a group whose members each have a guard of their own.
fn odd_in<'a>(map: &RepoMap, effects: &Effects, kind: u8, members: &[Member<'a>]) -> Vec<Odd<'a>> {
    let (guarded, open): (Vec<&Member<'_>>, Vec<&Member<'_>>) =
        members.iter().partition(|member| !member.guards.is_empty());
    // Those that are open on purpose say nothing about the habit.
    let open: Vec<&&Member<'_>> =
        open.iter().filter(|member| !is_open_on_purpose(map, effects, kind, member)).collect();
    if guarded.len() < LEAST_GUARDED || open.is_empty() || open.len() * 4 > guarded.len() + 1 {
        return Vec::new();
    }
    if kind == CLASS && members.iter().any(|member| class_is_guarded(map, member.entry)) {
        return Vec::new();
    }
    // A guard in `use` before the routes covers them; those with one of their own then only narrow it.
    let all_covered = kind == ROUTER && guarded_by_use(map, members);
    let mut found = Vec::new();
    for member in &open {
        let same = guarded.iter().filter(|other| other.writes == member.writes).count();
        if all_covered || same < LEAST_GUARDED - 1 {
            continue;
        }
        found.push(Odd {
            entry: member.entry,
            group: match kind {
                ROUTER => "of this router",
                CLASS => "of this class",
                _ => "of this file",
            },
            of: members.len(),
            guarded: nearest(map, member.entry, &guarded),
            guards: common(&guarded),
            writes: member.writes,
            confidence: if kind == PROCEDURES || !map.file(member.entry.handler.file()).language.is_ecmascript() {
                if member.writes { Confidence::Med } else { Confidence::Low }
            } else {
                confidence(guarded.len(), open.len(), member.writes)
            },
        });
    }
    found
}

fn is_open_on_purpose(map: &RepoMap, effects: &Effects, kind: u8, member: &Member<'_>) -> bool {
    guards::is_public(&member.entry.label)
        || handler_name(map, member.entry).is_some_and(|name| guards::is_public(&name))
        || (kind == PROCEDURES && !member.writes)
        || guards::checks_itself(map, effects, member.entry)
}

/// A file of routes without any guard, among files that have them throughout.
fn odd_files<'a>(map: &RepoMap, effects: &Effects, files: &BTreeMap<String, Vec<Member<'a>>>) -> Vec<Odd<'a>> {
    let is_guarded = |members: &Vec<Member<'_>>| {
        let guarded = members.iter().filter(|member| !member.guards.is_empty()).count();
        guarded * 2 > members.len()
    };
    let (guarded, open): (Vec<_>, Vec<_>) = files.iter().partition(|(_, members)| is_guarded(members));
    let bare: Vec<_> = open
        .into_iter()
        .filter(|(_, members)| {
            // A router that creates, changes and deletes: one with a single route is often meant for everybody.
            members.iter().all(|member| member.guards.is_empty())
                && members.iter().filter(|one| one.writes).count() >= LEAST_WRITES
        })
        .collect();
    if guarded.len() < 5 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (path, members) in &bare {
        let says_public = guards::is_public(path.rsplit_once('/').map_or(path.as_str(), |_| last_names(path)));
        let checks = members
            .iter()
            .any(|member| guards::checks_itself(map, effects, member.entry) || guards::is_public(&member.entry.label));
        if says_public || checks || guarded_by_use(map, members) {
            continue;
        }
        let Some(first) = members.iter().filter(|member| member.writes).min_by_key(|member| place(map, member.entry))
        else {
            continue;
        };
        let siblings: Vec<&Member<'_>> =
            guarded.iter().filter_map(|(_, members)| members.iter().find(|member| !member.guards.is_empty())).collect();
        found.push(Odd {
            entry: first.entry,
            group: "of the routers beside this one",
            of: files.values().map(Vec::len).sum(),
            guarded: siblings
                .iter()
                .map(|member| place(map, member.entry))
                .map(|(file, line)| (file.to_owned(), line))
                .collect(),
            guards: common(&siblings),
            writes: true,
            // Where a third of the files are open, being open is a habit too.
            confidence: if bare.len() * 3 <= guarded.len() { Confidence::Med } else { Confidence::Low },
        });
    }
    found
}

/// The file's name and that of its folder.
fn last_names(path: &str) -> &str {
    let start = path.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    &path[start..]
}

fn handler_name(map: &RepoMap, entry: &Entry) -> Option<String> {
    match entry.handler {
        Handler::Function(symbol) => Some(map.symbol(symbol).name.to_string()),
        Handler::Callback(..) => None,
    }
}

/// Places of the guarded siblings, the nearest first.
fn nearest(map: &RepoMap, entry: &Entry, guarded: &[&Member<'_>]) -> Vec<(String, u32)> {
    let (_, line) = place(map, entry);
    let mut places: Vec<(String, u32)> =
        guarded.iter().map(|member| place(map, member.entry)).map(|(file, line)| (file.to_owned(), line)).collect();
    places.sort_by_key(|(_, other)| (other.abs_diff(line), *other));
    places.dedup();
    places
}

/// Names of guards, most frequent first.
fn common(guarded: &[&Member<'_>]) -> Vec<String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for name in guarded.iter().flat_map(|member| &member.guards) {
        *count.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = count.into_iter().collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    names.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// A guard on the class, or on the whole application.
fn class_is_guarded(map: &RepoMap, entry: &Entry) -> bool {
    let Handler::Function(symbol) = entry.handler else { return false };
    let class = map.symbol(symbol).container.map(|index| &map.file(symbol.file).facts.symbols[index as usize]);
    let on_class = class.is_some_and(|class| {
        let names = class.attributes.iter().map(|attribute| attribute.split('(').next().unwrap_or(attribute));
        names.into_iter().any(|name| name == "UseGuards" || guards::is_guard(name))
    });
    on_class
        || map.files.iter().any(|file| {
            let has = |name: &str| file.facts.references.binary_search_by(|own| own.as_str().cmp(name)).is_ok();
            has("APP_GUARD") || has("useGlobalGuards")
        })
}

/// Whether the router of these routes was given a guard before the first of them: `router.use(requireAuth)`.
fn guarded_by_use(map: &RepoMap, members: &[Member<'_>]) -> bool {
    let calls: Vec<_> = members.iter().filter_map(|member| member.entry.registration).collect();
    let Some(first) = calls.iter().min() else { return false };
    let facts = &map.file(first.file).facts;
    let receiver = |callee: &Expr| match callee.peeled() {
        Expr::Member(object, _) => object.dotted(),
        _ => None,
    };
    let own = receiver(&map.call(*first).callee);
    facts.calls.iter().any(|site| {
        matches!(site.name.as_str(), "use" | "addHook" | "register" | "preHandler")
            && receiver(&site.callee) == own
            && site.arguments.iter().any(|argument| names_guard(facts, argument))
    })
}

fn names_guard(facts: &crate::repo_map::facts::FileFacts, argument: &Expr) -> bool {
    let mut found = false;
    argument.walk(&mut |expr| {
        found |= match expr {
            Expr::Name(name) | Expr::Member(_, name) => guards::is_guard(name),
            Expr::Call(index) => {
                let site = facts.call(*index);
                guards::is_guard(&site.name)
                    || site
                        .arguments
                        .iter()
                        .any(|inner| matches!(inner.peeled(), Expr::Name(name) if guards::is_guard(name)))
            }
            _ => false,
        };
    });
    found
}

/// Files whose router is mounted behind a guard: `app.use("/admin", requireAdmin, adminRouter)`.
fn guarded_mounts(map: &RepoMap) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (file, source) in map.files_with_ids() {
        let facts = &source.facts;
        for site in facts.calls.iter().filter(|site| site.name == "use" && site.arguments.len() > 1) {
            if !site.arguments.iter().any(|argument| names_guard(facts, argument)) {
                continue;
            }
            let names = site.arguments.iter().filter_map(|argument| match argument.peeled() {
                Expr::Name(name) => Some(*name),
                _ => None,
            });
            for name in names {
                let imports = facts.imports.iter().zip(&map.import_targets[file as usize]);
                for (_, target) in imports.filter(|(import, _)| import.local == name) {
                    if let ImportTarget::File(target) = target {
                        found.insert(map.file(*target).path.as_str());
                    }
                }
            }
        }
    }
    found
}
