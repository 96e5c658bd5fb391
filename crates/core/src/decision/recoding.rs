//! What decisions make of a category: its levels afterwards, and what each code becomes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Decided, Remedy};
use crate::column::{Column, MISSING_CODE};
use crate::columns::wrong_cell;
use crate::error::{Result, SchemaError};
use crate::record::Cell;
use crate::schema::{Kind, Levels};

/// What decisions make of the levels of a column, learned once.
///
/// A level that is mapped away, missing or refused leaves the levels; the others keep their order, and what levels are mapped
/// to comes behind them if it is new. Later levels, with codes past the end of those known, meet the decisions by name: one
/// that is mapped to a level gets its code, one that stays is as unseen as it was.
///
/// ```
/// use std::collections::BTreeMap;
/// use stagewise_core::decision::{Decided, Recoding, Remedy};
/// use stagewise_core::record::Cell;
/// use stagewise_core::schema::{Kind, Levels};
///
/// let decisions = BTreeMap::from([("Prro".to_string(), Remedy::Map("pro".into()).into())]);
/// let decided = Decided::new(Kind::Category, &decisions)?;
/// let recoding = Recoding::new(&decided, &Levels::new(["basic", "pro"]));
/// assert_eq!(recoding.cell(&decided, &Cell::NewLevel("Prro".into()))?, Cell::Level(1));
/// assert_eq!(recoding.cell(&decided, &Cell::NewLevel("gold".into()))?, Cell::NewLevel("gold".into()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recoding {
    /// The levels afterwards.
    levels: Arc<Levels>,
    /// What each code becomes; missing where its row is refused.
    codes: Vec<u32>,
    /// The place of the decision that each code meets.
    places: Vec<Option<usize>>,
}

impl Recoding {
    /// What the decisions make of these levels. `O(levels log decisions)`.
    pub fn new(decided: &Decided, levels: &Levels) -> Self {
        let places: Vec<Option<usize>> = levels.iter().map(|name| decided.named(name)).collect();
        let remedies = || places.iter().map(|place| place.and_then(|place| decided.remedy(place)));
        let stays = |remedy: Option<&Remedy>| matches!(remedy, None | Some(Remedy::NewLevel));
        let kept = levels.iter().zip(remedies()).filter(|(_, remedy)| stays(*remedy)).map(|(name, _)| name.clone());
        let mut after = Levels::new(kept);
        let codes = levels.iter().zip(remedies()).map(|(name, remedy)| became(name, remedy, &mut after)).collect();
        Self { levels: Arc::new(after), codes, places }
    }

    /// The levels afterwards.
    pub fn levels(&self) -> &Arc<Levels> {
        &self.levels
    }

    /// A category column after its decisions: its codes mean the levels that this was learned from, and perhaps more behind
    /// them. A value whose row is refused becomes missing. `O(rows + levels log decisions)`, in place if nobody else holds
    /// the codes.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`].
    pub fn column(&self, decided: &Decided, column: Column) -> Result<Column> {
        let Column::Category { mut codes, levels: own } = column else {
            return Err(SchemaError::WrongKind { expected: Kind::Category, found: column.kind() }.into());
        };
        let mut after = self.levels.clone();
        let mut map: Vec<u32> = self.codes.iter().copied().take(own.len()).collect();
        for name in own.iter().skip(map.len()) {
            let remedy = decided.named(name).and_then(|place| decided.remedy(place));
            map.push(became(name, remedy, Arc::make_mut(&mut after)));
        }
        let is_same = map.iter().zip(0..).all(|(&code, place)| code == place);
        if !is_same {
            let codes = Arc::make_mut(&mut codes);
            codes.iter_mut().for_each(|code| *code = map.get(*code as usize).copied().unwrap_or(MISSING_CODE));
        }
        Ok(Column::Category { codes, levels: after })
    }

    /// The place of the decision that a cell meets.
    pub fn place(&self, decided: &Decided, cell: &Cell) -> Option<usize> {
        match cell {
            Cell::Level(code) => self.places.get(*code as usize).copied().flatten(),
            _ => decided.place(cell),
        }
    }

    /// A cell of a category after its decision. Allocates nothing.
    ///
    /// # Errors
    /// [`DataError::Rejected`](crate::error::DataError); [`SchemaError::WrongKind`].
    pub fn cell(&self, decided: &Decided, cell: &Cell) -> Result<Cell> {
        let known = self.codes.len() as u32;
        match cell {
            Cell::Missing => Ok(Cell::Missing),
            Cell::Level(code) if *code < known => {
                match self.place(decided, cell).filter(|&place| decided.refuses(place)) {
                    Some(place) => Err(decided.refused(place)),
                    None => Ok(match self.codes.get(*code as usize) {
                        Some(&code) if code != MISSING_CODE => Cell::Level(code),
                        _ => Cell::Missing,
                    }),
                }
            }
            // Without a name it can meet no decision; it stays past the end of the levels.
            Cell::Level(code) => Ok(Cell::Level((self.levels.len() as u32).saturating_add(code - known))),
            Cell::NewLevel(name) => {
                let cell = decided.decided(decided.named(name), || cell.clone())?;
                Ok(match &cell {
                    Cell::NewLevel(name) => self.levels.code(name).map_or(cell, Cell::Level),
                    _ => cell,
                })
            }
            other => Err(wrong_cell(Kind::Category, other)),
        }
    }
}

/// The code of a level after its remedy; a level that is new is added.
fn became(name: &str, remedy: Option<&Remedy>, after: &mut Levels) -> u32 {
    match remedy {
        Some(Remedy::Map(to)) => after.intern(to),
        Some(Remedy::Missing | Remedy::Reject) => MISSING_CODE,
        None | Some(Remedy::NewLevel) => after.intern(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(decisions: &[(&str, Remedy)]) -> Decided {
        Decided::new(Kind::Category, &decisions.iter().map(|(v, r)| ((*v).to_string(), r.clone().into())).collect())
            .unwrap()
    }

    fn map(to: &str) -> Remedy {
        Remedy::Map(to.into())
    }

    #[test]
    fn both_paths_agree_on_known_and_on_later_levels() {
        let decided = decided(&[
            ("a", map("b")),
            ("b", map("c")),
            ("d", Remedy::Missing),
            ("later", map("k")),
            ("wrong", Remedy::Missing),
            ("kept", Remedy::NewLevel),
            ("both", map("nowhere")),
        ]);
        let known = Levels::new(["a", "b", "d", "k"]);
        let recoding = Recoding::new(&decided, &known);
        // `a` is mapped to `b` and no further, though `b` itself is mapped away.
        assert_eq!(recoding.levels().to_strings(), ["k", "b", "c"]);
        let names = ["a", "b", "d", "k", "later", "wrong", "kept", "both", "free", "c", "nowhere"];
        let levels = Arc::new(Levels::new(names));
        let codes: Vec<u32> = (0..levels.len() as u32).chain([MISSING_CODE]).collect();
        let column = Column::Category { codes: Arc::new(codes), levels: levels.clone() };
        let after = recoding.column(&decided, column).unwrap();
        let expected = Column::categories([
            Some("b"),
            Some("c"),
            None,
            Some("k"),
            Some("k"),
            None,
            Some("kept"),
            Some("nowhere"),
            Some("free"),
            Some("c"),
            Some("nowhere"),
            None,
        ]);
        assert_eq!(after, expected);
        let (codes, grown) = after.as_categories().unwrap();
        assert!(grown.extends(recoding.levels()));
        for (row, name) in levels.iter().enumerate() {
            let cell = known.code(name).map_or_else(|| Cell::NewLevel(name.clone()), Cell::Level);
            let single = match recoding.cell(&decided, &cell).unwrap() {
                Cell::Level(code) => code,
                Cell::NewLevel(name) => grown.code(&name).unwrap(),
                _ => MISSING_CODE,
            };
            assert_eq!(single, codes[row], "{name}");
        }
        assert_eq!(recoding.cell(&decided, &Cell::Level(6)).unwrap(), Cell::Level(5));
        assert_eq!(recoding.cell(&decided, &Cell::Missing).unwrap(), Cell::Missing);
        assert!(recoding.cell(&decided, &Cell::Number(1.0)).is_err());
    }

    #[test]
    fn a_refused_level_is_an_error_known_or_not() {
        let decided = decided(&[("a", Remedy::Reject), ("z", Remedy::Reject)]);
        let recoding = Recoding::new(&decided, &Levels::new(["a", "b"]));
        assert_eq!(recoding.levels().to_strings(), ["b"]);
        for (cell, name) in [(Cell::Level(0), "a"), (Cell::NewLevel("z".into()), "z")] {
            let error = recoding.cell(&decided, &cell).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{name}` is rejected by a decision")), "{error}");
        }
        assert_eq!(recoding.cell(&decided, &Cell::Level(1)).unwrap(), Cell::Level(0));
    }

    #[test]
    fn codes_that_stay_are_not_copied_and_no_levels_are_no_harm() {
        let decided = decided(&[("z", Remedy::Missing)]);
        let recoding = Recoding::new(&decided, &Levels::new(["a", "b"]));
        let column = Column::categories([Some("a"), Some("b"), None]);
        let after = recoding.column(&decided, column.clone()).unwrap();
        assert_eq!(after.as_categories().unwrap().0.as_ptr(), column.as_categories().unwrap().0.as_ptr());
        let empty = Column::missing(Kind::Category, 2);
        assert_eq!(recoding.column(&decided, empty.clone()).unwrap(), empty);
    }
}
