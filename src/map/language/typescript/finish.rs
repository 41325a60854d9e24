//! After the walk: everything in source order, indices to match, sizes and references filled in.

use rustc_hash::{FxHashMap, FxHashSet};

use super::walk::{NameUse, Walker};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{BindingKind, CodeLine, ExportTarget, FileFacts, RegionKind, Span, Usage};
use crate::repo_map::name::Name;

/// New indices by old ones; `None` for what was dropped.
struct Renumbered {
    symbols: Vec<Option<u32>>,
    calls: Vec<Option<u32>>,
    regions: Vec<Option<u32>>,
}

impl Walker<'_> {
    /// The facts, in order.
    pub fn finish(mut self, code_lines: Vec<CodeLine>) -> FileFacts {
        let mut facts = std::mem::take(&mut self.facts);
        self.measure(&mut facts);
        facts.references = self.references(&facts);
        self.mark_types(&mut facts);
        facts.local_reads = self.local_reads(&facts);
        facts.comments = std::mem::take(&mut self.comments).finish(self.source, &code_lines);
        facts.code_lines = code_lines;

        let symbol_keys = facts.symbols.iter().map(|symbol| Some((symbol.span.start, u32::MAX - symbol.span.end)));
        let (symbols, order) = renumber(symbol_keys);
        facts.symbols = reorder(facts.symbols, &order);
        let call_keys = self.call_keys.iter().zip(&facts.calls).map(|(key, call)| key.map(|key| (key, call.span.end)));
        let (calls, order) = renumber(call_keys);
        facts.calls = reorder(facts.calls, &order);
        let region_keys = facts.regions.iter().map(|region| Some((region.span.start, u32::MAX - region.span.end)));
        let (regions, order) = renumber(region_keys);
        facts.regions = reorder(facts.regions, &order);
        Renumbered { symbols, calls, regions }.apply(&mut facts);

        facts.imports.sort_by_key(|import| import.line);
        facts.exports.sort_by_key(|export| export.line);
        facts.bindings.sort_by_key(|binding| (binding.span.start, binding.line));
        facts.comparisons.sort_by_key(|comparison| (comparison.span.start, comparison.span.end));
        facts.assignments.sort_by_key(|assignment| (assignment.span.start, assignment.span.end));
        facts.catches.sort_by_key(|catch| (catch.span.start, catch.span.end));
        facts
    }

    /// Size of every symbol: bytes of the tokens inside.
    fn measure(&self, facts: &mut FileFacts) {
        // Tokens were met nearly in order. A sum for every byte is less work than sorting them.
        let mut before = vec![0_u32; self.source.len() + 1];
        for (start, length) in &self.leaves {
            before[*start as usize] += length;
        }
        let mut total = 0_u32;
        for sum in &mut before {
            total += std::mem::replace(sum, total);
        }
        for symbol in &mut facts.symbols {
            symbol.tokens = before[symbol.span.end as usize].saturating_sub(before[symbol.span.start as usize]);
        }
    }

    /// Marks imports of which only types are used: compilers drop them as they drop `import type`.
    ///
    /// A decorator may keep types at run time: those of fields, of what constructors take, and of what decorated methods take and give.
    fn mark_types(&self, facts: &mut FileFacts) {
        let is_decorated = facts.symbols.iter().any(|symbol| !symbol.attributes.is_empty());
        let kept: FxHashSet<&str> =
            if is_decorated { kept_by_decorators(facts).collect() } else { FxHashSet::default() };
        // Whether a name is used as a type, and as a value.
        let mut uses: FxHashMap<&str, (bool, bool)> = facts
            .imports
            .iter()
            .filter(|import| !import.type_only)
            .map(|import| (import.local.as_str(), (false, false)))
            .collect();
        for name in &self.names {
            let Some(text) = self.source.get(name.span.start as usize..name.span.end as usize) else { continue };
            if let Some((as_type, as_value)) = uses.get_mut(text) {
                *as_type |= name.is_type;
                *as_value |= name.is_value;
            }
        }
        let exported = |local: Name| {
            facts.exports.iter().any(|export| matches!(&export.target, ExportTarget::Local(name) if *name == local))
        };
        let dropped: Vec<Name> = uses
            .into_iter()
            .filter(|(local, (as_type, as_value))| !local.is_empty() && *as_type && !as_value)
            .filter(|(local, _)| !kept.contains(local))
            .map(|(local, _)| Name::from(local))
            .filter(|local| !exported(*local))
            .collect();
        for import in facts.imports.iter_mut().filter(|import| dropped.contains(&import.local)) {
            import.type_only = true;
        }
    }

    /// Names that occur outside the definition they name.
    fn references(&self, facts: &FileFacts) -> Vec<Name> {
        let mut own: FxHashMap<&str, Vec<Span>> = FxHashMap::default();
        for symbol in &facts.symbols {
            own.entry(symbol.name.as_str()).or_default().push(symbol.span);
        }
        let mut found: FxHashSet<&str> = FxHashSet::default();
        for NameUse { span: name, .. } in &self.names {
            let Some(text) = self.source.get(name.start as usize..name.end as usize) else { continue };
            if text.is_empty() || found.contains(text) {
                continue;
            }
            let inside = own.get(text).is_some_and(|spans| spans.iter().any(|span| span.contains(*name)));
            if !inside {
                found.insert(text);
            }
        }
        let mut found: Vec<&str> = found.into_iter().collect();
        found.sort_unstable();
        found.into_iter().map(Name::from).collect()
    }
}

/// Names of types that `emitDecoratorMetadata` writes down: the type itself and the members of a union, never what stands in angle
/// brackets.
fn kept_by_decorators(facts: &FileFacts) -> impl Iterator<Item = &str> {
    let fields = facts
        .bindings
        .iter()
        .filter(|binding| matches!(binding.kind, BindingKind::Field | BindingKind::ParameterProperty))
        .filter_map(|binding| binding.declared_type.as_deref());
    let methods =
        facts.symbols.iter().filter(|symbol| symbol.name == "constructor" || !symbol.attributes.is_empty()).flat_map(
            |symbol| {
                let taken = symbol.parameters.iter().filter_map(|parameter| parameter.declared_type.as_deref());
                taken.chain(symbol.return_type.as_deref())
            },
        );
    fields.chain(methods).flat_map(|declared| {
        declared.split('|').map(|part| part.split('<').next().unwrap_or(part).trim().trim_end_matches("[]"))
    })
}

/// New place of every item by its key, and the old places in the new order.
fn renumber<K: Ord>(keys: impl Iterator<Item = Option<K>>) -> (Vec<Option<u32>>, Vec<usize>) {
    let keys: Vec<Option<K>> = keys.collect();
    let mut order: Vec<usize> = (0..keys.len()).filter(|&index| keys[index].is_some()).collect();
    order.sort_by(|&left, &right| keys[left].cmp(&keys[right]).then(left.cmp(&right)));
    let mut places = vec![None; keys.len()];
    for (place, &index) in order.iter().enumerate() {
        places[index] = Some(place as u32);
    }
    (places, order)
}

fn reorder<T>(items: Vec<T>, order: &[usize]) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.iter().filter_map(|&index| items.get_mut(index).and_then(Option::take)).collect()
}

impl Renumbered {
    fn apply(&self, facts: &mut FileFacts) {
        for symbol in &mut facts.symbols {
            self.symbol(&mut symbol.container);
        }
        for call in &mut facts.calls {
            self.symbol(&mut call.caller);
            self.region(&mut call.region);
            self.expr(&mut call.callee);
            call.arguments.iter_mut().for_each(|argument| self.expr(argument));
            if let Usage::Argument(call) | Usage::Receiver(call) = &mut call.usage {
                *call = self.calls.get(*call as usize).copied().flatten().unwrap_or(*call);
            }
        }
        for region in &mut facts.regions {
            self.region(&mut region.parent);
            self.symbol(&mut region.symbol);
            match &mut region.kind {
                RegionKind::Loop(head) => head.over.iter_mut().for_each(|over| self.expr(over)),
                RegionKind::Callback { call, .. } => self.call(call),
                RegionKind::Try
                | RegionKind::Handler
                | RegionKind::Branch
                | RegionKind::AsyncBlock
                | RegionKind::UnsafeBlock => {}
            }
        }
        for binding in &mut facts.bindings {
            self.symbol(&mut binding.owner);
            self.region(&mut binding.region);
            binding.value.iter_mut().for_each(|value| self.expr(value));
        }
        for returned in &mut facts.returns {
            self.symbol(&mut returned.symbol);
            self.region(&mut returned.region);
            self.expr(&mut returned.value);
        }
        for comparison in &mut facts.comparisons {
            self.symbol(&mut comparison.symbol);
            self.region(&mut comparison.region);
            self.expr(&mut comparison.left);
            self.expr(&mut comparison.right);
        }
        for assignment in &mut facts.assignments {
            self.symbol(&mut assignment.symbol);
            self.region(&mut assignment.region);
            self.expr(&mut assignment.target);
            self.expr(&mut assignment.value);
        }
        facts.local_reads.retain_mut(|read| {
            if let Usage::Argument(call) | Usage::Receiver(call) = &mut read.usage {
                *call = self.calls.get(*call as usize).copied().flatten().unwrap_or(*call);
            }
            let call = self.calls.get(read.call as usize).copied().flatten();
            read.call = call.unwrap_or_default();
            call.is_some()
        });
        for catch in &mut facts.catches {
            self.symbol(&mut catch.symbol);
            self.region(&mut catch.guarded);
            self.region(&mut catch.region);
        }
        for export in &mut facts.exports {
            if let ExportTarget::Value(value) = &mut export.target {
                self.expr(value);
            }
        }
    }

    fn symbol(&self, index: &mut Option<u32>) {
        *index = index.and_then(|index| self.symbols.get(index as usize).copied().flatten());
    }

    fn call(&self, index: &mut Option<u32>) {
        *index = index.and_then(|index| self.calls.get(index as usize).copied().flatten());
    }

    fn region(&self, index: &mut Option<u32>) {
        *index = index.and_then(|index| self.regions.get(index as usize).copied().flatten());
    }

    /// Depth is at most [`Expr::MAX_DEPTH`], so recursion is safe.
    fn expr(&self, expr: &mut Expr) {
        match expr {
            Expr::Call(call) => match self.calls.get(*call as usize).copied().flatten() {
                Some(place) => *call = place,
                None => *expr = Expr::Other,
            },
            Expr::Function { region, symbol, .. } => {
                self.region(region);
                self.symbol(symbol);
            }
            Expr::Member(inner, _) | Expr::Await(inner) | Expr::Unary(_, inner) | Expr::Spread(inner) => {
                self.expr(inner)
            }
            Expr::Index(left, right) | Expr::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Hole(hole) = part {
                        self.expr(hole);
                    }
                }
            }
            Expr::Array(items) | Expr::Either(items) => items.iter_mut().for_each(|item| self.expr(item)),
            Expr::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.expr(value)),
            Expr::Name(_)
            | Expr::Path(_)
            | Expr::This
            | Expr::Super
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bool(_)
            | Expr::Nothing
            | Expr::Regex(_)
            | Expr::Other => {}
        }
    }
}
