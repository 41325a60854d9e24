//! Lifted: a function that only hands a parameter on to a sink is one itself, so its callers' arguments are looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::taint::guards::Check;
use crate::effects::taint::names::{Meaning, Spot, keys_of};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::sinks::Site;
use crate::effects::taint::{Context, Danger};
use crate::finding::Hop;
use crate::repo_map::expr::Expr;
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileRole, SymbolId};

/// Functions a sink is followed out of.
const MAX_LIFTS: u32 = 3;
/// Callers of one such function that are looked at, the first in order.
const MAX_CALLERS: usize = 300;
/// Sinks of one danger, the project's own included. Our choice: far above what real repositories have.
const MAX_SINKS: usize = 20_000;

impl<'a> Taint<'a> {
    /// Replaces sinks that get nothing but a parameter by the calls that hand it in.
    pub(super) fn lifted(&self, sinks: Vec<Site<'a>>) -> Vec<Site<'a>> {
        let mut kept = Vec::new();
        let mut counts: BTreeMap<Danger, usize> = BTreeMap::new();
        // With the keys: of one object a function may hand on several fields.
        let mut seen: BTreeSet<(CallId, Danger, *const Expr, Vec<Name>)> = BTreeSet::new();
        let mut work = sinks;
        while !work.is_empty() {
            let mut next = Vec::new();
            for site in work {
                let count = counts.entry(site.danger).or_default();
                let place = (site.call, site.danger, std::ptr::from_ref(site.expr), site.keys.clone());
                if *count >= MAX_SINKS || !seen.insert(place) {
                    continue;
                }
                *count += 1;
                let callers = self.handed_in(&site);
                if callers.is_empty() {
                    kept.push(site);
                } else {
                    next.extend(callers);
                }
            }
            work = next;
        }
        kept.sort_by_key(|site| (site.call, site.danger));
        kept
    }

    /// The calls that hand in what `site` gets, when it gets a parameter as it is.
    fn handed_in(&self, site: &Site<'a>) -> Vec<Site<'a>> {
        if site.lifts >= MAX_LIFTS {
            return Vec::new();
        }
        let Some((function, position, mut keys)) = self.plain_parameter(site) else { return Vec::new() };
        keys.extend_from_slice(&site.keys);
        let map = self.map;
        // A function that the framework calls is an end of the way.
        let symbol = map.symbol(function);
        let declared = symbol.parameters[position].declared_type.as_deref().unwrap_or_default();
        let kind = self.kind(function.file, declared, &keys, site.danger);
        if self.parameter_source(function, position, &keys, kind).is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for &call in map.callers(function).iter().take(MAX_CALLERS) {
            let caller = map.file(call.file);
            let is_itself = map.caller_of(call) == Some(function);
            if is_itself || caller.role != FileRole::Production || map.is_test(call.file, map.call(call).caller) {
                continue;
            }
            let Some(mut expr) = self.argument(call, function, position) else { continue };
            let mut keys = &keys[..];
            while let (Expr::Object(entries), Some((key, rest))) = (expr.peeled(), keys.split_first()) {
                let Some((_, value)) = entries.iter().find(|(own, _)| own == key) else { break };
                (expr, keys) = (value, rest);
            }
            let own = map.call(site.call);
            let mut reaches =
                vec![Hop { file: map.file(site.call.file).path.clone(), line: own.line, symbol: site.api.clone() }];
            if !site.reaches.is_empty() {
                reaches[0].symbol = own.name.to_string();
                reaches.extend(site.reaches.iter().cloned());
            }
            found.push(Site {
                call,
                expr,
                keys: keys.to_vec(),
                danger: site.danger,
                api: site.api.clone(),
                library: site.library,
                fragment: site.fragment,
                reaches,
                lifts: site.lifts + 1,
            });
        }
        found
    }

    /// The parameter that a sink gets, when it gets one as it is.
    fn plain_parameter(&self, site: &Site<'a>) -> Option<(SymbolId, usize, Vec<Name>)> {
        let facts = &self.map.file(site.call.file).facts;
        let own = facts.call(site.call.index);
        let mut at = own.span.start;
        let mut expr = site.expr.peeled();
        let mut keys: Vec<Name> = Vec::new();
        let spot = Spot::of_call(site.call.file, own);
        for _ in 0..6 {
            // What the function asks about its parameter is asked of whatever its callers hand in.
            let check = self.check(spot, expr, site.danger, &Context::default());
            if matches!(check, Check::Named | Check::Allowed) {
                return None;
            }
            match expr {
                Expr::Member(object, name) if !matches!(object.peeled(), Expr::This) => {
                    keys.insert(0, *name);
                    expr = object.peeled();
                }
                Expr::Call(index) => {
                    let site = facts.call(*index);
                    let passes = matches!(
                        site.name.as_str(),
                        "trim"
                            | "as_ref"
                            | "as_str"
                            | "to_string"
                            | "toString"
                            | "clone"
                            | "as_path"
                            | "to_owned"
                            | "into"
                    );
                    match site.callee.peeled() {
                        Expr::Member(object, _) if passes && site.arguments.is_empty() => expr = object.peeled(),
                        _ => return None,
                    }
                }
                Expr::Name(name) => match self.index(site.call.file).meaning(facts, name, at) {
                    Meaning::Parameter { symbol, position, taken } => {
                        let mut taken = keys_of(taken);
                        taken.extend(keys);
                        return Some((SymbolId { file: site.call.file, index: symbol }, position, taken));
                    }
                    Meaning::Variable(binding)
                        if binding.taken.is_none()
                            && self.index(site.call.file).assigned(facts, name).next().is_none() =>
                    {
                        at = binding.span.start;
                        expr = binding.value.as_ref()?.peeled();
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
        None
    }
}
