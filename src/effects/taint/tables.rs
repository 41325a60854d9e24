//! What libraries hand in (sources), must not be handed (sinks) and make harmless (cleaners). Data, one file a library.

use crate::effects::tables::{Ecosystem, Origin};
use crate::effects::taint::{Danger, Trust};

mod actix;
mod axum;
mod clickhouse;
mod database;
mod express;
mod graphql;
mod hono;
mod html;
mod http_clients;
mod koa;
mod nest;
mod next;
mod next_safe_action;
mod node;
mod page;
mod rocket;
mod rust_std;
mod rust_web;
mod ssh2;
mod tauri;
mod text;
mod trpc;
mod validators;
mod web_sockets;

/// Every library whose sources, sinks or cleaners are known.
pub static LIBRARIES: &[&Library] = &[
    &actix::LIBRARY,
    &axum::LIBRARY,
    &clickhouse::LIBRARY,
    &database::NPM,
    &database::TYPEORM,
    &database::CARGO,
    &express::LIBRARY,
    &graphql::LIBRARY,
    &hono::LIBRARY,
    &html::NPM,
    &html::CARGO,
    &http_clients::NPM,
    &http_clients::CARGO,
    &koa::LIBRARY,
    &nest::LIBRARY,
    &next::LIBRARY,
    &next_safe_action::LIBRARY,
    &node::LIBRARY,
    &page::LIBRARY,
    &rocket::LIBRARY,
    &rust_std::LIBRARY,
    &rust_web::LIBRARY,
    &ssh2::LIBRARY,
    &tauri::LIBRARY,
    &text::NPM,
    &text::CARGO,
    &trpc::LIBRARY,
    &validators::LIBRARY,
    &web_sockets::LIBRARY,
];

/// What is known about a library. Patterns are those of [`crate::effects::tables::Api`].
#[derive(Debug)]
pub struct Library {
    /// Its name in findings.
    pub name: &'static str,
    /// Which language calls it.
    pub ecosystem: Ecosystem,
    /// Which versions the names were taken from, and where they are documented.
    pub origins: &'static [Origin],
    /// npm packages or crates.
    pub packages: &'static [&'static str],
    /// Where values come in.
    pub sources: &'static [Source],
    /// Calls that must not get what somebody outside chose.
    pub sinks: &'static [Sink],
    /// Calls whose result is harmless.
    pub cleaners: &'static [Cleaner],
}

impl Library {
    /// A table with nothing in it, to be filled by its library.
    pub const fn new(
        name: &'static str,
        ecosystem: Ecosystem,
        origins: &'static [Origin],
        packages: &'static [&'static str],
    ) -> Library {
        Library { name, ecosystem, origins, packages, sources: &[], sinks: &[], cleaners: &[] }
    }
}

/// Where what is known of values from outside and of calls with `danger` comes from, by library.
pub fn origins(danger: Danger) -> Vec<&'static Origin> {
    let speaks =
        |library: &&&Library| !library.sources.is_empty() || library.sinks.iter().any(|sink| sink.danger == danger);
    let mut found: Vec<&Origin> = LIBRARIES.iter().filter(speaks).flat_map(|library| library.origins).collect();
    found.sort_by_key(|origin| (origin.library, origin.documentation));
    found.dedup();
    found
}

/// Where values come in.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// A read of names that start so: `req.query.name` for `req.query`. The first name must be a parameter.
    Reads {
        /// The names.
        pattern: &'static str,
        /// Who decides.
        trust: Trust,
    },
    /// The same with nothing asked of the first name.
    Gives {
        /// The names.
        pattern: &'static str,
        /// Who decides.
        trust: Trust,
    },
    /// A key of the first parameter of a callback: `input` of `procedure.input(schema).query(({ input }) => …)`.
    Callback {
        /// The call that takes the callback, by its last names.
        call: &'static str,
        /// The call's first argument: an event's name, `*` for any text; empty when nothing is asked of it.
        event: &'static str,
        /// Words of which the name before the call holds one: `socket` for `clientSocket.on`; empty when nothing is asked of it.
        receivers: &'static [&'static str],
        /// Which parameter, from 0.
        parameter: usize,
        /// The key; empty for the parameter itself.
        key: &'static str,
        /// Names of which one stands in the chain before the call, its first argument the schema; empty for no such.
        schema: &'static [&'static str],
        /// Who decides.
        trust: Trust,
    },
    /// A parameter of an exported function that the framework calls by its name.
    Handler {
        /// Names of such functions; empty for any.
        functions: &'static [&'static str],
        /// Ends of the file's path, the extension left out; empty for any.
        files: &'static [&'static str],
        /// Which parameter, from 0.
        parameter: usize,
        /// Keys of it that come from outside; empty for all.
        keys: &'static [&'static str],
        /// Who decides.
        trust: Trust,
    },
    /// A parameter of such a generic type: `Path<String>`.
    Typed {
        /// The type's last name.
        name: &'static str,
        /// Who decides.
        trust: Trust,
    },
    /// A parameter with such a decorator: `@Body()`.
    Decorated {
        /// The decorator's name.
        name: &'static str,
        /// Who decides.
        trust: Trust,
    },
    /// Parameters of a function with such an attribute; `named` for those alone that the attribute names as `<name>`.
    Attributed {
        /// How the attribute starts.
        attribute: &'static str,
        /// Only parameters written in the attribute.
        named: bool,
        /// Who decides.
        trust: Trust,
    },
}

/// A call that must not get what somebody outside chose.
#[derive(Debug, Clone, Copy)]
pub struct Sink {
    /// Its names, from the package's export or as written.
    pub pattern: &'static str,
    /// What a value can do there.
    pub danger: Danger,
    /// Which argument.
    pub argument: Argument,
    /// Whether names alone are enough, when the callee could not be resolved and the project depends on the library.
    pub by_shape: bool,
    /// Whether it takes a piece of a statement, which need not look like one: a condition, an order.
    pub fragment: bool,
}

/// Which argument of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// This one, from 0.
    At(usize),
    /// This one, from 0, unless it is an object or a list, whose values are bound: `where({ id })`.
    Text(usize),
    /// This one, from 0, unless an object argument has the key: `sendFile(name, { root })` refuses what leaves the folder.
    Without(usize, &'static str),
    /// The last one.
    Last,
    /// Every one.
    Every,
    /// A key of the first object argument, or the first argument itself when it is no object.
    Key(&'static str),
    /// The first argument, when an option `shell` is on.
    WithShell,
    /// In the array that is the second argument: what follows `-c`.
    AfterShellFlag,
    /// In the array that is the second argument: the words of a program that reads options.
    Words,
    /// The argument after `-c`, of a chain that starts a shell (Rust).
    ShellLine,
    /// The words of a chain that starts a program which reads options (Rust).
    ChainWords,
}

/// A sink that only counts when the callee is known.
pub const fn sink(danger: Danger, argument: Argument, pattern: &'static str) -> Sink {
    Sink { pattern, danger, argument, by_shape: false, fragment: false }
}

/// A sink whose names are telling enough.
pub const fn shape(danger: Danger, argument: Argument, pattern: &'static str) -> Sink {
    Sink { pattern, danger, argument, by_shape: true, fragment: false }
}

/// A sink with telling names that takes a piece of a statement.
pub const fn fragment(danger: Danger, argument: Argument, pattern: &'static str) -> Sink {
    Sink { fragment: true, ..shape(danger, argument, pattern) }
}

/// Calls whose result cannot do some harm, whoever chose what they got.
#[derive(Debug, Clone, Copy)]
pub struct Cleaner {
    /// Last names, in lower case with `_` left out, `|` between them.
    pub names: &'static str,
    /// What the result cannot do; empty for nothing at all.
    pub dangers: &'static [Danger],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_is_listed_once_and_says_where_its_names_come_from() {
        let mut names: Vec<&str> = LIBRARIES.iter().map(|library| library.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for library in LIBRARIES {
            assert!(!library.origins.is_empty(), "{}", library.name);
            for origin in library.origins {
                assert!(origin.is_whole(), "{}: {origin:?}", library.name);
            }
            for cleaner in library.cleaners {
                assert!(
                    !cleaner.names.contains('_') && cleaner.names == cleaner.names.to_lowercase(),
                    "{}",
                    cleaner.names
                );
            }
        }
    }
}
