//! Values by key, packed: one list of each, where a map of lists would allocate for every key.

/// Values by key. Keys in order, values of one key in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped<K, V> {
    keys: Vec<K>,
    /// First value of each key, and the number of all values.
    starts: Vec<u32>,
    values: Vec<V>,
}

impl<K, V> Default for Grouped<K, V> {
    fn default() -> Self {
        Self { keys: Vec::new(), starts: vec![0], values: Vec::new() }
    }
}

impl<K: Ord + Copy, V> Grouped<K, V> {
    /// The values of `key`.
    pub fn get(&self, key: K) -> &[V] {
        match self.keys.binary_search(&key) {
            Ok(place) => &self.values[self.starts[place] as usize..self.starts[place + 1] as usize],
            Err(_) => &[],
        }
    }

    /// Every key that has values, in order, with them.
    pub fn iter(&self) -> impl Iterator<Item = (K, &[V])> {
        let ends = self.starts.windows(2).map(|window| &self.values[window[0] as usize..window[1] as usize]);
        self.keys.iter().copied().zip(ends)
    }
}

impl<K: Ord + Copy, V> FromIterator<(K, V)> for Grouped<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut pairs: Vec<(K, V)> = pairs.into_iter().collect();
        pairs.sort_by_key(|(key, _)| *key);
        let mut grouped = Self { keys: Vec::new(), starts: Vec::new(), values: Vec::with_capacity(pairs.len()) };
        for (key, value) in pairs {
            if grouped.keys.last() != Some(&key) {
                grouped.keys.push(key);
                grouped.starts.push(grouped.values.len() as u32);
            }
            grouped.values.push(value);
        }
        grouped.starts.push(grouped.values.len() as u32);
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_order_under_their_key() {
        let grouped: Grouped<u32, char> = [(2, 'a'), (1, 'b'), (2, 'c')].into_iter().collect();
        assert_eq!(grouped.iter().map(|(key, _)| key).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((grouped.get(1), grouped.get(2), grouped.get(3)), (&['b'][..], &['a', 'c'][..], &[][..]));
        assert_eq!(Grouped::<u32, char>::default().get(1), &[] as &[char]);
    }
}
