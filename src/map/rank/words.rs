//! How alike two files are by the words they use: identifiers, the words identifiers are made of, and the path.
//!
//! Files that speak of the same rare things change together even where no call joins them: a schema and the form that fills
//! it in, a handler and its test, two implementations of one interface.

use std::collections::{HashMap, HashSet};

use crate::repo_map::name::Name;
use crate::repo_map::{FileId, RepoMap, SourceFile};

/// Rare words count for more: inverse document frequency to this power. Measured on histories, as [`LENGTH`] is.
const RARITY: i32 = 3;
/// How much long files are held back: 0 not at all, 0.5 as cosine similarity does.
const LENGTH: f64 = 0.25;
/// Words in more than this share of the files tell nothing.
const COMMON: f64 = 0.25;

/// Likeness of each file to the files `wanted`; 0 where no word is shared.
pub fn likeness(map: &RepoMap, wanted: &[FileId]) -> Vec<f64> {
    let terms: Vec<Vec<u64>> = map.files.iter().map(terms).collect();
    let mut frequency: HashMap<u64, u32> = HashMap::new();
    for term in terms.iter().flatten() {
        *frequency.entry(*term).or_default() += 1;
    }
    let files = map.files.len() as f64;
    let most = files.mul_add(COMMON, 5.0);
    let weight = |term: u64| {
        let count = f64::from(frequency[&term]);
        if count > 1.0 && count <= most { ((files + 1.0) / count).ln().powi(RARITY) } else { 0.0 }
    };
    let asked: HashSet<u64> = wanted.iter().flat_map(|&file| terms[file as usize].iter().copied()).collect();
    terms
        .iter()
        .map(|terms| {
            let (mut shared, mut all) = (0.0, 0.0);
            for &term in terms {
                let weight = weight(term);
                all += weight;
                if asked.contains(&term) {
                    shared += weight;
                }
            }
            if all > 0.0 { shared / all.powf(LENGTH) } else { 0.0 }
        })
        .collect()
}

/// The words of a file as numbers, sorted, each once.
fn terms(file: &SourceFile) -> Vec<u64> {
    let mut terms = Vec::new();
    let defined = file.facts.symbols.iter().map(|symbol| symbol.name.as_str());
    for identifier in file.facts.references.iter().map(Name::as_str).chain(defined) {
        terms.push(number(b'i', identifier));
        terms.extend(words(identifier).filter(|word| word.len() > 2).map(|word| number(b'w', word)));
    }
    let path = file.path.rsplit_once('.').map_or(file.path.as_str(), |(path, _)| path);
    terms.extend(words(path).map(|word| number(b'p', word)));
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The words of an identifier or a path: `loadOrders_v2` is `load`, `Orders`, `v`, `2`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let start = at;
        let run = |at: usize, is: fn(&u8) -> bool| at + bytes[at..].iter().take_while(|byte| is(byte)).count();
        at = match bytes.get(at)? {
            b'0'..=b'9' => run(at, u8::is_ascii_digit),
            b'a'..=b'z' => run(at, u8::is_ascii_lowercase),
            _ => {
                let capitals = run(at, u8::is_ascii_uppercase);
                // `HTTPServer`: the last capital begins the next word.
                match bytes.get(capitals) {
                    Some(b'a'..=b'z') if capitals - at > 1 => capitals - 1,
                    Some(b'a'..=b'z') => run(capitals, u8::is_ascii_lowercase),
                    _ => capitals,
                }
            }
        };
        Some(&text[start..at])
    })
}

/// FNV-1a over the kind and the word in lower case: a number that is the same on every machine.
fn number(kind: u8, word: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let folded = word.bytes().map(|byte| if kind == b'i' { byte } else { byte.to_ascii_lowercase() });
    folded.fold(step(0xcbf2_9ce4_8422_2325, kind), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_paths_fall_into_words() {
        let read = |text| words(text).collect::<Vec<_>>();
        assert_eq!(read("loadOrders_v2"), ["load", "Orders", "v", "2"]);
        assert_eq!(read("HTTPServer"), ["HTTP", "Server"]);
        assert_eq!(read("src/größe/ID"), ["src", "gr", "e", "ID"]);
        assert_eq!(read("__"), Vec::<&str>::new());
    }
}
