//! Ranking: demotion by what kind of code a place is, promotion by who reaches it and how often it changes, leverage, and an order
//! without ties.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::audit::Depth;
use crate::audit::uncalled::is_uncalled;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Evidence, Finding};
use crate::repo_map::facts::ExportTarget;
use crate::repo_map::name::Name;
use crate::repo_map::{FileRole, RepoMap, SymbolId};

/// Lowers what a finding is worth when it stands in code that does not ship, raises it when requests reach it or it changes all
/// the time.
pub fn weigh(finding: &mut Finding, map: &RepoMap, effects: &Effects, busy: &Busy) {
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
            Some(FileRole::Production) if is_idle(finding, map, effects) => {
                finding.impact = finding.impact.min(2);
                finding.confidence = Confidence::Low;
            }
            Some(FileRole::Production) => promote(finding, map, effects, busy),
            Some(FileRole::Generated) | None => {}
        }
    }
}

/// Whether a fault stands in a function of a module's own that nothing calls, hands on or names: it never happens.
fn is_idle(finding: &Finding, map: &RepoMap, effects: &Effects) -> bool {
    let place = finding.location();
    let Some((file, source)) = map.file_by_path(&place.file) else { return false };
    let facts = &source.facts;
    let is_module = !facts.imports.is_empty() || !facts.exports.is_empty();
    if finding.category == Category::TechDebt || !is_module || !source.language.is_ecmascript() {
        return false;
    }
    let own = (0..).zip(&facts.symbols).find(|(_, symbol)| {
        symbol.kind.is_callable() && symbol.container.is_none() && symbol.lines.contains(place.start_line)
    });
    let exports_it = |name: &Name| {
        facts.exports.iter().any(|export| matches!(&export.target, ExportTarget::Local(own) if own == name))
    };
    own.is_some_and(|(index, symbol)| {
        !symbol.exported
            && !symbol.default_export
            && !exports_it(&symbol.name)
            && map.callers(SymbolId { file, index }).is_empty()
            && effects.entries.of_line(map, file, place.start_line).is_none()
            && is_uncalled(map, SymbolId { file, index })
    })
}

/// Files that change more often than nearly all others.
#[derive(Debug)]
pub struct Busy {
    from: u32,
}

impl Busy {
    /// Commits in 90 days below which no file is busy: about one a week. Our choice.
    const LEAST: u32 = 12;

    /// The busiest twentieth of the source files.
    pub fn of(map: &RepoMap) -> Busy {
        let mut churn: Vec<u32> = map.files.iter().map(|file| file.history.churn_90d).collect();
        churn.sort_unstable();
        let from = churn.get(churn.len() * 19 / 20).copied().unwrap_or_default();
        Busy { from: from.max(Self::LEAST) }
    }
}

const UNUSED_FILE: &str = "unused-file";
/// Rules about code that nothing runs.
const UNUSED: &[&str] = &[UNUSED_FILE, "unused-export"];

/// Rules about time that is felt where somebody waits and hardly elsewhere: of what they said of jobs, commands and code that no request is
/// known to reach, read against the code of 34 repositories, one finding of nine was worth a change.
const FELT_BY_REQUESTS: &[&str] = &["sequential-await", "quadratic-loop", "regex-in-hot-path"];

/// Rules whose plans load at once what a loop asks for item by item.
const BATCHED: &[&str] = &["n-plus-one", "n-plus-one-write"];

/// Says who reaches the place, and lets it count.
fn promote(finding: &mut Finding, map: &RepoMap, effects: &Effects, busy: &Busy) {
    let place = finding.location();
    let Some((id, file)) = map.file_by_path(&place.file) else { return };
    // What nothing uses is reached by nothing, whatever it would answer to.
    let reach = effects.entries.of_line(map, id, place.start_line).filter(|_| !UNUSED.contains(&finding.rule.as_str()));
    let is_busy = file.history.churn_90d >= busy.from;
    let is_asked = reach.is_some_and(|reach| reach.entry.kind.is_request());
    let is_felt = is_asked || !FELT_BY_REQUESTS.contains(&finding.rule.as_str());
    if !is_felt && finding.confidence == Confidence::Med {
        finding.confidence = Confidence::Low;
    }
    if let Some(reach) = reach {
        let how = if reach.distance == 0 { "Runs in" } else { "Called from" };
        // Some rules speak of the entry point itself.
        if !finding.message.contains(&format!("`{}`", reach.entry.label)) {
            finding.message.push_str(&format!(" {how} `{}`.", reach.entry.label));
        }
        if finding.category == Category::Perf && !is_asked {
            // Nobody waits for a job the way a user waits for a page.
            finding.impact = finding.impact.min(3);
            return;
        }
    }
    if finding.category == Category::Perf && reach.is_none() {
        // Who calls it, and how often, is not known.
        finding.impact = finding.impact.min(3);
    }
    let ceiling = match (is_asked, finding.category) {
        (true, Category::Security | Category::Bug) => 5,
        (true, _) => 4,
        (false, _) if is_busy => 3,
        (false, _) => return,
    };
    // What is hardly worth a change once is not worth one because it happens often.
    let is_slight = finding.category == Category::Perf && finding.impact == 1;
    if finding.confidence > Confidence::Low && finding.impact < ceiling && !is_slight {
        finding.impact += 1;
    }
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
        // Of 14 that were told with low confidence because they would be grave, 8 were not so: only the gravest is worth a look.
        Depth::Standard => finding.confidence > Confidence::Low || finding.impact >= 5,
        Depth::Deep => true,
    }
}

/// Files that findings say nothing uses, and how sure they are of it.
pub fn unused_files(findings: &[Finding]) -> BTreeMap<String, Confidence> {
    let unused = findings.iter().filter(|finding| finding.rule == UNUSED_FILE);
    unused.flat_map(|finding| finding.evidence.iter().map(|own| (own.file.clone(), finding.confidence))).collect()
}

/// What stands in a file that nothing uses is mended by deleting it, which another finding asks for; a secret there is one all the
/// same, and a hole is open for who comes to use it. A file that was touched lately may be work under way: its findings come last.
pub fn yield_to_deletion(finding: &mut Finding, unused: &BTreeMap<String, Confidence>) {
    if finding.category == Category::Security || finding.rule == UNUSED_FILE {
        return;
    }
    // Of two copies, the one that nothing uses goes.
    let copies = finding.evidence.iter().filter(|own| own.role == "copy").map(|own| &own.file);
    let sure = copies.chain([&finding.location().file]).filter_map(|file| unused.get(file)).max().copied();
    match sure {
        Some(Confidence::High) => {
            finding.confidence = Confidence::Low;
            finding.impact = 1;
        }
        Some(Confidence::Med | Confidence::Low) => {
            finding.confidence = finding.confidence.min(Confidence::Med);
            finding.impact = 1;
        }
        None => {}
    }
}

/// A dependency that nothing uses is removed, which another finding asks for: what is wrong with its version is gone with it.
pub fn without_what_removal_mends(findings: &mut Vec<Finding>) {
    const ABOUT_VERSIONS: &[&str] = &["deprecated-dependency", "wildcard-dependency"];
    let removed: BTreeSet<(String, u32)> = findings
        .iter()
        .filter(|finding| finding.rule == "unused-dependency" && finding.confidence > Confidence::Low)
        .flat_map(|finding| finding.evidence.iter().map(|place| (place.file.clone(), place.start_line)))
        .collect();
    let is_kept = |place: &Evidence| !removed.contains(&(place.file.clone(), place.start_line));
    findings.retain(|finding| {
        let mut required = finding.evidence.iter().filter(|place| place.role == "requirement").peekable();
        !ABOUT_VERSIONS.contains(&finding.rule.as_str()) || required.peek().is_none() || required.any(is_kept)
    });
}

/// What waits item by item for what one query could load is mended by loading it: where a finding says so of most of the calls, another that
/// would have them wait side by side is in its way.
pub fn without_what_batching_mends(findings: &mut Vec<Finding>) {
    let mut batched: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    // What is hidden at the default effort stands in nobody's way.
    let is_told = |finding: &&Finding| BATCHED.contains(&finding.rule.as_str()) && finding.confidence > Confidence::Low;
    for finding in findings.iter().filter(is_told) {
        for place in finding.evidence.iter().filter(|place| place.role != "loop" && place.role != "source") {
            batched.entry(&place.file).or_default().push(place.start_line);
        }
    }
    let is_mended = |finding: &Finding| {
        let lines = batched.get(finding.location().file.as_str());
        let calls = finding.evidence.iter().filter(|place| place.role == "call");
        let (mut all, mut told) = (0, 0);
        for call in calls {
            all += 1;
            told += usize::from(lines.is_some_and(|lines| lines.contains(&call.start_line)));
        }
        finding.rule == "sequential-await" && all > 0 && told * 2 > all
    };
    let mended: Vec<bool> = findings.iter().map(is_mended).collect();
    let mut mended = mended.into_iter();
    findings.retain(|_| !mended.next().unwrap_or_default());
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
