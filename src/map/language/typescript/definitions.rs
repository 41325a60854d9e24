//! Functions, variables and the objects bound to them.

use crate::map::syntax::Node;

use super::super::shared::{lines, outer, signature, span};
use super::patterns::Bound;
use super::walk::{Context, Use, Walker, is_function, unwrapped};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    Binding, BindingKind, Lines, Region, RegionIndex, RegionKind, Return, Span, Symbol, SymbolIndex, SymbolKind,
};
use crate::repo_map::name::Name;

/// Calls that hand back the function they are given, so that the name they are bound to is the function's.
const WRAPPERS: &[&str] = &[
    "memo",
    "forwardRef",
    "useCallback",
    "useEvent",
    "useEffectEvent",
    "observer",
    "debounce",
    "throttle",
    "once",
    "memoize",
    "cache",
    "unstable_cache",
    "asyncHandler",
    "catchAsync",
    "wrap",
    "action",
    "query",
    "mutation",
];

/// Named objects within named objects below this are not entered.
const MAX_OBJECTS: usize = 6;

impl<'t> Walker<'t> {
    /// A symbol with what every kind has; the rest is filled in by the caller.
    pub fn symbol(
        &mut self,
        name: Name,
        kind: SymbolKind,
        name_node: Node<'t>,
        whole: Span,
        context: Context,
    ) -> Symbol {
        let qualified = match context.container {
            Some(container) => format!("{}.{name}", outer(&self.facts.symbols[container as usize].qualified)).into(),
            None => name,
        };
        Symbol {
            name,
            qualified,
            kind,
            container: context.container,
            member_of: None,
            of_trait: None,
            exported: context.exported,
            default_export: context.default_export,
            is_async: false,
            test: context.test,
            has_body: true,
            takes_self: false,
            span: whole,
            lines: self.lines_of(whole, name_node),
            name_line: name_node.start_row() + 1,
            signature: Name::default(),
            parameters: Vec::new(),
            return_type: None,
            attributes: Vec::new(),
            documented: context.documented,
            tokens: 0,
            complexity: 1,
        }
    }

    /// Lines of `span`, which contains `inside`.
    fn lines_of(&self, span: Span, inside: Node<'t>) -> Lines {
        Lines { start: inside.row_of(span.start as usize) + 1, end: inside.row_of(span.end as usize) + 1 }
    }

    /// Adds `symbol`.
    pub fn add_symbol(&mut self, symbol: Symbol) -> SymbolIndex {
        self.facts.symbols.push(symbol);
        (self.facts.symbols.len() - 1) as SymbolIndex
    }

    /// Adds `symbol` for the function at `function`, whose calls then stand in it.
    pub fn add_function(&mut self, mut symbol: Symbol, function: Node<'t>) -> SymbolIndex {
        symbol.is_async = self.is_async(function);
        symbol.parameters = self.parameters(function);
        symbol.return_type = function.child_by_field_name("return_type").map(|node| self.type_text(node));
        let body = function.child_by_field_name("body");
        symbol.has_body = body.is_some();
        let end = body.map_or(symbol.span.end as usize, |body| body.start_byte());
        symbol.signature = self.signature_text(symbol.span.start as usize, end);
        let index = self.add_symbol(symbol);
        self.symbol_of.insert(function.id(), index);
        index
    }

    /// A signature, secrets in default values masked.
    pub fn signature_text(&self, start: usize, end: usize) -> Name {
        let text = signature(self.source, start, end);
        let text = text.trim_end_matches(['{', ';', '='].as_slice()).trim_end();
        // A default value that is a credential stands in quotes.
        if text.contains(['"', '\'', '`']) { crate::secrets::mask(text).into() } else { text.into() }
    }

    /// `function f() {}` and its signatures.
    pub fn visit_function_declaration(&mut self, node: Node<'t>, context: Context) {
        let whole = context.whole_or(node);
        if let Some(name) = node.child_by_field_name("name") {
            let text = self.text(name).into();
            let symbol = self.symbol(text, SymbolKind::Function, name, whole, context);
            let index = self.add_function(symbol, node);
            if !context.top && node.kind() != "function_signature" {
                // A local function is found like a local variable.
                let is_async = self.facts.symbols[index as usize].is_async;
                let value = Expr::Function { region: None, symbol: Some(index), is_async };
                self.add_binding(text, BindingKind::Constant, None, Some(value), None, node, context);
            }
        } else if context.default_export {
            let symbol = self.symbol("default".into(), SymbolKind::Function, node, whole, context);
            self.add_function(symbol, node);
        }
        self.visit_function_value(node, context);
    }

    /// The region of the function at `node`; the same one every time.
    pub fn region_slot(&mut self, node: Node<'t>) -> RegionIndex {
        if let Some(&region) = self.region_of.get(&node.id()) {
            return region;
        }
        let kind = RegionKind::Callback { call: None, is_async: false, parameters: Vec::new(), block_body: false };
        let body = node.child_by_field_name("body").unwrap_or(node);
        let region = Region { kind, parent: None, symbol: None, span: span(body), lines: lines(node), is_case: false };
        let index = self.add_region(region);
        self.region_of.insert(node.id(), index);
        index
    }

    /// Any function with its parts: in its symbol when it has one, else in a callback region.
    pub fn visit_function_value(&mut self, node: Node<'t>, context: Context) {
        let inner = Context { breaks: None, top: false, usage: Use::Operand, awaited: false, ..context.inner() };
        let inner = match self.symbol_of.get(&node.id()).copied() {
            Some(symbol) => {
                Context { caller: Some(symbol), container: Some(symbol), region: None, callback: None, ..inner }
            }
            None => self.enter_callback(node, inner, context),
        };
        for (child, field) in self.children(node) {
            match field {
                Some("name") => self.count_definition(child, inner),
                Some("parameter") => {
                    self.bind(child, inner);
                }
                Some("body") if child.kind() != "statement_block" => {
                    self.record_return(child, inner);
                    let statement = self.next_block();
                    self.push(child, Context { statement, ..inner.used(Use::Returned) });
                }
                _ => self.push(child, inner),
            }
        }
    }

    fn enter_callback(&mut self, node: Node<'t>, inner: Context, context: Context) -> Context {
        let region = self.region_slot(node);
        let call = match context.usage {
            Use::Argument(call) => Some(call),
            _ => None,
        };
        let parameters = self.parameters(node);
        let names = parameters.iter().flat_map(|parameter| {
            let destructured = parameter.destructured.iter().map(|(_, local)| *local);
            let plain = (!parameter.name.is_empty()).then_some(parameter.name);
            plain.into_iter().chain(destructured)
        });
        let names = names.collect();
        let is_async = self.is_async(node);
        let block_body = node.child_by_field_name("body").is_some_and(|body| body.kind() == "statement_block");
        let test = context.test || call.is_some_and(|call| self.is_test_call(call));
        let found = &mut self.facts.regions[region as usize];
        found.kind = RegionKind::Callback { call, is_async, parameters: names, block_body };
        found.parent = context.region;
        found.symbol = context.caller;
        let inner = Context { region: Some(region), callback: Some(region), test, ..inner };
        // Of names alone nobody could tell which parameter they come from.
        let taken_apart = parameters.iter().any(|parameter| !parameter.destructured.is_empty());
        for (place, parameter) in parameters.into_iter().enumerate() {
            let declared = parameter.declared_type;
            if declared.is_none() && !taken_apart {
                continue;
            }
            let plain = (!parameter.name.is_empty()).then_some((None, parameter.name));
            let parts = parameter.destructured.into_iter().map(|(key, local)| (Some(key), local));
            for (key, local) in plain.into_iter().chain(parts) {
                let taken = match (&declared, key) {
                    (Some(_), key) => key,
                    (None, Some(key)) => Some(format!("{place}.{key}").into()),
                    (None, None) => Some(place.to_string().into()),
                };
                self.add_binding(local, BindingKind::Pattern, declared, None, taken, node, inner);
            }
        }
        inner
    }

    /// A definition's own name: a token, not a reference.
    pub fn count_definition(&mut self, name: Node<'t>, context: Context) {
        if name.is_leaf() {
            self.count(name);
        } else if name.kind() == "string" {
            for (child, _) in self.children(name) {
                self.count(child);
            }
        } else {
            self.push(name, context.inner().used(Use::Operand));
        }
    }

    /// What a function hands back in one place. Objects and named functions returned by a named function become symbols.
    pub fn record_return(&mut self, value: Node<'t>, context: Context) {
        let bare = unwrapped(value);
        if let (None, Some(caller)) = (context.callback, context.caller) {
            match bare.kind() {
                "object" => self.name_object(bare, Context { container: Some(caller), ..context.inner() }, 0),
                "function_expression" | "generator_function" => {
                    if let Some(name) = bare.child_by_field_name("name") {
                        let text = self.text(name).to_owned();
                        let symbol = self.symbol(text.into(), SymbolKind::Function, name, span(bare), context.inner());
                        self.add_function(symbol, bare);
                    }
                }
                _ => {}
            }
        }
        let line = value.start_row() + 1;
        let value = self.expr(value);
        let symbol = if context.callback.is_some() { None } else { context.caller };
        self.facts.returns.push(Return { symbol, region: context.callback, value, line });
    }

    /// `const`, `let` and `var`.
    pub fn visit_declaration(&mut self, node: Node<'t>, context: Context) {
        let constant = node.child(0).is_some_and(|word| word.kind() == "const");
        let kind = if constant { BindingKind::Constant } else { BindingKind::Variable };
        let children: Vec<_> = self.children(node).collect();
        let single = children.iter().filter(|(child, _)| child.kind() == "variable_declarator").count() == 1;
        let statement = context.whole_or(node);
        for (child, _) in children {
            if child.kind() == "variable_declarator" {
                let whole = if single { statement } else { span(child) };
                self.visit_declarator(child, kind, Context { whole, ..context });
            } else {
                self.push(child, context.inner());
            }
        }
    }

    fn visit_declarator(&mut self, node: Node<'t>, kind: BindingKind, context: Context) {
        let (Some(name), value) = (node.child_by_field_name("name"), node.child_by_field_name("value")) else {
            return self.push_children(node, context.inner());
        };
        let declared = self.declared_type(node);
        let required = value.is_some_and(|value| self.record_require(value, name, context));
        let names = self.bind(name, context);
        let plain = matches!(names.as_slice(), [Bound { taken: None, .. }]);
        if required && !context.exported {
            // An import under another form, no definition.
        } else if plain {
            self.name_value(name, value, context);
        } else if context.top {
            for bound in &names {
                let text = self.text(bound.name).to_owned();
                let mut symbol = self.symbol(text.into(), SymbolKind::Constant, bound.name, context.whole, context);
                symbol.signature = self.signature_text(context.whole.start as usize, context.whole.end as usize);
                self.add_symbol(symbol);
            }
        }
        if !required {
            let value = value.map(|value| self.expr(value));
            for bound in names {
                let text = self.text(bound.name).to_owned();
                self.add_binding(text.into(), kind, declared, value.clone(), bound.taken, node, context);
            }
        }
        let usage = if plain { Use::Bound(name.start_byte() as u32, name.end_byte() as u32) } else { Use::Bound(0, 0) };
        for (child, field) in self.children(node) {
            match field {
                Some("name") => {}
                Some("value") => self.push(child, context.inner().used(usage)),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    /// Makes symbols of what is bound to `name`: a function, a class, an object's functions, a module-level constant.
    fn name_value(&mut self, name: Node<'t>, value: Option<Node<'t>>, context: Context) {
        let text = self.text(name).to_owned();
        let bare = value.map(unwrapped);
        if let Some(function) = bare.and_then(|bare| self.function_behind(bare)) {
            let symbol = self.symbol(text.into(), SymbolKind::Function, name, context.whole, context);
            self.add_function(symbol, function);
            return;
        }
        match bare.map(|bare| (bare, bare.kind())) {
            Some((class, "class")) => {
                let symbol = self.symbol(text.into(), SymbolKind::Class, name, context.whole, context);
                let index = self.add_symbol(symbol);
                self.symbol_of.insert(class.id(), index);
            }
            found if context.top => {
                let mut symbol = self.symbol(text.into(), SymbolKind::Constant, name, context.whole, context);
                symbol.signature = self.signature_text(context.whole.start as usize, context.whole.end as usize);
                let index = self.add_symbol(symbol);
                if let Some((object, "object")) = found {
                    self.name_object(object, Context { container: Some(index), ..context.inner() }, 0);
                }
            }
            Some((object, "object")) => self.name_local_object(object, &text, context),
            _ => {}
        }
    }

    /// The functions of an object bound to a local variable, which is itself no symbol.
    fn name_local_object(&mut self, object: Node<'t>, name: &str, context: Context) {
        let first = self.facts.symbols.len();
        self.name_object(object, context.inner(), 0);
        self.prefix_names(first, name, context);
    }

    /// Puts `name.` before the own part of the qualified names from `first` on.
    fn prefix_names(&mut self, first: usize, name: &str, context: Context) {
        let outer = match context.container {
            Some(container) => outer(&self.facts.symbols[container as usize].qualified).len() + 1,
            None => 0,
        };
        for symbol in &mut self.facts.symbols[first..] {
            let at = outer.min(symbol.qualified.len());
            let (before, after) = symbol.qualified.split_at(at);
            symbol.qualified = format!("{before}{name}.{after}").into();
        }
    }

    /// The function that a value is or wraps: `() => …`, `memo(forwardRef(() => …))`.
    pub fn function_behind(&mut self, value: Node<'t>) -> Option<Node<'t>> {
        let mut node = value;
        for _ in 0..4 {
            if is_function(node) {
                return Some(node);
            }
            if node.kind() != "call_expression" {
                return None;
            }
            let callee = node.child_by_field_name("function")?;
            let name = match callee.kind() {
                "member_expression" => callee.child_by_field_name("property")?,
                _ => callee,
            };
            let name = self.text(name);
            let composes = ["with", "wrap"].iter().any(|prefix| {
                name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_uppercase()))
            });
            if !WRAPPERS.contains(&name) && !composes {
                return None;
            }
            let arguments = node.child_by_field_name("arguments")?;
            node = unwrapped(self.named(arguments).into_iter().find(|argument| {
                let bare = unwrapped(*argument);
                is_function(bare) || bare.kind() == "call_expression"
            })?);
        }
        None
    }

    /// Makes symbols of the functions in an object literal that has a name: `context.container` or an outer key.
    pub fn name_object(&mut self, object: Node<'t>, context: Context, depth: usize) {
        if depth >= MAX_OBJECTS {
            return;
        }
        let mut documented = false;
        for (entry, _) in self.children(object) {
            match entry.kind() {
                "comment" => {
                    documented = self.text(entry).starts_with("/**");
                    continue;
                }
                "method_definition" => {
                    if let Some(key) = entry.child_by_field_name("name") {
                        self.name_entry(key, entry, entry, Context { documented, ..context });
                    }
                }
                "pair" => {
                    let (key, value) = (entry.child_by_field_name("key"), entry.child_by_field_name("value"));
                    if let (Some(key), Some(value)) = (key, value.map(unwrapped)) {
                        if let Some(function) = self.function_behind(value) {
                            self.name_entry(key, function, entry, Context { documented, ..context });
                        } else if value.kind() == "object" {
                            let name = self.key(key);
                            let first = self.facts.symbols.len();
                            self.name_object(value, context, depth + 1);
                            self.prefix_names(first, &name, context);
                        }
                    }
                }
                _ => {}
            }
            documented = documented && !entry.is_named();
        }
    }

    fn name_entry(&mut self, key: Node<'t>, function: Node<'t>, entry: Node<'t>, context: Context) {
        let name = self.key(key);
        let mut symbol = self.symbol(name, SymbolKind::Method, key, span(entry), context);
        symbol.takes_self = true;
        self.add_function(symbol, function);
    }

    /// Notes a variable or field.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the binding")]
    pub fn add_binding(
        &mut self,
        name: Name,
        kind: BindingKind,
        declared_type: Option<Name>,
        value: Option<Expr>,
        taken: Option<Name>,
        node: Node<'t>,
        context: Context,
    ) {
        self.facts.bindings.push(Binding {
            name,
            kind,
            owner: context.caller,
            member_of: None,
            declared_type,
            value,
            taken,
            region: context.region,
            line: node.start_row() + 1,
            span: span(node),
            statement: context.statement,
        });
    }
}
