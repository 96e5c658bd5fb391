//! Evaluation for stagewise: metrics, intervals, cross-validation.
