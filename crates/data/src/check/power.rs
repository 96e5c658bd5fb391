//! How much of a target one column tells: a number that any relation raises, straight or not, and chance does not.
//!
//! The idea of the predictive power score (Wetschoreck, Krabel, Krishnamurthy 2020) with bins in place of a tree, so that
//! it is quick and easily explained: the answer for a row is the mean of the target in the row's bin, over the rows of
//! other folds. For classes the target is one indicator per class, which makes it Goodman and Kruskal's tau, cross-validated.

use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::table::Table;
use stagewise_numeric::quantile::quantiles;
use stagewise_numeric::random::Stream;
use stagewise_numeric::sum::exact_sum_by;

use crate::leak::{LEAST_ROWS, MISSING_LEVEL, dense, levels};
use crate::task::{TaskKind, detect_task};

/// Numbers and times are cut into at most this many bins.
pub const BINS: usize = 20;

/// The number of folds.
pub const FOLDS: usize = 4;

/// Levels with fewer rows share a bin.
const LEVEL_ROWS: usize = 4;

/// How much of `target` the column tells, in [0, 1]: `1 − Σ ‖y − ȳ_bin‖² / Σ ‖y − ȳ‖²` with both means over the other
/// folds, cut off below 0. `None` for fewer than 20 rows with a target, or a target that is always the same.
///
/// Numbers and times are cut at quantiles into 20 bins, fewer if there are fewer than 10 rows a bin; a level is a bin;
/// levels with fewer than 4 rows share one, and missing is one. `y` is the number, or one indicator per class as
/// [`detect_task`] decides. Four folds, the same on each call. `O(rows · log rows + bins · classes)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::predictive_power;
///
/// let x: Vec<f64> = (0..1000).map(|i| f64::from(i) - 500.0).collect();
/// let squares: Vec<f64> = x.iter().map(|x| x * x).collect();
/// let chance: Vec<f64> = (0..1000).map(|i| f64::from(i * 7919 % 1000)).collect();
/// let table = Table::of([("x", Column::numbers(x)), ("chance", Column::numbers(chance)), ("y", Column::numbers(squares))])?;
/// assert!(predictive_power(&table, "x", "y")? > Some(0.98));
/// assert!(predictive_power(&table, "chance", "y")? < Some(0.02));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// # Errors
/// A column that is not there, a target without a task.
pub fn predictive_power(table: &Table, column: &str, target: &str) -> Result<Option<f64>> {
    let feature = table.column(column)?;
    let classes = !matches!(detect_task(table, target)?, TaskKind::Regression { .. });
    Ok(Truth::new(table.column(target)?, classes).and_then(|truth| truth.power(feature)))
}

/// A target prepared for many columns: the rows that have it, its values, and the fold of each.
#[derive(Debug)]
pub(crate) struct Truth {
    rows: Vec<usize>,
    values: Values,
    folds: Vec<usize>,
}

#[derive(Debug)]
enum Values {
    /// Centred, and at most one in size.
    Numbers(Vec<f64>),
    Classes(Vec<usize>, usize),
}

impl Truth {
    /// `None` if there are too few rows, or nothing to tell.
    pub(crate) fn new(target: &Column, classes: bool) -> Option<Self> {
        let keys = levels(target);
        let known = |row: usize| match target {
            Column::Number(v) if !classes => v[row].is_finite(),
            _ => keys[row] != MISSING_LEVEL,
        };
        let rows: Vec<usize> = (0..keys.len()).filter(|&row| known(row)).collect();
        if rows.len() < LEAST_ROWS {
            return None;
        }
        let values = match target {
            Column::Number(v) if !classes => {
                // Halved first, so that no sum or difference leaves the range of f64.
                let mean = exact_sum_by(rows.len(), |i| 0.5 * v[rows[i]] / rows.len() as f64);
                let centred: Vec<f64> = rows.iter().map(|&row| 0.5 * v[row] - mean).collect();
                let scale = centred.iter().map(|y| y.abs()).fold(0.0, f64::max);
                if scale == 0.0 {
                    return None;
                }
                Values::Numbers(centred.into_iter().map(|y| y / scale).collect())
            }
            _ => {
                let codes = dense(&rows.iter().map(|&row| keys[row]).collect::<Vec<_>>());
                let count = codes.iter().max().map_or(0, |&most| most + 1);
                if count < 2 {
                    return None;
                }
                Values::Classes(codes, count)
            }
        };
        let mut folds = vec![0; rows.len()];
        let order = Stream::new(0, "predictive power").permutation(rows.len());
        order.into_iter().enumerate().for_each(|(place, row)| folds[row] = place % FOLDS);
        Some(Self { rows, values, folds })
    }

    /// How many rows have a target.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn power(&self, feature: &Column) -> Option<f64> {
        let (bins, count) = binned(feature, &self.rows);
        // Per bin and fold: how many rows, and the sum of the target; squares only as a total.
        let width = match &self.values {
            Values::Numbers(_) => 1,
            Values::Classes(_, classes) => *classes,
        };
        let mut rows = vec![[0.0_f64; FOLDS]; count];
        let mut sums = vec![[0.0_f64; FOLDS]; count * width];
        let mut squares = 0.0;
        for (i, (&bin, &fold)) in bins.iter().zip(&self.folds).enumerate() {
            rows[bin][fold] += 1.0;
            match &self.values {
                Values::Numbers(y) => {
                    sums[bin][fold] += y[i];
                    squares += y[i] * y[i];
                }
                Values::Classes(codes, classes) => {
                    sums[bin * classes + codes[i]][fold] += 1.0;
                    squares += 1.0;
                }
            }
        }
        let total = |values: &[[f64; FOLDS]]| {
            let mut sum = [0.0; FOLDS];
            values.iter().for_each(|v| (0..FOLDS).for_each(|f| sum[f] += v[f]));
            sum
        };
        let all_rows = total(&rows);
        let all_sums: Vec<[f64; FOLDS]> =
            (0..width).map(|c| total(&sums.iter().skip(c).step_by(width).copied().collect::<Vec<_>>())).collect();
        let others = |v: &[f64; FOLDS], fold: usize| (0..FOLDS).filter(|&f| f != fold).map(|f| v[f]).sum::<f64>();
        // Σ (y − m)² = Σ y² − Σ (2 m Σ y − n m²), so only the second part is needed per bin.
        let (mut told, mut base) = (0.0, 0.0);
        for fold in 0..FOLDS {
            let overall: Vec<f64> =
                all_sums.iter().map(|sums| others(sums, fold) / others(&all_rows, fold).max(1.0)).collect();
            let gain = |mean: f64, sum: f64, n: f64| 2.0 * mean * sum - n * mean * mean;
            base += (0..width).map(|c| gain(overall[c], all_sums[c][fold], all_rows[fold])).sum::<f64>();
            for bin in (0..count).filter(|&bin| rows[bin][fold] > 0.0) {
                let known = others(&rows[bin], fold);
                for c in 0..width {
                    let cell = &sums[bin * width + c];
                    let mean = if known > 0.0 { others(cell, fold) / known } else { overall[c] };
                    told += gain(mean, cell[fold], rows[bin][fold]);
                }
            }
        }
        let power = 1.0 - (squares - told) / (squares - base);
        power.is_finite().then(|| power.clamp(0.0, 1.0))
    }
}

/// The bin of each row of `rows`, and how many bins there are.
fn binned(column: &Column, rows: &[usize]) -> (Vec<usize>, usize) {
    let number = |row: usize| match column {
        Column::Number(v) => v[row],
        Column::Timestamp(v) if v[row] != MISSING_TIME => v[row] as f64,
        _ => f64::NAN,
    };
    if matches!(column, Column::Number(_) | Column::Timestamp(_)) {
        let values: Vec<f64> = rows.iter().map(|&row| number(row)).collect();
        let present: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let bins = BINS.min(present.len() / 10).max(2);
        let shares: Vec<f64> = (1..bins).map(|i| i as f64 / bins as f64).collect();
        let mut cuts = quantiles(&present, &shares).unwrap_or_default();
        cuts.dedup();
        // Infinite values fall into the outer bins, missing ones into a bin of their own.
        let missing = cuts.len() + 1;
        let bin = |x: &f64| if x.is_nan() { missing } else { cuts.partition_point(|cut| cut <= x) };
        return (values.iter().map(bin).collect(), missing + 1);
    }
    let keys = levels(column);
    let codes = dense(&rows.iter().map(|&row| keys[row]).collect::<Vec<_>>());
    let mut sizes = vec![0_usize; codes.iter().max().map_or(0, |&most| most + 1)];
    codes.iter().for_each(|&code| sizes[code] += 1);
    // Bin 0 is that of the rare levels.
    let mut next = 0;
    let places: Vec<usize> = sizes
        .iter()
        .map(|&size| {
            if size < LEVEL_ROWS {
                return 0;
            }
            next += 1;
            next
        })
        .collect();
    (codes.into_iter().map(|code| places[code]).collect(), next + 1)
}

/// An id as a number: itself, its time, or where it stands among the texts in their order.
pub(crate) fn ordinal(column: &Column) -> Column {
    match column {
        Column::Number(_) | Column::Timestamp(_) => column.clone(),
        Column::Category { codes, levels } => {
            let mut names: Vec<&str> = levels.iter().map(|n| n.as_ref()).collect();
            names.sort_unstable();
            let place = |name: &str| names.partition_point(|n| *n < name) as f64;
            let places: Vec<f64> = levels.iter().map(|name| place(name)).collect();
            Column::numbers(
                codes.iter().map(|&c| places.get(c as usize).copied().unwrap_or(f64::NAN)).collect::<Vec<_>>(),
            )
        }
        other => {
            // Keys of texts are numbered in the order of the texts.
            let key = |(row, key): (usize, u64)| if other.cell(row) == Cell::Missing { f64::NAN } else { key as f64 };
            Column::numbers(levels(other).into_iter().enumerate().map(key).collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: Column, y: Column) -> Option<f64> {
        predictive_power(&Table::of([("x", x), ("y", y)]).unwrap(), "x", "y").unwrap()
    }

    #[test]
    fn it_is_the_definition_row_by_row() {
        let mut stream = Stream::new(3, "test");
        let levels: Vec<usize> = (0..300).map(|_| stream.below(5)).collect();
        let y: Vec<f64> = levels.iter().map(|&l| l as f64 * 2.0 + stream.normal()).collect();
        let names = ["a", "b", "c", "d", "e"];
        let x = Column::categories(levels.iter().map(|&l| Some(names[l])));
        let mut folds = vec![0; 300];
        let order = Stream::new(0, "predictive power").permutation(300);
        order.iter().enumerate().for_each(|(place, &row)| folds[row] = place % FOLDS);
        let mean = |keep: &dyn Fn(usize) -> bool| {
            let kept: Vec<f64> = (0..300).filter(|&i| keep(i)).map(|i| y[i]).collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        let (mut told, mut base) = (0.0, 0.0);
        for i in 0..300 {
            told += (y[i] - mean(&|j| folds[j] != folds[i] && levels[j] == levels[i])).powi(2);
            base += (y[i] - mean(&|j| folds[j] != folds[i])).powi(2);
        }
        let found = of(x, Column::numbers(y)).unwrap();
        assert!((found - (1.0 - told / base)).abs() < 1e-12, "{found}");
    }

    #[test]
    fn chance_tells_nothing_and_a_copy_all() {
        let mut stream = Stream::new(1, "test");
        let y: Vec<Option<bool>> = (0..2000).map(|_| Some(stream.unit() < 0.1)).collect();
        let noise: Vec<f64> = (0..2000).map(|_| stream.normal()).collect();
        assert!(of(Column::numbers(noise), Column::flags(y.clone())).unwrap() < 0.02);
        let ids: Vec<String> = (0..2000).map(|i| format!("id {i}")).collect();
        assert!(of(Column::texts(ids.iter().map(|t| Some(t.as_str()))), Column::flags(y.clone())).unwrap() < 1e-3);
        assert_eq!(of(Column::flags(y.clone()), Column::flags(y)), Some(1.0));
        // Nineteen of twenty right, half of each: by Brier scores 1 − 0.05 · 0.95 / 0.25, less a little for the folds.
        let even: Vec<Option<bool>> = (0..2000).map(|i| Some(i % 2 == 0)).collect();
        let nearly: Vec<Option<bool>> = (0..2000).map(|i| Some((i % 2 == 0) != (i % 40 < 2))).collect();
        let found = of(Column::flags(nearly), Column::flags(even)).unwrap();
        assert!((found - 0.81).abs() < 0.002, "{found}");
    }

    #[test]
    fn odd_columns_have_a_power_or_none() {
        let y: Vec<f64> = (0..100).map(|i| f64::from(i) * 1e306 - 5e307).collect();
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(of(Column::numbers(x.clone()), Column::numbers(y)).unwrap() > 0.9);
        assert_eq!(of(Column::numbers(x.clone()), Column::numbers([3.0; 100])), None);
        assert_eq!(of(Column::numbers(vec![f64::NAN; 100]), Column::numbers(x.clone())), Some(0.0));
        assert_eq!(of(Column::numbers(vec![f64::INFINITY; 100]), Column::numbers(x)), Some(0.0));
        assert_eq!(of(Column::numbers([1.0]), Column::numbers([1.0])), None);
    }
}
