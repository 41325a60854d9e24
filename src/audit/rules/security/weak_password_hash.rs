//! `weak-password-hash`: a password hashed by a function made to be fast.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallSite, FileFacts, LanguageName, Usage};
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A password given to MD5, SHA-1 or SHA-2.
pub struct WeakPasswordHash;

static DOC: RuleDoc = RuleDoc {
    id: "weak-password-hash",
    category: Category::Security,
    what: "a password hashed with MD5, SHA-1 or SHA-2 alone",
    why: "a graphics card tries billions of them a second: whoever gets the table has most of the passwords in hours",
    quiet_when: "the same function hands the result to bcrypt, scrypt, argon2 or pbkdf2, or puts it in the password's place; it is a look-up of leaked passwords, or a \
                 protocol prescribes the hash (`md5` with a salt that is handed in); the result is bytes, as a key is made of, or the key of a backup; the \
                 code runs in a page, or the password stands in the environment",
    example: "const hash = crypto.createHash('sha256').update(password).digest('hex');",
};

impl Rule for WeakPasswordHash {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut told = BTreeSet::new();
        // What was stored in one form everywhere is moved to another everywhere: one plan an algorithm
        // and language.
        let mut found: BTreeMap<(String, bool), Vec<CallId>> = BTreeMap::new();
        for (call, site) in map.calls() {
            let Some(algorithm) = weakness(map, call) else { continue };
            // A hash is often fed in several calls: one place for each function.
            if told.insert((call.file, site.caller)) {
                let language = map.file(call.file).language.is_ecmascript();
                found.entry((algorithm.to_uppercase(), language)).or_default().push(call);
            }
        }
        found.iter().filter_map(|((algorithm, _), calls)| finding(map, algorithm, calls)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let (_, source) = context.map.file_by_path(&finding.location().file)?;
        let how = if source.language == LanguageName::Rust {
            "hash with `argon2` (`Argon2::default().hash_password(…)`) and check with `verify_password`, in `spawn_blocking` where the code is async"
        } else {
            "hash with `crypto.scrypt` (promisified, a random salt of 16 bytes for each password, kept beside the hash) or the password \
             library the project already has, and compare with `crypto.timingSafeEqual`"
        };
        let remedy = Remedy {
            title: "Hash passwords with a slow function",
            instruction: format!(
                "{how}. Hashes that are stored already stay valid: recognise them by their form, check them the old way, and store the \
                 new hash after the next successful log-in."
            ),
            edits: Vec::new(),
            test: "a new password is stored in the new form and accepted; a password stored in the old form is still accepted once and then stored anew",
            edge_case: "two users with one password must have different hashes",
            stop: "the value is not a password that a person chose, or a protocol prescribes this hash",
        };
        Some(remedy.plan(finding, context))
    }
}

/// Functions made to be fast.
fn is_fast(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    matches!(
        name.as_str(),
        "md5"
            | "md4"
            | "sha1"
            | "sha"
            | "sha224"
            | "sha256"
            | "sha384"
            | "sha512"
            | "rsasha256"
            | "ripemd160"
            | "sha3256"
            | "sha3512"
    )
}

/// The function and what it is given, if a call hashes something.
fn hashed(map: &RepoMap, call: CallId) -> Option<(String, &Expr)> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    let argument = site.arguments.first()?;
    if source.language == LanguageName::Rust {
        let Expr::Path(segments) = site.callee.peeled() else {
            // `hasher.update(password)` where `let mut hasher = Sha256::new()`.
            let (Expr::Member(object, method), Expr::Name(_)) = (site.callee.peeled(), receiver(&site.callee)?) else {
                return None;
            };
            if !matches!(method.as_str(), "update" | "input" | "chain" | "chain_update") {
                return None;
            }
            let Expr::Call(made) = place::resolve(facts, site.caller, object) else { return None };
            let Expr::Path(maker) = facts.call(*made).callee.peeled() else { return None };
            let [.., kind, new] = maker.as_slice() else { return None };
            return (new == "new" && is_fast(kind)).then(|| (kind.to_string(), argument));
        };
        let [.., kind, method] = segments.as_slice() else { return None };
        let hashes = matches!(method.as_str(), "digest" | "compute" | "hash" | "new_with_prefix");
        return (hashes && is_fast(kind)).then(|| (kind.to_string(), argument));
    }
    match site.callee.peeled() {
        // `crypto.createHash("md5").update(password)`
        Expr::Member(object, method) if method == "update" => {
            let Expr::Call(made) = place::resolve(facts, site.caller, object) else { return None };
            let maker = facts.call(*made);
            let Some(Expr::Text(algorithm)) = maker.arguments.first().map(Expr::peeled) else { return None };
            (maker.name == "createHash" && is_fast(algorithm)).then(|| (algorithm.to_string(), argument))
        }
        // `md5(password)`, `CryptoJS.SHA256(password)`
        Expr::Name(_) | Expr::Member(..) if is_fast(&site.name) => Some((site.name.to_string(), argument)),
        // `crypto.hash("sha1", password)`
        Expr::Member(object, method) if method == "hash" && object.last_name() == Some("crypto") => {
            let Some(Expr::Text(algorithm)) = Some(argument.peeled()) else { return None };
            is_fast(algorithm).then(|| Some((algorithm.to_string(), site.arguments.get(1)?))).flatten()
        }
        _ => None,
    }
}

fn receiver(callee: &Expr) -> Option<&Expr> {
    match callee.peeled() {
        Expr::Member(object, _) => Some(object.peeled()),
        _ => None,
    }
}

/// Whether an expression is a password, or text made of one.
fn is_password(facts: &FileFacts, expr: &Expr) -> bool {
    let says = |name: &str| {
        let words = place::words(name);
        let last = words.last().map(String::as_str).unwrap_or_default();
        matches!(last, "password" | "passwd" | "pwd" | "pass" | "passphrase" | "passcode")
            && !words.iter().any(|word| {
                matches!(
                    word.as_str(),
                    "hash" | "hashed" | "encrypted" | "one" | "app" | "api" | "db" | "database" | "redis" | "proxy"
                )
            })
    };
    let mut found = false;
    chain::walk_deep(facts, expr, &mut |inner| {
        found |= match inner {
            Expr::Name(name) | Expr::Member(_, name) => says(name),
            _ => false,
        };
    });
    found
}

/// `process.env[user.password]`.
fn is_of_environment(facts: &FileFacts, expr: &Expr) -> bool {
    let mut found = false;
    chain::walk_deep(facts, expr, &mut |inner| {
        if let Expr::Member(object, _) | Expr::Index(object, _) = inner {
            found |= object.dotted().is_some_and(|text| text == "process.env");
        }
    });
    found
}

/// `sha1(nonce + created + password)`, `md5(user:realm:password)`: what a protocol wants to see, made anew each time and not stored.
fn answers_a_challenge(facts: &FileFacts, expr: &Expr) -> bool {
    let says = |name: &str| {
        place::words(name).iter().any(|word| {
            matches!(
                word.as_str(),
                "nonce" | "cnonce" | "realm" | "challenge" | "timestamp" | "created" | "time" | "date"
            )
        })
    };
    let mut found = false;
    chain::walk_deep(facts, expr, &mut |inner| {
        found |= matches!(inner, Expr::Name(name) | Expr::Member(_, name) if says(name));
    });
    found
}

/// Whether the function, or one it hands the hash to, takes a salt that somebody else chose and writes `md5` before what comes out: how
/// PostgreSQL's login over the wire wants it.
fn is_wire_login(map: &RepoMap, call: CallId) -> bool {
    let Some(function) = map.caller_of(call) else { return false };
    let called = map.calls_in(function).flat_map(|inner| map.resolved(inner)).map(|resolved| resolved.symbol);
    std::iter::once(function).chain(called).any(|function| {
        let takes_salt =
            map.symbol(function).parameters.iter().any(|own| place::words(&own.name).contains(&"salt".to_owned()));
        let writes_prefix = |call: CallId| {
            let mut found = false;
            for argument in &map.call(call).arguments {
                argument.walk(&mut |part| {
                    let Expr::Template(parts) = part else { return };
                    found |=
                        matches!(parts.as_slice(), [TemplatePart::Text(text), TemplatePart::Hole(_)] if *text == "md5");
                });
            }
            found
        };
        takes_salt && map.calls_in(function).any(writes_prefix)
    })
}

/// Words of functions and files that hash a password for another reason.
const OTHER_REASONS: &[&str] = &[
    "pwned",
    "hibp",
    "breach",
    "breached",
    "leaked",
    "compromised",
    "digest",
    "challenge",
    "subsonic",
    "ntlm",
    "scram",
    // Schemes of hashes that others stored: md5-crypt, sha512-crypt.
    "crypt",
    "cache",
    "gravatar",
    "legacy",
    "migrate",
    "import",
    "fingerprint",
    "mysql",
    "postgres",
    "protocol",
    "key",
    "derive",
    "encrypt",
    "decrypt",
    "kdf",
    "range",
    "backup",
    "backups",
];

/// The function that `call` hashes a password with, if it should not be that one.
fn weakness(map: &RepoMap, call: CallId) -> Option<String> {
    let source = map.file(call.file);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let (algorithm, value) = hashed(map, call)?;
    let facts = &source.facts;
    // What a page makes of a password is a name for it that the server gave; what stands in the environment is nobody's stored hash.
    if place::is_of_a_page(facts) || is_of_environment(facts, value) {
        return None;
    }
    if !is_password(facts, value) || answers_a_challenge(facts, value) || is_wire_login(map, call) {
        return None;
    }
    let site = facts.call(call.index);
    let function = place::function_name(map, call);
    let path_end = source.path.rsplit('/').next().unwrap_or_default();
    // `createNTLMHash`: an abbreviation runs into the word behind it.
    let about = |text: &str| {
        place::words(text).iter().any(|word| OTHER_REASONS.contains(&word.as_str()) || word.starts_with("ntlm"))
    };
    // A slow function around it, or before it.
    let slow = facts.calls.iter().filter(|other| other.caller == site.caller).any(|other| {
        let text = other.callee.dotted().unwrap_or_default().to_lowercase();
        ["bcrypt", "argon", "scrypt", "pbkdf2"].iter().any(|name| text.contains(name))
            || other.name.starts_with("createCipher")
    });
    let end = map.call(chain::end(map, call));
    // `digest()` gives bytes, as a key is made of; what is stored is text.
    let gives_bytes = |site: &CallSite| site.name == "digest" && site.arguments.is_empty();
    let is_key = source.language.is_ecmascript()
        && (gives_bytes(end)
            || map
                .resolved(call)
                .flat_map(|resolved| map.calls_in(resolved.symbol))
                .any(|inner| gives_bytes(map.call(inner))));
    let kept_as = match &end.usage {
        Usage::Bound(name) => name.as_str(),
        _ => "",
    };
    // `password = sha512(password)`: made short and even for what hashes it next.
    let is_first_step = facts.assignments.iter().any(|assignment| {
        assignment.span.contains(end.span)
            && matches!(assignment.target.peeled(), Expr::Name(_))
            && is_password(facts, &assignment.target)
    });
    let is_meant = about(&function) || about(path_end) || about(kept_as) || slow || is_key || is_first_step;
    (!is_meant).then_some(algorithm)
}

fn finding(map: &RepoMap, algorithm: &str, calls: &[CallId]) -> Option<Finding> {
    let (&call, others) = calls.split_first()?;
    let function = place::function_name(map, call);
    let more = match others.len() {
        0 => String::new(),
        count => format!(
            " {} the same.",
            if count == 1 { "One more function does".to_owned() } else { format!("{count} more functions do") }
        ),
    };
    let mut draft = FindingDraft::at_call(&DOC, map, call, "hash")
        .title(format!("`{function}` hashes a password with {algorithm}"))
        .message(format!(
            "`{function}` hashes a password with {algorithm}, which is made to be fast: whoever gets the hashes tries billions of passwords a second.{more}",
        ))
        .impact(4)
        .effort(Effort::M)
        .risk(Risk::Med)
        .confidence(Confidence::High);
    for other in others {
        draft = draft.and_call(map, *other, "hash");
    }
    Some(draft.build())
}
