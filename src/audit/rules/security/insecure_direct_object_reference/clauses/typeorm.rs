//! Conditions of TypeORM's query builder: text with `:name` for values.

use super::{Clause, Reader, is_about_time};
use crate::audit::place;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::CallIndex;

impl<'a> Reader<'a> {
    /// `orders.createQueryBuilder('order').where('order.id = :id', { id }).andWhere('order.userId = :userId', …).getOne()`.
    pub(super) fn typeorm(self, links: &[CallIndex], holder: Option<String>) -> Option<Clause<'a>> {
        let mut found = Clause { table: holder.unwrap_or_default(), keys: Vec::new(), is_open: false };
        let site_of = |name: &str| links.iter().map(|link| self.facts.call(*link)).find(|site| site.name == name);
        let alias = match site_of("createQueryBuilder").and_then(|site| site.arguments.last().map(Expr::peeled)) {
            Some(Expr::Text(alias)) => alias.as_str(),
            _ => "",
        };
        let mut has_condition = false;
        for &link in links {
            let site = self.facts.call(link);
            match (site.name.as_str(), site.arguments.first().map(Expr::peeled)) {
                ("from" | "update" | "delete", Some(Expr::Name(entity))) => found.table = entity.to_string(),
                ("where" | "andWhere", Some(Expr::Object(entries))) => {
                    has_condition = true;
                    self.object(entries, &mut found);
                }
                ("where" | "andWhere", Some(Expr::Text(condition))) => {
                    has_condition = true;
                    let given = match site.arguments.get(1).map(|given| place::resolve(self.facts, self.owner, given)) {
                        Some(Expr::Object(entries)) => entries.as_slice(),
                        _ => &[],
                    };
                    let value = |name: &str| given.iter().find(|(key, _)| key == name).map(|(_, value)| value);
                    match builder_condition(condition, alias) {
                        Some(parts) => found.keys.extend(
                            parts.into_iter().map(|(column, name)| (column, name.and_then(|name| value(&name)))),
                        ),
                        None => found.is_open = true,
                    }
                }
                (name, _)
                    if matches!(name, "where" | "andWhere" | "orWhere" | "setFindOptions")
                        || name.starts_with("whereIn")
                        || name.starts_with("inner") =>
                {
                    found.is_open = true;
                }
                // What is only loaded beside the record (`leftJoin`) limits nothing.
                _ => {}
            }
        }
        (has_condition && !found.table.is_empty()).then_some(found)
    }
}

/// The columns that a condition of TypeORM's builder names, each with the parameter it has to equal; `None` for what cannot be
/// read. A column of another table than the builder's own is named with that table: `user.id` is `user_id`.
fn builder_condition(condition: &str, alias: &str) -> Option<Vec<(String, Option<String>)>> {
    let words: Vec<&str> = condition.split_whitespace().collect();
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    if condition.contains(['(', '…']) || words.iter().any(|word| is(word, "or") || is(word, "exists")) {
        return None;
    }
    let mut found = Vec::new();
    for part in words.split(|word| is(word, "and")) {
        let joined = part.concat();
        let (column, value) = joined.split_once('=').unwrap_or((&joined, ""));
        let column = column.trim_matches(['"', '`']);
        let column: String = match column.split_once('.') {
            Some((table, column)) if table != alias && !alias.is_empty() => format!("{table}_{column}"),
            Some((_, column)) => column.to_owned(),
            None => column.to_owned(),
        };
        let column: String = column.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let name = value.strip_prefix(':').map(str::to_owned);
        if column.is_empty() {
            return None;
        }
        if name.is_some() || !is_about_time(&column) {
            found.push((column, name));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_a_builder_name_their_columns() {
        let columns = builder_condition("order.id = :orderId AND user.id = :userId", "order");
        let named = |column: &str, name: &str| (column.to_owned(), Some(name.to_owned()));
        assert_eq!(columns, Some(vec![named("id", "orderId"), named("user_id", "userId")]));
        assert_eq!(builder_condition("order.deletedAt IS NULL", "order"), Some(Vec::new()));
        assert_eq!(builder_condition("order.id = :id OR order.open = true", "order"), None);
        assert_eq!(builder_condition("order.id IN (:...ids)", "order"), None);
    }
}
