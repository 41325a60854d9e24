//! `missing-auth`: the one entry point without the guard that its siblings have.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

pub(super) mod guards;
mod siblings;

use siblings::{Odd, odd_ones};

/// A route, procedure or handler that nobody guards, among others that are guarded.
pub struct MissingAuth;

static DOC: RuleDoc = RuleDoc {
    id: "missing-auth",
    category: Category::Security,
    what: "an entry point without the guard that the entry points beside it have",
    why: "whoever knows the address may call it: a check that is made route by route is forgotten on one of them",
    quiet_when: "the guard stands before all routes of the router or of the class, the handler or what it calls looks at the user, the \
                 session or a token itself, the name says that it is public (login, health, webhook, callback, …), too few \
                 siblings are guarded, or it is test code",
    example: "router.post('/orders', requireRole('admin'), create);\nrouter.put('/orders/:id', requireRole('admin'), update);\n\
              router.patch('/orders/:id', requireRole('admin'), patch);\nrouter.delete('/orders/:id', remove);",
};

/// Siblings that are shown beside the odd one.
const SHOWN: usize = 3;
/// The role of their places.
const SIBLING: &str = "sibling";

impl Rule for MissingAuth {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::AuthCheck)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        odd_ones(map, effects).iter().map(|odd| finding(map, odd)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let odd = odd_ones(context.map, context.effects)
            .into_iter()
            .find(|odd| odd.file(context.map) == place.file && odd.line(context.map) == place.start_line)?;
        Some(plan(finding, &odd))
    }
}

fn finding(map: &RepoMap, odd: &Odd<'_>) -> Finding {
    let entry = odd.entry;
    let line = odd.line(map);
    let mut draft = FindingDraft::at_lines(&DOC, odd.file(map), line, line, "entry point")
        .within(map, entry.handler.file(), odd.function())
        .title(format!("`{}` lacks the guard that its siblings have", entry.label))
        .message(format!(
            "{} of {} entry points {} are guarded ({}); `{}` is not, and nothing it calls looks at the user.",
            odd.guarded.len(),
            odd.of,
            odd.group,
            odd.guard_text(),
            entry.label
        ))
        .impact(if odd.writes { 4 } else { 3 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(odd.confidence);
    for (file, line) in odd.guarded.iter().take(SHOWN) {
        draft = draft.and_lines(file.as_str(), *line, *line, SIBLING);
    }
    draft.build()
}

fn plan(finding: &Finding, odd: &Odd<'_>) -> PlanDraft {
    let place = finding.location();
    let siblings: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == SIBLING).collect();
    let listed: Vec<String> =
        siblings.iter().map(|sibling| format!("- `{}`, line {}", sibling.file, sibling.start_line)).collect();
    let gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    PlanDraft {
        title: format!("Guard `{}` like its siblings", odd.entry.label),
        why: finding.message.clone(),
        context: vec![format!(
            "The guards beside it: {}. Which permission is right is said by what the handler reads or changes, not by the nearest \
             line.",
            odd.guard_text()
        )],
        excerpts: siblings
            .iter()
            .take(2)
            .map(|sibling| ExcerptDraft {
                file: sibling.file.clone(),
                start_line: sibling.start_line,
                end_line: sibling.end_line,
                role: "a sibling that is guarded".to_owned(),
            })
            .collect(),
        steps: vec![StepDraft {
            title: format!("Add the guard to `{}`", odd.entry.label),
            instruction: format!(
                "In `{}`, line {}: put the guard that the siblings use at the same place as they do, with the permission that fits \
                 what this handler reads or changes. The siblings:\n\n{}\n\nAdd a test that a request without the permission is \
                 refused, in the file that tests the siblings.",
                place.file,
                place.start_line,
                listed.join("\n")
            ),
            edits: Vec::new(),
            gates,
        }],
        in_scope: vec![ScopeDraft { path: place.file.clone(), remark: "the entry point".to_owned() }],
        out_of_scope: vec![(
            "the guards themselves and the other entry points".to_owned(),
            "they are right already".to_owned(),
        )],
        tests: vec![
            "a request without a session is refused as at the siblings".to_owned(),
            "a user without the permission is refused".to_owned(),
            "a user with the permission gets the same answer as before".to_owned(),
        ],
        edge_cases: vec![
            "callers inside of the product that send no session (jobs, other services) must still work, or be given one".to_owned(),
        ],
        prerequisites: Vec::new(),
        goals: Vec::new(),
        stop_conditions: vec![
            "the entry point is meant to be public: say where that is written down".to_owned(),
            "a guard stands before this router where it is mounted".to_owned(),
            "no existing permission fits: adding one is a decision of the maintainers".to_owned(),
        ],
        maintenance: vec!["A guard on the router instead of on each route cannot be forgotten.".to_owned()],
        risk: None,
    }
}

/// How sure one is when so many siblings are guarded.
fn confidence(guarded: usize, unguarded: usize, writes: bool) -> Confidence {
    match (guarded, unguarded) {
        (4.., 1) if writes => Confidence::High,
        // What only reads is often open to all.
        (3.., 1..=2) if writes => Confidence::Med,
        _ => Confidence::Low,
    }
}
