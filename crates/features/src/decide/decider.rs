//! Each value that a decision names becomes what was decided, in training and at serving alike.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::decision::{Decided, DecisionCount, Recoding, Remedy, ValueDecisions};
use stagewise_core::error::{At, Crumb, Result};
use stagewise_core::exhibit::{Exhibit, Section};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{Plan, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Task;

use crate::columns::require_columns;
use crate::rewrite::{ColumnRule, Rewrite, Training};

/// Does what was decided about values: maps them, marks them missing, keeps them, or refuses their rows.
///
/// | remedy | in training | at serving |
/// |---|---|---|
/// | `Map(to)` | becomes `to`, also where no other row has it | the code of the level `to`; if training never had it, the unseen level `to` |
/// | `Missing` | becomes missing | the same |
/// | `NewLevel` | stays | stays; if training never had it, it is as unseen as before, and what comes next decides |
/// | `Reject` | an error: rows in are rows out, so drop them before by [`RejectedRows`](super::RejectedRows) | [`Rejected`](stagewise_core::error::DataError::Rejected), with column and value |
///
/// Levels and text are met to the letter, numbers, flags and times by value. What a value is mapped to is not decided again.
/// A missing value meets no decision. A level that is mapped away, missing or rejected leaves the levels of its column.
/// All columns that are decided about must be features; [`ValueDecisions::about`] leaves out what is decided about others.
/// Rows that a learner [holds out](stagewise_core::stage::Learner::holds_out) are rows at serving to this step, and no
/// sampler sees them: with such a learner, leave rejected rows out of the table, by [`ValueDecisions::apply`].
///
/// What is learned: how many training rows met each decision, a row of weight 0 none
/// ([`counts`](FittedValueDecider::counts), which its [`Exhibit`] shows). Decisions that met none leave a warning, but for
/// those that reject. A pipeline with this step counts rows that meet a decision at serving, in
/// [`Admission::decided`](stagewise_core::pipeline::Admission); of any other table [`ValueDecisions::counts`] says it. The
/// target is not touched.
///
/// Output: the same columns. `O(rows log decisions)` a column. [`DataError`](stagewise_core::error::DataError): `Unparsable`
/// for a decision that does not fit its column's kind, `DecidedTwice`, `Rejected`;
/// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError).
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::decision::{Remedy, ValueDecisions};
/// use stagewise_core::problem::Problem;
/// use stagewise_core::record::Cell;
/// use stagewise_core::stage::{Transform, Transformer};
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::decide::ValueDecider;
///
/// let table = Table::of([
///     ("state", Column::categories([Some("California"), Some("Califronia"), Some("Utah")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let decisions = ValueDecisions::new()
///     .decide("state", "Califronia", Remedy::Map("California".into()))
///     .decide("state", "Ca.", Remedy::Map("California".into()));
/// let (fitted, train) = ValueDecider::of(decisions).fit_transform(train, &FitContext::new(0))?;
/// let (codes, levels) = train.features().column("state")?.as_categories()?;
/// assert_eq!((codes, levels.to_strings()), ([0, 0, 1].as_slice(), vec!["California".into(), "Utah".into()]));
/// assert_eq!(fitted.counts().iter().map(|c| c.rows).collect::<Vec<_>>(), [0, 1]);
/// let mut row = Vec::new();
/// fitted.transform_row(&[Cell::NewLevel("Ca.".into())], &mut row)?;
/// assert_eq!(row, [Cell::Level(0)]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueDecider {
    decisions: ValueDecisions,
}

impl ValueDecider {
    /// Does what these decisions say.
    pub fn of(decisions: ValueDecisions) -> Self {
        Self { decisions }
    }

    /// The decisions.
    pub fn decisions(&self) -> &ValueDecisions {
        &self.decisions
    }
}

impl Persist for ValueDecider {
    const TAG: &'static str = "ValueDecider";
}

impl<T: Task> Transformer<T> for ValueDecider {
    type Fitted = FittedValueDecider;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let mut fields = input.fields().to_vec();
        for position in self.decisions.positions(input)? {
            let field = &mut fields[position];
            let decided = self.decisions.decided(&field.name, field.kind).at(|| Crumb::column(field.name.as_ref()))?;
            *field = DecidedColumn::new(decided, field).field(field);
        }
        Ok(Plan::exact(fields))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedValueDecider> {
        let positions = self.decisions.positions(train.features().schema())?;
        let columns = Rewrite::learn(train, &positions, cx, |training| {
            let decided = self.decisions.decided(&training.field.name, training.field.kind)?;
            DecidedColumn::learn(decided, training)
        })?;
        Ok(FittedValueDecider { columns })
    }
}

/// What [`ValueDecider`] learns: how many training rows met each decision, and what becomes of each level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FittedValueDecider {
    columns: Rewrite<DecidedColumn>,
}

impl FittedValueDecider {
    /// Each decision with the training rows that met it, by the order of the columns, then by value. Rows, not weights; a row
    /// of weight 0 is not there.
    pub fn counts(&self) -> Vec<DecisionCount> {
        self.named().flat_map(|(name, rule)| rule.decided.counts(name, &rule.rows)).collect()
    }

    fn named(&self) -> impl Iterator<Item = (&str, &DecidedColumn)> {
        let name = |position: usize| self.columns.input().fields()[position].name.as_ref();
        self.columns.rules().map(move |(position, rule)| (name(position), rule))
    }
}

impl Persist for FittedValueDecider {
    const TAG: &'static str = "FittedValueDecider";
}

impl Transform for FittedValueDecider {
    fn input(&self) -> &Arc<Schema> {
        self.columns.input()
    }

    fn output(&self) -> &Arc<Schema> {
        self.columns.output()
    }

    fn transform(&self, features: Table) -> Result<Table> {
        self.columns.transform(features)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        self.columns.transform_row(row, out)
    }

    fn decides(&self) -> bool {
        true
    }

    fn decided(&self, features: &Table) -> Result<Vec<DecisionCount>> {
        require_columns(self.input(), features)?;
        let mut counts = Vec::new();
        for ((name, rule), (position, _)) in self.named().zip(self.columns.rules()) {
            let mut rows = vec![0; rule.decided.len()];
            let met = rule.decided.met(&features.columns()[position]).at(|| Crumb::column(name))?;
            met.into_iter().for_each(|(_, place)| rows[place] += 1);
            counts.extend(rule.decided.counts(name, &rows));
        }
        Ok(counts)
    }

    fn decided_row(&self, row: &[Cell], met: &mut dyn FnMut(&str, &str)) {
        for ((name, rule), (position, _)) in self.named().zip(self.columns.rules()) {
            let value = row.get(position).and_then(|cell| rule.place(cell)).and_then(|place| rule.decided.value(place));
            if let Some(value) = value {
                met(name, value);
            }
        }
    }
}

impl Exhibit for FittedValueDecider {
    fn exhibit(&self) -> Section {
        self.counts().exhibit()
    }
}

/// What was decided about one column, and what training rows made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecidedColumn {
    decided: Decided,
    /// What becomes of the levels, if the column has any.
    recoding: Option<Recoding>,
    /// How many training rows met each decision.
    rows: Vec<u64>,
}

impl DecidedColumn {
    fn new(decided: Decided, field: &Field) -> Self {
        let levels = || field.levels.as_deref().cloned().unwrap_or_default();
        let recoding = (field.kind == Kind::Category).then(|| Recoding::new(&decided, &levels()));
        Self { rows: vec![0; decided.len()], decided, recoding }
    }

    /// The column after the decisions. Levels that are not known yet stay so.
    fn field(&self, field: &Field) -> Field {
        let decided = field.clone().missing(field.missing || self.decided.makes_missing());
        match &self.recoding {
            Some(recoding) if field.levels.is_some() => decided.levels(recoding.levels().clone()),
            _ => decided,
        }
    }

    fn learn(decided: Decided, training: &mut Training<'_>) -> Result<Self> {
        let mut learned = Self::new(decided, training.field);
        let met = learned.decided.met(training.column)?;
        learned.refuse(&met)?;
        for (row, place) in met {
            if training.weights.is_none_or(|weights| weights[row] > 0.0) {
                learned.rows[place] += 1;
            }
        }
        let expected = |remedy: &Remedy| *remedy != Remedy::Reject;
        let unmet =
            learned.decided.iter().zip(&learned.rows).filter(|((_, d), rows)| **rows == 0 && expected(&d.remedy));
        let unmet: Vec<&str> = unmet.map(|((value, _), _)| value).collect();
        if !unmet.is_empty() {
            training.warn(format!("no training row holds {}, about which something is decided", named(&unmet)));
        }
        Ok(learned)
    }

    /// The place of the decision that a cell meets.
    fn place(&self, cell: &Cell) -> Option<usize> {
        match &self.recoding {
            Some(recoding) => recoding.place(&self.decided, cell),
            None => self.decided.place(cell),
        }
    }

    /// The error of the first row that a decision refuses, if there is any.
    fn refuse(&self, met: &[(usize, usize)]) -> Result<()> {
        match met.iter().find(|(_, place)| self.decided.refuses(*place)) {
            None => Ok(()),
            Some(&(row, place)) => Err(self.decided.refused(place)).at(|| Crumb::Row(row)),
        }
    }
}

impl ColumnRule for DecidedColumn {
    const TAG: &'static str = "DecidedColumns";

    fn fields(&self, field: &Field) -> Vec<Field> {
        vec![self.field(field)]
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let met = self.decided.met(&column)?;
        self.refuse(&met)?;
        out.push(match &self.recoding {
            Some(recoding) => recoding.column(&self.decided, column)?,
            None => self.decided.column(column, &met)?,
        });
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(match &self.recoding {
            Some(recoding) => recoding.cell(&self.decided, cell)?,
            None => self.decided.cell(cell)?,
        });
        Ok(())
    }
}

/// At most five values in backquotes.
fn named(values: &[&str]) -> String {
    const SHOWN: usize = 5;
    let mut text = values.iter().take(SHOWN).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    if values.len() > SHOWN {
        text += &format!(" and {} more", values.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::MISSING_CODE;
    use stagewise_core::decision::ValueDecision;
    use stagewise_core::persist::Saved;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::{admitted, training};

    fn map(to: &str) -> Remedy {
        Remedy::Map(to.into())
    }

    #[test]
    fn conforms() {
        let kind = ValueDecisions::new()
            .decide("city", "Ulm", map("Bern"))
            .decide("city", "never seen", map("Porto"))
            .decide("city", "nor this", map("Basel"))
            .decide("plan", "plus", map("premium"))
            .decide("plan", "nor this", Remedy::Missing)
            .decide("age", "20", Remedy::Missing)
            .decide("age", "1e300", map("30"))
            .decide("active", "no", map("yes"))
            .decide("plan", "never seen", Remedy::NewLevel);
        let strict = kind.clone().decide("plan", "never seen", Remedy::Reject).decide("age", "0", Remedy::Reject);
        for decisions in [kind, strict, ValueDecisions::new()] {
            let spec = ValueDecider::of(decisions);
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3));
            conformance::transformer(&spec, &data::ranking(62, 3));
        }
    }

    fn plans() -> Table {
        Table::of([
            ("plan", Column::categories([Some("pro"), Some("Pro"), Some("-"), None, Some("Pro")])),
            ("age", Column::numbers([31.0, 999.0, 44.0, 999.0, 50.0])),
        ])
        .unwrap()
    }

    fn decisions() -> ValueDecisions {
        ValueDecisions::new()
            .decide("plan", "Pro", map("pro"))
            .decide("plan", "-", ValueDecision::new(Remedy::Missing).author("M. Kern").note("the default"))
            .decide("plan", "gold", Remedy::Reject)
            .decide("plan", "trial", Remedy::NewLevel)
            .decide("plan", "P", map("pro"))
            .decide("age", "999", Remedy::Missing)
    }

    #[test]
    fn training_rows_are_counted_and_decisions_that_meet_none_warned_of() {
        let cx = FitContext::new(0);
        let weighted = training(plans(), Some(vec![1.0, 2.0, 1.0, 0.0, 0.0]));
        let (fitted, train) = ValueDecider::of(decisions()).fit_transform(weighted, &cx).unwrap();
        let counts: Vec<(String, u64)> = fitted.counts().into_iter().map(|c| (c.value, c.rows)).collect();
        let told = [("-", 1), ("P", 0), ("Pro", 1), ("gold", 0), ("trial", 0), ("999", 1)];
        assert_eq!(counts, told.map(|(value, rows)| (value.to_string(), rows)));
        let warnings: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
        assert_eq!(warnings, ["column `plan`: no training row holds `P`, `trial`, about which something is decided"]);
        let expected = Column::categories([Some("pro"), Some("pro"), None, None, Some("pro")]);
        assert_eq!(train.features().column("plan").unwrap(), &expected);
        assert_eq!(train.features().schema().field("plan").unwrap().levels.as_ref().unwrap().to_strings(), ["pro"]);
        assert_eq!(train.features().column("age").unwrap(), &Column::numbers([31.0, f64::NAN, 44.0, f64::NAN, 50.0]));
        assert!(fitted.output().field("age").unwrap().missing);
        let section = fitted.exhibit();
        let loaded: FittedValueDecider = Saved::of(&fitted).unwrap().load().unwrap();
        assert_eq!((loaded.exhibit(), loaded), (section, fitted));
    }

    #[test]
    fn levels_that_come_later_meet_the_decisions_by_name() {
        let fitted = ValueDecider::of(decisions()).fit(&training(plans(), None), &FitContext::new(0)).unwrap();
        let later = |plans: &[Option<&str>]| {
            let ages = Column::numbers(vec![1.0; plans.len()]);
            let batch = Table::of([("plan", Column::categories(plans.iter().copied())), ("age", ages)]).unwrap();
            fitted.transform(admitted(&self::plans(), &batch))
        };
        let out = later(&[Some("P"), Some("trial"), Some("free"), Some("-"), Some("Pro")]).unwrap();
        let (codes, levels) = out.column("plan").unwrap().as_categories().unwrap();
        assert_eq!(codes, [0, 1, 2, MISSING_CODE, 0]);
        assert_eq!(levels.to_strings(), ["pro", "trial", "free"]);
        let batch = |plans: &[Option<&str>]| {
            let ages = Column::numbers([999.0, 1.0, 999.0]);
            let batch = Table::of([("plan", Column::categories(plans.iter().copied())), ("age", ages)]).unwrap();
            admitted(&self::plans(), &batch)
        };
        let table = batch(&[Some("P"), Some("gold"), Some("Pro")]);
        let counted = fitted.decided(&table).unwrap();
        let met: Vec<(&str, u64)> = counted.iter().filter(|c| c.rows > 0).map(|c| (c.value.as_str(), c.rows)).collect();
        assert_eq!(met, [("P", 1), ("Pro", 1), ("gold", 1), ("999", 2)]);
        let mut by_row = Vec::new();
        for row in [[Cell::NewLevel("P".into()), Cell::Number(999.0)], [Cell::Level(1), Cell::Missing]] {
            fitted.decided_row(&row, &mut |column, value| by_row.push(format!("{column}: {value}")));
        }
        assert_eq!(by_row, ["plan: P", "age: 999", "plan: Pro"]);
        let error = later(&[None, Some("gold")]).unwrap_err().to_string();
        assert!(error.starts_with("column `plan` › row 1: `gold` is rejected by a decision; correct it"), "{error}");
        let row = [Cell::NewLevel("gold".into()), Cell::Missing];
        let error = fitted.transform_row(&row, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("column `plan`: `gold` is rejected by a decision; correct it"), "{error}");
    }

    #[test]
    fn a_rejected_training_row_is_refused_with_what_to_do() {
        let spec = ValueDecider::of(ValueDecisions::new().decide("age", "44.0", Remedy::Reject));
        let error = spec.fit(&training(plans(), None), &FitContext::new(0)).unwrap_err().to_string();
        assert_eq!(
            error,
            "column `age` › row 2: `44.0` is rejected by a decision; correct it or leave the row out (in training with \
             `RejectedRows` before this step)"
        );
    }

    #[test]
    fn what_does_not_fit_the_columns_is_refused_before_data() {
        let refused = |column: &str, value: &str| {
            let spec = ValueDecider::of(ValueDecisions::new().decide(column, value, Remedy::Missing));
            Transformer::<Regression>::plan(&spec, plans().schema()).unwrap_err().to_string()
        };
        assert_eq!(refused("plann", "x"), "there is no column `plann`; did you mean `plan`?");
        assert!(refused("age", "old").starts_with("column `age`: `old` is not a number"));
    }
}
