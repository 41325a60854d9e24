//! What a reader would say a call stands in: more than the function that [`CallSite::caller`] knows.
//!
//! `const send = defineStep("send", async () => post())` holds its code in a function without a name. Whoever asks what calls
//! `post` is helped by `send`, and not by the file. Rules keep to [`CallSite::caller`]: they ask about functions.

use std::borrow::Cow;

use super::facts::{
    Binding, BindingKind, CallIndex, CallKind, CallSite, FileFacts, RegionIndex, RegionKind, Span, Symbol, SymbolKind,
};
use super::{CallId, CallTarget, RepoMap, Resolved};
use crate::repo_map::expr::Expr;

/// Calls and objects within calls that are looked through for a function. Our choice.
const MAX_NESTING: usize = 5;

/// A definition that a call stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around<'a> {
    /// Qualified name.
    pub name: Cow<'a, str>,
    /// Line of the name.
    pub line: u32,
}

impl<'a> Around<'a> {
    fn symbol(symbol: &'a Symbol) -> Around<'a> {
        Around { name: Cow::Borrowed(&symbol.qualified), line: symbol.name_line }
    }
}

impl RepoMap {
    /// The function a call stands in, else the constant, field or class; `None` for what runs as the file is loaded.
    pub fn around(&self, id: CallId) -> Option<Around<'_>> {
        let file = self.file(id.file);
        if let Some(caller) = file.facts.calls[id.index as usize].caller {
            return Some(Around::symbol(&file.facts.symbols[caller as usize]));
        }
        if file.language.is_ecmascript() { file.facts.around(id.index) } else { None }
    }

    /// Definitions that the call names: of a class and its constructor, `new X()` names the class and `super()` the
    /// constructor. What runs is both, which is what [`RepoMap::resolved`] says.
    pub fn named(&self, id: CallId) -> impl Iterator<Item = Resolved> {
        let resolved = match self.target(id) {
            CallTarget::Symbols(resolved) => resolved.as_slice(),
            CallTarget::External(_) | CallTarget::Unresolved => &[],
        };
        let of_kind = |resolved: &Resolved, kind| self.symbol(resolved.symbol).kind == kind;
        let (named, implied) = if self.call(id).callee == Expr::Super {
            (SymbolKind::Constructor, SymbolKind::Class)
        } else {
            (SymbolKind::Class, SymbolKind::Constructor)
        };
        let has_named = resolved.iter().any(|resolved| of_kind(resolved, named));
        resolved.iter().copied().filter(move |resolved| !has_named || !of_kind(resolved, implied))
    }
}

/// A constant or field around a call, and the entry of an object in its value that holds the call.
struct Holder<'a> {
    binding: &'a Binding,
    entry: Option<String>,
}

impl FileFacts {
    /// What the call outside every function stands in.
    fn around(&self, call: CallIndex) -> Option<Around<'_>> {
        let call = &self.calls[call as usize];
        let holder = self.holder(call);
        let class = self
            .symbols
            .iter()
            .rev()
            .skip_while(|symbol| symbol.span.start > call.span.start)
            .find(|symbol| symbol.kind == SymbolKind::Class && symbol.span.contains(call.span));
        let in_field = holder.as_ref().is_some_and(|holder| holder.binding.kind == BindingKind::Field);
        if call.kind == CallKind::Decorator
            && !in_field
            && let Some(symbol) = class.filter(|class| stands_before(call, class)).or_else(|| self.decorated(call))
        {
            return Some(Around::symbol(symbol));
        }
        match (holder, class) {
            // The inner one of the two.
            (Some(Holder { binding, entry }), class)
                if class.is_none_or(|class| class.span.start <= binding.span.start) =>
            {
                let entry = entry.or_else(|| self.assigned_around(call, binding.span));
                let mut name = Cow::Borrowed(binding.name.as_str());
                if let Some(class) = &binding.member_of {
                    name = Cow::Owned(format!("{class}.{name}"));
                }
                if let Some(entry) = entry {
                    name = Cow::Owned(format!("{name}.{entry}"));
                }
                Some(Around { name, line: binding.line })
            }
            (_, class) => class.map(Around::symbol),
        }
    }

    /// The constant or field whose value holds the call. A field's value is made with every instance; that of a constant
    /// at once, unless the call stands in a function that was handed to what makes the value.
    fn holder(&self, call: &CallSite) -> Option<Holder<'_>> {
        let starts = self.bindings.partition_point(|binding| binding.span.start <= call.span.start);
        let around = self.bindings[..starts].iter().rev().filter(|binding| binding.span.contains(call.span));
        let mut around = around.filter(|binding| binding.taken.is_none());
        around.find_map(|binding| match binding.kind {
            BindingKind::Field => Some(Holder { binding, entry: None }),
            BindingKind::Constant | BindingKind::Variable => {
                let Expr::Call(maker) = binding.value.as_ref()?.peeled() else { return None };
                let entry = self.handed(*maker, &self.callbacks(call), MAX_NESTING)?;
                Some(Holder { binding, entry: (!entry.is_empty()).then_some(entry) })
            }
            BindingKind::ParameterProperty | BindingKind::Pattern => None,
        })
    }

    /// Functions without a name around a call.
    fn callbacks(&self, call: &CallSite) -> Vec<RegionIndex> {
        let around = self.enclosing_regions(call.region);
        around
            .filter(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }))
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether `maker` was handed one of `functions`, and as which entry of an object; empty when by itself.
    fn handed(&self, maker: CallIndex, functions: &[RegionIndex], depth: usize) -> Option<String> {
        let arguments = &self.calls.get(maker as usize)?.arguments;
        arguments.iter().find_map(|argument| self.handed_in(argument, functions, depth))
    }

    fn handed_in(&self, value: &Expr, functions: &[RegionIndex], depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match value.peeled() {
            Expr::Function { region: Some(region), .. } => functions.contains(region).then(String::new),
            Expr::Call(inner) => self.handed(*inner, functions, depth),
            Expr::Object(entries) => entries.iter().find_map(|(key, value)| {
                let below = self.handed_in(value, functions, depth)?;
                Some(if below.is_empty() { key.to_string() } else { format!("{key}.{below}") })
            }),
            _ => None,
        }
    }

    /// The property that a function around the call was stored in: `part` of `made.part = () => call()`.
    fn assigned_around(&self, call: &CallSite, within: Span) -> Option<String> {
        let starts = self.assignments.partition_point(|assignment| assignment.span.start <= call.span.start);
        let around = self.assignments[..starts].iter().rev();
        around
            .take_while(|assignment| assignment.span.start >= within.start)
            .filter(|assignment| assignment.span.contains(call.span))
            .find_map(|assignment| match (&assignment.target, assignment.value.peeled()) {
                (Expr::Member(_, name), Expr::Function { .. }) => Some(*name),
                _ => None,
            })
            .map(String::from)
    }

    /// The member or exported class that a decorator stands before.
    fn decorated(&self, decorator: &CallSite) -> Option<&Symbol> {
        let next = self.symbols.partition_point(|symbol| symbol.span.start < decorator.span.end);
        self.symbols
            .get(next)
            .filter(|symbol| matches!(symbol.kind, SymbolKind::Class | SymbolKind::Method | SymbolKind::Constructor))
    }
}

/// Whether the decorator is one of the class itself, in whose span it is, and not of a member.
fn stands_before(decorator: &CallSite, class: &Symbol) -> bool {
    decorator.end_line < class.name_line || decorator.span.start <= class.span.start + 1
}

#[cfg(test)]
mod tests {
    use crate::map::resolve::testing::{linked, source_file};
    use crate::repo_map::{CallId, RepoMap};

    /// Every call outside functions of a file, as `name in what`.
    fn places(text: &str) -> Vec<String> {
        let file = source_file("a.ts", text).expect("TypeScript is read");
        let calls = file.facts.calls.iter().zip(0..).filter(|(call, _)| call.caller.is_none());
        calls
            .map(|(call, index)| match file.facts.around(index) {
                Some(around) => format!("{} in {} {}", call.name, around.name, around.line),
                None => format!("{} in nothing", call.name),
            })
            .collect()
    }

    #[test]
    fn functions_handed_to_what_makes_a_constant_go_by_its_name() {
        assert_eq!(
            places(
                "const send = step('send', async () => { post(); }, undo);\n\
                 const route = wrap(make({ on: { get: () => read() }, ...rest() }));\n\
                 const ready = list().map(() => each()).join();\n\
                 const kind = define('kind', (made) => { made.inner.check = () => test(); start(); });\n\
                 run(() => later());"
            ),
            [
                "step in nothing",
                "post in send 1",
                "wrap in nothing",
                "make in nothing",
                "read in route.on.get 2",
                "rest in nothing",
                "list in nothing",
                "map in nothing",
                "each in nothing",
                "join in nothing",
                "define in nothing",
                "test in kind.check 4",
                "start in kind 4",
                "run in nothing",
                "later in nothing"
            ]
        );
    }

    #[test]
    fn fields_decorators_and_bases_stand_in_their_class() {
        assert_eq!(
            places(
                "@entity()\nclass Order extends mixed(Base) {\n  @column() id = next();\n\
                 @traced()\n  load() { query(); }\n}"
            ),
            [
                "entity in Order 2",
                "mixed in Order 2",
                "column in Order.id 3",
                "next in Order.id 3",
                "traced in Order.load 5",
            ]
        );
    }

    #[test]
    fn new_names_the_class_and_super_the_constructor() {
        let repo = linked(&[(
            "a.ts",
            "class Base { constructor() {} }\nclass Plain {}\nclass Late extends Base { constructor() { super(); } }\n\
             class Bare extends Plain { constructor() { super(); } }\nnew Late(); new Plain();",
        )]);
        let map = RepoMap { files: repo.files, targets: repo.links.targets, ..RepoMap::default() };
        let names = |call| {
            let named = map.named(CallId { file: 0, index: call });
            named.map(|found| map.symbol(found.symbol).qualified.as_str()).collect::<Vec<_>>().join(" + ")
        };
        assert_eq!((0..4).map(names).collect::<Vec<_>>(), ["Base.constructor", "Plain", "Late", "Plain"]);
    }
}
