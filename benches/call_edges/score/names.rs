//! Names as tools write them, cut down to what can be compared.

/// The last part of a qualified name: `Type::method`, `Class.method` and `Class#method` are all `method`.
pub fn last_part(name: &str) -> &str {
    let mut start = 0;
    let mut rest = name.char_indices().peekable();
    while let Some((index, letter)) = rest.next() {
        let next = rest.peek().map(|&(_, next)| next);
        match (letter, next) {
            (':', Some(':')) => {
                rest.next();
                start = index + 2;
            }
            ('.', _) => start = index + 1,
            // A `#` at the very end belongs to the name of a type in SCIP.
            ('#', Some(next)) if next != '\n' => start = index + 1,
            _ => {}
        }
    }
    name[start..].trim_matches('#')
}
