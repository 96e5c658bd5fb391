//! The learned forest: scores, flags, and why.

use std::sync::Arc;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::columns::{require_cells, require_columns, wrong_cell};
use stagewise_core::error::{Crumb, Error, PipelineError, Result};
use stagewise_core::matrix::Features;
use stagewise_core::persist::Persist;
use stagewise_core::pipeline::InputContract;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{Predict, Transform};
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_numeric::exp::exp;

use super::with_added;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::explain::contribution::Contributions;

/// A learned [`IsolationForest`](crate::IsolationForest).
///
/// Its trees answer the mean length of a row's ways. Batch and row path agree to the bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct FittedIsolationForest {
    input: Arc<Schema>,
    output: Arc<Schema>,
    looked_at: Vec<usize>,
    trees: TreeEnsemble,
    usual: f64,
    score: Option<String>,
    flag: Option<(String, f64)>,
}

/// What is saved; checked when it is read.
#[derive(Serialize, Deserialize)]
struct Stored {
    input: Arc<Schema>,
    looked_at: Vec<usize>,
    trees: TreeEnsemble,
    usual: f64,
    score: Option<String>,
    flag: Option<(String, f64)>,
}

impl FittedIsolationForest {
    pub(super) fn of(
        input: Arc<Schema>,
        looked_at: Vec<usize>,
        trees: TreeEnsemble,
        usual: f64,
        score: Option<String>,
        flag: Option<(String, f64)>,
    ) -> Result<Self> {
        let names: Option<Vec<&str>> =
            looked_at.iter().map(|&at| input.fields().get(at).map(|field| field.name.as_ref())).collect();
        let fits = names.is_some_and(|names| trees.features().iter().map(String::as_str).eq(names))
            && trees.outputs() == 1
            && usual >= 1.0
            && flag.as_ref().is_none_or(|(_, threshold)| threshold.is_finite());
        if !fits {
            let declared = "trees over the columns of an isolation forest".to_string();
            return Err(PipelineError::BrokenPromise { declared, found: "others".into() }.into());
        }
        let output = with_added(&input, &looked_at, score.as_deref(), flag.as_ref().map(|(name, _)| name.as_str()))?;
        Ok(Self { input, output, looked_at, trees, usual, score, flag })
    }

    /// The same forest that also flags rows of a score above `threshold`.
    pub(super) fn flagged(self, name: String, threshold: f64) -> Result<Self> {
        let Self { input, looked_at, trees, usual, score, .. } = self;
        Self::of(input, looked_at, trees, usual, score, Some((name, threshold)))
    }

    /// The score of each row of a table: columns are found by name and cast, as at the door of a pipeline.
    ///
    /// # Errors
    /// Columns that are not there or cannot be cast.
    pub fn scores(&self, table: &Table) -> Result<Array1<f64>> {
        self.score_all(&self.features(table)?)
    }

    /// What each column adds to the mean length of each row's ways: Shapley values along the paths of the rows that the
    /// trees drew. A negative value shortens it: that column makes the row odd.
    ///
    /// # Errors
    /// As for [`scores`](Self::scores).
    pub fn contributions(&self, table: &Table) -> Result<Contributions> {
        self.trees.contributions(&self.features(table)?)
    }

    /// The trees, which answer the mean length of a row's ways.
    pub fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }

    /// The average length `c(ψ)` that the mean length is measured by.
    pub fn usual_path(&self) -> f64 {
        self.usual
    }

    /// The score above which a row is flagged, if rows are flagged.
    pub fn threshold(&self) -> Option<f64> {
        self.flag.as_ref().map(|(_, threshold)| *threshold)
    }

    /// The columns looked at, of any table that has them.
    fn features(&self, table: &Table) -> Result<Features> {
        let fields = self.looked_at.iter().map(|&at| self.input.fields()[at].clone()).collect();
        let (table, _) = InputContract::new(Arc::new(Schema::new(fields)?)).admit(table)?;
        Features::new(table)
    }

    fn score_all(&self, features: &Features) -> Result<Array1<f64>> {
        Ok(Predict::<Regression>::predict(&self.trees, features)?.mapv(|length| self.score(length)))
    }

    /// `2^(−length / usual)`.
    fn score(&self, length: f64) -> f64 {
        exp(-std::f64::consts::LN_2 * (length / self.usual))
    }
}

/// The number of a cell as the trees see it; every new level is the one past the end.
fn value(field: &Field, cell: &Cell) -> Result<f64> {
    let fits = matches!(
        (field.kind, cell),
        (_, Cell::Missing)
            | (Kind::Number, Cell::Number(_))
            | (Kind::Flag, Cell::Flag(_))
            | (Kind::Category, Cell::Level(_) | Cell::NewLevel(_))
    );
    let unseen = field.levels.as_ref().map_or(0, |levels| levels.len()) as f64;
    match cell.value(unseen) {
        Some(x) if fits => Ok(if field.kind == Kind::Category { x.min(unseen) } else { x }),
        _ => Err(wrong_cell(field.kind, cell).at(Crumb::column(field.name.as_ref()))),
    }
}

impl Persist for FittedIsolationForest {
    const TAG: &'static str = "FittedIsolationForest";
}

impl Transform for FittedIsolationForest {
    fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    fn output(&self) -> &Arc<Schema> {
        &self.output
    }

    fn transform(&self, features: Table) -> Result<Table> {
        require_columns(&self.input, &features)?;
        let rows = features.rows();
        // Under the fields of training, which say what the codes mean.
        let features = features.relabelled(self.input.clone())?;
        let scores = self.score_all(&Features::new(features.select(&self.looked_at)?)?)?.to_vec();
        let (_, mut columns) = features.into_parts();
        let flags = self.flag.as_ref().map(|(_, threshold)| {
            Column::flags(scores.iter().map(|score| Some(score > threshold)).collect::<Vec<_>>())
        });
        columns.extend(self.score.is_some().then(|| Column::numbers(scores)));
        columns.extend(flags);
        Table::sized(self.output.clone(), columns, rows)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        require_cells(&self.input, row)?;
        let numbers: Result<Vec<f64>> =
            self.looked_at.iter().map(|&at| value(&self.input.fields()[at], &row[at])).collect();
        let score = self.score(Predict::<Regression>::predict_row(&self.trees, &numbers?)?);
        out.extend_from_slice(row);
        out.extend(self.score.as_ref().map(|_| Cell::Number(score)));
        out.extend(self.flag.as_ref().map(|(_, threshold)| Cell::Flag(score > *threshold)));
        Ok(())
    }
}

impl From<FittedIsolationForest> for Stored {
    fn from(forest: FittedIsolationForest) -> Self {
        let FittedIsolationForest { input, output: _, looked_at, trees, usual, score, flag } = forest;
        Self { input, looked_at, trees, usual, score, flag }
    }
}

impl TryFrom<Stored> for FittedIsolationForest {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let Stored { input, looked_at, trees, usual, score, flag } = stored;
        Self::of(input, looked_at, trees, usual, score, flag)
    }
}
