//! The one change that is certain: a local array that is only ever asked `includes` becomes a `Set` that is asked `has`.

use crate::audit::draft::EditDraft;
use crate::audit::rule::RecipeContext;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::audit::rules::perf::quadratic_loop::search::{SearchPerItem, Way};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{BindingKind, FileFacts, Span};
use crate::repo_map::name::Name;

/// Edits for all searches of a finding, or none: a change that leaves half of them would not remove it.
pub fn edits(context: &RecipeContext<'_>, searches: &[&SearchPerItem<'_>]) -> Option<Vec<EditDraft>> {
    let file = searches.first()?.call.file;
    let source = context.map.file(file);
    let facts = &source.facts;
    if !source.language.is_ecmascript() {
        return None;
    }
    let text = context.tree.text(&source.path)?;
    let mut edits = Vec::new();
    let mut done: Vec<Name> = Vec::new();
    for search in searches {
        let Expr::Name(name) = search.list.peeled() else { return None };
        if search.way != Way::Member || search.through.is_some() {
            return None;
        }
        if done.contains(name) {
            continue;
        }
        done.push(*name);
        let scope = Scope::of_call(facts, search.call.index);
        let Meaning::Declared(binding) = scope.look_up(name) else { return None };
        if binding.kind != BindingKind::Constant || binding.declared_type.is_some() || binding.taken.is_some() {
            return None;
        }
        let owner = facts.symbols[binding.owner? as usize].span;
        let places = includes_of(facts, name, owner)?;
        // The declaration and the calls are all there is of the name in the whole file.
        if words(&text, name) != places.len() + 1 {
            return None;
        }
        let declared = text.get(binding.span.start as usize..binding.span.end as usize)?;
        let (head, value) = declared.split_once('=')?;
        let head = head.trim().trim_start_matches("const ").trim();
        let value = value.trim_end_matches(';');
        let start = binding.span.start + (declared.len() - declared.split_once('=')?.1.len()) as u32;
        let spaces = value.len() - value.trim_start().len();
        let start = start + spaces as u32;
        let end = start + value.trim().len() as u32;
        if head != name.as_str() || value.trim().is_empty() {
            return None;
        }
        let insert = |at: u32, text: &str| EditDraft::Replace {
            file: source.path.clone(),
            span: Span { start: at, end: at },
            text: text.to_owned(),
        };
        edits.push(insert(start, "new Set("));
        edits.push(insert(end, ")"));
        for call in places {
            let written = text.get(call.start as usize..call.end as usize)?;
            let at = written.find("includes")? as u32 + call.start;
            if written[..(at - call.start) as usize].trim_end_matches(['.', '?']).trim() != name.as_str() {
                return None;
            }
            edits.push(EditDraft::Replace {
                file: source.path.clone(),
                span: Span { start: at, end: at + "includes".len() as u32 },
                text: "has".to_owned(),
            });
        }
    }
    Some(edits)
}

/// Calls `name.includes(value)` within `owner`.
fn includes_of(facts: &FileFacts, name: &str, owner: Span) -> Option<Vec<Span>> {
    let calls: Vec<Span> = facts
        .calls
        .iter()
        .filter(|site| {
            site.name == "includes"
                && site.arguments.len() == 1
                && owner.contains(site.span)
                && matches!(site.callee.peeled(), Expr::Member(object, _)
                    if matches!(object.peeled(), Expr::Name(own) if own == name))
        })
        .map(|site| site.span)
        .collect();
    (!calls.is_empty()).then_some(calls)
}

/// How often `name` occurs as a whole word.
fn words(text: &str, name: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(name)
        .filter(|(at, _)| !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
        .count()
}
