//! One finding a loop, and one for loops that want the same helper.

use std::collections::BTreeMap;

use crate::audit::place;
use crate::audit::rules::perf::per_item::origin::Origin;
use crate::audit::rules::perf::per_item::verbs::is_operation;
use crate::audit::rules::perf::per_item::worth::{Worth, stops_at_first, worth};
use crate::audit::rules::perf::per_item::writes::is_batchable;
use crate::audit::rules::perf::per_item::{PerItem, judge, wording};
use crate::effects::{Effect, Effects, chain};
use crate::finding::Finding;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// What one loop does once an item.
pub struct PerItemLoop<'a> {
    /// The call to open first.
    pub first: PerItem<'a>,
    /// Its other calls that run once an item, in order.
    pub others: Vec<PerItem<'a>>,
    /// What a change is worth.
    pub worth: Worth,
}

impl PerItemLoop<'_> {
    /// Whether the loop reads: its writes, if any, are taken along.
    pub fn reads(&self) -> bool {
        reads(&self.first)
    }

    /// Whether the items are rows of a query.
    pub fn source(&self) -> Option<CallId> {
        match self.first.origin {
            Origin::Query(source) => Some(source),
            _ => None,
        }
    }
}

fn reads(site: &PerItem<'_>) -> bool {
    matches!(site.effect(), Effect::DbRead | Effect::Redis)
}

/// Loops that read or write once an item, in order.
pub fn loops<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<PerItemLoop<'a>> {
    // Most calls are in no body that repeats, which is cheaper to see than what they do.
    let repeated = map.calls().map(|(call, _)| call).filter(|&call| !place::iterations(map, call).is_empty());
    let mut sites: Vec<PerItem<'a>> = repeated.filter_map(|call| site(map, effects, call)).collect();
    sites.sort_by_key(|site| (site.call.file, site.iteration.region, site.call.index));
    let mut found: Vec<PerItemLoop<'a>> = Vec::new();
    for site in sites {
        match found.last_mut() {
            Some(last)
                if (last.first.call.file, last.first.iteration.region) == (site.call.file, site.iteration.region) =>
            {
                last.others.push(site);
            }
            _ => found.push(PerItemLoop { worth: worth(map, effects, &site, 0), first: site, others: Vec::new() }),
        }
    }
    for one in &mut found {
        lead(map, effects, one);
    }
    found
}

/// The one thing a call is reported for: a function that writes is told as a write, whatever it reads on the way.
pub fn site<'a>(map: &'a RepoMap, effects: &'a Effects, call: CallId) -> Option<PerItem<'a>> {
    let kept = |effect| judge(map, effects, effect, call);
    if let Some(write) = kept(Effect::DbWrite).filter(|site| is_batchable(map, effects, site)) {
        return Some(write);
    }
    if effects.likely_cause(map, call, Effect::DbWrite).is_none()
        && let Some(read) = kept(Effect::DbRead)
    {
        return Some(read);
    }
    kept(Effect::Redis)
        .filter(|site| site.causes.len() == 1 && reads_key(&site.api.api))
        .or_else(|| kept(Effect::Queue).filter(|site| site.causes.len() == 1 && is_batchable(map, effects, site)))
}

/// Whether a Redis command reads one key, so that `mget` or a pipeline can take its place.
fn reads_key(api: &str) -> bool {
    let last = api.rsplit(['.', ':']).next().unwrap_or_default();
    matches!(
        last,
        "get" | "hget" | "hgetall" | "getBuffer" | "hGet" | "hGetAll" | "exists" | "smembers" | "sMembers" | "ttl"
    )
}

/// Puts the call with the best case first: a look-up, certain, near.
fn lead(map: &RepoMap, effects: &Effects, one: &mut PerItemLoop<'_>) {
    let rank = |site: &PerItem<'_>| {
        (
            is_operation(map, effects, site),
            std::cmp::Reverse(site.confidence),
            !reads(site),
            site.causes.len(),
            site.call.index,
        )
    };
    let best = (0..one.others.len()).min_by_key(|&index| rank(&one.others[index]));
    if let Some(best) = best.filter(|&best| rank(&one.others[best]) < rank(&one.first)) {
        std::mem::swap(&mut one.first, &mut one.others[best]);
        one.others.sort_by_key(|site| site.call.index);
    }
    one.worth = worth(map, effects, &one.first, one.others.len());
}

/// What makes two loops want the same helper: the function they call, or the query on the same model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Helper {
    /// With the arguments that depend on the item: a helper takes a list in one place.
    Function(SymbolId, Vec<usize>),
    Query(String),
    /// Functions of a file that each walk the same list of what they are given, as the phases of an import do.
    List(FileId, String),
    Own(CallId),
}

/// The arguments that depend on the item, by position.
fn varying_arguments(map: &RepoMap, site: &PerItem<'_>) -> Vec<usize> {
    let facts = &map.file(site.call.file).facts;
    let names = place::item_names(facts, &site.iteration);
    let arguments = facts.call(site.call.index).arguments.iter().enumerate();
    arguments
        .filter(|(_, argument)| chain::expr_uses(facts, argument, &|name| names.contains(name)))
        .map(|(position, _)| position)
        .collect()
}

/// Whether a function on the way does something outside beside what leads to the statement: a batch helper could not do it for all.
pub fn does_more_than_its_statement(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    const OUTSIDE: [Effect; 6] =
        [Effect::DbRead, Effect::DbWrite, Effect::Redis, Effect::Queue, Effect::Http, Effect::Process];
    site.causes.windows(2).any(|pair| {
        let (Some(function), next) = (pair[0].through, pair[1].call) else { return false };
        // The links of one chain are one statement.
        let (statement, own) = (map.call(next).statement, map.call(next).span);
        map.calls_in(function).any(|other| {
            let other_site = map.call(other);
            let is_apart =
                other_site.statement != statement && !own.contains(other_site.span) && !other_site.span.contains(own);
            is_apart && OUTSIDE.into_iter().any(|effect| effects.cause(map, other, effect).is_some())
        })
    })
}

fn helper(map: &RepoMap, site: &PerItem<'_>) -> Helper {
    if hands_over_its_statement(map, site.call) {
        return Helper::Own(site.call);
    }
    if let Some(function) = site.causes.first().and_then(|cause| cause.through) {
        return Helper::Function(function, varying_arguments(map, site));
    }
    let over =
        site.iteration.over.and_then(Expr::dotted).filter(|over| over.contains('.') && !over.starts_with("this."));
    if let (true, false, Some(over)) = (reads(site), matches!(site.origin, Origin::Query(_)), over) {
        return Helper::List(site.call.file, over);
    }
    // Two reads of one model ask for different rows; two inserts of one model are the same statement.
    let text = if reads(site) { String::new() } else { wording::call_text(map, site.call) };
    // `tx.auditLog.create` names its model; `sqlx::query(…).execute` could be about anything.
    if text.matches('.').count() >= 2 && !text.contains(['(', '[']) {
        Helper::Query(text)
    } else {
        Helper::Own(site.call)
    }
}

/// `Database::run("DELETE FROM keys WHERE id = $1", id)`: what is called runs whatever it is given, and has no batch helper.
fn hands_over_its_statement(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    site.arguments.iter().take(3).any(|argument| {
        let text = match place::resolve(facts, site.caller, argument) {
            Expr::Text(text) => Some(text),
            Expr::Template(parts) => match parts.first() {
                Some(TemplatePart::Text(text)) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let first = text.and_then(|text| text.split_whitespace().next()).unwrap_or_default();
        ["select", "insert", "update", "delete", "with", "replace", "merge"]
            .into_iter()
            .any(|word| first.eq_ignore_ascii_case(word))
    })
}

/// Loops of one function that read are mended together, whatever helper each wants.
fn by_function<'a>(map: &RepoMap, groups: Vec<Vec<PerItemLoop<'a>>>) -> Vec<Vec<PerItemLoop<'a>>> {
    let mut merged: Vec<Vec<PerItemLoop<'a>>> = Vec::new();
    let home = |group: &[PerItemLoop<'_>]| {
        let first = map.caller_of(group[0].first.call)?;
        let is_one = group.iter().all(|one| one.reads() && map.caller_of(one.first.call) == Some(first));
        is_one.then_some(first)
    };
    for group in groups {
        let own = home(&group);
        match merged.iter_mut().find(|other| own.is_some() && home(other) == own) {
            Some(other) => other.extend(group),
            None => merged.push(group),
        }
    }
    merged
}

/// Turns loops into findings: those that want the same helper become one, the best of them first.
pub fn findings<'a>(
    map: &RepoMap,
    loops: Vec<PerItemLoop<'a>>,
    finding: impl Fn(&PerItemLoop<'a>, &[&PerItemLoop<'a>]) -> Finding,
) -> Vec<Finding> {
    let mut groups: BTreeMap<Helper, Vec<PerItemLoop<'a>>> = BTreeMap::new();
    for one in loops {
        groups.entry(helper(map, &one.first)).or_default().push(one);
    }
    let groups = by_function(map, groups.into_values().collect());
    let leverage = |one: &PerItemLoop<'_>| {
        let Worth { impact, effort, confidence } = one.worth;
        Finding::leverage_of(impact, effort, confidence)
    };
    groups
        .into_iter()
        .map(|mut group| {
            // Stable: of equal ones the first in the repository leads.
            group.sort_by(|a, b| leverage(b).total_cmp(&leverage(a)));
            let (first, rest) = group.split_first().expect("a group starts with one loop");
            // A loop that ends with the first hit is no further reason to change anything.
            let rest = rest.iter().filter(|one| !stops_at_first(map, &one.first)).collect::<Vec<_>>();
            finding(first, &rest)
        })
        .collect()
}
