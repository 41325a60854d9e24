//! Results: from a call to what its value is made of, in the functions of the project and in those that are well known.

use crate::effects::chain;
use crate::effects::taint::declared::is_guard;
use crate::effects::taint::names::{Meaning, Spot, spot_of_return};
use crate::effects::taint::schemas::Field;
use crate::effects::taint::trace::{At, Found, Walk, takes_care};
use crate::effects::taint::types::Kind;
use crate::effects::taint::{Danger, Trust};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts, RegionIndex, SymbolIndex};
use crate::repo_map::{CallId, How};

/// Functions a result is followed into.
const MAX_DOWN: usize = 3;

/// Methods that give what they are called on, changed a little.
const PASSES: &[&str] = &[
    "trim",
    "trimStart",
    "trimEnd",
    "toString",
    "to_string",
    "to_owned",
    "toLowerCase",
    "toUpperCase",
    "to_lowercase",
    "to_uppercase",
    "slice",
    "substring",
    "substr",
    "as_str",
    "as_ref",
    "as_mut",
    "clone",
    "into",
    "into_inner",
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "join",
    "concat",
    "split",
    "pop",
    "shift",
    "at",
    "get",
    "getAll",
    "as_deref",
    "display",
    "to_string_lossy",
    "padStart",
    "padEnd",
    "normalize",
    "as_path",
    "to_path_buf",
    "to_str",
    "as_os_str",
    "as_bytes",
    "ok",
    "ok_or",
    "ok_or_else",
    "context",
    "with_context",
    "iter",
    "into_iter",
    "collect",
    "cloned",
    "copied",
    "first",
    "last",
    "next",
    "nth",
    "filter",
    "flat",
    "reverse",
    "sort",
    "toSorted",
    "flatMap",
    "values",
    "entries",
    "valueOf",
    "replacen",
    "trim_start_matches",
    "trim_end_matches",
    "trim_start",
    "trim_end",
    "strip_prefix",
    "strip_suffix",
    "file",
    "json",
    "text",
    "with_extension",
    "map_err",
    "href",
    "to_vec",
    "take",
    "borrow",
    "deref",
    "find",
    "to_ascii_lowercase",
    "lines",
    "chars",
    "rev",
    "split_whitespace",
    "enumerate",
    "catch",
    "finally",
];

/// Functions that give what they are handed, changed a little.
const TAKES: &[&str] = &[
    "join",
    "resolve",
    "from",
    "new",
    "concat",
    "push",
    "String",
    "normalize",
    "URL",
    "Request",
    "stringify",
    "decodeURIComponent",
    "decodeURI",
    "atob",
    "values",
    "assign",
    "all",
    "from_str",
    "from_utf8",
    "from_utf8_lossy",
    "unescape",
    "dedent",
    "Some",
    "Ok",
    "URLSearchParams",
    "fromEntries",
    "structuredClone",
    "merge",
    "cast",
    "with_capacity",
    "format",
    "sprintf",
    "pathToFileURL",
    "fileURLToPath",
    "toNamespacedPath",
    "defaults",
    "pick",
    "omit",
    "get",
    "AssertSqlSafe",
    "Borrowed",
    "Owned",
];

impl Walk<'_, '_> {
    pub(super) fn call(&mut self, at: &At<'_>, index: CallIndex) -> Found {
        let facts = self.facts(at.spot.file);
        let map = self.taint.map;
        let id = CallId { file: at.spot.file, index };
        let site = facts.call(index);
        let name = site.name.as_str();
        let spot = Spot::of_call(at.spot.file, site);
        let here = At { spot, ..at.deeper() };
        let names = chain::names(facts, &site.callee).unwrap_or_else(|| vec![name]);
        if is_guard(self.taint.declared, self.danger, &names) {
            return Found::of(Trust::Constant);
        }
        if let Some(found) = self.taint.read(spot, &Expr::Call(index), at.keys, self.danger) {
            return found;
        }
        if site.kind == CallKind::Macro {
            return match name {
                "format" | "concat" | "format_args" => self.worst(&here, site.arguments.iter()),
                _ => Found::of(Trust::Unknown),
            };
        }
        if site.kind == CallKind::Template {
            return Found::of(if self.danger == Danger::Sql { Trust::Constant } else { Trust::Unknown });
        }
        // `hash.slice(1)` only takes the first letter off.
        let leaves_the_rest = matches!(name, "slice" | "substring" | "substr")
            && site.arguments.len() == 1
            && matches!(site.arguments[0].peeled(), Expr::Number(_));
        if !leaves_the_rest && self.taint.cleans(at.spot.file, name, self.danger) {
            return Found::of(Trust::Constant);
        }
        let receiver = match site.callee.peeled() {
            Expr::Member(object, _) => Some(object.as_ref()),
            _ => None,
        };
        if self.danger == Danger::Path && is_last_part(facts, name, receiver) {
            return Found::of(Trust::Constant);
        }
        if let Some(schema) = receiver
            && matches!(
                name,
                "parse" | "safeParse" | "parseAsync" | "safeParseAsync" | "validateSync" | "validateAsync" | "validate"
            )
            && names.first() != Some(&"JSON")
            && let Some(argument) = site.arguments.first()
        {
            return self.parsed(&here, schema, argument);
        }
        if name == "parse" && names.first() != Some(&"JSON") && site.arguments.is_empty() {
            // `text.parse::<u32>()`
            return Found::of(Trust::Constant);
        }
        if matches!(name, "replace" | "replaceAll")
            && let Some(object) = receiver
            && let Some(pattern) = site.arguments.first()
        {
            let found = self.value(&here, object);
            return self.taint.replaced(spot, found, pattern, site.arguments.get(1), self.danger, self.context);
        }
        if matches!(name, "reduce" | "fold")
            && let Some(Expr::Function { region: Some(region), .. }) =
                site.arguments.iter().map(Expr::peeled).find(|argument| matches!(argument, Expr::Function { .. }))
        {
            return self.returns(&here, Some(*region), None, at.stack);
        }
        if matches!(name, "map" | "flatMap" | "filter_map" | "flat_map" | "and_then" | "then")
            && let Some(Expr::Function { region, symbol, .. }) = site.arguments.first().map(Expr::peeled)
        {
            let keys = match at.keys.split_first() {
                Some((first, rest)) if first == "*" => rest,
                _ => at.keys,
            };
            return self.returns(&here.keys(keys), *region, *symbol, at.stack);
        }
        if name == "filter"
            && let Some(object) = receiver
        {
            let keeps_listed = matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Function { region: Some(region), .. })
            if self.taint.index(at.spot.file).returned_in(facts, *region).iter().any(|returned| {
                matches!(returned.value.peeled(), Expr::Call(inner)
                    if matches!(facts.call(*inner).name.as_str(), "includes" | "has" | "test" | "contains"))
            }));
            return if keeps_listed { Found::of(Trust::Constant) } else { self.value(&here, object) };
        }
        if takes_care(name) {
            return Found::of(Trust::Unknown);
        }
        let resolved: Vec<_> = map.resolved(id).take(3).collect();
        if !resolved.is_empty() {
            if at.stack.len() >= MAX_DOWN || at.stack.contains(&id) {
                return Found::of(Trust::Unknown);
            }
            let mut stack = at.stack.to_vec();
            stack.push(id);
            let mut worst = Found::of(Trust::Constant);
            for target in resolved {
                let inner = Spot { file: target.symbol.file, ..spot };
                let returned =
                    self.returns(&At { spot: inner, ..here.clone() }, None, Some(target.symbol.index), &stack);
                worst = worst.worse(if target.how == How::Dispatch { returned.doubted() } else { returned });
            }
            return worst.step(|| self.hop(spot, site.name));
        }
        let is_module = receiver.is_some_and(|object| {
            matches!(object.peeled(), Expr::Name(root) if matches!(root.as_str(), "path" | "Path" | "Object" | "JSON" | "Promise" | "Buffer"
                | "Array" | "url" | "URL" | "util" | "posix" | "_" | "lodash" | "qs" | "querystring" | "nodePath")
                && matches!(self.taint.index(at.spot.file).meaning(facts, root, spot.at), Meaning::Outside))
                || matches!(object.peeled(), Expr::Member(root, last) if last == "posix" && root.root_name() == Some("path"))
        });
        let is_associated = matches!(site.callee.peeled(), Expr::Path(_) | Expr::Name(_));
        if (is_module || is_associated) && (TAKES.contains(&name) || name == "parse") {
            let taken = if self.asks_for_host() { 1 } else { usize::MAX };
            return self.worst(&here, site.arguments.iter().take(taken));
        }
        match receiver {
            // Of a list made to one text, the first item decides the host.
            Some(object) if name == "join" && self.asks_for_host() => self.value(&here.keys(&["0".into()]), object),
            // `root.join(name)`: as dangerous as the worst part.
            Some(object) if matches!(name, "join" | "push" | "concat" | "set_path") => {
                let own = self.value(&here, object);
                if site.arguments.is_empty() {
                    return own;
                }
                // A folder of which nothing is known says nothing against the parts.
                let own = if own.trust == Trust::Unknown { Found::of(Trust::Constant) } else { own };
                self.worst(&here, site.arguments.iter()).worse(own)
            }
            // A piece between slashes names one folder at most.
            Some(_)
                if name == "split"
                    && self.danger == Danger::Path
                    && at.keys.first().is_some_and(|key| key.parse::<u32>().is_ok())
                    && matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Text(mark)) if mark == "/") =>
            {
                Found::of(Trust::Unknown)
            }
            Some(object) if PASSES.contains(&name) => self.value(&here, object),
            _ => Found::of(Trust::Unknown),
        }
    }

    /// `schema.parse(value)`: what it takes, and what the schema says of it.
    pub(super) fn parsed(&mut self, at: &At<'_>, schema: &Expr, argument: &Expr) -> Found {
        let keys = match at.keys.split_first() {
            Some((first, rest)) if first == "data" || first == "value" => rest,
            _ => at.keys,
        };
        let found = self.value(&at.keys(keys), argument);
        if found.trust <= Trust::Unknown {
            return found;
        }
        match self.taint.field(at.spot, schema, keys, self.danger, self.context) {
            Field::Harmless => Found::of(Trust::Constant),
            Field::Text(None) => found,
            Field::Text(Some(letter)) => {
                Found { leak: Some(format!("its schema's pattern lets `{}` through", letter.escape_debug())), ..found }
            }
            Field::Checked | Field::Unclear => found.at_most(Trust::Unknown),
        }
    }

    /// What a function of the file of `at` gives back.
    pub(super) fn returns(
        &mut self,
        at: &At<'_>,
        region: Option<RegionIndex>,
        symbol: Option<SymbolIndex>,
        stack: &[CallId],
    ) -> Found {
        let facts = self.facts(at.spot.file);
        let index = self.taint.index(at.spot.file);
        let returned = match (symbol, region) {
            (Some(symbol), _) => {
                let written = facts.symbols[symbol as usize].return_type.as_deref().unwrap_or_default();
                if self.taint.kind(at.spot.file, written, at.keys, self.danger) == Kind::Harmless {
                    return Found::of(Trust::Constant);
                }
                index.returned_by(facts, symbol)
            }
            (None, Some(region)) => index.returned_in(facts, region),
            (None, None) => Vec::new(),
        };
        if returned.is_empty() {
            return Found::of(Trust::Unknown);
        }
        let mut worst = Found::of(Trust::Constant);
        for value in returned.into_iter().take(6) {
            let spot = spot_of_return(self.taint.map, at.spot.file, value);
            let found = self.value(&At { spot, keys: at.keys, stack, up: at.up, depth: at.depth + 1 }, &value.value);
            worst = worst.worse(found);
        }
        worst
    }
}

/// `path.split("/").pop()`: the last name of a path leads into no other folder.
fn is_last_part(facts: &FileFacts, name: &str, receiver: Option<&Expr>) -> bool {
    let Some(Expr::Call(index)) = receiver.map(Expr::peeled) else { return false };
    let split = facts.call(*index);
    let at_slash = matches!(split.arguments.first().map(Expr::peeled), Some(Expr::Text(text)) if *text == "/");
    name == "pop" && split.name == "split" && at_slash
}
