//! Ways to order definitions: the weights in use, each order left out, halved or doubled, and simple orders to compare with.

use std::cmp::Reverse;

use improve::map::rank::{Ranking, Weights, weighed};
use improve::repo_map::RepoMap;

/// A way to order definitions.
pub struct Way {
    /// What the row is called.
    pub name: String,
    by: By,
}

enum By {
    Weights(Weights),
    /// Files that use it, then calls.
    Users,
    /// The files with most commits first, in order of position.
    Churn,
    /// Path and position.
    Place,
}

impl Way {
    /// The definitions in this order.
    pub fn ranking(&self, map: &RepoMap) -> Ranking {
        let weights = match &self.by {
            By::Weights(weights) => return weighed(map, weights),
            By::Users | By::Churn | By::Place => Weights::default(),
        };
        let mut ranking = weighed(map, &weights);
        ranking.symbols.sort();
        match &self.by {
            By::Weights(_) | By::Place => {}
            By::Users => ranking.symbols.sort_by_key(|&id| {
                let used = ranking.reach.of(id);
                Reverse((used.files, used.calls))
            }),
            By::Churn => ranking.symbols.sort_by_key(|id| Reverse(map.file(id.file).history.churn_90d)),
        }
        ranking
    }
}

/// One of the weights.
type Field = fn(&mut Weights) -> &mut f64;

/// Every way.
pub fn all() -> Vec<Way> {
    let weights = |name: String, weights| Way { name, by: By::Weights(weights) };
    let mut ways = vec![weights("as it is".to_owned(), Weights::default())];
    let orders: [(&str, Field); 5] = [
        ("centrality", |weights| &mut weights.centrality),
        ("public", |weights| &mut weights.public),
        ("entry", |weights| &mut weights.entry),
        ("fan-out", |weights| &mut weights.fan_out),
        ("churn", |weights| &mut weights.churn),
    ];
    for (name, field) in orders {
        for (said, factor) in [("without", 0.0), ("half", 0.5), ("twice", 2.0)] {
            let mut changed = Weights::default();
            *field(&mut changed) *= factor;
            ways.push(weights(format!("{said} {name}"), changed));
        }
    }
    for (name, field) in orders {
        // Centrality orders what the other leaves out.
        let mut alone = Weights { centrality: 1e-6, public: 0.0, entry: 0.0, fan_out: 0.0, churn: 0.0 };
        *field(&mut alone) = 1.0;
        ways.push(weights(format!("{name} alone"), alone));
    }
    for (name, by) in [("by users", By::Users), ("by churn", By::Churn), ("by path", By::Place)] {
        ways.push(Way { name: name.to_owned(), by });
    }
    ways
}
