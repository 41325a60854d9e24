//! The program against what is not ours: the types of the vendors' own Python SDKs, llama.cpp's server, a gateway. Needs a package
//! registry, so it runs when asked: `cargo test --test conformance -- --ignored the_vendors_own_types llama_cpp` as CI does, or
//! `… --ignored gateway` or `… --ignored agent_clis`.

#[path = "conformance/agents.rs"]
mod agents;
#[path = "conformance/batches.rs"]
mod batches;
mod common;
#[path = "conformance/gateway.rs"]
mod gateway;
#[path = "conformance/llama_cpp.rs"]
mod llama_cpp;
#[path = "common/models.rs"]
mod models;
#[path = "conformance/requests.rs"]
mod requests;
#[path = "conformance/routes.rs"]
mod routes;
#[path = "conformance/servers.rs"]
mod servers;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use common::{git, write};
use routes::Route;

/// Python with what `list` names of the packages, made once below the target folder.
fn python(name: &str, list: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = folder.join("bin/python");
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(list);
    let run = |command: &mut Command| {
        let output = command.output().expect("Python 3 is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(requirements));
    python
}

/// Fails with what the vendors' types say against these lines of protocol and body.
fn validated(lines: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/validate.py");
    let python = python("conformance", "requirements.txt");
    let mut child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
    let taken = child.stdin.take().expect("it is piped").write_all(lines.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    taken.expect("it reads to the end");
}

/// A repository with one query in a loop that a request waits for.
fn shop() -> tempfile::TempDir {
    let repository = tempfile::tempdir().expect("a temporary folder");
    let folder = repository.path();
    write(
        folder,
        "package.json",
        "{ \"name\": \"shop\", \"main\": \"src/server.ts\", \"dependencies\": { \"@prisma/client\": \"6.0.0\", \"express\": \"5.0.0\" } }\n",
    );
    write(
        folder,
        "src/orders.ts",
        "import { PrismaClient } from '@prisma/client'\nconst prisma = new PrismaClient()\nexport async function list(ids: string[]) {\n  const orders = []\n  for (const id of ids) {\n    orders.push(await prisma.order.findUnique({ where: { id } }))\n  }\n  return orders\n}\n",
    );
    write(
        folder,
        "src/server.ts",
        "import express from 'express'\nimport { list } from './orders'\nexport const app = express()\napp.get('/orders', async (request, response) => {\n  response.json(await list(request.query.ids))\n})\n",
    );
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "first"]);
    repository
}

/// The program in `folder` without anything of the environment that leads elsewhere.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
    for variable in ["IMPROVE_CACHE_DIR", "IMPROVE_STATE_DIR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    let home = folder.join(".git/home");
    std::fs::create_dir_all(&home).expect("the folder is ours");
    command.current_dir(folder).env("HOME", home).env_remove("XDG_CACHE_HOME").env_remove("XDG_STATE_HOME");
    command
}

/// A quick audit by the planner of `route`, whose server is at `url`.
fn audit(folder: &Path, route: &Route, url: &str, further: &[&str]) {
    let output = program(folder)
        .args(["audit", "--planner", route.planner, "--effort", "quick", "--format", "json"])
        .args(further)
        .env(route.key, "hush-hush")
        .env(route.base, format!("{url}{}", route.path))
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}: {}", route.planner, String::from_utf8_lossy(&output.stderr));
}

/// The lines of the ledger of the repository in `folder`.
fn ledger(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(".git/improve/ledger.jsonl")).expect("calls were made");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}
