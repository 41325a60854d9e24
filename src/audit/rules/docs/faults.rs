//! Faults of one page that one plan mends: the finding with all their places, and the draft with exact edits where they are certain.

use std::collections::BTreeMap;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::pages::Page;
use crate::audit::rule::RuleDoc;
use crate::audit::text::{FileText, count_of, folder_of};
use crate::finding::{Confidence, Effort, Finding, Risk};
use crate::tree::Tree;

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

/// One finding for what neighbouring pages have in common: of those of one folder whose faults are mended alike, the first tells of the
/// others.
pub fn folded(findings: Vec<(String, Finding)>) -> Vec<Finding> {
    let mut groups: BTreeMap<(String, String), Vec<Finding>> = BTreeMap::new();
    for (instead, finding) in findings {
        let folder = folder_of(&finding.location().file).to_owned();
        groups.entry((folder, instead)).or_default().push(finding);
    }
    let fold = |group: Vec<Finding>| {
        let mut pages = group.into_iter();
        let mut first = pages.next()?;
        let others: Vec<Finding> = pages.collect();
        let named: Vec<String> = others.iter().take(SHOWN).map(|own| format!("`{}`", own.location().file)).collect();
        let more = others.len().saturating_sub(SHOWN);
        match others.len() {
            0 => {}
            1 => first.message.push_str(&format!(" So does {}.", named[0])),
            _ if more == 0 => first.message.push_str(&format!(" So do {}.", named.join(", "))),
            _ => first.message.push_str(&format!(" So do {} and {}.", named.join(", "), count_of(more, "more page"))),
        }
        first.impact = others.iter().map(|own| own.impact).fold(first.impact, u8::max);
        first.evidence.extend(others.into_iter().flat_map(|own| own.evidence).take(KEPT));
        Some(first)
    };
    groups.into_values().filter_map(fold).collect()
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

/// The plan that mends those faults of a page which the finding names.
pub fn recipe(words: &Words, finding: &Finding, tree: &dyn Tree, faults: &[Fault]) -> Option<PlanDraft> {
    recipe_of_pages(words, finding, tree, &[(finding.location().file.as_str(), faults.to_vec())])
}

/// The same for the faults of several pages, which one finding names.
pub fn recipe_of_pages(
    words: &Words,
    finding: &Finding,
    tree: &dyn Tree,
    pages: &[(&str, Vec<Fault>)],
) -> Option<PlanDraft> {
    let (mut edits, mut mended, mut by_hand, mut left) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (path, faults) in pages {
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
    let named = match pages {
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
