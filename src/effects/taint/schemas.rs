//! Schemas: what a validated value may hold, read from `z.object({ … })` and its kin.

use crate::effects::taint::letters::{Verdict, verdict};
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::{Context, Danger};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::CallIndex;
use crate::repo_map::name::Name;

/// What a schema says of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Only values that do no harm.
    Harmless,
    /// Free text, or text whose pattern lets this character through.
    Text(Option<char>),
    /// Checked by code of the project, which is not read.
    Checked,
    /// Not read: built elsewhere, or not found.
    Unclear,
}

/// How deep schemas are followed.
const MAX_DEPTH: u32 = 8;

/// Words of a chain that make its values harmless.
const HARMLESS: &[&str] = &[
    "uuid",
    "uuidv4",
    "cuid",
    "cuid2",
    "ulid",
    "nanoid",
    "guid",
    "number",
    "int",
    "integer",
    "positive",
    "boolean",
    "enum",
    "nativeEnum",
    "literal",
    "date",
    "bigint",
    "ip",
    "ipv4",
    "ipv6",
    "datetime",
    "base64url",
    "hex",
    "isoDate",
    "isoDateTime",
    "alphanum",
    "bool",
    "valid",
    "oneOf",
    "picklist",
    "enum_",
];

/// Words of a chain that run code of the project.
const REFINED: &[&str] = &[
    "refine",
    "superRefine",
    "transform",
    "pipe",
    "preprocess",
    "custom",
    "check",
    "instanceof",
    "lazy",
    "overwrite",
    "test",
];

impl Taint<'_> {
    /// What the schema written as `expr` says of what stands at `keys`, for a value that ends in `danger`.
    pub fn field(&self, spot: Spot, expr: &Expr, keys: &[Name], danger: Danger, context: &Context) -> Field {
        self.field_at(spot, expr, keys, danger, context, 0)
    }

    fn field_at(&self, spot: Spot, expr: &Expr, keys: &[Name], danger: Danger, context: &Context, depth: u32) -> Field {
        if depth > MAX_DEPTH {
            return Field::Unclear;
        }
        let facts = &self.map.file(spot.file).facts;
        match expr.peeled() {
            Expr::Name(name) => match self.index(spot.file).meaning(facts, name, spot.at) {
                Meaning::Variable(binding) => match &binding.value {
                    Some(value) if binding.taken.is_none() => {
                        let spot = Spot::of_binding(spot.file, binding);
                        self.field_at(spot, value, keys, danger, context, depth + 1)
                    }
                    _ => Field::Unclear,
                },
                Meaning::Outside => match self.imported(spot.file, name) {
                    Some((spot, value)) => self.field_at(spot, value, keys, danger, context, depth + 1),
                    None => Field::Unclear,
                },
                _ => Field::Unclear,
            },
            Expr::Object(entries) => match keys.split_first() {
                Some((key, rest)) => match entries.iter().find(|(own, _)| own == key) {
                    Some((_, value)) => self.field_at(spot, value, rest, danger, context, depth + 1),
                    None => Field::Unclear,
                },
                None => Field::Unclear,
            },
            // `schemas.user.shape.name`
            Expr::Member(object, key) => {
                let mut below: Vec<Name> = if key == "shape" { Vec::new() } else { vec![*key] };
                below.extend_from_slice(keys);
                self.field_at(spot, object, &below, danger, context, depth + 1)
            }
            Expr::Call(index) => self.field_of_call(spot, *index, keys, danger, context, depth),
            _ => Field::Unclear,
        }
    }

    fn field_of_call(
        &self,
        spot: Spot,
        index: CallIndex,
        keys: &[Name],
        danger: Danger,
        context: &Context,
        depth: u32,
    ) -> Field {
        let facts = &self.map.file(spot.file).facts;
        let links = crate::effects::chain::receivers(facts, index);
        if let Some((key, rest)) = keys.split_first() {
            for &link in &links {
                let site = facts.call(link);
                let argument = site.arguments.first().map(Expr::peeled);
                match (site.name.as_str(), argument) {
                    ("array" | "arrayOf" | "nonempty", Some(item)) if key == "*" || key.parse::<u32>().is_ok() => {
                        return self.field_at(spot, item, rest, danger, context, depth + 1);
                    }
                    ("record" | "map", _) => {
                        return match site.arguments.last() {
                            Some(item) => self.field_at(spot, item, rest, danger, context, depth + 1),
                            None => Field::Unclear,
                        };
                    }
                    ("intersection" | "merge" | "and" | "union" | "discriminatedUnion" | "or", _) => {
                        for argument in &site.arguments {
                            let found = self.field_at(spot, argument, keys, danger, context, depth + 1);
                            if found != Field::Unclear {
                                return found;
                            }
                        }
                    }
                    _ if site.arguments.iter().any(|argument| matches!(argument.peeled(), Expr::Object(_))) => {
                        // `object({ … })`, `extend({ … })`, `createInsertSchema(table, { … })`; `pick({ name: true })` says nothing new.
                        let objects = site.arguments.iter().filter_map(|argument| match argument.peeled() {
                            Expr::Object(entries) => Some(entries),
                            _ => None,
                        });
                        for entries in objects {
                            if let Some((_, value)) = entries.iter().find(|(own, _)| own == key)
                                && !matches!(value, Expr::Bool(_))
                            {
                                return self.field_at(spot, value, rest, danger, context, depth + 1);
                            }
                            for (_, value) in entries.iter().filter(|(own, _)| own == "...") {
                                let found = self.field_at(spot, value, keys, danger, context, depth + 1);
                                if found != Field::Unclear {
                                    return found;
                                }
                            }
                        }
                    }
                    (_, Some(inner @ (Expr::Name(_) | Expr::Call(_) | Expr::Member(..)))) => {
                        let found = self.field_at(spot, inner, keys, danger, context, depth + 1);
                        if found != Field::Unclear {
                            return found;
                        }
                    }
                    _ => {}
                }
            }
            // `base.partial()`, `base.pick({ … })`: what the chain starts with.
            let root = links.last().map(|root| &facts.call(*root).callee);
            return match root.map(Expr::peeled) {
                Some(Expr::Member(object, _)) => self.field_at(spot, object, keys, danger, context, depth + 1),
                _ => Field::Unclear,
            };
        }
        let names: Vec<&str> = links.iter().map(|link| facts.call(*link).name.as_str()).collect();
        if names.iter().any(|name| REFINED.contains(name)) {
            return Field::Checked;
        }
        if names.iter().any(|name| HARMLESS.contains(name)) {
            return Field::Harmless;
        }
        if names.contains(&"array")
            && let Some(&link) = links.iter().find(|link| facts.call(**link).name == "array")
            && let Some(item) = facts.call(link).arguments.first()
        {
            return self.field_at(spot, item, keys, danger, context, depth + 1);
        }
        for &link in &links {
            let site = facts.call(link);
            if matches!(site.name.as_str(), "regex" | "matches" | "pattern") {
                let pattern = site.arguments.first().and_then(|argument| self.pattern(spot, argument));
                return match pattern.map(|pattern| verdict(pattern, danger, context)) {
                    Some(Verdict::Harmless) => Field::Harmless,
                    Some(Verdict::Lets(letter)) => Field::Text(Some(letter)),
                    Some(Verdict::OpenHost) => Field::Text(None),
                    Some(Verdict::Unclear) | None => Field::Unclear,
                };
            }
        }
        if names.contains(&"string") || names.contains(&"any") || names.contains(&"url") || names.contains(&"email") {
            return Field::Text(None);
        }
        // `optional(z.string())`, `nullish(x)` of schema libraries made of functions; a name that stands for another schema.
        match facts.call(index).callee.peeled() {
            Expr::Member(object, _) if matches!(object.peeled(), Expr::Name(_) | Expr::Call(_) | Expr::Member(..)) => {
                self.field_at(spot, object, keys, danger, context, depth + 1)
            }
            _ => match facts.call(index).arguments.first() {
                Some(inner) => self.field_at(spot, inner, keys, danger, context, depth + 1),
                None => Field::Unclear,
            },
        }
    }
}
