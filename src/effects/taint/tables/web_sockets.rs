//! Web sockets: messages of clients.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

/// Names of connections: workers and windows have messages too, but no stranger at the other end.
const SOCKETS: &[&str] = &["ws", "socket", "websocket", "conn", "connection", "client", "peer"];

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Callback {
            call: "on",
            event: "message",
            receivers: SOCKETS,
            parameter: 0,
            key: "",
            schema: &[],
            trust: Client,
        },
        Source::Callback {
            call: "addEventListener",
            event: "message",
            receivers: SOCKETS,
            parameter: 0,
            key: "data",
            schema: &[],
            trust: Client,
        },
    ],
    ..Library::new(
        "ws",
        Ecosystem::Npm,
        &[
            origin("ws", "8", "https://www.npmjs.com/package/ws"),
            origin("WebSocket", "living standard", "https://websockets.spec.whatwg.org/"),
        ],
        &["ws", "@fastify/websocket"],
    )
};
