//! Origin: where a value comes from, within one function, as far as facts tell.

use crate::audit::place;
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
    trace(facts, owner, expr, 0)
}

fn trace(facts: &FileFacts, owner: Option<SymbolIndex>, expr: &Expr, depth: u32) -> Origin {
    if depth > 8 {
        return Origin::Unknown;
    }
    let worst = |parts: &mut dyn Iterator<Item = &Expr>| {
        parts.map(|part| trace(facts, owner, part, depth + 1)).max().unwrap_or(Origin::Safe)
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
        Expr::Spread(inner) | Expr::Await(inner) => trace(facts, owner, inner, depth + 1),
        Expr::Unary(operator, inner) => match operator.as_str() {
            "!" | "-" | "typeof" => Origin::Safe,
            _ => trace(facts, owner, inner, depth + 1),
        },
        Expr::Name(name) => of_name(facts, owner, name, depth),
        Expr::Path(segments) => match segments.as_slice() {
            [name] => of_name(facts, owner, name, depth),
            _ => Origin::Safe,
        },
        // `items[0]`, `input.name`: as dangerous as what it is read from.
        Expr::Member(object, name) => {
            if matches!(name.as_str(), "length" | "size" | "id") {
                Origin::Safe
            } else {
                trace(facts, owner, object, depth + 1)
            }
        }
        Expr::Index(object, _) => trace(facts, owner, object, depth + 1),
        Expr::Call(index) => of_call(facts, owner, *index, depth),
        Expr::This | Expr::Super | Expr::Object(_) | Expr::Other => Origin::Unknown,
    }
}

/// The expressions in a template's holes.
pub fn holes(parts: &[TemplatePart]) -> impl Iterator<Item = &Expr> {
    parts.iter().filter_map(|part| match part {
        TemplatePart::Hole(hole) => Some(hole),
        TemplatePart::Text(_) => None,
    })
}

fn of_name(facts: &FileFacts, owner: Option<SymbolIndex>, name: &str, depth: u32) -> Origin {
    if name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
        return Origin::Safe;
    }
    if let Some(value) = place::initialiser(facts, owner, name) {
        return trace(facts, owner, value, depth + 1);
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
        return if is_extractor(declared) || (routed && is_text_type(declared)) {
            Origin::Request
        } else if is_text_type(declared) {
            Origin::Parameter
        } else {
            Origin::Unknown
        };
    }
    Origin::Unknown
}

fn of_call(facts: &FileFacts, owner: Option<SymbolIndex>, index: CallIndex, depth: u32) -> Origin {
    let site = facts.call(index);
    let name = site.name.as_str();
    if site.kind == CallKind::Macro && matches!(name, "format" | "concat" | "format_args") {
        return site
            .arguments
            .iter()
            .map(|argument| trace(facts, owner, argument, depth + 1))
            .max()
            .unwrap_or(Origin::Safe);
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
        let arguments = site.arguments.iter().map(|argument| trace(facts, owner, argument, depth + 1)).max();
        let receiver =
            receiver.map(|object| trace(facts, owner, object, depth + 1)).filter(|origin| *origin != Origin::Unknown);
        return arguments.into_iter().chain(receiver).max().unwrap_or(Origin::Unknown);
    }
    match receiver {
        Some(object) if PASSES.contains(&name) => trace(facts, owner, object, depth + 1),
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
