//! Repositories that are broken, odd or hostile: linking ends, and says the same every time.

use super::{MANIFEST, Repository, check};

#[test]
fn definitions_that_explain_each_other_end() {
    check(
        &[(
            "src/lib.rs",
            "use self::b as a;\nuse self::a as b;\npub use crate::*;\ntype X = Y;\ntype Y = X;\nstruct D;\nimpl std::ops::Deref for D { type Target = D; }
fn f(x: X, d: D) { x.go(); d.go(); a(); let y = y; y.go(); }",
        )],
        "src/lib.rs",
        &["go -> ?", "go -> ?", "a -> ?", "go -> ?"],
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn linking_never_panics(words in proptest::collection::vec(proptest::sample::select(vec![
        "fn f", "(", ")", "{", "}", "impl", "A", "for", "trait", "T", "<", ">", "::", ".", "self", "Self", "use", "super", "crate",
        "mod", "a", "let x =", ";", "match", "=>", "Some(y)", "|z|", ",", ": &", "-> ", "struct", "type", "=", "*", "pub", "f()", "?",
    ]), 0..80)) {
        let text = words.join(" ");
        Repository::new(&[MANIFEST, ("src/lib.rs", &text), ("src/a.rs", &text), ("x/Cargo.toml", &text)]);
    }
}

/// What the calls of `path` resolve to, the same however often the repository is linked.
#[track_caller]
fn steady(entries: &[(&str, &str)], path: &str, expected: &[&str]) {
    for _ in 0..4 {
        assert_eq!(Repository::new(entries).calls(path), expected);
    }
}

#[test]
fn members_that_are_missing_or_broken_leave_the_rest_alone() {
    steady(
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"gone\", \"here\", \"broken\", \"../outside\"]\n[workspace.dependencies]\ngone = { path = \"gone\" }\n",
            ),
            ("broken/Cargo.toml", "[package\nname = "),
            ("broken/src/lib.rs", "pub fn b() {}"),
            (
                "here/Cargo.toml",
                "[package]\nname = \"here\"\n[dependencies]\ngone = { workspace = true }\nbroken = { path = \"../broken\" }\n",
            ),
            ("here/src/lib.rs", "fn own() {}\nfn f() { own(); gone::a(); broken::b(); }"),
        ],
        "here/src/lib.rs",
        &["own -> here/src/lib.rs own scope", "a -> gone: a", "b -> broken: b"],
    );
}

#[test]
fn packages_of_one_name_are_told_apart_by_their_folders() {
    steady(
        &[
            ("one/Cargo.toml", "[package]\nname = \"same\"\n"),
            ("one/src/lib.rs", "pub fn f() {}"),
            ("two/Cargo.toml", "[package]\nname = \"same\"\n"),
            ("two/src/lib.rs", "pub fn f() {}"),
            ("app/Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nsame = { path = \"../two\" }\n"),
            ("app/src/main.rs", "fn main() { same::f(); }"),
        ],
        "app/src/main.rs",
        &["f -> two/src/lib.rs f import"],
    );
}

#[test]
fn modules_that_contain_themselves_end() {
    let many: String = (0..200).map(|number| format!("#[path = \"lib.rs\"] mod m{number};\n")).collect();
    steady(
        &[
            MANIFEST,
            ("src/lib.rs", "#[path = \"a.rs\"]\nmod a;\nmod many;\nfn f() { a::g(); a::b::h(); a::b::a::g(); }"),
            ("src/a.rs", "#[path = \"b.rs\"]\npub mod b;\npub fn g() {}"),
            ("src/b.rs", "#[path = \"a.rs\"]\npub mod a;\n#[path = \"lib.rs\"]\nmod root;\npub fn h() {}"),
            ("src/many.rs", &many),
        ],
        "src/lib.rs",
        &["g -> src/a.rs g import", "h -> src/b.rs h import", "g -> src/a.rs g import"],
    );
}

#[test]
fn modules_that_all_reexport_each_other_end() {
    let names: Vec<String> = (0..24).map(|number| format!("m{number}")).collect();
    let globs: String = names.iter().map(|name| format!("pub use crate::{name}::*;\n")).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("src/{name}.rs")).collect();
    let root: String = names.iter().map(|name| format!("mod {name};\n")).collect();
    let root = format!("{root}use m3::*;\nfn f() {{ last(); nowhere(); m5::nowhere(); }}");
    let last = format!("{globs}pub fn last() {{}}");
    let mut entries = vec![MANIFEST, ("src/lib.rs", root.as_str())];
    entries.extend(paths.iter().map(|path| (path.as_str(), if path == "src/m23.rs" { &*last } else { &*globs })));
    steady(&entries, "src/lib.rs", &["last -> src/m23.rs last reexport", "nowhere -> ?", "nowhere -> ?"]);
}
