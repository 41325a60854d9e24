//! `open-redirect`: a browser sent to an address chosen by whoever made the link.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow, Trust};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::recon::CommandPurpose;

/// A redirect to an address from the request.
pub struct OpenRedirect;

static DOC: RuleDoc = RuleDoc {
    id: "open-redirect",
    category: Category::Security,
    what: "a redirect whose host the request decides",
    why: "a link to this site that ends on another one is what phishing needs, and after a login it takes codes and tokens along",
    quiet_when: "the address starts with a fixed host or a fixed path, its path is that of the page or fixed and only the query is given, the value is one of a fixed list, was compared with what is \
                 registered, or something asked about it before",
    example: "res.redirect(req.query.next);",
};

impl Rule for OpenRedirect {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Redirect)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let groups = tainted::groups(map, effects, &[Danger::Redirect]);
        groups
            .iter()
            .filter(|group| !keeps_the_page(map, group.worst))
            .map(|group| finding(map, effects, group))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Redirect], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let name = tainted::callee(map, flow);
        let (first, _) = tainted::lines(map, &group);
        let goal = GateDraft::TextPresent { text: "origin".to_owned(), file: path.clone() };
        Some(PlanDraft {
            title: format!("Keep the redirect of `{function}` on this site"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Check where `{name}` leads"),
                instruction: format!(
                    "In `{path}`, `{function}`, before line {first}: resolve the value against this site's own address (`new URL(value, \
                     base)` in JavaScript, `base.join(value)` in Rust), compare its `origin` with that of the base, and go to the start page \
                     when it differs. Redirect to the resolved address, not to the value."
                ),
                edits: Vec::new(),
                gates: vec![
                    GateDraft::Project(CommandPurpose::Typecheck),
                    GateDraft::Project(CommandPurpose::Test),
                    goal.clone(),
                ],
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the redirect in `{function}`") }],
            out_of_scope: vec![("where ordinary links lead".to_owned(), "paths of this site keep working".to_owned())],
            tests: vec![
                format!("`{function}` with `/settings?tab=1` leads there as before"),
                "`https://evil.example`, `//evil.example`, `/\\\\evil.example` and `javascript:alert(1)` lead to the start page"
                    .to_owned(),
            ],
            edge_cases: vec![
                "a value that starts with one slash may still start with two".to_owned(),
                "browsers read a backslash as a slash".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: vec![goal],
            stop_conditions: vec![
                "other sites are meant (an OAuth client's registered address): then the value must be compared with what is registered"
                    .to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// A value behind one slash is a host only when it starts with a second one. A segment of a route seldom can, and pages build
/// their own links from what stands in their address all the time.
fn confidence(map: &RepoMap, effects: &Effects, flow: &Flow) -> Confidence {
    let from = |kind: &str| flow.source.split(['.', '[']).any(|part| part == kind);
    let is_segment = from("params");
    // No link sets a cookie: what stands in it was put there by this site.
    if from("cookies") {
        return Confidence::Low;
    }
    // Nor does a link have a body, or another method than GET: another site has to send a form. What a server action is given, a page of this site sends.
    let is_sent = || {
        effects.entries.of_call(map, flow.sink).is_some_and(|reach| {
            ["POST ", "PUT ", "PATCH ", "DELETE "].iter().any(|method| reach.entry.label.starts_with(method))
        })
    };
    if from("body") || from("parsedInput") || from("clientInput") || is_sent() {
        return tainted::confidence(flow).min(Confidence::Med);
    }
    if flow.context.before == "/" && (flow.trust != Trust::Client || is_segment) {
        Confidence::Low
    } else {
        tainted::confidence(flow)
    }
}

/// `router.push({ pathname: router.pathname, query })`: the parts of an address, and the path is one of this site's own.
fn keeps_the_page(map: &RepoMap, flow: &Flow) -> bool {
    let facts = &map.file(flow.sink.file).facts;
    let site = map.call(flow.sink);
    let Some(target) = site.arguments.first() else { return false };
    let Expr::Object(parts) = place::resolve(facts, site.caller, target).peeled() else { return false };
    let is_own = |value: &Expr| match value.peeled() {
        Expr::Text(_) => true,
        Expr::Member(_, name) => matches!(name.as_str(), "pathname" | "route"),
        _ => false,
    };
    let decides = |key: &str| matches!(key, "host" | "hostname" | "protocol" | "href" | "url");
    parts.iter().any(|(key, value)| key == "pathname" && is_own(value)) && !parts.iter().any(|(key, _)| decides(key))
}

fn finding(map: &RepoMap, effects: &Effects, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    tainted::draft(&DOC, map, group, "redirect")
        .title(format!("`{function}` redirects to {}", tainted::whose(flow)))
        .message(format!(
            "`{function}` gives `{name}` an address whose host is decided by {}: a link to this site can end on any other.{}",
            tainted::value(flow),
            tainted::leak(flow)
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence(map, effects, flow))
        .build()
}
