//! `use` trees: one import a leaf.

use crate::map::syntax::Node;

use super::walker::{Walker, children};
use crate::repo_map::facts::{Import, ImportItem};
use crate::repo_map::name::Name;

impl Walker<'_> {
    /// `use a::{b, c as d, e::*};`
    pub fn use_declaration(&mut self, node: Node<'_>) {
        let reexported = children(node).iter().any(|child| child.kind() == "visibility_modifier");
        if let Some(argument) = node.child_by_field_name("argument") {
            self.use_tree(argument, "", reexported);
        }
    }

    /// `extern crate a as b;`
    pub fn extern_crate(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("name") else { return };
        let name = self.name(name);
        let local = node.child_by_field_name("alias").map_or_else(|| name, |alias| self.name(alias));
        let reexported = children(node).iter().any(|child| child.kind() == "visibility_modifier");
        self.import(node, Name::default(), ImportItem::Named(name), local, reexported);
    }

    fn use_tree(&mut self, node: Node<'_>, base: &str, reexported: bool) {
        self.nested(|walker| match node.kind() {
            "use_list" => {
                for child in children(node) {
                    walker.use_tree(child, base, reexported);
                }
            }
            "scoped_use_list" => {
                let path = node.child_by_field_name("path").map(|path| walker.use_path(path)).unwrap_or_default();
                if let Some(list) = node.child_by_field_name("list") {
                    walker.use_tree(list, &joined(base, &path), reexported);
                }
            }
            "use_wildcard" => {
                let path = children(node).first().map(|path| walker.use_path(*path)).unwrap_or_default();
                walker.import(node, joined(base, &path).into(), ImportItem::Glob, Name::default(), reexported);
            }
            "use_as_clause" => {
                let path = node.child_by_field_name("path").map(|path| walker.use_path(path)).unwrap_or_default();
                let alias = node.child_by_field_name("alias").map(|alias| walker.name(alias)).unwrap_or_default();
                walker.use_leaf(node, &joined(base, &path), Some(alias), reexported);
            }
            _ => {
                let path = walker.use_path(node);
                walker.use_leaf(node, &joined(base, &path), None, reexported);
            }
        });
    }

    fn use_leaf(&mut self, node: Node<'_>, path: &str, alias: Option<Name>, reexported: bool) {
        // `use a::b::{self}` imports `b` itself.
        let path = path.strip_suffix("::self").unwrap_or(path);
        let (source, name) = path.rsplit_once("::").unwrap_or(("", path));
        let local = alias.unwrap_or_else(|| name.into());
        self.import(node, source.into(), ImportItem::Named(name.into()), local, reexported);
    }

    fn import(&mut self, node: Node<'_>, source: Name, item: ImportItem, local: Name, reexported: bool) {
        let (within, line) = (self.scope.within.clone(), self.line(node));
        self.facts.imports.push(Import { source, item, local, type_only: false, within, reexported, line });
    }

    fn use_path(&self, node: Node<'_>) -> Name {
        self.text(node)
            .split("::")
            .map(|segment| segment.trim())
            .map(|segment| segment.strip_prefix("r#").unwrap_or(segment))
            .collect::<Vec<_>>()
            .join("::")
            .into()
    }
}

/// `a` and `b` as `a::b`; a leading `::` is dropped, since it only says that the name is a crate's.
fn joined(base: &str, path: &str) -> String {
    let path = path.trim_start_matches("::");
    match (base.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (false, true) => base.to_owned(),
        (false, false) => format!("{base}::{path}"),
    }
}
