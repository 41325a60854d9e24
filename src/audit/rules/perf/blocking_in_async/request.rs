//! JavaScript: synchronous calls that a request reaches. One thread answers all requests, so each of them waits.

use std::collections::BTreeMap;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, RuleDoc};
use crate::audit::rules::perf::blocking_in_async::own_files::reads_own_file;
use crate::effects::deferral::is_deferred_within;
use crate::effects::entry::{EntryKind, Handler, Reach};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{RegionKind, Usage};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// Calls between the handler and the function that blocks: what lies deeper is shared by all and often runs once.
const MAX_DISTANCE: u32 = 4;

/// How long a call holds the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// A look at the file system: told only beside others.
    Glance,
    /// A file that ships with the program: small, and always the same.
    OwnFile,
    /// A file, as long as it is large.
    Files,
    /// A process, a hash, compression.
    Long,
}

/// One finding a function for what takes long, and one a file for what it reads: who makes one of its functions asynchronous makes
/// its callers so, too. Hashing a password and comparing one stand side by side, and are mended together.
pub fn findings(doc: &RuleDoc, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
    let mut groups: BTreeMap<_, Vec<(CallId, Weight)>> = BTreeMap::new();
    for &call in effects.direct.keys() {
        if let Some(weight) = weight(map, effects, call) {
            let entry = || reach(map, effects, call).map(|reach| (reach.entry.handler, reach.entry.label.as_str()));
            let hashes = effects.direct(call).iter().any(|direct| direct.library == "bcrypt");
            let function = (weight == Weight::Long && !hashes).then(|| (map.call(call).caller, entry()));
            let function = (weight == Weight::Long).then_some(function);
            groups.entry((call.file, function)).or_default().push((call, weight));
        }
    }
    groups.values().filter_map(|group| finding(doc, map, effects, group)).collect()
}

fn weight(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Weight> {
    let source = map.file(call.file);
    if !source.language.is_ecmascript() || source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let api = effects.direct(call).iter().find(|direct| direct.effect == Effect::Blocking)?;
    if !matches!(api.library, "node" | "bcrypt") {
        return None;
    }
    let name = map.call(call).name.as_str();
    let weight = match name {
        "existsSync" | "statSync" | "lstatSync" | "accessSync" | "mkdirSync" | "unlinkSync" | "realpathSync"
        | "mkdtempSync" | "rmdirSync" | "renameSync" => Weight::Glance,
        "genSaltSync" => Weight::Glance,
        _ if reads_own_file(map, call) => Weight::OwnFile,
        _ if effects.direct(call).iter().any(|direct| direct.effect == Effect::Fs) => Weight::Files,
        _ => Weight::Long,
    };
    let reach = reach(map, effects, call)?;
    let within = match reach.entry.handler {
        Handler::Callback(file, region) if reach.distance == 0 && file == call.file => Some(region),
        Handler::Callback(..) | Handler::Function(_) => None,
    };
    (!is_deferred_within(map, call, Effect::Fs, within) && !runs_once(map, call)).then_some(weight)
}

fn reach<'a>(map: &RepoMap, effects: &'a Effects, call: CallId) -> Option<Reach<'a>> {
    effects.entries.of_call(map, call).filter(|reach| {
        // Pages may be rendered once, as the program is built.
        matches!(reach.entry.kind, EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver)
            && reach.distance <= MAX_DISTANCE
            && !is_for_tests(&reach.entry.label)
    })
}

/// `GET /_e2e/take-snapshot`: who asks is a test.
fn is_for_tests(label: &str) -> bool {
    place::words(label).iter().any(|word| matches!(word.as_str(), "e2e" | "test" | "tests" | "testing"))
}

/// Kept after the first time, or part of starting up.
pub fn runs_once(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] = &[
        "cache",
        "cached",
        "memo",
        "memoize",
        "once",
        "config",
        "configuration",
        "settings",
        "init",
        "initialize",
        "setup",
        "start",
        "boot",
        "bootstrap",
        "env",
        "migrate",
        "seed",
        "install",
        "version",
        "register",
        "compile",
        "build",
    ];
    let named = map.caller_of(call).is_some_and(|function| {
        place::words(&map.symbol(function).name).iter().any(|word| WORDS.contains(&word.as_str()))
    });
    let stored = is_stored(map, call) && (place::is_conditional(map, call, None) || is_asked_for_first(map, call));
    named
        || stored
        || is_kept_by_module(map, call)
        || asks_the_kernel(map, call)
        || in_singleton(map, call)
        || serves_developers(&map.file(call.file).path)
        || sets_up(&map.file(call.file).path)
}

/// `/proc/meminfo`, `/sys/fs/cgroup/cpu.stat`: no disk is asked. The path may come through a parameter from a constant of the file.
fn asks_the_kernel(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let is_kernel = |value: &Expr| matches!(value.peeled(), Expr::Text(text) if text.starts_with("/proc/") || text.starts_with("/sys/"));
    let Some(path) = site.arguments.first() else { return false };
    let given = site.caller.is_some_and(|function| {
        let parameters = &facts.symbols[function as usize].parameters;
        parameters.iter().any(|parameter| matches!(path.peeled(), Expr::Name(name) if *name == parameter.name))
    });
    is_kernel(place::resolve(facts, site.caller, path))
        || given && facts.bindings.iter().any(|own| own.owner.is_none() && own.value.as_ref().is_some_and(is_kernel))
}

/// `template ??= readFileSync(…)`, `this.page = parse(readFileSync(…))`, `pages.set(name, readFileSync(…))`, at once or through a name.
fn is_stored(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let bound = facts.bindings.iter().find(|binding| {
        binding.owner == site.caller
            && binding.value.is_some()
            && binding.span.contains(site.span)
            && !facts.regions.iter().any(|region| {
                matches!(region.kind, RegionKind::Callback { .. })
                    && binding.span.contains(region.span)
                    && region.span.contains(site.span)
            })
    });
    let is_it = |expr: &Expr| match bound {
        Some(binding) => chain::expr_uses(facts, expr, &|name| name == binding.name.as_str()),
        None => false,
    };
    let is_outside = |name: &str| facts.bindings.iter().any(|own| own.name == name && own.owner != site.caller);
    let outlives = |target: &Expr| match target.peeled() {
        Expr::Name(name) => is_outside(name),
        Expr::Member(object, _) => matches!(object.peeled(), Expr::This),
        Expr::Index(object, _) => object.root_name().is_some_and(|root| root == "this" || is_outside(root)),
        _ => false,
    };
    let assigned = facts.assignments.iter().any(|assignment| {
        (assignment.span.contains(site.span) || is_it(&assignment.value)) && outlives(&assignment.target)
    });
    let kept = facts.calls.iter().any(|other| {
        other.name == "set"
            && other.caller == site.caller
            && other.arguments.len() == 2
            && (other.span.contains(site.span) || is_it(&other.arguments[1]))
    });
    site.usage == Usage::Assigned || assigned || kept
}

/// `if (pages.has(name)) return pages.get(name);` comes first.
fn is_asked_for_first(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    facts.calls.iter().any(|other| {
        other.caller == site.caller
            && other.span.end <= site.span.start
            && matches!(other.name.as_str(), "get" | "has")
            && other.arguments.len() == 1
            && other.callee.dotted().is_some_and(|callee| {
                facts.calls.iter().any(|set| {
                    set.name == "set"
                        && set.caller == site.caller
                        && set.callee.dotted().as_deref().and_then(|own| own.strip_suffix(".set"))
                            == callee.strip_suffix(&format!(".{}", other.name))
                })
            })
    })
}

/// `if (page) return page; page = readFileSync(…)`, where `page` is a variable of the module.
fn is_kept_by_module(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    // `page = compile(readFileSync(…))` keeps what was made of it.
    matches!(site.usage, Usage::Assigned | Usage::Argument(_))
        && facts.assignments.iter().any(|assignment| {
            assignment.span.contains(site.span)
                && matches!(&assignment.target, Expr::Name(name) if facts.bindings.iter().any(|binding| {
                    binding.name == *name && binding.owner.is_none() && binding.region.is_none()
                }))
        })
}

/// A server that only runs on the machines of those who work on the program.
fn serves_developers(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or(&name).replace(['-', '_'], "");
    stem == "devserver" || stem == "devmiddleware"
}

/// `setup.js`, `setup-database.js`, `installer.ts`: a server that answers whoever installs the program, and ends with that.
fn sets_up(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    place::words(stem).first().is_some_and(|word| matches!(word.as_str(), "setup" | "install" | "installer"))
}

/// In the constructor of a class that hands out one instance of itself: `KubernetesClient.getInstance()`.
fn in_singleton(map: &RepoMap, call: CallId) -> bool {
    let Some(function) = map.caller_of(call).filter(|function| map.symbol(*function).name == "constructor") else {
        return false;
    };
    let class = map.symbol(function).container;
    map.file(call.file).facts.symbols.iter().any(|symbol| {
        symbol.container == class
            && matches!(symbol.name.as_str(), "getInstance" | "instance" | "get_instance" | "shared" | "getShared")
    })
}

fn finding(doc: &RuleDoc, map: &RepoMap, effects: &Effects, group: &[(CallId, Weight)]) -> Option<Finding> {
    let distance = |call: CallId| reach(map, effects, call).map_or(u32::MAX, |reach| reach.distance);
    let (call, weight) = *group
        .iter()
        .max_by_key(|(call, weight)| (*weight, std::cmp::Reverse(distance(*call)), std::cmp::Reverse(call.index)))?;
    if weight == Weight::Glance {
        return None;
    }
    let reach = reach(map, effects, call)?;
    let function = place::function_name(map, call);
    let name = place::callee_text(map, call);
    let label = &reach.entry.label;
    let reached = if reach.distance == 0 { String::new() } else { format!(", reached from `{label}`,") };
    let holds = match weight {
        Weight::Long => "until it is done",
        Weight::Files | Weight::OwnFile | Weight::Glance => "while the disk works",
    };
    let rest: Vec<CallId> = group
        .iter()
        .filter(|(other, own)| *other != call && *own >= weight.min(Weight::Files))
        .map(|(other, _)| *other)
        .collect();
    let others = match rest.len() {
        0 => String::new(),
        1 => " One more call of the file does so.".to_owned(),
        count => format!(" {count} more calls of the file do so."),
    };
    let mut draft = FindingDraft::at_call(doc, map, call, "blocking call")
        .title(if function == *label {
            format!("`{function}` holds the event loop in `{name}`")
        } else {
            format!("`{function}` holds the event loop in `{name}` while it answers `{label}`")
        })
        .message(format!(
            "`{function}`{reached} calls the synchronous `{name}`: no other request is answered {holds}.{others}"
        ))
        .impact(match weight {
            Weight::Long => 3,
            Weight::Files => 2,
            // Microseconds from the page cache: worth a change only to who reads all files anew each time.
            Weight::OwnFile | Weight::Glance => 1,
        })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(match (weight, reach.distance) {
            (Weight::Long, 0..=2) => Confidence::High,
            (Weight::Long, _) => Confidence::Med,
            // Small and few, nearly always: settings, a page, one record, a folder of plug-ins.
            (Weight::Files | Weight::OwnFile | Weight::Glance, _) => Confidence::Low,
        });
    let (file, line) = (reach.entry.handler.file(), reach.entry.handler.line(map));
    draft = draft.and_lines(&map.file(file).path, line, line, "handler");
    for other in rest.into_iter().take(12) {
        draft = draft.and_call(map, other, "blocking call");
    }
    Some(draft.build())
}

/// The plan for a finding in JavaScript.
pub fn plan(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let call = place::calls_at(map, finding.location())
        .find(|call| weight(map, context.effects, *call).is_some_and(|weight| weight > Weight::Glance))?;
    plan_for(call, finding, context)
}

/// The plan that replaces the synchronous `call`.
pub fn plan_for(call: CallId, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let path = map.file(call.file).path.clone();
    let function = place::function_name(map, call);
    let name = map.call(call).name;
    let line = map.call(call).line;
    let goal = place::unique_line(context.tree, &path, line, line, &|_| true)
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
    let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    gates.extend(goal.clone());
    let more: Vec<String> = finding.evidence[1..]
        .iter()
        .filter(|place| place.role == "blocking call")
        .map(|place| place.start_line.to_string())
        .collect();
    let also = if more.is_empty() { String::new() } else { format!(" Do the same for lines {}.", more.join(", ")) };
    let twin = name.strip_suffix("Sync").unwrap_or(&name);
    Some(PlanDraft {
        title: format!("Keep `{function}` from holding the event loop"),
        why: finding.message.clone(),
        context: vec!["Node.js answers all requests on one thread.".to_owned()],
        excerpts: Vec::new(),
        steps: vec![StepDraft {
            title: format!("Await the asynchronous form of `{name}`"),
            instruction: format!(
                "In `{path}`, `{function}`, line {line}: {}. Functions that become async are awaited by all their callers. What is the same \
                 for every request is read once, as the module is loaded.{also}",
                match name.as_str() {
                    "execSync" | "spawnSync" | "execFileSync" | "execaSync" => {
                        format!("use `{twin}` of `node:child_process`, promisified with `util.promisify`, and await it")
                    }
                    "hashSync" | "compareSync" => format!("await `{twin}(…)` of the same library"),
                    _ if place::words(&name).first().is_some_and(|word| matches!(
                        word.as_str(),
                        "pbkdf2" | "scrypt" | "generate" | "gzip" | "gunzip" | "deflate" | "inflate" | "brotli"
                    )) =>
                    {
                        format!("use `{twin}` promisified with `util.promisify`, and await it")
                    }
                    _ => format!("use `{twin}` of `node:fs/promises`, and await it"),
                }
            ),
            edits: Vec::new(),
            gates,
        }],
        in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("`{function}`") }],
        out_of_scope: vec![(
            "synchronous calls as a module is loaded".to_owned(),
            "nothing waits for them yet".to_owned(),
        )],
        tests: vec![format!(
            "`{function}` gives the same result, and the same error when the file or process is missing"
        )],
        edge_cases: vec![
            "another request may run between two awaits: what was checked before may have changed".to_owned(),
            "callers that relied on the result at once need `await`".to_owned(),
        ],
        prerequisites: Vec::new(),
        goals: goal.into_iter().collect(),
        stop_conditions: vec![
            format!("`{function}` must stay synchronous because somebody outside the repository calls it"),
            "the code only runs in a process of its own".to_owned(),
        ],
        maintenance: Vec::new(),
        risk: None,
    })
}
