//! "Commands you will need": a table in most plans, a list or fences in the rest.

use super::programs::is_command;
use crate::plan::PlanCommand;
use crate::plan::markdown::{Blocks, Table, code_spans, plain, tables, tidy};

/// The commands, and the section's text without its tables.
pub(super) fn read(body: &str) -> (Vec<PlanCommand>, String) {
    let blocks = Blocks::of(body);
    let tables: Vec<Table> = tables(&blocks).into_iter().filter(|table| columns(&table.header).is_some()).collect();
    if tables.is_empty() {
        // Lists stay in the notes, as they are: the table written from them says less.
        return (from_list(&blocks), tidy(body));
    }
    let mut commands = Vec::new();
    for table in &tables {
        read_table(table, &mut commands);
    }
    let outside = |index: &usize| !tables.iter().any(|table| (table.first..=table.last).contains(index));
    let notes: Vec<&str> =
        (0..blocks.lines.len()).map(|index| if outside(&index) { blocks.lines[index] } else { "" }).collect();
    (commands, tidy(&notes.join("\n")))
}

/// Columns of purpose, command and expectation.
fn columns(header: &[String]) -> Option<(Option<usize>, usize, Option<usize>)> {
    let find = |words: &[&str]| {
        header.iter().position(|cell| {
            let cell = plain(cell).to_lowercase();
            words.iter().any(|word| cell.contains(word))
        })
    };
    let command = find(&["command", "命令", "команда", "invocation"])?;
    let purpose =
        find(&["purpose", "what", "task", "goal", "step", "action", "check", "用途"]).filter(|at| *at != command);
    let expected =
        find(&["expect", "success", "result", "output", "预期"]).filter(|at| *at != command && Some(*at) != purpose);
    Some((purpose.or((command > 0).then_some(0)), command, expected))
}

fn read_table(table: &Table, commands: &mut Vec<PlanCommand>) {
    let Some((purpose, command, expected)) = columns(&table.header) else { return };
    let folder = folder_in_header(&table.header[command]);
    for (_, cells) in &table.rows {
        let cell = |index: Option<usize>| index.and_then(|index| cells.get(index)).cloned().unwrap_or_default();
        let text = cell(Some(command));
        let spans = code_spans(&text);
        let found: Vec<String> = if spans.is_empty() {
            if text.is_empty() { Vec::new() } else { vec![text.clone()] }
        } else if spans.len() == 1 {
            vec![spans[0].text.clone()]
        } else {
            // A single command of many spans is one with remarks; several commands are alternatives or a sequence.
            let commands: Vec<String> =
                spans.iter().filter(|span| is_command(&span.text, "", "→")).map(|span| span.text.clone()).collect();
            if commands.is_empty() { vec![spans[0].text.clone()] } else { commands }
        };
        for line in found.into_iter().filter(|line| !line.trim().is_empty()) {
            let command = match &folder {
                Some(folder) if !line.starts_with("cd ") => format!("cd {folder} && {line}"),
                _ => line,
            };
            commands.push(PlanCommand { purpose: cell(purpose), command, expected: cell(expected) });
        }
    }
}

/// The folder in a header such as "Command (from `ui/`)".
fn folder_in_header(header: &str) -> Option<String> {
    let lower = header.to_lowercase();
    let mentions = [" from ", "(from ", " in ", "(in ", "run in "].iter().any(|word| lower.contains(word));
    let folder = code_spans(header).into_iter().next()?.text;
    let folder = folder.trim_end_matches('/').to_owned();
    let plain =
        !folder.is_empty() && folder != "." && folder.chars().all(|c| c.is_alphanumeric() || "/._-@".contains(c));
    (mentions && plain).then_some(folder)
}

fn from_list(blocks: &Blocks<'_>) -> Vec<PlanCommand> {
    let mut commands = Vec::new();
    for item in &blocks.items {
        for span in code_spans(&item.text) {
            let (before, after) = (&item.text[..span.range.start], &item.text[span.range.end..]);
            if !is_command(&span.text, "", "→") {
                continue;
            }
            let purpose = plain(before).trim_end_matches([':', '—', '-', '：', ' ']).to_owned();
            let expected = after.lines().next().unwrap_or_default();
            let expected =
                expected.trim().trim_start_matches(['→', '-', '>', '—', ':', ' ']).trim_end_matches('.').to_owned();
            commands.push(PlanCommand {
                purpose: one_line(&purpose),
                command: span.text,
                expected: one_line(&expected),
            });
            break;
        }
    }
    if !commands.is_empty() {
        return commands;
    }
    let shells = ["", "bash", "sh", "shell", "zsh", "console"];
    for fence in blocks.fences.iter().filter(|fence| shells.contains(&fence.info.as_str())) {
        for line in fence.text.lines().map(str::trim) {
            let (line, remark) = line.split_once(" # ").unwrap_or((line, ""));
            let line = line.trim().trim_start_matches("$ ");
            if !line.is_empty() && !line.starts_with('#') {
                let (purpose, command) = (one_line(remark), line.to_owned());
                commands.push(PlanCommand { purpose, command, expected: String::new() });
            }
        }
    }
    commands
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
