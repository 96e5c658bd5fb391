//! Train, validation and test in one go: rows to learn from, rows to choose by, and a holdout for the final look.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::holdout::Holdout;
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, fingerprint, held_groups};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

use super::group::groups;
use super::holdout::stratified_choice;
use super::time::{Clock, Label, Span, Torn};
use super::{SplitBy, heed_roles, refuse_groups, warn_of_times};
use crate::kind::rows;

/// Parts the rows in three: a share to choose by (validation), a share for the final look (test), the rest to learn from.
///
/// Of `n` rows `round(test · n)` and `round(validation · n)`, at least 1 each, are set apart; of strata each its share to
/// within one row; of groups as many of the groups; in time the last ones, the test rows last of all, with the rows of
/// equal time. By group and time the cuts are those in time, and of a group that stands in two parts the rows of all but one
/// are in none. Rows keep their order. The same seed parts them the same way. `O(n log n)`.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::{SplitBy, ThreeWaySplit};
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let parts = ThreeWaySplit::new(0.2, 0.2).by(SplitBy::Strata).split(data, &FitContext::new(7))?;
/// assert_eq!((parts.train.rows(), parts.validation.rows(), parts.test.rows()), (60, 20, 20));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreeWaySplit {
    validation: f64,
    test: f64,
    by: SplitBy,
    gap: Option<Span>,
    label: Label,
    column: Option<String>,
    torn: Torn,
}

impl Default for ThreeWaySplit {
    fn default() -> Self {
        Self::new(0.2, 0.2)
    }
}

/// The three parts.
#[derive(Debug)]
pub struct ThreeWay<T: Task> {
    /// Rows to learn from.
    pub train: Dataset<T>,
    /// Rows to choose by.
    pub validation: Dataset<T>,
    /// Rows for the final look.
    pub test: Holdout<T>,
    /// How many rows are in no part because their group stands in another one too; 0 but by group and time.
    pub torn: usize,
    /// Which rows are where: results of other parts are not comparable.
    pub fingerprint: Fingerprint,
}

impl<T: Task> Exhibit for ThreeWay<T> {
    /// The rows of each part, and their share of the rows in all three.
    fn exhibit(&self) -> Section {
        let parts = [("train", self.train.rows()), ("validation", self.validation.rows()), ("test", self.test.rows())];
        let all: usize = parts.iter().map(|(_, rows)| rows).sum();
        let share = |rows: usize| number(100.0 * rows as f64 / all.max(1) as f64);
        let row = |&(part, rows): &(&str, usize)| vec![part.to_string(), rows.to_string(), share(rows)];
        let columns = ["part", "rows", "share, %"].map(String::from).to_vec();
        let items = parts.iter().map(|&(part, rows)| (part.to_string(), rows as f64)).collect();
        let section = Section::new("Three parts")
            .block(Block::Table { columns, rows: parts.iter().map(row).collect() })
            .block(Block::Chart(Chart::Bars { title: "Rows".into(), items, mark: None }))
            .text(format!("Parts {}.", self.fingerprint.short()));
        match self.torn {
            0 => section,
            torn => section.text(format!("Left out of groups that would stand in two parts: {}.", rows(torn))),
        }
    }
}

impl ThreeWaySplit {
    /// These shares to choose by and for the final look: above 0, together below 1. Default: 0.2 each.
    pub fn new(validation: f64, test: f64) -> Self {
        Self {
            validation,
            test,
            by: SplitBy::Random,
            gap: None,
            label: Label::AtOnce,
            column: None,
            torn: Torn::Training,
        }
    }

    /// What the parts keep. Default: [`SplitBy::Random`].
    #[must_use]
    pub fn by(mut self, by: SplitBy) -> Self {
        self.by = by;
        self
    }

    /// The time between two parts; rows in between are in none. By time, with groups or without; default: none.
    #[must_use]
    pub fn gap(mut self, length: Span) -> Self {
        self.gap = Some(length);
        self
    }

    /// Labels are known this long after the row: rows whose label is not known when the next part begins are in none. By
    /// time, with groups or without; default: labels are known at once.
    #[must_use]
    pub fn purge(mut self, horizon: Span) -> Self {
        self.label = Label::After(horizon);
        self
    }

    /// The column that orders the rows. By time, with groups or without; default: the one of the role time.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    /// Which rows of a group go that stands in two parts: those of the earlier ones ([`Torn::Training`]), or those of the
    /// later ones, so that only groups that are new judge ([`Torn::Validation`]). By group and time only; default:
    /// [`Torn::Training`].
    #[must_use]
    pub fn torn(mut self, torn: Torn) -> Self {
        self.torn = torn;
        self
    }

    /// The parts.
    ///
    /// # Errors
    /// [`ParameterError`] for shares out of range and for setters of time where the parts are not by time,
    /// [`DataError::TooFewRows`], [`DataError::TooFewGroups`], [`DataError::EmptySide`], and where rows are parted by
    /// groups or time but have none, or have groups and are parted by something else, as the holdouts. Warns of times
    /// whose order is not kept.
    pub fn split<T: Task>(&self, data: Dataset<T>, cx: &FitContext) -> Result<ThreeWay<T>> {
        let ([train, validation, test], torn) = self.parts(&data, cx)?;
        let (train_data, validation_data) = (data.take(&train), data.take(&validation));
        let held = Holdout::new(data.take(&test));
        let chosen = Split { train, validation };
        let fingerprint = fingerprint(&[chosen, Split { train: Vec::new(), validation: test }]);
        Ok(ThreeWay { train: train_data, validation: validation_data, test: held, torn, fingerprint })
    }

    /// The rows of each part, and how many are in none for their group's sake.
    fn parts<T: Task>(&self, data: &Dataset<T>, cx: &FitContext) -> Result<([Vec<usize>; 3], usize)> {
        self.check()?;
        if data.rows() < 3 {
            let what = "a split into three parts".to_string();
            return Err(DataError::TooFewRows { what, needed: 3, found: data.rows() }.into());
        }
        let mut torn = 0;
        let parts = match self.by {
            SplitBy::Random => {
                heed_roles(Self::TAG, data, cx)?;
                self.drawn(&vec![0; data.rows()], cx)
            }
            SplitBy::Strata => {
                heed_roles(Self::TAG, data, cx)?;
                self.drawn(&data.target().strata(), cx)
            }
            SplitBy::Group => {
                let groups = groups(Self::TAG, data)?;
                warn_of_times(Self::TAG, data, cx);
                self.of_groups(&groups, cx)?
            }
            SplitBy::Time => {
                refuse_groups(Self::TAG, data, "`SplitBy::GroupTime`")?;
                self.in_time(data)?
            }
            SplitBy::GroupTime => {
                let groups = groups(Self::TAG, data)?;
                let whole = self.in_time(data)?;
                let before: usize = whole.iter().map(Vec::len).sum();
                let parts = self.untorn(whole, &groups);
                torn = before - parts.iter().map(Vec::len).sum::<usize>();
                parts
            }
        };
        for (part, side) in parts.iter().zip(["train", "validate", "test"]) {
            if part.is_empty() {
                let what = format!("{} of {} rows", Self::TAG, data.rows());
                let remedy = match self.by {
                    SplitBy::GroupTime => "use other shares, a smaller gap or purge, or let the other torn rows go",
                    _ => "use other shares, or a smaller gap or purge",
                };
                return Err(DataError::EmptySide { what, side, remedy: remedy.into() }.into());
            }
        }
        Ok((parts, torn))
    }

    fn check(&self) -> Result<()> {
        for (name, share) in [("validation", self.validation), ("test", self.test)] {
            ParameterError::check(share > 0.0 && share < 1.0, name, share, "above 0 and below 1")?;
        }
        let both = self.validation + self.test;
        ParameterError::check(both < 1.0, "validation", format!("{both} with the test share"), "below 1 together")?;
        let by = format!("{:?}", self.by);
        let of_time = self.gap.is_some() || self.label != Label::AtOnce || self.column.is_some();
        let fits = !of_time || matches!(self.by, SplitBy::Time | SplitBy::GroupTime);
        ParameterError::check(fits, "by", &by, "Time or GroupTime, where gap, purge or column are given")?;
        let fits = self.torn == Torn::Training || self.by == SplitBy::GroupTime;
        ParameterError::check(fits, "by", &by, "GroupTime, where torn is given")
    }

    /// How many of `all` are in the validation and the test part.
    fn counts(&self, all: usize) -> (usize, usize) {
        let count = |share: f64| ((share * all as f64).round() as usize).max(1);
        let test = count(self.test).min(all.saturating_sub(2));
        (count(self.validation).min(all.saturating_sub(test + 1)), test)
    }

    fn drawn(&self, strata: &[u32], cx: &FitContext) -> [Vec<usize>; 3] {
        let (validation, test) = self.counts(strata.len());
        let is_test = stratified_choice(strata, test, &mut cx.stream("test"));
        let rest: Vec<usize> = (0..strata.len()).filter(|&row| !is_test[row]).collect();
        let strata: Vec<u32> = rest.iter().map(|&row| strata[row]).collect();
        let is_validation = stratified_choice(&strata, validation, &mut cx.stream("validation"));
        parted(&is_test, &rest, &is_validation)
    }

    fn of_groups(&self, groups: &[u32], cx: &FitContext) -> Result<[Vec<usize>; 3]> {
        let all = groups.iter().max().map_or(0, |&group| group as usize + 1);
        if all < 3 {
            let what = "a split into three parts".to_string();
            return Err(DataError::TooFewGroups { what, needed: 3, found: all }.into());
        }
        let (validation, test) = self.counts(all);
        let is_test = held_groups(groups, test as f64 / all as f64, &mut cx.stream("test"))?;
        let rest: Vec<usize> = (0..groups.len()).filter(|&row| !is_test[row]).collect();
        let groups: Vec<u32> = rest.iter().map(|&row| groups[row]).collect();
        let share = validation as f64 / (all - test) as f64;
        let is_validation = held_groups(&groups, share, &mut cx.stream("validation"))?;
        Ok(parted(&is_test, &rest, &is_validation))
    }

    fn in_time<T: Task>(&self, data: &Dataset<T>) -> Result<[Vec<usize>; 3]> {
        self.gap.map_or(Ok(()), |gap| gap.check("gap"))?;
        let clock = Clock::of(Self::TAG, data, self.column.as_deref(), self.label.column())?;
        let ends = self.label.ends(data, &clock)?;
        let rows = clock.rows();
        let (validation, test) = self.counts(rows);
        let later = clock.begin(rows - test);
        let begin = clock.begin(later.saturating_sub(validation));
        let train = clock.clear(0, begin, self.gap, ends.as_deref())?;
        let validation = clock.clear(begin, later, self.gap, ends.as_deref())?;
        Ok([train, validation, clock.rows_of(later..rows)])
    }

    /// The parts without the rows of groups that another part has taken.
    fn untorn(&self, mut parts: [Vec<usize>; 3], groups: &[u32]) -> [Vec<usize>; 3] {
        let order = match self.torn {
            Torn::Training => [2, 1, 0],
            Torn::Validation => [0, 1, 2],
        };
        let mut taken: HashMap<u32, usize> = HashMap::new();
        for part in order {
            parts[part].retain(|&row| *taken.entry(groups[row]).or_insert(part) == part);
        }
        parts
    }
}

impl Persist for ThreeWaySplit {
    const TAG: &'static str = "ThreeWaySplit";
}

fn parted(is_test: &[bool], rest: &[usize], is_validation: &[bool]) -> [Vec<usize>; 3] {
    let of = |side: bool| rest.iter().zip(is_validation).filter(|(_, v)| **v == side).map(|(&row, _)| row).collect();
    [of(false), of(true), (0..is_test.len()).filter(|&row| is_test[row]).collect()]
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::{dated, grouped, numbered};
    use super::*;
    use proptest::prelude::*;
    use stagewise_testkit::data;

    fn values(data: &Dataset<stagewise_core::task::Regression>) -> Vec<f64> {
        data.target().values().to_vec()
    }

    proptest! {
        #[test]
        fn classes_have_their_shares(rows in 20_usize..200, validation in 0.05..0.45_f64, test in 0.05..0.45_f64, seed in 0_u64..20) {
            let data = data::multiclass(rows, seed);
            let classes = super::super::sizes(data.target().codes());
            let spec = ThreeWaySplit::new(validation, test).by(SplitBy::Strata);
            let parts = spec.split(data, &FitContext::new(seed)).unwrap();
            let expected = |share: f64| ((share * rows as f64).round() as usize).max(1);
            prop_assert_eq!(parts.test.rows(), expected(test));
            prop_assert_eq!(parts.validation.rows(), expected(validation));
            prop_assert_eq!(parts.train.rows(), rows - expected(test) - expected(validation));
            let judged = super::super::sizes(parts.validation.target().codes());
            for (class, &count) in classes.iter().enumerate() {
                let share = count as f64 * parts.validation.rows() as f64 / rows as f64;
                prop_assert!((judged.get(class).copied().unwrap_or(0) as f64 - share).abs() < 2.0);
            }
        }
    }

    #[test]
    fn groups_stay_whole() {
        let groups: Vec<f64> = (0..60).map(|row| f64::from(row * 7 % 10)).collect();
        let data = grouped(&groups, &groups);
        let cx = FitContext::new(3);
        let spec = ThreeWaySplit::new(0.2, 0.3).by(SplitBy::Group);
        let parts = spec.split(data.clone(), &cx).unwrap();
        assert_eq!((parts.train.rows(), parts.validation.rows(), parts.test.rows()), (30, 12, 18));
        assert!(cx.take_warnings()[0].what.contains("does not keep the order of `t`"));
        let again = spec.split(data.clone(), &FitContext::new(3)).unwrap();
        let other = spec.split(data.clone(), &FitContext::new(4)).unwrap();
        assert!(parts.fingerprint == again.fingerprint && parts.fingerprint != other.fingerprint);
        assert!(ThreeWaySplit::default().split(data, &cx).unwrap_err().to_string().contains("ignore the groups"));
        let two = grouped(&[1.0, 2.0, 3.0], &[1.0, 1.0, 2.0]);
        assert!(spec.split(two, &cx).unwrap_err().to_string().contains("needs at least 3 groups, 2 found"));
    }

    #[test]
    fn parts_follow_each_other_in_time() {
        let cx = FitContext::new(0);
        let spec = || ThreeWaySplit::new(0.2, 0.2).by(SplitBy::Time);
        let parts = spec().split(numbered(&[9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0, 0.0]), &cx).unwrap();
        assert_eq!(values(&parts.train), [1.0, 3.0, 5.0, 7.0, 8.0, 9.0]);
        assert_eq!(values(&parts.validation), [4.0, 6.0]);
        let Block::Table { rows, .. } = &parts.exhibit().blocks[0] else { panic!("a table comes first") };
        assert_eq!(rows[1], ["validation", "2", "20"]);
        let days = || dated(&["2023-01-01", "2023-01-11", "2023-01-21", "2023-01-31", "2023-02-10"]);
        let parts = spec().gap(Span::days(20)).split(days(), &cx);
        assert!(parts.unwrap_err().to_string().contains("leaves no row to validate on"));
        let parts = spec().purge(Span::days(9)).split(days(), &cx).unwrap();
        assert_eq!((values(&parts.train), values(&parts.validation)), (vec![0.0, 1.0, 2.0], vec![3.0]));
    }

    proptest! {
        #[test]
        fn groups_and_time_are_kept_together(
            rows in prop::collection::vec((0_u32..40, 0_u32..25), 30..90), gap in 0_u32..4, early: bool,
        ) {
            let times: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let groups: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let torn = if early { Torn::Validation } else { Torn::Training };
            let spec = ThreeWaySplit::new(0.25, 0.25).by(SplitBy::GroupTime).gap(Span::Units(gap.into())).torn(torn);
            let cx = FitContext::new(0);
            if let Ok((sides, torn)) = spec.parts(&grouped(&times, &groups), &cx) {
                let whole = ThreeWaySplit::new(0.25, 0.25).by(SplitBy::Time).gap(Span::Units(gap.into()));
                let (all, _) = whole.parts(&numbered(&times), &cx).unwrap();
                prop_assert!(sides.iter().zip(&all).all(|(side, all)| side.iter().all(|row| all.contains(row))));
                prop_assert_eq!(sides.concat().len() + torn, all.concat().len());
                for (a, b) in [(0, 1), (1, 2), (0, 2)] {
                    for (&early, &late) in sides[a].iter().flat_map(|a| sides[b].iter().map(move |b| (a, b))) {
                        prop_assert!(times[early] < times[late] && groups[early] != groups[late]);
                    }
                }
                let untouched = if early { 0 } else { 2 };
                prop_assert_eq!(&sides[untouched], &all[untouched]);
            }
        }
    }

    #[test]
    fn of_a_group_in_two_parts_one_keeps_its_rows() {
        // Ten rows in time: 0 to 5 train, 6 and 7 validate, 8 and 9 test. Group 1 is in all three, 2 in the first two, 3 in
        // the last two.
        let times: Vec<f64> = (0..10).map(f64::from).collect();
        let groups = [1.0, 2.0, 4.0, 2.0, 5.0, 6.0, 2.0, 3.0, 3.0, 1.0];
        let spec = || ThreeWaySplit::new(0.2, 0.2).by(SplitBy::GroupTime);
        let parts = spec().split(grouped(&times, &groups), &FitContext::new(0)).unwrap();
        assert_eq!((values(&parts.train), values(&parts.validation)), (vec![2.0, 4.0, 5.0], vec![6.0]));
        assert_eq!((parts.test.rows(), parts.torn), (2, 4));
        let section = parts.exhibit();
        assert_eq!(
            section.blocks.last(),
            Some(&Block::Text("Left out of groups that would stand in two parts: 4 rows.".into()))
        );
        let parts = spec().torn(Torn::Validation).split(grouped(&times, &groups), &FitContext::new(0));
        assert!(parts.unwrap_err().to_string().contains("leaves no row to test on"));
        let groups = [1.0, 2.0, 4.0, 2.0, 5.0, 6.0, 2.0, 3.0, 7.0, 1.0];
        let parts = spec().torn(Torn::Validation).split(grouped(&times, &groups), &FitContext::new(0)).unwrap();
        assert_eq!((values(&parts.train).len(), values(&parts.validation)), (6, vec![7.0]));
        assert_eq!((parts.test.rows(), parts.torn), (1, 2));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let text = |spec: ThreeWaySplit| spec.split(data::regression(10, 1), &cx).unwrap_err().to_string();
        assert!(text(ThreeWaySplit::new(0.0, 0.2)).starts_with("`validation` is 0"));
        assert!(text(ThreeWaySplit::new(0.2, f64::NAN)).starts_with("`test` is NaN"));
        assert!(text(ThreeWaySplit::new(0.5, 0.5)).contains("below 1 together"));
        assert!(text(ThreeWaySplit::new(0.2, 0.2).gap(Span::Rows(1))).starts_with("`by` is Random"));
        assert!(text(ThreeWaySplit::new(0.2, 0.2).by(SplitBy::Time)).contains("needs the time of each row"));
        let two = data::regression(10, 1).take(&[0, 1]);
        let error = ThreeWaySplit::new(0.3, 0.3).split(two, &cx).unwrap_err().to_string();
        assert_eq!(error, "a split into three parts needs at least 3 rows, 2 found");
        let three = ThreeWaySplit::new(0.6, 0.3).split(data::regression(10, 1).take(&[0, 1, 2]), &cx).unwrap();
        assert_eq!((three.train.rows(), three.validation.rows(), three.test.rows()), (1, 1, 1));
    }
}
