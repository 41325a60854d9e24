//! The issue of a plan, noted in its text; every other byte is kept.

use super::Plan;
use super::markdown::Blocks;
use super::parse::parse;
use super::render::render;

/// `text` with a line in its status that names the issue, in the place of one that names another. `None` where that line could not be
/// read again, or would change what else is read: the status is no list, or there is none.
pub fn with_issue(text: &str, url: &str) -> Option<String> {
    let before = parse(text).ok()?;
    let blocks = Blocks::of(text);
    let at = blocks.headings.iter().position(|heading| heading.text.trim().eq_ignore_ascii_case("status"))?;
    let first = blocks.headings[at].line + 1;
    let end = blocks.headings.get(at + 1).map_or(blocks.lines.len(), |next| next.line);
    let is_item = |line: &str| line.starts_with("- ") || line.starts_with("* ");
    let last = (first..end).rev().find(|&index| is_item(blocks.lines[index]))?;
    let names_issue =
        |index: &usize| is_item(blocks.lines[*index]) && blocks.lines[*index].to_lowercase().contains("**issue**");
    let old = (first..end).find(names_issue);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("{}**Issue**: {url}", &blocks.lines[last][..2]);
    let mut changed = String::with_capacity(text.len() + line.len() + 2);
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        if old == Some(index) {
            changed.extend([line.as_str(), line_end]);
            continue;
        }
        changed.push_str(whole);
        if old.is_none() && index == last {
            changed.extend([line.as_str(), line_end]);
        }
    }
    let after = parse(&changed).ok()?;
    // Lines have other numbers now: what counts is what the plan says.
    let says = |mut plan: Plan| {
        plan.status.issue = None;
        plan.status.raw.retain(|(key, _)| !key.eq_ignore_ascii_case("issue"));
        render(&plan)
    };
    (after.status.issue.as_deref() == Some(url) && says(after) == says(before)).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# Plan 001: A\n\n## Status\n\n- **Priority**: P1\n- **Finding**: `0123456789abcdef`\n\n## Steps\n\n### Step 1: B\n\nDo it.\n\n**Verify**: `true` → exit 0\n";

    #[test]
    fn an_issue_is_noted_once_and_nothing_else_changes() {
        let one = with_issue(PLAN, "https://github.com/me/shop/issues/7").expect("a status");
        let note = "- **Issue**: https://github.com/me/shop/issues/7\n";
        assert_eq!(one, PLAN.replace("cdef`\n", &format!("cdef`\n{note}")));
        let other = with_issue(&one, "https://github.com/me/shop/issues/8").expect("a status");
        assert_eq!(other, one.replace("/7", "/8"));
    }

    #[test]
    fn a_plan_without_a_list_of_status_is_left() {
        assert_eq!(with_issue("# A\n\n## Steps\n\n1. Do it\n", "u"), None);
        assert_eq!(with_issue("# A\n\n## Status\n\n| Priority | P1 |\n|---|---|\n\n## Steps\n\n1. Do it\n", "u"), None);
    }
}
