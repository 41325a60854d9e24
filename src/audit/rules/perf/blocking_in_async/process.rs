//! JavaScript: a process that an async function of a server waits for synchronously, though no request leads there: a notification, a
//! monitor, a job of the same process. Nothing is answered until the process ends.

use std::collections::BTreeMap;

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, RuleDoc};
use crate::audit::rules::perf::blocking_in_async::request;
use crate::effects::entry::EntryKind;
use crate::effects::{Effect, Effects};
use crate::finding::{Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::SymbolIndex;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap};

/// Calls that wait for a process.
const WAITS: &[&str] = &["execSync", "spawnSync", "execFileSync"];

/// One finding a function.
pub fn findings(doc: &RuleDoc, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
    let mut by_function: BTreeMap<(FileId, Option<SymbolIndex>), Vec<CallId>> = BTreeMap::new();
    for &call in effects.direct.keys() {
        if waits_beside_requests(map, effects, call) {
            by_function.entry((call.file, map.call(call).caller)).or_default().push(call);
        }
    }
    by_function.values().filter_map(|calls| finding(doc, map, calls)).collect()
}

/// The plan for such a finding.
pub fn plan(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let call =
        place::calls_at(map, finding.location()).find(|call| waits_beside_requests(map, context.effects, *call))?;
    request::plan_for(call, finding, context)
}

fn waits_beside_requests(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let source = map.file(call.file);
    let site = map.call(call);
    WAITS.contains(&site.name.as_str())
        && source.language.is_ecmascript()
        && source.role == FileRole::Production
        && effects.direct(call).iter().any(|direct| direct.effect == Effect::Blocking && direct.library == "node")
        && effects
            .entries
            .of_call(map, call)
            .is_none_or(|reach| !reach.entry.kind.is_request() && reach.entry.kind != EntryKind::Command)
        && place::in_async_code(map, call)
        && !place::in_test(map, call)
        && !is_tool(&source.path)
        && !request::runs_once(map, call)
        && answers_requests(map, effects, call.file)
}

/// What a person starts and waits for.
fn is_tool(path: &str) -> bool {
    const FOLDERS: &[&str] = &["cli", "commands", "command", "tools", "bin", "scripts", "extra", "installer"];
    path.split('/').any(|part| FOLDERS.contains(&part))
}

/// Whether the package of a file answers requests.
fn answers_requests(map: &RepoMap, effects: &Effects, file: FileId) -> bool {
    let package = |file: FileId| map.recon.package_of(&map.file(file).path).map(|package| package.manifest.as_str());
    let own = package(file);
    effects
        .entries
        .list
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver))
        .any(|entry| package(entry.handler.file()) == own)
}

fn finding(doc: &RuleDoc, map: &RepoMap, calls: &[CallId]) -> Option<Finding> {
    let (&call, rest) = calls.split_first()?;
    let function = place::function_name(map, call);
    let name = place::callee_text(map, call);
    let mut draft = FindingDraft::at_call(doc, map, call, "blocking call")
        .title(format!("`{function}` holds the event loop until the process of `{name}` ends"))
        .message(format!(
            "`{function}` is async, but `{name}` waits for its process synchronously: the server that runs in the same process answers \
             nothing until it ends."
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for other in rest {
        draft = draft.and_call(map, *other, "blocking call");
    }
    Some(draft.build())
}
