//! Secrets: functions that let in only who knows a secret of the server, such as the server itself.

use crate::effects::taint::repository::Taint;
use crate::repo_map::FileId;
use crate::repo_map::expr::{Expr, holes};
use crate::repo_map::facts::{Comparison, FileFacts, Lines, RegionKind};
use crate::repo_map::name::words;

impl Taint<'_> {
    /// Whether the function around a line asks before it for a secret that the server's environment holds:
    /// `if (token !== process.env.INTERNAL_API_KEY) return`.
    pub fn asks_for_secret(&self, file: FileId, line: u32) -> bool {
        let facts = &self.map.file(file).facts;
        facts.comparisons.iter().any(|comparison| {
            comparison.line < line
                && (is_own_secret(&comparison.left) || is_own_secret(&comparison.right))
                && function_around(facts, comparison).is_some_and(|lines| lines.contains(line))
        })
    }
}

/// The lines of the innermost function around a comparison.
fn function_around(facts: &FileFacts, comparison: &Comparison) -> Option<Lines> {
    let mut regions = facts.enclosing_regions(comparison.region);
    match regions.find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. })) {
        Some((_, region)) => Some(region.lines),
        None => Some(facts.symbols[comparison.symbol? as usize].lines),
    }
}

/// `process.env.CRON_SECRET`, or text that holds it.
fn is_own_secret(expr: &Expr) -> bool {
    match expr.peeled() {
        Expr::Template(parts) => holes(parts).any(is_own_secret),
        other => {
            other.dotted().is_some_and(|text| text.starts_with("process.env."))
                && other.last_name().is_some_and(|name| {
                    words(name)
                        .iter()
                        .any(|word| matches!(word.as_str(), "secret" | "key" | "token" | "password" | "signature"))
                })
        }
    }
}
