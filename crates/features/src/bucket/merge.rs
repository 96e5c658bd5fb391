//! Narrow bins to wide ones that say most about an event.
//!
//! Which neighbours to put together is decided for all of them at once, by dynamic programming over the last bin: so
//! the answer is the best there is, and a trend is kept by never putting a bin behind one that it may not follow.

use serde::{Deserialize, Serialize};

/// How weight of evidence goes from bin to bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trend {
    /// Up or down, whichever has more information; up if they are equal.
    #[default]
    Auto,
    /// Never down.
    Increasing,
    /// Never up.
    Decreasing,
    /// As it comes.
    Any,
}

/// What rows there are in a bin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Count {
    pub(super) weight: f64,
    pub(super) events: f64,
}

/// What a wide bin may look like, and what it is worth.
pub(super) struct Terms<F: Fn(Count) -> (f64, f64)> {
    /// The least weight of a bin.
    pub(super) least: f64,
    /// How many bins there may be.
    pub(super) most: usize,
    pub(super) trend: Trend,
    /// Weight of evidence and information of a bin.
    pub(super) worth: F,
}

/// The first narrow bin of each wide one but the first.
pub(super) fn merged<F: Fn(Count) -> (f64, f64)>(narrow: &[Count], terms: &Terms<F>) -> Vec<usize> {
    let solve = |falls: &dyn Fn(f64, f64) -> bool| Ladder::of(narrow, terms, falls).best();
    let up = || solve(&|before, after| before <= after);
    let down = || solve(&|before, after| before >= after);
    let (_, starts) = match terms.trend {
        Trend::Increasing => up(),
        Trend::Decreasing => down(),
        Trend::Any => solve(&|_, _| true),
        Trend::Auto => {
            let (up, down) = (up(), down());
            if down.0 > up.0 + ROUNDING { down } else { up }
        }
    };
    starts
}

/// Information closer than this differs by rounding: fewer bins are then better.
const ROUNDING: f64 = 1e-12;

/// The best ways to cover the first narrow bins, by how many wide bins they take and where the last one begins and
/// ends.
struct Ladder {
    narrow: usize,
    /// For each number of wide bins: what is reached with a last bin `begin..end`, and where the bin before it begins.
    steps: Vec<Vec<Option<(f64, usize)>>>,
}

impl Ladder {
    fn of<F: Fn(Count) -> (f64, f64)>(
        narrow: &[Count],
        terms: &Terms<F>,
        may_follow: &dyn Fn(f64, f64) -> bool,
    ) -> Self {
        let n = narrow.len();
        let place = |begin: usize, end: usize| begin * (n + 1) + end;
        let mut worth = vec![None; n * (n + 1)];
        for begin in 0..n {
            let mut count = Count::default();
            for end in begin + 1..=n {
                count.weight += narrow[end - 1].weight;
                count.events += narrow[end - 1].events;
                // All rows together may always be a bin.
                if count.weight >= terms.least || end - begin == n {
                    worth[place(begin, end)] = Some((terms.worth)(count));
                }
            }
        }
        let first = (0..worth.len()).map(|i| worth[i].filter(|_| i <= n).map(|(_, information)| (information, 0)));
        let mut steps: Vec<Vec<Option<(f64, usize)>>> = vec![first.collect()];
        for _ in 1..terms.most.min(n) {
            let before = &steps[steps.len() - 1];
            let mut step = vec![None; worth.len()];
            for begin in 1..n {
                for end in begin + 1..=n {
                    let Some((evidence, information)) = worth[place(begin, end)] else { continue };
                    let mut best: Option<(f64, usize)> = None;
                    for start in 0..begin {
                        let (Some((reached, _)), Some((last, _))) =
                            (before[place(start, begin)], worth[place(start, begin)])
                        else {
                            continue;
                        };
                        let total = reached + information;
                        if may_follow(last, evidence) && best.is_none_or(|(most, _)| total > most + ROUNDING) {
                            best = Some((total, start));
                        }
                    }
                    step[place(begin, end)] = best;
                }
            }
            steps.push(step);
        }
        Self { narrow: n, steps }
    }

    /// The most information, and where its wide bins begin, the first left out.
    fn best(&self) -> (f64, Vec<usize>) {
        let place = |begin: usize, end: usize| begin * (self.narrow + 1) + end;
        let mut best = (f64::NEG_INFINITY, 0, 0);
        for (bins, step) in self.steps.iter().enumerate() {
            for begin in 0..self.narrow {
                if let Some((information, _)) = step[place(begin, self.narrow)]
                    && information > best.0 + ROUNDING
                {
                    best = (information, bins, begin);
                }
            }
        }
        let (information, bins, mut begin) = best;
        let (mut starts, mut end) = (Vec::new(), self.narrow);
        for step in self.steps[..=bins].iter().rev() {
            if begin > 0 {
                starts.push(begin);
            }
            let before = step.get(place(begin, end)).copied().flatten().map_or(0, |(_, start)| start);
            (begin, end) = (before, begin);
        }
        starts.reverse();
        (information, starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worth(all: Count) -> impl Fn(Count) -> (f64, f64) {
        move |count: Count| {
            let rate = (count.events + 0.5) / (count.weight + 1.0);
            let evidence = (rate / (1.0 - rate)).ln();
            let others = (count.weight - count.events) / (all.weight - all.events);
            (evidence, ((count.events / all.events) - others) * evidence)
        }
    }

    fn total(narrow: &[Count]) -> Count {
        narrow.iter().fold(Count::default(), |a, b| Count { weight: a.weight + b.weight, events: a.events + b.events })
    }

    /// The information of some wide bins; `None` if the terms do not allow them.
    fn value<F: Fn(Count) -> (f64, f64)>(narrow: &[Count], starts: &[usize], terms: &Terms<F>) -> Option<f64> {
        let ends: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([narrow.len()]).collect();
        let wide: Vec<Count> = ends.windows(2).map(|pair| total(&narrow[pair[0]..pair[1]])).collect();
        let least = wide.iter().all(|bin| bin.weight >= terms.least) || wide.len() == 1;
        let worths: Vec<(f64, f64)> = wide.iter().map(|&bin| (terms.worth)(bin)).collect();
        let (up, down) = (worths.is_sorted_by(|a, b| a.0 <= b.0), worths.is_sorted_by(|a, b| a.0 >= b.0));
        let trend = match terms.trend {
            Trend::Auto => up || down,
            Trend::Increasing => up,
            Trend::Decreasing => down,
            Trend::Any => true,
        };
        (least && trend && wide.len() <= terms.most).then(|| worths.iter().map(|worth| worth.1).sum())
    }

    proptest! {
        #[test]
        fn no_other_bins_say_more(
            rows in prop::collection::vec((1u8..30, 0u8..30), 2..10),
            (share, most, which) in (0.0f64..0.4, 1usize..6, 0usize..4),
        ) {
            let count = |r: &(u8, u8)| Count { weight: f64::from(r.0), events: f64::from(r.1.min(r.0)) };
            let narrow: Vec<Count> = rows.iter().map(count).collect();
            let all = total(&narrow);
            prop_assume!(all.events > 0.0 && all.events < all.weight);
            let trend = [Trend::Auto, Trend::Increasing, Trend::Decreasing, Trend::Any][which];
            let terms = Terms { least: share * all.weight, most, trend, worth: worth(all) };
            let found = value(&narrow, &merged(&narrow, &terms), &terms);
            // Every way to put neighbours together.
            let ways = (0..1u32 << (narrow.len() - 1)).map(|cuts| -> Vec<usize> {
                (1..narrow.len()).filter(|i| cuts >> (i - 1) & 1 == 1).collect()
            });
            let best = ways.filter_map(|starts| value(&narrow, &starts, &terms)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(found.is_some_and(|found| (found - best).abs() < 1e-9), "{:?} {}", found, best);
        }
    }

    #[test]
    fn one_narrow_bin_is_one_wide_bin() {
        let narrow = [Count { weight: 4.0, events: 1.0 }];
        let terms = Terms { least: 9.0, most: 5, trend: Trend::Auto, worth: worth(total(&narrow)) };
        assert!(merged(&narrow, &terms).is_empty());
    }
}
