//! `sequential-await`: work that is waited for one piece after the other, though no piece needs another.
//!
//! Cheap to mend and cheap to leave: one finding a file, low in the list. [`runs`] finds statements, [`turns`] loops, [`lists`] what is
//! handed to `Promise.all` too late.

mod lists;
mod runs;
mod turns;

use std::collections::BTreeMap;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap};

/// Independent work that is waited for in turn.
pub struct SequentialAwait;

static DOC: RuleDoc = RuleDoc {
    id: "sequential-await",
    category: Category::Perf,
    what: "requests or queries awaited one after the other, in a loop, in a row or in the list of a `Promise.all`, though none needs what another gave",
    why: "the waits add up: ten requests of 50 ms take half a second in a row and 50 ms together",
    quiet_when: "a later piece uses an earlier one's value, the loop carries a value on, leaves early, pauses or retries, or what it calls does, \
                 it only does something for an item with a certain field, the pieces share a transaction or a query builder, most of what the function waits for is something else, order may matter (migrations, pages, chunks, steps), a query a loop could be one for all \
                 (`n-plus-one`), or it is a script or test code; told with low confidence where no request is known to reach it",
    example: "const user = await loadUser(id);\nconst orders = await loadOrders(id);\nconst invoices = await loadInvoices(id);",
};

/// Pieces that could be waited for together.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// The calls, in order; of a loop those of one turn.
    pub calls: Vec<CallId>,
    /// The line of the loop.
    pub turns: Option<u32>,
    /// They stand in the list of a `Promise.all`, each with an `await` of its own.
    pub is_list: bool,
    /// What is waited for is known to go to another machine.
    pub is_remote: bool,
}

impl Rule for SequentialAwait {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbRead), Table::Effect(Effect::Http)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        by_file(map, effects).into_values().filter_map(|sequences| finding(map, &sequences)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let (file, source) = map.file_by_path(&finding.location().file)?;
        let sequences = by_file(map, context.effects).remove(&file)?;
        let path = source.path.clone();
        let mut steps = Vec::new();
        let mut goals = Vec::new();
        for sequence in &sequences {
            let first = *sequence.calls.first()?;
            let last = *sequence.calls.last()?;
            let function = place::function_name(map, first);
            let line = map.call(first).line;
            let goal =
                place::unique_line(context.tree, &path, line, map.call(last).line, &|text| text.contains("await"))
                    .map(|text| GateDraft::TextGone { text, file: path.clone() });
            let mut gates =
                vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
            gates.extend(goal.clone());
            goals.extend(goal);
            if sequence.is_list {
                steps.push(StepDraft {
                    title: format!("Hand the promises of `{function}` to `Promise.all` (line {line})"),
                    instruction: format!(
                        "In `{path}`, `{function}`: take away the `await` in front of each of the {} calls in the list, so that \
                         `Promise.all` is given promises and they run together.",
                        sequence.calls.len()
                    ),
                    edits: sequence.calls.iter().filter_map(|call| lists::edit(context, *call)).collect(),
                    gates,
                });
                continue;
            }
            steps.push(StepDraft {
                title: format!("Wait for the work of `{function}` together (line {line})"),
                instruction: match sequence.turns {
                    Some(head) => format!(
                        "In `{path}`, `{function}`: turn the loop on line {head} into `await Promise.all(items.map(async (item) => {{ … }}))` \
                         with the same body. Where the list may be long (hundreds), work in chunks of ten or use the repository's own \
                         limiter."
                    ),
                    None => format!(
                        "In `{path}`, `{function}`: put the {} calls from line {line} on into one \
                         `const […] = await Promise.all([…])`, in the same order and with the same names.",
                        sequence.calls.len()
                    ),
                },
                edits: Vec::new(),
                gates,
            });
        }
        Some(PlanDraft {
            title: format!("Wait together in `{path}`"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps,
            in_scope: vec![ScopeDraft { path, remark: "the calls that are waited for in turn".to_owned() }],
            out_of_scope: vec![("what the calls do".to_owned(), "only when they are waited for changes".to_owned())],
            tests: vec!["the result is the same as before, in the same order".to_owned()],
            edge_cases: vec![
                "when one piece fails, the others still run: `Promise.all` rejects at once and does not stop them"
                    .to_owned(),
                "the other side may limit how many requests it takes at a time".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals,
            stop_conditions: vec![
                "a piece relies on what an earlier one did elsewhere (a row written, a session opened)".to_owned(),
                "the calls share a database transaction or a connection that takes one statement at a time".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: Some(Risk::Med),
        })
    }
}

fn by_file(map: &RepoMap, effects: &Effects) -> BTreeMap<FileId, Vec<Sequence>> {
    let mut found: BTreeMap<FileId, Vec<Sequence>> = BTreeMap::new();
    for (file, source) in map.files_with_ids() {
        if source.role != FileRole::Production {
            continue;
        }
        let mut sequences = turns::of_file(map, effects, file);
        if source.language.is_ecmascript() {
            sequences.extend(runs::of_file(map, effects, file));
            sequences.extend(lists::of_file(map, file));
        }
        // The best known first: it is the place the finding opens.
        sequences.sort_by_key(|sequence| (!sequence.is_list, !sequence.is_remote, sequence.calls.first().copied()));
        if !sequences.is_empty() {
            found.insert(file, sequences);
        }
    }
    found
}

fn finding(map: &RepoMap, sequences: &[Sequence]) -> Option<Finding> {
    let first = sequences.first()?;
    let call = *first.calls.first()?;
    let function = place::function_name(map, call);
    let name = place::callee_text(map, call);
    let more = match sequences.len() {
        1 => String::new(),
        2 => " One more place in this file does the same.".to_owned(),
        count => format!(" {} more places in this file do the same.", count - 1),
    };
    let (title, message) = match first.turns {
        None if first.is_list => (
            format!("`{function}` waits for each of the {} calls that it hands to `Promise.all`", first.calls.len()),
            format!(
                "Every one of the {} calls in the list has an `await` of its own, so `{function}` runs them one after the other and \
                 `Promise.all` is given values: the waits add up.{more}",
                first.calls.len()
            ),
        ),
        Some(_) => (
            format!("`{function}` waits for `{name}` once an item"),
            format!(
                "The loop in `{function}` waits for `{name}` before it turns to the next item, though no item needs another: the waits \
                 add up.{more}"
            ),
        ),
        None => (
            format!("`{function}` waits for {} calls in a row", first.calls.len()),
            format!(
                "`{function}` waits for {} calls one after the other, though none uses what another gave: the waits add up.{more}",
                first.calls.len()
            ),
        ),
    };
    let mut draft = FindingDraft::at_call(&DOC, map, call, "call")
        .title(title)
        .message(message)
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(match first {
            Sequence { is_list: true, .. } => Confidence::High,
            Sequence { is_remote: true, .. } if !is_tool(map, call) => Confidence::Med,
            Sequence { .. } => Confidence::Low,
        });
    for other in
        first.calls.iter().skip(1).chain(sequences[1..].iter().filter_map(|sequence| sequence.calls.first())).take(8)
    {
        draft = draft.and_call(map, *other, "call");
    }
    Some(draft.build())
}

/// A tool that somebody starts, or what runs as a program starts: nobody waits for an answer.
fn is_tool(map: &RepoMap, call: CallId) -> bool {
    const FOLDERS: &[&str] = &["cli", "commands", "command", "tools", "bin"];
    const TIDIES: &[&str] = &["clean", "cleanup", "init", "migrate", "seed", "startup", "bootstrap", "purge"];
    let in_folder = map.file(call.file).path.split('/').any(|part| FOLDERS.contains(&part));
    let function = place::function_name(map, call);
    let last = function.rsplit('.').next().unwrap_or(&function);
    in_folder || place::words(last).first().is_some_and(|word| TIDIES.contains(&word.as_str()))
}

/// Words of names that speak of order, of a shared connection or of going slowly on purpose.
const ORDERED: &[&str] = &[
    "migration",
    "migrations",
    "step",
    "steps",
    "page",
    "pages",
    "chunk",
    "chunks",
    "batch",
    "batches",
    "attempt",
    "attempts",
    "retry",
    "retries",
    "middleware",
    "middlewares",
    "plugin",
    "plugins",
    "hook",
    "hooks",
    "command",
    "commands",
    "queue",
    "stage",
    "stages",
    "phase",
    "phases",
    "sorted",
    "ordered",
    "sequence",
    "sequential",
    "sequentially",
    "series",
    "statement",
    "statements",
    "cursor",
    "transaction",
    "transactions",
    "trx",
    "tx",
    "session",
    "lock",
    "layer",
    "layers",
    "backoff",
    "throttle",
    "delay",
    "sleep",
    "wait",
    "rate",
    "limiter",
    "poll",
    "event",
    "events",
    "message",
    "messages",
    "line",
    "lines",
    "instruction",
    "instructions",
    "operation",
    "operations",
    "action",
    "actions",
    "fallback",
    "fallbacks",
    "candidates",
    "strategies",
    "providers",
];

/// Whether a name speaks of order.
fn speaks_of_order(name: &str) -> bool {
    place::words(name).iter().any(|word| ORDERED.contains(&word.as_str()))
}
