//! Data and pipelines that the tests share.

use std::path::Path;

use stagewise::prelude::*;

/// A file of `datasets/` under a problem.
pub(crate) fn dataset<T: Task>(file: &str, problem: &Problem<T>) -> Dataset<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets").join(file);
    Dataset::new(Csv::new(path).read().unwrap().table, problem).unwrap()
}

/// The problem of `loans.csv`: the annotators' opinions know the target and are left out.
pub(crate) fn loans() -> Problem<Binary> {
    Problem::new("defaulted")
        .event("yes")
        .protected("sex")
        .ignore("label_anna")
        .ignore("label_ben")
        .ignore("label_cleo")
        .primary(RocAuc, beats_baseline(0.0))
}

/// Fill, scale, encode.
pub(crate) fn prepared<T: Task>(problem: Problem<T>) -> PipelineBuilder<T, WantsModel> {
    Pipeline::builder(problem)
        .step("impute", MedianImputer::on(numbers()).indicator(true))
        .step("flags", MostFrequentImputer::on(flags()))
        .step("scale", StandardScaler::on(numbers()))
        .step("levels", OneHotEncoder::on(categories()).rare_below(10))
}
