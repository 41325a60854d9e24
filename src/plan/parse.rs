//! Markdown → [`Plan`]: reads what `improve` writes and what public plans of this format look like.
//!
//! Nothing is thrown away: what is not understood stays as text, and [`unreadable_gates`] lists what asks for a check that no
//! program can make. Writing is [`super::render`]'s job, judging [`super::lint`]'s.

use std::sync::LazyLock;

use regex::Regex;

mod commands;
mod document;
pub(crate) mod edits;
mod excerpts;
pub(crate) mod gates;
pub(crate) mod names;
pub(crate) mod programs;
pub(crate) mod scope;
pub(crate) mod status;
pub(crate) mod steps;
pub(crate) mod verify;

use super::markdown::{Blocks, code_spans, flow, tidy};
use super::{Criterion, ExtraSection, Plan};
use names::Known;

/// A text that is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlan {
    /// Nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// No heading of level 1.
    #[error("no title: the file has no heading of level 1")]
    NoTitle,
    /// A title, and nothing that belongs to a plan.
    #[error("no steps and no section of a plan under \"{title}\"")]
    NoSection {
        /// The title.
        title: String,
    },
}

impl NotAPlan {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            NotAPlan::Empty => "write the plan, or let `improve plan` write it",
            NotAPlan::NoTitle => "start the file with `# Plan 001: <what will be true afterwards>`",
            NotAPlan::NoSection { .. } => {
                "a plan has sections such as `## Scope`, `## Steps` and `## Done criteria`; is this the right file?"
            }
        }
    }
}

/// Something that asks for a check that no program can make.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnreadableGate {
    /// Line of the plan, 1-based.
    pub line: u32,
    /// The text as written.
    pub text: String,
    /// The number of its step, counted from 1 in the order of the document.
    pub step: usize,
}

static NUMBERED_TITLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^plan\s+#?(\d{1,9})\s*(\([^)]*\))?\s*(?:[:：|]|[—–-]+|\.\s|$)\s*(.*)$")
        .expect("a constant pattern")
});
static UNNUMBERED_TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^plan\s*(\([^)]*\))?\s*[:：]\s*(.*)$").expect("a constant pattern"));
static BARE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^#?(\d{1,5})\s*(\([^)]*\))?\s*(?:[:：|]|[—–-]+\s|[.)]\s)\s*(.+)$").expect("a constant pattern")
});

/// Reads a plan.
pub fn parse(text: &str) -> Result<Plan, NotAPlan> {
    let text = document::normalise(text);
    if text.trim().is_empty() {
        return Err(NotAPlan::Empty);
    }
    let mut sections = document::sections(&text);
    let Some(title) = sections.iter().position(|section| section.level == 1) else { return Err(NotAPlan::NoTitle) };
    let title = sections.remove(title);
    let mut plan = Plan::default();
    (plan.number, plan.title) = read_title(&title.heading);
    let before = sections.remove(0);
    plan.preamble = tidy(&format!("{}\n\n{}", before.body, title.body));
    let sorted = document::sort(sections);
    let has_sections = !sorted.known.is_empty() || !sorted.steps.is_empty();
    for section in &sorted.steps {
        plan.section_lines.entry(Known::Steps.name().to_owned()).or_insert(section.line);
    }
    for (known, section) in &sorted.known {
        plan.section_lines.entry(known.name().to_owned()).or_insert(section.line);
        read_section(*known, section, &mut plan);
    }
    if !sorted.steps.is_empty() {
        plan.steps.extend(steps::read_sections(&sorted.steps));
    }
    plan.extra_sections = sorted
        .extra
        .into_iter()
        .map(|(after, section)| ExtraSection { heading: section.heading, body: tidy(&section.body), after })
        .collect();
    let has_status = sorted.known.iter().any(|(known, _)| *known == Known::Status);
    if !has_status && let Some((status, preamble)) = status::read_flat(&plan.preamble) {
        (plan.status, plan.preamble) = (status, preamble);
    } else if !has_sections {
        return Err(NotAPlan::NoSection { title: plan.title });
    }
    plan.drift_check = drift_check(&plan.preamble);
    Ok(plan)
}

/// The number of steps: step headings, else the numbered items at the top level of the Steps section.
pub fn step_count(plan: &Plan) -> usize {
    plan.steps.len()
}

/// The number of commands in Verify lines; done criteria are counted apart.
pub fn gate_count(plan: &Plan) -> usize {
    plan.steps.iter().map(|step| step.gates.len()).sum()
}

/// What the Verify lines of `plan` ask for that no program can check.
pub fn unreadable_gates(plan: &Plan) -> Vec<UnreadableGate> {
    let mut found = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let reading = gates::read(&step.verify_text, step.verify_line);
        found.extend(reading.unreadable.into_iter().map(|(line, text)| UnreadableGate { line, text, step: index + 1 }));
    }
    found.sort_by_key(|gate| (gate.step, gate.line));
    found
}

/// The number and the title proper.
fn read_title(heading: &str) -> (Option<u32>, String) {
    let joined = |remark: Option<regex::Match<'_>>, title: &str| {
        let remark = remark.map_or(String::new(), |remark| format!(" {}", remark.as_str()));
        format!("{}{remark}", title.trim()).trim().to_owned()
    };
    if let Some(found) = NUMBERED_TITLE.captures(heading) {
        return (found[1].parse().ok(), joined(found.get(2), &found[3]));
    }
    if let Some(found) = UNNUMBERED_TITLE.captures(heading) {
        return (None, joined(found.get(1), &found[2]));
    }
    match BARE_NUMBER.captures(heading) {
        Some(found) => (found[1].parse().ok(), joined(found.get(2), &found[3])),
        None => (None, heading.trim().to_owned()),
    }
}

fn read_section(known: Known, section: &document::Section, plan: &mut Plan) {
    let remark = section.known().map(|found| found.remark).unwrap_or_default();
    let with_remark = |body: &str| if remark.is_empty() { body.to_owned() } else { format!("{remark}\n\n{body}") };
    let body = tidy(&section.body);
    match known {
        Known::Status => plan.status = status::read(&with_remark(&body)),
        Known::Why => plan.why = with_remark(&body),
        Known::CurrentState => {
            plan.excerpts = excerpts::read(&section.body, section.body_line);
            plan.current_state = with_remark(&body);
        }
        Known::Commands => {
            (plan.commands, plan.commands_notes) = commands::read(&body);
            if !remark.is_empty() {
                plan.commands_notes = tidy(&format!("{remark}\n\n{}", plan.commands_notes));
            }
        }
        Known::Scope => scope::read(&with_remark(&body), scope::List::Unlabelled, &mut plan.scope),
        Known::InScope => scope::read(&body, scope::List::In, &mut plan.scope),
        Known::OutOfScope => scope::read(&body, scope::List::Out, &mut plan.scope),
        Known::GitWorkflow => plan.git_workflow = with_remark(&body),
        Known::Prerequisites => plan.prerequisites = with_remark(&body),
        Known::Steps => {
            (plan.steps_intro, plan.steps) = steps::read(&section.body, section.body_line);
            plan.steps_intro = tidy(&with_remark(&plan.steps_intro));
        }
        Known::TestPlan => plan.test_plan = with_remark(&body),
        Known::EdgeCases => plan.edge_cases = with_remark(&body),
        Known::Done => {
            (plan.done_criteria, plan.done_notes) = read_criteria(&section.body, section.body_line);
            plan.done_notes = tidy(&with_remark(&plan.done_notes));
        }
        Known::Stop => {
            (plan.stop_conditions, plan.stop_notes) = read_conditions(&section.body);
            plan.stop_notes = tidy(&with_remark(&plan.stop_notes));
        }
        Known::Maintenance => plan.maintenance = with_remark(&body),
    }
}

fn read_criteria(body: &str, first_line: u32) -> (Vec<Criterion>, String) {
    let blocks = Blocks::of(body);
    let criteria = blocks.items.iter().map(|item| {
        let text = flow(&item.text);
        let line = first_line + item.first as u32;
        let mut gates = gates::read(&item.text, line).gates;
        // A folded criterion is one line again when it is written.
        gates.iter_mut().for_each(|gate| gate.line = gate.line.max(line));
        Criterion { checked: item.checked.unwrap_or(false), text, gates, line }
    });
    let criteria: Vec<Criterion> = criteria.filter(|criterion| !criterion.text.is_empty()).collect();
    (criteria, notes(&blocks))
}

fn read_conditions(body: &str) -> (Vec<String>, String) {
    let blocks = Blocks::of(body);
    if blocks.items.is_empty() {
        // Prose: every paragraph that is no introduction is a condition.
        let (intro, conditions): (Vec<_>, Vec<_>) = blocks
            .outside_items()
            .into_iter()
            .map(|(_, text)| text)
            .partition(|text| text.trim_end().ends_with(':') || text.starts_with(['#', '|', '`', '>', '~', '<']));
        return (conditions.iter().map(|text| flow(text)).collect(), tidy(&intro.join("\n\n")));
    }
    let conditions = blocks.items.iter().map(|item| flow(&item.text)).filter(|text| !text.is_empty()).collect();
    (conditions, notes(&blocks))
}

fn notes(blocks: &Blocks<'_>) -> String {
    tidy(&blocks.outside_items().into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n\n"))
}

/// The drift check of the preamble, on one line.
fn drift_check(preamble: &str) -> Option<String> {
    let lines: Vec<&str> = preamble.lines().map(|line| line.trim_start_matches(['>', ' '])).collect();
    let start = lines.iter().position(|line| line.to_lowercase().contains("drift check"))?;
    let region = lines[start..].join("\n");
    let blocks = Blocks::of(&region);
    let limit = blocks.lines.iter().skip(1).position(|line| line.starts_with("**")).map_or(usize::MAX, |at| at + 1);
    if let Some(fence) = blocks.fences.iter().find(|fence| fence.first < limit) {
        let command = fence.text.replace("\\\n", " ");
        let command = command.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        return Some(command.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let text = blocks.lines[..limit.min(blocks.lines.len())].join("\n");
    let spans = code_spans(&text);
    let first = spans.iter().position(|span| programs::is_known_program(programs::program(&span.text)))?;
    let mut command = spans[first].text.clone();
    // One command written as two code spans over two lines.
    for pair in spans[first..].windows(2) {
        let between = text[pair[0].range.end..pair[1].range.start].trim();
        let goes_on = !programs::is_known_program(programs::program(&pair[1].text));
        let unfinished = command.ends_with("--") || command.ends_with('\\') || pair[1].text.starts_with("--");
        if !between.is_empty() || !goes_on || !(unfinished || pair[1].text.contains('/')) {
            break;
        }
        command = format!("{} {}", command.trim_end_matches('\\').trim_end(), pair[1].text);
    }
    Some(command.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests;
