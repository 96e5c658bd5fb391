//! The golden cases that the imputers share: tables of numbers.

use stagewise_core::context::FitContext;
use stagewise_core::record::Cell;
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::task::Regression;
use stagewise_testkit::golden::{Case, Golden};

use super::fill::{Fill, FittedImputer};
use crate::test_tables;

/// Checks the number cases of a strategy in both paths; gives how many there were.
///
/// A column without any value in training, which the other side drops unless told to keep it, is left out there.
pub(super) fn check_numbers<S>(golden: &Golden, strategy: &str, spec: impl Fn(bool) -> S) -> usize
where
    S: Transformer<Regression, Fitted = FittedImputer>,
{
    let of = |case: &&Case| case.value("/input/strategy").as_str() == Some(strategy) && !case.name.ends_with("_text");
    let mut checked = 0;
    for case in golden.cases.iter().filter(of) {
        let name = |what: &str| format!("{}: {what}", case.name);
        let fit = test_tables::numbers(&case.matrix("/input/fit"));
        let apply = test_tables::numbers(&case.matrix("/input/apply"));
        let indicator = case.value("/input/add_indicator").as_bool().unwrap();
        let fitted = spec(indicator).fit(&test_tables::training(fit, None), &FitContext::new(0)).unwrap();
        let statistics = case.numbers("/expected/statistics");
        let width = statistics.len();
        let column = |j: usize| format!("c{j}");
        for (j, &expected) in statistics.iter().enumerate() {
            let Fill::Number(found) = *fitted.rule(&column(j)).unwrap().fill() else { panic!("a number") };
            golden.assert_close(found, if expected.is_nan() { 0.0 } else { expected }, &name(&column(j)));
        }
        // The columns in the order of the other side: values, then indicators.
        let kept = (0..width).filter(|&j| !statistics[j].is_nan()).map(column);
        let flagged = case.optional_numbers("/expected/indicator_columns").unwrap_or_default();
        let names: Vec<String> = kept.chain(flagged.iter().map(|&j| format!("c{j}_missing"))).collect();
        let out = fitted.transform(apply.clone()).unwrap();
        assert_eq!(out.width(), width + flagged.len(), "{}", case.name);
        for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
            let found: Vec<f64> = names.iter().map(|n| out.column(n).unwrap().as_numbers().unwrap()[row]).collect();
            golden.assert_all_close(&found, expected, &name(&format!("row {row}")));
            let (mut cells, mut by_row, mut by_batch) = (Vec::<Cell>::new(), Vec::new(), Vec::new());
            apply.row_into(row, &mut cells);
            fitted.transform_row(&cells, &mut by_row).unwrap();
            out.row_into(row, &mut by_batch);
            assert_eq!(by_row, by_batch, "{}", case.name);
        }
        checked += 1;
    }
    checked
}
