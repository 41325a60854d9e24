//! tRPC and oRPC procedures: their input, and the schema that it passed.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Callback {
        call: "query|mutation|subscription|handler",
        event: "",
        receivers: &[],
        parameter: 0,
        key: "input",
        schema: &["input"],
        trust: Client,
    }],
    ..Library::new(
        "trpc",
        Ecosystem::Npm,
        &[
            origin("@trpc/server", "11", "https://trpc.io/docs/server/procedures"),
            origin("@orpc/server", "1", "https://orpc.unnoq.com/docs/procedure"),
        ],
        &["@trpc/server", "@orpc/server"],
    )
};
