//! Counts from run to run, as stacked bars: one bar a commit.

use std::fmt::Write as _;

use super::markup::escape;
use crate::finding::Level;
use crate::report::layout::count;
use crate::runs::Run;

/// Bars drawn, the newest: more would be hairlines.
const DRAWN: usize = 60;
/// Height of the chart; its width is one hundred for each bar, and is stretched.
const HEIGHT: f64 = 100.0;

/// The runs that are drawn.
pub fn drawn(runs: &[Run]) -> &[Run] {
    &runs[runs.len().saturating_sub(DRAWN)..]
}

/// The chart, in SVG; empty for fewer than two runs, which are no trend.
pub fn chart(runs: &[Run]) -> String {
    let runs = drawn(runs);
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return String::new() };
    if runs.len() < 2 {
        return String::new();
    }
    let most = runs.iter().map(Run::findings).max().unwrap_or(0).max(1) as f64;
    let width = runs.len() * 100;
    let mut svg = format!(
        "<svg class=\"trend\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"trend-title trend-desc\"><title id=\"trend-title\">Findings from run to run</title>\
         <desc id=\"trend-desc\">{} at the first of {} commits, {} at the last; the table below says the same.</desc>\n",
        count(first.findings(), "finding"),
        runs.len(),
        last.findings(),
    );
    for (place, run) in runs.iter().enumerate() {
        let _ = write!(svg, "<g><title>{}</title>", escape(&told(run)));
        let x = place * 100 + 12;
        let mut top = HEIGHT;
        for (level, class) in [(Level::High, "high"), (Level::Medium, "medium"), (Level::Low, "low")] {
            let height = run.of_level(level) as f64 / most * (HEIGHT - 2.0);
            if height > 0.0 {
                top -= height;
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{top:.2}\" width=\"76\" height=\"{height:.2}\"/>"
                );
            }
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>");
    svg
}

/// What a run is called: its commit, and whether there was more.
pub fn name(run: &Run) -> String {
    let commit = run.commit.as_deref().map_or("no commit", |commit| commit.get(..9).unwrap_or(commit));
    if run.dirty { format!("{commit} + changes") } else { commit.to_owned() }
}

/// The day of the commit, else that of the run.
pub fn day(run: &Run) -> String {
    let committed = run.committed.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let text = committed.map_or_else(|| run.time.clone(), |time| time.to_string());
    text.get(..10).unwrap_or(&text).to_owned()
}

fn told(run: &Run) -> String {
    let [high, medium, low] = [Level::High, Level::Medium, Level::Low].map(|level| run.of_level(level));
    format!(
        "{}, {}: {} ({high} high, {medium} medium, {low} low)",
        day(run),
        name(run),
        count(run.findings(), "finding")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn run(number: usize) -> Run {
        Run {
            time: "2026-11-21T10:00:00Z".to_owned(),
            commit: Some(format!("{number:040}")),
            committed: Some(1_780_000_000 + number as i64 * 86_400),
            dirty: number == 1,
            levels: BTreeMap::from([(Level::High, number), (Level::Low, 2)]),
            categories: BTreeMap::new(),
            known: 0,
            lines: 10_000,
            planner: "built-in".to_owned(),
            settings: "5e771265".to_owned(),
            version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn one_run_is_no_trend_and_many_are_cut_to_the_newest() {
        assert_eq!(chart(&[]), "");
        assert_eq!(chart(&[run(1)]), "");
        let runs: Vec<Run> = (0..100).map(run).collect();
        let svg = chart(&runs);
        assert_eq!(svg.matches("<g>").count(), DRAWN);
        assert!(svg.contains("42 findings at the first of 60 commits, 101 at the last"), "{svg}");
    }

    #[test]
    fn a_run_is_called_by_its_commit() {
        assert_eq!(name(&run(1)), "000000000 + changes");
        assert_eq!(day(&run(0)), "2026-05-28");
        assert_eq!(day(&Run { committed: None, ..run(0) }), "2026-11-21");
    }
}
