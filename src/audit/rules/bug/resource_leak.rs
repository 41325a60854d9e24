//! `resource-leak`: connections, listeners, timers and handles that are taken again and again and never given back.

pub mod body;
pub mod clients;
pub mod handles;
pub mod hooks;
pub mod http_clients;
pub mod listeners;

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::SymbolIndex;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// Something that is taken and not given back.
pub struct ResourceLeak;

static DOC: RuleDoc = RuleDoc {
    id: "resource-leak",
    category: Category::Bug,
    what: "a client made at every call, a handle kept when something fails, a listener or timer that nobody takes back",
    why: "each call leaves something behind: memory, sockets and database connections grow until the process or the server behind it \
          refuses more",
    quiet_when: "the client is made once for the process, is handed on or returned, or is closed; it carries what one request brings, or sends \
                 one message that only an optional setting asks for, or shares a connection that it is given; the handle is given back in `finally`; \
                 the listener is added once to something that ends with it, to something made in the same round, or behind a flag that is raised with it; a timer that only sets state \
                 again is told with low confidence",
    example: "export async function settings() {\n  const prisma = new PrismaClient();\n  return await prisma.setting.findMany();\n}",
};

/// What kind of leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client with connections.
    Client,
    /// The same in Rust, where it is dropped but made anew.
    RustClient,
    /// A connection of a pool, a file, a browser.
    Handle,
    /// A listener.
    Listener,
    /// A function made by `bind` and dropped.
    Bind,
    /// What an effect or a hook starts.
    Effect,
}

/// Something taken and not given back.
pub struct Leak {
    /// The call that takes it.
    pub call: CallId,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// Where it is taken.
    pub line: u32,
    /// What must stand on that line.
    pub quote: String,
    /// What kind.
    pub kind: Kind,
    /// What is wrong, without the function.
    pub title: String,
    /// What it costs.
    pub message: String,
    /// Worth.
    pub impact: u8,
    /// How sure it is.
    pub confidence: Confidence,
    /// Further lines of the same file, and what they have to do with it.
    pub others: Vec<(u32, &'static str)>,
}

/// Further places a finding names.
const MAX_PLACES: usize = 12;

/// The role of the place where something is taken.
const LEAK: &str = "leak";

impl Rule for ResourceLeak {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut groups: BTreeMap<_, Vec<Leak>> = BTreeMap::new();
        // Several removals may miss one listener: who mends the first mends them.
        let mut missed = BTreeSet::new();
        for leak in map.calls().filter_map(|(call, _)| leak(map, effects, call)) {
            let added = leak.others.iter().find(|(_, role)| *role == listeners::ADDED);
            if added.is_some_and(|(line, _)| !missed.insert((leak.call.file, *line))) {
                continue;
            }
            // One change mends all leaks of a kind in a function; a file takes all its clients and handles in one way.
            let symbol = leak.symbol.filter(|_| !matches!(leak.kind, Kind::Handle | Kind::Client | Kind::RustClient));
            groups.entry((leak.call.file, symbol, leak.kind, leak.confidence)).or_default().push(leak);
        }
        // What a function takes of a client of its own goes with the client.
        let makes_client = |leak: &Leak| {
            let of_file =
                groups.iter().filter(|((file, _, kind, _), _)| *file == leak.call.file && *kind == Kind::Client);
            of_file.flat_map(|(_, clients)| clients).any(|client| client.symbol == leak.symbol)
        };
        let is_told = |group: &&Vec<Leak>| group[0].kind != Kind::Handle || !group.iter().all(makes_client);
        groups.values().filter(is_told).map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call = place::calls_at(map, finding.location()).find(|call| leak(map, context.effects, *call).is_some())?;
        let leak = leak(map, context.effects, call)?;
        let path = &map.file(leak.call.file).path;
        let goal = place::unique_line(context.tree, path, leak.line, leak.line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        // Only where the line itself must change: a clean-up is added elsewhere.
        let goal = goal.filter(|_| changes_its_line(leak.kind));
        gates.extend(goal.clone());
        let remedy = remedy(leak.kind);
        Some(PlanDraft {
            title: format!("{} in `{path}`", remedy.title),
            why: leak.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: remedy.title.to_owned(),
                instruction: format!("In `{path}`, {}: {}", lines_of(finding, leak.line), remedy.instruction),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: "the place and its clean-up".to_owned() }],
            out_of_scope: Vec::new(),
            tests: vec![remedy.test.to_owned()],
            edge_cases: vec![remedy.edge_case.to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![remedy.stop.to_owned()],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// The lines of a finding where something is taken: `line 3`, `lines 3, 8, 20`.
fn lines_of(finding: &Finding, first: u32) -> String {
    let mut lines: Vec<u32> =
        finding.evidence.iter().filter(|place| place.role == LEAK).map(|place| place.start_line).collect();
    lines.sort_unstable();
    lines.dedup();
    match lines.as_slice() {
        [] | [_] => format!("line {first}"),
        several => format!("lines {}", several.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn changes_its_line(kind: Kind) -> bool {
    match kind {
        Kind::Client | Kind::RustClient | Kind::Bind => true,
        Kind::Handle | Kind::Listener | Kind::Effect => false,
    }
}

fn leak(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    // By name first: few calls are about anything that can leak.
    clients::leaks(map, effects, call)
        .or_else(|| http_clients::leaks(map, effects, call))
        .or_else(|| handles::leaks(map, call))
        .or_else(|| listeners::leaks(map, call))
        .or_else(|| hooks::leaks(map, call))
}

fn finding(map: &RepoMap, group: &[Leak]) -> Finding {
    let leak = &group[0];
    let source = map.file(leak.call.file);
    let function = place::function_name(map, leak.call);
    let title = match leak.kind {
        Kind::Effect if leak.title.starts_with('`') => leak.title.clone(),
        _ => format!("`{function}`: {}", leak.title),
    };
    let title = match group.len() {
        1 => title,
        several => format!("{title} ({several} places)"),
    };
    let mut draft = FindingDraft::at_line(&DOC, map, leak.call.file, leak.line, leak.symbol, LEAK)
        .expecting(&leak.quote)
        .title(title)
        .message(leak.message.clone())
        .impact(leak.impact)
        .confidence(leak.confidence)
        .effort(Effort::S)
        .risk(Risk::Low);
    for (line, role) in &leak.others {
        draft = draft.and_lines(&source.path, *line, *line, role);
    }
    for other in group[1..].iter().take(MAX_PLACES) {
        draft = draft.and_lines(&source.path, other.line, other.line, LEAK);
    }
    draft.build()
}

struct Remedy {
    title: &'static str,
    instruction: &'static str,
    test: &'static str,
    edge_case: &'static str,
    stop: &'static str,
}

fn remedy(kind: Kind) -> Remedy {
    match kind {
        Kind::Client => Remedy {
            title: "Use one client for the process",
            instruction: "take the client that the rest of the code shares, or make one at module level and import it here; where the \
                          function must have one of its own, close it in `finally` (`await client.$disconnect()`, `quit()`, `end()`).",
            test: "two calls of the function use the same client, or leave none open",
            edge_case: "a shared client must not be closed by one of its users",
            stop: "the function only ever runs once in a process that ends with it",
        },
        Kind::RustClient => Remedy {
            title: "Make the client once",
            instruction: "take a shared client as a parameter or from the application's state; inside a loop it is enough to move the \
                          construction before it. `reqwest::Client` is cheap to clone and meant to be shared.",
            test: "the function still sends the same requests",
            edge_case: "settings that differ from item to item (proxy, certificate) need a client each: keep those apart",
            stop: "the settings of the client depend on the item",
        },
        Kind::Handle => Remedy {
            title: "Give the handle back in `finally`",
            instruction: "put what uses the handle into `try { … }` right after it was taken, and give it back in `finally { … }`, so \
                          that it is given back whatever happens.",
            test: "when the work in between throws, the handle is given back and the error still reaches the caller",
            edge_case: "the handle may be absent when taking it failed: `try` starts after it was taken",
            stop: "somebody else gives the handle back",
        },
        Kind::Listener => Remedy {
            title: "Take the listener back",
            instruction: "keep the function that was added in a name, and remove that same function for the same event (and the same \
                          `capture`) when its time is over; in a loop, add it once before the loop or remove it at the end of each round.",
            test: "after the clean-up, the event calls nothing any more",
            edge_case: "`bind` and arrow functions make a new function each time: bind once, and add and remove the same one",
            stop: "the listener is meant to live as long as the process",
        },
        Kind::Bind => Remedy {
            title: "Call the function instead of binding it",
            instruction: "`object.method.bind(object)` only makes a function: call `object.method()`, or store what `bind` gives where it \
                          is to be used.",
            test: "the method is called when the code runs",
            edge_case: "in a constructor, `this.method = this.method.bind(this)` is what was meant",
            stop: "the method must not run here",
        },
        Kind::Effect => Remedy {
            title: "Clean up what the effect starts",
            instruction: "keep the handle and give it up when the effect ends: return a function from the effect that calls \
                          `clearTimeout`, `clearInterval` or `removeEventListener`; a timer that a callback starts is kept in a ref, \
                          cleared before the next one and in the clean-up of an effect.",
            test: "after unmount, the timer or the event calls nothing any more",
            edge_case: "the clean-up also runs between two runs of the effect, not only at the end",
            stop: "the component lives as long as the page",
        },
    }
}
