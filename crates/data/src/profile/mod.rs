//! What is in a table, column by column, and what a person should look at before modelling.
//!
//! Beside each column alone: how columns hang together, which values are missing together, and what each has to do with the
//! target.

mod association;
mod missing;
mod relation;

use rayon::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::schema::{Kind, Role};
use stagewise_core::summary::{Distribution, Summary, TableSummary};
use stagewise_core::table::Table;

use crate::leak::{distinct, leaks};
use crate::role::is_constant;
use crate::task::detect_task;

pub use self::association::{Association, Associations, MOST_COLUMNS, Measure, correlation_ratio, cramers_v};
pub use self::missing::{Missingness, PATTERNS};
pub use self::relation::{IndependenceTest, Relation, relations};
pub use stagewise_numeric::multiplicity::benjamini_hochberg;

/// A column with more missing values than this share is named.
pub const MOSTLY_MISSING: f64 = 0.5;

/// A category with more levels than this is named.
pub const MANY_LEVELS: usize = 100;

/// How many levels of a category are shown.
pub const TOP_LEVELS: usize = 5;

/// A table in numbers.
///
/// `O(columns² · rows + columns · rows · log rows)`; the same for any number of threads.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::Profile;
///
/// let table = Table::of([("x", Column::numbers([1.0, 2.0, 6.0, f64::NAN])), ("c", Column::numbers([7.0; 4]))])?;
/// let profile = Profile::of(&table, None)?;
/// let x = profile.column("x").and_then(|c| c.numbers.as_ref());
/// assert_eq!(x.map(|n| (n.mean, n.median, n.max)), Some((3.0, 2.0, 6.0)));
/// assert_eq!(profile.warnings, ["`c` is the same in every row"]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// How many rows.
    pub rows: usize,
    /// The columns in the table's order.
    pub columns: Vec<ColumnProfile>,
    /// What the target asks, if one is named: the task and the reason.
    pub target: Option<String>,
    /// How columns hang together.
    pub associations: Associations,
    /// Which values are missing together.
    pub missing: Missingness,
    /// What each feature has to do with the target, if one is named.
    pub relations: Vec<Relation>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// A column in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What it means.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// The share of missing values; 0 without rows.
    pub missing: f64,
    /// How many different values are present.
    pub distinct: usize,
    /// Of numbers with a finite value.
    pub numbers: Option<NumberProfile>,
    /// Of categories and flags: the most frequent levels and their rows, at most 5.
    pub top: Vec<(String, u64)>,
}

/// The finite values of a number column.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberProfile {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, over `n − 1`; 0 for one value.
    pub sd: f64,
    /// The least.
    pub min: f64,
    /// The median: exact for few values, otherwise from a sketch.
    pub median: f64,
    /// The greatest.
    pub max: f64,
    /// Edges of at most 20 bins of equal width, and the share of values in each.
    pub histogram: (Vec<f64>, Vec<f64>),
}

impl Profile {
    /// The profile of a table. If a target is named, columns that (almost) tell it are named too, by
    /// [`leaks`].
    ///
    /// # Errors
    /// As [`detect_task`].
    pub fn of(table: &Table, target: Option<&str>) -> Result<Self> {
        let summary = TableSummary::of(table);
        let fields = table.schema().fields();
        let columns: Vec<ColumnProfile> = (0..fields.len())
            .into_par_iter()
            .map(|i| {
                let (column, summary) = (&table.columns()[i], &summary.columns[i].1);
                ColumnProfile {
                    name: fields[i].name.to_string(),
                    kind: fields[i].kind,
                    role: fields[i].role,
                    missing: summary.missing_share(),
                    distinct: distinct(column),
                    numbers: number_profile(column, summary),
                    top: top(summary),
                }
            })
            .collect();
        let mut warnings: Vec<String> =
            columns.iter().zip(table.columns()).filter_map(|(profile, column)| warning(profile, column)).collect();
        let task = match target {
            None => None,
            Some(target) => {
                let found = leaks(table, target)?;
                warnings.extend(found.iter().map(|leak| {
                    format!("`{}` may leak the target: {}; is it known before the outcome?", leak.column, leak.why)
                }));
                let task = detect_task(table, target)?;
                Some(format!("`{target}`: {task} ({})", task.why()))
            }
        };
        let relations = match target {
            None => Vec::new(),
            Some(target) => relations(table, target)?,
        };
        let (associations, missing) = rayon::join(|| Associations::of(table), || Missingness::of(table));
        Ok(Self { rows: table.rows(), columns, target: task, associations, missing, relations, warnings })
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|c| c.name == name)
    }
}

impl Exhibit for Profile {
    fn exhibit(&self) -> Section {
        const CHARTS: usize = 6;
        let mut facts =
            vec![("rows".to_string(), self.rows.to_string()), ("columns".into(), self.columns.len().to_string())];
        facts.extend(self.target.iter().map(|target| ("target".to_string(), target.clone())));
        let columns = ["column", "kind", "role", "missing", "distinct", "values"].map(String::from).to_vec();
        let row = |c: &ColumnProfile| {
            let missing = format!("{} %", number(100.0 * c.missing));
            vec![
                c.name.clone(),
                c.kind.to_string(),
                c.role.to_string(),
                missing,
                c.distinct.to_string(),
                values_text(c),
            ]
        };
        let rows = self.columns.iter().map(row).collect();
        let mut section = Section::new("Data").block(Block::Facts(facts));
        for warning in &self.warnings {
            section = section.block(Block::Warning(warning.clone()));
        }
        section = section.block(Block::Table { columns, rows });
        let mut missing: Vec<(String, f64)> =
            self.columns.iter().filter(|c| c.missing > 0.0).map(|c| (c.name.clone(), c.missing)).collect();
        missing.sort_by(|a, b| b.1.total_cmp(&a.1));
        if !missing.is_empty() {
            let chart = Chart::Bars { title: "Missing values".into(), items: missing, mark: Some(MOSTLY_MISSING) };
            section = section.block(Block::Chart(chart));
        }
        section.blocks.extend(self.missing.blocks());
        section.blocks.extend(relation::blocks(&self.relations));
        section.blocks.extend(self.associations.charts().into_iter().map(Block::Chart));
        if self.associations.left_out > 0 {
            section = section.text(format!("{} columns left out of the associations", self.associations.left_out));
        }
        let shown = self.columns.iter().filter(|c| matches!(c.role, Role::Feature | Role::Target));
        let charts = shown.filter_map(|c| c.numbers.as_ref().map(|n| (&c.name, &n.histogram)));
        for (name, (edges, shares)) in charts.filter(|(_, (edges, _))| edges.len() > 1).take(CHARTS) {
            let series = vec![(name.clone(), shares.clone())];
            let chart = Chart::Histogram { title: name.clone(), edges: edges.clone(), series };
            section = section.block(Block::Chart(chart));
        }
        section
    }
}

fn number_profile(column: &Column, summary: &Summary) -> Option<NumberProfile> {
    let Distribution::Numbers { moments, .. } = &summary.values else { return None };
    let finite: Vec<f64> = column.as_numbers().ok()?.iter().copied().filter(|x| x.is_finite()).collect();
    let min = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let max = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(NumberProfile {
        mean: moments.mean()?,
        sd: moments.variance(1.0).unwrap_or(0.0).sqrt(),
        min,
        median: stagewise_numeric::quantile::median(&finite)?,
        max,
        histogram: histogram(&finite, min, max),
    })
}

/// Edges and shares of bins of equal width; no bins for a constant or a range beyond f64.
fn histogram(values: &[f64], min: f64, max: f64) -> (Vec<f64>, Vec<f64>) {
    const BINS: usize = 20;
    let width = (max - min) / BINS as f64;
    if !(width.is_finite() && width > 0.0) {
        return (Vec::new(), Vec::new());
    }
    let mut counts = vec![0_usize; BINS];
    values.iter().for_each(|x| counts[(((x - min) / width) as usize).min(BINS - 1)] += 1);
    let edges = (0..=BINS).map(|i| if i == BINS { max } else { min + width * i as f64 }).collect();
    (edges, counts.into_iter().map(|n| n as f64 / values.len() as f64).collect())
}

/// The most frequent levels; of equally frequent ones the first by spelling.
fn top(summary: &Summary) -> Vec<(String, u64)> {
    let Distribution::Levels(levels) = &summary.values else { return Vec::new() };
    let mut levels: Vec<(String, u64)> = levels.iter().map(|(name, n)| (name.clone(), *n)).collect();
    levels.sort_by_key(|level| std::cmp::Reverse(level.1));
    levels.truncate(TOP_LEVELS);
    levels
}

fn warning(profile: &ColumnProfile, column: &Column) -> Option<String> {
    let name = &profile.name;
    let ignored = matches!(profile.role, Role::Id);
    if column.is_empty() {
        None
    } else if profile.distinct == 0 {
        Some(format!("`{name}` has no value at all"))
    } else if column.len() > 1 && is_constant(column) {
        Some(format!("`{name}` is the same in every row"))
    } else if profile.missing > MOSTLY_MISSING {
        Some(format!("`{name}` is missing in {} % of the rows", number((1000.0 * profile.missing).round() / 10.0)))
    } else if profile.kind == Kind::Category && profile.distinct > MANY_LEVELS && !ignored {
        Some(format!("`{name}` has {} levels: encode it by frequency or target, not one column each", profile.distinct))
    } else {
        None
    }
}

fn values_text(profile: &ColumnProfile) -> String {
    match &profile.numbers {
        Some(n) => format!(
            "{} ± {}, {} to {}, median {}",
            number(n.mean),
            number(n.sd),
            number(n.min),
            number(n.max),
            number(n.median)
        ),
        None => profile.top.iter().map(|(level, n)| format!("{level} ({n})")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_levels_and_warnings_are_found() {
        let text = "x,c,e,k,y\n".to_string()
            + &(0..40)
                .map(|i| format!("{},{},{},1,{}\n", i, ["b", "a"][i % 2], if i == 0 { "3" } else { "" }, i * 2))
                .collect::<String>();
        let loaded = crate::Csv::from_bytes(text).kind("x", Kind::Number).read().unwrap();
        // `x` counts the rows and would be an id.
        let mut fields = loaded.table.schema().fields().to_vec();
        fields[0].role = Role::Feature;
        let schema = stagewise_core::schema::Schema::new(fields).unwrap();
        let table = loaded.table.relabelled(std::sync::Arc::new(schema)).unwrap();
        let profile = Profile::of(&table, Some("y")).unwrap();
        let x = profile.column("x").unwrap();
        let numbers = x.numbers.as_ref().unwrap();
        assert_eq!((numbers.mean, numbers.median, numbers.min, numbers.max), (19.5, 19.5, 0.0, 39.0));
        assert_eq!(numbers.sd, (130.0_f64 + 20.0 / 3.0).sqrt());
        assert_eq!(numbers.histogram.1, vec![0.05; 20]);
        assert_eq!(profile.column("c").unwrap().top, [("a".to_string(), 20), ("b".into(), 20)]);
        assert_eq!(
            profile.warnings,
            [
                "`e` is missing in 97.5 % of the rows",
                "`k` is the same in every row",
                "`x` may leak the target: its correlation with the target is 1.000; is it known before the outcome?",
            ]
        );
        assert_eq!(profile.target.as_deref(), Some("`y`: regression (numbers with more than 10 different values)"));
        assert!(profile.exhibit().blocks.iter().any(|b| matches!(b, Block::Chart(Chart::Bars { .. }))));
    }

    #[test]
    fn tables_without_rows_or_finite_values_have_a_profile() {
        for values in [vec![], vec![f64::NAN], vec![f64::INFINITY, 1.0], vec![-1e308, 1e308]] {
            let table = Table::of([("x", Column::numbers(values))]).unwrap();
            assert_eq!(Profile::of(&table, None).unwrap().columns.len(), 1);
            assert!(!Profile::of(&table, None).unwrap().exhibit().blocks.is_empty());
        }
    }
}
