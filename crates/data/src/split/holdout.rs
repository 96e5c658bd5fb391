//! Rows set aside for the one final look. What is set aside comes as [`Holdout`], which nothing can be fitted on.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::holdout::Holdout;
use stagewise_core::persist::Persist;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::random::Stream;

use super::{heed_roles, sizes};

/// Sets aside a share of the rows, with every class, or for numbers every tenth of the distribution, in its share.
///
/// Of `n` rows, `round(fraction · n)` are set aside, at least 1; of a stratum of `m` rows, `fraction · m` to within
/// one row. Rows keep their order on both sides. The same seed sets the same rows aside, for any number of threads.
/// `O(n log n)`.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::StratifiedHoldout;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let (train, holdout) = StratifiedHoldout::new(0.2).split(data, &FitContext::new(7))?;
/// assert_eq!((train.rows(), holdout.rows()), (80, 20));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StratifiedHoldout {
    fraction: f64,
}

impl StratifiedHoldout {
    /// Sets aside this share of the rows, above 0 and below 1.
    pub fn new(fraction: f64) -> Self {
        Self { fraction }
    }

    /// The rows to learn from, and the rows set aside.
    ///
    /// # Errors
    /// [`ParameterError`] for a fraction outside its range, [`DataError::TooFewRows`] if a side would be empty, and
    /// [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for data with groups. Warns of a class that is
    /// on one side only.
    pub fn split<T: Task>(&self, data: Dataset<T>, cx: &FitContext) -> Result<(Dataset<T>, Holdout<T>)> {
        let aside = held(self.fraction, data.rows())?;
        heed_roles(Self::TAG, &data, cx)?;
        let strata = data.target().strata();
        let is_held = stratified_choice(&strata, aside, &mut cx.stream("holdout"));
        if T::NAME != "regression" {
            warn_of_one_sided(&strata, &is_held, cx);
        }
        Ok(parted(&data, &is_held))
    }
}

impl Persist for StratifiedHoldout {
    const TAG: &'static str = "StratifiedHoldout";
}

/// Sets aside a share of the rows at random.
///
/// Of `n` rows, `round(fraction · n)` are set aside, at least 1. Rows keep their order on both sides. `O(n)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomHoldout {
    fraction: f64,
}

impl RandomHoldout {
    /// Sets aside this share of the rows, above 0 and below 1.
    pub fn new(fraction: f64) -> Self {
        Self { fraction }
    }

    /// The rows to learn from, and the rows set aside.
    ///
    /// # Errors
    /// As [`StratifiedHoldout::split`].
    pub fn split<T: Task>(&self, data: Dataset<T>, cx: &FitContext) -> Result<(Dataset<T>, Holdout<T>)> {
        let aside = held(self.fraction, data.rows())?;
        heed_roles(Self::TAG, &data, cx)?;
        let mut is_held = vec![false; data.rows()];
        cx.stream("holdout").choose(data.rows(), aside).into_iter().for_each(|row| is_held[row] = true);
        if T::NAME != "regression" {
            warn_of_one_sided(&data.target().strata(), &is_held, cx);
        }
        Ok(parted(&data, &is_held))
    }
}

impl Persist for RandomHoldout {
    const TAG: &'static str = "RandomHoldout";
}

/// How many rows are set aside.
pub(super) fn held(fraction: f64, rows: usize) -> Result<usize> {
    ParameterError::check(fraction > 0.0 && fraction < 1.0, "fraction", fraction, "above 0 and below 1")?;
    let aside = ((fraction * rows as f64).round() as usize).max(1);
    if aside >= rows {
        // Rounding leaves a row to learn from once `(1 − fraction) · rows > 1/2`, and two sides need two rows.
        let needed = ((0.5 / (1.0 - fraction)).floor() as usize + 1).max(2);
        let what = format!("a holdout of {fraction}");
        return Err(DataError::TooFewRows { what, needed: needed.max(rows + 1), found: rows }.into());
    }
    Ok(aside)
}

pub(super) fn parted<T: Task>(data: &Dataset<T>, is_held: &[bool]) -> (Dataset<T>, Holdout<T>) {
    let side = |held: bool| (0..is_held.len()).filter(|&row| is_held[row] == held).collect::<Vec<_>>();
    (data.take(&side(false)), Holdout::new(data.take(&side(true))))
}

/// Which rows are held out when `aside` of all are, of each stratum its share to within one row.
pub(super) fn stratified_choice(strata: &[u32], aside: usize, stream: &mut Stream) -> Vec<bool> {
    let mut order = stream.permutation(strata.len());
    order.sort_by_key(|&row| strata[row]);
    // Every stratum is a run in `order`: taking rows at an even pace takes its share of each.
    let rows = strata.len() as u128;
    let reached = |place: usize| place as u128 * aside as u128 / rows;
    let mut is_held = vec![false; strata.len()];
    order.iter().enumerate().for_each(|(place, &row)| is_held[row] = reached(place + 1) > reached(place));
    is_held
}

pub(super) fn warn_of_one_sided(strata: &[u32], is_held: &[bool], cx: &FitContext) {
    let all = sizes(strata);
    let mut held = vec![0; all.len()];
    strata.iter().zip(is_held).filter(|(_, held)| **held).for_each(|(&s, _)| held[s as usize] += 1);
    let none_held = (0..all.len()).filter(|&s| all[s] > 0 && held[s] == 0).count();
    let all_held = (0..all.len()).filter(|&s| all[s] > 0 && held[s] == all[s]).count();
    if none_held > 0 {
        cx.warn(format!("{none_held} of {} classes have no row in the holdout: too few rows of them", all.len()));
    }
    if all_held > 0 {
        cx.warn(format!("{all_held} of {} classes have no row to learn from: too few rows of them", all.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::schema::Role;
    use stagewise_core::table::Table;
    use stagewise_core::task::{Binary, Multiclass, Regression};
    use stagewise_testkit::data;

    /// Classes of these sizes, interleaved, each row numbered.
    fn classes(counts: &[usize]) -> Dataset<Multiclass> {
        let mut codes: Vec<usize> = counts.iter().enumerate().flat_map(|(c, &n)| vec![c; n]).collect();
        stagewise_numeric::random::Stream::new(1, "classes").shuffle(&mut codes);
        let rows = codes.len();
        let table = Table::of([
            ("row", Column::numbers((0..rows).map(|i| i as f64).collect::<Vec<_>>())),
            ("y", Column::numbers(codes.into_iter().map(|c| c as f64).collect::<Vec<_>>())),
        ]);
        Dataset::new(table.unwrap(), &Problem::new("y")).unwrap()
    }

    fn rows_of<T: Task>(data: &Dataset<T>) -> Vec<f64> {
        data.features().column("row").unwrap().as_numbers().unwrap().to_vec()
    }

    proptest! {
        #[test]
        fn every_class_has_its_share(counts in prop::collection::vec(1_usize..60, 2..6), fraction in 0.05..0.6_f64, seed in 0_u64..50) {
            let data = classes(&counts);
            let (train, _) = StratifiedHoldout::new(fraction).split(data.clone(), &FitContext::new(seed)).unwrap();
            let aside = data.rows() - train.rows();
            prop_assert_eq!(aside, ((fraction * data.rows() as f64).round() as usize).max(1));
            let mut kept = sizes(train.target().codes());
            kept.resize(counts.len(), 0);
            for (class, &count) in counts.iter().enumerate() {
                let share = count as f64 * aside as f64 / data.rows() as f64;
                prop_assert!(((count - kept[class]) as f64 - share).abs() < 1.0);
            }
        }
    }

    #[test]
    fn both_sides_keep_their_order_and_nothing_is_lost() {
        let data = classes(&[30, 20]);
        for seed in 0..5 {
            let cx = FitContext::new(seed);
            let (a, _) = StratifiedHoldout::new(0.3).split(data.clone(), &cx).unwrap();
            let (b, held) = RandomHoldout::new(0.3).split(data.clone(), &cx).unwrap();
            assert!(rows_of(&a).is_sorted() && rows_of(&b).is_sorted());
            assert_eq!((a.rows(), b.rows(), held.rows()), (35, 35, 15));
            let again = StratifiedHoldout::new(0.3).split(data.clone(), &cx.clone().threads(4).unwrap()).unwrap();
            assert_eq!((rows_of(&again.0), again.0.fingerprint()), (rows_of(&a), a.fingerprint()));
        }
    }

    #[test]
    fn every_task_is_split() {
        let cx = FitContext::new(3);
        let (train, held) = StratifiedHoldout::new(0.25).split(data::regression(40, 1), &cx).unwrap();
        assert_eq!((train.rows(), held.rows()), (30, 10));
        let (train, held) = StratifiedHoldout::new(0.25).split(data::binary(40, 1), &cx).unwrap();
        assert_eq!((train.rows(), held.rows()), (30, 10));
    }

    #[test]
    fn few_rows_and_bad_fractions_are_refused() {
        let one: Dataset<Regression> = data::regression(5, 1).take(&[0]);
        let error = StratifiedHoldout::new(0.5).split(one, &FitContext::new(0)).unwrap_err();
        assert_eq!(error.to_string(), "a holdout of 0.5 needs at least 2 rows, 1 found");
        for fraction in [0.0, 1.0, -0.1, f64::NAN] {
            let error = RandomHoldout::new(fraction).split(data::binary(10, 1), &FitContext::new(0)).unwrap_err();
            assert!(error.to_string().contains("allowed is above 0 and below 1"), "{error}");
        }
        let two = StratifiedHoldout::new(0.01).split(data::binary(10, 1).take(&[0, 1]), &FitContext::new(0)).unwrap();
        assert_eq!((two.0.rows(), two.1.rows()), (1, 1));
    }

    #[test]
    fn groups_are_refused_and_times_warned_of() {
        let table = Table::of([
            ("g", Column::numbers([1.0, 1.0, 2.0])),
            ("x", Column::numbers([1.0, 2.0, 3.0])),
            ("y", Column::numbers([0.0, 1.0, 1.0])),
        ])
        .unwrap();
        let cx = FitContext::new(0);
        let read = |role| Dataset::<Binary>::new(table.clone(), &Problem::new("y").role("g", role)).unwrap();
        let error = StratifiedHoldout::new(0.3).split(read(Role::Group), &cx).unwrap_err().to_string();
        assert!(error.starts_with("StratifiedHoldout would ignore the groups; rows of one `g` would stand"), "{error}");
        let (train, held) = StratifiedHoldout::new(0.3).split(read(Role::Time), &cx).unwrap();
        assert_eq!((train.rows(), held.rows()), (2, 1));
        let warnings = cx.take_warnings();
        assert!(warnings[0].what.contains("does not keep the order of `g`"), "{warnings:?}");
        assert!(warnings[1].what.contains("classes have no row"), "{warnings:?}");
    }
}
