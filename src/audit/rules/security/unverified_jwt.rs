//! `unverified-jwt`: a token that is read without a look at its signature.

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap};

/// A token whose signature nobody checks.
pub struct UnverifiedJwt;

static DOC: RuleDoc = RuleDoc {
    id: "unverified-jwt",
    category: Category::Security,
    what: "a JSON Web Token decoded without checking its signature, in code that answers requests",
    why: "anybody can write a token with any name in it: the caller is whoever they say they are",
    quiet_when: "the same file verifies tokens, only the header or the times in it are read, the token is an identity provider's \
                 answer, or the code runs in a browser",
    example: "const { userId } = jwt.decode(req.headers.authorization);",
};

impl Rule for UnverifiedJwt {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        map.calls().filter_map(|(call, _)| finding(map, effects, call)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "Verify the token before it is believed",
            instruction: "check the signature with the library's own function (`jwt.verify(token, key, { algorithms: [\"RS256\"] })`, \
                          `jwtVerify` of jose, `jsonwebtoken::decode` with a `DecodingKey`), name the algorithms that are expected, and \
                          answer 401 when it fails."
                .to_owned(),
            edits: Vec::new(),
            test: "a token with a wrong signature, with `alg: none`, and an expired one are refused; a right one is accepted",
            edge_case: "`verify` throws where `decode` gives null: catch it where the answer is made",
            stop: "the token has been verified by something in front of this service (say where)",
        };
        Some(remedy.plan(finding, context))
    }
}

fn finding(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Finding> {
    let source = map.file(call.file);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let (what, confidence) = if source.language == LanguageName::Rust {
        rust(map, call)?
    } else {
        none_allowed(map, call).or_else(|| decoded(map, effects, call))?
    };
    let function = place::function_name(map, call);
    Some(
        FindingDraft::at_call(&DOC, map, call, "token")
            .title(format!("`{function}` {what}"))
            .message(format!("`{function}` {what}: anybody can write a token with any name in it."))
            .impact(5)
            .effort(Effort::S)
            .risk(Risk::Med)
            .confidence(confidence)
            .build(),
    )
}

/// `validation.insecure_disable_signature_validation()`, `dangerous_insecure_decode(token)`.
fn rust(map: &RepoMap, call: CallId) -> Option<(String, Confidence)> {
    let site = map.call(call);
    let name = site.name.as_str();
    let known = name == "insecure_disable_signature_validation" || name.starts_with("dangerous_insecure_decode");
    if !known || map.resolved(call).next().is_some() {
        return None;
    }
    // A second look at a token that is verified as well.
    let facts = &map.file(call.file).facts;
    let verifies = facts.calls.iter().any(|other| {
        matches!(other.callee.peeled(), Expr::Path(segments) if segments.len() >= 2 && segments[segments.len() - 2] == "DecodingKey"
            && other.arguments.first().is_some_and(|argument| !matches!(argument.peeled(), Expr::Text(_) | Expr::Array(_))))
    });
    let confidence = if verifies { Confidence::Low } else { Confidence::Med };
    Some(("reads a token without checking its signature".to_owned(), confidence))
}

/// `jwt.verify(token, key, { algorithms: ["none"] })`.
fn none_allowed(map: &RepoMap, call: CallId) -> Option<(String, Confidence)> {
    let site = map.call(call);
    if !matches!(site.name.as_str(), "verify" | "jwtVerify" | "verifyJwt") {
        return None;
    }
    let allowed = site.arguments.iter().any(|argument| {
        let Expr::Object(entries) = argument.peeled() else { return false };
        entries.iter().any(|(key, value)| {
            key == "algorithms"
                && matches!(value.peeled(), Expr::Array(items)
                    if items.iter().any(|item| matches!(item, Expr::Text(text) if text.eq_ignore_ascii_case("none"))))
        })
    });
    allowed.then(|| ("accepts tokens without a signature (`none`)".to_owned(), Confidence::High))
}

/// `jwt.decode(token)` behind a request.
fn decoded(map: &RepoMap, effects: &Effects, call: CallId) -> Option<(String, Confidence)> {
    let site = map.call(call);
    let CallTarget::External(external) = map.target(call) else { return None };
    let last = external.path.last().map_or("default", |name| name.as_str());
    let decodes = match external.package.as_str() {
        "jsonwebtoken" => last == "decode",
        "jose" => last == "decodeJwt",
        "jwt-decode" => matches!(last, "default" | "jwtDecode" | "jwt_decode"),
        _ => false,
    };
    if !decodes || !effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind.is_request()) {
        return None;
    }
    let first = site.arguments.first()?;
    // Straight from the provider, over a connection that is verified.
    let of_provider = first.last_name().is_some_and(|name| {
        let words = place::words(name).join(" ");
        words.contains("id token") || words.contains("identity") || words.contains("refresh")
    });
    let header_only = matches!(site.arguments.get(1).map(Expr::peeled), Some(Expr::Object(entries))
        if entries.iter().any(|(key, value)| key == "complete" && *value == Expr::Bool(true)));
    let facts = &map.file(call.file).facts;
    let verifies = facts.calls.iter().any(|other| {
        let name = other.name.to_lowercase();
        name.contains("verify") || name.contains("introspect") || name == "jwtverify"
    });
    let about_expiry = place::words(&place::function_name(map, call)).iter().any(|word| {
        matches!(
            word.as_str(),
            "expired" | "expiry" | "expires" | "expiration" | "exp" | "logout" | "revoke" | "refresh" | "callback"
        )
    });
    // `const { exp } = decodeJwt(accessToken)`: how long it lasts, nobody's name.
    let mut taken = facts
        .bindings
        .iter()
        .filter(
            |binding| matches!(binding.value.as_ref().map(Expr::peeled), Some(Expr::Call(made)) if *made == call.index),
        )
        .peekable();
    let time_only =
        taken.peek().is_some() && taken.all(|binding| matches!(binding.taken.as_deref(), Some("exp" | "iat" | "nbf")));
    if of_provider || header_only || verifies || about_expiry || time_only {
        return None;
    }
    Some(("reads a token without checking its signature".to_owned(), Confidence::Med))
}
