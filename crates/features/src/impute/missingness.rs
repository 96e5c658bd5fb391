//! What goes with missing values: is a column missing where the target, or another column, is large or of some level?
//!
//! Whether a value is there is compared with the values of each other column: by ranks for numbers, by counts for levels.
//! That needs no law of the values. Many tests are made, so their p values are adjusted together.

use rayon::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::schema::Role;
use stagewise_core::select::named;
use stagewise_core::table::Table;
use stagewise_numeric::multiplicity::benjamini_hochberg;

use self::side::Side;
use super::little::{LittlesTest, refuse_weights};

mod side;

/// What is shown as a finding.
const ALPHA: f64 = 0.05;
/// The most columns drawn, and the most relations listed.
const DRAWN: usize = 30;
const LISTED: usize = 20;

/// A test of whether a column is missing beside the values of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingnessTest {
    /// Of numbers and times: Mann and Whitney's (1947) `z`, corrected for ties. The effect is the rank-biserial correlation,
    /// from −1 to 1: above 0 the value is missing where the other is large.
    MannWhitney,
    /// Of levels and flags: Pearson's `χ²` of a table of two rows, without Yates' correction. Rare levels are put together,
    /// the rarest first, until each group is expected 5 times in the smaller row. The effect is Cramér's V, from 0 to 1.
    ChiSquare,
}

impl std::fmt::Display for MissingnessTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::MannWhitney => "Mann–Whitney",
            Self::ChiSquare => "chi-square",
        })
    }
}

/// What the missing values of a column have to do with another column.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingnessRelation {
    /// The column with missing values.
    pub missing: String,
    /// The other one.
    pub with: String,
    /// The test.
    pub test: MissingnessTest,
    /// The rows that have a value of the other column.
    pub rows: usize,
    /// `z` or `χ²`.
    pub statistic: f64,
    /// How strong it is.
    pub effect: f64,
    /// The chance of such a statistic, or one further out, were the two independent.
    pub p_value: f64,
    /// The p value adjusted for all tests of the report, after Benjamini and Hochberg.
    pub adjusted: f64,
}

/// What goes with missing values, and whether numbers are missing completely at random.
///
/// | what is found | what it means |
/// |---|---|
/// | nothing | a constant does little harm, an indicator is of little use |
/// | a relation to other columns | imputers that look at other columns have something to go by |
/// | a relation to the target | that a value is missing tells something: add an indicator, or make missing a level |
///
/// That values are missing because of themselves, high incomes for example, no test can see.
///
/// Columns of role feature and the target are looked at; each column that is missing in some rows and not in others is
/// tested beside each other one, with at least 20 rows, 5 of them on either side. Text is never tested with, only for being
/// missing. `±∞` has its rank. Levels of any number. `O(columns · rows log rows + columns² · rows)`; the same for any number
/// of threads.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_features::impute::MissingnessReport;
///
/// let y: Vec<f64> = (0..60).map(f64::from).collect();
/// let x: Vec<f64> = y.iter().map(|y| if *y >= 40.0 { f64::NAN } else { 60.0 - y }).collect();
/// let report = MissingnessReport::of(&Table::of([("x", Column::numbers(x)), ("y", Column::numbers(y))])?, Some("y"))?;
/// let found = &report.relations[0];
/// assert_eq!((found.missing.as_str(), found.with.as_str(), found.effect), ("x", "y", 1.0));
/// assert!(found.adjusted < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scipy 1.17.1 `mannwhitneyu(method="asymptotic", use_continuity=False)`, `chi2_contingency` and
/// `false_discovery_control`, 1e-9.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingnessReport {
    /// How many rows there are.
    pub rows: usize,
    /// The columns with missing values and how many, in the table's order.
    pub missing: Vec<(String, usize)>,
    /// The target, if one was named.
    pub target: Option<String>,
    /// One test for each pair of columns that has one: by the column with missing values, then by the other, both in the
    /// table's order.
    pub relations: Vec<MissingnessRelation>,
    /// Little's test of the numbers, or why there is none.
    pub little: std::result::Result<LittlesTest, String>,
}

impl MissingnessReport {
    /// The report of a table; `target` is a column whose values are compared too.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError) for a target that is not there;
    /// [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for a table with weights.
    pub fn of(table: &Table, target: Option<&str>) -> Result<Self> {
        refuse_weights("MissingnessReport", table)?;
        let target = target.map(|name| table.schema().require(name)).transpose()?;
        let fields = table.schema().fields();
        let looked_at = |i: &usize| Some(*i) == target || matches!(fields[*i].role, Role::Feature | Role::Target);
        let columns: Vec<usize> = (0..fields.len()).filter(looked_at).collect();
        let name = |i: usize| fields[i].name.to_string();
        let indicators: Vec<(usize, Vec<bool>)> = (columns.iter())
            .map(|&i| (i, missing_rows(&table.columns()[i])))
            .filter(|(_, missing)| missing.contains(&true))
            .collect();
        let pairs: Vec<Vec<Option<MissingnessRelation>>> = (columns.par_iter())
            .map(|&other| {
                let side = Side::of(&table.columns()[other]);
                let test = |(i, missing): &(usize, Vec<bool>)| {
                    let (test, statistic, effect, p_value, rows) =
                        side.as_ref().filter(|_| *i != other)?.tested(missing)?;
                    let (missing, with) = (name(*i), name(other));
                    Some(MissingnessRelation {
                        missing,
                        with,
                        test,
                        rows,
                        statistic,
                        effect,
                        p_value,
                        adjusted: p_value,
                    })
                };
                indicators.iter().map(test).collect()
            })
            .collect();
        let ordered = (0..indicators.len()).flat_map(|i| pairs.iter().map(move |tests| &tests[i]));
        let mut relations: Vec<MissingnessRelation> = ordered.flatten().cloned().collect();
        let adjusted = benjamini_hochberg(&relations.iter().map(|r| r.p_value).collect::<Vec<_>>());
        relations.iter_mut().zip(adjusted).for_each(|(relation, p)| relation.adjusted = p);
        let numbers = columns.iter().filter(|&&i| matches!(table.columns()[i], Column::Number(_)) && Some(i) != target);
        let little = LittlesTest::of(table, &named(numbers.map(|&i| name(i)))).map_err(|error| error.to_string());
        Ok(Self {
            rows: table.rows(),
            missing: indicators.iter().map(|(i, m)| (name(*i), m.iter().filter(|m| **m).count())).collect(),
            target: target.map(name),
            relations,
            little,
        })
    }

    /// The relations whose adjusted p value is at most `alpha`, the strongest first.
    pub fn related(&self, alpha: f64) -> Vec<&MissingnessRelation> {
        let mut found: Vec<_> = self.relations.iter().filter(|r| r.adjusted <= alpha).collect();
        found.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        found
    }
}

impl Exhibit for MissingnessReport {
    fn exhibit(&self) -> Section {
        let mut section = Section::new("What goes with missing values");
        if self.missing.is_empty() {
            return section.text("No value is missing.");
        }
        let fact = |name: &str, value: String| (name.to_string(), value);
        let mut facts = vec![
            fact("rows", self.rows.to_string()),
            fact("columns with missing values", self.missing.len().to_string()),
            fact("tests", self.relations.len().to_string()),
        ];
        match &self.little {
            Ok(test) => facts.push(fact(
                "missing completely at random (Little)",
                format!(
                    "p = {}, d² = {} with {} degrees of freedom",
                    number(test.p_value),
                    number(test.statistic),
                    test.freedom
                ),
            )),
            Err(why) => facts.push(fact("missing completely at random (Little)", format!("not tested: {why}"))),
        }
        section = section.block(Block::Facts(facts));
        let related = self.related(ALPHA);
        let to_target: Vec<&str> =
            related.iter().filter(|r| Some(&r.with) == self.target.as_ref()).map(|r| r.missing.as_str()).collect();
        if !to_target.is_empty() {
            let text = format!(
                "That values are missing in {} goes with the target; a value filled in hides it, an indicator keeps it.",
                to_target.join(", ")
            );
            section = section.block(Block::Warning(text));
        }
        let items = self.missing.iter().map(|(name, count)| (name.clone(), *count as f64 / self.rows as f64));
        section = section.block(Block::Chart(Chart::Bars {
            title: "Share of missing values".into(),
            items: items.take(DRAWN).collect(),
            mark: None,
        }));
        if related.is_empty() {
            return section.text(format!("No relation is significant at {ALPHA} among all tests."));
        }
        let row = |r: &&MissingnessRelation| {
            let numbers = [r.statistic, r.effect, r.p_value, r.adjusted].map(number);
            [vec![r.missing.clone(), r.with.clone(), r.test.to_string()], numbers.to_vec()].concat()
        };
        let columns = ["missing", "with", "test", "statistic", "effect", "p", "p adjusted"].map(String::from).to_vec();
        section = section.block(Block::Table { columns, rows: related.iter().take(LISTED).map(row).collect() });
        if related.len() > LISTED {
            section = section.text(format!("{} relations, the strongest shown.", related.len()));
        }
        section.blocks.extend(self.heat());
        section
    }
}

impl MissingnessReport {
    /// The effects as a map, if there are few enough columns to read it.
    fn heat(&self) -> Option<Block> {
        let mut with: Vec<String> = Vec::new();
        for relation in &self.relations {
            if !with.contains(&relation.with) {
                with.push(relation.with.clone());
            }
        }
        let effect = |missing: &str, with: &str| {
            self.relations.iter().find(|r| r.missing == missing && r.with == with).map_or(0.0, |r| r.effect)
        };
        let drawn = (1..=DRAWN).contains(&self.missing.len()) && with.len() <= DRAWN;
        drawn.then(|| {
            let row =
                |(name, _): &(String, usize)| (name.clone(), with.iter().map(|with| effect(name, with)).collect());
            Block::Chart(Chart::Heat {
                title: "How strongly missing values go with other values".into(),
                x: "value of".into(),
                y: "missing".into(),
                rows: self.missing.iter().map(row).collect(),
                columns: with,
            })
        })
    }
}

fn missing_rows(column: &Column) -> Vec<bool> {
    let mut missing = vec![true; column.len()];
    column.present_rows().into_iter().for_each(|row| missing[row] = false);
    missing
}

#[cfg(test)]
mod tests;
