//! Sides that are alike, sides that a column gives away, and what is refused.

use super::*;
use stagewise_core::exhibit::{Block, Exhibit};
use stagewise_core::task::Regression;
use stagewise_numeric::random::Stream;

/// Knows the mean of each column on each side, and answers how much nearer a row is to those of validation.
struct Nearest;

struct FittedNearest(Vec<(String, f64, f64)>);

impl Estimator<Binary> for Nearest {
    type Fitted = FittedNearest;

    fn fit(&self, train: &Dataset<Binary>, _cx: &FitContext) -> Result<FittedNearest> {
        let events = train.target().events();
        let weight = |row: usize| train.weights().map_or(1.0, |weights| weights[row]);
        let means = train.features().schema().names().into_iter().map(|name| {
            let values = train.features().column(&name)?.as_numbers()?;
            let mean = |side: bool| {
                let rows = || (0..values.len()).filter(|&row| events[row] == side);
                rows().map(|row| weight(row) * values[row]).sum::<f64>() / rows().map(weight).sum::<f64>()
            };
            Ok((name, mean(false), mean(true)))
        });
        means.collect::<Result<_>>().map(FittedNearest)
    }
}

impl Predictor<Binary> for FittedNearest {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        let mut output = Array1::zeros(table.rows());
        for (name, train, validation) in &self.0 {
            let values = table.column(name)?.as_numbers()?;
            let nearer = |value: &f64| (value - train).powi(2) - (value - validation).powi(2);
            output.iter_mut().zip(values).for_each(|(output, value)| *output += nearer(value));
        }
        Ok(output.mapv(|z: f64| 1.0 / (1.0 + (-z).exp())))
    }
}

/// Remembers on which side a value of `mark` was; of one that it has not seen it knows nothing.
struct Memory;

struct FittedMemory(Vec<(f64, bool)>);

impl Estimator<Binary> for Memory {
    type Fitted = FittedMemory;

    fn fit(&self, train: &Dataset<Binary>, _cx: &FitContext) -> Result<FittedMemory> {
        let marks = train.features().column("mark")?.as_numbers()?;
        Ok(FittedMemory(marks.iter().copied().zip(train.target().events().iter().copied()).collect()))
    }
}

impl Predictor<Binary> for FittedMemory {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        let side = |mark: &f64| {
            self.0.iter().find(|(seen, _)| seen == mark).map_or(0.5, |(_, side)| f64::from(u8::from(*side)))
        };
        Ok(table.column("mark")?.as_numbers()?.iter().map(side).collect())
    }
}

/// The columns of these names: noise `a` and `b`, the row number, a mark that four rows have in common, the group of these.
fn rows(count: usize, keep: &[&str], problem: &Problem<Regression>) -> Dataset<Regression> {
    let mut stream = Stream::new(5, "noise");
    let mut noise = || Column::numbers((0..count).map(|_| stream.unit()).collect::<Vec<_>>());
    let row = Column::numbers((0..count).map(|row| row as f64 / count as f64).collect::<Vec<_>>());
    let fours = Column::numbers((0..count).map(|row| (row / 4) as f64).collect::<Vec<_>>());
    let all = [("a", noise()), ("b", noise()), ("row", row), ("mark", fours.clone()), ("g", fours), ("y", noise())];
    let kept = all.into_iter().filter(|(name, _)| *name == "y" || keep.contains(name));
    Dataset::new(Table::of(kept).unwrap(), problem).unwrap()
}

fn plain(count: usize, keep: &[&str]) -> Dataset<Regression> {
    rows(count, keep, &Problem::new("y"))
}

/// Every third row judges, or the last third.
fn split(count: usize, late: bool) -> Split {
    let judges = |row: &usize| if late { *row >= count * 2 / 3 } else { row.is_multiple_of(3) };
    let (validation, train) = (0..count).partition(judges);
    Split { train, validation }
}

#[test]
fn alike_sides_are_not_told_apart_and_a_telling_column_is_named() {
    let check = AdversarialCheck::new();
    let cx = FitContext::new(1);
    let alike = check.run(&Nearest, &plain(600, &["a", "b", "row"]), &split(600, false), &cx).unwrap();
    assert!(!alike.differs() && alike.auc().contains(0.5), "{}", alike.auc());
    let late = check.run(&Nearest, &plain(600, &["a", "b", "row"]), &split(600, true), &cx).unwrap();
    assert!(late.differs() && late.auc().low > 0.95, "{}", late.auc());
    assert_eq!(late.columns()[0].name, "row");
    assert!(late.columns()[0].drop > 0.3 && late.columns()[1].drop < 0.05);
    let again = check.run(&Nearest, &plain(600, &["a", "b", "row"]), &split(600, true), &cx).unwrap();
    assert_eq!(late, again);
    assert!(matches!(late.exhibit().blocks.last(), Some(Block::Warning(text)) if text.contains("by `row`")));
    assert!(matches!(alike.exhibit().blocks.last(), Some(Block::Text(_))));
}

#[test]
fn rows_of_a_group_are_told_by_models_that_have_not_seen_it() {
    let (check, cx) = (AdversarialCheck::new(), FitContext::new(1));
    let torn = check.run(&Memory, &plain(240, &["mark"]), &split(240, true), &cx).unwrap();
    assert!(torn.auc().low > 0.9, "{}", torn.auc());
    let grouped = rows(240, &["mark", "g"], &Problem::new("y").group("g"));
    let whole = check.run(&Memory, &grouped, &split(240, true), &cx).unwrap();
    assert_eq!((whole.auc().estimate, whole.differs()), (0.5, false));
}

#[test]
fn copies_count_once_and_weights_weigh() {
    let data = plain(90, &["a", "row"]);
    let once = split(90, true);
    let twice = Split { train: once.train.iter().flat_map(|&row| [row, row]).collect(), ..once.clone() };
    let check = AdversarialCheck::new();
    let cx = FitContext::new(3);
    let plain = check.run(&Nearest, &data, &once, &cx).unwrap();
    assert_eq!(check.run(&Nearest, &data, &twice, &cx).unwrap(), plain);
    let weights = (0..90).map(|row| 1.0 + f64::from(row % 5)).collect();
    let weighted = check.run(&Nearest, &data.reweighted(weights).unwrap(), &once, &cx).unwrap();
    assert_ne!(weighted, plain);
}

#[test]
fn what_does_not_fit_is_refused() {
    let cx = FitContext::new(0);
    let data = plain(60, &["a"]);
    let text = |check: AdversarialCheck, split: Split| check.run(&Nearest, &data, &split, &cx).unwrap_err().to_string();
    assert_eq!(text(AdversarialCheck::new().folds(1), split(60, true)), "`folds` is 1, allowed is at least 2");
    let few = Split { train: (0..50).collect(), validation: vec![50, 51] };
    assert_eq!(text(AdversarialCheck::new(), few), "telling sides apart in 5 folds needs at least 5 rows, 2 found");
    let outside = Split { train: (0..50).collect(), validation: (55..61).collect() };
    assert_eq!(text(AdversarialCheck::new(), outside), "rows of the split: 60 values needed, 61 found");
    let error = text(AdversarialCheck::new().repeats(0), split(60, true));
    assert_eq!(error, "fold 0: `repeats` is 0, allowed is at least 1");
}
