//! Prisma Client.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "prisma",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("@prisma/client", "6", "https://www.prisma.io/docs/orm/reference/prisma-client-reference")],
    packages: &["@prisma/client", "prisma"],
    apis: &[
        reads("**.findUnique|findUniqueOrThrow|findFirst|findFirstOrThrow|count|aggregate|groupBy"),
        reads("**.findMany|aggregateRaw|findRaw").batch(),
        writes("**.create|update|upsert|delete"),
        writes("**.createMany|createManyAndReturn|updateMany|updateManyAndReturn|deleteMany").batch(),
        reads("**.$queryRaw|$queryRawUnsafe|$runCommandRaw|$queryRawTyped"),
        writes("**.$executeRaw|$executeRawUnsafe"),
    ],
    shapes: &[
        reads(
            "**.prisma|prismaClient|prismaService|tx|trx|db|dbRead|dbWrite|database|replica|*Prisma|\
             prisma*.*.findUnique|findUniqueOrThrow|findFirst|findFirstOrThrow|count|aggregate|groupBy",
        ),
        reads(
            "**.prisma|prismaClient|prismaService|tx|trx|db|dbRead|dbWrite|database|replica|*Prisma|\
             prisma*.*.findMany",
        )
        .batch(),
        writes(
            "**.prisma|prismaClient|prismaService|tx|trx|db|dbRead|dbWrite|database|replica|*Prisma|\
             prisma*.*.create|update|upsert|delete",
        ),
        writes(
            "**.prisma|prismaClient|prismaService|tx|trx|db|dbRead|dbWrite|database|replica|*Prisma|\
             prisma*.*.createMany|createManyAndReturn|updateMany|deleteMany",
        )
        .batch(),
        reads("**.$queryRaw|$queryRawUnsafe"),
        writes("**.$executeRaw|$executeRawUnsafe"),
    ],
};
