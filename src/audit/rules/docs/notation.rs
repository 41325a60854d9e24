//! Notation: a fence that says how something is written, by a signature without a body or by words for values, and is no sample of it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is fixed")
}

/// `chat.open<T>(`, `new Shop(`: the name in front of a parameter list, with what it is reached by.
static REACHED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^([ \t]*)(?:new[ \t]+)?(?:[\w$]+\.)*([\w$]+\??[ \t]*(?:<[^()\n]*>)?\()"));
/// `(a: string) => Result` behind a name, where a method has a colon.
static ARROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)\)[ \t]*=>[ \t]*([^{\n]+)$"));
/// One line of a list of functions in Rust, with or without `fn` and the type they are of.
static RUST_SIGNATURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^([ \t]*(?:pub(?:\([\w: ]+\))? )?(?:(?:async|const|unsafe) )*)(?:fn )?(?:\w+(?:<[^()\n]*>)?::)*(\w+(?:<[^()\n]*>)?\([^\n]*\)(?: -> [^\n{;]+)?);?[ \t]*$",
    )
});
/// `readFile(path[, options])`, `run() -> number`: what no grammar of a script has.
static UNWRITTEN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\w ?\[,\s*\w|\)\s*->\s*\w|,\s*\[[\w$]+\]\s*\)"));

/// What a piece of TypeScript or JavaScript is as members of an interface, if it is a list of signatures: the parser has the last word.
pub fn script_signatures(piece: &str) -> Vec<String> {
    if !REACHED.is_match(piece) {
        return Vec::new();
    }
    let members = REACHED.replace_all(piece, "$1$2");
    let with_arrows = ARROW.replace_all(&members, "): $1");
    // An object that is taken apart has no types in it: one that has is the type of a parameter.
    let forms = [members.replace("({", "(x: {"), with_arrows.replace("({", "(x: {"), with_arrows.into_owned()];
    std::iter::once(members.clone().into_owned()).chain(forms).collect()
}

/// The same for Rust, as members of a trait.
pub fn rust_signatures(piece: &str) -> Vec<String> {
    let has_type =
        |text: &str| text.contains("->") || text.contains(": ") || text.contains("self") || text.contains("fn ");
    if !RUST_SIGNATURE.is_match(piece) || !has_type(piece) {
        return vec![format!("{};", piece.trim_end())];
    }
    vec![format!("{};", piece.trim_end()), RUST_SIGNATURE.replace_all(piece, "${1}fn $2;").into_owned()]
}

/// Whether a script that does not parse uses signs of notation.
pub fn is_unwritten(text: &str) -> bool {
    UNWRITTEN.is_match(text)
}

/// Values that parsers of other languages take: a page that has them means them.
const WORDS_OF_OTHERS: [&str; 8] = ["true", "false", "null", "True", "False", "None", "NaN", "undefined"];
/// A word in the place of a value.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[:\[,]\s*([A-Za-z_$][\w$.-]*)(?:\[\])?\??\s*(?:[,\]}|(]|\n|$)"));
/// Texts in quotes.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#""(?:[^"\\\n]|\\.)*""#));

/// Whether JSON has words where values belong: `"messages": [m1, m2]`, `"id": string`.
pub fn has_words_for_values(text: &str) -> bool {
    let plain: Cow<'_, str> = QUOTED.replace_all(text, "\"\"");
    WORD.captures_iter(&plain).any(|found| !WORDS_OF_OTHERS.contains(&&found[1]))
}

/// A key, an address or a path on its own: `shop|cart|tenant:1`. Comments aside.
pub fn is_one_word(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let mut words = lines.flat_map(str::split_whitespace);
    match (words.next(), words.next()) {
        (Some(word), None) => !word.contains(['(', ')', '[', ']', '{', '}', '"', '\'', '`', '<']),
        (Some(_) | None, _) => false,
    }
}

/// The words of a sentence or heading above a fence that is no sample.
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)\b(?:pseudo-?\s?code|(?:api|function|method|type|call|full|hook|constructor) signatures?|notation|conceptually|schematically|in essence|sketch(?:ed)?|abridged|shorthand)\b|\bsignatures?\s*:?\**$",
    )
});

/// Whether what stands above a fence says that it is none.
pub fn is_announced(above: &str) -> bool {
    SAID.is_match(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_values_are_no_values() {
        assert!(has_words_for_values("{\n  \"messages\": [m1, m2],\n  \"n\": 1\n}"));
        assert!(has_words_for_values("{ \"id\": string, \"tags\": string[] }"));
        assert!(!has_words_for_values("{ \"a\": True, \"b\": [null, false], \"c\": \"x: y, z\" }"));
        assert!(!has_words_for_values("{ \"a\": 1,\n}"));
    }

    #[test]
    fn a_list_of_functions_is_made_members() {
        assert_eq!(rust_signatures("Cart::add(&self, id: u32) -> bool\n")[1], "fn add(&self, id: u32) -> bool;\n");
        assert_eq!(script_signatures("shop.open<T>(id: string): Cart<T>")[0], "open<T>(id: string): Cart<T>");
        assert!(is_one_word("// The key\nshop|cart|tenant:1\n") && !is_one_word("f('a\n") && !is_one_word("a b"));
        assert!(is_announced("### API signature") && !is_announced("Check the signature of the request first."));
        assert!(is_unwritten("read(path[, options])") && !is_unwritten("a[0]; f(a, b)"));
    }
}
