//! Patterns and parameters: the names they bind.

use crate::map::syntax::Node;

use super::super::shared::{cap, fold};
use super::walk::{Context, Use, Walker};
use crate::repo_map::facts::Parameter;
use crate::repo_map::name::Name;

/// A declared type longer than this is cut: no one resolves through it.
const MAX_TYPE: usize = 400;

/// A name a pattern binds.
pub(super) struct Bound<'t> {
    /// What is taken from the value: a key, a position, keys joined by dots; `None` for a plain name.
    pub taken: Option<Name>,
    /// Where the local name stands.
    pub name: Node<'t>,
}

impl<'t> Walker<'t> {
    /// Every name that `pattern` binds, in source order; defaults and computed keys are queued for a visit.
    pub fn bind(&mut self, pattern: Node<'t>, context: Context) -> Vec<Bound<'t>> {
        let mut found = Vec::new();
        let mut work = vec![(pattern, None::<Name>)];
        while let Some((node, taken)) = work.pop() {
            let below = |key: &str| match &taken {
                Some(outer) if outer.len() < MAX_TYPE => Some(format!("{outer}.{key}")),
                Some(outer) => Some(String::from(*outer)),
                None => Some(key.to_owned()),
            };
            match node.kind() {
                "identifier" | "undefined" | "this" => {
                    self.count(node);
                    found.push(Bound { taken, name: node });
                }
                "shorthand_property_identifier_pattern" => {
                    self.count(node);
                    found.push(Bound { taken: below(self.text(node)).map(Name::from), name: node });
                }
                "object_pattern" => {
                    let children: Vec<_> = self.children(node).collect();
                    let queued = work.len();
                    for (child, _) in children {
                        match child.kind() {
                            "rest_pattern" => work.push((child, below("...").map(Name::from))),
                            _ if child.is_named() && child.kind() != "comment" => work.push((child, taken)),
                            _ => self.push(child, context.inner()),
                        }
                    }
                    work[queued..].reverse();
                }
                "array_pattern" => {
                    let children: Vec<_> = self.children(node).collect();
                    let queued = work.len();
                    let mut position = 0;
                    for (child, _) in children {
                        match child.kind() {
                            "," => {
                                position += 1;
                                self.count(child);
                            }
                            _ if child.is_named() && child.kind() != "comment" => {
                                work.push((child, below(&position.to_string()).map(Name::from)));
                            }
                            _ => self.push(child, context.inner()),
                        }
                    }
                    work[queued..].reverse();
                }
                "pair_pattern" => {
                    let key = node.child_by_field_name("key");
                    if let Some(key) = key {
                        self.push(key, context.inner());
                    }
                    let name = key.map(|key| self.key(key)).unwrap_or_default();
                    if let Some(value) = node.child_by_field_name("value") {
                        work.push((value, below(&name).map(Name::from)));
                    }
                }
                "assignment_pattern" | "object_assignment_pattern" => {
                    if let Some(default) = node.child_by_field_name("right") {
                        self.push(default, context.inner().used(Use::Assigned));
                    }
                    if let Some(left) = node.child_by_field_name("left") {
                        work.push((left, taken));
                    }
                }
                "rest_pattern" => {
                    if let Some(inner) = self.named(node).next() {
                        work.push((inner, taken));
                    }
                }
                _ => self.push(node, context.inner()),
            }
        }
        found
    }

    /// The parameters of the function at `node`, `this` left out. Nothing is queued: [`Walker::visit_parameter`] does that.
    pub fn parameters(&mut self, node: Node<'t>) -> Vec<Parameter> {
        if let Some(single) = node.child_by_field_name("parameter") {
            let name = self.text(single).to_owned();
            return vec![Parameter {
                name: name.into(),
                destructured: Vec::new(),
                declared_type: None,
                attributes: Vec::new(),
            }];
        }
        let Some(list) = node.child_by_field_name("parameters") else { return Vec::new() };
        let mut found = Vec::new();
        for parameter in self.named(list) {
            if !matches!(parameter.kind(), "required_parameter" | "optional_parameter") {
                continue;
            }
            let Some(pattern) = parameter.child_by_field_name("pattern") else { continue };
            if pattern.kind() == "this" {
                continue;
            }
            let declared_type = self.declared_type(parameter);
            let attributes = self.decorator_texts(parameter);
            let mut names = self.quietly(|walker, context| walker.bind(pattern, context));
            let plain = matches!(names.as_slice(), [Bound { taken: None, .. }]);
            let (name, destructured) = if plain {
                let name = names.remove(0).name;
                (self.text(name).into(), Vec::new())
            } else {
                let pairs = names
                    .into_iter()
                    .map(|bound| (bound.taken.unwrap_or_default(), self.text(bound.name).into()))
                    .collect();
                (Name::default(), pairs)
            };
            found.push(Parameter { name, destructured, declared_type, attributes });
        }
        found
    }

    /// Runs `look` without letting it queue or count anything: the walk comes by again.
    pub fn quietly<T>(&mut self, look: impl FnOnce(&mut Walker<'t>, Context) -> T) -> T {
        let (stack, leaves, names) = (self.stack.len(), self.leaves.len(), self.names.len());
        let found = look(self, Context::nowhere());
        self.stack.truncate(stack);
        self.leaves.truncate(leaves);
        self.names.truncate(names);
        found
    }

    /// A parameter on the walk: its names are definitions, its type, default and decorators are visited.
    pub fn visit_parameter(&mut self, node: Node<'t>, context: Context) {
        for (child, field) in self.children(node) {
            match field {
                Some("pattern" | "name") => {
                    self.bind(child, context);
                }
                Some("value") => self.push(child, context.inner().used(Use::Assigned)),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    /// The type annotation of `node`, as written.
    pub fn declared_type(&self, node: Node<'t>) -> Option<Name> {
        let annotation = node.child_by_field_name("type").or_else(|| node.child_by_field_name("return_type"))?;
        Some(self.type_text(annotation))
    }

    /// A type as written, the colon left out.
    pub fn type_text(&self, node: Node<'t>) -> Name {
        let text = fold(self.text(node).trim_start_matches(':'));
        cap(&text, MAX_TYPE).into()
    }

    /// Decorators written on `node`, without `@`.
    pub fn decorator_texts(&mut self, node: Node<'t>) -> Vec<Name> {
        self.named(node).filter(|child| child.kind() == "decorator").map(|child| self.decorator_text(child)).collect()
    }

    /// One decorator, without `@`.
    pub fn decorator_text(&self, node: Node<'t>) -> Name {
        cap(&fold(self.text(node).trim_start_matches('@')), 200).into()
    }
}
