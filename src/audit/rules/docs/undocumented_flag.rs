//! `undocumented-flag`: a flag that no page names, of a program whose other flags the pages list.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::pages::Page;
use crate::audit::programs::{Flag, Program};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};

/// A flag nobody can find.
pub struct UndocumentedFlag;

static DOC: RuleDoc = RuleDoc {
    id: "undocumented-flag",
    category: Category::Docs,
    what: "a long flag of a program of this repository that no page names, while the pages name at least four in five of its flags",
    why: "the pages look complete, so that whoever reads them takes it that there is no such flag",
    quiet_when: "the program has fewer than five flags, leaves the list to `--help` (fewer than four in five are documented), or hides \
                 the flag from its help or calls it deprecated there; another name of a documented flag needs no word",
    example: "#[arg(long)] keep_going: bool,   // README.md lists the other nine",
};

/// Flags of a program that make a list.
const ENOUGH: usize = 5;
/// Flags named in a message.
const SHOWN: usize = 6;

impl Rule for UndocumentedFlag {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        if ground.pages().is_empty() {
            return Vec::new();
        }
        ground.programs().iter().filter_map(|program| finding(program, ground.pages())).collect()
    }

    fn recipe(&self, finding: &Finding, _context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let (home, places) = finding.evidence.split_last()?;
        let flags: Vec<&str> =
            places.iter().map(|place| place.role.strip_prefix("defines ").unwrap_or(&place.role)).collect();
        let listed: Vec<String> = places
            .iter()
            .zip(&flags)
            .map(|(place, flag)| format!("- `{flag}`, defined in `{}` line {}", place.file, place.start_line))
            .collect();
        let gates: Vec<GateDraft> = flags
            .iter()
            .map(|flag| GateDraft::TextPresent { text: (*flag).to_owned(), file: home.file.clone() })
            .collect();
        let subject = if let [one] = flags.as_slice() { format!("`{one}`") } else { count_of(flags.len(), "flag") };
        Some(PlanDraft {
            title: format!("Document {subject} in `{}`", home.file),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: format!("Add {subject} beside the others"),
                instruction: format!(
                    "In `{}`, where the other flags are listed and in the form they have there, add the ones below: what each does, what \
                     value it takes, and what holds without it, as the help text and the code at its place say.\n\n{}",
                    home.file,
                    listed.join("\n")
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: vec![ScopeDraft { path: home.file.clone(), remark: "the new entries".to_owned() }],
            out_of_scope: vec![("the program".to_owned(), "what its flags do is not in question".to_owned())],
            goals: gates,
            stop_conditions: vec![format!(
                "the list in `{}` is written by a tool: then run the tool instead",
                home.file
            )],
            ..PlanDraft::default()
        })
    }
}

/// Whether a text names the flag, and not one that begins like it; `--web_url` for `--web-url` is misspelt, not missing.
fn names(text: &str, flag: &str) -> bool {
    [format!("--{flag}"), format!("--{}", flag.replace('-', "_"))].iter().any(|written| {
        text.match_indices(written).any(|(at, _)| {
            !text[at + written.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        })
    })
}

fn finding(program: &Program, pages: &[Page]) -> Option<Finding> {
    let flags: Vec<(&String, &Flag)> = program
        .flags
        .iter()
        .filter(|(name, flag)| !flag.is_hidden && !matches!(name.as_str(), "help" | "version"))
        .collect();
    let pages: Vec<&Page> = pages.iter().filter(|page| program.is_spoken_of_in(&page.subject)).collect();
    // `--no-color` and `--color` are one entry of a list.
    let is_named = |page: &Page, name: &str| {
        let text = &page.text.text;
        names(text, name)
            || names(text, &format!("no-{name}"))
            || name.strip_prefix("no-").is_some_and(|positive| names(text, positive))
    };
    let missing: Vec<(&String, &Flag)> =
        flags.iter().copied().filter(|(name, _)| !pages.iter().any(|page| is_named(page, name))).collect();
    let documented = flags.len() - missing.len();
    if flags.len() < ENOUGH || missing.is_empty() || documented * 5 < flags.len() * 4 {
        return None;
    }
    let home = pages.iter().max_by_key(|page| flags.iter().filter(|(name, _)| is_named(page, name)).count())?;
    let (first_name, first) = missing[0];
    let said: Vec<String> = missing.iter().take(SHOWN).map(|(name, _)| format!("`--{name}`")).collect();
    let more = missing.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let title = match missing.as_slice() {
        [(name, _)] => format!("`--{name}` is documented nowhere"),
        many => format!("{} are documented nowhere", count_of(many.len(), "flag")),
    };
    let mut draft = FindingDraft::at_lines(&DOC, &first.file, first.line, first.line, &format!("defines --{first_name}"))
        .title(title)
        .message(format!(
            "The program takes {}{more}, which no page names, while the pages name {documented} of its {} flags, most of them in `{}`. \
             Whoever goes by the pages takes it that there is no such flag.",
            said.join(", "),
            flags.len(),
            home.path,
        ))
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for (name, flag) in &missing[1..] {
        draft = draft.and_lines(&flag.file, flag.line, flag.line, &format!("defines --{name}"));
    }
    Some(draft.and_lines(&home.path, 1, 1, "lists the others").build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_told_from_one_that_begins_like_it() {
        assert!(names("use `--out=x`", "out"));
        assert!(!names("use --output", "out"));
    }
}
