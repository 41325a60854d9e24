//! Locals that hold what a call gave: how they are used, as far as the value is only read.

use rustc_hash::FxHashMap;

use super::walk::{NameUse, Use, Walker};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, BindingKind, CallIndex, FileFacts, LocalRead, RegionKind, Span, Usage};

/// A local that holds what a call gave.
struct Local {
    call: CallIndex,
    /// Where its name means it.
    scope: Span,
    reads: Vec<LocalRead>,
    handed_on: bool,
    returned: bool,
}

impl Local {
    /// Whether its reads tell anything: what is returned is a promise to the caller as well, unless it was asked for its value before.
    fn tells(&self) -> bool {
        let asks = |read: &LocalRead| matches!(read.usage, Usage::Tested | Usage::Operand);
        !self.handed_on && (!self.returned || self.reads.iter().any(asks))
    }
}

impl Walker<'_> {
    /// Uses of locals that hold what a call gave, of those locals whose value nothing hands on.
    pub fn local_reads(&self, facts: &FileFacts) -> Vec<LocalRead> {
        let mut locals: FxHashMap<&str, Vec<Local>> = FxHashMap::default();
        for binding in &facts.bindings {
            if let Some(local) = self.local(facts, binding) {
                locals.entry(binding.name.as_str()).or_default().push(local);
            }
        }
        if locals.is_empty() {
            return Vec::new();
        }
        // Another variable of the same name makes it unclear whose value a use is about.
        for binding in &facts.bindings {
            for local in locals.get_mut(binding.name.as_str()).into_iter().flatten() {
                local.handed_on |= local.scope.contains(binding.span);
            }
        }
        let parameters = facts.symbols.iter().flat_map(|symbol| {
            let names = symbol
                .parameters
                .iter()
                .flat_map(|parameter| parameter.destructured.iter().map(|(_, local)| *local).chain([parameter.name]));
            names.map(|name| (name, symbol.span))
        });
        let of_callbacks = facts.regions.iter().flat_map(|region| {
            match &region.kind {
                RegionKind::Callback { parameters, .. } => parameters.as_slice(),
                _ => &[],
            }
            .iter()
            .map(|name| (*name, region.span))
        });
        for (name, span) in parameters.chain(of_callbacks) {
            for local in locals.get_mut(name.as_str()).into_iter().flatten() {
                local.handed_on |= local.scope.contains(span);
            }
        }
        for used in self.names.iter().filter(|used| used.is_value) {
            let Some(text) = self.source.get(used.span.start as usize..used.span.end as usize) else { continue };
            for local in locals.get_mut(text).into_iter().flatten().filter(|local| local.scope.contains(used.span)) {
                self.note(facts, local, used);
            }
        }
        let mut kept: Vec<LocalRead> =
            locals.into_values().flatten().filter(Local::tells).flat_map(|local| local.reads).collect();
        kept.sort_by_key(|read| facts.calls[read.call as usize].span);
        kept
    }

    /// What `binding` holds, when that is a local with the plain value of a call.
    fn local(&self, facts: &FileFacts, binding: &Binding) -> Option<Local> {
        if !matches!(binding.kind, BindingKind::Constant | BindingKind::Variable) || binding.taken.is_some() {
            return None;
        }
        let Some(Expr::Call(call)) = binding.value.as_ref().map(without_casts) else { return None };
        if facts.calls[*call as usize].awaited {
            return None;
        }
        let around = match (binding.region, binding.owner) {
            (Some(region), _) => facts.regions[region as usize].span,
            (None, Some(owner)) => facts.symbols[owner as usize].span,
            (None, None) => return None,
        };
        let scope = Span { start: binding.span.end, end: around.end };
        Some(Local { call: *call, scope, reads: Vec::new(), handed_on: false, returned: false })
    }

    /// One more use of `local`.
    fn note(&self, facts: &FileFacts, local: &mut Local, used: &NameUse) {
        let hands_on = match used.usage {
            Use::Returned => {
                local.returned = true;
                false
            }
            Use::Discarded | Use::Ignored | Use::Assigned | Use::Element | Use::Passed => true,
            Use::Bound(start, end) => start != end,
            Use::Receiver(call) => {
                matches!(facts.calls[call as usize].name.as_str(), "then" | "catch" | "finally")
            }
            Use::Argument(_) | Use::Tested | Use::Operand => false,
        };
        local.handed_on |= hands_on || used.awaited;
        if !local.handed_on && !matches!(used.usage, Use::Returned) {
            local.reads.push(LocalRead { call: local.call, usage: self.usage(used.usage) });
        }
    }
}

/// `f() as User` holds what `f()` gave.
fn without_casts(mut value: &Expr) -> &Expr {
    while let Expr::Unary(operator, inner) = value {
        if !operator.starts_with("as ") && !operator.starts_with("satisfies ") {
            break;
        }
        value = inner;
    }
    value
}
