//! What every imputer learns, and the one learned form that they share: a constant for each column.
//!
//! A category without any value in training has no level to fill in; it gets a new one, [`MISSING_LEVEL`], behind the
//! levels of training. Levels not seen in training pass through as what they are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Levels};

use super::indicator;
use crate::columns::wrong_cell;
use crate::rewrite::{ColumnRule, Rewrite, Training};

/// The level that stands for missing in a category without any level to fill in.
pub const MISSING_LEVEL: &str = "(missing)";

/// The learned form of every imputer that fills a constant into each column.
pub type FittedImputer = Rewrite<Imputation>;

/// What stands in place of a missing value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// A number.
    Number(f64),
    /// A flag.
    Flag(bool),
    /// A level of training, by its code.
    Level(u32),
    /// [`MISSING_LEVEL`], added behind the levels of training.
    AddedLevel,
    /// This level, added behind the levels of training.
    NamedLevel(Arc<str>),
}

/// What was learned about one column: what to fill in, and whether to say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imputation {
    fill: Fill,
    indicator: bool,
}

impl Fill {
    /// The level of this name: of training, if it is there, else added behind those of training.
    pub(super) fn level(field: &Field, name: &str) -> Self {
        match field.levels.as_ref().and_then(|levels| levels.code(name)) {
            Some(code) => Self::Level(code),
            None if name == MISSING_LEVEL => Self::AddedLevel,
            None => Self::NamedLevel(name.into()),
        }
    }

    /// A cell of it. A level that is added has no code without its field; a new level by name stands for it.
    pub(super) fn cell(&self) -> Cell {
        match self {
            Self::Number(x) => Cell::number(*x),
            Self::Flag(flag) => Cell::Flag(*flag),
            Self::Level(code) => Cell::Level(*code),
            Self::AddedLevel => Cell::NewLevel(MISSING_LEVEL.into()),
            Self::NamedLevel(name) => Cell::NewLevel(name.clone()),
        }
    }

    /// The level that is added.
    fn added(&self) -> Option<&str> {
        match self {
            Self::AddedLevel => Some(MISSING_LEVEL),
            Self::NamedLevel(name) => Some(name),
            Self::Number(_) | Self::Flag(_) | Self::Level(_) => None,
        }
    }
}

impl Imputation {
    /// What is filled in.
    pub fn fill(&self) -> &Fill {
        &self.fill
    }

    /// Whether the column has an indicator.
    pub fn has_indicator(&self) -> bool {
        self.indicator
    }

    /// The imputation of a training column. Without a value to fill in it is 0, `false` or a new level, with a warning.
    pub(super) fn learned(training: &mut Training<'_>, fill: Option<Fill>, indicator: bool) -> Self {
        let fill = fill.unwrap_or_else(|| {
            let (fill, text) = match training.field.kind {
                Kind::Flag => (Fill::Flag(false), "false".to_string()),
                Kind::Category => (Fill::level(training.field, MISSING_LEVEL), format!("the level `{MISSING_LEVEL}`")),
                _ => (Fill::Number(0.0), "0".to_string()),
            };
            training.warn(no_value(&text));
            fill
        });
        Self { fill, indicator: indicator && training.has_missing() }
    }
}

/// What is warned of where a column has nothing to learn from.
pub(super) fn no_value(becomes: &str) -> String {
    format!("has no value to learn from; missing values become {becomes}")
}

impl ColumnRule for Imputation {
    const TAG: &'static str = "FittedImputer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let mut filled = field.clone().missing(false);
        if let Some(name) = self.fill.added() {
            filled = filled.levels(Arc::new(with_level(field, name)));
        }
        if self.indicator { vec![filled, indicator::field(field)] } else { vec![filled] }
    }

    fn column(&self, field: &Field, mut column: Column, out: &mut Vec<Column>) -> Result<()> {
        let indicator = self.indicator.then(|| indicator::column(&column));
        match &self.fill {
            Fill::Number(x) => fill_numbers(&mut column, *x)?,
            Fill::Flag(x) => fill_flags(&mut column, *x)?,
            Fill::Level(code) => fill_codes(&mut column, *code, field)?,
            Fill::AddedLevel => column = filled_with_new_level(&column, field, MISSING_LEVEL)?,
            Fill::NamedLevel(name) => column = filled_with_new_level(&column, field, name)?,
        }
        out.push(column);
        out.extend(indicator);
        Ok(())
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(match (&self.fill, cell) {
            (Fill::Number(x), Cell::Missing) => Cell::Number(*x),
            (Fill::Flag(x), Cell::Missing) => Cell::Flag(*x),
            (Fill::Level(code), Cell::Missing) => Cell::Level(*code),
            (Fill::Number(_), Cell::Number(_))
            | (Fill::Flag(_), Cell::Flag(_))
            | (Fill::Level(_), Cell::Level(_) | Cell::NewLevel(_)) => cell.clone(),
            (Fill::AddedLevel | Fill::NamedLevel(_), Cell::Missing) => Cell::Level(known(field)),
            (Fill::AddedLevel | Fill::NamedLevel(_), Cell::NewLevel(name)) => {
                if self.fill.added() == Some(&**name) {
                    Cell::Level(known(field))
                } else {
                    cell.clone()
                }
            }
            // Codes of levels not seen in training make room for the new one.
            (Fill::AddedLevel | Fill::NamedLevel(_), Cell::Level(code)) => {
                Cell::Level(if *code < known(field) { *code } else { code.saturating_add(1) })
            }
            (_, other) => return Err(wrong_cell(field.kind, other)),
        });
        if self.indicator {
            out.push(indicator::cell(cell));
        }
        Ok(())
    }
}

// The buffer may be shared; without a missing value it is left alone and so not copied.

pub(super) fn fill_numbers(column: &mut Column, fill: f64) -> Result<()> {
    if column.as_numbers()?.iter().any(|x| x.is_nan()) {
        column.make_numbers()?.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = fill);
    }
    Ok(())
}

fn fill_flags(column: &mut Column, fill: bool) -> Result<()> {
    if column.as_flags()?.iter().any(Option::is_none)
        && let Column::Flag(values) = column
    {
        Arc::make_mut(values).iter_mut().for_each(|x| *x = x.or(Some(fill)));
    }
    Ok(())
}

fn fill_codes(column: &mut Column, fill: u32, field: &Field) -> Result<()> {
    let (codes, levels) = column.as_categories()?;
    if !codes.contains(&MISSING_CODE) {
        return Ok(());
    }
    // A column without values may come without levels.
    let states_fill = levels.name(fill).is_some();
    column.make_codes()?.iter_mut().filter(|code| **code == MISSING_CODE).for_each(|code| *code = fill);
    if let (false, Column::Category { levels, .. }, Some(known)) = (states_fill, column, &field.levels) {
        *levels = known.clone();
    }
    Ok(())
}

fn filled_with_new_level(column: &Column, field: &Field, added: &str) -> Result<Column> {
    let (codes, own) = column.as_categories()?;
    let known = known(field);
    let mut levels = with_level(field, added);
    let unseen: Vec<u32> = own.iter().skip(known as usize).map(|name| levels.intern(name)).collect();
    let code = |&code: &u32| match code {
        MISSING_CODE => known,
        code if code < known => code,
        code => unseen.get((code - known) as usize).copied().unwrap_or_else(|| code.saturating_add(1)),
    };
    Ok(Column::Category { codes: Arc::new(codes.iter().map(code).collect()), levels: Arc::new(levels) })
}

fn known(field: &Field) -> u32 {
    field.levels.as_ref().map_or(0, |levels| levels.len() as u32)
}

fn with_level(field: &Field, added: &str) -> Levels {
    let mut levels = field.levels.as_deref().cloned().unwrap_or_default();
    levels.intern(added);
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field() -> Field {
        Field::new("city", Kind::Category).levels(Arc::new(Levels::new(["a", "b"]))).missing(true)
    }

    fn batch(rule: &Imputation, column: Column) -> Column {
        let mut out = Vec::new();
        rule.column(&field(), column, &mut out).unwrap();
        out.remove(0)
    }

    #[test]
    fn a_new_level_stands_between_known_and_unseen_ones() {
        let rule = Imputation { fill: Fill::AddedLevel, indicator: false };
        let levels = Arc::new(Levels::new(["a", "b", "c", "(missing)", "d"]));
        let codes = vec![0, MISSING_CODE, 2, 3, 4];
        let column = batch(&rule, Column::Category { codes: Arc::new(codes), levels });
        let expected = Column::categories([Some("a"), Some("(missing)"), Some("c"), Some("(missing)"), Some("d")]);
        assert_eq!(column, expected);
        let (_, levels) = column.as_categories().unwrap();
        let [field] = &rule.fields(&field())[..] else { panic!("one field") };
        assert!(!field.missing && levels.extends(field.levels.as_ref().unwrap()));
        let mut out = Vec::new();
        for cell in [Cell::Missing, Cell::Level(1), Cell::Level(2), Cell::NewLevel("(missing)".into())] {
            rule.cell(&super::tests::field(), &cell, &mut out).unwrap();
        }
        assert_eq!(out, [Cell::Level(2), Cell::Level(1), Cell::Level(3), Cell::Level(2)]);
    }

    #[test]
    fn a_column_without_levels_gets_those_of_training() {
        let rule = Imputation { fill: Fill::Level(1), indicator: true };
        let column = batch(&rule, Column::missing(Kind::Category, 2));
        assert_eq!(column, Column::categories([Some("b"), Some("b")]));
    }

    #[test]
    fn a_shared_column_without_missing_values_is_not_copied() {
        let rule = Imputation { fill: Fill::Number(1.0), indicator: false };
        let column = Column::numbers([1.0, 2.0]);
        let filled = batch(&rule, column.clone());
        assert_eq!(filled.as_numbers().unwrap().as_ptr(), column.as_numbers().unwrap().as_ptr());
    }

    #[test]
    fn cells_of_another_kind_are_refused() {
        let rule = Imputation { fill: Fill::Level(0), indicator: false };
        let error = rule.cell(&field(), &Cell::Number(1.0), &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "is a number, a category is needed");
    }
}
