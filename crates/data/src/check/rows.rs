//! Which rows are equal: by a hash of their keys, then by the keys themselves, so that no hash can make rows equal.

use rayon::prelude::*;
use stagewise_core::column::Column;

use crate::leak::levels;

/// One key per row and column: equal keys, equal values; missing is a value here.
pub(crate) fn keys(columns: &[&Column]) -> Vec<Vec<u64>> {
    columns.par_iter().map(|column| levels(column)).collect()
}

/// The rows that have an equal, in groups: rows ascending within, groups by their first row. `O(columns · rows + rows ·
/// log rows)`. Without columns no row is like another.
pub(crate) fn equal(keys: &[Vec<u64>]) -> Vec<Vec<usize>> {
    let Some(rows) = keys.first().map(Vec::len) else { return Vec::new() };
    let hashed = |row: usize| {
        let hash = keys.iter().fold(0_u64, |hash, column| mixed(hash, column[row]));
        (hash, row)
    };
    let mut order: Vec<(u64, usize)> = (0..rows).into_par_iter().map(hashed).collect();
    order.par_sort_unstable();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for chunk in order.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() > 1) {
        let same = |a: usize, b: usize| keys.iter().all(|column| column[a] == column[b]);
        // Nearly always one group: rows of different keys rarely share a hash.
        let mut found: Vec<Vec<usize>> = Vec::new();
        for &(_, row) in chunk {
            match found.iter_mut().find(|group| same(group[0], row)) {
                Some(group) => group.push(row),
                None => found.push(vec![row]),
            }
        }
        groups.extend(found.into_iter().filter(|group| group.len() > 1));
    }
    groups.sort_unstable_by_key(|group| group[0]);
    groups
}

/// A step of a hash: the next key mixed in.
pub(crate) fn mixed(hash: u64, key: u64) -> u64 {
    let x = (hash ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_stand_together() {
        let (a, b) = (Column::numbers([1.0, 2.0, 1.0, f64::NAN, f64::NAN, 1.0]), Column::flags(vec![None; 6]));
        assert_eq!(equal(&keys(&[&a, &b])), [vec![0, 2, 5], vec![3, 4]]);
        assert_eq!(equal(&keys(&[])), Vec::<Vec<usize>>::new());
        assert_eq!(equal(&[vec![]]), Vec::<Vec<usize>>::new());
    }
}
