//! Format strings: text and holes.

use crate::map::language::shared::literal;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::name::Name;

/// The template that `format` and its arguments make; [`Expr::Text`] when it has no hole.
///
/// `names` are the names of `arguments` that have one.
pub(super) fn template(format: &str, arguments: &[Expr], names: &[Option<Name>]) -> Expr {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut next = 0;
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if after.starts_with(brace) {
            text.push_str(brace);
            rest = &after[1..];
            continue;
        }
        let Some(end) = after.find('}').filter(|_| brace == "{") else {
            rest = after;
            continue;
        };
        let name = after[..end].split(':').next().unwrap_or_default().trim();
        let hole = if name.is_empty() {
            next += 1;
            arguments.get(next - 1).cloned()
        } else if let Ok(position) = name.parse::<usize>() {
            arguments.get(position).cloned()
        } else {
            let named = names.iter().position(|own| own.as_deref() == Some(name));
            Some(named.and_then(|at| arguments.get(at).cloned()).unwrap_or_else(|| Expr::Name(name.into())))
        };
        push_text(&mut parts, &mut text);
        parts.push(TemplatePart::Hole(hole.unwrap_or(Expr::Other)));
        rest = &after[end + 1..];
    }
    text.push_str(rest);
    if parts.is_empty() {
        return Expr::Text(literal(&text));
    }
    push_text(&mut parts, &mut text);
    super::walker::capped(Expr::Template(parts))
}

fn push_text(parts: &mut Vec<TemplatePart>, text: &mut String) {
    if !text.is_empty() {
        parts.push(TemplatePart::Text(literal(text)));
        text.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(name: &str) -> TemplatePart {
        TemplatePart::Hole(Expr::Name(name.into()))
    }

    #[test]
    fn holes_take_arguments_by_order_position_and_name() {
        let arguments = [Expr::Name("a".into()), Expr::Name("b".into())];
        let names = [None, Some("size".into())];
        let parts = vec![
            hole("a"),
            TemplatePart::Text(" {x} ".into()),
            hole("b"),
            TemplatePart::Text("/".into()),
            hole("b"),
            hole("inline"),
        ];
        assert_eq!(template("{} {{x}} {1:>4}/{size:?}{inline}", &arguments, &names), Expr::Template(parts));
    }

    #[test]
    fn a_format_without_holes_is_text() {
        assert_eq!(template("100% {{done}}", &[], &[]), Expr::Text("100% {done}".into()));
        assert_eq!(template("broken {", &[], &[]), Expr::Text("broken ".into()));
    }
}
