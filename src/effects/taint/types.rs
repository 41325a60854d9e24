//! Types: whether a value of a written type can carry syntax, and what type its fields have.
use rustc_hash::FxHashMap;

use crate::repo_map::facts::{BindingKind, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, ImportTarget, RepoMap, SymbolId};

/// What is known about a type's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, switches, ids with a form of their own, one of a fixed list.
    Harmless,
    /// Text, or something that holds it.
    Text,
    /// Something else, or not known.
    Other,
}

/// Types of the repository by name.
#[derive(Debug, Default)]
pub struct Types {
    by_name: FxHashMap<Name, Vec<SymbolId>>,
    /// Fields by the file and name of their type, and by their own name.
    fields: FxHashMap<(FileId, Name, Name), Name>,
}

impl Types {
    /// Reads the types of a repository once.
    pub fn new(map: &RepoMap) -> Types {
        let mut types = Types::default();
        for (id, symbol) in map.symbols() {
            if symbol.kind.is_type() {
                types.by_name.entry(symbol.name).or_default().push(id);
            }
        }
        for (file, source) in map.files_with_ids() {
            for binding in &source.facts.bindings {
                if let (BindingKind::Field | BindingKind::ParameterProperty, Some(declared)) =
                    (binding.kind, binding.declared_type)
                {
                    let owner = binding.owner.map(|owner| &source.facts.symbols[owner as usize]);
                    let of = owner.filter(|owner| owner.kind.is_type()).map(|owner| owner.name).or(binding.member_of);
                    if let Some(of) = of {
                        types.fields.insert((file, of, binding.name), declared);
                    }
                }
            }
        }
        types
    }

    /// What values of the type written in `file` can hold, after taking `keys` from them.
    pub fn kind(&self, map: &RepoMap, file: FileId, written: &str, keys: &[Name]) -> Kind {
        self.kind_at(map, file, written, keys, 0)
    }

    fn kind_at(&self, map: &RepoMap, file: FileId, written: &str, keys: &[Name], depth: u32) -> Kind {
        let written = bare(written);
        if depth > 6 || written.is_empty() {
            return Kind::Other;
        }
        if is_plain(written) {
            return Kind::Harmless;
        }
        let rust = !map.file(file).language.is_ecmascript();
        let (head, inner) = generic(written);
        if let Some(inner) = inner
            && matches!(
                head,
                "Option"
                    | "Vec"
                    | "Path"
                    | "Query"
                    | "Json"
                    | "Form"
                    | "Array"
                    | "ReadonlyArray"
                    | "Promise"
                    | "Box"
                    | "Arc"
                    | "Readonly"
                    | "Partial"
                    | "Required"
                    | "Set"
                    | "HashSet"
                    | "Cow"
                    | "TypedMultipart"
                    | "Result"
            )
        {
            let parts = split_top(inner.trim_matches(['(', ')']), ',');
            // `Path((one, two)): Path<(String, u32)>`: the first position is that of the extractor.
            let keys = if inner.starts_with('(') && keys.len() > 1 && keys[0] == "0" { &keys[1..] } else { keys };
            if parts.len() > 1 && head != "Result" && head != "Cow" {
                // A tuple: by position, else all of it.
                let position = keys.first().and_then(|key| key.parse::<usize>().ok());
                return match position.and_then(|at| parts.get(at)) {
                    Some(part) => self.kind_at(map, file, part, &keys[1..], depth + 1),
                    None => self.worst(map, file, &parts, keys, depth),
                };
            }
            let part = if head == "Cow" { parts.last() } else { parts.first() };
            return part.map_or(Kind::Other, |part| {
                let keys = match keys.first() {
                    Some(key) if key == "*" || key == "0" => &keys[1..],
                    _ => keys,
                };
                self.kind_at(map, file, part, keys, depth + 1)
            });
        }
        if let Some(item) = written.strip_suffix("[]") {
            let keys = if keys.is_empty() { keys } else { &keys[1..] };
            return self.kind_at(map, file, item, keys, depth + 1);
        }
        if !rust && (written.contains(" | ") || written.starts_with('|')) {
            let parts = split_top(written, '|');
            return self.worst(map, file, &parts, keys, depth);
        }
        if keys.is_empty() && is_text(written) {
            return Kind::Text;
        }
        if let (Some((key, rest)), Some(body)) = (keys.split_first(), written.strip_prefix('{')) {
            // An inline object type.
            for field in split_top(body.trim_end_matches('}'), ';') {
                if let Some((name, declared)) = field.split_once(':')
                    && name.trim().trim_end_matches('?').trim_start_matches("readonly ") == key.as_str()
                {
                    return self.kind_at(map, file, declared, rest, depth + 1);
                }
            }
            return Kind::Other;
        }
        self.of_named(map, file, head, keys, depth)
    }

    fn worst(&self, map: &RepoMap, file: FileId, parts: &[&str], keys: &[Name], depth: u32) -> Kind {
        let kinds: Vec<Kind> = parts
            .iter()
            .filter(|part| !part.trim().is_empty())
            .map(|part| self.kind_at(map, file, part, keys, depth + 1))
            .collect();
        if kinds.contains(&Kind::Text) {
            Kind::Text
        } else if !kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Harmless) {
            Kind::Harmless
        } else {
            Kind::Other
        }
    }

    /// A type of the repository: an enum is a fixed list, an alias what it stands for, a field what it declares.
    fn of_named(&self, map: &RepoMap, file: FileId, head: &str, keys: &[Name], depth: u32) -> Kind {
        let last = head.rsplit(['.', ':']).next().unwrap_or(head);
        let Some(id) = self.imported(map, file, last).or_else(|| self.find(file, last)) else {
            return if keys.is_empty() && last.len() > 2 && (last.ends_with("Id") || last.ends_with("ID")) {
                Kind::Harmless
            } else {
                Kind::Other
            };
        };
        let symbol = map.symbol(id);
        let Some((key, rest)) = keys.split_first() else {
            return match symbol.kind {
                SymbolKind::Enum => Kind::Harmless,
                SymbolKind::Struct if last.ends_with("Id") => Kind::Harmless,
                SymbolKind::TypeAlias => symbol
                    .return_type
                    .map_or(Kind::Other, |aliased| self.kind_at(map, id.file, &aliased, keys, depth + 1)),
                _ => Kind::Other,
            };
        };
        if let Some(declared) = self.fields.get(&(id.file, symbol.name, *key)) {
            return self.kind_at(map, id.file, declared, rest, depth + 1);
        }
        match (symbol.kind, symbol.return_type) {
            (SymbolKind::TypeAlias, Some(aliased)) => self.kind_at(map, id.file, &aliased, keys, depth + 1),
            _ => Kind::Other,
        }
    }

    /// The type that `name` is imported as, where the import names a file that defines it.
    fn imported(&self, map: &RepoMap, file: FileId, name: &str) -> Option<SymbolId> {
        let imports = &map.file(file).facts.imports;
        let at = imports.iter().position(|import| import.local == name)?;
        let ImportTarget::File(target) = map.import_targets[file as usize][at] else { return None };
        self.by_name.get(&Name::from(name))?.iter().find(|id| id.file == target).copied()
    }

    /// The type alias or interface `name` means in `file`: its own, else the only one there is.
    pub fn find(&self, file: FileId, name: &str) -> Option<SymbolId> {
        let found = self.by_name.get(&Name::from(name))?;
        found.iter().find(|id| id.file == file).or(if found.len() == 1 { found.first() } else { None }).copied()
    }
}

/// References, lifetimes and `readonly` taken off.
fn bare(written: &str) -> &str {
    let mut text = written.trim();
    loop {
        let before = text;
        for start in
            ["&", "mut ", "readonly ", "'static ", "'a ", "'_ ", "web::", "axum::extract::", "std::path::", "path::"]
        {
            text = text.strip_prefix(start).unwrap_or(text).trim_start();
        }
        text = text.strip_suffix('?').unwrap_or(text).trim_end();
        if text == before {
            return text;
        }
    }
}

/// `Head<inner>` in its parts, the path before the head taken off.
fn generic(written: &str) -> (&str, Option<&str>) {
    match written.split_once('<') {
        Some((head, inner)) => {
            (head.trim().rsplit("::").next().unwrap_or(head), Some(inner.strip_suffix('>').unwrap_or(inner).trim()))
        }
        None => (written, None),
    }
}

/// `text` cut at `mark` outside brackets. Quotes are no brackets: those of lifetimes never close.
fn split_top(text: &str, mark: char) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | '>' | ']' | '}' => depth -= 1,
            _ if letter == mark && depth <= 0 => {
                parts.push(text[start..at].trim());
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// Types whose every value is a number, a switch, an id with a form of its own or a literal.
fn is_plain(written: &str) -> bool {
    let last = written.rsplit("::").next().unwrap_or(written);
    let is_sized = |start: char| {
        last.strip_prefix(start).is_some_and(|rest| matches!(rest, "8" | "16" | "32" | "64" | "128" | "size"))
    };
    matches!(
        last,
        "number"
            | "boolean"
            | "bigint"
            | "Date"
            | "null"
            | "undefined"
            | "void"
            | "never"
            | "true"
            | "false"
            | "bool"
            | "char"
            | "f32"
            | "f64"
            | "Uuid"
            | "Ulid"
            | "ObjectId"
            | "DateTime"
            | "NaiveDate"
            | "NaiveDateTime"
            | "Duration"
            | "IpAddr"
            | "Ipv4Addr"
            | "SocketAddr"
            | "Oid"
            | "Decimal"
            | "BigDecimal"
            | "RegExp"
            | "Instant"
            | "StatusCode"
            | "Method"
            | "()"
    ) || is_sized('i')
        || is_sized('u')
        || last.starts_with("DateTime<")
        || (written.len() > 1 && written.starts_with(['"', '\'']) && written.ends_with(['"', '\'']))
        || written.starts_with("keyof ")
        || written.parse::<f64>().is_ok()
        || last.starts_with("NonZero")
}

/// Types of text.
pub fn is_text(written: &str) -> bool {
    let written = bare(written);
    matches!(
        written,
        "string"
            | "String"
            | "str"
            | "impl AsRef<str>"
            | "impl Into<String>"
            | "impl AsRef<Path>"
            | "impl Into<PathBuf>"
            | "any"
            | "[String]"
            | "PathBuf"
            | "Path"
            | "OsStr"
            | "OsString"
            | "[&str]"
            | "CompactString"
            | "SmolStr"
            | "Utf8PathBuf"
            | "Utf8Path"
            | "impl Display"
            | "impl std::fmt::Display"
            | "Url"
            | "url::Url"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_types_are_told_from_text() {
        for plain in ["number", "u32", "uuid::Uuid", "'a' ", "\"asc\"", "DateTime<Utc>"] {
            assert!(is_plain(bare(plain)), "{plain}");
        }
        for text in ["string", "&str", "&'static str", "String", "&path::Path", "impl AsRef<str>"] {
            assert!(is_text(text) && !is_plain(bare(text)), "{text}");
        }
    }

    #[test]
    fn unions_are_cut_outside_brackets() {
        assert_eq!(split_top("'a' | Map<string, 'b' | 'c'>", '|'), ["'a'", "Map<string, 'b' | 'c'>"]);
    }
}
