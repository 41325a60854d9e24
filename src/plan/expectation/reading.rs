//! Expectations as people and agents write them, in any of the forms counted in public plans.

use std::sync::LazyLock;

use regex::Regex;

use super::{Count, Expectation};
use crate::plan::markdown::code_spans;

macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a constant pattern"));)*
    };
}

const NUMBER: &str = r"(\d+|one|two|three|four|five|six|seven|eight|nine|ten|a single)";

patterns! {
    EXIT = r"(?i)\b(?:exit(?:s|ed|ing)?|return(?:s|ed)?|rc|status|code)\b(?:\s+(?:with|code|status|of|is|the))*\s*[:=]?\s*\(?(\d{1,3})\b|退出码\s*[为是:：]?\s*(\d{1,3})|код\w*\s+(\d{1,3})";
    EXIT_ZERO = r"(?i)\bexit(?:s|ed)?(?:\s+(?:with|code|status))*\s+(?:zero|clean(?:ly)?|success(?:fully)?)\b";
    FAILS = r"(?i)\b(?:must|should|will|is expected to|expected to)\s+(?:now\s+|still\s+|first\s+)?fail|^fail(?:s|ed|ing|ure)?\b|\b(?:now|still|first|test|tests|it)\s+fails?\b|\bexit(?:s|ed)?\s+(?:with\s+)?(?:a\s+)?(?:non-?zero|≠\s*0|!=\s*0)|\bnon-?zero\b|\b(?:[1-9]\d*|one|two|three)\s+(?:tests?\s+)?fail(?:s|ures?|ed|ing)?\b|^red\b|失败$";
    NOT_FAILS = r"(?i)\b(?:no|zero|0|without|never|not|none)\s+(?:\w+\s+)?(?:test\s+)?(?:fail|error|warning|regression|problem|violation|issue|diagnostic)";
    NOTHING = r"(?i)^(?:is\s+|are\s+)?(?:empty|nothing|none)\b|\b(?:no|zero|0)\s+(?:\w+\s+){0,3}?(?:output|match(?:es)?|results?|hits?|lines?|occurrences?|references?|usages?|diff(?:erence)?s?|changes?|remaining|leftovers?|mentions?|files?|rows?|imports?|call sites?|callers?|uses?)\b|\b(?:prints?|outputs?|returns?|shows?|finds?|reports?|lists?)\s+(?:nothing|none|empty|no\b)|\bempty\s+output\b|无输出|无匹配|ничего";
    ZERO = r"^(?:returns?\s+|prints?\s+|outputs?\s+|is\s+|=\s*|shows?\s+|reports?\s+)?(?:0|`0`|zero)\.?$";
    AT_LEAST = r"(?i)(?:≥|>=|at least|no fewer than|minimum(?: of)?)\s*(\d+|one|two|three|four|five|six|seven|eight|nine|ten)\b|\b(\d+)\s*(?:\+|or more)(?:\s|$)";
    AT_MOST = r"(?i)(?:≤|<=|at most|no more than|up to)\s*(\d+|one|two|three|four|five)\b";
    ALL_PASS = r"(?i)\b(?:all|everything|still|tests?|suite|suites|both|each|they|must|should)\s+(?:\w+\s+){0,3}?(?:pass(?:es|ed|ing)?|green|succeeds?)\b|^(?:is\s+|stays?\s+|are\s+|remains?\s+)?(?:pass(?:es|ed|ing)?|green|ok(?:ay)?|pass)\b|✅|✓|通过|проход|зел[её]н|зелены";
    CLEAN = r"(?i)^(?:the\s+)?(?:new\s+)?(?:file|files|folder|both|all|it)?\s*(?:still\s+)?(?:exists?|present)\b|\b(?:succeed(?:s|ed)?|success(?:ful(?:ly)?)?|builds?|built|compiles?|clean(?:ly)?|works?|completes?|valid|type-?checks?)\b|^(?:no|zero|0)\s+(?:new\s+)?(?:\w+\s+)?(?:errors?|warnings?|problems?|issues?|violations?|findings?|regressions?|failures?|diagnostics?)";
    SAYS = r#"(?i)\b(?:contains?|prints?|shows?|outputs?|includes?|returns?|lists?|displays?|reports?|mentions?|says|reads|emits?|logs?|finds?)\b[^"“`']*?(?:"([^"]+)"|“([^”]+)”|'([^']+)')"#;
}

/// What `text`, written behind `command`, asks of it; `None` when it is prose no program can check.
///
/// Nothing written at all means exit 0.
pub fn read(text: &str, command: &str) -> Option<Expectation> {
    let text = text.trim().trim_end_matches(['.', ';', ',']).trim();
    if text.is_empty() {
        return Some(Expectation::Exit(0));
    }
    if let Some(expectation) = Expectation::parse(text) {
        return Some(expectation);
    }
    let mut parts: Vec<Expectation> = Vec::new();
    for clause in clauses(text) {
        if let Some(part) = read_clause(&clause, command)
            && !parts.contains(&part)
        {
            parts.push(part);
        }
    }
    settle(parts)
}

/// Several readings of one text made one: what says more replaces what it includes.
fn settle(mut parts: Vec<Expectation>) -> Option<Expectation> {
    let counted = parts.iter().any(|part| matches!(part, Expectation::NewTests(_) | Expectation::Passed(_)));
    let fails = parts.iter().any(|part| matches!(part, Expectation::Fails));
    let silent = parts.contains(&Expectation::NoOutput);
    let passes = parts.contains(&Expectation::AllPass);
    let found = parts.iter().any(|part| matches!(part, Expectation::Lines(Count::AtLeast(1..))));
    parts.retain(|part| match part {
        Expectation::AllPass => !counted && !fails,
        // `grep` without a match exits 1, whatever the plan says.
        Expectation::Exit(0) => !counted && !passes && !silent && !fails && !found,
        Expectation::NewTests(_) | Expectation::Passed(_) => !fails,
        _ => true,
    });
    if parts.len() <= 1 { parts.pop() } else { Some(Expectation::All(parts)) }
}

/// The clauses of a sentence: cut at punctuation and "and" outside quotes, code and parentheses.
fn clauses(text: &str) -> Vec<String> {
    let spans = code_spans(text);
    let mut found = vec![String::new()];
    let mut quote = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let in_code = spans.iter().any(|span| span.range.contains(&at));
        let rest = &text[at..];
        let cut = if in_code || quote.is_some() {
            0
        } else {
            [" and ", " with ", " but ", "; ", ", ", ". ", " — ", " – ", " (", ") ", "；", "，", "。", ";", "("]
                .iter()
                .find(|mark| rest.starts_with(**mark))
                .map_or(0, |mark| mark.len())
        };
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"') if !in_code => quote = Some('"'),
            (None, '“') if !in_code => quote = Some('”'),
            _ => {}
        }
        if cut > 0 {
            found.push(String::new());
            at += cut;
        } else {
            found.last_mut().expect("starts with one clause").push(character);
            at += character.len_utf8();
        }
    }
    found.retain(|clause| !clause.trim().is_empty());
    found
}

fn read_clause(clause: &str, command: &str) -> Option<Expectation> {
    let clause = clause.replace("**", "");
    let clause = clause.trim().trim_end_matches([')', '.', ':']).trim_start_matches(['→', '=', ':']).trim();
    if let Some(expectation) = Expectation::parse(clause) {
        return Some(counted(expectation, command));
    }
    // "(was 3 before)" speaks of the past, "unless …" of another case.
    let lower = clause.to_lowercase();
    if ["was ", "were ", "before ", "unless ", "if ", "when ", "currently ", "today "]
        .iter()
        .any(|word| lower.starts_with(word))
    {
        return None;
    }
    if EXIT_ZERO.is_match(clause) {
        return Some(Expectation::Exit(0));
    }
    if let Some(found) = EXIT.captures(clause) {
        let code = found.iter().skip(1).flatten().next()?.as_str().parse().ok()?;
        return Some(Expectation::Exit(code));
    }
    if NOT_FAILS.is_match(clause) {
        let tests = lower.contains("fail");
        return Some(if tests && lower.contains("test") { Expectation::AllPass } else { Expectation::Exit(0) });
    }
    if FAILS.is_match(clause) {
        return Some(Expectation::Fails);
    }
    if let Some(expectation) = test_counts(clause) {
        return Some(expectation);
    }
    if let Some(text) = said(clause) {
        return Some(text);
    }
    if ZERO.is_match(clause) || NOTHING.is_match(clause) {
        return Some(counted(Expectation::NoOutput, command));
    }
    if let Some(count) = line_count(clause) {
        return Some(counted(Expectation::Lines(count), command));
    }
    if ALL_PASS.is_match(clause) {
        return Some(Expectation::AllPass);
    }
    if CLEAN.is_match(clause) {
        return Some(Expectation::Exit(0));
    }
    value(clause)
}

/// `4 new tests`, `38 passed`, `all 12 tests pass`, `38 + 3 new`.
fn test_counts(clause: &str) -> Option<Expectation> {
    patterns! {
        NEW = &format!(r"(?i)\b{NUMBER}\s+(?:\w+\s+)?new\s+(?:\w+\s+)?(?:tests?|cases?|specs?|ones?)\b|\bnew\s+tests?\s*[:=]\s*(\d+)");
        SUM = r"(?i)\b(\d+)\s*(?:existing\s*)?\+\s*(\d+)?\s*new\b";
        PASSED = r"(?i)\b(?:all\s+)?(\d+)\s*(?:/\s*\d+\s*)?(?:\w+\s+)?(?:tests?\s+|specs?\s+|cases?\s+)?(?:are\s+|is\s+)?(?:pass(?:es|ed|ing)?|green)\b";
        MORE = r"(?i)(?:≥|>=|at least)\s*(\d+)\s+(?:\w+\s+)?(?:tests?\s+)?pass|\b(\d+)\+\s+(?:tests?\s+)?pass";
    }
    if let Some(found) = SUM.captures(clause) {
        let old: u32 = found[1].parse().ok()?;
        let new = found.get(2).and_then(|count| count.as_str().parse::<u32>().ok());
        return Some(match new {
            Some(new) => Expectation::NewTests(new),
            None => Expectation::Passed(Count::AtLeast(old.saturating_add(1))),
        });
    }
    if let Some(found) = NEW.captures(clause) {
        return number(found.iter().skip(1).flatten().next()?.as_str()).map(Expectation::NewTests);
    }
    if let Some(found) = MORE.captures(clause) {
        let count = found.iter().skip(1).flatten().next()?.as_str().parse().ok()?;
        return Some(Expectation::Passed(Count::AtLeast(count)));
    }
    let found = PASSED.captures(clause)?;
    Some(Expectation::Passed(Count::Exactly(found[1].parse().ok()?)))
}

/// A text the output must hold: quoted, or a code span behind a verb that shows something.
fn said(clause: &str) -> Option<Expectation> {
    patterns! {
        REGEX = r"(?i)\bmatch(?:es)?\s+`?/(.+)/`?";
        VERB = r"(?i)\b(?:contains?|prints?|shows?|outputs?|includes?|returns?|lists?|displays?|reports?|mentions?|says|reads|emits?|finds?)\b(?:\s+(?:the|a|an|only|exactly|just|line|lines|text|string|value|both|:))*\s*:?\s*$";
    }
    if let Some(found) = REGEX.captures(clause) {
        return Regex::new(&found[1]).is_ok().then(|| Expectation::Matches(found[1].to_owned()));
    }
    let spans = code_spans(clause);
    let shown = spans.iter().find(|span| VERB.is_match(&clause[..span.range.start]));
    if let Some(span) = shown {
        return (!span.text.is_empty()).then(|| Expectation::Contains(span.text.clone()));
    }
    let found = SAYS.captures(clause)?;
    found.iter().skip(1).flatten().next().map(|text| Expectation::Contains(text.as_str().to_owned()))
}

/// A clause that is nothing but a value: `` `2.0.1` ``, `"ok"`, `true`.
fn value(clause: &str) -> Option<Expectation> {
    let spans = code_spans(clause);
    if let [span] = spans.as_slice()
        && span.range == (0..clause.len())
        && !span.text.is_empty()
    {
        return Some(Expectation::Contains(span.text.clone()));
    }
    let quoted = clause.strip_prefix(['"', '“'])?.strip_suffix(['"', '”'])?;
    (!quoted.is_empty() && !quoted.contains('"')).then(|| Expectation::Contains(quoted.to_owned()))
}

/// `3 matches`, `exactly one line`, `≥ 2`.
fn line_count(clause: &str) -> Option<Count> {
    patterns! {
        EXACT = &format!(r"(?i)\b(?:exactly|only|just)\s+{NUMBER}\b|^(?:returns?\s+|prints?\s+|shows?\s+|finds?\s+)?{NUMBER}\s+(?:\w+\s+)?(?:match(?:es)?|hits?|lines?|results?|occurrences?|rows?|entries|entry|references?|files?)\b");
        BARE = r"^(?:returns?\s+|prints?\s+|outputs?\s+|shows?\s+|=\s*)?`?(\d+)`?$";
        SOME = r"(?i)\b(?:a match|has matches|matches found|non-?empty|some output)\b|^(?:match|matches|hits?|found)$";
    }
    let first = |found: regex::Captures<'_>| number(found.iter().skip(1).flatten().next()?.as_str());
    if let Some(count) = AT_LEAST.captures(clause).and_then(first) {
        return Some(Count::AtLeast(count));
    }
    if let Some(count) = AT_MOST.captures(clause).and_then(first) {
        return Some(Count::AtMost(count));
    }
    if let Some(count) = EXACT.captures(clause).and_then(first).or_else(|| BARE.captures(clause).and_then(first)) {
        return Some(Count::Exactly(count));
    }
    SOME.is_match(clause).then_some(Count::AtLeast(1))
}

fn number(word: &str) -> Option<u32> {
    let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let lower = word.to_lowercase();
    if lower == "a single" {
        return Some(1);
    }
    words.iter().position(|known| *known == lower).map(|at| at as u32).or_else(|| lower.parse().ok())
}

/// A count of lines, when the command prints the count itself (`grep -c`, `| wc -l`): then it is the number that counts.
fn counted(expectation: Expectation, command: &str) -> Expectation {
    patterns! {
        COUNTS = r"\bwc\s+-l\b|\b(?:grep|rg|egrep|fgrep)\b(?:\s+-{1,2}[\w-]+(?:=\S+)?)*?\s+(?:-[a-zA-Z]*c[a-zA-Z]*|--count)\b";
    }
    if !COUNTS.is_match(command) {
        return expectation;
    }
    let pattern = |number: String| Expectation::Matches(format!(r"(^|:)\s*{number}\s*$"));
    match expectation {
        Expectation::NoOutput | Expectation::Lines(Count::Exactly(0)) => pattern("0".to_owned()),
        Expectation::Lines(Count::Exactly(count)) => pattern(count.to_string()),
        Expectation::Lines(Count::AtLeast(count)) => pattern(at_least(count)),
        Expectation::Lines(Count::AtMost(count)) if count <= 50 => {
            pattern(format!("({})", (0..=count).map(|number| number.to_string()).collect::<Vec<_>>().join("|")))
        }
        other => other,
    }
}

/// A pattern for every number from `least` on.
fn at_least(least: u32) -> String {
    if least == 0 {
        return r"\d+".to_owned();
    }
    let digits: Vec<u32> = least.to_string().bytes().map(|byte| u32::from(byte - b'0')).collect();
    let mut alternatives = vec![least.to_string(), format!(r"[1-9]\d{{{},}}", digits.len())];
    for (index, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit < 9) {
        let same: String = digits[..index].iter().map(u32::to_string).collect();
        alternatives.push(format!(r"{same}[{}-9]\d{{{}}}", digit + 1, digits.len() - index - 1));
    }
    format!("({})", alternatives.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counted_form_is_read() {
        let contains = |text: &str| Expectation::Contains(text.to_owned());
        let cases: &[(&str, &str, Option<Expectation>)] = &[
            ("exit 0", "x", Some(Expectation::Exit(0))),
            ("exits 0, no errors", "x", Some(Expectation::Exit(0))),
            ("exits with code 1", "x", Some(Expectation::Exit(1))),
            ("退出码 0", "x", Some(Expectation::Exit(0))),
            ("all pass, including the 4 new tests.", "x", Some(Expectation::NewTests(4))),
            ("exits 0; 4 new tests for `resolve` exist and pass", "x", Some(Expectation::NewTests(4))),
            ("pass", "x", Some(Expectation::AllPass)),
            ("**all green**", "x", Some(Expectation::AllPass)),
            ("passes", "x", Some(Expectation::AllPass)),
            ("OK", "x", Some(Expectation::AllPass)),
            ("全部通过", "x", Some(Expectation::AllPass)),
            ("no failures", "x", Some(Expectation::Exit(0))),
            ("0 failed", "x", Some(Expectation::Exit(0))),
            ("build succeeds", "x", Some(Expectation::Exit(0))),
            ("clean", "x", Some(Expectation::Exit(0))),
            ("no new warnings", "x", Some(Expectation::Exit(0))),
            ("no matches", "grep x y", Some(Expectation::NoOutput)),
            ("returns no matches (comment removed)", "grep x y", Some(Expectation::NoOutput)),
            ("prints nothing", "x", Some(Expectation::NoOutput)),
            ("empty", "git diff", Some(Expectation::NoOutput)),
            ("0", "rg x", Some(Expectation::NoOutput)),
            ("0", "rg -c x", Some(Expectation::Matches(r"(^|:)\s*0\s*$".to_owned()))),
            ("must FAIL first", "x", Some(Expectation::Fails)),
            ("fails (red)", "x", Some(Expectation::Fails)),
            ("exits non-zero", "x", Some(Expectation::Fails)),
            ("3 failures remain", "x", Some(Expectation::Fails)),
            ("≥ 2", "rg x", Some(Expectation::Lines(Count::AtLeast(2)))),
            ("exactly one match", "rg x", Some(Expectation::Lines(Count::Exactly(1)))),
            ("3 matches", "rg x", Some(Expectation::Lines(Count::Exactly(3)))),
            ("1", "grep -c x y", Some(Expectation::Matches(r"(^|:)\s*1\s*$".to_owned()))),
            ("38 passed", "x", Some(Expectation::Passed(Count::Exactly(38)))),
            ("38 + 3 new tests pass", "x", Some(Expectation::NewTests(3))),
            ("at least 12 tests pass", "x", Some(Expectation::Passed(Count::AtLeast(12)))),
            ("prints `2.0.1`", "x", Some(contains("2.0.1"))),
            ("shows \"ready, set\"", "x", Some(contains("ready, set"))),
            ("`true`", "x", Some(contains("true"))),
            ("matches /^v\\d+/", "x", Some(Expectation::Matches("^v\\d+".to_owned()))),
            ("exit 1, no output", "grep", Some(Expectation::All(vec![Expectation::Exit(1), Expectation::NoOutput]))),
            ("match (still present)", "rg x", Some(Expectation::Lines(Count::AtLeast(1)))),
            ("file exists", "test -f x", Some(Expectation::Exit(0))),
            ("only the shim remains", "rg x", None),
            ("the row shows done", "x", None),
            ("", "x", Some(Expectation::Exit(0))),
        ];
        for (text, command, expected) in cases {
            assert_eq!(&read(text, command), expected, "{text:?} behind {command:?}");
        }
    }

    #[test]
    fn numbers_from_a_bound_on_are_matched_and_no_others() {
        let pattern = Regex::new(&format!("^{}$", at_least(197))).expect("made of digits");
        let matched: Vec<u32> = (0..2100).filter(|number| pattern.is_match(&number.to_string())).collect();
        assert_eq!(matched, (197..2100).collect::<Vec<_>>());
    }
}
