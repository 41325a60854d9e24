//! ClickHouse clients: statements are text, values go in `query_params`.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Sql;
use crate::effects::taint::tables::{Argument, Library, shape, sink};

pub static LIBRARY: Library = Library {
    sinks: &[
        sink(Sql, Argument::Key("query"), "**.query|command|exec"),
        shape(Sql, Argument::Key("query"), "**.clickhouse|clickhouseClient|ch.query|command|exec"),
    ],
    ..Library::new(
        "clickhouse",
        Ecosystem::Npm,
        &[origin("@clickhouse/client", "1", "https://www.npmjs.com/package/@clickhouse/client")],
        &["@clickhouse/client", "@clickhouse/client-web"],
    )
};
