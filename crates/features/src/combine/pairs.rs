//! Pairs of columns by name.

use stagewise_core::error::{ParameterError, Result};
use stagewise_core::schema::Schema;

/// Pairs of columns, found.
pub(super) struct Pairs {
    /// The positions of all columns that take part, ascending.
    pub(super) positions: Vec<usize>,
    /// Each pair as places among them.
    pub(super) places: Vec<(usize, usize)>,
}

/// Finds pairs of columns by name.
///
/// # Errors
/// A column that is not there; [`ParameterError`] for a pair of a column with itself, which would say nothing new.
pub(super) fn resolve(pairs: &[(String, String)], input: &Schema) -> Result<Pairs> {
    let mut found = Vec::with_capacity(pairs.len());
    for (left, right) in pairs {
        let both = format!("`{left}` and `{right}`");
        ParameterError::check(left != right, "pairs", both, "two columns that differ")?;
        found.push((input.require(left)?, input.require(right)?));
    }
    let mut positions: Vec<usize> = found.iter().flat_map(|&(left, right)| [left, right]).collect();
    positions.sort_unstable();
    positions.dedup();
    let place = |position: usize| positions.partition_point(|&other| other < position);
    let places = found.into_iter().map(|(left, right)| (place(left), place(right))).collect();
    Ok(Pairs { positions, places })
}

/// Pairs of names, owned.
pub(super) fn owned<A: Into<String>, B: Into<String>>(
    pairs: impl IntoIterator<Item = (A, B)>,
) -> Vec<(String, String)> {
    pairs.into_iter().map(|(left, right)| (left.into(), right.into())).collect()
}
