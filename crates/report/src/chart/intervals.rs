//! Estimates with their intervals, one below the other.

use stagewise_core::exhibit::number;

use super::frame::{Frame, Layout, empty, label_width, not_shown};
use super::scale::Scale;
use super::svg::{Anchor, Ink};
use crate::escape::shorten;

const SHOWN: usize = 60;
const LETTERS: usize = 30;
const ROW: f64 = 24.0;

/// A line from the lower to the upper end and a dot at the estimate for each item, in the order given, at most 60.
///
/// Items with a value that is not finite are left out and counted below the chart.
pub fn intervals(title: &str, items: &[(String, f64, f64, f64)]) -> String {
    let finite: Vec<_> =
        items.iter().filter(|(_, low, x, high)| [low, x, high].iter().all(|v| v.is_finite())).collect();
    let mut notes = not_shown(items.len() - finite.len());
    if finite.is_empty() {
        return empty(title, notes);
    }
    let shown = &finite[..finite.len().min(SHOWN)];
    if finite.len() > SHOWN {
        notes.push(format!("{} more items not shown", finite.len() - SHOWN));
    }
    let texts: Vec<String> =
        shown.iter().map(|(_, low, x, high)| format!("{} [{}, {}]", number(*x), number(*low), number(*high))).collect();
    let mut frame = Frame::new(Layout {
        title,
        legend: Vec::new(),
        left: label_width(shown.iter().map(|item| item.0.as_str()), LETTERS),
        right: label_width(texts.iter().map(String::as_str), 32),
        height: ROW * shown.len() as f64 + 4.0,
        notes,
    });
    let scale = Scale::of(shown.iter().flat_map(|item| [item.1, item.2, item.3]), frame.left + 4.0, frame.right - 4.0);
    frame.axis_x(&scale, "");
    for (row, ((name, low, estimate, high), text)) in shown.iter().zip(&texts).enumerate() {
        let y = frame.top + 14.0 + ROW * row as f64;
        let (left, right) = (scale.at(*low), scale.at(*high));
        frame.svg.line((left, y), (right, y), Ink::Series(0), 2.0);
        for end in [left, right] {
            frame.svg.line((end, y - 5.0), (end, y + 5.0), Ink::Series(0), 2.0);
        }
        frame.svg.dot((scale.at(*estimate), y), 4.5, Ink::Series(0));
        frame.svg.text((frame.left - 8.0, y + 4.0), Anchor::End, Ink::Text, &shorten(name, LETTERS));
        frame.svg.text((frame.right + 8.0, y + 4.0), Anchor::Start, Ink::Muted, text);
    }
    frame.finish()
}
