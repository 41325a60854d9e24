//! Edits as models write them: a corpus of what goes wrong, and messages that are broken at random.
//!
//! A case of `fixtures/edits/cases` says what is wrong, which file it is about, the form of that file (`crlf`, `open`: no last line
//! break, `mark`: a byte order mark, `tabs`), the syntax, what comes out (the most tolerant rung, `whole`, or the code of the refusal),
//! the message, and the lines that change. `@@file@@` in a message stands for the file, with `with: A => B` replaced in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use improve::edit::FileEdit;
use improve::edit::apply::{Changes, Message, apply};
use improve::edit::explain::{EditFailure, for_model};
use improve::edit::surface::Surface;
use serde_json::json;
use similar::{ChangeTag, TextDiff};

struct Case {
    name: String,
    fields: BTreeMap<String, String>,
    sections: BTreeMap<String, String>,
}

impl Case {
    fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).expect("a fixture can be read");
        let name = path.strip_prefix(folder().join("cases")).expect("inside").display().to_string();
        let mut parts = text.split("\n---- ");
        let head = parts.next().expect("a head");
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let sections = parts.map(|part| {
            let (title, body) = part.split_once('\n').unwrap_or((part, ""));
            (title.to_owned(), body.to_owned())
        });
        Case { name, fields, sections: sections.collect() }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn is(&self, form: &str) -> bool {
        self.field("form").split(", ").any(|it| it == form)
    }

    fn path(&self) -> String {
        match self.field("path") {
            "" => format!("src/{}", self.field("file")),
            path => path.to_owned(),
        }
    }

    /// The file before, in its form.
    fn before(&self) -> String {
        let plain = std::fs::read_to_string(folder().join("files").join(self.field("file"))).expect("a file");
        let width = if self.field("file").ends_with(".ts") { 2 } else { 4 };
        let mut text = if self.is("tabs") { tabs(&plain, width) } else { plain };
        if self.is("open") {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if self.is("crlf") {
            text = text.replace('\n', "\r\n");
        }
        if self.is("mark") { format!("\u{feff}{text}") } else { text }
    }

    fn surface(&self) -> Surface {
        serde_json::from_value(json!(self.field("as"))).expect("a syntax")
    }

    fn section(&self, name: &str) -> Option<String> {
        let text = self.sections.get(name)?;
        let plain = std::fs::read_to_string(folder().join("files").join(self.field("file"))).expect("a file");
        let (from, to) = self.field("with").split_once(" => ").unwrap_or(("\0", ""));
        let whole = plain.replace(from, to);
        let text = text.replace("@@file@@", whole.trim_end_matches('\n'));
        Some(if self.field("message") == "crlf" { text.replace('\n', "\r\n") } else { text })
    }

    fn edits(&self) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
        if let Some(message) = self.section("message") {
            return self.surface().read_text(&message);
        }
        let path = self.path();
        match (self.section("old"), self.section("new"), self.section("text")) {
            (Some(old), Some(new), None) => {
                // A section's last line break is the fixture's own.
                let line = |text: String| text.strip_suffix('\n').unwrap_or(&text).to_owned();
                self.surface().read(&json!({ "file": path, "old": line(old), "new": line(new) }))
            }
            (None, None, Some(text)) => self.surface().read(&json!({ "file": path, "text": text })),
            _ => panic!("{}: a message, an old and a new text, or a text", self.name),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/edits")
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for language in ["rust", "typescript"] {
        let entries = std::fs::read_dir(folder().join("cases").join(language)).expect("a folder of cases");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

/// `text` with every level of indent as a tab.
fn tabs(text: &str, width: usize) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}{}\n", "\t".repeat(indent / width), " ".repeat(indent % width), &line[indent..])
    };
    text.lines().map(line).collect()
}

const FILES: [&str; 2] = ["src/cart.ts", "src/store.rs"];

/// Both files, the case's own in its form.
fn texts(case: &Case) -> BTreeMap<String, Option<String>> {
    let mut texts: BTreeMap<String, Option<String>> = FILES
        .iter()
        .map(|path| {
            let name = path.strip_prefix("src/").expect("a path");
            let text = std::fs::read_to_string(folder().join("files").join(name)).expect("a file");
            ((*path).to_owned(), Some(text))
        })
        .collect();
    texts.insert(format!("src/{}", case.field("file")), Some(case.before()));
    texts
}

fn run(texts: &BTreeMap<String, Option<String>>, edits: &[FileEdit]) -> Result<Changes, Vec<EditFailure>> {
    apply(&Message { texts, edits, in_scope: &|path| FILES.contains(&path), preimages: &BTreeMap::new() })
}

/// The lines that go and come, in order, without their endings.
fn changed_lines(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before.trim_start_matches('\u{feff}'), after.trim_start_matches('\u{feff}'));
    let lines = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        Some(format!("{sign}{}\n", change.value().trim_end_matches(['\r', '\n'])))
    });
    lines.collect()
}

/// What came out of a case: the rung or the code, and the lines that changed.
fn outcome(case: &Case) -> (String, String) {
    let texts = texts(case);
    let refused = |failures: &[EditFailure]| {
        let codes: BTreeSet<String> = failures.iter().map(|failure| failure.code.to_string()).collect();
        assert!(for_model(failures).len() < 4000, "{}: what a model is told stays short", case.name);
        (codes.into_iter().collect::<Vec<_>>().join(", "), String::new())
    };
    let changes = match case.edits().and_then(|edits| run(&texts, &edits)) {
        Ok(changes) => changes,
        Err(failures) => return refused(&failures),
    };
    let rung = changes.placed.iter().map(|placement| placement.rung).max();
    let rung = rung.map_or("whole".to_owned(), |rung| serde_json::to_value(rung).unwrap().as_str().unwrap().to_owned());
    let path = format!("src/{}", case.field("file"));
    assert_eq!(changes.files.keys().collect::<Vec<_>>(), [&path], "{}: one file changes", case.name);
    let (before, after) = (case.before(), changes.files[&path].clone().expect("not removed"));
    let name = &case.name;
    assert_eq!(before.starts_with('\u{feff}'), after.starts_with('\u{feff}'), "{name}: the mark");
    assert_eq!(before.ends_with('\n'), after.ends_with('\n'), "{name}: the last line break");
    assert_eq!(before.contains("\r\n"), after.contains("\r\n"), "{name}: the line endings");
    assert_eq!(after.matches("\r\n").count(), if case.is("crlf") { after.matches('\n').count() } else { 0 }, "{name}");
    (rung, changed_lines(&before, &after))
}

#[test]
fn every_case_of_the_corpus_comes_out_as_it_says() {
    let cases = cases();
    assert!(cases.len() >= 70, "{} cases", cases.len());
    let mut wrong = Vec::new();
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for case in &cases {
        let (came, changed) = outcome(case);
        *tally.entry(came.clone()).or_default() += 1;
        let wanted = case.sections.get("change").cloned().unwrap_or_default();
        if came != case.field("comes out") || changed != wanted {
            let why = case.edits().and_then(|edits| run(&texts(case), &edits)).err().unwrap_or_default();
            let why = if came == case.field("comes out") { String::new() } else { for_model(&why) };
            wrong.push(format!(
                "{}: {came}, not {}\n{changed}wanted\n{wanted}{why}",
                case.name,
                case.field("comes out")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    insta::assert_json_snapshot!("outcomes_of_the_corpus", tally);
}

/// Numbers that look random and are the same at every run.
struct Numbers(u64);

impl Numbers {
    /// Below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// A message broken in one way.
fn broken(text: &str, other: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let at = numbers.below(lines.len());
    match numbers.below(9) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at]),
        2 => {
            let to = numbers.below(lines.len());
            lines.swap(at, to);
        }
        3 => {
            let others: Vec<&str> = other.split('\n').collect();
            let from = numbers.below(others.len());
            lines.splice(at..at, others[from..(from + 1 + numbers.below(6)).min(others.len())].iter().copied());
        }
        4 => lines.truncate(at + 1),
        5 => {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = numbers.below(256) as u8;
                }
            }
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        6 => return text.replace("    ", ["\t", "  ", "", "\u{a0}   "][numbers.below(4)]),
        7 => return text.replace('\n', ["\r\n", "\n\n", "\r", " \n"][numbers.below(4)]),
        _ => {
            let line =
                format!("{}{}", ["+", "-", " ", "\t", "@@ ", "*** ", "```", "12: "][numbers.below(8)], lines[at]);
            lines[at] = &line;
            return lines.join("\n");
        }
    }
    lines.join("\n")
}

#[test]
fn messages_broken_at_random_never_panic_nor_leave_their_scope_nor_take_long() {
    let cases = cases();
    let seeds: Vec<String> = cases
        .iter()
        .map(|case| {
            let part = |name: &str| case.section(name).unwrap_or_default();
            match case.section("old") {
                Some(old) => json!({ "file": case.path(), "old": old, "new": part("new") }).to_string(),
                None => part("message") + &part("text"),
            }
        })
        .collect();
    let texts: Vec<BTreeMap<String, Option<String>>> = cases.iter().map(texts).collect();
    let mut numbers = Numbers(0x5eed_0001);
    let mut applied = 0;
    for round in 0..4000 {
        let at = round % seeds.len();
        let mut message = seeds[at].clone();
        for _ in 0..=numbers.below(3) {
            message = broken(&message, &seeds[numbers.below(seeds.len())], &mut numbers);
        }
        let began = Instant::now();
        for surface in Surface::ALL {
            let edits = [surface.read_text(&message), surface.read(&json!({ "text": message, "file": FILES[0] }))];
            for edits in edits.into_iter().flatten() {
                assert!(!edits.is_empty(), "{message}");
                let named: BTreeSet<&str> = edits.iter().flat_map(FileEdit::paths).collect();
                let Ok(changes) = run(&texts[at], &edits) else { continue };
                applied += 1;
                for file in changes.files.keys() {
                    assert!(FILES.contains(&file.as_str()) && named.contains(file.as_str()), "{file}: {message}");
                }
                assert!(run(&texts[at], &edits).as_ref() == Ok(&changes), "the same again gives the same");
            }
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?} for\n{message}", began.elapsed());
    }
    assert!(applied > 200, "only {applied} messages were applied: the test tests little");
}

#[test]
fn arbitrary_bytes_are_read_as_nothing_or_as_edits_in_scope() {
    let mut numbers = Numbers(0x5eed_0002);
    let alphabet: Vec<char> = "<=>+-@*`~ \t\n\r:{}\"'/.aS\u{feff}\u{2019}\u{1f600}|12".chars().collect();
    let words =
        ["<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "*** Begin Patch\n", "*** End Patch\n", "src/cart.ts\n"];
    let case = &cases()[0];
    let texts = texts(case);
    for _ in 0..4000 {
        let mut text = String::new();
        for _ in 0..numbers.below(60) {
            match numbers.below(4) {
                0 => text.push_str(words[numbers.below(words.len())]),
                _ => text.push(alphabet[numbers.below(alphabet.len())]),
            }
        }
        for surface in Surface::ALL {
            for edits in [
                surface.read_text(&text),
                surface.read(&json!({ "file": text, "old": text, "new": "x", "text": text })),
            ] {
                let Ok(Ok(changes)) = edits.map(|edits| run(&texts, &edits)) else { continue };
                assert!(changes.files.keys().all(|file| FILES.contains(&file.as_str())));
            }
        }
    }
}

#[test]
fn large_files_and_long_messages_take_bounded_time() {
    let text: String = (0..20_000).map(|line| format!("    let a{} = {};\n", line % 7, line % 5)).collect();
    let texts = BTreeMap::from([(FILES[1].to_owned(), Some(text.clone()))]);
    let search: Vec<&str> = text.lines().skip(3).take(200).collect();
    let almost = format!("fn a() {{\n{}\n", search.join("\n").replace("a3 = 1", "a3 = 9"));
    let block = |search: &str| format!("{}\n<<<<<<< SEARCH\n{search}\n=======\nx\n>>>>>>> REPLACE\n", FILES[1]);
    let minified = format!("const a = \"{}\";\n", "ab(c,d);".repeat(100_000));
    let mut slowest = (Duration::ZERO, "");
    let mut clocked = |what: &'static str, texts: &BTreeMap<String, Option<String>>, edits: &[FileEdit]| {
        let began = Instant::now();
        let outcome = run(texts, edits);
        slowest = slowest.max((began.elapsed(), what));
        outcome
    };
    let blocks = [
        ("repeated lines", block(&search.join("\n"))),
        ("almost right", block(&almost)),
        ("a minified line", block(&minified)),
        ("a long search text", block(&"x\n".repeat(5000))),
    ];
    for (what, message) in blocks {
        let edits = Surface::SearchReplace.read_text(&message).expect("it reads");
        assert!(clocked(what, &texts, &edits).is_err(), "{what}");
    }
    let whole = json!({ "file": FILES[1], "text": text.replace("let a", "let mut b") });
    let _ = clocked("a whole file", &texts, &Surface::WholeFile.read(&whole).expect("it reads"));
    let long = BTreeMap::from([(FILES[0].to_owned(), Some(minified.replace("ab(c", "ab(e")))]);
    let edits = Surface::SearchReplace.read_text(&block(&minified).replace(FILES[1], FILES[0])).expect("it reads");
    assert!(clocked("minified against minified", &long, &edits).is_err());
    // Without optimisation and on a busy machine; a fraction of it otherwise.
    assert!(slowest.0 < Duration::from_secs(10), "{slowest:?}");
}
