//! Feature engineering for stagewise: from columns as they come to numbers that a learner can use.
//!
//! | what | stage | what it learns |
//! |---|---|---|
//! | fill in missing values | [`MedianImputer`], [`MeanImputer`], [`MostFrequentImputer`], [`ConstantImputer`], [`RandomImputer`] | a value for each column; values to draw |
//! | fill in missing numbers by the others of the row | [`KnnImputer`], [`IterativeImputer`] | the training rows; equations |
//! | keep that a value was missing | [`MissingIndicator`], [`MissingAsLevel`] | which columns lack values |
//! | do what was decided about values | [`ValueDecider`], [`RejectedRows`] | how many rows met each decision |
//! | values too far out | [`OutlierClipper`], [`OutlierFilter`], [`LocalOutlierFactor`] | bounds; how dense the rows lie |
//! | bring numbers to one scale | [`StandardScaler`], [`MinMaxScaler`], [`MaxAbsScaler`], [`RobustScaler`] | a line for each column |
//! | bring rows to length 1 | [`UnitNorm`] | nothing |
//! | bend numbers | [`Log`], [`PowerTransformer`], [`QuantileTransformer`] | nothing; a power; quantiles |
//! | numbers to bins | [`KBins`], [`CustomBins`], [`SupervisedBins`], [`WoeBins`] | edges |
//! | levels to numbers | [`OneHotEncoder`], [`OrdinalEncoder`], [`CountEncoder`], [`BinaryEncoder`], [`ContrastEncoder`] | numbers for each level |
//! | levels of several columns to a few columns | [`HashingEncoder`] | nothing |
//! | levels to what they say of the target | [`TargetEncoder`], [`JamesSteinEncoder`], [`OrderedTargetEncoder`], [`LeaveOneOutEncoder`], [`WeightOfEvidenceEncoder`] | means by level; training rows cross-fitted |
//! | products and powers, ratios, crosses of levels | [`PolynomialFeatures`], [`Ratios`], [`Interactions`] | which pairs of levels occur |
//! | curves for a linear model | [`SplineTransformer`], [`NaturalSpline`] | knots |
//! | fewer numbers that say nearly as much | [`Pca`], [`TruncatedSvd`], [`RandomProjection`] | directions |
//! | less bias between groups | [`Reweighing`], [`DisparateImpactRemover`], [`CorrelationRemover`], [`Suppression`] | weights, distributions, coefficients, columns to leave out |
//! | text and dirty categories to numbers | [`TfidfVectorizer`], [`HashingVectorizer`], [`MinHashEncoder`] | the terms; nothing |
//! | points in time to numbers | [`DateParts`], [`Holidays`], [`TimeSince`], [`TimeBetween`] | nothing |
//! | the past of an entity to numbers, ahead of the pipeline | [`series::Series`], [`store::FeatureStore`] | nothing; [`series::LiveSeries`] remembers |
//!
//! Stages that change columns one by one are built on [`rewrite`]: a spec says which columns, a rule is learned for each,
//! and one mechanism applies the rules to batches and to single rows. Columns keep their order; what a column becomes
//! stands where it stood. Stages that look at several columns at once are built on [`joint`] in the same way.

pub mod bias;
pub mod bucket;
pub mod combine;
pub mod date;
pub mod decide;
pub mod encode;
pub mod impute;
pub mod joint;
pub mod outlier;
pub mod rewrite;
pub mod scale;
pub mod series;
pub mod store;
#[cfg(test)]
mod test_tables;
pub mod text;

use stagewise_core::registry::Registry;

pub use stagewise_core::columns;

pub use bias::{
    BiasReport, CorrelationRemover, Decorrelation, DisparateImpactRemover, FittedCorrelationRemover,
    FittedDisparateImpactRemover, FittedSuppression, GroupRates, Repair, Reweighing, Suppressed, Suppression,
    UnknownGroup,
};
pub use bucket::{
    BinOutput, BinSearch, BinStrategy, Binning, CustomBins, FittedBins, KBins, MissingBin, SupervisedBins, Trend,
    WoeBins, WoeOutput,
};
pub use combine::{
    Basis, Cross, Extrapolation, FittedInteractions, FittedNaturalSpline, FittedPolynomialFeatures, FittedProjection,
    FittedRatios, FittedSplineTransformer, Interactions, KnotSpacing, NaturalBasis, NaturalSpline, Pca,
    PolynomialFeatures, Products, Projection, Quotients, RandomDirections, RandomProjection, Ratios, SplineTransformer,
    TruncatedSvd, ZeroDivisor, johnson_lindenstrauss,
};
pub use date::{
    DatePart, DateParts, FittedDateParts, FittedHolidays, FittedTimeBetween, FittedTimeSince, Holidays, TimeBetween,
    TimeSince, TimeUnit,
};
pub use decide::{FittedValueDecider, RejectedRows, ValueDecider};
pub use encode::{
    BinaryEncoder, Contrast, ContrastEncoder, CountEncoder, DropLevel, Fallback, FittedHashingEncoder,
    FittedLevelEncoder, FittedOneHotEncoder, HashBuckets, HashingEncoder, JamesSteinEncoder, LeaveOneOutEncoder,
    LevelNumbers, LevelOrder, MissingAs, MissingLevel, OneHotEncoder, OrderedTargetEncoder, OrdinalEncoder, Outcome,
    Smooth, TargetEncoder, Unseen, WeightOfEvidenceEncoder,
};
pub use impute::{
    ConstantImputer, DonorWeights, Fill, FittedImputer, FittedIterativeImputer, FittedKnnImputer,
    FittedMissingIndicator, FittedRandomImputer, IterativeImputer, KnnImputer, LittlesTest, MeanImputer, MedianImputer,
    MissingAsLevel, MissingIndicator, MissingnessRelation, MissingnessReport, MissingnessTest, MostFrequentImputer,
    RandomImputer, RidgePenalty,
};
pub use outlier::{
    FittedLocalOutlierFactor, FittedOutlierClipper, LocalOutlierFactor, OutlierAction, OutlierClipper, OutlierFilter,
    OutlierRule, Tails,
};
pub use scale::{
    FittedLog, FittedMaxAbsScaler, FittedMinMaxScaler, FittedPowerTransformer, FittedQuantileTransformer,
    FittedRobustScaler, FittedStandardScaler, FittedUnitNorm, Log, MaxAbsScaler, MinMaxScaler, Norm, NotDefined,
    PowerKind, PowerTransformer, QuantileOutput, QuantileTransformer, RobustScaler, Scaling, StandardScaler, UnitNorm,
};
pub use text::{
    FittedHashingVectorizer, FittedMinHashEncoder, FittedTfidfVectorizer, Grams, HashingVectorizer, MinHashEncoder,
    TfidfVectorizer, Vocabulary,
};

/// Registers every stage of this crate.
pub fn register(registry: &mut Registry) {
    bias::register(registry);
    bucket::register(registry);
    combine::register(registry);
    date::register(registry);
    decide::register(registry);
    encode::register(registry);
    impute::register(registry);
    outlier::register(registry);
    scale::register(registry);
    text::register(registry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_one_type_each() {
        let mut registry = Registry::new();
        register(&mut registry);
        registry.check().unwrap();
        let tags: Vec<_> = registry.tags().into_iter().map(|(_, tag)| tag).collect();
        for tag in ["FittedImputer", "FittedOneHotEncoder", "FittedStandardScaler", "MedianImputer"] {
            assert!(tags.contains(&tag), "{tag} is not registered");
        }
    }
}
