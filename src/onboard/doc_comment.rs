//! Doc comments: what a file or a definition says of itself, in its first sentence.

use std::sync::LazyLock;

use regex::Regex;

use crate::repo_map::facts::LanguageName;

/// Characters of a sentence that is quoted; a longer one is cut at a word.
const LONGEST: usize = 220;
/// A shorter one says nothing.
const SHORTEST: usize = 12;
/// Words of comments that speak of something else than the code below.
const NOT_ABOUT_THE_CODE: &[&str] = &[
    "copyright",
    "license",
    "licence",
    "spdx",
    "eslint",
    "@ts-",
    "prettier",
    "@jest",
    "@vitest",
    "istanbul",
    "generated",
    "@flow",
    "@jsx",
    "biome-ignore",
    "todo",
    "fixme",
    "tslint",
    "all rights reserved",
    "global ",
    "webpack",
    "@preserve",
    "rustfmt",
    "shellcheck",
    "sourcemapping",
    "dprint",
    "oxlint",
    "deno-lint",
    "@format",
    "stylelint",
    "v8 ignore",
    "c8 ignore",
    "reference ",
];

/// What a file says of itself at its head.
pub(super) fn of_file(text: &str, language: LanguageName) -> Option<String> {
    let paragraph = match language {
        LanguageName::Rust => inner(text),
        LanguageName::JavaScript | LanguageName::TypeScript => leading(text),
    }?;
    sentence(&paragraph)
}

/// What stands above the definition that starts on `line`, from 1.
pub(super) fn of_definition(text: &str, line: u32) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(line.saturating_sub(1) as usize).collect();
    let mut above = lines.iter().rev().map(|line| line.trim()).peekable();
    // Attributes and decorators stand between a definition and its comment.
    while above.next_if(|line| line.starts_with("#[") || line.starts_with('@') || *line == ")]").is_some() {}
    let mut comment: Vec<&str> = Vec::new();
    if above.peek().is_some_and(|line| line.ends_with("*/")) {
        for line in above {
            comment.push(line);
            if line.starts_with("/*") {
                break;
            }
        }
        if !comment.last().is_some_and(|line| line.starts_with("/**")) {
            return None;
        }
    } else {
        comment.extend(above.take_while(|line| line.starts_with("///")));
    }
    comment.reverse();
    sentence(&paragraph(comment.into_iter().map(bare))?)
}

/// `//!` lines and `/*!` blocks.
fn inner(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim);
    let head = lines.skip_while(|line| {
        line.is_empty() || line.starts_with("#!") || line.starts_with("//") && !line.starts_with("//!")
    });
    paragraph(head.take_while(|line| line.starts_with("//!")).map(bare))
}

/// A comment at the head of a file that does not belong to the definition below it.
fn leading(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim).collect();
    let is_directive = |line: &str| {
        line.is_empty() || line.starts_with("#!") || line.starts_with("'use ") || line.starts_with("\"use ")
    };
    let mut at = lines.iter().take_while(|line| is_directive(line)).count();
    // A licence may come first, what the file is about second.
    for _ in 0..3 {
        let comment = comment_at(&lines[at..])?;
        let after = at + comment;
        let words = lines[at..after].join(" ").to_lowercase();
        if !NOT_ABOUT_THE_CODE.iter().any(|word| words.contains(word)) {
            let tagged =
                words.contains("@file") || words.contains("@module") || words.contains("@packagedocumentation");
            let next = lines.get(after).copied().unwrap_or_default();
            let stands_alone = next.is_empty() || next.starts_with("import ") || next.starts_with("'use ");
            if !tagged && !stands_alone {
                return None;
            }
            return paragraph(lines[at..after].iter().map(|line| bare(line)));
        }
        at = after + lines[after..].iter().take_while(|line| is_directive(line)).count();
    }
    None
}

/// Lines of the comment that `lines` start with.
fn comment_at(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    if first.starts_with("/*") {
        return lines.iter().position(|line| line.ends_with("*/")).map(|end| end + 1);
    }
    let count = lines.iter().take_while(|line| line.starts_with("//")).count();
    (count > 0).then_some(count)
}

/// A line of a comment without its marks.
fn bare(line: &str) -> &str {
    let line = line.trim().trim_end_matches("*/");
    for mark in ["///", "//!", "//", "/**", "/*!", "/*", "*"] {
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim();
        }
    }
    line.trim()
}

/// The first paragraph of prose: headings, tags, fences, lists and rules are none.
fn paragraph<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for line in lines {
        let mut line = line;
        for tag in ["@fileoverview", "@file", "@description", "@summary"] {
            line = line.strip_prefix(tag).map_or(line, str::trim);
        }
        let is_rule = line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '/' | '#' | '~'));
        let is_prose =
            !line.is_empty() && !is_rule && !line.starts_with(['@', '#', '`', '|', '<']) && !line.starts_with("```");
        match (is_prose, words.is_empty()) {
            (true, _) => words.push(line),
            (false, true) if line.starts_with("```") => return None,
            (false, true) => {}
            (false, false) => break,
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?|\{@link(?:code|plain)?\s+([^}|]+)(?:\|[^}]*)?\}")
        .expect("the pattern is tested")
});

/// The first sentence of a paragraph, links taken off; `None` when it says nothing.
pub(super) fn sentence(paragraph: &str) -> Option<String> {
    let plain = LINK.replace_all(paragraph, "$1$2");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = sentence_end(&plain);
    let first = plain[..end].trim().trim_end_matches([':', ';', ',']).trim();
    let words = first.split_whitespace().count();
    if first.chars().count() < SHORTEST || words < 2 || first.ends_with("e.g") {
        return None;
    }
    Some(cut(first, LONGEST))
}

/// Where the first sentence ends: at a full stop that a new sentence follows.
fn sentence_end(text: &str) -> usize {
    let is_end = |at: usize| {
        let before = &text[..at];
        let abbreviated = ["e.g", "i.e", "etc", "vs", "cf", "approx", "no"];
        let word = before.rsplit([' ', '(']).next().unwrap_or_default();
        let rest = text[at + 1..].trim_start();
        let starts = rest.chars().next().is_none_or(|next| next.is_uppercase() || !next.is_alphanumeric());
        text[at + 1..].starts_with(' ') && starts && !abbreviated.contains(&word.to_lowercase().as_str())
    };
    let marks = text.match_indices(['.', '!', '?']).map(|(at, _)| at);
    marks.filter(|&at| is_end(at)).map(|at| at + 1).next().unwrap_or(text.len())
}

/// `text` in at most so many characters, cut at a word.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest).collect();
    let end = head.rfind(' ').unwrap_or(head.len());
    format!("{}…", head[..end].trim_end_matches([',', ';', ':', '(']).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_file_speaks_in_its_inner_comment() {
        let text = "// Copyright\n#![allow(x)]\n//! # Orders\n//!\n//! Reads orders. And\n//! more of it.\n\nuse a;\n";
        assert_eq!(of_file(text, LanguageName::Rust).as_deref(), Some("Reads orders."));
        assert_eq!(of_file("use a;\n//! not at the head\n", LanguageName::Rust), None);
    }

    #[test]
    fn a_leading_comment_is_the_files_own_only_where_it_stands_alone() {
        let of = |text: &str| of_file(text, LanguageName::TypeScript);
        let own = "/* eslint-disable */\n'use client';\n// Charges cards, e.g. on renewal. Never twice.\n\nimport a from 'a';\n";
        assert_eq!(of(own).as_deref(), Some("Charges cards, e.g. on renewal."));
        assert_eq!(of("/** Adds two numbers together. */\nexport function add() {}\n"), None);
        let tagged = "/**\n * @module\n * Body utility for requests.\n */\nexport type A = 1;\n";
        assert_eq!(of(tagged).as_deref(), Some("Body utility for requests."));
        assert_eq!(of("// Copyright (c) somebody\n\nexport {}\n"), None);
    }

    #[test]
    fn the_comment_above_a_definition_is_found_behind_its_attributes() {
        let text = "/// An order, see [`Cart`](crate::Cart).\n#[derive(Debug)]\npub struct Order;\n";
        assert_eq!(of_definition(text, 3).as_deref(), Some("An order, see `Cart`."));
        let text = "/**\n * What {@link Cart} becomes.\n * @public\n */\nexport class Order {}\n";
        assert_eq!(of_definition(text, 5).as_deref(), Some("What Cart becomes."));
        assert_eq!(of_definition("const a = 1;\nfunction b() {}\n", 2), None);
    }
}
