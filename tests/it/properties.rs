//! Whatever stands in a table: an answer or a typed error, never a panic, and the same from both paths. (I1, I8)

use std::sync::Arc;

use proptest::prelude::*;
use stagewise::core::schema::Levels;
use stagewise::prelude::*;

use crate::recipes::prepared;

/// Ordinary and missing numbers, and in a share of `wild` out of 36 those that no one asked for.
fn number(wild: u32) -> impl Strategy<Value = f64> {
    prop_oneof![
        30 - wild / 2 => -100.0..100.0_f64,
        6 - wild / 2 => Just(f64::NAN),
        wild => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 5e-324, -0.0, 0.0, 1e16]),
    ]
}

/// A table of two number columns, a category and a flag; the category may hold levels that another table lacks.
fn table(rows: std::ops::Range<usize>, wild: u32) -> impl Strategy<Value = Table> {
    let row = (number(wild), number(wild), prop::option::of(0..6_u32), prop::option::of(any::<bool>()));
    prop::collection::vec(row, rows).prop_map(|rows| {
        let levels = Arc::new(Levels::new(["a", "b", "c", "d", "", "?"]));
        let code = |c: Option<u32>| c.unwrap_or(stagewise::core::column::MISSING_CODE);
        let codes = Arc::new(rows.iter().map(|r| code(r.2)).collect());
        Table::of([
            ("x", Column::numbers(rows.iter().map(|r| r.0).collect::<Vec<_>>())),
            ("z", Column::numbers(rows.iter().map(|r| r.1).collect::<Vec<_>>())),
            ("c", Column::Category { codes, levels }),
            ("f", Column::flags(rows.iter().map(|r| r.3).collect::<Vec<_>>())),
        ])
        .expect("columns of equal length")
    })
}

fn with_target(table: Table, target: Column) -> Table {
    let (schema, columns) = table.into_parts();
    let named = schema.names().into_iter().chain(["y".into()]).zip(columns.into_iter().chain([target]));
    Table::of(named.collect::<Vec<_>>()).expect("columns of equal length")
}

/// Fits if it can, and compares both paths on other rows if it did.
fn answers_or_refuses<T: Task>(
    table: Table,
    other: &Table,
    learner: impl Learner<T>,
) -> std::result::Result<(), TestCaseError> {
    let problem = Problem::<T>::new("y");
    let Ok(data) = Dataset::new(table, &problem) else { return Ok(()) };
    let pipeline = prepared(problem).model(learner).build().expect("a pipeline");
    let Ok(fitted) = pipeline.fit(&data, &FitContext::new(1)) else { return Ok(()) };
    let (admitted, _) = fitted.contract().admit(other).expect("the same columns");
    let batch = fitted.predict(other);
    let mut scorer = fitted.scorer();
    let mut refused = false;
    for row in 0..other.rows() {
        let mut cells = Vec::new();
        admitted.row_into(row, &mut cells);
        match (scorer.score_cells(&cells), &batch) {
            (Ok(single), Ok(output)) => {
                let bits = |answer: &T::RowOutput| T::numbers(answer).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&single), bits(&T::row(output, row)), "row {}", row);
                prop_assert!(T::numbers(&single).iter().all(|x| x.is_finite()), "row {}: {:?}", row, single);
            }
            (Ok(_), Err(_)) => {}
            (Err(_), _) => refused = true,
        }
    }
    prop_assert_eq!(refused, batch.is_err(), "one path refuses what the other takes");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_binary_pipeline_answers_or_refuses(
        table in prop_oneof![table(2..40, 0), table(2..40, 2)],
        other in table(0..20, 6),
        events in prop::collection::vec(any::<bool>(), 40),
    ) {
        let target = Column::flags(events.iter().take(table.rows()).map(|e| Some(*e)).collect::<Vec<_>>());
        let table = with_target(table, target);
        answers_or_refuses::<Binary>(table.clone(), &other, LogisticRegression::default())?;
        answers_or_refuses::<Binary>(table.clone(), &other, DecisionTree::default())?;
        answers_or_refuses::<Binary>(table.clone(), &other, RandomForest::default().trees(3))?;
        answers_or_refuses::<Binary>(table, &other, ConstantBaseline)?;
    }

    #[test]
    fn a_regression_answers_or_refuses(
        table in prop_oneof![table(1..40, 0), table(1..40, 2)],
        other in table(0..20, 6),
        values in prop::collection::vec(number(1), 40),
    ) {
        let target = Column::numbers(values.iter().take(table.rows()).copied().collect::<Vec<_>>());
        let table = with_target(table, target);
        answers_or_refuses::<Regression>(table.clone(), &other, LinearRegression::default())?;
        answers_or_refuses::<Regression>(table.clone(), &other, LinearRegression::default().l2(1.0))?;
        answers_or_refuses::<Regression>(table, &other, RandomForest::default().trees(3))?;
    }

    #[test]
    fn a_multiclass_pipeline_answers_or_refuses(
        table in prop_oneof![table(3..40, 0), table(3..40, 2)],
        other in table(0..20, 6),
        classes in prop::collection::vec(0..3_usize, 40),
    ) {
        let target = Column::categories(classes.iter().take(table.rows()).map(|c| Some(["r", "g", "b"][*c])));
        let table = with_target(table, target);
        answers_or_refuses::<Multiclass>(table.clone(), &other, LogisticRegression::default())?;
        answers_or_refuses::<Multiclass>(table, &other, DecisionTree::default())?;
    }
}
