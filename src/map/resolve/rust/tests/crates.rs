//! Crates: targets of a package, names that manifests give, what one crate passes on to another.

use super::{Repository, check};

#[test]
fn every_target_of_a_package_has_its_own_root_and_the_library_its_name() {
    let repository = Repository::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"my-tool\"\n[lib]\nname = \"engine\"\npath = \"lib/engine.rs\"\n[[bin]]\nname = \"cli\"\npath = \"cmd/cli.rs\"\n",
        ),
        ("lib/engine.rs", "pub mod part;\npub fn run() { part::go(); }"),
        ("lib/part.rs", "pub fn go() { crate::run(); }"),
        ("cmd/cli.rs", "mod args;\nfn main() { engine::run(); args::parse(); crate::args::parse(); my_tool::run(); }"),
        ("cmd/args.rs", "pub fn parse() {}"),
        ("src/bin/extra/main.rs", "mod own;\nfn main() { own::f(); engine::part::go(); }"),
        ("src/bin/extra/own.rs", "pub fn f() {}"),
        ("examples/demo.rs", "use engine::part::go;\nfn main() { go(); }"),
        ("benches/speed.rs", "fn main() { engine::run(); }"),
        ("tests/common/mod.rs", "pub fn setup() { engine::run(); }"),
        ("tests/all.rs", "mod common;\n#[test]\nfn works() { common::setup(); engine::run(); }"),
        ("build.rs", "fn main() { helper(); }\nfn helper() {}"),
    ]);
    assert_eq!(repository.calls("lib/engine.rs"), ["go -> lib/part.rs go import"]);
    assert_eq!(repository.calls("lib/part.rs"), ["run -> lib/engine.rs run import"]);
    assert_eq!(
        repository.calls("cmd/cli.rs"),
        [
            "run -> lib/engine.rs run import",
            "parse -> cmd/args.rs parse import",
            "parse -> cmd/args.rs parse import",
            "run -> ?"
        ]
    );
    assert_eq!(
        repository.calls("src/bin/extra/main.rs"),
        ["f -> src/bin/extra/own.rs f import", "go -> lib/part.rs go import"]
    );
    assert_eq!(repository.calls("examples/demo.rs"), ["go -> lib/part.rs go import"]);
    assert_eq!(repository.calls("benches/speed.rs"), ["run -> lib/engine.rs run import"]);
    assert_eq!(
        repository.calls("tests/all.rs"),
        ["setup -> tests/common/mod.rs setup import", "run -> lib/engine.rs run import"]
    );
    assert_eq!(repository.calls("tests/common/mod.rs"), ["run -> lib/engine.rs run import"]);
    assert_eq!(repository.calls("build.rs"), ["helper -> build.rs helper scope"]);
}

#[test]
fn crates_are_renamed_by_manifests_and_passed_on_by_other_crates() {
    let repository = Repository::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"core\", \"facade\", \"app\"]\n[workspace.dependencies]\nshort = { package = \"the-core\", path = \"core\" }\nserde = \"1\"\n",
        ),
        ("core/Cargo.toml", "[package]\nname = \"the-core\"\n"),
        (
            "core/src/lib.rs",
            "pub mod deep { pub fn f() {} }\npub struct Job;\nimpl Job { pub fn new() -> Self { Job } pub fn run(&self) {} }\n#[macro_export]\nmacro_rules! shout { ($e:expr) => { $e }; }",
        ),
        ("facade/Cargo.toml", "[package]\nname = \"facade\"\n[dependencies]\nshort.workspace = true\n"),
        (
            "facade/src/lib.rs",
            "pub use short as inner;\npub use short::deep::*;\npub use short::Job as Work;\npub use short::shout;\nextern crate short as again;\npub mod prelude { pub use crate::Work; pub use short::deep::f as g; }",
        ),
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\n[dependencies]\nfacade = { path = \"../facade\" }\n[target.'cfg(unix)'.dependencies]\nunixy = { package = \"the-core\", path = \"../core\" }\n[dev-dependencies]\nshort.workspace = true\n",
        ),
        (
            "app/src/lib.rs",
            "use facade::prelude::*;\nuse facade::Work as W;\nfn a() { facade::inner::deep::f(); facade::f(); g(); Work::new().run(); W::new().run(); unixy::deep::f(); facade::shout!(b()); ::facade::f(); }\nfn b() {}\n#[cfg(test)]\nmod tests { use short::deep; #[test] fn t() { deep::f(); super::b(); } }",
        ),
    ]);
    assert_eq!(
        repository.calls("app/src/lib.rs"),
        [
            "f -> core/src/lib.rs deep::f import",
            "f -> core/src/lib.rs deep::f import",
            "g -> core/src/lib.rs deep::f reexport",
            "new -> core/src/lib.rs Job::new typed",
            "run -> core/src/lib.rs Job::run typed",
            "new -> core/src/lib.rs Job::new typed",
            "run -> core/src/lib.rs Job::run typed",
            "f -> core/src/lib.rs deep::f import",
            "shout -> core/src/lib.rs shout import",
            "b -> app/src/lib.rs b scope",
            "f -> core/src/lib.rs deep::f import",
            "f -> core/src/lib.rs deep::f import",
            "b -> app/src/lib.rs b scope",
        ]
    );
}

#[test]
fn paths_go_up_across_and_into_enums_and_aliases() {
    check(
        &[
            (
                "src/lib.rs",
                "pub mod a;\npub mod b;\npub mod shapes;\npub(crate) use self::a::{inner::{deep as very_deep, *}, top};",
            ),
            ("src/a.rs", "pub mod inner;\npub fn top() {}"),
            (
                "src/a/inner.rs",
                "pub fn deep() { super::top(); super::super::b::other(); self::own(); crate::shapes::Shape::round(1); }\npub fn own() {}",
            ),
            (
                "src/b.rs",
                "use crate::{a, very_deep, own};\nuse crate::shapes::{self, Shape::{self, *}, Plain};\nuse super::shapes::Shape as S;
pub fn other() { very_deep(); own(); a::top(); shapes::helper(); Round(1); S::Round(2); Shape::round(3); Plain::round(4); let x = S::round(5); x.area(); Square { side: 1 }.area(); <S>::round(6); <Shape as Default>::default(); }",
            ),
            (
                "src/shapes.rs",
                "pub enum Shape { Round(u8), Square { side: u8 } }\npub type Plain = Shape;\nimpl Shape { pub fn round(r: u8) -> Self { Self::Round(r) } pub fn area(&self) -> u8 { match self { Self::Round(r) => *r, Shape::Square { side } => *side } } }\nimpl Default for Shape { fn default() -> Self { Self::round(0) } }\npub fn helper() {}",
            ),
        ],
        "src/b.rs",
        &[
            "very_deep -> src/a/inner.rs deep reexport",
            "own -> src/a/inner.rs own reexport",
            "top -> src/a.rs top import",
            "helper -> src/shapes.rs helper import",
            "Round -> src/shapes.rs Shape typed",
            "Round -> src/shapes.rs Shape typed",
            "round -> src/shapes.rs Shape::round typed",
            "round -> src/shapes.rs Shape::round typed",
            "round -> src/shapes.rs Shape::round typed",
            "area -> src/shapes.rs Shape::area typed",
            "area -> src/shapes.rs Shape::area typed",
            "round -> src/shapes.rs Shape::round typed",
            "default -> src/shapes.rs Shape::default typed",
        ],
    );
}

#[test]
fn a_path_attribute_counts_from_where_it_stands() {
    check(
        &[
            (
                "src/lib.rs",
                "mod inline {\n    #[path = \"elsewhere.rs\"]\n    pub mod here;\n    pub mod nested;\n}\n#[cfg_attr(unix, path = \"unix.rs\")]\n#[cfg_attr(windows, path = \"windows.rs\")]\nmod os;\nmod folder;\nfn f() { inline::here::a(); inline::nested::b(); os::c(); folder::g(); }",
            ),
            ("src/inline/elsewhere.rs", "pub fn a() {}"),
            ("src/inline/nested.rs", "pub fn b() {}"),
            ("src/unix.rs", "pub fn c() {}"),
            ("src/windows.rs", "pub fn c() {}"),
            ("src/folder/mod.rs", "#[path = \"../shared.rs\"]\npub mod shared;\npub fn g() { shared::h(); }"),
            ("src/shared.rs", "pub fn h() {}"),
        ],
        "src/lib.rs",
        &[
            "a -> src/inline/elsewhere.rs a import",
            "b -> src/inline/nested.rs b import",
            "c -> src/unix.rs c import",
            "g -> src/folder/mod.rs g import",
        ],
    );
}
