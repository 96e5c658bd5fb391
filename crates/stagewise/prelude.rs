//! The names that nearly every program needs: `use stagewise::prelude::*;`.

pub use stagewise_core::column::Column;
pub use stagewise_core::context::{Cancel, FitContext};
pub use stagewise_core::dataset::Dataset;
pub use stagewise_core::exhibit::{Exhibit, Section};
pub use stagewise_core::gate::{Approved, Gate, GateReport};
pub use stagewise_core::holdout::{Evaluation, Holdout};
pub use stagewise_core::ledger::Ledger;
pub use stagewise_core::metric::{AnyMetric, Metric};
pub use stagewise_core::persist::Persist;
pub use stagewise_core::pipeline::builder::WantsModel;
pub use stagewise_core::pipeline::{CalibrationRows, FittedPipeline, Pipeline, PipelineBuilder, Scorer};
pub use stagewise_core::problem::{Latency, Outcome, Problem, at_least, at_most, beats_baseline};
pub use stagewise_core::progress::TerminalBars;
pub use stagewise_core::record::{Cell, RawCell};
pub use stagewise_core::registry::Registry;
pub use stagewise_core::schema::{Kind, Role, Schema};
pub use stagewise_core::select::{Selector, all, categories, flags, matching, named, numbers, role, texts, timestamps};
pub use stagewise_core::split::Splitter;
pub use stagewise_core::stage::{
    Calibrate, Calibrator, Estimator, Learner, Predict, Predictor, Sampler, Transform, Transformer,
};
pub use stagewise_core::summary::TableSummary;
pub use stagewise_core::table::Table;
pub use stagewise_core::target::TargetValues;
pub use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};
pub use stagewise_core::{Error, Result};

#[cfg(feature = "postgres")]
pub use stagewise_data::Postgres;
#[cfg(feature = "sqlite")]
pub use stagewise_data::Sqlite;
pub use stagewise_data::{
    Csv, Datasheet, Decision, GroupHoldout, GroupKFold, Ipc, KFold, Loaded, Ndjson, Parquet, PointInTime, Profile,
    RandomHoldout, StratifiedHoldout, StratifiedKFold, TaskKind, Timeline, detect_task,
};
pub use stagewise_deploy::{Artifact, RunningServer, Server};
pub use stagewise_eval::{
    Accuracy, Adversarial, AdversarialCheck, Average, Bootstrap, Brier, CalibrationCurve, ConfidentLearning, Confusion,
    CrossValidated, CrossValidation, ExpectedCost, F1, Gain, Interval, LogLoss, Mae, MeanAveragePrecision,
    MeanReciprocalRank, Mse, Ndcg, Permutation, PermutationImportance, Precision, PrecisionRecallCurve, R2, Recall,
    Rmse, RocAuc, RocCurve, bootstrap, cross_validate, ranking, wilson,
};
pub use stagewise_features::{
    DropLevel, MedianImputer, MissingLevel, MostFrequentImputer, OneHotEncoder, StandardScaler, Unseen,
};
pub use stagewise_model::{
    ClassWeights, ConstantBaseline, CustomBoosting, DecisionTree, ExplainableBoosting, ExtraTrees, ForestBackend,
    GradientBoosting, History, ImportanceKind, IsolationForest, LinearRegression, Link, LogisticBackend,
    LogisticRegression, Loss, Monotone, Objective, Platt, QuantileForest, RandomForest, RowSampling, TreeBackend,
    TreeEnsemble,
};
pub use stagewise_monitor::{DriftMonitor, DriftReport};
pub use stagewise_report::{Page, text};
