//! What one query for many items looks like in each library: the target shape a recipe shows.

/// How to ask for many rows at once, or write them.
pub struct Batching {
    /// One sentence: the API to use.
    pub api: &'static str,
    /// Code in that library.
    pub example: &'static str,
    /// What bounds the size of one batch.
    pub limit: &'static str,
}

/// How `library` reads many rows by key in one query.
pub fn reading(library: &str) -> Batching {
    let (api, example) = match library {
        "prisma" => (
            "`findMany` with `where: { <key>: { in: keys } }`",
            "const keys = items.map((item) => item.key);\nconst rows = await prisma.model.findMany({ where: { key: { in: keys } } });\nconst byKey = new Map(rows.map((row) => [row.key, row]));\nfor (const item of items) {\n  const row = byKey.get(item.key); // where the query stood\n}",
        ),
        "drizzle" => (
            "one `select` with `inArray(table.key, keys)`",
            "const rows = await db.select().from(table).where(inArray(table.key, keys));\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "knex" => (
            "one query with `whereIn('key', keys)`",
            "const rows = await knex('table').whereIn('key', keys);\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "kysely" => (
            "one `selectFrom` with `.where('key', 'in', keys)`",
            "const rows = await db.selectFrom('table').selectAll().where('key', 'in', keys).execute();\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "typeorm" => (
            "`findBy({ key: In(keys) })`, or a join in the query that loads the items",
            "const rows = await repository.findBy({ key: In(keys) });\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "mikro-orm" => (
            "`em.find(Entity, { key: { $in: keys } })`, or `populate` in the query that loads the items",
            "const rows = await em.find(Entity, { key: { $in: keys } });\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "sequelize" => (
            "`findAll({ where: { key: { [Op.in]: keys } } })`, or `include` in the query that loads the items",
            "const rows = await Model.findAll({ where: { key: { [Op.in]: keys } } });\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "mongoose" | "mongodb" => (
            "`find({ key: { $in: keys } })`",
            "const rows = await Model.find({ key: { $in: keys } });\nconst byKey = new Map(rows.map((row) => [String(row.key), row]));",
        ),
        "supabase" => (
            "one `select` with `.in('key', keys)`",
            "const { data: rows, error } = await supabase.from('table').select().in('key', keys);\nif (error) throw error;\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "pg" | "mysql2" | "postgres.js" | "slonik" | "better-sqlite3" => (
            "one statement with `WHERE key = ANY($1)` (PostgreSQL) or `WHERE key IN (…)` with one placeholder a key",
            "const { rows } = await pool.query('SELECT … FROM table WHERE key = ANY($1)', [keys]);\nconst byKey = new Map(rows.map((row) => [row.key, row]));",
        ),
        "redis" => (
            "`mget(keys)`, or a pipeline for commands that have no plural",
            "const values = await redis.mget(keys); // same order as keys, null where absent",
        ),
        "sqlx" | "tokio-postgres" => (
            "one statement with `WHERE key = ANY($1)` (PostgreSQL), or `QueryBuilder::push_values` for other databases",
            "let rows = sqlx::query_as::<_, Row>(\"SELECT … FROM table WHERE key = ANY($1)\").bind(&keys).fetch_all(pool).await?;\nlet by_key: HashMap<Key, Row> = rows.into_iter().map(|row| (row.key, row)).collect();",
        ),
        "diesel" => (
            "one `load` with `table::key.eq_any(&keys)`",
            "let rows: Vec<Row> = table.filter(key.eq_any(&keys)).load(conn).await?;\nlet by_key: HashMap<Key, Row> = rows.into_iter().map(|row| (row.key, row)).collect();",
        ),
        "sea-orm" => (
            "`Entity::find().filter(Column::Key.is_in(keys)).all(db)`, or `load_one`/`load_many` of the `LoaderTrait`",
            "let rows = Entity::find().filter(Column::Key.is_in(keys)).all(db).await?;\nlet by_key: HashMap<Key, Model> = rows.into_iter().map(|row| (row.key, row)).collect();",
        ),
        "rusqlite" => (
            "one statement with `WHERE key IN (…)`, or a join with the query that loads the items",
            "let marks = vec![\"?\"; keys.len()].join(\",\");\nlet mut statement = conn.prepare(&format!(\"SELECT … FROM table WHERE key IN ({marks})\"))?;\nlet rows = statement.query_map(params_from_iter(&keys), Row::from_row)?;",
        ),
        "mongodb (Rust)" => (
            "`find(doc! { \"key\": { \"$in\": keys } })`",
            "let mut cursor = collection.find(doc! { \"key\": { \"$in\": &keys } }).await?;",
        ),
        "redis (Rust)" => ("`mget(keys)`", "let values: Vec<Option<String>> = connection.mget(&keys).await?;"),
        _ => ("the plural form of the call, with all keys at once", "rows = load_many(keys); by_key = index(rows)"),
    };
    Batching { api, example, limit: limit(library) }
}

/// How `library` writes many rows in one statement.
pub fn writing(library: &str) -> Batching {
    let (api, example) = match library {
        "prisma" => (
            "`createMany`, `updateMany` or `deleteMany`",
            "await prisma.model.createMany({ data: items.map((item) => ({ /* the row the loop built */ })) });\n// or: await prisma.model.deleteMany({ where: { id: { in: items.map((item) => item.id) } } });",
        ),
        "drizzle" => (
            "one `insert(table).values(rows)`, or `delete`/`update` with `inArray`",
            "await db.insert(table).values(items.map((item) => ({ /* row */ })));",
        ),
        "knex" => (
            "one `insert(rows)`, or `whereIn(…).update(…)`",
            "await knex('table').insert(items.map((item) => ({ /* row */ })));",
        ),
        "kysely" => (
            "one `insertInto(table).values(rows)`",
            "await db.insertInto('table').values(items.map((item) => ({ /* row */ }))).execute();",
        ),
        "typeorm" => (
            "`insert(rows)` or `save(entities)` with an array",
            "await repository.insert(items.map((item) => ({ /* row */ })));",
        ),
        "mikro-orm" => (
            "`persist` in the loop and one `flush` after it",
            "for (const item of items) em.persist(item);\nawait em.flush();",
        ),
        "sequelize" => (
            "`bulkCreate(rows)`, or `destroy`/`update` with `Op.in`",
            "await Model.bulkCreate(items.map((item) => ({ /* row */ })));",
        ),
        "mongoose" | "mongodb" => (
            "`insertMany`, `deleteMany` or `bulkWrite`",
            "await collection.bulkWrite(items.map((item) => ({ updateOne: { filter: { _id: item.id }, update: { $set: {} } } })));",
        ),
        "supabase" => (
            "one `insert(rows)` or `upsert(rows)`",
            "await supabase.from('table').insert(items.map((item) => ({ /* row */ })));",
        ),
        "bullmq" => ("`addBulk(jobs)`", "await queue.addBulk(items.map((item) => ({ name: 'job', data: item })));"),
        "redis" | "redis (Rust)" => (
            "a pipeline",
            "const pipeline = redis.pipeline();\nfor (const item of items) pipeline.set(item.key, item.value);\nawait pipeline.exec();",
        ),
        "sqlx" | "tokio-postgres" => (
            "one statement over `UNNEST($1, $2)` (PostgreSQL), or `QueryBuilder::push_values`",
            "let mut builder = QueryBuilder::new(\"INSERT INTO table (a, b) \");\nbuilder.push_values(&items, |mut row, item| { row.push_bind(item.a).push_bind(item.b); });\nbuilder.build().execute(pool).await?;",
        ),
        "diesel" => (
            "`insert_into(table).values(&rows)`, or `delete`/`update` with `eq_any`",
            "diesel::insert_into(table).values(&rows).execute(conn).await?;",
        ),
        "sea-orm" => ("`Entity::insert_many(models)`", "Entity::insert_many(models).exec(db).await?;"),
        "rusqlite" => (
            "one transaction around the loop and one prepared statement reused in it",
            "let transaction = conn.transaction()?;\n{\n    let mut statement = transaction.prepare_cached(\"INSERT …\")?;\n    for item in &items { statement.execute(params![item.a])?; }\n}\ntransaction.commit()?;",
        ),
        _ => ("the plural form of the call", "write_many(rows)"),
    };
    Batching { api, example, limit: limit(library) }
}

fn limit(library: &str) -> &'static str {
    match library {
        "redis" | "redis (Rust)" => "Keep one `mget` or pipeline to a few thousand keys.",
        "mongoose" | "mongodb" | "mongodb (Rust)" => "One command document may hold 16 MB.",
        "bullmq" => "Keep one `addBulk` to a few thousand jobs.",
        "rusqlite" | "better-sqlite3" => "SQLite takes at most 32 766 placeholders a statement.",
        _ => {
            "PostgreSQL takes at most 65 535 parameters a statement (an array counts as one), SQLite 32 766, SQL Server 2 100: \
              cut larger lists into chunks."
        }
    }
}
