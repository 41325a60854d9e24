//! Names: modules, imports, crates, scopes.

use super::{Repository, check};
use crate::repo_map::ImportTarget;

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
fn twins_under_cfg_keep_their_own_imports() {
    check(
        &[
            (
                "src/lib.rs",
                "mod a;\nmod b;\n#[cfg(unix)]\nmod imp {\n    use crate::a::go;\n    pub fn f() { go(); }\n}\n#[cfg(windows)]\nmod imp {\n    use crate::b::go;\n    pub fn f() { go(); }\n}",
            ),
            ("src/a.rs", "pub fn go() {}"),
            ("src/b.rs", "pub fn go() {}"),
        ],
        "src/lib.rs",
        &["go -> src/a.rs go import", "go -> src/b.rs go import"],
    );
}

#[test]
fn code_under_cfg_test_is_marked() {
    let repository = Repository::new(&[(
        "src/lib.rs",
        "fn shipped() {}\n#[cfg(test)]\nmod tests {\n    use super::*;\n    fn helper() {}\n    #[test]\n    fn works() { shipped(); helper(); }\n}",
    )]);
    let symbols = &repository.files[0].facts.symbols;
    let marked: Vec<_> = symbols.iter().filter(|symbol| symbol.test).map(|symbol| symbol.name.as_str()).collect();
    assert_eq!(marked, ["tests", "helper", "works"]);
    assert_eq!(
        repository.calls("src/lib.rs"),
        ["shipped -> src/lib.rs shipped import", "helper -> src/lib.rs tests::helper scope"]
    );
}
