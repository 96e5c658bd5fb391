//! Heat maps: a grid of cells, shaded by sign and size.

use stagewise_core::exhibit::number;

use super::frame::{Frame, Layout, empty, label_width, not_shown};
use super::svg::{Anchor, Ink};
use crate::escape::shorten;

/// More rows or columns than these are not read.
const SHOWN: usize = 40;
const LETTERS: usize = 16;
/// About how far labels below the grid must be apart.
const LABEL: f64 = 70.0;

/// A grid of cells, values above 0 in one colour and below 0 in another, the stronger the larger; at most 40 × 40.
///
/// Values that are not finite are left white and counted below the chart.
pub fn heat(title: &str, x: &str, y: &str, columns: &[String], rows: &[(String, Vec<f64>)]) -> String {
    let values = || rows.iter().flat_map(|row| row.1.iter().take(columns.len()));
    let mut notes = not_shown(values().filter(|value| !value.is_finite()).count());
    let largest = values().filter(|value| value.is_finite()).fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (wide, high) = (columns.len().min(SHOWN), rows.len().min(SHOWN));
    if wide == 0 || high == 0 {
        return empty(title, notes);
    }
    for (what, count) in [("columns", columns.len()), ("rows", rows.len())] {
        if count > SHOWN {
            notes.push(format!("{} more {what} not shown", count - SHOWN));
        }
    }
    notes.push(format!("downwards: {}; the strongest shade is {} from 0", shorten(y, 60), number(largest)));
    let cell_height = (320.0 / high as f64).clamp(12.0, 32.0);
    let mut frame = Frame::new(Layout {
        title,
        legend: vec!["above 0", "below 0"],
        left: label_width(rows.iter().take(high).map(|row| row.0.as_str()), LETTERS),
        right: 8.0,
        height: cell_height * high as f64,
        notes,
    });
    let cell_width = (frame.right - frame.left) / wide as f64;
    for (i, (name, values)) in rows.iter().take(high).enumerate() {
        let top = frame.top + cell_height * i as f64;
        frame.svg.text(
            (frame.left - 8.0, top + 0.5 * cell_height + 4.0),
            Anchor::End,
            Ink::Text,
            &shorten(name, LETTERS),
        );
        for (j, value) in values.iter().take(wide).enumerate().filter(|(_, value)| value.is_finite() && **value != 0.0)
        {
            let at = (frame.left + cell_width * j as f64, top);
            let ink = if *value > 0.0 { Ink::Series(0) } else { Ink::Series(1) };
            frame.svg.rect(at, (cell_width, cell_height), ink, (value.abs() / largest).max(0.04));
        }
    }
    let step = (LABEL / cell_width).ceil().max(1.0) as usize;
    for (j, name) in columns.iter().take(wide).enumerate().step_by(step) {
        let middle = frame.left + cell_width * (j as f64 + 0.5);
        frame.svg.text((middle, frame.bottom + 17.0), Anchor::Middle, Ink::Muted, &shorten(name, LETTERS / 2 + 4));
    }
    let middle = 0.5 * (frame.left + frame.right);
    frame.svg.text((middle, frame.bottom + 35.0), Anchor::Middle, Ink::Muted, &shorten(x, 60));
    frame.finish()
}
