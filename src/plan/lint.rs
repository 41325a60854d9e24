//! Mechanical lint: what would stop an executor who has nothing but the plan and the repository.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use super::Plan;
use super::markdown::Blocks;
use super::parse::names::Known;
use crate::repo_map::recon::Recon;
use crate::tree::Tree;

mod commands;
pub(crate) mod edits;
mod places;

/// Steps a plan may have: beyond, it is several plans.
const MAX_STEPS: usize = 50;
/// Tokens a plan may have: what an economy model can hold beside the files it changes. Our choice.
const MAX_TOKENS: usize = 25_000;
/// Characters in a token, on average, in English text and code.
const CHARACTERS_PER_TOKEN: usize = 4;

/// Something in a plan that would stop an executor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Line of the plan, 1-based; 1 when the whole plan is meant.
    pub line: u32,
    /// Kebab-case and stable.
    pub code: &'static str,
    /// What is wrong, where.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Problem {
    /// Whether it makes the plan's exact edits unsafe, so that none of them is made. Any other one is for who writes the plan.
    pub fn stops(&self) -> bool {
        matches!(self.code, "unreadable-edit" | "edit-out-of-scope" | "edit-with-secret")
    }
}

/// Problems as they are found.
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    fn push(&mut self, code: &'static str, line: u32, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem { line: line.max(1), code, message: message.into(), hint: hint.into() });
    }
}

/// Every problem of `plan`, in the order of the document.
pub fn lint(plan: &Plan, tree: &dyn Tree, recon: &Recon) -> Vec<Problem> {
    let mut problems = Problems(Vec::new());
    check_shape(plan, &mut problems);
    check_gates(plan, &mut problems);
    check_prose(plan, &mut problems);
    check_stop_conditions(plan, &mut problems);
    places::check(plan, tree, &mut problems);
    edits::check(plan, tree, &mut problems);
    commands::check(plan, tree, recon, &mut problems);
    problems.0.sort();
    problems.0.dedup();
    problems.0
}

/// Whether `command` resolves: programs, scripts, folders and files are known, and no placeholder is left.
pub(crate) fn command_is_sound(command: &str, tree: &dyn Tree, recon: &Recon) -> bool {
    commands::is_sound(command, tree, recon)
}

/// Line of a known section's heading.
fn line_of(plan: &Plan, known: Known) -> u32 {
    plan.section_lines.get(known.name()).copied().unwrap_or(1)
}

fn check_shape(plan: &Plan, problems: &mut Problems) {
    if plan.title.is_empty() {
        problems.push("no-title", 1, "the plan has no title", "say in the first line what will be true afterwards");
    }
    if plan.steps.is_empty() {
        problems.push(
            "no-steps",
            line_of(plan, Known::Steps),
            "the plan has no steps",
            "add `### Step 1: …` under `## Steps`",
        );
    }
    if plan.steps.len() > MAX_STEPS {
        let message = format!("{} steps, at most {MAX_STEPS}", plan.steps.len());
        problems.push("too-many-steps", line_of(plan, Known::Steps), message, "split the plan");
    }
    let tokens = super::render::render(plan).chars().count() / CHARACTERS_PER_TOKEN;
    if tokens > MAX_TOKENS {
        let message = format!("about {tokens} tokens, at most {MAX_TOKENS}");
        problems.push("too-large", 1, message, "split the plan, or quote less");
    }
    if plan.done_criteria.is_empty() {
        let hint = "add `- [ ] ` lines with a command and what it must give";
        problems.push("no-done-criteria", line_of(plan, Known::Done), "the plan does not say when it is done", hint);
    }
}

/// Every step has a gate that can be read, every criterion a command.
fn check_gates(plan: &Plan, problems: &mut Problems) {
    for (index, step) in plan.steps.iter().enumerate() {
        let name = step.number.map_or(format!("{}", index + 1), |number| number.to_string());
        if step.gates.is_empty() && step.verify_text.is_empty() {
            let hint = "add `**Verify**: `command` → expectation` under the step";
            problems.push("step-without-gate", step.line, format!("step {name} has no gate"), hint);
        }
        if super::parse::steps::has_edit_fence(&step.instruction) {
            let hint = "the fence is ```edit file=PATH with SEARCH/REPLACE blocks; see the plan format";
            problems.push(
                "unreadable-edit",
                step.line,
                format!("step {name} holds an exact edit that cannot be read"),
                hint,
            );
        }
    }
    for gate in super::parse::unreadable_gates(plan) {
        let hint = "write a command and what it must give, such as `exit 0`, `no matches` or `contains \"…\"`";
        let text = shorten(&gate.text);
        problems.push(
            "unreadable-gate",
            gate.line,
            format!("step {} asks for what no program can check: {text}", gate.step),
            hint,
        );
    }
    for criterion in plan.done_criteria.iter().filter(|criterion| criterion.gates.is_empty()) {
        // Both are checked by whoever runs the plan.
        let lower = criterion.text.to_lowercase();
        let ours = (lower.contains("readme") && lower.contains("plans/"))
            || lower.contains("status row")
            || (lower.contains("in-scope")
                || lower.contains("in scope")
                || lower.contains("out of scope")
                || lower.contains("outside"))
                && (lower.contains("modified")
                    || lower.contains("change")
                    || lower.contains("touch")
                    || lower.contains("git status"));
        if !ours {
            let message = format!("a done criterion names no command: {}", shorten(&criterion.text));
            problems.push(
                "criterion-without-command",
                criterion.line,
                message,
                "say which command shows it, and what it must give",
            );
        }
    }
}

static OUTSIDE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bas (?:we )?(?:discussed|agreed|mentioned (?:earlier|before|in (?:the )?(?:chat|conversation|audit)))\b|\b(?:our|the) (?:earlier |previous |last )?(?:chat|conversation|discussion)\b|\bsee (?:the )?(?:above|previous|other|earlier) plan\b|\bper (?:the )?(?:chat|conversation|discussion)\b|\bsee (?:the )?audit(?: report)?\b").expect("a constant pattern")
});
static VAGUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bthe (?:relevant|appropriate|necessary) (?:modules?|files?|code|places?|parts?|functions?|components?)\b|\bmake sure (?:it|everything|that it|all) works?\b|\band so on\b|\bdo the same (?:elsewhere|everywhere)\b").expect("a constant pattern")
});
static VAGUE_TITLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:improve|refactor|clean(?: |-)?up|fix|update|handle|optimi[sz]e|enhance|tidy(?: up)?|polish|address|review|investigate|adjust|rework|finali[sz]e|implement|change)(?:\s+(?:the|all|any|some|code|it|this|that|things?|stuff|modules?|issues?|errors?|problems?|bugs?|everything|logic|files?|tests?|docs?|implementation|changes?|properly|correctly|better|relevant|remaining|where|needed|as|necessary|up|and|structure|quality|performance|feature))*[.!]?$").expect("a constant pattern")
});

/// Wording that sends the executor elsewhere, or nowhere, and text that must not be there.
fn check_prose(plan: &Plan, problems: &mut Problems) {
    let places = [
        (Known::Why, plan.why.as_str()),
        (Known::CurrentState, &plan.current_state),
        (Known::Commands, &plan.commands_notes),
        (Known::Scope, &plan.scope.notes),
        (Known::GitWorkflow, &plan.git_workflow),
        (Known::Prerequisites, &plan.prerequisites),
        (Known::Steps, &plan.steps_intro),
        (Known::TestPlan, &plan.test_plan),
        (Known::EdgeCases, &plan.edge_cases),
        (Known::Maintenance, &plan.maintenance),
    ];
    let mut texts: Vec<(u32, &str)> = places.into_iter().map(|(known, text)| (line_of(plan, known), text)).collect();
    texts.push((1, &plan.preamble));
    texts.extend(plan.steps.iter().map(|step| (step.line, step.instruction.as_str())));
    texts.extend(plan.stop_conditions.iter().map(|text| (line_of(plan, Known::Stop), text.as_str())));
    texts.extend(plan.scope.out_of_scope.iter().map(|text| (line_of(plan, Known::Scope), text.as_str())));
    texts.extend(plan.extra_sections.iter().map(|extra| (1, extra.body.as_str())));
    for (line, text) in &texts {
        let prose = prose_of(text);
        if let Some(found) = OUTSIDE.find(&prose) {
            let message = format!("\"{}\" points outside the document", found.as_str());
            problems.push("outside-reference", *line, message, "write down here what was said there");
        }
    }
    for (index, step) in plan.steps.iter().enumerate() {
        if VAGUE_TITLE.is_match(step.title.trim()) {
            let message = format!("step {}: \"{}\" does not say what to change", index + 1, step.title);
            problems.push("vague-step", step.line, message, "name the file and the symbol");
        }
        if let Some(found) = VAGUE.find(&prose_of(&step.instruction)) {
            let message = format!("step {}: \"{}\" leaves the choice to the executor", index + 1, found.as_str());
            problems.push("vague-step", step.line, message, "name the file and the symbol");
        }
    }
    let quoted = plan.excerpts.iter().map(|excerpt| (excerpt.line, excerpt.text.as_str()));
    let gates = plan.steps.iter().map(|step| (step.verify_line, step.verify_text.as_str()));
    let commands = plan.commands.iter().map(|command| (line_of(plan, Known::Commands), command.command.as_str()));
    let criteria = plan.done_criteria.iter().map(|criterion| (criterion.line, criterion.text.as_str()));
    let rendered: Vec<(u32, String)> = plan
        .steps
        .iter()
        .flat_map(|step| step.edits.iter().map(|edit| (step.line, super::parse::edits::write(edit))))
        .collect();
    let edits = rendered.iter().map(|(line, text)| (*line, text.as_str()));
    let all: BTreeSet<(u32, &str)> =
        texts.into_iter().chain(quoted).chain(gates).chain(commands).chain(criteria).chain(edits).collect();
    for (line, text) in all {
        if crate::secrets::mask(text) != text {
            let hint = "say where it is and what kind it is, never its value";
            problems.push("secret", line, "the plan holds a credential", hint);
        }
    }
}

/// `text` without its fences.
fn prose_of(text: &str) -> String {
    let blocks = Blocks::of(text);
    let lines = blocks.lines.iter().enumerate().filter(|(index, _)| !blocks.is_code(*index));
    lines.map(|(_, line)| *line).collect::<Vec<_>>().join(" ")
}

static BOILERPLATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:excerpts?|drift(?:ed)?|fails? (?:twice|again)|out[- ]of[- ]scope|outside (?:the )?scope|anything (?:looks|seems|is) (?:off|wrong|unclear)|unsure|not sure|something (?:is )?unexpected|in doubt)\b").expect("a constant pattern")
});

/// At least one STOP condition speaks of this plan and no other.
fn check_stop_conditions(plan: &Plan, problems: &mut Problems) {
    let line = line_of(plan, Known::Stop);
    if plan.stop_conditions.is_empty() {
        if plan.stop_notes.is_empty() {
            let hint = "list what would prove the plan wrong: an assumption that fails, a caller it did not expect";
            problems.push("no-stop-conditions", line, "the plan does not say when to stop", hint);
        }
        return;
    }
    let specific = |text: &String| {
        let names_something = text.contains('`') || text.chars().any(|character| character.is_ascii_digit());
        names_something || (!BOILERPLATE.is_match(text) && text.split_whitespace().count() >= 5)
    };
    if !plan.stop_conditions.iter().any(specific) {
        let hint = "name the file, symbol or assumption whose failure should stop the work";
        problems.push("stop-conditions-generic", line, "no STOP condition is specific to this plan", hint);
    }
}

fn shorten(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= 100 { flat } else { format!("{}…", flat.chars().take(100).collect::<String>()) }
}

#[cfg(test)]
pub(crate) mod tests;
