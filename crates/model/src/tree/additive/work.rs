//! One fit under way: the columns of all bags, the pairs, and what is made of their tables.
//!
//! Columns first, then pairs on what the columns left; each bag by itself on one thread. Then the tables of all bags are
//! purified, centred and averaged.

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;

use super::axis::Axis;
use super::bag::{Bag, Pair, weights_by};
use super::cycle::{Cycled, Plan, Side, advance, cycle};
use super::pairs::{Coarse, rank};
use super::quarter::Grid;
use super::step::{Limits, Sums, grow};
use super::term::{Term, centre, purify};
use crate::tree::bins::Codes;
use crate::tree::boost::history::History;
use crate::tree::boost::objective::Truth;

/// What the learner was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) bags: usize,
    pub(super) bag_share: f64,
    pub(super) smoothing_rounds: usize,
    pub(super) level_smoothing: f64,
    pub(super) pairs: usize,
    pub(super) pair_bins: usize,
    pub(super) limits: Limits,
}

/// One fit under way.
pub(super) struct Work<'a> {
    pub(super) settings: Settings,
    pub(super) plan: Plan,
    /// The constant scores that all begin with.
    pub(super) start: &'a [f64],
    /// Each column in its bins.
    pub(super) axes: Vec<Axis>,
    pub(super) codes: Codes,
    pub(super) truth: Truth<'a>,
    pub(super) held: Option<(Codes, Truth<'a>)>,
    pub(super) cx: &'a FitContext,
}

impl Work<'_> {
    /// The terms, the base, and how the held-out loss went.
    pub(super) fn run(&self) -> Result<(Vec<Term>, Vec<f64>, Option<History>)> {
        let k = self.plan.outputs;
        let weights: Vec<Vec<f64>> = (self.axes.par_iter().enumerate())
            .map(|(term, axis)| weights_by(self.codes.column(term), self.truth.weights, axis.cells()))
            .collect();
        let bags: Vec<Bag> = (0..self.settings.bags)
            .into_par_iter()
            .map(|bag| Bag::draw(bag, self.settings, &self.truth, self.cx))
            .collect();
        let bar = self.cx.start("bags of rows", Some(2 * bags.len() as u64));
        let mut mains: Vec<Cycled> =
            bags.par_iter().map(|bag| self.columns(bag).inspect(|_| bar.advance(1))).collect::<Result<_>>()?;
        let coarse = self.coarse(&weights, &mains);
        let pairs = self.rank(&coarse, &mains)?;
        let grids: Vec<Pair> = pairs
            .iter()
            .map(|&[a, b]| {
                Pair::of([a, b], &coarse, &self.codes, self.held.as_ref().map(|held| &held.0), self.truth.weights)
            })
            .collect();
        let mut crossed: Vec<Cycled> = (bags.par_iter().zip(&mains))
            .map(|(bag, mains)| self.crossed(bag, mains, &grids).inspect(|_| bar.advance(1)))
            .collect::<Result<_>>()?;
        let mut base = self.start.to_vec();
        let mut intercepts = vec![Vec::new(); k];
        for (mains, crossed) in mains.iter_mut().zip(&mut crossed) {
            self.settle(&weights, &coarse, &grids, mains, crossed, &mut intercepts);
        }
        base.iter_mut().zip(&intercepts).for_each(|(base, means)| *base += mean(means.iter().copied()));
        let columns = (0..self.axes.len()).map(|term| {
            let tables = mains.iter().map(|bag| bag.tables[term].as_slice()).collect();
            average(vec![self.axes[term].clone()], k, weights[term].clone(), tables)
        });
        let pairs = grids.iter().enumerate().map(|(term, pair)| {
            let tables = crossed.iter().map(|bag| bag.tables[term].as_slice()).collect();
            average(pair.sides.map(|side| coarse[side].axis.clone()).to_vec(), k, pair.weights.clone(), tables)
        });
        let terms = columns.chain(pairs).filter(|term| !term.is_nothing()).collect();
        Ok((terms, base, self.history(&mains, &crossed)))
    }

    /// Boosts the columns of a bag.
    fn columns(&self, bag: &Bag) -> Result<Cycled> {
        let width = self.axes.len();
        let k = self.plan.outputs;
        let codes: Vec<Vec<u8>> = (0..width).map(|column| bag.take(self.codes.column(column))).collect();
        let weights: Vec<Vec<f64>> =
            codes.iter().zip(&self.axes).map(|(codes, axis)| weights_by(codes, bag.weights(), axis.cells())).collect();
        let mut train = Side { codes, truth: bag.truth(), scores: self.start.repeat(bag.rows.len()) };
        let held = self.held.as_ref().map(|(codes, truth)| Side {
            codes: (0..width).map(|column| codes.column(column).to_vec()).collect(),
            truth: *truth,
            scores: self.start.repeat(truth.values.len()),
        });
        let cells: Vec<usize> = self.axes.iter().map(Axis::cells).collect();
        let limits = self.settings.limits;
        let mut stream = bag.cx.stream("cuts");
        let (mut cells_of, mut answers) = (Vec::<Sums>::new(), Vec::<f64>::new());
        cycle(
            &self.plan,
            &cells,
            &mut train,
            held,
            |term, round, sums, step| {
                let smoothing = self.axes[term].is_category().then_some(self.settings.level_smoothing);
                for output in 0..k {
                    gather(sums, &weights[term], k, output, &mut cells_of);
                    answers.resize(cells_of.len(), 0.0);
                    let draw = (round < self.settings.smoothing_rounds).then_some(&mut stream);
                    grow(&limits, &cells_of, draw, smoothing, &mut answers);
                    step.iter_mut().skip(output).step_by(k).zip(&answers).for_each(|(step, answer)| *step = *answer);
                }
            },
            &bag.cx,
        )
    }

    /// Each column in few cells, levels by what they say on average of the bags.
    fn coarse(&self, weights: &[Vec<f64>], mains: &[Cycled]) -> Vec<Coarse> {
        if self.settings.pairs == 0 {
            return Vec::new();
        }
        (self.axes.iter().zip(weights).enumerate())
            .map(|(term, (axis, weights))| {
                let values = mean_table(mains, term);
                Coarse::of(axis, weights, &values, self.settings.pair_bins)
            })
            .collect()
    }

    /// The pairs to boost, by what all bags' columns leave together.
    fn rank(&self, coarse: &[Coarse], mains: &[Cycled]) -> Result<Vec<[usize; 2]>> {
        if coarse.is_empty() {
            return Ok(Vec::new());
        }
        let codes: Vec<&[u8]> = (0..coarse.len()).map(|column| self.codes.column(column)).collect();
        let mut scores = self.start.repeat(self.truth.values.len());
        for (term, codes) in codes.iter().enumerate() {
            advance(codes, &mean_table(mains, term), 1, &mut scores);
        }
        let mut pairs = vec![[0.0; 2]; scores.len()];
        self.plan.objective.pairs(&self.truth, 0, 1, &scores, &mut pairs);
        rank(coarse, &codes, &pairs, self.truth.weights, &self.settings.limits, self.settings.pairs, self.cx)
    }

    /// Boosts the pairs of a bag on what its columns left.
    fn crossed(&self, bag: &Bag, mains: &Cycled, grids: &[Pair]) -> Result<Cycled> {
        if grids.is_empty() {
            return Ok(Cycled::default());
        }
        let mut scores = self.start.repeat(bag.rows.len());
        for (term, table) in mains.tables.iter().enumerate() {
            advance(&bag.take(self.codes.column(term)), table, 1, &mut scores);
        }
        let codes: Vec<Vec<u16>> = grids.iter().map(|pair| bag.take(&pair.codes)).collect();
        let weights: Vec<Vec<f64>> =
            codes.iter().zip(grids).map(|(codes, pair)| weights_by(codes, bag.weights(), pair.weights.len())).collect();
        let mut train = Side { codes, truth: bag.truth(), scores };
        let held = self.held.as_ref().map(|(codes, truth)| {
            let mut scores = self.start.repeat(truth.values.len());
            for (term, table) in mains.tables.iter().enumerate() {
                advance(codes.column(term), table, 1, &mut scores);
            }
            Side { codes: grids.iter().map(|pair| pair.held.clone()).collect(), truth: *truth, scores }
        });
        let cells: Vec<usize> = grids.iter().map(|pair| pair.weights.len()).collect();
        let limits = self.settings.limits;
        let mut stream = bag.cx.stream("cuts of pairs");
        let mut cells_of = Vec::<Sums>::new();
        cycle(
            &self.plan,
            &cells,
            &mut train,
            held,
            |term, round, sums, step| {
                gather(sums, &weights[term], 1, 0, &mut cells_of);
                let draw = (round < self.settings.smoothing_rounds).then_some(&mut stream);
                Grid::of(&cells_of, grids[term].columns).grow(&limits, draw, step);
            },
            &bag.cx,
        )
    }

    /// Gives each effect of a bag one place: pairs purified into their columns, all means into the intercept.
    fn settle(
        &self,
        weights: &[Vec<f64>],
        coarse: &[Coarse],
        grids: &[Pair],
        mains: &mut Cycled,
        crossed: &mut Cycled,
        intercepts: &mut [Vec<f64>],
    ) {
        for (pair, table) in grids.iter().zip(&mut crossed.tables) {
            let own = purify(&pair.weights, table, pair.columns);
            for (side, own) in pair.sides.into_iter().zip(own) {
                let main = mains.tables[side].iter_mut().zip(&coarse[side].to);
                main.for_each(|(value, &cell)| *value += own[cell]);
            }
        }
        let mut sums = vec![0.0; intercepts.len()];
        for (table, weights) in mains.tables.iter_mut().zip(weights) {
            let means = centre(weights, table, self.plan.outputs);
            sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean);
        }
        intercepts.iter_mut().zip(sums).for_each(|(list, sum)| list.push(sum));
    }

    /// The held-out loss by round, the mean of all bags; a bag that has stopped stays at its best.
    fn history(&self, mains: &[Cycled], crossed: &[Cycled]) -> Option<History> {
        self.held.as_ref()?;
        let curve = |bags: &[Cycled]| -> Vec<f64> {
            let rounds = bags.iter().map(|bag| bag.rounds).max().unwrap_or(0);
            let at = |bag: &Cycled, round: usize| bag.losses.get(round.min(bag.rounds)).copied();
            (0..=rounds).map(|round| mean(bags.iter().filter_map(|bag| at(bag, round)))).collect()
        };
        let mut validation = curve(mains);
        if crossed.iter().any(|bag| !bag.losses.is_empty()) {
            validation.extend(curve(crossed).into_iter().skip(1));
        }
        let rounds = validation.len() - 1;
        Some(History { loss: self.plan.objective.name().into(), validation, rounds, ..History::default() })
    }
}

/// The sums of one output by cell, with the weights.
fn gather(sums: &[[f64; 2]], weights: &[f64], outputs: usize, output: usize, cells: &mut Vec<Sums>) {
    cells.clear();
    let of = sums.iter().skip(output).step_by(outputs).zip(weights);
    cells.extend(of.map(|(&[gradient, hessian], &weight)| [gradient, hessian, weight]));
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let [sum, count] = values.fold([0.0; 2], |[sum, count], value| [sum + value, count + 1.0]);
    if count > 0.0 { sum / count } else { 0.0 }
}

fn mean_table(bags: &[Cycled], term: usize) -> Vec<f64> {
    let cells = bags.first().map_or(0, |bag| bag.tables[term].len());
    (0..cells).map(|cell| mean(bags.iter().map(|bag| bag.tables[term][cell]))).collect()
}

/// A term from the tables of all bags: means, and standard deviations over the bags.
fn average(axes: Vec<Axis>, outputs: usize, weights: Vec<f64>, tables: Vec<&[f64]>) -> Term {
    let cells = tables.first().map_or(0, |table| table.len());
    let values: Vec<f64> = (0..cells).map(|cell| mean(tables.iter().map(|table| table[cell]))).collect();
    let deviation = |cell: usize| {
        let away = || tables.iter().map(|table| table[cell] - values[cell]);
        // In units of the largest, whose square might be infinite.
        let largest = away().fold(0.0_f64, |largest, away| largest.max(away.abs()));
        if largest > 0.0 { largest * mean(away().map(|away| (away / largest).powi(2))).sqrt() } else { 0.0 }
    };
    let deviations = (0..cells).map(deviation).collect();
    let mut term = Term { axes, outputs, weights, values, deviations };
    term.forget_unseen();
    term
}
