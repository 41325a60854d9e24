//! GraphQL servers: arguments of resolvers given to field builders.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Decorated { name: "Args", trust: Client }, Source::Decorated { name: "Arg", trust: Client }],
    ..Library::new(
        "graphql",
        Ecosystem::Npm,
        &[
            origin("@nestjs/graphql", "13", "https://docs.nestjs.com/graphql/resolvers"),
            origin("type-graphql", "2", "https://www.npmjs.com/package/type-graphql"),
        ],
        &["@nestjs/graphql", "type-graphql"],
    )
};
