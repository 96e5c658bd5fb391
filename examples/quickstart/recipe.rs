//! What differs between the tasks: the metric that decides, the candidates, the curves.

use stagewise::prelude::*;

/// The parts of the quickstart that depend on the task.
pub(crate) trait Recipe: Task {
    /// The problem: beat the constant answer on the metric that decides.
    fn problem(target: &str, event: Option<&str>) -> Problem<Self>;

    /// The metrics to show, the deciding one first.
    fn metrics() -> Vec<AnyMetric<Self>>;

    /// The candidates, the baseline first.
    fn candidates(problem: &Problem<Self>) -> Result<Vec<(&'static str, Pipeline<Self>)>>;

    /// Curves of the holdout's answers.
    fn curves(evaluation: &Evaluation<Self>) -> Result<Vec<Section>>;
}

/// Fill, scale, encode: what every candidate but the baseline begins with.
fn prepared<T: Task>(problem: &Problem<T>) -> PipelineBuilder<T, WantsModel> {
    Pipeline::builder(problem.clone())
        .step("impute numbers", MedianImputer::on(numbers()).indicator(true))
        .step("impute flags", MostFrequentImputer::on(flags()))
        .step("scale", StandardScaler::on(numbers()))
        .step("levels", OneHotEncoder::on(categories()).rare_below(10))
}

/// Boosted trees take missing values and categories as they are.
fn boosted<T: Task>(problem: &Problem<T>) -> Result<Pipeline<T>>
where
    GradientBoosting: Learner<T>,
{
    Pipeline::builder(problem.clone()).model(GradientBoosting::default()).build()
}

impl Recipe for Binary {
    fn problem(target: &str, event: Option<&str>) -> Problem<Self> {
        let problem = Problem::new(target).primary(RocAuc, beats_baseline(0.0));
        match event {
            Some(level) => problem.event(level),
            None => problem,
        }
    }

    fn metrics() -> Vec<AnyMetric<Self>> {
        vec![
            AnyMetric::new(RocAuc),
            AnyMetric::new(LogLoss),
            AnyMetric::new(Brier),
            AnyMetric::new(Accuracy::default()),
            AnyMetric::new(F1::default()),
        ]
    }

    fn candidates(problem: &Problem<Self>) -> Result<Vec<(&'static str, Pipeline<Self>)>> {
        Ok(vec![
            ("baseline", Pipeline::builder(problem.clone()).model(ConstantBaseline).build()?),
            ("logistic", prepared(problem).model(LogisticRegression::default()).build()?),
            ("tree", prepared(problem).model(DecisionTree::default()).build()?),
            ("forest", prepared(problem).model(RandomForest::default()).build()?),
            ("boosting", boosted(problem)?),
        ])
    }

    fn curves(evaluation: &Evaluation<Self>) -> Result<Vec<Section>> {
        let data = &evaluation.data;
        Ok(vec![RocCurve::of(data.target(), &evaluation.output, data.weights())?.exhibit()])
    }
}

impl Recipe for Multiclass {
    fn problem(target: &str, _event: Option<&str>) -> Problem<Self> {
        Problem::new(target).primary(Accuracy::default(), beats_baseline(0.0))
    }

    fn metrics() -> Vec<AnyMetric<Self>> {
        vec![AnyMetric::new(Accuracy::default()), AnyMetric::new(F1::default()), AnyMetric::new(LogLoss)]
    }

    fn candidates(problem: &Problem<Self>) -> Result<Vec<(&'static str, Pipeline<Self>)>> {
        Ok(vec![
            ("baseline", Pipeline::builder(problem.clone()).model(ConstantBaseline).build()?),
            ("logistic", prepared(problem).model(LogisticRegression::default()).build()?),
            ("tree", prepared(problem).model(DecisionTree::default()).build()?),
            ("forest", prepared(problem).model(RandomForest::default()).build()?),
            ("boosting", boosted(problem)?),
        ])
    }

    fn curves(_evaluation: &Evaluation<Self>) -> Result<Vec<Section>> {
        Ok(Vec::new())
    }
}

impl Recipe for Regression {
    fn problem(target: &str, _event: Option<&str>) -> Problem<Self> {
        Problem::new(target).primary(Rmse, beats_baseline(0.0))
    }

    fn metrics() -> Vec<AnyMetric<Self>> {
        vec![AnyMetric::new(Rmse), AnyMetric::new(Mae), AnyMetric::new(R2)]
    }

    fn candidates(problem: &Problem<Self>) -> Result<Vec<(&'static str, Pipeline<Self>)>> {
        Ok(vec![
            ("baseline", Pipeline::builder(problem.clone()).model(ConstantBaseline).build()?),
            ("linear", prepared(problem).model(LinearRegression::default().l2(1.0)).build()?),
            ("forest", prepared(problem).model(RandomForest::default()).build()?),
            ("boosting", boosted(problem)?),
        ])
    }

    fn curves(_evaluation: &Evaluation<Self>) -> Result<Vec<Section>> {
        Ok(Vec::new())
    }
}
