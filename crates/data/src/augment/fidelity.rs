//! How like a synthetic table is to the one it was learned from: column by column, and by pairs of numbers.

use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;
use stagewise_numeric::rank::{average_ranks, order};

use super::copula::correlation;
use super::margin::as_numbers;

/// Distances between two tables of the same columns.
///
/// Numbers and times: the Kolmogorov–Smirnov distance, the largest gap between the two shares of values up to a limit. Levels
/// and flags: the total variation distance, half the sum of the gaps between their shares. Both are over what is present,
/// between 0 and 1, and NaN where a table has no value there; two samples of one source of `n` rows are about `1/√n` apart.
/// Pairs of numbers: the difference of Spearman's rank correlations over the rows where both are present. `O(n d log n +
/// n d²)`. That two tables are alike in this does not make them alike in what takes three columns to see.
///
/// ```
/// use stagewise_data::augment::Fidelity;
///
/// let table = stagewise_testkit::data::mixed(200, 1);
/// let same = Fidelity::of(&table, &table)?;
/// assert_eq!((same.worst().map(|column| column.distance), same.correlation_gap()), (Some(0.0), 0.0));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fidelity {
    columns: Vec<ColumnFidelity>,
    /// Two columns, the correlation in the first table and in the second.
    pairs: Vec<(String, String, f64, f64)>,
}

/// How alike a column is in two tables.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFidelity {
    /// Its name.
    pub name: String,
    /// What it means.
    pub kind: Kind,
    /// Kolmogorov–Smirnov or total variation distance, 0 to 1; NaN where a table has no value.
    pub distance: f64,
    /// The share of missing values in the first table.
    pub missing: f64,
    /// The share of missing values in the second table.
    pub synthetic_missing: f64,
}

impl Fidelity {
    /// Compares the first table with the second, the synthetic one. Columns of text are left out.
    ///
    /// # Errors
    /// [`SchemaError`](stagewise_core::error::SchemaError) if the columns are not the same;
    /// [`DataError::NotFinite`](stagewise_core::error::DataError).
    pub fn of(real: &Table, synthetic: &Table) -> Result<Self> {
        // Stacked, so that a code means the same level in both.
        let both = real.stacked(synthetic)?;
        let (mut columns, mut numbers) = (Vec::new(), Vec::new());
        for (field, column) in both.schema().fields().iter().zip(both.columns()) {
            if field.kind == Kind::Text {
                continue;
            }
            let values = as_numbers(column)?;
            let (a, b) = values.split_at(real.rows());
            let ordered = matches!(field.kind, Kind::Number | Kind::Timestamp);
            columns.push(ColumnFidelity {
                name: field.name.to_string(),
                kind: field.kind,
                distance: distance(a, b, ordered),
                missing: missing(a),
                synthetic_missing: missing(b),
            });
            if ordered {
                numbers.push((field.name.to_string(), ranks(a), ranks(b)));
            }
        }
        let pairs = (0..numbers.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
        let pair = |(i, j): (usize, usize)| {
            let ((first, a, c), (second, b, d)) = (&numbers[i], &numbers[j]);
            (first.clone(), second.clone(), correlation(a, b), correlation(c, d))
        };
        Ok(Self { columns, pairs: pairs.map(pair).collect() })
    }

    /// The columns in the table's order, without text.
    pub fn columns(&self) -> &[ColumnFidelity] {
        &self.columns
    }

    /// The column that is least alike; none if no column has values in both tables.
    pub fn worst(&self) -> Option<&ColumnFidelity> {
        let known = self.columns.iter().filter(|column| !column.distance.is_nan());
        known.reduce(|worst, column| if column.distance > worst.distance { column } else { worst })
    }

    /// Pairs of number columns with the rank correlation in the first table and in the second.
    pub fn correlations(&self) -> &[(String, String, f64, f64)] {
        &self.pairs
    }

    /// The mean of the absolute differences of these correlations; 0 without pairs.
    pub fn correlation_gap(&self) -> f64 {
        let total: f64 = self.pairs.iter().map(|pair| (pair.2 - pair.3).abs()).sum();
        total / self.pairs.len().max(1) as f64
    }
}

impl Exhibit for Fidelity {
    fn exhibit(&self) -> Section {
        let mut facts = Vec::new();
        if let Some(worst) = self.worst() {
            facts.push(("least alike".to_string(), format!("{} ({})", worst.name, number(worst.distance))));
        }
        facts.push(("mean gap of rank correlations".to_string(), number(self.correlation_gap())));
        let share = |share: f64| format!("{:.1}%", 100.0 * share);
        let row = |column: &ColumnFidelity| {
            let (missing, synthetic) = (share(column.missing), share(column.synthetic_missing));
            vec![column.name.clone(), column.kind.to_string(), number(column.distance), missing, synthetic]
        };
        let headings = ["column", "kind", "distance", "missing", "missing in synthetic"].map(String::from).to_vec();
        let items = self.columns.iter().filter(|column| !column.distance.is_nan());
        let items = items.map(|column| (column.name.clone(), column.distance)).collect();
        let mut pairs = self.pairs.clone();
        pairs.sort_by(|a, b| (b.2 - b.3).abs().total_cmp(&(a.2 - a.3).abs()));
        pairs.truncate(10);
        let rows =
            pairs.into_iter().map(|(a, b, real, synthetic)| vec![a, b, number(real), number(synthetic)]).collect();
        let mut section = Section::new("Fidelity of the synthetic table")
            .block(Block::Facts(facts))
            .block(Block::Chart(Chart::Bars { title: "Distance of each column, 0 to 1".into(), items, mark: None }))
            .block(Block::Table { columns: headings, rows: self.columns.iter().map(row).collect() });
        if !self.pairs.is_empty() {
            let columns = ["column", "with", "rank correlation", "in synthetic"].map(String::from).to_vec();
            section = section.text("The pairs that differ most:").block(Block::Table { columns, rows });
        }
        section
    }
}

fn missing(values: &[f64]) -> f64 {
    values.iter().filter(|x| x.is_nan()).count() as f64 / values.len().max(1) as f64
}

/// Ranks over what is present; NaN stays.
fn ranks(values: &[f64]) -> Vec<f64> {
    average_ranks(values).into_iter().zip(values).map(|(rank, x)| if x.is_nan() { f64::NAN } else { rank }).collect()
}

/// Walks through the values of both in order and looks at the gap of the two shares: its largest size, or the half of all
/// its changes.
fn distance(a: &[f64], b: &[f64], ordered: bool) -> f64 {
    let all: Vec<f64> = a.iter().chain(b).copied().filter(|x| !x.is_nan()).collect();
    let of_a = a.iter().filter(|x| !x.is_nan()).count();
    let of_b = all.len() - of_a;
    if of_a == 0 || of_b == 0 {
        return f64::NAN;
    }
    let (mut seen_a, mut seen_b, mut largest, mut changes) = (0_usize, 0_usize, 0.0_f64, 0.0);
    for equal in order(&all).chunk_by(|&i, &j| all[i] == all[j]) {
        let here = equal.iter().filter(|&&i| i < of_a).count();
        let there = equal.len() - here;
        seen_a += here;
        seen_b += there;
        largest = largest.max((seen_a as f64 / of_a as f64 - seen_b as f64 / of_b as f64).abs());
        changes += (here as f64 / of_a as f64 - there as f64 / of_b as f64).abs();
    }
    if ordered { largest } else { 0.5 * changes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::GaussianCopula;
    use stagewise_core::column::Column;
    use stagewise_core::context::FitContext;
    use stagewise_testkit::data;

    #[test]
    fn distances_are_those_of_the_definition() {
        // scipy 1.17.1: ks_2samp([1, 2, 3, 4], [2.5, 3, 7]).statistic.
        let found = distance(&[1.0, 2.0, 3.0, 4.0, f64::NAN], &[2.5, 3.0, 7.0], true);
        assert!((found - 0.5).abs() < 1e-15, "{found}");
        // Shares 1/2, 1/2, 0 and 1/4, 0, 3/4.
        assert_eq!(distance(&[0.0, 1.0], &[0.0, 2.0, 2.0, 2.0], false), 0.75);
        assert!(distance(&[f64::NAN], &[1.0], true).is_nan());
    }

    #[test]
    fn levels_are_compared_by_name() {
        let of = |names: [&str; 2]| Table::of([("c", Column::categories(names.map(Some)))]).unwrap();
        let fidelity = Fidelity::of(&of(["a", "b"]), &of(["b", "a"])).unwrap();
        assert_eq!(fidelity.columns()[0].distance, 0.0);
        assert_eq!(Fidelity::of(&of(["a", "b"]), &of(["c", "d"])).unwrap().worst().unwrap().distance, 1.0);
    }

    #[test]
    fn a_copula_is_faithful_and_shuffling_is_not() {
        let regression = data::regression(3000, 4);
        let y = Column::numbers(regression.target().values());
        let table = Table::of([("age", regression.features().column("age").unwrap().clone()), ("y", y)]).unwrap();
        let cx = FitContext::new(9);
        let drawn = GaussianCopula::new().fit(&table, &cx).unwrap().sample(3000, &cx).unwrap();
        let fidelity = Fidelity::of(&table, &drawn).unwrap();
        assert!(fidelity.worst().unwrap().distance < 0.05 && fidelity.correlation_gap() < 0.05, "{fidelity:?}");
        let order = cx.stream("shuffle").permutation(3000);
        let shuffled =
            Table::of([("age", table.columns()[0].clone()), ("y", table.columns()[1].take(&order))]).unwrap();
        let fidelity = Fidelity::of(&table, &shuffled).unwrap();
        assert!(fidelity.worst().unwrap().distance == 0.0 && fidelity.correlation_gap() > 0.5);
        assert_eq!(fidelity.exhibit().blocks.len(), 5);
    }

    #[test]
    fn shares_of_missing_values_are_kept() {
        let (table, cx) = (data::mixed(4000, 5), FitContext::new(2));
        let drawn = GaussianCopula::new().fit(&table, &cx).unwrap().sample(4000, &cx).unwrap();
        for column in Fidelity::of(&table, &drawn).unwrap().columns() {
            assert!((column.missing - column.synthetic_missing).abs() < 0.03, "{column:?}");
            assert!(column.distance.is_nan() || column.distance < 0.05, "{column:?}");
        }
        assert!(Fidelity::of(&table, &drawn.select(&[0]).unwrap()).is_err());
    }
}
