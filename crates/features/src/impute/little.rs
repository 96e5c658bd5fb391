//! Are numbers missing completely at random? Little's test.
//!
//! Rows that lack the same columns are one pattern. Were values missing completely at random, the means of the columns that
//! a pattern has would differ from those of all rows by chance alone. Means and covariances of all rows are estimated from
//! incomplete ones by expectation and maximisation; what a pattern adds to them is a function of its own means and
//! cross-products, so that a step costs nothing per row.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use stagewise_core::columns::positions;
use stagewise_core::error::{At, Crumb, DataError, NumericError, PipelineError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_core::schema::{Kind, Role};
use stagewise_core::select::Selector;
use stagewise_core::table::Table;
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::solve::cholesky::Cholesky;
use stagewise_numeric::sum::Moments;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The change of a step, in standard deviations, at which the estimates have settled, and the most steps.
const SETTLED: f64 = 1e-10;
const MOST_STEPS: usize = 5000;

/// Little's test of whether numbers are missing completely at random.
///
/// ```text
/// d² = Σ_patterns n (m − μ)ᵀ Σ⁻¹ (m − μ)        over the columns that the pattern has; m its means, n its rows
/// ```
///
/// `μ` and `Σ` are the maximum-likelihood estimates under a normal law. If values are missing completely at random, `d²` is
/// about `χ²` with as many degrees of freedom as all patterns together have columns, less the columns. A small p value says
/// that they are not; a large one does not say that they are, least of all with few rows. Wants columns that are not far
/// from normal, and many rows a pattern.
///
/// Constant columns and such without a value are left out, as are rows that have none. The p value is for the numbers
/// selected: what is missing among categories is asked by [`MissingnessReport`](super::MissingnessReport). `O(rows ·
/// columns²)`, and `O(patterns · columns³)` for each of some dozens to thousands of steps.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::select::numbers;
/// use stagewise_core::table::Table;
/// use stagewise_features::impute::LittlesTest;
///
/// // Half of the second column is missing, and just where the first one is large.
/// let x: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60)).collect();
/// let y: Vec<f64> = x.iter().map(|x| if *x < 30.0 { (x * 1.7).sin() } else { f64::NAN }).collect();
/// let table = Table::of([("x", Column::numbers(x)), ("y", Column::numbers(y))])?;
/// let test = LittlesTest::of(&table, &numbers())?;
/// assert_eq!((test.patterns, test.freedom), (2, 1));
/// assert!(test.p_value < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against estimates from single rows that no general optimiser betters, tolerance 1e-9, and against what naniar
/// publishes for R's `airquality`, `d²` = 35.106 with 14 degrees of freedom. Little (1988), "A test of missing completely at
/// random for multivariate data with missing values".
#[derive(Debug, Clone, PartialEq)]
pub struct LittlesTest {
    /// The columns looked at, in the table's order.
    pub columns: Vec<String>,
    /// The rows that have any of them.
    pub rows: usize,
    /// The sets of columns that are missing together, that of complete rows included.
    pub patterns: usize,
    /// `d²`.
    pub statistic: f64,
    /// The degrees of freedom.
    pub freedom: usize,
    /// The chance of such a statistic, or a larger one, were values missing completely at random.
    pub p_value: f64,
}

impl LittlesTest {
    /// Tests the selected columns of a table, which must be numbers.
    ///
    /// # Errors
    /// A selector that does not resolve or picks other kinds; [`DataError::NotFinite`];
    /// [`NumericError::Undefined`] if no value is missing; [`NumericError::Singular`] for linearly dependent columns,
    /// [`NumericError::NotConverged`]; [`PipelineError::Ignored`] for a table with weights.
    pub fn of(table: &Table, on: &Selector) -> Result<Self> {
        refuse_weights("LittlesTest", table)?;
        let (mut columns, mut scores) = (Vec::new(), Vec::new());
        for i in positions(on, table.schema(), &[Kind::Number])? {
            let name = &table.schema().fields()[i].name;
            let values = table.columns()[i].as_numbers()?;
            if let Some(standard) = standard(values).at(|| Crumb::column(name.as_ref()))? {
                columns.push(name.to_string());
                scores.push(standard);
            }
        }
        let patterns = patterns(&scores, table.rows());
        let rows = patterns.iter().map(|p| p.rows).sum::<f64>();
        let held: usize = patterns.iter().map(|p| p.held.len()).sum();
        let freedom = held.saturating_sub(columns.len());
        if freedom == 0 {
            let why = "no number is missing in some rows and there in others".to_string();
            return Err(NumericError::Undefined { what: "Little's test".into(), why }.into());
        }
        let normal = Normal::of(&patterns, columns.len(), rows)?;
        let statistic = patterns.iter().map(|p| normal.distance(p)).sum::<Result<f64>>()?;
        let law = ChiSquared::new(freedom as f64).map_err(stagewise_core::Error::external)?;
        Ok(Self {
            columns,
            rows: rows as usize,
            patterns: patterns.len(),
            statistic,
            freedom,
            p_value: law.sf(statistic.max(0.0)),
        })
    }
}

/// Refuses a table that has weights, which the tests of missingness do not know.
pub(super) fn refuse_weights(stage: &str, table: &Table) -> Result<()> {
    if table.schema().fields().iter().any(|field| field.role == Role::Weight) {
        let remedy = "give it the table without the column of weights".to_string();
        return Err(PipelineError::Ignored { stage: stage.into(), what: "weights", remedy }.into());
    }
    Ok(())
}

impl Exhibit for LittlesTest {
    fn exhibit(&self) -> Section {
        let fact = |name: &str, value: String| (name.to_string(), value);
        Section::new("Little's test of missing completely at random").block(Block::Facts(vec![
            fact("columns", self.columns.join(", ")),
            fact("rows", self.rows.to_string()),
            fact("patterns", self.patterns.to_string()),
            fact("d²", number(self.statistic)),
            fact("degrees of freedom", self.freedom.to_string()),
            fact("p", number(self.p_value)),
        ]))
    }
}

/// Values in standard deviations from their mean; `None` for a column without two values that differ.
fn standard(values: &[f64]) -> Result<Option<Vec<f64>>> {
    if let Some(first) = values.iter().position(|x| x.is_infinite()) {
        let count = values.iter().filter(|x| x.is_infinite()).count();
        return Err(DataError::NotFinite { count, first }.into());
    }
    // Squares of the largest numbers must not overflow, nor those of the smallest vanish.
    let size = values.iter().filter(|x| !x.is_nan()).fold(0.0_f64, |most, x| most.max(x.abs()));
    let mut moments = Moments::new();
    values.iter().for_each(|x| moments.add(x / size));
    let (Some(mean), Some(variance)) = (moments.mean(), moments.variance(0.0)) else { return Ok(None) };
    let spread = variance.sqrt();
    if spread <= f64::EPSILON * mean.abs() {
        return Ok(None);
    }
    Ok(Some(values.iter().map(|x| (x / size - mean) / spread).collect()))
}

/// Rows that have the same columns.
struct Pattern {
    /// The columns that they have, and those that they lack.
    held: Vec<usize>,
    lacked: Vec<usize>,
    rows: f64,
    /// Means of the columns held, and the sums of products of what is left of them.
    means: Array1<f64>,
    products: Array2<f64>,
}

fn patterns(columns: &[Vec<f64>], rows: usize) -> Vec<Pattern> {
    let mut by_held: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for row in 0..rows {
        by_held.entry(columns.iter().map(|c| !c[row].is_nan()).collect()).or_default().push(row);
    }
    let all: Vec<(Vec<bool>, Vec<usize>)> = by_held.into_iter().filter(|(held, _)| held.contains(&true)).collect();
    let of = |(held, rows): &(Vec<bool>, Vec<usize>)| {
        let (held, lacked): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(|&c| held[c]);
        let count = rows.len() as f64;
        let mean = |&c: &usize| rows.iter().map(|&row| columns[c][row]).sum::<f64>() / count;
        let means: Array1<f64> = held.iter().map(mean).collect();
        let mut products = Array2::zeros((held.len(), held.len()));
        for (i, &a) in held.iter().enumerate() {
            for (j, &b) in held.iter().enumerate().take(i + 1) {
                let product = |&row: &usize| (columns[a][row] - means[i]) * (columns[b][row] - means[j]);
                let sum: f64 = rows.iter().map(product).sum();
                products[[i, j]] = sum;
                products[[j, i]] = sum;
            }
        }
        Pattern { held, lacked, rows: count, means, products }
    };
    blocks(all.len(), 1, |i| of(&all[i.start]))
}

/// A normal law.
struct Normal {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

impl Normal {
    /// The likeliest law of rows that were seen in part, by expectation and maximisation (Dempster, Laird & Rubin 1977).
    fn of(patterns: &[Pattern], width: usize, rows: f64) -> Result<Self> {
        let mut law = Self { mean: Array1::zeros(width), covariance: Array2::eye(width) };
        let mut last = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let expected = blocks(patterns.len(), 4, |range| {
                range.map(|i| law.expected(&patterns[i])).collect::<Result<Vec<_>>>()
            });
            let expected: Vec<(Array1<f64>, Array2<f64>)> =
                expected.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            let mut mean = Array1::zeros(width);
            for ((means, _), pattern) in expected.iter().zip(patterns) {
                mean.scaled_add(pattern.rows / rows, means);
            }
            let mut covariance = Array2::zeros((width, width));
            for ((means, products), pattern) in expected.iter().zip(patterns) {
                let away = means - &mean;
                covariance += products;
                for i in 0..width {
                    for j in 0..width {
                        covariance[[i, j]] += pattern.rows * away[i] * away[j];
                    }
                }
            }
            covariance /= rows;
            let change = |a: &f64, b: &f64| (a - b).abs();
            let of_mean = mean.iter().zip(&law.mean).map(|(a, b)| change(a, b));
            last = of_mean.chain(covariance.iter().zip(&law.covariance).map(|(a, b)| change(a, b))).fold(0.0, f64::max);
            law = Self { mean, covariance };
            if last <= SETTLED {
                return Ok(law);
            }
        }
        Err(NumericError::NotConverged { iterations: MOST_STEPS, tolerance: SETTLED, last }.into())
    }

    /// The mean of a pattern's rows, and the sums of products about it, with what they lack as this law expects it.
    fn expected(&self, pattern: &Pattern) -> Result<(Array1<f64>, Array2<f64>)> {
        let Pattern { held, lacked, rows, means, products } = pattern;
        let width = self.mean.len();
        let factor = self.factor(held)?;
        // The slopes of what is lacked on what is held.
        let mut slopes = Array2::zeros((lacked.len(), held.len()));
        for (i, &a) in lacked.iter().enumerate() {
            let covariance: Array1<f64> = held.iter().map(|&b| self.covariance[[a, b]]).collect();
            slopes.row_mut(i).assign(&factor.solve(covariance.view()).map_err(|_| NumericError::Singular)?);
        }
        let away: Array1<f64> = held.iter().zip(means).map(|(&b, mean)| mean - self.mean[b]).collect();
        let (told, cross) = (slopes.dot(&away), slopes.dot(products));
        let within = cross.dot(&slopes.t());
        let (mut mean, mut all) = (Array1::zeros(width), Array2::zeros((width, width)));
        for (i, &a) in held.iter().enumerate() {
            mean[a] = means[i];
            for (j, &b) in held.iter().enumerate() {
                all[[a, b]] = products[[i, j]];
            }
        }
        for (i, &a) in lacked.iter().enumerate() {
            mean[a] = self.mean[a] + told[i];
            for (j, &b) in held.iter().enumerate() {
                all[[a, b]] = cross[[i, j]];
                all[[b, a]] = cross[[i, j]];
            }
            for (j, &b) in lacked.iter().enumerate() {
                let explained: f64 =
                    held.iter().enumerate().map(|(k, &c)| slopes[[i, k]] * self.covariance[[c, b]]).sum();
                all[[a, b]] = within[[i, j]] + rows * (self.covariance[[a, b]] - explained);
            }
        }
        Ok((mean, all))
    }

    /// What a pattern adds to `d²`.
    fn distance(&self, pattern: &Pattern) -> Result<f64> {
        let away: Array1<f64> = pattern.held.iter().zip(&pattern.means).map(|(&b, mean)| mean - self.mean[b]).collect();
        let solved = self.factor(&pattern.held)?.solve(away.view()).map_err(|_| NumericError::Singular)?;
        Ok(pattern.rows * away.dot(&solved))
    }

    fn factor(&self, held: &[usize]) -> Result<Cholesky> {
        let part = Array2::from_shape_fn((held.len(), held.len()), |(i, j)| self.covariance[[held[i], held[j]]]);
        Ok(Cholesky::factor(part.view()).map_err(|_| NumericError::Singular)?)
    }
}

#[cfg(test)]
mod tests;
