//! Origin: where a value comes from, within one function, as far as facts tell.

use crate::audit::place;
use crate::audit::rules::security::checks::Check;
use crate::effects::chain;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts, SymbolIndex};

/// Where a value comes from, the more dangerous the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A literal, a number, or text that went through an escaping function.
    Safe,
    /// Not known.
    Unknown,
    /// A parameter of text type: whoever calls decides.
    Parameter,
    /// A request: whoever sends one decides.
    Request,
}

/// Functions whose result cannot carry syntax.
const CLEANS: &[&str] = &[
    "escape",
    "escapeid",
    "escapeliteral",
    "escapeidentifier",
    "quote",
    "quoteident",
    "quoteidentifier",
    "quoteliteral",
    "quote_identifier",
    "quote_ident",
    "encodeuricomponent",
    "parseint",
    "parsefloat",
    "number",
    "bigint",
    "basename",
    "file_name",
    "sanitize",
    "sanitizefilename",
    "shellescape",
    "shell_escape",
    "shellquote",
    "shell_quote",
    "uuid",
    "randomuuid",
    "nanoid",
    "len",
    "length",
    "count",
    "now",
    "to_i64",
    "parse",
    "hash",
    "digest",
    "hex",
    "slugify",
    "createid",
    "cuid",
    "tosorted",
    "format_ident",
    "identifier",
    "literal",
    "ident",
    "raw_identifier",
    "escapepath",
    "as_i64",
    "as_u64",
    "id",
];

/// Functions that give what they are called on, changed a little.
const PASSES: &[&str] = &[
    "trim",
    "toString",
    "to_string",
    "to_owned",
    "toLowerCase",
    "toUpperCase",
    "to_lowercase",
    "to_uppercase",
    "replace",
    "slice",
    "substring",
    "as_str",
    "as_ref",
    "clone",
    "into",
    "into_inner",
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_default",
    "join",
    "String",
    "concat",
    "split",
    "pop",
    "at",
    "get",
    "as_deref",
    "display",
    "to_string_lossy",
    "decodeURIComponent",
    "padStart",
];

/// Where `expr` comes from, in the function `owner` of a file.
pub fn origin(facts: &FileFacts, owner: Option<SymbolIndex>, expr: &Expr) -> Origin {
    origin_behind(facts, owner, &|_| Check::None, expr)
}

/// The same behind checks: what a name is known to hold once `check` has been passed.
pub fn origin_behind(
    facts: &FileFacts,
    owner: Option<SymbolIndex>,
    check: &dyn Fn(&str) -> Check,
    expr: &Expr,
) -> Origin {
    trace(Place { facts, owner, check }, expr, 0)
}

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    facts: &'a FileFacts,
    owner: Option<SymbolIndex>,
    check: &'a dyn Fn(&str) -> Check,
}

fn trace(place: Place<'_>, expr: &Expr, depth: u32) -> Origin {
    let facts = place.facts;
    if depth > 8 {
        return Origin::Unknown;
    }
    let worst = |parts: &mut dyn Iterator<Item = &Expr>| {
        parts.map(|part| trace(place, part, depth + 1)).max().unwrap_or(Origin::Safe)
    };
    let expr = expr.peeled();
    if is_request(facts, expr) {
        return Origin::Request;
    }
    match expr {
        Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Nothing | Expr::Regex(_) | Expr::Function { .. } => {
            Origin::Safe
        }
        Expr::Template(parts) => worst(&mut holes(parts)),
        Expr::Binary(operator, left, right) => match operator.as_str() {
            "+" | "??" | "||" | "&&" | "%" => worst(&mut [left.as_ref(), right.as_ref()].into_iter()),
            _ => Origin::Safe,
        },
        Expr::Either(items) | Expr::Array(items) => worst(&mut items.iter()),
        Expr::Spread(inner) | Expr::Await(inner) => trace(place, inner, depth + 1),
        Expr::Unary(operator, inner) => match operator.as_str() {
            "!" | "-" | "typeof" => Origin::Safe,
            _ => trace(place, inner, depth + 1),
        },
        Expr::Name(name) => of_name(place, name, depth),
        Expr::Path(segments) => match segments.as_slice() {
            [name] => of_name(place, name, depth),
            _ => Origin::Safe,
        },
        // `items[0]`, `input.name`: as dangerous as what it is read from.
        Expr::Member(object, name) => {
            if matches!(name.as_str(), "length" | "size" | "id") {
                Origin::Safe
            } else {
                trace(place, object, depth + 1)
            }
        }
        Expr::Index(object, _) => trace(place, object, depth + 1),
        Expr::Call(index) => of_call(place, *index, depth),
        Expr::This | Expr::Super | Expr::Object(_) | Expr::Other => Origin::Unknown,
    }
}

/// The name of the most dangerous value pasted into `expr`, names followed to where they get their value.
pub fn worst_name(
    facts: &FileFacts,
    owner: Option<SymbolIndex>,
    check: &dyn Fn(&str) -> Check,
    expr: &Expr,
) -> Option<String> {
    let at = Place { facts, owner, check };
    let mut current = place::resolve(facts, owner, expr);
    let mut name = None;
    for _ in 0..8 {
        let parts: Vec<&Expr> = match current {
            Expr::Template(parts) => holes(parts).collect(),
            Expr::Binary(_, left, right) => vec![left, right],
            Expr::Either(items) | Expr::Array(items) => items.iter().collect(),
            Expr::Call(index) if facts.call(*index).kind == CallKind::Macro => {
                facts.call(*index).arguments.iter().collect()
            }
            _ => break,
        };
        // The first of equals.
        let worst = parts.into_iter().rev().max_by_key(|part| trace(at, part, 0))?;
        name = worst.dotted().or(name);
        current = place::resolve(facts, owner, worst);
    }
    name
}

/// The expressions in a template's holes.
pub fn holes(parts: &[TemplatePart]) -> impl Iterator<Item = &Expr> {
    parts.iter().filter_map(|part| match part {
        TemplatePart::Hole(hole) => Some(hole),
        TemplatePart::Text(_) => None,
    })
}

fn of_name(place: Place<'_>, name: &str, depth: u32) -> Origin {
    match (place.check)(name) {
        Check::AllowList => Origin::Safe,
        Check::Named => of_unchecked_name(place, name, depth).min(Origin::Unknown),
        Check::None => of_unchecked_name(place, name, depth),
    }
}

fn of_unchecked_name(place: Place<'_>, name: &str, depth: u32) -> Origin {
    let Place { facts, owner, .. } = place;
    if name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
        return Origin::Safe;
    }
    if let Some(value) = place::initialiser(facts, owner, name) {
        return trace(place, value, depth + 1);
    }
    let Some(index) = owner else { return Origin::Unknown };
    let symbol = &facts.symbols[index as usize];
    for parameter in &symbol.parameters {
        let binds = parameter.name == name || parameter.destructured.iter().any(|(_, local)| local == name);
        if !binds {
            continue;
        }
        let declared = parameter.declared_type.as_deref().unwrap_or_default();
        let routed = symbol.attributes.iter().any(|attribute| {
            // Rocket's `#[get("/files/<name>")]`; every argument of a Tauri command comes from the window.
            attribute.contains(&format!("<{name}>"))
                || attribute.contains(&format!("<{name}..>"))
                || attribute.starts_with("tauri::command")
        });
        // Rocket builds a `PathBuf` from segments and refuses `..`, hidden files and drive letters.
        let is_checked = routed && matches!(declared.rsplit("::").next(), Some("PathBuf"));
        return if is_checked || is_opaque_id(declared) {
            Origin::Unknown
        } else if is_extractor(declared) || (routed && is_text_type(declared)) {
            Origin::Request
        } else if is_text_type(declared) {
            Origin::Parameter
        } else {
            Origin::Unknown
        };
    }
    Origin::Unknown
}

fn of_call(place: Place<'_>, index: CallIndex, depth: u32) -> Origin {
    let facts = place.facts;
    let site = facts.call(index);
    let name = site.name.as_str();
    if site.kind == CallKind::Macro && matches!(name, "format" | "concat" | "format_args") {
        return site.arguments.iter().map(|argument| trace(place, argument, depth + 1)).max().unwrap_or(Origin::Safe);
    }
    // A tagged template binds its holes.
    if site.kind == CallKind::Template || CLEANS.contains(&name.to_ascii_lowercase().as_str()) {
        return Origin::Safe;
    }
    let receiver = match site.callee.peeled() {
        Expr::Member(object, _) => Some(object.as_ref()),
        _ => None,
    };
    // `path.join(root, name)`, `root.join(name)`: as dangerous as the worst part.
    if matches!(name, "join" | "resolve" | "from" | "new" | "concat" | "push" | "String" | "normalize") {
        let arguments = site.arguments.iter().map(|argument| trace(place, argument, depth + 1)).max();
        let receiver =
            receiver.map(|object| trace(place, object, depth + 1)).filter(|origin| *origin != Origin::Unknown);
        return arguments.into_iter().chain(receiver).max().unwrap_or(Origin::Unknown);
    }
    match receiver {
        Some(object) if PASSES.contains(&name) => trace(place, object, depth + 1),
        _ => Origin::Unknown,
    }
}

/// `req.params.id`, `c.req.query('q')`, `searchParams.get('q')`, `await request.json()`.
fn is_request(facts: &FileFacts, expr: &Expr) -> bool {
    let names =
        match expr {
            Expr::Call(index) => {
                let Some(names) = chain::names(facts, &facts.call(*index).callee) else { return false };
                let is_read = matches!(
                    names.as_slice(),
                    [.., "searchParams" | "formData" | "cookies" | "headers", "get" | "getAll"]
                ) || matches!(
                    names.as_slice(),
                    [.., "req" | "request", "param" | "query" | "json" | "formData" | "text" | "header" | "parseBody"]
                );
                return is_read && !matches!(names.as_slice(), ["response" | "res", ..]);
            }
            Expr::Member(..) => chain::names(facts, expr).unwrap_or_default(),
            _ => return false,
        };
    names.windows(2).any(|pair| {
        matches!(
            pair,
            [
                "req" | "request",
                "params" | "query" | "body" | "headers" | "cookies" | "url" | "originalUrl" | "rawBody"
            ]
        ) || matches!(pair, ["ctx" | "context", "params" | "query"])
    })
}

/// Rust types that hold what a client sent.
fn is_extractor(declared: &str) -> bool {
    let declared = declared.trim_start_matches(['&', ' ']);
    let name = declared.split('<').next().unwrap_or_default();
    let last = name.rsplit("::").next().unwrap_or_default();
    declared.contains('<') && matches!(last, "Path" | "Query" | "Json" | "Form" | "RawQuery")
}

/// Extractors of what cannot carry syntax: `Path<Uuid>`, `Path<(OrderId, u32)>`; newtypes parse what they hold.
fn is_opaque_id(declared: &str) -> bool {
    let inner = match declared.split_once('<') {
        Some((_, inner)) => inner.trim_end_matches('>'),
        None => declared,
    };
    let inner = inner.trim_matches(['(', ')', '&', ' ', ',']);
    !inner.is_empty()
        && inner.split(',').map(|part| part.trim().rsplit("::").next().unwrap_or_default()).all(|part| {
            part.ends_with("Id")
                || part.ends_with("ID")
                || matches!(part, "Uuid" | "Ulid" | "bool" | "usize" | "isize" | "char")
                || (part.len() > 1
                    && part.starts_with(['i', 'u', 'f'])
                    && part[1..].chars().all(|c| c.is_ascii_digit()))
        })
}

fn is_text_type(declared: &str) -> bool {
    let declared = declared.trim().trim_start_matches('&').trim_start_matches("mut ").trim();
    matches!(
        declared,
        "string"
            | "String"
            | "str"
            | "'static str"
            | "impl AsRef<str>"
            | "impl Into<String>"
            | "Option<String>"
            | "string[]"
            | "any"
            | "[String]"
            | "PathBuf"
            | "Path"
    ) || declared.starts_with("string |")
}
