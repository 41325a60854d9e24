//! Joining orders by rank (reciprocal rank fusion; Cormack, Clarke & Büttcher, SIGIR 2009).

/// One order: the best first, and how much it counts.
pub struct Order {
    /// Items by number, no item twice.
    pub items: Vec<usize>,
    /// Weight against the other orders.
    pub weight: f64,
}

/// The items of all orders, best first; ties by number. An item that an order leaves out gains nothing there.
///
/// `softness` says how fast the first places stop mattering: small values trust the top of each order, large ones ask for
/// agreement of several.
pub fn fuse(orders: &[Order], softness: f64, items: usize) -> Vec<usize> {
    let mut scores = vec![0.0; items];
    for order in orders {
        for (place, &item) in order.items.iter().enumerate() {
            scores[item] += order.weight / (softness + place as f64 + 1.0);
        }
    }
    by_score(&scores)
}

/// Numbers of all positive scores, the highest first; ties by number.
pub fn by_score(scores: &[f64]) -> Vec<usize> {
    let mut items: Vec<usize> = (0..scores.len()).filter(|&item| scores[item] > 0.0).collect();
    items.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]).then(one.cmp(&other)));
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_orders_that_agree_beat_one_that_is_sure() {
        let orders = [
            Order { items: vec![0, 1, 2], weight: 1.0 },
            Order { items: vec![3, 1, 2], weight: 1.0 },
            Order { items: vec![4, 1], weight: 1.0 },
        ];
        assert_eq!(fuse(&orders, 5.0, 6), [1, 2, 0, 3, 4]);
    }
}
