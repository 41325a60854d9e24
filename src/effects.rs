//! Effects: what each function does to the world outside it, directly and through the functions it calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::repo_map::{CallId, SymbolId};

/// Something a function does to the world outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Reads a database.
    DbRead,
    /// Writes a database.
    DbWrite,
    /// Sends an HTTP or RPC request.
    Http,
    /// Talks to Redis or another cache server.
    Redis,
    /// Puts work on a queue.
    Queue,
    /// Reads or writes files.
    Fs,
    /// Holds the thread: synchronous I/O, sleeping, waiting, heavy computing.
    Blocking,
    /// Starts a process.
    Process,
}

/// What one call does by itself, by the API it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectEffect {
    /// What.
    pub effect: Effect,
    /// The API in its library's words: `prisma.user.findMany`, `std::fs::read_to_string`.
    pub api: String,
    /// The library: `prisma`, `std`.
    pub library: &'static str,
    /// The API gives a promise or a future.
    pub is_async: bool,
    /// One call already handles many items (`findMany` with `in`, `createMany`, `mget`).
    pub is_batch: bool,
}

/// How a function comes to have an effect: the call that causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The call in the function's body.
    pub call: CallId,
    /// The function called, or `None` when the call itself has the effect.
    pub through: Option<SymbolId>,
    /// Calls from here to the API, the last one included.
    pub distance: u32,
}

/// What every function and call of a repository does.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Effects a call has by itself.
    pub direct: BTreeMap<CallId, Vec<DirectEffect>>,
    /// Effects of each function, with the shortest way to them.
    pub functions: BTreeMap<SymbolId, BTreeMap<Effect, Cause>>,
}
