//! What every metric checks first, and the one weighted mean that they share.
//!
//! The mean is a quotient of two exact sums: each term is rounded once, the sum of the terms once. So it depends
//! neither on the order of the rows nor on the cut into blocks, and blocks may be summed in parallel.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{Array1, Array2};
use stagewise_core::error::{DataError, NumericError, Result};
use stagewise_core::target::{BinaryTarget, ClassTarget, TargetValues};
use stagewise_numeric::parallel;
use stagewise_numeric::sum::ExactSum;

/// Rows that fit together: truth, answers and weights of one length.
pub(crate) struct Rows<'a> {
    rows: usize,
    weights: Option<&'a [f64]>,
}

impl<'a> Rows<'a> {
    /// Checks lengths and weights.
    pub(crate) fn check(truth: usize, answers: usize, weights: Option<&'a [f64]>) -> Result<Self> {
        let lengths = [("answers", answers), ("weights", weights.map_or(truth, <[f64]>::len))];
        for (what, found) in lengths {
            if found != truth {
                return Err(DataError::Length { what: what.into(), expected: truth, found }.into());
            }
        }
        let bad = weights.and_then(|weights| weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)));
        match (weights, bad) {
            (Some(weights), Some(row)) => Err(DataError::BadWeight { row, value: weights[row] }.into()),
            _ => Ok(Self { rows: truth, weights }),
        }
    }

    /// The weight of a row.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// How many rows count.
    pub(crate) fn counted(&self) -> usize {
        self.weights.map_or(self.rows, |weights| weights.iter().filter(|w| **w > 0.0).count())
    }

    /// `Σ w`.
    pub(crate) fn total(&self) -> f64 {
        match self.weights {
            None => self.rows as f64,
            Some(weights) => self.exact(|range| {
                let mut sum = ExactSum::new();
                sum.extend(&weights[range]);
                sum
            }),
        }
    }

    /// `Σ w f(i)`; rows of weight 0 are not asked.
    pub(crate) fn sum(&self, value: impl Fn(usize) -> f64 + Sync) -> f64 {
        self.exact(|range| {
            let mut sum = ExactSum::new();
            for row in range {
                match self.weight(row) {
                    0.0 => {}
                    weight => sum.add(weight * value(row)),
                }
            }
            sum
        })
    }

    /// `Σ w f(i) / Σ w`.
    pub(crate) fn mean(&self, what: &str, value: impl Fn(usize) -> f64 + Sync) -> Result<f64> {
        let total = self.total();
        if total == 0.0 {
            return Err(undefined(what, "no row has a weight"));
        }
        finite(what, self.sum(value) / total)
    }

    fn exact(&self, of: impl Fn(Range<usize>) -> ExactSum + Sync) -> f64 {
        const BLOCK: usize = 1 << 15;
        let mut total = ExactSum::new();
        parallel::blocks(self.rows, BLOCK, of).iter().for_each(|sum| total.merge(sum));
        total.value()
    }
}

/// The error of a metric without a value.
pub(crate) fn undefined(what: &str, why: impl Into<String>) -> stagewise_core::Error {
    NumericError::Undefined { what: what.into(), why: why.into() }.into()
}

/// A value that a sum of large numbers may have driven to infinity.
pub(crate) fn finite(what: &str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(undefined(what, "the numbers are too large to be summed")) }
}

/// Rows, their truth and their answers.
pub(crate) type Checked<'a, V> = (Rows<'a>, &'a [V], Cow<'a, [f64]>);

/// Checked answers of a binary task.
pub(crate) fn binary<'a>(
    truth: &'a BinaryTarget,
    output: &'a Array1<f64>,
    weights: Option<&'a [f64]>,
) -> Result<Checked<'a, bool>> {
    let rows = Rows::check(truth.len(), output.len(), weights)?;
    Ok((rows, truth.events(), numbers(output)?))
}

/// Checked answers of a multiclass task: one column per class, every code with a column.
pub(crate) fn multiclass<'a>(
    truth: &'a ClassTarget,
    output: &Array2<f64>,
    weights: Option<&'a [f64]>,
) -> Result<(Rows<'a>, &'a [u32])> {
    let rows = Rows::check(truth.len(), output.nrows(), weights)?;
    let classes = truth.classes();
    if output.ncols() != classes {
        let what = "classes of an answer".to_string();
        return Err(DataError::Length { what, expected: classes, found: output.ncols() }.into());
    }
    let bad = |row: &usize| output.row(*row).iter().any(|x| !x.is_finite());
    if let Some(first) = (0..output.nrows()).find(bad) {
        let count = (first..output.nrows()).filter(bad).count();
        return Err(DataError::NotFinite { count, first }.into());
    }
    match truth.codes().iter().find(|code| **code as usize >= classes) {
        None => Ok((rows, truth.codes())),
        Some(code) => {
            let known = (0..classes).map(|code| code.to_string()).collect();
            Err(DataError::UnknownLevel { level: code.to_string(), known }.into())
        }
    }
}

/// Checks that answers lie in `[0, 1]`.
pub(crate) fn probabilities<'a>(what: &str, values: impl IntoIterator<Item = &'a f64>) -> Result<()> {
    match values.into_iter().find(|p| !(0.0..=1.0).contains(*p)) {
        None => Ok(()),
        Some(p) => Err(undefined(what, format!("an answer is {p}, which is no probability"))),
    }
}

/// The answers in their order, all finite.
pub(crate) fn numbers(output: &Array1<f64>) -> Result<Cow<'_, [f64]>> {
    let values = output.as_slice().map_or_else(|| Cow::Owned(output.to_vec()), Cow::Borrowed);
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(values),
        Some(first) => {
            let count = values.iter().filter(|x| !x.is_finite()).count();
            Err(DataError::NotFinite { count, first }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;
    use stagewise_numeric::sum::exact_sum_by;

    #[test]
    fn messages_say_what_is_wrong() {
        let truth = BinaryTarget::new([true, false]);
        let text = |output: Array1<f64>, weights: Option<&[f64]>| {
            binary(&truth, &output, weights).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(text(array![0.1], None), "answers: 2 values needed, 1 found");
        assert_eq!(text(array![0.1, 0.2], Some(&[1.0])), "weights: 2 values needed, 1 found");
        assert_eq!(
            text(array![0.1, f64::NAN], None),
            "holds 1 values that are not finite (first: row 1); impute or clip them before it"
        );
        assert_eq!(text(array![0.1, 0.2], Some(&[1.0, -1.0])), "weights must be finite and not negative, row 1 has -1");
        let rows = Rows::check(2, 2, Some(&[0.0, 0.0])).unwrap();
        assert_eq!(rows.mean("mae", |_| 1.0).unwrap_err().to_string(), "mae is not defined: no row has a weight");
    }

    #[test]
    fn classes_are_checked() {
        let truth = ClassTarget::new([0, 2], 3);
        assert!(multiclass(&truth, &array![[0.5, 0.5], [0.5, 0.5]], None).is_err());
        let wrong = ClassTarget::new([0, 3], 3);
        assert!(multiclass(&wrong, &Array2::zeros((2, 3)), None).is_err());
        assert!(multiclass(&truth, &array![[0.5, 0.5, f64::INFINITY], [0.5, 0.5, 0.0]], None).is_err());
    }

    #[test]
    fn a_reversed_answer_is_read_in_its_order() {
        let mut output = array![0.1, 0.2];
        output.invert_axis(ndarray::Axis(0));
        assert_eq!(&*numbers(&output).unwrap(), [0.2, 0.1]);
    }
    proptest! {
        #[test]
        fn neither_order_nor_blocks_change_a_mean(
            rows in prop::collection::vec((-1e6f64..1e6, 0.0f64..3.0), 1..80),
            seed: u64,
        ) {
            let of = |order: &[usize]| {
                let weights: Vec<f64> = order.iter().map(|&i| rows[i].1).collect();
                let checked = Rows::check(order.len(), order.len(), Some(&weights)).unwrap();
                checked.mean("mean", |i| rows[order[i]].0).map_err(|e| e.to_string()).map(f64::to_bits)
            };
            let order = stagewise_numeric::random::Stream::new(seed, "order").permutation(rows.len());
            prop_assert_eq!(of(&order), of(&(0..rows.len()).collect::<Vec<_>>()));
        }

        #[test]
        fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-1e6f64..1e6, 0u8..4), 1..80)) {
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| std::iter::repeat_n(r.0, r.1.into())).collect();
            prop_assume!(!repeated.is_empty());
            let weighted = Rows::check(rows.len(), rows.len(), Some(&weights)).unwrap();
            let plain = Rows::check(repeated.len(), repeated.len(), None).unwrap();
            let (found, expected) =
                (weighted.mean("mean", |i| rows[i].0).unwrap(), plain.mean("mean", |i| repeated[i]).unwrap());
            // Each product is rounded once.
            let size = exact_sum_by(rows.len(), |i| weights[i] * rows[i].0.abs()) / weighted.total();
            prop_assert!((found - expected).abs() <= 2.0 * f64::EPSILON * size);
        }
    }
}
