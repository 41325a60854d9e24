//! Members: methods, associated functions and types, fields, by the type they belong to, wherever their `impl` stands.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::index::{Index, containers};
use super::outside::Outside;
use super::paths::{Def, Names, Site, Space};
use crate::repo_map::facts::{BindingKind, Heritage, HeritageKind, LanguageName, Symbol, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, SymbolId};

/// A type that has members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner<'a> {
    /// A type or trait of this repository.
    Own(SymbolId),
    /// A type from elsewhere: `impl Trait for String`.
    Outside(Outside<'a>),
    /// `[T]` and arrays.
    Slice,
    /// Every type: `impl<T> Trait for T`.
    Any,
}

/// A trait an `impl` is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TraitRef<'a> {
    /// A trait of this repository.
    Own(SymbolId),
    /// A trait from elsewhere.
    Outside(Outside<'a>),
}

/// A method or associated function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// The definition.
    pub symbol: SymbolId,
    /// The trait its `impl` is for; `None` for the type's own.
    pub of_trait: Option<TraitRef<'a>>,
}

type ByName<'a, T> = FxHashMap<&'a str, Vec<T>>;

/// All members.
#[derive(Default)]
pub(super) struct Members<'a> {
    functions: FxHashMap<Owner<'a>, ByName<'a, Member<'a>>>,
    types: FxHashMap<Owner<'a>, ByName<'a, SymbolId>>,
    traits: FxHashMap<Owner<'a>, Vec<TraitRef<'a>>>,
    /// Traits a trait builds on.
    supers: FxHashMap<SymbolId, Vec<TraitRef<'a>>>,
    /// Implementations of a trait's member, by trait.
    implementations: FxHashMap<(SymbolId, &'a str), Vec<SymbolId>>,
    /// Declared types of fields, by type and name; those of a variant by type, `Variant` and name.
    fields: FxHashMap<(SymbolId, &'a str, &'a str), &'a str>,
    /// Associated constants by type and name.
    constants: FxHashMap<(SymbolId, &'a str), SymbolId>,
    owners: FxHashMap<SymbolId, Owner<'a>>,
    outside: ByName<'a, Outside<'a>>,
    of_traits: FxHashMap<SymbolId, SymbolId>,
    /// Traits that every type has by an empty `impl<T> Trait for T`.
    of_all: Vec<SymbolId>,
}

/// What one file says of members, names resolved.
struct FileMembers<'a> {
    names: Names<'a>,
    members: Vec<(SymbolId, Owner<'a>, Option<TraitRef<'a>>, bool)>,
    heritage: Vec<(HeritageKind, Option<Owner<'a>>, TraitRef<'a>)>,
}

impl<'a> Members<'a> {
    /// Reads the members off all facts. The lookups of each file come back with what they remember.
    pub fn new(index: &'a Index<'a>) -> (Self, Vec<Names<'a>>) {
        let read: Vec<FileMembers<'a>> =
            (0..index.files.len() as FileId).into_par_iter().map(|file| FileMembers::read(index, file)).collect();
        let mut members = Self::default();
        let mut lookups = Vec::with_capacity(read.len());
        for (file, read) in (0..).zip(read) {
            for (id, owner, of_trait, of_own_trait) in read.members {
                members.add(id, index.symbol(id), owner, of_trait, of_own_trait);
            }
            for (kind, owner, base) in read.heritage {
                match (kind, owner) {
                    (HeritageKind::Extends, Some(Owner::Own(own))) => members.supers.entry(own).or_default().push(base),
                    (HeritageKind::Implements, Some(owner)) => members.traits.entry(owner).or_default().push(base),
                    // A name that is no type is the parameter of `impl<T> Trait for T`.
                    (HeritageKind::Implements, None) => members.traits.entry(Owner::Any).or_default().push(base),
                    (HeritageKind::Extends, _) => {}
                }
            }
            members.read_fields(index, file);
            lookups.push(read.names);
        }
        members.finish();
        (members, lookups)
    }

    fn add(
        &mut self,
        id: SymbolId,
        symbol: &'a Symbol,
        owner: Owner<'a>,
        of_trait: Option<TraitRef<'a>>,
        of_own_trait: bool,
    ) {
        let name = symbol.name.as_str();
        self.owners.insert(id, owner.clone());
        if let Owner::Outside(outside) = &owner
            && let Some(last) = outside.path.last()
        {
            let known = self.outside.entry(last).or_default();
            if !known.contains(outside) {
                known.push(outside.clone());
            }
        }
        if symbol.kind == SymbolKind::TypeAlias {
            self.types.entry(owner).or_default().entry(name).or_default().push(id);
            return;
        }
        if symbol.kind == SymbolKind::Constant
            && let Owner::Own(own) = owner
        {
            self.constants.entry((own, name)).or_insert(id);
        }
        if !symbol.kind.is_callable() {
            return;
        }
        if of_own_trait && let Owner::Own(own) = owner {
            self.of_traits.insert(id, own);
        }
        if let Some(TraitRef::Own(own)) = of_trait {
            self.implementations.entry((own, name)).or_default().push(id);
            self.of_traits.insert(id, own);
        }
        self.functions.entry(owner).or_default().entry(name).or_default().push(Member { symbol: id, of_trait });
    }

    fn read_fields(&mut self, index: &Index<'a>, file: FileId) {
        if index.files[file as usize].language != LanguageName::Rust {
            return;
        }
        for binding in &index.files[file as usize].facts.bindings {
            let (BindingKind::Field, Some(owner), Some(of)) = (binding.kind, binding.owner, &binding.member_of) else {
                continue;
            };
            let variant = of.rsplit_once("::").map_or("", |(_, variant)| variant);
            let declared = binding.declared_type.as_deref().unwrap_or_default();
            self.fields.insert((SymbolId { file, index: owner }, variant, &binding.name), declared);
        }
    }

    fn finish(&mut self) {
        let any = self.functions.get(&Owner::Any);
        let with_functions = any.into_iter().flat_map(FxHashMap::values).flatten();
        let with_functions: FxHashSet<SymbolId> = with_functions
            .filter_map(|member| match member.of_trait {
                Some(TraitRef::Own(own)) => Some(own),
                _ => None,
            })
            .collect();
        let of_all = self.traits(&Owner::Any).iter().filter_map(|base| match base {
            TraitRef::Own(base) if !with_functions.contains(base) => Some(*base),
            _ => None,
        });
        self.of_all = of_all.collect();
        // A type's own functions come before those of its traits, for methods of every type alone all are candidates.
        for (owner, functions) in &mut self.functions {
            if *owner == Owner::Any {
                continue;
            }
            for same_name in functions.values_mut().filter(|same_name| same_name.len() > 1) {
                if same_name.iter().any(|member| member.of_trait.is_none()) {
                    same_name.retain(|member| member.of_trait.is_none());
                }
            }
        }
    }

    /// Functions called `name` of `owner`: its own, else those of its traits.
    pub fn functions(&self, owner: &Owner<'a>, name: &str) -> &[Member<'a>] {
        self.functions.get(owner).and_then(|members| members.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Traits that every type has by an empty `impl<T> Trait for T`.
    pub fn of_all(&self) -> &[SymbolId] {
        &self.of_all
    }

    /// Types from elsewhere that this repository gives members to and that share `name`: crates re-export each other's types.
    pub fn outside_named(&self, name: &str) -> &[Outside<'a>] {
        self.outside.get(name).map_or(&[], Vec::as_slice)
    }

    /// Associated types called `name` of `owner`.
    pub fn types(&self, owner: &Owner<'a>, name: &str) -> &[SymbolId] {
        self.types.get(owner).and_then(|types| types.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Traits `owner` is known to have.
    pub fn traits(&self, owner: &Owner<'a>) -> &[TraitRef<'a>] {
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
    pub fn implementations(&self, symbol: SymbolId, name: &'a str) -> &[SymbolId] {
        match self.owners.get(&symbol) {
            Some(Owner::Own(own)) => {
                self.implementations.get::<(SymbolId, &str)>(&(*own, name)).map_or(&[], Vec::as_slice)
            }
            _ => &[],
        }
    }

    /// The trait of this repository that a member is declared or implemented for.
    pub fn trait_of(&self, member: SymbolId) -> Option<SymbolId> {
        self.of_traits.get(&member).copied()
    }

    /// The type that a member belongs to.
    pub fn owner(&self, member: SymbolId) -> Option<&Owner<'a>> {
        self.owners.get(&member)
    }

    /// The associated constant `name` of a type.
    pub fn constant(&self, of: SymbolId, name: &'a str) -> Option<SymbolId> {
        self.constants.get::<(SymbolId, &str)>(&(of, name)).copied()
    }

    /// The declared type of a field.
    pub fn field(&self, of: SymbolId, variant: Option<&str>, name: &str) -> Option<&'a str> {
        self.fields.get(&(of, variant.unwrap_or_default(), name)).copied()
    }
}

impl<'a> FileMembers<'a> {
    fn read(index: &'a Index<'a>, file: FileId) -> Self {
        let mut read = Self { names: Names::new(index), members: Vec::new(), heritage: Vec::new() };
        let facts = &index.files[file as usize].facts;
        if index.files[file as usize].language != LanguageName::Rust {
            return read;
        }
        for (place, symbol) in (0..).zip(&facts.symbols) {
            let Some(of) = &symbol.member_of else { continue };
            let id = SymbolId { file, index: place };
            let container = symbol.container.map(|container| &facts.symbols[container as usize]);
            let of_own_trait = container.is_some_and(|container| {
                container.kind == SymbolKind::Trait && container.name == *of && symbol.of_trait.is_none()
            });
            let Some(module) = index.module_of(file, Some(place)) else { continue };
            let site = Site { file, module, symbol: symbol.container };
            let owner = if of_own_trait {
                symbol.container.map(|index| Owner::Own(SymbolId { file, index }))
            } else if index.generics(id).iter().any(|bound| bound.name == *of) {
                Some(Owner::Any)
            } else {
                owner(&read.names, site, of)
            };
            let Some(owner) = owner else { continue };
            let of_trait = symbol.of_trait.as_deref().filter(|_| symbol.kind.is_callable());
            let of_trait = of_trait.and_then(|name| trait_ref(&read.names, site, name));
            read.members.push((id, owner, of_trait, of_own_trait));
        }
        // A derive that goes by the name of a trait of ours implements it.
        for (place, symbol) in (0..).zip(&facts.symbols).filter(|(_, symbol)| symbol.kind.is_type()) {
            let lists = symbol.attributes.iter().filter_map(|attribute| attribute.strip_prefix("derive("));
            for derived in lists.flat_map(|list| list.trim_end_matches(')').split(',')).map(str::trim) {
                let Some(module) = index.module_of(file, Some(place)) else { continue };
                let site = Site { file, module, symbol: symbol.container };
                if let Some(base @ TraitRef::Own(_)) = trait_ref(&read.names, site, derived) {
                    let own = Owner::Own(SymbolId { file, index: place });
                    read.heritage.push((HeritageKind::Implements, Some(own), base));
                }
            }
        }
        for heritage in &facts.heritage {
            let around = around(&facts.symbols, index.inline_modules(file), heritage);
            let Some(module) = index.module_of(file, around) else { continue };
            let site = Site { file, module, symbol: around };
            let Some(base) = trait_ref(&read.names, site, &heritage.base) else { continue };
            let own = owner(&read.names, site, &heritage.of);
            // Tuples, `()` and what macros stand for are types we have no name for, but not every type.
            if own.is_some() || heritage.of.chars().all(|character| character.is_alphanumeric() || character == '_') {
                read.heritage.push((heritage.kind, own, base));
            }
        }
        read
    }
}

/// The innermost module or function around `heritage`.
fn around(symbols: &[Symbol], modules: &[SymbolIndex], heritage: &Heritage) -> Option<SymbolIndex> {
    let holds = |index: &SymbolIndex| symbols[*index as usize].lines.contains(heritage.line);
    let before = symbols.partition_point(|symbol| symbol.lines.start <= heritage.line);
    let last = before.checked_sub(1).map(|last| last as SymbolIndex);
    let mut around = last.into_iter().flat_map(|last| containers(symbols, last));
    let function = around.find(|index| symbols[*index as usize].kind.is_callable() && holds(index));
    // The container of a member is its type, which may stand in another module than the `impl`.
    function.max(modules.iter().rev().copied().find(holds))
}

fn owner<'a>(names: &Names<'a>, site: Site, written: &'a str) -> Option<Owner<'a>> {
    match resolved(names, site, written) {
        Some(Def::Symbol(symbol)) => Some(match names.aliased(symbol) {
            Ok(symbol) => Owner::Own(symbol),
            Err((_, outside)) => Owner::Outside(outside),
        }),
        Some(Def::Outside(outside)) => Some(Owner::Outside(outside)),
        Some(Def::Module(_) | Def::Variant(..)) => None,
        None => written.starts_with('[').then_some(Owner::Slice),
    }
}

fn trait_ref<'a>(names: &Names<'a>, site: Site, written: &'a str) -> Option<TraitRef<'a>> {
    match resolved(names, site, written)? {
        Def::Symbol(symbol) => Some(TraitRef::Own(symbol)),
        Def::Outside(outside) => Some(TraitRef::Outside(outside)),
        Def::Module(_) | Def::Variant(..) => None,
    }
}

fn resolved<'a>(names: &Names<'a>, site: Site, written: &'a str) -> Option<Def<'a>> {
    let walked = if written.contains("::") {
        let path: Vec<&str> = written.split("::").collect();
        names.resolve(site, path, Space::Type)
    } else {
        names.resolve(site, [written], Space::Type)
    };
    walked.filter(|walked| walked.rest.is_empty()).map(|walked| walked.found.def)
}
