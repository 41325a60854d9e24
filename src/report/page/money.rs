//! Money on a page: what was measured, and apart from it what is only expected.

use serde::Serialize;

use crate::model::NanoDollars;
use crate::report::document::ReportDocument;
use crate::report::layout::{count, grouped};
use crate::report::money::Money;

/// Money in words and bars.
#[derive(Serialize)]
pub struct MoneyView {
    /// There is something to say.
    any: bool,
    /// Measured: label, amount, remark.
    measured: Vec<(String, String, String)>,
    /// Measured: what each role took.
    roles: Vec<BarView>,
    /// Estimates: label, amount, remark.
    estimates: Vec<(String, String, String)>,
    /// What carrying out cost, and what it would have cost.
    instead: Vec<BarView>,
}

/// A bar; its width is in hundredths of the largest.
#[derive(Serialize)]
struct BarView {
    label: String,
    amount: String,
    width: String,
    estimate: bool,
}

impl MoneyView {
    /// What a document says of money.
    pub fn of(document: &ReportDocument) -> MoneyView {
        let money = &document.money;
        let mut view = MoneyView {
            any: false,
            measured: measured(document),
            roles: roles(money),
            estimates: estimates(money),
            instead: Vec::new(),
        };
        if let Some(instead) = &money.planner_instead {
            let most = instead.nano_usd.max(instead.planner_nano_usd).max(1);
            view.instead = vec![
                bar("by executors", instead.nano_usd, most, false),
                bar(&format!("by {}", instead.model), instead.planner_nano_usd, most, true),
            ];
        }
        view.any = !view.measured.is_empty() || !view.estimates.is_empty();
        view
    }
}

fn measured(document: &ReportDocument) -> Vec<(String, String, String)> {
    let money = &document.money;
    let mut rows = Vec::new();
    if let Some(spending) = &money.spending {
        let calls = count(to_usize(spending.calls), "call");
        let cached = spending.cached_tokens.saturating_mul(100).checked_div(spending.prompt_tokens);
        let mut remark =
            format!("{} of prompts and {} of answers", tokens(spending.prompt_tokens), tokens(spending.output_tokens));
        if let Some(share) = cached {
            remark.push_str(&format!("; {share} % of the prompts from the vendor's cache"));
        }
        rows.push((format!("models, in {calls}"), NanoDollars(spending.nano_usd).to_string(), remark));
        if spending.unpriced_calls > 0 {
            let calls = count(to_usize(spending.unpriced_calls), "call");
            rows.push((calls, "unpriced".to_owned(), "no known price or tokens: not nothing".to_owned()));
        }
        if spending.unreadable_lines > 0 {
            let lines = count(spending.unreadable_lines, "line");
            rows.push((lines, "not counted".to_owned(), "of the ledger that cannot be read".to_owned()));
        }
        if let Some(each) = money.per_verified() {
            let all = format!("of {}, all money shared among them", count(money.verified, "verified plan"));
            rows.push(("each verified plan".to_owned(), each.to_string(), all));
        }
        let cost = &document.audit.cost;
        if cost.model_calls > 0 || cost.kept_replies > 0 {
            let kept = match cost.kept_replies {
                0 => String::new(),
                kept => format!("; {} from replies that were paid for before", count(to_usize(kept), "answer")),
            };
            let calls = format!("in {}{kept}", count(to_usize(cost.model_calls), "call"));
            rows.push(("this report".to_owned(), NanoDollars(cost.nano_usd).to_string(), calls));
        }
    }
    if let Some(share) = (money.verified * 100).checked_div(money.runs) {
        let of = format!("{} of {} ended verified", money.verified, count(money.runs, "run"));
        rows.push(("plans carried out".to_owned(), format!("{share} %"), of));
    }
    rows
}

fn roles(money: &Money) -> Vec<BarView> {
    let Some(spending) = &money.spending else { return Vec::new() };
    let most = spending.roles.values().map(|role| role.nano_usd).max().unwrap_or(0);
    let priced = spending.roles.iter().filter(|(_, of)| of.nano_usd > 0);
    priced.map(|(role, of)| bar(role.label(), of.nano_usd, most, false)).collect()
}

fn estimates(money: &Money) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    if let Some(open) = &money.open_plans {
        let hours = open.minutes as f64 / 60.0;
        let time = if open.minutes < 90 { format!("{} min", open.minutes) } else { format!("{hours:.0} h") };
        let free = match open.without_a_model {
            0 => String::new(),
            free => format!("; {} without a model", grouped(free)),
        };
        rows.push((
            count(open.plans, "open plan"),
            format!("{time}, {}", tokens(open.tokens)),
            format!("as the plans themselves guess, one after the other{free}"),
        ));
    }
    if let Some(instead) = &money.planner_instead {
        rows.push((
            format!("steps by {}", instead.model),
            NanoDollars(instead.planner_nano_usd).to_string(),
            format!(
                "as many tokens at its price, instead of {} measured for {} of executors",
                NanoDollars(instead.nano_usd),
                count(to_usize(instead.calls), "call")
            ),
        ));
    }
    rows
}

fn bar(label: &str, nano_usd: u64, most: u64, estimate: bool) -> BarView {
    BarView {
        label: label.to_owned(),
        amount: NanoDollars(nano_usd).to_string(),
        width: format!("{:.2}", nano_usd as f64 * 100.0 / most.max(1) as f64),
        estimate,
    }
}

/// `9,000 tokens`, `1.2 million tokens`.
fn tokens(number: u64) -> String {
    match number {
        number if number >= 1_000_000 => format!("{:.1} million tokens", number as f64 / 1e6),
        number => count(to_usize(number), "token"),
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
