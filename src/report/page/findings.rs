//! The findings of a page: what stands in a row, what a reader can filter by, what the rules say, and what is kept apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::audit::engine::rule_by_id;
use crate::finding::{Category, Confidence, Evidence, Finding, Hop, Risk, State};
use crate::report::document::ReportDocument;
use crate::report::human::{level_word, short};
use crate::report::plans::plan_name;
use crate::report::sanitize;

/// Lines of a quote that are shown; a rule that quotes more points at the file.
const QUOTE_LINES: usize = 12;
/// Characters of a line that are shown: a bundle would fill the page.
const QUOTE_COLUMNS: usize = 200;
/// Evidence shown beside the first, and steps of a call path.
const EVIDENCE: usize = 8;
const HOPS: usize = 24;

/// One finding.
#[derive(Serialize)]
pub struct FindingView {
    number: usize,
    id: String,
    level: &'static str,
    title: String,
    place: String,
    category: &'static str,
    effort: &'static str,
    leverage: String,
    confidence: &'static str,
    risk: &'static str,
    impact: u8,
    rule: String,
    /// The rule has an entry of its own on the page.
    documented: bool,
    /// What leaving it costs, in the words of the rule.
    why: &'static str,
    message: String,
    mechanical: bool,
    state: &'static str,
    /// The plan for it.
    plan: Option<String>,
    /// Another tool that reports it, with its word for the rule.
    tool: Option<String>,
    evidence: Vec<EvidenceView>,
    more_evidence: usize,
    path: Vec<HopView>,
    more_hops: usize,
    /// The call path leads into another file.
    crosses: bool,
}

#[derive(Serialize)]
struct EvidenceView {
    place: String,
    role: String,
    start: u32,
    lines: Vec<String>,
    more: usize,
}

#[derive(Serialize)]
struct HopView {
    symbol: String,
    place: String,
    /// It stands in another file than the step before.
    crosses: bool,
}

/// The findings, in the order of the document.
pub fn views(document: &ReportDocument) -> Vec<FindingView> {
    let planned: BTreeMap<&str, &str> =
        document.plans.iter().filter_map(|plan| Some((plan.finding.as_deref()?, plan_name(&plan.path)))).collect();
    let view = |(number, finding): (usize, &Finding)| FindingView {
        plan: planned.get(finding.fingerprint.as_str()).map(|name| (*name).to_owned()),
        ..view(number, finding)
    };
    (1..).zip(&document.audit.findings).map(view).collect()
}

fn view(number: usize, finding: &Finding) -> FindingView {
    let doc = rule_by_id(&finding.rule).map(|rule| rule.doc());
    let hops = &finding.call_path;
    let crosses = |place: usize| place > 0 && hops[place].file != hops[place - 1].file;
    let hop = |(place, hop): (usize, &Hop)| HopView {
        symbol: hop.symbol.clone(),
        place: format!("{}:{}", hop.file, hop.line),
        crosses: crosses(place),
    };
    FindingView {
        number,
        id: short(&finding.fingerprint).to_owned(),
        level: level_word(finding.level()),
        title: finding.title.clone(),
        place: place(finding.location()),
        category: finding.category.label(),
        effort: finding.effort.label(),
        leverage: format!("{:.1}", finding.leverage),
        confidence: confidence(finding.confidence),
        risk: risk(finding.risk),
        impact: finding.impact,
        rule: finding.rule.clone(),
        documented: doc.is_some(),
        why: doc.map_or("", |doc| doc.why),
        message: finding.message.clone(),
        mechanical: finding.mechanical,
        state: finding.state.map_or("", state),
        plan: None,
        tool: finding.origin.as_ref().map(|origin| {
            let version = origin.version.as_deref().unwrap_or_default();
            format!("{} {version}", origin.tool).trim_end().to_owned()
        }),
        evidence: finding.evidence.iter().take(EVIDENCE).map(evidence).collect(),
        more_evidence: finding.evidence.len().saturating_sub(EVIDENCE),
        // A path of one step is the place itself.
        path: if hops.len() > 1 { hops.iter().take(HOPS).enumerate().map(hop).collect() } else { Vec::new() },
        more_hops: hops.len().saturating_sub(HOPS),
        crosses: (1..hops.len()).any(crosses),
    }
}

fn place(evidence: &Evidence) -> String {
    format!("{}:{}", evidence.file, evidence.start_line)
}

fn evidence(evidence: &Evidence) -> EvidenceView {
    let quote = sanitize::block(&evidence.quote);
    let lines: Vec<&str> = quote.lines().collect();
    // What all lines begin with says nothing.
    let indents =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start_matches(' ').len());
    let indent = indents.min().unwrap_or(0);
    let shown = lines.iter().take(QUOTE_LINES).map(|line| {
        let line = line.get(indent..).unwrap_or_default().trim_end();
        if line.chars().count() <= QUOTE_COLUMNS {
            return line.to_owned();
        }
        format!("{}…", line.chars().take(QUOTE_COLUMNS).collect::<String>())
    });
    EvidenceView {
        place: place(evidence),
        role: evidence.role.clone(),
        start: evidence.start_line,
        lines: shown.collect(),
        more: lines.len().saturating_sub(QUOTE_LINES),
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Med => "medium",
        Confidence::High => "high",
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Med => "medium",
        Risk::High => "high",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Introduced => "introduced",
        State::PreExisting => "pre-existing",
    }
}

/// What a reader can filter by: each value there is, once.
#[derive(Serialize)]
pub struct Facets {
    levels: Vec<&'static str>,
    categories: Vec<&'static str>,
    confidences: Vec<&'static str>,
    rules: Vec<String>,
    states: Vec<&'static str>,
    /// Some findings are mended by exact edits, and some are not.
    mechanical: bool,
}

impl Facets {
    /// The values in a document.
    pub fn of(document: &ReportDocument) -> Facets {
        let findings = &document.audit.findings;
        let has = |category: Category| findings.iter().any(|finding| finding.category == category);
        let levels: BTreeSet<_> = findings.iter().map(Finding::level).collect();
        let confidences: BTreeSet<_> = findings.iter().map(|finding| finding.confidence).collect();
        let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        let states: BTreeSet<_> = findings.iter().filter_map(|finding| finding.state).collect();
        let mechanical = findings.iter().filter(|finding| finding.mechanical).count();
        Facets {
            levels: levels.into_iter().rev().map(level_word).collect(),
            categories: Category::ALL.into_iter().filter(|it| has(*it)).map(Category::label).collect(),
            confidences: confidences.into_iter().rev().map(confidence).collect(),
            rules: rules.into_iter().map(str::to_owned).collect(),
            states: states.into_iter().map(state).collect(),
            mechanical: mechanical > 0 && mechanical < findings.len(),
        }
    }
}

/// What the script is given: for each row, in order, what it is filtered and sorted by.
#[derive(Serialize)]
pub struct Data<'a> {
    findings: Vec<Row<'a>>,
}

/// Level, category, confidence, rule, state, exact edits, leverage, effort, path.
type Row<'a> = (&'static str, &'static str, &'static str, &'a str, &'static str, u8, f64, &'static str, &'a str);

impl Data<'_> {
    /// The rows of a document.
    pub fn of(document: &ReportDocument) -> Data<'_> {
        Data { findings: document.audit.findings.iter().map(row).collect() }
    }
}

fn row(finding: &Finding) -> Row<'_> {
    (
        level_word(finding.level()),
        finding.category.label(),
        confidence(finding.confidence),
        finding.rule.as_str(),
        finding.state.map_or("", state),
        u8::from(finding.mechanical),
        finding.leverage,
        finding.effort.label(),
        finding.location().file.as_str(),
    )
}

/// What a rule says of itself.
#[derive(Serialize)]
pub struct RuleView {
    id: String,
    category: &'static str,
    findings: usize,
    what: &'static str,
    why: &'static str,
    quiet_when: &'static str,
}

/// The rules of ours that found something, those with the most findings first.
pub fn rules(document: &ReportDocument) -> Vec<RuleView> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &document.audit.findings {
        *counts.entry(finding.rule.as_str()).or_insert(0) += 1;
    }
    let view = |(id, findings): (&str, usize)| {
        let doc = rule_by_id(id)?.doc();
        Some(RuleView {
            id: id.to_owned(),
            category: doc.category.label(),
            findings,
            what: doc.what,
            why: doc.why,
            quiet_when: doc.quiet_when,
        })
    };
    let mut rules: Vec<RuleView> = counts.into_iter().filter_map(view).collect();
    rules.sort_by(|one, other| other.findings.cmp(&one.findings).then_with(|| one.id.cmp(&other.id)));
    rules
}

/// Findings that are kept apart for one reason.
#[derive(Serialize)]
pub struct Apart {
    title: String,
    rows: Vec<(String, String, String)>,
    more: usize,
}

/// Findings kept apart that are listed, of each kind.
const APART: usize = 200;

/// Findings that somebody rejected, a comment suppresses or the baseline knows: place, title and reason.
pub fn apart(document: &ReportDocument) -> Vec<Apart> {
    let audit = &document.audit;
    let row = |finding: &Finding, reason: &str| (place(finding.location()), finding.title.clone(), reason.to_owned());
    let groups = [
        ("Rejected", audit.rejected.iter().map(|kept| row(&kept.finding, &kept.reason)).collect::<Vec<_>>()),
        ("Suppressed by a comment", audit.suppressed.iter().map(|kept| row(&kept.finding, &kept.reason)).collect()),
        ("Known by the baseline", audit.known.iter().map(|finding| row(finding, "")).collect()),
    ];
    let group = |(title, mut rows): (&str, Vec<(String, String, String)>)| {
        let all = rows.len();
        rows.truncate(APART);
        Apart { title: format!("{title} ({all})"), more: all - rows.len(), rows }
    };
    groups.into_iter().filter(|(_, rows)| !rows.is_empty()).map(group).collect()
}
