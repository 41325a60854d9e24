//! A branch: what of the repository it touches, and which findings came with it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Category, Confidence, Finding, State};
use crate::git::Changes;
use crate::repo_map::{ImportTarget, RepoMap, SymbolId};

/// Files that a branch touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// What it changed.
    pub changed: BTreeSet<String>,
    /// What calls or imports something it changed.
    pub around: BTreeSet<String>,
    /// Lines it added or changed, by file: first and last. Known where findings of other tools have to be told apart.
    pub lines: BTreeMap<String, Vec<(u32, u32)>>,
}

/// What a branch is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What it was to be compared with: a branch, or what was named.
    pub with: String,
    /// The commit at which it left that.
    pub base: String,
    /// Commits since then.
    pub ahead: usize,
    /// Uncommitted changes count.
    pub uncommitted: bool,
    /// Files it changed.
    pub changed: usize,
    /// Files that call or import what it changed.
    pub around: usize,
}

impl Reach {
    /// What `changes` reach in `map`.
    pub fn of(changes: &Changes, map: &RepoMap) -> Reach {
        let changed: BTreeSet<String> = changes.files.keys().cloned().collect();
        let mut around = BTreeSet::new();
        let is_changed = |path: &str| changed.contains(path);
        for (id, file) in map.files_with_ids() {
            let targets = &map.import_targets[id as usize];
            let imports = targets.iter().any(|target| match target {
                ImportTarget::File(target) => is_changed(&map.file(*target).path),
                ImportTarget::External(_) | ImportTarget::Unresolved => false,
            });
            if imports {
                around.insert(file.path.clone());
            }
            if is_changed(&file.path) {
                let symbols = (0..).take(file.facts.symbols.len()).map(|index| SymbolId { file: id, index });
                let callers = symbols.flat_map(|symbol| map.callers(symbol));
                around.extend(callers.map(|call| map.file(call.file).path.clone()));
            }
        }
        around.retain(|path| !changed.contains(path));
        Reach { changed, around, lines: BTreeMap::new() }
    }

    /// Whether a finding of another tool came with the branch: it wrote one of the lines. What that tool would have said before is not
    /// known, and a line that nobody touched is the likeliest to have been as wrong then.
    fn wrote(&self, finding: &Finding) -> bool {
        let place = finding.location();
        let lines = self.lines.get(&place.file).map_or(&[][..], Vec::as_slice);
        lines.iter().any(|(first, last)| *first <= place.end_line && place.start_line <= *last)
    }

    /// Whether a finding is about what the branch touches: it lies there, or its way leads through what was changed.
    fn holds(&self, finding: &Finding) -> bool {
        let place = &finding.location().file;
        let cited = finding.evidence.iter().map(|evidence| &evidence.file);
        let on_the_way = finding.call_path.iter().map(|step| &step.file);
        self.around.contains(place) || cited.chain(on_the_way).any(|file| self.changed.contains(file))
    }
}

/// The findings that concern a branch, those that came with it first. `before` are the fingerprints where it left.
///
/// What was there before is told of files it changed; elsewhere it is nobody's matter now.
pub fn tell_apart(findings: Vec<Finding>, before: &BTreeSet<String>, reach: &Reach) -> Vec<Finding> {
    let was_there = |finding: &Finding| match finding.origin {
        Some(_) => !reach.wrote(finding),
        None => before.contains(&finding.fingerprint),
    };
    let (mut old, mut new): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(was_there);
    new.retain(|finding| reach.holds(finding));
    old.retain(|finding| reach.changed.contains(&finding.location().file));
    let tagged = |findings: Vec<Finding>, state: State| {
        findings.into_iter().map(move |finding| Finding { state: Some(state), ..finding })
    };
    tagged(new, State::Introduced).chain(tagged(old, State::PreExisting)).collect()
}

/// Whether a finding that came with a branch stops it where nobody said what does: a weakness or a mistake beyond doubt.
pub fn stops(finding: &Finding) -> bool {
    finding.state == Some(State::Introduced)
        && finding.confidence == Confidence::High
        && matches!(finding.category, Category::Security | Category::Bug)
}
