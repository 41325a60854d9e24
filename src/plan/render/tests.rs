//! The round trip: what is written is read back, for every plan `improve` can write.

use proptest::prelude::*;

use super::*;
use crate::edit::{Block, EditOperation, FileEdit};
use crate::finding::{Category, Effort, Priority, Risk};
use crate::plan::expectation::{Count, Expectation};
use crate::plan::parse::parse;
use crate::plan::{Criterion, Excerpt, Gate, PlanCommand, Scope, ScopeEntry};

/// Line numbers are where things stand in one text; the same plan written again has others.
pub(crate) fn without_lines(mut plan: Plan) -> Plan {
    plan.section_lines.clear();
    plan.excerpts.iter_mut().for_each(|excerpt| excerpt.line = 0);
    for step in &mut plan.steps {
        (step.line, step.verify_line) = (0, 0);
        step.gates.iter_mut().for_each(|gate| gate.line = 0);
    }
    for criterion in &mut plan.done_criteria {
        criterion.line = 0;
        criterion.gates.iter_mut().for_each(|gate| gate.line = 0);
    }
    plan
}

fn gate(command: &str, expectation: Expectation) -> Gate {
    Gate { command: command.to_owned(), expected: expectation.to_string(), expectation, line: 0 }
}

fn criterion(gate: Gate) -> Criterion {
    let text = gates::write(std::slice::from_ref(&gate));
    Criterion { checked: false, text, gates: vec![gate], line: 0 }
}

fn excerpt(file: &str, lines: (u32, u32), language: &str, text: &str) -> (String, Excerpt) {
    let fence = crate::plan::markdown::fence_for(text);
    let written = format!(
        "- `{file}` — the loop (lines {}-{}):\n\n{fence}{language} file={} lines={}-{}\n{text}\n{fence}",
        lines.0,
        lines.1,
        edits::quoted(file),
        lines.0,
        lines.1
    );
    let excerpt = Excerpt {
        file: Some(file.to_owned()),
        lines: Some(lines),
        language: language.to_owned(),
        text: text.to_owned(),
        line: 0,
    };
    (written, excerpt)
}

fn full_plan() -> Plan {
    let (current_state, quoted) =
        excerpt("src/orders/api.ts", (12, 14), "ts", "for (const id of ids) {\n  out.push(await db.find(id));\n}");
    let mut status = Status {
        priority: Some(Priority::P1),
        effort: Some(Effort::S),
        risk: Some(Risk::Low),
        depends_on: vec!["plans/001-add-tests.md".to_owned()],
        category: Some(Category::Perf),
        planned_at_commit: Some("0123abcd".to_owned()),
        planned_at_date: Some("2026-02-03".to_owned()),
        planner: Some("built-in".to_owned()),
        finding: Some("00ff00ff00ff00ff".to_owned()),
        estimate: Some("20 minutes, 0 tokens".to_owned()),
        issue: None,
        raw: Vec::new(),
    };
    status.raw = status_lines(&status);
    let gates = vec![
        gate("pnpm test", Expectation::AllPass),
        gate("git grep -nF -e 'db.find(id)' -- src/orders/api.ts", Expectation::NoOutput),
    ];
    Plan {
        number: Some(2),
        title: "Load orders in one query".to_owned(),
        preamble: "> **Drift check (run first)**: `git diff --stat 0123abcd..HEAD -- src/orders/api.ts`".to_owned(),
        drift_check: Some("git diff --stat 0123abcd..HEAD -- src/orders/api.ts".to_owned()),
        status,
        why: "Every order costs a query.".to_owned(),
        current_state,
        excerpts: vec![quoted],
        commands: vec![PlanCommand {
            purpose: "Tests".to_owned(),
            command: "pnpm test | tee 'a`b'".to_owned(),
            expected: "all pass".to_owned(),
        }],
        commands_notes: "Run at the root.".to_owned(),
        scope: Scope {
            in_scope: vec![
                ScopeEntry {
                    path: Some("src/orders/api.ts".to_owned()),
                    create: false,
                    text: "`src/orders/api.ts`".to_owned(),
                },
                ScopeEntry {
                    path: Some("src/orders/api.test.ts".to_owned()),
                    create: true,
                    text: "`src/orders/api.test.ts` (create)".to_owned(),
                },
            ],
            out_of_scope: vec!["`src/orders/legacy.ts` — it goes away with the old client.".to_owned()],
            notes: String::new(),
        },
        git_workflow: "- Branch: `improve/002-load-orders-in-one-query`".to_owned(),
        steps_intro: String::new(),
        steps: vec![Step {
            number: Some(1),
            title: "Ask for all ids at once".to_owned(),
            instruction: "Replace the loop in `listOrders`.".to_owned(),
            edits: vec![FileEdit {
                file: "src/orders/api.ts".to_owned(),
                operation: EditOperation::Replace(vec![Block {
                    search: "  out.push(await db.find(id));".to_owned(),
                    replace: "  out.push(found.get(id));".to_owned(),
                }]),
            }],
            verify_text: gates::write(&gates),
            gates: gates.clone(),
            checkpoint: Some("the endpoint is live; go on?".to_owned()),
            fields: vec![("Expected output".to_owned(), "one query".to_owned())],
            ..Step::default()
        }],
        prerequisites: "- Node 22.".to_owned(),
        test_plan: "- `src/orders/api.test.ts`: an empty list, one order, a missing order.".to_owned(),
        edge_cases: "- The same id twice.".to_owned(),
        done_criteria: gates.into_iter().map(criterion).collect(),
        done_notes: String::new(),
        stop_conditions: vec!["`db.findMany` does not exist.".to_owned()],
        stop_notes: "Stop and say why when:".to_owned(),
        maintenance: "- Pages of orders need the same treatment.".to_owned(),
        extra_sections: vec![ExtraSection {
            heading: "Rollback".to_owned(),
            body: "Revert the commit.".to_owned(),
            after: "Done criteria".to_owned(),
        }],
        section_lines: Default::default(),
    }
}

#[test]
fn a_full_plan_is_written_in_the_documented_form() {
    insta::assert_snapshot!(render(&full_plan()));
}

#[test]
fn a_full_plan_is_read_back_whole() {
    assert_eq!(parse(&render(&full_plan())).map(without_lines), Ok(full_plan()));
}

/// Prose without anything that Markdown or the format gives a meaning.
fn prose() -> impl Strategy<Value = String> {
    "[A-Z][a-z]{1,8}( [a-z]{1,9}){0,6}( `[a-z_]{1,8}\\(\\)`)?( [a-z]{2,8}){1,3}\\."
}

fn path() -> impl Strategy<Value = String> {
    "(src|lib|packages/[a-z]{1,5})(/[a-z][a-z0-9-]{0,6}){1,3}\\.(ts|rs|tsx)"
}

fn code() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ -~]{0,30}", 1..6).prop_map(|lines| lines.join("\n")).prop_filter(
        "an excerpt has text, and no line of its own that says where it is from",
        |text| {
            let first = text.lines().next().unwrap_or_default().trim_start();
            let comment = ["//", "#", "--", "/*", "<", ";", "{", "%"].iter().any(|mark| first.starts_with(mark));
            !text.trim().is_empty() && !comment && !text.ends_with('\n')
        },
    )
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let count = prop_oneof![
        (0_u32..99).prop_map(Count::Exactly),
        (0_u32..99).prop_map(Count::AtLeast),
        (0_u32..99).prop_map(Count::AtMost)
    ];
    let one = prop_oneof![
        (0_i32..130).prop_map(Expectation::Exit),
        Just(Expectation::Fails),
        Just(Expectation::NoOutput),
        Just(Expectation::AllPass),
        "[ -~]{1,20}".prop_map(Expectation::Contains),
        "[a-z.*+/ ^$]{1,12}[a-z]".prop_map(Expectation::Matches),
        count.clone().prop_map(Expectation::Lines),
        count.prop_map(Expectation::Passed),
        (1_u32..40).prop_map(Expectation::NewTests),
    ];
    prop_oneof![4 => one.clone(), 1 => proptest::collection::vec(one, 2..4).prop_map(Expectation::All)]
}

fn any_gate() -> impl Strategy<Value = Gate> {
    let command = prop_oneof![
        Just("pnpm test".to_owned()),
        Just("cargo clippy --all-targets -- -D warnings".to_owned()),
        "git grep -nF -e '[a-z`|;, .(]{1,12}' -- src/[a-z]{1,6}\\.ts",
        "cd packages/[a-z]{1,6} && pnpm run [a-z:]{1,8}",
        "tool-[a-z]{1,6} --flag [a-z]{1,5}",
    ];
    (command, expectation()).prop_map(|(command, expectation)| gate(&command, expectation))
}

fn file_edit() -> impl Strategy<Value = FileEdit> {
    let text = proptest::collection::vec("[ -~]{0,24}", 1..5).prop_map(|lines| lines.join("\n"));
    let search = text.clone().prop_filter("something to search for", |text| {
        text.lines().any(|line| !line.is_empty()) && !text.ends_with('\n')
    });
    let block = (search, text.clone()).prop_filter_map("no line break at the end", |(search, replace)| {
        let blank = replace.starts_with('\n') && replace.trim().is_empty();
        (!replace.ends_with('\n') && !blank).then_some(Block { search, replace })
    });
    let blocks = proptest::collection::vec(block, 1..3);
    let operation = prop_oneof![
        blocks.clone().prop_map(EditOperation::Replace),
        text.prop_map(|text| EditOperation::Create(format!("{text}\n"))),
        Just(EditOperation::Create("no line break at the end".to_owned())),
        Just(EditOperation::Delete),
        (path(), blocks).prop_map(|(to, blocks)| EditOperation::Rename { to, blocks }),
    ];
    (path(), operation).prop_map(|(file, operation)| FileEdit { file, operation })
}

fn any_step() -> impl Strategy<Value = Step> {
    let gates = proptest::collection::vec(any_gate(), 0..4);
    let title = "[A-Z][a-z]{1,8}( `?[a-z]{1,9})?( [a-z]{1,9}){0,4}";
    let edits = proptest::collection::vec(file_edit(), 0..3);
    (title, proptest::collection::vec(prose(), 0..3), edits, gates, proptest::option::of(prose())).prop_map(
        |(title, paragraphs, edits, gates, checkpoint)| Step {
            title,
            instruction: paragraphs.join("\n\n"),
            edits,
            verify_text: gates::write(&gates),
            gates,
            checkpoint,
            ..Step::default()
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let excerpts = proptest::collection::vec((path(), 1_u32..500, 0_u32..40, code()), 0..4);
    let scope = proptest::collection::vec((path(), any::<bool>(), proptest::option::of(prose())), 1..4);
    let texts = proptest::collection::vec(prose(), 9..10);
    let steps = proptest::collection::vec(any_step(), 1..5);
    let done = proptest::collection::vec(any_gate(), 0..4);
    let stop = proptest::collection::vec(prose(), 0..4);
    (0_u32..2000, excerpts, scope, texts, steps, done, stop).prop_map(
        |(number, excerpts, scope, texts, steps, done, stop)| {
            let mut plan = full_plan();
            plan.number = Some(number);
            plan.title = texts[0].trim_end_matches('.').to_owned();
            plan.why = texts[1].clone();
            let (written, quoted): (Vec<_>, Vec<_>) = excerpts
                .iter()
                .map(|(path, start, more, text)| excerpt(path, (*start, start + more), "ts", text))
                .unzip();
            plan.current_state = format!("{}\n\n{}", texts[2], written.join("\n\n")).trim_end().to_owned();
            plan.excerpts = quoted;
            plan.scope.in_scope = scope
                .into_iter()
                .map(|(path, create, remark)| {
                    let mark = if create { " (create)" } else { "" };
                    let remark = remark.map(|remark| format!(" — {remark}")).unwrap_or_default();
                    ScopeEntry { text: format!("`{path}`{mark}{remark}"), path: Some(path), create }
                })
                .collect();
            plan.scope.notes = texts[3].clone();
            plan.git_workflow = texts[4].clone();
            plan.prerequisites = String::new();
            plan.test_plan = texts[5].clone();
            plan.edge_cases = texts[6].clone();
            plan.steps = steps;
            plan.steps.iter_mut().zip(1..).for_each(|(step, number)| step.number = Some(number));
            plan.done_criteria = done.into_iter().map(criterion).collect();
            plan.stop_conditions = stop;
            plan.maintenance = texts[7].clone();
            plan.extra_sections[0].body = texts[8].clone();
            plan.extra_sections[0].after =
                if plan.done_criteria.is_empty() { "Edge cases" } else { "Done criteria" }.to_owned();
            if plan.stop_conditions.is_empty() {
                plan.stop_notes = String::new();
            }
            plan
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_we_can_write_is_read_back(plan in any_plan()) {
        let text = render(&plan);
        let read = parse(&text).map(without_lines);
        prop_assert_eq!(read, Ok(plan), "{}", text);
    }
}
