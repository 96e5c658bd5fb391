//! A schema read off a table: a first draft for a person to edit.
//!
//! Numbers are bounded by what was seen, levels by those that were seen if they are few. Times are not bounded: later rows
//! are later. A share of missing values gets room for chance, since the next table is another sample.

use stagewise_core::column::Column;
use stagewise_core::schema::{Field, Kind, Role};
use stagewise_core::table::Table;

use super::schema::{ColumnSchema, DataSchema, Environment};
use crate::kind::ALL_DIFFERENT;
use crate::leak::distinct;
use crate::profile::MANY_LEVELS;

impl DataSchema {
    /// The schema of a table. `O(columns · rows · log rows)`.
    ///
    /// | what | is inferred as |
    /// |---|---|
    /// | least rows | 1 |
    /// | environments | training alone for a target or a weight, otherwise both |
    /// | presence | 1 if no value is missing, otherwise `p − 3 √(p (1 − p) / n)`, cut to two decimals, at least 0 |
    /// | range | least and greatest finite number; none for times |
    /// | levels | those of a category with rows, if at most 100 |
    /// | unique | an id, or text, whose values all differ in at least 10 rows |
    pub fn infer(table: &Table) -> Self {
        let fields = table.schema().fields();
        let columns = fields.iter().zip(table.columns()).map(|(field, column)| infer(field, column)).collect();
        Self { least_rows: 1, columns }
    }
}

fn infer(field: &Field, column: &Column) -> ColumnSchema {
    let mut inferred = ColumnSchema::new(field.name.as_ref(), field.kind).role(field.role);
    if matches!(field.role, Role::Target | Role::Weight) {
        inferred = inferred.environments([Environment::Training]);
    }
    let present = column.len() - column.missing_count();
    inferred.presence = presence(present, column.len());
    inferred.unique =
        (field.role == Role::Id || field.kind == Kind::Text) && present >= ALL_DIFFERENT && distinct(column) == present;
    match column {
        Column::Number(values) => {
            let finite = || values.iter().copied().filter(|x| x.is_finite());
            inferred.least = finite().reduce(f64::min);
            inferred.most = finite().reduce(f64::max);
        }
        Column::Category { codes, levels } if !inferred.unique => {
            let mut seen = vec![false; levels.len()];
            codes.iter().for_each(|&code| {
                if let Some(seen) = seen.get_mut(code as usize) {
                    *seen = true;
                }
            });
            let seen: Vec<String> =
                levels.iter().zip(seen).filter(|(_, seen)| *seen).map(|(name, _)| name.to_string()).collect();
            inferred.levels = (1..=MANY_LEVELS).contains(&seen.len()).then_some(seen);
        }
        _ => {}
    }
    inferred
}

fn presence(present: usize, rows: usize) -> f64 {
    if present == rows {
        return if rows == 0 { 0.0 } else { 1.0 };
    }
    let (share, n) = (present as f64 / rows as f64, rows as f64);
    let low = share - 3.0 * (share * (1.0 - share) / n).sqrt();
    (low * 100.0).floor().max(0.0) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_property_is_read_off_the_rows() {
        let ids: Vec<String> = (0..20).map(|i| format!("k{i}")).collect();
        let table = Table::of([
            ("id", Column::texts(ids.iter().map(|t| Some(t.as_str())))),
            ("x", Column::numbers((0..20).map(|i| if i < 2 { f64::NAN } else { f64::from(i) }).collect::<Vec<_>>())),
            ("c", Column::categories((0..20).map(|i| Some(["a", "b"][i % 2])))),
            ("inf", Column::numbers([vec![f64::INFINITY], vec![1e300; 19]].concat())),
        ])
        .unwrap();
        let schema = DataSchema::infer(&table);
        assert!(schema.columns[0].unique && schema.columns[0].levels.is_none());
        // 0.9 − 3 √(0.09 / 20) = 0.6987…
        assert_eq!(schema.columns[1], ColumnSchema::new("x", Kind::Number).presence(0.69).least(2.0).most(19.0));
        assert_eq!(schema.columns[2], ColumnSchema::new("c", Kind::Category).presence(1.0).levels(["a", "b"]));
        assert_eq!((schema.columns[3].least, schema.columns[3].most), (Some(1e300), Some(1e300)));
    }

    #[test]
    fn nothing_is_inferred_of_no_rows() {
        let table = Table::of([("x", Column::numbers(vec![])), ("c", Column::missing(Kind::Category, 0))]).unwrap();
        let schema = DataSchema::infer(&table);
        assert_eq!(schema.columns[0], ColumnSchema::new("x", Kind::Number));
        assert_eq!(schema.columns[1], ColumnSchema::new("c", Kind::Category));
    }
}
