//! Patterns: the names they bind and what of the value each one takes.

use crate::map::syntax::Node;

use super::walker::{Walker, children, tokens};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::{Name, joined};

/// Nesting of patterns that is followed. Our choice: long alternatives nest to the left, and their last one binds the same names.
const MAX_NESTING: u32 = 32;

/// Where in a pattern a walk is.
#[derive(Default)]
struct Place {
    /// Steps from the value.
    steps: Vec<Name>,
    /// Patterns around this one.
    depth: u32,
}

/// A name a pattern binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternName {
    /// The name.
    pub name: Name,
    /// Steps from the value to it, joined by `.`; `None` for the whole value.
    pub taken: Option<Name>,
    /// `mut` was written.
    pub mutable: bool,
}

/// What the names of a pattern are bound to.
pub(super) struct Bound<'a> {
    /// What kind of binding.
    pub kind: BindingKind,
    /// The declared type, when the pattern is a plain name.
    pub declared_type: Option<Name>,
    /// The value.
    pub value: Option<&'a Expr>,
    /// Steps before the pattern's own: `*` for the items of a loop.
    pub before: Option<&'a str>,
}

impl Walker<'_> {
    /// The names `pattern` binds, in source order.
    pub fn pattern_names(&self, pattern: Node<'_>) -> Vec<PatternName> {
        let mut found = Vec::new();
        self.names_into(pattern, &mut Place::default(), false, &mut found);
        found
    }

    fn names_into(&self, node: Node<'_>, place: &mut Place, mutable: bool, found: &mut Vec<PatternName>) {
        // Patterns as deep as this bind nothing that a rule or the linker could follow.
        if place.depth > MAX_NESTING {
            return;
        }
        place.depth += 1;
        match node.kind() {
            "identifier" | "shorthand_field_identifier" => {
                let name = self.name(node);
                // `None`, `MAX`: a path to a constant or a variant, not a new name.
                let is_new = name.starts_with(|first: char| first.is_lowercase() || first == '_');
                if is_new && !found.iter().any(|known| known.name == name) {
                    let taken = (!place.steps.is_empty()).then(|| joined(&place.steps, ".").into());
                    found.push(PatternName { name, taken, mutable });
                }
            }
            "mut_pattern" => self.all_into(node, place, true, found),
            "ref_pattern" | "reference_pattern" | "captured_pattern" | "or_pattern" | "match_pattern" => {
                let guard = node.child_by_field_name("condition").map(|guard| guard.id());
                let mutable = mutable || children(node).iter().any(|child| child.kind() == "mutable_specifier");
                for child in children(node).into_iter().filter(|child| Some(child.id()) != guard) {
                    self.names_into(child, place, mutable && node.kind() != "reference_pattern", found);
                }
            }
            "tuple_pattern" | "tuple_struct_pattern" => {
                let head = node.child_by_field_name("type");
                let mut position = 0;
                let mut exact = true;
                for child in tokens(node) {
                    if Some(child.id()) == head.map(|head| head.id()) || matches!(child.kind(), "(" | ")" | ",") {
                        continue;
                    }
                    if child.kind() == "remaining_field_pattern" {
                        exact = false;
                        continue;
                    }
                    let own = if exact { position.to_string() } else { "?".to_owned() };
                    position += 1;
                    let mark = place.steps.len();
                    place.steps.extend(head.map(|head| self.path_text(head)));
                    place.steps.push(own.into());
                    self.names_into(child, place, false, found);
                    place.steps.truncate(mark);
                }
            }
            "struct_pattern" => {
                let head = node.child_by_field_name("type").map(|head| self.path_text(head)).unwrap_or_default();
                for field in children(node).into_iter().filter(|child| child.kind() == "field_pattern") {
                    let Some(name) = field.child_by_field_name("name") else { continue };
                    let mark = place.steps.len();
                    place.steps.extend([head, self.name(name)]);
                    let inner = field.child_by_field_name("pattern").unwrap_or(name);
                    let mutable = children(field).iter().any(|child| child.kind() == "mutable_specifier");
                    self.names_into(inner, place, mutable, found);
                    place.steps.truncate(mark);
                }
            }
            "slice_pattern" => {
                place.steps.push("*".into());
                self.all_into(node, place, false, found);
                place.steps.pop();
            }
            _ => {}
        }
        place.depth -= 1;
    }

    fn all_into(&self, node: Node<'_>, place: &mut Place, mutable: bool, found: &mut Vec<PatternName>) {
        for child in children(node) {
            self.names_into(child, place, mutable, found);
        }
    }

    /// A path as written without generic arguments: `Shape::Circle`.
    fn path_text(&self, node: Node<'_>) -> Name {
        let node = if node.kind() == "generic_type" { node.child_by_field_name("type").unwrap_or(node) } else { node };
        self.text(node).split_whitespace().collect::<String>().into()
    }

    /// Records the names `pattern` binds, in the current region.
    pub fn bind(&mut self, pattern: Node<'_>, declaration: Node<'_>, bound: &Bound<'_>) {
        for found in self.pattern_names(pattern) {
            let whole = found.taken.is_none();
            let taken = match (bound.before, found.taken) {
                (Some(before), Some(taken)) => Some(format!("{before}.{taken}")),
                (Some(before), None) => Some(before.to_owned()),
                (None, taken) => taken.map(String::from),
            };
            let kind = match bound.kind {
                BindingKind::Constant if found.mutable => BindingKind::Variable,
                kind => kind,
            };
            let span = self.span(declaration);
            self.facts.bindings.push(Binding {
                name: found.name,
                kind,
                owner: self.scope.function,
                member_of: None,
                declared_type: bound.declared_type.filter(|_| whole),
                value: bound.value.cloned(),
                taken: taken.map(Name::from),
                region: self.scope.region,
                line: self.line(pattern),
                span,
                statement: self.scope.statement,
            });
        }
    }
}
