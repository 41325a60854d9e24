//! The top of a page: what was read, what was found in a few sentences, and what to type next.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::{Category, Level};
use crate::report::document::{PlanNode, ReportDocument};
use crate::report::human::{level_word, short};
use crate::report::layout::{count, grouped};
use crate::report::plans::plan_name;

const LEVELS: [Level; 3] = [Level::High, Level::Medium, Level::Low];

/// Findings of one level.
#[derive(Serialize)]
pub struct LevelView {
    word: &'static str,
    number: String,
    remark: &'static str,
}

/// Findings of one category. Widths are in hundredths of the row of the largest category.
#[derive(Serialize)]
pub struct CategoryView {
    word: &'static str,
    total: usize,
    levels: Vec<BarView>,
}

#[derive(Serialize)]
struct BarView {
    word: &'static str,
    number: usize,
    at: String,
    width: String,
}

/// Facts about what was read, in a line.
pub fn meta(document: &ReportDocument) -> Vec<String> {
    let repository = &document.audit.repository;
    let mut meta = vec![match &repository.commit {
        Some(commit) => {
            let short = commit.get(..9).unwrap_or(commit);
            let dirty = if repository.dirty { ", with uncommitted changes" } else { "" };
            match &document.committed {
                Some(day) => format!("commit {short} of {day}{dirty}"),
                None => format!("commit {short}{dirty}"),
            }
        }
        None => "no commit".to_owned(),
    }];
    if document.source_files > 0 {
        let lines = usize::try_from(document.lines).unwrap_or(usize::MAX);
        meta.push(format!("{}, {}", count(document.source_files, "source file"), count(lines, "line")));
    }
    meta.push(match document.audit.planner.as_str() {
        "built-in" => "built-in rules, no model asked".to_owned(),
        model => format!("judged by {model}"),
    });
    meta
}

/// What was found, in sentences.
pub fn summary(document: &ReportDocument) -> Vec<String> {
    let findings = &document.audit.findings;
    let Some(first) = findings.first() else {
        return vec!["Nothing was found that is worth changing.".to_owned()];
    };
    let levels = LEVELS.iter().map(|level| (document.of_level(*level), level_word(*level)));
    let levels: Vec<String> =
        levels.filter(|(number, _)| *number > 0).map(|(number, word)| format!("{} {word}", grouped(number))).collect();
    let mut said = vec![format!("{}: {}.", count(findings.len(), "finding"), listed(&levels))];
    let mut categories: Vec<(Category, usize)> =
        document.categories().into_iter().map(|(category, levels)| (category, levels.values().sum())).collect();
    categories.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    if let [(one, most), rest @ ..] = categories.as_slice() {
        said.push(match rest.first() {
            None => format!("All are about {}.", about(*one)),
            Some(_) if most * 2 > findings.len() => format!("Most are about {} ({}).", about(*one), grouped(*most)),
            Some((_, number)) if number == most => String::new(),
            Some((other, number)) => {
                format!(
                    "The most are about {} ({}), then {} ({}).",
                    about(*one),
                    grouped(*most),
                    about(*other),
                    grouped(*number)
                )
            }
        });
    }
    let mechanical = findings.iter().filter(|finding| finding.mechanical).count();
    if mechanical > 0 {
        let are = if mechanical == 1 { "is" } else { "are" };
        said.push(format!("{} of them {are} mended by exact edits, without a model.", grouped(mechanical)));
    }
    said.push(format!(
        "What gains most for its effort: {}, in `{}:{}`.",
        first.title,
        first.location().file,
        first.location().start_line
    ));
    said.retain(|sentence| !sentence.is_empty());
    said
}

/// Commands worth typing next, with what they do.
pub fn next(document: &ReportDocument) -> Vec<(String, String)> {
    let mut next = Vec::new();
    let todo = |plan: &&PlanNode| plan.status.as_deref() == Some("TODO");
    let is_free = |plan: &&PlanNode| {
        let waits = |path: &String| {
            document.plans.iter().any(|other| other.path == *path && other.status.as_deref() != Some("DONE"))
        };
        !plan.depends_on.iter().any(waits)
    };
    let open = || document.plans.iter().filter(todo).filter(is_free);
    if let Some(plan) = open().find(|plan| plan.mechanical).or_else(|| open().next()) {
        let what = if plan.mechanical {
            "carry out its exact edits on a branch of its own"
        } else {
            "carry out the first plan that waits"
        };
        next.push((format!("improve apply {}", plan_name(&plan.path)), what.to_owned()));
    }
    if let Some(first) = document.audit.findings.first() {
        next.push(("improve --top 5".to_owned(), "write plans for the first five findings".to_owned()));
        next.push((format!("improve show {}", short(&first.fingerprint)), "read the first finding in full".to_owned()));
    }
    next.truncate(2);
    next
}

/// Findings by level, none left out: that there is no high one is news.
pub fn levels(document: &ReportDocument) -> Vec<LevelView> {
    let remark = |level: Level| match level {
        Level::High => "users or data are hurt, and it is certain",
        Level::Medium => "a likely failure, or clear drag",
        Level::Low => "local drag, polish, or doubtful",
    };
    LEVELS
        .into_iter()
        .map(|level| LevelView {
            word: level_word(level),
            number: grouped(document.of_level(level)),
            remark: remark(level),
        })
        .collect()
}

/// Findings by category, in the order of the audit.
pub fn categories(document: &ReportDocument) -> Vec<CategoryView> {
    let categories = document.categories();
    let most = categories.values().map(|levels| levels.values().sum::<usize>()).max().unwrap_or(0).max(1);
    let view = |(category, levels): (&Category, &BTreeMap<Level, usize>)| {
        let mut at = 0.0;
        let mut bars = Vec::new();
        for level in LEVELS {
            let number = levels.get(&level).copied().unwrap_or(0);
            let width = number as f64 * 100.0 / most as f64;
            bars.push(BarView {
                word: level_word(level),
                number,
                at: format!("{at:.2}"),
                width: format!("{width:.2}"),
            });
            at += width;
        }
        CategoryView { word: category.label(), total: levels.values().sum(), levels: bars }
    };
    categories.iter().map(view).collect()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A category in running text.
fn about(category: Category) -> &'static str {
    match category {
        Category::Security => "security",
        Category::Bug => "wrong results",
        Category::Perf => "performance",
        Category::Tests => "missing tests",
        Category::TechDebt => "tech debt",
        Category::Migration => "dependencies",
        Category::Dx => "the way to contribute",
        Category::Docs => "documentation",
        Category::Direction => "what to build next",
    }
}
