//! Questions that go by a batch, against a vendor that is played.

use std::collections::BTreeMap;

use super::*;
use crate::http::Method;
use crate::model::batch::records::Records;
use crate::model::batch::{BatchFault, Batcher};
use crate::model::budget::Budget;

/// A vendor with a batch endpoint, of either kind.
#[derive(Default)]
struct Vendor {
    /// What it says when somebody looks; in the end every batch has ended.
    looks: Mutex<VecDeque<Look>>,
    /// What it says to a submission, before it takes one.
    submissions: Mutex<VecDeque<Look>>,
    /// The line of a question's result, by its text; answered where nothing is said.
    results: BTreeMap<&'static str, Outcome>,
    /// How a batch at OpenAI ends.
    ends: Option<&'static str>,
    /// Method, path and body of every request.
    seen: Mutex<Vec<(Method, String, String)>>,
    /// Batches, each with its questions: id and text.
    batches: Mutex<Vec<Vec<(String, String)>>>,
    /// Files of questions.
    files: Mutex<Vec<Vec<(String, String)>>>,
}

enum Look {
    Open(u64),
    Status(u16, Vec<(&'static str, &'static str)>),
    Fault(TransportFault),
    /// The user presses ctrl-C.
    Stop,
}

/// A line of results.
#[derive(Clone)]
enum Outcome {
    Says(&'static str),
    Is(Value),
    Damaged,
    Absent,
}

const WORDS: [&str; 3] = ["one?", "two?", "three?"];

fn text_of(body: &Value) -> String {
    let all = body.to_string();
    let word = WORDS.iter().chain(&["Which line?"]).find(|word| all.contains(*word));
    word.map_or(all.clone(), |word| (*word).to_owned())
}

impl Vendor {
    fn take(&self, questions: Vec<(String, String)>) -> usize {
        let mut batches = self.batches.lock().unwrap();
        batches.push(questions);
        batches.len()
    }

    fn submissions(&self) -> usize {
        self.batches.lock().unwrap().len()
    }

    fn looked(&self) -> usize {
        let is_look = |(method, path, _): &&(Method, String, String)| {
            *method == Method::Get && !path.ends_with("results") && !path.ends_with("content")
        };
        self.seen.lock().unwrap().iter().filter(is_look).count()
    }

    /// Lines of results, the last question first.
    fn lines(&self, batch: usize, line: &dyn Fn(&str, &Outcome) -> Option<String>) -> Answer {
        let questions = self.batches.lock().unwrap()[batch - 1].clone();
        let lines = questions.iter().rev().filter_map(|(id, text)| {
            let said = self.results.get(text.as_str()).cloned().unwrap_or(Outcome::Says("yes"));
            line(id, &said)
        });
        Answer { status: 200, body: lines.collect::<Vec<_>>().join("\n").into_bytes(), ..Answer::default() }
    }

    fn anthropic(&self, method: Method, path: &str, body: &str) -> Answer {
        let batch = |at: usize, status: &str, done: u64| {
            let total = self.batches.lock().unwrap()[at - 1].len() as u64;
            let counts =
                json!({"processing": total - done, "succeeded": done, "errored": 0, "canceled": 0, "expired": 0});
            json!({"id": format!("msgbatch_{at}"), "type": "message_batch", "processing_status": status, "request_counts": counts})
        };
        let json = |body: Value| Answer { status: 200, body: body.to_string().into_bytes(), ..Answer::default() };
        if method == Method::Post {
            assert_eq!(path, "/v1/messages/batches");
            let body: Value = serde_json::from_str(body).unwrap();
            let requests = body["requests"].as_array().unwrap();
            let questions = requests.iter().map(|request| {
                assert_eq!(request["params"].get("stream"), None);
                (request["custom_id"].as_str().unwrap().to_owned(), text_of(&request["params"]))
            });
            let at = self.take(questions.collect());
            return json(batch(at, "in_progress", 0));
        }
        let (id, results) = match path.strip_suffix("/results") {
            Some(path) => (path, true),
            None => (path, false),
        };
        let at: usize = id.strip_prefix("/v1/messages/batches/msgbatch_").unwrap().parse().unwrap();
        if results {
            return self.lines(at, &|id, said| {
                Some(match said {
                    Outcome::Says(text) => {
                        json!({"custom_id": id, "result": {"type": "succeeded", "message": message(text)}}).to_string()
                    }
                    Outcome::Is(result) => json!({"custom_id": id, "result": result}).to_string(),
                    Outcome::Damaged => format!("{{\"custom_id\": \"{id}\", \"resu"),
                    Outcome::Absent => return None,
                })
            });
        }
        match self.looks.lock().unwrap().pop_front() {
            Some(Look::Open(done)) => json(batch(at, "in_progress", done)),
            _ => json(batch(at, "ended", 0)),
        }
    }

    fn openai(&self, method: Method, path: &str, body: &str) -> Answer {
        let json = |body: Value| Answer { status: 200, body: body.to_string().into_bytes(), ..Answer::default() };
        match (method, path) {
            (Method::Post, "/files") => {
                assert!(body.contains("name=\"purpose\"\r\n\r\nbatch\r\n"), "{body}");
                let lines = body.lines().filter(|line| line.starts_with('{'));
                let questions = lines.map(|line| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert_eq!((&line["method"], &line["url"]), (&json!("POST"), &json!("/v1/responses")));
                    (line["custom_id"].as_str().unwrap().to_owned(), text_of(&line["body"]))
                });
                let mut files = self.files.lock().unwrap();
                files.push(questions.collect());
                json(json!({"id": format!("file-{}", files.len()), "object": "file", "purpose": "batch"}))
            }
            (Method::Post, "/batches") => {
                let body: Value = serde_json::from_str(body).unwrap();
                assert_eq!(
                    body,
                    json!({"input_file_id": body["input_file_id"], "endpoint": "/v1/responses", "completion_window": "24h"})
                );
                let file: usize =
                    body["input_file_id"].as_str().unwrap().strip_prefix("file-").unwrap().parse().unwrap();
                let questions = self.files.lock().unwrap()[file - 1].clone();
                let at = self.take(questions);
                json(json!({"id": format!("batch_{at}"), "object": "batch", "status": "validating"}))
            }
            (Method::Get, path) if path.starts_with("/files/") => {
                let wanted = if path.starts_with("/files/out-") { "out" } else { "err" };
                let at = path.split('-').nth(1).unwrap().strip_suffix("/content").unwrap().parse().unwrap();
                self.lines(at, &|id, said| {
                    let line = |file: &str, response: Value, error: Value| {
                        let line = json!({"id": "r", "custom_id": id, "response": response, "error": error});
                        (file == wanted).then(|| line.to_string())
                    };
                    match said {
                        Outcome::Says(text) => {
                            let content = json!([{"type": "output_text", "text": text}]);
                            let output = json!([{"type": "message", "role": "assistant", "content": content}]);
                            let usage = json!({"input_tokens": 100, "output_tokens": 10});
                            let body = json!({"id": "resp", "status": "completed", "output": output, "usage": usage});
                            line("out", json!({"status_code": 200, "request_id": "req_9", "body": body}), Value::Null)
                        }
                        Outcome::Is(error) => line("err", Value::Null, error.clone()),
                        Outcome::Damaged | Outcome::Absent => None,
                    }
                })
            }
            (_, path) => {
                let at = path.strip_prefix("/batches/batch_").expect("no other path is asked for");
                let status = match self.looks.lock().unwrap().pop_front() {
                    Some(Look::Open(_)) => "in_progress",
                    _ => self.ends.unwrap_or("completed"),
                };
                let files = json!({"output_file_id": format!("out-{at}"), "error_file_id": format!("err-{at}")});
                json(
                    json!({"id": format!("batch_{at}"), "status": status, "request_counts": {"total": 3, "completed": 1, "failed": 0},
                    "output_file_id": files["output_file_id"], "error_file_id": files["error_file_id"]}),
                )
            }
        }
    }
}

impl Transport for Vendor {
    fn send(&self, call: &Call<'_>, _listener: &mut Listener<'_>, cancel: &Cancel) -> Result<Answer, TransportFault> {
        let body = String::from_utf8(call.body.unwrap_or_default().to_vec()).unwrap();
        // The base URL of a test's provider.
        let path = call.url.strip_prefix("hush").expect("no other host is asked");
        self.seen.lock().unwrap().push((call.method, path.to_owned(), body.clone()));
        let script = match call.method {
            Method::Post if path.ends_with("batches") => &self.submissions,
            Method::Post | Method::Patch => &Mutex::default(),
            Method::Get => &self.looks,
        };
        let mut script = script.lock().unwrap();
        match script.front() {
            None | Some(Look::Open(_)) => {}
            Some(Look::Stop) => {
                script.pop_front();
                cancel.cancel();
                return Err(TransportFault::Cancelled);
            }
            Some(Look::Fault(fault)) => {
                let fault = fault.clone();
                script.pop_front();
                return Err(fault);
            }
            Some(Look::Status(status, headers)) => {
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                let answer = Answer { status: *status, headers, body: b"{}".to_vec(), streamed: false };
                script.pop_front();
                return Ok(answer);
            }
        }
        drop(script);
        Ok(match path.starts_with("/v1/") {
            true => self.anthropic(call.method, path, &body),
            false => self.openai(call.method, path, &body),
        })
    }
}

/// A run against `vendor`.
fn run<'a>(desk: &'a Desk, vendor: &'a Vendor) -> Session<'a> {
    Session { transport: vendor, batcher: Some(Batcher::within(desk.folder.path())), ..desk.session() }
}

/// What came of each question, asked together.
fn ask_all(session: &Session<'_>, bound: &Bound, words: &[&str]) -> Vec<Result<String, ModelError>> {
    let seats = session.seats(words.len(), 1);
    std::thread::scope(|scope| {
        let asking: Vec<_> = words
            .iter()
            .zip(seats)
            .map(|(word, seat)| {
                scope.spawn(move || {
                    let _seat = seat;
                    ask(session, bound, &told(word)).map(|reply| reply.text)
                })
            })
            .collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn open(desk: &Desk) -> Vec<String> {
    let records = Records::within(desk.folder.path()).open(SystemTime::UNIX_EPOCH);
    records.into_iter().map(|record| record.id).collect()
}

fn sol() -> Bound {
    bound("openai", "gpt-6.1-sol")
}

fn says(said: [&'static str; 3]) -> BTreeMap<&'static str, Outcome> {
    WORDS.into_iter().zip(said.map(Outcome::Says)).collect()
}

fn texts(said: &[&str]) -> Vec<Result<String, ModelError>> {
    said.iter().map(|text| Ok((*text).to_owned())).collect()
}

fn fault(bound: &Bound, fault: BatchFault) -> Result<String, ModelError> {
    Err(ModelError::Batch { model: bound.name(), fault })
}

#[test]
fn questions_go_together_for_half_the_price_and_each_gets_its_own_answer() {
    // 100 x $4 + 50 x $0.20 + 10 x $20 a million, and 100 x $2 + 10 x $10; halved.
    for (bound, cost, id) in [(opus(), 305_000, "msg_1"), (sol(), 150_000, "req_9")] {
        let desk = Desk::new(vec![]);
        let looks = Mutex::new(VecDeque::from([Look::Open(0), Look::Open(2)]));
        let vendor = Vendor { results: says(["1", "2", "3"]), looks, ..Vendor::default() };
        let session = run(&desk, &vendor);
        assert_eq!(ask_all(&session, &bound, &WORDS), texts(&["1", "2", "3"]), "{}", bound.name());
        assert_eq!((vendor.submissions(), vendor.looked()), (1, 3));
        let lines = desk.ledger();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert!(line.batch);
            assert_eq!((line.cost, line.request_id.as_deref()), (Some(NanoDollars(cost)), Some(id)));
        }
        assert_eq!((session.summary().spent.known, session.summary().calls), (NanoDollars(3 * cost), 3));
        assert_eq!(open(&desk), Vec::<String>::new());

        let again = run(&desk, &vendor);
        assert_eq!(ask_all(&again, &bound, &WORDS), texts(&["1", "2", "3"]));
        assert_eq!((vendor.submissions(), again.summary().kept), (1, 3), "what was answered is kept");
        // The same question outside a batch is the same question.
        let at_once = Session { transport: &vendor, ..desk.session() };
        assert_eq!(ask(&at_once, &bound, &told("one?")).unwrap().text, "1");
    }
}

#[test]
fn every_end_of_a_question_is_told_apart_and_only_what_has_no_answer_is_submitted_again() {
    let desk = Desk::new(vec![]);
    let bound = opus();
    let results = BTreeMap::from([
        ("one?", Outcome::Is(json!({"type": "expired"}))),
        (
            "two?",
            Outcome::Is(
                json!({"type": "errored", "error": {"type": "error", "error": {"type": "not_found_error", "message": "no such model"}}}),
            ),
        ),
        ("three?", Outcome::Says("3")),
    ]);
    let vendor = Vendor { results, ..Vendor::default() };
    let answers = ask_all(&run(&desk, &vendor), &bound, &WORDS);
    assert_eq!(answers[0], fault(&bound, BatchFault::Expired { id: "msgbatch_1".to_owned() }));
    match &answers[1] {
        Err(error @ ModelError::Refused { refusal, .. }) => {
            assert_eq!((refusal.kind, error.is_setup()), (RefusalKind::NotFound, true));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(answers[2], Ok("3".to_owned()));
    let mut outcomes: Vec<_> = desk.ledger().into_iter().map(|line| (line.outcome, line.cost)).collect();
    outcomes.sort();
    let nothing = Some(NanoDollars::ZERO);
    let expected = [("end", Some(NanoDollars(305_000))), ("expired", nothing), ("not_found", nothing)];
    assert_eq!(outcomes, expected.map(|(outcome, cost)| (outcome.to_owned(), cost)));

    let vendor = Vendor { results: says(["1", "2", "never"]), ..Vendor::default() };
    assert_eq!(ask_all(&run(&desk, &vendor), &bound, &WORDS), texts(&["1", "2", "3"]));
    let submitted = vendor.batches.lock().unwrap()[0].iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
    assert_eq!((submitted.len(), submitted.contains(&"three?".to_owned())), (2, false));
}

#[test]
fn a_batch_that_expired_or_was_cancelled_as_a_whole_keeps_what_was_answered() {
    let expired = json!({"code": "batch_expired", "message": "This request could not be executed."});
    for (ends, what) in [("expired", "expired"), ("cancelled", "cancelled")] {
        let desk = Desk::new(vec![]);
        let bound = sol();
        let results = BTreeMap::from([
            ("one?", Outcome::Absent),
            ("two?", if what == "expired" { Outcome::Is(expired.clone()) } else { Outcome::Absent }),
            ("three?", Outcome::Says("3")),
        ]);
        let vendor = Vendor { results, ends: Some(ends), ..Vendor::default() };
        let answers = ask_all(&run(&desk, &vendor), &bound, &WORDS);
        let id = "batch_1".to_owned();
        let lost = match what {
            "expired" => BatchFault::Expired { id },
            _ => BatchFault::Cancelled { id },
        };
        assert_eq!(answers, [fault(&bound, lost.clone()), fault(&bound, lost), Ok("3".to_owned())]);
        assert_eq!(open(&desk), Vec::<String>::new());
    }
}

#[test]
fn a_line_that_cannot_be_read_hides_no_other_and_may_have_been_billed() {
    let desk = Desk::new(vec![]);
    let bound = opus();
    let results =
        BTreeMap::from([("one?", Outcome::Says("1")), ("two?", Outcome::Damaged), ("three?", Outcome::Says("3"))]);
    let vendor = Vendor { results, ..Vendor::default() };
    let session = run(&desk, &vendor);
    let answers = ask_all(&session, &bound, &WORDS);
    let missing = fault(&bound, BatchFault::Missing { id: "msgbatch_1".to_owned() });
    assert_eq!(answers, [Ok("1".to_owned()), missing, Ok("3".to_owned())]);
    let line = desk.ledger().into_iter().find(|line| line.outcome == "missing").unwrap();
    assert_eq!(line.cost, None);
    assert!(session.summary().spent.known > NanoDollars(610_000), "what may be billed is booked");
}

#[test]
fn a_run_that_was_stopped_leaves_its_batch_to_the_next_one() {
    for bound in [opus(), sol()] {
        let desk = Desk::new(vec![]);
        let looks = Mutex::new(VecDeque::from([Look::Open(0), Look::Stop]));
        let vendor = Vendor { results: says(["1", "2", "3"]), looks, ..Vendor::default() };
        let stopped = run(&desk, &vendor);
        let cancelled = || Err(ModelError::Cancelled);
        assert_eq!(ask_all(&stopped, &bound, &WORDS), [cancelled(), cancelled(), cancelled()]);
        assert_eq!((open(&desk).len(), desk.ledger().len()), (1, 0));
        assert_eq!(stopped.summary().spent.known, NanoDollars::ZERO, "who fetches it books it");
        let record = std::fs::read_dir(desk.folder.path().join("batches")).unwrap().flatten();
        for file in record {
            let text = std::fs::read_to_string(file.path()).unwrap();
            assert!(!text.contains("one?") && !text.contains("hush"), "neither questions nor keys: {text}");
        }

        // The next run asks less, may spend nothing, and is not the one that submitted them.
        let poor = Session { budget: Budget::new(Some(NanoDollars(1))), ..run(&desk, &vendor) };
        assert_eq!(ask_all(&poor, &bound, &["two?"]), texts(&["2"]), "{}", bound.name());
        assert_eq!(vendor.submissions(), 1);
        let costs: Vec<_> = desk.ledger().into_iter().map(|line| line.cost).collect();
        assert_eq!(costs.len(), 3, "all that was paid for is in the ledger");
        assert_eq!(poor.summary().spent.known, costs.into_iter().flatten().sum());

        assert_eq!(ask_all(&run(&desk, &vendor), &bound, &WORDS), texts(&["1", "2", "3"]));
        assert_eq!((vendor.submissions(), open(&desk).len()), (1, 0));
    }
}

#[test]
fn what_is_not_in_an_open_batch_goes_into_a_new_one() {
    let desk = Desk::new(vec![]);
    let bound = opus();
    let looks = Mutex::new(VecDeque::from([Look::Stop]));
    let vendor = Vendor { results: says(["1", "2", "3"]), looks, ..Vendor::default() };
    ask_all(&run(&desk, &vendor), &bound, &["one?", "two?"]);
    assert_eq!(ask_all(&run(&desk, &vendor), &bound, &WORDS), texts(&["1", "2", "3"]));
    let sizes: Vec<usize> = vendor.batches.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 1]);
}

#[test]
fn another_model_is_another_batch() {
    let desk = Desk::new(vec![]);
    let vendor = Vendor::default();
    let session = run(&desk, &vendor);
    let (one, other) = (opus(), bound("anthropic", "claude-sonnet-5-5"));
    let seats = session.seats(2, 1);
    std::thread::scope(|scope| {
        for (bound, seat) in [&one, &other].into_iter().zip(seats) {
            let session = &session;
            scope.spawn(move || {
                let _seat = seat;
                ask(session, bound, &told("one?")).unwrap()
            });
        }
    });
    assert_eq!(vendor.submissions(), 2);
}

#[test]
fn a_look_that_fails_is_taken_again_when_the_vendor_says() {
    let desk = Desk::new(vec![]);
    let looks = [
        Look::Status(429, vec![("retry-after", "70")]),
        Look::Fault(TransportFault::Idle(Duration::from_secs(1))),
        Look::Status(529, vec![]),
        Look::Open(0),
    ];
    let vendor = Vendor { looks: Mutex::new(looks.into()), ..Vendor::default() };
    assert_eq!(ask_all(&run(&desk, &vendor), &opus(), &["one?"]), texts(&["yes"]));
    let waits = desk.clock.waits();
    assert_eq!((waits[0], waits[1]), (Duration::from_secs(2), Duration::from_secs(70)));
    assert_eq!((vendor.submissions(), vendor.looked()), (1, 5));
}

#[test]
fn a_vendor_that_is_gone_for_long_fails_the_run_and_not_the_batch() {
    let desk = Desk::new(vec![]);
    let gone = || Look::Fault(TransportFault::Connect { host: "h".to_owned(), why: "refused".to_owned() });
    let vendor = Vendor { looks: Mutex::new((0..200).map(|_| gone()).collect()), ..Vendor::default() };
    let answers = ask_all(&run(&desk, &vendor), &opus(), &["one?"]);
    assert!(matches!(answers[0], Err(ModelError::Unreachable { .. })), "{answers:?}");
    assert_eq!(open(&desk), ["msgbatch_1"]);
    assert!(desk.clock.waits().iter().sum::<Duration>() > Duration::from_secs(25 * 60));
    vendor.looks.lock().unwrap().clear();
    assert_eq!(ask_all(&run(&desk, &vendor), &opus(), &["one?"]), texts(&["yes"]));
    assert_eq!(vendor.submissions(), 1);
}

#[test]
fn a_batch_that_the_vendor_does_not_know_says_where_its_record_is() {
    let desk = Desk::new(vec![]);
    let vendor = Vendor { looks: Mutex::new([Look::Status(404, vec![])].into()), ..Vendor::default() };
    let error = ask_all(&run(&desk, &vendor), &opus(), &["one?"]).remove(0).unwrap_err();
    let hint = crate::hint::Hint::hint(&error).unwrap();
    assert!(hint.contains("msgbatch_1.json"), "{error}: {hint}");
    assert_eq!(open(&desk), ["msgbatch_1"], "with another key it may still be there");
}

#[test]
fn a_submission_is_repeated_only_where_the_vendor_surely_did_not_begin() {
    let desk = Desk::new(vec![]);
    let busy = [Look::Status(529, vec![]), Look::Status(429, vec![("retry-after", "3")])];
    let vendor = Vendor { submissions: Mutex::new(busy.into()), ..Vendor::default() };
    assert_eq!(ask_all(&run(&desk, &vendor), &opus(), &["one?"]), texts(&["yes"]));

    for doubtful in [Look::Fault(TransportFault::Cut), Look::Status(502, vec![])] {
        let desk = Desk::new(vec![]);
        let is_cut = matches!(doubtful, Look::Fault(_));
        let vendor = Vendor { submissions: Mutex::new([doubtful].into()), ..Vendor::default() };
        let session = run(&desk, &vendor);
        let answers = ask_all(&session, &opus(), &["one?", "two?"]);
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        assert_eq!(vendor.seen.lock().unwrap().len(), 1, "it is not submitted twice");
        assert_eq!(desk.ledger().len(), 2);
        assert_eq!(session.summary().spent.known > NanoDollars::ZERO, is_cut, "what may be billed is booked");
    }
}

#[test]
fn money_is_set_aside_at_the_price_of_a_batch() {
    // A thousand tokens of the answer are two cents, and one by batch.
    let vendor = Vendor::default();
    let mut desk = Desk::new(vec![]);
    desk.limit = NanoDollars::parse("0.012");
    assert_eq!(ask_all(&run(&desk, &vendor), &opus(), &["one?"]), texts(&["yes"]));
    let at_once = Session { transport: &vendor, ..desk.session() };
    let error = ask(&at_once, &opus(), &told("two?")).unwrap_err();
    assert!(matches!(error, ModelError::OverBudget { .. }), "{error}");
}

#[test]
fn a_provider_without_an_endpoint_is_asked_at_once() {
    let yes = json!({"choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]});
    let desk = Desk::new(vec![Scene::Json(200, vec![], yes)]);
    let bound = bound("openrouter", "some/model");
    let session = Session { batcher: Some(Batcher::within(desk.folder.path())), ..desk.session() };
    assert_eq!(ask_all(&session, &bound, &["one?"]), texts(&["yes"]));
    assert!(!desk.ledger()[0].batch);
}

#[test]
fn rounds_of_reading_are_few_and_the_model_is_told() {
    let desk = Desk::new(vec![]);
    let reads = json!({"content": [{"type": "tool_use", "id": "t", "name": "read", "input": {"path": "a.ts"}}], "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let reads = Outcome::Is(json!({"type": "succeeded", "message": reads}));
    let vendor = Vendor { results: BTreeMap::from([("Which line?", reads)]), ..Vendor::default() };
    let bound = opus();
    let purpose = Purpose { rounds: 20, ..purpose(&bound) };
    let error = run(&desk, &vendor).answer::<Answered>(&purpose, &mut with_tool(), &mut OneFile).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { .. }), "{error}");
    assert_eq!(vendor.submissions(), 6, "four rounds of reading, one more, and the last word");
    let (_, _, first) = vendor.seen.lock().unwrap()[0].clone();
    assert!(first.contains("at most 4 of them"), "{first}");
}

#[test]
fn two_askers_of_one_question_are_one_question_and_pay_once() {
    let desk = Desk::new(vec![]);
    let vendor = Vendor::default();
    let session = run(&desk, &vendor);
    assert_eq!(ask_all(&session, &opus(), &["one?", "one?"]), texts(&["yes", "yes"]));
    assert_eq!(vendor.batches.lock().unwrap()[0].len(), 1);
    assert_eq!((session.summary().spent.known, desk.ledger().len()), (NanoDollars(305_000), 1));
}
