//! Surfaces read: what each takes, what it sees through, what it refuses.

use serde_json::{Value, json};

use super::*;
use crate::edit::explain::FailureCode;
use crate::edit::{Block, EditOperation, Hunk, Insertion, Side};

fn replace(file: &str, blocks: &[(&str, &str)]) -> FileEdit {
    let blocks = blocks.iter().map(|(search, replace)| Block { search: (*search).into(), replace: (*replace).into() });
    FileEdit { file: file.into(), operation: EditOperation::Replace(blocks.collect()) }
}

fn substitute(file: &str, old: &str, new: &str) -> FileEdit {
    FileEdit { file: file.into(), operation: EditOperation::Substitute { old: old.into(), new: new.into() } }
}

fn create(file: &str, text: &str) -> FileEdit {
    FileEdit { file: file.into(), operation: EditOperation::Create(text.into()) }
}

fn whole(file: &str, text: &str) -> FileEdit {
    FileEdit { file: file.into(), operation: EditOperation::Whole(text.into()) }
}

/// The one message of a text that cannot be read.
fn refused(surface: Surface, text: &str) -> String {
    let failures = surface.read_text(text).expect_err("it cannot be read");
    assert!(failures.iter().all(|failure| failure.code == FailureCode::Malformed && !failure.advice.is_empty()));
    failures.iter().map(|failure| failure.message.clone()).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_schema_of_every_surface_is_closed_and_its_example_can_be_read() {
    for surface in Surface::ALL {
        let schema = surface.parameters();
        let names: Vec<&String> = schema["properties"].as_object().expect("an object").keys().collect();
        let required: Vec<&str> =
            schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(names, required);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(serde_json::to_value(surface).unwrap(), Value::String(surface.to_string()));
        let example = surface.instructions().split_once("Example:").expect("an example").1.trim();
        let read = match surface {
            Surface::OldNew | Surface::WholeFile => surface.read(&serde_json::from_str(example).expect("JSON")),
            Surface::SearchReplace => surface.read_text(example.split("\nWhere").next().unwrap()),
            Surface::ApplyPatch => surface.read_text(example),
        };
        assert_eq!(read.expect("the example can be read")[0].file, "src/sum.ts");
    }
}

#[test]
fn old_and_new_are_a_substitution_and_an_empty_old_is_a_new_file() {
    let read = |old: &str, new: &str| Surface::OldNew.read(&json!({ "file": "./a.ts", "old": old, "new": new }));
    assert_eq!(read("a\nb\n", "c\n"), Ok(vec![substitute("a.ts", "a\nb\n", "c\n")]));
    assert_eq!(read("a", ""), Ok(vec![substitute("a.ts", "a", "")]));
    assert_eq!(read("", "a\n"), Ok(vec![create("a.ts", "a\n")]));
    let fenced = substitute("a.ts", "```ts\na\n```", "```ts\nb\n```");
    assert_eq!(read("```ts\na\n```", "```ts\nb\n```"), Ok(vec![fenced]), "the file may hold it");
    assert!(read("", " ").is_err());
}

#[test]
fn arguments_are_read_under_the_names_of_other_tools_and_as_a_json_text() {
    let expected = Ok(vec![substitute("a.ts", "a", "b")]);
    assert_eq!(Surface::OldNew.read(&json!({ "file_path": "a.ts", "old_string": "a", "new_string": "b" })), expected);
    let text = json!({ "file": "a.ts", "old": "a", "new": "b" }).to_string();
    assert_eq!(Surface::OldNew.read(&Value::String(text.clone())), expected);
    assert_eq!(Surface::OldNew.read_text(&format!("Here:\n```json\n{text}\n```\n")), expected);
}

#[test]
fn arguments_that_are_missing_or_no_text_are_named() {
    let failures =
        Surface::OldNew.read(&json!({ "file": "a.ts", "old": 3 })).expect_err("one is a number, one missing");
    let messages: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
    assert_eq!(messages, ["the argument `old` is no text", "the argument `new` is missing"]);
    assert!(Surface::ApplyPatch.read(&json!({})).is_err());
    assert!(Surface::WholeFile.read(&json!([1])).is_err());
}

#[test]
fn several_blocks_of_several_files_are_read_from_one_text() {
    let text = "First the types.\n\n**src/a.ts**\n```ts\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```\nand\n```ts\n\
        <<<<<<< SEARCH\nc\n=======\n>>>>>>> REPLACE\n```\n\nsrc/new.ts\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n";
    let expected = vec![replace("src/a.ts", &[("a", "b"), ("c", "")]), create("src/new.ts", "x\n")];
    assert_eq!(Surface::SearchReplace.read_text(text), Ok(expected));
}

#[test]
fn words_of_prose_that_look_like_paths_are_none() {
    let block = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n";
    let text = format!("a.ts\n{block}\nNow console.log and/or this.items, e.g. v1.2:\n\n{block}");
    assert_eq!(Surface::SearchReplace.read_text(&text), Ok(vec![replace("a.ts", &[("a", "b"), ("a", "b")])]));
    let only = format!("The change of src/a.ts is small.\n{block}");
    assert_eq!(Surface::SearchReplace.read_text(&only), Ok(vec![replace("src/a.ts", &[("a", "b")])]));
}

#[test]
fn one_empty_line_in_place_of_lines_is_no_removal() {
    let text = "a.ts\n<<<<<<< SEARCH\na\n=======\n\n>>>>>>> REPLACE\n";
    assert_eq!(Surface::SearchReplace.read_text(text), Ok(vec![replace("a.ts", &[("a", "\r")])]));
}

#[test]
fn longer_marks_hold_a_text_with_dividers() {
    let text = "a.md\n<<<<<<<<< SEARCH\nTitle\n=======\n=========\nOther\n=======\n>>>>>>>>> REPLACE\n";
    assert_eq!(
        Surface::SearchReplace.read_text(text),
        Ok(vec![replace("a.md", &[("Title\n=======", "Other\n=======")])])
    );
    let short = text.replace("<<<<<<<<<", "<<<<<<<").replace(">>>>>>>>>", ">>>>>>>").replace("=========", "=======");
    assert_eq!(refused(Surface::SearchReplace, &short), "the block at line 2 has several lines of `=======`");
}

#[test]
fn blocks_that_cannot_be_read_for_certain_are_refused() {
    let block = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n";
    let message = |text: &str| refused(Surface::SearchReplace, text);
    assert_eq!(message("nothing"), "the text holds no SEARCH/REPLACE block");
    assert_eq!(message(block), "the block at line 1: no path stands above it");
    assert_eq!(
        message(&format!("a.ts\n{block}Unlike b.ts this:\n{block}")),
        "the block at line 8: the text above it names several paths"
    );
    assert_eq!(message("a.ts\n<<<<<<< SEARCH\na\n=======\nb\n"), "the block at line 2 has no end");
    assert_eq!(message(&format!("a.ts\n<<<<<<< SEARCH\na\n{block}")).matches("has no end").count(), 1);
    assert_eq!(message("a.ts\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n"), "the block at line 2 has no line of `=======`");
    assert_eq!(
        message("a.ts\n<<<<<<< SEARCH\na\n=======\n+b\n>>>>>>> REPLACE\n"),
        "the lines that the block at line 2 adds start with `+`"
    );
    assert_eq!(
        message("a.ts\n<<<<<<< SEARCH\na\n=======\nb\n// ... rest unchanged\n>>>>>>> REPLACE\n"),
        "the replacement of the block at line 2 leaves code out: `// ... rest unchanged`"
    );
}

#[test]
fn a_patch_updates_adds_deletes_and_moves() {
    let text = "```\n*** Begin Patch\n*** Update File: a.ts\n@@ function f() {\n a\n-b\n+c\n\n+d\n@@ -10,7 +10,9 @@\n-e\n\
        *** Update File: b.ts\n*** Move to: c.ts\n*** Add File: d.ts\n+x\n+\n+y\n\n*** Delete File: e.ts\n*** End Patch\n```";
    let hunk = |under: &[&str], search: &str, replace: &str| Hunk {
        under: under.iter().map(|line| (*line).into()).collect(),
        block: Block { search: search.into(), replace: replace.into() },
        at_end: false,
    };
    let hunks = [hunk(&["function f() {"], "a\nb\n", "a\nc\n\nd"), hunk(&[], "e", "")];
    let expected = vec![
        FileEdit { file: "a.ts".into(), operation: EditOperation::Hunks(hunks.into()) },
        FileEdit { file: "b.ts".into(), operation: EditOperation::Rename { to: "c.ts".into(), blocks: vec![] } },
        create("d.ts", "x\n\ny\n"),
        FileEdit { file: "e.ts".into(), operation: EditOperation::Delete },
    ];
    assert_eq!(Surface::ApplyPatch.read_text(text), Ok(expected));
}

#[test]
fn a_hunk_that_only_adds_goes_to_the_end_when_it_says_so() {
    let text = "*** Begin Patch\n*** Update File: a.ts\n*** Move to: b.ts\n@@\n+x\n+y\n*** End of File\n*** End Patch";
    let insertion = Insertion { anchor: String::new(), side: Side::After, text: "x\ny".into() };
    let expected = vec![
        FileEdit { file: "a.ts".into(), operation: EditOperation::Rename { to: "b.ts".into(), blocks: vec![] } },
        FileEdit { file: "b.ts".into(), operation: EditOperation::Insert(insertion) },
    ];
    assert_eq!(Surface::ApplyPatch.read_text(text), Ok(expected));
}

#[test]
fn a_unified_diff_is_read_as_a_patch() {
    let text = "diff --git a/a.ts b/a.ts\nindex 1..2 100644\n--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n\
        diff --git a/n.ts b/n.ts\nnew file mode 100644\n--- /dev/null\n+++ b/n.ts\n@@ -0,0 +1 @@\n+n\n";
    let expected = vec![replace("a.ts", &[("x\ny", "x\nz")]), create("n.ts", "n\n")];
    assert_eq!(Surface::ApplyPatch.read_text(text), Ok(expected));
}

#[test]
fn patches_that_cannot_be_read_for_certain_are_refused() {
    let message = |body: &str| refused(Surface::ApplyPatch, &format!("*** Begin Patch\n{body}\n*** End Patch"));
    assert_eq!(
        refused(Surface::ApplyPatch, "*** Begin Patch\n*** Update File: a\n-a\n"),
        "the patch has no `*** End Patch`"
    );
    assert!(message("").ends_with("the text holds no patch"));
    assert!(message("-a\n+b").contains("stands before the first"));
    assert_eq!(
        message("*** Update File: a.ts\n@@\nlet x = 1;\n-a"),
        "line 4 of the message: `let x = 1;` starts with none of space, `-` and `+`"
    );
    assert_eq!(
        message("*** Update File: a.ts\n@@ function f() {\n+b"),
        "line 4 of the message: the hunk only adds, and says not where"
    );
    assert!(message("*** Update File: a.ts\n@@\n a").ends_with("the hunk changes nothing"));
    assert!(message("*** Update File: a.ts").ends_with("the section changes nothing"));
    assert!(message("*** Add File: a.ts\nlet x = 1;").ends_with("has no `+` in front"));
    assert!(message("*** Update File: a.ts\n@@\n-a\n+b\n+// ... rest of the file").contains("leaves code out"));
    assert!(message("*** Update File: a.ts\n@@\n-a\n++b").ends_with("start with two `+`"));
}

#[test]
fn a_whole_file_is_read_through_its_fence() {
    let expected = Ok(vec![whole("a.ts", "a\n")]);
    assert_eq!(Surface::WholeFile.read(&json!({ "file": "a.ts", "text": "a\n" })), expected);
    assert_eq!(Surface::WholeFile.read(&json!({ "file": "a.ts", "text": "```ts\na\n```\n" })), expected);
    assert_eq!(Surface::WholeFile.read_text("Sure:\n\n`a.ts`\n```ts\na\n```\n"), expected);
    assert_eq!(Surface::WholeFile.read_text("```ts file=a.ts\na\n```\n"), expected);
    let two = Surface::WholeFile.read_text("a.ts\n```\na\n```\nb.ts\n```\nb\n```\n");
    assert_eq!(two, Ok(vec![whole("a.ts", "a\n"), whole("b.ts", "b\n")]));
}

#[test]
fn a_whole_file_that_is_not_whole_is_refused() {
    let message = |text: &str| refused(Surface::WholeFile, text);
    assert_eq!(
        message("a.ts\n```\na\n// ... existing code ...\n```"),
        "the text leaves code out: `// ... existing code ...`"
    );
    assert_eq!(message("a.ts\n```\na\n"), "the fence at line 2 has no end");
    assert_eq!(message("```\na\n```"), "the fence at line 1: no path stands above it");
    assert_eq!(message("a.ts"), "the text holds no file");
    assert_eq!(message("a.ts\n```\n```"), "the text is empty");
    assert_eq!(message("a.ts\n```\n1: a\n2: b\n```"), "every line of the text starts with a line number");
}
