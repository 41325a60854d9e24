//! New tests: where those of the test plan go, so that scope, steps and done criteria say the same as the test plan.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::plan::markdown::code_span;
use crate::repo_map::RepoMap;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::CommandPurpose;
use crate::tree::Tree;

use super::edits::ExactSteps;
use super::gates::Commands;
use super::{fill, models};

/// The draft with a last step that writes the tests its test plan lists.
///
/// Left as it is when no test is wanted, when the recipe has a gate for them already, when nothing could run them, and
/// when every step is an exact edit: such a plan is carried out without anybody who could write a test.
pub(super) fn with_step(
    draft: PlanDraft,
    exact: &ExactSteps,
    file: &str,
    map: &RepoMap,
    tree: &dyn Tree,
    commands: &Commands,
) -> PlanDraft {
    let asked = draft.steps.iter().flat_map(|step| &step.gates).chain(&draft.goals);
    let is_asked = asked.into_iter().any(|gate| matches!(gate, GateDraft::NewTests(_)));
    let all_exact = (0..draft.steps.len()).all(|step| exact.of_step(step).is_some());
    let can_run = commands.of(CommandPurpose::Test).is_some();
    let place = place(file, map, tree);
    if is_asked {
        return admitting(draft, place, file, map, tree);
    }
    let Some(place) = place else { return draft };
    let mut draft = draft;
    if draft.tests.is_empty() || all_exact || !can_run {
        return draft;
    }
    let count = u32::try_from(draft.tests.len()).unwrap_or(u32::MAX);
    let instruction = fill(
        "new_tests.md",
        serde_json::json!({
            "place": code_span(&place),
            "exists": tree.is_file(&place),
            "inside": place == file,
            "count": count,
        }),
    );
    draft.steps.push(StepDraft {
        title: "Write the tests that the test plan lists".to_owned(),
        instruction,
        edits: Vec::new(),
        gates: vec![GateDraft::NewTests(count)],
    });
    draft.goals.push(GateDraft::NewTests(count));
    if draft.in_scope.is_empty() {
        draft.in_scope.push(ScopeDraft { path: file.to_owned(), remark: String::new() });
    }
    admit(&mut draft, place, "the new tests");
    draft
}

/// A draft that asks for tests itself, with the files they go into: whoever may not touch these cannot carry it out.
fn admitting(draft: PlanDraft, place: Option<String>, file: &str, map: &RepoMap, tree: &dyn Tree) -> PlanDraft {
    let mut draft = draft;
    let Some((_, source)) = map.file_by_path(file) else { return draft };
    let place = place.unwrap_or_else(|| beside(file, if file.ends_with(".js") { ".test.js" } else { ".test.ts" }));
    let whole = of_the_whole(file, source.language, map, tree);
    admit(&mut draft, place, "the new tests");
    if let Some(whole) = whole {
        admit(&mut draft, whole, "the new tests, those that run the program as a whole");
    }
    draft
}

/// Takes a file into scope, unless it is.
fn admit(draft: &mut PlanDraft, path: String, remark: &str) {
    if draft.in_scope.iter().all(|entry| entry.path != path) {
        draft.in_scope.push(ScopeDraft { path, remark: remark.to_owned() });
    }
}

/// The integration test that stands for a file without unit tests: what a program does as a whole is tested from outside.
fn of_the_whole(file: &str, language: LanguageName, map: &RepoMap, tree: &dyn Tree) -> Option<String> {
    let (model, _) = models::test_to_model_on(file, map, tree)?;
    (!language.is_ecmascript() && model != file).then_some(model)
}

/// The file for new tests of `file`: in itself where the language keeps unit tests there, else beside the model.
fn place(file: &str, map: &RepoMap, tree: &dyn Tree) -> Option<String> {
    let (_, source) = map.file_by_path(file)?;
    if !source.language.is_ecmascript() {
        return Some(file.to_owned());
    }
    let (model, _) = models::test_to_model_on(file, map, tree)?;
    if models::stem(&model) == models::stem(file) {
        return Some(model);
    }
    let (folder, name) = model.rsplit_once('/').unwrap_or(("", &model));
    // `users.test.ts` gives `.test.ts`: the ending that the runner of this package looks for.
    let ending = name.find('.').map_or(".test.ts", |dot| &name[dot..]);
    let apart = folder.split('/').any(|part| matches!(part, "test" | "tests" | "__tests__" | "__test__" | "spec"));
    if apart { Some(format!("{folder}/{}{ending}", models::stem(file))) } else { Some(beside(file, ending)) }
}

/// A file beside another, of the same name with another ending.
fn beside(file: &str, ending: &str) -> String {
    let stem = models::stem(file);
    file.rsplit_once('/').map_or_else(|| format!("{stem}{ending}"), |(folder, _)| format!("{folder}/{stem}{ending}"))
}
