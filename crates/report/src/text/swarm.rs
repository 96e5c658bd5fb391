//! Swarms as text: one line per name that shows where its points lie, with their middle nine tenths.

use stagewise_core::exhibit::{SwarmItem, number};

use super::plot::{LEVELS, names, room};
use crate::chart::scale::Scale;

/// Names in a chart.
const SHOWN: usize = 30;

/// Lines on a common scale, zero marked; nothing without points.
pub(super) fn draw(items: &[SwarmItem], width: usize) -> Vec<String> {
    let sorted = |item: &SwarmItem| {
        let mut points: Vec<f64> = item.points.iter().map(|p| p.0).filter(|x| x.is_finite()).collect();
        points.sort_by(f64::total_cmp);
        points
    };
    let shown: Vec<(&str, Vec<f64>)> = items
        .iter()
        .take(SHOWN)
        .map(|item| (item.name.as_str(), sorted(item)))
        .filter(|row| !row.1.is_empty())
        .collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let at = |points: &[f64], share: f64| points[(share * (points.len() - 1) as f64).round() as usize];
    let texts: Vec<String> = shown
        .iter()
        .map(|row| format!("{} [{}, {}]", number(at(&row.1, 0.5)), number(at(&row.1, 0.05)), number(at(&row.1, 0.95))))
        .collect();
    let (names, indent) = names(shown.iter().map(|row| row.0), width);
    let cells = room(width, indent, &texts);
    let scale = Scale::of(shown.iter().flat_map(|row| row.1.iter().copied()).chain([0.0]), 0.0, cells as f64);
    let cell = |x: f64| (scale.at(x) as usize).min(cells - 1);
    let row = |((name, (_, points)), text): ((&String, &(&str, Vec<f64>)), &String)| {
        let mut counts = vec![0usize; cells];
        points.iter().for_each(|&x| counts[cell(x)] += 1);
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let mut line: Vec<char> = counts.iter().map(|&count| LEVELS[(8 * count).div_ceil(most).min(8)]).collect();
        if counts[cell(0.0)] == 0 {
            line[cell(0.0)] = '┊';
        }
        format!("{name:<indent$}{} {text}", line.iter().collect::<String>())
    };
    let mut out: Vec<String> = names.iter().zip(&shown).zip(&texts).map(row).collect();
    out.push(format!("{:indent$}{}median [5 %, 95 %]", "", " ".repeat(cells + 1)));
    if items.len() > SHOWN {
        out.push(format!("  ({} more items not shown)", items.len() - SHOWN));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_on_a_common_scale() {
        let item = |name: &str, points: &[f64]| SwarmItem {
            name: name.into(),
            points: points.iter().map(|&x| (x, None)).collect(),
        };
        let lines = draw(&[item("age", &[-1.0, -1.0, 1.0]), item("b", &[1.0, f64::NAN])], 80);
        assert!(lines[0].starts_with("  age  █") && lines[0].ends_with("▄ -1 [-1, 1]"), "{lines:?}");
        assert!(lines[1].starts_with("  b     ") && lines[1].ends_with("█ 1 [1, 1]"), "{lines:?}");
        assert_eq!(lines[0].chars().position(|c| c == '┊'), lines[1].chars().position(|c| c == '┊'));
        assert!(draw(&[item("none", &[])], 80).is_empty());
    }
}
