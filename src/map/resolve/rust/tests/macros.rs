//! Macros: calls in their arguments, and what they write.

use super::{MANIFEST, Repository, check};

#[test]
fn macros_of_the_crate_are_definitions() {
    check(
        &[
            ("src/lib.rs", "#[macro_use]\nmod macros;\nfn f() { check!(g()); std::println!(\"{}\", g()); }\nfn g() {}"),
            ("src/macros.rs", "macro_rules! check { ($e:expr) => { $e }; }"),
        ],
        "src/lib.rs",
        &["check -> src/macros.rs check import", "g -> src/lib.rs g scope", "g -> src/lib.rs g scope"],
    );
}

#[test]
fn calls_inside_macro_arguments_are_resolved() {
    check(
        &[(
            "src/lib.rs",
            "macro_rules! own { ($($e:expr),*) => { ($($e),*) }; }
fn a() -> u8 { 1 }
async fn b() {}
async fn f() {
    println!(\"{} {}\", a(), 1);
    let all = vec![a(), 2];
    own!(a(), a());
    tokio::select! { _ = b() => a(), else => 1 };
    assert_eq!(a(), 1, \"{}\", a());
}",
        )],
        "src/lib.rs",
        &[
            "a -> src/lib.rs a scope",
            "vec -> std: vec",
            "a -> src/lib.rs a scope",
            "own -> src/lib.rs own scope",
            "a -> src/lib.rs a scope",
            "a -> src/lib.rs a scope",
            "select -> ?",
            "b -> src/lib.rs b scope",
            "a -> src/lib.rs a scope",
            "assert_eq -> std: assert_eq",
            "a -> src/lib.rs a scope",
            "a -> src/lib.rs a scope",
        ],
    );
}

#[test]
fn functions_that_macros_write_are_definitions() {
    check(
        &[
            (
                "src/routing.rs",
                "macro_rules! handler {
    ($name:ident, GET) => { handler!(#[doc = \"get\"] $name, GET); };
    ($(#[$m:meta])+ $name:ident, $method:ident) => {
        $(#[$m])+
        pub fn $name<H: Clone>(handler: H) -> Router { Router }
    };
}
macro_rules! chained { ($name:ident) => { pub fn $name(self, path: &str) -> Self { self } }; }
macro_rules! flags { ($($name:ident),*) => { $(pub fn $name() -> bool { true })* }; }
handler!(get, GET);
handler!(post, POST);
flags!(fast, slow);
pub struct Router;
impl Router { chained!(put); }",
            ),
            (
                "src/lib.rs",
                "mod routing;\nuse routing::{get, post};\nfn f() { get(1).put(\"/\").put(\"\"); post(2); routing::slow(); }",
            ),
        ],
        "src/lib.rs",
        &[
            "get -> src/routing.rs get import",
            "put -> src/routing.rs Router::put returned",
            "put -> src/routing.rs Router::put typed",
            "post -> src/routing.rs post import",
            "slow -> src/routing.rs slow import",
        ],
    );
}

#[test]
fn branches_of_cfg_if_are_read_wherever_they_stand() {
    let repository = Repository::new(&[
        MANIFEST,
        (
            "src/lib.rs",
            "cfg_if::cfg_if! {
    if #[cfg(unix)] {
        mod unix;
        pub use unix::open;
        pub struct Handle;
        impl Handle { pub fn close(&self) { helper(); } }
    } else if #[cfg(test)] {
        pub fn only_tested() { helper(); }
    } else {
        pub fn open() { fallback(); }
        fn fallback() {}
    }
}
fn helper() {}
fn f(handle: Handle) { open(); handle.close(); fallback();
    cfg_if! { if #[cfg(unix)] { helper(); } else { fallback() } }
}",
        ),
        ("src/unix.rs", "pub fn open() {}"),
    ]);
    let symbols = repository.files[0].facts.symbols.iter();
    let tested: Vec<_> = symbols.filter(|symbol| symbol.test).map(|symbol| symbol.name.as_str()).collect();
    assert_eq!(tested, ["only_tested"]);
    assert_eq!(
        repository.calls("src/lib.rs"),
        [
            "cfg_if -> ?",
            "helper -> src/lib.rs helper scope",
            "helper -> src/lib.rs helper scope",
            "fallback -> src/lib.rs fallback scope",
            "open -> src/lib.rs open scope",
            "close -> src/lib.rs Handle::close typed",
            "fallback -> src/lib.rs fallback scope",
            "cfg_if -> ?",
            "helper -> src/lib.rs helper scope",
            "fallback -> src/lib.rs fallback scope",
        ]
    );
}

#[test]
fn blocks_of_a_macro_with_a_syntax_of_its_own_are_read() {
    let repository = Repository::new(&[
        MANIFEST,
        (
            "src/lib.rs",
            "fn load() {}
fn save() {}
fn f() {
    db_run! { conn: { load(); } }
    retried!(3 => { save() });
    quote! { #name: { load() } }
}",
        ),
    ]);
    assert_eq!(
        repository.calls("src/lib.rs"),
        ["db_run -> ?", "load -> src/lib.rs load scope", "retried -> ?", "save -> src/lib.rs save scope", "quote -> ?",]
    );
}
