//! next-safe-action: server actions with a schema.

use crate::effects::tables::Ecosystem;
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
    ..Library::new("next-safe-action", Ecosystem::Npm, "next-safe-action 7 and 8", &["next-safe-action"])
};
