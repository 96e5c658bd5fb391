//! Tables as text: numbers to the right, names to the left, wide columns cut, tables too wide written row by row.

use super::{clean, wrapped};
use crate::escape::{is_numeric, shorten};

const GAP: usize = 2;
/// Columns of names are not cut below this, columns of numbers not at all.
const NARROWEST: usize = 8;

pub(super) fn draw(columns: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let count = rows.iter().map(Vec::len).chain([columns.len()]).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| clean(row.get(column).map_or("", String::as_str));
    let grid: Vec<Vec<String>> = [columns]
        .into_iter()
        .chain(rows.iter().map(Vec::as_slice))
        .map(|row| (0..count).map(|c| cell(row, c)).collect())
        .collect();
    let numeric: Vec<bool> = (0..count).map(|c| is_numeric(grid.iter().skip(1).map(|row| row[c].as_str()))).collect();
    let Some(widths) = widths(&grid, &numeric, width) else { return records(&grid, width) };
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = (0..count)
            .map(|c| {
                let (text, w) = (shorten(&row[c], widths[c]), widths[c]);
                if numeric[c] { format!("{text:>w$}") } else { format!("{text:<w$}") }
            })
            .collect();
        cells.join("  ")
    };
    let mut lines: Vec<String> = grid.iter().map(line).collect();
    lines.insert(1, "─".repeat(widths.iter().sum::<usize>() + GAP * count.saturating_sub(1)));
    if rows.is_empty() {
        lines.push("(no rows)".to_string());
    }
    lines
}

/// The widths of the columns, the widest cut first; `None` if the table does not fit.
fn widths(grid: &[Vec<String>], numeric: &[bool], width: usize) -> Option<Vec<usize>> {
    let wide = |c: usize| grid.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..numeric.len()).map(wide).collect();
    let gaps = GAP * numeric.len().saturating_sub(1);
    loop {
        let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
        if excess == 0 {
            return Some(widths);
        }
        let can_shrink = |&c: &usize| !numeric[c] && widths[c] > NARROWEST;
        let widest = (0..widths.len()).filter(can_shrink).max_by_key(|&c| (widths[c], std::cmp::Reverse(c)))?;
        let second = (0..widths.len()).filter(|&c| c != widest && !numeric[c]).map(|c| widths[c]).max().unwrap_or(0);
        // Down to the second widest at once, but at least by one and no more than needed.
        let cut = (widths[widest] - second.min(widths[widest])).clamp(1, excess);
        widths[widest] = (widths[widest] - cut).max(NARROWEST);
    }
}

/// One line per cell, one paragraph per row.
fn records(grid: &[Vec<String>], width: usize) -> Vec<String> {
    let Some((head, rows)) = grid.split_first() else { return Vec::new() };
    let indent = head.iter().map(|name| name.chars().count().min(width / 3)).max().unwrap_or(0) + GAP;
    let mut lines = Vec::new();
    for row in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for (name, value) in head.iter().zip(row) {
            let name = shorten(name, width / 3);
            for (i, text) in wrapped(value, width - indent).into_iter().enumerate() {
                lines.push(format!("{:<indent$}{text}", if i == 0 { name.as_str() } else { "" }));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let rows = [strings(&["age", "0.5"]), strings(&["a name", "12.25"])];
        let found = draw(&strings(&["feature", "PSI"]), &rows, 80);
        assert_eq!(found.len(), 4);
        assert_eq!(found[2], "age        0.5");
        assert_eq!(found[3], "a name   12.25");
    }

    #[test]
    fn every_row_is_kept_and_ragged_ones_are_filled() {
        let rows: Vec<Vec<String>> = (0..500).map(|i| strings(&["x", "y", "z"])[..i % 4].to_vec()).collect();
        assert_eq!(draw(&strings(&["a", "b"]), &rows, 80).len(), 502);
        assert_eq!(draw(&strings(&["a", "b"]), &[], 80), ["a  b", "────", "(no rows)"]);
        assert!(draw(&[], &[], 80).len() <= 3);
    }

    #[test]
    fn the_widest_column_is_cut_first() {
        let rows = [vec!["n".repeat(50), "m".repeat(12), "1".to_string()]];
        let lines = draw(&strings(&["a", "b", "c"]), &rows, 40);
        assert_eq!(lines[2], format!("{}…  {}  1", "n".repeat(22), "m".repeat(12)));
    }

    #[test]
    fn a_table_that_cannot_fit_is_written_row_by_row() {
        let names: Vec<String> = (0..20).map(|i| format!("column {i}")).collect();
        let rows = vec![(0..20).map(|i| format!("{i}.123456")).collect::<Vec<_>>(); 2];
        let lines = draw(&names, &rows, 60);
        assert_eq!((lines.len(), lines[0].as_str(), lines[20].as_str()), (41, "column 0   0.123456", ""));
    }
}
