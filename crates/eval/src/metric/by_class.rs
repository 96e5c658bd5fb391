//! What precision, recall and F1 share: a threshold for the event of a binary task, an average over the classes of a
//! multiclass one, and a share that is read from each class's [`Confusion`].
//!
//! [`ByClass`] holds the logic, and accuracy uses it too. [`by_class!`] only declares a type with the two settings and
//! hands every method on to [`ByClass`].

use ndarray::{Array1, Array2};
use stagewise_core::error::{PipelineError, Result};
use stagewise_core::target::{BinaryTarget, ClassTarget};

use super::confusion::{self, Average, ClassConfusion, Confusion};

const NO_THRESHOLD: &str = "a multiclass task takes the likeliest class; leave the threshold out";
const NO_AVERAGE: &str = "a binary task has one event and nothing to average; leave the average out";

/// A share with its settings.
pub(crate) struct ByClass {
    /// The tag of the metric, for messages.
    pub(crate) tag: &'static str,
    /// The name of the metric without settings.
    pub(crate) base: &'static str,
    /// Only of use to a binary task.
    pub(crate) threshold: Option<f64>,
    /// Only of use to a multiclass task.
    pub(crate) average: Option<Average>,
    /// What is read from the counts of the event, or of one class against the rest.
    pub(crate) share: fn(&Confusion) -> f64,
}

impl ByClass {
    /// The name with the settings, so that two of a kind can be told apart.
    pub(crate) fn name(&self) -> String {
        confusion::name(self.base, self.threshold, self.average)
    }

    /// The share of the event; refuses an average.
    pub(crate) fn binary(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        self.refuse(self.average.is_some(), "average", NO_AVERAGE)?;
        let confusion = Confusion::of(truth, output, weights, self.threshold.unwrap_or(0.5))?;
        confusion::weighed(self.base, confusion.total())?;
        Ok((self.share)(&confusion))
    }

    /// The shares of the classes as one number; refuses a threshold.
    pub(crate) fn multiclass(&self, truth: &ClassTarget, output: &Array2<f64>, weights: Option<&[f64]>) -> Result<f64> {
        self.refuse(self.threshold.is_some(), "threshold", NO_THRESHOLD)?;
        let confusion = ClassConfusion::of(truth, output, weights)?;
        confusion::weighed(self.base, confusion.total())?;
        Ok(confusion.averaged(self.average.unwrap_or_default(), self.share))
    }

    /// Refuses a setting that the task has no use for.
    fn refuse(&self, unused: bool, what: &'static str, remedy: &str) -> Result<()> {
        if unused {
            return Err(PipelineError::Ignored { stage: self.tag.into(), what, remedy: remedy.into() }.into());
        }
        Ok(())
    }
}

/// Declares a metric by its tag in files, its name and its share: two settings, and methods that all call [`ByClass`].
macro_rules! by_class {
    ($(#[$docs:meta])* pub struct $Type:ident: tag $tag:literal, name $base:literal, share $share:path;) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        pub struct $Type {
            #[serde(default)]
            threshold: Option<f64>,
            #[serde(default)]
            average: Option<$crate::Average>,
        }

        impl $Type {
            /// At the threshold 0.5; over classes the plain mean.
            pub fn new() -> Self {
                Self::default()
            }

            /// Binary: from which probability on a row is said to be the event. `0` to `1`, default `0.5`. A
            /// multiclass task refuses it.
            #[must_use]
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.threshold = Some(threshold);
                self
            }

            /// Multiclass: how the classes become one number. Default [`Average::Macro`]($crate::Average::Macro). A
            /// binary task refuses it.
            #[must_use]
            pub fn average(mut self, average: $crate::Average) -> Self {
                self.average = Some(average);
                self
            }

            fn by_class(&self) -> $crate::metric::by_class::ByClass {
                $crate::metric::by_class::ByClass {
                    tag: <Self as stagewise_core::persist::Persist>::TAG,
                    base: $base,
                    threshold: self.threshold,
                    average: self.average,
                    share: $share,
                }
            }
        }

        impl stagewise_core::persist::Persist for $Type {
            const TAG: &'static str = $tag;
        }

        $crate::metric::by_class::by_class!(@metric $Type, Binary, binary);
        $crate::metric::by_class::by_class!(@metric $Type, Multiclass, multiclass);
    };
    (@metric $Type:ident, $Task:ident, $score:ident) => {
        impl stagewise_core::metric::Metric<stagewise_core::task::$Task> for $Type {
            fn name(&self) -> String {
                self.by_class().name()
            }

            fn direction(&self) -> stagewise_core::metric::Direction {
                stagewise_core::metric::Direction::HigherIsBetter
            }

            fn range(&self) -> (f64, f64) {
                (0.0, 1.0)
            }

            fn score(
                &self,
                truth: &<stagewise_core::task::$Task as stagewise_core::task::Task>::Target,
                output: &<stagewise_core::task::$Task as stagewise_core::task::Task>::Output,
                weights: Option<&[f64]>,
            ) -> stagewise_core::error::Result<f64> {
                self.by_class().$score(truth, output, weights)
            }
        }
    };
}
pub(crate) use by_class;

/// The checks that every such metric runs on itself.
#[cfg(test)]
pub(crate) mod checks {
    use super::*;
    use ndarray::array;
    use stagewise_core::metric::Metric;
    use stagewise_core::task::{Binary, Multiclass};
    use stagewise_testkit::conformance;

    pub(crate) fn conforms<M: Metric<Binary> + Metric<Multiclass>>(binary: &M, multiclass: &[M]) {
        let truth = BinaryTarget::new([true, false, true, false, true]);
        let perfect = array![1.0, 0.0, 0.9, 0.2, 0.5];
        conformance::metric::<Binary, _>(binary, &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        let truth = ClassTarget::new([0, 1, 2, 0], 3);
        let output = array![[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]];
        let perfect = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        for metric in multiclass {
            conformance::metric::<Multiclass, _>(metric, &truth, &output, &perfect);
        }
    }

    pub(crate) fn conforms_on_every_average<M: Metric<Binary> + Metric<Multiclass>>(
        binary: &M,
        averaged: fn(Average) -> M,
    ) {
        conforms(binary, &[Average::Macro, Average::Micro, Average::Weighted].map(averaged));
    }

    pub(crate) fn names_and_refusals<M: Metric<Binary> + Metric<Multiclass>>(
        (tag, base): (&str, &str),
        averaged: fn(Average) -> M,
        at: fn(f64) -> M,
    ) {
        let spec = averaged(Average::Micro);
        let error = Metric::<Binary>::score(&spec, &BinaryTarget::new([true]), &array![0.5], None).unwrap_err();
        let expected = format!("{tag} would ignore the average; a binary task");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(Metric::<Multiclass>::name(&spec), format!("{base}_micro"));
        let spec = at(0.25);
        assert_eq!(Metric::<Binary>::name(&spec), format!("{base}_at_0.25"));
        let error =
            Metric::<Multiclass>::score(&spec, &ClassTarget::new([0], 2), &array![[0.5, 0.5]], None).unwrap_err();
        let expected = format!("{tag} would ignore the threshold; a multiclass task");
        assert!(error.to_string().starts_with(&expected), "{error}");
        let error = Metric::<Binary>::score(&at(1.5), &BinaryTarget::new([true]), &array![0.5], None).unwrap_err();
        assert_eq!(error.to_string(), "`threshold` is 1.5, allowed is 0 to 1");
    }
}
