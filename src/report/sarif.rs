//! SARIF 2.1.0, for code scanning: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, and what GitHub asks of it:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::audit_document::AuditDocument;
use super::layout::percent_encode;
use crate::audit::engine::rule_by_id;
use crate::audit::rule::RuleDoc;
use crate::finding::{Category, Confidence, Finding, Hop, Level, State};

/// The schema the document is valid against.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Name and version of the fingerprint: it changes when two versions of the program would give one finding two.
const FINGERPRINT: &str = "improve/v1";
/// Results of a run, at most: GitHub takes no more (25,000), and shows the first 5,000.
const RESULTS: usize = 25_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    automation_details: Value,
    column_kind: &'static str,
    original_uri_base_ids: Value,
    invocations: [Value; 1],
    results: Vec<Sarif>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sarif {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Value,
    locations: [Value; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<Value>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Value>,
    properties: Value,
}

/// The findings as SARIF: those that are shown, and those kept apart as suppressed results, with the reason.
pub fn sarif(document: &AuditDocument) -> String {
    let apart = |kind: &'static str| {
        move |reason: &str| {
            let reason = if reason.is_empty() { "no reason given" } else { reason };
            vec![json!({ "kind": kind, "status": "accepted", "justification": reason })]
        }
    };
    let (in_source, external) = (apart("inSource"), apart("external"));
    let shown = document.findings.iter().map(|finding| (finding, Vec::new()));
    let suppressed = document.suppressed.iter().map(|kept| (&kept.finding, in_source(&kept.reason)));
    let rejected = document.rejected.iter().map(|kept| (&kept.finding, external(&kept.reason)));
    let known = document.known.iter().map(|finding| (finding, external("known when the baseline was written")));
    let all: Vec<(&Finding, Vec<Value>)> = shown.chain(suppressed).chain(rejected).chain(known).take(RESULTS).collect();
    let mut ids: Vec<&str> = all.iter().map(|(finding, _)| finding.rule.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let rules: Vec<Value> = ids
        .iter()
        .map(|id| {
            let of_rule = all.iter().map(|(finding, _)| *finding).filter(|finding| finding.rule == *id);
            rule(id, &of_rule.collect::<Vec<_>>())
        })
        .collect();
    let results = all.into_iter().map(|(finding, suppressions)| {
        let rule_index = ids.binary_search(&finding.rule.as_str()).unwrap_or_default();
        result(finding, rule_index, suppressions)
    });
    let commit = document.repository.commit.as_deref();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": driver(rules) }),
            automation_details: json!({ "id": "improve/" }),
            column_kind: "utf16CodeUnits",
            original_uri_base_ids: json!({ "%SRCROOT%": { "description": { "text": "The root of the repository." } } }),
            invocations: [invocation(document, commit)],
            results: results.collect(),
        }],
    };
    super::json::document(&log)
}

fn driver(rules: Vec<Value>) -> Value {
    let mut driver = json!({
        "name": "improve",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    if !env!("CARGO_PKG_REPOSITORY").is_empty() {
        driver["informationUri"] = json!(env!("CARGO_PKG_REPOSITORY"));
    }
    driver
}

fn invocation(document: &AuditDocument, commit: Option<&str>) -> Value {
    let left_out = |what: &crate::audit::NotAudited| json!({ "level": "note", "message": { "text": format!("{}: {}", what.what, what.why) } });
    let notifications: Vec<Value> = document.not_audited.iter().map(left_out).collect();
    json!({
        "executionSuccessful": true,
        "toolExecutionNotifications": notifications,
        "properties": { "commit": commit, "dirty": document.repository.dirty },
    })
}

fn rule(id: &str, findings: &[&Finding]) -> Value {
    let doc = rule_by_id(id).map(|rule| rule.doc());
    let category =
        doc.map_or_else(|| findings.first().map_or(Category::TechDebt, |it| it.category), |doc| doc.category);
    // A rule of another tool is described by that tool.
    let origin = findings.iter().find_map(|finding| finding.origin.as_deref());
    let foreign = origin.map(|origin| format!("what {} reports as {}", origin.tool, origin.rule));
    let id_or_foreign = foreign.as_deref().unwrap_or(id);
    let (what, why) = doc.map_or((id_or_foreign, ""), |doc| (doc.what, doc.why));
    let mut properties = json!({ "tags": [category.label()], "precision": precision(findings) });
    if category == Category::Security {
        properties["security-severity"] = json!(severity(findings));
    } else {
        properties["problem.severity"] = json!("warning");
    }
    // Nothing that the JSON document lacks: merged documents give the same bytes.
    let plain = || foreign.as_deref().map_or_else(|| id.to_owned(), sentence);
    let (help, help_in_markdown) = (doc.map_or_else(plain, help), doc.map_or_else(plain, help_in_markdown));
    let mut rule = json!({ "id": id });
    // The two must differ (SARIF 3.49.7), and `Ssrf` says no more than `ssrf`.
    let name = name(id);
    if !name.eq_ignore_ascii_case(id) {
        rule["name"] = json!(name);
    }
    rule["shortDescription"] = json!({ "text": sentence(what) });
    rule["fullDescription"] = json!({ "text": format!("{} {}", sentence(what), sentence(why)).trim() });
    rule["help"] = json!({ "text": help, "markdown": help_in_markdown });
    rule["defaultConfiguration"] =
        json!({ "level": findings.iter().map(|finding| level(finding)).next().unwrap_or("warning") });
    rule["properties"] = properties;
    if let Some(uri) = origin.and_then(|origin| origin.help_uri.as_ref()) {
        rule["helpUri"] = json!(uri);
    }
    rule
}

fn help(doc: &RuleDoc) -> String {
    format!(
        "{}\n\nWhy: {}\n\nIt stays quiet when: {}\n\nExample:\n{}",
        sentence(doc.what),
        sentence(doc.why),
        sentence(doc.quiet_when),
        doc.example
    )
}

fn help_in_markdown(doc: &RuleDoc) -> String {
    format!(
        "{}\n\n**Why**: {}\n\n**It stays quiet when**: {}\n\n```\n{}\n```\n",
        sentence(doc.what),
        sentence(doc.why),
        sentence(doc.quiet_when),
        doc.example.trim_end()
    )
}

/// A text as a sentence: GitHub shows it so.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

/// `NPlusOne` for `n-plus-one`: the name a rule has beside its id.
fn name(id: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
    };
    id.split(['-', '/']).map(capital).collect()
}

/// How sure the rule is of what it found here.
fn precision(findings: &[&Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.confidence).max() {
        Some(Confidence::High) => "high",
        Some(Confidence::Med) => "medium",
        Some(Confidence::Low) | None => "low",
    }
}

/// A score from 0 to 10 in GitHub's bands: over 9.0 critical, 7.0 high, 4.0 medium.
fn severity(findings: &[&Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.impact).max() {
        Some(5..) => "9.5",
        Some(4) => "8.0",
        Some(3) => "5.5",
        _ => "3.0",
    }
}

fn level(finding: &Finding) -> &'static str {
    match finding.level() {
        Level::High => "error",
        Level::Medium => "warning",
        Level::Low => "note",
    }
}

fn result(finding: &Finding, rule_index: usize, suppressions: Vec<Value>) -> Sarif {
    let place = finding.location();
    let others = finding.evidence.iter().skip(1).zip(1..);
    Sarif {
        rule_id: finding.rule.clone(),
        rule_index,
        level: level(finding),
        message: json!({ "text": format!("{} {}", sentence(&finding.title), finding.message).trim() }),
        locations: [json!({ "physicalLocation": physical(&place.file, place.start_line, place.end_line) })],
        related_locations: others
            .map(|(evidence, id)| {
                json!({
                    "id": id,
                    "physicalLocation": physical(&evidence.file, evidence.start_line, evidence.end_line),
                    "message": { "text": evidence.role },
                })
            })
            .collect(),
        code_flows: if finding.call_path.is_empty() { Vec::new() } else { vec![code_flow(&finding.call_path)] },
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, finding.fingerprint.clone())]),
        baseline_state: finding.state.map(|state| match state {
            State::Introduced => "new",
            State::PreExisting => "unchanged",
        }),
        suppressions,
        properties: json!({
            "category": finding.category.label(),
            "confidence": finding.confidence,
            "impact": finding.impact,
            "effort": finding.effort,
            "leverage": finding.leverage,
            "mechanical": finding.mechanical,
        }),
    }
}

fn code_flow(path: &[Hop]) -> Value {
    let locations: Vec<Value> = path
        .iter()
        .map(|hop| {
            json!({ "location": {
                "physicalLocation": physical(&hop.file, hop.line, hop.line),
                "message": { "text": hop.symbol },
            } })
        })
        .collect();
    json!({ "threadFlows": [{ "locations": locations }] })
}

fn physical(file: &str, start_line: u32, end_line: u32) -> Value {
    json!({
        "artifactLocation": { "uri": percent_encode(file), "uriBaseId": "%SRCROOT%" },
        "region": { "startLine": start_line.max(1), "endLine": end_line.max(start_line).max(1) },
    })
}
