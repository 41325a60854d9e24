//! Members: methods, associated functions and types, fields, by the type they belong to, wherever their `impl` stands.

use std::collections::{BTreeMap, HashMap};

use super::paths::{Def, Names, Site, Space};
use crate::repo_map::facts::{BindingKind, HeritageKind, SymbolIndex, SymbolKind};
use crate::repo_map::{External, FileId, SymbolId};

/// A type that has members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A type or trait of this repository.
    Own(SymbolId),
    /// A type from elsewhere: `impl Trait for String`.
    Outside(External),
    /// `[T]` and arrays.
    Slice,
    /// Every type: `impl<T> Trait for T`.
    Any,
}

/// A trait an `impl` is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TraitRef {
    /// A trait of this repository.
    Own(SymbolId),
    /// A trait from elsewhere.
    Outside(External),
}

/// A method or associated function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// The definition.
    pub symbol: SymbolId,
    /// The trait its `impl` is for; `None` for the type's own.
    pub of_trait: Option<TraitRef>,
}

/// All members.
#[derive(Default)]
pub(super) struct Members {
    functions: HashMap<Owner, HashMap<String, Vec<Member>>>,
    types: HashMap<Owner, HashMap<String, Vec<SymbolId>>>,
    traits: HashMap<Owner, Vec<TraitRef>>,
    /// Traits a trait builds on.
    supers: HashMap<SymbolId, Vec<TraitRef>>,
    /// Implementations of a trait's member, by trait.
    implementations: HashMap<(SymbolId, String), Vec<SymbolId>>,
    /// Fields by type; those of a variant by `(type, Variant)`.
    fields: HashMap<(SymbolId, Option<String>), HashMap<String, String>>,
    owners: HashMap<SymbolId, Owner>,
    outside: BTreeMap<String, Vec<External>>,
    of_traits: HashMap<SymbolId, SymbolId>,
}

impl Members {
    /// Reads the members off all facts.
    pub fn new(names: &Names<'_>) -> Self {
        let mut members = Self::default();
        for file in 0..names.files.len() as FileId {
            members.read_symbols(names, file);
            members.read_heritage(names, file);
            members.read_fields(names, file);
        }
        members
    }

    fn read_symbols(&mut self, names: &Names<'_>, file: FileId) {
        let facts = &names.files[file as usize].facts;
        for (index, symbol) in (0..).zip(&facts.symbols) {
            let Some(of) = &symbol.member_of else { continue };
            let id = SymbolId { file, index };
            let container = symbol.container.map(|container| &facts.symbols[container as usize]);
            let of_own_trait = container.is_some_and(|container| {
                container.kind == SymbolKind::Trait && container.name == *of && symbol.of_trait.is_none()
            });
            let Some(module) = names.tree.module_of(names.files, file, Some(index)) else { continue };
            let site = Site { file, module, symbol: symbol.container };
            let owner = if of_own_trait {
                symbol.container.map(|index| Owner::Own(SymbolId { file, index }))
            } else if facts.generics.iter().any(|bound| bound.symbol == index && bound.name == *of) {
                Some(Owner::Any)
            } else {
                owner(names, site, of)
            };
            let Some(owner) = owner else { continue };
            self.owners.insert(id, owner.clone());
            if let Owner::Outside(external) = &owner
                && let Some(last) = external.path.last()
            {
                let known = self.outside.entry(last.clone()).or_default();
                if !known.contains(external) {
                    known.push(external.clone());
                }
            }
            if symbol.kind == SymbolKind::TypeAlias {
                self.types.entry(owner).or_default().entry(symbol.name.clone()).or_default().push(id);
                continue;
            }
            if !symbol.kind.is_callable() {
                continue;
            }
            if of_own_trait && let Owner::Own(own) = owner {
                self.of_traits.insert(id, own);
            }
            let of_trait = symbol.of_trait.as_deref().and_then(|name| trait_ref(names, site, name));
            if let Some(TraitRef::Own(own)) = of_trait {
                self.implementations.entry((own, symbol.name.clone())).or_default().push(id);
                self.of_traits.insert(id, own);
            }
            let member = Member { symbol: id, of_trait };
            self.functions.entry(owner).or_default().entry(symbol.name.clone()).or_default().push(member);
        }
    }

    fn read_heritage(&mut self, names: &Names<'_>, file: FileId) {
        let facts = &names.files[file as usize].facts;
        for heritage in &facts.heritage {
            let around: Option<SymbolIndex> = (0..)
                .zip(&facts.symbols)
                .filter(|(_, symbol)| symbol.kind == SymbolKind::Module || symbol.kind.is_callable())
                .filter(|(_, symbol)| symbol.lines.contains(heritage.line))
                .last()
                .map(|(index, _)| index);
            let Some(module) = names.tree.module_of(names.files, file, around) else { continue };
            let site = Site { file, module, symbol: around };
            let Some(base) = trait_ref(names, site, &heritage.base) else { continue };
            match (heritage.kind, owner(names, site, &heritage.of)) {
                (HeritageKind::Extends, Some(Owner::Own(own))) => self.supers.entry(own).or_default().push(base),
                (HeritageKind::Implements, Some(owner)) => self.traits.entry(owner).or_default().push(base),
                // A name that is no type is the parameter of `impl<T> Trait for T`.
                (HeritageKind::Implements, None) => self.traits.entry(Owner::Any).or_default().push(base),
                (HeritageKind::Extends, _) => {}
            }
        }
    }

    fn read_fields(&mut self, names: &Names<'_>, file: FileId) {
        for binding in &names.files[file as usize].facts.bindings {
            let (BindingKind::Field, Some(index), Some(of)) = (binding.kind, binding.owner, &binding.member_of) else {
                continue;
            };
            let variant = of.rsplit_once("::").map(|(_, variant)| variant.to_owned());
            let fields = self.fields.entry((SymbolId { file, index }, variant)).or_default();
            fields.insert(binding.name.clone(), binding.declared_type.clone().unwrap_or_default());
        }
    }

    /// Functions called `name` of `owner`: its own first.
    pub fn functions(&self, owner: &Owner, name: &str) -> Vec<&Member> {
        let found = self.functions.get(owner).and_then(|members| members.get(name)).into_iter().flatten();
        let (own, of_traits): (Vec<&Member>, Vec<&Member>) = found.partition(|member| member.of_trait.is_none());
        if own.is_empty() { of_traits } else { own }
    }

    /// Functions called `name` of `impl<T> Trait for T`, and traits every type has by an empty block of that form.
    pub fn of_any(&self, name: &str) -> (Vec<&Member>, Vec<SymbolId>) {
        let functions = self.functions.get(&Owner::Any);
        let found = functions.and_then(|members| members.get(name)).into_iter().flatten().collect();
        let with_functions: Vec<&TraitRef> = functions
            .into_iter()
            .flat_map(HashMap::values)
            .flatten()
            .filter_map(|member| member.of_trait.as_ref())
            .collect();
        let empty = self.traits(&Owner::Any).iter().filter(|base| !with_functions.contains(base));
        let defaults = empty.filter_map(|base| match base {
            TraitRef::Own(base) => Some(*base),
            TraitRef::Outside(_) => None,
        });
        (found, defaults.collect())
    }

    /// Types from elsewhere that this repository gives members to and that share `name`: crates re-export each other's types.
    pub fn outside_named(&self, name: &str) -> &[External] {
        self.outside.get(name).map_or(&[], Vec::as_slice)
    }

    /// Associated types called `name` of `owner`.
    pub fn types(&self, owner: &Owner, name: &str) -> &[SymbolId] {
        self.types.get(owner).and_then(|types| types.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Traits `owner` is known to have.
    pub fn traits(&self, owner: &Owner) -> &[TraitRef] {
        self.traits.get(owner).map_or(&[], Vec::as_slice)
    }

    /// A member of a trait or of the traits it builds on.
    pub fn of_trait(&self, own: SymbolId, name: &str) -> Option<SymbolId> {
        let mut open = vec![own];
        let mut seen = Vec::new();
        while let Some(next) = open.pop() {
            if seen.contains(&next) {
                continue;
            }
            seen.push(next);
            if let Some(member) = self.functions.get(&Owner::Own(next)).and_then(|members| members.get(name)?.first()) {
                return Some(member.symbol);
            }
            for base in self.supers.get(&next).into_iter().flatten() {
                if let TraitRef::Own(base) = base {
                    open.push(*base);
                }
            }
        }
        None
    }

    /// Implementations in this repository of the trait member `symbol`.
    pub fn implementations(&self, symbol: SymbolId, name: &str) -> &[SymbolId] {
        match self.owners.get(&symbol) {
            Some(Owner::Own(own)) => self.implementations.get(&(*own, name.to_owned())).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    /// The trait of this repository that a member is declared or implemented for.
    pub fn trait_of(&self, member: SymbolId) -> Option<SymbolId> {
        self.of_traits.get(&member).copied()
    }

    /// The type that a member belongs to.
    pub fn owner(&self, member: SymbolId) -> Option<&Owner> {
        self.owners.get(&member)
    }

    /// The declared type of a field.
    pub fn field(&self, of: SymbolId, variant: Option<&str>, name: &str) -> Option<&str> {
        self.fields.get(&(of, variant.map(str::to_owned)))?.get(name).map(String::as_str)
    }
}

fn owner(names: &Names<'_>, site: Site, written: &str) -> Option<Owner> {
    let path: Vec<String> = written.split("::").map(str::to_owned).collect();
    match names.resolve(site, &path, Space::Type) {
        Some(walked) if walked.rest.is_empty() => match walked.found.def {
            Def::Symbol(symbol) => Some(Owner::Own(names.through_aliases(symbol))),
            Def::External(external) => Some(Owner::Outside(external)),
            Def::Module(_) | Def::Variant(..) => None,
        },
        _ => written.starts_with('[').then_some(Owner::Slice),
    }
}

fn trait_ref(names: &Names<'_>, site: Site, written: &str) -> Option<TraitRef> {
    let path: Vec<String> = written.split("::").map(str::to_owned).collect();
    let walked = names.resolve(site, &path, Space::Type).filter(|walked| walked.rest.is_empty())?;
    match walked.found.def {
        Def::Symbol(symbol) => Some(TraitRef::Own(symbol)),
        Def::External(external) => Some(TraitRef::Outside(external)),
        Def::Module(_) | Def::Variant(..) => None,
    }
}
