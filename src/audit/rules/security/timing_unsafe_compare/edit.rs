//! Edit: the comparison in constant time.

use crate::audit::draft::EditDraft;
use crate::audit::rule::RecipeContext;
use crate::repo_map::FileId;
use crate::repo_map::facts::{Comparison, Span};

/// The comparison in constant time, and the import it needs.
pub fn edits(context: &RecipeContext<'_>, file: FileId, comparison: &Comparison) -> Option<Vec<EditDraft>> {
    let source = context.map.file(file);
    let facts = &source.facts;
    let taken = |name: &str| facts.imports.iter().any(|import| import.local == name);
    if taken("timingSafeEqual") || taken("createHash") {
        return None;
    }
    let source_text = context.tree.text(&source.path)?;
    let written = source_text.get(comparison.span.start as usize..comparison.span.end as usize)?;
    if written.matches(comparison.operator.as_str()).count() != 1 || written.contains(['\n', '?']) {
        return None;
    }
    let (left, right) = written.split_once(comparison.operator.as_str())?;
    let (left, right) = (left.trim(), right.trim());
    // What is absent equals nothing. Calls would have to be made twice to ask, so they are left to a person.
    let is_template = |side: &str| side.starts_with('`') && side.ends_with('`');
    let mut terms = Vec::new();
    for side in [left, right] {
        if !is_template(side) {
            if side.contains('(') {
                return None;
            }
            terms.push(format!("typeof {side} === 'string'"));
        }
    }
    terms.push(format!(
        "timingSafeEqual(createHash('sha256').update({left}).digest(), createHash('sha256').update({right}).digest())"
    ));
    let equal = terms.join(" && ");
    let text = if comparison.operator.starts_with('!') { format!("!({equal})") } else { format!("({equal})") };
    let import = facts.imports.iter().filter(|import| import.within.is_empty()).min_by_key(|import| import.line)?;
    let at = line_start(&source_text, import.line)?;
    if !source_text[at..].starts_with("import ") {
        return None;
    }
    let first_line = source_text[at..].lines().next().unwrap_or_default();
    let quote = if source_text[at..].lines().take(20).any(|line| line.starts_with("import ") && line.contains('"'))
        || first_line.contains('"')
    {
        '"'
    } else {
        '\''
    };
    let text = text
        .replace("'string'", &format!("{quote}string{quote}"))
        .replace("'sha256'", &format!("{quote}sha256{quote}"));
    Some(vec![
        EditDraft::Replace {
            file: source.path.clone(),
            span: Span { start: at as u32, end: at as u32 },
            text: format!("import {{ createHash, timingSafeEqual }} from {quote}node:crypto{quote};\n"),
        },
        EditDraft::Replace { file: source.path.clone(), span: comparison.span, text },
    ])
}

fn line_start(text: &str, line: u32) -> Option<usize> {
    let mut at = 0;
    for _ in 1..line {
        at += text.get(at..)?.find('\n')? + 1;
    }
    Some(at)
}
