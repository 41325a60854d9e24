//! llama.cpp's own server, from a wheel of 34 MB, with a model that is noise: held to a schema, it answers in the form that was asked for.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::servers::{Running, free_port};
use super::{ledger, program, python, shop};

#[test]
#[ignore = "needs Python 3 and a package registry"]
fn an_audit_by_a_model_on_llama_cpp_has_answers_of_the_right_form_and_a_cache() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = free_port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/llama_cpp.py");
    let mut command = Command::new(python("llama-cpp", "llama_cpp.txt"));
    command.arg(script).arg(folder.path()).arg(port.to_string());
    let server = Running::start(&mut command, port, "/health");
    let repository = shop();
    let output = program(repository.path())
        .args(["audit", "--effort", "quick", "--format", "json", "--planner", "llama-cpp/noise.gguf"])
        .env("LLAMA_CPP_BASE_URL", server.url())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = document["findings"].as_array().expect("a list");
    assert!(
        findings.iter().any(|finding| finding["rule"] == "n-plus-one"),
        "what the rules found is there: {document}"
    );
    let lines = ledger(repository.path());
    let purposes: Vec<&str> = lines.iter().filter_map(|line| line["purpose"].as_str()).collect();
    assert_eq!(purposes, ["lens security", "lens bug", "vet"], "nothing had to be asked again: {lines:?}");
    assert!(lines.iter().all(|line| line["outcome"] == "end"), "{lines:?}");
    let tokens = |line: usize, class: &str| lines[line]["usage"][class].as_u64().unwrap_or_default();
    assert_eq!(tokens(0, "cache_read"), 0);
    assert!(tokens(1, "cache_read") > tokens(1, "fresh"), "what both lenses are told is read once: {lines:?}");
}
