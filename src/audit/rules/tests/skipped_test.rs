//! `skipped-test`: a focused test that keeps the rest of its file from running.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, RegionKind, Span};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A test that is focused, so that others are skipped.
pub struct SkippedTest;

static DOC: RuleDoc = RuleDoc {
    id: "skipped-test",
    category: Category::Tests,
    what: "`it.only`, `test.only`, `describe.only`, `fit` or `fdescribe` left in a test file",
    why: "every other test of the file silently stops running: the suite stays green whatever they would say",
    quiet_when: "the call is not one of a test runner, a condition decides whether it is made, every test of the file is focused or in a \
                 group that is, or the file is no test",
    example: "describe.only('totals', () => { … });",
};

const ROOTS: [&str; 6] = ["it", "test", "describe", "suite", "context", "specify"];

impl Rule for SkippedTest {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for (file, source) in map.files_with_ids() {
            if source.role != FileRole::Test || !source.language.is_ecmascript() {
                continue;
            }
            let focused: Vec<(CallIndex, Focus)> = (0..)
                .zip(&source.facts.calls)
                .filter_map(|(index, call)| Some((index, focus(call)?)))
                .filter(|(index, _)| !is_chosen(&source.facts, *index))
                .collect();
            let tests = source.facts.calls.iter().filter(|call| is_test_call(call));
            let (mut all, mut left_out) = (0, 0);
            for test in tests {
                all += 1;
                left_out += usize::from(!runs(&source.facts, test, &focused));
            }
            // Every test is named by itself or stands in a group that is: nothing is kept from running.
            if left_out > 0 {
                let counts = (left_out, all);
                found.extend(focused.iter().map(|&(index, focus)| finding(map, CallId { file, index }, focus, counts)));
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let (_, source) = context.map.file_by_path(&place.file)?;
        let (call, focus) = source
            .facts
            .calls
            .iter()
            .filter(|call| call.line == place.start_line)
            .find_map(|call| Some((call, focus(call)?)))?;
        let text = FileText::read(context.tree, &place.file)?;
        let span = edit_span(&text, call, focus)?;
        let whole = text.line(call.line)?.trim().to_owned();
        let replacement = match focus {
            Focus::Member => "",
            Focus::Short(_, full) => full,
        };
        let gone = GateDraft::TextGone { text: whole, file: place.file.clone() };
        Some(PlanDraft {
            title: format!("Let every test of `{}` run again", place.file),
            why: format!(
                "{} The focus is a leftover of debugging; without it the file's tests guard what they were written for.",
                finding.message
            ),
            steps: vec![StepDraft {
                title: "Remove the focus".to_owned(),
                instruction: format!("In `{}`, line {}: the edit below.", place.file, place.start_line),
                edits: vec![EditDraft::Replace { file: place.file.clone(), span, text: replacement.to_owned() }],
                gates: vec![gone, GateDraft::Project(CommandPurpose::Test)],
            }],
            in_scope: vec![ScopeDraft { path: place.file.clone(), remark: "the focused test".to_owned() }],
            out_of_scope: vec![(
                "tests that fail once they run again".to_owned(),
                "what they say is the next piece of work; deleting or skipping them is not".to_owned(),
            )],
            stop_conditions: vec![
                "tests that run again fail: report which, with their output; do not skip or change them".to_owned(),
            ],
            maintenance: vec![
                "`no-only-tests` of the linter, or the runner's `forbidOnly`/`allowOnly: false`, keeps this out."
                    .to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// How a call narrows the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// `.only`.
    Member,
    /// `fit`, `fdescribe`: what is written, and the plain form.
    Short(&'static str, &'static str),
}

fn focus(call: &CallSite) -> Option<Focus> {
    let name = call.callee.dotted()?;
    let mut parts = name.split('.');
    let root = parts.next()?;
    if ROOTS.contains(&root) {
        return parts.any(|part| part == "only").then_some(Focus::Member);
    }
    let is_whole = name == root && call.arguments.len() >= 2;
    match root {
        "fit" if is_whole => Some(Focus::Short("fit", "it")),
        "fdescribe" if is_whole => Some(Focus::Short("fdescribe", "describe")),
        _ => None,
    }
}

/// Whether a condition decides if the call is made: `if (!database) { it.only('nothing to do', …) }`.
fn is_chosen(facts: &FileFacts, call: CallIndex) -> bool {
    let mut regions = facts.enclosing_regions(facts.call(call).region);
    regions.any(|(_, region)| matches!(region.kind, RegionKind::Branch))
}

/// Whether a test still runs: it is focused itself, or the innermost focus around it has no narrower one inside.
fn runs(facts: &FileFacts, test: &CallSite, focused: &[(CallIndex, Focus)]) -> bool {
    let spans = || focused.iter().map(|(index, _)| facts.call(*index).span);
    let innermost = spans().filter(|span| span.contains(test.span)).min_by_key(|span| span.end - span.start);
    innermost
        .is_some_and(|around| around == test.span || !spans().any(|inner| inner != around && around.contains(inner)))
}

fn is_test_call(call: &CallSite) -> bool {
    let root = call.callee.root_name().unwrap_or_default();
    ["it", "test", "specify", "fit"].contains(&root) && call.arguments.len() >= 2
}

fn finding(map: &RepoMap, call: CallId, focus: Focus, (left_out, all): (usize, usize)) -> Finding {
    let site = map.call(call);
    let written = match focus {
        Focus::Member => site.callee.dotted().unwrap_or_else(|| "only".to_owned()),
        Focus::Short(short, _) => short.to_owned(),
    };
    let path = &map.file(call.file).path;
    FindingDraft::at_call(&DOC, map, call, "focused test")
        .title(format!("`{written}` keeps the other tests of its file from running"))
        .message(format!(
            "`{written}` in `{path}` makes the runner leave out {left_out} of the file's {}.",
            count_of(all, "test")
        ))
        .impact(4)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .build()
}

/// Bytes to replace: `.only`, or the short name.
fn edit_span(text: &FileText, call: &CallSite, focus: Focus) -> Option<Span> {
    let written = text.slice(call.span)?;
    let (at, len) = match focus {
        Focus::Member => (written.find(".only")?, ".only".len()),
        Focus::Short(short, _) => (written.starts_with(short).then_some(0)?, short.len()),
    };
    let start = call.span.start + at as u32;
    Some(Span { start, end: start + len as u32 })
}
