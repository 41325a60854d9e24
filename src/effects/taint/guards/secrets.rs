//! Secrets: functions that let in only who knows a secret of the server, such as the server itself.

use crate::effects::taint::repository::Taint;
use crate::repo_map::expr::{Expr, holes};
use crate::repo_map::facts::{Comparison, FileFacts, Lines, RegionIndex, RegionKind, SymbolIndex, Usage};
use crate::repo_map::name::words;
use crate::repo_map::{CallId, FileId, SymbolId};

impl Taint<'_> {
    /// Whether the function around a line asks before it for a secret that the server's environment holds:
    /// `if (token !== process.env.INTERNAL_API_KEY) return`.
    pub fn asks_for_secret(&self, file: FileId, line: u32) -> bool {
        let facts = &self.map.file(file).facts;
        let here = |region, symbol| function_around(facts, region, symbol).is_some_and(|lines| lines.contains(line));
        facts.comparisons.iter().any(|comparison| {
            comparison.line < line && compares_secret(facts, comparison) && here(comparison.region, comparison.symbol)
        }) || (0..).zip(&facts.calls).any(|(index, site)| {
            // `if (!isFromOurServer(request)) return`
            site.line < line
                && site.usage == Usage::Tested
                && here(site.region, site.caller)
                && self.map.resolved(CallId { file, index }).any(|resolved| self.is_about_secret(resolved.symbol))
        })
    }

    /// Whether a function compares something with a secret of the server.
    fn is_about_secret(&self, function: SymbolId) -> bool {
        let facts = &self.map.file(function.file).facts;
        let mut own = facts.comparisons.iter().filter(|comparison| comparison.symbol == Some(function.index));
        own.any(|comparison| compares_secret(facts, comparison))
    }
}

fn compares_secret(facts: &FileFacts, comparison: &Comparison) -> bool {
    let is_nothing =
        |side: &Expr| matches!(side.peeled(), Expr::Nothing | Expr::Text(_) | Expr::Bool(_) | Expr::Number(_));
    !is_nothing(&comparison.left)
        && !is_nothing(&comparison.right)
        && [&comparison.left, &comparison.right]
            .into_iter()
            .any(|side| is_own_secret(resolve(facts, comparison.symbol, side)))
}

/// The lines of the innermost function around a region.
fn function_around(facts: &FileFacts, region: Option<RegionIndex>, symbol: Option<SymbolIndex>) -> Option<Lines> {
    let mut regions = facts.enclosing_regions(region);
    match regions.find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. })) {
        Some((_, region)) => Some(region.lines),
        None => Some(facts.symbols[symbol? as usize].lines),
    }
}

/// What a name stands for where it is bound once in its function or at module level.
fn resolve<'a>(facts: &'a FileFacts, symbol: Option<SymbolIndex>, expr: &'a Expr) -> &'a Expr {
    let Expr::Name(name) = expr.peeled() else { return expr };
    let bound = facts.bindings.iter().find(|binding| {
        binding.name == *name && binding.taken.is_none() && (binding.owner == symbol || binding.owner.is_none())
    });
    bound.and_then(|binding| binding.value.as_ref()).unwrap_or(expr)
}

/// `process.env.CRON_SECRET`, or text that holds it.
fn is_own_secret(expr: &Expr) -> bool {
    match expr.peeled() {
        Expr::Template(parts) => holes(parts).any(is_own_secret),
        other => {
            other.dotted().is_some_and(|text| text.starts_with("process.env."))
                && other.last_name().is_some_and(|name| {
                    words(name)
                        .iter()
                        .any(|word| matches!(word.as_str(), "secret" | "key" | "token" | "password" | "signature"))
                })
        }
    }
}
