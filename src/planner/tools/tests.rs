//! What a model gets for good questions, and for bad ones.

use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::map::{self, MapOptions};
use crate::plan::lint::tests::MemoryTree;
use crate::progress::NoProgress;
use crate::repo_map::history::{CoChange, CoChangePair};
use crate::repo_map::{SkipReason, SkippedFile};

const ORDERS: &str = "import { log } from './log';\n\nexport class Orders {\n  /** Loads one order. */\n  load(id: number) {\n    log(id);\n    return fetch('/orders/' + id);\n  }\n}\n\nexport function start(orders: Orders, other: any) {\n  other.load(2);\n  return orders.load(1);\n}\n";

fn key() -> String {
    let head = ["-----BEGIN RSA PRIVATE", "KEY-----"].join(" ");
    let tail = ["-----END RSA PRIVATE", "KEY-----"].join(" ");
    let line = "MIIEowIBAAKCAQEAq7x9ZsW3eDcVfRtGbNhYuJmKiLoPaQzXsWdEcRfVtGbYhNuJ";
    format!("const key = `{head}\n{line}\n{line}\n{tail}`;\nafter();\n")
}

static TREE: LazyLock<MemoryTree> = LazyLock::new(|| {
    let long: String = (1..=900).map(|number| format!("export const value{number} = {number};\n")).collect();
    MemoryTree::of(&[
        ("README.md", "# Shop\n"),
        ("src/key.ts", &key()),
        ("src/log.ts", "export function log(value: unknown) {\n  console.log(value);\n}\n"),
        ("src/long.ts", &long),
        ("src/orders.ts", ORDERS),
    ])
});

static MAP: LazyLock<RepoMap> = LazyLock::new(|| {
    let mut map =
        map::build(&*TREE, &MapOptions::default(), &Default::default(), None, &NoProgress).expect("it is in memory");
    let (log, orders) =
        (map.file_by_path("src/log.ts").expect("there").0, map.file_by_path("src/orders.ts").expect("there").0);
    map.files[orders as usize].history =
        crate::repo_map::FileHistory { churn_90d: 7, last_change: Some(1_700_000_000), authors: 2 };
    map.co_change = CoChange {
        pairs: vec![CoChangePair { one: log.min(orders), other: log.max(orders), together: 4, strength: 0.5 }],
    };
    map.skipped = vec![
        SkippedFile { path: "link.ts".into(), reason: SkipReason::Symlink },
        SkippedFile { path: "logo.png".into(), reason: SkipReason::Binary },
    ];
    map
});

fn desk() -> ReadTools<'static> {
    ReadTools::new(&MAP, &*TREE)
}

/// Each question with its answer.
fn answers(questions: &[(&str, Value)]) -> String {
    let answer = |(tool, input): &(&str, Value)| {
        let said = desk().call(tool, input).unwrap_or_else(|why| format!("REFUSED {why}"));
        format!("> {tool} {input}\n{said}\n")
    };
    questions.iter().map(answer).collect()
}

#[test]
fn a_model_is_told_of_every_tool_in_the_strict_dialect() {
    let told: Vec<Value> = tools()
        .into_iter()
        .map(|tool| json!({"name": tool.name, "description": tool.description, "input": tool.input}))
        .collect();
    insta::assert_json_snapshot!(told);
}

#[test]
fn every_tool_answers() {
    let said = answers(&[
        ("read", json!({"path": "./src/orders.ts", "start_line": 3, "end_line": 5})),
        ("read", json!({"path": "src/key.ts"})),
        ("read", json!({"path": "src/log.ts", "start_line": 0, "end_line": 900})),
        ("search", json!({"pattern": "load(", "path_prefix": "src/"})),
        ("search", json!({"pattern": "/orders\\.load\\(\\d\\)/", "path_prefix": null})),
        ("search", json!({"pattern": "/load(/", "path_prefix": null})),
        ("search", json!({"pattern": "/\\bexport\\s+[\\w-]+ \\w+\\W(\\w+\\s*){0,20}:/", "path_prefix": null})),
        ("symbol", json!({"name": "Orders.load"})),
        ("symbol", json!({"name": "log"})),
        ("callers", json!({"symbol": "Orders.load"})),
        ("callers", json!({"symbol": "log"})),
        ("callees", json!({"symbol": "Orders.load"})),
        ("callees", json!({"symbol": "start"})),
        ("history", json!({"path": "src/orders.ts"})),
        ("history", json!({"path": "src/log.ts"})),
        ("list", json!({"path": null})),
        ("list", json!({"path": "src/"})),
        ("list", json!({"path": "src/log.ts"})),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn a_bad_question_is_answered_with_what_helps_to_ask_again() {
    let said = answers(&[
        ("read", json!({"path": "orders.ts"})),
        ("read", json!({"path": "src/ordres.ts"})),
        ("read", json!({"path": "/home/me/shop/src/orders.ts"})),
        ("read", json!({"path": "../shop/src/orders.ts"})),
        ("read", json!({"path": "src\\orders.ts"})),
        ("read", json!({"path": ".git/config"})),
        ("read", json!({"path": "src"})),
        ("read", json!({"path": ""})),
        ("read", json!({"path": "link.ts"})),
        ("read", json!({"path": "logo.png"})),
        ("read", json!({"path": "src/log.ts", "start_line": 4})),
        ("read", json!({"path": "src/log.ts", "start_line": 3, "end_line": 2})),
        ("read", json!({"path": "src/log.ts", "start_line": -1})),
        ("read", json!({"file": "src/log.ts"})),
        ("read", json!("src/log.ts")),
        ("search", json!({"pattern": ""})),
        ("search", json!({"pattern": "a\nb"})),
        ("search", json!({"pattern": "log", "path_prefix": "lib/"})),
        ("search", json!({"pattern": "/(\\w{1,500}){1,500}/"})),
        ("search", json!({"pattern": "nowhere to be found"})),
        ("symbol", json!({"name": "lod"})),
        ("symbol", json!({"name": "  "})),
        ("callers", json!({"symbol": "nothing like it"})),
        ("history", json!({"path": "README.md"})),
        ("list", json!({"path": "lib"})),
        ("shell", json!({"command": "ls"})),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn a_long_file_comes_in_parts_that_say_what_is_left() {
    let mut desk = desk();
    let text = desk.call("read", &json!({"path": "src/long.ts"})).expect("it is there");
    assert!(text.starts_with("src/long.ts, lines 1 to 400 of 900\n  1| export const value1 = 1;\n"), "{text}");
    assert!(text.ends_with("(500 lines left: go on with start_line 401)\n"), "{text}");
    let text = desk.call("read", &json!({"path": "src/long.ts", "start_line": 801})).expect("it is there");
    assert!(text.ends_with("900| export const value900 = 900;\n"), "{text}");
    let text = desk.call("search", &json!({"pattern": "value"})).expect("it is there");
    assert!(text.contains("(852 more in 2 files; narrow"), "{text}");
}

#[test]
fn a_masked_key_shifts_no_line_and_no_pattern_finds_it() {
    let mut desk = desk();
    let text = desk.call("read", &json!({"path": "src/key.ts", "start_line": 3})).expect("it is there");
    assert!(!text.contains("MIIE") && text.contains("5| after();"), "{text}");
    let found = desk.call("search", &json!({"pattern": "MIIEow"})).expect("it is a question");
    assert!(found.starts_with("no line"), "{found}");
}

/// Inputs that nobody should send.
fn hostile() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "/",
        "//",
        "///",
        ".",
        "..",
        "./",
        "~",
        "~/x",
        "C:\\x",
        "c:",
        ":",
        "#",
        "a#",
        "#a",
        "a:",
        ":1",
        "a:0",
        "a:4294967296",
        "src/orders.ts:0",
        "src/orders.ts:4294967295",
        "src/orders.ts#",
        "::",
        "...",
        "\0",
        "\u{202e}",
        "é",
        "é:1",
        "🦀#🦀",
        "/(/",
        "/[/",
        "/()/",
        "/a{999999}/",
        "/(?i)É/",
        "/^$/",
        "/\\b/",
        "[secret:token]",
        "src/../src/orders.ts",
        ".git",
        ".GIT/config",
        "src/.git/x",
    ];
    let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    values.push(json!("x".repeat(100_000)));
    values.push(json!("../".repeat(10_000)));
    values.extend([json!(null), json!(0), json!(-1), json!(1e300), json!([]), json!({}), json!(true), json!(u64::MAX)]);
    values
}

#[test]
fn no_input_ends_the_program_and_every_refusal_is_one_line() {
    let mut desk = desk();
    for value in hostile() {
        for tool in &READ_TOOLS {
            for input in [
                value.clone(),
                json!({"path": value, "pattern": value, "path_prefix": value, "name": value, "symbol": value}),
                json!({"path": "src/log.ts", "start_line": value, "end_line": value, "pattern": "log", "path_prefix": value}),
                json!({"path": "src/log.ts", "start_line": u32::MAX, "end_line": 0}),
            ] {
                match desk.call(tool.name, &input) {
                    Ok(text) => assert!(text.chars().count() <= MAX_CHARACTERS, "{} {input}", tool.name),
                    Err(why) => {
                        assert!(!why.is_empty() && !why.contains('\n') && why.len() < 9_000, "{} {why}", tool.name)
                    }
                }
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_ends_the_program(text in "(?s).{0,40}") {
        let mut desk = desk();
        for tool in &READ_TOOLS {
            let _ = desk.call(tool.name, &json!({"path": text, "pattern": text, "path_prefix": text, "name": text, "symbol": text}));
            let _ = desk.call(tool.name, &json!({"path": null, "pattern": format!("/{text}/"), "path_prefix": null}));
        }
    }
}
