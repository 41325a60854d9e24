//! `html-injection`: text from outside pasted into a page as markup.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow};
use crate::finding::{Category, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

/// Markup from the request.
pub struct HtmlInjection;

static DOC: RuleDoc = RuleDoc {
    id: "html-injection",
    category: Category::Security,
    what: "text from a request or from the page's address that becomes markup unescaped",
    why: "a link to this page runs a script of whoever made the link, with the session of whoever follows it",
    quiet_when: "the text went through an escaping or sanitising function or a check, stands in JSON, is a number, a header or the host of an address or of the request, or the answer holds no \
                 tags",
    example: "res.send(`<h1>Results for ${req.query.q}</h1>`);",
};

impl Rule for HtmlInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Html)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let groups = tainted::groups(map, effects, &[Danger::Html]);
        groups
            .iter()
            .filter(|group| !group.flows.iter().all(|flow| is_host_asked(flow)))
            .map(|group| finding(map, group))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Html], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let name = tainted::callee(map, flow);
        let (first, last) = tainted::lines(map, &group);
        let goal = crate::audit::place::unique_line(context.tree, &path, first, last, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Escape what `{function}` puts into the page"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Escape the text for `{name}`"),
                instruction: format!(
                    "In `{path}`, `{function}`, lines {first} to {last}: escape the value where it is pasted (`&`, `<`, `>`, `\"`, `'`), with \
                     the function that the project or its template engine has for it, or render it as text (`textContent`, a JSX \
                     expression, a template that escapes). Where markup is meant to be kept, sanitise it with a list of allowed tags."
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the markup in `{function}`") }],
            out_of_scope: vec![("markup that the code itself writes".to_owned(), "it is not the client's".to_owned())],
            tests: vec![
                "a value of `<img src=x onerror=alert(1)>` appears as text".to_owned(),
                "an ordinary value looks as before, `&` and apostrophes included".to_owned(),
            ],
            edge_cases: vec![
                "inside of `<script>`, and in `href`, escaping is not enough: give data as JSON with `<` written `\\u003c`, and check that \
                 an address starts with `https:`"
                    .to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec!["the value is escaped before it gets here: say where".to_owned()],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// Whether the value is the name of the host that was asked: no link chooses it.
fn is_host_asked(flow: &Flow) -> bool {
    let source = flow.source.rsplit(['.', '[']).next().unwrap_or_default();
    matches!(source.trim_matches(['"', '\'', ']', '`']), "hostname" | "host" | "x-forwarded-host")
}

fn finding(map: &RepoMap, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    let name = if flow.library == "react" { flow.api.clone() } else { name };
    tainted::draft(&DOC, map, group, "markup")
        .title(format!("`{function}` puts {} into a page", tainted::whose(flow)))
        .message(format!(
            "`{function}` gives `{name}` markup with {}: a link can carry a script that runs with the session of whoever follows it.{}",
            tainted::value(flow),
            tainted::leak(flow)
        ))
        .impact(4)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(tainted::confidence(flow))
        .build()
}
