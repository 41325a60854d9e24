//! `insecure-direct-object-reference`: a record found by an id from the request alone, where others ask whose it is.

use std::collections::BTreeMap;

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place::{self, words};
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::entry::{Entry, EntryKind};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap};

mod clauses;
mod handler;
mod queries;

use handler::{Code, is_only_authenticated};
use queries::Query;

/// Whoever is known may have anybody's records.
pub struct InsecureDirectObjectReference;

static DOC: RuleDoc = RuleDoc {
    id: "insecure-direct-object-reference",
    category: Category::Security,
    what: "a handler that finds, changes or deletes a record by an id from the request without asking whose it is",
    why: "any user who knows or guesses an id reads or changes what belongs to others",
    quiet_when: "the condition names an owner, the handler compares owners or calls a check with the id or the record, a guard before it may \
                 ask, the entry point is public or for administrators, or other queries of the same records do not name an owner either",
    example: "await prisma.order.findFirst({ where: { id, userId } });\nawait prisma.order.update({ where: { id, userId }, data });\n\
              await prisma.order.deleteMany({ where: { id, userId } });\nawait prisma.order.delete({ where: { id: req.params.id } });",
};

/// Queries of the same records that name an owner before one without counts as forgotten. Our choice.
const LEAST_OWNED: usize = 3;
const SIBLING: &str = "asks whose it is";

impl Rule for InsecureDirectObjectReference {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbRead), Table::Effect(Effect::DbWrite), Table::Effect(Effect::AuthCheck)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let queries = queries::queries(map, effects);
        let mut found: Vec<Odd<'_>> = odd_ones(map, effects, &queries);
        found.extend(unused_identities(map, effects));
        found.sort_by_key(|odd| odd.call);
        found.dedup_by_key(|odd| odd.call);
        found.iter().map(|odd| finding(map, odd)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let path = place.file.clone();
        let goal =
            place::unique_line(context.tree, &path, place.start_line, place.start_line + 3, &|text| text.len() > 8)
                .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let siblings: Vec<_> = finding.evidence.iter().filter(|evidence| evidence.role == SIBLING).collect();
        let how = if siblings.is_empty() {
            "find out which of the project's records says whose this is, and refuse with 404 when it is not the caller's".to_owned()
        } else {
            let listed: Vec<String> =
                siblings.iter().map(|one| format!("`{}`, line {}", one.file, one.start_line)).collect();
            format!("add the owner to the condition as the other queries of these records do ({})", listed.join("; "))
        };
        Some(PlanDraft {
            title: format!("Ask whose the record is in `{path}`, line {}", place.start_line),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: siblings
                .iter()
                .take(2)
                .map(|one| ExcerptDraft {
                    file: one.file.clone(),
                    start_line: one.start_line,
                    end_line: one.end_line,
                    role: "a query that asks".to_owned(),
                })
                .collect(),
            steps: vec![StepDraft {
                title: "Tie the record to the caller".to_owned(),
                instruction: format!(
                    "In `{path}`, line {}: {how}. Take the owner from the session or from a parent that was checked before, never from \
                     the request. Where the database client wants a unique key alone, look the record up with the owner first and answer \
                     404 when there is none.",
                    place.start_line
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
            }],
            in_scope: vec![ScopeDraft { path, remark: "the handler".to_owned() }],
            out_of_scope: vec![("the other queries".to_owned(), "they ask already".to_owned())],
            tests: vec![
                "a user who asks for somebody else's id gets 404, and nothing is changed".to_owned(),
                "the owner gets the same answer as before".to_owned(),
            ],
            edge_cases: vec!["404 rather than 403: that an id exists is nobody's business".to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "these records are shared by all users: say where that is written down".to_owned(),
                "something before the handler asks whose the id is".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// A lookup that nobody's ownership limits.
struct Odd<'a> {
    call: CallId,
    entry: &'a Entry,
    /// Queries of the same records that ask.
    siblings: Vec<CallId>,
    of: usize,
    owner: String,
    writes: bool,
    confidence: Confidence,
}

/// Queries by id alone, among others of the same records that name an owner.
fn odd_ones<'a>(map: &RepoMap, effects: &Effects, queries: &[Query<'a>]) -> Vec<Odd<'a>> {
    let mut models: BTreeMap<&str, Vec<&Query<'a>>> = BTreeMap::new();
    for query in queries {
        models.entry(&query.model).or_default().push(query);
    }
    let mut found = Vec::new();
    for queries in models.values() {
        let owned: Vec<&&Query<'_>> = queries.iter().filter(|query| !query.owners.is_empty()).collect();
        let odd: Vec<&&Query<'_>> =
            queries.iter().filter(|query| query.distance == 0 && is_odd(map, effects, query)).collect();
        if owned.len() < LEAST_OWNED || odd.len() * 3 > owned.len() {
            continue;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for key in owned.iter().flat_map(|query| &query.owners) {
            *counts.entry(key.as_str()).or_default() += 1;
        }
        let owner =
            counts.iter().max_by_key(|(key, count)| (**count, std::cmp::Reverse(**key))).map_or("", |(key, _)| key);
        let mut known = Vec::new();
        for query in &odd {
            // One check in the handler mends all of its queries by this id.
            let same = (query.entry.handler, query.only_id);
            if known.contains(&same) {
                continue;
            }
            known.push(same);
            let mut siblings: Vec<CallId> = owned.iter().map(|other| other.call).collect();
            siblings.sort_by_key(|call| (call.file != query.call.file, call.file.abs_diff(query.call.file), *call));
            found.push(Odd {
                call: query.call,
                entry: query.entry,
                siblings,
                of: queries.len(),
                owner: owner.to_owned(),
                writes: query.writes,
                confidence: if query.writes && owned.len() >= odd.len() * 6 {
                    Confidence::High
                } else {
                    Confidence::Med
                },
            });
        }
    }
    found
}

fn is_odd(map: &RepoMap, effects: &Effects, query: &Query<'_>) -> bool {
    let Some(id) = query.only_id else { return false };
    if !is_only_authenticated(map, query.entry) {
        return false;
    }
    let code = Code::of(map, query.entry);
    if code.file != query.call.file || !code.is_sent(id, 4) {
        return false;
    }
    !code.was_asked(effects, id) && !code.asks_whose(id, code.record(query.call))
}

/// Lookups by an id from the request in handlers that want to know who asks, and do nothing with the answer.
fn unused_identities<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<Odd<'a>> {
    let mut found = Vec::new();
    for entry in &effects.entries.list {
        let source = map.file(entry.handler.file());
        let fits =
            entry.kind == EntryKind::Route && source.language.is_ecmascript() && source.role == FileRole::Production;
        if !fits || !is_only_authenticated(map, entry) {
            continue;
        }
        let code = Code::of(map, entry);
        let identities = code.identities();
        if identities.is_empty() || code.uses_identity(&identities) {
            continue;
        }
        for call in entry.handler.calls(map) {
            let site = map.call(call);
            let looks_up = matches!(
                words(&site.name).first().map(String::as_str),
                Some("retrieve" | "cancel" | "delete" | "update" | "remove")
            );
            let outside = matches!(map.target(call), CallTarget::External(external) if external.package != "global");
            let [id, ..] = site.arguments.as_slice() else { continue };
            if looks_up
                && outside
                && site.awaited
                && effects.direct(call).iter().all(|one| one.library != "prisma")
                && code.is_sent(id, 4)
                && !code.asks_whose(id, None)
            {
                found.push(Odd {
                    call,
                    entry,
                    siblings: Vec::new(),
                    of: 0,
                    owner: String::new(),
                    writes: !site.name.starts_with("retrieve"),
                    confidence: Confidence::Med,
                });
            }
        }
    }
    found
}

fn finding(map: &RepoMap, odd: &Odd<'_>) -> Finding {
    let callee = place::callee_text(map, odd.call);
    let message = if odd.siblings.is_empty() {
        format!(
            "`{}` wants to know that somebody is signed in, but not who: `{callee}` gets an id from the request, so any user has anybody's.",
            odd.entry.label
        )
    } else {
        format!(
            "{} of {} queries of these records name an owner (`{}`); `{callee}` of `{}` takes the id from the request alone, and nothing \
             in the handler asks whose it is.",
            odd.siblings.len(),
            odd.of,
            odd.owner,
            odd.entry.label
        )
    };
    let mut draft = FindingDraft::at_call(&DOC, map, odd.call, "by id alone")
        .title(format!("`{}` takes any id", odd.entry.label))
        .message(message)
        .impact(if odd.writes { 5 } else { 4 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(odd.confidence);
    for sibling in odd.siblings.iter().take(3) {
        draft = draft.and_call(map, *sibling, SIBLING);
    }
    draft.build()
}
