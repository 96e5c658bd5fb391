//! What rows add up to, and what a split of the sums is worth.
//!
//! Weights and targets are rounded to whole steps so small that sums stay below 2⁵³: they are exact in any order, and a
//! row of weight 2 is a row twice. With `L` the sums on the left, `m` the means of the node and `w` weights, a split takes
//! `Σ (L − w_L m)² · w / (w_L w_R)` off the Gini impurity or the squared error of the node. Leaves answer from unrounded
//! values.

/// A row of a tree under construction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Entry<P> {
    pub(crate) row: u32,
    pub(crate) part: P,
}

/// What a tree learns.
pub(crate) trait Truth: Sync {
    /// What a row adds.
    type Part: Copy + Default + Send;
    /// What rows add up to: so many numbers.
    type Sums: Clone + AsRef<[f64]> + AsMut<[f64]>;
    /// Scores up to this are rounding errors.
    const NOISE: f64;

    /// How many numbers a sum has.
    fn width(&self) -> usize;

    /// The sums of no rows.
    fn nothing(&self) -> Self::Sums;

    /// A row that was drawn so many times.
    fn part(&self, row: usize, times: f64) -> Self::Part;

    /// Adds a row.
    fn add(part: Self::Part, sums: &mut [f64]);

    /// The weight of sums, in steps.
    fn weight(sums: &[f64]) -> f64;

    /// What a split takes off, by the weight of the node; `means` are its sums by its weight.
    fn score(left: &[f64], weight: f64, means: &[f64]) -> f64;

    /// In how many ways levels are put in order.
    fn orders(&self) -> usize;

    /// Where a level stands in one of these orders.
    fn key(order: usize, sums: &[f64]) -> f64;

    /// Whether all rows say the same.
    fn is_pure(&self, sums: &[f64], entries: &[Entry<Self::Part>]) -> bool;

    /// What one step of weight is worth.
    fn step(&self) -> f64;

    /// What one step of a gain is worth.
    fn gain_step(&self) -> f64;

    /// What a leaf answers, from its rows and their weights.
    fn answer(&self, rows: &[(usize, f64)]) -> Vec<f64>;
}

/// The least power of two not below `x`, a normal number.
fn power_of_two(x: f64) -> f64 {
    let bits = x.clamp(f64::MIN_POSITIVE, 1e300).to_bits();
    f64::from_bits((bits + ((1 << 52) - 1)) & !((1 << 52) - 1))
}

/// Weights in steps: at most 2¹⁸ of them, so that a few rows drawn together stay whole numbers of 24 bits.
#[derive(Debug, Clone)]
struct Weights<'a> {
    weights: Option<&'a [f64]>,
    step: f64,
}

impl<'a> Weights<'a> {
    fn new(weights: Option<&'a [f64]>) -> Self {
        let largest = weights.map_or(1.0, |weights| weights.iter().copied().fold(0.0, f64::max));
        let step = if weights.is_some() { power_of_two(largest) / f64::from(1 << 18) } else { 1.0 };
        Self { weights, step: step.max(f64::MIN_POSITIVE) }
    }

    fn of(&self, row: usize, times: f64) -> f64 {
        self.weights.map_or(times, |weights| (weights[row] / self.step).round() * times)
    }
}

/// Events and others: `[other, event]`.
pub(crate) struct Events<'a> {
    class: &'a [u32],
    weights: Weights<'a>,
}

/// Classes: the weight of each.
pub(crate) struct Classes<'a> {
    class: &'a [u32],
    classes: usize,
    /// The most frequent classes, by which levels are ordered.
    leading: usize,
    weights: Weights<'a>,
}

/// Numbers: `[target · weight, weight]`.
pub(crate) struct Numbers<'a> {
    target: &'a [f64],
    centre: f64,
    step: f64,
    weights: Weights<'a>,
    /// Leaves answer so many quantiles, not the mean.
    kept: Option<usize>,
}

/// The class of a row and its weight in steps.
type ClassPart = (u32, f32);

impl<'a> Events<'a> {
    pub(crate) fn new(class: &'a [u32], weights: Option<&'a [f64]>) -> Self {
        Self { class, weights: Weights::new(weights) }
    }
}

impl Truth for Events<'_> {
    type Part = ClassPart;
    type Sums = [f64; 2];
    const NOISE: f64 = 1e-18;

    fn width(&self) -> usize {
        2
    }

    fn nothing(&self) -> [f64; 2] {
        [0.0; 2]
    }

    fn part(&self, row: usize, times: f64) -> ClassPart {
        (self.class[row], self.weights.of(row, times) as f32)
    }

    #[inline]
    fn add((class, weight): ClassPart, sums: &mut [f64]) {
        sums[(class & 1) as usize] += f64::from(weight);
    }

    #[inline]
    fn weight(sums: &[f64]) -> f64 {
        sums[0] + sums[1]
    }

    #[inline]
    fn score(left: &[f64], weight: f64, means: &[f64]) -> f64 {
        let on_left = left[0] + left[1];
        let off = left[1] - on_left * means[1];
        2.0 * off * off / (on_left * (weight - on_left))
    }

    fn orders(&self) -> usize {
        1
    }

    fn key(_: usize, sums: &[f64]) -> f64 {
        sums[1] / (sums[0] + sums[1])
    }

    fn is_pure(&self, sums: &[f64], _: &[Entry<ClassPart>]) -> bool {
        sums[0] == 0.0 || sums[1] == 0.0
    }

    fn step(&self) -> f64 {
        self.weights.step
    }

    fn gain_step(&self) -> f64 {
        self.weights.step
    }

    fn answer(&self, rows: &[(usize, f64)]) -> Vec<f64> {
        let (mut all, mut event) = (0.0, 0.0);
        for &(row, weight) in rows {
            all += weight;
            event += f64::from(self.class[row]) * weight;
        }
        vec![event / all]
    }
}

impl<'a> Classes<'a> {
    pub(crate) fn new(class: &'a [u32], classes: usize, weights: Option<&'a [f64]>) -> Self {
        Self { class, classes, leading: classes.min(8), weights: Weights::new(weights) }
    }
}

impl Truth for Classes<'_> {
    type Part = ClassPart;
    type Sums = Vec<f64>;
    const NOISE: f64 = 1e-18;

    fn width(&self) -> usize {
        self.classes
    }

    fn nothing(&self) -> Vec<f64> {
        vec![0.0; self.classes]
    }

    fn part(&self, row: usize, times: f64) -> ClassPart {
        (self.class[row], self.weights.of(row, times) as f32)
    }

    #[inline]
    fn add((class, weight): ClassPart, sums: &mut [f64]) {
        sums[class as usize] += f64::from(weight);
    }

    #[inline]
    fn weight(sums: &[f64]) -> f64 {
        sums.iter().sum()
    }

    #[inline]
    fn score(left: &[f64], weight: f64, means: &[f64]) -> f64 {
        let on_left = Self::weight(left);
        let squares = left.iter().zip(means).fold(0.0, |squares, (&sum, &mean)| {
            let off = sum - on_left * mean;
            squares + off * off
        });
        squares / (on_left * (weight - on_left))
    }

    fn orders(&self) -> usize {
        self.leading
    }

    fn key(order: usize, sums: &[f64]) -> f64 {
        sums[order] / Self::weight(sums)
    }

    fn is_pure(&self, sums: &[f64], _: &[Entry<ClassPart>]) -> bool {
        sums.iter().filter(|&&weight| weight > 0.0).count() < 2
    }

    fn step(&self) -> f64 {
        self.weights.step
    }

    fn gain_step(&self) -> f64 {
        self.weights.step
    }

    fn answer(&self, rows: &[(usize, f64)]) -> Vec<f64> {
        let (mut all, mut shares) = (0.0, vec![0.0; self.classes]);
        for &(row, weight) in rows {
            all += weight;
            shares[self.class[row] as usize] += weight;
        }
        shares.iter_mut().for_each(|share| *share /= all);
        shares
    }
}

impl<'a> Numbers<'a> {
    /// `drawn` is the most that the weights of a tree's rows can be, in rows.
    pub(crate) fn new(target: &'a [f64], weights: Option<&'a [f64]>, drawn: usize, kept: Option<usize>) -> Self {
        let (low, high) =
            target.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &y| (low.min(y), high.max(y)));
        let centre = f64::midpoint(low, high);
        let weights = Weights::new(weights);
        let heaviest = if weights.weights.is_some() { f64::from(1 << 18) } else { 1.0 };
        // The sum of all rows is below 2⁵³.
        let most = (1_u64 << 53) as f64 / power_of_two(drawn.max(1) as f64 * 2.0) / heaviest;
        let step = power_of_two((high / 2.0 - low / 2.0) / most * 1.000_001);
        Self { target, centre, step, weights, kept }
    }
}

impl Numbers<'_> {
    /// Evenly spaced quantiles: with `(i + ½) / kept` of the weight up to them.
    fn quantiles(&self, rows: &[(usize, f64)], kept: usize) -> Vec<f64> {
        let mut pairs: Vec<(f64, f64)> = rows.iter().map(|&(row, weight)| (self.target[row], weight)).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let all: f64 = pairs.iter().map(|(_, weight)| weight).sum();
        let (mut at, mut below) = (0, 0.0);
        let quantile = |i: usize| {
            let level = (i as f64 + 0.5) / kept as f64 * all;
            while at + 1 < pairs.len() && below + pairs[at].1 < level {
                below += pairs[at].1;
                at += 1;
            }
            pairs.get(at).map_or(0.0, |(target, _)| *target)
        };
        (0..kept).map(quantile).collect()
    }
}

/// The weight of a row in steps, and its target times that.
type NumberPart = (f32, f64);

impl Truth for Numbers<'_> {
    type Part = NumberPart;
    type Sums = [f64; 2];
    const NOISE: f64 = 1e-9;

    fn width(&self) -> usize {
        2
    }

    fn nothing(&self) -> [f64; 2] {
        [0.0; 2]
    }

    fn part(&self, row: usize, times: f64) -> NumberPart {
        let weight = self.weights.of(row, times);
        (weight as f32, ((self.target[row] - self.centre) / self.step).round() * weight)
    }

    #[inline]
    fn add((weight, target): NumberPart, sums: &mut [f64]) {
        sums[0] += target;
        sums[1] += f64::from(weight);
    }

    #[inline]
    fn weight(sums: &[f64]) -> f64 {
        sums[1]
    }

    #[inline]
    fn score(left: &[f64], weight: f64, means: &[f64]) -> f64 {
        let off = left[0] - left[1] * means[0];
        off * off / (left[1] * (weight - left[1]))
    }

    fn orders(&self) -> usize {
        1
    }

    fn key(_: usize, sums: &[f64]) -> f64 {
        sums[0] / sums[1]
    }

    fn is_pure(&self, _: &[f64], entries: &[Entry<NumberPart>]) -> bool {
        let value = |entry: &Entry<NumberPart>| self.target[entry.row as usize];
        entries.first().is_none_or(|first| entries.iter().all(|entry| value(entry) == value(first)))
    }

    fn step(&self) -> f64 {
        self.weights.step
    }

    fn gain_step(&self) -> f64 {
        self.step * self.step * self.weights.step
    }

    fn answer(&self, rows: &[(usize, f64)]) -> Vec<f64> {
        if let Some(kept) = self.kept {
            return self.quantiles(rows, kept);
        }
        let first = rows.first().map_or(0.0, |&(row, _)| self.target[row]);
        if rows.iter().all(|&(row, _)| self.target[row] == first) {
            return vec![first];
        }
        let all: f64 = rows.iter().map(|&(_, weight)| weight).sum();
        // Shares first: the mean of numbers is a number.
        vec![rows.iter().map(|&(row, weight)| self.target[row] * (weight / all)).sum()]
    }
}
