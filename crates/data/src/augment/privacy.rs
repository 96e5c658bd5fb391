//! Whether synthetic rows are nearer to the rows that were learned from than they should be.
//!
//! A row of a holdout comes from the same source and was not learned from. If synthetic rows lie nearer to training rows than
//! to rows of the holdout, the model remembers rows instead of the source.

use stagewise_core::context::FitContext;
use stagewise_core::error::{DataError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::table::Table;
use stagewise_numeric::neighbours::Points;
use stagewise_numeric::quantile::quantiles;

use crate::balance::Space;

/// How far above one half the share of rows nearer to training may lie before a warning is shown, at the least.
const LENIENCE: f64 = 0.05;

/// Distances of synthetic rows from the closest record, among training rows and among as many rows of a holdout.
///
/// Distances: numbers and times in standard deviations over all rows; a differing level, and a missing value beside one that
/// is not, count as the median of the numbers' standard deviations. Of the larger side as many rows are drawn as the smaller
/// one has, so that neither is nearer for being more. `O((n + m) s d)` at worst. That this finds nothing proves no
/// protection: it looks at whole rows, and a single column may still give someone away.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::augment::{GaussianCopula, Privacy};
///
/// let cx = FitContext::new(7);
/// let rows = stagewise_testkit::data::numeric(600, 1);
/// let (train, holdout) = (rows.take(&(0..300).collect::<Vec<_>>()), rows.take(&(300..600).collect::<Vec<_>>()));
/// let drawn = GaussianCopula::new().fit(&train, &cx)?.sample(500, &cx)?;
/// let privacy = Privacy::of(&train, &holdout, &drawn, &cx)?;
/// assert!((0.4..0.6).contains(&privacy.nearer_to_training()) && privacy.copies() == 0);
/// assert_eq!(Privacy::of(&train, &holdout, &train, &cx)?.nearer_to_training(), 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Privacy {
    nearer: f64,
    copies: usize,
    rows: usize,
    compared: usize,
    to_training: [f64; 3],
    to_holdout: [f64; 3],
    between: [f64; 3],
}

impl Privacy {
    /// Judges `synthetic` rows, learned from `training`, beside a `holdout` that was not learned from.
    ///
    /// # Errors
    /// [`SchemaError`](stagewise_core::error::SchemaError) if the columns are not the same; of class [`DataError`]:
    /// `TooFewRows` for a table without rows, `NotFinite`, `NoFeatures`;
    /// [`PipelineError::Refused`](stagewise_core::error::PipelineError) for text.
    pub fn of(training: &Table, holdout: &Table, synthetic: &Table, cx: &FitContext) -> Result<Self> {
        for (what, table) in [("training", training), ("a holdout", holdout), ("a synthetic table", synthetic)] {
            if table.rows() == 0 {
                return Err(DataError::TooFewRows { what: what.into(), needed: 1, found: 0 }.into());
            }
        }
        let all = training.stacked(holdout)?.stacked(synthetic)?;
        let space = Space::new("Privacy", &all, true)?;
        let apart = space.apart(&(0..all.rows()).collect::<Vec<_>>());
        let (n, m) = (training.rows(), holdout.rows());
        let size = n.min(m);
        let sample = |from: usize, rows: usize, purpose: &str| -> Vec<usize> {
            cx.stream(purpose).choose(rows, size).into_iter().map(|row| from + row).collect()
        };
        let points = |rows: &[usize]| space.points(rows, apart);
        let (known, unknown) = (points(&sample(0, n, "training")), points(&sample(n, m, "holdout")));
        let (every, drawn) = (points(&(0..n).collect::<Vec<_>>()), points(&(n + m..all.rows()).collect::<Vec<_>>()));
        let closest = |to: &Points, from: &Points| -> Vec<f64> {
            let near = cx.install(|| to.nearest_to(from, 1));
            (0..from.len()).filter_map(|i| near.squared(i).first()).map(|squared| squared.sqrt()).collect()
        };
        let (to_training, to_holdout) = (closest(&known, &drawn), closest(&unknown, &drawn));
        // Equally near counts half for each side.
        let nearer = |(a, b): (&f64, &f64)| if a < b { 1.0 } else { f64::from(u8::from(a == b)) * 0.5 };
        let rows = drawn.len();
        let quartiles = |distances: &[f64]| -> [f64; 3] {
            let found = quantiles(distances, &[0.05, 0.5, 0.95]).unwrap_or_default();
            std::array::from_fn(|i| found.get(i).copied().unwrap_or(f64::NAN))
        };
        Ok(Self {
            nearer: to_training.iter().zip(&to_holdout).map(nearer).sum::<f64>() / rows as f64,
            copies: closest(&every, &drawn).into_iter().filter(|distance| *distance == 0.0).count(),
            rows,
            compared: size,
            between: quartiles(&closest(&known, &unknown)),
            to_training: quartiles(&to_training),
            to_holdout: quartiles(&to_holdout),
        })
    }

    /// The share of synthetic rows whose closest record is a training row, and not a row of the holdout: one half if nothing
    /// is remembered, more if something is.
    pub fn nearer_to_training(&self) -> f64 {
        self.nearer
    }

    /// How many synthetic rows equal a training row.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// The distance of a synthetic row from the closest training row: its 5 %, 50 % and 95 % quantiles.
    pub fn to_training(&self) -> [f64; 3] {
        self.to_training
    }

    /// The same from the closest row of the holdout.
    pub fn to_holdout(&self) -> [f64; 3] {
        self.to_holdout
    }

    /// The distance of a row of the holdout from the closest training row: what is usual among rows of the source.
    pub fn usual(&self) -> [f64; 3] {
        self.between
    }
}

impl Exhibit for Privacy {
    fn exhibit(&self) -> Section {
        let facts = vec![
            (
                "nearer to training than to the holdout".to_string(),
                format!("{:.1}% (50% is fair)", 100.0 * self.nearer),
            ),
            ("copies of training rows".to_string(), format!("{} of {}", self.copies, self.rows)),
        ];
        let item = |name: &str, of: [f64; 3]| (name.to_string(), of[0], of[1], of[2]);
        let items = vec![
            item("synthetic to training", self.to_training),
            item("synthetic to holdout", self.to_holdout),
            item("holdout to training", self.between),
        ];
        let title = "Distance to the closest record: median, 5% to 95%".to_string();
        let mut section = Section::new("Privacy of the synthetic table").block(Block::Facts(facts));
        // Three standard errors of a fair coin, as if the fewer of the rows were thrown.
        let chance = 1.5 / (self.rows.min(self.compared) as f64).sqrt();
        if self.nearer > 0.5 + chance.max(LENIENCE) {
            let text = "synthetic rows lie nearer to the rows that were learned from than to others of their source";
            section = section.block(Block::Warning(text.to_string()));
        }
        if self.to_training[1] < 0.5 * self.between[1] {
            let (half, usual) = (number(self.to_training[1]), number(self.between[1]));
            let text = format!(
                "half of the synthetic rows lie within {half} of a training row, rows of the holdout within {usual}"
            );
            section = section.block(Block::Warning(text));
        }
        section.block(Block::Chart(Chart::Intervals { title, items }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::GaussianCopula;
    use stagewise_core::column::Column;
    use stagewise_testkit::data;

    fn part(table: &Table, rows: std::ops::Range<usize>) -> Table {
        table.take(&rows.collect::<Vec<_>>())
    }

    #[test]
    fn copies_are_found_and_a_fair_draw_is_not_blamed() {
        let cx = FitContext::new(3);
        let rows = data::mixed(1200, 3);
        let (train, holdout) = (part(&rows, 0..400), part(&rows, 400..1200));
        let drawn = GaussianCopula::new().fit(&train, &cx).unwrap().sample(600, &cx).unwrap();
        let fair = Privacy::of(&train, &holdout, &drawn, &cx).unwrap();
        assert!((fair.nearer_to_training() - 0.5).abs() < 0.06, "{fair:?}");
        assert_eq!(fair.exhibit().blocks.len(), 2, "{fair:?}");
        let told = Privacy::of(&train, &holdout, &part(&train, 0..100), &cx).unwrap();
        assert_eq!((told.copies(), told.to_training()[1]), (100, 0.0));
        assert!(told.nearer_to_training() > 0.9 && told.exhibit().blocks.len() == 4);
        assert!(told.usual()[1] > 0.0 && told.to_holdout()[1] > 0.0);
    }

    #[test]
    fn empty_and_other_tables_are_refused() {
        let (rows, cx) = (data::numeric(20, 1), FitContext::new(0));
        let error = Privacy::of(&rows, &part(&rows, 0..0), &rows, &cx).unwrap_err().to_string();
        assert_eq!(error, "a holdout needs at least 1 rows, 0 found");
        let other = Table::of([("x", Column::numbers([1.0]))]).unwrap();
        assert!(Privacy::of(&rows, &rows, &other, &cx).is_err());
    }
}
