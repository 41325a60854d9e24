//! Expressions as rules need them: a small, language-neutral tree, never the source text.

use serde::{Deserialize, Serialize};

use super::facts::{CallIndex, RegionIndex, SymbolIndex};
use super::name::{Name, joined};

/// An expression, cut down to what resolution and rules ask about.
///
/// Extractors stop at [`Expr::MAX_DEPTH`] and write [`Expr::Other`] below it, so a tree is always small.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expr {
    /// A bare identifier: `orders`.
    Name(Name),
    /// A Rust path of two or more segments: `std::fs::read` is `["std", "fs", "read"]`; generic arguments are dropped.
    Path(Vec<Name>),
    /// `this` or `self`.
    This,
    /// `super` (TypeScript).
    Super,
    /// `object.name`, optional chaining included, private `#name` with its `#`.
    Member(Box<Expr>, Name),
    /// `object[index]`.
    Index(Box<Expr>, Box<Expr>),
    /// A call, a `new`, a JSX element or a macro: a site of the same file.
    Call(CallIndex),
    /// `await value`, `value.await`.
    Await(Box<Expr>),
    /// A string without holes, its content unquoted, secrets masked, at most [`Expr::MAX_TEXT`] bytes: of a longer one the head and
    /// the tail with `…` between.
    Text(Name),
    /// A template literal or a `format!`-like macro argument with at least one hole.
    Template(Vec<TemplatePart>),
    /// A number literal as written.
    Number(Name),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, `undefined`, `None`, `()`.
    Nothing,
    /// `[a, b]`, `vec![a, b]`, a tuple.
    Array(Vec<Expr>),
    /// An object literal or a struct literal: key and value; a spread has the key `...`. A Rust struct literal starts with
    /// the key `::`, its value the path of the struct.
    Object(Vec<(Name, Expr)>),
    /// A function value written in place: arrow function, function expression, closure.
    Function {
        /// Its region, where the calls inside it stand.
        region: Option<RegionIndex>,
        /// The symbol it became, when it was bound to a name (`const f = () => {}`).
        symbol: Option<SymbolIndex>,
        /// `async` was written.
        is_async: bool,
    },
    /// A regular expression literal: its pattern.
    Regex(Name),
    /// A binary operation: operator as written, left, right. `a ?? b` and `a || b` are here too.
    Binary(Name, Box<Expr>, Box<Expr>),
    /// `!x`, `-x`, `&x`, `*x`, `x?` and casts keep only what they wrap, with the operator as written (`?`, `&`, …;
    /// for a TypeScript cast with its type: `as User`).
    Unary(Name, Box<Expr>),
    /// The values an expression may take: ternary, `if`/`match` in value position.
    Either(Vec<Expr>),
    /// `...value` (TypeScript), `..value` (Rust).
    Spread(Box<Expr>),
    /// Something rules have no question about.
    Other,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TemplatePart {
    /// Literal text between holes.
    Text(Name),
    /// A hole: `${expression}`, `{expression}` or the argument a `{}` takes.
    Hole(Expr),
}

/// The expressions in a template's holes.
pub fn holes(parts: &[TemplatePart]) -> impl Iterator<Item = &Expr> {
    parts.iter().filter_map(|part| match part {
        TemplatePart::Hole(hole) => Some(hole),
        TemplatePart::Text(_) => None,
    })
}

impl Expr {
    /// Nesting below which an extractor writes [`Expr::Other`]; deeper trees answer no question of ours.
    pub const MAX_DEPTH: usize = 8;
    /// Bytes of a string literal that are kept. Our choice: enough for an SQL statement's head or a URL.
    pub const MAX_TEXT: usize = 240;

    /// The expression without `await`, references, casts, `!` assertions and `?`.
    pub fn peeled(&self) -> &Expr {
        match self {
            Expr::Await(inner) => inner.peeled(),
            Expr::Unary(op, inner) if op != "!" && op != "-" && op != "typeof" => inner.peeled(),
            _ => self,
        }
    }

    /// The identifier a dotted expression starts with: `ctx` for `ctx.db.orders`, `this` for `this.db`.
    pub fn root_name(&self) -> Option<&str> {
        match self.peeled() {
            Expr::Name(name) => Some(name),
            Expr::Path(segments) => segments.first().map(|name| name.as_str()),
            Expr::This => Some("this"),
            Expr::Super => Some("super"),
            Expr::Member(object, _) | Expr::Index(object, _) => object.root_name(),
            _ => None,
        }
    }

    /// The dotted form of a name, member chain or path: `ctx.db.orders`, `std::fs::read`. `None` for anything else.
    pub fn dotted(&self) -> Option<String> {
        match self.peeled() {
            Expr::Name(name) => Some(name.to_string()),
            Expr::Path(segments) => Some(joined(segments, "::")),
            Expr::This => Some("this".to_owned()),
            Expr::Super => Some("super".to_owned()),
            Expr::Member(object, name) => Some(format!("{}.{name}", object.dotted()?)),
            _ => None,
        }
    }

    /// The last name of a name, member chain or path: `orders` for `ctx.db.orders`.
    pub fn last_name(&self) -> Option<&str> {
        match self.peeled() {
            Expr::Name(name) | Expr::Member(_, name) => Some(name),
            Expr::Path(segments) => segments.last().map(|name| name.as_str()),
            _ => None,
        }
    }

    /// Calls `visit` on this expression and everything below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Member(inner, _) | Expr::Await(inner) | Expr::Unary(_, inner) | Expr::Spread(inner) => {
                inner.walk(visit)
            }
            Expr::Index(left, right) | Expr::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Expr::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Hole(hole) = part {
                        hole.walk(visit);
                    }
                }
            }
            Expr::Array(items) | Expr::Either(items) => {
                for item in items {
                    item.walk(visit);
                }
            }
            Expr::Object(entries) => {
                for (_, value) in entries {
                    value.walk(visit);
                }
            }
            Expr::Name(_)
            | Expr::Path(_)
            | Expr::This
            | Expr::Super
            | Expr::Call(_)
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bool(_)
            | Expr::Nothing
            | Expr::Function { .. }
            | Expr::Regex(_)
            | Expr::Other => {}
        }
    }

    /// Whether `name` occurs as an identifier anywhere in the expression (calls are not entered).
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.walk(&mut |expr| {
            found |= match expr {
                Expr::Name(own) => own == name,
                Expr::Path(segments) => segments.first().is_some_and(|first| first == name),
                _ => false,
            };
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(object: Expr, name: &str) -> Expr {
        Expr::Member(Box::new(object), name.into())
    }

    #[test]
    fn dotted_names_see_through_await_and_references() {
        let chain = member(member(Expr::Name("ctx".into()), "db"), "orders");
        let awaited = Expr::Await(Box::new(Expr::Unary("&".into(), Box::new(chain))));
        assert_eq!(awaited.dotted().as_deref(), Some("ctx.db.orders"));
        assert_eq!(awaited.root_name(), Some("ctx"));
        assert_eq!(awaited.last_name(), Some("orders"));
    }

    #[test]
    fn negation_is_not_peeled() {
        let negated = Expr::Unary("!".into(), Box::new(Expr::Name("ready".into())));
        assert_eq!(negated.dotted(), None);
        assert!(negated.mentions("ready"));
    }
}
