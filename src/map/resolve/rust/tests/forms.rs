//! Receivers in the forms real code has: fields, chains, patterns, closures, generics, `impl` and `dyn`.

use super::check;

#[test]
fn patterns_of_every_statement_type_what_they_bind() {
    check(
        &[(
            "src/lib.rs",
            "use std::collections::HashMap;
struct Job { id: u8 }
impl Job { fn run(&self) {} }
struct Pair { left: Job, right: Option<Job> }
enum Work { One(Job), Many { jobs: Vec<Job> }, None }
fn f(work: Work, pair: Pair, map: HashMap<String, Job>, slot: &mut Option<Job>, results: Vec<Result<Job, ()>>, tuple: (Job, u8), list: &[Job]) {
    match &work { Work::One(job) => job.run(), Work::Many { jobs } => jobs[0].run(), Work::None => {} }
    let Pair { left, right: Some(right) } = pair else { return };
    left.run(); right.run();
    if let Some(job) = map.get(\"a\") { job.run(); }
    while let Some(job) = slot.take() { job.run(); }
    for (_, job) in &map { job.run(); }
    for job in map.values() { job.run(); }
    for (index, job) in list.iter().enumerate() { job.run(); }
    for job in results.into_iter().flatten() { job.run(); }
    let (job, _) = tuple; job.run();
    if let [first, .., last] = list { first.run(); last.run(); }
    let Some(job) = list.first() else { return }; job.run();
    let job = if true { Job { id: 1 } } else { Job { id: 2 } }; job.run();
    let job @ Job { .. } = Job { id: 3 }; job.run();
    if let Some(job) = slot && job.id > 0 { job.run(); }
    matches!(work, Work::One(ref job) if { job.run(); true });
}",
        )],
        "src/lib.rs",
        &[
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "get -> std: collections::HashMap::get",
            "run -> src/lib.rs Job::run returned",
            "take -> std: option::Option::take",
            "run -> src/lib.rs Job::run returned",
            "run -> src/lib.rs Job::run typed",
            "values -> std: collections::HashMap::values",
            "run -> src/lib.rs Job::run returned",
            "iter -> std: vec::Vec::iter",
            "enumerate -> std: iter::Iterator::enumerate",
            "run -> src/lib.rs Job::run returned",
            "into_iter -> std: vec::Vec::into_iter",
            "flatten -> std: iter::Iterator::flatten",
            "run -> src/lib.rs Job::run returned",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "first -> std: vec::Vec::first",
            "run -> src/lib.rs Job::run returned",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "run -> src/lib.rs Job::run typed",
            "matches -> std: matches",
            "run -> src/lib.rs Job::run typed",
        ],
    );
}

#[test]
fn adapters_and_closures_hand_on_what_they_were_given() {
    check(
        &[(
            "src/lib.rs",
            "struct Job;
impl Job { fn run(&self) {} fn next(&self) -> Job { Job } fn try_next(&self) -> Result<Job, ()> { Ok(Job) } fn parse(text: &str) -> Option<Job> { None } }
struct Queue { jobs: Vec<Job>, current: Option<Job> }
impl Queue {
    fn iter(&self) -> impl Iterator<Item = &Job> + '_ { self.jobs.iter() }
    fn all(&self) {
        self.jobs.iter().filter(|job| { job.run(); true }).map(|job| job.next()).for_each(|job| job.run());
        self.iter().for_each(|job| job.run());
        self.current.as_ref().map(|job| job.next()).unwrap().run();
        self.current.as_ref().and_then(|job| job.try_next().ok()).unwrap_or_else(|| Job).run();
        let found = self.jobs.iter().find(|job| { job.run(); true }).unwrap(); found.run();
        let made: Vec<Job> = self.jobs.iter().map(Job::next).collect(); made[0].run();
        let first = \"a\".split(',').filter_map(Job::parse).next().unwrap(); first.run();
        let call = |job: &Job| job.run(); call(&Job);
        let kept = self.jobs.iter().max_by_key(|job| { job.run(); 1 }).expect(\"some\"); kept.run();
        self.jobs.first().cloned().unwrap_or_default().run();
    }
}",
        )],
        "src/lib.rs",
        &[
            "iter -> std: vec::Vec::iter",
            "iter -> std: vec::Vec::iter",
            "filter -> std: iter::Iterator::filter",
            "run -> src/lib.rs Job::run typed",
            "map -> std: iter::Iterator::map",
            "next -> src/lib.rs Job::next typed",
            "for_each -> std: iter::Iterator::for_each",
            "run -> src/lib.rs Job::run typed",
            "iter -> src/lib.rs Queue::iter member",
            "for_each -> std: iter::Iterator::for_each",
            "run -> src/lib.rs Job::run typed",
            "as_ref -> std: option::Option::as_ref",
            "map -> std: option::Option::map",
            "next -> src/lib.rs Job::next typed",
            "unwrap -> std: option::Option::unwrap",
            "run -> src/lib.rs Job::run returned",
            "as_ref -> std: option::Option::as_ref",
            "and_then -> std: option::Option::and_then",
            "try_next -> src/lib.rs Job::try_next typed",
            "ok -> std: result::Result::ok",
            "unwrap_or_else -> std: option::Option::unwrap_or_else",
            "run -> src/lib.rs Job::run returned",
            "iter -> std: vec::Vec::iter",
            "find -> std: iter::Iterator::find",
            "run -> src/lib.rs Job::run typed",
            "unwrap -> std: option::Option::unwrap",
            "run -> src/lib.rs Job::run returned",
            "iter -> std: vec::Vec::iter",
            "map -> std: iter::Iterator::map",
            "collect -> std: iter::Iterator::collect",
            "run -> src/lib.rs Job::run typed",
            "split -> std: str::split",
            "filter_map -> std: iter::Iterator::filter_map",
            "next -> std: iter::Iterator::next",
            "unwrap -> std: option::Option::unwrap",
            "run -> src/lib.rs Job::run returned",
            "run -> src/lib.rs Job::run typed",
            "call -> ?",
            "iter -> std: vec::Vec::iter",
            "max_by_key -> std: iter::Iterator::max_by_key",
            "run -> src/lib.rs Job::run typed",
            "expect -> std: option::Option::expect",
            "run -> src/lib.rs Job::run returned",
            "first -> std: vec::Vec::first",
            "cloned -> std: option::Option::cloned",
            "unwrap_or_default -> std: option::Option::unwrap_or_default",
            "run -> src/lib.rs Job::run returned",
        ],
    );
}

#[test]
fn generics_impl_and_dyn_bind_to_bounds_wherever_they_are_written() {
    check(
        &[(
            "src/lib.rs",
            "use std::rc::Rc; use std::cell::RefCell; use std::sync::{Arc, RwLock};
trait Store { fn get(&self) -> Row; fn make() -> Self where Self: Sized; fn all(&self) { self.get(); } }
struct Row; impl Row { fn show(&self) {} }
struct Disk; impl Store for Disk { fn get(&self) -> Row { Row } fn make() -> Self { Disk } }
struct App<S> { store: S, shared: Arc<RwLock<Box<dyn Store>>>, cell: Rc<RefCell<Row>> }
impl<S> App<S> where S: Store + Send {
    fn go(&self) { self.store.get().show(); S::make().all(); self.shared.read().unwrap().get(); self.cell.borrow().show(); self.cell.borrow_mut().show(); }
}
struct Holder<T> { inner: T }
impl<T> Holder<T> { fn new(inner: T) -> Self { Holder { inner } } fn inner(&self) -> &T { &self.inner } fn into(self) -> T { self.inner } }
fn opened() -> impl Store { Disk }
fn boxed() -> Box<dyn Store + Send> { Box::new(Disk) }
fn given(store: impl Store, list: &[Box<dyn Store>], maybe: Option<&dyn Store>) { store.get(); for one in list { one.get(); } if let Some(store) = maybe { store.get(); } }
fn f(holder: Holder<Row>, app: App<Disk>) {
    opened().get().show(); boxed().get(); holder.inner.show(); holder.inner().show(); holder.into().show();
    Holder::new(Row).inner().show(); app.store.get().show(); <Disk as Store>::make().get(); Disk::make().get();
    let store: &dyn Store = &Disk; store.get();
}",
        )],
        "src/lib.rs",
        &[
            "get -> src/lib.rs Store::get member, src/lib.rs Disk::get dispatch",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "show -> src/lib.rs Row::show returned",
            "make -> src/lib.rs Store::make trait, src/lib.rs Disk::make dispatch",
            "all -> src/lib.rs Store::all trait",
            "read -> std: sync::RwLock::read",
            "unwrap -> std: result::Result::unwrap",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "borrow -> std: cell::RefCell::borrow",
            "show -> src/lib.rs Row::show returned",
            "borrow_mut -> std: cell::RefCell::borrow_mut",
            "show -> src/lib.rs Row::show returned",
            "new -> std: boxed::Box::new",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "opened -> src/lib.rs opened scope",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "show -> src/lib.rs Row::show returned",
            "boxed -> src/lib.rs boxed scope",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
            "show -> src/lib.rs Row::show typed",
            "inner -> src/lib.rs Holder::inner typed",
            "show -> src/lib.rs Row::show returned",
            "into -> src/lib.rs Holder::into typed",
            "show -> src/lib.rs Row::show returned",
            "new -> src/lib.rs Holder::new typed",
            "inner -> src/lib.rs Holder::inner typed",
            "show -> src/lib.rs Row::show returned",
            "get -> src/lib.rs Disk::get typed",
            "show -> src/lib.rs Row::show returned",
            "make -> src/lib.rs Disk::make typed",
            "get -> src/lib.rs Disk::get typed",
            "make -> src/lib.rs Disk::make typed",
            "get -> src/lib.rs Disk::get typed",
            "get -> src/lib.rs Store::get trait, src/lib.rs Disk::get dispatch",
        ],
    );
}

#[test]
fn async_code_and_errors_are_seen_through() {
    check(
        &[("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\ntokio = \"1\"\nanyhow = \"1\"\n"), (
            "src/lib.rs",
            "use std::sync::Arc; use std::pin::Pin; use std::future::Future; use tokio::sync::Mutex;
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;
struct Row; impl Row { fn show(&self) {} async fn load(&self) -> Fallible<Arc<Row>> { todo!() } }
trait Repo { async fn find(&self) -> Fallible<Option<Row>>; fn later(&self) -> Pin<Box<dyn Future<Output = Row> + Send>>; }
async fn fetch() -> anyhow::Result<Row> { Ok(Row) }
fn lazy() -> impl Future<Output = Fallible<Row>> { async { Ok(Row) } }
async fn f(repo: &dyn Repo, shared: Arc<Mutex<Row>>) -> Fallible<()> {
    fetch().await?.load().await?.show();
    repo.find().await?.ok_or(\"none\")?.show();
    repo.later().await.show();
    lazy().await?.show();
    shared.lock().await.show();
    let row = fetch().await.map_err(|error| error.to_string())?; row.show();
    let Ok(Some(row)) = repo.find().await else { return Ok(()) }; row.show();
    let task = async move { fetch().await.unwrap() }; task.await.show();
    match fetch().await { Ok(row) => row.show(), Err(_) => {} }
    let row = fetch().await.context(\"x\")?; row.show();
    Ok(())
}",
        )],
        "src/lib.rs",
        &[
            "todo -> std: todo",
            "fetch -> src/lib.rs fetch scope",
            "load -> src/lib.rs Row::load returned",
            "show -> src/lib.rs Row::show returned",
            "find -> src/lib.rs Repo::find trait",
            "ok_or -> std: option::Option::ok_or",
            "show -> src/lib.rs Row::show returned",
            "later -> src/lib.rs Repo::later trait",
            "show -> src/lib.rs Row::show returned",
            "lazy -> src/lib.rs lazy scope",
            "show -> src/lib.rs Row::show returned",
            "lock -> tokio: sync::Mutex::lock",
            "show -> src/lib.rs Row::show returned",
            "fetch -> src/lib.rs fetch scope",
            "map_err -> anyhow: Result::map_err",
            "to_string -> ?",
            "show -> src/lib.rs Row::show returned",
            "find -> src/lib.rs Repo::find trait",
            "show -> src/lib.rs Row::show returned",
            "fetch -> src/lib.rs fetch scope",
            "unwrap -> anyhow: Result::unwrap",
            "show -> src/lib.rs Row::show returned",
            "fetch -> src/lib.rs fetch scope",
            "show -> src/lib.rs Row::show returned",
            "fetch -> src/lib.rs fetch scope",
            "context -> anyhow: Result::context",
            "show -> src/lib.rs Row::show returned",
        ],
    );
}
