//! Nothing of the target, and nothing of other rows, reaches a fit but through the training rows. (I2)

use stagewise::numeric::random::Stream;
use stagewise::prelude::*;

use crate::recipes::{dataset, loans, prepared};

/// With a target that means nothing, no pipeline is better than chance on rows that it has not seen.
#[test]
fn a_shuffled_target_scores_at_chance() {
    let data = dataset("loans.csv", &loans());
    let order = Stream::new(1, "shuffle").permutation(data.rows());
    let rows: Vec<usize> = (0..data.rows()).collect();
    let shuffled = data.resampled(data.features().clone(), data.target().take(&order), &rows, None).unwrap();
    let cx = FitContext::new(3);
    for pipeline in [
        prepared(loans()).model(LogisticRegression::default()).build().unwrap(),
        prepared(loans()).model(DecisionTree::default()).build().unwrap(),
        Pipeline::builder(loans()).model(GradientBoosting::new().early_stopping(Some(5))).build().unwrap(),
    ] {
        let result =
            cross_validate(&pipeline, &shuffled, &StratifiedKFold::new(4), &[AnyMetric::new(RocAuc)], &cx).unwrap();
        let mean = result.mean("roc_auc").unwrap();
        // The standard error of an AUC at chance is √((n₁+n₀+1) / (12 n₁ n₀)) ≈ 0.0095 here; five of them.
        assert!((mean - 0.5).abs() < 0.048, "{pipeline:?}: {mean}");
    }
}

/// Whatever stands in the rows that judge, what was learned is the same, bit for bit.
#[test]
fn rows_that_judge_do_not_change_what_is_learned() {
    let data = dataset("loans.csv", &loans());
    let cx = FitContext::new(3);
    let pipeline = prepared(loans()).model(LogisticRegression::default()).build().unwrap();
    let split = StratifiedKFold::new(4).split(&data, &cx).unwrap().swap_remove(0);
    let before = pipeline.fit(&data.take(&split.train), &cx).unwrap().fingerprint();

    // The same table with nonsense in every row that judges.
    let nonsense = |table: Table| {
        let (schema, mut columns) = table.into_parts();
        for column in &mut columns {
            if let Column::Number(_) = column {
                let values = column.make_numbers()?;
                split.validation.iter().for_each(|&row| values[row] = 1e9);
            }
        }
        Table::new(schema, columns)
    };
    let changed = data.clone().map_features(nonsense).unwrap();
    assert_ne!(changed.fingerprint(), data.fingerprint());
    let again = StratifiedKFold::new(4).split(&changed, &cx).unwrap().swap_remove(0);
    assert_eq!(again, split, "the split follows the target, not the features");
    assert_eq!(pipeline.fit(&changed.take(&split.train), &cx).unwrap().fingerprint(), before);
}
