//! The scores as tables for people, or as one JSON object.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::cases::Case;
use crate::fits::Fitting;
use crate::score::{Miss, Outcome, outcome};
use crate::snapshot::Snapshot;

/// Every case of a run.
pub struct Report<'a> {
    tool: String,
    is_peer: bool,
    scored: Vec<(&'a Case, Outcome)>,
    left_out: Vec<(&'a Case, String)>,
    /// Commits before a fix, each once: where findings are counted.
    before: BTreeMap<(&'a str, &'a str), Rc<Snapshot>>,
}

/// The figures of a category, or of all.
struct Row<'a> {
    name: &'a str,
    cases: Share,
    local: Share,
    through_calls: Share,
    gone: Share,
    /// `None` for a tool without an order.
    first: Option<[usize; 2]>,
    density: f64,
}

/// Over the trees of a repository.
#[derive(Default)]
struct Sums {
    trees: f64,
    findings: f64,
    lines: f64,
}

/// So many of so many.
#[derive(Clone, Copy, Default)]
struct Share {
    part: usize,
    whole: usize,
}

/// How far a reader of findings gets: a screen and a half hour, our choice.
const FIRST: [usize; 2] = [10, 30];

impl<'a> Report<'a> {
    /// An empty report.
    pub fn new(tool: &str, is_peer: bool) -> Self {
        let (scored, left_out) = (Vec::new(), Vec::new());
        Self { tool: tool.to_owned(), is_peer, scored, left_out, before: BTreeMap::new() }
    }

    /// Scores a case.
    pub fn add(&mut self, case: &'a Case, before: Rc<Snapshot>, after: &Snapshot) {
        let fitting = Fitting::of(&case.category, self.is_peer);
        self.scored.push((case, outcome(case, fitting, self.is_peer, &before, after)));
        self.before.insert((&case.repo, &case.parent), before);
    }

    /// Names a case that could not be scored.
    pub fn leave_out(&mut self, case: &'a Case, why: String) {
        self.left_out.push((case, why));
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut names: Vec<&str> = Vec::new();
        for (case, _) in &self.scored {
            if !names.contains(&case.category.as_str()) {
                names.push(&case.category);
            }
        }
        names.sort_unstable();
        let mut rows: Vec<Row<'_>> = names.iter().map(|name| self.row(name, &[name])).collect();
        rows.push(self.row("all", &names));
        rows
    }

    fn row<'n>(&self, name: &'n str, categories: &[&str]) -> Row<'n> {
        let of = |wanted: &dyn Fn(&Case, &Outcome) -> bool, holds: &dyn Fn(&Outcome) -> bool| {
            let mut share = Share::default();
            for (case, outcome) in &self.scored {
                if categories.contains(&case.category.as_str()) && wanted(case, outcome) {
                    share.whole += 1;
                    share.part += usize::from(holds(outcome));
                }
            }
            share
        };
        let within = |limit: usize| {
            let is_within =
                |outcome: &Outcome| outcome.hit.as_ref().and_then(|hit| hit.rank).is_some_and(|rank| rank <= limit);
            of(&|_, _| true, &is_within).part
        };
        Row {
            name,
            cases: of(&|_, _| true, &Outcome::is_found),
            local: of(&|case, _| !case.interprocedural, &Outcome::is_found),
            through_calls: of(&|case, _| case.interprocedural, &Outcome::is_found),
            gone: of(&|_, outcome| outcome.is_found() && outcome.is_judged, &Outcome::is_gone),
            first: (!self.is_peer).then(|| FIRST.map(within)),
            density: self.density(categories),
        }
    }

    /// Findings of the categories' rules in a thousand lines of the trees that have their cases, tests left out. Each repository weighs as
    /// one of its snapshots, however many cases it has.
    fn density(&self, categories: &[&str]) -> f64 {
        let fitting: Vec<Fitting<'_>> = categories.iter().map(|name| Fitting::of(name, self.is_peer)).collect();
        let cases = self.scored.iter().filter(|(case, _)| categories.contains(&case.category.as_str()));
        let trees: BTreeSet<(&str, &str)> = cases.map(|(case, _)| (case.repo.as_str(), case.parent.as_str())).collect();
        let mut repositories: BTreeMap<&str, Sums> = BTreeMap::new();
        for (repo, commit) in trees {
            let Some(snapshot) = self.before.get(&(repo, commit)).filter(|snapshot| snapshot.failure.is_none()) else {
                continue;
            };
            let shown = snapshot.found.iter().filter(|found| found.is_shown && !found.in_test);
            let found = shown.filter(|found| fitting.iter().any(|fitting| fitting.counts(&found.rule))).count();
            let sums = repositories.entry(repo).or_default();
            sums.trees += 1.0;
            sums.findings += found as f64;
            sums.lines += snapshot.production_lines() as f64;
        }
        // From 0.0: a sum of no floats is -0.0.
        let total =
            |of: &dyn Fn(&Sums) -> f64| repositories.values().fold(0.0, |sum, sums| sum + of(sums) / sums.trees);
        total(&|sums| sums.findings) / total(&|sums| sums.lines).max(1.0) * 1000.0
    }

    /// Tables.
    pub fn text(&self, misses: bool) -> String {
        let mut text = format!("{}\n\n", self.tool);
        let _ = writeln!(
            text,
            "{:<20} {:>6} {:>7} {:>7} {:>8} {:>7} {:>7} {:>8} {:>7}",
            "category", "found", "recall", "local", "by call", "top 10", "top 30", "a kline", "gone"
        );
        for row in self.rows() {
            let [ten, thirty] =
                row.first.map_or(["-".to_owned(), "-".to_owned()], |first| first.map(|count| count.to_string()));
            let _ = writeln!(
                text,
                "{:<20} {:>6} {:>7} {:>7} {:>8} {ten:>7} {thirty:>7} {:>8.3} {:>7}",
                row.name,
                row.cases.text(),
                row.cases.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.3}")),
                row.local.text(),
                row.through_calls.text(),
                row.density,
                row.gone.text()
            );
        }
        for (case, why) in &self.left_out {
            let _ = writeln!(text, "left out: {} ({}): {why}", case.id, case.repo);
        }
        let failed = self.failed();
        if !failed.is_empty() {
            let _ = writeln!(text, "not run: {}", failed.join(", "));
        }
        if misses {
            self.misses(&mut text);
        }
        text
    }

    /// Snapshots the tool gave no answer for.
    fn failed(&self) -> Vec<String> {
        let failed = self.before.iter().filter(|(_, snapshot)| snapshot.failure.is_some());
        failed.map(|((repo, commit), _)| format!("{repo} {commit:.10}")).collect()
    }

    fn misses(&self, text: &mut String) {
        text.push_str("\nmissed\n");
        for (case, outcome) in &self.scored {
            let Some(miss) = &outcome.miss else { continue };
            let sites: Vec<String> = case.sites.iter().map(|site| format!("{}:{}", site.path, site.line)).collect();
            let _ = writeln!(
                text,
                "  {} {} {} {}: {}",
                case.id,
                case.category,
                case.repo,
                sites.join(" "),
                miss_text(miss)
            );
        }
        text.push_str("\nstill there after the fix\n");
        for (case, outcome) in &self.scored {
            for remaining in &outcome.remaining {
                let (before, after) = (&remaining.before, &remaining.after);
                let _ = writeln!(
                    text,
                    "  {} {} {}: {} {}:{} → {}:{}",
                    case.id, case.category, case.repo, remaining.rule, before.path, before.line, after.path, after.line
                );
            }
        }
    }

    /// One object.
    pub fn json(&self) -> Value {
        json!({
            "tool": self.tool,
            "categories": self.rows().iter().map(Row::json).collect::<Vec<_>>(),
            "cases": self.scored.iter().map(|(case, outcome)| case_json(case, outcome)).collect::<Vec<_>>(),
            "left_out": self.left_out.iter().map(|(case, why)| json!({ "id": case.id, "why": why })).collect::<Vec<_>>(),
            "not_run": self.failed(),
        })
    }
}

impl Row<'_> {
    fn json(&self) -> Value {
        json!({
            "category": self.name, "cases": self.cases.whole, "found": self.cases.part,
            "recall": self.cases.ratio().map(rounded),
            "local": [self.local.part, self.local.whole],
            "through_calls": [self.through_calls.part, self.through_calls.whole],
            "top_10": self.first.map(|first| first[0]), "top_30": self.first.map(|first| first[1]),
            "per_thousand_lines": rounded(self.density),
            "gone": [self.gone.part, self.gone.whole],
        })
    }
}

impl Share {
    fn text(self) -> String {
        if self.whole == 0 { "-".to_owned() } else { format!("{}/{}", self.part, self.whole) }
    }

    fn ratio(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

fn case_json(case: &Case, outcome: &Outcome) -> Value {
    let place = |place: &crate::snapshot::Place| json!({ "path": place.path, "line": place.line });
    let hit = outcome.hit.as_ref();
    let remaining = outcome.remaining.iter().map(
        |remaining| json!({ "rule": remaining.rule, "before": place(&remaining.before), "after": place(&remaining.after) }),
    );
    json!({
        "id": case.id, "repo": case.repo, "category": case.category,
        "found": hit.map(|hit| json!({ "rule": hit.rule, "place": place(&hit.place), "rank": hit.rank })),
        "gone": hit.filter(|_| outcome.is_judged).map(|_| outcome.is_gone()),
        "remaining": remaining.collect::<Vec<_>>(),
        "missed": outcome.miss.as_ref().map(miss_text),
    })
}

fn miss_text(miss: &Miss) -> String {
    match miss {
        Miss::NotRun(why) => format!("the tool gave no answer: {why}"),
        Miss::NoRule => "no rule".to_owned(),
        Miss::Hidden(finding) => format!("hidden at the default effort: {finding}"),
        Miss::NotRead(why) => format!("not read: {why}"),
        Miss::Elsewhere(finding) => format!("silent here; nearest: {finding}"),
        Miss::Silent => "silent in these files".to_owned(),
    }
}

/// Four decimals, by way of the decimal text.
fn rounded(number: f64) -> f64 {
    format!("{number:.4}").parse().unwrap_or(number)
}
