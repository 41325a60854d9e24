//! Reconciling: what the index says of a plan, held against what git, the plan's own edits and the audit say. Pure.
//!
//! git comes first: a branch that is merged, or edits that are in the files already, settle what a plan is, whatever stands in the
//! index. Many plans that wait were carried out by hand long ago.

use crate::plan::index::PlanStatus;
use crate::receipt::Outcome;

/// What is known of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// What the index says; `None` when it does not name the plan.
    pub status: Option<PlanStatus>,
    /// Whether the plan fits the files at HEAD.
    pub fit: Fit,
    /// Lines that the plan cites are elsewhere in their files now.
    pub has_moved: bool,
    /// What the audit says of the finding it was made for.
    pub finding: FindingNow,
    /// Its branch.
    pub branch: Branch,
    /// What a run of it left.
    pub run: RunState,
    /// How its last run ended.
    pub last: Option<Outcome>,
}

/// Whether a plan fits the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fit {
    /// Nothing in it speaks against that.
    #[default]
    Fits,
    /// Its exact edits are in the files already.
    IsDone,
    /// It does not, for these reasons.
    Misfits(Vec<String>),
}

/// What the audit says of the finding a plan was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FindingNow {
    /// The plan names none, or one that no built-in rule ever found.
    #[default]
    Unknown,
    /// It is still found.
    There,
    /// It was found where the plan was written, and is not any more.
    Gone,
}

/// A plan's branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Branch {
    /// There is none, or one without work.
    #[default]
    Missing,
    /// It holds work that is not in HEAD.
    Waiting {
        /// It cannot be merged without somebody looking at both sides.
        conflicts: bool,
    },
    /// Its work is in HEAD.
    Merged,
}

/// What a run of a plan left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// Nothing, or it came to its end.
    #[default]
    None,
    /// A living process works on it.
    AtWork,
    /// It was cut off and can go on.
    Unfinished,
    /// A step waits for somebody.
    Waiting,
}

/// What is to be done about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing. What there is to say.
    Keep(String),
    /// It is done, for this reason.
    Done(String),
    /// It waits again, for this reason.
    Reopen(String),
    /// It must be planned anew, for this reason, or is blocked.
    Renew(String),
    /// The lines it cites are brought up to date.
    Anchor,
}

/// What is to be done about a plan of which this is known.
pub fn judge(facts: &Facts) -> Judgement {
    let Facts { status, run, branch, .. } = facts;
    let keep = |words: &str| Judgement::Keep(words.to_owned());
    match run {
        RunState::AtWork => return keep("a running `improve` works on it"),
        RunState::Waiting => return keep("a step waits for somebody: `improve apply PLAN --continue` takes it up"),
        RunState::Unfinished => return keep("a run was cut off: `improve apply PLAN` goes on with it"),
        RunState::None => {}
    }
    match status {
        Some(PlanStatus::Rejected(_)) => keep("rejected"),
        Some(PlanStatus::Other(words)) => Judgement::Keep(format!("marked `{words}`, which is left to you")),
        Some(PlanStatus::Done(_)) => spot_check(facts),
        Some(PlanStatus::Todo | PlanStatus::Blocked(_) | PlanStatus::InProgress(_)) | None => match branch {
            Branch::Merged => Judgement::Done("its branch is merged".to_owned()),
            Branch::Waiting { conflicts } => waiting_branch(*conflicts),
            Branch::Missing => open(facts),
        },
    }
}

fn waiting_branch(conflicts: bool) -> Judgement {
    Judgement::Keep(match conflicts {
        true => "its branch no longer merges without conflicts: `improve apply PLAN --fresh` begins again".to_owned(),
        false => "its branch waits to be looked at and merged".to_owned(),
    })
}

/// A plan that is not done, by the index.
fn open(facts: &Facts) -> Judgement {
    let Facts { status, fit, finding, last, .. } = facts;
    match (fit, finding) {
        (Fit::IsDone, _) => return Judgement::Done("its edits are in the files already".to_owned()),
        (Fit::Misfits(_), FindingNow::Gone) => {
            return Judgement::Done("what it was to mend is not found any more, and its code has changed".to_owned());
        }
        (Fit::Misfits(reasons), FindingNow::There | FindingNow::Unknown) => {
            return Judgement::Renew(reasons.first().cloned().unwrap_or_default());
        }
        (Fit::Fits, FindingNow::There | FindingNow::Gone | FindingNow::Unknown) => {}
    }
    match status {
        // What failed would fail again.
        Some(PlanStatus::Blocked(reason)) if *last == Some(Outcome::Failed) => Judgement::Renew(reason.clone()),
        Some(PlanStatus::Blocked(_)) => Judgement::Reopen("it fits the files again".to_owned()),
        Some(PlanStatus::InProgress(_)) => {
            Judgement::Reopen("nobody works on it: there is no run, no worktree and no branch".to_owned())
        }
        None => Judgement::Reopen("the index did not name it".to_owned()),
        _ if facts.has_moved => Judgement::Anchor,
        _ if *finding == FindingNow::Gone => Judgement::Keep(
            "it fits, but the audit no longer finds what it was written for: look whether it is still wanted"
                .to_owned(),
        ),
        _ => Judgement::Keep("it fits".to_owned()),
    }
}

/// A plan that is done, by the index: is what it was to mend still mended?
fn spot_check(facts: &Facts) -> Judgement {
    match (&facts.branch, &facts.fit, facts.finding) {
        (Branch::Waiting { conflicts }, _, _) => waiting_branch(*conflicts),
        (_, Fit::IsDone, _) => Judgement::Keep("done: its edits are in the files".to_owned()),
        (_, _, FindingNow::There) => {
            Judgement::Reopen("what it was to mend is there: the work was lost or taken back".to_owned())
        }
        (_, _, FindingNow::Gone) => Judgement::Keep("done: what it was to mend is not found any more".to_owned()),
        (Branch::Merged, _, FindingNow::Unknown) => Judgement::Keep("done: its branch is merged".to_owned()),
        (Branch::Missing, _, FindingNow::Unknown) => {
            Judgement::Keep("nothing here tells whether it is done".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo() -> Facts {
        Facts { status: Some(PlanStatus::Todo), ..Facts::default() }
    }

    fn misfits() -> Fit {
        Fit::Misfits(vec!["step 1 does not fit any more".to_owned()])
    }

    #[test]
    fn git_settles_what_the_index_does_not_know() {
        let merged = Facts { branch: Branch::Merged, fit: misfits(), ..todo() };
        assert!(matches!(judge(&merged), Judgement::Done(_)));
        let by_hand = Facts { fit: Fit::IsDone, finding: FindingNow::Gone, ..todo() };
        assert!(matches!(judge(&by_hand), Judgement::Done(_)));
        let otherwise = Facts { fit: misfits(), finding: FindingNow::Gone, ..todo() };
        assert!(matches!(judge(&otherwise), Judgement::Done(_)));
    }

    #[test]
    fn a_finding_that_is_not_found_in_unchanged_code_proves_nothing() {
        assert!(matches!(judge(&Facts { finding: FindingNow::Gone, ..todo() }), Judgement::Keep(_)));
    }

    #[test]
    fn what_does_not_fit_any_more_is_planned_anew() {
        for finding in [FindingNow::There, FindingNow::Unknown] {
            let drifted = Facts { fit: misfits(), finding, ..todo() };
            assert_eq!(judge(&drifted), Judgement::Renew("step 1 does not fit any more".to_owned()));
        }
        assert_eq!(judge(&Facts { has_moved: true, ..todo() }), Judgement::Anchor);
    }

    #[test]
    fn what_was_blocked_waits_again_once_it_fits_and_what_failed_does_not() {
        let blocked = Facts { status: Some(PlanStatus::Blocked("drift".to_owned())), ..Facts::default() };
        assert!(matches!(judge(&blocked), Judgement::Reopen(_)));
        let failed = Facts { last: Some(Outcome::Failed), ..blocked };
        assert_eq!(judge(&failed), Judgement::Renew("drift".to_owned()));
    }

    #[test]
    fn work_in_progress_is_what_somebody_works_on() {
        let facts = Facts { status: Some(PlanStatus::InProgress("by hand".to_owned())), ..Facts::default() };
        assert!(matches!(judge(&facts), Judgement::Reopen(_)));
        for run in [RunState::AtWork, RunState::Waiting, RunState::Unfinished] {
            assert!(matches!(judge(&Facts { run, ..facts.clone() }), Judgement::Keep(_)), "{run:?}");
        }
        let waits = Facts { branch: Branch::Waiting { conflicts: false }, ..facts };
        assert!(matches!(judge(&waits), Judgement::Keep(_)));
    }

    #[test]
    fn what_is_done_is_checked_by_what_it_was_to_mend() {
        let done = Facts { status: Some(PlanStatus::Done(String::new())), branch: Branch::Merged, ..Facts::default() };
        assert!(matches!(judge(&done), Judgement::Keep(_)));
        let lost = Facts { finding: FindingNow::There, ..done.clone() };
        assert!(matches!(judge(&lost), Judgement::Reopen(_)));
        let waits = Facts { branch: Branch::Waiting { conflicts: true }, finding: FindingNow::There, ..done };
        assert!(matches!(judge(&waits), Judgement::Keep(_)), "its work is not in HEAD yet");
    }
}
