//! Plans from synthetic findings: read whole, accepted by our own lint.

use super::*;
use crate::audit::draft::{EditDraft, ExcerptDraft, GateDraft, ScopeDraft, StepDraft};
use crate::finding::{Category, Confidence, Evidence, Hop, Risk};
use crate::plan::expectation::Expectation;
use crate::plan::lint::lint;
use crate::plan::lint::tests::MemoryTree;
use crate::plan::parse::unreadable_gates;
use crate::repo_map::facts::{FileFacts, LanguageName, Span, Symbol};
use crate::repo_map::recon::{Document, DocumentKind, Package, PackageManager, ProjectCommand, Recon};
use crate::repo_map::{FileHistory, FileRole, ImportTarget, SourceFile};

const API: &str = "import { db } from './db';\n\nexport async function listOrders(ids: string[]) {\n  const out = [];\n  for (const id of ids) {\n    out.push(await db.order.find(id));\n  }\n  return out;\n}\n";
const API_FILE: &str = "packages/api/src/orders.ts";
const TEST_FILE: &str = "packages/api/src/users.test.ts";

fn tree() -> MemoryTree {
    MemoryTree::of(&[
        ("package.json", r#"{"scripts": {"lint": "eslint ."}}"#),
        ("packages/api/package.json", r#"{"scripts": {"test": "vitest", "typecheck": "tsc --noEmit"}}"#),
        (API_FILE, API),
        ("packages/api/src/db.ts", "export const db = connect();\n"),
        (TEST_FILE, "it('works', () => {});\n"),
        ("CONTRIBUTING.md", "# Contributing\n\n- `orders.ts` never runs queries in parallel.\n- Be kind.\n"),
    ])
}

fn source(path: &str, role: FileRole) -> SourceFile {
    let facts = FileFacts { references: Vec::new(), ..FileFacts::default() };
    let history = FileHistory::default();
    SourceFile { path: path.to_owned(), language: LanguageName::TypeScript, role, lines: 9, bytes: 200, history, facts }
}

fn symbol(name: &str) -> Symbol {
    serde_json::from_value(serde_json::json!({
        "name": name, "qualified": name, "kind": "function", "container": null, "member_of": null, "of_trait": null,
        "exported": true, "default_export": false, "is_async": false, "test": false, "has_body": true, "takes_self": false,
        "span": {"start": 0, "end": 1}, "lines": {"start": 1, "end": 1}, "name_line": 1, "signature": "", "parameters": [],
        "return_type": null, "attributes": [], "documented": false, "tokens": 1, "complexity": 1
    }))
    .expect("a symbol")
}

fn command(purpose: CommandPurpose, command: &str, folder: &str) -> ProjectCommand {
    ProjectCommand {
        purpose,
        command: command.to_owned(),
        folder: folder.to_owned(),
        source: "package.json".to_owned(),
    }
}

fn package(folder: &str, commands: Vec<ProjectCommand>) -> Package {
    let manifest = if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
    Package {
        name: folder.to_owned(),
        folder: folder.to_owned(),
        manifest,
        manager: PackageManager::Pnpm,
        workspace_root: folder.is_empty(),
        member_of: None,
        dependencies: Vec::new(),
        commands,
        entry_points: Vec::new(),
        publishable: false,
        scripts: Vec::new(),
    }
}

fn map() -> RepoMap {
    let mut db = source("packages/api/src/db.ts", FileRole::Production);
    db.facts.symbols.push(symbol("connect"));
    let files = vec![db, source(API_FILE, FileRole::Production), source(TEST_FILE, FileRole::Test)];
    let recon = Recon {
        packages: vec![
            package(
                "",
                vec![
                    command(CommandPurpose::Install, "pnpm install", ""),
                    command(CommandPurpose::Lint, "pnpm lint", ""),
                ],
            ),
            package(
                "packages/api",
                vec![
                    command(CommandPurpose::Typecheck, "pnpm typecheck", "packages/api"),
                    command(CommandPurpose::Test, "pnpm test", "packages/api"),
                    command(CommandPurpose::Build, "pnpm no-such-script", "packages/api"),
                ],
            ),
        ],
        documents: vec![Document {
            path: "CONTRIBUTING.md".to_owned(),
            kind: DocumentKind::Contributing,
            title: None,
            commands: Vec::new(),
            links: Vec::new(),
        }],
        ..Recon::default()
    };
    RepoMap {
        targets: vec![Vec::new(); files.len()],
        import_targets: vec![Vec::new(); files.len()],
        handed: Vec::new(),
        files,
        recon,
        ..RepoMap::default()
    }
}

fn finding() -> Finding {
    Finding {
        fingerprint: "00ff00ff00ff00ff".to_owned(),
        rule: "n-plus-one".to_owned(),
        category: Category::Perf,
        title: "A query for every order".to_owned(),
        message: "`listOrders` runs one query for each id, one after the other.".to_owned(),
        impact: 4,
        effort: Effort::S,
        risk: Risk::Med,
        confidence: Confidence::High,
        leverage: 4.0,
        state: None,
        evidence: vec![Evidence::new(API_FILE, 6, 6, "query"), Evidence::new(API_FILE, 5, 5, "loop")],
        call_path: vec![
            Hop { file: API_FILE.to_owned(), line: 6, symbol: "listOrders".to_owned() },
            Hop { file: "packages/api/src/db.ts".to_owned(), line: 1, symbol: "db.order.find".to_owned() },
        ],
        mechanical: true,
        symbol: "listOrders".to_owned(),
        origin: None,
    }
}

fn span_of(text: &str) -> Span {
    let start = API.find(text).expect("the file holds it") as u32;
    Span { start, end: start + text.len() as u32 }
}

fn draft() -> PlanDraft {
    PlanDraft {
        title: "Load all orders with one query".to_owned(),
        why: "Every id costs a round trip. A list of a hundred orders waits for a hundred answers.".to_owned(),
        context: vec!["`db.order.findMany` takes a list of ids.".to_owned()],
        excerpts: vec![ExcerptDraft {
            file: "packages/api/src/db.ts".to_owned(),
            start_line: 1,
            end_line: 1,
            role: "client".to_owned(),
        }],
        steps: vec![StepDraft {
            title: "Replace the loop in `listOrders` by one query".to_owned(),
            instruction: "The loop of `listOrders` becomes one call.".to_owned(),
            edits: vec![
                EditDraft::Replace {
                    file: API_FILE.to_owned(),
                    span: span_of("const out = [];"),
                    text: "const out = await db.order.findMany(ids);".to_owned(),
                },
                EditDraft::Replace {
                    file: API_FILE.to_owned(),
                    span: span_of("  for (const id of ids) {\n    out.push(await db.order.find(id));\n  }\n"),
                    text: String::new(),
                },
            ],
            gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Format)],
        }],
        in_scope: Vec::new(),
        out_of_scope: vec![("the order of the result".to_owned(), "callers sort it themselves.".to_owned())],
        tests: Vec::new(),
        edge_cases: vec!["An empty list of ids.".to_owned()],
        prerequisites: Vec::new(),
        goals: Vec::new(),
        stop_conditions: vec!["`db.order.findMany` does not exist.".to_owned()],
        maintenance: vec!["A page size is needed once lists grow.".to_owned()],
        risk: None,
    }
}

fn plan_context() -> PlanContext {
    PlanContext {
        number: 7,
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        date: "2026-02-03".to_owned(),
        subjects: vec![
            "fix(api): close `db` once".to_owned(),
            "feat: orders".to_owned(),
            "Merge branch 'x'".to_owned(),
        ],
        index: "plans/README.md".to_owned(),
    }
}

/// The plan, after checking what holds for every plan of ours.
fn checked(finding: &Finding, draft: &PlanDraft) -> Plan {
    let (map, tree) = (map(), tree());
    let plan = specify(finding, draft, &map, &tree, &plan_context());
    assert_eq!(lint(&plan, &tree, &map.recon), [], "{}", render::render(&plan));
    assert_eq!(unreadable_gates(&plan), []);
    assert_eq!(parse(&render::render(&plan)).as_ref(), Ok(&plan), "{}", render::render(&plan));
    plan
}

#[test]
fn an_exact_plan_is_complete() {
    insta::assert_snapshot!(render::render(&checked(&finding(), &draft())));
}

#[test]
fn a_plan_that_needs_judgement_is_accepted_too() {
    let mut draft = draft();
    draft.steps[0].edits.clear();
    draft.steps.push(StepDraft {
        title: "Cover `listOrders` with tests".to_owned(),
        instruction: "Write `packages/api/src/orders.test.ts`.".to_owned(),
        edits: Vec::new(),
        gates: vec![GateDraft::NewTests(2)],
    });
    draft.tests = vec!["an empty list".to_owned(), "two orders".to_owned()];
    draft.in_scope = vec![
        ScopeDraft { path: API_FILE.to_owned(), remark: "the loop".to_owned() },
        ScopeDraft { path: "packages/api/src/orders.test.ts".to_owned(), remark: "create".to_owned() },
    ];
    draft.goals = vec![
        GateDraft::TextGone { text: "db.order.find(id)".to_owned(), file: API_FILE.to_owned() },
        GateDraft::NewTests(2),
    ];
    let plan = checked(&finding(), &draft);
    assert_eq!(plan.status.estimate.as_deref(), Some("20 minutes, about 9 000 tokens"));
    assert!(plan.scope.in_scope[1].create);
    let criteria: Vec<(&str, String)> = plan
        .done_criteria
        .iter()
        .flat_map(|criterion| &criterion.gates)
        .map(|gate| (gate.command.as_str(), gate.expectation.to_string()))
        .collect();
    assert_eq!(
        criteria,
        [
            ("git grep -nF -e 'db.order.find(id)' -- packages/api/src/orders.ts", "no output".to_owned()),
            ("cd packages/api && pnpm test", "2 new tests pass".to_owned()),
            ("cd packages/api && pnpm typecheck", "exit 0".to_owned()),
            ("pnpm lint", "exit 0".to_owned()),
        ]
    );
    assert!(plan.current_state.contains("`packages/api/src/db.ts`, the file next to it"), "{}", plan.current_state);
}

#[test]
fn edits_that_cannot_be_exact_are_written_out() {
    let mut draft = draft();
    let overlapping = EditDraft::Replace { file: API_FILE.to_owned(), span: span_of("out = []"), text: "x".to_owned() };
    draft.steps[0].edits.push(overlapping);
    let plan = checked(&finding(), &draft);
    assert_eq!(plan.steps[0].edits, []);
    assert!(
        plan.steps[0].instruction.contains("In `packages/api/src/orders.ts`, line 4, replace"),
        "{}",
        plan.steps[0].instruction
    );
}

#[test]
fn files_are_made_and_removed_exactly() {
    let mut draft = draft();
    draft.steps[0].edits = vec![
        EditDraft::Create { file: "packages/api/src/ids.ts".to_owned(), text: "export type Id = string;\n".to_owned() },
        EditDraft::Delete { file: "packages/api/src/db.ts".to_owned() },
    ];
    draft.excerpts.clear();
    let plan = checked(&finding(), &draft);
    let commands: Vec<&str> = plan.steps[0].gates.iter().map(|gate| gate.command.as_str()).collect();
    assert_eq!(
        commands,
        ["cd packages/api && pnpm typecheck", "test ! -e packages/api/src/db.ts", "test -f packages/api/src/ids.ts"]
    );
}

#[test]
fn a_repository_without_commands_and_commits_gets_a_plan_all_the_same() {
    let (mut map, tree) = (map(), tree());
    map.recon.packages.clear();
    let mut draft = draft();
    draft.steps[0].edits.clear();
    let plan = specify(
        &finding(),
        &draft,
        &map,
        &tree,
        &PlanContext { number: 1, date: "2026-02-03".to_owned(), ..PlanContext::default() },
    );
    assert_eq!(lint(&plan, &tree, &map.recon), [], "{}", render::render(&plan));
    assert_eq!(
        plan.steps[0].gates,
        plan.done_criteria[0]
            .gates
            .iter()
            .map(|gate| Gate { line: plan.steps[0].gates[0].line, ..gate.clone() })
            .collect::<Vec<_>>()
    );
    assert_eq!(plan.drift_check, None);
    assert_eq!(plan.steps[0].gates[0].expectation, Expectation::Exit(0));
}

#[test]
fn the_test_that_calls_the_file_is_the_model() {
    let (mut map, tree) = (map(), tree());
    let nearest = models::test_to_model_on(API_FILE, &map, &tree);
    assert_eq!(nearest, Some((TEST_FILE.to_owned(), "it is the nearest test of the same package")));
    map.import_targets[2] = vec![ImportTarget::File(1)];
    let used = models::test_to_model_on(API_FILE, &map, &tree);
    assert_eq!(used, Some((TEST_FILE.to_owned(), "it exercises this file already")));
}
