//! How long a way is to be expected: the average path length of a search tree.

/// The average number of splits that part one of `n` rows from the others, for each `n` from 0 to `most`.
///
/// `c(n) = 2 H(n − 1) − 2 (n − 1) / n` with the harmonic numbers `H`, which is `2 (H(n) − 1)`: the depth of a leaf of a
/// random search tree with `n` leaves. `c(0) = c(1) = 0`, `c(2) = 1`. Liu et al. (2008), eq. 1, after Preiss (1999). They, and
/// scikit-learn, put `ln(n − 1) + 0.5772` in place of `H(n − 1)`, which for 3 rows gives 1.21 instead of 5/3. O(most).
pub(super) fn average_paths(most: usize) -> Vec<f64> {
    let mut harmonic = 0.0;
    let path = |n: usize| {
        if n > 0 {
            harmonic += 1.0 / n as f64;
        }
        if n < 2 { 0.0 } else { 2.0 * (harmonic - 1.0) }
    };
    (0..=most).map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::golden;

    #[test]
    fn paths_are_those_of_random_search_trees() {
        let found = average_paths(200);
        // The first cut parts n rows into i and n − i, each i as likely; a row goes with either in proportion.
        let mut expected = vec![0.0, 0.0];
        for n in 2..=200 {
            let sides = (1..n).map(|i| i as f64 * expected[i] + (n - i) as f64 * expected[n - i]).sum::<f64>();
            expected.push(1.0 + sides / (n as f64 * (n - 1) as f64));
        }
        for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{n}: {found}, {expected}");
        }
        assert_eq!(found[2], 1.0);
    }

    #[test]
    fn paths_of_many_rows_are_near_those_of_scikit_learn() {
        let golden = golden::load("isolation_forest.json");
        let case = golden.cases.iter().find(|case| case.name == "average_path").expect("a case");
        let paths = average_paths(5000);
        for (n, expected) in case.numbers("/input/rows").into_iter().zip(case.numbers("/expected/path")) {
            // H(n − 1) exceeds ln(n − 1) + γ by less than 1 / (2 (n − 1)).
            let over = paths[n as usize] - expected;
            assert!(over >= -1e-12 && over < 1.0 / (n - 1.0) + 1e-12, "{n}: {over}");
        }
    }
}
