//! Guards: what was asked about a value before it got to a place.

mod compared;
mod hosts;
mod methods;
mod replaced;
pub mod replaced_headers;
mod secrets;
pub mod words;

use crate::effects::Effect;
use crate::effects::chain;
use crate::effects::taint::declared::is_guard;
use crate::effects::taint::guards::words::{FORMS, KEEPERS, MEMBERSHIP, PATH_CHECKS, is_check};
use crate::effects::taint::letters::{Verdict, verdict};
use crate::effects::taint::names::Spot;
use crate::effects::taint::repository::Taint;
use crate::effects::taint::{Context, Danger};
use crate::repo_map::CallId;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, SymbolIndex, Usage};
use crate::repo_map::name::words;

/// What a check says of a value, the stronger the later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Nothing was asked.
    None,
    /// Asked, and the answer lets dangerous values through: how.
    Leaky(String),
    /// Something named like a check was asked; what it accepts is not known.
    Named,
    /// A fixed list or a pattern for the whole text accepted it.
    Allowed,
}

impl Taint<'_> {
    /// What was asked about `expr` before `spot`, in the functions around it.
    pub fn check(&self, spot: Spot, expr: &Expr, danger: Danger, context: &Context) -> Check {
        let Some(root) = expr.root_name() else { return Check::None };
        let facts = &self.map.file(spot.file).facts;
        let index = self.index(spot.file);
        if danger == Danger::Url && names_the_danger(facts, spot) {
            return Check::Allowed;
        }
        let mut best = Check::None;
        if let (Danger::Url | Danger::Redirect, Expr::Name(name)) = (danger, expr.peeled())
            && self.host_is_asked(spot, name)
        {
            best = Check::Named;
        }
        for &call in index.mentioning(root) {
            let site = facts.call(call);
            let holds_it = site.span.start <= spot.at && spot.at < site.span.end;
            if !holds_it
                && site.span.end <= spot.until
                && is_id(expr)
                && is_condition(facts, call)
                && is_around(facts, site.caller, spot)
                && index.same_meaning(facts, root, site.span.start, spot.at)
            {
                best = best.max(Check::Named);
            }
            if site.span.end > spot.until
                || holds_it
                || !matches!(
                    site.usage,
                    Usage::Tested | Usage::Discarded | Usage::Bound(_) | Usage::Operand | Usage::Receiver(_)
                )
                || !is_around(facts, site.caller, spot)
            {
                continue;
            }
            let found = self.strength(CallId { file: spot.file, index: call }, site, expr, root, danger, context);
            if found > best && index.same_meaning(facts, root, site.span.start, spot.at) {
                best = found;
            }
        }
        best.max(self.compared(spot, expr, danger))
    }

    fn strength(
        &self,
        call: CallId,
        site: &CallSite,
        expr: &Expr,
        root: &str,
        danger: Danger,
        context: &Context,
    ) -> Check {
        let facts = &self.map.file(call.file).facts;
        let name = site.name.as_str();
        let names = chain::names(facts, &site.callee).unwrap_or_else(|| vec![name]);
        let place = site.arguments.iter().position(|argument| covers(bare(facts, argument), expr));
        if place.is_some() && is_guard(self.declared, danger, &names) {
            return Check::Allowed;
        }
        let spot = Spot::of_call(call.file, site);
        let receiver = match site.callee.peeled() {
            Expr::Member(object, _) => Some(object.as_ref()),
            _ => None,
        };
        if receiver.is_some_and(|object| is_same(bare(facts, object), expr)) {
            return self.asked_itself(spot, site, expr, danger, context);
        }
        if danger == Danger::Path
            && site.usage != Usage::Discarded
            && (PATH_CHECKS.contains(&name)
                // `dirname(target) !== root`: a path's folder is taken to be used as well as to be compared.
                || (name == "dirname" && matches!(site.usage, Usage::Operand | Usage::Tested)))
            && site.arguments.iter().any(|argument| argument.mentions(root))
        {
            return Check::Named;
        }
        if MEMBERSHIP.contains(&name)
            && matches!(site.usage, Usage::Tested | Usage::Operand)
            && site.arguments.iter().any(|argument| is_made_with(argument, expr))
        {
            // What is on the list was put together there, value included.
            return Check::Named;
        }
        let Some(place) = place else {
            return if self.looks_up(call, site, expr) { Check::Named } else { Check::None };
        };
        if matches!(name, "test" | "is_match") {
            return match receiver.and_then(|object| self.pattern(spot, object)) {
                Some(pattern) => of_verdict(pattern, verdict(pattern, danger, context)),
                None => Check::Named,
            };
        }
        if MEMBERSHIP.contains(&name)
            && receiver.is_some_and(|object| matches!(name, "has" | "contains_key") || is_list(facts, object))
        {
            return Check::Allowed;
        }
        let asks = matches!(site.usage, Usage::Tested | Usage::Discarded | Usage::Bound(_));
        if asks && let Some(found) = self.asks_inside(call, place, danger, context) {
            return found;
        }
        let words = words(name);
        let has_form = words.iter().any(|word| FORMS.contains(&word.as_str())) && site.usage == Usage::Tested;
        let asks_for_dots = danger == Danger::Path && words.iter().any(|word| word.starts_with("travers"));
        // `allowed.redirect(uri, list)`: what the check is called stands before its name.
        let keeper = site.usage == Usage::Tested && receiver.and_then(Expr::last_name).is_some_and(is_keeper);
        let is_check = (keeper || words.iter().any(|word| is_check(word) || word.starts_with("valid")))
            && (!is_far(bare(facts, &site.arguments[place]), expr) || reads_input(&words));
        if has_form || asks_for_dots {
            Check::Allowed
        } else if (asks && is_check) || self.looks_up(call, site, expr) {
            Check::Named
        } else {
            Check::None
        }
    }

    /// Whether a call asks the database for the id: what is found there has the form that ids have.
    fn looks_up(&self, call: CallId, site: &CallSite, expr: &Expr) -> bool {
        is_id(expr)
            && !matches!(site.usage, Usage::Discarded)
            && site.arguments.iter().any(|argument| {
                let mut found = false;
                argument.walk(&mut |inner| found |= inner == expr);
                found
            })
            && (words(&site.name).first().is_some_and(|word| word == "find")
                || self.effects.cause(self.map, call, Effect::DbRead).is_some())
    }

    /// What a function of the project that is asked about the value does with it.
    fn asks_inside(&self, call: CallId, place: usize, danger: Danger, context: &Context) -> Option<Check> {
        let mut best: Option<Check> = None;
        for resolved in self.map.resolved(call) {
            let facts = &self.map.file(resolved.symbol.file).facts;
            let Some(name) = self.map.symbol(resolved.symbol).parameters.get(place).map(|parameter| parameter.name)
            else {
                continue;
            };
            for inner in self.map.calls_in(resolved.symbol) {
                let site = self.map.call(inner);
                let spot = Spot::of_call(inner.file, site);
                let receiver = match site.callee.peeled() {
                    Expr::Member(object, _) => Some(object.as_ref()),
                    _ => None,
                };
                let about_it = |expr: &Expr| expr.mentions(&name);
                let is_asked = site.arguments.iter().any(about_it) || receiver.is_some_and(about_it);
                if !is_asked {
                    continue;
                }
                let pattern = match site.name.as_str() {
                    "test" | "is_match" => receiver.and_then(|object| self.pattern(spot, object)),
                    "match" => site.arguments.first().and_then(|argument| self.pattern(spot, argument)),
                    _ => None,
                };
                let found = match pattern {
                    Some(pattern) => of_verdict(pattern, verdict(pattern, danger, context)),
                    None if MEMBERSHIP.contains(&site.name.as_str())
                        && matches!(site.usage, Usage::Returned | Usage::Tested)
                        && receiver.is_some_and(|object| is_list(facts, object)) =>
                    {
                        Check::Allowed
                    }
                    None => continue,
                };
                if best.as_ref().is_none_or(|best| found > *best) {
                    best = Some(found);
                }
            }
        }
        best.filter(|found| *found != Check::None)
    }
}

fn of_verdict(pattern: &str, verdict: Verdict) -> Check {
    match verdict {
        Verdict::Harmless => Check::Allowed,
        Verdict::Lets(letter) => {
            let shown: String = pattern.chars().take(60).collect();
            Check::Leaky(format!(
                "the pattern `{}` lets `{}` through",
                shown.replace('`', "\\`"),
                letter.escape_debug()
            ))
        }
        Verdict::OpenHost => {
            let shown: String = pattern.chars().take(60).collect();
            Check::Leaky(format!("the pattern `{}` accepts any host", shown.replace('`', "\\`")))
        }
        Verdict::Unclear => Check::Named,
    }
}

/// `SsrfGuard::validate(url)` before the place: whoever names the danger has thought of it, under whichever name the address went there.
fn names_the_danger(facts: &FileFacts, spot: Spot) -> bool {
    facts.calls.iter().any(|site| {
        site.span.end <= spot.until
            && is_around(facts, site.caller, spot)
            && chain::names(facts, &site.callee)
                .is_some_and(|names| names.iter().any(|name| name.to_ascii_lowercase().contains("ssrf")))
    })
}

/// Whether a value is named for what tells one record from the others.
fn is_id(expr: &Expr) -> bool {
    expr.last_name()
        .and_then(|name| words(name).pop())
        .is_some_and(|word| matches!(word.as_str(), "id" | "ids" | "uuid" | "slug" | "token" | "hash"))
}

/// Whether a call ends in the condition of a query that the value must fulfil: `user::id::equals(Some(id.clone()))`,
/// `Column::Id.eq(id)`, `eq(users.id, id)`. Whoever is found by it has an id of that form.
fn is_condition(facts: &FileFacts, call: CallIndex) -> bool {
    const COMPARES: &[&str] = &["equals", "eq"];
    const FINDS: &[&str] = &["find", "first", "one", "fetch", "load", "select", "get"];
    /// `Some(id.clone())`, `&id.to_owned()`: few calls stand between.
    const MAX_WRAPS: usize = 4;
    let outer = |call: &CallIndex| match facts.call(*call).usage {
        Usage::Argument(outer) => Some(outer),
        _ => None,
    };
    let compares = std::iter::successors(Some(call), outer)
        .take(MAX_WRAPS)
        .any(|call| COMPARES.contains(&facts.call(call).name.as_str()));
    let site = facts.call(call);
    compares
        && facts.calls.iter().any(|other| {
            other.caller == site.caller
                && other.span.end > site.span.end
                && words(&other.name).first().is_some_and(|word| FINDS.contains(&word.as_str()))
        })
}

/// Whether something is named for saying what is acceptable: `allowed`, `redirectValidator`.
fn is_keeper(name: &str) -> bool {
    words(name).iter().any(|word| KEEPERS.contains(&word.as_str()) || word.starts_with("valid"))
}

/// Whether text is put together with the value: `` `${name}/${file}` ``.
fn is_made_with(argument: &Expr, expr: &Expr) -> bool {
    match argument.peeled() {
        Expr::Template(parts) => crate::repo_map::expr::holes(parts).any(|hole| is_same(hole, expr)),
        Expr::Binary(_, left, right) => {
            is_made_with(left, expr) || is_made_with(right, expr) || is_same(left, expr) || is_same(right, expr)
        }
        _ => false,
    }
}

/// Whether a check of `argument` gets much more than the value: `verifySession(req)` for `req.body.name`.
fn is_far(argument: &Expr, expr: &Expr) -> bool {
    let mut next = expr.peeled();
    let mut levels = 0;
    while !is_same(argument, next) {
        match next {
            Expr::Member(object, _) | Expr::Index(object, _) => next = object.peeled(),
            _ => return false,
        }
        levels += 1;
    }
    levels > 1
}

/// Whether a check of a whole request is named for looking at what was sent, rather than at who sent it.
fn reads_input(words: &[String]) -> bool {
    words.iter().any(|word| {
        ["valid", "sanit", "input", "schema"].iter().any(|start| word.starts_with(start))
            || matches!(word.as_str(), "body" | "query" | "param" | "params" | "payload" | "dto")
    })
}

/// Whether code of a function, or of one around it, encloses the place.
fn is_around(facts: &FileFacts, function: Option<SymbolIndex>, spot: Spot) -> bool {
    function.is_none_or(|function| {
        let span = facts.symbols[function as usize].span;
        span.start <= spot.at && spot.at <= span.end
    })
}

/// Whether two expressions are the same name or chain.
fn is_same(one: &Expr, other: &Expr) -> bool {
    one.peeled() == other.peeled()
}

/// What `x.clone().into()`, `x.as_str()`, `String(x)` are made of.
fn bare<'e>(facts: &'e FileFacts, expr: &'e Expr) -> &'e Expr {
    let mut next = expr.peeled();
    for _ in 0..6 {
        let Expr::Call(index) = next else { break };
        let site = facts.call(*index);
        next = match (site.name.as_str(), site.callee.peeled()) {
            (
                "clone" | "into" | "as_str" | "as_ref" | "to_string" | "toString" | "trim" | "to_owned" | "as_path"
                | "toLowerCase" | "to_lowercase" | "as_deref" | "unwrap_or_default" | "hostname" | "host_str",
                Expr::Member(object, _),
            ) => object.peeled(),
            ("String" | "URL", _) => match site.arguments.first() {
                Some(argument) => argument.peeled(),
                None => break,
            },
            _ => break,
        };
    }
    next
}

/// Whether a check of `argument` speaks of `expr`: the same, or what it is read from.
fn covers(argument: &Expr, expr: &Expr) -> bool {
    // `isValidRedirect({ path, base })`: named arguments.
    if let Expr::Object(entries) = argument.peeled() {
        return entries.iter().any(|(_, value)| covers(value, expr));
    }
    let mut next = expr.peeled();
    loop {
        if is_same(argument, next) {
            return true;
        }
        match next {
            Expr::Member(object, _) | Expr::Index(object, _) => next = object.peeled(),
            _ => return false,
        }
    }
}

/// Something that holds a fixed list.
fn is_list(facts: &FileFacts, object: &Expr) -> bool {
    match object.peeled() {
        Expr::Array(_) => true,
        Expr::Name(name) => {
            name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                || facts.bindings.iter().any(|binding| {
                    binding.name == *name
                        && matches!(binding.value.as_ref().map(Expr::peeled), Some(Expr::Array(_) | Expr::Call(_)))
                })
        }
        Expr::Member(_, name) => {
            name.ends_with('s') || words(name).iter().any(|word| matches!(word.as_str(), "list" | "set" | "allowed"))
        }
        Expr::Path(_) => true,
        _ => false,
    }
}
