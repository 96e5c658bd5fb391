//! What pairs of features add, as a result.

use ndarray::{Array2, Array4, Axis};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section};

/// Pairs in a chart.
const SHOWN: usize = 20;

/// Interactions of features, of rows, in units of the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    names: Vec<String>,
    bias: Vec<f64>,
    values: Array4<f64>,
}

impl Interactions {
    pub(super) fn new(names: Vec<String>, bias: Vec<f64>, values: Array4<f64>) -> Self {
        Self { names, bias, values }
    }

    /// The features.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the interactions are added to, one value for each output.
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// The interactions, `rows × outputs × p × p`: symmetric, their rows add up to the contributions of the features.
    pub fn values(&self) -> &Array4<f64> {
        &self.values
    }

    /// The mean absolute interactions over rows, added up over outputs, `p × p`; 0 without rows.
    pub fn mean_absolute(&self) -> Array2<f64> {
        let rows = self.values.len_of(Axis(0)).max(1) as f64;
        self.values.mapv(f64::abs).sum_axis(Axis(0)).sum_axis(Axis(0)) / rows
    }
}

impl Exhibit for Interactions {
    /// The pairs with the largest mean absolute interaction, at most 20, both halves of a pair together.
    fn exhibit(&self) -> Section {
        let mean = self.mean_absolute();
        let p = self.names.len();
        let pairs = (0..p).flat_map(|i| (i + 1..p).map(move |j| (i, j)));
        let mut items: Vec<(String, f64)> = pairs
            .map(|(i, j)| (format!("{} × {}", self.names[i], self.names[j]), 2.0 * mean[[i, j]]))
            .filter(|item| item.1 > 0.0)
            .collect();
        items.sort_by(|a, b| b.1.total_cmp(&a.1));
        items.truncate(SHOWN);
        let title = "mean absolute interaction, in units of the score".to_string();
        Section::new("Interactions").block(Block::Chart(Chart::Bars { title, items, mark: None }))
    }
}
