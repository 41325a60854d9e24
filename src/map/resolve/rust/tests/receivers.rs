//! Receivers: methods found by the type of what they are called on.

use super::check;

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
fn annotations_and_constants_type_receivers() {
    check(
        &[(
            "src/lib.rs",
            "struct Mask(u8);
impl Mask {
    const ALL: Self = Self::of(7);
    const fn of(bits: u8) -> Self { Mask(bits) }
    fn or(self, other: Self) -> Self { other }
}
fn f(text: &str) {
    let mask: Mask = text.parse().unwrap();
    mask.or(Mask::ALL);
    Mask::ALL.or(Mask::ALL);
}",
        )],
        "src/lib.rs",
        &[
            "of -> src/lib.rs Mask::of member",
            "Mask -> src/lib.rs Mask typed",
            "parse -> std: str::parse",
            "unwrap -> std: result::Result::unwrap",
            "or -> src/lib.rs Mask::or typed",
            "or -> src/lib.rs Mask::or typed",
        ],
    );
}

#[test]
fn wrappers_are_seen_through() {
    check(
        &[(
            "src/lib.rs",
            "use std::sync::{Arc, Mutex};
struct Job;
impl Job { fn run(&self) {} fn load() -> Result<Option<Arc<Job>>, ()> { Ok(None) } async fn fetch() -> Result<Job, ()> { Ok(Job) } }
async fn f(shared: Arc<Mutex<Box<Job>>>, borrowed: &mut &Job) -> Result<(), ()> {
    shared.lock().unwrap().run();
    borrowed.run();
    Job::load()?.unwrap().run();
    if let Ok(Some(job)) = Job::load() { job.run(); }
    Job::fetch().await?.run();
    let Ok(job) = Job::fetch().await else { return Ok(()) };
    job.run();
    Ok(())
}",
        )],
        "src/lib.rs",
        &[
            "lock -> std: sync::Mutex::lock",
            "unwrap -> std: result::Result::unwrap",
            "run -> src/lib.rs Job::run returned",
            "run -> src/lib.rs Job::run typed",
            "load -> src/lib.rs Job::load typed",
            "unwrap -> std: option::Option::unwrap",
            "run -> src/lib.rs Job::run returned",
            "load -> src/lib.rs Job::load typed",
            "run -> src/lib.rs Job::run returned",
            "fetch -> src/lib.rs Job::fetch typed",
            "run -> src/lib.rs Job::run returned",
            "fetch -> src/lib.rs Job::fetch typed",
            "run -> src/lib.rs Job::run returned",
        ],
    );
}
