//! Plans that a model writes: what goes back to it, who reads them, what is tried before anybody relies on them.

use improve::trust::Trust;
use improve::worktree::Place;
use serde_json::{Value, json};

use super::models::Server;
use super::{SHOP, commit, document, run, says, shop, stderr, verdict, verdicts, write};

pub fn text_check(kind: &str, text: &str) -> Value {
    json!({"kind": kind, "file": "src/orders.ts", "text": text, "command": null, "expectation": null, "count": null})
}

fn command_check(command: &str, expectation: &str) -> Value {
    json!({"kind": "command", "file": null, "text": null, "command": command, "expectation": expectation, "count": null})
}

/// A draft that replaces the loop, if `old` is its text.
pub fn draft(old: &str, goals: &Value) -> Value {
    json!({
        "worth_it": true, "title": "Read the orders in one query", "why": "Each id costs a query. A list of ids costs one.",
        "context": ["`prisma` is a module constant."], "excerpts": [],
        "in_scope": [{"path": "src/orders.ts", "remark": "the loop"}], "out_of_scope": [],
        "steps": [{
            "title": "Ask for all ids at once", "instruction": "Replace the loop of `listOrders` in `src/orders.ts`.",
            "edits": [{"kind": "replace", "file": "src/orders.ts", "old": old, "new": "  return prisma.order.findMany({ where: { id: { in: ids } } })\n}"}],
            "checks": [text_check("text-gone", "findUnique")],
        }],
        "tests": [], "edge_cases": ["An empty list asks for nothing."], "prerequisites": [],
        "goals": goals,
        "stop_conditions": ["Callers rely on one order for each id, in order."], "maintenance": [], "risk": "LOW",
    })
}

pub fn body() -> String {
    SHOP.split_once("string[]) {\n").expect("the body of the function").1.to_owned()
}

/// What a request wants, by the schema of its answer.
pub fn wants(request: &Value, property: &str) -> bool {
    request["output_config"]["format"]["schema"]["properties"].get(property).is_some()
}

fn told(request: &Value) -> usize {
    request["messages"].as_array().map_or(0, Vec::len)
}

/// Everything but drafts and doubts: nothing through a lens, every finding confirmed.
fn confirmed(request: &Value) -> (u16, Value) {
    verdicts(request, &|label| verdict(label, "confirmed", "  for (const id of ids) {"))
}

#[test]
fn a_plan_is_written_by_the_model_its_draft_goes_back_once_and_its_form_is_ours() {
    let repository = shop();
    let goals = json!([text_check("text-present", "findMany")]);
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        says(&draft(if told(request) > 1 { body() } else { "  const orders = {}".to_owned() }.as_str(), &goals))
    });
    let output = run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = document(&output);
    let row = &document["plans"][0];
    assert_eq!((&row["outcome"], &row["mechanical"], &row["problems"]), (&json!("written"), &json!(true), &json!([])));
    let plan = std::fs::read_to_string(repository.path().join(row["path"].as_str().unwrap())).unwrap();
    assert!(plan.contains("**Planner**: anthropic/claude-opus-5-5"), "{plan}");
    assert!(plan.contains("<<<<<<< SEARCH") && plan.contains("await prisma.order.findUnique"), "{plan}");
    let told = server.asked().iter().any(|body| body.contains("the text to replace does not stand in `src/orders.ts`"));
    assert!(told, "what was wrong with the first draft went back");
    assert!(stderr(&output).contains("1 plan to write by anthropic/claude-opus-5-5"), "{}", stderr(&output));
    let before = server.asked().len();
    let review = run(repository.path(), &server, &["review", "--offline", row["path"].as_str().unwrap()]);
    assert_eq!(review.status.code(), Some(0), "{}", String::from_utf8_lossy(&review.stdout));
    assert_eq!(server.asked().len(), before);
}

#[test]
fn a_goal_that_is_met_already_goes_back_and_so_does_what_a_cold_reader_cannot_tell() {
    let repository = shop();
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            let doubt = |quote: &str, question: &str| json!({"quote": quote, "question": question});
            let asked = [
                doubt("Each id costs a query", "Which ids?"),
                doubt("this stands nowhere in the plan", "Is that invented?"),
            ];
            return says(&json!({"doubts": asked}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        let goal = if told(request) > 1 { "findMany" } else { "PrismaClient" };
        let mut draft = draft(&body(), &json!([text_check("text-present", goal)]));
        if told(request) > 3 {
            draft["why"] = json!("Each id of the list costs a query. A list of ids costs one.");
        }
        says(&draft)
    });
    let output = run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let row = document(&output)["plans"][0].clone();
    assert_eq!(row["problems"], json!([]));
    let plan = std::fs::read_to_string(repository.path().join(row["path"].as_str().unwrap())).unwrap();
    assert!(plan.contains("Each id of the list costs a query"), "the draft that answers the doubt is the plan: {plan}");
    let asked: Vec<Value> = server.asked().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let drafts: Vec<String> = asked
        .iter()
        .filter(|request| wants(request, "worth_it"))
        .map(|request| request["messages"].to_string())
        .collect();
    assert_eq!(drafts.len(), 3);
    assert!(drafts[1].contains("proves nothing: it stands there now"), "{}", drafts[1]);
    assert!(drafts[2].contains("Which ids?") && !drafts[2].contains("Is that invented?"), "{}", drafts[2]);
    let reads: Vec<&Value> = asked.iter().filter(|request| wants(request, "doubts")).collect();
    assert_eq!(reads.len(), 1, "it is read cold once");
    assert_eq!(reads[0]["model"], "claude-sonnet-5-5", "by another model");
    assert!(reads[0].get("tools").is_none_or(|tools| tools == &json!([])), "that has nothing but the plan");
}

#[test]
fn a_command_that_is_green_where_the_plan_starts_is_no_goal() {
    let repository = tempfile::tempdir().unwrap();
    write(repository.path(), "src/orders.ts", SHOP);
    commit(repository.path());
    let (green, red) = ("git ls-files src", "git grep -c findMany -- src");
    let state = repository.path().join(".git/home/.local/state/improve");
    let place = Place::of(repository.path(), &repository.path().join(".git/home/.cache/improve")).unwrap();
    Trust::read(&state).unwrap().remember(&place.id(), &[green.to_owned(), red.to_owned()]).unwrap();
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        let goal =
            if told(request) > 1 { command_check(red, "exit 0") } else { command_check(green, "contains \"orders\"") };
        says(&draft(&body(), &json!([goal])))
    });
    let output = run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let row = document(&output)["plans"][0].clone();
    assert_eq!((&row["outcome"], &row["problems"]), (&json!("written"), &json!([])), "{}", stderr(&output));
    let back = server.asked().iter().any(|body| body.contains("it was run where the plan starts, and is green there"));
    assert!(back, "the measured result went back");
    let plan = std::fs::read_to_string(repository.path().join(row["path"].as_str().unwrap())).unwrap();
    assert!(plan.contains(red) && !plan.contains(green), "{plan}");
    let left = std::fs::read_dir(place.worktrees()).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the worktree it was tried in is gone");
}

pub fn understanding(verdict: &str, questions: &Value) -> Value {
    let quote =
        json!({"file": "src/orders.ts", "line": 5, "text": "export async function listOrders(ids: string[]) {"});
    let invented = json!({"file": "src/orders.ts", "line": 5, "text": "export const limit = 5"});
    let gap = |what: &str, quote: &Value| json!({"kind": "integration-point", "what": what, "answer": "It is the only export", "quote": quote});
    json!({
        "verdict": verdict, "title": "Read the orders in one query", "text": "Orders are wanted at once.", "category": "perf", "impact": 3,
        "effort": "S", "risk": "LOW", "places": [quote], "settled": [gap("Who calls it?", &quote), gap("Is there a limit?", &invented)],
        "questions": questions,
    })
}

#[test]
fn a_request_becomes_a_plan_that_records_what_was_decided_and_by_whom() {
    let repository = shop();
    let questions = json!([{
        "kind": "breaking-change", "question": "Must the order of the ids be kept?", "why": "Callers may rely on it.",
        "options": ["yes", "no"], "recommended": "no",
    }]);
    let goals = json!([text_check("text-present", "findMany")]);
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if wants(request, "verdict") {
            return says(&understanding("plan", &questions));
        }
        says(&draft(&body(), &goals))
    });
    let ask = ["plan", "read the orders in one query", "--format", "json"];
    let output = run(repository.path(), &server, &ask);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let first = document(&output);
    assert_eq!(first["outcome"], "written");
    assert_eq!(
        first["settled"],
        json!(["Integration point: Who calls it? It is the only export. (`src/orders.ts:5`)"])
    );
    assert_eq!(first["decisions"][0]["by_user"], false, "nobody was there to ask");
    let plan = std::fs::read_to_string(repository.path().join(first["path"].as_str().unwrap())).unwrap();
    assert!(
        plan.contains("Must the order of the ids be kept? no (recommended by the planner; nobody was asked)."),
        "{plan}"
    );
    assert!(plan.contains("Who calls it?") && !plan.contains("Is there a limit?"), "{plan}");
    let again = document(&run(repository.path(), &server, &ask));
    assert_eq!((&again["outcome"], &again["path"]), (&json!("already-planned"), &first["path"]));
}

#[test]
fn a_change_of_a_line_gets_no_plan_and_without_a_model_the_user_is_told_what_is_missing() {
    let repository = shop();
    let server = Server::start(|_| says(&understanding("just-do-it", &json!([]))));
    let output = run(repository.path(), &server, &["plan", "rename the variable", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer = document(&output);
    assert_eq!((&answer["outcome"], &answer["path"]), (&json!("just-do-it"), &Value::Null));
    assert!(!repository.path().join("plans").exists());
    for command in [&["plan", "x", "--offline"] as &[&str], &["next", "--offline"]] {
        let output = run(repository.path(), &server, command);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("none is bound") && stderr(&output).contains("improve doctor"),
            "{}",
            stderr(&output)
        );
    }
    let asked = server.asked().len();
    let dry = run(repository.path(), &server, &["plan", "another thing", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    assert!(stderr(&dry).contains("would ask anthropic/claude-opus-5-5: request, about "), "{}", stderr(&dry));
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn directions_are_shown_and_only_the_one_that_is_picked_becomes_a_design_plan() {
    let repository = shop();
    let goals = json!([text_check("text-present", "findMany")]);
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if wants(request, "worth_it") {
            return says(&draft(&body(), &goals));
        }
        let direction = |title: &str, line: &str| {
            json!({
                "evidence": [{"file": "src/orders.ts", "line": 1, "text": line}], "title": title, "message": "It is half there.",
                "impact": 3, "effort": "M", "risk": "LOW", "confidence": "MED",
            })
        };
        says(&json!({"findings": [
            direction("Page through orders", "export async function listOrders(ids: string[]) {"),
            direction("Cache the client", "const prisma = new PrismaClient()"),
        ]}))
    });
    let listed = document(&run(repository.path(), &server, &["next", "--format", "json"]));
    assert_eq!(listed["findings"].as_array().unwrap().len(), 2);
    assert_eq!(listed["plans"], json!([]), "nobody chose, so nothing is written");
    let picked = document(&run(repository.path(), &server, &["next", "--top", "1", "--format", "json"]));
    assert_eq!(picked["plans"][0]["outcome"], "written");
    assert!(
        server.asked().iter().any(|body| body.contains("Write a design\\nplan.")),
        "the planner is told what kind of plan"
    );
}

#[test]
fn a_review_reads_cold_and_tightening_writes_the_plan_anew_in_its_place() {
    let repository = shop();
    let goals = json!([text_check("text-present", "findMany")]);
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            let text = request["messages"].to_string();
            let doubts = if text.contains("Each id costs a query.") {
                json!([{"quote": "Each id costs a query", "question": "Which ids?"}])
            } else {
                json!([])
            };
            return says(&json!({"doubts": doubts}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        let mut draft = draft(&body(), &goals);
        if request["messages"].to_string().contains("The plan exists.") {
            draft["why"] = json!("Each id of the list costs one query.");
        }
        says(&draft)
    });
    let written = document(&run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]));
    let path = written["plans"][0]["path"].as_str().unwrap().to_owned();
    let before = std::fs::read_to_string(repository.path().join(&path)).unwrap();
    let review = run(repository.path(), &server, &["review", "1", "--format", "json"]);
    assert_eq!(review.status.code(), Some(1), "{}", stderr(&review));
    let review = document(&review);
    assert_eq!(
        (&review["problems"][0]["code"], &review["read_by"]),
        (&json!("ambiguous"), &json!("anthropic/claude-sonnet-5-5"))
    );
    assert_eq!(std::fs::read_to_string(repository.path().join(&path)).unwrap(), before, "a review changes nothing");
    let tightened = run(repository.path(), &server, &["review", "1", "--tighten", "--format", "json"]);
    assert_eq!(tightened.status.code(), Some(0), "{}", stderr(&tightened));
    assert_eq!(document(&tightened)["tightened"], true);
    assert!(stderr(&tightened).contains("+Each id of the list costs one query."), "{}", stderr(&tightened));
    let after = std::fs::read_to_string(repository.path().join(&path)).unwrap();
    let finding = |plan: &str| plan.lines().find(|line| line.contains("**Finding**")).map(str::to_owned);
    assert_eq!(finding(&after), finding(&before), "it is still the plan of its finding");
    assert!(after.contains("Each id of the list costs one query."), "{after}");
}

#[test]
fn a_plan_that_drifted_is_planned_anew_by_the_model_under_its_number() {
    let repository = shop();
    let goals = json!([text_check("text-present", "findMany")]);
    let drifted = SHOP.replace("orders", "found");
    let body_now = drifted.split_once("string[]) {\n").expect("the body of the function").1.to_owned();
    let server = Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        let anew = request["messages"].to_string().contains("does not fit the repository any more");
        let mut draft = draft(&if anew { body_now.clone() } else { body() }, &goals);
        if anew {
            draft["title"] = json!("Read what was found in one query");
        }
        says(&draft)
    });
    let written = document(&run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]));
    let path = written["plans"][0]["path"].as_str().unwrap().to_owned();
    super::git(repository.path(), &["add", "."]);
    super::git(repository.path(), &["commit", "-q", "-m", "a plan"]);
    write(repository.path(), "src/orders.ts", &SHOP.replace("orders", "found"));
    super::git(repository.path(), &["commit", "-q", "-a", "-m", "another name"]);
    let foreseen = document(&run(repository.path(), &server, &["reconcile", "--dry-run", "--format", "json"]));
    let why = foreseen["plans"][0]["why"].as_str().unwrap();
    assert!(why.ends_with("anthropic/claude-opus-5-5 would plan it anew"), "{why}");
    let reconciled = document(&run(repository.path(), &server, &["reconcile", "--format", "json"]));
    let row = &reconciled["plans"][0];
    assert_eq!((&row["action"], &row["after"]), (&json!("renewed"), &json!("TODO")), "{reconciled}");
    assert!(reconciled["cost"]["nano_usd"].as_u64().unwrap() > 0);
    let text = std::fs::read_to_string(repository.path().join(&path)).expect("it stands where it stood");
    assert!(text.starts_with("# Plan 001: Read what was found in one query"), "{text}");
    let again = document(&run(repository.path(), &server, &["reconcile", "--format", "json"]));
    assert_eq!(again["plans"][0]["action"], "kept", "{again}");
}

/// Answers as [`confirmed`] does, and has a plan for whoever wants one; `meanwhile` happens while it is written.
fn while_written(meanwhile: impl Fn() + Send + Sync + 'static) -> Server {
    let goals = json!([text_check("text-present", "findMany")]);
    Server::start(move |request| {
        if wants(request, "doubts") {
            return says(&json!({"doubts": []}));
        }
        if !wants(request, "worth_it") {
            return confirmed(request);
        }
        meanwhile();
        says(&draft(&body(), &goals))
    })
}

#[test]
fn a_plan_takes_the_number_that_is_free_when_it_is_written() {
    let repository = shop();
    let folder = repository.path().to_owned();
    let other =
        "# Plan 001: Say what the shop sells\n\n## Steps\n\n### Step 1: Write it\n\n**Verify**: `true` → exit 0\n";
    let server = while_written(move || write(&folder, "plans/001-say-what-the-shop-sells.md", other));
    let output = run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]);
    let path = document(&output)["plans"][0]["path"].as_str().unwrap().to_owned();
    assert_eq!(path, "plans/002-read-the-orders-in-one-query.md", "{}", stderr(&output));
    let plan = std::fs::read_to_string(repository.path().join(path)).unwrap();
    assert!(plan.starts_with("# Plan 002: ") && plan.contains("`improve/002-read-the-orders"), "{plan}");
    assert!(!plan.contains("001"), "{plan}");
}

#[test]
fn while_a_model_writes_another_run_may_plan_and_the_first_plan_of_a_finding_stays() {
    let repository = shop();
    let folder = repository.path().to_owned();
    let server = while_written(move || {
        let deaf = Server::start(|_| (500, Value::Null));
        let other = run(&folder, &deaf, &["perf", "--offline", "--top", "1", "--format", "json"]);
        assert_eq!(document(&other)["plans"][0]["outcome"], "written", "{}", stderr(&other));
    });
    let output = run(repository.path(), &server, &["perf", "--top", "1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(document(&output)["plans"][0]["outcome"], "already-planned");
    let plans = std::fs::read_dir(repository.path().join("plans")).unwrap().count();
    assert_eq!(plans, 2, "one plan, and the index");
}
