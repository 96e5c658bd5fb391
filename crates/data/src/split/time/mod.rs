//! Splits in the order of time: what learns is earlier than what judges, or kept clear of it.
//!
//! | splitter | learns from |
//! |---|---|
//! | [`TimeHoldout`] | everything before the last rows, which are set aside |
//! | [`TimeSeriesSplit`] | the time before each fold |
//! | [`GroupTimeSeriesSplit`] | the same, without the groups that judge |
//! | [`PurgedKFold`] | both sides of each fold, without rows whose label or features reach into it |

mod clock;
mod grouped;
mod holdout;
mod purged;
mod series;

pub use clock::{Period, Span};
pub use grouped::{GroupTimeSeriesSplit, Torn};
pub use holdout::TimeHoldout;
pub use purged::PurgedKFold;
pub use series::TimeSeriesSplit;

pub(super) use clock::{Clock, Label};

#[cfg(test)]
pub(super) mod tests {
    use stagewise_core::column::Column;
    use stagewise_core::dataset::Dataset;
    use stagewise_core::problem::Problem;
    use stagewise_core::record::parse;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;

    /// A data set whose time column `t` holds these numbers.
    pub(crate) fn numbered(times: &[f64]) -> Dataset<Regression> {
        let y = Column::numbers((0..times.len()).map(|row| row as f64).collect::<Vec<_>>());
        let table = Table::of([("t", Column::numbers(times.to_vec())), ("x", y.clone()), ("y", y)]).unwrap();
        Dataset::new(table, &Problem::new("y").time("t")).unwrap()
    }

    /// The same with groups `g`.
    pub(crate) fn grouped(times: &[f64], groups: &[f64]) -> Dataset<Regression> {
        let y = Column::numbers((0..times.len()).map(|row| row as f64).collect::<Vec<_>>());
        let table = Table::of([
            ("t", Column::numbers(times.to_vec())),
            ("g", Column::numbers(groups.to_vec())),
            ("x", y.clone()),
            ("y", y),
        ]);
        Dataset::new(table.unwrap(), &Problem::new("y").time("t").group("g")).unwrap()
    }

    /// A data set of these days. Labels are known after five days (column `until`), of every third row after a hundred.
    pub(crate) fn dated(days: &[&str]) -> Dataset<Regression> {
        let times: Vec<i64> = days.iter().map(|day| parse::timestamp(day).unwrap()).collect();
        let late = |row: usize| if row.is_multiple_of(3) { 100 } else { 5 };
        let until: Vec<i64> = times.iter().enumerate().map(|(row, t)| t + late(row) * 86_400_000_000).collect();
        let y = Column::numbers((0..days.len()).map(|row| row as f64).collect::<Vec<_>>());
        let table = Table::of([
            ("t", Column::timestamps(times)),
            ("until", Column::timestamps(until)),
            ("x", y.clone()),
            ("y", y),
        ]);
        Dataset::new(table.unwrap(), &Problem::new("y").time("t").id("until")).unwrap()
    }
}
