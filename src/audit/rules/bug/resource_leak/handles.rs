//! Handles taken and not given back: pool connections, files, browsers.

use crate::audit::rules::bug::resource_leak::body::{Body, is_in_finally, waits_between};
use crate::audit::rules::bug::resource_leak::clients::closes;
use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::Usage;
use crate::repo_map::{CallId, CallTarget, RepoMap};

/// A handle that a function takes and keeps, always or when something fails.
pub fn leaks(map: &RepoMap, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    if !source.language.is_ecmascript() {
        return None;
    }
    let Usage::Bound(name) = &site.usage else { return None };
    if name.is_empty() {
        return None;
    }
    let (what, gives_back) = taken(map, call)?;
    let body = Body::of_call(facts, call.index)?;
    // `dataSource.destroy()` takes all its runners with it.
    let owner = site.callee.peeled();
    if let Expr::Member(owner, _) = owner
        && let Some(owner) = owner.root_name()
        && body.methods_of(facts, owner, &|method| closes(method)).next().is_some()
    {
        return None;
    }
    // A stream over a file handle closes it at its end.
    let streams = |method: &str| matches!(method, "createReadStream" | "createWriteStream" | "readableWebStream");
    if body.methods_of(facts, name, &streams).next().is_some() {
        return None;
    }
    let gives = |method: &str| closes(method);
    let given: Vec<_> = body.methods_of(facts, name, &gives).collect();
    // `fs.closeSync(handle)`, `releaseClient(client)`.
    let given_to = body.calls(facts).any(|(_, other)| {
        other.arguments.iter().any(|argument| matches!(argument.peeled(), Expr::Name(own) if own == name))
            && (other.name.to_lowercase().contains("close") || other.name.to_lowercase().contains("release"))
    });
    let leak = |title: String, message: String, confidence, others| Leak {
        call,
        symbol: site.caller,
        line: site.line,
        quote: site.name.to_string(),
        kind: Kind::Handle,
        title,
        message,
        impact: 4,
        confidence,
        others,
    };
    if given.is_empty() {
        if given_to || body.lets_out(map, call.file, name) {
            return None;
        }
        return Some(leak(
            format!("`{name}` is taken and never given back"),
            format!(
                "The {what} `{name}` is taken here and nothing calls `{gives_back}`: each call keeps one until none is left."
            ),
            Confidence::High,
            Vec::new(),
        ));
    }
    if given_to
        || given.iter().any(|(_, other)| is_in_finally(facts, other.region))
        || given.len() > 1
        || body.lets_out(map, call.file, name)
    {
        return None;
    }
    let (_, only) = given[0];
    if only.caller != site.caller || !waits_between(facts, body, site.span, only.span) {
        return None;
    }
    Some(leak(
        format!("`{name}` is not given back when something in between fails"),
        format!(
            "The {what} `{name}` is given back after other work that may throw, and outside `finally`: every failure keeps one until \
             none is left."
        ),
        Confidence::Med,
        vec![(only.line, "given back")],
    ))
}

/// What a call takes, and the method that gives it back.
fn taken(map: &RepoMap, call: CallId) -> Option<(&'static str, &'static str)> {
    let site = map.call(call);
    let external = match map.target(call) {
        CallTarget::External(external) => Some((external.package.as_str(), &external.path)),
        CallTarget::Unresolved => None,
        CallTarget::Symbols(_) => return None,
    };
    let receiver = match site.callee.peeled() {
        Expr::Member(object, _) => object.last_name().unwrap_or_default().to_lowercase(),
        _ => String::new(),
    };
    match (site.name.as_str(), external) {
        ("connect", Some(("pg", path))) if site.awaited && path.iter().any(|name| name == "Pool") => {
            Some(("pool connection", "release()"))
        }
        ("connect", None) if site.awaited && receiver.ends_with("pool") => Some(("pool connection", "release()")),
        ("getConnection", _) if site.awaited && receiver.ends_with("pool") => Some(("pool connection", "release()")),
        ("createQueryRunner", _) => Some(("query runner", "release()")),
        ("open", Some(("fs/promises", _))) if site.awaited => Some(("file handle", "close()")),
        ("open", Some(("fs", path))) if site.awaited && path.iter().any(|name| name == "promises") => {
            Some(("file handle", "close()"))
        }
        ("openSync", Some(("fs", _))) => Some(("file descriptor", "fs.closeSync()")),
        ("launch", Some((package, _)))
            if site.awaited && (package.starts_with("puppeteer") || package.starts_with("playwright")) =>
        {
            Some(("browser", "close()"))
        }
        _ => None,
    }
}
