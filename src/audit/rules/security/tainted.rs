//! What the rules about values from outside share: flows of one sink as one finding, weighed and shown alike.

use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::RuleDoc;
use crate::audit::rules::security::missing_auth::guards;
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow, Trust};
use crate::finding::{Confidence, Evidence, Finding, Hop};
use crate::repo_map::facts::{RegionIndex, RegionKind, SymbolIndex};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Flows that one change would mend: into one call, from places in one file.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The one to show.
    pub worst: &'a Flow,
    /// All of them, in order of their places.
    pub flows: Vec<&'a Flow>,
}

/// Flows with these dangers, grouped; in order of the sinks.
pub fn groups<'a>(map: &RepoMap, effects: &'a Effects, dangers: &[Danger]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for flow in effects.flows(map).iter().filter(|flow| dangers.contains(&flow.danger)) {
        let same = |group: &&mut Group<'a>| {
            let other = group.worst;
            let same_danger = other.danger == flow.danger;
            let alike = same_danger && other.place.0 == flow.place.0;
            // One value that does harm in several calls of a function is checked once.
            let (same_value, same_start) =
                (flow.value.is_some() && other.value == flow.value, other.steps.first() == flow.steps.first());
            let same_source = !flow.source.is_empty() && other.source == flow.source;
            let one_source = same_source && (same_start || same_value) || same_value && same_start;
            let one_value = one_source
                && body_of(map, other.sink) == body_of(map, flow.sink)
                && body_of(map, flow.sink) != (None, None);
            // Handlers, of whatever file, that hand an address to the same helper: it is checked there.
            let one_helper =
                flow.danger == Danger::Url && !flow.reaches.is_empty() && flow.reaches.last() == other.reaches.last();
            alike && (other.sink == flow.sink || one_value) || same_danger && one_helper
        };
        match groups.iter_mut().rev().find(same) {
            Some(group) => {
                if rank(flow) > rank(group.worst) {
                    group.worst = flow;
                }
                group.flows.push(flow);
            }
            None => groups.push(Group { worst: flow, flows: vec![flow] }),
        }
    }
    for group in &mut groups {
        group.flows.sort_by(|a, b| a.place.cmp(&b.place));
    }
    groups
}

/// The function a call stands in: the named one, and the outermost callback in it.
fn body_of(map: &RepoMap, call: CallId) -> (Option<SymbolIndex>, Option<RegionIndex>) {
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    let callbacks =
        facts.enclosing_regions(site.region).filter(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }));
    (site.caller, if site.caller.is_none() { callbacks.last().map(|(index, _)| index) } else { None })
}

/// The group a finding was made of.
pub fn group_at<'a>(map: &RepoMap, effects: &'a Effects, dangers: &[Danger], finding: &Finding) -> Option<Group<'a>> {
    let at: &Evidence = finding.location();
    groups(map, effects, dangers)
        .into_iter()
        .filter(|group| group.worst.place.0 == at.file && group.worst.place.1 == at.start_line)
        .max_by_key(|group| rank(group.worst))
}

/// How bad a flow is beside others of its sink.
fn rank(flow: &Flow) -> (Trust, bool, bool, bool) {
    (flow.trust, !flow.doubtful, flow.leak.is_none(), flow.context.quote.is_some())
}

/// Whether the route where a flow begins asks who is calling.
pub fn is_guarded(map: &RepoMap, effects: &Effects, flow: &Flow) -> bool {
    let first =
        flow.steps.first().map_or((flow.place.0.as_str(), flow.place.1), |step| (step.file.as_str(), step.line));
    let entry = map.file_by_path(first.0).and_then(|(file, _)| effects.entries.of_line(map, file, first.1));
    entry.is_some_and(|reach| {
        !guards::before(map, effects, reach.entry).is_empty() || guards::checks_itself(map, effects, reach.entry)
    })
}

/// How sure a rule can be of a flow by its way alone.
pub fn confidence(flow: &Flow) -> Confidence {
    match flow.trust {
        Trust::Client if !flow.doubtful => Confidence::High,
        Trust::Client | Trust::Stored | Trust::Page => Confidence::Med,
        Trust::Parameter | Trust::Unknown | Trust::Constant => Confidence::Low,
    }
}

/// The finding about a group, without its words: where it is, where the value comes from, and the way between.
pub fn draft(doc: &RuleDoc, map: &RepoMap, group: &Group<'_>, role: &str) -> FindingDraft {
    let flow = group.worst;
    let site = map.call(flow.sink);
    let sink_file = &map.file(flow.sink.file).path;
    let (file, line) = (&flow.place.0, flow.place.1);
    let at_sink = file == sink_file && line == site.line;
    let mut draft = match map.file_by_path(file) {
        Some(_) if at_sink => FindingDraft::at_call(doc, map, flow.sink, role),
        Some((id, _)) => FindingDraft::at_line(doc, map, id, line, enclosing(map, id, line), role),
        None => FindingDraft::at_lines(doc, file.clone(), line, line, role),
    };
    for other in group.flows.iter().filter(|other| other.place != flow.place) {
        draft = draft.and_lines(other.place.0.clone(), other.place.1, other.place.1, "also here");
    }
    if !at_sink {
        draft = draft.and_call(map, flow.sink, "sink");
    }
    for (place, step) in flow.steps.iter().enumerate().take(6) {
        let role = if place == 0 { "source" } else { "way" };
        draft = draft.and_lines(step.file.clone(), step.line, step.line, role);
    }
    if let Some(last) = flow.reaches.last() {
        draft = draft.and_lines(last.file.clone(), last.line, last.line, "api");
    }
    draft.path(way(map, flow)).confidence(confidence(flow))
}

/// From the source to the API, one hop a line.
fn way(map: &RepoMap, flow: &Flow) -> Vec<Hop> {
    let site = map.call(flow.sink);
    let mut hops = flow.steps.clone();
    if hops.is_empty() && flow.reaches.is_empty() {
        return hops;
    }
    hops.push(Hop { file: map.file(flow.sink.file).path.clone(), line: site.line, symbol: callee(map, flow) });
    hops.extend(flow.reaches.iter().cloned());
    hops.dedup_by(|later, earlier| (&later.file, later.line) == (&earlier.file, earlier.line));
    hops
}

/// The innermost function around a line.
fn enclosing(map: &RepoMap, file: FileId, line: u32) -> Option<SymbolIndex> {
    (0..)
        .zip(&map.file(file).facts.symbols)
        .filter(|(_, symbol)| symbol.kind.is_callable() && symbol.lines.contains(line))
        .min_by_key(|(_, symbol)| symbol.lines.count())
        .map(|(index, _)| index)
}

/// The function a flow's value is pasted in, for messages.
pub fn function(map: &RepoMap, flow: &Flow) -> String {
    let sink_file = &map.file(flow.sink.file).path;
    if flow.place.0 != *sink_file {
        let named = map.file_by_path(&flow.place.0).and_then(|(file, _)| {
            let index = enclosing(map, file, flow.place.1)?;
            Some(map.file(file).facts.symbols[index as usize].qualified.to_string())
        });
        return named.unwrap_or_else(|| place::function_name(map, flow.sink));
    }
    place::function_name(map, flow.sink)
}

/// What is called at the sink; the API where the callee has no name of its own.
pub fn callee(map: &RepoMap, flow: &Flow) -> String {
    let written = place::callee_text(map, flow.sink);
    if written.is_empty() { flow.api.clone() } else { written }
}

/// `a value from the request`, `a parameter`, …
pub fn whose(flow: &Flow) -> &'static str {
    match flow.trust {
        Trust::Client => "a value from the request",
        Trust::Stored => "a value from outside the process",
        Trust::Page => "a value from the page's address",
        Trust::Parameter => "text from a caller",
        Trust::Unknown | Trust::Constant => "a value",
    }
}

/// The value with where it comes from: `` `name` (a value from the request, `req.query.name`) ``.
pub fn value(flow: &Flow) -> String {
    let source = if flow.source.is_empty() || Some(&flow.source) == flow.value.as_ref() {
        whose(flow).to_owned()
    } else {
        format!("{}, `{}`", whose(flow), flow.source)
    };
    match &flow.value {
        Some(value) if value.len() <= 60 => format!("`{value}` ({source})"),
        Some(_) | None => source,
    }
}

/// What is to be said of a check on the way; empty without one.
pub fn leak(flow: &Flow) -> String {
    flow.leak.as_ref().map_or_else(String::new, |leak| format!(" It is checked, but {leak}."))
}

/// First and last line of what has to change.
pub fn lines(map: &RepoMap, group: &Group<'_>) -> (u32, u32) {
    let flow = group.worst;
    let site = map.call(flow.sink);
    let at_sink = flow.place == (map.file(flow.sink.file).path.clone(), site.line);
    let places = || group.flows.iter().map(|flow| flow.place.1);
    let last = places().max().unwrap_or(flow.place.1);
    (places().min().unwrap_or(flow.place.1), if at_sink { last.max(site.end_line) } else { last })
}
