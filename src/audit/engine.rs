//! The engine: runs the rules, checks every quote against the file, and sorts what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::audit::calibration;
use crate::audit::decisions::Decisions;
use crate::audit::deprecated;
use crate::audit::draft::PlanDraft;
use crate::audit::not_audited::{not_audited, without_advisories};
use crate::audit::path_filter::PathFilter;
use crate::audit::ranking;
use crate::audit::rule::{Ground, RecipeContext, Rule};
use crate::audit::rules::RULES;
use crate::audit::sarif_in;
use crate::audit::shard::Parts;
use crate::audit::suppression::Suppressions;
use crate::audit::text::count_of;
use crate::audit::{Audit, AuditError, AuditOptions, NotAudited, Suppressed};
use crate::effects::Effects;
use crate::finding::{self, Category, Finding};
use crate::map::classify;
use crate::repo_map::{FileRole, RepoMap};
use crate::secrets;
use crate::tree::{KeptTexts, Tree};

/// Audits a repository.
pub fn run(map: &RepoMap, effects: &Effects, tree: &dyn Tree, options: &AuditOptions) -> Result<Audit, AuditError> {
    // One rule after the other reads all source.
    run_rules(&chosen_rules(options)?, map, effects, &KeptTexts::new(tree), options)
}

fn run_rules(
    rules: &[&'static dyn Rule],
    map: &RepoMap,
    effects: &Effects,
    tree: &dyn Tree,
    options: &AuditOptions,
) -> Result<Audit, AuditError> {
    let filter = PathFilter::new(options)?;
    let mut audit = Audit { not_audited: not_audited(map), ..Audit::default() };
    audit.not_audited.extend(without_advisories(rules, map, options));
    let ground = Ground::new(map, tree, options.advisories.as_deref());
    let checked: Vec<_> = rules.par_iter().map(|rule| check(*rule, map, effects)).collect();
    let from_tree = check_trees(rules, &ground);
    let mut found = Vec::new();
    for ((rule, checked), from_tree) in rules.iter().zip(checked).zip(from_tree) {
        let id = rule.doc().id;
        let Some(own) = checked.zip(from_tree).map(|(own, more)| own.into_iter().chain(more)) else {
            audit.not_audited.push(NotAudited {
                what: format!("what the rule `{id}` looks for"),
                why: "the rule failed: please report it with what was printed above".to_owned(),
            });
            audit.failed_rules.push(id.to_owned());
            continue;
        };
        let own = own
            .filter(|finding| filter.keeps(&finding.location().file) && is_written_by_hand(map, tree, finding))
            .collect();
        found.extend(most(own, id, &mut audit));
    }
    if let Some(imports) = &options.imports {
        let (imported, left_out) = imports.findings(map, tree);
        audit.not_audited.extend(left_out);
        let mut by_rule: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in imported.into_iter().filter(|finding| is_asked_for(finding, &filter, options)) {
            by_rule.entry(finding.rule.clone()).or_default().push(finding);
        }
        for (id, theirs) in by_rule {
            found.extend(most(theirs, &id, &mut audit));
        }
    }
    let mut findings = sarif_in::fold(quote(found, tree));
    deduplicate(&mut findings);
    ranking::without_what_batching_mends(&mut findings);
    ranking::without_what_removal_mends(&mut findings);
    fingerprint(&mut findings);

    let context = RecipeContext { map, effects, tree };
    let busy = ranking::Busy::of(map);
    let decisions = Decisions::collect(map, tree);
    let unused = ranking::unused_files(&findings);
    findings.par_iter_mut().for_each(|finding| {
        ranking::weigh(finding, map, effects, &busy);
        decisions.weigh(finding, map);
        deprecated::weigh(finding, map, tree);
        ranking::yield_to_deletion(finding, &unused);
        calibration::weigh(finding);
        finding.leverage = Finding::leverage_of(finding.impact, finding.effort, finding.confidence);
        // What nobody is shown needs no plan. A recipe that fails has no exact edits; it says so again when a plan is asked for.
        if ranking::is_shown(finding, options.depth) {
            let draft = catch_unwind(AssertUnwindSafe(|| recipe(finding, &context))).unwrap_or_default();
            finding.mechanical = draft.is_some_and(|draft| is_mechanical(&draft));
        }
    });
    findings.sort_by(ranking::order);

    let suppressions = suppressions(map);
    audit.warnings.extend(suppressions.faulty.iter().cloned());
    let ran: BTreeSet<&str> = rules
        .iter()
        .map(|rule| rule.doc().id)
        .filter(|id| audit.failed_rules.iter().all(|failed| failed != id))
        .collect();
    audit.warnings.extend(suppressions.unused(&findings, &ran, &|path| filter.keeps(path)));
    let gone = options.baseline.unused(&findings, &ran, &|path| filter.keeps(path));
    if gone > 0 {
        audit.warnings.push(format!(
            "{gone} {} of the baseline {} nothing any more: `improve audit --write-baseline` drops them",
            if gone == 1 { "entry" } else { "entries" },
            if gone == 1 { "matches" } else { "match" },
        ));
    }
    let known = options.baseline.fingerprints();
    let mut doubtful = 0;
    for finding in findings {
        if let Some(reason) = suppressions.reason(&finding) {
            audit.suppressed.push(Suppressed { reason: reason.to_owned(), finding });
        } else if options.rejected.contains(&finding.fingerprint) {
            audit.rejected.push(finding);
        } else if known.contains(finding.fingerprint.as_str()) {
            audit.known.push(finding);
        } else if ranking::is_shown(&finding, options.depth) {
            audit.findings.push(finding);
        } else {
            doubtful += 1;
        }
    }
    if let Some(shard) = options.shard {
        audit.keep(&Parts::of(map, shard.of), shard);
    }
    if doubtful > 0 {
        audit.not_audited.push(NotAudited {
            what: format!("{} of lower confidence", count_of(doubtful, "finding")),
            why: "left out at this effort; `--effort deep` shows them".to_owned(),
        });
    }
    Ok(audit)
}

/// Findings of one rule that are kept: who has more has a habit, not a list to work through. Our choice.
const MAX_FINDINGS: usize = 1_000;

/// The most certain findings of one rule; the rest is counted.
fn most(mut own: Vec<Finding>, id: &str, audit: &mut Audit) -> Vec<Finding> {
    if own.len() > MAX_FINDINGS {
        own.sort_by(|a, b| b.confidence.cmp(&a.confidence).then(b.impact.cmp(&a.impact)));
        audit.not_audited.push(NotAudited {
            what: format!("{} more findings of `{id}`", own.len() - MAX_FINDINGS),
            why: format!("at most {MAX_FINDINGS} of one rule are kept, the most certain first"),
        });
        own.truncate(MAX_FINDINGS);
    }
    own
}

/// Whether a finding of another tool is one the user wants to hear of.
fn is_asked_for(finding: &Finding, filter: &PathFilter, options: &AuditOptions) -> bool {
    filter.keeps(&finding.location().file)
        && (options.focus.is_empty() || options.focus.contains(&finding.category))
        && (options.only_rules.is_empty() || options.only_rules.contains(&finding.rule))
        && !options.without_rules.contains(&finding.rule)
}

/// Whether an id is of another tool: `semgrep/rule-id`. Nobody here knows which of them there are.
fn is_of_other_tool(id: &str) -> bool {
    id.contains('/')
}

/// What a tool wrote is mended in its source, not here.
fn is_written_by_hand(map: &RepoMap, tree: &dyn Tree, finding: &Finding) -> bool {
    let path = &finding.location().file;
    match map.file_by_path(path) {
        Some((_, file)) => file.role != FileRole::Generated,
        // Workflows, too, are made of what stands elsewhere.
        None => !is_yaml(path) || tree.text(path).is_none_or(|text| !classify::head_says_generated(&text)),
    }
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

/// What a rule finds, or nothing when it panics: one faulty rule must not cost the findings of all others.
fn check(rule: &dyn Rule, map: &RepoMap, effects: &Effects) -> Option<Vec<Finding>> {
    catch_unwind(AssertUnwindSafe(|| rule.check(map, effects))).ok()
}

/// Bytes of stack of a thread that rules run on: as much as the first thread of a program has on Linux.
const LANE_STACK: usize = 8 << 20;

/// What each rule finds in the tree, several at once.
///
/// Not on threads of the pool: what rules share is made by the first that asks, with the help of the pool, and a thread of the pool that
/// waited for it would be one that it waits for.
fn check_trees(rules: &[&'static dyn Rule], ground: &Ground<'_>) -> Vec<Option<Vec<Finding>>> {
    let next = AtomicUsize::new(0);
    let lane = || {
        let places = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let mine = places.map_while(|place| Some((place, check_tree(*rules.get(place)?, ground))));
        mine.collect::<Vec<_>>()
    };
    let is_in_pool = rayon::current_thread_index().is_some();
    let others = if is_in_pool { 0 } else { rayon::current_num_threads() - 1 };
    let mut found = std::thread::scope(|scope| {
        // A thread that cannot be started leaves its rules to the others.
        let spawn = |_| std::thread::Builder::new().stack_size(LANE_STACK).spawn_scoped(scope, lane).ok();
        let threads: Vec<_> = (0..others).filter_map(spawn).collect();
        let own = lane();
        let joined = threads.into_iter().flat_map(|thread| thread.join().expect("a rule that panics is caught"));
        own.into_iter().chain(joined).collect::<Vec<_>>()
    });
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

fn check_tree(rule: &dyn Rule, ground: &Ground<'_>) -> Option<Vec<Finding>> {
    catch_unwind(AssertUnwindSafe(|| rule.check_tree(ground))).ok()
}

/// The rule with this id.
pub fn rule_by_id(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.doc().id == id)
}

/// Every suppression comment. They may name what a planner or another tool reports, too: `planner-security`, `semgrep/rule-id`.
pub fn suppressions(map: &RepoMap) -> Suppressions {
    let of_planner = |id: &str| Category::ALL.iter().any(|lens| id.strip_prefix("planner-") == Some(lens.label()));
    Suppressions::collect(map, &|id| rule_by_id(id).is_some() || of_planner(id) || is_of_other_tool(id))
}

/// What to do about a finding: its rule's recipe, or what the tool that found it says.
pub fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    if let Some(origin) = &finding.origin {
        return sarif_in::draft(finding, origin, context);
    }
    rule_by_id(&finding.rule)?.recipe(finding, context)
}

/// Whether every step of a draft carries exact edits, so that no model and no person is needed.
pub fn is_mechanical(draft: &PlanDraft) -> bool {
    !draft.steps.is_empty() && draft.steps.iter().all(|step| !step.edits.is_empty())
}

fn chosen_rules(options: &AuditOptions) -> Result<Vec<&'static dyn Rule>, AuditError> {
    for id in options.only_rules.iter().chain(&options.without_rules) {
        if rule_by_id(id).is_none() && !is_of_other_tool(id) {
            return Err(AuditError::UnknownRule { id: id.clone(), nearest: nearest_rule(id) });
        }
    }
    Ok(RULES
        .iter()
        .copied()
        .filter(|rule| {
            let doc = rule.doc();
            (options.focus.is_empty() || options.focus.contains(&doc.category))
                && (options.only_rules.is_empty() || options.only_rules.iter().any(|id| id == doc.id))
                && !options.without_rules.iter().any(|id| id == doc.id)
        })
        .collect())
}

/// The id that shares most letter pairs with `id`.
fn nearest_rule(id: &str) -> String {
    let pairs = |text: &str| -> BTreeSet<(char, char)> { text.chars().zip(text.chars().skip(1)).collect() };
    let wanted = pairs(id);
    RULES
        .iter()
        .map(|rule| rule.doc().id)
        .max_by_key(|known| (pairs(known).intersection(&wanted).count(), std::cmp::Reverse(known.len())))
        .unwrap_or_default()
        .to_owned()
}

/// Fills in the quotes. A finding whose lines do not exist, or do not hold the text its rule expects there, is dropped.
fn quote(found: Vec<Finding>, tree: &dyn Tree) -> Vec<Finding> {
    let paths: BTreeSet<&str> =
        found.iter().flat_map(|finding| &finding.evidence).map(|evidence| evidence.file.as_str()).collect();
    let texts: BTreeMap<String, String> =
        paths.into_par_iter().filter_map(|path| tree.text(path).map(|text| (path.to_owned(), text))).collect();
    let lines: BTreeMap<&str, Vec<&str>> =
        texts.iter().map(|(path, text)| (path.as_str(), text.lines().collect())).collect();
    let quoted = |mut finding: Finding| {
        for evidence in &mut finding.evidence {
            let lines = lines.get(evidence.file.as_str())?;
            let start = evidence.start_line.checked_sub(1)? as usize;
            let text = lines.get(start..evidence.end_line as usize)?.join("\n");
            if !text.contains(evidence.quote.as_str()) {
                return None;
            }
            evidence.quote_sha256 = finding::sha256_hex(&text);
            evidence.quote = secrets::mask(&text);
        }
        Some(finding)
    };
    found.into_iter().filter_map(quoted).collect()
}

/// One finding a rule and place: the most certain, the gravest.
fn deduplicate(findings: &mut Vec<Finding>) {
    let place = |finding: &Finding| {
        let at = finding.location();
        (finding.rule.clone(), at.file.clone(), at.start_line, at.end_line)
    };
    findings.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| b.confidence.cmp(&a.confidence))
            .then_with(|| b.impact.cmp(&a.impact))
            .then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup_by(|later, earlier| place(later) == place(earlier));
}

/// Sets fingerprints; equal ones are told apart by their order in the repository.
fn fingerprint(findings: &mut [Finding]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let place = finding.location();
        let base = finding::fingerprint(&finding.rule, &finding.symbol, &place.file, &place.quote, 0);
        let ordinal = seen.entry(base.clone()).or_default();
        let own = if *ordinal == 0 {
            base
        } else {
            finding::fingerprint(&finding.rule, &finding.symbol, &place.file, &place.quote, *ordinal)
        };
        *ordinal += 1;
        finding.fingerprint = own;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audit::Depth;
    use crate::audit::baseline::Baseline;
    use crate::finding::Confidence;
    use crate::map::{self, MapOptions};
    use crate::progress::NoProgress;
    use crate::tree::{EntryKind, Identity, TreeEntry, TreeError};

    /// Files in memory.
    struct Files(BTreeMap<String, String>);

    impl Tree for Files {
        fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
            let entry = |(path, text): (&String, &String)| TreeEntry {
                path: path.clone(),
                kind: EntryKind::File,
                bytes: text.len() as u64,
                identity: Identity::Unknown,
            };
            Ok(self.0.iter().map(entry).collect())
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
            let text = self.0.get(path).ok_or_else(|| TreeError::Missing { path: path.to_owned() })?;
            Ok(text.clone().into_bytes())
        }
    }

    /// Audits files in memory.
    pub(in crate::audit) fn audit(files: &[(&str, &str)], options: &AuditOptions) -> Audit {
        let tree = Files(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        let map = map::build(&tree, &MapOptions::default(), &Default::default(), None, &NoProgress)
            .expect("files in memory can be mapped");
        let effects = crate::effects::effects(&map);
        run(&map, &effects, &tree, options).expect("the options of this test are valid")
    }

    fn tls(text: &str) -> Audit {
        audit(&[("src/client.ts", text)], &only("tls-verification-disabled"))
    }

    fn only(rule: &str) -> AuditOptions {
        AuditOptions { only_rules: vec![rule.to_owned()], depth: Depth::Deep, ..AuditOptions::default() }
    }

    const AGENT: &str = "export const agent = new Agent({ rejectUnauthorized: false });\n";

    #[test]
    fn a_suppression_of_nothing_is_said() {
        let text = "// improve-ignore: tls-verification-disabled — talks to a local stub\nexport const agent = new Agent({});\n";
        let expected = "src/client.ts:1: `improve-ignore: tls-verification-disabled` silences nothing: remove it";
        assert_eq!(tls(text).warnings, [expected]);
        let other = audit(&[("src/client.ts", text)], &only("n-plus-one"));
        assert_eq!(other.warnings, [] as [String; 0], "a rule that did not run cannot tell");
    }

    struct Faulty;

    impl Rule for Faulty {
        fn doc(&self) -> &'static crate::audit::rule::RuleDoc {
            rule_by_id("n-plus-one").expect("it exists").doc()
        }

        fn check(&self, _map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
            panic!("a fault on purpose")
        }

        fn recipe(&self, _finding: &Finding, _context: &RecipeContext<'_>) -> Option<PlanDraft> {
            None
        }
    }

    #[test]
    fn a_file_whose_parsing_was_given_up_is_said() {
        // The parser asks whether to go on only every so often.
        let long = "f(1, 2, 3);\n".repeat(4_000);
        let tree =
            Files([("src/long.ts".to_owned(), long), ("src/a.ts".to_owned(), String::new())].into_iter().collect());
        let options = MapOptions { parse_timeout: std::time::Duration::ZERO, ..MapOptions::default() };
        let map =
            map::build(&tree, &options, &Default::default(), None, &NoProgress).expect("files in memory can be mapped");
        let effects = crate::effects::effects(&map);
        let audit = run_rules(&[], &map, &effects, &tree, &AuditOptions::default()).expect("the options are valid");
        let said: Vec<_> = audit.not_audited.iter().map(|one| (one.what.as_str(), one.why.as_str())).collect();
        assert_eq!(said, [("1 file (src/long.ts)", "parsing took too long and was given up")]);
    }

    #[test]
    fn a_rule_that_panics_costs_its_own_findings_alone() {
        let tree = Files([("src/client.ts".to_owned(), AGENT.to_owned())].into_iter().collect());
        let map = map::build(&tree, &MapOptions::default(), &Default::default(), None, &NoProgress)
            .expect("files in memory can be mapped");
        let effects = crate::effects::effects(&map);
        let tls = rule_by_id("tls-verification-disabled").expect("it exists");
        let options = AuditOptions { depth: Depth::Deep, ..AuditOptions::default() };
        let audit = run_rules(&[&Faulty, tls], &map, &effects, &tree, &options).expect("the options are valid");
        assert_eq!(audit.findings.len(), 1);
        assert_eq!(audit.failed_rules, ["n-plus-one"]);
        assert!(audit.not_audited.iter().any(|one| one.what.contains("n-plus-one")));
    }

    #[test]
    fn suppression_with_a_reason_is_honoured_and_kept() {
        let text = format!("// improve-ignore: tls-verification-disabled — talks to a local stub\n{AGENT}");
        let audit = tls(&text);
        assert!(audit.findings.is_empty());
        let reasons: Vec<&str> = audit.suppressed.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons, ["talks to a local stub"]);
        assert_eq!(audit.warnings, [] as [String; 0]);
    }

    #[test]
    fn suppression_without_a_reason_is_not_honoured_and_said() {
        let text = format!("// improve-ignore: tls-verification-disabled\n{AGENT}");
        let audit = tls(&text);
        assert_eq!(audit.findings.len(), 1);
        assert_eq!(
            audit.warnings,
            ["src/client.ts:1: not honoured, because no reason follows the rule: \
              `improve-ignore: tls-verification-disabled — why`"]
        );
    }

    #[test]
    fn suppression_of_an_unknown_rule_is_said() {
        let text = format!("// improve-ignore: tls-off — local\n{AGENT}");
        let audit = tls(&text);
        assert_eq!(audit.findings.len(), 1);
        assert_eq!(audit.warnings, ["src/client.ts:1: no rule is called `tls-off`"]);
    }

    #[test]
    fn rejected_fingerprints_are_kept_apart_and_survive_line_shifts() {
        let first = tls(AGENT).findings.remove(0);
        let moved = format!("const one = 1;\n\n\n{AGENT}");
        let options =
            AuditOptions { rejected: BTreeSet::from([first.fingerprint]), ..only("tls-verification-disabled") };
        let audit = audit(&[("src/client.ts", &moved)], &options);
        assert!(audit.findings.is_empty());
        assert_eq!(audit.rejected.iter().map(|finding| finding.location().start_line).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn what_the_baseline_knows_is_kept_apart_and_its_stale_entries_are_said() {
        let found = tls(AGENT).findings;
        let mut gone = found[0].clone();
        gone.fingerprint = "0".repeat(64);
        let options =
            AuditOptions { baseline: Baseline::of(&[found[0].clone(), gone]), ..only("tls-verification-disabled") };
        let audit = audit(&[("src/client.ts", AGENT)], &options);
        assert!(audit.findings.is_empty());
        assert_eq!(audit.known, found);
        assert_eq!(
            audit.warnings,
            ["1 entry of the baseline matches nothing any more: `improve audit --write-baseline` drops them"]
        );
    }

    const IN_A_LOOP: &str = "\
import { PrismaClient } from '@prisma/client'
const prisma = new PrismaClient()
export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

    #[test]
    fn a_decision_on_record_lowers_a_finding_and_is_said() {
        let plain = audit(&[("src/orders.ts", IN_A_LOOP)], &only("n-plus-one")).findings.remove(0);
        let record = ("docs/adr/0007-orders.md", "# 7\n\nStatus: accepted\n\n`src/orders.ts` asks row by row.\n");
        let on_record = audit(&[("src/orders.ts", IN_A_LOOP), record], &only("n-plus-one")).findings.remove(0);
        assert_eq!(on_record.impact, plain.impact - 1);
        assert!(on_record.message.ends_with("read `docs/adr/0007-orders.md` first."), "{}", on_record.message);
        let beside = IN_A_LOOP.replace("  for (", "  // By design: at most three.\n  for (");
        let beside = audit(&[("src/orders.ts", &beside)], &only("n-plus-one")).findings.remove(0);
        assert_eq!(beside.impact, plain.impact - 1);
        assert!(
            beside.message.ends_with("The comment at line 5 says that it is meant to be so."),
            "{}",
            beside.message
        );
    }

    #[test]
    fn a_decision_on_record_does_not_lower_what_is_about_security() {
        let plain = tls(AGENT).findings.remove(0);
        let beside = tls(&format!("// Intentionally off.\n{AGENT}")).findings.remove(0);
        assert_eq!((beside.impact, beside.confidence), (plain.impact, plain.confidence));
        assert!(beside.message.len() > plain.message.len());
    }

    #[test]
    fn equal_findings_get_fingerprints_of_their_own() {
        let text = format!("{AGENT}{}", AGENT.replace("agent", "agent "));
        let audit = tls(&text);
        let fingerprints: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        assert_eq!(fingerprints.len(), 2);
    }

    #[test]
    fn scripts_weigh_less_than_code_that_ships() {
        let text = "import { exec } from 'child_process';\nexport function clean(req: { query: { name: string } }) {\n  exec('rm -r ' + req.query.name);\n}\n";
        let ships = audit(&[("src/clean.ts", text)], &only("command-injection")).findings.remove(0);
        assert_eq!((ships.impact, ships.confidence), (5, Confidence::High));
        assert_eq!(ships.leverage, 5.0);
        let mut script = ships.clone();
        script.evidence[0].file = "scripts/clean.ts".to_owned();
        let tree = Files(BTreeMap::from([("scripts/clean.ts".to_owned(), text.to_owned())]));
        let map = map::build(&tree, &MapOptions::default(), &Default::default(), None, &NoProgress)
            .expect("files in memory can be mapped");
        ranking::weigh(&mut script, &map, &Effects::default(), &ranking::Busy::of(&map));
        assert_eq!((script.impact, script.confidence), (2, Confidence::Med));
    }

    #[test]
    fn what_nothing_runs_comes_last() {
        let dropped = |head: &str| {
            let text = format!(
                "import {{ unlink }} from 'fs/promises';\n{head} clean() {{\n  unlink('a');\n  await unlink('b');\n}}\n"
            );
            let told = audit(&[("src/clean.ts", &text)], &only("unawaited-promise")).findings.remove(0);
            (told.impact, told.confidence)
        };
        assert_eq!(dropped("async function"), (2, Confidence::Low));
        assert!(dropped("export async function") > (2, Confidence::Low));
        assert!(dropped("export { clean };\nasync function") > (2, Confidence::Low));
        let text = "import { unlink } from 'fs/promises';\nasync function clean() {\n  unlink('a');\n  await unlink('b');\n}\nclean();\n";
        let called = audit(&[("src/clean.ts", text)], &only("unawaited-promise")).findings.remove(0);
        assert!(called.confidence > Confidence::Low);
    }

    #[test]
    fn waits_that_batching_mends_are_told_once() {
        let body = "const rows = [];\n  for (const order of orders) {\n    const buyer = await prisma.user.findFirst({ where: { id: order.buyer } });\n    \
                    const shop = await prisma.shop.findFirst({ where: { id: order.shop } });\n    \
                    const price = await prisma.price.findFirst({ where: { id: order.price } });\n    rows.push({ buyer, shop, price });\n  }\n";
        let one = "const buyer = await prisma.user.findFirst({ where: { id: order.buyer } });\n  \
                   const shop = await prisma.shop.findFirst({ where: { id: order.shop } });\n  \
                   const price = await prisma.price.findFirst({ where: { id: order.price } });\n  const rows = { buyer, shop, price };\n";
        let rules = |body: &str| {
            let text = format!(
                "import {{ PrismaClient }} from '@prisma/client';\nconst prisma = new PrismaClient();\n\
                 export async function rows(orders: Order[], order: Order) {{\n  {body}  return rows;\n}}\n"
            );
            let options = AuditOptions {
                only_rules: vec!["n-plus-one".to_owned(), "sequential-await".to_owned()],
                depth: Depth::Deep,
                ..AuditOptions::default()
            };
            let found = audit(&[("src/rows.ts", &text)], &options).findings;
            found.iter().map(|finding| finding.rule.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(rules(one), ["sequential-await"]);
        assert_eq!(rules(body), ["n-plus-one"]);
    }

    #[test]
    fn what_is_removed_needs_no_other_version() {
        let manifest = "{\n  \"name\": \"shop\",\n  \"dependencies\": {\n    \"left-pad\": \"*\"\n  }\n}\n";
        let rules = |source: &str| {
            let options = AuditOptions {
                only_rules: vec!["unused-dependency".to_owned(), "wildcard-dependency".to_owned()],
                depth: Depth::Deep,
                ..AuditOptions::default()
            };
            let found = audit(&[("package.json", manifest), ("src/index.ts", source)], &options).findings;
            found.iter().map(|finding| finding.rule.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(rules("export const a = 1;\n"), ["unused-dependency"]);
        assert_eq!(rules("import pad from 'left-pad';\nexport const a = pad(1);\n"), ["wildcard-dependency"]);
    }

    #[test]
    fn quotes_are_those_of_the_file_and_findings_without_them_are_dropped() {
        let finding = tls(AGENT).findings.remove(0);
        assert_eq!(finding.location().quote, AGENT.trim_end());
        assert_eq!(finding.location().quote_sha256, finding::sha256_hex(AGENT.trim_end()));
        let tree = Files(BTreeMap::from([("src/client.ts".to_owned(), AGENT.to_owned())]));
        let mut outside = finding.clone();
        outside.evidence[0].start_line = 7;
        outside.evidence[0].end_line = 7;
        let mut other = finding.clone();
        other.evidence[0].quote = "danger_accept_invalid_certs".to_owned();
        assert_eq!(quote(vec![outside, other], &tree), []);
    }

    #[test]
    fn unknown_rule_is_an_error_with_a_suggestion() {
        let options = AuditOptions { only_rules: vec!["n-plus-on".to_owned()], ..AuditOptions::default() };
        let error = chosen_rules(&options).err().expect("no rule has this id");
        assert_eq!(error.to_string(), "no rule is called `n-plus-on`");
        assert_eq!(error.hint(), "did you mean `n-plus-one`? `improve rules` lists them all");
    }
}
