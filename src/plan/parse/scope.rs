//! Scope: what may be touched, what must not, in all the ways plans list it.

use std::sync::LazyLock;

use regex::Regex;

use super::programs::is_source_path;
use crate::plan::markdown::{Blocks, code_spans, flow, plain, starts_item};
use crate::plan::{Scope, ScopeEntry};

static CREATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\(\s*(?:to\s+|\*\*)?(?:create|created|creates|new)\b[^()]*\)|\(\s*add(?:ed)?\s*\)|\([^()]*[,;]\s*(?:create|new)\s*\)|^\s*(?:[—–:-]|->|→)?\s*(?:\*\*)?(?:create[sd]?\b|new(?:\*\*)?(?:\s+(?:files?|modules?|tests?|helpers?|components?|migrations?|scripts?)\b|\s*(?:$|[.,;:(—–-])))|\bnew file\b|^\s*create\b").expect("a constant pattern")
});
static PREFIX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^\**(?:create|new|add)\**:?\s+$").expect("a constant pattern"));
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:#{2,6}\s+)?[*_]*\s*(in[ -]scope|out[ -]of[ -]scope|out[ -]scope|not in scope|explicitly out of scope|do not touch)\b\s*([^*:：]{0,160}?)(?:[:：]\s*[*_]*|[*_]+\s*(\([^)]*\))?\s*[:：]?|$)\s*(.*)$").expect("a constant pattern")
});

/// Which list is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// No label was seen.
    Unlabelled,
    /// In scope.
    In,
    /// Out of scope.
    Out,
}

/// Reads `body` into `scope`, beginning with the list that its heading names.
pub(super) fn read(body: &str, start: List, scope: &mut Scope) {
    let blocks = Blocks::of(body);
    let labelled = start != List::Unlabelled
        || blocks.lines.iter().enumerate().any(|(index, line)| !blocks.is_code(index) && label(line).is_some());
    let mut list = if labelled { start } else { List::In };
    let mut notes: Vec<String> = Vec::new();
    let mut index = 0;
    while index < blocks.lines.len() {
        let line = blocks.lines[index];
        if line.trim().is_empty() {
            index += 1;
            continue;
        }
        if let Some(item) = blocks.items.iter().find(|item| item.first == index) {
            // `- **In scope**:` is a label too.
            if let Some(found) = label(item.text.lines().next().unwrap_or_default()) {
                list = found.list;
                notes.extend(found.remark);
                let rest = item.text.split_once('\n').map_or("", |(_, rest)| rest);
                take_inline(&found.inline, list, scope);
                if !rest.trim().is_empty() {
                    read_nested(rest, list, scope);
                }
            } else {
                match list {
                    List::Unlabelled => notes.push(blocks.lines[item.first..=item.last].join("\n")),
                    List::In => take_item(&item.text, scope),
                    List::Out => scope.out_of_scope.push(flow(&item.text)),
                }
            }
            index = item.last + 1;
            continue;
        }
        if let Some(fence) = blocks.fences.iter().find(|fence| fence.first == index) {
            match list {
                // A fence of paths, one a line.
                List::In => fence
                    .text
                    .lines()
                    .filter(|line| !line.trim().is_empty())
                    .for_each(|line| take_item(&as_code(line), scope)),
                List::Out | List::Unlabelled => notes.push(blocks.lines[fence.first..=fence.last].join("\n")),
            }
            index = fence.last + 1;
            continue;
        }
        if let Some(found) = label(line) {
            list = found.list;
            notes.extend(found.remark);
            let (text, next) = paragraph(&blocks, index + 1, found.inline);
            take_inline(&text, list, scope);
            index = next;
            continue;
        }
        let (text, next) = paragraph(&blocks, index + 1, line.to_owned());
        let is_intro = text.trim_end().ends_with([':', '：']);
        match list {
            List::In if !labelled || is_intro || text.trim_start().starts_with('#') => notes.push(text),
            List::Unlabelled => notes.push(text),
            List::In => take_item(&text, scope),
            List::Out => scope.out_of_scope.push(flow(&text)),
        }
        index = next;
    }
    if !notes.is_empty() {
        let joined = notes.join("\n\n");
        scope.notes = if scope.notes.is_empty() { joined } else { format!("{}\n\n{joined}", scope.notes) };
        scope.notes = crate::plan::markdown::tidy(&scope.notes);
    }
}

struct Label {
    list: List,
    remark: Option<String>,
    inline: String,
}

fn label(line: &str) -> Option<Label> {
    let found = LABEL.captures(line.trim())?;
    let list = if found[1].to_lowercase().starts_with("in") { List::In } else { List::Out };
    // A sentence that begins with the words, or an item about a thing that is out of scope.
    let marked = line.trim_start().starts_with(['*', '_', '#']) || line.contains([':', '：']) || found[0].len() < 60;
    if !marked || line.trim_start().starts_with('`') {
        return None;
    }
    let said = format!("{} {}", &found[2], found.get(3).map_or("", |remark| remark.as_str()));
    let said = plain(&said);
    let said = said.trim_matches(['(', ')', ' ', '—', '-']);
    let lower = said.to_lowercase();
    let usual = [
        "the only",
        "only ",
        "do not",
        "don't",
        "files",
        "modify",
        "create",
        "may ",
        "must not",
        "even though",
        "leave",
        "nothing else",
    ];
    let keep = !said.is_empty() && (!usual.iter().any(|start| lower.starts_with(start)) || said.len() > 90);
    let remark =
        keep.then(|| format!("{}: {said}.", if list == List::In { "On what is in" } else { "On what is out" }));
    Some(Label { list, remark, inline: found[4].trim().to_owned() })
}

/// `first` and the lines after it, up to a blank line or another block.
fn paragraph(blocks: &Blocks<'_>, from: usize, first: String) -> (String, usize) {
    let mut text = first;
    let mut index = from;
    while index < blocks.lines.len()
        && !blocks.lines[index].trim().is_empty()
        && !blocks.is_code(index)
        && !starts_item(blocks.lines[index])
        && label(blocks.lines[index]).is_none()
    {
        text.push('\n');
        text.push_str(blocks.lines[index]);
        index += 1;
    }
    (text, index)
}

fn as_code(line: &str) -> String {
    let (path, remark) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    format!("`{path}` {}", remark.trim()).trim().to_owned()
}

/// A list on the label's own line.
fn take_inline(text: &str, list: List, scope: &mut Scope) {
    let text = flow(text.trim());
    let text = text.trim();
    let says_nothing = text.is_empty() || (text.starts_with('(') && text.ends_with("):")) || text == "(";
    if says_nothing {
        return;
    }
    match list {
        List::Out => scope.out_of_scope.push(text.to_owned()),
        List::In | List::Unlabelled => take_item(text, scope),
    }
}

fn read_nested(text: &str, list: List, scope: &mut Scope) {
    let dedented = crate::plan::markdown::dedent(text);
    for item in &Blocks::of(&dedented).items {
        match list {
            List::Out => scope.out_of_scope.push(flow(&item.text)),
            List::In | List::Unlabelled => take_item(&item.text, scope),
        }
    }
}

/// An item of the in-scope list: one entry a path, the remark with the last; prose is an entry without a path.
fn take_item(text: &str, scope: &mut Scope) {
    let text = text.trim();
    let (head, nested) = match text.lines().position(starts_item) {
        Some(at) if at > 0 => {
            let lines: Vec<&str> = text.lines().collect();
            (lines[..at].join("\n"), lines[at..].join("\n"))
        }
        _ => (text.to_owned(), String::new()),
    };
    let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let paths = paths_of(&head);
    let end = paths.last().map_or(0, |(_, end)| *end);
    let prefix_end = code_spans(&head).first().map_or(0, |span| span.range.start);
    let creates = CREATE.is_match(&head[end..]) || PREFIX.is_match(&head[..prefix_end]);
    match paths.as_slice() {
        [] if head.is_empty() => {}
        [] => scope.in_scope.push(ScopeEntry { path: None, create: false, text: head }),
        [(path, _)] => scope.in_scope.push(ScopeEntry { path: Some(path.clone()), create: creates, text: head }),
        [before @ .., (last, _)] => {
            for (path, _) in before {
                scope.in_scope.push(entry(path, "", creates));
            }
            let leading = head.starts_with('`') || head.starts_with("**`") || head.starts_with('[');
            let remark = if leading { head[end..].trim_end().to_owned() } else { format!(" — {}", plain(&head)) };
            scope.in_scope.push(entry(last, &remark, creates));
        }
    }
    if !nested.is_empty() {
        read_nested(&nested, List::In, scope);
    }
}

/// An entry that says the same when it is read again.
fn entry(path: &str, remark: &str, creates: bool) -> ScopeEntry {
    let mark = if creates && !CREATE.is_match(remark) { " (create)" } else { "" };
    let text = format!("`{path}`{mark}{remark}");
    ScopeEntry { path: Some(path.to_owned()), create: creates || CREATE.is_match(&text[path.len() + 2..]), text }
}

/// The paths of an item and where each ends: the run of code spans it starts with, else those in its prose.
fn paths_of(text: &str) -> Vec<(String, usize)> {
    let spans = code_spans(text);
    let mut found = Vec::new();
    let mut end = 0;
    for span in &spans {
        let between = text[end..span.range.start].trim();
        let joins =
            matches!(between, "" | "," | "and" | "&" | "+" | "/" | ", and" | "**" | "[" | "、" | "**,**" | "or")
                || (found.is_empty() && PREFIX.is_match(&text[end..span.range.start]));
        let Some(path) = path_of(&span.text).filter(|_| joins) else { break };
        end = span.range.end;
        found.push((path, end));
    }
    if !found.is_empty() {
        return found;
    }
    let leading = text.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ':', ';']);
    if spans.first().is_none_or(|span| span.range.start >= leading.len())
        && let Some(path) = path_of(leading)
    {
        return vec![(path, leading.len())];
    }
    spans.iter().filter_map(|span| path_of(&span.text).map(|path| (path, span.range.end))).collect()
}

/// The path a word names, line numbers left out.
pub(crate) fn path_of(word: &str) -> Option<String> {
    let word = word.trim();
    let path = match word.find(':') {
        Some(at) if word[at + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '~' || c == ':') => &word[..at],
        Some(_) => word,
        None => word,
    };
    let allowed = |c: char| c.is_alphanumeric() || "/\\._-@[]{}*?!()$+,~%#&=: ".contains(c);
    if path.is_empty()
        || path.contains("://")
        || !path.chars().all(allowed)
        || path.starts_with('-')
        || path.ends_with("()")
    {
        return None;
    }
    if path.contains(' ') && !(path.contains('/') && is_source_path(path)) {
        return None;
    }
    let known =
        ["Makefile", "Dockerfile", "LICENSE", "Justfile", "justfile", "Procfile", "Gemfile", "Rakefile", "CODEOWNERS"];
    let dotted = path.starts_with('.') && path.len() > 1 && !path.starts_with("..");
    let looks = path.contains('/') || is_source_path(path) || known.contains(&path) || dotted || has_extension(path);
    looks.then(|| path.to_owned())
}

fn has_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=6).contains(&extension.len())
            && extension.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && !stem.contains(['(', ')'])
            && stem.chars().next().is_some_and(char::is_alphanumeric)
            && extension.chars().any(|c| c.is_ascii_lowercase())
            && (stem.contains('/') || extension.len() <= 4)
    })
}
