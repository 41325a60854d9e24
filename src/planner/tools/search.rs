//! `search`: lines that hold a text or match a regular expression.
//!
//! Time is bounded by what is read, never by a clock: the same question gives the same answer on every machine.

use rayon::prelude::*;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ReadTool, ReadTools, cut, parsed, paths, said};
use crate::model::schema::strict;
use crate::report::layout::{count, grouped};
use crate::report::sanitize;
use crate::secrets::of_files;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "search",
    description: include_str!("../../../templates/planner/tools/search.md"),
    input: strict::<Input>,
    run,
};

/// Places shown.
const MAX_HITS: usize = 50;
/// Characters of a pattern.
const MAX_PATTERN: usize = 500;
/// Bytes of a compiled pattern. A search costs at most this times the text, and it holds any expression a person would write.
const MAX_COMPILED: usize = 128 << 10;
/// Bytes of a line that is searched: longer ones are data or minified.
const MAX_LINE: usize = 10_000;
/// Characters of a line that is shown.
const MAX_SHOWN: usize = 240;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// The text to find, as it stands; or a regular expression between slashes, like `/await fetch\(/`.
    pattern: String,
    /// Only files whose path begins so, like `src/api/`; null for all.
    path_prefix: Option<String>,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { pattern, path_prefix } = parsed(input)?;
    let (regex, mut remark) = compiled(&pattern)?;
    let files = files(tools, path_prefix.as_deref())?;
    let tree = tools.tree;
    // Most files hold nothing, and masking costs more than looking: only what matches is masked, and then searched again, so
    // that no pattern can feel its way along a credential.
    let found: Vec<(&str, Vec<(u32, String)>)> = files
        .par_iter()
        .filter_map(|&path| {
            let text = tree.text(path)?;
            if !lines(&text, &regex).any(|_| true) {
                return None;
            }
            let text = of_files::masked(path, &text);
            let hits: Vec<(u32, String)> = lines(&text, &regex).map(|(line, text)| (line, text.to_owned())).collect();
            (!hits.is_empty()).then_some((path, hits))
        })
        .collect();
    let total: usize = found.iter().map(|(_, hits)| hits.len()).sum();
    if total == 0 {
        remark.push_str(&format!("no line of {} holds it\n", count(files.len(), "file")));
        return Ok(remark);
    }
    let mut page = remark;
    for (path, (line, text)) in
        found.iter().flat_map(|(path, hits)| hits.iter().map(move |hit| (path, hit))).take(MAX_HITS)
    {
        let short = cut(text.trim(), MAX_SHOWN);
        page.push_str(&format!("{}:{line}: {}\n", sanitize::line(path), sanitize::line(&short)));
    }
    if total > MAX_HITS {
        let more = grouped(total - MAX_HITS);
        page.push_str(&format!(
            "({more} more in {}; narrow the pattern or give a path_prefix)\n",
            count(found.len(), "file")
        ));
    }
    Ok(page)
}

/// The pattern, and what has to be said of how it was read.
fn compiled(pattern: &str) -> Result<(Regex, String), String> {
    if pattern.is_empty() {
        return Err("the pattern is empty".to_owned());
    }
    if pattern.contains(['\n', '\r']) {
        return Err("the pattern has a line break; lines are searched one by one".to_owned());
    }
    if pattern.chars().count() > MAX_PATTERN {
        return Err(format!("the pattern is longer than {MAX_PATTERN} characters"));
    }
    let literal =
        || build(&regex::escape(pattern)).map_err(|_| "the pattern is too large to search for; shorten it".to_owned());
    let Some(expression) =
        pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|it| !it.is_empty())
    else {
        return Ok((literal()?, String::new()));
    };
    match build(expression) {
        Ok(regex) => Ok((regex, String::new())),
        Err(why) => Ok((literal()?, format!("({} {why}: it was searched for as it stands)\n", said(pattern)))),
    }
}

fn build(expression: &str) -> Result<Regex, &'static str> {
    RegexBuilder::new(&in_ascii(expression)).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED * 4).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => "is too large for a regular expression",
            _ => "is no valid regular expression (look-around and back-references are not supported)",
        },
    )
}

/// `expression` with `\w`, `\d`, `\s` and `\b` as code means them: a class of all of Unicode compiles to tens of kilobytes.
fn in_ascii(expression: &str) -> String {
    let mut ascii = String::with_capacity(expression.len());
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            ascii.push(character);
            continue;
        }
        match characters.next() {
            Some('w') => ascii.push_str("[[:word:]]"),
            Some('W') => ascii.push_str("[[:^word:]]"),
            Some('d') => ascii.push_str("[[:digit:]]"),
            Some('D') => ascii.push_str("[[:^digit:]]"),
            Some('s') => ascii.push_str("[[:space:]]"),
            Some('S') => ascii.push_str("[[:^space:]]"),
            Some('b') => ascii.push_str(r"(?-u:\b)"),
            Some(other) => ascii.extend(['\\', other]),
            None => ascii.push('\\'),
        }
    }
    ascii
}

/// Lines of `text` that match, with their numbers.
fn lines<'t>(text: &'t str, regex: &Regex) -> impl Iterator<Item = (u32, &'t str)> {
    (1..).zip(text.lines()).filter(|(_, line)| line.len() <= MAX_LINE && regex.is_match(line))
}

/// Files whose path begins with `prefix`, sorted.
fn files<'m>(tools: &ReadTools<'m>, prefix: Option<&str>) -> Result<Vec<&'m str>, String> {
    let map = tools.map;
    let prefix = prefix.map(str::trim).filter(|prefix| !matches!(*prefix, "" | "." | "./"));
    let start = match prefix {
        None => String::new(),
        // A slash at the end is a folder's end, which names without one would lose.
        Some(prefix) if prefix.ends_with('/') => format!("{}/", paths::inside(map, prefix)?),
        Some(prefix) => paths::inside(map, prefix)?,
    };
    let all = map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str));
    let mut files: Vec<&str> = all.filter(|path| path.starts_with(&start)).collect();
    if files.is_empty() {
        let asked = prefix.unwrap_or_default();
        return Err(paths::missing(map, asked, start.trim_end_matches('/')));
    }
    files.sort_unstable();
    Ok(files)
}
