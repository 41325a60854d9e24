//! Index texts, ours and others'.

use super::*;

fn new_row(number: u32, file: &str, title: &str) -> NewRow {
    NewRow {
        number: Some(number),
        file: file.to_owned(),
        title: title.to_owned(),
        priority: "P1".to_owned(),
        effort: "S".to_owned(),
        depends_on: Vec::new(),
        status: PlanStatus::Todo,
    }
}

#[test]
fn a_row_is_added_and_changed_in_place() {
    let text = upsert(EMPTY, &new_row(1, "001-a.md", "Load | once"));
    assert!(text.contains("\n| [001](001-a.md) | Load \\| once | P1 | S | — | TODO |\n\nStatus:"), "{text}");
    let blocked = PlanStatus::Blocked("no database | here".to_owned());
    let changed = set_status(&text, "001-a.md", &blocked).expect("the row is there");
    assert_eq!(changed, text.replace("| TODO |", "| BLOCKED — no database \\| here |"));
    assert_eq!(rows(&changed)[0].status, blocked);
    assert_eq!(rows(&changed)[0].title, "Load | once");
    assert_eq!(upsert(&changed, &new_row(1, "001-a.md", "x")), text, "a second row is never added");
    assert_eq!(set_status(&text, "009-z.md", &PlanStatus::Todo), None);
}

#[test]
fn every_other_byte_is_kept() {
    let text = "intro\r\n\r\n| Plan | Title | Why now | Status |\r\n|--|--|--|--|\r\n|001|First|x|**TODO** (soon)|\r\n| 002 | Second | y |\r\n\r\n## Old\r\n\r\n| # | What | State |\r\n|--|--|--|\r\n| [003](old/003-c.md) | Third | ~~TODO~~ DONE |\r\nend";
    let found: Vec<_> = rows(text).into_iter().map(|row| (row.number, row.file, row.title, row.status)).collect();
    let row = |number, file: Option<&str>, title: &str, status| {
        (Some(number), file.map(str::to_owned), title.to_owned(), status)
    };
    assert_eq!(
        found,
        [
            row(1, None, "First", PlanStatus::Todo),
            row(2, None, "Second", PlanStatus::Other(String::new())),
            row(3, Some("old/003-c.md"), "Third", PlanStatus::Todo),
        ]
    );
    let done = PlanStatus::Done("abc1234".to_owned());
    assert_eq!(set_status(text, "001-first.md", &done), Some(text.replace("**TODO** (soon)", "DONE — abc1234")));
    assert_eq!(set_status(text, "002-second.md", &done), Some(text.replace("| y |", "| y | DONE — abc1234 |")));
    assert_eq!(set_status(text, "003-c.md", &done), Some(text.replace("~~TODO~~ DONE", "DONE — abc1234")));
}

#[test]
fn status_cells_are_read_with_their_remarks() {
    let status = PlanStatus::parse;
    assert_eq!(status("**DONE** — `abc1234` (not merged)"), PlanStatus::Done("abc1234 (not merged)".to_owned()));
    assert_eq!(status("BLOCKED (waits for 002)"), PlanStatus::Blocked("waits for 002".to_owned()));
    assert_eq!(status("✅ done: merged"), PlanStatus::Done("merged".to_owned()));
    assert_eq!(status("In progress"), PlanStatus::InProgress(String::new()));
    assert_eq!(status("SUPERSEDED by 007"), PlanStatus::Other("SUPERSEDED by 007".to_owned()));
    assert_eq!(status("TODOS"), PlanStatus::Other("TODOS".to_owned()));
}

#[test]
fn a_rejected_finding_is_remembered_once() {
    let text = add_rejection(EMPTY, "00ff", "Loop in `a.ts`", "at most\nthree rows --> fine");
    assert!(
        text.ends_with("rejected\n\n- Loop in `a.ts`: at most three rows fine <!-- improve:finding=00ff -->\n"),
        "{text}"
    );
    assert_eq!(add_rejection(&text, "00ff", "again", "again"), text);
    let text = add_rejection(&text, "11ee", "Other", "no");
    let found: Vec<_> = rejections(&text).into_iter().map(|entry| (entry.fingerprint, entry.text)).collect();
    assert_eq!(
        found,
        [
            (Some("00ff".to_owned()), "Loop in `a.ts`: at most three rows fine".to_owned()),
            (Some("11ee".to_owned()), "Other: no".to_owned()),
        ]
    );
    let foreign = "# Plans\n\n## Considered and rejected\n\n- by hand\n\n## Notes\n\nx\n";
    assert_eq!(rejections(foreign)[0].fingerprint, None);
    let added = "- by hand\n- A: b <!-- improve:finding=22 -->\n\n## Notes";
    assert_eq!(add_rejection(foreign, "22", "A", "b"), foreign.replace("- by hand\n\n## Notes", added));
}

#[test]
fn dates_in_file_names_are_no_numbers() {
    assert_eq!(number_of_file("plans/done/012-x.md"), Some(12));
    assert_eq!(number_of_file("2026-06-01-x.md"), None);
    assert_eq!(number_of_file("3d-view.md"), None);
    assert_eq!(number_of_file("README.md"), None);
}
