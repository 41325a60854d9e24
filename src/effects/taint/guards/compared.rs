//! Compared: values that must equal something before they get any further.

use crate::effects::taint::guards::{Check, is_around, is_same};
use crate::effects::taint::names::{Meaning, Spot, keys_of};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::{Danger, Trust};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Assignment, CallKind, Comparison, FileFacts, Region, RegionKind, Usage};

/// Bytes between a comparison and the branch it decides: `) {`, another short condition. Our choice.
const MAX_TO_BRANCH: u32 = 40;

/// Bytes between a search and the branch that asks whether it found anything: a blank line, `if (!found) {`. Our choice.
const MAX_TO_ASKED: u32 = 80;

/// Methods of lists that ask each item.
const ASK_EACH: &[&str] = &["some", "find", "findIndex", "any", "position", "every", "all"];

impl Taint<'_> {
    /// `if (x === 'a') { here }`, `if (x !== client.address) throw`, `for item in list { if x == item { found = true } }`.
    ///
    /// What is registered is an address that somebody may be sent to; of a statement or a path, equality with an unknown value says
    /// nothing.
    pub(super) fn compared(&self, spot: Spot, expr: &Expr, danger: Danger) -> Check {
        let is_address = matches!(danger, Danger::Redirect | Danger::Url);
        let facts = &self.map.file(spot.file).facts;
        let mut best = Check::None;
        for comparison in &facts.comparisons {
            if comparison.span.end > spot.until {
                continue;
            }
            let other = if is_same(lower(facts, &comparison.left), expr) {
                &comparison.right
            } else if is_same(lower(facts, &comparison.right), expr) {
                &comparison.left
            } else {
                continue;
            };
            let branch = decided(facts, comparison);
            let holds_it = |region: &&Region| region.span.start <= spot.at && spot.at <= region.span.end;
            let found = match (comparison.operator.as_str(), other.peeled()) {
                ("===" | "==", Expr::Text(text)) if !text.is_empty() && branch.filter(holds_it).is_some() => {
                    Check::Allowed
                }
                (_, Expr::Text(_) | Expr::Nothing | Expr::Number(_) | Expr::Bool(_)) => Check::None,
                // `known.find((own) => own.id === id)`, and whoever is not found goes no further: a list for a path, too.
                ("===" | "==", _) if danger == Danger::Path && is_looked_up(facts, comparison, other) => Check::Named,
                _ if !is_address || self.is_sent_too(spot, comparison, expr, other, danger) => Check::None,
                ("===" | "==", _) if branch.filter(holds_it).is_some() || is_item(facts, comparison, other) => {
                    Check::Named
                }
                ("!==" | "!=", _) if branch.is_some_and(|region| !holds_it(&region) && leaves(facts, region)) => {
                    Check::Named
                }
                _ => Check::None,
            };
            let speaks_of_it = || {
                is_around(facts, comparison.symbol, spot)
                    && expr.root_name().is_some_and(|root| {
                        self.index(spot.file).same_meaning(facts, root, comparison.span.start, spot.at)
                    })
            };
            if found == Check::Allowed || (found > best && speaks_of_it()) {
                best = best.max(found);
            }
        }
        best
    }

    /// Whether what a value is compared with comes from the same request: `body.password !== body.confirmation`.
    fn is_sent_too(&self, spot: Spot, comparison: &Comparison, expr: &Expr, other: &Expr, danger: Danger) -> bool {
        let facts = &self.map.file(spot.file).facts;
        let index = self.index(spot.file);
        let here = Spot { at: comparison.span.start, until: comparison.span.end, ..spot };
        let is_read = |expr: &Expr| {
            let variable = expr.root_name().map(|root| index.meaning(facts, root, here.at));
            let found = match variable {
                Some(Meaning::Variable(binding)) if binding.value.is_some() => {
                    let value = binding.value.as_ref().map(Expr::peeled);
                    let keys = keys_of(binding.taken);
                    value.and_then(|value| self.read(Spot::of_binding(spot.file, binding), value, &keys, danger))
                }
                _ => self.read(here, expr, &[], danger),
            };
            found.is_some_and(|found| found.trust == Trust::Client)
        };
        let same_root = || match (expr.root_name(), other.root_name()) {
            (Some(one), Some(two)) => index.is_of_one_value(facts, one, two, here.at),
            _ => false,
        };
        is_read(other) || (!is_read(expr) && same_root())
    }
}

/// The branch that a comparison decides.
fn decided<'f>(facts: &'f FileFacts, comparison: &Comparison) -> Option<&'f Region> {
    facts.regions.iter().find(|region| {
        matches!(region.kind, RegionKind::Branch)
            && region.span.start >= comparison.span.end
            && region.span.start - comparison.span.end < MAX_TO_BRANCH
    })
}

/// Whether a name is an item of a list that is gone through around the comparison, to find out whether one equals the value.
fn is_item(facts: &FileFacts, comparison: &Comparison, other: &Expr) -> bool {
    let Some(root) = other.root_name() else { return false };
    let decides = || {
        decided(facts, comparison).is_some_and(|region| {
            let assigns = |assignment: &Assignment| assignment.operator == "=" && region.span.contains(assignment.span);
            leaves(facts, region) || facts.assignments.iter().any(assigns)
        })
    };
    facts.enclosing_regions(comparison.region).any(|(_, region)| match &region.kind {
        RegionKind::Loop(head) => head.bindings.iter().any(|name| name == root) && decides(),
        RegionKind::Callback { call: Some(call), parameters, .. } => {
            parameters.iter().any(|name| name == root) && ASK_EACH.contains(&facts.call(*call).name.as_str())
        }
        _ => false,
    })
}

/// A value in small letters is the value.
fn lower<'a>(facts: &'a FileFacts, expr: &'a Expr) -> &'a Expr {
    let Expr::Call(index) = expr.peeled() else { return expr };
    match facts.call(*index).callee.peeled() {
        Expr::Member(inner, form) if matches!(form.as_str(), "toLowerCase" | "to_lowercase" | "toUpperCase") => inner,
        _ => expr,
    }
}

/// Whether the comparison finds an item of a list whose absence is asked about afterwards: `if (!found) throw …`.
fn is_looked_up(facts: &FileFacts, comparison: &Comparison, other: &Expr) -> bool {
    let other = lower(facts, other);
    let Some(root) = other.root_name() else { return false };
    facts.enclosing_regions(comparison.region).any(|(_, region)| match &region.kind {
        RegionKind::Callback { call: Some(call), parameters, .. } => {
            let host = facts.call(*call);
            let asked = || {
                let after = |region: &&Region| {
                    matches!(region.kind, RegionKind::Branch)
                        && region.span.start >= host.span.end
                        && region.span.start - host.span.end < MAX_TO_ASKED
                };
                host.usage == Usage::Tested || facts.regions.iter().filter(after).any(|region| leaves(facts, region))
            };
            parameters.iter().any(|name| name == root) && ASK_EACH.contains(&host.name.as_str()) && asked()
        }
        _ => false,
    })
}

/// Whether a branch leaves its function: it returns or throws.
fn leaves(facts: &FileFacts, region: &Region) -> bool {
    facts.returns.iter().any(|given| region.lines.contains(given.line))
        || facts.calls.iter().any(|site| {
            region.span.contains(site.span)
                && match site.kind {
                    CallKind::New => site.usage == Usage::Passed,
                    CallKind::Macro => matches!(site.name.as_str(), "bail" | "panic"),
                    _ => false,
                }
        })
}
