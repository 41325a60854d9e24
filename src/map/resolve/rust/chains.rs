//! Places by key, those of one key in order, without a list of its own for each.

use std::hash::Hash;

use rustc_hash::FxHashMap;

const END: u32 = u32::MAX;

/// Places (indices into something else) by key.
#[derive(Debug)]
pub(super) struct Chains<K> {
    first: FxHashMap<K, u32>,
    next: Vec<u32>,
}

impl<K: Hash + Eq> Chains<K> {
    /// Chains of the places `0..count`; a place without a key is left out.
    pub fn new(count: usize, key: impl Fn(usize) -> Option<K>) -> Self {
        let (mut first, mut next) = (FxHashMap::default(), vec![END; count]);
        // From the last to the first, so that a chain runs from the first to the last.
        for place in (0..count).rev() {
            if let Some(key) = key(place) {
                next[place] = first.insert(key, place as u32).unwrap_or(END);
            }
        }
        Self { first, next }
    }

    /// The places of `key`, in order.
    pub fn get(&self, key: K) -> impl Iterator<Item = usize> {
        let mut next = self.first.get(&key).copied().unwrap_or(END);
        std::iter::from_fn(move || {
            let place = next as usize;
            next = *self.next.get(place)?;
            Some(place)
        })
    }
}
