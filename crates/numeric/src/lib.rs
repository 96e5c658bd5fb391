//! Numeric kernels of stagewise on slices and `ndarray` views; nothing here knows of tables or models.
//!
//! | Kernel | Where |
//! |---|---|
//! | named random streams: uniform, normal, permutations, Poisson bootstrap | [`random::Stream`] |
//! | exact, order-free sums; error-free products | [`sum::ExactSum`], [`sum::exact_sum`] |
//! | sums of many groups as whole numbers | [`sum::Grid`] |
//! | the one dot product for batch and row paths | [`sum::dot`] |
//! | count, mean, variance, range as one mergeable value | [`sum::Moments`] |
//! | mergeable distribution sketch, quantiles and the KS distance from it | [`sketch::QuantileSketch`] |
//! | exact quantiles of a slice, plain and weighted | [`quantile`] |
//! | ranks with ties, stable argsort | [`rank`] |
//! | discounted cumulative gain with ties | [`gain`] |
//! | order-preserving integer keys of floats | [`key`] |
//! | a hash of text that never changes | [`hash::Murmur3`] |
//! | the exponential, the same on every platform, for loops in vector registers | [`exp`] |
//! | symmetric positive definite systems | [`solve::cholesky`] |
//! | the root of a function of one number | [`solve::root`] |
//! | eigenvalues and eigenvectors of symmetric matrices | [`solve::symmetric`] |
//! | smooth unconstrained minimisation | [`solve::lbfgs`] |
//! | `X'WX`, `X'Wy`, `Xv` | [`gram`] |
//! | exact k nearest neighbours, numbers and levels mixed | [`neighbours::Points`] |
//! | distances between points with missing coordinates | [`neighbours::Holes`] |
//! | p values of many tests, adjusted | [`multiplicity::benjamini_hochberg`] |
//! | quantiles of the normal distribution | [`normal::quantile`] |
//! | shares and means of few rows, drawn towards a prior | [`shrink`] |
//! | fixed-size blocks on the thread pool | [`parallel::blocks`] |
//!
//! Three rules hold for all of them. *Same bits for any number of threads:* work is cut into blocks of a
//! fixed size, and partial results are combined in block order or by an operation that is exact. *No panic
//! that data can reach:* an empty slice, a NaN or a singular matrix gives `None`, a documented value or a
//! [`solve::SolveError`]. *A missing value is NaN,* and each kernel says what it does with one.

pub mod exp;
pub mod gain;
pub mod gram;
pub mod hash;
pub mod key;
pub mod multiplicity;
pub mod neighbours;
pub mod normal;
pub mod parallel;
pub mod quantile;
pub mod random;
pub mod rank;
pub mod shrink;
pub mod sketch;
pub mod solve;
pub mod sum;
