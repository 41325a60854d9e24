//! `skipped-test`: a focused test that keeps the rest of its file from running.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, RegionKind, Span};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SourceFile};

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
        let found: Vec<Focused> = map
            .files_with_ids()
            .filter(|(_, source)| source.role == FileRole::Test && source.language.is_ecmascript())
            .filter_map(|(file, source)| focused(file, source))
            .collect();
        // One leftover is like the other: whoever looks for one finds all.
        if found.is_empty() { Vec::new() } else { vec![finding(map, &found)] }
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let mut files: Vec<&str> = Vec::new();
        let mut steps = Vec::new();
        for place in &finding.evidence {
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
            steps.push(StepDraft {
                title: format!("Remove the focus in `{}`, line {}", place.file, place.start_line),
                instruction: format!("In `{}`, line {}: the edit below.", place.file, place.start_line),
                edits: vec![EditDraft::Replace { file: place.file.clone(), span, text: replacement.to_owned() }],
                gates: vec![gone, GateDraft::Project(CommandPurpose::Test)],
            });
            if !files.contains(&place.file.as_str()) {
                files.push(&place.file);
            }
        }
        let scope = |path: &&str| ScopeDraft { path: (*path).to_owned(), remark: "the focused test".to_owned() };
        Some(PlanDraft {
            title: match files.as_slice() {
                [one] => format!("Let every test of `{one}` run again"),
                more => format!("Let every test of {} files run again", more.len()),
            },
            why: format!(
                "{} The focus is a leftover of debugging; without it the tests guard what they were written for.",
                finding.message
            ),
            steps,
            in_scope: files.iter().map(scope).collect(),
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

/// A file whose tests do not all run.
struct Focused {
    file: FileId,
    calls: Vec<(CallIndex, Focus)>,
    left_out: usize,
    all: usize,
}

fn focused(file: FileId, source: &SourceFile) -> Option<Focused> {
    let calls: Vec<(CallIndex, Focus)> = (0..)
        .zip(&source.facts.calls)
        .filter_map(|(index, call)| Some((index, focus(call)?)))
        .filter(|(index, _)| !is_chosen(&source.facts, *index))
        .collect();
    let (mut all, mut left_out) = (0, 0);
    for test in source.facts.calls.iter().filter(|call| is_test_call(call)) {
        all += 1;
        left_out += usize::from(!runs(&source.facts, test, &calls));
    }
    // Every test is named by itself or stands in a group that is: nothing is kept from running.
    (left_out > 0 && !calls.is_empty()).then_some(Focused { file, calls, left_out, all })
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

fn finding(map: &RepoMap, found: &[Focused]) -> Finding {
    const MAX_FILES: usize = 8;
    let sites = || {
        found
            .iter()
            .flat_map(|own| own.calls.iter().map(|(index, focus)| (CallId { file: own.file, index: *index }, *focus)))
    };
    let written = |own: &Focused| {
        let (index, focus) = own.calls[0];
        match focus {
            Focus::Member => {
                map.call(CallId { file: own.file, index }).callee.dotted().unwrap_or_else(|| "only".to_owned())
            }
            Focus::Short(short, _) => short.to_owned(),
        }
    };
    let told: Vec<String> = found
        .iter()
        .take(MAX_FILES)
        .map(|own| {
            format!(
                "`{}` in `{}` makes the runner leave out {} of the file's {}",
                written(own),
                map.file(own.file).path,
                own.left_out,
                count_of(own.all, "test")
            )
        })
        .collect();
    let more = found.len().saturating_sub(MAX_FILES);
    let more = if more > 0 { format!("; {} more do the like", count_of(more, "file")) } else { String::new() };
    let title = match found {
        [one] => format!("`{}` keeps the other tests of its file from running", written(one)),
        more => format!("`{}` keeps other tests of {} files from running", written(&more[0]), more.len()),
    };
    let first = CallId { file: found[0].file, index: found[0].calls[0].0 };
    let mut draft = FindingDraft::at_call(&DOC, map, first, "focused test")
        .title(title)
        .message(format!("{}{more}.", told.join("; ")))
        .impact(4)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High);
    for (call, _) in sites().skip(1) {
        draft = draft.and_call(map, call, "focused test");
    }
    draft.build()
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
