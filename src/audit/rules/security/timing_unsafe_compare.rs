//! `timing-unsafe-compare`: a secret compared byte by byte until the first difference.
//!
//! [`sides`] says what each side of a comparison is, [`harmless`] what is no check of a guess, [`edit`] writes the comparison anew.

mod edit;
mod harmless;
mod sides;

use std::collections::BTreeMap;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Comparison, FileFacts, LanguageName};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileId, FileRole, RepoMap};
use edit::edits;
use harmless::{
    is_constant_member, is_digest_of_the_body, is_double_submit, is_followed, is_literal_constant, is_of_one_request,
    is_of_two_digests, is_old, is_ours, is_plain_hash,
};
use sides::{Side, bare, is_computed_with_a_key, is_env_name, is_guess_at, is_secret, side};

/// A secret compared with `==`.
pub struct TimingUnsafeCompare;

static DOC: RuleDoc = RuleDoc {
    id: "timing-unsafe-compare",
    category: Category::Security,
    what: "a token, signature or key from outside compared with the right one by `==`",
    why: "the comparison stops at the first wrong byte, so response times tell how much of a guess is right",
    quiet_when: "one side is a literal, a constant that is one, a member of an enum or of a constant object, null or a length, both sides \
                 come from the same place, a cookie is compared with what the same request sends beside it, a side is a signed cookie or comes out of a job's data, one becomes the other where \
                 they differ or one side is named as the old one, the names speak of lexing, locks or challenges, one is a hash of what was sent, without a key, both are named as digests and none is made with a key, the code runs in a page, or it is test code",
    example: "if (req.headers['x-signature'] !== expectedSignature) return res.status(401).end();",
};

impl Rule for TimingUnsafeCompare {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        groups(map).iter().filter_map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let place = finding.location();
        let (file, source) = map.file_by_path(&place.file)?;
        let group = groups(map)
            .into_iter()
            .find(|group| group.iter().any(|site| site.file == file && site.comparison.line == place.start_line))?;
        let comparison = group.first()?.comparison;
        let rust = source.language == LanguageName::Rust;
        // All places or none: a plan that mends half of them by hand is no exact plan.
        let edits: Option<Vec<Vec<EditDraft>>> =
            group.iter().map(|site| if rust { None } else { edits(context, site.file, site.comparison) }).collect();
        let mut edits: Vec<EditDraft> = edits.unwrap_or_default().concat();
        // Two places of one file need its import once.
        let mut seen = Vec::new();
        edits.retain(|edit| {
            let is_new = !seen.contains(edit);
            seen.push(edit.clone());
            is_new
        });
        let places: Vec<String> =
            group.iter().map(|site| format!("`{}` line {}", map.file(site.file).path, site.comparison.line)).collect();
        let shape = if rust {
            "`left.as_bytes().ct_eq(right.as_bytes()).into()` with `subtle::ConstantTimeEq` (or `constant_time_eq`), whichever the \
             workspace already has"
        } else {
            "`timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest())` from \
             `node:crypto`: hashing both sides makes their lengths equal, which `timingSafeEqual` requires. Refuse a side that may be absent first (`typeof left === 'string' && …`), so that two absent values are never \
             equal"
        };
        let goals: Vec<GateDraft> = group
            .iter()
            .filter_map(|site| {
                let (path, line) = (&map.file(site.file).path, site.comparison.line);
                let text = place::unique_line(context.tree, path, line, line, &|_| true)?;
                Some(GateDraft::TextGone { text, file: path.clone() })
            })
            .collect();
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goals.iter().cloned());
        Some(PlanDraft {
            title: format!("Compare the secret in `{}` in constant time", place.file),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Replace `{}` by a comparison in constant time", comparison.operator),
                instruction: format!(
                    "In {}: compare with {shape}. Keep the branch that the comparison takes: on the first of them the operator is `{}`. If one side \
                     may be absent, refuse before comparing.",
                    places.join(", "),
                    comparison.operator
                ),
                edits,
                gates,
            }],
            in_scope: Vec::new(),
            out_of_scope: vec![(
                "where the secret is stored and how it is sent".to_owned(),
                "only the comparison leaks".to_owned(),
            )],
            tests: vec![
                "the right value is accepted".to_owned(),
                "a wrong value of the same length, a shorter one and an absent one are refused".to_owned(),
            ],
            edge_cases: vec![
                "a header may be absent or, in Node.js, an array: refuse both before comparing".to_owned(),
                "values in different encodings (hex, base64) must be brought to one before comparing".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals,
            stop_conditions: vec![
                "the code runs where `node:crypto` does not exist (a browser, an edge runtime)".to_owned(),
                "neither side is a secret: say what the names stand for".to_owned(),
            ],
            maintenance: vec!["Put the comparison into a helper when a second place needs it.".to_owned()],
            risk: None,
        })
    }
}

/// A comparison that leaks.
struct Site<'a> {
    file: FileId,
    comparison: &'a Comparison,
    confidence: Confidence,
}

/// Leaking comparisons in order; those of one function and those with the same configured secret belong together, since one plan
/// mends them all.
fn groups(map: &RepoMap) -> Vec<Vec<Site<'_>>> {
    let mut by_secret: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Site<'_>>> = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
        for comparison in &source.facts.comparisons {
            let Some(confidence) = judge(map, file, comparison) else { continue };
            let site = Site { file, comparison, confidence };
            let secret = [&comparison.left, &comparison.right].into_iter().find_map(configured);
            let in_function = |site: &Site<'_>| site.file == file && site.comparison.symbol == comparison.symbol;
            let beside =
                || comparison.symbol.and_then(|_| groups.iter().position(|group| group.iter().any(in_function)));
            match secret.as_ref().and_then(|secret| by_secret.get(secret).copied()).or_else(beside) {
                Some(group) => groups[group].push(site),
                None => {
                    by_secret.extend(secret.map(|secret| (secret, groups.len())));
                    groups.push(vec![site]);
                }
            }
        }
    }
    groups
}

/// The name a secret has in the environment, wherever it stands in a value: `CRON_SECRET` of `` `Bearer ${env().CRON_SECRET}` ``.
fn configured(expr: &Expr) -> Option<String> {
    let mut found = None;
    expr.walk(&mut |inner| {
        if let Expr::Member(..) | Expr::Index(..) | Expr::Name(_) = inner
            && (is_env_name(inner) || inner.dotted().is_some_and(|dotted| dotted.starts_with("process.env.")))
            && found.is_none()
        {
            found = inner.last_name().map(str::to_owned);
        }
    });
    found
}

fn finding(map: &RepoMap, group: &[Site<'_>]) -> Option<Finding> {
    // Of equal ones the first leads.
    let Site { file, comparison, confidence } = group.iter().rev().max_by_key(|site| site.confidence)?;
    let names = side_names(&map.file(*file).facts, comparison);
    let elsewhere = match group.len() {
        1 => String::new(),
        count => format!(" ({count} places)"),
    };
    let mut draft = FindingDraft::at_line(&DOC, map, *file, comparison.line, comparison.symbol, "comparison")
        .expecting(&comparison.operator)
        .title(format!("{names} are compared with `{}`, whose time tells how much matches{elsewhere}", comparison.operator))
        .message(format!(
            "{names} are compared with `{}`, which stops at the first difference: the time it takes depends on how much of a guess is \
             right.",
            comparison.operator
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(*confidence);
    for other in group.iter().filter(|other| !std::ptr::eq(other.comparison, *comparison)) {
        let line = other.comparison.line;
        draft = draft.and_lines(&map.file(other.file).path, line, line, "comparison");
    }
    Some(draft.build())
}

fn judge(map: &RepoMap, file: FileId, comparison: &Comparison) -> Option<Confidence> {
    let source = map.file(file);
    if source.role != FileRole::Production || map.is_test(file, comparison.symbol) {
        return None;
    }
    // Components compare what the user typed with what the user typed.
    let is_component = source.path.ends_with(".tsx") || source.path.ends_with(".jsx");
    let facts = &source.facts;
    let (bare_left, bare_right) = (bare(facts, &comparison.left), bare(facts, &comparison.right));
    let is_computed = |expr: &Expr| is_computed_with_a_key(map, file, comparison, expr);
    let of = |expr: &Expr| if is_computed(expr) { Side::Known } else { side(facts, comparison, expr) };
    let (mut left, mut right) = (of(bare_left), of(bare_right));
    // Whatever is compared with a keyed hash made here is a guess at it, if it is named like one.
    if left == Side::Known && is_guess_at(bare_right) && is_computed(bare_left) {
        right = right.max(Side::Named);
    } else if right == Side::Known && is_guess_at(bare_left) && is_computed(bare_right) {
        left = left.max(Side::Named);
    }
    let sides_are_computed = [bare_left, bare_right].into_iter().any(is_computed);
    let named = sides_are_computed || [bare_left, bare_right].into_iter().any(is_secret);
    if !named
        || is_component
        || place::is_of_a_page(facts)
        || (!sides_are_computed && is_of_two_digests(facts, comparison))
        || is_followed(facts, comparison)
        || is_double_submit(facts, comparison)
        || is_of_one_request(facts, comparison)
    {
        return None;
    }
    let sides = [&comparison.left, &comparison.right];
    if sides.into_iter().any(|side| is_digest_of_the_body(facts, side) || is_plain_hash(facts, comparison, side)) {
        return None;
    }
    // `activeLock.token === headers.token`: who holds a lock, not who may come in. `challenge.token === params.token`: what is shown to
    // whoever asks.
    let is_no_proof = |side: &Expr| {
        let names = chain::names(facts, bare(facts, side).peeled()).unwrap_or_default();
        names.iter().any(|name| {
            place::words(name).iter().any(|word| matches!(word.as_str(), "lock" | "locks" | "lease" | "challenge"))
        })
    };
    if sides.into_iter().any(is_no_proof) {
        return None;
    }
    if sides
        .into_iter()
        .any(|side| is_constant_member(map, file, side) || is_literal_constant(map, side) || is_old(facts, side))
        || left.max(right) != Side::Guess && sides.into_iter().any(|side| is_ours(facts, comparison, side))
    {
        return None;
    }
    match (left.min(right), left.max(right)) {
        (Side::Known, Side::Guess) => Some(Confidence::High),
        (Side::Named, Side::Guess | Side::Known) => Some(Confidence::Med),
        _ => None,
    }
}

fn side_names(facts: &FileFacts, comparison: &Comparison) -> String {
    let name = |expr: &Expr| {
        let expr = bare(facts, expr);
        match expr.peeled() {
            Expr::Call(_) => "a computed value".to_owned(),
            Expr::Template(_) | Expr::Binary(..) | Expr::Member(..) if expr.dotted().is_none() => {
                configured(expr).map_or_else(|| "a value".to_owned(), |name| format!("a value with `{name}`"))
            }
            Expr::Index(holder, _) => {
                holder.dotted().map_or_else(|| "a value".to_owned(), |dotted| format!("a value of `{dotted}`"))
            }
            other => other.dotted().map_or_else(|| "a value".to_owned(), |dotted| format!("`{dotted}`")),
        }
    };
    format!("{} and {}", name(&comparison.left), name(&comparison.right))
}
