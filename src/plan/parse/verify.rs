//! Verify blocks: the label in every spelling, and how far the block behind it reaches.

use std::sync::LazyLock;

use regex::Regex;

use crate::plan::markdown::{Blocks, Fence, code_spans, dedent, starts_item, tidy};

const VERIFY_WORDS: &str = "verify|verification|verified by|validate|validation|gate|gates|验证|校验|驗證|проверка|проверить|vérifier|vérification|verificar|verificación|verificação|prüfen|prüfung|überprüfung|verifizieren|verifica|検証|確認|확인|검증";
static VERIFY_BOLD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)(?:\*\*|__)(?:{VERIFY_WORDS})(\b[^*\n:：]{{0,80}}|)(?:([:：])\s*(?:\*\*|__)|(?:\*\*|__)\s*(\([^)\n]*\))?\s*([:：]|—|–|→)?)\s*")).expect("a constant pattern")
});
static VERIFY_PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)^\s*(?:[-*+]\s+|\d+[.)]\s+)?(?:\[[ xX]\]\s+)?_?(?:{VERIFY_WORDS})\s*(\([^)\n]*\))?\s*[:：]_?\s*"
    ))
    .expect("a constant pattern")
});
static VERIFY_INLINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:[.;)]\s+)(Verify|Verification)[:：]\s*").expect("a constant pattern"));
static VERIFY_HEADING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)^#{{3,6}}\s+[*_]*(?:{VERIFY_WORDS})[*_]*\s*(\([^)]*\))?\s*[:：]?\s*$"))
        .expect("a constant pattern")
});
static CONTINUES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(?:→|->|=>|\**expect|should\b|must\b|both\b|all\b|each\b)").expect("a constant pattern")
});
/// A bold label of another kind, which ends a block.
pub(super) static OTHER_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:[-*+]\s+)?\*\*[^*]{1,60}(?::\*\*|\*\*\s*(?:\([^)]*\)\s*)?[:：])").expect("a constant pattern")
});

/// Several blocks as one text; a further one keeps a label, so that it is found again.
pub(super) fn join(blocks: &[String]) -> String {
    let mut text = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            let own_line = if needs_own_line(block) { "\n\n" } else { " " };
            text.push_str(&format!("\n\n**Verify**:{own_line}"));
        }
        text.push_str(block);
    }
    text
}

/// Whether a Verify text starts with a block that cannot stand on the label's line.
pub(crate) fn needs_own_line(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    starts_item(first) || first.trim_start().starts_with("```") || first.trim_start().starts_with(['|', '>', '#', '~'])
}

/// A label that opens a Verify block.
pub(super) struct VerifyLabel {
    /// Text on the line before the label.
    pub before: String,
    /// A remark inside the label.
    remark: String,
    /// Text on the line after the label.
    pub rest: String,
    /// Indentation that the label's block shares.
    indent: usize,
}

/// The Verify label of a line, in any spelling counted.
pub(super) fn label(line: &str) -> Option<VerifyLabel> {
    let indent = line.len() - line.trim_start().len();
    if VERIFY_HEADING.is_match(line) {
        return Some(VerifyLabel { before: String::new(), remark: String::new(), rest: String::new(), indent });
    }
    let spans = code_spans(line);
    let outside = |at: usize| !spans.iter().any(|span| span.range.contains(&at));
    if let Some(found) = VERIFY_BOLD.captures(line) {
        let whole = found.get(0)?;
        let words = found.get(1).map_or("", |words| words.as_str().trim());
        let colon = found.get(2).is_some() || found.get(4).is_some();
        let before = &line[..whole.start()];
        let marker = before.trim().is_empty() || is_marker(before);
        // `**Verify** that …` is an instruction.
        let rest = &line[whole.end()..];
        let plain_label = words.is_empty() && marker && (rest.trim_start().starts_with('`') || rest.trim().is_empty());
        if outside(whole.start()) && (colon || plain_label) {
            let inner = format!("{words} {}", found.get(3).map_or("", |remark| remark.as_str()));
            let inner = inner.trim();
            let remark = match inner {
                "" => String::new(),
                _ if inner.starts_with('(') => format!("{inner} "),
                _ => format!("({inner}) "),
            };
            let before = if marker { String::new() } else { before.to_owned() };
            return Some(VerifyLabel { before, remark, rest: rest.to_owned(), indent });
        }
    }
    if let Some(found) = VERIFY_PLAIN.captures(line) {
        let remark = found.get(1).map_or(String::new(), |remark| format!("{} ", remark.as_str()));
        let rest = line[found.get(0)?.end()..].to_owned();
        return Some(VerifyLabel { before: String::new(), remark, rest, indent });
    }
    let found = VERIFY_INLINE.captures(line)?;
    let word = found.get(1)?;
    let rest = line[found.get(0)?.end()..].to_owned();
    outside(word.start()).then(|| VerifyLabel {
        before: line[..word.start()].to_owned(),
        remark: String::new(),
        rest,
        indent,
    })
}

/// Whether a line is a Verify line from its start.
pub(super) fn is_verify_line(line: &str) -> bool {
    VERIFY_PLAIN.is_match(line) || VERIFY_BOLD.find(line).is_some_and(|found| line[..found.start()].trim().len() <= 3)
}

/// The text of a Verify block and the index of the first line after it.
///
/// A block is the label's paragraph, a list or runnable fences right below it, and what is expected of those.
pub(super) fn block(blocks: &Blocks<'_>, start: usize, opened: &VerifyLabel) -> (String, usize) {
    let lines = &blocks.lines;
    let indent_of = |index: usize| lines[index].len() - lines[index].trim_start().len();
    let starts_here = is_marker(&lines[start][..lines[start].find("**").unwrap_or(0)]) && starts_item(lines[start]);
    let mut head = format!("{}{}", opened.remark, opened.rest.trim()).trim().to_owned();
    let mut body: Vec<&str> = Vec::new();
    let mut index = start + 1;
    let (mut has_list, mut has_fence) = (false, false);
    while index < lines.len() {
        if let Some(fence) = blocks.fences.iter().find(|fence| fence.first == index) {
            if !runnable(fence) || (starts_here && indent_of(index) <= opened.indent) {
                break;
            }
            body.extend(&lines[fence.first..=fence.last]);
            has_fence = true;
            index = fence.last + 1;
            continue;
        }
        if lines[index].trim().is_empty() {
            let Some(next) = (index..lines.len()).find(|next| !lines[*next].trim().is_empty()) else { break };
            if starts_here && indent_of(next) <= opened.indent {
                break;
            }
            let so_far = format!("{head}\n{}", body.join("\n"));
            let open = so_far.trim().is_empty() || so_far.trim_end().ends_with([':', '：']);
            let has_command = has_fence || !code_spans(&so_far).is_empty();
            let goes_on = match blocks.fences.iter().find(|fence| fence.first == next) {
                Some(fence) => runnable(fence) && (open || !has_command),
                None if starts_item(lines[next]) => has_list || open,
                None => (has_fence && CONTINUES.is_match(lines[next])) || so_far.trim().is_empty(),
            };
            if !goes_on || label(lines[next]).is_some() || lines[next].trim_start().starts_with("### ") {
                break;
            }
            body.push("");
            index = next;
            if !blocks.is_code(index) {
                has_list |= starts_item(lines[index]);
                body.push(lines[index]);
                index += 1;
            }
            continue;
        }
        let line = lines[index];
        let is_item = starts_item(line);
        let outside =
            starts_here && (indent_of(index) < opened.indent || (is_item && indent_of(index) <= opened.indent));
        let is_heading = line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
        if outside || is_heading || label(line).is_some() || (OTHER_LABEL.is_match(line) && !CONTINUES.is_match(line)) {
            break;
        }
        has_list |= is_item;
        body.push(line);
        index += 1;
    }
    let body = dedent(&body.join("\n"));
    // The first lines of a paragraph go on where the label's line ends.
    if head.is_empty() {
        head = body.trim_matches('\n').to_owned();
        return (tidy(&head), index);
    }
    (tidy(&format!("{head}\n{body}")), index)
}

fn is_marker(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_suffix("[ ]").or_else(|| text.strip_suffix("[x]")).unwrap_or(text).trim();
    matches!(text, "" | "-" | "*" | "+")
        || text.strip_suffix(['.', ')']).is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()))
}

fn runnable(fence: &Fence) -> bool {
    let language = fence.info.split_whitespace().next().unwrap_or_default().to_lowercase();
    fence.closed
        && [
            "",
            "bash",
            "sh",
            "shell",
            "zsh",
            "console",
            "shell-session",
            "powershell",
            "ps1",
            "pwsh",
            "cmd",
            "bat",
            "fish",
            "text",
        ]
        .contains(&language.as_str())
}

/// Where the Verify label of a line starts, if it has one.
pub(super) fn label_start(line: &str) -> Option<usize> {
    if is_verify_line(line) {
        return Some(0);
    }
    let inline = || VERIFY_INLINE.captures(line).and_then(|found| found.get(1)).map(|word| word.start());
    VERIFY_BOLD.find(line).map(|found| found.start()).or_else(inline)
}
