//! What another tool's result is worth, in our words: category, impact, confidence.
//!
//! What is known comes from the tool: `security-severity`, `precision`, tags and CWE numbers, as code scanning defines them. What we
//! chose stands in the tables. Nothing of another tool is HIGH: our rules are measured, these are not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::finding::{Category, Confidence};

/// What a result and its rule say.
pub struct Said<'a> {
    pub result: &'a Value,
    pub rule: &'a Value,
    /// The rule, as the tool calls it.
    pub id: &'a str,
    /// The tool in our ids.
    pub tool: &'a str,
}

/// What it is worth.
pub struct Graded {
    pub category: Category,
    pub impact: u8,
    pub confidence: Confidence,
    pub weaknesses: Vec<u32>,
}

/// Tools that look for one kind of thing.
const TOOLS: &[(&str, Category)] = &[
    ("bandit", Category::Security),
    ("brakeman", Category::Security),
    ("checkov", Category::Security),
    ("gitleaks", Category::Security),
    ("gosec", Category::Security),
    ("kics", Category::Security),
    ("tfsec", Category::Security),
    ("trufflehog", Category::Security),
    ("zizmor", Category::Security),
    ("cargo-audit", Category::Migration),
    ("cargo-deny", Category::Migration),
    ("grype", Category::Migration),
    ("osv-scanner", Category::Migration),
    ("actionlint", Category::Dx),
    ("hadolint", Category::Dx),
    ("markdownlint", Category::Docs),
    ("shellcheck", Category::Bug),
    ("prettier", Category::TechDebt),
];

/// How a tool's rules begin, the longest first where several fit. Names of plugins and families, from the tools' own pages.
const RULES: &[(&str, &str, Category)] = &[
    ("eslint", "@typescript-eslint/no-floating-promises", Category::Bug),
    ("eslint", "@typescript-eslint/no-misused-promises", Category::Bug),
    ("eslint", "@typescript-eslint/", Category::TechDebt),
    ("eslint", "jsdoc/", Category::Docs),
    ("eslint", "no-await-in-loop", Category::Perf),
    ("eslint", "react-hooks/", Category::Bug),
    ("eslint", "security/", Category::Security),
    ("eslint", "sonarjs/", Category::TechDebt),
    ("eslint", "unicorn/", Category::TechDebt),
    ("eslint", "vitest/", Category::Tests),
    ("eslint", "jest/", Category::Tests),
    ("biome", "lint/correctness", Category::Bug),
    ("biome", "lint/performance", Category::Perf),
    ("biome", "lint/security", Category::Security),
    ("biome", "lint/suspicious", Category::Bug),
    ("biome", "lint/", Category::TechDebt),
    ("ruff", "PERF", Category::Perf),
    ("ruff", "PT", Category::Tests),
    ("ruff", "B", Category::Bug),
    ("ruff", "F", Category::Bug),
    ("ruff", "S", Category::Security),
    ("ruff", "D", Category::Docs),
    ("ruff", "", Category::TechDebt),
];

/// Clippy's group `perf`, and those of its rules that are denied or doubted for what they do (`correctness`, `suspicious`) and come as
/// warnings: its results do not name the group. From `clippy-driver -W help`, 1.95; all other rules go by level.
const CLIPPY_PERF: &[&str] = &[
    "box_collection",
    "boxed_local",
    "cmp_owned",
    "cloned_ref_to_slice_refs",
    "collapsible_str_replace",
    "double_ended_iterator_last",
    "drain_collect",
    "expect_fun_call",
    "extend_with_drain",
    "format_in_format_args",
    "iter_overeager_cloned",
    "large_const_arrays",
    "large_enum_variant",
    "manual_contains",
    "manual_memcpy",
    "manual_retain",
    "manual_str_repeat",
    "manual_try_fold",
    "map_entry",
    "redundant_allocation",
    "redundant_clone",
    "redundant_iter_cloned",
    "regex_creation_in_loops",
    "result_large_err",
    "slow_vector_initialization",
    "to_string_in_format_args",
    "unbuffered_bytes",
    "unnecessary_to_owned",
    "useless_vec",
    "vec_init_then_push",
];
const CLIPPY_SUSPICIOUS: &[&str] = &[
    "arc_with_non_send_sync",
    "await_holding_invalid_type",
    "await_holding_lock",
    "await_holding_refcell_ref",
    "cast_enum_truncation",
    "cast_nan_to_int",
    "declare_interior_mutable_const",
    "empty_loop",
    "float_equality_without_abs",
    "ineffective_open_options",
    "join_absolute_paths",
    "let_underscore_future",
    "lines_filter_map_ok",
    "misnamed_getters",
    "misrefactored_assign_op",
    "mut_range_bound",
    "mutable_key_type",
    "print_in_format_impl",
    "rc_clone_in_vec_init",
    "suspicious_arithmetic_impl",
    "suspicious_command_arg_space",
    "suspicious_map",
    "suspicious_op_assign_impl",
    "suspicious_open_options",
    "unconditional_recursion",
    "zombie_processes",
];

/// Words of tags and of parts of rule ids (`lang.security.audit`).
const WORDS: &[(&str, Category)] = &[
    ("security", Category::Security),
    ("vulnerability", Category::Security),
    ("secret", Category::Security),
    ("performance", Category::Perf),
    ("perf", Category::Perf),
    ("efficiency", Category::Perf),
    ("correctness", Category::Bug),
    ("reliability", Category::Bug),
    ("bug", Category::Bug),
    ("suspicious", Category::Bug),
    ("maintainability", Category::TechDebt),
    ("maintainable", Category::TechDebt),
    ("best-practice", Category::TechDebt),
    ("readability", Category::TechDebt),
    ("complexity", Category::TechDebt),
    ("style", Category::TechDebt),
    ("documentation", Category::Docs),
    ("testing", Category::Tests),
];

/// Names of published advisories: what is wrong is a dependency.
const ADVISORIES: &[&str] = &["CVE-", "GHSA-", "RUSTSEC-", "PYSEC-", "GO-20"];

pub fn grade(said: &Said<'_>) -> Graded {
    let tags = said.tags();
    let weaknesses = said.weaknesses(&tags);
    let severity = said.number("security-severity");
    let category = said.category(&tags, severity, &weaknesses);
    let impact = said.impact(category, severity);
    let is_review = matches!(said.result.get("kind").and_then(Value::as_str), Some("review" | "open"));
    let precision = said.word("precision").or_else(|| said.word("zizmor/confidence")).unwrap_or_default();
    let doubted = precision == "low" || is_review || tags.iter().any(|tag| tag == "low confidence");
    let confidence = if doubted { Confidence::Low } else { Confidence::Med };
    Graded { category, impact, confidence, weaknesses }
}

impl Said<'_> {
    /// A property of the result, else of its rule.
    fn property(&self, key: &str) -> Option<&Value> {
        [self.result, self.rule].into_iter().find_map(|value| value.get("properties")?.get(key))
    }

    fn word(&self, key: &str) -> Option<String> {
        Some(self.property(key)?.as_str()?.to_ascii_lowercase())
    }

    /// A number, which some write as text.
    fn number(&self, key: &str) -> Option<f64> {
        let value = self.property(key)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
    }

    /// Tags of the result and its rule, in lower case.
    fn tags(&self) -> Vec<String> {
        let of = |value: &Value| -> Vec<String> {
            let tags = value.pointer("/properties/tags").and_then(Value::as_array);
            let words = tags.into_iter().flatten().filter_map(Value::as_str);
            words.take(200).map(str::to_ascii_lowercase).collect()
        };
        of(self.result).into_iter().chain(of(self.rule)).collect()
    }

    /// Numbers of the weaknesses that tags, taxa, relations and properties name.
    fn weaknesses(&self, tags: &[String]) -> Vec<u32> {
        let mut texts: Vec<String> = tags.to_vec();
        for key in ["cwe", "cwes"] {
            match self.property(key) {
                Some(Value::String(one)) => texts.push(one.to_ascii_lowercase()),
                Some(Value::Array(all)) => {
                    texts.extend(all.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase));
                }
                Some(_) | None => {}
            }
        }
        let is_cwe = |reference: &Value| {
            let named = reference.pointer("/toolComponent/name").and_then(Value::as_str).unwrap_or_default();
            named.eq_ignore_ascii_case("cwe")
        };
        let taxa = self.result.get("taxa").and_then(Value::as_array).into_iter().flatten();
        let relations = self.rule.get("relationships").and_then(Value::as_array).into_iter().flatten();
        for reference in taxa.chain(relations.filter_map(|relation| relation.get("target"))) {
            if let Some(id) = reference.get("id").and_then(Value::as_str) {
                let prefix = if is_cwe(reference) && !id.to_ascii_lowercase().contains("cwe") { "cwe-" } else { "" };
                texts.push(format!("{prefix}{}", id.to_ascii_lowercase()));
            }
        }
        let numbers: BTreeSet<u32> = texts.iter().flat_map(|text| numbers_of(text)).collect();
        numbers.into_iter().collect()
    }

    fn category(&self, tags: &[String], severity: Option<f64>, weaknesses: &[u32]) -> Category {
        if ADVISORIES.iter().any(|prefix| self.id.starts_with(prefix)) {
            return Category::Migration;
        }
        if let Some((_, category)) = TOOLS.iter().find(|(tool, _)| *tool == self.tool) {
            return *category;
        }
        let own = RULES.iter().filter(|(tool, rule, _)| *tool == self.tool && self.id.starts_with(rule));
        if let Some((_, _, category)) = own.max_by_key(|(_, rule, _)| rule.len()) {
            return *category;
        }
        let lint = self.id.trim_start_matches("clippy::");
        if self.tool == "clippy" && CLIPPY_PERF.contains(&lint) {
            return Category::Perf;
        }
        if self.tool == "clippy" && CLIPPY_SUSPICIOUS.contains(&lint) {
            return Category::Bug;
        }
        if severity.is_some_and(|severity| severity > 0.0) {
            return Category::Security;
        }
        let of_word = |word: &str| WORDS.iter().find(|(known, _)| *known == word).map(|(_, category)| *category);
        let lower = self.id.to_ascii_lowercase();
        let parts = lower.split(['.', '/', ':']);
        tags.iter()
            .map(String::as_str)
            .find_map(of_word)
            .or_else(|| (!weaknesses.is_empty()).then_some(Category::Security))
            .or_else(|| parts.into_iter().find_map(of_word))
            .unwrap_or(if self.level() == "error" { Category::Bug } else { Category::TechDebt })
    }

    /// `error`, `warning`, `note` or `none`: the result's own, else the one of its rule, else the format's default.
    fn level(&self) -> &str {
        let own = self.result.get("level").and_then(Value::as_str);
        let of_rule = || self.rule.pointer("/defaultConfiguration/level").and_then(Value::as_str);
        own.or_else(of_rule).unwrap_or("warning")
    }

    fn impact(&self, category: Category, severity: Option<f64>) -> u8 {
        // The bounds of critical, high and medium in CVSS, which code scanning shows the number by.
        if let Some(severity) = severity.filter(|severity| *severity > 0.0) {
            return match severity {
                9.0.. => 5,
                7.0.. => 4,
                4.0.. => 3,
                _ => 2,
            };
        }
        match self.word("zizmor/severity").as_deref() {
            Some("high") => return 4,
            Some("medium") => return 3,
            Some("low") => return 2,
            Some("informational") => return 1,
            Some(_) | None => {}
        }
        let grave = matches!(category, Category::Security | Category::Bug);
        match (self.level(), grave) {
            ("error", true) => 4,
            ("error", false) | ("warning", true) => 3,
            ("note", true) => 2,
            ("note" | "none", _) => 1,
            _ => 2,
        }
    }
}

/// `cwe-79: …`, `external/cwe/cwe-079`, `cwe:79`, `cwe 79`.
fn numbers_of(text: &str) -> Vec<u32> {
    text.match_indices("cwe")
        .filter_map(|(at, word)| {
            let rest = text[at + word.len()..].trim_start_matches(['-', ':', '_', ' ']);
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(tool: &str, id: &str, result: Value, rule: Value) -> (Category, u8, Confidence) {
        let graded = grade(&Said { result: &result, rule: &rule, id, tool });
        (graded.category, graded.impact, graded.confidence)
    }

    #[test]
    fn what_the_tool_says_decides() {
        let codeql = json!({ "properties": { "tags": ["security", "external/cwe/cwe-089"], "security-severity": "8.8", "precision": "high" } });
        assert_eq!(of("codeql", "js/sql-injection", json!({}), codeql), (Category::Security, 4, Confidence::Med));
        let semgrep = json!({ "properties": { "tags": ["CWE-78: OS Command", "LOW CONFIDENCE", "security"] } });
        let graded = of("semgrep", "javascript.lang.security.x", json!({ "level": "error" }), semgrep);
        assert_eq!(graded, (Category::Security, 4, Confidence::Low));
        let zizmor =
            json!({ "level": "warning", "properties": { "zizmor/confidence": "High", "zizmor/severity": "Low" } });
        assert_eq!(of("zizmor", "zizmor/artipacked", zizmor, json!({})), (Category::Security, 2, Confidence::Med));
    }

    #[test]
    fn without_it_tables_and_levels_do() {
        let plain = |tool: &str, id: &str, level: &str| of(tool, id, json!({ "level": level }), json!({})).0;
        assert_eq!(plain("clippy", "clippy::box_collection", "warning"), Category::Perf);
        assert_eq!(plain("clippy", "clippy::await_holding_lock", "warning"), Category::Bug);
        assert_eq!(plain("clippy", "clippy::needless_return", "warning"), Category::TechDebt);
        assert_eq!(plain("clippy", "clippy::eq_op", "error"), Category::Bug);
        assert_eq!(plain("eslint", "@typescript-eslint/no-floating-promises", "error"), Category::Bug);
        assert_eq!(plain("eslint", "@typescript-eslint/ban-types", "error"), Category::TechDebt);
        assert_eq!(plain("trivy", "CVE-2021-1234", "error"), Category::Migration);
        assert_eq!(plain("semgrep", "python.lang.maintainability.x", "error"), Category::TechDebt);
        let by_rule = json!({ "defaultConfiguration": { "level": "error" } });
        assert_eq!(of("x", "y", json!({}), by_rule), (Category::Bug, 4, Confidence::Med));
        let review = json!({ "kind": "review", "level": "none" });
        assert_eq!(of("x", "y", review, json!({})), (Category::TechDebt, 1, Confidence::Low));
    }

    #[test]
    fn weaknesses_are_read_wherever_they_stand() {
        let result = json!({ "taxa": [{ "id": "79", "toolComponent": { "name": "CWE" } }], "properties": { "cwe": ["CWE-22: x"] } });
        let rule = json!({ "relationships": [{ "target": { "id": "CWE-918" } }, 7], "properties": { "tags": ["external/cwe/cwe-078", 3] } });
        let graded = grade(&Said { result: &result, rule: &rule, id: "x", tool: "y" });
        assert_eq!(graded.weaknesses, [22, 78, 79, 918]);
        assert_eq!(numbers_of("cwe cwe-x cwe-99999999999"), Vec::<u32>::new());
    }
}
