//! What a column is for, as a proposal: a problem may give every column another role.
//!
//! Columns that name rows become ids; columns that no model can learn from are ignored; the rest are features. A
//! proposal never hinders a target: the problem's roles come after it.

use std::collections::HashSet;

use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::schema::Role;

/// From this many rows on, whole numbers that count 0, 1, 2, … or 1, 2, 3, … name the rows.
pub const COUNTED_ROWS: usize = 20;

/// From this many rows on, texts without blanks that all differ name the rows, whatever the column's name.
pub const CODED_ROWS: usize = 10;

/// A role, why, and what a person should know.
#[derive(Debug, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) role: Role,
    pub(crate) why: &'static str,
    pub(crate) notice: Option<String>,
}

/// The role of a column. `O(rows)`.
pub(crate) fn propose(name: &str, column: &Column) -> Proposal {
    let proposal = |role, why| Proposal { role, why, notice: None };
    let rows = column.len();
    if rows > 0 && column.missing_count() == rows {
        return proposal(Role::Ignored, "nothing to learn from, ignored");
    }
    if rows > 1 && is_constant(column) {
        return proposal(Role::Ignored, "the same in every row, ignored");
    }
    let complete = column.missing_count() == 0;
    let named = is_id_name(name);
    match column {
        Column::Number(values) => {
            let whole = complete && values.iter().all(|x| x.fract() == 0.0);
            if whole && rows >= COUNTED_ROWS && counts_rows(values) {
                return proposal(Role::Id, "counts the rows: an id");
            }
            if whole && named && rows > 1 {
                if all_differ(values.iter().map(|x| x.to_bits())) {
                    return proposal(Role::Id, "all different and named like an id: an id");
                }
                let notice = "is named like an id, but its values repeat: if rows of one value belong together, give \
                              it the role group; if it is a name and no quantity, read it as a category";
                return Proposal { notice: Some(notice.into()), ..proposal(Role::Feature, "") };
            }
            proposal(Role::Feature, "")
        }
        Column::Category { codes, .. } if named && rows > 1 && complete && all_differ(codes.iter()) => {
            proposal(Role::Id, "all different and named like an id: an id")
        }
        Column::Text(values) => {
            let differ = complete && rows > 1 && all_differ(values.iter());
            let codes = rows >= CODED_ROWS && values.iter().flatten().all(|t| !t.trim().contains(char::is_whitespace));
            if differ && (named || codes) {
                return proposal(Role::Id, "all different, an id");
            }
            proposal(Role::Ignored, "ignored")
        }
        Column::Timestamp(_) => proposal(
            Role::Ignored,
            "no step learns from points in time, ignored; name it as the problem's time to order rows by it",
        ),
        _ => proposal(Role::Feature, ""),
    }
}

/// Whether every row has the same value, none missing.
pub(crate) fn is_constant(column: &Column) -> bool {
    fn same<V: PartialEq>(values: &[V], missing: impl Fn(&V) -> bool) -> bool {
        values.first().is_some_and(|first| !missing(first) && values.iter().all(|v| v == first))
    }
    match column {
        Column::Number(v) => same(v, |x| x.is_nan()),
        Column::Category { codes, .. } => same(codes, |&c| c == MISSING_CODE),
        Column::Flag(v) => same(v, Option::is_none),
        Column::Text(v) => same(v, Option::is_none),
        Column::Timestamp(v) => same(v, |&t| t == MISSING_TIME),
        _ => false,
    }
}

fn all_differ<V: std::hash::Hash + Eq>(mut values: impl Iterator<Item = V>) -> bool {
    let mut seen = HashSet::new();
    values.all(|v| seen.insert(v))
}

fn counts_rows(values: &[f64]) -> bool {
    let first = values.first().copied().unwrap_or(f64::NAN);
    (first == 0.0 || first == 1.0) && values.iter().enumerate().all(|(row, &x)| x == first + row as f64)
}

/// `id`, `uuid`, `customer_id`, `id_customer`, `PassengerId`, `userID`, but neither `paid` nor `valid`.
fn is_id_name(name: &str) -> bool {
    const WORDS: [&str; 5] = ["id", "uid", "uuid", "guid", "rowid"];
    let name = name.trim();
    let lower = name.to_lowercase();
    let parts: Vec<&str> = lower.split(['_', '-', ' ', '.']).collect();
    let ends = [parts.first(), parts.last()];
    if ends.into_iter().flatten().any(|part| WORDS.contains(part)) {
        return true;
    }
    ["Id", "ID"].iter().any(|end| {
        name.strip_suffix(end).and_then(|rest| rest.chars().last()).is_some_and(|before| before.is_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ids_are_told_from_other_names() {
        for name in ["id", "ID", "customer_id", "id_customer", "PassengerId", "userID", "row uuid"] {
            assert!(is_id_name(name), "{name}");
        }
        for name in ["paid", "valid", "Idaho", "humidity", "grid", "age", "", "AVID"] {
            assert!(!is_id_name(name), "{name}");
        }
    }

    #[test]
    fn numbers_that_count_rows_are_ids_and_quantities_are_not() {
        let role = |name: &str, values: Vec<f64>| propose(name, &Column::numbers(values)).role;
        let count = |from: u32, to: u32| (from..to).map(f64::from).collect::<Vec<_>>();
        assert_eq!(role("instant", count(1, 50)), Role::Id);
        assert_eq!(role("x", count(1, 10)), Role::Feature);
        assert_eq!(role("id", vec![7.0, 3.0]), Role::Id);
        assert_eq!(role("year", count(1990, 2020)), Role::Feature);
        assert_eq!(role("id", vec![0.5, 3.0]), Role::Feature);
        let repeated = propose("store_id", &Column::numbers([7.0, 7.0, 3.0]));
        assert!(repeated.role == Role::Feature && repeated.notice.is_some());
    }

    #[test]
    fn what_cannot_be_learned_from_is_ignored() {
        assert_eq!(propose("x", &Column::numbers([2.0, 2.0])).role, Role::Ignored);
        assert_eq!(propose("x", &Column::numbers([2.0, f64::NAN])).role, Role::Feature);
        assert_eq!(propose("x", &Column::numbers([f64::NAN, f64::NAN])).role, Role::Ignored);
        assert_eq!(propose("x", &Column::timestamps([1, 2])).role, Role::Ignored);
        assert_eq!(propose("name", &Column::texts([Some("a b"), Some("c d")])).role, Role::Ignored);
        assert_eq!(propose("x", &Column::numbers(Vec::new())).role, Role::Feature);
    }

    #[test]
    fn texts_that_all_differ_and_hold_no_blank_are_ids() {
        let codes: Vec<String> = (0..12).map(|i| format!("a{i}")).collect();
        let column = Column::texts(codes.iter().map(|c| Some(c.as_str())));
        assert_eq!(propose("x", &column).role, Role::Id);
        assert_eq!(propose("user_id", &Column::texts([Some("a b"), Some("c d")])).role, Role::Id);
    }
}
