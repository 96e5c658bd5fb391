//! The row path: one row at a time, with buffers that are used again.

use super::contract::Admission;
use super::fitted::FittedPipeline;
use crate::error::{At, Crumb, Result};
use crate::matrix::known_levels;
use crate::record::{Cell, RawCell};
use crate::task::Task;

/// Scores single rows. One per thread; the pipeline behind it is shared.
///
/// Every answer equals the batch path's bit for bit.
pub struct Scorer<T: Task> {
    pipeline: FittedPipeline<T>,
    /// Per column that reaches the model, the number of a level not seen in training.
    unseen: Vec<f64>,
    /// Whether any step does what was decided about values.
    decides: bool,
    row: Vec<Cell>,
    next: Vec<Cell>,
    values: Vec<f64>,
    admission: Admission,
}

impl<T: Task> Scorer<T> {
    pub(super) fn new(pipeline: FittedPipeline<T>) -> Self {
        let unseen = pipeline
            .features()
            .fields()
            .iter()
            .map(|f| known_levels(f.levels.as_ref().map_or(0, |l| l.len())))
            .collect();
        let decides = pipeline.steps().iter().any(|(_, step)| step.decides());
        Self {
            pipeline,
            unseen,
            decides,
            row: Vec::new(),
            next: Vec::new(),
            values: Vec::new(),
            admission: Admission::default(),
        }
    }

    /// The pipeline.
    pub fn pipeline(&self) -> &FittedPipeline<T> {
        &self.pipeline
    }

    /// The answer of a record: names and values in any order; fastest in the contract's.
    ///
    /// # Errors
    /// Columns that are not there or cannot be cast, and whatever a stage gives.
    pub fn score(&mut self, record: &[(&str, RawCell<'_>)]) -> Result<T::RowOutput> {
        let at = || Crumb::operation("score");
        self.pipeline.contract().admit_row(record, &mut self.row, &mut self.admission).at(at)?;
        self.answer().at(at)
    }

    /// The answer of a row that already passed the door: the cells of the contract's columns in order.
    ///
    /// # Errors
    /// Whatever a stage gives.
    pub fn score_cells(&mut self, cells: &[Cell]) -> Result<T::RowOutput> {
        self.row.clear();
        self.row.extend_from_slice(cells);
        self.answer().at(|| Crumb::operation("score"))
    }

    fn answer(&mut self) -> Result<T::RowOutput> {
        for (name, step) in self.pipeline.steps() {
            self.next.clear();
            if self.decides {
                let admission = &mut self.admission;
                step.decided_row(&self.row, &mut |column, value| admission.decide(column, value, 1));
            }
            step.transform_row(&self.row, &mut self.next).at(|| Crumb::step(name, step.tag()))?;
            std::mem::swap(&mut self.row, &mut self.next);
        }
        self.values.clear();
        // Text and time never reach a model: the fit refused them.
        self.values
            .extend(self.row.iter().zip(&self.unseen).map(|(cell, &unseen)| cell.value(unseen).unwrap_or(f64::NAN)));
        let model = self.pipeline.model();
        let answer = model.predict_row(&self.values).at(|| Crumb::step("model", model.tag()))?;
        match self.pipeline.calibrate() {
            None => Ok(answer),
            Some(calibrate) => calibrate.calibrate_row(answer).at(|| Crumb::step("calibrate", calibrate.tag())),
        }
    }

    /// What was counted at the door and by decisions about values since the last call; the counts begin again.
    pub fn take_admission(&mut self) -> Admission {
        std::mem::take(&mut self.admission)
    }
}
