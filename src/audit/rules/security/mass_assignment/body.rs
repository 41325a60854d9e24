//! The body of a request as a whole: where it is read, which names hold it, and where it is written.

use std::collections::BTreeSet;

use crate::audit::place::words;
use crate::effects::{Effect, Effects, chain};
use crate::finding::Hop;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, Span};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// Calls between the handler and the write that are followed. Our choice: controller, service, repository.
const MAX_HOPS: usize = 3;

/// Calls from the function that gets the body to the validator, the last one included.
const MAX_CHECK: u32 = 2;

/// A write that gets the whole body.
pub struct Write {
    /// Where the handler hands the body on, or writes it.
    pub given: CallId,
    /// The call that writes.
    pub sink: CallId,
    /// From the handler to the write.
    pub hops: Vec<Hop>,
}

/// Code in which some names hold the whole body.
pub struct Scope<'a> {
    map: &'a RepoMap,
    effects: &'a Effects,
    file: FileId,
    span: Span,
    names: BTreeSet<&'a str>,
    /// Whether the request itself is known here.
    has_request: bool,
}

impl<'a> Scope<'a> {
    /// The code of a handler.
    pub fn handler(map: &'a RepoMap, effects: &'a Effects, file: FileId, span: Span) -> Scope<'a> {
        Scope { map, effects, file, span, names: BTreeSet::new(), has_request: true }
    }

    fn facts(&self) -> &'a FileFacts {
        &self.map.file(self.file).facts
    }

    fn calls(&self) -> impl Iterator<Item = (CallId, &'a CallSite)> + use<'a> {
        let (file, span) = (self.file, self.span);
        let calls = (0..).zip(&self.facts().calls).filter(move |(_, site)| span.contains(site.span));
        calls.map(move |(index, site)| (CallId { file, index }, site))
    }

    /// Every write here, and in what is called with the whole body.
    pub fn writes(mut self) -> Vec<Write> {
        let mut found = Vec::new();
        self.collect(None, &[], &mut BTreeSet::new(), &mut found);
        found
    }

    fn collect(
        &mut self,
        given: Option<CallId>,
        hops: &[Hop],
        seen: &mut BTreeSet<(SymbolId, String)>,
        found: &mut Vec<Write>,
    ) {
        self.spread();
        if self.is_checked() {
            return;
        }
        let path = &self.map.file(self.file).path;
        for (call, site) in self.calls() {
            let hop = Hop { file: path.clone(), line: site.line, symbol: site.name.to_string() };
            let mut way = hops.to_vec();
            way.push(hop);
            if self.is_write(call, site) {
                found.push(Write { given: given.unwrap_or(call), sink: call, hops: way });
                continue;
            }
            if hops.len() >= MAX_HOPS {
                continue;
            }
            for resolved in self.map.resolved(call) {
                let symbol = self.map.symbol(resolved.symbol);
                for (argument, parameter) in site.arguments.iter().zip(&symbol.parameters) {
                    let mut names = BTreeSet::new();
                    if self.is_whole(argument) && !parameter.name.is_empty() {
                        names.insert(parameter.name.as_str());
                    } else if let Expr::Object(entries) = argument.peeled() {
                        for (_, local) in parameter
                            .destructured
                            .iter()
                            .filter(|(key, _)| entries.iter().any(|(own, value)| own == key && self.is_whole(value)))
                        {
                            names.insert(local.as_str());
                        }
                    }
                    let Some(first) = names.first() else { continue };
                    if !seen.insert((resolved.symbol, (*first).to_owned())) {
                        continue;
                    }
                    let mut inner = Scope {
                        map: self.map,
                        effects: self.effects,
                        file: resolved.symbol.file,
                        span: symbol.span,
                        names,
                        has_request: false,
                    };
                    inner.collect(given.or(Some(call)), &way, seen, found);
                }
            }
        }
    }

    /// Adds the names that hold the whole body because of what they are bound to.
    fn spread(&mut self) {
        let facts = self.facts();
        loop {
            let before = self.names.len();
            for binding in facts.bindings.iter().filter(|binding| self.span.contains(binding.span)) {
                let Some(value) = &binding.value else { continue };
                let is_body = match binding.taken.as_deref() {
                    None => self.is_whole(value),
                    // `const { body } = req`.
                    Some("body") => self.has_request && is_request(value),
                    // `const { id, ...fields } = req.body`.
                    Some("...") => self.is_whole(value),
                    Some(_) => false,
                };
                if is_body && !binding.name.is_empty() {
                    self.names.insert(binding.name.as_str());
                }
            }
            for assignment in facts.assignments.iter().filter(|one| self.span.contains(one.span)) {
                if let Expr::Name(name) = &assignment.target
                    && self.is_whole(&assignment.value)
                {
                    self.names.insert(name.as_str());
                }
            }
            // `Object.assign(user, body)`.
            for (_, site) in self.calls().filter(|(_, site)| is_object_assign(site)) {
                if let Some(Expr::Name(name)) = site.arguments.first()
                    && site.arguments[1..].iter().any(|argument| self.is_whole(argument))
                {
                    self.names.insert(name.as_str());
                }
            }
            if self.names.len() == before {
                return;
            }
        }
    }

    /// Whether an expression is the whole body, or an object with all of its fields.
    fn is_whole(&self, expr: &Expr) -> bool {
        match expr.peeled() {
            Expr::Name(name) => self.names.contains(name.as_str()),
            Expr::Member(object, name) => self.has_request && name == "body" && is_request(object),
            Expr::Object(entries) => entries.iter().any(|(key, value)| key == "..." && self.is_whole(value)),
            Expr::Spread(inner) => self.is_whole(inner),
            Expr::Binary(operator, left, _) if matches!(operator.as_str(), "||" | "??") => self.is_whole(left),
            Expr::Call(index) => {
                let site = self.facts().call(*index);
                match site.callee.peeled() {
                    Expr::Member(object, name) if name == "json" && site.arguments.is_empty() => {
                        self.has_request && is_request(object)
                    }
                    Expr::Name(name) if name == "readBody" => self.has_request,
                    _ if is_object_assign(site) => site.arguments.iter().any(|argument| self.is_whole(argument)),
                    Expr::Member(object, name) if name == "parse" => {
                        matches!(object.peeled(), Expr::Name(name) if name == "JSON")
                            && site.arguments.first().is_some_and(|argument| self.is_whole(argument))
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Whether something is asked about the body as a whole: a schema, a check, a list of its keys.
    fn is_checked(&self) -> bool {
        let asks = |site: &CallSite| {
            let words = words(&site.name);
            let of = chain::names(self.facts(), &site.callee).unwrap_or_default();
            let by_name = words.iter().any(|word| {
                word.starts_with("valid")
                    || word.starts_with("sanitiz")
                    || matches!(
                        word.as_str(),
                        "schema" | "check" | "assert" | "pick" | "omit" | "filter" | "whitelist" | "safe" | "guard"
                    )
            });
            let keys = site.name == "keys" || site.name == "entries" || site.name == "hasOwnProperty";
            let parses = matches!(site.name.as_str(), "parse" | "parseAsync" | "is" | "cast") && !of.contains(&"JSON");
            by_name || keys || parses
        };
        self.calls().any(|(call, site)| {
            let is_about = |argument: &Expr| {
                self.is_whole(argument)
                    // `validationResult(req)`.
                    || self.has_request && matches!(argument.peeled(), Expr::Name(_)) && is_request(argument)
            };
            let validates = self.effects.own(call, Effect::Validation).is_some();
            site.arguments.iter().any(is_about)
                && (validates || asks(site) || self.hands_to_a_check(call, site, &is_about))
        })
    }

    /// Whether the function that gets the body hands it to a validator, itself or one call further down.
    fn hands_to_a_check(&self, call: CallId, site: &CallSite, is_about: &dyn Fn(&Expr) -> bool) -> bool {
        let near = |symbol: SymbolId| {
            self.effects.of_function(symbol, Effect::Validation).is_some_and(|cause| cause.distance <= MAX_CHECK)
        };
        self.map.resolved(call).filter(|resolved| near(resolved.symbol)).any(|resolved| {
            let symbol = self.map.symbol(resolved.symbol);
            site.arguments.iter().zip(&symbol.parameters).filter(|(argument, _)| is_about(argument)).any(
                |(_, parameter)| {
                    let facts = &self.map.file(resolved.symbol.file).facts;
                    self.map.calls_in(resolved.symbol).any(|inner| {
                        self.effects.cause(self.map, inner, Effect::Validation).is_some()
                            && chain::call_uses(facts, inner.index, &|used| used == parameter.name)
                    })
                },
            )
        })
    }

    /// Whether a call puts the whole body into a record.
    fn is_write(&self, call: CallId, site: &CallSite) -> bool {
        const VERBS: &[&str] = &[
            "create",
            "update",
            "upsert",
            "insert",
            "insertOne",
            "insertMany",
            "updateOne",
            "updateMany",
            "replaceOne",
            "save",
            "createMany",
            "findByIdAndUpdate",
            "findOneAndUpdate",
            "findOneAndReplace",
            "bulkCreate",
            "set",
            "values",
            "patch",
            "insertAsync",
            "updateAsync",
        ];
        const BUILDERS: &[&str] = &["create", "merge", "preload", "assign"];
        const DATA: &[&str] = &["data", "create", "update", "$set", "defaults"];
        let Expr::Member(receiver, name) = site.callee.peeled() else { return false };
        let gets = site.arguments.iter().enumerate().any(|(place, argument)| {
            let whole = self.is_whole(argument)
                // Of a condition and a change the second is the change.
                && !(place == 0 && site.arguments.len() > 1 && matches!(name.as_str(), "updateOne" | "updateMany" | "findOneAndUpdate"));
            whole
                || matches!(argument.peeled(), Expr::Object(entries) if entries
                    .iter()
                    .any(|(key, value)| DATA.contains(&key.as_str()) && self.is_whole(value)))
        });
        if !gets {
            return false;
        }
        let writes = VERBS.contains(&name.as_str())
            && (self.effects.direct(call).iter().any(|effect| effect.effect == Effect::DbWrite)
                || chain::receivers(self.facts(), call.index).into_iter().any(|index| {
                    let link = CallId { file: self.file, index };
                    self.effects.direct(link).iter().any(|effect| effect.effect == Effect::DbWrite)
                }));
        let holder = match receiver.peeled() {
            // `dataSource.getRepository(User).create(…)`.
            Expr::Call(made) if self.facts().call(*made).name == "getRepository" => "repository",
            receiver => receiver.last_name().unwrap_or_default(),
        };
        let builds = BUILDERS.contains(&name.as_str())
            && (matches!(holder, "manager" | "entityManager" | "em" | "repository" | "repo")
                || holder.ends_with("Repository")
                || holder.ends_with("Repo"))
            && self.map.resolved(call).next().is_none();
        let made = site.kind == CallKind::Call;
        made && (writes || builds)
    }
}

fn is_object_assign(site: &CallSite) -> bool {
    site.name == "assign" && site.callee.dotted().as_deref() == Some("Object.assign")
}

/// `req`, `request`, `ctx.request`, `c.req`, `this.request`.
fn is_request(expr: &Expr) -> bool {
    matches!(expr.peeled().last_name(), Some("req" | "request" | "_req" | "_request"))
}
