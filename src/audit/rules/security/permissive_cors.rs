//! `permissive-cors`: answers with credentials for every origin.

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, LanguageName, RegionKind};
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SourceFile};

/// Any site may ask in the name of the person who visits it.
pub struct PermissiveCors;

static DOC: RuleDoc = RuleDoc {
    id: "permissive-cors",
    category: Category::Security,
    what: "CORS that mirrors any origin and allows credentials",
    why: "any page a signed-in person visits can read and change their data in their name",
    quiet_when: "origins are listed or checked, the setting depends on a condition, credentials are not allowed, or the origin is `*`, which browsers refuse with credentials; where a Rust service and the crates it needs name no cookie, confidence is low",
    example: "app.use(cors({ origin: true, credentials: true }));",
};

impl Rule for PermissiveCors {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.calls().filter_map(|(call, _)| finding(map, call)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "List the origins that may send credentials",
            instruction: "give the origins of the project's own pages, read from configuration (`origin: allowedOrigins`, \
                          `AllowOrigin::list(…)`), instead of mirroring whatever asks; keep credentials only where pages of another origin \
                          need the session."
                .to_owned(),
            edits: Vec::new(),
            test: "a request with `Origin: https://evil.example` gets no `Access-Control-Allow-Origin`; one from a listed origin does",
            edge_case: "compare whole origins, never a beginning or an end: `https://app.example.evil.org` must not pass",
            stop: "the service is public, has no session, and nobody needs credentials: then leave the origins open and drop the credentials",
        };
        Some(remedy.plan(finding, context))
    }
}

fn finding(map: &RepoMap, call: CallId) -> Option<Finding> {
    let source = map.file(call.file);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let facts = &source.facts;
    let found = if source.language == LanguageName::Rust {
        rust(facts, call.index)
    } else {
        options(facts, call.index) || mirrored_header(facts, call.index)
    };
    // `if (development) app.use(cors(…))`.
    let conditional = facts
        .enclosing_regions(facts.call(call.index).region)
        .any(|(_, region)| matches!(region.kind, RegionKind::Branch));
    if !found || conditional {
        return None;
    }
    // Without a session of its own, a service on the same machine gives nothing away.
    let confidence = match facts.call(call.index).name.as_str() {
        _ if !keeps_sessions(map, call.file) => Confidence::Low,
        "very_permissive" => Confidence::Med,
        _ => Confidence::High,
    };
    Some(
        FindingDraft::at_call(&DOC, map, call, "setting")
            .title("CORS mirrors any origin and allows credentials")
            .message(
                "Any page that a signed-in person visits may send requests with their session and read the answers: the origin is mirrored, \
                 and credentials are allowed.",
            )
            .impact(4)
            .effort(Effort::S)
            .risk(Risk::Med)
            .confidence(confidence)
            .build(),
    )
}

/// Whether the package of a file, or one it depends on, names cookies, sessions or what keeps them: a token that a page has to put into a
/// header itself is none that a browser sends along.
fn keeps_sessions(map: &RepoMap, file: FileId) -> bool {
    let source = map.file(file);
    if source.language != LanguageName::Rust {
        return true;
    }
    let Some(home) = map.recon.package_in(&source.path, true) else { return true };
    let is_near = |other: &SourceFile| {
        map.recon.package_in(&other.path, true).is_some_and(|package| {
            package.folder == home.folder || home.dependencies.iter().any(|own| own.name == package.name)
        })
    };
    map.files
        .iter()
        .filter(|other| other.language == LanguageName::Rust && is_near(other))
        .any(|other| other.facts.references.iter().any(|name| name.to_ascii_lowercase().contains("cookie")))
}

/// `CorsLayer::very_permissive()`, `.allow_origin(AllowOrigin::mirror_request()).allow_credentials(true)`.
fn rust(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    match site.name.as_str() {
        "very_permissive" => {
            matches!(site.callee.peeled(), Expr::Path(segments) if segments.iter().any(|name| name == "CorsLayer"))
        }
        "allow_credentials" | "supports_credentials" => {
            let on = site.name == "supports_credentials" || site.arguments.first() == Some(&Expr::Bool(true));
            on && chain::receivers(facts, call).into_iter().any(|link| {
                let link = facts.call(link);
                link.name == "allow_any_origin"
                    || link.name == "allow_origin"
                        && link.arguments.iter().any(|argument| match argument.peeled() {
                            Expr::Call(made) => facts.call(*made).name == "mirror_request",
                            _ => false,
                        })
            })
        }
        _ => false,
    }
}

/// `cors({ origin: true, credentials: true })`, `app.enableCors({ … })`, `app.register(cors, { … })`.
fn options(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    let name = site.name.as_str();
    let about_cors = matches!(name, "cors" | "enableCors" | "fastifyCors")
        || name == "register"
            && matches!(site.arguments.first(), Some(first) if first.last_name().is_some_and(|name| name.to_lowercase().contains("cors")));
    about_cors
        && site.arguments.iter().any(|argument| {
            let Expr::Object(entries) = place::resolve(facts, site.caller, argument) else { return false };
            let value = |wanted: &str| entries.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.peeled());
            value("credentials") == Some(&Expr::Bool(true))
                && value("origin").is_some_and(|origin| is_any(facts, origin))
        })
}

/// `true`, `(origin) => origin`, `(origin, done) => done(null, true)`.
fn is_any(facts: &FileFacts, origin: &Expr) -> bool {
    let region = match origin {
        Expr::Bool(true) => return true,
        Expr::Function { region: Some(region), .. } => *region,
        _ => return false,
    };
    let RegionKind::Callback { parameters, .. } = &facts.regions[region as usize].kind else { return false };
    let Some(first) = parameters.first() else { return false };
    let body = facts.regions[region as usize].span;
    let decides = facts.regions.iter().any(|inner| inner.kind == RegionKind::Branch && body.contains(inner.span))
        || facts.comparisons.iter().any(|comparison| body.contains(comparison.span));
    if decides {
        return false;
    }
    let mirrors = facts.returns.iter().any(|returned| {
        returned.region == Some(region) && matches!(returned.value.peeled(), Expr::Name(name) if name == first)
    });
    let mut inside = facts.calls.iter().filter(|other| body.contains(other.span));
    let done = inside.next().is_some_and(|only| {
        parameters.get(1).is_some_and(|done| only.name == *done)
            && matches!(only.arguments.as_slice(), [Expr::Nothing, Expr::Bool(true)])
    });
    mirrors || done && inside.next().is_none()
}

/// `res.setHeader("Access-Control-Allow-Origin", req.headers.origin)` beside `…-Allow-Credentials`, with no look at the origin.
fn mirrored_header(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    if header(&site.arguments) != Some("access-control-allow-origin".to_owned()) {
        return false;
    }
    let Some(value) = site.arguments.get(1) else { return false };
    let is_origin = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= matches!(inner, Expr::Member(object, name) if name == "origin" && object.last_name() == Some("headers"))
                || matches!(inner, Expr::Text(text) if text.eq_ignore_ascii_case("origin"));
        });
        found
    };
    let resolved = place::resolve(facts, site.caller, value);
    let mut value = resolved;
    while let Expr::Binary(operator, left, _) = value {
        if !matches!(operator.as_str(), "||" | "??") {
            return false;
        }
        value = left.peeled();
    }
    if !is_origin(value) || matches!(value, Expr::Either(_)) {
        return false;
    }
    let same = |other: &&crate::repo_map::facts::CallSite| other.caller == site.caller;
    let allows = facts.calls.iter().filter(same).any(|other| {
        header(&other.arguments) == Some("access-control-allow-credentials".to_owned())
            && matches!(other.arguments.get(1).map(Expr::peeled), Some(Expr::Text(text)) if text == "true")
            || header(&other.arguments) == Some("access-control-allow-credentials".to_owned())
                && other.arguments.get(1) == Some(&Expr::Bool(true))
    });
    // Somebody looks at the origin before.
    let checked = facts.enclosing_regions(site.region).any(|(_, region)| region.kind == RegionKind::Branch)
        || facts.calls.iter().filter(same).any(|other| {
            matches!(
                other.name.as_str(),
                "includes" | "indexOf" | "test" | "has" | "match" | "some" | "startsWith" | "endsWith" | "find"
            )
        });
    allows && !checked
}

fn header(arguments: &[Expr]) -> Option<String> {
    match arguments.first().map(Expr::peeled) {
        Some(Expr::Text(name)) => Some(name.to_ascii_lowercase()),
        _ => None,
    }
}
