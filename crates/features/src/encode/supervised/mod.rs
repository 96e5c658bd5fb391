//! Levels to what they say of the target, so that no training row is changed with its own target.
//!
//! Rows to come are changed with the target of all training rows. A training row changed so would carry its own target to the
//! learner, who would trust the column more than it deserves; the rarer the level, the more. So `fit_transform` leaves the row
//! out: with its fold, alone, or with all that come later in a random order.
//! There is no way to ask a fitted encoder for anything else: a learned transform does not see the target.
//!
//! | file | what |
//! |---|---|
//! | `outcome` | the target as whole numbers |
//! | `sums` | their sums by level and part, exact in any order |
//! | `spec` | what an encoder must say: what a training row does not see, and what it makes of the sums |
//! | `cross_fit` | fitting, and the training rows |
//! | the others | one encoder each |

mod cross_fit;
mod james_stein;
mod leave_one_out;
mod ordered;
mod outcome;
mod spec;
mod sums;
mod target;
mod weight_of_evidence;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;

pub use james_stein::JamesSteinEncoder;
pub use leave_one_out::LeaveOneOutEncoder;
pub use ordered::OrderedTargetEncoder;
pub use outcome::{Outcome, Outcomes};
pub use target::{Smooth, TargetEncoder};
pub use weight_of_evidence::WeightOfEvidenceEncoder;
