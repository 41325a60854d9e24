//! Snapshots of every report on a narrow and a wide page.

use std::collections::BTreeMap;

use super::audit_document::{AuditDocument, KeptApart, Repository, Vetting};
use super::finding_page::FindingPage;
use super::human::AuditPage;
use super::layout::Page;
use super::map_document::{CentralSymbol, MapDocument};
use super::{finding_page, human, json, layout, map_human, map_lines, markdown};
use crate::audit::engine::rule_by_id;
use crate::audit::{Audit, NotAudited, Suppressed};
use crate::edit::{Block, EditOperation, FileEdit};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Hop, Risk};
use crate::plan::{Plan, Step};
use crate::repo_map::recon::{CommandPurpose, Package, PackageManager, ProjectCommand};
use crate::repo_map::{Note, SkipReason, sample};

fn finding(rule: &str, category: Category, title: &str, impact: u8, effort: Effort, confidence: Confidence) -> Finding {
    let mut evidence = Evidence::new("packages/api/src/orders/list.ts", 34, 36, "loop");
    evidence.quote = "for (const order of orders) {\n\tawait loadItems(order.id)\n}".into();
    Finding {
        fingerprint: crate::finding::fingerprint(rule, "", title, "", 0),
        rule: rule.into(),
        category,
        title: title.into(),
        message: "Each order costs one query, so a page of 50 orders costs 51. Load the items of all orders at once."
            .into(),
        impact,
        effort,
        risk: Risk::Low,
        confidence,
        leverage: Finding::leverage_of(impact, effort, confidence),
        state: None,
        evidence: vec![evidence],
        call_path: vec![],
        mechanical: false,
        symbol: String::new(),
        origin: None,
    }
}

fn document() -> AuditDocument {
    let mut first = finding(
        "n-plus-one",
        Category::Perf,
        "`loadItems` runs one query for each order",
        4,
        Effort::S,
        Confidence::High,
    );
    first.call_path = vec![
        Hop { file: "packages/api/src/orders/list.ts".into(), line: 35, symbol: "loadItems".into() },
        Hop { file: "packages/api/src/orders/items.ts".into(), line: 12, symbol: "prisma.item.findMany".into() },
    ];
    let mut second = finding(
        "swallowed-error",
        Category::Bug,
        "The error of `charge` is dropped and the order counts as paid although nobody was ever charged for it",
        5,
        Effort::M,
        Confidence::Med,
    );
    second.evidence[0].file =
        "packages/api/src/a/rather/long/folder/name/that/goes/on/and/on/until/the/line/is/full/payment.ts".into();
    let mut third = finding(
        "missing-lockfile",
        Category::Migration,
        "\u{1b}[31mNo lockfile\u{1b}[0m",
        2,
        Effort::S,
        Confidence::Med,
    );
    third.mechanical = true;
    third.evidence[0] = Evidence::new("package.json", 1, 1, "manifest");
    let suppressed =
        finding("dead-export", Category::TechDebt, "`old` is never imported", 1, Effort::S, Confidence::Med);
    let audit = Audit {
        findings: vec![first, second, third],
        suppressed: vec![Suppressed { finding: suppressed, reason: "kept for plugins".into() }],
        rejected: vec![],
        known: vec![],
        not_audited: vec![
            NotAudited { what: "12 Python files".into(), why: "no reader for this language yet".into() },
            NotAudited { what: "3 files (dist/a.js, dist/b.js, dist/c.js)".into(), why: "minified".into() },
        ],
        failed_rules: vec![],
        warnings: vec![],
    };
    let repository = Repository {
        root: "/home/me/shop".into(),
        commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        dirty: true,
    };
    AuditDocument::new(repository, audit, &BTreeMap::new())
}

fn options(limit: usize, verbose: bool) -> AuditPage {
    AuditPage {
        limit,
        verbose,
        files: 214,
        lines: 52_310,
        offers_model: false,
        next: vec![
            ("improve --top 5".into(), "write plans for the first five".into()),
            ("improve show 1a2b3c4d".into(), "read the first finding in full".into()),
        ],
    }
}

/// The plan that a recipe would make.
fn sketch() -> Plan {
    let edit = FileEdit {
        file: "packages/api/src/orders/list.ts".into(),
        operation: EditOperation::Replace(vec![Block {
            search: "for (const order of orders) {\n\tawait loadItems(order.id)\n}".into(),
            replace: "await loadItemsOf(orders.map(order => order.id))".into(),
        }]),
    };
    let steps = vec![
        Step { title: "Load the items of all orders at once".into(), edits: vec![edit], ..Step::default() },
        Step { title: "Write the test that the test plan lists".into(), ..Step::default() },
    ];
    Plan { steps, ..Plan::default() }
}

/// The page without styles; every line is checked to fit.
fn plain(text: &str, width: usize) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    for line in plain.lines() {
        assert!(layout::width(line) <= width, "{} columns instead of {width}: {line}", layout::width(line));
    }
    plain
}

#[test]
fn directions_and_what_was_rejected_stand_apart_with_their_reasons() {
    let mut document = document();
    document.findings[1].category = Category::Direction;
    let rejected =
        finding("missing-auth", Category::Security, "`list` asks nobody who they are", 4, Effort::S, Confidence::Med);
    let earlier = finding("dead-export", Category::TechDebt, "`old` is never imported", 1, Effort::S, Confidence::Med);
    document.rejected = vec![
        KeptApart {
            finding: rejected,
            reason: "anthropic/claude-opus-5-5: wrong — the router above checks the session".into(),
        },
        KeptApart { finding: earlier, reason: String::new() },
    ];
    document.vetting =
        Some(Vetting { model: "anthropic/claude-opus-5-5".into(), confirmed: 3, wrong: 1, ..Vetting::default() });
    let options = AuditPage { offers_model: true, ..options(20, false) };
    insta::assert_snapshot!(plain(&human::audit(&document, &options, &Page::plain(80)), 80));
}

#[test]
fn findings_fit_a_narrow_page() {
    insta::assert_snapshot!(plain(&human::audit(&document(), &options(20, false), &Page::plain(80)), 80));
}

#[test]
fn findings_fit_a_wide_page() {
    insta::assert_snapshot!(plain(&human::audit(&document(), &options(2, false), &Page::plain(200)), 200));
}

#[test]
fn verbose_findings_carry_message_and_call_path() {
    insta::assert_snapshot!(plain(&human::audit(&document(), &options(1, true), &Page::plain(80)), 80));
}

#[test]
fn every_width_is_kept() {
    for width in 60..220 {
        let page = Page::plain(width);
        let options = AuditPage { next: vec![], files: 0, lines: 0, ..options(20, false) };
        let text = human::audit(&document(), &options, &page);
        let rows = anstream::adapter::strip_str(&text).to_string();
        for line in rows.lines().skip(2).filter(|line| !line.starts_with('P')) {
            assert!(layout::width(line) <= width, "{} columns instead of {width}: {line}", layout::width(line));
        }
    }
}

#[test]
fn nothing_found_is_said_in_one_line() {
    let document = AuditDocument { findings: vec![], suppressed: vec![], not_audited: vec![], ..document() };
    let page = AuditPage { next: vec![], ..options(20, false) };
    insta::assert_snapshot!(plain(&human::audit(&document, &page, &Page::plain(80)), 80));
}

#[test]
fn one_finding_in_full() {
    let (document, sketch) = (document(), sketch());
    let source = |path: &str| match path {
        "packages/api/src/orders/list.ts" => {
            let before = "\n".repeat(32);
            Some(format!(
                "{before}const orders = await db.order.findMany()\nfor (const order of orders) {{\n\tawait loadItems(order.id)\n}}\nreturn orders\n"
            ))
        }
        _ => None,
    };
    let known = FindingPage {
        finding: &document.findings[0],
        rule: rule_by_id("n-plus-one").map(|rule| rule.doc()),
        sketch: Some(&sketch),
        source: &source,
        next: vec![("improve --select 0af204cd".into(), "write a plan for it".into())],
    };
    insta::assert_snapshot!(plain(&finding_page::finding(&known, &Page::plain(80)), 80));
}

#[test]
fn findings_as_markdown() {
    insta::assert_snapshot!(markdown::audit(&document(), usize::MAX));
}

#[test]
fn findings_as_json() {
    insta::assert_snapshot!(json::document(&document()));
}

#[test]
fn picker_lines_fit_and_say_level_effort_and_category() {
    let lines: Vec<String> = document().findings.iter().map(|finding| human::pick_line(finding, 76)).collect();
    insta::assert_snapshot!(plain(&lines.join("\n"), 76));
}

fn map_document() -> MapDocument {
    let repository = Repository { root: "/home/me/shop".into(), commit: sample::map().commit, dirty: false };
    MapDocument::new(&sample::map(), repository)
}

#[test]
fn map_fits_a_narrow_page() {
    insta::assert_snapshot!(plain(&map_human::overview(&map_document(), &Page::plain(80)), 80));
}

/// The sample as if it were a large repository: more of everything than a screen holds.
fn large_map_document() -> MapDocument {
    let mut document = map_document();
    let repeated = |text: &str, count: usize| (0..count).map(|number| format!("{text}-{number}")).collect::<Vec<_>>();
    document.frameworks = repeated("framework", 20);
    document.entry_points = repeated("packages/with/a/long/name/src/index.ts", 30);
    let template = document.central[0].clone();
    document.central = (1..=20).map(|line| CentralSymbol { line, ..template.clone() }).collect();
    let template = document.hotspots[0].clone();
    document.hotspots = vec![template; 20];
    document.skipped = [SkipReason::Vendored, SkipReason::Generated, SkipReason::Minified, SkipReason::TooLarge]
        .map(|reason| (reason, 1_000))
        .into();
    let note =
        Note { what: "web/tsconfig.json".into(), why: "no readable JSON, comments allowed: not followed".into() };
    document.notes = vec![note; 9];
    let commands = [CommandPurpose::Install, CommandPurpose::Build, CommandPurpose::Test, CommandPurpose::Lint];
    let package = |name: String| Package {
        name,
        folder: String::new(),
        manifest: "package.json".into(),
        manager: PackageManager::Npm,
        workspace_root: false,
        member_of: None,
        dependencies: vec![],
        commands: commands
            .map(|purpose| ProjectCommand {
                purpose,
                command: "npm run something --workspace packages/with/a/long/name".into(),
                folder: String::new(),
                source: "package.json".into(),
            })
            .to_vec(),
        entry_points: vec![],
        scripts: vec![],
        publishable: false,
    };
    document.packages = repeated("@acme/package", 40).into_iter().map(package).collect();
    document
}

#[test]
fn the_overview_fits_one_screen_and_leaves_out_no_kind_of_fact() {
    let document = large_map_document();
    for (width, height, most, hotspots) in [
        (80, None, 39, 4),
        (80, Some(24), 39, 4),
        (80, Some(40), 39, 4),
        (80, Some(45), 44, 5),
        (80, Some(60), 59, 10),
        (130, Some(40), 39, 10),
        (200, Some(40), 39, 10),
    ] {
        let page = Page { height, ..Page::plain(width) };
        let text = plain(&map_human::overview(&document, &page), width);
        assert!(text.lines().count() <= most, "{width} × {height:?}: {} rows\n{text}", text.lines().count());
        let kinds = ["typescript", "Built on", "Packages", "Entry points", "Commands", "Left out", "Hotspots"];
        assert!(kinds.iter().all(|kind| text.contains(kind)), "{text}");
        assert_eq!(text.matches("src/a.ts:").count(), 20, "{text}");
        assert!(text.matches(" × 1").count() >= hotspots, "{width} × {height:?}\n{text}");
    }
}

#[test]
fn map_as_json() {
    insta::assert_snapshot!(json::document(&map_document()));
}

#[test]
fn calls_symbols_and_files_as_json_lines() {
    let map = sample::map();
    insta::assert_snapshot!("map_calls", json::lines(map_lines::calls(&map, false, &|_| true)));
    insta::assert_snapshot!("map_calls_open", json::lines(map_lines::calls(&map, true, &|path| path == "src/a.ts")));
    insta::assert_snapshot!("map_symbols", json::lines(map_lines::symbols(&map, &|_| true)));
    insta::assert_snapshot!("map_files", json::lines(map_lines::files(&map, &|_| true)));
}

#[test]
fn sarif_github_and_junit() {
    let mut document = document();
    document.findings[1].state = Some(crate::finding::State::PreExisting);
    let sarif = super::sarif::sarif(&document).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!("sarif", sarif);
    insta::assert_snapshot!("github", super::annotations::github(&document));
    insta::assert_snapshot!("junit", super::annotations::junit(&document));
}
