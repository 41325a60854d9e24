//! `improve docs` with a planner: what no rule can tell of a page comes out of the lens, and becomes a plan.

use serde_json::{Value, json};

use super::models::Server;
use super::plans::wants;
use super::{commit, document, is_lens, run, says, shop, stderr, verdict, verdicts, write};

const CLAIM: &str = "Orders are cached for an hour.";
const TRUTH: &str = "Orders are read anew each time.";

/// The claim, against the code that does otherwise.
fn reported() -> Value {
    let place = |file: &str, line: u32, text: &str| json!({"file": file, "line": line, "text": text});
    json!({
        "evidence": [
            place("README.md", 3, CLAIM),
            place("src/orders.ts", 8, "    orders.push(await prisma.order.findUnique({ where: { id } }))"),
        ],
        "title": "The README promises a cache that is not there",
        "message": "The page says that orders are cached, and every call reads them.",
        "impact": 3, "effort": "S", "risk": "LOW", "confidence": "HIGH",
    })
}

fn draft() -> Value {
    let check = |kind: &str, text: &str| json!({"kind": kind, "file": "README.md", "text": text, "command": null, "expectation": null, "count": null});
    json!({
        "worth_it": true, "title": "Say that orders are read anew", "why": "Who relies on the cache waits for the database.",
        "context": [], "excerpts": [],
        "in_scope": [{"path": "README.md", "remark": "the sentence"}], "out_of_scope": [],
        "steps": [{
            "title": "Correct the sentence", "instruction": "Replace the sentence about the cache in `README.md`.",
            "edits": [{"kind": "replace", "file": "README.md", "old": CLAIM, "new": TRUTH}],
            "checks": [check("text-gone", CLAIM)],
        }],
        "tests": [], "edge_cases": [], "prerequisites": [], "goals": [check("text-present", TRUTH)],
        "stop_conditions": ["A cache stands in front of the database."], "maintenance": [], "risk": "LOW",
    })
}

#[test]
fn a_claim_that_the_code_contradicts_becomes_a_plan_for_the_page() {
    let repository = shop();
    write(repository.path(), "README.md", &format!("# Shop\n\n{CLAIM}\n"));
    commit(repository.path());
    let server = Server::start(|request| match () {
        () if is_lens(request) => says(&json!({"findings": [reported()]})),
        () if wants(request, "doubts") => says(&json!({"doubts": []})),
        () if wants(request, "worth_it") => says(&draft()),
        () => verdicts(request, &|label| verdict(label, "confirmed", "const prisma = new PrismaClient()")),
    });
    let output = run(repository.path(), &server, &["docs", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lenses: Vec<String> = server
        .asked()
        .into_iter()
        .filter(|body| is_lens(&serde_json::from_str(body).expect("a request is JSON")))
        .collect();
    assert!(
        !lenses.is_empty() && lenses.iter().all(|body| body.contains("**Docs.**")),
        "only documentation is looked at"
    );
    let document = document(&output);
    let row = &document["plans"][0];
    assert_eq!((&row["outcome"], &row["mechanical"], &row["problems"]), (&json!("written"), &json!(true), &json!([])));
    let path = repository.path().join(row["path"].as_str().expect("a path"));
    let plan = std::fs::read_to_string(path).expect("the plan is there");
    assert!(plan.contains("**Category**: docs") && plan.contains(CLAIM) && plan.contains(TRUTH), "{plan}");
    let list = run(repository.path(), &server, &["audit", "docs", "--format", "json"]);
    let list = self::document(&list);
    assert_eq!(list["findings"][0]["title"], reported()["title"]);
    assert_eq!(list["findings"][0]["evidence"][1]["file"], "src/orders.ts", "both quotes are shown");
}
