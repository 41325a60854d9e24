//! Hooks that send a query when a component is rendered.

use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts};
use crate::repo_map::{CallId, RepoMap};

/// Libraries of such hooks.
const LIBRARIES: &[&str] = &[
    "@tanstack/react-query",
    "react-query",
    "@trpc/react-query",
    "@trpc/react",
    "swr",
    "@apollo/client",
    "urql",
    "@reduxjs/toolkit",
    "convex",
    "@ts-rest/react-query",
];

/// Hooks that query at once.
const HOOKS: &[&str] = &[
    "useQuery",
    "useSuspenseQuery",
    "useInfiniteQuery",
    "useSuspenseInfiniteQuery",
    "useSWR",
    "useSWRImmutable",
    "useSWRInfinite",
];

/// Options that hold a query back.
const HOLDS: &[&str] = &["enabled", "skip", "pause"];

/// Whether the repository uses a library of query hooks.
pub fn are_used(map: &RepoMap) -> bool {
    map.recon
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .any(|dependency| LIBRARIES.contains(&dependency.name.as_str()))
}

/// Whether a call is such a hook, or one that a generator wrote (`useGetOrderQuery`).
pub fn is_hook(map: &RepoMap, call: CallId) -> bool {
    let site = map.call(call);
    if site.kind != CallKind::Call || map.resolved(call).next().is_some() {
        return false;
    }
    let name = site.name.as_str();
    let generated = name.strip_prefix("use").and_then(|rest| rest.strip_suffix("Query")).is_some_and(|what| {
        what.starts_with(|c: char| c.is_ascii_uppercase())
            && !["Lazy", "Is", "Live", "Media", "Container"].iter().any(|other| what.starts_with(other))
    });
    HOOKS.contains(&name) || generated
}

/// Whether the call's options hold the query back until something beside `given` names says so: an open dialog, a hovered row.
pub fn waits_for_the_user(facts: &FileFacts, call: CallId, given: &dyn Fn(&str) -> bool) -> bool {
    const GATES: &[&str] =
        &["open", "visible", "expanded", "active", "selected", "hover", "enabled", "show", "view", "editing"];
    facts.call(call.index).arguments.iter().any(|argument| {
        let mut found = false;
        // A key that there is no value for (`id ? key : null`) holds back as well, but not for the user.
        chain::walk_deep(facts, argument, &mut |inner| {
            let Expr::Object(entries) = inner else { return };
            for (_, value) in entries.iter().filter(|(key, _)| HOLDS.contains(&key.as_str())) {
                found |= matches!(value, Expr::Bool(_));
                found |= chain::expr_uses(facts, value, &|name| {
                    let lower = name.to_ascii_lowercase();
                    GATES.iter().any(|gate| lower.contains(gate))
                        || !(given(name) || matches!(name, "Boolean" | "Number" | "String" | "undefined"))
                });
            }
        });
        found
    })
}
