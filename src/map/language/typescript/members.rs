//! Types with members: classes, interfaces, type aliases, enums, namespaces.

use crate::map::syntax::Node;

use super::super::shared::{cap, fold, span};
use super::walk::{Context, Use, Walker, unwrapped};
use crate::repo_map::facts::{Binding, BindingKind, Heritage, HeritageKind, SIGNATURE, SymbolIndex, SymbolKind};
use crate::repo_map::name::Name;

/// Bytes of the parameters of a call signature that are kept. Our choice: longer ones list type parameters by the dozen.
const MAX_SIGNATURE: usize = 600;

impl<'t> Walker<'t> {
    /// `class A extends B implements C { … }`, named or bound to a name.
    pub fn visit_class(&mut self, node: Node<'t>, context: Context) {
        let whole = context.whole_or(node);
        let known = self.symbol_of.get(&node.id()).copied();
        let name = node.child_by_field_name("name");
        let index = match (known, name) {
            (Some(index), _) => Some(index),
            (None, Some(name)) => {
                let text = self.text(name).to_owned();
                let symbol = self.symbol(text.into(), SymbolKind::Class, name, whole, context);
                Some(self.add_symbol(symbol))
            }
            (None, None) if context.default_export => {
                let symbol = self.symbol("default".into(), SymbolKind::Class, node, whole, context);
                Some(self.add_symbol(symbol))
            }
            (None, None) => None,
        };
        let body = node.child_by_field_name("body");
        if let Some(index) = index {
            let start = self.facts.symbols[index as usize].span.start as usize;
            let end = body.map_or(node.end_byte(), |body| body.start_byte());
            let signature = self.signature_text(start, end);
            let mut attributes = self.decorators.remove(&node.id()).unwrap_or_default();
            attributes.extend(self.decorator_texts(node));
            let symbol = &mut self.facts.symbols[index as usize];
            symbol.signature = signature;
            symbol.attributes = attributes;
        }
        let owner = index.map(|index| self.facts.symbols[index as usize].name).unwrap_or_default();
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                Some("body") => self.visit_class_body(child, index, context),
                Some("decorator") => self.push(child, context.inner().used(Use::Operand)),
                _ => {
                    if child.kind() == "class_heritage" && !owner.is_empty() {
                        self.record_heritage(child, &owner);
                    }
                    self.push(child, context.inner().used(Use::Operand));
                }
            }
        }
    }

    fn record_heritage(&mut self, node: Node<'t>, of: &str) {
        for clause in self.named(node) {
            let kind = match clause.kind() {
                "extends_clause" => HeritageKind::Extends,
                "implements_clause" => HeritageKind::Implements,
                _ => continue,
            };
            for base in self.named(clause) {
                if base.kind() == "type_arguments" {
                    continue;
                }
                self.add_heritage(of, base, kind);
            }
        }
    }

    fn add_heritage(&mut self, of: &str, base: Node<'t>, kind: HeritageKind) {
        let text = self.text(unwrapped(base));
        let text = text.split('<').next().unwrap_or(text);
        let line = base.start_row() + 1;
        self.facts.heritage.push(Heritage { of: of.into(), base: fold(text).into(), kind, line });
    }

    fn visit_class_body(&mut self, body: Node<'t>, class: Option<SymbolIndex>, context: Context) {
        let name = class.map(|class| self.facts.symbols[class as usize].name);
        let around = Context { container: class.or(context.container), ..context.inner().used(Use::Operand) };
        let mut documented = false;
        let mut decorators = Vec::new();
        for (member, _) in self.children(body) {
            let own = Context { documented, ..around };
            match member.kind() {
                "comment" => {
                    documented = self.text(member).starts_with("/**");
                    self.push(member, around);
                    continue;
                }
                "decorator" => {
                    decorators.push(self.decorator_text(member));
                    self.push(member, around);
                    continue;
                }
                "method_definition" | "method_signature" | "abstract_method_signature" => {
                    if class.is_some() {
                        self.add_method(member, name, std::mem::take(&mut decorators), own);
                    }
                    self.push(member, own.inner());
                }
                "public_field_definition" => {
                    self.visit_field(member, name, std::mem::take(&mut decorators), own);
                }
                _ => self.push(member, own.inner()),
            }
            if member.is_named() {
                documented = false;
                decorators.clear();
            }
        }
    }

    /// A method with or without a body, of a class, an interface or an object type.
    fn add_method(&mut self, node: Node<'t>, member_of: Option<Name>, decorators: Vec<Name>, context: Context) {
        let Some(name) = node.child_by_field_name("name") else { return };
        let text = self.key(name);
        let kind = if text == "constructor" { SymbolKind::Constructor } else { SymbolKind::Method };
        let mut symbol = self.symbol(text, kind, name, span(node), context);
        symbol.member_of = member_of;
        symbol.takes_self = kind == SymbolKind::Method && !self.has_word(node, "static");
        symbol.exported = self.member_exported(node, context);
        symbol.attributes = decorators;
        self.add_function(symbol, node);
        if kind == SymbolKind::Constructor {
            self.parameter_properties(node, member_of, context);
        }
    }

    /// Members go where their type goes, unless they are private.
    fn member_exported(&mut self, node: Node<'t>, context: Context) -> bool {
        let visible = !self.has_word(node, "private")
            && node.child_by_field_name("name").is_none_or(|name| name.kind() != "private_property_identifier");
        visible && context.container.is_some_and(|container| self.facts.symbols[container as usize].exported)
    }

    fn has_word(&mut self, node: Node<'t>, word: &str) -> bool {
        self.children(node).take(8).any(|(child, _)| {
            child.kind() == word || (child.kind() == "accessibility_modifier" && self.text(child) == word)
        })
    }

    /// `constructor(private readonly db: Database)` declares a field.
    fn parameter_properties(&mut self, node: Node<'t>, member_of: Option<Name>, context: Context) {
        let Some(list) = node.child_by_field_name("parameters") else { return };
        for parameter in self.named(list) {
            let is_field = self
                .children(parameter)
                .into_iter()
                .any(|(child, _)| matches!(child.kind(), "accessibility_modifier" | "readonly" | "override_modifier"));
            let Some(pattern) = parameter.child_by_field_name("pattern") else { continue };
            if is_field && pattern.kind() == "identifier" {
                let declared = self.declared_type(parameter);
                let name = self.text(pattern).to_owned();
                self.add_member(
                    name.into(),
                    BindingKind::ParameterProperty,
                    declared,
                    None,
                    member_of,
                    parameter,
                    context,
                );
            }
        }
    }

    fn visit_field(&mut self, node: Node<'t>, member_of: Option<Name>, decorators: Vec<Name>, context: Context) {
        let name = node.child_by_field_name("name");
        let value = node.child_by_field_name("value");
        let function = value.map(unwrapped).and_then(|value| self.function_behind(value));
        if let (Some(name), Some(function), Some(_)) = (name, function, &member_of) {
            let text = self.key(name);
            let mut symbol = self.symbol(text, SymbolKind::Method, name, span(node), context);
            symbol.member_of = member_of;
            symbol.takes_self = !self.has_word(node, "static");
            symbol.exported = self.member_exported(node, context);
            symbol.attributes = decorators.clone();
            symbol.attributes.extend(self.decorator_texts(node));
            self.add_function(symbol, function);
        }
        if let Some(name) = name {
            let text = self.key(name);
            let declared = self.declared_type(node);
            let value = value.map(|value| self.expr(value));
            self.add_member(text, BindingKind::Field, declared, value, member_of, node, context);
        }
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                Some("value") => {
                    let usage =
                        name.map_or(Use::Assigned, |name| Use::Bound(name.start_byte() as u32, name.end_byte() as u32));
                    // Runs when an instance is made, outside the statements around the class.
                    self.push(child, Context { top: false, ..context.inner().used(usage) });
                }
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of the binding")]
    fn add_member(
        &mut self,
        name: Name,
        kind: BindingKind,
        declared_type: Option<Name>,
        value: Option<crate::repo_map::expr::Expr>,
        member_of: Option<Name>,
        node: Node<'t>,
        context: Context,
    ) {
        self.facts.bindings.push(Binding {
            name,
            kind,
            owner: context.container,
            member_of,
            declared_type,
            value,
            taken: None,
            region: context.region,
            line: node.start_row() + 1,
            span: span(node),
            statement: context.statement,
        });
    }

    /// `interface A extends B { … }`.
    pub fn visit_interface(&mut self, node: Node<'t>, context: Context) {
        let Some(name) = node.child_by_field_name("name") else { return self.push_children(node, context.inner()) };
        let body = node.child_by_field_name("body");
        let index = self.add_type(
            name,
            SymbolKind::Interface,
            body.map_or(node.end_byte(), |body| body.start_byte()),
            node,
            context,
        );
        let owner = self.text(name);
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                Some("body") => self.visit_type_members(child, index, context),
                _ => {
                    if child.kind() == "extends_type_clause" {
                        for base in self.named(child) {
                            self.add_heritage(owner, base, HeritageKind::Extends);
                        }
                    }
                    self.push(child, context.inner().used(Use::Operand));
                }
            }
        }
    }

    fn add_type(
        &mut self,
        name: Node<'t>,
        kind: SymbolKind,
        end: usize,
        node: Node<'t>,
        context: Context,
    ) -> SymbolIndex {
        let text = self.text(name).to_owned();
        let whole = context.whole_or(node);
        let mut symbol = self.symbol(text.into(), kind, name, whole, context);
        symbol.signature = self.signature_text(whole.start as usize, end);
        self.add_symbol(symbol)
    }

    /// `<T>(a: A): R` in an interface, as the function type it stands for.
    fn signature_type(&self, node: Node<'t>) -> Option<Name> {
        let part = |field| node.child_by_field_name(field);
        let parameters = part("parameters")?;
        let start = part("type_parameters").unwrap_or(parameters).start_byte();
        let head = fold(self.source.get(start..parameters.end_byte())?);
        let returned = part("return_type").map_or("any".to_owned(), |kind| self.type_text(kind).to_string());
        Some(format!("{} => {returned}", cap(&head, MAX_SIGNATURE)).into())
    }

    /// Methods and fields of an interface body or an object type.
    fn visit_type_members(&mut self, body: Node<'t>, of: SymbolIndex, context: Context) {
        let name = Some(self.facts.symbols[of as usize].name);
        let around = Context { container: Some(of), ..context.inner().used(Use::Operand) };
        let mut documented = false;
        for (member, _) in self.children(body) {
            match member.kind() {
                "comment" => {
                    documented = self.text(member).starts_with("/**");
                    self.push(member, around);
                    continue;
                }
                "method_signature" => {
                    self.add_method(member, name, Vec::new(), Context { documented, ..around });
                    self.push(member, around);
                }
                "call_signature" => {
                    let text = self.signature_type(member);
                    self.add_member(SIGNATURE.into(), BindingKind::Field, text, None, name, member, around);
                    self.push(member, around);
                }
                "property_signature" => {
                    if let Some(key) = member.child_by_field_name("name") {
                        let text = self.key(key);
                        let declared = self.declared_type(member);
                        self.add_member(text, BindingKind::Field, declared, None, name, member, around);
                    }
                    for (child, field) in self.children(member) {
                        match field {
                            Some("name") => self.count_definition(child, around),
                            _ => self.push(child, around),
                        }
                    }
                }
                _ => self.push(member, around),
            }
            if member.is_named() {
                documented = false;
            }
        }
    }

    /// `type A = …`; the members of an object type are the alias's own.
    pub fn visit_type_alias(&mut self, node: Node<'t>, context: Context) {
        let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value")) else {
            return self.push_children(node, context.inner());
        };
        let index = self.add_type(name, SymbolKind::TypeAlias, node.end_byte(), node, context);
        let mut objects = Vec::new();
        let mut work = vec![value];
        while let Some(part) = work.pop() {
            match part.kind() {
                "object_type" => objects.push(part),
                "intersection_type" | "parenthesized_type" => {
                    let queued = work.len();
                    work.extend(self.named(part));
                    work[queued..].reverse();
                }
                _ => {}
            }
        }
        if value.kind() != "object_type" {
            self.facts.symbols[index as usize].return_type = Some(self.type_text(value));
        }
        let only_object = value.kind() == "object_type";
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                Some("value") if only_object => self.visit_type_members(child, index, context),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
        if !only_object {
            // Their parts are visited with the rest of the type; only the members are noted here.
            for object in objects {
                self.quietly(|walker, _| walker.visit_type_members(object, index, context));
            }
        }
    }

    /// `enum A { … }`.
    pub fn visit_enum(&mut self, node: Node<'t>, context: Context) {
        let Some(name) = node.child_by_field_name("name") else { return self.push_children(node, context.inner()) };
        let body = node.child_by_field_name("body");
        self.add_type(name, SymbolKind::Enum, body.map_or(node.end_byte(), |body| body.start_byte()), node, context);
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    /// `namespace a.b { … }`, `declare module 'x' { … }`.
    pub fn visit_namespace(&mut self, node: Node<'t>, context: Context) {
        let Some(name) = node.child_by_field_name("name") else { return self.push_children(node, context.inner()) };
        let whole = context.whole_or(node);
        let text = self.key(name);
        let mut symbol = self.symbol(text, SymbolKind::Module, name, whole, context);
        let body = node.child_by_field_name("body");
        symbol.signature =
            self.signature_text(whole.start as usize, body.map_or(node.end_byte(), |body| body.start_byte()));
        let index = self.add_symbol(symbol);
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, context),
                Some("body") => self.push(child, Context { container: Some(index), ..context.inner() }),
                _ => self.push(child, context.inner()),
            }
        }
    }
}
