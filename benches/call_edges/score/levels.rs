//! Distinct edges at four levels, from call site to file, and what of them agrees.

use std::collections::HashSet;
use std::hash::Hash;

use super::answers::{Answers, Callee, Place, called_name};
use super::names::last_part;
use super::rows::Prediction;

/// How finely an edge is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// File and line of the call → definition.
    Site,
    /// Calling function → definition.
    Function,
    /// Calling file → definition.
    Symbol,
    /// Calling file → another file.
    File,
}

impl Level {
    /// The word in tables and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Level::Site => "site",
            Level::Function => "fn",
            Level::Symbol => "symbol",
            Level::File => "file",
        }
    }
}

/// Edges counted at one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the truth.
    pub truth: usize,
    /// Predicted and judged.
    pub predicted: usize,
    /// In both.
    pub right: usize,
}

impl Counts {
    /// Share of the predicted edges that are right.
    pub fn precision(self) -> f64 {
        self.right as f64 / self.predicted.max(1) as f64
    }

    /// Share of the truth's edges that were predicted.
    pub fn recall(self) -> f64 {
        self.right as f64 / self.truth.max(1) as f64
    }

    /// Harmonic mean of both.
    pub fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if self.right == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
    }
}

/// Distinct edges at every level.
#[derive(Default)]
pub struct Edges<'t> {
    /// Calling file, line of the call, definition.
    pub site: HashSet<(&'t str, u32, Callee<'t>)>,
    /// Calling file, calling function, definition.
    pub function: HashSet<(&'t str, &'t str, Callee<'t>)>,
    /// Calling file, definition.
    pub symbol: HashSet<(&'t str, Callee<'t>)>,
    /// Calling file, file of the definition.
    pub file: HashSet<(&'t str, &'t str)>,
}

impl<'t> Edges<'t> {
    /// Adds one edge at each level it is known at.
    pub fn add(&mut self, file: &'t str, line: Option<u32>, function: Option<&'t str>, callee: Callee<'t>) {
        self.symbol.insert((file, callee));
        if let Some(line) = line {
            self.site.insert((file, line, callee));
        }
        if let Some(function) = function {
            self.function.insert((file, function, callee));
        }
        if file != callee.file {
            self.file.insert((file, callee.file));
        }
    }
}

/// An edge, for a person to look up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// File of the call, and its line where known.
    pub from: (String, Option<u32>),
    /// File of the definition, and its line; 0 when neither side knows one.
    pub to: (String, u32),
    /// Its name, where the truth does not know the definition.
    pub name: Option<String>,
}

/// Predictions that were judged.
pub struct Levels<'t> {
    /// Distinct edges.
    pub edges: Edges<'t>,
    /// Rows in files the truth does not cover.
    pub unseen_files: usize,
    /// Rows where the truth has no answer.
    pub silent: usize,
}

impl<'t> Levels<'t> {
    /// Judges predictions that have a callee.
    pub fn new(answers: &Answers<'t>, predictions: &[&'t Prediction]) -> Self {
        let mut levels = Self { edges: Edges::default(), unseen_files: 0, silent: 0 };
        for row in predictions {
            levels.add(answers, row);
        }
        levels
    }

    fn add(&mut self, answers: &Answers<'t>, row: &'t Prediction) {
        let Some(callee) = answers.callee(row) else { return };
        let file = row.caller_file.as_str();
        match Verdict::new(answers, row, callee) {
            None => self.unseen_files += 1,
            Some(verdict) if verdict.symbol == Judged::Silent => self.silent += 1,
            Some(verdict) => {
                let line = row.call_line.filter(|_| verdict.site != Judged::Silent);
                let function = row.caller_name.as_deref().filter(|name| !name.is_empty()).map(last_part);
                self.edges.add(file, line, function, callee);
            }
        }
    }

    /// Counts of every level that has a prediction.
    pub fn counts(&self, answers: &Answers<'t>) -> Vec<(Level, Counts)> {
        let (truth, predicted) = (&answers.edges, &self.edges);
        [
            (Level::Site, compare(&truth.site, &predicted.site)),
            (Level::Function, compare(&truth.function, &predicted.function)),
            (Level::Symbol, compare(&truth.symbol, &predicted.symbol)),
            (Level::File, compare(&truth.file, &predicted.file)),
        ]
        .into_iter()
        .filter(|(_, counts)| counts.predicted > 0)
        .collect()
    }

    /// Edges of the truth that were not predicted, sorted; by site where predictions have lines.
    pub fn missed(&self, answers: &Answers<'t>) -> Vec<Edge> {
        self.without(&answers.edges, &self.edges)
    }

    /// Predicted edges that the truth denies, sorted.
    pub fn wrong(&self, answers: &Answers<'t>) -> Vec<Edge> {
        self.without(&self.edges, &answers.edges)
    }

    fn without(&self, these: &Edges<'t>, those: &Edges<'t>) -> Vec<Edge> {
        let mut edges: Vec<Edge> = if self.edges.site.is_empty() {
            these.symbol.difference(&those.symbol).map(|&(file, callee)| edge(file, None, callee)).collect()
        } else {
            these.site.difference(&those.site).map(|&(file, line, callee)| edge(file, Some(line), callee)).collect()
        };
        edges.sort();
        edges
    }
}

fn edge(file: &str, line: Option<u32>, callee: Callee<'_>) -> Edge {
    let (to, name) = match callee.place {
        Place::Line(line) => (line, None),
        Place::Unknown(name, line) => (line.unwrap_or_default(), Some(name.to_owned())),
    };
    Edge { from: (file.to_owned(), line), to: (callee.file.to_owned(), to), name }
}

fn compare<E: Eq + Hash>(truth: &HashSet<E>, predicted: &HashSet<E>) -> Counts {
    Counts { truth: truth.len(), predicted: predicted.len(), right: predicted.intersection(truth).count() }
}

/// What the truth says of one prediction at one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The same edge.
    Right,
    /// No such edge.
    Wrong,
    /// No answer: the front end said nothing, or the callee is of a kind that does not count.
    Silent,
}

/// What the truth says of one prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Of the edge from the file.
    pub symbol: Judged,
    /// Of the edge from the line; that of the file when the line is not known.
    pub site: Judged,
}

impl Verdict {
    /// `None` when the truth does not cover the file.
    pub fn new(answers: &Answers<'_>, row: &Prediction, callee: Callee<'_>) -> Option<Self> {
        let file = row.caller_file.as_str();
        if !answers.covers(file) {
            return None;
        }
        let name = called_name(row);
        let judged = |right: bool, silent: bool| match (right, silent) {
            (true, _) => Judged::Right,
            (false, true) => Judged::Silent,
            (false, false) => Judged::Wrong,
        };
        let symbol = judged(answers.edges.symbol.contains(&(file, callee)), answers.silent_on_name(file, name));
        let site = match (symbol, row.call_line) {
            (Judged::Silent, _) | (_, None) => symbol,
            (Judged::Right | Judged::Wrong, Some(line)) => {
                judged(answers.edges.site.contains(&(file, line, callee)), answers.silent_at(file, line, name))
            }
        };
        Some(Self { symbol, site })
    }
}
