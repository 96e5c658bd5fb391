//! What confident learning found, for a person to look at.

use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_numeric::rank::order;

use super::SuspectOrder;
use super::joint::{Joint, likeliest};

/// Labels that are likely wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelErrors {
    names: Vec<String>,
    joint: Joint,
    suspects: Vec<Suspect>,
    self_confidence: Vec<f64>,
    margin: Vec<f64>,
}

/// A row whose label is likely wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The row of the data that was cross-validated.
    pub row: usize,
    /// The class that it was given.
    pub given: String,
    /// The likeliest class.
    pub likely: String,
    /// The probability of the class that it was given.
    pub self_confidence: f64,
    /// `(p_given − max p_other + 1) / 2`.
    pub margin: f64,
}

impl LabelErrors {
    pub(super) fn new(
        by: SuspectOrder,
        given: &[usize],
        rows: &[Vec<f64>],
        names: Vec<String>,
        joint: Joint,
        suspect: &[bool],
    ) -> Self {
        let self_confidence: Vec<f64> = rows.iter().zip(given).map(|(row, &given)| row[given]).collect();
        let margin: Vec<f64> = rows
            .iter()
            .zip(given)
            .map(|(row, &given)| {
                let others = row.iter().enumerate().filter(|(class, _)| *class != given).map(|(_, &p)| p);
                (row[given] - others.fold(0.0, f64::max) + 1.0) / 2.0
            })
            .collect();
        let of: Vec<usize> = (0..rows.len()).filter(|&row| suspect[row]).collect();
        let keys: Vec<f64> = of
            .iter()
            .map(|&row| match by {
                SuspectOrder::SelfConfidence => self_confidence[row],
                SuspectOrder::NormalisedMargin => margin[row],
            })
            .collect();
        let show = |place: usize| {
            let row = of[place];
            Suspect {
                row,
                given: names[given[row]].clone(),
                likely: names[likeliest(&rows[row])].clone(),
                self_confidence: self_confidence[row],
                margin: margin[row],
            }
        };
        let suspects = order(&keys).into_iter().map(show).collect();
        Self { names, joint, suspects, self_confidence, margin }
    }

    /// The suspects, the most suspect first; of equal ones the first row.
    pub fn suspects(&self) -> &[Suspect] {
        &self.suspects
    }

    /// What the classes are called, in the order of the thresholds and the joints.
    pub fn classes(&self) -> &[String] {
        &self.names
    }

    /// The mean probability of each class among the rows that are given it; none for a class without rows.
    pub fn thresholds(&self) -> &[Option<f64>] {
        &self.joint.thresholds
    }

    /// How many rows that were given a class (the row here) reach a class (the column); at least 1 on the diagonal.
    pub fn confident_joint(&self) -> &[Vec<u64>] {
        &self.joint.counts
    }

    /// The same, each row scaled to the number of rows that were given the class.
    pub fn calibrated_joint(&self) -> &[Vec<f64>] {
        &self.joint.calibrated
    }

    /// The estimated share of wrong labels: what the calibrated joint holds off its diagonal. 0 without rows.
    pub fn noise(&self) -> f64 {
        let rows: usize = self.joint.given.iter().sum();
        let right: f64 = self.joint.calibrated.iter().enumerate().map(|(class, row)| row[class]).sum();
        if rows == 0 { 0.0 } else { (1.0 - right / rows as f64).max(0.0) }
    }

    /// Of every row the probability of the class that it was given.
    pub fn self_confidence(&self) -> &[f64] {
        &self.self_confidence
    }

    /// Of every row the normalised margin.
    pub fn normalised_margin(&self) -> &[f64] {
        &self.margin
    }
}

impl Exhibit for LabelErrors {
    fn exhibit(&self) -> Section {
        const SHOWN: usize = 30;
        const CLASSES: usize = 20;
        let facts = vec![
            ("rows".to_string(), self.self_confidence.len().to_string()),
            ("suspect labels".into(), self.suspects.len().to_string()),
            ("wrong labels, estimated".into(), format!("{} %", number((1000.0 * self.noise()).round() / 10.0))),
        ];
        let row = |suspect: &Suspect| {
            vec![
                suspect.row.to_string(),
                suspect.given.clone(),
                suspect.likely.clone(),
                number(suspect.self_confidence),
                number(suspect.margin),
            ]
        };
        let columns = ["row", "given", "likely", "self-confidence", "margin"].map(String::from).to_vec();
        let section = Section::new("Suspect labels")
            .block(Block::Facts(facts))
            .block(Block::Table { columns, rows: self.suspects.iter().take(SHOWN).map(row).collect() });
        if self.names.len() > CLASSES {
            return section;
        }
        section.block(Block::Chart(Chart::Heat {
            title: "Rows by class, estimated".into(),
            x: "likely".into(),
            y: "given".into(),
            columns: self.names.clone(),
            rows: self.names.iter().cloned().zip(self.joint.calibrated.iter().cloned()).collect(),
        }))
    }
}
