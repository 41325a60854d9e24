//! Samples of code: whether one parses as anything that a page may rightly show. A page shows modules, but as often a method, a few
//! fields, an argument list or the inside of an element, and several of them one below the other.

use std::sync::LazyLock;

use regex::Regex;
use saphyr::{LoadableYamlNode, Yaml};

use crate::audit::rules::docs::notation;
use crate::edit::syntax;

/// Bytes of a sample: longer ones are listings, and are parsed dozens of times below when something is wrong with them.
const MAX_BYTES: usize = 16 << 10;

/// What is wrong with a sample: the line from 0, and the reason.
pub type Broken = (usize, String);

/// What may stand around a piece of TypeScript or JavaScript.
const AROUND_SCRIPT: [(&str, &str); 13] = [
    ("", ""),
    ("async function* f() {\n", "\n}"),
    ("class A {\n", "\n}"),
    ("x = {\n", "\n}"),
    ("x = (\n", "\n)"),
    ("x = [\n", "\n]"),
    ("f(\n", "\n)"),
    ("interface A {\n", "\n}"),
    ("type A =\n", ""),
    ("x = <>\n", "\n</>"),
    ("switch (x) {\n", "\n}"),
    ("x\n", ""),
    // What decorates a class, without it.
    ("", "\nclass A {}"),
];
/// The same for Rust. A macro takes any tokens whose brackets match.
const AROUND_RUST: [(&str, &str); 5] =
    [("", ""), ("async fn f() -> R {\n", "\n}"), ("impl A {\n", "\n}"), ("struct A {\n", "\n}"), ("m! {\n", "\n}")];

/// What is wrong with a sample of code in the language of a fence; `None` for one that parses, leaves something out or is no code.
pub fn broken_code(language: &str, info: &str, text: &str) -> Option<Broken> {
    let (title, grammars, around): (_, &[&str], &[(&str, &str)]) = match language {
        // Angle brackets are casts for the one grammar, and elements for the other.
        "ts" | "typescript" | "mts" | "cts" => ("TypeScript", &["a.ts", "a.tsx"], &AROUND_SCRIPT),
        "tsx" => ("TSX", &["a.tsx"], &AROUND_SCRIPT),
        "js" | "javascript" | "mjs" | "cjs" | "jsx" => ("JavaScript", &["a.tsx", "a.ts"], &AROUND_SCRIPT),
        "rust" | "rs" => ("Rust", &["a.rs"], &AROUND_RUST),
        _ => return None,
    };
    let text = if title == "Rust" { without_hidden_marks(text) } else { text.to_owned() };
    if text.len() > MAX_BYTES || text.trim().is_empty() || parses(grammars, &around[..2], &text) {
        return None;
    }
    let is_notation = title == "JavaScript" && TYPED.is_match(&text) || title != "Rust" && SIGNATURE.is_match(&text);
    let is_sound = |piece: &String| {
        parses(grammars, around, piece)
            || is_signature(title, grammars, piece)
            // Nothing that takes any tokens may stand around it.
            || finished(piece).is_some_and(|whole| parses(grammars, &around[..3], &whole))
    };
    if is_notation
        || title != "Rust" && notation::is_unwritten(&text)
        || notation::is_one_word(&text)
        || is_shown_otherwise(info, &text)
        || pieces(&text).iter().all(is_sound)
    {
        return None;
    }
    // The reading that gets furthest says where it ends.
    let of_grammar = |name: &&str| around.iter().filter_map(|around| first_error(name, *around, &text)).max();
    let at = grammars.iter().filter_map(of_grammar).max()?;
    let last = text.lines().count().saturating_sub(1);
    Some((at.min(last), format!("this is no {title}, whatever is put around it")))
}

/// Whether a piece says what functions take and give, and no more.
fn is_signature(title: &str, grammars: &[&str], piece: &str) -> bool {
    let (forms, around) = match title {
        "Rust" => (notation::rust_signatures(piece), ("trait A {\n", "\n}")),
        _ => (notation::script_signatures(piece), ("interface A {\n", "\n}")),
    };
    forms.iter().any(|form| grammars.iter().any(|name| first_error(name, around, form).is_none()))
}

/// A piece that shows how a definition begins, with the braces closed that it leaves open: `impl Shop for Counter {`. One that ends with
/// a bracket closed and others open forgot them, and a call left open is a slip.
fn finished(piece: &str) -> Option<String> {
    let last = piece.trim_end().lines().last()?.trim_start();
    let mut open = Vec::new();
    for c in piece.chars() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return None,
            _ => {}
        }
    }
    let begins = !open.is_empty() && open.iter().all(|c| *c == '}') && !last.starts_with([')', ']', '}']);
    begins.then(|| piece.trim_end().to_owned() + "\n" + &open.into_iter().rev().collect::<String>())
}

fn parses(grammars: &[&str], around: &[(&str, &str)], text: &str) -> bool {
    let plain = text.trim_end();
    // An entry of a list and the last of several arguments may end so.
    let bare = plain.trim_end_matches([',', ';']);
    let forms: &[&str] = if bare == plain { &[plain] } else { &[plain, bare] };
    around
        .iter()
        .any(|around| forms.iter().any(|form| grammars.iter().any(|name| first_error(name, *around, form).is_none())))
}

/// The line from 0 of `text` that the first error stands on, with something put around it.
fn first_error(name: &str, (before, after): (&str, &str), text: &str) -> Option<usize> {
    let line = syntax::first_error(name, &format!("{before}{text}{after}"))?;
    Some((line as usize - 1).saturating_sub(before.matches('\n').count()))
}

/// The sample and, when it shows several things, each: they begin in the first column behind an empty line.
fn pieces(text: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    let mut after_gap = false;
    for line in text.lines() {
        if after_gap && !line.is_empty() && !line.starts_with([' ', '\t', '}', ')', ']']) {
            found.push(String::new());
        }
        after_gap = line.trim().is_empty();
        if let Some(piece) = found.last_mut() {
            piece.push_str(line);
            piece.push('\n');
        }
    }
    found.retain(|piece| !piece.trim().is_empty());
    found
}

/// `# use shop::Cart;`: a line that rustdoc compiles and does not show.
fn without_hidden_marks(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().strip_prefix('#') {
        Some("") => "",
        Some(rest) if rest.starts_with(' ') => rest,
        Some(rest) if rest.starts_with('#') && !rest.starts_with("##") => rest,
        Some(_) | None => line,
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// Three dots that spread or match nothing, or two ways one below the other.
static LEFT_OUT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^\s*(?://|#) ?(?:OR|or|Or)\s*$|\.\.\.(?:[^\w\[({$]|$)|^\s*\.\.$|…|⋮|\. \. \.|\[\.\.\.|\b(?:etc|and so on)\b",
    )
});
/// `<your-name>`, `{{ name }}`, `{% if %}`, `<% %>`, `{{#include}}`, `[NAME]`: something to be filled in.
static HOLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[\s'=:(,])<[A-Za-z][\w .-]*>|\{\{(?:[#/ =]|[A-Za-z][\w ]*\}\})|\{%|<%|%>|\$\{?[A-Z_]{2,}|\[[A-Z_]{3,}\]",
    )
});
/// The same in words that no element is named by.
static OWN_HOLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"<(?:your|my|the|some|any|insert|replace|path|name)[-_ ][\w .-]*>"));
/// A page that shows what is wrong says so, beside it.
static SHOWN_AS_WRONG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:error|errors|invalid|wrong|incorrect|bad|broken|illegal|ignore|compile_fail|pseudo\w*|fails?)\b|❌|✗|🚫|→|⇒|←",
    )
});
/// A signature in the words of no language: JavaScript that does not parse and has types.
static TYPED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:Promise|Array|Map|Set)<|:\s*(?:[Ss]tring|[Nn]umber|[Bb]oolean|[Oo]bject|any)\b"));
/// `find(id: string, options?: Options): Promise<User>`: what a function takes and gives, over one line or several.
static SIGNATURE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?ms)^[\w.]+\((?:[^()]|\([^()]*\))*\w\??: (?:[^()]|\([^()]*\))*\): [\w<>\[\]|., ]+;?$"));
/// Lines of a comparison, of a session, of a file with more than the language in it.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?m)^(?:[+-]\s|[+-]{3}|@@|[$%>] |>>> |<script|<template|<style|<!|<\?|---$|===|\s*(?:\||├|└))")
});
/// Elements with what no JSX has: the attributes and braces of Vue, Svelte, Angular or Lit.
static TEMPLATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"<[A-Za-z][^<>]*\s(?:(?::|@|v-|on:|bind:|\*ng|[.?@]|\[|\()[\w.:-]+[\])]?=|\{\w+\}[\s/>])")
});

/// A line that is an arrow: what leads to what, and no program.
static FLOW: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*[↓↑→←⇓]+\s*$"));
/// `import("shop").Cart<Item>`: a type that the grammar does not know with arguments.
static IMPORT_TYPE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\bimport\(["'][^"']+["']\)\.[A-Z]\w*"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is fixed")
}

/// Whether a sample does not claim to be whole and right.
fn is_shown_otherwise(info: &str, text: &str) -> bool {
    let info = info.to_lowercase();
    // Elements are no holes where one of them is closed.
    let has_elements = text.contains("</") || text.contains("/>");
    ["diff", "ignore", "compile_fail", "text", "no-check", "nocheck", "pseudo"].iter().any(|word| info.contains(word))
        || LEFT_OUT.is_match(text)
        || (HOLE.is_match(text) && !has_elements)
        || OWN_HOLE.is_match(text)
        || SHOWN_AS_WRONG.is_match(text)
        || OTHER.is_match(text)
        || TEMPLATE.is_match(text)
        || FLOW.is_match(text)
        || IMPORT_TYPE.is_match(text)
}

/// What is wrong with a sample of YAML.
pub fn broken_yaml(info: &str, text: &str) -> Option<Broken> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let error = Yaml::load_from_str(text).err()?;
    let said = error.info().to_owned();
    // An excerpt may name an anchor that stands above it, and two ways to write one thing may be shown together.
    // Parsers that are in use take a bracket that is closed in the column of its key.
    let at = error.marker().line().saturating_sub(1);
    let is_taken = text.lines().nth(at).is_some_and(|line| line.trim_start().starts_with([']', '}']));
    let is_excerpt = said.contains("anchor") || said.contains("duplicate") || is_taken;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = indent(lines.next()?);
    let is_cut_out = lines.any(|line| indent(line) < first);
    if is_excerpt || is_cut_out || is_shown_otherwise(info, text) || text.contains("...") {
        return None;
    }
    let last = text.lines().count().saturating_sub(1);
    Some((at.min(last), said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_broken(language: &str, text: &str) -> bool {
        broken_code(language, language, text).is_some()
    }

    #[test]
    fn parts_of_a_program_are_samples() {
        for text in [
            "import { a } from 'b';\nawait a();",
            "return await a(b);",
            "get(id: string): Promise<User>;\n",
            "async get(id) {\n  return this.db.get(id);\n}",
            "port: 8080,\nhost: 'x',\n",
            "{ port: 8080, host: 'x' }",
            "<Shop open>\n  <Cart />\n</Shop>\n<Cart />",
            ".then((x) => x)\n.catch(() => null);",
            "case 'a':\n  b();\n",
            "f(...args);\nconst [a, ...rest] = b;",
            "(a, b) => a + b",
            "get(id) {}\n\nconst a = 1;\n\nport: 80,",
            "string | number",
            "@Module({\n  imports: [Shop],\n})",
        ] {
            assert!(!is_broken("ts", text), "{text}");
        }
        for text in [
            "let a = b()?;\nprintln!(\"{a}\");",
            "# use a::B;\n# fn main() {\nB::new();\n# }",
            "#[derive(Debug)]\npub struct A;",
            "pub fn a(&self) -> u8 { 1 }",
            "a: u8,\nb: Vec<String>,",
            "GET / => home, POST / => add",
        ] {
            assert!(!is_broken("rust", text), "{text}");
        }
    }

    #[test]
    fn what_is_left_out_or_shown_as_wrong_is_no_sample() {
        for text in [
            "f(a, ...);\n(",
            "const a = <your-key>;",
            "- const a = 1;\n+ const a = (;",
            "f(; // error: expected an expression",
            "$ node\n> (",
            "const a = {{ name }};",
            "{ list: (options: Object) => Promise<String> version }",
            "// Reads\nfind(db, {\n  id: string,\n  names: string[],  // all\n  limit?: number,\n}): Promise<Row[]>\n\n// Writes\nset(db, {\n  kind: 'a',\n  id: string,\n}): Promise<Row>",
            "// Vue\n<Cart :items=\"items\" @pay=\"pay\" />",
            "<Cart {items} />",
        ] {
            assert!(!is_broken("js", text), "{text}");
        }
        assert!(!is_broken("ts", "open(cart)\n      ↓\nclose(cart"), "a flow");
        assert!(!is_broken("ts", "const shop: Own<import(\"shop\").Cart<{ id: string }>> = open();"), "a type");
        assert!(is_broken("ts", "import(\"shop\").then((shop) => shop.open(;"), "a call");
        assert_eq!(broken_code("rust", "rust,ignore", "fn a( {"), None);
    }

    #[test]
    fn signatures_are_no_samples() {
        for text in [
            "function find(id: string): number",
            "chat.open<T>(config?: Config<T>): Builder<T>;",
            "chat.start<T>({\n  id: string, // whose\n  run: (args: Args<T>) => Promise<any>,\n  limit?: number,\n}): (req: Request) => Promise<Response>",
            "carts.list(): Promise<Cart[]>\ncarts.get(id: string): Promise<Cart>\ncarts.find({ id?: string }): Promise<Cart>",
            "useCart(id: string) => [Cart, (cart: Cart) => void]",
            "reset(\n  task: string,\n  options?: Options\n): Promise<{ id: string }>",
            "new Shop(options?: { port: number, host?: string })",
            "fs.read(path[, options], then)",
        ] {
            assert!(!is_broken("ts", text), "{text}");
        }
        for text in [
            "fn find(id: u32) -> Option<Cart>",
            "pub async fn find<T: Id>(\n    id: T,\n) -> Option<Cart>",
            "Cart::new(id: u32) -> Cart\nCart::add(&mut self, item: Item)",
            "fn a(&self) -> u8\nfn b(&self, c: &str)",
        ] {
            assert!(!is_broken("rust", text), "{text}");
        }
        assert!(is_broken("ts", "shop.list([Cart\n  {\n    id: 'a',\n  },\n])"));
        assert!(is_broken("ts", "shop.open('a', {\n  id: 'b',\n}\n.then((cart) => cart)"));
        assert!(is_broken("rust", "let a = shop.open(\"b\";\n"));
    }

    #[test]
    fn how_a_definition_begins_is_a_sample() {
        for (language, text) in [
            (
                "rust",
                "impl Shop for Counter {\n    fn open(&self) -> Result<Till> {\n        let till = self.till();\n",
            ),
            ("rust", "impl Shop<Order> for Counter {\n"),
            ("ts", "export class Shop extends Counter {\n  open() {\n    this.till();\n"),
        ] {
            assert!(!is_broken(language, text), "{text}");
        }
        for (language, text) in [
            ("rust", "impl Shop for Counter {\n    fn open(&self) {\n        self.till();\n    }\n"),
            ("rust", "impl Shop for Counter {\n    fn open(&self) -> {\n"),
            ("ts", "export class Shop {\n  till = [1, 2;\n"),
        ] {
            assert!(is_broken(language, text), "{text}");
        }
    }

    #[test]
    fn a_bracket_that_is_missing_is_found() {
        assert_eq!(broken_code("ts", "ts", "const a = 1;\nf({ a: 1 );\nconst b = 2;\n").map(|(line, _)| line), Some(1));
        assert!(is_broken("js", "app.get('/', (req, res) => {\n  res.send('x');\n"));
        assert!(is_broken("rust", "fn a() {\n    b(1;\n}\n"));
        assert!(broken_yaml("yaml", "a:\n  - b\n c: [1\n").is_some());
    }

    #[test]
    fn yaml_of_a_page_may_be_cut_out() {
        for text in [
            "    a: 1\nb: 2",
            "a: *base",
            "a: 1\na: 2",
            "a: {{ b }}: c",
            "a:\n  b: [\n    1,\n  ]\n  c: 2",
            "a:\n  ...\n b: [",
        ] {
            assert_eq!(broken_yaml("yaml", text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(# |\\{|\\}|\\(|<a>|:|,|é|a|\\n|\\n\\n|'|- |\\t|\\.\\.\\.){0,30}") {
            for language in ["ts", "tsx", "js", "rust"] {
                broken_code(language, language, &text);
            }
            broken_yaml("yaml", &text);
        }
    }
}
