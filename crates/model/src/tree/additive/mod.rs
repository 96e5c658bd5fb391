//! Explainable boosting: a sum of one function of each column, and of a few pairs of columns, that can be drawn.
//!
//! `learner` is what a user sets, `work` the order of a fit over its `bag`s; `cycle` goes over the terms round by round; `step` grows the
//! small tree of one column and `quarter` that of a pair; `pairs` finds the pairs; `term` keeps what was learned as a table
//! over the cells of its `axis`, centres it, and turns it into one tree; `shape` reads the tables back out of trees.

mod axis;
mod bag;
mod chart;
mod cycle;
pub mod learner;
mod pairs;
mod quarter;
pub mod shape;
mod step;
mod term;
mod work;
