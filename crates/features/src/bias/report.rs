//! How often the groups get what is good: the measure of bias in labels or decisions.

use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, DataError, Error, Result, SchemaError};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::schema::{Field, Kind};
use stagewise_core::task::Binary;
use stagewise_numeric::sum::ExactSum;

use super::groups::Groups;
use super::protected;
use crate::combine::block::counting_rows;

/// Rates of groups below this share of the largest rate are called disparate (the four-fifths rule of the United States'
/// Uniform Guidelines on Employee Selection Procedures, 1978).
const FOUR_FIFTHS: f64 = 0.8;

/// The rates at which groups are selected, and how far they are apart.
///
/// *Selected* is the event of the label ([`of_labels`](Self::of_labels)) or a decision ([`of_decisions`](Self::of_decisions)).
/// The rate of a group is `Σ w [selected] / Σ w` over its rows; its true positive rate is the same over its rows whose truth is
/// the event. Rows of weight 0 do not count. Rows without a group are counted, and are in no rate.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_features::bias::BiasReport;
///
/// let sex = Column::categories(["f", "f", "f", "f", "m", "m"].map(Some));
/// let hired = [true, false, false, false, true, false];
/// let report = BiasReport::of_decisions("sex", &sex, &hired, None, None)?;
/// assert_eq!(report.disparate_impact(), Some(0.5));
/// assert_eq!(report.statistical_parity_difference(), 0.25);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against fairlearn 0.15.0 `demographic_parity_ratio`, `demographic_parity_difference` and
/// `equal_opportunity_difference`, with and without weights, tolerance 1e-12.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasReport {
    /// The protected attribute, or attributes, by whose values rows are grouped.
    pub attribute: String,
    /// The groups, by their values.
    pub groups: Vec<GroupRates>,
    /// How many rows that count have no group.
    pub ungrouped: usize,
}

/// The rates of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRates {
    /// The values that make the group.
    pub name: String,
    /// How many rows that count.
    pub rows: usize,
    /// Their weight.
    pub weight: f64,
    /// The share of their weight that is selected.
    pub selected: f64,
    /// Of those whose truth is the event, the share that is selected; `None` without truths or without events.
    pub true_positive: Option<f64>,
}

impl BiasReport {
    /// Of the labels of a data set: how often the event is the truth, by the columns named, or by all of the role protected if
    /// none is.
    ///
    /// # Errors
    /// [`DataError::ProtectedNeeded`], [`SchemaError::MissingColumn`] and [`SchemaError::WrongKind`] for columns;
    /// [`DataError::TooFewRows`] if no row that counts has a group.
    pub fn of_labels<S: Into<String>>(data: &Dataset<Binary>, columns: impl IntoIterator<Item = S>) -> Result<Self> {
        let names: Vec<String> = columns.into_iter().map(Into::into).collect();
        let columns = protected::columns("a bias report", &names, data)?;
        Self::of(&columns, &counting_rows(data), data.target().events(), None, data.weights())
    }

    /// Of decisions: how often each group, a value of `group`, is selected, and with `truth` how often where it should be.
    /// `attribute` is what the groups are called together.
    ///
    /// # Errors
    /// [`DataError::Length`] if the slices are not equally long, [`SchemaError::WrongKind`] for groups that are no category, flag or
    /// number, [`DataError::BadWeight`], [`DataError::TooFewRows`] if no row that counts has a group.
    pub fn of_decisions(
        attribute: &str,
        group: &Column,
        selected: &[bool],
        truth: Option<&[bool]>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let lengths = [
            ("decisions", selected.len()),
            ("truths", truth.map_or(group.len(), <[bool]>::len)),
            ("weights", weights.map_or(group.len(), <[f64]>::len)),
        ];
        for (what, found) in lengths {
            if found != group.len() {
                return Err(DataError::Length { what: what.into(), expected: group.len(), found }.into());
            }
        }
        let weights_of = weights.unwrap_or_default();
        if let Some(row) = weights_of.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            return Err(DataError::BadWeight { row, value: weights_of[row] }.into());
        }
        if !matches!(group.kind(), Kind::Category | Kind::Flag | Kind::Number) {
            let error = SchemaError::WrongKind { expected: Kind::Category, found: group.kind() };
            return Err(Error::from(error).at(Crumb::column(attribute)));
        }
        let field = Field::new(attribute, group.kind());
        let field = match group {
            Column::Category { levels, .. } => field.levels(levels.clone()),
            _ => field,
        };
        let rows: Vec<usize> = (0..group.len()).filter(|&row| weights.is_none_or(|w| w[row] > 0.0)).collect();
        Self::of(&[(&field, group)], &rows, selected, truth, weights)
    }

    fn of(
        columns: &[(&Field, &Column)],
        rows: &[usize],
        selected: &[bool],
        truth: Option<&[bool]>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        #[derive(Clone, Default)]
        struct Sums {
            rows: usize,
            all: ExactSum,
            selected: ExactSum,
            events: ExactSum,
            hits: ExactSum,
        }
        let (groups, of) = Groups::learn(columns, rows)?;
        if groups.len() == 0 {
            return Err(DataError::TooFewRows { what: "a bias report".into(), needed: 1, found: 0 }.into());
        }
        let mut sums = vec![Sums::default(); groups.len()];
        for (&row, &group) in rows.iter().zip(&of) {
            let Some(group) = group else { continue };
            let (sum, weight) = (&mut sums[group], weights.map_or(1.0, |w| w[row]));
            let is_event = truth.is_some_and(|truth| truth[row]);
            sum.rows += 1;
            sum.all.add(weight);
            for (part, counts) in [
                (&mut sum.selected, selected[row]),
                (&mut sum.events, is_event),
                (&mut sum.hits, is_event && selected[row]),
            ] {
                if counts {
                    part.add(weight);
                }
            }
        }
        let rates = |(name, sum): (String, Sums)| {
            let events = sum.events.value();
            GroupRates {
                name,
                rows: sum.rows,
                weight: sum.all.value(),
                selected: sum.selected.value() / sum.all.value(),
                true_positive: (events > 0.0).then(|| sum.hits.value() / events),
            }
        };
        let attribute: Vec<&str> = columns.iter().map(|(field, _)| field.name.as_ref()).collect();
        Ok(Self {
            attribute: attribute.join(", "),
            ungrouped: of.iter().filter(|group| group.is_none()).count(),
            groups: groups.names.into_iter().zip(sums).map(rates).collect(),
        })
    }

    /// The smallest rate of selection divided by the largest, in [0, 1]: 1 is no difference, below 0.8 is called disparate.
    /// `None` if no one is selected.
    pub fn disparate_impact(&self) -> Option<f64> {
        let (least, most) = range(self.groups.iter().map(|group| group.selected))?;
        (most > 0.0).then(|| least / most)
    }

    /// The largest rate of selection less the smallest, in [0, 1]: 0 is no difference.
    pub fn statistical_parity_difference(&self) -> f64 {
        range(self.groups.iter().map(|group| group.selected)).map_or(0.0, |(least, most)| most - least)
    }

    /// The largest true positive rate less the smallest, in [0, 1]: 0 is no difference. `None` without truths, or if a group
    /// has no event.
    pub fn equal_opportunity_difference(&self) -> Option<f64> {
        let rates = self.groups.iter().map(|group| group.true_positive).collect::<Option<Vec<f64>>>()?;
        range(rates.into_iter()).map(|(least, most)| most - least)
    }
}

/// The smallest and the largest.
fn range(rates: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    rates.fold(None, |range, rate| {
        let (least, most) = range.unwrap_or((rate, rate));
        Some((rate.min(least), rate.max(most)))
    })
}

impl Exhibit for BiasReport {
    fn exhibit(&self) -> Section {
        let shown = |value: Option<f64>| value.map_or_else(|| "not defined".into(), number);
        let facts = [
            ("disparate impact", self.disparate_impact()),
            ("statistical parity difference", Some(self.statistical_parity_difference())),
            ("equal opportunity difference", self.equal_opportunity_difference()),
        ];
        let has_truths = self.groups.iter().any(|group| group.true_positive.is_some());
        let facts = facts.into_iter().filter(|(name, _)| has_truths || !name.starts_with("equal"));
        let mut section = Section::new(format!("Bias by {}", self.attribute))
            .block(Block::Facts(facts.map(|(name, value)| (name.to_string(), shown(value))).collect()));
        if self.disparate_impact().is_some_and(|ratio| ratio < FOUR_FIFTHS) {
            let text = "the smallest rate is below four fifths of the largest";
            section = section.block(Block::Warning(text.into()));
        }
        if self.ungrouped > 0 {
            let text = format!("{} rows have no group and are in no rate", self.ungrouped);
            section = section.block(Block::Warning(text));
        }
        let mut columns = vec!["group", "rows", "weight", "selected"];
        columns.extend(has_truths.then_some("true positive rate"));
        let row = |group: &GroupRates| {
            let mut row =
                vec![group.name.clone(), group.rows.to_string(), number(group.weight), number(group.selected)];
            row.extend(has_truths.then(|| shown(group.true_positive)));
            row
        };
        let most = self.groups.iter().map(|group| group.selected).fold(0.0, f64::max);
        section
            .block(Block::Table {
                columns: columns.into_iter().map(String::from).collect(),
                rows: self.groups.iter().map(row).collect(),
            })
            .block(Block::Chart(Chart::Bars {
                title: "Rate of selection; the mark is four fifths of the largest".into(),
                items: self.groups.iter().map(|group| (group.name.clone(), group.selected)).collect(),
                mark: (most > 0.0).then_some(FOUR_FIFTHS * most),
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sex() -> Column {
        Column::categories([Some("f"), Some("f"), Some("m"), Some("m"), None])
    }

    const SELECTED: [bool; 5] = [true, false, true, true, true];

    #[test]
    fn rates_honour_weights_and_leave_out_what_has_no_group() {
        let truth = [true, true, true, false, true];
        let weights = [1.0, 3.0, 2.0, 0.0, 1.0];
        let report = BiasReport::of_decisions("sex", &sex(), &SELECTED, Some(&truth), Some(&weights)).unwrap();
        assert_eq!(report.ungrouped, 1);
        let expected = [("f", 2, 4.0, 0.25, Some(0.25)), ("m", 1, 2.0, 1.0, Some(1.0))];
        for (group, (name, rows, weight, selected, true_positive)) in report.groups.iter().zip(expected) {
            let expected = GroupRates { name: name.into(), rows, weight, selected, true_positive };
            assert_eq!(group, &expected);
        }
        assert_eq!(report.disparate_impact(), Some(0.25));
        assert_eq!(report.statistical_parity_difference(), 0.75);
        assert_eq!(report.equal_opportunity_difference(), Some(0.75));
    }

    #[test]
    fn what_is_not_defined_says_so() {
        let report = BiasReport::of_decisions("sex", &sex(), &[false; 5], Some(&[false; 5]), None).unwrap();
        assert_eq!((report.disparate_impact(), report.equal_opportunity_difference()), (None, None));
        assert_eq!(report.statistical_parity_difference(), 0.0);
        let short = BiasReport::of_decisions("sex", &sex(), &[false; 4], None, None).unwrap_err();
        assert_eq!(short.to_string(), "decisions: 5 values needed, 4 found");
        let bad = BiasReport::of_decisions("sex", &sex(), &SELECTED, None, Some(&[f64::NAN; 5])).unwrap_err();
        assert!(bad.to_string().starts_with("weights must be finite"), "{bad}");
        let none = BiasReport::of_decisions("sex", &Column::missing(Kind::Flag, 2), &[true; 2], None, None);
        assert_eq!(none.unwrap_err().to_string(), "a bias report needs at least 1 rows, 0 found");
        let text = Column::texts([Some("f"), Some("m")]);
        assert!(BiasReport::of_decisions("sex", &text, &[true; 2], None, None).is_err());
    }

    #[test]
    fn the_exhibit_shows_groups_and_warns_below_four_fifths() {
        let report = BiasReport::of_decisions("sex", &sex(), &SELECTED, None, None).unwrap();
        let section = report.exhibit();
        assert_eq!(section.title, "Bias by sex");
        let warnings: Vec<_> = section.blocks.iter().filter(|block| matches!(block, Block::Warning(_))).collect();
        assert_eq!(warnings.len(), 2);
        let Some(Block::Chart(Chart::Bars { items, mark, .. })) = section.blocks.last() else { panic!("a chart") };
        assert_eq!((items.as_slice(), *mark), (&[("f".to_string(), 0.5), ("m".to_string(), 1.0)][..], Some(0.8)));
        let even = BiasReport::of_decisions("sex", &sex(), &[true; 5], None, Some(&[1.0, 1.0, 1.0, 1.0, 0.0])).unwrap();
        assert!(!even.exhibit().blocks.iter().any(|block| matches!(block, Block::Warning(_))));
    }
}
