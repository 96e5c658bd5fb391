use super::*;
use proptest::prelude::*;
use stagewise_core::select::{all, named, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data};

use crate::test_tables::training;

#[test]
fn conforms() {
    let spec = DisparateImpactRemover::on(numbers(), named(["plan"]));
    for spec in [spec.clone(), spec.clone().repair(0.4).quantiles(7), spec.unknown(UnknownGroup::Keep)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
    }
    let several = DisparateImpactRemover::on(numbers(), named(["active", "city", "constant"]));
    conformance::transformer(&several.unknown(UnknownGroup::Keep), &data::multiclass(80, 3));
    let weighted = data::regression(60, 4).reweighted((0..60).map(|i| f64::from(i % 4)).collect()).unwrap();
    conformance::transformer(&DisparateImpactRemover::on(numbers(), named(["plan"])), &weighted);
}

#[test]
fn groups_come_to_the_same_distribution() {
    let train = scores(&[1.0, 2.0, 3.0, 4.0, 5.0], &[10.0, 20.0, 40.0, 80.0, 160.0]);
    let repaired = |level: f64, table: Table| {
        let spec = DisparateImpactRemover::on(numbers(), named(["g"])).repair(level);
        let out = spec.fit(&train, &FitContext::new(0)).unwrap().transform(table).unwrap();
        out.column("x").unwrap().as_numbers().unwrap().to_vec()
    };
    let means = [5.5, 11.0, 21.5, 42.0, 82.5];
    let full = repaired(1.0, train.features().clone());
    for (found, expected) in full.iter().zip([means, means].concat()) {
        assert!((found - expected).abs() < 1e-12, "{full:?}");
    }
    let half = repaired(0.5, train.features().clone());
    assert!((half[0] - 3.25).abs() < 1e-12 && (half[9] - 121.25).abs() < 1e-12, "{half:?}");
    assert_eq!(repaired(0.0, train.features().clone())[..5], [1.0, 2.0, 3.0, 4.0, 5.0]);
    // Later rows: between, beyond, infinite, missing.
    let later = scores(&[1.5, -7.0, f64::NEG_INFINITY], &[1e300, f64::INFINITY, f64::NAN]);
    let found = repaired(1.0, later.features().clone());
    assert!((found[0] - 8.25).abs() < 1e-12, "{found:?}");
    assert_eq!((found[1], found[2], found[3], found[4]), (5.5, 5.5, 82.5, 82.5));
    assert!(found[5].is_nan());
}

#[test]
fn unknown_groups_have_a_policy() {
    let train = scores(&[1.0, 2.0], &[5.0, 6.0]);
    let spec = DisparateImpactRemover::on(numbers(), named(["g"]));
    let later = |group: Option<&str>| {
        let later = Table::of([("g", Column::categories([group])), ("x", Column::numbers([9.0]))]).unwrap();
        crate::test_tables::admitted(train.features(), &later)
    };
    let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
    let error = fitted.transform(later(Some("c"))).unwrap_err();
    assert_eq!(error.to_string(), "row 0: `c` is none of the known levels (`a`, `b`)");
    let error = fitted.transform(later(None)).unwrap_err();
    assert!(error.to_string().starts_with("row 0 › column `g`: 1 rows have no group"), "{error}");
    let fitted = spec.unknown(UnknownGroup::Keep).fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(fitted.transform(later(Some("c"))).unwrap().columns(), [Column::numbers([9.0])]);
    assert_eq!(fitted.rule().groups(), ["a", "b"]);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let data = data::binary(40, 1);
    let error = |spec: DisparateImpactRemover| spec.fit(&data, &FitContext::new(0)).unwrap_err().to_string();
    let of = |protected| DisparateImpactRemover::on(numbers(), named([protected]));
    assert!(error(of("city")).contains("rows have no group"));
    let expected = "DisparateImpactRemover needs a protected attribute; there is no feature `sex`: a column with \
                    the role protected reaches no step, so let it be a feature, which this step drops";
    assert_eq!(error(of("sex")), expected);
    assert!(error(DisparateImpactRemover::on(numbers(), named::<&str>([]))).contains("none is selected"));
    assert_eq!(error(of("plan").repair(1.5)), "`repair` is 1.5, allowed is from 0 to 1");
    assert!(error(of("plan").quantiles(0)).starts_with("`quantiles` is 0"));
    assert!(error(DisparateImpactRemover::on(all(), named(["plan"]))).contains("a number is needed"));
}

proptest! {
    #[test]
    fn the_order_within_a_group_stays(
        a in prop::collection::vec(-50i8..50, 1..30),
        b in prop::collection::vec(-50i8..50, 1..30),
        level in 0.0f64..=1.0,
    ) {
        let of = |values: &[i8]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (a, b) = (of(&a), of(&b));
        let train = scores(&a, &b);
        let spec = DisparateImpactRemover::on(numbers(), named(["g"])).repair(level).quantiles(50);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(train.features().clone()).unwrap();
        let found = out.columns()[0].as_numbers().unwrap();
        for i in 0..a.len() {
            for j in 0..a.len() {
                prop_assert!(a[i] > a[j] || found[i] <= found[j] + 1e-9);
            }
        }
    }
}

fn scores(a: &[f64], b: &[f64]) -> Dataset<Regression> {
    let groups = a.iter().map(|_| Some("a")).chain(b.iter().map(|_| Some("b")));
    let table = Table::of([("g", Column::categories(groups)), ("x", Column::numbers([a, b].concat()))]);
    training(table.unwrap(), None)
}
