//! `timing-unsafe-compare`: a secret compared byte by byte until the first difference.

use std::collections::BTreeMap;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Assignment, Comparison, FileFacts, LanguageName, RegionKind, Span, SymbolKind};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileId, FileRole, ImportTarget, RepoMap, SymbolId};

/// A secret compared with `==`.
pub struct TimingUnsafeCompare;

static DOC: RuleDoc = RuleDoc {
    id: "timing-unsafe-compare",
    category: Category::Security,
    what: "a token, signature or key from outside compared with the right one by `==`",
    why: "the comparison stops at the first wrong byte, so response times tell how much of a guess is right",
    quiet_when: "one side is a literal, a constant that is one, a member of an enum or of a constant object, null or a length, both sides \
                 come from the same place, a cookie is compared with what the same request sends beside it, one becomes the other where \
                 they differ or one side is named as the old one, the names speak of lexing, or it is test code",
    example: "if (req.headers['x-signature'] !== expectedSignature) return res.status(401).end();",
};

/// Words of names that hold something an attacker must not guess.
const SECRETS: &[&str] =
    &["signature", "hmac", "digest", "secret", "apikey", "password", "passwd", "csrf", "mac", "sig"];

/// Words that, together with `token` or `key`, say the same.
const QUALIFIERS: &[&str] = &[
    "api",
    "auth",
    "access",
    "secret",
    "bearer",
    "webhook",
    "admin",
    "internal",
    "cron",
    "verification",
    "reset",
    "expected",
    "provided",
    "private",
    "service",
    "session",
    "refresh",
    "invite",
    "hub",
];

/// Words that say the name is about something else.
const HARMLESS: &[&str] = &[
    "type",
    "kind",
    "name",
    "id",
    "count",
    "length",
    "len",
    "index",
    "status",
    "state",
    "mode",
    "algorithm",
    "alg",
    "oid",
    "masked",
    "redacted",
    "placeholder",
    "field",
    "label",
    "level",
    "address",
    "mint",
    "symbol",
    "kinds",
    "types",
    "position",
    "error",
    "form",
    "confirm",
    "confirmation",
    "repeat",
    "visible",
    "image",
    "url",
    "path",
    "file",
    "size",
    "format",
    "version",
    "hash",
    "class",
    "method",
    // A signature of content, by which a change is noticed.
    "manifest",
    "schema",
    "layout",
    "config",
    "content",
    "function",
];

/// How one side of a comparison looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// Nothing secret about it.
    Plain,
    /// Its name says that it is a secret.
    Named,
    /// It comes from the environment, from configuration or from an HMAC: the right value.
    Known,
    /// It comes from a request: the guess.
    Guess,
}

impl Rule for TimingUnsafeCompare {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        groups(map).iter().filter_map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let place = finding.location();
        let (file, source) = map.file_by_path(&place.file)?;
        let group = groups(map)
            .into_iter()
            .find(|group| group.iter().any(|site| site.file == file && site.comparison.line == place.start_line))?;
        let comparison = group.first()?.comparison;
        let rust = source.language == LanguageName::Rust;
        // All places or none: a plan that mends half of them by hand is no exact plan.
        let edits: Option<Vec<Vec<EditDraft>>> =
            group.iter().map(|site| if rust { None } else { edits(context, site.file, site.comparison) }).collect();
        let mut edits: Vec<EditDraft> = edits.unwrap_or_default().concat();
        // Two places of one file need its import once.
        let mut seen = Vec::new();
        edits.retain(|edit| {
            let is_new = !seen.contains(edit);
            seen.push(edit.clone());
            is_new
        });
        let places: Vec<String> =
            group.iter().map(|site| format!("`{}` line {}", map.file(site.file).path, site.comparison.line)).collect();
        let shape = if rust {
            "`left.as_bytes().ct_eq(right.as_bytes()).into()` with `subtle::ConstantTimeEq` (or `constant_time_eq`), whichever the \
             workspace already has"
        } else {
            "`timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest())` from \
             `node:crypto`: hashing both sides makes their lengths equal, which `timingSafeEqual` requires. Refuse a side that may be absent first (`typeof left === 'string' && …`), so that two absent values are never \
             equal"
        };
        let goals: Vec<GateDraft> = group
            .iter()
            .filter_map(|site| {
                let (path, line) = (&map.file(site.file).path, site.comparison.line);
                let text = place::unique_line(context.tree, path, line, line, &|_| true)?;
                Some(GateDraft::TextGone { text, file: path.clone() })
            })
            .collect();
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goals.iter().cloned());
        Some(PlanDraft {
            title: format!("Compare the secret in `{}` in constant time", place.file),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Replace `{}` by a comparison in constant time", comparison.operator),
                instruction: format!(
                    "In {}: compare with {shape}. Keep the branch that the comparison takes: on the first of them the operator is `{}`. If one side \
                     may be absent, refuse before comparing.",
                    places.join(", "),
                    comparison.operator
                ),
                edits,
                gates,
            }],
            in_scope: Vec::new(),
            out_of_scope: vec![(
                "where the secret is stored and how it is sent".to_owned(),
                "only the comparison leaks".to_owned(),
            )],
            tests: vec![
                "the right value is accepted".to_owned(),
                "a wrong value of the same length, a shorter one and an absent one are refused".to_owned(),
            ],
            edge_cases: vec![
                "a header may be absent or, in Node.js, an array: refuse both before comparing".to_owned(),
                "values in different encodings (hex, base64) must be brought to one before comparing".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals,
            stop_conditions: vec![
                "the code runs where `node:crypto` does not exist (a browser, an edge runtime)".to_owned(),
                "neither side is a secret: say what the names stand for".to_owned(),
            ],
            maintenance: vec!["Put the comparison into a helper when a second place needs it.".to_owned()],
            risk: None,
        })
    }
}

/// A comparison that leaks.
struct Site<'a> {
    file: FileId,
    comparison: &'a Comparison,
    confidence: Confidence,
}

/// Leaking comparisons in order; those of one function and those with the same configured secret belong together, since one plan
/// mends them all.
fn groups(map: &RepoMap) -> Vec<Vec<Site<'_>>> {
    let mut by_secret: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Site<'_>>> = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
        for comparison in &source.facts.comparisons {
            let Some(confidence) = judge(map, file, comparison) else { continue };
            let site = Site { file, comparison, confidence };
            let secret = [&comparison.left, &comparison.right].into_iter().find_map(configured);
            let in_function = |site: &Site<'_>| site.file == file && site.comparison.symbol == comparison.symbol;
            let beside =
                || comparison.symbol.and_then(|_| groups.iter().position(|group| group.iter().any(in_function)));
            match secret.as_ref().and_then(|secret| by_secret.get(secret).copied()).or_else(beside) {
                Some(group) => groups[group].push(site),
                None => {
                    by_secret.extend(secret.map(|secret| (secret, groups.len())));
                    groups.push(vec![site]);
                }
            }
        }
    }
    groups
}

/// The name a secret has in the environment, wherever it stands in a value: `CRON_SECRET` of `` `Bearer ${env().CRON_SECRET}` ``.
fn configured(expr: &Expr) -> Option<String> {
    let mut found = None;
    expr.walk(&mut |inner| {
        if let Expr::Member(..) | Expr::Index(..) | Expr::Name(_) = inner
            && (is_env_name(inner) || inner.dotted().is_some_and(|dotted| dotted.starts_with("process.env.")))
            && found.is_none()
        {
            found = inner.last_name().map(str::to_owned);
        }
    });
    found
}

fn finding(map: &RepoMap, group: &[Site<'_>]) -> Option<Finding> {
    // Of equal ones the first leads.
    let Site { file, comparison, confidence } = group.iter().rev().max_by_key(|site| site.confidence)?;
    let names = side_names(&map.file(*file).facts, comparison);
    let elsewhere = match group.len() {
        1 => String::new(),
        count => format!(" ({count} places)"),
    };
    let mut draft = FindingDraft::at_line(&DOC, map, *file, comparison.line, comparison.symbol, "comparison")
        .expecting(&comparison.operator)
        .title(format!("{names} are compared with `{}`, whose time tells how much matches{elsewhere}", comparison.operator))
        .message(format!(
            "{names} are compared with `{}`, which stops at the first difference: the time it takes depends on how much of a guess is \
             right.",
            comparison.operator
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(*confidence);
    for other in group.iter().filter(|other| !std::ptr::eq(other.comparison, *comparison)) {
        let line = other.comparison.line;
        draft = draft.and_lines(&map.file(other.file).path, line, line, "comparison");
    }
    Some(draft.build())
}

fn judge(map: &RepoMap, file: FileId, comparison: &Comparison) -> Option<Confidence> {
    let source = map.file(file);
    if source.role != FileRole::Production || map.is_test(file, comparison.symbol) {
        return None;
    }
    // Components compare what the user typed with what the user typed.
    let is_component = source.path.ends_with(".tsx") || source.path.ends_with(".jsx");
    let facts = &source.facts;
    let (bare_left, bare_right) = (bare(facts, &comparison.left), bare(facts, &comparison.right));
    let is_computed = |expr: &Expr| is_computed_with_a_key(map, file, comparison, expr);
    let of = |expr: &Expr| if is_computed(expr) { Side::Known } else { side(facts, comparison, expr) };
    let (mut left, mut right) = (of(bare_left), of(bare_right));
    // Whatever is compared with a keyed hash made here is a guess at it, if it is named like one.
    if left == Side::Known && is_guess_at(bare_right) && is_computed(bare_left) {
        right = right.max(Side::Named);
    } else if right == Side::Known && is_guess_at(bare_left) && is_computed(bare_right) {
        left = left.max(Side::Named);
    }
    let named = [bare_left, bare_right].into_iter().any(|side| is_secret(side) || is_computed(side));
    if !named || is_component || is_followed(facts, comparison) || is_double_submit(facts, comparison) {
        return None;
    }
    let sides = [&comparison.left, &comparison.right];
    // `activeLock.token === headers.token`: who holds a lock, not who may come in.
    let is_of_a_lock = |side: &Expr| {
        let names = chain::names(facts, bare(facts, side).peeled()).unwrap_or_default();
        names
            .iter()
            .any(|name| place::words(name).iter().any(|word| matches!(word.as_str(), "lock" | "locks" | "lease")))
    };
    if sides.into_iter().any(is_of_a_lock) {
        return None;
    }
    if sides
        .into_iter()
        .any(|side| is_constant_member(map, file, side) || is_literal_constant(map, side) || is_old(facts, side))
    {
        return None;
    }
    match (left.min(right), left.max(right)) {
        (Side::Known, Side::Guess) => Some(Confidence::High),
        (Side::Named, Side::Guess | Side::Known) => Some(Confidence::Med),
        _ => None,
    }
}

/// What is compared, without what only changes its form: `Some(token)`, `token.as_bytes()`, `secret.lock().await.as_deref()`.
fn bare<'a>(facts: &'a FileFacts, expr: &'a Expr) -> &'a Expr {
    const FORMS: &[&str] = &[
        "as_bytes",
        "as_str",
        "as_deref",
        "as_ref",
        "as_slice",
        "to_string",
        "to_owned",
        "to_vec",
        "into_bytes",
        "clone",
        "cloned",
        "lock",
        "read",
        "borrow",
        "unwrap",
        "expose_secret",
        "toString",
        "trim",
    ];
    let Expr::Call(index) = expr.peeled() else { return expr };
    let site = facts.call(*index);
    match site.callee.peeled() {
        Expr::Member(inner, form) if FORMS.contains(&form.as_str()) && site.arguments.len() <= 1 => bare(facts, inner),
        Expr::Name(wrapper) if *wrapper == "Some" && site.arguments.len() == 1 => bare(facts, &site.arguments[0]),
        _ => expr,
    }
}

/// Calls that are followed to find the keyed hash. Our choice: a helper, and what it wraps.
const HELPERS: u32 = 2;

/// `generate_key(id, master_key)`, whose body makes an HMAC: the right value, made to be compared.
fn is_computed_with_a_key(map: &RepoMap, file: FileId, comparison: &Comparison, expr: &Expr) -> bool {
    let facts = &map.file(file).facts;
    let made = bare(facts, place::resolve(facts, comparison.symbol, expr));
    let Expr::Call(index) = made.peeled() else { return false };
    // `signJwt(user)`: a new one each time, which nobody guesses at.
    const ISSUED: &[&str] = &["jwt", "token", "session", "cookie", "otp", "nonce"];
    if place::words(&facts.call(*index).name).iter().any(|word| ISSUED.contains(&word.as_str())) {
        return false;
    }
    map.resolved(CallId { file, index: *index }).any(|resolved| makes_keyed_hash(map, resolved.symbol, HELPERS))
}

fn makes_keyed_hash(map: &RepoMap, function: SymbolId, depth: u32) -> bool {
    map.calls_in(function).any(|call| {
        let site = map.call(call);
        let is_it = site.name == "createHmac"
            || matches!(site.callee.peeled(), Expr::Path(segments) if segments.iter().any(|segment| *segment == "Hmac"));
        is_it || depth > 1 && map.resolved(call).any(|resolved| makes_keyed_hash(map, resolved.symbol, depth - 1))
    })
}

/// `hash`, `encoded_key`: what somebody handed in to be compared with a keyed hash. Of a stored one the guess is what was hashed, and
/// nobody can tell how much of a hash a guess gets right.
fn is_guess_at(expr: &Expr) -> bool {
    const STORED: &[&str] = &["stored", "saved", "existing", "cached", "db", "last", "previous", "old", "current"];
    const WORDS: &[&str] = &["key", "hash", "token", "signature", "sig", "digest", "mac", "hmac", "code"];
    let Expr::Name(name) = expr.peeled() else { return false };
    let words = place::words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(WORDS) && !has(STORED)
}

/// `API_KEY_NON_EXISTENT`, `prelude::MASKED_PASSWORD`: a name in capitals that stands for a literal wherever the repository has it.
fn is_literal_constant(map: &RepoMap, expr: &Expr) -> bool {
    let expr = match expr.peeled() {
        Expr::Unary(_, inner) => inner.peeled(),
        other => other,
    };
    let Some(name) = expr.last_name().filter(|name| is_in_capitals(name)) else { return false };
    let mut values = map
        .files
        .iter()
        .flat_map(|source| source.facts.bindings.iter())
        .filter(|binding| binding.owner.is_none() && binding.member_of.is_none() && binding.name == name)
        .map(|binding| binding.value.as_ref().map(Expr::peeled))
        .peekable();
    values.peek().is_some() && values.all(|value| matches!(value, Some(Expr::Text(_) | Expr::Number(_))))
}

fn is_in_capitals(name: &str) -> bool {
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
}

/// `old_credential.secret`, `previous.token`: who holds what was there before asks whether it changed. `body.oldPassword` is a guess.
fn is_old(facts: &FileFacts, expr: &Expr) -> bool {
    const BEFORE: &[&str] = &["old", "previous", "prev", "former"];
    let names = chain::names(facts, expr.peeled()).unwrap_or_default();
    let Some((_, holders)) = names.split_last() else { return false };
    holders.iter().any(|name| place::words(name).iter().any(|word| BEFORE.contains(&word.as_str())))
}

/// `TokenType.PasswordReset`, `TOKEN_KINDS.reset`: a literal in all but spelling, as a member of an enum or of an object that is
/// `as const`.
fn is_constant_member(map: &RepoMap, file: FileId, expr: &Expr) -> bool {
    let Expr::Member(object, member) = expr.peeled() else { return false };
    let Some(name) = object.last_name() else { return false };
    let is_pascal = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains(|c: char| c.is_ascii_lowercase())
    };
    const SETTINGS: &[&str] = &["config", "configuration", "settings", "env", "environment", "secrets", "constants"];
    if place::words(name).iter().any(|word| SETTINGS.contains(&word.as_str())) {
        return false;
    }
    if is_pascal(name) && is_pascal(member) {
        return true;
    }
    // An enum of a package whose code is not here has the same look.
    let facts = &map.file(file).facts;
    let is_capitals = member.len() > 1 && !member.contains(|c: char| c.is_ascii_lowercase());
    let is_foreign = facts
        .imports
        .iter()
        .zip(&map.import_targets[file as usize])
        .any(|(import, target)| import.local == name && matches!(target, ImportTarget::External(_)));
    if is_pascal(name) && is_capitals && is_foreign {
        return true;
    }
    map.files_with_ids().filter(|(_, source)| source.language.is_ecmascript()).any(|(_, source)| {
        source.facts.symbols.iter().any(|symbol| symbol.kind == SymbolKind::Enum && symbol.name == name)
            || source.facts.bindings.iter().any(|binding| {
                binding.owner.is_none()
                    && binding.name == name
                    && binding.value.as_ref().is_some_and(|value| is_constant_object(value, member))
            })
    })
}

/// `{ reset: 'reset' } as const`.
fn is_constant_object(value: &Expr, member: &str) -> bool {
    let Expr::Unary(operator, inner) = value else { return false };
    let Expr::Object(entries) = inner.peeled() else { return false };
    operator.trim() == "as const"
        && entries.iter().any(|(key, value)| key == member && matches!(value.peeled(), Expr::Text(_) | Expr::Number(_)))
}

/// A cookie against the header, the body or the query of one request: whoever sends both knows both.
fn is_double_submit(facts: &FileFacts, comparison: &Comparison) -> bool {
    let words = |expr: &Expr| -> Vec<String> {
        let resolved = place::resolve(facts, comparison.symbol, expr);
        let mut words = Vec::new();
        for expr in [expr, resolved] {
            chain::walk_deep(facts, expr, &mut |inner| {
                let name = match inner {
                    Expr::Call(index) => Some(facts.call(*index).name.as_str()),
                    other => other.last_name(),
                };
                words.extend(name.map(place::words).unwrap_or_default());
            });
        }
        words
    };
    let has = |own: &[String], wanted: &[&str]| own.iter().any(|word| wanted.contains(&word.as_str()));
    const SENT: &[&str] = &[
        "header",
        "headers",
        "body",
        "query",
        "params",
        "form",
        "submitted",
        "search",
        "payload",
        "input",
        "field",
        "param",
    ];
    let (left, right) = (words(&comparison.left), words(&comparison.right));
    // `hmac(body)` is nothing that was sent: whoever guesses it byte by byte forges a signature.
    const MADE_HERE: &[&str] = &["hmac", "digest", "sign", "hash", "mac", "encrypt"];
    if has(&left, MADE_HERE) || has(&right, MADE_HERE) {
        return false;
    }
    let cookie = |own: &[String]| has(own, &["cookie", "cookies"]);
    cookie(&left) && !cookie(&right) && has(&right, SENT) || cookie(&right) && !cookie(&left) && has(&left, SENT)
}

/// Whether one side becomes the other where they differ, `if (stored.token !== configured) stored.token = configured`: a change is
/// noticed, nobody's guess is judged.
fn is_followed(facts: &FileFacts, comparison: &Comparison) -> bool {
    let is_in_a_branch_after = |assignment: &Assignment| {
        assignment
            .region
            .map(|region| &facts.regions[region as usize])
            .is_some_and(|region| matches!(region.kind, RegionKind::Branch) && region.span.start >= comparison.span.end)
    };
    facts.assignments.iter().any(|assignment| {
        let (target, value) = (assignment.target.peeled(), assignment.value.peeled());
        let (left, right) = (comparison.left.peeled(), comparison.right.peeled());
        assignment.symbol == comparison.symbol
            && is_in_a_branch_after(assignment)
            && ((target, value) == (left, right) || (target, value) == (right, left))
    })
}

fn side(facts: &FileFacts, comparison: &Comparison, expr: &Expr) -> Side {
    let resolved = place::resolve(facts, comparison.symbol, expr);
    let of = |expr: &Expr| {
        let names = match expr.peeled() {
            Expr::Call(index) => chain::names(facts, &facts.call(*index).callee),
            other => chain::names(facts, other),
        };
        let names = names.unwrap_or_default();
        let has = |words: &[&str]| names.iter().any(|name| words.contains(name));
        let speaks_of = |list: &[&str]| {
            names.iter().any(|name| place::words(name).iter().any(|word| list.contains(&word.as_str())))
        };
        if has(&["createHmac", "hmac", "computeSignature", "sign"])
            || (has(&["env"]) && names.len() > 1)
            || has(&["config", "settings", "CONFIG"])
            || speaks_of(&["config", "configuration", "settings"])
        {
            Some(Side::Known)
        } else if has(&["headers", "header", "query", "body", "cookies", "searchParams", "params"])
            && has(&["req", "request", "c", "ctx", "headers", "searchParams", "event"])
        {
            Some(Side::Guess)
        } else if is_secret(expr) && speaks_of(&["expected", "computed", "configured"]) {
            Some(Side::Known)
        } else if speaks_of(&["header", "headers", "provided", "received", "incoming", "supplied"]) {
            Some(Side::Guess)
        } else {
            None
        }
    };
    match resolved {
        Expr::Text(_)
        | Expr::Number(_)
        | Expr::Bool(_)
        | Expr::Nothing
        | Expr::Regex(_)
        | Expr::Array(_)
        | Expr::Object(_) => Side::Plain,
        Expr::Unary(operator, _) if operator == "typeof" => Side::Plain,
        Expr::Template(parts) => {
            // `Bearer ${process.env.CRON_SECRET}`
            let known = crate::repo_map::expr::holes(parts).any(|hole| {
                of(place::resolve(facts, comparison.symbol, hole)) == Some(Side::Known) || is_env_name(hole)
            });
            if known { Side::Known } else { Side::Plain }
        }
        // `message.text.split(' ')[1]` was received from somebody who cannot take the time.
        Expr::Index(inner, _) if matches!(inner.peeled(), Expr::Call(_)) && of(resolved).is_none() => Side::Plain,
        other => of(other).or_else(|| of(expr)).unwrap_or(if is_env_name(expr) {
            Side::Known
        } else if is_secret(expr) {
            Side::Named
        } else {
            Side::Plain
        }),
    }
}

/// `CRON_SECRET`: a constant that holds a secret came from configuration.
fn is_env_name(expr: &Expr) -> bool {
    is_secret(expr) && expr.last_name().is_some_and(is_in_capitals)
}

fn is_secret(expr: &Expr) -> bool {
    let name = match expr.peeled() {
        // The password of basic authentication, as its callbacks name it.
        Expr::Name(name) if *name == "pass" => return true,
        Expr::Template(parts) => return crate::repo_map::expr::holes(parts).any(is_secret),
        Expr::Index(_, key) => match key.as_ref() {
            Expr::Text(text) => text.as_str(),
            _ => return false,
        },
        other => match other.last_name() {
            Some(name) => name,
            None => return false,
        },
    };
    let words = place::words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let token = has(&["token", "key"]) && (has(QUALIFIERS) || words.len() == 1 && words[0] == "token");
    (has(SECRETS) || token) && !has(HARMLESS)
}

fn side_names(facts: &FileFacts, comparison: &Comparison) -> String {
    let name = |expr: &Expr| {
        let expr = bare(facts, expr);
        match expr.peeled() {
            Expr::Call(_) => "a computed value".to_owned(),
            Expr::Template(_) | Expr::Binary(..) | Expr::Member(..) if expr.dotted().is_none() => {
                configured(expr).map_or_else(|| "a value".to_owned(), |name| format!("a value with `{name}`"))
            }
            Expr::Index(holder, _) => {
                holder.dotted().map_or_else(|| "a value".to_owned(), |dotted| format!("a value of `{dotted}`"))
            }
            other => other.dotted().map_or_else(|| "a value".to_owned(), |dotted| format!("`{dotted}`")),
        }
    };
    format!("{} and {}", name(&comparison.left), name(&comparison.right))
}

/// The comparison in constant time, and the import it needs.
fn edits(context: &RecipeContext<'_>, file: FileId, comparison: &Comparison) -> Option<Vec<EditDraft>> {
    let source = context.map.file(file);
    let facts = &source.facts;
    let taken = |name: &str| facts.imports.iter().any(|import| import.local == name);
    if taken("timingSafeEqual") || taken("createHash") {
        return None;
    }
    let source_text = context.tree.text(&source.path)?;
    let written = source_text.get(comparison.span.start as usize..comparison.span.end as usize)?;
    if written.matches(comparison.operator.as_str()).count() != 1 || written.contains(['\n', '?']) {
        return None;
    }
    let (left, right) = written.split_once(comparison.operator.as_str())?;
    let (left, right) = (left.trim(), right.trim());
    // What is absent equals nothing. Calls would have to be made twice to ask, so they are left to a person.
    let is_template = |side: &str| side.starts_with('`') && side.ends_with('`');
    let mut terms = Vec::new();
    for side in [left, right] {
        if !is_template(side) {
            if side.contains('(') {
                return None;
            }
            terms.push(format!("typeof {side} === 'string'"));
        }
    }
    terms.push(format!(
        "timingSafeEqual(createHash('sha256').update({left}).digest(), createHash('sha256').update({right}).digest())"
    ));
    let equal = terms.join(" && ");
    let text = if comparison.operator.starts_with('!') { format!("!({equal})") } else { format!("({equal})") };
    let import = facts.imports.iter().filter(|import| import.within.is_empty()).min_by_key(|import| import.line)?;
    let at = line_start(&source_text, import.line)?;
    if !source_text[at..].starts_with("import ") {
        return None;
    }
    let first_line = source_text[at..].lines().next().unwrap_or_default();
    let quote = if source_text[at..].lines().take(20).any(|line| line.starts_with("import ") && line.contains('"'))
        || first_line.contains('"')
    {
        '"'
    } else {
        '\''
    };
    let text = text
        .replace("'string'", &format!("{quote}string{quote}"))
        .replace("'sha256'", &format!("{quote}sha256{quote}"));
    Some(vec![
        EditDraft::Replace {
            file: source.path.clone(),
            span: Span { start: at as u32, end: at as u32 },
            text: format!("import {{ createHash, timingSafeEqual }} from {quote}node:crypto{quote};\n"),
        },
        EditDraft::Replace { file: source.path.clone(), span: comparison.span, text },
    ])
}

fn line_start(text: &str, line: u32) -> Option<usize> {
    let mut at = 0;
    for _ in 1..line {
        at += text.get(at..)?.find('\n')? + 1;
    }
    Some(at)
}
