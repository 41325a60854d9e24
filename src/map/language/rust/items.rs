//! Definitions: functions, types, `impl` blocks, traits, modules, constants, macros.

use crate::map::syntax::Node;

use super::walker::{MembersOf, Value, Walker, children, is_comment};
use crate::map::language::shared;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// What stands before a definition.
#[derive(Default)]
pub(super) struct Preamble {
    /// Attributes as written between `#[` and `]`.
    pub attributes: Vec<Name>,
    /// A doc comment stands there.
    pub documented: bool,
}

impl Preamble {
    fn marks_test(&self) -> bool {
        self.attributes.iter().any(|attribute| is_test_attribute(attribute))
    }
}

/// `test`, `tokio::test`, `rstest`, `cfg(test)` and the like.
pub(super) fn is_test_attribute(attribute: &str) -> bool {
    let path = attribute.split(['(', '=']).next().unwrap_or_default().trim();
    let name = path.rsplit("::").next().unwrap_or_default();
    if matches!(name, "test" | "rstest" | "test_case" | "bench" | "quickcheck" | "proptest") {
        return true;
    }
    let compact: String = attribute.split_whitespace().collect();
    name == "cfg" && is_test_condition(&compact)
}

/// `cfg(test)`, `cfg(all(test, …))`, `cfg(any(test, …))`, and features that are there for tests: `cfg(feature = "test-utils")`.
fn is_test_condition(compact: &str) -> bool {
    const WORDS: &[&str] = &["test", "tests", "testing", "testutil", "testutils"];
    let Some(condition) = compact.strip_prefix("cfg(") else { return false };
    let first = condition.trim_start_matches("all(").trim_start_matches("any(");
    let says_test = |rest: &str| rest.strip_prefix("test").is_some_and(|rest| rest.starts_with([',', ')']));
    let of_feature = || {
        let rest = first.strip_prefix("feature=\"")?;
        let feature = rest.split('"').next()?;
        Some(feature.split(['-', '_', '/']).any(|word| WORDS.contains(&word)))
    };
    let is_any = condition.starts_with("any(") && !condition.contains("not(");
    says_test(first)
        || of_feature().unwrap_or_default()
        || is_any && condition.split_once(',').is_some_and(|(_, rest)| says_test(rest))
}

impl Walker<'_> {
    /// Walks the definitions (and, at the top of re-parsed pieces, statements) under `parent`.
    pub fn items(&mut self, parent: Node<'_>) {
        let mut preamble = Preamble::default();
        for node in parent.named_children() {
            if !self.collect_preamble(node, &mut preamble) {
                self.item(node, std::mem::take(&mut preamble));
            }
        }
    }

    /// Takes attributes and comments that stand before a definition. False: `node` is something else.
    pub fn collect_preamble(&mut self, node: Node<'_>, preamble: &mut Preamble) -> bool {
        match node.kind() {
            "attribute_item" => {
                let attribute = self.attribute(node);
                preamble.documented |= attribute.starts_with("doc =") || attribute.starts_with("doc=");
                preamble.attributes.push(attribute);
                true
            }
            "inner_attribute_item" => {
                let attribute = self.attribute(node);
                self.scope.test |= is_test_attribute(&attribute);
                true
            }
            _ if is_comment(node) => {
                let text = self.text(node);
                preamble.documented |= (text.starts_with("///") && !text.starts_with("////"))
                    || (text.starts_with("/**") && !text.starts_with("/**/"));
                true
            }
            _ => false,
        }
    }

    fn attribute(&self, node: Node<'_>) -> Name {
        let text = self.folded(node);
        let inner = text.trim_start_matches('#').trim_start().trim_start_matches('!').trim_start();
        inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner).trim().into()
    }

    /// Walks one definition; anything else is walked as a statement.
    pub fn item(&mut self, node: Node<'_>, preamble: Preamble) {
        self.nested(|walker| match node.kind() {
            "function_item" | "function_signature_item" => walker.function(node, preamble),
            "struct_item" | "union_item" => walker.structure(node, preamble),
            "enum_item" => walker.enumeration(node, preamble),
            "trait_item" => walker.trait_item(node, preamble),
            "impl_item" => walker.impl_item(node, preamble),
            "mod_item" => walker.module(node, preamble),
            "const_item" | "static_item" => walker.constant(node, preamble),
            "type_item" | "associated_type" => {
                let mut symbol = walker.symbol(node, SymbolKind::TypeAlias, &preamble);
                symbol.has_body = node.kind() == "type_item";
                let generics = walker.generics_of(node);
                walker.push_symbol(symbol, generics);
            }
            "macro_definition" => {
                let mut symbol = walker.symbol(node, SymbolKind::Macro, &preamble);
                symbol.exported = symbol.attributes.iter().any(|attribute| attribute.starts_with("macro_export"));
                let name = symbol.name;
                walker.push_symbol(symbol, Vec::new());
                walker.remember_templates(node, &name);
            }
            "use_declaration" => walker.use_declaration(node),
            "extern_crate_declaration" => walker.extern_crate(node),
            "foreign_mod_item" => {
                if let Some(body) = node.child_by_field_name("body") {
                    walker.items(body);
                }
            }
            "empty_statement" => {}
            "ERROR" => walker.items(node),
            _ => {
                // In the place of a definition a macro call stands for definitions.
                let call = if node.kind() == "expression_statement" { node.named_child(0) } else { Some(node) };
                if let Some(call) = call.filter(|call| call.kind() == "macro_invocation") {
                    walker.generated_functions(call);
                }
                walker.statement(node);
            }
        });
    }

    /// A symbol for `node` with what all kinds share; kinds fill in the rest.
    pub(super) fn symbol(&mut self, node: Node<'_>, kind: SymbolKind, preamble: &Preamble) -> Symbol {
        let name_node = node.child_by_field_name("name");
        let name = name_node.map(|name| self.name(name)).unwrap_or_default();
        if let Some(name_node) = name_node {
            let start = self.span(name_node).start;
            self.defined.insert(start);
        }
        let members = self.scope.members.as_ref();
        let qualified = match members {
            Some(members) => {
                let owner = members.name.rsplit("::").next().unwrap_or_default();
                format!("{}{owner}::{name}", self.scope.prefix)
            }
            None => format!("{}{name}", self.scope.prefix),
        };
        let span = self.span(node);
        let body = node.child_by_field_name("body");
        let body_start = body.map_or(span.end, |body| self.span(body).start);
        let mut signature = shared::signature(self.source, span.start as usize, body_start as usize);
        if signature.ends_with(';') {
            signature.pop();
        }
        let visible = children(node).iter().any(|child| child.kind() == "visibility_modifier");
        Symbol {
            name,
            qualified: qualified.into(),
            kind,
            container: self.scope.container,
            member_of: members.map(|members| members.name),
            of_trait: members.and_then(|members| members.of_trait),
            exported: visible || members.is_some_and(|members| members.exported),
            default_export: false,
            is_async: false,
            test: self.scope.test || preamble.marks_test(),
            has_body: true,
            takes_self: false,
            span,
            lines: self.lines(node),
            name_line: name_node.map_or(self.line(node), |name| self.line(name)),
            signature: signature.into(),
            parameters: Vec::new(),
            return_type: None,
            attributes: preamble.attributes.clone(),
            documented: preamble.documented,
            tokens: 0,
            complexity: 1,
        }
    }

    pub(super) fn push_symbol(&mut self, symbol: Symbol, generics: Vec<(Name, Name)>) -> SymbolIndex {
        let index = self.facts.symbols.len() as SymbolIndex;
        self.facts.symbols.push(symbol);
        let outer = self.scope.members.iter().flat_map(|members| members.generics.clone());
        for (name, bound) in outer.chain(generics) {
            self.facts.generics.push(GenericBound { symbol: index, name, bound });
        }
        index
    }

    fn function(&mut self, node: Node<'_>, preamble: Preamble) {
        let kind = if self.scope.members.is_some() { SymbolKind::Method } else { SymbolKind::Function };
        let mut symbol = self.symbol(node, kind, &preamble);
        let body = node.child_by_field_name("body");
        symbol.has_body = body.is_some();
        symbol.is_async = children(node)
            .iter()
            .any(|child| child.kind() == "function_modifiers" && self.text(*child).contains("async"));
        symbol.return_type = node.child_by_field_name("return_type").map(|declared| self.folded(declared));
        if let Some(parameters) = node.child_by_field_name("parameters") {
            self.parameters(parameters, &mut symbol);
        }
        let (name, test) = (symbol.name, symbol.test);
        let prefix = format!("{}::", shared::outer(&symbol.qualified));
        let generics = self.generics_of(node);
        let index = self.push_symbol(symbol, generics);
        let Some(body) = body else { return };
        let loops = std::mem::take(&mut self.loops);
        self.scoped(
            |scope| {
                scope.function = Some(index);
                scope.container = Some(index);
                scope.within.push(format!("fn {name}").into());
                scope.prefix = prefix;
                scope.test = test;
                scope.region = None;
                scope.members = None;
            },
            |walker| {
                let value = walker.block(body);
                walker.returned(value, body, true);
            },
        );
        self.loops = loops;
    }

    /// Records what a function or closure gives back at its end.
    pub fn returned(&mut self, value: Value, node: Node<'_>, named: bool) {
        self.mark(&value.sources, &Usage::Returned);
        if value.expr.is_none() {
            return;
        }
        let line = self.lines(node).end;
        let region = if named { None } else { self.scope.region };
        let symbol = if named { self.scope.function } else { None };
        self.facts.returns.push(Return { symbol, region, value: value.into_expr(), line });
    }

    fn parameters(&mut self, node: Node<'_>, symbol: &mut Symbol) {
        let mut attributes = Vec::new();
        for child in children(node) {
            match child.kind() {
                "attribute_item" => attributes.push(self.attribute(child)),
                "self_parameter" => {
                    symbol.takes_self = true;
                    attributes.clear();
                }
                "parameter" => {
                    let attributes = std::mem::take(&mut attributes);
                    let Some(pattern) = child.child_by_field_name("pattern") else { continue };
                    if pattern.kind() == "self" {
                        symbol.takes_self = true;
                        continue;
                    }
                    let declared_type = child.child_by_field_name("type").map(|declared| self.folded(declared));
                    let names = self.pattern_names(pattern);
                    let (name, destructured) = match names.as_slice() {
                        [only] if only.taken.is_none() => (only.name, Vec::new()),
                        _ if pattern.kind() == "identifier" => (self.name(pattern), Vec::new()),
                        _ => {
                            let pairs =
                                names.into_iter().map(|name| (name.taken.unwrap_or_default(), name.name)).collect();
                            (Name::default(), pairs)
                        }
                    };
                    symbol.parameters.push(Parameter { name, destructured, declared_type, attributes });
                }
                _ => attributes.clear(),
            }
        }
    }

    fn trait_item(&mut self, node: Node<'_>, preamble: Preamble) {
        let symbol = self.symbol(node, SymbolKind::Trait, &preamble);
        let (name, exported, test) = (symbol.name, symbol.exported, symbol.test);
        let generics = self.generics_of(node);
        let index = self.push_symbol(symbol, generics.clone());
        if let Some(bounds) = node.child_by_field_name("bounds") {
            let line = self.line(node);
            for base in self.bounds(bounds) {
                let base = shared_path(&base);
                self.facts.heritage.push(Heritage { of: name, base: base.into(), kind: HeritageKind::Extends, line });
            }
        }
        let Some(body) = node.child_by_field_name("body") else { return };
        let members = MembersOf { name, of_trait: None, exported, generics };
        self.scoped(
            |scope| {
                scope.container = Some(index);
                scope.test = test;
                scope.members = Some(members);
            },
            |walker| walker.items(body),
        );
    }

    fn impl_item(&mut self, node: Node<'_>, preamble: Preamble) {
        let Some(of) = node.child_by_field_name("type") else { return };
        let name = self.type_head(of);
        let of_trait = node.child_by_field_name("trait").map(|of_trait| self.type_head(of_trait));
        if let Some(base) = of_trait {
            let line = self.line(node);
            let heritage = Heritage { of: name, base, kind: HeritageKind::Implements, line };
            self.facts.heritage.push(heritage);
        }
        let Some(body) = node.child_by_field_name("body") else { return };
        let generics = self.generics_of(node);
        let exported = of_trait.is_some();
        let test = self.scope.test || preamble.marks_test();
        let members = MembersOf { name, of_trait, exported, generics };
        self.scoped(
            |scope| {
                scope.test = test;
                scope.members = Some(members);
            },
            |walker| walker.items(body),
        );
    }

    fn module(&mut self, node: Node<'_>, preamble: Preamble) {
        let Some(name_node) = node.child_by_field_name("name") else { return };
        let name = self.name(name_node);
        let Some(body) = node.child_by_field_name("body") else {
            let start = self.span(name_node).start;
            self.defined.insert(start);
            let mut paths: Vec<Option<Name>> =
                preamble.attributes.iter().filter_map(|attribute| written_path(attribute)).map(Some).collect();
            if paths.is_empty() {
                paths.push(None);
            }
            for path in paths {
                self.facts.modules.push(ModuleDeclaration {
                    name,
                    within: self.scope.within.clone(),
                    path,
                    test: self.scope.test || preamble.marks_test(),
                    line: self.line(node),
                });
            }
            return;
        };
        let symbol = self.symbol(node, SymbolKind::Module, &preamble);
        let (prefix, test) = (format!("{}::", shared::outer(&symbol.qualified)), symbol.test);
        let index = self.push_symbol(symbol, Vec::new());
        self.scoped(
            |scope| {
                scope.container = Some(index);
                scope.within.push(name);
                scope.prefix = prefix;
                scope.test = test;
                scope.members = None;
            },
            |walker| walker.items(body),
        );
    }

    fn constant(&mut self, node: Node<'_>, preamble: Preamble) {
        let mutable = children(node).iter().any(|child| child.kind() == "mutable_specifier");
        let mut symbol = self.symbol(node, SymbolKind::Constant, &preamble);
        let declared_type = node.child_by_field_name("type").map(|declared| self.folded(declared));
        let value_node = node.child_by_field_name("value");
        symbol.has_body = value_node.is_some();
        if let Some(value) = value_node {
            let end = self.span(value).start as usize;
            let head = shared::signature(self.source, symbol.span.start as usize, end);
            symbol.signature = head.trim_end_matches('=').trim_end().into();
        }
        let name = symbol.name;
        let member_of = symbol.member_of;
        self.push_symbol(symbol, Vec::new());
        let value = value_node.map(|value| self.expression(value));
        let value = value.map(|value| self.used(value, Usage::Bound(name)));
        self.facts.bindings.push(Binding {
            name,
            kind: if mutable { BindingKind::Variable } else { BindingKind::Constant },
            owner: self.scope.function,
            member_of,
            declared_type,
            value,
            taken: None,
            region: self.scope.region,
            line: self.line(node),
            span: self.span(node),
            statement: self.scope.statement,
        });
    }
}

/// Where `path = "…"` or `cfg_attr(unix, path = "…")` says that a module stands.
fn written_path(attribute: &str) -> Option<Name> {
    let own = match attribute.strip_prefix("cfg_attr") {
        Some(rest) => rest.trim_end().trim_end_matches(')').rsplit(',').next()?.trim_start(),
        None => attribute,
    };
    let value = own.strip_prefix("path")?.trim_start().strip_prefix('=')?.trim();
    Some(value.trim_matches('"').into())
}

/// A path as written, without generic arguments and white space.
pub(super) fn shared_path(text: &str) -> String {
    let mut depth = 0_u32;
    let mut path = String::new();
    for character in text.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 && !character.is_whitespace() => path.push(character),
            _ => {}
        }
    }
    path
}
