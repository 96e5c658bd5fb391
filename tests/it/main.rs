//! Tests through the whole library: what no single crate can show.

mod balance;
mod conformance;
mod datasets;
mod decisions;
mod determinism;
mod leakage;
mod life;
mod messy;
mod nested;
mod properties;
mod ranking;
mod recipes;
mod star;
