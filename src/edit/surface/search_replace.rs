//! SEARCH/REPLACE blocks in free text, each below the path of its file.

use super::fence::{self, is_markdown};
use super::{elision, paths};
use crate::edit::explain::EditFailure;
use crate::edit::{Block, EditOperation, FileEdit};

/// Reads every block of `text`.
pub(super) fn read(text: &str) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let mut reading = Reading::default();
    let mut current: Option<String> = None;
    let mut after = 0;
    let mut at = 0;
    while at < lines.len() {
        let Some(opener) = Marker::opener(lines[at]) else {
            if let Some(stray) = Marker::closer(lines[at]).filter(|_| lines[after..at].iter().any(|it| is_divider(it)))
            {
                let message = format!("a block ends at line {} that never began ({} signs)", at + 1, stray.length);
                reading.fail("", message, "start each block with `<<<<<<< SEARCH`");
                after = at + 1;
            }
            at += 1;
            continue;
        };
        let file = match opener
            .path
            .map(str::to_owned)
            .map_or_else(|| paths::file_above(&lines[after..at], current.as_deref()), Ok)
        {
            Ok(file) => file,
            Err(why) => {
                let advice = "write the path, alone, on the line above the block";
                reading.fail("", format!("the block at line {}: {why}", at + 1), advice);
                String::new()
            }
        };
        let (parts, next) = parts(&lines, at, &opener);
        match parts {
            Ok((search, replace)) if !file.is_empty() => reading.block(&file, at + 1, search, replace),
            Ok(_) => {}
            Err((message, advice)) => reading.fail(&file, message, advice),
        }
        current = Some(file).filter(|file| !file.is_empty());
        (after, at) = (next, next);
    }
    if reading.edits.is_empty() && reading.failures.is_empty() {
        let advice = "write each change as a block: the path, `<<<<<<< SEARCH`, the lines as they are, `=======`, \
                      the lines as they become, `>>>>>>> REPLACE`";
        reading.fail("", "the text holds no SEARCH/REPLACE block", advice);
    }
    if reading.failures.is_empty() { Ok(reading.edits) } else { Err(reading.failures) }
}

#[derive(Default)]
struct Reading {
    edits: Vec<FileEdit>,
    failures: Vec<EditFailure>,
}

impl Reading {
    fn fail(&mut self, file: &str, message: impl Into<String>, advice: &str) {
        self.failures.push(EditFailure::malformed(file, None, message, advice));
    }

    fn block(&mut self, file: &str, line: usize, search: &[&str], replace: &[&str]) {
        let (written, written_replace) = (search, replace);
        let (search, replace) = fence::unwrapped_parts(file, search, replace);
        if let Some(elided) = elision::elided(file, &search.join("\n"), &replace.join("\n")) {
            let message = format!("the replacement of the block at line {line} leaves code out: `{}`", elided.trim());
            return self.fail(file, message, elision::ADVICE);
        }
        if are_diff_lines(file, search, replace) {
            let message = format!("the lines that the block at line {line} adds start with `+`");
            return self.fail(file, message, "send the lines as the file is to have them, without diff signs");
        }
        if search.iter().all(|line| line.trim().is_empty()) {
            return self.create(file, line, replace);
        }
        // Whose the fences are is known once the file is read.
        let block = Block::of_lines(written, written_replace);
        let of_file = self.edits.iter_mut().rev().find(|edit| edit.file == file);
        match of_file.map(|edit| &mut edit.operation) {
            Some(EditOperation::Replace(blocks)) => blocks.push(block),
            _ => {
                let operation = EditOperation::Replace(vec![block]);
                self.edits.push(FileEdit { file: file.to_owned(), operation });
            }
        }
    }

    fn create(&mut self, file: &str, line: usize, replace: &[&str]) {
        if replace.iter().all(|line| line.trim().is_empty()) || self.edits.iter().any(|edit| edit.file == file) {
            let message = format!("the block at line {line} has nothing to search for");
            return self.fail(file, message, "quote in the search part the lines that the change is at");
        }
        let operation = EditOperation::Create(format!("{}\n", replace.join("\n")));
        self.edits.push(FileEdit { file: file.to_owned(), operation });
    }
}

/// Whether everything a block adds carries the `+` of a diff at the start of the line, and nothing it searches for does.
fn are_diff_lines(file: &str, search: &[&str], replace: &[&str]) -> bool {
    let added = || replace.iter().filter(|line| !line.trim().is_empty() && !search.contains(*line));
    !is_markdown(file)
        && added().next().is_some()
        && added().all(|line| line.starts_with(['+', '-']))
        && added().any(|line| line.starts_with('+'))
        && !search.iter().any(|line| line.starts_with('+'))
}

/// The first or last line of a block.
struct Marker<'a> {
    length: usize,
    /// A path behind the word.
    path: Option<&'a str>,
}

impl<'a> Marker<'a> {
    fn opener(line: &'a str) -> Option<Self> {
        Self::of(line, ['<', '-'], &["SEARCH", "ORIGINAL", "OLD", "HEAD"])
    }

    fn closer(line: &'a str) -> Option<Self> {
        Self::of(line, ['>', '+'], &["REPLACE", "UPDATED", "NEW"])
    }

    fn of(line: &'a str, signs: [char; 2], words: &[&str]) -> Option<Self> {
        let text = line.trim();
        let sign = text.chars().next().filter(|sign| signs.contains(sign))?;
        let length = text.chars().take_while(|character| *character == sign).count();
        let rest = text[length..].trim();
        let word = rest.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
        if length < 5 || line.len() - line.trim_start().len() > 3 || !words.contains(&word) {
            return None;
        }
        let behind = rest[word.len()..].trim_start_matches(':').trim().trim_matches('`');
        Some(Self { length, path: Some(behind).filter(|path| !path.is_empty()) })
    }
}

fn is_divider(line: &str) -> bool {
    let text = line.trim_end();
    text.len() >= 5 && text.bytes().all(|byte| byte == b'=')
}

type Parts<'l, 't> = (&'l [&'t str], &'l [&'t str]);

/// The two parts of the block that opens at `lines[at]`, or what is wrong with it, and where reading goes on.
fn parts<'l, 't>(
    lines: &'l [&'t str],
    at: usize,
    opener: &Marker<'_>,
) -> (Result<Parts<'l, 't>, (String, &'static str)>, usize) {
    let length = opener.length;
    let rest = || lines.iter().enumerate().skip(at + 1);
    let next_opener = rest()
        .find(|(_, line)| Marker::opener(line).is_some_and(|marker| marker.length == length))
        .map_or(lines.len(), |(index, _)| index);
    let closers = || rest().filter_map(|(index, line)| Some((index, Marker::closer(line)?.length)));
    let own = closers().find(|(_, it)| *it == length).map(|(index, _)| index);
    let Some(end) = own.or_else(|| closers().map(|(index, _)| index).next()).filter(|end| *end < next_opener) else {
        let message = format!("the block at line {} has no end", at + 1);
        return (Err((message, "send it again whole, up to `>>>>>>> REPLACE`")), next_opener);
    };
    let inner = &lines[at + 1..end];
    let exact: Vec<usize> = (0..inner.len())
        .filter(|index| is_divider(inner[*index]) && inner[*index].trim_end().len() == length)
        .collect();
    let dividers =
        if exact.is_empty() { (0..inner.len()).filter(|index| is_divider(inner[*index])).collect() } else { exact };
    let split = match dividers.as_slice() {
        [one] => Ok((&inner[..*one], &inner[*one + 1..])),
        [] => Err((
            format!("the block at line {} has no line of `=======`", at + 1),
            "put one line of `=======` between the lines as they are and the lines as they become",
        )),
        _ => Err((
            format!("the block at line {} has several lines of `=======`", at + 1),
            "make the three marks of the block longer than any such line of the text, all of one length",
        )),
    };
    (split, end + 1)
}
