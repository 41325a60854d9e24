//! The budget: money is set aside before a call and settled after it, so that several calls at once cannot spend it twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::ModelError;
use super::money::NanoDollars;

/// What may be spent, and what was. A clone is the same budget: sessions at work at once keep one limit.
#[derive(Debug, Default, Clone)]
pub struct Budget {
    limit: Option<NanoDollars>,
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, Default, Clone)]
struct Books {
    spent: Spent,
    reserved: NanoDollars,
    /// Bytes sent and tokens counted, by model: what the next prompt will take is guessed from them.
    measured: BTreeMap<String, (u64, u64)>,
}

/// What was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// By calls with a price.
    pub known: NanoDollars,
    /// Calls whose price is not known.
    pub unpriced_calls: u64,
}

impl Spent {
    /// The same and one call more; `None` where nobody knows what it cost.
    pub fn and(self, cost: Option<NanoDollars>) -> Spent {
        match cost {
            Some(cost) => Spent { known: self.known + cost, ..self },
            None => Spent { unpriced_calls: self.unpriced_calls + 1, ..self },
        }
    }
}

/// Money set aside for one call; it comes back when dropped unsettled.
#[derive(Debug)]
pub struct Reservation<'a> {
    budget: &'a Budget,
    amount: NanoDollars,
}

/// Bytes of text that make a token, before anything was measured. Four is the rule of thumb for English by older tokenizers;
/// newer ones count about 30 % more, and code takes more than prose.
const BYTES_PER_TOKEN: u64 = 3;

impl Budget {
    /// A budget; without a limit it only counts.
    pub fn new(limit: Option<NanoDollars>) -> Budget {
        Budget { limit, books: Arc::default() }
    }

    /// What may be spent.
    pub fn limit(&self) -> Option<NanoDollars> {
        self.limit
    }

    /// Sets `amount` aside for a call, or says that it is not there.
    pub fn reserve(&self, amount: NanoDollars) -> Result<Reservation<'_>, ModelError> {
        let mut books = self.books();
        if let Some(limit) = self.limit
            && books.spent.known + books.reserved + amount > limit
        {
            return Err(ModelError::OverBudget { limit, spent: books.spent.known, needed: amount });
        }
        books.reserved = books.reserved + amount;
        Ok(Reservation { budget: self, amount })
    }

    /// Sets nothing aside: for what is paid for already, and is booked whatever may still be spent.
    pub fn paid(&self) -> Reservation<'_> {
        Reservation { budget: self, amount: NanoDollars::ZERO }
    }

    /// Tokens that a prompt of so many bytes will take: as many as earlier ones took by what was measured, and a tenth more.
    pub fn estimate(&self, model: &str, bytes: u64) -> u64 {
        let books = self.books();
        match books.measured.get(model) {
            Some(&(sent, counted)) if counted > 0 && sent > 0 => {
                let tokens = u128::from(bytes) * u128::from(counted) * 11 / (u128::from(sent) * 10);
                u64::try_from(tokens).unwrap_or(u64::MAX).max(1)
            }
            Some(_) | None => bytes.div_ceil(BYTES_PER_TOKEN),
        }
    }

    /// Learns what a prompt took.
    pub fn measured(&self, model: &str, bytes: u64, tokens: u64) {
        let mut books = self.books();
        let entry = books.measured.entry(model.to_owned()).or_default();
        *entry = (entry.0.saturating_add(bytes), entry.1.saturating_add(tokens));
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Sums stay true when a thread that held them panics elsewhere.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// Books what the call did cost; `None` where nobody knows.
    pub fn settle(self, cost: Option<NanoDollars>) {
        let mut books = self.budget.books();
        books.spent = books.spent.and(cost);
    }

    /// What was set aside.
    pub fn amount(&self) -> NanoDollars {
        self.amount
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut books = self.budget.books();
        books.reserved = books.reserved.saturating_sub(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_at_once_cannot_spend_the_same_money() {
        let budget = Budget::new(Some(NanoDollars(100)));
        let first = budget.reserve(NanoDollars(60)).unwrap();
        let refused =
            ModelError::OverBudget { limit: NanoDollars(100), spent: NanoDollars(0), needed: NanoDollars(60) };
        assert_eq!(budget.reserve(NanoDollars(60)).unwrap_err(), refused);
        first.settle(Some(NanoDollars(10)));
        budget.reserve(NanoDollars(60)).unwrap().settle(None);
        assert_eq!(budget.books().spent, Spent { known: NanoDollars(10), unpriced_calls: 1 });
        assert!(budget.reserve(NanoDollars(91)).is_err() && budget.reserve(NanoDollars(90)).is_ok());
    }

    #[test]
    fn a_clone_is_the_same_budget() {
        let budget = Budget::new(Some(NanoDollars(100)));
        let other = budget.clone();
        let aside = other.reserve(NanoDollars(60)).unwrap();
        assert!(budget.reserve(NanoDollars(60)).is_err());
        aside.settle(Some(NanoDollars(60)));
        assert_eq!(budget.books().spent.known, NanoDollars(60));
    }

    #[test]
    fn estimates_follow_what_was_measured() {
        let budget = Budget::new(None);
        assert_eq!(budget.estimate("m", 3_000), 1_000);
        budget.measured("m", 3_000, 500);
        assert_eq!(budget.estimate("m", 3_000), 550);
        assert_eq!(budget.estimate("other", 3_000), 1_000);
    }
}
