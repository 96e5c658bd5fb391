//! Features of the past at serving: told of every event as it comes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::persist::Persist;

use super::history::{Asked, History};

/// The pasts of all entities so far, as [`Series`](super::Series) asks for them.
///
/// It is saved and loaded with what it knows. Memory: per entity the events that some window still reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSeries {
    asked: Vec<Asked>,
    width: usize,
    live_for: Option<i64>,
    entities: HashMap<String, History>,
}

impl Persist for LiveSeries {
    const TAG: &'static str = "LiveSeries";
}

impl LiveSeries {
    pub(super) fn new(asked: Vec<Asked>, width: usize, live_for: Option<i64>) -> Self {
        Self { asked, width, live_for, entities: HashMap::new() }
    }

    /// Takes an event: a value for each of [`Series::columns`](super::Series::columns), NaN where there is none. `O(width)`
    /// in the mean.
    ///
    /// # Errors
    /// [`DataError::Length`]; [`ParameterError`] for an event before one of its entity that was told already: it would have
    /// changed answers that were given.
    pub fn push(&mut self, entity: &str, moment: i64, values: &[f64]) -> Result<()> {
        let history = self.entities.entry(entity.to_string()).or_insert_with(|| History::new(&self.asked));
        push(history, &self.asked, self.width, moment, values)
    }

    /// The features of an entity at a moment, in the order of [`Series::names`](super::Series::names); NaN for one without a
    /// value. Of an entity never heard of nothing is known.
    ///
    /// # Errors
    /// [`ParameterError`] for a moment that is not after the last event: its past is no longer known apart.
    pub fn at(&self, entity: &str, moment: i64) -> Result<Vec<f64>> {
        let nobody = History::new(&self.asked);
        at(self.entities.get(entity).unwrap_or(&nobody), &self.asked, moment, self.live_for)
    }

    /// How many entities were heard of.
    pub fn entities(&self) -> usize {
        self.entities.len()
    }

    /// The moment of the last event of an entity.
    pub fn last(&self, entity: &str) -> Option<i64> {
        self.entities.get(entity)?.last()
    }
}

/// Takes an event into a history if it may.
pub(crate) fn push(history: &mut History, asked: &[Asked], width: usize, moment: i64, values: &[f64]) -> Result<()> {
    if values.len() != width {
        let what = "values of an event".to_string();
        return Err(DataError::Length { what, expected: width, found: values.len() }.into());
    }
    let in_order = history.last().is_none_or(|last| last <= moment);
    ParameterError::check(in_order, "moment", moment, "not before the last event of the entity")?;
    history.push(asked, moment, values);
    Ok(())
}

/// The features by a history if they are still known.
pub(crate) fn at(history: &History, asked: &[Asked], moment: i64, live_for: Option<i64>) -> Result<Vec<f64>> {
    let is_after = history.last().is_none_or(|last| last < moment);
    ParameterError::check(is_after, "moment", moment, "after the last event of the entity")?;
    Ok(history.values(asked, moment, live_for))
}

#[cfg(test)]
mod tests {
    use crate::series::{Past, Series, Statistic, Window};

    #[test]
    fn the_past_does_not_change() {
        let series = Series::new("who", "at").feature("sum", "x", Past::Expanding(Statistic::Sum));
        let mut live = series.live().unwrap();
        live.push("a", 10, &[1.0]).unwrap();
        live.push("a", 10, &[2.0]).unwrap();
        assert!(live.push("a", 9, &[1.0]).unwrap_err().to_string().contains("moment"));
        assert!(live.at("a", 10).unwrap_err().to_string().contains("moment"));
        assert_eq!(live.at("a", 11).unwrap(), [3.0]);
        assert_eq!(live.at("nobody", 0).unwrap(), [0.0]);
        assert!(live.push("a", 11, &[]).unwrap_err().to_string().contains("values of an event"));
        assert_eq!((live.entities(), live.last("a")), (1, Some(10)));
    }

    #[test]
    fn what_no_window_reaches_is_forgotten() {
        let series = Series::new("who", "at").feature("n", "x", Past::Rolling(Window::Micros(5), Statistic::Count));
        let mut live = series.live().unwrap();
        (0..1000).for_each(|at| live.push("a", at, &[1.0]).unwrap());
        assert_eq!(live.at("a", 1000).unwrap(), [5.0]);
        assert!(format!("{live:?}").len() < 2000);
    }
}
