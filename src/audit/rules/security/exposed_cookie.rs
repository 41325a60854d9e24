//! `exposed-cookie`: a session cookie that scripts of the page can read.

use crate::audit::draft::{EditDraft, PlanDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::Span;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A cookie that holds a session, without `HttpOnly`.
pub struct ExposedCookie;

static DOC: RuleDoc = RuleDoc {
    id: "exposed-cookie",
    category: Category::Security,
    what: "a cookie that holds a session or token, set without `HttpOnly`",
    why: "one script injected anywhere in the page reads it and takes over the session",
    quiet_when: "the cookie's name does not speak of a session, it is a CSRF token, it is being cleared, code of the page reads it, its options are made elsewhere, or by the name of \
                 its file or folder the route is there for development",
    example: "res.cookie('session', token, { httpOnly: false });",
};

/// What is wrong with a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// `httpOnly: false`.
    SwitchedOff,
    /// The option is not there, and its default is off.
    Missing,
}

impl Rule for ExposedCookie {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.calls().filter_map(|(call, _)| finding(map, call)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call = place::calls_at(map, finding.location()).find(|call| fault(map, *call).is_some())?;
        let (_, fault) = fault(map, call)?;
        let remedy = Remedy {
            title: "Keep the session cookie from scripts",
            instruction: "set `httpOnly: true`, `secure: true` outside development, and `sameSite: \"lax\"` (or `\"strict\"`) in the options \
                          of this cookie."
                .to_owned(),
            edits: edit(context, call, fault).into_iter().collect(),
            test: "the answer's `Set-Cookie` holds `HttpOnly`",
            edge_case: "code of the page that reads this cookie stops working: it must ask the server instead",
            stop: "a script of the page has to read this cookie (say which)",
        };
        Some(remedy.plan(finding, context))
    }
}

/// `httpOnly: false` → `true`.
fn edit(context: &RecipeContext<'_>, call: CallId, fault: Fault) -> Option<EditDraft> {
    if fault != Fault::SwitchedOff {
        return None;
    }
    let source = context.map.file(call.file);
    let span = context.map.call(call).span;
    let text = context.tree.text(&source.path)?;
    let written = text.get(span.start as usize..span.end as usize)?;
    let mut places = written.match_indices("httpOnly");
    let ((at, key), None) = (places.next()?, places.next()) else { return None };
    let after = &written[at + key.len()..];
    let value = after.find("false")?;
    if after[..value].contains(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let start = span.start + (at + key.len() + value) as u32;
    Some(EditDraft::Replace {
        file: source.path.clone(),
        span: Span { start, end: start + "false".len() as u32 },
        text: "true".to_owned(),
    })
}

/// `getCookie("session")`, `Cookies.get("session")`: what a script of the page reads on purpose.
fn is_read_by_scripts(map: &RepoMap, name: &str) -> bool {
    map.calls().any(|(call, site)| {
        let reads = matches!(site.callee.dotted().as_deref(), Some("getCookie" | "Cookies.get" | "Cookie.get"));
        // Hono's takes the request before the name.
        reads
            && matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Text(own)) if *own == name)
            && map.file(call.file).role == FileRole::Production
    })
}

/// `routes/debug.ts`, `local_debug_router.ts`: served where nobody but the developer is.
fn is_for_development(path: &str) -> bool {
    const WORDS: &[&str] = &["debug", "dev", "development", "local", "mock", "fake"];
    let names = path.rsplit('/').take(2).map(|part| part.split('.').next().unwrap_or(part));
    names.flat_map(place::words).any(|word| WORDS.contains(&word.as_str()))
}

fn finding(map: &RepoMap, call: CallId) -> Option<Finding> {
    let (name, fault) = fault(map, call)?;
    let (what, confidence) = match fault {
        Fault::SwitchedOff => (format!("switches `httpOnly` off for the cookie `{name}`"), Confidence::High),
        Fault::Missing => (format!("sets the cookie `{name}` without `httpOnly`"), Confidence::Med),
    };
    let function = place::function_name(map, call);
    Some(
        FindingDraft::at_call(&DOC, map, call, "cookie")
            .title(format!("`{function}` {what}"))
            .message(format!(
                "`{function}` {what}: any script that gets into the page can read it and take over the session."
            ))
            .impact(3)
            .effort(Effort::S)
            .risk(Risk::Low)
            .confidence(confidence)
            .build(),
    )
}

fn fault(map: &RepoMap, call: CallId) -> Option<(String, Fault)> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    let arguments = match setter(&site.callee, &site.name)? {
        Setter::Method => site.arguments.as_slice(),
        Setter::Function => site.arguments.get(1..)?,
    };
    if !source.language.is_ecmascript()
        || source.role != FileRole::Production
        || place::in_test(map, call)
        || is_for_development(&source.path)
    {
        return None;
    }
    let Expr::Text(name) = place::resolve(facts, site.caller, arguments.first()?) else { return None };
    if is_read_by_scripts(map, name) {
        return None;
    }
    // Cleared, or a constant that is no secret.
    if !holds_session(name)
        || matches!(arguments.get(1)?.peeled(), Expr::Text(_) | Expr::Nothing | Expr::Bool(_) | Expr::Number(_))
    {
        return None;
    }
    let Some(options) = arguments.get(2) else { return Some((name.to_string(), Fault::Missing)) };
    let Expr::Object(entries) = place::resolve(facts, site.caller, options) else { return None };
    if entries.iter().any(|(key, _)| key == "...")
        || entries.iter().any(|(key, value)| key == "maxAge" && matches!(value, Expr::Number(number) if number == "0"))
    {
        return None;
    }
    let http_only =
        entries.iter().find(|(key, _)| key.eq_ignore_ascii_case("httpOnly")).map(|(_, value)| value.peeled());
    match http_only {
        Some(Expr::Bool(false)) => Some((name.to_string(), Fault::SwitchedOff)),
        Some(_) => None,
        None => Some((name.to_string(), Fault::Missing)),
    }
}

enum Setter {
    /// `res.cookie(name, value, options)`.
    Method,
    /// `setCookie(context, name, value, options)`.
    Function,
}

/// Calls that set a cookie on an answer, where `HttpOnly` is off unless asked for.
fn setter(callee: &Expr, name: &str) -> Option<Setter> {
    match callee.peeled() {
        Expr::Member(object, _) => match (object.last_name(), name) {
            (Some("res" | "response" | "reply"), "cookie" | "setCookie") => Some(Setter::Method),
            (Some("cookies"), "set") => {
                // Koa's own default is on.
                let koa = matches!(object.root_name(), Some("ctx" | "context" | "this"));
                (!koa).then_some(Setter::Method)
            }
            _ => None,
        },
        Expr::Name(_) if name == "setCookie" => Some(Setter::Function),
        _ => None,
    }
}

/// Names of cookies that are worth stealing.
fn holds_session(name: &str) -> bool {
    let words = place::words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    has(&["session", "sessionid", "sid", "token", "jwt", "auth", "authorization", "accesstoken", "refreshtoken"])
        && !has(&[
            "csrf", "xsrf", "state", "nonce", "theme", "locale", "hint", "flag", "expires", "expiry", "exists", "type",
            "status", "count",
        ])
}
