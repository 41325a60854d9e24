//! GraphQL field resolvers: functions that run once for each parent object, wherever the parents are a list.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    CallIndex, FileFacts, ImportItem, RegionIndex, RegionKind, Span, SymbolIndex, SymbolKind,
};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, FileRole, RepoMap};

/// Packages that GraphQL servers are made with.
const SERVERS: &[&str] = &[
    "graphql",
    "graphql-yoga",
    "@apollo/server",
    "apollo-server",
    "apollo-server-express",
    "@nestjs/graphql",
    "type-graphql",
    "@pothos/core",
    "nexus",
    "@graphql-tools/schema",
    "graphql-tools",
    "mercurius",
];

/// A field resolver that knows its parent.
pub struct Resolver<'a> {
    /// The file.
    pub file: FileId,
    /// Where its calls stand.
    pub body: Body,
    /// `Comment.author`, or the field alone.
    pub name: String,
    /// Names that depend on the parent.
    pub parent: BTreeSet<&'a str>,
    /// The name of all arguments of the field.
    pub arguments: Option<&'a str>,
    /// Names that depend on the arguments of the field.
    pub asked: BTreeSet<&'a str>,
}

impl Resolver<'_> {
    /// The type the field belongs to, where the resolver says so.
    pub fn of_type<'f>(&self, facts: &'f FileFacts) -> Option<&'f str> {
        let Body::Symbol(index) = self.body else { return None };
        let symbol = &facts.symbols[index as usize];
        match symbol.qualified.as_str().split('.').collect::<Vec<_>>().as_slice() {
            [.., "resolve"] => None,
            [.., kind, _] => Some(*kind),
            _ => None,
        }
    }
}

/// Where the calls of a resolver stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// In a definition.
    Symbol(SymbolIndex),
    /// In a function written in place.
    Region(RegionIndex),
}

/// Every field resolver of the repository, in order.
pub fn resolvers(map: &RepoMap) -> Vec<Resolver<'_>> {
    let depends = |name: &&str| {
        map.recon.packages.iter().flat_map(|package| &package.dependencies).any(|dependency| dependency.name == *name)
    };
    if !SERVERS.iter().any(depends) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let listed = listed_types(map);
    for (file, source) in map.files_with_ids() {
        if !source.language.is_ecmascript() || source.role != FileRole::Production {
            continue;
        }
        let facts = &source.facts;
        let speaks_of_it = source.path.split('/').any(|part| {
            let part = part.to_ascii_lowercase();
            part.contains("graph") || part.contains("resolver") || part.contains("gql")
        }) || facts.imports.iter().any(|import| {
            import.item != ImportItem::SideEffect && SERVERS.iter().any(|server| import.source.as_str() == *server)
        });
        if !speaks_of_it {
            continue;
        }
        for (symbol, index) in facts.symbols.iter().zip(0..) {
            let Some(name) = field_of(facts, index) else { continue };
            let names: BTreeSet<&str> = match decorated_parent(facts, index) {
                Some(names) => names,
                None => parameter_names(facts, index, 0),
            };
            if names.is_empty() || !symbol.has_body || is_single(facts, &listed, symbol.span) {
                continue;
            }
            let parent = place::derived_names(facts, names, &|binding| binding.owner == Some(index));
            let arguments = symbol.parameters.get(1).map(|second| second.name.as_str()).filter(|name| !name.is_empty());
            let asked =
                place::derived_names(facts, parameter_names(facts, index, 1), &|binding| binding.owner == Some(index));
            found.push(Resolver { file, body: Body::Symbol(index), name, parent, arguments, asked });
        }
        for (field, region) in resolve_functions(facts) {
            let RegionKind::Callback { parameters, .. } = &facts.regions[region as usize].kind else { continue };
            let Some(first) = parameters.first().map(|name| name.as_str()).filter(|name| !name.is_empty()) else {
                continue;
            };
            let body = facts.regions[region as usize].span;
            if is_single(facts, &listed, body) {
                continue;
            }
            let parent = place::derived_names(facts, [first].into(), &|binding| body.contains(binding.span));
            let arguments = parameters.get(1).map(|name| name.as_str());
            let asked =
                place::derived_names(facts, arguments.into_iter().collect(), &|binding| body.contains(binding.span));
            found.push(Resolver { file, body: Body::Region(region), name: field, parent, arguments, asked });
        }
    }
    found
}

/// Names of graphql-js types that are part of a list somewhere: `new GraphQLList(OrderType)`, `new GraphQLNonNull(…)` inside.
fn listed_types(map: &RepoMap) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.language.is_ecmascript()) {
        for site in source
            .facts
            .calls
            .iter()
            .filter(|site| matches!(site.name.as_str(), "GraphQLList" | "List" | "list" | "GraphQLUnionType"))
        {
            for argument in &site.arguments {
                chain::walk_deep(&map.file(file).facts, argument, &mut |inner| match inner {
                    Expr::Name(name) | Expr::Member(_, name) => {
                        found.insert(*name);
                    }
                    _ => {}
                });
            }
        }
    }
    found
}

/// Whether code stands in a graphql-js object type that no list is made of. Of interfaces and shared fields nothing is known.
fn is_single(facts: &FileFacts, listed: &BTreeSet<Name>, code: Span) -> bool {
    facts.bindings.iter().any(|binding| {
        binding.owner.is_none()
            && binding.span.contains(code)
            && matches!(binding.value.as_ref().map(Expr::peeled), Some(Expr::Call(index))
                if facts.call(*index).name == "GraphQLObjectType" && !has_interfaces(facts, *index))
            && !listed.contains(&binding.name)
    })
}

/// A type of an interface is in every list of the interface.
fn has_interfaces(facts: &FileFacts, call: CallIndex) -> bool {
    matches!(facts.call(call).arguments.first(), Some(Expr::Object(entries))
        if entries.iter().any(|(key, _)| key == "interfaces"))
}

/// What field a definition resolves, if it does.
fn field_of(facts: &FileFacts, index: SymbolIndex) -> Option<String> {
    let symbol = &facts.symbols[index as usize];
    if !matches!(symbol.kind, SymbolKind::Method | SymbolKind::Function) {
        return None;
    }
    let decorated = symbol.attributes.iter().any(|attribute| {
        let name = attribute.split('(').next().unwrap_or_default();
        matches!(name, "ResolveField" | "FieldResolver" | "ResolveProperty")
    });
    if decorated {
        return Some(symbol.qualified.to_string());
    }
    let parts: Vec<&str> = symbol.qualified.split('.').collect();
    match parts.as_slice() {
        // `fields.orders.resolve` of graphql-js.
        [.., field, "resolve"] => Some((*field).to_owned()),
        // `resolvers.Comment.author` of a map of resolvers.
        [_, kind, field] if is_object_type(kind) && symbol.container.is_some_and(|outer| is_map(facts, outer)) => {
            Some(format!("{kind}.{field}"))
        }
        _ => None,
    }
}

/// A constant that holds functions by type, or the export of a module.
fn is_map(facts: &FileFacts, index: SymbolIndex) -> bool {
    let symbol = &facts.symbols[index as usize];
    let outermost = symbol.container.map_or(symbol, |outer| &facts.symbols[outer as usize]);
    let name = outermost.name.to_ascii_lowercase();
    outermost.kind == SymbolKind::Constant && (name == "default" || name.ends_with("resolvers") || name == "exports")
}

/// Types whose object there is one of in a request: roots, and namespaces of them.
fn is_object_type(name: &str) -> bool {
    const ROOTS: &[&str] = &[
        "Query",
        "Queries",
        "Mutation",
        "Mutations",
        "Subscription",
        "Subscriptions",
        "Payload",
        "Connection",
        "Collection",
        "Viewer",
    ];
    name.starts_with(|c: char| c.is_ascii_uppercase()) && !ROOTS.iter().any(|root| name.ends_with(root))
}

/// Names of the parameter that a decorator says is the parent.
fn decorated_parent(facts: &FileFacts, index: SymbolIndex) -> Option<BTreeSet<&str>> {
    let symbol = &facts.symbols[index as usize];
    let is_decorated = symbol.attributes.iter().any(|attribute| attribute.contains("Resolve"));
    if !is_decorated {
        return None;
    }
    let position = symbol.parameters.iter().position(|parameter| {
        parameter
            .attributes
            .iter()
            .any(|attribute| matches!(attribute.split('(').next().unwrap_or_default(), "Parent" | "Root"))
    });
    Some(position.map(|position| parameter_names(facts, index, position)).unwrap_or_default())
}

/// The names a parameter gives.
fn parameter_names(facts: &FileFacts, index: SymbolIndex, position: usize) -> BTreeSet<&str> {
    let Some(parameter) = facts.symbols[index as usize].parameters.get(position) else { return BTreeSet::new() };
    let locals = parameter.destructured.iter().map(|(_, local)| local.as_str());
    let all = std::iter::once(parameter.name.as_str()).chain(locals);
    // `_`, `_parent`: nobody means to use it.
    all.filter(|name| !name.is_empty() && !name.starts_with('_')).collect()
}

/// Functions written in place as `resolve` beside a `type`, with the name of their field.
fn resolve_functions(facts: &FileFacts) -> Vec<(String, RegionIndex)> {
    let mut found: Vec<(String, RegionIndex)> = Vec::new();
    let arguments = facts.calls.iter().flat_map(|site| &site.arguments);
    let values = facts.bindings.iter().filter_map(|binding| binding.value.as_ref());
    let returned = facts.returns.iter().map(|returned| &returned.value);
    for expr in arguments.chain(values).chain(returned) {
        expr.walk(&mut |inner| {
            let Expr::Object(fields) = inner else { return };
            for (field, value) in fields {
                let Expr::Object(entries) = value else { continue };
                let of = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
                let (Some(_), Some(Expr::Function { region: Some(region), symbol: None, .. })) =
                    (of("type"), of("resolve"))
                else {
                    continue;
                };
                if found.iter().all(|(_, known)| known != region) {
                    found.push((field.to_string(), *region));
                }
            }
        });
    }
    found.sort_by_key(|(_, region)| *region);
    found
}
