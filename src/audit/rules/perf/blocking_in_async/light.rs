//! Calls that are over in microseconds: a name that is looked at, a file that is only opened.

use crate::audit::place;
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, Usage};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, RepoMap};

/// Operations on a name rather than on what a file holds: they cost as much as the change of a thread would.
const GLANCES: &[&str] = &[
    "create_dir",
    "create_dir_all",
    "metadata",
    "symlink_metadata",
    "rename",
    "exists",
    "try_exists",
    "is_file",
    "is_dir",
    "remove_file",
    "remove_dir",
    "canonicalize",
    "read_link",
    "hard_link",
    "symlink",
    "set_permissions",
];

/// One such operation on a file, in no loop, and nothing beside it in its function that reads or writes.
pub fn is_glance(map: &RepoMap, effects: &Effects, call: CallId, last: CallId) -> bool {
    if in_loop(map, call) || in_loop(map, last) {
        return false;
    }
    if is_name_only(map, last) {
        let costs_more = |other: CallId| {
            effects.own(other, Effect::Blocking).is_some()
                && !is_name_only(map, other)
                && !only_opens(map, effects, other)
        };
        return last == call || !calls_beside(map, last).any(costs_more);
    }
    only_opens(map, effects, last)
        && (last == call || !calls_beside(map, last).any(|other| is_heavy(map, effects, other)))
}

fn in_loop(map: &RepoMap, call: CallId) -> bool {
    !place::iterations(map, call).is_empty()
}

/// The other calls of a function.
fn calls_beside(map: &RepoMap, call: CallId) -> impl Iterator<Item = CallId> {
    let function = map.caller_of(call);
    function.into_iter().flat_map(|function| map.calls_in(function)).filter(move |other| *other != call)
}

/// A call that blocks, by itself or through others, and for longer than any of these.
fn is_heavy(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    effects
        .causes(map, call, Effect::Blocking)
        .last()
        .is_some_and(|last| !is_name_only(map, last.call) && !only_opens(map, effects, last.call))
}

fn is_name_only(map: &RepoMap, call: CallId) -> bool {
    GLANCES.contains(&map.call(call).name.as_str())
}

/// Whether a file is opened here and nothing is read or written through it by this thread: async code gets it, or nobody does.
fn only_opens(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let opens = matches!(map.call(call).name.as_str(), "open" | "create" | "create_new")
        && effects
            .own(call, Effect::Fs)
            .is_some_and(|api| ["File::", "OpenOptions"].iter().any(|part| api.api.contains(part)));
    if !opens || in_loop(map, call) {
        return false;
    }
    let mut handle = Handle { map, effects, call, facts: &map.file(call.file).facts, names: Vec::new() };
    handle.is_left_alone()
}

/// Chained to an opening, these give the same file.
const SAME: &[&str] = &["map_err", "with_context", "context", "wrap_err", "wrap_err_with", "unwrap", "expect", "ok"];
/// Methods of a file, or of what is put around it, that move none of its bytes.
const HARMLESS: &[&str] =
    &["clone", "try_clone", "metadata", "set_permissions", "as_raw_fd", "as_fd", "path", "is_ok", "is_err"];

/// Where an opened file goes within its function.
struct Handle<'a> {
    map: &'a RepoMap,
    effects: &'a Effects,
    call: CallId,
    facts: &'a FileFacts,
    /// Names that hold the file, or a value made around it.
    names: Vec<Name>,
}

impl Handle<'_> {
    fn is_left_alone(&mut self) -> bool {
        let mut last = self.call.index;
        while let Usage::Receiver(next) = self.facts.call(last).usage {
            if next == last || !SAME.contains(&self.facts.call(next).name.as_str()) {
                return false;
            }
            last = next;
        }
        if !self.goes_on(last) {
            return false;
        }
        let mut next = 0;
        while next < self.names.len() {
            let name = self.names[next];
            if !self.is_unused(&name) {
                return false;
            }
            next += 1;
        }
        true
    }

    /// Follows the value of a call; false where it is not known what becomes of it.
    fn goes_on(&mut self, call: CallIndex) -> bool {
        let owner = self.facts.call(call).caller;
        match self.facts.call(call).usage.clone() {
            Usage::Bound(name) if !name.is_empty() => {
                self.hold(name);
                true
            }
            Usage::Argument(host) => host != call && self.is_given_to(host),
            Usage::Discarded | Usage::Ignored | Usage::Tested => true,
            // `match File::open(path) { Ok(file) => …, … }`.
            Usage::Operand | Usage::Bound(_) => {
                let takes = |value: &Expr| {
                    let mut found = false;
                    value.walk(&mut |inner| found |= matches!(inner, Expr::Call(own) if *own == call));
                    found
                };
                let bound = self.facts.bindings.iter().filter(|own| own.owner == owner);
                let names: Vec<Name> =
                    bound.filter(|own| own.value.as_ref().is_some_and(takes)).map(|own| own.name).collect();
                let is_known = !names.is_empty();
                names.into_iter().for_each(|name| self.hold(name));
                is_known
            }
            Usage::Receiver(next) => {
                let wraps = next != call && makes_around(&self.facts.call(next).name);
                self.facts.call(next).awaited || wraps && self.goes_on(next)
            }
            Usage::Assigned | Usage::Returned | Usage::Element | Usage::Passed => false,
        }
    }

    fn hold(&mut self, name: Name) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// A call that gets the file: async code may, and what is only made around it is followed.
    fn is_given_to(&mut self, host: CallIndex) -> bool {
        let id = CallId { file: self.call.file, index: host };
        self.map.call(chain::end(self.map, id)).awaited
            || self.map.resolved(id).any(|resolved| self.effects.is_async(resolved.symbol))
            || makes_around(&self.facts.call(host).name) && self.goes_on(host)
    }

    /// Nothing in the function reads or writes through `name`, or gives it away.
    fn is_unused(&mut self, name: &Name) -> bool {
        let owner = self.facts.call(self.call.index).caller;
        if self.facts.returns.iter().any(|given| given.symbol == owner && given.value.mentions(name)) {
            return false;
        }
        (0..).zip(&self.facts.calls).filter(|(_, site)| site.caller == owner).all(|(index, site)| {
            let is_receiver =
                matches!(site.callee.peeled(), Expr::Member(object, _) if object.root_name() == Some(name));
            if is_receiver {
                let id = CallId { file: self.call.file, index };
                let harmless = HARMLESS.contains(&site.name.as_str());
                let blocks = || self.effects.cause(self.map, id, Effect::Blocking).is_some();
                // A method of the repository's own type around the file: what it does is known.
                let of_own = || self.map.resolved(id).next().is_some() && !blocks();
                let is_copy = harmless && site.name.ends_with("clone");
                return site.awaited || is_copy && self.goes_on(index) || !is_copy && harmless || of_own();
            }
            !site.arguments.iter().any(|argument| argument.mentions(name)) || self.is_given_to(index)
        })
    }
}

/// `BufReader::new(file)`, `Builder::new_seekable(file)`, `Some(file)`: a value around the file.
fn makes_around(name: &str) -> bool {
    name == "new"
        || name == "from"
        || name == "drop"
        || ["new_", "with_", "from_"].iter().any(|start| name.starts_with(start))
        || name.starts_with(|first: char| first.is_ascii_uppercase())
}
