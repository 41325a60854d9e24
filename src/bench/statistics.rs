//! Arithmetic of measurements: shares and ratios over tasks, their intervals, the difference of two arms. Pure.
//!
//! Everything measured is a ratio of two sums over tasks: verified trials by trials, dollars by right changes. Its interval is the
//! percentile bootstrap's (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13). Tasks are drawn, each with all
//! its repetitions: two trials of one task are alike, and drawing trials would take that for certainty (Davison & Hinkley, *Bootstrap
//! Methods and their Application*, 1997, section 3.8). The seed is fixed and what is drawn from is sorted, so that the same data give
//! the same interval.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Resamples. Efron & Tibshirani ask for a thousand and more for the ends of an interval.
const RESAMPLES: usize = 10_000;
/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;
/// Pairs below which no difference can be told, however large: of five pairs, all in favour of one side, the sign test says 1 in 16.
pub const FEWEST_PAIRS: usize = 6;
const SEED: u64 = 0x696d_7072_6f76_6531;

/// What one task adds to a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Part {
    /// To the sum above the line.
    pub above: f64,
    /// To the sum below it.
    pub below: f64,
}

impl Part {
    /// A part.
    pub fn new(above: f64, below: f64) -> Part {
        Part { above, below }
    }
}

/// What a ratio says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many of those below the line are above it, too: never more than all.
    Share,
    /// What one of those below the line takes.
    Each,
}

/// A ratio with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The ratio; null where nothing is below the line.
    pub value: Option<f64>,
    /// Where it lies with 95 % confidence; null where too little is known to say.
    pub interval: Option<Interval>,
    /// Tasks that have a say in it.
    pub tasks: usize,
}

/// Where a number lies, with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end; null where none can be told.
    pub high: Option<f64>,
    /// How it was found.
    pub method: Method,
}

/// How an interval was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Percentiles of the bootstrap over tasks.
    Bootstrap,
    /// The exact bound for a share of none or all (Clopper & Pearson, 1934), counting tasks: where all came out alike, resampling
    /// shows no spread and would claim certainty.
    ClopperPearson,
}

impl Interval {
    /// Whether the number may be zero.
    pub fn has_zero(&self) -> bool {
        self.low <= 0.0 && self.high.is_none_or(|high| high >= 0.0)
    }
}

/// The ratio of the sums of `parts`.
pub fn ratio(parts: &[Part], kind: Kind) -> Estimate {
    // A task with nothing below the line speaks only where something is above it: a cost that bought nothing.
    let mut parts: Vec<Part> = parts.iter().copied().filter(|part| part.above != 0.0 || part.below != 0.0).collect();
    parts.sort_by(|one, other| one.above.total_cmp(&other.above).then(one.below.total_cmp(&other.below)));
    let value = of_sums(parts.iter().copied()).filter(|value| value.is_finite());
    let tasks = parts.len();
    let interval = value.and_then(|value| match kind {
        Kind::Share if value == 0.0 || value == 1.0 => Some(exact_bound(value, tasks)),
        Kind::Share | Kind::Each if tasks < 2 => None,
        Kind::Share | Kind::Each => percentiles(tasks, |drawn| of_sums(drawn.iter().map(|&at| parts[at]))),
    });
    Estimate { value, interval, tasks }
}

/// The difference of two ratios over the same tasks, `(one, other)` of each: the first less the second.
pub fn difference(pairs: &[(Part, Part)]) -> Estimate {
    let mut pairs = pairs.to_vec();
    let key = |(one, other): &(Part, Part)| [one.above, one.below, other.above, other.below];
    pairs.sort_by(|one, other| {
        let orders = key(one).into_iter().zip(key(other)).map(|(a, b)| a.total_cmp(&b));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let of = |drawn: &mut dyn Iterator<Item = (Part, Part)>| {
        let (ones, others): (Vec<Part>, Vec<Part>) = drawn.unzip();
        let (one, other) = (of_sums(ones.into_iter())?, of_sums(others.into_iter())?);
        // Two costs that bought nothing cannot be told apart.
        (one.is_finite() || other.is_finite()).then_some(one - other)
    };
    let tasks = pairs.len();
    let value = of(&mut pairs.iter().copied()).filter(|value| value.is_finite());
    let interval = if tasks < 2 || value.is_none() {
        None
    } else {
        percentiles(tasks, |drawn| of(&mut drawn.iter().map(|&at| pairs[at])))
    };
    Estimate { value, interval, tasks }
}

/// What the difference of two arms says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Fewer tasks than could ever show a difference.
    TooFewTasks,
    /// The difference may as well be none.
    CannotTell,
    /// The first has more.
    FirstHasMore,
    /// The second has more.
    SecondHasMore,
}

/// Reads a difference.
pub fn read(difference: &Estimate) -> Finding {
    match (&difference.interval, difference.value) {
        _ if difference.tasks < FEWEST_PAIRS => Finding::TooFewTasks,
        (Some(interval), Some(_)) if interval.low > 0.0 => Finding::FirstHasMore,
        (Some(interval), Some(_)) if !interval.has_zero() => Finding::SecondHasMore,
        _ => Finding::CannotTell,
    }
}

/// The ratio of sums: nothing by nothing is not known, something by nothing has no bound.
fn of_sums(parts: impl Iterator<Item = Part>) -> Option<f64> {
    let sum = parts.fold(Part::default(), |sum, part| Part::new(sum.above + part.above, sum.below + part.below));
    match sum {
        Part { above: 0.0, below: 0.0 } => None,
        Part { below: 0.0, .. } => Some(f64::INFINITY),
        Part { above, below } => Some(above / below),
    }
}

/// The percentiles of what `statistic` makes of `count` drawn from `count`, again and again; `None` where it mostly makes nothing of
/// them.
fn percentiles(count: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<Interval> {
    let mut random = SplitMix(SEED);
    let mut drawn = vec![0; count];
    let mut values: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        drawn.iter_mut().for_each(|at| *at = random.below(count));
        values.extend(statistic(&drawn).filter(|value| !value.is_nan()));
    }
    if values.len() < RESAMPLES / 2 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let (low, high) = (at(tail), at(1.0 - tail));
    low.is_finite().then(|| Interval {
        low,
        high: Some(high).filter(|high| high.is_finite()),
        method: Method::Bootstrap,
    })
}

/// The bound for a share that was none or all of `count`.
fn exact_bound(share: f64, count: usize) -> Interval {
    let bound = ((1.0 - CONFIDENCE) / 2.0).powf(1.0 / count.max(1) as f64);
    let (low, high) = if share == 0.0 { (0.0, 1.0 - bound) } else { (bound, 1.0) };
    Interval { low, high: Some(high), method: Method::ClopperPearson }
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): small, and the same everywhere for ever, which a library's generator does not promise.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`; the high half of a product, whose bias is beyond what ten thousand draws can show.
    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(outcomes: &[u8]) -> Vec<Part> {
        outcomes.iter().map(|&outcome| Part::new(f64::from(outcome), 1.0)).collect()
    }

    fn interval(estimate: Estimate) -> (f64, Option<f64>) {
        estimate.interval.map(|interval| (interval.low, interval.high)).expect("it has an interval")
    }

    #[test]
    fn a_share_has_the_interval_that_the_binomial_gives_it() {
        let outcomes: Vec<u8> = (0..100).map(|at| u8::from(at < 30)).collect();
        let estimate = ratio(&shares(&outcomes), Kind::Share);
        assert_eq!((estimate.value, estimate.tasks), (Some(0.3), 100));
        // 2.5 % and 97.5 % of Binomial(100, 0.3) are 21 and 39.
        assert_eq!(interval(estimate), (0.21, Some(0.39)));
    }

    #[test]
    fn where_all_came_out_alike_the_exact_bound_stands() {
        let all = ratio(&shares(&[1; 8]), Kind::Share);
        let none = ratio(&shares(&[0; 8]), Kind::Share);
        // 0.025^(1/8) is 0.6306: the table of Clopper and Pearson.
        assert!((interval(all).0 - 0.6306).abs() < 1e-4 && interval(all).1 == Some(1.0));
        assert!(interval(none).0 == 0.0 && (interval(none).1.expect("bounded") - 0.3694).abs() < 1e-4);
        assert!(all.interval.is_some_and(|interval| interval.method == Method::ClopperPearson));
    }

    #[test]
    fn what_bought_nothing_has_no_upper_bound() {
        let parts = [Part::new(2.0, 1.0), Part::new(3.0, 0.0), Part::new(1.0, 0.0), Part::new(4.0, 0.0)];
        let estimate = ratio(&parts, Kind::Each);
        assert_eq!(estimate.value, Some(10.0));
        assert_eq!(interval(estimate).1, None);
        assert_eq!(ratio(&[Part::new(3.0, 0.0); 4], Kind::Each).value, None, "nothing was bought at all");
        assert_eq!(ratio(&[], Kind::Share), Estimate { value: None, interval: None, tasks: 0 });
    }

    #[test]
    fn repetitions_of_one_task_are_not_more_tasks() {
        let alone = ratio(&shares(&[0, 1, 0, 1, 1, 0]), Kind::Share);
        let repeated: Vec<Part> = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0].map(|share| Part::new(10.0 * share, 10.0)).to_vec();
        assert_eq!(interval(ratio(&repeated, Kind::Share)), interval(alone));
    }

    #[test]
    fn a_difference_is_told_where_it_is_there_and_only_there() {
        let pair = |one: u8, other: u8| (Part::new(f64::from(one), 1.0), Part::new(f64::from(other), 1.0));
        assert_eq!(read(&difference(&[pair(1, 0); 5])), Finding::TooFewTasks);
        assert_eq!(read(&difference(&[pair(1, 0); 6])), Finding::FirstHasMore);
        assert_eq!(read(&difference(&[pair(0, 1); 6])), Finding::SecondHasMore);
        assert_eq!(read(&difference(&[pair(1, 1); 20])), Finding::CannotTell);
        let mixed = [pair(1, 0), pair(0, 1), pair(1, 1), pair(0, 0), pair(1, 0), pair(1, 1), pair(0, 1), pair(1, 0)];
        assert_eq!(read(&difference(&mixed)), Finding::CannotTell);
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let mut random = SplitMix(7);
        let held = (0..200).filter(|_| {
            let outcomes: Vec<u8> = (0..30).map(|_| u8::from(random.below(100) < 60)).collect();
            let (low, high) = interval(ratio(&shares(&outcomes), Kind::Share));
            low <= 0.6 && high.is_some_and(|high| high >= 0.6)
        });
        let held = held.count();
        assert!((178..=200).contains(&held), "{held} of 200");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn an_interval_lies_among_what_was_measured(values in prop::collection::vec(0.0f64..100.0, 2..20)) {
            let parts: Vec<Part> = values.iter().map(|&value| Part::new(value, 1.0)).collect();
            let estimate = ratio(&parts, Kind::Each);
            if let Some(Interval { low, high: Some(high), .. }) = estimate.interval {
                let least = values.iter().copied().fold(f64::MAX, f64::min);
                let most = values.iter().copied().fold(f64::MIN, f64::max);
                prop_assert!(least - 1e-9 <= low && low <= high && high <= most + 1e-9);
            }
        }

        #[test]
        fn the_order_of_tasks_changes_nothing(outcomes in prop::collection::vec((0u8..3, 1u8..4), 1..15)) {
            let parts: Vec<Part> = outcomes.iter().map(|&(above, below)| Part::new(f64::from(above.min(below)), f64::from(below))).collect();
            let turned: Vec<Part> = parts.iter().rev().copied().collect();
            prop_assert_eq!(ratio(&parts, Kind::Share), ratio(&turned, Kind::Share));
            let pairs: Vec<(Part, Part)> = parts.iter().map(|&part| (part, Part::new(1.0, 2.0))).collect();
            let turned: Vec<(Part, Part)> = pairs.iter().rev().copied().collect();
            prop_assert_eq!(difference(&pairs), difference(&turned));
        }

        #[test]
        fn another_unit_is_the_same_measurement(values in prop::collection::vec(0.0f64..100.0, 2..12)) {
            let of = |unit: f64| {
                let parts: Vec<Part> = values.iter().map(|&value| Part::new(value * unit, 1.0)).collect();
                ratio(&parts, Kind::Each).interval
            };
            if let (Some(one), Some(four)) = (of(1.0), of(4.0)) {
                prop_assert_eq!((one.low * 4.0, one.high.map(|high| high * 4.0)), (four.low, four.high));
            }
        }

        #[test]
        fn an_arm_does_not_differ_from_itself(outcomes in prop::collection::vec(0u8..2, 6..15)) {
            let pairs: Vec<(Part, Part)> = shares(&outcomes).into_iter().map(|part| (part, part)).collect();
            prop_assert_eq!(read(&difference(&pairs)), Finding::CannotTell);
        }
    }
}
