//! Which test rows stand in the training rows too: equal, equal but for one column, equal but for rounding.
//!
//! Rows with few different values are equal by chance. So a search is only made where, were the columns independent, a test
//! row would find an equal by chance at most one time in a hundred: `training rows · Π c ≤ 0.01`, with `c` the share of
//! pairs of training rows that agree in a column.

use rayon::prelude::*;
use stagewise_core::column::Column;

use crate::check::rows::{self, mixed};

/// The chance of an equal row above which equal rows say nothing.
const CHANCE: f64 = 0.01;

/// Windows of the search for rounded rows hold at most this many training rows on average.
const WINDOW: f64 = 1000.0;

/// A test row, and the first training row that it equals.
pub(super) type Pair = (usize, usize);

/// Training rows, then test rows, column by column, as keys.
pub(super) struct Rows<'a> {
    columns: Vec<&'a Column>,
    keys: Vec<Vec<u64>>,
    train: usize,
    /// The chance that two rows agree, of each column.
    collision: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// `columns` hold the training rows first, `train` of them.
    pub(super) fn new(columns: Vec<&'a Column>, train: usize) -> Self {
        let keys = rows::keys(&columns);
        let collision = keys.iter().map(|keys| collision(&keys[..train])).collect();
        Self { columns, keys, train, collision }
    }

    /// How many equals a test row would find by chance, were the columns independent; `without` one of them.
    fn chance(&self, without: Option<usize>) -> f64 {
        let others = self.collision.iter().enumerate().filter(|(i, _)| Some(*i) != without).map(|(_, c)| c);
        self.train as f64 * others.product::<f64>()
    }

    /// Whether equal rows say anything.
    pub(super) fn telling(&self) -> bool {
        !self.columns.is_empty() && self.chance(None) <= CHANCE
    }

    fn all(&self) -> usize {
        self.keys.first().map_or(0, Vec::len)
    }

    /// Test rows equal to a training row in all columns.
    pub(super) fn same(&self) -> Vec<Pair> {
        let pairs = rows::equal(&self.keys).into_iter().filter(|group| group[0] < self.train).flat_map(|group| {
            let first = group[0];
            group.into_iter().filter(|&row| row >= self.train).map(move |row| (row - self.train, first))
        });
        let mut pairs: Vec<Pair> = pairs.collect();
        pairs.sort_unstable();
        pairs
    }

    /// Test rows equal to a training row but for one column, and that column; those in `known` are left out. The number of
    /// columns that were not searched because the others say too little.
    pub(super) fn but_one(&self, known: &[bool]) -> (Vec<(Pair, usize)>, usize) {
        let part = |column: usize, row: usize| mixed(column as u64 + 1, self.keys[column][row]);
        let totals: Vec<u64> = (0..self.all())
            .into_par_iter()
            .map(|row| (0..self.keys.len()).fold(0_u64, |sum, column| sum.wrapping_add(part(column, row))))
            .collect();
        let searched: Vec<usize> =
            (0..self.keys.len()).filter(|&column| self.keys.len() > 1 && self.chance(Some(column)) <= CHANCE).collect();
        let found: Vec<Vec<(Pair, usize)>> = searched
            .par_iter()
            .map(|&without| {
                let hash = |row: usize| (totals[row].wrapping_sub(part(without, row)), row);
                let mut order: Vec<(u64, usize)> =
                    (0..self.all()).filter(|&row| row < self.train || !known[row - self.train]).map(hash).collect();
                order.sort_unstable();
                let equal = |a: usize, b: usize| {
                    (0..self.keys.len()).all(|c| c == without || self.keys[c][a] == self.keys[c][b])
                };
                let mut pairs = Vec::new();
                for chunk in order.chunk_by(|a, b| a.0 == b.0) {
                    let split = chunk.partition_point(|(_, row)| *row < self.train);
                    for &(_, row) in &chunk[split..] {
                        // Nearly always the first: rows of other keys rarely share a hash.
                        if let Some(&(_, first)) = chunk[..split].iter().find(|(_, first)| equal(*first, row)) {
                            pairs.push(((row - self.train, first), without));
                        }
                    }
                }
                pairs
            })
            .collect();
        let mut pairs: Vec<(Pair, usize)> = found.into_iter().flatten().collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| pair.0.0);
        (pairs, self.keys.len() - searched.len())
    }

    /// Test rows whose numbers are all within `tolerance · max(|x|, |x′|)` of those of a training row, all else equal; those
    /// in `known` are left out. `None` if no column tells rows apart well enough to search by.
    pub(super) fn rounded(&self, tolerance: f64, known: &[bool]) -> Option<Vec<Pair>> {
        let number = |column: usize| self.columns[column].as_numbers().ok();
        let numeric: Vec<usize> = (0..self.columns.len()).filter(|&column| number(column).is_some()).collect();
        let &guide = numeric.iter().min_by(|&&a, &&b| self.collision[a].total_cmp(&self.collision[b]))?;
        if self.collision[guide] * self.train as f64 > WINDOW || !self.telling() {
            return None;
        }
        let values = number(guide)?;
        let mut order: Vec<usize> = (0..self.train).filter(|&row| !values[row].is_nan()).collect();
        order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
        let near =
            |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance * x.abs().max(y.abs());
        let all_near = |a: usize, b: usize| {
            (0..self.columns.len()).all(|column| match number(column) {
                Some(values) => near(values[a], values[b]),
                None => self.keys[column][a] == self.keys[column][b],
            })
        };
        let find = |test: usize| {
            let row = test + self.train;
            let x = values[row];
            if known[test] || x.is_nan() {
                return None;
            }
            let start = order.partition_point(|&r| values[r] < x);
            let up = order[start..].iter().take_while(|&&r| near(values[r], x));
            let down = order[..start].iter().rev().take_while(|&&r| near(values[r], x));
            up.chain(down).copied().filter(|&r| all_near(r, row)).min().map(|first| (test, first))
        };
        Some((0..self.all() - self.train).into_par_iter().filter_map(find).collect())
    }
}

/// The share of pairs of rows that agree; one pair more, for none may have been seen by chance. 1 for fewer than two rows.
fn collision(keys: &[u64]) -> f64 {
    let n = keys.len() as f64;
    if n < 2.0 {
        return 1.0;
    }
    let mut sorted = keys.to_vec();
    sorted.par_sort_unstable();
    let pairs = |run: &[u64]| 0.5 * run.len() as f64 * (run.len() as f64 - 1.0);
    let agree: f64 = sorted.chunk_by(|a, b| a == b).map(pairs).sum();
    ((agree + 1.0) / (0.5 * n * (n - 1.0))).min(1.0)
}

#[cfg(test)]
mod tests {
    use stagewise_numeric::random::Stream;

    use super::*;

    /// Five hundred random rows, 400 for training; test rows 0, 1, 2 are made of training rows 7, 8, 9.
    fn columns() -> Vec<Column> {
        let mut stream = Stream::new(5, "rows");
        let mut numbers: Vec<Vec<f64>> = (0..3).map(|_| (0..500).map(|_| stream.normal()).collect()).collect();
        let mut letters: Vec<&str> = (0..500).map(|_| ["a", "b", "c"][stream.below(3)]).collect();
        for copy in 0..3 {
            numbers.iter_mut().for_each(|column| column[400 + copy] = column[7 + copy]);
            letters[400 + copy] = letters[7 + copy];
        }
        numbers[1][401] = 99.0;
        numbers[0][402] *= 1.0 + 1e-8;
        numbers[2][402] *= 1.0 - 1e-8;
        numbers.into_iter().map(Column::numbers).chain([Column::categories(letters.into_iter().map(Some))]).collect()
    }

    #[test]
    fn each_search_finds_what_was_planted_and_no_more() {
        let columns = columns();
        let rows = Rows::new(columns.iter().collect(), 400);
        assert!(rows.telling());
        assert_eq!(rows.same(), [(0, 7)]);
        let mut known = vec![false; 100];
        known[0] = true;
        assert_eq!(rows.but_one(&known), (vec![((1, 8), 1)], 0));
        assert_eq!(rows.rounded(1e-6, &known), Some(vec![(2, 9)]));
        assert_eq!(rows.rounded(1e-9, &known), Some(vec![]));
    }

    #[test]
    fn rows_that_are_equal_by_chance_are_not_searched() {
        let columns: Vec<Column> =
            (1..4).map(|k| Column::flags((0..500).map(|i| Some(i / k % 2 == 0)).collect::<Vec<_>>())).collect();
        let rows = Rows::new(columns.iter().collect(), 400);
        assert!(!rows.telling());
        assert_eq!(rows.but_one(&[false; 100]), (vec![], 3));
        assert_eq!(rows.rounded(1e-6, &[false; 100]), None);
        assert!(Rows::new(vec![], 0).same().is_empty());
    }
}
