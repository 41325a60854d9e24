//! What type an expression has, from what is written: declarations, constructors, return types, patterns.

use super::library;
use super::linker::{Context, Linker, Typed};
use super::paths::{Def, Space};
use super::types::{Ty, Types};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;
use crate::repo_map::{How, SymbolId};

impl<'a> Linker<'a> {
    /// The type of `expr` seen from `context`.
    pub fn type_of(&self, expr: &'a Expr, context: Context) -> Typed<'a> {
        let Some(_open) = self.enter() else { return Typed::default() };
        match expr {
            Expr::This => Typed { ty: self.self_type(context), how: How::Member },
            Expr::Name(name) => self.type_of_name(name, context),
            Expr::Path(path) => self.type_of_path(&as_names(path), context),
            Expr::Call(index) => self.result(*index),
            Expr::Await(inner) => {
                let inner = self.type_of(inner, context);
                Typed { ty: self.awaited(inner.ty), how: inner.how }
            }
            Expr::Member(object, name) => {
                let object = self.type_of(object, context);
                let ty = self.field(&object.ty, name);
                let how = if object.how == How::Member { How::Typed } else { object.how };
                Typed { ty, how }
            }
            Expr::Unary(operator, inner) => match operator.as_str() {
                "?" => {
                    let inner = self.type_of(inner, context);
                    Typed { ty: self.tried(&inner.ty), ..inner }
                }
                "*" => {
                    let inner = self.type_of(inner, context);
                    let ty = match library::deref(&inner.ty).or_else(|| self.own_deref(&inner.ty)) {
                        Some(ty) => ty,
                        None if library::is_pointer(&inner.ty) => Ty::Unknown,
                        None => inner.ty,
                    };
                    Typed { ty, how: inner.how }
                }
                "&" => self.type_of(inner, context),
                // What a cast gives is not kept in the facts.
                _ => Typed::default(),
            },
            Expr::Index(object, _) => {
                let object = self.type_of(object, context);
                let ty = match object.ty.outside_name() {
                    Some("HashMap" | "BTreeMap" | "IndexMap") => object.ty.argument(1),
                    _ => library::item(&object.ty),
                };
                Typed { ty, ..object }
            }
            Expr::Object(entries) => match entries.first() {
                Some((key, path)) if key == "::" => {
                    let path = match path {
                        Expr::Name(name) => vec![name.as_str()],
                        Expr::Path(path) => as_names(path),
                        _ => Vec::new(),
                    };
                    self.type_of_literal(&path, context)
                }
                _ => Typed::default(),
            },
            Expr::Array(items) => {
                let items = items.iter().map(|item| self.type_of(item, context).ty).collect();
                Typed { ty: Ty::Tuple(items), how: How::Typed }
            }
            Expr::Either(values) => values
                .iter()
                .map(|value| self.type_of(value, context))
                .find(|value| value.ty.is_known())
                .unwrap_or_default(),
            Expr::Function { region: Some(region), is_async: true, .. } => {
                // An async block: what it gives when awaited.
                Typed { ty: self.region_result(context.file, *region), how: How::Returned }
            }
            Expr::Function { region: Some(region), .. } => {
                let result = self.region_result(context.file, *region);
                Typed { ty: Ty::function(Types::default(), result), how: How::Typed }
            }
            Expr::Text(_) => Typed { ty: Ty::plain(&["str"]), how: How::Typed },
            Expr::Template(_) => Typed { ty: Ty::plain(library::STRING), how: How::Typed },
            _ => Typed::default(),
        }
    }

    /// The type a struct literal makes: `Foo { … }`, `Self { … }`, `Shape::Circle { … }`.
    pub fn type_of_literal(&self, path: &[&'a str], context: Context) -> Typed<'a> {
        if path.first().is_some_and(|first| *first == "Self") {
            return Typed { ty: self.self_type(context), how: How::Member };
        }
        let walked = self.site(context).and_then(|site| self.names.resolve(site, path.iter().copied(), Space::Type));
        let ty = match walked.map(|walked| walked.found.def) {
            Some(Def::Symbol(symbol)) => self.symbol_type(symbol, Vec::new()),
            Some(Def::Variant(symbol, _)) => Ty::own(symbol),
            Some(Def::Outside(outside)) => Ty::Outside(outside, Types::default()),
            Some(Def::Module(_)) | None => Ty::Unknown,
        };
        Typed { ty, how: How::Typed }
    }

    fn type_of_name(&self, name: &'a str, context: Context) -> Typed<'a> {
        if let Some(binding) = self.visible_binding(context, name) {
            return self.type_of_binding(context.file, binding);
        }
        if let Some(found) = self.type_of_parameter(name, context) {
            return found;
        }
        self.type_of_path(&[name], context)
    }

    fn type_of_path(&self, path: &[&'a str], context: Context) -> Typed<'a> {
        if let [first, name] = path
            && *first == "Self"
            && let Ty::Own(symbol, arguments) = self.self_type(context)
        {
            let how = How::Member;
            if self.index.is_variant(symbol, name) {
                return Typed { ty: Ty::Own(symbol, arguments), how };
            }
            if let Some(constant) = self.members.constant(symbol, name) {
                return Typed { ty: self.constant_type(constant), how: How::Typed };
            }
        }
        let Some(site) = self.site(context) else { return Typed::default() };
        let Some(walked) = self.names.resolve(site, path.iter().copied(), Space::Value) else {
            return Typed::default();
        };
        let ty = match walked.found.def {
            Def::Variant(symbol, _) => Ty::own(symbol),
            Def::Outside(outside) => {
                // A constant or variant of a type goes by the type.
                let ty = match outside.path.split_last() {
                    Some((last, of)) if last.starts_with(char::is_uppercase) && !of.is_empty() => outside.at(of),
                    _ => outside,
                };
                Ty::Outside(ty, Types::default())
            }
            Def::Symbol(symbol) if walked.rest.is_empty() => {
                let own = self.symbol(symbol);
                match own.kind {
                    SymbolKind::Constant => self.constant_type(symbol),
                    SymbolKind::Struct => Ty::own(symbol),
                    SymbolKind::Function => Ty::function(Types::default(), self.declared_result(symbol, &Ty::Unknown)),
                    _ => Ty::Unknown,
                }
            }
            Def::Symbol(symbol) => match walked.rest.as_slice() {
                [name] => {
                    let constant = self.members.constant(self.names.through_aliases(symbol), name);
                    constant.map(|constant| self.constant_type(constant)).unwrap_or_default()
                }
                _ => Ty::Unknown,
            },
            Def::Module(_) => Ty::Unknown,
        };
        Typed { ty, how: How::Typed }
    }

    fn constant_type(&self, symbol: SymbolId) -> Ty<'a> {
        let own = self.symbol(symbol);
        let facts = self.facts(symbol.file);
        let binding = facts.bindings.iter().find(|binding| binding.span == own.span && binding.name == own.name);
        let declared = binding.and_then(|binding| binding.declared_type.as_deref());
        declared.map(|declared| self.read_type(declared, self.context_of(symbol))).unwrap_or_default()
    }

    /// The binding that `name` means at `context`: the latest one before it in a region around it.
    pub fn visible_binding(&self, context: Context, name: &'a str) -> Option<usize> {
        let facts = self.facts(context.file);
        let visible = |binding: &Binding| {
            binding.member_of.is_none()
                && binding.span.end <= context.at
                && (binding.region.is_none()
                    || facts.enclosing_regions(context.region).any(|(region, _)| Some(region) == binding.region))
        };
        self.bindings_named(context.function, name)
            .filter(|place| visible(&facts.bindings[*place]))
            .max_by_key(|place| facts.bindings[*place].span.start)
    }

    /// Whether `name` is a variable or parameter at `context`.
    pub fn is_local(&self, context: Context, name: &'a str) -> bool {
        self.visible_binding(context, name).is_some_and(|place| {
            let binding = &self.facts(context.file).bindings[place];
            // Constants are definitions, whatever function they stand in.
            binding.owner.is_some() || binding.region.is_some()
        }) || context.function.is_some_and(|function| {
            let symbol = &self.facts(context.file).symbols[function as usize];
            symbol.parameters.iter().any(|parameter| {
                parameter.name == name || parameter.destructured.iter().any(|(_, local)| local == name)
            })
        })
    }

    fn type_of_binding(&self, file: u32, place: usize) -> Typed<'a> {
        let binding = &self.facts(file).bindings[place];
        let context = Context { file, function: binding.owner, region: binding.region, at: binding.span.start };
        if let Some(declared) = &binding.declared_type {
            let ty = self.read_type(declared, context);
            // `let all: Vec<_> = …` says less than its value may.
            if ty.is_known() {
                return Typed { ty, how: How::Typed };
            }
        }
        let taken = binding.taken.as_deref();
        let Some(value) = &binding.value else {
            let Some((position, rest)) = taken.map(|taken| taken.split_once('.').unwrap_or((taken, ""))) else {
                return Typed::default();
            };
            let position = position.parse::<usize>().unwrap_or(usize::MAX);
            let ty = match &binding.declared_type {
                Some(declared) => self.read_type(declared, context),
                None => self.closure_parameter(context, position),
            };
            let ty = if rest.is_empty() { ty } else { self.taken(&ty, rest, context) };
            return Typed { ty, how: How::Typed };
        };
        let mut value = match self.type_of(value, context) {
            known if known.ty.is_known() => known,
            // `let user = match find() { Some(user) => user, None => return };`: the name is bound inside the value.
            unknown => self.type_of_inner_name(file, place).unwrap_or(unknown),
        };
        if taken.is_none() && value.ty.argument(0) == Ty::Unknown {
            self.fill_by_use(file, place, &mut value.ty);
        }
        match taken {
            None => value,
            Some(steps) => Typed { ty: self.taken(&value.ty, steps, context), ..value },
        }
    }

    /// The type of a binding whose value is a name that a pattern or block inside the value binds.
    fn type_of_inner_name(&self, file: u32, place: usize) -> Option<Typed<'a>> {
        let bindings = &self.facts(file).bindings;
        let binding = &bindings[place];
        let values = match binding.value.as_ref()?.peeled() {
            Expr::Either(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        values.iter().find_map(|value| {
            let Expr::Name(name) = value.peeled() else { return None };
            let inner = self.bindings_named(binding.owner, name).filter(|inner| {
                *inner != place && bindings[*inner].span != binding.span && binding.span.contains(bindings[*inner].span)
            });
            inner.map(|inner| self.type_of_binding(file, inner)).find(|inner| inner.ty.is_known())
        })
    }

    /// What an empty collection holds, by what is first put into it: `let mut all = vec![]; all.push(order);`.
    fn fill_by_use(&self, file: u32, place: usize, ty: &mut Ty<'a>) {
        let Ty::Outside(outside, arguments) = ty else { return };
        let holds_one = matches!(
            outside.path.last().copied(),
            Some("Vec" | "VecDeque" | "HashSet" | "BTreeSet" | "BinaryHeap" | "HashMap" | "BTreeMap")
        );
        if !holds_one {
            return;
        }
        let facts = self.facts(file);
        let binding = &facts.bindings[place];
        let mut additions = self.additions(binding.owner, &binding.name);
        let first = additions.find(|index| facts.calls[*index].span.start >= binding.span.end);
        let Some(index) = first else { return };
        let Some(_open) = self.enter() else { return };
        let around = self.context_of_call(file, index as CallIndex);
        let put = facts.calls[index].arguments.iter();
        *arguments = put.map(|argument| self.type_of(argument, around).ty).collect();
    }

    fn type_of_parameter(&self, name: &'a str, context: Context) -> Option<Typed<'a>> {
        let function = context.function?;
        let symbol = &self.facts(context.file).symbols[function as usize];
        for parameter in &symbol.parameters {
            let steps = parameter.destructured.iter().find(|(_, local)| local == name).map(|(steps, _)| steps);
            if parameter.name != name && steps.is_none() {
                continue;
            }
            let declared = parameter.declared_type.as_deref()?;
            let ty = self.read_type(declared, self.context_of(SymbolId { file: context.file, index: function }));
            let ty = steps.map_or(ty.clone(), |steps| self.taken(&ty, steps, context));
            return Some(Typed { ty, how: How::Typed });
        }
        None
    }

    /// What a closure or async block gives.
    pub fn region_result(&self, file: u32, region: RegionIndex) -> Ty<'a> {
        let facts = self.facts(file);
        let results = self.returns_of(region).map(|place| &facts.returns[place]);
        let own = &facts.regions[region as usize];
        let context = Context { file, function: own.symbol, region: Some(region), at: own.span.end };
        results.map(|result| self.type_of(&result.value, context).ty).find(Ty::is_known).unwrap_or_default()
    }

    /// The type of a closure's parameter, from the call the closure is given to.
    fn closure_parameter(&self, context: Context, position: usize) -> Ty<'a> {
        let facts = self.facts(context.file);
        let Some(region) = context.region else { return Ty::Unknown };
        let RegionKind::Callback { call: Some(call), .. } = facts.regions[region as usize].kind else {
            return Ty::Unknown;
        };
        let site = &facts.calls[call as usize];
        let around = self.context_of_call(context.file, call);
        let place = site
            .arguments
            .iter()
            .position(|argument| matches!(argument, Expr::Function { region: Some(own), .. } if *own == region));
        let by_callee = place.and_then(|place| self.declared_closure(context.file, call, place));
        if let Some(Ty::Function(parameters, _)) = by_callee {
            return parameters.get(position).cloned().unwrap_or_default();
        }
        let Expr::Member(object, name) = &site.callee else { return Ty::Unknown };
        let mut receiver = self.type_of(object, around).ty;
        for _ in 0..4 {
            if matches!(receiver, Ty::Own(..)) {
                let item = self.associated(&receiver, "Item");
                if item.is_known() {
                    receiver = Ty::iterator(item);
                }
            }
            let found = library::closure_parameters(&receiver, name).get(position).cloned().unwrap_or_default();
            if found.is_known() {
                return found;
            }
            match library::deref(&receiver) {
                Some(inner) => receiver = inner,
                None => break,
            }
        }
        Ty::Unknown
    }
}

/// The names of a path.
pub(super) fn as_names(path: &[Name]) -> Vec<&str> {
    path.iter().map(Name::as_str).collect()
}
