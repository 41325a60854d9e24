//! Anchoring: the lines that a plan cites, brought up to date where what it quotes has moved.

use std::sync::LazyLock;

use regex::Regex;

use super::Plan;
use super::drift::{Drift, drift};
use super::parse::parse;
use crate::tree::Tree;

static LINES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\blines=(\d+)(?:-(\d+))?").expect("a constant pattern"));

/// Whether something that the plan quotes stands elsewhere than it says.
pub fn has_moved(plan: &Plan, tree: &dyn Tree) -> bool {
    plan.excerpts.iter().any(|excerpt| excerpt.lines.is_some() && matches!(drift(excerpt, tree), Drift::Moved { .. }))
}

/// The text of a plan with the lines in the headers of its excerpts as they are in `tree`. `None` where nothing of that can be
/// changed: text that cites lines in sentences is its writer's.
pub fn anchored(text: &str, tree: &dyn Tree) -> Option<String> {
    let plan = parse(text).ok()?;
    let mut excerpts = plan.excerpts.iter().filter(|excerpt| excerpt.lines.is_some());
    let mut is_changed = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_header = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        let Some(cited) = LINES.captures(line).filter(|_| is_header && line.contains("file=")) else {
            lines.push(line.to_owned());
            continue;
        };
        let number = |group: usize| cited.get(group).and_then(|group| group.as_str().parse::<u32>().ok());
        let from = number(1)?;
        let to = number(2).unwrap_or(from);
        // They stand in the text in the order in which they were read.
        let excerpt = excerpts.find(|excerpt| excerpt.lines == Some((from, to)));
        let now = excerpt.map(|excerpt| drift(excerpt, tree));
        let Some(Drift::Moved { to: first }) = now else {
            lines.push(line.to_owned());
            continue;
        };
        let last = first + (to - from.min(to));
        lines.push(LINES.replace(line, format!("lines={first}-{last}")).into_owned());
        is_changed = true;
    }
    is_changed.then(|| lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::WorkingTree;

    fn tree(text: &str) -> (tempfile::TempDir, WorkingTree) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("a.ts"), text).expect("the folder is ours");
        let tree = WorkingTree::new(folder.path());
        (folder, tree)
    }

    const PLAN: &str = "# Plan 001: Mend it\n\n## Current state\n\n```ts file=a.ts lines=2-3\nlet b = 1\nlet c = 2\n```\n\n```ts file=a.ts lines=1-1\nfirst\n```\n\nLine 2 is wrong.\n\n## Steps\n\n### Step 1: One\n\nDo it.\n";

    #[test]
    fn lines_follow_what_they_quote_and_nothing_else_changes() {
        let (_folder, moved) = tree("first\n\n\n\n\n\n\n\nlet b = 1\nlet c = 2\n");
        let plan = parse(PLAN).expect("it is one");
        assert!(has_moved(&plan, &moved));
        let text = anchored(PLAN, &moved).expect("it moved");
        assert_eq!(text, PLAN.replace("lines=2-3", "lines=9-10"));
        assert!(!has_moved(&parse(&text).expect("it is one"), &moved));
    }

    #[test]
    fn what_stands_still_or_is_gone_is_left_alone() {
        for text in ["first\nlet b = 1\nlet c = 2\n", "something else\n"] {
            let (_folder, tree) = tree(text);
            assert_eq!(anchored(PLAN, &tree), None);
        }
    }
}
