//! Sinks: calls that must not get what somebody outside chose, and the project's own functions that hand a parameter on to one.

mod arguments;
mod lifted;

use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

use crate::audit::place::resolve;
use crate::effects::Effect;
use crate::effects::chain;
use crate::effects::tables::{Ecosystem, matches, names_package};
use crate::effects::taint::Danger;
use crate::effects::taint::backtracking::{self, Cost};
use crate::effects::taint::declared::describes;
use crate::effects::taint::names::Meaning;
use crate::effects::taint::repository::Taint;
use crate::effects::taint::tables::{Argument, LIBRARIES, Library, Sink};
use crate::finding::Hop;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, LanguageName, Usage};
use crate::repo_map::name::{Name, words};
use crate::repo_map::recon::declared::DeclaredCall;
use crate::repo_map::{CallId, CallTarget, External, FileRole};

/// What sinks that the project's settings declare have for a library.
pub const DECLARED: &str = "settings";

/// One value that ends in a sink.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    /// The call that takes it.
    pub call: CallId,
    /// The argument.
    pub expr: &'a Expr,
    /// What the function takes of the argument.
    pub keys: Vec<Name>,
    /// What it can do.
    pub danger: Danger,
    /// The API.
    pub api: String,
    /// The library, as its table calls it.
    pub library: &'static str,
    /// Whether it is a piece of a statement.
    pub fragment: bool,
    /// From the call to the API.
    pub reaches: Vec<Hop>,
    /// Functions between.
    pub lifts: u32,
}

impl<'a> Taint<'a> {
    /// Every sink of the repository that ships, the innermost functions that hand a value on replaced by their callers.
    pub fn sinks(&self) -> Vec<Site<'a>> {
        let mut found = Vec::new();
        let index = Index::new();
        for (file, source) in self.map.files_with_ids() {
            if source.role != FileRole::Production {
                continue;
            }
            for (at, site) in (0..).zip(&source.facts.calls) {
                let call = CallId { file, index: at };
                if site.kind == CallKind::Jsx && !self.map.is_test(file, site.caller) {
                    found.extend(match site.name.as_str() {
                        "dangerouslySetInnerHTML" => markup(call, site),
                        "innerHTML" | "outerHTML" | "srcdoc" => assigned(call, site),
                        _ => None,
                    });
                }
                if !matches!(site.kind, CallKind::Call | CallKind::New) || self.map.is_test(file, site.caller) {
                    continue;
                }
                self.direct(&index, call, site, &mut found);
                if source.language.is_ecmascript() {
                    found.extend(searched(&source.facts, call, site));
                }
            }
        }
        self.lifted(found)
    }

    fn direct(&self, index: &Index, call: CallId, site: &'a CallSite, found: &mut Vec<Site<'a>>) {
        let source = self.map.file(call.file);
        let facts = &source.facts;
        let rust = source.language == LanguageName::Rust;
        let ecosystem = if rust { Ecosystem::Cargo } else { Ecosystem::Npm };
        let name = site.name.as_str();
        let before = found.len();
        let resolved_here = self.map.resolved(call).next().is_some();
        let mut seen: BTreeSet<(Danger, usize)> = BTreeSet::new();
        let mut add =
            |found: &mut Vec<Site<'a>>, library: &'static str, sink: (Danger, Argument, bool), api: String| {
                let (danger, argument, fragment) = sink;
                for (position, expr) in self.arguments(call, argument) {
                    if seen.insert((danger, position)) {
                        let keys = Vec::new();
                        found.push(Site {
                            call,
                            expr,
                            keys,
                            danger,
                            api: api.clone(),
                            library,
                            fragment,
                            reaches: Vec::new(),
                            lifts: 0,
                        });
                    }
                }
            };
        let all_names = || chain::names(facts, &site.callee).unwrap_or_else(|| vec![name]);
        let written = || site.callee.dotted().unwrap_or_else(|| name.to_owned());
        let alias = self.alias(call, site);
        if !resolved_here || alias.is_some() {
            let external = match alias {
                Some(external) => Some(external),
                None => match self.map.target(call) {
                    CallTarget::External(External { package, path }) => Some((package.as_str(), path.clone())),
                    _ => None,
                },
            };
            let last = external.as_ref().and_then(|(_, path)| path.last().copied()).unwrap_or(site.name);
            let more = if last == site.name { &[][..] } else { index.of(site.name) };
            let mut names = None;
            for &(library, sink) in index.of(last).iter().chain(more) {
                if library.ecosystem != ecosystem {
                    continue;
                }
                let by_package = external.as_ref().is_some_and(|(package, path)| {
                    let path: Vec<&str> = path.iter().map(Name::as_str).collect();
                    names_package(library.packages, package) && matches(sink.pattern, &path)
                });
                let by_shape = sink.by_shape
                    && self.uses(library.packages)
                    && matches(sink.pattern, names.get_or_insert_with(all_names));
                // `new RegExp(text)` alone asks whether it is a pattern; nothing is matched.
                let only_tried = sink.danger == Danger::Regex && site.usage == Usage::Discarded;
                if (by_package || by_shape) && !only_tried {
                    let api = match &external {
                        Some((package, _)) if by_package && *package != "global" => format!("{package}.{last}"),
                        _ => written(),
                    };
                    add(found, library.name, (sink.danger, sink.argument, sink.fragment), api.replace("default.", ""));
                }
            }
        }
        // Statements: what the effect tables know to run SQL.
        let runs_sql =
            self.effects.direct(call).iter().find(|direct| {
                matches!(direct.effect, Effect::DbRead | Effect::DbWrite) && takes_statement(name, rust)
            });
        if let Some(direct) = runs_sql {
            add(found, direct.library, (Danger::Sql, Argument::At(0), false), direct.api.clone());
        } else if found.len() == before && speaks_of_sql(name) {
            // A call named for it that gets a whole statement, `client.query({ query: text })` included; the text decides.
            let argument = if resolved_here { Argument::At(0) } else { Argument::Key("query") };
            add(found, "", (Danger::Sql, argument, false), written());
        }
        if !self.declared.sinks.is_empty() {
            for (danger, argument) in self.declared_sinks(call, &all_names()) {
                add(found, DECLARED, (danger, argument, false), written());
            }
        }
    }

    /// What the project's settings say of a call: by its names as written, and by those of what it calls.
    fn declared_sinks(&self, call: CallId, names: &[&str]) -> Vec<(Danger, Argument)> {
        let parts_of = |symbol| {
            let qualified = self.map.symbol(symbol).qualified.as_str();
            qualified.split(['.', ':']).filter(|part| !part.is_empty()).collect::<Vec<_>>()
        };
        let definitions: Vec<Vec<&str>> = self.map.resolved(call).map(|resolved| parts_of(resolved.symbol)).collect();
        let is_it = |sink: &DeclaredCall| {
            describes(sink, names) || definitions.iter().any(|definition| describes(sink, definition))
        };
        let mut found = Vec::new();
        for (rule, sinks) in &self.declared.sinks {
            let Some(danger) = Danger::ALL.into_iter().find(|danger| danger.rule() == rule) else { continue };
            for sink in sinks.iter().filter(|sink| is_it(sink)) {
                found.push((danger, sink.argument.map_or(Argument::Every, Argument::At)));
            }
        }
        found
    }

    /// `const run = promisify(exec)`: a call of `run` is one of `exec`.
    fn alias(&self, call: CallId, site: &'a CallSite) -> Option<(&'a str, Vec<Name>)> {
        let Expr::Name(name) = site.callee.peeled() else { return None };
        if !self.promisified.contains(name) {
            return None;
        }
        let facts = &self.map.file(call.file).facts;
        let (file, value) = match self.index(call.file).meaning(facts, name, site.span.start) {
            Meaning::Variable(binding) => (call.file, binding.value.as_ref()?),
            Meaning::Outside => {
                let (spot, value) = self.imported(call.file, name)?;
                (spot.file, value)
            }
            _ => return None,
        };
        let facts = &self.map.file(file).facts;
        let Expr::Call(made) = value.peeled() else { return None };
        let made = facts.call(*made);
        if made.name != "promisify" {
            return None;
        }
        let inner = made.arguments.first()?.peeled();
        let last = inner.last_name()?;
        let root = inner.root_name()?;
        let package = self.package_of(file, root)?;
        Some((package, vec![last.into()]))
    }
}

/// Sinks by the last name of their patterns.
struct Index {
    by_name: FxHashMap<Name, Vec<(&'static Library, &'static Sink)>>,
}

impl Index {
    fn new() -> Index {
        let mut by_name: FxHashMap<Name, Vec<_>> = FxHashMap::default();
        for &library in LIBRARIES {
            for sink in library.sinks {
                let last = sink.pattern.rsplit('.').next().unwrap_or_default();
                for name in last.split('|') {
                    by_name.entry(name.into()).or_default().push((library, sink));
                }
            }
        }
        Index { by_name }
    }

    fn of(&self, name: Name) -> &[(&'static Library, &'static Sink)] {
        self.by_name.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// `pattern.test(text)`, `text.replace(pattern, …)`, where the pattern takes very long for some texts. Rust's patterns never do.
fn searched<'a>(facts: &'a FileFacts, call: CallId, site: &'a CallSite) -> Option<Site<'a>> {
    let Expr::Member(receiver, name) = site.callee.peeled() else { return None };
    let first = site.arguments.first()?;
    let (pattern, text) = match name.as_str() {
        "test" | "exec" => (receiver.as_ref(), first),
        "match" | "matchAll" | "replace" | "replaceAll" | "search" | "split" => (first, receiver.as_ref()),
        _ => return None,
    };
    let Expr::Regex(pattern) = resolve(facts, site.caller, pattern) else { return None };
    let cost = backtracking::cost(pattern)?;
    Some(Site {
        call,
        expr: text,
        keys: Vec::new(),
        danger: Danger::Backtracking,
        api: match cost {
            Cost::Exponential => format!("exponential /{pattern}/"),
            Cost::Polynomial => format!("polynomial /{pattern}/"),
        },
        library: "ecmascript",
        fragment: false,
        reaches: Vec::new(),
        lifts: 0,
    })
}

/// `<div dangerouslySetInnerHTML={{ __html: text }} />`.
fn markup(call: CallId, site: &CallSite) -> Option<Site<'_>> {
    let [Expr::Object(entries)] = site.arguments.as_slice() else { return None };
    let (_, expr) = entries.iter().find(|(key, _)| key == "__html")?;
    Some(Site {
        call,
        expr,
        keys: Vec::new(),
        danger: Danger::Html,
        api: site.name.to_string(),
        library: "react",
        fragment: false,
        reaches: Vec::new(),
        lifts: 0,
    })
}

/// `element.innerHTML = text`, which the extractor keeps as a call for what it gets.
fn assigned(call: CallId, site: &CallSite) -> Option<Site<'_>> {
    // `<iframe srcdoc={…} />` is an element, not an assignment.
    let (Expr::Member(..), [expr]) = (site.callee.peeled(), site.arguments.as_slice()) else { return None };
    Some(Site {
        call,
        expr,
        keys: Vec::new(),
        danger: Danger::Html,
        api: site.name.to_string(),
        library: "dom",
        fragment: false,
        reaches: Vec::new(),
        lifts: 0,
    })
}

/// Names of database calls whose first argument is a statement.
fn takes_statement(name: &str, rust: bool) -> bool {
    if rust {
        matches!(
            name,
            "query"
                | "query_as"
                | "query_scalar"
                | "query_with"
                | "query_row"
                | "query_one"
                | "query_opt"
                | "execute"
                | "batch_execute"
                | "execute_batch"
                | "simple_query"
                | "prepare"
                | "query_map"
                | "query_raw"
                | "execute_unprepared"
        )
    } else {
        matches!(name, "query" | "execute" | "raw" | "exec" | "prepare" | "unsafe" | "queryRaw" | "executeRaw")
    }
}

/// Names of calls that speak of running a statement.
fn speaks_of_sql(name: &str) -> bool {
    // Most names do not, and taking them apart is slow.
    ["uer", "ql", "QL", "xecute", "tatement", "aw"].iter().any(|part| name.contains(part))
        && words(name).iter().any(|word| matches!(word.as_str(), "query" | "sql" | "execute" | "statement" | "raw"))
}
