//! The monitor as a whole: every kind, every policy, and simulations of how often it alarms.

use super::*;
use stagewise_core::column::Column;
use stagewise_core::exhibit::{Block, Chart, Exhibit};
use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;

fn summary(columns: Vec<(&str, Column)>) -> TableSummary {
    TableSummary::of(&Table::of(columns).unwrap())
}

fn numbers(values: impl Iterator<Item = f64>) -> Column {
    Column::numbers(values.collect::<Vec<_>>())
}

fn compare(reference: &TableSummary, current: &TableSummary) -> DriftReport {
    DriftMonitor::new().compare(reference, current).unwrap()
}

/// Ten columns of every kind; `shift` moves all of them.
fn table(rows: usize, stream: &mut Stream, shift: f64) -> TableSummary {
    let mut draws = |f: &dyn Fn(&mut Stream) -> f64| (0..rows).map(|_| f(stream)).collect::<Vec<_>>();
    let normal = draws(&|s| s.normal() + shift);
    let tied = draws(&|s| (s.normal() * 2.0 + 2.0 * shift).round());
    let heavy = draws(&|s| (2.0 * s.normal() + shift).exp());
    let holes = draws(&|s| if s.unit() < 0.1 + 0.3 * shift { f64::NAN } else { s.unit() });
    let zeros = draws(&|s| if s.unit() < 0.6 - 0.3 * shift { 0.0 } else { s.exponential() });
    let level = |f: &dyn Fn(f64) -> f64, v: Vec<f64>| v.into_iter().map(|x| format!("l{}", f(x))).collect::<Vec<_>>();
    let few = level(&|x| (3.0 * x).floor(), draws(&|s| s.unit().powf(1.0 + shift)));
    let many = level(&f64::floor, draws(&|s| s.exponential() * 6.0 * (1.0 + shift)));
    let flag: Vec<Option<bool>> = draws(&|s| s.unit()).into_iter().map(|u| Some(u < 0.2 + 0.3 * shift)).collect();
    let text: Vec<String> = draws(&|s| s.unit()).iter().map(|u| "x".repeat((20.0 * (u + shift)) as usize)).collect();
    let time: Vec<i64> =
        draws(&|s| s.unit()).iter().map(|u| 1_700_000_000_000_000 + ((u + shift) * 1e12) as i64).collect();
    summary(vec![
        ("normal", Column::numbers(normal)),
        ("tied", Column::numbers(tied)),
        ("heavy", Column::numbers(heavy)),
        ("holes", Column::numbers(holes)),
        ("zeros", Column::numbers(zeros)),
        ("few", Column::categories(few.iter().map(|l| Some(l.as_str())))),
        ("many", Column::categories(many.iter().map(|l| Some(l.as_str())))),
        ("flag", Column::flags(flag)),
        ("text", Column::texts(text.iter().map(|t| Some(t.as_str())))),
        ("time", Column::timestamps(time)),
    ])
}

#[test]
fn false_alarms_without_drift_stay_within_the_rate() {
    // 500 pairs of tables at 1 %: five alarms on average at the nominal rate; P(more than 12) = 0.2 %.
    for (n, m) in [(300, 300), (2000, 200), (60, 60)] {
        let mut stream = Stream::new(1, "null");
        let alarms = (0..500).filter(|_| {
            let (a, b) = (table(n, &mut stream, 0.0), table(m, &mut stream, 0.0));
            !compare(&a, &b).drifted().is_empty()
        });
        let alarms = alarms.count();
        println!("{n} against {m} rows: {alarms} alarms in 500 pairs of tables");
        assert!(alarms <= 12, "{alarms} of 500 at {n} against {m} rows");
    }
}

#[test]
fn a_clear_shift_is_found_in_every_kind() {
    let mut stream = Stream::new(2, "shift");
    for _ in 0..20 {
        let (a, b) = (table(2000, &mut stream, 0.0), table(1000, &mut stream, 0.5));
        let names: Vec<String> = a.columns.iter().map(|c| c.0.clone()).collect();
        assert_eq!(compare(&a, &b).drifted(), names);
    }
}

#[test]
fn a_random_division_of_the_same_rows_does_not_drift() {
    let table = stagewise_testkit::data::mixed(5000, 3);
    for seed in 0..20 {
        let order = Stream::new(seed, "division").permutation(5000);
        let (holdout, train) = order.split_at(1000);
        let report = compare(&TableSummary::of(&table.take(train)), &TableSummary::of(&table.take(holdout)));
        assert!(report.drifted().is_empty(), "seed {seed}: {:?}", report.drifted());
        assert_eq!(report.untested(), ["empty"]);
    }
}

#[test]
fn what_is_significant_and_tiny_is_not_drift() {
    let grid = |shift: f64| summary(vec![("x", numbers((0..200_000).map(|i| f64::from(i) / 2e5 + shift)))]);
    let report = compare(&grid(0.0), &grid(0.02));
    let x = &report.features[0];
    assert!(x.p_value.is_some_and(|p| p < 1e-30) && x.statistic.is_some_and(|d| d > 0.019));
    assert_eq!((x.verdict, x.threshold), (Verdict::Stable, Some(0.05)));
    assert_eq!(compare(&grid(0.0), &grid(0.06)).drifted(), ["x"]);
    let strict = DriftMonitor::new().floor(0.01).compare(&grid(0.0), &grid(0.02)).unwrap();
    assert_eq!(strict.drifted(), ["x"]);
}

#[test]
fn a_large_stability_index_makes_a_significant_distance_matter() {
    // Every other decile gains what its neighbour loses: the distribution functions stay within 0.045 of one another.
    let wave = |loss: u32| {
        let values = (0..10_u32).flat_map(move |decile| {
            let rows = if decile % 2 == 0 { 1000 - loss } else { 1000 + loss };
            (0..rows).map(move |i| f64::from(decile) + f64::from(i) / f64::from(rows))
        });
        summary(vec![("x", numbers(values))])
    };
    let report = compare(&wave(0), &wave(450));
    let x = &report.features[0];
    assert!(x.statistic.is_some_and(|d| d < 0.05) && x.psi > x.psi_limit, "{x:?}");
    assert_eq!(report.drifted(), ["x"]);
    let never = DriftMonitor::new().psi_limit(f64::INFINITY).compare(&wave(0), &wave(450)).unwrap();
    assert!(never.drifted().is_empty());
}

#[test]
fn a_missing_share_that_jumps_is_flagged_as_such() {
    let holes = |every: usize| numbers((0..1000).map(|i| if i % every == 0 { f64::NAN } else { (i % 97) as f64 }));
    let report = compare(&summary(vec![("age", holes(50))]), &summary(vec![("age", holes(7))]));
    let found: Vec<_> = report.features.iter().map(|f| (f.method, f.verdict)).collect();
    assert_eq!(found, [(Method::KolmogorovSmirnov, Verdict::Stable), (Method::MissingShare, Verdict::Drifted)]);
    assert_eq!(report.drifted(), ["age"]);
    let gone = summary(vec![("age", Column::numbers(vec![f64::NAN; 1000]))]);
    let report = compare(&summary(vec![("age", holes(50))]), &gone);
    assert_eq!((report.drifted(), report.untested()), (vec!["age"], vec!["age"]));
}

#[test]
fn few_rows_are_said_to_be_few() {
    let rows = |n: u32| summary(vec![("x", numbers((0..n).map(f64::from)))]);
    let report = compare(&rows(500), &rows(19));
    assert_eq!((report.features[0].verdict, report.features[0].p_value), (Verdict::TooFewRows, None));
    assert_eq!(report.untested(), ["x"]);
    assert_eq!(compare(&rows(0), &rows(0)).untested(), ["x"]);
    assert_ne!(compare(&rows(500), &rows(20)).features[0].verdict, Verdict::TooFewRows);
}

#[test]
fn extreme_numbers_are_numbers() {
    let column = |x: f64| numbers((0..100).map(|i| [f64::NEG_INFINITY, -1e300, 0.0, 1e300, x][i % 5]));
    let report = compare(&summary(vec![("x", column(f64::INFINITY))]), &summary(vec![("x", column(f64::INFINITY))]));
    assert_eq!((report.features[0].statistic, report.features[0].psi), (Some(0.0), Some(0.0)));
    let report = compare(&summary(vec![("x", column(f64::INFINITY))]), &summary(vec![("x", column(0.0))]));
    assert!(report.features[0].statistic.is_some_and(|d| (d - 0.2).abs() < 1e-12));
}

#[test]
fn columns_must_be_there_and_of_their_kind() {
    let reference = summary(vec![("income", Column::numbers([1.0]))]);
    let error = DriftMonitor::new().compare(&reference, &summary(vec![("incme", Column::numbers([1.0]))])).unwrap_err();
    assert_eq!(error.to_string(), "there is no column `income`; did you mean `incme`?");
    let other = summary(vec![("income", Column::texts([Some("much")]))]);
    let error = DriftMonitor::new().compare(&reference, &other).unwrap_err();
    assert_eq!(error.to_string(), "column `income`: is a text, a number is needed");
    let error = DriftMonitor::new().alpha(0.0).compare(&reference, &reference).unwrap_err();
    assert!(error.to_string().contains("alpha"), "{error}");
}

#[test]
fn columns_unknown_to_the_reference_are_listed() {
    let (a, b) =
        (vec![("x", Column::numbers([1.0]))], vec![("x", Column::numbers([1.0])), ("y", Column::numbers([2.0]))]);
    assert_eq!(compare(&summary(a), &summary(b)).unknown, ["y"]);
}

#[test]
fn the_threshold_divides_as_the_verdict_does() {
    let mut stream = Stream::new(8, "threshold");
    let mut verdicts = [0, 0];
    for i in 0..60 {
        let (a, b) = (table(400, &mut stream, 0.0), table(150 + 10 * i, &mut stream, 0.004 * i as f64));
        for f in compare(&a, &b).features {
            let (Some(statistic), Some(threshold)) = (f.statistic, f.threshold) else { panic!("a test is needed") };
            assert_eq!(statistic >= threshold, f.is_drifted(), "{f:?}");
            verdicts[usize::from(f.is_drifted())] += 1;
        }
    }
    assert!(verdicts.iter().all(|&n| n > 100), "{verdicts:?}");
}

#[test]
fn reports_and_monitors_are_saved_and_read_back() {
    let mut stream = Stream::new(4, "saved");
    let report = compare(&table(100, &mut stream, 0.0), &table(10, &mut stream, 0.0));
    let saved = stagewise_core::persist::Saved::of(&report).unwrap();
    assert_eq!(saved.load::<DriftReport>().unwrap(), report);
    let monitor = DriftMonitor::new().alpha(0.05).correction(Correction::None);
    assert_eq!(stagewise_core::persist::Saved::of(&monitor).unwrap().load::<DriftMonitor>().unwrap(), monitor);
}

#[test]
fn the_exhibit_leads_with_the_strongest() {
    let mut stream = Stream::new(5, "exhibit");
    let report = compare(&table(2000, &mut stream, 0.0), &table(1000, &mut stream, 0.3));
    let section = report.exhibit();
    let Some(Block::Text(sentence)) = section.blocks.first() else { panic!("a sentence is needed") };
    assert!(sentence.starts_with("10 features drifted: normal, tied"), "{sentence}");
    let bars = section.blocks.iter().find_map(|b| match b {
        Block::Chart(Chart::Bars { items, mark, .. }) => Some((items, mark)),
        _ => None,
    });
    let (items, mark) = bars.unwrap();
    assert!(items.windows(2).all(|pair| pair[0].1 >= pair[1].1) && *mark == Some(1.0));
    assert_eq!(items.len(), report.features.len());
}
