//! `improve map --tokens N`: the most important definitions, in as much text as a prompt has room for.

use std::collections::BTreeMap;

use super::sanitize;
use crate::repo_map::{FileId, RepoMap, SymbolId};

/// Characters to a token. Code in public tokenisers runs at 3 to 4; the low end keeps the budget a ceiling.
pub const CHARACTERS_PER_TOKEN: usize = 3;

/// The first of `ranked` whose signatures fit into `tokens`, grouped by file and in order of position.
///
/// The budget is never exceeded: a definition that does not fit is passed over for the next.
pub fn outline(map: &RepoMap, ranked: &[SymbolId], tokens: usize) -> String {
    let mut room = tokens.saturating_mul(CHARACTERS_PER_TOKEN);
    let mut chosen: BTreeMap<FileId, Vec<(u32, String)>> = BTreeMap::new();
    for &id in ranked {
        let line = signature_line(map, id);
        let header = if chosen.contains_key(&id.file) { 0 } else { characters(&header(map, id.file)) };
        let needed = characters(&line) + header;
        if needed <= room {
            room -= needed;
            chosen.entry(id.file).or_default().push((map.symbol(id).name_line, line));
        } else if room < 16 {
            break;
        }
    }
    let mut text = String::new();
    for (file, mut lines) in chosen {
        lines.sort();
        text.push_str(&header(map, file));
        text.extend(lines.into_iter().map(|(_, line)| line));
    }
    text
}

fn header(map: &RepoMap, file: FileId) -> String {
    format!("{}\n", sanitize::line(&map.file(file).path))
}

fn signature_line(map: &RepoMap, id: SymbolId) -> String {
    let symbol = map.symbol(id);
    let signature = sanitize::line(&symbol.signature);
    let signature = signature.trim_end_matches(['{', ' ']);
    // A method's signature does not say whose it is.
    let owner = match symbol.qualified.strip_suffix(symbol.name.as_str()) {
        Some(owner) if !owner.is_empty() => format!("[{}] ", sanitize::line(owner.trim_end_matches(['.', ':']))),
        _ => String::new(),
    };
    format!("  {}: {owner}{signature}\n", symbol.name_line)
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::rank::rank;
    use crate::repo_map::sample;

    #[test]
    fn the_budget_is_never_exceeded_and_more_of_it_shows_no_less() {
        let map = sample::map();
        let ranked = rank(&map, &|_| false);
        let mut shown = 0;
        for tokens in 0..80 {
            let text = outline(&map, &ranked, tokens);
            assert!(characters(&text) <= tokens * CHARACTERS_PER_TOKEN, "{tokens} tokens: {text}");
            assert!(text.lines().count() >= shown, "{tokens} tokens show less than fewer do: {text}");
            shown = text.lines().count();
        }
    }

    #[test]
    fn definitions_stand_under_their_file_in_order_of_position() {
        let map = sample::map();
        insta::assert_snapshot!(outline(&map, &rank(&map, &|_| false), 1000));
    }
}
