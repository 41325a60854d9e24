//! JSON Schemas of everything programs read, generated from the types and committed in `schemas/`.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::audit_document::AuditDocument;
use super::bench::BenchDocument;
use super::clean::CleanDocument;
use super::config::ConfigDocument;
use super::doctor::DoctorDocument;
use super::document::ReportDocument;
use super::map_document::MapDocument;
use super::map_entries::EntryRow;
use super::map_lines::{CallRow, FileRow, SymbolRow};
use super::map_outline::OutlineDocument;
use super::map_query::{CallsAnswer, PathAnswer, RefsAnswer, SymbolAnswer};
use super::onboard::OnboardDocument;
use super::plan_page::{DiffDocument, PlanDocument};
use super::plans::PlansDocument;
use super::reconcile::ReconcileDocument;
use super::request::RequestDocument;
use super::review::Review;
use super::rules::RuleRow;
use super::status::StatusDocument;
use crate::bench::trial::Trial;
use crate::finding::Finding;
use crate::model::ledger;
use crate::receipt::Receipt;
use crate::runs::Run;

/// Every schema: name of its file without `.json`, and its text.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("audit", text::<AuditDocument>()),
        ("bench", text::<BenchDocument>()),
        ("bench-trial", text::<Trial>()),
        ("clean", text::<CleanDocument>()),
        ("config", text::<ConfigDocument>()),
        ("diff", text::<DiffDocument>()),
        ("doctor", text::<DoctorDocument>()),
        ("finding", text::<Finding>()),
        ("ledger", text::<ledger::Line>()),
        ("map", text::<MapDocument>()),
        ("map-answer-calls", text::<CallsAnswer>()),
        ("map-answer-path", text::<PathAnswer>()),
        ("map-answer-refs", text::<RefsAnswer>()),
        ("map-answer-symbol", text::<SymbolAnswer>()),
        ("map-calls", text::<CallRow>()),
        ("map-files", text::<FileRow>()),
        ("map-symbols", text::<SymbolRow>()),
        ("map-entries", text::<EntryRow>()),
        ("map-outline", text::<OutlineDocument>()),
        ("onboard", text::<OnboardDocument>()),
        ("plan", text::<PlanDocument>()),
        ("plans", text::<PlansDocument>()),
        ("receipt", text::<Receipt>()),
        ("reconcile", text::<ReconcileDocument>()),
        ("report", text::<ReportDocument>()),
        ("request", text::<RequestDocument>()),
        ("review", text::<Review>()),
        ("rule", text::<RuleRow>()),
        ("run", text::<Run>()),
        ("status", text::<StatusDocument>()),
    ]
}

fn text<T: JsonSchema>() -> String {
    let schema: Value = schema_for!(T).to_value();
    super::json::document(&schema)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// To write them anew after a change: `UPDATE_SCHEMAS=1 cargo test schemas_are_committed`.
    #[test]
    fn schemas_are_committed_as_the_types_give_them() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            for (name, text) in all() {
                std::fs::write(folder.join(format!("{name}.json")), text).expect("the folder is writable");
            }
        }
        for (name, text) in all() {
            let committed = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap_or_default();
            assert!(committed == text, "schemas/{name}.json has drifted; see the comment on this test");
        }
        let expected: BTreeSet<String> = all().into_iter().map(|(name, _)| format!("{name}.json")).collect();
        let found: BTreeSet<String> = std::fs::read_dir(&folder)
            .expect("the folder is committed")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, expected);
    }
}
