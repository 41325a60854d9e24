//! Suppression: `improve-ignore: rule-id — reason` beside a line silences a rule there, if it says why.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::repo_map::RepoMap;
use crate::repo_map::facts::CommentKind;

/// The suppressions of a repository, by file and the line of code they speak of.
#[derive(Debug, Default)]
pub struct Suppressions {
    by_place: BTreeMap<(String, u32), Vec<Suppression>>,
    /// Comments that silence nothing, each with what is missing.
    pub faulty: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Suppression {
    rules: Vec<String>,
    reason: String,
    /// The line of the comment.
    line: u32,
}

impl Suppressions {
    /// Reads every suppression comment; `known` tells a rule id from a word.
    pub fn collect(map: &RepoMap, known: &dyn Fn(&str) -> bool) -> Suppressions {
        let mut found = Suppressions::default();
        for file in &map.files {
            for comment in file.facts.comments.iter().filter(|comment| comment.kind == CommentKind::Suppression) {
                let place = format!("{}:{}", file.path, comment.line);
                match read(&comment.text) {
                    None => found.faulty.push(format!("{place}: `improve-ignore` names no rule")),
                    Some((rules, reason)) => {
                        for rule in rules.iter().filter(|rule| !known(rule)) {
                            found.faulty.push(format!("{place}: no rule is called `{rule}`"));
                        }
                        if reason.is_empty() {
                            found.faulty.push(format!(
                                "{place}: not honoured, because no reason follows the rule: `improve-ignore: {} — why`",
                                rules.join(", ")
                            ));
                        } else {
                            let suppression = Suppression { rules, reason, line: comment.line };
                            found
                                .by_place
                                .entry((file.path.clone(), comment.applies_to))
                                .or_default()
                                .push(suppression);
                        }
                    }
                }
            }
        }
        found
    }

    /// Suppressions of nothing, among the rules that `ran` and the files that `keeps` accepts: what they were for is gone, and a new
    /// fault in their place would be silenced unseen.
    pub fn unused(&self, findings: &[Finding], ran: &BTreeSet<&str>, keeps: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut used: BTreeSet<(&str, u32, &str)> = BTreeSet::new();
        for finding in findings {
            let place = finding.location();
            let lines = place.start_line..=place.end_line.min(place.start_line.saturating_add(2));
            used.extend(lines.map(|line| (place.file.as_str(), line, finding.rule.as_str())));
        }
        let mut unused = Vec::new();
        for ((file, applies_to), suppressions) in self.by_place.iter().filter(|((file, _), _)| keeps(file)) {
            for suppression in suppressions {
                let rules = suppression.rules.iter().filter(|rule| ran.contains(rule.as_str()));
                for rule in rules.filter(|rule| !used.contains(&(file.as_str(), *applies_to, rule.as_str()))) {
                    unused.push(format!(
                        "{file}:{}: `improve-ignore: {rule}` silences nothing: remove it",
                        suppression.line
                    ));
                }
            }
        }
        unused
    }

    /// The reason a finding is silenced for, if it is: a comment speaks of any line of its first evidence.
    pub fn reason(&self, finding: &Finding) -> Option<&str> {
        let place = finding.location();
        let last = place.end_line.min(place.start_line.saturating_add(2));
        self.by_place
            .range((place.file.clone(), place.start_line)..=(place.file.clone(), last))
            .flat_map(|(_, suppressions)| suppressions)
            .find(|suppression| suppression.rules.contains(&finding.rule))
            .map(|suppression| suppression.reason.as_str())
    }
}

/// Rules and reason of a comment's text; an empty reason when it gives none, `None` when it names no rule.
fn read(text: &str) -> Option<(Vec<String>, String)> {
    let rest = text.trim().get("improve-ignore".len()..)?.trim_start_matches([':', ' ']);
    // `tool/rule-id` is what another tool reports.
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/');
    let mut rules = Vec::new();
    let mut rest = rest;
    loop {
        let end = rest.find(|c: char| !is_id(c)).unwrap_or(rest.len());
        // ` - reason`: a lone dash is a separator, never an id.
        let id = rest[..end].trim_matches(['-', '/']);
        if id.is_empty() {
            break;
        }
        rules.push(id.to_ascii_lowercase());
        rest = rest[end..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => break,
        }
    }
    let reason = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '—' | '–' | '-' | ':'));
    if rules.is_empty() { None } else { Some((rules, reason.trim_end_matches("*/").trim().to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(Vec<String>, String)> {
        read(text)
    }

    #[test]
    fn rule_and_reason_are_read_with_any_dash() {
        let expected = Some((vec!["n-plus-one".to_owned()], "at most three rows".to_owned()));
        assert_eq!(parts("improve-ignore: n-plus-one — at most three rows"), expected);
        assert_eq!(parts("improve-ignore: n-plus-one - at most three rows"), expected);
        assert_eq!(parts("improve-ignore n-plus-one: at most three rows"), expected);
    }

    #[test]
    fn what_another_tool_reports_is_named_with_the_tool() {
        let expected = Some((vec!["semgrep/detect-child-process".to_owned()], "a constant".to_owned()));
        assert_eq!(parts("improve-ignore: semgrep/detect-child-process — a constant"), expected);
        assert_eq!(parts("improve-ignore: / — why"), None);
    }

    #[test]
    fn several_rules_share_a_reason() {
        let expected = Some((vec!["n-plus-one".to_owned(), "swallowed-error".to_owned()], "by design".to_owned()));
        assert_eq!(parts("improve-ignore: n-plus-one, swallowed-error — by design"), expected);
    }

    #[test]
    fn missing_reason_and_missing_rule_are_told_apart() {
        assert_eq!(parts("improve-ignore: n-plus-one"), Some((vec!["n-plus-one".to_owned()], String::new())));
        assert_eq!(parts("improve-ignore: n-plus-one —"), Some((vec!["n-plus-one".to_owned()], String::new())));
        assert_eq!(parts("improve-ignore"), None);
        assert_eq!(parts("improve-ignore: — why"), None);
    }
}
