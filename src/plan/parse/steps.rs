//! Steps: headings in every dash and word, phases as sections, or a numbered list; and what each step holds.

use std::sync::LazyLock;

use regex::Regex;

use super::document::Section;
use super::{edits, gates, verify};
use crate::plan::Step;
use crate::plan::markdown::{Blocks, Heading, flow, starts_item, tidy};

static STEP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^[*_`]*\s*(step|phase|slice|stage|part|task|milestone|步骤|шаг|этап|étape|paso|schritt|ステップ|단계)\s*(?:#?\s*(\d{1,3})([a-z]\b|(?:\.\d{1,3})+)?|\s+([A-Z])\b)?\s*(\([^)]*\))?\s*[*_`]*\s*(?:[:：.)|]|[—–-]+|$)\s*(.*)$").expect("a constant pattern")
});
static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d{1,3})\s*(?:[.):：]|\s[—–-])\s*(.+)$").expect("a constant pattern"));
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(?:[-*+]\s+)?\*\*(input|expected output|tools|depends on|complexity|checkpoint)(?:\s*:\s*\*\*|\*\*\s*:)\s*(\S.*)$").expect("a constant pattern")
});

/// Whether a heading names a step in so many words.
pub(super) fn is_step_word(heading: &str) -> bool {
    STEP.captures(heading).is_some_and(|found| {
        matches!(
            found[1].to_lowercase().as_str(),
            "step" | "步骤" | "шаг" | "étape" | "paso" | "schritt" | "ステップ" | "단계"
        ) && (found.get(2).is_some() || heading[found[1].len()..].trim_start().starts_with([':', '：']))
    })
}

/// Whether the heading of a section makes it a step: a step, phase, slice, stage or part with a number or letter.
pub(super) fn is_step_heading(heading: &str) -> bool {
    STEP.captures(heading).is_some_and(|found| found.get(2).is_some() || found.get(4).is_some())
}

/// The steps of the Steps section: the text before the first and the steps.
pub(super) fn read(body: &str, body_line: u32) -> (String, Vec<Step>) {
    let blocks = Blocks::of(body);
    let headings = step_headings(&blocks.headings);
    if !headings.is_empty() {
        let intro = blocks.lines[..headings[0].line].join("\n");
        let steps = headings
            .iter()
            .enumerate()
            .map(|(index, heading)| {
                let end = headings.get(index + 1).map_or(blocks.lines.len(), |next| next.line);
                let text = blocks.lines[heading.line + 1..end].join("\n");
                let line = body_line + heading.line as u32;
                let (number, title) = number_and_title(&heading.text);
                step(number, title, line, &text, line + 1)
            })
            .collect();
        return (tidy(&intro), steps);
    }
    let numbered: Vec<_> = blocks.items.iter().filter(|item| item.number.is_some()).collect();
    if numbered.is_empty() {
        return (tidy(body), Vec::new());
    }
    let intro = blocks.lines[..numbered[0].first].join("\n");
    let steps = numbered
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let (title, rest, offset) = title_of_item(&item.text);
            let end = numbered.get(index + 1).map_or(blocks.lines.len(), |next| next.first);
            // Text between items belongs to the item before it.
            let between = blocks.lines[item.last + 1..end].join("\n");
            let line = body_line + item.first as u32;
            step(item.number, title, line, &format!("{rest}\n{between}"), line + offset)
        })
        .collect();
    (tidy(&intro), steps)
}

/// The steps of sections that are steps themselves, such as `## Phase 1: …`.
pub(super) fn read_sections(sections: &[Section]) -> Vec<Step> {
    let mut steps = Vec::new();
    for section in sections {
        let inner = Blocks::of(&section.body);
        let (number, title) = number_and_title(&section.heading);
        if !inner.headings.iter().any(|heading| is_step_word(&heading.text)) {
            steps.push(step(number, title, section.line, &section.body, section.body_line));
            continue;
        }
        let (intro, mut inner) = read(&section.body, section.body_line);
        if let Some(first) = inner.first_mut() {
            let context =
                tidy(&format!("**{}**\n\n{intro}\n\n{}", section.heading.replace("**", ""), first.instruction));
            first.instruction = context;
        }
        steps.append(&mut inner);
    }
    steps
}

fn step_headings(headings: &[Heading]) -> Vec<&Heading> {
    let choose = |accept: &dyn Fn(&str) -> bool| -> Vec<&Heading> {
        let found: Vec<&Heading> = headings.iter().filter(|heading| accept(&heading.text)).collect();
        let level = found.iter().map(|heading| heading.level).min();
        found.into_iter().filter(|heading| Some(heading.level) == level).collect()
    };
    let by_word = choose(&is_step_word);
    if !by_word.is_empty() {
        return by_word;
    }
    choose(&|text| is_step_heading(text) || NUMBERED.is_match(text))
}

/// `Step 2: title` → 2 and `title`.
fn number_and_title(heading: &str) -> (Option<u32>, String) {
    if let Some(found) = STEP.captures(heading) {
        let bold = heading.trim_start().starts_with("**");
        let title = found[6].trim();
        let title = if bold { title.trim_end_matches("**").trim_start_matches("**").trim() } else { title };
        let number: Option<u32> = found.get(2).and_then(|number| number.as_str().parse().ok());
        let remark = found.get(5).map_or(String::new(), |remark| format!(" {}", remark.as_str()));
        if let Some(number) = number {
            let suffix = found.get(3).map_or(String::new(), |suffix| format!("({number}{}) ", suffix.as_str()));
            return (Some(number), format!("{suffix}{title}{remark}").trim().to_owned());
        }
        if found.get(4).is_none() && is_step_word(heading) {
            return (None, format!("{title}{remark}").trim().to_owned());
        }
        return (None, heading.trim().to_owned());
    }
    match NUMBERED.captures(heading) {
        Some(found) => (found[1].parse().ok(), found[2].trim().to_owned()),
        None => (None, heading.trim().to_owned()),
    }
}

/// The title of a numbered item: its bold lead, its only line, or its first sentence; and the rest with its line offset.
fn title_of_item(text: &str) -> (String, String, u32) {
    if let Some(rest) = text.strip_prefix("**")
        && let Some(close) = rest.find("**")
        && !rest[..close].contains('\n')
        && verify::label_start(&text[..close + 4]).is_none()
    {
        let title = rest[..close].trim().trim_end_matches(['.', ':', '：']);
        let after = rest[close + 2..].trim_start_matches([':', '.', '—', '–', ' ']);
        return (title.to_owned(), after.to_owned(), 0);
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let next = rest.lines().next().unwrap_or_default();
    let one_line = next.trim().is_empty()
        || starts_item(next)
        || next.trim_start().starts_with("```")
        || verify::is_verify_line(next);
    let verify = verify::label_start(first);
    let sentence = first.find(". ").map(|at| at + 1);
    match (verify, sentence) {
        // A step that only checks.
        (Some(0), _) => ("Verify".to_owned(), text.to_owned(), 0),
        (Some(at), _) if at > 0 => {
            let cut = sentence.filter(|sentence| *sentence < at).unwrap_or(at);
            (first[..cut].trim().to_owned(), format!("{}\n{rest}", first[cut..].trim_start()), 0)
        }
        (_, Some(at)) if !one_line || first.len() > 160 => {
            (first[..at].trim().to_owned(), format!("{}\n{rest}", first[at..].trim_start()), 0)
        }
        _ if one_line => (first.trim().to_owned(), rest.to_owned(), 1),
        _ => {
            // The first sentence ends on a later line.
            let paragraph_end = text.find("\n\n").unwrap_or(text.len());
            let end = text[..paragraph_end].find(".\n").or_else(|| text[..paragraph_end].find(". "));
            let end = end.map_or(paragraph_end, |at| at + 1);
            let offset = text[..end].matches('\n').count() as u32;
            (flow(&text[..end]).replace('\n', " "), text[end..].trim_start_matches([' ', '\n']).to_owned(), offset)
        }
    }
}

/// One step from the text below its heading.
fn step(number: Option<u32>, title: String, line: u32, text: &str, text_line: u32) -> Step {
    let mut step = Step { number, title, line, ..Step::default() };
    let blocks = Blocks::of(text);
    let mut kept: Vec<String> = Vec::new();
    let mut verified: Vec<String> = Vec::new();
    let mut index = 0;
    while index < blocks.lines.len() {
        if let Some(fence) = blocks.fences.iter().find(|fence| fence.first == index) {
            match edits::read(&fence.info, &fence.text) {
                Some(Ok(edit)) if fence.closed => {
                    step.edits.push(edit);
                    kept.push(String::new());
                }
                _ => kept.extend(blocks.lines[fence.first..=fence.last].iter().map(|line| (*line).to_owned())),
            }
            index = fence.last + 1;
            continue;
        }
        let line = blocks.lines[index];
        if let Some(label) = verify::label(line) {
            let (block, next) = verify::block(&blocks, index, &label);
            if !label.before.trim().is_empty() {
                kept.push(label.before.trim_end().to_owned());
            }
            kept.push(String::new());
            let block_line = text_line + index as u32 + u32::from(label.rest.trim().is_empty());
            if step.verify_line == 0 {
                step.verify_line = block_line;
            }
            step.gates.extend(gates::read(&block, block_line).gates);
            if !block.is_empty() {
                verified.push(block);
            }
            index = next;
            continue;
        }
        if let Some(found) = FIELD.captures(line) {
            let (value, next) = field_value(&blocks, index, found[2].to_owned());
            if found[1].eq_ignore_ascii_case("checkpoint") {
                step.checkpoint = Some(match step.checkpoint.take() {
                    Some(earlier) => format!("{earlier} {value}"),
                    None => value,
                });
            } else {
                step.fields.push((found[1].to_owned(), value));
            }
            kept.push(String::new());
            index = next;
            continue;
        }
        kept.push(line.to_owned());
        index += 1;
    }
    step.instruction = tidy(&kept.join("\n"));
    step.verify_text = verify::join(&verified);
    step
}

fn field_value(blocks: &Blocks<'_>, start: usize, first: String) -> (String, usize) {
    let mut value = first;
    let mut index = start + 1;
    while index < blocks.lines.len() {
        let line = blocks.lines[index];
        if line.trim().is_empty()
            || blocks.is_code(index)
            || starts_item(line)
            || verify::OTHER_LABEL.is_match(line)
            || line.starts_with('#')
        {
            break;
        }
        value.push(' ');
        value.push_str(line.trim());
        index += 1;
    }
    (value.split_whitespace().collect::<Vec<_>>().join(" "), index)
}

/// Whether `text` holds a fence that was meant as an exact edit: one that could be read is no longer part of it.
pub(crate) fn has_edit_fence(text: &str) -> bool {
    Blocks::of(text).fences.iter().any(|fence| edits::read(&fence.info, &fence.text).is_some())
}
