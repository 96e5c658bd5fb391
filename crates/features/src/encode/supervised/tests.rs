//! Conformance, leaks, and the ends of the range, for all supervised encoders.

use std::sync::Arc;

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::record::Cell;
use stagewise_core::schema::Levels;
use stagewise_core::select::{all, categories, named};
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::{Binary, Regression};
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data};

use super::cross_fit::{Hidden, changed};
use super::outcome::Outcome;
use super::spec::Supervised;
use super::sums::Parts;
use super::*;
use crate::encode::unseen::MissingAs;
use crate::test_tables::admitted;

fn conforms<S>(spec: &S)
where
    S: Transformer<Regression> + Transformer<Binary>,
    S: Transformer<stagewise_core::task::Multiclass> + Transformer<stagewise_core::task::Ranking>,
{
    conformance::transformer(spec, &data::binary(60, 1));
    conformance::transformer(spec, &data::regression(61, 2));
    conformance::transformer(
        spec,
        &data::regression(60, 5).reweighted((0..60).map(|i| 0.1 * f64::from(i)).collect()).unwrap(),
    );
    conformance::transformer(spec, &data::multiclass(62, 3).reweighted(vec![1.0; 62]).unwrap());
    conformance::transformer(spec, &data::ranking(63, 4));
}

#[test]
fn every_encoder_conforms() {
    let on = categories;
    conforms(&TargetEncoder::on(on()));
    conforms(&TargetEncoder::on(on()).smooth(3.0).folds(2).missing(MissingAs::Unseen));
    conforms(&TargetEncoder::on(named(["plan"])).missing(MissingAs::Error));
    conforms(&JamesSteinEncoder::on(on()));
    conforms(&JamesSteinEncoder::on(on()).missing(MissingAs::Unseen));
    conforms(&LeaveOneOutEncoder::on(on()).noise(0.1));
    conforms(&LeaveOneOutEncoder::on(on()).smooth(0.0).missing(MissingAs::Unseen));
    conforms(&OrderedTargetEncoder::on(on()).orders(3));
    conforms(&OrderedTargetEncoder::on(on()).smooth(0.0).missing(MissingAs::Unseen));
    for spec in [WeightOfEvidenceEncoder::on(on()), WeightOfEvidenceEncoder::on(on()).missing(MissingAs::Unseen)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::binary(61, 2).reweighted(vec![0.5; 61]).unwrap());
    }
}

/// A category `x` of `levels` levels drawn at random beside a target that knows nothing of it.
fn noise(rows: usize, levels: usize, seed: u64) -> Table {
    let mut stream = Stream::new(seed, "noise");
    let codes: Vec<u32> = (0..rows).map(|_| stream.below(levels) as u32).collect();
    let target: Vec<f64> = (0..rows).map(|_| stream.normal()).collect();
    let names = Levels::new((0..levels).map(|level| format!("l{level}")));
    let x = Column::Category { codes: Arc::new(codes), levels: Arc::new(names) };
    Table::of([("x", x), ("y", Column::numbers(target))]).unwrap()
}

fn binary_of(table: &Table) -> Dataset<Binary> {
    let events: Vec<f64> = numbers(table, "y").iter().map(|y| f64::from(u8::from(*y > 0.0))).collect();
    let table = Table::of([("x", table.column("x").unwrap().clone()), ("y", Column::numbers(events))]).unwrap();
    Dataset::new(table, &Problem::new("y")).unwrap()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    table.column(name).unwrap().as_numbers().unwrap().to_vec()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (a_mean, b_mean) = (mean(a), mean(b));
    let product =
        |u: &[f64], v: &[f64], um: f64, vm: f64| -> f64 { u.iter().zip(v).map(|(x, y)| (x - um) * (y - vm)).sum() };
    let scale = (product(a, a, a_mean, a_mean) * product(b, b, b_mean, b_mean)).sqrt();
    if scale > 0.0 { product(a, b, a_mean, b_mean) / scale } else { 0.0 }
}

/// The correlation of the encoded column with the target: of training rows as they are given to the learner, and as rows to come
/// would be changed.
fn correlations<T: Outcome, S: Transformer<T>>(spec: &S, train: Dataset<T>, target: &[f64], seed: u64) -> [f64; 2] {
    let later = train.features().clone();
    let (fitted, train) = spec.fit_transform(train, &FitContext::new(seed)).unwrap();
    let plain = fitted.transform(later).unwrap();
    [numbers(train.features(), "x"), numbers(&plain, "x")].map(|x| correlation(&x, target))
}

fn does_not_leak<S: Transformer<Regression> + Transformer<Binary>>(spec: &S) {
    for levels in [20, 500, 1500, 100_000] {
        let table = noise(2000, levels, levels as u64);
        let regression = Dataset::<Regression>::new(table.clone(), &Problem::new("y")).unwrap();
        let [held_out, plain] = correlations(spec, regression, &numbers(&table, "y"), 3);
        // Chance has a standard deviation of 1/√2000 = 0.022.
        assert!(held_out.abs() < 0.1, "{}, {levels} levels: {held_out}", <S as stagewise_core::persist::Persist>::TAG);
        if levels == 500 {
            assert!(plain > 0.3, "{plain}: the test would see nothing");
        }
        let binary = binary_of(&table);
        let events: Vec<f64> = binary.target().events().iter().map(|&e| f64::from(u8::from(e))).collect();
        let [held_out, plain] = correlations(spec, binary, &events, 4);
        assert!(held_out.abs() < 0.1, "{}, {levels} levels: {held_out}", <S as stagewise_core::persist::Persist>::TAG);
        if levels == 500 {
            assert!(plain > 0.3, "{plain}: the test would see nothing");
        }
    }
}

#[test]
fn target_encoder_does_not_leak() {
    does_not_leak(&TargetEncoder::on(all()));
    does_not_leak(&TargetEncoder::on(all()).smooth(0.0));
}

#[test]
fn leave_one_out_encoder_does_not_leak_on_average() {
    does_not_leak(&LeaveOneOutEncoder::on(all()));
}

#[test]
fn ordered_target_encoder_does_not_leak() {
    does_not_leak(&OrderedTargetEncoder::on(all()));
    does_not_leak(&OrderedTargetEncoder::on(all()).orders(3));
}

#[test]
fn james_stein_encoder_does_not_leak_and_sees_noise_even_in_later_rows() {
    for seed in 0..3 {
        let table = noise(2000, 500, seed);
        let train = Dataset::<Regression>::new(table.clone(), &Problem::new("y")).unwrap();
        let [held_out, _] = correlations(&JamesSteinEncoder::on(all()), train.clone(), &numbers(&table, "y"), seed);
        assert!(held_out.abs() < 0.1, "{held_out}");
        let fitted = JamesSteinEncoder::on(all()).fit(&train, &FitContext::new(0)).unwrap();
        let shrunk = numbers(&fitted.transform(train.features().clone()).unwrap(), "x");
        let plain = TargetEncoder::on(all()).smooth(0.0).fit(&train, &FitContext::new(0)).unwrap();
        let means = numbers(&plain.transform(train.features().clone()).unwrap(), "x");
        let largest = |x: &[f64]| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert!(largest(&shrunk) < 0.3 * largest(&means), "{} {}", largest(&shrunk), largest(&means));
    }
}

#[test]
fn weight_of_evidence_encoder_does_not_leak() {
    for levels in [20, 500, 1500] {
        let binary = binary_of(&noise(2000, levels, 9));
        let events: Vec<f64> = binary.target().events().iter().map(|&e| f64::from(u8::from(e))).collect();
        let [held_out, plain] = correlations(&WeightOfEvidenceEncoder::on(all()), binary, &events, 4);
        assert!(held_out.abs() < 0.1 && (levels == 20 || plain > 0.3), "{levels}: {held_out} {plain}");
    }
}

#[test]
fn what_levels_say_is_kept() {
    // Twenty levels with means of their own.
    let (table, mut stream) = (noise(2000, 20, 1), Stream::new(1, "signal"));
    let (codes, _) = table.column("x").unwrap().as_categories().unwrap();
    let means: Vec<f64> = (0..20).map(|_| stream.normal()).collect();
    let target: Vec<f64> = codes.iter().map(|&code| means[code as usize] + stream.normal()).collect();
    let table = Table::of([("x", table.column("x").unwrap().clone()), ("y", Column::numbers(target.clone()))]).unwrap();
    let train = || Dataset::<Regression>::new(table.clone(), &Problem::new("y")).unwrap();
    for [held_out, plain] in [
        correlations(&TargetEncoder::on(all()), train(), &target, 0),
        correlations(&JamesSteinEncoder::on(all()), train(), &target, 0),
        correlations(&OrderedTargetEncoder::on(all()), train(), &target, 0),
        correlations(&LeaveOneOutEncoder::on(all()), train(), &target, 0),
    ] {
        assert!(held_out > 0.4 && plain - held_out < 0.05, "{held_out} {plain}");
    }
}

/// How well one cut parts the events from the others, at best.
fn best_cut(x: &[f64], events: &[bool]) -> f64 {
    let mut rows: Vec<usize> = (0..x.len()).collect();
    rows.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let all = events.iter().filter(|&&e| e).count() as f64;
    let (mut left, mut best, n) = (0.0, 0.0_f64, x.len() as f64);
    for (place, &row) in rows.iter().enumerate() {
        left += f64::from(u8::from(events[row]));
        if place + 1 < rows.len() && x[rows[place + 1]] > x[row] {
            let right_share = (left + (n - place as f64 - 1.0) - (all - left)) / n;
            best = best.max(right_share.max(1.0 - right_share));
        }
    }
    best
}

#[test]
fn leaving_one_out_of_a_large_level_tells_its_target_and_noise_hides_it() {
    let binary = binary_of(&noise(1000, 1, 5));
    let events = binary.target().events().to_vec();
    let cut = |spec: &dyn Fn(Dataset<Binary>) -> Dataset<Binary>| {
        best_cut(&numbers(spec(binary.clone()).features(), "x"), &events)
    };
    let cx = FitContext::new(1);
    let alone = LeaveOneOutEncoder::on(all());
    assert_eq!(cut(&|train| alone.fit_transform(train, &cx).unwrap().1), 1.0);
    assert!(cut(&|train| alone.clone().noise(0.2).fit_transform(train, &cx).unwrap().1) < 0.6);
    assert!(cut(&|train| TargetEncoder::on(all()).fit_transform(train, &cx).unwrap().1) < 0.6);
    assert!(cut(&|train| OrderedTargetEncoder::on(all()).fit_transform(train, &cx).unwrap().1) < 0.6);
}

/// The encoded `x` of training rows, with rows dealt to folds in turn.
fn in_turn<S: Supervised>(spec: &S, train: Dataset<Binary>, folds: usize) -> Vec<f64> {
    let parts = Parts { of: (0..train.rows()).map(|row| (row % folds) as u32).collect(), count: folds };
    let outcomes = Binary::outcomes(&train);
    let (_, train) = changed(spec, train, &outcomes, &FitContext::new(0), &Hidden::Folds(parts)).unwrap();
    numbers(train.features(), "x")
}

#[test]
fn no_row_is_changed_by_its_own_fold() {
    let table = noise(200, 12, 8);
    let flipped = |row: usize| {
        let mut y = numbers(&table, "y");
        y[row] = -y[row];
        binary_of(&Table::of([("x", table.column("x").unwrap().clone()), ("y", Column::numbers(y))]).unwrap())
    };
    fn check<S: Supervised>(spec: &S, table: &Table, flipped: &dyn Fn(usize) -> Dataset<Binary>) {
        let before = in_turn(spec, binary_of(table), 4);
        let after = in_turn(spec, flipped(7), 4);
        let mut others = 0;
        for row in 0..200 {
            if row % 4 == 7 % 4 {
                assert_eq!(before[row].to_bits(), after[row].to_bits(), "row {row}");
            } else {
                others += usize::from(before[row] != after[row]);
            }
        }
        assert!(others > 0, "the flipped row says nothing to anyone");
    }
    check(&TargetEncoder::on(all()), &table, &flipped);
    check(&JamesSteinEncoder::on(all()), &table, &flipped);
    check(&WeightOfEvidenceEncoder::on(all()), &table, &flipped);
}

/// `noise` with a column `g` of the role group, of about four rows a group, and an event that is the group's.
fn grouped(rows: usize, flip: Option<f64>) -> Dataset<Binary> {
    let mut stream = Stream::new(6, "groups");
    let groups: Vec<f64> = (0..rows).map(|_| stream.below(rows / 4) as f64).collect();
    let events: Vec<f64> = groups.iter().map(|g| f64::from(u8::from((g % 2.0 == 1.0) != (flip == Some(*g))))).collect();
    let x: Vec<String> = groups.iter().map(|g| format!("l{}", (g / 3.0).floor())).collect();
    let table = Table::of([
        ("x", Column::categories(x.iter().map(|x| Some(x.as_str())))),
        ("g", Column::numbers(groups)),
        ("y", Column::numbers(events)),
    ]);
    Dataset::new(table.unwrap(), &Problem::new("y").group("g")).unwrap()
}

#[test]
fn no_row_is_changed_by_its_own_group() {
    fn check<S: Transformer<Binary>>(spec: &S) {
        let groups = grouped(300, None).groups().unwrap();
        let held = groups[10];
        let first = (0..300).find(|&row| groups[row] == held).unwrap();
        let value = numbers(grouped(300, None).aside(), "g")[first];
        let of =
            |train: Dataset<Binary>| numbers(spec.fit_transform(train, &FitContext::new(5)).unwrap().1.features(), "x");
        let (before, after) = (of(grouped(300, None)), of(grouped(300, Some(value))));
        for row in (0..300).filter(|&row| groups[row] == held) {
            // The mean of all rows, which ordered numbers are drawn to, is all that changes.
            assert!((before[row] - after[row]).abs() < 0.04, "row {row}: {} {}", before[row], after[row]);
        }
        assert!((0..300).any(|row| (before[row] - after[row]).abs() > 0.1));
    }
    check(&TargetEncoder::on(all()).smooth(0.5));
    check(&WeightOfEvidenceEncoder::on(all()));
    check(&OrderedTargetEncoder::on(all()).smooth(0.5));
    check(&LeaveOneOutEncoder::on(all()).smooth(0.5));
}

#[test]
fn a_hundred_thousand_levels_unseen_missing_and_one() {
    let table = noise(150_000, 100_000, 2);
    let train = Dataset::<Regression>::new(table.clone(), &Problem::new("y")).unwrap();
    let cx = FitContext::new(0).threads(2).unwrap();
    let (fitted, out) = TargetEncoder::on(all()).fit_transform(train, &cx).unwrap();
    assert!(numbers(out.features(), "x").iter().all(|x| x.is_finite()));
    let mean = numbers(&table, "y").iter().sum::<f64>() / 150_000.0;
    let rule = fitted.rule("x").unwrap();
    let near = |numbers: Option<&[f64]>, what: &str| {
        let number = numbers.unwrap()[0];
        assert!((number - mean).abs() < 1e-9, "{what}: {number} {mean}");
    };
    near(rule.unseen(), "unseen");
    near(rule.missing(), "missing, which did not occur");
    let mut row = Vec::new();
    fitted.transform_row(&[Cell::NewLevel("never".into())], &mut row).unwrap();
    assert_eq!(row, [Cell::Number(rule.unseen().unwrap()[0])]);

    for x in [vec![None; 6], vec![Some("only"); 6]] {
        let table = Table::of([
            ("x", Column::categories(x.iter().copied())),
            ("y", Column::numbers([1.0, 5.0, 2.0, 4.0, 3.0, 9.0])),
        ]);
        let train = Dataset::<Regression>::new(table.unwrap(), &Problem::new("y")).unwrap();
        fn check<S: Transformer<Regression>>(spec: &S, train: &Dataset<Regression>) {
            let (fitted, out) = spec.fit_transform(train.clone(), &FitContext::new(0)).unwrap();
            let later = numbers(&fitted.transform(train.features().clone()).unwrap(), "x");
            assert!(later.iter().all(|x| (x - 4.0).abs() < 1e-12), "{later:?}");
            assert!(numbers(out.features(), "x").iter().all(|x| (1.0..=9.0).contains(x)));
        }
        check(&TargetEncoder::on(all()), &train);
        check(&TargetEncoder::on(all()).missing(MissingAs::Unseen), &train);
        check(&JamesSteinEncoder::on(all()), &train);
        check(&LeaveOneOutEncoder::on(all()), &train);
        check(&OrderedTargetEncoder::on(all()).orders(2), &train);
    }
}

#[test]
fn odd_targets_and_few_rows_have_a_rule() {
    let of = |levels: &[&str], target: &[f64]| {
        let x = Column::categories(levels.iter().map(|&level| Some(level)));
        let table = Table::of([("x", x), ("y", Column::numbers(target))]).unwrap();
        Dataset::<Regression>::new(table, &Problem::new("y")).unwrap()
    };
    let cx = FitContext::new(0);
    let spec = TargetEncoder::on(all());
    let (_, out) = spec.fit_transform(of(&["a", "b", "a"], &[7.5; 3]), &cx).unwrap();
    assert_eq!(numbers(out.features(), "x"), [7.5; 3]);
    let huge = of(&["a", "b", "a", "b"], &[1e300, -1e300, 1e300, -1e300]);
    let (fitted, _) = spec.clone().smooth(0.0).fit_transform(huge, &cx).unwrap();
    let found = fitted.rule("x").unwrap().numbers(0).unwrap()[0];
    assert!((found / 1e300 - 1.0).abs() < 1e-15, "{found}");
    assert_eq!(fitted.rule("x").unwrap().unseen(), Some([0.0].as_slice()));

    let one = of(&["a"], &[2.0]);
    assert_eq!(spec.fit(&one, &cx).unwrap().rule("x").unwrap().numbers(0), Some([2.0].as_slice()));
    let error = spec.fit_transform(one, &cx).unwrap_err();
    assert_eq!(error.to_string(), "TargetEncoder needs at least 2 rows, 1 found");
    let (fitted, out) = TargetEncoder::on(named(Vec::<String>::new())).fit_transform(of(&["a"], &[2.0]), &cx).unwrap();
    assert_eq!((fitted.output().names(), out.rows()), (vec!["x".to_string()], 1));
    let none = of(&["a", "b"], &[1.0, 2.0]).reweighted(vec![0.0, 0.0]).unwrap();
    assert_eq!(spec.fit(&none, &cx).unwrap_err().to_string(), "TargetEncoder needs at least 1 rows, 0 found");
}

#[test]
fn parameters_are_checked() {
    fn error<S: Transformer<Binary>>(spec: &S) -> String {
        let train = data::binary(60, 1);
        let planned = spec.plan(train.features().schema()).unwrap_err().to_string();
        assert_eq!(planned, spec.fit(&train, &FitContext::new(0)).err().unwrap().to_string());
        planned
    }
    let on = categories;
    assert_eq!(error(&TargetEncoder::on(on()).folds(1)), "`folds` is 1, allowed is at least 2");
    assert_eq!(error(&TargetEncoder::on(on()).smooth(-1.0)), "`smooth` is -1, allowed is a finite number, at least 0");
    assert_eq!(error(&JamesSteinEncoder::on(on()).folds(0)), "`folds` is 0, allowed is at least 2");
    assert_eq!(
        error(&WeightOfEvidenceEncoder::on(on()).smooth(0.0)),
        "`smooth` is 0, allowed is a finite number above 0"
    );
    assert_eq!(
        error(&LeaveOneOutEncoder::on(on()).noise(f64::NAN)),
        "`noise` is NaN, allowed is a finite number, at least 0"
    );
    assert_eq!(error(&OrderedTargetEncoder::on(on()).orders(0)), "`orders` is 0, allowed is at least 1");
    assert_eq!(error(&TargetEncoder::on(named(["age"]))), "column `age`: is a number, a category is needed");
    let spec = TargetEncoder::on(on()).missing(MissingAs::Error);
    let error = spec.fit(&data::binary(60, 1), &FitContext::new(0)).unwrap_err().to_string();
    assert!(error.starts_with("column `city`: holds "), "{error}");
}

#[test]
fn each_class_has_a_column() {
    let (fitted, out) =
        TargetEncoder::on(named(["plan"])).fit_transform(data::multiclass(90, 1), &FitContext::new(0)).unwrap();
    let names = ["plan:high", "plan:low", "plan:middle"];
    assert_eq!(fitted.output().names()[5..8], names);
    for row in 0..90 {
        let sum: f64 = names.iter().map(|name| numbers(out.features(), name)[row]).sum();
        assert!((sum - 1.0).abs() < 0.2, "each class is smoothed for itself: {sum}");
    }
    assert_eq!(fitted.transform(admitted(&data::mixed(90, 1), &data::mixed(3, 9))).unwrap().width(), 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_row_of_weight_zero_is_as_if_it_were_not_there(
        rows in prop::collection::vec((0u8..6, -50i32..50, 0u8..4), 4..40),
    ) {
        let counted: Vec<_> = rows.iter().filter(|row| row.2 > 0).copied().collect();
        prop_assume!(counted.len() >= 2);
        let dataset = |rows: &[(u8, i32, u8)]| {
            let names: Vec<String> = rows.iter().map(|row| format!("l{}", row.0)).collect();
            let table = Table::of([
                ("x", Column::categories(names.iter().map(|name| Some(name.as_str())))),
                ("y", Column::numbers(rows.iter().map(|row| f64::from(row.1)).collect::<Vec<_>>())),
            ]);
            let train = Dataset::<Regression>::new(table.unwrap(), &Problem::new("y")).unwrap();
            train.reweighted(rows.iter().map(|row| f64::from(row.2)).collect()).unwrap()
        };
        fn check<S: Transformer<Regression>>(
            spec: &S,
            with: Dataset<Regression>,
            without: Dataset<Regression>,
            counts: &[bool],
        ) -> Result<(), TestCaseError> {
            let cx = FitContext::new(2);
            let (_, with) = spec.fit_transform(with, &cx).unwrap();
            let (_, without) = spec.fit_transform(without, &cx).unwrap();
            let found: Vec<u64> = numbers(with.features(), "x").iter().zip(counts).filter(|(_, c)| **c).map(|(x, _)| x.to_bits()).collect();
            let expected: Vec<u64> = numbers(without.features(), "x").iter().map(|x| x.to_bits()).collect();
            prop_assert_eq!(found, expected);
            Ok(())
        }
        let counts: Vec<bool> = rows.iter().map(|row| row.2 > 0).collect();
        check(&TargetEncoder::on(all()), dataset(&rows), dataset(&counted), &counts)?;
        check(&LeaveOneOutEncoder::on(all()), dataset(&rows), dataset(&counted), &counts)?;
        check(&OrderedTargetEncoder::on(all()).orders(2), dataset(&rows), dataset(&counted), &counts)?;
    }
}
