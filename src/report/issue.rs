//! What an issue says of a plan: the plan, so that whoever reads it, a person or an agent, can carry it out from there.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::finding::Category;
use crate::plan::Plan;

/// Characters of an issue, at most: <https://github.com/orgs/community/discussions/27190> and the API's own refusals say 65,536.
const MOST: usize = 65_536;
/// What is left out is said in about as many characters.
const ROOM: usize = 400;

/// The mark by which the issue of a plan is found again: by its finding, which stays the same when the plan is written anew.
pub fn marker(plan: &Plan, path: &str) -> String {
    format!("<!-- improve:plan={} -->", plan.status.finding.as_deref().unwrap_or(path))
}

/// The text of the issue of the plan at `path`, whose text is `text`.
pub fn body(plan: &Plan, path: &str, text: &str) -> String {
    let marker = marker(plan, path);
    // Its own address says nothing there, and is new when it has been opened.
    let lines = without_title(text).split_inclusive('\n').filter(|line| !line.trim_start().starts_with("- **Issue**:"));
    let text = unaddressed(&lines.collect::<String>());
    let (kept, left_out) = match text.char_indices().nth(MOST - ROOM - marker.len()) {
        None => (text.as_str(), String::new()),
        Some((end, _)) => {
            let end = text[..end].rfind("\n## ").unwrap_or(end);
            (&text[..end], format!("\n\n*The rest does not fit here: the whole plan is `{path}`.*"))
        }
    };
    format!("{}{left_out}\n\nPlan `{path}`: `improve apply` carries it out.\n\n{marker}\n", kept.trim())
}

/// Labels that repositories have, by the defaults of GitHub and by our own word.
pub fn labels(category: Option<Category>) -> Vec<&'static str> {
    let of_category: &[&str] = match category {
        Some(Category::Security) => &["security"],
        Some(Category::Bug) => &["bug"],
        Some(Category::Perf) => &["performance"],
        Some(Category::Tests) => &["tests"],
        Some(Category::TechDebt) => &["tech-debt"],
        Some(Category::Migration) => &["dependencies"],
        Some(Category::Dx) => &["dx"],
        Some(Category::Docs) => &["documentation"],
        Some(Category::Direction) => &["enhancement"],
        None => &[],
    };
    ["improve"].into_iter().chain(of_category.iter().copied()).collect()
}

/// The issue has a title of its own.
fn without_title(text: &str) -> &str {
    match text.trim_start().split_once('\n') {
        Some((first, rest)) if first.starts_with("# ") => rest,
        _ => text,
    }
}

/// The same text to a reader, while nobody is called by `@name` and no issue by `#12`: a plan quotes files and models.
fn unaddressed(text: &str) -> String {
    let mut prose: Vec<Range<usize>> = Vec::new();
    let mut in_code = 0;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code += 1,
            Event::End(TagEnd::CodeBlock) => in_code -= 1,
            Event::Text(_) if in_code == 0 => prose.push(range),
            _ => {}
        }
    }
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for range in prose.into_iter().filter(|range| !range.is_empty()) {
        if range.start < done {
            continue;
        }
        clean.push_str(&text[done..range.start]);
        for character in text[range.clone()].chars() {
            clean.push(character);
            if matches!(character, '@' | '#') {
                // An empty comment parts the sign from the name.
                clean.push_str("<!-- -->");
            }
        }
        done = range.end;
    }
    clean.push_str(&text[done..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parse::parse;

    const PLAN: &str = "# Plan 001: Greet politely\n\n## Status\n\n- **Category**: bug\n- **Finding**: `0123456789abcdef`\n\n## Why this matters\n\nAsk @alice about #12 in `@prisma/client`.\n\n## Steps\n\n### Step 1: Say hello\n\n```ts\n@decorator // #1\n```\n\n**Verify**: `true` → exit 0\n";

    #[test]
    fn an_issue_is_the_plan_with_a_mark_and_calls_nobody() {
        let plan = parse(PLAN).expect("a plan");
        insta::assert_snapshot!(body(&plan, "plans/001-greet.md", PLAN));
        assert_eq!(labels(plan.status.category), ["improve", "bug"]);
    }

    #[test]
    fn a_plan_that_is_too_long_ends_at_a_section_and_says_so() {
        let long = format!("{PLAN}\n## Notes\n\n{}\n", "words ".repeat(20_000));
        let body = body(&parse(&long).expect("a plan"), "plans/001-greet.md", &long);
        assert!(body.chars().count() <= MOST && body.contains("does not fit") && !body.contains("## Notes"));
        assert!(body.ends_with("<!-- improve:plan=0123456789abcdef -->\n"));
    }
}
