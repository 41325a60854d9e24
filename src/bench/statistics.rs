//! Arithmetic of measurements: shares and ratios over tasks, their intervals, the difference of two arms. Pure.
//!
//! Everything measured is a ratio of two sums over tasks: verified trials by trials, dollars by right changes. Its interval is the
//! percentile bootstrap's (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13). Tasks are drawn, each with all
//! its repetitions: two trials of one task are alike, and drawing trials would take that for certainty (Davison & Hinkley, *Bootstrap
//! Methods and their Application*, 1997, section 3.8). The seed is fixed and what is drawn from is sorted, so that the same data give
//! the same interval.

use std::cmp::Ordering;
use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Resamples. Efron & Tibshirani ask for a thousand and more for the ends of an interval.
const RESAMPLES: usize = 10_000;
/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;
/// Pairs that differ, below which no difference can be told, however large: of five pairs, all in favour of one side, the sign test
/// says 1 in 16.
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

    /// Nothing by nothing is not known, something by nothing has no bound.
    fn ratio(self) -> Option<f64> {
        match self {
            Part { above: 0.0, below: 0.0 } => None,
            Part { below: 0.0, .. } => Some(f64::INFINITY),
            Part { above, below } => Some(above / below),
        }
    }
}

impl Add for Part {
    type Output = Part;

    fn add(self, other: Part) -> Part {
        Part::new(self.above + other.above, self.below + other.below)
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
    /// Its lower end; null where none can be told, and then there is an upper one.
    pub low: Option<f64>,
    /// Its upper end; null where none can be told, and then there is a lower one.
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
    /// Whether it says where the number lies. A bootstrap over tasks that are all alike draws the same each time: that shows no certainty,
    /// and nothing is to be made of it.
    pub fn tells(&self) -> bool {
        match (self.method, self.low, self.high) {
            (Method::ClopperPearson, ..) => true,
            // Sums of the same parts in another order differ in the last digit.
            (Method::Bootstrap, Some(low), Some(high)) => high - low > 1e-9 * high.abs().max(low.abs()),
            (Method::Bootstrap, low, high) => low.is_some() || high.is_some(),
        }
    }

    fn turned(self) -> Interval {
        let turned = |end: Option<f64>| end.map(|end| 0.0 - end);
        Interval { low: turned(self.high), high: turned(self.low), method: self.method }
    }
}

impl Estimate {
    /// The same seen from the other side.
    fn turned(self) -> Estimate {
        // Not `-value`: there is no negative nothing.
        Estimate {
            value: self.value.map(|value| 0.0 - value),
            interval: self.interval.map(Interval::turned),
            tasks: self.tasks,
        }
    }
}

/// The ratio of the sums of `parts`.
pub fn ratio(parts: &[Part], kind: Kind) -> Estimate {
    // A task with nothing below the line speaks only where something is above it: a cost that bought nothing.
    let mut parts: Vec<Part> = parts.iter().copied().filter(|part| part.above != 0.0 || part.below != 0.0).collect();
    parts.sort_by(|one, other| one.above.total_cmp(&other.above).then(one.below.total_cmp(&other.below)));
    let of = |drawn: &mut dyn Iterator<Item = Part>| drawn.fold(Part::default(), Part::add).ratio();
    let value = of(&mut parts.iter().copied()).filter(|value| value.is_finite());
    let tasks = parts.len();
    let interval = value.and_then(|value| match kind {
        Kind::Share if value == 0.0 || value == 1.0 => Some(exact_bound(value, tasks)),
        Kind::Share | Kind::Each if tasks < 2 => None,
        Kind::Share | Kind::Each => percentiles(tasks, |drawn| of(&mut drawn.iter().map(|&at| parts[at]))),
    });
    Estimate { value, interval, tasks }
}

/// The difference of two ratios over the same tasks, `(one, other)` of each: the first less the second.
pub fn difference(pairs: &[(Part, Part)]) -> Estimate {
    let key = |(one, other): &(Part, Part)| [one.above, one.below, other.above, other.below];
    let order = |one: &(Part, Part), other: &(Part, Part)| {
        let orders = key(one).into_iter().zip(key(other)).map(|(a, b)| a.total_cmp(&b));
        orders.fold(Ordering::Equal, Ordering::then)
    };
    let mut pairs = pairs.to_vec();
    let mut turned: Vec<(Part, Part)> = pairs.iter().map(|&(one, other)| (other, one)).collect();
    pairs.sort_by(order);
    turned.sort_by(order);
    // Both ways round the same is drawn, so that neither side is favoured by it.
    let orders = pairs.iter().zip(&turned).map(|(one, other)| order(one, other));
    match orders.fold(Ordering::Equal, Ordering::then) {
        Ordering::Greater => difference_of_sorted(&turned).turned(),
        Ordering::Less | Ordering::Equal => difference_of_sorted(&pairs),
    }
}

fn difference_of_sorted(pairs: &[(Part, Part)]) -> Estimate {
    let of = |drawn: &mut dyn Iterator<Item = (Part, Part)>| {
        let sums = drawn.fold((Part::default(), Part::default()), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
        let (one, other) = (sums.0.ratio()?, sums.1.ratio()?);
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

/// Tasks on which the two are not alike: only these can tell one from the other.
pub fn differing(pairs: &[(Part, Part)]) -> usize {
    let differ = |(one, other): &&(Part, Part)| match (one.below, other.below) {
        (0.0, 0.0) => one.above != other.above,
        _ => one.above * other.below != other.above * one.below,
    };
    pairs.iter().filter(differ).count()
}

/// Reads a difference over tasks of which so many differ. Ties are no evidence: with three tasks in favour of one side and three alike
/// the interval has no zero, and one in four pairs of equal arms would look like that.
pub fn read(difference: &Estimate, differing: usize) -> Finding {
    let (low, high) = difference.interval.map_or((None, None), |interval| (interval.low, interval.high));
    match difference.value {
        _ if difference.tasks < FEWEST_PAIRS => Finding::TooFewTasks,
        Some(_) if differing < FEWEST_PAIRS => Finding::CannotTell,
        Some(_) if low.is_some_and(|low| low > 0.0) => Finding::FirstHasMore,
        Some(_) if high.is_some_and(|high| high < 0.0) => Finding::SecondHasMore,
        Some(_) | None => Finding::CannotTell,
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
    let cut = ((values.len() - 1) as f64 * tail).round() as usize;
    let [low, high] = [values[cut], values[values.len() - 1 - cut]].map(|end| Some(end).filter(|end| end.is_finite()));
    (low.is_some() || high.is_some()).then_some(Interval { low, high, method: Method::Bootstrap })
}

/// The bound for a share that was none or all of `count`.
fn exact_bound(share: f64, count: usize) -> Interval {
    let bound = ((1.0 - CONFIDENCE) / 2.0).powf(1.0 / count.max(1) as f64);
    let (low, high) = if share == 0.0 { (0.0, 1.0 - bound) } else { (bound, 1.0) };
    Interval { low: Some(low), high: Some(high), method: Method::ClopperPearson }
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
        let interval = estimate.interval.expect("it has an interval");
        (interval.low.expect("it has a lower end"), interval.high)
    }

    fn pair(one: u8, other: u8) -> (Part, Part) {
        (Part::new(f64::from(one), 1.0), Part::new(f64::from(other), 1.0))
    }

    fn told(pairs: &[(Part, Part)]) -> Finding {
        read(&difference(pairs), differing(pairs))
    }

    fn mirrored(finding: Finding) -> Finding {
        match finding {
            Finding::FirstHasMore => Finding::SecondHasMore,
            Finding::SecondHasMore => Finding::FirstHasMore,
            Finding::TooFewTasks | Finding::CannotTell => finding,
        }
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
    fn an_interval_without_width_tells_nothing() {
        let tells = |parts: &[Part]| ratio(parts, Kind::Each).interval.map(|interval| interval.tells());
        assert_eq!(tells(&[Part::new(0.1, 3.0); 7]), Some(false));
        assert_eq!(tells(&[Part::new(0.0, 3.0); 7]), Some(false));
        assert_eq!(tells(&[Part::new(0.1, 3.0), Part::new(0.2, 3.0)]), Some(true));
        assert!(exact_bound(1.0, 7).tells());
    }

    #[test]
    fn repetitions_of_one_task_are_not_more_tasks() {
        let alone = ratio(&shares(&[0, 1, 0, 1, 1, 0]), Kind::Share);
        let repeated: Vec<Part> = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0].map(|share| Part::new(10.0 * share, 10.0)).to_vec();
        assert_eq!(interval(ratio(&repeated, Kind::Share)), interval(alone));
    }

    #[test]
    fn a_difference_is_told_where_it_is_there_and_only_there() {
        assert_eq!(told(&[pair(1, 0); 5]), Finding::TooFewTasks);
        assert_eq!(told(&[pair(1, 0); 6]), Finding::FirstHasMore);
        assert_eq!(told(&[pair(0, 1); 6]), Finding::SecondHasMore);
        assert_eq!(told(&[pair(1, 1); 20]), Finding::CannotTell);
        let mixed = [pair(1, 0), pair(0, 1), pair(1, 1), pair(0, 0), pair(1, 0), pair(1, 1), pair(0, 1), pair(1, 0)];
        assert_eq!(told(&mixed), Finding::CannotTell);
    }

    #[test]
    fn tasks_on_which_both_came_out_alike_are_no_evidence() {
        let few: Vec<(Part, Part)> = [[pair(1, 0); 3].as_slice(), &[pair(1, 1); 5]].concat();
        assert_eq!(told(&few), Finding::CannotTell);
        let enough: Vec<(Part, Part)> = [[pair(1, 0); 6].as_slice(), &[pair(1, 1); 5]].concat();
        assert_eq!(told(&enough), Finding::FirstHasMore);
    }

    #[test]
    fn of_equal_arms_hardly_ever_one_wins() {
        let mut random = SplitMix(11);
        for (tasks, percent) in [(6, 50), (8, 50), (8, 80), (12, 50)] {
            let mut draw = || u8::from(random.below(100) < percent);
            let trials = (0..400).map(|_| (0..tasks).map(|_| pair(draw(), draw())).collect::<Vec<_>>());
            let claims = trials.filter(|pairs| differing(pairs) >= FEWEST_PAIRS && told(pairs) != Finding::CannotTell);
            // At most 5 % of 400, and what chance adds to that.
            let claims = claims.count();
            assert!(claims <= 30, "{claims} of 400 at {tasks} tasks, {percent} %");
        }
    }

    #[test]
    fn who_bought_next_to_nothing_is_dearer_whichever_is_named_first() {
        // A dollar a trial: one arm is right on all of twelve, the other on two.
        let dollar = |right: bool| Part::new(1.0, f64::from(right));
        let pairs: Vec<(Part, Part)> = (0..12).map(|at| (dollar(true), dollar(at < 2))).collect();
        let turned: Vec<(Part, Part)> = pairs.iter().map(|&(one, other)| (other, one)).collect();
        assert_eq!((told(&pairs), told(&turned)), (Finding::SecondHasMore, Finding::FirstHasMore));
        let interval = difference(&pairs).interval.expect("it has one");
        assert!(interval.low.is_none() && interval.high.is_some_and(|high| high < -1.0), "{interval:?}");
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
            if let Some(Interval { low: Some(low), high: Some(high), .. }) = estimate.interval {
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
                let by_four = |end: Option<f64>| end.map(|end| end * 4.0);
                prop_assert_eq!((by_four(one.low), by_four(one.high)), (four.low, four.high));
            }
        }

        #[test]
        fn an_arm_does_not_differ_from_itself(outcomes in prop::collection::vec(0u8..2, 6..15)) {
            let pairs: Vec<(Part, Part)> = shares(&outcomes).into_iter().map(|part| (part, part)).collect();
            prop_assert_eq!(told(&pairs), Finding::CannotTell);
        }

        #[test]
        fn the_other_way_round_the_other_one_has_more(parts in prop::collection::vec((0u8..5, 0u8..3, 0u8..5, 0u8..3), 6..15)) {
            let part = |above: u8, below: u8| Part::new(f64::from(above), f64::from(below));
            let pairs: Vec<(Part, Part)> = parts.iter().map(|&(a, b, c, d)| (part(a, b), part(c, d))).collect();
            let turned: Vec<(Part, Part)> = pairs.iter().map(|&(one, other)| (other, one)).collect();
            prop_assert_eq!(told(&pairs), mirrored(told(&turned)));
        }
    }
}
