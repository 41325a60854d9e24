//! `improve audit --shard` and `improve merge`: several machines say what one would.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;

use alone::{json, run, stderr, stdout};
use common::{git, write};

/// A workspace whose packages call each other, each with a query in a loop and other things to say.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(root, "package.json", "{ \"name\": \"all\", \"private\": true, \"workspaces\": [\"packages/*\"] }\n");
    write(root, "README.md", "# All\n\nSee [the guide](docs/guide.md).\n");
    for name in ["api", "jobs", "shop", "web"] {
        let manifest = format!(
            "{{ \"name\": \"@all/{name}\", \"dependencies\": {{ \"@prisma/client\": \"6.0.0\", \"left-pad\": \"*\" }} }}\n"
        );
        write(root, &format!("packages/{name}/package.json"), &manifest);
        let db = "import { PrismaClient } from '@prisma/client'\n\nexport const prisma = new PrismaClient()\n";
        write(root, &format!("packages/{name}/src/db.ts"), db);
        let orders = format!(
            "import {{ prisma }} from './db'\n\nexport async function {name}Orders(ids: string[]) {{\n  const orders = []\n  for (const id of ids) {{\n    orders.push(await prisma.order.findUnique({{ where: {{ id }} }}))\n  }}\n  return orders\n}}\n"
        );
        write(root, &format!("packages/{name}/src/orders.ts"), &orders);
    }
    // What bites in one package stands in another.
    let names = "import { apiOrders } from '@all/api/src/orders'\n\nexport async function all(lists: string[][]) {\n  for (const list of lists) await apiOrders(list)\n}\n";
    write(root, "packages/web/src/index.ts", names);
    git(root, &["init", "-q", "-b", "main"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "first"]);
    folder
}

/// Writes the parts and gives their names.
fn parts(root: &Path, of: usize) -> Vec<String> {
    let part = |index: usize| {
        let name = format!("../{}-{index}.json", root.file_name().expect("a name").to_string_lossy());
        let shard = format!("{index}/{of}");
        let output = run(root, &["audit", "--effort", "deep", "--shard", &shard, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        write(root, &name, &stdout(&output));
        name
    };
    (1..=of).map(part).collect()
}

#[test]
fn parts_put_together_are_the_whole_to_the_byte_in_every_format() {
    let workspace = workspace();
    let root = workspace.path();
    for of in [1, 2, 3, 7] {
        let parts = parts(root, of);
        for format in ["json", "jsonl", "sarif", "markdown", "junit", "github"] {
            let whole = run(root, &["audit", "--effort", "deep", "--format", format]);
            let merged: Vec<&str> =
                ["merge", "--format", format].into_iter().chain(parts.iter().map(String::as_str)).collect();
            let merged = run(root, &merged);
            assert_eq!(stdout(&merged), stdout(&whole), "{format} of {of}: {}", stderr(&merged));
        }
        parts.iter().for_each(|part| std::fs::remove_file(root.join(part)).expect("ours"));
    }
}

#[test]
fn each_part_has_findings_of_its_own_and_knows_the_others_code() {
    let workspace = workspace();
    let parts = parts(workspace.path(), 2);
    let found = |index: usize| {
        let text = std::fs::read_to_string(workspace.path().join(&parts[index])).expect("written");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["shard"], serde_json::json!({ "index": index + 1, "of": 2 }));
        document["findings"].as_array().expect("findings").len()
    };
    let whole = json(&run(workspace.path(), &["audit", "--effort", "deep", "--format", "json"]));
    assert!(whole.get("shard").is_none());
    let all = whole["findings"].as_array().expect("findings").len();
    let (first, second) = (found(0), found(1));
    assert!(first > 0 && second > 0 && first + second == all, "{first} and {second} of {all}");
    parts.iter().for_each(|part| std::fs::remove_file(workspace.path().join(part)).expect("ours"));
}

#[test]
fn what_cannot_be_put_together_is_said_and_findings_decide_the_exit_code() {
    let workspace = workspace();
    let root = workspace.path();
    let parts = parts(root, 2);
    let output = run(root, &["merge", &parts[1]]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("missing: part 1/2"), "{}", stderr(&output));
    write(root, "whole.json", "{}");
    let output = run(root, &["merge", "whole.json"]);
    assert!(output.status.code() == Some(2) && stderr(&output).contains("whole.json"), "{}", stderr(&output));
    let output = run(root, &["audit", "--shard", "3/2"]);
    assert!(output.status.code() == Some(2) && stderr(&output).contains("as in `2/4`"), "{}", stderr(&output));
    let code = |level: &str| run(root, &["merge", "--fail-on", level, &parts[0], &parts[1]]).status.code();
    assert_eq!((code("low"), code("never")), (Some(1), Some(0)));
    parts.iter().for_each(|part| std::fs::remove_file(root.join(part)).expect("ours"));
}
