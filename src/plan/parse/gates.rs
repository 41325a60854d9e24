//! Gates: the commands of a Verify block or a criterion, each with what it must give.

use std::sync::LazyLock;

use regex::Regex;

use super::programs::is_command;
use crate::plan::Gate;
use crate::plan::expectation::{Expectation, reading};
use crate::plan::markdown::{Blocks, Fence, code_spans, one_line, starts_item};

/// What was read of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Commands with their expectations.
    pub gates: Vec<Gate>,
    /// What asks for something that no program can check: line and text.
    pub unreadable: Vec<(u32, String)>,
}

static JOINER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*/\s*$|[\s;,.&+，；。]*(?:\b(?:and|then|also|plus|run|re-?run|followed by|or|with|both)\b[\s;,.:&+]*)*$")
        .expect("a constant pattern")
});
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\s|\*\*|→|->|=>|⇒|—|–|:|：|,|=)+(?:-\s+)?|^\s*-\s+").expect("a constant pattern")
});
static LABEL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\*\*Verify\*\*:\s*").expect("a constant pattern"));

/// Reads `text`, whose first line is `first_line` of the plan.
pub(crate) fn read(text: &str, first_line: u32) -> Reading {
    let blocks = Blocks::of(text);
    let mut reading = Reading::default();
    let mut index = 0;
    let mut intro = String::new();
    while index < blocks.lines.len() {
        if let Some(fence) = blocks.fences.iter().find(|fence| fence.first == index) {
            let after = blocks.lines.iter().skip(fence.last + 1).find(|line| !line.trim().is_empty());
            read_fence(fence, &intro, after.copied().unwrap_or_default(), first_line, &mut reading);
            index = fence.last + 1;
            intro.clear();
            continue;
        }
        let line = blocks.lines[index];
        if line.trim().is_empty() {
            index += 1;
            continue;
        }
        let start = index;
        let mut unit = line.trim().to_owned();
        index += 1;
        while index < blocks.lines.len()
            && !blocks.lines[index].trim().is_empty()
            && !blocks.is_code(index)
            && !starts_item(blocks.lines[index])
        {
            unit.push('\n');
            unit.push_str(blocks.lines[index].trim());
            index += 1;
        }
        read_unit(&unit, first_line + start as u32, &mut reading);
        intro = unit;
    }
    reading
}

/// One paragraph or list item.
fn read_unit(unit: &str, line: u32, reading: &mut Reading) {
    let label = LABEL.find(unit).map_or(0, |found| found.end());
    let unit = &unit[label..];
    let spans = code_spans(unit);
    let mut commands: Vec<usize> = Vec::new();
    let mut before_start = if starts_item(unit) { unit.find(' ').map_or(0, |at| at + 1) } else { 0 };
    for (index, span) in spans.iter().enumerate() {
        let before = &unit[before_start.min(span.range.start)..span.range.start];
        let after_end = spans.get(index + 1).map_or(unit.len(), |next| next.range.start);
        if is_command(&span.text, before, &unit[span.range.end..after_end]) {
            commands.push(index);
        }
        before_start = span.range.end;
    }
    if commands.is_empty() {
        let prose = unit.trim_start_matches(['-', '*', '+', ' ']).trim();
        let says_something = prose.chars().any(char::is_alphanumeric) && !prose.ends_with([':', '：']);
        if says_something && !EXPECTED.is_match(prose) {
            reading.unreadable.push((line, prose.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        return;
    }
    // From the back, so that commands without words of their own share those of the next.
    let mut shared: Option<(Expectation, String)> = None;
    let mut found: Vec<Gate> = Vec::new();
    for (position, index) in commands.iter().enumerate().rev() {
        let span = &spans[*index];
        let end = commands.get(position + 1).map_or(unit.len(), |next| spans[*next].range.start);
        let tail = &unit[span.range.end..end];
        let gate_line = line + unit[..span.range.start].matches('\n').count() as u32;
        let text = expected_text(tail, position + 1 < commands.len());
        let (expectation, expected) = if text.is_empty() {
            shared.clone().unwrap_or((Expectation::Exit(0), String::new()))
        } else {
            let read = reading::read(&text, &span.text);
            if read.is_none() {
                reading.unreadable.push((gate_line, format!("`{}`: {text}", span.text)));
            }
            (read.unwrap_or(Expectation::Exit(0)), text)
        };
        shared = Some((expectation.clone(), expected.clone()));
        found.push(Gate { command: span.text.clone(), expectation, expected, line: gate_line });
    }
    found.reverse();
    reading.gates.extend(found);
}

/// What stands behind a command, without the marks that join it to its neighbours.
fn expected_text(tail: &str, more_follows: bool) -> String {
    let mut text = one_line(tail);
    if more_follows && let Some(joiner) = JOINER.find(&text) {
        text.truncate(joiner.start());
    }
    let text = LEAD.replace(&text, "");
    let text = text.trim().trim_end_matches(['.', ';', ',', '。', '；']).trim_end();
    let inner = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let text = inner.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(text);
    // A lone closing mark is punctuation around the command.
    if text.chars().any(char::is_alphanumeric) || text.contains(['✅', '✓']) {
        text.to_owned()
    } else {
        String::new()
    }
}

static EXPECTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:→|->|=>)|^\**expect(?:ed|ation)?\b|^(?:both|all|each|everything|the (?:first|second))\b.*\b(?:exit|pass|succeed|fail|empty|match)").expect("a constant pattern")
});
static EXPECTED_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\**expect(?:ed|ation|ed output|ed result)?s?\**\s*[:：]?\**\s*").expect("a constant pattern")
});

/// The commands of a fence: one a line, what they must give behind `# →`, below the fence or above it.
fn read_fence(fence: &Fence, intro: &str, after: &str, first_line: u32, reading: &mut Reading) {
    let language = fence.info.split_whitespace().next().unwrap_or_default().to_lowercase();
    let shells = [
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
    ];
    if !shells.contains(&language.as_str()) || intro.to_lowercase().contains("expected output") {
        return;
    }
    let prompted = fence.text.lines().any(|line| line.starts_with("$ "));
    let around = [after, intro].into_iter().filter(|text| EXPECTED.is_match(text.trim())).find_map(|text| {
        let text = EXPECTED_LABEL.replace(text.trim(), "");
        let text = text.trim_start_matches(['→', '-', '>', '=', ' ']).trim_end_matches(['.', ':']).trim().to_owned();
        reading::read(&text, "").map(|expectation| (expectation, text))
    });
    let mut pending: Option<(u32, String)> = None;
    for (offset, line) in fence.text.lines().enumerate() {
        let line = line.trim();
        let line = if prompted {
            match line.strip_prefix("$ ") {
                Some(command) => command,
                None if pending.is_none() => continue,
                None => line,
            }
        } else {
            line
        };
        if pending.is_none() && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        let (number, mut command) =
            pending.take().unwrap_or((first_line + (fence.first + 1 + offset) as u32, String::new()));
        if let Some(part) = line.strip_suffix('\\') {
            command.push_str(part.trim_end());
            command.push(' ');
            pending = Some((number, command));
            continue;
        }
        command.push_str(line);
        push_fenced(&command, number, around.as_ref(), reading);
    }
    if let Some((number, command)) = pending {
        push_fenced(command.trim_end(), number, around.as_ref(), reading);
    }
}

fn push_fenced(line: &str, number: u32, around: Option<&(Expectation, String)>, reading: &mut Reading) {
    let (command, remark) = match line.rfind(" # ").or_else(|| line.rfind(" #→")) {
        Some(at) => (line[..at].trim_end(), line[at + 2..].trim_start_matches(['#', '→', '-', '>', '=', ' ']).trim()),
        None => (line, ""),
    };
    if command.is_empty() {
        return;
    }
    let own =
        (!remark.is_empty()).then(|| reading::read(remark, command).map(|read| (read, remark.to_owned()))).flatten();
    let (expectation, expected) = own.or_else(|| around.cloned()).unwrap_or((Expectation::Exit(0), String::new()));
    reading.gates.push(Gate { command: command.to_owned(), expectation, expected, line: number });
}

/// The Verify text that `improve` writes for `gates`; reading it gives them back.
pub(crate) fn write(gates: &[Gate]) -> String {
    let written =
        gates.iter().map(|gate| format!("{} → {}", crate::plan::markdown::code_span(&gate.command), gate.expectation));
    written.collect::<Vec<_>>().join("; ")
}
