//! Heat maps as text: one line per row, one mark per cell.

use stagewise_core::exhibit::number;

use super::clean;
use super::plot::{names, room};

/// Rows in a chart.
const SHOWN: usize = 40;
/// From far below 0 to far above it.
const MARKS: [char; 7] = ['▼', '▾', '-', '·', '+', '▴', '▲'];

/// Lines of marks under a line that says what runs where; nothing without cells.
pub(super) fn draw(x: &str, y: &str, columns: &[String], rows: &[(String, Vec<f64>)], width: usize) -> Vec<String> {
    if columns.is_empty() || rows.is_empty() {
        return Vec::new();
    }
    let all = rows.iter().flat_map(|row| &row.1).filter(|value| value.is_finite());
    let largest = all.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (shown, indent) = names(rows.iter().take(SHOWN).map(|row| row.0.as_str()), width);
    let cells = room(width, indent, &[]).min(columns.len());
    let mark = |value: &f64| {
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        if value.is_finite() { MARKS[((3.0 * share).round() + 3.0) as usize % MARKS.len()] } else { ' ' }
    };
    let line = |(name, row): (&String, &(String, Vec<f64>))| {
        format!("{name:<indent$}{}", row.1.iter().take(cells).map(mark).collect::<String>())
    };
    let mut out: Vec<String> = shown.iter().zip(rows).map(line).collect();
    let (x, y, first, last) = (clean(x), clean(y), clean(&columns[0]), clean(&columns[cells - 1]));
    out.push(format!("{:indent$}to the right {x}, from {first} to {last}; downwards {y}", ""));
    out.push(format!("{:indent$}▼ is {}, ▲ {}", "", number(-largest), number(largest)));
    let left_out = (rows.len().saturating_sub(SHOWN), columns.len() - cells);
    if left_out != (0, 0) {
        out.push(format!("  ({} more rows and {} more columns not shown)", left_out.0, left_out.1));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_sizes_can_be_told_apart() {
        let rows = vec![("a".to_string(), vec![-3.0, -1.0, 0.0]), ("b".to_string(), vec![f64::NAN, 2.0, 3.0])];
        let columns = ["low", "mid", "high"].map(String::from);
        let lines = draw("x", "y", &columns, &rows, 60);
        assert!(lines[0].ends_with("▼-·") && lines[1].ends_with(" ▴▲"), "{lines:?}");
        assert!(lines[2].contains("from low to high") && lines[3].contains("▼ is -3"), "{lines:?}");
        assert!(draw("x", "y", &[], &rows, 60).is_empty());
    }
}
