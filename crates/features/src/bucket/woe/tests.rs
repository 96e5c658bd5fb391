use super::*;
use proptest::prelude::*;
use stagewise_core::problem::Problem;
use stagewise_core::schema::Role;
use stagewise_core::select::{all, numbers};
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data, golden};

fn train(x: &[f64], events: &[bool]) -> Dataset<Binary> {
    let target = Column::categories(events.iter().map(|&event| Some(if event { "yes" } else { "no" })));
    let table = Table::of([("x", Column::numbers(x.to_vec())), ("y", target)]).unwrap();
    Dataset::new(table, &Problem::<Binary>::new("y").event("yes")).unwrap()
}

fn learned(spec: &WoeBins, train: &Dataset<Binary>) -> Binning {
    spec.fit(train, &FitContext::new(0)).unwrap().rule("x").unwrap().clone()
}

fn made(train: &Dataset<Binary>) -> &[f64] {
    train.features().column("x").unwrap().as_numbers().unwrap()
}

#[test]
fn conforms() {
    let weighted = data::binary(80, 4).reweighted(vec![1.0; 80]).unwrap();
    for (output, missing) in [
        (WoeOutput::Woe, MissingBin::Own),
        (WoeOutput::Woe, MissingBin::Keep),
        (WoeOutput::Number, MissingBin::Own),
        (WoeOutput::Level, MissingBin::Keep),
    ] {
        for trend in [Trend::Auto, Trend::Any] {
            let spec = WoeBins::on(numbers()).output(output).missing(missing).trend(trend);
            conformance::transformer(&spec, &data::binary(80, 1));
            conformance::transformer(&spec, &data::binary_numeric(60, 2));
            conformance::transformer(&spec, &weighted);
        }
    }
}

#[test]
fn evidence_equals_its_definition() {
    let golden = golden::load("bins.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") == "woe").collect();
    assert!(cases.len() >= 2, "{} cases", cases.len());
    for case in cases {
        let x = case.numbers("/input/x");
        let events: Vec<bool> = case.numbers("/input/events").iter().map(|&event| event == 1.0).collect();
        // No smoothing to speak of, and every narrow bin a wide one.
        let spec = WoeBins::on(all()).smoothing(1e-12).min_share(0.0).max_bins(100).trend(Trend::Any);
        let rule = learned(&spec, &train(&x, &events));
        let found: Vec<f64> = x.iter().map(|&x| rule.number(x)).collect();
        golden.assert_all_close(&found, &case.numbers("/expected/woe"), &case.name);
    }
}

#[test]
fn evidence_keeps_to_its_trend_share_and_count() {
    let train = data::binary(400, 7);
    for (trend, falls) in [(Trend::Increasing, false), (Trend::Decreasing, true)] {
        let spec = WoeBins::on(numbers()).trend(trend).min_share(0.1).max_bins(4);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        for name in ["age", "income"] {
            let rule = fitted.rule(name).unwrap();
            let values = &rule.values().unwrap()[..rule.bins()];
            assert!(values.is_sorted_by(|a, b| if falls { a >= b } else { a <= b }), "{name}: {values:?}");
            assert!(rule.bins() <= 4);
            let column = train.features().column(name).unwrap().as_numbers().unwrap();
            let mut counts = vec![0; rule.bins()];
            let present: Vec<f64> = column.iter().copied().filter(|x| !x.is_nan()).collect();
            present.iter().for_each(|&x| counts[rule.bin(x)] += 1);
            assert!(counts.iter().all(|&count| f64::from(count) >= 0.1 * present.len() as f64), "{name}: {counts:?}");
        }
    }
}

#[test]
fn missing_values_are_evidence_of_their_own() {
    let x: Vec<f64> = (0..60).map(|i| if i % 3 == 0 { f64::NAN } else { f64::from(i) }).collect();
    let events: Vec<bool> = (0..60).map(|i| i % 3 == 0 && i % 2 == 0 || i == 1).collect();
    let rule = learned(&WoeBins::on(all()), &train(&x, &events));
    assert!(rule.number(f64::NAN) > 1.0, "{:?}", rule.values());
    let rule = learned(&WoeBins::on(all()).missing(MissingBin::Keep), &train(&x, &events));
    assert!(rule.number(f64::NAN).is_nan());
    let complete: Vec<f64> = (0..60).map(f64::from).collect();
    assert_eq!(learned(&WoeBins::on(all()), &train(&complete, &events)).number(f64::NAN), 0.0);
}

#[test]
fn one_class_is_no_evidence_and_extremes_have_a_bin() {
    let cx = FitContext::new(0);
    let data = train(&[1.0, 2.0, 3.0, 4.0], &[true, false, true, false]);
    let fitted = WoeBins::on(all()).fit(&data.take(&[0, 2]), &cx).unwrap();
    assert_eq!(fitted.rule("x").unwrap().number(9.0), 0.0);
    assert_eq!(cx.take_warnings()[0].what, "column `x`: has rows of one class only; it is no evidence");
    let x = [f64::NEG_INFINITY, f64::MIN, -1.0, 5e-324, f64::MAX, f64::INFINITY];
    let rule = learned(&WoeBins::on(all()).min_share(0.0), &train(&x, &[true, true, true, false, false, false]));
    assert!(rule.number(f64::NEG_INFINITY) > 0.0 && rule.number(f64::INFINITY) < 0.0, "{rule:?}");
}

/// Pearson's correlation.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let spread = (sum(&|i| (a[i] - ma).powi(2)) * sum(&|i| (b[i] - mb).powi(2))).sqrt();
    if spread == 0.0 { 0.0 } else { sum(&|i| (a[i] - ma) * (b[i] - mb)) / spread }
}

#[test]
fn training_rows_do_not_learn_their_own_target() {
    // Noise, cut finely: with its own target in it the evidence looks like a find, without it there is nothing.
    let spec = WoeBins::on(all()).narrow(60).max_bins(60).min_share(0.0).trend(Trend::Any).smoothing(0.1);
    let (mut own, mut crossed) = (0.0, 0.0);
    const REPEATS: u64 = 20;
    for seed in 0..REPEATS {
        let mut stream = Stream::new(seed, "noise");
        let x: Vec<f64> = (0..300).map(|_| stream.unit()).collect();
        let events: Vec<bool> = (0..300).map(|_| stream.below(2) == 1).collect();
        let y: Vec<f64> = events.iter().map(|&event| f64::from(u8::from(event))).collect();
        let data = train(&x, &events);
        let (fitted, changed) = spec.fit_transform(data.clone(), &FitContext::new(seed)).unwrap();
        let whole = fitted.transform(data.features().clone()).unwrap();
        own += correlation(whole.columns()[0].as_numbers().unwrap(), &y) / REPEATS as f64;
        crossed += correlation(made(&changed), &y) / REPEATS as f64;
    }
    assert!(own > 0.3, "{own}");
    assert!(crossed < 0.03, "{crossed}");
}

#[test]
fn the_own_target_of_a_row_changes_nothing_of_it() {
    let mut stream = Stream::new(5, "own");
    let x: Vec<f64> = (0..120).map(|_| stream.unit()).collect();
    let events: Vec<bool> = x.iter().map(|x| stream.unit() < *x).collect();
    // Folds of groups do not depend on the target, so a target can be turned in place.
    let grouped = |events: &[bool]| {
        let target = Column::categories(events.iter().map(|&event| Some(if event { "yes" } else { "no" })));
        let group = Column::numbers((0..120).map(|i| f64::from(i / 4)).collect::<Vec<_>>());
        let table = Table::of([("x", Column::numbers(x.clone())), ("y", target), ("g", group)]).unwrap();
        Dataset::new(table, &Problem::<Binary>::new("y").event("yes").role("g", Role::Group)).unwrap()
    };
    let spec = WoeBins::on(all());
    let before = spec.fit_transform(grouped(&events), &FitContext::new(1)).unwrap().1;
    for row in [0, 17, 99] {
        let mut turned = events.clone();
        turned[row] = !turned[row];
        let after = spec.fit_transform(grouped(&turned), &FitContext::new(1)).unwrap().1;
        assert_eq!(made(&before)[row].to_bits(), made(&after)[row].to_bits(), "row {row}");
        assert_ne!(made(&before), made(&after));
    }
}

#[test]
fn rows_of_weight_zero_are_not_there() {
    let data = data::binary(90, 0);
    let weights = (0..90).map(|row| f64::from(u8::from(row >= 30))).collect();
    let later = data.take(&(30..90).collect::<Vec<_>>());
    let (spec, cx) = (WoeBins::on(numbers()), FitContext::new(0));
    let expected = spec.fit(&later, &cx).unwrap();
    let found = spec.fit(&data.reweighted(weights).unwrap(), &cx).unwrap();
    for name in ["age", "income", "empty"] {
        assert_eq!(found.rule(name), expected.rule(name));
    }
}

#[test]
fn parameters_are_checked_before_data() {
    let schema = data::mixed(3, 0).schema().clone();
    let spec = WoeBins::on(numbers());
    for (spec, text) in [
        (spec.clone().max_bins(0), "`max_bins` is 0, allowed is 1 to 100"),
        (spec.clone().narrow(1), "`narrow` is 1, allowed is 2 to 100"),
        (spec.clone().min_share(0.7), "`min_share` is 0.7, allowed is at least 0, at most 0.5"),
        (spec.clone().smoothing(0.0), "`smoothing` is 0, allowed is finite and above 0"),
        (spec.folds(1), "`folds` is 1, allowed is at least 2"),
    ] {
        assert_eq!(spec.plan(&schema).unwrap_err().to_string(), text);
    }
}

proptest! {
    #[test]
    fn evidence_is_finite_and_smoothing_draws_it_to_zero(
        rows in prop::collection::vec((-20i32..20, any::<bool>()), 4..60),
    ) {
        let events: Vec<bool> = rows.iter().map(|r| r.1).collect();
        prop_assume!(events.contains(&true) && events.contains(&false));
        let x: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let data = train(&x, &events);
        let size = |m: f64| {
            let rule = learned(&WoeBins::on(all()).smoothing(m), &data);
            rule.values().unwrap().iter().map(|value| value.abs()).fold(0.0, f64::max)
        };
        prop_assert!(size(0.5).is_finite());
        prop_assert!(size(1e9) < 1e-4);
    }
}
