//! What features add to scores, as a result.

use ndarray::{Array3, Axis};
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_core::matrix::Features;
use stagewise_core::schema::{Kind, Schema};

use super::importance::Importance;
use super::swarm::swarm;

/// Outputs whose swarm is shown.
const OUTPUTS: usize = 6;

/// What each feature adds to the scores of rows, before the link.
///
/// `values` is `rows × outputs × (p + 1)`; the last column is the bias, the same in every row. Each row of an output adds up
/// to its score.
#[derive(Debug, Clone)]
pub struct Contributions {
    explained: Features,
    names: Vec<String>,
    /// The explained column whose order colours a name; none where it has no order or several columns were added up.
    shade: Vec<Option<usize>>,
    bias: Vec<f64>,
    values: Array3<f64>,
}

impl Contributions {
    pub(super) fn new(explained: Features, bias: Vec<f64>, values: Array3<f64>) -> Self {
        let fields = explained.schema().fields();
        let names = fields.iter().map(|field| field.name.to_string()).collect();
        let shade = fields.iter().enumerate().map(|(at, field)| (field.kind != Kind::Category).then_some(at)).collect();
        Self { explained, names, shade, bias, values }
    }

    /// What terms add: `names` and `shade` have an item for each but the bias.
    pub(in crate::tree) fn of_terms(
        explained: Features,
        names: Vec<String>,
        shade: Vec<Option<usize>>,
        bias: Vec<f64>,
        values: Array3<f64>,
    ) -> Self {
        Self { explained, names, shade, bias, values }
    }

    /// The features, in the order of the columns of `values`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The mean score that contributions are added to, one value for each output.
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// The contributions, `rows × outputs × (p + 1)` with the bias last.
    pub fn values(&self) -> &Array3<f64> {
        &self.values
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.values.len_of(Axis(0))
    }

    /// How many outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The mean absolute contribution of each feature over rows, added up over outputs; 0 without rows.
    pub fn importance(&self) -> Importance {
        let rows = self.rows().max(1) as f64;
        let of = |at: usize| self.values.index_axis(Axis(2), at).iter().map(|value| value.abs()).sum::<f64>() / rows;
        let items = self.names.iter().enumerate().map(|(at, name)| (name.clone(), of(at))).collect();
        Importance::new("mean absolute contribution", items)
    }

    /// The same by raw column: contributions of all columns that were made from one are added up.
    ///
    /// `schema` is that of the explained columns, as a fitted pipeline carries it; their `origin` says where they come
    /// from. What a column made from several raw ones adds cannot be told apart, so those stand together as `a & b`. The
    /// order is that of their first appearance. Sums of Shapley values, not Shapley values of the raw columns; each row
    /// still adds up to its score.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError) for an explained column that the schema lacks.
    pub fn by_origin(&self, schema: &Schema) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut shade: Vec<Option<usize>> = Vec::new();
        let mut place = Vec::with_capacity(self.names.len());
        for (name, of) in self.names.iter().zip(&self.shade) {
            let field = &schema.fields()[schema.require(name)?];
            let origin = field.origin.join(" & ");
            let at = names.iter().position(|known| *known == origin);
            place.push(at.unwrap_or(names.len()));
            match at {
                Some(at) => shade[at] = None,
                None => {
                    names.push(origin);
                    shade.push(*of);
                }
            }
        }
        place.push(names.len());
        let mut values = Array3::zeros((self.rows(), self.outputs(), names.len() + 1));
        for (from, &to) in place.iter().enumerate() {
            let mut sum = values.index_axis_mut(Axis(2), to);
            sum += &self.values.index_axis(Axis(2), from);
        }
        Ok(Self { explained: self.explained.clone(), names, shade, bias: self.bias.clone(), values })
    }

    /// The values of the column that colours a feature; missing ones are NaN.
    pub(super) fn shading(&self, feature: usize) -> Option<Vec<f64>> {
        self.shade[feature].map(|column| self.explained.matrix().column(column).to_vec())
    }
}

impl Exhibit for Contributions {
    /// Importances, and for each output, at most 6, the contributions of rows as a swarm.
    fn exhibit(&self) -> Section {
        let bias: Vec<String> = self.bias.iter().map(|&bias| number(bias)).collect();
        let mut section = Section::new("Contributions").block(Block::Facts(vec![
            ("rows".into(), self.rows().to_string()),
            ("mean score (bias)".into(), bias.join(", ")),
        ]));
        section.blocks.extend(self.importance().exhibit().blocks);
        for output in 0..self.outputs().min(OUTPUTS) {
            section = section.block(Block::Chart(swarm(self, output)));
        }
        if self.outputs() > OUTPUTS {
            section = section.text(format!("{} more outputs are not shown.", self.outputs() - OUTPUTS));
        }
        section
    }
}
