//! Precision: how much of what was said to be the event is.

use super::by_class::by_class;
use super::confusion::Confusion;

by_class! {
    /// Precision: `TP / (TP + FP)`; 0 if nothing was said to be the event.
    ///
    /// Range 0 to 1, higher is better. `O(n)`.
    ///
    /// ```
    /// use ndarray::array;
    /// use stagewise_core::metric::Metric;
    /// use stagewise_core::target::{BinaryTarget, ClassTarget};
    /// use stagewise_core::task::{Binary, Multiclass};
    /// use stagewise_eval::{Average, Precision};
    ///
    /// let truth = BinaryTarget::new([true, true, false, false]);
    /// let output = array![0.9, 0.4, 0.6, 0.1];
    /// assert_eq!(Metric::<Binary>::score(&Precision::new().threshold(0.3), &truth, &output, None)?, 2.0 / 3.0);
    ///
    /// let truth = ClassTarget::new([0, 1, 2, 2], 3);
    /// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
    /// assert_eq!(Metric::<Multiclass>::score(&Precision::new().average(Average::Weighted), &truth, &output, None)?, 1.0);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
    pub struct Precision: tag "Precision", name "precision", share Confusion::precision;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::by_class::checks;

    #[test]
    fn conforms() {
        checks::conforms_on_every_average(&Precision::new(), |average| Precision::new().average(average));
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        let names = ("Precision", "precision");
        checks::names_and_refusals(
            names,
            |average| Precision::new().average(average),
            |at| Precision::new().threshold(at),
        );
    }
}
