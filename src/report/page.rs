//! A report as one page of HTML, for people who do not have the program: nothing is loaded, everything is readable without scripts.
//!
//! Words and structure are in `templates/report/page.html`, looks in `page.css`; `page.js` adds filters, search and sorting. Text
//! is escaped and sanitised where the template writes it, whatever it is; what is marked `safe` there was made in [`markup`], or is a
//! picture of ours.

use std::sync::LazyLock;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, escape_formatter};
use serde::Serialize;

use super::document::{FileHeat, PlanNode, ReportDocument};
use super::layout::{grouped, percent_encode};
use super::plans::plan_name;
use crate::finding::{Effort, Level, Priority};
use crate::runs::Run;

mod findings;
mod graph;
mod markup;
mod money;
mod policy;
mod summary;
#[cfg(test)]
mod tests;
mod treemap;
mod trend;

use findings::{Apart, Facets, FindingView, RuleView};
use money::MoneyView;
pub use summary::next;
use summary::{CategoryView, LevelView};
use treemap::Canvas;

const SCRIPT: &str = include_str!("../../templates/report/page.js");
const STYLE: &str = include_str!("../../templates/report/page.css");
/// Hotspots in the table below the treemap.
const HOTSPOTS: usize = 12;
/// What the treemap is drawn in, for a page on a desk and one in a hand.
const WIDE: Canvas = Canvas { width: 1_120.0, height: 460.0 };
const NARROW: Canvas = Canvas { width: 360.0, height: 480.0 };

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_formatter(|out, state, value| match (value.as_str(), state.auto_escape()) {
        (Some(text), AutoEscape::Html) if !value.is_safe() => Ok(out.write_str(&markup::escape(text))?),
        _ => escape_formatter(out, state, value),
    });
    environment.add_filter("prose", |text: &str| Value::from_safe_string(markup::prose(text)));
    environment.add_filter("block", |text: &str| Value::from_safe_string(markup::block(text)));
    environment.add_filter("encoded", percent_encode);
    let template = include_str!("../../templates/report/page.html");
    environment.add_template("page.html", template).expect("the template is tested");
    environment
});

/// The page of a report.
pub fn page(document: &ReportDocument) -> String {
    let template = TEMPLATES.get_template("page.html").expect("added when the environment was made");
    let mut page = template.render(Serde(View::of(document))).expect("the view has every value the template names");
    page.push('\n');
    page
}

/// What a report says first, in words: facts about what was read, and sentences about what was found.
pub(super) fn summary_lines(document: &ReportDocument) -> (Vec<String>, Vec<String>) {
    (summary::meta(document), summary::summary(document))
}

/// What the template sees.
#[derive(Serialize)]
struct View {
    policy: String,
    style: String,
    script: String,
    data: String,
    name: String,
    meta: Vec<String>,
    summary: Vec<String>,
    next: Vec<(String, String)>,
    levels: Vec<LevelView>,
    categories: Vec<CategoryView>,
    findings: Vec<FindingView>,
    facets: Facets,
    rules: Vec<RuleView>,
    has_treemap: bool,
    treemap: String,
    treemap_narrow: String,
    hotspots: Vec<HotView>,
    plans: Vec<PlanView>,
    plan_states: Vec<(String, &'static str, &'static str)>,
    graph: Option<String>,
    money: MoneyView,
    trend: String,
    runs: Vec<RunView>,
    apart: Vec<Apart>,
    not_audited: Vec<(String, String)>,
    version: &'static str,
}

#[derive(Serialize)]
struct HotView {
    path: String,
    lines: String,
    churn: u32,
    findings: usize,
    heat: String,
    class: u8,
}

#[derive(Serialize)]
struct PlanView {
    name: String,
    path: String,
    title: String,
    class: &'static str,
    sign: &'static str,
    status: String,
    note: String,
    outcome: String,
    priority: &'static str,
    effort: &'static str,
    how: &'static str,
    depends_on: String,
    estimate: String,
    finding: Option<usize>,
}

#[derive(Serialize)]
struct RunView {
    day: String,
    name: String,
    total: usize,
    high: usize,
    medium: usize,
    low: usize,
    density: String,
}

impl View {
    fn of(document: &ReportDocument) -> View {
        // A checkout may have ended lines with CR LF; a browser takes the hash of what it read, with LF alone.
        let [script, style] = [SCRIPT, STYLE].map(|text| text.replace("\r\n", "\n"));
        let findings = findings::views(document);
        let treemap = treemap::treemap(&document.files, WIDE, "wide");
        View {
            policy: policy::policy(&script, &style),
            data: markup::json(&findings::Data::of(document)),
            script,
            style,
            name: document.name().to_owned(),
            meta: summary::meta(document),
            summary: summary::summary(document),
            next: summary::next(document),
            levels: summary::levels(document),
            categories: summary::categories(document),
            facets: Facets::of(document),
            rules: findings::rules(document),
            findings,
            has_treemap: !treemap.is_empty(),
            treemap,
            treemap_narrow: treemap::treemap(&document.files, NARROW, "narrow"),
            hotspots: document.hotspots.iter().take(HOTSPOTS).map(hot).collect(),
            plans: plans(document),
            plan_states: plan_states(document),
            graph: graph::graph(&document.plans).map(|(svg, _)| svg),
            money: MoneyView::of(document),
            trend: trend::chart(&document.trend),
            runs: trend::drawn(&document.trend).iter().rev().map(run).collect(),
            apart: findings::apart(document),
            not_audited: document.audit.not_audited.iter().map(|it| (it.what.clone(), it.why.clone())).collect(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

fn hot(file: &FileHeat) -> HotView {
    HotView {
        path: file.path.clone(),
        lines: grouped(file.lines as usize),
        churn: file.churn_90d,
        findings: file.findings,
        heat: format!("{:.2}", file.heat),
        class: treemap::heat_class(file.heat),
    }
}

fn plans(document: &ReportDocument) -> Vec<PlanView> {
    let name_of = |path: &str| plan_name(path).to_owned();
    let number_of = |fingerprint: &str| {
        document.audit.findings.iter().position(|finding| finding.fingerprint == fingerprint).map(|place| place + 1)
    };
    let view = |plan: &PlanNode| {
        let (class, sign) = graph::state_of(plan.status.as_deref());
        PlanView {
            name: name_of(&plan.path),
            path: plan.path.clone(),
            title: plan.title.clone(),
            class,
            sign,
            status: plan.status.as_deref().unwrap_or("not in the index").to_lowercase(),
            note: plan.note.clone(),
            outcome: plan.last_outcome.clone().unwrap_or_default(),
            priority: plan.priority.map_or("", Priority::label),
            effort: plan.effort.map_or("", Effort::label),
            how: if plan.mechanical { "exact edits" } else { "model or person" },
            depends_on: plan.depends_on.iter().map(|path| name_of(path)).collect::<Vec<_>>().join(", "),
            estimate: unbroken(plan.estimate.as_deref().unwrap_or_default()),
            finding: plan.finding.as_deref().and_then(number_of),
        }
    };
    document.plans.iter().map(view).collect()
}

/// Numbers whose thousands are set apart by a space must not end a line in the middle.
fn unbroken(text: &str) -> String {
    let digit = |at: Option<char>| at.is_some_and(|it| it.is_ascii_digit());
    let mut unbroken = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let inside = character == ' ' && digit(unbroken.chars().last()) && digit(rest.peek().copied());
        unbroken.push(if inside { '\u{a0}' } else { character });
    }
    unbroken
}

/// How many plans are in which state: `3 done`, with the state's class and sign.
fn plan_states(document: &ReportDocument) -> Vec<(String, &'static str, &'static str)> {
    let mut counts: Vec<(String, usize, Option<&str>)> = Vec::new();
    for plan in &document.plans {
        let word = plan.status.as_deref().unwrap_or("not in the index").to_lowercase();
        match counts.iter_mut().find(|(known, _, _)| *known == word) {
            Some((_, number, _)) => *number += 1,
            None => counts.push((word, 1, plan.status.as_deref())),
        }
    }
    counts.sort();
    let view = |(word, number, status): (String, usize, Option<&str>)| {
        let (class, sign) = graph::state_of(status);
        (format!("{number} {word}"), class, sign)
    };
    counts.into_iter().map(view).collect()
}

fn run(run: &Run) -> RunView {
    // Per thousand lines, so that growth alone is no bad news.
    let density = if run.lines == 0 {
        String::new()
    } else {
        format!("{:.2}", run.findings() as f64 * 1_000.0 / run.lines as f64)
    };
    RunView {
        day: trend::day(run),
        name: trend::name(run),
        total: run.findings(),
        high: run.of_level(Level::High),
        medium: run.of_level(Level::Medium),
        low: run.of_level(Level::Low),
        density,
    }
}
