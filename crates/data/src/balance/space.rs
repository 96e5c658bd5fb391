//! Feature columns as axes of a space in which rows have a distance.
//!
//! Numbers and points in time differ by their difference, perhaps in standard deviations; levels and flags are the same or
//! not. A missing value is like a level of its own; a missing number stands at the mean besides. Text has no distance and is
//! refused. Where there are levels only, they lie apart as their classes do: see [`Space::valued`].

use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, PipelineError, Result};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;
use stagewise_numeric::neighbours::{Axis, Points};
use stagewise_numeric::quantile::median;
use stagewise_numeric::sum::Moments;

use super::classes::ByClass;

/// The rows of a table as points.
#[derive(Debug)]
pub(crate) struct Space {
    numbers: Vec<Vec<f64>>,
    levels: Vec<Vec<u32>>,
}

impl Space {
    /// The space of these columns; `standardise` divides numbers by their standard deviation.
    ///
    /// # Errors
    /// [`DataError::NoFeatures`] without a column, [`PipelineError::Refused`] for text, [`DataError::NotFinite`].
    pub(crate) fn new(stage: &str, features: &Table, standardise: bool) -> Result<Self> {
        let fields = features.schema().fields();
        let text: Vec<String> =
            fields.iter().filter(|field| field.kind == Kind::Text).map(|field| field.name.to_string()).collect();
        if !text.is_empty() {
            let remedy = "encode it in a step before, or give it another role".to_string();
            return Err(PipelineError::Refused { stage: stage.into(), what: "text", columns: text, remedy }.into());
        }
        if fields.is_empty() {
            let remedy = format!("{stage} needs one to measure distances by");
            return Err(DataError::NoFeatures { remedy }.into());
        }
        let mut space = Self { numbers: Vec::new(), levels: Vec::new() };
        for (field, column) in fields.iter().zip(features.columns()) {
            match column {
                Column::Number(values) => {
                    space.number(values, standardise).at(|| Crumb::column(field.name.as_ref()))?;
                }
                Column::Timestamp(times) => {
                    let number = |&time: &i64| if time == MISSING_TIME { f64::NAN } else { time as f64 };
                    space.number(&times.iter().map(number).collect::<Vec<_>>(), standardise)?;
                }
                Column::Category { codes, .. } => space.levels.push(codes.to_vec()),
                Column::Flag(flags) => {
                    space.levels.push(flags.iter().map(|flag| flag.map_or(MISSING_CODE, u32::from)).collect());
                }
                // Text was refused; there is no other kind.
                _ => {}
            }
        }
        Ok(space)
    }

    /// Adds a number axis, and one that says which values are missing if some are.
    fn number(&mut self, values: &[f64], standardise: bool) -> Result<()> {
        let infinite = |x: &f64| x.is_infinite();
        if let Some(first) = values.iter().position(infinite) {
            let count = values.iter().filter(|x| infinite(x)).count();
            return Err(DataError::NotFinite { count, first }.into());
        }
        let (mean, sd, size) = spread(values.iter().copied());
        let placed = |x: f64| match (standardise, x.is_nan()) {
            (true, true) => 0.0,
            (true, false) if sd > 0.0 => (x / size - mean) / sd,
            (true, false) => 0.0,
            (false, true) => mean * size,
            (false, false) => x,
        };
        self.numbers.push(values.iter().map(|&x| placed(x)).collect());
        if values.iter().any(|x| x.is_nan()) {
            self.levels.push(values.iter().map(|x| u32::from(x.is_nan())).collect());
        }
        Ok(())
    }

    /// Whether there are levels alone.
    pub(super) fn levels_alone(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Where there are levels alone: a level becomes the shares of the classes among its rows, so that two levels are as far
    /// apart as their classes differ. `δ² = Σ_class (P(class | a) − P(class | b))²`, the value difference metric in its
    /// quadratic form (Stanfill & Waltz 1986; `N2` of Wilson & Martinez 1997).
    pub(super) fn valued(mut self, classes: &ByClass, weights: Option<&[f64]>) -> Self {
        if !self.levels_alone() {
            return self;
        }
        for codes in std::mem::take(&mut self.levels) {
            // The last place is that of the missing.
            let most = codes.iter().filter(|&&code| code != MISSING_CODE).max().map_or(0, |&code| code as usize + 1);
            let place = |code: u32| if code == MISSING_CODE { most } else { code as usize };
            let mut shares = vec![vec![0.0; most + 1]; classes.names.len()];
            let mut totals = vec![0.0; most + 1];
            for (row, &code) in codes.iter().enumerate() {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                shares[classes.of[row]][place(code)] += weight;
                totals[place(code)] += weight;
            }
            let share = |of: &[f64], code: u32| {
                let total = totals[place(code)];
                if total > 0.0 { of[place(code)] / total } else { 0.0 }
            };
            self.numbers.extend(shares.iter().map(|of| codes.iter().map(|&code| share(of, code)).collect()));
        }
        self
    }

    /// How far differing levels lie apart among `rows`: the median of the standard deviations of the numbers that vary
    /// there; 1 if none does (Chawla et al. 2002, section 6.1).
    pub(crate) fn apart(&self, rows: &[usize]) -> f64 {
        let deviation = |values: &Vec<f64>| {
            let (_, sd, size) = spread(rows.iter().map(|&row| values[row]));
            sd * size
        };
        let varying: Vec<f64> = self.numbers.iter().map(deviation).filter(|&sd| sd > 0.0).collect();
        median(&varying).unwrap_or(1.0)
    }

    /// `rows` as points, numbered as they stand there.
    pub(crate) fn points(&self, rows: &[usize], apart: f64) -> Points {
        fn gather<V: Copy>(values: &[V], rows: &[usize]) -> Vec<V> {
            rows.iter().map(|&row| values[row]).collect()
        }
        let numbers: Vec<Vec<f64>> = self.numbers.iter().map(|values| gather(values, rows)).collect();
        let levels: Vec<Vec<u32>> = self.levels.iter().map(|codes| gather(codes, rows)).collect();
        let levels = levels.iter().map(|codes| Axis::Level { codes, apart });
        Points::new(&numbers.iter().map(|values| Axis::Number(values)).chain(levels).collect::<Vec<_>>())
    }

    /// All rows as points, with levels as far apart as [`apart`](Self::apart) says of all of them.
    pub(super) fn all_points(&self, rows: usize) -> Points {
        let all: Vec<usize> = (0..rows).collect();
        self.points(&all, self.apart(&all))
    }
}

/// Mean and standard deviation in units of the largest value, and that value, so that no square overflows.
pub(crate) fn spread(values: impl Iterator<Item = f64> + Clone) -> (f64, f64, f64) {
    let size = values.clone().fold(0.0_f64, |size, x| size.max(x.abs()));
    if size == 0.0 {
        return (0.0, 0.0, 1.0);
    }
    let mut moments = Moments::new();
    values.for_each(|x| moments.add(x / size));
    (moments.mean().unwrap_or(0.0), moments.variance(0.0).unwrap_or(0.0).max(0.0).sqrt(), size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::data;

    #[test]
    fn every_kind_has_a_distance_and_missing_is_like_a_level() {
        let table = Table::of([
            ("x", Column::numbers([0.0, 2.0, 4.0, f64::NAN])),
            ("c", Column::categories([Some("a"), Some("a"), None, None])),
            ("f", Column::flags([Some(true), Some(false), None, Some(true)])),
            ("t", Column::timestamps([5, 5, 5, MISSING_TIME])),
        ])
        .unwrap();
        let space = Space::new("test", &table, false).unwrap();
        let near = space.points(&[0, 1, 2, 3], 10.0).nearest(3);
        // The missing number stands at 2, and is missing; so is the time.
        assert_eq!((near.of(0), near.squared(0)), ([1, 2, 3].as_slice(), [104.0, 216.0, 304.0].as_slice()));
        // Population deviations of 0, 2, 4, 2 and of four equal times.
        assert!((space.apart(&[0, 1, 2, 3]) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(space.apart(&[1]), 1.0);
    }

    #[test]
    fn standardising_takes_any_scale() {
        let table =
            Table::of([("x", Column::numbers([1e300, -1e300, 0.0])), ("y", Column::numbers([3.0; 3]))]).unwrap();
        let near = Space::new("test", &table, true).unwrap().points(&[0, 1, 2], 1.0).nearest(2);
        assert_eq!(near.of(0), [2, 1]);
        assert!((near.squared(0)[0] - 1.5).abs() < 1e-12);
    }

    #[test]
    fn levels_alone_lie_apart_as_their_classes_do() {
        let data = data::binary(80, 1);
        let plan = data.features().column("plan").unwrap().clone();
        let table = Table::of([("plan", plan.clone())]).unwrap();
        let classes = ByClass::new(&data);
        let space = Space::new("test", &table, true).unwrap().valued(&classes, None);
        let (codes, _) = plan.as_categories().unwrap();
        let share = |code: u32| {
            let of: Vec<usize> = (0..80).filter(|&row| codes[row] == code).collect();
            of.iter().filter(|&&row| classes.of[row] == 1).count() as f64 / of.len() as f64
        };
        let near = space.points(&(0..80).collect::<Vec<_>>(), 1.0).nearest(79);
        for (&other, &squared) in near.of(0).iter().zip(near.squared(0)) {
            let expected = 2.0 * (share(codes[0]) - share(codes[other])).powi(2);
            assert!((squared - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn what_has_no_distance_is_refused() {
        let text = Table::of([("note", Column::texts([Some("a"), None]))]).unwrap();
        let error = Space::new("Smote", &text, true).unwrap_err().to_string();
        assert_eq!(
            error,
            "Smote takes no text, which would reach it in `note`; encode it in a step before, or give it another role"
        );
        let infinite = Table::of([("x", Column::numbers([1.0, f64::INFINITY]))]).unwrap();
        let error = Space::new("Smote", &infinite, true).unwrap_err().to_string();
        assert!(error.starts_with("column `x`: holds 1 values that are not finite (first: row 1)"), "{error}");
        assert!(Space::new("Smote", &text.select(&[]).unwrap(), true).is_err());
    }
}
