//! Which rows a round learns from.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_numeric::random::Stream;

/// Which rows each round of boosting learns from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowSampling {
    /// All of them.
    #[default]
    All,
    /// This share, drawn anew each round without replacement. Above 0, at most 1.
    Share(f64),
    /// The share `top` with the largest gradients, and of the others a random share `other` of all rows, which counts for
    /// all of them (gradient-based one-side sampling, Ke et al. 2017). Both above 0, together at most 1.
    Gradients {
        /// Kept for certain.
        top: f64,
        /// Drawn from the rest.
        other: f64,
    },
}

impl RowSampling {
    pub(crate) fn check(self) -> Result<()> {
        let (valid, allowed) = match self {
            Self::All => (true, ""),
            Self::Share(share) => (share > 0.0 && share <= 1.0, "a share above 0, at most 1"),
            Self::Gradients { top, other } => {
                (top > 0.0 && other > 0.0 && top + other <= 1.0, "shares above 0, together at most 1")
            }
        };
        ParameterError::check(valid, "sampling", format!("{self:?}"), allowed)
    }

    /// The rows of a round among `rows`, ascending; rows that count for others have their pairs multiplied.
    pub(crate) fn draw(
        self,
        rows: &[u32],
        pairs: &mut [[f64; 2]],
        outputs: usize,
        stream: &mut Stream,
    ) -> Option<Vec<u32>> {
        let count = |share: f64| ((share * rows.len() as f64).round() as usize).clamp(1, rows.len());
        match self {
            Self::All => None,
            Self::Share(share) => {
                let mut chosen = stream.choose(rows.len(), count(share));
                chosen.sort_unstable();
                Some(chosen.into_iter().map(|i| rows[i]).collect())
            }
            Self::Gradients { top, other } => {
                let of = |row: u32| row as usize * outputs..(row as usize + 1) * outputs;
                let size = |row: u32| pairs[of(row)].iter().map(|[g, h]| (g * h).abs()).sum::<f64>();
                let mut order: Vec<(f64, u32)> = rows.iter().map(|&row| (size(row), row)).collect();
                order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                let kept = count(top);
                let rest = &order[kept..];
                let drawn = count(other).min(rest.len());
                let factor = rest.len() as f64 / drawn.max(1) as f64;
                let mut chosen: Vec<u32> = order[..kept].iter().map(|&(_, row)| row).collect();
                for i in stream.choose(rest.len(), drawn) {
                    let row = rest[i].1;
                    pairs[of(row)].iter_mut().for_each(|pair| *pair = [pair[0] * factor, pair[1] * factor]);
                    chosen.push(row);
                }
                chosen.sort_unstable();
                Some(chosen)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_gradients_stay_and_the_others_stand_for_the_rest() {
        let rows: Vec<u32> = (0..100).collect();
        let mut pairs: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i) - 50.0, 1.0]).collect();
        let sampling = RowSampling::Gradients { top: 0.2, other: 0.1 };
        let chosen = sampling.draw(&rows, &mut pairs, 1, &mut Stream::new(1, "goss")).unwrap();
        assert_eq!(chosen.len(), 30);
        assert!(chosen.is_sorted() && [0, 1, 9, 91, 99].iter().all(|row| chosen.contains(row)));
        let total: f64 = chosen.iter().map(|&row| pairs[row as usize][1]).sum();
        assert!((total - 100.0).abs() < 1e-9, "{total}");
        assert!(RowSampling::Gradients { top: 0.9, other: 0.2 }.check().is_err());
    }

    #[test]
    fn a_share_is_drawn_without_replacement() {
        let rows: Vec<u32> = (0..50).map(|i| 2 * i).collect();
        let mut chosen = RowSampling::Share(0.5).draw(&rows, &mut [], 1, &mut Stream::new(1, "rows")).unwrap();
        chosen.dedup();
        assert_eq!((chosen.len(), chosen.iter().all(|row| row % 2 == 0)), (25, true));
    }
}
