//! Lexical scope: what a name stands for at one place, never what a namesake elsewhere does.

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    Binding, BindingKind, CallIndex, FileFacts, Region, RegionIndex, RegionKind, SymbolIndex,
};

/// Names followed from one to the next; real code hands a list on once or twice.
const MAX_NAMES: usize = 6;

/// A place from which names are looked up.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The file.
    pub facts: &'a FileFacts,
    /// The function around the place.
    pub owner: Option<SymbolIndex>,
    region: Option<RegionIndex>,
    at: u32,
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub enum Meaning<'a> {
    /// A declaration.
    Declared(&'a Binding),
    /// A parameter of the function around the place, by position.
    Parameter(usize),
    /// Something else: a callback's parameter, an import, a global.
    Unknown,
}

impl<'a> Scope<'a> {
    /// The place of a call.
    pub fn of_call(facts: &'a FileFacts, call: CallIndex) -> Scope<'a> {
        let site = facts.call(call);
        Scope { facts, owner: site.caller, region: site.region, at: site.span.start }
    }

    /// The head of a loop, or the call that takes a callback: what it runs over is read there, not in the body.
    pub fn around(facts: &'a FileFacts, region: RegionIndex) -> Scope<'a> {
        let Region { parent, symbol, span, .. } = &facts.regions[region as usize];
        Scope { facts, owner: *symbol, region: *parent, at: span.start }
    }

    /// The end of a function's own code.
    pub fn of_function(facts: &'a FileFacts, function: SymbolIndex) -> Scope<'a> {
        Scope { facts, owner: Some(function), region: None, at: u32::MAX }
    }

    /// The top level of a module.
    pub fn of_module(facts: &'a FileFacts) -> Scope<'a> {
        Scope { facts, owner: None, region: None, at: u32::MAX }
    }

    /// The place of a declaration, from where its value is read.
    pub fn of_binding(self, binding: &Binding) -> Scope<'a> {
        Scope { owner: binding.owner, region: binding.region, at: binding.span.start, ..self }
    }

    /// What `name` stands for here: the innermost declaration that comes before.
    pub fn look_up(self, name: &str) -> Meaning<'a> {
        let facts = self.facts;
        let named = |binding: &&Binding| {
            binding.name == name && binding.member_of.is_none() && binding.kind != BindingKind::Field
        };
        let before = |binding: &&Binding| match binding.kind {
            BindingKind::Pattern => binding.span.start < self.at,
            // `let rows = rows.iter()` speaks of the `rows` before it.
            _ => binding.span.end <= self.at,
        };
        let declared_in = |region: Option<RegionIndex>| {
            let own = facts.bindings.iter().filter(named).filter(before);
            own.filter(|binding| binding.owner == self.owner && binding.region == region)
                .max_by_key(|binding| binding.span.start)
        };
        for (index, region) in facts.enclosing_regions(self.region) {
            if let Some(binding) = declared_in(Some(index)) {
                return Meaning::Declared(binding);
            }
            if matches!(&region.kind, RegionKind::Callback { parameters, .. } if parameters.iter().any(|own| own == name))
            {
                return Meaning::Unknown;
            }
        }
        if let Some(binding) = declared_in(None) {
            return Meaning::Declared(binding);
        }
        let Some(owner) = self.owner else { return Meaning::Unknown };
        let symbol = &facts.symbols[owner as usize];
        let parameter = symbol.parameters.iter().position(|parameter| {
            parameter.name == name || parameter.destructured.iter().any(|(_, local)| local == name)
        });
        if let Some(position) = parameter {
            return Meaning::Parameter(position);
        }
        // Around the function: what it closes over may be declared before or after it.
        let mut container = symbol.container;
        for _ in 0..MAX_NAMES {
            let visible = |binding: &&Binding| {
                binding.owner == container
                    && binding.region.is_none_or(|region| facts.regions[region as usize].span.contains(symbol.span))
            };
            if let Some(binding) = facts.bindings.iter().filter(named).find(visible) {
                return Meaning::Declared(binding);
            }
            match container {
                Some(index) => container = facts.symbols[index as usize].container,
                None => break,
            }
        }
        Meaning::Unknown
    }

    /// The expression a name finally stands for, and the place where that is written.
    pub fn resolve(self, expr: &'a Expr) -> (&'a Expr, Scope<'a>) {
        let mut current = (expr.peeled(), self);
        for _ in 0..MAX_NAMES {
            let Expr::Name(name) = current.0 else { break };
            let Meaning::Declared(binding) = current.1.look_up(name) else { break };
            // A part of a value is not the value; an item of a list is not the list.
            let (Some(value), None) = (&binding.value, &binding.taken) else { break };
            current = (value.peeled(), current.1.of_binding(binding));
        }
        current
    }

    /// For a name that takes a part of a value (`const { rows } = …`): which part, the value, and its place.
    pub fn part(self, name: &str) -> Option<(&'a str, &'a Expr, Scope<'a>)> {
        let Meaning::Declared(binding) = self.look_up(name) else { return None };
        let taken = binding.taken.as_deref()?;
        let value = binding.value.as_ref().filter(|_| !taken.contains('*'))?;
        Some((taken, value.peeled(), self.of_binding(binding)))
    }
}
