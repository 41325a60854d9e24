//! Money: whole nano-dollars, so that sums are exact.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount in nano-dollars: $1 is 1 000 000 000; $1 per million tokens is 1 000 a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NanoDollars(pub u64);

/// Nano-dollars in a dollar.
const DOLLAR: u64 = 1_000_000_000;

impl NanoDollars {
    /// Nothing.
    pub const ZERO: NanoDollars = NanoDollars(0);

    /// Reads an amount in dollars: `5`, `0.25`, `$1.50`. At most nine digits after the point.
    pub fn parse(text: &str) -> Option<NanoDollars> {
        let text = text.trim();
        let text = text.strip_prefix('$').unwrap_or(text);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
        whole.checked_mul(DOLLAR)?.checked_add(fraction).map(NanoDollars)
    }

    /// The amount nearest to so many dollars, which are none where that is less than nothing.
    pub fn of_dollars(dollars: f64) -> NanoDollars {
        NanoDollars((dollars * DOLLAR as f64).round() as u64)
    }

    /// In dollars, for what is not counted but measured.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / DOLLAR as f64
    }

    /// Dollars in digits, as programs take them: `0.5`, `12.25`.
    pub fn digits(self) -> String {
        let text = format!("{}.{:09}", self.0 / DOLLAR, self.0 % DOLLAR);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The sum, or the largest amount there is.
    pub fn saturating_add(self, other: NanoDollars) -> NanoDollars {
        NanoDollars(self.0.saturating_add(other.0))
    }

    /// What is left, never less than nothing.
    pub fn saturating_sub(self, other: NanoDollars) -> NanoDollars {
        NanoDollars(self.0.saturating_sub(other.0))
    }
}

impl Add for NanoDollars {
    type Output = NanoDollars;

    fn add(self, other: NanoDollars) -> NanoDollars {
        self.saturating_add(other)
    }
}

impl Sum for NanoDollars {
    fn sum<I: Iterator<Item = NanoDollars>>(amounts: I) -> NanoDollars {
        amounts.fold(NanoDollars::ZERO, NanoDollars::saturating_add)
    }
}

/// Cents, and as many digits more as it takes to show two that are not zero: `$12.40`, `$0.0031`, `$0`.
impl fmt::Display for NanoDollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return write!(formatter, "$0");
        }
        let mut decimals = 2;
        let mut unit = DOLLAR / 100;
        while decimals < 9 && self.0 / unit < 10 {
            decimals += 1;
            unit /= 10;
        }
        let rounded = (self.0 + unit / 2) / unit;
        let scale = 10_u64.pow(decimals);
        write!(formatter, "${}.{:0width$}", rounded / scale, rounded % scale, width = decimals as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let read = |text| NanoDollars::parse(text).map(|amount| amount.0);
        assert_eq!(read("5"), Some(5_000_000_000));
        assert_eq!(read("$1.50"), Some(1_500_000_000));
        assert_eq!(read(".000000001"), Some(1));
        assert_eq!(read("0.0000000001"), None, "less than can be counted");
        for text in ["", ".", "$", "-1", "1e3", "five", "99999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn small_amounts_keep_two_digits() {
        let shown = |amount| NanoDollars(amount).to_string();
        assert_eq!(shown(0), "$0");
        assert_eq!(shown(12_400_000_000), "$12.40");
        assert_eq!(shown(999_999_999), "$1.00");
        assert_eq!(shown(3_130_000), "$0.0031");
        assert_eq!(shown(7), "$0.000000007");
        assert_eq!(shown(40), "$0.000000040");
    }
}
