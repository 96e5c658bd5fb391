//! One column of typed values behind a shared buffer.
//!
//! Cloning shares; a step that owns the only handle changes the buffer in place. Missing is part of the type:
//! NaN, [`MISSING_CODE`], `None`, [`MISSING_TIME`].

use std::sync::Arc;

use crate::error::{DataError, Result, SchemaError};
use crate::record::Cell;
use crate::schema::{Kind, Levels};

/// The code of a missing category.
pub const MISSING_CODE: u32 = u32::MAX;

/// The timestamp of a missing point in time.
pub const MISSING_TIME: i64 = i64::MIN;

/// Values of one kind, one per row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Column {
    /// Quantities; NaN is missing.
    Number(Arc<Vec<f64>>),
    /// Positions in `levels`; [`MISSING_CODE`] is missing.
    Category {
        /// One code per row.
        codes: Arc<Vec<u32>>,
        /// What the codes mean.
        levels: Arc<Levels>,
    },
    /// Yes, no or missing.
    Flag(Arc<Vec<Option<bool>>>),
    /// Free text or missing.
    Text(Arc<Vec<Option<Arc<str>>>>),
    /// Microseconds since 1970-01-01T00:00:00Z; [`MISSING_TIME`] is missing.
    Timestamp(Arc<Vec<i64>>),
}

impl Column {
    /// A number column.
    pub fn numbers(values: impl Into<Vec<f64>>) -> Self {
        Self::Number(Arc::new(values.into()))
    }

    /// A category column whose levels are numbered in order of appearance.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// let column = Column::categories([Some("b"), None, Some("a"), Some("b")]);
    /// assert_eq!((column.len(), column.missing_count()), (4, 1));
    /// ```
    pub fn categories<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut levels = Levels::default();
        let codes = values.into_iter().map(|v| v.map_or(MISSING_CODE, |name| levels.intern(name))).collect();
        Self::Category { codes: Arc::new(codes), levels: Arc::new(levels) }
    }

    /// A flag column.
    pub fn flags(values: impl Into<Vec<Option<bool>>>) -> Self {
        Self::Flag(Arc::new(values.into()))
    }

    /// A text column.
    pub fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        Self::Text(Arc::new(values.into_iter().map(|v| v.map(Arc::from)).collect()))
    }

    /// A timestamp column.
    pub fn timestamps(values: impl Into<Vec<i64>>) -> Self {
        Self::Timestamp(Arc::new(values.into()))
    }

    /// A column of `rows` missing values.
    pub fn missing(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Number => Self::numbers(vec![f64::NAN; rows]),
            Kind::Category => Self::Category { codes: Arc::new(vec![MISSING_CODE; rows]), levels: Arc::default() },
            Kind::Flag => Self::flags(vec![None; rows]),
            Kind::Text => Self::Text(Arc::new(vec![None; rows])),
            Kind::Timestamp => Self::timestamps(vec![MISSING_TIME; rows]),
        }
    }

    /// What the values mean.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Category { .. } => Kind::Category,
            Self::Flag(_) => Kind::Flag,
            Self::Text(_) => Kind::Text,
            Self::Timestamp(_) => Kind::Timestamp,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(v) => v.len(),
            Self::Category { codes, .. } => codes.len(),
            Self::Flag(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Timestamp(v) => v.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are missing. `O(rows)`.
    pub fn missing_count(&self) -> usize {
        match self {
            Self::Number(v) => v.iter().filter(|x| x.is_nan()).count(),
            Self::Category { codes, .. } => codes.iter().filter(|&&c| c == MISSING_CODE).count(),
            Self::Flag(v) => v.iter().filter(|x| x.is_none()).count(),
            Self::Text(v) => v.iter().filter(|x| x.is_none()).count(),
            Self::Timestamp(v) => v.iter().filter(|&&t| t == MISSING_TIME).count(),
        }
    }

    /// The rows whose value is not missing, ascending. `O(rows)`.
    pub fn present_rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.cell(row) != Cell::Missing).collect()
    }

    /// The rows `rows`, in that order; a row may come more than once.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len): indices come from splitters and samplers, which are checked.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        fn gather<V: Clone>(values: &[V], rows: &[usize]) -> Arc<Vec<V>> {
            Arc::new(rows.iter().map(|&r| values[r].clone()).collect())
        }
        match self {
            Self::Number(v) => Self::Number(gather(v, rows)),
            Self::Category { codes, levels } => Self::Category { codes: gather(codes, rows), levels: levels.clone() },
            Self::Flag(v) => Self::Flag(gather(v, rows)),
            Self::Text(v) => Self::Text(gather(v, rows)),
            Self::Timestamp(v) => Self::Timestamp(gather(v, rows)),
        }
    }

    /// One value; missing if there is no such row.
    pub fn cell(&self, row: usize) -> Cell {
        match self {
            Self::Number(v) => v.get(row).map_or(Cell::Missing, |&x| Cell::number(x)),
            Self::Category { codes, .. } => match codes.get(row) {
                Some(&code) if code != MISSING_CODE => Cell::Level(code),
                _ => Cell::Missing,
            },
            Self::Flag(v) => v.get(row).copied().flatten().map_or(Cell::Missing, Cell::Flag),
            Self::Text(v) => v.get(row).cloned().flatten().map_or(Cell::Missing, Cell::Text),
            Self::Timestamp(v) => match v.get(row) {
                Some(&t) if t != MISSING_TIME => Cell::Timestamp(t),
                _ => Cell::Missing,
            },
        }
    }

    /// The numbers of a number column.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] for any other kind.
    pub fn as_numbers(&self) -> Result<&[f64]> {
        match self {
            Self::Number(v) => Ok(v),
            other => Err(other.wrong(Kind::Number)),
        }
    }

    /// The codes and levels of a category column.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] for any other kind.
    pub fn as_categories(&self) -> Result<(&[u32], &Arc<Levels>)> {
        match self {
            Self::Category { codes, levels } => Ok((codes, levels)),
            other => Err(other.wrong(Kind::Category)),
        }
    }

    /// The values of a flag column.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] for any other kind.
    pub fn as_flags(&self) -> Result<&[Option<bool>]> {
        match self {
            Self::Flag(v) => Ok(v),
            other => Err(other.wrong(Kind::Flag)),
        }
    }

    /// The numbers of a number column for changing: in place if this is the only handle.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] for any other kind.
    pub fn make_numbers(&mut self) -> Result<&mut [f64]> {
        match self {
            Self::Number(v) => Ok(Arc::make_mut(v).as_mut_slice()),
            other => Err(other.wrong(Kind::Number)),
        }
    }

    /// The codes of a category column for changing: in place if this is the only handle.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] for any other kind.
    pub fn make_codes(&mut self) -> Result<&mut [u32]> {
        match self {
            Self::Category { codes, .. } => Ok(Arc::make_mut(codes).as_mut_slice()),
            other => Err(other.wrong(Kind::Category)),
        }
    }

    /// Puts cells in the place of values, each in its row: in place if this is the only handle. A cell of another kind is
    /// missing. Categories are refused: their codes mean nothing without levels.
    pub(crate) fn put(&mut self, changes: &[(usize, &Cell)]) -> Result<()> {
        fn each<V: Clone>(values: &mut Arc<Vec<V>>, changes: &[(usize, &Cell)], read: impl Fn(&Cell) -> V) {
            let values = Arc::make_mut(values);
            for &(row, cell) in changes {
                if let Some(value) = values.get_mut(row) {
                    *value = read(cell);
                }
            }
        }
        match self {
            Self::Number(v) => each(v, changes, |c| if let Cell::Number(x) = c { *x } else { f64::NAN }),
            Self::Flag(v) => each(v, changes, |c| if let Cell::Flag(b) = c { Some(*b) } else { None }),
            Self::Text(v) => each(v, changes, |c| if let Cell::Text(t) = c { Some(t.clone()) } else { None }),
            Self::Timestamp(v) => each(v, changes, |c| if let Cell::Timestamp(t) = c { *t } else { MISSING_TIME }),
            Self::Category { .. } => return Err(self.wrong(Kind::Text)),
        }
        Ok(())
    }

    /// Checks that every value is finite.
    ///
    /// # Errors
    /// [`DataError::MissingValues`] or [`DataError::NotFinite`]; [`SchemaError::WrongKind`] if these are no numbers.
    pub fn require_finite(&self) -> Result<&[f64]> {
        let values = self.as_numbers()?;
        let missing = values.iter().filter(|x| x.is_nan()).count();
        if missing > 0 {
            return Err(DataError::MissingValues { count: missing }.into());
        }
        match values.iter().position(|x| x.is_infinite()) {
            None => Ok(values),
            Some(first) => {
                let count = values.iter().filter(|x| x.is_infinite()).count();
                Err(DataError::NotFinite { count, first }.into())
            }
        }
    }

    fn wrong(&self, expected: Kind) -> crate::Error {
        SchemaError::WrongKind { expected, found: self.kind() }.into()
    }
}

/// Equal kinds and equal values; missing equals missing, and categories are compared by name, not by code.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|(x, y)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
            }
            (Self::Category { codes: a, levels: la }, Self::Category { codes: b, levels: lb }) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(&x, &y)| la.name(x) == lb.name(y))
            }
            (Self::Flag(a), Self::Flag(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_counts_takes_and_shows_missing() {
        for kind in [Kind::Number, Kind::Category, Kind::Flag, Kind::Text, Kind::Timestamp] {
            let column = Column::missing(kind, 3);
            assert_eq!((column.kind(), column.len(), column.missing_count()), (kind, 3, 3));
            assert_eq!(column.take(&[2, 2]).len(), 2);
            assert_eq!((column.cell(0), column.cell(9)), (Cell::Missing, Cell::Missing));
            assert_eq!(column, column.take(&[0, 1, 2]));
        }
    }

    #[test]
    fn a_sole_owner_changes_in_place_and_a_shared_one_copies() {
        let mut a = Column::numbers([1.0, 2.0]);
        let before = a.as_numbers().unwrap().as_ptr();
        a.make_numbers().unwrap()[0] = 5.0;
        assert_eq!(a.as_numbers().unwrap().as_ptr(), before);
        let b = a.clone();
        a.make_numbers().unwrap()[0] = 7.0;
        assert_eq!(b.as_numbers().unwrap()[0], 5.0);
    }

    #[test]
    fn categories_compare_by_name() {
        let a = Column::categories([Some("x"), Some("y")]);
        let b = Column::Category { codes: Arc::new(vec![1, 0]), levels: Arc::new(Levels::new(["y", "x"])) };
        assert_eq!(a, b);
    }
}
