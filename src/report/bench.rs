//! What a benchmark measured: arms side by side, what is not known said as plainly as what is.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::human::next_commands;
use super::layout::{Page, columns, count, indented, paint, style, width};
use super::sanitize;
use crate::bench::statistics::{CONFIDENCE, Estimate, Interval, Method};
use crate::bench::summary::{ArmSummary, Comparison, arms, comparisons};
use crate::bench::task::Task;
use crate::bench::trial::{Arm, Trial};
use crate::edit::matching::Rung;
use crate::model::NanoDollars;

mod conclusions;

use conclusions::conclusions;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// A benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BenchDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Tasks of the set that were asked for.
    pub tasks: Vec<BenchTask>,
    /// Times each trial was to be held.
    pub repeat: u32,
    /// What the trials say of each arm.
    pub arms: Vec<ArmSummary>,
    /// Every two arms that have tasks in common.
    pub comparisons: Vec<Comparison>,
    /// What that means, in words.
    pub conclusions: Vec<String>,
    /// Tasks and arms that were left out.
    pub not_measured: Vec<NotMeasured>,
    /// Why the run ended before all trials were held; null where it did not.
    pub stopped: Option<String>,
    /// Trials that were found in the records and not held again.
    pub found: usize,
    /// What this run spent, in billionths of a dollar, as far as prices are known.
    pub nano_usd: u64,
    /// The file of the records.
    pub records: String,
    /// How intervals are made.
    pub intervals: String,
    /// Every trial the numbers are made from.
    pub trials: Vec<Trial>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BenchTask {
    /// Its name.
    pub id: String,
    /// The kind of defect.
    pub kind: String,
    /// The language.
    pub language: String,
    /// Imperative: what will be true afterwards.
    pub title: String,
    /// The built-in rule that finds it, where one does.
    pub rule: Option<String>,
    /// Why the obvious fix is wrong, where it is.
    pub trap: Option<String>,
    /// What it takes of the machine.
    pub needs: Vec<String>,
}

impl BenchTask {
    /// What there is to say of a task.
    pub fn of(task: &Task) -> BenchTask {
        let manifest = &task.manifest;
        BenchTask {
            id: task.id.clone(),
            kind: manifest.kind.clone(),
            language: manifest.language.clone(),
            title: manifest.title.clone(),
            rule: manifest.rule.clone(),
            trap: manifest.trap.clone(),
            needs: manifest.needs.clone(),
        }
    }
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NotMeasured {
    /// A task, or an arm.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What there is to say of a run beside its trials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BenchRun {
    /// See [`BenchDocument`].
    pub repeat: u32,
    /// See [`BenchDocument`].
    pub not_measured: Vec<NotMeasured>,
    /// See [`BenchDocument`].
    pub stopped: Option<String>,
    /// See [`BenchDocument`].
    pub found: usize,
    /// See [`BenchDocument`].
    pub nano_usd: u64,
    /// See [`BenchDocument`].
    pub records: String,
}

impl BenchDocument {
    /// The document of a run.
    pub fn new(tasks: &[Task], trials: Vec<Trial>, run: BenchRun) -> BenchDocument {
        let all: Vec<&Trial> = trials.iter().collect();
        let (arms, comparisons) = (arms(&all), comparisons(&all));
        let BenchRun { repeat, not_measured, stopped, found, nano_usd, records } = run;
        BenchDocument {
            schema_version: SCHEMA_VERSION,
            tasks: tasks.iter().map(BenchTask::of).collect(),
            repeat,
            conclusions: conclusions(&arms, &comparisons),
            arms,
            comparisons,
            not_measured,
            stopped,
            found,
            nano_usd,
            records,
            intervals: INTERVALS.replace("@confidence", &format!("{:.0} %", CONFIDENCE * 100.0)),
            trials,
        }
    }
}

/// Reasons that are shown: what a screen holds beside the rest.
const REASONS: usize = 8;
const INTERVALS: &str = "In brackets: @confidence intervals, percentile bootstrap over tasks (Efron & Tibshirani 1993), 10 000 resamples, \
                         fixed seed; where all tasks came out alike (*), the exact bound of Clopper & Pearson (1934).";

/// The benchmark on a page.
pub fn bench(document: &BenchDocument, next: &[(String, String)], page: &Page) -> String {
    let mut text = String::new();
    let times = if document.repeat > 1 { format!(", each {} times", document.repeat) } else { String::new() };
    let found = if document.found > 0 { format!("; {} found in the records", document.found) } else { String::new() };
    let _ = writeln!(
        text,
        "{} on {}{times}{found}",
        paint(style::STRONG, &count(document.trials.len(), "trial")),
        measured(document),
    );
    if let Some(why) = &document.stopped {
        let said = indented(&format!("stopped: {}", sanitize::line(why)), 0, page.width);
        let _ = writeln!(text, "{}", paint(style::WARN, said.trim_end()));
    }
    if !document.arms.is_empty() {
        let _ = write!(text, "\n{}", rates(&document.arms, page));
        let _ = write!(text, "\n{}", costs(&document.arms, page));
        text.push_str(&edits(&document.arms, page));
        let _ = write!(text, "\n{}", outcomes(document, page));
        text.push_str(&reasons(document, page));
    }
    if !document.conclusions.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "What that says"));
        document.conclusions.iter().for_each(|said| text.push_str(&indented(&sanitize::line(said), 2, page.width)));
    }
    if !document.not_measured.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Not measured"));
        for left_out in &document.not_measured {
            text.push_str(&indented(&sanitize::line(&format!("{}: {}", left_out.what, left_out.why)), 2, page.width));
        }
    }
    if !document.arms.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::FAINT, indented(&document.intervals, 0, page.width).trim_end()));
        let spent = match document.nano_usd {
            0 => String::new(),
            spent => format!("Spent: {}. ", NanoDollars(spent)),
        };
        text.push_str(&indented(&format!("{spent}Records: {}", sanitize::line(&document.records)), 0, page.width));
    }
    text.push_str(&next_commands(next, page));
    text
}

/// `12 tasks`, `10 of 12 tasks`.
fn measured(document: &BenchDocument) -> String {
    let has_any = |task: &&BenchTask| document.trials.iter().any(|trial| trial.key.task == task.id);
    let (all, some) = (document.tasks.len(), document.tasks.iter().filter(has_any).count());
    if some == all { count(all, "task") } else { format!("{some} of {}", count(all, "task")) }
}

/// The tasks of a set.
pub fn tasks(tasks: &[BenchTask], page: &Page) -> String {
    let rows = tasks.iter().map(|task| {
        let with = task.rule.as_deref().map(|rule| format!(" (rule {rule})")).unwrap_or_default();
        vec![task.id.clone(), task.language.clone(), format!("{}: {}{with}", task.kind, task.title)]
    });
    let rows: Vec<Vec<String>> =
        rows.map(|row| row.iter().map(|cell| sanitize::line(cell).into_owned()).collect()).collect();
    columns(&rows, page.width, 0)
}

fn rates(arms: &[ArmSummary], page: &Page) -> String {
    let mut rows = vec![heads(["arm", "verified", "right", "verified and wrong"])];
    for arm in arms {
        rows.push(vec![
            arm.arm.label().to_owned(),
            share(&arm.verified_rate),
            share(&arm.right_rate),
            share(&arm.false_verified_rate),
        ]);
    }
    columns(&rows, page.width, 2)
}

fn costs(arms: &[ArmSummary], page: &Page) -> String {
    let mut rows = vec![heads(["arm", "for each", "dollars", "tokens"])];
    for arm in arms {
        if arm.calls == 0 {
            rows.push(vec![arm.arm.label().to_owned(), "trial".to_owned(), "$0".to_owned(), "0".to_owned()]);
            continue;
        }
        let dollars = |estimate: &Estimate| match arm.unpriced_calls {
            0 => amount(estimate, &|value| NanoDollars::of_dollars(value).to_string()),
            _ => "unpriced".to_owned(),
        };
        let tokens = |estimate: &Estimate, bought: usize| match estimate.value {
            None if bought > 0 => "not told".to_owned(),
            _ => amount(estimate, &thousands),
        };
        let verified = (dollars(&arm.usd_per_verified), tokens(&arm.tokens_per_verified, arm.verified));
        let right = (dollars(&arm.usd_per_right), tokens(&arm.tokens_per_right, arm.right));
        rows.push(vec![arm.arm.label().to_owned(), "verified change".to_owned(), verified.0, verified.1]);
        rows.push(vec![String::new(), "right change".to_owned(), right.0, right.1]);
        let all = NanoDollars::of_dollars(arm.usd).to_string();
        let all = if arm.unpriced_calls > 0 { format!("{all} and unpriced calls") } else { all };
        let trials = count(arm.trials, "trial");
        rows.push(vec![String::new(), format!("all {trials}"), all, thousands(arm.tokens as f64)]);
    }
    let times = arms.iter().map(|arm| format!("{} {}", arm.arm.label(), time(&arm.minutes)));
    let times: Vec<String> = times.collect();
    let times = indented(&format!("A trial takes: {}.", times.join(", ")), 2, page.width);
    format!("{}\n{times}", columns(&rows, page.width, 2))
}

/// `1.2 min [0.8 to 1.7]`; seconds where it takes no minute.
fn time(minutes: &Estimate) -> String {
    let (unit, factor) = if minutes.value.is_some_and(|value| value < 1.0) { ("s", 60.0) } else { ("min", 1.0) };
    let Some(value) = minutes.value else { return "—".to_owned() };
    let shown = |value: f64| format!("{:.1}", value * factor);
    match telling(minutes) {
        Some(Interval { low: Some(low), high: Some(high), .. }) => {
            format!("{} {unit} [{} to {}]", shown(value), shown(low), shown(high))
        }
        Some(_) | None => format!("{} {unit}", shown(value)),
    }
}

/// `950`, `12.3k`, `1.5M`.
fn thousands(value: f64) -> String {
    match value {
        value if value < 1_000.0 => format!("{value:.0}"),
        value if value < 1e5 => format!("{:.1}k", value / 1e3),
        value if value < 1e6 => format!("{:.0}k", value / 1e3),
        value => format!("{:.1}M", value / 1e6),
    }
}

/// How edits were placed, with their number: `plan: as written 95 % [88 to 99] (38), refused 5 % [1 to 12] (2)`.
fn edits(arms: &[ArmSummary], page: &Page) -> String {
    let mut text = String::new();
    for arm in arms.iter().filter(|arm| !arm.edits.is_empty()) {
        let rungs = arm.edits.iter().map(|rung| {
            let word = rung.rung.map_or("refused", words);
            format!("{word} {} ({})", share(&rung.share), rung.edits)
        });
        let rungs: Vec<String> = rungs.collect();
        text.push_str(&indented(&format!("{}: {}", arm.arm.label(), rungs.join(", ")), 2, page.width));
    }
    if text.is_empty() {
        text
    } else {
        format!("\n{}\n{text}", paint(style::STRONG, "Edits, by the rung that placed them"))
    }
}

fn words(rung: Rung) -> &'static str {
    match rung {
        Rung::Exact => "as written",
        Rung::TrailingSpace => "but for trailing space",
        Rung::IndentShift => "but for indent",
        Rung::UnicodePunctuation => "but for punctuation",
        Rung::LineNumbers => "but for line numbers",
        Rung::SameSymbol => "by the same symbol",
    }
}

/// A row a task, a column an arm; the kinds of defects where there is room.
fn outcomes(document: &BenchDocument, page: &Page) -> String {
    let arms: Vec<Arm> = document.arms.iter().map(|arm| arm.arm).collect();
    let mut rows: Vec<Vec<String>> = vec![
        ["task", "kind"].into_iter().chain(arms.iter().map(|arm| arm.label())).map(|head| head.to_owned()).collect(),
    ];
    for task in &document.tasks {
        let cells = arms.iter().map(|&arm| {
            let own = document.trials.iter().filter(|trial| trial.key.task == task.id && trial.key.arm == arm);
            outcome(&own.collect::<Vec<_>>())
        });
        let cells: Vec<String> = cells.collect();
        if cells.iter().any(|cell| cell != "—") {
            let names = [&task.id, &task.kind].map(|name| sanitize::line(name).into_owned());
            rows.push(names.into_iter().chain(cells).collect());
        }
    }
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
    let full: usize = (0..arms.len() + 2).filter_map(widest).map(|width| width + 2).sum();
    if full > page.width {
        // How trials ended matters more than what the tasks are, which `--list` says, too.
        rows.iter_mut().for_each(|row| drop(row.remove(1)));
    }
    let legend = "right: verified, and the hidden tests pass · WRONG: verified, and they fail · unproven: they pass, not verified · no: neither";
    format!(
        "{}\n{}",
        columns(&rows, page.width, 2),
        paint(style::FAINT, indented(legend, 2, page.width).trim_end()) + "\n"
    )
}

/// `right`; `WRONG` where it was verified and is not right; `unproven` where it is right and was not verified; `no`; `no plan`.
fn outcome(trials: &[&Trial]) -> String {
    let word = |trial: &Trial| match (trial.verified, trial.right) {
        (true, true) => "right",
        (true, false) => "WRONG",
        (false, true) => "unproven",
        (false, false) if trial.outcome.is_none() => "no plan",
        (false, false) => "no",
    };
    match trials {
        [] => "—".to_owned(),
        [trial] => word(trial).to_owned(),
        several => {
            let words = ["right", "WRONG", "unproven", "no", "no plan"].into_iter().filter_map(|kind| {
                let number = several.iter().filter(|trial| word(trial) == kind).count();
                (number > 0).then(|| format!("{number} {kind}"))
            });
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Why trials that had a plan did not end verified and right, those that claim to first.
fn reasons(document: &BenchDocument, page: &Page) -> String {
    let told = |trial: &&Trial| trial.outcome.is_some() && !trial.why.is_empty();
    let mut trials: Vec<&Trial> = document.trials.iter().filter(told).collect();
    if trials.is_empty() {
        return String::new();
    }
    trials.sort_by_key(|trial| !trial.is_false());
    let mut text = format!("\n{}\n", paint(style::STRONG, "What went wrong"));
    for trial in trials.iter().take(REASONS) {
        let of = format!("{} {}: {}", trial.key.arm.label(), trial.key.task, trial.why);
        text.push_str(&indented(&sanitize::line(&of), 2, page.width));
    }
    if trials.len() > REASONS {
        let _ = writeln!(text, "  … and {} more: --format json has them all", trials.len() - REASONS);
    }
    text
}

fn heads<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// The interval, where it tells something.
fn telling(estimate: &Estimate) -> Option<Interval> {
    estimate.interval.filter(Interval::tells)
}

/// `75 % [50 to 92]`.
fn share(estimate: &Estimate) -> String {
    let Some(value) = estimate.value else { return "—".to_owned() };
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    let exact = |method: Method| if method == Method::ClopperPearson { "*" } else { "" };
    match telling(estimate) {
        Some(Interval { low: Some(low), high: Some(high), method }) => {
            format!("{} % [{} to {}]{}", percent(value), percent(low), percent(high), exact(method))
        }
        Some(_) | None => format!("{} %", percent(value)),
    }
}

/// `$0.12 [$0.08 to $0.31]`.
fn amount(estimate: &Estimate, shown: &dyn Fn(f64) -> String) -> String {
    let Some(value) = estimate.value else { return "—".to_owned() };
    match telling(estimate) {
        Some(Interval { low: Some(low), high: Some(high), .. }) => {
            format!("{} [{} to {}]", shown(value), shown(low), shown(high))
        }
        Some(Interval { low: Some(low), high: None, .. }) => format!("{} [{} or more]", shown(value), shown(low)),
        Some(Interval { low: None, .. }) | None => shown(value),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bench::summary::tests::trial;
    use crate::bench::task::built_in;

    fn document(outcomes: &[(Arm, [bool; 2])]) -> BenchDocument {
        let tasks: Vec<Task> = built_in().unwrap().into_iter().take(8).collect();
        let trials = tasks
            .iter()
            .flat_map(|task| outcomes.iter().map(|(arm, outcome)| with_reason(trial(&task.id, *arm, 1, *outcome))));
        let trials: Vec<Trial> = trials.collect();
        let run = BenchRun { repeat: 1, records: "trials.jsonl".to_owned(), nano_usd: 16, ..BenchRun::default() };
        BenchDocument::new(&tasks, trials, run)
    }

    /// As trials are recorded: with a reason where there is one to give.
    fn with_reason(trial: Trial) -> Trial {
        let why = if trial.verified && trial.right { "" } else { "a reason" };
        Trial { why: why.to_owned(), ..trial }
    }

    #[test]
    fn it_says_plainly_that_the_single_model_wins() {
        let document = document(&[(Arm::Single, [true, true]), (Arm::Plan, [true, false])]);
        assert!(document.conclusions[0].starts_with(
            "The single model wins: it makes more right changes than plan (+100 points, on each of 8 tasks alike)"
        ));
        assert!(document.conclusions.iter().any(|said| said.starts_with("plan: 8 of 8 verified changes are wrong")));
    }

    #[test]
    fn it_says_plainly_that_the_data_cannot_tell() {
        let document = document(&[(Arm::Single, [true, true]), (Arm::Plan, [true, true])]);
        assert!(
            document.conclusions[0].starts_with("single and plan: the data cannot tell which makes more right changes")
        );
    }

    /// Of all that can come of trials some: four tasks have two repetitions, one arm lacks a task, one call has no price.
    fn mixed() -> BenchDocument {
        let tasks: Vec<Task> = built_in().unwrap().into_iter().take(8).collect();
        let ends = [[true, true], [true, false], [false, true], [false, false]];
        let mut trials = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            for repetition in 1..=if at < 4 { 2 } else { 1 } {
                let way = at + repetition as usize;
                let single = trial(&task.id, Arm::Single, repetition, ends[way % 4]);
                let plan = trial(&task.id, Arm::Plan, repetition, ends[usize::from(way.is_multiple_of(5))]);
                let exact = trial(&task.id, Arm::Exact, repetition, [at % 2 == 0; 2]);
                let unpriced = u64::from(at == 5);
                trials.push(Trial { nano_usd: 1_000_000_000 + at as u64 * 70_000_000, ..single });
                trials.push(Trial { unpriced_calls: unpriced, duration_ms: 61_000 + at as u64 * 9_000, ..plan });
                if at < 7 {
                    let (outcome, placed) =
                        if exact.verified { (exact.outcome, exact.placed.clone()) } else { (None, BTreeMap::new()) };
                    let free = Trial { calls: 0, nano_usd: 0, duration_ms: 900, refused: 0, ..exact };
                    trials.push(Trial { outcome, placed, ..free });
                }
            }
        }
        let left_out = |what: &str, why: &str| NotMeasured { what: what.to_owned(), why: why.to_owned() };
        let run = BenchRun {
            repeat: 2,
            not_measured: vec![left_out(&tasks[7].id, "it takes node 18, and there is no node")],
            stopped: Some("the budget is spent (the next call may cost $0.40); 5 trials left".to_owned()),
            found: 3,
            records: "trials.jsonl".to_owned(),
            nano_usd: 17_000_000_000,
        };
        BenchDocument::new(&tasks, trials.into_iter().map(with_reason).collect(), run)
    }

    #[test]
    fn a_page_of_eighty_columns_holds_it() {
        let document = mixed();
        let page = anstream::adapter::strip_str(&bench(&document, &[], &Page::plain(80))).to_string();
        assert!(page.lines().all(|line| crate::report::layout::width(line) <= 80), "{page}");
        insta::assert_snapshot!(page);
    }
}
