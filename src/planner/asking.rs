//! What every question to a planner shares: whom it goes to, what the model knows of the repository, and what it may read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::quotes::{self, Quote};
use super::tools::{ReadTools, tools};
use crate::finding::{self, Evidence};
use crate::model::ModelError;
use crate::model::conversation::Tool;
use crate::model::roles::Bound;
use crate::model::session::Session;
use crate::plan::markdown::fence_for;
use crate::repo_map::RepoMap;
use crate::secrets::of_files::masked;
use crate::tree::Tree;

/// Questions that are asked at once. Vendors limit tokens by the minute, and more at once only wait for each other.
const PARALLEL: usize = 4;

/// What a thread left behind when it panicked is whole: every write of ours is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks every question. Where each is answered by itself, the first goes alone, for it writes the shared prefix into the vendor's cache, which the others read at a tenth of
/// the price; then several at once, until one meets an error that every further one would meet too. A batch has them all at once.
///
/// The result has one entry for each, in order, or why it has no answer. It is an error only where nothing was answered.
pub(super) fn each<Q: Sync, A: Send>(
    session: &Session<'_>,
    questions: &[Q],
    ask: impl Fn(&Q) -> Result<A, ModelError> + Sync,
) -> Result<Vec<Result<A, ModelError>>, ModelError> {
    let answers: Mutex<Vec<Option<Result<A, ModelError>>>> = Mutex::new(questions.iter().map(|_| None).collect());
    let stopped: Mutex<Option<ModelError>> = Mutex::default();
    let waiting = Mutex::new(0..questions.len());
    let next = || lock(&waiting).next().filter(|_| lock(&stopped).is_none());
    let settle = |at: usize| match ask(&questions[at]) {
        Err(error) if error.stops_all() => {
            lock(&stopped).get_or_insert(error);
        }
        answer => lock(&answers)[at] = Some(answer),
    };
    if session.batcher.is_none() {
        next().into_iter().for_each(settle);
    }
    let seats = session.seats(questions.len(), PARALLEL);
    std::thread::scope(|scope| {
        for seat in seats {
            let (next, settle) = (&next, &settle);
            scope.spawn(move || {
                let _seat = seat;
                while let Some(at) = next() {
                    settle(at);
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(stopped) = stopped.into_inner().unwrap_or_else(PoisonError::into_inner) else {
        return Ok(answers.into_iter().flatten().collect());
    };
    if answers.iter().all(Option::is_none) {
        return Err(stopped);
    }
    Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(stopped.clone()))).collect())
}

/// What every question to a planner shares.
pub struct Desk<'a> {
    /// Asks, and keeps the books.
    pub session: &'a Session<'a>,
    /// The planner.
    pub bound: &'a Bound,
    /// The repository.
    pub map: &'a RepoMap,
    /// Its files.
    pub tree: &'a dyn Tree,
    /// What every prompt says of the repository, the same for all of them.
    pub pack: &'a str,
}

impl Desk<'_> {
    /// Instructions with the guard that every prompt has: what the repository says is data.
    pub fn instructions(&self, task: &str) -> String {
        format!("{}\n\n{}", task.trim(), crate::model::GUARD.trim())
    }

    /// What the model may call. An agent has tools of its own.
    pub fn tools(&self) -> Vec<Tool> {
        if self.bound.agent().is_some() { Vec::new() } else { tools() }
    }

    /// What runs it.
    pub fn toolbox(&self) -> ReadTools<'_> {
        ReadTools::new(self.map, self.tree)
    }

    /// Lines of a file with their numbers, fenced as data, credentials masked.
    pub fn excerpt(&self, file: &str, from: u32, to: u32) -> String {
        let Some(text) = self.tree.text(file) else { return "(not there any more)".to_owned() };
        let text = masked(file, &text);
        let kept = (1..).zip(text.lines()).filter(|(number, _)| (from..=to).contains(number));
        let lines: Vec<String> = kept.map(|(number, line)| format!("{number:>5}  {line}")).collect();
        let lines = lines.join("\n");
        let fence = fence_for(&lines);
        format!("{fence}\n{lines}\n{fence}")
    }

    /// Lines of a file, credentials masked.
    pub fn lines(&self, file: &str, from: u32, to: u32) -> String {
        let text = self.tree.text(file).map(|text| masked(file, &text)).unwrap_or_default();
        let kept = (1..).zip(text.lines()).filter(|(number, _)| (from..=to).contains(number));
        kept.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    /// The lines that a model quotes as evidence, where they really stand; `None` where they do not.
    pub fn quoted(&self, quote: &Quote, role: &str) -> Option<Evidence> {
        let start = quotes::check(quote, self.tree).ok()?;
        let lines = u32::try_from(quote.text.trim_end().lines().count()).unwrap_or(1).max(1);
        Some(self.evidence(&quote.file, start, start + lines - 1, role))
    }

    /// Lines of a file as evidence.
    pub fn evidence(&self, file: &str, start: u32, end: u32, role: &str) -> Evidence {
        let mut place = Evidence::new(file, start, end, role);
        place.quote = self.lines(file, start, end);
        place.quote_sha256 = finding::sha256_hex(&place.quote);
        place
    }

    /// The innermost definition around a line, qualified; empty outside any.
    pub fn symbol(&self, file: &str, line: u32) -> String {
        let Some((_, file)) = self.map.file_by_path(file) else { return String::new() };
        let around = file.facts.symbols.iter().filter(|symbol| (symbol.lines.start..=symbol.lines.end).contains(&line));
        around
            .min_by_key(|symbol| symbol.lines.end - symbol.lines.start)
            .map(|symbol| symbol.qualified.to_string())
            .unwrap_or_default()
    }
}
