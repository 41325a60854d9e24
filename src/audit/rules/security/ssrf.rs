//! `ssrf`: a server that fetches an address chosen by whoever sends the request.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow, Trust};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::CommandPurpose;

/// A request to a host that somebody outside chose.
pub struct Ssrf;

static DOC: RuleDoc = RuleDoc {
    id: "ssrf",
    category: Category::Security,
    what: "a request sent by the server to a host that the client chose",
    why: "the server reaches what the client cannot: the cloud's metadata service, databases and admin pages of the inner network",
    quiet_when: "the address starts with a fixed host and a slash, the value is one of a fixed list, or its parsed host was set or \
                 compared; functions that ask for a secret of the server's environment first; code of the page itself; where \
                 the route asks who is calling, and of the window of a desktop program, it is told with low confidence",
    example: "app.get('/preview', async (req, res) => res.send(await (await fetch(req.query.url)).text()));",
};

impl Rule for Ssrf {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Url)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        tainted::groups(map, effects, &[Danger::Url]).iter().map(|group| finding(map, effects, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Url], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let name = tainted::callee(map, flow);
        let (first, _) = tainted::lines(map, &group);
        let rust = map.file(flow.sink.file).language == LanguageName::Rust;
        let (shape, mark) = if rust {
            (
                "parse it with `Url::parse`, require the scheme `https`, and require `host_str()` to be in a constant list of hosts this \
                 feature needs; where any public host must work, resolve it and refuse loopback, private, link-local and unspecified \
                 addresses",
                "host_str",
            )
        } else {
            (
                "parse it with `new URL(value)`, require `protocol === 'https:'`, and require `hostname` to be in a constant list of \
                 hosts this feature needs; where any public host must work, resolve it and refuse loopback, private, link-local and \
                 unspecified addresses",
                "hostname",
            )
        };
        let goal = GateDraft::TextPresent { text: mark.to_owned(), file: path.clone() };
        Some(PlanDraft {
            title: format!("Let `{function}` fetch from known hosts only"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Check the host before `{name}`"),
                instruction: format!(
                    "In `{path}`, `{function}`, before line {first}: take the address apart before it is fetched: {shape}. Compare the \
                     parsed host, never a prefix or a part of the text. Answer a refused address in the way this file answers bad input, \
                     and switch following of redirects off (or check every target the same way)."
                ),
                edits: Vec::new(),
                gates: vec![
                    GateDraft::Project(CommandPurpose::Typecheck),
                    GateDraft::Project(CommandPurpose::Test),
                    goal.clone(),
                ],
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the request in `{function}`") }],
            out_of_scope: vec![("what is done with the answer".to_owned(), "only which hosts are asked changes".to_owned())],
            tests: vec![
                format!("`{function}` with an address of an allowed host gives what it gave before"),
                "`http://169.254.169.254/`, `http://127.0.0.1/`, `https://allowed.example.evil.example/` and \
                 `https://allowed.example@evil.example/` are refused without a request"
                    .to_owned(),
            ],
            edge_cases: vec![
                "an allow-list by `startsWith` needs the slash after the host, or a longer name passes".to_owned(),
                "a host name that resolves to a private address; a redirect to one".to_owned(),
                "a path that starts with two slashes names a host of its own".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: vec![goal],
            stop_conditions: vec![
                "the feature exists to fetch whatever users name (webhooks, feeds): then the network must keep it from inner hosts, \
                 which is not decided in this file"
                    .to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// Many features exist to fetch what users name; a check that can be passed shows that this one does not.
fn confidence(map: &RepoMap, effects: &Effects, flow: &Flow) -> Confidence {
    match tainted::confidence(flow) {
        Confidence::High if flow.leak.is_some() => Confidence::High,
        // Who was let in to say where something is to be fetched from was let in for that.
        Confidence::High | Confidence::Med if tainted::is_guarded(map, effects, flow) => Confidence::Low,
        Confidence::High => Confidence::Med,
        // The window of a desktop program can ask any host by itself.
        Confidence::Med | Confidence::Low if flow.trust == Trust::Stored => Confidence::Low,
        other => other,
    }
}

fn finding(map: &RepoMap, effects: &Effects, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    let confidence = confidence(map, effects, flow);
    tainted::draft(&DOC, map, group, "request")
        .title(format!("`{function}` sends a request to a host from {}", tainted::whose(flow).trim_start_matches("a value from ")))
        .message(format!(
            "`{function}` gives `{name}` an address whose host is decided by {}: the server can be made to talk to hosts that only it \
             reaches.{}",
            tainted::value(flow),
            tainted::leak(flow)
        ))
        .impact(if flow.trust == Trust::Client && confidence > Confidence::Low { 4 } else { 3 })
        .effort(Effort::S)
        .confidence(confidence)
        .risk(Risk::Med)
        .build()
}
