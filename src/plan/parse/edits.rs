//! Exact edits: fences with the info string `edit file=…` that hold SEARCH/REPLACE blocks or a file's text.

use crate::edit::{Block, EditOperation, FileEdit};

/// Reads a fence as an exact edit. `None` when its info string is not of an edit; `Err` says what is wrong with it.
pub(crate) fn read(info: &str, text: &str) -> Option<Result<FileEdit, String>> {
    let rest = info.strip_prefix("edit")?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some(read_edit(&attributes(rest), text))
}

fn read_edit(attributes: &[(String, String)], text: &str) -> Result<FileEdit, String> {
    let attribute = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let file = attribute("file").filter(|file| !file.is_empty()).ok_or("the fence names no file")?.to_owned();
    let operation = match attribute("op") {
        None | Some("replace") => {
            let blocks = blocks(text)?;
            if blocks.is_empty() {
                return Err("no SEARCH/REPLACE block".to_owned());
            }
            EditOperation::Replace(blocks)
        }
        Some("create") if attribute("eof") == Some("no-newline") => {
            EditOperation::Create(text.strip_suffix('\n').unwrap_or(text).to_owned())
        }
        Some("create") => EditOperation::Create(text.to_owned()),
        Some("delete") if text.trim().is_empty() => EditOperation::Delete,
        Some("delete") => return Err("a deletion holds no text".to_owned()),
        Some("rename") => {
            let to = attribute("to").filter(|to| !to.is_empty()).ok_or("a rename needs `to=PATH`")?.to_owned();
            EditOperation::Rename { to, blocks: blocks(text)? }
        }
        Some(other) => return Err(format!("unknown operation `{other}`")),
    };
    Ok(FileEdit { file, operation })
}

/// `key=value` pairs; values may stand in double quotes.
pub(super) fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        rest = match after.strip_prefix('=') {
            Some(quoted) if quoted.starts_with('"') => {
                let close = quoted[1..].find('"').map_or(quoted.len(), |at| at + 1);
                found.push((key.to_owned(), quoted[1..close].to_owned()));
                quoted.get(close + 1..).unwrap_or_default()
            }
            Some(value) => {
                let close = value.find(char::is_whitespace).unwrap_or(value.len());
                found.push((key.to_owned(), value[..close].to_owned()));
                &value[close..]
            }
            None => after,
        }
        .trim_start();
    }
    found
}

/// The SEARCH/REPLACE blocks of `text`. Markers may be longer than seven signs, all three of a block the same length.
fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let length = marker(line, '<', "SEARCH").ok_or_else(|| format!("`{line}` stands outside any block"))?;
        let (mut search, mut replace) = (Vec::new(), Vec::new());
        let divider = "=".repeat(length);
        loop {
            let line = lines.next().ok_or("a block without its divider")?;
            if line.trim_end() == divider {
                break;
            }
            search.push(line);
        }
        loop {
            let line = lines.next().ok_or("a block without its REPLACE marker")?;
            if marker(line, '>', "REPLACE") == Some(length) {
                break;
            }
            replace.push(line);
        }
        if search.iter().all(|line| line.is_empty()) {
            return Err("a block with nothing to search for".to_owned());
        }
        found.push(Block { search: search.join("\n"), replace: replace.join("\n") });
    }
    Ok(found)
}

/// The number of signs of a marker line such as `<<<<<<< SEARCH`.
fn marker(line: &str, sign: char, word: &str) -> Option<usize> {
    let length = line.chars().take_while(|character| *character == sign).count();
    (length >= 7 && line[length..].trim() == word).then_some(length)
}

/// An exact edit as a fence.
pub(crate) fn write(edit: &FileEdit) -> String {
    let (attributes, text) = match &edit.operation {
        EditOperation::Replace(blocks) => (String::new(), write_blocks(blocks)),
        EditOperation::Create(text) if text.is_empty() || text.ends_with('\n') => {
            (" op=create".to_owned(), text.clone())
        }
        EditOperation::Create(text) => (" op=create eof=no-newline".to_owned(), format!("{text}\n")),
        // Plans carry none of these, and reading one back says so.
        EditOperation::Substitute { old, new } => {
            (" op=substitute".to_owned(), write_blocks(&[Block { search: old.clone(), replace: new.clone() }]))
        }
        EditOperation::Hunks(hunks) => {
            (" op=hunks".to_owned(), write_blocks(&hunks.iter().map(|hunk| hunk.block.clone()).collect::<Vec<_>>()))
        }
        EditOperation::Insert(insertion) => (" op=insert".to_owned(), format!("{}\n", insertion.text)),
        EditOperation::Whole(text) => {
            (" op=whole".to_owned(), format!("{}\n", text.strip_suffix('\n').unwrap_or(text)))
        }
        EditOperation::Delete => (" op=delete".to_owned(), String::new()),
        EditOperation::Rename { to, blocks } => (format!(" op=rename to={}", quoted(to)), write_blocks(blocks)),
    };
    let fence = crate::plan::markdown::fence_for(&text);
    format!("{fence}edit file={}{attributes}\n{text}{fence}", quoted(&edit.file))
}

pub(crate) fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) || value.starts_with('"') {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

fn write_blocks(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        let length = marker_length(block);
        let lines = |part: &str| if part.is_empty() { String::new() } else { format!("{part}\n") };
        text.push_str(&format!(
            "{} SEARCH\n{}{}\n{}{} REPLACE\n",
            "<".repeat(length),
            lines(&block.search),
            "=".repeat(length),
            lines(&block.replace),
            ">".repeat(length)
        ));
    }
    text
}

/// Seven, or one more than the longest run of marker signs that starts a line of the texts.
fn marker_length(block: &Block) -> usize {
    let run = |line: &str| {
        let first = line.chars().next().filter(|first| matches!(first, '<' | '=' | '>'));
        first.map_or(0, |first| line.chars().take_while(|character| *character == first).count())
    };
    let longest = block.search.lines().chain(block.replace.lines()).map(run).max().unwrap_or(0);
    (longest + 1).max(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_full_of_markers_survives() {
        let edit = FileEdit {
            file: "docs/a b.md".to_owned(),
            operation: EditOperation::Rename {
                to: "docs/c.md".to_owned(),
                blocks: vec![Block {
                    search: "Title\n=======\n```ts\n<<<<<<< SEARCH".to_owned(),
                    replace: "\n>>>>>>> REPLACE\n````".to_owned(),
                }],
            },
        };
        let written = write(&edit);
        let (info, text) = written.trim_start_matches('`').split_once('\n').expect("a fence has an info line");
        let text = text.rsplit_once('`').expect("a fence closes").0.trim_end_matches('`');
        assert_eq!(read(info, text), Some(Ok(edit)));
    }

    #[test]
    fn what_is_wrong_with_an_edit_is_said() {
        let error = |info: &str, text: &str| read(info, text).expect("an edit").expect_err("a broken one");
        assert_eq!(error("edit", ""), "the fence names no file");
        assert_eq!(error("edit file=a", "x\n"), "`x` stands outside any block");
        assert_eq!(error("edit file=a", "<<<<<<< SEARCH\nx\n"), "a block without its divider");
        assert_eq!(
            error("edit file=a", "<<<<<<< SEARCH\n\n=======\nx\n>>>>>>> REPLACE\n"),
            "a block with nothing to search for"
        );
        assert_eq!(error("edit file=a op=move", ""), "unknown operation `move`");
        assert_eq!(read("editor", ""), None);
    }
}
