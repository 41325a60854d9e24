//! The handler around a query: whether the id is the client's, and whether anything asks whose record that is.

use std::collections::BTreeSet;

use super::clauses::clause;
use super::queries::says_whose;
use crate::audit::place::{self, words};
use crate::audit::rules::security::code::expressions;
use crate::audit::rules::security::missing_auth::guards;
use crate::effects::entry::{Entry, EntryKind, Handler};
use crate::effects::{Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, Parameter, Span, Usage};
use crate::repo_map::{CallId, FileId, RepoMap};

/// The code of a handler.
pub struct Code<'a> {
    map: &'a RepoMap,
    /// Its file.
    pub file: FileId,
    /// Its bytes.
    pub span: Span,
}

impl<'a> Code<'a> {
    /// The code of an entry point.
    pub fn of(map: &'a RepoMap, entry: &Entry) -> Code<'a> {
        let file = entry.handler.file();
        let span = match entry.handler {
            Handler::Function(symbol) => map.symbol(symbol).span,
            Handler::Callback(_, region) => map.file(file).facts.regions[region as usize].span,
        };
        Code { map, file, span }
    }

    /// The facts of its file.
    pub fn facts(&self) -> &'a FileFacts {
        &self.map.file(self.file).facts
    }

    /// The parameters of the handler.
    fn parameters(&self) -> &'a [Parameter] {
        let symbol = self.facts().symbols.iter().find(|symbol| symbol.kind.is_callable() && symbol.span == self.span);
        symbol.map_or(&[], |symbol| &symbol.parameters)
    }

    /// The name that holds what `call` found: `order` of `const [order] = await db.select()…`, `let order = ….await?`.
    pub fn record(&self, call: CallId) -> Option<&'a str> {
        let end = chain::end(self.map, call).index;
        let holds = |value: &Expr| {
            let mut found = false;
            value.walk(&mut |inner| {
                found |= matches!(inner, Expr::Call(index) if *index == end || *index == call.index)
            });
            found
        };
        let bound = self.facts().bindings.iter().filter(|binding| self.span.contains(binding.span));
        bound
            .filter(|binding| !binding.name.is_empty())
            .find(|binding| binding.value.as_ref().is_some_and(holds))
            .map(|binding| binding.name.as_str())
    }

    /// Whether a parameter of a Rust handler holds what the client wrote, and nothing beside it that says whose.
    fn is_sent_parameter(&self, name: &str) -> bool {
        self.parameters().iter().any(|parameter| {
            let mut own = std::iter::once(parameter.name.as_str())
                .chain(parameter.destructured.iter().map(|(_, local)| local.as_str()));
            let sent = ["Path<", "Json<", "Query<", "Form<"];
            own.any(|local| local == name)
                && !parameter.destructured.iter().any(|(_, local)| says_whose(local))
                && parameter.declared_type.as_deref().is_some_and(|own| sent.iter().any(|word| own.contains(word)))
        })
    }

    /// Whether a value is one the client sent as it is: `req.params.id`, `const { id } = await params`, `input.id`.
    pub fn is_sent(&self, expr: &Expr, depth: u32) -> bool {
        const SENT: &[&str] = &["params", "query", "body", "input", "searchParams", "param"];
        match expr.peeled() {
            Expr::Member(object, name) => SENT.contains(&name.as_str()) || self.is_sent(object, depth),
            Expr::Name(name) => {
                if depth == 0 {
                    return false;
                }
                let bound = self
                    .facts()
                    .bindings
                    .iter()
                    .find(|binding| binding.name == *name && self.span.contains(binding.span));
                match bound {
                    Some(binding) => {
                        let by_key =
                            binding.taken.is_some_and(|taken| taken.split('.').any(|part| SENT.contains(&part)));
                        by_key || binding.value.as_ref().is_some_and(|value| self.is_sent(value, depth - 1))
                    }
                    None => matches!(name.as_str(), "params" | "input" | "query") || self.is_sent_parameter(name),
                }
            }
            // `c.req.param("id")`, `String(req.params.id)`, `await params`.
            Expr::Call(index) => {
                let site = self.facts().call(*index);
                match (site.name.as_str(), site.callee.peeled()) {
                    ("param", Expr::Member(object, _)) => object.last_name() == Some("req"),
                    ("into_inner" | "clone" | "as_str" | "to_string" | "to_owned", Expr::Member(object, _)) => {
                        self.is_sent(object, depth)
                    }
                    ("String" | "Number" | "parseInt", _) => {
                        site.arguments.first().is_some_and(|first| self.is_sent(first, depth))
                    }
                    _ => false,
                }
            }
            Expr::Await(inner) => self.is_sent(inner, depth),
            _ => false,
        }
    }

    /// Whether anything in the handler may ask whose the record is: a comparison of owners, or a check that gets the id or what
    /// was found by it.
    pub fn asks_whose(&self, id: &Expr, record: Option<&str>) -> bool {
        let facts = self.facts();
        let compares = facts.comparisons.iter().filter(|one| self.span.contains(one.span)).any(|one| {
            let sides = [&one.left, &one.right];
            !sides
                .iter()
                .any(|side| matches!(side.peeled(), Expr::Nothing | Expr::Text(_) | Expr::Number(_) | Expr::Bool(_)))
                && sides.iter().any(|side| speaks_of_owner(side))
        });
        let about = |expr: &Expr| {
            let mut found = false;
            chain::walk_deep(facts, expr, &mut |inner| {
                found |=
                    inner.peeled() == id.peeled() || matches!(inner, Expr::Name(name) if Some(name.as_str()) == record);
            });
            found
        };
        let checks = facts.calls.iter().filter(|site| self.span.contains(site.span)).any(|site| {
            let named = words(&site.name).iter().any(|word| {
                matches!(
                    word.as_str(),
                    "access"
                        | "permission"
                        | "permissions"
                        | "permitted"
                        | "owner"
                        | "owns"
                        | "ownership"
                        | "authorize"
                        | "authorized"
                        | "can"
                        | "ability"
                        | "belongs"
                        | "member"
                        | "membership"
                        | "role"
                        | "admin"
                        | "allowed"
                        | "verify"
                        | "validate"
                        | "check"
                        | "ensure"
                        | "assert"
                        | "require"
                        | "guard"
                        | "policy"
                        | "acl"
                        | "has"
                        | "is"
                )
            });
            named && site.arguments.iter().any(about)
        });
        compares || checks
    }

    /// Whether a query here looks for this id together with an owner, of whatever record: then it was asked whose it is.
    pub fn was_asked(&self, effects: &Effects, id: &Expr) -> bool {
        let facts = self.facts();
        (0..).zip(&facts.calls).filter(|(_, site)| self.span.contains(site.span)).any(|(index, site)| {
            let call = CallId { file: self.file, index };
            let (mut has_id, mut has_owner) = (false, false);
            let Some(direct) = effects.direct(call).first() else { return false };
            if let Some(clause) = clause(self.map, call, direct.library) {
                let holds = |value: &Expr| {
                    let mut found = false;
                    chain::walk_deep(facts, value, &mut |inner| found |= inner.peeled() == id.peeled());
                    found
                };
                return clause.keys.iter().any(|(_, value)| value.is_some_and(holds))
                    && (clause.is_open || clause.keys.iter().any(|(key, _)| says_whose(key)) || clause.keys.len() > 1);
            }
            let is_leaf = |value: &Expr| {
                matches!(value.peeled(), Expr::Name(_) | Expr::Member(..) | Expr::Call(_))
                    && value.peeled() != id.peeled()
            };
            for argument in &site.arguments {
                chain::walk_deep(facts, place::resolve(facts, site.caller, argument), &mut |inner| {
                    has_id |= inner.peeled() == id.peeled();
                    if let Expr::Object(entries) = inner {
                        has_owner |= entries.iter().any(|(key, value)| says_whose(key) && is_leaf(value));
                        // A parent beside the id: `{ id, roomId }`.
                        has_owner |=
                            entries.iter().filter(|(key, _)| key == "where").any(|(_, condition)| match condition {
                                Expr::Object(keys) => {
                                    keys.iter().any(|(_, value)| value.peeled() == id.peeled())
                                        && keys.iter().any(|(_, value)| is_leaf(value))
                                }
                                _ => false,
                            });
                    }
                });
            }
            has_id && has_owner
        })
    }

    /// Whether the code reads who is asking.
    fn knows_who(&self) -> bool {
        let facts = self.facts();
        let asks = |parameter: &Parameter| {
            let declared = parameter.declared_type.as_deref().unwrap_or_default();
            let known = words(declared).iter().any(|word| {
                matches!(word.as_str(), "user" | "claims" | "session" | "identity" | "auth" | "principal" | "login")
            });
            known && !declared.contains("Option") && !words(declared).iter().any(|word| word == "admin")
        };
        !self.identities().is_empty()
            || self.map.file(self.file).language == LanguageName::Rust && self.parameters().iter().any(asks)
            || expressions(facts, self.span).any(|expr| {
                let mut found = false;
                expr.walk(&mut |inner| {
                    found |= matches!(inner, Expr::Member(_, name) if matches!(name.as_str(), "user" | "session" | "userId" | "currentUser"));
                });
                found
            })
    }

    /// Whether who is asking decides anything but whether there is an answer.
    pub fn uses_identity(&self, names: &BTreeSet<&str>) -> bool {
        let facts = self.facts();
        expressions(facts, self.span).any(|expr| {
            let mut found = false;
            chain::walk_deep(facts, expr, &mut |inner| {
                found |= matches!(inner, Expr::Name(name) if names.contains(name.as_str()));
            });
            found
        })
    }

    /// Names that hold who is asking, because a call that looks gave them.
    pub fn identities(&self) -> BTreeSet<&'a str> {
        const LOOKS: &[&str] = &[
            "getServerSession",
            "getServerAuthSession",
            "getSession",
            "auth",
            "currentUser",
            "getAuth",
            "getUser",
            "getToken",
            "unstable_getServerSession",
        ];
        let calls = self
            .facts()
            .calls
            .iter()
            .filter(|site| self.span.contains(site.span) && LOOKS.contains(&site.name.as_str()));
        calls
            .filter_map(|site| match &site.usage {
                Usage::Bound(name) if !name.is_empty() => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

fn speaks_of_owner(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| {
        found |= match inner {
            Expr::Member(_, name) | Expr::Name(name) => says_whose(name) || name == "role" || name == "email",
            _ => false,
        };
    });
    found
}

/// Whether the entry point only lets known users in, by what is written and not by whose records it touches; `false` as well where
/// something before the handler may ask that.
pub fn is_only_authenticated(map: &RepoMap, entry: &Entry) -> bool {
    if guards::is_public(&entry.label)
        || words(&entry.label).iter().any(|word| matches!(word.as_str(), "admin" | "internal" | "job" | "jobs"))
    {
        return false;
    }
    let decides = |name: &str| {
        words(name).iter().any(|word| {
            matches!(
                word.as_str(),
                "permission"
                    | "permissions"
                    | "access"
                    | "owner"
                    | "member"
                    | "role"
                    | "roles"
                    | "admin"
                    | "scope"
                    | "scopes"
                    | "policy"
                    | "can"
                    | "ability"
                    | "team"
                    | "workspace"
                    | "project"
                    | "organization"
                    | "org"
                    | "tenant"
                    | "restrict"
                    | "superuser"
                    | "environment"
            )
        })
    };
    let written = guards::written(map, entry);
    if written.iter().any(|name| decides(name)) {
        return false;
    }
    if entry.kind == EntryKind::Procedure {
        let Some(call) = entry.registration else { return false };
        let facts = &map.file(call.file).facts;
        let links = chain::receivers(facts, call.index);
        if links.iter().any(|link| matches!(facts.call(*link).name.as_str(), "use" | "meta")) {
            return false;
        }
        let root = links.last().and_then(|first| facts.call(*first).callee.peeled().root_name()).unwrap_or_default();
        let root_words = words(root);
        return root_words
            .iter()
            .any(|word| matches!(word.as_str(), "protected" | "authed" | "authenticated" | "private" | "auth"))
            && !decides(root);
    }
    // Middleware of the router may ask.
    if let Some(call) = entry.registration {
        let facts = &map.file(call.file).facts;
        let asks = facts.calls.iter().any(|site| {
            matches!(site.name.as_str(), "use" | "param" | "addHook" | "layer" | "route_layer" | "wrap")
                && site.arguments.iter().any(|argument| {
                    let mut found = false;
                    chain::walk_deep(facts, argument, &mut |inner| {
                        found |= matches!(inner, Expr::Name(name) | Expr::Member(_, name) if decides(name));
                    });
                    found
                })
        });
        if asks {
            return false;
        }
    }
    !written.is_empty() || Code::of(map, entry).knows_who()
}
