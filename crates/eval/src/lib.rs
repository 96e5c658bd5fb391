//! Evaluation for stagewise: metrics, curves, intervals, cross-validation.
//!
//! | question | answer |
//! |---|---|
//! | how good are these answers? | [`metric`]: one type per metric, for the tasks that it serves |
//! | how good at every threshold? | [`RocCurve`], [`PrecisionRecallCurve`] |
//! | do probabilities mean what they say? | [`CalibrationCurve`], [`Brier`], [`LogLoss`] |
//! | what do the decisions cost? | [`ExpectedCost`], from the costs of the problem |
//! | how sure is that number? | [`bootstrap`] for any metric, [`wilson`] for a share |
//! | how good is the recipe, not the one fit? | [`cross_validate()`], [`CrossValidated`] |
//! | what does each raw column contribute? | [`Permutation`], through the whole recipe |
//! | does the validation side look like the training side? | [`AdversarialCheck`] |
//! | which labels are likely wrong? | [`ConfidentLearning`], by out-of-fold answers |
//! | which recipe is best? | [`ranking`], which refuses results of different splits |
//! | how good is the best of several, chosen fairly? | [`NestedCrossValidation`] |
//!
//! Sums are exact, so a score depends neither on the order of the rows nor on the number of threads.

pub mod adversarial;
pub mod cross_validate;
pub mod curve;
pub mod interval;
pub mod label_errors;
pub mod metric;
pub mod permutation;

use stagewise_core::metric::Metric;
use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

pub use adversarial::{Adversarial, AdversarialCheck, TellingColumn};
pub use cross_validate::{
    Choice, CrossValidated, CrossValidation, FoldResult, NestedCrossValidated, NestedCrossValidation, Ranked,
    cross_validate, ranking,
};
pub use curve::{CalibrationCurve, PrecisionRecallCurve, RocCurve};
pub use interval::{Bootstrap, Interval, IntervalMethod, bootstrap, wilson};
pub use label_errors::{ConfidentLearning, LabelErrors, Suspect, SuspectOrder, Suspicion};
pub use metric::{
    Accuracy, Average, Brier, ClassConfusion, Confusion, ExpectedCost, F1, Gain, LogLoss, Mae, MeanAveragePrecision,
    MeanReciprocalRank, Mse, Ndcg, Precision, R2, Recall, Rmse, RocAuc,
};
pub use permutation::{Permutation, PermutationImportance, PermutedColumns};

/// Registers every metric of this crate for each task that it serves.
///
/// ```
/// let mut registry = stagewise_core::registry::Registry::new();
/// stagewise_eval::register(&mut registry);
/// assert_eq!(registry.tags().len(), 15);
/// assert!(registry.check().is_ok());
/// ```
pub fn register(registry: &mut Registry) {
    fn both<M: Metric<Binary> + Metric<Multiclass>>(registry: &mut Registry) {
        registry.metric_for::<Binary, M>().metric_for::<Multiclass, M>();
    }
    both::<Accuracy>(registry);
    both::<Precision>(registry);
    both::<Recall>(registry);
    both::<F1>(registry);
    both::<LogLoss>(registry);
    registry.metric_for::<Binary, RocAuc>().metric_for::<Binary, Brier>().metric_for::<Binary, ExpectedCost>();
    registry.metric_for::<Regression, Mae>().metric_for::<Regression, Mse>();
    registry.metric_for::<Regression, Rmse>().metric_for::<Regression, R2>();
    registry.metric_for::<Ranking, Ndcg>().metric_for::<Ranking, MeanAveragePrecision>();
    registry.metric_for::<Ranking, MeanReciprocalRank>();
}
