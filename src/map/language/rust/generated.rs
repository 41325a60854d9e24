//! Functions that a `macro_rules!` macro of the same file writes: `handler!(get, GET);` where an arm says `fn $name(…)`.
//!
//! Macros are not expanded. Of each arm the heads of its functions are kept, and at each use the names given for `$name`: enough to
//! know that such functions exist, what they take and what they give.

use super::items::Preamble;
use super::walker::{Walker, children, tokens};
use crate::map::language::shared;
use crate::map::syntax::Node;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// Functions one use of a macro may define. Our choice: tables of names are longer, but say nothing more.
const MAX_FUNCTIONS: usize = 64;

/// The head of a function as an arm of a macro writes it.
#[derive(Clone, Copy)]
pub(super) struct Template<'s> {
    /// Which comma-separated piece of the arguments names the function; `None` for each of them.
    place: Option<usize>,
    exported: bool,
    is_async: bool,
    /// From after the name to before the parameters: `<T: Clone>`.
    generics: &'s str,
    /// Between the parentheses.
    parameters: &'s str,
    /// From after the parameters to before the body.
    after: &'s str,
    /// The arm's variables, each by the piece it stands for, as text: `$name:ident, $method:ident`.
    pattern: &'s str,
}

impl<'s> Walker<'s> {
    /// Keeps the functions that the macro defined by `node` writes.
    pub(super) fn remember_templates(&mut self, node: Node<'_>, name: &str) {
        let mut found = Vec::new();
        for rule in children(node).into_iter().filter(|child| child.kind() == "macro_rule") {
            if let (Some(left), Some(right)) = (rule.child_by_field_name("left"), rule.child_by_field_name("right")) {
                self.nested(|walker| walker.templates_in(right, left, &mut found));
            }
        }
        if !found.is_empty() {
            self.templates.entry(name.to_owned()).or_default().extend(found);
        }
    }

    fn templates_in(&mut self, tree: Node<'_>, pattern: Node<'_>, found: &mut Vec<Template<'s>>) {
        let parts = tokens(tree);
        for (at, part) in parts.iter().enumerate() {
            if matches!(part.kind(), "token_tree" | "token_repetition") {
                self.nested(|walker| walker.templates_in(*part, pattern, found));
            }
            let name = parts.get(at + 1).filter(|name| part.kind() == "fn" && name.kind() == "metavariable");
            if let Some(template) = name.and_then(|name| self.template(&parts, at, *name, pattern)) {
                found.push(template);
            }
        }
    }

    /// The function whose `fn` is at `at` of `parts`.
    fn template(&self, parts: &[Node<'_>], at: usize, name: Node<'_>, pattern: Node<'_>) -> Option<Template<'s>> {
        let is_tree = |node: &Node<'_>, open: char| node.kind() == "token_tree" && self.text(*node).starts_with(open);
        let parameters = at + 2 + parts[at + 2..].iter().position(|part| is_tree(part, '('))?;
        let rest = &parts[parameters + 1..];
        let body = rest.iter().find(|part| is_tree(part, '{') || part.kind() == ";")?;
        let between = |start: u32, end: u32| self.source.get(start as usize..end as usize).unwrap_or_default().trim();
        let list = self.span(parts[parameters]);
        let pattern_text = self.text(pattern);
        let before: Vec<&str> = parts[at.saturating_sub(4)..at].iter().map(|part| self.text(*part)).collect();
        Some(Template {
            place: piece_of(pattern_text, self.text(name))?,
            exported: before.contains(&"pub"),
            is_async: before.last().is_some_and(|last| *last == "async"),
            generics: between(self.span(name).end, list.start),
            parameters: between(list.start + 1, list.end.saturating_sub(1)),
            after: between(list.end, self.span(*body).start),
            pattern: pattern_text,
        })
    }

    /// Adds the functions that the macro call `node`, in the place of a definition, writes.
    pub(super) fn generated_functions(&mut self, node: Node<'_>) {
        let Some(head) = node.child_by_field_name("macro") else { return };
        let Some(templates) = self.templates.get(self.text(head)).cloned() else { return };
        let Some(tree) = children(node).into_iter().rfind(|child| child.kind() == "token_tree") else { return };
        let inner = self.text(tree);
        let pieces = pieces(inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default());
        let mut names: Vec<&str> = Vec::new();
        for template in templates {
            let places = template.place.map_or(0..pieces.len(), |place| place..place + 1);
            for name in pieces.get(places).unwrap_or_default().iter().copied().filter(|piece| is_name(piece)) {
                if !names.contains(&name) && names.len() < MAX_FUNCTIONS {
                    names.push(name);
                    self.generated_function(node, name, template, &pieces);
                }
            }
        }
    }

    fn generated_function(&mut self, node: Node<'_>, name: &str, template: Template<'s>, given: &[&str]) {
        let kind = if self.scope.members.is_some() { SymbolKind::Method } else { SymbolKind::Function };
        let mut symbol = self.symbol(node, kind, &Preamble::default());
        symbol.name = name.into();
        symbol.qualified = format!("{}{name}", symbol.qualified).into();
        symbol.exported |= template.exported;
        symbol.is_async = template.is_async;
        // Whether the macro documents it is not known.
        symbol.documented = true;
        let filled = |text: &str| shared::fold(&filled(text, template.pattern, given));
        let (generics, after) = (filled(template.generics), filled(template.after));
        let (result, bounds) = after.split_once("where").unwrap_or((&after, ""));
        symbol.return_type = result.trim().strip_prefix("->").map(|result| result.trim().into());
        let list = filled(template.parameters);
        for parameter in pieces(&list) {
            if parameter.trim_start_matches(['&', ' ']).rsplit(' ').next() == Some("self") {
                symbol.takes_self = true;
            } else if let Some((name, declared)) = parameter.split_once(':') {
                symbol.parameters.push(Parameter {
                    name: name.trim().trim_start_matches("mut ").into(),
                    destructured: Vec::new(),
                    declared_type: Some(declared.trim().into()),
                    attributes: Vec::new(),
                });
            }
        }
        let visible = if template.exported { "pub " } else { "" };
        let text = format!("{visible}fn {name}{generics}({list}) {}", result.trim());
        symbol.signature = shared::signature(&text, 0, text.len()).into();
        let generics = generics.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or_default();
        self.push_symbol(symbol, type_parameters(generics, bounds));
    }
}

/// Type parameters and their bounds, as facts list them.
fn type_parameters(generics: &str, bounds: &str) -> Vec<(Name, Name)> {
    let mut found = Vec::new();
    for (part, declares) in pieces(generics)
        .into_iter()
        .map(|part| (part, true))
        .chain(pieces(bounds).into_iter().map(|part| (part, false)))
    {
        let (name, bounds) = part.split_once(':').unwrap_or((part, ""));
        if name.starts_with('\'') || name.starts_with("const ") {
            continue;
        }
        if declares {
            found.push((name.trim().into(), Name::default()));
        }
        let own = bounds.split('+').map(str::trim).filter(|bound| !bound.is_empty() && !bound.starts_with(['\'', '?']));
        found.extend(own.map(|bound| (name.trim().into(), bound.into())));
    }
    found
}

/// Which piece of the arguments `variable` stands for in `pattern`: `Some(None)` for each, `None` when that is not plain.
fn piece_of(pattern: &str, variable: &str) -> Option<Option<usize>> {
    let inner = pattern.get(1..pattern.len().saturating_sub(1))?.trim();
    if let Some(repeated) = inner.strip_prefix("$(").and_then(|rest| rest.split_once(')')) {
        let alone = repeated.0.trim().strip_prefix(variable).is_some_and(|rest| rest.starts_with(':'));
        if alone {
            return Some(None);
        }
    }
    let place = pieces(inner).iter().position(|piece| declares(piece, variable))?;
    Some(Some(place))
}

/// Whether a piece of a pattern ends in the declaration of `variable`: what stands before it are attributes.
fn declares(piece: &str, variable: &str) -> bool {
    let declared = piece.rsplit_once('$').and_then(|(_, last)| last.split_once(':'));
    declared.is_some_and(|(name, _)| variable.strip_prefix('$') == Some(name.trim()))
}

/// `text` with the variables of `pattern` replaced by what is given for them.
fn filled(text: &str, pattern: &str, given: &[&str]) -> String {
    let inner = pattern.get(1..pattern.len().saturating_sub(1)).unwrap_or_default();
    let mut filled = text.to_owned();
    for (piece, given) in pieces(inner).iter().zip(given) {
        if let Some((name, _)) = piece.rsplit_once('$').and_then(|(_, last)| last.split_once(':')) {
            filled = replaced(&filled, name.trim(), given);
        }
    }
    filled
}

/// `text` with the variable `name` replaced, longer names left alone.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut parts = text.split('$');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.strip_prefix(name) {
            Some(rest) if !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') => {
                result.push_str(by);
                result.push_str(rest);
            }
            _ => {
                result.push('$');
                result.push_str(part);
            }
        }
    }
    result
}

/// `text` at its commas, brackets of every kind kept whole, attributes and comments before a piece left out.
fn pieces(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut before) = (0_i32, 0, ' ');
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before != '-' && before != '=' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = character;
    }
    found.push(&text[start..]);
    let bare = found.into_iter().map(without_attributes);
    bare.filter(|piece| !piece.is_empty()).collect()
}

fn without_attributes(piece: &str) -> &str {
    let mut rest = piece.trim();
    loop {
        let after = if rest.starts_with("//") {
            rest.split_once('\n').map(|(_, after)| after)
        } else if rest.starts_with("#[") {
            rest.split_once(']').map(|(_, after)| after)
        } else {
            return rest;
        };
        rest = after.unwrap_or_default().trim_start();
    }
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_brackets_whole_and_leave_attributes_out() {
        assert_eq!(
            pieces("a, Vec<A, B>, |x| -> (u8, u8), #[doc = \"b\"] c"),
            ["a", "Vec<A, B>", "|x| -> (u8, u8)", "c"]
        );
    }

    #[test]
    fn the_place_of_a_variable_is_read_off_the_pattern() {
        assert_eq!(piece_of("($(#[$m:meta])+ $name:ident, $method:ident)", "$name"), Some(Some(0)));
        assert_eq!(piece_of("($name:ident, $method:ident)", "$method"), Some(Some(1)));
        assert_eq!(piece_of("($($name:ident),* $(,)?)", "$name"), Some(None));
        assert_eq!(piece_of("(GET)", "$name"), None);
    }

    #[test]
    fn variables_are_replaced_whole() {
        assert_eq!(filled("$name $names", "($name:ident)", &["get"]), "get $names");
    }

    #[test]
    fn broken_patterns_end() {
        for text in ["", "(", "$", "($", "($(", "#[", "//", ")))", "é,<", "($é:ident)"] {
            let _ = (piece_of(text, "$a"), pieces(text), filled(text, text, &["é"]), type_parameters(text, text));
        }
    }
}
