//! A model of a table that new tables are drawn from.
//!
//! Each column is put on the normal scale by its ranks; what ties columns together is one correlation matrix there. Being
//! missing has a place on that scale too, so shares of missing values and what they go with are kept. This is what margins
//! and pairs say and no more: a bend or a third column's part in how two go together is lost.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::error::{At, Crumb, DataError, ParameterError, PipelineError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::table::Table;
use stagewise_numeric::parallel::blocks;

use super::margin::{Margin, as_column};

/// Rows that are drawn from one stream.
const BLOCK: usize = 1024;

/// Learns the margins of all columns of a table and how they go together, as normal scores.
///
/// Numbers and times keep the quantiles of their column, and so its range; small whole numbers, levels and flags keep their
/// shares; missing values too. Columns go together by the correlations of their normal scores, over the rows where both are
/// present. A matrix of such correlations may contradict itself; it is then shrunk towards independence by the least power
/// of two from 2⁻²⁰ on that helps. All columns take part, whatever their role: leave ids out of the table. The greatest and
/// the least number of a column are those of some row. Learning: `O(n d log n + n d²)`.
///
/// Nelsen (2006), "An Introduction to Copulas"; Patki, Wedge & Veeramachaneni (2016) for its use with tables. Checked against
/// scipy 1.17.1 (`rankdata`, `norm.ppf`) and pandas 3.1.1 (`corr`): scores, correlations and quantiles to 1e-11.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::augment::GaussianCopula;
///
/// let table = stagewise_testkit::data::mixed(300, 1);
/// let fitted = GaussianCopula::new().fit(&table, &FitContext::new(7))?;
/// let drawn = fitted.sample(1000, &FitContext::new(7))?;
/// assert_eq!((drawn.rows(), drawn.schema()), (1000, table.schema()));
/// let share = |of: &stagewise_core::table::Table| of.column("city").map(|c| c.missing_count() as f64 / of.rows() as f64);
/// assert!((share(&drawn)? - share(&table)?).abs() < 0.03);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaussianCopula {
    knots: usize,
}

impl Default for GaussianCopula {
    fn default() -> Self {
        Self { knots: 257 }
    }
}

impl GaussianCopula {
    /// With 257 quantiles of each column of numbers.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many quantiles are kept of a column of numbers: 2 to 100,000. Default: 257. More follow the column closer, and
    /// say more about single rows.
    #[must_use]
    pub fn knots(mut self, knots: usize) -> Self {
        self.knots = knots;
        self
    }

    /// Learns from the rows of a table.
    ///
    /// # Errors
    /// [`ParameterError`] for knots out of range, [`PipelineError::Refused`] for text; of class [`DataError`]: `TooFewRows`
    /// for less than 2, `NotFinite` for infinite numbers, `NoFeatures` without columns.
    pub fn fit(&self, table: &Table, cx: &FitContext) -> Result<FittedGaussianCopula> {
        ParameterError::check((2..=100_000).contains(&self.knots), "knots", self.knots, "2 to 100000")?;
        let fields = table.schema().fields();
        if fields.is_empty() {
            return Err(DataError::NoFeatures { remedy: "a copula needs one to learn".into() }.into());
        }
        if table.rows() < 2 {
            return Err(DataError::TooFewRows { what: Self::TAG.into(), needed: 2, found: table.rows() }.into());
        }
        let text: Vec<String> =
            fields.iter().filter(|field| field.kind == Kind::Text).map(|field| field.name.to_string()).collect();
        if !text.is_empty() {
            let remedy = "leave it out of the table".to_string();
            return Err(PipelineError::Refused { stage: Self::TAG.into(), what: "text", columns: text, remedy }.into());
        }
        let (mut margins, mut scores) = (Vec::new(), Vec::new());
        for (field, column) in fields.iter().zip(table.columns()) {
            cx.check()?;
            let (margin, own) = Margin::learn(column, self.knots).at(|| Crumb::column(field.name.as_ref()))?;
            margins.push(margin);
            scores.extend(own);
        }
        let correlations = cx.install(|| correlations(&scores));
        let kinds = table.columns().iter().map(Column::kind).collect();
        Ok(FittedGaussianCopula {
            schema: table.schema().clone(),
            kinds,
            margins,
            factor: factor(correlations, scores.len()),
        })
    }
}

impl Persist for GaussianCopula {
    const TAG: &'static str = "GaussianCopula";
}

/// A model of a table. See [`GaussianCopula`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedGaussianCopula {
    schema: Arc<Schema>,
    kinds: Vec<Kind>,
    margins: Vec<Margin>,
    /// The lower triangle `L` of `R = L Lᵀ`, row by row.
    factor: Vec<f64>,
}

impl FittedGaussianCopula {
    /// The columns that it learned and gives.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// `rows` rows that never were, with the columns, roles and levels of the table that was learned from.
    ///
    /// Rows come from a stream per 1024 of them: the first rows do not depend on how many follow. `O(rows · d²)`.
    ///
    /// # Errors
    /// As [`Table::new`]; none for a copula that was fitted.
    pub fn sample(&self, rows: usize, cx: &FitContext) -> Result<Table> {
        let drawn = cx.install(|| blocks(rows, BLOCK, |range| self.draw(range.start / BLOCK, range.len(), cx)));
        let fields = self.schema.fields();
        let columns = fields.iter().zip(&self.kinds).enumerate().map(|(j, (field, &kind))| {
            let values: Vec<f64> = drawn.iter().flat_map(|block| block[j].iter().copied()).collect();
            as_column(field, &Column::missing(kind, 0), &values)
        });
        Table::sized(self.schema.clone(), columns.collect(), rows)
    }

    /// The values of one block, column by column.
    fn draw(&self, block: usize, rows: usize, cx: &FitContext) -> Vec<Vec<f64>> {
        let latents: usize = self.margins.iter().map(Margin::latents).sum();
        let mut stream = cx.stream(&format!("rows {block}"));
        let (mut free, mut places) = (vec![0.0; latents], vec![0.0; latents]);
        let mut columns = vec![Vec::with_capacity(rows); self.margins.len()];
        for _ in 0..rows {
            free.iter_mut().for_each(|z| *z = stream.normal());
            for (i, place) in places.iter_mut().enumerate() {
                let row = &self.factor[i * latents..][..=i];
                *place = row.iter().zip(&free).map(|(l, z)| l * z).sum();
            }
            let mut rest = places.as_slice();
            for (margin, column) in self.margins.iter().zip(&mut columns) {
                let (own, others) = rest.split_at(margin.latents());
                column.push(margin.value(own));
                rest = others;
            }
        }
        columns
    }
}

impl Persist for FittedGaussianCopula {
    const TAG: &'static str = "FittedGaussianCopula";
}

/// Correlations of all pairs over the rows where both are present, as a full matrix. 0 where one does not vary there.
fn correlations(scores: &[Vec<f64>]) -> Vec<f64> {
    let d = scores.len();
    let pairs: Vec<(usize, usize)> = (0..d).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let found = blocks(pairs.len(), 8, |range| {
        pairs[range].iter().map(|&(i, j)| correlation(&scores[i], &scores[j])).collect::<Vec<_>>()
    });
    let mut matrix = vec![0.0; d * d];
    (0..d).for_each(|i| matrix[i * d + i] = 1.0);
    for (&(i, j), r) in pairs.iter().zip(found.into_iter().flatten()) {
        matrix[i * d + j] = r;
        matrix[j * d + i] = r;
    }
    matrix
}

/// Pearson's correlation over the rows where neither is NaN; 0 if one does not vary there.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let both = || a.iter().zip(b).filter(|(x, y)| !(x.is_nan() || y.is_nan()));
    let n = both().count() as f64;
    let (sum_a, sum_b) = both().fold((0.0, 0.0), |(s, t), (x, y)| (s + x, t + y));
    let (mean_a, mean_b) = (sum_a / n, sum_b / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in both() {
        aa += (x - mean_a) * (x - mean_a);
        bb += (y - mean_b) * (y - mean_b);
        ab += (x - mean_a) * (y - mean_b);
    }
    let r = ab / (aa * bb).sqrt();
    if r.is_finite() { r.clamp(-1.0, 1.0) } else { 0.0 }
}

/// The lower factor of a correlation matrix, shrunk towards independence as far as it must be.
fn factor(matrix: Vec<f64>, d: usize) -> Vec<f64> {
    let mut shrink = 0.0;
    loop {
        if let Some(lower) = cholesky(&matrix, d, shrink) {
            return lower;
        }
        // At 1 the matrix is that of independence, which has a factor.
        shrink = if shrink == 0.0 { 2.0_f64.powi(-20) } else { (2.0 * shrink).min(1.0) };
    }
}

fn cholesky(matrix: &[f64], d: usize, shrink: f64) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let entry = if i == j { 1.0 } else { (1.0 - shrink) * matrix[i * d + j] };
            let done: f64 = (0..j).map(|k| lower[i * d + k] * lower[j * d + k]).sum();
            if i > j {
                lower[i * d + j] = (entry - done) / lower[j * d + j];
            } else if entry - done > 1e-10 {
                lower[i * d + i] = (entry - done).sqrt();
            } else {
                return None;
            }
        }
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::MISSING_CODE;
    use stagewise_core::persist::Saved;
    use stagewise_core::schema::Levels;
    use stagewise_numeric::normal::quantile as normal_quantile;
    use stagewise_testkit::{data, golden};

    #[test]
    fn pairs_go_together_as_they_did() {
        let cx = FitContext::new(3);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut stream = cx.stream("test");
        for _ in 0..4000 {
            let z = stream.normal();
            x.push(z.exp());
            y.push(0.8 * z + 0.6 * stream.normal());
        }
        let table = Table::of([("x", Column::numbers(x)), ("y", Column::numbers(y))]).unwrap();
        let drawn = GaussianCopula::new().fit(&table, &cx).unwrap().sample(20_000, &cx).unwrap();
        let column = |name: &str| drawn.column(name).unwrap().as_numbers().unwrap().to_vec();
        let logs: Vec<f64> = column("x").iter().map(|x| x.ln()).collect();
        let r = correlation(&logs, &column("y"));
        assert!((r - 0.8).abs() < 0.03, "{r}");
    }

    #[test]
    fn drawing_is_repeatable_and_survives_saving() {
        let table = data::mixed(400, 2);
        let fitted = GaussianCopula::new().fit(&table, &FitContext::new(1)).unwrap();
        let on = |threads| fitted.sample(3000, &FitContext::new(5).threads(threads).unwrap()).unwrap();
        assert_eq!(on(1), on(3));
        let loaded: FittedGaussianCopula = Saved::of(&fitted).unwrap().load().unwrap();
        assert_eq!(loaded.sample(3000, &FitContext::new(5)).unwrap(), on(1));
        assert_eq!(fitted.sample(1500, &FitContext::new(5)).unwrap(), on(1).take(&(0..1500).collect::<Vec<_>>()));
        assert_eq!(fitted.sample(0, &FitContext::new(5)).unwrap().rows(), 0);
        let ages = on(1).column("age").unwrap().as_numbers().unwrap().to_vec();
        assert!(ages.iter().all(|age| age.fract() == 0.0 && (18.0..78.0).contains(age)));
    }

    #[test]
    fn columns_that_depend_on_others_and_contradictions_are_taken() {
        let x: Vec<f64> = (0..50).map(|i| f64::from(i) * 1.37 + 0.1).collect();
        let twice: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        let table = Table::of([("x", Column::numbers(x)), ("twice", Column::numbers(twice))]).unwrap();
        let cx = FitContext::new(0);
        let drawn = GaussianCopula::new().fit(&table, &cx).unwrap().sample(100, &cx).unwrap();
        let (x, twice) = (drawn.columns()[0].as_numbers().unwrap(), drawn.columns()[1].as_numbers().unwrap());
        assert!(x.iter().zip(twice).all(|(x, twice)| (twice - 2.0 * x).abs() < 1.0));
        let impossible = vec![1.0, 0.9, 0.9, 0.9, 1.0, -0.9, 0.9, -0.9, 1.0];
        let lower = factor(impossible, 3);
        let diagonal = |i: usize| lower[i * 3..][..3].iter().map(|l| l * l).sum::<f64>();
        assert!((0..3).all(|i| (diagonal(i) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn scores_and_correlations_are_those_of_scipy_and_pandas() {
        let golden = golden::load("gaussian_copula.json");
        for case in &golden.cases {
            let count = |at: &str| case.value(at).as_array().unwrap().len();
            let (mut columns, mut found) = (Vec::new(), Vec::new());
            for i in 0..count("/input/columns") {
                let at = |name: &str| format!("/input/columns/{i}/{name}");
                let values = case.numbers(&at("values"));
                let column = if case.value(&at("kind")) == "category" {
                    let codes = values.iter().map(|x| if x.is_nan() { MISSING_CODE } else { *x as u32 });
                    let levels = Arc::new(Levels::new(["a", "b", "c", "d"]));
                    Column::Category { codes: Arc::new(codes.collect()), levels }
                } else {
                    Column::numbers(values.clone())
                };
                let (margin, scores) = Margin::learn(&column, 1000).unwrap();
                let name = case.value(&at("name")).as_str().unwrap().to_string();
                let at = |what: &str| format!("/expected/quantiles/{name}/{what}");
                if case.value("/expected/quantiles").get(&name).is_some() {
                    for (p, expected) in case.numbers(&at("probability")).into_iter().zip(case.numbers(&at("value"))) {
                        // A place for being missing, if there is one, that says present.
                        golden.assert_close(
                            margin.value(&[normal_quantile(p), -9.0][..margin.latents()]),
                            expected,
                            &name,
                        );
                    }
                }
                found.extend(scores);
                columns.push((name, column));
            }
            assert_eq!(found.len(), count("/expected/scores"));
            for (i, scores) in found.iter().enumerate() {
                let expected = case.numbers(&format!("/expected/scores/{i}/values"));
                golden.assert_all_close(scores, &expected, &format!("{}, score {i}", case.name));
            }
            // The factor of what is learned gives the correlations back.
            let fitted = GaussianCopula::new().fit(&Table::of(columns).unwrap(), &FitContext::new(0)).unwrap();
            let d = found.len();
            for (i, expected) in case.matrix("/expected/correlation").iter().enumerate() {
                let row = |i: usize| &fitted.factor[i * d..][..d];
                let product = |j: usize| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum::<f64>();
                let products: Vec<f64> = (0..d).map(product).collect();
                golden.assert_all_close(&products, expected, &format!("{}, correlations of {i}", case.name));
            }
        }
    }

    #[test]
    fn what_cannot_be_learned_is_refused() {
        let cx = FitContext::new(0);
        let of = |column: Column| GaussianCopula::new().fit(&Table::of([("x", column)]).unwrap(), &cx).map(|_| ());
        let error = of(Column::texts([Some("a"), None])).unwrap_err().to_string();
        assert!(error.starts_with("GaussianCopula takes no text"), "{error}");
        assert!(of(Column::numbers([1.0])).is_err() && of(Column::numbers([1.0, f64::INFINITY])).is_err());
        assert!(GaussianCopula::new().knots(1).fit(&data::mixed(9, 1), &cx).is_err());
        of(Column::missing(Kind::Category, 5)).unwrap();
        of(Column::numbers([1e300, -1e300, 0.5])).unwrap();
    }
}
