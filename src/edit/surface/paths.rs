//! Paths in free text: the line above a block that says which file it is of.

use super::fence::Fence;

/// What a line says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// The line is a path, but for how it is dressed.
    Path(String),
    /// The line is prose that mentions these paths.
    Prose(Vec<String>),
}

/// The file that the block below `lines` is of.
///
/// The nearest line that is a path decides. Prose is believed only where it mentions a single path and `current`, the file of
/// the block before, is no other: a wrong guess would put text into the wrong file.
pub(super) fn file_above(lines: &[&str], current: Option<&str>) -> Result<String, &'static str> {
    let mut mentioned: Vec<String> = Vec::new();
    for line in lines.iter().rev().filter(|line| !line.trim().is_empty()) {
        if let Some(fence) = Fence::of(line) {
            if let Some(path) = in_fence(fence.info) {
                return Ok(path);
            }
            continue;
        }
        match named(line) {
            Named::Path(path) => return Ok(path),
            Named::Prose(paths) => mentioned.extend(paths),
        }
    }
    mentioned.extend(current.map(str::to_owned));
    mentioned.sort();
    mentioned.dedup();
    match mentioned.len() {
        0 => Err("no path stands above it"),
        1 => Ok(mentioned.remove(0)),
        _ => Err("the text above it names several paths"),
    }
}

/// The path that a fence's info string names: `ts file=src/a.ts`, `ts src/a.ts`, `src/a.ts`.
pub(super) fn in_fence(info: &str) -> Option<String> {
    info.split_whitespace().find_map(|word| {
        let value = ["file=", "path=", "title=", "filename="].iter().find_map(|key| word.strip_prefix(key));
        let word = value.unwrap_or(word).trim_matches(['"', '\'', '{', '}']);
        let word = word.split_once(':').filter(|(_, rest)| is_path(rest)).map_or(word, |(_, rest)| rest);
        (value.is_some() || is_path(word)).then(|| tidy(word))
    })
}

/// Reads a line as a path or as prose.
pub(super) fn named(line: &str) -> Named {
    let dressed = line.trim().trim_start_matches('#').trim();
    let dressed = ["File:", "file:", "Path:", "path:", "FILE:", "//", "*** Update File:"]
        .iter()
        .find_map(|label| dressed.strip_prefix(label))
        .unwrap_or(dressed);
    let quoted = dressed.trim().trim_matches('*');
    let quoted = quoted.strip_suffix(':').unwrap_or(quoted).trim_matches('*');
    let plain = quoted.trim().trim_matches(['`', '"', '\'']);
    let is_quoted = plain.len() < quoted.trim().len();
    if is_path(plain) || is_quoted && !plain.contains(['`', '"']) && is_path(&plain.replace(' ', "_")) {
        return Named::Path(tidy(plain));
    }
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '(' | ')' | ',' | ';' | '*'));
    let words = words.map(|word| word.trim_matches(['.', ':']).trim_end_matches(['!', '?']));
    Named::Prose(words.filter(|word| is_path(word) && has_known_extension(word)).map(tidy).collect())
}

/// Whether a word of prose is a file: `console.log` and `and/or` are none.
fn has_known_extension(word: &str) -> bool {
    const KNOWN: &[&str] = &[
        "c", "cc", "cjs", "cpp", "cs", "css", "cts", "go", "h", "hpp", "html", "java", "js", "json", "jsx", "kt",
        "lock", "md", "mdx", "mjs", "mts", "php", "py", "rb", "rs", "scss", "sh", "sql", "svelte", "swift", "toml",
        "ts", "tsx", "txt", "vue", "xml", "yaml", "yml", "zig",
    ];
    word.rsplit_once('.').is_some_and(|(_, extension)| KNOWN.contains(&extension))
}

/// A word that can be nothing but a path: it has an extension or a folder, and no space.
fn is_path(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let has_extension = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        (!stem.is_empty() || !extension.is_empty())
            && (1..=12).contains(&extension.len())
            && extension.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            && extension.chars().any(|c| c.is_ascii_alphabetic())
    });
    let well_known = matches!(name, "Makefile" | "Dockerfile" | "Justfile" | "justfile" | "LICENSE");
    let allowed = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '`' | '"' | '|' | '*' | '=' | ';' | ',');
    !word.is_empty()
        && word.chars().all(allowed)
        && !word.contains("://")
        && !word.contains("::")
        && !name.contains('(')
        && (has_extension || well_known || word.contains('/') && !name.is_empty() && !word.starts_with('/'))
}

/// Without `./` in front.
pub(super) fn tidy(path: &str) -> String {
    let path = path.trim();
    path.strip_prefix("./").unwrap_or(path).to_owned()
}
