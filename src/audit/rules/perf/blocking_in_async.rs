//! `blocking-in-async`: an `async fn` that holds its executor's thread, or a request that holds the event loop.

mod driven;
mod light;
mod own_files;
mod process;
mod request;
mod seldom;

use std::net::{IpAddr, SocketAddr};

use crate::audit::draft::{EditDraft, ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::uncalled::{builds_program, is_uncalled};
use crate::effects::deferral::is_deferred;
use crate::effects::entry::EntryKind;
use crate::effects::entry::start::RUST_SERVERS;
use crate::effects::{DirectEffect, Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{FileFacts, LanguageName, RegionKind, SymbolIndex};
use crate::repo_map::name::Name;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, CallTarget, FileId, FileRole, How, RepoMap, SymbolId};
use driven::{is_driven_alone, is_driven_here, on_own_thread};
use light::is_glance;
use seldom::{is_made_at_start, is_of_another_system, loads_settings};

/// Blocking work in code that shares its thread.
pub struct BlockingInAsync;

static DOC: RuleDoc = RuleDoc {
    id: "blocking-in-async",
    category: Category::Perf,
    what: "an async function that sleeps, waits or does file or database work on its executor's thread, directly or through \
           synchronous helpers; in JavaScript, a synchronous call that a request reaches, and a process that an async function of a server waits for synchronously",
    why: "every task scheduled on that thread waits too: under load, requests that have nothing to do with it time out",
    quiet_when: "the work runs in `spawn_blocking`, `block_in_place` or a thread, in `main`, or in test code; only `block_on` in code that is not async drives the future; a comment above the call \
                 speaks of blocking, async or cancellation; a folder is made, or a file is renamed, removed, looked at or only opened, outside a loop; \
                 an archive or an entry of it is opened; nothing in a repository that builds a program calls the function; \
                 the function that blocks is compiled for other systems than servers run on; one file of settings is loaded (a fixed name ending in `.yaml`, `.toml` and the like), or something is made as the program starts; \
                 file access that only a command of the program reaches, and all file access in programs without a server; in \
                 JavaScript, what runs as a module is loaded, in a command, once, behind a cache, or by a server that sets the program up; what `/proc` or a numeric address \
                 answers; what gives the program up; the work is left to a pool's own thread; file work and packing outside of a loop that awaits nothing, a store that is opened \
                 before anything is served and work that is only fallen back upon are told with low confidence",
    example: "async fn wait() {\n    std::thread::sleep(Duration::from_secs(1));\n}",
};

/// Calls from the async function to the API that are followed.
const MAX_DISTANCE: u32 = 4;

impl Rule for BlockingInAsync {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::Blocking)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let sites: Vec<(CallId, Weight)> =
            map.calls().filter_map(|(call, _)| Some((call, weight(map, effects, call)?))).collect();
        let mut found: Vec<Finding> =
            merged(map, effects, &sites).iter().filter_map(|functions| finding(map, effects, functions)).collect();
        found.extend(request::findings(&DOC, map, effects));
        found.extend(process::findings(&DOC, map, effects));
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let effects = context.effects;
        if let Some(plan) = request::plan(finding, context).or_else(|| process::plan(finding, context)) {
            return Some(plan);
        }
        let call = place::calls_at(map, finding.location()).find(|call| weight(map, effects, *call).is_some())?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let name = place::callee_text(map, call);
        let api = effects.api(map, call, Effect::Blocking)?;
        let site = map.call(call);
        let goal = place::unique_line(context.tree, &path, site.line, site.line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        let target = target_shape(map, call, api);
        let elsewhere: Vec<&Evidence> = finding.evidence.iter().filter(|place| place.role == ELSEWHERE).collect();
        // Every function's or none's: a plan that mends half of them by hand is no exact plan.
        let calls = elsewhere
            .iter()
            .filter_map(|place| place::calls_at(map, place).find(|call| weight(map, effects, *call).is_some()));
        let edits: Option<Vec<EditDraft>> =
            std::iter::once(call).chain(calls).map(|call| sleep_edit(context, call)).collect();
        let edits = edits.unwrap_or_default();
        let mut in_scope = vec![ScopeDraft { path: path.clone(), remark: format!("`{function}`") }];
        for place in &elsewhere {
            if in_scope.iter().all(|known| known.path != place.file) {
                in_scope.push(ScopeDraft { path: place.file.clone(), remark: "the same call".to_owned() });
            }
        }
        let others: Vec<String> =
            elsewhere.iter().map(|place| format!("`{}` line {}", place.file, place.start_line)).collect();
        let also = if others.is_empty() { String::new() } else { format!(" Do the same in {}.", others.join(", ")) };
        let last = effects.causes(map, call, Effect::Blocking).last()?.call;
        let mut excerpts = vec![ExcerptDraft {
            file: path.clone(),
            start_line: site.line.saturating_sub(3).max(1),
            end_line: site.end_line + 3,
            role: format!("the blocking call in `{function}`"),
        }];
        if last != call {
            let line = map.call(last).line;
            excerpts.push(ExcerptDraft {
                file: map.file(last.file).path.clone(),
                start_line: line.saturating_sub(2).max(1),
                end_line: line + 2,
                role: format!("where it blocks: `{}`", api.api),
            });
        }
        Some(PlanDraft {
            title: format!("Keep `{function}` from blocking its executor thread"),
            why: format!(
                "{} tokio has one worker a core: as many such calls at once as there are cores, and the whole process stops \
                 answering.",
                finding.message
            ),
            context: vec![format!("`{}` blocks; `{function}` is async.", api.api)],
            excerpts,
            steps: vec![StepDraft {
                title: format!("Replace the blocking `{name}`"),
                instruction: format!("In `{path}`, `{function}`, line {}: {target}{also}", site.line),
                edits,
                gates,
            }],
            in_scope,
            out_of_scope: vec![(
                "synchronous callers of the same helper".to_owned(),
                "blocking is right outside async code".to_owned(),
            )],
            tests: vec![format!("`{function}` still gives the same result; an existing test of it may be enough")],
            edge_cases: vec![
                "a closure given to `spawn_blocking` must own what it uses: clone or move, never borrow".to_owned(),
                "a lock held over the new `.await` must be an async one, or be released before".to_owned(),
                "`spawn_blocking` gives a `JoinError` when the closure panics: turn it into the function's own error"
                    .to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                format!("`{function}` only ever runs on a runtime of its own, where nothing else waits"),
                "the value needed inside `spawn_blocking` is not `Send`".to_owned(),
            ],
            maintenance: vec!["New file or database work in this function belongs behind the same door.".to_owned()],
            risk: None,
        })
    }
}

/// Other functions shown in one finding. Our choice.
const MAX_FUNCTIONS: usize = 12;
/// The role of their places.
const ELSEWHERE: &str = "blocking call of another function";

/// How much a blocking call matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// File work in a server: short, but on every request.
    Files,
    /// Compressing, unpacking: as long as the data are large.
    Work,
    /// Processes, databases, connections: as long as somebody else decides.
    Long,
    /// Sleeping: nothing but waiting.
    Sleep,
}

fn weight(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Weight> {
    let source = map.file(call.file);
    if source.language != LanguageName::Rust || source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let cause = effects.cause(map, call, Effect::Blocking)?;
    if cause.distance > MAX_DISTANCE || !place::in_async_code(map, call) || is_moved_away(map, call) {
        return None;
    }
    if is_explained(map, call)
        || is_left_to_a_pool(map, effects, call)
        || is_driven_here(map, call)
        || is_driven_alone(map, call)
    {
        return None;
    }
    // An async callee is reported itself; here it is only awaited.
    if map.resolved(call).any(|resolved| effects.is_async(resolved.symbol) || resolved.how == How::Dispatch) {
        return None;
    }
    // What never returns gives the program up.
    if map.resolved(call).any(|resolved| map.symbol(resolved.symbol).return_type.as_deref() == Some("!")) {
        return None;
    }
    if map
        .caller_of(call)
        .is_some_and(|function| matches!(map.symbol(function).name.as_str(), "main" | "run_main" | "try_main"))
    {
        return None;
    }
    if !is_reachable(map, call) {
        return None;
    }
    // A future is awaited, whatever its method is called elsewhere.
    if cause.through.is_none() && map.call(chain::end(map, call)).awaited {
        return None;
    }
    let api = effects.api(map, call, Effect::Blocking)?;
    let causes = effects.causes(map, call, Effect::Blocking);
    let last = causes.last()?.call;
    if needs_no_answer(map, last)
        || is_kept(map, call)
        || is_kept(map, last)
        || is_of_another_system(map, effects, &causes)
    {
        return None;
    }
    let also = |effect: Effect| effects.direct(last).iter().any(|direct| direct.effect == effect);
    // One person uses a desktop program: a small file is read before anybody else waits, whatever server it has on the side.
    let serves = source_depends_on(map, call, RUST_SERVERS) && !source_depends_on(map, call, &["tauri"]);
    // The future of `main` has a thread to itself: what only it waits for holds nobody else up.
    let is_mains = effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind == EntryKind::Command)
        && runs_in_main(map, call, 0);
    if api.api.ends_with("sleep") {
        (!is_mains).then_some(Weight::Sleep)
    } else if runs_once(map, effects, call) {
        None
    } else if also(Effect::Fs) {
        // A small read is over in microseconds: only a server does it often enough to matter, and not while it starts.
        let is_told = serves
            && cause.distance <= 3
            && !is_startup(map, call)
            && !is_of_command(map, effects, call)
            && !is_glance(map, effects, call, last)
            && !loads_settings(map, effects, call, &causes)
            && (may_repeat(map, call) || !effects.entries.is_only_at_start(map, call))
            && !is_made_at_start(map, call)
            && !hands_work_over(map, call);
        is_told.then_some(Weight::Files)
    } else if api.library == "compression" {
        (serves && !is_startup(map, call)).then_some(Weight::Work)
    } else if is_mains && named_for_once(map, call) {
        None
    } else {
        // A process that starts has nothing else to answer yet.
        let starts = map.caller_of(call).is_some_and(|function| {
            place::words(&map.symbol(function).name)
                .first()
                .is_some_and(|word| matches!(word.as_str(), "start" | "serve" | "boot" | "bootstrap"))
        });
        // Who uses a library, and what else runs on that thread, is not for it to say.
        let asks = also(Effect::DbRead) || also(Effect::DbWrite) || api.library == "rusqlite";
        ((serves || asks && is_library(map, call)) && !starts).then_some(Weight::Long)
    }
}

/// What is asked for is at hand: `/proc/meminfo` is the kernel's memory, `("127.0.0.1", port).to_socket_addrs()` asks no name server.
fn needs_no_answer(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let resolved = |expr| place::resolve(facts, site.caller, expr);
    if site.name == "to_socket_addrs" {
        let Expr::Member(receiver, _) = site.callee.peeled() else { return false };
        return is_address(facts, site.caller, receiver);
    }
    site.arguments.first().is_some_and(
        |path| matches!(resolved(path), Expr::Text(text) if text.starts_with("/proc/") || text.starts_with("/sys/")),
    )
}

/// A numeric address: a text, a pair that starts with one, a text put together that does, or a value of an address type.
fn is_address(facts: &FileFacts, owner: Option<SymbolIndex>, expr: &Expr) -> bool {
    let numeric = |text: &str| {
        let host = text.strip_prefix('[').map_or_else(|| text.split(':').next(), |rest| rest.split(']').next());
        let whole = text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
        whole || host.is_some_and(|host| host.parse::<IpAddr>().is_ok())
    };
    if let Expr::Name(name) = expr.peeled() {
        let of_type = |declared: Option<&str>| {
            declared.is_some_and(|declared| declared.contains("SocketAddr") || declared.contains("IpAddr"))
        };
        let own = facts.bindings.iter().filter(|binding| binding.owner == owner && binding.name == *name);
        let given = owner.map(|owner| &facts.symbols[owner as usize].parameters).into_iter().flatten();
        if own.map(|binding| binding.declared_type.as_deref()).any(of_type)
            || given.filter(|given| given.name == *name).any(|given| of_type(given.declared_type.as_deref()))
        {
            return true;
        }
    }
    match place::resolve(facts, owner, expr) {
        Expr::Text(text) => numeric(text),
        Expr::Array(parts) => parts.first().is_some_and(|host| is_address(facts, owner, host)),
        Expr::Template(parts) => matches!(parts.first(), Some(TemplatePart::Text(text)) if numeric(text)),
        _ => false,
    }
}

/// In a closure or block that runs the first time alone: `cell.get_or_init(|| …)`, `cell.get_or_try_init(|| async { … })`.
fn is_kept(map: &RepoMap, call: CallId) -> bool {
    const ONCE: &[&str] =
        &["get_or_init", "get_or_try_init", "get_or_insert_with", "call_once", "or_insert_with", "try_get_with"];
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(map.call(call).region).any(|(_, region)| match region.kind {
        RegionKind::Callback { call: Some(host), .. } => {
            let host = facts.call(host);
            let path = host.callee.dotted().unwrap_or_default();
            ONCE.contains(&host.name.as_str())
                || ["LazyLock::new", "Lazy::new", "LazyCell::new"].iter().any(|end| path.ends_with(end))
        }
        _ => false,
    }) || facts.calls.iter().any(|host| {
        // `cell.get_or_init(async { … })`: a future, not a closure.
        ONCE.contains(&host.name.as_str())
            && host.span.contains(map.call(call).span)
            && host.span != map.call(call).span
    })
}

/// A comment on the line or right above it: somebody thought of the thread.
fn is_explained(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] = &["async", "block", "cancel", "runtime", "executor"];
    let facts = &map.file(call.file).facts;
    let line = facts.call(call.index).line;
    let first = chain::receivers(facts, call.index).into_iter().map(|link| facts.call(link).line).min().unwrap_or(line);
    facts.comments.iter().any(|comment| {
        let text = comment.text.to_ascii_lowercase();
        (first.min(line)..=line).contains(&comment.applies_to) && WORDS.iter().any(|word| text.contains(word))
    })
}

/// Only a command of the program leads here, and not in a loop or a task: it has nobody else to answer.
fn is_of_command(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    !may_repeat(map, call)
        && effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind == EntryKind::Command)
}

/// The function hands what takes long to threads that may wait: what it kept, somebody thought short enough.
fn hands_work_over(map: &RepoMap, call: CallId) -> bool {
    const DOORS: &[&str] = &["spawn_blocking", "block_in_place", "unblock", "block_in_place_with"];
    map.caller_of(call).is_some_and(|function| {
        map.calls_in(function).any(|other| DOORS.iter().any(|door| map.call(other).name.contains(door)))
    })
}

/// Something that ships calls the function around `call`, names it, registers it by an attribute or reaches it through a trait.
fn is_reachable(map: &RepoMap, call: CallId) -> bool {
    let Some(function) = map.caller_of(call) else { return true };
    if builds_program(map) && is_uncalled(map, function) {
        return false;
    }
    let symbol = map.symbol(function);
    let callers = map.callers(function);
    let named_in = |own: bool| {
        map.files_with_ids().any(|(file, source)| {
            (file == function.file) == own
                && source.role != FileRole::Test
                && source.facts.references.binary_search(&symbol.name).is_ok()
        })
    };
    !symbol.attributes.is_empty()
        || symbol.of_trait.is_some()
        || callers.iter().any(|caller| !place::in_test(map, *caller))
        || named_in(false)
        || (callers.is_empty() && named_in(true))
        // A library's own users are not in the repository.
        || (symbol.exported && !builds_program(map))
}

/// The crate around a call builds no program.
fn is_library(map: &RepoMap, call: CallId) -> bool {
    map.recon.package_in(&map.file(call.file).path, true).is_some_and(|package| {
        let folder = if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) };
        !map.has_path(&format!("{folder}src/main.rs")) && !map.has_path(&format!("{folder}main.rs"))
    })
}

/// Whether only the program's start leads here, and by at most two calls: nothing waits yet. Who answers requests is looked at first, so
/// that code which both reach counts as theirs.
fn runs_once(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let reach = effects.entries.of_call(map, call);
    !may_repeat(map, call) && reach.is_some_and(|reach| reach.entry.kind == EntryKind::Command && reach.distance <= 2)
}

/// A loop, a callback or a task stands around the call within its function.
fn may_repeat(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(facts.call(call.index).region).any(|(_, region)| {
        matches!(region.kind, RegionKind::Loop(_) | RegionKind::Callback { .. } | RegionKind::AsyncBlock)
    })
}

/// `init`, `request_cert`, `wait_for_database`: done before there is anything to answer.
fn named_for_once(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] =
        &["init", "initialize", "setup", "cert", "wait", "startup", "migrate", "connect", "bootstrap"];
    map.caller_of(call).is_some_and(|function| {
        place::words(&map.symbol(function).name).iter().any(|word| WORDS.contains(&word.as_str()))
    })
}

/// Whether `main` awaits what `call` stands in, with no task of its own between.
fn runs_in_main(map: &RepoMap, call: CallId, depth: u32) -> bool {
    let facts = &map.file(call.file).facts;
    let is_apart = facts
        .enclosing_regions(facts.call(call.index).region)
        .any(|(_, region)| matches!(region.kind, RegionKind::AsyncBlock | RegionKind::Callback { .. }));
    let Some(function) = map.caller_of(call).filter(|_| !is_apart && depth <= MAX_DISTANCE) else { return false };
    map.symbol(function).name == "main"
        || map.callers(function).iter().any(|caller| runs_in_main(map, *caller, depth + 1))
}

/// Functions that run once, when nothing waits yet or any more.
fn is_startup(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] = &[
        "boot",
        "bootstrap",
        "run",
        "start",
        "startup",
        "serve",
        "init",
        "initialize",
        "setup",
        "new",
        "build",
        "listen",
        "launch",
        "shutdown",
        "stop",
        "reload",
        "install",
        "migrate",
        "bind",
        "open",
        "connect",
        "load",
        "spawn",
        "from",
    ];
    map.caller_of(call).is_some_and(|function| {
        place::words(&map.symbol(function).name).iter().any(|word| WORDS.contains(&word.as_str()))
    })
}

fn source_depends_on(map: &RepoMap, call: CallId, names: &[&str]) -> bool {
    names.iter().any(|name| place::depends_on(map, call.file, name))
}

/// Between the async code and the call, the work goes to another thread.
fn is_moved_away(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    for (_, region) in facts.enclosing_regions(map.call(call).region) {
        match &region.kind {
            // Async code of its own: what is around it no longer decides, unless that is a thread.
            RegionKind::AsyncBlock | RegionKind::Callback { is_async: true, .. } => return on_own_thread(map, call),
            RegionKind::Callback { .. } => return true,
            RegionKind::Loop(_)
            | RegionKind::Try
            | RegionKind::Handler
            | RegionKind::Branch
            | RegionKind::UnsafeBlock => {}
        }
    }
    is_deferred(map, call, Effect::Blocking)
}

/// The call through which a closure around `call` runs, innermost first.
fn hosts(map: &RepoMap, call: CallId) -> impl Iterator<Item = &str> {
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(map.call(call).region).filter_map(|(_, region)| match &region.kind {
        RegionKind::Callback { call: Some(host), .. } => Some(facts.call(*host).name.as_str()),
        _ => None,
    })
}

/// `SqliteConnectionManager::file(path).with_init(|connection| …)`: a pool runs the closure on a thread of its own when it connects.
fn is_left_to_a_pool(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    const POOLS: &[&str] = &["with_init", "on_acquire", "on_release", "after_connect", "connection_customizer"];
    let causes = effects.causes(map, call, Effect::Blocking);
    causes.iter().any(|cause| hosts(map, cause.call).any(|host| POOLS.contains(&host)))
}

/// The work stands on the way taken when something else was not there: `env::var("TOKEN").or_else(|_| ask_git())`.
fn is_fallback(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let causes = effects.causes(map, call, Effect::Blocking);
    causes
        .iter()
        .any(|cause| hosts(map, cause.call).any(|host| matches!(host, "or_else" | "unwrap_or_else" | "map_or_else")))
}

/// Opens, builds or lays out a store, and only a command of the program leads here: nothing is served yet.
fn opens_before_serving(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let Some(function) = map.caller_of(call) else { return false };
    let words = place::words(&map.symbol(function).name);
    let lays_out = words.first().is_some_and(|verb| verb == "create")
        && words.iter().any(|word| matches!(word.as_str(), "table" | "tables" | "schema" | "indexes" | "database"));
    let is_command = effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind == EntryKind::Command);
    (is_command || effects.entries.is_only_at_start(map, call)) && (lays_out || is_startup(map, call))
}

/// Blocking calls of one function.
type Group = [(CallId, Weight)];

/// What functions must share to be told together: the weight, the helper or else the file (and the type), and the API or library.
type Shared<'a> = (Weight, Option<SymbolId>, Option<(FileId, Option<Name>)>, &'a str);

/// The heaviest call of a function.
fn heaviest(group: &Group) -> Option<(CallId, Weight)> {
    group.iter().max_by_key(|(call, weight)| (*weight, std::cmp::Reverse(call.index))).copied()
}

/// One finding a function, its heaviest call first; and functions together that block in one helper, or call one API in one file:
/// who moves it away for one of them has the shape for the others.
fn merged<'s>(map: &RepoMap, effects: &Effects, sites: &'s [(CallId, Weight)]) -> Vec<Vec<&'s Group>> {
    let mut found: Vec<(Shared<'_>, Vec<&Group>)> = Vec::new();
    for group in sites.chunk_by(|(a, _), (b, _)| a.file == b.file && map.caller_of(*a) == map.caller_of(*b)) {
        let Some((call, weight)) = heaviest(group) else { continue };
        let through = effects.cause(map, call, Effect::Blocking).and_then(|cause| cause.through);
        let api = effects.api(map, call, Effect::Blocking).map_or("", |api| api.api.as_str());
        // The methods of one type over one store are moved away together.
        let holder = map.caller_of(call).and_then(|function| map.symbol(function).member_of);
        let of_store = weight == Weight::Long && through.is_some() && holder.is_some();
        let library = effects.api(map, call, Effect::Blocking).map_or("", |api| api.library);
        let ends_in = || effects.causes(map, call, Effect::Blocking).last().map_or(call.file, |last| last.call.file);
        // Hashing a password and comparing one stand side by side, and are mended together.
        let key = if library == "password-hashing" {
            (weight, None, Some((ends_in(), None)), library)
        } else if of_store {
            (weight, None, Some((call.file, holder)), library)
        } else {
            (weight, through, through.is_none().then_some((call.file, None)), api)
        };
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, groups)) => groups.push(group),
            None => found.push((key, vec![group])),
        }
    }
    found.into_iter().map(|(_, groups)| groups).collect()
}

fn finding(map: &RepoMap, effects: &Effects, functions: &[&Group]) -> Option<Finding> {
    let group = *functions.first()?;
    let (call, weight) = heaviest(group)?;
    let api = effects.api(map, call, Effect::Blocking)?;
    let function = place::function_name(map, call);
    let name = place::callee_text(map, call);
    let distance = effects.cause(map, call, Effect::Blocking)?.distance;
    let through = if distance == 1 { String::new() } else { format!(", which ends in `{}`", api.api) };
    let what = match weight {
        Weight::Long if api.library == "password-hashing" => "hashes a password on the executor's thread",
        Weight::Sleep => "sleeps on the executor's thread",
        Weight::Long => "waits on the executor's thread",
        Weight::Work => "compresses or unpacks on the executor's thread",
        Weight::Files => "does file work on the executor's thread",
    };
    let more = match functions.len() {
        1 => String::new(),
        2 => ", and 1 more async function does".to_owned(),
        count => format!(", and {} more async functions do", count - 1),
    };
    // Every function of the finding: one that answers requests counts for all.
    let is_seldom = functions
        .iter()
        .filter_map(|group| heaviest(group))
        .all(|(call, _)| opens_before_serving(map, effects, call) || is_fallback(map, effects, call));
    let is_asked = functions
        .iter()
        .filter_map(|group| heaviest(group))
        .any(|(call, _)| effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind.is_request()));
    let reach = effects.entries.of_call(map, call);
    let is_of_command = reach.is_some_and(|reach| reach.entry.kind == EntryKind::Command);
    let goes_on =
        functions.iter().any(|group| group.iter().any(|(call, _)| repeats_without_a_break(map, effects, *call)));
    let mut draft = FindingDraft::at_call(&DOC, map, call, "blocking call")
        .title(format!("async `{function}` {what} in `{name}`{more}"))
        .message(format!(
            "`{function}` is async and calls the blocking `{name}`{through}: every task on that thread waits with it."
        ))
        .impact(match weight {
            _ if is_seldom => 1,
            Weight::Long if api.library == "rusqlite" && !is_asked => 2,
            Weight::Sleep | Weight::Long => 4,
            Weight::Work => 2,
            // Most files are small, and what the function waits for besides takes longer.
            Weight::Files => 1,
        })
        .effort(if distance == 1 { Effort::S } else { Effort::M })
        .risk(Risk::Low)
        .confidence(match (weight, distance) {
            _ if is_seldom => Confidence::Low,
            // How long a name server takes, and whether the host is a name at all, is for the configuration to say.
            (Weight::Long, _) if api.api.ends_with("to_socket_addrs") => Confidence::Med,
            // A statement on a file takes as long as there are rows, and only a request is sure to come often.
            (Weight::Long, _) if api.library == "rusqlite" && is_of_command => Confidence::Low,
            (Weight::Long, _) if api.library == "rusqlite" => Confidence::Med,
            (Weight::Sleep, 1) => Confidence::High,
            // A command has nothing else to do meanwhile, and which code is a command's alone is not always seen.
            (Weight::Long, 1 | 2) if is_asked => Confidence::High,
            (Weight::Sleep | Weight::Long, 0..=2) => Confidence::Med,
            // Of so many calls one is often made on another occasion alone.
            (Weight::Sleep | Weight::Long, _) => Confidence::Low,
            (Weight::Files | Weight::Work, _) if goes_on => Confidence::Med,
            // How much there is to read or to pack, nothing says. Of what was told of it with more confidence, and read against the code of
            // 43 repositories, five of 25 were worth a change.
            (Weight::Files | Weight::Work, _) => Confidence::Low,
        })
        .path(effects.path(map, call, Effect::Blocking));
    if let Some(function) = map.caller_of(call) {
        draft = draft.and_symbol(map, function, "async function");
    }
    for (other, _) in group.iter().filter(|(other, _)| *other != call).take(3) {
        draft = draft.and_call(map, *other, "blocking call");
    }
    for (other, _) in functions[1..].iter().filter_map(|group| heaviest(group)).take(MAX_FUNCTIONS) {
        draft = draft.and_call(map, other, ELSEWHERE);
    }
    Some(draft.build())
}

/// Whether a call, or the one it ends in, is made once an item, and nothing is awaited between two of them: as long as there are items, the
/// thread does nothing else.
fn repeats_without_a_break(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let last = effects.causes(map, call, Effect::Blocking).last().map(|cause| cause.call);
    [Some(call), last].into_iter().flatten().any(|call| {
        let facts = &map.file(call.file).facts;
        place::iterations(map, call).iter().any(|iteration| {
            let body = facts.regions[iteration.region as usize].span;
            !facts.calls.iter().any(|own| own.awaited && body.contains(own.span))
        })
    })
}

fn target_shape(map: &RepoMap, call: CallId, api: &DirectEffect) -> String {
    let uses_tokio = place::depends_on(map, call.file, "tokio");
    let runtime = if uses_tokio { "tokio" } else { "the async runtime this crate uses" };
    let last = api.api.rsplit("::").next().unwrap_or_default();
    if api.api.ends_with("sleep") {
        return format!(
            "wait with {runtime}'s own timer: `tokio::time::sleep(duration).await` instead of `{}`.",
            api.api
        );
    }
    let of_type = api.api.rsplit("::").nth(1).filter(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()));
    let last = of_type.map_or_else(|| last.to_owned(), |kind| format!("{kind}::{last}"));
    if matches!(api.library, "std" | "fs-err") && effects_files(api) {
        return format!(
            "use `tokio::fs::{last}(…).await` where the call stands alone; where several file calls follow each other, put them \
             together into one `tokio::task::spawn_blocking(move || …).await` so that the thread changes once."
        );
    }
    format!(
        "move the call, with everything it needs by value, into `tokio::task::spawn_blocking(move || …).await` and turn the \
         `JoinError` into this function's error; if {runtime} has an async form of `{}`, prefer that.",
        api.api
    )
}

fn effects_files(api: &DirectEffect) -> bool {
    api.api.contains("fs") || api.api.starts_with("OpenOptions") || api.api.starts_with("File::")
}

/// `std::thread::sleep(d)` → `tokio::time::sleep(d).await`, when tokio is there.
fn sleep_edit(context: &RecipeContext<'_>, call: CallId) -> Option<EditDraft> {
    let map = context.map;
    let source = map.file(call.file);
    let site = map.call(call);
    let is_std = matches!(map.target(call), CallTarget::External(external) if external.package == "std");
    if !is_std || site.name != "sleep" || !place::depends_on(map, call.file, "tokio") {
        return None;
    }
    let text = context.tree.text(&source.path)?;
    let written = text.get(site.span.start as usize..site.span.end as usize)?;
    let (_, arguments) = written.split_once('(')?;
    Some(EditDraft::Replace {
        file: source.path.clone(),
        span: site.span,
        text: format!("tokio::time::sleep({arguments}.await"),
    })
}
