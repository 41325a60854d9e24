//! Conditions written as calls or as SQL text: Drizzle's `eq`, Knex's and Kysely's `where`, diesel's and SeaORM's filters, sqlx.

mod typeorm;

use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, RegionIndex, SymbolIndex};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, RepoMap};

use crate::audit::place;
use crate::audit::rules::security::code::model;

/// Expressions entered below one another; conditions nest a few levels.
const MAX_DEPTH: usize = 6;

/// What a condition asks of the record.
pub struct Clause<'a> {
    /// The table or the entity.
    pub table: String,
    /// Columns it names, each with the value when it is compared for equality.
    pub keys: Vec<(String, Option<&'a Expr>)>,
    /// Something in it could not be read: it may say anything.
    pub is_open: bool,
}

/// The condition of the query `call` stands in, by the library that runs it.
pub fn clause<'a>(map: &'a RepoMap, call: CallId, library: &str) -> Option<Clause<'a>> {
    let facts = &map.file(call.file).facts;
    let reader = Reader { facts, owner: facts.call(call.index).caller };
    let links = chain::receivers(facts, chain::end(map, call).index);
    match library {
        "drizzle" => reader.drizzle(&links),
        "knex" | "kysely" => reader.builder(&links),
        "diesel" => reader.diesel(&links),
        "sea-orm" => reader.sea_orm(&links),
        "sqlx" => reader.sqlx(&links),
        "typeorm" => {
            let builder = links.iter().find(|link| facts.call(**link).name == "createQueryBuilder")?;
            reader.typeorm(&links, model(map, CallId { index: *builder, ..call }))
        }
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    facts: &'a FileFacts,
    owner: Option<SymbolIndex>,
}

impl<'a> Reader<'a> {
    /// `db.select().from(orders).where(and(eq(orders.id, id), …))`, `db.query.orders.findFirst({ where: … })`.
    fn drizzle(self, links: &[CallIndex]) -> Option<Clause<'a>> {
        let mut table = None;
        let mut found = Clause { table: String::new(), keys: Vec::new(), is_open: false };
        let mut has_condition = false;
        for &link in links {
            let site = self.facts.call(link);
            match (site.name.as_str(), site.arguments.first()) {
                ("from" | "update" | "delete", Some(Expr::Name(name))) => table = Some(name.to_string()),
                ("where", Some(condition)) => {
                    has_condition = true;
                    self.compared(condition, &mut found, 0);
                }
                ("findFirst" | "findMany", Some(Expr::Object(entries))) => {
                    let names = chain::names(self.facts, &site.callee)?;
                    table = names.iter().rev().nth(1).map(|name| (*name).to_owned());
                    let (_, condition) = entries.iter().find(|(key, _)| key == "where")?;
                    has_condition = true;
                    self.compared(condition, &mut found, 0);
                }
                (name, _) if name.ends_with("Join") => found.is_open = true,
                _ => {}
            }
        }
        found.table = table?;
        has_condition.then_some(found)
    }

    /// `eq(orders.id, id)` and what `and` puts together.
    fn compared(self, condition: &'a Expr, found: &mut Clause<'a>, depth: usize) {
        if depth > MAX_DEPTH {
            found.is_open = true;
            return;
        }
        match place::resolve(self.facts, self.owner, condition) {
            Expr::Call(index) => {
                let site = self.facts.call(*index);
                let column = site.arguments.first().and_then(Expr::last_name);
                match (site.name.as_str(), column) {
                    ("and", _) => {
                        for argument in &site.arguments {
                            self.compared(argument, found, depth + 1);
                        }
                    }
                    ("eq", Some(column)) => found.keys.push((column.to_owned(), site.arguments.get(1))),
                    ("isNull" | "isNotNull", Some(column)) if is_about_time(column) => {}
                    ("inArray" | "ne" | "isNull" | "isNotNull" | "gt" | "gte" | "lt" | "lte", Some(column)) => {
                        found.keys.push((column.to_owned(), None));
                    }
                    _ => found.is_open = true,
                }
            }
            // `(orders, { eq }) => eq(orders.id, id)`
            Expr::Function { region: Some(region), .. } => match self.value_of(*region) {
                Some(value) => self.compared(value, found, depth + 1),
                None => found.is_open = true,
            },
            // Drizzle's and Prisma's relational form.
            Expr::Object(entries) => self.object(entries, found),
            Expr::Nothing => {}
            _ => found.is_open = true,
        }
    }

    fn object(self, entries: &'a [(Name, Expr)], found: &mut Clause<'a>) {
        for (key, value) in entries {
            match key.as_str() {
                "..." | "OR" | "AND" | "RAW" => found.is_open = true,
                key => found.keys.push((bare(key), Some(value))),
            }
        }
    }

    fn value_of(self, region: RegionIndex) -> Option<&'a Expr> {
        let mut given = self.facts.returns.iter().filter(|returned| returned.region == Some(region));
        match (given.next(), given.next()) {
            (Some(one), None) => Some(&one.value),
            _ => None,
        }
    }

    /// `knex("orders").where({ id }).first()`, `db.selectFrom("orders").where("id", "=", id)`.
    fn builder(self, links: &[CallIndex]) -> Option<Clause<'a>> {
        let mut table = None;
        let mut found = Clause { table: String::new(), keys: Vec::new(), is_open: false };
        let mut has_condition = false;
        for &link in links {
            let site = self.facts.call(link);
            let first = site.arguments.first().map(Expr::peeled);
            let names_table = matches!(site.callee.peeled(), Expr::Name(_))
                || matches!(
                    site.name.as_str(),
                    "from" | "into" | "table" | "selectFrom" | "updateTable" | "deleteFrom" | "knex"
                );
            match (site.name.as_str(), first) {
                (_, Some(Expr::Text(name))) if names_table => {
                    // `orders as o`
                    table = name.split_whitespace().next().map(str::to_owned);
                }
                ("where" | "andWhere", Some(Expr::Object(entries))) => {
                    has_condition = true;
                    self.object(entries, &mut found);
                }
                ("where" | "andWhere", Some(Expr::Text(column))) => {
                    has_condition = true;
                    let value = match site.arguments.as_slice() {
                        [_, value] => Some(value),
                        [_, operator, value] if matches!(operator.peeled(), Expr::Text(sign) if sign == "=") => {
                            Some(value)
                        }
                        _ => None,
                    };
                    found.keys.push((bare(column), value));
                }
                ("whereIn" | "whereNot", Some(Expr::Text(column))) => {
                    has_condition = true;
                    found.keys.push((bare(column), None));
                }
                ("whereNull" | "whereNotNull", Some(Expr::Text(column))) if is_about_time(column) => {}
                (name, _)
                    if name.starts_with("where")
                        || name.starts_with("orWhere")
                        || name.starts_with("andWhere")
                        || name.to_lowercase().ends_with("join")
                        || matches!(name, "modify" | "$if" | "andOn" | "havingRaw") =>
                {
                    found.is_open = true;
                }
                _ => {}
            }
        }
        found.table = table?;
        has_condition.then_some(found)
    }

    /// `orders::table.filter(orders::id.eq(id)).first(conn)`, `diesel::delete(orders::table.find(id)).execute(conn)`.
    fn diesel(self, links: &[CallIndex]) -> Option<Clause<'a>> {
        let mut found = Clause { table: String::new(), keys: Vec::new(), is_open: false };
        let mut links = links.to_vec();
        // `diesel::update(target)`, `diesel::delete(target)`
        if let Some(&first) = links.last()
            && matches!(self.facts.call(first).name.as_str(), "update" | "delete")
            && let Some(target) = self.facts.call(first).arguments.first()
        {
            match target.peeled() {
                Expr::Call(inner) => links.extend(chain::receivers(self.facts, *inner)),
                other => found.table = table_of(other)?,
            }
        }
        let mut has_condition = false;
        for &link in &links {
            let site = self.facts.call(link);
            match (site.name.as_str(), site.arguments.first()) {
                ("find", Some(id)) => {
                    has_condition = true;
                    found.keys.push(("id".to_owned(), Some(id)));
                }
                ("filter", Some(condition)) => {
                    has_condition = true;
                    self.columns(condition, &mut found, 0);
                }
                (name, _) if name.ends_with("join") || matches!(name, "or_filter" | "into_boxed") => {
                    found.is_open = true
                }
                _ => {}
            }
        }
        if found.table.is_empty() {
            let Expr::Member(root, _) = self.facts.call(*links.last()?).callee.peeled() else { return None };
            found.table = table_of(root)?;
        }
        has_condition.then_some(found)
    }

    /// `Order::find_by_id(id).one(db)`, `order::Entity::find().filter(order::Column::Id.eq(id)).one(db)`.
    fn sea_orm(self, links: &[CallIndex]) -> Option<Clause<'a>> {
        let root = self.facts.call(*links.last()?);
        let Expr::Path(segments) = root.callee.peeled() else { return None };
        let table = match segments.as_slice() {
            [.., module, entity, _] if entity == "Entity" => module.to_lowercase(),
            [.., entity, _] => entity.to_lowercase(),
            _ => return None,
        };
        let mut found = Clause { table, keys: Vec::new(), is_open: false };
        let mut has_condition = false;
        for &link in links {
            let site = self.facts.call(link);
            match (site.name.as_str(), site.arguments.first()) {
                ("find_by_id" | "delete_by_id", Some(id)) => {
                    has_condition = true;
                    found.keys.push(("id".to_owned(), Some(id)));
                }
                ("filter", Some(condition)) => {
                    has_condition = true;
                    self.columns(condition, &mut found, 0);
                }
                (name, _) if name.contains("join") || name.contains("related") => found.is_open = true,
                _ => {}
            }
        }
        has_condition.then_some(found)
    }

    /// `orders::id.eq(id).and(orders::user_id.eq(user.id))`
    fn columns(self, condition: &'a Expr, found: &mut Clause<'a>, depth: usize) {
        let Expr::Call(index) = condition.peeled() else {
            found.is_open = true;
            return;
        };
        let site = self.facts.call(*index);
        let Expr::Member(object, method) = site.callee.peeled() else {
            found.is_open = true;
            return;
        };
        let column = object.last_name().map(|name| place::words(name).join("_"));
        match (method.as_str(), column) {
            ("and", _) if depth < MAX_DEPTH => {
                self.columns(object, found, depth + 1);
                for argument in &site.arguments {
                    self.columns(argument, found, depth + 1);
                }
            }
            ("eq", Some(column)) => found.keys.push((column, site.arguments.first())),
            ("is_null" | "is_not_null", Some(column)) if is_about_time(&column) => {}
            ("eq_any" | "is_in" | "ne" | "is_null" | "gt" | "ge" | "lt" | "le", Some(column)) => {
                found.keys.push((column, None));
            }
            _ => found.is_open = true,
        }
    }

    /// `sqlx::query("SELECT … FROM orders WHERE id = $1").bind(id)`, `sqlx::query!("…", id)`.
    fn sqlx(self, links: &[CallIndex]) -> Option<Clause<'a>> {
        let root = self.facts.call(*links.last()?);
        let at = root.arguments.iter().position(|argument| matches!(argument.peeled(), Expr::Text(_)))?;
        let Expr::Text(statement) = root.arguments[at].peeled() else { return None };
        let mut values: Vec<&Expr> = root.arguments[at + 1..].iter().collect();
        // Chains are read from their end.
        values.extend(
            links
                .iter()
                .rev()
                .map(|link| self.facts.call(*link))
                .filter(|site| site.name == "bind")
                .filter_map(|site| site.arguments.first()),
        );
        let read = statement_clause(statement)?;
        let keys =
            read.columns.into_iter().map(|(column, value)| (column, value.and_then(|at| values.get(at).copied())));
        Some(Clause { table: read.table, keys: keys.collect(), is_open: read.is_open })
    }
}

/// The condition of a statement in SQL.
struct Read {
    table: String,
    /// Columns, each with the place of the value it has to equal.
    columns: Vec<(String, Option<usize>)>,
    is_open: bool,
}

fn statement_clause(statement: &str) -> Option<Read> {
    let text = statement.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = *words.first()?;
    let table = match first {
        "select" => words.iter().position(|word| *word == "from").and_then(|at| words.get(at + 1)),
        "update" => words.get(1),
        "delete" => words.get(2),
        _ => None,
    }?;
    let table = table.trim_matches(['"', '`', ';', ',']);
    let start = words.iter().position(|word| *word == "where")? + 1;
    let end = words[start..]
        .iter()
        .position(|word| matches!(*word, "order" | "limit" | "returning" | "group" | "for" | "union" | "offset"))
        .map_or(words.len(), |at| start + at);
    // A placeholder before the condition takes a value too: `SET note = ?`.
    let mut placed = text.split("where").next().unwrap_or_default().matches('?').count();
    let is_open =
        words.iter().any(|word| matches!(*word, "join" | "or" | "using" | "exists" | "in" | "with" | "union"))
            || !table.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
            || text.contains('…');
    let mut columns = Vec::new();
    for part in words[start..end].split(|word| *word == "and") {
        let joined = part.concat();
        let part = joined.trim_end_matches(';');
        let (column, value) = part.split_once('=').unwrap_or((part, ""));
        let column: String = bare(column).chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
        let place = if let Some(number) = value.strip_prefix('$') {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1))
        } else if value.starts_with('?') {
            placed += 1;
            Some(placed - 1)
        } else {
            None
        };
        if place.is_some() || !is_about_time(&column) {
            columns.push((column, place));
        }
    }
    Some(Read { table: table.to_owned(), columns, is_open })
}

/// `deleted_at IS NULL` says nothing about whose a record is.
fn is_about_time(column: &str) -> bool {
    place::words(column).iter().any(|word| matches!(word.as_str(), "deleted" | "archived" | "removed" | "deletedat"))
}

/// `orders.id` → `id`
fn bare(column: &str) -> String {
    column.rsplit('.').next().unwrap_or(column).trim_matches(['"', '`']).to_owned()
}

/// `orders::table` → `orders`; `orders` in the form of diesel's `dsl`.
fn table_of(expr: &Expr) -> Option<String> {
    match expr.peeled() {
        Expr::Path(segments) => match segments.as_slice() {
            [.., module, table] if table == "table" => Some(module.to_string()),
            [.., table] => Some(table.to_string()),
            [] => None,
        },
        Expr::Name(name) => Some(name.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(statement: &str) -> (String, Vec<(String, Option<usize>)>, bool) {
        let read = statement_clause(statement).expect("it has a condition");
        (read.table, read.columns, read.is_open)
    }

    #[test]
    fn the_condition_of_a_statement_names_its_columns() {
        let (table, columns, is_open) = read("SELECT * FROM orders WHERE id = $1 AND user_id = $2 ORDER BY id");
        assert_eq!((table.as_str(), is_open), ("orders", false));
        assert_eq!(columns, [("id".to_owned(), Some(0)), ("user_id".to_owned(), Some(1))]);
        let (_, columns, _) = read("UPDATE orders SET note = ? WHERE id = ? AND deleted_at IS NULL");
        assert_eq!(columns, [("id".to_owned(), Some(1))]);
    }

    #[test]
    fn what_cannot_be_read_may_say_anything() {
        assert!(read("SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id = $1").2);
        assert!(read("DELETE FROM orders WHERE id = $1 OR user_id = $2").2);
        assert!(statement_clause("INSERT INTO orders (id) VALUES ($1)").is_none());
    }
}
