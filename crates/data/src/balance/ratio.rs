//! How many rows a class should have, said as a ratio of two classes.
//!
//! Small classes grow towards the largest, large ones shrink towards the smallest; both are said as a number between 0 and
//! 1, so that one ratio means the same balance whichever side moves. A class that is named has its own ratio, and then the
//! others stay as they are unless a ratio for all is given.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, ParameterError, Result};

use super::classes::ByClass;

/// One ratio for all classes, and ratios of single ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ratios {
    all: Option<f64>,
    of: Vec<(String, f64)>,
}

impl Ratios {
    pub(super) fn all(&mut self, ratio: f64) {
        self.all = Some(ratio);
    }

    pub(super) fn of(&mut self, class: String, ratio: f64) {
        self.of.retain(|(name, _)| *name != class);
        self.of.push((class, ratio));
    }

    /// How many rows each class must gain to have `⌊ratio · largest⌋`.
    pub(super) fn gains(&self, classes: &ByClass) -> Result<Vec<usize>> {
        let largest = classes.largest().map_or(0, |class| classes.count(class));
        let wanted =
            |class: usize, ratio: f64| ((ratio * largest as f64) as usize).saturating_sub(classes.count(class));
        Ok(self.resolved(classes)?.into_iter().enumerate().map(|(c, r)| r.map_or(0, |r| wanted(c, r))).collect())
    }

    /// How many rows each class keeps: at most `⌊smallest / ratio⌋`.
    pub(super) fn quotas(&self, classes: &ByClass) -> Result<Vec<usize>> {
        let smallest = classes.smallest().map_or(0, |class| classes.count(class));
        let quota = |class: usize, ratio: f64| ((smallest as f64 / ratio) as usize).min(classes.count(class));
        let all = |class: usize| classes.count(class);
        Ok(self.resolved(classes)?.into_iter().enumerate().map(|(c, r)| r.map_or(all(c), |r| quota(c, r))).collect())
    }

    /// The ratio of each class; none for a class that stays as it is: one without rows, or not meant.
    fn resolved(&self, classes: &ByClass) -> Result<Vec<Option<f64>>> {
        let check =
            |ratio: f64| ParameterError::check(ratio > 0.0 && ratio <= 1.0, "ratio", ratio, "above 0, at most 1");
        let all = if self.of.is_empty() { Some(self.all.unwrap_or(1.0)) } else { self.all };
        all.map_or(Ok(()), check)?;
        let mut ratios = vec![all; classes.names.len()];
        for (name, ratio) in &self.of {
            check(*ratio)?;
            match classes.names.iter().position(|known| **known == **name) {
                Some(class) => ratios[class] = Some(*ratio),
                None => {
                    let known = classes.names.iter().map(ToString::to_string).collect();
                    return Err(DataError::UnknownLevel { level: name.clone(), known }.into());
                }
            }
        }
        (0..ratios.len()).filter(|&class| classes.count(class) == 0).for_each(|class| ratios[class] = None);
        Ok(ratios)
    }
}

/// The setters of a sampler that holds [`Ratios`] in its field `ratios`.
macro_rules! ratio_setters {
    ($what:literal) => {
        #[doc = concat!("The ratio for all classes that have none of their own: ", $what, ". Above 0, at most 1.")]
        ///
        /// Default: 1, all classes alike; if a class has a ratio of its own, the others stay as they are.
        #[must_use]
        pub fn ratio(mut self, ratio: f64) -> Self {
            self.ratios.all(ratio);
            self
        }

        #[doc = concat!("The ratio of one class: ", $what, ". Above 0, at most 1.")]
        #[must_use]
        pub fn ratio_of(mut self, class: impl Into<String>, ratio: f64) -> Self {
            self.ratios.of(class.into(), ratio);
            self
        }
    };
}
pub(super) use ratio_setters;

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(counts: [usize; 4]) -> ByClass {
        let of = counts.iter().enumerate().flat_map(|(class, &n)| vec![class; n]).collect();
        let rows = counts.iter().map(|&n| (0..n).collect()).collect();
        ByClass { names: ["a", "b", "c", "d"].map(Into::into).to_vec(), of, rows }
    }

    #[test]
    fn one_ratio_moves_all_and_named_ratios_only_the_named() {
        let classes = classes([10, 40, 0, 25]);
        let mut ratios = Ratios::default();
        assert_eq!(ratios.gains(&classes).unwrap(), [30, 0, 0, 15]);
        assert_eq!(ratios.quotas(&classes).unwrap(), [10, 10, 0, 10]);
        ratios.all(0.55);
        assert_eq!(ratios.gains(&classes).unwrap(), [12, 0, 0, 0]);
        assert_eq!(ratios.quotas(&classes).unwrap(), [10, 18, 0, 18]);
        let mut ratios = Ratios::default();
        ratios.of("d".into(), 0.5);
        ratios.of("d".into(), 0.8);
        assert_eq!(ratios.gains(&classes).unwrap(), [0, 0, 0, 7]);
        assert_eq!(ratios.quotas(&classes).unwrap(), [10, 40, 0, 12]);
        ratios.all(1.0);
        assert_eq!(ratios.gains(&classes).unwrap(), [30, 0, 0, 7]);
    }

    #[test]
    fn ratios_out_of_range_and_unknown_classes_are_refused() {
        let classes = classes([1, 2, 3, 4]);
        for wrong in [0.0, -1.0, 1.01, f64::NAN] {
            let mut ratios = Ratios::default();
            ratios.all(wrong);
            assert!(ratios.gains(&classes).is_err() && ratios.quotas(&classes).is_err());
        }
        let mut ratios = Ratios::default();
        ratios.of("e".into(), 0.5);
        let error = ratios.gains(&classes).unwrap_err().to_string();
        assert_eq!(error, "`e` is none of the known levels (`a`, `b`, `c`, `d`)");
    }
}
