//! What a page says around a command: who types it, where, and in which repository.

use std::sync::LazyLock;

use regex::Regex;

/// A page by its lines, with what is no running text set apart.
pub struct Surroundings<'t> {
    lines: Vec<Line<'t>>,
}

struct Line<'t> {
    text: &'t str,
    kind: LineKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Prose,
    Heading,
    Fenced,
    Blank,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is fixed")
}

/// What a tool does with a command.
static TOOL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:runs|executes|invokes|calls|spawns|wraps|triggers|launches|performs|proxies|(?:appended|forwarded|passed|delegated|delegates|forwards|mapped|maps|translated|expands|expanded|equivalent|alias|shorthand|shortcut) (?:to|for|onto|into)|(?:it|this|that|which|command|script|hook|cli|ci|workflow|pipeline|job|action) (?:will|can|then) (?:run|execute|call|invoke)|shells? out)\b",
    )
});
/// What a reader does with it.
static READER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:run|running|re-?run|execute|executing|use|using|type|try|do|invoke|call|start|launch|issue|enter|via|with)\b|:\s*$",
    )
});
/// What is done with it, behind it.
static DONE_BY_TOOL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^`?\s*(?:is|are|gets?|will be|was)\s+(?:then\s+|also\s+|automatically\s+)?(?:run|executed|invoked|called|triggered)\s+(?:by|automatically|internally|under|inside|in (?:ci|the (?:container|background|pipeline|workflow)))\b",
    )
});
/// Where a sentence ends, or what stands in front of it in a table.
static SENTENCE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[.!?;](?:\s|$)|\|| [–—] "));
/// The reader is told to stand in the folder of the repository.
static FROM_ROOT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:from|in|at|to)\s+(?:the\s+|your\s+)?(?:(?:top|root)(?:[- ]level)?\s+(?:folder\s+|directory\s+)?of\s+(?:the|this|your)\s+(?:\w+\s+)?(?:repo|repository|project|monorepo|workspace)\b|(?:repo|repository|project|monorepo|workspace)(?:'s|’s)?[- ]root\b|root\s+(?:folder|directory)\b|`?/`? ?root\b)",
    )
});
/// Another repository, whatever its name.
static ANOTHER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:separate|another|other|different|external|sibling|companion)\s+(?:git(?:hub)?\s+)?(?:repo|repository|repositories|checkout|clone)\b",
    )
});
/// A repository by its name.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b(?:the|your|our|a)\s+[\[(`*"']*([\w@][\w./@-]*)[\])`*"']*(?:\([^)\s]*\))?\s+(?:repo|repository|clone|checkout|fork)\b"#,
    )
});
/// A repository by its address.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:github|gitlab|codeberg)\.(?:com|org)/[\w.-]+/([\w.-]+)"));
static REPOSITORY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:repo|repos|repository|repositories|clone|checkout)\b"));
/// What a tool made for the reader.
static MADE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:generated|scaffolded|bootstrapped|newly created|resulting)\s+(?:\w+\s+)?(?:project|app|application|workspace|package|repo|repository)\b",
    )
});
/// Words in front of "repository" that name none.
const NO_NAMES: [&str; 30] = [
    "this", "same", "main", "whole", "entire", "git", "github", "gitlab", "local", "root", "current", "parent", "mono",
    "cloned", "forked", "project", "upstream", "official", "remote", "source", "own", "new", "shallow", "fresh",
    "full", "public", "private", "code", "working", "clean",
];

impl<'t> Surroundings<'t> {
    /// Takes a page apart.
    pub fn new(text: &'t str) -> Surroundings<'t> {
        let mut fence: Option<&str> = None;
        let lines = text.lines().map(|text| {
            let start = text.trim_start().trim_start_matches(['>', ' ']);
            let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
            let kind = match (fence, mark) {
                (None, Some(mark)) => {
                    fence = Some(mark);
                    LineKind::Fenced
                }
                (Some(open), Some(mark)) if open == mark => {
                    fence = None;
                    LineKind::Fenced
                }
                (Some(_), _) => LineKind::Fenced,
                (None, None) if start.trim().is_empty() => LineKind::Blank,
                (None, None) if start.starts_with('#') => LineKind::Heading,
                (None, None) => LineKind::Prose,
            };
            Line { text, kind }
        });
        Surroundings { lines: lines.collect() }
    }

    fn at(&self, line: u32) -> Option<&Line<'t>> {
        self.lines.get((line as usize).checked_sub(1)?)
    }

    /// The line of the heading above; 0 when there is none.
    pub fn section(&self, line: u32) -> u32 {
        (1..=line).rev().find(|line| self.at(*line).is_some_and(|own| own.kind == LineKind::Heading)).unwrap_or(0)
    }

    /// Running text from the heading above up to the paragraph that a command stands in or that leads to its fence.
    fn told_before(&self, line: u32) -> String {
        let lines = (self.section(line).max(1)..=self.end_of_paragraph(line)).filter_map(|line| self.at(line));
        let told = lines.filter(|line| matches!(line.kind, LineKind::Prose | LineKind::Heading)).map(|line| line.text);
        told.collect::<Vec<_>>().join("\n")
    }

    fn end_of_paragraph(&self, line: u32) -> u32 {
        let is_prose = |line: u32| self.at(line).is_some_and(|own| own.kind == LineKind::Prose);
        (line..).take_while(|line| is_prose(*line)).last().unwrap_or(line)
    }

    /// The paragraph a command stands in, or the one above its fence.
    fn paragraph(&self, line: u32) -> String {
        let end = self.end_of_paragraph(line);
        let in_fence = self.at(line).is_some_and(|line| line.kind == LineKind::Fenced);
        let above = (1..=end).rev().filter_map(|line| self.at(line));
        let own = above
            .skip_while(|line| in_fence && matches!(line.kind, LineKind::Fenced | LineKind::Blank))
            .take_while(|line| line.kind == LineKind::Prose);
        let mut own: Vec<&str> = own.map(|line| line.text).collect();
        own.reverse();
        own.join("\n")
    }

    /// Whether the sentence around a command within a line leaves it to its reader, rather than saying what a tool does with it.
    pub fn is_for_reader(&self, line: u32, command: &str) -> bool {
        let paragraph = self.paragraph(line).split_whitespace().collect::<Vec<_>>().join(" ");
        // A command that stands there twice is for the reader when either is.
        let places: Vec<usize> = paragraph.match_indices(command).map(|(at, _)| at).collect();
        places.is_empty()
            || places.iter().any(|&at| {
                let (before, behind) = (&paragraph[..at], &paragraph[at + command.len()..]);
                let start = SENTENCE.find_iter(before).last().map_or(0, |end| end.end());
                let sentence = &before[start..];
                let last = |pattern: &Regex| pattern.find_iter(sentence).last().map(|found| found.end());
                // "will run" is both: the tool's.
                let is_tool = last(&TOOL).is_some_and(|tool| last(&READER).is_none_or(|reader| reader <= tool));
                !DONE_BY_TOOL.is_match(behind) && !is_tool
            })
    }

    /// Whether the section tells its reader to stand in the folder of the repository.
    pub fn is_from_root(&self, line: u32) -> bool {
        FROM_ROOT.is_match(&self.told_before(line))
    }

    /// Whether a command is for another repository, or for a project that a tool makes.
    pub fn is_elsewhere(&self, line: u32, is_ours: &dyn Fn(&str) -> bool) -> bool {
        let paragraph = self.paragraph(line);
        let is_other = |name: &str| {
            let name = name.trim_end_matches(".git").rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            !NO_NAMES.contains(&name.as_str()) && !name.is_empty() && !is_ours(&name)
        };
        ANOTHER.is_match(&self.told_before(line))
            || MADE.is_match(&paragraph)
            || NAMED.captures_iter(&paragraph).any(|found| is_other(&found[1]))
            || REPOSITORY.is_match(&paragraph) && ADDRESS.captures_iter(&paragraph).any(|found| is_other(&found[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_does_with_a_command_is_not_for_the_reader() {
        let is_for_reader = |text: &str| Surroundings::new(text).is_for_reader(1, "npm run a");
        for text in [
            "Run `npm run a` first.",
            "- `npm run a` builds it",
            "| `npm run a` | builds it |",
            "Building:\n`npm run a`",
            "The hook runs the linter. Use `npm run a` to see more.",
            "Use `make all`, which runs the tests, with `npm run a`.",
            "`npm run a` is run before every release.",
        ] {
            assert!(is_for_reader(text), "{text}");
        }
        for text in [
            "| `migrate` | Migrates. | Arguments are appended to `npm run a`. |",
            "Any argument is forwarded to `npm run a`.",
            "The image runs `npm run a` when it starts.",
            "This will run `npm run a` inside the container.",
            "`npm run a` is run by the hook.",
        ] {
            assert!(!is_for_reader(text), "{text}");
        }
    }

    #[test]
    fn a_page_says_where_its_commands_are_run() {
        let text = "# A\n\nRun from repo root:\n\n```sh\n./a.sh\n```\n\n# B\n\n```sh\n./b.sh\n```\n";
        let page = Surroundings::new(text);
        assert!(page.is_from_root(6) && !page.is_from_root(12));
        for text in ["In the root of the monorepo, run", "from the project root:", "cd to the root directory and"] {
            assert!(Surroundings::new(text).is_from_root(1), "{text}");
        }
    }

    #[test]
    fn another_repository_is_told_from_this_one() {
        let is_elsewhere = |text: &str| Surroundings::new(text).is_elsewhere(1, &|name| name == "shop");
        for text in [
            "In your `references` clone, run `npm run a`.",
            "See [`acme/references`](https://github.com/acme/references), a separate repo, for `npm run a`.",
            "Clone the [docs](https://github.com/acme/docs) repository and run `npm run a`.",
            "In the generated project, `npm run a` starts it.",
        ] {
            assert!(is_elsewhere(text), "{text}");
        }
        for text in [
            "Fork the repo, then run `npm run a` in this repository.",
            "In the shop repo, run `npm run a`.",
            "Install [pnpm](https://github.com/pnpm/pnpm) and run `npm run a`.",
            "Clone https://github.com/acme/shop.git, a repository of its own, and run `npm run a`.",
        ] {
            assert!(!is_elsewhere(text), "{text}");
        }
    }
}
