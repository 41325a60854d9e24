//! Parameters: from a name that a caller or a framework gives its value, to where it is given; and fields of `this`.

use crate::effects::entry::Handler;
use crate::effects::taint::Trust;
use crate::effects::taint::names::Spot;
use crate::effects::taint::schemas::Field;
use crate::effects::taint::trace::{At, Found, Walk, is_id, parameter_text};
use crate::effects::taint::types::Kind;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{RegionIndex, RegionKind, SymbolIndex};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, How, SymbolId};

/// Functions a parameter is followed out of.
const MAX_UP: u32 = 3;

/// Callers of one function that are asked, the first in order.
const MAX_CALLERS: usize = 12;

/// Methods that hand each item, or the value itself, to a callback.
pub const HANDS_ON: &[&str] = &[
    "map",
    "forEach",
    "flatMap",
    "filter",
    "some",
    "every",
    "find",
    "findIndex",
    "for_each",
    "filter_map",
    "flat_map",
    "and_then",
    "then",
    "inspect",
    "try_for_each",
    "reduce",
    "fold",
    "any",
    "all",
    "map_or",
    "is_some_and",
    "mapSeries",
    "findLast",
    "for_each_concurrent",
];

impl Walk<'_, '_> {
    /// A parameter of a callback: handed on by a method of what it runs over, or by a framework.
    pub(super) fn of_callback(&mut self, at: &At<'_>, name: Name, region: RegionIndex, position: usize) -> Found {
        let facts = self.facts(at.spot.file);
        let handler = Handler::Callback(at.spot.file, region);
        if let Some(found) = self.taint.resolver_source(handler, position, at.keys, Kind::Other) {
            let shown = found.source.clone();
            return found.step(|| self.hop(at.spot, shown));
        }
        let RegionKind::Callback { call: Some(host), .. } = facts.regions[region as usize].kind else {
            return Found::of(Trust::Unknown);
        };
        let source = self.taint.callback_source(at.spot.file, host, position, name, at.keys);
        if let Some((trust, shown, keys, schema)) = source {
            let spot = Spot::of_call(at.spot.file, facts.call(host));
            return self.of_schema(at, spot, trust, &shown, keys, schema);
        }
        let site = facts.call(host);
        let position = match (site.name.as_str(), position) {
            // What was gathered before is what is gathered from the items.
            ("reduce" | "fold", 0) => return Found::of(Trust::Constant),
            ("reduce" | "fold", 1) => 0,
            // The place of the item.
            ("map" | "forEach" | "filter" | "flatMap" | "some" | "every" | "find", 1) => {
                return Found::of(Trust::Constant);
            }
            (_, position) => position,
        };
        if position > 0 || !HANDS_ON.contains(&site.name.as_str()) {
            return Found::of(Trust::Unknown);
        }
        let Expr::Member(object, _) = site.callee.peeled() else { return Found::of(Trust::Unknown) };
        let is_whole = matches!(site.name.as_str(), "then" | "and_then" | "map_or" | "is_some_and" | "inspect");
        let mut keys: Vec<Name> = if is_whole { Vec::new() } else { vec!["*".into()] };
        keys.extend_from_slice(at.keys);
        let spot = Spot::of_call(at.spot.file, site);
        self.value(&At { spot, ..at.keys(&keys) }, object)
    }

    /// A source behind a schema: harmless when the schema says so.
    pub(super) fn of_schema(
        &mut self,
        at: &At<'_>,
        spot: Spot,
        trust: Trust,
        name: &str,
        keys: &[Name],
        schema: Option<&Expr>,
    ) -> Found {
        let shown = parameter_text(name.into(), keys);
        let found = Found { source: shown.clone(), ..Found::of(trust) };
        let found = found.step(|| self.hop(at.spot, shown));
        let Some(schema) = schema else { return found };
        match self.taint.field(spot, schema, keys, self.danger, self.context) {
            Field::Harmless => Found::of(Trust::Constant),
            Field::Text(None) => found,
            Field::Text(Some(letter)) => {
                Found { leak: Some(format!("its schema's pattern lets `{}` through", letter.escape_debug())), ..found }
            }
            Field::Checked => found.at_most(Trust::Unknown),
            Field::Unclear if keys.last().is_some_and(|key| is_id(key)) => found.at_most(Trust::Unknown),
            Field::Unclear => found.doubted(),
        }
    }

    /// A parameter of a named function: a source by itself, or whatever callers hand in.
    pub(super) fn of_parameter(&mut self, at: &At<'_>, symbol: SymbolIndex, position: usize) -> Found {
        let id = SymbolId { file: at.spot.file, index: symbol };
        let map = self.taint.map;
        let function = map.symbol(id);
        let Some(parameter) = function.parameters.get(position) else { return Found::of(Trust::Unknown) };
        let declared = parameter.declared_type.as_deref().unwrap_or_default();
        let kind = self.taint.kind(id.file, declared, at.keys, self.danger);
        if kind == Kind::Harmless {
            return Found::of(Trust::Constant);
        }
        let entry =
            Spot { file: id.file, at: function.span.start, until: function.span.start, line: function.name_line };
        if let Some(found) = self.taint.parameter_source(id, position, at.keys, kind) {
            return found.step(|| self.hop(entry, function.qualified));
        }
        // `procedure.input(schema).mutation(handler)`
        if let Some(host) = self.taint.index(id.file).host(symbol)
            && let Some((trust, shown, keys, schema)) =
                self.taint.callback_source(id.file, host, position, parameter.name, at.keys)
        {
            let spot = Spot::of_call(id.file, self.facts(id.file).call(host));
            return self.of_schema(at, spot, trust, &shown, keys, schema);
        }
        // Back through the call that led here.
        if let Some((&last, rest)) = at.stack.split_last()
            && map.resolved(last).any(|resolved| resolved.symbol == id)
        {
            return self.argument(at, last, id, position, rest, at.up);
        }
        let callers: Vec<CallId> = map
            .callers(id)
            .iter()
            .copied()
            .filter(|call| !map.is_test(call.file, map.call(*call).caller) && map.caller_of(*call) != Some(id))
            .collect();
        let open = function.exported || function.of_trait.is_some();
        let mut worst = match (callers.is_empty(), kind) {
            (true, Kind::Text) if open || declared.is_empty() => Found {
                source: parameter_text(function.parameters[position].name, at.keys),
                ..Found::of(Trust::Parameter)
            }
            .step(|| self.hop(entry, function.qualified)),
            (true, _) => Found::of(Trust::Unknown),
            (false, _) => Found::of(Trust::Constant),
        };
        if at.up >= MAX_UP {
            return worst.worse(Found::of(Trust::Unknown));
        }
        for call in callers.into_iter().take(MAX_CALLERS) {
            let found = self.argument(at, call, id, position, &[], at.up + 1);
            worst = worst.worse(found);
            if worst.trust == Trust::Client && !worst.doubtful {
                break;
            }
        }
        // Nobody known hands in anything dangerous, but text it is, by its type.
        if worst.trust == Trust::Unknown && kind == Kind::Text {
            worst = Found {
                source: parameter_text(function.parameters[position].name, at.keys),
                ..Found::of(Trust::Parameter)
            };
        }
        worst.step(|| self.hop(entry, function.qualified))
    }

    /// What a call hands in for a parameter.
    pub(super) fn argument(
        &mut self,
        at: &At<'_>,
        call: CallId,
        callee: SymbolId,
        position: usize,
        stack: &[CallId],
        up: u32,
    ) -> Found {
        let map = self.taint.map;
        let site = map.call(call);
        let spot = Spot::of_call(call.file, site);
        let rest = self.taint.rest_arguments(call, callee, position);
        let found = if rest.len() > 1 {
            // `...paths`: the one that is asked for, else any of them.
            let keys = at.keys.get(1..).unwrap_or_default();
            let wanted = at.keys.first().and_then(|key| key.parse::<usize>().ok());
            let inner = At { spot, keys, stack, up, depth: at.depth + 1 };
            match wanted.and_then(|place| rest.get(..=place)) {
                Some([before @ .., argument]) if !before.iter().any(|one| matches!(one, Expr::Spread(_))) => {
                    self.value(&inner, argument)
                }
                _ => self.worst(&inner, rest.iter()),
            }
        } else {
            let Some(argument) = self.taint.argument(call, callee, position) else { return Found::of(Trust::Unknown) };
            self.value(&At { spot, keys: at.keys, stack, up, depth: at.depth + 1 }, argument)
        };
        let by_interface =
            map.resolved(call).any(|resolved| resolved.symbol == callee && resolved.how == How::Dispatch);
        let found = if by_interface { found.doubted() } else { found };
        found.step(|| self.hop(spot, site.name))
    }

    /// `this.name`: what the class assigns to it.
    pub(super) fn field(&mut self, at: &At<'_>, keys: &[Name]) -> Found {
        let (name, rest) = keys.split_first().expect("a member has a name");
        let facts = self.facts(at.spot.file);
        let Some(owner) = facts
            .symbols
            .iter()
            .filter(|symbol| symbol.span.start <= at.spot.at && at.spot.at <= symbol.span.end)
            .filter_map(|symbol| symbol.member_of)
            .next_back()
        else {
            return Found::of(Trust::Unknown);
        };
        let declared = facts.bindings.iter().find(|binding| binding.name == *name && binding.member_of == Some(owner));
        if let Some(declared) = declared
            && let Some(written) = &declared.declared_type
            && self.taint.kind(at.spot.file, written, rest, self.danger) == Kind::Harmless
        {
            return Found::of(Trust::Constant);
        }
        let mut found: Option<Found> = None;
        let assigned = facts.assignments.iter().filter(|assignment| {
            matches!(assignment.target.peeled(), Expr::Member(object, own) if own == name && matches!(object.peeled(), Expr::This))
                && assignment.symbol.is_some_and(|symbol| facts.symbols[symbol as usize].member_of == Some(owner))
        });
        for assignment in assigned.take(4) {
            let spot = Spot::of_assignment(at.spot.file, assignment);
            let own = self.value(&At { spot, ..at.keys(rest) }, &assignment.value);
            found = Some(found.map_or(own.clone(), |found| found.worse(own)));
        }
        if let Some(value) = declared.and_then(|declared| declared.value.as_ref()) {
            let own = self.value(&at.keys(rest), value);
            found = Some(found.map_or(own.clone(), |found| found.worse(own)));
        }
        // Another method may have set it at another time.
        found.map_or(Found::of(Trust::Unknown), Found::doubted)
    }
}
