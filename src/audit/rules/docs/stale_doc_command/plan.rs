//! The plan that writes commands anew which name something that is gone.

use super::near::nearest;
use super::{SHOWN, Stale, groups, label, name_of, names};
use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::rule::RecipeContext;
use crate::audit::rules::docs::targets::Targets;
use crate::audit::text::FileText;
use crate::finding::Finding;

pub fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let targets = Targets::read(context.map, context.tree);
    let place = finding.location();
    let found = groups(context.map, context.tree, &targets).into_iter().find(|group| {
        group.iter().any(|stale| stale.document.path == place.file && stale.command.line == place.start_line)
    })?;
    let mut documents: Vec<&str> = found.iter().map(|stale| stale.document.path.as_str()).collect();
    documents.dedup();
    let mut steps = Vec::new();
    let mut goals = Vec::new();
    for first in names(&found).into_iter().take(SHOWN) {
        let wanted = label(&first.named);
        let own: Vec<&Stale<'_>> = found.iter().filter(|stale| label(&stale.named) == wanted).collect();
        let nearest = nearest(context.map, &targets, &first.named);
        let near = if nearest.is_empty() {
            "Nothing of a like name exists today.".to_owned()
        } else {
            let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
            format!("Of what exists today, these share a word with it: {}.", names.join(", "))
        };
        let gone = own.iter().filter_map(|stale| {
            let text = FileText::read(context.tree, &stale.document.path)?;
            let line = text.line(stale.command.line)?.trim().to_owned();
            Some(GateDraft::TextGone { text: line, file: stale.document.path.clone() })
        });
        let gates: Vec<GateDraft> = gone.collect();
        let places: Vec<String> =
            own.iter().map(|stale| format!("`{}`, line {}", stale.document.path, stale.command.line)).collect();
        steps.push(StepDraft {
            title: format!("Replace the {wanted} by what does the job today"),
            instruction: format!(
                "`git log -S'{}' --oneline` says when it went away and what took its place. {near} In {}, write \
                 the command that does what the sentence around it promises, after running it once. If nothing does, \
                 remove the command and what depends on it.",
                name_of(&first.named),
                places.join(", and "),
            ),
            edits: Vec::new(),
            gates: gates.clone(),
        });
        goals.extend(gates);
    }
    let first = found.first()?;
    let title = match (names(&found).len(), documents.as_slice()) {
        (1, [one]) => format!("Correct the command `{}` in `{one}`", first.command.text),
        (1, many) => format!("Correct the command `{}` in {} documents", first.command.text, many.len()),
        (_, [one]) => format!("Correct the commands of `{one}` that do not exist"),
        (_, many) => format!("Correct the commands of {} documents that do not exist", many.len()),
    };
    Some(PlanDraft {
        title,
        why: format!("{} Whoever sets the project up from there is stopped.", finding.message),
        steps,
        in_scope: documents
            .iter()
            .map(|path| ScopeDraft { path: (*path).to_owned(), remark: "the commands and their sentences".to_owned() })
            .collect(),
        out_of_scope: vec![(
            "manifests and task files".to_owned(),
            "bringing a command back is a decision about the tooling, not about the document".to_owned(),
        )],
        goals,
        stop_conditions: vec![
            format!("the {} exists after all, for example because a tool creates it during setup", label(&first.named)),
            "no existing command does what the document promises".to_owned(),
        ],
        ..PlanDraft::default()
    })
}
