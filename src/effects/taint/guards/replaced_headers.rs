//! Replaced headers: what a middleware of the project puts into a request, whoever sent it.

use std::collections::HashSet;

use crate::effects::chain;
use crate::effects::taint::repository::Taint;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::FileFacts;
use crate::repo_map::name::{Name, words};
use crate::repo_map::{FileId, RepoMap};

/// Lines below a source on which the header it reads is named: `request.headers()\n.get(TENANT)`. Our choice.
const MAX_LINES: u32 = 2;

/// Headers that some function writes into a request: `request.headers_mut().insert(HeaderName::from_static(TENANT), …)`.
pub fn replaced_headers(map: &RepoMap) -> HashSet<Name> {
    let mut found = HashSet::new();
    let insert = Name::from("insert");
    for (_, source) in map.files_with_ids().filter(|(_, source)| !source.language.is_ecmascript()) {
        for site in source.facts.calls.iter().filter(|site| site.name == insert) {
            let Some(names) = chain::names(&source.facts, &site.callee) else { continue };
            let of_request = names.first().is_some_and(|root| words(root).iter().any(|word| word.starts_with("req")));
            if of_request && names.contains(&"headers_mut") {
                found.extend(site.arguments.first().and_then(|key| header(&source.facts, key)));
            }
        }
    }
    found
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
    /// Whether what is read there is a header that a middleware has written.
    pub fn is_replaced_header(&self, file: FileId, line: u32) -> bool {
        let facts = &self.map.file(file).facts;
        !self.replaced_headers.is_empty()
            && facts.calls.iter().any(|site| {
                site.name == "get"
                    && (line..=line + MAX_LINES).contains(&site.line)
                    && chain::names(facts, &site.callee).is_some_and(|names| names.contains(&"headers"))
                    && site
                        .arguments
                        .first()
                        .and_then(|key| header(facts, key))
                        .is_some_and(|key| self.replaced_headers.contains(&key))
            })
    }
}
