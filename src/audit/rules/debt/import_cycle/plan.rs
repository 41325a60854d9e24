//! The plan that opens a cycle at the import that takes least.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::rule::RecipeContext;
use crate::audit::text::FileText;
use crate::finding::{Finding, Hop};
use crate::repo_map::ImportTarget;
use crate::repo_map::facts::ImportItem;
use crate::repo_map::recon::CommandPurpose;

pub fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let edges: Vec<(&Hop, &str)> = finding
        .call_path
        .iter()
        .map(|hop| (hop, hop.symbol.strip_prefix("import of ").unwrap_or(&hop.symbol)))
        .collect();
    // The import that takes least is the easiest to turn round.
    let taken = |hop: &Hop, target: &str| -> Vec<String> {
        let (Some((id, file)), Some((to, _))) = (map.file_by_path(&hop.file), map.file_by_path(target)) else {
            return Vec::new();
        };
        file.facts
            .imports
            .iter()
            .zip(&map.import_targets[id as usize])
            .filter(|(import, own)| **own == ImportTarget::File(to) && !import.type_only)
            .map(|(import, _)| match &import.item {
                ImportItem::Named(name) => name.to_string(),
                _ => import.local.to_string(),
            })
            .collect()
    };
    let (cut, target) =
        *edges.iter().min_by_key(|(hop, target)| (taken(hop, target).len().max(1), hop.file.clone()))?;
    let names = taken(cut, target);
    let names =
        if names.is_empty() { "what is imported there".to_owned() } else { format!("`{}`", names.join("`, `")) };
    let line = FileText::read(context.tree, &cut.file)?.line(cut.line)?.trim().to_owned();
    let gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    let mut last = gates.clone();
    let goal = (line.len() >= 12).then(|| GateDraft::TextGone { text: line.clone(), file: cut.file.clone() });
    last.extend(goal.clone());
    let others: Vec<String> =
        edges.iter().map(|(hop, target)| format!("`{}` imports `{target}` (line {})", hop.file, hop.line)).collect();
    Some(PlanDraft {
        title: format!("Break the import cycle between `{}` and `{target}`", cut.file),
        why: finding.message.clone(),
        context: vec![
            format!("The cycle: {}.", others.join("; ")),
            format!(
                "The cheapest place to cut is line {} of `{}`: it takes {names} from `{target}`.",
                cut.line, cut.file
            ),
        ],
        excerpts: edges
            .iter()
            .map(|(hop, target)| ExcerptDraft {
                file: hop.file.clone(),
                start_line: hop.line,
                end_line: hop.line,
                role: format!("the import of `{target}`"),
            })
            .collect(),
        steps: vec![
            StepDraft {
                title: format!("Move {names} to a module that imports neither side"),
                instruction: format!(
                    "Create a file in the folder of `{target}`, named for {names}, and move the definition{} there together \
                     with whatever private code {} needs. The new file must import no file of the cycle. Re-export from \
                     `{target}` what other files import from it, so that they stay as they are. If the definition needs \
                     something of `{}`, pass that in as a parameter instead.",
                    if names.contains(',') { "s" } else { "" },
                    if names.contains(',') { "they" } else { "it" },
                    cut.file,
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            },
            StepDraft {
                title: format!("Import {names} from the new module in `{}`", cut.file),
                instruction: format!(
                    "In `{}`, replace line {} (`{line}`) by an import of the new file. If only types are taken, `import type` \
                     from `{target}` is enough, and the first step is not needed.",
                    cut.file, cut.line
                ),
                edits: Vec::new(),
                gates: last,
            },
        ],
        in_scope: vec![
            ScopeDraft { path: cut.file.clone(), remark: format!("the import on line {}", cut.line) },
            ScopeDraft { path: target.to_owned(), remark: format!("gives up {names}, re-exports it") },
        ],
        out_of_scope: vec![(
            "other imports between these files".to_owned(),
            "cutting one edge opens the cycle; more is a redesign".to_owned(),
        )],
        edge_cases: vec!["module-level state that moves must exist once: move it, never copy it".to_owned()],
        goals: goal.into_iter().collect(),
        stop_conditions: vec![
            format!(
                "{names} and the rest of `{target}` use each other, so that the new file would import `{target}` again"
            ),
            format!("line {} of `{}` no longer imports from `{target}`", cut.line, cut.file),
        ],
        maintenance: vec!["The linter rule `import/no-cycle` keeps new cycles out.".to_owned()],
        ..PlanDraft::default()
    })
}
