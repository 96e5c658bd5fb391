//! The column that says where values were missing, before an imputer hides it.
//!
//! It is a number, 0 or 1, named `<column>_missing`, right after its column. A column gets one only if it has missing
//! values in training: one that is always 0 there teaches a model nothing. A value that is first missing later, in a
//! column without indicator, is imputed and nothing else.

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

/// The field of the indicator of a column.
pub(super) fn field(of: &Field) -> Field {
    Field::derived(format!("{}_missing", of.name), Kind::Number, [of])
}

/// What is known before data of an imputed column: whether it gets an indicator depends on the training rows.
pub(super) fn planned(of: &Field, wanted: bool) -> Vec<Field> {
    let filled = of.clone().missing(false);
    if wanted && of.missing { vec![filled, field(of)] } else { vec![filled] }
}

/// 1 where `column` is missing, 0 elsewhere. `O(rows)`.
pub(super) fn column(column: &Column) -> Column {
    fn flags<V>(values: &[V], is_missing: impl Fn(&V) -> bool) -> Column {
        Column::numbers(values.iter().map(|v| f64::from(u8::from(is_missing(v)))).collect::<Vec<_>>())
    }
    match column {
        Column::Number(values) => flags(values, |x| x.is_nan()),
        Column::Category { codes, .. } => flags(codes, |&code| code == MISSING_CODE),
        Column::Flag(values) => flags(values, Option::is_none),
        other => {
            let rows: Vec<usize> = (0..other.len()).collect();
            flags(&rows, |&row| other.cell(row) == Cell::Missing)
        }
    }
}

/// 1 if `cell` is missing, 0 otherwise.
pub(super) fn cell(cell: &Cell) -> Cell {
    Cell::Number(f64::from(u8::from(matches!(cell, Cell::Missing))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::data;

    #[test]
    fn batch_and_row_agree_for_every_kind() {
        let table = data::mixed(40, 3);
        let more = [Column::texts([Some("a"), None]), Column::timestamps([1, i64::MIN])];
        for values in table.columns().iter().chain(&more) {
            let flags = column(values);
            assert_eq!(flags.as_numbers().unwrap().iter().sum::<f64>(), values.missing_count() as f64);
            for row in 0..values.len() {
                assert_eq!(flags.cell(row), cell(&values.cell(row)));
            }
        }
    }

    #[test]
    fn an_indicator_comes_from_its_column() {
        let of = Field::new("age", Kind::Number).missing(true);
        let field = field(&of);
        assert_eq!((&*field.name, field.kind, field.missing), ("age_missing", Kind::Number, false));
        assert_eq!(field.origin, of.origin);
    }
}
