//! `improve map` and its questions, on a repository built for the purpose.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use common::{git, write};

const FILES: [(&str, &str); 6] = [
    ("package.json", "{ \"name\": \"shop\", \"main\": \"src/index.ts\" }\n"),
    (
        "src/index.ts",
        "import { Orders } from './orders';\nexport function main() {\n  return new Orders().load('1');\n}\nmain();\n",
    ),
    (
        "src/orders.ts",
        "import { read } from './path/store';\nexport class Orders {\n  load(id: string) {\n    return read(id);\n  }\n}\n",
    ),
    ("src/path/store.ts", "export function read(id: string) {\n  return JSON.parse(id);\n}\nfunction unused() {}\n"),
    ("src/other.ts", "export function read(text: string) {\n  return anything.load(text);\n}\n"),
    (
        "test/orders.test.ts",
        "import { Orders } from '../src/orders';\nfunction check() {\n  new Orders().load('2');\n}\ntest('loads', check);\n",
    ),
];

fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

fn map(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_improve"))
        .arg("map")
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("IMPROVE_CACHE_DIR", folder.join(".git/cache"))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", said(output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", said(output), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn callers_say_which_calls_stayed_open() {
    let shop = shop();
    let answer = json(&map(shop.path(), &["callers", "Orders.load", "--format", "json"]));
    let calls: Vec<_> =
        answer["calls"].as_array().expect("a list").iter().map(|call| (&call["file"], &call["line"])).collect();
    assert_eq!(serde_json::json!(calls), serde_json::json!([["src/index.ts", 3], ["test/orders.test.ts", 3]]));
    assert_eq!(answer["open"], 1);
    let page = said(&map(shop.path(), &["callers", "unused"]));
    assert!(page.contains("no callers, and no call of this name stayed open"), "{page}");
}

#[test]
fn a_path_names_each_step() {
    let shop = shop();
    let page = said(&map(shop.path(), &["path", "main", "src/path/store.ts#read"]));
    let lines: Vec<&str> = page.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
    assert_eq!(lines, ["src/index.ts:2", "src/index.ts:3", "src/orders.ts:4"], "{page}");
    let page = said(&map(shop.path(), &["path", "unused", "main"]));
    assert!(page.contains("no way along known calls"), "{page}");
}

#[test]
fn an_ambiguous_name_lists_candidates_that_can_be_asked_for_and_a_slip_gets_a_hint() {
    let shop = shop();
    let text = refused(&map(shop.path(), &["callers", "read"]));
    assert!(text.contains("src/other.ts#read") && text.contains("src/path/store.ts#read"), "{text}");
    assert!(refused(&map(shop.path(), &["callers", "Orders.laod"])).contains("did you mean `Orders.load`?"));
    assert!(refused(&map(shop.path(), &["calers"])).contains("did you mean `improve map callers`?"));
}

#[test]
fn a_symbol_knows_its_tests_and_refs_tell_certain_from_open() {
    let shop = shop();
    let answer = json(&map(shop.path(), &["symbol", "src/orders.ts:3", "--format", "json"]));
    assert_eq!(answer[0]["definition"]["name"], "Orders.load");
    assert_eq!(answer[0]["container"], "Orders");
    assert_eq!(answer[0]["tests"][0]["file"], "test/orders.test.ts");
    let rows = said(&map(shop.path(), &["refs", "Orders.load", "--format", "jsonl"]));
    let kinds: Vec<Value> =
        rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["kind"].clone()).collect();
    assert_eq!(kinds, ["call", "open", "call"]);
    let page = said(&map(shop.path(), &["refs", "Orders"]));
    assert!(page.contains("src/index.ts:1") && page.contains("import"), "{page}");
}

#[test]
fn handlers_that_are_registered_by_name_are_found_where_they_are_registered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        ("package.json", "{ \"name\": \"api\" }\n"),
        ("src/list.ts", "export function list(req, res) {\n  res.json([]);\n}\n"),
        (
            "src/app.ts",
            "import express from 'express';\nimport { list } from './list';\nconst app = express();\napp.get('/', list);\n",
        ),
    ];
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    let answer = json(&map(folder.path(), &["callers", "list", "--format", "json"]));
    assert_eq!((&answer["calls"], &answer["handed"]), (&serde_json::json!([]), &serde_json::json!(1)));
    let page = said(&map(folder.path(), &["callers", "list"]));
    assert!(page.contains("no known callers") && page.contains("given by name to 1 call"), "{page}");
    let rows = said(&map(folder.path(), &["refs", "list"]));
    assert!(rows.contains("src/app.ts:4") && rows.contains("given to a call in <module>"), "{rows}");
}

#[test]
fn files_left_out_are_listed_with_the_reason_and_give_no_definitions() {
    let shop = shop();
    let bundle = "function bundled(){return 1}\n";
    write(shop.path(), ".yarn/releases/yarn-4.1.0.cjs", bundle);
    write(shop.path(), ".pnp.cjs", bundle);
    write(shop.path(), "public/vendor/jquery.js", bundle);
    write(shop.path(), "public/app.js", &format!("{}\n", "function bundled(){return 1};".repeat(200)));
    write(shop.path(), "src/table.ts", &"export function bundled() {}\n".repeat(40_000));
    git(shop.path(), &["add", "-A"]);
    git(shop.path(), &["commit", "-q", "-m", "bundles"]);
    let document = json(&map(shop.path(), &["--format", "json"]));
    assert_eq!(document["skipped"], serde_json::json!({ "vendored": 3, "minified": 1, "too-large": 1 }));
    let page = said(&map(shop.path(), &[]));
    assert!(page.contains("3 vendored · 1 minified · 1 too large"), "{page}");
    let files = said(&map(shop.path(), &["--files", "--format", "jsonl"]));
    let reason = |path: &str| {
        let rows = files.lines().map(|row| serde_json::from_str::<Value>(row).expect("JSON"));
        rows.filter(|row| row["path"] == path).map(|row| row["skipped"].clone()).next()
    };
    for (path, expected) in [
        (".yarn/releases/yarn-4.1.0.cjs", "vendored"),
        (".pnp.cjs", "vendored"),
        ("public/vendor/jquery.js", "vendored"),
        ("public/app.js", "minified"),
        ("src/table.ts", "too-large"),
    ] {
        assert_eq!(reason(path), Some(Value::from(expected)), "{path}");
    }
    let page = said(&map(shop.path(), &["--files"]));
    assert!(page.contains("(vendored: copied from elsewhere)") && page.contains("(over the size limit)"), "{page}");
    assert!(!said(&map(shop.path(), &["--symbols"])).contains("bundled"));
}

#[test]
fn a_folder_named_like_a_question_is_reached_with_its_path() {
    let shop = shop();
    let page = said(&map(&shop.path().join("src"), &["./path", "--symbols"]));
    assert!(page.starts_with("src/path/store.ts"), "{page}");
}

#[test]
fn the_folders_are_a_graph_for_two_programs() {
    let shop = shop();
    let dot = said(&map(shop.path(), &["--format", "dot"]));
    assert!(dot.starts_with("digraph") && dot.contains("\"src\" -> \"src/path\" [label=\"2\"]"), "{dot}");
    let mermaid = said(&map(shop.path(), &["--format", "mermaid"]));
    assert!(mermaid.starts_with("flowchart") && mermaid.contains("-->|2|"), "{mermaid}");
}

#[test]
fn what_fits_a_number_of_tokens_is_a_document_too() {
    let shop = shop();
    let output = map(shop.path(), &["--tokens", "400", "--format", "json"]);
    assert!(said(&output).len() <= 400 * 3, "{}", said(&output));
    let document = json(&output);
    assert_eq!(document["tokens"], 400);
    assert!(document["files"]["src"]["orders.ts"].is_object(), "{document}");
    assert!(refused(&map(shop.path(), &["--tokens", "400", "--format", "dot"])).contains("dot"));
}

#[test]
fn a_focus_is_a_path_a_definition_or_what_differs_from_head() {
    let shop = shop();
    assert!(refused(&map(shop.path(), &["--focus", "diff"])).contains("no source file differs from HEAD"));
    std::fs::write(shop.path().join("src/other.ts"), "export function read() {}\n").expect("the folder is ours");
    for (focus, file) in [("diff", "other.ts"), ("src/path", "store.ts"), ("Orders.load", "orders.ts")] {
        let page = said(&map(shop.path(), &["--focus", focus, "--tokens", "300"]));
        assert!(page.lines().any(|line| line.starts_with(&format!(" {file}  <- focus"))), "{focus}: {page}");
    }
}
