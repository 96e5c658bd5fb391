//! F1: precision and recall in one number, near the worse of the two.

use super::by_class::by_class;
use super::confusion::Confusion;

by_class! {
    /// F1, the harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`; 0 if nothing is or was said to be the
    /// event.
    ///
    /// Range 0 to 1, higher is better. With [`Average::Macro`](crate::Average::Macro) the mean of the classes' F1.
    /// `O(n)`. van Rijsbergen (1979).
    ///
    /// ```
    /// use ndarray::array;
    /// use stagewise_core::metric::Metric;
    /// use stagewise_core::target::{BinaryTarget, ClassTarget};
    /// use stagewise_core::task::{Binary, Multiclass};
    /// use stagewise_eval::{Average, F1};
    ///
    /// let truth = BinaryTarget::new([true, true, false, false]);
    /// let output = array![0.9, 0.4, 0.6, 0.1];
    /// assert_eq!(Metric::<Binary>::score(&F1::new().threshold(0.3), &truth, &output, None)?, 0.8);
    ///
    /// let truth = ClassTarget::new([0, 1, 2, 2], 3);
    /// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
    /// assert_eq!(Metric::<Multiclass>::score(&F1::new().average(Average::Weighted), &truth, &output, None)?, 1.0);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
    pub struct F1: tag "F1", name "f1", share Confusion::f1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::by_class::checks;

    #[test]
    fn conforms() {
        checks::conforms_on_every_average(&F1::new(), |average| F1::new().average(average));
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        let names = ("F1", "f1");
        checks::names_and_refusals(names, |average| F1::new().average(average), |at| F1::new().threshold(at));
    }
}
