//! `--sarif-in`: what other tools found is weighed, kept apart and planned as our own findings are.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use alone::{command, json, run, stderr, stdout};
use common::{git, write};

const LIB: &str = "\
//! Sums.

/// Adds.
pub fn add(left: u32, right: u32) -> u32 {
    return left + right;
}

/// Joins.
pub fn join(parts: Vec<String>) -> String {
    parts.join(\",\")
}
";

const SERVER: &str = "\
import { createHash } from 'node:crypto'

export function digest(text: string) {
  return createHash('md5').update(text).digest('hex')
}
";

const WORKFLOW: &str = "\
name: ci
on: [pull_request]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: cargo test
";

/// A crate, a package and a workflow.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    write(root, "Cargo.toml", "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write(
        root,
        "package.json",
        "{ \"name\": \"shop\", \"scripts\": { \"test\": \"vitest run\" }, \"devDependencies\": { \"vitest\": \"3.0.0\" } }\n",
    );
    write(root, "src/lib.rs", LIB);
    write(root, "src/server.ts", SERVER);
    write(root, ".github/workflows/ci.yml", WORKFLOW);
    write(root, ".gitignore", "*.sarif\n");
    git(root, &["init", "-q", "-b", "main"]);
    commit(root, "first");
    folder
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", message]);
}

/// As semgrep writes it: rules with tags, a message that may be long, the line as a snippet.
fn semgrep() -> Value {
    let rule = "javascript.node-crypto.security.weak-hash.weak-hash";
    json!({
        "version": "2.1.0",
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "runs": [{
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": [] }],
            "tool": { "driver": { "name": "Semgrep OSS", "semanticVersion": "1.130.0", "rules": [{
                "id": rule,
                "name": rule,
                "defaultConfiguration": { "level": "warning" },
                "shortDescription": { "text": format!("Semgrep Finding: {rule}") },
                "help": { "text": "A hash that collides says nothing of what was hashed." },
                "helpUri": "https://semgrep.dev/r/weak-hash",
                "properties": { "precision": "very-high", "tags": ["CWE-328: Use of Weak Hash", "MEDIUM CONFIDENCE", "security"] },
            }] } },
            "results": [{
                "ruleId": rule,
                "fingerprints": { "matchBasedId/v1": "requires login" },
                "message": { "text": "MD5 is used as a hash. It collides." },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/server.ts", "uriBaseId": "%SRCROOT%" },
                    "region": {
                        "startLine": 4, "startColumn": 10, "endLine": 4, "endColumn": 27,
                        "snippet": { "text": "  return createHash('md5').update(text).digest('hex')" },
                    },
                } }],
                "properties": {},
            }],
        }],
    })
}

/// As clippy-sarif writes it: no rule id and no level of the rule, a result for each span; with a fix as newer ones may have.
fn clippy() -> Value {
    let region = json!({ "startLine": 5, "startColumn": 5, "endLine": 5, "endColumn": 24 });
    let place = json!({ "artifactLocation": { "uri": "src/lib.rs" }, "region": region });
    json!({ "version": "2.1.0", "runs": [{
        "tool": { "driver": { "name": "clippy" } },
        "results": [
            {
                "level": "warning",
                "message": { "id": "clippy::needless_return", "text": "unneeded `return` statement" },
                "locations": [{ "physicalLocation": place }],
                "fixes": [{ "artifactChanges": [{
                    "artifactLocation": { "uri": "src/lib.rs" },
                    "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "left + right" } }],
                }] }],
            },
            {
                "level": "warning",
                "message": { "id": "clippy::needless_pass_by_value", "text": "this argument is passed by value, but not consumed" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/lib.rs" }, "region": { "startLine": 9, "startColumn": 20, "endLine": 9, "endColumn": 31 },
                } }],
            },
            { "level": "error", "message": { "text": "aborting" }, "locations": [] },
        ],
    }] })
}

/// As zizmor writes it: its name in the rule's id, its own severity and confidence, annotations as a code flow of one place.
fn zizmor() -> Value {
    let place = json!({
        "message": { "text": "does not set persist-credentials: false" },
        "logicalLocations": [{ "properties": { "symbolic": { "annotation": "x", "key": { "Local": {} } } } }],
        "physicalLocation": {
            "artifactLocation": { "uri": ".github/workflows/ci.yml" },
            "region": {
                "startLine": 7, "startColumn": 9, "endLine": 7, "endColumn": 34, "sourceLanguage": "yaml",
                "snippet": { "text": "uses: actions/checkout@v4" },
            },
        },
    });
    let result = |id: &str, text: &str, severity: &str| {
        json!({
            "ruleId": id, "kind": "fail", "level": "warning", "message": { "text": text }, "locations": [place],
            "codeFlows": [{ "threadFlows": [{ "locations": [{ "importance": "essential", "location": place }] }] }],
            "properties": { "zizmor/confidence": "High", "zizmor/persona": "Regular", "zizmor/severity": severity },
        })
    };
    json!({ "version": "2.1.0", "runs": [{
        "tool": { "driver": {
            "name": "zizmor", "semanticVersion": "1.32.0",
            "rules": [{ "id": "zizmor/artipacked", "name": "artipacked", "properties": { "tags": ["security"] } }],
        } },
        "results": [
            result("zizmor/artipacked", "credential persistence: does not set persist-credentials", "Medium"),
            result("zizmor/ref-version-mismatch", "hash and comment differ", "Low"),
        ],
    }] })
}

fn given(root: &Path, name: &str, log: &Value) {
    write(root, name, &log.to_string());
}

/// Findings of other tools, by rule: document and exit code of an audit.
fn audit(root: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = ["audit", "--effort", "deep", "--format", "json"].iter().chain(args).copied().collect();
    json(&run(root, &args))
}

fn rules(findings: &Value) -> Vec<&str> {
    let all = findings.as_array().expect("findings").iter().filter_map(|it| it["rule"].as_str());
    let mut rules: Vec<&str> = all.filter(|rule| rule.contains('/')).collect();
    rules.sort_unstable();
    rules
}

fn finding<'a>(document: &'a Value, rule: &str) -> &'a Value {
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().find(|it| it["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {findings:#?}"))
}

#[test]
fn findings_of_three_tools_stand_with_ours() {
    let shop = shop();
    given(shop.path(), "semgrep.sarif", &semgrep());
    given(shop.path(), "clippy.sarif", &clippy());
    given(shop.path(), "zizmor.sarif", &zizmor());
    let files = ["--sarif-in", "semgrep.sarif", "--sarif-in", "clippy.sarif", "--sarif-in", "zizmor.sarif"];
    let document = audit(shop.path(), &files);
    let found = rules(&document["findings"]);
    for rule in [
        "clippy/needless-pass-by-value",
        "clippy/needless-return",
        "semgrep/javascript-node-crypto-security-weak-hash-weak-hash",
        "zizmor/ref-version-mismatch",
    ] {
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
    let folded = document["findings"].as_array().expect("findings").iter().any(|it| {
        it["rule"] == "workflow-persisted-credentials"
            && it["message"].as_str().is_some_and(|text| text.contains("zizmor reports it, too"))
    });
    assert!(folded || found.contains(&"zizmor/artipacked"), "said once, never lost: {found:?}");
    let hash = finding(&document, "semgrep/javascript-node-crypto-security-weak-hash-weak-hash");
    assert_eq!(
        (&hash["category"], &hash["confidence"], &hash["mechanical"]),
        (&json!("security"), &json!("MED"), &json!(false))
    );
    assert_eq!(hash["origin"]["tool"], "Semgrep OSS");
    assert_eq!(hash["origin"]["help_uri"], "https://semgrep.dev/r/weak-hash");
    assert_eq!(hash["evidence"][0]["start_line"], 4);
    assert_eq!(hash["evidence"][0]["quote_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(finding(&document, "clippy/needless-return")["mechanical"], true);
    let left_out = document["not_audited"].to_string();
    assert!(left_out.contains("1 result of clippy") && left_out.contains("name no place"), "{left_out}");
    assert_eq!(rules(&audit(shop.path(), &[])["findings"]), Vec::<&str>::new(), "nothing is remembered");
}

#[test]
fn fingerprints_survive_line_shifts() {
    let shop = shop();
    given(shop.path(), "semgrep.sarif", &semgrep());
    let rule = "semgrep/javascript-node-crypto-security-weak-hash-weak-hash";
    let before = finding(&audit(shop.path(), &["--sarif-in", "semgrep.sarif"]), rule)["fingerprint"].clone();
    write(shop.path(), "src/server.ts", &format!("// One.\n// Two.\n{SERVER}"));
    let stale = audit(shop.path(), &["--sarif-in", "semgrep.sarif"]);
    assert_eq!(rules(&stale["findings"]), Vec::<&str>::new(), "the lines are not what the tool saw");
    assert!(stale["not_audited"].to_string().contains("run the tool again"), "{}", stale["not_audited"]);
    let mut moved = semgrep();
    let region = moved.pointer_mut("/runs/0/results/0/locations/0/physicalLocation/region").expect("a region");
    (region["startLine"], region["endLine"]) = (json!(6), json!(6));
    given(shop.path(), "semgrep.sarif", &moved);
    assert_eq!(finding(&audit(shop.path(), &["--sarif-in", "semgrep.sarif"]), rule)["fingerprint"], before);
}

#[test]
fn comments_rejections_baseline_and_paths_apply_to_them() {
    let shop = shop();
    let root = shop.path();
    given(root, "clippy.sarif", &clippy());
    let with = |args: &[&str]| audit(root, &[&["--sarif-in", "clippy.sarif"], args].concat());
    assert_eq!(rules(&with(&["--exclude", "src"])["findings"]), Vec::<&str>::new());
    assert_eq!(rules(&with(&["src/server.ts"])["findings"]), Vec::<&str>::new());
    let all = with(&[]);
    let id = finding(&all, "clippy/needless-pass-by-value")["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let rejected = run(root, &["reject", &id, "--sarif-in", "clippy.sarif", "--reason", "the API is public"]);
    assert!(rejected.status.success(), "{}", stderr(&rejected));
    assert_eq!(rules(&with(&[])["rejected"]), ["clippy/needless-pass-by-value"]);
    let silenced = LIB.replace(
        "    return left",
        "    // improve-ignore: clippy/needless-return — taught so in our course\n    return left",
    );
    write(root, "src/lib.rs", &silenced);
    let text =
        clippy().to_string().replace("\"startLine\":5", "\"startLine\":6").replace("\"endLine\":5", "\"endLine\":6");
    write(
        root,
        "clippy.sarif",
        &text.replace("\"startLine\":9", "\"startLine\":10").replace("\"endLine\":9", "\"endLine\":10"),
    );
    let document = with(&[]);
    assert_eq!(rules(&document["suppressed"]), ["clippy/needless-return"], "{document:#}");
    write(root, "src/lib.rs", LIB);
    given(root, "clippy.sarif", &clippy());
    let written = run(root, &["audit", "--effort", "deep", "--sarif-in", "clippy.sarif", "--write-baseline"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(rules(&with(&[])["known"]).contains(&"clippy/needless-return"));
}

#[test]
fn plans_are_written_and_pass_the_lint() {
    let shop = shop();
    let root = shop.path();
    given(root, "clippy.sarif", &clippy());
    given(root, "semgrep.sarif", &semgrep());
    let args =
        ["--sarif-in", "clippy.sarif", "--sarif-in", "semgrep.sarif", "--effort", "deep", "--all", "--format", "json"];
    let document = json(&run(root, &args));
    let findings = document["findings"].as_array().expect("findings");
    let theirs: Vec<&Value> = findings.iter().filter(|it| it["origin"].is_object()).collect();
    let plans = document["plans"].as_array().expect("plans");
    for finding in theirs {
        let plan = plans.iter().find(|plan| plan["fingerprint"] == finding["fingerprint"]).expect("a row");
        let path = plan["path"].as_str().unwrap_or_else(|| panic!("{plan:#}"));
        let review = run(root, &["review", "--offline", "--format", "json", path]);
        assert_eq!(json(&review)["problems"], json!([]), "{path}");
        let text = std::fs::read_to_string(root.join(path)).expect("it is written");
        assert_eq!(text.contains("```edit file=src/lib.rs"), finding["rule"] == "clippy/needless-return", "{text}");
    }
}

#[test]
fn our_sarif_of_them_names_the_tool_and_its_pages() {
    let shop = shop();
    given(shop.path(), "semgrep.sarif", &semgrep());
    let log =
        json(&run(shop.path(), &["audit", "--effort", "deep", "--sarif-in", "semgrep.sarif", "--format", "sarif"]));
    let rules = log.pointer("/runs/0/tool/driver/rules").and_then(Value::as_array).expect("rules");
    let rule =
        rules.iter().find(|rule| rule["id"].as_str().is_some_and(|id| id.starts_with("semgrep/"))).expect("theirs");
    assert_eq!(rule["helpUri"], "https://semgrep.dev/r/weak-hash");
    assert_eq!(
        rule["help"]["text"],
        "What Semgrep OSS reports as javascript.node-crypto.security.weak-hash.weak-hash."
    );
    write(shop.path(), "ours.sarif", &log.to_string());
    let again = audit(shop.path(), &["--sarif-in", "ours.sarif"]);
    assert!(
        again["not_audited"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|it| { !it["what"].as_str().is_some_and(|what| what.contains("of improve")) })
    );
}

#[test]
fn on_a_branch_they_came_with_it_where_it_wrote_the_line() {
    let shop = shop();
    let root = shop.path();
    git(root, &["checkout", "-q", "-b", "feature"]);
    write(root, "src/lib.rs", &LIB.replace("parts: Vec<String>", "parts: Vec<String>, _more: u8"));
    commit(root, "more");
    given(root, "clippy.sarif", &clippy());
    given(root, "semgrep.sarif", &semgrep());
    let args =
        ["branch", "--effort", "deep", "--format", "json", "--sarif-in", "clippy.sarif", "--sarif-in", "semgrep.sarif"];
    let document = json(&run(root, &args));
    assert_eq!(finding(&document, "clippy/needless-pass-by-value")["state"], "introduced");
    assert_eq!(finding(&document, "clippy/needless-return")["state"], "pre-existing");
    assert_eq!(
        rules(&document["findings"]),
        ["clippy/needless-pass-by-value", "clippy/needless-return"],
        "the branch did not touch the server"
    );
}

#[test]
fn standard_input_is_read_and_what_is_no_sarif_is_refused() {
    let shop = shop();
    let mut child = command(shop.path(), &["audit", "--effort", "deep", "--sarif-in", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let text = format!("\u{feff}{}", semgrep());
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("it reads");
    let document = json(&child.wait_with_output().expect("it ends"));
    assert_eq!(rules(&document["findings"]), ["semgrep/javascript-node-crypto-security-weak-hash-weak-hash"]);

    write(shop.path(), "no.sarif", "{\"results\":[]}");
    let refused = run(shop.path(), &["audit", "--sarif-in", "no.sarif"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("no.sarif: JSON, but not SARIF"), "{}", stderr(&refused));
    assert!(stdout(&refused).is_empty());
    let missing = run(shop.path(), &["audit", "--sarif-in", "gone.sarif"]);
    assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
    let twice = run(shop.path(), &["audit", "--sarif-in", "-", "--sarif-in", "-"]);
    assert!(stderr(&twice).contains("given twice"), "{}", stderr(&twice));
}
