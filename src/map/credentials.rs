//! Credentials in source text: kind and place, never the value.

use crate::repo_map::facts::{FileFacts, SecretLiteral, Span};
use crate::repo_map::name::Name;
use crate::secrets;

/// Every credential that stands on a line of code; comments and documentation show samples.
pub fn literals(text: &str, facts: &FileFacts) -> Vec<SecretLiteral> {
    secrets::find(text)
        .into_iter()
        .filter_map(|found| {
            let line = text.get(..found.range.start)?.matches('\n').count() as u32 + 1;
            facts.code_lines.binary_search_by_key(&line, |code| code.line).ok()?;
            let before = text[..found.range.start].rsplit('\n').next()?;
            // A text that documents how a key is sent shows one.
            if before.contains("```") {
                return None;
            }
            let span = Span { start: found.range.start as u32, end: found.range.end as u32 };
            let bound = facts
                .bindings
                .iter()
                .filter(|binding| binding.span.contains(span))
                .max_by_key(|binding| binding.span.start)
                .map(|binding| binding.name);
            let name = bound.or_else(|| key_before(before).map(Name::from));
            let test = facts.symbols.iter().any(|symbol| symbol.test && symbol.span.contains(span));
            Some(SecretLiteral { kind: found.kind.into(), name, line, span, test })
        })
        .collect()
}

/// The key that a value stands behind: `x-api-key` of `'x-api-key': '`.
fn key_before(line: &str) -> Option<&str> {
    let rest = line.strip_suffix(['"', '\'', '`'])?.trim_end().strip_suffix(':')?.trim_end();
    let rest = rest.strip_suffix(['"', '\'']).unwrap_or(rest);
    let start = rest.rfind(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_')).map_or(0, |at| at + 1);
    let key = &rest[start..];
    key.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_in_front_of_a_value_is_its_name() {
        assert_eq!(key_before("  'x-algolia-api-key': '"), Some("x-algolia-api-key"));
        assert_eq!(key_before("const keys = { apiKey: \""), Some("apiKey"));
        assert_eq!(key_before("const apiKey = '"), None);
        assert_eq!(key_before("é: '"), None);
    }
}
