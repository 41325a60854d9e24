//! `skipped-test`: a focused test that keeps the rest of its file from running.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{CallSite, Span};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A test that is focused, so that others are skipped.
pub struct SkippedTest;

static DOC: RuleDoc = RuleDoc {
    id: "skipped-test",
    category: Category::Tests,
    what: "`it.only`, `test.only`, `describe.only`, `fit` or `fdescribe` left in a test file",
    why: "every other test of the file silently stops running: the suite stays green whatever they would say",
    quiet_when: "the call is not one of a test runner, or the file is no test",
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
            let tests = || source.facts.calls.iter().filter(|call| is_test_call(call));
            // Each test is named by itself: nothing is kept from running.
            if tests().all(|call| focus(call).is_some()) {
                continue;
            }
            let runs = tests().count();
            for (call, index) in source.facts.calls.iter().zip(0..) {
                if let Some(focus) = focus(call) {
                    found.push(finding(map, CallId { file, index }, focus, runs));
                }
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

fn is_test_call(call: &CallSite) -> bool {
    let root = call.callee.root_name().unwrap_or_default();
    ["it", "test", "specify", "fit"].contains(&root) && call.arguments.len() >= 2
}

fn finding(map: &RepoMap, call: CallId, focus: Focus, runs: usize) -> Finding {
    let site = map.call(call);
    let written = match focus {
        Focus::Member => site.callee.dotted().unwrap_or_else(|| "only".to_owned()),
        Focus::Short(short, _) => short.to_owned(),
    };
    let path = &map.file(call.file).path;
    FindingDraft::at_call(&DOC, map, call, "focused test")
        .title(format!("`{written}` keeps the other tests of its file from running"))
        .message(format!(
            "`{written}` in `{path}` makes the runner leave out everything else in the file, which holds {}.",
            count_of(runs, "test")
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
