//! The status block: bullets, flat lines, tables or pipes, each a key and a value with remarks.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::{Category, Effort, Priority, Risk};
use crate::plan::Status;
use crate::plan::markdown::{Blocks, cells, code_spans, flow, is_delimiter_row, plain, starts_item};

static BOLD_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:\*\*|__)([^*_`|:：\n][^*`|:：\n]{0,40}?)\s*(?:[:：]\s*(?:\*\*|__)|(?:\*\*|__)\s*[:：])")
        .expect("a constant pattern")
});
static PLAIN_KEY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([\p{L}][\p{L} -]{1,30}?)\s*[:：]\s+").expect("a constant pattern"));
static HEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{7,40}\b").expect("a constant pattern"));
static DATE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{4}-\d{2}-\d{2}\b").expect("a constant pattern"));
static DEPENDENCY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:plans?\s+)?#?((?:[\w.-]+/)*\d{1,4}[\w.-]*?(?:\.md)?|(?:[\w.-]+/)+[\w.-]+)$")
        .expect("a constant pattern")
});

/// Keys that make a line under the title part of the status block.
const KEYS: [&str; 9] =
    ["priority", "effort", "risk", "depends on", "category", "planned at", "status", "issue", "estimate"];

/// Reads the body of a status section.
pub(super) fn read(body: &str) -> Status {
    let mut raw: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in body.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || is_delimiter_row(trimmed) {
            open = false;
            continue;
        }
        if trimmed.starts_with('|') {
            read_row(trimmed, &mut raw);
            open = false;
            continue;
        }
        let is_item = starts_item(line) || trimmed.starts_with("<!--");
        let content = if starts_item(line) { item_text(trimmed) } else { trimmed };
        let pairs = pairs(content);
        if !pairs.is_empty() {
            raw.extend(pairs);
            open = true;
        } else if open
            && !is_item
            && let Some((_, value)) = raw.last_mut()
        {
            // A wrapped value.
            value.push(' ');
            value.push_str(content);
        } else {
            raw.push((String::new(), content.to_owned()));
            open = true;
        }
    }
    for (_, value) in &mut raw {
        *value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    understand(raw)
}

/// Status lines under the title, when there are at least two: they and the text without them.
pub(super) fn read_flat(preamble: &str) -> Option<(Status, String)> {
    let blocks = Blocks::of(preamble);
    let (mut kept, mut taken) = (Vec::new(), Vec::new());
    for (index, line) in blocks.lines.iter().enumerate() {
        let content = line.trim();
        let content = if starts_item(content) { item_text(content) } else { content };
        let known = |pairs: &[(String, String)]| {
            pairs.first().is_some_and(|(key, _)| KEYS.contains(&key.to_lowercase().as_str()))
        };
        if !blocks.is_code(index) && known(&pairs(content)) { taken.push(*line) } else { kept.push(*line) }
    }
    (taken.len() >= 2).then(|| (read(&taken.join("\n")), crate::plan::markdown::tidy(&kept.join("\n"))))
}

fn item_text(line: &str) -> &str {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '*', '+', '.', ')']);
    // `**Key**` at the start of a line is no bullet.
    if line.starts_with("**") { line } else { rest.trim_start() }
}

fn read_row(line: &str, raw: &mut Vec<(String, String)>) {
    let cells = cells(line);
    let Some((key, values)) = cells.split_first() else { return };
    let key = plain(key);
    let value = values.join(" | ");
    let heading = matches!(key.to_lowercase().as_str(), "field" | "key" | "item" | "property" | "attribute" | "");
    if heading || value.is_empty() {
        return;
    }
    let key = key.trim_end_matches([':', '：']).trim();
    if key.chars().count() <= 40 && !key.contains(['_', '|', ':', '：']) {
        raw.push((key.to_owned(), value));
    } else {
        raw.push((String::new(), format!("{key} — {value}")));
    }
}

/// The keys and values of one line; several when they are bold, or parted by `|`.
fn pairs(line: &str) -> Vec<(String, String)> {
    let spans = code_spans(line);
    let outside = |at: usize| !spans.iter().any(|span| span.range.contains(&at));
    let keys: Vec<_> =
        BOLD_KEY.captures_iter(line).filter(|found| outside(found.get(0).map_or(0, |m| m.start()))).collect();
    let starts_bold = keys.first().is_some_and(|found| found.get(0).is_some_and(|whole| whole.start() == 0));
    if starts_bold {
        let bounds: Vec<(usize, usize, String)> = keys
            .iter()
            .filter_map(|found| found.get(0).map(|whole| (whole.start(), whole.end(), found[1].trim().to_owned())))
            .collect();
        let last = bounds.len() - 1;
        return bounds
            .iter()
            .enumerate()
            .map(|(index, (_, end, key))| {
                let value = line[*end..bounds.get(index + 1).map_or(line.len(), |next| next.0)].trim();
                let value = if index < last { value.trim_end_matches(['|', '.', ';', ',', '·', ' ']) } else { value };
                (key.clone(), value.trim().to_owned())
            })
            .collect();
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for part in split_pipes(line) {
        match PLAIN_KEY.captures(part) {
            Some(key) => found.push((key[1].trim().to_owned(), part[key[0].len()..].trim().to_owned())),
            None if found.is_empty() => return Vec::new(),
            None => {
                let (_, value) = found.last_mut().expect("checked to be filled");
                value.push_str(" | ");
                value.push_str(part);
            }
        }
    }
    found
}

fn split_pipes(line: &str) -> Vec<&str> {
    line.split(" | ").map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// What the lines of the block mean.
pub(crate) fn understand(raw: Vec<(String, String)>) -> Status {
    let mut status = Status::default();
    for (key, value) in &raw {
        let text = plain(value);
        match plain(key).to_lowercase().replace('_', " ").as_str() {
            "priority" if status.priority.is_none() => status.priority = priority(&text),
            "effort" | "size" if status.effort.is_none() => status.effort = effort(&text),
            "risk" if status.risk.is_none() => status.risk = risk(&text),
            "depends on" | "dependencies" | "depends" if status.depends_on.is_empty() => {
                status.depends_on = dependencies(value);
            }
            "category" | "categories" if status.category.is_none() => status.category = category(&text),
            "planned at" | "planned-at" | "base" if status.planned_at_commit.is_none() => {
                let date = DATE.find(&text).map(|found| found.as_str().to_owned());
                let without_dates = DATE.replace_all(&text, " ");
                status.planned_at_commit = HEX.find(&without_dates).map(|found| found.as_str().to_owned());
                status.planned_at_date = date;
            }
            "planner" if status.planner.is_none() => status.planner = filled(&text),
            "finding" if status.finding.is_none() => {
                status.finding = code_spans(value).into_iter().next().map(|span| span.text).or_else(|| filled(&text));
            }
            "estimate" if status.estimate.is_none() => status.estimate = filled(value),
            "issue" if status.issue.is_none() => status.issue = filled(value),
            _ => {}
        }
    }
    status.raw = raw;
    status
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !matches!(text, "—" | "-" | "none")).then(|| text.to_owned())
}

/// The words before any remark.
fn head_words(text: &str) -> Vec<String> {
    let end = ["(", "—", " – ", " - ", ",", ";", ". "].iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())]
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect()
}

fn priority(text: &str) -> Option<Priority> {
    head_words(text).iter().find_map(|word| match word.as_str() {
        "P0" | "P1" | "CRITICAL" | "HIGH" | "URGENT" => Some(Priority::P1),
        "P2" | "MED" | "MEDIUM" => Some(Priority::P2),
        "P3" | "P4" | "LOW" => Some(Priority::P3),
        _ => None,
    })
}

fn effort(text: &str) -> Option<Effort> {
    let size = |word: &String| match word.as_str() {
        "XS" | "S" | "SMALL" => Some(Effort::S),
        "M" | "MED" | "MEDIUM" => Some(Effort::M),
        "L" | "XL" | "XXL" | "LARGE" => Some(Effort::L),
        _ => None,
    };
    head_words(text).iter().filter_map(size).max()
}

fn risk(text: &str) -> Option<Risk> {
    let size = |word: &String| match word.as_str() {
        "LOW" => Some(Risk::Low),
        "MED" | "MEDIUM" | "MODERATE" => Some(Risk::Med),
        "HIGH" | "CRITICAL" => Some(Risk::High),
        _ => None,
    };
    head_words(text).iter().filter_map(size).max()
}

fn category(text: &str) -> Option<Category> {
    let text = text.to_lowercase().replace("tech debt", "tech-debt");
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).find_map(Category::parse)
}

/// The plans named in a "Depends on" value, as written.
fn dependencies(value: &str) -> Vec<String> {
    let lower = plain(value).to_lowercase();
    if ["none", "nothing", "no ", "n/a", "—", "-"].iter().any(|word| lower.starts_with(word)) {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    let without_remarks = strip_parentheses(value);
    for segment in without_remarks.replace(" and ", ",").split([',', ';', '+', '&']) {
        let segment = segment.split(" — ").next().unwrap_or(segment).split(" – ").next().unwrap_or_default();
        let quoted = code_spans(segment).into_iter().next().map(|span| span.text).filter(|text| !text.contains(' '));
        let word = match quoted {
            Some(text) => Some(text),
            None => {
                let text = plain(segment);
                let text = text.trim().trim_end_matches('.');
                DEPENDENCY.captures(text).map(|parts| parts[1].to_owned()).or_else(|| {
                    // Prose around a path or "plan NNN".
                    let words: Vec<&str> = text.split_whitespace().collect();
                    let path = words.iter().find(|word| word.ends_with(".md")).map(|word| (*word).to_owned());
                    path.or_else(|| {
                        let at = words.iter().position(|word| word.eq_ignore_ascii_case("plan"))?;
                        let number = words.get(at + 1)?.trim_matches(|c: char| !c.is_ascii_digit());
                        (!number.is_empty()).then(|| number.to_owned())
                    })
                })
            }
        };
        if let Some(word) = word
            && !found.contains(&word)
        {
            found.push(word);
        }
    }
    found
}

fn strip_parentheses(text: &str) -> String {
    // A link's target is what it names.
    let mut kept = String::new();
    let mut depth = 0_usize;
    let mut previous = ' ';
    let mut in_link = false;
    for character in text.chars() {
        match character {
            '(' if previous == ']' && depth == 0 => {
                in_link = true;
                kept.truncate(kept.rfind('[').unwrap_or(kept.len()));
            }
            ')' if in_link => in_link = false,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
        previous = character;
    }
    kept
}

/// The lines `improve` writes for a status, in its order.
pub(crate) fn lines(status: &Status) -> Vec<(String, String)> {
    let mut lines: Vec<(&str, String)> = Vec::new();
    let mut push = |key, value: Option<String>| lines.extend(value.map(|value| (key, value)));
    push("Priority", status.priority.map(|value| value.label().to_owned()));
    push("Effort", status.effort.map(|value| value.label().to_owned()));
    push("Risk", status.risk.map(|value| value.label().to_owned()));
    let depends_on = if status.depends_on.is_empty() { "none".to_owned() } else { status.depends_on.join(", ") };
    push("Depends on", Some(depends_on));
    push("Category", status.category.map(|value| value.label().to_owned()));
    let commit =
        status.planned_at_commit.as_ref().map_or("no commit".to_owned(), |commit| format!("commit `{commit}`"));
    let date = status.planned_at_date.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
    push("Planned at", Some(format!("{commit}{date}")));
    push("Planner", status.planner.clone());
    push("Finding", status.finding.as_ref().map(|finding| format!("`{finding}`")));
    push("Estimate", status.estimate.clone());
    push("Issue", status.issue.clone());
    lines.into_iter().map(|(key, value)| (key.to_owned(), flow(&value))).collect()
}
