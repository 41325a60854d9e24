//! Lists: `Promise.all([await a(), await b()])`, which is given values instead of promises.

use super::Sequence;
use crate::audit::draft::EditDraft;
use crate::audit::rule::RecipeContext;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::Span;
use crate::repo_map::{CallId, FileId, RepoMap};

/// Lists of a file of which at least two calls are waited for before the list is made.
pub fn of_file(map: &RepoMap, file: FileId) -> Vec<Sequence> {
    let facts = &map.file(file).facts;
    let lists = facts.calls.iter().filter(|site| {
        matches!(site.name.as_str(), "all" | "allSettled")
            && site.callee.root_name() == Some("Promise")
            && !map.is_test(file, site.caller)
    });
    lists
        .filter_map(|site| {
            let Expr::Array(items) = site.arguments.first()?.peeled() else { return None };
            let calls: Vec<CallId> =
                items.iter().filter_map(|item| Some(CallId { file, index: waited_for(item)? })).collect();
            (calls.len() > 1).then_some(Sequence { calls, turns: None, is_list: true, is_remote: false })
        })
        .collect()
}

fn waited_for(item: &Expr) -> Option<u32> {
    match item {
        Expr::Await(inner) => match inner.as_ref() {
            Expr::Call(call) => Some(*call),
            _ => None,
        },
        _ => None,
    }
}

/// The `await` in front of a call, taken away.
pub fn edit(context: &RecipeContext<'_>, call: CallId) -> Option<EditDraft> {
    let file = context.map.file(call.file).path.clone();
    let text = context.tree.text(&file)?;
    let end = context.map.call(call).span.start as usize;
    let start = text.get(..end)?.trim_end().strip_suffix("await")?.len();
    Some(EditDraft::Replace { file, span: Span { start: start as u32, end: end as u32 }, text: String::new() })
}
