//! Syntax: whether an edit broke a file that a grammar of ours reads.

use tree_sitter::{Node, Parser, Tree};

/// A file longer than this is not parsed again: 2 MiB, our choice; the mapper skips such files too.
const MAX_BYTES: usize = 2 << 20;

/// Lines (1-based) of the syntax errors that `after` has and `before` has not; empty for languages without a grammar.
///
/// Errors that were there before are not the edit's fault, so the errors are compared by count: a grammar that does not know
/// a construct of the file reports as many before as after.
pub fn new_errors(path: &str, before: Option<&str>, after: &str) -> Vec<u32> {
    let Some(language) = grammar(path) else { return Vec::new() };
    if after.len() > MAX_BYTES {
        return Vec::new();
    }
    let known = before.map_or(0, |text| errors(&language, text).len());
    let now = errors(&language, after);
    if now.len() > known { now } else { Vec::new() }
}

/// The line (1-based) of the first syntax error of `text`, read as a file of this name.
pub fn first_error(path: &str, text: &str) -> Option<u32> {
    errors(&grammar(path)?, text).first().copied()
}

/// Whether a grammar of ours reads files of this name.
pub fn reads(path: &str) -> bool {
    grammar(path).is_some()
}

fn grammar(path: &str) -> Option<tree_sitter::Language> {
    match path.rsplit_once('.')?.1 {
        "rs" => Some(tree_sitter_rust::LANGUAGE.into()),
        "ts" | "mts" | "cts" => Some(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()),
        // The TSX grammar reads JavaScript too.
        "tsx" | "jsx" | "js" | "mjs" | "cjs" => Some(tree_sitter_typescript::LANGUAGE_TSX.into()),
        _ => None,
    }
}

/// The syntax tree of a file; `None` for a language without a grammar and for files that are too long.
pub fn tree(path: &str, text: &str) -> Option<Tree> {
    if text.len() > MAX_BYTES {
        return None;
    }
    parse(&grammar(path)?, text)
}

fn parse(language: &tree_sitter::Language, text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(language).ok()?;
    parser.parse(text, None)
}

fn errors(language: &tree_sitter::Language, text: &str) -> Vec<u32> {
    let Some(tree) = parse(language, text) else { return Vec::new() };
    let mut lines = Vec::new();
    let mut pending = vec![tree.root_node()];
    while let Some(node) = pending.pop() {
        if node.is_error() || node.is_missing() {
            lines.push(line_of(node));
        } else if node.has_error() {
            let mut cursor = node.walk();
            pending.extend(node.children(&mut cursor));
        }
    }
    lines.sort_unstable();
    lines
}

fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_was_there_before_is_not_new() {
        assert_eq!(new_errors("a.rs", Some("fn a( {}\n"), "fn a( {}\nfn b() {}\n"), Vec::<u32>::new());
        assert_eq!(new_errors("a.rs", Some("fn a() {}\n"), "fn a() {}\nfn b( {}\n"), vec![2]);
    }

    #[test]
    fn files_without_a_grammar_have_no_syntax() {
        assert_eq!(new_errors("a.py", None, "def ("), Vec::<u32>::new());
        assert_eq!(new_errors("Makefile", None, "{{{"), Vec::<u32>::new());
    }

    #[test]
    fn every_grammar_reports_a_missing_bracket() {
        for path in ["a.rs", "a.ts", "a.tsx", "a.js", "a.mjs"] {
            let text = if path == "a.rs" { "fn a() { b(;\n" } else { "function a() { b(;\n" };
            assert!(!new_errors(path, None, text).is_empty(), "{path}");
        }
    }
}
