//! What telling the sides of a split apart has shown.

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

use crate::interval::Interval;

/// Columns in a chart.
const SHOWN: usize = 15;

/// How well the sides of a split are told apart, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adversarial {
    auc: Interval,
    columns: Vec<TellingColumn>,
    train_rows: usize,
    validation_rows: usize,
}

/// What a column gives away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TellingColumn {
    /// The name of the column.
    pub name: String,
    /// By how much the area under the ROC curve shrinks with its values shuffled, the mean over folds.
    pub drop: f64,
}

impl Adversarial {
    /// The columns come out with those that tell most first; equal ones in the order given.
    pub(super) fn new(
        auc: Interval,
        mut columns: Vec<TellingColumn>,
        train_rows: usize,
        validation_rows: usize,
    ) -> Self {
        columns.sort_by(|a, b| b.drop.total_cmp(&a.drop));
        Self { auc, columns, train_rows, validation_rows }
    }

    /// The area under the ROC curve of the side, by models that have not seen the row, with its interval: 0.5 where nothing
    /// tells the sides apart, 1 where every row can be told.
    pub fn auc(&self) -> &Interval {
        &self.auc
    }

    /// The columns, those that tell most first.
    pub fn columns(&self) -> &[TellingColumn] {
        &self.columns
    }

    /// Whether the sides differ: the whole interval lies above 0.5.
    pub fn differs(&self) -> bool {
        self.auc.low > 0.5
    }
}

impl Exhibit for Adversarial {
    /// The area and its interval, and the columns that tell most as bars.
    fn exhibit(&self) -> Section {
        let facts = vec![
            ("rows that learn".to_string(), self.train_rows.to_string()),
            ("rows that judge".into(), self.validation_rows.to_string()),
            ("area under the ROC curve of the side".into(), self.auc.to_string()),
        ];
        let bars = self.columns.iter().take(SHOWN).map(|column| (column.name.clone(), column.drop)).collect();
        let title = "how much worse the sides are told apart with the values shuffled".to_string();
        let section = Section::new("Sides of the split").block(Block::Facts(facts)).block(Block::Chart(Chart::Bars {
            title,
            items: bars,
            mark: None,
        }));
        match self.columns.first().filter(|_| self.differs()) {
            None => section.text("Nothing here tells the sides apart."),
            Some(first) => section.block(Block::Warning(format!(
                "the sides differ, most of all by `{}` ({}): scores are judged on other rows than those learned from; meant \
                 in a split by time or group, and otherwise a sign of a column that gives the side away",
                first.name,
                number(first.drop)
            ))),
        }
    }
}
