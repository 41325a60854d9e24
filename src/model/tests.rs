//! What a session makes of answers and faults, against scripted servers.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::agent_cli::{Agents, NoAgents};
use super::conversation::{Conversation, Opening, Part, Tool};
use super::error::{RefusalKind, ReplyFault};
use super::ledger::{Ledger, Line};
use super::provider::Provider;
use super::replies::Replies;
use super::retry::RetryPolicy;
use super::roles::{Because, Bound, Via};
use super::session::{Clock, Deaf, Question, Session, Tally};
use super::structured::{NoTools, Purpose, Toolbox};
use super::*;
use crate::cancel::Cancel;
use crate::http::{Answer, Call, Listener, Transport, TransportFault};

mod batches;

/// Answers from a list, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Scene>>,
    asked: Mutex<Vec<Value>>,
}

pub(crate) enum Scene {
    Json(u16, Vec<(&'static str, &'static str)>, Value),
    Events(Vec<(&'static str, Value)>),
    Fault(TransportFault),
}

impl Transport for Scripted {
    fn send(&self, call: &Call<'_>, listener: &mut Listener<'_>, _cancel: &Cancel) -> Result<Answer, TransportFault> {
        self.asked.lock().unwrap().push(serde_json::from_slice(call.body.unwrap()).unwrap());
        match self.answers.lock().unwrap().pop_front().expect("the script has an answer for every call") {
            Scene::Fault(fault) => Err(fault),
            Scene::Events(events) => {
                events.iter().for_each(|(name, data)| listener(name, &data.to_string()));
                Ok(Answer { status: 200, streamed: true, ..Answer::default() })
            }
            Scene::Json(status, headers, body) => Ok(Answer {
                status,
                headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
                body: body.to_string().into_bytes(),
                streamed: false,
            }),
        }
    }
}

/// Time passes by waiting alone.
pub(crate) struct StoppedClock(Mutex<(SystemTime, Vec<Duration>)>);

impl StoppedClock {
    fn new() -> StoppedClock {
        StoppedClock(Mutex::new((SystemTime::UNIX_EPOCH, Vec::new())))
    }

    fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap().0
    }

    fn wait(&self, duration: Duration, _cancel: &Cancel) {
        let mut state = self.0.lock().unwrap();
        state.0 += duration;
        state.1.push(duration);
    }
}

/// A place for one test's ledger and replies.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    server: Scripted,
    clock: StoppedClock,
    pub(crate) limit: Option<NanoDollars>,
    agents: Box<dyn Agents>,
}

impl Desk {
    pub(crate) fn new(answers: Vec<Scene>) -> Desk {
        Desk {
            folder: tempfile::tempdir().unwrap(),
            server: Scripted { answers: Mutex::new(answers.into()), asked: Mutex::default() },
            clock: StoppedClock::new(),
            limit: None,
            agents: Box::new(NoAgents),
        }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session {
            transport: &self.server,
            agents: self.agents.as_ref(),
            ledger: Ledger::within(self.folder.path()),
            replies: Replies::within(self.folder.path()),
            budget: budget::Budget::new(self.limit),
            policy: RetryPolicy::default(),
            clock: &self.clock,
            cancel: Cancel::new(),
            listener: &Deaf,
            run: "run".to_owned(),
            tally: Tally::default(),
            dry_run: false,
            batcher: None,
        }
    }

    pub(crate) fn ledger(&self) -> Vec<Line> {
        Ledger::within(self.folder.path()).read().unwrap().lines
    }

    pub(crate) fn asked(&self) -> Vec<Value> {
        self.server.asked.lock().unwrap().clone()
    }
}

pub(crate) fn bound(provider: &str, model: &str) -> Bound {
    let provider = Provider::built_in().iter().find(|it| it.name == provider).unwrap();
    Bound {
        via: Via::Server(provider.located(&|_| Some("hush".to_owned()))),
        model: model.to_owned(),
        entry: catalogue::entry(&provider.name, model).cloned(),
        own_price: None,
        reasoning: None,
        because: Because::Said("test".to_owned()),
    }
}

fn opus() -> Bound {
    bound("anthropic", "claude-opus-5-5")
}

fn told(text: &str) -> Conversation {
    let mut conversation = Conversation::new(Opening { system: "Be brief.".to_owned(), ..Opening::default() });
    conversation.tell([Part::Text(text.to_owned())]);
    conversation
}

fn ask(session: &Session<'_>, bound: &Bound, conversation: &Conversation) -> Result<Reply, ModelError> {
    session.ask(&Question { role: Role::Planner, bound, conversation, max_output: 1_000, purpose: "vet", plan: None })
}

fn message(text: &str) -> Value {
    json!({
        "id": "msg_1", "model": "claude-opus-5-5", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 10},
    })
}

fn ok(text: &str) -> Scene {
    Scene::Json(200, vec![("request-id", "req_1")], message(text))
}

#[test]
fn a_question_costs_what_the_ledger_says_and_nothing_the_second_time() {
    let desk = Desk::new(vec![ok("yes")]);
    let session = desk.session();
    let first = ask(&session, &opus(), &told("is it?")).unwrap();
    assert_eq!(first.text, "yes");
    let again = desk.session();
    assert_eq!(ask(&again, &opus(), &told("is it?")).unwrap(), first);
    assert_eq!((again.summary().calls, again.summary().kept), (0, 1));
    let usage = Usage { fresh: 100, cache_read: 50, output: 10, ..Usage::default() };
    // 100 x $4 + 50 x $0.20 + 10 x $20 a million.
    let cost = NanoDollars(610_000);
    assert_eq!(session.summary().spent.known, cost);
    let [line] = desk.ledger().try_into().unwrap();
    assert_eq!((line.usage, line.cost, line.request_id.as_deref()), (Some(usage), Some(cost), Some("req_1")));
}

#[test]
fn a_later_run_finds_the_reply_whatever_wire_it_came_over() {
    let output = json!([{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}]);
    let response =
        json!({"id": "r", "status": "completed", "output": output, "usage": {"input_tokens": 9, "output_tokens": 1}});
    let completion =
        json!({"choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]});
    let cases = [(bound("openai", "gpt-6.1-sol"), response), (bound("openrouter", "some/model"), completion)];
    for (bound, answer) in cases {
        let desk = Desk::new(vec![Scene::Json(200, vec![], answer)]);
        for run in ["first", "second"] {
            let session = Session { run: run.to_owned(), ..desk.session() };
            assert_eq!(ask(&session, &bound, &told("is it?")).unwrap().text, "yes", "{} {run}", bound.name());
        }
    }
}

#[test]
fn an_overloaded_server_is_asked_again_and_every_try_is_on_record() {
    let desk = Desk::new(vec![
        Scene::Json(529, vec![], json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})),
        Scene::Json(429, vec![("retry-after", "7")], json!({"error": {"type": "rate_limit_error"}})),
        Scene::Fault(TransportFault::Cut),
        ok("yes"),
    ]);
    let session = desk.session();
    ask(&session, &opus(), &told("is it?")).unwrap();
    let waits = desk.clock.waits();
    assert_eq!(waits[1], Duration::from_secs(7));
    assert!(waits[0] <= Duration::from_millis(500) && waits[2] <= Duration::from_secs(2), "{waits:?}");
    let outcomes: Vec<_> = desk.ledger().into_iter().map(|line| (line.attempt, line.outcome, line.cost)).collect();
    let expected = [
        (1, "server_error", Some(NanoDollars(0))),
        (2, "rate_limit", Some(NanoDollars(0))),
        (3, "unreachable", None),
        (4, "end", Some(NanoDollars(610_000))),
    ];
    assert_eq!(outcomes, expected.map(|(attempt, outcome, cost)| (attempt, outcome.to_owned(), cost)));
    assert!(session.summary().spent.known > NanoDollars(610_000), "a cut answer may be billed, so it is booked");
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    let error = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "no"}});
    let cases = [
        (401, error("authentication_error"), RefusalKind::Unauthorized),
        (403, error("permission_error"), RefusalKind::Forbidden),
        (404, error("not_found_error"), RefusalKind::NotFound),
        (413, error("request_too_large"), RefusalKind::TooLarge),
        (400, error("invalid_request_error"), RefusalKind::BadRequest),
        (429, json!({"error": {"code": "insufficient_quota"}}), RefusalKind::Billing),
    ];
    for (status, body, kind) in cases {
        let desk = Desk::new(vec![Scene::Json(status, vec![], body)]);
        match ask(&desk.session(), &opus(), &told("is it?")) {
            Err(ModelError::Refused { refusal, .. }) => assert_eq!(refusal.kind, kind),
            other => panic!("{status}: {other:?}"),
        }
        assert_eq!(desk.clock.waits(), Vec::<Duration>::new());
    }
}

#[test]
fn a_server_that_wants_an_hour_is_believed() {
    let busy = || Scene::Json(429, vec![("retry-after", "3600")], json!({"error": {"type": "rate_limit_error"}}));
    let desk = Desk::new(vec![busy()]);
    let error = ask(&desk.session(), &opus(), &told("is it?")).unwrap_err();
    assert!(matches!(error, ModelError::Exhausted { attempts: 1, .. }), "{error}");
}

#[test]
fn a_skewed_clock_does_not_stretch_a_wait() {
    let date = vec![("date", "Sat, 21 Nov 2026 10:00:00 GMT"), ("retry-after", "Sat, 21 Nov 2026 10:00:04 GMT")];
    let desk = Desk::new(vec![Scene::Json(503, date, json!({})), ok("yes")]);
    ask(&desk.session(), &opus(), &told("is it?")).unwrap();
    assert_eq!(desk.clock.waits(), [Duration::from_secs(4)]);
}

#[test]
fn the_call_that_would_break_the_budget_is_not_made() {
    let mut desk = Desk::new(vec![ok("yes")]);
    desk.limit = NanoDollars::parse("0.021");
    let session = desk.session();
    ask(&session, &opus(), &told("is it?")).unwrap();
    let error = ask(&session, &opus(), &told("and this?")).unwrap_err();
    assert!(matches!(error, ModelError::OverBudget { .. }), "{error}");
    assert_eq!(desk.asked().len(), 1);
}

#[test]
fn a_budget_needs_a_price() {
    let mut desk = Desk::new(vec![]);
    desk.limit = NanoDollars::parse("1");
    let error = ask(&desk.session(), &bound("anthropic", "claude-unheard-of"), &told("is it?")).unwrap_err();
    assert!(matches!(error, ModelError::Unpriced { .. }), "{error}");
}

#[test]
fn a_stream_without_its_closing_event_is_cut_however_well_it_ended() {
    let start = || {
        vec![
            (
                "message_start",
                json!({"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 5}}}),
            ),
            (
                "content_block_start",
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            ),
            (
                "content_block_delta",
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ye"}}),
            ),
            ("ping", json!({"type": "ping"})),
            (
                "content_block_delta",
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "s"}}),
            ),
        ]
    };
    let mut whole = start();
    whole.push((
        "message_delta",
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
    ));
    whole.push(("message_stop", json!({"type": "message_stop"})));
    let desk = Desk::new(vec![Scene::Events(start()), Scene::Events(whole)]);
    let session = desk.session();
    let conversation = told("is it?");
    let question = Question {
        role: Role::Planner,
        bound: &opus(),
        conversation: &conversation,
        max_output: 32_000,
        purpose: "vet",
        plan: None,
    };
    let reply = session.ask(&question).unwrap();
    assert_eq!((reply.text.as_str(), reply.usage), ("yes", Some(Usage { fresh: 5, output: 3, ..Usage::default() })));
    let outcomes: Vec<String> = desk.ledger().into_iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, ["cut", "end"]);
    assert_eq!(desk.asked()[0]["stream"], json!(true));
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Answered {
    line: u32,
}

/// Reads files that do not exist, except one.
struct OneFile;

impl Toolbox for OneFile {
    fn call(&mut self, name: &str, input: &Value) -> Result<String, String> {
        assert_eq!(name, "read");
        match input["path"].as_str() {
            Some("a.ts") => Ok("let apiKey = 'AKIAQYLPMN5HFIQR7XYA';".to_owned()),
            _ => Err("no such file".to_owned()),
        }
    }
}

fn with_tool() -> Conversation {
    let tool = Tool {
        name: "read".to_owned(),
        description: "Reads a file.".to_owned(),
        input: json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"], "additionalProperties": false}),
    };
    let output = Some(schema::output::<Answered>("answer"));
    let mut conversation = Conversation::new(Opening { system: "Answer.".to_owned(), tools: vec![tool], output });
    conversation.tell([Part::Text("Which line?".to_owned())]);
    conversation
}

fn call(name: &str, input: Value) -> Scene {
    let content = json!([
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "tool_use", "id": "t1", "name": name, "input": input},
    ]);
    Scene::Json(
        200,
        vec![],
        json!({"content": content, "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}),
    )
}

fn purpose(bound: &Bound) -> Purpose<'_> {
    Purpose { role: Role::Planner, bound, what: "vet", plan: None, max_output: 1_000, rounds: 2 }
}

#[test]
fn tools_run_between_the_question_and_the_answer_and_blocks_go_back_as_they_came() {
    let desk = Desk::new(vec![call("read", json!({"path": "a.ts"})), ok(r#"{"line": 7}"#)]);
    let bound = opus();
    let mut conversation = with_tool();
    let answer: Answered = desk.session().answer(&purpose(&bound), &mut conversation, &mut OneFile).unwrap();
    assert_eq!(answer, Answered { line: 7 });
    let second = &desk.asked()[1]["messages"];
    assert_eq!(second[1]["content"][0], json!({"type": "thinking", "thinking": "", "signature": "sig"}));
    assert_eq!(second[2]["content"][0]["content"], "let apiKey = '[secret:aws-access-key]';");
}

#[test]
fn an_answer_of_the_wrong_form_goes_back_once_with_the_reason() {
    let desk = Desk::new(vec![ok(r#"{"line": "seven"}"#), ok("Here:\n```json\n{\"line\": 7}\n```")]);
    let bound = opus();
    let answer: Answered = desk.session().answer(&purpose(&bound), &mut with_tool(), &mut NoTools).unwrap();
    assert_eq!(answer, Answered { line: 7 });
    let told = desk.asked()[1]["messages"][2]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(told.contains("at `line`: invalid type: string \"seven\""), "{told}");

    let desk = Desk::new(vec![ok(r#"{"line": "seven"}"#), ok(r#"{"line": "eight"}"#)]);
    let error = desk.session().answer::<Answered>(&purpose(&bound), &mut with_tool(), &mut NoTools).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { fault: ReplyFault::Form(_), .. }), "{error}");
}

#[test]
fn a_model_that_never_answers_is_stopped() {
    let read = || call("read", json!({"path": "a.ts"}));
    let desk = Desk::new(vec![read(), read(), read(), read()]);
    let bound = opus();
    let error = desk.session().answer::<Answered>(&purpose(&bound), &mut with_tool(), &mut OneFile).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { fault: ReplyFault::Endless(_), .. }), "{error}");
    let told = desk.asked()[3]["messages"][6]["content"][0]["content"].as_str().unwrap().to_owned();
    assert!(told.starts_with("no more calls"), "it was told first: {told}");

    let lost = || call("shell", json!({"command": "ls"}));
    let desk = Desk::new(vec![lost(), lost(), lost()]);
    let purpose = Purpose { rounds: 20, ..purpose(&bound) };
    let error = desk.session().answer::<Answered>(&purpose, &mut with_tool(), &mut OneFile).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { fault: ReplyFault::Endless(3), .. }), "{error}");
}

#[test]
fn a_call_that_was_cut_is_never_run() {
    let cut = json!([{"type": "tool_use", "id": "t", "name": "read", "input": "{\"path\": \"a."}]);
    let desk = Desk::new(vec![Scene::Json(200, vec![], json!({"content": cut, "stop_reason": "max_tokens"}))]);
    let bound = opus();
    struct Never;
    impl Toolbox for Never {
        fn call(&mut self, _name: &str, _input: &Value) -> Result<String, String> {
            panic!("it was run")
        }
    }
    let error = desk.session().answer::<Answered>(&purpose(&bound), &mut with_tool(), &mut Never).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { fault: ReplyFault::Length(_), .. }), "{error}");
}

#[test]
fn refusals_and_silence_are_told_apart() {
    let refusal = json!({"content": [], "stop_reason": "refusal", "stop_details": {"category": "cyber"}});
    let bound = opus();
    let desk = Desk::new(vec![Scene::Json(200, vec![], refusal)]);
    let error = desk.session().answer::<Answered>(&purpose(&bound), &mut with_tool(), &mut NoTools).unwrap_err();
    let fault = ReplyFault::Refused(Some("cyber".to_owned()));
    assert_eq!(error, ModelError::Unusable { model: "anthropic/claude-opus-5-5".to_owned(), fault });
    let empty = || Scene::Json(200, vec![], json!({"content": [], "stop_reason": "end_turn"}));
    let desk = Desk::new((0..5).map(|_| empty()).collect());
    let error = ask(&desk.session(), &bound, &told("is it?")).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { fault: ReplyFault::Empty, .. }), "{error}");
}

#[test]
fn an_empty_answer_costs_what_it_says_and_not_what_was_set_aside() {
    let empty = || {
        let usage = json!({"input_tokens": 100, "output_tokens": 10});
        Scene::Json(200, vec![], json!({"content": [], "stop_reason": "end_turn", "usage": usage}))
    };
    let mut desk = Desk::new((0..5).map(|_| empty()).collect());
    desk.limit = Some(NanoDollars(1_000_000_000));
    let session = desk.session();
    ask(&session, &opus(), &told("is it?")).unwrap_err();
    let lines = desk.ledger();
    // 100 x $4 + 10 x $20 a million, each time.
    assert!(lines.iter().all(|line| line.cost == Some(NanoDollars(600_000))), "{lines:?}");
    assert_eq!(session.summary().spent.known, NanoDollars(600_000 * lines.len() as u64));
}
