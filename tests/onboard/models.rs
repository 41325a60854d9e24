//! A planner that writes the prose of a guide: what it is asked, what of its answers counts, what is never paid for twice.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::models::Server;
use super::program::program;
use super::{GUIDE, commit, read, shop, stderr};

fn run(folder: &Path, server: &Server, args: &[&str]) -> Output {
    program(folder, server, &[&["onboard"], args].concat()).output().expect("the program starts")
}

/// Answers every section with these paragraphs.
fn server(paragraphs: &'static [&'static str]) -> Server {
    Server::start(move |request| {
        let text = json!({ "paragraphs": paragraphs }).to_string();
        let usage = json!({"input_tokens": 1_000, "output_tokens": 100});
        let content = json!([{"type": "text", "text": text}]);
        (
            200,
            json!({"id": "msg", "model": request["model"], "content": content, "stop_reason": "end_turn", "usage": usage}),
        )
    })
}

/// Models that were asked, and the sections they were asked for by a word of their facts.
fn asked(server: &Server) -> Vec<(String, String)> {
    let heading = |request: &Value| {
        let text = request["messages"].to_string();
        let start = text.find("## ").expect("the facts have a heading");
        text[start + 3..].split("\\n").next().unwrap_or_default().to_owned()
    };
    let requests = server.asked();
    let all = requests.iter().map(|body| serde_json::from_str::<Value>(body).expect("a request is JSON"));
    let mut asked: Vec<(String, String)> =
        all.map(|request| (request["model"].as_str().unwrap_or_default().to_owned(), heading(&request))).collect();
    asked.sort();
    asked
}

#[test]
fn a_planner_writes_each_section_once_and_the_economy_model_what_changed() {
    let shop = shop();
    let server = server(&[
        "`placeOrder` hands on to `src/orders/store.ts:6`. It begins in `src/made/up.ts:3`.",
        "See src/nowhere.ts too.",
    ]);
    let first = run(shop.path(), &server, &GUIDE);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let guide = read(shop.path(), "docs/ONBOARDING.md");
    assert!(guide.contains("`placeOrder` hands on to `src/orders/store.ts:6`."), "{guide}");
    assert!(!guide.contains("made/up") && !guide.contains("nowhere"), "{guide}");
    assert!(guide.contains(" by=anthropic/"), "{guide}");
    assert!(stderr(&first).contains("sentences dropped: what they name is not there"), "{}", stderr(&first));
    let written = asked(&server);
    let planner = written[0].0.clone();
    assert!(written.len() >= 4 && written.iter().all(|(model, _)| *model == planner), "{written:?}");
    assert!(!written.iter().any(|(_, section)| section == "Who knows what"), "nobody is named to a model: {written:?}");

    let second = run(shop.path(), &server, &GUIDE);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert_eq!(server.asked().len(), written.len(), "what is written is not paid for again");
    assert_eq!(read(shop.path(), "docs/ONBOARDING.md"), guide);
    let offline = run(shop.path(), &server, &[&GUIDE[..], &["--offline"]].concat());
    assert_eq!(offline.status.code(), Some(0), "{}", stderr(&offline));
    assert_eq!(read(shop.path(), "docs/ONBOARDING.md"), guide, "what a model wrote stays while it holds");
    assert_eq!(run(shop.path(), &server, &["--check", "--offline"]).status.code(), Some(0));

    commit(
        shop.path(),
        "src/orders/types.ts",
        "/** What somebody has to pay. */\nexport interface Order {\n  id: string;\n  total: number;\n}\n",
    );
    let third = run(shop.path(), &server, &GUIDE);
    assert_eq!(third.status.code(), Some(0), "{}", stderr(&third));
    let all = server.asked();
    let new: Vec<Value> =
        all[written.len()..].iter().map(|body| serde_json::from_str(body).expect("a request is JSON")).collect();
    let mut models: Vec<&str> = new.iter().filter_map(|request| request["model"].as_str()).collect();
    models.dedup();
    assert_eq!(models.len(), 1);
    assert_ne!(models[0], planner, "the economy model refreshes");
    assert!(new.len() < written.len(), "{} of {}", new.len(), written.len());
    for request in &new {
        let text = request["messages"].to_string();
        assert!(text.contains("src/orders/types.ts") && text.contains("was written before"), "{text}");
    }
}

#[test]
fn a_budget_that_ends_keeps_what_the_map_knows() {
    let shop = shop();
    let server = server(&["Nothing is named here."]);
    let output = run(shop.path(), &server, &[&GUIDE[..], &["--max-usd", "0.000001"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(server.asked().len(), 0);
    let guide = read(shop.path(), "docs/ONBOARDING.md");
    assert!(guide.contains("## Read these first") && !guide.contains(" by="), "{guide}");
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let shop = shop();
    let server = server(&["Nothing is named here."]);
    let output = run(shop.path(), &server, &[&GUIDE[..], &["--dry-run"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("would ask anthropic/") && stderr(&output).contains("guide walk"),
        "{}",
        stderr(&output)
    );
    assert_eq!(server.asked().len(), 0);
    assert!(!shop.path().join("docs/ONBOARDING.md").exists());
    assert!(output.stdout.is_empty());
}

#[test]
fn a_credential_in_a_file_reaches_no_model() {
    let shop = shop();
    let key = ["sk_live_", "4eC39HqLyjWDarjtT1zdp7dcXq"].concat();
    let store = format!(
        "import {{ PrismaClient }} from '@prisma/client';\n\nconst prisma = new PrismaClient();\nconst key = '{key}';\n\n\
         export async function saveOrder(order: {{ id: string }}) {{\n  return prisma.order.create({{ data: {{ ...order, key }} }});\n}}\n"
    );
    commit(shop.path(), "src/orders/store.ts", &store);
    let server = server(&["Nothing is named here."]);
    let output = run(shop.path(), &server, &GUIDE);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(server.asked().concat().contains("[secret:"), "the file is shown");
    assert!(!server.asked().concat().contains(&key));
    assert!(!read(shop.path(), "docs/ONBOARDING.md").contains(&key));
}
