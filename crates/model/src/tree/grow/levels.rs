//! The best split of the levels of a category.
//!
//! A column of few levels is tried level against the rest. Of more levels, those with enough rows are put in the order of
//! their mean gradient, and split at the best place of that order, from either end (Fisher 1958). Missing values are one
//! level more, whose code is the number of bins.

use super::LevelRules;
use super::score::Score;
use super::search::{Candidate, Left, Node};

/// The best split; `values` are the bins, `missing` the sums of missing values.
pub(super) fn best(node: &Node<'_>, feature: usize, values: &[[f64; 2]], missing: [f64; 2]) -> Option<Candidate> {
    let LevelRules { one_against_rest, l2, .. } = node.growth.levels;
    let bins = values.len();
    let cell = |code: usize| if code == bins { missing } else { values[code] };
    let present: Vec<usize> = (0..=bins).filter(|&code| cell(code) != [0.0; 2]).collect();
    let single = bins <= one_against_rest;
    let score = if single { node.score } else { node.score.more_l2(l2, node.scale) };
    let (both, sums, codes) =
        if single { one(node, &score, &present, cell)? } else { several(node, &score, present, cell)? };
    let gain = node.gain(both, &score)?;
    // If nothing was missing in training, what is missing later goes with the larger part.
    let some_missing = missing != [0.0; 2];
    let missing_left = if some_missing { codes.contains(&bins) } else { sums[1] >= node.sums[1] - sums[1] };
    let extra_l2 = if single { 0.0 } else { l2 };
    Some(Candidate { feature, left: Left::These(codes), missing_left, gain, sums, extra_l2 })
}

/// The score of both sides, the sums of the left, and its codes.
type Found = (f64, [f64; 2], Vec<usize>);

fn score_of(node: &Node<'_>, score: &Score, left: [f64; 2], least: f64) -> Option<f64> {
    let right = [node.sums[0] - left[0], node.sums[1] - left[1]];
    (left[1] >= least && right[1] >= least).then(|| score.two(left, right))
}

/// The best level to put against the rest.
fn one(node: &Node<'_>, score: &Score, present: &[usize], cell: impl Fn(usize) -> [f64; 2]) -> Option<Found> {
    let least = node.least();
    let mut best: Option<(f64, usize)> = None;
    for &code in present {
        if let Some(both) = score_of(node, score, cell(code), least)
            && best.is_none_or(|(found, _)| both > found)
        {
            best = Some((both, code));
        }
    }
    best.map(|(both, code)| (both, cell(code), vec![code]))
}

/// The best part of the order of levels by mean gradient, from either end.
fn several(node: &Node<'_>, score: &Score, present: Vec<usize>, cell: impl Fn(usize) -> [f64; 2]) -> Option<Found> {
    let LevelRules { smoothing, max_left, min_weight, .. } = node.growth.levels;
    let least = node.least();
    let weight = |code: usize| cell(code)[1] * node.weight_per_step;
    let smoothing_steps = smoothing / node.scale.hessian;
    let mut order: Vec<(f64, usize)> = present
        .into_iter()
        .filter(|&code| Node::reaches(weight(code), smoothing))
        .map(|code| (cell(code)[0] / (cell(code)[1] + smoothing_steps), code))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let code_at = |at: usize, backwards: bool| order[if backwards { order.len() - 1 - at } else { at }].1;
    let mut best: Option<(f64, [f64; 2], usize, bool)> = None;
    for backwards in [false, true] {
        let (mut left, mut group) = ([0.0; 2], 0.0);
        for at in 0..max_left.min(order.len().div_ceil(2)) {
            let code = code_at(at, backwards);
            left = [left[0] + cell(code)[0], left[1] + cell(code)[1]];
            group += weight(code);
            if !Node::reaches((node.sums[1] - left[1]) * node.weight_per_step, min_weight) {
                break;
            }
            if !Node::reaches(group, min_weight) {
                continue;
            }
            group = 0.0;
            if let Some(both) = score_of(node, score, left, least)
                && best.is_none_or(|(found, ..)| both > found)
            {
                best = Some((both, left, at, backwards));
            }
        }
    }
    best.map(|(both, left, last, backwards)| (both, left, (0..=last).map(|at| code_at(at, backwards)).collect()))
}
