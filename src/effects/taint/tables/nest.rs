//! NestJS controllers.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::{Client, Stored};
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Decorated { name: "Body", trust: Client },
        Source::Decorated { name: "Query", trust: Client },
        Source::Decorated { name: "Param", trust: Client },
        Source::Decorated { name: "Headers", trust: Client },
        Source::Decorated { name: "MessageBody", trust: Client },
        Source::Decorated { name: "Payload", trust: Stored },
    ],
    ..Library::new(
        "nest",
        Ecosystem::Npm,
        &[origin("@nestjs/common", "11", "https://docs.nestjs.com/controllers")],
        &["@nestjs/common", "routing-controllers"],
    )
};
