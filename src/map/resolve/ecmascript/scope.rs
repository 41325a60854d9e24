//! Names within one file: what is visible where.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::types::{self, TypeParameter};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    BindingKind, FileFacts, RegionIndex, RegionKind, SIGNATURE, Span, SymbolIndex, SymbolKind,
};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Definition {
    /// A variable.
    Binding(u32),
    /// A function, class, type or namespace.
    Symbol(SymbolIndex),
    /// Parameter of a named function, and which of its destructured names.
    Parameter(SymbolIndex, u32, Option<u32>),
    /// Parameter of an anonymous function, by name.
    Callback(u32, u32),
    /// An import.
    Import(u32),
}

/// The whole file.
pub(super) const EVERYWHERE: Span = Span { start: 0, end: u32::MAX };

struct Entry {
    visible: Span,
    definition: Definition,
}

/// A function, by its name or its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FunctionKey {
    Symbol(SymbolIndex),
    Region(RegionIndex),
}

impl FunctionKey {
    /// The function that is written as `expr`.
    fn of(expr: &Expr) -> Option<FunctionKey> {
        match expr.peeled() {
            Expr::Function { symbol: Some(symbol), .. } => Some(FunctionKey::Symbol(*symbol)),
            Expr::Function { region: Some(region), .. } => Some(FunctionKey::Region(*region)),
            _ => None,
        }
    }
}

/// What says the type of a function that says none itself.
#[derive(Debug, Clone)]
pub(super) enum Expected<'a> {
    /// The type of the variable or field it is bound to, and where that stands.
    Declared(&'a str, u32),
    /// What this function gives back.
    ResultOf(FunctionKey),
    /// What a call takes as this argument; in an object that is handed to it, what it takes under these keys.
    Argument(u32, usize, Arc<[&'a str]>),
}

/// Objects within objects that functions are looked for in.
const MAX_KEYS: usize = 3;

/// The names of one file.
#[derive(Default)]
pub(super) struct Scope<'a> {
    values: HashMap<&'a str, Vec<Entry>>,
    types: HashMap<&'a str, Vec<Entry>>,
    /// The symbol that a variable is.
    pub symbol_of_binding: HashMap<u32, SymbolIndex>,
    /// What is expected of functions where they stand.
    pub expected: HashMap<FunctionKey, Expected<'a>>,
    /// Members by container.
    pub members: HashMap<SymbolIndex, Members<'a>>,
    /// Classes, with their spans.
    classes: Vec<(Span, SymbolIndex)>,
    /// Interfaces by name: those of one name are one.
    pub interfaces: HashMap<&'a str, Vec<SymbolIndex>>,
    /// What types build on, by the name of the type; places among the file's heritage.
    pub heritage: HashMap<&'a str, Vec<u32>>,
    /// Functions with methods that were put on their prototype.
    pub prototypes: BTreeSet<SymbolIndex>,
    /// Definitions with type parameters, in order.
    generics: Vec<Generic>,
}

/// A definition with type parameters.
struct Generic {
    symbol: SymbolIndex,
    span: Span,
    parameters: Vec<TypeParameter>,
}

/// Members of a class, interface, object or namespace.
#[derive(Default)]
pub(super) struct Members<'a> {
    /// Functions, and for namespaces everything they hold.
    pub symbols: HashMap<&'a str, Vec<SymbolIndex>>,
    /// Fields.
    pub fields: HashMap<&'a str, u32>,
    /// Fields that say how it is called.
    pub signatures: Vec<u32>,
}

impl<'a> Scope<'a> {
    pub fn new(facts: &'a FileFacts) -> Scope<'a> {
        let mut scope = Scope::default();
        scope.add_symbols(facts);
        scope.add_bindings(facts);
        scope.add_parameters(facts);
        scope.add_expected(facts);
        for (heritage, index) in facts.heritage.iter().zip(0..) {
            scope.heritage.entry(&heritage.of).or_default().push(index);
        }
        for (import, index) in facts.imports.iter().zip(0..) {
            let within = import.within.first();
            let holder = within.and_then(|name| facts.symbols.iter().find(|symbol| symbol.qualified == *name));
            let entry = |definition| Entry { visible: holder.map_or(EVERYWHERE, |symbol| symbol.span), definition };
            if import.local.is_empty() {
                continue;
            }
            scope.types.entry(&import.local).or_default().push(entry(Definition::Import(index)));
            scope.values.entry(&import.local).or_default().push(entry(Definition::Import(index)));
        }
        scope
    }

    fn add_symbols(&mut self, facts: &'a FileFacts) {
        // `Dog.prototype.bark = function () {}` belongs to whatever `new Dog()` makes.
        let by_name = |name: &str, member: SymbolKind| {
            facts.symbols.iter().position(|symbol| {
                let makes = symbol.kind == SymbolKind::Function && member == SymbolKind::Method;
                symbol.name == name && (symbol.kind.is_type() || makes && symbol.container.is_none())
            })
        };
        let bodies: HashSet<(&str, Option<SymbolIndex>)> = facts
            .symbols
            .iter()
            .filter(|symbol| symbol.kind == SymbolKind::Function && symbol.has_body)
            .map(|symbol| (symbol.name.as_str(), symbol.container))
            .collect();
        let imported: HashSet<&str> = facts
            .imports
            .iter()
            .filter(|import| import.within.is_empty())
            .map(|import| import.local.as_str())
            .collect();
        for (symbol, index) in facts.symbols.iter().zip(0..) {
            if symbol.kind == SymbolKind::Class {
                self.classes.push((symbol.span, index));
            }
            if symbol.kind == SymbolKind::Interface {
                self.interfaces.entry(&symbol.name).or_default().push(index);
            }
            let parameters = types::type_parameters(&symbol.signature, &symbol.name);
            if !parameters.is_empty() {
                self.generics.push(Generic { symbol: index, span: symbol.span, parameters });
            }
            let container = symbol.container.and_then(|container| facts.symbols.get(container as usize));
            if let Some(container) = symbol.container {
                self.members.entry(container).or_default().symbols.entry(&symbol.name).or_default().push(index);
            } else if let Some(owner) = symbol.member_of.as_deref().and_then(|name| by_name(name, symbol.kind)) {
                if facts.symbols[owner].kind == SymbolKind::Function {
                    self.prototypes.insert(owner as u32);
                }
                self.members.entry(owner as u32).or_default().symbols.entry(&symbol.name).or_default().push(index);
            }
            let is_member = matches!(symbol.kind, SymbolKind::Method | SymbolKind::Constructor);
            // Of overloads the one with a body is meant.
            let is_overload = symbol.kind == SymbolKind::Function
                && !symbol.has_body
                && bodies.contains(&(symbol.name.as_str(), symbol.container));
            // Beside `const auth = require('auth')`, `exports.auth = function …` defines a property and no name.
            let is_property = symbol.kind == SymbolKind::Function
                && symbol.container.is_none()
                && imported.contains(symbol.name.as_str());
            if is_member || is_overload || is_property || symbol.member_of.is_some() {
                continue;
            }
            let outer = container.map_or(EVERYWHERE, |container| container.span);
            let visible =
                innermost_region(facts, symbol.span).filter(|region| outer.contains(*region)).unwrap_or(outer);
            let entry = || Entry { visible, definition: Definition::Symbol(index) };
            let is_value = !matches!(symbol.kind, SymbolKind::Interface | SymbolKind::TypeAlias);
            let is_type = !matches!(symbol.kind, SymbolKind::Function | SymbolKind::Constant);
            if is_value {
                self.values.entry(&symbol.name).or_default().push(entry());
            }
            if is_type {
                self.types.entry(&symbol.name).or_default().push(entry());
            }
        }
        self.classes.sort();
    }

    fn add_bindings(&mut self, facts: &'a FileFacts) {
        let mut by_name: HashMap<&str, Vec<SymbolIndex>> = HashMap::default();
        for (symbol, index) in facts.symbols.iter().zip(0..) {
            if matches!(symbol.kind, SymbolKind::Function | SymbolKind::Class | SymbolKind::Constant) {
                by_name.entry(&symbol.name).or_default().push(index);
            }
        }
        for (binding, index) in facts.bindings.iter().zip(0..) {
            if matches!(binding.kind, BindingKind::Field | BindingKind::ParameterProperty) {
                if let Some(owner) = binding.owner {
                    let members = self.members.entry(owner).or_default();
                    if binding.name == SIGNATURE {
                        members.signatures.push(index);
                    } else {
                        members.fields.entry(&binding.name).or_insert(index);
                    }
                }
                continue;
            }
            // A variable inside a function of the same name is not that function: both stand in the same container.
            let own = by_name.get(binding.name.as_str()).into_iter().flatten().copied().find(|&index| {
                let symbol = &facts.symbols[index as usize];
                let in_namespace = binding.owner.is_none()
                    && symbol.container.is_some_and(|outer| facts.symbols[outer as usize].kind == SymbolKind::Module);
                symbol.span.contains(binding.span) && (symbol.container == binding.owner || in_namespace)
            });
            if let Some(symbol) = own {
                self.symbol_of_binding.insert(index, symbol);
            }
            let owner = binding.owner.and_then(|owner| facts.symbols.get(owner as usize)).map(|owner| owner.span);
            let region = binding.region.and_then(|region| facts.regions.get(region as usize)).map(|region| region.span);
            let visible = region.or(owner).unwrap_or(EVERYWHERE);
            let entry = Entry { visible, definition: Definition::Binding(index) };
            self.values.entry(&binding.name).or_default().push(entry);
        }
    }

    fn add_parameters(&mut self, facts: &'a FileFacts) {
        for (symbol, index) in facts.symbols.iter().zip(0..) {
            if !symbol.has_body {
                continue;
            }
            for (parameter, place) in symbol.parameters.iter().zip(0..) {
                let mut add = |name: &'a str, part| {
                    let definition = Definition::Parameter(index, place, part);
                    self.values.entry(name).or_default().push(Entry { visible: symbol.span, definition });
                };
                if !parameter.name.is_empty() {
                    add(&parameter.name, None);
                }
                for ((_, local), part) in parameter.destructured.iter().zip(0..) {
                    add(local, Some(part));
                }
            }
        }
        for (region, index) in facts.regions.iter().zip(0..) {
            if let RegionKind::Callback { parameters, .. } = &region.kind {
                for (name, place) in parameters.iter().zip(0..) {
                    let entry = Entry { visible: region.span, definition: Definition::Callback(index, place) };
                    self.values.entry(name).or_default().push(entry);
                }
            }
        }
    }

    fn add_expected(&mut self, facts: &'a FileFacts) {
        for returned in &facts.returns {
            let around = returned.region.map(FunctionKey::Region).or(returned.symbol.map(FunctionKey::Symbol));
            if let (Some(function), Some(around)) = (FunctionKey::of(&returned.value), around) {
                self.expected.insert(function, Expected::ResultOf(around));
            }
        }
        for binding in &facts.bindings {
            if let (Some(declared), Some(value)) = (&binding.declared_type, &binding.value)
                && let Some(function) = FunctionKey::of(value)
            {
                self.expected.insert(function, Expected::Declared(declared, binding.span.start));
            }
        }
        for (call, index) in facts.calls.iter().zip(0..) {
            for (argument, place) in call.arguments.iter().zip(0..) {
                self.expect_within(argument, index, place, &mut Vec::new());
            }
        }
    }

    fn expect_within(&mut self, expr: &'a Expr, call: u32, place: usize, keys: &mut Vec<&'a str>) {
        if let Some(function) = FunctionKey::of(expr) {
            self.expected.insert(function, Expected::Argument(call, place, keys.as_slice().into()));
        } else if let Expr::Object(entries) = expr.peeled()
            && keys.len() < MAX_KEYS
        {
            for (key, value) in entries {
                keys.push(key);
                self.expect_within(value, call, place, keys);
                keys.pop();
            }
        }
    }

    /// What the value `name` stands for at byte `at`.
    pub fn value(&self, name: &str, at: u32) -> Option<Definition> {
        innermost(self.values.get(name)?, at)
    }

    /// What the type `name` stands for at byte `at`.
    pub fn kind(&self, name: &str, at: u32) -> Option<Definition> {
        innermost(self.types.get(name)?, at)
    }

    /// What the value `name` stands for at the top level.
    pub fn top_value(&self, name: &str) -> Option<Definition> {
        top(self.values.get(name)?)
    }

    /// What the type `name` stands for at the top level.
    pub fn top_kind(&self, name: &str) -> Option<Definition> {
        top(self.types.get(name)?)
    }

    /// Type parameters of a definition.
    pub fn type_parameters(&self, symbol: SymbolIndex) -> &[TypeParameter] {
        let found = self.generics.binary_search_by_key(&symbol, |generic| generic.symbol);
        found.map_or(&[], |index| &self.generics[index].parameters)
    }

    /// The definition around byte `at` that declares the type parameter `name`, the innermost one, and which of its own it is.
    pub fn type_parameter(&self, name: &str, at: u32) -> Option<(SymbolIndex, usize)> {
        let around = self.generics.iter().rev().filter(|generic| generic.span.start <= at && at < generic.span.end);
        around
            .filter_map(|generic| {
                let place = generic.parameters.iter().position(|parameter| parameter.name == name)?;
                Some((generic.symbol, place))
            })
            .next()
    }

    /// The class around byte `at`.
    pub fn class_at(&self, at: u32) -> Option<SymbolIndex> {
        let inside = self.classes.iter().filter(|(span, _)| span.start <= at && at < span.end);
        inside.max_by_key(|(span, _)| span.start).map(|(_, class)| *class)
    }
}

fn innermost(entries: &[Entry], at: u32) -> Option<Definition> {
    let visible = entries.iter().filter(|entry| entry.visible.start <= at && at < entry.visible.end);
    // The narrowest holds; of those the variable before the symbol it is, and either before an import.
    visible
        .min_by_key(|entry| (entry.visible.end - entry.visible.start, entry.definition))
        .map(|entry| entry.definition)
}

fn top(entries: &[Entry]) -> Option<Definition> {
    entries.iter().filter(|entry| entry.visible == EVERYWHERE).map(|entry| entry.definition).min()
}

/// The narrowest region that holds `span` and more.
fn innermost_region(facts: &FileFacts, span: Span) -> Option<Span> {
    let end = facts.regions.partition_point(|region| region.span.start <= span.start);
    // Regions are in order of their start: the last one that still holds the span is the innermost.
    facts.regions[..end].iter().rev().map(|region| region.span).find(|region| region.contains(span) && *region != span)
}
