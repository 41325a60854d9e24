//! What every page has to be: whole in itself, closed to what it quotes, readable in both themes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use regex::Regex;

use super::{SCRIPT, STYLE, page, policy};
use crate::audit::{Audit, NotAudited, Suppressed};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Hop, Level, Risk};
use crate::model::Role;
use crate::report::audit_document::{AuditDocument, KeptApart, Repository};
use crate::report::document::{FileHeat, PlanNode, ReportDocument};
use crate::report::document_markdown;
use crate::report::money::{Money, OpenPlans, PlannerInstead};
use crate::report::status::{RoleSpending, Spending};
use crate::runs::Run;

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m";

fn finding(rule: &str, category: Category, title: &str, impact: u8, confidence: Confidence) -> Finding {
    let mut evidence = Evidence::new("src/orders/list.ts", 34, 36, "loop");
    evidence.quote = "  for (const order of orders) {\n    await loadItems(order.id)\n  }".to_owned();
    Finding {
        fingerprint: crate::finding::fingerprint(rule, "", title, "", 0),
        rule: rule.to_owned(),
        category,
        title: title.to_owned(),
        message: "Each order costs one query, so a page of 50 orders costs 51. Load the items of all orders at once."
            .to_owned(),
        impact,
        effort: Effort::S,
        risk: Risk::Low,
        confidence,
        leverage: Finding::leverage_of(impact, Effort::S, confidence),
        state: None,
        evidence: vec![evidence],
        call_path: vec![],
        mechanical: false,
        symbol: String::new(),
        origin: None,
    }
}

fn run(commit: &str, high: usize, dirty: bool) -> Run {
    Run {
        time: "2026-11-21T10:00:00Z".to_owned(),
        commit: Some(commit.repeat(40)),
        committed: Some(1_790_000_000 + i64::from(commit.as_bytes()[0]) * 86_400),
        dirty,
        levels: BTreeMap::from([(Level::High, high), (Level::Low, 4)]),
        categories: BTreeMap::from([(Category::Perf, high + 4)]),
        known: 0,
        lines: 52_310,
        planner: "built-in".to_owned(),
        settings: "5e771265".to_owned(),
        version: "0.1.0".to_owned(),
    }
}

fn plan(number: u32, title: &str, status: &str, depends_on: &[u32]) -> PlanNode {
    let path = |number: u32| format!("plans/{number:03}-x.md");
    PlanNode {
        path: path(number),
        number: Some(number),
        title: title.to_owned(),
        status: Some(status.to_owned()),
        depends_on: depends_on.iter().map(|number| path(*number)).collect(),
        estimate: Some("20 minutes, about 9 000 tokens".to_owned()),
        mechanical: number == 1,
        ..PlanNode::default()
    }
}

fn document() -> ReportDocument {
    let mut first =
        finding("n-plus-one", Category::Perf, "`loadItems` runs one query for each order", 4, Confidence::High);
    first.call_path = vec![
        Hop { file: "src/orders/list.ts".to_owned(), line: 35, symbol: "loadItems".to_owned() },
        Hop { file: "src/orders/items.ts".to_owned(), line: 12, symbol: "prisma.item.findMany".to_owned() },
    ];
    first.evidence.push(Evidence::new("src/orders/items.ts", 12, 12, "query"));
    let mut second = finding("swallowed-error", Category::Bug, HOSTILE, 3, Confidence::Med);
    second.evidence[0].file = format!("src/{HOSTILE}.ts");
    second.mechanical = true;
    let third = finding("planner-security", Category::Security, "A token `is logged", 2, Confidence::Low);
    let suppressed = finding("dead-export", Category::TechDebt, "`old` is never imported", 1, Confidence::Med);
    let mut plans = vec![
        plan(1, "Load items at once", "DONE", &[]),
        plan(2, HOSTILE, "TODO", &[1]),
        plan(3, "Alone", "BLOCKED", &[]),
    ];
    plans[0].finding = Some(first.fingerprint.clone());
    plans[2].note = "its gate is red".to_owned();
    let audit = Audit {
        findings: vec![first, second, third],
        suppressed: vec![Suppressed { finding: suppressed, reason: "kept for plugins".to_owned() }],
        not_audited: vec![NotAudited {
            what: "12 Python files".to_owned(),
            why: "no reader for this language yet".to_owned(),
        }],
        ..Audit::default()
    };
    let repository =
        Repository { root: "/home/me/shop".to_owned(), commit: Some("0123456789abcdef".to_owned()), dirty: true };
    let file =
        |path: &str, lines, findings, heat| FileHeat { path: path.to_owned(), lines, churn_90d: 7, findings, heat };
    let files = vec![
        file("src/orders/items.ts", 300, 0, 0.0),
        file("src/orders/list.ts", 900, 2, 0.83),
        file(&format!("src/{HOSTILE}.ts"), 200, 1, 0.3),
    ];
    ReportDocument {
        committed: Some("2026-11-20".to_owned()),
        source_files: 214,
        lines: 52_310,
        hotspots: files[1..].to_vec(),
        plans,
        money: Money {
            spending: Some(Spending {
                calls: 14,
                nano_usd: 1_200_000_000,
                prompt_tokens: 410_000,
                cached_tokens: 332_000,
                output_tokens: 21_000,
                roles: BTreeMap::from([
                    (Role::Planner, RoleSpending { calls: 4, nano_usd: 1_100_000_000 }),
                    (Role::Executor, RoleSpending { calls: 10, nano_usd: 100_000_000 }),
                ]),
                ..Spending::default()
            }),
            runs: 3,
            verified: 2,
            open_plans: Some(OpenPlans { plans: 2, without_a_model: 1, minutes: 40, tokens: 18_000 }),
            planner_instead: Some(PlannerInstead {
                model: "anthropic/claude-opus-5-5".to_owned(),
                calls: 10,
                nano_usd: 100_000_000,
                planner_nano_usd: 500_000_000,
            }),
        },
        trend: vec![run("a", 3, false), run("b", 1, true)],
        files,
        ..ReportDocument::bare(AuditDocument::new(repository, audit, &BTreeMap::new()))
    }
}

/// The page without its script, its style and their hashes.
fn structure(page: &str) -> String {
    let [script, style] = [SCRIPT, STYLE].map(|text| text.replace("\r\n", "\n"));
    page.replace(&script, "/* page.js */")
        .replace(&style, "/* page.css */")
        .replace(&policy::policy(&script, &style), "…")
}

fn tags(page: &str) -> Vec<String> {
    let tag = Regex::new("<[A-Za-z][^>]*>").expect("a constant pattern");
    tag.find_iter(&structure(page)).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn a_small_page() {
    insta::assert_snapshot!(structure(&page(&document())));
}

#[test]
fn a_small_report_in_markdown() {
    let text = document_markdown::report(&document());
    assert!(!text.replace("\\<", "").contains("<img") && !text.contains('\u{202e}'), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_is_loaded_and_nothing_runs_but_the_one_script() {
    let page = page(&document());
    let address =
        Regex::new(r#"\s(href|src|srcset|action|formaction|data|poster|background|ping|xlink:href|xmlns)="([^"]*)""#)
            .expect("a constant pattern");
    let value = Regex::new("=\"[^\"]*\"").expect("a constant pattern");
    let code = Regex::new(r"\s(on\w+|style)=").expect("a constant pattern");
    for tag in tags(&page) {
        for found in address.captures_iter(&tag) {
            assert!(&found[1] == "href" && found[2].starts_with('#'), "{tag}");
        }
        let names = value.replace_all(&tag, "=");
        assert!(!code.is_match(&names), "{tag}");
        assert!(!tag.starts_with("<link") && !tag.starts_with("<iframe") && !tag.starts_with("<img"), "{tag}");
    }
    let scripts: Vec<String> = tags(&page).into_iter().filter(|tag| tag.starts_with("<script")).collect();
    assert_eq!(scripts, ["<script type=\"application/json\" id=\"data\">", "<script>"]);
    for code in [SCRIPT, STYLE] {
        for word in [
            "http:",
            "https:",
            "//cdn",
            "url(",
            "@import",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "</",
        ] {
            assert!(!code.contains(word), "{word}");
        }
    }
}

#[test]
fn the_policy_has_the_hashes_of_what_stands_there() {
    let page = page(&document());
    let between = |open: &str, close: &str| {
        let start = page.rfind(open).expect("it is there") + open.len();
        page[start..start + page[start..].find(close).expect("it ends")].to_owned()
    };
    let (script, style) = (between("<script>", "</script>"), between("<style>", "</style>"));
    assert_eq!((script.as_str(), style.as_str()), (SCRIPT, STYLE));
    let policy = policy::policy(&script, &style);
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(page.contains(&format!("content=\"{policy}\"")), "{policy}");
    // It has to come before what it rules.
    assert!(page.find("Content-Security-Policy") < page.find("<style>"));
}

#[test]
fn what_is_quoted_stays_text() {
    let page = page(&document());
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert_eq!(page.matches("</script>").count(), 2);
    let start = page.find("id=\"data\">").expect("it is there") + "id=\"data\">".len();
    let data = &page[start..start + page[start..].find("</script>").expect("it ends")];
    let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
    assert_eq!(data["findings"][1][8], format!("src/{HOSTILE}.ts"), "data are exact");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_text_changes_the_structure(text in "[^`]{0,40}", symbol in "[^`]{0,20}") {
        let filled = |text: &str, symbol: &str| {
            let mut document = document();
            let finding = &mut document.audit.findings[0];
            finding.title = format!("t{text}");
            finding.message = format!("m{text}");
            finding.evidence[0].role = format!("r{text}");
            finding.call_path[0].symbol = format!("s{symbol}");
            document.plans[0].title = format!("p{text}");
            document.plans[0].note = format!("n{text}");
            document.audit.rejected = vec![KeptApart { finding: document.audit.findings[2].clone(), reason: format!("x{text}") }];
            document.audit.not_audited[0].what = format!("w{text}");
            let structure = structure(&page(&document));
            structure.chars().filter(|it| matches!(it, '<' | '>')).count()
        };
        prop_assert_eq!(filled(&text, &symbol), filled("", ""));
    }
}

#[test]
fn every_id_is_there_once_and_every_link_leads_somewhere() {
    let page = page(&document());
    let id = Regex::new("\\sid=\"([^\"]*)\"").expect("a constant pattern");
    let tags = tags(&page);
    let ids: Vec<&str> = tags.iter().filter_map(|tag| Some(id.captures(tag)?.get(1)?.as_str())).collect();
    let each: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(each.len(), ids.len(), "{ids:?}");
    for tag in &tags {
        // A link with `=` sets the filter.
        if let Some((_, rest)) = tag.split_once("href=\"#") {
            let target = rest.split('"').next().expect("it ends");
            assert!(target.contains('=') || each.contains(target), "{tag}");
        }
        if let Some((_, rest)) = tag.split_once("aria-labelledby=\"") {
            let named = rest.split('"').next().expect("it ends").split(' ');
            named.for_each(|id| assert!(each.contains(id), "{tag}"));
        }
    }
}

#[test]
fn two_thousand_findings_stay_within_a_few_megabytes() {
    let mut document = document();
    let template = document.audit.findings[0].clone();
    let many = (0..2_000).map(|number| Finding {
        fingerprint: format!("{number:016x}"),
        title: format!("`load{number}` runs one query for each order"),
        ..template.clone()
    });
    document.audit.findings = many.collect();
    let page = page(&document);
    assert_eq!(page.matches("<tr id=\"f").count(), 2_000);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn nothing_found_is_a_page_too() {
    let document = document();
    let audit = AuditDocument { findings: vec![], suppressed: vec![], not_audited: vec![], ..document.audit };
    let page = page(&ReportDocument::bare(audit));
    assert!(page.contains("Nothing was found that is worth changing"));
    assert!(!page.contains("id=\"plans\"") && !page.contains("id=\"money\"") && !page.contains("class=\"treemap"));
}

/// Relative luminance and contrast ratio: WCAG 2.2.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("six digits")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_has_enough_contrast_in_both_themes() {
    let variable = Regex::new(r"--([a-z0-9-]+): (#[0-9a-f]{6});").expect("a constant pattern");
    let themes: Vec<BTreeMap<&str, &str>> = STYLE
        .split(":root {")
        .skip(1)
        .map(|block| {
            let block = &block[..block.find('}').expect("a block ends")];
            variable.captures_iter(block).map(|found| found.extract()).map(|(_, [name, value])| (name, value)).collect()
        })
        .collect();
    assert_eq!(themes.len(), 2, "light and dark");
    let mut pairs: Vec<(String, String)> = Vec::new();
    for text in ["text", "muted", "accent", "high", "medium", "low", "good"] {
        pairs.extend(["page", "surface", "quote"].map(|ground| (text.to_owned(), ground.to_owned())));
    }
    pairs.extend((0..5).map(|step| (format!("h{step}-text"), format!("h{step}"))));
    for (number, theme) in themes.iter().enumerate() {
        for (text, ground) in &pairs {
            let ratio = contrast(theme[text.as_str()], theme[ground.as_str()]);
            assert!(ratio >= 4.5, "theme {number}: {text} on {ground} has {ratio:.2}");
        }
    }
}
