//! Several plans at once: which may begin while others are at work. Pure.
//!
//! A plan waits for those it depends on, and for those at work that may change a file it may change too: one of the two could not be
//! merged after the other without somebody looking at both.

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::verifier::scope::ScopeRules;

/// What a plan may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Footprint {
    /// These files.
    Files(BTreeSet<String>),
    /// Nobody can tell: it names no path.
    Anything,
}

impl Footprint {
    /// Of each plan, given with its path: what its scope covers of `files`, and what the plans themselves name, which may not be
    /// there yet.
    pub fn of<'a>(plans: &[(&'a Plan, &str)], files: impl Iterator<Item = &'a str> + Clone) -> Vec<Footprint> {
        let named: BTreeSet<&str> = plans.iter().flat_map(|(plan, _)| plan.named_paths()).collect();
        let one = |(plan, path): &(&Plan, &str)| {
            let rules = ScopeRules::of(plan, path);
            let edited: BTreeSet<&str> = plan.edited_paths().collect();
            if !rules.is_known() && edited.is_empty() {
                return Footprint::Anything;
            }
            let covered = files.clone().chain(named.iter().copied());
            let covered = covered.filter(|file| rules.allows(file) || edited.contains(file)).map(str::to_owned);
            Footprint::Files(covered.collect())
        };
        plans.iter().map(one).collect()
    }

    /// Whether there is a file that both may change.
    pub fn meets(&self, other: &Footprint) -> bool {
        match (self, other) {
            (Footprint::Files(one), Footprint::Files(other)) => !one.is_disjoint(other),
            (Footprint::Anything, _) | (_, Footprint::Anything) => true,
        }
    }
}

/// Plans that wait, are at work, or are over.
#[derive(Debug)]
pub struct Schedule {
    plans: Vec<Entry>,
    is_closed: bool,
}

#[derive(Debug)]
struct Entry {
    /// Positions of the plans it depends on.
    depends_on: Vec<usize>,
    footprint: Footprint,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    AtWork,
    Over,
}

impl Schedule {
    /// A schedule of plans: for each, the positions of those it depends on, and what it may change.
    pub fn new(plans: impl IntoIterator<Item = (Vec<usize>, Footprint)>) -> Schedule {
        let entry = |(depends_on, footprint)| Entry { depends_on, footprint, state: State::Waiting };
        Schedule { plans: plans.into_iter().map(entry).collect(), is_closed: false }
    }

    /// Begins the first plan that may begin.
    pub fn begin(&mut self) -> Option<usize> {
        if self.is_closed {
            return None;
        }
        let is_free = |entry: &Entry| {
            let over = |index: &usize| self.plans[*index].state == State::Over;
            let at_work = || self.plans.iter().filter(|other| other.state == State::AtWork);
            entry.state == State::Waiting
                && entry.depends_on.iter().all(over)
                && !at_work().any(|other| entry.footprint.meets(&other.footprint))
        };
        let index = self.plans.iter().position(is_free)?;
        self.plans[index].state = State::AtWork;
        Some(index)
    }

    /// A plan is over, however it ended.
    pub fn end(&mut self, index: usize) {
        self.plans[index].state = State::Over;
    }

    /// Nothing more is begun.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Nothing is at work, and nothing will be begun.
    pub fn is_over(&self) -> bool {
        let rests = |entry: &Entry| entry.state == State::Over || entry.state == State::Waiting && self.is_closed;
        self.plans.iter().all(rests)
    }

    /// Plans that were not begun.
    pub fn left(&self) -> impl Iterator<Item = usize> {
        self.plans.iter().enumerate().filter(|(_, entry)| entry.state == State::Waiting).map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::parse::parse;

    fn files(names: &[&str]) -> Footprint {
        Footprint::Files(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn plans_that_may_change_the_same_file_are_not_at_work_together() {
        let mut schedule =
            Schedule::new([(vec![], files(&["a"])), (vec![], files(&["a", "b"])), (vec![], files(&["c"]))]);
        assert_eq!((schedule.begin(), schedule.begin(), schedule.begin()), (Some(0), Some(2), None));
        schedule.end(0);
        assert_eq!(schedule.begin(), Some(1));
    }

    #[test]
    fn a_plan_waits_for_those_it_depends_on_and_nothing_begins_after_the_end() {
        let mut schedule =
            Schedule::new([(vec![1], files(&["a"])), (vec![], files(&["b"])), (vec![], Footprint::Anything)]);
        assert_eq!((schedule.begin(), schedule.begin()), (Some(1), None));
        schedule.end(1);
        assert_eq!((schedule.begin(), schedule.begin()), (Some(0), None), "who may change anything is alone");
        schedule.close();
        assert!(!schedule.is_over());
        schedule.end(0);
        assert!(schedule.is_over() && schedule.begin().is_none());
        assert_eq!(schedule.left().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_folder_in_scope_meets_a_new_file_in_it() {
        let plan = |path: &str| {
            parse(&format!(
                "# Plan 001: One\n\n## Scope\n\n**In scope**:\n\n- `{path}`\n\n## Steps\n\n### Step 1: One\n\nDo it.\n"
            ))
            .expect("it is one")
        };
        let (folder, new, other) = (plan("src/api/"), plan("src/api/new.ts"), plan("src/web.ts"));
        let plans = [(&folder, "plans/001-a.md"), (&new, "plans/002-b.md"), (&other, "plans/003-c.md")];
        let footprints = Footprint::of(&plans, ["src/api/old.ts", "src/web.ts"].into_iter());
        assert!(footprints[0].meets(&footprints[1]) && !footprints[0].meets(&footprints[2]));
        let empty = Plan::default();
        assert_eq!(Footprint::of(&[(&empty, "plans/004-d.md")], std::iter::empty()), [Footprint::Anything]);
    }

    proptest! {
        /// Whatever depends on what and ends in whatever order, every plan is carried out once, none beside one it meets.
        #[test]
        fn every_plan_gets_its_turn(
            plans in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0u8..16), 1..8),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 64),
        ) {
            let footprint = |bits: u8| {
                let names = (0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit.to_string());
                Footprint::Files(names.collect())
            };
            let entries: Vec<(Vec<usize>, Footprint)> = plans.iter().enumerate().map(|(index, (before, bits))| {
                let before = before.iter().filter(|_| index > 0).map(|pick| pick.index(index.max(1))).collect();
                (before, footprint(*bits))
            }).collect();
            let mut schedule = Schedule::new(entries.clone());
            let (mut at_work, mut over) = (Vec::<usize>::new(), Vec::<usize>::new());
            let mut picks = picks.iter().cycle();
            while !schedule.is_over() {
                while let Some(index) = schedule.begin() {
                    prop_assert!(entries[index].0.iter().all(|before| over.contains(before)));
                    prop_assert!(!at_work.iter().any(|other| entries[index].1.meets(&entries[*other].1)));
                    at_work.push(index);
                }
                prop_assert!(!at_work.is_empty(), "it goes on");
                let ended = at_work.remove(picks.next().expect("it cycles").index(at_work.len()));
                schedule.end(ended);
                over.push(ended);
            }
            over.sort_unstable();
            prop_assert_eq!(over, (0..entries.len()).collect::<Vec<_>>());
        }
    }
}
