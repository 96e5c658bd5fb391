use super::*;
use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::problem::Problem;
use stagewise_core::select::{all, numbers};
use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data, golden};

const MDLP: BinSearch = BinSearch::Mdlp;

#[test]
fn conforms() {
    let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
    for (output, missing) in [(BinOutput::Number, MissingBin::Own), (BinOutput::Level, MissingBin::Keep)] {
        let spec = SupervisedBins::on(numbers()).output(output).missing(missing);
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &weighted);
        let mdlp = spec.split_by(MDLP);
        conformance::transformer(&mdlp, &data::binary(60, 1));
        conformance::transformer(&mdlp, &data::multiclass(62, 3));
    }
}

fn classes(x: &[f64], y: &[f64], weights: Option<Vec<f64>>) -> Dataset<Multiclass> {
    let names: Vec<String> = y.iter().map(|y| format!("class {y}")).collect();
    let target = Column::categories(names.iter().map(|name| Some(name.as_str())));
    let table = Table::of([("x", Column::numbers(x.to_vec())), ("y", target)]).unwrap();
    let train = Dataset::new(table, &Problem::<Multiclass>::new("y")).unwrap();
    weights.map_or(train.clone(), |weights| train.reweighted(weights).unwrap())
}

fn values(x: &[f64], y: &[f64], weights: Option<Vec<f64>>) -> Dataset<Regression> {
    let table = Table::of([("x", Column::numbers(x.to_vec())), ("y", Column::numbers(y.to_vec()))]).unwrap();
    let train = Dataset::new(table, &Problem::<Regression>::new("y")).unwrap();
    weights.map_or(train.clone(), |weights| train.reweighted(weights).unwrap())
}

fn edges<T: Task>(spec: &SupervisedBins, train: &Dataset<T>) -> Vec<f64>
where
    SupervisedBins: Transformer<T, Fitted = FittedBins>,
{
    spec.fit(train, &FitContext::new(0)).unwrap().rule("x").unwrap().edges().to_vec()
}

#[test]
fn trees_equal_scikit_learn() {
    let golden = golden::load("supervised_bins.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") != "mdlp").collect();
    assert!(cases.len() >= 8, "{} cases", cases.len());
    for case in cases {
        let spec = SupervisedBins::on(all())
            .split_by(BinSearch::Tree { depth: case.number("/input/depth") as u32 })
            .min_share(case.number("/input/min_share"));
        let (x, y) = (case.numbers("/input/x"), case.numbers("/input/y"));
        let weights = case.optional_numbers("/input/weights");
        let found = if case.value("/input/kind") == "classes" {
            edges(&spec, &classes(&x, &y, weights))
        } else {
            edges(&spec, &values(&x, &y, weights))
        };
        golden.assert_all_close(&found, &case.numbers("/expected/edges"), &case.name);
    }
}

#[test]
fn description_length_cuts_equal_those_of_orange() {
    let golden = golden::load("supervised_bins.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") == "mdlp").collect();
    assert!(cases.len() >= 6, "{} cases", cases.len());
    for case in cases {
        let spec = SupervisedBins::on(all()).split_by(MDLP).min_share(0.0);
        let found = edges(&spec, &classes(&case.numbers("/input/x"), &case.numbers("/input/y"), None));
        golden.assert_all_close(&found, &case.numbers("/expected/edges"), &case.name);
    }
}

#[test]
fn noise_has_no_cut_that_pays() {
    let mut stream = Stream::new(3, "noise");
    let mut found = 0;
    for _ in 0..50 {
        let x: Vec<f64> = (0..400).map(|_| stream.unit()).collect();
        let y: Vec<f64> = (0..400).map(|_| stream.below(2) as f64).collect();
        found += usize::from(!edges(&SupervisedBins::on(all()).split_by(MDLP), &classes(&x, &y, None)).is_empty());
    }
    assert!(found <= 4, "{found} of 50");
}

#[test]
fn bins_have_their_share_and_extremes_their_bin() {
    let x = [f64::NEG_INFINITY, -1e308, 0.0, 1.0, 1e308, f64::INFINITY, f64::NAN, 5e-324];
    let y = [0.0, 0.0, 1e300, 2.0, -1e300, 1.0, 1.0, 0.0];
    let spec = SupervisedBins::on(all()).min_share(0.0);
    let found = edges(&spec, &values(&x, &y, None));
    assert!(!found.is_empty() && found.iter().all(|edge| edge.is_finite()), "{found:?}");
    let x: Vec<f64> = (0..100).map(f64::from).collect();
    let y: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i == 99))).collect();
    let found =
        edges(&SupervisedBins::on(all()).min_share(0.1).split_by(BinSearch::Tree { depth: 1 }), &values(&x, &y, None));
    assert_eq!(found, [89.5]);
    let cx = FitContext::new(0);
    spec.fit(&values(&x, &vec![2.0; 100], None), &cx).unwrap();
    let text = cx.take_warnings().remove(0).what;
    assert_eq!(text, "column `x`: has no cut that tells the target apart; all values share one bin");
}

#[test]
fn parameters_are_checked_before_data() {
    let schema = data::mixed(3, 0).schema().clone();
    let plan = |spec: SupervisedBins| Transformer::<Regression>::plan(&spec, &schema).unwrap_err().to_string();
    let spec = SupervisedBins::on(numbers());
    assert_eq!(
        plan(spec.clone().split_by(MDLP)),
        "`split_by` is mdlp, allowed is a tree, where the target is a number"
    );
    assert_eq!(plan(spec.clone().split_by(BinSearch::Tree { depth: 0 })), "`depth` is 0, allowed is 1 to 10");
    assert_eq!(plan(spec.min_share(0.6)), "`min_share` is 0.6, allowed is at least 0, at most 0.5");
}

proptest! {
    #[test]
    fn the_first_cut_is_the_best_of_all(rows in prop::collection::vec((-20i32..20, -9i32..9), 4..40)) {
        let x: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let y: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
        let spec = SupervisedBins::on(all()).split_by(BinSearch::Tree { depth: 1 }).min_share(0.0);
        let found = edges(&spec, &values(&x, &y, None));
        let loss = |edge: f64| {
            let side = |above: bool| {
                let inside = rows.iter().filter(|r| (f64::from(r.0) >= edge) == above);
                let y: Vec<f64> = inside.map(|r| f64::from(r.1)).collect();
                let mean = y.iter().sum::<f64>() / y.len() as f64;
                y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>()
            };
            side(false) + side(true)
        };
        let mut distinct = x;
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let best = distinct.windows(2).map(|pair| loss(0.5 * (pair[0] + pair[1]))).fold(f64::INFINITY, f64::min);
        if let [edge] = found[..] {
            prop_assert!(loss(edge) <= best + 1e-9, "{} {}", loss(edge), best);
        }
    }

    #[test]
    fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-20i32..20, 0u8..3, 1u8..4), 6..40)) {
        let x: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let y: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
        prop_assume!(y.iter().any(|class| *class != y[0]));
        let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
        let repeat = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&rows).flat_map(|(value, r)| vec![*value; r.2.into()]).collect()
        };
        for spec in [SupervisedBins::on(all()), SupervisedBins::on(all()).split_by(MDLP)] {
            let weighted = edges(&spec, &classes(&x, &y, Some(weights.clone())));
            let repeated = edges(&spec, &classes(&repeat(&x), &repeat(&y), None));
            prop_assert_eq!(weighted, repeated);
        }
    }
}
