//! `partial-host-check`: an address let through because a part of it looks right.

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, FileFacts, RegionKind, Usage};
use crate::repo_map::name::words;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A host compared by a piece of the text.
pub struct PartialHostCheck;

static DOC: RuleDoc = RuleDoc {
    id: "partial-host-check",
    category: Category::Security,
    what: "an address or origin that is let through because its text contains a host, starts with one without a slash after it, or ends \
           with one without a dot before it",
    why: "`https://example.com.evil.org`, `https://evil.org/?example.com` and `evilexample.com` pass as well, so the check keeps nobody out",
    quiet_when: "the whole host is compared, a dot stands before the ending or a slash after the beginning, it is no check by its place (a \
                 schema's `refine`, the `origin` of CORS, a function named so, a message's origin), or the code does not ship",
    example: "z.string().url().refine((url) => url.includes('example.com'));",
};

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// `z.string().refine((url) => …)`.
    Schema,
    /// `cors({ origin: (origin, done) => … })`.
    Cors,
    /// `event.origin` of a message between windows.
    Message,
    /// `function isTrustedUrl(url)`.
    Named,
}

impl Rule for PartialHostCheck {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.calls().filter_map(|(call, site)| finding(map, call, site)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "Compare the whole host",
            instruction: "parse the value (`new URL(value)`; what cannot be parsed is refused), and let it through only where `hostname` \
                          equals the host, or ends with a dot and the host where every subdomain is to be trusted. Ask for the protocol as \
                          well (`https:`)."
                .to_owned(),
            edits: Vec::new(),
            test: "the host itself passes; the host as a path, as a query, as a subdomain of another host and with letters before it is refused",
            edge_case: "capital letters, a port, a user name before `@` and a trailing dot after the host",
            stop: "nothing is allowed by the check: it only chooses how something looks",
        };
        Some(remedy.plan(finding, context))
    }
}

fn finding(map: &RepoMap, call: CallId, site: &CallSite) -> Option<Finding> {
    let source = map.file(call.file);
    if !source.language.is_ecmascript() || source.role != FileRole::Production || place::in_test(map, call) {
        return None;
    }
    let Expr::Member(value, method) = site.callee.peeled() else { return None };
    let [Expr::Text(host)] = site.arguments.as_slice() else { return None };
    let passes = passes(method, host, value)?;
    let decides = matches!(site.usage, Usage::Returned | Usage::Tested | Usage::Operand);
    let context = context(map, call, value).filter(|_| decides)?;
    let function = place::function_name(map, call);
    let shown = value.dotted().unwrap_or_else(|| "the value".to_owned());
    Some(
        FindingDraft::at_call(&DOC, map, call, "check")
            .title(format!("`{function}` trusts what only {} `{host}`", verb(method)))
            .message(format!(
                "`{shown}` is let through where it {} `{host}`: `{passes}` passes as well, so the check keeps nobody out.",
                verb(method)
            ))
            .impact(match context {
                Context::Schema | Context::Cors => 4,
                Context::Message | Context::Named => 3,
            })
            .effort(Effort::S)
            .risk(Risk::Low)
            .confidence(match context {
                Context::Schema | Context::Cors | Context::Message => Confidence::High,
                Context::Named => Confidence::Med,
            })
            .build(),
    )
}

fn verb(method: &str) -> &'static str {
    match method {
        "startsWith" => "starts with",
        "endsWith" => "ends with",
        _ => "contains",
    }
}

/// An address that passes and should not; `None` when the check is whole, or is about no host.
fn passes(method: &str, text: &str, value: &Expr) -> Option<String> {
    const SPEAK: &[&str] = &[
        "url", "uri", "href", "origin", "host", "hostname", "domain", "referer", "referrer", "redirect", "callback",
        "link",
    ];
    let of_address =
        value.last_name().is_some_and(|name| words(name).iter().any(|word| SPEAK.contains(&word.as_str())));
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    if !of_address || !is_host(host) {
        return None;
    }
    match method {
        "includes" | "indexOf" => Some(format!("https://evil.org/?{host}")),
        "startsWith" if host != text => Some(format!("{text}.evil.org")),
        "endsWith" if host == text => Some(format!("https://evil{host}")),
        _ => None,
    }
}

/// `example.com`: at least two labels, the last one of letters. `.example.com` and `example.com/` are none.
fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let is_label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    labels.len() > 1
        && labels.iter().all(is_label)
        && labels.last().is_some_and(|top| top.len() > 1 && top.chars().all(|c| c.is_ascii_lowercase()))
}

fn context(map: &RepoMap, call: CallId, value: &Expr) -> Option<Context> {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let host_of_callback = facts.enclosing_regions(site.region).find_map(|(_, region)| match &region.kind {
        RegionKind::Callback { call, .. } => Some(*call),
        _ => None,
    });
    if let Some(Some(outer)) = host_of_callback {
        match facts.call(outer).name.as_str() {
            "refine" | "superRefine" => return Some(Context::Schema),
            "addEventListener" if is_message(facts, outer) && value.last_name() == Some("origin") => {
                return Some(Context::Message);
            }
            _ => {}
        }
    }
    // The function stands in an object: it is no callback of the call itself.
    if facts.calls.iter().any(|outer| outer.name == "cors" && outer.span.contains(site.span)) {
        return Some(Context::Cors);
    }
    let function = map.caller_of(call).map(|function| map.symbol(function).name)?;
    is_check(&function).then_some(Context::Named)
}

fn is_message(facts: &FileFacts, call: u32) -> bool {
    matches!(facts.call(call).arguments.first(), Some(Expr::Text(event)) if event == "message")
}

/// `isTrustedUrl`, `validateRedirect`, `checkOrigin`, `assertAllowedHost`.
fn is_check(name: &str) -> bool {
    const TRUST: &[&str] =
        &["trusted", "allowed", "safe", "permitted", "whitelisted", "allowlisted", "authorized", "valid"];
    const VERBS: &[&str] = &["validate", "check", "verify", "assert", "ensure", "allow"];
    const SUBJECTS: &[&str] =
        &["url", "uri", "origin", "host", "hostname", "domain", "redirect", "callback", "referer", "link"];
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(SUBJECTS) && (has(TRUST) || words.first().is_some_and(|verb| VERBS.contains(&verb.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_labels_and_a_top_one_of_letters() {
        assert!(is_host("example.com") && is_host("a-b.example.co"));
        assert!(
            !is_host(".example.com")
                && !is_host("example.com/")
                && !is_host("1.2")
                && !is_host("image.PNG")
                && !is_host("com")
        );
    }

    #[test]
    fn names_that_speak_of_trust_in_addresses_are_checks() {
        assert!(is_check("isTrustedUrl") && is_check("validateRedirect") && is_check("check_origin"));
        assert!(!is_check("isExternalLink") && !is_check("selectProvider") && !is_check("isValidUser"));
    }
}
