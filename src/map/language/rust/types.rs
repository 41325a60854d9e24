//! Types: their fields and variants, and the type parameters that definitions may name.

use crate::map::syntax::Node;

use super::items::{Preamble, shared_path};
use super::walker::{Walker, children};
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

impl Walker<'_> {
    pub(super) fn structure(&mut self, node: Node<'_>, preamble: Preamble) {
        let symbol = self.symbol(node, SymbolKind::Struct, &preamble);
        let name = symbol.name;
        let generics = self.generics_of(node);
        let index = self.push_symbol(symbol, generics);
        if let Some(body) = node.child_by_field_name("body") {
            self.fields(body, index, &name);
        }
    }

    /// Fields of a struct or of a variant: bindings of kind field.
    pub(super) fn fields(&mut self, body: Node<'_>, owner: SymbolIndex, member_of: &str) {
        let mut position = 0;
        let tuple = body.kind() == "ordered_field_declaration_list";
        let named: Vec<(Name, Option<Node<'_>>, Node<'_>)> = children(body)
            .into_iter()
            .filter_map(|child| {
                if child.kind() == "field_declaration" {
                    let name = child.child_by_field_name("name")?;
                    let start = self.span(name).start;
                    self.defined.insert(start);
                    return Some((self.name(name), child.child_by_field_name("type"), child));
                }
                if !tuple || matches!(child.kind(), "attribute_item" | "visibility_modifier") {
                    return None;
                }
                position += 1;
                Some(((position - 1).to_string().into(), Some(child), child))
            })
            .collect();
        for (name, declared, node) in named {
            let declared_type = declared.map(|declared| self.folded(declared));
            self.facts.bindings.push(Binding {
                name,
                kind: BindingKind::Field,
                owner: Some(owner),
                member_of: Some(member_of.into()),
                declared_type,
                value: None,
                taken: None,
                region: None,
                line: self.line(node),
                span: self.span(node),
                statement: self.scope.statement,
            });
        }
    }

    pub(super) fn enumeration(&mut self, node: Node<'_>, preamble: Preamble) {
        let symbol = self.symbol(node, SymbolKind::Enum, &preamble);
        let name = symbol.name;
        let generics = self.generics_of(node);
        let index = self.push_symbol(symbol, generics);
        let Some(body) = node.child_by_field_name("body") else { return };
        for variant in children(body).into_iter().filter(|child| child.kind() == "enum_variant") {
            let Some(name_node) = variant.child_by_field_name("name") else { continue };
            let start = self.span(name_node).start;
            self.defined.insert(start);
            let variant_name = self.name(name_node);
            let value = variant.child_by_field_name("value").map(|value| self.expression(value));
            let value = value.map(|value| self.used(value, Usage::Operand));
            self.facts.bindings.push(Binding {
                name: variant_name,
                kind: BindingKind::Constant,
                owner: Some(index),
                member_of: Some(name),
                declared_type: None,
                value,
                taken: None,
                region: None,
                line: self.line(variant),
                span: self.span(variant),
                statement: self.scope.statement,
            });
            if let Some(fields) = variant.child_by_field_name("body") {
                self.fields(fields, index, &format!("{name}::{variant_name}"));
            }
        }
    }

    /// Type parameters and where clauses of `node`: each parameter once with an empty bound, then its bounds.
    pub(super) fn generics_of(&self, node: Node<'_>) -> Vec<(Name, Name)> {
        let mut found = Vec::new();
        if let Some(parameters) = node.child_by_field_name("type_parameters") {
            for parameter in children(parameters).into_iter().filter(|child| child.kind() == "type_parameter") {
                let Some(name) = parameter.child_by_field_name("name") else { continue };
                let name = self.name(name);
                found.push((name, Name::default()));
                if let Some(bounds) = parameter.child_by_field_name("bounds") {
                    found.extend(self.bounds(bounds).into_iter().map(|bound| (name, bound)));
                }
            }
        }
        for clause in children(node).into_iter().filter(|child| child.kind() == "where_clause") {
            for predicate in children(clause) {
                let (Some(left), Some(bounds)) =
                    (predicate.child_by_field_name("left"), predicate.child_by_field_name("bounds"))
                else {
                    continue;
                };
                let name = self.folded(left);
                found.extend(self.bounds(bounds).into_iter().map(|bound| (name, bound)));
            }
        }
        found
    }

    pub(super) fn bounds(&self, node: Node<'_>) -> Vec<Name> {
        children(node)
            .into_iter()
            .filter(|child| !matches!(child.kind(), "lifetime" | "removed_trait_bound"))
            .map(|child| {
                self.folded(
                    child
                        .child_by_field_name("type")
                        .filter(|_| child.kind() == "higher_ranked_trait_bound")
                        .unwrap_or(child),
                )
            })
            .collect()
    }

    /// A type without references and generic arguments: `&mut orders::Store<T>` is `orders::Store`.
    pub(super) fn type_head(&self, node: Node<'_>) -> Name {
        let mut node = node;
        loop {
            let inner = match node.kind() {
                "reference_type" | "pointer_type" | "generic_type" => node.child_by_field_name("type"),
                "dynamic_type" | "abstract_type" => node.child_by_field_name("trait"),
                _ => None,
            };
            match inner {
                Some(inner) => node = inner,
                None => return shared_path(self.text(node)).into(),
            }
        }
    }
}
