//! The confident joint: how many rows that were given a class likely belong to another.

/// Rows counted by the class given and the class that they reach.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joint {
    /// None for a class without rows.
    pub(super) thresholds: Vec<Option<f64>>,
    /// Given × likely.
    pub(super) counts: Vec<Vec<u64>>,
    /// The same, each row scaled to the rows that were given the class.
    pub(super) calibrated: Vec<Vec<f64>>,
    /// How many rows were given each class.
    pub(super) given: Vec<usize>,
    /// The class that each row reaches.
    pub(super) reached: Vec<Option<usize>>,
}

impl Joint {
    pub(super) fn of(given: &[usize], rows: &[Vec<f64>], classes: usize) -> Self {
        let mut sums = vec![0.0; classes];
        let mut sizes = vec![0_usize; classes];
        for (&class, row) in given.iter().zip(rows) {
            sums[class] += row[class];
            sizes[class] += 1;
        }
        let thresholds: Vec<Option<f64>> =
            sums.iter().zip(&sizes).map(|(sum, &n)| (n > 0).then(|| sum / n as f64)).collect();
        let reached: Vec<Option<usize>> = rows.iter().map(|row| reached(row, &thresholds)).collect();
        let mut counts = vec![vec![0; classes]; classes];
        given.iter().zip(&reached).for_each(|(&given, reached)| {
            reached.iter().for_each(|&class| counts[given][class] += 1);
        });
        // One row of each class is taken to be right, so that each can be scaled.
        (0..classes).for_each(|class| counts[class][class] = counts[class][class].max(1));
        let scaled = |(row, &n): (&Vec<u64>, &usize)| {
            let total = row.iter().sum::<u64>() as f64;
            row.iter().map(|&count| count as f64 / total * n as f64).collect()
        };
        let calibrated = counts.iter().zip(&sizes).map(scaled).collect();
        Self { thresholds, counts, calibrated, given: sizes, reached }
    }

    /// Of each pair of classes as many rows as the joint says, those with the largest difference of probabilities.
    pub(super) fn by_noise_rate(&self, given: &[usize], rows: &[Vec<f64>]) -> Vec<bool> {
        let mut suspect = vec![false; rows.len()];
        let counts: Vec<Vec<usize>> = self.calibrated.iter().map(|row| rounded(row)).collect();
        for (class, counts) in counts.iter().enumerate().filter(|(class, _)| self.given[*class] > 1) {
            let of: Vec<usize> = (0..rows.len()).filter(|&row| given[row] == class).collect();
            for (other, &count) in counts.iter().enumerate().filter(|(other, n)| *other != class && **n > 0) {
                let margin = |row: usize| rows[row][other] - rows[row][class];
                let mut margins: Vec<f64> = of.iter().map(|&row| margin(row)).collect();
                margins.sort_by(|a, b| b.total_cmp(a));
                let Some(&cut) = margins.get(count.min(margins.len()) - 1) else { continue };
                of.iter().filter(|&&row| margin(row) >= cut).for_each(|&row| suspect[row] = true);
            }
        }
        contradicted(given, rows, suspect)
    }

    /// Rows that reach another class than the one they were given, and are likeliest of another.
    pub(super) fn confident(&self, given: &[usize], rows: &[Vec<f64>]) -> Vec<bool> {
        let other = |(reached, given): (&Option<usize>, &usize)| reached.is_some_and(|class| class != *given);
        contradicted(given, rows, self.reached.iter().zip(given).map(other).collect())
    }
}

/// The likeliest of the classes whose thresholds a row reaches; of equally likely ones the first.
fn reached(row: &[f64], thresholds: &[Option<f64>]) -> Option<usize> {
    const CLOSE: f64 = 1e-6;
    let reaches = |class: &usize| thresholds[*class].is_some_and(|threshold| row[*class] >= threshold - CLOSE);
    (0..row.len()).filter(reaches).fold(None, |best, class| match best {
        Some(best) if row[best] >= row[class] => Some(best),
        _ => Some(class),
    })
}

/// Takes back suspicion of rows whose label is the likeliest class.
fn contradicted(given: &[usize], rows: &[Vec<f64>], mut suspect: Vec<bool>) -> Vec<bool> {
    for ((suspect, &given), row) in suspect.iter_mut().zip(given).zip(rows) {
        *suspect &= likeliest(row) != given;
    }
    suspect
}

/// The likeliest class, of equally likely ones the first.
pub(super) fn likeliest(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// Whole numbers with the same sum: rounded down, and those with the largest remainders up.
fn rounded(row: &[f64]) -> Vec<usize> {
    let mut whole: Vec<usize> = row.iter().map(|x| x.floor() as usize).collect();
    let short = (row.iter().sum::<f64>().round() as usize).saturating_sub(whole.iter().sum());
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].fract().total_cmp(&row[a].fract()));
    order.into_iter().take(short).for_each(|place| whole[place] += 1);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_the_sum() {
        assert_eq!(rounded(&[1.5, 2.7, 0.8]), [1, 3, 1]);
        assert_eq!(rounded(&[0.0, 3.0]), [0, 3]);
    }

    #[test]
    fn a_class_without_rows_is_reached_by_none() {
        let rows = vec![vec![0.1, 0.0, 0.9], vec![0.8, 0.2, 0.0]];
        let joint = Joint::of(&[0, 0], &rows, 3);
        assert_eq!(joint.thresholds, [Some(0.45), None, None]);
        assert_eq!(joint.reached, [None, Some(0)]);
        assert_eq!(joint.calibrated[1], [0.0; 3]);
    }
}
