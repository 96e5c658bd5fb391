//! How much one column says of another, from 0 to 1, weights counting rows several times.

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_numeric::sum::{ExactSum, Moments};

/// A column as it takes part: numbers, or the codes of its levels.
enum Side {
    Numbers(Vec<f64>),
    Codes(Vec<Option<usize>>),
}

impl Side {
    /// `None` for text and time, of which nothing is said. Infinite numbers count as missing.
    fn of(column: &Column, rows: &[usize]) -> Option<Self> {
        match column {
            Column::Number(values) => {
                Some(Self::Numbers(rows.iter().map(|&row| values[row]).map(finite_or_nan).collect()))
            }
            Column::Category { codes, .. } => {
                let code =
                    |&row: &usize| Some(codes[row]).filter(|code| *code != MISSING_CODE).map(|code| code as usize);
                Some(Self::Codes(rows.iter().map(code).collect()))
            }
            Column::Flag(flags) => Some(Self::Codes(rows.iter().map(|&row| flags[row].map(usize::from)).collect())),
            _ => None,
        }
    }
}

fn finite_or_nan(x: f64) -> f64 {
    if x.is_finite() { x } else { f64::NAN }
}

/// The association of two columns, by the rows of `rows` that have both: of two numbers the size of Pearson's correlation, of a
/// number and levels the correlation ratio, of levels and levels Cramér's V corrected for bias (Bergsma 2013).
///
/// 0 where it is not defined: a side that does not vary, no row, text or time.
pub(super) fn association(first: &Column, second: &Column, rows: &[usize], weights: Option<&[f64]>) -> f64 {
    let (Some(first), Some(second)) = (Side::of(first, rows), Side::of(second, rows)) else { return 0.0 };
    let weight = |i: usize| weights.map_or(1.0, |weights| weights[rows[i]]);
    let found = match (&first, &second) {
        (Side::Numbers(x), Side::Numbers(y)) => pearson(x, y, weight),
        (Side::Numbers(x), Side::Codes(codes)) | (Side::Codes(codes), Side::Numbers(x)) => {
            correlation_ratio(codes, x, weight)
        }
        (Side::Codes(a), Side::Codes(b)) => cramers_v(a, b, weight),
    };
    found.filter(|value| value.is_finite()).unwrap_or(0.0)
}

/// The values less their mean, over the largest difference; `None` if there is none. NaN stays, and counts nowhere.
fn unit(values: &[f64], weight: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
    let mut moments = Moments::new();
    values.iter().enumerate().for_each(|(i, &x)| moments.add_weighted(x, weight(i)));
    let mean = moments.mean()?;
    let far = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    (far > 0.0 && far.is_finite()).then(|| values.iter().map(|x| (x - mean) / far).collect())
}

fn sum(n: usize, value: impl Fn(usize) -> f64) -> f64 {
    let mut sum = ExactSum::new();
    (0..n).map(value).filter(|x| !x.is_nan()).for_each(|x| sum.add(x));
    sum.value()
}

fn pearson(x: &[f64], y: &[f64], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let both = |a: f64, b: f64| if b.is_nan() { f64::NAN } else { a };
    let known_x: Vec<f64> = x.iter().zip(y).map(|(&a, &b)| both(a, b)).collect();
    let known_y: Vec<f64> = x.iter().zip(y).map(|(&a, &b)| both(b, a)).collect();
    let (x, y) = (unit(&known_x, &weight)?, unit(&known_y, &weight)?);
    let n = x.len();
    let product = sum(n, |i| weight(i) * x[i] * y[i]);
    let squares = sum(n, |i| weight(i) * x[i] * x[i]) * sum(n, |i| weight(i) * y[i] * y[i]);
    Some((product.abs() / squares.sqrt()).min(1.0))
}

fn correlation_ratio(codes: &[Option<usize>], values: &[f64], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let known: Vec<f64> = codes.iter().zip(values).map(|(code, &x)| code.map_or(f64::NAN, |_| x)).collect();
    let unit = unit(&known, &weight)?;
    let count = codes.iter().flatten().max()? + 1;
    let mut groups = vec![Moments::new(); count];
    for (i, (code, &x)) in codes.iter().zip(&unit).enumerate() {
        if let (Some(code), false) = (code, x.is_nan()) {
            groups[*code].add_weighted(x, weight(i));
        }
    }
    let mut between = ExactSum::new();
    groups.iter().filter_map(|group| Some(group.mean()? * group.sum())).for_each(|part| between.add(part));
    let all = sum(unit.len(), |i| weight(i) * unit[i] * unit[i]);
    Some((between.value().max(0.0) / all).sqrt().min(1.0))
}

fn cramers_v(first: &[Option<usize>], second: &[Option<usize>], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let both: Vec<(usize, usize, f64)> =
        first.iter().zip(second).enumerate().filter_map(|(i, (a, b))| Some(((*a)?, (*b)?, weight(i)))).collect();
    let (rows, columns) = (dense(both.iter().map(|pair| pair.0)), dense(both.iter().map(|pair| pair.1)));
    let (r, c) = (rows.iter().max()? + 1, columns.iter().max()? + 1);
    let mut cells = vec![ExactSum::new(); r * c];
    for ((a, b), pair) in rows.iter().zip(&columns).zip(&both) {
        cells[a * c + b].add(pair.2);
    }
    let cells: Vec<f64> = cells.iter().map(ExactSum::value).collect();
    let of_row = |a: usize| sum(c, |b| cells[a * c + b]);
    let of_column = |b: usize| sum(r, |a| cells[a * c + b]);
    let (of_rows, of_columns): (Vec<f64>, Vec<f64>) = ((0..r).map(of_row).collect(), (0..c).map(of_column).collect());
    let n = sum(r, |a| of_rows[a]);
    // χ² / n = Σ o² / (row · column) - 1.
    let phi = sum(r * c, |i| cells[i] / of_rows[i / c] * (cells[i] / of_columns[i % c])) - 1.0;
    let (r, c) = (r as f64, c as f64);
    let corrected = |k: f64| k - (k - 1.0).powi(2) / (n - 1.0);
    let least = corrected(r).min(corrected(c)) - 1.0;
    let phi = (phi - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
    (least > 0.0).then(|| (phi / least).sqrt().min(1.0))
}

/// Codes that come, numbered anew without gaps.
fn dense(codes: impl Iterator<Item = usize> + Clone) -> Vec<usize> {
    let mut seen: Vec<usize> = codes.clone().collect();
    seen.sort_unstable();
    seen.dedup();
    codes.map(|code| seen.partition_point(|other| *other < code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::golden;

    #[test]
    fn associations_are_those_of_pandas_and_numpy() {
        let golden = golden::load("associations.json");
        let mut checked = 0;
        for case in golden.cases.iter().filter(|case| case.value("/input/kind") == "association") {
            let numbers = |pointer| Column::numbers(case.numbers(pointer));
            let levels = |pointer| {
                let names: Vec<String> = case.numbers(pointer).iter().map(|code| code.to_string()).collect();
                Column::categories(names.iter().map(|name| Some(name.as_str())))
            };
            let (x, y, a, b) = (numbers("/input/x"), numbers("/input/y"), levels("/input/a"), levels("/input/b"));
            let rows: Vec<usize> = (0..x.len()).collect();
            for (first, second, pointer) in [
                (&x, &y, "/expected/pearson"),
                (&y, &x, "/expected/pearson"),
                (&a, &b, "/expected/cramers_v"),
                (&a, &x, "/expected/correlation_ratio"),
                (&x, &a, "/expected/correlation_ratio"),
            ] {
                let expected = case.number(pointer).abs();
                golden.assert_close(association(first, second, &rows, None), expected, &case.name);
                // Weight 2 is the row twice.
                let twice: Vec<usize> = rows.iter().chain([&1]).copied().collect();
                let mut weights = vec![1.0; rows.len()];
                weights[1] = 2.0;
                let (weighted, repeated) =
                    (association(first, second, &rows, Some(&weights)), association(first, second, &twice, None));
                assert!((weighted - repeated).abs() < 1e-12, "{}: {weighted} {repeated}", case.name);
                checked += 1;
            }
        }
        assert_eq!(checked, 20);
    }

    #[test]
    fn what_says_nothing_is_zero() {
        let rows: Vec<usize> = (0..4).collect();
        let (number, constant) = (Column::numbers([1.0, 2.0, 3.0, 4.0]), Column::numbers([2.0; 4]));
        let flag = Column::flags([Some(true), None, Some(false), Some(true)]);
        let text = Column::texts([Some("a"), Some("b"), None, None]);
        let far = Column::numbers([f64::MAX, f64::MIN, f64::INFINITY, f64::NAN]);
        for (a, b) in [(&number, &constant), (&constant, &flag), (&text, &number), (&flag, &text)] {
            assert_eq!(association(a, b, &rows, None), 0.0);
        }
        assert_eq!(association(&number, &flag, &[], None), 0.0);
        assert_eq!(association(&number, &number, &rows, None), 1.0);
        assert_eq!(association(&far, &number, &rows, None), 1.0);
    }
}
