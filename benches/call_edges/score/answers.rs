//! The truth, indexed: which edges there are, where it is silent, and which definition a predicted callee is.

use std::collections::{HashMap, HashSet};

use super::levels::Edges;
use super::names::last_part;
use super::rows::{Prediction, Status, Truth};

/// Kinds of definitions that count: those with a body, and classes. Interface methods, macros, enums and tuple
/// constructors are left out, because tools disagree on whether they are calls at all.
const CORE_KINDS: [&str; 9] =
    ["fn", "method", "trait_method", "function", "const_fn", "property_fn", "class", "constructor", "accessor"];

/// Lines a definition may be off: tools point to the name, the keyword, a decorator or a doc comment.
const LINES_OFF: u32 = 3;

/// A definition, as far as the truth knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Callee<'t> {
    /// Its file.
    pub file: &'t str,
    /// Where in that file.
    pub place: Place<'t>,
}

/// Where a definition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place<'t> {
    /// At this line, by the truth.
    Line(u32),
    /// A definition that no call of the truth reaches: its name, and the line that was predicted.
    Unknown(&'t str, Option<u32>),
}

/// What the truth says.
pub struct Answers<'t> {
    /// Files with at least one call site.
    files: HashSet<&'t str>,
    /// Lines of definitions, by file and name.
    definitions: HashMap<(&'t str, &'t str), Vec<u32>>,
    /// Sites without an answer, by file, line and name.
    silent_sites: HashSet<(&'t str, u32, &'t str)>,
    /// The same by file and name, for predictions without a line.
    silent_names: HashSet<(&'t str, &'t str)>,
    /// Every call, by file, line and name.
    calls: HashSet<(&'t str, u32, &'t str)>,
    /// Distinct edges.
    pub edges: Edges<'t>,
}

impl<'t> Answers<'t> {
    /// Indexes the truth.
    pub fn new(truth: &'t [Truth]) -> Self {
        let mut answers = Self {
            files: truth.iter().map(|site| site.caller_file.as_str()).collect(),
            definitions: HashMap::new(),
            silent_sites: HashSet::new(),
            silent_names: HashSet::new(),
            calls: truth
                .iter()
                .map(|site| (site.caller_file.as_str(), site.call_line, site.call_name.as_str()))
                .collect(),
            edges: Edges::default(),
        };
        for site in truth {
            answers.add_definition(site);
            answers.add_site(site);
        }
        answers
    }

    fn add_definition(&mut self, site: &'t Truth) {
        let Some((file, line)) = defined_at(site) else { return };
        let name = last_part(site.callee_name.as_deref().unwrap_or_default());
        self.definitions.entry((file, name)).or_default().push(line);
        // A default export or a renamed import: the tool may know the definition by the name at the call.
        if name != site.call_name {
            self.definitions.entry((file, &site.call_name)).or_default().push(line);
        }
    }

    fn add_site(&mut self, site: &'t Truth) {
        let file = site.caller_file.as_str();
        match (site.status, counted(site)) {
            (Status::Unknown, _) | (Status::Repo, None) => {
                self.silent_sites.insert((file, site.call_line, &site.call_name));
                self.silent_names.insert((file, &site.call_name));
            }
            (Status::Repo, Some(callee)) => {
                self.edges.add(file, Some(site.call_line), Some(last_part(&site.caller_name)), callee);
            }
            (Status::External | Status::Param | Status::Local, _) => {}
        }
    }

    /// Whether the truth covers this file.
    pub fn covers(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    /// The definition a prediction names: of those with this name in that file, the nearest within [`LINES_OFF`].
    pub fn callee(&self, row: &'t Prediction) -> Option<Callee<'t>> {
        let file = row.callee_file.as_deref()?;
        let name = last_part(row.callee_name.as_deref().unwrap_or_default());
        let lines = self.definitions.get(&(file, name)).map(Vec::as_slice).unwrap_or_default();
        let nearest = match row.callee_line {
            None => lines.first().copied(),
            // The first of equals, so that the order of the truth decides.
            Some(line) => lines
                .iter()
                .copied()
                .filter(|known| known.abs_diff(line) <= LINES_OFF)
                .min_by_key(|known| known.abs_diff(line)),
        };
        Some(Callee { file, place: nearest.map_or(Place::Unknown(name, row.callee_line), Place::Line) })
    }

    /// Whether the truth gives no answer for some call of this name in this file.
    pub fn silent_on_name(&self, file: &str, name: &str) -> bool {
        self.silent_names.contains(&(file, name))
    }

    /// Whether the truth gives no answer at this site.
    pub fn silent_at(&self, file: &str, line: u32, name: &str) -> bool {
        self.silent_sites.contains(&(file, line, name))
    }

    /// Whether the truth has a call of this name on this line, whatever it calls.
    pub fn has_call(&self, file: &str, line: u32, name: &str) -> bool {
        self.calls.contains(&(file, line, name))
    }
}

/// The name a call is known by: as written, else the callee's.
pub fn called_name(row: &Prediction) -> &str {
    let written = row.call_name.as_deref().filter(|name| !name.is_empty());
    last_part(written.or(row.callee_name.as_deref()).unwrap_or_default())
}

/// The definition called, when it is in the repository and of a kind that counts.
pub fn counted(site: &Truth) -> Option<Callee<'_>> {
    let kind = site.callee_kind.as_deref()?;
    let counts = CORE_KINDS.contains(&kind) || (kind == "const_value" && !site.callee_nested);
    let (file, line) = defined_at(site)?;
    counts.then_some(Callee { file, place: Place::Line(line) })
}

fn defined_at(site: &Truth) -> Option<(&str, u32)> {
    match site.status {
        Status::Repo => Some((site.callee_file.as_deref()?, site.callee_line?)),
        Status::External | Status::Param | Status::Local | Status::Unknown => None,
    }
}
