//! Estimates: what a conversation will cost about, before it is held. Ours to guess; the ledger knows afterwards.

use super::catalogue::Service;
use super::roles::Bound;
use super::{NanoDollars, Usage};

/// What a conversation costs that begins with `first` tokens, reads for `rounds` rounds, and says `said` tokens in all: what was
/// read comes from the vendor's cache in the next round. `None` where the price is not known.
pub(crate) fn reading_cost(first: u64, rounds: u64, said: u64, bound: &Bound) -> Option<NanoDollars> {
    /// Three tool results of moderate length; our guess.
    const READ_A_ROUND: u64 = 2_500;
    /// What an agent adds to a prompt of ours: its instructions and its tools.
    const OF_AN_AGENT: u64 = 20_000;
    let price = bound.price()?;
    let first = if bound.agent().is_some() { first + OF_AN_AGENT } else { first };
    let round = |number: u64| {
        let (cache_read, write_5m) = match number {
            0 => (0, first),
            _ => (first + (number - 1) * READ_A_ROUND, READ_A_ROUND),
        };
        let usage = Usage { cache_read, write_5m, output: said / rounds.max(1), ..Usage::default() };
        price.cost(&usage, Service::Standard)
    };
    Some((0..rounds).map(round).sum())
}
