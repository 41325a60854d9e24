//! What an executor makes of a model's replies, against scripted ones, on a bench in memory.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::advisor::{Advisor, PlannerAdvisor};
use super::limits::Limits;
use super::{Bench, BenchError, Carried, Checked, Done, Executor, ModelExecutor, Task};
use crate::edit::apply::Changes;
use crate::gate::GateResult;
use crate::model::tests::{Desk, Scene, bound};
use crate::plan::Plan;
use crate::plan::expectation::Expectation;
use crate::plan::parse::parse;
use crate::receipt::{Halted, StepReceipt, WorkReceipt};
use crate::repo_map::RepoMap;

const PLAN: &str = "\
# Plan 001: Greet politely

## Current state

```ts file=src/greet.ts lines=1-3
export function greet(name: string) {
  return name;
}
```

## Scope

**In scope** (nothing else may change):

- `src/greet.ts`
- `src/new.ts` (create)

## Steps

### Step 1: Say hello in `greet`

Return `Hello, ` and the name.

**Verify**: `npm test` → all pass

## STOP conditions

- `greet` is not there
";

/// Files in memory; the gate is green when `greet` says hello.
struct Memory {
    files: BTreeMap<String, String>,
    runs: usize,
}

impl Memory {
    fn new() -> Memory {
        let greet = "export function greet(name: string) {\n  return name;\n}\n";
        Memory { files: BTreeMap::from([("src/greet.ts".to_owned(), greet.to_owned())]), runs: 0 }
    }
}

impl Bench for Memory {
    fn text(&self, file: &str) -> Option<String> {
        self.files.get(file).cloned()
    }

    fn in_scope(&self, file: &str) -> bool {
        ["src/greet.ts", "src/new.ts"].contains(&file)
    }

    fn write(&mut self, changes: &Changes) -> Result<(), BenchError> {
        for (file, text) in &changes.files {
            match text {
                Some(text) => self.files.insert(file.clone(), text.clone()),
                None => self.files.remove(file),
            };
        }
        Ok(())
    }

    fn run_gates(&mut self) -> Result<Checked, BenchError> {
        self.runs += 1;
        let green = self.files.values().any(|text| text.contains("Hello"));
        let result = GateResult {
            command: "npm test".to_owned(),
            expectation: Expectation::AllPass,
            expected: "all pass".to_owned(),
            green,
            why: if green { "all pass" } else { "exit 1" }.to_owned(),
            exit_code: Some(i32::from(!green)),
            signal: None,
            timed_out: false,
            cancelled: false,
            duration_ms: 5,
            stdout: if green { String::new() } else { "FAIL greets\nexpected Hello, Ada".to_owned() },
            stderr: String::new(),
            tests: None,
            remembered: false,
        };
        let red = (!green).then(|| "`npm test`: exit 1".to_owned());
        Ok(Checked { results: vec![result], red })
    }
}

fn plan() -> Plan {
    parse(PLAN).expect("it is one")
}

fn calls(calls: &[(&str, Value)]) -> Scene {
    let content: Vec<Value> = calls
        .iter()
        .enumerate()
        .map(|(at, (name, input))| json!({"type": "tool_use", "id": format!("toolu_{at}"), "name": name, "input": input}))
        .collect();
    Scene::Json(
        200,
        vec![],
        json!({
            "id": "msg", "model": "claude-haiku-5-5", "content": content, "stop_reason": "tool_use",
            "usage": {"input_tokens": 1000, "output_tokens": 50},
        }),
    )
}

fn text(text: &str) -> Scene {
    Scene::Json(
        200,
        vec![],
        json!({
            "id": "msg", "model": "claude-haiku-5-5", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 1000, "output_tokens": 10},
        }),
    )
}

fn hello() -> (&'static str, Value) {
    ("edit", json!({"file": "src/greet.ts", "old": "  return name;", "new": "  return `Hello, ${name}`;"}))
}

struct Ran {
    carried: Carried,
    bench: Memory,
    asked: Vec<Value>,
}

fn run(scenes: Vec<Scene>) -> Ran {
    run_with(scenes, Limits::default(), &[])
}

fn run_with(scenes: Vec<Scene>, limits: Limits, earlier: &[StepReceipt]) -> Ran {
    let desk = Desk::new(scenes);
    let session = desk.session();
    let (executor, planner) = (bound("anthropic", "claude-haiku-5-5"), bound("anthropic", "claude-opus-5-5"));
    let advisor = PlannerAdvisor { session: &session, bound: &planner };
    let plan = plan();
    let map = RepoMap::default();
    let model = ModelExecutor {
        session: &session,
        bound: &executor,
        map: &map,
        advisor: Some(&advisor as &dyn Advisor),
        limits,
    };
    let mut bench = Memory::new();
    let task = Task {
        plan: &plan,
        plan_text: PLAN,
        plan_path: "plans/001-greet.md",
        index: 0,
        earlier,
        red: &[],
        beginnings: 0,
    };
    let carried = model.carry_out(&task, &mut bench).expect("the bench is whole");
    drop(session);
    Ran { carried, bench, asked: desk.asked() }
}

impl Ran {
    fn work(&self) -> &WorkReceipt {
        match &self.carried {
            Carried::Out(Done { work: Some(work), .. }) | Carried::Halted { work, .. } => work,
            other => panic!("no model did this: {other:?}"),
        }
    }

    fn halted(&self) -> Option<Halted> {
        match &self.carried {
            Carried::Halted { halted, .. } => Some(*halted),
            _ => None,
        }
    }

    /// What the model was told in its `index`th request, as text.
    fn told(&self, index: usize) -> String {
        self.asked[index]["messages"].to_string()
    }
}

#[test]
fn a_model_edits_and_hands_in_and_the_gates_decide() {
    let ran = run(vec![calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(
        ran.bench.files["src/greet.ts"],
        "export function greet(name: string) {\n  return `Hello, ${name}`;\n}\n"
    );
    let work = ran.work();
    assert_eq!((work.attempts, work.rounds, work.calls, work.edits, work.refused), (1, 2, 1, 1, 0));
    assert_eq!((work.prompt_tokens, work.output_tokens, work.said.as_str()), (2_000, 60, "Done."));
    assert!(work.nano_usd.is_some_and(|cost| cost > 0));
    assert_eq!(ran.bench.runs, 1);
    let first = ran.told(0);
    assert!(first.contains("Plan 001: Greet politely") && first.contains("STOP conditions"), "the plan word for word");
    assert!(first.contains("src/greet.ts, whole:") && first.contains("src/new.ts: does not exist"), "{first}");
}

#[test]
fn a_red_gate_is_shown_once_and_then_the_step_is_given_up() {
    let wrong = ("edit", json!({"file": "src/greet.ts", "old": "  return name;", "new": "  return name + '!';"}));
    let ran = run(vec![calls(std::slice::from_ref(&wrong)), text("Done."), text("It is done, really.")]);
    assert_eq!(ran.halted(), Some(Halted::RedGates));
    assert!(ran.told(2).contains("expected Hello, Ada"), "the model saw why");
    let Carried::Halted { placed, .. } = &ran.carried else { unreachable!() };
    assert_eq!(placed.len(), 1, "an edit that was placed counts, whatever became of the step");
    let mended = ("edit", json!({"file": "src/greet.ts", "old": "name + '!'", "new": "`Hello, ${name}`"}));
    let whole =
        ("edit", json!({"file": "src/greet.ts", "old": "  return name + '!';", "new": "  return `Hello, ${name}`;"}));
    let ran = run(vec![calls(&[wrong]), text("Done."), calls(&[mended]), calls(&[whole]), text("Now.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(ran.work().attempts, 2);
}

#[test]
fn an_edit_that_does_not_fit_is_answered_with_what_is_there() {
    let stale = ("edit", json!({"file": "src/greet.ts", "old": "  return nom;", "new": "  return `Hello`;"}));
    let outside = ("edit", json!({"file": "src/other.ts", "old": "a", "new": "b"}));
    let ran = run(vec![calls(&[stale, outside]), calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    let told = ran.told(1);
    assert!(told.contains("NOT_FOUND") && told.contains("return name;"), "{told}");
    assert!(told.contains("OUT_OF_SCOPE"), "{told}");
    assert_eq!(ran.work().refused, 2);
}

#[test]
fn of_a_message_every_edit_that_is_refused_counts() {
    let edit = |old: &str| json!({"file": "src/greet.ts", "old": old, "new": "x"});
    let patch = |old: &str| format!("src/greet.ts\n<<<<<<< SEARCH\n{old}\n=======\nx\n>>>>>>> REPLACE\n");
    let several = format!("```\n{}\n{}```", patch("  return nom;"), patch("  return nam;"));
    let ran = run(vec![text(&several), calls(&[("edit", edit("no such line"))]), calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(ran.work().refused, 3);
}

#[test]
fn a_model_that_changes_nothing_is_told_so_once() {
    let ran = run(vec![text("Done."), calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert!(ran.told(1).contains("You changed no file"));
    let ran = run(vec![text("Done."), text("Done."), text("Done.")]);
    assert_eq!(ran.halted(), Some(Halted::RedGates));
}

#[test]
fn stop_is_an_outcome_of_its_own() {
    let ran = run(vec![calls(&[("stop", json!({"reason": "src/greet.ts:1: `greet` is a constant"}))])]);
    assert_eq!(ran.halted(), Some(Halted::Stopped));
    let Carried::Halted { why, .. } = &ran.carried else { unreachable!() };
    assert_eq!(why, "src/greet.ts:1: `greet` is a constant");
    assert_eq!(ran.bench.runs, 0);
}

#[test]
fn questions_to_the_planner_are_counted_over_the_whole_plan() {
    let ask = |question: &str| calls(&[("ask_planner", json!({"question": question}))]);
    let ran = run(vec![ask("Which greeting?"), text("Hello, with a comma."), calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(ran.work().questions[0].answer, "Hello, with a comma.");
    assert!(ran.told(2).contains("Hello, with a comma."));
    let mut earlier = crate::apply::steps::not_reached(0, &plan().steps[0]);
    let asked = WorkReceipt { questions: vec![Default::default(); 2], ..WorkReceipt::default() };
    earlier.work = Some(Box::new(asked));
    let ran = run_with(vec![ask("Which?"), calls(&[hello()]), text("Done.")], Limits::default(), &[earlier]);
    assert!(ran.told(1).contains("questions are asked"), "{}", ran.told(1));
}

#[test]
fn edits_written_as_text_are_carried_out_too() {
    let patch = "Here it is:\n\n```\nsrc/greet.ts\n<<<<<<< SEARCH\n  return name;\n=======\n  return `Hello, ${name}`;\n>>>>>>> REPLACE\n```";
    let ran = run(vec![text(patch), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(ran.work().edits, 1);
}

#[test]
fn useless_replies_and_repeated_calls_end_the_work() {
    let lost = || calls(&[("shell", json!({"command": "ls"}))]);
    let ran = run(vec![lost(), lost(), lost()]);
    assert_eq!(ran.halted(), Some(Halted::Malformed));
    let read = || calls(&[("read", json!({"file": "src/greet.ts", "first_line": null, "last_line": null}))]);
    let ran = run(vec![read(), read(), read(), read()]);
    assert_eq!(ran.halted(), Some(Halted::RepeatedCalls));
}

#[test]
fn a_conversation_that_grows_too_long_begins_anew_with_the_files_as_they_are() {
    let limits = Limits { context: 900, ..Limits::default() };
    let ran = run_with(vec![calls(&[hello()]), text("Done.")], limits, &[]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert_eq!(ran.asked[1]["messages"].as_array().map(Vec::len), Some(1), "a new conversation");
    assert!(ran.told(1).contains("changed src/greet.ts") && ran.told(1).contains("Hello, ${name}"), "{}", ran.told(1));
    let read = |line: u32| calls(&[("read", json!({"file": "src/greet.ts", "first_line": line, "last_line": null}))]);
    let ran = run_with(vec![read(1), read(2), read(3)], limits, &[]);
    assert_eq!(ran.halted(), Some(Halted::OutOfContext));
}

#[test]
fn an_answer_that_was_cut_is_not_acted_upon() {
    let cut = json!({
        "id": "msg", "model": "claude-haiku-5-5", "stop_reason": "max_tokens",
        "content": [{"type": "tool_use", "id": "toolu_0", "name": "delete", "input": {"file": "src/greet.ts"}}],
        "usage": {"input_tokens": 10, "output_tokens": 16000},
    });
    let ran = run(vec![Scene::Json(200, vec![], cut), calls(&[hello()]), text("Done.")]);
    assert!(matches!(ran.carried, Carried::Out(_)), "{:?}", ran.carried);
    assert!(ran.told(1).contains("cut off"));
}

#[test]
fn no_credential_of_a_file_reaches_the_model() {
    let key = ["AKIA", "IOSFODNN7EXAMPLQ"].concat();
    let limits = Limits::default();
    let desk = Desk::new(vec![text("Done."), text("Done."), text("Done.")]);
    let session = desk.session();
    let executor = bound("anthropic", "claude-haiku-5-5");
    let map = RepoMap::default();
    let plan = plan();
    let model = ModelExecutor { session: &session, bound: &executor, map: &map, advisor: None, limits };
    let mut bench = Memory::new();
    bench.files.insert("src/greet.ts".to_owned(), format!("const key = \"{key}\";\n"));
    let task = Task {
        plan: &plan,
        plan_text: PLAN,
        plan_path: "plans/001-greet.md",
        index: 0,
        earlier: &[],
        red: &[],
        beginnings: 0,
    };
    model.carry_out(&task, &mut bench).expect("the bench is whole");
    assert!(!desk.asked().iter().any(|request| request.to_string().contains(&key)));
}
