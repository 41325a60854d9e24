//! `default-secret`: a key that signs or encrypts and that everybody knows where nobody sets it.
//!
//! [`reads`] finds the strings that secrets fall back on, [`refusals`] what speaks against a finding.

mod reads;
mod refusals;

use std::collections::BTreeMap;

use crate::audit::draft::{PlanDraft, ScopeDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::audit::text::count_of;
use crate::effects::chain;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{LanguageName, Lines, SymbolIndex};
use crate::repo_map::{CallId, CallTarget, FileId, FileRole, RepoMap};
use reads::{defaulted, is_shown_to_another_service, places, protects};
use refusals::{asks_for_the_environment, is_demanded};

/// A secret with a value to fall back on in the source.
pub struct DefaultSecret;

static DOC: RuleDoc = RuleDoc {
    id: "default-secret",
    category: Category::Security,
    what: "a secret that signs or encrypts and that becomes a string of the source where its environment variable is not set",
    why: "where the variable is forgotten everything works, and anybody who has read the source signs tokens and sessions of any user",
    quiet_when: "the program refuses to start without the variable, a question about the environment (`NODE_ENV`, \
                 `debug_assertions`) stands beside it, it is the secret of an account with somebody else (`CLIENT_SECRET`, \
                 `AWS_SECRET_ACCESS_KEY`) or the name of a cookie, or the code does not ship",
    example: "app.use(session({ secret: process.env.SESSION_SECRET || 'keyboard cat' }));",
};

/// Packages whose calls sign, encrypt or open with what they are given.
const SIGNERS: &[&str] = &[
    "jsonwebtoken",
    "jose",
    "express-session",
    "express-jwt",
    "cookie-session",
    "cookie-parser",
    "cookie-signature",
    "koa-session",
    "koa-jwt",
    "iron-session",
    "next-auth",
    "better-auth",
    "passport-jwt",
    "crypto",
    "node:crypto",
    "crypto-js",
    "hono",
    "@nestjs/jwt",
    "@elysiajs/jwt",
    "@fastify/jwt",
    "@fastify/session",
    "@fastify/secure-session",
    "@fastify/cookie",
    "hmac",
    "aes_gcm",
    "chacha20poly1305",
    "cookie",
    "tower_sessions",
    "actix_session",
    "actix_web",
];

/// One place where the secret falls back on a string.
struct Site {
    file: FileId,
    symbol: Option<SymbolIndex>,
    line: u32,
    variable: String,
    signs: bool,
}

impl Rule for DefaultSecret {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        groups(ground).iter().filter_map(|sites| finding(ground.map, sites)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let (_, source) = context.map.file_by_path(&finding.location().file)?;
        let stop = if source.language == LanguageName::Rust {
            "return an error from start-up that names the variable"
        } else {
            "throw an error at start-up that names the variable"
        };
        let remedy = Remedy {
            title: "Refuse to start without the secret",
            instruction: format!(
                "take the string away and {stop} where it is not set or empty. Where a default helps on a developer's machine, make a \
                 random one at each start (32 bytes) and only outside production, and add the variable, without a value, to the example \
                 environment file."
            ),
            edits: Vec::new(),
            test: "without the variable the program says which variable is missing; with it everything works as before",
            edge_case: "installations that run without the variable today stop working until somebody sets it, and setting it ends their sessions: say so in the release notes",
            stop: "what is signed or encrypted is worth nothing to anybody (say what it is), or stored data is encrypted with the string and would become unreadable",
        };
        let mut plan = remedy.plan(finding, context);
        for other in finding.evidence.iter().skip(1) {
            if let Some(step) = plan.steps.first_mut() {
                step.instruction.push_str(&format!(" The same in `{}`, line {}.", other.file, other.start_line));
            }
            if plan.in_scope.iter().all(|known| known.path != other.file) {
                plan.in_scope.push(ScopeDraft { path: other.file.clone(), remark: "the same default".to_owned() });
            }
        }
        Some(plan)
    }
}

/// Places in order; those of one file and those of one variable belong together, since one plan mends them all.
fn groups(ground: &Ground<'_>) -> Vec<Vec<Site>> {
    let mut demanded: BTreeMap<String, bool> = BTreeMap::new();
    let mut groups: Vec<Vec<Site>> = Vec::new();
    for site in sites(ground) {
        if *demanded.entry(site.variable.clone()).or_insert_with_key(|variable| is_demanded(ground, variable)) {
            continue;
        }
        let near = |group: &&mut Vec<Site>| {
            group.iter().any(|other| other.file == site.file || other.variable == site.variable)
        };
        match groups.iter_mut().find(near) {
            Some(group) => group.push(site),
            None => groups.push(vec![site]),
        }
    }
    groups
}

fn finding(map: &RepoMap, sites: &[Site]) -> Option<Finding> {
    let first = sites.iter().rev().max_by_key(|site| site.signs)?;
    let variable = &first.variable;
    let mut others: Vec<String> = Vec::new();
    for site in sites {
        let name = format!("`{}`", site.variable);
        if site.variable != *variable && !others.contains(&name) {
            others.push(name);
        }
    }
    let (title, also) = match others.as_slice() {
        [] => (format!("`{variable}` has a default in the source that everybody can read"), String::new()),
        others => (
            format!(
                "`{variable}` and {} have defaults in the source that everybody can read",
                count_of(others.len(), "more secret")
            ),
            format!(" The same holds for {}.", others.join(", ")),
        ),
    };
    let mut draft = FindingDraft::at_line(&DOC, map, first.file, first.line, first.symbol, "default")
        .expecting(variable)
        .title(title)
        .message(format!(
            "Where `{variable}` is not set, what it protects is protected by a string of the source: nothing fails, and whoever has read the \
             source can forge or read it.{also}"
        ))
        .impact(if first.signs { 5 } else { 4 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(if first.signs { Confidence::High } else { Confidence::Med });
    for other in sites.iter().filter(|site| (site.file, site.line) != (first.file, first.line)) {
        draft = draft.and_lines(&map.file(other.file).path, other.line, other.line, "default");
    }
    Some(draft.build())
}

fn sites(ground: &Ground<'_>) -> Vec<Site> {
    let map = ground.map;
    let mut found = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
        let facts = &source.facts;
        let defaults = places(facts)
            .filter(|place| !map.is_test(file, place.symbol))
            .flat_map(|place| defaulted(facts, place.value).into_iter().map(move |variable| (place, variable)))
            .filter(|(place, variable)| !is_shown_to_another_service(facts, place, variable))
            .filter(|(_, variable)| !names_a_cookie(map, variable));
        for (place, variable) in defaults {
            let Some(text) = ground.tree.text(&source.path) else { continue };
            let lines: Vec<&str> = text.lines().collect();
            let Some(line) = line_of(&lines, place.lines, &variable) else { continue };
            if asks_for_the_environment(&lines, line) {
                continue;
            }
            let signs = place.given_to.is_some_and(|call| is_signer(map, CallId { file, index: call }))
                // A whole configuration is handed to everybody.
                || place.name.is_some_and(|name| protects(name) && is_given_to_a_signer(map, name));
            found.push(Site { file, symbol: place.symbol, line, variable, signs });
        }
    }
    found.sort_by_key(|site| (site.file, site.line));
    found.dedup_by_key(|site| (site.file, site.line));
    found
}

/// `cookies.get(SESSION_COOKIE_KEY)`: a key to find the cookie by, not to sign it with.
fn names_a_cookie(map: &RepoMap, variable: &str) -> bool {
    let is_store = |receiver: &Expr| {
        receiver.last_name().is_some_and(|name| place::words(name).iter().any(|word| word.starts_with("cookie")))
    };
    // `ACME_SESSION_COOKIE_KEY` is kept as `config.SESSION_COOKIE_KEY`.
    let is_it = |name: &str| name.len() > 3 && variable.ends_with(name);
    place::words(variable).iter().any(|word| word == "cookie")
        && map.calls().any(|(_, site)| {
            matches!(site.name.as_str(), "get" | "set" | "has" | "delete")
                && matches!(site.callee.peeled(), Expr::Member(receiver, _) if is_store(receiver))
                && site.arguments.first().and_then(Expr::last_name).is_some_and(is_it)
        })
}

/// The line of the variable among those of its statement.
fn line_of(lines: &[&str], within: Lines, variable: &str) -> Option<u32> {
    (within.start..=within.end)
        .find(|line| lines.get(*line as usize - 1).is_some_and(|text| place::has_word(text, variable)))
}

/// Whether a call of a package that signs or encrypts is given what is bound to `name`.
fn is_given_to_a_signer(map: &RepoMap, name: &str) -> bool {
    map.calls().any(|(call, site)| {
        is_signer(map, call)
            && site.arguments.iter().any(|argument| {
                let mut uses = false;
                chain::walk_deep(&map.file(call.file).facts, argument, &mut |inner| {
                    uses |= inner.last_name() == Some(name)
                });
                uses
            })
    })
}

fn is_signer(map: &RepoMap, call: CallId) -> bool {
    matches!(map.target(call), CallTarget::External(external) if SIGNERS.contains(&external.package.as_str()))
}
