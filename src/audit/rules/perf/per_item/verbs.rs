//! What the name of a call says that it does.

use crate::audit::place;
use crate::audit::rules::perf::per_item::PerItem;
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::{CallId, RepoMap};

/// Whether the function called does more than look something up: it writes, sends or queues.
///
/// Such a loop runs an operation once an item; a look-up is easier to gather.
pub fn is_operation(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    site.causes.len() >= 2
        && ([Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Process]
            .into_iter()
            .any(|effect| effects.likely_cause(map, site.call, effect).is_some())
            || names_an_act(&map.call(site.call).name))
}

/// `createMount`, `delete_cipher`, `group.save`.
pub fn names_a_write(name: &str) -> bool {
    const WRITES: &[&str] = &[
        "create",
        "insert",
        "add",
        "delete",
        "destroy",
        "remove",
        "update",
        "set",
        "save",
        "upsert",
        "restore",
        "archive",
        "unarchive",
        "move",
        "mark",
        "activate",
        "deactivate",
        "enable",
        "disable",
        "revoke",
        "replace",
        "duplicate",
    ];
    place::words(name).first().is_some_and(|word| WRITES.contains(&word.as_str()))
}

/// `getPreferences.execute(command)`, `list_rows.run(conn)`: the one method of what is named after its work says nothing; its owner's
/// name says that something is looked up.
pub fn is_look_up(map: &RepoMap, call: CallId) -> bool {
    const PLAIN: &[&str] = &["execute", "run", "handle", "call", "invoke", "exec"];
    const LOOK_UPS: &[&str] =
        &["get", "find", "fetch", "list", "load", "count", "search", "lookup", "query", "read", "is", "has"];
    let site = map.call(call);
    let Expr::Member(owner, _) = site.callee.peeled() else { return false };
    PLAIN.contains(&site.name.as_str())
        && owner
            .last_name()
            .is_some_and(|name| place::words(name).first().is_some_and(|verb| LOOK_UPS.contains(&verb.as_str())))
}

/// `notify.user(…)`, `mailer.invite(…)`: the receiver says what is done.
pub fn receiver_acts(map: &RepoMap, call: CallId) -> bool {
    const RECEIVERS: &[&str] =
        &["notify", "notifier", "notifications", "mailer", "mail", "email", "emails", "sms", "slack"];
    match map.call(call).callee.peeled() {
        Expr::Member(object, _) => {
            object.last_name().is_some_and(|name| RECEIVERS.contains(&name.to_ascii_lowercase().as_str()))
        }
        _ => false,
    }
}

/// `sendMail`, `owner_remove`: the name says that something is done.
pub fn names_an_act(name: &str) -> bool {
    const ACTS: &[&str] = &[
        "send",
        "mail",
        "sms",
        "charge",
        "pay",
        "refund",
        "upload",
        "publish",
        "webhook",
        "deliver",
        "notify",
        "exec",
        "execute",
        "run",
        "deploy",
        "cleanup",
        "clean",
        "remove",
        "delete",
        "process",
        "sync",
        "import",
        "export",
        "handle",
        "create",
        "update",
        "save",
        "schedule",
        "init",
        "enable",
        "disable",
        "suspend",
        "resume",
        "approve",
        "reject",
        "cancel",
        "activate",
        "deactivate",
        "archive",
        "restore",
        "grant",
        "revoke",
        "reset",
        "migrate",
        "attach",
        "detach",
    ];
    // The verb comes first. `findEmail` only speaks of one.
    let words = place::words(name);
    let acts = |word: &String| ACTS.contains(&word.as_str());
    // `owner_remove`: verbs that end a name.
    let ends = matches!(
        words.last().map(String::as_str),
        Some("remove" | "delete" | "create" | "insert" | "update" | "upsert")
    );
    words.first().is_some_and(acts)
        || (ends && words.len() > 1)
        || words.windows(2).any(|pair| pair[0] == "and" && acts(&pair[1]))
}
