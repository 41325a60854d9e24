//! What the linking of each file looked at, kept with its edges: after an edit only those files are linked again that looked at
//! something that is no longer the same.
//!
//! Linking a file is a function of the facts it looks into, of what names that are exported stand for, and of which classes
//! build on a type (see [`super::reads`]); what a specifier means depends on the paths and the configuration, and when these change
//! everything is linked anew. So a file whose recorded looks would all give the same again has the same edges again.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::exports::{Exported, Found, Space};
use super::reads::Seen;
use super::world::{Subtypes, World};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, SymbolId};

/// Traces of all files, parallel to them, and the questions they refer to by place.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traces {
    questions: Vec<Question>,
    files: Vec<FileTrace>,
}

/// What an exported name stood for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Question {
    file: FileId,
    of_type: bool,
    name: Name,
    /// Files whose exports were looked through for it, in order.
    through: Vec<FileId>,
    answer: u64,
}

/// The trace of one file; empty for other languages.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct FileTrace {
    /// Types that classes of the file build on, with the class.
    builds_on: Vec<(SymbolId, SymbolId)>,
    /// What was looked at to know that.
    heritage: Trace,
    /// What was looked at to link the calls.
    calls: Trace,
}

/// What was looked at, each list in order.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Trace {
    files: Vec<FileId>,
    questions: Vec<u32>,
    bases: Vec<SymbolId>,
}

/// The traces of the run before, and what is no longer as it was.
pub(super) struct Before {
    traces: Traces,
    changed: Vec<bool>,
    /// Questions whose answer differs.
    otherwise: Vec<bool>,
    /// Questions that were asked again in this world, by its number for them.
    again: FxHashMap<usize, u32>,
}

/// A trace that is made in this run: the number of its questions is that of the world.
#[derive(Debug, Default)]
pub(super) struct NewTrace {
    pub builds_on: Option<(Vec<(SymbolId, SymbolId)>, Seen)>,
    pub calls: Option<Seen>,
}

impl Before {
    /// What of `traces` holds in `world`, where the facts of `changed` files differ.
    pub fn new(traces: Traces, changed: &[bool], world: &World<'_>) -> Option<Self> {
        let fits = traces.files.len() == changed.len() && traces.fit();
        if !fits {
            return None;
        }
        let mut again = FxHashMap::default();
        let mut otherwise = vec![false; traces.questions.len()];
        for (place, question) in traces.questions.iter().enumerate() {
            if question.through.iter().any(|&file| changed[file as usize]) {
                let space = if question.of_type { Space::Type } else { Space::Value };
                let (number, found) = world.export(question.file, &question.name, space);
                otherwise[place] = digest(found.as_ref()) != question.answer;
                again.insert(place, number);
            }
        }
        Some(Self { traces, changed: changed.to_vec(), otherwise, again })
    }

    fn is_stale(&self, file: FileId, trace: &Trace) -> bool {
        self.changed[file as usize]
            || trace.files.iter().any(|&file| self.changed[file as usize])
            || trace.questions.iter().any(|&question| self.otherwise[question as usize])
    }

    /// What the classes of `file` build on, if that still holds.
    pub fn builds_on(&self, file: FileId) -> Option<&[(SymbolId, SymbolId)]> {
        let trace = &self.traces.files[file as usize];
        (!self.is_stale(file, &trace.heritage)).then_some(&trace.builds_on)
    }

    /// Whether the edges of `file` still hold, where `subtypes` are those of this run.
    pub fn holds(&self, file: FileId, subtypes: &Subtypes, before: &Subtypes) -> bool {
        let trace = &self.traces.files[file as usize].calls;
        !self.is_stale(file, trace) && trace.bases.iter().all(|base| subtypes.get(base) == before.get(base))
    }

    /// Classes by what they built on.
    pub fn subtypes(&self) -> Subtypes {
        subtypes(self.traces.files.iter().map(|trace| trace.builds_on.as_slice()))
    }
}

/// Classes by what they build on, as each file says.
pub(super) fn subtypes<'t>(of_files: impl Iterator<Item = &'t [(SymbolId, SymbolId)]>) -> Subtypes {
    let mut found: Subtypes = BTreeMap::new();
    for (base, class) in of_files.flatten() {
        found.entry(*base).or_default().push(*class);
    }
    found
}

impl Traces {
    /// Whether every number in them means something.
    fn fit(&self) -> bool {
        let files = self.files.len();
        let is_file = |file: &FileId| (*file as usize) < files;
        let fits = |trace: &Trace| {
            trace.files.iter().all(is_file)
                && trace.questions.iter().all(|question| (*question as usize) < self.questions.len())
        };
        self.files.iter().all(|trace| fits(&trace.heritage) && fits(&trace.calls))
            && self.questions.iter().all(|question| is_file(&question.file) && question.through.iter().all(is_file))
    }

    /// The traces of this run: `new` ones, parallel to the files, and where there is none that of `before`.
    ///
    /// The questions are in an order of their own, so that the same sources give the same traces however they came about.
    pub(super) fn new(before: Option<Before>, new: Vec<NewTrace>, world: &World<'_>) -> Self {
        let mut old_files = before.as_ref().map(|before| before.traces.files.as_slice()).unwrap_or_default();
        let old_questions = before.as_ref().map(|before| before.traces.questions.as_slice()).unwrap_or_default();
        let mut used_old = vec![false; old_questions.len()];
        let mut used_new = vec![false; world.questions.load(std::sync::atomic::Ordering::Relaxed) as usize];
        let nothing = FileTrace::default();
        let mut next_old = || match old_files.split_first() {
            Some((first, rest)) => {
                old_files = rest;
                first
            }
            None => &nothing,
        };
        let parts: Vec<(&FileTrace, NewTrace)> = new.into_iter().map(|new| (next_old(), new)).collect();
        for (old, new) in &parts {
            let old_heritage = new.builds_on.is_none().then_some(&old.heritage);
            let old_calls = new.calls.is_none().then_some(&old.calls);
            for &question in old_heritage.into_iter().chain(old_calls).flat_map(|trace| &trace.questions) {
                used_old[question as usize] = true;
            }
            let new_seen = new.builds_on.iter().map(|(_, seen)| seen).chain(&new.calls);
            for &question in new_seen.flat_map(|seen| &seen.questions) {
                used_new[question as usize] = true;
            }
        }
        // What was asked again goes by its new number.
        for (&place, &number) in before.iter().flat_map(|before| &before.again) {
            used_new[number as usize] |= used_old[place];
            used_old[place] = false;
        }
        let mut all: Vec<(Question, Origin)> = Vec::new();
        for (place, question) in old_questions.iter().enumerate() {
            if used_old[place] {
                all.push((question.clone(), Origin::Old(place)));
            }
        }
        for file in 0..world.files.len() as FileId {
            let Some(exports) = world.exports_asked_for(file) else { continue };
            exports.each_known(|space, name, number, found, through| {
                if used_new[number as usize] {
                    let (of_type, answer) = (space == Space::Type, digest(found));
                    let question = Question { file, of_type, name: name.into(), through: through.to_vec(), answer };
                    all.push((question, Origin::New(number as usize)));
                }
            });
        }
        all.sort_by(|(left, _), (right, _)| {
            (left.file, left.of_type, left.name).cmp(&(right.file, right.of_type, right.name))
        });
        let mut place_of_old = vec![0; old_questions.len()];
        let mut place_of_new = vec![0; used_new.len()];
        let mut questions: Vec<Question> = Vec::with_capacity(all.len());
        for (question, origin) in all {
            let same = |last: &Question| {
                (last.file, last.of_type, last.name) == (question.file, question.of_type, question.name)
            };
            if !questions.last().is_some_and(same) {
                questions.push(question);
            }
            let place = questions.len() as u32 - 1;
            match origin {
                Origin::Old(old) => place_of_old[old] = place,
                Origin::New(number) => place_of_new[number] = place,
            }
        }
        for (&place, &number) in before.iter().flat_map(|before| &before.again) {
            place_of_old[place] = place_of_new[number as usize];
        }
        let kept = |trace: &Trace| Trace { questions: placed(&trace.questions, &place_of_old), ..trace.clone() };
        let made = |seen: Seen| Trace {
            files: seen.files,
            questions: placed(&seen.questions, &place_of_new),
            bases: seen.bases,
        };
        let files = parts.into_iter().map(|(old, new)| {
            let (builds_on, heritage) = match new.builds_on {
                Some((builds_on, seen)) => (builds_on, made(seen)),
                None => (old.builds_on.clone(), kept(&old.heritage)),
            };
            let calls = new.calls.map_or_else(|| kept(&old.calls), made);
            FileTrace { builds_on, heritage, calls }
        });
        Self { files: files.collect(), questions }
    }
}

/// Where a question comes from: its place among the old ones, or its number in this world.
enum Origin {
    Old(usize),
    New(usize),
}

fn placed(questions: &[u32], places: &[u32]) -> Vec<u32> {
    let mut placed: Vec<u32> = questions.iter().map(|&question| places[question as usize]).collect();
    placed.sort_unstable();
    placed
}

/// A number for an answer. Of a value that is written in place it takes the value: the file it stands in may say which one otherwise.
fn digest(found: Option<&Found<'_>>) -> u64 {
    match found {
        None => 0,
        Some((Exported::Definition(file, definition), passed)) => {
            xxh3_64(format!("d{file} {definition:?} {passed}").as_bytes())
        }
        Some((Exported::Namespace(file), passed)) => xxh3_64(format!("n{file} {passed}").as_bytes()),
        Some((Exported::External(package, path), passed)) => {
            xxh3_64(format!("e{package:?} {path:?} {passed}").as_bytes())
        }
        Some((Exported::Value(file, value), passed)) => xxh3_64(format!("v{file} {value:?} {passed}").as_bytes()),
    }
}
