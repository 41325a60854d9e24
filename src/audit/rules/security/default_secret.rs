//! `default-secret`: a key that signs or encrypts and that everybody knows where nobody sets it.

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
use crate::repo_map::facts::{CallIndex, FileFacts, LanguageName, Lines, SymbolIndex};
use crate::repo_map::name::{Name, words};
use crate::repo_map::{CallId, CallTarget, FileId, FileRole, RepoMap};

/// A secret with a value to fall back on in the source.
pub struct DefaultSecret;

static DOC: RuleDoc = RuleDoc {
    id: "default-secret",
    category: Category::Security,
    what: "a secret that signs or encrypts and that becomes a string of the source where its environment variable is not set",
    why: "where the variable is forgotten everything works, and anybody who has read the source signs tokens and sessions of any user",
    quiet_when: "the program refuses to start without the variable, a question about the environment (`NODE_ENV`, \
                 `debug_assertions`) stands beside it, it is the secret of an account with somebody else (`CLIENT_SECRET`, \
                 `AWS_SECRET_ACCESS_KEY`), or the code does not ship",
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
            .flat_map(|place| defaulted(facts, place.value).into_iter().map(move |variable| (place, variable)));
        for (place, variable) in defaults {
            let Some(text) = ground.tree.text(&source.path) else { continue };
            let lines: Vec<&str> = text.lines().collect();
            let Some(line) = line_of(&lines, place.lines, &variable) else { continue };
            if asks_for_the_environment(&lines, line) {
                continue;
            }
            let signs = place.given_to.is_some_and(|call| is_signer(map, CallId { file, index: call }))
                || place.name.is_some_and(|name| is_given_to_a_signer(map, name));
            found.push(Site { file, symbol: place.symbol, line, variable, signs });
        }
    }
    found.sort_by_key(|site| (site.file, site.line));
    found.dedup_by_key(|site| (site.file, site.line));
    found
}

/// A value that may be one.
#[derive(Clone, Copy)]
struct Place<'a> {
    value: &'a Expr,
    symbol: Option<SymbolIndex>,
    lines: Lines,
    /// The name it is bound to.
    name: Option<&'a str>,
    /// The call it is handed to.
    given_to: Option<CallIndex>,
}

/// A statement is hardly longer, a configuration written as one object included: where it ends is not known of a binding.
const STATEMENT_LINES: u32 = 1000;

fn places(facts: &FileFacts) -> impl Iterator<Item = Place<'_>> {
    let from = |line: u32| Lines { start: line, end: line + STATEMENT_LINES };
    let bound = facts.bindings.iter().filter_map(move |one| {
        let value = one.value.as_ref()?;
        Some(Place { value, symbol: one.owner, lines: from(one.line), name: Some(&one.name), given_to: None })
    });
    let given = (0..).zip(&facts.calls).flat_map(|(index, site)| {
        let lines = Lines { start: site.line, end: site.end_line };
        site.arguments.iter().map(move |value| Place {
            value,
            symbol: site.caller,
            lines,
            name: None,
            given_to: Some(index),
        })
    });
    let assigned = facts.assignments.iter().map(move |one| Place {
        value: &one.value,
        symbol: one.symbol,
        lines: from(one.line),
        name: one.target.last_name(),
        given_to: None,
    });
    let returned = facts.returns.iter().map(move |one| Place {
        value: &one.value,
        symbol: one.symbol,
        lines: from(one.line),
        name: None,
        given_to: None,
    });
    bound.chain(given).chain(assigned).chain(returned)
}

/// The variables of `process.env.JWT_SECRET || "…"` or `env::var("JWT_SECRET").unwrap_or("…".into())`, wherever they stand in a value.
fn defaulted(facts: &FileFacts, value: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    value.walk(&mut |inner| {
        if let Expr::Object(entries) = inner {
            let declared =
                |(name, value): &&(Name, Expr)| protects(name) && is_in_capitals(name) && has_default(facts, value);
            found.extend(entries.iter().filter(declared).map(|(name, _)| name.to_string()));
        }
        let pair = match inner {
            Expr::Binary(operator, read, default) if matches!(operator.as_str(), "||" | "??") => {
                Some((read.as_ref(), is_string(facts, default)))
            }
            Expr::Call(index) => unwrapped(facts, *index),
            _ => None,
        };
        if let Some((read, true)) = pair {
            found.extend(variable(facts, read).filter(|name| protects(name)));
        }
    });
    found
}

/// `z.string().default("…")`, `str({ default: "…" })`: what a schema of the environment says of one variable.
fn has_default(facts: &FileFacts, declared: &Expr) -> bool {
    let Expr::Call(index) = declared.peeled() else { return false };
    let site = facts.call(*index);
    let Some(argument) = site.arguments.first() else { return false };
    match argument.peeled() {
        Expr::Object(entries) => entries.iter().any(|(key, value)| key == "default" && is_string(facts, value)),
        _ => site.name == "default" && is_string(facts, argument),
    }
}

fn is_in_capitals(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
}

/// `env::var(…)` and whether a string takes its place, of `env::var(…).unwrap_or_else(|_| "…".to_owned())`.
fn unwrapped(facts: &FileFacts, call: CallIndex) -> Option<(&Expr, bool)> {
    let site = facts.call(call);
    let Expr::Member(read, method) = site.callee.peeled() else { return None };
    let default = site.arguments.first()?;
    let is_known = match method.as_str() {
        "unwrap_or" => is_string(facts, default),
        "unwrap_or_else" => matches!(default, Expr::Function { region: Some(region), .. }
            if facts.returns.iter().any(|one| one.region == Some(*region) && is_string(facts, &one.value))),
        _ => return None,
    };
    Some((read, is_known))
}

/// `"…"`, `"…".to_owned()`, `String::from("…")`, with something in it.
fn is_string(facts: &FileFacts, expr: &Expr) -> bool {
    match expr.peeled() {
        Expr::Text(text) => !text.trim().is_empty(),
        Expr::Call(index) => {
            let site = facts.call(*index);
            let made_of = match site.callee.peeled() {
                Expr::Member(text, method) => {
                    matches!(method.as_str(), "to_owned" | "to_string" | "into").then_some(text.as_ref())
                }
                Expr::Path(segments) => {
                    segments.ends_with(&["String".into(), "from".into()]).then(|| site.arguments.first()).flatten()
                }
                _ => None,
            };
            made_of.is_some_and(|made_of| is_string(facts, made_of))
        }
        _ => false,
    }
}

/// The environment variable a value is read from.
fn variable(facts: &FileFacts, read: &Expr) -> Option<String> {
    let is_environment = |expr: &Expr| matches!(expr.last_name(), Some("env" | "environment"));
    match read.peeled() {
        Expr::Member(object, name) if is_environment(object) => Some(name.to_string()),
        Expr::Index(object, key) if is_environment(object) => match key.peeled() {
            Expr::Text(name) => Some(name.to_string()),
            _ => None,
        },
        // `process.env.SUDO_SECRET ?? process.env.JWT_SECRET ?? "…"`
        Expr::Binary(operator, first, second) if matches!(operator.as_str(), "||" | "??") => {
            variable(facts, first).or_else(|| variable(facts, second))
        }
        // `env::var("JWT_SECRET")`, `configService.get("JWT_SECRET")`, and what is made of them.
        Expr::Call(index) => {
            let site = facts.call(*index);
            let names = chain::names(facts, &site.callee).unwrap_or_default();
            let reads = matches!(names.as_slice(), [.., holder, "var" | "get" | "getOrThrow"]
                if words(holder).iter().any(|word| matches!(word.as_str(), "env" | "config" | "dotenvy" | "dotenv")));
            match (site.arguments.first().map(Expr::peeled), site.callee.peeled()) {
                (Some(Expr::Text(name)), _) if reads => Some(name.to_string()),
                (_, Expr::Member(made_of, _)) => variable(facts, made_of),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a variable holds what tokens, sessions or stored data are safe by. What somebody else gave out is useless when wrong.
fn protects(variable: &str) -> bool {
    const USES: &[&str] = &[
        "jwt",
        "jwe",
        "jws",
        "session",
        "sessions",
        "cookie",
        "cookies",
        "auth",
        "nextauth",
        "token",
        "tokens",
        "encryption",
        "encrypt",
        "signing",
        "sign",
        "signature",
        "hmac",
        "csrf",
        "app",
        "access",
        "refresh",
        "master",
        "magic",
        "secret",
    ];
    const OTHERS: &[&str] = &[
        "client",
        "aws",
        "s3",
        "minio",
        "r2",
        "gcp",
        "azure",
        "stripe",
        "github",
        "gitlab",
        "google",
        "slack",
        "discord",
        "twilio",
        "oauth",
        "oauth2",
        "oidc",
        "webhook",
        "captcha",
        "recaptcha",
        "turnstile",
        "hcaptcha",
        "api",
        "public",
        "name",
        "id",
        "file",
        "path",
        "arn",
        "length",
        "bot",
        "vapid",
        "seed",
        "test",
        "dev",
        "demo",
        "algorithm",
        "header",
        "url",
        "ttl",
        "expiry",
    ];
    let words = words(variable);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&["secret", "key", "keys", "secrets"]) && has(USES) && !has(OTHERS)
}

/// The line of the variable among those of its statement.
fn line_of(lines: &[&str], within: Lines, variable: &str) -> Option<u32> {
    (within.start..=within.end)
        .find(|line| lines.get(*line as usize - 1).is_some_and(|text| place::has_word(text, variable)))
}

/// Lines around a default in which a question about the environment belongs to it.
const AROUND: u32 = 8;

/// `if (production) throw …` beside it: somebody thought of where the default may be used.
fn asks_for_the_environment(lines: &[&str], line: u32) -> bool {
    const QUESTIONS: &[&str] =
        &["node_env", "production", "isprod", "is_prod", "isdev", "is_dev", "development", "debug_assertions"];
    let from = line.saturating_sub(AROUND + 1) as usize;
    let to = ((line + AROUND) as usize).min(lines.len());
    lines[from..to].iter().any(|text| {
        let text = text.to_ascii_lowercase();
        // `env: process.env.NODE_ENV || 'development'` asks nothing.
        let asks = ["==", "if ", "if(", "? ", "cfg", "&&"].iter().any(|sign| text.contains(sign))
            || text.trim_end().ends_with('?');
        asks && QUESTIONS.iter().any(|question| text.contains(question))
    })
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

/// Whether anything refuses to go on without the variable, or asks whether it holds the default: `if (!process.env.JWT_SECRET) throw …`,
/// `requireEnv("JWT_SECRET")`, a list of variables that must be there.
fn is_demanded(ground: &Ground<'_>, variable: &str) -> bool {
    const DEMANDS: &[&str] =
        &["require", "must", "missing", "not set", "mandatory", "expect(", "getorthrow", "throw", "fatal", "ensure"];
    let production = ground.map.files.iter().filter(|source| source.role == FileRole::Production);
    production
        .filter(|source| {
            source.facts.references.iter().any(|name| name == variable) || mentions(&source.facts, variable)
        })
        .any(|source| {
            let text = ground.tree.text(&source.path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let mut named = (0..lines.len()).filter(|at| place::has_word(lines[*at], variable));
            named.any(|at| {
                let line = lines[at].to_ascii_lowercase();
                DEMANDS.iter().any(|word| line.contains(word)) || is_denied(lines[at], variable)
            })
        })
}

/// `!process.env.JWT_SECRET`, `!env.JWT_SECRET`.
fn is_denied(line: &str, variable: &str) -> bool {
    line.match_indices(variable).any(|(at, _)| {
        let before = line[..at]
            .trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '[' | '"' | '\'' | '('));
        before.ends_with('!')
    })
}

/// Whether a string of the file names the variable.
fn mentions(facts: &FileFacts, variable: &str) -> bool {
    let is_name = |value: &Expr| {
        let mut found = false;
        value.walk(&mut |inner| found |= matches!(inner, Expr::Text(text) if text.contains(variable)));
        found
    };
    places(facts).any(|place| is_name(place.value))
}
