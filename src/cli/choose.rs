//! Which findings become plans: chosen by flags, by hand on a terminal, else the first five.

use std::collections::BTreeSet;
use std::fmt;

use clap::Args;
use improve::finding::{Category, Finding};
use improve::report::human;
use improve::report::layout::count;
use inquire::{InquireError, MultiSelect};

use super::console::{Console, terminal_width};
use super::failure::Failure;

/// Findings taken when nobody chooses.
const DEFAULT: usize = 5;
/// Rows of the list on screen.
const ROWS: usize = 15;
/// Columns inquire takes beside an option: cursor, box and a margin.
const FRAME: usize = 8;

/// How to choose without being asked.
#[derive(Debug, Clone, Args)]
pub struct ChooseArgs {
    /// Plan these findings: numbers of the table or beginnings of fingerprints, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', group = "choice")]
    select: Vec<String>,
    /// Plan the first N findings
    #[arg(long, value_name = "N", group = "choice")]
    top: Option<usize>,
    /// Plan every finding
    #[arg(long, group = "choice")]
    all: bool,
}

impl ChooseArgs {
    /// The same; where it leaves the choice open, nothing is chosen.
    pub fn or_none(self) -> ChooseArgs {
        if self.decides() { self } else { ChooseArgs { top: Some(0), ..self } }
    }

    /// Whether the flags alone decide.
    pub fn decides(&self) -> bool {
        let ChooseArgs { select, top, all } = self;
        !select.is_empty() || top.is_some() || *all
    }
}

/// Positions of the findings to plan, in order. Empty when the user picked none.
pub fn choose(args: &ChooseArgs, findings: &[Finding], console: &Console) -> Result<Vec<usize>, Failure> {
    let ChooseArgs { select, top, all } = args;
    if !select.is_empty() {
        let chosen = select.iter().map(|id| position(id.trim(), findings)).collect::<Result<BTreeSet<_>, _>>()?;
        return Ok(chosen.into_iter().collect());
    }
    let first = |number: usize| (0..findings.len().min(number)).collect();
    match (all, top) {
        (true, _) => Ok(first(usize::MAX)),
        (false, Some(top)) => Ok(first(*top)),
        (false, None) if console.interactive && !findings.is_empty() => pick(findings),
        (false, None) => Ok(first(DEFAULT)),
    }
}

/// The finding a number of the table or the beginning of a fingerprint means. Numbers win: no fingerprint is that short.
fn position(id: &str, findings: &[Finding]) -> Result<usize, Failure> {
    let number = if id.len() < 6 { id.parse::<usize>().ok() } else { None };
    if let Some(number) = number {
        return number.checked_sub(1).filter(|&index| index < findings.len()).ok_or_else(|| {
            Failure::usage(format!("--select {id}: there are {}", count(findings.len(), "finding")))
                .hint("`improve audit --all` numbers them")
        });
    }
    let matching: Vec<usize> =
        (0..findings.len()).filter(|&index| id.len() >= 4 && findings[index].fingerprint.starts_with(id)).collect();
    match matching.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::usage(format!("--select {id}: no such finding"))
            .hint("write numbers of the table or at least four digits of a fingerprint: --select 1,3,0af2")),
        _ => Err(Failure::usage(format!("--select {id}: several findings begin with it")).hint("write more of it")),
    }
}

/// An option of the list.
struct Row {
    index: usize,
    text: String,
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Asks on the terminal, the first five ticked; a direction is ticked by nobody but the user.
fn pick(findings: &[Finding]) -> Result<Vec<usize>, Failure> {
    let rows: Vec<Row> = findings
        .iter()
        .enumerate()
        .map(|(index, finding)| Row { index, text: human::pick_line(finding, terminal_width().saturating_sub(FRAME)) })
        .collect();
    let ticked = (0..findings.len().min(DEFAULT)).filter(|&index| findings[index].category != Category::Direction);
    let ticked: Vec<usize> = ticked.collect();
    let answer = MultiSelect::new("Which findings shall become plans?", rows)
        .with_default(&ticked)
        .with_page_size(ROWS)
        .with_help_message("↑↓ move · space tick · → all · ← none · type filters · enter go on · esc none")
        .with_formatter(&|chosen| count(chosen.len(), "finding"))
        .prompt();
    match answer {
        Ok(chosen) => {
            let chosen: BTreeSet<usize> = chosen.into_iter().map(|row| row.index).collect();
            Ok(chosen.into_iter().collect())
        }
        Err(InquireError::OperationCanceled) => Ok(Vec::new()),
        Err(InquireError::OperationInterrupted) => Err(Failure::interrupted()),
        Err(error) => Err(Failure::usage(format!("the list cannot be shown: {error}"))
            .hint("choose with --select, --top or --all, or add --no-input")),
    }
}

#[cfg(test)]
mod tests {
    use improve::finding::{Confidence, Effort, Evidence, Risk};

    use super::*;

    fn findings() -> Vec<Finding> {
        ["1111aaaa", "1111bbbb", "2222cccc"]
            .into_iter()
            .map(|fingerprint| Finding {
                fingerprint: fingerprint.into(),
                rule: "r".into(),
                category: Category::Bug,
                title: "t".into(),
                message: "m".into(),
                impact: 3,
                effort: Effort::S,
                risk: Risk::Low,
                confidence: Confidence::High,
                leverage: 3.0,
                state: None,
                evidence: vec![Evidence::new("a.ts", 1, 1, "place")],
                call_path: vec![],
                mechanical: false,
                symbol: String::new(),
                origin: None,
            })
            .collect()
    }

    fn console() -> Console {
        Console::plain()
    }

    fn args(select: &[&str], top: Option<usize>, all: bool) -> ChooseArgs {
        ChooseArgs { select: select.iter().map(|id| (*id).to_owned()).collect(), top, all }
    }

    #[test]
    fn numbers_and_fingerprints_select_in_order_and_once() {
        let chosen = choose(&args(&["3", "1111a", "1"], None, false), &findings(), &console());
        assert_eq!(chosen, Ok(vec![0, 2]));
    }

    #[test]
    fn ambiguous_and_unknown_ids_are_refused() {
        let message =
            |id: &str| choose(&args(&[id], None, false), &findings(), &console()).expect_err("refused").message;
        assert_eq!(message("1111"), Some("--select 1111: there are 3 findings".into()));
        assert_eq!(message("4"), Some("--select 4: there are 3 findings".into()));
        assert_eq!(message("0"), Some("--select 0: there are 3 findings".into()));
        assert_eq!(message("ffff"), Some("--select ffff: no such finding".into()));
    }

    #[test]
    fn without_flags_and_without_a_terminal_the_first_five_are_taken() {
        assert_eq!(choose(&args(&[], None, false), &findings(), &console()), Ok(vec![0, 1, 2]));
        assert_eq!(choose(&args(&[], Some(1), false), &findings(), &console()), Ok(vec![0]));
    }
}
