//! A share of the rows, drawn stratum by stratum: what a backend sees that cannot bear them all.

use stagewise_numeric::random::Stream;

/// About `cap` rows, ascending, without repetition: the same share of each stratum, at least one row of each.
///
/// All rows if there are no more than `cap`.
pub(super) fn stratified(strata: &[u32], cap: usize, stream: &mut Stream) -> Vec<usize> {
    if strata.len() <= cap {
        return (0..strata.len()).collect();
    }
    let groups = strata.iter().max().map_or(0, |&s| s as usize + 1);
    let mut members = vec![Vec::new(); groups];
    strata.iter().enumerate().for_each(|(row, &s)| members[s as usize].push(row));
    let share = cap as f64 / strata.len() as f64;
    let mut rows = Vec::with_capacity(cap + groups);
    for members in members.iter().filter(|m| !m.is_empty()) {
        let wanted = ((members.len() as f64 * share).round() as usize).clamp(1, members.len());
        rows.extend(stream.choose(members.len(), wanted).into_iter().map(|i| members[i]));
    }
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stay_and_no_stratum_is_lost() {
        let strata: Vec<u32> = (0..1000).map(|i| if i == 7 { 2 } else { u32::from(i % 4 == 0) }).collect();
        let rows = stratified(&strata, 100, &mut Stream::new(1, "test"));
        let count = |s: u32| rows.iter().filter(|&&r| strata[r] == s).count();
        assert_eq!((count(0), count(1), count(2)), (75, 25, 1));
        assert!(rows.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(stratified(&strata, 1000, &mut Stream::new(1, "test")).len(), 1000);
    }
}
