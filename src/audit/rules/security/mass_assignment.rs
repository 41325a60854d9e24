//! `mass-assignment`: the whole body of a request written into a record.

use std::collections::BTreeMap;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place::{self, words};
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::code::model;
use crate::audit::text::count_of;
use crate::effects::entry::{Entry, EntryKind, Handler};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

mod body;

use body::{Scope, Write};

/// The client chooses which fields of a record it sets.
pub struct MassAssignment;

static DOC: RuleDoc = RuleDoc {
    id: "mass-assignment",
    category: Category::Security,
    what: "a whole request body written into a record",
    why: "who sends a field the form does not have (`role`, `ownerId`, `verified`) sets it: whatever column the model has is the client's",
    quiet_when: "fields are picked, a schema or a check gets the body first, the route has middleware that validates, or the framework's \
                 types pick the fields (NestJS, tRPC, Rust's serde)",
    example: "app.put('/me', async (req, res) => {\n  res.json(await prisma.user.update({ where: { id: req.user.id }, data: req.body }));\n});",
};

impl Rule for MassAssignment {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        groups(map, effects).iter().filter_map(|group| finding(map, effects, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let calls: Vec<CallId> = place::calls_at(map, finding.location()).collect();
        let group = groups(map, context.effects)
            .into_iter()
            .find(|group| group.first().is_some_and(|one| calls.contains(&one.write.given)))?;
        let one = group.first()?;
        let at = finding.location();
        let (path, line) = (at.file.clone(), at.start_line);
        let goal = place::unique_line(context.tree, &path, line, map.call(one.write.given).end_line, &|text| {
            text.contains("body") || text.contains("...") || text.contains("json()")
        })
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        let sink = map.call(one.write.sink);
        let others: Vec<String> = group[1..]
            .iter()
            .map(|other| format!("`{}` (line {})", other.entry.label, map.call(other.write.given).line))
            .collect();
        let also = match others.as_slice() {
            [] => String::new(),
            others => format!(" Do the same for {}, each with the fields of its own request.", others.join(", ")),
        };
        Some(PlanDraft {
            title: match group.len() {
                1 => format!("Name the fields that `{}` may set", one.entry.label),
                more => format!("Name the fields that {} in `{path}` may set", count_of(more, "request")),
            },
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: "Pick the fields".to_owned(),
                instruction: format!(
                    "In `{path}`, line {line}: replace the whole body by the fields that this request may set \
                     (`const {{ name, email }} = req.body`), or by what a schema with exactly these fields returns where the project has \
                     schemas. Look up who calls this address for the fields that are sent. Columns that say who owns a record, what \
                     somebody may do, or what was checked, are set by the server. The write is in `{}`, line {}.{also}",
                    map.file(one.write.sink.file).path,
                    sink.line
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path, remark: "what is handed on".to_owned() }],
            out_of_scope: vec![(
                "the write itself, and its other callers".to_owned(),
                "they may write every column".to_owned(),
            )],
            tests: vec![
                "a body with a column that is not meant (`id`, `role`, an owner) leaves that column as it was"
                    .to_owned(),
                "a body with the fields of the form is written as before".to_owned(),
            ],
            edge_cases: vec!["a field that is left out must not become `null`".to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "every column may be set by whoever calls this, and it is written down that it is so".to_owned(),
                "the body is checked before it gets here, by something in front of the route".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// One handler that writes the whole body.
struct Found<'a> {
    entry: &'a Entry,
    write: Write,
}

fn found<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<Found<'a>> {
    let mut found: BTreeMap<CallId, Found<'a>> = BTreeMap::new();
    for entry in &effects.entries.list {
        let file = entry.handler.file();
        let source = map.file(file);
        let fits =
            entry.kind == EntryKind::Route && source.language.is_ecmascript() && source.role == FileRole::Production;
        if !fits || entry.framework == "NestJS" || entry.method.as_deref() == Some("GET") || is_validated(map, entry) {
            continue;
        }
        let span = match entry.handler {
            Handler::Function(symbol) => map.symbol(symbol).span,
            Handler::Callback(_, region) => source.facts.regions[region as usize].span,
        };
        for write in Scope::handler(map, effects, file, span).writes() {
            found.entry(write.given).or_insert(Found { entry, write });
        }
    }
    found.into_values().collect()
}

/// Writes of the same records from one file of handlers: one plan names their fields.
fn groups<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<Vec<Found<'a>>> {
    let mut groups: Vec<Vec<Found<'a>>> = Vec::new();
    for one in found(map, effects) {
        let records = model(map, one.write.sink);
        let same = |other: &Found<'_>| {
            other.write.given.file == one.write.given.file
                && match &records {
                    Some(records) => model(map, other.write.sink).as_ref() == Some(records),
                    None => other.write.sink == one.write.sink,
                }
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(same)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    // What somebody may change of what is there weighs more than what is new.
    for group in &mut groups {
        group.sort_by_key(|one| (is_admin(map, one), one.entry.method.as_deref() == Some("POST"), one.write.given));
    }
    groups
}

/// Whether only those come in who may change everything.
fn is_admin(map: &RepoMap, one: &Found<'_>) -> bool {
    words(&one.entry.label).iter().any(|word| matches!(word.as_str(), "admin" | "internal" | "settings"))
        || one.entry.registration.is_some_and(|call| {
            map.call(call)
                .arguments
                .iter()
                .any(|argument| argument.last_name().is_some_and(|name| words(name).iter().any(|word| word == "admin")))
        })
}

/// Whether the route has something before its handler that looks at what was sent.
fn is_validated(map: &RepoMap, entry: &Entry) -> bool {
    let speaks = |name: &str| {
        words(name).iter().any(|word| {
            word.starts_with("valid")
                || word.starts_with("sanitiz")
                || matches!(
                    word.as_str(),
                    "schema" | "celebrate" | "joi" | "zod" | "dto" | "openapi" | "typebox" | "openapi3"
                )
        })
    };
    let source = map.file(entry.handler.file());
    let facts = &source.facts;
    let in_expr = |facts: &crate::repo_map::facts::FileFacts, expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                Expr::Name(name) | Expr::Member(_, name) => speaks(name),
                Expr::Object(entries) => entries.iter().any(|(key, _)| speaks(key)),
                Expr::Call(index) => facts.call(*index).name == "body",
                _ => false,
            };
        });
        found
    };
    let registered = entry.registration.is_some_and(|call| {
        let site = map.call(call);
        let facts = &map.file(call.file).facts;
        let given = site.arguments.iter().filter(|argument| !matches!(argument.peeled(), Expr::Function { .. }));
        let last = site.arguments.len().saturating_sub(1);
        given.enumerate().any(|(place, argument)| {
            // The handler's own name (`validateCoupon`) says nothing.
            (place < last || matches!(argument.peeled(), Expr::Call(_) | Expr::Object(_))) && in_expr(facts, argument)
        }) || facts.calls.iter().any(|other| {
            matches!(other.name.as_str(), "use" | "addHook")
                && other.arguments.iter().any(|argument| in_expr(facts, argument))
        })
    });
    // `export default withValidation(handler)`.
    let wrapped = matches!(entry.handler, Handler::Callback(_, region) if facts
        .enclosing_regions(Some(region))
        .any(|(_, region)| matches!(region.kind, crate::repo_map::facts::RegionKind::Callback { call: Some(host), .. }
            if speaks(&facts.call(host).name))));
    registered || wrapped || place::depends_on(map, entry.handler.file(), "express-openapi-validator")
}

/// A write of the same records that names its fields.
fn sibling(map: &RepoMap, effects: &Effects, write: &Write) -> Option<CallId> {
    let written = model(map, write.sink)?;
    let names_fields = |call: CallId| {
        let data = |expr: &Expr| matches!(expr.peeled(), Expr::Object(entries) if entries.len() > 1 && entries.iter().all(|(key, _)| key != "..."));
        map.call(call).arguments.iter().any(|argument| match argument.peeled() {
            Expr::Object(entries) => match entries.iter().find(|(key, _)| key == "data") {
                Some((_, value)) => data(value),
                None => data(argument) && !entries.iter().any(|(key, _)| key == "where"),
            },
            _ => false,
        })
    };
    effects
        .direct
        .iter()
        .filter(|(call, direct)| **call != write.sink && direct.iter().any(|one| one.effect == Effect::DbWrite))
        .map(|(call, _)| *call)
        .filter(|call| map.file(call.file).role == FileRole::Production)
        // A condition of a deletion is an object, too.
        .filter(|call| {
            !words(&map.call(*call).name).iter().any(|word| matches!(word.as_str(), "delete" | "remove" | "destroy"))
        })
        .filter(|call| model(map, *call).as_ref() == Some(&written))
        .filter(|call| names_fields(*call))
        .find(|call| effects.entries.of_call(map, *call).is_some_and(|reach| reach.entry.kind.is_request()))
}

fn finding(map: &RepoMap, effects: &Effects, group: &[Found<'_>]) -> Option<Finding> {
    let one = group.first()?;
    let sibling = sibling(map, effects, &one.write);
    let confidence = match (&sibling, is_admin(map, one)) {
        (_, true) => Confidence::Low,
        (Some(_), false) => Confidence::High,
        (None, false) => Confidence::Med,
    };
    let callee = place::callee_text(map, one.write.sink);
    let more = match group.len() {
        1 => String::new(),
        2 => ", and 1 more request does".to_owned(),
        count => format!(", and {} more requests do", count - 1),
    };
    let mut draft = FindingDraft::at_call(&DOC, map, one.write.given, "the whole body")
        .title(format!("`{}` writes the whole request body{more}", one.entry.label))
        .message(format!(
            "Whatever `{}` gets is written by `{callee}`: a client that sends a field the form does not have sets that column.{}",
            one.entry.label,
            if sibling.is_some() { " Another write of the same records names its fields." } else { "" }
        ))
        .impact(if one.entry.method.as_deref() == Some("POST") && sibling.is_none() { 3 } else { 4 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(confidence);
    if one.write.sink != one.write.given {
        draft = draft.and_call(map, one.write.sink, "write").path(one.write.hops.clone());
    }
    if let Some(sibling) = sibling {
        draft = draft.and_call(map, sibling, "sibling");
    }
    for other in &group[1..] {
        draft = draft.and_call(map, other.write.given, "the whole body");
    }
    Some(draft.build())
}
