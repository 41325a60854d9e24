//! Faults of one page that one plan mends: the finding with all their places, and the draft with exact edits where they are certain.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::pages::Page;
use crate::audit::rule::{RecipeContext, RuleDoc};
use crate::audit::text::{FileText, count_of, folder_of};
use crate::finding::{Confidence, Effort, Finding, Risk};

/// Faults a message names one by one.
const SHOWN: usize = 5;
/// Places a finding keeps.
const KEPT: usize = 20;

/// Something a page says that is not so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The line.
    pub line: u32,
    /// The text that is wrong, as it stands there.
    pub written: String,
    /// What is so instead, for people: `the file is at …`; empty when nobody knows.
    pub instead: String,
    /// What takes the place of [`Fault::written`], where only one thing can be meant.
    pub replacement: Option<String>,
}

/// How the finding and its plan speak.
pub struct Words {
    /// `` `src/a.ts`, which does not exist ``: what the page does, for one fault, after its name: `names`.
    pub one: fn(&Fault) -> String,
    /// The same for several: `names 3 files that do not exist`.
    pub many: fn(usize) -> String,
    /// What it costs, as a sentence.
    pub cost: &'static str,
    /// What the plan does, for its title: `Correct the paths`.
    pub mend: &'static str,
    /// How to find out what is right, for the steps that need judgement.
    pub how: &'static str,
    /// What would speak against the change.
    pub stop: &'static str,
}

/// Pages of one folder up to which each is a finding of its own. Our choice: who has more has a habit or a generator.
const BURST: usize = 3;

/// Findings about pages, those of a folder with many of them as one.
pub fn bursts(findings: Vec<Finding>) -> Vec<Finding> {
    bursts_and_copies(findings.into_iter().map(|finding| (finding.location().file.clone(), finding)).collect())
}

/// Findings about pages, each with what it is about: those of a folder with many of them as one, and those about the same.
pub fn bursts_and_copies(findings: Vec<(String, Finding)>) -> Vec<Finding> {
    let mut groups: BTreeMap<(String, Confidence), Vec<(String, Finding)>> = BTreeMap::new();
    for (about, finding) in findings {
        let folder = folder_of(&finding.location().file).to_owned();
        groups.entry((folder, finding.confidence)).or_default().push((about, finding));
    }
    let mut merged: Vec<Vec<(String, Finding)>> = Vec::new();
    let alone = |own| vec![own];
    for group in groups.into_values() {
        let parts = if group.len() > BURST { vec![group] } else { group.into_iter().map(alone).collect() };
        for part in parts {
            let is_same = |(about, own): &(String, Finding)| {
                part.iter().any(|(theirs, other)| theirs == about && other.confidence == own.confidence)
            };
            match merged.iter().position(|known| known.iter().any(is_same)) {
                Some(place) => merged[place].extend(part),
                None => merged.push(part),
            }
        }
    }
    merged.into_iter().map(|group| fold(group.into_iter().map(|(_, finding)| finding).collect())).collect()
}

/// One finding for pages whose faults are mended alike, as `how` says.
pub fn folded(findings: Vec<(String, Finding)>) -> Vec<Finding> {
    let mut groups: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for (how, finding) in findings {
        groups.entry(how).or_default().push(finding);
    }
    groups.into_values().map(fold).collect()
}

/// The first of some findings, which tells of the others.
fn fold(mut group: Vec<Finding>) -> Finding {
    let mut first = group.remove(0);
    let others = group;
    if others.is_empty() {
        return first;
    }
    let named: Vec<String> = others.iter().take(SHOWN).map(|own| format!("`{}`", own.location().file)).collect();
    let more = others.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {}", count_of(more, "more page")) } else { String::new() };
    first.title.push_str(&format!(" (and {})", count_of(others.len(), "more page")));
    first.message.push_str(&format!(" The same is true of {}{more}.", named.join(", ")));
    first.impact = others.iter().map(|own| own.impact).fold(first.impact, u8::max);
    first.evidence.extend(others.into_iter().flat_map(|own| own.evidence).take(KEPT));
    first
}

/// One finding for all faults of a page.
pub fn finding(
    doc: &RuleDoc,
    words: &Words,
    page: &Page,
    faults: &[Fault],
    impact: u8,
    confidence: Confidence,
) -> Option<Finding> {
    let first = faults.first()?;
    let path = &page.path;
    let title = match faults {
        [one] => format!("`{path}` {}", (words.one)(one)),
        many => format!("`{path}` {}", (words.many)(many.len())),
    };
    let said: Vec<String> = faults
        .iter()
        .take(SHOWN)
        .map(|fault| match fault.instead.as_str() {
            "" => format!("`{}` (line {})", fault.written, fault.line),
            instead => format!("`{}` (line {}: {instead})", fault.written, fault.line),
        })
        .collect();
    let more = faults.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut draft = FindingDraft::at_lines(doc, path, first.line, first.line, "says so")
        .expecting(&first.written)
        .title(title)
        .message(format!("`{path}` {}: {}{more}. {}", (words.many)(faults.len()), said.join(", "), words.cost))
        .impact(impact)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence);
    for fault in faults.iter().skip(1).take(KEPT - 1) {
        draft = draft.and_lines(path, fault.line, fault.line, "says so");
    }
    Some(draft.build())
}

/// The plan that mends those faults of its pages which the finding names.
pub fn recipe(
    words: &Words,
    finding: &Finding,
    context: &RecipeContext<'_>,
    faults_of: &dyn Fn(&Page) -> Vec<Fault>,
) -> Option<PlanDraft> {
    let tree = context.tree;
    let paths: BTreeSet<&str> = finding.evidence.iter().map(|place| place.file.as_str()).collect();
    let read = |path| Some((path, faults_of(&Page::read(context.map, tree, path)?)));
    let pages: Vec<(&str, Vec<Fault>)> = paths.into_iter().filter_map(read).collect();
    let (mut edits, mut mended, mut by_hand, mut left) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (path, faults) in &pages {
        let text = FileText::read(tree, path)?;
        let is_told =
            |fault: &&Fault| finding.evidence.iter().any(|place| place.file == *path && place.start_line == fault.line);
        let place = |line: u32| if pages.len() == 1 { format!("line {line}") } else { format!("`{path}` line {line}") };
        for fault in faults.iter().filter(is_told) {
            let span = text.part_span(fault.line, &fault.written);
            let gone = gone(&text, path, fault);
            match (&fault.replacement, span) {
                (Some(replacement), Some(span)) => {
                    mended.extend(gone);
                    mended.push(GateDraft::TextPresent { text: replacement.clone(), file: (*path).to_owned() });
                    edits.push(EditDraft::Replace { file: (*path).to_owned(), span, text: replacement.clone() });
                }
                _ => {
                    left.extend(gone);
                    by_hand.push(match fault.instead.as_str() {
                        "" => format!("- {}: `{}`", place(fault.line), fault.written),
                        instead => format!("- {}: `{}` — {instead}", place(fault.line), fault.written),
                    });
                }
            }
        }
    }
    let named = match pages.as_slice() {
        [(path, _)] => format!("`{path}`"),
        several => count_of(several.len(), "page"),
    };
    let mut steps = Vec::new();
    let goals: Vec<GateDraft> = mended.iter().chain(&left).take(2 * SHOWN).cloned().collect();
    if !edits.is_empty() {
        steps.push(StepDraft {
            title: format!("{}, where only one thing can be meant", words.mend),
            instruction: format!("In {named}, the edits below."),
            edits,
            gates: mended,
        });
    }
    if !by_hand.is_empty() {
        steps.push(StepDraft {
            title: format!("{}, reading the code for each", words.mend),
            instruction: format!("In {named}:\n\n{}\n\n{}", by_hand.join("\n"), words.how),
            edits: Vec::new(),
            gates: left,
        });
    }
    let in_scope = pages.iter().map(|(path, _)| ScopeDraft {
        path: (*path).to_owned(),
        remark: "what the steps name, and the sentences around it".to_owned(),
    });
    (!steps.is_empty()).then(|| PlanDraft {
        title: format!("{} of {named}", words.mend),
        why: finding.message.clone(),
        steps,
        in_scope: in_scope.collect(),
        out_of_scope: vec![("the code".to_owned(), "it is what the page is held against".to_owned())],
        goals,
        stop_conditions: vec![words.stop.to_owned()],
        ..PlanDraft::default()
    })
}

/// The line must not say it any more: the text itself where it stands once, else the whole line.
fn gone(text: &FileText, path: &str, fault: &Fault) -> Option<GateDraft> {
    let alone = |part: &str| text.text.matches(part).count() == 1;
    let kept = |part: &str| fault.replacement.as_deref().is_some_and(|replacement| replacement.contains(part));
    let line = text.line(fault.line)?.trim();
    let gone =
        [fault.written.as_str(), line].into_iter().find(|part| !part.is_empty() && alone(part) && !kept(part))?;
    Some(GateDraft::TextGone { text: gone.to_owned(), file: path.to_owned() })
}
