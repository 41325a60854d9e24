//! Properties of the whole engine: every syntax means the same, nothing else changes, and the form of a file is kept.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::apply::{Changes, Message, apply};
use super::explain::{EditFailure, FailureCode};
use super::matching::{Rung, lines_of};
use super::surface::Surface;
use super::{Block, EditOperation, FileEdit};

const FILE: &str = "src/a.txt2";

fn run(text: &str, edits: &[FileEdit]) -> Result<Changes, Vec<EditFailure>> {
    let texts = BTreeMap::from([(FILE.to_owned(), Some(text.to_owned()))]);
    apply(&Message { texts: &texts, edits, in_scope: &|path| path == FILE, preimages: &BTreeMap::new() })
}

/// Lines of code, lines that look like marks of every syntax, and lines that look like each other.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ \t]{0,6}[a-c]{1,3}( = [a-c0-9]{1,3};)?",
        2 => "    (fn|let|if) [a-e]{2} \\{",
        2 => Just(String::new()),
        1 => Just("}".to_owned()),
        1 => "[ ]{0,2}(“quoted”|it’s|a — b|12: a|7\\|b)[ ]{0,2}",
        1 => prop_oneof![
            Just("======="), Just("<<<<<<< SEARCH"), Just(">>>>>>> REPLACE"), Just("```"), Just("```ts"), Just("*** End Patch"),
            Just("*** Update File: b"), Just("@@ a"), Just("-minus"), Just("--- a/x"), Just("@@"), Just("*** End of File"),
        ].prop_map(str::to_owned),
    ]
}

/// The lines of a file, its line ending, whether it ends with one, and whether a byte order mark stands in front.
fn file() -> impl Strategy<Value = (Vec<String>, &'static str, bool, bool)> {
    (prop::collection::vec(line(), 1..24), prop_oneof![Just("\n"), Just("\r\n")], any::<bool>(), any::<bool>())
}

fn written(lines: &[String], ending: &str, closed: bool, mark: bool) -> String {
    let text = lines.join(ending);
    let end = if closed && !lines.is_empty() { ending } else { "" };
    format!("{}{text}{end}", if mark { "\u{feff}" } else { "" })
}

fn prefixed(sign: char, lines: &[String]) -> String {
    lines.iter().map(|line| format!("{sign}{line}\n")).collect()
}

/// The same change in every syntax.
fn messages(lines: &[String], from: usize, to: usize, new: &[String]) -> Vec<(Surface, serde_json::Value)> {
    let own = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let (old_text, new_text) = (own(&lines[from..to]), own(new));
    let marks = |sign: &str| sign.repeat(9);
    let block = format!("{FILE}\n{} SEARCH\n{old_text}{}\n{new_text}{} REPLACE\n", marks("<"), marks("="), marks(">"));
    let context = |at: std::ops::Range<usize>| prefixed(' ', &lines[at]);
    let patch = format!(
        "*** Begin Patch\n*** Update File: {FILE}\n@@ -1,99 +7,3 @@\n{}{}{}{}*** End Patch\n",
        context(from.saturating_sub(2)..from),
        prefixed('-', &lines[from..to]),
        prefixed('+', new),
        context(to..(to + 2).min(lines.len())),
    );
    let whole = own(&[&lines[..from], new, &lines[to..]].concat());
    let fenced = format!("Here it is.\n\n```\n{patch}```\n");
    vec![
        (Surface::OldNew, json!({ "file": FILE, "old": old_text, "new": new_text })),
        (Surface::SearchReplace, json!({ "text": block })),
        (Surface::SearchReplace, json!({ "text": block.replace('\n', "\r\n") })),
        (Surface::ApplyPatch, json!({ "text": patch })),
        (Surface::ApplyPatch, json!({ "text": fenced })),
        (Surface::WholeFile, json!({ "file": FILE, "text": whole })),
    ]
}

/// How often the lines stand in the file when space at line ends is left out.
fn places(lines: &[String], wanted: &[String]) -> usize {
    let same = |window: &[String]| window.iter().zip(wanted).all(|(one, two)| one.trim_end() == two.trim_end());
    lines.windows(wanted.len()).filter(|window| same(window)).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_unique_block_in_any_syntax_gives_the_text_that_splicing_gives(
        (lines, ending, closed, mark) in file(),
        from in any::<prop::sample::Index>(),
        length in 1..5_usize,
        new in prop::collection::vec(line(), 0..5),
    ) {
        let from = from.index(lines.len());
        let to = (from + length).min(lines.len());
        let old = &lines[from..to];
        prop_assume!(old.iter().any(|line| !line.trim().is_empty()) && old != new.as_slice());
        prop_assume!(places(&lines, old) == 1);
        // A last empty line cannot be told from the line break before it.
        prop_assume!(lines.last().is_some_and(|line| !line.is_empty()));
        prop_assume!(lines.len() > 1 || closed || ending == "\n");
        let spliced = [&lines[..from], &new, &lines[to..]].concat();
        prop_assume!(spliced.last().is_some_and(|line| !line.is_empty()));
        let text = written(&lines, ending, closed, mark);
        let expected = written(&spliced, ending, closed, mark);
        let is_fenced = spliced.iter().find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("```"));
        for (surface, message) in messages(&lines, from, to, &new) {
            // A file that is all a fence is not told from a fence around a file.
            if surface == Surface::WholeFile && is_fenced {
                continue;
            }
            // A text that starts with a line break may also begin at the end of a line.
            if surface == Surface::OldNew && old[0].is_empty() {
                continue;
            }
            let edits = match surface.read(&message) {
                Ok(edits) => edits,
                Err(failures) => return Err(TestCaseError::fail(format!("{surface}: {failures:?}"))),
            };
            match run(&text, &edits) {
                Ok(changes) => {
                    let after = changes.files.get(FILE).cloned().flatten().unwrap_or_else(|| text.clone());
                    prop_assert_eq!(&after, &expected, "{}: {}", surface, message);
                }
                Err(failures) => {
                    let codes: Vec<FailureCode> = failures.iter().map(|failure| failure.code).collect();
                    // A text that may be a part of a line can stand in another line too, and is refused then.
                    let in_lines = surface == Surface::OldNew && codes == [FailureCode::Ambiguous];
                    let done = codes == [FailureCode::AlreadyApplied];
                    prop_assert!(in_lines || done, "{}: {} {:?}", surface, message, failures);
                }
            }
        }
    }

    #[test]
    fn no_rung_changes_a_line_outside_the_place_it_found(
        (lines, ending, closed, mark) in file(),
        from in any::<prop::sample::Index>(),
        length in 1..6_usize,
        bend in 0..8_usize,
        new in prop::collection::vec(line(), 0..5),
    ) {
        let from = from.index(lines.len());
        let to = (from + length).min(lines.len());
        let bent: Vec<String> = lines[from..to].iter().enumerate().map(|(index, line)| match bend {
            0 => line.clone(),
            1 => format!("{line}  "),
            2 => format!("  {line}"),
            3 => line.trim_start().to_owned(),
            4 => line.replace(['“', '”'], "\"").replace('’', "'").replace('—', "-"),
            5 => format!("{}: {line}", index + 40),
            6 => line.replace("    ", "\t"),
            _ => if index == 1 { format!("{line}x") } else { line.clone() },
        }).collect();
        let text = written(&lines, ending, closed, mark);
        let block = Block::of_lines(
            &bent.iter().map(String::as_str).collect::<Vec<_>>(),
            &new.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let edit = FileEdit { file: FILE.to_owned(), operation: EditOperation::Replace(vec![block]) };
        let Ok(changes) = run(&text, &[edit]) else { return Ok(()) };
        let placement = &changes.placed[0];
        let Some(Some(after)) = changes.files.get(FILE) else { return Ok(()) };
        prop_assert!(placement.rung < Rung::SameSymbol);
        let filled = bent.iter().rposition(|line| !line.trim().is_empty()).unwrap_or(0) + 1
            - bent.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
        let after = after.trim_start_matches('\u{feff}');
        let before = lines_of(text.trim_start_matches('\u{feff}'));
        let start = placement.line as usize - 1;
        let above: String = before[..start].iter().flat_map(|line| [line.text, line.ending]).collect();
        prop_assert!(after.starts_with(above.strip_suffix(ending).unwrap_or(&above)));
        let end = before.len().min(start + filled.min(bent.len()));
        let below: Vec<&str> = before[end..].iter().map(|line| line.text).collect();
        let after_lines: Vec<&str> = lines_of(after).iter().map(|line| line.text).collect();
        let kept = below.len().saturating_sub(bent.len() - filled);
        prop_assert!(after_lines.ends_with(&below[below.len() - kept..]), "{:?} {:?}", after_lines, below);
        prop_assert_eq!(after.contains('\r'), after.contains("\r\n"));
    }

    #[test]
    fn one_edit_that_fails_keeps_every_other_of_the_message_from_being_made(
        (lines, ending, closed, mark) in file(), bad in "[x-z]{4,8}"
    ) {
        let text = written(&lines, ending, closed, mark);
        let good = FileEdit { file: FILE.to_owned(), operation: EditOperation::Whole("other\n".to_owned()) };
        let missing = Block { search: bad, replace: "new".to_owned() };
        let bad = FileEdit { file: FILE.to_owned(), operation: EditOperation::Replace(vec![missing]) };
        prop_assert!(run(&text, &[good.clone(), bad.clone()]).is_err());
        prop_assert!(run(&text, &[bad, good]).is_err());
    }
}
