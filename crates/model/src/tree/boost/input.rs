//! What a tree learner of any task is given: columns as they are, truth as numbers, weights.

use std::borrow::Cow;

use stagewise_core::error::{DataError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget, RankingTarget};
use stagewise_core::task::Task;

use super::lambda::Lists;
use super::objective::Objective;
use crate::input::check_rows;

/// A truth that trees can learn: numbers, events as 0 and 1, classes as codes.
pub(crate) trait Numbers {
    /// One number for each row.
    fn numbers(&self) -> Vec<f64>;

    /// How many scores a row has.
    fn outputs(&self) -> usize;

    /// How many classes the numbers are codes of; none if they are no codes.
    fn class_count(&self) -> Option<usize> {
        None
    }

    /// How much each row counts.
    fn weights<'a>(&self, weights: Option<&'a [f64]>) -> Option<Cow<'a, [f64]>> {
        weights.map(Cow::Borrowed)
    }

    /// The lists of rows, where these are learned from together.
    fn lists(&self, _objective: Objective) -> Option<Lists> {
        None
    }
}

impl Numbers for NumberTarget {
    fn numbers(&self) -> Vec<f64> {
        self.values().to_vec()
    }

    fn outputs(&self) -> usize {
        1
    }
}

impl Numbers for BinaryTarget {
    fn numbers(&self) -> Vec<f64> {
        self.events().iter().map(|&event| f64::from(u8::from(event))).collect()
    }

    fn outputs(&self) -> usize {
        1
    }

    fn class_count(&self) -> Option<usize> {
        Some(2)
    }
}

impl Numbers for ClassTarget {
    fn numbers(&self) -> Vec<f64> {
        self.codes().iter().map(|&code| f64::from(code)).collect()
    }

    fn outputs(&self) -> usize {
        self.classes()
    }

    fn class_count(&self) -> Option<usize> {
        Some(self.classes())
    }
}

impl Numbers for RankingTarget {
    fn numbers(&self) -> Vec<f64> {
        self.grades().to_vec()
    }

    fn outputs(&self) -> usize {
        1
    }

    fn weights<'a>(&self, weights: Option<&'a [f64]>) -> Option<Cow<'a, [f64]>> {
        self.list_weights(weights).map(Cow::Owned)
    }

    fn lists(&self, objective: Objective) -> Option<Lists> {
        match objective {
            Objective::LambdaRank { truncation } => Some(Lists::new(self, truncation)),
            _ => None,
        }
    }
}

/// Refuses more rows than the growers of trees can number, with 32 bits.
pub(crate) fn check_count(rows: usize, stage: &str) -> Result<()> {
    let most = u32::MAX as usize;
    if rows <= most { Ok(()) } else { Err(DataError::TooManyRows { what: stage.into(), most, found: rows }.into()) }
}

/// Checks training rows: features, at least one row and not too many, parts of equal length, some weight.
pub(crate) fn check<T: Task>(train: &Design<T>, stage: &str) -> Result<()> {
    if train.features.width() == 0 {
        let remedy = "keep at least one, or use `ConstantBaseline`".to_string();
        return Err(DataError::NoFeatures { remedy }.into());
    }
    check_count(train.features.rows(), stage)?;
    check_rows(train, stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_32_bits_are_refused_by_name() {
        assert!(check_count(4_294_967_295, "GradientBoosting").is_ok());
        assert_eq!(
            check_count(4_294_967_296, "GradientBoosting").unwrap_err().to_string(),
            "GradientBoosting takes at most 4294967295 rows, 4294967296 found; learn from a sample of them"
        );
    }
}
