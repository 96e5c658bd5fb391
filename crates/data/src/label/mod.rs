//! Labels from people and from rules: are they any good, which one counts, which are missing or wrong?
//!
//! | question | where |
//! |---|---|
//! | who gave which task which label? | [`Annotations`] |
//! | do workers agree beyond chance? | [`cohen_kappa`], [`fleiss_kappa`], [`krippendorff_alpha`] |
//! | which label does a task get, and how good is a worker? | [`MajorityVote`], [`WeightedVote`], [`DawidSkene`], [`Glad`] |
//! | who should not go on? | [`GoldQuestions`] |
//! | which tasks need a second look? | [`adjudicate`] |
//! | which rows should be labelled next? | [`uncertain`], [`committee`], [`KCentre`] |
//! | can rules label? | [`LabelFunctions`] |
//!
//! Labels that contradict what can be learned from the others are found with out-of-fold answers, so that is in the crate
//! `stagewise-eval`.

mod adjudicate;
mod aggregate;
mod agreement;
mod annotations;
mod function;
mod gold;
mod next;

pub use adjudicate::{AdjudicationQueue, Doubt, Priority, adjudicate};
pub use aggregate::{Aggregated, Aggregator, DawidSkene, Glad, MajorityVote, Ties, WeightedVote};
pub use agreement::{Agreement, AgreementInterval, KappaWeights, Scale, cohen_kappa, fleiss_kappa, krippendorff_alpha};
pub use annotations::{Annotations, Given};
pub use function::{FunctionReport, FunctionRow, LabelFunctions, LabelRow, LabelVotes};
pub use gold::{GoldQuestions, GoldReport, Verdict, WorkerQuality};
pub use next::{KCentre, LabelQueue, Probabilities, Uncertainty, committee, uncertain};
