//! Signatures in an outline: in full, and with the parameters cut.

use crate::repo_map::facts::Symbol;

/// The signature with the qualified name in the place of the name: a method's own does not say whose it is.
pub fn full(symbol: &Symbol) -> String {
    let written = written(symbol);
    match name_at(written, &symbol.name) {
        Some(at) => format!("{}{}{}", &written[..at], symbol.qualified, &written[at + symbol.name.len()..]),
        None if symbol.qualified == symbol.name => written.to_owned(),
        None => format!("[{}] {written}", symbol.qualified),
    }
}

/// The same without parameters.
pub fn short(symbol: &Symbol) -> String {
    let full = full(symbol);
    let after = full.find(symbol.qualified.as_str()).map_or(0, |at| at + symbol.qualified.len());
    let Some(open) = full[after..].find('(').map(|at| at + after) else { return full };
    match closing(&full[open..]) {
        Some(close) if close > 1 => format!("{}(...){}", &full[..open], &full[open + close + 1..]),
        Some(_) => full,
        // The signature was cut within its parameters.
        None => format!("{}(...)", &full[..open]),
    }
}

fn written(symbol: &Symbol) -> &str {
    symbol.signature.trim_end_matches(['{', ' ', ';', ',']).trim_end_matches("=>").trim_end_matches([' ', '='])
}

/// Where `name` stands as a word.
fn name_at(text: &str, name: &str) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let part_of_word = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !text[..at].ends_with(part_of_word) && !text[at + name.len()..].starts_with(part_of_word))
}

/// Where the bracket that `text` begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;

    fn symbol(name: &str, qualified: &str, signature: &str) -> Symbol {
        let map = sample::map();
        let (_, any) = map.symbols().next().expect("the sample has some");
        Symbol { name: name.into(), qualified: qualified.into(), signature: signature.into(), ..any.clone() }
    }

    #[test]
    fn a_method_says_whose_it_is_and_parameters_can_be_cut() {
        let load = symbol("load", "Store::load", "pub fn load(&self, id: (u8, u8)) -> Option<Order> {");
        assert_eq!(full(&load), "pub fn Store::load(&self, id: (u8, u8)) -> Option<Order>");
        assert_eq!(short(&load), "pub fn Store::load(...) -> Option<Order>");
    }

    #[test]
    fn what_has_no_parameters_or_was_cut_stays_readable() {
        assert_eq!(short(&symbol("now", "now", "export const now = () =>")), "export const now = ()");
        assert_eq!(short(&symbol("f", "f", "function f(a: string, b: nu")), "function f(...)");
        assert_eq!(full(&symbol("Order", "Order", "export interface Order {")), "export interface Order");
        assert_eq!(full(&symbol("get", "app.get", "(c) => {")), "[app.get] (c)");
    }
}
