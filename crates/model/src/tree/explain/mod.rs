//! What features add to the answers of a tree model.
//!
//! | asked of a [`TreeEnsemble`](super::ensemble::TreeEnsemble) | answer |
//! |---|---|
//! | `contributions`: what each feature adds, by the training rows of the nodes | [`Contributions`](contribution::Contributions) |
//! | `contributions_against`: the same, against rows that are given | [`Contributions`](contribution::Contributions) |
//! | `interactions`: what pairs of features add | [`Interactions`](interaction::Interactions) |
//! | `importance`: what its splits say of the features | [`Importance`](importance::Importance) |

pub mod background;
pub mod contribution;
#[cfg(test)]
mod golden;
pub mod importance;
pub mod interaction;
mod kernel;
pub mod path_dependent;
mod paths;
mod quadrature;
mod swarm;
#[cfg(test)]
mod tests;
