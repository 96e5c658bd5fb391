//! How columns hang together: Pearson's and Spearman's correlation of two numbers, Cramér's V of two categories, the
//! correlation ratio of a category and a number.
//!
//! Each pair by the rows that have both. Columns without a missing value are centred, scaled and ranked once, so that a pair
//! of them is one pass over two slices.

use rayon::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::exhibit::Chart;
use stagewise_core::schema::Role;
use stagewise_core::table::Table;
use stagewise_numeric::rank::average_ranks;
use stagewise_numeric::sum::{dot, exact_sum_by};

use super::MANY_LEVELS;
use crate::leak::{LEAST_ROWS, MISSING_LEVEL, dense, levels};

/// Tables with more columns that have an association are looked at up to here.
pub const MOST_COLUMNS: usize = 60;

/// Heat maps with more columns than this are not drawn.
const DRAWN: usize = 30;

/// A measure of association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Of two numbers, in [−1, 1]: how nearly they lie on a line.
    Pearson,
    /// Of two numbers, in [−1, 1]: Pearson's correlation of the ranks, ties averaged.
    Spearman,
    /// Of two categories or flags, in [0, 1], corrected for bias: see [`cramers_v`].
    CramersV,
    /// Of a category or flag and a number, in [0, 1]: see [`correlation_ratio`].
    CorrelationRatio,
}

/// How two columns hang together.
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    /// The earlier column of the table.
    pub first: String,
    /// The later one.
    pub second: String,
    /// The measure.
    pub measure: Measure,
    /// Its value.
    pub value: f64,
    /// The rows that have both.
    pub rows: usize,
}

/// The associations of all pairs of columns.
///
/// Of numbers, categories and flags; categories with more than 100 levels, constants, ids and ignored columns have none.
/// Infinite numbers count as missing. Pairs with fewer than 20 rows are left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Associations {
    /// The columns that have any, in the table's order.
    pub columns: Vec<String>,
    /// By pair, in the order of the columns; of two numbers first Pearson's, then Spearman's.
    pub pairs: Vec<Association>,
    /// How many columns were left out because there are more than 60.
    pub left_out: usize,
}

impl Associations {
    /// The associations within a table. `O(columns² · rows + columns · rows · log rows)`; the same for any number of threads.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// use stagewise_core::table::Table;
    /// use stagewise_data::profile::{Associations, Measure};
    ///
    /// let x: Vec<f64> = (1..=40).map(f64::from).collect();
    /// let y: Vec<f64> = x.iter().map(|x| x.exp()).collect();
    /// let table = Table::of([("x", Column::numbers(x)), ("y", Column::numbers(y))])?;
    /// let found = Associations::of(&table);
    /// assert_eq!(found.value("y", "x", Measure::Spearman), Some(1.0));
    /// assert!(found.value("x", "y", Measure::Pearson) < Some(0.5));
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn of(table: &Table) -> Self {
        let fields = table.schema().fields();
        let eligible = |i: &usize| !matches!(fields[*i].role, Role::Id | Role::Ignored);
        let candidates: Vec<usize> = (0..fields.len()).filter(eligible).collect();
        let prepared: Vec<Option<Prepared>> =
            candidates.par_iter().map(|&i| Prepared::of(&table.columns()[i])).collect();
        let mut columns: Vec<(String, Prepared)> = candidates
            .into_iter()
            .zip(prepared)
            .filter_map(|(i, prepared)| prepared.map(|p| (fields[i].name.to_string(), p)))
            .collect();
        let left_out = columns.len().saturating_sub(MOST_COLUMNS);
        columns.truncate(MOST_COLUMNS);
        let pairs: Vec<(usize, usize)> =
            (0..columns.len()).flat_map(|a| (a + 1..columns.len()).map(move |b| (a, b))).collect();
        let found: Vec<Vec<Association>> = pairs
            .into_par_iter()
            .map(|(a, b)| {
                let of = |(measure, value, rows): (Measure, f64, usize)| Association {
                    first: columns[a].0.clone(),
                    second: columns[b].0.clone(),
                    measure,
                    value,
                    rows,
                };
                pair(&columns[a].1, &columns[b].1).into_iter().map(of).collect()
            })
            .collect();
        let columns = columns.into_iter().map(|(name, _)| name).collect();
        Self { columns, pairs: found.into_iter().flatten().collect(), left_out }
    }

    /// One value; the order of the columns does not count.
    pub fn value(&self, first: &str, second: &str, measure: Measure) -> Option<f64> {
        let of = |a: &&Association| {
            a.measure == measure
                && ((a.first == first && a.second == second) || (a.first == second && a.second == first))
        };
        self.pairs.iter().find(of).map(|a| a.value)
    }

    /// Two heat maps, if there is anything to draw: of all columns, with Spearman's correlation for two numbers, and
    /// Pearson's of the numbers alone.
    pub(super) fn charts(&self) -> Vec<Chart> {
        if self.columns.len() < 2 || self.columns.len() > DRAWN {
            return Vec::new();
        }
        let chart = |title: &str, columns: Vec<String>, keep: &dyn Fn(Measure) -> bool| {
            let value = |a: &str, b: &str| {
                let of = |x: &&Association| {
                    keep(x.measure) && (x.first == a && x.second == b || x.first == b && x.second == a)
                };
                if a == b { 1.0 } else { self.pairs.iter().find(of).map_or(0.0, |x| x.value) }
            };
            let rows = columns.iter().map(|a| (a.clone(), columns.iter().map(|b| value(a, b)).collect())).collect();
            Chart::Heat { title: title.into(), x: "column".into(), y: "column".into(), columns, rows }
        };
        let title = "Association: Spearman, Cramér's V, correlation ratio";
        let mut charts = vec![chart(title, self.columns.clone(), &|m| m != Measure::Pearson)];
        let linear = |name: &&String| {
            self.pairs.iter().any(|p| p.measure == Measure::Pearson && (p.first == **name || p.second == **name))
        };
        let numbers: Vec<String> = self.columns.iter().filter(linear).cloned().collect();
        if numbers.len() > 1 {
            charts.push(chart("Correlation: Pearson", numbers, &|m| m == Measure::Pearson));
        }
        charts
    }
}

/// Cramér's V of two columns of codes, corrected for bias (Bergsma 2013): with `φ² = χ² / n` of `r × c` levels that come,
/// `φ̃² = max(0, φ² − (r − 1)(c − 1) / (n − 1))`, `k̃ = k − (k − 1)² / (n − 1)`, `V = √(φ̃² / (min(r̃, c̃) − 1))`.
///
/// `None` for fewer than two levels on a side. `O(n + r c)`. Checked against the formula in numpy on the `χ²` of scipy 1.17.1, 1e-9.
///
/// ```
/// use stagewise_data::profile::cramers_v;
/// let a: Vec<usize> = (0..100).map(|i| i % 2).collect();
/// let b: Vec<usize> = (0..100).map(|i| i / 2 % 2).collect();
/// assert_eq!(cramers_v(&a, &b), Some(0.0));
/// assert!((cramers_v(&a, &a).unwrap() - 1.0).abs() < 1e-12);
/// ```
pub fn cramers_v(first: &[usize], second: &[usize]) -> Option<f64> {
    let (statistic, rows, columns, n) = contingency(first, second)?;
    let (r, c) = (rows as f64, columns as f64);
    let corrected = |k: f64| k - (k - 1.0).powi(2) / (n - 1.0);
    let phi = (statistic / n - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
    let least = corrected(r).min(corrected(c)) - 1.0;
    let v = (phi / least).sqrt();
    (least > 0.0 && v.is_finite()).then(|| v.min(1.0))
}

/// The correlation ratio `η = √(Σ n_g (ȳ_g − ȳ)² / Σ (y − ȳ)²)` of groups and finite numbers (Pearson 1905); `η²` is the share of
/// the variance that the groups explain.
///
/// `None` for constant numbers, one group, or nothing. `O(n)`. Checked against the formula in numpy 2.4.6, 1e-9.
///
/// ```
/// use stagewise_data::profile::correlation_ratio;
/// let eta = correlation_ratio(&[0, 0, 1, 1], &[1.0, 3.0, 5.0, 7.0]).unwrap();
/// assert!((eta - 0.8_f64.sqrt()).abs() < 1e-12);
/// ```
pub fn correlation_ratio(groups: &[usize], values: &[f64]) -> Option<f64> {
    let unit = unit(values)?;
    let count = groups.iter().max()? + 1;
    let mut sums = vec![(0.0, 0_usize); count];
    groups.iter().zip(&unit).for_each(|(&group, x)| {
        sums[group].0 += x;
        sums[group].1 += 1;
    });
    let among = sums.iter().filter(|(_, n)| *n > 0);
    if among.clone().count() < 2 {
        return None;
    }
    let between: f64 = among.map(|(sum, n)| sum * sum / *n as f64).sum();
    Some(between.sqrt().min(1.0))
}

/// `χ²` of two columns of codes without Yates' correction, the levels that come on each side, and the rows; `None` for fewer
/// than two levels on a side.
pub(super) fn contingency(first: &[usize], second: &[usize]) -> Option<(f64, usize, usize, f64)> {
    let (r, c) = (first.iter().max()? + 1, second.iter().max()? + 1);
    let mut counts = vec![0_u64; r * c];
    first.iter().zip(second).for_each(|(&a, &b)| counts[a * c + b] += 1);
    let rows: Vec<f64> = counts.chunks(c).map(|row| row.iter().sum::<u64>() as f64).collect();
    let columns: Vec<f64> = (0..c).map(|b| (0..r).map(|a| counts[a * c + b]).sum::<u64>() as f64).collect();
    let n: f64 = rows.iter().sum();
    let come = |sums: &[f64]| sums.iter().filter(|s| **s > 0.0).count();
    let (come_first, come_second) = (come(&rows), come(&columns));
    if come_first < 2 || come_second < 2 {
        return None;
    }
    let mut statistic = 0.0;
    for a in (0..r).filter(|&a| rows[a] > 0.0) {
        for b in (0..c).filter(|&b| columns[b] > 0.0) {
            let expected = rows[a] * (columns[b] / n);
            statistic += (counts[a * c + b] as f64 - expected).powi(2) / expected;
        }
    }
    Some((statistic, come_first, come_second, n))
}

/// The numbers centred and scaled to length one; `None` for constants, for nothing, and for a range beyond f64.
fn unit(values: &[f64]) -> Option<Vec<f64>> {
    let n = values.len();
    // Each share is small enough for the sum to stay in the range of f64.
    let mean = exact_sum_by(n, |i| values[i] / n as f64);
    let scale = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    if !(scale > 0.0 && scale.is_finite()) {
        return None;
    }
    let mut unit: Vec<f64> = values.iter().map(|x| (x - mean) / scale).collect();
    let length = dot(&unit, &unit).sqrt();
    unit.iter_mut().for_each(|x| *x /= length);
    Some(unit)
}

fn correlated(x: &[f64], y: &[f64]) -> f64 {
    dot(x, y).clamp(-1.0, 1.0)
}

/// Spearman's correlation of finite numbers; `None` for a constant side or nothing.
pub(super) fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    Some(correlated(&unit(&average_ranks(x))?, &unit(&average_ranks(y))?))
}

/// A column made ready to be paired with many.
pub(super) enum Prepared {
    /// Numbers; NaN is missing. Unit values and unit ranks if none is.
    Numbers { values: Vec<f64>, units: Option<[Vec<f64>; 2]> },
    /// Codes; `None` is missing.
    Codes(Vec<Option<usize>>),
}

impl Prepared {
    /// `None` for a column without an association.
    pub(super) fn of(column: &Column) -> Option<Self> {
        match column {
            Column::Number(values) => {
                let values: Vec<f64> = values.iter().map(|&x| if x.is_finite() { x } else { f64::NAN }).collect();
                let first = values.iter().find(|x| !x.is_nan())?;
                if values.iter().all(|x| x.is_nan() || x == first) {
                    return None;
                }
                let complete = !values.iter().any(|x| x.is_nan());
                let units = if complete { unit(&values).zip(unit(&average_ranks(&values))) } else { None };
                Some(Self::Numbers { units: units.map(|(values, ranks)| [values, ranks]), values })
            }
            Column::Category { .. } | Column::Flag(_) => {
                let keys = levels(column);
                let codes = dense(&keys);
                let missing = keys.iter().position(|&key| key == MISSING_LEVEL).map(|row| codes[row]);
                let codes: Vec<Option<usize>> =
                    codes.into_iter().map(|code| Some(code).filter(|code| Some(*code) != missing)).collect();
                let count = codes.iter().flatten().max().map_or(0, |&most| most + 1);
                (2..=MANY_LEVELS).contains(&count).then_some(Self::Codes(codes))
            }
            _ => None,
        }
    }
}

/// The measures of a pair that are defined, with the rows that have both.
fn pair(a: &Prepared, b: &Prepared) -> Vec<(Measure, f64, usize)> {
    use Measure::{CorrelationRatio, CramersV, Pearson, Spearman};
    use Prepared::{Codes, Numbers};
    let mut found = Vec::new();
    match (a, b) {
        (Numbers { units: Some([x, rx]), .. }, Numbers { units: Some([y, ry]), .. }) if x.len() >= LEAST_ROWS => {
            found.push((Pearson, correlated(x, y), x.len()));
            found.push((Spearman, correlated(rx, ry), x.len()));
        }
        (Numbers { values: x, .. }, Numbers { values: y, .. }) => {
            let both = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
            let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(x, y)| (*x, *y)).unzip();
            if x.len() >= LEAST_ROWS {
                if let (Some(ux), Some(uy)) = (unit(&x), unit(&y)) {
                    found.push((Pearson, correlated(&ux, &uy), x.len()));
                }
                found.extend(spearman(&x, &y).map(|r| (Spearman, r, x.len())));
            }
        }
        (Codes(x), Codes(y)) => {
            let (x, y): (Vec<usize>, Vec<usize>) = x.iter().zip(y).filter_map(|(x, y)| (*x).zip(*y)).unzip();
            if x.len() >= LEAST_ROWS {
                found.extend(cramers_v(&x, &y).map(|v| (CramersV, v, x.len())));
            }
        }
        (Codes(codes), Numbers { values, .. }) | (Numbers { values, .. }, Codes(codes)) => {
            let both = codes.iter().zip(values).filter(|(_, x)| !x.is_nan());
            let (codes, values): (Vec<usize>, Vec<f64>) = both.filter_map(|(code, x)| code.map(|c| (c, *x))).unzip();
            if codes.len() >= LEAST_ROWS {
                found.extend(correlation_ratio(&codes, &values).map(|r| (CorrelationRatio, r, codes.len())));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use stagewise_testkit::golden;

    use super::*;

    fn column(values: &[f64]) -> Column {
        Column::numbers(values)
    }

    #[test]
    fn associations_are_those_of_pandas_and_numpy() {
        let golden = golden::load("associations.json");
        let mut checked = 0;
        for case in golden.cases.iter().filter(|c| c.value("/input/kind") == "association") {
            let optional = |pointer| case.optional_numbers(pointer).unwrap();
            let (x, y) = (optional("/input/x"), optional("/input/y"));
            let codes = |pointer| {
                let codes = case.numbers(pointer);
                let names: Vec<String> = codes.iter().map(|c| format!("level {c}")).collect();
                Column::categories(names.iter().map(|n| Some(n.as_str())))
            };
            let table =
                Table::of([("x", column(&x)), ("y", column(&y)), ("a", codes("/input/a")), ("b", codes("/input/b"))])
                    .unwrap();
            let found = Associations::of(&table);
            for (first, second, measure, pointer) in [
                ("x", "y", Measure::Pearson, "/expected/pearson"),
                ("x", "y", Measure::Spearman, "/expected/spearman"),
                ("a", "b", Measure::CramersV, "/expected/cramers_v"),
                ("a", "x", Measure::CorrelationRatio, "/expected/correlation_ratio"),
            ] {
                let value = found.value(first, second, measure).unwrap();
                golden.assert_close(value, case.number(pointer), &format!("{}: {measure:?}", case.name));
                checked += 1;
            }
        }
        assert_eq!(checked, 16);
    }

    #[test]
    fn what_has_no_association_is_left_out() {
        let table = Table::of([
            ("constant", column(&[1.0; 30])),
            ("huge", column(&(0..30).map(|i| if i % 2 == 0 { 1.7e308 } else { -1.7e308 }).collect::<Vec<_>>())),
            ("large", column(&(0..30).map(|i| 1e300 * f64::from(i)).collect::<Vec<_>>())),
            ("none", Column::missing(stagewise_core::schema::Kind::Number, 30)),
            ("f", Column::flags((0..30).map(|i| Some(i < 15)).collect::<Vec<_>>())),
            ("few", column(&(0..30).map(|i| if i < 11 { f64::NAN } else { f64::from(i) }).collect::<Vec<_>>())),
        ])
        .unwrap();
        let found = Associations::of(&table);
        assert_eq!(found.columns, ["huge", "large", "f", "few"]);
        assert!(found.value("large", "f", Measure::CorrelationRatio) > Some(0.8));
        assert_eq!(found.value("few", "large", Measure::Pearson), None);
        assert!(found.pairs.iter().all(|p| p.value.is_finite()));
        assert_eq!(found.charts().len(), 2);
        assert_eq!(Associations::of(&table.take(&[])), Associations::default());
    }
}
