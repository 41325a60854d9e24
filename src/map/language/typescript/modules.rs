//! Imports and exports: ECMAScript modules and CommonJS.

use crate::map::syntax::Node;

use super::super::shared::span;
use super::expr::string_content;
use super::walk::{Context, Use, Walker, is_function, unwrapped};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Export, ExportTarget, Import, ImportItem, Span, SymbolKind};
use crate::repo_map::name::Name;

impl<'t> Walker<'t> {
    fn add_import(
        &mut self,
        source: &str,
        item: ImportItem,
        local: &str,
        type_only: bool,
        node: Node<'t>,
        context: Context,
    ) {
        let within =
            context.caller.map(|caller| vec![self.facts.symbols[caller as usize].qualified]).unwrap_or_default();
        self.facts.imports.push(Import {
            source: source.into(),
            item,
            local: local.into(),
            type_only,
            within,
            reexported: false,
            line: node.start_row() + 1,
        });
    }

    fn specifier(&self, node: Node<'t>) -> Name {
        Name::from(&*string_content(self.text(node)))
    }

    fn has_type_word(&mut self, node: Node<'t>) -> bool {
        self.children(node).any(|(child, _)| !child.is_named() && matches!(child.kind(), "type" | "typeof"))
    }

    /// `import … from '…'`.
    pub fn visit_import(&mut self, node: Node<'t>, context: Context) {
        // Names in an import are definitions or belong to the other module: only tokens are counted.
        self.count(node);
        let type_only = self.has_type_word(node);
        let mut source = node.child_by_field_name("source").map(|source| self.specifier(source));
        let parts: Vec<_> = self.named(node).collect();
        let clauses: Vec<Node<'t>> =
            parts.into_iter().filter(|part| matches!(part.kind(), "import_clause" | "import_require_clause")).collect();
        if let Some(clause) = clauses.iter().find(|clause| clause.kind() == "import_require_clause") {
            source = clause.child_by_field_name("source").map(|source| self.specifier(source));
            if let (Some(source), Some(name)) = (source, clause.named_child(0)) {
                let local = self.text(name);
                self.add_import(&source, ImportItem::Namespace, local, type_only, node, context);
            }
            return;
        }
        let Some(source) = source else { return };
        if clauses.is_empty() {
            self.add_import(&source, ImportItem::SideEffect, "", false, node, context);
        }
        for clause in clauses {
            for part in self.named(clause) {
                match part.kind() {
                    "identifier" => {
                        let local = self.text(part);
                        self.add_import(&source, ImportItem::Default, local, type_only, part, context);
                    }
                    "namespace_import" => {
                        let local = self.named(part).next().map_or("", |name| self.text(name));
                        self.add_import(&source, ImportItem::Namespace, local, type_only, part, context);
                    }
                    "named_imports" => {
                        for specifier in self.named(part) {
                            let Some(name) = specifier.child_by_field_name("name") else { continue };
                            let local = specifier.child_by_field_name("alias").unwrap_or(name);
                            let local = self.text(local);
                            let type_only = type_only || self.has_type_word(specifier);
                            let item = match self.key(name).as_str() {
                                "default" => ImportItem::Default,
                                name => ImportItem::Named(name.into()),
                            };
                            self.add_import(&source, item, local, type_only, specifier, context);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// `import a = b.c`.
    pub fn visit_import_alias(&mut self, node: Node<'t>, context: Context) {
        if let [name, value] = self.named(node).collect::<Vec<_>>()[..] {
            let text = self.text(name).to_owned();
            let value = self.expr(value);
            let kind = crate::repo_map::facts::BindingKind::Constant;
            self.add_binding(text.into(), kind, None, Some(value), None, node, context);
        }
        self.push_children(node, context.inner());
    }

    fn add_export(&mut self, name: &str, target: ExportTarget, type_only: bool, node: Node<'t>) {
        let line = node.start_row() + 1;
        self.facts.exports.push(Export { name: name.into(), target, type_only, line });
    }

    /// `export …`.
    pub fn visit_export(&mut self, node: Node<'t>, context: Context) {
        let children: Vec<_> = self.children(node).collect();
        let is_default = children.iter().any(|(child, _)| child.kind() == "default");
        let type_only = children.iter().any(|(child, _)| !child.is_named() && child.kind() == "type");
        let source = node.child_by_field_name("source").map(|source| self.specifier(source));
        let start = children
            .iter()
            .map(|(child, _)| child)
            .find(|child| child.kind() != "decorator" && child.kind() != "comment")
            .map_or(node.start_byte(), |child| child.start_byte());
        let whole = Span { start: start as u32, end: node.end_byte() as u32 };
        let inner = Context { whole, exported: true, default_export: is_default, ..context };
        let decorators: Vec<Name> = self.decorator_texts(node);
        for (child, field) in children {
            match (field, child.kind()) {
                (Some("declaration"), _) => {
                    if !decorators.is_empty() {
                        self.decorators.insert(child.id(), decorators.clone());
                    }
                    self.push(child, inner);
                }
                (Some("value"), _) => self.export_value(child, inner),
                (_, "export_clause") => self.export_clause(child, source.as_deref(), type_only, context),
                (_, "namespace_export") => {
                    if let (Some(source), Some(name)) = (&source, self.named(child).next()) {
                        let target = ExportTarget::From { source: *source, name: "*".into() };
                        let name = self.key(name);
                        self.add_export(&name, target, type_only, node);
                    }
                    self.count(child);
                }
                (_, "*") => {
                    if let Some(source) = &source {
                        let target = ExportTarget::From { source: *source, name: "*".into() };
                        self.add_export("*", target, type_only, node);
                    }
                    self.count(child);
                }
                // `export = value`.
                (None, _)
                    if child.is_named()
                        && child.kind() != "comment"
                        && child.kind() != "decorator"
                        && source.is_none() =>
                {
                    self.export_value(child, Context { default_export: true, ..inner });
                }
                _ => self.push(child, context.inner()),
            }
        }
    }

    fn export_clause(&mut self, clause: Node<'t>, source: Option<&str>, type_only: bool, context: Context) {
        for specifier in self.named(clause) {
            let Some(name) = specifier.child_by_field_name("name") else { continue };
            let alias = specifier.child_by_field_name("alias").unwrap_or(name);
            let public = self.key(alias);
            let local = self.key(name);
            let type_only = type_only || self.has_type_word(specifier);
            let target = match source {
                Some(source) => ExportTarget::From { source: source.into(), name: local },
                None => ExportTarget::Local(local),
            };
            self.add_export(&public, target, type_only, specifier);
        }
        self.push_children(clause, context.inner());
    }

    /// `export default value`.
    fn export_value(&mut self, value: Node<'t>, context: Context) {
        let bare = unwrapped(value);
        match bare.kind() {
            "identifier" => {
                let name = self.text(bare).to_owned();
                self.add_export("default", ExportTarget::Local(name.into()), false, value);
            }
            "class" => {
                self.push(bare, context);
                return;
            }
            _ => {
                if let Some(function) = self.function_behind(bare) {
                    let own = function.child_by_field_name("name").filter(|_| is_function(bare));
                    let name = own.map_or("default".to_owned(), |name| self.text(name).to_owned());
                    let symbol =
                        self.symbol(name.into(), SymbolKind::Function, own.unwrap_or(value), context.whole, context);
                    self.add_function(symbol, function);
                } else {
                    let mut symbol = self.symbol("default".into(), SymbolKind::Constant, value, context.whole, context);
                    symbol.signature = self.signature_text(context.whole.start as usize, context.whole.end as usize);
                    if bare.kind() == "object" {
                        let index = self.add_symbol(symbol);
                        self.name_object(bare, Context { container: Some(index), ..context.inner() }, 0);
                    }
                    let target = ExportTarget::Value(self.expr(value));
                    self.add_export("default", target, false, value);
                }
            }
        }
        self.push(value, context.inner().used(Use::Assigned));
    }

    /// `module.exports = …`, `exports.name = …`.
    pub fn record_commonjs(&mut self, target: &Expr, value: Node<'t>, node: Node<'t>, context: Context) {
        if context.caller.is_some() {
            return;
        }
        let module_exports = Expr::Member(Box::new(Expr::Name("module".into())), "exports".into());
        let name = match target {
            target if *target == module_exports => "default",
            Expr::Member(object, name) if **object == module_exports || **object == Expr::Name("exports".into()) => {
                name
            }
            _ => return,
        };
        let bare = unwrapped(value);
        if name == "default" {
            if let Some(function) = self.function_behind(bare) {
                let own = function.child_by_field_name("name").filter(|_| is_function(bare));
                let text = own.map_or("exports".to_owned(), |name| self.text(name).to_owned());
                let context = Context { exported: true, default_export: true, ..context.inner() };
                let mut symbol =
                    self.symbol(text.into(), SymbolKind::Function, own.unwrap_or(value), span(node), context);
                if own.is_none() {
                    symbol.qualified = "module.exports".into();
                }
                self.add_function(symbol, function);
                return;
            }
            if bare.kind() == "object" {
                self.name_object(bare, Context { exported: true, ..context.inner() }, 0);
            }
        } else if self.symbol_of.contains_key(&bare.id()) {
            // Already an exported symbol of this name.
            return;
        }
        let target = match self.expr(value) {
            Expr::Name(local) => ExportTarget::Local(local),
            value => ExportTarget::Value(value),
        };
        self.add_export(name, target, false, node);
    }

    /// `const x = require('…')` and its destructured and member forms; says whether `value` was one.
    pub fn record_require(&mut self, value: Node<'t>, name: Node<'t>, context: Context) -> bool {
        let mut bare = unwrapped(value);
        let mut member = None;
        if bare.kind() == "member_expression" {
            member = bare.child_by_field_name("property").map(|property| self.text(property));
            match bare.child_by_field_name("object") {
                Some(object) => bare = unwrapped(object),
                None => return false,
            }
        }
        let Some(source) = self.required(bare) else { return false };
        let names = self.quietly(|walker, context| walker.bind(name, context));
        let names: Vec<(Option<Name>, Name)> =
            names.into_iter().map(|bound| (bound.taken, self.text(bound.name).into())).collect();
        if member.is_some() && names.iter().any(|(taken, _)| taken.is_some()) {
            return false;
        }
        for (taken, local) in names {
            let item = match (member, taken.as_deref()) {
                (Some("default"), _) | (None, Some("default")) => ImportItem::Default,
                (Some(member), _) => ImportItem::Named(member.into()),
                (None, Some(key)) => ImportItem::Named(key.into()),
                (None, None) => ImportItem::Namespace,
            };
            self.add_import(&source, item, &local, false, value, context);
        }
        true
    }

    /// The specifier, when `node` is `require('…')`.
    fn required(&mut self, node: Node<'t>) -> Option<Name> {
        if node.kind() != "call_expression" || self.text(node.child_by_field_name("function")?) != "require" {
            return None;
        }
        let arguments = node.child_by_field_name("arguments")?;
        match self.named(arguments).collect::<Vec<_>>()[..] {
            [only] if only.kind() == "string" => Some(self.specifier(only)),
            _ => None,
        }
    }

    /// `import('…')` anywhere, and `require('…')` that no declaration takes.
    pub fn record_loose_import(&mut self, node: Node<'t>, function: Node<'t>, arguments: &[Expr], context: Context) {
        let Some(Expr::Text(source)) = arguments.first() else { return };
        if function.kind() == "import" {
            self.add_import(source, ImportItem::Dynamic, "", false, node, context);
        } else if function.kind() == "identifier" && self.text(function) == "require" {
            let line = node.start_row() + 1;
            let taken = self
                .facts
                .imports
                .iter()
                .rev()
                .take_while(|import| import.line >= line.saturating_sub(200))
                .any(|import| import.line == line && import.source == *source);
            if !taken {
                let item = match context.usage {
                    Use::Discarded => ImportItem::SideEffect,
                    _ => ImportItem::Dynamic,
                };
                self.add_import(source, item, "", false, node, context);
            }
        }
    }
}
