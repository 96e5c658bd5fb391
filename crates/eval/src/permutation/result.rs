//! What shuffling showed, column by column.

use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::metric::Direction;
use stagewise_numeric::sum::{Moments, exact_sum};

/// Columns in a chart.
const SHOWN: usize = 30;

/// How much worse a metric gets without what each raw column, or group of columns, says.
#[derive(Debug, Clone, PartialEq)]
pub struct PermutationImportance {
    metric: String,
    direction: Direction,
    baseline: f64,
    items: Vec<PermutedColumns>,
}

/// What shuffling some columns did.
#[derive(Debug, Clone, PartialEq)]
pub struct PermutedColumns {
    name: String,
    columns: Vec<String>,
    drops: Vec<f64>,
}

impl PermutedColumns {
    pub(super) fn new(name: String, columns: Vec<String>, drops: Vec<f64>) -> Self {
        Self { name, columns, drops }
    }

    /// The name of the column or of the group.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns that were shuffled together.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// By how much the metric got worse in each repeat; below 0 where it got better.
    pub fn drops(&self) -> &[f64] {
        &self.drops
    }

    /// The mean drop: the importance.
    pub fn mean(&self) -> f64 {
        exact_sum(&self.drops) / self.drops.len() as f64
    }

    /// The standard deviation of the drops, with one less than there are repeats below the line; none for one repeat. It
    /// says how much shuffles differ, not how much other rows would.
    pub fn deviation(&self) -> Option<f64> {
        let mut moments = Moments::new();
        moments.extend(&self.drops);
        moments.variance(1.0).map(f64::sqrt)
    }
}

impl PermutationImportance {
    pub(super) fn new(metric: String, direction: Direction, baseline: f64, items: Vec<PermutedColumns>) -> Self {
        Self { metric, direction, baseline, items }
    }

    /// The name of the metric.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// Which way the metric is better.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The score of the rows as they are.
    pub fn baseline(&self) -> f64 {
        self.baseline
    }

    /// Groups in the order given, then columns in the order of the data.
    pub fn items(&self) -> &[PermutedColumns] {
        &self.items
    }

    /// The result for a column or a group.
    pub fn of(&self, name: &str) -> Option<&PermutedColumns> {
        self.items.iter().find(|item| item.name == name)
    }

    /// The same, most important first; equal ones in the order before.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.items.sort_by(|a, b| b.mean().total_cmp(&a.mean()));
        self
    }
}

impl Exhibit for PermutationImportance {
    /// The mean drops of at most 30 columns as bars, and with several repeats what each shuffle did, as a table.
    fn exhibit(&self) -> Section {
        let mut items = self.clone().sorted().items;
        let rest = items.len().saturating_sub(SHOWN);
        items.truncate(SHOWN);
        let bars = items.iter().map(|item| (item.name.clone(), item.mean())).collect();
        let title = format!("how much worse {} gets with the values shuffled", self.metric);
        let cells = |item: &PermutedColumns| {
            let deviation = item.deviation().map_or_else(|| "–".to_string(), number);
            vec![item.name.clone(), item.columns.join(", "), number(item.mean()), deviation]
        };
        let section = Section::new("Permutation importance")
            .block(Block::Facts(vec![(format!("{} as it is", self.metric), number(self.baseline))]))
            .block(Block::Chart(Chart::Bars { title, items: bars, mark: None }))
            .block(Block::Table {
                columns: ["name", "columns", "mean drop", "deviation of shuffles"].map(Into::into).to_vec(),
                rows: items.iter().map(cells).collect(),
            });
        if rest == 0 { section } else { section.text(format!("{rest} less important columns are not shown.")) }
    }
}
