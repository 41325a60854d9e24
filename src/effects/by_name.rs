//! Calls by name: what a call most likely runs when its receiver's type is not written anywhere.
//!
//! `await order.getBuyer()` on a value nobody typed can only be the one `getBuyer` the repository defines, or one of a few that
//! do the same. So a call has an effect by name when **every** definition it may mean has it. Such ways are kept apart from
//! the resolved ones: only rules that ask for what is likely see them, and none of them is certain.

use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

use crate::effects::factories::{self, Products};
use crate::effects::tables::api_names;
use crate::effects::{Cause, DirectEffect};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, LanguageName, RegionKind, Symbol, SymbolKind, Usage};
use crate::repo_map::name::{Name, words};
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap, SymbolId};

/// Definitions of one name that may be meant; more of them say that the name is a convention.
const MAX_CANDIDATES: usize = 16;

/// Calls whose target the call graph does not know, and what they most likely run.
#[derive(Debug, Clone, Default)]
pub struct ByName {
    /// What a call may run: a definition, or (`true`) the function that a factory gives.
    pub calls: BTreeMap<CallId, Vec<(SymbolId, bool)>>,
    /// The same, the other way round.
    pub callers: BTreeMap<(SymbolId, bool), Vec<CallId>>,
    /// Calls for which nothing but the name speaks.
    pub guessed: BTreeSet<CallId>,
    /// Functions that factories give.
    pub products: Products,
}

impl ByName {
    /// How a call has an effect, `known` telling how a definition has it: everything it may run must.
    pub fn cause(&self, call: CallId, known: &dyn Fn(SymbolId, bool) -> Option<Cause>) -> Option<Cause> {
        let mut nearest: Option<Cause> = None;
        for &(symbol, given) in self.calls.get(&call)? {
            let cause = Cause { call, through: Some(symbol), given, distance: known(symbol, given)?.distance + 1 };
            nearest = nearest
                .filter(|other| (other.distance, other.through) <= (cause.distance, cause.through))
                .or(Some(cause));
        }
        nearest
    }
}

/// Finds what the calls run that the call graph left open.
pub fn by_name(map: &RepoMap, direct: &BTreeMap<CallId, Vec<DirectEffect>>) -> ByName {
    let mut found = ByName { products: factories::products(map), ..ByName::default() };
    let mut definitions: FxHashMap<(Name, bool), Vec<(SymbolId, bool)>> = FxHashMap::default();
    let owners: FxHashSet<String> = map
        .symbols()
        .filter(|(_, symbol)| symbol.kind.is_type())
        .map(|(_, symbol)| symbol.name.as_str())
        .chain(map.files.iter().map(|file| stem(&file.path)))
        .map(str::to_ascii_lowercase)
        .collect();
    for (id, symbol) in map.symbols() {
        let file = map.file(id.file);
        let runs = matches!(symbol.kind, SymbolKind::Function | SymbolKind::Method) && symbol.has_body;
        if !runs || file.role != FileRole::Production || symbol.test {
            continue;
        }
        let rust = file.language == LanguageName::Rust;
        let factory = found.products.contains_key(&id);
        let named = if factory { made_name(&symbol.name) } else { Some(symbol.name) };
        if let Some(name) = named.filter(|name| is_telling(name)) {
            definitions.entry((name, rust)).or_default().push((id, factory));
        }
    }
    // `findFirst` of one's own class says nothing about a client's.
    let apis = api_names();
    definitions.retain(|(name, _), _| !apis.contains(name.as_str()));
    let made = factories::made(map, &found.products);
    for (id, site) in map.calls() {
        if site.kind != CallKind::Call || direct.contains_key(&id) {
            continue;
        }
        let meant = match factories::made_by(map, &found.products, &made, id) {
            Some(factory) => vec![(factory, true)],
            None => {
                let meant = of_receiver(map, &owners, site, namesakes(map, &definitions, id, site));
                if !meant.is_empty() {
                    found.guessed.insert(id);
                }
                meant
            }
        };
        for candidate in &meant {
            found.callers.entry(*candidate).or_default().push(id);
        }
        if !meant.is_empty() {
            found.calls.insert(id, meant);
        }
    }
    found
}

/// The definitions a call may mean by its name; none when there are too many, or when it may as well be a plain getter.
fn namesakes(
    map: &RepoMap,
    definitions: &FxHashMap<(Name, bool), Vec<(SymbolId, bool)>>,
    id: CallId,
    site: &CallSite,
) -> Vec<(SymbolId, bool)> {
    let rust = map.file(id.file).language == LanguageName::Rust;
    let Some(all) = definitions.get(&(site.name, rust)).filter(|_| is_open(map, id)) else { return Vec::new() };
    if !(waits(map, id, site) || rust && hands_over_a_connection(site)) {
        return Vec::new();
    }
    let caller = map.caller_of(id);
    let meant: Vec<_> = all
        .iter()
        .copied()
        // A function that passes a call on to its namesake does not mean itself.
        .filter(|(candidate, given)| *given || Some(*candidate) != caller)
        .filter(|(candidate, given)| *given || fits(map.symbol(*candidate), site, rust))
        .filter(|(candidate, given)| *given || !is_private(map, *candidate, id, site))
        .filter(|(candidate, _)| !does_nothing(map, *candidate))
        .take(MAX_CANDIDATES + 1)
        .collect();
    if meant.len() > MAX_CANDIDATES { Vec::new() } else { meant }
}

/// Those that belong to what a call names as its receiver: `User.isActive` is no method of a notification, and
/// `order.getTotal` is the order's where orders have one.
fn of_receiver(
    map: &RepoMap,
    owners: &FxHashSet<String>,
    site: &CallSite,
    meant: Vec<(SymbolId, bool)>,
) -> Vec<(SymbolId, bool)> {
    let Expr::Member(object, _) = site.callee.peeled() else { return meant };
    let Some(named) = object.last_name() else { return meant };
    let is_type = named.starts_with(|c: char| c.is_ascii_uppercase());
    let receiver = named.to_ascii_lowercase();
    let belongs = |candidate: &SymbolId| {
        let symbol = map.symbol(*candidate);
        let facts = &map.file(candidate.file).facts;
        let container = symbol.container.map(|index| facts.symbols[index as usize].name.as_str());
        [container, symbol.member_of.as_deref(), Some(stem(&map.file(candidate.file).path))]
            .into_iter()
            .flatten()
            .map(str::to_ascii_lowercase)
            .any(|owner| if is_type { owner.contains(&receiver) } else { owner == receiver })
    };
    let own: Vec<_> = meant.iter().copied().filter(|(candidate, _)| belongs(candidate)).collect();
    match own.is_empty() {
        true if is_type && owners.contains(&receiver) => Vec::new(),
        true => meant,
        false => own,
    }
}

/// The name of a file without its folder and endings.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// What a factory makes, by its name: `getUser` for `getUserFactory`, `makeGetUser`, `createGetUser` and `buildGetUser`.
fn made_name(factory: &str) -> Option<Name> {
    if let Some(made) = factory.strip_suffix("Factory") {
        return Some(Name::from(made));
    }
    let made = ["make", "create", "build"].iter().find_map(|verb| factory.strip_prefix(verb))?;
    let mut letters = made.chars();
    let first = letters.next().filter(char::is_ascii_uppercase)?;
    Some(Name::from(format!("{}{}", first.to_ascii_lowercase(), letters.as_str())))
}

/// Names of two words and more. One word (`load`, `send`) is given to too many things.
pub fn is_telling(name: &str) -> bool {
    words(name).len() >= 2
}

/// Whether the mapper found no body for the call.
fn is_open(map: &RepoMap, id: CallId) -> bool {
    match map.target(id) {
        CallTarget::Unresolved => true,
        CallTarget::External(_) => false,
        // A declaration of an interface, a type or an abstract class, without an implementation that is known to be meant.
        CallTarget::Symbols(found) => found.iter().all(|found| !map.symbol(found.symbol).has_body),
    }
}

/// Whether somebody waits for what the call gives: plain getters of the same name are not waited for.
pub fn waits(map: &RepoMap, id: CallId, site: &CallSite) -> bool {
    let facts = &map.file(id.file).facts;
    match &site.usage {
        _ if site.awaited => true,
        Usage::Receiver(next) => matches!(facts.call(*next).name.as_str(), "then" | "catch" | "finally"),
        Usage::Argument(outer) => matches!(facts.call(*outer).name.as_str(), "all" | "allSettled" | "push"),
        Usage::Returned => {
            let host = facts.enclosing_regions(site.region).find_map(|(_, region)| match &region.kind {
                RegionKind::Callback { call, .. } => Some(*call),
                _ => None,
            });
            match host {
                // `Promise.all(orders.map((order) => order.getBuyer()))`; what `filter` is given is no promise.
                Some(Some(host)) => matches!(&facts.call(host).usage, Usage::Argument(outer)
                    if matches!(facts.call(*outer).name.as_str(), "all" | "allSettled" | "join_all" | "try_join_all")),
                Some(None) | None => asks(site),
            }
        }
        Usage::Discarded
        | Usage::Ignored
        | Usage::Bound(_)
        | Usage::Assigned
        | Usage::Tested
        | Usage::Operand
        | Usage::Element
        | Usage::Passed => false,
    }
}

/// A call that is handed something, or whose verb says that it looks for something: no plain getter.
fn asks(site: &CallSite) -> bool {
    const VERBS: &[&str] = &["find", "fetch", "load", "count", "list", "query", "search"];
    !site.arguments.is_empty() || words(&site.name).first().is_some_and(|verb| VERBS.contains(&verb.as_str()))
}

/// `invitation.crate_name(conn)`: who is handed a connection uses it.
fn hands_over_a_connection(site: &CallSite) -> bool {
    site.arguments.iter().any(|argument| {
        argument.last_name().is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            matches!(name.as_str(), "conn" | "connection" | "db" | "pool" | "tx" | "transaction" | "txn" | "executor")
                || name.ends_with("_conn")
                || name.ends_with("_pool")
        })
    })
}

/// Whether a definition can be what a call with this receiver and these arguments means.
fn fits(symbol: &Symbol, site: &CallSite, rust: bool) -> bool {
    let given = site.arguments.len();
    let taken = symbol.parameters.len();
    if rust {
        return match site.callee.peeled() {
            Expr::Member(..) => symbol.takes_self && given == taken,
            Expr::Path(segments) => {
                let owner = segments.iter().rev().nth(1);
                let member_of = symbol.member_of.as_deref().map(|owner| owner.split('<').next().unwrap_or(owner));
                given == taken + usize::from(symbol.takes_self)
                    && owner.is_some_and(|own| member_of == Some(own.as_str()))
            }
            _ => false,
        };
    }
    let spread = site.arguments.iter().any(|argument| matches!(argument, Expr::Spread(_)));
    let last = symbol.parameters.last().and_then(|parameter| parameter.declared_type.as_deref());
    let rest = last.is_some_and(|declared| declared.ends_with("[]"));
    (spread || rest || given <= taken)
        && site.arguments.iter().zip(&symbol.parameters).all(|(given, taken)| can_be(given, &taken.declared_type))
}

/// Whether a parameter takes such an argument: an object written out is no list, and no single value.
fn can_be(given: &Expr, declared: &Option<Name>) -> bool {
    const SINGLE: &[&str] = &["string", "number", "boolean", "bigint", "Date"];
    let Some(declared) = declared.as_deref().map(str::trim) else { return true };
    let is_list = declared.ends_with("[]") || declared.starts_with("Array<") || declared.starts_with("ReadonlyArray<");
    let is_union = declared.contains('|');
    match given {
        Expr::Object(_) => is_union || !(is_list || SINGLE.contains(&declared)),
        Expr::Text(_) | Expr::Template(_) => is_union || !is_list,
        _ => true,
    }
}

/// A function that a file keeps to itself: no value of another file has it as a method.
fn is_private(map: &RepoMap, candidate: SymbolId, call: CallId, site: &CallSite) -> bool {
    let symbol = map.symbol(candidate);
    candidate.file != call.file
        && matches!(site.callee.peeled(), Expr::Member(..))
        && symbol.kind == SymbolKind::Function
        && symbol.container.is_none()
        && symbol.member_of.is_none()
        && !symbol.exported
        && map.file(candidate.file).language == LanguageName::TypeScript
}

/// A method with an empty body: what a base class does for those that have nothing to do.
fn does_nothing(map: &RepoMap, id: SymbolId) -> bool {
    let symbol = map.symbol(id);
    symbol.is_async && map.calls_in(id).next().is_none() && symbol.lines.count() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factories_are_called_for_what_they_make() {
        let made = |factory: &str| made_name(factory).map(|name| name.to_string());
        assert_eq!(made("getUserFactory").as_deref(), Some("getUser"));
        assert_eq!(made("makeGetUser").as_deref(), Some("getUser"));
        assert_eq!(made("createGetUser").as_deref(), Some("getUser"));
        assert_eq!(made("createdAt"), None);
        assert_eq!(made("getUser"), None);
    }

    #[test]
    fn one_word_tells_nothing() {
        assert!(is_telling("getBuyer") && is_telling("team_name"));
        assert!(!is_telling("load") && !is_telling("SEND"));
    }

    #[test]
    fn an_object_is_neither_a_list_nor_a_single_value() {
        let object = Expr::Object(Vec::new());
        let takes = |given: &Expr, declared: &str| can_be(given, &Some(Name::from(declared)));
        assert!(!takes(&object, "AssetProfileIdentifier[]") && !takes(&object, "string"));
        assert!(takes(&object, "Options") && takes(&object, "Options | string") && can_be(&object, &None));
        assert!(!takes(&Expr::Text("a".into()), "string[]") && takes(&Expr::Text("a".into()), "string"));
    }

    #[test]
    fn files_are_known_by_their_stem() {
        assert_eq!(stem("server/models/Member.model.ts"), "Member");
        assert_eq!(stem("lib.rs"), "lib");
    }
}
