//! `stale-todo`: work that was put off, in files that nobody has changed for years.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{Comment, CommentKind};
use crate::repo_map::{FileRole, RepoMap};

/// A `TODO` that has become part of the code.
pub struct StaleTodo;

static DOC: RuleDoc = RuleDoc {
    id: "stale-todo",
    category: Category::TechDebt,
    what: "`TODO`, `FIXME`, `HACK` and `XXX` in files whose last change is years older than the newest commit",
    why: "nobody will do it because of the comment: either it is work that belongs where work is planned, or it is noise that hides the \
          marks which still mean something",
    quiet_when: "the comment names an issue or an address, the file was changed in the last two years (the comment may be new then), the \
                 history does not reach back that far, or it is test, example or generated code",
    example: "// TODO: handle refunds        (the file's last commit is three years old)",
};

/// Seconds without a change after which a mark is no plan any more. Our choice: two years.
const STALE: i64 = 2 * 365 * 24 * 60 * 60;
/// Places shown.
const MAX_SHOWN: usize = 12;

impl Rule for StaleTodo {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let found = stale(map);
        let Some(&(path, comment, _)) = found.first() else { return Vec::new() };
        let years = found.iter().map(|(.., age)| age / (365 * 24 * 60 * 60)).max().unwrap_or_default();
        let mut draft = FindingDraft::at_lines(&DOC, path, comment.line, comment.line, "mark")
            .title(format!("{} in files nobody has changed for two years and more", count_of(found.len(), "mark")))
            .message(format!(
                "The oldest {} at least {years} years old: the file's last change is. Work that matters is not scheduled by a comment, and \
                 work that does not is noise here.",
                if found.len() == 1 { "is" } else { "of them is" }
            ))
            .impact(1)
            .effort(Effort::S)
            .risk(Risk::Low)
            .confidence(Confidence::Low);
        for (path, comment, _) in found.iter().skip(1).take(MAX_SHOWN - 1) {
            draft = draft.and_lines(*path, comment.line, comment.line, "mark");
        }
        vec![draft.build()]
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let places: Vec<String> = finding
            .evidence
            .iter()
            .map(|place| format!("- `{}`, line {}: {}", place.file, place.start_line, place.quote.trim()))
            .collect();
        let first = finding.location();
        let gates: Vec<GateDraft> =
            place::unique_line(context.tree, &first.file, first.start_line, first.start_line, &|_| true)
                .map(|text| GateDraft::TextGone { text, file: first.file.clone() })
                .into_iter()
                .collect();
        let mut files: Vec<&str> = finding.evidence.iter().map(|place| place.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        Some(PlanDraft {
            title: "Decide on the oldest marks".to_owned(),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: "Do it, plan it, or say why not".to_owned(),
                instruction: format!(
                    "For each mark: remove it where the code already does what it asks for or nobody will; where it still matters, \
                     replace it by a sentence that says what does not work, with the number of the issue that tracks it. Change no code.\n\n{}",
                    places.join("\n")
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: files
                .iter()
                .map(|file| ScopeDraft { path: (*file).to_owned(), remark: "comments alone".to_owned() })
                .collect(),
            out_of_scope: vec![("what the marks ask for".to_owned(), "each is a change of its own".to_owned())],
            goals: gates,
            stop_conditions: vec![
                "a mark warns of a fault that users can meet: report it instead of removing it".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// Marks with the path of their file and its age, the oldest first.
fn stale(map: &RepoMap) -> Vec<(&str, &Comment, i64)> {
    let Some(newest) = map.files.iter().filter_map(|file| file.history.last_change).max() else { return Vec::new() };
    let mut found: Vec<(&str, &Comment, i64)> = map
        .files
        .iter()
        .filter(|file| file.role == FileRole::Production)
        .filter_map(|file| Some((file, newest - file.history.last_change?)))
        .filter(|(_, age)| *age >= STALE)
        .flat_map(|(file, age)| file.facts.comments.iter().map(move |comment| (file.path.as_str(), comment, age)))
        .filter(|(_, comment, _)| comment.kind == CommentKind::Marker && !is_tracked(&comment.text))
        .collect();
    found.sort_by_key(|(path, comment, age)| (std::cmp::Reverse(*age), *path, comment.line));
    found
}

/// Whether a mark says where the work is planned: `#123`, `ABC-123`, an address.
fn is_tracked(text: &str) -> bool {
    let is_key = |word: &str| {
        word.split_once('-').is_some_and(|(project, number)| {
            project.len() >= 2
                && project.chars().all(|c| c.is_ascii_uppercase())
                && number.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let is_number =
        |word: &str| word.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    text.contains("://")
        || text.split(|c: char| c.is_whitespace() || "()[],.:;".contains(c)).any(|word| is_key(word) || is_number(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_name_an_issue_are_tracked() {
        assert!(
            is_tracked("TODO(#12): refunds") && is_tracked("FIXME ABC-123") && is_tracked("TODO see https://a.b/1")
        );
        assert!(!is_tracked("TODO: handle refunds"));
    }
}
