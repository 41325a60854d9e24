//! Names: what an identifier stands for at a place, by the spans of scopes.
use rustc_hash::FxHashMap;

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    Assignment, Binding, BindingKind, CallIndex, CallSite, FileFacts, RegionIndex, RegionKind, Return, Span, Symbol,
    SymbolIndex,
};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, RepoMap};

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The file.
    pub file: FileId,
    /// Byte: decides what is in scope.
    pub at: u32,
    /// Byte up to which checks count: the end of what is asked about.
    pub until: u32,
    /// The line to show.
    pub line: u32,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    /// A variable with a value, or one that gets its value later.
    Variable(&'a Binding),
    /// An item of what a loop runs over.
    Item(&'a Binding, RegionIndex),
    /// A parameter of a callback.
    Callback {
        /// The callback.
        region: RegionIndex,
        /// Which parameter.
        position: usize,
        /// What is taken of it, keys joined by dots.
        taken: Option<Name>,
        /// Its declared type.
        declared: Option<Name>,
    },
    /// A parameter of a named function.
    Parameter {
        /// The function.
        symbol: SymbolIndex,
        /// Which parameter.
        position: usize,
        /// What is taken of it, keys joined by dots.
        taken: Option<Name>,
    },
    /// Nothing in this file but an import, if any.
    Outside,
}

impl Meaning<'_> {
    /// Tells meanings of one file apart.
    fn identity(&self) -> (u8, u32, usize) {
        match *self {
            Meaning::Variable(binding) | Meaning::Item(binding, _) => (0, binding.span.start, 0),
            Meaning::Callback { region, position, .. } => (1, region, position),
            Meaning::Parameter { symbol, position, .. } => (2, symbol, position),
            Meaning::Outside => (3, 0, 0),
        }
    }
}

/// What is asked of one file again and again.
#[derive(Debug, Default)]
pub struct FileIndex {
    bindings: FxHashMap<Name, Vec<u32>>,
    assignments: FxHashMap<Name, Vec<u32>>,
    /// Calls by the names their receiver or arguments start with.
    mentions: FxHashMap<Name, Vec<CallIndex>>,
    callbacks: FxHashMap<Name, Vec<RegionIndex>>,
    /// Functions by the names their parameters bind.
    parameters: FxHashMap<Name, Vec<SymbolIndex>>,
    /// Calls that get a function written in place or named, which has a symbol of its own, as an argument.
    hosts: FxHashMap<SymbolIndex, CallIndex>,
    /// Returns by function and by callback.
    returns: FxHashMap<(Option<SymbolIndex>, Option<RegionIndex>), Vec<u32>>,
}

impl FileIndex {
    /// Reads a file's facts once.
    pub fn new(facts: &FileFacts) -> FileIndex {
        let mut index = FileIndex::default();
        for (at, binding) in (0..).zip(&facts.bindings) {
            if binding.member_of.is_none() && binding.kind != BindingKind::Field {
                index.bindings.entry(binding.name).or_default().push(at);
            }
        }
        for (at, assignment) in (0..).zip(&facts.assignments) {
            if let Expr::Name(name) = assignment.target.peeled() {
                index.assignments.entry(*name).or_default().push(at);
            }
        }
        for (at, site) in (0..).zip(&facts.calls) {
            let mut names: Vec<Name> = Vec::new();
            let mut take = |expr: &Expr| {
                expr.walk(&mut |inner| match inner {
                    Expr::Name(name) => names.push(*name),
                    Expr::Path(segments) if segments.len() == 1 => names.push(segments[0]),
                    _ => {}
                });
            };
            if let Expr::Member(object, _) = site.callee.peeled() {
                take(object);
            }
            site.arguments.iter().for_each(&mut take);
            names.sort_unstable();
            names.dedup();
            for name in names {
                index.mentions.entry(name).or_default().push(at);
            }
        }
        let functions: FxHashMap<Name, SymbolIndex> = (0..)
            .zip(&facts.symbols)
            .filter(|(_, symbol)| symbol.kind.is_callable() && symbol.member_of.is_none())
            .map(|(at, symbol)| (symbol.name, at))
            .collect();
        for (at, site) in (0..).zip(&facts.calls) {
            for argument in &site.arguments {
                let symbol = match argument.peeled() {
                    Expr::Function { symbol: Some(symbol), .. } => Some(*symbol),
                    Expr::Name(name) => functions.get(name).copied(),
                    _ => None,
                };
                if let Some(symbol) = symbol {
                    index.hosts.entry(symbol).or_insert(at);
                }
            }
        }
        for (at, region) in (0..).zip(&facts.regions) {
            if let RegionKind::Callback { parameters, .. } = &region.kind {
                for name in parameters {
                    index.callbacks.entry(*name).or_default().push(at);
                }
            }
        }
        for (at, symbol) in (0..).zip(&facts.symbols) {
            for parameter in symbol.parameters.iter().filter(|_| symbol.kind.is_callable()) {
                let parts = parameter.destructured.iter().map(|(_, local)| *local);
                for name in parts.chain((!parameter.name.is_empty()).then_some(parameter.name)) {
                    index.parameters.entry(name).or_default().push(at);
                }
            }
        }
        for (at, returned) in (0..).zip(&facts.returns) {
            let key = match returned.region {
                Some(region) => (None, Some(region)),
                None => (returned.symbol, None),
            };
            index.returns.entry(key).or_default().push(at);
        }
        index
    }

    /// Calls whose receiver or arguments mention `name`.
    pub fn mentioning(&self, name: &str) -> &[CallIndex] {
        self.mentions.get(&Name::from(name)).map_or(&[], Vec::as_slice)
    }

    /// The call that a named function is handed to.
    pub fn host(&self, symbol: SymbolIndex) -> Option<CallIndex> {
        self.hosts.get(&symbol).copied()
    }

    /// Assignments to the variable `name`.
    pub fn assigned<'a>(&self, facts: &'a FileFacts, name: &str) -> impl Iterator<Item = &'a Assignment> {
        let found = self.assignments.get(&Name::from(name)).map_or(&[][..], Vec::as_slice);
        found.iter().map(|&at| &facts.assignments[at as usize]).collect::<Vec<_>>().into_iter()
    }

    /// What a function returns.
    pub fn returned_by<'a>(&self, facts: &'a FileFacts, symbol: SymbolIndex) -> Vec<&'a Return> {
        self.returns_at(facts, (Some(symbol), None))
    }

    /// What a callback returns.
    pub fn returned_in<'a>(&self, facts: &'a FileFacts, region: RegionIndex) -> Vec<&'a Return> {
        self.returns_at(facts, (None, Some(region)))
    }

    fn returns_at<'a>(&self, facts: &'a FileFacts, key: (Option<SymbolIndex>, Option<RegionIndex>)) -> Vec<&'a Return> {
        self.returns.get(&key).into_iter().flatten().map(|&at| &facts.returns[at as usize]).collect()
    }

    /// What `name` stands for at byte `at`: the innermost scope that has it, in it the last before that byte.
    pub fn meaning<'a>(&self, facts: &'a FileFacts, name: &str, at: u32) -> Meaning<'a> {
        let key = Name::from(name);
        let mut best: Option<(u32, Meaning<'a>)> = None;
        let mut offer = |scope: Span, meaning: Meaning<'a>| {
            let size = scope.end - scope.start;
            if best.as_ref().is_none_or(|(known, _)| size < *known) {
                best = Some((size, meaning));
            }
        };
        if let Some((scope, binding)) = self.binding(facts, key, at) {
            offer(scope, of_binding(facts, binding));
        }
        for &region in self.callbacks.get(&key).into_iter().flatten() {
            let found = &facts.regions[region as usize];
            let RegionKind::Callback { parameters, .. } = &found.kind else { continue };
            if found.span.start <= at && at <= found.span.end {
                let position = parameters.iter().position(|own| *own == key).unwrap_or_default();
                offer(found.span, Meaning::Callback { region, position, taken: None, declared: None });
            }
        }
        for &index in self.parameters.get(&key).into_iter().flatten() {
            let symbol = &facts.symbols[index as usize];
            if symbol.span.start <= at
                && at <= symbol.span.end
                && let Some((position, taken)) = parameter(symbol, key)
            {
                offer(symbol.span, Meaning::Parameter { symbol: index, position, taken });
            }
        }
        best.map_or(Meaning::Outside, |(_, meaning)| meaning)
    }

    /// The variable `name` that a block between two bytes declares: the last one.
    pub fn within<'a>(&self, facts: &'a FileFacts, name: Name, at: u32, until: u32) -> Option<&'a Binding> {
        let mut found = self.bindings.get(&name)?.iter().map(|&index| &facts.bindings[index as usize]);
        found.rfind(|binding| {
            at < binding.span.start && binding.span.end < until && binding.kind != BindingKind::Pattern
        })
    }

    /// Whether `name` stands for the same thing at both places.
    pub fn same_meaning(&self, facts: &FileFacts, name: &str, one: u32, other: u32) -> bool {
        self.meaning(facts, name, one).identity() == self.meaning(facts, name, other).identity()
    }

    /// Whether two names stand for the same value at a place, or for parts that are taken of one.
    pub fn is_of_one_value(&self, facts: &FileFacts, one: &str, other: &str, at: u32) -> bool {
        match (self.meaning(facts, one, at), self.meaning(facts, other, at)) {
            (Meaning::Outside, Meaning::Outside) => one == other,
            (one, other) => one.identity() == other.identity(),
        }
    }

    fn binding<'a>(&self, facts: &'a FileFacts, name: Name, at: u32) -> Option<(Span, &'a Binding)> {
        let mut best: Option<(Span, &Binding)> = None;
        for &index in self.bindings.get(&name)? {
            let binding = &facts.bindings[index as usize];
            let scope = scope_of(facts, binding);
            if !(scope.start <= at && at <= scope.end) {
                continue;
            }
            let better = match best {
                None => true,
                Some((known, other)) => {
                    let (own, others) = (scope.end - scope.start, known.end - known.start);
                    // Of two in one scope the later, as long as it stands before the place.
                    own < others || (own == others && (binding.span.end <= at || other.span.start >= at))
                }
            };
            if better {
                best = Some((scope, binding));
            }
        }
        best
    }
}

fn scope_of(facts: &FileFacts, binding: &Binding) -> Span {
    if let Some(region) = binding.region {
        return facts.regions[region as usize].span;
    }
    match binding.owner {
        Some(owner) => facts.symbols[owner as usize].span,
        None => Span { start: 0, end: u32::MAX },
    }
}

fn of_binding<'a>(facts: &'a FileFacts, binding: &'a Binding) -> Meaning<'a> {
    if binding.value.is_some() || binding.kind != BindingKind::Pattern {
        return Meaning::Variable(binding);
    }
    let Some(region) = binding.region else { return Meaning::Variable(binding) };
    match &facts.regions[region as usize].kind {
        RegionKind::Loop(_) => Meaning::Item(binding, region),
        RegionKind::Callback { parameters, .. } => {
            // Closures of Rust write the position first.
            let taken = binding.taken.map(|taken| taken.to_string()).unwrap_or_default();
            let (first, rest) = taken.split_once('.').unwrap_or((taken.as_str(), ""));
            match first.parse::<usize>() {
                Ok(position) => Meaning::Callback {
                    region,
                    position,
                    taken: (!rest.is_empty()).then(|| rest.into()),
                    declared: binding.declared_type,
                },
                Err(_) => {
                    let position = if binding.taken.is_some() {
                        0
                    } else {
                        parameters.iter().position(|own| *own == binding.name).unwrap_or_default()
                    };
                    Meaning::Callback { region, position, taken: binding.taken, declared: binding.declared_type }
                }
            }
        }
        _ => Meaning::Variable(binding),
    }
}

/// The parameter that binds `name`, and what is taken of it.
pub fn parameter(symbol: &Symbol, name: Name) -> Option<(usize, Option<Name>)> {
    symbol.parameters.iter().enumerate().find_map(|(position, parameter)| {
        if parameter.name == name {
            return Some((position, None));
        }
        let (key, _) = parameter.destructured.iter().find(|(_, local)| *local == name)?;
        Some((position, Some(*key)))
    })
}

/// A place from which everything is in scope that is in scope at a return.
pub fn spot_of_return(map: &RepoMap, file: FileId, returned: &Return) -> Spot {
    let facts = &map.file(file).facts;
    let whole = match (returned.region, returned.symbol) {
        (Some(region), _) => facts.regions[region as usize].span,
        (None, Some(symbol)) => facts.symbols[symbol as usize].span,
        (None, None) => Span::default(),
    };
    let inner = facts
        .regions
        .iter()
        .filter(|region| whole.contains(region.span) && region.lines.contains(returned.line))
        .filter(|region| !matches!(region.kind, RegionKind::Callback { .. }) || region.span == whole)
        .map(|region| region.span)
        .min_by_key(|span| span.end - span.start)
        .unwrap_or(whole);
    let at = inner.end.saturating_sub(1);
    Spot { file, at, until: at, line: returned.line }
}

impl Spot {
    /// The place of a call and its arguments.
    pub fn of_call(file: FileId, site: &CallSite) -> Spot {
        Spot { file, at: site.span.start, until: site.span.end, line: site.line }
    }

    /// The place of a variable's value.
    pub fn of_binding(file: FileId, binding: &Binding) -> Spot {
        Spot { file, at: binding.span.start, until: binding.span.end, line: binding.line }
    }

    /// The place of an assigned value.
    pub fn of_assignment(file: FileId, assignment: &Assignment) -> Spot {
        Spot { file, at: assignment.span.start, until: assignment.span.end, line: assignment.line }
    }
}

/// Keys joined by dots, as a list. The names of structs and variants in patterns of Rust are no keys.
pub fn keys_of(taken: Option<Name>) -> Vec<Name> {
    let Some(taken) = taken else { return Vec::new() };
    let parts: Vec<&str> = taken.split('.').collect();
    let is_head = |place: usize| {
        let name = parts[place].rsplit("::").next().unwrap_or_default();
        place + 1 < parts.len() && name.starts_with(|c: char| c.is_ascii_uppercase())
    };
    (0..parts.len()).filter(|place| !is_head(*place)).map(|place| Name::from(parts[place])).collect()
}
