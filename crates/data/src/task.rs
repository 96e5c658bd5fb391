//! What kind of question a target column asks: binary, multiclass or regression.
//!
//! A proposal with its reason. The type of the problem decides; this is for whoever has a file and a column's name.

use std::collections::BTreeSet;
use std::fmt;

use stagewise_core::column::Column;
use stagewise_core::error::{At, Crumb, ParameterError, Result, SchemaError};
use stagewise_core::schema::{Kind, Role};
use stagewise_core::table::Table;

/// Whole numbers with at most this many different values are classes …
pub const NUMBER_CLASSES: usize = 10;

/// … if there are more than this many rows.
pub const CLASS_ROWS: usize = 50;

/// A category with more levels than this is no target.
pub const MOST_CLASSES: usize = 50;

/// The kind of question that a target asks, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskKind {
    /// Will it happen?
    Binary {
        /// The reason, for people.
        why: String,
    },
    /// Which one?
    Multiclass {
        /// The reason, for people.
        why: String,
    },
    /// How much?
    Regression {
        /// The reason, for people.
        why: String,
    },
}

impl TaskKind {
    /// The reason, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::Binary { why } | Self::Multiclass { why } | Self::Regression { why } => why,
        }
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Binary { .. } => "binary",
            Self::Multiclass { .. } => "multiclass",
            Self::Regression { .. } => "regression",
        })
    }
}

/// The kind of question that the column `target` asks. `O(rows · log distinct)`.
///
/// | target | task |
/// |---|---|
/// | a flag; any column with at most two different values | binary |
/// | a category with up to 50 levels | multiclass |
/// | whole numbers with up to 10 different values in more than 50 rows | multiclass |
/// | other numbers | regression |
///
/// Missing values do not count; whether a target may have them, and whether one class is enough, is for the data set
/// to say.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::{TaskKind, detect_task};
///
/// let table = Table::of([("rent", Column::numbers([810.0, 920.5, 700.0]))])?;
/// assert!(matches!(detect_task(&table, "rent")?, TaskKind::Regression { .. }));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// # Errors
/// A column that is not there, free text, timestamps, ids, and a category with more than 50 levels.
pub fn detect_task(table: &Table, target: &str) -> Result<TaskKind> {
    let column = table.column(target)?;
    let is_id = table.schema().field(target).is_some_and(|field| field.role == Role::Id);
    let unfit = |value: String, allowed: &'static str| {
        let error = ParameterError { name: "target", value, allowed };
        Err(error).at(|| Crumb::column(target))
    };
    match column {
        Column::Flag(_) => Ok(TaskKind::Binary { why: "true or false".into() }),
        _ if is_id => unfit("an id".into(), "a column that says something about a row, not one that names it"),
        Column::Category { codes, levels } => {
            let seen: BTreeSet<u32> = codes.iter().copied().filter(|&c| (c as usize) < levels.len()).collect();
            match seen.len() {
                0..=2 => Ok(TaskKind::Binary { why: levels_text(seen.len()) }),
                found if found <= MOST_CLASSES => Ok(TaskKind::Multiclass { why: levels_text(found) }),
                found => unfit(levels_text(found), "a category with at most 50 levels; join rare ones"),
            }
        }
        Column::Number(values) => Ok(of_numbers(values)),
        other => {
            Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }).at(|| Crumb::column(target))
        }
    }
}

fn of_numbers(values: &[f64]) -> TaskKind {
    let present = values.iter().filter(|x| !x.is_nan());
    let rows = present.clone().count();
    let whole = present.clone().all(|x| x.fract() == 0.0);
    // One more than any rule asks for is enough; `+ 0.0` makes the two zeros one.
    let mut distinct: BTreeSet<u64> = BTreeSet::new();
    for x in present {
        distinct.insert((x + 0.0).to_bits());
        if distinct.len() > NUMBER_CLASSES {
            return TaskKind::Regression { why: format!("numbers with more than {NUMBER_CLASSES} different values") };
        }
    }
    let found = distinct.len();
    if found <= 2 {
        TaskKind::Binary { why: format!("numbers with {found} different values") }
    } else if !whole {
        TaskKind::Regression { why: "numbers that are not all whole".into() }
    } else if rows > CLASS_ROWS {
        TaskKind::Multiclass { why: format!("whole numbers with {found} different values in {rows} rows") }
    } else {
        TaskKind::Regression { why: format!("whole numbers in {rows} rows, too few to call them classes") }
    }
}

fn levels_text(levels: usize) -> String {
    if levels == 1 { "a category with 1 level".into() } else { format!("a category with {levels} levels") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(column: Column) -> Result<TaskKind> {
        detect_task(&Table::of([("y", column)]).unwrap(), "y")
    }

    fn cycle(different: usize, rows: usize) -> Column {
        Column::numbers((0..rows).map(|i| (i % different) as f64).collect::<Vec<_>>())
    }

    #[test]
    fn each_rule_decides_at_its_limit() {
        for (column, name) in [
            (cycle(2, 10), "binary"),
            (cycle(3, 51), "multiclass"),
            (cycle(3, 50), "regression"),
            (cycle(10, 100), "multiclass"),
            (cycle(11, 1000), "regression"),
            (Column::numbers([0.5, 1.0, 2.0].repeat(50)), "regression"),
            (Column::numbers([0.0, -0.0, 1.0].repeat(50)), "binary"),
            (Column::flags([Some(true), None]), "binary"),
            (Column::categories([Some("a"), Some("b"), None]), "binary"),
            (Column::categories([Some("a"), Some("b"), Some("c")]), "multiclass"),
        ] {
            let found = of(column.clone()).unwrap();
            assert_eq!(found.to_string(), name, "{column:?}");
        }
        assert_eq!(of(cycle(6, 1599)).unwrap().why(), "whole numbers with 6 different values in 1599 rows");
    }

    #[test]
    fn what_is_no_target_is_refused() {
        let message = |column| of(column).unwrap_err().to_string();
        assert_eq!(message(Column::texts([Some("x")])), "column `y`: is a text, a category is needed");
        assert_eq!(message(Column::timestamps([1])), "column `y`: is a timestamp, a category is needed");
        let names: Vec<String> = (0..51).map(|i| i.to_string()).collect();
        let many = message(Column::categories(names.iter().map(|n| Some(n.as_str()))));
        let expected =
            "column `y`: `target` is a category with 51 levels, allowed is a category with at most 50 levels";
        assert!(many.starts_with(expected), "{many}");
        assert!(of(cycle(3, 9)).is_ok() && detect_task(&Table::of([("y", cycle(3, 9))]).unwrap(), "z").is_err());
        let loaded = crate::Csv::from_bytes("id,x\n1,2\n2,3\n").read().unwrap();
        let error = detect_task(&loaded.table, "id").unwrap_err().to_string();
        assert!(error.starts_with("column `id`: `target` is an id, allowed is"), "{error}");
    }
}
