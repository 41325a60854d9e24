//! Lists that a person wrote: the arguments of a program, its configuration, constants of another file, the tables of a database.
//!
//! Such a list has a handful of entries however much the program is used.

use crate::audit::place;
use crate::audit::rules::perf::per_item::origin::{PASSES_ON, is_literal};
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::chain;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{FileFacts, ImportItem, LanguageName};
use crate::repo_map::{CallId, ImportTarget, RepoMap};

/// Hands a list goes through on its way to the loop.
const MAX_DEPTH: usize = 8;

/// Last words of names that hold a program's configuration or arguments.
const SETTINGS: &[&str] = &["config", "configuration", "conf", "cfg", "argv"];

/// Calls that give the value itself, or one setting by its name.
const READS: &[&str] = &[
    "get",
    "getOrThrow",
    "get_many",
    "read",
    "lock",
    "borrow",
    "load",
    "load_full",
    "split",
    "split_whitespace",
    "trim",
    "parse",
];

/// Whether a person wrote the list `over`.
pub fn is_hand_written(map: &RepoMap, call: CallId, over: &Expr, scope: Scope<'_>) -> bool {
    let asked = Asked { map, call };
    asked.is_list(over, scope, 0)
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    map: &'a RepoMap,
    call: CallId,
}

impl Asked<'_> {
    /// A part of the settings, or a constant of another file.
    fn is_list(self, expr: &Expr, scope: Scope<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match expr.peeled() {
            Expr::Name(name) => match scope.look_up(name) {
                Meaning::Declared(_) => {
                    if let Some((_, whole, place)) = scope.part(name) {
                        return self.is_settings(whole, place, depth + 1);
                    }
                    let (value, place) = scope.resolve(expr);
                    !matches!(value, Expr::Name(_)) && self.is_list(value, place, depth + 1)
                }
                Meaning::Parameter(_) => false,
                Meaning::Unknown => self.is_constant_elsewhere(name),
            },
            Expr::Member(object, name) => {
                self.is_settings(object, scope, depth + 1) || object.root_name() == Some("process") && name == "argv"
            }
            Expr::Call(index) => {
                let site = scope.facts.call(*index);
                match site.callee.peeled() {
                    Expr::Path(segments) => {
                        matches!(segments.as_slice(), [.., module, name] if module == "env" && matches!(name.as_str(), "args" | "args_os" | "var"))
                    }
                    Expr::Member(object, name) if READS.contains(&name.as_str()) => {
                        self.is_settings(object, scope, depth + 1) || self.is_list(object, scope, depth + 1)
                    }
                    Expr::Member(object, name) if PASSES_ON.contains(&name.as_str()) => {
                        let whole = object.last_name().is_some_and(|name| matches!(name, "Object" | "Array"));
                        match site.arguments.first() {
                            Some(first) if whole => {
                                self.is_list(first, scope, depth + 1) || self.is_settings(first, scope, depth + 1)
                            }
                            _ => self.is_list(object, scope, depth + 1),
                        }
                    }
                    _ => false,
                }
            }
            Expr::Binary(operator, left, _) if matches!(operator.as_str(), "??" | "||") => {
                self.is_list(left, scope, depth + 1)
            }
            Expr::Spread(inner) => self.is_list(inner, scope, depth + 1),
            _ => false,
        }
    }

    /// The whole of a configuration, or of a program's arguments.
    fn is_settings(self, expr: &Expr, scope: Scope<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match expr.peeled() {
            Expr::This => {
                let owner =
                    self.map.caller_of(self.call).and_then(|symbol| self.map.symbol(symbol).member_of.as_deref());
                owner.is_some_and(|owner| self.is_settings_type(owner))
            }
            Expr::Name(name) => {
                if is_settings_name(name) {
                    return true;
                }
                match scope.look_up(name) {
                    Meaning::Parameter(position) => {
                        let Some(owner) = scope.owner else { return false };
                        let declared =
                            scope.facts.symbols[owner as usize].parameters[position].declared_type.as_deref();
                        declared.is_some_and(|declared| self.is_settings_type(declared))
                    }
                    Meaning::Declared(binding) => {
                        binding.declared_type.as_deref().is_some_and(|declared| self.is_settings_type(declared))
                            || binding
                                .value
                                .as_ref()
                                .is_some_and(|value| self.is_settings(value, scope.of_binding(binding), depth + 1))
                    }
                    Meaning::Unknown => false,
                }
            }
            Expr::Member(object, name) => {
                is_settings_name(name)
                    || name == "env" && object.root_name() == Some("process")
                    || self.is_settings(object, scope, depth + 1)
            }
            Expr::Await(inner) => self.is_settings(inner, scope, depth + 1),
            Expr::Call(index) => {
                let site = scope.facts.call(*index);
                match site.callee.peeled() {
                    // `Args::parse()`, `Config::load(path)`.
                    Expr::Path(segments) => {
                        matches!(segments.as_slice(), [.., owner, _] if self.is_settings_type(owner))
                    }
                    Expr::Member(object, name) => {
                        is_settings_name(name)
                            || (READS.contains(&name.as_str()) || PASSES_ON.contains(&name.as_str()))
                                && self.is_settings(object, scope, depth + 1)
                    }
                    Expr::Name(name) => is_settings_name(name),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// `Config`, `ServerConfig`; in Rust also what is derived to be filled from the command line.
    fn is_settings_type(self, declared: &str) -> bool {
        let name = declared.trim_start_matches(['&', ' ']).trim_start_matches("mut ");
        let name = name.split('<').next().unwrap_or(name);
        let name = name.rsplit("::").next().unwrap_or(name).trim();
        if place::words(name).last().is_some_and(|word| matches!(word.as_str(), "config" | "configuration")) {
            return true;
        }
        const PARSED: &[&str] = &["args", "arguments", "cli", "opt", "opts", "options", "flags", "cmd", "command"];
        if !place::words(name).last().is_some_and(|word| PARSED.contains(&word.as_str())) {
            return false;
        }
        let is_parsed = |attribute: &str| {
            attribute.starts_with("derive")
                && ["Parser", "Args", "Subcommand", "StructOpt", "FromArgs", "Clap"]
                    .into_iter()
                    .any(|derived| place::has_word(attribute, derived))
        };
        self.map.file(self.call.file).language == LanguageName::Rust
            && self.map.symbols().any(|(_, symbol)| {
                symbol.kind.is_type() && symbol.name == name && symbol.attributes.iter().any(|own| is_parsed(own))
            })
    }

    /// `import { providers } from "./providers"`, where that file writes the list out.
    fn is_constant_elsewhere(self, name: &str) -> bool {
        let source = self.map.file(self.call.file);
        let imports = source.facts.imports.iter().zip(&self.map.import_targets[self.call.file as usize]);
        imports.into_iter().any(|(import, target)| {
            let (ImportItem::Named(item), ImportTarget::File(file)) = (&import.item, target) else { return false };
            let facts = &self.map.file(*file).facts;
            import.local == name && writes_out(facts, item)
        })
    }
}

/// Whether a module's own constant is a list written out and never added to.
fn writes_out(facts: &FileFacts, name: &str) -> bool {
    let own = facts.bindings.iter().find(|binding| {
        binding.owner.is_none() && binding.region.is_none() && binding.member_of.is_none() && binding.name == name
    });
    own.and_then(|binding| binding.value.as_ref()).is_some_and(|value| is_literal(value, Scope::of_module(facts), 0))
}

fn is_settings_name(name: &str) -> bool {
    place::words(name).last().is_some_and(|word| SETTINGS.contains(&word.as_str()))
}

/// Names by which statements ask a database about itself.
const CATALOGS: &[&str] = &[
    "sqlite_master",
    "sqlite_schema",
    "information_schema",
    "pg_catalog",
    "pg_class",
    "pg_tables",
    "pg_indexes",
    "pg_index",
    "pg_constraint",
    "pg_attribute",
    "pg_namespace",
    "pragma_",
    "show tables",
    "show columns",
    "show index",
    "create table",
    "drop table",
    "alter table",
    "create index",
    "drop index",
];

/// Whether the query `call` belongs to asks for tables, columns or indexes, of which a database has as many as its design.
pub fn asks_the_catalog(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let end = chain::end(map, call);
    let mut found = false;
    chain::walk_deep(facts, &Expr::Call(end.index), &mut |inner| {
        found |= match inner {
            Expr::Text(text) => names_catalog(text),
            Expr::Template(parts) => {
                parts.iter().any(|part| matches!(part, TemplatePart::Text(text) if names_catalog(text)))
            }
            _ => false,
        };
    });
    found
}

fn names_catalog(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    CATALOGS.iter().any(|name| text.contains(name))
}
