//! The order of several plans: each after those it depends on. Pure.

use std::collections::BTreeSet;

/// A plan and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// The plan's path.
    pub path: String,
    /// Paths of the plans it depends on; those that are not to be ordered count as there already.
    pub depends_on: Vec<String>,
}

/// Plans that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plans that depend on each other in a circle: {}", paths.join(", "))]
pub struct Circle {
    /// Their paths, in the order given.
    pub paths: Vec<String>,
}

impl crate::hint::Hint for Circle {
    fn hint(&self) -> Option<String> {
        Some("take one of them out of another's **Depends on**".to_owned())
    }
}

/// Positions of `nodes` in an order in which each comes after those it depends on, and otherwise as given.
pub fn order(nodes: &[Node]) -> Result<Vec<usize>, Circle> {
    let mut waiting: Vec<usize> = (0..nodes.len()).collect();
    let mut ordered = Vec::with_capacity(nodes.len());
    while !waiting.is_empty() {
        let open: BTreeSet<&str> = waiting.iter().map(|index| nodes[*index].path.as_str()).collect();
        let is_free = |index: &usize| {
            let node = &nodes[*index];
            node.depends_on.iter().all(|path| !open.contains(path.as_str()) || *path == node.path)
        };
        let Some(at) = waiting.iter().position(is_free) else {
            return Err(Circle { paths: waiting.iter().map(|index| nodes[*index].path.clone()).collect() });
        };
        ordered.push(waiting.remove(at));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(nodes: &[(&str, &[&str])]) -> Result<Vec<usize>, Circle> {
        let node = |(path, depends_on): &(&str, &[&str])| Node {
            path: (*path).to_owned(),
            depends_on: depends_on.iter().map(|path| (*path).to_owned()).collect(),
        };
        order(&nodes.iter().map(node).collect::<Vec<_>>())
    }

    #[test]
    fn plans_come_after_those_they_depend_on_and_else_as_given() {
        assert_eq!(ordered(&[("c", &["a"]), ("b", &[]), ("a", &["elsewhere"])]), Ok(vec![1, 2, 0]));
        assert_eq!(ordered(&[("a", &["a"])]), Ok(vec![0]));
    }

    #[test]
    fn a_circle_is_named() {
        let paths = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(ordered(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]), Err(Circle { paths }));
    }
}
