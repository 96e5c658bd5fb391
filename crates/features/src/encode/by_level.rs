//! Numbers for each level: the one learned form of every encoder that looks a level up.
//!
//! An ordinal code, a count, the digits of a code, a contrast, the mean of the target: once learned, all of them are a
//! table of so many numbers a level, and what stands for missing and for unseen. So both paths are written once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{At, Crumb, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

use super::unseen::{Fallback, cell_of, refused};
use crate::columns::wrong_cell;
use crate::rewrite::{ColumnRule, Rewrite};

/// A learned encoder that gives each level its numbers.
pub type FittedLevelEncoder = Rewrite<LevelNumbers>;

/// What was learned about one category: so many numbers for each level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelNumbers {
    /// What is appended to the column's name, for each column that comes.
    suffixes: Vec<String>,
    /// The numbers of the levels of the training table, one level after another.
    numbers: Vec<f64>,
    levels: u32,
    /// Codes whose level is in the list and not in the training rows, ascending: they are unseen.
    absent: Vec<u32>,
    /// Levels that are known and not in the list.
    #[serde(default)]
    further: BTreeMap<Arc<str>, Vec<f64>>,
    missing: Stand,
    unseen: Stand,
}

/// What stands for a value that is no known level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stand {
    /// These numbers, one for each column.
    Numbers(Vec<f64>),
    /// Missing in each column.
    Missing,
    /// An error.
    Refused,
}

impl LevelNumbers {
    /// `numbers(code, out)` appends the numbers of a level, one for each suffix; where it appends none, the level is unseen.
    pub(super) fn new(
        suffixes: Vec<String>,
        levels: usize,
        missing: Stand,
        unseen: Stand,
        mut numbers_of: impl FnMut(u32, &mut Vec<f64>),
    ) -> Self {
        let width = suffixes.len();
        let mut numbers = Vec::with_capacity(levels * width);
        let mut absent = Vec::new();
        for code in 0..levels as u32 {
            let start = numbers.len();
            numbers_of(code, &mut numbers);
            if numbers.len() == start && width > 0 {
                absent.push(code);
                numbers.resize(start + width, 0.0);
            }
        }
        Self { suffixes, numbers, levels: levels as u32, absent, further: BTreeMap::new(), missing, unseen }
    }

    /// The same with levels that are known though the training table does not have them.
    pub(super) fn with_further(mut self, further: BTreeMap<Arc<str>, Vec<f64>>) -> Self {
        self.further = further;
        self
    }

    /// The numbers of the level with this code in training, one for each column; `None` if it did not occur.
    pub fn numbers(&self, code: u32) -> Option<&[f64]> {
        let width = self.suffixes.len();
        let start = code as usize * width;
        self.is_known(code).then(|| &self.numbers[start..start + width])
    }

    /// The numbers of a missing level, one for each column; `None` if it is missing or refused.
    pub fn missing(&self) -> Option<&[f64]> {
        self.missing.numbers()
    }

    /// The numbers of a level not seen in training, one for each column; `None` if it is missing or refused.
    pub fn unseen(&self) -> Option<&[f64]> {
        self.unseen.numbers()
    }

    #[inline]
    fn is_known(&self, code: u32) -> bool {
        code < self.levels && (self.absent.is_empty() || self.absent.binary_search(&code).is_err())
    }

    /// The numbers of a code; `Err` with what stands for it if it has none.
    #[inline]
    fn look(&self, code: u32) -> std::result::Result<&[f64], &Stand> {
        match self.numbers(code) {
            Some(numbers) => Ok(numbers),
            None if code == MISSING_CODE => self.missing.look(),
            None => self.unseen.look(),
        }
    }

    fn named(&self, name: &str) -> std::result::Result<&[f64], &Stand> {
        self.further.get(name).map_or_else(|| self.unseen.look(), |numbers| Ok(numbers))
    }

    /// The fields in place of `field`, as far as they hang on what follows its name and on what may be missing.
    pub(super) fn fields_of(field: &Field, suffixes: &[String], missing: bool) -> Vec<Field> {
        let named = |suffix: &String| Field::derived(format!("{}{suffix}", field.name), Kind::Number, [field]);
        suffixes.iter().map(|suffix| named(suffix).missing(missing)).collect()
    }
}

impl Stand {
    fn numbers(&self) -> Option<&[f64]> {
        match self {
            Self::Numbers(numbers) => Some(numbers),
            Self::Missing | Self::Refused => None,
        }
    }

    #[inline]
    fn look(&self) -> std::result::Result<&[f64], &Self> {
        self.numbers().ok_or(self)
    }
}

impl From<Fallback> for Stand {
    fn from(fallback: Fallback) -> Self {
        match fallback {
            Fallback::Missing => Self::Missing,
            Fallback::Number(number) => Self::Numbers(vec![number]),
            Fallback::Error => Self::Refused,
        }
    }
}

impl ColumnRule for LevelNumbers {
    const TAG: &'static str = "FittedLevelEncoder";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let missing = self.missing == Stand::Missing || self.unseen == Stand::Missing;
        Self::fields_of(field, &self.suffixes, missing)
    }

    fn column(&self, field: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let (codes, levels) = column.as_categories()?;
        let mut columns: Vec<Vec<f64>> = self.suffixes.iter().map(|_| Vec::with_capacity(codes.len())).collect();
        // The names beyond the training table are looked up once a level, not once a row.
        let beyond: Vec<_> = levels.iter().skip(self.levels as usize).map(|name| self.named(name)).collect();
        for (row, &code) in codes.iter().enumerate() {
            let found = match beyond.get((code as usize).wrapping_sub(self.levels as usize)) {
                Some(found) => *found,
                None => self.look(code),
            };
            match found {
                Ok(numbers) => columns.iter_mut().zip(numbers).for_each(|(column, number)| column.push(*number)),
                Err(Stand::Refused) => {
                    return Err(refused(field, &cell_of(code, levels), |code| self.is_known(code)))
                        .at(|| Crumb::Row(row));
                }
                Err(_) => columns.iter_mut().for_each(|column| column.push(f64::NAN)),
            }
        }
        out.extend(columns.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let found = match cell {
            Cell::Level(code) => self.look(*code),
            Cell::NewLevel(name) => self.named(name),
            Cell::Missing => self.missing.look(),
            other => return Err(wrong_cell(Kind::Category, other)),
        };
        match found {
            Ok(numbers) => out.extend(numbers.iter().map(|number| Cell::Number(*number))),
            Err(Stand::Refused) => return Err(refused(field, cell, |code| self.is_known(code))),
            Err(_) => out.extend(self.suffixes.iter().map(|_| Cell::Missing)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use stagewise_core::schema::Levels;

    fn rule(missing: Stand, unseen: Stand) -> LevelNumbers {
        let suffixes = vec!["_a".to_string(), "_b".to_string()];
        let rule = LevelNumbers::new(suffixes, 3, missing, unseen, |code, out| match code {
            1 => {}
            code => out.extend([f64::from(code), -f64::from(code)]),
        });
        rule.with_further([(Arc::from("w"), vec![7.0, 8.0])].into())
    }

    fn field() -> Field {
        Field::new("x", Kind::Category).levels(Arc::new(Levels::new(["p", "q", "r"])))
    }

    fn cells(rule: &LevelNumbers, cell: Cell) -> Result<Vec<Cell>> {
        let mut out = Vec::new();
        rule.cell(&field(), &cell, &mut out).map(|()| out)
    }

    #[test]
    fn levels_missing_unseen_and_further_have_their_numbers() {
        let rule = rule(Stand::Numbers(vec![5.0, 6.0]), Stand::Missing);
        let column = Column::Category {
            codes: Arc::new(vec![2, MISSING_CODE, 1, 3, 4, 0]),
            levels: Arc::new(Levels::new(["p", "q", "r", "v", "w"])),
        };
        let mut out = Vec::new();
        rule.column(&field(), column, &mut out).unwrap();
        let nan = f64::NAN;
        assert_eq!(out[0], Column::numbers([2.0, 5.0, nan, nan, 7.0, 0.0]));
        assert_eq!(out[1], Column::numbers([-2.0, 6.0, nan, nan, 8.0, -0.0]));
        let numbers = |a: f64, b: f64| vec![Cell::Number(a), Cell::Number(b)];
        assert_eq!(cells(&rule, Cell::Level(2)).unwrap(), numbers(2.0, -2.0));
        assert_eq!(cells(&rule, Cell::Missing).unwrap(), numbers(5.0, 6.0));
        assert_eq!(cells(&rule, Cell::NewLevel("w".into())).unwrap(), numbers(7.0, 8.0));
        for unseen in [Cell::Level(1), Cell::Level(9), Cell::NewLevel("v".into())] {
            assert_eq!(cells(&rule, unseen).unwrap(), [Cell::Missing, Cell::Missing]);
        }
        assert_eq!((rule.numbers(0), rule.numbers(1), rule.numbers(9)), (Some([0.0, -0.0].as_slice()), None, None));
        assert_eq!((rule.missing(), rule.unseen()), (Some([5.0, 6.0].as_slice()), None));
        let fields = rule.fields(&field());
        assert_eq!(fields.iter().map(|f| (&*f.name, f.missing)).collect::<Vec<_>>(), [("x_a", true), ("x_b", true)]);
    }

    #[test]
    fn what_is_refused_is_named() {
        let rule = rule(Stand::Refused, Stand::Refused);
        let text = |cell| cells(&rule, cell).unwrap_err().to_string();
        assert_eq!(text(Cell::Missing), "holds 1 missing values; add an imputer before it");
        assert_eq!(text(Cell::Level(1)), "`q` is none of the known levels (`p`, `r`)");
        assert_eq!(text(Cell::Level(5)), "`level 5` is none of the known levels (`p`, `r`)");
        assert_eq!(text(Cell::NewLevel("v".into())), "`v` is none of the known levels (`p`, `r`)");
        assert_eq!(text(Cell::Flag(true)), "is a flag, a category is needed");
        let column =
            Column::Category { codes: Arc::new(vec![0, 3]), levels: Arc::new(Levels::new(["p", "q", "r", "v"])) };
        let error = rule.column(&field(), column, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "row 1: `v` is none of the known levels (`p`, `r`)");
        assert!(!rule.fields(&field())[0].missing);
    }
}
