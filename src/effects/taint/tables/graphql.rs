//! GraphQL servers: arguments of resolvers given to field builders.

use crate::effects::tables::Ecosystem;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Decorated { name: "Args", trust: Client }, Source::Decorated { name: "Arg", trust: Client }],
    ..Library::new(
        "graphql",
        Ecosystem::Npm,
        "@nestjs/graphql 13 and type-graphql 2, resolver decorators",
        &["@nestjs/graphql", "type-graphql"],
    )
};
