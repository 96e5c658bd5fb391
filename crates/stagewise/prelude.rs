//! The names that nearly every program needs: `use stagewise::prelude::*;`.

pub use stagewise_core::column::Column;
pub use stagewise_core::context::{Cancel, FitContext};
pub use stagewise_core::dataset::Dataset;
pub use stagewise_core::decision::{DecisionCount, Remedy, ValueDecision, ValueDecisions};
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
pub use stagewise_data::augment::{Fidelity, FittedGaussianCopula, GaussianCopula, Jitter, Mixable, Mixup, Privacy};
pub use stagewise_data::balance::{
    Adasyn, BorderlineSmote, Classes, EditedNearestNeighbours, NearMiss, NearMissVersion, NeighbourVote,
    NeighbourhoodCleaning, RandomOverSampler, RandomUnderSampler, Smote, SmoteEnn, SmoteTomek, TomekLinks,
};
pub use stagewise_data::label::{
    Aggregator, Agreement, Annotations, DawidSkene, Glad, GoldQuestions, KCentre, KappaWeights, LabelFunctions,
    MajorityVote, Scale, WeightedVote, adjudicate, cohen_kappa, fleiss_kappa, krippendorff_alpha,
};
pub use stagewise_data::{
    BootstrapSplit, ColumnDecision, Csv, DataSchema, Datasheet, Environment, Excerpt, Expectation, Expectations,
    GroupHoldout, GroupKFold, GroupTimeSeriesSplit, Integrity, Ipc, KFold, Leakage, LeaveOneGroupOut, Loaded,
    MonteCarlo, Ndjson, Nested, NestedSplit, Parquet, Period, PointInTime, PredefinedSplit, Profile, PurgedKFold,
    RandomHoldout, RepeatedKFold, Span, SplitBy, StratifiedGroupKFold, StratifiedHoldout, StratifiedKFold, TaskKind,
    ThreeWay, ThreeWaySplit, TimeHoldout, TimeSeriesSplit, Timeline, Torn, detect_task,
};
pub use stagewise_deploy::{Artifact, RunningServer, Server};
pub use stagewise_eval::{
    Accuracy, Adversarial, AdversarialCheck, Average, Bootstrap, Brier, CalibrationCurve, ConfidentLearning, Confusion,
    CrossValidated, CrossValidation, ExpectedCost, F1, Gain, Interval, LogLoss, Mae, MeanAveragePrecision,
    MeanReciprocalRank, Mse, Ndcg, NestedCrossValidated, NestedCrossValidation, Permutation, PermutationImportance,
    Precision, PrecisionRecallCurve, R2, Recall, Rmse, RocAuc, RocCurve, bootstrap, cross_validate, ranking, wilson,
};
pub use stagewise_features::series::{LiveSeries, Past, Series, Statistic, Window};
pub use stagewise_features::store::{FeatureStore, FeatureView, MemoryStore};
pub use stagewise_features::{
    BiasReport, BinOutput, BinSearch, BinStrategy, BinaryEncoder, ConstantImputer, Contrast, ContrastEncoder,
    CorrelationRemover, CountEncoder, CustomBins, DatePart, DateParts, DisparateImpactRemover, DonorWeights, DropLevel,
    Extrapolation, Fallback, Grams, HashingEncoder, HashingVectorizer, Holidays, Interactions, IterativeImputer,
    JamesSteinEncoder, KBins, KnnImputer, KnotSpacing, LeaveOneOutEncoder, LevelOrder, LocalOutlierFactor, Log,
    MaxAbsScaler, MeanImputer, MedianImputer, MinHashEncoder, MinMaxScaler, MissingAs, MissingAsLevel, MissingBin,
    MissingIndicator, MissingLevel, MissingnessReport, MostFrequentImputer, NaturalSpline, Norm, NotDefined,
    OneHotEncoder, OrderedTargetEncoder, OrdinalEncoder, OutlierAction, OutlierClipper, OutlierFilter, OutlierRule,
    Pca, PolynomialFeatures, PowerKind, PowerTransformer, QuantileOutput, QuantileTransformer, RandomDirections,
    RandomImputer, RandomProjection, Ratios, RejectedRows, Reweighing, RidgePenalty, RobustScaler, Smooth,
    SplineTransformer, StandardScaler, SupervisedBins, Suppression, TargetEncoder, TfidfVectorizer, TimeBetween,
    TimeSince, TimeUnit, Trend, TruncatedSvd, UnitNorm, UnknownGroup, Unseen, ValueDecider, WeightOfEvidenceEncoder,
    WoeBins, WoeOutput, ZeroDivisor,
};
pub use stagewise_model::{
    ClassWeights, ConstantBaseline, CustomBoosting, DecisionTree, ExplainableBoosting, ExtraTrees, ForestBackend,
    GradientBoosting, History, ImportanceKind, IsolationForest, LinearRegression, Link, LogisticBackend,
    LogisticRegression, Loss, Monotone, Objective, Platt, QuantileForest, RandomForest, RowSampling, TreeBackend,
    TreeEnsemble,
};
pub use stagewise_monitor::{DriftMonitor, DriftReport};
pub use stagewise_report::{Page, text};
