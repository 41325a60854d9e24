//! Calibration: how sure a rule may be, by how often it was right about code that nobody had tuned it to.
//!
//! HIGH promises that 95 of 100 findings hold. Whether they do, only reading them shows: the findings of 92 public repositories, those
//! that an audit shows first, were read against the code and counted as the rule of that day made them. A rule that was wrong too often
//! may say less until it is read again and does better.

use crate::finding::{Confidence, Finding};

/// Findings that held, and findings that did not or were not worth a change.
#[derive(Debug, Clone, Copy)]
struct Count {
    right: u32,
    wrong: u32,
}

/// What was read of one rule at one confidence.
struct Reading {
    rule: &'static str,
    at: Confidence,
    count: Count,
}

const fn high(rule: &'static str, right: u32, wrong: u32) -> Reading {
    Reading { rule, at: Confidence::High, count: Count { right, wrong } }
}

const fn med(rule: &'static str, right: u32, wrong: u32) -> Reading {
    Reading { rule, at: Confidence::Med, count: Count { right, wrong } }
}

/// Rules that were wrong at least once, by confidence. What is not here was always right, or never met. Where a rule's own grounds for a
/// confidence changed since, it is counted as it would say it today: queries in loops, copies, samples, credentials, promises at HIGH and
/// old versions, of which four pages that said the same are one finding.
const READ: &[Reading] = &[
    high("blocking-in-async", 0, 4),
    high("ci-without-tests", 0, 1),
    high("dead-doc-link", 25, 5),
    high("deprecated-dependency", 11, 2),
    high("html-injection", 1, 1),
    high("import-cycle", 0, 1),
    high("no-test-command", 2, 1),
    high("panic-on-input", 2, 2),
    high("path-traversal", 6, 5),
    high("regex-in-hot-path", 1, 2),
    high("resource-leak", 5, 2),
    high("stale-doc-command", 7, 4),
    high("stale-doc-import", 15, 4),
    high("stale-version-claim", 9, 4),
    high("timing-unsafe-compare", 8, 2),
    high("tls-verification-disabled", 0, 1),
    high("unawaited-future", 0, 1),
    high("unawaited-promise", 10, 3),
    high("unused-file", 33, 2),
    high("weak-password-hash", 0, 7),
    high("workflow-script-injection", 3, 2),
    high("workflow-unpinned-action", 12, 1),
    med("blocking-in-async", 2, 9),
    med("broken-doc-sample", 25, 5),
    med("competing-dependencies", 1, 2),
    med("default-secret", 3, 1),
    med("duplicate-code", 180, 33),
    med("exposed-cookie", 0, 1),
    med("hardcoded-secret", 0, 2),
    med("import-cycle", 1, 1),
    med("n-plus-one", 5, 4),
    med("n-plus-one-client", 0, 3),
    med("n-plus-one-write", 5, 5),
    med("no-test-command", 4, 1),
    med("open-redirect", 1, 1),
    med("oversized-hot-function", 26, 10),
    med("path-traversal", 1, 1),
    med("quadratic-loop", 0, 1),
    med("regex-in-hot-path", 1, 3),
    med("regex-injection", 2, 1),
    med("resource-leak", 1, 2),
    med("sequential-await", 4, 4),
    med("sql-injection", 1, 2),
    med("ssrf", 0, 5),
    med("swallowed-error", 5, 1),
    med("timing-unsafe-compare", 4, 14),
    med("tls-verification-disabled", 0, 1),
    med("unawaited-future", 0, 9),
    med("unawaited-promise", 51, 23),
    med("undeclared-dependency", 25, 2),
    med("undocumented-environment-variable", 1, 2),
    med("undocumented-flag", 0, 4),
    med("untested-hot-code", 1, 4),
    med("unused-dependency", 49, 15),
    med("unused-export", 25, 3),
    med("unused-file", 18, 4),
    med("wildcard-dependency", 2, 3),
    med("workflow-excessive-permissions", 22, 1),
    med("workflow-unverified-download", 4, 1),
];

/// What rules that nothing is known of are taken for, as if so many findings had been read: one wrong finding says little. Our choice.
const PRIOR_HIGH: Count = Count { right: 9, wrong: 1 };
const PRIOR_MED: Count = Count { right: 6, wrong: 2 };
/// Percent of findings that must have held for a rule to keep saying HIGH or MED. Our choice: with the prior, 90 is what a rule that is
/// right 95 times in 100 passes after twenty readings, whichever one was the wrong one.
const KEEPS_HIGH: u32 = 90;
const KEEPS_MED: u32 = 60;

/// Readings at HIGH below which those at MED are counted with them. Our choice.
const FEW: u32 = 5;

impl Count {
    /// Percent that held, the prior counted in.
    fn share(self, prior: Count) -> u32 {
        let right = self.right + prior.right;
        100 * right / (right + self.wrong + prior.wrong)
    }
}

/// Lets a finding say no more than its rule was found to know.
pub fn weigh(finding: &mut Finding) {
    finding.confidence = ceiling(&finding.rule, finding.confidence);
}

fn ceiling(rule: &str, at: Confidence) -> Confidence {
    let count = |at| READ.iter().find(|reading| reading.rule == rule && reading.at == at).map(|reading| reading.count);
    let Some(own) = count(at) else { return at };
    match at {
        Confidence::High if own.share(PRIOR_HIGH) >= KEEPS_HIGH => Confidence::High,
        Confidence::High => {
            // Of few, what is known of the rule's other findings tells more.
            let other = count(Confidence::Med).filter(|_| own.right + own.wrong < FEW);
            let both =
                other.map_or(own, |other| Count { right: own.right + other.right, wrong: own.wrong + other.wrong });
            med_or_less(both)
        }
        Confidence::Med | Confidence::Low => at.min(med_or_less(own)),
    }
}

fn med_or_less(count: Count) -> Confidence {
    if count.share(PRIOR_MED) >= KEEPS_MED { Confidence::Med } else { Confidence::Low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::rules::RULES;

    #[test]
    fn a_rule_keeps_what_it_earned() {
        assert_eq!(ceiling("unused-file", Confidence::High), Confidence::High, "33 of 35");
        assert_eq!(ceiling("path-traversal", Confidence::High), Confidence::Med, "6 of 11");
        assert_eq!(ceiling("weak-password-hash", Confidence::High), Confidence::Low, "none of 7");
        assert_eq!(ceiling("duplicate-code", Confidence::Med), Confidence::Med, "180 of 213");
        assert_eq!(ceiling("undocumented-flag", Confidence::Med), Confidence::Low, "none of 4");
        assert_eq!(ceiling("unawaited-future", Confidence::High), Confidence::Low, "none of 1, and none of 9 at MED");
        assert_eq!(
            ceiling("timing-unsafe-compare", Confidence::High),
            Confidence::Med,
            "8 of 10, whatever is so at MED"
        );
        assert_eq!(ceiling("semgrep/eval", Confidence::High), Confidence::High, "nothing is known of it");
    }

    #[test]
    fn what_was_read_is_of_rules_there_are() {
        let known: Vec<&str> = RULES.iter().map(|rule| rule.doc().id).collect();
        for (index, reading) in READ.iter().enumerate() {
            assert!(known.contains(&reading.rule), "{}", reading.rule);
            let twice = READ[..index].iter().any(|other| other.rule == reading.rule && other.at == reading.at);
            assert!(!twice && reading.count.wrong > 0, "{}", reading.rule);
        }
    }
}
