//! The plan that leaves one of several copies.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::RecipeContext;
use crate::finding::{Evidence, Finding};
use crate::repo_map::facts::Lines;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileId, RepoMap};

pub fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let copies: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "copy").collect();
    let differs: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "differs").collect();
    let alone: Vec<&Evidence> = finding.evidence.iter().filter(|evidence| evidence.role == "only here").collect();
    let home = copies.first()?;
    let name = |evidence: &Evidence| {
        let (file, _) = map.file_by_path(&evidence.file)?;
        Some(place_name(map, file, Lines { start: evidence.start_line, end: evidence.end_line }))
    };
    let home_name = name(home)?;
    let others = &copies[1..];
    let list = |places: &[&Evidence]| {
        places
            .iter()
            .map(|place| format!("`{}` lines {}–{}", place.file, place.start_line, place.end_line))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let project = |purpose| GateDraft::Project(purpose);
    let mut steps = Vec::new();
    if !differs.is_empty() || !alone.is_empty() {
        let mut pairs: Vec<String> =
            alone.iter().map(|side| format!("`{}:{}` stands in one copy alone", side.file, side.start_line)).collect();
        let against = differs.chunks(2).map(|pair| {
            pair.iter().map(|side| format!("`{}:{}`", side.file, side.start_line)).collect::<Vec<_>>().join(" against ")
        });
        pairs.extend(against);
        steps.push(StepDraft {
            title: "Decide for every difference whether it is meant".to_owned(),
            instruction: format!(
                "Compare the copies line by line ({}). `git log -L` on each side shows which one changed last and why. A \
                 difference that follows from the place (another table, another message) becomes a parameter of the shared \
                 function. One that is a fix only one copy got is taken over for all. Write the decision for each into the \
                 commit message; change no code yet.",
                pairs.join("; ")
            ),
            edits: Vec::new(),
            gates: vec![project(CommandPurpose::Typecheck)],
        });
    }
    steps.push(StepDraft {
        title: format!("Extract the shared lines of `{home_name}` into a function"),
        instruction: format!(
            "In `{}`, move lines {}–{} into one function of that file, named for what the lines do. Its parameters are the \
             variables these lines read from outside and every difference between the copies that was found to be meant; it \
             returns what the code after them uses. Call it where the lines stood. Export it as far as the other \
             copies need. Where a range begins or ends inside of \
             a statement, take the whole statement, or leave it out, in every copy alike.",
            home.file, home.start_line, home.end_line
        ),
        edits: Vec::new(),
        gates: vec![project(CommandPurpose::Typecheck), project(CommandPurpose::Test)],
    });
    let mut goals = Vec::new();
    for other in others {
        let gone = place::unique_line(context.tree, &other.file, other.start_line, other.end_line, &|line| {
            line.contains('(') && line.len() >= 20
        });
        let gate = gone.map(|text| GateDraft::TextGone { text, file: other.file.clone() });
        if other.file != home.file {
            goals.extend(gate.clone());
        }
        let mut gates = vec![project(CommandPurpose::Typecheck), project(CommandPurpose::Test)];
        gates.extend(gate);
        steps.push(StepDraft {
            title: match name(other) {
                // Several copies of one function are told apart by where they are.
                Some(name) if other.file == home.file => {
                    format!("Call the shared function from `{name}`, line {}", other.start_line)
                }
                Some(name) => format!("Call the shared function from `{name}`"),
                None => format!("Call the shared function from `{}`", other.file),
            },
            instruction: format!(
                "In `{}`, replace lines {}–{} by a call of the function from the step before, and remove imports that \
                 nothing uses any more.",
                other.file, other.start_line, other.end_line
            ),
            edits: Vec::new(),
            gates,
        });
    }
    let excerpt = |place: &&Evidence| ExcerptDraft {
        file: place.file.clone(),
        start_line: place.start_line,
        end_line: place.end_line.min(place.start_line + 59),
        role: "one of the copies".to_owned(),
    };
    let mut in_scope: Vec<ScopeDraft> = Vec::new();
    for place in &copies {
        if in_scope.iter().all(|own| own.path != place.file) {
            in_scope.push(ScopeDraft { path: place.file.clone(), remark: "holds a copy".to_owned() });
        }
    }
    Some(PlanDraft {
        title: format!("Keep one copy of the logic in `{home_name}`"),
        why: format!(
            "{} Whoever mends this code must know of every copy; nothing tells them. With one function there is one place to \
             change and to test.",
            finding.message
        ),
        context: vec![format!("The copies: {}.", list(&copies))],
        excerpts: copies.iter().map(excerpt).collect(),
        steps,
        in_scope,
        out_of_scope: vec![(
            "code around the copies, even where it looks alike".to_owned(),
            "only the lines above were compared".to_owned(),
        )],
        edge_cases: vec![
            "`return`, `break`, `continue`, `?` and `await` inside the lines mean something else inside a function of their own"
                .to_owned(),
            "variables the lines assign and later code reads must be returned".to_owned(),
        ],
        goals,
        stop_conditions: vec![
            format!("a copy no longer holds these lines: {}", list(others)),
            "the shared function would need more than six parameters or a flag that switches half of its body: the copies are \
             two things that look alike"
                .to_owned(),
            "importing the function would make two packages depend on each other that do not today".to_owned(),
        ],
        maintenance: vec!["Put the next change of this logic into the shared function, with a test beside it.".to_owned()],
        ..PlanDraft::default()
    })
}

/// The outermost function around some lines, or the file's name.
fn place_name(map: &RepoMap, file: FileId, range: Lines) -> String {
    map.file(file)
        .facts
        .symbols
        .iter()
        .filter(|symbol| symbol.kind.is_callable() && symbol.lines.contains(range.start))
        .max_by_key(|symbol| symbol.lines.count())
        .map_or_else(
            || map.file(file).path.rsplit('/').next().unwrap_or_default().to_owned(),
            |symbol| symbol.qualified.to_string(),
        )
}
