//! Working out expressions, names, parameters and results.

use std::cell::{Cell, RefCell};

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::exports::{Exported, Space, external_path};
use super::generics::Filled;
use super::globals::is_global;
use super::reads::Reads;
use super::scope::{Definition, Scope};
use super::types;
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{BindingKind, ImportItem, RegionKind, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, How, ImportTarget, SymbolId};

/// Steps one inside another. Our choice: real chains end within ten.
const MAX_DEPTH: u32 = 28;
/// Steps for one call. Our choice: a hundred times what an ordinary call takes.
const MAX_STEPS: u32 = 1500;
/// Items of a list literal that are told apart. Our choice: what is taken apart by position is short.
const MAX_POSITIONS: usize = 8;

/// Works out what expressions of any file are.
pub(super) struct Linker<'a, 'w> {
    pub reads: Reads<'a, 'w>,
    bindings: RefCell<HashMap<(FileId, u32), Option<Known<'a>>>>,
    pub memo: RefCell<HashMap<SymbolId, Option<Value<'a>>>>,
    pub active: RefCell<HashSet<(FileId, u32, bool)>>,
    /// What type parameters stand for in what is being read.
    pub filled: RefCell<Filled<'a>>,
    depth: Cell<u32>,
    steps: Cell<u32>,
    /// Something was left out to come to an end: what is known now must not be kept.
    pub cut: Cell<bool>,
}

impl<'a, 'w> Linker<'a, 'w> {
    pub fn new(reads: Reads<'a, 'w>) -> Linker<'a, 'w> {
        Linker {
            reads,
            bindings: RefCell::default(),
            memo: RefCell::default(),
            active: RefCell::default(),
            filled: RefCell::default(),
            depth: Cell::new(0),
            steps: Cell::new(0),
            cut: Cell::new(false),
        }
    }

    pub fn facts(&self, file: FileId) -> &'a crate::repo_map::facts::FileFacts {
        self.reads.facts(file)
    }

    /// Names within `file`.
    pub fn scope(&self, file: FileId) -> &'w Scope<'a> {
        self.reads.scope(file)
    }

    /// What the call `call` of `file` calls.
    pub fn callee(&self, file: FileId, call: u32) -> Option<Known<'a>> {
        self.begin();
        self.callee_of(file, call)
    }

    /// What the argument `expr` names.
    pub fn handed(&self, file: FileId, expr: &'a Expr, at: u32) -> Option<Value<'a>> {
        self.begin();
        Some(self.function(file, expr, at)?.value)
    }

    /// What a class that stands at byte `at` builds on.
    pub fn base_of(&self, file: FileId, text: &str, at: u32, space: Space) -> Value<'a> {
        self.begin();
        self.base(file, text, at, space, &[])
    }

    /// Forgets the question before.
    fn begin(&self) {
        self.depth.set(0);
        self.steps.set(0);
        self.cut.set(false);
        self.active.borrow_mut().clear();
    }

    pub fn callee_of(&self, file: FileId, call: u32) -> Option<Known<'a>> {
        let site = self.facts(file).calls.get(call as usize)?;
        let found = self.function(file, &site.callee, site.span.start)?;
        Some(self.module(found))
    }

    /// Of a module as a whole what `module.exports` was set to, if it was: `const run = require('./run'); run()`.
    pub fn module(&self, known: Known<'a>) -> Known<'a> {
        let Value::Namespace(file) = known.value else { return known };
        match self.deeper(|| self.exported(file, "default", Space::Value)) {
            Some(whole) if whole.value != known.value => {
                // `module.exports = require('./other')`
                let passes_on = matches!(whole.value, Value::Namespace(_));
                let how = if passes_on { How::Reexport } else { whole.how.max(known.how) };
                self.deeper(|| Some(self.module(Known { value: whole.value, how }))).unwrap_or(known)
            }
            _ => known,
        }
    }

    /// `expr` as something to call: a constant stays the constant, unless it is another name for something.
    pub fn function(&self, file: FileId, expr: &'a Expr, at: u32) -> Option<Known<'a>> {
        match expr.peeled() {
            Expr::Name(name) => self.name(file, name, at, Space::Value),
            Expr::Member(object, name) => self.member_of(file, object, name, at),
            Expr::Index(object, key) if matches!(key.as_ref(), Expr::Text(_)) => {
                let Expr::Text(key) = key.as_ref() else { return None };
                self.member_of(file, object, key, at)
            }
            Expr::Super => {
                let class = self.scope(file).class_at(at)?;
                match self.parent(SymbolId { file, index: class })? {
                    Value::Instance(base, _) => Value::Symbol(base).by(How::Member),
                    value => value.by(How::Member),
                }
            }
            Expr::Function { symbol: Some(index), .. } => {
                Value::Symbol(SymbolId { file, index: *index }).by(How::Scope)
            }
            other => self.value(file, other, at),
        }
    }

    /// Runs `step` one level deeper, or not at all when there is no end to it.
    pub fn deeper<T>(&self, step: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.depth.get() >= MAX_DEPTH || self.steps.get() >= MAX_STEPS {
            self.cut.set(true);
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        self.steps.set(self.steps.get() + 1);
        let found = step();
        self.depth.set(self.depth.get() - 1);
        found
    }

    /// What `expr` is at byte `at` of `file`.
    pub fn value(&self, file: FileId, expr: &'a Expr, at: u32) -> Option<Known<'a>> {
        self.deeper(|| match expr {
            Expr::Name(name) => self.settled_name(file, name, at),
            Expr::This => self.this(file, at),
            Expr::Super => {
                let class = self.scope(file).class_at(at)?;
                self.parent(SymbolId { file, index: class })?.by(How::Member)
            }
            Expr::Member(object, name) => {
                let found = self.member_of(file, object, name, at)?;
                Some(self.opened(found))
            }
            Expr::Call(call) => self.result_of_call(file, *call),
            Expr::Await(inner) => {
                let found = self.value(file, inner, at)?;
                Some(Known { value: found.value.awaited(), how: found.how })
            }
            Expr::Unary(operator, inner) => match operator.strip_prefix("as ").filter(|kind| *kind != "const") {
                Some(kind) => self
                    .type_value(file, &types::parse(kind), at)
                    .by(How::Typed)
                    .or_else(|| self.value(file, inner, at)),
                None if matches!(operator.as_str(), "!" | "-" | "typeof" | "delete" | "void") => None,
                None => self.value(file, inner, at),
            },
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "??" | "||") => {
                self.value(file, left, at).or_else(|| self.value(file, right, at))
            }
            Expr::Binary(operator, _, right) if operator == "&&" => self.value(file, right, at),
            Expr::Either(values) => values.iter().find_map(|value| self.value(file, value, at)),
            Expr::Object(_) => Value::Object(file, at, expr).by(How::Scope),
            Expr::Array(items) => {
                let spread = items.iter().any(|item| matches!(item, Expr::Spread(_)));
                if spread || items.len() > MAX_POSITIONS {
                    let item = items.iter().find_map(|item| match item {
                        Expr::Spread(list) => self.value(file, list, at).map(|list| list.value.item()),
                        item => self.value(file, item, at).map(|item| item.value),
                    });
                    return Value::Array(Box::new(item.unwrap_or(Value::Unknown))).by(How::Scope);
                }
                let value = |item| self.value(file, item, at).map_or(Value::Unknown, |item| item.value);
                Value::Tuple(items.iter().map(value).collect()).by(How::Scope)
            }
            Expr::Index(object, index) => match index.as_ref() {
                Expr::Text(key) => {
                    let found = self.member_of(file, object, key, at)?;
                    Some(self.opened(found))
                }
                Expr::Number(position) => {
                    let list = self.value(file, object, at)?;
                    list.value.at(position.parse().ok()?).by(How::Typed)
                }
                _ => {
                    let list = self.value(file, object, at)?;
                    list.value.is_list().then(|| list.value.item())?.by(How::Typed)
                }
            },
            Expr::Function { symbol: Some(index), .. } => {
                Value::Symbol(SymbolId { file, index: *index }).by(How::Scope)
            }
            Expr::Function { region: Some(region), .. } => Value::Closure(file, *region).by(How::Scope),
            Expr::Text(_) | Expr::Template(_) => Value::global(&["String"]).by(How::Typed),
            Expr::Number(_) => Value::global(&["Number"]).by(How::Typed),
            Expr::Regex(_) => Value::global(&["RegExp"]).by(How::Typed),
            Expr::Function { .. }
            | Expr::Binary(..)
            | Expr::Path(_)
            | Expr::Bool(_)
            | Expr::Nothing
            | Expr::Spread(_)
            | Expr::Other => None,
        })
    }

    /// A name as a value: a constant gives what it holds.
    fn settled_name(&self, file: FileId, name: &str, at: u32) -> Option<Known<'a>> {
        let found = self.name(file, name, at, Space::Value)?;
        Some(self.opened(found))
    }

    /// What a constant holds, how it was found kept, and what an accessor gives; anything else as it is.
    pub fn opened(&self, known: Known<'a>) -> Known<'a> {
        if let Value::Symbol(id) = known.value
            && is_getter(self.symbol(id))
        {
            return self.returned(id).and_then(|value| value.by(How::Returned)).unwrap_or(known);
        }
        if let Value::Symbol(id) = known.value
            && self.symbol(id).kind == SymbolKind::Constant
            && let Some(held) = self.held(id)
        {
            // What is written in place is reached by the constant's own name; a typed value by its type.
            let how = if held.how == How::Scope { known.how } else { held.how };
            return Known { value: held.value, how };
        }
        known
    }

    pub fn symbol(&self, id: SymbolId) -> &'a crate::repo_map::facts::Symbol {
        &self.facts(id.file).symbols[id.index as usize]
    }

    /// The value of a constant.
    fn held(&self, id: SymbolId) -> Option<Known<'a>> {
        let scope = self.scope(id.file);
        let symbol = self.symbol(id);
        if let Some(Definition::Binding(binding)) = scope.value(&symbol.name, symbol.span.start.saturating_add(1)) {
            return self.binding(id.file, binding);
        }
        // `export default { … }`
        match self.reads.export(id.file, "default", Space::Value) {
            Some((Exported::Value(file, value), _)) if symbol.default_export => {
                self.value(file, value, symbol.span.start)
            }
            _ => None,
        }
    }

    /// What `name` stands for at byte `at` of `file`.
    pub fn name(&self, file: FileId, name: &str, at: u32, space: Space) -> Option<Known<'a>> {
        let scope = self.scope(file);
        let definition = match space {
            Space::Value => scope.value(name, at),
            Space::Type => scope.kind(name, at),
        };
        match definition {
            Some(definition) => self.definition(file, definition, space, How::Scope),
            // `exports.all = exports.one`
            None if name == "exports" => Value::Namespace(file).by(How::Scope),
            None if is_global(name) => match name {
                "globalThis" | "window" | "self" | "global" => Value::global(&[]).by(How::Scope),
                name => Value::global(&[name]).by(How::Scope),
            },
            None => None,
        }
    }

    pub fn definition(&self, file: FileId, definition: Definition, space: Space, how: How) -> Option<Known<'a>> {
        match definition {
            Definition::Symbol(index) => self.renamed(SymbolId { file, index }, how),
            Definition::Binding(binding) => match self.scope(file).symbol_of_binding.get(&binding) {
                Some(&index) => self.renamed(SymbolId { file, index }, how),
                None => self.binding(file, binding),
            },
            Definition::Parameter(symbol, place, part) => self.parameter(file, symbol, place, part),
            Definition::Callback(region, place) => self.callback_parameter(file, region, place),
            Definition::Import(import) => self.import(file, import, space),
        }
    }

    /// `const a = b` is `b`, and `const { a } = b` what `b` holds; other constants are themselves.
    fn renamed(&self, id: SymbolId, how: How) -> Option<Known<'a>> {
        let symbol = self.symbol(id);
        if symbol.kind == SymbolKind::Constant
            && let Some(Definition::Binding(binding)) =
                self.scope(id.file).value(&symbol.name, symbol.span.start.saturating_add(1))
        {
            let binding = &self.facts(id.file).bindings[binding as usize];
            let alias = binding.taken.is_some()
                || binding.value.as_ref().is_some_and(|value| matches!(value.peeled(), Expr::Name(_)));
            if alias && let Some(held) = self.deeper(|| self.held_function(id)) {
                match held.value {
                    Value::Symbol(target) if target != id => return Value::Symbol(target).by(how.max(held.how)),
                    // `const { readFile } = fs`; what is only renamed stays a definition of its own.
                    Value::External { .. } if binding.taken.is_some() => return Some(held),
                    _ => {}
                }
            }
        }
        Value::Symbol(id).by(how)
    }

    fn held_function(&self, id: SymbolId) -> Option<Known<'a>> {
        let symbol = self.symbol(id);
        let scope = self.scope(id.file);
        let Some(Definition::Binding(index)) = scope.value(&symbol.name, symbol.span.start.saturating_add(1)) else {
            return None;
        };
        let binding = &self.facts(id.file).bindings[index as usize];
        if binding.taken.is_some() {
            return self.binding(id.file, index);
        }
        self.function(id.file, binding.value.as_ref()?, binding.span.start)
    }

    /// What a variable holds.
    fn binding(&self, file: FileId, index: u32) -> Option<Known<'a>> {
        if let Some(known) = self.bindings.borrow().get(&(file, index)) {
            return known.clone();
        }
        if !self.active.borrow_mut().insert((file, index, true)) {
            self.cut.set(true);
            return None;
        }
        let before = self.cut.replace(false);
        let found = self.deeper(|| self.within(&Filled::default(), || self.binding_now(file, index)));
        self.active.borrow_mut().remove(&(file, index, true));
        if !self.cut.get() {
            self.bindings.borrow_mut().insert((file, index), found.clone());
        }
        self.cut.set(self.cut.get() || before);
        found
    }

    fn binding_now(&self, file: FileId, index: u32) -> Option<Known<'a>> {
        let facts = self.facts(file);
        let binding = facts.bindings.get(index as usize)?;
        let at = binding.span.start;
        let whole = match (&binding.declared_type, &binding.value) {
            (Some(declared), value) => {
                let declared = self.type_value(file, &types::parse(declared), at).by(How::Typed);
                declared.or_else(|| self.value(file, value.as_ref()?, at))
            }
            (None, Some(value)) if binding.taken.is_none() => match value.peeled() {
                // Another name for a function, a class or a constant.
                Expr::Name(_) | Expr::Member(..) if !matches!(value, Expr::Await(_)) => {
                    let found = self.function(file, value, at)?;
                    match found.value {
                        Value::Symbol(id) if !is_getter(self.symbol(id)) => Some(found),
                        _ => Some(self.opened(found)),
                    }
                }
                _ => self.value(file, value, at),
            },
            (None, Some(value)) => self.value(file, value, at),
            (None, None) if binding.kind == BindingKind::Pattern => {
                let region = facts.regions.get(binding.region? as usize)?;
                match &region.kind {
                    RegionKind::Loop(head) => {
                        let over = self.value(file, head.over.as_ref()?, at)?;
                        over.value.item().by(How::Typed)
                    }
                    RegionKind::Callback { .. } => {
                        let (place, rest) = match binding.taken.as_deref()?.split_once('.') {
                            Some((place, rest)) => (place, Some(rest)),
                            None => (binding.taken.as_deref()?, None),
                        };
                        let whole = self.callback_parameter(file, binding.region?, place.parse().ok()?)?;
                        return match rest {
                            Some(rest) => self.taken(whole, rest),
                            None => Some(whole),
                        };
                    }
                    _ => None,
                }
            }
            (None, None) => None,
        }?;
        match &binding.taken {
            Some(taken) => self.taken(whole, taken),
            None => Some(whole),
        }
    }

    /// A part of a value that was taken apart: keys and positions joined by dots.
    pub fn taken(&self, whole: Known<'a>, path: &str) -> Option<Known<'a>> {
        let mut known = self.opened(whole);
        // What is left over has all that is asked of it.
        let path = match path.strip_suffix("...") {
            Some(path) => path.trim_end_matches('.'),
            None => path,
        };
        let mut parts = path.split('.').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let position = part.bytes().all(|byte| byte.is_ascii_digit());
            let found = match known.value {
                list @ (Value::Array(_) | Value::Tuple(_)) if position => list.at(part.parse().ok()?).by(known.how)?,
                Value::External { package, mut path, settled } => {
                    path.push(part.into());
                    Value::External { package, path, settled }.by(known.how)?
                }
                value => self.member(&Known { value, how: known.how }, part)?,
            };
            known = if parts.peek().is_some() { self.opened(found) } else { found };
        }
        Some(known)
    }

    fn import(&self, file: FileId, index: u32, space: Space) -> Option<Known<'a>> {
        let import = self.facts(file).imports.get(index as usize)?;
        let name = match &import.item {
            ImportItem::Named(name) => name.as_str(),
            ImportItem::Default => "default",
            ImportItem::Namespace => "*",
            ImportItem::Glob | ImportItem::SideEffect | ImportItem::Dynamic => return None,
        };
        self.imported(file, &import.source, name, space)
    }

    /// `name` of the module that `source` means in `file`; `*` for all of it.
    pub fn imported(&self, file: FileId, source: &str, name: &str, space: Space) -> Option<Known<'a>> {
        match self.reads.module(file, source) {
            ImportTarget::File(target) if name == "*" => Value::Namespace(*target).by(How::Import),
            ImportTarget::File(target) => self.exported(*target, name, space),
            ImportTarget::External(package) => Value::external(package, external_path(source, name)).by(How::Import),
            ImportTarget::Unresolved => None,
        }
    }

    /// `name` as `file` exports it.
    pub fn exported(&self, file: FileId, name: &str, space: Space) -> Option<Known<'a>> {
        let Some((found, passed)) = self.reads.export(file, name, space) else {
            // `module.exports = new Store()` has its members.
            let module = Known { value: Value::Namespace(file), how: How::Import };
            let whole = if name == "default" { None } else { self.deeper(|| Some(self.module(module.clone()))) }?;
            let whole = self.opened(whole);
            return if whole.value == module.value { None } else { self.deeper(|| self.member(&whole, name)) };
        };
        let how = if passed { How::Reexport } else { How::Import };
        match found {
            Exported::Definition(file, definition) => self.deeper(|| self.definition(file, definition, space, how)),
            Exported::Namespace(file) => Value::Namespace(file).by(how),
            Exported::External(package, path) => Value::external(&package, path).by(how),
            Exported::Value(file, value) => {
                if let Some(index) = self.facts(file).symbols.iter().position(|symbol| symbol.default_export)
                    && name == "default"
                {
                    return Value::Symbol(SymbolId { file, index: index as SymbolIndex }).by(how);
                }
                let found = self.deeper(|| self.function(file, value, u32::MAX - 1))?;
                Some(Known { how: found.how.max(how), value: found.value })
            }
        }
    }

    /// `this` at byte `at`: the class around, or the object whose method this is.
    pub fn this(&self, file: FileId, at: u32) -> Option<Known<'a>> {
        let facts = self.facts(file);
        let class = self.scope(file).class_at(at);
        let inside = |symbol: &crate::repo_map::facts::Symbol| symbol.span.start <= at && at < symbol.span.end;
        let mut methods =
            facts.symbols.iter().rev().filter(|symbol| symbol.kind == SymbolKind::Method && inside(symbol));
        let method = methods.next();
        match (class, method) {
            (Some(class), method)
                if method.is_none_or(|method| {
                    method.container == Some(class) || facts.symbols[class as usize].span.start > method.span.start
                }) =>
            {
                let statics = method.is_some_and(|method| method.container == Some(class) && !method.takes_self);
                let id = SymbolId { file, index: class };
                if statics { Value::Symbol(id).by(How::Member) } else { instance(id).by(How::Member) }
            }
            (_, Some(method)) => {
                let Some(holder) = method.container else {
                    let owner = method.member_of.as_deref()?;
                    let index = facts.symbols.iter().position(|symbol| symbol.name == owner)? as SymbolIndex;
                    let id = SymbolId { file, index };
                    return self.has_prototype(id).then_some(instance(id))?.by(How::Member);
                };
                match facts.symbols[holder as usize].kind {
                    SymbolKind::Constant => {
                        let held = self.held(SymbolId { file, index: holder })?;
                        Some(Known { value: held.value, how: How::Member })
                    }
                    SymbolKind::Class => instance(SymbolId { file, index: holder }).by(How::Member),
                    _ => None,
                }
            }
            _ => {
                // `function Dog() { this.bark(); }`
                let mut functions = self.scope(file).prototypes.iter();
                let &index = functions.find(|&&index| inside(&facts.symbols[index as usize]))?;
                instance(SymbolId { file, index }).by(How::Member)
            }
        }
    }

    /// Whether `new` of this function makes something with methods.
    pub fn has_prototype(&self, id: SymbolId) -> bool {
        self.scope(id.file).prototypes.contains(&id.index)
    }

    /// `object.name`.
    fn member_of(&self, file: FileId, object: &'a Expr, name: &str, at: u32) -> Option<Known<'a>> {
        self.deeper(|| {
            let receiver = match object {
                Expr::Name(module) if module == "module" && name == "exports" => {
                    return Value::Namespace(file).by(How::Scope);
                }
                // A class or a function has members of its own; a constant gives what it holds.
                Expr::Name(own) => {
                    let found = self.name(file, own, at, Space::Value)?;
                    let opened = self.opened(found.clone());
                    if opened.value == Value::Unknown { found } else { opened }
                }
                object => self.value(file, object, at)?,
            };
            self.member(&receiver, name)
        })
    }
}

/// A value of a type whose parameters nobody filled in.
fn instance<'a>(id: SymbolId) -> Value<'a> {
    Value::Instance(id, Filled::default())
}

/// `get name() { … }`: to name it is to call it.
fn is_getter(symbol: &crate::repo_map::facts::Symbol) -> bool {
    symbol.kind == SymbolKind::Method
        && symbol.parameters.is_empty()
        && symbol.signature.split_whitespace().take_while(|word| !word.contains('(')).any(|word| word == "get")
}
