//! Calibrators: they correct the probabilities of a model on rows that it has not seen.

pub mod platt;
