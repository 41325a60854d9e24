//! `regex-injection`: a regular expression made of what the request holds.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

/// A regular expression built from a request.
pub struct RegexInjection;

static DOC: RuleDoc = RuleDoc {
    id: "regex-injection",
    category: Category::Security,
    what: "a JavaScript regular expression built from a value of the request",
    why: "a pattern such as `(a+)+$` keeps the only thread busy for minutes, and a dot matches what was meant to be kept apart",
    quiet_when: "the value goes through an escaping function, or is one of a fixed list; the pattern is only tried and never matched; engines that run \
                 in linear time (Rust)",
    example: "const found = names.filter((name) => new RegExp(req.query.q).test(name));",
};

impl Rule for RegexInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Regex)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        tainted::groups(map, effects, &[Danger::Regex]).iter().map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Regex], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let (first, _) = tainted::lines(map, &group);
        Some(PlanDraft {
            title: format!("Escape what goes into the pattern of `{function}`"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: "Compare text, or escape it".to_owned(),
                instruction: format!(
                    "In `{path}`, `{function}`, line {first}: where the value is looked for as it is, use `includes`, `startsWith` or a \
                     comparison of lower-cased text instead of a pattern. Where a pattern is needed around it, escape the value first with \
                     the escaping function this repository has, else `value.replace(/[.*+?^${{}}()|[\\]\\\\]/g, '\\\\$&')` in one place."
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the pattern in `{function}`") }],
            out_of_scope: vec![("what is searched".to_owned(), "only how the value is compared changes".to_owned())],
            tests: vec![
                format!("`{function}` with an ordinary word finds the same as before"),
                "`(` is no error, `.` finds only a dot, and `(a+)+$` against forty letters `a` and a `!` answers at once".to_owned(),
            ],
            edge_cases: vec!["an empty value matched everything before: decide whether it still does".to_owned()],
            prerequisites: Vec::new(),
            goals: vec![GateDraft::Project(CommandPurpose::Test)],
            stop_conditions: vec!["users are meant to write patterns here: then a linear-time engine or a time limit is needed".to_owned()],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// A field that is named for a pattern is meant to hold one: whoever may send it may search with it.
fn confidence(flow: &Flow) -> Confidence {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let field = match last(&flow.source) {
        // The whole body: what is taken of it tells its name.
        whole if matches!(whole.as_str(), "json" | "formData" | "body" | "text" | "data" | "") => {
            last(flow.value.as_deref().unwrap_or_default())
        }
        field => field,
    };
    let is_pattern = place::words(&field).iter().any(|word| {
        matches!(word.as_str(), "pattern" | "patterns" | "regex" | "regexp" | "regexes" | "expression" | "glob")
    });
    if is_pattern { Confidence::Low } else { tainted::confidence(flow) }
}

fn finding(map: &RepoMap, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let function = tainted::function(map, flow);
    tainted::draft(&DOC, map, group, "pattern")
        .title(format!("`{function}` builds a regular expression from {}", tainted::whose(flow)))
        .message(format!(
            "`{function}` makes a pattern from {}: whoever sends it can make the match take minutes, or match more than was meant.{}",
            tainted::value(flow),
            tainted::leak(flow)
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence(flow))
        .build()
}
