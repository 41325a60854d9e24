//! `broken-doc-sample`: a sample of data or code that leaves nothing out and does not parse.

use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use crate::audit::draft::PlanDraft;
use crate::audit::pages::{Fence, Page};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::rules::docs::notation;
use crate::audit::rules::docs::samples::{broken_code, broken_yaml};
use crate::audit::text::count_of;
use crate::finding::{Category, Confidence, Finding};
use crate::repo_map::name::words;

/// A sample nobody can copy.
pub struct BrokenDocSample;

static DOC: RuleDoc = RuleDoc {
    id: "broken-doc-sample",
    category: Category::Docs,
    what: "a fence of a page that says it is JSON, TOML, YAML, TypeScript, JavaScript or Rust and does not parse",
    why: "copied into a file, it stops the program that reads it, with a message about the reader's file",
    quiet_when: "something is left out (`...`, a placeholder in angle or curly brackets, a template's hole, a word for a value), a \
                 fence of TOML holds an INI or a unit file, JSON or TOML is a fragment, has a \
                 comment, a value left blank or a key twice to show two ways; code parses as any part of a program: a body, a method, \
                 fields, arguments, how a definition begins, the inside of an element or of a macro; or the fence is notation: \
                 signatures without a body, what the page calls a signature or pseudo-code, text that is only coloured as YAML; or a \
                 tool wrote the page (`typedoc --out`), it is a post with its date in its name, the reader of the file takes more than JSON \
                 (`tsconfig.json`), or a component of the page's own reads the fence",
    example: "{\n  \"port\": 8080,\n  \"host\": \"localhost\",\n}",
};

static WORDS: Words = Words {
    one: |_| "has a sample that does not parse".to_owned(),
    many: |count| {
        format!("has {} that {} not parse", count_of(count, "sample"), if count == 1 { "does" } else { "do" })
    },
    cost: "Copied into a file, it stops the program that reads it.",
    mend: "Mend the samples",
    how: "Change as little as makes the sample parse; what it shows stays. Parse it once outside of the page to be sure.",
    stop: "the program that reads the sample takes more than the language allows, and the page says so",
};

impl Rule for BrokenDocSample {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let found = ground.pages().par_iter().map(|page| (page, broken_samples(page)));
        let found = found.filter_map(|(page, broken)| {
            let impact = if page.is_first_read { 2 } else { 1 };
            let (faults, samples): (Vec<Fault>, Vec<&str>) = broken.into_iter().unzip();
            let finding = faults::finding(&DOC, &WORDS, page, &faults, impact, Confidence::Med)?;
            // Whoever mends one copy of a sample mends the other.
            Some((samples.concat(), finding))
        });
        faults::bursts_and_copies(found.collect())
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        faults::recipe(&WORDS, finding, context, &broken)
    }
}

fn broken(page: &Page) -> Vec<Fault> {
    broken_samples(page).into_iter().map(|(fault, _)| fault).collect()
}

/// What is broken, with the whole sample.
fn broken_samples(page: &Page) -> Vec<(Fault, &str)> {
    let is_notation = |fence: &Fence| {
        !matches!(fence.language.as_str(), "json" | "toml" | "yaml" | "yml")
            && notation::is_announced(&above(page, fence))
    };
    if is_dated(&page.path) {
        return Vec::new();
    }
    let found = page.fences.iter().filter_map(|fence| Some((fence, fault(fence)?)));
    let found = found.filter(|(fence, _)| !is_notation(fence) && !is_given_to_component(page, fence));
    found.map(|(fence, fault)| (fault, fence.text.as_str())).collect()
}

/// `2022-03-15-release.md`: a post says what was so on its day.
fn is_dated(path: &str) -> bool {
    static DATED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:^|/)\d{4}-\d{2}-\d{2}-[^/]*$").expect("the pattern is fixed"));
    DATED.is_match(path)
}

/// Words of components that show what stands in them as it is.
const FRAMES: &[&str] = &[
    "tab",
    "tabs",
    "code",
    "step",
    "steps",
    "accordion",
    "accordions",
    "card",
    "cards",
    "callout",
    "note",
    "warning",
    "tip",
    "info",
    "details",
    "div",
    "group",
    "item",
    "panel",
    "expandable",
    "frame",
    "column",
    "columns",
    "section",
    "aside",
    "admonition",
    "hint",
    "important",
    "caution",
    "danger",
    "block",
    "alert",
    "content",
    "collapse",
    "collapsible",
    "box",
];

/// Whether the innermost element around a fence is a component of the page's own, which may read what stands in it in its own way:
/// `<APIMethod>`.
fn is_given_to_component(page: &Page, fence: &Fence) -> bool {
    static ELEMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"<(/?)([A-Z]\w*)\b[^<>]*?(/?)>").expect("the pattern is fixed"));
    let mut open: Vec<String> = Vec::new();
    let mut in_fence = false;
    for line in (1..fence.line.saturating_sub(1)).filter_map(|line| page.text.line(line)) {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        // An element around a fence begins and ends a line; `Promise<Cart>` within a sentence is none.
        if in_fence || !line.trim_start().starts_with('<') {
            continue;
        }
        for found in ELEMENT.captures_iter(line) {
            let name = &found[2];
            match (&found[1], &found[3]) {
                ("/", _) => {
                    if let Some(at) = open.iter().rposition(|own| own == name) {
                        open.truncate(at);
                    }
                }
                (_, "/") => {}
                _ => open.push(name.to_owned()),
            }
        }
    }
    open.last().is_some_and(|name| !words(name).iter().any(|word| FRAMES.contains(&word.as_str())))
}

/// What stands right above a fence: the end of a paragraph, or a heading.
fn above(page: &Page, fence: &Fence) -> String {
    const SHOWN: usize = 2;
    let lines = (1..fence.line.saturating_sub(1)).rev().filter_map(|line| page.text.line(line));
    let lines = lines.take_while(|line| !line.trim_start().starts_with("```")).filter(|line| !line.trim().is_empty());
    lines.take(SHOWN).collect::<Vec<_>>().join("\n")
}

fn fault(fence: &Fence) -> Option<Fault> {
    let (at, reason, mended) = match fence.language.as_str() {
        "json" | "toml" => broken_data(fence)?,
        "yaml" | "yml" if !looks_like_yaml(&fence.text) => return None,
        "yaml" | "yml" => by_hand(broken_yaml(&fence.info, &fence.text)?),
        language => by_hand(broken_code(language, &fence.info, &fence.text)?),
    };
    let written = fence.text.lines().nth(at)?.trim().to_owned();
    (!written.is_empty()).then(|| Fault { line: fence.line + at as u32, written, instead: reason, replacement: mended })
}

/// A key, an item or a bracket at the start of some line: what is only coloured as YAML (`tag:open AND name:x`) has none.
fn looks_like_yaml(text: &str) -> bool {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).any(|line| {
        line.ends_with(':') || line.contains(": ") || line.starts_with("- ") || line.starts_with(['[', '{'])
    })
}

fn by_hand((at, reason): (usize, String)) -> Broken {
    (at, reason, None)
}

/// `{message-id}` where a value belongs: what is to be filled in.
static HOLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[:\[,=]\s*\{\s*[A-Za-z][A-Za-z0-9_ -]*\}").expect("the pattern is fixed"));

fn broken_data(fence: &Fence) -> Option<Broken> {
    let text = fence.text.as_str();
    let left_out = ["...", "…", "//", "/*", "{{", "${", "<%", "```"];
    let has_placeholder = text.contains('<') && text.contains('>') || HOLE.is_match(text);
    // A link is no comment.
    let plain = text.replace("://", "");
    if left_out.iter().any(|mark| plain.contains(mark)) || has_placeholder {
        return None;
    }
    match fence.language.as_str() {
        "json" if notation::has_words_for_values(text) || takes_more_than_json(fence) => None,
        "json" => broken_json(text),
        _ => broken_toml(text),
    }
}

/// Files whose readers take comments and commas before the end: `tsconfig.json` and its like.
fn takes_more_than_json(fence: &Fence) -> bool {
    const READERS: &[&str] =
        &["tsconfig", "jsconfig", "jsonc", "json5", ".vscode", "devcontainer", "wrangler", ".eslintrc", "turbo.json"];
    let info = fence.info.to_lowercase();
    READERS.iter().any(|name| info.contains(name)) || fence.text.contains("\"compilerOptions\"")
}

/// Line from 0, what is wrong, and the line as it should be.
type Broken = (usize, String, Option<String>);

fn broken_json(text: &str) -> Option<Broken> {
    let whole = text.trim();
    let is_whole = (whole.starts_with('{') && whole.ends_with('}')) || (whole.starts_with('[') && whole.ends_with(']'));
    let error = serde_json::from_str::<serde_json::Value>(text).err().filter(|_| is_whole)?;
    // Several documents, one below the other, or a comment of another kind.
    if error.to_string().starts_with("trailing characters")
        || text.lines().any(|line| line.trim_start().starts_with('#'))
    {
        return None;
    }
    match trailing_commas(text).as_slice() {
        [] => {}
        [at] => {
            let mut mended = text.to_owned();
            mended.remove(*at);
            if serde_json::from_str::<serde_json::Value>(&mended).is_ok() {
                let line = text[..*at].matches('\n').count();
                let after = mended.lines().nth(line)?.trim().to_owned();
                return Some((line, "a comma before the end of its object or list".to_owned(), Some(after)));
            }
        }
        several => {
            let line = text[..several[0]].matches('\n').count();
            return Some((line, "commas before the ends of objects or lists".to_owned(), None));
        }
    }
    Some((error.line().checked_sub(1)?, "no JSON from here on".to_owned(), None))
}

/// Commas outside of texts with nothing but white space up to a closing bracket.
fn trailing_commas(text: &str) -> Vec<usize> {
    let (mut in_text, mut escaped, mut last) = (false, false, None);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => {
                in_text = !in_text;
                last = None;
            }
            _ if in_text => {}
            ',' => last = Some(at),
            '}' | ']' => found.extend(last.take()),
            c if c.is_whitespace() => {}
            _ => last = None,
        }
    }
    found
}

/// Whether a fence is a unit file, an INI file or the like, for which TOML is the nearest thing that a page can be coloured as: every
/// line is a section or a key, some values are bare words, and none is a string of TOML.
fn is_ini(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';', '[']));
    let values = || lines().filter_map(|line| line.split_once('=')).map(|(_, value)| value.trim());
    let is_string = |value: &str| {
        ['"', '\''].iter().any(|quote| {
            value.len() > 1
                && value.ends_with(*quote)
                && value.starts_with(*quote)
                && value.matches(*quote).count() == 2
        })
    };
    let is_bare = |value: &str| {
        value.starts_with(|c: char| c.is_alphabetic() || c == '/' || c == '$') && !matches!(value, "true" | "false")
    };
    lines().all(|line| line.contains('=')) && values().any(is_bare) && !values().any(is_string)
}

fn broken_toml(text: &str) -> Option<Broken> {
    if is_ini(text) {
        return None;
    }
    let error = text.parse::<toml::Table>().err()?;
    let said = error.message().to_owned();
    // Two ways to write one thing, shown together.
    if said.contains("duplicate") {
        return None;
    }
    let at = error.span()?.start.min(text.len());
    let line = text.get(..at)?.matches('\n').count();
    let written = text.lines().nth(line)?.trim();
    // A value to be filled in, a choice of values, front matter with its fences, an inline table on its own.
    let value = written.split_once('=').map_or("", |(_, value)| value.trim());
    let is_choice =
        value.starts_with(|c: char| c.is_alphabetic()) && value.contains(['/', '|']) && !value.contains(':');
    let is_notation = written.ends_with('=') || is_choice || text.contains("+++") || written.starts_with('{');
    (!is_notation).then(|| Some((line, said.lines().next()?.to_owned(), None)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_filled_in_is_a_hole() {
        assert!(HOLE.is_match(r#"{"message-id": {message-id}}"#));
        assert!(!HOLE.is_match(r#"{"a": {"b": {}}}"#) && !HOLE.is_match("a = { b = 1 }"));
    }

    #[test]
    fn a_unit_file_is_no_toml() {
        assert!(is_ini("[Unit]\nDescription=Data store\n\n[Service]\nEnvironment='A=b' 'C=d'\n"));
        assert!(is_ini("aws_access_key_id=xxxx\nregion=garage"));
        assert!(!is_ini("[package]\nname = shop\nversion = \"1.0\""));
        assert!(!is_ini("port = 80\nport = 81"));
    }

    #[test]
    fn a_comma_at_the_end_is_taken_away() {
        let mended = broken_json("{\n  \"a\": [1, 2],\n  \"b\": \",}\",\n}\n");
        assert_eq!(mended.map(|(line, _, mended)| (line, mended)), Some((2, Some("\"b\": \",}\"".to_owned()))));
        assert_eq!(broken_json("{\"a\": 1}"), None);
        assert_eq!(broken_json("\"a\": 1,"), None, "a fragment");
        assert_eq!(broken_json("{\"a\": 1}\n{\"a\": 2}"), None, "two documents");
    }

    #[test]
    fn toml_says_where_it_ends() {
        assert_eq!(broken_toml("a = 1\n"), None);
        assert_eq!(broken_toml("a = 1\na = 2\n"), None);
        for notation in ["a =\n", "a = true/false\n", "+++\na = 1\n+++\n", "{ a = 1 }"] {
            assert_eq!(broken_toml(notation), None, "{notation}");
        }
        assert_eq!(broken_toml("a = 1\nb = [1\nc = 2\n").map(|(_, _, mended)| mended), Some(None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\":,\\\\a=\n1é ]{0,60}") {
            broken_json(&text);
            broken_toml(&text);
        }
    }
}
