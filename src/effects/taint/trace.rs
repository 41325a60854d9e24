//! Trace: back from a value to where it comes from.

use crate::effects::taint::guards::Check;
use crate::effects::taint::names::{Meaning, Spot, keys_of};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::types::Kind;
use crate::effects::taint::{Context, Danger, Trust};
use crate::finding::Hop;
use crate::repo_map::expr::{Expr, TemplatePart, holes};
use crate::repo_map::facts::{Assignment, Binding, BindingKind, FileFacts, RegionKind};
use crate::repo_map::name::{Name, words};
use crate::repo_map::{CallId, FileId};

/// Expressions looked at for one value. Our choice: real ways take a few dozen.
const MAX_LOOKS: u32 = 400;
/// Nesting of names and calls on one way.
const MAX_DEPTH: u32 = 28;
/// Words of functions that are there to make a value harmless, or to say whether it is; what they do is not known.
const CARES: &[&str] =
    &["sanit", "escap", "clean", "safe", "valid", "assert", "ensure", "verif", "encod", "purif", "allow", "strip"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who decides it.
    pub trust: Trust,
    /// The source as written.
    pub source: String,
    /// From the source on.
    pub steps: Vec<Hop>,
    /// A check that lets dangerous values through.
    pub leak: Option<String>,
    /// Something on the way is not certain.
    pub doubtful: bool,
}

impl Found {
    /// A value nobody outside decides, or of which nothing is known.
    pub fn of(trust: Trust) -> Found {
        Found { trust, source: String::new(), steps: Vec::new(), leak: None, doubtful: false }
    }

    pub(super) fn worse(self, other: Found) -> Found {
        // The first of equals; of two alike the certain one.
        let rank = |found: &Found| (found.trust, !found.doubtful);
        if rank(&other) > rank(&self) { other } else { self }
    }

    pub(super) fn at_most(mut self, trust: Trust) -> Found {
        self.trust = self.trust.min(trust);
        self
    }

    pub(super) fn doubted(mut self) -> Found {
        self.doubtful = true;
        self
    }

    pub(super) fn step(mut self, hop: impl FnOnce() -> Hop) -> Found {
        if self.trust >= Trust::Parameter && self.steps.len() < 12 {
            let hop = hop();
            if self.steps.last().is_none_or(|last| (&last.file, last.line) != (&hop.file, hop.line)) {
                self.steps.push(hop);
            }
        }
        self
    }
}

/// One search, with what is left of its bounds.
pub struct Walk<'t, 'a> {
    pub(super) taint: &'t Taint<'a>,
    pub(super) danger: Danger,
    pub(super) context: &'t Context,
    pub(super) looks: u32,
}

/// What is asked of one expression: where it stands, what is taken of its value, and how the search got here.
#[derive(Clone)]
pub(super) struct At<'s> {
    pub(super) spot: Spot,
    pub(super) keys: &'s [Name],
    pub(super) stack: &'s [CallId],
    pub(super) up: u32,
    pub(super) depth: u32,
}

impl<'s> At<'s> {
    pub(super) fn deeper(&self) -> At<'s> {
        At { depth: self.depth + 1, ..self.clone() }
    }

    pub(super) fn keys<'k>(&self, keys: &'k [Name]) -> At<'k>
    where
        's: 'k,
    {
        At { keys, depth: self.depth + 1, spot: self.spot, stack: self.stack, up: self.up }
    }
}

impl<'t, 'a> Walk<'t, 'a> {
    /// A search on behalf of one hole.
    pub fn new(taint: &'t Taint<'a>, danger: Danger, context: &'t Context) -> Walk<'t, 'a> {
        Walk { taint, danger, context, looks: MAX_LOOKS }
    }

    /// Where the value of `expr` comes from, of which `keys` are taken, called by way of `stack`.
    pub fn origin(&mut self, spot: Spot, expr: &Expr, keys: &[Name], stack: &[CallId]) -> Found {
        self.value(&At { spot, keys, stack, up: 0, depth: 0 }, expr)
    }

    /// Of an address only the start matters.
    pub(super) fn asks_for_host(&self) -> bool {
        matches!(self.danger, Danger::Url | Danger::Redirect)
    }

    /// `new URL(req.url)`, or a name for it.
    fn is_parsed_address(&self, spot: Spot, expr: &Expr) -> bool {
        let facts = self.facts(spot.file);
        let is_url = |expr: &Expr| matches!(expr.peeled(), Expr::Call(index) if facts.call(*index).name == "URL");
        let named = |name: &Name| {
            let mut own = facts.bindings.iter().filter(|binding| binding.name == *name && binding.span.start < spot.at);
            own.next_back().and_then(|binding| binding.value.as_ref()).is_some_and(&is_url)
        };
        is_url(expr) || matches!(expr.peeled(), Expr::Name(name) if named(name))
    }

    pub(super) fn facts(&self, file: FileId) -> &'a FileFacts {
        &self.taint.map.file(file).facts
    }

    pub(super) fn hop(&self, spot: Spot, symbol: impl Into<String>) -> Hop {
        Hop { file: self.taint.map.file(spot.file).path.clone(), line: spot.line, symbol: symbol.into() }
    }

    pub(super) fn value(&mut self, at: &At<'_>, expr: &Expr) -> Found {
        if self.looks == 0 || at.depth > MAX_DEPTH {
            return Found::of(Trust::Unknown);
        }
        self.looks -= 1;
        if is_number_cast(expr) {
            return Found::of(Trust::Constant);
        }
        let expr = expr.peeled();
        let found = self.unchecked(at, expr);
        if found.trust <= Trust::Unknown || !matches!(expr, Expr::Name(_) | Expr::Member(..) | Expr::Index(..)) {
            return found;
        }
        match self.taint.check(at.spot, expr, self.danger, self.context) {
            Check::None => found,
            Check::Leaky(how) => Found { leak: found.leak.clone().or(Some(how)), ..found },
            Check::Named => found.at_most(Trust::Unknown),
            Check::Allowed => Found::of(Trust::Constant),
        }
    }

    pub(super) fn worst<'e>(&mut self, at: &At<'_>, parts: impl Iterator<Item = &'e Expr>) -> Found {
        let mut worst = Found::of(Trust::Constant);
        for part in parts {
            worst = worst.worse(self.value(at, part));
        }
        worst
    }

    fn unchecked(&mut self, at: &At<'_>, expr: &Expr) -> Found {
        let deeper = at.deeper();
        match expr {
            Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bool(_)
            | Expr::Nothing
            | Expr::Regex(_)
            | Expr::Function { .. } => Found::of(Trust::Constant),
            Expr::Template(parts) if self.asks_for_host() => match parts.first() {
                Some(TemplatePart::Hole(hole)) => self.value(&deeper, hole),
                Some(TemplatePart::Text(text)) if text.ends_with("://") => match parts.get(1) {
                    Some(TemplatePart::Hole(hole)) => self.value(&deeper, hole),
                    Some(TemplatePart::Text(_)) | None => Found::of(Trust::Constant),
                },
                Some(TemplatePart::Text(_)) | None => Found::of(Trust::Constant),
            },
            Expr::Binary(operator, left, right) if operator == "+" && self.asks_for_host() => match left.peeled() {
                Expr::Text(text) if text.ends_with("://") => self.value(&deeper, right),
                left => self.value(&deeper, left),
            },
            Expr::Template(parts) => self.worst(&deeper, holes(parts)),
            Expr::Binary(operator, left, right) => match operator.as_str() {
                "+" | "??" | "||" | "&&" => self.worst(&deeper, [left.as_ref(), right.as_ref()].into_iter()),
                _ => Found::of(Trust::Constant),
            },
            Expr::Either(items) => self.worst(&deeper, items.iter()),
            Expr::Array(items) => match at.keys.split_first() {
                Some((key, rest)) => match key.parse::<usize>().ok().and_then(|place| items.get(place)) {
                    Some(item) => self.value(&at.keys(rest), item),
                    None => self.worst(&at.keys(if key == "*" { rest } else { at.keys }), items.iter()),
                },
                None => self.worst(&deeper, items.iter()),
            },
            Expr::Object(entries) => self.object(at, entries),
            Expr::Spread(inner) | Expr::Await(inner) => self.value(&deeper, inner),
            Expr::Unary(operator, inner) => match operator.as_str() {
                "!" | "-" | "typeof" | "+" | "~" | "void" => Found::of(Trust::Constant),
                _ => self.value(&deeper, inner),
            },
            Expr::Name(name) => self.name(at, *name),
            Expr::Path(segments) => match segments.as_slice() {
                [name] => self.name(at, *name),
                _ => Found::of(Trust::Constant),
            },
            Expr::Member(object, name) => {
                let is_part = self.asks_for_host() && matches!(name.as_str(), "pathname" | "search" | "hash" | "port");
                // What parses an address writes quotes and angle brackets of its path as `%22`, `%3C` and `%3E`; a single quote stays.
                let is_encoded = self.danger == Danger::Html
                    && self.context.quote != Some('\'')
                    && name == "pathname"
                    && self.is_parsed_address(at.spot, object);
                // The parser refuses a host with a bracket in it.
                let is_host = self.danger == Danger::Html
                    && matches!(name.as_str(), "hostname" | "host" | "port" | "protocol" | "origin")
                    && self.is_parsed_address(at.spot, object);
                if is_part
                    || is_encoded
                    || is_host
                    || matches!(name.as_str(), "length" | "size")
                    || is_environment(expr)
                {
                    return Found::of(Trust::Constant);
                }
                if let Some(found) = self.taint.read(at.spot, expr, at.keys, self.danger) {
                    return found;
                }
                let mut keys = vec![*name];
                keys.extend_from_slice(at.keys);
                if matches!(object.peeled(), Expr::This) {
                    return self.field(at, &keys);
                }
                self.value(&at.keys(&keys), object)
            }
            Expr::Index(object, index) => {
                if let Some(found) = self.taint.read(at.spot, expr, at.keys, self.danger) {
                    return found;
                }
                let key = match index.peeled() {
                    Expr::Number(number) => *number,
                    Expr::Text(text) => *text,
                    _ => "*".into(),
                };
                let mut keys = vec![key];
                keys.extend_from_slice(at.keys);
                self.value(&at.keys(&keys), object)
            }
            Expr::Call(index) => self.call(at, *index),
            Expr::This | Expr::Super | Expr::Other => Found::of(Trust::Unknown),
        }
    }

    fn object(&mut self, at: &At<'_>, entries: &[(Name, Expr)]) -> Found {
        let Some((key, rest)) = at.keys.split_first() else {
            return self.worst(&at.deeper(), entries.iter().filter(|(key, _)| key != "::").map(|(_, value)| value));
        };
        if key == "*" {
            return self.worst(&at.keys(rest), entries.iter().map(|(_, value)| value));
        }
        // The last of equal keys wins, and what is spread after a key may replace it.
        for (own, value) in entries.iter().rev() {
            if own == key {
                return self.value(&at.keys(rest), value);
            }
        }
        self.worst(&at.deeper(), entries.iter().filter(|(own, _)| own == "...").map(|(_, value)| value))
    }

    fn name(&mut self, at: &At<'_>, name: Name) -> Found {
        if name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            return Found::of(Trust::Constant);
        }
        let facts = self.facts(at.spot.file);
        match self.taint.meaning(at.spot, name) {
            Meaning::Variable(binding) => {
                if let Some(declared) = &binding.declared_type
                    && self.taint.kind(at.spot.file, declared, at.keys, self.danger) == Kind::Harmless
                {
                    return Found::of(Trust::Constant);
                }
                let mut keys = keys_of(binding.taken);
                keys.extend_from_slice(at.keys);
                let spot = Spot::of_binding(at.spot.file, binding);
                let overwritten = self.overwritten(at.spot, binding);
                let mut found = match &binding.value {
                    Some(value) if overwritten.is_none() => self.value(&At { spot, ..at.keys(&keys) }, value),
                    Some(_) | None => Found::of(Trust::Constant),
                };
                if binding.kind == BindingKind::Variable || binding.value.is_none() {
                    let index = self.taint.index(at.spot.file);
                    let mut any = false;
                    for assignment in index.assigned(facts, &name).take(8) {
                        let own = Spot::of_assignment(at.spot.file, assignment);
                        let is_over = overwritten.is_some_and(|last| own.at < last.span.start);
                        if !is_over && index.same_meaning(facts, &name, own.at, at.spot.at) {
                            any = true;
                            let inner = At { spot: own, ..at.deeper() };
                            found = found.worse(self.value(&inner, &assignment.value));
                        }
                    }
                    if binding.value.is_none() && !any {
                        return Found::of(Trust::Unknown);
                    }
                }
                if matches!(found.trust, Trust::Unknown)
                    && let Some(declared) = &binding.declared_type
                    && self.taint.kind(at.spot.file, declared, at.keys, self.danger) == Kind::Text
                {
                    // Text of somebody's making: more than nothing is known.
                    found.doubtful = true;
                }
                found.step(|| self.hop(spot, name))
            }
            Meaning::Item(binding, region) => {
                let RegionKind::Loop(head) = &facts.regions[region as usize].kind else {
                    return Found::of(Trust::Unknown);
                };
                let Some(over) = &head.over else { return Found::of(Trust::Unknown) };
                let mut keys: Vec<Name> = vec!["*".into()];
                keys.extend(keys_of(binding.taken));
                keys.extend_from_slice(at.keys);
                let spot = Spot::of_binding(at.spot.file, binding);
                self.value(&At { spot, ..at.keys(&keys) }, over)
            }
            Meaning::Callback { region, position, taken, declared } => {
                let mut keys = keys_of(taken);
                keys.extend_from_slice(at.keys);
                let declared = declared.as_deref().unwrap_or_default();
                let kind = self.taint.kind(at.spot.file, declared, &keys, self.danger);
                if kind == Kind::Harmless {
                    return Found::of(Trust::Constant);
                }
                if let Some(found) = self.taint.request_source(at.spot.file, "".into(), declared, &keys) {
                    let shown = found.source.clone();
                    return found.step(|| self.hop(at.spot, shown));
                }
                let found = self.of_callback(&at.keys(&keys), name, region, position);
                match (found.trust, kind) {
                    (Trust::Unknown, Kind::Text) => {
                        Found { source: parameter_text(name, &keys), ..Found::of(Trust::Parameter) }
                    }
                    _ => found,
                }
            }
            Meaning::Parameter { symbol, position, taken } => {
                let mut keys = keys_of(taken);
                keys.extend_from_slice(at.keys);
                self.of_parameter(&at.keys(&keys), symbol, position)
            }
            Meaning::Outside => match self.taint.imported(at.spot.file, &name) {
                Some((spot, value)) => {
                    let inner = At { spot, ..at.deeper() };
                    self.value(&inner, value)
                }
                None if matches!(name.as_str(), "__dirname" | "__filename") => Found::of(Trust::Constant),
                None => Found::of(Trust::Unknown),
            },
        }
    }
}

impl<'a> Walk<'_, 'a> {
    /// The last assignment before a place that every way to it passes: it stands in the block that declares the variable.
    fn overwritten(&self, spot: Spot, binding: &Binding) -> Option<&'a Assignment> {
        let facts = self.facts(spot.file);
        self.taint
            .index(spot.file)
            .assigned(facts, &binding.name)
            .filter(|assignment| {
                assignment.operator == "="
                    && (assignment.symbol, assignment.region) == (binding.owner, binding.region)
                    && binding.span.start < assignment.span.start
                    && assignment.span.end <= spot.at
            })
            .max_by_key(|assignment| assignment.span.start)
    }
}

/// A value taken of a parameter, for messages: `input.name`. Positions and items are left out.
pub fn parameter_text(name: Name, keys: &[Name]) -> String {
    let keys = keys.iter().filter(|key| *key != "*" && key.parse::<u32>().is_err());
    keys.fold(name.to_string(), |text, key| if text.is_empty() { key.to_string() } else { format!("{text}.{key}") })
}

/// Whether a function is named for making values harmless.
pub fn takes_care(name: &str) -> bool {
    words(name).iter().any(|word| CARES.iter().any(|care| word.starts_with(care)))
}

/// `x as number`.
fn is_number_cast(expr: &Expr) -> bool {
    match expr {
        Expr::Unary(operator, inner) => {
            matches!(operator.strip_prefix("as "), Some("number" | "boolean" | "bigint" | "Date"))
                || is_number_cast(inner)
        }
        Expr::Await(inner) => is_number_cast(inner),
        _ => false,
    }
}

/// `process.env.NAME`, `import.meta.env.NAME`: whoever runs the program decides.
fn is_environment(expr: &Expr) -> bool {
    expr.dotted().is_some_and(|text| {
        text.starts_with("process.") || text.starts_with("import.meta.") || text.starts_with("Deno.env")
    })
}

/// `id`, `orderId`, `userIds`: most have a form of their own.
pub fn is_id(name: &str) -> bool {
    name == "id" || name == "ids" || name.ends_with("Id") || name.ends_with("Ids") || name.ends_with("_id")
}
