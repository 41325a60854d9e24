//! Harmless comparisons: with what is a literal in all but spelling, with an old value, of what one request sends twice.

use crate::audit::place;
use crate::audit::rules::security::timing_unsafe_compare::sides::bare;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Assignment, Comparison, FileFacts, RegionKind, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap};

/// `API_KEY_NON_EXISTENT`, `prelude::MASKED_PASSWORD`: a name in capitals that stands for a literal wherever the repository has it.
pub fn is_literal_constant(map: &RepoMap, expr: &Expr) -> bool {
    let expr = match expr.peeled() {
        Expr::Unary(_, inner) => inner.peeled(),
        other => other,
    };
    let Some(name) = expr.last_name().filter(|name| is_in_capitals(name)) else { return false };
    let mut values = map
        .files
        .iter()
        .filter(|source| source.role == FileRole::Production)
        .flat_map(|source| source.facts.bindings.iter())
        .filter(|binding| binding.owner.is_none() && binding.member_of.is_none() && binding.name == name)
        .map(|binding| binding.value.as_ref().map(Expr::peeled))
        .peekable();
    values.peek().is_some() && values.all(|value| matches!(value, Some(Expr::Text(_) | Expr::Number(_))))
}

/// `CRON_SECRET`.
pub fn is_in_capitals(name: &str) -> bool {
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
}

/// `old_credential.secret`, `previous.token`: who holds what was there before asks whether it changed. `body.oldPassword` is a guess.
pub fn is_old(facts: &FileFacts, expr: &Expr) -> bool {
    const BEFORE: &[&str] = &["old", "previous", "prev", "former"];
    let names = chain::names(facts, expr.peeled()).unwrap_or_default();
    let Some((_, holders)) = names.split_last() else { return false };
    holders.iter().any(|name| place::words(name).iter().any(|word| BEFORE.contains(&word.as_str())))
}

/// `(await c.getSignedCookie(name, secret)).split("!")`: what was signed here and came back whole is nobody's guess. `job.data.signature`:
/// the program put it into its own queue, and nobody waits for what comes of it.
pub fn is_ours(facts: &FileFacts, comparison: &Comparison, side: &Expr) -> bool {
    let is_signed_cookie = |name: &str| {
        let words = place::words(name);
        words.windows(2).any(|pair| pair[0] == "signed" && matches!(pair[1].as_str(), "cookie" | "cookies"))
    };
    let mut found = false;
    let mut exprs = vec![side];
    // The name, what it was taken out of, and what that was.
    for _ in 0..3 {
        let mut names: Vec<Name> = Vec::new();
        for expr in exprs {
            chain::walk_deep(facts, expr, &mut |inner| match inner {
                Expr::Call(index) => found |= is_signed_cookie(&facts.call(*index).name),
                Expr::Member(object, name) => {
                    let is_job = matches!(object.peeled(), Expr::Name(root) if *root == "job") && *name == "data";
                    found |= is_job || is_signed_cookie(name);
                }
                Expr::Name(name) => names.push(*name),
                _ => {}
            });
        }
        exprs = names.iter().filter_map(|name| place::initialiser(facts, comparison.symbol, name)).collect();
    }
    found
}

/// `headers.digest`, made of the body that is sent with it (RFC 3230): who sends it knows it.
pub fn is_digest_of_the_body(facts: &FileFacts, side: &Expr) -> bool {
    let names = chain::names(facts, bare(facts, side).peeled()).unwrap_or_default();
    matches!(names.as_slice(), [.., "headers", "digest" | "Digest" | "content-digest" | "content-md5"])
}

/// `expected_digest != digest`, neither made with a key: whether data came over whole, which whoever has the data can work out.
pub fn is_of_two_digests(facts: &FileFacts, comparison: &Comparison) -> bool {
    [&comparison.left, &comparison.right].into_iter().all(|side| {
        let name = bare(facts, side).last_name().unwrap_or_default();
        place::words(name).last().is_some_and(|word| matches!(word.as_str(), "digest" | "checksum"))
    })
}

/// `createHash("sha256").update(body).digest("hex")`: without a key, whoever sends the body can work it out.
pub fn is_plain_hash(facts: &FileFacts, comparison: &Comparison, side: &Expr) -> bool {
    const SENT: &[&str] = &["body", "payload", "content", "buffer", "raw"];
    const SECRET: &[&str] = &["secret", "token", "key", "password", "salt"];
    let made = bare(facts, place::resolve(facts, comparison.symbol, bare(facts, side)));
    let Expr::Call(index) = made.peeled() else { return false };
    let links = chain::receivers(facts, *index);
    let holder = links.last().and_then(|link| facts.call(*link).callee.root_name());
    let hasher = holder.and_then(|root| place::initialiser(facts, comparison.symbol, root));
    let starts = |value: &Expr| matches!(value.peeled(), Expr::Call(own) if facts.call(*own).name == "createHash");
    if !links.iter().any(|link| facts.call(*link).name == "createHash") && !hasher.is_some_and(starts) {
        return false;
    }
    // What is hashed, here or where the hash is fed.
    let mut hashed = Vec::new();
    let fed = facts.calls.iter().filter(|own| own.name == "update" && own.caller == comparison.symbol);
    for argument in fed.flat_map(|own| &own.arguments) {
        chain::walk_deep(facts, argument, &mut |inner| {
            if let Expr::Name(name) | Expr::Member(_, name) = inner {
                hashed.extend(place::words(name));
            }
        });
    }
    let says = |words: &[&str]| hashed.iter().any(|word| words.contains(&word.as_str()));
    says(SENT) && !says(SECRET)
}

/// `TokenType.PasswordReset`, `NAMES.PasswordReset`, `TOKEN_KINDS.reset`: a literal in all but spelling, as a member of an enum or of an object that is
/// `as const`.
pub fn is_constant_member(map: &RepoMap, file: FileId, expr: &Expr) -> bool {
    let Expr::Member(object, member) = expr.peeled() else { return false };
    let Some(name) = object.last_name() else { return false };
    let is_pascal = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains(|c: char| c.is_ascii_lowercase())
    };
    const SETTINGS: &[&str] = &["config", "configuration", "settings", "env", "environment", "secrets", "constants"];
    if place::words(name).iter().any(|word| SETTINGS.contains(&word.as_str())) {
        return false;
    }
    // `SettingName.NAMES.MfaSecret`: the table may be a static of a class.
    if (is_pascal(name) || is_in_capitals(name)) && is_pascal(member) {
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
pub fn is_double_submit(facts: &FileFacts, comparison: &Comparison) -> bool {
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

/// `req.token === req.cookies[name]`: whoever sends both knows both. What a session, a user or a record on the request holds was not sent.
pub fn is_of_one_request(facts: &FileFacts, comparison: &Comparison) -> bool {
    const SENT: &[&str] = &["headers", "body", "query", "params", "cookies"];
    let sent = |expr: &Expr| -> Option<Name> {
        let resolved = place::resolve(facts, comparison.symbol, bare(facts, expr));
        let (expr, is_entry) = match resolved.peeled() {
            Expr::Index(holder, _) => (holder.peeled(), true),
            other => (other, false),
        };
        let names = chain::names(facts, expr)?;
        let (root, path) = names.split_first()?;
        let is_sent = match path {
            [own] if !is_entry => !is_kept(own),
            [holder, ..] => SENT.contains(holder),
            [] => false,
        };
        (matches!(*root, "req" | "request") && is_sent).then(|| Name::from(*root))
    };
    let left = sent(&comparison.left);
    left.is_some() && left == sent(&comparison.right)
}

/// `expectedToken`, `storedSecret`: what the program knows by itself.
fn is_kept(name: &str) -> bool {
    const KEPT: &[&str] = &["session", "user", "expected", "stored", "configured", "own", "secret"];
    place::words(name).iter().any(|word| KEPT.contains(&word.as_str()))
}

/// Whether one side becomes the other where they differ, `if (stored.token !== configured) stored.token = configured`: a change is
/// noticed, nobody's guess is judged.
pub fn is_followed(facts: &FileFacts, comparison: &Comparison) -> bool {
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
