//! Every built-in stage and metric keeps the promises of its trait, and none is forgotten: a tag that is registered and
//! not checked here fails.

use std::collections::BTreeSet;

use stagewise::core::persist::Persist;
use stagewise::core::target::{BinaryTarget, ClassTarget, NumberTarget, RankingTarget};
use stagewise::prelude::*;
use stagewise_testkit::{conformance, data};

#[derive(Default)]
struct Checked(BTreeSet<&'static str>);

impl Checked {
    fn transformer<S>(&mut self, spec: S)
    where
        S: Transformer<Regression> + Transformer<Binary> + Transformer<Multiclass> + Transformer<Ranking>,
    {
        conformance::transformer(&spec, &data::binary(120, 1));
        conformance::transformer(&spec, &data::multiclass(120, 2));
        conformance::transformer(&spec, &data::regression(120, 3));
        conformance::transformer(&spec, &data::ranking(120, 4));
        self.0.insert(S::TAG);
        self.0.insert(<S as Transformer<Binary>>::Fitted::TAG);
    }

    fn sampler<S: Sampler<Binary> + Sampler<Multiclass>>(&mut self, spec: S) {
        conformance::sampler(&spec, &data::binary(90, 1));
        conformance::sampler(&spec, &data::multiclass(90, 2));
        self.0.insert(S::TAG);
    }

    fn learner<T: Task, L: Learner<T>>(&mut self, spec: L, data: &Dataset<T>) {
        conformance::learner(&spec, data);
        self.0.insert(L::TAG);
        self.0.insert(L::Model::TAG);
    }

    fn binary(&mut self, metric: impl Metric<Binary>) {
        let truth = BinaryTarget::new([true, false, false, true, false, true]);
        let output = ndarray::arr1(&[0.8, 0.3, 0.6, 0.6, 0.1, 0.4]);
        let perfect = ndarray::arr1(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        conformance::metric(&metric, &truth, &output, &perfect);
        self.metric(&metric);
    }

    fn multiclass(&mut self, metric: impl Metric<Multiclass>) {
        let truth = ClassTarget::new([0, 1, 2, 1], 3);
        let output = ndarray::arr2(&[[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.1, 0.8, 0.1]]);
        let perfect = ndarray::arr2(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
        conformance::metric(&metric, &truth, &output, &perfect);
        self.metric(&metric);
    }

    fn regression(&mut self, metric: impl Metric<Regression>) {
        let truth = NumberTarget::new([1.0, 2.0, 4.0, -1.0]);
        conformance::metric(
            &metric,
            &truth,
            &ndarray::arr1(&[1.5, 1.0, 4.0, 0.0]),
            &ndarray::arr1(&[1.0, 2.0, 4.0, -1.0]),
        );
        self.metric(&metric);
    }

    fn ranking(&mut self, metric: impl Metric<Ranking>) {
        let truth = RankingTarget::new([2.0, 0.0, 1.0, 0.0, 3.0], [0, 1, 0, 0, 1]).unwrap();
        let output = ndarray::arr1(&[0.1, 0.7, 0.4, 0.1, 0.7]);
        conformance::metric(&metric, &truth, &output, &ndarray::arr1(&[2.0, 0.0, 1.0, 0.0, 3.0]));
        self.metric(&metric);
    }

    fn metric<M: Persist>(&mut self, _: &M) {
        self.0.insert(M::TAG);
    }
}

#[test]
fn every_registered_stage_and_metric_keeps_its_promises() {
    let mut checked = Checked::default();

    checked.transformer(MedianImputer::on(numbers()));
    checked.transformer(MedianImputer::on(numbers()).indicator(true));
    checked.transformer(MostFrequentImputer::on(all()).indicator(true));
    checked.transformer(StandardScaler::on(numbers()));
    checked.transformer(OneHotEncoder::on(categories()).rare_below(10));
    checked.transformer(MeanImputer::on(numbers()));
    checked.transformer(ConstantImputer::on(all()).number(0.0).level("none").flag(false));
    checked.transformer(MissingIndicator::on(all()));
    checked.transformer(MissingAsLevel::on(categories()));
    checked.transformer(RandomImputer::on(all()).indicator(true));
    checked.transformer(KnnImputer::on(numbers()).indicator(true));
    checked.transformer(IterativeImputer::on(numbers()).indicator(true));
    checked.transformer(OutlierClipper::on(numbers()).indicator(true));
    checked.transformer(LocalOutlierFactor::on(numbers()).neighbours(5));
    checked.transformer(MinMaxScaler::on(numbers()));
    checked.transformer(MaxAbsScaler::on(numbers()));
    checked.transformer(RobustScaler::on(numbers()));
    checked.transformer(UnitNorm::on(numbers()));
    checked.transformer(Log::on(named(["age", "income"])));
    checked.transformer(PowerTransformer::on(numbers()));
    checked.transformer(QuantileTransformer::on(numbers()));
    checked.transformer(KBins::on(numbers()));
    checked.transformer(CustomBins::on(numbers(), [0.0, 30.0]));
    // Of some tasks only.
    conformance::transformer(&SupervisedBins::on(numbers()), &data::binary(120, 1));
    conformance::transformer(&SupervisedBins::on(numbers()), &data::multiclass(120, 2));
    conformance::transformer(&SupervisedBins::on(numbers()), &data::regression(120, 3));
    conformance::transformer(&WoeBins::on(numbers()), &data::binary(120, 1));
    conformance::transformer(&WeightOfEvidenceEncoder::on(categories()), &data::binary(120, 1));
    checked.0.extend([SupervisedBins::TAG, WoeBins::TAG, WeightOfEvidenceEncoder::TAG]);
    checked.transformer(OrdinalEncoder::on(categories()));
    checked.transformer(CountEncoder::on(categories()));
    checked.transformer(BinaryEncoder::on(categories()));
    checked.transformer(HashingEncoder::on(categories()));
    checked.transformer(ContrastEncoder::on(categories(), Contrast::Helmert));
    checked.transformer(TargetEncoder::on(categories()));
    checked.transformer(JamesSteinEncoder::on(categories()));
    checked.transformer(OrderedTargetEncoder::on(categories()));
    checked.transformer(LeaveOneOutEncoder::on(categories()));
    checked.transformer(TfidfVectorizer::on(categories()));
    checked.transformer(HashingVectorizer::on(categories()).buckets(4));
    checked.transformer(MinHashEncoder::on(categories()).components(3));
    // On columns of time, which these tables do not have: checked in their own crate.
    checked.transformer(DateParts::on(timestamps()));
    checked.transformer(Holidays::new(timestamps(), ["12-25"]));
    checked.transformer(TimeSince::new(timestamps(), "2024-01-01"));
    checked.0.extend([TimeBetween::TAG, <TimeBetween as Transformer<Binary>>::Fitted::TAG]);
    checked.transformer(PolynomialFeatures::on(numbers()).degree(3));
    checked.transformer(Ratios::of([("income", "age"), ("age", "constant")]));
    checked.transformer(Interactions::on(categories() | flags()));
    checked.transformer(SplineTransformer::on(named(["age", "constant"])));
    checked.transformer(NaturalSpline::on(named(["age"])));
    checked.transformer(Pca::on(named(["age", "constant"])));
    checked.transformer(TruncatedSvd::on(named(["age", "constant"])));
    checked.transformer(RandomProjection::on(named(["age", "constant"]), 2));
    checked.transformer(DisparateImpactRemover::on(numbers(), named(["plan"])));
    checked.transformer(CorrelationRemover::on(named(["age"]), named(["plan", "city"])).unknown(UnknownGroup::Keep));
    checked.transformer(Suppression::of(named(["plan"])).above(0.2));
    checked.sampler(Reweighing::new().by(["plan"]));
    checked.transformer(IsolationForest::new().trees(12).contamination(Some(0.1)));
    let decisions = ValueDecisions::new()
        .decide("city", "Ulm", Remedy::Map("Bern".into()))
        .decide("city", "never seen", Remedy::Reject)
        .decide("plan", "nor this", Remedy::Missing)
        .decide("age", "40", Remedy::Missing);
    checked.transformer(ValueDecider::of(decisions.clone()));

    checked.sampler(RejectedRows::of(decisions.decide("city", "Ulm", Remedy::Reject)));
    checked.sampler(RandomOverSampler::new());
    checked.sampler(RandomUnderSampler::new());
    checked.sampler(Smote::new());
    checked.sampler(BorderlineSmote::new());
    checked.sampler(Adasyn::new());
    checked.sampler(TomekLinks::new());
    checked.sampler(EditedNearestNeighbours::new());
    checked.sampler(NearMiss::new());
    checked.sampler(NeighbourhoodCleaning::new());
    checked.sampler(SmoteTomek::new());
    checked.sampler(SmoteEnn::new());

    checked.sampler(OutlierFilter::on(numbers()).most(0.5));
    conformance::sampler(&OutlierFilter::on(numbers()).most(0.5), &data::regression(90, 1));
    conformance::sampler(&OutlierFilter::on(numbers()).most(0.5), &data::ranking(90, 1));

    checked.sampler(Jitter::new());
    conformance::sampler(&Jitter::new(), &data::regression(90, 1));
    conformance::sampler(&Jitter::new(), &data::ranking(90, 1));
    checked.sampler(Mixup::new());
    conformance::sampler(&Mixup::new(), &data::regression(90, 1));

    let (binary, multiclass, regression) =
        (data::binary_numeric(90, 1), data::multiclass_numeric(90, 2), data::regression_numeric(90, 3));
    checked.learner(ConstantBaseline, &binary);
    checked.learner(ConstantBaseline, &multiclass);
    checked.learner(ConstantBaseline, &regression);
    checked.learner(ConstantBaseline, &data::ranking(90, 4));
    checked.learner(LinearRegression::default(), &regression);
    checked.learner(LogisticRegression::default(), &binary);
    checked.learner(LogisticRegression::default(), &multiclass);
    checked.learner(LogisticRegression::default().backend(LogisticBackend::Linfa), &binary);
    let boosting = GradientBoosting::new().rounds(5).min_rows_leaf(10.0).max_leaves(4);
    checked.learner(boosting.clone(), &data::binary(90, 1));
    checked.learner(boosting.clone(), &data::multiclass(90, 2));
    checked.learner(boosting.clone(), &data::regression(90, 3));
    checked.learner(boosting.clone(), &data::ranking(90, 4));
    checked.learner(boosting.class_weights(ClassWeights::Balanced).watch(RocAuc), &data::binary(90, 1));
    checked.learner(GradientBoosting::new().rounds(5).linear_leaves(true), &data::regression(90, 3));
    let explainable = ExplainableBoosting::new().bags(2).rounds(20).learning_rate(0.1);
    checked.learner(explainable.clone(), &data::binary(90, 1));
    checked.learner(explainable.clone(), &data::multiclass(90, 2));
    checked.learner(explainable, &data::regression(90, 3));
    checked.learner(DecisionTree::default(), &binary);
    checked.learner(DecisionTree::default(), &multiclass);
    checked.learner(DecisionTree::default(), &regression);
    checked.learner(DecisionTree::default().backend(TreeBackend::Exact), &binary);
    checked.learner(ExtraTrees::default().trees(8), &binary);
    checked.learner(ExtraTrees::default().trees(8), &multiclass);
    checked.learner(ExtraTrees::default().trees(8), &regression);
    checked.learner(QuantileForest::default().trees(8), &regression);
    checked.learner(RandomForest::default().trees(8), &binary);
    checked.learner(RandomForest::default().trees(8), &multiclass);
    checked.learner(RandomForest::default().trees(8), &regression);
    checked.learner(RandomForest::default().trees(8).backend(ForestBackend::Smartcore), &binary);

    let truth = BinaryTarget::new([true, false, false, true, false, true, true, false]);
    let output = ndarray::arr1(&[0.8, 0.3, 0.6, 0.6, 0.1, 0.4, 0.9, 0.2]);
    conformance::calibrator::<Binary, Platt>(&Platt, &output, &truth);
    checked.0.extend([Platt::TAG, <Platt as Calibrator<Binary>>::Fitted::TAG]);

    checked.binary(Accuracy::default());
    checked.binary(Precision::default());
    checked.binary(Recall::default());
    checked.binary(F1::default());
    checked.binary(RocAuc);
    checked.binary(LogLoss);
    checked.binary(Brier);
    checked.multiclass(Accuracy::default());
    checked.multiclass(Precision::default());
    checked.multiclass(Recall::default());
    checked.multiclass(F1::default());
    checked.multiclass(LogLoss);
    checked.binary(ExpectedCost::of(&Problem::new("y").cost(Outcome::FalseNegative, 5.0)).unwrap());
    checked.regression(Mae);
    checked.regression(Mse);
    checked.regression(Rmse);
    checked.regression(R2);
    checked.ranking(Ndcg::new());
    checked.ranking(MeanAveragePrecision::new());
    checked.ranking(MeanReciprocalRank::new());

    let registry = stagewise::registry();
    registry.check().unwrap();
    let forgotten: Vec<_> = registry.tags().into_iter().filter(|(_, tag)| !checked.0.contains(tag)).collect();
    assert!(forgotten.is_empty(), "registered and not checked here: {forgotten:?}");
}

#[test]
fn every_splitter_keeps_its_promises() {
    let data = data::multiclass(97, 4);
    for splits in [conformance::splitter(&KFold::new(4), &data), conformance::splitter(&StratifiedKFold::new(4), &data)]
    {
        let mut judged: Vec<usize> = splits.into_iter().flat_map(|s| s.validation).collect();
        judged.sort_unstable();
        assert_eq!(judged, (0..97).collect::<Vec<_>>(), "every row judges once");
    }
    conformance::splitter(&RepeatedKFold::new(4, 2), &data);
    conformance::splitter(&MonteCarlo::new(3, 0.2).by(SplitBy::Strata), &data);
    conformance::splitter(&BootstrapSplit::new(3), &data);
    let groups = data::ranking(97, 4);
    conformance::splitter(&GroupKFold::new(4), &groups);
    conformance::splitter(&StratifiedGroupKFold::new(4), &groups);
    conformance::splitter(&LeaveOneGroupOut::new(), &groups);
    let timed = in_time();
    conformance::splitter(&TimeSeriesSplit::new(3), &timed);
    conformance::splitter(&PurgedKFold::new(3).embargo(Span::Units(2.0)), &timed);
    conformance::splitter(&PredefinedSplit::folds("part"), &timed);
}

/// Numbers in the order of a time column, with parts named by another.
fn in_time() -> Dataset<Regression> {
    let numbers = |of: fn(usize) -> f64| Column::numbers((0..60).map(of).collect::<Vec<_>>());
    let table = Table::of([
        ("t", numbers(|row| (row * 7 % 60) as f64)),
        ("part", numbers(|row| (row % 4) as f64)),
        ("x", numbers(|row| row as f64)),
        ("y", numbers(|row| (row * row % 17) as f64)),
    ]);
    Dataset::new(table.unwrap(), &Problem::new("y").time("t").id("part")).unwrap()
}

#[test]
fn every_splitter_cross_validates_and_different_splits_are_not_compared() {
    fn run(splitter: &impl Splitter<Regression>) -> CrossValidated<Regression> {
        let recipe = Pipeline::builder(Problem::new("y")).model(ConstantBaseline).build().unwrap();
        cross_validate(&recipe, &in_time(), splitter, &[AnyMetric::new(Mae)], &FitContext::new(1)).unwrap()
    }
    let results = [
        run(&KFold::new(3)),
        run(&RepeatedKFold::new(3, 2)),
        run(&StratifiedKFold::new(3)),
        run(&MonteCarlo::new(3, 0.2)),
        run(&BootstrapSplit::new(3)),
        run(&PredefinedSplit::folds("part")),
        run(&PredefinedSplit::sides("part", "0", "1")),
        run(&TimeSeriesSplit::new(3)),
        run(&TimeSeriesSplit::periods(Period::Units(10.0)).window(Span::Periods(2))),
        run(&PurgedKFold::new(3)),
    ];
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result.out_of_fold().is_some(), [0, 2, 5, 9].contains(&place), "{place}");
        for (other, second) in results.iter().enumerate() {
            let compared = ranking(&[("one", result), ("other", second)], "mae");
            assert_eq!(compared.is_ok(), place == other, "{place} and {other}");
        }
    }
}
