//! One comparison per column and one for its missing values, before and after it is judged.
//!
//! A test without data is no test: it has no p value and is not counted when p values are corrected. Columns without a
//! missing value on either side get no test of missing values, because that test could not alarm (Tarone 1990).

use std::collections::BTreeMap;

use stagewise_core::error::{Crumb, Error, Result, SchemaError};
use stagewise_core::schema::{Field, Schema};
use stagewise_core::summary::{Distribution, Summary, TableSummary};
use stagewise_numeric::sketch::QuantileSketch;
use stagewise_numeric::sum::Moments;

use super::chi_square::upper_quantile;
use super::levels::Counts;
use super::report::{FeatureDrift, Method, Verdict};
use super::shape::Shape;
use super::{kolmogorov_smirnov, levels, mean, psi};

/// Standard deviations of a normal distribution per Kolmogorov–Smirnov distance: `√(2π)`, rounded for people.
const SHIFT: f64 = 2.5;

/// A test that was made, or could not be.
pub(super) struct Comparison {
    feature: String,
    method: Method,
    statistic: f64,
    pub(super) p_value: f64,
    /// For the chi-square law that turns p values into distances; 0 for Kolmogorov's.
    degrees: u64,
    floor: f64,
    psi: Option<(f64, usize)>,
    n: u64,
    m: u64,
    shape: Option<Shape>,
}

/// All comparisons, in the order of the reference.
pub(super) fn all(reference: &TableSummary, current: &TableSummary, floor: f64, rows: u64) -> Result<Vec<Comparison>> {
    let mut all = Vec::with_capacity(2 * reference.columns.len());
    for (name, summary) in &reference.columns {
        let other = current.column(name).ok_or_else(|| missing_column(name, current))?;
        let mut add = |method: Method, n: u64, m: u64, compare: &dyn Fn(Comparison) -> Comparison| {
            let blank = Comparison::blank(name, method, floor, n, m);
            all.push(if n < rows || m < rows { blank } else { compare(blank) });
        };
        let (expected, found) = (summary.values.kind(), other.values.kind());
        if expected != found {
            return Err(Error::from(SchemaError::WrongKind { expected, found }).at(Crumb::column(name)));
        }
        add(method(&summary.values), summary.present, other.present, &|blank| {
            blank.values(&summary.values, &other.values)
        });
        if summary.missing + other.missing > 0 {
            let total = |s: &Summary| s.present + s.missing;
            add(Method::MissingShare, total(summary), total(other), &|blank| blank.missing(summary, other));
        }
    }
    Ok(all)
}

impl Comparison {
    fn blank(feature: &str, method: Method, floor: f64, n: u64, m: u64) -> Self {
        let (feature, none) = (feature.to_string(), f64::NAN);
        Self { feature, method, statistic: none, p_value: none, degrees: 0, floor, psi: None, n, m, shape: None }
    }

    fn values(self, reference: &Distribution, current: &Distribution) -> Self {
        match (reference, current) {
            (Distribution::Numbers { sketch: a, .. }, Distribution::Numbers { sketch: b, .. }) => self.numbers(a, b),
            (Distribution::Times(a), Distribution::Times(b)) => self.numbers(a, b),
            (Distribution::Levels(a), Distribution::Levels(b)) => self.levels(a, b),
            (Distribution::Lengths(a), Distribution::Lengths(b)) => self.lengths(a, b),
            _ => self,
        }
    }

    fn numbers(mut self, a: &QuantileSketch, b: &QuantileSketch) -> Self {
        self.statistic = kolmogorov_smirnov::ks_distance(a, b);
        self.p_value = kolmogorov_smirnov::p_value(self.statistic, self.n, self.m);
        let edges = psi::deciles(a);
        if !edges.is_empty() {
            self.psi = Some((psi::psi(&psi::binned(a, &edges), &psi::binned(b, &edges)), edges.len() + 1));
        }
        self.shape = Shape::of_sketches(a, b);
        self
    }

    fn levels(mut self, a: &Counts, b: &Counts) -> Self {
        if let Some(test) = levels::compare(a, b) {
            (self.statistic, self.p_value, self.degrees) = (test.distance, test.p_value, test.degrees.max(1));
            self.psi = test.psi.map(|psi| (psi, test.degrees as usize + 1));
        }
        self.shape = Some(Shape::of_levels(a, b));
        self
    }

    fn lengths(mut self, a: &Moments, b: &Moments) -> Self {
        (self.statistic, self.p_value, self.degrees) = (mean::distance(a, b), mean::p_value(a, b), 1);
        self.floor *= SHIFT;
        self.shape = a.mean().zip(b.mean()).map(|(a, b)| Shape::Pair(a, b));
        self
    }

    fn missing(mut self, reference: &Summary, current: &Summary) -> Self {
        let counts = |s: &Summary| -> Counts {
            BTreeMap::from([("missing".to_string(), s.missing), ("present".to_string(), s.present)])
        };
        self = self.levels(&counts(reference), &counts(current));
        self.psi = None;
        self.shape = Some(Shape::Pair(reference.missing_share(), current.missing_share()));
        self
    }

    /// What the comparison means beside all others: `limit` is the largest p value that is significant.
    pub(super) fn judged(self, adjusted: f64, alpha: f64, limit: f64, psi_limit: f64) -> FeatureDrift {
        let by_chance = |bins| psi::psi_limit(self.n, self.m, bins, limit);
        let psi_limit = self.psi.map(|(_, bins)| by_chance(bins).max(psi_limit));
        let far = self.psi.zip(psi_limit).is_some_and(|((psi, _), limit)| psi >= limit);
        let floor = if far && self.statistic < self.floor { 0.0 } else { self.floor };
        let tested = !self.p_value.is_nan();
        let verdict = match (tested, adjusted <= alpha && self.statistic >= floor) {
            (false, _) => Verdict::TooFewRows,
            (true, true) => Verdict::Drifted,
            (true, false) => Verdict::Stable,
        };
        let given = |x: f64| tested.then_some(x);
        FeatureDrift {
            statistic: given(self.statistic),
            threshold: given(self.significant_from(limit).max(floor)),
            p_value: given(self.p_value),
            adjusted: given(adjusted),
            verdict,
            psi: self.psi.map(|psi| psi.0),
            psi_limit,
            n_reference: self.n,
            n_current: self.m,
            feature: self.feature,
            method: self.method,
            shape: self.shape,
        }
    }

    /// The statistic at which the p value would be `limit`.
    fn significant_from(&self, limit: f64) -> f64 {
        if self.method == Method::KolmogorovSmirnov {
            return kolmogorov_smirnov::limit(limit, self.n, self.m);
        }
        // Squares of distances are proportional to chi-square, whatever the test that the p value came from.
        let needed = upper_quantile(limit, self.degrees);
        if self.p_value > 0.0 && self.p_value < 1.0 && self.statistic > 0.0 {
            self.statistic * (needed / upper_quantile(self.p_value, self.degrees)).sqrt()
        } else {
            (needed * (1.0 / self.n as f64 + 1.0 / self.m as f64) / 4.0).sqrt()
        }
    }
}

fn method(values: &Distribution) -> Method {
    match values {
        Distribution::Levels(_) => Method::ChiSquare,
        Distribution::Lengths(_) => Method::MeanLength,
        _ => Method::KolmogorovSmirnov,
    }
}

/// The error of a column that is not in `current`, with the nearest names.
fn missing_column(name: &str, current: &TableSummary) -> Error {
    let fields = current.columns.iter().map(|(name, s)| Field::new(name.as_str(), s.values.kind())).collect();
    match Schema::new(fields).and_then(|schema| schema.require(name)) {
        Err(error) => error,
        Ok(_) => SchemaError::MissingColumn { name: name.into(), nearest: Vec::new() }.into(),
    }
}
