//! The rounds: gradients, a tree on them, what its leaves answer, new scores.
//!
//! Rows are worked on in blocks of a fixed size, and a leaf's rows stay in order, so sums are the same on any number of
//! threads. The score of a row is the base plus its leaves, added in the order of the trees, as when the model answers:
//! training can go on from a saved model as if it had never stopped.

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_core::metric::Direction;
use stagewise_core::table::Table;
use stagewise_numeric::parallel;
use stagewise_numeric::quantile::weighted_quantile;

use super::arrange::{self, Arranged};
use super::history::History;
use super::lambda::Lists;
use super::lines::{Lines, Slopes};
use super::loss::Goal;
use super::objective::Truth;
use super::sample::RowSampling;
use super::watch::{Judges, some, stride};
use crate::tree::bins::{Bins, Codes};
use crate::tree::grow::Growth;
use crate::tree::grow::entry::{self, ROOM, Scale};
use crate::tree::grow::grower::{Ground, Grown, GrownLeaf, grow};
use crate::tree::grow::histogram::{Counter, Layout};
use crate::tree::structure::Tree;

/// Rows of one parallel task.
const BLOCK: usize = 1 << 13;
/// Marks the leaf of a row that the tree was not grown on.
const OTHER: u32 = 1 << 31;

/// What boosting is told besides the data.
pub(crate) struct Plan<'a> {
    pub(crate) objective: Goal<'a>,
    pub(crate) outputs: usize,
    pub(crate) rounds: usize,
    pub(crate) learning_rate: f64,
    pub(crate) growth: &'a Growth,
    pub(crate) sampling: RowSampling,
    pub(crate) columns_by_tree: f64,
    pub(crate) max_bins: usize,
    /// Rounds without a better held-out loss after which it stops.
    pub(crate) patience: Option<usize>,
    pub(crate) watch: bool,
    /// The training rows that the history looks at; absent for all.
    pub(crate) seen: Option<&'a [u32]>,
    /// What else is looked at, and stopped by.
    pub(crate) metrics: Option<&'a dyn Judges>,
    /// The column that no tree may look at.
    pub(crate) offset: Option<usize>,
    /// The penalty of the slopes, where leaves answer with lines.
    pub(crate) lines: Option<f64>,
    /// Rows whose codes take more bytes are put in an order that nodes read faster.
    pub(crate) cache: usize,
}

/// Rows with truth.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) table: &'a Table,
    pub(crate) truth: Truth<'a>,
    /// Rows that are learned from together.
    pub(crate) lists: Option<&'a Lists>,
    /// The scores that boosting starts from, `outputs` of each row; absent for the base.
    pub(crate) scores: Option<&'a [f64]>,
}

/// What boosting gives.
pub(crate) struct Boosted {
    pub(crate) trees: Vec<Tree>,
    pub(crate) history: Option<History>,
}

/// Rows whose loss is looked at, with their scores.
struct Watched<'a> {
    table: &'a Table,
    truth: Truth<'a>,
    lists: Option<&'a Lists>,
    codes: Codes,
    scores: Vec<f64>,
}

impl Watched<'_> {
    fn advance(&mut self, grown: &Grown, values: &[Vec<f64>], lines: Option<&Lines>, outputs: usize, output: usize) {
        let codes = &self.codes;
        if let Some(lines) = lines {
            let leaf_of = |row| grown.find(codes, row);
            return lines.advance(self.table, leaf_of, values, (outputs, output), &mut self.scores);
        }
        self.scores.par_chunks_mut(BLOCK * outputs).enumerate().for_each(|(block, scores)| {
            for (i, scores) in scores.chunks_mut(outputs).enumerate() {
                scores[output] += values[grown.find(codes, block * BLOCK + i)][0];
            }
        });
    }
}

/// Boosts from `base`, or from the scores that the rows bring; `first` rounds were there before.
pub(crate) fn boost(
    plan: &Plan<'_>,
    base: &[f64],
    first: usize,
    train: Rows<'_>,
    validation: Option<Rows<'_>>,
    cx: &FitContext,
) -> Result<Boosted> {
    let Plan { objective, outputs, growth, .. } = *plan;
    let (rows, width) = (train.table.rows(), train.table.width());
    let bins = Bins::learn(train.table, train.truth.weights, plan.max_bins);
    let mut codes = bins.apply(train.table);
    let layout = Layout::new(&bins);
    // Used again by every tree.
    let (mut entries, mut scratch, mut leaf_of) = (Vec::new(), Vec::new(), LeafOf::default());
    let start = |rows: &Rows<'_>| rows.scores.map_or_else(|| base.repeat(rows.table.rows()), <[f64]>::to_vec);
    let mut scores = start(&train);
    let mut pairs = vec![[0.0; 2]; rows * outputs];
    let mut arranged = arrange::pays(plan, &train, codes.bytes()).then(|| {
        slopes(plan, &train, &scores, &mut pairs);
        let order = arrange::order(plan, &bins, &codes, &layout, &train, &pairs, &cx.step("order of rows"));
        codes.arrange(&order);
        Arranged::new(&order, &train.truth, &scores, outputs, plan.seen)
    });
    if let Some(arranged) = &mut arranged {
        scores = std::mem::take(&mut arranged.scores);
    }
    let (train, seen) = match &arranged {
        None => (train, plan.seen),
        Some(arranged) => (Rows { truth: arranged.truth(), ..train }, Some(&arranged.seen[..])),
    };
    let counter = Counter::new(&codes, &layout);
    // Rows of weight 0 are not there.
    let present: Option<Vec<u32>> = train
        .truth
        .weights
        .filter(|weights| weights.contains(&0.0))
        .map(|weights| (0..rows as u32).filter(|&row| weights[row as usize] > 0.0).collect());
    let mut watched = validation.map(|held| Watched {
        table: held.table,
        truth: held.truth,
        lists: held.lists,
        codes: bins.apply(held.table),
        scores: start(&held),
    });
    let mut history = (plan.watch || plan.metrics.is_some() || watched.is_some())
        .then(|| History { loss: objective.name(), ..History::default() });
    let better = plan.metrics.map_or(Direction::LowerIsBetter, Judges::direction);
    let mut stop = Stop { patience: plan.patience, better, best: f64::NAN, at: 0 };
    let mut trees: Vec<Tree> = Vec::new();
    note(&mut history, plan, &train, seen, &scores, watched.as_ref())?;
    stop.goes_on(0, history.as_ref());
    let bar = cx.start("boosting rounds", Some(plan.rounds as u64));
    let mut rounds = 0;
    for round in 0..plan.rounds {
        cx.check()?;
        let place = cx.step(&format!("round {}", first + round));
        slopes(plan, &train, &scores, &mut pairs);
        objective.refuse(&train.truth, &scores, &pairs)?;
        let all;
        let drawn = if plan.sampling == RowSampling::All {
            None
        } else {
            let rows = match &present {
                Some(rows) => rows,
                None => {
                    all = (0..rows as u32).collect::<Vec<u32>>();
                    &all
                }
            };
            plan.sampling.draw(rows, &mut pairs, outputs, &mut place.stream("rows"))
        };
        let chosen = drawn.as_deref().or(present.as_deref());
        let mut grew = false;
        for output in 0..outputs {
            let stream = |purpose: &str| place.step(&format!("output {output}")).stream(purpose);
            let columns = columns(width, plan.offset, plan.columns_by_tree, &stream);
            // Pairs that a sample multiplied are no longer whole multiples.
            let counts = train.truth.weights.filter(|_| drawn.is_none());
            let scale = entry::fill(&mut entries, &pairs, outputs, output, chosen, counts);
            let ground = Ground {
                bins: &bins,
                codes: &codes,
                counter: &counter,
                weights: train.truth.weights,
                growth,
                columns: &columns,
                stream: &stream,
            };
            let grown = grow(ground, std::mem::take(&mut entries), &mut scratch, scale);
            leaf_of.fill(&grown, &codes);
            let (values, weights) = answers(plan, &grown, &leaf_of, &pairs, &train.truth, &scores, output);
            let lines = plan.lines.map(|l2| {
                let slopes = Slopes { l2, pairs: &pairs, weights: train.truth.weights, output };
                Lines::fit(slopes, plan, &grown, train.table, &values)
            });
            match &lines {
                None => leaf_of.advance(&values, outputs, output, &mut scores),
                Some(lines) => {
                    lines.advance(train.table, |row| leaf_of.of(row), &values, (outputs, output), &mut scores);
                }
            }
            if let Some(watched) = &mut watched {
                watched.advance(&grown, &values, lines.as_ref(), outputs, output);
            }
            grew |= grown.leaves.len() > 1 || values.iter().flatten().any(|&v| v != 0.0);
            let tree = if outputs == 1 { Tree::new() } else { Tree::of_output(output) };
            trees.push(grown.finish(tree, &bins, &weights, |tree, leaf| {
                match lines.as_ref().and_then(|lines| lines.line(leaf)) {
                    None => tree.leaf(&values[leaf]),
                    Some(line) => tree.leaf_line(values[leaf][0], line),
                }
            }));
            entries = grown.entries;
        }
        rounds = round + 1;
        bar.advance(1);
        note(&mut history, plan, &train, seen, &scores, watched.as_ref())?;
        if !stop.goes_on(rounds, history.as_ref()) {
            break;
        }
        // Nothing left to learn, and nothing random that could differ next time.
        if !grew && plan.sampling == RowSampling::All && plan.columns_by_tree >= 1.0 {
            trees.truncate(round * outputs);
            rounds = round;
            break;
        }
    }
    if plan.patience.is_some() && watched.is_some() {
        rounds = stop.at;
        trees.truncate(rounds * outputs);
    }
    if let Some(history) = &mut history {
        history.rounds = rounds;
    }
    Ok(Boosted { trees, history })
}

/// Writes gradient and hessian of the training rows.
fn slopes(plan: &Plan<'_>, train: &Rows<'_>, scores: &[f64], pairs: &mut [[f64; 2]]) {
    let outputs = plan.outputs;
    match train.lists {
        Some(lists) => lists.pairs(&train.truth, scores, pairs),
        None => pairs.par_chunks_mut(BLOCK * outputs).zip(scores.par_chunks(BLOCK * outputs)).enumerate().for_each(
            |(block, (pairs, scores))| {
                plan.objective.pairs(&train.truth, block * BLOCK, outputs, scores, pairs);
            },
        ),
    }
}

/// When to stop: after `patience` rounds without a better held-out loss, or first metric.
struct Stop {
    patience: Option<usize>,
    better: Direction,
    best: f64,
    at: usize,
}

impl Stop {
    fn goes_on(&mut self, rounds: usize, history: Option<&History>) -> bool {
        let (Some(patience), Some(value)) = (self.patience, history.and_then(History::judged)) else {
            return true;
        };
        if self.better.is_better(value, self.best) {
            (self.best, self.at) = (value, rounds);
        }
        rounds < self.at + patience
    }
}

fn note(
    history: &mut Option<History>,
    plan: &Plan<'_>,
    train: &Rows<'_>,
    seen: Option<&[u32]>,
    scores: &[f64],
    watched: Option<&Watched<'_>>,
) -> Result<()> {
    let Some(history) = history else { return Ok(()) };
    let (truth, outputs) = (&train.truth, plan.outputs);
    let scores_seen = some(seen, outputs, scores);
    history.train.push(match train.lists {
        Some(lists) => lists.loss(truth, scores, stride(truth.values.len())),
        None => {
            let (values, weights) = (some(seen, 1, truth.values), truth.weights.map(|w| some(seen, 1, w)));
            plan.objective.loss(&Truth { values: &values, weights: weights.as_deref() }, outputs, &scores_seen)?
        }
    });
    if let Some(watched) = watched {
        history.validation.push(match watched.lists {
            Some(lists) => lists.loss(&watched.truth, &watched.scores, 1),
            None => plan.objective.loss(&watched.truth, outputs, &watched.scores)?,
        });
    }
    if let Some(metrics) = plan.metrics {
        metrics.note(history, &scores_seen, watched.map(|watched| watched.scores.as_slice()))?;
    }
    Ok(())
}

/// The columns that a tree may look at, ascending.
fn columns(
    width: usize,
    offset: Option<usize>,
    share: f64,
    stream: &impl Fn(&str) -> stagewise_numeric::random::Stream,
) -> Vec<usize> {
    let all: Vec<usize> = (0..width).filter(|&column| Some(column) != offset).collect();
    if share >= 1.0 || all.is_empty() {
        return all;
    }
    let some = ((share * all.len() as f64).ceil() as usize).clamp(1, all.len());
    let mut columns = stream("columns").choose(all.len(), some);
    columns.sort_unstable();
    columns.into_iter().map(|column| all[column]).collect()
}

/// What each leaf answers, from the unrounded pairs of its rows, and the weight of those.
fn answers(
    plan: &Plan<'_>,
    grown: &Grown,
    leaf_of: &LeafOf,
    pairs: &[[f64; 2]],
    truth: &Truth<'_>,
    scores: &[f64],
    output: usize,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let penalty = &plan.growth.penalty;
    let sums = if plan.objective.leaf_quantile().is_some() {
        vec![[0.0; 2]; grown.leaves.len()]
    } else {
        leaf_of.sums(grown, pairs, plan.outputs, output)
    };
    let of = |(leaf, [gradient, hessian]): (&GrownLeaf, [f64; 2])| {
        let rows = grown.entries[leaf.rows.clone()].iter().map(|entry| entry.row as usize);
        let weight = match truth.weights {
            None => leaf.rows.len() as f64,
            Some(weights) => rows.clone().map(|row| weights[row]).sum(),
        };
        let best = match plan.objective.leaf_quantile() {
            Some(level) => {
                let left: Vec<f64> = rows.clone().map(|row| truth.values[row] - scores[row]).collect();
                let weights: Vec<f64> = rows.map(|row| truth.weights.map_or(1.0, |weights| weights[row])).collect();
                weighted_quantile(&left, &weights, level).unwrap_or(0.0)
            }
            None => penalty.answer(gradient, hessian + leaf.extra_l2),
        };
        let (low, high) = leaf.bounds;
        let answer = penalty.smooth(best, weight, leaf.parent).clamp(low, high);
        (vec![answer * plan.learning_rate], weight)
    };
    grown.leaves.par_iter().zip(sums).map(of).unzip()
}

/// The leaf of each row: work over it reads rows in their order, and adds up the same on any number of threads.
#[derive(Default)]
struct LeafOf {
    leaves: Vec<u32>,
}

impl LeafOf {
    /// The leaves of a tree that was grown on all rows, or on some; the others walk down.
    fn fill(&mut self, grown: &Grown, codes: &Codes) {
        self.leaves.resize(codes.rows(), u32::MAX);
        self.leaves.par_chunks_mut(BLOCK).enumerate().for_each(|(block, leaves)| {
            let rows = block * BLOCK..block * BLOCK + leaves.len();
            leaves.fill(u32::MAX);
            for (place, leaf) in grown.leaves.iter().enumerate() {
                let entries = &grown.entries[leaf.rows.clone()];
                let first = entries.partition_point(|entry| (entry.row as usize) < rows.start);
                for entry in entries[first..].iter().take_while(|entry| (entry.row as usize) < rows.end) {
                    leaves[entry.row as usize - rows.start] = place as u32;
                }
            }
            if grown.entries.len() < codes.rows() {
                for (row, leaf) in rows.zip(leaves).filter(|(_, leaf)| **leaf == u32::MAX) {
                    *leaf = grown.find(codes, row) as u32 | OTHER;
                }
            }
        });
    }

    /// The leaf of a row.
    fn of(&self, row: usize) -> usize {
        (self.leaves[row] & !OTHER) as usize
    }

    /// The sums of the pairs of each leaf's rows, without those that walked down, in the same bits for any order of rows:
    /// pairs are rounded once more, much finer, to whole numbers. The sums of `2²⁰` rows keep 61 bits, a pair 41.
    fn sums(&self, grown: &Grown, pairs: &[[f64; 2]], outputs: usize, output: usize) -> Vec<[f64; 2]> {
        let (leaves, Scale { gradient, hessian }) = (grown.leaves.len(), grown.scale);
        let room = 61 - 15 - grown.entries.len().max(ROOM).next_power_of_two().ilog2() as i32;
        let [gradient, hessian] = [gradient, hessian].map(|step| (step * 2.0_f64.powi(-room)).max(f64::MIN_POSITIVE));
        let (per_gradient, per_hessian) = (1.0 / gradient, 1.0 / hessian);
        let blocks = parallel::blocks(self.leaves.len(), BLOCK, |rows| {
            let mut sums = vec![[0_i64; 2]; leaves];
            for (leaf, pairs) in self.leaves[rows.clone()].iter().zip(pairs[rows.start * outputs..].chunks(outputs)) {
                if let Some(sum) = sums.get_mut(*leaf as usize) {
                    let pair = pairs[output];
                    sum[0] += (pair[0] * per_gradient) as i64;
                    sum[1] += (pair[1] * per_hessian) as i64;
                }
            }
            sums
        });
        let mut sums = vec![[0_i64; 2]; leaves];
        for block in blocks {
            sums.iter_mut().zip(block).for_each(|(sum, more)| *sum = [sum[0] + more[0], sum[1] + more[1]]);
        }
        sums.into_iter().map(|[g, h]| [g as f64 * gradient, h as f64 * hessian]).collect()
    }

    /// Adds the answers of the leaves to the scores.
    fn advance(&self, values: &[Vec<f64>], outputs: usize, output: usize, scores: &mut [f64]) {
        let values: Vec<f64> = values.iter().map(|values| values[0]).collect();
        scores.par_chunks_mut(BLOCK * outputs).zip(self.leaves.par_chunks(BLOCK)).for_each(|(scores, leaves)| {
            for (scores, leaf) in scores.chunks_mut(outputs).zip(leaves) {
                scores[output] += values[(leaf & !OTHER) as usize];
            }
        });
    }
}
