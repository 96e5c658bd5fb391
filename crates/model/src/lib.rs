//! Learners and canonical models of stagewise: many learners, few models.
//!
//! | learner | tasks | model |
//! |---|---|---|
//! | [`ConstantBaseline`]: the mean or the class shares | all | [`ConstantModel`] |
//! | [`LinearRegression`]: weighted least squares, ridge | regression | [`LinearModel`] |
//! | [`LogisticRegression`]: Newton, L-BFGS or linfa | binary, multiclass | [`LinearModel`] |
//! | [`DecisionTree`]: one tree, on bins, by exact search or by linfa's | all but ranking | [`TreeEnsemble`] |
//! | [`ExplainableBoosting`]: a sum of functions of one and two columns | all but ranking | [`TreeEnsemble`] |
//! | [`ExtraTrees`]: trees with random cuts | all but ranking | [`TreeEnsemble`] |
//! | [`GradientBoosting`]: boosted trees, missing values and categories as they are | all | [`TreeEnsemble`] |
//! | [`QuantileForest`]: a quantile of the target, or an interval | regression | [`QuantileModel`] |
//! | [`RandomForest`]: bagged trees, ours or smartcore's | all but ranking | [`TreeEnsemble`] |
//!
//! | step | learns | learned form |
//! |---|---|---|
//! | [`IsolationForest`]: how odd a row is | trees of random cuts | [`FittedIsolationForest`] |
//!
//! | calibrator | tasks | learned form |
//! |---|---|---|
//! | [`Platt`]: a sigmoid of the log-odds | binary | [`FittedPlatt`] |
//!
//! | asked of a tree model | answer |
//! |---|---|
//! | `contributions`, `contributions_against`: what each feature adds to each score | [`Contributions`] |
//! | `interactions`: what pairs of features add | [`Interactions`] |
//! | `terms`, `term_values`: the functions of one and two columns that it is the sum of | [`Terms`] |
//! | `importance`: gains and counts of splits | [`Importance`] |
//!
//! Models of other libraries are read in by [`TreeEnsemble::from_lightgbm`] and [`TreeEnsemble::from_xgboost`];
//! [`TreeEnsemble::to_onnx`] writes a tree model for other runtimes.
//!
//! Backends are read out into these models, so that prediction, explanation, export and saving are written once.

pub mod baseline;
pub mod calibrate;
mod input;
pub mod linear;
pub mod link;
mod setters;
pub mod tree;

pub use baseline::{ConstantBaseline, ConstantModel};
pub use calibrate::platt::{FittedPlatt, Platt};
pub use linear::logistic::{LogisticBackend, LogisticRegression};
pub use linear::model::LinearModel;
pub use linear::regression::LinearRegression;
pub use link::Link;
pub use tree::additive::learner::ExplainableBoosting;
pub use tree::additive::shape::{ShapeAxis, ShapeFunction, ShapeParts, Terms};
pub use tree::boost::custom::CustomBoosting;
pub use tree::boost::history::{History, MetricCurve};
pub use tree::boost::learner::{GradientBoosting, GrowthOrder, Monotone};
pub use tree::boost::loss::Loss;
pub use tree::boost::objective::Objective;
pub use tree::boost::sample::RowSampling;
pub use tree::boost::start::StartRows;
pub use tree::class_weights::ClassWeights;
pub use tree::decision::{DecisionTree, TreeBackend};
pub use tree::ensemble::{Combine, TreeEnsemble};
pub use tree::explain::background::BackgroundExplainer;
pub use tree::explain::contribution::Contributions;
pub use tree::explain::importance::{Importance, ImportanceKind};
pub use tree::explain::interaction::Interactions;
pub use tree::explain::path_dependent::PathExplainer;
pub use tree::extra_trees::ExtraTrees;
pub use tree::forest::out_of_bag::OutOfBag;
pub use tree::forest::{ForestBackend, RandomForest};
pub use tree::isolation::{FittedIsolationForest, IsolationForest};
pub use tree::linear_leaves::Line;
pub use tree::quantile_forest::{QuantileForest, QuantileModel};
pub use tree::structure::{LevelSet, Node, Rule, Tree};

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

/// Registers every learner, model, step and calibrator of this crate.
pub fn register(registry: &mut Registry) {
    registry
        .learner::<Regression, ConstantBaseline>()
        .learner::<Binary, ConstantBaseline>()
        .learner::<Multiclass, ConstantBaseline>()
        .learner::<Ranking, ConstantBaseline>()
        .learner::<Regression, LinearRegression>()
        .learner::<Binary, LogisticRegression>()
        .learner::<Multiclass, LogisticRegression>()
        .learner::<Regression, DecisionTree>()
        .learner::<Binary, DecisionTree>()
        .learner::<Multiclass, DecisionTree>()
        .learner::<Regression, GradientBoosting>()
        .learner::<Binary, GradientBoosting>()
        .learner::<Multiclass, GradientBoosting>()
        .learner::<Ranking, GradientBoosting>()
        .learner::<Regression, ExplainableBoosting>()
        .learner::<Binary, ExplainableBoosting>()
        .learner::<Multiclass, ExplainableBoosting>()
        .learner::<Regression, ExtraTrees>()
        .learner::<Binary, ExtraTrees>()
        .learner::<Multiclass, ExtraTrees>()
        .learner::<Regression, QuantileForest>()
        .learner::<Regression, RandomForest>()
        .learner::<Binary, RandomForest>()
        .learner::<Multiclass, RandomForest>()
        .transformer::<IsolationForest>()
        .calibrator::<Binary, Platt>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_learner_can_be_loaded_by_its_tag() {
        let mut registry = Registry::new();
        register(&mut registry);
        let tags = registry.tags();
        for tag in
            ["ConstantBaseline", "LinearRegression", "LogisticRegression", "DecisionTree", "ExtraTrees", "RandomForest"]
        {
            assert!(tags.contains(&("learner", tag)), "{tag}");
        }
        for tag in ["ConstantModel", "LinearModel", "QuantileModel", "TreeEnsemble"] {
            assert!(tags.contains(&("model", tag)), "{tag}");
        }
        assert!(tags.contains(&("calibrator", "Platt")) && tags.contains(&("fitted calibrator", "FittedPlatt")));
        assert!(registry.check().is_ok());
    }
}
