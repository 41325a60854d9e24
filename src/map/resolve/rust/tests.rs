//! Each case is a handful of files in memory: what every call in one of them resolves to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::map::language::rust::RUST;
use crate::map::resolve::{LinkInput, Links, link};
use crate::map::syntax::SyntaxParser;
use crate::progress::NoProgress;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::{CallTarget, FileHistory, FileRole, ImportTarget, SourceFile};

/// A repository of Rust files and manifests, linked.
struct Repository {
    files: Vec<SourceFile>,
    links: Links,
}

impl Repository {
    fn new(entries: &[(&str, &str)]) -> Self {
        let mut files = Vec::new();
        let mut config = BTreeMap::new();
        let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
        for (path, text) in entries {
            if !path.ends_with(".rs") {
                config.insert((*path).to_owned(), (*text).to_owned());
                continue;
            }
            files.push(SourceFile {
                path: (*path).to_owned(),
                language: LanguageName::Rust,
                role: FileRole::Production,
                lines: text.lines().count() as u32,
                bytes: text.len() as u64,
                history: FileHistory::default(),
                facts: RUST.read("rs", text, &mut parser).expect("no cancellation is set"),
            });
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let links = link(&LinkInput { files: &files, config: &config });
        Self { files, links }
    }

    /// What the calls of `path` resolve to, macros of the standard library left out:
    /// `name -> file qualified how`, `name -> crate path`, `name -> ?`.
    fn calls(&self, path: &str) -> Vec<String> {
        let (file, source) =
            self.files.iter().enumerate().find(|(_, file)| file.path == path).expect("a file of the case");
        let calls = source.facts.calls.iter().zip(&self.links.targets[file]);
        calls
            .filter(|(call, _)| !matches!(call.name.as_str(), "Some" | "Ok" | "println"))
            .map(|(call, target)| match target {
                CallTarget::Symbols(found) => {
                    let found = found.iter().map(|found| {
                        let file = &self.files[found.symbol.file as usize];
                        let symbol = &file.facts.symbols[found.symbol.index as usize];
                        format!("{} {} {}", file.path, symbol.qualified, found.how.label())
                    });
                    format!("{} -> {}", call.name, found.collect::<Vec<_>>().join(", "))
                }
                CallTarget::External(external) => {
                    format!("{} -> {}: {}", call.name, external.package, external.path.join("::"))
                }
                CallTarget::Unresolved => format!("{} -> ?", call.name),
            })
            .collect()
    }
}

const MANIFEST: (&str, &str) =
    ("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nsqlx = \"1\"\nregex = \"1\"\nreqwest = \"1\"\n");

#[track_caller]
fn check(entries: &[(&str, &str)], path: &str, expected: &[&str]) {
    let mut all = vec![MANIFEST];
    all.extend(entries);
    assert_eq!(Repository::new(&all).calls(path), expected);
}

#[test]
fn names_resolve_by_scope_module_and_import() {
    check(
        &[
            (
                "src/lib.rs",
                "mod orders;\nuse orders::{load, save as store};\nfn here() {}\nfn main() { here(); load(); store(); orders::inner::deep(); crate::orders::load(); }",
            ),
            ("src/orders.rs", "pub mod inner;\npub fn load() { self::inner::deep(); }\npub fn save() {}"),
            ("src/orders/inner.rs", "pub fn deep() { super::load(); }"),
        ],
        "src/lib.rs",
        &[
            "here -> src/lib.rs here scope",
            "load -> src/orders.rs load import",
            "store -> src/orders.rs save import",
            "deep -> src/orders/inner.rs deep import",
            "load -> src/orders.rs load import",
        ],
    );
}

#[test]
fn globs_and_reexports_are_followed() {
    check(
        &[
            ("src/lib.rs", "mod api;\nmod user;"),
            ("src/api.rs", "mod imp;\npub use imp::*;\npub use self::imp::run as go;"),
            ("src/api/imp.rs", "pub fn run() {}\npub struct Job;\nimpl Job { pub fn start(&self) {} }"),
            (
                "src/user.rs",
                "use crate::api::{go, Job};\nuse super::api;\nfn f(job: &Job) { go(); api::run(); job.start(); }",
            ),
        ],
        "src/user.rs",
        &[
            "go -> src/api/imp.rs run reexport",
            "run -> src/api/imp.rs run reexport",
            "start -> src/api/imp.rs Job::start typed",
        ],
    );
}

#[test]
fn path_attributes_and_inline_modules_place_files() {
    check(
        &[
            (
                "src/lib.rs",
                "#[path = \"other/place.rs\"]\nmod moved;\nmod outer { pub mod inner; }\nfn f() { moved::a(); outer::inner::b(); }",
            ),
            ("src/other/place.rs", "pub fn a() {}"),
            ("src/outer/inner.rs", "pub fn b() {}"),
        ],
        "src/lib.rs",
        &["a -> src/other/place.rs a import", "b -> src/outer/inner.rs b import"],
    );
}

#[test]
fn workspace_crates_are_known_by_their_code_names() {
    let repository = Repository::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\nthe-core = { path = \"crates/the-core\" }\n",
        ),
        ("crates/the-core/Cargo.toml", "[package]\nname = \"the-core\"\n"),
        ("crates/the-core/src/lib.rs", "pub fn run() {}"),
        (
            "crates/app/Cargo.toml",
            "[package]\nname = \"app\"\n[dependencies]\nthe-core = { workspace = true }\nrenamed = { package = \"the-core\", path = \"../the-core\" }\n",
        ),
        ("crates/app/src/lib.rs", "pub fn own() {}"),
        ("crates/app/src/main.rs", "fn main() { the_core::run(); renamed::run(); app::own(); unknown::f(); }"),
        ("crates/app/tests/it.rs", "use app::own;\n#[test]\nfn works() { own(); }"),
    ]);
    assert_eq!(
        repository.calls("crates/app/src/main.rs"),
        [
            "run -> crates/the-core/src/lib.rs run import",
            "run -> crates/the-core/src/lib.rs run import",
            "own -> crates/app/src/lib.rs own import",
            "f -> ?",
        ]
    );
    assert_eq!(repository.calls("crates/app/tests/it.rs"), ["own -> crates/app/src/lib.rs own import"]);
    let tests =
        repository.files.iter().position(|file| file.path == "crates/app/tests/it.rs").expect("a file of the case");
    let library = repository.files.iter().position(|file| file.path == "crates/app/src/lib.rs").expect("likewise");
    assert_eq!(repository.links.import_targets[tests], [ImportTarget::File(library as u32)]);
}

#[test]
fn self_fields_and_parameters_type_receivers() {
    check(
        &[(
            "src/lib.rs",
            "use std::sync::Arc;
struct Store { pool: Arc<Pool>, all: Vec<Pool> }
struct Pool;
impl Pool { fn get(&self) {} }
impl Store {
    fn run(&self, other: &mut Pool, maybe: Option<Box<Pool>>) -> Result<(), ()> {
        self.step();
        Self::make();
        self.pool.get();
        other.get();
        maybe.unwrap().get();
        for one in self.all.iter() { one.get(); }
        if let Some(first) = self.all.first() { first.get(); }
        self.all.iter().for_each(|each| each.get());
        Ok(())
    }
    fn step(&self) {}
    fn make() {}
}",
        )],
        "src/lib.rs",
        &[
            "step -> src/lib.rs Store::step member",
            "make -> src/lib.rs Store::make member",
            "get -> src/lib.rs Pool::get typed",
            "get -> src/lib.rs Pool::get typed",
            "unwrap -> std: option::Option::unwrap",
            "get -> src/lib.rs Pool::get returned",
            "iter -> std: vec::Vec::iter",
            "get -> src/lib.rs Pool::get returned",
            "first -> std: vec::Vec::first",
            "get -> src/lib.rs Pool::get returned",
            "iter -> std: vec::Vec::iter",
            "for_each -> std: iter::Iterator::for_each",
            "get -> src/lib.rs Pool::get typed",
        ],
    );
}

#[test]
fn constructors_literals_and_results_type_variables() {
    check(
        &[(
            "src/lib.rs",
            "struct A { n: u8 }
impl A {
    fn new() -> Self { A { n: 0 } }
    fn open() -> Result<Self, ()> { Ok(Self::new()) }
    fn next(self) -> B { B(self) }
    fn go(&self) {}
}
struct B(A);
impl B { fn end(&self) {} }
fn make() -> Option<A> { None }
async fn later() -> A { A::new() }
async fn f() -> Result<(), ()> {
    let a = A::new();
    a.go();
    let b = A { n: 1 };
    b.go();
    let c = A::open()?;
    c.go();
    A::new().next().end();
    let d = match make() { Some(found) => found, None => return Ok(()) };
    d.go();
    later().await.go();
    let B(inner) = A::new().next();
    inner.go();
    let mut all = Vec::new();
    all.push(A::new());
    all[0].go();
    Ok(())
}",
        )],
        "src/lib.rs",
        &[
            "new -> src/lib.rs A::new member",
            "B -> src/lib.rs B typed",
            "new -> src/lib.rs A::new typed",
            "new -> src/lib.rs A::new typed",
            "go -> src/lib.rs A::go typed",
            "go -> src/lib.rs A::go typed",
            "open -> src/lib.rs A::open typed",
            "go -> src/lib.rs A::go returned",
            "new -> src/lib.rs A::new typed",
            "next -> src/lib.rs A::next typed",
            "end -> src/lib.rs B::end returned",
            "make -> src/lib.rs make scope",
            "go -> src/lib.rs A::go returned",
            "later -> src/lib.rs later scope",
            "go -> src/lib.rs A::go returned",
            "new -> src/lib.rs A::new typed",
            "next -> src/lib.rs A::next typed",
            "go -> src/lib.rs A::go returned",
            "new -> std: vec::Vec::new",
            "push -> std: vec::Vec::push",
            "new -> src/lib.rs A::new typed",
            "go -> src/lib.rs A::go returned",
        ],
    );
}

#[test]
fn bounds_bind_to_the_trait_and_its_implementations_dispatch() {
    check(
        &[
            (
                "src/lib.rs",
                "mod shapes;\nuse shapes::{Shape, Square};\nfn f<T: Shape>(t: &T, d: Box<dyn Shape>, i: impl Shape, s: Square) { t.area(); d.area(); i.twice(); s.area(); s.twice(); Shape::area(&s); T::area(t); }",
            ),
            (
                "src/shapes.rs",
                "pub trait Shape { fn area(&self); fn twice(&self) { self.area(); } }\npub struct Square;\nimpl Shape for Square { fn area(&self) {} }",
            ),
        ],
        "src/lib.rs",
        &[
            "area -> src/shapes.rs Shape::area trait, src/shapes.rs Square::area dispatch",
            "area -> src/shapes.rs Shape::area trait, src/shapes.rs Square::area dispatch",
            "twice -> src/shapes.rs Shape::twice trait",
            "area -> src/shapes.rs Square::area typed",
            "twice -> src/shapes.rs Shape::twice trait",
            "area -> src/shapes.rs Square::area typed",
            "area -> src/shapes.rs Shape::area trait, src/shapes.rs Square::area dispatch",
        ],
    );
}

#[test]
fn a_name_alone_binds_nothing() {
    check(
        &[(
            "src/lib.rs",
            "struct Job;
impl Job { fn run(&self) {} fn start() {} }
fn f(run: fn(), unknown: Unknown) {
    run();
    start();
    unknown.run();
    let local = || ();
    local();
}
fn local() {}",
        )],
        "src/lib.rs",
        &["run -> ?", "start -> ?", "run -> ?", "local -> ?"],
    );
}

#[test]
fn calls_out_of_the_repository_say_crate_and_path() {
    check(
        &[(
            "src/lib.rs",
            "use regex::Regex;
use std::process::Command;
async fn f(client: reqwest::Client, pool: &sqlx::PgPool, p: &str) -> Result<(), ()> {
    std::fs::read(p)?;
    let re = Regex::new(p).unwrap();
    re.is_match(p);
    client.get(p).send().await?;
    sqlx::query(p).bind(1).bind(2).fetch_one(pool).await?;
    sqlx::query!(p);
    Command::new(p).output();
    Ok(())
}",
        )],
        "src/lib.rs",
        &[
            "read -> std: fs::read",
            "new -> regex: Regex::new",
            "unwrap -> ?",
            "is_match -> regex: Regex::is_match",
            "get -> reqwest: Client::get",
            "send -> reqwest: Client::get::send",
            "query -> sqlx: query",
            "bind -> sqlx: query::bind",
            "bind -> sqlx: query::bind",
            "fetch_one -> sqlx: query::bind::fetch_one",
            "query -> sqlx: query",
            "new -> std: process::Command::new",
            "output -> std: process::Command::output",
        ],
    );
}

#[test]
fn extension_traits_bind_only_where_they_are_in_scope() {
    let extension = (
        "src/ext.rs",
        "pub trait Shout { fn shout(&self); fn twice(&self) { self.shout(); } }\nimpl Shout for str { fn shout(&self) {} }\npub trait Any { fn any_way(&self) {} }\nimpl<T: AsRef<str>> Any for T {}",
    );
    check(
        &[
            ("src/lib.rs", "mod ext;\nuse ext::{Any as _, Shout};\nfn f(s: &str) { s.shout(); s.any_way(); }"),
            extension,
        ],
        "src/lib.rs",
        &["shout -> src/ext.rs str::shout typed", "any_way -> src/ext.rs Any::any_way trait"],
    );
    check(
        &[("src/lib.rs", "mod ext;\nfn f(s: &str) { s.any_way(); }"), extension],
        "src/lib.rs",
        &["any_way -> std: str::any_way"],
    );
}

#[test]
fn an_extension_that_forwards_does_not_call_itself() {
    check(
        &[(
            "src/lib.rs",
            "use std::net::TcpListener;
trait Listener { fn accept(&self); }
impl Listener for TcpListener { fn accept(&self) { self.accept(); Self::accept(self); TcpListener::accept(self); } }
type Shared<T = u8> = std::sync::Arc<T>;
struct Later;
impl std::future::IntoFuture for Later { type Output = Done; }
struct Done;
impl Done { fn done(&self) {} }
async fn f(l: Later, s: Shared<Done>) { l.await.done(); s.done(); }",
        )],
        "src/lib.rs",
        &[
            "accept -> std: net::TcpListener::accept",
            "accept -> std: net::TcpListener::accept",
            "accept -> std: net::TcpListener::accept",
            "done -> src/lib.rs Done::done typed",
            "done -> src/lib.rs Done::done typed",
        ],
    );
}

#[test]
fn shadowing_and_function_scopes_are_respected() {
    check(
        &[(
            "src/lib.rs",
            "struct A;\nimpl A { fn a(&self) -> B { B } }\nstruct B;\nimpl B { fn b(&self) {} }
fn f(x: A) {
    { use self::inner::helper; helper(); }
    let x = x.a();
    x.b();
    fn nested() {}
    nested();
}
fn g() { nested(); helper(); }
mod inner { pub fn helper() {} }",
        )],
        "src/lib.rs",
        &[
            "helper -> src/lib.rs inner::helper import",
            "a -> src/lib.rs A::a typed",
            "b -> src/lib.rs B::b returned",
            "nested -> src/lib.rs f::nested scope",
            "nested -> ?",
            "helper -> ?",
        ],
    );
}

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
