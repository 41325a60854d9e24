//! Texts in the forms counted in public plans, and texts that are nothing at all.

use proptest::prelude::*;

use super::*;
use crate::edit::{Block, EditOperation, FileEdit};
use crate::finding::{Category, Effort, Priority, Risk};
use crate::plan::expectation::{Count, Expectation};
use crate::plan::render::render;
use crate::plan::{Plan, ScopeEntry};

/// Line numbers are where things stand in one text; the same plan written again has others.
fn without_lines(plan: &Plan) -> serde_json::Value {
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                for key in ["line", "verify_line"] {
                    if fields.get(key).is_some_and(serde_json::Value::is_number) {
                        fields.insert(key.to_owned(), 0.into());
                    }
                }
                fields.values_mut().for_each(strip);
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(plan).expect("a plan is plain data");
    strip(&mut value);
    value["section_lines"] = serde_json::Value::Null;
    value
}

/// Reads a plan and checks that writing it loses nothing.
fn read(text: &str) -> Plan {
    let plan = parse(text).expect("a plan");
    let again = parse(&render(&plan)).expect("what was written is a plan");
    assert_eq!(without_lines(&again), without_lines(&plan), "{}", render(&plan));
    plan
}

fn with_steps(steps: &str) -> Plan {
    read(&format!("# Plan 1: x\n\n## Steps\n\n{steps}\n"))
}

fn gates(plan: &Plan) -> Vec<(&str, Expectation)> {
    let gates = plan.steps.iter().flat_map(|step| &step.gates);
    gates.map(|gate| (gate.command.as_str(), gate.expectation.clone())).collect()
}

#[test]
fn titles_are_read_in_every_form() {
    let title = |heading: &str| {
        let plan = read(&format!("<!-- generated -->\n# {heading}\n\n## Steps\n\n1. Do it.\n"));
        (plan.number, plan.title)
    };
    let named = |number, title: &str| (number, title.to_owned());
    assert_eq!(title("Plan 007: Load once"), named(Some(7), "Load once"));
    assert_eq!(title("007 - Load once"), named(Some(7), "Load once"));
    assert_eq!(title("Plan 007 (spike): Load once"), named(Some(7), "Load once (spike)"));
    assert_eq!(title("Plan: Load once"), named(None, "Load once"));
    assert_eq!(title("Plan 007：Load once"), named(Some(7), "Load once"));
    assert_eq!(title("Plan 007 — Load once"), named(Some(7), "Load once"));
    assert_eq!(title("Load once"), named(None, "Load once"));
    assert_eq!(title("2FA for everybody"), named(None, "2FA for everybody"));
}

#[test]
fn status_is_read_from_bullets_pipes_tables_and_flat_lines() {
    let expect = |plan: &Plan| {
        let status = &plan.status;
        assert_eq!(status.priority, Some(Priority::P1));
        assert_eq!(status.effort, Some(Effort::M));
        assert_eq!(status.risk, Some(Risk::High));
        assert_eq!(status.category, Some(Category::Bug));
        assert_eq!(status.planned_at_commit.as_deref(), Some("0123abc"));
        assert_eq!(status.planned_at_date.as_deref(), Some("2026-02-03"));
    };
    let rest = "\n## Steps\n\n1. Do it.\n";
    expect(&read(&format!(
        "# Plan 1: x\n\n## Status\n\n- **Priority**: P0 (now)\n- **Effort**: S–M, most of it\n  tests\n- **Risk**: MED-CRITICAL\n- **Category**: correctness / bug\n- **Planned at**: commit `0123abc`, 2026-02-03\n{rest}"
    )));
    expect(&read(&format!(
        "# Plan 1: x\n\n## Status\n\n**Priority:** P1 | **Effort:** Medium | **Risk:** HIGH\n- **Category**: bugs. **Planned at**: 0123abc on 2026-02-03\n{rest}"
    )));
    expect(&read(&format!(
        "# Plan 1: x\n\n## Status\n\n| Field | Value |\n|---|---|\n| Priority | P1 |\n| Effort | M |\n| **Risk** | high |\n| Category | bug |\n| Planned at | `0123abc`, 2026-02-03 |\n{rest}"
    )));
    expect(&read(&format!(
        "# Plan 1: x\n\nPriority: P1\nEffort: M\nRisk: HIGH\nCategory: bug\nPlanned at: commit 0123abc, 2026-02-03\n{rest}"
    )));
}

#[test]
fn dependencies_are_read_in_every_form() {
    let depends = |value: &str| {
        read(&format!("# Plan 1: x\n\n## Status\n\n- **Depends on**: {value}\n\n## Steps\n\n1. Do it.\n"))
            .status
            .depends_on
    };
    assert_eq!(depends("none (002 is nicer first)"), Vec::<String>::new());
    assert_eq!(depends("001, 003"), ["001", "003"]);
    assert_eq!(depends("plans/001-a.md, `plans/002-b.md` (same file)"), ["plans/001-a.md", "plans/002-b.md"]);
    assert_eq!(depends("plan 004 — needs 2 helpers"), ["004"]);
    assert_eq!(depends("[001](001-first.md)"), ["001-first.md"]);
    assert_eq!(depends("plans/001"), ["plans/001"]);
}

#[test]
fn an_excerpt_is_located_wherever_the_place_is_written() {
    let places = |body: &str| {
        let plan = read(&format!("# Plan 1: x\n\n## Current state\n\n{body}\n\n## Steps\n\n1. Do it.\n"));
        plan.excerpts.into_iter().map(|excerpt| (excerpt.file, excerpt.lines, excerpt.text)).collect::<Vec<_>>()
    };
    let at = |file: &str, lines, text: &str| vec![(Some(file.to_owned()), Some(lines), text.to_owned())];
    assert_eq!(places("```ts file=src/a.ts lines=3-4\nx\n```"), at("src/a.ts", (3, 4), "x"));
    assert_eq!(places("- `src/a.ts:3-4` — the loop:\n\n  ```ts\n  x\n    y\n  ```"), at("src/a.ts", (3, 4), "x\n  y"));
    assert_eq!(places("See `src/a.ts`.\n\n```ts\n// a.ts:3–4\nx\n```"), at("src/a.ts", (3, 4), "x"));
    assert_eq!(places("In `src/a.ts`, lines 3 to 4:\n```ts\nx\n```"), at("src/a.ts", (3, 4), "x"));
    assert_eq!(
        places("The file is `src/a.ts`.\n\nText.\n\nMore.\n\nLines 3-4:\n\n```\nx\n```"),
        at("src/a.ts", (3, 4), "x")
    );
}

#[test]
fn scope_items_name_paths_in_every_form() {
    let plan = read(
        "# Plan 1: x\n\n## Scope\n\n**In scope** (the only files):\n- `src/a.ts`, `src/b.ts` — both loops\n- `src/{c,d}.ts:12-40`\n- `tests/new.test.ts` (create)\n- tests in `tests/e.test.ts`\n- src/f.ts (new)\n- whatever imports them\n- `docs/`\n\n**Out of scope:** `src/z.ts` (frozen)\n\n## Steps\n\n1. Do it.\n",
    );
    let entry = |path: Option<&str>, create, text: &str| ScopeEntry {
        path: path.map(str::to_owned),
        create,
        text: text.to_owned(),
    };
    assert_eq!(
        plan.scope.in_scope,
        [
            entry(Some("src/a.ts"), false, "`src/a.ts`"),
            entry(Some("src/b.ts"), false, "`src/b.ts` — both loops"),
            entry(Some("src/{c,d}.ts"), false, "`src/{c,d}.ts:12-40`"),
            entry(Some("tests/new.test.ts"), true, "`tests/new.test.ts` (create)"),
            entry(Some("tests/e.test.ts"), false, "tests in `tests/e.test.ts`"),
            entry(Some("src/f.ts"), true, "src/f.ts (new)"),
            entry(None, false, "whatever imports them"),
            entry(Some("docs/"), false, "`docs/`"),
        ]
    );
    assert_eq!(plan.scope.out_of_scope, ["`src/z.ts` (frozen)"]);
}

#[test]
fn commands_keep_their_pipes_and_their_folder() {
    let plan = read(
        "# Plan 1: x\n\n## Commands you will need\n\n| What | Command (from `ui/`) | Expected |\n|---|---|---|\n| Tests | `pnpm test \\| tee log` | all pass |\n| Both | `pnpm lint`, `pnpm build` | exit 0 |\n| Bare | `rg a|b` | no matches |\n\nNode 22.\n\n## Steps\n\n1. Do it.\n",
    );
    let commands: Vec<_> =
        plan.commands.iter().map(|row| (row.purpose.as_str(), row.command.as_str(), row.expected.as_str())).collect();
    assert_eq!(
        commands,
        [
            ("Tests", "cd ui && pnpm test | tee log", "all pass"),
            ("Both", "cd ui && pnpm lint", "exit 0"),
            ("Both", "cd ui && pnpm build", "exit 0"),
            ("Bare", "cd ui && rg a|b", "no matches"),
        ]
    );
    assert_eq!(plan.commands_notes, "Node 22.");
}

#[test]
fn steps_are_found_in_every_form() {
    let titles = |steps: &str| {
        let plan = with_steps(steps);
        plan.steps.into_iter().map(|step| (step.number, step.title)).collect::<Vec<_>>()
    };
    let two = [(Some(0), "Check".to_owned()), (Some(1), "Change".to_owned())];
    assert_eq!(titles("### Step 0: Check\n\nx\n\n### Step 1: Change\n"), two);
    assert_eq!(titles("### Step 0 — Check\n\n### Step 1 – Change\n"), two);
    assert_eq!(titles("### Step 0 - Check\n\n### Step 1：Change\n"), two);
    assert_eq!(titles("### 0. Check\n\n### 1. Change\n"), two);
    assert_eq!(titles("#### Phase 0: Check\n\n#### Phase 1: Change\n"), two);
    assert_eq!(titles("### Step 0: Check\n\n```md\n### Step 9: no step\n```\n\n### Step 1: Change\n"), two);
    assert_eq!(
        titles("Intro.\n\n1. Check\n2. Change\n"),
        [(Some(1), "Check".to_owned()), (Some(2), "Change".to_owned())]
    );
    let phases = read(
        "# Plan 1: x\n\n## Scope\n\n- `src/a.ts`\n\n## Phase 1: Check\n\nx\n\n## Phase 2: Change\n\ny\n\n## Notes\n\nz\n",
    );
    let found: Vec<_> =
        phases.steps.iter().map(|step| (step.number, step.title.as_str(), step.instruction.as_str())).collect();
    assert_eq!(found, [(Some(1), "Check", "x"), (Some(2), "Change", "y")]);
    assert_eq!(phases.extra_sections[0].after, "Steps");
}

#[test]
fn verify_lines_are_read_in_every_spelling() {
    let expected = [("cargo test", Expectation::AllPass)];
    for verify in [
        "**Verify**: `cargo test` → all pass",
        "**Verify:** `cargo test` -> all pass.",
        "Verify: `cargo test` passes",
        "- **Verify**: `cargo test` → all pass",
        "**Verify (after the change)**: `cargo test` → green",
        "**验证**：`cargo test` → 全部通过",
        "**Verify**:\n\n```bash\ncargo test  # → all pass\n```",
        "**Verify**:\n```sh\n$ cargo test\n```\n\nExpected: all pass.",
        "#### Verify\n\n`cargo test` → all pass",
        "Text first. **Verify**: `cargo test` → all pass",
        "**Verify**: `cargo\ntest` — all tests pass",
    ] {
        let plan = with_steps(&format!("### Step 1: Change\n\nDo it.\n\n{verify}"));
        assert_eq!(gates(&plan), expected, "{verify}");
        assert_eq!(unreadable_gates(&plan), [], "{verify}");
    }
}

#[test]
fn commands_that_share_an_expectation_are_two_gates() {
    let plan = with_steps(
        "### Step 1: Change\n\n**Verify**: `pnpm lint` and `pnpm build` → exit 0; `rg -n 'old' src` → no matches\n",
    );
    assert_eq!(
        gates(&plan),
        [
            ("pnpm lint", Expectation::Exit(0)),
            ("pnpm build", Expectation::Exit(0)),
            ("rg -n 'old' src", Expectation::NoOutput)
        ]
    );
    assert_eq!(gate_count(&plan), 3);
    assert_eq!(step_count(&plan), 1);
}

#[test]
fn a_numbered_item_that_only_checks_is_a_step_with_a_gate() {
    let plan = with_steps(
        "1. Change `a`. Verify: `make` → ok\n2. Verify: `cargo test` passes\n3. **Verify**: `cargo doc` → exit 0",
    );
    let titles: Vec<_> = plan.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles, ["Change `a`.", "Verify", "Verify"]);
    assert!(plan.steps.iter().all(|step| step.instruction.is_empty()));
    let expected =
        [("make", Expectation::AllPass), ("cargo test", Expectation::AllPass), ("cargo doc", Expectation::Exit(0))];
    assert_eq!(gates(&plan), expected);
}

#[test]
fn names_and_values_in_verify_lines_are_no_commands() {
    let plan = with_steps(
        "### Step 1: Change\n\n**Verify**: `node -p 1+1` prints `2`; `rg -c foo src/a.ts` → ≥ 2; both in `src/a.ts`\n",
    );
    let at_least_two = Expectation::Matches(r"(^|:)\s*(2|[1-9]\d{1,}|[3-9]\d{0})\s*$".to_owned());
    assert_eq!(
        gates(&plan),
        [("node -p 1+1", Expectation::Contains("2".to_owned())), ("rg -c foo src/a.ts", at_least_two)]
    );
    assert_ne!(gates(&plan)[1].1, Expectation::Lines(Count::AtLeast(2)), "a count is printed, not lines");
}

#[test]
fn what_no_program_can_check_is_reported_with_its_line() {
    let text = "# Plan 1: x\n\n## Steps\n\n### Step 1: Change\n\n**Verify**: the page looks right\n\n### Step 2: More\n\n**Verify**: `rg foo src` → only the shim remains\n";
    let plan = read(text);
    assert_eq!(
        unreadable_gates(&plan),
        [
            UnreadableGate { line: 7, text: "the page looks right".to_owned(), step: 1 },
            UnreadableGate { line: 11, text: "`rg foo src`: only the shim remains".to_owned(), step: 2 },
        ]
    );
    assert_eq!(gate_count(&plan), 1);
}

#[test]
fn exact_edits_are_taken_out_of_the_instruction() {
    let plan = with_steps(
        "### Step 1: Change\n\nBefore.\n\n````edit file=src/a.ts\n<<<<<<< SEARCH\n```\n=======\n>>>>>>> REPLACE\n````\n\nAfter.\n\n```edit file=b op=delete\n```\n\n```edit file=c\nbroken\n```\n",
    );
    let step = &plan.steps[0];
    assert_eq!(step.instruction, "Before.\n\nAfter.\n\n```edit file=c\nbroken\n```");
    let block = Block { search: "```".to_owned(), replace: String::new() };
    assert_eq!(
        step.edits,
        [
            FileEdit { file: "src/a.ts".to_owned(), operation: EditOperation::Replace(vec![block]) },
            FileEdit { file: "b".to_owned(), operation: EditOperation::Delete },
        ]
    );
}

#[test]
fn a_fence_closed_by_its_own_nested_fence_swallows_no_section() {
    let plan = read(
        "# Plan 1: x\n\n## Current state\n\n```md\nouter\n```ts\ncode\n```\nrest\n```\n\n## Scope\n\n- `src/a.ts`\n\n## Steps\n\n1. Do it:\n\n```ts\nx\n```\n\n## Maintenance notes\n\nNone.\n",
    );
    assert_eq!(plan.scope.in_scope.len(), 1);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.maintenance, "None.");
}

#[test]
fn a_heading_inside_a_sound_fence_is_text() {
    let plan =
        read("# Plan 1: x\n\n## Why this matters\n\n```md\n## Scope\n\n- `src/no.ts`\n```\n\n## Steps\n\n1. Do it.\n");
    assert_eq!(plan.scope.in_scope, []);
    assert!(plan.why.contains("## Scope"));
}

#[test]
fn unknown_sections_keep_their_text_and_place() {
    let plan = read(
        "# Plan 1: x\n\n## MUST NOT\n\n- break it\n\n## Scope\n\n- `src/a.ts`\n\n## Open questions\n\nnone\n\n## Steps\n\n1. Do it.\n",
    );
    let extra: Vec<_> = plan
        .extra_sections
        .iter()
        .map(|extra| (extra.heading.as_str(), extra.body.as_str(), extra.after.as_str()))
        .collect();
    assert_eq!(extra, [("MUST NOT", "- break it", ""), ("Open questions", "none", "Scope")]);
}

#[test]
fn line_ends_and_byte_order_marks_make_no_difference() {
    let text = "# Plan 1: x\n\n## Steps\n\n### Step 1: Change\n\n**Verify**: `cargo test` → all pass\n";
    assert_eq!(parse(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), parse(text));
}

#[test]
fn the_drift_check_is_one_command_however_it_is_broken() {
    let drift = |quote: &str| read(&format!("# Plan 1: x\n\n{quote}\n\n## Steps\n\n1. Do it.\n")).drift_check;
    let expected = Some("git diff --stat abc1234..HEAD -- src/a.ts src/b.ts".to_owned());
    assert_eq!(drift("> **Drift check (run first)**: `git diff --stat abc1234..HEAD -- src/a.ts src/b.ts`"), expected);
    assert_eq!(
        drift("> **Drift check**: `git diff --stat abc1234..HEAD --`\n> `src/a.ts src/b.ts`\n> then compare."),
        expected
    );
    assert_eq!(
        drift("> **Drift check**:\n> ```\n> git diff --stat abc1234..HEAD -- \\\n>   src/a.ts src/b.ts\n> ```"),
        expected
    );
}

#[test]
fn what_is_no_plan_is_said_with_the_reason() {
    assert_eq!(parse(" \n"), Err(NotAPlan::Empty));
    assert_eq!(parse("just text\n"), Err(NotAPlan::NoTitle));
    assert_eq!(parse("# Read me\n\n## Install\n\nx\n"), Err(NotAPlan::NoSection { title: "Read me".to_owned() }));
}

/// Lines of which plans, whole and broken, are made.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,40}",
        1 => "\\PC{0,20}",
        4 => proptest::sample::select(vec![
            "# Plan 001: x", "## Status", "## Steps", "## Scope", "## Done criteria", "## STOP conditions", "## Current state",
            "## Commands you will need", "## Other", "### Step 1: Change", "### Step 2 — More", "## Phase 1: a", "```", "```ts", "````md",
            "- **Priority**: P1", "**In scope**:", "**Out of scope**: none", "- `src/a.ts` (new)", "- [ ] `pnpm test` exits 0",
            "**Verify**: `cargo test` → all pass", "- **Verify**:", "  - `pnpm lint`; `pnpm test` → pass", "1. Do `x`. Verify: `make` → ok",
            "| Purpose | Command | Expected |", "|---|---|---|", "| a | `b \\| c` | d |", "<!--", "-->", "", "", "> **Drift check**: `git diff`",
            "```edit file=src/a.ts", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "**Checkpoint**: ask", "**Input**: {{step_1.output}}",
        ]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,400}") {
        let _ = parse(&text);
        let _ = parse(&format!("# Plan 1: x\n\n## Steps\n\n{text}"));
    }

    #[test]
    fn no_lines_make_the_parser_or_the_renderer_panic(lines in proptest::collection::vec(line(), 0..40)) {
        if let Ok(plan) = parse(&format!("# Plan 1: x\n\n## Steps\n\n1. x\n\n{}", lines.join("\n"))) {
            let _ = unreadable_gates(&plan);
            prop_assert!(parse(&render(&plan)).is_ok());
        }
    }
}
