//! Twins: what another tool reports where a rule of ours reports the same. Ours stays, and says who agrees.
//!
//! Two findings at one place need not be one. They are where the other names a weakness (CWE) that is our rule's, where its rule is
//! known for ours, and for security where it names no weakness and begins at the same line.

use crate::finding::{Category, Finding};

/// Weaknesses (CWE) and the rules that report them.
const WEAKNESSES: &[(u32, &[&str])] = &[
    (22, &["path-traversal"]),
    (23, &["path-traversal"]),
    (36, &["path-traversal"]),
    (73, &["path-traversal"]),
    (77, &["command-injection", "workflow-script-injection"]),
    (78, &["command-injection", "workflow-script-injection"]),
    (79, &["html-injection"]),
    (80, &["html-injection"]),
    (88, &["command-injection"]),
    (89, &["sql-injection"]),
    (94, &["workflow-script-injection"]),
    (208, &["timing-unsafe-compare"]),
    (250, &["workflow-excessive-permissions"]),
    (259, &["hardcoded-secret"]),
    (285, &["missing-auth", "insecure-direct-object-reference"]),
    (295, &["tls-verification-disabled"]),
    (306, &["missing-auth"]),
    (321, &["hardcoded-secret"]),
    (327, &["weak-password-hash"]),
    (328, &["weak-password-hash"]),
    (346, &["permissive-cors"]),
    (347, &["unverified-jwt"]),
    (385, &["timing-unsafe-compare"]),
    (601, &["open-redirect"]),
    (614, &["exposed-cookie"]),
    (639, &["insecure-direct-object-reference"]),
    (730, &["regex-injection", "polynomial-regex"]),
    (798, &["hardcoded-secret", "default-secret"]),
    (829, &["workflow-unpinned-action", "workflow-unverified-download"]),
    (862, &["missing-auth"]),
    (915, &["mass-assignment", "prototype-pollution"]),
    (916, &["weak-password-hash"]),
    (918, &["ssrf"]),
    (942, &["permissive-cors"]),
    (943, &["sql-injection"]),
    (1004, &["exposed-cookie"]),
    (1275, &["exposed-cookie"]),
    (1321, &["prototype-pollution"]),
    (1333, &["polynomial-regex"]),
];

/// Rules of other tools and ours that report the same.
const RULES: &[(&str, &str)] = &[
    ("clippy/let-underscore-future", "unawaited-future"),
    ("clippy/regex-creation-in-loops", "regex-in-hot-path"),
    ("eslint/import-no-cycle", "import-cycle"),
    ("eslint/no-await-in-loop", "sequential-await"),
    ("eslint/no-empty", "swallowed-error"),
    ("eslint/typescript-eslint-no-floating-promises", "unawaited-promise"),
    ("zizmor/artipacked", "workflow-persisted-credentials"),
    ("zizmor/cache-poisoning", "workflow-cache-poisoning"),
    ("zizmor/dangerous-triggers", "workflow-pull-request-target-checkout"),
    ("zizmor/excessive-permissions", "workflow-excessive-permissions"),
    ("zizmor/secrets-inherit", "workflow-inherited-secrets"),
    ("zizmor/template-injection", "workflow-script-injection"),
    ("zizmor/unpinned-uses", "workflow-unpinned-action"),
];

/// Findings without those of other tools that one of ours says already.
pub fn fold(findings: Vec<Finding>) -> Vec<Finding> {
    let (mut ours, theirs): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.origin.is_none());
    let mut left = Vec::new();
    for their in theirs {
        let twin = ours.iter_mut().find(|our| is_twin(our, &their));
        match (twin, &their.origin) {
            (Some(our), Some(origin)) => {
                let said = format!(" {} reports it, too ({}).", origin.tool, their.rule);
                if !our.message.contains(&said) {
                    our.message.push_str(&said);
                }
            }
            (Some(_) | None, _) => left.push(their),
        }
    }
    ours.extend(left);
    ours
}

fn is_twin(our: &Finding, their: &Finding) -> bool {
    let (here, there) = (our.location(), their.location());
    let meets = here.file == there.file && here.start_line <= there.end_line && there.start_line <= here.end_line;
    if !meets {
        return false;
    }
    let is_known = RULES.iter().any(|(rule, own)| *rule == their.rule && *own == our.rule)
        || their.rule.strip_prefix("improve/") == Some(our.rule.as_str());
    let weaknesses = their.origin.as_ref().map_or(&[][..], |origin| &origin.weaknesses);
    let named = weaknesses.iter().any(|weakness| {
        WEAKNESSES.iter().any(|(number, rules)| number == weakness && rules.contains(&our.rule.as_str()))
    });
    let unnamed = weaknesses.is_empty()
        && !their.rule.starts_with("improve/")
        && !RULES.iter().any(|(rule, _)| *rule == their.rule)
        && our.category == Category::Security
        && their.category == Category::Security
        && here.start_line == there.start_line;
    is_known || named || unnamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::engine::rule_by_id;

    #[test]
    fn every_rule_of_ours_that_is_named_exists() {
        let named = WEAKNESSES.iter().flat_map(|(_, rules)| rules.iter().copied());
        for id in named.chain(RULES.iter().map(|(_, own)| *own)) {
            assert!(rule_by_id(id).is_some(), "{id}");
        }
        assert!(WEAKNESSES.is_sorted_by_key(|(number, _)| *number));
        assert!(RULES.is_sorted());
    }
}
