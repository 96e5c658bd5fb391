//! The best split of the rows of a node, by linfa-trees.
//!
//! linfa-trees 0.8 is asked for one split at a time, of the rows of one node and on ranks. Grown whole, its trees cost
//! the square of the rows, join leaves that have the same likeliest class (which loses their probabilities), take
//! values nearer than 1e-5 as equal, and send a value equal to the threshold left in training but right in prediction;
//! none of that can happen here. It adds the class shares in the order of a hash table that differs from run to run:
//! with two classes that changes nothing, with more it does, so more are refused.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};
use stagewise_core::Error;
use stagewise_core::error::Result;

use crate::tree::split::{Rows, Split};

/// The smallest fall of the impurity that is looked for; linfa's own default.
const LEAST: f64 = 1e-5;

/// The best split of `rows`, whose weights are above 0 and whose classes are two.
pub(super) fn best(data: &Rows, rows: &[u32], min_side: f64) -> Result<Option<Split>> {
    let records = Array2::from_shape_fn((rows.len(), data.features()), |(i, j)| f64::from(data.rank(j, rows[i])));
    let class: Array1<bool> = rows.iter().map(|&r| data.class[r as usize] == 1).collect();
    let weights: Array1<f32> = rows.iter().map(|&r| data.weight(r) as f32).collect();
    let tree = DecisionTree::params()
        .max_depth(Some(1))
        .min_weight_split(0.0)
        .min_weight_leaf(min_side as f32)
        .min_impurity_decrease(LEAST)
        .fit(&DatasetBase::new(records, class).with_weights(weights))
        .map_err(Error::external)?;
    // A root whose two leaves agree is made a leaf again, but keeps the split that it found.
    Ok(tree
        .iter_nodes()
        .next()
        .map(|root| root.split())
        .filter(|(_, _, gain)| *gain >= LEAST)
        .map(|(feature, threshold, gain)| Split { feature, rank: threshold.max(0.0).floor() as u32, gain }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::matrix::Features;
    use stagewise_testkit::data;

    #[test]
    fn it_finds_the_split_that_our_own_search_finds() {
        for seed in 0..20 {
            let data = data::binary_numeric(120, seed);
            let features = Features::new(data.features().clone()).unwrap();
            let class = data.target().events().iter().map(|&e| u32::from(e)).collect();
            let rows = Rows::new(features.matrix(), class, 2, None);
            let all: Vec<u32> = (0..120).filter(|r| r % 3 != 0).collect();
            let (ours, theirs) = (rows.best(&all, 5.0).unwrap(), best(&rows, &all, 5.0).unwrap().unwrap());
            assert!((ours.gain - theirs.gain).abs() < 1e-6, "{ours:?} {theirs:?}");
            let (a, b) = (rows.part(&all, ours).unwrap(), rows.part(&all, theirs).unwrap());
            assert_eq!(a, b, "seed {seed}");
        }
    }
}
