//! Ranking: demotion by what kind of code a place is, leverage, and an order without ties.

use std::cmp::Ordering;

use crate::audit::Depth;
use crate::finding::{Category, Confidence, Finding};
use crate::repo_map::{FileRole, RepoMap};

/// Lowers what a finding is worth when it stands in code that does not ship, then sets its leverage.
pub fn weigh(finding: &mut Finding, map: &RepoMap) {
    if concerns_shipped_code(finding.category) {
        let place = finding.location();
        let role = map.file_by_path(&place.file).map(|(id, file)| {
            let in_test =
                file.facts.symbols.iter().any(|symbol| symbol.test && symbol.lines.contains(place.start_line));
            if in_test || map.is_test(id, None) { FileRole::Test } else { file.role }
        });
        match role {
            Some(FileRole::Test | FileRole::Example) => demote(finding, 1),
            Some(FileRole::Script | FileRole::Migration) => demote(finding, 2),
            Some(FileRole::Production) | None => {}
        }
    }
    finding.leverage = Finding::leverage_of(finding.impact, finding.effort, finding.confidence);
}

/// Categories whose findings matter because users run the code.
fn concerns_shipped_code(category: Category) -> bool {
    match category {
        Category::Security | Category::Bug | Category::Perf | Category::TechDebt => true,
        Category::Tests | Category::Migration | Category::Dx | Category::Docs | Category::Direction => false,
    }
}

fn demote(finding: &mut Finding, impact: u8) {
    finding.impact = finding.impact.min(impact);
    if finding.category == Category::Perf {
        // Nobody waits for a test or a seed the way a user waits for a page.
        finding.confidence = Confidence::Low;
        return;
    }
    finding.confidence = match finding.confidence {
        Confidence::High => Confidence::Med,
        Confidence::Med | Confidence::Low => Confidence::Low,
    };
}

/// Whether a finding is certain enough to be shown.
pub fn is_shown(finding: &Finding, depth: Depth) -> bool {
    match depth {
        Depth::Quick => finding.confidence == Confidence::High,
        Depth::Standard => finding.confidence > Confidence::Low || finding.impact >= 4,
        Depth::Deep => true,
    }
}

/// Best first; equal leverage goes by impact, confidence, category, rule and place.
pub fn order(a: &Finding, b: &Finding) -> Ordering {
    b.leverage
        .total_cmp(&a.leverage)
        .then_with(|| b.impact.cmp(&a.impact))
        .then_with(|| b.confidence.cmp(&a.confidence))
        .then_with(|| a.category.cmp(&b.category))
        .then_with(|| a.rule.cmp(&b.rule))
        .then_with(|| a.location().file.cmp(&b.location().file))
        .then_with(|| a.location().start_line.cmp(&b.location().start_line))
        .then_with(|| a.fingerprint.cmp(&b.fingerprint))
}
