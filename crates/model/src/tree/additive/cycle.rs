//! Cyclic rounds: each round gives every term, one after the other, one small step on what the others left.
//!
//! One thread works on one bag, over its rows in order, so sums are the same on any number of threads. A pass over a block
//! of rows adds the step of the term before, brings the gradients up to date, and adds them up by the cells of the next
//! term, while the block is in the nearest cache.
//!
//! Steps are small. So, where the hessian is the curvature of the loss, a gradient moves by hessian times step within a
//! round, which leaves out terms of the square of a step; both are computed from the scores at the start of each round.

use stagewise_core::context::FitContext;
use stagewise_core::error::Result;

use crate::tree::boost::objective::{Objective, Truth};

/// Rows of a block.
const BLOCK: usize = 1 << 10;

/// What all rounds have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) objective: Objective,
    pub(super) outputs: usize,
    pub(super) rounds: usize,
    /// Rounds without a better held-out loss after which it stops.
    pub(super) patience: Option<usize>,
    /// The share by which a loss must be better to count.
    pub(super) tolerance: f64,
}

/// Rows in the cells of all terms, with their scores so far.
pub(super) struct Side<'a, C> {
    pub(super) codes: Vec<Vec<C>>,
    pub(super) truth: Truth<'a>,
    pub(super) scores: Vec<f64>,
}

/// What the rounds gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Cycled {
    /// Of each term its values, cell by cell, the outputs of a cell side by side.
    pub(super) tables: Vec<Vec<f64>>,
    /// The held-out loss after 0, 1, 2, … rounds.
    pub(super) losses: Vec<f64>,
    /// The rounds that were kept.
    pub(super) rounds: usize,
}

/// Goes round until the held-out loss no longer falls, and gives the tables of the best round. `cells` has the number of
/// cells of each term; `grow` writes the step of a term in a round from the sums of its cells.
pub(super) fn cycle<C: Copy + Into<usize>>(
    plan: &Plan,
    cells: &[usize],
    train: &mut Side<'_, C>,
    mut held: Option<Side<'_, C>>,
    mut grow: impl FnMut(usize, usize, &[[f64; 2]], &mut [f64]),
    cx: &FitContext,
) -> Result<Cycled> {
    let k = plan.outputs;
    let mut tables: Vec<Vec<f64>> = cells.iter().map(|cells| vec![0.0; cells * k]).collect();
    let largest = cells.iter().max().copied().unwrap_or(0);
    let (mut sums, mut step, mut last) = (vec![[0.0; 2]; largest * k], vec![0.0; largest * k], vec![0.0; largest * k]);
    let mut pairs = vec![[0.0; 2]; train.scores.len()];
    let mut pending: Option<usize> = None;
    let loss = |held: &Option<Side<'_, C>>| held.as_ref().map(|held| plan.objective.loss(&held.truth, k, &held.scores));
    let mut stop = Stop { best: f64::INFINITY, kept: 0, mark: f64::INFINITY, marked: 0 };
    let mut losses: Vec<f64> = loss(&held).into_iter().collect();
    losses.iter().for_each(|&loss| stop.see(0, loss, plan.tolerance));
    let mut kept = tables.clone();
    let mut done = 0;
    while done < plan.rounds {
        cx.check()?;
        let mut moved = false;
        for (term, &cells) in cells.iter().enumerate() {
            let sums = &mut sums[..cells * k];
            sums.fill([0.0; 2]);
            let fresh = term == 0 || !follows(plan);
            pass(plan, train, pending.map(|before| (before, last.as_slice())), term, fresh, &mut pairs, sums);
            let step = &mut step[..cells * k];
            grow(term, done, sums, step);
            moved |= step.iter().any(|&value| value != 0.0);
            tables[term].iter_mut().zip(step.iter()).for_each(|(value, step)| *value += step);
            if let Some(held) = &mut held {
                advance(&held.codes[term], step, k, &mut held.scores);
            }
            last[..step.len()].copy_from_slice(step);
            pending = Some(term);
        }
        done += 1;
        if let Some(loss) = loss(&held) {
            losses.push(loss);
            stop.see(done, loss, plan.tolerance);
            if plan.patience.is_some() && stop.kept == done {
                kept.clone_from(&tables);
            }
            if plan.patience.is_some_and(|patience| done >= stop.marked + patience) {
                break;
            }
        }
        if !moved {
            break;
        }
    }
    if plan.patience.is_some() && held.is_some() {
        return Ok(Cycled { tables: kept, losses, rounds: stop.kept });
    }
    Ok(Cycled { tables, losses, rounds: done })
}

/// Which round was best, and which was the last that was better by enough to count.
struct Stop {
    best: f64,
    kept: usize,
    mark: f64,
    marked: usize,
}

impl Stop {
    fn see(&mut self, round: usize, loss: f64, tolerance: f64) {
        if loss < self.best {
            (self.best, self.kept) = (loss, round);
        }
        if self.mark.is_infinite() || loss < self.mark - tolerance * self.mark.abs() {
            (self.mark, self.marked) = (loss, round);
        }
    }
}

/// Adds what a term says to the scores of rows.
pub(super) fn advance<C: Copy + Into<usize>>(codes: &[C], table: &[f64], outputs: usize, scores: &mut [f64]) {
    if outputs == 1 {
        scores.iter_mut().zip(codes).for_each(|(score, &code)| *score += table[code.into()]);
        return;
    }
    for (scores, &code) in scores.chunks_exact_mut(outputs).zip(codes) {
        let from = code.into() * outputs;
        scores.iter_mut().zip(&table[from..from + outputs]).for_each(|(score, value)| *score += value);
    }
}

/// Whether gradients move by hessian times step: the hessian is the curvature, and of one score.
fn follows(plan: &Plan) -> bool {
    let is_curvature = matches!(
        plan.objective,
        Objective::Squared
            | Objective::Poisson
            | Objective::Gamma
            | Objective::Tweedie { .. }
            | Objective::CrossEntropy
            | Objective::Logistic
    );
    plan.outputs == 1 && is_curvature
}

/// One pass over the rows: the step of the term before, gradients, `fresh` from the scores or moved by the step, and their
/// sums in the cells of `term`.
fn pass<C: Copy + Into<usize>>(
    plan: &Plan,
    side: &mut Side<'_, C>,
    before: Option<(usize, &[f64])>,
    term: usize,
    fresh: bool,
    pairs: &mut [[f64; 2]],
    sums: &mut [[f64; 2]],
) {
    let k = plan.outputs;
    let blocks = side.scores.chunks_mut(BLOCK * k).zip(pairs.chunks_mut(BLOCK * k));
    for (block, (scores, pairs)) in blocks.enumerate() {
        let rows = block * BLOCK..block * BLOCK + scores.len() / k;
        if let Some((before, step)) = before {
            let codes = &side.codes[before][rows.clone()];
            if fresh {
                advance(codes, step, k, scores);
            } else {
                for ((score, pair), &code) in scores.iter_mut().zip(pairs.iter_mut()).zip(codes) {
                    let step = step[code.into()];
                    *score += step;
                    pair[0] += pair[1] * step;
                }
            }
        }
        if fresh {
            plan.objective.pairs(&side.truth, rows.start, k, scores, pairs);
        }
        let codes = &side.codes[term][rows];
        if k == 1 {
            for (pair, &code) in pairs.iter().zip(codes) {
                let sum = &mut sums[code.into()];
                *sum = [sum[0] + pair[0], sum[1] + pair[1]];
            }
        } else {
            for (pairs, &code) in pairs.chunks_exact(k).zip(codes) {
                let from = code.into() * k;
                for (sum, pair) in sums[from..from + k].iter_mut().zip(pairs) {
                    *sum = [sum[0] + pair[0], sum[1] + pair[1]];
                }
            }
        }
    }
}
