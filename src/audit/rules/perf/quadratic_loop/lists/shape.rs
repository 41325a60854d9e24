//! Shape: whether a value has to be searched from its start.

use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::audit::rules::perf::quadratic_loop::lists::{Lists, MAX_DEPTH};
use crate::repo_map::CallId;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallIndex};

/// What a value is, as far as looking something up in it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An array or a vector: found by comparing one element after the other.
    List,
    /// Text, a set, a map: something else.
    Other,
    /// Not known.
    Unknown,
}

/// Calls of JavaScript that give an array.
const GIVES_ARRAY: &[&str] = &[
    "map",
    "filter",
    "flatMap",
    "slice",
    "concat",
    "sort",
    "toSorted",
    "toReversed",
    "flat",
    "split",
    "findMany",
    "toArray",
    "matchAll",
];

impl<'a> Lists<'a> {
    /// Whether a value is a list.
    pub fn shape(self, expr: &'a Expr, scope: Scope<'a>) -> Shape {
        self.shape_below(expr, scope, 0)
    }

    fn shape_below(self, expr: &'a Expr, scope: Scope<'a>, depth: usize) -> Shape {
        if depth > MAX_DEPTH {
            return Shape::Unknown;
        }
        match expr.peeled() {
            Expr::Array(_) => Shape::List,
            Expr::Text(_) | Expr::Template(_) | Expr::Regex(_) | Expr::Object(_) => Shape::Other,
            Expr::Name(name) => match scope.look_up(name) {
                Meaning::Declared(binding) => self.of_binding(binding, scope, depth),
                Meaning::Parameter(position) => {
                    let Some(owner) = scope.owner else { return Shape::Unknown };
                    let parameter = &self.facts().symbols[owner as usize].parameters[position];
                    let declared = parameter.declared_type.as_deref().unwrap_or_default();
                    if parameter.name == *name {
                        shape_of_type(declared, self.is_rust())
                    } else {
                        // `{ folders }: { folders: Folder[] }`
                        let key = parameter.destructured.iter().find(|(_, local)| local == name).map(|(key, _)| key);
                        let member = key.and_then(|key| type_of_member(declared, key));
                        member.map_or(Shape::Unknown, |member| shape_of_type(member, self.is_rust()))
                    }
                }
                Meaning::Unknown => Shape::Unknown,
            },
            Expr::Member(object, field) if matches!(object.peeled(), Expr::This) => {
                let owner = scope.owner.and_then(|owner| self.facts().symbols[owner as usize].member_of);
                let field = self.facts().bindings.iter().find(|binding| {
                    binding.name == *field && binding.member_of.is_some() && binding.member_of == owner
                });
                let declared = field.and_then(|field| field.declared_type.as_deref());
                declared.map_or(Shape::Unknown, |declared| shape_of_type(declared, self.is_rust()))
            }
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "??" | "||") => {
                match self.shape_below(left, scope, depth + 1) {
                    Shape::Unknown => self.shape_below(right, scope, depth + 1),
                    known => known,
                }
            }
            Expr::Either(items) => {
                let mut shapes = items.iter().map(|item| self.shape_below(item, scope, depth + 1));
                let first = shapes.next().unwrap_or(Shape::Unknown);
                if shapes.all(|shape| shape == first) { first } else { Shape::Unknown }
            }
            Expr::Call(index) => self.shape_of_call(*index, scope, depth),
            _ => Shape::Unknown,
        }
    }

    fn of_binding(self, binding: &'a Binding, scope: Scope<'a>, depth: usize) -> Shape {
        if let Some(declared) = &binding.declared_type {
            match shape_of_type(declared, self.is_rust()) {
                // `Vec<_>` is one, `Names` may be an alias of anything.
                Shape::Unknown => {}
                known => return known,
            }
        }
        if binding.taken.is_some() {
            return Shape::Unknown;
        }
        let own = binding.value.as_ref().map(|value| self.shape_below(value, scope.of_binding(binding), depth + 1));
        match own {
            Some(Shape::Unknown) | None => {}
            Some(known) => return known,
        }
        let mut assigned = self
            .assigned(binding)
            .map(|value| self.shape_below(value, scope, depth + 1))
            .filter(|shape| *shape != Shape::Unknown);
        let first = assigned.next().unwrap_or(Shape::Unknown);
        if assigned.all(|shape| shape == first) { first } else { Shape::Unknown }
    }

    fn shape_of_call(self, index: CallIndex, scope: Scope<'a>, depth: usize) -> Shape {
        let facts = self.facts();
        let site = facts.call(index);
        let name = site.name.as_str();
        if self.is_rust() {
            if name == "collect" || name == "sum" {
                let declared = site.type_arguments.as_deref().unwrap_or_default();
                return shape_of_type(declared, true);
            }
            return match site.callee.peeled() {
                Expr::Path(segments) if segments.len() >= 2 => match segments[segments.len() - 2].as_str() {
                    "Vec" | "VecDeque" => Shape::List,
                    "HashSet" | "HashMap" | "BTreeSet" | "BTreeMap" | "String" | "IndexMap" | "IndexSet" => {
                        Shape::Other
                    }
                    _ => self.shape_by_return(index),
                },
                Expr::Name(_) if name == "vec" => Shape::List,
                Expr::Member(object, _) => match name {
                    "to_vec" => Shape::List,
                    "clone" | "unwrap" | "expect" | "unwrap_or_default" | "as_slice" => {
                        self.shape_below(object, scope, depth + 1)
                    }
                    _ => self.shape_by_return(index),
                },
                _ => self.shape_by_return(index),
            };
        }
        match (name, site.callee.peeled()) {
            ("Set" | "Map" | "WeakSet" | "WeakMap" | "String" | "join" | "toString" | "trim" | "toLowerCase", _) => {
                Shape::Other
            }
            ("Array", _) => Shape::List,
            ("from" | "of", Expr::Member(object, _)) if object.last_name() == Some("Array") => Shape::List,
            ("keys" | "values" | "entries", Expr::Member(object, _)) if object.last_name() == Some("Object") => {
                Shape::List
            }
            // Text has them too.
            ("slice" | "concat", Expr::Member(object, _)) => self.shape_below(object, scope, depth + 1),
            (_, Expr::Member(..)) if GIVES_ARRAY.contains(&name) => Shape::List,
            _ => self.shape_by_return(index),
        }
    }

    fn shape_by_return(self, index: CallIndex) -> Shape {
        let call = CallId { file: self.file, index };
        let mut declared = self.map.resolved(call).map(|resolved| self.map.symbol(resolved.symbol).return_type);
        let shape = |declared: Option<crate::repo_map::name::Name>| {
            let text = declared.as_deref().unwrap_or_default().trim();
            let text = text.strip_prefix("Promise<").and_then(|text| text.strip_suffix('>')).unwrap_or(text);
            shape_of_type(text, self.is_rust())
        };
        let Some(first) = declared.next().map(shape) else { return Shape::Unknown };
        if declared.map(shape).all(|other| other == first) { first } else { Shape::Unknown }
    }
}

fn shape_of_type(declared: &str, rust: bool) -> Shape {
    let mut text = declared.trim();
    if text.is_empty() {
        return Shape::Unknown;
    }
    if rust {
        loop {
            let before = text;
            text = text.trim_start_matches(['&', ' ']);
            text = text.strip_prefix("mut ").unwrap_or(text);
            if let Some(rest) = text.strip_prefix('\'') {
                text = rest.split_once(' ').map_or("", |(_, rest)| rest);
            }
            if text == before {
                break;
            }
        }
        return if text.starts_with("Vec<")
            || text.starts_with("VecDeque<")
            || (text.starts_with('[') && !text.contains(';'))
        {
            Shape::List
        } else if text.starts_with(|c: char| c.is_ascii_lowercase())
            || ["String", "Hash", "BTree", "Index", "Regex", "Range", "Path", "Option"]
                .iter()
                .any(|head| text.starts_with(head))
        {
            Shape::Other
        } else {
            Shape::Unknown
        };
    }
    for end in [" | undefined", " | null"] {
        text = text.strip_suffix(end).unwrap_or(text);
    }
    if text.ends_with("[]") || text.starts_with("Array<") || text.starts_with("ReadonlyArray<") {
        Shape::List
    } else if matches!(text, "string" | "any" | "unknown")
        || ["Set<", "Map<", "ReadonlySet<", "ReadonlyMap<", "WeakSet<", "Record<", "string "]
            .iter()
            .any(|head| text.starts_with(head))
    {
        if matches!(text, "any" | "unknown") { Shape::Unknown } else { Shape::Other }
    } else {
        Shape::Unknown
    }
}

/// The type of `key` in `{ key: Type; other?: Other }`.
fn type_of_member<'t>(declared: &'t str, key: &str) -> Option<&'t str> {
    let inner = declared.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut depth = 0_i32;
    let mut start = 0;
    let mut members = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '{' | '(' | '[' | '<' => depth += 1,
            // The arrow of a function type closes nothing.
            '>' if inner[..at].ends_with('=') => {}
            '}' | ')' | ']' | '>' => depth -= 1,
            ';' | ',' | '\n' if depth == 0 => {
                members.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(&inner[start..]);
    members.into_iter().find_map(|member| {
        let (name, declared) = member.split_once(':')?;
        (name.trim().trim_end_matches('?') == key).then(|| declared.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_must_be_searched() {
        let rust = |text| shape_of_type(text, true);
        assert_eq!(rust("&'a mut Vec<Order>"), Shape::List);
        assert_eq!(rust("&[Order]"), Shape::List);
        assert_eq!(rust("&HashSet<u32>"), Shape::Other);
        assert_eq!(rust("&str"), Shape::Other);
        assert_eq!(rust("Orders"), Shape::Unknown);
        let script = |text| shape_of_type(text, false);
        assert_eq!(script("Order[] | undefined"), Shape::List);
        assert_eq!(script("ReadonlyArray<string>"), Shape::List);
        assert_eq!(script("Set<string>"), Shape::Other);
        assert_eq!(script("string"), Shape::Other);
    }

    #[test]
    fn members_of_a_written_type_are_found() {
        let declared = "{ folders: Folder[]; pick: (a: A, b: B) => C; id?: string }";
        assert_eq!(type_of_member(declared, "folders"), Some("Folder[]"));
        assert_eq!(type_of_member(declared, "id"), Some("string"));
        assert_eq!(type_of_member(declared, "b"), None);
        assert_eq!(type_of_member("Props", "id"), None);
    }
}
