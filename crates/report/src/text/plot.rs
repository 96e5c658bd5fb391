//! Charts as text: bars of block characters, histograms as one line per series, curves on a small grid.

use stagewise_core::exhibit::{Chart, number};

use super::{clean, wrapped};
use crate::chart::scale::Scale;
use crate::escape::shorten;

pub(super) const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const MARKERS: [char; 6] = ['●', '○', '+', '×', '▪', '▫'];
const HEIGHT: usize = 12;

pub(super) fn draw(chart: &Chart, width: usize) -> Vec<String> {
    let (title, body, lost) = match chart {
        Chart::Bars { title, items, mark } => {
            let finite: Vec<_> = items.iter().filter(|i| i.1.is_finite()).collect();
            (title, bars(&finite, mark.filter(|m| m.is_finite()), width), items.len() - finite.len())
        }
        Chart::Heat { title, x, y, columns, rows } => {
            let lost = rows.iter().flat_map(|row| &row.1).filter(|value| !value.is_finite()).count();
            (title, super::heat::draw(x, y, columns, rows, width), lost)
        }
        Chart::Histogram { title, edges, series } => {
            let lost = series.iter().flat_map(|s| &s.1).filter(|x| !x.is_finite()).count();
            (title, histogram(edges, series, width), lost)
        }
        Chart::Intervals { title, items } => {
            let finite: Vec<_> = items.iter().filter(|i| [i.1, i.2, i.3].iter().all(|x| x.is_finite())).collect();
            (title, intervals(&finite, width), items.len() - finite.len())
        }
        Chart::Lines { title, x, y, series } => {
            let lost = series.iter().flat_map(|s| &s.1).filter(|p| !(p.0.is_finite() && p.1.is_finite())).count();
            (title, lines(x, y, series, width), lost)
        }
        Chart::Swarm { title, items, .. } => {
            let lost = items.iter().flat_map(|item| &item.points).filter(|p| !p.0.is_finite()).count();
            (title, super::swarm::draw(items, width), lost)
        }
        _ => return vec!["(a chart that this version cannot show)".to_string()],
    };
    let mut out = wrapped(&clean(title), width);
    out.extend(if body.is_empty() { vec!["  (nothing to show)".to_string()] } else { body });
    if lost > 0 {
        out.push(format!("  ({lost} values not shown: not finite)"));
    }
    // Long numbers on both sides of a narrow drawing may still be too much.
    out.iter().map(|line| shorten(line.trim_end(), width)).collect()
}

fn bars(items: &[&(String, f64)], mark: Option<f64>, width: usize) -> Vec<String> {
    let values: Vec<String> = items.iter().map(|item| number(item.1)).collect();
    let (names, indent) = names(items.iter().map(|item| item.0.as_str()), width);
    let room = room(width, indent, &values);
    let ends = items.iter().map(|item| item.1).chain(mark).chain([0.0]);
    let scale = Scale::of(ends, 0.0, room as f64);
    let zero = scale.at(0.0);
    let marked = mark.map(|m| (scale.at(m) as usize).min(room.saturating_sub(1)));
    let row = |((name, item), value): ((&String, &&(String, f64)), &String)| {
        let x = scale.at(item.1);
        let mut cells: Vec<String> = (0..room).map(|cell| bar_cell(cell, zero.min(x), zero.max(x))).collect();
        if let Some(cell) = marked.and_then(|at| cells.get_mut(at)).filter(|cell| cell.as_str() == " ") {
            *cell = "┊".to_string();
        }
        format!("{name:<indent$}{} {value}", cells.concat())
    };
    let mut out: Vec<String> = names.iter().zip(items).zip(&values).map(row).collect();
    if let (Some(mark), false) = (mark, out.is_empty()) {
        out.push(format!("{:indent$}┊ marks {}", "", number(mark)));
    }
    out
}

/// The character of one cell of a bar that goes from `low` to `high`, in cells.
fn bar_cell(cell: usize, low: f64, high: f64) -> String {
    let (start, end) = (cell as f64, cell as f64 + 1.0);
    let covered = (high.min(end) - low.max(start)).clamp(0.0, 1.0);
    let eighths = (covered * 8.0).round() as usize;
    match eighths {
        0 => " ".to_string(),
        8.. => "█".to_string(),
        // Block characters grow from the left only: a bar that begins within the cell is drawn as half.
        _ if low > start => {
            if eighths >= 4 {
                "▐".to_string()
            } else {
                " ".to_string()
            }
        }
        n => EIGHTHS[n].to_string(),
    }
}

fn histogram(edges: &[f64], series: &[(String, Vec<f64>)], width: usize) -> Vec<String> {
    let bins = edges.len().saturating_sub(1);
    let highest =
        series.iter().flat_map(|s| s.1.iter().take(bins)).copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    if bins == 0 || highest <= 0.0 {
        return Vec::new();
    }
    let (names, indent) = names(series.iter().map(|s| s.0.as_str()), width);
    let wide = ((width - indent - 14) / bins).clamp(1, 4);
    let row = |(name, shares): (&String, &Vec<f64>)| {
        let shown: Vec<f64> = shares.iter().take(bins).copied().collect();
        let level = |&x: &f64| if x > 0.0 { LEVELS[((x / highest * 8.0).ceil() as usize).min(8)] } else { ' ' };
        let line: String =
            shown.iter().flat_map(|x| std::iter::repeat_n(level(x), wide)).take(width - indent - 14).collect();
        let most = shown.iter().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
        format!("{name:<indent$}{line} max {}", number(most))
    };
    let mut out: Vec<String> = names.iter().zip(series.iter().map(|s| &s.1)).map(row).collect();
    let (first, last) = (number(edges[0]), number(edges[bins]));
    let span = (bins * wide).min(width - indent - 14);
    let gap = span.saturating_sub(first.chars().count() + last.chars().count()).max(1);
    out.push(format!("{:indent$}{first}{:gap$}{last}", "", ""));
    out
}

fn intervals(items: &[&(String, f64, f64, f64)], width: usize) -> Vec<String> {
    let texts: Vec<String> =
        items.iter().map(|i| format!("{} [{}, {}]", number(i.2), number(i.1), number(i.3))).collect();
    let (names, indent) = names(items.iter().map(|item| item.0.as_str()), width);
    let room = room(width, indent, &texts);
    let scale = Scale::of(items.iter().flat_map(|i| [i.1, i.2, i.3]), 0.0, room.saturating_sub(1) as f64);
    let drawing = |ends: [f64; 3]| -> String {
        let [low, middle, high] = ends.map(|x| scale.at(x).round() as usize);
        let cell = |at: usize| match at {
            at if at == middle => '●',
            at if at == low => '├',
            at if at == high => '┤',
            at if low < at && at < high => '─',
            _ => ' ',
        };
        (0..room).map(cell).collect()
    };
    let rows = names.iter().zip(items).zip(&texts);
    rows.map(|((name, i), text)| format!("{name:<indent$}{} {text}", drawing([i.1, i.2, i.3]))).collect()
}

fn lines(x: &str, y: &str, series: &[(String, Vec<(f64, f64)>)], width: usize) -> Vec<String> {
    let finite = || series.iter().flat_map(|s| &s.1).filter(|p| p.0.is_finite() && p.1.is_finite());
    if finite().next().is_none() {
        return Vec::new();
    }
    let margin = 11;
    let room = (width - margin).min(100);
    let across = Scale::of(finite().map(|p| p.0), 0.0, room as f64 - 1.0);
    let upward = Scale::of(finite().map(|p| p.1), HEIGHT as f64 - 1.0, 0.0).rounded(5);
    let mut grid = vec![vec![' '; room]; HEIGHT];
    for (i, (_, points)) in series.iter().enumerate() {
        for (x, y) in points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
            let (column, row) = (across.at(*x).round() as usize, upward.at(*y).round() as usize);
            if let Some(cell) = grid.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell = MARKERS[i % MARKERS.len()];
            }
        }
    }
    let mut labels = vec![String::new(); HEIGHT];
    for (value, label) in upward.ticks(4) {
        if let Some(place) = labels.get_mut(upward.at(value).round() as usize) {
            *place = label;
        }
    }
    let mut out = vec![format!("  {}", shorten(&clean(y), width - 2))];
    let row = |(label, cells): (&String, &Vec<char>)| {
        format!("{:>9} │{}", shorten(label, 9), cells.iter().collect::<String>())
    };
    out.extend(labels.iter().zip(&grid).map(row));
    out.push(format!("{:10}└{}", "", "─".repeat(room)));
    let values = |f: fn(f64, f64) -> f64, start: f64| number(finite().map(|p| p.0).fold(start, f));
    let (first, last) = (values(f64::min, f64::INFINITY), values(f64::max, f64::NEG_INFINITY));
    let name = shorten(&clean(x), room.saturating_sub(first.len() + last.len() + 4));
    let spare = room.saturating_sub(first.chars().count() + last.chars().count() + name.chars().count());
    let (left, right) = (spare / 2, spare - spare / 2);
    out.push(format!("{:margin$}{first}{:left$}{name}{:right$}{last}", "", "", ""));
    if series.len() > 1 {
        let legend = series.iter().enumerate().map(|(i, s)| format!("{} {}", MARKERS[i % MARKERS.len()], clean(&s.0)));
        let legend = wrapped(&legend.collect::<Vec<_>>().join("   "), width - margin);
        out.extend(legend.into_iter().map(|line| format!("{:margin$}{line}", "")));
    }
    out
}

/// The names, cut to a third of the width, and how far the rest is indented.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>, width: usize) -> (Vec<String>, usize) {
    let names: Vec<String> = names.map(|name| format!("  {}", shorten(&clean(name), width / 3))).collect();
    let indent = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    (names, indent)
}

/// What is left for the drawing beside names and values.
pub(super) fn room(width: usize, indent: usize, values: &[String]) -> usize {
    let values = values.iter().map(|value| value.chars().count()).max().unwrap_or(0);
    width.saturating_sub(indent + values + 1).clamp(4, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(items: &[(&str, f64)], mark: Option<f64>) -> Vec<String> {
        let items = items.iter().map(|(name, x)| (name.to_string(), *x)).collect();
        draw(&Chart::Bars { title: "t".into(), items, mark }, 40)
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let lines = bar(&[("a", 2.0), ("bb", 1.0), ("c", f64::NAN)], Some(1.5));
        let blocks = |line: &str| line.chars().filter(|c| *c == '█').count();
        assert_eq!((blocks(&lines[1]), blocks(&lines[2])), (32, 16));
        assert!(lines[2].contains('┊') && lines[2].ends_with(" 1"));
        assert_eq!(lines[3], "      ┊ marks 1.5");
        assert_eq!(lines[4], "  (1 values not shown: not finite)");
    }

    #[test]
    fn negative_bars_go_to_the_left() {
        let lines = bar(&[("up", 1.0), ("down", -1.0)], None);
        assert!(lines[1].find('█') > lines[2].find('█'), "{lines:?}");
    }

    #[test]
    fn histograms_are_one_line_per_series() {
        let series = vec![("one".to_string(), vec![0.0, 0.5, 1.0]), ("two".to_string(), vec![1.0, 0.0, f64::NAN])];
        let lines = draw(&Chart::Histogram { title: "t".into(), edges: vec![0.0, 1.0, 2.0, 3.0], series }, 80);
        assert_eq!(lines[1], "  one      ▄▄▄▄████ max 1");
        assert_eq!(lines[2], "  two  ████         max 1");
        assert_eq!(lines[3], "       0          3");
    }

    #[test]
    fn intervals_share_a_scale() {
        let items = vec![("a".to_string(), 0.0, 0.5, 1.0), ("b".to_string(), 0.5, 0.5, 0.5)];
        let lines = draw(&Chart::Intervals { title: "t".into(), items }, 40);
        let dot = |line: &str| line.chars().position(|c| c == '●');
        assert!(dot(&lines[1]).is_some() && dot(&lines[1]) == dot(&lines[2]), "{lines:?}");
        assert!(lines[1].contains('├') && lines[1].ends_with("0.5 [0, 1]"));
    }

    #[test]
    fn curves_run_over_the_grid() {
        let series = vec![("up".to_string(), (0..50).map(|i| (f64::from(i), f64::from(i))).collect())];
        let lines = draw(&Chart::Lines { title: "t".into(), x: "rows".into(), y: "score".into(), series }, 80);
        let rows: Vec<usize> = lines.iter().filter_map(|line| line.find('●')).collect();
        assert_eq!(rows.len(), HEIGHT);
        assert!(rows.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn no_chart_breaks_it() {
        for chart in crate::chart::tests::charts() {
            for width in [40, 80, 120] {
                for line in draw(&chart, width) {
                    assert!(line.trim_end().chars().count() <= width, "{width}: {line}\n{chart:?}");
                }
            }
        }
    }
}
