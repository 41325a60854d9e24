//! Which findings are still there after the fix.
//!
//! A finding is taken to be the same one after the fix when it is of the same rule, names its subject (not only a place that helps to
//! understand it), and either
//! 1. stands on the same line, followed through a diff of the file, or
//! 2. stands in what the fix wrote in place of that line, or within two lines of it where the rule was silent before, or
//! 3. has the same fingerprint and stands on a line that the fix wrote, in whatever file: the code moved.
//!
//! The fingerprint alone would not do: when one of two equal lines of a function is mended, the other one inherits its number.

use std::collections::BTreeMap;

use improve::tree::Tree as _;

use super::NEAR;
use super::lines::LineMap;
use crate::cases::Site;
use crate::snapshot::{Found, Place, Snapshot};

/// A finding that is still there.
pub struct Remaining {
    /// Its rule.
    pub rule: String,
    /// Where it stood.
    pub before: Place,
    /// Where it stands.
    pub after: Place,
}

/// Which of the findings at the sites of a case are still there.
pub fn remaining(hits: &[(&Found, &Place, &Site)], before: &Snapshot, after: &Snapshot) -> Vec<Remaining> {
    let mut comparison = Comparison { before, after, maps: BTreeMap::new() };
    let mut remaining: Vec<Remaining> = Vec::new();
    for (found, place, _) in hits {
        let names_subject =
            |(other, place, _): &(&Found, &Place, &Site)| std::ptr::eq(*other, *found) && place.is_subject;
        let subject = match place.is_subject {
            true => place,
            // The loop around what is wrong says nothing that its own place does not say better.
            false if hits.iter().any(names_subject) => continue,
            false => &found.places[0],
        };
        if remaining.iter().any(|known| known.rule == found.rule && known.before == *subject) {
            continue;
        }
        if let Some(place) = comparison.find(found, subject) {
            remaining.push(Remaining { rule: found.rule.clone(), before: subject.clone(), after: place.clone() });
        }
    }
    remaining
}

struct Comparison<'a> {
    before: &'a Snapshot,
    after: &'a Snapshot,
    /// By path; `None` where the file is missing on one side.
    maps: BTreeMap<String, Option<LineMap>>,
}

impl<'a> Comparison<'a> {
    /// Where the finding about `subject` stands after the fix.
    fn find(&mut self, found: &Found, subject: &Place) -> Option<&'a Place> {
        let after = self.after;
        let shown = after.found.iter().filter(|other| other.is_shown && other.rule == found.rule);
        let subjects = shown
            .flat_map(|other| other.places.iter().filter(|place| place.is_subject).map(move |place| (other, place)));
        for (other, place) in subjects {
            if place.path == subject.path && self.is_same_line(&found.rule, subject, place.line) {
                return Some(place);
            }
            let same_print = found.fingerprint.is_some() && other.fingerprint == found.fingerprint;
            if same_print && subject == &found.places[0] && place == &other.places[0] && self.is_new(place) {
                return Some(place);
            }
        }
        None
    }

    /// Whether line `after` is where line `subject` went, or stands where it stood.
    fn is_same_line(&mut self, rule: &str, subject: &Place, after: u32) -> bool {
        let silent_before = |line: u32| !stands_at(self.before, rule, &subject.path, line);
        let Some(map) = Self::map(&mut self.maps, self.before, self.after, &subject.path) else { return false };
        if let Some(line) = map.after(subject.line) {
            return line == after;
        }
        let Some(hunk) = map.rewritten(subject.line) else { return false };
        match map.before(after) {
            None => hunk.contains(&after),
            Some(before) => {
                (hunk.start.saturating_sub(NEAR)..hunk.end + NEAR).contains(&after) && silent_before(before)
            }
        }
    }

    /// Whether the fix wrote the line.
    fn is_new(&mut self, place: &Place) -> bool {
        Self::map(&mut self.maps, self.before, self.after, &place.path)
            .is_none_or(|map| map.before(place.line).is_none())
    }

    fn map<'m>(
        maps: &'m mut BTreeMap<String, Option<LineMap>>,
        before: &Snapshot,
        after: &Snapshot,
        path: &str,
    ) -> Option<&'m LineMap> {
        let compare = || Some(LineMap::new(&before.tree.text(path)?, &after.tree.text(path)?));
        maps.entry(path.to_owned()).or_insert_with(compare).as_ref()
    }
}

/// Whether a shown finding of `rule` is about this line.
fn stands_at(snapshot: &Snapshot, rule: &str, path: &str, line: u32) -> bool {
    let of_rule = snapshot.found.iter().filter(|found| found.is_shown && found.rule == rule);
    of_rule.flat_map(|found| &found.places).any(|place| place.is_subject && place.path == path && place.line == line)
}
