//! Traits: bounds, implementations, extensions, derives.

use super::check;

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
fn a_derive_with_the_name_of_a_trait_implements_it() {
    check(
        &[(
            "src/lib.rs",
            "trait Describe { fn describe(&self) {} }\n#[derive(Debug, Describe)]\nstruct Job;\nfn f(job: Job) { job.describe(); }",
        )],
        "src/lib.rs",
        &["describe -> src/lib.rs Describe::describe trait"],
    );
}

#[test]
fn the_argument_tells_implementations_of_one_trait_apart() {
    check(
        &[(
            "src/lib.rs",
            "struct A;
struct B;
struct Error;
impl From<A> for Error { fn from(_: A) -> Self { Error } }
impl From<B> for Error { fn from(_: B) -> Self { Error } }
struct Body;
impl From<()> for Body { fn from(_: ()) -> Self { Body } }
impl From<A> for Vec<u8> { fn from(_: A) -> Self { Vec::new() } }
fn f(b: B, a: A, text: &str) {
    Error::from(b);
    Body::from(text);
    Body::from(());
    Vec::from(text);
    Vec::from(a);
}",
        )],
        "src/lib.rs",
        &[
            "new -> std: vec::Vec::new",
            "from -> src/lib.rs Error::from typed",
            "from -> ?",
            "from -> src/lib.rs Body::from typed",
            "from -> std: vec::Vec::from",
            "from -> src/lib.rs Vec::from typed",
        ],
    );
}

#[test]
fn functions_have_the_traits_that_every_function_has() {
    check(
        &[(
            "src/lib.rs",
            "trait Handler { fn handle(&self) {} }
impl<F: Fn()> Handler for F { fn handle(&self) {} }
trait Service { fn serve(&self) {} }
impl<H: Handler> Service for H { fn serve(&self) {} }
fn index() {}
fn f() { index.serve(); let closure = || (); closure.serve(); }",
        )],
        "src/lib.rs",
        &["serve -> src/lib.rs H::serve trait", "serve -> src/lib.rs H::serve trait"],
    );
}

#[test]
fn a_closure_given_to_a_trait_method_takes_what_the_receiver_has() {
    check(
        &[(
            "src/lib.rs",
            "trait Matcher { type Found; fn each<F>(&self, f: F) where F: FnMut(&Self::Found) -> bool { } }
struct Own;
struct Found;
impl Found { fn get(&self) {} }
impl Matcher for Own { type Found = Found; }
fn f(own: Own) { own.each(|found| { found.get(); true }); }",
        )],
        "src/lib.rs",
        &["each -> src/lib.rs Matcher::each trait", "get -> src/lib.rs Found::get typed"],
    );
}

#[test]
fn a_method_that_forwards_to_its_own_name_stands_behind_it() {
    check(
        &[(
            "src/lib.rs",
            "use std::net::TcpListener;
trait Listener { fn local_addr(&self); fn name(&self) {} }
impl Listener for TcpListener { fn local_addr(&self) { Self::local_addr(self); } }
fn f(l: TcpListener) { l.local_addr(); l.name(); }",
        )],
        "src/lib.rs",
        &[
            "local_addr -> std: net::TcpListener::local_addr",
            "local_addr -> std: net::TcpListener::local_addr",
            "name -> src/lib.rs Listener::name trait",
        ],
    );
}

#[test]
fn an_implementation_for_tuples_is_not_one_for_every_type() {
    check(
        &[(
            "src/lib.rs",
            "trait Reply { fn reply(&self) {} }\nimpl Reply for () {}\nimpl Reply for (u8, u8) {}\nfn f(s: String) { s.reply(); }",
        )],
        "src/lib.rs",
        &["reply -> std: string::String::reply"],
    );
}

#[test]
fn extensions_of_results_are_found_on_what_other_crates_give() {
    check(
        &[
            (
                "src/error.rs",
                "pub type Fallible<T> = std::result::Result<T, u8>;
pub trait Explain<T> { fn explain(self) -> Fallible<T>; }
impl<T, E> Explain<T> for std::result::Result<T, E> { fn explain(self) -> Fallible<T> { Err(1) } }
pub trait Explain2<T> { fn explain(self) -> Fallible<T>; }
impl<T> Explain2<T> for Fallible<T> { fn explain(self) -> Fallible<T> { Err(2) } }",
            ),
            (
                "src/lib.rs",
                "mod error;\nmod other;\nuse error::Explain;\nasync fn f(pool: &sqlx::PgPool) { sqlx::query(\"\").fetch_one(pool).await.explain(); }",
            ),
            (
                "src/other.rs",
                "use crate::error::Fallible;\nfn f(one: Fallible<u8>) { use crate::error::Explain2; one.explain(); }\nfn g(pool: &sqlx::PgPool) { sqlx::query(\"\").explain(); }",
            ),
        ],
        "src/lib.rs",
        &[
            "query -> sqlx: query",
            "fetch_one -> sqlx: query::fetch_one",
            "explain -> src/error.rs Result::explain trait",
        ],
    );
}
