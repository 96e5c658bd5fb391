//! What bins are called.

/// What numbers are called: with the fewest significant digits, at least `digits`, that tell them all apart.
fn texts(edges: &[f64], digits: usize) -> Vec<String> {
    /// Enough to tell any two numbers apart.
    const MOST: usize = 17;
    let written = |digits| edges.iter().map(|&x| text(x, digits)).collect::<Vec<_>>();
    let differ = |texts: &Vec<String>| texts.windows(2).all(|pair| pair[0] != pair[1]);
    (digits..MOST).map(written).find(differ).unwrap_or_else(|| written(MOST))
}

/// A number, rounded to so many significant digits, in as few as it then needs.
fn text(x: f64, digits: usize) -> String {
    let rounded = format!("{x:.*e}", digits.max(1) - 1).parse().ok().filter(|y: &f64| y.is_finite()).unwrap_or(x);
    match rounded.abs() {
        0.0 => "0".into(),
        size if (1e-5..1e15).contains(&size) => format!("{rounded}"),
        _ => format!("{rounded:e}"),
    }
}

/// The names of the bins between ascending edges: `(-inf, 1)`, `[1, 3)`, `[3, inf)`.
pub(super) fn labels(edges: &[f64], digits: usize) -> Vec<String> {
    let mut start = "(-inf".to_string();
    let mut labels = Vec::with_capacity(edges.len() + 1);
    for edge in texts(edges, digits) {
        labels.push(format!("{start}, {edge})"));
        start = format!("[{edge}");
    }
    labels.push(format!("{start}, inf)"));
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_short_and_tell_bins_apart() {
        assert_eq!(labels(&[], 4), ["(-inf, inf)"]);
        assert_eq!(labels(&[1.0, 3.0], 4), ["(-inf, 1)", "[1, 3)", "[3, inf)"]);
        assert_eq!(labels(&[12.3456789, 100.0], 4), ["(-inf, 12.35)", "[12.35, 100)", "[100, inf)"]);
        let near = [1.000001, 1.000002];
        assert_eq!(labels(&near, 4)[1], "[1.000001, 1.000002)");
        assert_eq!(labels(&[123_456.0], 17)[0], "(-inf, 123456)");
        assert_eq!(labels(&[-f64::MAX, -0.0, 2e-9], 4)[1..3], ["[-1.7976931348623157e308, 0)", "[0, 2e-9)"]);
    }

    proptest! {
        #[test]
        fn no_two_bins_share_a_name(mut edges in prop::collection::vec(prop::num::f64::NORMAL, 0..20)) {
            edges.sort_by(f64::total_cmp);
            edges.dedup();
            let mut names = labels(&edges, 4);
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), edges.len() + 1);
        }
    }
}
