//! Ranking: the one task whose rows mean nothing alone. What is learned and judged is the order of the rows of a group.
//!
//! The group is part of the truth, not of the features: it says which rows are compared, so a metric needs nothing else,
//! and a row to score needs no group.

use ndarray::Array1;

use super::{Answer, Regression, Task, weighted_mean};
use crate::column::Column;
use crate::error::{DataError, Result};
use crate::registry::{Loaders, Registry};
use crate::schema::Kind;
use crate::target::RankingTarget;

/// Which of these first? The truth is a grade of each row, at least 0, and the group (a query) that it belongs to; the
/// answer a score, by which the rows of a group are ordered, the largest first.
///
/// Groups come from the column of the role group, whose rows every split keeps on one side. Weights are of groups: a group
/// weighs the mean of its rows' weights. A row to score needs no group.
///
/// ```
/// use stagewise_core::{column::Column, dataset::Dataset, problem::Problem, table::Table};
///
/// let table = Table::of([
///     ("query", Column::categories([Some("rust"), Some("rust"), Some("ndarray")])),
///     ("matches", Column::numbers([3.0, 1.0, 2.0])),
///     ("relevance", Column::numbers([2.0, 0.0, 1.0])),
/// ])?;
/// let data = Dataset::new(table, &Problem::ranking("relevance", "query"))?;
/// assert_eq!(data.features().schema().names(), ["matches"]);
/// assert_eq!(data.target().lists(), [vec![0, 1], vec![2]]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ranking;

impl Task for Ranking {
    const NAME: &'static str = "ranking";
    type Target = RankingTarget;
    type Labels = ();
    type Output = Array1<f64>;
    type RowOutput = f64;

    fn labels(column: &Column, target: &str, event: Option<&str>) -> Result<()> {
        Regression::labels(column, target, event)
    }

    fn truth(column: &Column, (): &()) -> Result<RankingTarget> {
        RankingTarget::new(column.require_finite()?, vec![0; column.len()])
    }

    fn grouped(truth: RankingTarget, groups: Option<Vec<u32>>) -> Result<RankingTarget> {
        match groups {
            Some(groups) => RankingTarget::new(truth.grades(), groups),
            None => Err(DataError::GroupNeeded { what: "a ranking".into() }.into()),
        }
    }

    fn column(truth: &RankingTarget, (): &(), _: Kind) -> Column {
        truth.column()
    }

    fn mean(target: &RankingTarget, (): &(), weights: Option<&[f64]>) -> f64 {
        weighted_mean(target.grades().iter().copied(), target.list_weights(weights).as_deref())
    }

    fn repeat(answer: &f64, rows: usize) -> Array1<f64> {
        Regression::repeat(answer, rows)
    }

    fn row(output: &Array1<f64>, row: usize) -> f64 {
        Regression::row(output, row)
    }

    fn collect(answers: Vec<f64>) -> Array1<f64> {
        Regression::collect(answers)
    }

    fn rows(output: &Array1<f64>) -> usize {
        output.len()
    }

    fn numbers(answer: &f64) -> &[f64] {
        std::slice::from_ref(answer)
    }

    fn answer(answer: &f64, (): &()) -> Answer {
        Answer::Score { score: *answer }
    }

    fn loaders(registry: &Registry) -> &Loaders<Self> {
        &registry.ranking
    }

    fn loaders_mut(registry: &mut Registry) -> &mut Loaders<Self> {
        &mut registry.ranking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::problem::Problem;
    use crate::table::Table;
    use crate::target::TargetValues;

    fn read(groups: Column, grades: Vec<f64>) -> Result<Dataset<Ranking>> {
        let x = Column::numbers(vec![1.0; grades.len()]);
        let table = Table::of([("query", groups), ("x", x), ("grade", Column::numbers(grades))])?;
        Dataset::new(table, &Problem::ranking("grade", "query"))
    }

    #[test]
    fn groups_are_read_off_any_kind_of_column() {
        let grades = || vec![0.0, 1.0, 2.0, 0.0];
        let expected = [0, 1, 0, 1];
        let texts = Column::categories([Some("b"), Some("a"), Some("b"), Some("a")]);
        for groups in [
            texts,
            Column::numbers([-0.0, 9.0, 0.0, 9.0]),
            Column::flags([true, false, true, false].map(Some)),
            Column::timestamps([5, -5, 5, -5]),
        ] {
            let data = read(groups, grades()).unwrap();
            assert_eq!(data.target().groups().unwrap(), expected);
            assert_eq!(data.groups().unwrap(), expected);
            assert_eq!(data.take(&[1, 3]).target().groups().unwrap(), [1, 1], "ids stay");
        }
    }

    #[test]
    fn bad_groups_and_grades_are_refused() {
        let numbers = |values: &[f64]| Column::numbers(values.to_vec());
        let text = |result: Result<Dataset<Ranking>>| result.unwrap_err().to_string();
        let missing = text(read(numbers(&[1.0, f64::NAN]), vec![0.0, 1.0]));
        assert_eq!(missing, "column `query`: 1 rows have no group; drop them or give each a group of its own");
        let negative = text(read(numbers(&[1.0, 1.0]), vec![0.0, -1.0]));
        assert_eq!(negative, "column `grade`: grades must be finite and not negative, row 1 has -1");
        assert!(text(read(numbers(&[1.0]), vec![f64::INFINITY])).contains("not finite"));
        let table = Table::of([("x", numbers(&[1.0])), ("grade", numbers(&[1.0]))]).unwrap();
        assert_eq!(
            text(Dataset::new(table, &Problem::new("grade"))),
            "a ranking needs the group of each row; give a column the role group"
        );
        let two = Problem::ranking("grade", "a").group("b");
        let table = Table::of(["a", "b", "grade"].map(|name| (name, numbers(&[1.0])))).unwrap();
        assert!(text(Dataset::new(table, &two)).contains("group beside `a`"));
        assert!(RankingTarget::new([1.0], [1, 2]).is_err());
    }

    #[test]
    fn a_group_taken_twice_is_two_lists_and_numbers_do_not_change_a_fingerprint() {
        let data = read(Column::numbers([3.0, 5.0, 3.0]), vec![1.0, 0.0, 2.0]).unwrap();
        let twice = data.take(&[0, 2, 1, 0, 2]);
        assert_eq!(twice.target().lists(), [vec![0, 1], vec![2], vec![3, 4]]);
        assert_eq!(twice.groups().unwrap(), [0, 0, 1, 0, 0], "they still belong on one side");
        let again = read(Column::numbers([5.0]), vec![0.0]).unwrap();
        assert_eq!(data.take(&[1]).fingerprint(), again.fingerprint());
    }

    #[test]
    fn weights_are_of_lists() {
        let truth = RankingTarget::new([4.0, 0.0, 1.0], [0, 0, 1]).unwrap();
        assert_eq!(truth.list_weights(Some(&[3.0, 1.0, 6.0])).unwrap(), [2.0, 2.0, 6.0]);
        assert_eq!(Ranking::mean(&truth, &(), Some(&[3.0, 1.0, 6.0])), 1.4);
    }
}
