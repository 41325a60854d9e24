//! Parts are put together as if they had never been apart.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::audit::{Audit, NotAudited, Suppressed};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::model::NanoDollars;
use crate::report::audit_document::Repository;
use crate::report::json;
use crate::report::sarif::sarif;

fn finding(number: usize, impact: u8) -> Finding {
    Finding {
        fingerprint: format!("{number:016x}"),
        rule: "n-plus-one".into(),
        category: Category::Perf,
        title: format!("finding {number}"),
        message: "m".into(),
        impact,
        effort: Effort::S,
        risk: Risk::Low,
        confidence: Confidence::High,
        leverage: Finding::leverage_of(impact, Effort::S, Confidence::High),
        state: None,
        evidence: vec![Evidence::new(format!("src/{number}.ts"), 1, 1, "place")],
        call_path: vec![],
        mechanical: false,
        symbol: String::new(),
        origin: None,
    }
}

/// What one machine says of these findings: each goes where its second number says.
fn document(findings: &[(Finding, u8)]) -> AuditDocument {
    let mut audit = Audit {
        not_audited: vec![NotAudited { what: "3 files of Go".into(), why: "no grammar".into() }],
        ..Audit::default()
    };
    for (finding, place) in findings {
        let finding = finding.clone();
        match place % 4 {
            0 => audit.findings.push(finding),
            1 => audit.rejected.push(finding),
            2 => audit.suppressed.push(Suppressed { finding, reason: "so".into() }),
            _ => audit.known.push(finding),
        }
    }
    let repository = Repository { root: "/r".into(), commit: Some("c".into()), dirty: false };
    let mut document = AuditDocument::new(repository, audit, &BTreeMap::new());
    document.findings.sort_by(ranking::order);
    document.known.sort_by(ranking::order);
    document.rejected.sort_by(in_order);
    document.suppressed.sort_by(in_order);
    document
}

/// What a part says, read back from what it wrote.
fn part(findings: &[(Finding, u8)], index: usize, of: usize) -> Named {
    let written = AuditDocument { shard: Some(Shard { index, of }), ..document(findings) };
    (format!("shard-{index}.json"), serde_json::from_str(&json::document(&written)).expect("our own document"))
}

proptest! {
    #[test]
    fn a_whole_and_its_parts_say_the_same_to_the_byte(
        kinds in proptest::collection::vec((1_u8..6, 0_u8..4, 0_usize..5), 0..40),
        of in 1_usize..6,
    ) {
        let all: Vec<((Finding, u8), usize)> = kinds
            .iter()
            .enumerate()
            .map(|(number, (impact, place, part))| ((finding(number, *impact), *place), part % of + 1))
            .collect();
        let of_part = |index: usize| -> Vec<(Finding, u8)> {
            all.iter().filter(|(_, part)| *part == index).map(|(finding, _)| finding.clone()).collect()
        };
        // In any order: that of a folder is another everywhere.
        let parts = (1..=of).rev().map(|index| part(&of_part(index), index, of)).collect();
        let merged = merge(parts).expect("the parts of one audit");
        let whole = document(&all.iter().map(|(finding, _)| finding.clone()).collect::<Vec<_>>());
        prop_assert_eq!(json::document(&merged), json::document(&whole));
        prop_assert_eq!(sarif(&merged), sarif(&whole));
    }
}

#[test]
fn what_models_took_is_added_up() {
    let judged = |index: usize, confirmed: usize| {
        let (name, document) = part(&[], index, 3);
        let cost = Cost { nano_usd: NanoDollars(10).0, model_calls: 1, ..Cost::default() };
        let vetting = Vetting { model: "p/m".into(), confirmed, ..Vetting::default() };
        (name, AuditDocument { cost, vetting: Some(vetting), planner: "p/m".into(), ..document })
    };
    let whole = merge(vec![part(&[], 1, 3), judged(2, 2), judged(3, 3)]).expect("parts");
    assert_eq!((whole.cost.nano_usd, whole.cost.model_calls, whole.planner.as_str()), (20, 2, "p/m"));
    assert_eq!(whole.vetting.map(|vetting| vetting.confirmed), Some(5));
}

#[test]
fn what_is_not_the_parts_of_one_audit_is_refused() {
    let said = |parts: Vec<Named>| merge(parts).expect_err("no audit").to_string();
    let one = |index: usize, of: usize| part(&[], index, of);
    let other_commit = |(name, mut document): Named| {
        document.repository.commit = Some("d".into());
        (name, document)
    };
    assert_eq!(said(vec![]), "no part is given");
    assert_eq!(said(vec![one(2, 4), one(3, 4)]), "missing: part 1/4, part 4/4");
    assert_eq!(
        said(vec![one(1, 2), one(2, 3)]),
        "shard-1.json and shard-2.json are parts of different audits: the number of parts differs"
    );
    assert_eq!(
        said(vec![one(1, 2), other_commit(one(2, 2))]),
        "shard-1.json and shard-2.json are parts of different audits: the commit differs"
    );
    assert_eq!(said(vec![one(1, 2), one(1, 2)]), "shard-1.json and shard-1.json are both part 1/2");
    assert_eq!(said(vec![("a.json".into(), document(&[]))]), "a.json: not a part of an audit");
}
