//! One case: found or not, where in the order, and whether the fix ended it.

mod lines;
mod remains;

use std::path::Path;

use improve::audit::rules::RULES;

use crate::cases::{Case, Site};
use crate::fits::Fitting;
use crate::snapshot::{Found, Place, Snapshot};

pub use remains::Remaining;

/// Lines between a site and a finding that still is about it.
const NEAR: u32 = 2;

/// What became of a case.
pub struct Outcome {
    /// The best finding at a site.
    pub hit: Option<Hit>,
    /// Findings at its sites that the fix did not end.
    pub remaining: Vec<Remaining>,
    /// The tool gave an answer after the fix.
    pub is_judged: bool,
    /// Why it was missed, as far as this bench can tell.
    pub miss: Option<Miss>,
}

/// A finding at a site.
pub struct Hit {
    /// Its rule.
    pub rule: String,
    /// Where.
    pub place: Place,
    /// Its place in the order, if the tool has one.
    pub rank: Option<usize>,
}

/// Why a case was missed.
pub enum Miss {
    /// The tool did not run.
    NotRun(String),
    /// No rule of ours is about this.
    NoRule,
    /// A finding is there and not shown, because it is too doubtful.
    Hidden(String),
    /// A file with a site was not read.
    NotRead(String),
    /// The nearest fitting finding in a file with a site.
    Elsewhere(String),
    /// No fitting finding in any file with a site.
    Silent,
}

impl Outcome {
    /// Whether it was found.
    pub fn is_found(&self) -> bool {
        self.hit.is_some()
    }

    /// Whether it was found, and not found any more after the fix.
    pub fn is_gone(&self) -> bool {
        self.is_found() && self.is_judged && self.remaining.is_empty()
    }
}

/// Scores one case.
///
/// It is found when any place of a shown finding of a fitting rule lies within two lines of a site; a finding about several
/// places counts at each of them.
pub fn outcome(case: &Case, fitting: Fitting<'_>, is_peer: bool, before: &Snapshot, after: &Snapshot) -> Outcome {
    let mut hits: Vec<(&Found, &Place, &Site)> = at_sites(case, fitting, before).filter(|hit| hit.0.is_shown).collect();
    hits.sort_by_key(|(found, ..)| found.rank.unwrap_or(usize::MAX));
    let hit = hits.first().map(|(found, place, _)| Hit {
        rule: found.rule.clone(),
        place: (*place).clone(),
        rank: found.rank,
    });
    // What the fix did not touch it could not end, unless it touched none of what was found.
    if hits.iter().any(|(.., site)| site.touched_by_fix) {
        hits.retain(|(.., site)| site.touched_by_fix);
    }
    let miss = hit.is_none().then(|| miss(case, fitting, is_peer, before));
    Outcome { hit, remaining: remains::remaining(&hits, before, after), is_judged: after.failure.is_none(), miss }
}

/// Fitting findings, each with a place near a site.
fn at_sites<'a>(
    case: &'a Case,
    fitting: Fitting<'a>,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = (&'a Found, &'a Place, &'a Site)> {
    let fitting = snapshot.found.iter().filter(move |found| fitting.finds(&found.rule));
    fitting.flat_map(move |found| {
        let near = |place: &Place, site: &Site| place.path == site.path && place.line.abs_diff(site.line) <= NEAR;
        let places = found.places.iter();
        places.flat_map(move |place| {
            case.sites.iter().filter(move |site| near(place, site)).map(move |site| (found, place, site))
        })
    })
}

fn miss(case: &Case, fitting: Fitting<'_>, is_peer: bool, before: &Snapshot) -> Miss {
    if let Some(failure) = &before.failure {
        return Miss::NotRun(failure.clone());
    }
    if !is_peer && !RULES.iter().any(|rule| fitting.finds(rule.doc().id)) {
        return Miss::NoRule;
    }
    if let Some((found, place, _)) = at_sites(case, fitting, before).next() {
        return Miss::Hidden(text(found, place));
    }
    if let Some((path, reason)) = case.sites.iter().find_map(|site| before.left_out.get_key_value(&site.path)) {
        return Miss::NotRead(format!("{path}: {reason:?}"));
    }
    let distance = |place: &Place| {
        let same_file = case.sites.iter().filter(|site| site.path == place.path);
        same_file.map(|site| site.line.abs_diff(place.line)).min()
    };
    let found = before.found.iter().filter(|found| fitting.finds(&found.rule));
    let near =
        found.flat_map(|found| found.places.iter().filter_map(move |place| Some((distance(place)?, found, place))));
    match near.min_by_key(|(distance, ..)| *distance) {
        Some((_, found, place)) => Miss::Elsewhere(text(found, place)),
        None => Miss::Silent,
    }
}

fn text(found: &Found, place: &Place) -> String {
    let hidden = if found.is_shown { "" } else { " (hidden)" };
    format!("{} at {}:{}{hidden}", found.rule, short(&place.path), place.line)
}

/// The name of a file: the case already says which.
fn short(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}
