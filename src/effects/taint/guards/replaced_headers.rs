//! Replaced headers: what a middleware of the project puts into a request, whoever sent it.

use rustc_hash::FxHashSet;

use crate::effects::chain;
use crate::effects::taint::repository::Taint;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, FileFacts};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, FileRole, RepoMap, SourceFile};

/// Lines below a source on which the header it reads is named: `request.headers()\n.get(TENANT)`. Our choice.
const MAX_LINES: u32 = 2;

/// Headers that some function writes into a request it is handed: `request.headers_mut().insert(HeaderName::from_static(TENANT), …)`.
/// What tests and clients send is not what a server was sent.
pub fn replaced_headers(map: &RepoMap) -> FxHashSet<Name> {
    let mut found = FxHashSet::default();
    let insert = Name::from("insert");
    let shipped = |source: &SourceFile| source.role == FileRole::Production && !source.language.is_ecmascript();
    for (file, source) in map.files_with_ids().filter(|(_, source)| shipped(source)) {
        for site in source.facts.calls.iter().filter(|site| site.name == insert && !map.is_test(file, site.caller)) {
            let Some(names) = chain::names(&source.facts, &site.callee) else { continue };
            let of_request = names.first().is_some_and(|root| is_request(&source.facts, site, root));
            if of_request && names.contains(&"headers_mut") {
                found.extend(site.arguments.first().and_then(|key| header(&source.facts, key)));
            }
        }
    }
    found
}

/// Whether `name` is a parameter that holds what a server was sent.
fn is_request(facts: &FileFacts, site: &CallSite, name: &str) -> bool {
    let Some(caller) = site.caller else { return false };
    facts.symbols[caller as usize].parameters.iter().any(|parameter| {
        let declared = parameter.declared_type.as_deref().unwrap_or_default();
        parameter.name == name && (declared.contains("ServiceRequest") || declared.contains("Request<"))
    })
}

/// The name of a header, as it is written: a constant or a text.
fn header(facts: &FileFacts, expr: &Expr) -> Option<Name> {
    match expr.peeled() {
        Expr::Text(text) => Some(*text),
        Expr::Name(name) => Some(*name),
        Expr::Path(segments) => segments.last().copied(),
        Expr::Call(index) => facts.call(*index).arguments.first().and_then(|inner| header(facts, inner)),
        _ => None,
    }
}

impl Taint<'_> {
    /// Whether what is read there is a header that a middleware has written, and no other header is read beside it.
    pub fn is_replaced_header(&self, file: FileId, line: u32) -> bool {
        if self.replaced_headers.is_empty() {
            return false;
        }
        let facts = &self.map.file(file).facts;
        let mut read = facts
            .calls
            .iter()
            .filter(|site| {
                site.name == "get"
                    && (line..=line + MAX_LINES).contains(&site.line)
                    && chain::names(facts, &site.callee).is_some_and(|names| names.contains(&"headers"))
            })
            .map(|site| site.arguments.first().and_then(|key| header(facts, key)))
            .peekable();
        read.peek().is_some() && read.all(|key| key.is_some_and(|key| self.replaced_headers.contains(&key)))
    }
}
