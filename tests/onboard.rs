//! `improve onboard`: what a guide says of a repository built for the purpose, what stays of it, and what a planner adds.

#[path = "onboard/models.rs"]
mod asked;
mod common;
#[path = "common/models.rs"]
mod models;
#[path = "common/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use common::{git, write};

const README: &str = "# Shop\n\n[![ci](https://x)](https://y)\n\nSells things to people who want them soon.\n\n## Usage\n\nRun it and see what happens there.\n";
const FILES: [(&str, &str); 9] = [
    ("README.md", README),
    (
        "package.json",
        "{\n  \"name\": \"shop\",\n  \"main\": \"src/server.ts\",\n  \"engines\": { \"node\": \">=22\" },\n  \"scripts\": { \"dev\": \"tsx src/server.ts\", \"test\": \"vitest run\" },\n  \
         \"dependencies\": { \"express\": \"5.0.0\", \"@prisma/client\": \"6.0.0\" },\n  \"devDependencies\": { \"vitest\": \"3.0.0\" }\n}\n",
    ),
    ("package-lock.json", "{}\n"),
    (".env.example", "DATABASE_URL=postgres://localhost/shop\n"),
    (
        "src/server.ts",
        "import express from 'express';\nimport { orders } from './orders/router';\n\nconst app = express();\napp.use(orders);\n\
         app.listen(Number(process.env.SHOP_PORT));\n",
    ),
    (
        "src/orders/router.ts",
        "import { Router } from 'express';\nimport { placeOrder } from './service';\n\nexport const orders = Router();\n\
         orders.post('/orders', async (req, res) => {\n  const order = await placeOrder(req.body);\n  res.json(order);\n});\n",
    ),
    (
        "src/orders/service.ts",
        "// Places orders, once each.\n\nimport { saveOrder } from './store';\nimport type { Order } from './types';\n\n\
         /** Places an order that nobody placed before. */\nexport async function placeOrder(order: Order) {\n  return saveOrder(order);\n}\n",
    ),
    (
        "src/orders/store.ts",
        "import { PrismaClient } from '@prisma/client';\nimport type { Order } from './types';\n\nconst prisma = new PrismaClient({ datasourceUrl: process.env.DATABASE_URL });\n\n\
         export async function saveOrder(order: Order) {\n  return prisma.order.create({ data: order });\n}\n",
    ),
    (
        "src/orders/types.ts",
        "/** What somebody wants to have. */\nexport interface Order {\n  id: string;\n  total: number;\n}\n",
    ),
];

/// The shop with one commit.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "-f", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

fn commit(folder: &Path, path: &str, text: &str) {
    write(folder, path, text);
    git(folder, &["add", "-f", "."]);
    git(folder, &["commit", "-q", "-m", "second"]);
}

fn onboard(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_improve"))
        .arg("onboard")
        .args(args)
        .current_dir(folder)
        .env("HOME", folder.join(".git/home"))
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("IMPROVE_CACHE_DIR", folder.join(".git/cache"))
        .env("IMPROVE_PLANNER", "none")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).expect("it was written")
}

const GUIDE: [&str; 2] = ["--output", "markdown=docs/ONBOARDING.md"];

#[test]
fn a_guide_says_what_the_repository_is_and_how_a_request_goes_through_it() {
    let shop = shop();
    insta::assert_snapshot!("guide", said(&onboard(shop.path(), &["--format", "markdown"])));
    insta::assert_snapshot!("guide-on-a-terminal", said(&onboard(shop.path(), &[])));
}

#[test]
fn the_same_tree_gives_the_same_bytes_and_an_unrelated_commit_changes_nothing() {
    let shop = shop();
    let first = said(&onboard(shop.path(), &["--format", "markdown", "--jobs", "1"]));
    assert_eq!(said(&onboard(shop.path(), &["--format", "markdown", "--jobs", "4"])), first);
    commit(shop.path(), "README.md", &README.replace("what happens", "what hapens"));
    assert_eq!(said(&onboard(shop.path(), &["--format", "markdown"])), first);
    commit(shop.path(), "README.md", &README.replace("Sells", "Sold"));
    let changed = said(&onboard(shop.path(), &["--format", "markdown"]));
    let differ = first.lines().zip(changed.lines()).filter(|(one, other)| one != other).count();
    assert_eq!(differ, 2, "the paragraph and the hash of its section: {changed}");
}

#[test]
fn what_people_write_between_sections_stays_and_only_what_changed_is_written_anew() {
    let shop = shop();
    let written = onboard(shop.path(), &GUIDE);
    assert!(stderr(&written).contains("docs/ONBOARDING.md: written"), "{}", stderr(&written));
    let mark = "<!-- improve:onboard section=walk";
    let before = read(shop.path(), "docs/ONBOARDING.md");
    assert!(before.contains(mark), "{before}");
    let edited = before.replace(mark, &format!("Ask the shopkeeper first.\n\n{mark}"));
    write(shop.path(), "docs/ONBOARDING.md", &edited);
    commit(
        shop.path(),
        "src/orders/types.ts",
        "/** What somebody has to pay. */\nexport interface Order {\n  id: string;\n  total: number;\n}\n",
    );
    let checked = onboard(shop.path(), &["--check"]);
    assert_eq!(checked.status.code(), Some(1), "{}", stderr(&checked));
    assert!(stderr(&checked).contains("out of date") && stderr(&checked).contains("glossary"), "{}", stderr(&checked));
    assert_eq!(read(shop.path(), "docs/ONBOARDING.md"), edited, "a check writes nothing");
    onboard(shop.path(), &GUIDE);
    let after = read(shop.path(), "docs/ONBOARDING.md");
    assert!(after.contains("Ask the shopkeeper first.\n\n<!-- improve:onboard section=walk"), "{after}");
    assert!(after.contains("What somebody has to pay.") && !after.contains("What somebody wants to have."), "{after}");
    let section = |text: &str, name: &str| {
        let start = text.find(&format!("section={name} ")).expect("it is there");
        text[start..start + text[start..].find("<!-- /improve").expect("it ends")].to_owned()
    };
    assert_eq!(section(&after, "walk"), section(&before, "walk"));
    assert_eq!(onboard(shop.path(), &["--check"]).status.code(), Some(0));
}

#[test]
fn a_section_that_somebody_edited_stays_and_that_is_said() {
    let shop = shop();
    onboard(shop.path(), &GUIDE);
    let edited =
        read(shop.path(), "docs/ONBOARDING.md").replace("Sells things to people", "Sells nearly everything to people");
    write(shop.path(), "docs/ONBOARDING.md", &edited);
    let again = onboard(shop.path(), &GUIDE);
    assert!(stderr(&again).contains("section `about` was edited by hand and stays"), "{}", stderr(&again));
    assert_eq!(read(shop.path(), "docs/ONBOARDING.md"), edited);
}

#[test]
fn a_document_of_somebody_else_is_not_written_over() {
    let shop = shop();
    let refused = onboard(shop.path(), &["--output", "markdown=README.md"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert_eq!(read(shop.path(), "README.md"), README);
}

#[test]
fn a_role_narrows_the_guide_and_one_that_is_not_there_names_those_that_are() {
    let shop = shop();
    let page = said(&onboard(shop.path(), &["--role", "data", "--format", "json"]));
    let guide: Value = serde_json::from_str(&page).expect("it is JSON");
    let paths: Vec<&str> =
        guide["reading"].as_array().expect("a list").iter().filter_map(|one| one["path"].as_str()).collect();
    assert_eq!(paths, ["src/orders/store.ts"]);
    let refused = onboard(shop.path(), &["--role", "frontend"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("it has backend, data"), "{}", stderr(&refused));
    let unknown = onboard(shop.path(), &["--role", "backnd"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("did you mean backend?"), "{}", stderr(&unknown));
}

#[test]
fn nobody_is_named_where_that_is_asked_for() {
    let shop = shop();
    commit(shop.path(), "src/orders/types.ts", "export interface Order {\n  id: string;\n}\n");
    commit(shop.path(), "src/orders/types.ts", "export interface Order {\n  id: number;\n}\n");
    assert!(said(&onboard(shop.path(), &["--format", "json"])).contains("\"Test\""));
    for format in ["json", "markdown", "human"] {
        let page = said(&onboard(shop.path(), &["--no-authors", "--format", format]));
        assert!(!page.contains("Test (") && !page.contains("\"Test\"") && !page.contains("Who knows what"), "{page}");
    }
}

#[test]
fn a_mailmap_says_who_somebody_is() {
    let shop = shop();
    commit(shop.path(), "src/orders/types.ts", "export interface Order {\n  id: string;\n}\n");
    commit(shop.path(), "src/orders/types.ts", "export interface Order {\n  id: number;\n}\n");
    commit(shop.path(), ".mailmap", "Proper Name <proper@example.com> <test@example.com>\n");
    let page = said(&onboard(shop.path(), &["--format", "markdown"]));
    assert!(page.contains("Proper Name (nearly all, last 2026-01)"), "{page}");
}
