//! How much each class counts.

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
    /// `W_c` that of the class and `k` the number of classes that have rows. Shares in leaves are then no longer
    /// frequencies: calibrate the answers where that matters.
    Balanced,
}

impl ClassWeights {
    /// New weights of the rows; absent if they stay as they are.
    pub(crate) fn weigh(self, target: Target<'_>, weights: Option<&[f64]>) -> Option<Vec<f64>> {
        let (class, classes) = match (self, target) {
            (Self::Equal, _) | (_, Target::Numbers(_)) => return None,
            (_, Target::Events(class)) => (class, 2),
            (_, Target::Classes(class, classes)) => (class, classes),
        };
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let mut sums = vec![0.0; classes];
        class.iter().enumerate().for_each(|(row, &class)| sums[class as usize] += weight(row));
        let total: f64 = sums.iter().sum();
        let present = sums.iter().filter(|&&sum| sum > 0.0).count() as f64;
        let factor = |class: u32| total / (present * sums[class as usize]);
        Some(
            class
                .iter()
                .enumerate()
                .map(|(row, &class)| if weight(row) > 0.0 { weight(row) * factor(class) } else { 0.0 })
                .collect(),
        )
    }
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
    }
}
