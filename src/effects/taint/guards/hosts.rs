//! Hosts: whether something asked where an address leads, once it was taken apart.

use crate::effects::chain;
use crate::effects::taint::guards::words::{MEMBERSHIP, is_check};
use crate::effects::taint::guards::{bare, is_around};
use crate::effects::taint::names::Spot;
use crate::effects::taint::repository::Taint;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::FileFacts;
use crate::repo_map::name::words;

impl Taint<'_> {
    /// Whether the origin or host of the address `name` was set, compared or looked up before `spot`, or the address itself handed
    /// to something named like a check.
    pub fn host_is_asked(&self, spot: Spot, name: &str) -> bool {
        let facts = &self.map.file(spot.file).facts;
        let index = self.index(spot.file);
        let is_it = |at: u32| index.same_meaning(facts, name, at, spot.at);
        // `const parsed = new URL(url)`, and what is asked is `parsed.origin`.
        let copies: Vec<&str> = parsed_copies(facts, name, spot).collect();
        let is_compared = facts.comparisons.iter().any(|comparison| {
            let of = |name: &str| is_host(facts, &comparison.left, name) || is_host(facts, &comparison.right, name);
            comparison.span.end <= spot.until
                && (of(name) || copies.iter().any(|copy| of(copy)))
                && is_around(facts, comparison.symbol, spot)
                && is_it(comparison.span.start)
        });
        let is_set = facts.assignments.iter().any(|assignment| {
            assignment.span.end <= spot.until
                && is_host(facts, &assignment.target, name)
                && is_it(assignment.span.start)
        });
        // `const hostname = parsed.hostname.replace(BRACKETS, "")`, and what is asked is `hostname`.
        let parts = facts.bindings.iter().filter(|binding| {
            binding.span.end <= spot.until
                && is_around(facts, binding.owner, spot)
                && is_it(binding.span.start)
                && binding.value.as_ref().is_some_and(|value| {
                    let mut found = false;
                    chain::walk_deep(facts, value, &mut |inner| {
                        found |= is_host(facts, inner, name) || copies.iter().any(|copy| is_host(facts, inner, copy));
                    });
                    found
                })
        });
        let is_part_asked = parts.into_iter().any(|part| {
            index.mentioning(&part.name).iter().any(|&call| {
                let site = facts.call(call);
                let takes_it = site
                    .arguments
                    .iter()
                    .any(|argument| matches!(argument.peeled(), Expr::Name(own) if *own == part.name));
                site.span.end <= spot.until
                    && is_around(facts, site.caller, spot)
                    && takes_it
                    && words(&site.name).iter().any(|word| is_check(word))
            })
        });
        is_compared
            || is_set
            || is_part_asked
            || index.mentioning(name).iter().any(|&call| {
                let site = facts.call(call);
                if site.span.end > spot.until || !is_around(facts, site.caller, spot) {
                    return false;
                }
                let called = site.name.as_str();
                let is_check = || words(called).iter().any(|word| is_check(word));
                let of_host = matches!(site.callee.peeled(), Expr::Member(object, _) if is_host(facts, object, name));
                let takes_host = site.arguments.iter().any(|argument| is_host(facts, argument, name));
                let takes_it =
                    site.arguments.iter().any(|argument| matches!(argument.peeled(), Expr::Name(own) if own == name));
                let asks = (of_host
                    && matches!(called, "endsWith" | "startsWith" | "includes" | "match" | "ends_with"))
                    || (takes_host && (MEMBERSHIP.contains(&called) || called == "test" || is_check()))
                    || (takes_it && is_check());
                asks && is_it(site.span.start)
            })
    }
}

/// Names that hold the parts of the address `name`: `parsed` of `parsed = new URL(name)`, before `spot`.
fn parsed_copies<'f>(facts: &'f FileFacts, name: &str, spot: Spot) -> impl Iterator<Item = &'f str> {
    let takes_apart = move |value: &Expr| {
        let Expr::Call(index) = value.peeled() else { return false };
        let site = facts.call(*index);
        site.name == "URL"
            && site.span.end <= spot.until
            && is_around(facts, site.caller, spot)
            && matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Name(own)) if own == name)
    };
    let bound: Vec<&str> = facts
        .bindings
        .iter()
        .filter(|binding| binding.value.as_ref().is_some_and(&takes_apart))
        .map(|binding| binding.name.as_str())
        .collect();
    let assigned: Vec<&str> = facts
        .assignments
        .iter()
        .filter(|assignment| takes_apart(&assignment.value))
        .filter_map(|assignment| match assignment.target.peeled() {
            Expr::Name(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    bound.into_iter().chain(assigned)
}

/// `name.origin`, `name.hostname.toLowerCase()`, `name.host_str()`.
fn is_host(facts: &FileFacts, expr: &Expr, name: &str) -> bool {
    let expr = match expr.peeled() {
        Expr::Call(index) => match facts.call(*index).callee.peeled() {
            Expr::Member(object, _) if matches!(object.peeled(), Expr::Member(..)) => bare(facts, expr),
            callee => callee,
        },
        other => other,
    };
    matches!(expr, Expr::Member(object, part)
        if matches!(part.as_str(), "origin" | "host" | "hostname" | "host_str" | "domain")
            && matches!(object.peeled(), Expr::Name(own) if own == name))
}
