//! next-safe-action: server actions with a schema.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Callback {
        call: "action|stateAction",
        event: "",
        receivers: &[],
        parameter: 0,
        key: "parsedInput",
        schema: &["schema", "inputSchema"],
        trust: Client,
    }],
    ..Library::new(
        "next-safe-action",
        Ecosystem::Npm,
        &[origin("next-safe-action", "7, 8", "https://next-safe-action.dev/docs/getting-started")],
        &["next-safe-action"],
    )
};
