//! Credentials in source text: kind and place, never the value.

use crate::repo_map::facts::{FileFacts, SecretLiteral, Span};
use crate::secrets;

/// Every credential that stands on a line of code; comments and documentation show samples.
pub fn literals(text: &str, facts: &FileFacts) -> Vec<SecretLiteral> {
    secrets::find(text)
        .into_iter()
        .filter_map(|found| {
            let line = text.get(..found.range.start)?.matches('\n').count() as u32 + 1;
            facts.code_lines.binary_search_by_key(&line, |code| code.line).ok()?;
            let span = Span { start: found.range.start as u32, end: found.range.end as u32 };
            let name = facts
                .bindings
                .iter()
                .filter(|binding| binding.span.contains(span))
                .max_by_key(|binding| binding.span.start)
                .map(|binding| binding.name);
            let test = facts.symbols.iter().any(|symbol| symbol.test && symbol.span.contains(span));
            Some(SecretLiteral { kind: found.kind.into(), name, line, span, test })
        })
        .collect()
}
