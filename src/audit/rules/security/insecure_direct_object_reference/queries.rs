//! Queries of handlers: what records they are about, and whether their condition says whose.

use std::collections::BTreeSet;

use super::clauses::clause;
use crate::audit::place::{self, words};
use crate::audit::rules::security::code::model;
use crate::effects::entry::{Entry, Reach};
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, SymbolIndex};
use crate::repo_map::{CallId, FileRole, RepoMap};

/// Words of keys that say whose a record is.
const OWNERS: &[&str] = &[
    "user",
    "owner",
    "author",
    "team",
    "org",
    "organization",
    "organisation",
    "workspace",
    "tenant",
    "account",
    "member",
    "members",
    "company",
    "customer",
    "creator",
    "users",
    "store",
    "shop",
    "space",
    "environment",
    "project",
    "profile",
    "created",
];

/// A query with a condition, in the way of a request.
pub struct Query<'a> {
    /// The call.
    pub call: CallId,
    /// What reaches it.
    pub entry: &'a Entry,
    /// Calls between the handler and it.
    pub distance: u32,
    /// What records it is about.
    pub model: String,
    /// Keys of the condition that say whose the record is.
    pub owners: BTreeSet<String>,
    /// The value of the only key, where that is the record's id.
    pub only_id: Option<&'a Expr>,
    /// It changes the record.
    pub writes: bool,
}

/// Every query in the way of a request.
pub fn queries<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<Query<'a>> {
    let mut found: Vec<Query<'a>> = Vec::new();
    for (&call, direct) in &effects.direct {
        let source = map.file(call.file);
        if source.role != FileRole::Production || place::in_test(map, call) {
            continue;
        }
        let writes = direct.iter().any(|one| one.effect == Effect::DbWrite);
        if !writes && !direct.iter().any(|one| one.effect == Effect::DbRead) {
            continue;
        }
        let Some(reach) = effects.entries.of_call(map, call).filter(|reach| reach.entry.kind.is_request()) else {
            continue;
        };
        let library = direct.first().map_or("", |one| one.library);
        if let Some(clause) = clause(map, call, library) {
            let owners: BTreeSet<String> =
                clause.keys.iter().map(|(key, _)| key.clone()).filter(|key| says_whose(key)).collect();
            let only_id = match clause.keys.as_slice() {
                [(key, Some(value))] if !clause.is_open && is_id(key) => Some(*value),
                _ => None,
            };
            // What may say anything is neither an example nor an exception.
            if !owners.is_empty() || only_id.is_some() {
                let Reach { entry, distance } = reach;
                found.push(Query { call, entry, distance, model: clause.table, owners, only_id, writes });
            }
            continue;
        }
        if !source.language.is_ecmascript() {
            continue;
        }
        let Some(model) = model(map, call) else { continue };
        let facts = &source.facts;
        let Some(condition) = condition(facts, call) else { continue };
        let owner = map.call(call).caller;
        let mut owners = BTreeSet::new();
        let only_id = match condition {
            Condition::Id(value) => Some(value),
            Condition::Keys(entries) => {
                keys(facts, owner, entries, 4, &mut owners);
                let known: Vec<_> =
                    entries.iter().filter(|(key, _)| !matches!(key.as_str(), "deletedAt" | "isDeleted")).collect();
                match known.as_slice() {
                    [(key, value)] if is_id(key) => Some(value),
                    _ => None,
                }
            }
        };
        found.push(Query { call, entry: reach.entry, distance: reach.distance, model, owners, only_id, writes });
    }
    found
}

fn is_id(key: &str) -> bool {
    matches!(key, "id" | "_id" | "uuid" | "publicId" | "public_id")
}

enum Condition<'a> {
    /// `findById(id)`.
    Id(&'a Expr),
    /// `{ where: { … } }`.
    Keys(&'a [(crate::repo_map::name::Name, Expr)]),
}

fn condition(facts: &FileFacts, call: CallId) -> Option<Condition<'_>> {
    let site = facts.call(call.index);
    if matches!(
        site.name.as_str(),
        "findById" | "findByPk" | "findByIdAndUpdate" | "findByIdAndDelete" | "findByIdAndRemove"
    ) {
        return Some(Condition::Id(site.arguments.first()?));
    }
    for argument in &site.arguments {
        if let Expr::Object(entries) = place::resolve(facts, site.caller, argument)
            && let Some((_, value)) = entries.iter().find(|(key, _)| key == "where")
        {
            return match place::resolve(facts, site.caller, value) {
                Expr::Object(entries) => Some(Condition::Keys(entries)),
                _ => None,
            };
        }
    }
    let by_first = matches!(
        site.name.as_str(),
        "findOne"
            | "findOneBy"
            | "findOneByOrFail"
            | "findBy"
            | "updateOne"
            | "deleteOne"
            | "findOneAndUpdate"
            | "findOneAndDelete"
            | "countBy"
            | "delete"
            | "update"
            | "find"
            | "findOneAsync"
            | "updateAsync"
    );
    // `manager.findOneBy(User, { … })`.
    let first = site
        .arguments
        .iter()
        .find(|argument| !matches!(argument.peeled(), Expr::Name(name) if name.starts_with(char::is_uppercase)))?;
    match place::resolve(facts, site.caller, first) {
        Expr::Object(entries) if by_first && !entries.iter().any(|(key, _)| key == "data") => {
            Some(Condition::Keys(entries))
        }
        _ => None,
    }
}

/// Keys at any depth that say whose a record is.
fn keys(
    facts: &FileFacts,
    owner: Option<SymbolIndex>,
    entries: &[(crate::repo_map::name::Name, Expr)],
    depth: u32,
    found: &mut BTreeSet<String>,
) {
    for (key, value) in entries {
        if says_whose(key) {
            found.insert(key.to_string());
        }
        if depth > 0 {
            match place::resolve(facts, owner, value) {
                Expr::Object(inner) => keys(facts, owner, inner, depth - 1, found),
                Expr::Array(items) => {
                    for item in items {
                        if let Expr::Object(inner) = item.peeled() {
                            keys(facts, owner, inner, depth - 1, found);
                        }
                    }
                }
                // What is spread in by name may say anything.
                _ if key == "..." => {
                    found.insert("...".to_owned());
                }
                _ => {}
            }
        }
    }
}

/// Whether a name speaks of an owner.
pub fn says_whose(name: &str) -> bool {
    words(name).iter().any(|word| OWNERS.contains(&word.as_str()))
}
