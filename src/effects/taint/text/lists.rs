//! Lists: texts that are gathered in a list or a growing string before they become one.

use crate::effects::taint::names::{Meaning, Spot, spot_of_return};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::text::{Hole, Piece, Way};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts};

impl<'a> Taint<'a> {
    /// Arguments of calls of `methods` on the variable `name`, in order.
    pub(super) fn pushed(&self, spot: Spot, name: &str, methods: &[&str]) -> Vec<(Spot, &'a Expr)> {
        let facts = &self.map.file(spot.file).facts;
        let index = self.index(spot.file);
        let mut found = Vec::new();
        for &call in index.mentioning(name) {
            let site = facts.call(call);
            let on_it = matches!(site.callee.peeled(), Expr::Member(object, _) if matches!(object.peeled(), Expr::Name(own) if own == name));
            if on_it
                && methods.contains(&site.name.as_str())
                && index.same_meaning(facts, name, site.span.start, spot.at)
            {
                let own = Spot::of_call(spot.file, site);
                found.extend(site.arguments.iter().map(|argument| (own, argument)));
            } else if site.kind == CallKind::Macro
                && matches!(site.name.as_str(), "write" | "writeln")
                && site.arguments.first().is_some_and(|first| first.mentions(name))
                && methods.contains(&"push_str")
            {
                let own = Spot::of_call(spot.file, site);
                found.extend(site.arguments.iter().skip(1).map(|argument| (own, argument)));
            }
        }
        found.truncate(60);
        found
    }

    /// The items of a list of texts, as far as they can be told.
    pub(super) fn items(&self, spot: Spot, expr: &'a Expr, way: Way<'_>) -> Vec<Vec<Piece<'a>>> {
        let expr = expr.peeled();
        let facts = &self.map.file(spot.file).facts;
        let hole = || vec![vec![Piece::Hole(Hole { spot, expr, keys: vec!["*".into()], stack: way.stack.to_vec() })]];
        if !way.look() {
            return hole();
        }
        match expr {
            Expr::Array(items) => items
                .iter()
                .flat_map(|item| match item {
                    Expr::Spread(inner) => self.items(spot, inner, way.deeper()),
                    item => vec![self.pieces(spot, item, way.deeper())],
                })
                .collect(),
            Expr::Name(name) => match self.meaning(spot, *name) {
                Meaning::Variable(binding) if binding.taken.is_none() => {
                    let own = Spot::of_binding(spot.file, binding);
                    let mut found = match &binding.value {
                        Some(Expr::Call(made)) if is_empty_text(facts, *made) => Vec::new(),
                        Some(value) => self.items(own, value, way.deeper()),
                        None => Vec::new(),
                    };
                    for (own, argument) in self.pushed(spot, name, &["push", "unshift", "push_back", "extend"]) {
                        match argument {
                            Expr::Spread(inner) => found.extend(self.items(own, inner, way.deeper())),
                            argument => found.push(self.pieces(own, argument, way.deeper())),
                        }
                    }
                    found
                }
                _ => hole(),
            },
            Expr::Either(alternatives) => {
                alternatives.iter().flat_map(|inner| self.items(spot, inner, way.deeper())).collect()
            }
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "||" | "??") => {
                let mut found = self.items(spot, left, way.deeper());
                found.extend(self.items(spot, right, way.deeper()));
                found
            }
            Expr::Call(index) => {
                let site = facts.call(*index);
                let own = Spot::of_call(spot.file, site);
                let Expr::Member(object, _) = site.callee.peeled() else { return hole() };
                match (site.name.as_str(), site.arguments.first().map(Expr::peeled)) {
                    ("map" | "flatMap" | "filter_map" | "flat_map", Some(Expr::Function { region, symbol, .. })) => {
                        let index = self.index(spot.file);
                        let returned = match (symbol, region) {
                            (Some(symbol), _) => index.returned_by(facts, *symbol),
                            (None, Some(region)) => index.returned_in(facts, *region),
                            (None, None) => Vec::new(),
                        };
                        let alternatives = returned
                            .into_iter()
                            .take(12)
                            .map(|value| {
                                let spot = spot_of_return(self.map, spot.file, value);
                                self.pieces(spot, &value.value, way.deeper())
                            })
                            .collect();
                        vec![vec![Piece::Either(alternatives)]]
                    }
                    (
                        "filter" | "sort" | "reverse" | "flat" | "slice" | "iter" | "into_iter" | "collect"
                        | "toSorted" | "concat" | "cloned" | "copied" | "rev",
                        _,
                    ) => self.items(own, object, way.deeper()),
                    _ => hole(),
                }
            }
            _ => hole(),
        }
    }
}

/// `String::new()`, `Vec::new()`, `String::with_capacity(n)`.
pub(super) fn is_empty_text(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    matches!(site.name.as_str(), "new" | "with_capacity") && matches!(site.callee.peeled(), Expr::Path(_))
}
