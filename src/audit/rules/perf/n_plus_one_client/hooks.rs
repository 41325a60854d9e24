//! Hooks that send a query when a component is rendered.

use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallKind, FileFacts};
use crate::repo_map::name::words;
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

/// Whether a client of the repository sends what is asked at one time in one request.
pub fn are_batched(map: &RepoMap) -> bool {
    const LINKS: &[&str] = &["httpBatchLink", "httpBatchStreamLink", "unstable_httpBatchStreamLink", "BatchHttpLink"];
    map.calls().any(|(_, site)| LINKS.contains(&site.name.as_str()))
}

/// Whether a call is such a hook, or one that a generator wrote (`useGetOrderQuery`).
pub fn is_hook(map: &RepoMap, call: CallId) -> bool {
    let site = map.call(call);
    let name = site.name.as_str();
    let generated = name.strip_prefix("use").and_then(|rest| rest.strip_suffix("Query")).is_some_and(|what| {
        what.starts_with(|c: char| c.is_ascii_uppercase())
            && !["Lazy", "Is", "Live", "Media", "Container"].iter().any(|other| what.starts_with(other))
    });
    // Asked of every call: the name is seen at once, where it leads is not.
    (HOOKS.contains(&name) || generated) && site.kind == CallKind::Call && map.resolved(call).next().is_none()
}

/// Words of names that say whether the user has come to something.
const GATES: &[&str] =
    &["open", "visible", "expanded", "active", "selected", "hover", "enabled", "show", "view", "editing"];

fn is_gate(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    GATES.iter().any(|gate| lower.contains(gate))
}

/// Whether the query is held back until something beside `given` names says so: an open dialog, a hovered row.
pub fn waits_for_the_user(facts: &FileFacts, call: CallId, given: &dyn Fn(&str) -> bool) -> bool {
    key_waits(facts, call, given)
        || facts.call(call.index).arguments.iter().any(|argument| option_waits(facts, argument, given))
}

/// `{ enabled: open && !!id }`
fn option_waits(facts: &FileFacts, argument: &Expr, given: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    chain::walk_deep(facts, argument, &mut |inner| {
        let Expr::Object(entries) = inner else { return };
        for (_, value) in entries.iter().filter(|(key, _)| HOLDS.contains(&key.as_str())) {
            found |= matches!(value, Expr::Bool(_));
            found |= chain::expr_uses(facts, value, &|name| {
                is_gate(name) || !(given(name) || matches!(name, "Boolean" | "Number" | "String" | "undefined"))
            });
        }
    });
    found
}

/// `useSWR(isVisible && key)`, `useSWR(expanded ? key : null)`. A key that there is no value for yet (`id ? key : null`) holds
/// back as well, but not for the user.
fn key_waits(facts: &FileFacts, call: CallId, given: &dyn Fn(&str) -> bool) -> bool {
    let site = facts.call(call.index);
    let Some(key) = site.arguments.first() else { return false };
    match key.peeled() {
        // What a ternary asks is not kept: that the component has a switch at all tells enough.
        Expr::Either(values) if values.contains(&Expr::Nothing) => {
            facts.bindings.iter().any(|binding| binding.owner == site.caller && is_switch(facts, binding))
        }
        Expr::Binary(operator, ..) if operator == "&&" => {
            let mut found = false;
            key.walk(&mut |inner| {
                if let Expr::Name(name) = inner {
                    let switched = || {
                        let mut named = facts.bindings.iter().filter(|binding| binding.name == *name);
                        named.any(|binding| binding.owner == site.caller && is_switch(facts, binding))
                    };
                    found |= is_gate(name) && !given(name) || switched();
                }
            });
            found
        }
        _ => false,
    }
}

/// `const [expanded, setExpanded] = useState(false)`, `const isVisible = useInViewport(ref)`.
fn is_switch(facts: &FileFacts, binding: &Binding) -> bool {
    const SENSES: &[&str] =
        &["viewport", "view", "visible", "visibility", "intersection", "hover", "toggle", "disclosure"];
    let Some(Expr::Call(index)) = binding.value.as_ref().map(Expr::peeled) else { return false };
    let hook = facts.call(*index);
    match hook.name.as_str() {
        "useState" => hook.arguments.first() == Some(&Expr::Bool(false)),
        name => {
            let words = words(name);
            words.first().is_some_and(|word| word == "use") && words.iter().any(|word| SENSES.contains(&word.as_str()))
        }
    }
}
