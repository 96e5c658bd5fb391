//! The values of a column in their numeric form, read one by one where no matrix is worth its room.

use stagewise_core::column::{Column, MISSING_CODE};

/// The values of a number, flag or category column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    Numbers(&'a [f64]),
    Flags(&'a [Option<bool>]),
    /// Codes, and how many levels they count.
    Levels(&'a [u32], usize),
}

impl<'a> Values<'a> {
    /// Those of a column; absent for text and timestamps.
    pub(crate) fn of(column: &'a Column) -> Option<Self> {
        match column {
            Column::Number(values) => Some(Self::Numbers(values)),
            Column::Flag(values) => Some(Self::Flags(values)),
            Column::Category { codes, levels } => Some(Self::Levels(codes, levels.len())),
            _ => None,
        }
    }

    /// A value as models see it; missing is NaN.
    pub(crate) fn at(self, row: u32) -> f64 {
        match self {
            Self::Numbers(values) => values[row as usize],
            Self::Flags(values) => values[row as usize].map_or(f64::NAN, |flag| f64::from(u8::from(flag))),
            Self::Levels(codes, _) => match codes[row as usize] {
                MISSING_CODE => f64::NAN,
                code => f64::from(code),
            },
        }
    }
}
