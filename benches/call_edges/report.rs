//! The scores as tables for people, or as one JSON object.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::score::{Counts, DispatchCounts, Edge, HowTable, Score};

/// Scores of every repository, in the order they were given.
#[derive(Default)]
pub struct Report {
    repositories: Vec<(String, Score)>,
}

impl Report {
    /// Adds one repository.
    pub fn add(&mut self, name: String, score: Score) {
        self.repositories.push((name, score));
    }

    /// Tables.
    pub fn text(&self, misses: usize, shapes: bool) -> String {
        let mut text = String::new();
        self.levels(&mut text);
        self.by_how(&mut text);
        self.dispatch(&mut text);
        for (name, score) in &self.repositories {
            if shapes {
                recall_by_shape(&mut text, name, score);
            }
            edges(&mut text, "missed", name, &score.missed, misses);
            edges(&mut text, "wrong", name, &score.wrong, misses);
        }
        text
    }

    fn levels(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{:<14} {:<7} {:>7} {:>9} {:>7} {:>9} {:>7} {:>7}",
            "repository", "level", "truth", "predicted", "right", "precision", "recall", "f1"
        );
        for (name, score) in &self.repositories {
            for (level, counts) in &score.levels {
                let Counts { truth, predicted, right } = counts;
                let _ = writeln!(
                    text,
                    "{name:<14} {:<7} {truth:>7} {predicted:>9} {right:>7} {:>9.4} {:>7.4} {:>7.4}",
                    level.label(),
                    counts.precision(),
                    counts.recall(),
                    counts.f1()
                );
            }
        }
    }

    fn by_how(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<11} {:<9} {:>7} {:>7} {:>9} {:>7} {:>9}",
            "language", "how", "right", "wrong", "(no call)", "silent", "precision"
        );
        for ((language, how), counts) in &self.pooled() {
            let _ = writeln!(
                text,
                "{language:<11} {how:<9} {:>7} {:>7} {:>9} {:>7} {:>9.4}",
                counts.right,
                counts.wrong,
                counts.no_call,
                counts.silent,
                counts.precision()
            );
        }
    }

    /// Classes over all repositories.
    fn pooled(&self) -> HowTable {
        let mut pooled = HowTable::new();
        for (_, score) in &self.repositories {
            for (class, &counts) in &score.by_how {
                pooled.entry(class.clone()).or_default().add(counts);
            }
        }
        pooled
    }

    fn dispatch(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<14} {:>7} {:>7} {:>7} {:>9} {:>15}",
            "dispatch", "agree", "deny", "silent", "precision", "sites reached"
        );
        for (name, score) in &self.repositories {
            let DispatchCounts { agree, deny, silent, sites, reached } = score.dispatch;
            let precision = match agree + deny {
                0 => "-".to_owned(),
                _ => format!("{:.4}", score.dispatch.precision()),
            };
            let reached = format!("{reached}/{sites}");
            let _ = writeln!(text, "{name:<14} {agree:>7} {deny:>7} {silent:>7} {precision:>9} {reached:>15}");
        }
    }

    /// One object, with the figures rounded as the tables show them.
    pub fn json(&self) -> Value {
        let repositories: Vec<Value> = self.repositories.iter().map(|(name, score)| repository(name, score)).collect();
        json!({ "repositories": repositories, "by_how": how_rows(&self.pooled()) })
    }
}

fn repository(name: &str, score: &Score) -> Value {
    let levels: Map<String, Value> =
        score.levels.iter().map(|(level, counts)| (level.label().to_owned(), level_json(*counts))).collect();
    let DispatchCounts { agree, deny, silent, sites, reached } = score.dispatch;
    json!({
        "repository": name,
        "levels": levels,
        "by_how": how_rows(&score.by_how),
        "dispatch": {
            "agree": agree, "deny": deny, "silent": silent,
            "precision": rounded(score.dispatch.precision()),
            "sites": sites, "reached": reached,
        },
        "shapes": score.shapes.iter().map(|(shape, (found, all))| (shape.clone(), json!([found, all]))).collect::<Map<_, _>>(),
        "unscored": { "caller_file not in truth": score.unseen_files, "truth silent": score.silent },
    })
}

fn level_json(counts: Counts) -> Value {
    let Counts { truth, predicted, right } = counts;
    json!({
        "truth": truth, "predicted": predicted, "right": right,
        "precision": rounded(counts.precision()), "recall": rounded(counts.recall()), "f1": rounded(counts.f1()),
    })
}

fn how_rows(table: &HowTable) -> Vec<Value> {
    table
        .iter()
        .map(|((language, how), counts)| {
            json!({
                "language": language, "how": how,
                "right": counts.right, "wrong": counts.wrong, "no_call": counts.no_call, "silent": counts.silent,
                "precision": rounded(counts.precision()),
            })
        })
        .collect()
}

/// Four decimals, by way of the decimal text, so that halves fall as the tables show them.
fn rounded(share: f64) -> f64 {
    format!("{share:.4}").parse().unwrap_or(share)
}

fn recall_by_shape(text: &mut String, name: &str, score: &Score) {
    let _ = writeln!(text, "\n{name}: sites found, by shape");
    let mut shapes: Vec<_> = score.shapes.iter().collect();
    shapes.sort_by_key(|(shape, (_, all))| (std::cmp::Reverse(*all), *shape));
    for (shape, (found, all)) in shapes {
        let _ = writeln!(text, "{found:>7} of {all:>6} {:>7.4}  {shape}", *found as f64 / *all as f64);
    }
}

fn edges(text: &mut String, title: &str, name: &str, edges: &[Edge], shown: usize) {
    if shown == 0 {
        return;
    }
    let _ = writeln!(text, "\n{name}: {title} ({} in all)", edges.len());
    for edge in edges.iter().take(shown) {
        let Edge { from: (file, line), to: (callee_file, callee_line), name } = edge;
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        let name = name.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {file}{line} → {callee_file}:{callee_line} {name}");
    }
}
