//! `improve reconcile` on repositories in which something became of the plans that nobody told the index.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;

use serde_json::Value;

use alone::{json, run, stderr, stdout};
use common::{git, write};

const ORDERS: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()

export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

const MENDED: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()

export async function listOrders(ids: string[]) {
  return prisma.order.findMany({ where: { id: { in: ids } } })
}
";

const BY_HAND: &str = "\
# Plan 002: Name the running total what it is

## Status

- **Priority**: P3
- **Effort**: S
- **Risk**: LOW
- **Category**: tech-debt

## Why this matters

It reads better.

## Current state

```ts file=src/total.ts lines=1-1
let sum = 0
```

## Scope

**In scope**

- `src/total.ts`

## Steps

### Step 1: Rename it

```edit file=src/total.ts
<<<<<<< SEARCH
let sum = 0
=======
let running = 0
>>>>>>> REPLACE
```

**Verify**: `grep -q running src/total.ts` → exit 0

## Done criteria

- [ ] `grep -q running src/total.ts` → exit 0

## STOP conditions

- The line is gone.
";

/// A repository with a plan that the program wrote for a query in a loop, and one with exact edits.
struct World(tempfile::TempDir);

impl World {
    fn new() -> World {
        let world = World(tempfile::tempdir().expect("a temporary folder"));
        world.write("package.json", "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n");
        world.write("src/orders.ts", ORDERS);
        world.write("src/total.ts", "let sum = 0\n");
        git(world.root(), &["init", "-q", "-b", "main"]);
        world.commit("first");
        let output = run(world.root(), &["perf", "--top", "1", "--no-input"]);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        world.write("plans/002-total.md", BY_HAND);
        world.commit("plans");
        world
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        write(self.root(), path, text);
    }

    fn commit(&self, message: &str) {
        git(self.root(), &["add", "."]);
        git(self.root(), &["commit", "-q", "-m", message]);
    }

    fn index(&self) -> String {
        std::fs::read_to_string(self.root().join("plans/README.md")).expect("there is an index")
    }

    /// Writes into the index what somebody might write there.
    fn mark(&self, number: u32, status: &str) {
        let row = |line: &str| {
            if !line.contains(&format!("{number:03}-")) {
                return line.to_owned();
            }
            let mut cells: Vec<&str> = line.trim_end_matches('|').split('|').collect();
            let last = cells.len() - 1;
            let status = format!(" {status} ");
            cells[last] = &status;
            format!("{}|", cells.join("|"))
        };
        let text: Vec<String> = self.index().lines().map(row).collect();
        self.write("plans/README.md", &format!("{}\n", text.join("\n")));
    }

    fn reconcile(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = ["reconcile", "--format", "json"].iter().chain(args).copied().collect();
        let output = run(self.root(), &args);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{}{}", stdout(&output), stderr(&output));
        json(&output)
    }
}

fn row(document: &Value, number: u64) -> &Value {
    let plans = document["plans"].as_array().expect("plans");
    plans.iter().find(|plan| plan["number"] == number).expect("the plan")
}

fn said(row: &Value) -> (&str, &str, &str) {
    let word = |field: &str| row[field].as_str().unwrap_or_default();
    (word("action"), word("after").split(" — ").next().unwrap_or_default(), word("why"))
}

#[test]
fn plans_that_still_wait_are_left_alone_and_one_without_a_row_gets_one() {
    let world = World::new();
    let document = world.reconcile(&[]);
    assert_eq!(said(row(&document, 1)), ("kept", "TODO", "it fits"));
    assert_eq!(said(row(&document, 2)), ("reopened", "TODO", "the index did not name it"));
    let index = world.index();
    assert!(index.contains("002-total.md"), "{index}");
    let again = world.reconcile(&[]);
    assert_eq!(said(row(&again, 2)), ("kept", "TODO", "it fits"));
    assert_eq!(world.index(), index, "the second time nothing changes");
}

#[test]
fn what_was_done_by_hand_is_done_and_its_commit_is_named() {
    let world = World::new();
    world.reconcile(&[]);
    world.write("src/orders.ts", MENDED);
    world.commit("orders: one query");
    world.write("src/total.ts", "let running = 0\n");
    world.commit("total: a better name");
    let before = world.index();
    let foreseen = world.reconcile(&["--dry-run"]);
    assert_eq!(said(row(&foreseen, 1)).0, "done");
    assert_eq!(world.index(), before, "a dry run writes nothing");
    let document = world.reconcile(&[]);
    let (action, status, why) = said(row(&document, 1));
    assert_eq!((action, status), ("done", "DONE"));
    assert!(why.contains("not found any more") && why.ends_with("orders: one query"), "{why}");
    let (action, status, why) = said(row(&document, 2));
    assert_eq!((action, status), ("done", "DONE"));
    assert!(why.starts_with("its edits are in the files already") && why.ends_with("total: a better name"), "{why}");
    assert_eq!(world.index().matches("| DONE — found done").count(), 2, "{}", world.index());
}

#[test]
fn what_is_marked_done_and_is_not_waits_again() {
    let world = World::new();
    world.mark(1, "DONE");
    let document = world.reconcile(&[]);
    let (action, status, why) = said(row(&document, 1));
    assert_eq!((action, status), ("reopened", "TODO"), "{why}");
}

#[test]
fn what_moved_is_anchored_and_what_changed_is_planned_anew_under_its_number() {
    let world = World::new();
    world.write("src/orders.ts", &format!("// Orders.\n// More of them.\n\n\n\n\n{ORDERS}"));
    world.commit("a comment");
    let document = world.reconcile(&["1"]);
    assert_eq!(said(row(&document, 1)).0, "anchored");
    let plan = std::fs::read_dir(world.root().join("plans")).expect("plans");
    let plan = plan.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("/001-"));
    let plan = plan.expect("the plan");
    let text = std::fs::read_to_string(&plan).expect("it is there");
    assert!(text.contains("lines=1"), "{text}");
    assert_eq!(said(row(&world.reconcile(&["1"]), 1)).0, "kept", "and stays so");

    world.write(
        "src/orders.ts",
        &ORDERS.replace("orders", "found").replace("const id of ids", "const id of new Set(ids)"),
    );
    world.commit("other names");
    let document = world.reconcile(&["1"]);
    let (action, status, why) = said(row(&document, 1));
    assert_eq!((action, status), ("renewed", "TODO"), "{why}");
    let anew = std::fs::read_to_string(&plan).expect("it stands where it stood");
    assert!(anew.contains("new Set(ids)") && anew.starts_with("# Plan 001:"), "{anew}");
    assert_eq!(said(row(&world.reconcile(&["1"]), 1)).0, "kept");
}

#[test]
fn what_nobody_can_plan_anew_is_blocked_with_the_reason() {
    let world = World::new();
    world.write("src/total.ts", "let total = 0\n");
    world.commit("another name");
    let output = run(world.root(), &["reconcile", "2"]);
    assert_eq!(output.status.code(), Some(4));
    let page = stdout(&output);
    assert!(page.contains("blocked: Name the running total") && page.contains("none is bound"), "{page}");
    assert!(world.index().contains("BLOCKED — step 1 does not fit any more"), "{}", world.index());
    assert_eq!(said(row(&world.reconcile(&["2"]), 2)).0, "kept", "it was blocked before");
    world.write("src/total.ts", "let sum = 0\n");
    world.commit("the old name");
    let document = world.reconcile(&["2"]);
    assert_eq!(said(row(&document, 2)), ("reopened", "TODO", "it fits the files again"));
}

#[test]
fn work_in_progress_that_nobody_works_on_waits_again() {
    let world = World::new();
    world.mark(1, "IN PROGRESS — me, since Monday");
    let document = world.reconcile(&[]);
    let (action, status, why) = said(row(&document, 1));
    assert_eq!((action, status), ("reopened", "TODO"), "{why}");
}

#[test]
fn a_merged_branch_settles_a_plan_and_one_that_conflicts_is_said() {
    let world = World::new();
    // Not every machine has npm.
    std::fs::remove_file(world.root().join("package.json")).expect("it is there");
    world.commit("nothing to install");
    world.reconcile(&[]);
    let applied = run(world.root(), &["apply", "2", "--trust"]);
    assert_eq!(applied.status.code(), Some(0), "{}{}", stdout(&applied), stderr(&applied));
    let document = world.reconcile(&["2"]);
    assert_eq!(said(row(&document, 2)), ("kept", "DONE", "its branch waits to be looked at and merged"));
    world.write("src/total.ts", "let quite_another = 0\n");
    world.commit("in the way");
    let document = world.reconcile(&["2"]);
    assert!(said(row(&document, 2)).2.contains("no longer merges without conflicts"), "{document}");
    git(world.root(), &["revert", "--no-edit", "HEAD"]);
    git(world.root(), &["merge", "-q", "--no-edit", "improve/002-total"]);
    world.mark(2, "TODO");
    let document = world.reconcile(&["2"]);
    let (action, status, why) = said(row(&document, 2));
    assert_eq!((action, status), ("done", "DONE"));
    assert!(why.starts_with("its branch is merged"), "{why}");
}

#[test]
fn rows_without_a_plan_are_named() {
    let world = World::new();
    std::fs::remove_file(world.root().join("plans/002-total.md")).expect("it was there");
    let text = world.index();
    let row_of_it = text.lines().find(|line| line.contains("001-")).expect("a row");
    let text = text.replace(row_of_it, &format!("{row_of_it}\n{}", row_of_it.replace("001", "007")));
    world.write("plans/README.md", &text);
    let document = world.reconcile(&[]);
    let lost = document["lost"].as_array().expect("a list");
    assert!(lost.len() == 1 && lost[0].as_str().is_some_and(|file| file.contains("007-")), "{document}");
}
