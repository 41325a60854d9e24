//! A server that is not ours: LiteLLM's proxy, which answers by itself. It takes about a minute to install (700 MB) and ten seconds to
//! start, so CI leaves it out.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{program, python, shop};

/// Any key will do, and the proxy starts with none but a long one.
const KEY: &str = "sk-0123456789abcdef0123456789abcdef0123456789abcdef";

/// The proxy; it ends with the value.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start() -> Proxy {
        let python = python("gateway", "gateway.txt");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("loopback is there").port();
        let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/gateway.yaml");
        let child = Command::new(python.with_file_name("litellm"))
            .arg("--config")
            .arg(settings)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .env("LITELLM_MASTER_KEY", KEY)
            // Prices come with the package; the table on the network is not asked.
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        let proxy = Proxy { child, port };
        let began = Instant::now();
        while !proxy.is_up() {
            assert!(began.elapsed() < Duration::from_secs(120), "the proxy does not start");
            std::thread::sleep(Duration::from_millis(500));
        }
        proxy
    }

    fn is_up(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /health/liveliness HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs Python 3 and a package registry, and takes minutes"]
fn an_audit_goes_through_a_gateway_of_somebody_else() {
    let proxy = Proxy::start();
    let repository = shop();
    let improve = |arguments: &[&str]| {
        program(repository.path())
            .args(arguments)
            .args(["--planner", "litellm/some-model", "--verifier", "none"])
            .env("LITELLM_API_KEY", KEY)
            .env("LITELLM_BASE_URL", format!("http://127.0.0.1:{}/v1", proxy.port))
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
    let ledger = std::fs::read_to_string(repository.path().join(".git/improve/ledger.jsonl")).expect("calls were made");
    let lines: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() >= 3, "two lenses and a judgement: {ledger}");
    for line in lines {
        assert_eq!((&line["outcome"], &line["answered_by"]), (&"end".into(), &"some-model".into()), "{line}");
        assert!(line["usage"]["fresh"].as_u64().is_some_and(|tokens| tokens > 0), "it counts, in a stream too: {line}");
    }
}
