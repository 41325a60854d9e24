//! A server that is not ours: LiteLLM's proxy, which answers by itself. It takes about a minute to install (700 MB) and ten seconds to
//! start, so CI leaves it out.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::servers::{Running, free_port};
use super::{ledger, program, python, shop};

/// Any key will do, and the proxy starts with none but a long one.
const KEY: &str = "sk-0123456789abcdef0123456789abcdef0123456789abcdef";

fn proxy() -> Running {
    let python = python("gateway", "gateway.txt");
    let port = free_port();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/gateway.yaml");
    let mut command = Command::new(python.with_file_name("litellm"));
    command.arg("--config").arg(settings).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    // Prices come with the package; the table on the network is not asked.
    command.env("LITELLM_MASTER_KEY", KEY).env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    Running::start(&mut command, port, "/health/liveliness")
}

#[test]
#[ignore = "needs Python 3 and a package registry, and takes minutes"]
fn an_audit_goes_through_a_gateway_of_somebody_else() {
    let proxy = proxy();
    let repository = shop();
    let improve = |arguments: &[&str]| {
        program(repository.path())
            .args(arguments)
            .args(["--planner", "litellm/some-model", "--verifier", "none"])
            .env("LITELLM_API_KEY", KEY)
            .env("LITELLM_BASE_URL", proxy.url())
            .output()
            .expect("the program starts")
    };
    let doctor = improve(&["doctor", "--format", "json"]);
    let doctor: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    let planner = &doctor["roles"][0];
    assert_eq!((&planner["model"], &planner["state"]), (&"litellm/some-model".into(), &"reachable".into()), "{doctor}");
    let audit = improve(&["audit", "--effort", "quick", "--format", "json"]);
    assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stderr));
    let document: Value = serde_json::from_slice(&audit.stdout).expect("JSON");
    assert_eq!(document["planner"], "litellm/some-model");
    let lines = ledger(repository.path());
    assert!(lines.len() >= 3, "two lenses and a judgement: {lines:?}");
    for line in lines {
        assert_eq!((&line["outcome"], &line["answered_by"]), (&"end".into(), &"some-model".into()), "{line}");
        assert!(line["usage"]["fresh"].as_u64().is_some_and(|tokens| tokens > 0), "it counts, in a stream too: {line}");
    }
}
