//! Numbers into bins by what they say about an event, and the weight of that evidence.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::split::{group_folds, stratified_folds};
use stagewise_core::stage::{Plan, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Binary;
use stagewise_numeric::shrink::m_estimate;

use super::binning::{Binning, FittedBins, Gives, MissingBin, bin};
use super::merge::{Count, Terms, Trend, merged};
use crate::columns::positions;
use crate::rewrite::{Rewrite, Training, plan};
use crate::scale::finite::Finite;

/// Puts numbers into the bins that say most about the event, and gives the weight of their evidence.
///
/// ```text
/// WoE = ln(p / (1 − p)) − ln(P / (1 − P))      p = (events + m P) / (rows + m) of the bin, P the share of all rows
/// IV  = Σ (events / all events − others / all others) · WoE
/// ```
///
/// A column is first cut at quantiles into narrow bins; of all ways to put neighbours together that keep to
/// [`trend`](Self::trend), [`min_share`](Self::min_share) and [`max_bins`](Self::max_bins), that of the greatest
/// information value is taken, found by dynamic programming and not by steps. The weight of evidence is positive where
/// events are more frequent than on the whole; it is the number that a logistic regression on the bin would add to its
/// score.
///
/// The target is looked at when fitting. Training rows get their weight of evidence from bins and counts of other rows:
/// `fit_transform` learns anew for each of [`folds`](Self::folds) folds from the rows outside it, stratified by the
/// event, and whole groups where a column has that role. Bins as numbers or levels are those of all rows.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | [`missing`](Self::missing); by default a bin of their own, with evidence 0 if training had none |
/// | numbers outside the training range, `±∞` | the first or the last bin |
/// | a constant column, or one without any finite value | one bin |
/// | training rows without any event, or of nothing else | evidence 0, with a warning |
/// | weights | count as rows |
/// | fewer rows than folds, or fewer groups | [`DataError`](stagewise_core::error::DataError) in `fit_transform` |
///
/// Output: the same columns. `O(rows log narrow + max_bins · narrow³)` a column to fit.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Binary;
/// use stagewise_features::bucket::WoeBins;
///
/// // At 30 one in four left, at 60 three in four.
/// let ages: Vec<f64> = (0..40).map(|i| if i < 20 { 30.0 } else { 60.0 }).collect();
/// let left = (0..40).map(|i| Some(if (i % 4 == 0) == (i < 20) { "yes" } else { "no" }));
/// let table = Table::of([("age", Column::numbers(ages)), ("left", Column::categories(left))])?;
/// let train = Dataset::new(table, &Problem::<Binary>::new("left").event("yes"))?;
/// let fitted = WoeBins::on(numbers()).smoothing(1e-9).fit(&train, &FitContext::new(0))?;
/// let values = fitted.rule("age").and_then(|rule| rule.values()).ok_or("no values")?;
/// assert!((values[0] + 3f64.ln()).abs() < 1e-6 && (values[1] - 3f64.ln()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: Good (1950), "Probability and the weighing of evidence", for the weight of evidence; Navas-Palencia (2020),
/// "Optimal binning: mathematical programming formulation", for the problem. Checked against every way to put bins
/// together, and against the evidence and the information value of their definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WoeBins {
    on: Selector,
    #[serde(default = "eight")]
    max_bins: usize,
    #[serde(default = "twenty")]
    narrow: usize,
    #[serde(default = "twentieth")]
    min_share: f64,
    #[serde(default)]
    trend: Trend,
    #[serde(default = "one")]
    smoothing: f64,
    #[serde(default)]
    output: WoeOutput,
    #[serde(default = "own")]
    missing: MissingBin,
    #[serde(default = "five")]
    folds: usize,
}

/// What stands in place of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WoeOutput {
    /// The weight of evidence of its bin.
    #[default]
    Woe,
    /// The number of its bin, from 0.
    Number,
    /// A level that says the range.
    Level,
}

impl WoeBins {
    /// Puts these columns, which must be numbers, into bins.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            max_bins: eight(),
            narrow: twenty(),
            min_share: twentieth(),
            trend: Trend::default(),
            smoothing: one(),
            output: WoeOutput::default(),
            missing: own(),
            folds: five(),
        }
    }

    /// How many bins a column gets at most, that of missing values aside: 1 to 100. Default 8.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    /// Into how many narrow bins, equally full, a column is cut before neighbours are put together: 2 to 100. Default
    /// 20.
    #[must_use]
    pub fn narrow(mut self, narrow: usize) -> Self {
        self.narrow = narrow;
        self
    }

    /// The least share of the rows with a value, by weight, that a bin has: at least 0, at most 0.5. Default 0.05.
    #[must_use]
    pub fn min_share(mut self, min_share: f64) -> Self {
        self.min_share = min_share;
        self
    }

    /// How the weight of evidence goes from bin to bin. Default [`Trend::Auto`]: up or down.
    #[must_use]
    pub fn trend(mut self, trend: Trend) -> Self {
        self.trend = trend;
        self
    }

    /// How many rows of the average kind are added to each bin, `m` above: above 0. Default 1.
    #[must_use]
    pub fn smoothing(mut self, smoothing: f64) -> Self {
        self.smoothing = smoothing;
        self
    }

    /// What stands in place of a number. Default [`WoeOutput::Woe`].
    #[must_use]
    pub fn output(mut self, output: WoeOutput) -> Self {
        self.output = output;
        self
    }

    /// What becomes of a missing value. Default [`MissingBin::Own`].
    #[must_use]
    pub fn missing(mut self, missing: MissingBin) -> Self {
        self.missing = missing;
        self
    }

    /// How many folds the training rows are cut into, each of which gets the evidence of the others: at least 2.
    /// Default 5.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check((1..=100).contains(&self.max_bins), "max_bins", self.max_bins, "1 to 100")?;
        ParameterError::check((2..=100).contains(&self.narrow), "narrow", self.narrow, "2 to 100")?;
        let share = self.min_share;
        ParameterError::check((0.0..=0.5).contains(&share), "min_share", share, "at least 0, at most 0.5")?;
        let m = self.smoothing;
        ParameterError::check(m.is_finite() && m > 0.0, "smoothing", m, "finite and above 0")?;
        ParameterError::check(self.folds >= 2, "folds", self.folds, "at least 2")?;
        positions(&self.on, input, &[Kind::Number])
    }

    fn learned(&self, train: &Dataset<Binary>, positions: &[usize], cx: &FitContext) -> Result<FittedBins> {
        let events = train.target().events();
        Rewrite::learn(train, positions, cx, |training| self.learn(training, events))
    }

    fn learn(&self, training: &mut Training<'_>, events: &[bool]) -> Result<Binning> {
        let finite = Finite::of(training)?;
        let shares: Vec<f64> = (1..self.narrow).map(|i| i as f64 / self.narrow as f64).collect();
        let least = finite.range().map_or(f64::INFINITY, |range| range.0);
        let mut edges = finite.quantiles(&shares).unwrap_or_default();
        edges.retain(|&edge| edge > least);
        edges.dedup();

        let values = training.column.as_numbers()?;
        let (mut narrow, mut missing) = (vec![Count::default(); edges.len() + 1], Count::default());
        for (row, weight) in training.rows() {
            let x = values[row];
            let count = if x.is_nan() { &mut missing } else { &mut narrow[bin(&edges, x)] };
            count.weight += weight;
            count.events += if events[row] { weight } else { 0.0 };
        }
        let valued = narrow.iter().fold(Count::default(), |sum, count| sum.and(*count));
        let all = if self.missing == MissingBin::Own { valued.and(missing) } else { valued };
        if !(all.events > 0.0 && all.events < all.weight) {
            training.warn("has rows of one class only; it is no evidence");
            return Ok(Binning::new(Vec::new(), self.gives(vec![0.0; 2]), self.missing));
        }
        let terms = Terms {
            least: self.min_share * valued.weight,
            most: self.max_bins,
            trend: self.trend,
            worth: |count: Count| {
                let evidence = self.evidence(count, all);
                (evidence, count.difference(all) * evidence)
            },
        };
        let starts = merged(&narrow, &terms);
        let ends = [0].into_iter().chain(starts.iter().copied()).chain([narrow.len()]).collect::<Vec<_>>();
        let wide = ends.windows(2).map(|pair| narrow[pair[0]..pair[1]].iter().fold(Count::default(), |a, b| a.and(*b)));
        let evidence = wide.chain([missing]).map(|count| self.evidence(count, all)).collect();
        let edges = starts.iter().map(|&start| edges[start - 1]).collect();
        Ok(Binning::new(edges, self.gives(evidence), self.missing))
    }

    /// The weight of evidence of a bin.
    fn evidence(&self, count: Count, all: Count) -> f64 {
        if count.weight == 0.0 {
            return 0.0;
        }
        let (share, other) = (all.events / all.weight, (all.weight - all.events) / all.weight);
        let p = m_estimate(count.events, count.weight, share, self.smoothing);
        let q = m_estimate(count.weight - count.events, count.weight, other, self.smoothing);
        (p / q).ln() - (share / other).ln()
    }

    fn gives(&self, evidence: Vec<f64>) -> Gives {
        match self.output {
            WoeOutput::Woe => Gives::Values(evidence),
            WoeOutput::Number => Gives::Number,
            WoeOutput::Level => Gives::Level,
        }
    }

    /// The fold of each row that counts; the others have none.
    fn fold_of(&self, train: &Dataset<Binary>, cx: &FitContext) -> Result<Vec<Option<u32>>> {
        let counts = |row: &usize| train.weights().is_none_or(|weights| weights[*row] > 0.0);
        let rows: Vec<usize> = (0..train.rows()).filter(counts).collect();
        let events = train.target().events();
        let folds = match train.groups() {
            Some(groups) => group_folds(&rows.iter().map(|&row| groups[row]).collect::<Vec<_>>(), self.folds)?,
            None => {
                let strata: Vec<u32> = rows.iter().map(|&row| u32::from(events[row])).collect();
                stratified_folds(&strata, self.folds, &mut cx.stream("folds"))?
            }
        };
        let mut fold_of = vec![None; train.rows()];
        rows.iter().zip(folds).for_each(|(&row, fold)| fold_of[row] = Some(fold));
        Ok(fold_of)
    }
}

impl Count {
    fn and(self, other: Self) -> Self {
        Self { weight: self.weight + other.weight, events: self.events + other.events }
    }

    /// The share of all events less the share of all others that is here.
    fn difference(self, all: Self) -> f64 {
        self.events / all.events - (self.weight - self.events) / (all.weight - all.events)
    }
}

impl Persist for WoeBins {
    const TAG: &'static str = "WoeBins";
}

impl Transformer<Binary> for WoeBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let is_level = self.output == WoeOutput::Level;
        Ok(plan(input, &self.positions(input)?, true, |field| vec![Binning::field(field, is_level, self.missing)]))
    }

    fn fit(&self, train: &Dataset<Binary>, cx: &FitContext) -> Result<FittedBins> {
        self.learned(train, &self.positions(train.features().schema())?, cx)
    }

    fn fit_transform(&self, train: Dataset<Binary>, cx: &FitContext) -> Result<(FittedBins, Dataset<Binary>)> {
        let positions = self.positions(train.features().schema())?;
        let fitted = self.learned(&train, &positions, cx)?;
        if self.output != WoeOutput::Woe {
            let train = train.map_features(|features| fitted.transform(features))?;
            return Ok((fitted, train));
        }
        let fold_of = self.fold_of(&train, cx)?;
        let narrowed = train.clone().map_features(|features| features.select(&positions))?;
        let own: Vec<usize> = (0..positions.len()).collect();
        // What is not in a fold does not count in training, so it gets what later rows get.
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(positions.len());
        for (column, field) in narrowed.features().columns().iter().zip(narrowed.features().schema().fields()) {
            let rule = fitted.rule(&field.name);
            let number = |&x: &f64| rule.map_or(x, |rule| rule.number(x));
            columns.push(column.as_numbers()?.iter().map(number).collect());
        }
        for fold in 0..self.folds as u32 {
            cx.check()?;
            let outside: Vec<usize> = (0..fold_of.len()).filter(|&row| fold_of[row] != Some(fold)).collect();
            // Its warnings are those of all rows again, or of no interest.
            let others = self.learned(&narrowed.take(&outside), &own, &cx.fold(fold as usize))?;
            let inside: Vec<usize> = (0..fold_of.len()).filter(|&row| fold_of[row] == Some(fold)).collect();
            for (made, (column, field)) in
                columns.iter_mut().zip(narrowed.features().columns().iter().zip(narrowed.features().schema().fields()))
            {
                let values = column.as_numbers()?;
                if let Some(rule) = others.rule(&field.name) {
                    inside.iter().for_each(|&row| made[row] = rule.number(values[row]));
                }
            }
        }
        let train = train.map_features(|features| {
            let rows = features.rows();
            let (_, mut all) = features.into_parts();
            positions.iter().zip(columns).for_each(|(&position, made)| all[position] = Column::numbers(made));
            Table::sized(fitted.output().clone(), all, rows)
        })?;
        Ok((fitted, train))
    }
}

fn one() -> f64 {
    1.0
}

fn five() -> usize {
    5
}

fn eight() -> usize {
    8
}

fn twenty() -> usize {
    20
}

fn twentieth() -> f64 {
    0.05
}

fn own() -> MissingBin {
    MissingBin::Own
}

#[cfg(test)]
mod tests;
