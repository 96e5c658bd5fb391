//! How much each class counts: the same choice for forests, single trees and boosting.

use serde::{Deserialize, Serialize};

use crate::tree::cart::grove::Target;

/// How much the rows of each class count, on top of their own weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClassWeights {
    /// As they are.
    #[default]
    Equal,
    /// Each class counts the same in all: its rows are multiplied by `W / (k · W_c)`, with `W` the weight of all rows,
    /// `W_c` that of the class and `k` the number of classes that have rows. Probabilities are then those of the data so
    /// reweighted, no longer frequencies: calibrate the answers where that matters.
    Balanced,
}

impl ClassWeights {
    /// What the rows of each class are multiplied by; absent if they stay as they are. A class without rows keeps 1.
    pub(crate) fn factors(
        self,
        class: impl Iterator<Item = usize>,
        classes: usize,
        weights: Option<&[f64]>,
    ) -> Option<Vec<f64>> {
        match self {
            Self::Equal => return None,
            Self::Balanced => {}
        }
        let mut sums = vec![0.0; classes];
        class.enumerate().for_each(|(row, class)| sums[class] += weights.map_or(1.0, |weights| weights[row]));
        let total: f64 = sums.iter().sum();
        let present = sums.iter().filter(|&&sum| sum > 0.0).count() as f64;
        Some(sums.into_iter().map(|sum| if sum > 0.0 { total / (present * sum) } else { 1.0 }).collect())
    }

    /// New weights of the rows; absent if they stay as they are.
    pub(crate) fn weigh(self, target: Target<'_>, weights: Option<&[f64]>) -> Option<Vec<f64>> {
        let (class, classes) = match target {
            Target::Numbers(_) => return None,
            Target::Events(class) => (class, 2),
            Target::Classes(class, classes) => (class, classes),
        };
        let class = || class.iter().map(|&class| class as usize);
        Some(multiplied(&self.factors(class(), classes, weights)?, class(), weights))
    }
}

/// The weights of rows, each multiplied by the factor of its class.
pub(crate) fn multiplied(factors: &[f64], class: impl Iterator<Item = usize>, weights: Option<&[f64]>) -> Vec<f64> {
    class.enumerate().map(|(row, class)| weights.map_or(1.0, |weights| weights[row]) * factors[class]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_count_the_same_in_all() {
        let target = Target::Classes(&[0, 0, 0, 2], 3);
        assert_eq!(ClassWeights::Balanced.weigh(target, None).unwrap(), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
        let weights = [1.0, 1.0, 0.0, 6.0];
        assert_eq!(ClassWeights::Balanced.weigh(target, Some(&weights)).unwrap(), [2.0, 2.0, 0.0, 4.0]);
        assert_eq!(ClassWeights::Balanced.weigh(Target::Numbers(&[1.0]), None), None);
        assert_eq!(ClassWeights::Equal.weigh(target, None), None);
        // A class without rows keeps what it has.
        let factors = ClassWeights::Balanced.factors([0, 0, 0, 2].into_iter(), 3, None).unwrap();
        assert_eq!(factors, [2.0 / 3.0, 1.0, 2.0]);
    }
}
