//! Which features have to do with the target, and whether that may be chance.
//!
//! One test per feature that needs no law of the values: ranks for numbers, counts for levels. With many features some are
//! significant by chance, so p values are adjusted together: what is named at 5 % is wrong in at most 5 % of the names,
//! on average. A small p value says that there is a relation, the effect says how strong it is.

use rayon::prelude::*;
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, number};
use stagewise_core::schema::Role;
use stagewise_core::table::Table;
use stagewise_numeric::multiplicity::benjamini_hochberg;
use stagewise_numeric::rank::average_ranks;
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::MANY_LEVELS;
use super::association::{contingency, cramers_v, spearman};
use crate::check::power::Truth;
use crate::leak::{LEAST_ROWS, MISSING_LEVEL, dense, levels};
use crate::task::{TaskKind, detect_task};

/// A test of independence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndependenceTest {
    /// Of two numbers: `t = ρ √((n − 2) / (1 − ρ²))` by Student's t, two-sided (Spearman 1904). The effect is `ρ`.
    Spearman,
    /// Of groups and a number, by `χ²`, corrected for ties (Kruskal and Wallis 1952). The effect is `ε² = H / (n − 1)`.
    KruskalWallis,
    /// Of two sets of levels, by Pearson's `χ²` without Yates' correction. The effect is Cramér's V, corrected for bias.
    ChiSquare,
}

impl std::fmt::Display for IndependenceTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Spearman => "Spearman",
            Self::KruskalWallis => "Kruskal–Wallis",
            Self::ChiSquare => "chi-square",
        })
    }
}

/// What one feature has to do with the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The feature.
    pub column: String,
    /// The test.
    pub test: IndependenceTest,
    /// The rows that have both.
    pub rows: usize,
    /// The test's statistic: `t`, `H` or `χ²`.
    pub statistic: f64,
    /// How strong it is.
    pub effect: f64,
    /// The chance of such a statistic, or one further out, were the two independent.
    pub p_value: f64,
    /// The p value adjusted for all features, after Benjamini and Hochberg.
    pub adjusted: f64,
    /// How much of the target the feature tells, in [0, 1]: see [`predictive_power`](crate::check::predictive_power).
    pub power: f64,
}

/// The relations of all features to the target, in the table's order.
///
/// Numbers and times are ranked; categories and flags are groups. Free text, categories with more than 100 levels,
/// constants and features with fewer than 20 rows beside a target have none. Missing and infinite values of a row leave it
/// out of the test. `O(features · rows · log rows)`; the same for any number of threads.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::profile::relations;
///
/// let x: Vec<f64> = (0..60).map(f64::from).collect();
/// let y: Vec<Option<bool>> = (0..60).map(|i| Some(i >= 30)).collect();
/// let table = Table::of([("x", Column::numbers(x)), ("y", Column::flags(y))])?;
/// let found = relations(&table, "y")?;
/// // H = 12 / (n (n + 1)) · Σ R² / 30 − 3 (n + 1) with rank sums 465 and 1365.
/// assert!((found[0].statistic - 44.262_295_081_967_21).abs() < 1e-9);
/// assert!(found[0].adjusted < 1e-10);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// # Errors
/// As [`detect_task`].
pub fn relations(table: &Table, target: &str) -> Result<Vec<Relation>> {
    let classes = !matches!(detect_task(table, target)?, TaskKind::Regression { .. });
    let column = table.column(target)?;
    let truth = Truth::new(column, classes);
    let side = if classes { Side::groups(column) } else { Side::of(column) };
    let (Some(truth), Some(side)) = (truth, side) else { return Ok(Vec::new()) };
    let fields = table.schema().fields();
    let features: Vec<usize> =
        (0..fields.len()).filter(|&i| fields[i].role == Role::Feature && *fields[i].name != *target).collect();
    let found: Vec<Option<Relation>> = features
        .into_par_iter()
        .map(|i| {
            let feature = &table.columns()[i];
            let (test, statistic, effect, p_value, rows) = tested(&Side::of(feature)?, &side)?;
            let power = truth.power(feature).unwrap_or(0.0);
            let column = fields[i].name.to_string();
            Some(Relation { column, test, rows, statistic, effect, p_value, adjusted: p_value, power })
        })
        .collect();
    let mut found: Vec<Relation> = found.into_iter().flatten().collect();
    let adjusted = benjamini_hochberg(&found.iter().map(|r| r.p_value).collect::<Vec<_>>());
    found.iter_mut().zip(adjusted).for_each(|(relation, p)| relation.adjusted = p);
    Ok(found)
}

/// A column as tests see it.
enum Side {
    Numbers(Vec<f64>),
    Groups(Vec<Option<usize>>),
}

impl Side {
    fn of(column: &Column) -> Option<Self> {
        match column {
            Column::Number(v) => {
                Some(Self::Numbers(v.iter().map(|&x| if x.is_finite() { x } else { f64::NAN }).collect()))
            }
            Column::Timestamp(v) => {
                Some(Self::Numbers(v.iter().map(|&t| if t == MISSING_TIME { f64::NAN } else { t as f64 }).collect()))
            }
            Column::Category { .. } | Column::Flag(_) => Self::groups(column).filter(Self::few),
            _ => None,
        }
    }

    fn groups(column: &Column) -> Option<Self> {
        let keys = levels(column);
        let codes = dense(&keys);
        Some(Self::Groups(keys.iter().zip(codes).map(|(&key, code)| (key != MISSING_LEVEL).then_some(code)).collect()))
    }

    fn few(&self) -> bool {
        matches!(self, Self::Groups(codes) if codes.iter().flatten().max().is_some_and(|&most| most < MANY_LEVELS))
    }
}

type Tested = (IndependenceTest, f64, f64, f64, usize);

fn tested(feature: &Side, target: &Side) -> Option<Tested> {
    match (feature, target) {
        (Side::Numbers(x), Side::Numbers(y)) => {
            let both = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
            let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(x, y)| (*x, *y)).unzip();
            if x.len() < LEAST_ROWS {
                return None;
            }
            let rho = spearman(&x, &y)?;
            let freedom = x.len() as f64 - 2.0;
            let t = rho * (freedom / ((1.0 - rho) * (1.0 + rho))).sqrt();
            let law = StudentsT::new(0.0, 1.0, freedom).ok()?;
            let p = if t.is_finite() { 2.0 * law.sf(t.abs()) } else { 0.0 };
            Some((IndependenceTest::Spearman, t, rho, p.min(1.0), x.len()))
        }
        (Side::Groups(groups), Side::Numbers(values)) | (Side::Numbers(values), Side::Groups(groups)) => {
            let both = groups.iter().zip(values).filter(|(_, x)| !x.is_nan());
            let (groups, values): (Vec<usize>, Vec<f64>) = both.filter_map(|(g, x)| g.map(|g| (g, *x))).unzip();
            let (statistic, freedom) = kruskal(&groups, &values)?;
            let n = values.len();
            let effect = statistic / (n as f64 - 1.0);
            Some((IndependenceTest::KruskalWallis, statistic, effect, chi_square_tail(statistic, freedom)?, n))
        }
        (Side::Groups(a), Side::Groups(b)) => {
            let (a, b): (Vec<usize>, Vec<usize>) = a.iter().zip(b).filter_map(|(a, b)| (*a).zip(*b)).unzip();
            if a.len() < LEAST_ROWS {
                return None;
            }
            let (statistic, rows, columns, _) = contingency(&a, &b)?;
            let p = chi_square_tail(statistic, (rows - 1) * (columns - 1))?;
            Some((IndependenceTest::ChiSquare, statistic, cramers_v(&a, &b).unwrap_or(0.0), p, a.len()))
        }
    }
}

/// `H` and its degrees of freedom; `None` for too few rows, one group or equal values.
fn kruskal(groups: &[usize], values: &[f64]) -> Option<(f64, usize)> {
    let n = values.len() as f64;
    if values.len() < LEAST_ROWS {
        return None;
    }
    let ranks = average_ranks(values);
    let mut sums = vec![(0.0, 0_usize); groups.iter().max()? + 1];
    groups.iter().zip(&ranks).for_each(|(&group, rank)| {
        sums[group].0 += rank;
        sums[group].1 += 1;
    });
    let present = || sums.iter().filter(|(_, rows)| *rows > 0);
    let middle = 0.5 * (n + 1.0);
    // By distance from the middle rank: the textbook's difference of large squares loses digits.
    let between: f64 = present().map(|&(sum, rows)| rows as f64 * (sum / rows as f64 - middle).powi(2)).sum();
    let total: f64 = ranks.iter().map(|rank| (rank - middle).powi(2)).sum();
    let statistic = (n - 1.0) * between / total;
    (present().count() > 1 && total > 0.0).then(|| (statistic, present().count() - 1))
}

fn chi_square_tail(statistic: f64, freedom: usize) -> Option<f64> {
    ChiSquared::new(freedom as f64).ok().map(|law| law.sf(statistic.max(0.0)))
}

/// A table of the relations and a chart of powers, if there are any.
pub(super) fn blocks(relations: &[Relation]) -> Vec<Block> {
    if relations.is_empty() {
        return Vec::new();
    }
    let columns = ["column", "test", "statistic", "effect", "p", "p adjusted", "power"].map(String::from).to_vec();
    let row = |r: &Relation| {
        let numbers = [r.statistic, r.effect, r.p_value, r.adjusted, r.power].map(number);
        [vec![r.column.clone(), r.test.to_string()], numbers.to_vec()].concat()
    };
    let mut items: Vec<(String, f64)> = relations.iter().map(|r| (r.column.clone(), r.power)).collect();
    items.sort_by(|a, b| b.1.total_cmp(&a.1));
    vec![
        Block::Table { columns, rows: relations.iter().map(row).collect() },
        Block::Chart(Chart::Bars { title: "How much of the target a column tells".into(), items, mark: None }),
    ]
}

#[cfg(test)]
mod tests {
    use stagewise_testkit::golden;

    use super::*;

    #[test]
    fn tests_are_those_of_scipy() {
        let golden = golden::load("associations.json");
        let mut checked = 0;
        for case in golden.cases.iter().filter(|c| c.value("/input/kind") == "test") {
            let column = |pointer: &str| case.optional_numbers(pointer).map(Column::numbers);
            let groups = |pointer: &str| {
                let names: Vec<String> = case.numbers(pointer).iter().map(|c| format!("level {c}")).collect();
                Column::categories(names.iter().map(|n| Some(n.as_str())))
            };
            let (feature, target) = match case.value("/input/test").as_str() {
                Some("spearman") => (column("/input/x").unwrap(), column("/input/y").unwrap()),
                Some("kruskal") => (column("/input/x").unwrap(), groups("/input/g")),
                _ => (groups("/input/a"), groups("/input/b")),
            };
            let (_, statistic, effect, p, _) =
                tested(&Side::of(&feature).unwrap(), &Side::of(&target).unwrap()).unwrap();
            let found = if case.value("/input/test") == "spearman" { effect } else { statistic };
            golden.assert_close(found, case.number("/expected/statistic"), &case.name);
            golden.assert_close(p, case.number("/expected/p"), &case.name);
            checked += 1;
        }
        assert_eq!(checked, 9);
        let case = golden.cases.iter().find(|c| c.name == "false_discovery").unwrap();
        let adjusted = benjamini_hochberg(&case.numbers("/input/p"));
        golden.assert_all_close(&adjusted, &case.numbers("/expected/adjusted"), "adjusted");
    }

    #[test]
    fn every_kind_of_feature_has_its_test() {
        let rows = 120;
        let y: Vec<f64> = (0..rows).map(|i| f64::from(i) * 1.5).collect();
        let table = Table::of([
            ("same", Column::numbers(y.iter().map(|y| -y).collect::<Vec<_>>())),
            ("noise", Column::numbers((0..rows).map(|i| f64::from(i * 49 % 120)).collect::<Vec<_>>())),
            ("half", Column::flags((0..rows).map(|i| Some(i < 60)).collect::<Vec<_>>())),
            ("constant", Column::numbers(vec![2.0; rows as usize])),
            ("t", Column::timestamps((0..i64::from(rows)).collect::<Vec<_>>())),
            ("text", Column::texts((0..rows).map(|_| Some("x")))),
            ("y", Column::numbers(y)),
        ])
        .unwrap();
        let found = relations(&table, "y").unwrap();
        let told: Vec<(&str, IndependenceTest)> = found.iter().map(|r| (r.column.as_str(), r.test)).collect();
        use IndependenceTest::{KruskalWallis, Spearman};
        assert_eq!(told, [("same", Spearman), ("noise", Spearman), ("half", KruskalWallis), ("t", Spearman)]);
        assert_eq!((found[0].effect, found[0].p_value, found[0].adjusted), (-1.0, 0.0, 0.0));
        assert!(found[1].adjusted > 0.1 && found[1].power < 0.1 && found[2].power > 0.7, "{found:?}");
        assert_eq!(relations(&table.take(&[0, 1, 2]), "y").unwrap(), []);
        assert_eq!(blocks(&found).len(), 2);
    }
}
