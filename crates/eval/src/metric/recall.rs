//! Recall: how much of what is the event was said to be.

use super::by_class::by_class;
use super::confusion::Confusion;

by_class! {
    /// Recall, also called sensitivity: `TP / (TP + FN)`; 0 if there is no event.
    ///
    /// Range 0 to 1, higher is better. `O(n)`.
    ///
    /// ```
    /// use ndarray::array;
    /// use stagewise_core::metric::Metric;
    /// use stagewise_core::target::{BinaryTarget, ClassTarget};
    /// use stagewise_core::task::{Binary, Multiclass};
    /// use stagewise_eval::{Average, Recall};
    ///
    /// let truth = BinaryTarget::new([true, true, false, false]);
    /// let output = array![0.9, 0.4, 0.6, 0.1];
    /// assert_eq!(Metric::<Binary>::score(&Recall::new().threshold(0.3), &truth, &output, None)?, 1.0);
    ///
    /// let truth = ClassTarget::new([0, 1, 2, 2], 3);
    /// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
    /// assert_eq!(Metric::<Multiclass>::score(&Recall::new().average(Average::Weighted), &truth, &output, None)?, 1.0);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
    pub struct Recall: tag "Recall", name "recall", share Confusion::recall;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::by_class::checks;

    #[test]
    fn conforms() {
        checks::conforms_on_every_average(&Recall::new(), |average| Recall::new().average(average));
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        let names = ("Recall", "recall");
        checks::names_and_refusals(names, |average| Recall::new().average(average), |at| Recall::new().threshold(at));
    }
}
