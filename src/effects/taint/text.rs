//! Text: an argument taken apart into fixed text and holes, names of built text followed to where it is built.

mod lists;
mod reader;

use std::cell::Cell;

use crate::effects::chain;
use crate::effects::taint::guards::Check;
use crate::effects::taint::names::{Meaning, Spot, spot_of_return};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::text::lists::is_empty_text;
use crate::effects::taint::text::reader::Reader;
use crate::effects::taint::trace::takes_care;
use crate::effects::taint::{Context, Danger};
use crate::repo_map::CallId;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts};
use crate::repo_map::name::Name;

/// Nesting of names, lists and functions that build text.
const MAX_DEPTH: u32 = 12;
/// Functions entered to see what text they build.
const MAX_DOWN: usize = 3;
/// Pieces of one text.
const MAX_PIECES: usize = 200;
/// Expressions looked at for one text: names that grow by each other (`a += b`, `b += a`) would be followed without end. Our choice:
/// twenty for each piece that is kept.
const MAX_LOOKS: u32 = 4_000;

/// How the search got to a piece of text, and what is left of its bounds.
#[derive(Clone, Copy)]
struct Way<'w> {
    stack: &'w [CallId],
    depth: u32,
    looks: &'w Cell<u32>,
}

impl<'w> Way<'w> {
    fn deeper(self) -> Way<'w> {
        Way { depth: self.depth + 1, ..self }
    }

    /// Whether one more expression may be looked at, which then counts.
    fn look(self) -> bool {
        let left = self.looks.get();
        self.looks.set(left.saturating_sub(1));
        left > 0 && self.depth <= MAX_DEPTH
    }
}

/// A value in a text.
#[derive(Debug, Clone)]
pub struct Hole<'a> {
    /// Where it stands.
    pub spot: Spot,
    /// The value.
    pub expr: &'a Expr,
    /// What is taken of it.
    pub keys: Vec<Name>,
    /// Calls entered on the way.
    pub stack: Vec<CallId>,
}

/// A piece of a text.
#[derive(Debug, Clone)]
pub enum Piece<'a> {
    /// Fixed text.
    Text(String),
    /// A value.
    Hole(Hole<'a>),
    /// One of several.
    Either(Vec<Vec<Piece<'a>>>),
}

/// A hole and how it stands in the text around it.
#[derive(Debug, Clone)]
pub struct Pasted<'a> {
    /// The hole.
    pub hole: Hole<'a>,
    /// How it stands there.
    pub context: Context,
    /// It is the first piece of the text.
    pub first: bool,
}

/// An argument, taken apart.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// Values pasted in, in order.
    pub holes: Vec<Pasted<'a>>,
    /// The fixed text, `{}` for holes, at most 600 bytes.
    pub text: String,
}

impl<'a> Taint<'a> {
    /// An argument taken apart.
    pub fn statement(&self, spot: Spot, expr: &'a Expr, keys: &[Name], danger: Danger) -> Statement<'a> {
        // What was asked of a whole path is not asked again of what it was put together from.
        let is_asked =
            || danger == Danger::Path && self.check(spot, expr, danger, &Context::default()) == Check::Allowed;
        let pieces = if keys.is_empty() && !(matches!(expr.peeled(), Expr::Name(_)) && is_asked()) {
            self.pieces(spot, expr, Way { stack: &[], depth: 0, looks: &Cell::new(MAX_LOOKS) })
        } else {
            vec![Piece::Hole(Hole { spot, expr, keys: keys.to_vec(), stack: Vec::new() })]
        };
        Reader::statement(danger, &pieces)
    }

    fn pieces(&self, spot: Spot, expr: &'a Expr, way: Way<'_>) -> Vec<Piece<'a>> {
        let expr = expr.peeled();
        let hole = || vec![Piece::Hole(Hole { spot, expr, keys: Vec::new(), stack: way.stack.to_vec() })];
        if !way.look() {
            return hole();
        }
        match expr {
            Expr::Text(text) => vec![Piece::Text(text.to_string())],
            Expr::Number(number) => vec![Piece::Text(number.to_string())],
            Expr::Nothing | Expr::Bool(_) => Vec::new(),
            Expr::Template(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    match part {
                        TemplatePart::Text(text) => found.push(Piece::Text(text.to_string())),
                        TemplatePart::Hole(inner) => found.extend(self.pieces(spot, inner, way.deeper())),
                    }
                    if found.len() > MAX_PIECES {
                        break;
                    }
                }
                found
            }
            Expr::Binary(operator, left, right) if operator == "+" => {
                let mut found = self.pieces(spot, left, way.deeper());
                found.extend(self.pieces(spot, right, way.deeper()));
                found
            }
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "||" | "??") => {
                let alternatives = vec![self.pieces(spot, left, way.deeper()), self.pieces(spot, right, way.deeper())];
                vec![Piece::Either(alternatives)]
            }
            Expr::Binary(operator, _, right) if operator == "&&" => {
                vec![Piece::Either(vec![self.pieces(spot, right, way.deeper()), Vec::new()])]
            }
            Expr::Either(items) => {
                vec![Piece::Either(items.iter().map(|item| self.pieces(spot, item, way.deeper())).collect())]
            }
            Expr::Name(name) => self.of_name(spot, *name, way).unwrap_or_else(hole),
            Expr::Call(index) => self.of_call(spot, *index, way).unwrap_or_else(hole),
            _ => hole(),
        }
    }

    /// What a variable of built text is built of; `None` for a variable that holds a value of its own.
    fn of_name(&self, spot: Spot, name: Name, way: Way<'_>) -> Option<Vec<Piece<'a>>> {
        let facts = &self.map.file(spot.file).facts;
        let index = self.index(spot.file);
        let found = match self.meaning(spot, name) {
            Meaning::Variable(binding) if binding.taken.is_none() => {
                let own = Spot::of_binding(spot.file, binding);
                let mut found = match &binding.value {
                    Some(value) => self.pieces(own, value, way.deeper()),
                    None => Vec::new(),
                };
                if let Some(Expr::Call(made)) = binding.value.as_ref().map(Expr::peeled)
                    && is_empty_text(facts, *made)
                {
                    found = Vec::new();
                }
                let mut grown = false;
                for assignment in index.assigned(facts, &name).take(40) {
                    if !index.same_meaning(facts, &name, assignment.span.start, spot.at) {
                        continue;
                    }
                    let own = Spot::of_assignment(spot.file, assignment);
                    let value = self.pieces(own, &assignment.value, way.deeper());
                    if assignment.operator == "+=" {
                        grown = true;
                        found.extend(value);
                    } else if mentions(facts, &assignment.value, name) {
                        // `text = clean(text)` is another value, `text = text + more` is longer text.
                        grown |= matches!(assignment.value.peeled(), Expr::Binary(..) | Expr::Template(_));
                    } else {
                        grown |= is_built(&value);
                        found = if found.is_empty() { value } else { vec![Piece::Either(vec![found, value])] };
                    }
                }
                for (own, argument) in self.pushed(spot, &name, &["push_str", "push", "append", "insert_str"]) {
                    grown = true;
                    found.extend(self.pieces(own, argument, way.deeper()));
                }
                // An empty list that is pushed to is no text by itself.
                if matches!(binding.value.as_ref().map(Expr::peeled), Some(Expr::Array(_))) {
                    return None;
                }
                return (grown && !found.is_empty() || is_built(&found)).then_some(found);
            }
            Meaning::Parameter { symbol, position, taken: None } => {
                let (&last, rest) = way.stack.split_last()?;
                let id = crate::repo_map::SymbolId { file: spot.file, index: symbol };
                self.map.resolved(last).find(|resolved| resolved.symbol == id)?;
                let argument = self.argument(last, id, position)?;
                let site = self.map.call(last);
                let own = Spot::of_call(last.file, site);
                self.pieces(own, argument, Way { stack: rest, ..way.deeper() })
            }
            Meaning::Outside => {
                let (own, value) = self.imported(spot.file, &name)?;
                self.pieces(own, value, way.deeper())
            }
            _ => return None,
        };
        is_built(&found).then_some(found)
    }

    fn of_call(&self, spot: Spot, index: CallIndex, way: Way<'_>) -> Option<Vec<Piece<'a>>> {
        let facts = &self.map.file(spot.file).facts;
        let site = facts.call(index);
        let name = site.name.as_str();
        let own = Spot::of_call(spot.file, site);
        let receiver = match site.callee.peeled() {
            Expr::Member(object, _) => Some(object.as_ref()),
            _ => None,
        };
        if name == "join"
            && let Some(object) = receiver
            && site.arguments.len() <= 1
        {
            let between = match site.arguments.first().map(Expr::peeled) {
                Some(Expr::Text(text)) => text.to_string(),
                None => ",".to_owned(),
                Some(_) => return None,
            };
            let items = self.items(own, object, way.deeper());
            let has_text = items.iter().any(|item| item.iter().any(|piece| !matches!(piece, Piece::Hole(_))));
            if !has_text && items.len() < 2 {
                return None;
            }
            let mut found = Vec::new();
            for (place, item) in items.into_iter().enumerate() {
                if place > 0 {
                    found.push(Piece::Text(between.clone()));
                }
                found.extend(item);
            }
            return Some(found);
        }
        if matches!(
            name,
            "trim"
                | "toString"
                | "as_str"
                | "to_string"
                | "to_owned"
                | "into"
                | "clone"
                | "as_ref"
                | "trimEnd"
                | "trimStart"
                | "unwrap"
                | "into_string"
                | "String"
                | "from"
                | "AssertSqlSafe"
                | "toLowerCase"
                | "toUpperCase"
                | "replace"
        ) {
            let inner = match receiver {
                Some(object) => object,
                None => site.arguments.first()?,
            };
            let found = self.pieces(own, inner, way.deeper());
            return is_built(&found).then_some(found);
        }
        let is_url = matches!(site.callee.peeled(), Expr::Path(segments) if segments.iter().any(|own| own == "Url" || own == "Uri"));
        if is_url && matches!(name, "parse" | "from_str" | "try_from") {
            return Some(self.pieces(own, site.arguments.first()?, way.deeper()));
        }
        if site.kind == CallKind::Macro && matches!(name, "format" | "concat" | "format_args") {
            let mut found = Vec::new();
            for argument in &site.arguments {
                found.extend(self.pieces(own, argument, way.deeper()));
            }
            return Some(found);
        }
        let id = CallId { file: spot.file, index };
        if way.stack.len() >= MAX_DOWN || way.stack.contains(&id) || takes_care(name) {
            return None;
        }
        let resolved: Vec<_> = self.map.resolved(id).take(2).collect();
        let mut inner = way.stack.to_vec();
        inner.push(id);
        let mut alternatives = Vec::new();
        for target in &resolved {
            let facts = &self.map.file(target.symbol.file).facts;
            for returned in self.index(target.symbol.file).returned_by(facts, target.symbol.index).into_iter().take(12)
            {
                let spot = spot_of_return(self.map, target.symbol.file, returned);
                alternatives.push(self.pieces(spot, &returned.value, Way { stack: &inner, ..way.deeper() }));
            }
        }
        let found = vec![Piece::Either(alternatives)];
        is_built(&found).then_some(found)
    }
}

/// Whether a value is made of the variable `name`, calls and their arguments included.
fn mentions(facts: &FileFacts, value: &Expr, name: Name) -> bool {
    let mut found = false;
    chain::walk_deep(facts, value, &mut |inner| found |= matches!(inner, Expr::Name(own) if *own == name));
    found
}

/// Whether pieces are text that the code builds, rather than one value from elsewhere.
fn is_built(pieces: &[Piece<'_>]) -> bool {
    match pieces {
        [] => false,
        [Piece::Hole(_)] => false,
        [Piece::Text(_)] => true,
        [Piece::Either(alternatives)] => {
            alternatives.iter().any(|inner| !inner.is_empty())
                && alternatives.iter().all(|inner| inner.is_empty() || is_built(inner))
        }
        _ => true,
    }
}
