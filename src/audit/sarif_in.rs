//! SARIF in: what other tools found, read from their files, so that it is weighed, vetted and planned as our own findings are.
//!
//! Reading is lenient, because tools differ: a field of another type than the format's is taken for missing, paths are looked for in
//! every way tools write them. What cannot be taken is counted and said, never dropped in silence. Every text is somebody else's:
//! [`words`] makes it one harmless line before anything else sees it. Pure: bytes in, findings out.
//!
//! The format: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::audit::NotAudited;
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Hop, Origin, Risk, TextFix};
use crate::repo_map::{FileRole, RepoMap, SkipReason};
use crate::tree::Tree;

mod grade;
mod log;
mod place;
mod recipe;
mod twins;
mod words;

pub use recipe::draft;
pub use twins::fold;

use place::{Place, Unit};

/// Bytes of a file, at most: 256 MiB. GitHub takes 10 MiB packed, which is about that unpacked.
pub const MAX_BYTES: usize = 256 << 20;
/// Lines of a finding that are quoted. A tool that marks a whole function means its head.
const QUOTED: u32 = 30;
/// Places of a finding beside the first.
const RELATED: usize = 8;
/// Steps of a call path.
const HOPS: usize = 20;
/// Bytes that a fix may put in: what is longer is no fix of a finding.
const FIX_BYTES: usize = 32 << 10;

/// What other tools found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports {
    results: Vec<Imported>,
    /// What the files say of themselves and nobody could take, by tool and reason.
    left_out: Tally,
}

/// A result as its file has it; where it stands is still to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Imported {
    /// Our id of the tool's rule: `semgrep/rule-id`.
    rule: String,
    category: Category,
    impact: u8,
    confidence: Confidence,
    origin: Origin,
    /// What the tool says, one line.
    text: String,
    /// Where it stands; the first that is there counts.
    places: Vec<Place>,
    related: Vec<Place>,
    flow: Vec<Place>,
    /// Alternatives, each of replacements.
    fixes: Vec<Vec<Replacement>>,
    unit: Unit,
}

/// Text in place of what stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replacement {
    place: Place,
    text: String,
}

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SarifError {
    /// More than is read.
    #[error("{name}: {bytes} bytes are more than the {MAX_BYTES} that are read of a SARIF file")]
    TooLarge {
        /// The file.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// It is not UTF-8 and says no other encoding.
    #[error("{name}: not UTF-8 text")]
    NotText {
        /// The file.
        name: String,
    },
    /// It is not JSON.
    #[error("{name}: not JSON: {reason}")]
    NotJson {
        /// The file.
        name: String,
        /// Where, and what is wrong.
        reason: String,
    },
    /// It is JSON of another kind.
    #[error("{name}: JSON, but not SARIF: {reason}")]
    NotSarif {
        /// The file.
        name: String,
        /// What is missing.
        reason: String,
    },
    /// Another version of the format.
    #[error("{name}: SARIF {version}, and 2.1.0 is what is read")]
    Version {
        /// The file.
        name: String,
        /// The version it says.
        version: String,
    },
}

impl SarifError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            SarifError::TooLarge { .. } => "have the tool look at fewer files, or write a file for each part",
            SarifError::NotText { .. } | SarifError::NotJson { .. } => {
                "have the tool write SARIF to a file of its own: `semgrep scan --sarif --output out.sarif`, \
                 `zizmor --format sarif . > out.sarif`; what a tool prints beside it must not be in the file"
            }
            SarifError::NotSarif { .. } => "the tool's own JSON is another format: ask it for SARIF",
            SarifError::Version { .. } => {
                "ask the tool for 2.1.0; `npx @microsoft/sarif-multitool transform` brings older files up to it"
            }
        }
    }
}

impl Imports {
    /// Reads a file. `name` is how messages call it, `root` the repository's absolute path, which tools write into theirs.
    pub fn read(name: &str, bytes: &[u8], root: &str) -> Result<Imports, SarifError> {
        let name = || name.to_owned();
        if bytes.len() > MAX_BYTES {
            return Err(SarifError::TooLarge { name: name(), bytes: bytes.len() });
        }
        let text = words::decoded(bytes).ok_or_else(|| SarifError::NotText { name: name() })?;
        let document: Value = serde_json::from_str(&text)
            .map_err(|error| SarifError::NotJson { name: name(), reason: error.to_string() })?;
        let not_sarif = |reason: &str| SarifError::NotSarif { name: name(), reason: reason.to_owned() };
        let runs = document.get("runs").and_then(Value::as_array).ok_or_else(|| not_sarif("it has no `runs`"))?;
        let schema = document.get("$schema").and_then(Value::as_str).unwrap_or_default();
        match document.get("version").and_then(Value::as_str) {
            Some(version) if version.starts_with("2.1.0") => {}
            Some(version) => return Err(SarifError::Version { name: name(), version: words::line(version, 40) }),
            None if schema.contains("2.1.0") => {}
            None => return Err(not_sarif("it has no `version`")),
        }
        let mut imports = Imports::default();
        for run in runs {
            log::run(run, root, &mut imports);
        }
        Ok(imports)
    }

    /// Takes what another file has, too.
    pub fn extend(&mut self, other: Imports) {
        self.results.extend(other.results);
        self.left_out.extend(other.left_out);
    }

    /// Results that were read.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// The findings, each at lines that are there and are the ones the tool saw; and what could not be taken.
    pub fn findings(&self, map: &RepoMap, tree: &dyn Tree) -> (Vec<Finding>, Vec<NotAudited>) {
        let mut left_out = self.left_out.clone();
        let mut files = Files { map, tree, read: BTreeMap::new() };
        let mut findings = Vec::new();
        for imported in &self.results {
            match imported.finding(&mut files) {
                Ok(finding) => findings.push(finding),
                Err((why, place)) => left_out.add(&imported.origin.tool, why, place),
            }
        }
        (findings, left_out.said())
    }
}

/// Why a result is left out, and where it stands by its own word.
type LeftOut = (&'static str, String);

impl Imported {
    /// Whether what the tool writes as a code flow are notes on places, in no order that a program runs in.
    fn annotates(&self) -> bool {
        self.rule.starts_with("zizmor/")
    }

    fn finding(&self, files: &mut Files<'_>) -> Result<Finding, LeftOut> {
        let mut why: LeftOut = ("they name no place in a file", String::new());
        let mut found = None;
        for (index, place) in self.places.iter().enumerate() {
            match files.locate(place, self.unit) {
                Ok(located) => {
                    found = Some((index, located));
                    break;
                }
                // The first place is the one the tool means.
                Err(reason) if index == 0 => why = reason,
                Err(_) => {}
            }
        }
        let Some((index, first)) = found else { return Err(why) };
        if !files.is_written_by_hand(&first.path, self.category) {
            return Err(("the files are copied from elsewhere or written by a tool", first.path));
        }
        let mut evidence = vec![first.evidence("place")];
        let notes = if self.annotates() { self.flow.as_slice() } else { &[] };
        let others = self.places.iter().skip(index + 1).chain(&self.related).chain(notes);
        for place in others {
            let Ok(located) = files.locate(place, self.unit) else { continue };
            let known = evidence.iter().any(|one| one.file == located.path && one.start_line == located.start);
            if evidence.len() <= RELATED && !known {
                let role = if place.message.is_empty() { "related" } else { &place.message };
                evidence.push(located.evidence(role));
            }
        }
        let mut call_path: Vec<Hop> = Vec::new();
        let steps = if self.annotates() { &[] } else { self.flow.as_slice() };
        for place in steps.iter().take(HOPS) {
            let Ok(Located { path, start, .. }) = files.locate(place, self.unit) else { continue };
            if call_path.last().is_some_and(|hop| hop.file == path && hop.line == start) {
                continue;
            }
            let symbol = if place.message.is_empty() { files.symbol(&path, start) } else { place.message.clone() };
            let symbol = if symbol.is_empty() { path.rsplit('/').next().unwrap_or(&path).to_owned() } else { symbol };
            call_path.push(Hop { file: path, line: start, symbol });
        }
        // One place of which nothing is said is where it stands, and no path.
        if call_path.len() < 2 && steps.iter().all(|place| place.message.is_empty()) {
            call_path.clear();
        }
        let fixes = self.fixes.iter().find_map(|fix| files.fix(fix, self.unit)).unwrap_or_default();
        let effort = if fixes.is_empty() { Effort::M } else { Effort::S };
        Ok(Finding {
            fingerprint: String::new(),
            rule: self.rule.clone(),
            category: self.category,
            title: words::title(&self.text),
            message: format!("{} says: {}", self.origin.tool, words::sentence(&self.text)),
            impact: self.impact,
            effort,
            risk: Risk::Low,
            confidence: self.confidence,
            leverage: 0.0,
            state: None,
            symbol: files.symbol(&first.path, first.start),
            evidence,
            call_path,
            mechanical: false,
            origin: Some(Box::new(Origin { fixes, ..self.origin.clone() })),
        })
    }
}

/// Files of the repository, each read once.
struct Files<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    read: BTreeMap<String, Option<FileText>>,
}

/// A place that is there.
struct Located {
    path: String,
    start: u32,
    end: u32,
}

impl Located {
    fn evidence(&self, role: &str) -> Evidence {
        Evidence::new(self.path.clone(), self.start, self.end, role)
    }
}

impl Files<'_> {
    fn text(&mut self, path: &str) -> Option<&FileText> {
        let tree = self.tree;
        self.read.entry(path.to_owned()).or_insert_with(|| FileText::read(tree, path)).as_ref()
    }

    /// The path of a place, as the repository has it. Ignored files are none of its own: what they hold is nobody's to quote.
    fn path(&self, place: &Place) -> Result<String, LeftOut> {
        let said = || place.said.clone();
        if place.candidates.is_empty() {
            return Err(("the files they name are outside the repository", said()));
        }
        let known = place.candidates.iter().find(|path| self.map.has_path(path));
        known.cloned().ok_or_else(|| ("the repository has no such files, or git ignores them", said()))
    }

    fn locate(&mut self, place: &Place, unit: Unit) -> Result<Located, LeftOut> {
        let path = self.path(place)?;
        let Some(text) = self.text(&path) else { return Err(("the files are not text", path)) };
        let Some((start, end)) = place.region.lines(text, unit) else {
            return Err(("the files have no such lines any more: run the tool again", path));
        };
        if !place.shows(text, start, end) {
            return Err(("the lines are not what it saw any more: run the tool again", path));
        }
        Ok(Located { path, start, end: end.min(start.saturating_add(QUOTED - 1)) })
    }

    /// A fix as bytes of files; `None` when a part of it cannot be placed.
    fn fix(&mut self, fix: &[Replacement], unit: Unit) -> Option<Vec<TextFix>> {
        if fix.is_empty() || fix.iter().map(|one| one.text.len()).sum::<usize>() > FIX_BYTES {
            return None;
        }
        fix.iter()
            .map(|one| {
                let file = self.path(&one.place).ok()?;
                let span = one.place.region.span(self.text(&file)?, unit)?;
                Some(TextFix { file, start: span.start, end: span.end, text: one.text.clone() })
            })
            .collect()
    }

    /// What a tool wrote is mended in its source; a lock file is where dependencies are reported.
    fn is_written_by_hand(&self, path: &str, category: Category) -> bool {
        let generated = self.map.file_by_path(path).is_some_and(|(_, file)| file.role == FileRole::Generated);
        let skipped = self.map.skipped.iter().find(|skipped| skipped.path == path).map(|skipped| skipped.reason);
        match skipped {
            Some(SkipReason::Generated) => category == Category::Migration,
            Some(SkipReason::Vendored | SkipReason::Minified | SkipReason::Binary) => false,
            Some(
                SkipReason::TooLarge
                | SkipReason::NotUtf8
                | SkipReason::Symlink
                | SkipReason::Unreadable
                | SkipReason::TooSlow,
            )
            | None => !generated,
        }
    }

    /// The innermost function around a line, qualified: as our own rules name it, so that the fingerprint survives line shifts.
    fn symbol(&self, path: &str, line: u32) -> String {
        let Some((_, file)) = self.map.file_by_path(path) else { return String::new() };
        let around = file.facts.symbols.iter().filter(|symbol| symbol.lines.contains(line));
        let innermost = around.min_by_key(|symbol| (!symbol.kind.is_callable(), symbol.lines.count()));
        innermost.map(|symbol| symbol.qualified.to_string()).unwrap_or_default()
    }
}

/// What is left out, by tool and reason, with the places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally(BTreeMap<(String, String), Vec<String>>);

impl Tally {
    fn add(&mut self, tool: &str, why: &str, place: String) {
        self.0.entry((tool.to_owned(), why.to_owned())).or_default().push(place);
    }

    fn extend(&mut self, other: Tally) {
        for (key, places) in other.0 {
            self.0.entry(key).or_default().extend(places);
        }
    }

    fn said(self) -> Vec<NotAudited> {
        let said = |((tool, why), places): ((String, String), Vec<String>)| {
            let number = places.len();
            let mut names: Vec<String> = places.into_iter().filter(|place| !place.is_empty()).collect();
            names.sort();
            names.dedup();
            let more = if names.len() > 3 { ", …" } else { "" };
            names.truncate(3);
            let names = if names.is_empty() { String::new() } else { format!(" ({}{more})", names.join(", ")) };
            NotAudited { what: format!("{} of {tool}{names}", count_of(number, "result")), why }
        };
        self.0.into_iter().map(said).collect()
    }
}

#[cfg(test)]
mod tests;
