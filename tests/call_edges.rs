//! The scorer behind `cargo bench --bench call_edges`: its rules decide what the published figures mean.

#[path = "../benches/call_edges/score/mod.rs"]
mod score;

use score::{Answers, Counts, DispatchCounts, Level, Prediction, Score, Truth, parse, production_only, score as judge};

/// A small repository: two files, three definitions, and every kind of answer.
const TRUTH: &str = r#"
{"caller_file":"a.ts","caller_name":"Shop.open","call_line":3,"call_name":"price","kind":"call","receiver":"bare","status":"repo","callee_file":"b.ts","callee_name":"price","callee_line":10,"callee_kind":"function"}
{"caller_file":"a.ts","caller_name":"Shop.open","call_line":4,"call_name":"price","kind":"call","receiver":"bare","status":"repo","callee_file":"b.ts","callee_name":"price","callee_line":10,"callee_kind":"function"}
{"caller_file":"a.ts","caller_name":"Shop.open","call_line":5,"call_name":"log","kind":"call","receiver":"member","status":"external","callee_file":null,"callee_name":null,"callee_line":null,"callee_kind":null}
{"caller_file":"a.ts","caller_name":"Shop.open","call_line":6,"call_name":"find","kind":"call","receiver":"member","status":"unknown","callee_file":null,"callee_name":null,"callee_line":null,"callee_kind":null}
{"caller_file":"a.ts","caller_name":"<module>","call_line":7,"call_name":"save","kind":"call","receiver":"member","status":"repo","callee_file":"b.ts","callee_name":"Store.save","callee_line":20,"callee_kind":"interface_method"}
"#;

/// A prediction at `caller` (`file:line name`) of `callee` (`file:line name`), found by `how`.
fn prediction(caller: &str, callee: &str, how: &str) -> Prediction {
    let (caller_file, call_line, call_name) = place(caller);
    let (callee_file, callee_line, callee_name) = place(callee);
    Prediction {
        caller_file,
        caller_name: Some("Shop.open".to_owned()),
        call_line: Some(call_line),
        call_name: Some(call_name),
        callee_file: Some(callee_file),
        callee_name: Some(callee_name),
        callee_line: Some(callee_line),
        how: Some(how.to_owned()),
    }
}

fn place(text: &str) -> (String, u32, String) {
    let (file, rest) = text.split_once(':').expect("the tests write `file:line name`");
    let (line, name) = rest.split_once(' ').expect("the tests write `file:line name`");
    (file.to_owned(), line.parse().expect("a line"), name.to_owned())
}

fn truth() -> Vec<Truth> {
    parse(TRUTH).expect("the fixture parses")
}

fn counts(score: &Score, wanted: Level) -> Option<Counts> {
    score.levels.iter().find(|(level, _)| *level == wanted).map(|(_, counts)| *counts)
}

fn expect(truth: usize, predicted: usize, right: usize) -> Option<Counts> {
    Some(Counts { truth, predicted, right })
}

#[test]
fn edges_are_counted_once_at_each_level() {
    let rows = ["a.ts:3 price", "a.ts:4 price"].map(|site| prediction(site, "b.ts:10 price", "import"));
    let score = judge(&truth(), &rows);
    assert_eq!(counts(&score, Level::Site), expect(2, 2, 2));
    assert_eq!(counts(&score, Level::Function), expect(1, 1, 1));
    assert_eq!(counts(&score, Level::Symbol), expect(1, 1, 1));
    assert_eq!(counts(&score, Level::File), expect(1, 1, 1));
    assert_eq!(score.shapes["call bare function"], (2, 2));
    assert!(score.missed.is_empty() && score.wrong.is_empty());
}

#[test]
fn definition_may_be_three_lines_off_and_no_more() {
    let near = judge(&truth(), &[prediction("a.ts:3 price", "b.ts:7 price", "import")]);
    let far = judge(&truth(), &[prediction("a.ts:3 price", "b.ts:6 price", "import")]);
    assert_eq!(counts(&near, Level::Symbol), expect(1, 1, 1));
    assert_eq!(counts(&far, Level::Symbol), expect(1, 1, 0));
    assert_eq!(far.wrong[0].name.as_deref(), Some("price"));
    assert_eq!(far.missed.len(), 2);
}

#[test]
fn external_call_that_is_bound_here_is_wrong() {
    let score = judge(&truth(), &[prediction("a.ts:5 log", "b.ts:30 log", "guess")]);
    assert_eq!(counts(&score, Level::Site), expect(2, 1, 0));
    let guess = &score.by_how[&("TypeScript", "guess".to_owned())];
    assert_eq!((guess.right, guess.wrong, guess.no_call, guess.silent), (0, 1, 0, 0));
}

#[test]
fn classes_of_several_repositories_are_pooled() {
    let rows =
        [prediction("a.ts:3 price", "b.ts:10 price", "import"), prediction("a.ts:5 log", "b.ts:30 log", "import")];
    let first = judge(&truth(), &rows);
    let second = judge(&truth(), &rows[..1]);
    let class = ("TypeScript", "import".to_owned());
    let mut pooled = first.by_how[&class];
    pooled.add(second.by_how[&class]);
    assert_eq!((pooled.right, pooled.wrong), (2, 1));
    assert!((pooled.precision() - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn call_that_the_truth_does_not_see_is_wrong_and_said_so() {
    let score = judge(&truth(), &[prediction("a.ts:99 price", "b.ts:10 price", "import")]);
    let import = &score.by_how[&("TypeScript", "import".to_owned())];
    assert_eq!((import.right, import.wrong, import.no_call), (0, 1, 1));
    assert_eq!(counts(&score, Level::Symbol), expect(1, 1, 1));
}

#[test]
fn site_without_an_answer_is_not_judged() {
    let unknown = prediction("a.ts:6 find", "b.ts:40 find", "typed");
    let interface = prediction("a.ts:7 save", "b.ts:20 Store.save", "trait");
    let score = judge(&truth(), &[unknown, interface]);
    assert!(score.levels.is_empty());
    assert_eq!(score.silent, 2);
    assert_eq!(score.by_how[&("TypeScript", "typed".to_owned())].silent, 1);
}

#[test]
fn file_outside_the_truth_is_not_judged() {
    let score = judge(&truth(), &[prediction("z.ts:1 price", "b.ts:10 price", "import")]);
    assert!(score.levels.is_empty() && score.by_how.is_empty());
    assert_eq!(score.unseen_files, 1);
}

#[test]
fn row_without_lines_or_names_counts_for_files_alone() {
    let row = Prediction {
        caller_file: "a.ts".to_owned(),
        callee_file: Some("b.ts".to_owned()),
        callee_name: Some("price".to_owned()),
        ..Prediction::default()
    };
    let score = judge(&truth(), &[row]);
    let levels: Vec<&str> = score.levels.iter().map(|(level, _)| level.label()).collect();
    assert_eq!(levels, ["symbol", "file"]);
}

#[test]
fn dispatch_is_scored_apart() {
    let rows = [
        prediction("a.ts:7 save", "c.ts:5 DiskStore.save", "dispatch"),
        prediction("a.ts:5 log", "c.ts:9 Logger.log", "dispatch"),
        prediction("a.ts:6 find", "c.ts:12 DiskStore.find", "dispatch"),
    ];
    let score = judge(&truth(), &rows);
    assert!(score.levels.is_empty() && score.by_how.is_empty());
    assert_eq!(score.dispatch, DispatchCounts { agree: 1, deny: 1, silent: 1, sites: 1, reached: 1 });
    assert_eq!(score.dispatch.precision(), 0.5);
}

#[test]
fn shares_are_those_of_the_counts() {
    let counts = Counts { truth: 8, predicted: 5, right: 4 };
    assert_eq!((counts.precision(), counts.recall()), (0.8, 0.5));
    assert!((counts.f1() - 8.0 / 13.0).abs() < 1e-12);
    assert_eq!(Counts { truth: 1, predicted: 1, right: 0 }.f1(), 0.0);
}

#[test]
fn qualified_names_of_every_tool_meet_at_their_last_part() {
    let truth = truth();
    let answers = Answers::new(&truth);
    for name in ["price", "shop::price", "Shop.price", "Shop#price", "impl#Shop#price", "price#"] {
        let row = prediction("a.ts:3 price", &format!("b.ts:10 {name}"), "import");
        let plain = prediction("a.ts:3 price", "b.ts:10 price", "import");
        assert_eq!(answers.callee(&row), answers.callee(&plain), "{name}");
    }
}

#[test]
fn production_only_leaves_out_test_files_and_test_items() {
    let site = |file: &str, name: &str, line: u32, test: bool| Truth {
        caller_file: file.to_owned(),
        caller_name: name.to_owned(),
        call_line: line,
        test,
        ..Truth::default()
    };
    let truth = vec![
        site("src/lib.rs", "run", 1, false),
        site("src/lib.rs", "checks", 50, true),
        site("tests/all.rs", "run", 2, false),
        site("src/cart.spec.ts", "run", 3, false),
    ];
    let row = |file: &str, name: &str, line: u32| Prediction {
        caller_file: file.to_owned(),
        caller_name: Some(name.to_owned()),
        call_line: Some(line),
        ..Prediction::default()
    };
    let rows = vec![
        row("src/lib.rs", "run", 1),
        row("src/lib.rs", "tests::checks", 51), // The function is test code, though the truth saw no call on this line.
        row("src/lib.rs", "other", 50),
        row("tests/all.rs", "run", 2),
        row("src/cart.spec.ts", "run", 3),
    ];
    let (truth, rows) = production_only(truth, rows);
    assert_eq!(truth.iter().map(|site| site.call_line).collect::<Vec<_>>(), [1]);
    assert_eq!(rows.iter().map(|row| row.call_line).collect::<Vec<_>>(), [Some(1)]);
}

#[test]
fn broken_row_names_its_line() {
    let error = parse::<Truth>("\n{\"caller_file\":").expect_err("the row is cut off");
    assert!(error.starts_with("line 2: "), "{error}");
}
