//! Edits applied: rungs, failures and properties.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::edit::explain::for_model as explain_to_model;
use crate::edit::{EditOperation, Hunk, Insertion, Side};

fn texts(files: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
    files.iter().map(|(file, text)| ((*file).to_owned(), Some((*text).to_owned()))).collect()
}

fn block(search: &str, replace: &str) -> Block {
    Block { search: search.to_owned(), replace: replace.to_owned() }
}

fn replace(file: &str, blocks: Vec<Block>) -> FileEdit {
    FileEdit { file: file.to_owned(), operation: EditOperation::Replace(blocks) }
}

fn run(files: &[(&str, &str)], edits: &[FileEdit]) -> Result<Changes, Vec<EditFailure>> {
    let texts = texts(files);
    apply(&Message { texts: &texts, edits, in_scope: &|_| true, preimages: &BTreeMap::new() })
}

/// The text that one block makes of `text`, and the rung it took; or the code of the failure.
fn one(text: &str, search: &str, replacement: &str) -> Result<(String, Rung), FailureCode> {
    match run(&[("a.txt", text)], &[replace("a.txt", vec![block(search, replacement)])]) {
        Ok(changes) => Ok((changes.files["a.txt"].clone().expect("not removed"), changes.placed[0].rung)),
        Err(failures) => Err(failures[0].code),
    }
}

fn changed(text: &str, rung: Rung) -> Result<(String, Rung), FailureCode> {
    Ok((text.to_owned(), rung))
}

#[test]
fn a_fence_is_the_files_own_where_it_stands_there_and_else_the_messages() {
    let part = |text: &str, old: &str, new: &str| {
        let operation = EditOperation::Substitute { old: old.to_owned(), new: new.to_owned() };
        let edits = [FileEdit { file: "a.ts".to_owned(), operation }];
        run(&[("a.ts", text)], &edits).map(|changes| changes.files["a.ts"].clone().expect("not removed"))
    };
    let whole = |text: &str, search: &str, replacement: &str| {
        let edits = [replace("a.ts", vec![block(search, replacement)])];
        run(&[("a.ts", text)], &edits).map(|changes| changes.files["a.ts"].clone().expect("not removed"))
    };
    for edit in [&part as &dyn Fn(&str, &str, &str) -> Result<String, Vec<EditFailure>>, &whole] {
        assert_eq!(edit("x()\ny()\n", "```ts\nx()\n```", "```ts\nz()\n```").as_deref(), Ok("z()\ny()\n"));
        assert_eq!(edit("x()\ny()\n", "```ts\nx()\n```", "").as_deref(), Ok("y()\n"));
        // The second `x()` shows that what is inside the fence is not looked for.
        assert_eq!(edit("x()\n```\nx()\n```\ny()\n", "```\nx()\n```", "").as_deref(), Ok("x()\ny()\n"));
        assert_eq!(
            edit("x()\n```\nx()\n```\n", "```\nx()\n```", "```\nz()\n```").as_deref(),
            Ok("x()\n```\nz()\n```\n")
        );
    }
    assert_eq!(part("a\n```\n```\nb\n", "```\n```", "").as_deref(), Ok("a\nb\n"));
    assert_eq!(part("a(x, y)\n", "```ts\nx, y\n```", "```ts\ny, x\n```").as_deref(), Ok("a(y, x)\n"));
}

#[test]
fn each_rung_places_what_the_one_above_cannot() {
    use Rung::{Exact, IndentShift, TrailingSpace, UnicodePunctuation};
    let cases = [
        ("a\nb\nc\n", "b", "B", changed("a\nB\nc\n", Exact)),
        ("a\nb  \nc\n", "b", "B", changed("a\nB\nc\n", TrailingSpace)),
        ("a\nb\nc\n", "b  ", "B", changed("a\nB\nc\n", TrailingSpace)),
        ("a\r\nb\r\nc\r\n", "b", "B\nB2", changed("a\r\nB\r\nB2\r\nc\r\n", TrailingSpace)),
        (
            "if x:\n    a()\n    b()\n",
            "a()\nb()",
            "a()\n  c()\nb()",
            changed("if x:\n    a()\n      c()\n    b()\n", IndentShift),
        ),
        ("a()\nb()\n", "    a()\n    b()", "    a()\n    c()", changed("a()\nc()\n", IndentShift)),
        ("\tx(1)\n\n\ty(2)\n", "x(1)\n\ny(2)", "x(1)\n\nz(3)", changed("\tx(1)\n\n\tz(3)\n", IndentShift)),
        ("say(“hi”)\nb\n", "say(\"hi\")\nb", "say(\"hi\")\nB", changed("say(“hi”)\nB\n", UnicodePunctuation)),
        ("a — b\n", "a - b", "a + b", changed("a + b\n", UnicodePunctuation)),
    ];
    for (text, search, replacement, expected) in cases {
        assert_eq!(one(text, search, replacement), expected, "{text:?} {search:?}");
    }
}

#[test]
fn malformed_edits_are_refused_with_their_code() {
    use FailureCode::{AlreadyApplied, Ambiguous, Malformed, NotFound};
    let cases = [
        ("nothing like it", "a\nb\n", "x", "y", NotFound),
        ("a line longer than the file", "a\n", "a\nb\nc", "y", NotFound),
        ("an empty file", "", "a", "b", NotFound),
        ("an empty search", "a\n", "", "b", Malformed),
        ("a blank search", "a\n\n", " \n", "b", Malformed),
        ("no change", "a\n", "a", "a", Malformed),
        ("two exact places", "a\nb\na\n", "a", "x", Ambiguous),
        ("two places on a lower rung", "a \nb\na  \n", "a", "x", Ambiguous),
        ("overlapping places", "a\na\na\n", "a\na", "x", Ambiguous),
        ("an exact place is not unique because a shifted one exists too", "a\n  a\na\n", "a", "x", Ambiguous),
        ("done before", "a\nB\nc\n", "b", "B", AlreadyApplied),
        ("an insertion done before", "a\nb\nnew\n", "b", "b\nnew", AlreadyApplied),
        ("an insertion above done before", "new\nb\nc\n", "b", "new\nb", AlreadyApplied),
        ("an indent that shifts two ways", "  a\n    b\n", "a\nb", "x", NotFound),
        ("only a part of a line", "let alpha = 1;\n", "alpha", "beta", NotFound),
        ("a middle line that differs", "a\nb\nc\n", "a\nX\nc", "z", NotFound),
        ("a masked secret", "key = \"abc\"\n", "key = \"[secret:token]\"", "key = env()", Malformed),
        ("a masked secret to be written", "key = 1\n", "key = 1", "key = \"[secret:aws-key]\"", Malformed),
    ];
    for (name, text, search, replacement, code) in cases {
        assert_eq!(one(text, search, replacement), Err(code), "{name}");
    }
}

/// The text that an old text and a new one make of `text` in `a.ts`, and the rung; or the code of the failure.
fn substituted(text: &str, old: &str, new: &str) -> Result<(String, Rung), FailureCode> {
    let operation = EditOperation::Substitute { old: old.to_owned(), new: new.to_owned() };
    match run(&[("a.ts", text)], &[FileEdit { file: "a.ts".to_owned(), operation }]) {
        Ok(changes) => Ok((changes.files["a.ts"].clone().expect("not removed"), changes.placed[0].rung)),
        Err(failures) => Err(failures[0].code),
    }
}

#[test]
fn a_substitution_may_be_a_part_of_a_line_that_stands_there_once() {
    use FailureCode::{AlreadyApplied, Ambiguous, NotFound};
    use Rung::{Exact, IndentShift};
    let cases = [
        ("let a = f(1);\nlet b = g(1);\n", "f(1)", "f(2)", changed("let a = f(2);\nlet b = g(1);\n", Exact)),
        ("let a = f(1);\nlet b = g(1);\n", "(1)", "(2)", Err(Ambiguous)),
        ("let alphabet = 1;\n", "alpha", "beta", Err(NotFound)),
        ("let a = f(1);\n", "f(1)", "f(1).then(g)", changed("let a = f(1).then(g);\n", Exact)),
        ("let a = f(1).then(g);\n", "f(1)", "f(1).then(g)", Err(AlreadyApplied)),
        ("x(\r\n  1,\r\n);\r\n", "x(\n  1", "x(\n  2", changed("x(\r\n  2,\r\n);\r\n", Exact)),
        ("{\n  a();\n}\n", "a();", "a();\n  b();", changed("{\n  a();\n  b();\n}\n", IndentShift)),
        ("{\n  a();\n}\n", "a();", "a();\nb();", changed("{\n  a();\n  b();\n}\n", IndentShift)),
        (
            "{\n  if (a) {\n  }\n}\n",
            "if (a) {",
            "if (a) {\n  b();",
            changed("{\n  if (a) {\n    b();\n  }\n}\n", IndentShift),
        ),
        ("a();\nb();\n", "a();\n", "", changed("b();\n", Exact)),
        ("a();\nb();\n", "a();\n", "\n", changed("\nb();\n", Exact)),
        ("a();\n  a();\n", "a();", "b();", changed("b();\n  a();\n", Exact)),
    ];
    for (text, old, new, expected) in cases {
        assert_eq!(substituted(text, old, new), expected, "{text:?} {old:?} {new:?}");
    }
}

#[test]
fn tabs_and_spaces_stand_for_each_other_level_by_level() {
    let text = "fn a() {\n\tif b {\n\t\tc();\n\t}\n}\n";
    let expected = "fn a() {\n\tif b {\n\t\tc();\n\t\tif d {\n\t\t\te();\n\t\t}\n\t}\n}\n";
    for width in [2, 4] {
        let spaces = |levels: usize| " ".repeat(width * levels);
        let search = format!("{}if b {{\n{}c();\n{}}}", spaces(1), spaces(2), spaces(1));
        let added = format!("{0}if d {{\n{1}e();\n{0}}}", spaces(2), spaces(3));
        let replacement = search.replace("c();", &format!("c();\n{added}"));
        assert_eq!(one(text, &search, &replacement), changed(expected, Rung::IndentShift), "{width}");
    }
    let text = "class A {\n    /**\n     * One.\n     */\n    a() {}\n}\n";
    let search = "\t/**\n\t * One.\n\t */";
    assert_eq!(
        one(text, search, "\t/**\n\t * Two.\n\t */"),
        changed(&text.replace("One", "Two"), Rung::IndentShift),
        "the space of a comment is none of its indent"
    );
}

#[test]
fn a_first_line_without_its_indent_is_moved_alone() {
    let text = "{\n    a();\n    b();\n}\n";
    assert_eq!(one(text, "a();\n    b();", "c();\n    b();"), changed("{\n    c();\n    b();\n}\n", Rung::IndentShift));
}

#[test]
fn a_replacement_that_is_indented_as_the_file_is_not_moved_again() {
    let text = "{\n    a();\n    b();\n}\n";
    let shifted = |new: &str| changed(&format!("{{\n{new}\n}}\n"), Rung::IndentShift);
    assert_eq!(one(text, "a();\nb();", "    a();\n    c();\n    b();"), shifted("    a();\n    c();\n    b();"));
    assert_eq!(
        one(text, "a();\nb();", "if (c) {\n    a();\n    b();\n}"),
        shifted("    if (c) {\n        a();\n        b();\n    }")
    );
    let tabs = one("a {\n  b {\n    c\n  }\n}\n", "a {\n\tb {", "a {\n\tb { // d");
    assert_eq!(
        tabs,
        changed("a {\n  b { // d\n    c\n  }\n}\n", Rung::IndentShift),
        "a line without indent tells nothing"
    );
    assert_eq!(one(text, "a();\nb();", "    c();"), shifted("        c();"), "nothing tells that it is not meant so");
}

#[test]
fn line_numbers_come_off_when_every_line_has_one() {
    let text = "{\n  a();\n  b();\n}\n";
    let expected = changed("{\n  a();\n  c();\n}\n", Rung::LineNumbers);
    assert_eq!(one(text, "2:   a();\n3:   b();", "2:   a();\n3:   c();"), expected);
    assert_eq!(one(text, "12|  a();\n13|  b();", "12|  a();\n13|  c();"), expected, "also wrong numbers");
    assert_eq!(one(text, "2:   a();\n3:   b();", "  a();\n  c();"), expected, "the replacement has none");
    assert_eq!(one(text, "2: a();\n3: b();", "a();\nc();"), Err(FailureCode::NotFound), "no shift is guessed");
    assert_eq!(one(text, "2:   a();\n  b();", "c();"), Err(FailureCode::NotFound), "a line without a number");
    assert_eq!(one("a\nb\na\n", "1: a", "1: c"), Err(FailureCode::Ambiguous));
    assert_eq!(one("1: a\n2: b\n", "1: a", "1: c"), changed("1: c\n2: b\n", Rung::Exact), "numbers of the file");
    let list = "map {\n  1: 'a',\n  2: 'b!',\n}\nlist [\n  'a',\n  'b',\n]\n";
    assert_eq!(
        one(list, "1: 'a',\n2: 'b',", "1: 'c',\n2: 'b',"),
        Err(FailureCode::NotFound),
        "keys are no numbers of lines"
    );
    assert_eq!(one("a\nb\n", "a\nb", "1: a\n2: c"), Err(FailureCode::Malformed), "numbers that would be written");
}

#[test]
fn blank_lines_around_a_search_text_are_not_needed() {
    assert_eq!(one("a\nb\nc\n", "\nb\n", "\nB\n"), changed("a\nB\nc\n", Rung::TrailingSpace));
    assert_eq!(one("a\nb\nc\n", "b\n", "B"), changed("a\nB\nc\n", Rung::TrailingSpace));
    assert_eq!(one("a\n\nb\nc\n", "\nb", "B"), changed("a\nB\nc\n", Rung::Exact), "a blank line that is there counts");
}

/// Ten lines of a function that differ from another one's in more than the name.
const FUNCTION: &str = "export function total(cart: Cart): number {\n  let sum = 0;\n  for (const item of cart.items) {\n    \
    sum += item.price * item.count;\n  }\n  if (cart.coupon) {\n    sum -= cart.coupon.value;\n  }\n  // Rounded to cents.\n  \
    return Math.round(sum);\n}\n";

#[test]
fn a_definition_that_is_quoted_almost_right_takes_what_is_quoted_right() {
    let text = format!("import {{ Cart }} from './cart';\n\n{FUNCTION}\nexport const empty = [];\n");
    let search = FUNCTION.replace("// Rounded to cents.", "// Round to cents").trim_end().to_owned();
    let replacement = search.replace("item.price * item.count", "item.price * item.quantity");
    let expected = text.replace("item.count", "item.quantity");
    let edits = |search: &str, replacement: &str| [replace("a.ts", vec![block(search, replacement)])];
    let outcome =
        |text: &str, search: &str, replacement: &str| match run(&[("a.ts", text)], &edits(search, replacement)) {
            Ok(changes) => Ok((changes.files["a.ts"].clone().unwrap(), changes.placed[0].rung)),
            Err(failures) => Err(failures[0].code),
        };
    assert_eq!(outcome(&text, &search, &replacement), changed(&expected, Rung::SameSymbol));
    let over = search.replace("// Round to cents", "// To cents.");
    assert_eq!(outcome(&text, &search, &over), Err(FailureCode::NotFound), "what changes is not what stands there");
    let next = search.replace("return Math.round(sum)", "return sum");
    assert_eq!(outcome(&text, &search, &next), Err(FailureCode::NotFound), "nor is what stands next to it");
    let nameless: Vec<&str> = search.lines().skip(1).collect();
    let nameless_replacement: Vec<&str> = replacement.lines().skip(1).collect();
    assert_eq!(
        outcome(&text, &nameless.join("\n"), &nameless_replacement.join("\n")),
        Err(FailureCode::NotFound),
        "no definition is named"
    );
    let twin = format!("{text}{}", FUNCTION.replace("total", "subtotal"));
    assert_eq!(outcome(&twin, &search, &replacement), Err(FailureCode::NotFound), "another one is as like");
    let twice = format!("namespace a {{\n{FUNCTION}}}\nnamespace b {{\n{FUNCTION}}}\n");
    assert_eq!(outcome(&twice, &search, &replacement), Err(FailureCode::NotFound), "two have the name");
    let done = text.replace("item.count", "item.quantity");
    assert_eq!(outcome(&done, &search, &replacement), Err(FailureCode::NotFound), "its change is made already");
}

#[test]
fn a_guess_needs_the_file_as_it_was_read() {
    let texts = texts(&[("a.ts", FUNCTION)]);
    let search = FUNCTION.replace("// Rounded to cents.", "// Round to cents").trim_end().to_owned();
    let edits = [replace("a.ts", vec![block(&search, &search.replace("item.count", "item.quantity"))])];
    let preimages = BTreeMap::from([("a.ts".to_owned(), sha256("another"))]);
    let message = Message { texts: &texts, edits: &edits, in_scope: &|_| true, preimages: &preimages };
    assert_eq!(apply(&message).expect_err("stale")[0].code, FailureCode::Stale);
}

fn hunk(under: &[&str], search: &str, replacement: &str, at_end: bool) -> Result<String, FailureCode> {
    let text = "class A {\n  get() {\n    one();\n  }\n}\n\nclass B {\n  get() {\n    one();\n  }\n}\n";
    let under = under.iter().map(|line| (*line).to_owned()).collect();
    let operation = EditOperation::Hunks(vec![Hunk { under, block: block(search, replacement), at_end }]);
    match run(&[("a.ts", text)], &[FileEdit { file: "a.ts".into(), operation }]) {
        Ok(changes) => {
            let new = changes.files["a.ts"].clone().unwrap();
            Ok(new.lines().filter(|line| !text.lines().any(|it| it == *line)).collect::<Vec<_>>().join("|")
                + if new.find("two").unwrap_or(0) > new.find("class B").unwrap_or(0) { " in B" } else { " in A" })
        }
        Err(failures) => Err(failures[0].code),
    }
}

#[test]
fn a_heading_says_which_of_equal_places_is_meant_and_is_never_ignored() {
    assert_eq!(hunk(&[], "    one();", "    two();", false), Err(FailureCode::Ambiguous));
    assert_eq!(hunk(&["class A {"], "    one();", "    two();", false), Ok("    two(); in A".into()));
    assert_eq!(hunk(&["class B"], "    one();", "    two();", false), Ok("    two(); in B".into()));
    assert_eq!(hunk(&["get() {"], "    one();", "    two();", false), Err(FailureCode::Ambiguous));
    assert_eq!(hunk(&["class B", "get() {"], "    one();", "    two();", false), Ok("    two(); in B".into()));
    assert_eq!(hunk(&["class C"], "    one();", "    two();", false), Err(FailureCode::NotFound));
    assert_eq!(
        hunk(&["class A"], "class B {", "class two {", false),
        Err(FailureCode::NotFound),
        "it stands elsewhere"
    );
    assert_eq!(hunk(&[], "  }\n}", "  }\n  two() {}\n}", true), Ok("  two() {} in B".into()));
    assert_eq!(hunk(&[], "class A {", "class two {", true), Err(FailureCode::NotFound), "it does not end the file");
}

#[test]
fn an_insertion_goes_next_to_its_anchor_once() {
    let insert = |text: &str, anchor: &str, side: Side, new: &str| {
        let insertion = Insertion { anchor: anchor.into(), side, text: new.into() };
        match run(&[("a.txt", text)], &[FileEdit { file: "a.txt".into(), operation: EditOperation::Insert(insertion) }])
        {
            Ok(changes) => Ok(changes.files["a.txt"].clone().unwrap()),
            Err(failures) => Err(failures[0].code),
        }
    };
    assert_eq!(insert("a\nb\n", "a", Side::After, "x"), Ok("a\nx\nb\n".into()));
    assert_eq!(insert("a\nb\n", "b", Side::Before, "x"), Ok("a\nx\nb\n".into()));
    assert_eq!(insert("  a\n", "a", Side::After, "x"), Ok("  a\n  x\n".into()));
    assert_eq!(insert("a\nx\nb\n", "a", Side::After, "x"), Err(FailureCode::AlreadyApplied));
    assert_eq!(insert("a\na\n", "a", Side::After, "x"), Err(FailureCode::Ambiguous));
    assert_eq!(insert("a\r\nb", "", Side::After, "x"), Ok("a\r\nb\r\nx".into()));
    assert_eq!(insert("\u{feff}a\n", "", Side::Before, "x"), Ok("\u{feff}x\na\n".into()));
    assert_eq!(insert("a\nx\n", "", Side::After, "x"), Err(FailureCode::AlreadyApplied));
    assert_eq!(insert("", "", Side::After, "x"), Ok("x\n".into()));
    assert_eq!(insert("a\n", "a", Side::After, ""), Err(FailureCode::Malformed));
}

#[test]
fn a_whole_file_keeps_the_form_of_the_one_it_replaces() {
    let whole = |text: &str, new: &str| match run(
        &[("a.txt", text)],
        &[FileEdit { file: "a.txt".into(), operation: EditOperation::Whole(new.into()) }],
    ) {
        Ok(changes) => Ok(changes.files["a.txt"].clone().unwrap()),
        Err(failures) => Err(failures[0].code),
    };
    assert_eq!(whole("a\nb\n", "a\nc\n"), Ok("a\nc\n".into()));
    assert_eq!(whole("\u{feff}a\r\nb", "a\nc\nd\n"), Ok("\u{feff}a\r\nc\r\nd".into()));
    assert_eq!(whole("a\r\nb\nc\n", "a\nb\nd\n"), Ok("a\r\nb\nd\n".into()), "kept lines keep their endings");
    assert_eq!(whole("a\nb\n", "a\nb"), Err(FailureCode::AlreadyApplied));
    assert_eq!(whole("", "a"), Ok("a\n".into()));
}

#[test]
fn a_bracket_that_stands_there_is_no_sign_of_an_edit_made_before() {
    assert_eq!(one("a {\n}\n", "b {\n  c\n}", "}"), Err(FailureCode::NotFound));
}

#[test]
fn a_mark_that_the_file_itself_holds_is_no_mask() {
    assert_eq!(
        one("x = \"[secret:t]\"\n", "x = \"[secret:t]\"", "y = \"[secret:t]\""),
        changed("y = \"[secret:t]\"\n", Rung::Exact)
    );
}

#[test]
fn an_exact_place_wins_over_a_bent_one() {
    assert_eq!(one("  a\na\n", "a", "x"), changed("  a\nx\n", Rung::Exact));
}

#[test]
fn kept_lines_keep_the_bytes_of_the_file() {
    let text = "head\nkeep one  \t\nold\nkeep ‘two’\ntail";
    let expected = "head\nkeep one  \t\nnew\nkeep ‘two’\ntail";
    assert_eq!(
        one(text, "keep one\nold\nkeep 'two'", "keep one\nnew\nkeep 'two'"),
        changed(expected, Rung::UnicodePunctuation)
    );
}

#[test]
fn a_missing_final_newline_stays_missing() {
    assert_eq!(one("a\nb", "b", "c\nd"), changed("a\nc\nd", Rung::Exact));
    assert_eq!(one("a\nb", "b", ""), changed("a", Rung::Exact));
    assert_eq!(one("a\r\nb", "b", "b\nc"), changed("a\r\nb\r\nc", Rung::Exact));
    assert_eq!(one("a\nb\n", "b", ""), changed("a\n", Rung::Exact));
}

#[test]
fn a_byte_order_mark_stays_at_the_front() {
    assert_eq!(one("\u{feff}a\nb\n", "a", "x"), changed("\u{feff}x\nb\n", Rung::Exact));
}

#[test]
fn one_failure_keeps_every_file_as_it_is() {
    let edits = [replace("a.txt", vec![block("a", "A")]), replace("b.txt", vec![block("nope", "B"), block("b", "B")])];
    let failures = run(&[("a.txt", "a\n"), ("b.txt", "b\n")], &edits).expect_err("one block does not match");
    let codes: Vec<_> = failures.iter().map(|failure| (failure.file.as_str(), failure.block, failure.code)).collect();
    assert_eq!(codes, [("b.txt", Some(1), FailureCode::NotFound)]);
}

#[test]
fn files_are_created_removed_and_renamed() {
    let edits = [
        FileEdit { file: "new.txt".into(), operation: EditOperation::Create("one\ntwo".into()) },
        FileEdit { file: "old.txt".into(), operation: EditOperation::Delete },
        FileEdit {
            file: "from.txt".into(),
            operation: EditOperation::Rename { to: "to.txt".into(), blocks: vec![block("x", "y")] },
        },
    ];
    let changes = run(&[("old.txt", "gone\n"), ("from.txt", "x\n")], &edits).expect("all apply");
    let expected: BTreeMap<String, Option<String>> = [
        ("new.txt".to_owned(), Some("one\ntwo\n".to_owned())),
        ("old.txt".to_owned(), None),
        ("from.txt".to_owned(), None),
        ("to.txt".to_owned(), Some("y\n".to_owned())),
    ]
    .into();
    assert_eq!(changes.files, expected);
}

#[test]
fn a_file_in_the_way_is_stale_and_the_same_file_is_already_applied() {
    let create = |text: &str| [FileEdit { file: "a.txt".into(), operation: EditOperation::Create(text.into()) }];
    let code = |text: &str| run(&[("a.txt", "x\n")], &create(text)).expect_err("the file exists")[0].code;
    assert_eq!((code("x"), code("y")), (FailureCode::AlreadyApplied, FailureCode::Stale));
}

#[test]
fn an_edit_outside_the_scope_is_refused_before_it_is_looked_at() {
    let texts = texts(&[("a.txt", "a\n")]);
    let edits = [replace("a.txt", vec![block("a", "b")]), replace("../x", vec![block("a", "b")])];
    let message =
        Message { texts: &texts, edits: &edits, in_scope: &|path| path != "a.txt", preimages: &BTreeMap::new() };
    let failures = apply(&message).expect_err("neither is in scope");
    let codes: Vec<_> = failures.iter().map(|failure| (failure.file.as_str(), failure.code)).collect();
    assert_eq!(codes, [("a.txt", FailureCode::OutOfScope), ("../x", FailureCode::OutOfScope)]);
}

#[test]
fn a_file_that_changed_since_it_was_read_is_stale_not_missing() {
    let texts = texts(&[("a.txt", "now\n")]);
    let preimages = BTreeMap::from([("a.txt".to_owned(), sha256("before\n"))]);
    let edits = [replace("a.txt", vec![block("before", "after")])];
    let failures = apply(&Message { texts: &texts, edits: &edits, in_scope: &|_| true, preimages: &preimages })
        .expect_err("stale");
    assert_eq!(failures[0].code, FailureCode::Stale);
}

#[test]
fn an_edit_that_breaks_the_syntax_is_rolled_back() {
    let edits = [replace("a.rs", vec![block("fn b() {}", "fn b( {}")])];
    let failures = run(&[("a.rs", "fn a() {}\nfn b() {}\n")], &edits).expect_err("a bracket is missing");
    assert_eq!((failures[0].code, failures[0].candidates.clone()), (FailureCode::Syntax, vec![2]));
}

#[test]
fn a_failure_shows_the_nearest_lines_and_the_first_difference() {
    let text = "fn a() {\n    one();\n    two();\n}\nfn b() {\n    three();\n}\n";
    let edits = [replace("a.txt", vec![block("fn a() {\n    one();\n    zwei();\n}", "x")])];
    let failure = run(&[("a.txt", text)], &edits).expect_err("no such lines").remove(0);
    insta::assert_snapshot!(failure.to_string(), @r"
    NOT_FOUND: a.txt, block 1: the search text stands nowhere in the file
      first difference at line 3:
        the edit expects      zwei();
        the file has          two();
          1 | fn a() {
          2 |     one();
          3 |     two();
          4 | }
          5 | fn b() {
          6 |     three();
          7 | }
    ");
}

#[test]
fn an_ambiguous_failure_lists_the_lines() {
    let edits = [replace("a.txt", vec![block("a", "x")])];
    let failure = run(&[("a.txt", "a\nb\na\n")], &edits).expect_err("two places").remove(0);
    assert_eq!(failure.candidates, [1, 3]);
}

#[test]
fn a_model_is_told_every_reason_what_to_do_and_what_not_to_send_again() {
    let edits = [
        replace("a.txt", vec![block("one", "two"), block("x", "y")]),
        replace("b.txt", vec![block("gone", "done"), block("only in a", "z")]),
    ];
    let files = [("a.txt", "x\nfirst\nx\nonly in a\n"), ("b.txt", "before\ndone\n")];
    let failures = run(&files, &edits).expect_err("none applies");
    insta::assert_snapshot!(explain_to_model(&failures));
}

#[test]
fn a_long_line_is_shown_cut() {
    let text = format!("const a = \"{}\";\n", "x".repeat(5000));
    let failure = run(&[("a.txt", &text)], &[replace("a.txt", vec![block("const a = 1;", "const a = 2;")])]);
    let shown = failure.expect_err("another text").remove(0).to_string();
    assert!(shown.len() < 1000 && shown.contains("bytes more"), "{shown}");
}

#[test]
fn a_whole_file_that_lost_most_of_its_lines_is_refused() {
    let text: String = (0..40).map(|line| format!("line {line}\n")).collect();
    let whole = |new: &str| {
        run(&[("a.txt", &text)], &[FileEdit { file: "a.txt".into(), operation: EditOperation::Whole(new.into()) }])
    };
    assert_eq!(whole("line 1\nline 2\n").expect_err("most is gone")[0].code, FailureCode::Malformed);
    assert!(whole(&text.lines().take(25).collect::<Vec<_>>().join("\n")).is_ok());
}

/// Lines of few letters, so that repeats, near misses and indents all happen.
fn any_text() -> impl Strategy<Value = String> {
    let line = prop_oneof!["[ab]{0,3}", "[ \t]{0,4}[abc]{1,2}[ ]{0,2}", "[“”\"'—-]{0,3}"];
    (prop::collection::vec((line, prop_oneof![Just("\n"), Just("\r\n")]), 0..12), any::<bool>()).prop_map(
        |(lines, open)| {
            let mut text: String = lines.into_iter().flat_map(|(line, ending)| [line, ending.to_owned()]).collect();
            if open && text.ends_with('\n') {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            text
        },
    )
}

proptest! {
    #[test]
    fn no_edit_panics_and_a_failed_one_changes_nothing(
        text in any_text(), blocks in prop::collection::vec((any_text(), any_text()), 1..4)
    ) {
        let blocks: Vec<Block> = blocks.iter().map(|(search, replacement)| block(search, replacement)).collect();
        let edits = [replace("a.txt", blocks.clone())];
        match run(&[("a.txt", &text)], &edits) {
            Ok(changes) => prop_assert_eq!(changes.placed.len(), blocks.len()),
            Err(failures) => prop_assert!(!failures.is_empty()),
        }
    }

    #[test]
    fn what_was_unique_is_replaced_and_everything_else_keeps_its_bytes(
        before in "[a-f\n]{0,30}", after in "[a-f\n]{0,30}", replacement in "[g-z]{1,5}(\n[g-z]{1,5}){0,2}"
    ) {
        let text = format!("{before}\nUNIQUE one\nUNIQUE two\n{after}");
        let (changed, rung) = one(&text, "UNIQUE one\nUNIQUE two", &replacement).expect("the lines stand there once");
        prop_assert_eq!(rung, Rung::Exact);
        prop_assert_eq!(changed, format!("{before}\n{replacement}\n{after}"));
    }

    #[test]
    fn a_bent_search_makes_the_same_text_as_the_exact_one(indent in "[ ]{0,6}", trailing in "[ ]{0,3}") {
        let text = "start\n        call(1);\n            call(2);\n        end\nstop\n";
        let bend = |lines: [&str; 3]| lines.map(|line| format!("{indent}{line}{trailing}")).join("\n");
        let search = bend(["call(1);", "    call(2);", "end"]);
        let replacement = ["call(1);", "    other(2);", "end"].map(|line| format!("{indent}{line}")).join("\n");
        let (changed, _) = one(text, &search, &replacement).expect("the shift is uniform");
        prop_assert_eq!(changed, "start\n        call(1);\n            other(2);\n        end\nstop\n");
    }

    #[test]
    fn the_same_edit_twice_is_already_applied(replacement in "[g-z]{1,8}") {
        let text = "a\nb\nc\n";
        let (changed, _) = one(text, "b", &replacement).expect("it stands there once");
        prop_assert_eq!(one(&changed, "b", &replacement), Err(FailureCode::AlreadyApplied));
    }
}
